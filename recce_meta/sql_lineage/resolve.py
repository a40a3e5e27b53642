"""Resolution of one statement: its sources, its names and its output columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlglot import exp

from recce_meta.sql_lineage import facts, joins
from recce_meta.sql_lineage.context import Context
from recce_meta.sql_lineage.expressions import SET_OPERATION, alias_names, arg, args, function
from recce_meta.sql_lineage.fields import ExpressionReader
from recce_meta.sql_lineage.query import (
    NOTHING,
    STAR,
    Alias,
    Clause,
    Cte,
    Function,
    Output,
    Query,
    QuerySource,
    Reads,
    Reference,
    Select,
    SelfReference,
    SetOperation,
    SourceColumn,
    Star,
    WholeRow,
)
from recce_meta.sql_lineage.scope import Ctes, Scope, implied_output, is_open, outputs_by_name
from recce_meta.sql_lineage.sources import Sources
from recce_meta.sql_lineage.stars import Outputs, chosen_columns
from recce_meta.sql_lineage.statements import CHANGING, query_of, returning_query, write_target
from recce_meta.warehouses.types import Sql

_CUTS = ("limit", "offset", "fetch", "sample")
_SORTS = ("sort", "cluster", "distribute")
"""Sort clauses of Hive and Spark in addition to ORDER BY."""
DESCRIBING = ("Describe", "Summarize")
"""DuckDB statements that return rows describing a relation."""


class Clauses:
    """Resolver of the clauses that choose, group and order the rows of a query."""

    def __init__(self, context: Context, reader: ExpressionReader) -> None:
        self._context, self._reader = context, reader

    def add_all(self, node: Sql, scope: Scope, select: Select) -> None:
        """Add the clauses of the query *node* to *select*."""
        for key in ("prewhere", "where"):
            clause = arg(node, key)
            if clause is not None:
                select.where.append(self._clause(clause.this, scope, "where"))
        connect = arg(node, "connect")
        if connect is not None:
            select.where += [
                self._clause(part, scope, "where")
                for key in ("start", "connect")
                if (part := arg(connect, key)) is not None
            ]
        group = arg(node, "group")
        if group is not None:
            self._group(group, scope, select)
        for key, clauses in (("having", select.having), ("qualify", select.qualify)):
            clause = arg(node, key)
            if clause is not None:
                clauses.append(self._clause(clause.this, scope, "group"))
        distinct = arg(node, "distinct")
        if distinct is not None:
            on = arg(distinct, "on")
            select.distinct = on is None
            if on is not None:
                keys = args(on, "expressions") or [on]
                select.distinct_on = [self._key(key, scope, select.outputs, "order") for key in keys]
        self.add_order(node, scope, select)

    def _group(self, group: Sql, scope: Scope, select: Select) -> None:
        if group.args.get("all"):
            select.group_all = True
            for output in select.outputs:
                if not output.reads.aggregates and output.star is None and output.node is not None:
                    alias = Alias(output)
                    select.group.append(Clause(output.node, Reads((alias,), plain=alias)))
        keys = args(group, "expressions")
        for name in ("grouping_sets", "rollup", "cube"):
            for part in args(group, name):
                keys += args(part, "expressions")
        for key in keys:
            clause = self._key(key, scope, select.outputs, "group")
            select.group.append(clause)
            if isinstance(key, exp.Literal) and _is_aggregate(clause.reads.plain):
                self._context.names.too_few(select.outputs)

    def _key(self, node: Sql, scope: Scope, outputs: list[Output], place: str) -> Clause:
        """Resolve a GROUP BY or ORDER BY key: an expression, or an output by position."""
        if isinstance(node, exp.Literal) and not node.is_string and node.name.isdigit():
            number = int(node.name)
            if 0 < number <= len(outputs) and not any(output.star for output in outputs[:number]):
                alias = Alias(outputs[number - 1])
                # Without one of the columns before it, the position means another column.
                self._context.names.by_position(outputs[:number])
                return Clause(node, Reads((alias,), plain=alias))
            if number > len(outputs) and not any(output.star for output in outputs):
                self._context.names.too_few(outputs)
        return self._clause(node, scope, place)

    def add_order(self, node: Sql, scope: Scope, query: Select | SetOperation) -> None:
        """Add the ORDER BY, the sorts and the limits of *node* to *query*."""
        order = arg(node, "order")
        if order is not None:
            for key in args(order, "expressions"):
                inner = key.this if isinstance(key, exp.Ordered) else key
                place = "group" if self._orders_by_columns(inner, query) else "order"
                query.order.append(self._key(inner, scope, query.outputs, place))
        if isinstance(query, Select):
            for name in _SORTS:  # order matters only with a limit
                sorts = node.args.get(name)
                for key in args(sorts, "expressions") if sorts is not None else ():
                    inner = key.this if isinstance(key, exp.Ordered) else key
                    query.limit_by.append(self._clause(inner, scope, "order"))
        for name in _CUTS:
            cut = arg(node, name)
            if cut is None:
                continue
            query.limit.append(cut)
            if isinstance(query, Select):
                query.limit_by += [self._clause(key, scope, "order") for key in args(cut, "expressions")]
            if cut.find(exp.Query) is not None:  # LIMIT (SELECT …)
                clauses = query.limit_by if isinstance(query, Select) else query.order
                clauses.append(self._clause(cut, scope, "order"))

    def _orders_by_columns(self, key: Sql, query: Query) -> bool:
        """Return whether names in the ORDER BY *key* mean columns of sources before outputs."""
        names = facts.ORDERED_BY_COLUMNS_FIRST.get(self._context.dialect)
        return isinstance(query, Select) and names is not None and not isinstance(key.unnest(), names)

    def _clause(self, node: Sql, scope: Scope, place: str) -> Clause:
        return Clause(node, self._reader.read(node, scope, place))


class Resolver:
    """Resolver of the queries in one statement."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._reader = ExpressionReader(context)
        self._sources = Sources(context, self._reader)
        self._clauses = Clauses(context, self._reader)
        self._anchors: dict[int, Callable[[Query], None]] = {}
        """Callbacks by `id` of a recursive CTE's first operand, to run once it is resolved."""
        # Set here instead of imported there, because the modules would import each other.
        context.resolve = self.query
        context.lookup.read = self._reader.read
        self._reader.chosen = chosen_columns

    def query(self, node: Sql, ctes: Ctes, outer: Scope | None) -> Query:
        """Resolve *node*, a query of any kind, with *ctes* visible inside *outer*."""
        self._context.deadline.check()
        if isinstance(node, exp.Subquery):
            return self._wrapped(node, ctes, outer)
        if isinstance(node, exp.Select):
            return self._select(node, ctes, outer)
        if isinstance(node, SET_OPERATION):
            return self._set_operation(node, ctes, outer)
        if not isinstance(node, CHANGING):
            ctes, _ = self._with(node, ctes, outer)  # before VALUES or DuckDB's PIVOT
        scope = Scope(Select(node), ctes, outer)
        if isinstance(node, exp.Values):
            values = self._sources.values(node, scope)
            has_cut = arg(node, "order") is not None or any(node.args.get(name) for name in _CUTS)
            return self._cut(values, scope) if has_cut else values
        if isinstance(node, exp.Pivot):
            self._sources.item(node.this, scope)
            return joins.resolve_pivot_statement(node, scope, self._reader)
        if isinstance(node, exp.Table):
            return self._rows_of(node, scope)
        if type(node).__name__ in DESCRIBING and isinstance(node.this, exp.Table):
            self._sources.item(node.this, scope)
            return function(node, Reads((WholeRow(scope.sources[-1]),)), ())
        if isinstance(node, CHANGING):
            return self._returned(node, ctes, outer)
        return function(node, self._reader.read(node, scope, "join"), ())

    def _returned(self, node: Sql, ctes: Ctes, outer: Scope | None) -> Function:
        """Return the rows of the data-modifying statement *node*."""
        select = returning_query(node, lambda name: self._context.tables.table(name).columns)
        target, names = write_target(node)
        if target:
            table = QuerySource("", self._context.tables.table(target), node)
            self._context.names.references += (SourceColumn(table, name, None) for name in names)
        if select is not None:
            rows = self.query(select, ctes, outer)
            if arg(node, "returning") is None:
                return Function(node, NOTHING, closed=True)
            source = QuerySource("", rows, node)
            made = Function(node, NOTHING, closed=not is_open(source), rows=rows)
            for place, output in enumerate(one for one in rows.outputs if one.star is None):
                column = SourceColumn(source, output.name, output)
                reads = Reads((column,), plain=column)
                made.outputs.append(Output(output.name, place, node, reads, output.from_star))
            return made
        # A copy, because `query_of` moves parts of the statement into the query.
        found = query_of(node.copy())
        if found is None:
            return function(node, NOTHING, (), closed=True)
        rows = self.query(found[0], ctes, outer)
        # It has the target's columns, which are unknown.
        return function(node, Reads((WholeRow(QuerySource("", rows, node)),)), ())

    def _cut(self, rows: Query, scope: Scope) -> Select:
        """Return the rows of *scope*'s own statement: *rows* after its ORDER BY and limit."""
        select = scope.select
        scope.add(QuerySource("", rows, select.node))
        Outputs(scope, self._reader).add_all([exp.Star()])
        # A star has no name that ORDER BY could mean.
        scope.outputs = {
            name: output for name, output in outputs_by_name(select).items() if output.star is None
        }
        self._clauses.add_order(select.node, scope, select)
        return select

    def _rows_of(self, node: Sql, scope: Scope) -> Select:
        """Return the rows of `TABLE t`, and of a table or joins in parentheses."""
        self._sources.item(node, scope)
        Outputs(scope, self._reader).add_all([exp.Star()])
        return scope.select

    def _wrapped(self, node: Sql, ctes: Ctes, outer: Scope | None) -> Query:
        """Resolve a query in parentheses and the clauses that follow them."""
        while True:
            defined = self._with(node, ctes, outer)
            ctes = defined[0]
            cut = arg(node, "order") is not None or any(node.args.get(name) for name in _CUTS)
            siblings = args(node, "joins") or args(node, "pivots") or args(node, "laterals")
            if cut or (siblings and isinstance(node.this, exp.Table)):
                return self._around(node, ctes, outer, defined[1])
            if not isinstance(node.this, exp.Subquery):
                return self.query(node.this, ctes, outer)
            if args(node.this, "joins") and node.this is not node:
                return self._around(node, ctes, outer, defined[1])  # parentheses around joins, with an alias
            node = node.this

    def _around(self, node: Sql, ctes: Ctes, outer: Scope | None, defined: list[Cte]) -> Select:
        select = Select(node, ctes=defined)
        scope = Scope(select, ctes, outer)
        if isinstance(node.this, exp.Table) or args(node.this, "joins"):
            self._sources.item(node.this, scope)
        else:
            scope.add(QuerySource("", self.query(node.this, ctes, outer), node.this))
        Outputs(scope, self._reader).add_all([exp.Star()])
        scope.outputs = {
            name: output for name, output in outputs_by_name(select).items() if output.star is None
        }
        self._clauses.add_order(node, scope, select)
        return select

    def _with(self, node: Sql, around: Ctes, outer: Scope | None) -> tuple[Ctes, list[Cte]]:
        """Return the CTEs visible to *node*, and those that its own WITH defines."""
        clause = arg(node, "with")
        if clause is None:
            return around, []
        ctes = Ctes(around)
        defined: list[Cte] = []
        recursive = bool(clause.args.get("recursive")) or self._context.dialect in facts.IMPLICIT_RECURSION
        for each in args(clause, "expressions"):
            if each.args.get("scalar"):
                ctes.add_value(each.alias, each.this)
                continue
            if self._context.tables.replaces(each.alias):
                continue
            cte = self._cte(each, ctes, outer, recursive)
            defined.append(cte)
            ctes.add(cte)
        return ctes, defined

    def _cte(self, node: Sql, ctes: Ctes, outer: Scope | None, recursive: bool) -> Cte:
        alias = node.args.get("alias")
        name = node.alias
        columns = alias_names(node)[1] if alias is not None else ()
        body = node.this
        if recursive and _reads_itself(body, name):
            return self._recursive(node, name, columns, ctes, outer)
        query = self.query(body, ctes, outer)
        if columns:
            self._context.names.by_position(query.outputs)
        return Cte(name, query, node, columns=columns)

    def _recursive(
        self, node: Sql, name: str, columns: tuple[str, ...], ctes: Ctes, outer: Scope | None
    ) -> Cte:
        """Resolve a CTE that reads itself. Its first operand determines the columns."""
        body = node.this
        itself = SelfReference(name)

        def name_outputs(first: Query) -> None:
            itself.outputs = [
                Output(columns[place] if place < len(columns) else output.name, place)
                for place, output in enumerate(first.outputs)
            ]
            for output, like in zip(itself.outputs, first.outputs, strict=True):
                output.star = Star(()) if like.star is not None else None

        # The second operand already reads these outputs, so they are named once the first is resolved.
        self._anchors[id(_first_operand(body))] = name_outputs
        within = Ctes(ctes)
        within.add(Cte(name, itself, node, recursive=True))
        query = self.query(body, within, outer)
        itself.query = query
        for output, finished in zip(itself.outputs, query.outputs, strict=False):
            output.branches = (finished,)
        # The body requested these columns by name while its `*` was still unknown.
        for lower, output in itself.implied.items():
            finished_ = outputs_by_name(query).get(lower) or implied_output(query, output.name)
            output.branches = (finished_,) if finished_ is not None else ()
        return Cte(name, query, node, recursive=True, columns=columns)

    def _select(self, node: Sql, ctes: Ctes, outer: Scope | None) -> Select:
        ctes, defined = self._with(node, ctes, outer)
        select = Select(node, ctes=defined)
        scope = Scope(select, ctes, outer)
        self._sources.of_select(node, scope)
        # Before the outputs, which refer to named windows, as clauses refer to outputs.
        for window in args(node, "windows"):
            name = window.this
            window_reads = self._reader.read(window, scope, "output")
            select.windows[name.name.lower()] = Clause(window, window_reads)
        Outputs(scope, self._reader).add_all(args(node, "expressions"))
        if word_of(node) in ("STRUCT", "VALUE"):
            select.as_struct = True
        self._clauses.add_all(node, scope, select)
        return select

    def _set_operation(self, node: Sql, ctes: Ctes, outer: Scope | None) -> Query:
        """Resolve a chain of set operations of any length. The tree leans to the left."""
        chain: list[tuple[Sql, Ctes, list[Cte]]] = []
        below: Sql = node
        while isinstance(below, SET_OPERATION):
            ctes, defined = self._with(below, ctes, outer)
            chain.append((below, ctes, defined))
            below = below.this
        query = self.query(below, ctes, outer)
        anchored = self._anchors.pop(id(below), None)
        if anchored is not None:
            anchored(query)
        for place in range(len(chain) - 1, -1, -1):
            step, reach, defined = chain[place]
            right = self.query(step.args["expression"], reach, outer)
            query = self._joined(step, query, right, defined)
            if arg(step, "order") is not None or any(step.args.get(name) for name in _CUTS):
                self._finish(query, reach, outer)
        if isinstance(query, SetOperation):
            self._name_outputs(query)
        return query

    def _joined(self, node: Sql, left: Query, right: Query, defined: list[Cte]) -> SetOperation:
        kind = node.key
        distinct = bool(node.args.get("distinct"))
        by_name = bool(node.args.get("by_name")) or bool(word_of(node, "on"))
        same = (
            isinstance(left, SetOperation)
            and left.node is node.this
            and (left.kind, left.distinct, left.by_name) == (kind, distinct, by_name)
            # Outputs exist only after an operand's own ORDER BY or limit, which must not move to the whole
            # chain.
            and not left.outputs
            and kind != "except"
        )
        if same and isinstance(left, SetOperation):
            left.operands.append(right)
            left.node = node
            left.ctes += defined
            return left
        if isinstance(left, SetOperation) and not left.outputs:
            self._name_outputs(left)
        made = SetOperation(node, kind, distinct, by_name, [left, right], ctes=defined)
        self._context.names.set_operation(made)
        return made

    def _finish(self, query: SetOperation, ctes: Ctes, outer: Scope | None) -> None:
        self._name_outputs(query)
        scope = Scope(Select(query.node), ctes, outer)
        scope.outputs = {
            name: output for name, output in outputs_by_name(query).items() if output.star is None
        }
        self._clauses.add_order(query.node, scope, query)
        query.references.update(scope.select.references)
        query.subqueries.update(scope.select.subqueries)

    def _name_outputs(self, query: SetOperation) -> None:
        """Set the outputs of *query* from its operands, by name or by position."""
        if not query.outputs:
            query.outputs = list(_by_name(query) if query.by_name else _by_place(query))


