"""Expression keys: equal keys mean equal values, regardless of how the expressions are written.

`QueryFingerprint` holds the keys of a query, and `Frame` a query's state while they are built.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from sqlglot import exp

from recce_meta.sql_diff.functions import UNSTABLE, binding
from recce_meta.sql_diff.identifiers import IdentifierRules
from recce_meta.sql_lineage.expressions import NODE
from recce_meta.sql_lineage.query import Output, Query, QuerySource
from recce_meta.warehouses.types import Sql

LONGEST = 160
"""Length above which a key is replaced by its hash, so that nested keys stay short."""

CONNECTORS = (exp.And, exp.Or)
NO_OPERATORS = (exp.Paren, exp.Alias, exp.Select, exp.Where, exp.Having, exp.Qualify, exp.Ordered, exp.Tuple)
JSON_OPERATORS = (exp.JSONExtract, exp.JSONExtractScalar, exp.JSONBExtract, exp.JSONBExtractScalar)
SYMMETRIC = (exp.EQ, exp.NEQ, exp.NullSafeEQ, exp.NullSafeNEQ)
CONDITIONS = (*SYMMETRIC, *CONNECTORS, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Not, exp.In, exp.Between, exp.Is)
"""Expressions that yield only true, false or NULL."""
SWAPPED = {exp.GT: "lt", exp.GTE: "lte"}
"""Comparisons that equal another one with its sides swapped."""
NUMBERS = (exp.Mul, exp.Div, exp.Mod, exp.Count, exp.Neg)
"""Expressions that `+` does not concatenate. DuckDB concatenates lists, and SQL Server strings."""
IGNORED = frozenset({"hint", "hints"})
"""Arguments that affect how a result is computed, but not the result."""
SAME_NAME = {"IFNULL": "COALESCE", "NVL": "COALESCE", "POW": "POWER", "CEIL": "CEILING"}
"""Names of the same function. All other names differ, even if sqlglot parses them as the same function."""

Meaning = Callable[[Sql], "str | None"]
NamedWindow = Callable[[str], "Sql | None"]


def short(text: str) -> str:
    """Return *text*, or its hash if it is long."""
    return text if len(text) <= LONGEST else "#" + hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def conjuncts(node: Sql, kind: type = exp.And) -> Iterator[Sql]:
    """Yield the conditions that `and` (or *kind*) joins in *node*, through parentheses."""
    stack = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, exp.Paren) and not _binds_as_dialects_differ(current):
            stack.append(current.this)
        elif isinstance(current, kind):
            # The left side is pushed last, so that conditions come in the order of the text.
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
    """Return whether the sides of the operator *node* can be swapped. Rounding ignores their order."""
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
    """Builder of keys for one query's expressions.

    *sql* is the parsed text. *meaning* returns the key of a node that stands for something else, such as a
    column or query. *named_window* finds a window of the `WINDOW` clause. *folded* contains words lost in
    parsing, by `id` of the node whose key includes them.
    """

    def __init__(
        self,
        names: IdentifierRules,
        sql: str,
        meaning: Meaning,
        named_window: NamedWindow,
        folded: Mapping[int, str],
    ) -> None:
        self._names = names
        self._sql = sql
        self._meaning = meaning
        self._named_window = named_window
        self._folded = folded

    def key(self, node: Sql | None) -> str:
        """Return the key of one expression. None stands for an argument that invalid SQL omits, `f(a, )`."""
        if node is None:
            return "nothing"
        key = self._as_parsed(node)
        return short(f"{key} written {self._folded[id(node)]}") if id(node) in self._folded else key

    def folded(self, node: Sql) -> str:
        """Return the words lost in parsing next to *node*, which is not an expression."""
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
        """Return the keys of all arguments of *node* except those in *but*."""
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
        # `x and true` makes a boolean of x, so only a condition is equal to it.
        if len(parts) == 1 and isinstance(parts[0], CONDITIONS):
            return self.key(parts[0])
        if len(parts) < 2:
            parts = list(conjuncts(node, node.__class__))
        return short(f"{node.key}({','.join(sorted(self.key(part) for part in parts))})")

    def _among(self, node: Sql) -> str:
        """Return the key of `a in (1, 2)`, ignoring the order of values and duplicate literals."""
        # Only literals: a repeated call such as `random()` is not redundant.
        values = sorted(self.key(value) for value in node.expressions if not isinstance(value, exp.Literal))
        values += sorted({self.key(value) for value in node.expressions if isinstance(value, exp.Literal)})
        return short(f"in({self.arguments(node, frozenset({'expressions'}))},[{','.join(values)}])")

    def _chain(self, node: Sql) -> str:
        """Return the key of `a + b + c …` without recursing along the chain."""
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
            # `key` adds the words of the whole chain itself.
            if binary is not node and id(binary) in self._folded:
                key = short(f"{key} written {self._folded[id(binary)]}")
        return key

    def _called(self, node: Sql) -> str:
        """Return the kind of *node* and, for a function, its name in the SQL."""
        if not isinstance(node, exp.Func) or node.__class__ is exp.Anonymous:
            return str(node.key)
        start, end = node.meta.get("start"), node.meta.get("end")
        written = node.meta.get("name") or (self._sql[start : end + 1] if start is not None and end else "")
        written = written.upper()
        return f"{node.key}:{SAME_NAME.get(written, written)}" if written.isidentifier() else str(node.key)

    def _window(self, node: Sql) -> dict[str, Any]:
        """Return the arguments of a window, merged with those of the named window that it extends."""
        args = {name: value for name, value in node.args.items() if value and name not in ("over", "first")}
        if node.args.get("over") not in (None, "OVER"):
            args["over"] = f"{node.args['over']} {node.args.get('first')}"  # KEEP (DENSE_RANK FIRST …)
        named = args.get("alias")
        found = self._named_window(named.name.lower()) if isinstance(named, NODE) else None
        if found is None or found is node:
            return args
        inherited = {name: value for name, value in self._window(found).items() if name != "this"}
        # The name does not matter, only the window that it stands for.
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
    """Return whether a JSON operator in *brackets* may have a different precedence without them.

    sqlglot binds `->` tightly. In DuckDB it binds less than `=`, in PostgreSQL less than `+`.
    """
    around = brackets.parent
    is_call = isinstance(around, exp.Func) and not isinstance(around, (exp.Binary, exp.Cast))
    is_operand = not (is_call or isinstance(around, NO_OPERATORS))
    return isinstance(brackets.this, JSON_OPERATORS) and is_operand


def counts_rows(count: Sql) -> bool:
    """Return whether this is `count(*)`, `count()` or `count(1)`."""
    if any(value for name, value in count.args.items() if name not in ("this", "big_int")):
        return False
    counted = count.args.get("this")
    if isinstance(counted, exp.Star):
        return not any(counted.args.values())
    return counted is None or isinstance(counted, exp.Literal)


ANYWHERE = 1_000_000
"""Stands for a depth if the key is the same at every depth."""


@dataclass(slots=True, eq=False)
class QueryFingerprint:
    """The keys of one query."""

    query: Query
    rows: str = ""
    parts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Parts of the rows key, by the part name that reasons use."""
    values: tuple[str, ...] = ()
    """By output, in order."""
    inputs: tuple[tuple[str, str, QueryFingerprint | None], ...] = ()
    """Label, rows key and, for a query, keys of each source or operand."""
    outermost: int = ANYWHERE
    """Outermost enclosing query that it reads, counted from the outside."""
    core: Query | None = None
    """The query that supplies these rows, if subqueries on the way only select columns."""
    unstable: bool = False
    """Whether a second run may yield different rows or values."""
    guessed: bool = False
    """Whether its column names come from a later operand, because the first is a `*` over unknown columns."""


