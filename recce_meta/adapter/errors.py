"""From a driver's error to one of ours: the class by its code, the text without secrets.

SQLAlchemy's own texts are passed over in favour of the driver's: they repeat the statement and its
parameters. A driver's error becomes the cause of ours unless its text holds a secret, which a traceback
would then print.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from recce_meta.adapter.needs import Right, need_of
from recce_meta.errors import (
    AuthenticationFailed,
    ConnectionFailed,
    ConnectionLost,
    MissingRelation,
    PermissionDenied,
    StoreLocked,
    WarehouseError,
)
from recce_meta.masking import redact
from recce_meta.warehouses import Warehouse
from recce_meta.warehouses.position import excerpt

_POINTS = re.compile(r"^ *\^", re.M)
"""A message that shows the place by itself: PostgreSQL's and DuckDB's do."""

_NOT_AT_FAULT = "BEGIN"
"""What goes wrong there comes from what was sent along with it, such as a role that does not exist."""

HINTS: dict[type[WarehouseError], str] = {
    AuthenticationFailed: "check user and password; recce-meta doctor shows what is used",
    ConnectionLost: "try again; a statement that changes data may have been carried out: look first",
    ConnectionFailed: "check host, port, path and database; recce-meta doctor shows what is used",
    MissingRelation: "check the name, its schema, and what the role may see",
    StoreLocked: "end the other program, or wait longer with --lock-timeout SECONDS",
}


READ_ONLY_HINT = "nothing can be written here, whatever the rights: use a target that takes changes"


def translated(
    error: BaseException,
    warehouse: Warehouse,
    *,
    sql: str | None,
    secrets: Iterable[str],
    is_lost: bool = False,
    database: str | None = None,
    role: str | None = None,
) -> WarehouseError:
    """The error of ours that says what *error*, of SQLAlchemy or of a driver, says about *sql*.

    *is_lost* tells that the connection has ended with it; *database* and *role*, where they are known, are
    named in the grant that a missing right needs.
    """
    original = getattr(error, "orig", None) or error
    secrets = tuple(secrets)
    raw = warehouse.error_message(original).strip()
    message = redact(raw, secrets)
    code = warehouse.error_code(original)
    kind = ConnectionLost if is_lost else warehouse.error_class(code, raw)
    is_clean = sql_is_clean(sql, secrets)
    place = warehouse.error_position(original, sql) if sql is not None and is_clean else None
    shown = excerpt(sql, *place) if sql is not None and place is not None else None
    if shown is not None and place is not None and not _POINTS.search(message):
        message += f"\nLINE {place[0]}, COLUMN {place[1]}:\n{shown}"
    result = kind(
        message or type(original).__name__,
        hint=_right(warehouse, code, sql, database, role) if kind is PermissionDenied else HINTS.get(kind),
        code=code,
        sql=None if sql in (None, _NOT_AT_FAULT) else redact(sql, secrets),
        line=place[0] if place and shown else None,
        column=place[1] if place and shown else None,
        excerpt=shown,
    )
    result.__cause__ = original if message.startswith(raw) and is_clean else None
    result.__suppress_context__ = True
    return result


def _right(
    warehouse: Warehouse, code: str | None, sql: str | None, database: str | None, role: str | None
) -> str:
    """What to do where *sql* is refused: the grant that is missing, in the warehouse's own words."""
    if code in warehouse.read_only_codes:
        return READ_ONLY_HINT
    need = need_of(sql, warehouse.dialect) if sql else None
    if need is None:
        return warehouse.refused_hint
    if need.right is Right.CREATE_SCHEMA:
        grant = warehouse.grant_to_create_schema(database, role)
    else:
        grants = {
            Right.CREATE_TABLE: warehouse.grant_to_create_table,
            Right.WRITE: warehouse.grant_to_write,
            Right.READ: warehouse.grant_to_read,
        }
        grant = grants[need.right](need.schema, role)
    return warehouse.refused_hint if grant is None else f"ask for this right: {grant}"


def sql_is_clean(sql: str | None, secrets: Iterable[str]) -> bool:
    """Whether *sql* may be shown as it is."""
    return sql is None or redact(sql, secrets) == sql
