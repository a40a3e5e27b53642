"""Delta features that Parquet lacks: UPDATE, DELETE and MERGE, and conflicts between writers.

Rows of a table are replaced by writing them to a new location and pointing the table there, so readers keep
their snapshot. A writer fails if the table has changed since it read it, as with Delta's isolation level
Serializable. MERGE only supports `WHEN NOT MATCHED THEN INSERT`.
"""

from __future__ import annotations

import os
import re
import threading
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import catalog
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from results import Result
from sqlglot import exp, parse_one

_COMMENT = re.compile(r"\A(?:\s+|--[^\n]*\n|/\*.*?\*/)+", re.S)
_FIRST_WORD = re.compile(r"\w+")
_OR_REPLACE = re.compile(r"\ACREATE\s+OR\s+REPLACE\s+TABLE\s+((?:`(?:[^`]|``)+`|[\w.])+)", re.I)

_VIEW = re.compile(
    r"\ACREATE\s+OR\s+REPLACE\s+VIEW\s+`?(\w+)`?\.`?(\w+)`?"
    r"(\s*\((?:'[^']*'|[^()'])*\)\s*COMMENT\s+'[^']*')?\s+AS\b",
    re.I,
)
_DROP_VIEW = re.compile(r"\ADROP\s+VIEW\s+IF\s+EXISTS\s+`?(\w+)`?\.`?(\w+)`?\s*\Z", re.I)

_lock = threading.Lock()
_catalog_lock = threading.RLock()
"""Held while the catalog changes: Spark's catalog needs several steps where Unity Catalog needs one."""
_versions: Counter[str] = Counter()
_folder = ""


class Conflict(Exception):
    """Another writer has changed the table in the meantime."""

    def __init__(self, table: str) -> None:
        super().__init__(
            "[DELTA_CONCURRENT_APPEND.WHOLE_TABLE_READ] Transaction conflict detected. A concurrent MERGE"
            f" added data to table {table} committed at version {_versions[table]}. This transaction"
            " performed a whole table read. Please retry the operation. SQLSTATE: 2D521"
        )


def prepare(spark: SparkSession, folder: str) -> None:
    """Set the folder for rows."""
    global _folder
    _folder = os.path.join(folder, "replaced")
    spark.sql("CREATE SCHEMA IF NOT EXISTS default")


def without_comment(statement: str) -> str:
    """Return *statement* from its first word on."""
    return _COMMENT.sub("", statement)


def execute(spark: SparkSession, statement: str, parameters: dict[str, Any]) -> Result:
    """Run one statement, unchanged if Spark supports it."""
    bare = without_comment(statement)
    first = _FIRST_WORD.match(bare)
    if catalog.asked(bare):
        _views.settle_all(spark, catalog.schemas_of(spark, bare))
        return Result.of(spark.sql(catalog.placed(spark, bare)))
    if catalog.adds_key(bare):
        return Result.empty()
    if first and first[0].upper() in ("CREATE", "ALTER", "DROP"):
        return _define(spark, bare)
    _views.settle(spark, bare)
    change = {"UPDATE": _update, "DELETE": _delete, "MERGE": _merge}.get(first[0].upper() if first else "")
    if change is not None:
        tree = parse_one(bare, read="databricks")
        return Result.counted(change(spark, tree, parameters))
    if first and first[0].upper() == "INSERT":
        return _insert(spark, statement, parameters)
    return Result.of(spark.sql(statement, args=parameters or None))


def _define(spark: SparkSession, statement: str) -> Result:
    """Run a statement that changes the catalog; Spark lacks OR REPLACE for tables."""
    with _catalog_lock:
        if _views.takes(spark, statement):
            return Result.empty()
        _views.settle(spark, statement)
        if (table := _OR_REPLACE.match(statement)) is None:
            return Result.of(spark.sql(statement))
        name, body, before = table[1], statement[table.end() :], table[1]
        if name in body:  # it reads itself
            before = f"{name.removesuffix('`')}_before{'`' * name.endswith('`')}"
            spark.sql(f"ALTER TABLE {name} RENAME TO {before}")
        spark.sql(f"DROP TABLE IF EXISTS {name}")
        result = Result.of(spark.sql(f"CREATE TABLE {name}{body.replace(name, before)}"))
        if before != name:
            spark.sql(f"DROP TABLE {before}")
        return result


