"""Functions that yield rows: which columns they have, and what these come from."""

from __future__ import annotations

from sqlglot import exp

from recce_meta.dialects.types import Sql
from recce_meta.graph.columns import facts
from recce_meta.graph.columns.query import Function, Output, Reads
from recce_meta.graph.columns.tree import args, unwrapped

_SINGLE = (exp.Literal, exp.Null, exp.Boolean, exp.Neg, exp.Cast, exp.CurrentDate)
_SERIES = frozenset({"RANGE", "GENERATE_SERIES", "SEQUENCE", "NUMBERS"})
_MAKING_VALUES: tuple[type, ...] = tuple(
    cls
    for name in ("Series", "DateArray", "TimestampArray")
    for start in ("Generate", "ExplodingGenerate")
    if (cls := getattr(exp, start + name, None)) is not None
)


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
    columns = tuple(column.name for column in args(alias, "columns") if column is not None)
    this = alias.args.get("this")
    return (this.name if this is not None else ""), columns


def yields_values(node: Sql) -> bool:
    """Whether *node* yields rows of one value each, so that a star over them is one column."""
    if isinstance(node, exp.Array):
        values = args(node, "expressions")
        return bool(values) and all(isinstance(unwrapped(value), _SINGLE) for value in values)
    if isinstance(node, exp.Anonymous):
        return node.name.upper() in _SERIES
    return isinstance(node, _MAKING_VALUES)


def name_of_values(node: Sql, alias: str, dialect: str) -> str:
    """What the one column of *node* is called where nothing lists names."""
    if alias and dialect not in facts.NAMED_WHATEVER_THE_ALIAS:
        return alias
    if isinstance(node, exp.Array):
        return facts.ROWS_NAMED.get(dialect, "unnest")
    own = node.name.lower() if isinstance(node, exp.Anonymous) else "generate_series"
    own = "range" if node.args.get("is_end_exclusive") else own
    return facts.ROWS_NAMED.get(dialect, own)
