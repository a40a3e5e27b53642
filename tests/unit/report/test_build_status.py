"""A failed build is shown wherever a run is."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest
from msgspec.structs import replace

from recce_meta import report
from recce_meta.models import NodeResult, RunDiff, RunMetadata
from recce_meta.models.run import ChosenRun, RunChoice, with_build

AT = datetime(2026, 11, 20, 8, tzinfo=timezone.utc)
RUN = RunMetadata(run_id="base-1", run_at=AT, project_name="shop", environment="base", git_sha="a" * 40)
STATUSES = ("success", "error", "skipped", "skipped", "skipped", "skipped")
RESULTS = [NodeResult(unique_id=f"model.shop.m{n}", status=status) for n, status in enumerate(STATUSES)]
BROKEN = with_build(RUN, RESULTS)
TOLD = "build failed, 1 error, 4 skipped"
DIFF = RunDiff(
    base=BROKEN, current=replace(RUN, run_id="current-1", environment="current", git_dirty=True), changes=()
)


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ((), (None, None, None, None, None)),
        (("success", "pass"), ("success", 0, 0, 0, 0)),
        (("success", "warn", "skipped"), ("success", 0, 0, 1, 1)),
        (("fail", "warn"), ("failed", 0, 1, 1, 0)),
        (("runtime error", "partial success", "error"), ("failed", 3, 0, 0, 0)),
    ],
)
def test_a_build_is_counted_from_its_results(statuses: tuple[str, ...], expected: tuple[object, ...]) -> None:
    run = with_build(RUN, [NodeResult(unique_id=str(n), status=one) for n, one in enumerate(statuses)])
    counted = (run.build_errors, run.build_failures, run.build_warnings, run.build_skipped)
    assert (run.build_status, *counted) == expected


def test_every_format_of_a_diff_shows_a_failed_build() -> None:
    assert f"? Base: {TOLD}\n" in report.diff_text(DIFF, width=80, color=False)
    assert f"❔ Base: {TOLD}" in report.diff_markdown(DIFF)
    assert f"Base: {TOLD}" in report.html_report("Diff", DIFF, (), None)
    base = json.loads(report.diff_json(DIFF))["base"]
    assert (base["build_status"], base["build_errors"], base["build_skipped"]) == ("failed", 1, 4)


@pytest.mark.parametrize(
    ("command", "part"),
    [
        ("build --empty", "--empty"),
        ("run --sample --defer", "--sample"),
        ("build --defer", None),
        ("compile --empty", None),
        (None, None),
    ],
)
def test_every_format_of_a_diff_names_a_build_with_a_part_of_the_rows(
    command: str | None, part: str | None
) -> None:
    told = f"Current was run with {part or '--empty'}: its tables may lack rows"
    chosen = ChosenRun(run_id="current-1", selector=None, reason="latest run")
    # A data diff of both runs has the same note on its choice.
    choice = RunChoice(base=chosen, current=chosen, notes=(told,) if part else ())
    for found in (None, choice):
        diff = replace(DIFF, current=replace(DIFF.current, command=command), choice=found)
        pages = (
            report.diff_text(diff, width=80, color=False),
            report.diff_markdown(diff),
            report.html_report("Diff", diff, (), None),
        )
        assert [page.lower().count(told.lower()) for page in pages] == [1 if part else 0] * 3
        assert (told in report.diff_json(diff)) == bool(part)
        assert "the comparison is incomplete" not in "".join(pages)


def test_every_format_of_a_diff_explains_the_star() -> None:
    legend = "the code is not that of the commit"
    assert f"* {legend}" in report.diff_text(DIFF, width=80, color=False)
    for page in (report.diff_markdown(DIFF), report.html_report("Diff", DIFF, (), None)):
        assert legend in page
    clean = replace(DIFF, current=replace(DIFF.current, git_dirty=False))
    assert legend not in report.diff_text(clean, width=80, color=False)


def test_runs_and_show_tell_a_failed_build() -> None:
    for width in (200, 50):
        assert TOLD in report.runs_text([BROKEN], width=width, color=False)
    assert TOLD in report.runs_markdown([BROKEN])
    assert "failed, 1 error, 4 skipped" in report.run_text(BROKEN, {}, RESULTS, width=100, color=False)
    assert "failed, 1 error, 4 skipped" in report.run_markdown(BROKEN, {}, RESULTS)


def test_show_lists_the_warnings_of_a_run() -> None:
    run = replace(RUN, warnings=("run_results.json is of another project", "Nothing known of `x`"))
    text = report.run_text(run, {}, width=100, color=False)
    assert "Warnings\n  run_results.json is of another project\n" in text
    assert "**Warnings**" in report.run_markdown(run, {})
    assert json.loads(report.run_json(run, {}))["run"]["warnings"] == [*run.warnings]
