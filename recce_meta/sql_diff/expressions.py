"""Expression keys: equal keys mean equal values, regardless of how the expressions are written.

`QueryFingerprint` holds the keys of a query, and `Frame` a query's state while they are built.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple, Protocol

from sqlglot import exp

from recce_meta.sql_diff.functions import UNSTABLE, binding
from recce_meta.sql_diff.identifiers import names_of
from recce_meta.sql_lineage.expressions import NODE
from recce_meta.sql_lineage.query import Query
from recce_meta.warehouses.types import Sql

LONGEST = 160
"""Length above which a key is replaced by its hash, so that nested keys stay short."""

Kind = type[Any]
"""Class of an expression."""
CONNECTORS = (exp.And, exp.Or)
JSON_OPERATORS = (exp.JSONExtract, exp.JSONExtractScalar, exp.JSONBExtract, exp.JSONBExtractScalar)
SYMMETRIC = (exp.EQ, exp.NEQ, exp.NullSafeEQ, exp.NullSafeNEQ)
COMPARISONS = (*SYMMETRIC, exp.GT, exp.GTE, exp.LT, exp.LTE)
ONE_COALESCE = "coalesce:COALESCE"
CONDITIONS = (*COMPARISONS, *CONNECTORS, exp.Not, exp.In, exp.Between, exp.Is)
"""Expressions that yield only true, false or NULL."""
SWAPPED = {exp.GT: "lt", exp.GTE: "lte"}
"""Comparisons that equal another one with its sides swapped."""
NEGATED_EQUALITY: dict[Kind, Kind] = {
    exp.EQ: exp.NEQ,
    exp.NEQ: exp.EQ,
    exp.NullSafeEQ: exp.NullSafeNEQ,
    exp.NullSafeNEQ: exp.NullSafeEQ,
}
"""Comparisons with those that are true where they are false. Both are NULL for the same operands."""
NEGATED_ORDER: dict[Kind, Kind] = {exp.GT: exp.LTE, exp.LTE: exp.GT, exp.LT: exp.GTE, exp.GTE: exp.LT}
"""The same for an order of all values: by IEEE 754, `not (a <= 2)` is true for NaN, and `a > 2` is false."""
QUANTIFIERS = (exp.Any, exp.All)
ORDERS_ALL = frozenset({"databricks", "duckdb", "mysql", "postgres", "snowflake", "spark", "sqlite"})
"""Dialects in which NaN is greater than all numbers, or that have no NaN.

https://www.postgresql.org/docs/current/datatype-numeric.html#DATATYPE-NUMERIC-DECIMAL
https://duckdb.org/docs/stable/sql/data_types/numeric
https://docs.snowflake.com/en/sql-reference/data-types-numeric#special-values
https://docs.databricks.com/aws/en/sql/language-manual/data-types/special-floating-point-values
"""
SPLITS_BETWEEN = ORDERS_ALL - {"mysql"}
"""Dialects in which `a between 1 and 2` is `a >= 1 and a <= 2`, if both bounds have one type.

