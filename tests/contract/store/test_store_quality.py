"""Measurements of quality: what is read back is what was measured, and which one a selector means."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta._version import __version__
from recce_meta.adapter import Session
from recce_meta.errors import SelectorError, StoreError
from recce_meta.models.data_diff import Profile
from recce_meta.models.quality import (
    ColumnQuality,
    MetricResult,
    Quality,
    QualityRun,
    Sample,
    TableQuality,
    ValueCount,
)
from recce_meta.store.prune import Retention, prune
from recce_meta.store.quality import (
    list_quality_runs,
    load_quality,
    previous_quality,
    resolve_quality_run,
    write_quality,
)
from recce_meta.store.write import record_run

pytestmark = pytest.mark.core("sqlite")

AT = datetime(2026, 11, 1, 10, tzinfo=timezone.utc)
NASTY = "ünï 🦆 'single' \"double\" \\ %s %% :name ⟦ ⟧ \t\r\n end"
TABLES = ("table_quality", "column_quality", "column_top_values", "quality_metrics")


def profile(**fields: Any) -> Profile:
    return Profile(**{"type": "INTEGER", "row_count": 10, "not_null_count": 8, **fields})


COLUMNS = (
    ColumnQuality(
        name="id",
        profile=profile(distinct_count=8, min=1, max=2**70, avg=Decimal("1.50"), median=1.5),
        top_values=(ValueCount(value=None, count=2), ValueCount(value=Decimal("1.10"), count=1)),
        is_declared_unique=True,
        score=87.5,
        metrics=(
            MetricResult(name="even", value=4, threshold="< 5", holds=True),
            MetricResult(name="odd", threshold="= 1", reason=f"no such function {NASTY}"),
        ),
    ),
    ColumnQuality(
        name=NASTY,
        profile=profile(
            type="TEXT", is_approximate=True, min="", max=NASTY, min_length=0, max_length=40, avg_length=2.25
        ),
        blank_count=1,
        top_values=(
            ValueCount(value=NASTY, count=5),
            ValueCount(value="", count=1),
            ValueCount(value=date(2026, 1, 31), count=1),
            ValueCount(value=b"\0\xff", count=1),
            ValueCount(value=True, count=1),
            ValueCount(value=[1, None], count=1),
        ),
    ),
    ColumnQuality(name="email", profile=profile(type="TEXT", true_count=3), is_private=True, score=0.0),
    ColumnQuality(name="shape", reason=f"nothing is known of this type {NASTY}"),
)


def table(name: str = "orders", **fields: Any) -> TableQuality:
    known: dict[str, Any] = {
        "unique_id": f"model.shop.{name}",
        "name": name,
        "relation": f'"db"."{name}"',
        "measured_at": AT + timedelta(minutes=1),
        "row_count": 10,
    }
    return TableQuality(**{**known, **fields})


def quality(
    quality_run_id: str = "q-1", *tables: TableQuality, age: int = 0, run_id: str = "run-1", **fields: Any
) -> Quality:
    known: dict[str, Any] = {
        "quality_run_id": quality_run_id,
        "run_id": run_id,
        "project_name": "shop",
        "environment": "current",
        "started_at": AT - timedelta(days=age),
        "finished_at": AT - timedelta(days=age) + timedelta(seconds=90),
        "recorder_version": __version__,
    }
    return Quality(run=QualityRun(**{**known, **fields}), tables=tables or (table(columns=COLUMNS[:1]),))


EVERYTHING = quality(
    "q-all",
    table("broken", row_count=None, reason=f"dropped {NASTY}", notes=("first", NASTY)),
    table("empty", row_count=0, columns=(ColumnQuality(name="id", profile=profile(row_count=0)),)),
    table(
        columns=COLUMNS,
        sampled_rows=8,
        score=43.75,
        metrics=(
            MetricResult(name="fresh", value=AT, threshold="> now() - interval '1 day'", holds=False),
            MetricResult(name=NASTY, value=NASTY),
        ),
    ),
    target_name="prod",
    sample=Sample(percent=12.5, seed=42),
    keeps_values=False,
    table_count=3,
    failed_count=1,
    score=43.75,
)


@pytest.fixture
def recorded(store, make_project):
    """A store with two runs of one project."""
    record_run(store.adapter.at(store.schema), make_project("run-0", run_at=AT - timedelta(days=9)))
    record_run(store.adapter.at(store.schema), make_project("run-1", run_at=AT))
    return store


def write(store: Any, *measured: Quality) -> None:
    for one in measured:
        assert write_quality(store.adapter.at(store.schema), one).written


@pytest.mark.core("duckdb", "postgres", "sqlite")
def test_a_loaded_measurement_equals_what_was_measured(recorded):
    done = write_quality(recorded.adapter.at(recorded.schema), EVERYTHING)

    assert (done.written, done.run) == (True, EVERYTHING.run)
    loaded = load_quality(recorded.adapter.at(recorded.schema), "q-all")
    assert loaded == EVERYTHING
    values = [top.value for top in loaded.tables[2].columns[1].top_values]
    assert list(map(type, values)) == [str, str, date, bytes, bool, list]
    assert str(loaded.tables[2].columns[0].top_values[1].value) == "1.10"


def test_a_sample_comes_back_as_it_was_asked_for(recorded):
    for place, sample in enumerate((None, Sample(rows=1000, seed=7), Sample(percent=0.1))):
        measured = quality(f"q-{place}", sample=sample)
        write(recorded, measured)
        assert load_quality(recorded.adapter.at(recorded.schema), f"q-{place}") == measured


def test_single_tables_are_loaded_alone(recorded):
    write(recorded, EVERYTHING)
    loaded = load_quality(
        recorded.adapter.at(recorded.schema), EVERYTHING.run, unique_ids=["model.shop.orders", "gone"]
    )
    assert loaded == replace(EVERYTHING, tables=EVERYTHING.tables[2:])


def test_a_measurement_is_written_once(recorded):
    write(recorded, EVERYTHING)
    other = replace(EVERYTHING, run=replace(EVERYTHING.run, score=1.0), tables=())

    done = write_quality(recorded.adapter.at(recorded.schema), other)

    assert (done.written, done.run) == (False, EVERYTHING.run)
    assert load_quality(recorded.adapter.at(recorded.schema), "q-all") == EVERYTHING


def test_a_measurement_needs_its_run(recorded):
    with pytest.raises(StoreError, match="run-9"):
        write_quality(recorded.adapter.at(recorded.schema), quality(run_id="run-9"))
    assert list_quality_runs(recorded.adapter.at(recorded.schema)) == []


@pytest.mark.core("duckdb", "postgres", "sqlite")
def test_half_a_measurement_is_none(recorded, monkeypatch):
    insert = Session.insert_rows

    def stopped(session: Session, name: str, *arguments: Any) -> None:
        if "table_quality" in name.lower():
            raise RuntimeError("stopped")
        insert(session, name, *arguments)

    monkeypatch.setattr(Session, "insert_rows", stopped)
    with pytest.raises(RuntimeError, match="stopped"):
        write_quality(recorded.adapter.at(recorded.schema), EVERYTHING)
    monkeypatch.undo()

    assert list_quality_runs(recorded.adapter.at(recorded.schema)) == []
    if recorded.adapter.warehouse.has_transactions:
        assert recorded.scalar("SELECT COUNT(*) FROM {s}.column_quality") == 0
    write(recorded, EVERYTHING)
    assert load_quality(recorded.adapter.at(recorded.schema), "q-all") == EVERYTHING


@pytest.fixture
def history(recorded):
    """Five measurements, of which one is of another environment, and one of another table."""
    write(
        recorded,
        quality("aa-oldest", age=4),
        quality("ab-prod", age=3, environment="prod"),
        quality("b-older", age=2),
        quality("c-report", table("report"), age=1),
        quality("d-newest"),
    )
    return recorded


SELECTORS = {
    "latest": "d-newest",
    "latest~1": "c-report",
    "latest~4": "aa-oldest",
    "prod": "ab-prod",
    "current~3": "aa-oldest",
    "b-older": "b-older",
    "aa": "aa-oldest",
    "before:2026-10-31": "b-older",
    "before:2026-10-31T10:00:01Z": "c-report",
    "before:2026-10-31~1": "ab-prod",
}
REFUSED = {
    "a": "more than one measurement id starts with it",
    "nothing": "Measurement 'nothing' not found",
    "latest~5": "there are only 5 such measurements",
    "before:2020-01-01": "Measurement 'before:2020-01-01' not found",
    "before:": "Invalid date",
    "": "Measurement selector is empty",
}


def test_a_selector_means_one_measurement(history):
    def chosen(selector: str, **options: Any) -> str:
        return resolve_quality_run(history.adapter.at(history.schema), selector, **options).quality_run_id

    assert {selector: chosen(selector) for selector in SELECTORS} == SELECTORS
    assert chosen("latest~2", environment="current") == "b-older"


def test_a_failed_measurement_is_never_the_latest(history):
    newest = quality("z-failed")
    run = replace(
        newest.run, started_at=newest.run.started_at + timedelta(days=1), status="failed", reason="ünï"
    )
    write(history, Quality(run=run, tables=()))

    for selector, found in SELECTORS.items():
        assert resolve_quality_run(history.adapter.at(history.schema), selector).quality_run_id == found
    kept = resolve_quality_run(history.adapter.at(history.schema), "z")
    assert (kept.status, kept.reason) == ("failed", "ünï")


@pytest.mark.core("duckdb", "postgres", "sqlite")
def test_a_selector_that_means_none_says_why(history):
    for selector, said in REFUSED.items():
        with pytest.raises(SelectorError) as caught:
            load_quality(history.adapter.at(history.schema), selector)
        assert said in caught.value.message and caught.value.hint, selector


def test_measurements_are_listed_newest_first(history):
    def ids(**filters: Any) -> list[str]:
        found = list_quality_runs(history.adapter.at(history.schema), **filters)
        return [run.quality_run_id for run in found]

    assert ids(limit=2) == ["d-newest", "c-report"]
    assert ids(environment="prod") == ["ab-prod"]
    assert ids(unique_ids=["model.shop.report"]) == ["c-report"]
    assert ids(project="bakery") == ids(run_id="run-0") == []


def test_the_measurement_before(history):
    def before(selector: str, **options: Any) -> str | None:
        run = resolve_quality_run(history.adapter.at(history.schema), selector)
        found = previous_quality(history.adapter.at(history.schema), run, **options)
        return found and found.run.quality_run_id

    assert before("latest") == "c-report"
    assert before("latest", unique_ids=["model.shop.orders"]) == "b-older"
    assert before("b-older") == "aa-oldest"
    assert before("aa-oldest") is None
    assert before("prod") is None


def test_a_measurement_goes_with_the_run_that_it_measured(recorded):
    write(recorded, quality("q-0", *EVERYTHING.tables, age=1, run_id="run-0"), EVERYTHING)

    result = prune(recorded.adapter.at(recorded.schema), Retention(keep_last=1))

    found = list_quality_runs(recorded.adapter.at(recorded.schema))
    assert [run.quality_run_id for run in found] == ["q-all"]
    assert result.rows["quality_runs"] == 1
    assert load_quality(recorded.adapter.at(recorded.schema), "latest") == EVERYTHING
    prune(recorded.adapter.at(recorded.schema), Retention(keep_last=0))
    assert [recorded.scalar(f"SELECT COUNT(*) FROM {{s}}.store_{name}") for name in TABLES] == [0, 0, 0, 0]


def test_an_empty_store_says_what_measures(recorded):
    with pytest.raises(SelectorError, match="quality was not measured yet"):
        load_quality(recorded.adapter.at(recorded.schema), "latest")
