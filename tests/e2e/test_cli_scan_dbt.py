"""A database against what dbt's artifacts say of it: the demo's tables are real, and so are its runs."""

from __future__ import annotations

import json
from typing import Any

import duckdb
import pytest

DRIFT = """
SET schema = 'pr_42';
DROP TABLE customer_segments;
ALTER TABLE orders ALTER status TYPE INTEGER USING 1;
DROP TABLE daily_revenue;
CREATE VIEW daily_revenue AS SELECT 1 AS revenue;
CREATE TABLE backup_orders AS SELECT 1 AS order_id;
"""


@pytest.fixture
def demo(cli: Any) -> Any:
    """The command beside the demo's database, with both of dbt's runs and one scan in its store."""
    ran = cli("demo")
    assert ran.code == 0, ran.err
    cli = cli.within("recce-meta-demo", RECCE_META_URL="duckdb:///jaffle_shop.duckdb")
    ran = cli("scan", "--project", "warehouse", "--run-id", "before")
    assert ran.code == 0, ran.err
    return cli


def told(ran: Any) -> dict[str, str]:
    assert ran.code == 0, ran.err
    return {change["name"]: change["status"] for change in json.loads(ran.out)["changes"]}


def test_a_database_is_held_to_a_dbt_run_before_and_after_it_was_changed_by_hand(demo: Any) -> None:
    runs = json.loads(demo("runs", "--format", "json", "-e", "current", "--project", "jaffle_shop").out)[
        "runs"
    ]
    dbt = runs[0]["run_id"]
    untouched = demo("diff", dbt[:8], "before", "--format", "json", "--fail-on", "any")

    assert told(untouched) == {}
    notes = "\n".join(json.loads(untouched.out)["notes"])
    assert "13 relations of the database in schemas that the run does not use (prod)" in notes

    with duckdb.connect(str(demo.folder / "jaffle_shop.duckdb")) as database:
        database.execute(DRIFT)
    assert demo("scan", "--project", "warehouse", "--run-id", "after").code == 0

    assert told(demo("diff", dbt, "after", "--format", "json")) == {
        "customer_segments": "removed",
        "daily_revenue": "modified",
        "orders": "modified",
        "pr_42.backup_orders": "added",
    }
    assert told(demo("diff", "after", dbt, "--format", "json"))["customer_segments"] == "added"
    table = demo("diff", dbt, "after", "--fail-on", "removed")
    assert table.code == 1 and "column status: VARCHAR → INTEGER" in table.out
    assert "materialized: incremental → view" in demo("diff", dbt, "after", "--format", "markdown").out
    assert demo("diff", dbt, "after", "--fail-on", "breaking").code == 2
    assert demo("diff", dbt, "after", "--like-dbt").code == 2
    assert "no nodes in common" in demo("diff", dbt, "after", "--data").err
    before = told(demo("diff", "before", "after", "--format", "json"))
    assert before["pr_42.customer_segments"] == "removed"
