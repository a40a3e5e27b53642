"""Samples: the same rows for every statement and every time, and figures that are theirs."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.data_diff.source import table
from recce_meta.errors import UsageError
from recce_meta.models.quality import Sample, TableQuality
from recce_meta.quality.measure import QualitySettings
from recce_meta.quality.metrics import MetricQuery
from recce_meta.warehouses.dialect import dialect_named
from tests.contract.quality.conftest import Shop

COLUMNS = {"id": "integer", "word": "varchar", "share": "double"}
ROWS = [(number, "abcd"[number % 4], number / 8) for number in range(400)]
QUARTER = QualitySettings(sample=Sample(percent=25, seed=7))


def check(found: TableQuality, *, is_same_each_time: bool = True) -> None:
    """That all is counted, about a quarter is looked at, and every statement sees the same rows."""
    taken = found.sampled_rows
    assert found.reason is None and found.row_count == len(ROWS)
    assert taken is not None and 60 < taken < 140, found.notes
    key, word, share = found.columns
    assert {column.profile.row_count for column in (key, word, share) if column.profile} == {taken}
    if is_same_each_time:
        assert key.profile is not None and key.profile.distinct_count == taken
        assert sum(one.count for one in word.top_values) == taken


@pytest.fixture(params=["mysql", "sqlite"])
def by_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    """MySQL and SQLite, which other contract tests do not run on."""
    if request.param == "sqlite":
        sqlite3.connect(tmp_path / "shop.db").close()
        url, schema = f"sqlite:///{tmp_path / 'shop.db'}", "main"
    else:
        url = request.getfixturevalue("mysql_url")
        schema = urlsplit(url).path.strip("/")
    with UnifiedSqlAdapter.from_url(url) as adapter:
        yield Shop(adapter, schema)


def test_a_sample_is_the_same_rows_for_every_statement_and_every_time(shop: Shop) -> None:
    name = shop.fill("many", COLUMNS, ROWS)
    has_seed = dialect_named(shop.adapter.warehouse.dialect).samples_by_seed

    first, again = (shop.measure(name, QUARTER) for _ in range(2))
    other = shop.measure(name, QualitySettings(sample=Sample(percent=25, seed=8)))

    if not has_seed:  # and blocks of rows, of which these are one
        assert first.row_count == len(ROWS) and first.sampled_rows in (0, len(ROWS))
        assert any("without a seed" in note for note in first.notes)
        return
    check(first)
    assert first.columns == again.columns
    assert first.columns[0].profile != other.columns[0].profile


def test_figures_of_a_sample_are_those_of_its_rows(shop: Shop) -> None:
    name = shop.fill("many", COLUMNS, ROWS)
    dialect = dialect_named(shop.adapter.warehouse.dialect)
    chosen = dialect.sampled_rows(table(dialect, name), 25, 7)
    if chosen is None or not dialect.samples_by_seed:
        pytest.skip("no sampling with a seed of the warehouse's own")

    found = shop.measure(name, QUARTER)

    rows = shop.adapter.execute(f"SELECT s.id, s.share FROM {dialect.render(chosen)} AS s")[1]
    keys, shares = [int(row[0]) for row in rows], [float(row[1]) for row in rows]
    key, share = found.columns[0].profile, found.columns[2].profile
    assert key is not None and share is not None
    assert (key.row_count, key.min, key.max) == (len(keys), min(keys), max(keys))
    assert math.isclose(share.avg, sum(shares) / len(shares), rel_tol=1e-9)


def test_a_number_of_rows_is_a_share_of_those_that_are_there(shop: Shop) -> None:
    name = shop.fill("many", COLUMNS, ROWS)

    some = shop.measure(name, QualitySettings(sample=Sample(rows=100), top=0))
    every = shop.measure(name, QualitySettings(sample=Sample(rows=400), top=0))

    has_seed = dialect_named(shop.adapter.warehouse.dialect).samples_by_seed
    assert some.sampled_rows is not None and (60 < some.sampled_rows < 140 or not has_seed)
    assert some.notes[0] == "Each row was sampled with a probability of 25 %: about 100 of 400"
    assert (every.row_count, every.sampled_rows) == (400, None)
    assert not any("chance" in note or "Rows" in note for note in every.notes)
    assert every.columns[0].profile is not None and every.columns[0].profile.row_count == 400


def test_a_view_is_sampled_by_a_hash_of_its_rows(shop: Shop) -> None:
    shop.fill("many", COLUMNS, ROWS)
    view = shop.view("v", f"SELECT id, word, share FROM {shop.quoted('many')}")

    known = shop.ask(view, QUARTER, is_view=True)
    keyed = shop.ask(view, QUARTER, is_view=True, keys=(("id",),))

    check(known)
    check(keyed)
    assert [note for note in known.notes if "all their columns" in note]
    assert [note for note in keyed.notes if "their key" in note]
    assert known.columns[0].profile != keyed.columns[0].profile


def test_what_nobody_has_told_to_be_a_view_is_sampled_all_the_same(shop: Shop) -> None:
    shop.fill("many", COLUMNS, ROWS)
    view = shop.view("v", f"SELECT id, word, share FROM {shop.quoted('many')} WHERE id >= 0")

    found = shop.measure(view, QUARTER)

    if any("without a seed" in note for note in found.notes):
        pytest.skip("views can be sampled, and blocks of rows at that")
    check(found)


def test_metrics_are_of_all_rows(shop: Shop) -> None:
    name = shop.fill("many", COLUMNS, ROWS)

    found = shop.measure(name, QUARTER, metrics=(MetricQuery(name="rows", sql="COUNT(*)"),))

    assert [int(metric.value) for metric in found.metrics] == [400]


def test_nothing_is_a_sample_of_nothing(shop: Shop) -> None:
    name = shop.fill("none", COLUMNS)

    for sample in (Sample(percent=10), Sample(rows=10)):
        found = shop.measure(name, QualitySettings(sample=sample))
        assert (found.reason, found.row_count, found.score) == (None, 0, None)


def test_an_empty_sample_gives_way_to_all_rows(shop: Shop) -> None:
    name = shop.fill("many", COLUMNS, ROWS)

    found = shop.measure(name, QualitySettings(sample=Sample(percent=0.0001, seed=7), top=0))

    assert (found.row_count, found.sampled_rows) == (400, None)
    assert found.columns[0].profile is not None and found.columns[0].profile.row_count == 400
    assert any(note.endswith("had no rows: all rows were measured") for note in found.notes)


def test_a_view_s_column_that_cannot_be_computed_fails_alone_in_a_sample_too(shop: Shop) -> None:
    shop.fill("many", COLUMNS, ROWS)
    view = shop.view("v", f"SELECT id, CAST(word AS INTEGER) AS wrong FROM {shop.quoted('many')}")

    found = shop.ask(view, QUARTER, is_view=True)

    first, second = found.columns
    assert found.reason is None and first.profile is not None and first.reason is None
    assert second.reason is not None and any("No sample of" in note for note in found.notes)


def test_mysql_and_sqlite_sample_too(by_url: Shop) -> None:
    mark = uuid4().hex[:12]
    name = by_url.fill(f"many {mark}", COLUMNS, ROWS)
    view = by_url.view(f"v {mark}", f"SELECT id, word, share FROM {name}")
    try:
        first, again = (by_url.measure(name, QUARTER) for _ in range(2))
        other = by_url.measure(name, QualitySettings(sample=Sample(percent=25, seed=8)))
        viewed = by_url.ask(view, QUARTER, is_view=True)

        check(first)
        assert first.columns == again.columns
        assert first.columns[0].profile != other.columns[0].profile
        check(viewed)
    finally:
        by_url.adapter.execute(f"DROP VIEW {view}")
        by_url.adapter.execute(f"DROP TABLE {name}")


@pytest.mark.parametrize(
    "sample",
    [
        *({"percent": 0.0}, {"percent": 100.5}, {"percent": float("nan")}, {"rows": 0}, {}),
        *({"percent": 1.0, "rows": 1}, {"percent": 1.0, "seed": -1}, {"percent": 1.0, "seed": 2**31}),
    ],
)
def test_samples_that_make_no_sense_are_refused(sample: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        QualitySettings(sample=Sample(**sample))
