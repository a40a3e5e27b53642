"""Fingerprints of queries: one key for the rows, and one for the values of each output column.

A query stands for a bag of rows, and each of its outputs for a function of such a row. Two queries with the
same `rows` key have the same bag. Two outputs of such queries with the same value key are the same function.
Keys contain no names of relations, subqueries or columns. A source is identified by its own rows key and by
the number of equal sources before it, a column by its source and its value key there.

Keys are built bottom-up, once for each query. Constructs that are not understood enter a key as text with all
visible sources. Such texts may compare as different by mistake, but never as equal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from sqlglot import exp

from recce_meta.errors import SqlNotAnalysed
from recce_meta.sql_diff.expressions import ANYWHERE, Frame, QueryFingerprint, names_and_values, short
from recce_meta.sql_diff.facts import Facts
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
from recce_meta.sql_diff.identifiers import ALIASES_BEFORE_COLUMNS, COLUMNS_BEFORE_ALIASES
from recce_meta.sql_diff.membership import Memberships
from recce_meta.sql_diff.references import OF_SUBQUERIES, typed_columns
from recce_meta.sql_diff.stages import (
    CUTS,
    EACH_TIME,
    GROUPED,
    INNER,
    LATE,
    brackets_around,
    brackets_of,
    can_merge,
    computed_outputs,
    digest,
    first_join,
    has_a_name_twice,
    is_asof,
    kind_of,
    label,
    merge_parts,
    once,
    operand_of,
    operand_pairs,
    own_stages,
    padded_by,
    rows_of_operand,
)
from recce_meta.sql_lineage.expressions import NODE, arg, args, structure
from recce_meta.sql_lineage.query import (
    STAR,
    Alias,
    Clause,
    Function,
    Join,
    Output,
    Pivot,
    Query,
    QuerySource,
    Select,
    SelfReference,
    SetOperation,
    Table,
    Values,
)
from recce_meta.sql_lineage.scope import find_column, is_open, outputs_by_name
from recce_meta.sql_lineage.statements import CHANGING
from recce_meta.warehouses.types import Sql

OF_SELECTS = OF_SUBQUERIES | {
    *"expressions from from_ where having qualify windows distinct hint group".split()
}
"""Arguments of a SELECT with dedicated handling; all others are part of its key as text."""
OF_SETS = OF_SUBQUERIES.union("expression distinct".split())
OF_GROUPS = frozenset({"expressions", "all"})
OF_JOINS = frozenset("this on using side kind hint".split())
OF_FUNCTIONS = frozenset("alias offset joins laterals pivots".split())
OF_PIVOTS = frozenset({"alias", "this"})
OF_STARS = frozenset("except except_ replace rename".split())
OF_ORDERS = frozenset({"this", "expressions"})
THIS = frozenset({"this"})
OF_CTES = frozenset("this alias scalar materialized".split())
OF_WITHS = frozenset("expressions recursive search".split())


class Fingerprints(Memberships):
    """Builder of the keys of queries from one text.

    With *by_label*, a source is identified by its name instead of its rows. This compares the columns of two
    queries with different rows. With *facts*, keys are equal if the values are for all rows with these facts.
    """

    def __init__(
        self,
        dialect: str,
        sql: str,
        folded: Mapping[int, str],
        facts: Facts | None = None,
        *,
        by_label: bool = False,
    ) -> None:
        super().__init__(dialect, sql, folded, facts)
        self._by_label = by_label
        self._keyed: dict[tuple[int, int], QueryFingerprint] = {}
        self._implied: dict[int, tuple[str, ...]] = {}
        self._open: list[Query] = []
        """Queries in progress, outermost first, to detect that a recursive query reads itself."""
        self._recursive: set[int] = set()
        self.found: dict[int, QueryFingerprint] = {}
        """Finished queries by `id`."""

    def query(self, query: Query) -> QueryFingerprint:
        """Return the keys of *query*. A query that reads no enclosing query is processed once."""
        depth = len(self._frames)
        # A correlated query refers to frames by their distance, so its keys hold only at this depth.
        keyed = self._keyed.get((id(query), ANYWHERE)) or self._keyed.get((id(query), depth))
        if keyed is None:
            around, self._outermost = self._outermost, depth
            binds, unstable = (self._binds, self._passed), self._unstable
            self._binds, self._passed, self._unstable = 0, 0, False
            keyed = QueryFingerprint(query)
            self._open.append(query)
            self._read(query, keyed)
            self._open.pop()
            keyed.outermost = self._outermost if self._outermost < depth else ANYWHERE
            keyed.unstable = self._unstable
            self._keyed[id(query), ANYWHERE if keyed.outermost == ANYWHERE else depth] = keyed
            self._outermost, self._unstable = around, unstable
            self._binds, self._passed = binds
            self.found[id(query)] = keyed
        self._unstable = self._unstable or keyed.unstable
        self._outermost = min(self._outermost, keyed.outermost)
        return keyed

    def _read(self, query: Query, keyed: QueryFingerprint) -> None:
        frame = Frame(query)
        self._frames.append(frame)
        if isinstance(query, (Select, SetOperation)):
            for cte in query.ctes:  # in order, so that a long chain of CTEs does not recurse deeply
                self.query(cte.query)
        if isinstance(query, Select):
            self._select(query, keyed, frame)
        elif isinstance(query, SetOperation):
            self._set_operation(query, keyed)
        elif isinstance(query, Pivot):
            self._pivot(query, keyed, frame)
        elif isinstance(query, Values):
            self._rows_written_out(query, keyed)
        elif isinstance(query, Function):
            self._function(query, keyed)
        else:
            self._self(query, keyed)
        keyed.values = tuple(self._output(output) for output in query.outputs)
        for implied in query.implied.values():
            self._output(implied)
        if id(query) in self._recursive:
            keyed.parts["recursion"] = keyed.values
        self._frames.pop()
        keyed.rows = digest(keyed.parts)
        if self._is_through(query, keyed):
            self._throughs[id(query)] = keyed.parts["tables"][0]
            keyed.rows = keyed.inputs[0][1]

    def _is_through(self, query: Query, keyed: QueryFingerprint) -> bool:
        """Return whether the rows of *query* are those of its only source."""
        parts = [name for name, keys in keyed.parts.items() if keys]
        return (
            isinstance(query, Select)
            and len(self._base_sources(query)) == 1
            and parts == ["tables"]
            and len(keyed.parts["tables"]) == 1
            and self._outermost >= len(self._frames)
            and not self._by_label
        )

    # Selects

    def _select(self, query: Select, keyed: QueryFingerprint, frame: Frame) -> None:
        slots = []
        inputs = []
        self._find_lookups(query)
        base = self._base_sources(query)
        for source in base:
            rows, inner = self._source(source)
            slots.append(frame.place(source, rows))
            inputs.append((label(source), rows, inner))
        keyed.inputs = tuple(inputs)
        below = self._below(query, frame, inputs)
        parts, node = keyed.parts, query.node
        if len(base) < len(query.sources):
            self._look_up(query, frame)
        self._from(query, base, slots, parts)
        parts["functions"] = self._row_makers(query)
        parts["grouping"] = self._grouping(query)
        parts["having"] = self._conditions(query.having, query)
        parts["qualify"] = self._conditions(query.qualify, query)
        if self._removes_rows(query) and id(query) not in self._members:
            parts["distinct"] = ("all", *sorted({self._output(output) for output in query.outputs}))
        if query.distinct_on:
            on = {self._ambiguous(clause, query) for clause in query.distinct_on}
            parts["distinct"] = ("on", *sorted(on))
        parts["order"] = self._order(query)
        parts["limit"] = self._by_arrival(self._written(node, CUTS), query)
        listed = (one.this if isinstance(one, exp.Column) else one for one in args(node, "expressions"))
        stars = [one for one in listed if isinstance(one, exp.Star)]
        keyed.guessed = any(inner is not None and inner.guessed for _, _, inner in inputs)
        of_stars = frozenset() if keyed.guessed else OF_STARS
        defined = arg(node, "with")
        around = self._expressions.arguments(defined, OF_WITHS) if defined is not None else ""
        parts["with"] = (around,) if around else ()
        parts["query"] = (
            *self._written(node, [name for name in node.args if name not in OF_SELECTS]),
            *(text for star in stars if (text := self._expressions.arguments(star, of_stars))),
            *(self._key(one) for one in args(node, "expressions") if chooses_by_name(one)),
        )
        # Which of several equal rows remain is the warehouse's choice.
        if query.distinct_on or parts["limit"]:
            self._unstable = True
        if below is not None:
            keyed.parts = merge_parts(below.parts, parts)
            keyed.inputs, keyed.core = below.inputs, below.core or below.query

    def _below(
        self, query: Select, frame: Frame, inputs: list[tuple[str, str, QueryFingerprint | None]]
    ) -> QueryFingerprint | None:
        """Return the keys of the only source of *query*, if the two are equivalent to one query."""
        if len(inputs) != 1 or inputs[0][2] is None:
            return None
        source, below = self._base_sources(query)[0], inputs[0][2]
        rows = repr(label(source).lower()) if self._by_label else below.rows
        is_alone = source.join is None and not source.lateral and inputs[0][1] == rows
        if not is_alone or below.outermost != ANYWHERE or id(below.query) in self._recursive:
            return None
        others = [name for name in query.node.args if name not in OF_SELECTS]
        own = own_stages(
            query,
            groups=bool(self._implied_group(query)),
            distinct=self._removes_rows(query),
            others=others,
            dialect=self._dialect,
            is_true=self._expressions.is_true,
        )
        if not can_merge(own, below, query):
            return None
        frame.below = source
        frame.passes = own <= LATE
        frame.shuts = not {name for name, keys in below.parts.items() if keys} <= GROUPED
        return below

    def _from(
        self, query: Select, sources: list[QuerySource], slots: list[str], parts: dict[str, tuple[str, ...]]
    ) -> None:
        """Add the parts of FROM and WHERE to *parts*; *sources* are those that decide over the rows."""
        joins = [source.join for source in sources]
        padded, conditions = self._frames[-1].padded, []
        if any(brackets_of(source, {}) for source in sources):
            padded.update(*(padded_by(join, sources, place) for place, join in enumerate(joins)))
            padded.update(id(source) for source in sources if padded)
        for place, join in enumerate(joins):
            conditions.append(self._join_conditions(join, sources, place))
            padded.update(padded_by(join, sources, place))
        self._frames[-1].is_joined = True
        aliased = query if self._dialect in ALIASES_BEFORE_COLUMNS else None
        filters = self._with_match(query, self._conditions(query.where, aliased))
        # Inner joins commute, and their conditions are filters.
        if all(join is None or self._is_plain(join) for join in joins):
            parts["tables"] = tuple(sorted(slots))
            parts["filter"] = once((*filters, *(key for keys in conditions for key in keys)))
            return
        parts["filter"] = filters
        turned, joined = self._turned(sources, slots, conditions)
        parts["tables"] = (*turned, *slots[len(turned) :])
        brackets: dict[int, int] = {}
        rest = list(zip(joins, conditions, sources, strict=True))[len(turned) :]
        parts["joins"] = (
            *joined,
            *(
                f"{kind_of(join)}({','.join(keys)};{self._join_extras(join)};{brackets_of(source, brackets)})"
                for join, keys, source in rest
                if join is not None or brackets_of(source, brackets)
            ),
        )

    def _turned(
        self, sources: list[QuerySource], slots: list[str], conditions: list[tuple[str, ...]]
    ) -> tuple[list[str], tuple[str, ...]]:
        """Return the first tables of FROM in one order for all equal ones, and the key of their join."""
        first = first_join(sources)
        items = sources[: first.size] if first is not None else []
        inner = (self.found.get(id(source.relation)) for source in items)
        if (
            first is None
            or any(self._join_extras(source.join) for source in items)
            or any(one is not None and one.outermost != ANYWHERE for one in inner)
        ):
            return [], ()
        begin = slots[: first.size]
        turned = sorted(begin) if first.kind == "INNER" else begin[::-1]
        if turned != begin:
            self._unions.add(short(f"joined {begin}"))
        keys = sorted(key for each in conditions[: first.size] for key in each)
        return turned, (f"{first.kind}({','.join(keys)};;[])",)

    def _look_up(self, query: Select, frame: Frame) -> None:
        """Place the lookups of *query*: each is identified by its rows and by the conditions of its join."""
        padded: set[int] = set()
        for place, source in enumerate(query.sources):
            if id(source) in self._lookups:
                rows, _ = self._source(source)
                frame.sources.append(source)
                frame.slots[id(source)] = f"{short(rows)}.looked up"
                # Earlier outer joins may have filled what the condition reads with NULLs.
                frame.padded = {*padded}
                conditions = self._join_conditions(source.join, query.sources, place)
                slot = frame.slots[id(source)] = f"{short(f'lookup({rows};{conditions})')}.1"
                self._unions.add(slot)
            padded.update(padded_by(source.join, query.sources, place))
        frame.padded = padded & self._lookups.keys()

    def _is_plain(self, join: Join) -> bool:
        """Return whether order and position of the join's condition do not matter."""
        return join.kind in INNER and not self._join_extras(join)

    def _join_extras(self, join: Join | None) -> str:
        if join is None or not isinstance(join.node, exp.Join):
            return ""
        return self._expressions.arguments(join.node, OF_JOINS)

    def _join_conditions(self, join: Join | None, sources: list[QuerySource], place: int) -> tuple[str, ...]:
        if join is None:
            return ()
        keys = [*self._conditions([join.on] if join.on else [])]
        if join.on is not None and join.node is not None:
            on = arg(join.node, "on")  # next to a MATCH_CONDITION
            if on is not None and on is not join.on.node:
                keys += self._expressions.conditions(on)
        for merged in join.using:
            columns = [self._reference(column) for column in merged.columns]
            if len(columns) == 2:
                keys.append(short(f"eq({','.join(sorted(columns))})"))
            else:
                names = [name.name.lower() for name in args(join.node, "using")] if join.node else []
                keys.append(short(f"using({columns};{names})"))
        if join.kind.startswith("NATURAL") and any(is_open(source) for source in sources[: place + 1]):
            keys.append("natural" + self._everything(sources[: place + 1]))
        if join.using and not join.on and is_asof(join):  # the last column is compared by order
            keys.append(f"asof {keys[-1]}")
        return tuple(sorted(keys))

    def _row_makers(self, query: Select) -> tuple[str, ...]:
        nodes = computed_outputs(query)
        return tuple(sorted(self._key(call) for node in nodes for call in row_makers(node, self._dialect)))

    def _grouping(self, query: Select) -> tuple[str, ...]:
        if query.group or query.group_all or self._implied_group(query):
            self._groups[id(query)] = None
        is_sure = self._dialect in COLUMNS_BEFORE_ALIASES
        listed = [self._clause(one) if is_sure else self._ambiguous(one, query) for one in query.group]
        keys = set(listed)
        if query.group_all:
            grouped = (one for one in query.outputs if one.node is None or not aggregates(one.node))
            keys |= {self._output(output) for output in grouped}
        group = query.node.args.get("group")
        if isinstance(group, NODE):
            ordered = listed if rolls_up(group) else sorted(keys)
            extras = self._expressions.arguments(group, OF_GROUPS)
            if not has_subtotals(group) and not extras:
                self._groups[id(query)] = frozenset(keys)
            return ("by", *ordered, extras)
        if (implied := self._implied_group(query)) == ("one",):
            self._groups[id(query)] = frozenset()
        return implied

    def _implied_group(self, query: Select) -> tuple[str, ...]:
        """Return the key part that marks a query without GROUP BY as aggregating all rows into one."""
        if id(query) not in self._implied:
            self._implied[id(query)] = self._find_implied_group(query)
        return self._implied[id(query)]

    def _find_implied_group(self, query: Select) -> tuple[str, ...]:
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

    # Other queries

    def _set_operation(self, query: SetOperation, keyed: QueryFingerprint) -> None:
        operands = [self.query(operand) for operand in query.operands]
        keyed.guessed = any(operand.guessed for operand in operands) or (
            STAR in outputs_by_name(query.operands[0]) and STAR not in outputs_by_name(query)
        )
        seen: Counter[str] = Counter()
        slots = []
        for place, operand in enumerate(operands):
            rows = f"operand {place}" if self._by_label else rows_of_operand(operand, query)
            seen[rows] += 1
            # EXCEPT subtracts from its first operand, so that operand keeps its place.
            first = ".first" if place == 0 and query.kind == "except" else ""
            slots.append(f"{rows}.{seen[rows]}{first}{brackets_around(operand.query, query.kind)}")
        for output in (*query.outputs, *query.implied.values()):
            self._values[id(output)] = self._across(output, query, slots)
        keyed.inputs = tuple(("", operand.rows, operand) for operand in operands)
        if query.kind == "union" and not query.distinct and slots != sorted(slots):
            self._unions.add(short(str(slots)))
        keyed.parts["set operation"] = (query.kind, "distinct" if query.distinct else "all", *sorted(slots))
        if query.distinct or query.kind != "union":
            keyed.parts["distinct"] = operand_pairs(query, slots, operands)
        keyed.parts["order"] = self._order(query)
        keyed.parts["limit"] = self._by_arrival(self._written(query.node, CUTS), query)
        self._unstable = self._unstable or bool(keyed.parts["limit"])
        keyed.parts["query"] = self._written(
            query.node, [one for one in query.node.args if one not in OF_SETS]
        )

    def _across(self, output: Output, query: SetOperation, slots: list[str]) -> str:
        """Return the key of a set operation's column: the values from each operand."""
        found = {
            slots[operand_of(branch, place, query)]: self._output(branch)
            for place, branch in enumerate(output.branches)
        }
        key = str(sorted(found.items()))
        if any(STAR in outputs_by_name(operand) for operand in query.operands):
            # Columns are paired by position, which depends on all columns before them.
            end = output.ordinal + 1 if output.ordinal >= 0 else None
            before = [
                (slot, [self._output(one) for one in operand.outputs[:end]])
                for slot, operand in zip(slots, query.operands, strict=True)
            ]
            # The first operand determines the names.
            is_told = output.star is None and STAR not in outputs_by_name(query.operands[0])
            name = output.name.lower() if is_told else f"{output.name.lower()} of {slots[0]}"
            key = f"{key};{name!r};{sorted(before)}"
        return short(f"across({key})")

    def _pivot(self, query: Pivot, keyed: QueryFingerprint, frame: Frame) -> None:
        rows, inner = self._source(query.source)
        frame.place(query.source, rows)
        keyed.inputs = ((label(query.source), rows, inner),)
        written = self._expressions.arguments(query.node, OF_PIVOTS)
        keyed.parts["pivot"] = (rows, short(written), self._everything([query.source]))
        for output in (*query.outputs, *query.implied.values()):
            if output.reads.plain is None:
                self._values[id(output)] = f"pivot({output.name.lower()!r})"

    def _rows_written_out(self, query: Values, keyed: QueryFingerprint) -> None:
        if not isinstance(query.node, exp.Values):
            # ClickHouse: a CTE that is a single value.
            keyed.parts["values"] = ("1", self._key(query.node))
            return
        rows = [
            row.expressions if isinstance(row, exp.Tuple) else [row]
            for row in args(query.node, "expressions")
        ]
        keyed.parts["values"] = (str(len(rows)),)
        for output in (*query.outputs, *query.implied.values()):
            cells = [self._key(row[output.ordinal]) if 0 <= output.ordinal < len(row) else "" for row in rows]
            self._values[id(output)] = short(
                f"values({cells};{output.name.lower() if output.ordinal < 0 else ''})"
            )

    def _function(self, query: Function, keyed: QueryFingerprint) -> None:
        node = query.node
        if isinstance(node, CHANGING):
            self._unstable = True
            keyed.parts["function"] = (structure(node),)
        else:
            keyed.parts["function"] = (
                str(node.key),
                short(self._expressions.arguments(node, OF_FUNCTIONS)),
                "offset" if node.args.get("offset") else "",
                *(self._key(column) for column in typed_columns(node)),
                *(self._reference(one) for one in query.reads.references if isinstance(node, exp.Table)),
            )
        alias = node.args.get("alias")
        name = alias.name.lower() if isinstance(alias, NODE) else ""
        for output in query.outputs:
            self._values[id(output)] = f"function({output.ordinal})"
        for output in query.implied.values():
            called = "" if output.name.lower() == name else output.name.lower()
            self._values[id(output)] = f"function({called!r})"

    def _self(self, query: SelfReference, keyed: QueryFingerprint) -> None:
        place = next((place for place, one in enumerate(self._open) if one is query.query), None)
        if place is None:
            raise SqlNotAnalysed(f"the recursion of {query.name} is not supported")
        self._recursive.add(id(query.query))
        self._outermost = min(self._outermost, place)
        level = len(self._open) - place
        keyed.parts["itself"] = (str(level),)
        for output in query.outputs:
            self._values[id(output)] = f"itself({level},{output.ordinal})"
        for output in query.implied.values():
            self._values[id(output)] = f"itself({level},{output.name.lower()!r})"

    # Parts of queries

    def _source(self, source: QuerySource) -> tuple[str, QueryFingerprint | None]:
        """Return the rows key of *source*, and the keys of its query."""
        extras = self._extras(source.node)
        if source.cte is not None:  # DuckDB: `USING KEY (a)`
            extras += self._expressions.arguments(source.cte.node, OF_CTES)
        self._unstable = self._unstable or bool(extras)
        if isinstance(source.relation, Table):
            return f"table({self._table(source)};{extras})", None
        inner = self.query(source.relation)
        rows = repr(label(source).lower()) if self._by_label else inner.rows
        # Readers of one random subquery see the same rows, those of two equal ones do not.
        if inner.unstable and not self._by_label and (number := self._count().shared(source.relation)):
            rows = short(f"{rows};shared {number}")
        hint = source.cte.node.args.get("materialized") if source.cte is not None else None
        if inner.unstable and not self._by_label and hint is not None:  # computed once, or for each reader
            rows = short(f"{rows};materialized {hint}")
        if extras or has_a_name_twice(source.relation):
            return short(f"{rows};{extras};{names_and_values(inner)}"), inner
        return rows, inner

    def _order(self, query: Select | SetOperation) -> tuple[str, ...]:
        order = query.node.args.get("order")
        if not isinstance(order, NODE):
            return ()
        nodes = args(order, "expressions")
        if len(nodes) != len(query.order):
            return self._written(query.node, ["order"])
        keys = []
        for node, clause in zip(nodes, query.order, strict=True):
            direction = self._expressions.arguments(node, THIS) if isinstance(node, exp.Ordered) else ""
            keys.append(f"{self._ambiguous(clause, query)} {direction}")
            if clause.node.name.upper() == "ALL":
                keys += [self._output(output) for output in query.outputs]
        return (*keys, *self._written(order, [name for name in order.args if name not in OF_ORDERS]))

    def _by_arrival(self, cuts: tuple[str, ...], query: Select | SetOperation) -> tuple[str, ...]:
        """Return *cuts*, with the order in which `union all` yields rows if no ORDER BY determines it."""
        return (*cuts, *sorted(self._unions)) if cuts and not query.order else cuts

    def _clause(self, clause: Clause) -> str:
        plain = clause.reads.plain
        by_place = isinstance(plain, Alias) and not isinstance(clause.node, exp.Column)
        return self._reference(plain) if plain is not None and by_place else self._key(clause.node)

    def _ambiguous(self, clause: Clause, query: Select | SetOperation) -> str:
        """Return the key of a clause whose names may be outputs or source columns: dialects differ."""
        key = self._clause(clause)
        others = {other for other in self._candidates(clause, query) if other != key}
        return short(f"{key}|{sorted(others)}") if others else key

    def _candidates(self, clause: Clause, query: Select | SetOperation) -> Iterator[str]:
        """Yield the other meanings that names in *clause* have in some dialect."""
        for node in in_this_query(clause.node):
            if not isinstance(node, exp.Column) or node.table:
                continue
            name, meant = node.name.lower(), self._column_node(node)
            for output in query.outputs:
                if output.name.lower() == name and output.star is None:
                    key = self._output(output)
                    if key != meant:
                        yield key
            for source in query.sources if isinstance(query, Select) else ():
                column = find_column(source, node.name, name)
                if column is not None and (key := self._column(column, node.name)) != meant:
                    yield key

    def _conditions(self, clauses: Iterable[Clause], query: Select | None = None) -> tuple[str, ...]:
        """Return the keys of conditions and, if *query* is given, of its outputs that they may name."""
        keys: list[str] = []
        unstable, self._unstable = self._unstable, False
        for clause in clauses:
            keys += self._expressions.conditions(clause.node)
            if query is not None:
                keys += {f"or {other}" for other in self._candidates(clause, query)}
        mark, self._unstable = EACH_TIME if self._unstable else "", self._unstable or unstable
        return once(f"{mark}{key}" for key in keys)

    def _written(self, node: Sql, names: Iterable[str]) -> tuple[str, ...]:
        """Return the keys of the arguments called *names* that are present."""
        every = frozenset(node.args)
        found = [self._expressions.arguments(node, every - {name}) for name in names if node.args.get(name)]
        return tuple(sorted(key for key in found if key))
