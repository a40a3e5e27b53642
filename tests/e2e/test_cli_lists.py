"""Lists as CSV and TSV: every command's columns, read by Python's and DuckDB's own readers."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest

import recce_meta as api
from recce_meta import UnifiedSqlAdapter
from recce_meta.api.public.data import DATA
from recce_meta.models import Check, NodeResult, RunMetadata
from recce_meta.models.quality import QualityRun
from recce_meta.report.tabular.data import CELLS
from recce_meta.report.tabular.delimited import delimited
from recce_meta.tables.data import REMARKS, SUBJECT, data_types
from recce_meta.tables.results import CHANGES, CHECKS, IMPACT, LINEAGE, QUALITY, QUALITY_FIGURES
from recce_meta.tables.rows import field_types
from tests.contract.server.small_store import copy_demo

pytestmark = pytest.mark.extensive

OF_CELLS = {**SUBJECT, **CELLS, **REMARKS}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's file, with the data of both runs."""
    return copy_demo(tmp_path_factory, tmp_path_factory.mktemp("demo"))


@pytest.fixture
def shop(cli: Any, demo: Path) -> Any:
    return cli.within(RECCE_META_URL=f"duckdb:///{demo}")


def rows(text: str, separator: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=separator, strict=True))


LISTS: list[tuple[list[str], Mapping[str, type], int]] = [
    (["runs"], field_types(RunMetadata), 2),
    (["prune", "--keep-last", "0", "--dry-run"], field_types(RunMetadata), 2),
    (["show"], field_types(NodeResult), 1),
    (["lineage", "orders"], LINEAGE, 5),
    (["impact", "orders.amount"], IMPACT, 3),
    (["diff"], CHANGES, 5),
    (["diff", "--data"], {**CHANGES, **DATA}, 5),
    (["doctor"], field_types(Check), 4),
    (["row-count"], data_types("row_count_diff"), 4),
    (["schema", "orders"], data_types("schema_diff"), 3),
    (["schema", "orders", "--stored"], data_types("schema_diff"), 3),
    (["value", "orders"], data_types("value_diff"), 3),
    (["value", "orders", "--detail"], OF_CELLS, 10),
    (["profile", "orders", "-c", "amount"], data_types("profile_diff"), 1),
    (["top-k", "orders", "-c", "status"], data_types("top_k_diff"), 3),
    (["histogram", "orders", "-c", "amount"], data_types("histogram_diff"), 3),
    (
        ["query-diff", "select order_id, amount from {{ ref('orders') }}", "-k", "order_id"],
        OF_CELLS,
        10,
    ),
]


@pytest.mark.parametrize(("command", "columns", "least"), LISTS, ids=lambda one: str(one)[:40])
def test_a_list_has_stable_columns_in_both_formats(
    shop: Any, command: list[str], columns: Mapping[str, type], least: int
) -> None:
    as_csv, as_tsv = shop(*command, "--format", "csv"), shop(*command, "--format", "tsv")

    assert (as_csv.code, as_tsv.code) == (0, 0), as_csv.err
    found = rows(as_csv.out)
    assert list(found[0]) == list(columns) and len(found) >= least
    if command[0] != "doctor":  # durations differ
        assert rows(as_tsv.out, "\t") == found
    assert "\r" not in as_csv.out and not as_csv.out.startswith("\ufeff")


Function = Callable[[UnifiedSqlAdapter], Any]
TABLES: dict[str, tuple[list[str], Function]] = {
    "runs": (["runs"], lambda a: api.list_runs(a, status=None)),
    "show": (["show"], lambda a: api.show_run(a)),
    "diff": (["diff"], lambda a: api.diff_runs(a)),
    "diff --data": (["diff", "--data"], lambda a: api.diff_data(a)),
    "lineage": (["lineage", "orders"], lambda a: api.lineage(a, "orders")),
    "impact": (["impact", "orders.amount"], lambda a: api.impact(a, "orders.amount")),
    "schema": (["schema", "orders"], lambda a: api.schema_diff(a, *api.node_pairs(a, "orders")[0])),
    "value": (
        ["value", "orders", "--key", "order_id"],
        lambda a: api.value_diff(a, *api.node_pairs(a, "orders")[0], key="order_id"),
    ),
    "profile": (
        ["profile", "orders", "--live"],
        lambda a: api.profile_diff(a, *api.node_pairs(a, "orders")[0]),
    ),
    "histogram": (
        ["histogram", "orders", "-c", "amount"],
        lambda a: api.histogram_diff(
            a, *api.node_pairs(a, "orders")[0], scope=api.FigureScope(columns=("amount",))
        ),
    ),
}


