"""Reader of recce's state files (`recce_state.json`, schema version v0): checks, runs and artifacts.

Results are converted to data diffs, for types that have an equivalent.
https://github.com/DataRecce/recce/blob/main/recce/state/state.py
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import msgspec
from msgspec import Struct

from recce_meta.errors import ArtifactError, quoted
from recce_meta.models.data_diff import (
    AnyDataDiff,
    ColumnHistogram,
    ColumnProfile,
    ColumnTopK,
    ColumnValues,
    HistogramDiff,
    KeyCounts,
    Profile,
    ProfileDiff,
    RowCount,
    RowCountDiff,
    Subject,
    TopKDiff,
    TopValue,
    ValueDiff,
)
from recce_meta.models.moments import utc_time

SCHEMA_VERSION = "v0"
_REWRITE = "write it again with `recce run`"


class RecceMetadata(Struct, frozen=True, kw_only=True):
    """Version of recce that wrote the file, and the time."""

    schema_version: str | None = None
    recce_version: str = ""
    generated_at: str | None = None


class RecceRun(Struct, frozen=True, kw_only=True):
    """One run of recce, with its result."""

    type: str
    run_id: str
    run_at: str
    name: str | None = None
    params: dict[str, Any] | None = None
    check_id: str | None = None
    result: dict[str, Any] | None = None
    error: str | None = None
    status: str | None = None

    @property
    def title(self) -> str:
        """Return the name of the run in reports."""
        return (self.name or self.type).strip()


class RecceCheck(Struct, frozen=True, kw_only=True):
    """One entry of recce's checklist."""

    name: str
    type: str
    check_id: str
    description: str | None = None
    params: dict[str, Any] | None = None
    view_options: dict[str, Any] | None = None
    is_checked: bool = False
    created_at: str | None = None
    updated_at: str | None = None


class RecceArtifacts(Struct, frozen=True, kw_only=True):
    """Manifest and catalog of both sides, by name."""

    base: dict[str, dict[str, Any] | None] = {}
    current: dict[str, dict[str, Any] | None] = {}


class RecceState(Struct, frozen=True, kw_only=True):
    """Everything in a state file that can be imported."""

    metadata: RecceMetadata
    runs: tuple[RecceRun, ...] | None = ()
    checks: tuple[RecceCheck, ...] | None = ()
    artifacts: RecceArtifacts | None = None
    git: dict[str, Any] | None = None
    pull_request: dict[str, Any] | None = None

    @property
    def origin(self) -> str:
        """Return the tool and its version."""
        return f"recce {self.metadata.recce_version}".strip()


def is_recce_state(data: bytes) -> bool:
    """Return True if *data* begins like recce's state, unlike any of our files."""
    head = data[:4_096].lstrip(b"\xef\xbb\xbf \t\r\n")
    return head.startswith(b"{") and b'"recce_version"' in head


def recce_state_of(data: bytes, name: str) -> RecceState:
    """Return the state in *data*; *name* identifies it in errors.

    Raises ArtifactError if the state is damaged or incomplete, or has another schema version.
    """
    try:
        tree = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ArtifactError(
            f"{name} cannot be imported: it is not valid JSON: {error}", hint=_REWRITE
        ) from None
    metadata = tree.get("metadata") if isinstance(tree, Mapping) else None
    version = metadata.get("schema_version") if isinstance(metadata, Mapping) else None
    if version not in (None, SCHEMA_VERSION):
        raise ArtifactError(
            f"{name} cannot be imported: it has version {quoted(version)} of recce's state",
            hint=f"recce-meta reads version {SCHEMA_VERSION}",
        )
    try:
        return msgspec.convert(tree, RecceState)
    except msgspec.ValidationError as error:
        raise ArtifactError(
            f"{name} cannot be imported: it is not a complete state of recce: {error}", hint=_REWRITE
        ) from None


def moment_of(text: str | None) -> datetime | None:
    """Return a time as recce writes it (`2026-11-21T02:40:26Z`), in UTC; None if it is not a time."""
    try:
        return utc_time(text or "")
    except ValueError:
        return None


SubjectOf = Callable[[str], Subject]
"""Function that returns the node of a name, on both sides."""

