"""A target folder as one run: whose results, which moment, which commit."""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from recce_meta.extractors.git import GitState
from recce_meta.extractors.project import extract_project
from recce_meta.models import Project
from recce_meta.models.run import EARLIER_RESULTS, UNFINISHED

UTC = timezone.utc


def written(
    folder: Path, *, header: dict[str, Any] | None = None, results: dict[str, Any] | None = None
) -> Path:
    """A target folder with two models and perhaps results."""
    nodes = {
        f"model.shop.{name}": {
            "name": name,
            "resource_type": "model",
            "package_name": "shop",
            "schema": "prod",
            "database": "db",
            "config": {},
        }
        for name in ("orders", "customers")
    }
    metadata = {"project_name": "shop", "invocation_id": "one", **(header or {})}
    (folder / "manifest.json").write_text(json.dumps({"metadata": metadata, "nodes": nodes}))
    if results is not None:
        (folder / "run_results.json").write_text(json.dumps(results))
    return folder


def results_of(
    *names: str, which: str | None = "build", invocation: str = "one", **more: Any
) -> dict[str, Any]:
    return {
        "metadata": {"invocation_id": invocation},
        "args": {"which": which, "target": "prod"},
        "results": [{"unique_id": f"model.shop.{name}", "status": "success", **more} for name in names],
    }


