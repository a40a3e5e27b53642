"""Rows of a node in the list of a review."""

from __future__ import annotations

import pytest

from recce_meta.models import Change, Status
from recce_meta.models.data_diff import RowCount, Subject
from recce_meta.report.html.listing import _rows


@pytest.mark.parametrize(
    ("status", "counts", "text"),
    [
        (Status.MODIFIED, {"base": 500, "current": 480}, "500 → 480"),
        (Status.MODIFIED, {"base": 500, "current": 500}, "= 500"),
        (Status.MODIFIED, {"base": 500, "current_reason": "not built: no table"}, "500 → not built"),
        (Status.MODIFIED, {"current": 500, "base_reason": "permission denied"}, "not counted → 500"),
        (Status.REMOVED, {"base": 500, "current_reason": "removed"}, "-500"),
        (Status.ADDED, {"current": 500, "base_reason": "added"}, "+500"),
        (Status.MODIFIED, {}, ""),
    ],
)
def test_a_count_that_is_not_known_is_not_zero(status: Status, counts: dict[str, object], text: str) -> None:
    node = Change(unique_id="model.shop.a", name="a", resource_type="model", status=status)

    assert _rows(RowCount(subject=Subject(name="a"), **counts), node) == text  # type: ignore[arg-type]
