"""SQLite 3.39 and later, embedded: a file or memory.

The schema of a file is `main`. A store in the file is there, among the user's own relations.
"""

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
    TransientFailure,
    UsageError,
    WarehouseError,
)
from recce_meta.warehouses.base import ConnectionPlan, OneMoment, StoreRights, UrlDatabase, UrlParts

MEMORY = ":memory:"
_LOCKED = "database is locked"

# SQLite has few distinct codes, which Python only exposes from 3.11 on, so messages are matched.
# https://www.sqlite.org/rescode.html
_MESSAGES: tuple[tuple[re.Pattern[str], type[WarehouseError]], ...] = (
    (re.compile(r"no such (?:table|column|function|view|module)"), MissingRelation),
    (re.compile(r"syntax error|incomplete input|unrecognized token"), SyntaxFailed),
    # Another process writes: the transaction can be repeated. A locked table has an open cursor of this one.
    (re.compile(_LOCKED), TransientFailure),
    (re.compile(r"database table is locked"), StoreLocked),
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
    has_store = True
    shared_schema = "main"
    stores_changes = True
    has_read_only_transactions = True
    # Functions of extensions that may be loaded, and of SQLite itself, that read or write files.
    changing_functions: ClassVar[tuple[str, ...]] = ("edit", "load_extension", "writefile")
    host_functions: ClassVar[tuple[str, ...]] = (
        *("dbstat", "fsdir", "pragma_*", "readfile", "sqlite_dbpage", "zipfile"),
    )
    guarding_statements: ClassVar[tuple[str, ...]] = ("PRAGMA query_only = ON",)
    refused_hint = "make the file and its folder writable, or use another file"
    error_classes: ClassVar[Mapping[str, type[WarehouseError]]] = {}

    def error_code(self, error: BaseException) -> str | None:
        """Return SQLite's name of the error if Python provides it."""
        name = getattr(error, "sqlite_errorname", None)
        return name if isinstance(name, str) else None

    def error_message(self, error: BaseException) -> str:
        """Return the message; name the cause of a lock."""
        message = str(error)
        return f"{message}: another process writes to the file" if message == _LOCKED else message

    def error_class(self, code: str | None, message: str = "") -> type[WarehouseError]:
        """Return the class for the *message*."""
        return next((kind for pattern, kind in _MESSAGES if pattern.search(message)), WarehouseError)

    def one_moment(self, plan: ConnectionPlan) -> OneMoment:
        """A transaction of the only connection; the mode of the file decides whether it is possible."""
        return OneMoment.ONE_TRANSACTION if plan.is_shareable else OneMoment.ALWAYS

    def reading_statements(self, quoted_schema: str) -> tuple[str, ...]:
        """Return the statement after which the connection refuses to write; there is only one schema."""
        return ("PRAGMA query_only = ON",)

    def store_grants(self, rights: StoreRights) -> tuple[str, ...]:
        """Return a comment: SQLite has no users."""
        return (
            "-- SQLite has no users and no privileges: the permissions of the file decide.",
            "-- A reader needs to read the file, a recorder to write the file and its folder.",
        )

    def quote_table(self, schema: str, table: str, database: str | None = None) -> str:
        """Return the name of a table.

        A schema is an attached file, by default `main`; *database* must be None.
        """
        if database is not None:
            raise UsageError(f"{self.name} has no databases above schemas: '{database}'")
        return super().quote_table(schema, table)

    def plan_url(self, url: UrlParts) -> ConnectionPlan:
        """Return the connection plan for `sqlite:///relative.db` or `sqlite:////absolute.db`, also with
        `?mode=ro`.
        """
        if url.scheme not in ("sqlite", "sqlite+pysqlite"):
            raise UsageError(f"{url.scheme}:// is not supported", hint="use sqlite:///FILE")
        if url.host or url.username or url.password:
            raise UsageError("A SQLite URL must only name a file", hint="use sqlite:///file.db")
        return ConnectionPlan(
            UrlParts("sqlite", database=url.database or MEMORY, query=url.query),
            database="main",
            schema="main",
            is_shareable=bool(url.database) and url.database != MEMORY,
        )