class _Views:
    """Views that no statement has read yet: Spark takes a second to analyze a view on many others.

    A view is created in Spark when a statement names it, always with its schema. An existing view is altered,
    since Spark would drop it before replacing it, visibly to other sessions.
    """

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str], tuple[str, str]] = {}
        """Columns with comments, and query, by schema and name."""

    def takes(self, spark: SparkSession, statement: str) -> bool:
        """Return True if *statement* defines a view that can be created later."""
        found = _VIEW.match(statement)
        if found is None or not spark.catalog.databaseExists(found[1]):
            return False
        self._waiting[found[1].lower(), found[2].lower()] = found[3] or "", statement[found.end() :]
        return True

    def settle(self, spark: SparkSession, statement: str) -> None:
        """Create in Spark the views that *statement* reads; forget a dropped one, and a dropped schema's."""
        if (gone := _DROP_VIEW.match(statement)) is not None:
            self._waiting.pop((gone[1].lower(), gone[2].lower()), None)
        dropped = re.match(r"DROP\s+(?:SCHEMA|DATABASE)\s+(?:IF\s+EXISTS\s+)?`?(\w+)", statement, re.I)
        with _catalog_lock:
            for schema, view in [*self._waiting]:
                if dropped is not None and dropped[1].lower() == schema:
                    del self._waiting[schema, view]
                elif re.search(rf"\b{schema}`?\.`?{view}\b", statement, re.I):
                    self._hand_over(spark, schema, view)

    def settle_all(self, spark: SparkSession, schemas: Collection[str]) -> None:
        """Create in Spark every view of *schemas*."""
        with _catalog_lock:
            for schema, view in [*self._waiting]:
                if schema in schemas:
                    self._hand_over(spark, schema, view)

    def _hand_over(self, spark: SparkSession, schema: str, view: str) -> None:
        columns, body = self._waiting.pop((schema, view), ("", None))
        if body is not None:
            self.settle(spark, body)
            is_there = spark.catalog.tableExists(f"{schema}.{view}")
            start = f"ALTER VIEW {schema}.{view}" if is_there else f"CREATE VIEW {schema}.{view} {columns}"
            spark.sql(f"{start} AS {body}")


_views = _Views()


def _insert(spark: SparkSession, statement: str, parameters: dict[str, Any]) -> Result:
    table = parse_one(without_comment(statement), read="databricks").find(exp.Table)
    with _lock:
        frame = spark.sql(statement, args=parameters or None)
        _versions[_name(spark, table)] += 1
    plan = frame._jdf.queryExecution().commandExecuted().commandPhysicalPlan()
    counts = [plan.metrics().get("numOutputRows")]
    counts += [plan.children().apply(n).metrics().get("numOutputRows") for n in range(plan.children().size())]
    return Result.counted(max((count.get().value() for count in counts if count.isDefined()), default=0))


def _delete(spark: SparkSession, tree: exp.Expression, parameters: dict[str, Any]) -> int:
    read, base, hits = _chosen(spark, tree, parameters)
    if rows := hits.count():
        _replace(spark, tree.this, read, base.join(hits, "__row", "left_anti").drop("__row"))
    return rows


def _update(spark: SparkSession, tree: exp.Expression, parameters: dict[str, Any]) -> int:
    table = tree.this
    read, base, hits = _chosen(spark, tree, parameters)
    rows = hits.count()
    if not rows:
        return 0
    new = {change.this.name.lower(): change.expression for change in tree.expressions}
    names = [name for name in base.columns if name != "__row"]
    values = ", ".join(
        f"{new[name.lower()].sql(dialect='databricks')} AS `{name}`" if name.lower() in new else f"`{name}`"
        for name in names
    )
    with _named(base.join(hits, "__row", "left_semi")) as view:
        changed = spark.sql(
            f"SELECT {values} FROM {view} AS `{table.alias_or_name}`", args=parameters or None
        )
    kept = base.join(hits, "__row", "left_anti").drop("__row")
    _replace(spark, table, read, kept.union(changed.select(*_columns(spark, table, changed))))
    return rows


