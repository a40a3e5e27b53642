"""Progress of a job as server-sent events, read from the state, so that any web process can send them.

An event `log` is one line of the job's log, and an event `progress` is the progress after it. The id of an
event names the job and the line: a client that reconnects with it as `Last-Event-ID` gets the later lines.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import NamedTuple
from urllib.parse import quote, unquote

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from recce_meta.redaction import harmless_json
from recce_meta.repositories.answers import ProgressAnswer
from recce_meta.repositories.service import RepositoryService
from recce_meta.repositories.state.types import JobEvent

EVENT_STREAM = "text/event-stream"
RETRY_MILLISECONDS = 2000
"""Time after which a browser connects again."""
PAUSE = 0.5
"""Seconds between two looks at the state."""
SILENCE = 15.0
"""Seconds after which a comment shows proxies that the connection is in use."""
_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


class LogPosition(NamedTuple):
    """Last line of a log that a client has."""

    job_id: str
    seq: int = 0

    def __str__(self) -> str:
        # The client sends the id back in a header, so it is ASCII without line breaks.
        return f"{quote(self.job_id, safe=':')}/{self.seq}"


def position_of(text: str | None) -> LogPosition | None:
    """Return the position that the id *text* of an event names; None for another text.

    >>> position_of(str(LogPosition("0a1b:feature/x:3", 17)))
    LogPosition(job_id='0a1b:feature/x:3', seq=17)
    """
    job, slash, seq = (text or "").rpartition("/")
    # The header comes from the client: its number must fit into the database.
    if not (job and slash and seq.isascii() and seq.isdecimal() and len(seq) < 10):
        return None
    return LogPosition(unquote(job), int(seq))


def wants_events(request: Request) -> bool:
    """Return True if the client of *request* accepts server-sent events."""
    return EVENT_STREAM in request.headers.get("accept", "").lower()


async def progress_events(
    request: Request, service: RepositoryService, connection_id: str, progress: ProgressAnswer
) -> Response:
    """Answer with the log of the job of *progress* from the last line that the client has, until its end.

    The answer to a client that has all lines of an ended job is 204, after which browsers do not reconnect.
    """
    position = position_of(request.headers.get("last-event-id"))
    # A client that saw another job starts with the first line of this one.
    if position is None or position.job_id != progress.job_id:
        position = LogPosition(progress.job_id)
    elif progress.status.is_over:
        events = await run_in_threadpool(service.events, connection_id, progress.job_id, after=position.seq)
        if not events:
            return Response(status_code=204, headers=_HEADERS)
    return StreamingResponse(
        _stream(service, connection_id, position), media_type=EVENT_STREAM, headers=_HEADERS
    )


async def _stream(
    service: RepositoryService, connection_id: str, position: LogPosition
) -> AsyncIterator[bytes]:
    yield f"retry: {RETRY_MILLISECONDS}\n\n".encode()
    # Only changes are sent: a job may wait for hours.
    known: ProgressAnswer | None = None
    said = time.monotonic()
    while True:
        found, events = await run_in_threadpool(_read, service, connection_id, position)
        for event in events:
            position = position._replace(seq=event.seq)
            yield _message("log", position, event)
        if found is not None and found != known:
            yield _message("progress", position, found)
        if found is None or found.status.is_over:
            return
        now = time.monotonic()
        if events or found != known:
            said, known = now, found
        elif now - said >= SILENCE:
            said = now
            yield b": the job continues\n\n"
        await asyncio.sleep(PAUSE)


def _read(
    service: RepositoryService, connection_id: str, position: LogPosition
) -> tuple[ProgressAnswer | None, list[JobEvent]]:
    """Return the progress of a job, and the lines of its log after *position*."""
    # The progress comes first: lines of a job that is over are complete.
    found = service.progress(connection_id, job_id=position.job_id)
    return found, service.events(connection_id, position.job_id, after=position.seq)


def _message(name: str, position: LogPosition, value: object) -> bytes:
    # JSON on one line: a line break would end the field.
    data = harmless_json(msgspec.json.encode(value))
    return b"event: %s\nid: %s\ndata: %s\n\n" % (name.encode(), str(position).encode(), data)