def extracted(folder: Path, **options: Any) -> Project:
    return extract_project(folder, git=GitState(), hash_seed_files=False, **options)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-20T07:57:46.711056Z", datetime(2026, 11, 20, 7, 57, 46, 711056, tzinfo=UTC)),
        ("2026-11-20T07:57:46.711056999Z", datetime(2026, 11, 20, 7, 57, 46, 711056, tzinfo=UTC)),
        ("2026-11-20T07:57:46Z", datetime(2026, 11, 20, 7, 57, 46, tzinfo=UTC)),
        ("2026-11-20T07:57:46.7Z", datetime(2026, 11, 20, 7, 57, 46, 700000, tzinfo=UTC)),
        ("2026-11-20T07:57:46", datetime(2026, 11, 20, 7, 57, 46, tzinfo=UTC)),
        ("2026-11-20T07:57:46.5", datetime(2026, 11, 20, 7, 57, 46, 500000, tzinfo=UTC)),
        ("2026-11-20T09:57:46.123456789+02:00", datetime(2026, 11, 20, 7, 57, 46, 123456, tzinfo=UTC)),
        ("2026-11-20T02:57:46-05:00", datetime(2026, 11, 20, 7, 57, 46, tzinfo=UTC)),
        ("2026-11-20 07:57:46.711056", datetime(2026, 11, 20, 7, 57, 46, 711056, tzinfo=UTC)),
        ("yesterday", datetime(1970, 1, 1, tzinfo=UTC)),
        ("", datetime(1970, 1, 1, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", datetime(1970, 1, 1, tzinfo=UTC)),
        (None, datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_the_moment_of_a_run_is_in_utc(text: str | None, expected: datetime, tmp_path: Path) -> None:
    run = extracted(written(tmp_path, header={"generated_at": text})).run
    assert run.run_at == expected
    assert run.run_at.utcoffset() == timedelta(0)


@pytest.mark.parametrize("which", ["generate", "compile", "parse", "list", "show"])
def test_results_of_commands_that_build_nothing_are_ignored(which: str, tmp_path: Path) -> None:
    project = extracted(written(tmp_path, results=results_of("orders", which=which)))
    assert project.results == ()
    assert project.run.command == which
    assert project.run.target_name == "prod"


@pytest.mark.parametrize("which", ["build", "run", "test", "seed", "snapshot", "retry"])
def test_results_of_commands_that_build_are_kept(which: str, tmp_path: Path) -> None:
    project = extracted(written(tmp_path, results=results_of("orders", "customers", which=which)))
    assert [result.unique_id for result in project.results] == ["model.shop.customers", "model.shop.orders"]
    assert project.run.command == which
    assert project.warnings == ()


def test_options_that_change_what_dbt_builds_belong_to_the_command(tmp_path: Path) -> None:
    results = results_of("orders", which="run")
    results["args"] |= {"empty": True, "sample": None, "defer": True, "favor_state": False}

    assert extracted(written(tmp_path, results=results)).run.command == "run --empty --defer"


@pytest.mark.parametrize(("option", "schema"), [("defer", "live"), ("empty", "prod")])
def test_a_node_that_dbt_read_in_another_target_has_its_relation_there(
    option: str, schema: str, tmp_path: Path
) -> None:
    results = results_of("orders", which="run")
    results["args"] |= {option: True}
    written(tmp_path, results=results)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    manifest["nodes"]["model.shop.customers"]["relation_name"] = '"db"."prod"."customers"'
    manifest["nodes"]["model.shop.orders"] |= {
        "depends_on": {"nodes": ["model.shop.customers"]},
        "compiled_code": 'select * from "db"."live"."customers"',
    }
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))

    found = extracted(tmp_path)

    assert {node.name: node.schema_name for node in found.nodes} == {"customers": schema, "orders": "prod"}
    assert found.run.target_schema == "prod"


def variables_of(folder: Path, args: dict[str, Any], dbt: str, **header: str) -> dict[str, str] | None:
    results = results_of("orders", **header)
    results["args"] |= args
    results["metadata"]["dbt_version"] = dbt
    return extracted(written(folder, results=results)).run.variables


def test_variables_are_known_by_a_hash_of_their_values(tmp_path: Path) -> None:
    given = {"day": "2026-01-01", "n": 1, "rest": {"b": [1], "a": None}}
    found = variables_of(tmp_path, {"vars": given}, "1.11.7")

    assert found is not None and [*found] == ["day", "n", "rest"]
    assert all(len(one) == 8 for one in found.values()) and "2026" not in str(found)
    same = {"rest": {"a": None, "b": [1]}, "n": 1, "day": "2026-01-01"}
    assert variables_of(tmp_path, {"vars": same}, "1.10.0") == found
    text = "{day: 2026-01-01, n: 1, rest: {b: [1], a: null}}"
    assert variables_of(tmp_path, {"vars": text}, "1.4.9") == found
    other = variables_of(tmp_path, {"vars": {"day": "2026-01-02", "n": "1"}}, "1.11.7")
    assert other is not None and found["day"] != other["day"] and found["n"] != other["n"]
    swapped = variables_of(tmp_path, {"vars": {"n": "2026-01-01"}}, "1.11.7")
    assert swapped is not None and swapped["n"] != found["day"]


@pytest.mark.parametrize(
    ("args", "dbt", "header", "expected"),
    [
        ({"vars": {}}, "1.5.11", {}, {}),
        ({}, "1.0.9", {}, {}),
        ({}, "0.21.0", {}, {}),
        ({"vars": "{}"}, "1.3.7", {}, {}),
        ({}, "2.0.0-beta.2", {}, None),
        ({"vars": {"day": 1}}, "1.11.7", {"invocation": "two"}, None),
        ({"vars": "{day: [}"}, "1.3.7", {}, None),
        ({"vars": ["day"]}, "1.11.7", {}, None),
    ],
)
def test_variables_that_no_artifact_has_are_not_known(
    args: dict[str, Any], dbt: str, header: dict[str, str], expected: dict[str, str] | None, tmp_path: Path
) -> None:
    assert variables_of(tmp_path, args, dbt, **header) == expected


@pytest.mark.parametrize(("which", "code"), [("compile", "select 1"), ("show", None)])
def test_the_sql_of_a_preview_is_not_that_of_its_model(which: str, code: str | None, tmp_path: Path) -> None:
    manifest = written(tmp_path, results=results_of("orders", which=which)) / "manifest.json"
    text = manifest.read_text().replace('"config": {}', '"config": {}, "compiled_code": "select 1"')
    manifest.write_text(text)

    assert {node.compiled_code for node in extracted(tmp_path).nodes} == {code}


def test_the_command_of_another_invocation_did_not_write_the_manifest(tmp_path: Path) -> None:
    project = extracted(written(tmp_path, results=results_of("orders", invocation="two")))

    assert len(project.results) == 1
    assert project.run.command is None


def test_results_of_another_project_are_left_out_with_a_warning(tmp_path: Path) -> None:
    project = extracted(written(tmp_path, results=results_of("x", "y", "z", invocation="two")))
    assert project.results == ()
    assert project.run.command is None
    assert len(project.warnings) == 1


@pytest.mark.parametrize(("cataloged", "count"), [(None, 0), ("zero", 0), ("one", 2)])
def test_results_before_the_manifest_are_those_of_its_build_only_if_docs_were_generated(
    cataloged: str | None, count: int, tmp_path: Path
) -> None:
    """An interrupted build leaves the previous results, docs without compilation those of the build."""
    results = results_of("orders", "customers", invocation="zero")
    results["metadata"]["generated_at"] = "2026-11-20T07:57:46Z"
    written(tmp_path, header={"generated_at": "2026-11-20T07:58:00Z"}, results=results)
    if cataloged is not None:
        catalog = {"metadata": {"invocation_id": cataloged}, "nodes": {}, "sources": {}}
        (tmp_path / "catalog.json").write_text(json.dumps(catalog))

    project = extracted(tmp_path)

    assert len(project.results) == count
    assert project.run.warnings == project.warnings == (() if count else (EARLIER_RESULTS,))


@pytest.mark.parametrize(
    ("arguments", "status", "is_unfinished"),
    [
        ({"select": []}, "success", True),
        ({"select": [], "which": "run"}, "success", True),
        ({"select": [], "which": "seed"}, "success", False),
        ({"select": ["orders"]}, "success", False),
        ({"select": [], "invocation_command": "dbt -q retry --target dev"}, "success", False),
        ({"select": [], "resource_types": ["model"]}, "success", False),
        ({}, "success", False),
        ({"select": []}, "error", False),
    ],
)
def test_a_build_without_a_selection_that_lacks_a_model_was_interrupted(
    arguments: dict[str, Any], status: str, is_unfinished: bool, tmp_path: Path
) -> None:
    results = results_of("orders", status=status)
    results["args"] |= arguments
    written(tmp_path, results=results)
    manifest = tmp_path / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"config"', '"raw_code": "select 1", "config"'))

    run = extracted(tmp_path).run

    reason = "dbt was interrupted, or its default selector leaves them out"
    assert run.warnings == ((f"{UNFINISHED} customers: {reason}",) if is_unfinished else ())
    assert run.build_status == (None if is_unfinished else "failed" if status == "error" else "success")


def test_a_few_results_of_unknown_nodes_are_named(tmp_path: Path) -> None:
    project = extracted(
        written(tmp_path, results=results_of("orders", "customers", "gone", invocation="two"))
    )
    assert len(project.results) == 2
    assert "1 node" in project.warnings[0]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"adapter_response": {"rows_affected": 5}}, (5, None)),
        ({"adapter_response": {"rows_affected": -1}}, (None, None)),
        ({"adapter_response": {"rows_affected": "7", "bytes_processed": 100}}, (7, 100)),
        ({"adapter_response": {"bytes_processed": 0, "bytes_billed": 9}}, (None, 0)),
        ({"adapter_response": None}, (None, None)),
        ({"adapter_response": "OK"}, (None, None)),
        ({}, (None, None)),
    ],
)
def test_rows_and_bytes_are_what_the_adapter_says(
    more: dict[str, Any], expected: tuple[int | None, int | None], tmp_path: Path
) -> None:
    (result,) = extracted(written(tmp_path, results=results_of("orders", **more))).results
    assert (result.rows, result.bytes) == expected


