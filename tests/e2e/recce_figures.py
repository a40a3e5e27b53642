"""recce's answers and ours as the same flat figures, so that they can be held against each other.

Each function gives a mapping from the name of a figure (`columns.price.matched`) to its value, in one
spelling: numbers as Decimal whatever they were written as, other cells as recce writes them in its frames.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Context, Decimal, InvalidOperation
from typing import Any

from recce_meta.models import RunDiff
from recce_meta.models.checks import CheckResult, CheckStatus
from recce_meta.models.data_diff import (
    ColumnHistogram,
    ColumnTopK,
    Failed,
    HistogramDiff,
    Profile,
    ProfileDiff,
    QueryDiff,
    RowCount,
    RowCountDiff,
    RowsDiff,
    SchemaDiff,
    TopKDiff,
    ValueDetail,
    ValueDiff,
)
from recce_meta.warehouses.dialect import dialect_named

Figures = dict[str, Any]
Answer = Mapping[str, Any]

DUCKDB = dialect_named("duckdb")
EXACT = Context(prec=100)
ANSWER = "answer"
"""The figure that an answer has instead of all others where there is none."""
REFUSED = "refused"

BUILT = ("model", "seed", "snapshot")
LABELS = ("total", "added", "removed")
PROFILE = ("not_null_proportion", "distinct_proportion", "distinct_count", "is_unique", "min", "max")


# Values


def number(value: Any) -> Any:
    """*value* as a Decimal; `nan`, `inf` and `-inf` as these words, and what is no number as it is."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    try:
        found = Decimal(repr(value) if isinstance(value, float) else str(value))
    except InvalidOperation:
        return value
    if not found.is_finite():
        return str(found).lower().replace("infinity", "inf")
    return Decimal(0) if not found else EXACT.normalize(found)


def is_same(theirs: Any, ours: Any) -> bool:
    """Whether two figures are the same, means up to the last digits of a double."""
    if isinstance(theirs, Decimal) and isinstance(ours, Decimal):
        return theirs == ours or abs(theirs - ours) <= Decimal("1e-14") * max(abs(theirs), abs(ours))
    return bool(theirs == ours) and isinstance(theirs, bool) == isinstance(ours, bool)


def cell(value: Any) -> Any:
    """A value of ours as recce writes it in a frame, numbers as Decimal."""
    if isinstance(value, int | float | Decimal):
        return number(value)
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time | timedelta):
        return str(value)
    if isinstance(value, bytes):
        return repr(value)
    if isinstance(value, list | dict):
        return json.dumps(value, default=str)
    return value if value is None else str(value)


def duckdb_text(value: Any) -> str:
    """A value of ours as DuckDB casts it to text, which recce shows."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        text = str(value).replace("+00:00", "+00")
        return re.sub(r"(\.\d*?)0+(?=\+|$)", r"\1", text).replace(".+", "+") if "." in text else text
    if isinstance(value, time):
        return re.sub(r"(\.\d*?)0+$", r"\1", str(value)) if value.microsecond else str(value)
    if isinstance(value, bytes):
        plain = bytes(range(32, 127)).translate(None, b"\"'\\")
        return "".join(chr(byte) if byte in plain else f"\\x{byte:02X}" for byte in value)
    if isinstance(value, list):
        return "[" + ", ".join(map(_nested_text, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"'{key}': {_nested_text(each)}" for key, each in value.items()) + "}"
    return str(value)


def _nested_text(value: Any) -> str:
    """The same within an array, struct or map: texts that could be misread are in quotes."""
    is_ambiguous = isinstance(value, str) and re.search(r"[,\[\]{}'\"=:]|^$|^\s|\s$", value)
    return f"'{value}'" if is_ambiguous else duckdb_text(value)


def _map_as_struct(text: Any) -> Any:
    """The text of a map in the spelling of a struct: ours are mappings, either way."""
    is_map = isinstance(text, str) and re.fullmatch(r"\{\w+=.*\}", text)
    return re.sub(r"(?<=[{ ])(\w+)=", r"'\1': ", text) if is_map else text


def frame_rows(frame: Answer) -> list[tuple[Any, ...]]:
    """The rows of a frame of recce's."""
    numeric = [column["type"] in ("number", "float", "integer") for column in frame["columns"]]
    return [
        tuple(
            number(value) if is_number or isinstance(value, int | float) else value
            for value, is_number in zip(row, numeric, strict=True)
        )
        for row in frame["data"]
    ]


