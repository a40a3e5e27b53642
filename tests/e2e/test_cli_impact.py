"""`recce-meta impact` of stored runs and of artifacts on disk."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ARTIFACTS = Path(__file__).parents[1] / "data" / "artifacts" / "generated" / "jaffle_ext_full" / "dbt_1.10"

WITHOUT_PARSER = """
import sys
sys.modules["sqlglot"] = sys.modules["recce_meta.extractors.project"] = None
from recce_meta.cli.main import run_command_line
sys.exit(run_command_line(sys.argv[1:]))
"""
"""The command where neither SQL nor artifacts can be parsed: a stored run need not wait for what does."""


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A target folder of a small shop that has everything: versions, ephemeral models, metrics."""
    folder = tmp_path / "target"
    folder.mkdir()
    for name in ("manifest.json", "catalog.json"):
        (folder / name).write_bytes(gzip.decompress((ARTIFACTS / f"{name}.gz").read_bytes()))
    return folder


@pytest.mark.extensive
def test_what_a_column_reaches_is_the_same_of_a_stored_run_and_of_its_artifacts(
    cli: Any, target: Path
) -> None:
    url = f"duckdb:///{target.parent / 'store.duckdb'}"
    assert cli("record", "--target-path", target, "--url", url).code == 0
    asked = ("impact", "raw_payments.AMOUNT", "--format", "json")

    stored = cli(*asked, "--url", url)
    on_disk = cli(*asked, "--run", f"path:{target}")

    assert (stored.code, stored.err) == (0, "")
    assert stored.out == on_disk.out
    # Only DuckDB is asked about a column, with its queries.
    alone = [sys.executable, "-c", WITHOUT_PARSER, "impact", "raw_payments", "--url", url]
    assert subprocess.run(alone, env=cli.variables, capture_output=True).returncode == 0
    document = json.loads(stored.out)
    assert (document["schema"], document["column"]) == ("recce_meta/impact/v1", "amount")
    reached = {node["name"]: node for node in document["nodes"]}
    (lifetime,) = reached["customers"]["columns"]
    assert (lifetime["name"], lifetime["distance"]) == ("customer_lifetime_value", 2)
    assert [source["column"] for source in lifetime["sources"]] == ["amount"]
    assert reached["customers"]["path"][1] == {
        "unique_id": "model.jaffle_ext.stg_payments",
        "column": "amount",
    }
    assert reached["weekly_dashboard"]["reach"] == ["unknown"]
    assert "not_null_orders_order_id" not in reached


def test_upstream_depth_and_markdown(cli: Any, target: Path) -> None:
    run = f"path:{target}"
    above = cli("impact", "customers.customer_lifetime_value", "--direction", "upstream", "--run", run)
    near = cli("impact", "stg_payments", "--depth", "1", "--format", "markdown", "--run", run)

    assert above.code == near.code == 0
    assert "  customer_lifetime_value ← stg_payments.amount  aggregated\n" in above.out
    assert "raw_payments" in above.out and "Downstream" not in above.out
    assert "```mermaid\n" in near.out and "`orders`" in near.out and "weekly_dashboard" not in near.out


def test_a_column_that_is_not_there_is_an_error_with_a_hint(cli: Any, target: Path) -> None:
    ran = cli("impact", "orders.amuont", "--run", f"path:{target}")

    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("error: model.jaffle_ext.orders has no column 'amuont'\nhint: did you mean 'am")


def test_a_run_without_columns_is_told_node_by_node_and_says_so(cli: Any, target: Path) -> None:
    manifest = json.loads((target / "manifest.json").read_text())
    for node in manifest["nodes"].values():
        node.pop("compiled_code", None)
    (target / "manifest.json").write_text(json.dumps(manifest))

    ran = cli("impact", "stg_payments.amount", "--run", f"path:{target}")

    assert ran.code == 0
    assert "orders  model  perhaps: not compiled: run dbt compile or build  confidence 50%\n" in ran.out
    assert ran.out.endswith("note: No columns are known downstream: whole nodes are listed\n")


def test_a_node_of_base_only_is_found_with_its_run(store: Any) -> None:
    ran = store("impact", "payment_mix")

    assert (ran.code, ran.out) == (2, "")
    assert (
        "error: Node 'payment_mix' not found\n" in ran.err
        and "hint: it is in base: add --run base" in ran.err
    )
    assert store("impact", "payment_mix", "--run", "base").code == 0
    assert "--run base" not in store("impact", "payment_mxi").err
