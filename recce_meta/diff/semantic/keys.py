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
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sqlglot import exp

from recce_meta.dialects.types import Sql
from recce_meta.diff.semantic.expressions import ExpressionKeys, conjuncts, short
from recce_meta.diff.semantic.folding import Names
from recce_meta.diff.semantic.functions import aggregates, has_unknown_calls_only, in_this_query, row_makers
from recce_meta.errors import SqlNotAnalysed
from recce_meta.graph.columns.query import (
    STAR,
    Alias,
    Clause,
    Column,
    Function,
    Join,
    Merged,
    Output,
    Pivot,
    Query,
    Reference,
    Select,
    SelfReference,
    SetOperation,
    Source,
    Table,
    Values,
    WholeRow,
)
from recce_meta.graph.columns.scope import find, index, is_open
from recce_meta.graph.columns.tree import NODE, SET_OPERATION, args

QUERY_NODES = (exp.Select, SET_OPERATION, exp.Subquery)
CUTS = ("limit", "offset", "fetch", "sample")
OF_RELATIONS = frozenset("this db catalog alias joins laterals pivots with with_ hints view".split())
"""Arguments of items of FROM that are understood elsewhere; any other is part of what they are."""
OF_SUBQUERIES = OF_RELATIONS | {*CUTS, "order", "locks"}
OF_SELECTS = OF_SUBQUERIES | {
    *"expressions from from_ where having qualify windows distinct hint group".split()
}
OF_GROUPS = frozenset({"expressions", "all"})
OF_JOINS = frozenset("this on using side kind hint".split())
OF_FUNCTIONS = frozenset("alias offset joins laterals pivots".split())
INNER = frozenset({"INNER", "CROSS", ""})
THIS = frozenset({"this"})
ANYWHERE = 1_000_000
"""In the place of a depth: the same at every one."""


@dataclass(slots=True, eq=False)
class Keyed:
    """The keys of one query."""

    query: Query
    rows: str = ""
    parts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """What the rows key is made of, by the name that a reason calls it."""
    values: tuple[str, ...] = ()
    """By output, in order."""
    inputs: tuple[tuple[str, str, Keyed | None], ...] = ()
    """Of sources and operands: what to call each, its rows key, and its keys where it is a query."""
    outermost: int = ANYWHERE
    """The outermost of the queries around it that it reads, counted from the outside."""


class Frame:
    """A query whose expressions are being read, with the places of its sources."""

    def __init__(self, query: Query) -> None:
        self.query = query
        self.slots: dict[int, str] = {}
        self.seen: Counter[str] = Counter()
        self.sources: list[Source] = []

    def place(self, source: Source, rows: str) -> str:
        """Put *source* in reach, and name its place."""
        self.seen[rows] += 1
        slot = self.slots[id(source)] = f"{short(rows)}.{self.seen[rows]}"
        self.sources.append(source)
        return slot


