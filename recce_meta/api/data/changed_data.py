"""Data of a diff: the comparison of `diff --data`, cheapest first, and the results that are stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct

from recce_meta.api.data.execution import DataDiffRunner, Job, RelationResolver
from recce_meta.api.data.jobs import Explanations, NodePair, each, limited_value_job, of_schema
from recce_meta.api.data.statistics import StatisticsByNode, stored_counts_job
from recce_meta.api.data.stored import ALL_DIFFS
from recce_meta.api.runs import RunPair
from recce_meta.config.nodes import NodeGlobs, is_pattern, matches_glob
from recce_meta.data_diff.options import Explaining, ValueOptions, stored_name
from recce_meta.errors import UnknownNameError
from recce_meta.models import NodeMetadata
from recce_meta.models.data_diff import (
    AnyDataDiff,
    DataSide,
    Failed,
    NotCompared,
    RowCount,
    SchemaDiff,
    counts_by_id,
)
from recce_meta.tables.gaps import SAME_RELATION

OnProgress = Callable[[int, int], None]
"""Called with the number of completed diffs, and their total in this round."""

MAX_ROWS = 10_000_000
MAX_BYTES = 1_000_000_000
"""Maximum size of the larger side of a relation for a comparison of whole rows."""
ALWAYS_SMALL = 10_000
"""Rows up to which the size in bytes is not looked up in the catalog."""
ROWS_SHOWN = 10
"""Number of rows to show that only one side has, in a comparison of whole rows."""
SWITCHED_OFF = "switched off by --no-values"


class ValueLimits(Struct, frozen=True, kw_only=True):
    """Limits of the comparison of values, and the settings of the command line."""

    with_values: bool = True
    max_rows: int | None = None
    """Maximum rows for a comparison of whole rows, whatever their size. None: MAX_ROWS and MAX_BYTES."""
    why: Explaining | None = None
    """What explains the values that differ."""
    globs: NodeGlobs = ()
    """Settings of the command line, which the compared nodes have already."""


NO_LIMITS = ValueLimits()


def data_of_diff(
    comparison: DataDiffRunner,
    runs: RunPair,
    chosen: Sequence[NodePair],
    on_progress: OnProgress,
    *,
    kept: tuple[StatisticsByNode, StatisticsByNode] = ({}, {}),
    limits: ValueLimits = NO_LIMITS,
    on_result: Callable[[AnyDataDiff], None] | None = None,
) -> list[AnyDataDiff]:
    """Compare row counts of all of *chosen*, and schemas and values of nodes with relations on both sides.

    Values are compared by key, or as whole rows within *limits*, small relations first. *kept* are the stored
    statistics of both runs; base is not counted again if it has them. A skipped comparison is a NotCompared
    among the results. A comparison that fails, or does not start before the deadline, is a Failed. So is a
    node with malformed settings. Raises UnknownNameError for a column in the settings of *limits* that does
    not exist. *on_result* is called with each result.
    """
    places = comparison.places
    skipped = [result for sides in chosen if (result := _skipped(sides, places, kept[0])) is not None]
    names = {result.subject.unique_id for result in skipped}
    # A skipped node must not be counted either: the user excluded it to spare the warehouse.
    chosen = [sides for sides in chosen if sides.pair(places).subject.unique_id not in names]
    both = [sides for sides in chosen if len(sides.pair(places).sides) == 2]
    # Counts and schemas are cheap, and decide which values are compared.
    first = [stored_counts_job(places, chosen, *kept), *each("schema_diff", places, both, of_schema)]
    results = _run(comparison, first, on_progress, on_result) if chosen else []
    # After the schemas are read, and before values are: a misspelt column must not cost full scans.
    _check_columns(limits.globs, both, results)
    unread = {result.subject.unique_id: result.error for result in results if isinstance(result, Failed)}
    counts = counts_by_id(results)
    left_out: list[AnyDataDiff] = [*skipped]
    jobs: list[tuple[int, Job]] = []
    # A limit that the user gives replaces both default limits.
    bytes_of = _bytes(comparison, both, counts) if limits.with_values and limits.max_rows is None else {}
    settled = Explanations.settle(ValueOptions(limit=ROWS_SHOWN, why=limits.why), runs, both, places)
    for sides in both:
        subject = sides.pair(places).subject
        if subject.unique_id in counts:  # which knows the relations that do not exist
            subject = counts[subject.unique_id].subject
        by_setting = sides.resolved.skip_reason("value_diff")
        reason = (unread.get(subject.unique_id) or by_setting) if limits.with_values else SWITCHED_OFF
        if reason is not None:
            left_out.append(NotCompared(subject=subject, diff="value_diff", reason=reason))
            continue
        count = counts.get(subject.unique_id)
        too_large = _too_large(sides, count, bytes_of.get(subject.unique_id or "", {}), limits.max_rows)
        job = limited_value_job(places, runs, sides, settled(sides), too_large)
        jobs.append((sum(_rows(count).values()), job))
    # Small relations first, so that a budget covers as many nodes as possible.
    jobs.sort(key=lambda each: each[0])
    return results + _run(comparison, [job for _, job in jobs], on_progress, on_result) + left_out


def _skipped(
    sides: NodePair, places: RelationResolver, kept: StatisticsByNode
) -> Failed | NotCompared | None:
    """Return the result of a node that its settings exclude, or that has malformed settings, else None.

    A node whose sides are one relation is only counted, and only if *kept* has an earlier count of base.
    """
    pair, problem = sides.pair(places), sides.resolved.problem
    if problem is not None:
        return Failed(subject=pair.subject, diff=ALL_DIFFS, error=problem.message, hint=problem.hint)
    reason = sides.resolved.skip_reason("row_count_diff")
    if reason is None and pair.is_same and pair.subject.unique_id not in kept:
        reason = SAME_RELATION
    if reason is None or not pair.sides:
        return None
    return NotCompared(subject=pair.subject, diff=ALL_DIFFS, reason=reason)


def _check_columns(options: NodeGlobs, both: Sequence[NodePair], results: Iterable[AnyDataDiff]) -> None:
    """Raise UnknownNameError for a key column that a named node lacks, or an excluded one that all lack."""
    schemas = {result.subject.unique_id: result for result in results if isinstance(result, SchemaDiff)}
    compared = [
        (sides.node, schemas[sides.node.unique_id])
        for sides in both
        if sides.node is not None and sides.node.unique_id in schemas
    ]
    everywhere = [column.name for _, schema in compared for column in schema.columns]
    folded = {name.casefold() for name in everywhere}
    for glob, settings in options:
        for node, schema in compared:
            # A pattern may also match nodes without the column: each of them is reported as failed.
            if settings.key and not is_pattern(glob) and matches_glob(glob, node):
                _check_key(settings.key, schema)
        unknown = [one for one in settings.exclude or () if stored_name(one, folded).casefold() not in folded]
        if unknown and compared:
            raise UnknownNameError("column", unknown[0], everywhere, where="in the nodes that are compared")


def _check_key(key: Sequence[str], schema: SchemaDiff) -> None:
    for side, absent in (("base", "added"), ("current", "removed")):
        known = [column.name for column in schema.columns if column.status != absent]
        folded = {column.casefold() for column in known}
        for name in key:
            if stored_name(name, folded).casefold() not in folded:
                raise UnknownNameError("key column", name, known, where=f"in {side} of {schema.subject.name}")


def _run(
    comparison: DataDiffRunner,
    jobs: Sequence[Job],
    on_progress: OnProgress,
    on_result: Callable[[AnyDataDiff], None] | None,
) -> list[AnyDataDiff]:
    done = 0

    def count(result: AnyDataDiff) -> None:
        nonlocal done
        if on_result is not None:
            on_result(result)
        done += 1
        on_progress(done, len(jobs))

    on_progress(0, len(jobs))
    return comparison.run_all(jobs, count)


def _rows(count: RowCount | None) -> dict[DataSide, int]:
    """Return the row counts of the counted sides."""
    if count is None:
        return {}
    sides = {DataSide.BASE: count.base, DataSide.CURRENT: count.current}
    return {side: rows for side, rows in sides.items() if rows is not None}


def _too_large(
    sides: NodePair, count: RowCount | None, bytes_of: Mapping[DataSide, int], most: int | None
) -> str | None:
    """Return why whole rows are not compared; None if both sides are within the limits."""
    rows, why = _rows(count), "compare: rows" if sides.resolved.reads_whole_rows else "no key"
    for side, reason in (
        (DataSide.BASE, count.base_reason if count else None),
        (DataSide.CURRENT, count.current_reason if count else None),
    ):
        # An unknown number of rows counts as too many: the limit protects the warehouse.
        if side not in rows:
            return f"{why}, and the rows of {side.value} could not be counted: {reason or 'unknown'}"
        limit = MAX_ROWS if most is None else most
        if rows[side] > limit:
            return f"{why}, and {rows[side]:,} rows in {side.value} exceed --max-rows {limit:,}"
        if most is None and bytes_of.get(side, 0) > MAX_BYTES:
            size = f"{bytes_of[side] / 1e9:,.1f} GB in {side.value}"
            return f"{why}, and {size} exceed {MAX_BYTES / 1e9:g} GB; set a limit with --max-rows"
    return None


def _bytes(
    comparison: DataDiffRunner, both: Sequence[NodePair], counts: Mapping[str | None, RowCount]
) -> dict[str, dict[DataSide, int]]:
    """Return the sizes of the relations of *both* with many rows, by unique id; none if not in a catalog."""
    found: dict[str, dict[DataSide, int]] = {}
    for side in DataSide:
        nodes = [
            node
            for sides in both
            for node in [sides.base if side is DataSide.BASE else sides.current]
            if isinstance(node, NodeMetadata)
            and node.schema_name
            and _rows(counts.get(node.unique_id)).get(side, 0) > ALWAYS_SMALL
        ]
        if not nodes:
            continue
        # One look into the catalog for each side, and not one for each node.
        sizes = comparison.relation_bytes(side, sorted({node.schema_name or "" for node in nodes}))
        for node in nodes:
            # Catalogs and manifests may spell names in different cases.
            size = sizes.get(((node.schema_name or "").casefold(), (node.identifier or node.name).casefold()))
            if size is not None:
                found.setdefault(node.unique_id, {})[side] = size
    return found