@pytest.mark.extensive
@pytest.mark.parametrize("name", TABLES)
def test_a_list_is_the_table_of_the_function(
    shop: Any, demo: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    command, function = TABLES[name]
    monkeypatch.chdir(shop.folder)  # the branch of this checkout decides nothing
    with UnifiedSqlAdapter.from_url(f"duckdb:///{demo}") as adapter:
        ours = delimited(function(adapter).to_table(), "csv")
    ran = shop(*command, "--format", "csv")

    assert (ran.code, ran.out) == (0, ours)


@pytest.mark.extensive
def test_rows_agree_with_json(shop: Any) -> None:
    nodes = rows(shop("diff", "--format", "csv").out)
    document = json.loads(shop("diff", "--format", "json").out)
    changed = {one["unique_id"]: one["status"] for one in document["changes"] if one["status"] != "unchanged"}
    impacted = {one["unique_id"]: "impacted" for one in document["impacted"]}

    assert {one["unique_id"]: one["status"] for one in nodes} == changed | impacted
    values = rows(shop("value", "orders", "--format", "csv").out)
    (result,) = json.loads(shop("value", "orders", "--format", "json").out)["results"]
    assert [(one["column"], one["mismatched"]) for one in values] == [
        (one["name"], str(one["mismatched"])) for one in result["columns"]
    ]


def test_an_empty_list_has_its_header(shop: Any) -> None:
    ran = shop("value", "orders", "--exclude", "orders", "--detail", "--format", "csv")
    none = shop("diff", "-s", "no_such_node", "--format", "csv")

    assert none.code == 0 and none.out == ",".join(CHANGES) + "\n"
    assert "note: " in none.err
    assert ran.out.splitlines()[0].startswith("unique_id,node,")


def test_a_failed_comparison_is_a_row_with_its_reason(shop: Any) -> None:
    ran = shop("value", "orders", "customers", "--where", "amount > 0", "--format", "csv")
    found = {one["node"]: one for one in rows(ran.out)}

    assert ran.code == 3
    assert found["orders"]["column"] and "amount > 0" in found["orders"]["not_compared"]
    assert not found["customers"]["column"] and "amount" in found["customers"]["not_compared"]


def test_checks_and_their_violations(shop: Any) -> None:
    (shop.folder / "checks.yml").write_text(
        "checks:\n  - name: same rows\n    type: row_count_diff\n    params: {node_names: [orders]}\n"
        "    expect: {row_count_change: 0%}\n  - name: nothing\n    type: row_cont_diff\n",
        encoding="utf-8",
    )
    ran = shop("check", "run", "--format", "csv")
    found = rows(ran.out)

    assert ran.code == 2
    assert list(found[0]) == list(CHECKS)
    assert [one["name"] for one in found] == ["same rows", "nothing"]
    assert found[1]["status"] == "error" and found[1]["where"].endswith("checks.yml:6")
    refused = shop("diff", "--checks", "checks.yml", "--format", "csv")
    assert refused.code == 2 and "hint: use recce-meta check run FILE" in refused.err


@pytest.mark.extensive
def test_scans_and_quality(cli: Any) -> None:
    place = cli.within(RECCE_META_URL="duckdb:///shop.duckdb")
    with duckdb.connect(str(cli.folder / "shop.duckdb")) as connection:
        connection.execute(
            "CREATE TABLE film AS SELECT i AS id, CASE WHEN i = 1 THEN '' END AS title FROM range(3) t(i)"
        )
    first = place("scan", "--format", "csv")
    assert (first.code, first.out) == (0, ",".join(CHANGES) + "\n")
    assert "First scan" in first.err
    with duckdb.connect(str(cli.folder / "shop.duckdb")) as connection:
        connection.execute("ALTER TABLE film ADD COLUMN note TEXT")
    second = rows(place("scan", "--format", "csv").out)
    assert [(one["status"], one["name"], one["columns"]) for one in second] == [
        ("modified", "main.film", "note added")
    ]

    measured = place("quality", "film", "--format", "csv")
    assert measured.code == 0, measured.err
    figures = rows(measured.out)
    assert list(figures[0]) == list(QUALITY)
    assert {one["column"]: one["null_count"] for one in figures} == {"": "", "id": "0", "title": "2"} | {
        "note": "3"
    }
    history = rows(place("quality", "--history", "film", "--format", "csv").out)
    assert list(history[0])[-len(QUALITY_FIGURES) :] == list(QUALITY_FIGURES) and history[0]["name"] == "film"
    (run,) = rows(place("quality", "--history", "--format", "csv").out)
    assert list(run) == list(field_types(QualityRun)) and run["table_count"] == "1"


def test_values_survive_a_reader(cli: Any) -> None:
    texts = [
        "a,b",
        'say "x"',
        "line\nbreak",
        "tab\there",
        " blank ",
        "",
        "=1+1",
        "NULL",
        "é漢",
        "esc\x1b[31m",
    ]
    with duckdb.connect(str(cli.folder / "d.duckdb")) as connection:
        connection.execute("CREATE TABLE b (v TEXT)")
        connection.execute("CREATE TABLE c (v TEXT)")
        connection.executemany("INSERT INTO c VALUES (?)", [[text] for text in [*texts, None]])
    command = ("top-k", "--tables", "b", "c", "--k", "20", "--url", "duckdb:///d.duckdb", "-o")
    for style, separator in (("csv", ","), ("tsv", "\t")):
        assert cli(*command, f"out.{style}", "--format", style).code == 0
        path = cli.folder / f"out.{style}"
        options = "header = true, all_varchar = true, allow_quoted_nulls = false"
        found = duckdb.execute(
            f"SELECT value FROM read_csv(?, delim = ?, {options})", [str(path), separator]
        ).fetchall()
        shown = {text.replace("\x1b", "\\x1b") for text in texts}
        assert {value for (value,) in found} == shown
