"""Room to recurse, and an end for what does not come back."""

from __future__ import annotations

import sys
import threading
import time

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


def test_work_that_never_ends_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "IS_COMPILED", False)
    workers: list[threading.Thread] = []

    def work() -> None:
        workers.append(threading.current_thread())
        while True:
            time.sleep(0.001)

    with pytest.raises(SqlNotAnalysed, match=r"no result within 0\.05 s"):
        context.run_with_timeout(work, Deadline(0.05))

    workers[0].join(60)
    assert not workers[0].is_alive()