class Keys:
    """Makes the keys of queries that came from one text."""

    def __init__(self, dialect: str, sql: str) -> None:
        self._dialect = dialect
        self._names = Names(dialect)
        self._expressions = ExpressionKeys(self._names, sql, self._meaning, self._named_window)
        self._frames: list[Frame] = []
        self._keyed: dict[tuple[int, int], Keyed] = {}
        self._values: dict[int, str] = {}
        self._open: list[Query] = []
        """Queries that are being read, outermost first: recursive ones are found again in themselves."""
        self._recursive: set[int] = set()
        self._outermost = 0
        """The outermost of the frames that what is being read reaches into."""

    def query(self, query: Query) -> Keyed:
        """The keys of *query*. A query that reads nothing around it is read once."""
        depth = len(self._frames)
        keyed = self._keyed.get((id(query), ANYWHERE)) or self._keyed.get((id(query), depth))
        if keyed is None:
            around, self._outermost = self._outermost, depth
            keyed = Keyed(query)
            self._open.append(query)
            self._read(query, keyed)
            self._open.pop()
            keyed.outermost = self._outermost
            self._keyed[id(query), ANYWHERE if self._outermost >= depth else depth] = keyed
            self._outermost = around
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
            self._set_operation(query, keyed, frame)
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
        keyed.rows = digest(keyed.parts)
        self._frames.pop()

    # Kinds of queries

    def _select(self, query: Select, keyed: Keyed, frame: Frame) -> None:
        slots = []
        inputs = []
        for source in query.sources:
            rows, inner = self._source(source)
            slots.append(frame.place(source, rows))
            inputs.append((label(source), rows, inner))
        keyed.inputs = tuple(inputs)
        parts = keyed.parts
        self._from(query, slots, parts)
        node = query.node
        parts["functions"] = tuple(
            sorted(
                self._key(call)
                for output in query.outputs
                if output.node is not None
                for call in row_makers(output.node, self._dialect)
            )
        )
        parts["grouping"] = self._grouping(query)
        parts["having"] = self._conditions(query.having, query)
        parts["qualify"] = self._conditions(query.qualify, query)
        if query.distinct:
            parts["distinct"] = ("all", *sorted({self._output(output) for output in query.outputs}))
        if query.distinct_on:
            parts["distinct"] = (
                "on",
                *sorted({self._ambiguous(clause, query) for clause in query.distinct_on}),
            )
        parts["order"] = self._order(query)
        parts["limit"] = self._written(node, CUTS)
        parts["query"] = self._written(node, [name for name in node.args if name not in OF_SELECTS])

    def _from(self, query: Select, slots: list[str], parts: dict[str, tuple[str, ...]]) -> None:
        joins = [source.join for source in query.sources]
        filters = self._conditions(query.where)
        conditions = [self._join_conditions(join, query.sources, place) for place, join in enumerate(joins)]
        if all(join is None or self._is_plain(join) for join in joins):
            parts["tables"] = tuple(sorted(slots))
            parts["filter"] = tuple(sorted({*filters, *(key for keys in conditions for key in keys)}))
            return
        parts["tables"] = tuple(slots)
        parts["filter"] = filters
        parts["joins"] = tuple(
            f"{join.kind}({','.join(keys)};{self._join_extras(join)})"
            for join, keys in zip(joins, conditions, strict=True)
            if join is not None
        )

    def _is_plain(self, join: Join) -> bool:
        """Whether order and place of the join's condition do not matter."""
        return join.kind in INNER and not self._join_extras(join)

    def _join_extras(self, join: Join) -> str:
        if not isinstance(join.node, exp.Join):
            return ""
        return self._expressions.arguments(join.node, OF_JOINS)

    def _join_conditions(self, join: Join | None, sources: list[Source], place: int) -> tuple[str, ...]:
        if join is None:
            return ()
        keys = {*self._conditions([join.on] if join.on else [])}
        for merged in join.using:
            columns = [self._reference(column) for column in merged.columns]
            if len(columns) == 2:
                keys.add(short(f"eq({','.join(sorted(columns))})"))
            else:
                keys.add(short(f"using({columns};{self._join_names(join)})"))
        if join.kind.startswith("NATURAL") and any(is_open(source) for source in sources[: place + 1]):
            keys.add("natural" + self._everything(sources[: place + 1]))
        return tuple(sorted(keys))

    @staticmethod
    def _join_names(join: Join) -> list[str]:
        return [name.name.lower() for name in args(join.node, "using")] if join.node is not None else []

    def _grouping(self, query: Select) -> tuple[str, ...]:
        keys = sorted({self._ambiguous(clause, query) for clause in query.group})
        if query.group_all:
            grouped = (one for one in query.outputs if one.node is None or not aggregates(one.node))
            keys += sorted({self._output(output) for output in grouped})
        group = query.node.args.get("group")
        if isinstance(group, NODE):
            sets = self._expressions.arguments(group, OF_GROUPS)
            return ("by", *keys, sets)
        if query.group or query.group_all:
            return ("by", *keys, "")
        if query.having:
            return ("one",)
        nodes = [output.node for output in query.outputs if output.node is not None]
        nodes += [clause.node for clause in (*query.order, *query.qualify)]
        found = [aggregates(node) for node in nodes]
        if any(found):
            return ("one",)
        if None in found and all(
            output.node is not None and output.star is None and has_unknown_calls_only(output.node)
            for output in query.outputs
        ):
            calls = {
                call.name.upper()
                for node in nodes
                for call in in_this_query(node)
                if isinstance(call, exp.Anonymous)
            }
            return ("perhaps one", *sorted(calls))
        return ()

    def _set_operation(self, query: SetOperation, keyed: Keyed, frame: Frame) -> None:
        operands = [self.query(operand) for operand in query.operands]
        seen: Counter[str] = Counter()
        slots = []
        for place, operand in enumerate(operands):
            seen[operand.rows] += 1
            first = place == 0 and query.kind == "except"
            slots.append(f"{operand.rows}.{seen[operand.rows]}{'.first' if first else ''}")
        for output in (*query.outputs, *query.implied.values()):
            self._values[id(output)] = self._across(output, query, slots)
        keyed.inputs = tuple(("", operand.rows, operand) for operand in operands)
        keyed.parts["set operation"] = (query.kind, "distinct" if query.distinct else "all", *sorted(slots))
        if query.distinct or query.kind != "union":
            keyed.parts["distinct"] = tuple(sorted({self._output(output) for output in query.outputs}))
        keyed.parts["order"] = self._order(query)
        keyed.parts["limit"] = self._written(query.node, CUTS)

    def _across(self, output: Output, query: SetOperation, slots: list[str]) -> str:
        """The key of a column of a set operation: what each operand puts there."""
        found = {
            slots[_operand_of(branch, place, query, len(slots))]: self._output(branch)
            for place, branch in enumerate(output.branches)
        }
        key = ",".join(f"{slot}={value}" for slot, value in sorted(found.items()))
        if any(STAR in index(operand) for operand in query.operands):
            # Columns are taken by their place, which depends on all that stands before them.
            end = output.ordinal + 1 if output.ordinal >= 0 else None
            before = [
                (slot, [self._output(one) for one in operand.outputs[:end]])
                for slot, operand in zip(slots, query.operands, strict=True)
            ]
            key = f"{key};{output.name.lower()!r};{sorted(before)}"
        return short(f"across({key})")

    def _pivot(self, query: Pivot, keyed: Keyed, frame: Frame) -> None:
        rows, inner = self._source(query.source)
        frame.place(query.source, rows)
        keyed.inputs = ((label(query.source), rows, inner),)
        written = self._expressions.arguments(query.node, frozenset({"alias", "this"}))
        keyed.parts["pivot"] = (rows, short(written), self._everything([query.source]))
        for output in (*query.outputs, *query.implied.values()):
            if output.reads.plain is None:
                self._values[id(output)] = f"pivot({output.name.lower()!r})"

    def _rows_written_out(self, query: Values, keyed: Keyed) -> None:
        rows = [
            row.expressions if isinstance(row, exp.Tuple) else [row]
            for row in args(query.node, "expressions")
        ]
        keyed.parts["values"] = (str(len(rows)),)
        for output in (*query.outputs, *query.implied.values()):
            cells = [
                self._key(row[output.ordinal]) if 0 <= output.ordinal < len(row) else "?" for row in rows
            ]
            self._values[id(output)] = short(f"values({','.join(cells)})")

    def _function(self, query: Function, keyed: Keyed) -> None:
        node = query.node
        alias = node.args.get("alias")
        columns = args(alias, "columns") if isinstance(alias, NODE) else []
        typed = ",".join(self._key(column) for column in columns if isinstance(column, exp.ColumnDef))
        offset = "offset" if node.args.get("offset") else ""
        arguments = self._expressions.arguments(node, OF_FUNCTIONS)
        if node.args.get("cross_apply") is False:
            offset += "outer apply"
        keyed.parts["function"] = (str(node.key), short(arguments), typed, offset)
        for output in query.outputs:
            self._values[id(output)] = f"function({output.ordinal})"
        for output in query.implied.values():
            is_itself = isinstance(alias, NODE) and alias.name.lower() == output.name.lower()
            self._values[id(output)] = f"function({'' if is_itself else output.name.lower()!r})"

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

    # Sources

    def _source(self, source: Source) -> tuple[str, Keyed | None]:
        """The rows key of *source*, and the keys of its query."""
        extras = self._extras(source.node)
        if isinstance(source.relation, Table):
            return f"table({self._table(source)};{extras})", None
        inner = self.query(source.relation)
        if not extras:
            return inner.rows, inner
        return short(f"{inner.rows};{extras};{names_and_values(inner)}"), inner

    def _extras(self, node: Sql) -> str:
        """Samples, time travel and the like of an item of FROM."""
        if isinstance(node, exp.Subquery):
            return short(self._expressions.arguments(node, OF_SUBQUERIES))
        if isinstance(node, exp.Lateral):
            outer = "outer apply" if node.args.get("cross_apply") is False else ""
            return short(self._expressions.arguments(node, OF_RELATIONS) + outer)
        return short(self._expressions.arguments(node, OF_RELATIONS)) if isinstance(node, exp.Table) else ""

    def _table(self, source: Source) -> str:
        node = source.node
        parts = [
            repr(self._names.table(part)) if isinstance(part, exp.Identifier) else self._key(part)
            for name in ("catalog", "db", "this")
            if isinstance(node, exp.Table) and isinstance(part := node.args.get(name), NODE)
        ]
        return ".".join(parts) if parts else repr(getattr(source.relation, "name", ""))

    def _everything(self, sources: Iterable[Source]) -> str:
        """A key of all columns of *sources*, names included."""
        return short(f"({';'.join(self._row(source) for source in sources)})")

    def _row(self, source: Source) -> str:
        slot = self._slot(source)
        relation = source.relation
        if isinstance(relation, Table):
            return f"{slot}:{','.join(relation.columns) if relation.columns else '*'}"
        if isinstance(relation, Function):
            return slot
        return f"{slot}:{names_and_values(self.query(relation))}"

    # Expressions

    def _key(self, node: Sql) -> str:
        return self._expressions.key(node)

    def _order(self, query: Select | SetOperation) -> tuple[str, ...]:
        order = query.node.args.get("order")
        if not isinstance(order, NODE):
            return ()
        keys = []
        for node, clause in zip(args(order, "expressions"), query.order, strict=True):
            direction = self._expressions.arguments(node, THIS) if isinstance(node, exp.Ordered) else ""
            keys.append(f"{self._ambiguous(clause, query)} {direction}")
            if clause.node.name.upper() == "ALL":
                keys += [self._output(output) for output in query.outputs]
        return (
            *keys,
            *self._written(order, [name for name in order.args if name not in ("this", "expressions")]),
        )

    def _ambiguous(self, clause: Clause, query: Select | SetOperation) -> str:
        """The key of a clause whose names may be outputs or columns of sources: dialects differ."""
        plain = clause.reads.plain
        if isinstance(plain, Alias):
            key = self._reference(plain)
            if isinstance(clause.node, exp.Literal):
                return key
        else:
            key = self._key(clause.node)
        others = {
            other
            for node in in_this_query(clause.node)
            if isinstance(node, exp.Column) and not node.table
            for other in self._candidates(node, query)
        }
        others.discard(key)
        return short(f"{key}|{sorted(others)}") if others else key

    def _candidates(self, node: Sql, query: Select | SetOperation) -> Iterator[str]:
        name = node.name.lower()
        meant = self._column_node(node)
        for output in query.outputs:
            if output.name.lower() == name and output.star is None and (key := self._output(output)) != meant:
                yield key
        for source in query.sources if isinstance(query, Select) else ():
            column = find(source, node.name, name)
            if column is not None and (key := self._column(column)) != meant:
                yield key

    def _conditions(self, clauses: Iterable[Clause], query: Select | None = None) -> tuple[str, ...]:
        """Keys of conditions; of those that may name outputs of *query* too, where there is one."""
        keys = set()
        for clause in clauses:
            keys.update(self._key(condition) for condition in conjuncts(clause.node))
            if query is not None:
                keys.update(
                    f"or {other}"
                    for node in in_this_query(clause.node)
                    if isinstance(node, exp.Column) and not node.table
                    for other in self._candidates(node, query)
                )
        return tuple(sorted(keys))

    def _written(self, node: Sql, names: Iterable[str]) -> tuple[str, ...]:
        """Keys of the arguments called *names*, where there are any."""
        every = frozenset(node.args)
        found = [self._expressions.arguments(node, every - {name}) for name in names]
        return tuple(sorted(key for key in found if key))

    def _output(self, output: Output) -> str:
        """The value key of an output of the query that is being read, or was."""
        key = self._values.get(id(output))
        if key is None:
            self._values[id(output)] = "?"  # an alias of itself, if it is asked for meanwhile
            key = self._values[id(output)] = short(self._value(output))
        return key

    def _value(self, output: Output) -> str:
        if output.star is not None:
            star = output.star
            places = ",".join(self._slot(source) for source in star.sources)
            renamed = sorted(star.renamed.items())
            return f"star({places};{sorted(star.excluded)};{renamed})"
        if output.node is not None and output.from_star:  # one of several that `COLUMNS(…)` stands for
            return f"{self._key(output.node)};{[self._reference(one) for one in output.reads.references]}"
        if output.node is not None:
            return self._key(output.node)
        if output.reads.plain is not None:
            return self._reference(output.reads.plain)
        references = [self._reference(one) for one in output.reads.references]
        return f"from({output.name.lower()!r};{references})"

    def _reference(self, reference: Reference) -> str:
        if isinstance(reference, Column):
            return self._column(reference)
        if isinstance(reference, Merged):
            return short(f"merged({','.join(self._column(column) for column in reference.columns)})")
        if isinstance(reference, Alias):
            return self._output(reference.output)
        if isinstance(reference, WholeRow):
            return short(f"row({self._row(reference.source)})")
        return f"unresolved({reference.name.lower()!r})"

    def _column(self, column: Column) -> str:
        slot = self._slot(column.source)
        if column.output is None:
            relation = column.source.relation
            known = isinstance(relation, Table) and relation.columns and column.name in relation.columns
            return f"{slot}.{column.name if known else column.name.lower()!r}"
        return short(f"{slot}.{self._of_source(column, column.output)}")

    def _of_source(self, column: Column, output: Output) -> str:
        key = self._values.get(id(output))
        if key is None:
            return f"?{column.name!r}"
        return f"{key}.{column.name.lower()!r}" if output.star is not None else key

    def _slot(self, source: Source) -> str:
        for level, frame in enumerate(reversed(self._frames)):
            slot = frame.slots.get(id(source))
            if slot is not None:
                self._outermost = min(self._outermost, len(self._frames) - 1 - level)
                return f"{level}.{slot}"
        return f"elsewhere({source.alias!r})"

    def _meaning(self, node: Sql) -> str | None:
        """What *node* stands for, where it is no plain expression."""
        if isinstance(node, exp.Column):
            return self._column_node(node)
        if isinstance(node, QUERY_NODES):
            return self._nested(node)
        if isinstance(node, (exp.Star, getattr(exp, "Columns", exp.Star))):
            written = self._expressions.arguments(node)
            return short(f"{node.key}({written}){self._everything(self._frames[-1].sources)}")
        if isinstance(node, exp.Table):
            return self._table_argument(node)
        if isinstance(node, (exp.Literal, exp.Parameter)):
            reference = self._noted(node)
            return self._reference(reference) if reference is not None else None
        return None

    def _noted(self, node: Sql) -> Reference | None:
        for frame in reversed(self._frames):
            if isinstance(frame.query, (Select, SetOperation, Pivot)):
                reference = frame.query.references.get(id(node))
                if reference is not None:
                    return reference
        return None

    def _column_node(self, node: Sql) -> str:
        reference = self._noted(node)
        name = node.this
        if reference is None:
            parts = [self._names.column(part) for part in node.parts if isinstance(part, exp.Identifier)]
            around = [source for frame in self._frames for source in frame.sources]
            return short(f"unread({parts}){self._everything(around)}")
        key = self._reference(reference)
        path = path_of(node, reference)
        if path:
            key = short(f"{key}/{[self._names.column(part) for part in path]}")
        elif isinstance(name, exp.Identifier) and self._names.is_special(name):
            key = short(f"{key}/{name.name!r}")
        return key

    def _nested(self, node: Sql) -> str:
        query = None
        for frame in reversed(self._frames):
            if isinstance(frame.query, (Select, SetOperation)):
                query = frame.query.subqueries.get(id(node))
                if query is not None:
                    break
        if query is None:
            raise SqlNotAnalysed(f"a {node.key} inside of an expression is not understood")
        keyed = self.query(query)
        extras = self._extras(node)
        if isinstance(node.parent, exp.Exists) and not extras:
            return f"rows({keyed.rows})"
        names = ""
        if len(keyed.values) > 1 or (isinstance(query, Select) and query.as_struct):
            names = str([output.name.lower() for output in query.outputs])
        return short(f"query({keyed.rows};{','.join(keyed.values)};{names};{extras})")

    def _named_window(self, name: str) -> Sql | None:
        query = self._frames[-1].query
        clause = query.windows.get(name) if isinstance(query, Select) else None
        return clause.node if clause is not None else None

    def _table_argument(self, node: Sql) -> str | None:
        """A table as an argument: a source, or known by its name, which then must not be that of a CTE."""
        for frame in reversed(self._frames):
            for source in frame.sources:
                if source.node is node:
                    return self._slot(source)
        for frame in self._frames:
            ctes = frame.query.ctes if isinstance(frame.query, (Select, SetOperation)) else []
            if any(cte.name.lower() == node.name.lower() for cte in ctes):
                raise SqlNotAnalysed(f"{node.name} is a CTE and an argument")
        return None