NO_EQUIVALENT = {
    "query": "query rows are values of your data; `recce-meta check run` repeats the query",
    "query_base": "query rows are values of your data; `recce-meta check run` repeats the query",
    "query_diff": "recce stores rows but no counts; `recce-meta check run` repeats the query",
    "value_diff_detail": "differing rows are values of your data; `recce-meta check run` repeats the diff",
    "row_count": "the result has one side, but a data diff has two",
    "profile": "the result has one side, but a data diff has two",
    "profile_distribution": "the result has one side, but a data diff has two",
    "schema_diff": "recce stores no result; `recce-meta check run` computes it from the recorded runs",
    "lineage_diff": "recce stores no result; `recce-meta check run` computes it from the recorded runs",
    "simple": "the check is a note, without a result",
}
"""Reasons why recce results of a type are not imported as data diffs."""
UNKNOWN_TYPE = "recce-meta does not support this type"


def data_diff_of(run: RecceRun, subject_of: SubjectOf) -> AnyDataDiff | str:
    """Return the result of *run* as a data diff, or the reason why it has no equivalent.

    Raises ArtifactError if the result does not have recce's format for its type.
    """
    if run.error is not None:
        return f"recce failed: {' '.join(run.error.split())}"
    if run.result is None:
        return f"the run has no result (status {run.status or 'unknown'})"
    read = _READERS.get(run.type)
    if read is None:
        return NO_EQUIVALENT.get(run.type, UNKNOWN_TYPE)
    try:
        return read(run.params or {}, run.result, subject_of)
    # Results have no declared type, so a wrong shape shows only here.
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        problem = f"{type(error).__name__}: {error}"
        raise ArtifactError(
            f"Run {run.run_id} ({run.type}) in the state is not in recce's format: {problem}",
            hint="write the state again with `recce run`",
        ) from None


def _row_counts(_params: Mapping[str, Any], result: Mapping[str, Any], subject_of: SubjectOf) -> AnyDataDiff:
    counts = []
    for name, figures in result.items():
        reasons = {}
        for side in ("base", "curr"):
            meta = figures.get(f"{side}_meta") or {}
            status_text = str(meta.get("status") or "not counted by recce").replace("_", " ")
            reasons[side] = None if figures[side] is not None else status_text
        counts.append(
            RowCount(
                subject=subject_of(name),
                base=_whole(figures["base"]),
                current=_whole(figures["curr"]),
                base_reason=reasons["base"],
                current_reason=reasons["curr"],
            )
        )
    return RowCountDiff(counts=tuple(counts))


def _values(params: Mapping[str, Any], result: Mapping[str, Any], subject_of: SubjectOf) -> AnyDataDiff:
    summary = result["summary"]
    added, removed = int(summary["added"]), int(summary["removed"])
    common = int(summary["total"]) - added - removed
    columns = []
    for name, matched, _share in result["data"]["data"]:
        mismatched = None if matched is None else common - int(matched)
        columns.append(
            ColumnValues(
                name=str(name),
                base_type="",
                current_type="",
                matched=_whole(matched),
                mismatched=mismatched,
                reason="recce stored no value" if matched is None else None,
            )
        )
    least = max((column.mismatched or 0 for column in columns), default=0)
    key = params.get("primary_key")
    notes = ["recce matches rows by its own rules: NULL keys match each other"]
    if sum(bool(column.mismatched) for column in columns) > 1:
        notes.append(f"recce counts mismatches by column: at least {least:,} rows changed, possibly more")
    return ValueDiff(
        subject=subject_of(str(params["model"])),
        notes=tuple(notes),
        key=tuple(key) if isinstance(key, list) else (str(key),),
        key_source="option",
        base=KeyCounts(rows=common + removed),
        current=KeyCounts(rows=common + added),
        added=added,
        removed=removed,
        common=common,
        changed=least,
        columns=tuple(columns),
    )


def _profiles(params: Mapping[str, Any], result: Mapping[str, Any], subject_of: SubjectOf) -> AnyDataDiff:
    sides = {side: _by_column(result.get(side)) for side in ("base", "current")}
    names = list(dict.fromkeys([*sides["base"], *sides["current"]]))
    columns = [
        ColumnProfile(name=name, base=sides["base"].get(name), current=sides["current"].get(name))
        for name in names
    ]
    return ProfileDiff(subject=subject_of(str(params["model"])), columns=tuple(columns))


