"""Trace of a resolved query's columns: sources of each output, and the columns that determine rows.

Every output's sources are computed once and shared by all its readers, without recursion. The cost of a chain
of two hundred CTEs is linear in its length. Calls in a select list that may turn one row into several or none
determine rows as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct
from sqlglot import exp

from recce_meta.models.lineage import ColumnSource, ColumnUse, Kind, Usage
from recce_meta.sql_lineage import facts
from recce_meta.sql_lineage.context import Deadline
from recce_meta.sql_lineage.query import (
    STAR,
    Alias,
    Function,
    Match,
    Member,
    Merged,
    Output,
    Pivot,
    Query,
    QuerySource,
    Reads,
    Reference,
    Select,
    SelfReference,
    SetOperation,
    SourceColumn,
    Table,
    Values,
    WholeRow,
)
from recce_meta.sql_lineage.references import BaseColumn
from recce_meta.warehouses.types import Sql


class Flow(Struct, frozen=True):
    """Origin of one output's values."""

    columns: Mapping[BaseColumn, float]
    """The base columns, with the confidence of each."""
    plain: bool
    """Whether it is a single column, unchanged at every step."""
    aggregated: bool = False
    opaque: bool = False
    """Whether it depends on something other than a column: other rows, their existence, an unresolved name.
    """


EMPTY = Flow({}, False)
UNKNOWN = Flow({}, False, opaque=True)
PENDING = Flow({}, True)
"""Flow of an output that needs itself: it does not affect plainness."""


class OutputTracer:
    """Memoizing tracer of the outputs of one resolved query."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._flows: dict[Output, Flow] = {}

    def flow(self, output: Output) -> Flow:
        """Return the origin of *output*'s values."""
        found = self._flows.get(output)
        return found if found is not None else self._trace(output)

    def of(self, reference: Reference) -> Flow:
        """Return the origin of *reference*'s values."""
        for output in _reached(reference):
            self.flow(output)
        return self._of_reference(reference)

    def _trace(self, start: Output) -> Flow:
        flows = self._flows
        stack = [start]
        entered: set[Output] = set()
        order: list[Output] = []
        circular = False
        while stack:
            output = stack[-1]
            if output in flows:
                stack.pop()
                continue
            if output not in entered:
                entered.add(output)
                missing = [each for each in self._needs(output) if each not in flows]
                if missing:
                    # An output that is entered but unfinished depends on this output.
                    circular = circular or not entered.isdisjoint(missing)
                    stack += (each for each in missing if each not in entered)
                    continue
            stack.pop()
            flows[output] = self._combined(output)
            order.append(output)
            if len(order) % 1000 == 0:
                self._deadline.check()
        if circular:
            self._settle(order)
        return flows[start]

    def _settle(self, order: list[Output]) -> None:
        """Iterate over the outputs of a recursive CTE until nothing is added. Column sets only grow."""
        changed = True
        while changed:
            changed = False
            self._deadline.check()
            for output in order:
                flow = self._combined(output)
                if flow != self._flows[output]:
                    self._flows[output] = flow
                    changed = True

    def _needs(self, output: Output) -> Iterator[Output]:
        yield from output.branches
        if output.star is not None:
            for source in output.star.sources:
                yield from _outputs_of(source)
        reads = output.reads
        for reference in reads.references:
            yield from _reached(reference)
        for query in reads.subqueries:
            yield from query.outputs

    def _combined(self, output: Output) -> Flow:
        if output.branches:
            return self._of_branches(output)
        reads = output.reads
        if reads.plain is not None and output.star is None:
            return self._of_reference(reads.plain)
        columns: dict[BaseColumn, float] = {}
        aggregated, opaque = reads.aggregates, reads.windows or bool(reads.tests)
        for flow in self._parts(output):
            aggregated = aggregated or flow.aggregated
            opaque = opaque or flow.opaque
            _merge(columns, flow.columns)
        return Flow(columns, False, aggregated, opaque)

    def _parts(self, output: Output) -> Iterator[Flow]:
        if output.star is not None:
            for source in output.star.sources:
                yield self._of_row(source)
        for reference in output.reads.references:
            yield self._of_reference(reference)
        for query in output.reads.subqueries:
            for inner in query.outputs:
                yield self._flows.get(inner, EMPTY)

    def _of_branches(self, output: Output) -> Flow:
        if len(output.branches) == 1:
            return self._flows.get(output.branches[0], PENDING)
        columns: dict[BaseColumn, float] = {}
        plain, aggregated, opaque = True, False, False
        for branch in output.branches:
            flow = self._flows.get(branch, PENDING)
            plain = plain and flow.plain
            aggregated = aggregated or flow.aggregated
            opaque = opaque or flow.opaque
            _merge(columns, flow.columns)
        return Flow(columns, plain, aggregated, opaque)

    def _of_reference(self, reference: Reference) -> Flow:
        if isinstance(reference, SourceColumn):
            return self._of_column(reference)
        if isinstance(reference, (Alias, Member)):
            return self._flows.get(reference.output, PENDING)
        if isinstance(reference, Merged):
            columns: dict[BaseColumn, float] = {}
            flows = [self._of_column(column) for column in reference.columns]
            for flow in flows:
                _merge(columns, flow.columns)
            plain = bool(flows) and all(flow.plain for flow in flows)
            return Flow(columns, plain, any(flow.aggregated for flow in flows))
        if isinstance(reference, WholeRow):
            return self._of_row(reference.source)
        return UNKNOWN

    def _of_column(self, column: SourceColumn) -> Flow:
        relation = column.source.relation
        if isinstance(relation, Table):
            # A `*` may be any column, so it is not one that is passed on.
            return Flow({(relation.name, column.name): column.confidence}, column.name != STAR)
        if column.output is None:
            return UNKNOWN
        flow = self._flows.get(column.output, PENDING)
        if column.confidence < 1 and flow.columns:
            # An implied output already has its own confidence; a guess between sources lowers it further.
            lowered = {name: min(sure, column.confidence) for name, sure in flow.columns.items()}
            return Flow(lowered, flow.plain, flow.aggregated, flow.opaque)
        return flow

    def _of_row(self, source: QuerySource) -> Flow:
        relation = source.relation
        if isinstance(relation, Table):
            names = relation.columns or (STAR,)
            sure = 1.0 if relation.columns else 0.9
            return Flow({(relation.name, name): sure for name in names}, False)
        if isinstance(relation, Function) and relation.rows is not None:
            relation = relation.rows
        columns: dict[BaseColumn, float] = {}
        aggregated = opaque = False
        flows = [self._flows.get(output, EMPTY) for output in relation.outputs]
        if isinstance(relation, Function) and not relation.outputs:
            flows = [self._of_reference(reference) for reference in relation.reads.references]
        for flow in flows:
            aggregated = aggregated or flow.aggregated
            opaque = opaque or flow.opaque
            _merge(columns, flow.columns)
        return Flow(columns, False, aggregated, opaque)


