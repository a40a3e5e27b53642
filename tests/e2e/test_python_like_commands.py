"""Each function gives what its command prints: the JSON reports are equal."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import recce_meta as api
from recce_meta import UnifiedSqlAdapter, render_report
from recce_meta.cli.main import COMMANDS
from recce_meta.store.sql_files import DEFAULT_SCHEMA
from scripts.docs_python import FUNCTIONS
from tests.contract.server.small_store import copy_demo
from tests.e2e.conftest import Cli

pytestmark = pytest.mark.extensive

CHECKS = """
checks:
  - {name: orders, type: row_count_diff, params: {node_names: [orders]}}
  - {name: values, type: value_diff, params: {model: orders}, expect: {equal: true}}
"""
VARYING = ("seconds", "taken_at", "base_kept_at", "current_kept_at", "path", "where")
"""Fields that differ between two runs of one command."""

OF_RELATIONS = ("row-count", "schema", "value", "profile", "top-k", "histogram")
"""Functions that compare relations, which may be nodes of two runs."""

Case = tuple[list[str], Callable[[UnifiedSqlAdapter], Any]]
PROJECT = "jaffle_shop"
SAVED = api.ComparisonOptions(save=True)
CASES: dict[str, Case] = {
    "runs": (["runs"], lambda a: api.list_runs(a, status=None, limit=20)),
    "show": (["show", "base"], lambda a: api.show_run(a, "base")),
    "diff": (["diff"], lambda a: api.diff_runs(a)),
    "diff -s": (
        ["diff", "-s", "orders+", "--exclude", "customers"],
        lambda a: api.diff_runs(a, select="orders+", exclude="customers"),
    ),
    "diff --like-dbt": (
        ["diff", "--like-dbt"],
        lambda a: api.diff_runs(a, like_dbt=True),
    ),
    "diff --data": (["diff", "--data"], lambda a: api.diff_data(a)),
    "diff --data --no-values": (
        ["diff", "--data", "--no-values", "-s", "orders"],
        lambda a: api.diff_data(a, select="orders", options=api.ComparisonOptions(values=False)),
    ),
    "lineage": (
        ["lineage", "orders", "--run", "current", "--depth", "1"],
        lambda a: api.lineage(a, "orders", "current", depth=1),
    ),
    "lineage upstream": (
        ["lineage", "orders", "--upstream"],
        lambda a: api.lineage(a, "orders", direction="upstream"),
    ),
    "impact": (["impact", "stg_payments.amount"], lambda a: api.impact(a, "stg_payments.amount")),
    "notes": (["notes"], lambda a: api.list_notes(a)),
    "notes --history": (["notes", "orders", "--history"], lambda a: api.note_history(a, "orders")),
    "note": (
        ["note", "orders", "--author", "Bob"],
        lambda a: api.add_note(a, "orders", author="Bob"),
    ),
    "row-count": (
        ["row-count", "orders", "customers", "--live"],
        lambda a: api.row_count_diff(a, api.node_pairs(a, ["orders", "customers"])),
    ),
    "schema": (["schema", "orders"], lambda a: api.schema_diff(a, *api.node_pairs(a, "orders")[0])),
    "value": (
        ["value", "orders", "--key", "order_id"],
        lambda a: api.value_diff(a, *api.node_pairs(a, "orders")[0], key="order_id"),
    ),
    "profile": (
        ["profile", "orders", "--live"],
        lambda a: api.profile_diff(a, *api.node_pairs(a, "orders")[0]),
    ),
    "top-k": (
        ["top-k", "orders", "--columns", "status"],
        lambda a: api.top_k_diff(
            a, *api.node_pairs(a, "orders")[0], scope=api.FigureScope(columns=("status",))
        ),
    ),
    "histogram": (
        ["histogram", "orders", "--columns", "amount"],
        lambda a: api.histogram_diff(
            a, *api.node_pairs(a, "orders")[0], scope=api.FigureScope(columns=("amount",))
        ),
    ),
    "check run": (["check", "run", "checks.yml"], lambda a: api.run_checks(a, "checks.yml")),
    "prune": (
        ["prune", "--keep-last", "0", "--dry-run"],
        lambda a: api.prune(a, api.Retention(keep_last=0), dry_run=True),
    ),
    "fsck": (["fsck"], lambda a: api.fsck(a)),
    "doctor": (["doctor"], lambda a: api.doctor(a)),
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a demo, whose store and data are in one database, and a file of checks."""
    folder = tmp_path_factory.mktemp("demo")
    copy_demo(tmp_path_factory, folder)
    with UnifiedSqlAdapter.from_url(f"duckdb:///{folder / 'jaffle_shop.duckdb'}") as adapter:
        api.add_note(adapter, "orders", api.NoteEdit(text="one", tags="core", owners="Finance"), author="Ann")
        api.add_note(adapter, "orders", "two", author="Ann")
    (folder / "checks.yml").write_text(CHECKS, encoding="utf-8")
    return folder


