"""Storage of data diff results: writes them, so that their history can be queried, and reads them back.

A stored diff references the runs that it compared. It is pruned with its current run; if it has none, with
its base run.

A result is stored as lossless JSON, and as figures for SQL users. In the JSON, a struct is an object with its
fields by name and its tag as `type`. Values are written by `recce_meta.store.values`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timezone
from enum import Enum
from functools import singledispatch
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import astuple, replace

from recce_meta._version import __version__
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.adapter.waiting import retrying
from recce_meta.errors import StoreError, UsageError
from recce_meta.models import Json, RunMetadata
from recce_meta.models.data_diff import (
    AnyDataDiff,
    ColumnDistribution,
    ColumnValues,
    DistributionDiff,
    Failed,
    HistogramDiff,
    NotCompared,
    ProfileDiff,
    QueryDiff,
    RowCountDiff,
    RowsDiff,
    SchemaDiff,
    Subject,
    TopKDiff,
    Value,
    ValueDetail,
    ValueDiff,
    is_rounded,
    kind_of,
)
from recce_meta.models.stored import Headline, LoadedDiff, StoredDiff
from recce_meta.store.content import Row, digest
from recce_meta.store.read import names_of, require_run
from recce_meta.store.session import StoreSession, open_store
from recce_meta.store.values import JsonTree, json_text, number_of, storable, tree_of, value_of_tree
from recce_meta.tables.gaps import gaps, rounding_of

ColumnRow = tuple[object, ...]
"""One row of `column_diffs`, starting with `column_name`."""


def result_text(result: AnyDataDiff) -> str:
    """Return *result* as JSON text; equal results give equal texts."""
    return msgspec.json.encode(_tree(result)).decode()


def result_of(text: str) -> AnyDataDiff:
    """Return the result from *text*, the output of `result_text`.

    Raises StoreError if this recce-meta does not know such a result.
    """
    tree = value_of_tree(msgspec.json.decode(text))
    try:
        result: AnyDataDiff = msgspec.convert(tree, AnyDataDiff)
    except msgspec.ValidationError as error:
        raise StoreError(
            f"Stored data diff cannot be read: {error}",
            hint="upgrade recce-meta, because a newer version may have stored it",
        ) from error
    return result


def one_subject_each(results: Iterable[AnyDataDiff]) -> Iterator[AnyDataDiff]:
    """Yield *results* with one subject each: row counts of many nodes are split."""
    for result in results:
        if isinstance(result, RowCountDiff):
            for count in result.counts:
                yield replace(result, counts=(count,))
        else:
            yield result


def subject_of(result: AnyDataDiff) -> Subject:
    """Return the subject of *result*, which must have only one."""
    return result.counts[0].subject if isinstance(result, RowCountDiff) else result.subject


def headline_of(result: AnyDataDiff) -> Headline:
    """Return the figures of *result* for the history; it is equal only if all rows were compared and are."""
    found = _figures_of(result)
    is_saved = isinstance(result, RowCountDiff) and any(
        count.base_kept_at or count.current_kept_at for count in result.counts
    )
    if found.is_equal and (is_saved or subject_of(result).is_stale or gaps([result])):
        return replace(found, is_equal=None)
    return found


@singledispatch
def _figures_of(result: AnyDataDiff) -> Headline:
    raise TypeError(f"Not a result of a data diff: {type(result).__name__}")


@_figures_of.register
def _of_counts(result: RowCountDiff) -> Headline:
    (count,) = result.counts
    return Headline(
        is_equal=None if count.delta is None else count.delta == 0,
        base_rows=count.base,
        current_rows=count.current,
        error=count.base_reason or count.current_reason,
    )


@_figures_of.register
def _of_schema(result: SchemaDiff) -> Headline:
    return Headline(is_equal=not result.changed, differing_columns=len(result.changed))


@_figures_of.register
def _of_values(result: ValueDiff) -> Headline:
    return Headline(
        is_equal=result.is_equal,
        base_rows=None if result.base is None else result.base.rows,
        current_rows=None if result.current is None else result.current.rows,
        added_rows=result.added,
        removed_rows=result.removed,
        common_rows=result.common,
        changed_rows=result.changed,
        differing_columns=sum(row[1] != "equal" for row in column_rows(result)),
    )


@_figures_of.register
def _of_detail(result: ValueDetail) -> Headline:
    # A truncated list shows that there are differences, but not how many.
    counted = {status: sum(row.status == status for row in result.rows) for status in _ROW_STATUSES}
    known = {} if result.is_cut else counted
    return Headline(
        is_equal=result.is_equal,
        added_rows=known.get("added"),
        removed_rows=known.get("removed"),
        changed_rows=known.get("changed"),
    )


@_figures_of.register
def _of_rows(result: RowsDiff) -> Headline:
    return Headline(
        is_equal=result.is_equal,
        base_rows=result.base_rows,
        current_rows=result.current_rows,
        added_rows=result.added,
        removed_rows=result.removed,
        common_rows=result.common,
        differing_columns=len(result.base_only) + len(result.current_only) + len(result.incomparable),
    )


@_figures_of.register
def _of_query(result: QueryDiff) -> Headline:
    # By key first, then as whole rows: the former has more figures.
    answer = result.values or result.rows or result.detail
    return Headline() if answer is None else _figures_of(answer)


@_figures_of.register
def _of_profile(result: ProfileDiff) -> Headline:
    unread = sum(bool(column.unread) for column in result.columns)
    # As JSON, because NaN differs from itself as a number.
    differing = sum(
        not column.unread and _tree(column.base) != _tree(column.current) for column in result.columns
    )
    base = (column.base.row_count for column in result.columns if column.base)
    current = (column.current.row_count for column in result.columns if column.current)
    return Headline(
        is_equal=False if differing else None if unread else True,
        base_rows=next(base, None),
        current_rows=next(current, None),
        differing_columns=differing + unread,
    )


@_figures_of.register
def _of_top_k(result: TopKDiff) -> Headline:
    return replace(
        _of_distributions(result),
        # A column that one side lacks has no total of it; all others have the same.
        base_rows=next((one.base_total for one in result.columns if one.base_total is not None), None),
        current_rows=next(
            (one.current_total for one in result.columns if one.current_total is not None), None
        ),
    )


@_figures_of.register(HistogramDiff)
def _of_distributions(result: DistributionDiff) -> Headline:
    """Return the headline of counted values; equality is unknown if a column could not be counted."""
    columns: Sequence[ColumnDistribution] = result.columns
    unknown = sum(bool(column.reason) for column in columns)
    differing = sum(not column.reason and column.differs() for column in columns)
    return Headline(
        is_equal=False if differing else None if unknown else True,
        differing_columns=differing + unknown,
    )


@_figures_of.register
def _of_failed(result: Failed) -> Headline:
    return Headline(error=result.error)


@_figures_of.register
def _of_skipped(result: NotCompared) -> Headline:
    return Headline(error=result.reason)


def column_rows(result: AnyDataDiff) -> list[ColumnRow]:
    """Return rows of `column_diffs`, starting with `column_name`; none unless values were compared by key."""
    values = result.values if isinstance(result, QueryDiff) else result
    if not isinstance(values, ValueDiff):
        return []
    return [
        *(_column_row(column) for column in values.columns),
        *((name, "removed", *_NOTHING_KNOWN) for name in values.base_only),
        *((name, "added", *_NOTHING_KNOWN) for name in values.current_only),
    ]


_ROW_STATUSES = ("added", "removed", "changed")
_NOTHING_KNOWN = (None,) * 10
"""Types, figures and reason of a column that exists on one side only."""


def _column_row(column: ColumnValues) -> ColumnRow:
    # Rounding may have made different values equal, so only their differences are known.
    if is_rounded(column) and not column.mismatched and not column.reason:
        column = replace(column, matched=None, mismatched=None, reason=f"compared {rounding_of(column)}")
    status = "incomparable" if column.reason else "changed" if column.mismatched else "equal"
    return (
        column.name,
        status,
        column.base_type,
        column.current_type,
        column.compared_as,
        column.matched,
        column.mismatched,
        column.null_to_value,
        column.value_to_null,
        number_of(column.mean_difference),
        number_of(column.largest_difference),
        column.reason,
    )


def _tree(value: Struct | Value) -> JsonTree:
    """Return *value* as JSON; structs, and tuples of structs, are not cell values."""
    if isinstance(value, Struct):
        tag = type(value).__struct_config__.tag
        fields = {name: _tree(getattr(value, name)) for name in value.__struct_fields__}
        return {"type": tag} | fields if tag else fields
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (tuple, list)):
        return [_tree(item) for item in value]
    return tree_of(value)


HEADLINE_COLUMNS = Headline.__struct_fields__
DIFF_COLUMNS = (
    "diff_id", "taken_at", "base_run_id", "current_run_id", "unique_id", "subject_name", "base_relation",
    "current_relation", "diff_type", *HEADLINE_COLUMNS, "parameters", "result", "recorder_version",
)  # fmt: skip
COLUMN_COLUMNS = (
    "diff_id", "ordinal", "column_name", "status", "base_type", "current_type", "compared_as", "matched",
    "mismatched", "null_to_value", "value_to_null", "mean_difference", "largest_difference", "reason",
)  # fmt: skip
_VALUES = ("value_diff", "rows_diff", "data_diff")
"""Kinds of which a comparison of a node's values has one: by key, whole rows, or none at all."""


