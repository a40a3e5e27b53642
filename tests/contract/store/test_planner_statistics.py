"""PostgreSQL's planner has statistics of a store from its first runs on, whenever autovacuum comes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.models import Project
from recce_meta.store.session import init_store
from recce_meta.store.write import record_run
from recce_meta.sync.exchange import exchange
from recce_meta.sync.operations import store_replica

pytestmark = pytest.mark.core("postgres")


@pytest.fixture
def adapter(postgres_url: str) -> Iterator[UnifiedSqlAdapter]:
    """A store whose table of runs autovacuum leaves alone."""
    with UnifiedSqlAdapter.from_url(postgres_url).at(f"Planned {uuid4().hex[:8]}") as found:
        init_store(found)
        schema = found.quote_identifier(found.schema)
        found.execute(f"ALTER TABLE {schema}.store_runs SET (autovacuum_enabled = false)")
        yield found
        found.execute(f"DROP SCHEMA {schema} CASCADE")


def analysed_rows(adapter: UnifiedSqlAdapter) -> int:
    """Return the number of runs at the last ANALYZE; 0 if the planner knows nothing of their columns."""
    _, rows = adapter.execute(
        "SELECT MAX(reltuples) FROM pg_class JOIN pg_namespace AS own ON own.oid = relnamespace "
        f"JOIN pg_stats ON schemaname = nspname AND tablename = relname "
        f"WHERE nspname = '{adapter.schema}' AND relname = 'store_runs'"
    )
    return int(rows[0][0] or 0)


def test_statistics_follow_the_number_of_runs(
    adapter: UnifiedSqlAdapter, make_project: Callable[..., Project]
) -> None:
    counts = []
    for number in range(1, 6):
        record_run(adapter, make_project(f"run-{number}"))
        counts.append(analysed_rows(adapter))
    assert counts == [1, 2, 2, 4, 4]


def test_init_analyses_a_store_that_was_restored_without_statistics(
    adapter: UnifiedSqlAdapter, make_project: Callable[..., Project]
) -> None:
    record_run(adapter, make_project("run-1"))
    adapter.execute(
        "DELETE FROM pg_statistic WHERE starelid IN "
        f"(SELECT pg_class.oid FROM pg_class JOIN pg_namespace AS own ON own.oid = relnamespace "
        f"WHERE nspname = '{adapter.schema}')"
    )
    assert analysed_rows(adapter) == 0

    init_store(adapter)

    assert analysed_rows(adapter) == 1


def test_a_pull_is_analysed(adapter: UnifiedSqlAdapter, make_project: Callable[..., Project]) -> None:
    with UnifiedSqlAdapter.from_url("duckdb://") as other:
        record_run(other, make_project("run-1"))
        record_run(other, make_project("run-2"))
        assert exchange(store_replica(adapter), store_replica(other), "pull").status == "success"
    assert analysed_rows(adapter) == 2
