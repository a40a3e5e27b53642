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
from collections.abc import Mapping

from sqlglot import exp

from recce_meta.errors import SqlNotAnalysed
from recce_meta.sql_diff.clauses import OF_SELECTS, OF_WITHS
from recce_meta.sql_diff.expressions import ANYWHERE, QueryFingerprint, names_and_values, short
from recce_meta.sql_diff.facts import Facts
from recce_meta.sql_diff.frames import Frame
from recce_meta.sql_diff.identifiers import ALIASES_BEFORE_COLUMNS
from recce_meta.sql_diff.membership import Memberships
from recce_meta.sql_diff.references import OF_SUBQUERIES, typed_columns
from recce_meta.sql_diff.stages import (
    GROUPED,
    LATE,
    Parts,
    across,
    brackets_around,
    brackets_of,
    can_merge,
    digest,
    has_a_name_twice,
    label,
    merge_parts,
    operand_pairs,
    own_stages,
    padded_by,
    rows_of_operand,
)
from recce_meta.sql_lineage.expressions import NODE, arg, args, structure
from recce_meta.sql_lineage.query import (
    STAR,
    Function,
    Pivot,
    Query,
    QuerySource,
    Select,
    SelfReference,
    SetOperation,
    Table,
    Values,
)
from recce_meta.sql_lineage.scope import outputs_by_name
from recce_meta.sql_lineage.statements import CHANGING

