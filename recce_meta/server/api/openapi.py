"""The OpenAPI document: routes as FastAPI describes them, with the published schemas of their answers."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Sequence
from functools import cached_property
from importlib.resources import files
from typing import Any

from fastapi import APIRouter
from fastapi.openapi.utils import get_openapi

from recce_meta._version import __version__

Schema = dict[str, Any]
COMPONENTS = "#/components/schemas/"
PREFIX = "/api"
"""Path at which the API is mounted."""

DESCRIPTION = """\
The contents of the stores, and the connections of repositories. Runs are named by selectors and nodes by
their unique ids. Both are query parameters, which accept any text.

- Lists have `items`, `next_cursor`, `total` and `truncated`. `next_cursor` is the `cursor` of the next page.
  Runs that are recorded meanwhile neither repeat nor hide items.
- Answers have an `ETag`. Send it as `If-None-Match`: status 304 means that the answer is still the same.
- Failures have the form `{"error": {"code", "message", "hint"}}`.
- A server with a token requires `Authorization: Bearer TOKEN`. Tokens of `recce-meta token add` have scopes.
- Answers of at least 1 kB are compressed with gzip on request, and have at most 16 MB before compression.
"""
_FAILED = {
    400: "The request is invalid: a foreign cursor, runs that cannot be compared, or an unknown host.",
    401: "The token is missing or wrong.",
    403: "The request comes from a page of another site, or the token has another scope.",
    404: "The store, run, node, measurement, connection or job does not exist, or the run failed.",
    409: "The upload is of another project than the runs of the connection.",
    413: "The request or the answer is too large.",
    414: "The address is too long.",
    415: "The upload is neither JSON nor JSON compressed with gzip.",
    422: "A parameter is missing, unknown, or has an invalid value; or the test of a new connection failed.",
    429: "Too many requests or wrong tokens: `Retry-After` has the seconds to wait.",
    500: "The server failed; its log has the details.",
    503: "The store cannot be read now, is missing, or has another version; or the server has no state.",
    504: "The answer takes too long.",
}
FAILURES: dict[int | str, dict[str, Any]] = {
    304: {"description": "The client has the current answer, as `If-None-Match` shows."},
    **{
        status: {
            "description": text,
            "content": {"application/json": {"schema": {"$ref": COMPONENTS + "error_answer"}}},
        }
        for status, text in _FAILED.items()
    },
}
"""Failures of every route, and status 304."""


def document_of(kind: str, status: int = 200) -> dict[int | str, dict[str, Any]]:
    """Return the answers of a route that returns a document with the schema *kind*."""
    return _found({"$ref": COMPONENTS + kind}, status)


def page_of_items(kind: str) -> dict[int | str, dict[str, Any]]:
    """Return the answers of a route that returns pages of items with the schema *kind*."""
    return _found(
        {
            "type": "object",
            "required": ["items", "next_cursor", "total", "truncated"],
            "properties": {
                "items": {"type": "array", "items": {"$ref": COMPONENTS + kind}},
                "next_cursor": {
                    "type": ["string", "null"],
                    "description": "`cursor` of the next page; null on the last page.",
                },
                "total": {"type": "integer", "description": "Number of items on all pages."},
                "truncated": {
                    "type": "boolean",
                    "description": "True if further items exist that no cursor reaches.",
                },
            },
        }
    )


def body_of(kind: str, *, is_required: bool = True) -> dict[str, Any]:
    """Return the part of a route's description for a body with the schema *kind*."""
    content = {"application/json": {"schema": {"$ref": COMPONENTS + kind}}}
    return {"requestBody": {"required": is_required, "content": content}}


def _found(schema: Schema, status: int = 200) -> dict[int | str, dict[str, Any]]:
    etag = {
        "description": "Digest of the answer's sources, for `If-None-Match`.",
        "schema": {"type": "string"},
    }
    return {
        status: {
            "description": "The answer.",
            "headers": {"ETag": etag},
            "content": {"application/json": {"schema": schema}},
        }
    }


def _words(path: str) -> str:
    """Return the words of *path*, which name its operation: `quality_history`, `connections_id_lineage`."""
    words = path.removeprefix("/stores/{store}/").removeprefix("/metadata/").strip("/")
    return re.sub(r"[^a-z]+", "_", words).strip("_")


def _leave_out(operation: Schema, method: str) -> None:
    """Remove statuses that no answer to *operation* can have."""
    answers = operation["responses"]
    for status in ("409", "415") if method == "get" else ("304",):
        answers.pop(status, None)


class ApiDescription:
    """The OpenAPI document of some routers, built on first use."""

    def __init__(self, routers: Sequence[APIRouter]) -> None:
        self._routers = routers

    @cached_property
    def document(self) -> Schema:
        """Return the document."""
        # Without the app: routes of the docs themselves are not part of the API.
        found = get_openapi(
            title="recce_meta",
            version=__version__,
            description=DESCRIPTION,
            routes=[route for router in self._routers for route in router.routes],
        )
        for path, methods in found["paths"].items():
            for method, operation in methods.items():
                operation["operationId"] = f"{method}_{_words(path)}"
                _leave_out(operation, method)
        found["paths"] = {PREFIX + path: methods for path, methods in found["paths"].items()}
        parts = found.setdefault("components", {})
        # Replaces FastAPI's schemas: answers are msgspec structs, which it does not know.
        parts["schemas"] = components()
        parts["securitySchemes"] = {
            "token": {
                "type": "http",
                "scheme": "bearer",
                "description": "Token of `RECCE_META_TOKEN` or `--token-file`, or of "
                "`recce-meta token add`; not needed on localhost.",
            }
        }
        # The empty one: a server on localhost needs no token.
        found["security"] = [{}, {"token": []}]
        return found

    @cached_property
    def body(self) -> bytes:
        """Return the document as JSON."""
        return json.dumps(self.document, ensure_ascii=True, separators=(",", ":")).encode()

    def parameters_of(self, method: str, path: str) -> list[str]:
        """Return the names of the query parameters of the route of *method* and *path*."""
        return self._parameters.get((method, PREFIX + path), [])

    @cached_property
    def _parameters(self) -> dict[tuple[str, str], list[str]]:
        return {
            (method.upper(), path): [
                one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"
            ]
            for path, methods in self.document["paths"].items()
            for method, operation in methods.items()
        }


def components() -> dict[str, Schema]:
    """Return the schemas of all answers by name, which scripts/build_schemas.py builds from their types.

    The wheel has their file compressed.
    """
    compressed, plain = (files("recce_meta.server.api") / f"schemas.json{end}" for end in (".gz", ""))
    text = gzip.decompress(compressed.read_bytes()) if compressed.is_file() else plain.read_bytes()
    found: dict[str, Schema] = json.loads(text)
    return found
