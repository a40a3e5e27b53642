"""The figure of a node's tests counts all of its tests, and is green only if all passed."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from recce_meta.api.browse.node import LastResult, Measurement
from recce_meta.models import NodeResult
from recce_meta.server.pages.nodes.node import _tests_figure

NOW = datetime(2026, 11, 20, tzinfo=timezone.utc)


def result(status: str | None, *, is_own: bool = True, since: str | None = None) -> LastResult | None:
    if status is None:
        return None
    measured = Measurement(run_id="r", run_at=NOW, is_own=is_own, since=since)
    return LastResult(result=NodeResult(unique_id="test.shop.t", status=status), measured=measured)


@pytest.mark.parametrize(
    ("statuses", "number", "label", "tone"),
    [
        (["pass"] * 400, "400", "of 400 tests passed", "same"),
        (["pass"] * 400 + ["fail"], "1", "of 401 tests failed", "failed"),
        (["pass", "warn"], "1", "of 2 tests warned", "differs"),
        (["pass", None], "1", "of 2 tests passed", ""),
        (["pass", "skipped"], "1", "of 2 tests passed", ""),
        ([None, None], "2", "tests, without results", ""),
    ],
)
def test_the_worst_state_is_counted(statuses: list[str | None], number: str, label: str, tone: str) -> None:
    found = _tests_figure([result(status) for status in statuses])

    assert (found.value, found.label, found.tone) == (number, label, tone)


def test_results_of_earlier_runs_are_counted_as_such_and_prove_nothing_of_later_code() -> None:
    earlier, outdated = result("pass", is_own=False), result("pass", is_own=False, since="its code changed")

    found = _tests_figure([result("pass"), earlier])
    assert (found.value, found.label, found.tone) == ("2", "of 2 tests passed, 1 in earlier runs", "same")
    found = _tests_figure([result("pass"), outdated])
    assert (found.label, found.tone) == ("of 2 tests passed, 1 in earlier runs, 1 outdated", "")
