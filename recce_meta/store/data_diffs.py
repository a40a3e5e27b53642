"""Keeps results of data diffs, so that history is a query, and reads them back.

A kept diff names the runs that it compared. It goes when its current run is pruned; where it has none, with
its base run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import astuple

from recce_meta._version import __version__
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.errors import SelectorError, StoreError, UsageError, first_of
from recce_meta.models import Json, RunMetadata
from recce_meta.models.data_diff import AnyDataDiff
from recce_meta.models.kept_diff import Headline, KeptDiff, LoadedDiff
from recce_meta.store.content import Row, digest
from recce_meta.store.files import DEFAULT_SCHEMA
from recce_meta.store.migrate import StoreSession, open_store
from recce_meta.store.read import run_by_id
from recce_meta.store.results import (
    column_rows,
    headline_of,
    one_subject_each,
    result_of,
    result_text,
    subject_of,
    type_of,
)
from recce_meta.store.retry import retrying
from recce_meta.store.rows import names_of
from recce_meta.store.values import json_text, storable, value_of_tree

HEADLINE_COLUMNS = Headline.__struct_fields__
DIFF_COLUMNS = (
    "diff_id", "taken_at", "base_run_id", "current_run_id", "unique_id", "subject_name", "base_relation",
    "current_relation", "diff_type", *HEADLINE_COLUMNS, "parameters", "result", "recorder_version",
)  # fmt: skip
COLUMN_COLUMNS = (
    "diff_id", "ordinal", "column_name", "status", "base_type", "current_type", "compared_as", "matched",
    "mismatched", "null_to_value", "value_to_null", "mean_difference", "largest_difference", "reason",
)  # fmt: skip
SHOWN = 5
"""How many candidates an error lists."""


class SaveResult(Struct, frozen=True, kw_only=True):
    """What `save_data_diffs` did."""

    diff_ids: tuple[str, ...]
    """Of all that were to be kept, in order; row counts have one per node."""
    written: int
    """How many of them are new; the others were kept before."""


def save_data_diffs(
    adapter: UnifiedSqlAdapter,
    results: Iterable[AnyDataDiff],
    *,
    base_run: RunMetadata | None,
    current_run: RunMetadata | None,
    taken_at: datetime,
    parameters: Mapping[str, Json] | None = None,
    schema: str = DEFAULT_SCHEMA,
) -> SaveResult:
    """Keep *results*, in one transaction; those that are kept already are left as they are.

    *taken_at*, aware, is when the data were compared: the same result of the same runs and time is the same
    diff. *parameters* are what all of *results* were asked with. A row count diff of several nodes is kept
    as one diff per node. Other writers are waited for.

    Raises UsageError where there is neither run, StoreError where one of them is not in the store.
    """
    if base_run is None and current_run is None:
        raise UsageError(
            "A data diff is kept with the runs that it compared, and there is none",
            hint="name a recorded run for base or current",
        )
    runs = tuple(None if run is None else run.run_id for run in (base_run, current_run))
    asked = json_text(parameters or {})
    single = {_row_id(runs, taken_at, asked, result): result for result in one_subject_each(results)}

    def work() -> SaveResult:
        with open_store(adapter, schema, writes=True) as store:
            _require(store, runs)
            known = set(names_of(store.query("stored_data_diffs", ids="\n".join(single))))
            new = {diff_id: result for diff_id, result in single.items() if diff_id not in known}
            columns = (
                (diff_id, ordinal, storable(str(name)), *figures)
                for diff_id, result in new.items()
                for ordinal, (name, *figures) in enumerate(column_rows(result), 1)
            )
            store.insert("column_diffs", COLUMN_COLUMNS, columns)
            rows = (diff_row(diff_id, runs, taken_at, asked, result) for diff_id, result in new.items())
            store.insert("data_diffs", DIFF_COLUMNS, rows)
        return SaveResult(diff_ids=tuple(single), written=len(new))

    return retrying(work)


def list_data_diffs(
    adapter: UnifiedSqlAdapter,
    *,
    unique_id: str | None = None,
    subject_name: str | None = None,
    diff_type: str | None = None,
    run: RunMetadata | None = None,
    project: str | None = None,
    limit: int | None = None,
    schema: str = DEFAULT_SCHEMA,
) -> list[KeptDiff]:
    """The kept diffs, newest first: of a node, a subject, a kind, with *run* on either side, of a project."""
    with open_store(adapter, schema) as store:
        return _find(
            store,
            unique_id=unique_id,
            subject_name=subject_name,
            diff_type=diff_type,
            run_id=None if run is None else run.run_id,
            project=project,
            most=2**31 if limit is None else limit,
        )


def load_data_diff(adapter: UnifiedSqlAdapter, diff_id: str, *, schema: str = DEFAULT_SCHEMA) -> LoadedDiff:
    """The kept diff whose id is, or alone begins with, *diff_id*, whole.

    Raises SelectorError where there is none or more than one, StoreError where a later recce-meta kept it.
    """
    with open_store(adapter, schema) as store:
        found = _find(store, diff_id_prefix=diff_id, most=SHOWN + 1) if diff_id else []
        if len(found) != 1:
            raise _not_one(diff_id, found)
        ((text,),) = store.query("data_diff_result", diff_id=found[0].diff_id)
    return LoadedDiff(kept=found[0], result=result_of(str(text)))


def _find(store: StoreSession, **filters: object) -> list[KeptDiff]:
    every: dict[str, object] = dict.fromkeys(
        ("diff_id_prefix", "unique_id", "subject_name", "diff_type", "run_id", "project")
    )
    return [_kept_of(row) for row in store.query("data_diffs", **{**every, **filters})]


def _require(store: StoreSession, runs: Iterable[str | None]) -> None:
    """Refuse runs that are not in the store: what is kept with them would belong to nothing."""
    for run_id in runs:
        if run_id is not None and run_by_id(store, run_id) is None:
            raise StoreError(
                f"Run {run_id} is not in the store: no data diff can be kept with it",
                hint="recce-meta record writes it, recce-meta runs lists those that are there",
            )


def _row_id(runs: tuple[str | None, ...], taken_at: datetime, parameters: str, result: AnyDataDiff) -> str:
    moment = taken_at.astimezone(timezone.utc).isoformat()
    return digest(msgspec.json.encode([*runs, moment, parameters, result_text(result)]))


def diff_row(
    diff_id: str, runs: tuple[str | None, ...], taken_at: datetime, parameters: str, result: AnyDataDiff
) -> Row:
    """The row of `data_diffs`, in the order of `DIFF_COLUMNS`; *runs* are the ids of base and current."""
    subject = subject_of(result)
    headline = headline_of(result)
    return (
        diff_id,
        taken_at,
        *runs,
        subject.unique_id,
        *(name and storable(name) for name in (subject.name, subject.base, subject.current)),
        type_of(result),
        *(storable(figure) if isinstance(figure, str) else figure for figure in astuple(headline)),
        parameters,
        result_text(result),
        __version__,
    )


def _kept_of(row: tuple[Any, ...]) -> KeptDiff:
    diff_id, taken_at, *names, parameters = row
    place = len(names) - len(HEADLINE_COLUMNS)
    base_run_id, current_run_id, unique_id, name, base_relation, current_relation, diff_type = names[:place]
    return KeptDiff(
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


def _not_one(diff_id: str, found: list[KeptDiff]) -> SelectorError:
    if not found:
        return SelectorError(f"No kept data diff '{diff_id}'", hint="its id stands in the list of kept diffs")
    named = [f"{diff.diff_id} ({diff.diff_type} of {diff.subject_name})" for diff in found]
    return SelectorError(
        f"'{diff_id}' begins the ids of more than one kept data diff: {first_of(named, SHOWN)}",
        hint="give more of the id",
    )