MySQL compares all three in a type that depends on all of them.
"""
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


def conjuncts(node: Sql) -> Iterator[Sql]:
    """Yield the conditions that `and` joins in *node*, through parentheses."""
    stack = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, exp.Paren):
            stack.append(current.this)
        elif isinstance(current, exp.And):
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
    return is_stable(node.expression)


def is_stable(node: Sql) -> bool:
    """Return whether *node* has one value in a row, however often it is computed."""
    calls = (below for below in node.walk() if isinstance(below, (exp.Func, exp.Query)))
    return not any(isinstance(call, exp.Query) or binding(call) & UNSTABLE for call in calls)


def _sides(node: Sql) -> tuple[Sql | _Bound, ...]:
    """Return the conditions that a connector or BETWEEN joins."""
    if isinstance(node, exp.Between):
        low, high = node.args["low"], node.args["high"]
        return _Bound(exp.LTE, node.this, high), _Bound(exp.GTE, node.this, low)
    return node.args["expression"], node.this


def _bare(node: Sql) -> Sql:
    while isinstance(node, exp.Paren):
        node = node.this
    return node


def _is_number(node: Sql) -> bool:
    while isinstance(node, exp.Paren):
        node = node.this
    return isinstance(node, NUMBERS) or (isinstance(node, exp.Literal) and not node.is_string)


class _Bound(NamedTuple):
    """Comparison of a BETWEEN with one of its bounds."""

    kind: Kind
    this: Sql
    expression: Sql


class _Operand(NamedTuple):
    """Condition that others are joined with, and whether it is negated."""

    node: Sql | _Bound
    is_negated: bool


class Nullness(Protocol):
    """What facts prove about the expressions of a query."""

    def is_never_null(self, node: Sql) -> bool:
        """Return whether *node* is never NULL where it stands."""

    def is_first(self, coalesce: Sql) -> bool:
        """Return whether *coalesce* has the value and the type of its first argument."""


class ExpressionKeys:
    """Builder of keys for one query's expressions.

    *sql* is the parsed text. *meaning* returns the key of a node that stands for something else, such as a
    column or query. *named_window* finds a window of the `WINDOW` clause. *folded* contains words lost in
    parsing, by `id` of the node whose key includes them.
    """

    def __init__(
        self,
        dialect: str,
        sql: str,
        meaning: Meaning,
        named_window: NamedWindow,
        folded: Mapping[int, str],
    ) -> None:
        self._names = names_of(dialect)
        self._negated = NEGATED_EQUALITY | (NEGATED_ORDER if dialect in ORDERS_ALL else {})
        self._splits_between = dialect in SPLITS_BETWEEN
        self._sql = sql
        self._meaning = meaning
        self._named_window = named_window
        self._folded = folded
        self.nullness: Nullness | None = None
        """Proofs from facts; without it, any column may be NULL."""

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
            return self.key(node.this)
        if (truth := self._null_test(node)) is not None:
            return self._as_parsed(exp.Boolean(this=truth))
        if isinstance(node, (*CONNECTORS, exp.Not, exp.Between)):
            return self._condition(node)
        if isinstance(node, COMPARISONS):
            return self._compared(node.__class__, node)
        if isinstance(node, exp.Coalesce) and self._is_first(node):
            return self.key(node.this)
        if isinstance(node, exp.Binary):
            return self._chain(node)
        if isinstance(node, exp.In) and node.args.get("expressions"):
            return self._among(node)
        if isinstance(node, exp.Count) and (counts_rows(node) or self._counts_all(node)):
            return "count(*)"
        return short(f"{self._called(node)}({self.arguments(node)})")

    def _null_test(self, node: Sql) -> bool | None:
        """Return the value of `a is null` or `a is not null` if facts prove it."""
        if self.nullness is None:
            return None
        is_negated = isinstance(node, exp.Not)
        test = _bare(node.this) if is_negated else node
        if not isinstance(test, exp.Is) or not isinstance(test.expression, exp.Null):
            return None
        if {id(one) for one in (node, test)} & self._folded.keys():
            return None
        return is_negated if self.nullness.is_never_null(test.this) else None

    def is_true(self, condition: Sql) -> bool:
        """Return whether *condition* is true in each row."""
        return is_always(condition, True) or self._null_test(_bare(condition)) is True

    def _is_neutral(self, term: _Operand, kind: Kind) -> bool:
        """Return whether *kind* of *term* and another condition is that condition: `true and x`."""
        if isinstance(term.node, _Bound):
            return False
        is_true = (kind is exp.And) is not term.is_negated
        return is_always(term.node, is_true) or self._null_test(_bare(term.node)) is is_true

    def _is_first(self, coalesce: Sql) -> bool:
        """Return whether *coalesce* is its first argument."""
        if self._called(coalesce) != ONE_COALESCE:
            return False
        return not coalesce.expressions or (self.nullness is not None and self.nullness.is_first(coalesce))

    def _counts_all(self, count: Sql) -> bool:
        """Return whether *count* counts every row, because its argument is never NULL."""
        given = {name for name, value in count.args.items() if value and name != "big_int"}
        is_one = (
            given == {"this"} and isinstance(count.this, NODE) and not isinstance(count.this, exp.Distinct)
        )
        return is_one and self.nullness is not None and self.nullness.is_never_null(count.this)

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

    def conditions(self, node: Sql) -> list[str]:
        """Return the keys of the conditions that `and` joins in *node*; `true` is none."""
        terms = self._terms(_Operand(node, False), exp.And)
        return [self._signed(term) for term in terms if not self._is_neutral(term, exp.And)]

    def _condition(self, node: Sql) -> str:
        """Return the key of a connector, a negation or a BETWEEN: negations are moved to the comparisons."""
        kind, inner = self._effective(_Operand(node, False))
        if kind is not None:
            return self._connected(kind, inner)
        if inner.node is node:
            return short(f"{self._called(node)}({self.arguments(node)})")
        # `not not x` makes a boolean of x, so only a condition is equal to it.
        if inner.is_negated or isinstance(inner.node, (*CONDITIONS, _Bound)):
            return self._signed(inner)
        return short(f"not(this=not(this={self.key(inner.node)}))")

    def _connected(self, kind: Kind, joined: _Operand) -> str:
        """Return the key of the conditions that *kind* joins in *joined*."""
        every = list(self._terms(joined, kind))
        terms = [term for term in every if not self._is_neutral(term, kind)]
        # `x and true` makes a boolean of x, too.
        if len(terms) == 1 and (terms[0].is_negated or isinstance(terms[0].node, (*CONDITIONS, _Bound))):
            return self._signed(terms[0])
        keys = sorted(map(self._signed, terms if len(terms) > 1 else every))
        return short(f"{kind.key}({','.join(keys)})")

    def _effective(self, term: _Operand) -> tuple[Kind | None, _Operand]:
        """Return the connector that *term* is once its negations have been moved inwards, and its last node.

        The connector is None for other conditions.
        """
        node, is_negated = term
        while self._is_as_written(node):
            if isinstance(node, exp.Paren):
                node = node.this
            elif isinstance(node, exp.Not):
                node, is_negated = node.this, not is_negated
            else:
                break
        kind: Kind | None = None
        if not isinstance(node, _Bound) and self._is_as_written(node):
            if isinstance(node, CONNECTORS):
                kind = exp.And if isinstance(node, exp.And) is not is_negated else exp.Or
            elif isinstance(node, exp.Between) and self._is_two_comparisons(node):
                kind = exp.Or if is_negated else exp.And
        return kind, _Operand(node, is_negated)

    def _terms(self, joined: _Operand, kind: Kind) -> Iterator[_Operand]:
        """Yield the conditions that *kind* joins in *joined*, through parentheses, negations and BETWEEN."""
        stack = [joined]
        while stack:
            found, term = self._effective(stack.pop())
            if found is not kind or isinstance(term.node, _Bound):
                yield term
            else:
                stack += (_Operand(side, term.is_negated) for side in _sides(term.node))

    def _signed(self, term: _Operand) -> str:
        """Return the key of a condition, negated or not."""
        node, is_negated = term
        kind = node.kind if isinstance(node, _Bound) else node.__class__
        if isinstance(node, _Bound) or (is_negated and self._may_be_negated(node)):
            return self._compared(self._negated[kind] if is_negated else kind, node)
        if not is_negated:
            return self.key(node)
        connector, inner = self._effective(term)
        return self._connected(connector, inner) if connector else short(f"not(this={self.key(node)})")

    def _may_be_negated(self, node: Sql) -> bool:
        """Return whether the negation of *node* is another comparison of its sides."""
        # `not (a = any(…))` is `a <> all(…)`.
        return (
            node.__class__ in self._negated
            and self._is_as_written(node)
            and not any(isinstance(_bare(side), QUANTIFIERS) for side in (node.this, node.expression))
        )

    def _is_as_written(self, node: Sql | _Bound) -> bool:
        """Return whether *node* stands for itself, and lost no words in parsing."""
        return isinstance(node, NODE) and id(node) not in self._folded and self._meaning(node) is None

    def _is_two_comparisons(self, node: Sql) -> bool:
        """Return whether *node*, a BETWEEN, is the same as two comparisons."""
        low, high = node.args.get("low"), node.args.get("high")
        return (
            self._splits_between
            and not node.args.get("symmetric")
            and isinstance(low, exp.Literal)
            and isinstance(high, exp.Literal)
            and ((low.is_int and high.is_int) or (low.is_string and high.is_string))
            and is_stable(node.this)
        )

    def _compared(self, kind: Kind, node: Sql | _Bound) -> str:
        """Return the key of the comparison *kind* of the sides of *node*."""
        sides = [self.key(node.this), self.key(node.expression)]
        if kind in SYMMETRIC:
            sides.sort()
        elif kind in SWAPPED:
            sides.reverse()
        return short(f"{SWAPPED.get(kind, kind.key)}({','.join(sides)})")

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


def names_and_values(keyed: QueryFingerprint) -> str:
    """Return a key of all columns of a query, including names."""
    outputs = zip(keyed.query.outputs, keyed.values, strict=True)
    return short(str([(output.name.lower(), value) for output, value in outputs]))