def _is_aggregate(reference: Reference | None) -> bool:
    return isinstance(reference, Alias) and reference.output.reads.aggregates


def word_of(node: Sql, name: str = "kind") -> str:
    """Return the keyword *name* of *node* in upper case."""
    value = node.args.get(name)
    return value.upper() if isinstance(value, str) else ""


def _is_closed(query: Query) -> bool:
    return STAR not in outputs_by_name(query)


def _by_place(query: SetOperation) -> Iterator[Output]:
    """Yield outputs paired by position, named after the first operand."""
    # A star hides positions, so an operand with known columns names the outputs if there is one.
    closed = [operand for operand in query.operands if _is_closed(operand)]
    model = closed[0] if closed else query.operands[0]
    # The second operand of EXCEPT contributes no values.
    operands = query.operands[:1] if query.kind == "except" else query.operands
    for place, named in enumerate(model.outputs):
        if named.star is not None:
            yield Output(STAR, place, star=_all_stars(operands))
            continue
        branches = []
        for operand in operands:
            if _is_closed(operand) or operand is model:
                if place < len(operand.outputs):
                    branches.append(operand.outputs[place])
            elif named.name:
                # If a star hides the positions, match by name.
                found = outputs_by_name(operand).get(named.name.lower()) or implied_output(
                    operand, named.name
                )
                if found is not None:
                    branches.append(found)
        yield Output(named.name, place, branches=tuple(branches))


