"""From a driver's error to one of ours: the class by its code, the text without secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable

from recce_meta.errors import StoreLocked, WarehouseError
from recce_meta.warehouses import Warehouse

MASK = "***"


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """*text* without passwords: those given, and any that stands in a URL or after `password=`."""
    for secret in sorted(set(secrets), key=len, reverse=True):
        if len(secret) > 2:
            text = text.replace(secret, MASK)
    text = re.sub(r"(://[^/\s:@]*:)[^@\s]+(?=@)", rf"\g<1>{MASK}", text)
    return re.sub(
        r"(?i)\b(password|passwd|pwd|token|secret)(\s*=\s*)('[^']*'|\"[^\"]*\"|[^\s&;,]+)",
        rf"\1\2{MASK}",
        text,
    )


def translate(
    error: BaseException, warehouse: Warehouse, *, sql: str | None = None, secrets: Iterable[str] = ()
) -> WarehouseError:
    """The error of ours that says what *error*, of SQLAlchemy or of a driver, says."""
    original = getattr(error, "orig", None) or error
    code = warehouse.error_code(original)
    message = redact(str(original).strip(), secrets)
    if "Could not set lock on file" in message:
        return StoreLocked(message, code=code, sql=sql)
    return warehouse.error_class(code)(message, code=code, sql=sql)
