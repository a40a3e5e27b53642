"""Conversion of DuckDB's values and errors to the format of BigQuery's REST interface."""

from __future__ import annotations

import base64
import re
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

from tests.emulators.bigquery.translate import Refused

Field = dict[str, Any]

_SIMPLE = {
    "BOOLEAN": "BOOLEAN", "VARCHAR": "STRING", "JSON": "JSON", "BLOB": "BYTES", "DATE": "DATE",
    "TIME": "TIME", "TIMESTAMP": "DATETIME", "TIMESTAMP WITH TIME ZONE": "TIMESTAMP",
    "DOUBLE": "FLOAT", "FLOAT": "FLOAT",
    "INTERVAL": "INTERVAL", "UUID": "STRING", '"NULL"': "INTEGER", "NULL": "INTEGER",
}  # fmt: skip

STATUS = {
    "accessDenied": 403, "notFound": 404, "duplicate": 409, "stopped": 499, "backendError": 503,
    "rateLimitExceeded": 403, "authError": 401,
}  # fmt: skip
"""HTTP status by reason; 400 for all other reasons."""


def field_of(name: str, kind: Any) -> Field:
    """Return a column in the format of the API, from DuckDB's type *kind*."""
    text = str(kind)
    if kind.id == "list":
        return {**field_of(name, dict(kind.children)["child"]), "mode": "REPEATED"}
    if kind.id == "struct":
        parts = [field_of(part, of) for part, of in kind.children]
        return {"name": name, "type": "RECORD", "mode": "NULLABLE", "fields": parts}
    return {"name": name, "type": _type(text), "mode": "NULLABLE"}


def _type(text: str) -> str:
    if found := re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", text):
        precision, scale = int(found[1]), int(found[2])
        return "NUMERIC" if scale <= 9 and precision - scale <= 29 else "BIGNUMERIC"
    return _SIMPLE.get(text, "INTEGER")


def cell(value: Any, field: Field) -> Any:
    """Return one value for the key `v`."""
    if field["mode"] == "REPEATED":
        one = {**field, "mode": "NULLABLE"}
        return [{"v": cell(item, one)} for item in value or []]
    if value is None:
        return None
    if field["type"] == "RECORD":
        parts = zip(field["fields"], value.values() if isinstance(value, dict) else value, strict=True)
        return {"f": [{"v": cell(part, of)} for of, part in parts]}
    return _text(value, field["type"])


def _text(value: Any, kind: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(bytes(value)).decode()
    if isinstance(value, datetime):
        if kind == "TIMESTAMP":
            since = value.astimezone(timezone.utc) - datetime(1970, 1, 1, tzinfo=timezone.utc)
            return str(since // timedelta(microseconds=1))
        return value.isoformat()
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return _interval(value)
    if isinstance(value, Decimal):
        text = format(value, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(value, float):
        return {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}.get(repr(value), repr(value))
    return str(value)


def _interval(value: timedelta) -> str:
    seconds, micros = divmod(abs(value.seconds * 1_000_000 + value.microseconds), 1_000_000)
    clock = f"{seconds // 3600}:{seconds % 3600 // 60}:{seconds % 60}"
    return f"0-0 {value.days} {clock}" + (f".{micros:06d}" if micros else "")


_ERRORS = (
    (
        re.compile(r'Referenced column "(.+?)" (?:was )?not found|column "(.+?)" does not exist'),
        "Unrecognized name: {}",
    ),
    (
        re.compile(r"(?:Scalar|Aggregate|Table)? ?Function with name \"?(\w+)\"? does not exist"),
        "Function not found: {}",
    ),
    (re.compile(r"Table with name (\S+) does not exist"), "Unrecognized name: {}"),
    (
        re.compile(r"Values list \"(\w+)\" does not have a column named \"(\w+)\""),
        "Name {1} not found inside {0}",
    ),
    (re.compile(r"Table \"(\w+)\" does not have a column named \"(\w+)\""), "Name {1} not found inside {0}"),
)


def refusal(error: Exception, sql: str) -> Refused:
    """Return BigQuery's error for DuckDB's *error* in the user's *sql*."""
    message = str(error)
    kind = type(error).__name__
    if kind == "InterruptException":
        return Refused("Job execution was cancelled: User requested cancellation", "stopped")
    if "onflict" in message and kind in ("TransactionException", "ConstraintException"):
        return Refused("Transaction is aborted due to concurrent update against table. Transaction ID: 1")
    if "already exists" in message:
        return Refused(f"Already Exists: {message.partition(': ')[2]}", "duplicate")
    if found := re.search(r"division by zero: \S+ / \S+", message):
        return Refused(found.group(0))
    for pattern, template in _ERRORS:
        if found := pattern.search(message):
            names = [group for group in found.groups() if group is not None]
            return Refused(f"{template.format(*names)} at {_position(sql, names[-1])}")
    if kind == "ConversionException":
        return Refused(f"Bad value: {message.partition(': ')[2].splitlines()[0]}")
    return Refused(message.splitlines()[0])


def _position(sql: str, name: str) -> str:
    at = max(0, sql.lower().find(name.lower()))
    line = sql.count("\n", 0, at) + 1
    return f"[{line}:{at - sql.rfind(chr(10), 0, at)}]"
