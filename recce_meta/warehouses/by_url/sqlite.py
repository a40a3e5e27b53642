"""SQLite 3.39 and later, embedded: a file, or memory."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

from recce_meta.errors import (
    ConnectionFailed,
    MissingRelation,
    PermissionDenied,
    QueryCancelled,
    StoreLocked,
    SyntaxFailed,
    UsageError,
    WarehouseError,
)
from recce_meta.warehouses.base import ConnectionPlan, UrlParts
from recce_meta.warehouses.by_url.base import UrlDatabase

MEMORY = ":memory:"

# SQLite has few codes that tell, and Python hands them on from 3.11 on: its messages serve.
# https://www.sqlite.org/rescode.html
_MESSAGES: tuple[tuple[re.Pattern[str], type[WarehouseError]], ...] = (
    (re.compile(r"no such (?:table|column|function|view|module)"), MissingRelation),
    (re.compile(r"syntax error|incomplete input|unrecognized token"), SyntaxFailed),
    (re.compile(r"database is locked|database table is locked"), StoreLocked),
    (re.compile(r"readonly database|not authorized"), PermissionDenied),
    (re.compile(r"unable to open database file|not a database|malformed"), ConnectionFailed),
    (re.compile(r"\Ainterrupted\Z"), QueryCancelled),
)


class Database(UrlDatabase):
    """SQLite."""

    name = "sqlite"
    dialect = "sqlite"
    url_schemes: ClassVar[tuple[str, ...]] = ("sqlite",)
    version_sql = "SELECT sqlite_version()"
    is_in_process = True
    is_called_by_file = True
    error_classes: ClassVar[Mapping[str, type[WarehouseError]]] = {}

    def error_code(self, error: BaseException) -> str | None:
        """SQLite's own name of it, where Python tells it."""
        name = getattr(error, "sqlite_errorname", None)
        return name if isinstance(name, str) else None

    def error_class(self, code: str | None, message: str = "") -> type[WarehouseError]:
        """What the *message* means."""
        return next((kind for pattern, kind in _MESSAGES if pattern.search(message)), WarehouseError)

    def quote_table(self, schema: str, table: str, database: str | None = None) -> str:
        """A schema is an attached file here, `main` unless named otherwise, and nothing is above it."""
        if database is not None:
            raise UsageError(f"{self.name} has no databases above schemas: '{database}'")
        return super().quote_table(schema, table)

    def plan_url(self, url: UrlParts) -> ConnectionPlan:
        """How to connect, from `sqlite:///relative.db`, `sqlite:////absolute.db`, with `?mode=ro` too."""
        if url.scheme not in ("sqlite", "sqlite+pysqlite"):
            raise UsageError(f"{url.scheme}:// is not supported", hint="use sqlite:///FILE")
        if url.host or url.username or url.password:
            raise UsageError("A URL of SQLite names a file alone", hint="such as sqlite:///file.db")
        return ConnectionPlan(
            UrlParts("sqlite", database=url.database or MEMORY, query=url.query),
            database="main",
            schema="main",
            is_shareable=bool(url.database) and url.database != MEMORY,
            may_create=False,
        )
