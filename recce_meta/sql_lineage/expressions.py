"""Expression access that works with every supported version of sqlglot; includes row-yielding functions."""

from __future__ import annotations

from collections.abc import Iterator
from keyword import kwlist
from typing import TYPE_CHECKING

from sqlglot import exp

from recce_meta.sql_lineage import facts
from recce_meta.sql_lineage.query import Function, Output, Reads
from recce_meta.warehouses.types import Sql

if TYPE_CHECKING:
    NODE = exp.Expr
else:
    NODE = getattr(exp, "Expr", exp.Expression)
"""Base class of every node: newer versions have a base below `Expression`."""
SET_OPERATION = exp.SetOperation
MOST_WRAPPING = (exp.Paren, exp.Alias)
_KEYWORDS = {word: f"{word}_" for word in kwlist}


def arg(node: Sql, name: str) -> Sql | None:
    """Return the argument *name* of *node*; newer versions append `_` to Python's keywords."""
    value = node.args.get(name)
    if value is None:
        if name not in _KEYWORDS:
            return None
        value = node.args.get(_KEYWORDS[name])
    return value if isinstance(value, NODE) else None


def args(node: Sql, name: str) -> list[Sql]:
    """Return the nodes in the list argument *name* of *node*."""
    value = node.args.get(name)
    if value is None and name in _KEYWORDS:
        value = node.args.get(_KEYWORDS[name])
    if not value:
        return []
    return list(value) if isinstance(value, list) else [value] if isinstance(value, NODE) else []


def word(node: Sql, name: str) -> str:
    """Return a keyword stored as text in *node*, in upper case; empty if missing."""
    value = node.args.get(name)
    return str(value).upper() if value else ""


def children(node: Sql) -> Iterator[Sql]:
    """Yield the nodes directly below *node*, in order."""
    for value in node.args.values():
        if value.__class__ is list:
            for item in value:
                if isinstance(item, NODE):
                    yield item
        elif isinstance(value, NODE):
            yield value


def structure(value: object) -> str:
    """Return *value*, a node or an argument, as text without comments. Equal nodes have equal text."""
    if isinstance(value, NODE):
        # A missing argument is None, False or [], depending on how the parser built the node.
        parts = (f"{name}={structure(part)}" for name, part in sorted(value.args.items()) if part)
        return f"{value.key}({','.join(parts)})"
    if isinstance(value, list):
        return f"[{','.join(map(structure, value))}]"
    return repr(value)


def unwrapped(node: Sql) -> Sql:
    """Return *node* without its alias and the parentheses around it."""
    while isinstance(node, MOST_WRAPPING):
        node = node.this
    return node


def dotted(node: Sql) -> str:
    """Return the name of a relation or column: its parts joined with dots, unquoted.

    A token such as `⟦model.shop.orders⟧` is returned whole, even if a dialect splits quoted names at dots.
    """
    parts: list[str] = []
    for name in ("catalog", "db", "this"):
        value = node.args.get(name)
        if value is None or value == "":
            continue
        parts.extend(_pieces(value))
    return ".".join(part for part in parts if part)


def _pieces(value: object) -> list[str]:
    pieces: list[str] = []
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, exp.Dot):
            # The left part is pushed last, so that it is popped first.
            stack += [item.args.get("expression"), item.args.get("this")]
        elif isinstance(item, NODE):
            pieces.append(item.name)
        elif item:
            pieces.append(str(item))
    return pieces


_SINGLE = (exp.Literal, exp.Null, exp.Boolean, exp.Neg, exp.Cast, exp.CurrentDate)
_SERIES = frozenset({"RANGE", "GENERATE_SERIES", "SEQUENCE", "NUMBERS"})
_MAKING_VALUES: tuple[type, ...] = tuple(
    cls
    for name in ("Series", "DateArray", "TimestampArray")
    for start in ("Generate", "ExplodingGenerate")
    # Not every supported version of sqlglot has each of these classes.
    if (cls := getattr(exp, start + name, None)) is not None
)


def function(node: Sql, reads: Reads, names: tuple[str, ...], *, closed: bool = False) -> Function:
    """Return the rows of *node*, whose arguments read *reads*, with columns called *names*.

    Other columns may be requested by name unless it is *closed*.
    """
    made = Function(node, reads, closed=closed)
    derived = Reads(reads.references, reads.subqueries, reads.tests)
    made.outputs = [Output(name, place, node, derived) for place, name in enumerate(names)]
    return made


def alias_names(node: Sql) -> tuple[str, tuple[str, ...]]:
    """Return the alias of a FROM item, and its column aliases."""
    alias = node.args.get("alias")
    if not isinstance(alias, exp.TableAlias):
        return (alias.name, ()) if isinstance(alias, exp.Identifier) else ("", ())
    columns = tuple(column.name for column in args(alias, "columns") if column is not None)
    this = alias.args.get("this")
    return (this.name if this is not None else ""), columns


def yields_values(node: Sql) -> bool:
    """Return whether *node* yields rows of one value each, so that a star over them is one column."""
    if isinstance(node, exp.Array):
        values = args(node, "expressions")
        return bool(values) and all(isinstance(unwrapped(value), _SINGLE) for value in values)
    if isinstance(node, exp.Anonymous):
        return node.name.upper() in _SERIES
    return isinstance(node, _MAKING_VALUES)


def name_of_values(node: Sql, alias: str, dialect: str) -> str:
    """Return the default name of the one column of *node*."""
    if alias and dialect not in facts.ALIAS_NAMES_RELATION_ONLY:
        return alias
    if isinstance(node, exp.Array):
        return facts.ROWS_NAMED.get(dialect, "unnest")
    own = node.name.lower() if isinstance(node, exp.Anonymous) else "generate_series"
    own = "range" if node.args.get("is_end_exclusive") else own
    return facts.ROWS_NAMED.get(dialect, own)
