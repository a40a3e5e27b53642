"""Pairs of runs that the server suggests."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from recce_meta.api.browse.diffs import suggested_pairs
from recce_meta.models.run import RunMetadata

NOW = datetime(2026, 11, 20, 8, tzinfo=timezone.utc)


def run(name: str, hours: int, environment: str, **fields: str) -> RunMetadata:
    """Return a run *hours* after the first."""
    return RunMetadata(
        run_id=name,
        run_at=NOW + timedelta(hours=hours),
        project_name=fields.pop("project", "shop"),
        environment=environment,
        **fields,  # type: ignore[arg-type]
    )


def pairs(*runs: RunMetadata) -> list[tuple[str, str, str]]:
    """Return reason, base and current of the pairs of *runs*, which are the oldest first."""
    found = suggested_pairs(list(reversed(runs)))
    return [(one.reason, one.base.run_id, one.current.run_id) for one in found]


def test_a_pull_request_is_compared_with_the_base_before_it() -> None:
    found = pairs(
        run("b1", 0, "base"),
        run("p1", 1, "ci", pull_request="7"),
        run("p2", 2, "ci", pull_request="7"),
        run("b2", 3, "base"),
    )

    assert found == [
        ("PR #7 against base", "b1", "p2"),
        ("last two runs of base", "b1", "b2"),
        ("last two runs of ci", "p1", "p2"),
    ]


def test_a_base_after_the_run_is_better_than_none() -> None:
    assert pairs(run("c", 0, "ci", branch="x"), run("b", 1, "base")) == [("branch x against base", "b", "c")]


def test_a_project_needs_no_base_and_no_branches() -> None:
    assert pairs(run("p", 0, "prod"), run("d", 1, "dev")) == [("dev against prod", "p", "d")]
    assert pairs(run("b", 0, "base"), run("c", 1, "current")) == [("current against base", "b", "c")]
    assert pairs(run("s", 0, "prod", extractor="database"), run("t", 1, "dev", extractor="database")) == []


def test_runs_of_several_projects_are_not_paired() -> None:
    assert pairs(run("b", 0, "base"), run("c", 1, "ci", branch="x", project="other")) == []


def test_a_pair_is_suggested_once() -> None:
    found = pairs(run("b", 0, "base"), run("c1", 1, "ci"), run("c2", 2, "ci", branch="x"), run("c3", 3, "ci"))

    assert found == [("branch x against base", "b", "c2"), ("last two runs of ci", "c2", "c3")]
