"""Storage of strings longer than 65,535 bytes, Redshift's limit for VARCHAR, and its batches of rows.

All functions are pure. A longer string is cut, and ends with a marker that contains the hash of the full
string. The table `store_long_texts`, in the same schema, stores the full string by its hash. JSON may be
longer as a whole, as SUPER, but is sent in pieces, and the strings in it are cut the same way.

https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html
https://docs.aws.amazon.com/redshift/latest/dg/limitations-super.html
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

LONGEST = 65_535
"""Most bytes of UTF-8 in a VARCHAR, in a parameter, and in a string within SUPER."""
TABLE = "store_long_texts"

_MARK = "⟦… {}⟧"
_MARK_BYTES = len(_MARK.format("0" * 64).encode())
_AT_THE_END = re.compile(r"⟦… ([0-9a-f]{64})⟧\Z")
_IN_JSON = re.compile(r"⟦… ([0-9a-f]{64})⟧(?=\")|\\u27e6\\u2026 ([0-9a-f]{64})\\u27e7(?=\")")


def byte_length(text: str) -> int:
    """Return the length of *text* in bytes of UTF-8."""
    return len(text) if text.isascii() else len(text.encode())


@dataclass
class LongTexts:
    """Full strings that were cut, by hash."""

    whole: dict[str, str] = field(default_factory=dict)

    def cut(self, text: str) -> str:
        """Return *text*, cut to fit into a column if it is too long; store the full string in `whole`."""
        # A text that looks like a cut one is stored whole as well, or `restore` would misread it.
        if byte_length(text) <= LONGEST and not (text.endswith("⟧") and _AT_THE_END.search(text)):
            return text
        encoded = text.encode()
        digest = hashlib.sha256(encoded).hexdigest()
        self.whole[digest] = text
        # The cut may be inside a character.
        head = encoded[: LONGEST - _MARK_BYTES].decode(errors="ignore")
        return head + _MARK.format(digest)


def parts(text: str) -> Iterator[str]:
    """Yield *text* in pieces that each fit into a column."""
    encoded = text.encode()
    start = 0
    while start < len(encoded):
        end = min(start + LONGEST, len(encoded))
        while end < len(encoded) and encoded[end] & 0xC0 == 0x80:  # inside a character
            end -= 1
        yield encoded[start:end].decode()
        start = end


def restore(text: str, whole_of: Callable[[str], str | None]) -> str:
    """Return the full string for a column's *text*; *whole_of* looks it up by hash."""
    found = _AT_THE_END.search(text) if text.endswith("⟧") else None
    whole = whole_of(found[1]) if found else None
    return text if whole is None else whole


def restore_json(text: str, whole_of: Callable[[str], str | None]) -> str:
    """Return JSON *text* with the full strings in it."""
    if not _IN_JSON.search(text):
        return text
    return json.dumps(_restored_tree(json.loads(text), whole_of), ensure_ascii=False, separators=(",", ":"))


def _restored_tree(tree: Any, whole_of: Callable[[str], str | None]) -> Any:
    if isinstance(tree, str):
        return restore(tree, whole_of)
    if isinstance(tree, list):
        return [_restored_tree(item, whole_of) for item in tree]
    if isinstance(tree, dict):
        return {restore(key, whole_of): _restored_tree(value, whole_of) for key, value in tree.items()}
    return tree


def super_expression(text: str, long: LongTexts) -> tuple[str, list[str]]:
    """Return SQL that builds a SUPER from the JSON *text*, with `?` for parameters, and the parameters.

    >>> super_expression('{"a": 1}', LongTexts())
    ('JSON_PARSE(?)', ['{"a": 1}'])
    """
    if byte_length(text) <= LONGEST and not _IN_JSON.search(text):
        return "JSON_PARSE(?)", [text]
    return _fitting(_cut_tree(json.loads(text), long))


def _fitting(tree: Any) -> tuple[str, list[str]]:
    """Return the expression of a tree whose strings all fit."""
    whole = _text_of(tree)
    if byte_length(whole) <= LONGEST:
        return "JSON_PARSE(?)", [whole]
    if isinstance(tree, str):  # too long only with quotes and escapes
        return "CAST(? AS VARCHAR)", [tree]
    return _array(tree) if isinstance(tree, list) else _object(tree)


