"""Recording in a store while the job is cancelled."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from recce_meta.repositories.recording import TargetStores


class Target:
    """Store whose adapter does nothing."""

    schema = "recce_meta"

    @property
    def connect(self) -> Callable[[], Any]:
        """Returns this store as its adapter."""
        return lambda: self

    @contextmanager
    def sibling(self, **_: object) -> Iterator[None]:
        """Yield nothing."""
        yield


def test_a_job_that_is_cancelled_again_waits_for_its_thread() -> None:
    """The store stays locked until the thread has ended."""
    begun, may_end = threading.Event(), threading.Event()
    stops: list[str] = []

    def write(*_: object) -> None:
        begun.set()
        may_end.wait()

    async def cancel() -> None:
        stores = TargetStores({"default": Target()}, lock_timeout=0)
        task = asyncio.ensure_future(stores._using("default", write, lambda: stops.append("stop")))
        await asyncio.to_thread(begun.wait)
        for _ in range(3):
            task.cancel()
            for _ in range(3):
                await asyncio.sleep(0)
        is_locked = not task.done() and stores._locks["default"].locked()
        # Before any assertion: the end of the loop waits for the thread.
        may_end.set()
        assert is_locked
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    assert stops
