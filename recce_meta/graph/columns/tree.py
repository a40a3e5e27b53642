"""Reading sqlglot's trees, whichever version made them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlglot import exp

from recce_meta.dialects.types import Sql

if TYPE_CHECKING:
    NODE = exp.Expr
else:
    NODE = getattr(exp, "Expr", exp.Expression)
"""What every node is an instance of: newer versions have a base below `Expression`."""
SET_OPERATION = exp.SetOperation
MOST_WRAPPING = (exp.Paren, exp.Alias)


def arg(node: Sql, name: str) -> Sql | None:
    """The part of *node* called *name*; newer versions append `_` to Python's keywords."""
    value = node.args.get(name)
    if value is None:
        value = node.args.get(name + "_")
    return value if isinstance(value, NODE) else None


def args(node: Sql, name: str) -> list[Sql]:
    """The parts of *node* in the list called *name*."""
    value = node.args.get(name)
    if value is None:
        value = node.args.get(name + "_")
    if not value:
        return []
    return list(value) if isinstance(value, list) else [value] if isinstance(value, NODE) else []


def word(node: Sql, name: str) -> str:
    """A keyword kept as text in *node*, in upper case; empty where there is none."""
    value = node.args.get(name)
    return str(value).upper() if value else ""


def children(node: Sql) -> Iterator[Sql]:
    """The nodes directly below *node*, in order."""
    for value in node.args.values():
        if value.__class__ is list:
            for item in value:
                if isinstance(item, NODE):
                    yield item
        elif isinstance(value, NODE):
            yield value


def structure(value: object) -> str:
    """Return *value*, a node or what is in one, as text: without comments, and equal if the nodes are."""
    if isinstance(value, NODE):
        parts = (f"{name}={structure(part)}" for name, part in sorted(value.args.items()) if part)
        return f"{value.key}({','.join(parts)})"
    if isinstance(value, list):
        return f"[{','.join(map(structure, value))}]"
    return repr(value)


def unwrapped(node: Sql) -> Sql:
    """*node* without its alias and the parentheses around it."""
    while isinstance(node, MOST_WRAPPING):
        node = node.this
    return node


def dotted(node: Sql) -> str:
    """The text of a relation's or column's name: its parts joined with dots, unquoted.

    A token such as `⟦model.shop.orders⟧` comes back whole, even where a dialect reads dots inside quotes.
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
            stack += [item.args.get("expression"), item.args.get("this")]
        elif isinstance(item, NODE):
            pieces.append(item.name)
        elif item:
            pieces.append(str(item))
    return pieces
