"""One statement, resolved: who its sources are, what its names mean, which columns it yields."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlglot import exp

from recce_meta.dialects.types import Sql
from recce_meta.graph.columns import facts, pivots
from recce_meta.graph.columns.context import Context
from recce_meta.graph.columns.functions import alias_names, function
from recce_meta.graph.columns.query import (
    NOTHING,
    STAR,
    Alias,
    Clause,
    Column,
    Cte,
    Function,
    Output,
    Query,
    Reads,
    Select,
    SelfReference,
    SetOperation,
    Source,
    Star,
    WholeRow,
)
from recce_meta.graph.columns.reading import Reader
from recce_meta.graph.columns.returning import CHANGING, returned, written
from recce_meta.graph.columns.scope import Ctes, Scope, implied_output, index, is_open
from recce_meta.graph.columns.sources import Sources
from recce_meta.graph.columns.stars import Outputs
from recce_meta.graph.columns.statements import query_of
from recce_meta.graph.columns.tree import SET_OPERATION, arg, args

_CUTS = ("limit", "offset", "fetch", "sample")
_SORTS = ("sort", "cluster", "distribute")
"""Clauses of Hive and Spark beside ORDER BY."""
DESCRIBING = ("Describe", "Summarize")
"""Statements of DuckDB that give rows about a relation."""


class Resolver:
    """Resolves the queries of one statement."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._reader = Reader(context)
        self._sources = Sources(context, self._reader)
        self._anchors: dict[int, Callable[[Query], None]] = {}
        """By `id` of the first operand of a recursive CTE: what to do once that is resolved."""
        context.resolve = self.query
        context.lookup.read = self._reader.read

    def query(self, node: Sql, ctes: Ctes, outer: Scope | None) -> Query:
        """*node*, a query of any sort, where *ctes* can be named, and *outer* is around it."""
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
            return pivots.statement(node, scope, self._reader)
        if isinstance(node, exp.Table):
            return self._rows_of(node, scope)
        if type(node).__name__ in DESCRIBING and isinstance(node.this, exp.Table):
            self._sources.item(node.this, scope)
            return function(node, Reads((WholeRow(scope.sources[-1]),)), ())
        if isinstance(node, CHANGING):
            return self._returned(node, ctes, outer)
        return function(node, self._reader.read(node, scope, "join"), ())

    def _returned(self, node: Sql, ctes: Ctes, outer: Scope | None) -> Function:
        """Return the rows of *node*, a statement that changes data; nobody may ask it for others."""
        select = returned(node, lambda name: self._context.tables.table(name).columns)
        target, names = written(node)
        if target:
            table = Source("", self._context.tables.table(target), node)
            self._context.names.references += (Column(table, name, None) for name in names)
        if select is not None:
            rows = self.query(select, ctes, outer)
            if arg(node, "returning") is None:
                return Function(node, NOTHING, closed=True)
            source = Source("", rows, node)
            made = Function(node, NOTHING, closed=not is_open(source), rows=rows)
            for place, output in enumerate(one for one in rows.outputs if one.star is None):
                column = Column(source, output.name, output)
                reads = Reads((column,), plain=column)
                made.outputs.append(Output(output.name, place, node, reads, output.from_star))
            return made
        found = query_of(node.copy())
        if found is None:
            return function(node, NOTHING, (), closed=True)
        rows = self.query(found[0], ctes, outer)
        # Its columns are the target's, which are not known.
        return function(node, Reads((WholeRow(Source("", rows, node)),)), ())

    def _cut(self, rows: Query, scope: Scope) -> Select:
        """Return the rows of *scope*'s own statement, which are *rows* before its ORDER BY and its limit."""
        select = scope.select
        scope.add(Source("", rows, select.node))
        Outputs(scope, self._reader).add_all([exp.Star()])
        scope.outputs = {name: output for name, output in index(select).items() if output.star is None}
        self._order(select.node, scope, select)
        return select

    def _rows_of(self, node: Sql, scope: Scope) -> Select:
        """`TABLE t`, and what stands in parentheses like it."""
        self._sources.item(node, scope)
        Outputs(scope, self._reader).add_all([exp.Star()])
        return scope.select

    def _wrapped(self, node: Sql, ctes: Ctes, outer: Scope | None) -> Query:
        """A query in parentheses, with what may stand behind them."""
        while True:
            defined = self._with(node, ctes, outer)
            ctes = defined[0]
            cut = arg(node, "order") is not None or any(node.args.get(name) for name in _CUTS)
            beside = args(node, "joins") or args(node, "pivots") or args(node, "laterals")
            if cut or (beside and isinstance(node.this, exp.Table)):
                return self._around(node, ctes, outer, defined[1])
            if not isinstance(node.this, exp.Subquery):
                return self.query(node.this, ctes, outer)
            if args(node.this, "joins") and node.this is not node:
                return self._around(node, ctes, outer, defined[1])  # brackets around joins, with an alias
            node = node.this

    def _around(self, node: Sql, ctes: Ctes, outer: Scope | None, defined: list[Cte]) -> Select:
        select = Select(node, ctes=defined)
        scope = Scope(select, ctes, outer)
        if isinstance(node.this, exp.Table) or args(node.this, "joins"):
            self._sources.item(node.this, scope)
        else:
            scope.add(Source("", self.query(node.this, ctes, outer), node.this))
        Outputs(scope, self._reader).add_all([exp.Star()])
        scope.outputs = {name: output for name, output in index(select).items() if output.star is None}
        self._order(node, scope, select)
        return select

    def _with(self, node: Sql, around: Ctes, outer: Scope | None) -> tuple[Ctes, list[Cte]]:
        """The CTEs that *node* can name, and those that its own WITH defines."""
        clause = arg(node, "with")
        if clause is None:
            return around, []
        ctes = Ctes(around)
        defined: list[Cte] = []
        recursive = (
            bool(clause.args.get("recursive")) or self._context.dialect in facts.RECURSIVE_WITHOUT_SAYING
        )
        for each in args(clause, "expressions"):
            if each.args.get("scalar"):
                ctes.add_value(each.alias, each.this)
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
        """A CTE that reads itself: its first operand says which columns it has."""
        body = node.this
        itself = SelfReference(name)

        def name_outputs(first: Query) -> None:
            itself.outputs = [
                Output(columns[place] if place < len(columns) else output.name, place)
                for place, output in enumerate(first.outputs)
            ]
            for output, like in zip(itself.outputs, first.outputs, strict=True):
                output.star = Star(()) if like.star is not None else None

        self._anchors[id(_first_operand(body))] = name_outputs
        within = Ctes(ctes)
        within.add(Cte(name, itself, node, recursive=True))
        query = self.query(body, within, outer)
        itself.query = query
        for output, finished in zip(itself.outputs, query.outputs, strict=False):
            output.branches = (finished,)
        for lower, output in itself.implied.items():
            finished_ = index(query).get(lower) or implied_output(query, output.name)
            output.branches = (finished_,) if finished_ is not None else ()
        return Cte(name, query, node, recursive=True, columns=columns)

    def _select(self, node: Sql, ctes: Ctes, outer: Scope | None) -> Select:
        ctes, defined = self._with(node, ctes, outer)
        select = Select(node, ctes=defined)
        scope = Scope(select, ctes, outer)
        self._sources.of_select(node, scope)
        for window in args(node, "windows"):
            name = window.this
            window_reads = self._reader.read(window, scope, "output")
            select.windows[name.name.lower()] = Clause(window, window_reads)
        Outputs(scope, self._reader).add_all(args(node, "expressions"))
        if word_of(node) in ("STRUCT", "VALUE"):
            select.as_struct = True
        self._clauses(node, scope, select)
        return select

    def _clauses(self, node: Sql, scope: Scope, select: Select) -> None:
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
        self._order(node, scope, select)

    def _clause(self, node: Sql, scope: Scope, place: str) -> Clause:
        return Clause(node, self._reader.read(node, scope, place))

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
        select.group += [self._key(key, scope, select.outputs, "group") for key in keys]

    def _key(self, node: Sql, scope: Scope, outputs: list[Output], place: str) -> Clause:
        """A key of GROUP BY or ORDER BY: an expression, or an output by its position."""
        if isinstance(node, exp.Literal) and not node.is_string and node.name.isdigit():
            number = int(node.name)
            if 0 < number <= len(outputs) and not any(output.star for output in outputs[:number]):
                alias = Alias(outputs[number - 1])
                self._context.names.by_position(outputs[:number])
                return Clause(node, Reads((alias,), plain=alias))
        return self._clause(node, scope, place)

    def _order(self, node: Sql, scope: Scope, query: Select | SetOperation) -> None:
        order = arg(node, "order")
        if order is not None:
            for key in args(order, "expressions"):
                inner = key.this if isinstance(key, exp.Ordered) else key
                place = "group" if self._orders_by_columns(inner, query) else "order"
                query.order.append(self._key(inner, scope, query.outputs, place))
        if isinstance(query, Select):
            for name in _SORTS:  # only a limit makes the order count
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
        """Return whether names in *key*, of an ORDER BY, are columns of sources before they are outputs."""
        names = facts.ORDERED_BY_COLUMNS_FIRST.get(self._context.dialect)
        return isinstance(query, Select) and names is not None and not isinstance(key.unnest(), names)

    def _set_operation(self, node: Sql, ctes: Ctes, outer: Scope | None) -> Query:
        """A chain of set operations, however long: the tree leans to the left."""
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
        scope.outputs = {name: output for name, output in index(query).items() if output.star is None}
        self._order(query.node, scope, query)
        query.references.update(scope.select.references)
        query.subqueries.update(scope.select.subqueries)

    def _name_outputs(self, query: SetOperation) -> None:
        """Give *query* the outputs of its operands, by name or by place."""
        if not query.outputs:
            query.outputs = list(_by_name(query) if query.by_name else _by_place(query))