@pytest.fixture
def copy(shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the shop, which is the current folder."""
    for path in shop.iterdir():
        shutil.copy(path, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def adapter(copy: Path) -> Iterator[UnifiedSqlAdapter]:
    """The connection to the copy."""
    with UnifiedSqlAdapter.from_url("duckdb:///jaffle_shop.duckdb") as adapter:
        yield adapter


def constant(tree: Any) -> Any:
    """*tree* without fields that vary."""
    if isinstance(tree, dict):
        return {name: constant(value) for name, value in tree.items() if name not in VARYING}
    return [constant(one) for one in tree] if isinstance(tree, list) else tree


@pytest.mark.parametrize("name", CASES)
def test_a_function_gives_what_its_command_prints(name: str, copy: Path, adapter: UnifiedSqlAdapter) -> None:
    arguments, function = CASES[name]
    ours = json.loads(render_report(function(adapter), "json"))
    adapter.close()
    ran = Cli(copy)(*arguments, "--url", "duckdb:///jaffle_shop.duckdb", "--format", "json")

    assert ran.code in (0, 1, 2), ran.err
    theirs = constant(json.loads(ran.out))
    if name in OF_RELATIONS:
        assert theirs.pop("choice"), "a command chooses runs; its function is given nodes"
    assert constant(ours) == theirs


@pytest.mark.parametrize("format", ["text", "markdown", "html"])
def test_a_report_is_that_of_the_command(format: str, copy: Path, adapter: UnifiedSqlAdapter) -> None:
    style = "table" if format == "text" else format
    # A report of a result reads no store, so it names no owners and shows no code.
    adapter.execute("DELETE FROM recce_metadata.store_annotation_events")
    ours = render_report(api.diff_runs(adapter), format)
    adapter.close()
    ran = Cli(copy)("diff", "--url", "duckdb:///jaffle_shop.duckdb", "--format", style)

    assert _without_code(ours.rstrip("\n")) == _without_code(ran.out.rstrip("\n"))


def _without_code(report: str) -> str:
    return re.sub(
        r'(<div class="panel" id="node-\d+-code">).*?(?=<div class="panel"|</article>)', r"\1", report
    )


def test_every_command_has_a_function_or_a_reason() -> None:
    assert FUNCTIONS.keys() == COMMANDS.keys()


def test_runs_on_disk_need_no_adapter(copy: Path) -> None:
    data = Path(api.__file__).parent / "demo_data"
    base, current = f"path:{data / 'base'}", f"path:{data / 'current'}"

    assert {change.name for change in api.diff_runs(None, base, current).changed} >= {"orders"}
    assert api.lineage(None, "orders", current).root == "model.jaffle_shop.orders"
    with pytest.raises(api.RecceMetaError, match="A recorded run requires an adapter"):
        api.diff_runs(None, "base", current)


def test_a_store_is_exported_copied_and_created(adapter: UnifiedSqlAdapter, copy: Path) -> None:
    written = api.export(adapter, copy / "tables", ["base", "current"], format="csv")
    assert {path.name for path in written} >= {"runs.csv", "nodes.csv"}
    with UnifiedSqlAdapter.from_url("duckdb:///other.duckdb") as other:
        assert api.init_store(other).action.value == "created"
        copied = api.copy_runs(adapter, other, ["base", "current"])
        assert [one.is_new for one in copied] == [True, True]
        again = api.import_run(other, api.export(adapter, copy / "base.json", "base")[0])
        assert not again.is_new
        assert api.diff_runs(other).to_dicts() == api.diff_runs(adapter).to_dicts()


def count(adapter: UnifiedSqlAdapter, table: str) -> int:
    """The number of rows of *table* in the store."""
    _, ((found,),) = adapter.execute(f"SELECT count(*) FROM {DEFAULT_SCHEMA}.{table}")
    assert isinstance(found, int)
    return found


def test_results_are_saved_with_the_runs(adapter: UnifiedSqlAdapter) -> None:
    api.diff_data(adapter, select="orders", options=SAVED)
    api.run_checks(adapter, "checks.yml", options=SAVED)

    assert count(adapter, "store_data_diffs") > 0
    assert count(adapter, "store_check_results") == 2
    with pytest.raises(api.RecceMetaError, match="save requires a recorded run"):
        api.diff_data(adapter, "path:a", "path:b", options=SAVED)


def test_a_failing_change_is_found_by_the_words_of_fail_on(adapter: UnifiedSqlAdapter) -> None:
    diff = api.diff_runs(adapter)

    assert [change.name for change in api.failing_changes(diff, "breaking")] == ["payment_mix"]
    assert api.failing_changes(diff, "contract").to_dicts() == []
    with pytest.raises(api.RecceMetaError, match="Unknown condition 'braking'") as raised:
        api.failing_changes(diff, "braking")
    assert raised.value.hint == "did you mean 'breaking' or 'partial_breaking'?"


def test_a_database_is_measured_with_plain_arguments(adapter: UnifiedSqlAdapter) -> None:
    options = api.MeasureOptions(fail_on="null_share > 99%", sample=50, private="status", values=False)
    result = api.measure_quality(adapter, "orders", options=options)

    assert result.quality.run.sample is not None and not result.quality.run.keeps_values
    assert {row["column"] for row in result.to_dicts()} >= {None, "order_id"}
    assert api.list_quality_runs(adapter)[0].quality_run_id == result.quality.run.quality_run_id
    assert len(api.quality_history(adapter, "orders").to_dicts()) == 1


def test_templates_are_rendered_and_sql_is_printed(adapter: UnifiedSqlAdapter) -> None:
    rendered = api.render_sql(adapter, "select * from {{ ref('orders') }}", "base")

    assert rendered.sql == 'select * from "jaffle_shop"."prod"."orders"'
    assert "CREATE" in api.store_sql("views", "duckdb", name="nodes").upper()
    with pytest.raises(api.RecceMetaError, match="Unknown kind of SQL 'view'"):
        api.store_sql("view", "duckdb")
    with pytest.raises(api.RecceMetaError, match="Unknown direction 'up'"):
        api.lineage(adapter, "orders", direction="up")
    with pytest.raises(api.RecceMetaError, match="Unknown format 'pdf'"):
        render_report(api.list_runs(adapter), "pdf")


@pytest.mark.parametrize("format", ["text", "markdown", "html", "json"])
def test_a_result_without_a_report_is_a_table_of_its_rows(format: str, adapter: UnifiedSqlAdapter) -> None:
    found = render_report(api.load_run(adapter, "base"), format, width=0)

    assert "model.jaffle_shop.orders" in found
    assert "<script" not in found
