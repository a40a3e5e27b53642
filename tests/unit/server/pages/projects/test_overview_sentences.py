"""Sentences and figures of the overview, the page of a project and the page of a run."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from msgspec.structs import replace

from recce_meta.api.browse.history import RunPoint
from recce_meta.api.browse.overview import ChangeCounts, EnvironmentState, StoreOverview
from recce_meta.api.browse.run import ResultCounts, RunDetails
from recce_meta.models import RunMetadata
from recce_meta.report.addresses import Addresses
from recce_meta.server.pages.projects.overview import by_harm, overview_sentence, store_size
from recce_meta.server.pages.projects.project import run_chart
from recce_meta.server.pages.runs.columns import change_phrase, tone_of
from recce_meta.server.pages.runs.run import compared_runs, run_sentence

NOW = datetime(2026, 11, 21, 12, tzinfo=timezone.utc)


def run(project: str = "shop", *, hours: float = 1, **fields: object) -> RunMetadata:
    given = {"run_id": f"{project}-{hours}", "environment": "prod", **fields}
    return RunMetadata(project_name=project, run_at=NOW - timedelta(hours=hours), **given)  # type: ignore[arg-type]


def state(found: RunMetadata, **fields: object) -> EnvironmentState:
    return EnvironmentState(run=found, run_count=1, **fields)  # type: ignore[arg-type]


def sentence(*states: EnvironmentState) -> str:
    return overview_sentence(StoreOverview(environments=states), NOW)


def test_the_first_sentence_counts_what_needs_attention() -> None:
    shop = state(run(build_status="failed", build_failures=2, build_errors=0))
    web = state(run("web", hours=30, build_status="success", build_failures=0))
    scan = state(run("db", extractor="database"))

    assert sentence() == "No runs are recorded"
    assert sentence(state(run())) == "1 project; no latest run has results of a build"
    assert sentence(web) == "1 project; nothing failed; 1 environment is stale"
    assert sentence(web, state(run())) == (
        "2 projects; nothing failed, but 1 environment lacks results of a build; 1 environment is stale"
    )
    assert sentence(shop, web) == "2 projects; 1 has failing tests; 1 environment is stale"
    assert sentence(shop, scan) == "1 project and 1 scanned database; 1 project has failing tests"
    assert sentence(scan) == "1 scanned database; nothing failed"
    assert sentence(replace(web, failing_checks=2)) == (
        "1 project; 1 has failing checks; 1 environment is stale"
    )


def test_a_failed_run_and_build_errors_are_named() -> None:
    found = sentence(
        state(run(build_errors=3), failed_run=run(status="failed")), state(run("web", build_errors=1))
    )

    assert found == "2 projects; 2 have build errors; the last run of 1 environment failed"


@pytest.mark.parametrize(
    ("size", "words"),
    [((0, 0), "0 projects"), ((2, 0), "2 projects"), ((0, 1), "1 scanned database")],
)
def test_zeros_are_left_out_of_the_size(size: tuple[int, int], words: str) -> None:
    assert store_size(*size) == words


def test_projects_with_failures_are_first() -> None:
    good, bad = state(run("a")), state(run("b", build_errors=1))

    assert by_harm({"a": [good], "b": [bad]}) == [[bad], [good]]


def test_changes_in_words() -> None:
    assert change_phrase(None) == "first run"
    assert change_phrase(ChangeCounts()) == "no changes"
    assert change_phrase(
        ChangeCounts.of({"added": 1, "modified": 1200, "rewritten": 2, "new status": 4})
    ) == ("1,200 modified, 1 added, 2 rewritten")


@pytest.mark.parametrize(
    ("status", "tone"), [("runtime error", "failed"), ("pass", "same"), ("warn", "changed"), ("no-op", "")]
)
def test_statuses_have_the_colours_of_the_reports(status: str, tone: str) -> None:
    assert tone_of(status) == tone


def details(found: RunMetadata, **fields: object) -> RunDetails:
    return RunDetails(run=found, counts={}, results=ResultCounts(by_status={}, seconds=0.0), **fields)  # type: ignore[arg-type]


def test_a_run_is_summarised_in_one_sentence() -> None:
    assert (
        run_sentence(details(run(build_status="success"))) == "Build succeeded; first run of this environment"
    )
    assert run_sentence(details(run(extractor="database"), changes=ChangeCounts(added=1))) == (
        "Scan complete; 1 added since the previous scan"
    )
    assert run_sentence(details(run(extractor="database"))) == "Scan complete; first scan of this scope"
    unread = details(run(build_errors=0), previous_run_id="p")
    unread = replace(unread, results=ResultCounts(by_status={"unknown": 1}, seconds=0.0))
    assert run_sentence(unread).startswith("No failure, but results with an unknown status; ")
    macros = details(run(), changes=ChangeCounts(), macros_differ=True)
    assert run_sentence(macros).endswith("no changes since the previous run, but macros differ")
    assert run_sentence(details(run(status="failed"))) == "The run failed: reason unknown"


def test_a_run_of_base_is_compared_with_the_previous_run_only() -> None:
    base = run(environment="base", hours=2)
    to = Addresses("s")

    both = compared_runs(to, details(run(), base=base, previous_run_id="p", previous_run_at=NOW))
    of_base = compared_runs(to, details(run(environment="base"), base=base, previous_run_id="p"))

    assert [address for _, address, _ in both] == [
        to.diff(base.run_id, run().run_id),
        to.diff("p", run().run_id),
    ]
    assert len(of_base) == 1


def point(nodes: int, changes: ChangeCounts | None, seconds: float | None = None) -> RunPoint:
    results = None if seconds is None else ResultCounts(by_status={"success": 1}, seconds=seconds)
    status = None if seconds is None else "success"
    found = run(node_count=nodes, build_failures=0, build_status=status)
    return RunPoint(run=found, changes=changes, results=results)


def test_bars_are_in_proportion_and_stacked_from_the_bottom() -> None:
    points = [point(100, None, 4.0), point(50, ChangeCounts(added=3, modified=1), None)]
    nodes, changes, work, failures = run_chart(points)

    assert [bar.parts for bar in nodes.bars] == [(("current", 0.0, 100.0),), (("current", 50.0, 50.0),)]
    assert changes.bars[0].parts == ()
    assert changes.bars[1].parts == (("changed", 75.0, 25.0), ("added", 0.0, 75.0))
    assert changes.bars[1].title.endswith(": 1 modified, 3 added")
    assert [chart.bars[0].title.rpartition(": ")[2] for chart in (changes, work)] == ["first run", "4.0 s"]
    assert [chart.bars[1].title.rpartition(": ")[2] for chart in (work, failures)] == ["unknown"] * 2
    assert work.label.endswith("from 4.0 s to 4.0 s, last unknown, unknown in 1 run")
    assert work.bars[1].parts == ()
    assert failures.highest == "0"
    assert nodes.label == "Number of nodes in 2 runs: from 50 to 100, last 50"


def test_one_run_has_no_chart() -> None:
    assert run_chart([point(1, ChangeCounts())]) == []


def test_what_is_unknown_of_all_runs_has_no_chart_and_moved_nodes_are_changes() -> None:
    charts = run_chart([point(1, None), point(1, ChangeCounts(moved=2))])

    assert [chart.name for chart in charts] == ["Nodes", "Changes"]
    assert charts[1].bars[1].title.endswith(": 2 moved")
