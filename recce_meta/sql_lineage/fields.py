"""Reader of expressions: one walk over each, which resolves nested queries separately."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlglot import exp

from recce_meta.sql_lineage import facts
from recce_meta.sql_lineage.context import Context
from recce_meta.sql_lineage.expressions import NODE, SET_OPERATION, args, unwrapped, word
from recce_meta.sql_lineage.query import (
    Candidates,
    Pivot,
    Query,
    QuerySource,
    Reads,
    Reference,
    Select,
    SelfReference,
    SetOperation,
    SourceColumn,
    Unresolved,
    WholeRow,
)
from recce_meta.sql_lineage.references import GUESS
from recce_meta.sql_lineage.scope import Scope, is_open, star_columns
from recce_meta.sql_lineage.structs import MAKING, member, members, output_named
from recce_meta.sql_lineage.trace import ROW_MAKERS, makes_rows
from recce_meta.warehouses.types import Sql

_PLAIN, _COLUMN, _QUERY, _EXISTS, _WINDOW, _AGGREGATE = range(6)
_HEAD, _LEAF, _PARAMETER, _TABLE, _STAR, _DOT, _CALL, _COMPREHENSION, _ROWS, _PLACE, _CHOSEN = range(6, 17)
_HEADS = (exp.Filter, exp.IgnoreNulls, exp.RespectNulls, exp.WithinGroup)
"""Nodes that may stand between a window and its function."""
_QUERIES = (exp.Select, SET_OPERATION, exp.Subquery, exp.Values)
_LEAVES = (exp.Identifier, exp.Literal, exp.DataType, exp.Var, exp.Null, exp.Boolean)
_CHILDLESS = frozenset({*_LEAVES, bool, str, type(None)})
"""Classes of arguments that name no column, for a check without a call."""
BY_PLACE: type = getattr(exp, "PositionalColumn", exp.Parameter)
"""DuckDB's `#2`: the second column of FROM."""
_COLUMNS: type = getattr(exp, "Columns", exp.Star)
# The first match counts. `exp.Values` is also a UDTF, so queries must come before row makers.
_KINDS: tuple[tuple[tuple[type, ...], int], ...] = (
    (_LEAVES, _LEAF),
    ((exp.Column,), _COLUMN),
    (_QUERIES, _QUERY),
    ((exp.Exists,), _EXISTS),
    ((exp.Window,), _WINDOW),
    ((exp.AggFunc,), _AGGREGATE),
    (_HEADS, _HEAD),
    ((exp.Parameter,), _PARAMETER),
    ((exp.Table,), _TABLE),
    ((BY_PLACE,), _PLACE),
    ((exp.Star,), _STAR),
    ((_COLUMNS,), _CHOSEN),
    ((exp.Dot,), _DOT),
    ((exp.Anonymous,), _CALL),
    ((exp.Comprehension,), _COMPREHENSION),
    ((*ROW_MAKERS, exp.GenerateSeries), _ROWS),
)
Holder = Select | SetOperation | Pivot
"""Query that stores the meaning of its nodes."""


def _kind_of(cls: type) -> int:
    for classes, kind in _KINDS:
        if issubclass(cls, classes):
            return kind
    return _PLAIN


