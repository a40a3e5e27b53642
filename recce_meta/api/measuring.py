"""Measures the quality of tables: several at once, each failing alone, or prints what would be asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timezone

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.adapter.pool import Pool
from recce_meta.api.asking import Warehouses
from recce_meta.api.places import Places
from recce_meta.dialects import dialect_named
from recce_meta.diff.data.failures import first_line
from recce_meta.diff.data.plan import Query
from recce_meta.diff.data.quality import Settings, Table, declared_unique, table_quality
from recce_meta.diff.data.quality_metrics import Metric
from recce_meta.diff.data.quality_privacy import NOBODY
from recce_meta.errors import QueryCancelled, RecceMetaError, UsageError
from recce_meta.models import NodeMetadata
from recce_meta.models.quality import TableQuality

EXACT = Settings()
"""All rows, values of columns that are not private, ten most frequent values."""
VIEWS = ("view",)

OnMeasured = Callable[[TableQuality], None]


class Wanted(Struct, frozen=True, kw_only=True):
    """One table to measure: a node, or a relation as the warehouse's SQL names it."""

    relation: NodeMetadata | str
    keys: tuple[tuple[str, ...], ...] = ()
    """Columns that identify a row, beside those that the node declares."""
    metrics: tuple[Metric, ...] = ()
    private: Mapping[str, bool] = NOBODY
    """Whether values are withheld, by name of columns of which that is said; others are known by theirs."""


def measure_tables(
    adapter: UnifiedSqlAdapter,
    wanted: Sequence[Wanted],
    settings: Settings = EXACT,
    *,
    tests: Iterable[NodeMetadata] = (),
    threads: int | None = None,
    deadline: float | None = None,
    on_done: OnMeasured | None = None,
) -> list[TableQuality]:
    """The quality of each of *wanted*, in its order; one that cannot be measured has a reason.

    *tests* are nodes that tell which columns are unique; all of a run may be given. *threads* is the number
    of statements at once, the profile's unless it is given; *deadline* a reading of `time.monotonic` at which
    they are stopped, and what is then missing has that for a reason. *on_done* is told each as it ends, in
    any order. Raises QueryCancelled.
    """
    tables = _tables(adapter, wanted, tests)
    pool = Pool(adapter, threads, deadline=deadline)
    warehouses = Warehouses(pool)

    def measured(table: Table) -> TableQuality:
        now = datetime.now(timezone.utc)
        try:
            found = warehouses.run(table_quality(table, settings, measured_at=now))
        except QueryCancelled:
            raise
        except RecceMetaError as error:  # of the connection: others may have one that works
            found = TableQuality(
                unique_id=table.unique_id,
                name=table.name,
                relation=table.source.text,
                measured_at=now,
                reason=first_line(error),
            )
        if on_done is not None:
            on_done(found)
        return found

    try:
        return warehouses.each(measured, tables)
    finally:
        pool.close()


def measuring_statements(
    adapter: UnifiedSqlAdapter,
    wanted: Sequence[Wanted],
    settings: Settings = EXACT,
    *,
    tests: Iterable[NodeMetadata] = (),
) -> list[Query]:
    """The statements that would measure *wanted*, as far as they do not depend on data.

    Columns are looked up; raises what that raises.
    """
    pool = Pool(adapter, 1)
    try:
        warehouses = Warehouses(pool)
        now = datetime.now(timezone.utc)
        return [
            query
            for table in _tables(adapter, [_unjudged(one) for one in wanted], tests)
            for query in warehouses.print(table_quality(table, settings, measured_at=now))
        ]
    finally:
        pool.close()


def _unjudged(wanted: Wanted) -> Wanted:
    """The same, where there are no values to judge."""
    return replace(wanted, metrics=tuple(replace(metric, holds=None) for metric in wanted.metrics))


def _tables(
    adapter: UnifiedSqlAdapter, wanted: Sequence[Wanted], tests: Iterable[NodeMetadata]
) -> list[Table]:
    dialect = dialect_named(adapter.warehouse.dialect)
    places = Places(base=dialect, current=dialect)
    known = [node for node in tests if node.resource_type == "test"]
    return [_table(one, places, known) for one in wanted]


def _table(wanted: Wanted, places: Places, tests: Sequence[NodeMetadata]) -> Table:
    relation = wanted.relation
    pair = places.pair(None, relation)
    if pair.current is None:
        raise UsageError(f"{pair.subject.name} has no relation: there is nothing to measure")
    keys, is_view = wanted.keys, False
    if isinstance(relation, NodeMetadata):
        keys = (*keys, *declared_unique(relation, tests))
        is_view = relation.resource_type in VIEWS or relation.materialized in VIEWS
    name = pair.subject.name
    return Table(
        source=replace(pair.current, name=name),
        unique_id=pair.subject.unique_id or pair.current.text,
        name=name,
        is_view=is_view,
        keys=keys,
        metrics=wanted.metrics,
        private=wanted.private,
    )
