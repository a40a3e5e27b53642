"""Questions of a platform team to 24 days of planned builds, each in one statement, with its answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec.structs import replace

from recce_meta.models import Column, NodeMetadata, NodeResult, Project
from recce_meta.models.stored import NodeStatistics
from recce_meta.store.statistics import write_statistics

DAYS = 24
QUESTIONS = yaml.safe_load((Path(__file__).parents[2] / "data" / "planned_history.yml").read_text())
MakeRun, MakeModel = Callable[..., Project], Callable[..., NodeMetadata]


def nodes_of(day: int, make_model: MakeModel, edit: str = "") -> Iterator[NodeMetadata]:
    """Yield the nodes of a day: `stg` loses a column on day 5 and retypes one on day 10."""
    columns = [Column("id", "INTEGER"), Column("amount", "INTEGER" if day < 10 else "NUMERIC")]
    columns += [Column("note", "TEXT")] if day < 5 else []
    yield make_model("stg", columns=tuple(columns), schema_name="staging", meta={"owner": "core"})
    code = f"int {day < 15} {edit}"
    yield make_model(
        "int", "stg", code_hash=code, raw_code=code, schema_name="staging", meta={"owner": "core"}
    )
    for name in ("slow", "steady", "stale", "jump", "bulk", "faulty"):
        yield make_model(name, "int", meta={"owner": "growth"}, description="" if name == "slow" else "told")
    if day < 8:
        yield make_model("gone", "int", meta={"owner": "growth"})
    for name, parent in (("flip", "slow"), ("broken", "jump")):
        node = make_model(name, parent, unique_id=f"test.shop.{name}", schema_name=None)
        yield replace(node, resource_type="test")
    board = make_model("board", "slow", unique_id="exposure.shop.board", schema_name=None)
    owner = {"owner": {"email": "bi@shop.example"}}
    yield replace(board, resource_type="exposure", properties=owner)


def results_of(day: int, nodes: list[NodeMetadata]) -> Iterator[NodeResult]:
    for node in nodes:
        if node.resource_type == "exposure" or (node.name == "stale" and day > 12):
            continue
        fields: dict[str, Any] = {"status": "pass" if node.resource_type == "test" else "success"}
        fields["seconds"] = {"slow": 1.0 + day, "steady": 120.0}.get(node.name, 0.5)
        if node.name == "flip" and day % 3 == 0:
            fields |= {"status": "fail", "failures": 4}
        if node.name == "broken" and day >= 18:
            fields |= {"status": "fail", "failures": 9}
        if node.name == "faulty" and day == 20:
            fields |= {"status": "error", "message": "division by zero"}
        fields["rows"] = 500_000 if node.name == "bulk" and day >= 22 else 100
        yield NodeResult(unique_id=node.unique_id, **fields)


@pytest.fixture
def history(empty_store: Any, make_run: MakeRun, make_model: MakeModel) -> Any:
    if empty_store.adapter.warehouse.name not in ("duckdb", "postgres"):
        pytest.skip("the statements are those of DuckDB and PostgreSQL")
    for day in range(DAYS):
        age = timedelta(days=DAYS - 1 - day)
        nodes = list(nodes_of(day, make_model))
        failed = "failed" if day >= 18 or day % 3 == 0 else "success"
        built = make_run(
            f"base-{day:02}",
            age,
            f"sha{day:02}",
            nodes,
            results=tuple(results_of(day, nodes)),
            build_status=failed,
            command="build",
        )
        empty_store.record(built)
        row_count = 10 if day >= 21 else 1000 + day
        counted = NodeStatistics(
            unique_id="model.shop.jump", counted_at=built.run.run_at, row_count=row_count
        )
        write_statistics(empty_store.adapter.at(empty_store.schema), built.run, [counted])
        if day in (6, 16, 23):
            other = [*nodes_of(day, make_model, "edited")]
            late = age - timedelta(minutes=5)
            names = {"environment": "current", "branch": f"b{day:02}", "pull_request": str(day)}
            empty_store.record(make_run(f"branch-{day}", late, f"b{day}", other, **names))
    return empty_store


def test_each_question_has_the_planned_answer(history: Any) -> None:
    found = {name: history.rows(one["sql"]) for name, one in QUESTIONS.items()}

    assert found == {name: [tuple(row) for row in one["rows"]] for name, one in QUESTIONS.items()}
