"""`diff` as users and CI jobs call it: selections, formats, artifacts on disk, conditions."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.models.graph_view import INDIRECT
from scripts.drawings import label_of, read_svg


def changed(ran: Any) -> dict[str, str]:
    """Status by name of what a diff in JSON says has changed."""
    assert ran.code == 0, ran.err
    return {
        change["name"]: change["status"]
        for change in json.loads(ran.out)["changes"]
        if change["status"] != "unchanged"
    }


def paths(project: Path) -> list[str]:
    return [f"path:{project / 'target-base'}", f"path:{project / 'target'}"]


MODELS = {
    "customer_segments": "added",
    "customers": "modified",
    "orders": "modified",
    "payment_mix": "removed",
    "store_performance": "modified",
}


def test_without_arguments_it_compares_base_with_current(store: Any) -> None:
    bare, named = store("diff"), store("diff", "base", "current")

    assert (bare.code, bare.err) == (0, "")
    assert bare.out.replace("  latest run of base", "").replace("  latest run of current", "") == named.out


@pytest.mark.extensive
def test_each_format_tells_the_same_changes(store: Any) -> None:
    text, as_json, markdown = (store("diff", "--format", style) for style in ("table", "json", "markdown"))

    assert changed(as_json).items() >= MODELS.items()
    for name in MODELS:
        assert name in text.out
        assert name in markdown.out
    assert "mermaid" in markdown.out


def test_swapping_the_sides_swaps_added_and_removed(store: Any) -> None:
    swapped = changed(store("diff", "current", "base", "--format", "json"))

    assert swapped["payment_mix"] == "added"
    assert swapped["customer_segments"] == "removed"


def test_a_run_is_not_compared_with_itself(store: Any) -> None:
    ran = store("diff", "base", "latest~1")

    assert (ran.code, ran.out) == (2, "")
    assert "--base is 'base', --current is 'latest~1'" in ran.err


def test_artifacts_on_disk_need_no_store_and_no_profile(cli: Any, project: Path) -> None:
    ran = cli("diff", *paths(project), "--format", "json")

    assert changed(ran).items() >= MODELS.items()
    assert ran.err == ""


def test_plain_and_gzipped_artifacts_and_files_give_the_same_diff(cli: Any, project: Path) -> None:
    for file in (project / "target").iterdir():
        (project / "target" / file.stem).write_bytes(gzip.decompress(file.read_bytes()))
        file.unlink()

    folders = changed(cli("diff", *paths(project), "--format", "json"))
    base, current = paths(project)
    files = cli("diff", f"{base}/manifest.json.gz", f"{current}/manifest.json", "--format", "json")

    assert folders.items() >= MODELS.items()
    assert changed(files).items() >= MODELS.items()


def test_a_stored_run_is_compared_with_artifacts_on_disk(store: Any, project: Path) -> None:
    ahead = store("diff", "base", f"path:{project / 'target'}", "--format", "json")
    back = store("diff", f"path:{project / 'target'}", "base", "--format", "json")

    assert changed(ahead).items() >= MODELS.items()
    assert changed(back)["payment_mix"] == "added"


@pytest.mark.cases(2)
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["-s", "orders"], {"orders"}),
        (["--select", "orders", "--select", "payment_mix"], {"orders", "payment_mix"}),
        (["-s", "orders payment_mix"], {"orders", "payment_mix"}),
        (["-s", "resource_type:model"], set(MODELS)),
        (
            ["-s", "resource_type:model,orders+"],
            {"orders", "customers", "customer_segments", "store_performance"},
        ),
        (["-s", "resource_type:model", "--exclude", "orders+"], {"payment_mix"}),
        (["-s", "orders", "payment_mix"], {"orders", "payment_mix"}),
        (["--exclude", "resource_type:test", "resource_type:exposure", "orders+"], {"payment_mix"}),
    ],
)
def test_nodes_are_chosen_in_dbts_grammar(store: Any, options: list[str], expected: set[str]) -> None:
    assert set(changed(store("diff", *options, "--format", "json"))) == expected


def test_a_selection_that_names_nothing_is_not_passed_off_as_no_change(store: Any) -> None:
    ran = store("diff", "-s", "ordres")

    assert ran.code == 0
    assert "The selection matches no node of either run" in ran.out


def test_like_dbt_gives_dbts_own_answer(store: Any) -> None:
    ours = changed(store("diff", "--format", "json"))
    dbts = changed(store("diff", "--like-dbt", "--format", "json"))

    assert "stg_stores" not in ours  # only its formatting changed
    assert dbts["stg_stores"] == "modified"
    assert "payment_mix" not in dbts  # state:modified knows no removed nodes


def test_state_selectors_compare_the_two_runs(store: Any) -> None:
    new = changed(store("diff", "-s", "state:new,resource_type:model", "--format", "json"))

    assert new == {"customer_segments": "added"}


@pytest.mark.cases(2)
@pytest.mark.parametrize(
    ("conditions", "code"),
    [
        ("removed", 1),
        ("columns", 1),
        ("any", 1),
        ("relation,macros", 0),
        ("breaking", 1),
        ("partial_breaking", 1),
        ("unknown", 0),
        (" Removed , columns", 1),
    ],
)
def test_conditions_decide_the_exit_code_and_the_diff_is_printed_all_the_same(
    store: Any, conditions: str, code: int
) -> None:
    ran = store("diff", "--fail-on", conditions)

    assert ran.code == code
    assert "4 modified · 6 added (5 tests) · 1 removed" in ran.out
    assert ran.err.startswith("error: --fail-on" if code else "") and bool(ran.err) == bool(code)


@pytest.mark.extensive
def test_every_format_says_what_breaks_and_whom_it_reaches(store: Any) -> None:
    text, markdown, html, as_json = (
        store("diff", "--format", style).out for style in ("table", "markdown", "html", "json")
    )
    document = json.loads(as_json)
    orders = next(change for change in document["changes"] if change["name"] == "orders")
    revenue = next(impact for impact in document["impacted"] if impact["name"] == "daily_revenue")

    assert (orders["category"], [column["name"] for column in orders["columns"]]) == (
        "partial_breaking",
        ["amount"],
    )
    assert (revenue["reach"], revenue["columns"]) == ("columns", ["revenue"])
    assert document["summary"]["categories"] == {
        "none": 0,
        "non_breaking": 2,
        "partial_breaking": 2,
        "breaking": 1,
        "unknown": 0,
    }
    assert "daily_revenue (revenue)" in text
    assert "partial breaking: values of `amount` change" in markdown
    assert "`daily_revenue` (`revenue`)" in markdown
    for told in ("partial breaking", "breaking", "of 10 downstream nodes affected"):
        assert told in html


def test_dbts_notion_of_a_change_knows_no_effects(store: Any) -> None:
    document = json.loads(store("diff", "--like-dbt", "--format", "json").out)

    assert {change["category"] for change in document["changes"]} == {None}
    assert document["summary"]["impacted"] == document["summary"]["downstream"] > 0


def test_conditions_look_at_selected_nodes_alone(store: Any) -> None:
    assert store("diff", "--fail-on", "removed", "-s", "orders").code == 0


@pytest.mark.parametrize("conditions", ["", " , "])
def test_an_empty_condition_is_no_silent_pass(store: Any, conditions: str) -> None:
    ran = store("diff", "--fail-on", conditions)

    assert ran.code == 2
    assert ran.err.startswith("error: Missing condition in --fail-on\nhint: use one of: added, removed")


def test_a_misspelt_condition_is_told_with_the_nearest(store: Any) -> None:
    ran = store("diff", "--fail-on", "added,remved")

    assert ran.code == 2
    assert ran.err == "error: Unknown condition 'remved' in --fail-on\nhint: did you mean 'removed'?\n"


def test_a_file_receives_the_report_and_the_exit_code_stays(store: Any) -> None:
    ran = store("diff", "--format", "markdown", "-o", "comment.md", "--fail-on", "removed")

    assert (ran.code, ran.out) == (1, "")
    assert (store.folder / "comment.md").read_text("utf-8") == store("diff", "--format", "markdown").out


def test_two_projects_are_not_compared(cli: Any, project: Path) -> None:
    other = Path(__file__).parents[1] / "data" / "artifacts" / "generated" / "jaffle_ext_full" / "dbt_1.10"
    shutil.copytree(other, cli.folder / "other")

    ran = cli("diff", paths(project)[0], "path:other")

    assert ran.code == 2
    assert ran.err.startswith(
        "error: Runs of different projects cannot be compared: 'jaffle_shop' and 'jaffle_ext'\nhint: "
    )
    assert "`name: jaffle_ext` in dbt_project.yml" in ran.err


def test_an_environment_of_another_project_is_said_to_be(store: Any) -> None:
    ran = store("diff", "base", "current", "--project", "new_shop")

    assert ran.code == 2
    assert "current has no run of project 'new_shop', but of 'jaffle_shop'\nhint: " in ran.err
    assert "`name: new_shop` in dbt_project.yml" in ran.err


@pytest.mark.cases(2)
@pytest.mark.parametrize("selection", ["ordrs", "+ordrs", "state:modified,ordrs", "tag:nightlyy"])
def test_a_gate_on_a_selection_of_nothing_is_an_error(cli: Any, project: Path, selection: str) -> None:
    shop = cli.within(project)
    sides = ("diff", "path:target-base", "path:target", "--select", selection)

    ran = shop(*sides, "--fail-on", "breaking")

    assert ran.code == 2 and "The selection matches no node of either run" in ran.err
    assert ("did you mean 'orders'" in ran.err) == ("ordrs" in selection)
    assert "--allow-empty" in ran.err
    assert shop(*sides, "--fail-on", "breaking", "--allow-empty").code == 0
    assert shop(*sides).code == 0


@pytest.mark.parametrize("selection", ["state:modified,customers", "state:new", "result:error"])
def test_a_gate_on_a_state_in_which_no_node_is_passes(cli: Any, project: Path, selection: str) -> None:
    shutil.copytree(project / "target-base", project / "again")
    sides = ("path:target-base", "path:again")

    assert cli.within(project)("diff", *sides, "--select", selection, "--fail-on", "any").code == 0


def test_a_drawing_has_every_edge_between_the_nodes_that_it_shows(store: Any) -> None:
    page = store("diff", "base", "current", "--format", "html").out
    sql = "SELECT DISTINCT parent_id, node_id FROM recce_metadata.lineage"
    with UnifiedSqlAdapter.from_url(f"duckdb:///{store.folder / 'store.duckdb'}") as adapter:
        edges = {tuple(row) for row in adapter.execute(sql)[1]}

    picture, _ = read_svg(page, {label_of(one): one for edge in edges for one in edge})
    drawn = {(parent, child) for parent, child, flags in picture.edges if not flags & INDIRECT}
    assert len(picture.labels) > 5
    assert drawn == {edge for edge in edges if {*edge} <= picture.labels.keys()}


def test_a_selected_node_below_another_change_is_not_called_unchanged(store: Any) -> None:
    found = {
        style: store("diff", "base", "current", "--select", "daily_revenue", "--format", style).out
        for style in ("table", "markdown", "html")
    }

    for text in found.values():
        assert "No changes found; the comparison is incomplete" in text
        assert "1 selected node is downstream of changes outside the selection" in text
    assert "✅" not in found["markdown"]
