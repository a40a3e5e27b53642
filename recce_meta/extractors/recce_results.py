"""Results in recce's state as data diffs, where one with the same meaning exists."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from recce_meta.errors import ArtifactError
from recce_meta.extractors.recce_state import RecceRun
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

SubjectOf = Callable[[str], Subject]
"""Gives the node of a name, on both sides."""

NO_EQUIVALENT = {
    "query": "rows of a query are values of your data; check run answers it again",
    "query_base": "rows of a query are values of your data; check run answers it again",
    "query_diff": "recce stores rows and no counts; check run answers it again",
    "value_diff_detail": "rows that differ are values of your data; check run answers it again",
    "row_count": "it is of one side, and a data diff has two",
    "profile": "it is of one side, and a data diff has two",
    "profile_distribution": "it is of one side, and a data diff has two",
    "schema_diff": "recce stores no result; check run answers it from the recorded runs",
    "lineage_diff": "recce stores no result; check run answers it from the recorded runs",
    "simple": "it is a note, and has no result",
}
"""Why a result of recce's becomes no data diff, by type."""
UNKNOWN_TYPE = "recce-meta does not know this type"


def data_diff_of(run: RecceRun, subject_of: SubjectOf) -> AnyDataDiff | str:
    """Return the result of *run* as a data diff, or the reason why there is none.

    Raises ArtifactError if the result is not what recce writes for its type.
    """
    if run.error is not None:
        return f"recce failed: {' '.join(run.error.split())}"
    if run.result is None:
        return f"it has no result (status {run.status or 'unknown'})"
    read = _READERS.get(run.type)
    if read is None:
        return NO_EQUIVALENT.get(run.type, UNKNOWN_TYPE)
    try:
        return read(run.params or {}, run.result, subject_of)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        problem = f"{type(error).__name__}: {error}"
        raise ArtifactError(
            f"Run {run.run_id} ({run.type}) in the state is not what recce writes: {problem}",
            hint="write the state again with recce run",
        ) from None


def _row_counts(_params: Mapping[str, Any], result: Mapping[str, Any], subject_of: SubjectOf) -> AnyDataDiff:
    counts = []
    for name, figures in result.items():
        reasons = {}
        for side in ("base", "curr"):
            meta = figures.get(f"{side}_meta") or {}
            told = str(meta.get("status") or "not counted by recce").replace("_", " ")
            reasons[side] = None if figures[side] is not None else told
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
                reason="recce has no figure" if matched is None else None,
            )
        )
    least = max((column.mismatched or 0 for column in columns), default=0)
    key = params.get("primary_key")
    notes = ["recce matches rows by its own rules: NULL keys match each other"]
    if sum(bool(column.mismatched) for column in columns) > 1:
        notes.append(f"recce counts by column: at least {least:,} rows changed, and maybe more")
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
    heads = [column["name"].lower() for column in frame["columns"]]
    rows = [dict(zip(heads, row, strict=True)) for row in frame["data"]]
    return {str(row["column_name"]): _profile(row) for row in rows}


def _profile(row: Mapping[str, Any]) -> Profile:
    rows, share = int(row["row_count"]), row["not_null_proportion"]
    return Profile(
        type=str(row["data_type"]),
        row_count=rows,
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
    return date.fromisoformat(value[:10]) if isinstance(value, str) and value[4:5] == "-" else _number(value)


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)


def _number(value: Any) -> Any:
    """Return a number that recce wrote as a string as such; anything else as it is."""
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
    """Return whether rows that recce stored differ, and how many there are; None if it compared nothing."""
    result: Mapping[str, Any] = run.result or {}
    frame = result.get("diff") if run.type == "query_diff" else result
    if run.type in ("query_diff", "value_diff_detail") and isinstance(frame, Mapping) and "data" in frame:
        found = len(frame["data"])
        more = " or more" if frame.get("more") else ""
        return bool(found), f"{found:,}{more} rows of either side differ" if found else "no row differs"
    sides: Sequence[Any] = [result.get("base"), result.get("current")]
    if run.type == "query_diff" and all(isinstance(side, Mapping) for side in sides):
        counts = " → ".join(f"{len(side['data']):,}" for side in sides)
        if any(side.get("more") for side in sides):
            return None, f"{counts} rows, cut by recce's limit"
        same = sorted(map(repr, sides[0]["data"])) == sorted(map(repr, sides[1]["data"]))
        return not same, f"{counts} rows, {'the same' if same else 'other rows'}"
    if "data" in result:
        return None, f"{len(result['data']):,} rows"
    return None, ""


def is_known(run_type: str) -> bool:
    """Return True if recce-meta knows what results of *run_type* mean."""
    return run_type in _READERS or run_type in NO_EQUIVALENT
