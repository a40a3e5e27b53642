"""From a driver's error to one of ours: the class by its code, the text without secrets.

SQLAlchemy's own texts are passed over in favour of the driver's: they repeat the statement and its
parameters. A driver's error becomes the cause of ours unless its text holds a secret, which a traceback
would then print.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

from recce_meta.errors import (
    AuthenticationFailed,
    ConnectionFailed,
    MissingRelation,
    PermissionDenied,
    StoreLocked,
    WarehouseError,
)
from recce_meta.warehouses import Warehouse
from recce_meta.warehouses.fields import MASK

SHORTEST_SECRET = 3
"""Shorter ones protect nothing, and to mask them would make any message unreadable."""

_IN_URL = re.compile(r"((?:://|\A(?![^\s:]*://))[^/\s:@]*:)[^\s'\"]*(?=@)")
"""What stands before the last @ of a URL: a password may hold a slash or an @ that nobody has escaped."""

_ASSIGNED = re.compile(
    r"(?i)\b((?:\w*(?:password|passwd|pwd|secret|token|passphrase))\s*=\s*)"
    r"(?:'(?:[^'\\]|\\.)*'|\"[^\"]*\"|[^\s&;,)]+)"
)

HINTS: dict[type[WarehouseError], str] = {
    AuthenticationFailed: "check user and password; recce-meta doctor shows what is used",
    ConnectionFailed: "check host, port, path and database; recce-meta doctor shows what is used",
    MissingRelation: "check the name, its schema, and what the role may see",
    PermissionDenied: "grant the role this right, or use another target",
    StoreLocked: "end the other program, or wait longer with --lock-timeout SECONDS",
}


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """*text* without passwords: those given, and any in a URL or after `password=` and its like."""
    for secret in sorted(set(secrets), key=len, reverse=True):
        if len(secret) >= SHORTEST_SECRET:
            for spelling in {secret, quote(secret, safe=""), quote_plus(secret), secret.replace("'", "''")}:
                text = text.replace(spelling, MASK)
    return _IN_URL.sub(rf"\g<1>{MASK}", _ASSIGNED.sub(rf"\g<1>{MASK}", text))


def translated(
    error: BaseException, warehouse: Warehouse, *, sql: str | None, secrets: Iterable[str]
) -> WarehouseError:
    """The error of ours that says what *error*, of SQLAlchemy or of a driver, says."""
    original = getattr(error, "orig", None) or error
    secrets = tuple(secrets)
    raw = str(original).strip()
    message = redact(raw, secrets)
    code = warehouse.error_code(original)
    kind = warehouse.error_class(code, raw)
    result = kind(
        message or type(original).__name__,
        hint=HINTS.get(kind),
        code=code,
        sql=None if sql is None else redact(sql, secrets),
    )
    result.__cause__ = original if message == raw and sql_is_clean(sql, secrets) else None
    result.__suppress_context__ = True
    return result


def sql_is_clean(sql: str | None, secrets: Iterable[str]) -> bool:
    """Whether *sql* may be shown as it is."""
    return sql is None or redact(sql, secrets) == sql