def test_a_message_is_without_the_colors_of_dbt(tmp_path: Path) -> None:
    said = "\x1b[32mactual\x1b[0m differs from \x1b[31mexpected\x1b[0m:"
    (result,) = extracted(written(tmp_path, results=results_of("orders", message=said))).results
    assert result.message == "actual differs from expected:"


def test_a_result_ends_when_its_last_phase_does(tmp_path: Path) -> None:
    timing = [
        {"name": "compile", "completed_at": "2026-11-20T07:00:00.000001Z"},
        {"name": "execute", "completed_at": "2026-11-20T07:00:09.5Z"},
        {"name": "odd"},
    ]
    (result,) = extracted(written(tmp_path, results=results_of("orders", timing=timing))).results
    assert result.completed_at == "2026-11-20T07:00:09.5Z"


def test_a_result_has_the_times_of_its_phases_its_thread_and_what_else_the_adapter_reports(
    tmp_path: Path,
) -> None:
    timing = [
        {"name": "compile", "started_at": "2026-11-20T07:00:00Z", "completed_at": "soon"},
        {"name": "execute", "started_at": "2026-11-20T09:00:02.123456789+02:00", "completed_at": None},
        {"name": "odd", "started_at": "2026-11-20T07:00:00Z"},
    ]
    response = {
        "_message": "MERGE",
        "code": "MERGE",
        "rows_affected": 5,
        "bytes_processed": 0,
        "bytes_billed": 9,
    }
    more = {"timing": timing, "thread_id": "Thread-1", "adapter_response": {**response, "job_id": "bq"}}

    project = extracted(written(tmp_path, results=results_of("orders", "customers", **more)))

    result = project.results[0]
    assert (result.compile_started_at, result.execute_started_at) == (
        datetime(2026, 11, 20, 7, tzinfo=timezone.utc),
        datetime(2026, 11, 20, 7, 0, 2, 123456, tzinfo=timezone.utc),
    )
    assert (result.compile_completed_at, result.execute_completed_at, result.completed_at) == (
        None,
        None,
        None,
    )
    assert (result.thread_id, result.query_id) == ("Thread-1", "bq")
    assert result.adapter_response == {"code": "MERGE", "bytes_billed": 9}
    assert "completed_at of model.shop.customers" in project.warnings[0]


