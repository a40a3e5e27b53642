"""Column types: parsed form of the type names of a warehouse."""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct
from sqlglot import exp
from sqlglot.errors import SqlglotError

if TYPE_CHECKING:
    Sql: TypeAlias = exp.Expr
else:
    Sql = exp.Expression  # its name in sqlglot before version 30
"""Any SQL expression."""


class Kind(str, Enum):
    """Families of types whose values are comparable."""

    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    BOOLEAN = "boolean"
    TEXT = "text"
    DATE = "date"
    TIMESTAMP = "timestamp"
    """Without a time zone."""
    TIMESTAMPTZ = "timestamptz"
    TIME = "time"
    INTERVAL = "interval"
    BINARY = "binary"
    UUID = "uuid"
    JSON = "json"
    ARRAY = "array"
    STRUCT = "struct"
    MAP = "map"
    OTHER = "other"
    """Any other type, compared by its text."""

    @property
    def is_number(self) -> bool:
        """Return True if differences and means are defined."""
        return self in (Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT)

    @property
    def is_point_in_time(self) -> bool:
        """Return True for dates and timestamps."""
        return self in (Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ)

    @property
    def is_nested(self) -> bool:
        """Return True if values contain other values."""
        return self in (Kind.ARRAY, Kind.STRUCT, Kind.MAP, Kind.JSON)


class ColumnType(Struct, frozen=True):
    """A type: its name in the warehouse and the parsed properties."""

    text: str
    kind: Kind
    precision: int | None = None
    """Number of digits of a decimal; bits of an integer or float."""
    scale: int | None = None
    """Digits after the point of a decimal; None if the type does not limit them."""
    length: int | None = None
    """Maximum characters of a text; None if unlimited."""
    elements: tuple[ColumnType, ...] = ()
    """Element types of an array, struct or map."""
    is_unsigned: bool = False


_INTEGERS = {
    "TINYINT": 8,
    "SMALLINT": 16,
    "INT": 32,
    "MEDIUMINT": 32,
    "BIGINT": 64,
    "INT128": 128,
    "INT256": 256,
    "BIGNUM": 1024,  # any number of bits: those of the largest double
}
_UNSIGNED = {"UTINYINT": 8, "USMALLINT": 16, "UINT": 32, "UMEDIUMINT": 32, "UBIGINT": 64, "UINT128": 128}
_KINDS = {
    **dict.fromkeys(("SERIAL", "BIGSERIAL", "SMALLSERIAL", "YEAR"), Kind.INTEGER),
    **dict.fromkeys(
        ("DECIMAL", "BIGDECIMAL", "DECIMAL32", "DECIMAL64", "DECIMAL128", "DECIMAL256"), Kind.DECIMAL
    ),
    **dict.fromkeys(("UDECIMAL", "DECFLOAT"), Kind.DECIMAL),
    "BOOLEAN": Kind.BOOLEAN,
    **dict.fromkeys(("CHAR", "NCHAR", "BPCHAR", "VARCHAR", "NVARCHAR", "TEXT", "LONGTEXT"), Kind.TEXT),
    **dict.fromkeys(("MEDIUMTEXT", "TINYTEXT", "FIXEDSTRING", "NAME", "ENUM", "ENUM8", "ENUM16"), Kind.TEXT),
    **dict.fromkeys(("DATE", "DATE32"), Kind.DATE),
    **dict.fromkeys(("TIMESTAMP", "TIMESTAMPNTZ", "DATETIME", "DATETIME2", "DATETIME64"), Kind.TIMESTAMP),
    **dict.fromkeys(("TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "SMALLDATETIME"), Kind.TIMESTAMP),
    **dict.fromkeys(("TIMESTAMPTZ", "TIMESTAMPLTZ"), Kind.TIMESTAMPTZ),
    **dict.fromkeys(("TIME", "TIMETZ", "TIME_NS"), Kind.TIME),
    "INTERVAL": Kind.INTERVAL,
    **dict.fromkeys(("BINARY", "VARBINARY", "BLOB", "LONGBLOB", "MEDIUMBLOB", "TINYBLOB"), Kind.BINARY),
    "UUID": Kind.UUID,
    **dict.fromkeys(("JSON", "JSONB", "VARIANT", "SUPER", "OBJECT"), Kind.JSON),
    **dict.fromkeys(("ARRAY", "LIST"), Kind.ARRAY),
    **dict.fromkeys(("STRUCT", "NESTED"), Kind.STRUCT),
    "MAP": Kind.MAP,
}


@lru_cache(maxsize=4096)
def column_type(text: str, dialect: str) -> ColumnType:
    """Parse *text*, a type name in sqlglot's *dialect*; return the kind OTHER if it is unknown.

    >>> column_type("DECIMAL(10,2)", "duckdb").scale
    2
    """
    try:
        # Without udt, sqlglot rejects the names of a database's own types.
        parsed = exp.DataType.build(text, dialect=dialect, udt=True)
    except (SqlglotError, ValueError):
        return ColumnType(text, Kind.OTHER)
    return _meaning(parsed, text, dialect)


def _meaning(parsed: Sql, text: str, dialect: str) -> ColumnType:
    name = getattr(parsed.this, "name", "") if isinstance(parsed, exp.DataType) else ""
    if name in _INTEGERS or name in _UNSIGNED:
        bits = _INTEGERS.get(name) or _UNSIGNED[name]
        return ColumnType(text, Kind.INTEGER, precision=bits, is_unsigned=name in _UNSIGNED)
    if name in ("FLOAT", "DOUBLE", "UDOUBLE"):
        return ColumnType(text, Kind.FLOAT, precision=32 if name == "FLOAT" else 64)
    kind = _KINDS.get(name, Kind.OTHER)
    if kind is Kind.DECIMAL:
        precision, scale = _numbers(parsed)
        # SQL defines DECIMAL(10) as DECIMAL(10, 0).
        if precision is not None and scale is None:
            scale = 0
        return ColumnType(text, Kind.INTEGER if scale == 0 else kind, precision=precision, scale=scale)
    if kind is Kind.TEXT:
        # The parameters of an ENUM are its values, not a length.
        return ColumnType(text, kind, length=None if "ENUM" in name else _numbers(parsed)[0])
    if kind in (Kind.ARRAY, Kind.STRUCT, Kind.MAP):
        inner = (
            child.args.get("kind") if isinstance(child, exp.ColumnDef) else child
            for child in parsed.expressions
        )
        elements = tuple(_meaning(child, child.sql(dialect), dialect) for child in inner if child is not None)
        return ColumnType(text, kind, elements=elements)
    return ColumnType(text, kind)


def _numbers(parsed: Sql) -> tuple[int | None, int | None]:
    """Return the parameters of a type: precision and scale, or a length."""
    found = [int(child.name) for child in parsed.expressions if child.name.lstrip("-").isdigit()]
    return (found[0] if found else None), (found[1] if len(found) > 1 else None)
