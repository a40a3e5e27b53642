"""Keys of queries: of their rows, and of the values in each output column.

A query stands for a bag of rows, and each of its outputs for a function of such a row. Two queries with the
same `rows` key have the same bag; two outputs of such queries with the same value key are the same function.
Names of relations, subqueries and columns are in no key: a source is known by its own rows key and by how
many of the same stand before it, a column by its source and its value key there.

Keys are made bottom-up, once for each query. Whatever is not understood enters a key as it is written, with
everything in reach, so that two texts are the same or they are different, and never the same by mistake.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest

from sqlglot import exp

from recce_meta.dialects.types import Sql
from recce_meta.diff.semantic.expressions import conjuncts, is_always, short
from recce_meta.diff.semantic.folding import ALIASES_BEFORE_COLUMNS, COLUMNS_BEFORE_ALIASES
from recce_meta.diff.semantic.frames import ANYWHERE, Frame, Keyed, names_and_values
from recce_meta.diff.semantic.functions import (
    aggregates,
    aggregates_of_outer,
    has_unknown_calls_only,
    in_this_query,
    rolls_up,
)
from recce_meta.diff.semantic.joins import INNER, brackets_of, is_asof, kind_of, padded_by
from recce_meta.diff.semantic.known_functions import row_makers
from recce_meta.diff.semantic.references import OF_SUBQUERIES, References, typed_columns
from recce_meta.diff.semantic.stages import CUTS, GROUPED, LATE, continued, goes_on, own_stages
from recce_meta.errors import SqlNotAnalysed
from recce_meta.graph.columns.query import (
    STAR,
    Alias,
    Clause,
    Function,
    Join,
    Output,
    Pivot,
    Query,
    Select,
    SelfReference,
    SetOperation,
    Source,
    Table,
    Values,
)
from recce_meta.graph.columns.returning import CHANGING
from recce_meta.graph.columns.scope import find, index, is_open
from recce_meta.graph.columns.tree import NODE, arg, args, structure

OF_SELECTS = OF_SUBQUERIES | {
    *"expressions from from_ where having qualify windows distinct hint group".split()
}
"""Arguments of a SELECT that are understood; any other is part of what it is."""
OF_SETS = OF_SUBQUERIES.union("expression distinct".split())
OF_GROUPS = frozenset({"expressions", "all"})
OF_JOINS = frozenset("this on using side kind hint".split())
OF_FUNCTIONS = frozenset("alias offset joins laterals pivots".split())
OF_PIVOTS = frozenset({"alias", "this"})
OF_STARS = frozenset("except except_ replace rename".split())
MATCHES = (exp.Like, exp.ILike, exp.SimilarTo, exp.Glob, exp.RegexpLike)
"""Patterns that DuckDB takes behind a `*`."""
OF_ORDERS = frozenset({"this", "expressions"})
THIS = frozenset({"this"})
OF_CTES = frozenset("this alias scalar materialized".split())
OF_WITHS = frozenset("expressions recursive search".split())


class Keys(References):
    """Makes the keys of queries that came from one text.

    With *by_label* a source is known by its name and not by its rows: what is left to compare are the columns
    of two queries whose rows are not the same.
    """

    def __init__(self, dialect: str, sql: str, folded: Mapping[int, str], *, by_label: bool = False) -> None:
        super().__init__(dialect, sql, folded)
        self._by_label = by_label
        self._keyed: dict[tuple[int, int], Keyed] = {}
        self._implied: dict[int, tuple[str, ...]] = {}
        self._open: list[Query] = []
        """Queries that are being read, outermost first: recursive ones are found again in themselves."""
        self._recursive: set[int] = set()
        self.found: dict[int, Keyed] = {}
        """By `id` of each query that was read."""

    def query(self, query: Query) -> Keyed:
        """The keys of *query*. A query that reads nothing around it is read once."""
        depth = len(self._frames)
        keyed = self._keyed.get((id(query), ANYWHERE)) or self._keyed.get((id(query), depth))
        if keyed is None:
            around, self._outermost = self._outermost, depth
            binds, unstable = (self._binds, self._passed), self._unstable
            self._binds, self._passed, self._unstable = 0, 0, False
            keyed = Keyed(query)
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

    def _read(self, query: Query, keyed: Keyed) -> None:
        frame = Frame(query)
        self._frames.append(frame)
        if isinstance(query, (Select, SetOperation)):
            for cte in query.ctes:  # in order, so that a long chain of them is no deep recursion
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

    def _is_through(self, query: Query, keyed: Keyed) -> bool:
        """Whether the rows of *query* are those of its only source."""
        parts = [name for name, keys in keyed.parts.items() if keys]
        return (
            isinstance(query, Select)
            and len(query.sources) == 1
            and parts == ["tables"]
            and len(keyed.parts["tables"]) == 1
            and self._outermost >= len(self._frames)
            and not self._by_label
        )

    # Selects

    def _select(self, query: Select, keyed: Keyed, frame: Frame) -> None:
        slots = []
        inputs = []
        for source in query.sources:
            rows, inner = self._source(source)
            slots.append(frame.place(source, rows))
            inputs.append((label(source), rows, inner))
        keyed.inputs = tuple(inputs)
        below = self._below(query, frame, inputs)
        parts, node = keyed.parts, query.node
        self._from(query, slots, parts)
        parts["functions"] = self._row_makers(query)
        parts["grouping"] = self._grouping(query)
        parts["having"] = self._conditions(query.having, query)
        parts["qualify"] = self._conditions(query.qualify, query)
        if query.distinct:
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
        if query.distinct_on or parts["limit"]:
            self._unstable = True
        if below is not None:
            keyed.parts = continued(below.parts, parts)
            keyed.inputs, keyed.core = below.inputs, below.core or below.query

    def _below(
        self, query: Select, frame: Frame, inputs: list[tuple[str, str, Keyed | None]]
    ) -> Keyed | None:
        """The keys of the only source of *query*, if both are as good as one query."""
        if len(inputs) != 1 or inputs[0][2] is None:
            return None
        source, below = query.sources[0], inputs[0][2]
        rows = repr(label(source).lower()) if self._by_label else below.rows
        is_alone = source.join is None and not source.lateral and inputs[0][1] == rows
        if not is_alone or below.outermost != ANYWHERE or id(below.query) in self._recursive:
            return None
        others = [name for name in query.node.args if name not in OF_SELECTS]
        own = own_stages(query, groups=bool(self._implied_group(query)), others=others, dialect=self._dialect)
        if not goes_on(own, below, query):
            return None
        frame.below = source
        frame.passes = own <= LATE
        frame.shuts = not {name for name, keys in below.parts.items() if keys} <= GROUPED
        return below

    def _from(self, query: Select, slots: list[str], parts: dict[str, tuple[str, ...]]) -> None:
        joins = [source.join for source in query.sources]
        padded, conditions = self._frames[-1].padded, []
        if any(brackets_of(source, {}) for source in query.sources):
            padded.update(*(padded_by(join, query.sources, place) for place, join in enumerate(joins)))
            padded.update(id(source) for source in query.sources if padded)
        for place, join in enumerate(joins):
            conditions.append(self._join_conditions(join, query.sources, place))
            padded.update(padded_by(join, query.sources, place))
        filters = self._conditions(query.where, query if self._dialect in ALIASES_BEFORE_COLUMNS else None)
        if all(join is None or self._is_plain(join) for join in joins):
            parts["tables"] = tuple(sorted(slots))
            parts["filter"] = tuple(sorted([*filters, *(key for keys in conditions for key in keys)]))
            return
        parts["tables"] = tuple(slots)
        parts["filter"] = filters
        brackets: dict[int, int] = {}
        parts["joins"] = tuple(
            f"{kind_of(join)}({','.join(keys)};{self._join_extras(join)};{brackets_of(source, brackets)})"
            for join, keys, source in zip(joins, conditions, query.sources, strict=True)
            if join is not None or brackets_of(source, brackets)
        )

    def _is_plain(self, join: Join) -> bool:
        """Whether order and place of the join's condition do not matter."""
        return join.kind in INNER and not self._join_extras(join)

    def _join_extras(self, join: Join | None) -> str:
        if join is None or not isinstance(join.node, exp.Join):
            return ""
        return self._expressions.arguments(join.node, OF_JOINS)

    def _join_conditions(self, join: Join | None, sources: list[Source], place: int) -> tuple[str, ...]:
        if join is None:
            return ()
        keys = [*self._conditions([join.on] if join.on else [])]
        if join.on is not None and join.node is not None:
            on = arg(join.node, "on")  # beside a MATCH_CONDITION
            if on is not None and on is not join.on.node:
                keys += [self._key(condition) for condition in conjuncts(on)]
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
        nodes = computed(query)
        return tuple(sorted(self._key(call) for node in nodes for call in row_makers(node, self._dialect)))

    def _grouping(self, query: Select) -> tuple[str, ...]:
        is_sure = self._dialect in COLUMNS_BEFORE_ALIASES
        listed = [self._clause(one) if is_sure else self._ambiguous(one, query) for one in query.group]
        keys = set(listed)
        if query.group_all:
            grouped = (one for one in query.outputs if one.node is None or not aggregates(one.node))
            keys |= {self._output(output) for output in grouped}
        group = query.node.args.get("group")
        if isinstance(group, NODE):
            ordered = listed if rolls_up(group) else sorted(keys)
            return ("by", *ordered, self._expressions.arguments(group, OF_GROUPS))
        return self._implied_group(query)

    def _implied_group(self, query: Select) -> tuple[str, ...]:
        """What says that a query without GROUP BY makes one row of all."""
        if id(query) not in self._implied:
            self._implied[id(query)] = self._find_implied_group(query)
        return self._implied[id(query)]

    def _find_implied_group(self, query: Select) -> tuple[str, ...]:
        if query.having:
            return ("one",)
        nodes = computed(query)
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

    def _set_operation(self, query: SetOperation, keyed: Keyed) -> None:
        operands = [self.query(operand) for operand in query.operands]
        keyed.guessed = any(operand.guessed for operand in operands) or (
            STAR in index(query.operands[0]) and STAR not in index(query)
        )
        seen: Counter[str] = Counter()
        slots = []
        for place, operand in enumerate(operands):
            rows = f"operand {place}" if self._by_label else operand.rows
            seen[rows] += 1
            first = ".first" if place == 0 and query.kind == "except" else ""
            slots.append(f"{rows}.{seen[rows]}{first}{brackets_around(operand.query, query.kind)}")
        for output in (*query.outputs, *query.implied.values()):
            self._values[id(output)] = self._across(output, query, slots)
        keyed.inputs = tuple(("", operand.rows, operand) for operand in operands)
        if query.kind == "union" and not query.distinct and slots != sorted(slots):
            self._unions.add(short(str(slots)))
        keyed.parts["set operation"] = (query.kind, "distinct" if query.distinct else "all", *sorted(slots))
        if query.distinct or query.kind != "union":
            keyed.parts["distinct"] = compared(query, slots, operands)
        keyed.parts["order"] = self._order(query)
        keyed.parts["limit"] = self._by_arrival(self._written(query.node, CUTS), query)
        self._unstable = self._unstable or bool(keyed.parts["limit"])
        keyed.parts["query"] = self._written(
            query.node, [one for one in query.node.args if one not in OF_SETS]
        )

    def _across(self, output: Output, query: SetOperation, slots: list[str]) -> str:
        """The key of a column of a set operation: what each operand puts there."""
        found = {
            slots[operand_of(branch, place, query)]: self._output(branch)
            for place, branch in enumerate(output.branches)
        }
        key = str(sorted(found.items()))
        if any(STAR in index(operand) for operand in query.operands):
            # Columns are taken by their place, which depends on all that stands before them.
            end = output.ordinal + 1 if output.ordinal >= 0 else None
            before = [
                (slot, [self._output(one) for one in operand.outputs[:end]])
                for slot, operand in zip(slots, query.operands, strict=True)
            ]
            # The first operand says what they are called.
            is_told = output.star is None and STAR not in index(query.operands[0])
            name = output.name.lower() if is_told else f"{output.name.lower()} of {slots[0]}"
            key = f"{key};{name!r};{sorted(before)}"
        return short(f"across({key})")

    def _pivot(self, query: Pivot, keyed: Keyed, frame: Frame) -> None:
        rows, inner = self._source(query.source)
        frame.place(query.source, rows)
        keyed.inputs = ((label(query.source), rows, inner),)
        written = self._expressions.arguments(query.node, OF_PIVOTS)
        keyed.parts["pivot"] = (rows, short(written), self._everything([query.source]))
        for output in (*query.outputs, *query.implied.values()):
            if output.reads.plain is None:
                self._values[id(output)] = f"pivot({output.name.lower()!r})"

    def _rows_written_out(self, query: Values, keyed: Keyed) -> None:
        if not isinstance(query.node, exp.Values):
            # ClickHouse: a CTE that is one value.
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

    def _function(self, query: Function, keyed: Keyed) -> None:
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

    def _self(self, query: SelfReference, keyed: Keyed) -> None:
        place = next((place for place, one in enumerate(self._open) if one is query.query), None)
        if place is None:
            raise SqlNotAnalysed(f"{query.name} reads itself in a way that is not understood")
        self._recursive.add(id(query.query))
        self._outermost = min(self._outermost, place)
        level = len(self._open) - place
        keyed.parts["itself"] = (str(level),)
        for output in query.outputs:
            self._values[id(output)] = f"itself({level},{output.ordinal})"
        for output in query.implied.values():
            self._values[id(output)] = f"itself({level},{output.name.lower()!r})"

    # Parts of queries

    def _source(self, source: Source) -> tuple[str, Keyed | None]:
        """The rows key of *source*, and the keys of its query."""
        extras = self._extras(source.node)
        if source.cte is not None:  # DuckDB: `USING KEY (a)`
            extras += self._expressions.arguments(source.cte.node, OF_CTES)
        self._unstable = self._unstable or bool(extras)
        if isinstance(source.relation, Table):
            return f"table({self._table(source)};{extras})", None
        inner = self.query(source.relation)
        rows = repr(label(source).lower()) if self._by_label else inner.rows
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
        """Return *cuts*, with the order in which `union all` gives rows if no ORDER BY decides."""
        return (*cuts, *sorted(self._unions)) if cuts and not query.order else cuts

    def _clause(self, clause: Clause) -> str:
        plain = clause.reads.plain
        by_place = isinstance(plain, Alias) and not isinstance(clause.node, exp.Column)
        return self._reference(plain) if plain is not None and by_place else self._key(clause.node)

    def _ambiguous(self, clause: Clause, query: Select | SetOperation) -> str:
        """The key of a clause whose names may be outputs or columns of sources: dialects differ."""
        key = self._clause(clause)
        others = {other for other in self._candidates(clause, query) if other != key}
        return short(f"{key}|{sorted(others)}") if others else key

    def _candidates(self, clause: Clause, query: Select | SetOperation) -> Iterator[str]:
        """What else the names in *clause* could mean in some dialect."""
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
                column = find(source, node.name, name)
                if column is not None and (key := self._column(column, node.name)) != meant:
                    yield key

    def _conditions(self, clauses: Iterable[Clause], query: Select | None = None) -> tuple[str, ...]:
        """Keys of conditions; of those that may name outputs of *query* too, where there is one."""
        keys: list[str] = []
        for clause in clauses:
            keys += [self._key(one) for one in conjuncts(clause.node) if not is_always(one, True)]
            if query is not None:
                keys += {f"or {other}" for other in self._candidates(clause, query)}
        return tuple(sorted(keys))

    def _written(self, node: Sql, names: Iterable[str]) -> tuple[str, ...]:
        """Keys of the arguments called *names*, where there are any."""
        every = frozenset(node.args)
        found = [self._expressions.arguments(node, every - {name}) for name in names if node.args.get(name)]
        return tuple(sorted(key for key in found if key))


