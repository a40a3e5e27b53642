"""Selectors of the runs of an exchange."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from recce_meta.errors import AmbiguousProject, RunNotFound, SelectorError
from recce_meta.models import RunMetadata
from recce_meta.models.run import FAILED
from recce_meta.sync.selection import newest_first, select_runs

NOW = datetime(2026, 11, 1, tzinfo=timezone.utc)


def run(run_id: str, days: int, environment: str = "base", **fields: object) -> RunMetadata:
    values = {"project_name": "shop", **fields}
    return RunMetadata(run_id=run_id, run_at=NOW - timedelta(days=days), environment=environment, **values)


RUNS = newest_first(
    [
        run("aa1", 1, git_sha="ABC1"),
        run("aa2", 2, branch="main"),
        run("bb1", 3, "ci", branch="fix", git_sha="abc2"),
        run("bb2", 4, "ci", branch="fix", status=FAILED),
        run("cc1", 5, "ci", project_name="bakery", branch="fix"),
        run("dd1", 0, "workspace:x"),
    ]
)


@pytest.mark.parametrize(
    ("selector", "project", "expected"),
    [
        ("aa1", None, {"aa1"}),
        ("cc", None, {"cc1"}),
        ("cc", "shop", {"cc1"}),
        ("base", None, {"aa1", "aa2"}),
        ("base~1", None, {"aa2"}),
        ("ci", None, {"bb1", "bb2", "cc1"}),
        ("ci", "bakery", {"cc1"}),
        ("branch:fix", None, {"bb1", "bb2", "cc1"}),
        ("branch:fix", "shop", {"bb1", "bb2"}),
        ("branch:fix~0", "shop", {"bb1"}),
        ("project:bakery", None, {"cc1"}),
        ("project:bakery", "shop", {"cc1"}),
        ("latest", "shop", {"aa1"}),
        ("latest~1", "shop", {"aa2"}),
        ("sha:abc1", None, {"aa1"}),
        ("before:2026-10-31", "shop", {"aa2"}),
        ("workspace:x", None, {"dd1"}),
    ],
)
def test_runs_that_a_selector_means(selector: str, project: str | None, expected: set[str]) -> None:
    assert select_runs(RUNS, [selector], project=project) == expected


def test_several_selectors_are_a_union() -> None:
    assert select_runs(RUNS, ["aa1", "ci~0", "branch:main"], project="shop") == {"aa1", "bb1", "aa2"}
    assert select_runs(RUNS, []) == set()


@pytest.mark.parametrize(
    ("selector", "error", "message"),
    [
        ("", SelectorError, "is empty"),
        ("branch:", SelectorError, "Missing value after 'branch:'"),
        ("before:soon", SelectorError, "Invalid date"),
        ("aa", SelectorError, "more than one run id"),
        ("sha:abc", SelectorError, "matches 2 commits"),
        ("latest", AmbiguousProject, "matches 2 projects"),
        ("base~7", RunNotFound, "only 2 of these runs"),
        ("bas", RunNotFound, "did you mean 'base'"),
        ("fix", RunNotFound, "did you mean 'branch:fix'"),
        ("bakery", RunNotFound, "did you mean 'project:bakery'"),
        ("branch:nope", RunNotFound, "not found"),
    ],
)
def test_selectors_without_a_meaning(selector: str, error: type[SelectorError], message: str) -> None:
    with pytest.raises(error) as caught:
        select_runs(RUNS, [selector])
    assert message in str(caught.value)


def test_hints_name_runs_of_the_project_only() -> None:
    with pytest.raises(RunNotFound, match="no runs to exchange"):
        select_runs(RUNS, ["base"], project="nope")
    with pytest.raises(RunNotFound) as caught:
        select_runs(RUNS, ["base"], project="bakery")
    assert caught.value.hint is not None and "ci" in caught.value.hint and "base" not in caught.value.hint


def test_without_runs_nothing_is_found() -> None:
    with pytest.raises(RunNotFound, match="no runs to exchange"):
        select_runs([], ["latest"])
