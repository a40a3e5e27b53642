"""Items of FROM and JOIN as sources."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from recce_meta.dialects.types import Sql
from recce_meta.errors import SqlNotAnalysed
from recce_meta.graph.columns import facts
from recce_meta.graph.columns.context import Context
from recce_meta.graph.columns.functions import alias_names, function, name_of_values, yields_values
from recce_meta.graph.columns.matches import matched
from recce_meta.graph.columns.pivots import pivoted
from recce_meta.graph.columns.project_dialects import without_partition
from recce_meta.graph.columns.query import (
    STAR,
    Clause,
    Column,
    Function,
    Join,
    Merged,
    Output,
    Query,
    Reads,
    Select,
    SetOperation,
    Source,
    Star,
    Table,
    Unresolved,
    Values,
    WholeRow,
)
from recce_meta.graph.columns.reading import Reader
from recce_meta.graph.columns.row_makers import is_inline_call
from recce_meta.graph.columns.scope import Scope, find, imply, is_open
from recce_meta.graph.columns.structs import fields_of, members
from recce_meta.graph.columns.tree import SET_OPERATION, arg, args, children, dotted, word

_QUERIES = (exp.Select, SET_OPERATION, exp.Subquery, exp.Values)
_FILES: tuple[type, ...] = tuple(
    cls for name in ("ReadCSV", "ReadParquet") if (cls := getattr(exp, name, None)) is not None
)
_FLATTEN = ("SEQ", "KEY", "PATH", "INDEX", "VALUE", "THIS")


class Sources:
    """Reads the FROM clauses of one dialect."""

    def __init__(self, context: Context, reader: Reader) -> None:
        self._context = context
        self._reader = reader

    def of_select(self, node: Sql, scope: Scope) -> None:
        """Put all that *node*, a SELECT, reads into *scope*."""
        start = arg(node, "from")
        if start is not None:
            self.item(start.this, scope)
        for lateral in args(node, "laterals"):
            self.item(lateral, scope, Join("CROSS", lateral))
        match = arg(node, "match")
        if match is not None:
            written = list(node.args)
            if len(scope.sources) != 1 or "joins" in written[: written.index("match")]:
                raise SqlNotAnalysed("MATCH_RECOGNIZE behind a join is not understood")
            scope.put_only(matched(match, scope.sources[0], scope, self._reader))
        for join in args(node, "joins"):
            self._join(join, scope)

    def _join(self, node: Sql, scope: Scope) -> None:
        first = len(scope.sources)
        join = Join(_kind(node), node)
        self.item(node.this, scope, join)
        for further in args(node, "expressions"):  # ClickHouse: `ARRAY JOIN a, b AS c`
            self.item(further, scope, join)
        if args(node, "pivots"):
            raise SqlNotAnalysed("PIVOT behind a join is not understood")
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
        if args(node, "using"):
            self._context.names.references += join.using

    def _merged(self, name: str, scope: Scope, first: int, right: Sequence[Source], join: Join) -> Merged:
        """The column *name* of both sides of a join, noted in *scope*."""
        lower = name.lower()
        before = scope.merged.get(lower)
        left = list(before.columns) if before is not None else _first(scope.sources[:first], name)
        added = _first(right, name)
        columns = (*added, *left) if join.kind.startswith("RIGHT") else (*left, *added)
        merged = Merged(tuple(columns))
        if right and not right[0].only_filters:
            # What only filters yields no columns.
            scope.merged[lower] = merged
        return merged

    def item(self, node: Sql, scope: Scope, join: Join | None = None) -> None:
        """Put *node*, an item of FROM, into *scope*, with the joins that hang on it."""
        self._context.deadline.check()
        if _is_in_brackets(node) or isinstance(node, exp.Final):
            # Parentheses around joins, and ClickHouse's word FINAL behind a table.
            self.item(node.this, scope, join)
        else:
            source = self._source(node, scope)
            source.join = join
            for pivot in args(node, "pivots"):
                source = pivoted(pivot, source, scope, self._reader, self._context)
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

    def _source(self, node: Sql, scope: Scope) -> Source:
        alias, columns = alias_names(node)
        if isinstance(node, exp.Table):
            return self._table(node, alias, columns, scope)
        if isinstance(node, exp.Lateral):
            return self._lateral(node, alias, columns, scope)
        if isinstance(node, exp.Unnest):
            return self._unnest(node, alias, columns, scope)
        if isinstance(node, exp.Values):
            return Source(alias, self.values(node, scope, columns), node)
        if isinstance(node, (*_QUERIES, exp.Pivot)):
            # Not lateral: it sees what is around the select, and none of the items beside it.
            around = scope.outer
            if scope.sources and self._context.dialect in facts.LATERAL_WITHOUT_SAYING:
                around = scope.beside()
            query = self._context.resolve(node, scope.ctes, around)
            return Source(alias, query, node, columns=columns)
        return self._function(node, alias, columns, scope)

    def _table(self, node: Sql, alias: str, columns: tuple[str, ...], scope: Scope) -> Source:
        this = node.this
        if type(this).__name__ == "DynamicIdentifier" or _is_identifier_call(this):
            named = args(this, "expressions")[0] if isinstance(this, exp.Anonymous) else this.this
            return Source(alias, self._context.tables.table(named.name), node, columns=columns)
        if isinstance(this, exp.Unnest):
            return self._unnest(this, alias, columns, scope)
        if args(node, "rows_from"):
            calls = [each.this if isinstance(each, exp.Table) else each for each in args(node, "rows_from")]
            reads = _together([self._reader.read(call, scope, "join") for call in calls])
            return Source(alias, function(node, reads, columns, closed=bool(columns)), node, lateral=True)
        if isinstance(this, (exp.Func, exp.Anonymous)) or (
            this is not None and type(this).__name__ == "Anonymous"
        ):
            return self._table_function(node, this, alias, columns, scope)
        if type(this).__name__ == "SemanticView":
            view = Table(dotted(this.this), None)
            return Source(alias, view, node, columns=columns)
        if isinstance(this, exp.Var):
            # A stage.
            return Source(alias, Table(dotted(node), None), node, columns=columns)
        name = dotted(node)
        # Dotted names are of relations that statements before create.
        cte = scope.ctes.find(name)
        if cte is not None:
            own = alias or name.rpartition(".")[2]
            return Source(own, cte.query, node, cte=cte, columns=columns or cte.columns)
        is_dotted = node.args.get("db") is not None or node.args.get("catalog") is not None
        if is_dotted and (path := self._path(node, scope)) is not None:
            return self._rows_of(node, path, alias, columns)
        name = without_partition(name, self._context.dialect)
        return Source(alias, self._context.tables.table(name), node, columns=columns)

    def _path(self, node: Sql, scope: Scope) -> Reads | None:
        """What `t.items` reads after `FROM t`: an array in a row of a source that stands before it."""
        parts = dotted(node).split(".")
        source = scope.aliases.get(parts[0].lower())
        if source is None:
            return None
        column = find(source, parts[1], parts[1].lower()) or (
            imply(source, parts[1]) if is_open(source) else None
        )
        if column is None:
            return None
        self._context.names.references.append(column)
        return Reads((column,))

    def _rows_of(self, node: Sql, reads: Reads, alias: str, columns: tuple[str, ...]) -> Source:
        names = columns or ((alias,) if alias else ())
        return Source(alias, function(node, reads, names), node, lateral=True)

    def _table_function(
        self, node: Sql, call: Sql, alias: str, columns: tuple[str, ...], scope: Scope
    ) -> Source:
        inner = args(call, "expressions")
        if call.name.upper() == "TABLE" and len(inner) == 1 and isinstance(inner[0], exp.Func):
            # `TABLE(FLATTEN(…))`, as older versions of sqlglot leave it.
            call = inner[0]
        relation = _relation_argument(call)
        if relation is None:
            files = _files_of(call)
            if files:
                made = self._files(node, files, self._reader.read(call, scope, "join"), columns)
                return Source(alias, made, node, lateral=True)
            reads = _from_outside(call, self._reader.read(call, scope, "join"))
        else:
            # A function over a relation (`ML.PREDICT`): what it does not add comes through.
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
        return Source(alias, function(node, reads, names, closed=closed), node, lateral=True)

    def _files(self, node: Sql, files: Sequence[str], reads: Reads, columns: tuple[str, ...]) -> Function:
        """Return the rows of *files*, each of which is a table whose columns are not known."""
        tables = tuple(Source("", self._context.tables.table(name), node) for name in files)
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

    def _function(self, node: Sql, alias: str, columns: tuple[str, ...], scope: Scope) -> Source:
        call = node.this if isinstance(node.args.get("this"), exp.Func) else node
        reads = _from_outside(call, self._reader.read(node, scope, "join"))
        if isinstance(call, exp.Explode):
            columns = columns or _FLATTEN
        names = columns or ((alias,) if alias else ())
        # What ARRAY JOIN names is a column of its own.
        closed = bool(columns) or isinstance(node, (exp.Alias, exp.Column))
        return Source(alias, function(node, reads, names, closed=closed), node, lateral=True)

    def _lateral(self, node: Sql, alias: str, columns: tuple[str, ...], scope: Scope) -> Source:
        inner = node.this
        if isinstance(inner, _QUERIES):
            query = self._context.resolve(inner, scope.ctes, scope)
            return Source(alias, query, node, columns=columns, lateral=True)
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
        return Source(alias, function(node, reads, names, closed=bool(columns)), node, lateral=True)

    def _unnest(self, node: Sql, alias: str, columns: tuple[str, ...], scope: Scope) -> Source:
        own, named = alias_names(node)
        alias, columns = alias or own, columns or named
        arguments = args(node, "expressions")
        rows = members(arguments[0], scope, self._reader) if len(arguments) == 1 else ()
        if rows and not alias and len(columns) == 1:
            # BigQuery: the name of each struct.
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
        # Structs bring names of their own, but where all are named by `AS u (a, b)`.
        closed = bool(alias and columns) or single or bool(rows)
        made = function(node, whole, tuple(names), closed=closed)
        if len(rows) > 1 and len(columns) == 1:
            made.outputs[0].members = rows
        else:
            for output, row in zip(made.outputs, rows, strict=False):
                output.reads, output.members = row.reads, row.members
        if len(read) > 1:
            # Several arrays beside each other: one column for each.
            for output, reads in zip(made.outputs, read, strict=False):
                output.reads = reads
        return Source(alias, made, node, lateral=True)

    def values(self, node: Sql, scope: Scope, columns: tuple[str, ...] = ()) -> Values:
        """The rows that are written out in *node*."""
        rows = [
            args(row, "expressions") if isinstance(row, exp.Tuple) else [row]
            for row in args(node, "expressions")
        ]
        if self._context.dialect in facts.STRUCTURE_BEFORE_VALUES and len(rows) == 1 and rows[0][1:]:
            raise SqlNotAnalysed("VALUES with a structure is not understood")
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
    """Return the files that *call* reads, if it is written which."""
    name = call.name if isinstance(call, exp.Anonymous) else str(call.key)
    given = args(call, "expressions") or list(children(call))
    if not given or (not isinstance(call, _FILES) and name.lower() not in facts.FILE_READERS):
        return []
    listed = args(given[0], "expressions") if isinstance(given[0], exp.Array) else given[:1]
    files = [one.name for one in listed if isinstance(one, exp.Literal) and one.is_string]
    return files if len(files) == len(listed) else []


def _from_outside(call: Sql, reads: Reads) -> Reads:
    """*reads*, or the call itself where it reads no column and may yet yield data: a file, a result."""
    if reads.references or reads.subqueries or not isinstance(call, (exp.Anonymous, *_FILES)):
        return reads
    name = call.name if isinstance(call, exp.Anonymous) else call.key
    return reads if name.upper() in facts.MAKING_ROWS else Reads((Unresolved(name),))


def _is_identifier_call(node: object) -> bool:
    """Whether *node* is `IDENTIFIER('db.t')`: a relation that is named by a text."""
    return isinstance(node, exp.Anonymous) and node.name.upper() == "IDENTIFIER" and bool(node.expressions)


def _is_in_brackets(node: Sql) -> bool:
    """Whether *node* is nothing but a table, or joins, in brackets. With an alias those are one relation.

    Catalogs write views so: `FROM ((a JOIN b ON …) JOIN c ON …)`.
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
    return " ".join(part for part in (method, side, kind) if part and part != "OUTER")


def _first(sources: Sequence[Source], name: str) -> list[Column]:
    """The column *name* of the one of *sources* that has it, or may have it."""
    for source in sources:
        known = find(source, name, name.lower())
        if known is not None:
            return [known]
    opened = [source for source in sources if is_open(source)]
    for source in opened:
        guess = imply(source, name)
        if guess is not None:
            return [guess]
    return []


def _common(left: Sequence[Source], right: Sequence[Source]) -> list[str]:
    """The names that both sides of a NATURAL join are known to have."""
    names: list[str] = []
    for source in left:
        for name in column_names(source):
            lower = name.lower()
            if name not in names and any(find(other, name, lower) is not None for other in right):
                names.append(name)
    return names


def column_names(source: Source) -> list[str]:
    """The names of *source*'s columns, as far as they are known."""
    relation = source.relation
    if isinstance(relation, Table):
        known = list(relation.columns or ())
    else:
        known = [output.name for output in relation.outputs if output.star is None]
    return [*source.columns, *known[len(source.columns) :]]