def _all_stars(operands: list[Query]) -> Star:
    """Return one star for all stars that *operands* could not expand."""
    stars = [output.star for operand in operands for output in operand.outputs if output.star is not None]
    return Star(tuple(source for star in stars for source in star.sources))


def _by_name(query: SetOperation) -> Iterator[Output]:
    names: dict[str, str] = {}
    for operand in query.operands:
        for output in operand.outputs:
            names.setdefault(output.name.lower(), output.name)
    for place, (lower, name) in enumerate(names.items()):
        branches = tuple(
            found
            for operand in query.operands
            if (found := outputs_by_name(operand).get(lower) or implied_output(operand, name)) is not None
        )
        star = _all_stars(query.operands) if name == STAR else None
        yield Output(name, place, branches=branches, star=star)


def _first_operand(node: Sql) -> Sql:
    """Return the leftmost operand of nested set operations. Parentheses without a set operation are kept."""
    first = node
    while isinstance(node, (SET_OPERATION, exp.Subquery)):
        inner = node.this
        if isinstance(node, SET_OPERATION):
            first = inner
        node = inner
    return first


def _reads_itself(body: Sql, name: str) -> bool:
    lower = name.lower()
    # A lone SELECT has no first operand to start from: `WITH orders AS (SELECT * FROM orders)` reads a table.
    if not isinstance(body, (SET_OPERATION, exp.Subquery)):
        return False
    return any(
        table.name.lower() == lower and table.args.get("db") is None for table in body.find_all(exp.Table)
    )
