"""A small project in two runs with its data, in DuckDB or PostgreSQL: pages start data diffs of it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.models import Column, MacroMetadata, NodeMetadata, Project, RunMetadata
from recce_meta.models.node import code_hash
from recce_meta.store.write import record_run

BASE, CURRENT, ALONE = "run-base", "run-current", "run-alone"
ORDERS, HIDDEN, UNBUILT = "model.shop.orders", "model.shop.hidden", "model.shop.unbuilt"
NEW, ITEMS, BOARD, SLOW = (
    "model.shop.fresh",
    "source.shop.raw.items",
    "exposure.shop.board",
    "model.shop.slow",
)
UNIQUE = "test.shop.unique_orders_id"
ODD = 'a, "b"'
"""Column with the separator and the quote of lists of names."""
START = datetime(2026, 11, 1, 8, tzinfo=timezone.utc)


def build(adapter: UnifiedSqlAdapter, schema: str) -> None:
    """Create the tables of both runs, and record them in the store in *schema*."""
    for side in ("prod", "pr"):
        place = schema_of(schema, side)
        adapter.execute(f"DROP SCHEMA IF EXISTS {place} CASCADE")
        adapter.execute(f"CREATE SCHEMA {place}")
        paid = "'paid'" if side == "prod" else "CASE WHEN n = 7 THEN 'open' ELSE 'paid' END"
        rows = 100 if side == "prod" else 103
        adapter.execute(
            f"CREATE TABLE {place}.orders AS SELECT n AS id, n * 10 AS amount, {paid} AS state, "
            f'n % 3 AS "a, ""b""" FROM generate_series(1, {rows}) AS s (n)'
        )
        adapter.execute(f"CREATE TABLE {place}.items AS SELECT 1 AS id")
        adapter.execute(f"CREATE TABLE {place}.fresh AS SELECT 1 AS id")
        wait = ", pg_sleep(0.1) IS NULL AS waited" if adapter.warehouse.name == "postgres" else ""
        adapter.execute(
            f"CREATE VIEW {place}.slow AS SELECT n AS id{wait} FROM generate_series(1, 600) AS s (n)"
        )
    for run_id in (BASE, CURRENT):
        record_run(adapter.at(schema), project(run_id, schema, adapter.warehouse.name))
    record_run(adapter.at(schema), project(ALONE, schema, adapter.warehouse.name, name="alone"))


def drop(adapter: UnifiedSqlAdapter, schema: str) -> None:
    """Remove the tables and the store."""
    for one in (schema_of(schema, "prod"), schema_of(schema, "pr"), schema):
        adapter.execute(f"DROP SCHEMA IF EXISTS {one} CASCADE")


def schema_of(schema: str, side: str) -> str:
    """Return the schema of the tables of one side."""
    return f"{schema}_{side}"


def project(run_id: str, schema: str, adapter_type: str, name: str = "shop") -> Project:
    """Return the project of one run."""
    is_base = run_id == BASE
    run = RunMetadata(
        run_id=run_id,
        run_at=START + timedelta(days=not is_base),
        project_name=name,
        environment="base" if is_base else "pr",
        extractor="dbt",
        dbt_version="1.11.0",
        adapter_type=adapter_type,
    )
    own, prod = schema_of(schema, "prod" if is_base else "pr"), schema_of(schema, "prod")
    columns = {"id": "INTEGER", "amount": "INTEGER", "state": "TEXT", ODD: "INTEGER"}
    unique: dict[str, Any] = {
        "attached_node": ORDERS,
        "column_name": "id",
        "test_metadata": {"name": "unique", "kwargs": {"column_name": "id"}},
    }
    nodes = [
        _node(ORDERS, own, "select 1", columns=tuple(Column(one, kind) for one, kind in columns.items())),
        _node(SLOW, own, "select 1", columns=(Column("id", "INTEGER"),)),
        _node(HIDDEN, None, "select id, amount * 2 as twice from {{ ref('orders') }}", parents=(ORDERS,)),
        _node(UNBUILT, None, "select 2", materialized="table"),
        _node(ITEMS, prod, source_name="raw", columns=(Column("id", "INTEGER"),)),
        _node(UNIQUE, None, "select 1", parents=(ORDERS,), properties=unique),
        _node(BOARD, None, parents=(ORDERS,)),
    ]
    if not is_base:
        nodes.append(_node(NEW, own, "select 1"))
    code = "{% macro doubled(column) %}2 * {{ column }}{% endmacro %}"
    macro = MacroMetadata(
        unique_id=f"macro.{name}.doubled",
        name="doubled",
        package_name=name,
        path="macros/doubled.sql",
        macro_sql=code,
        code_hash=code_hash(code),
    )
    return Project(run=run, nodes=tuple(sorted(nodes, key=lambda one: one.unique_id)), macros=(macro,))


def _node(unique_id: str, schema: str | None, raw: str | None = None, **fields: Any) -> NodeMetadata:
    kind, package, *_, name = unique_id.split(".")
    given = {
        "unique_id": unique_id,
        "name": name,
        "resource_type": kind,
        "package_name": package,
        "path": f"models/{name}.sql",
        "fqn": (package, name),
        "relation_name": f'"{schema}"."{name}"' if schema else None,
        "schema_name": schema,
        "identifier": name if schema else None,
        "materialized": "ephemeral" if unique_id == HIDDEN else "table" if kind == "model" else None,
        "language": "sql" if raw else None,
        "raw_code": raw,
        "code_hash": code_hash(raw) if raw else None,
    }
    return NodeMetadata(**{**given, **fields})
