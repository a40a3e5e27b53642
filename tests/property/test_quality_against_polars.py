"""Polars as the oracle of quality: every figure is what it makes of the rows that the driver fetches.

RECCE_META_QUALITY_EXAMPLES sets how many tables are tried on each database.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb
import polars as pl
import psycopg
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.quality_tables import TableRequest, measure_tables
from recce_meta.models.quality import ColumnQuality, TableQuality
from recce_meta.quality.measure import QualitySettings
from tests.proofs import sampled

EXAMPLES = int(os.environ.get("RECCE_META_QUALITY_EXAMPLES", sampled("10", "4")))
UTC = timezone.utc
TEXTS = st.sampled_from(["", " ", "  ", "a", "A", " a", "é", "e\u0301", "日本", "🙂", "\t", "\u00a0", "it's"])
FLOATS = st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -0.0, 0.1, -2.5, 1e300, 5e-324])
TYPES: dict[str, tuple[str, Any, st.SearchStrategy[Any]]] = {
    "whole": ("INTEGER", pl.Int32, st.integers(-(2**31), 2**31 - 1) | st.integers(0, 3)),
    "large": ("BIGINT", pl.Int64, st.integers(-(2**63), 2**63 - 1) | st.integers(0, 3)),
    "exact": ("DECIMAL(12,3)", pl.Decimal(12, 3), st.decimals(-999_999, 999_999, places=3)),
    "ratio": ("DOUBLE PRECISION", pl.Float64, FLOATS | st.floats(-1e9, 1e9)),
    "single": ("REAL", pl.Float32, st.floats(-1e6, 1e6, width=32)),
    "flag": ("BOOLEAN", pl.Boolean, st.booleans()),
    "word": (
        "VARCHAR",
        pl.String,
        TEXTS | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6),
    ),
    "day": ("DATE", pl.Date, st.dates()),
    "moment": ("TIMESTAMP", pl.Datetime("us"), st.datetimes()),
    "instant": (
        "TIMESTAMPTZ",
        pl.Datetime("us", "UTC"),
        st.datetimes(datetime(1900, 1, 1), datetime(9999, 12, 30), timezones=st.just(UTC)),
    ),
    "nothing": ("INTEGER", pl.Int32, st.none()),
}
"""Columns: SQL type, polars type, values."""
ROWS = st.lists(st.tuples(*(st.none() | values for _, _, values in TYPES.values())), max_size=14)
NUMBERS = ("whole", "large", "exact", "ratio", "single", "nothing")
MOMENTS = ("day", "moment", "instant")


class Place:
    """A database, reached by its driver alone and by the adapter."""

    def __init__(self, adapter: UnifiedSqlAdapter, run: Callable[..., Any], mark: str) -> None:
        self.adapter, self._run, self._mark = adapter, run, mark
        self.schema = f"polars_{uuid4().hex[:12]}"
        self._run(f"CREATE SCHEMA {self.schema}")

    def table(self, rows: Sequence[Sequence[Any]]) -> str:
        """A table with *rows*, in place of the last one."""
        name = f"{self.schema}.t"
        columns = ", ".join(f"{column} {kind}" for column, (kind, _, _) in TYPES.items())
        self._run(f"DROP TABLE IF EXISTS {name}")
        self._run(f"CREATE TABLE {name} ({columns})")
        marks = ", ".join(self._mark for _ in TYPES)
        for row in rows:
            self._run(f"INSERT INTO {name} VALUES ({marks})", row)
        return name

    def frame(self, table: str) -> pl.DataFrame:
        """The rows of *table* as the driver gives them."""
        rows = self._run(f"SELECT * FROM {table}").fetchall()
        return pl.DataFrame(
            [list(row) for row in rows], schema={name: of for name, (_, of, _) in TYPES.items()}, orient="row"
        )

    def drop(self) -> None:
        """Take the schema away."""
        self._run(f"DROP SCHEMA {self.schema} CASCADE")


@pytest.fixture(params=["duckdb", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Each database in turn."""
    if request.param == "duckdb":
        path = tmp_path / "polars.duckdb"
        # As the adapter opens it: within one process, all connections to a file are configured alike.
        with (
            UnifiedSqlAdapter.from_url(f"duckdb:///{path}") as adapter,
            duckdb.connect(str(path), config={"python_enable_replacements": False}) as bare,
        ):
            yield Place(adapter, bare.execute, "?")
        return
    url = request.getfixturevalue("postgres_url")
    with UnifiedSqlAdapter.from_url(url) as adapter, psycopg.connect(url, autocommit=True) as connection:
        made = Place(adapter, connection.execute, "%s")
        yield made
        made.drop()


