"""One relation under two names is not compared with itself."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.data.execution import open_data_diff_runner
from recce_meta.api.data.jobs import NodePair, row_count_job, value_jobs
from recce_meta.data_diff.options import ValueOptions
from recce_meta.models.data_diff import NotCompared, RowCountDiff, RowsDiff
from recce_meta.tables.gaps import SAME_RELATION

LONG = "t" * 63


@pytest.fixture
def place(postgres_url: str) -> Iterator[tuple[UnifiedSqlAdapter, str]]:
    """Adapter, and a schema with tables that is also first in its search path."""
    schema = f"same_{uuid4().hex[:8]}"
    with UnifiedSqlAdapter.from_url(postgres_url) as owner:
        owner.execute(f"CREATE SCHEMA {schema}")
        for name in ("t", "other", LONG):
            owner.execute(f"CREATE TABLE {schema}.{name} AS SELECT 1 AS id")
        path = f"{postgres_url}?options=-csearch_path%3D{schema}"
        with UnifiedSqlAdapter.from_url(path) as adapter:
            yield adapter, schema
        owner.execute(f"DROP SCHEMA {schema} CASCADE")


@pytest.mark.parametrize(
    ("base", "current", "is_same"),
    [
        ("{schema}.t", "t", True),
        ("{schema}.t", "{database}.{schema}.t", True),
        ("{schema}." + LONG + "x", "{schema}." + LONG + "y", True),
        ("{schema}.t", "{schema}.T", True),
        ("{schema}.t", "other", False),
        ("{schema}.t", "{database}.{schema}.other", False),
    ],
)
def test_names_of_one_relation_are_recognized(
    place: tuple[UnifiedSqlAdapter, str], postgres_url: str, base: str, current: str, is_same: bool
) -> None:
    adapter, schema = place
    names = {"schema": schema, "database": urlsplit(postgres_url).path.strip("/")}
    pairs = [NodePair(base.format(**names), current.format(**names))]
    runner = open_data_diff_runner(adapter, threads=1)
    jobs = value_jobs(runner.places, None, pairs, ValueOptions())
    (values,) = runner.run_all(jobs)
    (counts,) = runner.run_all([row_count_job(runner.places, pairs)])
    runner.close()

    assert isinstance(counts, RowCountDiff)
    if is_same:
        assert isinstance(values, NotCompared) and values.reason == SAME_RELATION
        assert (counts.counts[0].base, counts.counts[0].base_reason) == (None, SAME_RELATION)
    else:
        assert isinstance(values, RowsDiff) and values.is_equal
        assert (counts.counts[0].base, counts.counts[0].current) == (1, 1)
