"""Failures as JSON: `{"error": {"code", "message", "hint"}}` with the status of the failure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from msgspec import Struct
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from recce_meta.errors import RecceMetaError
from recce_meta.redaction import harmless_json, presentable
from recce_meta.server.problems import UploadTooLarge, api_failure


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