def computed(query: Select) -> list[Sql]:
    """The expressions of outputs that are more than a column."""
    return [one.node for one in query.outputs if one.node is not None and one.reads.plain is None]


def chooses_by_name(node: Sql) -> bool:
    """Whether *node* is `* like 'a%'` or `* similar to 'a'`, of which it is not known which columns match."""
    while isinstance(node, (exp.Not, exp.Paren, exp.Escape)):
        node = node.this
    chosen = node.this if isinstance(node, MATCHES) else None
    return isinstance(chosen.this if isinstance(chosen, exp.Column) else chosen, exp.Star)


def has_a_name_twice(query: Query) -> bool:
    """Whether *query* calls two columns alike: dialects differ in what such a name means further out."""
    names = [name for output in query.outputs if (name := output.name.lower()) not in ("", STAR)]
    stars = [output.star for output in query.outputs if output.star is not None]
    tables = [
        source.relation.name
        for star in stars
        for source in star.sources
        if isinstance(source.relation, Table) and star.passes is None
    ]
    return len(set(names)) < len(names) or len(set(tables)) < len(tables)


def brackets_around(operand: Query, kind: str) -> str:
    """A mark of brackets where warehouses, and versions of sqlglot, disagree on what binds more."""
    if not isinstance(operand, SetOperation) or "intersect" not in (kind, operand.kind):
        return ""
    return ".bracketed" if isinstance(operand.node.parent, exp.Subquery) else ""


