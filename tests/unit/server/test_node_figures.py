"""The figure of a node's tests counts all of its tests, and is green only if all passed."""

from __future__ import annotations

import pytest

from recce_meta.models import NodeResult
from recce_meta.server.pages.node import _tests_figure


def result(status: str | None) -> NodeResult | None:
    return None if status is None else NodeResult(unique_id="test.shop.t", status=status)


@pytest.mark.parametrize(
    ("statuses", "number", "label", "tone"),
    [
        (["pass"] * 400, "400", "of 400 tests passed", "same"),
        (["pass"] * 400 + ["fail"], "1", "of 401 tests failed", "failed"),
        (["pass", "warn"], "1", "of 2 tests warned", "differs"),
        (["pass", None], "1", "of 2 tests passed", ""),
        (["pass", "skipped"], "1", "of 2 tests passed", ""),
        ([None, None], "2", "tests, without results in this run", ""),
    ],
)
def test_the_worst_state_is_counted(statuses: list[str | None], number: str, label: str, tone: str) -> None:
    found = _tests_figure([result(status) for status in statuses])

    assert (found.value, found.label, found.tone) == (number, label, tone)
