"""Stored results of checks: once, whole, and as long as their run."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta.errors import StoreError, UsageError
from recce_meta.models import RunMetadata
from recce_meta.models.checks import StoredCheck, StoredFinding
from recce_meta.store.check_results import list_checks, save_checks, with_id
from recce_meta.store.prune import Retention, prune
from recce_meta.store.write import record_run

AT = datetime(2026, 11, 1, 12, 0, 0, 123456, tzinfo=timezone.utc)
NASTY = "ünï 漢字 🦆 'q' \"d\" \\ \\N %s :x {{ y }} \t\r\n"
CHECK = StoredCheck(
    check_result_id="",
    checked_at=AT,
    base_run_id="base-1",
    current_run_id="current-1",
    file_name="checks.yml",
    ordinal=2,
    check_name=NASTY,
    check_type="row_count_diff",
    description="a",
    status="failed",
    has_expectations=True,
    node_count=2,
    differing_nodes=1,
    uncompared_nodes=0,
    message=NASTY,
    violations=(NASTY, "b"),
    findings=(
        StoredFinding(unique_id="model.shop.orders", name="orders", finding="differs", text="1 → 2"),
        StoredFinding(name="query", finding="same", text=NASTY),
    ),
    seconds=0.25,
    parameters={"names": ["orders"], "limit": 10, "none": None},
    recorder_version="0.1.0",
)


@pytest.fixture
def runs(store: Any, make_project: Any) -> tuple[RunMetadata, ...]:
    """A run of base, and a later one of current."""
    base = make_project("base-1", environment="base", run_at=AT - timedelta(days=2))
    current = make_project("current-1", run_at=AT - timedelta(days=1))
    return tuple(record_run(store.adapter.at(store.schema), run).run for run in (base, current))


def save(store: Any, *checks: StoredCheck) -> Any:
    return save_checks(store.adapter.at(store.schema), checks)


def test_a_stored_check_comes_back_whole_and_is_written_once(store: Any, runs: Any) -> None:
    first = save(store, CHECK, replace(CHECK, ordinal=1, check_name="b"))
    again = save(store, replace(CHECK, recorder_version="0.2.0"))

    assert (first.written, again.written) == (2, 0)
    assert again.ids == first.ids[:1]
    one, two = list_checks(store.adapter.at(store.schema))
    assert (one.check_name, two) == ("b", with_id(CHECK))
    assert list_checks(store.adapter.at(store.schema), check_name="b", limit=1) == [one]
    assert list_checks(store.adapter.at(store.schema), run=runs[0]) == []
    assert len(list_checks(store.adapter.at(store.schema), run=runs[1], project="shop")) == 2


def test_the_history_names_both_runs(store: Any, runs: Any) -> None:
    save(store, CHECK)

    shown = "base_environment || current_environment || project_name || status || differing_nodes"
    assert store.scalar(f"SELECT {shown} FROM {{s}}.check_history") == (
        f"base{runs[1].environment}shopfailed1"
    )


def test_a_check_goes_with_its_current_run_or_without_one_with_base(store: Any, runs: Any) -> None:
    save(store, CHECK, replace(CHECK, current_run_id=None))

    result = prune(store.adapter.at(store.schema), Retention(keep_last=0, environment="base"))
    assert result.rows["check_results"] == 1
    assert [one.current_run_id for one in list_checks(store.adapter.at(store.schema))] == ["current-1"]
    prune(store.adapter.at(store.schema), Retention(keep_last=0))
    assert store.scalar("SELECT COUNT(*) FROM {s}.store_check_results") == 0


def test_a_check_without_a_recorded_run_is_refused(store: Any, runs: Any) -> None:
    with pytest.raises(UsageError, match="cannot be stored without a run"):
        save(store, replace(CHECK, base_run_id=None, current_run_id=None))
    with pytest.raises(StoreError, match="Run nope not found in the store"):
        save(store, replace(CHECK, base_run_id="nope"))