def compared(query: SetOperation, slots: list[str], operands: list[Keyed]) -> tuple[str, ...]:
    """What decides which rows are duplicates: the columns of all operands, as they meet."""
    is_open_somewhere = any(STAR in index(operand) for operand in query.operands)
    if query.by_name or is_open_somewhere:
        return tuple(
            sorted(f"{slot}={names_and_values(one)}" for slot, one in zip(slots, operands, strict=True))
        )
    beside = zip_longest(*(operand.values for operand in operands), fillvalue="")
    return tuple(sorted({short(str(sorted(zip(slots, values, strict=True)))) for values in beside}))


def operand_of(branch: Output, place: int, query: SetOperation) -> int:
    """The number of the operand that *branch* is a column of."""
    if place < len(query.operands) and any(branch is one for one in query.operands[place].outputs):
        return place
    for number, operand in enumerate(query.operands):
        if any(branch is one for one in (*operand.outputs, *operand.implied.values())):
            return number
    return place


def label(source: Source) -> str:
    """What a reason calls *source*."""
    if isinstance(source.relation, Table):
        return source.relation.name
    return source.cte.name if source.cte is not None else source.alias


def digest(parts: dict[str, tuple[str, ...]]) -> str:
    """One key for all of *parts*; parts that are empty count as absent."""
    found = [f"{name}={list(keys)}" for name, keys in sorted(parts.items()) if keys]
    return short("|".join(found) or "one row")
