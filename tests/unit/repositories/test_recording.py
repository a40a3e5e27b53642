"""Recording in a store while the job is cancelled."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Any

import pytest

from recce_meta.errors import StoreLocked
from recce_meta.repositories import recording
from recce_meta.repositories.recording import TargetStores


class Target:
    """Store whose adapter does nothing."""

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


class LockedTarget(Target):
    """Store whose file another process locks while `is_locked`."""

    is_locked = True

    @contextmanager
    def sibling(self, **_: object) -> Iterator[None]:
        """Raise StoreLocked while the file is locked."""
        if self.is_locked:
            raise StoreLocked("locked")
        yield


def test_a_job_that_waits_for_another_writer_is_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two jobs wait: one for the file, the other for the first."""
    target, idle = LockedTarget(), list[str]()
    monkeypatch.setattr(recording, "_find_run", lambda *_: None)

    async def record() -> None:
        stores = TargetStores({"default": target}, lock_timeout=60)

        def waits(name: str) -> Callable[[], AbstractAsyncContextManager[None]]:
            @asynccontextmanager
            async def block() -> AsyncIterator[None]:
                idle.append(f"{name} waits")
                yield
                idle.append(f"{name} goes on")

            return block

        def work(*_: object) -> None:
            idle.append("written")

        tasks = [
            asyncio.create_task(stores._using("default", work, lambda: None, waits(name))) for name in "ab"
        ]
        while len(idle) < 2:
            await asyncio.sleep(0.01)
        target.is_locked = False
        await asyncio.gather(*tasks)

    asyncio.run(record())
    assert sorted(idle[:2]) == ["a waits", "b waits"]
    assert idle[2:] == ["a goes on", "written", "b goes on", "written"]
