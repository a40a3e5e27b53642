"""Default runs: which run a command compares or reads if no selector names one."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest

from recce_meta.api.base_check import check_base
from recce_meta.api.run_choice import RunDefaults, select_run, select_runs
from recce_meta.errors import ConfigurationError, RunNotFound, SelectorError, UsageError
from recce_meta.extractors.history import Distance, MergeBase
from recce_meta.models.run import Freshness

pytestmark = pytest.mark.core("sqlite")

START = datetime(2026, 11, 1, tzinfo=timezone.utc)
A, B, C, D = (letter * 40 for letter in "abcd")


@pytest.fixture
def recorded(recorded_store: Any, make_project: Any) -> Any:
    """Record runs `(id, environment, branch, commit)`, a day apart, and return the store."""

    def record(*rows: tuple[str, str, str | None, str | None], **fields: dict[str, Any]) -> Any:
        projects = []
        for day, (run_id, environment, branch, sha) in enumerate(rows):
            about = {"environment": environment, "branch": branch, "git_sha": sha}
            moment = START + timedelta(days=day)
            projects.append(make_project(run_id, run_at=moment, **{**about, **fields.get(run_id, {})}))
        return recorded_store(repr((rows, fields)), projects)

    return record


def defaults(
    branch: str | None = "feature/x",
    start: str | None = A,
    *,
    environment: str | None = None,
    base_branch: str | None = "main",
    sha: str | None = None,
    problem: str | None = None,
    number: str | None = None,
    changed: list[str] | None = None,
    distance: Distance | None = None,
) -> RunDefaults:
    history = SimpleNamespace(
        branch=branch,
        sha=sha,
        pull_request=number,
        is_on_base_branch=branch is not None and branch == base_branch and number is None,
        merge_base=MergeBase(sha=start, branch=base_branch, problem=problem),
        is_shallow=False,
        changed_code=lambda one, other: changed,
        distance=lambda one, other: distance,
    )
    return RunDefaults(history, environment)  # type: ignore[arg-type]


def chosen(
    store: Any, facts: RunDefaults, base: str | None = None, current: str | None = None, **options: Any
) -> tuple[str | None, str, str | None, str, tuple[str, ...]]:
    found = select_runs(lambda: store.adapter.at(store.schema), base, current, defaults=facts, **options)
    sides = found.choice.base, found.choice.current
    return (*(text for side in sides for text in (side.run_id, side.reason)), found.choice.notes)  # type: ignore[return-value]


HISTORY = (
    ("base-1", "base", "main", A),
    ("base-2", "base", "main", B),
    ("x-1", "pr-1", "feature/x", C),
    ("y-1", "current", "feature/y", D),
)


@pytest.mark.core("duckdb", "postgres", "sqlite")
def test_the_branch_is_compared_with_the_merge_base(recorded: Any) -> None:
    runs = chosen(recorded(*HISTORY), defaults())

    assert runs == ("base-1", "merge base aaaaaaa of main", "x-1", "branch feature/x", ())


def test_a_merge_base_that_is_not_recorded_falls_back_and_says_so(recorded: Any) -> None:
    *sides, notes = chosen(recorded(*HISTORY), defaults(start=D))

    assert sides == ["base-2", "latest run of base", "x-1", "branch feature/x"]
    assert notes == ("Merge base ddddddd of main is not recorded: base is the latest run of base",)


def test_an_unknown_merge_base_falls_back_and_says_why(recorded: Any) -> None:
    facts = defaults(start=None, problem="this shallow clone does not contain the merge base with main")
    *sides, notes = chosen(recorded(*HISTORY), facts)

    assert sides[:2] == ["base-2", "latest run of base"]
    assert notes[0].startswith("This shallow clone does not contain the merge base with main: base is")


def test_an_unknown_base_branch_is_reported(recorded: Any) -> None:
    facts = defaults(start=None, base_branch=None, problem="no base branch found")

    assert chosen(recorded(*HISTORY), facts)[4] == ("No base branch found: base is the latest run of base",)


def test_without_git_labels_decide(recorded: Any) -> None:
    runs = chosen(recorded(*HISTORY), defaults(None, None, base_branch=None))

    assert runs == ("base-2", "latest run of base", "y-1", "latest run of current", ())


def test_the_environment_of_the_variable_precedes_current(recorded: Any) -> None:
    store = recorded(*HISTORY)

    assert chosen(store, defaults(None, None, environment="pr-1"))[2:4] == ("x-1", "latest run of pr-1")
    assert chosen(store, defaults(environment="current"))[2:4] == ("x-1", "branch feature/x")


def test_a_branch_and_an_environment_without_a_run_are_reported(recorded: Any) -> None:
    *sides, notes = chosen(recorded(*HISTORY), defaults("feature/z", environment="pr-9"))

    assert sides[2:] == ["y-1", "latest run of current"]
    assert [note.partition(":")[0] for note in notes] == [
        "No run of branch feature/z is recorded",
        "No run of environment pr-9 (RECCE_META_ENVIRONMENT) is recorded",
    ]


def test_on_the_base_branch_its_own_runs_are_not_current(recorded: Any) -> None:
    runs = chosen(recorded(*HISTORY), defaults("main", B))

    assert runs == ("base-2", "merge base bbbbbbb of main", "y-1", "latest run of current", ())


def test_a_run_of_base_is_never_current_by_its_branch(recorded: Any) -> None:
    rows = (*HISTORY, ("odd", "base", "feature/x", C))

    assert chosen(recorded(*rows), defaults())[2] == "x-1"


def test_a_fork_that_names_its_branch_main_is_found_by_its_pull_request(recorded: Any) -> None:
    rows = (*HISTORY, ("fork-7", "pr-7", "main", C), ("fork-8", "pr-8", "main", D))
    store = recorded(*rows, **{"fork-7": {"pull_request": "7"}, "fork-8": {"pull_request": "8"}})

    assert chosen(store, defaults("main", number="7"))[2:4] == ("fork-7", "branch main")


def test_another_commit_than_the_checked_out_one_is_reported(recorded: Any) -> None:
    store = recorded(*HISTORY)

    assert chosen(store, defaults(sha=C))[4] == ()
    assert chosen(store, defaults(sha=D))[4] == ("Current is of commit ccccccc, but ddddddd is checked out",)


def test_of_several_runs_of_the_merge_base_the_latest_clean_one_counts(recorded: Any) -> None:
    rows = [(f"base-{n}", "base", "main", A) for n in range(3)]
    store = recorded(*rows, HISTORY[2], **{"base-2": {"git_dirty": True}, "base-1": {"git_dirty": False}})

    assert chosen(store, defaults())[0] == "base-1"


def test_the_run_of_a_merge_base_is_only_chosen_for_its_commit(recorded: Any) -> None:
    """A service records merge bases long after their commits were the head of the branch."""
    store = recorded(
        ("base1", "base", "main", B),
        ("main2", "prod", "main", B),
        ("old3", "pull-request-7-base", "base:main", A),
        ("cur4", "current", "feature/x", C),
    )
    assert chosen(store, defaults())[0] == "old3"
    assert chosen(store, defaults(start=B))[0] == "base1"
    assert chosen(store, defaults(), "branch:main")[0] == "main2"


def test_uncommitted_changes_of_the_merge_bases_run_are_reported(recorded: Any) -> None:
    store = recorded(*HISTORY, **{"base-1": {"git_dirty": True}})
    *sides, notes = chosen(store, defaults())

    assert sides[0] == "base-1"
    assert notes == ("The run of the merge base was recorded with uncommitted changes",)


def test_a_run_of_the_base_branch_in_another_environment_may_be_base(recorded: Any) -> None:
    store = recorded(("prod-1", "prod", "main", A), *HISTORY[1:])

    assert chosen(store, defaults())[:2] == ("prod-1", "merge base aaaaaaa of main")


@pytest.mark.parametrize(
    "other",
    [("x-0", "pr-1", "main", A), ("y-0", "pr-2", "feature/y", A)],
    ids=["of the environment of current", "of another branch"],
)
def test_a_run_that_may_not_be_of_base_is_not_taken_for_it(recorded: Any, other: Any) -> None:
    assert chosen(recorded(other, *HISTORY[1:]), defaults())[:2] == ("base-2", "latest run of base")


def test_a_merge_base_long_ago_is_found(recorded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recce_meta.api.run_choice.RECENT", 1)

    assert chosen(recorded(*HISTORY), defaults())[0] == "base-1"


def test_runs_of_other_projects_are_not_chosen(recorded: Any) -> None:
    store = recorded(*HISTORY, ("other", "base", "main", A), **{"other": {"project_name": "other"}})

    assert chosen(store, defaults(), project="shop")[0] == "base-1"
    with pytest.raises(SelectorError, match="2 projects"):
        chosen(store, defaults())


def test_a_rebuilt_base_is_reported_for_data_only(recorded: Any) -> None:
    store = recorded(*HISTORY)

    assert chosen(store, defaults())[4] == ()
    assert "a later run of base (2026-11-02" in chosen(store, defaults(), of_data=True)[4][0]
    assert chosen(store, defaults(start=B), of_data=True)[4] == ()


def test_selectors_precede_the_defaults(recorded: Any) -> None:
    store = recorded(*HISTORY)

    assert chosen(store, defaults(), "base", "latest")[:4] == ("base-2", "base", "y-1", "latest")
    assert chosen(store, defaults(), "base~1")[:4] == ("base-1", "base~1", "x-1", "branch feature/x")
    assert chosen(store, defaults(), current="y-1")[:3] == ("base-1", "merge base aaaaaaa of main", "y-1")


def test_one_side_may_be_on_disk(recorded: Any) -> None:
    store = recorded(*HISTORY)

    assert chosen(store, defaults(), "path:target-base")[:3] == (None, "path:target-base", "x-1")
    assert chosen(store, defaults(), current="path:target")[:3] == (
        "base-1",
        "merge base aaaaaaa of main",
        None,
    )


def test_two_folders_need_no_store() -> None:
    def connect() -> Any:
        raise AssertionError("nothing is stored")

    found = select_runs(connect, "path:a", "path:b", defaults=defaults())

    assert (found.base.selector, found.current.selector) == ("path:a", "path:b")
    with pytest.raises(UsageError, match=r"--base is 'path:a', --current is 'path:\./a'"):
        select_runs(connect, "path:a", "path:./a", defaults=defaults())


@pytest.mark.parametrize(
    ("base", "current", "words"),
    [
        ("base~1", "sha:aaaa", "--base is 'base~1', --current is 'sha:aaaa'"),
        ("sha:cccc", None, "--base is 'sha:cccc', --current defaults to branch feature/x"),
        (None, "base-1", "--base defaults to merge base aaaaaaa of main, --current is 'base-1'"),
    ],
)
def test_the_same_run_on_both_sides_is_an_error(
    recorded: Any, base: str | None, current: str | None, words: str
) -> None:
    with pytest.raises(UsageError) as raised:
        chosen(recorded(*HISTORY), defaults(), base, current)

    assert raised.value.message.startswith("Base and current are the same run ")
    assert words in raised.value.message
    assert "--base or --current" in (raised.value.hint or "")


def test_a_job_of_production_does_not_compare_its_run_with_itself(recorded: Any) -> None:
    with pytest.raises(UsageError, match="--current defaults to latest run of base"):
        chosen(recorded(*HISTORY), defaults("main", B, environment="base"))


def test_missing_runs_are_named(recorded: Any) -> None:
    store = recorded(*HISTORY[:2])

    with pytest.raises(RunNotFound, match="No run of branch 'feature/x' is recorded, and none of current"):
        chosen(store, defaults())
    with pytest.raises(RunNotFound, match="no run is recorded as current yet"):
        chosen(store, defaults(None))


def test_a_store_without_base_says_how_to_record_it(recorded: Any) -> None:
    with pytest.raises(RunNotFound) as raised:
        chosen(recorded(*HISTORY[2:]), defaults())

    assert "--environment base" in (raised.value.hint or "")


def single(store: Any, facts: RunDefaults) -> tuple[str | None, str]:
    found = select_run(lambda: store.adapter.at(store.schema), defaults=facts)
    return found.chosen.run_id, found.chosen.reason


def test_a_command_that_reads_one_run_prefers_the_branch(recorded: Any) -> None:
    store = recorded(*HISTORY)

    assert single(store, defaults()) == ("x-1", "branch feature/x")
    assert single(store, defaults("main")) == ("base-2", "branch main")
    assert single(store, defaults("feature/z", environment="pr-1")) == ("x-1", "latest run of pr-1")
    assert single(store, defaults("feature/z")) == ("y-1", "latest run")


# Freshness of base


def checked(
    store: Any, facts: RunDefaults, base: str | None = None, hours: float = 72, **options: Any
) -> Any:
    now = START + timedelta(hours=hours)
    connect = lambda: store.adapter.at(store.schema)  # noqa: E731
    return check_base(connect, base, defaults=facts, now=now, **options)


def test_the_run_of_the_merge_base_is_fresh_at_any_age(recorded: Any) -> None:
    found = checked(recorded(*HISTORY), defaults(), hours=10_000)

    assert (found.status, found.exit_code) == (Freshness.FRESH, 0)
    assert found.reason == "Base is the run of merge base aaaaaaa of main"
    assert (found.run.run_id, found.merge_base, found.age_hours) == ("base-1", A, 10_000)


def test_base_is_fresh_if_no_file_changed_since(recorded: Any) -> None:
    found = checked(recorded(*HISTORY), defaults(start=D, changed=[]))

    assert found.status is Freshness.FRESH
    assert "No file of the project changed between bbbbbbb of base and merge base ddddddd" in found.reason


@pytest.mark.parametrize(
    ("distance", "place", "todo"),
    [
        (Distance(behind=3, ahead=0), "older than", "record base again in a checkout of commit ddddddd"),
        (Distance(behind=0, ahead=2), "newer than", "merge or rebase main into the checkout"),
        (Distance(behind=1, ahead=1), "not on the path to", "record base again"),
    ],
)
def test_base_is_stale_if_files_changed(recorded: Any, distance: Distance, place: str, todo: str) -> None:
    facts = defaults(start=D, changed=["models/a.sql", "seeds/b.csv"], distance=distance)
    found = checked(recorded(*HISTORY), facts)

    assert (found.status, found.exit_code) == (Freshness.STALE, 2)
    assert (
        found.reason == f"Base was recorded at bbbbbbb, {place} merge base ddddddd of main: 2 files changed"
    )
    assert found.recommendation.startswith(todo)
    assert found.changed_files == ("models/a.sql", "seeds/b.csv")


def test_base_that_cannot_be_compared_is_stale(recorded: Any) -> None:
    found = checked(recorded(*HISTORY), defaults(start=D, changed=None))

    assert found.status is Freshness.STALE
    assert "this clone cannot compare" in found.reason


def test_uncommitted_changes_make_base_stale(recorded: Any) -> None:
    found = checked(recorded(*HISTORY, **{"base-1": {"git_dirty": True}}), defaults())

    assert found.status is Freshness.STALE
    assert found.reason == "Base was recorded at aaaaaaa with uncommitted changes"


def test_uncommitted_changes_make_base_stale_without_a_merge_base(recorded: Any) -> None:
    found = checked(recorded(*HISTORY, **{"base-2": {"git_dirty": True}}), defaults(start=None))

    assert found.status is Freshness.STALE


def test_without_commits_the_age_decides_as_in_recce(recorded: Any) -> None:
    store, facts = recorded(*HISTORY), defaults(None, None)

    recent = checked(store, facts, hours=24 + 47)
    assert recent.status is Freshness.FRESH
    assert recent.reason.startswith("Recorded 47 hours ago; commits were not compared: ")
    assert recent.reason.endswith("Base is recent, but not verified against main")
    assert recent.notes[-1].startswith("To compare commits: ")
    found = checked(store, facts, hours=24 + 49)
    assert (found.status, found.reason) == (Freshness.STALE, "Base is 49 hours old; the limit is 48 hours")


def test_a_limit_holds_in_any_case(recorded: Any) -> None:
    store = recorded(*HISTORY)

    assert checked(store, defaults(), max_age=timedelta(days=2)).status is Freshness.STALE
    assert checked(store, defaults(), max_age=timedelta(days=4)).status is Freshness.FRESH


@pytest.mark.without_store
@pytest.mark.core("duckdb", "postgres", "sqlite")
def test_missing_runs_and_stores_are_missing(recorded: Any, store: Any) -> None:
    nothing = checked(store, defaults())
    assert (nothing.status, nothing.exit_code) == (Freshness.MISSING, 1)
    assert "No store found" in nothing.reason

    store = recorded(*HISTORY[2:])
    assert checked(store, defaults()).status is Freshness.MISSING
    assert checked(store, defaults(), "nope").status is Freshness.MISSING
    assert checked(store, defaults(), "pr-1~4").status is Freshness.MISSING
    assert checked(store, defaults(), "path:no/such/folder").status is Freshness.MISSING


def test_an_ambiguous_question_is_a_failure_and_not_stale(recorded: Any) -> None:
    store = recorded(*HISTORY, ("other", "base", "main", A), **{"other": {"project_name": "other"}})

    with pytest.raises(ConfigurationError, match="2 projects") as raised:
        checked(store, defaults())
    assert raised.value.exit_code == 3