def frame_names(frame: Answer) -> list[str]:
    """The names of the columns of a frame of recce's."""
    return [column["name"] for column in frame["columns"]]


def counted(rows: Iterable[Any]) -> Figures:
    """How often each row is there."""
    return {"cells": Counter(rows)}


# Both


def theirs(answer: Answer) -> Figures:
    """What recce answered."""
    if "error" in answer:
        return {ANSWER: f"{answer['error']['class']}: {answer['error']['message']}"}
    return THEIRS[answer["type"]](answer["result"], answer["params"])


def ours(check: CheckResult, answer: Answer) -> Figures:
    """What *check* gave to the question of *answer*."""
    has_none = not check.results or (len(check.results) == 1 and check.failures)
    if has_none and check.status is CheckStatus.ERROR:
        return {ANSWER: f"{REFUSED}: {check.message}"}
    return OURS[check.type](check.results, answer)


def is_refused(figures: Figures) -> bool:
    """Whether there is no answer."""
    return ANSWER in figures


# Queries


def _their_query(result: Answer, params: Answer) -> Figures:
    names = frame_names(result)
    return {
        "rows": result["total_row_count"],
        "columns": names,
        "is_cut": result["more"],
        **counted(frame_rows(result)),
    }


def _our_query(results: Sequence[Any], answer: Answer) -> Figures:
    (diff,) = results
    assert isinstance(diff, QueryDiff)
    assert diff.rows is not None
    rows = diff.rows
    count = rows.base_rows if rows.current_rows is None else rows.current_rows
    return {
        "rows": count,
        "columns": list(rows.columns),
        "is_cut": rows.is_cut,
        **counted(tuple(map(cell, row.current or row.base or ())) for row in rows.rows),
    }


def _their_query_diff(result: Answer, params: Answer) -> Figures:
    if result["diff"] is not None:
        return _their_detail(result["diff"], params)
    base, current = result["base"], result["current"]
    figures: Figures = {
        "base_rows": base["total_row_count"],
        "current_rows": current["total_row_count"],
        "columns": [name for name in frame_names(base) if name in frame_names(current)],
    }
    if base["more"] or current["more"]:
        return figures
    before, after = (Counter(_projected(frame, figures["columns"])) for frame in (base, current))
    common = (before & after).total()
    figures |= {"common": common, "added": (after - before).total(), "removed": (before - after).total()}
    differing = {row: (before[row], after[row]) for row in before | after if before[row] != after[row]}
    return {**figures, "cells": differing}


def _projected(frame: Answer, names: Sequence[str]) -> list[tuple[Any, ...]]:
    places = [frame_names(frame).index(name) for name in names]
    return [tuple(row[place] for place in places) for row in frame_rows(frame)]


def _our_query_diff(results: Sequence[Any], answer: Answer) -> Figures:
    (diff,) = results
    assert isinstance(diff, QueryDiff)
    if diff.rows is None:
        return _detail_figures(diff.detail, answer)
    rows = diff.rows
    figures: Figures = {
        "base_rows": rows.base_rows,
        "current_rows": rows.current_rows,
        "columns": list(rows.columns),
    }
    recce = theirs(answer)
    if not is_refused(recce) and "common" not in recce:
        return figures
    figures |= {"common": rows.common, "added": rows.added, "removed": rows.removed}
    figures["cells"] = {
        tuple(map(cell, (row.current if row.base is None else row.base) or ())): (
            row.base_count,
            row.current_count,
        )
        for row in rows.rows
    }
    return figures


# Values


def _their_values(result: Answer, params: Answer) -> Figures:
    figures = {name: result["summary"][name] for name in LABELS}
    for column, matched, share in result["data"]["data"]:
        figures[f"columns.{column}.matched"] = number(matched)
        figures[f"columns.{column}.matched_p"] = number(share)
    return figures