def _outputs_of(source: QuerySource) -> Iterator[Output]:
    relation = source.relation
    if isinstance(relation, Table):
        return
    if isinstance(relation, Function) and relation.rows is not None:
        relation = relation.rows
    yield from relation.outputs
    if isinstance(relation, Function) and not relation.outputs:
        for reference in relation.reads.references:
            yield from _reached(reference)


def _reached(reference: Reference) -> Iterator[Output]:
    """Yield the outputs needed to compute the flow of *reference*."""
    if isinstance(reference, SourceColumn):
        if reference.output is not None:
            yield reference.output
    elif isinstance(reference, (Alias, Member)):
        yield reference.output
    elif isinstance(reference, Merged):
        for column in reference.columns:
            if column.output is not None:
                yield column.output
    elif isinstance(reference, WholeRow):
        yield from _outputs_of(reference.source)


def _merge(into: dict[BaseColumn, float], more: Mapping[BaseColumn, float]) -> None:
    for name, sure in more.items():
        if into.get(name, 0.0) < sure:
            into[name] = sure


def sources_of(flow: Flow) -> tuple[ColumnSource, ...]:
    """Return the sources of *flow*, sorted."""
    return tuple(sorted(ColumnSource(table, column, sure) for (table, column), sure in flow.columns.items()))


def kind_of(flow: Flow, name: str) -> Kind:
    """Return the kind of an output called *name* that has this flow."""
    if flow.aggregated:
        return Kind.AGGREGATED
    if not flow.columns:
        return Kind.DERIVED if flow.opaque else Kind.CONSTANT
    if not flow.plain:
        return Kind.DERIVED
    same = all(column.lower() == name.lower() for _, column in flow.columns)
    return Kind.PASSTHROUGH if same else Kind.RENAMED


def uses_of(query: Query, lineage: OutputTracer, deadline: Deadline) -> tuple[ColumnUse, ...]:
    """Return the base columns that determine the rows of *query*, sorted."""
    found: dict[tuple[Usage, str, str], float] = {}
    seen: set[int] = set()
    stack: list[Query] = [query]
    while stack:
        each = stack.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        deadline.check()
        for usage, reads in _deciding(each):
            stack += reads.subqueries
            stack += reads.tests
            for reference in reads.references:
                _add_uses(found, usage, lineage.of(reference))
            for inner in reads.subqueries:
                for output in inner.outputs:
                    _add_uses(found, usage, lineage.flow(output))
        stack += _below(each)
    return tuple(
        sorted(ColumnUse(usage, table, column, sure) for (usage, table, column), sure in found.items())
    )


def _add_uses(found: dict[tuple[Usage, str, str], float], usage: Usage, flow: Flow) -> None:
    for (table, column), sure in flow.columns.items():
        key = (usage, table, column)
        if found.get(key, 0.0) < sure:
            found[key] = sure


