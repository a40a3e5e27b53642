"""What Redshift's driver knows of SQL: names of types, what a statement reads, rows in batches. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from recce_meta.adapter.drivers.redshift_long import LONGEST, byte_length

MOST_BINDS = 32_767
"""How many parameters a statement may have: redshift_connector/core.py."""
MOST_BYTES = 8_000_000
"""What is sent in one statement, which may have 16 MB."""

# The names that Redshift's catalog has, by the numbers of redshift_connector/utils/oids.py.
_TYPES: Mapping[int, str] = {
    16: "boolean",
    18: "char",
    19: "name",
    20: "bigint",
    21: "smallint",
    23: "integer",
    25: "text",
    26: "oid",
    700: "real",
    701: "double precision",
    705: "unknown",
    1042: "character",
    1043: "character varying",
    1082: "date",
    1083: "time without time zone",
    1114: "timestamp without time zone",
    1184: "timestamp with time zone",
    1186: "interval",
    1188: "interval year to month",
    1190: "interval day to second",
    1266: "time with time zone",
    1700: "numeric",
    3000: "geometry",
    3001: "geography",
    4000: "super",
    6551: "binary varying",
}
_WITH_LENGTH = (1042, 1043)
_NUMERIC = 1700
_HEADER = 4
"""What PostgreSQL adds to the length of a type."""

_READS = re.compile(r"\b(?:FROM|JOIN|UPDATE|INTO)\s+(\"(?:[^\"]|\"\")+\"|\w+)\.", re.I)
_CATALOGS = ("information_schema", "pg_catalog")


def type_name(number: int, modifier: int) -> str:
    """The type with this *number* as Redshift's catalog writes it; with length, or precision and scale.

    >>> type_name(1043, 260), type_name(1700, (10 << 16 | 2) + 4), type_name(4000, -1)
    ('character varying(256)', 'numeric(10,2)', 'super')
    """
    name = _TYPES.get(number, f"type {number}")
    if modifier < _HEADER:
        return name
    size = modifier - _HEADER
    if number in _WITH_LENGTH:
        return f"{name}({size})"
    return f"{name}({size >> 16},{size & 0xFFFF})" if number == _NUMERIC else name


def schema_read(sql: str) -> str | None:
    """The schema, as SQL, of the first table that *sql* of ours names; None where it names none."""
    found = (match[1] for match in _READS.finditer(sql))
    return next((schema for schema in found if schema.lower() not in _CATALOGS), None)


def with_split_lines(sql: str, parameters: Mapping[str, object]) -> tuple[str, dict[str, object]]:
    """*sql* and *parameters* where no list of lines is longer than a parameter may be.

    Only what `SPLIT_TO_ARRAY(…, CHR(10))` reads is such a list; its pieces are read one by one and joined.
    """
    given = dict(parameters)
    for name, value in parameters.items():
        if not isinstance(value, str) or byte_length(value) <= LONGEST:
            continue
        pieces = list(_pieces(value))
        names = [name if number == 1 else f"{name}__{number}" for number in range(1, len(pieces) + 1)]
        given |= dict(zip(names, pieces, strict=True))
        sql = _split(sql, name, names)
    return sql, given


def _split(sql: str, name: str, names: Sequence[str]) -> str:
    """*sql* where each call that splits the parameter *name* splits *names* one by one, and joins those."""
    cast = r"(?P<after>(?: AS \w+(?:\(\d+\))?\))?, CHR\(10\)\))"
    call = re.compile(rf"SPLIT_TO_ARRAY\((?P<before>(?:CAST\()?):{re.escape(name)}\b{cast}")

    def joined(found: re.Match[str]) -> str:
        calls = [f"SPLIT_TO_ARRAY({found['before']}:{piece}{found['after']}" for piece in names]
        while len(calls) > 1:
            pairs = zip(calls[::2], calls[1::2], strict=False)
            calls = [f"ARRAY_CONCAT({left}, {right})" for left, right in pairs] + calls[len(calls) // 2 * 2 :]
        return calls[0]

    return call.sub(joined, sql)


def _pieces(lines: str) -> Iterator[str]:
    """*lines* in pieces of whole lines that each fit a parameter."""
    piece: list[str] = []
    size = 0
    for line in lines.split("\n"):
        length = byte_length(line) + 1
        if piece and size + length > LONGEST:
            yield "\n".join(piece)
            piece, size = [], 0
        piece.append(line)
        size += length
    yield "\n".join(piece)


@dataclass
class Row:
    """One row as it is sent."""

    expression: str
    parameters: list[object]
    long: Mapping[str, str]
    """Its texts that were cut, by hash."""
    name: str
    """What the row's first column holds: what is deleted with it is found by it."""


@dataclass
class Batch:
    """Rows that go in one statement."""

    expressions: list[str] = field(default_factory=list)
    parameters: list[object] = field(default_factory=list)
    long: list[tuple[str, str, str]] = field(default_factory=list)
    """Of each text that was cut: the row's name, the hash, the text."""
    size: int = 0


def batches_of(
    rows: Iterable[Sequence[object]], as_sent: Callable[[Sequence[object]], Row]
) -> Iterator[Batch]:
    """*rows* in batches that each fit one statement; one row at a time is looked at."""
    batch = Batch()
    for values in rows:
        row = as_sent(values)
        size = sum(byte_length(value) if isinstance(value, str) else 8 for value in row.parameters)
        size += len(row.expression)
        is_full = len(batch.parameters) + len(row.parameters) > MOST_BINDS or batch.size + size > MOST_BYTES
        if batch.expressions and is_full:
            yield batch
            batch = Batch()
        batch.expressions.append(row.expression)
        batch.parameters += row.parameters
        batch.long += [(row.name, digest, text) for digest, text in row.long.items()]
        batch.size += size
    if batch.expressions:
        yield batch
