"""Translation of GoogleSQL to DuckDB's SQL: sqlglot's, with additions and corrections."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlglot import exp, parse
from sqlglot.errors import ParseError, TokenError

from tests.emulators.bigquery.catalog import OF_REGIONS, VIEWS, Definition, definition_of

# DuckDB equivalents of BigQuery functions that sqlglot lacks or translates differently.
MACROS = (
    "bq_json_value(x, p) AS CASE json_type(x, p) WHEN 'OBJECT' THEN NULL WHEN 'ARRAY' THEN NULL"
    " ELSE json_extract_string(x, p) END",
    "bq_json_query(x, p) AS json_extract(x, p)",
    "bq_to_json_string(x) AS COALESCE(CAST(to_json(x) AS VARCHAR), 'null')",
    # DuckDB takes some strings for a path, so an unusual key is looked up in a map.
    "bq_json_at(x, k) AS CASE WHEN regexp_full_match(k, '[\\w.]+') THEN json_extract(x, k)"
    " ELSE map_extract(CAST(x AS MAP(VARCHAR, JSON)), k)[1] END",
    "lax_string(x) AS CASE json_type(x) WHEN 'OBJECT' THEN NULL WHEN 'ARRAY' THEN NULL"
    " ELSE json_extract_string(x, '$') END",
    "bq_json_keys(x) AS list_transform(json_keys(x),"
    " lambda k: CASE WHEN regexp_full_match(k, '[A-Za-z_][A-Za-z0-9_]*') THEN k ELSE '\"' || k || '\"' END)",
    "bq_json_object(ks, vs) AS to_json(map(ks, vs))",
    "bq_json_array(x, p) AS CAST(json_extract(x, p) AS JSON[])",
    "bq_json_texts(x, p) AS CAST(json_extract(x, p) AS VARCHAR[])",
    "farm_fingerprint(x) AS CAST(CAST(hash(x) AS HUGEINT) - 9223372036854775808 AS BIGINT)",
    "bq_divide(a, b) AS CASE WHEN b = 0 THEN error('division by zero: ' || a || ' / ' || b) ELSE a / b END",
    "json_strip_nulls(x) AS json_merge_patch('{}', x)",
    "bq_float_text(x) AS regexp_replace(CAST(x AS VARCHAR), '\\.0$', '')",
)

# https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical#reserved_keywords
RESERVED = frozenset(
    "ALL AND ANY ARRAY AS ASC ASSERT_ROWS_MODIFIED AT BETWEEN BY CASE CAST COLLATE CONTAINS CREATE CROSS CUBE"
    " CURRENT DEFAULT DEFINE DESC DISTINCT ELSE END ENUM ESCAPE EXCEPT EXCLUDE EXISTS EXTRACT FALSE FETCH"
    " FOLLOWING FOR FROM FULL GROUP GROUPING GROUPS HASH HAVING IF IGNORE IN INNER INTERSECT INTERVAL INTO IS"
    " JOIN LATERAL LEFT LIKE LIMIT LOOKUP MERGE NATURAL NEW NO NOT NULL NULLS OF ON OR ORDER OUTER OVER"
    " PARTITION PRECEDING PROTO QUALIFY RANGE RECURSIVE RESPECT RIGHT ROLLUP ROWS SELECT SET SOME STRUCT"
    " TABLESAMPLE THEN TO TREAT TRUE UNBOUNDED UNION UNNEST USING WHEN WHERE WINDOW WITH WITHIN".split()
)
"""Words that are names only if quoted."""

_TRANSACTION = re.compile(r"\s*(BEGIN|COMMIT|ROLLBACK)(?:\s+TRANSACTION)?\s*;?\s*", re.I)
_ABORT = re.compile(r"\s*CALL\s+BQ\.ABORT_SESSION\(.*\)\s*;?\s*", re.I)
_PROJECT = re.compile(r"\s*SELECT\s+@@project_id\b\s*", re.I)


NOT_JUDGED = re.compile(rf"{_TRANSACTION.pattern}|{_ABORT.pattern}", re.I)
"""Statements of sessions, which GoogleSQL leaves to the engine."""


class Refused(Exception):
    """An error of BigQuery with its reason."""

    def __init__(self, message: str, reason: str = "invalidQuery") -> None:
        super().__init__(message)
        self.message, self.reason = message, reason


@dataclass
class Statement:
    """One statement, ready for DuckDB."""

    kind: str
    """BEGIN, COMMIT, ROLLBACK, ABORT, or the name of sqlglot's class: Select, Create, Insert, …"""
    sql: str = ""
    tables: set[tuple[str, str, str]] = field(default_factory=set)
    """Project, dataset and name of each table that must exist."""
    datasets: set[tuple[str, str]] = field(default_factory=set)
    dataset_to_create: tuple[str, str, str | None] | None = None
    """Project, name, and location if given."""
    dataset_to_drop: tuple[str, str] | None = None
    names: tuple[tuple[str, ...], ...] = ()
    """Parts of the name of each table that is read, as in the statement."""
    definition: Definition | None = None
    """Parts of a new table or view that DuckDB does not store."""
    renamed: tuple[tuple[str, str, str], str] | None = None
    """A table, and its new name."""

    @property
    def location(self) -> str | None:
        """Return the location in the statement itself."""
        return self.dataset_to_create[2] if self.dataset_to_create else None


