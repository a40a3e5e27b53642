"""Which of two statistics of one node stays."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from recce_meta.models.data_diff import Profile
from recce_meta.models.stored import ColumnStatistics, NodeStatistics

AT = datetime(2026, 11, 1, tzinfo=timezone.utc)


def statistics(number: int, counted: bool, profiled: bool, reasons: bool) -> NodeStatistics:
    """Figures and times that tell which of several statistics they are of."""
    at = AT + timedelta(seconds=number)
    profile = Profile(type="T", row_count=number, not_null_count=number)
    return NodeStatistics(
        unique_id="model.shop.orders",
        counted_at=at,
        row_count=number if counted else None,
        reason=f"reason {number}" if reasons and not counted else None,
        profiled_at=at if profiled else None,
        columns=(ColumnStatistics(name=f"c{number}", profile=profile),) if profiled else (),
        profile_reason=f"reason {number}" if reasons and not profiled else None,
    )


flags = st.tuples(st.booleans(), st.booleans(), st.booleans())


@given(st.lists(flags, min_size=1, max_size=5))
def test_the_first_figure_of_each_kind_stays_with_its_time(offered: list[tuple[bool, bool, bool]]) -> None:
    nodes = [statistics(number, *each) for number, each in enumerate(offered)]
    merged = nodes[0]
    for node in nodes[1:]:
        merged = merged.with_missing_from(node)

    count = next((node for node in nodes if node.row_count is not None), None)
    profile = next((node for node in nodes if node.columns), None)
    assert merged.row_count == (count and count.row_count)
    assert merged.counted_at == (count or nodes[0]).counted_at
    assert merged.columns == (profile.columns if profile else ())
    assert merged.profiled_at == (profile and profile.profiled_at)
    assert merged.reason == (None if count else nodes[0].reason)
    if profile:
        assert merged.profile_reason is None
    assert merged.with_missing_from(merged) == merged