def word_of(node: Sql, name: str = "kind") -> str:
    """A keyword of *node* in upper case."""
    value = node.args.get(name)
    return value.upper() if isinstance(value, str) else ""


def _is_closed(query: Query) -> bool:
    return STAR not in index(query)


def _by_place(query: SetOperation) -> Iterator[Output]:
    """Outputs as SQL pairs them: the names are those of the first operand."""
    closed = [operand for operand in query.operands if _is_closed(operand)]
    model = closed[0] if closed else query.operands[0]
    # What EXCEPT takes away leaves no values.
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
                # Where a star hides the places, names are all there is.
                found = index(operand).get(named.name.lower()) or implied_output(operand, named.name)
                if found is not None:
                    branches.append(found)
        yield Output(named.name, place, branches=tuple(branches))


def _all_stars(operands: list[Query]) -> Star:
    """The stars that *operands* could not expand, as one."""
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
            if (found := index(operand).get(lower) or implied_output(operand, name)) is not None
        )
        star = _all_stars(query.operands) if name == STAR else None
        yield Output(name, place, branches=branches, star=star)


def _first_operand(node: Sql) -> Sql:
    """What stands leftmost in set operations; brackets that hold none of them stay."""
    first = node
    while isinstance(node, (SET_OPERATION, exp.Subquery)):
        inner = node.this
        if isinstance(node, SET_OPERATION):
            first = inner
        node = inner
    return first


def _reads_itself(body: Sql, name: str) -> bool:
    lower = name.lower()
    if not isinstance(body, (SET_OPERATION, exp.Subquery)):
        return False
    return any(
        table.name.lower() == lower and table.args.get("db") is None for table in body.find_all(exp.Table)
    )