class SaveResult(Struct, frozen=True, kw_only=True):
    """Result of `save_data_diffs`."""

    diff_ids: tuple[str, ...]
    """Ids of all diffs passed in, in order; row counts have one id per node."""
    written: int
    """Number of new diffs; the rest was already stored."""


def save_data_diffs(
    adapter: UnifiedSqlAdapter,
    results: Iterable[AnyDataDiff],
    *,
    base_run: RunMetadata | None,
    current_run: RunMetadata | None,
    taken_at: datetime,
    parameters: Mapping[str, Json] | None = None,
) -> SaveResult:
    """Store *results* in one transaction; results that are already stored are not changed.

    *taken_at*, a time with a zone, is when the data were compared. Equal results with the same runs and time
    are one diff. *parameters* are the parameters of all *results*. A row count diff of several nodes is
    stored as one diff per node. Waits for other writers.

    Raises UsageError if both runs are None, StoreError if one of them is not in the store.
    """
    if base_run is None and current_run is None:
        raise UsageError(
            "A data diff cannot be stored without a run",
            hint="pass a recorded run as base or current",
        )
    runs = tuple(None if run is None else run.run_id for run in (base_run, current_run))
    asked = json_text(parameters or {})
    # Built before, because `work` runs again after a conflict with another writer.
    single = {_row_id(runs, taken_at, asked, result): result for result in one_subject_each(results)}

    def work() -> SaveResult:
        with open_store(adapter, writes=True) as store:
            _require(store, runs)
            # One text of many lines, because warehouses limit the number of parameters.
            known = set(names_of(store.query("stored_data_diffs", ids="\n".join(single))))
            new = {diff_id: result for diff_id, result in single.items() if diff_id not in known}
            columns = (
                (diff_id, ordinal, storable(str(name)), *figures)
                for diff_id, result in new.items()
                for ordinal, (name, *figures) in enumerate(column_rows(result), 1)
            )
            # Readers start from the diff's own row, so it is written last.
            store.insert("column_diffs", COLUMN_COLUMNS, columns)
            rows = (diff_row(diff_id, runs, taken_at, asked, result) for diff_id, result in new.items())
            store.insert("data_diffs", DIFF_COLUMNS, rows)
        return SaveResult(diff_ids=tuple(single), written=len(new))

    return retrying(adapter, work)


