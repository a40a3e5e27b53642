"""The members of structs that a query puts together itself, and of rows that it uses as values."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from sqlglot import exp

from recce_meta.dialects.tokens import STUMBLES
from recce_meta.dialects.types import Sql
from recce_meta.graph.columns.query import (
    Alias,
    Column,
    Member,
    Output,
    Query,
    Reads,
    Reference,
    Select,
    Table,
    WholeRow,
)
from recce_meta.graph.columns.scope import Scope, is_open, starred
from recce_meta.graph.columns.tree import NODE, SET_OPERATION, args, unwrapped

if TYPE_CHECKING:
    from recce_meta.graph.columns.reading import Reader

_CHOOSING = (exp.ArrayAgg, exp.AnyValue, exp.First, exp.Last)
"""Aggregates that yield what they are given, or a list of it."""
_AROUND = (exp.Bracket, exp.Order, exp.Limit, exp.IgnoreNulls, exp.RespectNulls, exp.Distinct)
_QUERIES = (exp.Select, SET_OPERATION, exp.Subquery)
MAKING = (exp.Struct, exp.Array, *_CHOOSING, exp.Bracket, *_QUERIES)
"""What may yield a struct whose members can be known."""


def members(node: Sql, scope: Scope, reader: Reader) -> tuple[Output, ...]:
    """The members of the struct, or of each of the structs in a list, that *node* yields; empty if unknown.

    Where an aggregate chooses among structs, what it orders them by decides over each member.
    """
    bare = unwrapped(node)
    if not isinstance(bare, MAKING) and bare.__class__ is not exp.Column:
        return ()
    chooses, keys = False, list[Sql]()
    while isinstance(bare, (*_AROUND, *_CHOOSING, exp.Array)):
        if isinstance(bare, exp.Array) or (isinstance(bare, exp.Distinct) and bare.expressions):
            values = args(bare, "expressions")
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


def _of_value(node: Sql, scope: Scope, reader: Reader) -> tuple[Output, ...]:
    if isinstance(node, exp.Struct):
        return tuple(_written(args(node, "expressions"), scope, reader))
    if isinstance(node, exp.Column):
        plain = reader.read(node, scope, "output").plain
        return of_reference(plain) if plain is not None else ()
    if isinstance(node, _QUERIES):
        query = scope.select.subqueries.get(id(node))
        return _of_query(query) if query is not None else ()
    return ()


def _written(fields: Sequence[Sql], scope: Scope, reader: Reader) -> list[Output]:
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
    """The members of the struct or row that *reference* means, followed down to where it is made."""
    seen: set[Output] = set()
    found: Reference | None = reference
    while found is not None:
        if isinstance(found, WholeRow):
            return _of_row(found)
        if not isinstance(found, (Column, Alias, Member)):
            return ()
        output = found.output
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


def _of_row(row: WholeRow) -> tuple[Output, ...]:
    if is_open(row.source):
        return ()
    return tuple(
        Output(name, place, None, Reads((column,), plain=column), from_star=True)
        for place, (name, column) in enumerate(starred(row.source))
    )


def member(node: Sql, whole: Reference, path: Sequence[str]) -> Member | None:
    """What *node*, a name that ends with *path*, means in the struct *whole*; None where nobody knows."""
    found: Member | None = None
    for name in path:
        output = named(of_reference(found or whole), name)
        if output is None:
            return None
        found = Member(node, whole, name, output)
    return found


def named(outputs: Sequence[Output], name: str) -> Output | None:
    """The one of *outputs* that is called *name*."""
    lower = name.lower()
    return next((output for output in outputs if output.name.lower() == lower), None)


class Fields(NamedTuple):
    """The fields of a struct, or of each struct in a list."""

    outputs: tuple[Output, ...]
    in_list: bool


def fields_of(node: Sql, scope: Scope, reader: Reader) -> Fields | None:
    """Return the fields of what *node* yields; None if it is not known whether that is a struct.

    The type of a table's column says which fields it has: each of them is read from the whole column.
    """
    bare = unwrapped(node)
    reads = reader.once(bare, scope, "output")
    made, plain = _made_at(bare, reads.plain)
    if isinstance(made, (exp.Struct, exp.Array, *_CHOOSING)):
        found = members(bare, scope, reader)
        is_list = isinstance(made, (exp.Array, exp.ArrayAgg))
        return Fields(found, is_list) if found or is_list else None
    typed = _fields_of_type(_type_of(plain), reader.dialect)
    return None if typed is None else Fields(_read_from(reads, typed[0]), typed[1])


def leaves_of(node: Sql, scope: Scope, reader: Reader) -> tuple[Output, ...] | None:
    """Return the columns of DuckDB's `unnest(node, recursive := true)`; None if the type is not known.

    Structs within structs are unpacked, and lists within structs are not. A column without a struct yields
    no field.
    """
    bare = unwrapped(node)
    reads = reader.once(bare, scope, "output")
    kind = _built(_type_of(_made_at(bare, reads.plain)[1]), reader.dialect)
    while kind is not None and _is_list(kind):
        kind = next((one for one in kind.expressions if isinstance(one, exp.DataType)), None)
    return None if kind is None else _read_from(reads, _leaves(kind))


def _type_of(plain: Reference | None) -> str:
    """The catalog's type of a table's column; empty if *plain* is not one or the catalog does not know it."""
    if not isinstance(plain, Column) or not isinstance(plain.source.relation, Table):
        return ""
    return str(plain.source.relation.types.get(plain.name) or "")


def _read_from(reads: Reads, names: Sequence[str]) -> tuple[Output, ...]:
    derived = Reads(reads.references, reads.subqueries, reads.tests)
    return tuple(Output(name, at, None, derived, True) for at, name in enumerate(names))


def _made_at(node: Sql, plain: Reference | None) -> tuple[Sql | None, Reference | None]:
    """Return the expression that makes what *node* reads, and the last name on the way to it."""
    made: Sql | None = node
    seen: set[Output] = set()
    while isinstance(plain, (Column, Alias, Member)) and (output := plain.output) is not None:
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
    """The names of the fields of a type, and whether it is a list; None if it cannot be read."""
    kind = _built(text, dialect)
    if kind is None:
        return None
    is_list = _is_list(kind)
    inner = kind.expressions[0] if is_list and kind.expressions else kind
    return tuple(one.name for one in _members_of(inner)), is_list


def _built(text: str, dialect: str) -> exp.DataType | None:
    """The type that *text* writes; None if it cannot be read."""
    try:
        return exp.DataType.build(text, dialect=dialect or None) if text else None
    except STUMBLES:
        return None


def _is_list(kind: exp.DataType) -> bool:
    return str(kind.this).endswith(("ARRAY", "LIST"))


def _members_of(kind: Sql) -> list[Sql]:
    """The fields of *kind*, if it is a struct."""
    is_struct = isinstance(kind, exp.DataType) and str(kind.this).endswith((".STRUCT", ".OBJECT", ".NESTED"))
    return [one for one in kind.expressions if isinstance(one, exp.ColumnDef)] if is_struct else []


def _leaves(kind: Sql) -> list[str]:
    """The names of the fields of *kind*, and in place of a struct those of its fields."""
    found: list[str] = []
    for field in _members_of(kind):
        inner = field.args.get("kind")
        found += (_leaves(inner) if inner is not None else []) or [field.name]
    return found
