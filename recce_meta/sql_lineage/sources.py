"""Resolution of FROM and JOIN items into sources."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from recce_meta.errors import SqlNotAnalysed
from recce_meta.sql_lineage import facts
from recce_meta.sql_lineage.context import Context
from recce_meta.sql_lineage.expressions import (
    SET_OPERATION,
    alias_names,
    arg,
    args,
    children,
    dotted,
    function,
    name_of_values,
    word,
    yields_values,
)
from recce_meta.sql_lineage.fields import ExpressionReader
from recce_meta.sql_lineage.joins import apply_match_recognize, apply_pivot
from recce_meta.sql_lineage.project.names import without_partition
from recce_meta.sql_lineage.query import (
    STAR,
    Clause,
    Function,
    Join,
    Merged,
    Output,
    Query,
    QuerySource,
    Reads,
    Select,
    SetOperation,
    SourceColumn,
    Star,
    Table,
    Unresolved,
    Values,
    WholeRow,
)
from recce_meta.sql_lineage.scope import Scope, find_column, imply, is_open
from recce_meta.sql_lineage.structs import fields_of, members
from recce_meta.sql_lineage.trace import is_inline_call
from recce_meta.warehouses.types import Sql

_QUERIES = (exp.Select, SET_OPERATION, exp.Subquery, exp.Values)
_FILES: tuple[type, ...] = tuple(
    cls for name in ("ReadCSV", "ReadParquet") if (cls := getattr(exp, name, None)) is not None
)
_FLATTEN = ("SEQ", "KEY", "PATH", "INDEX", "VALUE", "THIS")


class Sources:
    """Reader of the FROM clauses of one dialect."""

    def __init__(self, context: Context, reader: ExpressionReader) -> None:
        self._context = context
        self._reader = reader

    def of_select(self, node: Sql, scope: Scope) -> None:
        """Add every source that the SELECT *node* reads to *scope*."""
        start = arg(node, "from")
        if start is not None:
            self.item(start.this, scope)
        for lateral in args(node, "laterals"):
            self.item(lateral, scope, Join("CROSS", lateral))
        match = arg(node, "match")
        if match is not None:
            written = list(node.args)
            # Arguments are in the order of the text, so earlier joins are part of the rows that the pattern
            # matches.
            if len(scope.sources) != 1 or "joins" in written[: written.index("match")]:
                raise SqlNotAnalysed("MATCH_RECOGNIZE after a join is not supported")
            scope.put_only(apply_match_recognize(match, scope.sources[0], scope, self._reader))
        for join in args(node, "joins"):
            self._join(join, scope)

    def _join(self, node: Sql, scope: Scope) -> None:
        first = len(scope.sources)
        join = Join(_kind(node), node)
        self.item(node.this, scope, join)
        for further in args(node, "expressions"):  # ClickHouse: `ARRAY JOIN a, b AS c`
            self.item(further, scope, join)
        if args(node, "pivots"):
            raise SqlNotAnalysed("PIVOT after a join is not supported")
        for key in ("on", "match_condition", "nearest"):
            on = arg(node, key)
            if on is not None:
                reads = self._reader.read(on, scope, "join")
                join.on = Clause(on, reads if join.on is None else _together([join.on.reads, reads]))
        right = scope.sources[first:]
        names = [name.name for name in args(node, "using")]
        if word(node, "method") == "NATURAL":
            names = _common(scope.sources[:first], right)
        join.using = tuple(self._merged(name, scope, first, right, join) for name in names)
        # NATURAL names no column: without one of them, the join changes but does not fail.
        if args(node, "using"):
            self._context.names.references += join.using

    def _merged(
        self, name: str, scope: Scope, first: int, right: Sequence[QuerySource], join: Join
    ) -> Merged:
        """Return the join column *name*, merged from both sides, and record it in *scope*."""
        lower = name.lower()
        before = scope.merged.get(lower)
        left = list(before.columns) if before is not None else _first(scope.sources[:first], name)
        added = _first(right, name)
        # The left side of a RIGHT JOIN may be NULL, so the right one comes first.
        columns = (*added, *left) if join.kind.startswith("RIGHT") else (*left, *added)
        merged = Merged(tuple(columns))
        if right and not right[0].only_filters:
            # A semi or anti join only filters rows: its columns are not visible.
            scope.merged[lower] = merged
        return merged

    def item(self, node: Sql, scope: Scope, join: Join | None = None) -> None:
        """Add the FROM item *node* to *scope*, with the joins attached to it."""
        self._context.deadline.check()
        if _is_in_brackets(node) or isinstance(node, exp.Final):
            # Parentheses around joins, and ClickHouse's FINAL after a table.
            self.item(node.this, scope, join)
        else:
            source = self._source(node, scope)
            source.join = join
            for pivot in args(node, "pivots"):
                source = apply_pivot(pivot, source, scope, self._reader)
            scope.add(source)
            self._context.names.column_list(source)
        sample = arg(node, "sample")
        if sample is not None:
            scope.select.limit.append(sample)
            bucket = arg(sample, "bucket_field")
            if bucket is not None:
                scope.select.limit_by.append(Clause(bucket, self._reader.read(bucket, scope, "join")))
        for lateral in args(node, "laterals"):
            self.item(lateral, scope, Join("CROSS", lateral))
        for below in args(node, "joins"):
            self._join(below, scope)

    def _source(self, node: Sql, scope: Scope) -> QuerySource:
        alias, columns = alias_names(node)
        if isinstance(node, exp.Table):
            return self._table(node, alias, columns, scope)
        if isinstance(node, exp.Lateral):
            return self._lateral(node, alias, columns, scope)
        if isinstance(node, exp.Unnest):
            return self._unnest(node, alias, columns, scope)
        if isinstance(node, exp.Values):
            return QuerySource(alias, self.values(node, scope, columns), node)
        if isinstance(node, (*_QUERIES, exp.Pivot)):
            # Not lateral: it sees the scope around the select but not the neighboring FROM items.
            around = scope.outer
            if scope.sources and self._context.dialect in facts.IMPLICIT_LATERAL:
                around = scope.sibling()
            query = self._context.resolve(node, scope.ctes, around)
            return QuerySource(alias, query, node, columns=columns)
        return self._function(node, alias, columns, scope)

    def _table(self, node: Sql, alias: str, columns: tuple[str, ...], scope: Scope) -> QuerySource:
        this = node.this
        if type(this).__name__ == "DynamicIdentifier" or _is_identifier_call(this):
            named = args(this, "expressions")[0] if isinstance(this, exp.Anonymous) else this.this
            return QuerySource(alias, self._context.tables.table(named.name), node, columns=columns)
        if isinstance(this, exp.Unnest):
            return self._unnest(this, alias, columns, scope)
        if args(node, "rows_from"):
            calls = [each.this if isinstance(each, exp.Table) else each for each in args(node, "rows_from")]
            reads = _together([self._reader.read(call, scope, "join") for call in calls])
            return QuerySource(
                alias, function(node, reads, columns, closed=bool(columns)), node, lateral=True
            )
        if isinstance(this, (exp.Func, exp.Anonymous)) or (
            this is not None and type(this).__name__ == "Anonymous"
        ):
            return self._table_function(node, this, alias, columns, scope)
        if type(this).__name__ == "SemanticView":
            view = Table(dotted(this.this), None)
            return QuerySource(alias, view, node, columns=columns)
        if isinstance(this, exp.Var):
            # A Snowflake or Databricks stage.
            return QuerySource(alias, Table(dotted(node), None), node, columns=columns)
        name = dotted(node)
        # Dotted names may refer to relations that earlier statements create.
        cte = scope.ctes.find(name)
        if cte is not None:
            own = alias or name.rpartition(".")[2]
            return QuerySource(own, cte.query, node, cte=cte, columns=columns or cte.columns)
        is_dotted = node.args.get("db") is not None or node.args.get("catalog") is not None
        if is_dotted and (path := self._path(node, scope)) is not None:
            return self._rows_of(node, path, alias, columns)
        name = without_partition(name, self._context.dialect)
        return QuerySource(alias, self._context.tables.table(name), node, columns=columns)

    def _path(self, node: Sql, scope: Scope) -> Reads | None:
        """Return what `t.items` reads after `FROM t`: an array in a row of an earlier source."""
        parts = dotted(node).split(".")
        source = scope.aliases.get(parts[0].lower())
        if source is None:
            return None
        column = find_column(source, parts[1], parts[1].lower()) or (
            imply(source, parts[1]) if is_open(source) else None
        )
        if column is None:
            return None
        self._context.names.references.append(column)
        return Reads((column,))

    def _rows_of(self, node: Sql, reads: Reads, alias: str, columns: tuple[str, ...]) -> QuerySource:
        names = columns or ((alias,) if alias else ())
        return QuerySource(alias, function(node, reads, names), node, lateral=True)

    def _table_function(
        self, node: Sql, call: Sql, alias: str, columns: tuple[str, ...], scope: Scope
    ) -> QuerySource:
        inner = args(call, "expressions")
        if call.name.upper() == "TABLE" and len(inner) == 1 and isinstance(inner[0], exp.Func):
            # Older versions of sqlglot leave `TABLE(FLATTEN(…))` unparsed.
            call = inner[0]
        relation = _relation_argument(call)
        if relation is None:
            files = _files_of(call)
            if files:
                made = self._files(node, files, self._reader.read(call, scope, "join"), columns)
                return QuerySource(alias, made, node, lateral=True)
            reads = _from_outside(call, self._reader.read(call, scope, "join"))
        else:
            # A function over a relation (`ML.PREDICT`) passes through the columns that it does not add.
            others = [part for part in children(call) if part is not relation]
            read = [self._reader.read(part, scope, "join") for part in others]
            self.item(relation, scope)
            reads = _together([*read, Reads((WholeRow(scope.sources[-1]),))])
        if isinstance(call, exp.Explode) or call.name.upper() == "FLATTEN":
            columns = columns or _FLATTEN
        single = yields_values(call)
        names = columns or (self._named(call, alias) if single else ((alias,) if alias else ()))
        if node.args.get("ordinality") and len(columns) < 2:
            names = (*names, "ordinality")
        closed = bool(columns) or single
        return QuerySource(alias, function(node, reads, names, closed=closed), node, lateral=True)

    def _files(self, node: Sql, files: Sequence[str], reads: Reads, columns: tuple[str, ...]) -> Function:
        """Return the rows of *files*. Each file is a table with unknown columns."""
        tables = tuple(QuerySource("", self._context.tables.table(name), node) for name in files)
        operands: list[Query] = []
        for table in tables:
            operands.append(Select(node, [table], [Output(STAR, 0, from_star=True, star=Star((table,)))]))
        rows: Query = operands[0]
        if len(operands) > 1:
            rows = SetOperation(node, "union", False, True, operands)
            rows.outputs.append(Output(STAR, 0, star=Star(tables)))
        every = Reads((*reads.references, *map(WholeRow, tables)))
        made = function(node, every, columns)
        made.reads, made.rows = reads, rows
        return made

    def _named(self, call: Sql, alias: str) -> tuple[str, ...]:
        return (name_of_values(call, alias, self._context.dialect),)

    def _function(self, node: Sql, alias: str, columns: tuple[str, ...], scope: Scope) -> QuerySource:
        call = node.this if isinstance(node.args.get("this"), exp.Func) else node
        reads = _from_outside(call, self._reader.read(node, scope, "join"))
        if isinstance(call, exp.Explode):
            columns = columns or _FLATTEN
        names = columns or ((alias,) if alias else ())
        # The alias in ARRAY JOIN is a separate column.
        closed = bool(columns) or isinstance(node, (exp.Alias, exp.Column))
        return QuerySource(alias, function(node, reads, names, closed=closed), node, lateral=True)

    def _lateral(self, node: Sql, alias: str, columns: tuple[str, ...], scope: Scope) -> QuerySource:
        inner = node.this
        if isinstance(inner, _QUERIES):
            query = self._context.resolve(inner, scope.ctes, scope)
            return QuerySource(alias, query, node, columns=columns, lateral=True)
        if isinstance(inner, exp.Unnest):
            return self._unnest(inner, alias, columns, scope)
        reads = self._reader.read(inner, scope, "join")
        if is_inline_call(inner) and not columns:
            given = inner.this if isinstance(inner, exp.Inline) else args(inner, "expressions")[0]
            fields = fields_of(given, scope, self._reader)
            columns = tuple(one.name for one in fields.outputs) if fields is not None else ()
            alias_is_column = False
        else:
            alias_is_column = bool(alias)
        names = columns or ((alias,) if alias_is_column else ())
        if node.args.get("ordinality") and len(columns) < 2:
            names = (*names, "ordinality")
        return QuerySource(alias, function(node, reads, names, closed=bool(columns)), node, lateral=True)

    def _unnest(self, node: Sql, alias: str, columns: tuple[str, ...], scope: Scope) -> QuerySource:
        own, named = alias_names(node)
        alias, columns = alias or own, columns or named
        arguments = args(node, "expressions")
        rows = members(arguments[0], scope, self._reader) if len(arguments) == 1 else ()
        if rows and not alias and len(columns) == 1:
            # BigQuery: the alias names each struct.
            alias, columns = columns[0], ()
        if rows and not columns and self._context.dialect in facts.STRUCTS_STAY_WHOLE:
            columns = ("unnest",)
        read = [self._reader.read(argument, scope, "join") for argument in arguments]
        whole = _together(read)
        single = len(arguments) == 1 and yields_values(arguments[0])
        offset = node.args.get("offset")
        names = list(columns)
        if not names:
            values = self._named(arguments[0], alias) if single else (alias,) if alias else ()
            names = [output.name for output in rows] or list(values)
        if offset is not None and offset is not False:
            spelt = offset.name if isinstance(offset, exp.Identifier) else "offset"
            if spelt not in names:
                names.append(spelt)
        # Struct fields keep their names unless `AS u (a, b)` names every column.
        closed = bool(alias and columns) or single or bool(rows)
        made = function(node, whole, tuple(names), closed=closed)
        if len(rows) > 1 and len(columns) == 1:
            made.outputs[0].members = rows
        else:
            for output, row in zip(made.outputs, rows, strict=False):
                output.reads, output.members = row.reads, row.members
        if len(read) > 1:
            # Parallel arrays: one column for each.
            for output, reads in zip(made.outputs, read, strict=False):
                output.reads = reads
        return QuerySource(alias, made, node, lateral=True)

    def values(self, node: Sql, scope: Scope, columns: tuple[str, ...] = ()) -> Values:
        """Return the literal rows in *node*."""
        rows = [
            args(row, "expressions") if isinstance(row, exp.Tuple) else [row]
            for row in args(node, "expressions")
        ]
        if self._context.dialect in facts.STRUCTURE_BEFORE_VALUES and len(rows) == 1 and rows[0][1:]:
            raise SqlNotAnalysed("VALUES with a structure argument is not supported")
        made = Values(node)
        width = max((len(row) for row in rows), default=0)
        pattern = facts.VALUES_NAMES.get(self._context.dialect, "column{}")
        start = 0 if self._context.dialect in facts.VALUES_FROM_ZERO else 1
        read = [[self._reader.read(cell, scope, "join") for cell in row] for row in rows]
        for place in range(width):
            name = columns[place] if place < len(columns) else pattern.format(place + start)
            cells = [row[place] for row in read if place < len(row)]
            made.outputs.append(Output(name, place, node, _together(cells)))
        return made


def _together(read: Sequence[Reads]) -> Reads:
    if len(read) == 1:
        return read[0]
    return Reads(
        tuple(reference for reads in read for reference in reads.references),
        tuple(query for reads in read for query in reads.subqueries),
        tuple(query for reads in read for query in reads.tests),
    )


def _files_of(call: Sql) -> list[str]:
    """Return the files that *call* reads, if they are literals."""
    name = call.name if isinstance(call, exp.Anonymous) else str(call.key)
    given = args(call, "expressions") or list(children(call))
    if not given or (not isinstance(call, _FILES) and name.lower() not in facts.FILE_READERS):
        return []
    listed = args(given[0], "expressions") if isinstance(given[0], exp.Array) else given[:1]
    files = [one.name for one in listed if isinstance(one, exp.Literal) and one.is_string]
    return files if len(files) == len(listed) else []


def _from_outside(call: Sql, reads: Reads) -> Reads:
    """Return *reads* or, without columns, the call itself: a file or result may still yield data."""
    if reads.references or reads.subqueries or not isinstance(call, (exp.Anonymous, *_FILES)):
        return reads
    name = call.name if isinstance(call, exp.Anonymous) else call.key
    return reads if name.upper() in facts.MAKING_ROWS else Reads((Unresolved(name),))


def _is_identifier_call(node: object) -> bool:
    """Return whether *node* is `IDENTIFIER('db.t')`, a relation named by a string."""
    return isinstance(node, exp.Anonymous) and node.name.upper() == "IDENTIFIER" and bool(node.expressions)


def _is_in_brackets(node: Sql) -> bool:
    """Return whether *node* is only a table or joins in parentheses. With an alias they form one relation.

    Catalogs write views this way: `FROM ((a JOIN b ON …) JOIN c ON …)`.
    """
    while isinstance(node, exp.Subquery) and not (node.args.get("alias") or node.args.get("pivots")):
        node = node.this
        has_more = args(node, "joins") or (isinstance(node, exp.Subquery) and node.args.get("alias"))
        if isinstance(node, exp.Table) or has_more:
            return True
    return False


def _relation_argument(call: Sql) -> Sql | None:
    for value in (call.args.get("expression"), *args(call, "expressions")):
        if isinstance(value, (exp.Table, *_QUERIES)):
            return value
    return None


def _kind(node: Sql) -> str:
    side, kind, method = (word(node, name) for name in ("side", "kind", "method"))
    if not side and not kind:
        kind = "INNER" if node.args.get("on") is not None or node.args.get("using") or method else "CROSS"
    # LEFT JOIN and LEFT OUTER JOIN are the same.
    return " ".join(part for part in (method, side, kind) if part and part != "OUTER")


def _first(sources: Sequence[QuerySource], name: str) -> list[SourceColumn]:
    """Return the column *name* of the first of *sources* that has it or may have it."""
    for source in sources:
        known = find_column(source, name, name.lower())
        if known is not None:
            return [known]
    # Known columns come first: a relation with unknown columns only may have this one.
    opened = [source for source in sources if is_open(source)]
    for source in opened:
        guess = imply(source, name)
        if guess is not None:
            return [guess]
    return []


def _common(left: Sequence[QuerySource], right: Sequence[QuerySource]) -> list[str]:
    """Return the known column names shared by both sides of a NATURAL join."""
    names: list[str] = []
    for source in left:
        for name in column_names(source):
            lower = name.lower()
            if name not in names and any(find_column(other, name, lower) is not None for other in right):
                names.append(name)
    return names


def column_names(source: QuerySource) -> list[str]:
    """Return the known column names of *source*."""
    relation = source.relation
    if isinstance(relation, Table):
        known = list(relation.columns or ())
    else:
        known = [output.name for output in relation.outputs if output.star is None]
    return [*source.columns, *known[len(source.columns) :]]