def list_data_diffs(
    adapter: UnifiedSqlAdapter,
    *,
    unique_id: str | None = None,
    subject_name: str | None = None,
    diff_type: str | None = None,
    run: RunMetadata | None = None,
    project: str | None = None,
    limit: int | None = None,
) -> list[StoredDiff]:
    """Return the stored diffs that match all given filters, newest first; *run* matches either side."""
    with open_store(adapter) as store:
        return _find(
            store,
            unique_id=unique_id,
            subject_name=subject_name,
            diff_type=diff_type,
            run_id=None if run is None else run.run_id,
            project=project,
            most=2**31 if limit is None else limit,
        )


def load_diffs_of_pair(
    adapter: UnifiedSqlAdapter, base: RunMetadata, current: RunMetadata
) -> list[LoadedDiff]:
    """Return the latest stored diff of each kind and subject, also a failed one, of two runs, newest first.

    Diffs that a newer recce-meta stored are left out.
    """
    with open_store(adapter) as store:
        latest: dict[tuple[str | None, ...], StoredDiff] = {}
        for one in _find(store, run_id=current.run_id, most=2**31):
            if (one.base_run_id, one.current_run_id) == (base.run_id, current.run_id):
                subject = (one.unique_id, one.subject_name, one.base_relation, one.current_relation)
                # The newest diff of a subject comes first and stays, also if it failed or was skipped: an
                # earlier result of its values would hide that.
                kind = "value_diff" if one.diff_type in _VALUES else one.diff_type
                latest.setdefault((kind, *subject), one)
        ids = "\n".join(one.diff_id for one in latest.values())
        rows = store.query("data_diff_results", ids=ids) if latest else []
    texts = {str(diff_id): str(text) for diff_id, text in rows}
    found = []
    for one in latest.values():
        # One diff of a newer version must not hide all others of a report.
        with suppress(StoreError):
            found.append(LoadedDiff(stored=one, result=result_of(texts[one.diff_id])))
    return found