def translate(sql: str, project: str, default_dataset: tuple[str, str] | None) -> Statement:
    """Translate *sql* for DuckDB; *project* is the default project. Raises Refused if it is not GoogleSQL."""
    if found := _TRANSACTION.fullmatch(sql):
        return Statement(found.group(1).upper())
    if _ABORT.fullmatch(sql):
        return Statement("ABORT")
    if _PROJECT.fullmatch(sql):
        return Statement("Select", f"SELECT {exp.Literal.string(project).sql()} AS f0_")
    try:
        trees = [tree for tree in parse(sql, read="bigquery") if tree is not None]
    except ParseError as error:
        where = error.errors[0]
        raise Refused(
            f"Syntax error: Unexpected input {where['highlight']!r} at [{where['line']}:{where['col']}]"
        ) from None
    except TokenError as error:
        raise Refused(f"Syntax error: Unclosed string literal at [1:1] ({error})") from None
    if len(trees) != 1:
        raise Refused("Syntax error: Expected one statement at [1:1]")
    (tree,) = trees
    if isinstance(tree, exp.Command):
        raise Refused(f"Syntax error: Unexpected identifier {sql.split()[0]!r} at [1:1]")
    return _Translation(project, default_dataset).of(tree)


class _Translation:
    def __init__(self, project: str, default_dataset: tuple[str, str] | None) -> None:
        self._project, self._default = project, default_dataset

    def of(self, tree: exp.Expression) -> Statement:
        statement = Statement(type(tree).__name__)
        if isinstance(tree, (exp.Update, exp.Delete)) and tree.args.get("where") is None:
            raise Refused(f"{statement.kind.upper()} must have a WHERE clause at [1:1]")
        kind = str(tree.args.get("kind") or "").upper()
        if isinstance(tree, (exp.Create, exp.Drop)) and kind == "SCHEMA":
            self._dataset(tree, statement)
        else:
            if isinstance(tree, exp.Create) and kind in ("TABLE", "VIEW"):
                statement.definition = definition_of(tree, (*self._place(made := _made(tree)), made.name))
            self._check_keys(tree)
            self._qualify(tree, statement)
        _refuse(tree)
        for node in reversed(list(tree.bfs())):  # children before their parents
            if (change := _REWRITES.get(type(node))) is not None:
                node.replace(change(node))
        if isinstance(tree, exp.Create) and kind == "TABLE":
            tree.set("properties", None)  # CLUSTER BY, PARTITION BY, OPTIONS
        statement.sql = tree.sql("duckdb")
        return statement

    def _dataset(self, tree: exp.Create | exp.Drop, statement: Statement) -> None:
        name = tree.this or tree.args["tables"][0]
        project, dataset = name.catalog or self._project, name.db
        name.set("catalog", exp.to_identifier(project, quoted=True))
        name.set("db", exp.to_identifier(dataset, quoted=True))
        if not re.fullmatch(r"\w+", dataset, re.ASCII):
            raise Refused(f'Invalid dataset ID "{dataset}". Dataset IDs must be alphanumeric', "invalid")
        if isinstance(tree, exp.Drop):
            statement.dataset_to_drop = (project, dataset)
            if not tree.args.get("exists"):
                statement.datasets.add((project, dataset))
            return
        given = tree.find(exp.LocationProperty)
        location = None if given is None else str(given.this.name)
        tree.set("properties", None)
        statement.dataset_to_create = (project, dataset, location)

    def _check_keys(self, tree: exp.Expression) -> None:
        for key in list(tree.find_all(exp.PrimaryKey, exp.PrimaryKeyColumnConstraint)):
            if "NOT ENFORCED" not in key.args.get("options", ()):
                raise Refused("PRIMARY KEY constraint must be NOT ENFORCED at [1:1]")
            key.pop()

    def _qualify(self, tree: exp.Expression, statement: Statement) -> None:
        ctes = {cte.alias for cte in tree.find_all(exp.CTE)}
        is_made = isinstance(tree, (exp.Create, exp.Drop))
        target = tree.find(exp.Table) if is_made else None
        for table in list(tree.find_all(exp.Table)):
            if not isinstance(table.this, exp.Identifier) or (not table.db and table.name in ctes):
                continue
            if isinstance(table.parent, exp.AlterRename):
                if table.db:
                    raise Refused("Syntax error: the new name of a table must have no dataset at [1:1]")
                statement.renamed = (*self._place(tree.this), tree.this.name), table.name
                continue
            if table.name.upper().startswith(("INFORMATION_SCHEMA", "__TABLES__")):
                self._catalog(table, statement)
                continue
            project, dataset = self._place(table)
            _set_place(table, project, dataset)
            statement.datasets.add((project, dataset))
            if table is not target or (isinstance(tree, exp.Drop) and not tree.args.get("exists")):
                statement.tables.add((project, dataset, table.name))
        self._shorten_columns(tree)
        self._count_from_zero(tree)

    def _place(self, table: exp.Table) -> tuple[str, str]:
        if table.db:
            return table.catalog or self._project, table.db
        if self._default is None:
            raise Refused(
                f'Table "{table.name}" must be qualified with a dataset (e.g. dataset.table)', "invalid"
            )
        return self._default

    def _catalog(self, table: exp.Table, statement: Statement) -> None:
        project, dataset = table.catalog or self._project, table.db or (self._default or ("", ""))[1]
        view = table.name.rpartition(".")[2].upper()
        if view not in VIEWS:
            raise Refused(f"Not found: INFORMATION_SCHEMA.{view}", "notFound")
        region = "us"
        if view not in OF_REGIONS:
            statement.datasets.add((project, dataset))
        elif table.db:
            region = table.db.lower().removeprefix("region-")
        literals = {
            name: exp.Literal.string(value).sql()
            for name, value in (("project", project), ("dataset", dataset), ("region", region))
        }
        query = exp.maybe_parse(VIEWS[view].format(**literals), dialect="duckdb")
        for name in query.find_all(exp.Table):  # found already, and not BigQuery's
            name.meta["known"] = True
        table.replace(
            exp.Subquery(this=query, alias=exp.TableAlias(this=exp.to_identifier(table.alias or view)))
        )

    def _count_from_zero(self, tree: exp.Expression) -> None:
        """Subtract 1 from DuckDB's WITH ORDINALITY, since BigQuery's WITH OFFSET starts at 0."""
        for unnest in list(tree.find_all(exp.Unnest)):
            offset = unnest.args.get("offset")
            select = unnest.find_ancestor(exp.Select)
            if offset is None or select is None:
                continue
            name = offset.name if isinstance(offset, exp.Expression) else "offset"
            for column in list(select.find_all(exp.Column)):
                if column.name == name and not column.table:
                    one_less = exp.paren(exp.Sub(this=column.copy(), expression=exp.Literal.number(1)))
                    is_shown = isinstance(column.parent, exp.Select) and column.arg_key == "expressions"
                    column.replace(exp.alias_(one_less, name) if is_shown else one_less)

    def _shorten_columns(self, tree: exp.Expression) -> None:
        """Shorten `dataset.table.column` to `table.column`."""
        for column in tree.find_all(exp.Column):
            if column.args.get("db") is not None:
                column.set("db", None)
                column.set("catalog", None)