def _our_values(results: Sequence[Any], answer: Answer) -> Figures:
    (diff,) = results
    if isinstance(diff, RowsDiff):
        return {ANSWER: "rows compared whole"}
    assert isinstance(diff, ValueDiff)
    figures: Figures = {name: getattr(diff, name) for name in LABELS}
    for column in diff.columns:
        figures[f"columns.{column.name}.matched"] = number(column.matched)
        figures[f"columns.{column.name}.matched_p"] = number(column.match_share)
    return figures


def _their_detail(result: Answer, params: Answer) -> Figures:
    names = frame_names(result)
    return {"columns": sorted(names[:-2]), **counted(map(repr, _named(names, frame_rows(result))))}


def _our_detail(results: Sequence[Any], answer: Answer) -> Figures:
    (diff,) = results
    return _detail_figures(diff, answer)


def _detail_figures(diff: ValueDetail | RowsDiff | None, answer: Answer) -> Figures:
    recce = theirs(answer)
    if diff is None:  # nothing differs
        return {"columns": recce.get("columns", []), **counted(())}
    if isinstance(diff, RowsDiff):
        return {ANSWER: "rows compared whole"}
    names = [*diff.key, *diff.columns]
    rows = []
    for row in diff.rows:
        key = tuple(map(cell, row.key))
        if row.base is not None:
            rows.append((*key, *map(cell, row.base), True, False))
        if row.current is not None:
            rows.append((*key, *map(cell, row.current), False, True))
    shown = _named([*names, "in_a", "in_b"], rows)
    return {"columns": sorted(names), **counted(map(repr, shown))}


