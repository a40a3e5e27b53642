"""Requests in the log and in the metrics: an id, the kind of the address, status and seconds of each.

A request keeps the id that a proxy gives it in `X-Request-Id`, and answers have it in the same header. No
address is logged: it may contain SQL.
"""

from __future__ import annotations

import logging
import re
import time
from secrets import token_hex

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recce_meta.log_ids import FIELDS, logged_for
from recce_meta.report.addresses import segment_text
from recce_meta.server.access.problems import API
from recce_meta.server.access.scopes import DELIVERIES
from recce_meta.server.access.sessions import HEALTH, LOGIN, METRICS, READINESS, STATIC
from recce_meta.telemetry import REQUESTS

REQUEST_ID = "X-Request-Id"
METHODS = frozenset(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
_GIVEN = re.compile(r"[A-Za-z0-9._-]{1,64}")
"""Ids that are taken from a proxy; others could be of any length."""
_SUBJECT = re.compile(
    r"(?:/api/metadata)?/connections/(?P<connection>[0-9a-f]{6,40})"
    r"(?:/(?:extractions|jobs)/(?P<job>.+?)(?:/cancel)?$|/|$)"
)
_JOB = re.compile(r"[0-9a-f]{6,40}:.{1,500}:[0-9]{1,9}")
CANCELLED = 499
"""Status, as nginx logs it, of a request whose client has gone before the answer."""

log = logging.getLogger(__name__)


class RequestMiddleware:
    """ASGI middleware that gives each request its id, and reports its end."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), CANCELLED
        path = str(scope["path"])
        given = Headers(scope=scope).get(REQUEST_ID, "")
        request = given if _GIVEN.fullmatch(given) else token_hex(8)

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
                MutableHeaders(scope=message)[REQUEST_ID] = request
            await send(message)

        with logged_for(request=request, **_subject(path)):
            try:
                await self._app(scope, receive, send_with_id)
            finally:
                self._report(scope, path, status, time.perf_counter() - began)

    def _report(self, scope: Scope, path: str, status: int, seconds: float) -> None:
        # A client chooses the method: any text would be a name of its own in the metrics.
        method = scope["method"] if scope["method"] in METHODS else "other"
        kind = kind_of(path)
        REQUESTS.observe(seconds, method, kind, str(status))
        # Probes and style sheets are most requests, and say nothing.
        level = logging.DEBUG if kind in ("probe", "static") and status < 400 else logging.INFO
        fields = {"method": method, "kind": kind, "status": status, "seconds": round(seconds, 4)}
        text = "%s of %s: status %d in %.3f s"
        log.log(level, text, method, kind, status, seconds, extra={FIELDS: fields})


def kind_of(path: str) -> str:
    """Return the kind of the address *path*: `page`, `api`, `webhook`, `static`, `probe` or `login`.

    >>> kind_of("/s/default/runs"), kind_of(min(DELIVERIES)), kind_of("/readyz")
    ('page', 'webhook', 'probe')
    """
    if path in DELIVERIES:
        return "webhook"
    if path in (HEALTH, READINESS, METRICS):
        return "probe"
    for start, kind in ((API, "api"), (STATIC, "static"), (LOGIN, "login")):
        if path.startswith(start):
            return kind
    return "page"


def _subject(path: str) -> dict[str, str]:
    """Return the ids of the connection and the job in *path*, which need not exist."""
    found = _SUBJECT.match(path)
    if found is None:
        return {}
    # Pages encode a job in one part of the path.
    job = segment_text(found["job"]) if found["job"] else ""
    subject = {"connection": found["connection"]}
    return {**subject, "job": job} if _JOB.fullmatch(job) else subject
