"""Probes of load balancers and orchestrators: `/healthz` says that the process lives, `/readyz` what works.

Both need no token, and any name of the server is answered, because probes use its address. They reveal no
name and no error: those are in the log.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from recce_meta.errors import RecceMetaError, StoreNotFound, first_line
from recce_meta.redaction import presentable
from recce_meta.repositories.service.service import WORKER_SECONDS, RepositoryService
from recce_meta.repositories.state.workers import WorkerProcess, list_workers, stale_workers
from recce_meta.server.access.sessions import HEALTH, READINESS
from recce_meta.server.stores.stores import Store

PATIENCE = 5.0
"""Seconds after which a part that does not answer counts as failed."""
_KNOWN = 1.0
"""Seconds for which an answer holds: probes, which need no token, must not keep the database busy."""
OK, FAILED, NONE = "ok", "failed", "none"

log = logging.getLogger(__name__)


class Readiness:
    """What works of the server, asked at most once at a time."""

    def __init__(self, stores: Iterable[Store], service: RepositoryService | None) -> None:
        """Ask *stores*, and the state of *service*, which is None without one."""
        self._parts: dict[str, Callable[[], Mapping[str, str]]] = {
            "stores": partial(_stores, list(stores)),
        }
        if service is not None:
            self._parts["state"] = partial(_state, service)
        self._asked: dict[str, asyncio.Future[Mapping[str, str]]] = {}
        self._known: tuple[float, Mapping[str, str]] | None = None
        self._lock = asyncio.Lock()

    async def __call__(self, request: Request) -> Response:
        """Answer with the status 503 if a part of the server does not work."""
        async with self._lock:
            if self._known is None or time.monotonic() > self._known[0] + _KNOWN:
                self._known = (time.monotonic(), await self._ask())
            checks = self._known[1]
        is_ready = FAILED not in checks.values()
        answer = {"status": "ready" if is_ready else "not_ready", "checks": checks}
        return JSONResponse(answer, 200 if is_ready else 503, {"Cache-Control": "no-store"})

    async def _ask(self) -> Mapping[str, str]:
        for name, ask in self._parts.items():
            # A thread that hangs stays alone: the next probe waits for the same one.
            if name not in self._asked:
                self._asked[name] = asyncio.ensure_future(asyncio.to_thread(ask))
        done, _ = await asyncio.wait(self._asked.values(), timeout=PATIENCE)
        found: dict[str, str] = {}
        for name, asked in list(self._asked.items()):
            if asked in done:
                del self._asked[name]
            found |= _answer(name, asked) if asked in done else {name: FAILED}
        return found


def _answer(name: str, asked: asyncio.Future[Mapping[str, str]]) -> Mapping[str, str]:
    """Return the answer of the part *name*, which has failed if it raised an error that is not ours."""
    if (error := asked.exception()) is None:
        return asked.result()
    # A driver may raise errors that nothing translates: a probe must not get the status 500 for them.
    level = logging.WARNING if isinstance(error, RecceMetaError) else logging.ERROR
    log.log(level, "%s: not ready: %s: %s", name, type(error).__name__, presentable(first_line(error)))
    return {name: FAILED}


def routes(stores: Iterable[Store], service: RepositoryService | None) -> list[Route]:
    """Return the routes of both probes."""
    return [Route(HEALTH, _live, methods=["GET"]), Route(READINESS, Readiness(stores, service).__call__)]


async def _live(request: Request) -> Response:
    return PlainTextResponse("ok\n", headers={"Cache-Control": "no-store"})


def _stores(stores: list[Store]) -> Mapping[str, str]:
    """Return that stores fail if all of them do: one that cannot be read does not affect the others."""
    return {"stores": OK if any(_is_readable(store) for store in stores) else FAILED}


def _is_readable(store: Store) -> bool:
    try:
        with store.view():
            return True
    except StoreNotFound:
        # The database answers, and the first run creates the store.
        return True
    except RecceMetaError as error:
        log.warning("store %s is not ready: %s", store.name, presentable(first_line(error)))
        return False


def _state(service: RepositoryService) -> Mapping[str, str]:
    try:
        stale = {worker.name for worker in stale_workers(service.state, WORKER_SECONDS)}
        live = [worker for worker in list_workers(service.state) if worker.name not in stale]
    except RecceMetaError as error:
        log.warning("the state is not ready: %s", presentable(first_line(error)))
        return {"state": FAILED}
    # The first of the live workers is the scheduler.
    checks = {"state": OK, "scheduler": OK if live else NONE}
    if service.work is not None:
        # Only the worker of this process counts: pages without one are better than no pages.
        checks["worker"] = OK if any(map(_is_own, live)) else FAILED
    return checks


def _is_own(worker: WorkerProcess) -> bool:
    return (worker.host, worker.pid) == (socket.gethostname(), os.getpid())