def _named(names: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> list[list[tuple[str, Any]]]:
    return [sorted(zip(names, row, strict=True), key=lambda pair: pair[0]) for row in rows]


# Profiles


def _their_profile(result: Answer, params: Answer) -> Figures:
    figures: Figures = {}
    for side, frame in result.items():
        for row in frame["data"]:
            named = dict(zip(frame_names(frame), row, strict=True))
            at = f"{side}.{named['column_name']}"
            of = DUCKDB.column_type(named["data_type"])
            figures[f"{at}.type"] = (of.kind.value, of.scale)
            figures[f"{at}.row_count"] = named["row_count"]
            for name in (*PROFILE, "avg", "median"):
                value = named[name]
                is_text = name in ("min", "max") and not of.kind.is_number
                figures[f"{at}.{name}"] = value if is_text else number(value)
    return figures


def _our_profile(results: Sequence[Any], answer: Answer) -> Figures:
    (diff,) = results
    assert isinstance(diff, ProfileDiff)
    figures: Figures = {}
    sides = ("base", "current") if answer["type"] == "profile_diff" else ("current",)
    for side in sides:
        for column in diff.columns:
            profile = getattr(column, side)
            if profile is not None:
                figures |= _profile_figures(f"{side}.{column.name}", profile)
    return figures


def _profile_figures(at: str, profile: Profile) -> Figures:
    of = DUCKDB.column_type(profile.type)
    figures: Figures = {f"{at}.type": (of.kind.value, of.scale), f"{at}.row_count": profile.row_count}
    for name in PROFILE:
        value = getattr(profile, name)
        is_text = name in ("min", "max") and not of.kind.is_number
        figures[f"{at}.{name}"] = (
            number(value) if not is_text else None if value is None else duckdb_text(value)
        )
    for name in ("avg", "median"):
        value = getattr(profile, name)
        figures[f"{at}.{name}"] = number(value) if not isinstance(value, date) else duckdb_text(value)
    if profile.true_count is not None and profile.row_count:
        figures[f"{at}.avg"] = number(profile.true_count / profile.row_count)
    return figures


# Distributions


def _their_top_k(result: Answer, params: Answer) -> Figures:
    base, current = result["base"], result["current"]
    figures = {f"{side}.{name}": result[side][name] for side in result for name in ("valids", "total")}
    pairs = list(zip(base["counts"], current["counts"], strict=True))
    figures["counts"] = pairs
    last = pairs[-1] if pairs and len(pairs) >= (params.get("k") or 10) else None
    # Which of several values with equal counts come last, is chance.
    figures |= {
        f"value {_map_as_struct(value)!r}": pair
        for value, pair in zip(current["values"], pairs, strict=True)
        if pair != last
    }
    return figures


def _our_top_k(results: Sequence[Any], answer: Answer) -> Figures:
    (diff,) = results
    assert isinstance(diff, TopKDiff)
    (column,) = diff.columns
    if column.reason is not None:
        return {ANSWER: f"{REFUSED}: {column.reason}"}
    return _top_k_figures(column, diff.k)


def _top_k_figures(column: ColumnTopK, k: int) -> Figures:
    figures: Figures = {
        "base.valids": column.base_valid,
        "base.total": column.base_total,
        "current.valids": column.current_valid,
        "current.total": column.current_total,
    }
    pairs = [(value.base, value.current) for value in column.values]
    figures["counts"] = pairs
    last = pairs[-1] if len(pairs) >= k else None
    for value, pair in zip(column.values, pairs, strict=True):
        if pair != last:
            figures[f"value {duckdb_text(value.value)!r}"] = pair
    return figures


def _their_histogram(result: Answer, params: Answer) -> Figures:
    return {
        "base": result["base"].get("counts"),
        "current": result["current"].get("counts"),
        "base_total": result["base"].get("total"),
        "current_total": result["current"].get("total"),
        "min": _edge(result["min"]),
        "max": _edge(result["max"]),
        "edges": [_edge(edge) for edge in result["bin_edges"]],
    }


def _edge(value: Any) -> Any:
    """An edge of bins in one spelling: a day and its first instant are the same."""
    if isinstance(value, str):
        return value.replace(" ", "T").removesuffix("Z").removesuffix("+00:00").removesuffix("T00:00:00")
    return number(value)


def _our_histogram(results: Sequence[Any], answer: Answer) -> Figures:
    (diff,) = results
    assert isinstance(diff, HistogramDiff)
    (column,) = diff.columns
    if column.reason is not None and not column.edges and column.base is None and column.current is None:
        return {ANSWER: f"{REFUSED}: {column.reason}"}
    return _histogram_figures(column)


def _histogram_figures(column: ColumnHistogram) -> Figures:
    def shown(value: Any) -> Any:
        return _edge(value.isoformat() if isinstance(value, date) else value)

    return {
        "base": None if column.base is None else list(column.base),
        "current": None if column.current is None else list(column.current),
        "base_total": column.base_total,
        "current_total": column.current_total,
        "min": shown(column.min),
        "max": shown(column.max),
        "edges": [shown(edge) for edge in column.edges],
    }


# Nodes


def _their_counts(result: Answer, params: Answer) -> Figures:
    figures: Figures = {}
    for name, counts in result.items():
        for side, theirs_ in (("base", "base"), ("current", "curr")):
            if theirs_ in counts:
                figures[f"{name}.{side}"] = counts[theirs_]
                figures[f"{name}.{side}_status"] = counts[f"{theirs_}_meta"]["status"]
    return figures


STATUSES = {
    "only in": "not_in_manifest",
    "ephemeral": "unsupported_materialization",
    "not built": "table_not_found",
    "no permission": "permission_denied",
    "Node '": "not_in_manifest",
}


def _our_counts(results: Sequence[Any], answer: Answer) -> Figures:
    (diff,) = results
    assert isinstance(diff, RowCountDiff)
    figures: Figures = {}
    sides = ("base", "current") if answer["type"] == "row_count_diff" else ("current",)
    for count in diff.counts:
        for side in sides:
            name = count.subject.name.partition(".v")[0]
            figures[f"{name}.{side}"] = getattr(count, side)
            figures[f"{name}.{side}_status"] = _status(count, side)
    return figures


def _status(count: RowCount, side: str) -> str:
    reason = getattr(count, f"{side}_reason")
    if reason is None:
        return "ok"
    return next((status for begin, status in STATUSES.items() if reason.startswith(begin)), reason)


_ITEM = re.compile(
    r"root\['(?P<node>[^\]]*)'\]"
    r"(?:\['(?P<column>.*?)'\])?"
    r"(?:\['(?P<field>type|not_null|unique)'\])?$"
)
_SCHEMA = {
    "dictionary_item_added": "added",
    "dictionary_item_removed": "removed",
    "values_changed": "retyped",
}


def _their_schema(result: Answer, params: Answer) -> Figures:
    ids = sorted(result["summary"]["related_node_ids"])
    figures: Figures = {"nodes": [each for each in ids if each.partition(".")[0] in BUILT]}
    for kind, items in (result["summary"]["deepdiff"] or {}).items():
        for item in items:
            found = _ITEM.match(item)
            assert found is not None, item
            node, column, field = found["node"], found["column"], found["field"]
            if field in ("not_null", "unique"):
                figures[f"{node}.{column}.{field}"] = _SCHEMA[kind]
            elif column is None:
                values = items[item]
                figures[node] = "added" if not values["old_value"] else "removed"
            else:
                figures[f"{node}.{column}"] = _SCHEMA[kind]
    return figures


def _our_schema(results: Sequence[Any], answer: Answer) -> Figures:
    figures: Figures = {"nodes": sorted(diff.subject.unique_id or diff.subject.name for diff in results)}
    for diff in results:
        name = diff.subject.name.partition(".v")[0]
        if isinstance(diff, Failed):
            figures[name] = f"{REFUSED}: {diff.error}"
            continue
        assert isinstance(diff, SchemaDiff)
        if diff.subject.base is None or diff.subject.current is None:
            figures[name] = "added" if diff.subject.base is None else "removed"
            continue
        for column in diff.columns:
            if column.status in _SCHEMA.values():
                figures[f"{name}.{column.name}"] = column.status
    return figures


def _their_lineage(result: Answer, params: Answer) -> Figures:
    names = frame_names(result["nodes"])
    rows = [dict(zip(names, row, strict=True)) for row in result["nodes"]["data"]]
    statuses = {row["id"]: row["change_status"] for row in rows if row["change_status"]}
    return {**statuses, "impacted": sorted(row["id"] for row in rows if row["impacted"])}


def _our_lineage(results: Sequence[Any], answer: Answer) -> Figures:
    (diff,) = results
    assert isinstance(diff, RunDiff)
    statuses = {change.unique_id: change.status.value for change in diff.changed}
    if answer["type"] == "change_analysis":
        return statuses
    touched = {*statuses, *(impact.unique_id for impact in diff.impacted)}
    shown = (each for each in touched if each.partition(".")[0] not in ("test", "unit_test"))
    return {**statuses, "impacted": sorted(shown)}


THEIRS: Mapping[str, Callable[[Answer, Answer], Figures]] = {
    "query": _their_query,
    "query_base": _their_query,
    "query_diff": _their_query_diff,
    "value_diff": _their_values,
    "value_diff_detail": _their_detail,
    "profile": _their_profile,
    "profile_diff": _their_profile,
    "top_k_diff": _their_top_k,
    "histogram_diff": _their_histogram,
    "row_count": _their_counts,
    "row_count_diff": _their_counts,
    "schema_diff": _their_schema,
    "lineage_diff": _their_lineage,
    "change_analysis": lambda result, params: {name: node["change_status"] for name, node in result.items()},
}
OURS: Mapping[str, Callable[[Sequence[Any], Answer], Figures]] = {
    "query": _our_query,
    "query_base": _our_query,
    "query_diff": _our_query_diff,
    "value_diff": _our_values,
    "value_diff_detail": _our_detail,
    "profile": _our_profile,
    "profile_diff": _our_profile,
    "top_k_diff": _our_top_k,
    "histogram_diff": _our_histogram,
    "row_count": _our_counts,
    "row_count_diff": _our_counts,
    "schema_diff": _our_schema,
    "lineage_diff": _our_lineage,
}