def _array(items: Sequence[Any]) -> tuple[str, list[str]]:
    """Group neighbours that fit together into arrays, and concatenate these pairwise to limit nesting."""
    pieces: list[tuple[str, list[str]]] = []
    group: list[str] = []
    size = 2
    for item in items:
        text = _text_of(item)
        length = byte_length(text) + 1
        if length + 2 > LONGEST or size + length > LONGEST:
            if group:
                pieces.append(("JSON_PARSE(?)", [f"[{','.join(group)}]"]))
            group, size = [], 2
        if length + 2 > LONGEST:
            expression, parameters = _fitting(item)
            pieces.append((f"ARRAY({expression})", parameters))
        else:
            group.append(text)
            size += length
    if group:
        pieces.append(("JSON_PARSE(?)", [f"[{','.join(group)}]"]))
    while len(pieces) > 1:
        pairs = zip(pieces[::2], pieces[1::2], strict=False)
        joined = [(f"ARRAY_CONCAT({left[0]}, {right[0]})", left[1] + right[1]) for left, right in pairs]
        pieces = joined + (pieces[-1:] if len(pieces) % 2 else [])
    return pieces[0]


def _object(members: Mapping[str, Any]) -> tuple[str, list[str]]:
    expressions: list[str] = []
    parameters: list[str] = []
    for key, value in members.items():
        expression, own = _fitting(value)
        expressions.append(f"CAST(? AS VARCHAR), {expression}")
        parameters += [key, *own]
    return f"OBJECT({', '.join(expressions)})", parameters


def _cut_tree(tree: Any, long: LongTexts) -> Any:
    if isinstance(tree, str):
        return long.cut(tree)
    if isinstance(tree, list):
        return [_cut_tree(item, long) for item in tree]
    if isinstance(tree, dict):
        return {long.cut(key): _cut_tree(value, long) for key, value in tree.items()}
    return tree


def _text_of(tree: Any) -> str:
    return json.dumps(tree, ensure_ascii=False, separators=(",", ":"))


MOST_BINDS = 32_767
"""Most parameters of a statement: redshift_connector/core.py."""
MOST_BYTES = 8_000_000
"""Bytes to send in one statement; the limit is 16 MB."""

# The names in Redshift's catalog, by the OIDs of redshift_connector/utils/oids.py.
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
"""Offset that PostgreSQL adds to the length of a type."""

_READS = re.compile(r"\b(?:FROM|JOIN|UPDATE|INTO)\s+(\"(?:[^\"]|\"\")+\"|\w+)\.", re.I)
_CATALOGS = ("information_schema", "pg_catalog")


def type_name(number: int, modifier: int) -> str:
    """Return the name of the type with this OID in Redshift's catalog, with length, or precision and scale.

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
    """Return the schema, as SQL, of the first table in our own *sql*; None if there is no such table."""
    found = (match[1] for match in _READS.finditer(sql))
    return next((schema for schema in found if schema.lower() not in _CATALOGS), None)


def with_split_lines(sql: str, parameters: Mapping[str, object]) -> tuple[str, dict[str, object]]:
    """Return *sql* and *parameters* with each list of lines that is too long split into several parameters.

    Only an argument of `SPLIT_TO_ARRAY(…, CHR(10))` is such a list; its pieces are concatenated.
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
    """Replace each call that splits the parameter *name* by concatenated calls that split *names*."""
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
    """Yield *lines* in pieces of whole lines that each fit into a parameter."""
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
    """One row to insert."""

    expression: str
    parameters: list[object]
    long: Mapping[str, str]
    """Full strings that were cut, by hash."""
    name: str
    """Value of the row's first column, by which its long strings are deleted with it."""


@dataclass
class Batch:
    """Rows of one statement."""

    expressions: list[str] = field(default_factory=list)
    parameters: list[object] = field(default_factory=list)
    long: list[tuple[str, str, str]] = field(default_factory=list)
    """Row name, hash and full string of each string that was cut."""
    size: int = 0


def batches_of(
    rows: Iterable[Sequence[object]], as_sent: Callable[[Sequence[object]], Row]
) -> Iterator[Batch]:
    """Yield *rows* in batches that each fit into one statement, reading one row at a time."""
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
