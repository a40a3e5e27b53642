"""The data diffs as functions: each compares two relations, nodes or queries, and returns one result.

*base* and *current* are nodes of a run, or relations as the warehouse's SQL names them (`prod.orders`), or
None where a side has none. *base_adapter* is the connection to base where that is another one; *threads* is
how many statements run at once. Errors are raised: WarehouseError with the statement, UsageError and
UnknownNameError for what cannot be compared so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import TypeVar, overload

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.adapter.statement import single_statement
from recce_meta.api.comparing_data import open_comparison
from recce_meta.api.places import Places, Relation
from recce_meta.api.subjects import Sides
from recce_meta.api.value_jobs import details, values
from recce_meta.diff.data import counts, histogram, profile, query, schema, top_k
from recce_meta.diff.data.keys import Key, declared_keys
from recce_meta.diff.data.plan import Plan
from recce_meta.diff.data.settings import DEFAULT_EXAMPLES, DEFAULT_LIMIT, ValueOptions
from recce_meta.errors import UsageError, quoted
from recce_meta.models import NodeMetadata
from recce_meta.models.data_diff import (
    HistogramDiff,
    ProfileDiff,
    QueryDiff,
    RowCountDiff,
    RowsDiff,
    SchemaDiff,
    TopKDiff,
    ValueDetail,
    ValueDiff,
)

Result = TypeVar("Result")


def row_count_diff(
    adapter: UnifiedSqlAdapter,
    relations: Iterable[tuple[Relation, Relation]],
    *,
    base_adapter: UnifiedSqlAdapter | None = None,
    threads: int | None = None,
) -> RowCountDiff:
    """The rows of each (base, current) of *relations*, in few statements, or why they cannot be counted."""
    chosen = [Sides(base, current) for base, current in relations]
    return _answer(
        adapter,
        base_adapter,
        threads,
        lambda places: counts.row_counts([sides.countable(places) for sides in chosen]),
    )


def schema_diff(
    adapter: UnifiedSqlAdapter,
    base: Relation,
    current: Relation,
    *,
    base_adapter: UnifiedSqlAdapter | None = None,
) -> SchemaDiff:
    """Columns and types of both sides, as the warehouse has them now."""
    return _answer(adapter, base_adapter, None, lambda places: schema.schema_diff(places.pair(base, current)))


@overload
def value_diff(
    adapter: UnifiedSqlAdapter,
    base: Relation,
    current: Relation,
    *,
    key: Sequence[str] | str,
    tests: Iterable[NodeMetadata] = ...,
    columns: Sequence[str] = ...,
    exclude_columns: Sequence[str] = ...,
    where: str | None = ...,
    sample: float | None = ...,
    tolerance: float | Decimal = ...,
    relative_tolerance: float | Decimal = ...,
    timestamp_precision: str | None = ...,
    ignore_case: bool = ...,
    ignore_trailing_blanks: bool = ...,
    examples: int = ...,
    limit: int = ...,
    threads: int | None = ...,
) -> ValueDiff: ...


@overload
def value_diff(
    adapter: UnifiedSqlAdapter,
    base: Relation,
    current: Relation,
    *,
    key: None = ...,
    tests: Iterable[NodeMetadata] = ...,
    columns: Sequence[str] = ...,
    exclude_columns: Sequence[str] = ...,
    where: str | None = ...,
    sample: float | None = ...,
    tolerance: float | Decimal = ...,
    relative_tolerance: float | Decimal = ...,
    timestamp_precision: str | None = ...,
    ignore_case: bool = ...,
    ignore_trailing_blanks: bool = ...,
    examples: int = ...,
    limit: int = ...,
    threads: int | None = ...,
) -> ValueDiff | RowsDiff: ...


def value_diff(
    adapter: UnifiedSqlAdapter,
    base: Relation,
    current: Relation,
    *,
    key: Sequence[str] | str | None = None,
    tests: Iterable[NodeMetadata] = (),
    columns: Sequence[str] = (),
    exclude_columns: Sequence[str] = (),
    where: str | None = None,
    sample: float | None = None,
    tolerance: float | Decimal = 0.0,
    relative_tolerance: float | Decimal = 0.0,
    timestamp_precision: str | None = None,
    ignore_case: bool = False,
    ignore_trailing_blanks: bool = False,
    examples: int = DEFAULT_EXAMPLES,
    limit: int = DEFAULT_LIMIT,
    threads: int | None = None,
) -> ValueDiff | RowsDiff:
    """Rows matched by key, and every column's values compared; whole rows where there is no key.

    The key is *key*, or else what the node declares, or *tests* (any nodes of its run) say of it. *sample* is
    in per cent; *tolerance* and *relative_tolerance* are those of PEP 485. *limit* is how many rows are shown
    where whole rows are compared.
    """
    options = ValueOptions(
        key=_key(key),
        candidates=_declared(base, current, tests),
        columns=_names(columns),
        exclude_columns=_names(exclude_columns),
        where=where,
        sample=sample,
        absolute=tolerance,
        relative=relative_tolerance,
        timestamp_precision=timestamp_precision,
        ignore_case=ignore_case,
        ignore_trailing_blanks=ignore_trailing_blanks,
        examples=examples,
        limit=limit,
    )
    return _answer(adapter, None, threads, lambda places: values(places.pair(base, current), options))


@overload
def value_diff_detail(
    adapter: UnifiedSqlAdapter,
    base: Relation,
    current: Relation,
    *,
    key: Sequence[str] | str,
    tests: Iterable[NodeMetadata] = ...,
    columns: Sequence[str] = ...,
    exclude_columns: Sequence[str] = ...,
    where: str | None = ...,
    sample: float | None = ...,
    tolerance: float | Decimal = ...,
    relative_tolerance: float | Decimal = ...,
    timestamp_precision: str | None = ...,
    ignore_case: bool = ...,
    ignore_trailing_blanks: bool = ...,
    limit: int = ...,
    threads: int | None = ...,
) -> ValueDetail: ...


@overload
def value_diff_detail(
    adapter: UnifiedSqlAdapter,
    base: Relation,
    current: Relation,
    *,
    key: None = ...,
    tests: Iterable[NodeMetadata] = ...,
    columns: Sequence[str] = ...,
    exclude_columns: Sequence[str] = ...,
    where: str | None = ...,
    sample: float | None = ...,
    tolerance: float | Decimal = ...,
    relative_tolerance: float | Decimal = ...,
    timestamp_precision: str | None = ...,
    ignore_case: bool = ...,
    ignore_trailing_blanks: bool = ...,
    limit: int = ...,
    threads: int | None = ...,
) -> ValueDetail | RowsDiff: ...


def value_diff_detail(
    adapter: UnifiedSqlAdapter,
    base: Relation,
    current: Relation,
    *,
    key: Sequence[str] | str | None = None,
    tests: Iterable[NodeMetadata] = (),
    columns: Sequence[str] = (),
    exclude_columns: Sequence[str] = (),
    where: str | None = None,
    sample: float | None = None,
    tolerance: float | Decimal = 0.0,
    relative_tolerance: float | Decimal = 0.0,
    timestamp_precision: str | None = None,
    ignore_case: bool = False,
    ignore_trailing_blanks: bool = False,
    limit: int = DEFAULT_LIMIT,
    threads: int | None = None,
) -> ValueDetail | RowsDiff:
    """The first *limit* rows that differ, by key, with values of both sides; options as of `value_diff`."""
    options = ValueOptions(
        key=_key(key),
        candidates=_declared(base, current, tests),
        columns=_names(columns),
        exclude_columns=_names(exclude_columns),
        where=where,
        sample=sample,
        absolute=tolerance,
        relative=relative_tolerance,
        timestamp_precision=timestamp_precision,
        ignore_case=ignore_case,
        ignore_trailing_blanks=ignore_trailing_blanks,
        limit=limit,
    )
    return _answer(adapter, None, threads, lambda places: details(places.pair(base, current), options))


def profile_diff(
    adapter: UnifiedSqlAdapter,
    base: Relation,
    current: Relation,
    *,
    columns: Sequence[str] = (),
    exclude_columns: Sequence[str] = (),
    where: str | None = None,
    approximate: bool = False,
    base_adapter: UnifiedSqlAdapter | None = None,
    threads: int | None = None,
) -> ProfileDiff:
    """Figures of every column on both sides; *approximate* estimates distinct counts, in the same scan."""
    return _answer(
        adapter,
        base_adapter,
        threads,
        lambda places: profile.profile_diff(
            places.pair(base, current), _names(columns), _names(exclude_columns), where, approximate
        ),
    )


def top_k_diff(
    adapter: UnifiedSqlAdapter,
    base: Relation,
    current: Relation,
    columns: Sequence[str] = (),
    *,
    k: int = 10,
    where: str | None = None,
    base_adapter: UnifiedSqlAdapter | None = None,
    threads: int | None = None,
) -> TopKDiff:
    """The *k* most frequent values of *columns* (all, where none are named) on both sides."""
    return _answer(
        adapter,
        base_adapter,
        threads,
        lambda places: top_k.top_k_diff(places.pair(base, current), _names(columns), k, where),
    )


def histogram_diff(
    adapter: UnifiedSqlAdapter,
    base: Relation,
    current: Relation,
    columns: Sequence[str] = (),
    *,
    num_bins: int = 50,
    where: str | None = None,
    base_adapter: UnifiedSqlAdapter | None = None,
    threads: int | None = None,
) -> HistogramDiff:
    """How numbers, dates and timestamps of *columns* are distributed, in the same bins on both sides."""
    return _answer(
        adapter,
        base_adapter,
        threads,
        lambda places: histogram.histogram_diff(places.pair(base, current), _names(columns), num_bins, where),
    )


def query_diff(
    adapter: UnifiedSqlAdapter,
    base_sql: str,
    current_sql: str,
    *,
    key: Sequence[str] | str | None = None,
    limit: int = DEFAULT_LIMIT,
    base_adapter: UnifiedSqlAdapter | None = None,
    threads: int | None = None,
) -> QueryDiff:
    """How the results of two queries differ, by *key* or as whole rows; both are SQL of the warehouse."""
    options = ValueOptions(key=_key(key), limit=limit)

    def plan(places: Places) -> Plan[QueryDiff]:
        base = single_statement(base_sql, places.base.name)
        current = single_statement(current_sql, places.current.name)
        return query.query_diff(places.queries(base, current), options, base_sql=base, current_sql=current)

    return _answer(adapter, base_adapter, threads, plan)


def _answer(
    adapter: UnifiedSqlAdapter,
    base_adapter: UnifiedSqlAdapter | None,
    threads: int | None,
    plan: Callable[[Places], Plan[Result]],
) -> Result:
    comparison = open_comparison(adapter, base_adapter, threads=threads or adapter.threads)
    try:
        return comparison.run(plan(comparison.places))
    finally:
        comparison.close()


def _key(key: Sequence[str] | str | None) -> tuple[str, ...] | None:
    if key is None:
        return None
    names = _names(key)
    if not names:
        raise UsageError("The key has no columns", hint="name its columns, or leave key out")
    return names


def _names(given: Sequence[str] | str) -> tuple[str, ...]:
    """Names of columns; one may stand alone."""
    names = (given,) if isinstance(given, str) else given
    if not isinstance(names, Iterable) or not all(isinstance(name, str) for name in names):
        raise UsageError(f"{quoted(given)} names no columns", hint="give the name of one, or a list of names")
    return tuple(names)


def _declared(base: Relation, current: Relation, tests: Iterable[NodeMetadata]) -> tuple[Key, ...]:
    node = next((side for side in (current, base) if isinstance(side, NodeMetadata)), None)
    return () if node is None else declared_keys(node, tests)