OF_SETS = OF_SUBQUERIES.union("expression distinct".split())
OF_FUNCTIONS = frozenset("alias offset joins laterals pivots".split())
OF_PIVOTS = frozenset({"alias", "this"})
OF_CTES = frozenset("this alias scalar materialized".split())


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
            around, self._frames.outermost = self._frames.outermost, depth
            binds, unstable = (self._binds, self.columns.passed), self.unstable
            self._binds, self.columns.passed, self.unstable = 0, 0, False
            keyed = QueryFingerprint(query)
            self._open.append(query)
            self._read(query, keyed)
            self._open.pop()
            keyed.outermost = self._frames.outermost if self._frames.outermost < depth else ANYWHERE
            keyed.unstable = self.unstable
            self._keyed[id(query), ANYWHERE if keyed.outermost == ANYWHERE else depth] = keyed
            self._frames.outermost, self.unstable = around, unstable
            self._binds, self.columns.passed = binds
            self.found[id(query)] = keyed
        self.unstable = self.unstable or keyed.unstable
        self._frames.outermost = min(self._frames.outermost, keyed.outermost)
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
        keyed.values = tuple(self.output(output) for output in query.outputs)
        for implied in query.implied.values():
            self.output(implied)
        if id(query) in self._recursive:
            keyed.parts["recursion"] = keyed.values
        self._frames.pop()
        keyed.rows = digest(keyed.parts)
        if self._is_through(query, keyed):
            self.columns.throughs[id(query)] = keyed.parts["tables"][0]
            keyed.rows = keyed.inputs[0][1]

    def _is_through(self, query: Query, keyed: QueryFingerprint) -> bool:
        """Return whether the rows of *query* are those of its only source."""
        parts = [name for name, keys in keyed.parts.items() if keys]
        return (
            isinstance(query, Select)
            and len(self._base_sources(query)) == 1
            and parts == ["tables"]
            and len(keyed.parts["tables"]) == 1
            and self._frames.outermost >= len(self._frames)
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
        parts = keyed.parts
        if len(base) < len(query.sources):
            self._look_up(query, frame)
        parts |= self._from(query, base, slots)
        parts["functions"] = self._clauses.row_makers(query)
        parts["grouping"] = self._clauses.grouping(query)
        parts["having"] = self._clauses.conditions(query.having, query)
        parts["qualify"] = self._clauses.conditions(query.qualify, query)
        if self._removes_rows(query) and id(query) not in self._members:
            parts["distinct"] = ("all", *sorted({self.output(output) for output in query.outputs}))
        if query.distinct_on:
            on = {self._clauses.ambiguous(clause, query) for clause in query.distinct_on}
            parts["distinct"] = ("on", *sorted(on))
        parts["order"] = self._clauses.order(query)
        parts["limit"] = self._clauses.limit(query)
        keyed.guessed = any(inner is not None and inner.guessed for _, _, inner in inputs)
        defined = arg(query.node, "with")
        around = self.expressions.arguments(defined, OF_WITHS) if defined is not None else ""
        parts["with"] = (around,) if around else ()
        parts["query"] = self._clauses.texts(query, guessed=keyed.guessed)
        # Which of several equal rows remain is the warehouse's choice.
        if query.distinct_on or parts["limit"]:
            self.unstable = True
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
            groups=bool(self._clauses.implied_group(query)),
            distinct=self._removes_rows(query),
            others=others,
            dialect=self._dialect,
            is_true=self.expressions.is_true,
        )
        if not can_merge(own, below, query):
            return None
        frame.below = source
        frame.passes = own <= LATE
        frame.shuts = not {name for name, keys in below.parts.items() if keys} <= GROUPED
        return below

    def _from(self, query: Select, sources: list[QuerySource], slots: list[str]) -> Parts:
        """Return the parts of FROM and WHERE; *sources* are those that decide over the rows."""
        frame, joins = self._frames[-1], [source.join for source in sources]
        padded, conditions = frame.padded, []
        if any(brackets_of(source, {}) for source in sources):
            padded.update(*(padded_by(join, sources, place) for place, join in enumerate(joins)))
            padded.update(id(source) for source in sources if padded)
        for place, join in enumerate(joins):
            conditions.append(self._clauses.of_join(join, sources, place))
            padded.update(padded_by(join, sources, place))
        frame.is_joined = True
        aliased = query if self._dialect in ALIASES_BEFORE_COLUMNS else None
        filters = self._with_match(query, self._clauses.conditions(query.where, aliased))
        return self._clauses.from_parts(sources, slots, conditions, filters)

    def _look_up(self, query: Select, frame: Frame) -> None:
        """Place the lookups of *query*: each is identified by its rows and by the conditions of its join."""
        padded: set[int] = set()
        for place, source in enumerate(query.sources):
            if id(source) in self.columns.lookups:
                rows, _ = self._source(source)
                frame.sources.append(source)
                frame.slots[id(source)] = f"{short(rows)}.looked up"
                # Earlier outer joins may have filled what the condition reads with NULLs.
                frame.padded = {*padded}
                conditions = self._clauses.of_join(source.join, query.sources, place)
                slot = frame.slots[id(source)] = f"{short(f'lookup({rows};{conditions})')}.1"
                self.unions.add(slot)
            padded.update(padded_by(source.join, query.sources, place))
        frame.padded = padded & self.columns.lookups.keys()

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
            self.columns.values[id(output)] = across(output, query, slots, self.output)
        keyed.inputs = tuple(("", operand.rows, operand) for operand in operands)
        if query.kind == "union" and not query.distinct and slots != sorted(slots):
            self.unions.add(short(str(slots)))
        keyed.parts["set operation"] = (query.kind, "distinct" if query.distinct else "all", *sorted(slots))
        if query.distinct or query.kind != "union":
            keyed.parts["distinct"] = operand_pairs(query, slots, operands)
        keyed.parts["order"] = self._clauses.order(query)
        keyed.parts["limit"] = self._clauses.limit(query)
        self.unstable = self.unstable or bool(keyed.parts["limit"])
        others = [name for name in query.node.args if name not in OF_SETS]
        keyed.parts["query"] = self._clauses.written(query.node, others)

    def _pivot(self, query: Pivot, keyed: QueryFingerprint, frame: Frame) -> None:
        rows, inner = self._source(query.source)
        frame.place(query.source, rows)
        keyed.inputs = ((label(query.source), rows, inner),)
        written = self.expressions.arguments(query.node, OF_PIVOTS)
        keyed.parts["pivot"] = (rows, short(written), self.everything([query.source]))
        for output in (*query.outputs, *query.implied.values()):
            if output.reads.plain is None:
                self.columns.values[id(output)] = f"pivot({output.name.lower()!r})"

    def _rows_written_out(self, query: Values, keyed: QueryFingerprint) -> None:
        if not isinstance(query.node, exp.Values):
            # ClickHouse: a CTE that is a single value.
            keyed.parts["values"] = ("1", self.expressions.key(query.node))
            return
        listed, key = args(query.node, "expressions"), self.expressions.key
        rows = [row.expressions if isinstance(row, exp.Tuple) else [row] for row in listed]
        keyed.parts["values"] = (str(len(rows)),)
        for output in (*query.outputs, *query.implied.values()):
            cells = [key(row[output.ordinal]) if 0 <= output.ordinal < len(row) else "" for row in rows]
            name = output.name.lower() if output.ordinal < 0 else ""
            self.columns.values[id(output)] = short(f"values({cells};{name})")

    def _function(self, query: Function, keyed: QueryFingerprint) -> None:
        node = query.node
        if isinstance(node, CHANGING):
            self.unstable = True
            keyed.parts["function"] = (structure(node),)
        else:
            keyed.parts["function"] = (
                str(node.key),
                short(self.expressions.arguments(node, OF_FUNCTIONS)),
                "offset" if node.args.get("offset") else "",
                *(self.expressions.key(column) for column in typed_columns(node)),
                *(self.reference(one) for one in query.reads.references if isinstance(node, exp.Table)),
            )
        alias = node.args.get("alias")
        name = alias.name.lower() if isinstance(alias, NODE) else ""
        for output in query.outputs:
            self.columns.values[id(output)] = f"function({output.ordinal})"
        for output in query.implied.values():
            called = "" if output.name.lower() == name else output.name.lower()
            self.columns.values[id(output)] = f"function({called!r})"

    def _self(self, query: SelfReference, keyed: QueryFingerprint) -> None:
        place = next((place for place, one in enumerate(self._open) if one is query.query), None)
        if place is None:
            raise SqlNotAnalysed(f"the recursion of {query.name} is not supported")
        self._recursive.add(id(query.query))
        self._frames.outermost = min(self._frames.outermost, place)
        level = len(self._open) - place
        keyed.parts["itself"] = (str(level),)
        for output in query.outputs:
            self.columns.values[id(output)] = f"itself({level},{output.ordinal})"
        for output in query.implied.values():
            self.columns.values[id(output)] = f"itself({level},{output.name.lower()!r})"

    def _source(self, source: QuerySource) -> tuple[str, QueryFingerprint | None]:
        """Return the rows key of *source*, and the keys of its query."""
        extras = self._extras(source.node)
        if source.cte is not None:  # DuckDB: `USING KEY (a)`
            extras += self.expressions.arguments(source.cte.node, OF_CTES)
        self.unstable = self.unstable or bool(extras)
        if isinstance(source.relation, Table):
            return f"table({self._table(source)};{extras})", None
        inner = self.query(source.relation)
        rows = repr(label(source).lower()) if self._by_label else inner.rows
        # Readers of one random subquery see the same rows, those of two equal ones do not.
        if inner.unstable and not self._by_label and (number := self.columns.uses.shared(source.relation)):
            rows = short(f"{rows};shared {number}")
        hint = source.cte.node.args.get("materialized") if source.cte is not None else None
        if inner.unstable and not self._by_label and hint is not None:  # computed once, or for each reader
            rows = short(f"{rows};materialized {hint}")
        if extras or has_a_name_twice(source.relation):
            return short(f"{rows};{extras};{names_and_values(inner)}"), inner
        return rows, inner