def _chosen(
    spark: SparkSession, tree: exp.Expression, parameters: dict[str, Any]
) -> tuple[int, DataFrame, DataFrame]:
    """Return the table's version, its rows with a number for each, and the numbers that match WHERE."""
    table = tree.this
    read = _versions[_name(spark, table)]
    base = spark.table(_sql(table)).withColumn("__row", F.monotonically_increasing_id())
    base = base.localCheckpoint(eager=False)
    where = tree.args.get("where")
    condition = "" if where is None else _unqualified(where, table).sql(dialect="databricks")
    with _named(base) as view:
        hits = spark.sql(
            f"SELECT __row FROM {view} AS `{table.alias_or_name}` {condition}", args=parameters or None
        )
    return read, base, hits.localCheckpoint(eager=False)


def _merge(spark: SparkSession, tree: exp.Expression, parameters: dict[str, Any]) -> int:
    table, source, condition = tree.this, tree.args["using"], tree.args["on"]
    (when,) = tree.args["whens"].expressions
    insert = when.args["then"]
    if when.args.get("matched") or not isinstance(insert, exp.Insert) or when.args.get("condition"):
        raise NotImplementedError("MERGE is emulated with WHEN NOT MATCHED THEN INSERT alone")
    name = _name(spark, table)
    read = _versions[name]
    values = ", ".join(value.sql(dialect="databricks") for value in insert.expression.expressions)
    target = _sql(table) + (f" AS `{table.alias}`" if table.alias else "")
    new = spark.sql(
        f"SELECT {values} FROM {source.sql(dialect='databricks')} LEFT ANTI JOIN {target}"
        f" ON {condition.sql(dialect='databricks')}",
        args=parameters or None,
    )
    new = new.toDF(*(column.name for column in insert.this.expressions)).localCheckpoint(eager=False)
    rows = new.count()
    with _lock:
        if _versions[name] != read:
            raise Conflict(name)
        if rows:
            new.select(*_columns(spark, table, new)).write.insertInto(_sql(table))
            _versions[name] += 1
    return rows


def _replace(spark: SparkSession, table: exp.Table, read: int, rows: DataFrame) -> None:
    """Replace the rows of *table* with *rows*. Raises Conflict if it has changed since version *read*."""
    name = _name(spark, table)
    place = os.path.join(_folder, uuid4().hex)
    rows.write.parquet(place)
    with _lock:
        if _versions[name] != read:
            raise Conflict(name)
        spark.sql(f"ALTER TABLE {_sql(table)} SET LOCATION '{place}'")
        _versions[name] += 1


def _columns(spark: SparkSession, table: exp.Table, rows: DataFrame) -> list[Column]:
    """Return the columns of *table*: columns of *rows* with the same names, or NULL."""
    named = {name.lower() for name in rows.columns}
    return [
        (F.col(f"`{field.name}`") if field.name.lower() in named else F.lit(None))
        .cast(field.dataType)
        .alias(field.name)
        for field in spark.table(_sql(table)).schema.fields
    ]


@contextmanager
def _named(rows: DataFrame) -> Iterator[str]:
    """Yield a name for *rows* in SQL."""
    name = f"__rows_{uuid4().hex}"
    rows.createOrReplaceTempView(name)
    try:
        yield name
    finally:
        rows.sparkSession.catalog.dropTempView(name)


def _unqualified(where: exp.Expression, table: exp.Table) -> exp.Expression:
    """Return *where* with columns qualified by the table only, not by its schema."""
    for column in where.find_all(exp.Column):
        if column.table.lower() == table.name.lower():
            column.set("db", None)
            column.set("catalog", None)
    return where


def _sql(table: exp.Table) -> str:
    return ".".join(f"`{part.name.replace('`', '``')}`" for part in table.parts)


def _name(spark: SparkSession, table: exp.Table) -> str:
    """Return the table's full name."""
    parts = [part.name.lower() for part in table.parts]
    return ".".join(parts[-2:] if len(parts) > 1 else [spark.catalog.currentDatabase(), *parts])