def _find(store: StoreSession, **filters: object) -> list[StoredDiff]:
    every: dict[str, object] = dict.fromkeys(("unique_id", "subject_name", "diff_type", "run_id", "project"))
    return [_kept_of(row) for row in store.query("data_diffs", **{**every, **filters})]


def _require(store: StoreSession, runs: Iterable[str | None]) -> None:
    """Raise StoreError if a run is not in the store, because its diffs would be orphans."""
    for run_id in runs:
        if run_id is not None:
            require_run(store, run_id, "data diffs")


def _row_id(runs: tuple[str | None, ...], taken_at: datetime, parameters: str, result: AnyDataDiff) -> str:
    # Equal times may have other offsets, but must give one id.
    moment = taken_at.astimezone(timezone.utc).isoformat()
    return digest(msgspec.json.encode([*runs, moment, parameters, result_text(result)]))


def diff_row(
    diff_id: str, runs: tuple[str | None, ...], taken_at: datetime, parameters: str, result: AnyDataDiff
) -> Row:
    """Return the row of `data_diffs`, in the order of `DIFF_COLUMNS`; *runs* are base and current ids."""
    subject = subject_of(result)
    headline = headline_of(result)
    return (
        diff_id,
        taken_at,
        *runs,
        subject.unique_id,
        *(name and storable(name) for name in (subject.name, subject.base, subject.current)),
        kind_of(result),
        *(storable(figure) if isinstance(figure, str) else figure for figure in astuple(headline)),
        parameters,
        result_text(result),
        __version__,
    )


def _kept_of(row: tuple[Any, ...]) -> StoredDiff:
    diff_id, taken_at, *names, parameters = row
    place = len(names) - len(HEADLINE_COLUMNS)
    base_run_id, current_run_id, unique_id, name, base_relation, current_relation, diff_type = names[:place]
    return StoredDiff(
        diff_id=diff_id,
        taken_at=taken_at.astimezone(timezone.utc),
        base_run_id=base_run_id,
        current_run_id=current_run_id,
        unique_id=unique_id,
        subject_name=name,
        base_relation=base_relation,
        current_relation=current_relation,
        diff_type=diff_type,
        headline=Headline(**dict(zip(HEADLINE_COLUMNS, names[place:], strict=True))),
        parameters=value_of_tree(msgspec.json.decode(parameters)),
    )