def _by_column(frame: Mapping[str, Any] | None) -> dict[str, Profile]:
    if frame is None:
        return {}
    # Warehouses return the names in their own case.
    heads = [column["name"].lower() for column in frame["columns"]]
    rows = [dict(zip(heads, row, strict=True)) for row in frame["data"]]
    return {str(row["column_name"]): _profile(row) for row in rows}


def _profile(row: Mapping[str, Any]) -> Profile:
    rows, share = int(row["row_count"]), row["not_null_proportion"]
    return Profile(
        type=str(row["data_type"]),
        row_count=rows,
        # recce stores no share for an empty table.
        not_null_count=0 if share is None else round(float(share) * rows),
        distinct_count=_whole(row["distinct_count"]),
        min=_number(row["min"]),
        max=_number(row["max"]),
        avg=_number(row["avg"]),
        median=_number(row.get("median")),
    )


def _top_values(params: Mapping[str, Any], result: Mapping[str, Any], subject_of: SubjectOf) -> AnyDataDiff:
    base, current = result["base"], result["current"]
    counts = zip(current["values"], base["counts"], current["counts"], strict=True)
    column = ColumnTopK(
        name=str(params["column_name"]),
        values=tuple(TopValue(value=value, base=int(b), current=int(c)) for value, b, c in counts),
        base_valid=_whole(base["valids"]),
        base_total=_whole(base["total"]),
        current_valid=_whole(current["valids"]),
        current_total=_whole(current["total"]),
    )
    return TopKDiff(subject=subject_of(str(params["model"])), k=int(params.get("k") or 10), columns=(column,))


def _histogram(params: Mapping[str, Any], result: Mapping[str, Any], subject_of: SubjectOf) -> AnyDataDiff:
    edges = [_edge(edge) for edge in result.get("bin_edges") or ()]
    base, current = (result[side].get("counts") for side in ("base", "current"))
    column = ColumnHistogram(
        name=str(params["column_name"]),
        kind="date" if edges and isinstance(edges[0], date) else "number",
        edges=tuple(edges),
        base=None if base is None else tuple(map(int, base)),
        current=None if current is None else tuple(map(int, current)),
        min=_edge(result.get("min")),
        max=_edge(result.get("max")),
        base_total=_whole(result["base"].get("total")),
        current_total=_whole(result["current"].get("total")),
        reason=None if edges else "recce has no bins",
    )
    return HistogramDiff(subject=subject_of(str(params["model"])), columns=(column,))


def _edge(value: Any) -> Any:
    # A dash after four digits is a date. A negative number begins with a dash.
    return date.fromisoformat(value[:10]) if isinstance(value, str) and value[4:5] == "-" else _number(value)


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)


def _number(value: Any) -> Any:
    """Return a number that recce wrote as a string as a number; any other value unchanged."""
    if not isinstance(value, str):
        return value
    try:
        return int(value) if value.lstrip("-").isdigit() else float(value)
    except ValueError:
        return value


_READERS: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any], SubjectOf], AnyDataDiff]] = {
    "row_count_diff": _row_counts,
    "value_diff": _values,
    "profile_diff": _profiles,
    "top_k_diff": _top_values,
    "histogram_diff": _histogram,
}


def rows_of(run: RecceRun) -> tuple[bool | None, str]:
    """Return whether the rows in recce's result differ (None if not compared), and their number as text."""
    result: Mapping[str, Any] = run.result or {}
    frame = result.get("diff") if run.type == "query_diff" else result
    if run.type in ("query_diff", "value_diff_detail") and isinstance(frame, Mapping) and "data" in frame:
        found = len(frame["data"])
        more = " or more" if frame.get("more") else ""
        return bool(found), f"{found:,}{more} rows differ, from both sides" if found else "no row differs"
    sides: Sequence[Any] = [result.get("base"), result.get("current")]
    if run.type == "query_diff" and all(isinstance(side, Mapping) for side in sides):
        counts = " → ".join(f"{len(side['data']):,}" for side in sides)
        if any(side.get("more") for side in sides):
            return None, f"{counts} rows, limited by recce"
        same = sorted(map(repr, sides[0]["data"])) == sorted(map(repr, sides[1]["data"]))
        return not same, f"{counts} rows, {'identical' if same else 'different'}"
    if "data" in result:
        return None, f"{len(result['data']):,} rows"
    return None, ""


def is_known(run_type: str) -> bool:
    """Return True if *run_type* is a known type of recce results."""
    return run_type in _READERS or run_type in NO_EQUIVALENT
