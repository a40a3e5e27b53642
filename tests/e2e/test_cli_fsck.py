"""`fsck` on the command line: what it prints, its exit codes, and what it does not write."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.e2e.conftest import Cli


@pytest.fixture
def shop(cli: Cli, project: Path, store: Any) -> Cli:
    """The command in a project whose store has a run of base and one of current."""
    shutil.copy(store.folder / "store.duckdb", project / "mine.duckdb")
    return cli.within(project, RECCE_META_URL="duckdb:///mine.duckdb")


def run_sql(shop: Cli, *statements: str) -> None:
    with duckdb.connect(str(shop.folder / "mine.duckdb")) as connection:
        for statement in statements:
            connection.execute(statement)


def test_a_sound_store(shop: Cli) -> None:
    found = shop("fsck")

    assert (found.code, found.err) == (0, "")
    assert found.out.startswith("No problems found; ")


def test_problems_are_shown_with_their_runs_and_repaired_where_possible(shop: Cli) -> None:
    run_sql(
        shop,
        "UPDATE recce_metadata.store_node_versions SET description = 'by hand' WHERE name = 'orders'",
        "UPDATE recce_metadata.store_node_versions SET compiled_hash = 'x' WHERE name = 'customers'",
        "DROP VIEW recce_metadata.metric_history",
    )

    found, again = shop("fsck"), shop("fsck", "--format", "json")
    repaired = shop("fsck", "--repair")
    rows = shop("fsck", "--format", "csv")

    assert found.code == again.code == repaired.code == rows.code == 1
    assert found.err == repaired.err == ""
    assert "relation: metric_history: the view is missing" in found.out
    assert "--repair creates the views again" in found.out
    assert "model.jaffle_shop.orders: its id does not match its contents (run" in found.out
    assert "repaired: metric_history: the view is missing" in repaired.out
    assert "model.jaffle_shop.customers: compiled_hash differs from its contents" in repaired.out
    left = json.loads(shop("fsck", "--format", "json").out)
    assert {one["kind"] for one in left["problems"]} == {"content"} and not left["is_sound"]
    assert json.loads(again.out)["problems"] != left["problems"]
    assert rows.out.splitlines()[0] == "kind,table,object_id,message,run_ids,repair"


@pytest.mark.extensive
def test_what_changes_no_answer_is_no_failure(shop: Cli) -> None:
    run_sql(
        shop,
        "INSERT INTO recce_metadata.store_run_results (run_id, unique_id, status) VALUES ('gone', 'a', 'b')",
    )

    found, repaired = shop("fsck"), shop("fsck", "--repair")

    assert (found.code, repaired.code) == (0, 0)
    assert "garbage: store_run_results: nothing refers to 1 row" in found.out
    assert "No problems found, 1 problem without effect on answers; " in found.out
    assert repaired.out.splitlines()[-1].startswith("No problems found; ")


def test_without_a_store(cli: Cli, tmp_path: Path) -> None:
    found = cli("fsck", "--url", f"duckdb:///{tmp_path}/none.duckdb")

    assert found.code == 3
    assert found.err.startswith("error: ") and "Traceback" not in found.err
