"""Translation of driver errors to our classes: the class by error code, the message without secrets.

The driver's message is used, because SQLAlchemy's repeats the statement and its parameters. The driver's
error becomes the `__cause__`, unless its text holds a secret: a traceback would print it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from shlex import quote

from recce_meta.adapter.statements import Right, need_of
from recce_meta.errors import (
    AuthenticationFailed,
    ConnectionFailed,
    ConnectionLost,
    MissingRelation,
    PermissionDenied,
    StoreLocked,
    WarehouseError,
)
from recce_meta.redaction import redact
from recce_meta.warehouses import Warehouse
from recce_meta.warehouses.error_position import excerpt

_POINTS = re.compile(r"^ *\^", re.M)
"""Matches a message that already marks the position, as PostgreSQL's and DuckDB's do."""

_NOT_AT_FAULT = "BEGIN"
"""Not shown as the failed statement: the error comes from settings sent with it, such as an unknown role."""

HINTS: dict[type[WarehouseError], str] = {
    AuthenticationFailed: "check user and password; recce-meta doctor shows the settings in use",
    ConnectionLost: "try again; first check whether a statement that changes data was already executed",
    ConnectionFailed: "check host, port, path and database; recce-meta doctor shows the settings in use",
    MissingRelation: "check the name, its schema, and the privileges of the role",
    StoreLocked: "end the other program, or wait longer with --lock-timeout SECONDS",
}

_OTHER_NAMES = {
    re.compile(
        r"\b(?:function|operator)\b", re.IGNORECASE
    ): "check the function, and the types of its arguments",
    re.compile(
        r"\bcolumn\b", re.IGNORECASE
    ): "check the spelling of the column, and the columns of the relation",
}
"""Hints by words of a message on a name that is not that of a relation."""

READ_ONLY_HINT = "use a writable target: this database is read-only for every role"


def translate_error(
    error: BaseException,
    warehouse: Warehouse,
    *,
    sql: str | None,
    secrets: Iterable[str],
    is_lost: bool = False,
    database: str | None = None,
    role: str | None = None,
) -> WarehouseError:
    """Return our error for *error*, raised by SQLAlchemy or a driver while running *sql*.

    *is_lost* is True if the connection ended with it. *database* and *role* complete the GRANT in the hint
    for a missing privilege.
    """
    original = getattr(error, "orig", None) or error
    secrets = tuple(secrets)
    raw = warehouse.error_message(original).strip()
    message = redact(raw, secrets)
    code = warehouse.error_code(original)
    kind = ConnectionLost if is_lost else warehouse.error_class(code, raw)
    # A redacted statement has other positions, and an excerpt could show part of a secret.
    is_clean = sql_is_clean(sql, secrets)
    place = warehouse.error_position(original, sql) if sql is not None and is_clean else None
    shown = excerpt(sql, *place) if sql is not None and place is not None else None
    if shown is not None and place is not None and not _POINTS.search(message):
        message += f"\nLINE {place[0]}, COLUMN {place[1]}:\n{shown}"
    result = kind(
        message or type(original).__name__,
        hint=_right(warehouse, code, sql, raw, database, role)
        if kind is PermissionDenied
        else (kind is MissingRelation and _name_hint(raw))
        or HINTS.get(kind)
        or warehouse.error_hint(code, raw),
        code=code,
        sql=None if sql in (None, _NOT_AT_FAULT) else redact(sql, secrets),
        line=place[0] if place and shown else None,
        column=place[1] if place and shown else None,
        excerpt=shown,
    )
    result.__cause__ = original if message.startswith(raw) and is_clean else None
    result.__suppress_context__ = True
    return result


def _name_hint(message: str) -> str | None:
    return next((hint for words, hint in _OTHER_NAMES.items() if words.search(message)), None)


def _right(
    warehouse: Warehouse,
    code: str | None,
    sql: str | None,
    message: str,
    database: str | None,
    role: str | None,
) -> str:
    """Return the hint for a refused *sql*: the missing GRANT in the warehouse's SQL."""
    if code in warehouse.read_only_codes:
        return READ_ONLY_HINT
    need = need_of(sql, warehouse.dialect, message) if sql else None
    if need is None:
        return warehouse.refused_hint
    if need.right is Right.WRITE:  # only the store is ever written
        return recorder_hint(warehouse, role)
    if need.right is Right.CREATE_SCHEMA:
        grant = warehouse.grant_to_create_schema(database, role)
    else:
        grants = {
            Right.CREATE_TABLE: warehouse.grant_to_create_table,
            Right.READ: warehouse.grant_to_read,
        }
        grant = grants[need.right](need.schema, role)
    return grant_hint(warehouse, grant)


def grant_hint(warehouse: Warehouse, grant: str | None) -> str:
    """Return the hint for a missing privilege that *grant*, a statement, gives; None if none is known."""
    return warehouse.refused_hint if grant is None else f"ask an administrator to run: {grant}"


def recorder_hint(warehouse: Warehouse, role: str | None) -> str:
    """Return the hint for a *role* that lacks a right to record: the command that prints all of them."""
    if warehouse.grant_to_read(None, role) is None:
        return warehouse.refused_hint
    to = quote(role or "ROLE")
    return f"recce-meta sql grants --role recorder --to {to} prints the rights; the store's owner runs them"


def sql_is_clean(sql: str | None, secrets: Iterable[str]) -> bool:
    """Return True if *sql* contains no secret."""
    return sql is None or redact(sql, secrets) == sql