class Frame:
    """A query in progress, with the positions of its sources."""

    def __init__(self, query: Query) -> None:
        self.query = query
        self.slots: dict[int, str] = {}
        self.sources: list[QuerySource] = []
        self.below: QuerySource | None = None
        """The only source, if its rows and column expressions are also those of this query."""
        self.passes = False
        """Whether window functions and random values of `below` are computed from the same rows here."""
        self.shuts = False
        """Whether `below` removes rows after window functions: a window function here sees fewer rows."""
        self.padded: set[int] = set()
        """Sources by `id` that an outer join may fill with NULLs because it found no matching row."""
        self._seen: Counter[str] = Counter()
        self._named: dict[str, list[Output]] | None = None

    def place(self, source: QuerySource, rows: str) -> str:
        """Make *source* visible, and return its position."""
        self._seen[rows] += 1
        slot = self.slots[id(source)] = f"{short(rows)}.{self._seen[rows]}"
        self.sources.append(source)
        return slot

    def pads(self, source: QuerySource) -> bool:
        """Return whether *source* has rows of NULLs here, for which its expressions are not computed."""
        return id(source) in self.padded

    def before(self, output: Output, name: str) -> list[Output]:
        """Return the expressions called *name* before *output*, or none if it belongs to another query."""
        if self._named is None:
            self._named = {}
            for one in self.query.outputs:
                self._named.setdefault(one.name.lower(), []).append(one)
        if not any(one is output for one in self._named.get(output.name.lower(), [])):
            return []
        return [
            one for one in self._named.get(name, []) if one.ordinal < output.ordinal and one.node is not None
        ]


def names_and_values(keyed: QueryFingerprint) -> str:
    """Return a key of all columns of a query, including names."""
    outputs = zip(keyed.query.outputs, keyed.values, strict=True)
    return short(str([(output.name.lower(), value) for output, value in outputs]))