@pytest.mark.parametrize(
    ("args", "full_refresh", "known"),
    [
        (
            {"which": "run", "select": ["a", "b+"], "exclude": [], "threads": 4},
            False,
            {"select": "a b+", "threads": 4},
        ),
        ({"which": "run", "select": [], "full_refresh": True, "empty": True}, True, {"empty": True}),
        (
            {"which": "run", "models": ["a"], "selector_name": "nightly"},
            None,
            {"select": "a", "selector": "nightly"},
        ),
        (
            {"which": "run", "select": ["a"], "sample": {"start": 1}},
            False,
            {"select": "a", "sample": "{'start': 1}"},
        ),
        ({"which": "run", "invocation_command": "dbt run --vars {key: S3cret}"}, None, {}),
        ({}, None, None),
        (None, None, None),
    ],
)
def test_a_run_has_the_arguments_that_are_given(
    args: Any, full_refresh: bool | None, known: dict[str, Any] | None, tmp_path: Path
) -> None:
    results = {**results_of("orders"), "args": args, "elapsed_time": 1.5}
    results["metadata"]["invocation_started_at"] = "2026-11-20T07:00:00Z"
    results["metadata"]["generated_at"] = "2026-11-20T07:00:03Z"

    run = extracted(written(tmp_path, results=results)).run

    assert (run.full_refresh, run.args, run.elapsed_time) == (full_refresh, known, 1.5)
    assert str(run.run_started_at) == "2026-11-20 07:00:00+00:00"
    assert str(run.run_completed_at) == "2026-11-20 07:00:03+00:00"


def test_freshness_is_a_command_without_results(tmp_path: Path) -> None:
    header = {"invocation_id": "one", "generated_at": "2026-11-20T07:00:03Z"}
    result = {"unique_id": "model.shop.orders", "status": "pass"}
    sources = {"metadata": header, "results": [result], "elapsed_time": 0.5}
    written(tmp_path, results=results_of("orders", invocation="before"))
    for invocation, command in (("one", "freshness"), ("before", None)):
        sources["metadata"]["invocation_id"] = invocation
        (tmp_path / "sources.json").write_text(json.dumps(sources))

        project = extracted(tmp_path)

        assert (project.run.command, project.run.elapsed_time) == (command, 0.5 if command else None)
        assert [one.status for one in project.freshness] == ["pass"]
        assert len(project.results) == (0 if command else 1)


def test_the_run_is_named_by_its_invocation_or_by_its_content(tmp_path: Path) -> None:
    assert extracted(written(tmp_path)).run.run_id == "one"
    assert extracted(tmp_path, run_id="mine").run.run_id == "mine"
    nameless = extracted(written(tmp_path, header={"invocation_id": None})).run
    assert nameless.run_id == extracted(tmp_path).run.run_id
    assert (
        nameless.run_id
        != extracted(written(tmp_path, header={"project_name": "x", "invocation_id": ""})).run.run_id
    )


def test_what_the_caller_says_of_git_counts(tmp_path: Path) -> None:
    state = GitState(sha="a" * 40, branch="topic", dirty=True, pull_request="7")
    run = extract_project(written(tmp_path), git=state).run
    assert (run.git_sha, run.branch, run.git_dirty, run.pull_request) == ("a" * 40, "topic", True, "7")


def test_the_environments_variables_are_those_that_are_given(tmp_path: Path) -> None:
    environ = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_REF": "refs/heads/main",
        "GITHUB_SHA": "b" * 40,
        "PATH": os.defpath,
    }
    run = extract_project(written(tmp_path), environ=environ).run
    assert run.git_sha in (None, "b" * 40)


def test_a_manifest_may_be_named_instead_of_its_folder(tmp_path: Path) -> None:
    folder = written(tmp_path, results=results_of("orders"))
    assert extracted(folder / "manifest.json").results == extracted(folder).results != ()


def test_the_target_is_where_nodes_without_a_place_of_their_own_went(tmp_path: Path) -> None:
    run = extracted(written(tmp_path)).run
    assert (run.target_database, run.target_schema) == ("db", "prod")


def test_the_label_of_the_environment_is_the_callers(tmp_path: Path) -> None:
    project = extracted(written(tmp_path), environment="base")
    assert project.run.environment == "base"
