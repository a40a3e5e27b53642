"""Run selectors."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from recce_meta.errors import SelectorError, StoreError, UsageError
from recce_meta.store.read import list_runs
from recce_meta.store.select import resolve_run
from recce_meta.store.write import record_run

pytestmark = pytest.mark.core("sqlite")

START = datetime(2026, 11, 1, tzinfo=timezone.utc)


@pytest.fixture
def history(recorded_store, make_project):
    """Five runs of one project, a day apart, oldest first."""
    rows = [
        ("aaaa-1", "base", "main", "1111abc"),
        ("aaaa-2", "base", "main", "2222abc"),
        ("bbbb-1", "current", "feature", "3333ABC"),
        ("aaaa-3", "base", "main", "2222def"),
        ("cccc-1", "staging", "main", None),
    ]
    projects = [
        make_project(
            run_id, environment=environment, branch=branch, git_sha=sha, run_at=START + timedelta(days=day)
        )
        for day, (run_id, environment, branch, sha) in enumerate(rows)
    ]
    return recorded_store("history", projects)


@pytest.mark.parametrize(
    ("selector", "run_id"),
    [
        ("aaaa-2", "aaaa-2"),
        ("bb", "bbbb-1"),
        ("base", "aaaa-3"),
        ("base~0", "aaaa-3"),
        ("base~1", "aaaa-2"),
        ("base~2", "aaaa-1"),
        ("current", "bbbb-1"),
        ("staging", "cccc-1"),
        ("latest", "cccc-1"),
        ("latest~1", "aaaa-3"),
        ("branch:feature", "bbbb-1"),
        ("branch:main~1", "aaaa-3"),
        ("sha:2222d", "aaaa-3"),
        ("sha:2222ABC", "aaaa-2"),
        ("sha:3333abc", "bbbb-1"),
        ("before:2026-11-02", "aaaa-1"),
        ("before:2026-11-04T00:00:01", "aaaa-3"),
        ("before:2026-11-04T01:00:00+02:00", "bbbb-1"),
        ("before:2026-11-04T00:00:00Z", "bbbb-1"),
        ("base,before:2026-11-04", "aaaa-2"),
        ("base,before:2026-11-04~1", "aaaa-1"),
        ("branch:main,before:2026-11-05", "aaaa-3"),
    ],
)
def test_a_selector_means_one_run(history, selector, run_id):
    assert resolve_run(history.adapter.at(history.schema), selector).run_id == run_id


@pytest.mark.parametrize(
    ("run_id", "selected"),
    [("latest", "cccc-1"), ("staging", "cccc-1"), ("branch:main", "cccc-1"), ("base~1", "aaaa-2")],
)
def test_an_id_does_not_replace_what_a_word_means(history, make_project, run_id, selected):
    pushed = make_project(run_id, environment="other", branch="x", run_at=START)
    record_run(history.adapter.at(history.schema), pushed)

    assert resolve_run(history.adapter.at(history.schema), run_id).run_id == selected


@pytest.mark.parametrize(
    ("selector", "words"),
    [
        ("aaaa", ["aaaa-1", "aaaa-2", "aaaa-3", "more than one"]),
        ("bsae", ["did you mean", "'base'"]),
        ("base~3", ["only 3"]),
        ("current~1", ["only one"]),
        ("branch:featur", ["'branch:feature'"]),
        ("branch:nothing", ["nothing"]),
        ("before:yesterday", ["2026-11-01"]),
        ("before:2020-01-01", ["before:2020-01-01"]),
        ("base,before:2020-01-01", ["base has no run before that time"]),
        ("bsae,before:2026-11-04", ["did you mean", "'base'"]),
        ("base,before:", ["invalid date or time in 'before:'"]),
        ("sha:9999", ["sha:9999"]),
        ("sha:2222", ["matches 2 commits", "2222abc, 2222def"]),
        ("sha:", ["missing value after 'sha:'"]),
        ("branch:", ["missing value after 'branch:'"]),
        ("branch:~1", ["missing value after 'branch:'"]),
        ("base~x", ["did you mean", "'base'"]),
        ("", ["empty"]),
        ("100%_\\", ["100%"]),
    ],
)
def test_a_selector_that_means_no_run_says_what_would(history, selector, words):
    with pytest.raises(SelectorError) as caught:
        resolve_run(history.adapter.at(history.schema), selector)

    text = str(caught.value)
    assert [word for word in words if word.lower() not in text.lower()] == []
    assert caught.value.hint


def test_with_two_projects_one_must_be_named(history, make_project):
    late = START + timedelta(days=30)
    other = make_project("dddd-1", environment="base", project_name="bakery", run_at=late)
    record_run(history.adapter.at(history.schema), other)

    with pytest.raises(SelectorError, match="bakery, shop"):
        resolve_run(history.adapter.at(history.schema), "base")

    assert resolve_run(history.adapter.at(history.schema), "base", project="bakery").run_id == "dddd-1"
    assert resolve_run(history.adapter.at(history.schema), "base", project="shop").run_id == "aaaa-3"
    assert resolve_run(history.adapter.at(history.schema), "dddd-1").project_name == "bakery"


@pytest.mark.core("duckdb", "postgres", "sqlite")
def test_runs_are_listed_newest_first(history):
    def ids(**filters):
        return [run.run_id for run in list_runs(history.adapter.at(history.schema), **filters)]

    assert ids() == ["cccc-1", "aaaa-3", "bbbb-1", "aaaa-2", "aaaa-1"]
    assert ids(environment="base", limit=2) == ["aaaa-3", "aaaa-2"]
    assert ids(project="bakery") == []


@pytest.mark.without_store
@pytest.mark.core("duckdb", "postgres", "sqlite")
def test_a_missing_store_says_how_to_make_one(store):
    with pytest.raises(StoreError, match="recce-meta init"):
        list_runs(store.adapter.at(store.schema))


@pytest.mark.core("duckdb", "postgres", "sqlite")
def test_a_schema_whose_name_would_be_cut_short_is_refused(store):
    longest = store.adapter.warehouse.max_identifier_length
    if longest is None:
        pytest.skip("this warehouse keeps names of any length")
    with pytest.raises(UsageError, match=f"longer than the limit of {longest} bytes"):
        list_runs(store.adapter.at("z" * (longest + 1)))


@pytest.mark.core("duckdb", "postgres", "sqlite")
def test_a_failed_run_is_never_the_latest(history, make_project):
    failed = make_project("dddd-1", environment="base", run_at=START + timedelta(days=9), status="failed")
    lone = make_project("eeee-1", environment="lone", run_at=START + timedelta(days=9), status="failed")
    for project in (failed, lone):
        record_run(history.adapter.at(history.schema), project)

    assert resolve_run(history.adapter.at(history.schema), "dddd").status == "failed"
    for selector, run_id in (("latest", "cccc-1"), ("base", "aaaa-3"), ("base~1", "aaaa-2")):
        assert resolve_run(history.adapter.at(history.schema), selector).run_id == run_id
    with pytest.raises(SelectorError, match="Run 'lone' not found"):
        resolve_run(history.adapter.at(history.schema), "lone")
    quoted = history.adapter.quote_identifier(history.schema)
    _, latest = history.adapter.execute(f"SELECT run_id FROM {quoted}.latest_runs ORDER BY run_id")
    assert latest == [("aaaa-3",), ("bbbb-1",), ("cccc-1",)]
    assert [run.run_id for run in list_runs(history.adapter.at(history.schema), limit=1)] == ["cccc-1"]
    every = list_runs(history.adapter.at(history.schema), status=None)
    assert sorted(run.run_id for run in every)[-3:] == ["cccc-1", "dddd-1", "eeee-1"]
