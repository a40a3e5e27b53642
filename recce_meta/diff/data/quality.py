"""The quality of one table: its rows, figures of every column, their most frequent values, and metrics.

Figures are those of profiles (`figures`), most frequent values those of `top_k`, asked for together with the
metrics: statements do not depend on each other, so that several connections can share them. What cannot be
measured has a reason, and all else is measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.diff.data.choice import SideColumn
from recce_meta.diff.data.failures import OF_ALL, first_line
from recce_meta.diff.data.figures import BLANKS, Figures, Scope, figures
from recce_meta.diff.data.keys import declared_keys
from recce_meta.diff.data.plan import Plan, both
from recce_meta.diff.data.profile import notes_on_medians
from recce_meta.diff.data.quality_metrics import Metric, mentions, metric_values, names_in, reads_more
from recce_meta.diff.data.quality_privacy import NOBODY, Privacy, told
from recce_meta.diff.data.quality_sample import Rows, check_sample, looked_at
from recce_meta.diff.data.quality_score import scored
from recce_meta.diff.data.source import LiveColumn, Pair, Source
from recce_meta.diff.data.top_k import TopValues, top_values
from recce_meta.errors import QueryTimeout, RecceMetaError, UsageError
from recce_meta.models import NodeMetadata
from recce_meta.models.data_diff import Subject
from recce_meta.models.quality import ColumnQuality, MetricResult, Sample, TableQuality, ValueCount

DEFAULT_TOP = 10
EMPTY_SAMPLE = "The sample of {name} had no rows: all were looked at"
NO_SAMPLE = "No sample of {name} could be read, as when a column cannot be computed: all rows were looked at"
WHOLE_ROW = "t"
"""What statements call the table: where it stands alone in SQL, it may be all columns."""


class Table(Struct, frozen=True, kw_only=True):
    """What is to be measured."""

    source: Source
    unique_id: str
    name: str
    is_view: bool = False
    """Whether it is known to be a view, whose rows come in no order."""
    keys: tuple[tuple[str, ...], ...] = ()
    """Columns that are declared to identify a row, the most trustworthy first."""
    metrics: tuple[Metric, ...] = ()
    private: Mapping[str, bool] = NOBODY
    """Whether values are withheld, by name of columns of which that is said; others are known by theirs."""


class Settings(Struct, frozen=True, kw_only=True):
    """How tables are measured."""

    sample: Sample | None = None
    """None: all rows are looked at."""
    privacy: Privacy = Privacy()
    top: int = DEFAULT_TOP
    """How many of the most frequent values are listed; 0 for none."""

    def __post_init__(self) -> None:
        if self.sample is not None:
            check_sample(self.sample)
        if self.top < 0:
            raise UsageError(f"There is no list of the {self.top} most frequent values", hint="0 or more")


def declared_unique(node: NodeMetadata, tests: Iterable[NodeMetadata] = ()) -> tuple[tuple[str, ...], ...]:
    """The columns of every key of *node*, and of its unique constraints: the best first, each set once.

    *tests* may be all nodes of the run.
    """
    keys = [key.columns for key in declared_keys(node, tests)]
    places = [node.properties.get("constraints") or (), *(column.constraints for column in node.columns)]
    for number, constraints in enumerate(places):
        for constraint in constraints:
            if isinstance(constraint, dict) and constraint.get("type") == "unique":
                own = constraint.get("columns") or ([node.columns[number - 1].name] if number else [])
                keys.append(tuple(str(name) for name in own))
    first: dict[frozenset[str], tuple[str, ...]] = {}
    for key in filter(None, keys):
        first.setdefault(frozenset(map(str.casefold, key)), key)
    return tuple(first.values())


def table_quality(table: Table, settings: Settings, *, measured_at: datetime) -> Plan[TableQuality]:
    """What is found of *table*, with its scores; *measured_at*, aware, is when that begins.

    A table that cannot be read has a reason and no columns. Raises QueryCancelled, ConnectionFailed and
    StoreLocked.
    """
    empty = TableQuality(
        unique_id=table.unique_id,
        name=table.name,
        relation=table.source.text or table.source.dialect.render(table.source.relation),
        measured_at=measured_at,
    )
    key = next(iter(table.keys), ())
    try:
        rows = yield from looked_at(table.source, settings.sample, is_view=table.is_view, key=key)
    except OF_ALL:
        raise
    except RecceMetaError as error:
        return replace(empty, reason=first_line(error))
    withheld = frozenset(
        column.name for column in rows.columns if settings.privacy.withholds(column.name, table.private)
    )
    if rows.error is not None:
        return replace(empty, reason=told(rows.error, is_withheld=bool(withheld) or table.is_view))
    return (yield from _measured(table, settings, rows, withheld, empty))


def _measured(
    table: Table, settings: Settings, rows: Rows, withheld: frozenset[str], empty: TableQuality
) -> Plan[TableQuality]:
    scope = Scope(withheld=withheld, has_blanks=True, is_patient=True)
    pair = Pair(subject=Subject(name=table.name), base=None, current=rows.source)
    shown = [SideColumn(None, column) for column in rows.columns if column.name not in withheld]
    may_quote = not withheld and not table.is_view  # a view computes what no name of its columns tells

    (found, top), results = yield from both(
        both(
            figures([(rows.source, rows.columns)], scope),
            top_values(
                pair,
                shown if settings.top else (),
                settings.top,
                most=rows.source.dialect.top_lists_per_statement,
                is_patient=True,
            ),
        ),
        metric_values(
            table.source, table.metrics, _withholding(table, settings.privacy, withheld), may_quote=may_quote
        ),
    )
    row_count = found.rows.get(rows.source.side) if rows.row_count is None else rows.row_count
    if rows.columns and not found.rows:  # nothing could be read
        error = found.problems[0].error
        if rows.is_sample and not isinstance(error, QueryTimeout):  # by a hash of what cannot be computed
            return (yield from _measured(table, settings, _all(table, rows, NO_SAMPLE), withheld, empty))
        reason = told(error, is_withheld=not may_quote)
        return replace(empty, row_count=row_count, metrics=tuple(results), notes=rows.notes, reason=reason)
    looked_at_rows = found.rows.get(rows.source.side) if rows.is_sample else None
    if looked_at_rows == 0:  # so that the table is small, or nearly
        return (yield from _measured(table, settings, _all(table, rows, EMPTY_SAMPLE), withheld, empty))
    kept = zip(table.metrics, results, strict=True)
    by_column: dict[str | None, list[MetricResult]] = {}
    for metric, result in kept:
        by_column.setdefault(_home(metric, rows.columns), []).append(result)
    columns = [
        _column(table, column, rows.source, found, top, withheld, by_column.get(column.name, ()))
        for column in rows.columns
    ]
    return scored(
        replace(
            empty,
            row_count=row_count,
            sampled_rows=looked_at_rows,
            columns=tuple(columns),
            metrics=tuple(by_column.get(None, ())),
            notes=(*rows.notes, *_medians(rows, withheld)),
        )
    )


def _all(table: Table, rows: Rows, note: str) -> Rows:
    """All rows in place of a sample, for the reason that *note* gives."""
    return Rows(
        source=table.source,
        columns=rows.columns,
        row_count=rows.row_count,
        notes=(note.format(name=table.name),),
    )


def _withholding(table: Table, privacy: Privacy, withheld: frozenset[str]) -> Callable[[Metric], bool]:
    """Whether a metric of *table* may give a value that is withheld, of this table or of another."""
    own = [*withheld, WHOLE_ROW] if withheld else []

    def is_withheld(metric: Metric) -> bool:
        return (
            not privacy.keeps_values
            or metric.column in withheld
            or mentions(metric.sql, own)
            or reads_more(metric.sql, table.source.dialect)
            or any(privacy.withholds(name, table.private) for name in names_in(metric.sql))
        )

    return is_withheld


def _medians(rows: Rows, withheld: frozenset[str]) -> list[str]:
    shown = [column for column in rows.columns if column.name not in withheld]
    return notes_on_medians([(rows.source, shown)])


def _home(metric: Metric, columns: Sequence[LiveColumn]) -> str | None:
    """The column that *metric* is kept with; None where it is the table."""
    names = [column.name for column in columns]
    if metric.column is None or metric.column in names:
        return metric.column
    alike = [name for name in names if name.casefold() == metric.column.casefold()]
    return alike[0] if len(alike) == 1 else None


def _column(
    table: Table,
    column: LiveColumn,
    source: Source,
    found: Figures,
    top: TopValues,
    withheld: frozenset[str],
    metrics: Sequence[MetricResult],
) -> ColumnQuality:
    is_private = column.name in withheld
    is_told = not withheld and not table.is_view  # a statement about a view's column may compute others
    profile = found.profile(source, column)
    problems = [(one.what, one.error) for one in found.problems if one.column == column.name]
    if profile is None:  # all else that failed follows from that
        problems = problems[-1:]
    elif column.name in top.errors:
        problems.append(("No most frequent values", top.errors[column.name]))
    reasons = [f"{what}: {told(error, is_withheld=not is_told)}" for what, error in problems]
    alone = {source.dialect.fold(key[0]) for key in table.keys if len(key) == 1}
    return ColumnQuality(
        name=column.name,
        profile=profile,
        blank_count=found.values.get((source.side, column.name), {}).get(BLANKS),
        is_declared_unique=source.dialect.fold(column.name) in alone,
        top_values=tuple(
            ValueCount(value=one.value, count=one.current) for one in top.values.get(column.name, ())
        ),
        is_private=is_private,
        metrics=tuple(metrics),
        reason="; ".join(reasons) or None,
    )
