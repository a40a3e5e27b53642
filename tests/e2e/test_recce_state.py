"""`import recce_state.json`: a state of recce becomes runs, data diffs and results of checks, once."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.models.checks import StoredCheck
from recce_meta.store.check_results import list_checks
from recce_meta.store.data_diffs import list_data_diffs

pytestmark = pytest.mark.extensive

RECORDED = Path(__file__).resolve().parents[1] / "data" / "recce" / "jaffle_shop"


def recorded() -> dict[str, Any]:
    """The state as recce wrote it, with the artifacts of the same project."""
    state: dict[str, Any] = json.loads((RECORDED / "recce_state.json").read_text(encoding="utf-8"))
    for side, folder in (("base", "target-base"), ("current", "target")):
        for name in ("manifest", "catalog"):
            packed = (RECORDED / folder / f"{name}.json.gz").read_bytes()
            state["artifacts"][side][name] = json.loads(gzip.decompress(packed))
    return state


@pytest.fixture(scope="module")
def whole() -> str:
    """The state as text."""
    return json.dumps(recorded())


class Imported:
    """A folder with a state and a store."""

    def __init__(self, cli: Any) -> None:
        self.cli, self.folder = cli, cli.folder
        self.url = f"duckdb:///{cli.folder / 'store.duckdb'}"

    def load(self, text: str, *arguments: str) -> Any:
        """Import *text*."""
        (self.folder / "recce_state.json").write_text(text, encoding="utf-8")
        return self.cli("import", "recce_state.json", "--url", self.url, *arguments)

    def checks(self) -> dict[str, StoredCheck]:
        """The stored results by name."""
        with UnifiedSqlAdapter.from_url(self.url) as adapter:
            return {check.check_name: check for check in list_checks(adapter)}


@pytest.fixture
def imported(cli: Any) -> Imported:
    """Nothing imported yet."""
    return Imported(cli)


def test_runs_checks_and_results_are_taken_over_once(imported: Imported, whole: str) -> None:
    first, again = (imported.load(whole, "--format", "json") for _ in range(2))

    assert (first.code, again.code) == (0, 0), first.err + again.err
    found, repeated = json.loads(first.out), json.loads(again.out)
    assert [(run["run"]["environment"], run["is_new"]) for run in found["runs"]] == [
        ("base", True),
        ("current", True),
    ]
    assert (found["checks"], found["new_checks"], found["data_diffs"], found["new_data_diffs"]) == (
        15,
        15,
        26,
        26,
    )
    assert (repeated["new_checks"], repeated["new_data_diffs"]) == (0, 0)
    assert not any(run["is_new"] for run in repeated["runs"])
    assert [(one["what"], one["name"]) for one in found["left_out"]] == [
        ("run", "Query of stg_stores (query)"),
        ("run", "Query diff of daily_revenue (query_diff)"),
        ("run", "Query diff of customers (query_diff)"),
        ("run", "Value diff detail of orders (value_diff_detail)"),
        ("run", "Query of nowhere (query)"),
        ("check", "Schema of what changed (schema_diff)"),
        ("check", "Lineage (lineage_diff)"),
    ]
    assert all(one["reason"] for one in found["left_out"])


def test_stored_figures_are_recces_with_its_times(imported: Imported, whole: str) -> None:
    assert imported.load(whole).code == 0
    state, checks = json.loads(whole), imported.checks()
    runs = {run["check_id"]: run for run in state["runs"]}

    with UnifiedSqlAdapter.from_url(imported.url) as adapter:
        diffs = {
            (diff.parameters["recce_run_id"], diff.subject_name): diff for diff in list_data_diffs(adapter)
        }
    for check in state["checks"]:
        stored = checks[check["name"]]
        assert stored.origin == "recce 1.69.1"
        run = runs.get(check["check_id"])
        when = run["run_at"] if run else check["updated_at"]
        assert stored.checked_at.strftime("%Y-%m-%dT%H:%M:%SZ") == when
        if check["type"] == "row_count_diff":
            for name, figures in run["result"].items():
                headline = diffs[run["run_id"], name].headline
                assert (headline.base_rows, headline.current_rows) == (figures["base"], figures["curr"])
        if check["type"] == "value_diff":
            headline = diffs[run["run_id"], check["params"]["model"]].headline
            added, removed = run["result"]["summary"]["added"], run["result"]["summary"]["removed"]
            assert (headline.added_rows, headline.removed_rows) == (added, removed)
            assert headline.is_equal is False


def test_statuses_and_differences_are_those_of_recces_summary(imported: Imported, whole: str) -> None:
    imported.load(whole)
    checks = imported.checks()

    differing = {name for name, check in checks.items() if check.differing_nodes}
    shown = (RECORDED / "summary.md").read_text(encoding="utf-8").partition("### Checks")[2]
    mismatched = {line.split("|")[1].strip() for line in shown.splitlines() if line.count("|") > 3}
    # recce compares schemas when it writes the summary, and stores no result.
    assert differing == {name for name in mismatched if name in checks} - {"Schema of what changed"}
    assert (checks["Broken"].status, checks["Lineage"].status) == ("error", "skipped")


def test_a_run_of_an_unknown_type_is_an_error_and_a_run_without_a_time_is_listed(
    imported: Imported, whole: str
) -> None:
    state = json.loads(whole)
    names = {check["check_id"]: check["name"] for check in state["checks"]}
    unknown, undated = [run for run in state["runs"] if run["check_id"] in names and run.get("result")][:2]
    unknown["type"], undated["run_at"] = "crystal_ball", "yesterday"

    ran = imported.load(json.dumps(state), "--format", "json")

    assert ran.code == 0, ran.err
    checks = imported.checks()
    assert checks[names[unknown["check_id"]]].status == "error"
    assert "does not support this type" in checks[names[unknown["check_id"]]].message
    stored = checks[names[undated["check_id"]]].checked_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert stored == state["metadata"]["generated_at"]
    listed = {one["what"]: one for one in json.loads(ran.out)["left_out"]}
    assert undated["name"] in listed["time"]["name"]
    assert "'yesterday' is not a time" in listed["time"]["reason"]


def test_no_row_of_the_data_is_stored_with_checks(imported: Imported, whole: str) -> None:
    imported.load(whole)

    text = str(imported.checks())
    assert "Hamburg" in whole
    assert "Hamburg" not in text
    assert "7644.20" not in text


def test_checks_become_a_file_that_check_run_reads(imported: Imported, whole: str) -> None:
    assert imported.load(whole, "--checks", "checks.yml").code == 0

    written = yaml.safe_load((imported.folder / "checks.yml").read_text(encoding="utf-8"))["checks"]
    state = json.loads(whole)
    assert [check["name"] for check in written] == [check["name"] for check in state["checks"]]
    ran = imported.cli("check", "run", "checks.yml", "--format", "json", "--url", imported.url)
    results = {check["name"]: check for check in json.loads(ran.out)["checks"]}
    assert "unknown field" not in ran.out
    assert "nodes changed" in results["Lineage"]["message"]


def edited(change: Callable[[Any], object]) -> str:
    state = recorded()
    change(state)
    return json.dumps(state)


DAMAGED: dict[str, tuple[Callable[[], str], str]] = {
    "truncated": (lambda: json.dumps(recorded())[:-100], "it is not valid JSON"),
    "another version": (
        lambda: edited(lambda state: state["metadata"].update(schema_version="v7")),
        "it has version 'v7' of recce's state",
    ),
    "runs are not a list": (
        lambda: edited(lambda state: state.update(runs=5)),
        "not a complete state of recce",
    ),
    "no type": (lambda: edited(lambda state: state["runs"][0].pop("type")), "missing required field `type`"),
    "another result": (
        lambda: edited(lambda state: state["runs"][0].update(result={"orders": 5})),
        "is not in recce's format",
    ),
    "no artifacts": (
        lambda: edited(lambda state: state.update(artifacts={"base": {}, "current": {}})),
        "it has no artifacts",
    ),
    "a damaged manifest": (
        lambda: edited(lambda state: state["artifacts"]["base"].update(manifest={"nodes": 5})),
        "artifacts of base",
    ),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_state_is_an_error_that_says_what_is_wrong(imported: Imported, case: str) -> None:
    text, message = DAMAGED[case]
    ran = imported.load(text())

    assert ran.code == 3, ran.out
    assert message in ran.err
    assert "Traceback" not in ran.err
    assert len(ran.err.splitlines()) <= 2


def test_a_state_without_base_is_imported_with_its_current_run(imported: Imported) -> None:
    ran = imported.load(edited(lambda state: state["artifacts"].update(base={})))

    assert ran.code == 0, ran.err
    assert "artifact  base" in ran.out
    assert {check.base_run_id for check in imported.checks().values()} == {None}


def test_options_that_do_not_go_together_are_refused(imported: Imported, whole: str) -> None:
    (imported.folder / "other.json").write_text("{}")

    assert imported.load(whole, "other.json").code == 2
    assert imported.cli("import", "other.json", "--checks", "c.yml", "--url", imported.url).code == 2
