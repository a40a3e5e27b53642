"""Keys of the clauses of queries: conditions, groups, orders and limits, also those of joins.

Dialects differ on names in clauses: one may mean an output or a column of a source. The key of a clause then
contains every meaning.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

from sqlglot import exp

from recce_meta.sql_diff.expressions import ANYWHERE, short
from recce_meta.sql_diff.functions import (
    aggregates,
    aggregates_of_outer,
    chooses_by_name,
    has_subtotals,
    has_unknown_calls_only,
    in_this_query,
    rolls_up,
    row_makers,
)
from recce_meta.sql_diff.identifiers import COLUMNS_BEFORE_ALIASES
from recce_meta.sql_diff.references import OF_SUBQUERIES, References
from recce_meta.sql_diff.stages import (
    CUTS,
    EACH_TIME,
    INNER,
    Parts,
    brackets_of,
    computed_outputs,
    first_join,
    is_asof,
    kind_of,
    once,
)
from recce_meta.sql_lineage.expressions import NODE, arg, args
from recce_meta.sql_lineage.query import Alias, Clause, Join, QuerySource, Select, SetOperation, Table
from recce_meta.sql_lineage.scope import find_column, is_open
from recce_meta.warehouses.types import Sql

OF_SELECTS = OF_SUBQUERIES | {
    *"expressions from from_ where having qualify windows distinct hint group".split()
}
"""Arguments of a SELECT with dedicated handling; all others are part of its key as text."""
OF_JOINS = frozenset("this on using side kind hint".split())
OF_GROUPS = frozenset({"expressions", "all"})
OF_STARS = frozenset("except except_ replace rename".split())
OF_ORDERS = frozenset({"this", "expressions"})
OF_WITHS = frozenset("expressions recursive search".split())
THIS = frozenset({"this"})
Keys = tuple[str, ...]


class ClauseKeys:
    """Builder of the keys of clauses; *references* has the keys of the names in them."""

    def __init__(self, references: References, dialect: str) -> None:
        self._references = references
        self._expressions = references.expressions
        self._dialect = dialect
        self.groups: dict[int, frozenset[str] | None] = {}
        """Keys of the groups of each query with GROUP BY; none of them if all rows are one group."""
        self.implied_group = cache(implied_group)

    def conditions(self, clauses: Iterable[Clause], query: Select | None = None) -> Keys:
        """Return the keys of conditions and, if *query* is given, of its outputs that they may name."""
        keys, references = list[str](), self._references
        unstable, references.unstable = references.unstable, False
        for clause in clauses:
            keys += self._expressions.conditions(clause.node)
            if query is not None:
                keys += {f"or {other}" for other in self._candidates(clause, query)}
        mark, references.unstable = EACH_TIME if references.unstable else "", references.unstable or unstable
        return once(f"{mark}{key}" for key in keys)

    def of_join(self, join: Join | None, sources: list[QuerySource], place: int) -> Keys:
        """Return the keys of the conditions of *join*, which joins the source at *place*."""
        if join is None:
            return ()
        keys = [*self.conditions([join.on] if join.on else [])]
        if join.on is not None and join.node is not None:
            on = arg(join.node, "on")  # next to a MATCH_CONDITION
            if on is not None and on is not join.on.node:
                keys += self._expressions.conditions(on)
        for merged in join.using:
            columns = [self._references.reference(column) for column in merged.columns]
            if len(columns) == 2:
                keys.append(short(f"eq({','.join(sorted(columns))})"))
            else:
                names = [name.name.lower() for name in args(join.node, "using")] if join.node else []
                keys.append(short(f"using({columns};{names})"))
        if join.kind.startswith("NATURAL") and any(is_open(source) for source in sources[: place + 1]):
            keys.append("natural" + self._references.everything(sources[: place + 1]))
        if join.using and not join.on and is_asof(join):  # the last column is compared by order
            keys.append(f"asof {keys[-1]}")
        return tuple(sorted(keys))

    def join_extras(self, join: Join | None) -> str:
        """Return the key of the arguments of *join* without a meaning of their own."""
        if join is None or not isinstance(join.node, exp.Join):
            return ""
        return self._expressions.arguments(join.node, OF_JOINS)

    def from_parts(
        self, sources: list[QuerySource], slots: list[str], conditions: list[Keys], filters: Keys
    ) -> Parts:
        """Return the parts of FROM and WHERE; *slots* and *conditions* are keys of *sources* and joins."""
        joins = [source.join for source in sources]
        # Inner joins commute, and their conditions are filters.
        if all(join is None or (join.kind in INNER and not self.join_extras(join)) for join in joins):
            every = once((*filters, *(key for keys in conditions for key in keys)))
            return {"tables": tuple(sorted(slots)), "filter": every}
        turned, joined = self._turned(sources, slots, conditions)
        brackets: dict[int, int] = {}
        rest = list(zip(joins, conditions, sources, strict=True))[len(turned) :]
        listed = (
            f"{kind_of(join)}({','.join(keys)};{self.join_extras(join)};{brackets_of(source, brackets)})"
            for join, keys, source in rest
            if join is not None or brackets_of(source, brackets)
        )
        tables = (*turned, *slots[len(turned) :])
        return {"filter": filters, "tables": tables, "joins": (*joined, *listed)}

    def _turned(
        self, sources: list[QuerySource], slots: list[str], conditions: list[Keys]
    ) -> tuple[list[str], Keys]:
        """Return the first tables of FROM in one order for all equal ones, and the key of their join."""
        first = first_join(sources)
        items = sources[: first.size] if first is not None else []
        inner = (one.relation for one in items if not isinstance(one.relation, Table))
        if (
            first is None
            or any(self.join_extras(source.join) for source in items)
            or any(self._references.query(one).outermost != ANYWHERE for one in inner)
        ):
            return [], ()
        begin = slots[: first.size]
        turned = sorted(begin) if first.kind == "INNER" else begin[::-1]
        if turned != begin:
            self._references.unions.add(short(f"joined {begin}"))
        keys = sorted(key for each in conditions[: first.size] for key in each)
        return turned, (f"{first.kind}({','.join(keys)};;[])",)

    def row_makers(self, query: Select) -> Keys:
        """Return the keys of calls in the outputs of *query* that may yield several rows."""
        nodes = computed_outputs(query)
        calls = (call for node in nodes for call in row_makers(node, self._dialect))
        return tuple(sorted(map(self._expressions.key, calls)))

    def grouping(self, query: Select) -> Keys:
        """Return the key part of GROUP BY, and record the groups."""
        if query.group or query.group_all or self.implied_group(query):
            self.groups[id(query)] = None
        is_sure = self._dialect in COLUMNS_BEFORE_ALIASES
        listed = [self._clause(one) if is_sure else self.ambiguous(one, query) for one in query.group]
        keys = set(listed)
        if query.group_all:
            grouped = (one for one in query.outputs if one.node is None or not aggregates(one.node))
            keys |= {self._references.output(output) for output in grouped}
        group = query.node.args.get("group")
        if isinstance(group, NODE):
            ordered = listed if rolls_up(group) else sorted(keys)
            extras = self._expressions.arguments(group, OF_GROUPS)
            if not has_subtotals(group) and not extras:
                self.groups[id(query)] = frozenset(keys)
            return ("by", *ordered, extras)
        if (implied := self.implied_group(query)) == ("one",):
            self.groups[id(query)] = frozenset()
        return implied

    def order(self, query: Select | SetOperation) -> Keys:
        """Return the keys of ORDER BY."""
        order = query.node.args.get("order")
        if not isinstance(order, NODE):
            return ()
        nodes = args(order, "expressions")
        if len(nodes) != len(query.order):
            return self.written(query.node, ["order"])
        keys = []
        for node, clause in zip(nodes, query.order, strict=True):
            direction = self._expressions.arguments(node, THIS) if isinstance(node, exp.Ordered) else ""
            keys.append(f"{self.ambiguous(clause, query)} {direction}")
            if clause.node.name.upper() == "ALL":
                keys += [self._references.output(output) for output in query.outputs]
        return (*keys, *self.written(order, [name for name in order.args if name not in OF_ORDERS]))

    def limit(self, query: Select | SetOperation) -> Keys:
        """Return the keys of LIMIT and, if no ORDER BY orders the rows, of how `union all` yields them."""
        cuts = self.written(query.node, CUTS)
        return (*cuts, *sorted(self._references.unions)) if cuts and not query.order else cuts

    def ambiguous(self, clause: Clause, query: Select | SetOperation) -> str:
        """Return the key of a clause whose names may be outputs or source columns: dialects differ."""
        key = self._clause(clause)
        others = {other for other in self._candidates(clause, query) if other != key}
        return short(f"{key}|{sorted(others)}") if others else key

    def _clause(self, clause: Clause) -> str:
        plain = clause.reads.plain
        if isinstance(plain, Alias) and not isinstance(clause.node, exp.Column):  # by its position
            return self._references.reference(plain)
        return self._expressions.key(clause.node)

    def _candidates(self, clause: Clause, query: Select | SetOperation) -> Iterator[str]:
        """Yield the other meanings that names in *clause* have in some dialect."""
        references = self._references
        for node in in_this_query(clause.node):
            if not isinstance(node, exp.Column) or node.table:
                continue
            name, meant = node.name.lower(), references.column_node(node)
            for output in query.outputs:
                if output.name.lower() == name and output.star is None:
                    key = references.output(output)
                    if key != meant:
                        yield key
            for source in query.sources if isinstance(query, Select) else ():
                column = find_column(source, node.name, name)
                if column is not None and (key := references.columns.key(column, node.name)) != meant:
                    yield key

    def texts(self, query: Select, *, guessed: bool) -> Keys:
        """Return the keys of what has no part of its own; *guessed* are the columns of the sources."""
        node = query.node
        listed = (one.this if isinstance(one, exp.Column) else one for one in args(node, "expressions"))
        stars = [one for one in listed if isinstance(one, exp.Star)]
        of_stars = frozenset() if guessed else OF_STARS
        return (
            *self.written(node, [name for name in node.args if name not in OF_SELECTS]),
            *(text for star in stars if (text := self._expressions.arguments(star, of_stars))),
            *(self._expressions.key(one) for one in args(node, "expressions") if chooses_by_name(one)),
        )

    def written(self, node: Sql, names: Iterable[str]) -> Keys:
        """Return the keys of the arguments called *names* that are present."""
        every = frozenset(node.args)
        found = [self._expressions.arguments(node, every - {name}) for name in names if node.args.get(name)]
        return tuple(sorted(key for key in found if key))


def implied_group(query: Select) -> Keys:
    """Return the key part that marks a query without GROUP BY as aggregating all rows into one."""
    if query.having:
        return ("one",)
    nodes = computed_outputs(query)
    nodes += [clause.node for clause in (*query.order, *query.qualify)]
    found = [aggregates(node) for node in nodes]
    found += [aggregates_of_outer(output.reads.subqueries, query.sources) for output in query.outputs]
    if any(found):
        return ("one",)
    if None in found and all(
        output.node is not None and has_unknown_calls_only(output.node) for output in query.outputs
    ):
        inner = (below for node in nodes for below in in_this_query(node))
        calls = {below.name.upper() for below in inner if isinstance(below, exp.Anonymous)}
        return ("perhaps one", *sorted(calls))
    return ()
