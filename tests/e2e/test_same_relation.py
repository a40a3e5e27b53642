"""Runs whose nodes are one relation on both sides: nothing is compared, and nothing is called equal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from recce_meta import UnifiedSqlAdapter, node_pairs, value_diff
from recce_meta.errors import UsageError
from tests.e2e.conftest import node

SAME = "both sides are the same relation"
NO_BUILD = "No build of base and current is recorded; tables may be older than the code"
SIDES = ("--base", "path:base", "--current", "path:current")


@pytest.fixture
def parsed(shop: Any) -> Any:
    """Two commits that dbt only parsed in production: both point to its relation of `orders`."""
    shop.build("orders", "SELECT 1 AS id, 'a' AS v", None)
    for side, sql in (("base", "select * from raw"), ("current", "select * from raw limit 3")):
        shop.write_nodes(
            side, [node("orders", shop.base, shop.database, sql=sql, config={"unique_key": "id"})]
        )
    return shop


@pytest.mark.parametrize(
    "command",
    [
        ("value",),
        ("value", "--detail"),
        ("profile",),
        ("top-k",),
        ("histogram",),
        ("schema",),
        ("query-diff", "select * from {{ ref('orders') }}"),
    ],
    ids=" ".join,
)
def test_nothing_is_compared(parsed: Any, command: tuple[str, ...]) -> None:
    names = () if command[0] == "query-diff" else ("orders",)
    ran = parsed.cli(*command, *names, *SIDES)

    assert ran.code == 0, ran.err
    assert f"not compared: {SAME}" in ran.out
    assert NO_BUILD in " ".join(ran.out.split())
    assert "equal" not in ran.out


def test_rows_of_one_relation_are_counted_for_one_side(parsed: Any) -> None:
    ran = parsed.cli("row-count", "orders", *SIDES, "--format", "json")

    (count,) = json.loads(ran.out)["results"][0]["counts"]
    assert (count["base"], count["base_reason"], count["current"]) == (None, SAME, 1)


def test_a_diff_with_data_says_why_it_compares_nothing(parsed: Any) -> None:
    ran = parsed.cli("diff", "path:base", "path:current", "--data")

    assert SAME in ran.out and NO_BUILD in " ".join(ran.out.split())
    assert "equal" not in ran.out
    assert parsed.cli("diff", "path:base", "path:current", "--data", "--fail-on", "not-compared").code == 1


def test_a_check_does_not_pass(parsed: Any) -> None:
    kinds = ("value_diff", "profile_diff", "row_count_diff", "schema_diff")
    checks = [
        {
            "name": kind,
            "type": kind,
            "params": {"model": "orders"}
            if kind in ("value_diff", "profile_diff")
            else {"node_names": ["orders"]},
            "expect": "equal",
        }
        for kind in kinds
    ]
    (parsed.cli.folder / "checks.yml").write_text(json.dumps({"checks": checks}))

    ran = parsed.cli("check", "run", "checks.yml", *SIDES, "--format", "json")
    assert ran.out, ran.err

    report = json.loads(ran.out)
    assert ran.code == 1, ran.out
    assert {check["name"]: check["status"] for check in report["checks"]}.keys() == set(kinds)
    assert all(check["status"] != "passed" for check in report["checks"]), ran.out
    assert NO_BUILD in report["choice"]["notes"]


def test_another_spelling_of_the_name_is_the_same_relation(shop: Any) -> None:
    shop.sql(
        "CREATE SCHEMA IF NOT EXISTS spelling", "CREATE TABLE IF NOT EXISTS spelling.orders AS SELECT 1 AS id"
    )
    try:
        found = shop.cli("value", "--tables", "spelling.orders", "Spelling.ORDERS")
    finally:
        shop.sql("DROP SCHEMA IF EXISTS spelling CASCADE")

    assert SAME in found.out


def test_names_without_a_schema_are_those_of_their_target(cli: Any, tmp_path: Path) -> None:
    file = tmp_path / "shop.duckdb"
    outputs = {name: {"type": "duckdb", "path": str(file), "schema": name} for name in ("dev", "prod")}
    profiles = {"shop": {"target": "dev", "outputs": outputs}}
    (tmp_path / "profiles.yml").write_text(json.dumps(profiles), encoding="utf-8")
    with duckdb.connect(str(file)) as session:
        for name, rows in (("dev", 1), ("prod", 2)):
            session.execute(f"CREATE SCHEMA {name}; CREATE TABLE {name}.t AS FROM range({rows})")
    connected = ("--profiles-dir", str(tmp_path), "--profile", "shop", "--format", "json")

    ran = cli("row-count", "--tables", "t", "t", "--base-target", "prod", *connected)

    (count,) = json.loads(ran.out)["results"][0]["counts"]
    assert (count["base"], count["current"]) == (2, 1)


def test_a_function_refuses_nodes_of_one_relation(parsed: Any) -> None:
    folder = parsed.cli.folder
    ((base, current),) = node_pairs(None, "orders", f"path:{folder}/base", f"path:{folder}/current")

    with UnifiedSqlAdapter.from_url(parsed.url) as adapter, pytest.raises(UsageError, match=SAME):
        value_diff(adapter, base, current)


@pytest.mark.with_store
def test_counts_of_another_time_are_compared(parsed: Any) -> None:
    assert parsed.cli("record", "-e", "base", "--target-path", "base", "--stats", "row-count").code == 0
    assert parsed.cli("record", "-e", "current", "--target-path", "current").code == 0
    parsed.sql("""INSERT INTO {base}."orders" VALUES (2, 'b')""")

    ran = parsed.cli("diff", "base", "current", "--data", "--format", "json")

    results = json.loads(ran.out)["data"]
    (counts,) = (one["counts"] for one in results if one["type"] == "row_count_diff")
    assert [(count["base"], count["current"]) for count in counts] == [(1, 2)]
    assert {one["reason"] for one in results if one["type"] == "not_compared"} == {SAME}


@pytest.mark.with_store
def test_a_recorded_build_of_the_version_is_enough(parsed: Any) -> None:
    for side in ("base", "current"):
        results(parsed, side, "build")
        assert parsed.cli("record", "-e", side, "--target-path", side).code == 0
        results(parsed, side, "generate")
        assert parsed.cli("record", "-e", side, "--target-path", side).code == 0

    ran = parsed.cli("row-count", "orders", "--base", "base", "--current", "current", "--live")

    assert ran.code == 0, ran.err
    assert "No build" not in ran.out


@pytest.mark.cases(1)
@pytest.mark.with_store
@pytest.mark.parametrize("is_edited", [False, True])
def test_tests_after_a_recorded_build_do_not_hide_it(parsed: Any, *, is_edited: bool) -> None:
    path = parsed.cli.folder / "current" / "manifest.json"
    for command in ("build", "test"):
        results(parsed, "current", command)
        assert parsed.cli("record", "-e", "current", "--target-path", "current").code == 0
        # dbt compiles only what it tests.
        manifest = json.loads(path.read_text())
        (entry,) = manifest["nodes"].values()
        entry.pop("compiled_code", None)
        entry["raw_code"] += " -- edited" if is_edited else ""
        path.write_text(json.dumps(manifest))

    ran = parsed.cli("row-count", "orders", "--base", "path:base", "--current", "current", "--live")

    assert ran.code == 0, ran.err
    said = " ".join(ran.out.split())
    assert ("No build of base and current is recorded" in said) is is_edited
    assert "No build of base" in said


@pytest.mark.parametrize(("command", "is_partial"), [("build", True), ("compile", False)])
def test_a_build_with_a_part_of_the_rows_is_named(parsed: Any, command: str, is_partial: bool) -> None:
    results(parsed, "base", "build")
    results(parsed, "current", command, empty=True)

    ran = parsed.cli("row-count", "orders", *SIDES)

    text = " ".join(ran.out.split())
    assert ("Current was run with --empty: its tables may lack rows" in text) is is_partial
    assert ("No build of current is recorded" in text) is not is_partial


def results(shop: Any, side: str, command: str, **options: bool) -> None:
    """Write run_results.json of *command* with *options*."""
    path = shop.cli.folder / side / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["metadata"]["invocation_id"] = f"{side}-{command}"
    path.write_text(json.dumps(manifest))
    metadata = {
        **manifest["metadata"],
        "dbt_schema_version": "https://schemas.getdbt.com/dbt/run-results/v6.json",
    }
    result = {"unique_id": "model.shop.orders", "status": "success", "execution_time": 0.1, "timing": []}
    document = {
        "metadata": metadata,
        "results": [result],
        "args": {"which": command, **options},
        "elapsed_time": 1,
    }
    (shop.cli.folder / side / "run_results.json").write_text(json.dumps(document))