def _operand_of(branch: Output, place: int, query: SetOperation, count: int) -> int:
    """The place of the operand that *branch* is a column of."""
    if place < count and any(branch is one for one in query.operands[place].outputs):
        return place
    for at, operand in enumerate(query.operands):
        if any(branch is one for one in (*operand.outputs, *operand.implied.values())):
            return at
    return place


def path_of(node: Sql, reference: Reference) -> list[Sql]:
    """The parts of a dotted name that lead into the column which *reference* found: fields of a struct."""
    parts = [part for part in node.parts if isinstance(part, exp.Identifier)]
    if len(parts) < 2:
        return []
    if isinstance(reference, Column):
        name, alias = reference.name.lower(), reference.source.alias.lower()
        spelt = [part.name.lower() for part in parts]
        if spelt[0] == name and (spelt[0] != alias or spelt[1] != name):
            return parts[1:]
        return parts[spelt.index(name, 1) + 1 :] if name in spelt[1:] else parts
    if isinstance(reference, WholeRow):
        return [part for part in parts if part.name.lower() != reference.source.alias.lower()]
    return [] if parts[-1].name.lower() == getattr(reference, "name", "").lower() else parts[1:]


def names_and_values(keyed: Keyed) -> str:
    """A key of all columns of a query, names included."""
    outputs = zip(keyed.query.outputs, keyed.values, strict=True)
    return short(str([(output.name.lower(), value) for output, value in outputs]))


def label(source: Source) -> str:
    """What a reason calls *source*."""
    if isinstance(source.relation, Table):
        return source.relation.name
    return source.cte.name if source.cte is not None else source.alias


def digest(parts: dict[str, tuple[str, ...]]) -> str:
    """One key for all of *parts*; parts that are empty count as absent."""
    return short(
        "|".join(f"{name}={list(keys)}" for name, keys in sorted(parts.items()) if keys) or "one row"
    )
