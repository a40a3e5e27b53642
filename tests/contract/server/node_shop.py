"""A small project in three runs: every kind of node, changes of code and columns, and private values."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.record import record_project
from recce_meta.models import Column, NodeMetadata, Project, RunMetadata
from recce_meta.models.data_diff import Profile
from recce_meta.models.node import NodeResult, code_hash
from recce_meta.models.quality import ColumnQuality, Quality, QualityRun, TableQuality, ValueCount
from recce_meta.models.stored import NodeStatistics
from recce_meta.store.quality import write_quality
from recce_meta.store.sql_files import DEFAULT_SCHEMA
from recce_meta.store.write import record_run

START = datetime(2026, 11, 1, 8, tzinfo=timezone.utc)
SECRET = "secret@example.com"
RAW, STAGED, ORDERS = "source.shop.raw.orders", "model.shop.stg_orders", "model.shop.orders"
HIDDEN, PREDICTED, UNKNOWN = "model.shop.hidden", "model.shop.predicted", "model.shop.unknown"
UNIQUE, PAID, BOARD = "test.shop.unique_orders_id", "test.shop.orders_are_paid", "exposure.shop.board"
TWICE = ("model.shop.twice", "model.other.twice")


def record(adapter: UnifiedSqlAdapter, schema: str = DEFAULT_SCHEMA) -> None:
    """Record the three runs `run-0` to `run-2`, and two measurements of the last."""
    for number in range(3):
        found = project(number)
        counted = NodeStatistics(unique_id=ORDERS, row_count=100 * (number + 1), counted_at=found.run.run_at)
        if number == 2:
            record_project(adapter.at(schema), found, statistics=[counted])
        else:
            record_run(adapter.at(schema), found, statistics=[counted])
    for number in range(2):
        write_quality(adapter.at(schema), quality(number))


def project(number: int) -> Project:
    """Return the project at the time of the run *number*."""
    run = RunMetadata(
        run_id=f"run-{number}",
        run_at=START + timedelta(days=number),
        project_name="shop",
        environment="prod",
        extractor="dbt",
        dbt_version="1.11.0",
        adapter_type="duckdb",
    )
    nodes = [node for node in nodes_of(number) if number or node.unique_id != HIDDEN]
    results = (
        NodeResult(unique_id=ORDERS, status="success", seconds=1.0 + number, message="OK"),
        NodeResult(unique_id=UNIQUE, status="fail", failures=3, message="Got 3 results"),
        NodeResult(unique_id=PAID, status="pass", failures=0),
    )
    return Project(run=run, nodes=tuple(sorted(nodes, key=lambda one: one.unique_id)), results=results)


def nodes_of(number: int) -> list[NodeMetadata]:
    """Return the nodes: the filter of `orders` changes in run 1, and the type of `amount` in run 2."""
    amount = "DECIMAL(10,2)" if number == 2 else "INTEGER"
    limit = 10 if number else 0
    return [
        _node(RAW, columns=_columns(id="INTEGER", cents="INTEGER", state="TEXT"), source_name="raw"),
        _node(
            STAGED,
            "select id, cents / 100 as amount, state from {{ source('raw', 'orders') }}",
            'select id, cents / 100 as amount, state from "db"."raw"."orders"',
            parents=(RAW,),
            columns=_columns(id="INTEGER", amount="INTEGER", state="TEXT"),
        ),
        _node(
            ORDERS,
            f"select id, amount\nfrom {{{{ ref('stg_orders') }}}}\nwhere state = 'paid' and amount > {limit}",
            f'select id, amount\nfrom "db"."prod"."stg_orders"\nwhere state = \'paid\' and amount > {limit}',
            parents=(STAGED,),
            columns=_columns(id="INTEGER", amount=amount),
            description="Paid orders.\n<b>One row</b> per order.",
            tags=("mart",),
            group_name="finance",
            meta={"owner": "Ann"},
        ),
        _node(HIDDEN, "select 1 as one", "select 1 as one", materialized="ephemeral", relation_name=None),
        _node(
            PREDICTED,
            "def model(dbt, session):\n    return dbt.ref('orders')",
            language="python",
            parents=(ORDERS,),
        ),
        _node(
            UNKNOWN,
            "select * from {{ ref('orders') }}",
            'select * from "db"."prod"."orders"',
            parents=(ORDERS,),
        ),
        *(_node(unique_id, "select 2 as two") for unique_id in TWICE),
        _test(UNIQUE, "id", "unique"),
        _test(PAID, None, None),
        _node(BOARD, parents=(ORDERS,), properties={"owner": {"name": "Bob"}, "type": "dashboard"}),
    ]


def _node(unique_id: str, raw: str | None = None, compiled: str | None = None, **fields: Any) -> NodeMetadata:
    kind, package, *rest = unique_id.split(".")
    name = rest[-1]
    schema = "raw" if kind == "source" else "prod"
    has_relation = kind in ("model", "source")
    return NodeMetadata(
        **{
            "unique_id": unique_id,
            "name": name,
            "resource_type": kind,
            "package_name": package,
            "path": f"models/{name}.sql",
            "fqn": (package, name),
            "relation_name": f'"db"."{schema}"."{name}"' if has_relation else None,
            "database_name": "db" if has_relation else None,
            "schema_name": schema if has_relation else None,
            "identifier": name if has_relation else None,
            "materialized": "table" if kind == "model" else None,
            "language": "sql" if raw else None,
            "raw_code": raw,
            "compiled_code": compiled,
            "code_hash": code_hash(raw) if raw else None,
            **fields,
        }
    )


def _columns(**types: str) -> tuple[Column, ...]:
    return tuple(Column(name, kind, f"The {name}.", documented=True) for name, kind in types.items())


def _test(unique_id: str, column: str | None, generic: str | None) -> NodeMetadata:
    properties: dict[str, Any] = {"attached_node": ORDERS, "column_name": column} if column else {}
    if generic:
        properties["test_metadata"] = {"name": generic, "kwargs": {"column_name": column}}
    compiled = f'select {column or "id"} from "db"."prod"."orders"'
    return _node(unique_id, compiled, compiled, parents=(ORDERS,), properties=properties)


def quality(number: int) -> Quality:
    """Return the measurement *number* of `orders`, whose `id` is private."""
    at = START + timedelta(days=3 + number)
    open_profile = Profile(
        type="INTEGER", row_count=10, not_null_count=9 - number, distinct_count=3, min=1, max=7
    )
    private = Profile(type="TEXT", row_count=10, not_null_count=10, distinct_count=10)
    columns = (
        ColumnQuality(name="id", profile=private, is_private=True, score=100.0),
        ColumnQuality(
            name="amount",
            profile=open_profile,
            score=90.0 - 10 * number,
            top_values=(ValueCount(value=7, count=5), ValueCount(value=None, count=1 + number)),
        ),
    )
    table = TableQuality(
        unique_id=ORDERS,
        name="orders",
        relation='"db"."prod"."orders"',
        measured_at=at,
        columns=columns,
        score=95.0,
        row_count=10,
    )
    run = QualityRun(
        quality_run_id=f"quality-{number}",
        run_id="run-2",
        project_name="shop",
        environment="prod",
        started_at=at,
        finished_at=at,
        table_count=1,
        score=95.0,
    )
    return Quality(run=run, tables=(table,))
