"""Members of structs built in a query, and of rows used as values."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple, Protocol

from sqlglot import exp

from recce_meta.sql_lineage.expressions import NODE, SET_OPERATION, args, unwrapped
from recce_meta.sql_lineage.query import (
    Alias,
    Member,
    Output,
    Query,
    Reads,
    Reference,
    Select,
    SourceColumn,
    Table,
    WholeRow,
)
from recce_meta.sql_lineage.scope import Scope, is_open, star_columns
from recce_meta.warehouses.parsing import STUMBLES
from recce_meta.warehouses.types import Sql

_CHOOSING = (exp.ArrayAgg, exp.AnyValue, exp.First, exp.Last)
"""Aggregates that yield one of their arguments, or a list of them."""
_AROUND = (exp.Bracket, exp.Order, exp.Limit, exp.IgnoreNulls, exp.RespectNulls, exp.Distinct)
_QUERIES = (exp.Select, SET_OPERATION, exp.Subquery)
MAKING = (exp.Struct, exp.Array, *_CHOOSING, exp.Bracket, *_QUERIES)
"""Expressions that may yield a struct with known members."""


class StructReader(Protocol):
    """Reader of the values of members, see `fields.ExpressionReader`."""

    dialect: str

    def read(self, root: Sql, scope: Scope, place: str) -> Reads:
        """Return what *root* reads in *scope*."""

    def once(self, root: Sql, scope: Scope, place: str) -> Reads:
        """Return the result of `read`, cached."""


def members(node: Sql, scope: Scope, reader: StructReader) -> tuple[Output, ...]:
    """Return the members of the struct, or of the structs in a list, that *node* yields; empty if unknown.

    If an aggregate selects among structs, its ORDER BY determines each member.
    """
    bare = unwrapped(node)
    if not isinstance(bare, MAKING) and bare.__class__ is not exp.Column:
        return ()
    chooses, keys = False, list[Sql]()
    while isinstance(bare, (*_AROUND, *_CHOOSING, exp.Array)):
        if isinstance(bare, exp.Array) or (isinstance(bare, exp.Distinct) and bare.expressions):
            values = args(bare, "expressions")
            # Several structs in one list may have different members.
            if len(values) != 1:
                return ()
            bare = unwrapped(values[0])
            continue
        chooses = chooses or isinstance(bare, _CHOOSING)
        if isinstance(bare, exp.Order):
            keys += args(bare, "expressions")
        if not isinstance(bare.args.get("this"), NODE):
            return ()
        bare = unwrapped(bare.this)
    found = _of_value(bare, scope, reader)
    if not chooses:
        return found
    others = tuple(one for key in keys for one in reader.once(key, scope, "output").references)
    return tuple(
        Output(one.name, place, node, Reads((*one.reads.references, *others), aggregates=True))
        for place, one in enumerate(found)
    )


def _of_value(node: Sql, scope: Scope, reader: StructReader) -> tuple[Output, ...]:
    if isinstance(node, exp.Struct):
        return tuple(_written(args(node, "expressions"), scope, reader))
    if isinstance(node, exp.Column):
        plain = reader.read(node, scope, "output").plain
        return of_reference(plain) if plain is not None else ()
    if isinstance(node, _QUERIES):
        query = scope.select.subqueries.get(id(node))
        return _of_query(query) if query is not None else ()
    return ()


def _written(fields: Sequence[Sql], scope: Scope, reader: StructReader) -> list[Output]:
    found: list[Output] = []
    for place, field in enumerate(fields):
        value = field.expression if isinstance(field, exp.PropertyEQ) else unwrapped(field)
        name = field.this.name if isinstance(field, exp.PropertyEQ) else field.alias_or_name
        reads = reader.once(value, scope, "output")
        output = Output(name, place, value, reads)
        output.members = members(value, scope, reader)
        found.append(output)
    return found if all(output.name for output in found) else []


def _of_query(query: Query) -> tuple[Output, ...]:
    if not isinstance(query, Select) or any(output.star is not None for output in query.outputs):
        return ()
    if query.as_struct:
        return tuple(query.outputs)
    return of_reference(Alias(query.outputs[0])) if len(query.outputs) == 1 else ()


def of_reference(reference: Reference) -> tuple[Output, ...]:
    """Return the members of the struct or row that *reference* means, traced to its definition."""
    seen: set[Output] = set()
    found: Reference | None = reference
    while found is not None:
        if isinstance(found, WholeRow):
            return _of_row(found)
        if not isinstance(found, (SourceColumn, Alias, Member)):
            return ()
        output = found.output
        # `seen` ends the walk if a column of a recursive CTE leads back to itself.
        while output is not None and len(output.branches) == 1 and output not in seen:
            seen.add(output)
            output = output.branches[0]
        if output is None or output in seen or output.star is not None:
            return ()
        if output.members:
            return output.members
        seen.add(output)
        found = output.reads.plain
    return ()


def field_paths(whole: Output) -> set[str]:
    """Return the paths (`.city.name`) of the fields that structs in *whole* are known to have."""
    found, seen = set[str](), set[Output]()
    stack = [("", whole)]
    while stack:
        path, output = stack.pop()
        found.add(path)
        if output not in seen:  # a row of a recursive query may contain itself
            seen.add(output)
            stack += [(path, branch) for branch in output.branches]
            inner = of_reference(Alias(output))
            stack += [(f"{path}.{one.name.lower()}", one) for one in inner]
    return found - {""}


def _of_row(row: WholeRow) -> tuple[Output, ...]:
    if is_open(row.source):
        return ()
    return tuple(
        Output(name, place, None, Reads((column,), plain=column), from_star=True)
        for place, (name, column) in enumerate(star_columns(row.source))
    )


def member(node: Sql, whole: Reference, path: Sequence[str]) -> Member | None:
    """Return the member for *node*, a name that ends with *path*, in the struct *whole*. None if unknown."""
    found: Member | None = None
    for name in path:
        output = output_named(of_reference(found or whole), name)
        if output is None:
            return None
        found = Member(node, whole, name, output)
    return found


def output_named(outputs: Sequence[Output], name: str) -> Output | None:
    """Return the only one of *outputs* called *name*."""
    lower = name.lower()
    return next((output for output in outputs if output.name.lower() == lower), None)


class StructFields(NamedTuple):
    """Fields of a struct, or of each struct in a list."""

    outputs: tuple[Output, ...]
    in_list: bool


def fields_of(node: Sql, scope: Scope, reader: StructReader) -> StructFields | None:
    """Return the fields of the struct that *node* yields. None if it may not be a struct.

    The type of a table's column lists its fields. Each of them is read from the whole column.
    """
    bare = unwrapped(node)
    reads = reader.once(bare, scope, "output")
    made, plain = _made_at(bare, reads.plain)
    if isinstance(made, (exp.Struct, exp.Array, *_CHOOSING)):
        found = members(bare, scope, reader)
        is_list = isinstance(made, (exp.Array, exp.ArrayAgg))
        return StructFields(found, is_list) if found or is_list else None
    typed = _fields_of_type(_type_of(plain), reader.dialect)
    return None if typed is None else StructFields(_read_from(reads, typed[0]), typed[1])


def leaves_of(node: Sql, scope: Scope, reader: StructReader) -> tuple[Output, ...] | None:
    """Return the columns of DuckDB's `unnest(node, recursive := true)`; None if the type is unknown.

    Structs within structs are unpacked, but lists within structs are not. A column without a struct yields no
    field.
    """
    bare = unwrapped(node)
    reads = reader.once(bare, scope, "output")
    kind = _built(_type_of(_made_at(bare, reads.plain)[1]), reader.dialect)
    while kind is not None and _is_list(kind):
        kind = next((one for one in kind.expressions if isinstance(one, exp.DataType)), None)
    return None if kind is None else _read_from(reads, _leaves(kind))


def _type_of(plain: Reference | None) -> str:
    """Return the catalog's type of a table's column; empty if unknown or *plain* is not such a column."""
    if not isinstance(plain, SourceColumn) or not isinstance(plain.source.relation, Table):
        return ""
    return str(plain.source.relation.types.get(plain.name) or "")


def _read_from(reads: Reads, names: Sequence[str]) -> tuple[Output, ...]:
    derived = Reads(reads.references, reads.subqueries, reads.tests)
    return tuple(Output(name, at, None, derived, True) for at, name in enumerate(names))


def _made_at(node: Sql, plain: Reference | None) -> tuple[Sql | None, Reference | None]:
    """Return the expression that defines what *node* reads, and the last name on the path to it."""
    made: Sql | None = node
    seen: set[Output] = set()
    while isinstance(plain, (SourceColumn, Alias, Member)) and (output := plain.output) is not None:
        if output in seen:
            return None, None
        seen.add(output)
        if len(output.branches) == 1:
            output = output.branches[0]
        made = unwrapped(output.node) if output.node is not None else None
        if output.reads.plain is None:
            return made, None
        plain = output.reads.plain
    return made, plain


@lru_cache(512)
def _fields_of_type(text: str, dialect: str) -> tuple[tuple[str, ...], bool] | None:
    """Return the field names of a type, and whether it is a list; None if it cannot be parsed."""
    kind = _built(text, dialect)
    if kind is None:
        return None
    is_list = _is_list(kind)
    inner = kind.expressions[0] if is_list and kind.expressions else kind
    return tuple(one.name for one in _members_of(inner)), is_list


def _built(text: str, dialect: str) -> exp.DataType | None:
    """Return the type in *text*, or None if it cannot be parsed."""
    try:
        return exp.DataType.build(text, dialect=dialect or None) if text else None
    except STUMBLES:
        return None


def _is_list(kind: exp.DataType) -> bool:
    return str(kind.this).endswith(("ARRAY", "LIST"))


def _members_of(kind: Sql) -> list[Sql]:
    """Return the fields of *kind*, if it is a struct."""
    is_struct = isinstance(kind, exp.DataType) and str(kind.this).endswith((".STRUCT", ".OBJECT", ".NESTED"))
    return [one for one in kind.expressions if isinstance(one, exp.ColumnDef)] if is_struct else []


def _leaves(kind: Sql) -> list[str]:
    """Return the field names of *kind*, with each struct replaced by its own fields."""
    found: list[str] = []
    for field in _members_of(kind):
        inner = field.args.get("kind")
        found += (_leaves(inner) if inner is not None else []) or [field.name]
    return found