def _made(tree: exp.Create) -> exp.Table:
    """Return the table or view that *tree* creates."""
    made: exp.Table = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    return made


def _set_place(table: exp.Table, project: str, dataset: str) -> None:
    table.set("catalog", exp.to_identifier(project, quoted=True))
    table.set("db", exp.to_identifier(dataset, quoted=True))
    table.this.set("quoted", True)


def _refuse(tree: exp.Expression) -> None:
    """Raise Refused for SQL that DuckDB accepts and BigQuery rejects."""
    for name in tree.find_all(exp.Identifier):
        if not name.quoted and name.name.upper() in RESERVED:
            raise Refused(f"Syntax error: Unexpected keyword {name.name.upper()} at [1:1]")
    for recursive in tree.find_all(exp.With):
        unions = [cte.this for cte in recursive.expressions if isinstance(cte.this, exp.Union)]
        if recursive.args.get("recursive") and any(union.args.get("distinct") for union in unions):
            raise Refused("The union in a recursive query must be UNION ALL at [1:1]")
    for join in tree.find_all(exp.Join):
        if join.side == "FULL" and join.args.get("on") is not None:
            on = join.args["on"]
            pieces = list(on.flatten()) if isinstance(on, exp.And) else [on]
            if not any(isinstance(piece.unnest(), (exp.EQ, exp.NullSafeEQ, exp.And)) for piece in pieces):
                raise Refused(
                    "FULL OUTER JOIN cannot be used without a condition that is an equality of fields from"
                    " both sides of the join."
                )
        is_bare = join.args.get("on") is None and not join.args.get("using")
        if is_bare and join.side in ("LEFT", "FULL") and not isinstance(join.this, exp.Unnest):
            raise Refused(f"Syntax error: Unexpected end of {join.side} JOIN without ON at [1:1]")
    for lateral in tree.find_all(exp.Lateral):
        raise Refused(f"Syntax error: Unexpected keyword LATERAL at [1:1] ({type(lateral).__name__})")


