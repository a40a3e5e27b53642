"""Types of output columns, to find those that a table with a fixed type may refuse.

Only types that the SQL or the catalog shows are compared: casts, literals, conditions, text functions, and
columns of relations with known types. Numbers of different types convert, unless a cast asks for one.
"""

from __future__ import annotations

from functools import lru_cache

from msgspec.structs import replace
from sqlglot import exp
from sqlglot.errors import SqlglotError

from recce_meta.models.change import SqlChange, Status
from recce_meta.sql_diff.expressions import CONDITIONS
from recce_meta.sql_lineage.expressions import unwrapped
from recce_meta.sql_lineage.query import Output, Query, SourceColumn, Table
from recce_meta.sql_lineage.structs import field_paths
from recce_meta.warehouses.types import Sql

NUMBER, TEXT, BOOLEAN = "a number", "TEXT", "BOOLEAN"
_TEXTS = (exp.DPipe, exp.Concat, exp.Upper, exp.Lower, exp.Trim, exp.Substring, exp.Initcap, exp.MD5)
_NUMBERS = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Neg, exp.Abs, exp.Round, exp.Count, exp.Length)
_SAME = (exp.Paren, exp.Alias, exp.Max, exp.Min, exp.Coalesce, exp.Nullif)
_NUMERIC = frozenset(
    """TINYINT SMALLINT INT BIGINT INT128 INT256 UTINYINT USMALLINT UINT UBIGINT UINT128 DECIMAL BIGDECIMAL
    FLOAT DOUBLE""".split()
)
_FAMILIES = frozenset({TEXT, BOOLEAN, "DATE"})
MOST_STEPS = 50
SMALL = 10
"""Digits of a whole number that may be larger than the usual type of such literals."""


def with_types(change: SqlChange, old: Query, new: Query, dialect: str) -> SqlChange:
    """Return *change* with the modified columns whose type may be another one."""
    modified = [column.name for column in change.columns if column.status is Status.MODIFIED]
    if not modified:
        return change
    before, after = ({output.name.lower(): output for output in query.outputs} for query in (old, new))
    common = [name for name in modified if name.lower() in before and name.lower() in after]
    fields = {name: field_paths(before[name.lower()]) - field_paths(after[name.lower()]) for name in common}
    lost = (f"{name}{path}" for name in common for path in sorted(fields[name]))
    retyped = tuple(
        name
        for name in common
        if fields[name] or _may_differ(before[name.lower()], after[name.lower()], dialect)
    )
    return replace(change, retyped=retyped, lost_fields=tuple(lost))


def _may_differ(old: Output, new: Output, dialect: str) -> bool:
    before, after = _type_of_output(old, dialect), _type_of_output(new, dialect)
    if before is None or after is None:
        # A cast states a type that an unknown expression need not have.
        cast = _cast_of(old) or _cast_of(new)
        return before != after and cast
    numbers = {before, after} <= _NUMERIC | {NUMBER}
    return before != after and not (numbers and NUMBER in (before, after))


def has_other_family(output: Output, declared: str, dialect: str) -> bool:
    """Return True if the SQL of *output* certainly gives, for instance, a number, and *declared* is text."""
    node = _defining(output).node
    # The other operand may decide the type: a date minus one is a date.
    if node is None or (
        not isinstance(node, exp.Cast) and node.find(exp.Add, exp.Sub, exp.Coalesce, exp.Nullif)
    ):
        return False
    families = [_family(kind) for kind in (_type_of(node, dialect), _named(declared, dialect))]
    return None not in families and families[0] != families[1]


def may_leave_type(old: Output, new: Output, declared: str, dialect: str) -> bool:
    """Return True if *new* may have another type than *declared*, the type of *old*.

    It has this type if its SQL shows it, or differs from that of *old* in texts and small whole numbers only.
    """
    kind = _type_of_output(new, dialect)
    if kind != NUMBER and kind is not None:
        return kind not in (_named(declared, dialect), _type_of_output(old, dialect))
    return _without_values(_defining(old).node) != _without_values(_defining(new).node)


def _without_values(node: Sql | None) -> Sql | None:
    """Return *node* with equal values for all texts, and for all whole numbers that no warehouse widens."""

    def alike(one: Sql) -> Sql:
        if isinstance(one, exp.Literal) and (one.is_string or (one.is_int and len(one.this) < SMALL)):
            return exp.Literal(this="0", is_string=one.is_string)
        return one

    return None if node is None else unwrapped(node).transform(alike)


def _family(kind: str | None) -> str | None:
    if kind in _NUMERIC | {NUMBER}:
        return NUMBER
    return (
        kind if kind in _FAMILIES or kind is None else "TIMESTAMP" if kind.startswith("TIMESTAMP") else None
    )


def _cast_of(output: Output) -> bool:
    node = _defining(output).node
    while isinstance(node, (exp.Paren, exp.Alias)):
        node = node.this
    return isinstance(node, exp.Cast)


def _defining(output: Output) -> Output:
    """Return the output that *output* passes on unchanged, in the innermost query."""
    *_, found = output.passed_on()
    return found


def _type_of_output(output: Output, dialect: str) -> str | None:
    found = _defining(output)
    plain = found.reads.plain
    if isinstance(plain, SourceColumn) and isinstance(plain.source.relation, Table):
        kind = plain.source.relation.types.get(plain.name)
        return _named(kind, dialect) if isinstance(kind, str) and kind else None
    return _type_of(found.node, dialect) if found.node is not None else None


def _type_of(node: Sql, dialect: str) -> str | None:
    """Return the type that *node* certainly has, by its own text."""
    for _ in range(MOST_STEPS):
        if not isinstance(node, _SAME) or not isinstance(node.this, exp.Expression):
            break
        node = node.this
    if isinstance(node, exp.Cast):
        return _normal(node.to)
    if isinstance(node, exp.Literal):
        return TEXT if node.is_string else NUMBER
    if isinstance(node, (exp.Boolean, *CONDITIONS)):
        return BOOLEAN
    if isinstance(node, _TEXTS):
        return TEXT
    if isinstance(node, _NUMBERS):
        # Dates and intervals have a sum and a difference, too.
        sides = [
            side for side in (node.this, node.args.get("expression")) if isinstance(side, exp.Expression)
        ]
        is_sum = isinstance(node, (exp.Add, exp.Sub))
        return NUMBER if not is_sum or any(_type_of(one, dialect) in _NUMERIC for one in sides) else None
    return None


def _named(kind: str, dialect: str) -> str | None:
    found = data_type(kind, dialect)
    return _normal(found) if found is not None else None


@lru_cache(1024)
def data_type(kind: str, dialect: str) -> exp.DataType | None:
    """Return the parsed type *kind*, a warehouse's name; None if it is not known."""
    try:
        return exp.DataType.build(kind, dialect=dialect or None)
    except (SqlglotError, ValueError):
        return None


def _normal(kind: exp.DataType) -> str:
    name: str = kind.this.value if isinstance(kind.this, exp.DataType.Type) else kind.sql().upper()
    return TEXT if name in ("VARCHAR", "CHAR", "NVARCHAR", "NCHAR", "NAME", "BPCHAR") else name
