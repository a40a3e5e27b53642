"""Functions that yield rows: which columns they have, and what these come from."""

from __future__ import annotations

from sqlglot import exp

from recce_meta.dialects.types import Sql
from recce_meta.graph.columns.query import Function, Output, Reads
from recce_meta.graph.columns.tree import args


def function(node: Sql, reads: Reads, names: tuple[str, ...], *, closed: bool = False) -> Function:
    """The rows of *node*, whose arguments read *reads*, with columns called *names*.

    Other columns may be asked of it unless it is *closed*.
    """
    made = Function(node, reads, closed=closed)
    derived = Reads(reads.references, reads.subqueries, reads.tests)
    made.outputs = [Output(name, place, node, derived) for place, name in enumerate(names)]
    return made


def alias_names(node: Sql) -> tuple[str, tuple[str, ...]]:
    """The alias of a FROM item, and the names that it gives to columns."""
    alias = node.args.get("alias")
    if not isinstance(alias, exp.TableAlias):
        return (alias.name, ()) if isinstance(alias, exp.Identifier) else ("", ())
    columns = tuple(column.name for column in args(alias, "columns"))
    this = alias.args.get("this")
    return (this.name if this is not None else ""), columns


def struct_fields(node: Sql) -> tuple[str, ...]:
    """The names of the fields where *node* is an array of structs written out."""
    values = args(node, "expressions")
    if not isinstance(node, exp.Array) or not values or not isinstance(values[0], exp.Struct):
        return ()
    return tuple(
        field.this.name if isinstance(field, exp.PropertyEQ) else field.alias_or_name
        for field in args(values[0], "expressions")
    )