def _anonymous(name: str, *arguments: exp.Expression) -> exp.Expression:
    return exp.Anonymous(this=name, expressions=list(arguments))


def _path(node: exp.Expression) -> exp.Expression:
    path = node.args.get("expression")
    if path is None:
        return exp.Literal.string("$")
    return exp.Literal.string(path.sql("bigquery").strip("'")) if isinstance(path, exp.JSONPath) else path


def _macro(name: str) -> Callable[[exp.Expression], exp.Expression]:
    return lambda node: _anonymous(name, node.this, _path(node))


def _bracket(node: exp.Expression) -> exp.Expression:
    """Translate an item of several quantiles, or a field of JSON; sqlglot handles elements of arrays."""
    (index,) = node.expressions
    if isinstance(node.this, exp.ApproxQuantiles):
        total = int(node.this.args["expression"].name)
        share = exp.Literal.number(int(index.name) / total)
        return _anonymous("quantile_disc", node.this.this, share)
    if node.args.get("offset") is None and not index.is_int:
        return _anonymous("bq_json_at", node.this, index)
    return node


def _data_type(node: exp.Expression) -> exp.Expression:
    if node.this == exp.DataType.Type.DECIMAL and not node.expressions:
        return exp.DataType.build("DECIMAL(38, 9)", dialect="duckdb")
    if node.this == exp.DataType.Type.BIGDECIMAL and not node.expressions:
        return exp.DataType.build("DECIMAL(38, 18)", dialect="duckdb")
    if node.this == exp.DataType.Type.GEOGRAPHY:
        return exp.DataType.build("VARCHAR", dialect="duckdb")
    if node.this in (exp.DataType.Type.TEXT, exp.DataType.Type.VARCHAR) and node.expressions:
        return exp.DataType.build("VARCHAR", dialect="duckdb")
    return node


def _collated(node: exp.Expression) -> exp.Expression:
    """Translate to DuckDB's collations: NOCASE ignores case, "C" compares exactly."""
    part = "expression" if isinstance(node, exp.Collate) else "this"
    node.set(part, exp.to_identifier("NOCASE" if node.args[part].name == "und:ci" else "C", quoted=True))
    return node


def _json_object(node: exp.Expression) -> exp.Expression:
    """Translate an object of two arrays, keys and values, or of alternating keys and values."""
    pairs = node.expressions
    if len(pairs) == 1 and isinstance(pairs[0].this, (exp.ArrayAgg, exp.Array)):
        return _anonymous("bq_json_object", pairs[0].this, pairs[0].expression)
    return _anonymous("json_object", *(part for pair in pairs for part in (pair.this, pair.expression)))


def _in(node: exp.Expression) -> exp.Expression:
    """Translate `x IN UNNEST(list)` without repeating the list five times."""
    unnest = node.args.get("unnest")
    if unnest is None:
        return node
    return _anonymous("list_contains", (unnest.expressions or [unnest.this])[0], node.this)


_REWRITES: dict[type, Callable[[exp.Expression], exp.Expression]] = {
    exp.JSONExtractScalar: _macro("bq_json_value"),
    exp.JSONExtract: _macro("bq_json_query"),
    exp.JSONExtractArray: _macro("bq_json_array"),
    exp.JSONValueArray: _macro("bq_json_texts"),
    exp.JSONFormat: lambda node: _anonymous("bq_to_json_string", node.this),
    exp.JSONKeysAtDepth: lambda node: _anonymous("bq_json_keys", node.this),
    exp.Format: lambda node: _anonymous("printf", node.this, *node.expressions),
    exp.Bracket: _bracket,
    exp.DataType: _data_type,
    exp.Collate: _collated,
    exp.CollateColumnConstraint: _collated,
    exp.JSONObject: _json_object,
    exp.Parameter: lambda node: exp.Parameter(this=exp.var(node.name)),
    exp.In: _in,
    exp.Div: lambda node: _anonymous("bq_divide", node.this, node.expression),
}
