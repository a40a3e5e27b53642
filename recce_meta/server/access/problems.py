"""Failures as users see them: status of HTTP, code, message and next step."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from contextlib import suppress
from math import ceil
from typing import NamedTuple

import msgspec
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from msgspec import Struct
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.errors import (
    AmbiguousProject,
    AuthenticationFailed,
    ConnectionFailed,
    DatabaseNotFound,
    PermissionDenied,
    QueryTimeout,
    RecceMetaError,
    RunFailed,
    RunNotFound,
    SelectorError,
    StoreError,
    StoreLocked,
    StoreNotFound,
    StoreOutdated,
    UnknownNameError,
    UsageError,
    WarehouseError,
)
from recce_meta.redaction import harmless_json, presentable
from recce_meta.repositories.git.failures import GitFailure, GitFailureKind
from recce_meta.repositories.service.service import ConnectionTestFailed
from recce_meta.repositories.state.projects import OtherRepository
from recce_meta.repositories.state.requests import NotARepository, PermissionRefused

API = "/api/"


REPEAT_SECONDS = 0.1
"""Pause between requests to cancel."""


class StoreBusy(RecceMetaError):
    """All connections to the store, or what a request needs beyond one, are in use."""


class RequestStopped(RecceMetaError):
    """The reader has gone, or the server ends."""


class StopRequest:
    """Request to stop the statements of one page, because its reader has gone or the server ends."""

    def __init__(self) -> None:
        self.is_asked = False
        self.is_late = False
        """True if the time limit has passed."""
        self._wake = threading.Event()
        self._over = threading.Event()

    def ask(self) -> None:
        """Stop the running statement, and every later one."""
        # Before the event: the thread whose statement is then cancelled reads it as the cause.
        self.is_asked = True
        self._wake.set()

    def end(self) -> None:
        """Note that the page is complete."""
        # Before the wake-up: a request to cancel now could stop the connection's next statement.
        self._over.set()
        self._wake.set()

    def watch(self, adapter: UnifiedSqlAdapter, seconds: float) -> None:
        """Wait for the end of the page; stop statements of *adapter* on request, or after *seconds*."""
        self.is_late = not self._wake.wait(seconds)
        # Repeated: a request that arrives before its statement starts is lost, and a page has several.
        while not self._over.is_set():
            # The statement may have ended, or the connection may be lost.
            with suppress(WarehouseError):
                adapter.cancel()
            self._over.wait(REPEAT_SECONDS)


_LOG = logging.getLogger(__name__)


class NotFound(RecceMetaError):
    """The address names nothing."""


class NotAllowed(RecceMetaError):
    """The server was started without the permission for this."""


class TooManyQueries(RecceMetaError):
    """The queue of queries is full."""


class NoState(RecceMetaError):
    """The server has no state database."""


class TooManyRequests(RecceMetaError):
    """More requests than the limit; `retry_after` is the number of seconds to wait."""

    def __init__(self, message: str, retry_after: float) -> None:
        """Create the error."""
        super().__init__(message, hint=f"try again in {ceil(retry_after)} s")
        self.retry_after = retry_after


class UploadTooLarge(RecceMetaError):
    """The body of a request has more bytes than the limit."""


class UploadRefused(RecceMetaError):
    """An upload has runs that its connection does not record."""


class OtherProject(UploadRefused):
    """An upload is of another project than those of its connection."""

    def __init__(self, project: str, known: str, connection: str) -> None:
        """Create the error; *known* are the projects of the connection."""
        super().__init__(
            f"The artifacts are of the project '{project}', and {connection} records '{known}'",
            hint="upload to the connection of this project; or if it was renamed: recce-meta connection "
            f"claim {connection} {project}",
        )


class OtherEnvironment(UploadRefused):
    """An upload names an environment that its repository has no connection for."""

    def __init__(self, environment: str, connection: str) -> None:
        """Create the error for the upload to *connection*."""
        super().__init__(
            f"The environment {environment} is not one of {connection}",
            hint="leave out --environment, or upload to a connection of this environment: recce-meta "
            f"connection add --upload-only --environment {environment} --name NAME",
        )


class UnknownEncoding(RecceMetaError):
    """An upload is neither JSON nor JSON compressed with gzip."""


class WrongMethod(RecceMetaError):
    """The address has no answer to this method."""


class Problem(NamedTuple):
    """A failure, as users see it."""

    status: int
    """Status of HTTP."""
    code: str
    """Name of the kind of failure, for programs."""
    message: str
    hint: str | None
    retry_after: float | None = None
    """Seconds after which the request may succeed; None if unknown."""


_KINDS: tuple[tuple[type[RecceMetaError], int, str], ...] = (
    (NotFound, 404, "not_found"),
    (NotAllowed, 403, "not_allowed"),
    (TooManyQueries, 503, "busy"),
    (WrongMethod, 405, "wrong_method"),
    (NoState, 503, "no_state"),
    (UploadRefused, 409, "other_project"),
    (OtherRepository, 409, "other_repository"),
    (NotARepository, 409, "not_a_repository"),
    (UploadTooLarge, 413, "too_large"),
    (UnknownEncoding, 415, "unknown_encoding"),
    (PermissionRefused, 403, "not_allowed"),
    (TooManyRequests, 429, "too_many_requests"),
    (ConnectionTestFailed, 422, "test_failed"),
    (RunNotFound, 404, "run_not_found"),
    # For ever: a failed run never gets the contents that the address names.
    (RunFailed, 404, "run_failed"),
    (SelectorError, 404, "not_found"),
    (UnknownNameError, 404, "not_found"),
    (UsageError, 400, "bad_request"),
    (QueryTimeout, 504, "timeout"),
    (StoreNotFound, 503, "store_not_found"),
    (DatabaseNotFound, 503, "store_not_found"),
    (StoreOutdated, 503, "store_outdated"),
    (StoreError, 503, "store_unreadable"),
    (StoreLocked, 503, "store_locked"),
    (StoreBusy, 503, "busy"),
    (RequestStopped, 503, "stopped"),
    (PermissionDenied, 503, "permission_denied"),
    (AuthenticationFailed, 503, "unreachable"),
    (ConnectionFailed, 503, "unreachable"),
    # Last: each error is one of its subclasses.
    (RecceMetaError, 503, "unavailable"),
)
"""Status and code by class of the error; the first that fits applies."""
_RETRIED = ("store_locked", "busy", "stopped", "unreachable")
"""Codes of failures that end by themselves."""


LATE = Problem(504, "timeout", "The store does not answer", "open its own page")


CHOOSE_PROJECT = "choose one with the parameter project"


def problem(error: BaseException) -> Problem:
    """Return status, code, message and hint for *error*; an unexpected one is logged, and not shown."""
    for kind, status, code in _KINDS:
        if isinstance(error, kind):
            # A wrong address is a mistake of the request; other failures of git are those of its server.
            if isinstance(error, GitFailure) and error.kind is GitFailureKind.ADDRESS:
                status, code = 400, "bad_request"
            hint = CHOOSE_PROJECT if isinstance(error, AmbiguousProject) else error.hint
            message = presentable(" ".join(error.message.split()))
            return Problem(status, code, message, hint, getattr(error, "retry_after", None))
    # The traceback repeats the message without redaction, so only debugging shows it.
    _LOG.error(
        "A page failed: %s: %s",
        type(error).__name__,
        presentable(str(error)),
        exc_info=error if _LOG.isEnabledFor(logging.DEBUG) else None,
    )
    return Problem(500, "internal", "The server could not make this page", "its log has the details")


def is_api(request: Request) -> bool:
    """Return True for a request to the API or for JSON, whose failures are JSON too."""
    path = str(request.scope["path"])
    return path.startswith(API) or path.endswith(".json")


def api_failure(error: Exception) -> Response:
    """Return the answer of the API to a request that failed: `{"error": {"code", "message", "hint"}}`."""
    found = problem(error)
    body = {"error": {"code": found.code, "message": found.message, "hint": found.hint}}
    return Response(
        harmless_json(msgspec.json.encode(body)),
        found.status,
        media_type="application/json",
        headers=failure_headers(found),
    )


def failure_headers(found: Problem) -> dict[str, str]:
    """Return the headers of the answer to a request that failed."""
    seconds = 2 if found.code in _RETRIED else found.retry_after
    retry = {} if seconds is None else {"Retry-After": f"{ceil(seconds)}"}
    return {"Cache-Control": "no-store", **retry}


class AnswerTooLarge(RecceMetaError):
    """The answer exceeds the limit of the server."""


class InvalidParameter(RecceMetaError):
    """A parameter that is unknown, or has an invalid value."""


class ErrorBody(Struct, frozen=True):
    """What failed, and what to do next."""

    code: str
    """Identifies the kind of failure: `not_found`, `bad_request`, …"""
    message: str
    """What failed, in one sentence."""
    hint: str | None
    """What to do next; null if unknown."""


class ErrorAnswer(Struct, frozen=True):
    """Answer of every request that failed."""

    error: ErrorBody


def failure(error: Exception) -> Response:
    """Return the answer for *error*; an unexpected error is logged and not shown."""
    if isinstance(error, AnswerTooLarge):
        return failed(413, "answer_too_large", error.message, error.hint)
    if isinstance(error, InvalidParameter):
        return failed(422, "invalid_parameter", error.message, error.hint)
    answer = api_failure(error)
    if isinstance(error, UploadTooLarge):  # the rest of the body is not read
        answer.headers["Connection"] = "close"
    return answer


def failed(
    status: int, code: str, message: str, hint: str | None, headers: Mapping[str, str] | None = None
) -> Response:
    """Return the answer of a failure."""
    body = harmless_json(msgspec.json.encode(ErrorAnswer(ErrorBody(code, message, hint))))
    return Response(
        body, status, media_type="application/json", headers={"Cache-Control": "no-store", **(headers or {})}
    )


def install(app: FastAPI) -> None:
    """Answer every failure of *app*, the API, in one form."""

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        # One at a time, without the given value: it may be a secret in the wrong parameter.
        first = error.errors()[0]
        # The first part is the place: query, path or body.
        name = ".".join(str(part) for part in first["loc"][1:])
        message = f"Invalid parameter {name}: {str(first['msg'])[:1].lower()}{str(first['msg'])[1:]}"
        return failed(422, "invalid_parameter", presentable(message), "/api/docs describes the parameters")

    async def unrouted(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        usual = ("bad_request", presentable(str(error.detail)), None)
        return failed(error.status_code, *UNROUTED.get(error.status_code, usual), error.headers)

    async def unexpected(request: Request, error: Exception) -> Response:
        return failure(error)

    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, unrouted)
    # Registered apart from Exception, which Starlette also logs and raises again.
    app.add_exception_handler(RecceMetaError, unexpected)
    app.add_exception_handler(Exception, unexpected)


UNROUTED: dict[int, tuple[str, str, str | None]] = {
    404: ("not_found", "The API has no such path", "/api/docs lists all paths"),
    405: ("wrong_method", "The path does not support this method", "the API only reads: use GET"),
}
"""Code, message and hint for requests that no route answers, by status."""
