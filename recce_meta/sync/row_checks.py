"""Checks of single rows that come from outside: lengths and form of texts, and values that readers know.

A type that does not fit its column is refused before, when the row is decoded.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from functools import cache, partial
from typing import Any

import msgspec

from recce_meta.errors import StoreError
from recce_meta.models import lineage
from recce_meta.models.checks import StoredCheck
from recce_meta.models.marks.review import ReviewStatus
from recce_meta.models.run import COMPLETE, FAILED
from recce_meta.store.check_results import check_of
from recce_meta.store.data_diffs import result_of
from recce_meta.store.read import freshness_of, run_of
from recce_meta.store.read import result_of as read_result
from recce_meta.store.values import FIGURES, KINDS, is_storable, value_from, value_of_tree
from recce_meta.sync.encoding import column_forms
from recce_meta.sync.tables import TABLES, column_position
from recce_meta.sync.types import Row

LONGEST_ID = 64
LONGEST_NAME = 4_000
"""Characters of a name, a path or another text that is not code, JSON or a message."""
LONGEST_TEXT = 2**24
"""Characters of any other text: Snowflake's limit."""
MOST_LEVELS = 100
"""Levels of nested JSON: readers descend into it, and Python limits how deep."""
_LONG = frozenset(
    (
        "raw_code", "compiled_code", "macro_sql", "message", "description", "reason", "profile_reason",
        "comment", "min_value", "max_value", "average_value", "median_value", "value", "expression", "error",
        "command", "threshold",
    )
)  # fmt: skip
_NUMBERED = ("ordinal", "place", "row_count", "not_null_count", "node_count", "edge_count", "column_count")
"""Columns that are never negative."""
_EDGE_KINDS = frozenset((*lineage.Kind, *lineage.Usage, lineage.REFERENCED))
_ORIGINS = (None, "ref", "source", "catalog", "sql")
_UNREADABLE = (
    msgspec.MsgspecError, StoreError, ValueError, ArithmeticError, TypeError, KeyError, RecursionError,
)  # fmt: skip
"""Errors of parsing a value of a stranger."""


def is_plain_id(text: str) -> bool:
    """Return True if *text* can be the id of an object: short, printable, and not a path.

    >>> is_plain_id("manual-1"), is_plain_id("../run"), is_plain_id("a\\x1b[2J")
    (True, False, False)
    """
    has_place = "/" in text or "\\" in text or text in (".", "..")
    return 0 < len(text) <= LONGEST_ID and text.isprintable() and not has_place and text == text.strip()


def row_problem(table: str, row: Row) -> str | None:
    """Return why *row* of *table* must not be stored; None if it is valid."""
    for name, value in zip(TABLES[table].columns, row, strict=True):
        if isinstance(value, str) and (problem := _text_problem(table, name, value)) is not None:
            return f"{name} of {table} {problem}"
    # A recorder refuses these ids too: selectors mean other runs by them.
    if table == "runs" and (row[0] == "latest" or {":", "~"}.intersection(row[0])):
        return "run_id of runs is a selector"
    return value_problem(table, row)


def value_problem(table: str, row: Row) -> str | None:
    """Return why no version of recce_meta wrote *row* of *table*; None if one could."""
    names = TABLES[table].columns
    for name, value in zip(names, row, strict=True):
        if name in _NUMBERED and value is not None and value < 0:
            return f"{name} of {table} is negative"
    check = _CHECKS.get(table)
    try:
        if check is not None:
            check(dict(zip(names, row, strict=True)))
    except _UNREADABLE:
        return f"a row of {table} has values that no version writes"
    return None


def _text_problem(table: str, name: str, text: str) -> str | None:
    if not is_storable(text):
        return "has characters that no warehouse can store"
    if name in _short_columns(table):
        # The hash of a macro may be empty.
        is_valid = is_plain_id(text) or (not text and not name.endswith("_id"))
        return None if is_valid else "is not an id"
    if column_position(table, name) in TABLES[table].texts_of_json:
        return _json_problem(text)
    longest = LONGEST_TEXT if name in _LONG else LONGEST_NAME
    return "is too long" if len(text) > longest else None


@cache
def _short_columns(table: str) -> frozenset[str]:
    return frozenset(name for name, form in column_forms(table).items() if form.type == "VARCHAR")


def _json_problem(text: str) -> str | None:
    if len(text) > LONGEST_TEXT:
        return "is too long"
    try:
        found = msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError):
        return "is not JSON"
    if text.count("[") + text.count("{") > MOST_LEVELS and _levels(found) > MOST_LEVELS:
        return "is nested too deeply"
    # Escapes in JSON become characters that PostgreSQL cannot read; a backslash before one is rare.
    if "\\u0000" in text and not _is_storable_json(found):
        return "has characters that no warehouse can store"
    return None


def _levels(value: Any) -> int:
    """Return the number of nested levels of *value*, at most one more than allowed."""
    levels, inner = 0, [value]
    while inner and levels <= MOST_LEVELS:
        levels += 1
        lists = [one for one in inner if isinstance(one, list)]
        objects = [one.values() for one in inner if isinstance(one, dict)]
        inner = [member for members in (*lists, *objects) for member in members]
    return levels


def _is_storable_json(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" not in value
    if isinstance(value, dict):
        return all("\0" not in key and _is_storable_json(member) for key, member in value.items())
    return all(map(_is_storable_json, value)) if isinstance(value, list) else True


def _check_run(row: Mapping[str, Any]) -> None:
    run_of(tuple(row.values()))
    _require(row["status"] in (None, COMPLETE, FAILED))


def _check_figures(row: Mapping[str, Any]) -> None:
    kinds = msgspec.json.decode(row["value_kinds"], type=dict[str, str])
    _require(kinds.keys() <= set(FIGURES))
    for figure in FIGURES:
        value_from(kinds.get(figure), row[f"{figure}_value"])


def _check_value(row: Mapping[str, Any]) -> None:
    _require(row["value_kind"] is None or row["value_kind"] in KINDS)
    value_from(row["value_kind"], row["value"])


def _check_edge(kinds: Collection[str | None], row: Mapping[str, Any]) -> None:
    confidence = row["confidence"]
    _require(row["kind"] in kinds and (confidence is None or 0 <= confidence <= 1))


def _check_diff(row: Mapping[str, Any]) -> None:
    _require(isinstance(value_of_tree(msgspec.json.decode(row["parameters"])), dict))
    # Readers skip a result of a newer version.
    with suppress(StoreError):
        result_of(row["result"])


def _check_check(row: Mapping[str, Any]) -> None:
    found = check_of(tuple(row.values()))
    msgspec.convert(msgspec.to_builtins(found), StoredCheck)
    _require(is_plain_id(found.check_type))


def _require(is_valid: bool) -> None:
    if not is_valid:
        raise ValueError


_CHECKS: Mapping[str, Callable[[Mapping[str, Any]], object]] = {
    "runs": _check_run,
    "run_results": lambda row: read_result((*row.values(),)[1:]),
    "source_freshness": lambda row: freshness_of((*row.values(),)[1:]),
    "column_statistics": _check_figures,
    "column_quality": _check_figures,
    "column_top_values": _check_value,
    "quality_metrics": _check_value,
    "table_quality": lambda row: msgspec.json.decode(row["notes"], type=list[str]),
    "version_parents": partial(_check_edge, _ORIGINS),
    "column_edges": partial(_check_edge, _EDGE_KINDS),
    "column_analyses": lambda row: lineage.Tier(row["tier"]),
    "data_diffs": _check_diff,
    "check_results": _check_check,
    "reviews": lambda row: ReviewStatus(row["status"]),
}