EMPTY: list[tuple[Any, ...]] = []
NULLS = [(None,) * len(TYPES)] * 3
SMALLEST = [tuple(value if name == "ratio" else None for name in TYPES) for value in (0.0, 5e-324)]
INFINITE = [tuple(value if name == "ratio" else None for name in TYPES) for value in (-math.inf, 1e300)]


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@example(rows=EMPTY)
@example(rows=NULLS)
@example(rows=INFINITE)
@example(rows=SMALLEST)
@given(rows=ROWS)
def test_every_figure_is_what_polars_makes_of_the_rows(place: Place, rows: list[tuple[Any, ...]]) -> None:
    name = place.table(rows)
    frame = place.frame(name)

    wanted = TableRequest(relation=name, keys=(("whole",),))
    (found,) = measure_tables(place.adapter, [wanted], QualitySettings(top=5))

    assert found.reason is None and found.row_count == frame.height and found.sampled_rows is None
    assert [column.name for column in found.columns] == list(TYPES)
    for column in found.columns:
        check_column(column, frame[column.name])
    check_scores(found, frame)


def check_column(column: ColumnQuality, values: pl.Series) -> None:
    """That *column* says of *values* what polars does."""
    profile, there = column.profile, values.drop_nulls()
    assert column.reason is None and profile is not None, column
    assert (profile.row_count, profile.not_null_count) == (values.len(), values.count()), column
    assert (column.null_count, profile.distinct_count) == (values.null_count(), there.n_unique()), column
    for figure, value in expected(column.name, values, there).items():
        assert agrees(getattr(profile, figure), value), (column.name, figure, value, profile)
    if column.name == "word":
        assert column.blank_count == (there.str.strip_chars(" ") == "").sum()
    else:
        assert column.blank_count is None
    check_top_values(column, there)


def expected(name: str, values: pl.Series, there: pl.Series) -> dict[str, Any]:
    """Figures of the profile."""
    if name == "flag":
        return {"true_count": values.sum(), "avg": values.fill_null(False).mean()}
    if name == "word":
        lengths = there.str.len_chars()
        return {
            **{"min": there.min(), "max": there.max(), "min_length": lengths.min()},
            **{"max_length": lengths.max(), "avg_length": lengths.mean()},
        }
    if name in MOMENTS:
        ordered = there.sort()
        middle = ordered[(ordered.len() - 1) // 2] if ordered.len() else None
        return {"min": there.min(), "max": there.max(), "median": middle}
    doubles = there.cast(pl.Float64)
    largest = there.max()
    if there.dtype.is_float() and there.is_nan().any():  # which is the largest number there is
        largest = math.nan
    return {"min": there.min(), "max": largest, "avg": doubles.mean(), "median": middle_of(doubles)}


def middle_of(doubles: pl.Series) -> float | None:
    """The median, with NaN as the largest number."""
    ordered = doubles.sort(nulls_last=True)
    if not ordered.len():
        return None
    low, high = ordered[(ordered.len() - 1) // 2], ordered[ordered.len() // 2]
    return low if low == high else low + (high - low) / 2 if math.isfinite(low + high) else (low + high) / 2


def check_top_values(column: ColumnQuality, there: pl.Series) -> None:
    """That the first five are those that polars counts, the most frequent first, then the smallest."""
    same = there + 0.0 if there.dtype.is_float() else there  # without the sign of zero
    counts = same.alias("value").value_counts(name="rows").sort(["rows", "value"], descending=[True, False])
    best = counts.head(5)
    assert [one.count for one in column.top_values] == best["rows"].to_list(), column
    for one, value in zip(column.top_values, best["value"].to_list(), strict=True):
        assert agrees(one.value, value), (column, value)


def check_scores(found: TableQuality, frame: pl.DataFrame) -> None:
    """That scores follow from shares of rows."""
    if not frame.height:
        assert found.score is None and all(column.score is None for column in found.columns)
        return
    blank = {"word": int((frame["word"].str.strip_chars(" ") == "").sum() or 0)}
    complete = {name: (frame[name].count() - blank.get(name, 0)) / frame.height for name in frame.columns}
    whole = frame["whole"].drop_nulls()
    unique = whole.n_unique() / whole.len() if whole.len() else None
    for column in found.columns:
        parts = [complete[column.name], *([unique] if column.name == "whole" and unique else [])]
        assert column.score == pytest.approx(100 * sum(parts) / len(parts))
    mean = sum(complete.values()) / len(complete)
    parts = [mean] if unique is None else [mean, unique]
    assert found.score == pytest.approx(100 * sum(parts) / len(parts))


def agrees(own: Any, other: Any) -> bool:
    """Whether a figure is what it should be; computed ones up to rounding."""
    if isinstance(own, float) and isinstance(other, (int, float, Decimal)):
        if math.isnan(own) or math.isnan(other):
            return math.isnan(own) and math.isnan(other)
        return math.isclose(own, other, rel_tol=1e-6, abs_tol=1e-9 * 2**40)
    if isinstance(own, date) and isinstance(other, date):
        return own == other
    return bool(own == other)
