"""A small history of one live database: scans, a dbt run between them, and two measurements."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from recce_meta.models import Column, NodeMetadata, Project, RunMetadata
from recce_meta.models.catalog import RelationFacts
from recce_meta.models.data_diff import Profile
from recce_meta.models.quality import (
    ColumnQuality,
    MetricResult,
    Quality,
    QualityRun,
    Sample,
    TableQuality,
    ValueCount,
)

PROJECT = "live"
ORDERS, CUSTOMERS, LOG = "relation.public.orders", "relation.public.customers", "relation.public.log"


def scans(now: datetime) -> list[Project]:
    """Return the runs: `scan-1`, `scan-2` without changes, `scan-part` of part of the database, `dbt-1`
    of the same project, `scan-3`.
    """
    first = _scan("scan-1", now - timedelta(days=3), *_FIRST, facts=_facts(now))
    second = _scan("scan-2", now - timedelta(days=2), *_FIRST, facts=_facts(now, orders=(150, 8192)))
    part = _scan("scan-part", now - timedelta(days=1, hours=1), _PUBLIC, _LOG, command="scan --include log")
    model = NodeMetadata(unique_id="model.live.orders", name="orders", resource_type="model")
    run = RunMetadata(run_id="dbt-1", run_at=now - timedelta(days=1), project_name=PROJECT)
    third = _scan("scan-3", now, *_THIRD, facts=_facts(now, orders=(400, 65536), fresh=(3, None)))
    return [first, second, part, Project(run=run, nodes=(model,)), third]


def measurements(now: datetime) -> list[Quality]:
    """Return measurements of orders and customers for `scan-2`, and of orders and log, which fails, for
    `scan-3`.
    """
    metrics = (
        MetricResult(name="late", value=2, threshold="< 5", holds=True),
        MetricResult(name="fresh", threshold="= true", reason="no such column"),
    )
    orders = _table(
        ORDERS, now - timedelta(days=2), (_amount(2, 90.0), _PRIVATE), metrics, 95.0, row_count=10
    )
    customers = _table(CUSTOMERS, now - timedelta(days=2), (_column("id", 10, 10),), (), None, row_count=10)
    later = replace(
        orders,
        measured_at=now,
        columns=(_amount(5, 45.0), _PRIVATE),
        metrics=(replace(metrics[0], value=7, holds=False), metrics[1]),
        score=72.5,
        row_count=40,
        sampled_rows=10,
        notes=("a sample",),
    )
    failed = TableQuality(
        unique_id=LOG, name="log", relation="public.log", measured_at=now, reason="no rights to read it"
    )
    return [
        _quality("q-1", "scan-2", now - timedelta(days=2), (customers, orders)),
        _quality("q-2", "scan-3", now, (failed, later), sample=Sample(rows=10), failed_count=1, score=72.5),
    ]


def _scan(
    run_id: str,
    at: datetime,
    *nodes: NodeMetadata,
    facts: tuple[RelationFacts, ...] = (),
    command: str = "scan",
) -> Project:
    run = RunMetadata(
        run_id=run_id,
        run_at=at,
        project_name=PROJECT,
        extractor="database",
        adapter_type="postgres",
        target_database="shop",
        command=command,
    )
    return Project(run=run, nodes=tuple(sorted(nodes, key=lambda node: node.unique_id)), facts=facts)


def _relation(name: str, *columns: Column, kind: str = "table", **fields: Any) -> NodeMetadata:
    known: dict[str, Any] = {
        "unique_id": f"relation.public.{name}",
        "name": name,
        "resource_type": kind,
        "fqn": ("public", name),
        "database_name": "shop",
        "schema_name": "public",
        "identifier": name,
        "relation_name": f'"shop"."public"."{name}"',
        "materialized": kind,
        "columns": columns,
        "columns_from": "catalog",
        "properties": {"owner": "ada"},
    }
    return NodeMetadata(**{**known, **fields})


def _key(*columns: str) -> dict[str, Any]:
    return {"name": "key", "type": "primary_key", "columns": list(columns)}


def _foreign(name: str, columns: list[str], table: str, others: list[str], **fields: str) -> dict[str, Any]:
    references = {"relation": f"relation.public.{table}", "columns": others}
    return {"name": name, "type": "foreign_key", "columns": columns, "references": references, **fields}


_PUBLIC = NodeMetadata(
    unique_id="schema.public",
    name="public",
    resource_type="schema",
    database_name="shop",
    schema_name="public",
    description="All there is",
    properties={"owner": "ada"},
)
_CUSTOMERS = _relation(
    "customers",
    Column("id", "integer", not_null=True, identity="always"),
    Column("region", "text", not_null=True, collation="C"),
    properties={
        "owner": "ada",
        "constraints": [_key("id", "region"), {"type": "check", "expression": "(id > 0)"}],
    },
    description="Who buys",
)
_ORDERS = _relation(
    "orders",
    Column("id", "bigint", not_null=True, default="nextval('ids')"),
    Column("customer", "integer", description="Who bought"),
    Column("region", "text"),
    Column("amount", "numeric(10,2)"),
    Column("twice", "numeric", generated="stored: (amount * 2)"),
    properties={
        "owner": "ada",
        "partition_key": "HASH (id)",
        "constraints": [
            _key("id"),
            _foreign(
                "to_customer", ["customer", "region"], "customers", ["id", "region"], on_delete="cascade"
            ),
            _foreign("to_log", ["amount"], "log", ["at"]),
            _foreign("to_itself", ["id"], "orders", ["id"], on_update="restrict"),
        ],
        "indexes": [
            {
                "name": "by_customer",
                "definition": 'CREATE INDEX by_customer ON orders USING btree ("customer", region, amount)',
                "unique": False,
            },
            {
                "name": "odd",
                "definition": "CREATE UNIQUE INDEX odd ON orders (lower(region))",
                "unique": True,
            },
        ],
    },
)
_LOG = _relation("log", Column("at", "timestamp"), Column("Line", "text"))
_LEGACY = _relation("legacy", Column("id", "integer"))
_REPORT = _relation(
    "report",
    Column("total", "numeric"),
    kind="view",
    raw_code="SELECT sum(amount) AS total FROM orders JOIN legacy USING (id)",
    code_hash="report",
    parents=("relation.public.legacy", ORDERS),
)
_FIRST = (_PUBLIC, _CUSTOMERS, _ORDERS, _LOG, _LEGACY, _REPORT)
_THIRD = (
    _PUBLIC,
    replace(_CUSTOMERS, description="Who buys, and who did"),
    replace(
        _ORDERS,
        columns=(
            replace(_ORDERS.columns[0], default="1"),
            replace(_ORDERS.columns[1], description="Who buys"),
            replace(_ORDERS.columns[3], type="numeric(12,2)", not_null=True),
            _ORDERS.columns[2],
            _ORDERS.columns[4],
            Column("Amount", "integer"),
        ),
    ),
    replace(_LOG, resource_type="view", materialized="view", raw_code="SELECT 1", code_hash="log"),
    _relation("fresh", Column("id", "integer"), Column("note", "text")),
    replace(_REPORT, parents=(ORDERS,)),
)


def _facts(now: datetime, **sizes: tuple[int | None, int | None]) -> tuple[RelationFacts, ...]:
    known: dict[str, tuple[int | None, int | None]] = {"orders": (100, 8192), "customers": (7, 4096), **sizes}
    made = now - timedelta(days=400)
    return tuple(
        RelationFacts(unique_id=f"relation.public.{name}", row_estimate=rows, bytes=size, created_at=made)
        for name, (rows, size) in sorted(known.items())
    )


def _column(name: str, rows: int, values: int, **fields: Any) -> ColumnQuality:
    profile = Profile(type="INTEGER", row_count=rows, not_null_count=values, distinct_count=values)
    return ColumnQuality(name=name, profile=profile, **fields)


_PRIVATE = ColumnQuality(
    name="email",
    profile=Profile(type="TEXT", row_count=10, not_null_count=0, min_length=None),
    is_private=True,
    score=0.0,
)


def _amount(nulls: int, score: float) -> ColumnQuality:
    """Return a column of ten rows, of which *nulls* are NULL and two have the value 1.5."""
    profile = Profile(
        type="NUMERIC",
        row_count=10,
        not_null_count=10 - nulls,
        distinct_count=4,
        min=1,
        max=9.5,
        avg=2.25,
        median=2,
    )
    metric = MetricResult(name="negative", value=0, threshold="= 0", holds=True)
    top = (ValueCount(value=None, count=nulls), ValueCount(value=1.5, count=2))
    return ColumnQuality(name="amount", profile=profile, top_values=top, score=score, metrics=(metric,))


def _table(
    unique_id: str,
    at: datetime,
    columns: tuple[ColumnQuality, ...],
    metrics: tuple[MetricResult, ...],
    score: float | None,
    **fields: Any,
) -> TableQuality:
    name = unique_id.rpartition(".")[2]
    return TableQuality(
        unique_id=unique_id,
        name=name,
        relation=f'"public"."{name}"',
        measured_at=at,
        columns=columns,
        metrics=metrics,
        score=score,
        **fields,
    )


def _quality(
    quality_run_id: str, run_id: str, at: datetime, tables: tuple[TableQuality, ...], **fields: Any
) -> Quality:
    run = QualityRun(
        quality_run_id=quality_run_id,
        run_id=run_id,
        project_name=PROJECT,
        environment="current",
        started_at=at,
        finished_at=at + timedelta(seconds=5),
        table_count=len(tables),
        **fields,
    )
    return Quality(run=run, tables=tables)
