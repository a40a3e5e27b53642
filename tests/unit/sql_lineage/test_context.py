"""Room to recurse, and an end for what does not come back."""

from __future__ import annotations

import sys
import threading
from typing import Any

import pytest

from recce_meta.errors import SqlNotAnalysed
from recce_meta.sql_lineage import context
from recce_meta.sql_lineage.context import Deadline


def depth(levels: int) -> int:
    return 0 if levels == 0 else 1 + depth(levels - 1)


def test_work_may_recurse_far_below_the_caller_and_leaves_the_limits_as_they_were() -> None:
    before = sys.getrecursionlimit(), threading.stack_size()

    assert context.run_on_deep_stack(lambda: depth(20_000), Deadline(None)) == 20_000
    assert (sys.getrecursionlimit(), threading.stack_size()) == before


def test_what_the_work_raises_reaches_the_caller() -> None:
    def work() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        context.run_on_deep_stack(work, Deadline(None))


class Finalized:
    """An object that is busy when it goes; Python drops what is raised then."""

    def __del__(self) -> None:
        for _ in range(10_000):
            pass


@pytest.mark.parametrize("make", [list, Finalized], ids=["plain", "in finalizers"])
def test_work_that_never_ends_is_ended(make: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "IS_COMPILED", False)
    workers: list[threading.Thread] = []
    parser: dict[str, Any] = {"__name__": "sqlglot.parser"}
    exec("def parse(make):\n    while True:\n        make()\n        sum(range(10_000))", parser)

    def work() -> None:
        workers.append(threading.current_thread())
        parser["parse"](make)

    with pytest.raises(SqlNotAnalysed, match=r"no result within 0\.05 s"):
        context.run_with_timeout(work, Deadline(0.05))

    workers[0].join(60)
    assert not workers[0].is_alive()
