"""Keys of expressions: equal keys mean equal values, however the expressions are written."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from typing import Any

from sqlglot import exp

from recce_meta.dialects.types import Sql
from recce_meta.diff.semantic.folding import Names
from recce_meta.diff.semantic.stability import UNSTABLE, binding
from recce_meta.graph.columns.tree import NODE

LONGEST = 160
"""Characters after which a key is replaced by its hash, so that keys of keys stay short."""

CONNECTORS = (exp.And, exp.Or)
NO_OPERATORS = (exp.Paren, exp.Alias, exp.Select, exp.Where, exp.Having, exp.Qualify, exp.Ordered, exp.Tuple)
JSON_OPERATORS = (exp.JSONExtract, exp.JSONExtractScalar, exp.JSONBExtract, exp.JSONBExtractScalar)
SYMMETRIC = (exp.EQ, exp.NEQ, exp.NullSafeEQ, exp.NullSafeNEQ)
CONDITIONS = (*SYMMETRIC, *CONNECTORS, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Not, exp.In, exp.Between, exp.Is)
"""Expressions that are true, false or NULL, and nothing else."""
SWAPPED = {exp.GT: "lt", exp.GTE: "lte"}
"""Comparisons that are another one with its sides swapped."""
NUMBERS = (exp.Mul, exp.Div, exp.Mod, exp.Count, exp.Neg)
"""Expressions that `+` does not concatenate. DuckDB concatenates lists, and SQL Server strings."""
IGNORED = frozenset({"hint", "hints"})
"""Arguments that say how to compute something, and not what."""
SAME_NAME = {"IFNULL": "COALESCE", "NVL": "COALESCE", "POW": "POWER", "CEIL": "CEILING"}
"""Names of one function. Any other is another function, even where sqlglot takes it for the same."""

Meaning = Callable[[Sql], "str | None"]
NamedWindow = Callable[[str], "Sql | None"]


def short(text: str) -> str:
    """*text*, or its hash where it is long."""
    return text if len(text) <= LONGEST else "#" + hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def conjuncts(node: Sql, kind: type = exp.And) -> Iterator[Sql]:
    """The conditions that `and` (or *kind*) joins in *node*, through parentheses."""
    stack = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, exp.Paren) and not _binds_as_dialects_differ(current):
            stack.append(current.this)
        elif isinstance(current, kind):
            stack += (current.args["expression"], current.this)
        else:
            yield current


def is_always(node: Sql, value: bool) -> bool:
    """Return whether *node* is `true` or `1 = 1`, or, if *value* is false, `false`."""
    while isinstance(node, exp.Paren):
        node = node.this
    if isinstance(node, exp.Boolean):
        return bool(node.this) is value
    one, other = node.args.get("this"), node.args.get("expression")
    are_literals = isinstance(one, exp.Literal) and isinstance(other, exp.Literal)
    return value and isinstance(node, exp.EQ) and are_literals and one == other


def _commutes(node: Sql) -> bool:
    """Return whether the sides of the operator *node* can be swapped. Two sides round the same either way."""
    if not isinstance(node, (exp.Add, exp.Mul)):
        return False
    sides = (node.this, node.expression)
    if isinstance(node, exp.Add) and not any(_is_number(side) for side in sides):
        return False
    calls = (below for below in node.expression.walk() if isinstance(below, (exp.Func, exp.Query)))
    return not any(isinstance(call, exp.Query) or binding(call) & UNSTABLE for call in calls)


def _is_number(node: Sql) -> bool:
    while isinstance(node, exp.Paren):
        node = node.this
    return isinstance(node, NUMBERS) or (isinstance(node, exp.Literal) and not node.is_string)


class ExpressionKeys:
    """Makes keys of one query's expressions.

    *sql* is the text that was parsed; *meaning* answers for nodes that stand for something else, such as
    columns and queries; *named_window* finds a window of the `WINDOW` clause. *folded* are words that the
    tree lost, by `id` of the node whose key they are part of.
    """

    def __init__(
        self, names: Names, sql: str, meaning: Meaning, named_window: NamedWindow, folded: Mapping[int, str]
    ) -> None:
        self._names = names
        self._sql = sql
        self._meaning = meaning
        self._named_window = named_window
        self._folded = folded

    def key(self, node: Sql | None) -> str:
        """The key of one expression; None is what broken SQL leaves out, `f(a, )`."""
        if node is None:
            return "nothing"
        key = self._as_parsed(node)
        return short(f"{key} written {self._folded[id(node)]}") if id(node) in self._folded else key

    def folded(self, node: Sql) -> str:
        """The words that the tree lost beside *node*, which is no expression."""
        return self._folded.get(id(node), "")

    def _as_parsed(self, node: Sql) -> str:
        meaning = self._meaning(node)
        if meaning is not None:
            return meaning
        if isinstance(node, exp.Identifier):
            return repr(self._names.column(node))
        if isinstance(node, exp.Literal):
            return repr(node.this) if node.is_string else str(node.this)
        if isinstance(node, exp.Paren):
            key = self.key(node.this)
            return short(f"bracketed({key})") if _binds_as_dialects_differ(node) else key
        if isinstance(node, CONNECTORS):
            return self._connected(node)
        if isinstance(node, SYMMETRIC):
            return short(f"{node.key}({','.join(sorted((self.key(node.this), self.key(node.expression))))})")
        if node.__class__ in SWAPPED:
            return short(f"{SWAPPED[node.__class__]}({self.key(node.expression)},{self.key(node.this)})")
        if isinstance(node, (exp.LT, exp.LTE)):
            return short(f"{node.key}({self.key(node.this)},{self.key(node.expression)})")
        if isinstance(node, exp.Binary):
            return self._chain(node)
        if isinstance(node, exp.In) and node.args.get("expressions"):
            return self._among(node)
        if isinstance(node, exp.Count) and counts_rows(node):
            return "count(*)"
        return short(f"{self._called(node)}({self.arguments(node)})")

    def arguments(self, node: Sql, but: frozenset[str] = frozenset()) -> str:
        """Keys of all arguments of *node*, but for some."""
        args = self._window(node) if isinstance(node, exp.Window) else node.args
        return ",".join(
            f"{name}={self._argument(node, name, value)}"
            for name, value in sorted(args.items())
            if name not in but
            and name not in IGNORED
            and not (value is None or value is False or value == [])
        )

    def _connected(self, node: Sql) -> str:
        neutral = isinstance(node, exp.And)
        parts = [part for part in conjuncts(node, node.__class__) if not is_always(part, neutral)]
        if len(parts) == 1 and isinstance(parts[0], CONDITIONS):
            return self.key(parts[0])
        if len(parts) < 2:
            parts = list(conjuncts(node, node.__class__))
        return short(f"{node.key}({','.join(sorted(self.key(part) for part in parts))})")

    def _among(self, node: Sql) -> str:
        """`a in (1, 2)`: the order of the values does not count, and neither do equal literals."""
        values = sorted(self.key(value) for value in node.expressions if not isinstance(value, exp.Literal))
        values += sorted({self.key(value) for value in node.expressions if isinstance(value, exp.Literal)})
        return short(f"in({self.arguments(node, frozenset({'expressions'}))},[{','.join(values)}])")

    def _chain(self, node: Sql) -> str:
        """`a + b + c …`, without going as deep as it is long."""
        spine: list[Sql] = []
        current = node
        while isinstance(current, exp.Binary) and not isinstance(current, (*CONNECTORS, *SYMMETRIC)):
            if spine and self._meaning(current) is not None:
                break
            spine.append(current)
            current = current.this
        key = self._argument(spine[-1], "this", current)
        for binary in reversed(spine):
            if _commutes(binary):
                key = short(f"{binary.key}({','.join(sorted((key, self.key(binary.expression))))})")
            else:
                key = short(f"{self._called(binary)}({key},{self.arguments(binary, frozenset({'this'}))})")
            if binary is not node and id(binary) in self._folded:
                key = short(f"{key} written {self._folded[id(binary)]}")
        return key

    def _called(self, node: Sql) -> str:
        """The kind of node and, of a function, the name that the SQL calls it by."""
        if not isinstance(node, exp.Func) or node.__class__ is exp.Anonymous:
            return str(node.key)
        start, end = node.meta.get("start"), node.meta.get("end")
        written = node.meta.get("name") or (self._sql[start : end + 1] if start is not None and end else "")
        written = written.upper()
        return f"{node.key}:{SAME_NAME.get(written, written)}" if written.isidentifier() else str(node.key)

    def _window(self, node: Sql) -> dict[str, Any]:
        """The arguments of a window, with those of the named window that it builds on."""
        args = {name: value for name, value in node.args.items() if value and name not in ("over", "first")}
        if node.args.get("over") not in (None, "OVER"):
            args["over"] = f"{node.args['over']} {node.args.get('first')}"  # KEEP (DENSE_RANK FIRST …)
        named = args.get("alias")
        found = self._named_window(named.name.lower()) if isinstance(named, NODE) else None
        if found is None or found is node:
            return args
        inherited = {name: value for name, value in self._window(found).items() if name != "this"}
        del args["alias"]
        return inherited | args

    def _argument(self, node: Sql, name: str, value: Any) -> str:
        if isinstance(value, NODE):
            return self.key(value)
        if isinstance(value, list):
            return f"[{','.join(self._argument(node, name, member) for member in value)}]"
        if isinstance(value, Enum):
            return str(value.value)
        if name == "this" and isinstance(node, (exp.Anonymous, exp.Var)):
            return repr(str(value).upper())
        return repr(value)


def _binds_as_dialects_differ(brackets: Sql) -> bool:
    """Return True if a JSON operator in *brackets* may bind otherwise without them.

    sqlglot binds `->` tightly. In DuckDB it binds less than `=`, in PostgreSQL less than `+`.
    """
    around = brackets.parent
    is_call = isinstance(around, exp.Func) and not isinstance(around, (exp.Binary, exp.Cast))
    is_operand = not (is_call or isinstance(around, NO_OPERATORS))
    return isinstance(brackets.this, JSON_OPERATORS) and is_operand


def counts_rows(count: Sql) -> bool:
    """Whether this is `count(*)`, `count()` or `count(1)`."""
    if any(value for name, value in count.args.items() if name not in ("this", "big_int")):
        return False
    counted = count.args.get("this")
    if isinstance(counted, exp.Star):
        return not any(counted.args.values())
    return counted is None or isinstance(counted, exp.Literal)
