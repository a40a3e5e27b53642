"""The views about results, tests, owners, coverage and nodes that nothing reads."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from recce_meta.models import NodeMetadata, NodeResult, Project
from recce_meta.models.marks.annotation import AnnotationTarget
from recce_meta.models.node import SourceFreshness
from recce_meta.models.stored import NodeStatistics
from recce_meta.store.marks.annotations import AnnotationChange, add_annotations
from recce_meta.store.prune import Retention, prune
from recce_meta.store.statistics import write_statistics

ORDERS, TEST = "model.shop.orders", "test.shop.unique_orders"
MakeRun = Callable[..., Project]
MakeModel = Callable[..., NodeMetadata]


def outcomes(*statuses: str) -> tuple[NodeResult, ...]:
    return tuple(NodeResult(unique_id=TEST, status=status, failures=2) for status in statuses)


def test_results_name_their_run_node_and_previous_status(store: Any) -> None:
    rows = store.rows(
        "SELECT run_id, git_sha, branch, name, resource_type, schema_name, materialized, seconds,"
        f" previous_status, status FROM {{s}}.result_history WHERE unique_id IN ('{ORDERS}', '{TEST}')"
        " ORDER BY run_id, name"
    )
    model, test = ("orders", "model", "shop", "table"), ("unique_orders", "test", None, None)
    assert rows == [
        ("base-1", "sha1", "main", *model, 10.0, None, "success"),
        ("base-1", "sha1", "main", *test, 0.1, None, "pass"),
        ("base-2", "sha2", "main", *model, 20.0, "success", "success"),
        ("base-2", "sha2", "main", *test, 0.1, "pass", "pass"),
        ("base-3", "sha3", "main", *model, 60.0, "success", "success"),
        ("base-3", "sha3", "main", *test, 0.1, "pass", "fail"),
    ]


def test_latest_results_have_the_names_of_the_history(store: Any) -> None:
    columns = set(store.columns("result_history")) - {"previous_status"}
    assert columns < set(store.columns("latest_results"))
    assert store.rows(f"SELECT name, branch, owner FROM {{s}}.latest_results WHERE unique_id = '{TEST}'") == [
        ("unique_orders", "main", None)
    ]


def test_tests_have_their_flips_and_the_first_run_of_their_present_outcome(
    store: Any, last_run_at: datetime
) -> None:
    rows = store.rows(
        "SELECT unique_id, outcome, flips, results, failed_results, failures, since_run_id, since_git_sha,"
        " since_run_at, run_id, last_pass_at FROM {s}.test_history ORDER BY unique_id"
    )
    month, days = last_run_at - timedelta(days=30), last_run_at - timedelta(days=2)
    assert rows == [
        ("test.shop.long_broken", "fail", 0, 3, 3, 0, "base-1", "sha1", month, "base-3", None),
        (TEST, "fail", 1, 3, 1, 3, "base-3", "sha3", last_run_at, "base-3", days),
    ]


def test_a_branch_is_compared_with_itself_and_gaps_are_passed_over(
    empty_store: Any, make_run: MakeRun, make_model: MakeModel
) -> None:
    def built(name: str, hours: int, branch: str, statuses: tuple[NodeResult, ...], code: str) -> None:
        nodes = [make_model("orders", code_hash=code), make_model(TEST[10:], unique_id=TEST)]
        run = make_run(name, timedelta(hours=-hours), "sha", nodes, environment="pr", branch=branch)
        empty_store.record(replace(run, results=statuses))

    built("a1", 1, "a", outcomes("fail"), "a")
    built("b1", 2, "b", outcomes("pass"), "b")
    built("a2", 3, "a", (), "a")
    built("b2", 4, "b", outcomes("pass"), "b, edited")
    built("a3", 5, "a", outcomes("skipped"), "a")
    built("a4", 6, "a", outcomes("pass"), "a")

    assert empty_store.rows("SELECT run_id, unique_id FROM {s}.node_changes") == [("b2", ORDERS)]
    assert empty_store.rows("SELECT run_id, previous_status FROM {s}.result_history ORDER BY run_id") == [
        ("a1", None), ("a3", "fail"), ("a4", "skipped"), ("b1", None), ("b2", "pass"),
    ]  # fmt: skip
    rows = empty_store.rows(
        "SELECT branch, outcome, flips, results, since_run_id FROM {s}.test_history ORDER BY branch"
    )
    assert rows == [("a", "pass", 1, 2, "a4"), ("b", "pass", 0, 2, "b1")]


def test_failed_rows_are_with_the_result_of_their_test(
    empty_store: Any, make_run: MakeRun, make_model: MakeModel
) -> None:
    run = make_run("r", timedelta(), "sha", [make_model(TEST[10:], unique_id=TEST)], environment="base")
    rows = ({"id": 7, "email": "***"}, {"id": None, "email": "***"})
    empty_store.record(replace(run, results=(replace(outcomes("fail")[0], failed_rows=rows),)))

    (answer,) = empty_store.answer("failed_rows")
    found = answer["failed_rows"]
    assert (json.loads(found) if isinstance(found, str) else found) == [*rows]
    assert (answer["unique_id"], answer["status"], answer["failures"]) == (TEST, "fail", 2)


def test_an_owner_is_annotated_or_the_nodes_own_or_in_its_meta_or_of_its_group(
    empty_store: Any, make_run: MakeRun, make_model: MakeModel
) -> None:
    own = {"owner": {"email": "bi@shop.example"}}
    group = {"owner": {"name": "Finance", "email": "finance@shop.example"}}
    nodes = [
        make_model("noted", meta={"owner": "growth"}),
        make_model("told", meta={"owner": "growth"}, group_name="finance"),
        make_model("grouped", group_name="finance"),
        make_model("other_group", group_name="ops"),
        replace(make_model("board", properties=own), resource_type="exposure"),
        make_model("nobodys"),
    ]
    project = make_run("only", timedelta(), "sha", nodes)
    empty_store.record(replace(project, groups=(replace(project.groups[0], properties=group),)))
    target = AnnotationTarget(project_name="shop", unique_id="model.shop.noted")
    changes = [AnnotationChange(target, "owner", item=name, value="true") for name in ("Zoe", "Ann")]
    changes.append(AnnotationChange(replace(target, column_name="id"), "owner", item="Bob", value="true"))
    add_annotations(empty_store.adapter.at(empty_store.schema), changes, author="Ann")

    rows = empty_store.rows(
        "SELECT name, owner, owner_email, owner_source FROM {s}.node_owners ORDER BY name"
    )
    assert rows == [
        ("board", "bi@shop.example", "bi@shop.example", "owner"),
        ("grouped", "Finance", "finance@shop.example", "group"),
        ("noted", "Ann, Zoe", None, "annotation"),
        ("other_group", "ops", None, "group"),
        ("told", "growth", None, "meta"),
    ]


def test_unused_nodes_are_those_that_only_tests_read(store: Any) -> None:
    rows = store.rows("SELECT environment, unique_id, tests FROM {s}.unused_nodes ORDER BY 1, 2")
    assert rows == [
        ("base", "model.shop.fresh", 0),
        ("base", "source.shop.raw.coupons", 0),
        ("current", "model.shop.legacy", 0),
        ("current", "source.shop.raw.coupons", 0),
    ]


def test_coverage_counts_tests_descriptions_and_columns_by_schema_and_folder(store: Any) -> None:
    rows = store.rows(
        "SELECT resource_type, schema_name, folder, nodes, tested_nodes, described_nodes, owned_nodes, tests,"
        " columns_known, described_columns FROM {s}.coverage WHERE environment = 'base' ORDER BY 1"
    )
    assert rows == [
        ("model", "shop", "models", 4, 2, 2, 0, 2, 2, 0),
        ("source", "raw", "sources", 2, 0, 0, 0, 0, 0, 0),
    ]


def test_the_last_count_of_a_removed_node_stays(
    empty_store: Any, make_run: MakeRun, make_model: MakeModel, last_run_at: datetime
) -> None:
    adapter = empty_store.adapter.at(empty_store.schema)
    for number, names in enumerate([("a", "gone"), ("a", "gone"), ("a",), ("a",)]):
        nodes = [make_model(name) for name in names]
        project = make_run(f"run-{number}", timedelta(days=-number), "sha", nodes)
        empty_store.record(project)
        counts = [
            NodeStatistics(unique_id=one.unique_id, counted_at=last_run_at, row_count=number) for one in nodes
        ]
        write_statistics(adapter, project.run, counts)

    assert [run.run_id for run in prune(adapter, Retention(keep_last=1), local=True).runs] == [
        "run-2",
        "run-0",
    ]
    rows = empty_store.rows("SELECT unique_id, row_count, is_current FROM {s}.latest_row_counts ORDER BY 1")
    assert [(name.rpartition(".")[2], count) for name, count, _ in rows] == [("a", 3), ("gone", 1)]


def test_a_build_lasts_from_the_first_start_to_the_last_end(
    empty_store: Any, make_run: MakeRun, make_model: MakeModel, last_run_at: datetime
) -> None:
    def ran(name: str, start: int, end: int) -> NodeResult:
        begun, done = (last_run_at + timedelta(seconds=second) for second in (start, end))
        times = {"execute_started_at": begun, "execute_completed_at": done}
        unique_id = f"model.shop.{name}"
        return NodeResult(unique_id=unique_id, status="success", seconds=float(end - start), **times)

    project = make_run("timed", timedelta(), "sha", [make_model("a"), make_model("b")])
    built = replace(project, run=replace(project.run, critical_path=90.0))
    empty_store.record(replace(built, results=(ran("a", 0, 90), ran("b", 30, 100))))
    old = make_run("old", timedelta(days=1), "sha", [make_model("a"), make_model("b")])
    empty_store.record(replace(old, results=(NodeResult(unique_id="model.shop.a", status="success"),)))

    rows = empty_store.rows(
        "SELECT run_id, results, duration, node_seconds, longest_seconds, critical_path, waiting"
        " FROM {s}.build_history ORDER BY 1"
    )
    assert rows == [("old", 1, None, None, None, None, None), ("timed", 2, 100, 160.0, 90.0, 90.0, 10.0)]


def test_each_measurement_of_freshness_is_shown_once(
    empty_store: Any, make_run: MakeRun, make_model: MakeModel, last_run_at: datetime
) -> None:
    for number, (status, hour) in enumerate([("pass", 0), ("pass", 0), ("warn", 5)]):
        measured = SourceFreshness(
            unique_id=ORDERS, status=status, snapshotted_at=last_run_at + timedelta(hours=hour)
        )
        run = make_run(f"run-{number}", timedelta(days=3 - number), "sha", [make_model("orders")])
        empty_store.record(replace(run, freshness=(measured,)))

    rows = empty_store.rows(
        "SELECT run_id, name, previous_status, status FROM {s}.freshness_history ORDER BY run_id"
    )
    assert rows == [("run-0", "orders", None, "pass"), ("run-2", "orders", "pass", "warn")]
    latest = empty_store.rows("SELECT run_id, status, previous_status FROM {s}.latest_freshness")
    assert latest == [("run-2", "warn", "pass")]
