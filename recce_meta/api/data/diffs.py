"""Data diffs as functions: each compares two relations, nodes or queries, and returns one result.

*base* and *current* are nodes of a run, or names of relations in the warehouse's SQL (`prod.orders`), or
None if a side has no relation. Settings in a node's `meta.recce_meta` are the defaults of arguments that are
not passed; of its `compare`, only `rows` applies. *adapter* is the connection to current, and to base unless
*base_adapter* is given. *threads* is the number of concurrent queries. Errors are raised: WarehouseError with
the statement, UsageError and UnknownNameError for comparisons that are not possible.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TypeVar, overload

from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.adapter.statements import single_statement
from recce_meta.api.data.execution import (
    Relation,
    RelationResolver,
    open_data_diff_runner,
)
from recce_meta.api.data.figures import figures_within
from recce_meta.api.data.jobs import NodePair, PairedNode, counts_of_two, details, values
from recce_meta.api.data.node_settings import resolve_settings
from recce_meta.config.nodes import EffectiveSettings
from recce_meta.data_diff import detail, schema
from recce_meta.data_diff.options import DEFAULT_LIMIT, FigureScope, ValueOptions, column_names, declared_keys
from recce_meta.data_diff.plan import Plan
from recce_meta.data_diff.source import Pair, are_same
from recce_meta.errors import UsageError
from recce_meta.models import NodeMetadata
from recce_meta.models.data_diff import (
    DataDiff,
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
from recce_meta.models.diff_kinds import HISTOGRAM, PROFILE, TOP_K
from recce_meta.tables.gaps import SAME_RELATION

Result = TypeVar("Result", bound="DataDiff | RowCountDiff")


def row_count_diff(
    adapter: UnifiedSqlAdapter,
    relations: Iterable[tuple[Relation, Relation]],
    *,
    base_adapter: UnifiedSqlAdapter | None = None,
    threads: int | None = None,
) -> RowCountDiff:
    """Count the rows of each (base, current) of *relations* in few queries, or report why that failed.

    *adapter* connects to current, and to base unless *base_adapter* does. *threads* is the number of
    concurrent queries, by default the adapter's.
    """
    # A malformed setting is an error here, and not one of the results.
    chosen = [_sides(base, current) for base, current in relations]
    return _answer(
        adapter,
        base_adapter,
        threads,
        lambda resolver: counts_of_two([sides.countable(resolver) for sides in chosen]),
        chosen,
        is_of_rows=True,
    )


def schema_diff(
    adapter: UnifiedSqlAdapter,
    base: Relation,
    current: Relation,
    *,
    base_adapter: UnifiedSqlAdapter | None = None,
) -> SchemaDiff:
    """Compare columns and types of *base* and *current*, read from the warehouse.

    *adapter* connects to current, and to base unless *base_adapter* does.
    """
    sides = _sides(base, current)
    return _answer(
        adapter, base_adapter, None, lambda resolver: schema.schema_diff(sides.pair(resolver)), [sides]
    )


@overload
def value_diff(
    adapter: UnifiedSqlAdapter,
    base: Relation,
    current: Relation,
    *,
    key: Sequence[str] | str,
    options: ValueOptions = ...,
    base_adapter: UnifiedSqlAdapter | None = ...,
    threads: int | None = ...,
) -> ValueDiff: ...


@overload
def value_diff(
    adapter: UnifiedSqlAdapter,
    base: Relation,
    current: Relation,
    *,
    key: None = ...,
    options: ValueOptions = ...,
    base_adapter: UnifiedSqlAdapter | None = ...,
    threads: int | None = ...,
) -> ValueDiff | RowsDiff: ...


def value_diff(
    adapter: UnifiedSqlAdapter,
    base: Relation,
    current: Relation,
    *,
    key: Sequence[str] | str | None = None,
    options: ValueOptions = ValueOptions(),
    base_adapter: UnifiedSqlAdapter | None = None,
    threads: int | None = None,
) -> ValueDiff | RowsDiff:
    """Match rows of *base* and *current* by key and compare every column; compare whole rows without a key.

    *key* names the key columns, and takes precedence over that of *options*. By default, the key is that of
    the node's `meta.recce_meta`, else of the node's declarations, or of the `tests` of *options*. Nodes of
    `node_pairs` carry the keys of their tests. *options* that are not passed also come from
    `meta.recce_meta`. *adapter* connects to current, and to base unless *base_adapter* does, with *threads*
    concurrent queries.
    """
    return _of_rows(adapter, base_adapter, threads, _sides(base, current), values, key, options)


@overload
def value_diff_detail(
    adapter: UnifiedSqlAdapter,
    base: Relation,
    current: Relation,
    *,
    key: Sequence[str] | str,
    options: ValueOptions = ...,
    base_adapter: UnifiedSqlAdapter | None = ...,
    threads: int | None = ...,
) -> ValueDetail: ...


@overload
def value_diff_detail(
    adapter: UnifiedSqlAdapter,
    base: Relation,
    current: Relation,
    *,
    key: None = ...,
    options: ValueOptions = ...,
    base_adapter: UnifiedSqlAdapter | None = ...,
    threads: int | None = ...,
) -> ValueDetail | RowsDiff: ...


def value_diff_detail(
    adapter: UnifiedSqlAdapter,
    base: Relation,
    current: Relation,
    *,
    key: Sequence[str] | str | None = None,
    options: ValueOptions = ValueOptions(),
    base_adapter: UnifiedSqlAdapter | None = None,
    threads: int | None = None,
) -> ValueDetail | RowsDiff:
    """Return the first differing rows of *base* and *current*, by key, with values of both sides.

    `limit` of *options* is their number. Whole rows are compared if there is no key. The arguments are those
    of `value_diff`: *adapter*, *base_adapter*, *key* and *threads*.
    """
    return _of_rows(adapter, base_adapter, threads, _sides(base, current), details, key, options)


def profile_diff(
    adapter: UnifiedSqlAdapter,
    base: Relation,
    current: Relation,
    *,
    scope: FigureScope = FigureScope(),
    approximate: bool = False,
    base_adapter: UnifiedSqlAdapter | None = None,
    threads: int | None = None,
) -> ProfileDiff:
    """Compare statistics of the columns of *base* and *current* in *scope*.

    *approximate* estimates distinct counts in the same scan. *adapter* connects to current, and to base
    unless *base_adapter* does, with *threads* concurrent queries.
    """
    plan = partial(figures_within, kind=PROFILE, scope=scope, approximate=approximate)
    answer: ProfileDiff = _of_pair(adapter, base_adapter, threads, _sides(base, current), plan)
    return answer


def top_k_diff(
    adapter: UnifiedSqlAdapter,
    base: Relation,
    current: Relation,
    *,
    scope: FigureScope = FigureScope(),
    k: int = 10,
    base_adapter: UnifiedSqlAdapter | None = None,
    threads: int | None = None,
) -> TopKDiff:
    """Compare the *k* most frequent values of each column of *base* and *current* in *scope*.

    *adapter* connects to current, and to base unless *base_adapter* does, with *threads* concurrent queries.
    """
    plan = partial(figures_within, kind=TOP_K, scope=scope, number=k)
    answer: TopKDiff = _of_pair(adapter, base_adapter, threads, _sides(base, current), plan)
    return answer


def histogram_diff(
    adapter: UnifiedSqlAdapter,
    base: Relation,
    current: Relation,
    *,
    scope: FigureScope = FigureScope(),
    num_bins: int = 50,
    base_adapter: UnifiedSqlAdapter | None = None,
    threads: int | None = None,
) -> HistogramDiff:
    """Compare the distribution of each column of *base* and *current* in *scope*, in the same bins.

    The columns are numbers, dates and timestamps. *num_bins* is the approximate number of bins. *adapter*
    connects to current, and to base unless *base_adapter* does, with *threads* concurrent queries.
    """
    plan = partial(figures_within, kind=HISTOGRAM, scope=scope, number=num_bins)
    answer: HistogramDiff = _of_pair(adapter, base_adapter, threads, _sides(base, current), plan)
    return answer


def _of_rows(
    adapter: UnifiedSqlAdapter,
    base_adapter: UnifiedSqlAdapter | None,
    threads: int | None,
    sides: NodePair,
    plan: Callable[[Pair, ValueOptions, EffectiveSettings], Plan[Result]],
    key: Sequence[str] | str | None,
    options: ValueOptions,
) -> Result:
    """Run *plan* for *sides* with *options*, by *key* if it is not None, and the keys of the node."""
    node = sides.node
    if isinstance(node, PairedNode) and not options.tests:
        candidates = node.candidates
    else:
        candidates = () if node is None else declared_keys(node, options.tests)
    chosen = replace(options, key=options.key if key is None else column_names(key), candidates=candidates)
    return _of_pair(
        adapter, base_adapter, threads, sides, lambda pair, settings: plan(pair, chosen, settings)
    )


def _of_pair(
    adapter: UnifiedSqlAdapter,
    base_adapter: UnifiedSqlAdapter | None,
    threads: int | None,
    sides: NodePair,
    plan: Callable[[Pair, EffectiveSettings], Plan[Result]],
) -> Result:
    """Run *plan* for *sides* with the settings of the node."""
    return _answer(
        adapter,
        base_adapter,
        threads,
        lambda resolver: plan(sides.pair(resolver), sides.resolved.settings),
        [sides],
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
    """Compare the results of *base_sql* and *current_sql*, by *key* or as whole rows.

    Both queries are SQL of the warehouse. *limit* is the maximum number of differing rows to return.
    *adapter* connects to current, and to base unless *base_adapter* does, with *threads* concurrent queries.
    """
    options = ValueOptions(key=None if key is None else column_names(key), limit=limit)

    def plan(resolver: RelationResolver) -> Plan[QueryDiff]:
        # The text becomes a subquery, where a second statement or a semicolon would be an error.
        base = single_statement(base_sql, resolver.base.name)
        current = single_statement(current_sql, resolver.current.name)
        return detail.query_diff(resolver.queries(base, current), options, base_sql=base, current_sql=current)

    return _answer(adapter, base_adapter, threads, plan)


def _sides(base: Relation, current: Relation) -> NodePair:
    """Return both sides with the settings of the node, and why each side is stale.

    Raises InvalidNodeSettings if the meta of the node is malformed.
    """
    before, after = (one.sides if isinstance(one, PairedNode) else None for one in (base, current))
    found = after or before
    resolved = (
        resolve_settings(NodePair(base, current).node, (), is_named=True) if found is None else found.resolved
    )
    if resolved.problem is not None:
        raise resolved.problem
    return NodePair(
        base,
        current,
        base_stale=None if before is None else before.base_stale,
        current_stale=None if after is None else after.current_stale,
        resolved=resolved,
    )


def _answer(
    adapter: UnifiedSqlAdapter,
    base_adapter: UnifiedSqlAdapter | None,
    threads: int | None,
    plan: Callable[[RelationResolver], Plan[Result]],
    chosen: Sequence[NodePair] = (),
    *,
    is_of_rows: bool = False,
) -> Result:
    """Run *plan*. Raises UsageError if both sides are one relation: it says nothing about their runs."""
    nodes = (side for sides in chosen for side in (sides.base, sides.current))
    of_runs = dict.fromkeys(note for node in nodes if isinstance(node, PairedNode) for note in node.notes)
    comparison = open_data_diff_runner(adapter, base_adapter, threads=threads or None)
    try:
        # Who gives one name twice has asked for it.
        pairs = [
            sides.pair(comparison.places)
            for sides in chosen
            if not is_of_rows
            and (
                base_adapter is not None
                or isinstance(sides.base, NodeMetadata)
                or sides.base != sides.current
            )
        ]
        if any(comparison.run(are_same(pairs))):
            raise UsageError(
                f"{pairs[0].subject.name} was not compared: {SAME_RELATION}",
                hint="pass runs of two environments",
            )
        found = comparison.run(plan(comparison.places))
        return replace(found, notes=(*found.notes, *comparison.notes, *of_runs))
    finally:
        # Closes only connections that the pool has opened; the adapters belong to the caller.
        comparison.close()