def _deciding(query: Query) -> Iterator[tuple[Usage, Reads]]:
    """Yield the clauses that determine the rows of *query* itself."""
    if isinstance(query, Select):
        yield from _of_select(query)
    elif isinstance(query, SetOperation):
        # UNION ALL keeps every row. All other set operations compare whole rows.
        if query.distinct or query.kind != "union":
            for operand in query.operands:
                yield Usage.GROUP, _all_outputs(operand)
        # An order determines rows only if a limit removes some.
        if query.limit:
            yield from ((Usage.ORDER, clause.reads) for clause in query.order)
    elif isinstance(query, Match):
        yield Usage.GROUP, query.reads
        yield Usage.FILTER, query.define
        yield Usage.ORDER, query.order
    elif isinstance(query, Pivot):
        yield Usage.GROUP if not query.unpivot else Usage.FILTER, query.reads
    elif isinstance(query, Function):
        yield Usage.JOIN, query.reads


def _of_select(select: Select) -> Iterator[tuple[Usage, Reads]]:
    for clauses in (select.where, select.having, select.qualify):
        yield from ((Usage.FILTER, clause.reads) for clause in clauses)
    for source in select.sources:
        join = source.join
        if join is None:
            continue
        if join.on is not None:
            yield Usage.JOIN, join.on.reads
        for merged in join.using:
            yield Usage.JOIN, Reads((merged,))
    for clause in (*select.group, *select.distinct_on):
        yield Usage.GROUP, clause.reads
    if select.group_all:  # keys that come from a star are not in any clause
        stars = (output for output in select.outputs if output.node is None and not output.reads.aggregates)
        yield Usage.GROUP, Reads(tuple(Alias(output) for output in stars))
    yield from ((Usage.JOIN, output.reads) for output in select.outputs if output.reads.makes_rows)
    if select.distinct:
        yield Usage.GROUP, _all_outputs(select)
    # DISTINCT ON keeps the first row in this order, so it is a limit as well.
    if select.limit or select.distinct_on:
        yield from ((Usage.ORDER, clause.reads) for clause in (*select.order, *select.limit_by))


def _all_outputs(query: Query) -> Reads:
    return Reads(tuple(Alias(output) for output in query.outputs))


def _below(query: Query) -> Iterable[Query]:
    """Yield the queries that *query* takes rows from, and those inside its outputs."""
    if isinstance(query, SetOperation):
        return query.operands
    below: list[Query] = []
    if isinstance(query, SelfReference):
        return [query.query] if query.query is not None else []
    if isinstance(query, Function):
        return [query.rows] if query.rows is not None else []
    sources = (
        query.sources if isinstance(query, Select) else [query.source] if isinstance(query, Pivot) else []
    )
    for source in sources:
        if not isinstance(source.relation, Table):
            below.append(source.relation)
    outputs = query.outputs if isinstance(query, (Select, Values)) else []
    for output in [*outputs, *query.aliases.values()] if isinstance(query, Select) else outputs:
        below += output.reads.subqueries
        below += output.reads.tests
    return below


ROW_MAKERS = (exp.UDTF, exp.Explode, exp.Posexplode, exp.Inline)
ROW_MAKER_NAME = re.compile(
    r"""(?ix)
    .*explode.* | .*unnest.* | .*_to_table | .*_elements(_text)? | jsonb?_each(_text)? | jsonb?_object_keys
    | .*recordset | jsonb?_populate_record(set)? | jsonb?_to_record | jsonb_path_query | regexp_matches
    | generate_(series|subscripts|rows) | .*_series | inline(_outer)? | stack | json_tuple | parse_url_tuple
    | .*table_function.* | xpath_table | crosstab\w* | each | skeys | svals | st_dump\w* | pg_ls_\w+
    | aclexplode | ts_stat | ts_parse | unpivot\w* | lateral_flatten
    """
)
"""Names of functions without a sqlglot class that yield several rows in some warehouse."""


def is_inline_call(node: Sql) -> bool:
    """Return whether *node* is Spark's `inline` or `inline_outer`, which turn fields into columns."""
    return isinstance(node, exp.Inline) or (
        isinstance(node, exp.Anonymous) and node.name.upper() == "INLINE_OUTER"
    )


def makes_rows(node: Sql, dialect: str) -> bool:
    """Return whether this call, in a select list, may yield zero or several rows."""
    if isinstance(node, ROW_MAKERS):
        return True
    if isinstance(node, exp.GenerateSeries):
        return dialect in facts.SERIES_ARE_ROWS or node.key == "explodinggenerateseries"
    if isinstance(node, exp.Anonymous):
        return bool(ROW_MAKER_NAME.fullmatch(node.name)) or (
            # A schema before the name marks a user-defined function, whose result is unknown.
            dialect in facts.USER_FUNCTIONS_MAY_YIELD_ROWS and isinstance(node.parent, exp.Dot)
        )
    return False
