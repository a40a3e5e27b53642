"""Marks of reviewers: stored once, valid for one version only, and kept as long as their run."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta.api.reviews import list_reviews, review, reviews_of_pair
from recce_meta.errors import RunNotFound, SelectorError, StoreError, UnknownNameError, UsageError
from recce_meta.models import MacroMetadata, RunMetadata
from recce_meta.models.checks import StoredCheck
from recce_meta.models.marks.review import LONGEST_COMMENT, LONGEST_REVIEWER, Review
from recce_meta.store.check_results import save_checks
from recce_meta.store.marks.reviews import save_reviews, stored_form
from recce_meta.store.prune import Retention, prune
from recce_meta.store.write import record_run

pytestmark = pytest.mark.core("sqlite")

AT = datetime(2026, 11, 1, 12, 0, 0, 123456, tzinfo=timezone.utc)
NASTY = "ünï 漢字 🦆 'q' \"d\" \\ \\N %s :x {{ y }} </script>\t\r\n\u202e"
NODE = "model.shop.m003"
EVENT = Review(
    review_id="",
    reviewed_at=AT,
    project_name="shop",
    base_run_id="base-1",
    current_run_id="current-1",
    unique_id=NODE,
    status="approved",
    comment=NASTY,
    reviewer=NASTY,
    fingerprint="f" * 32,
    recorder_version="0.1.0",
)
CHECK = StoredCheck(
    check_result_id="",
    checked_at=AT,
    base_run_id="base-1",
    current_run_id="current-1",
    file_name="checks.yml",
    ordinal=1,
    check_name="Rows; of <orders>",
    check_type="row_count_diff",
    status="passed",
    has_expectations=True,
    recorder_version="0.1.0",
)


@pytest.fixture
def runs(store: Any, make_project: Any) -> tuple[RunMetadata, RunMetadata]:
    """A run of base, and a later one of current that changes a model."""
    base = make_project("base-1", environment="base", run_at=AT - timedelta(days=2))
    current = make_project("current-1", changed=("m003",), run_at=AT - timedelta(days=1))
    found = [record_run(store.adapter.at(store.schema), run).run for run in (base, current)]
    return found[0], found[1]


def marked(store: Any, base: RunMetadata | None, current: RunMetadata) -> list[tuple[str, str, bool]]:
    found = reviews_of_pair(store.adapter.at(store.schema), base, current)
    marks = [mark for marks in (*found.nodes.values(), *found.checks.values()) for mark in marks]
    return [(mark.reviewer, mark.status, mark.is_valid) for mark in marks]


def approve(store: Any, node: str | None = "m003", **given: Any) -> Review:
    fields = {"current": "current-1", "base": "base-1", "reviewer": "Ann", **given}
    return review(store.adapter.at(store.schema), node, **fields)


@pytest.mark.core("duckdb", "postgres", "sqlite")
def test_a_stored_mark_comes_back_whole_and_is_written_once(store: Any, runs: Any) -> None:
    (first,) = save_reviews(store.adapter.at(store.schema), [EVENT])
    (again,) = save_reviews(store.adapter.at(store.schema), [replace(EVENT, recorder_version="0.2.0")])

    assert again.review_id == first.review_id
    assert list_reviews(store.adapter.at(store.schema)) == [first] == [stored_form(EVENT)]
    assert (first.comment, first.reviewer) == (NASTY, NASTY)
    assert store.scalar("SELECT COUNT(*) FROM {s}.reviews") == 1


def test_passwords_in_comments_and_names_are_masked(store: Any, runs: Any) -> None:
    found = approve(store, comment="see postgresql://ann:S3cret@host/db", reviewer="password=S3cret")

    assert (found.comment, found.reviewer) == ("see postgresql://ann:***@host/db", "password=***")
    assert list_reviews(store.adapter.at(store.schema)) == [found]


def test_a_mark_holds_for_later_runs_until_the_node_changes(store: Any, runs: Any, make_project: Any) -> None:
    base, current = runs
    assert marked(store, base, current) == []
    approve(store)
    assert marked(store, base, current) == [("Ann", "approved", True)]

    same = make_project("current-2", changed=("m003", "m007"), run_at=AT)
    same = record_run(store.adapter.at(store.schema), same).run
    assert marked(store, base, same) == [("Ann", "approved", True)]
    other = make_project("current-3", changed=(), run_at=AT + timedelta(hours=1))
    other = record_run(store.adapter.at(store.schema), other).run
    assert marked(store, base, other) == [("Ann", "approved", False)]
    assert marked(store, base, current) == [("Ann", "approved", True)]


def test_a_change_of_base_or_of_a_macro_ends_a_mark(store: Any, runs: Any, make_project: Any) -> None:
    base, current = runs
    approve(store)
    moved = make_project("base-2", environment="base", changed=("m003",), run_at=AT)
    moved = record_run(store.adapter.at(store.schema), moved).run
    assert marked(store, moved, current) == [("Ann", "approved", False)]
    assert marked(store, None, current) == [("Ann", "approved", False)]

    macro = MacroMetadata(unique_id="macro.shop.cents", name="cents", macro_sql="other", code_hash="z")
    project = make_project("current-2", changed=("m003",), run_at=AT)
    edited = record_run(store.adapter.at(store.schema), replace(project, macros=(macro,))).run
    assert marked(store, base, edited) == [("Ann", "approved", False)]


@pytest.mark.core("duckdb", "postgres", "sqlite")
def test_marks_count_until_their_reviewer_withdraws_them(store: Any, runs: Any) -> None:
    approve(store, status="approved", reviewer="Bob", comment="fine")
    approve(store)
    approve(store)
    approve(store, status="seen", comment="a question")
    ann = [("Ann", "seen", True), ("Ann", "approved", True)]
    assert marked(store, *runs) == [*ann, ("Bob", "approved", True)]
    assert store.scalar("SELECT COUNT(*) FROM {s}.reviews") == 3

    approve(store, status="withdrawn")
    assert marked(store, *runs) == [("Bob", "approved", True)]
    assert store.scalar("SELECT comment FROM {s}.reviews") == "fine"
    assert len(list_reviews(store.adapter.at(store.schema), node=NODE)) == 5


def test_a_mark_on_a_check_is_about_its_last_result(store: Any, runs: Any) -> None:
    with pytest.raises(SelectorError, match="No result of the check"):
        approve(store, None, check=CHECK.check_name)
    save_checks(store.adapter.at(store.schema), [CHECK])
    mark = approve(store, None, check=CHECK.check_name)
    assert marked(store, *runs) == [("Ann", "approved", True)]

    newer = replace(CHECK, checked_at=AT + timedelta(minutes=1))
    save_checks(store.adapter.at(store.schema), [newer])
    assert marked(store, *runs) == [("Ann", "approved", False)]
    with pytest.raises(UsageError, match="changed since it was looked at"):
        approve(store, None, check=CHECK.check_name, fingerprint=mark.fingerprint)
    assert len(list_reviews(store.adapter.at(store.schema), check=CHECK.check_name)) == 1


def test_a_mark_goes_with_its_current_run(store: Any, runs: Any) -> None:
    approve(store)

    assert (
        prune(store.adapter.at(store.schema), Retention(keep_last=0, environment="base")).rows["reviews"] == 0
    )
    assert marked(store, None, runs[1]) == [("Ann", "approved", False)]
    assert prune(store.adapter.at(store.schema), Retention(keep_last=0)).rows["reviews"] == 1
    assert list_reviews(store.adapter.at(store.schema)) == []


def test_two_writers_add_their_marks(store: Any, runs: Any) -> None:
    def write(reviewer: str) -> Review:
        with store.another() as adapter:
            return review(adapter.at(store.schema), NODE, "current-1", "base-1", reviewer=reviewer)

    if store.adapter.warehouse.is_in_process:
        store.adapter.close()
    names = [f"reviewer {number}" for number in range(4)]
    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(write, names))

    assert sorted(one.reviewer for one in found) == names
    assert sorted(name for name, _, _ in marked(store, *runs)) == names


def test_invalid_marks_are_refused(store: Any, runs: Any, make_project: Any) -> None:
    refused: dict[type[Exception], list[dict[str, Any]]] = {
        UsageError: [
            {"reviewer": " \t"},
            {"reviewer": "x" * (LONGEST_REVIEWER + 1)},
            {"comment": "x" * (LONGEST_COMMENT + 1)},
            {"check": "both"},
            {"node": None},
            {"base": "elsewhere-1"},
        ],
        UnknownNameError: [{"status": "loved"}],
        SelectorError: [{"node": "nope"}],
        RunNotFound: [{"current": "nope"}],
    }
    elsewhere = make_project("elsewhere-1", project_name="elsewhere", environment="elsewhere", run_at=AT)
    record_run(store.adapter.at(store.schema), elsewhere)
    for kind, cases in refused.items():
        for given in cases:
            with pytest.raises(kind):
                approve(store, given.pop("node", "m003"), **given)
    with pytest.raises(StoreError, match="Run nope not found"):
        save_reviews(store.adapter.at(store.schema), [replace(EVENT, current_run_id="nope")])
    assert list_reviews(store.adapter.at(store.schema)) == []
    assert approve(store, comment="x" * LONGEST_COMMENT, reviewer="x" * LONGEST_REVIEWER).comment