class ExpressionReader:
    """Reader of the expressions of one dialect."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.dialect = context.dialect
        self._kinds: dict[type, int] = {}
        self._once: dict[tuple[int, int, str], tuple[Sql, Scope, Reads]] = {}
        self._numbered = context.dialect in facts.NUMBERED_COLUMNS
        self.puts_values_first = context.dialect in facts.UNPIVOTED_VALUES_FIRST
        self.keeps_places = context.dialect in facts.MERGED_IN_PLACE
        self.names_by_function = context.dialect in facts.NAMED_BY_FUNCTION
        self.unnests_structs = context.dialect in facts.STRUCTS_UNNESTED
        self.may_choose = context.may_choose
        self.ignores_renames = context.dialect in facts.UNKNOWN_RENAMES
        self.chosen: Callable[[Sql, Scope], tuple[list[SourceColumn], list[QuerySource]] | None]
        """Returns what a `COLUMNS(…)` selects and from what, None if unknown. Set by `resolve.Resolver`."""
        self.names = context.names
        self.expanded: set[int] = set()
        """The `id` of each `COLUMNS(…)` that expands to one output per column."""

    def read(self, root: Sql, scope: Scope, place: str, holder: Holder | None = None) -> Reads:
        """Return what *root* reads in *scope*. *place* limits the visible names (see `Lookup.allows_alias`).

        The meaning of each node is stored in *holder*, by default the scope's own SELECT.
        """
        return _ExpressionWalk(self, scope, place, holder or scope.select).walk(root)

    def once(self, root: Sql, scope: Scope, place: str, holder: Holder | None = None) -> Reads:
        """Return the result of `read`, cached: parts of structs are requested at every level."""
        key = (id(root), id(scope.select), place)
        known = self._once.get(key)
        if known is None:
            self._context.deadline.check()
            # The entry holds references to the keyed objects, so that their ids are not reused.
            known = self._once[key] = (root, scope, self.read(root, scope, place, holder))
        return known[2]

    def check_time(self) -> None:
        """Raise SqlNotAnalysed if the time limit has passed."""
        self._context.deadline.check()

    def makes_rows(self, node: Sql) -> bool:
        """Return whether the call *node* may return zero or several rows."""
        return makes_rows(node, self._context.dialect)

    def kind(self, cls: type) -> int:
        """Return how to handle nodes of this class."""
        kind = self._kinds.get(cls)
        if kind is None:
            kind = self._kinds[cls] = _kind_of(cls)
        return kind

    def subquery(self, node: Sql, scope: Scope, holder: Holder) -> Query:
        """Resolve *node*, a query inside an expression, and store it in *holder*."""
        # An expression may be read more than once. Resolving it again at each level is exponential in the
        # nesting.
        if not isinstance(holder, Pivot) and id(node) in holder.subqueries:
            return holder.subqueries[id(node)]
        query = self._context.resolve(node, scope.ctes, scope)
        if not isinstance(holder, Pivot):
            holder.subqueries[id(node)] = query
            if not isinstance(query, SelfReference):
                # The query itself, if *node* is the parentheses around it.
                holder.subqueries[id(query.node)] = query
        return query

    def column(self, node: Sql, scope: Scope, place: str) -> tuple[Reference, Sequence[str]]:
        """Return the reference for the column *node*, and the path in it: empty for the column itself."""
        values = node.args
        name = values["this"]
        if values.get("table") is None:
            return self._bare(node, name, scope, place)
        parts = [part.name for key in ("catalog", "db", "table") if (part := values.get(key)) is not None]
        if name.__class__ is exp.Star:
            source = self._qualifier(parts, scope)
            return (WholeRow(source) if source else Unresolved(".".join([*parts, "*"]))), "*"
        if isinstance(name, exp.Parameter):
            spelt = folded = "$" + name.name
        else:
            spelt, folded = name.name, self._context.folding.fold(name)
        return self._context.lookup.qualified([*parts, spelt], folded, scope, place)

    def _bare(self, node: Sql, name: Sql, scope: Scope, place: str) -> tuple[Reference, Sequence[str]]:
        if name.__class__ is exp.Star:
            return Unresolved("*"), "*"
        if isinstance(name, exp.Parameter):
            return self._context.lookup.unqualified(f"${name.name}", f"${name.name}", scope, place), ()
        lookup = self._context.lookup
        as_row = lookup.has_rows and isinstance(node.parent, exp.Func)
        found = lookup.unqualified(self._context.folding.fold(name), name.name, scope, place, as_row=as_row)
        if (
            # In `datediff(day, a, b)`, sqlglot may parse the unit as a column. It counts as one only if a
            # source certainly has it, if it is quoted, or if it is the only argument.
            (isinstance(found, Candidates) or (isinstance(found, SourceColumn) and found.confidence < 1))
            and name.name.upper() in facts.DATE_PARTS
            and isinstance(node.parent, exp.Func)
            and not name.args.get("quoted")
            and len(list(node.parent.iter_expressions())) > 1
        ):
            return Unresolved(name.name), "*"
        return found, ()

    @staticmethod
    def _qualifier(parts: list[str], scope: Scope | None) -> QuerySource | None:
        qualifier = ".".join(parts).lower()
        while scope is not None:
            source = scope.source(qualifier)
            if source is not None:
                return source
            scope = scope.outer
        return None

    def field(self, source: QuerySource, name: Sql) -> Reference:
        """Return the column *name* of *source*."""
        return self._context.lookup.of_source(source, self._context.folding.fold(name), name.name)

    def numbered(self, name: str, scope: Scope) -> Reference:
        """Return the reference for `$1`."""
        return self._context.lookup.unqualified(name, name, scope, "join")

    @property
    def numbers_columns(self) -> bool:
        """Return whether `$1` is a column."""
        return self._numbered


class _ExpressionWalk:
    """One walk over one expression."""

    def __init__(self, reader: ExpressionReader, scope: Scope, place: str, holder: Holder) -> None:
        self._reader, self._scope, self._place, self._holder = reader, scope, place, holder
        self._references: list[Reference] = []
        self._subqueries: list[Query] = []
        self._tests: list[Query] = []
        self._aggregates = self._windows = self._makes_rows = False
        self._bound: set[int] = set()

    def walk(self, root: Sql) -> Reads:
        plain: Reference | None = None
        # Most expressions are one column, for which the general walk would only cost time.
        bare = unwrapped(root)
        if bare.__class__ is exp.Column:
            if self._column(bare):
                plain = self._references[0]
            self._reader.names.references += self._references
            return Reads((*self._references,), plain=plain)
        if isinstance(bare, BY_PLACE) and not isinstance(bare, exp.Parameter):
            self._by_place(bare)
            self._reader.names.references += self._references
            found = self._references[0] if len(self._references) == 1 else None
            return Reads((*self._references,), plain=found if isinstance(found, SourceColumn) else None)
        # An explicit stack, because a chain of a thousand operators is a tree of the same depth.
        kind_of = self._reader.kind
        # The second of each pair: whether the node is the function of a window.
        stack: list[tuple[Sql, bool]] = [(bare, False)]
        while stack:
            node, head = stack.pop()
            kind = kind_of(node.__class__)
            if kind == _LEAF:
                continue
            if kind == _COLUMN:
                if id(node) not in self._bound:
                    self._column(node)
            elif kind == _PLAIN:
                self._push(node, stack)
            else:
                self._special(node, kind, head, stack)
        self._reader.names.references += self._references
        return Reads(
            tuple(self._references),
            tuple(self._subqueries),
            tuple(self._tests),
            aggregates=self._aggregates,
            windows=self._windows,
            makes_rows=self._makes_rows,
        )

    @staticmethod
    def _push(node: Sql, stack: list[tuple[Sql, bool]], head: str = "") -> None:
        for key, value in node.args.items():
            if value.__class__ in _CHILDLESS:
                continue
            if value.__class__ is list:
                for item in value:
                    if item.__class__ not in _CHILDLESS and isinstance(item, NODE):
                        stack.append((item, False))
            elif isinstance(value, NODE):
                stack.append((value, key == head))

    def _column(self, node: Sql) -> bool:
        reference, path = self._reader.column(node, self._scope, self._place)
        self._holder.references[id(node)] = reference
        found = member(node, reference, path) if path else None
        self._references.append(found or reference)
        # A field of unknown meaning is read from the column but is not the column itself.
        return not path or found is not None

    def _special(self, node: Sql, kind: int, head: bool, stack: list[tuple[Sql, bool]]) -> None:
        if kind == _QUERY:
            self._subqueries.append(self._reader.subquery(node, self._scope, self._holder))
        elif kind == _EXISTS:
            inner = node.this
            if self._reader.kind(inner.__class__) == _QUERY:
                self._tests.append(self._reader.subquery(inner, self._scope, self._holder))
            else:
                self._push(node, stack)
        elif kind == _WINDOW and word(node, "over") == "KEEP":
            # Oracle: an aggregate over some of its rows.
            self._push(node, stack)
        elif kind == _WINDOW:
            self._windows = True
            self._push(node, stack, "this")
            named = self._named_window(node)
            if named is not None:
                self._take(named)
        elif kind in (_AGGREGATE, _CALL):
            # The function of a window does not aggregate the rows of the query.
            counts = kind == _AGGREGATE or node.name.upper() in facts.AGGREGATE_NAMES
            self._aggregates = self._aggregates or (counts and not head)
            self._makes_rows = self._makes_rows or (kind == _CALL and self._reader.makes_rows(node))
            self._push(node, stack)
        elif kind == _ROWS:
            self._makes_rows = self._makes_rows or self._reader.makes_rows(node)
            self._push(node, stack)
        elif kind == _HEAD:
            # Below FILTER or IGNORE NULLS, the function still belongs to the window.
            self._push(node, stack, "this" if head else "")
        elif kind == _PARAMETER:
            self._parameter(node, stack)
        elif kind == _STAR:
            # `count(*)` counts rows, whatever their columns.
            if not isinstance(node.parent, exp.Count):
                self._star(node)
            stack += ((one, False) for one in args(node, "replace"))
        elif kind == _COMPREHENSION:
            self._bind(node)
            self._push(node, stack)
        elif kind == _DOT:
            self._dot(node, stack)
        elif kind == _PLACE:
            self._by_place(node)
        elif kind == _CHOSEN:
            if id(node) not in self._reader.expanded:
                self._references += map(WholeRow, self._scope.sources)
                self._by_pattern(node)
            stack += ((one, False) for one in args(node.this, "replace"))
        # A table as an argument (`ML.PREDICT(MODEL m, TABLE t)`) contains no column.

    def _by_pattern(self, node: Sql) -> None:
        """Record that `COLUMNS(…)` must select a column, or that it may name any if that is not known."""
        if (found := self._reader.chosen(node, self._scope)) is not None:
            self._reader.names.any_of(*found)
            return
        self._reader.names.references += (
            SourceColumn(column.source, column.name, column.output, GUESS)
            for source in self._scope.sources
            for _, column in star_columns(source)
        )

    def _by_place(self, node: Sql) -> None:
        """Record the column that `#2` means, or any column if not all columns before it are known."""
        place = int(node.name) - 1 if node.name.isdigit() else -1
        for source in self._scope.sources:
            columns = [column for _, column in star_columns(source)]
            if is_open(source):
                break
            if 0 <= place < len(columns):
                self._holder.references[id(node)] = columns[place]
                self._references.append(columns[place])
                # Without one of the columns before it, `#2` means another column.
                self._reader.names.references += columns[:place]
                return
            self._reader.names.references += columns
            place -= len(columns)
        self._references += map(WholeRow, self._scope.sources)

    def _star(self, node: Sql) -> None:
        """Record what `f(*)` reads: all rows. `f(* EXCLUDE (a))` reads the remaining columns."""
        excluded = {name.name.lower() for name in args(node, "except")}
        for source in self._scope.sources:
            if not excluded or is_open(source):
                self._references.append(WholeRow(source))
            else:
                self._references += (
                    one for name, one in star_columns(source) if name.lower() not in excluded
                )

    def _bind(self, node: Sql) -> None:
        """Record which names in `[x + 1 for x in …]` are its own variable."""
        made = (node.expression, node.args.get("position"))
        variables = {one.name for one in made if isinstance(one, NODE)}
        for part in (node.this, node.expression, node.args.get("condition")):
            for column in part.find_all(exp.Column) if isinstance(part, NODE) else ():
                if column.name in variables and column.args.get("table") is None:
                    self._bound.add(id(column))

    def _dot(self, node: Sql, stack: list[tuple[Sql, bool]]) -> None:
        """Record a field of an expression. PostgreSQL's `(t).a` is a column of the row."""
        inner, field = node.this, node.expression
        in_brackets = isinstance(inner, exp.Paren) and inner.this.__class__ is exp.Column
        if in_brackets and isinstance(field, exp.Identifier):
            row, _ = self._reader.column(inner.this, self._scope, self._place)
            if isinstance(row, WholeRow):
                found = self._reader.field(row.source, field)
                self._holder.references[id(inner.this)] = found
                self._references.append(found)
                return
        if isinstance(field, exp.Identifier) and isinstance(unwrapped(inner), (exp.Column, *MAKING)):
            reads = self._reader.once(inner, self._scope, self._place, self._holder)
            part = output_named(members(inner, self._scope, self._reader), field.name)
            self._take(reads if part is None else part.reads)
            self._aggregates = self._aggregates or reads.aggregates
            self._windows = self._windows or reads.windows
            return
        self._push(node, stack)

    def _named_window(self, node: Sql) -> Reads | None:
        name = node.args.get("alias")
        window = self._scope.select.windows.get(name.name.lower()) if isinstance(name, NODE) else None
        return window.reads if window is not None else None

    def _take(self, reads: Reads) -> None:
        self._references += reads.references
        self._subqueries += reads.subqueries
        self._tests += reads.tests

    def _parameter(self, node: Sql, stack: list[tuple[Sql, bool]]) -> None:
        number = node.this
        if self._reader.numbers_columns and isinstance(number, exp.Literal) and self._scope.sources:
            name = f"${number.name}"
            reference = self._reader.numbered(name, self._scope)
            self._holder.references[id(node)] = reference
            self._references.append(reference)
        else:
            self._push(node, stack)
