"""What every report says of a data diff: its title, its verdict in one line, and which figures differ.

Phrases hold names from the project as they are: whoever shows them neutralises or escapes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import NamedTuple, TypeAlias

from recce_meta.models.data_diff import (
    AnyDataDiff,
    ColumnHistogram,
    ColumnTopK,
    Failed,
    HistogramDiff,
    KeyCounts,
    ProfileDiff,
    QueryDiff,
    RowCount,
    RowCountDiff,
    RowsDiff,
    SchemaDiff,
    Subject,
    TopKDiff,
    ValueDetail,
    ValueDiff,
)
from recce_meta.report.data.figures import count
from recce_meta.report.data.profile_figures import differing_columns
from recce_meta.report.wording import join_words, moment

TITLES = {
    "row_count_diff": "row counts",
    "schema_diff": "schema",
    "value_diff": "values",
    "value_diff_detail": "rows that differ",
    "rows_diff": "rows",
    "query_diff": "query",
    "profile_diff": "profile",
    "top_k_diff": "top values",
    "histogram_diff": "histogram",
}
"""How reports call each kind of diff."""

WithKey: TypeAlias = ValueDiff | ValueDetail
WithFilter: TypeAlias = ValueDiff | RowsDiff


class Outcome(str, Enum):
    """What a diff came to."""

    EQUAL = "equal"
    DIFFERENT = "different"
    ONE_SIDED = "one-sided"
    """One side has no relation, so that nothing could be compared."""
    FAILED = "failed"


class Verdict(NamedTuple):
    """What a diff came to, and that in a few words."""

    outcome: Outcome
    text: str


def kind_of(result: AnyDataDiff) -> str:
    """`value_diff`, …; of a diff that failed, the one that was wanted."""
    return result.diff if isinstance(result, Failed) else str(type(result).__struct_config__.tag)


def title_of(result: AnyDataDiff) -> str:
    """`values`, `row counts`, …"""
    kind = kind_of(result)
    return TITLES.get(kind, kind.replace("_", " "))


def subject_of(result: AnyDataDiff) -> Subject | None:
    """What was compared; None for row counts, which have a subject each."""
    return None if isinstance(result, RowCountDiff) else result.subject


def verdict(result: AnyDataDiff) -> Verdict:
    """What *result* came to."""
    if isinstance(result, Failed):
        return Verdict(Outcome.FAILED, result.error)
    if isinstance(result, QueryDiff):
        return verdict(result.values or result.rows or result.detail or _unanswered(result))
    if isinstance(result, RowCountDiff):
        return _of_counts(result)
    if isinstance(result, SchemaDiff):
        return _of_schema(result)
    if isinstance(result, ValueDiff):
        return _of_values(result)
    if isinstance(result, RowsDiff):
        return _of_rows(result)
    if isinstance(result, ValueDetail):
        return _of_detail(result)
    return _of_columns(result)


def _unanswered(result: QueryDiff) -> Failed:
    return Failed(subject=result.subject, diff="query_diff", error="The query has no answer")


def row_count_differs(one: RowCount) -> bool:
    """Whether the sides have another number of rows, or only one could be counted."""
    return one.base != one.current


def _of_counts(result: RowCountDiff) -> Verdict:
    total = len(result.counts)
    differing = sum(map(row_count_differs, result.counts))
    unknown = sum(one.base is None and one.current is None for one in result.counts)
    phrases = [f"{differing:,} of {total:,} {differ(differing)}"] if differing else []
    phrases += [f"{unknown:,} could not be counted"] if unknown else []
    if phrases:
        return Verdict(Outcome.DIFFERENT if differing else Outcome.ONE_SIDED, ", ".join(phrases))
    return Verdict(Outcome.EQUAL, f"the same in {'both' if total == 1 else f'all {total:,}'}")


def plural(number: int, noun: str) -> str:
    """`1 row`, `2 rows`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def differ(number: int) -> str:
    """The verb for *number* things."""
    return "differs" if number == 1 else "differ"


def _of_schema(result: SchemaDiff) -> Verdict:
    total = plural(len(result.columns), "column")
    side = _only_side(result.subject, [column.status for column in result.columns])
    if side:
        return Verdict(Outcome.ONE_SIDED, f"only in {side}: {total}")
    words = ("added", "removed", "retyped", "moved")
    counts = {word: sum(column.status == word for column in result.columns) for word in words}
    phrases = [f"{number:,} {word}" for word, number in counts.items() if number]
    if not phrases:
        return Verdict(Outcome.EQUAL, f"{total}, all the same")
    return Verdict(Outcome.DIFFERENT, f"{', '.join(phrases)} of {total}")


def _only_side(subject: Subject, statuses: Sequence[str]) -> str:
    """The side that alone has the relation, or nothing."""
    if subject.base is None and subject.current is not None and set(statuses) <= {"added"}:
        return "current"
    if subject.current is None and subject.base is not None and set(statuses) <= {"removed"}:
        return "base"
    return ""


def _of_values(result: ValueDiff) -> Verdict:
    one_sided = _one_sided(_rows_of(result.base), _rows_of(result.current))
    if one_sided:
        return one_sided
    phrases = value_phrases(result)
    left_out = _left_out(result)
    if phrases:
        return Verdict(Outcome.DIFFERENT, ", ".join([*phrases, *left_out]))
    if left_out:
        why = "NULL or repeated keys"
        return Verdict(Outcome.ONE_SIDED, f"{plural(result.common, 'row')} the same, {left_out[0]}: {why}")
    return Verdict(Outcome.EQUAL, f"{plural(result.common, 'row')}, all the same")


def _left_out(result: ValueDiff) -> list[str]:
    """How many rows of a side were not compared, because of their keys."""
    left_out = max(side.rows - side.compared for side in (result.base, result.current) if side is not None)
    return [f"{plural(left_out, 'row')} not compared"] if left_out else []


def _rows_of(side: KeyCounts | None) -> int | None:
    return None if side is None else side.rows


def _one_sided(base: int | None, current: int | None) -> Verdict | None:
    if base is not None and current is not None:
        return None
    if base is None and current is None:
        return Verdict(Outcome.ONE_SIDED, "in neither side")
    side, rows = ("current", current) if base is None else ("base", base)
    return Verdict(Outcome.ONE_SIDED, f"only in {side}: {plural(rows or 0, 'row')}")


def value_phrases(result: ValueDiff) -> list[str]:
    """`22 changed`, `5 removed`, `1 column only in base` …: what keeps the sides from being equal."""
    counts = {"changed": result.changed, "added": result.added, "removed": result.removed}
    found = [(number, word) for word, number in counts.items() if number]
    phrases = [f"{plural(number, 'row')} {word}" for number, word in found[:1]]
    phrases += [f"{number:,} {word}" for number, word in found[1:]]
    phrases += side_phrases(result)
    uncompared = sum(column.reason is not None for column in result.columns)
    phrases += [f"{plural(uncompared, 'column')} not compared"] if uncompared else []
    before, after = result.base, result.current
    if before and after and before.null_keys != after.null_keys:
        phrases.append("other NULL keys")
    if (
        before
        and after
        and (before.duplicate_keys, before.duplicate_rows)
        != (
            after.duplicate_keys,
            after.duplicate_rows,
        )
    ):
        phrases.append("other duplicate keys")
    return phrases


def side_phrases(result: ValueDiff | RowsDiff) -> list[str]:
    """`1 column only in base`."""
    sides = {"base": result.base_only, "current": result.current_only}
    return [f"{plural(len(names), 'column')} only in {side}" for side, names in sides.items() if names]


def _of_rows(result: RowsDiff) -> Verdict:
    one_sided = _one_sided(result.base_rows, result.current_rows)
    if one_sided:
        return one_sided
    if result.is_equal:
        return Verdict(Outcome.EQUAL, f"{plural(result.common, 'row')}, all the same")
    counts = {"added": result.added, "removed": result.removed}
    phrases = [f"{number:,} {word}" for word, number in counts.items() if number]
    told = [f"{join_words(phrases)} ({plural(result.common, 'row')} in both)"] if phrases else []
    told += side_phrases(result)
    told += [f"{plural(len(result.incomparable), 'column')} not compared"] if result.incomparable else []
    return Verdict(Outcome.DIFFERENT, ", ".join(told))


def _of_detail(result: ValueDetail) -> Verdict:
    if not result.rows:
        return Verdict(Outcome.EQUAL, "no row differs")
    told = f"{plural(len(result.rows), 'row')} {differ(len(result.rows))}"
    return Verdict(Outcome.DIFFERENT, f"more than {told}" if result.is_cut else told)


def _of_columns(result: ProfileDiff | TopKDiff | HistogramDiff) -> Verdict:
    total = len(result.columns)
    if isinstance(result, ProfileDiff):
        differing = len(differing_columns(result))
    elif isinstance(result, TopKDiff):
        differing = sum(map(top_k_differs, result.columns))
    else:
        differing = sum(map(histogram_differs, result.columns))
    unknown = sum(bool(getattr(column, "reason", None)) for column in result.columns)
    side = _one_side_only(result)
    if side:
        return Verdict(Outcome.ONE_SIDED, f"only in {side}: {plural(total, 'column')}")
    if differing:
        return Verdict(Outcome.DIFFERENT, f"{differing:,} of {plural(total, 'column')} {differ(differing)}")
    if unknown:
        told = f"{plural(unknown, 'column')} without an answer"
        return Verdict(
            Outcome.ONE_SIDED, told if unknown == total else f"{total - unknown:,} the same, {told}"
        )
    return Verdict(Outcome.EQUAL, f"{plural(total, 'column')}, all the same")


def _one_side_only(result: ProfileDiff | TopKDiff | HistogramDiff) -> str:
    if isinstance(result, ProfileDiff):
        has_base = any(column.base for column in result.columns)
        has_current = any(column.current for column in result.columns)
    else:
        has_base = any(column.base_total is not None for column in result.columns)
        has_current = any(column.current_total is not None for column in result.columns)
    return "" if has_base == has_current else "base" if has_base else "current"


def top_k_differs(column: ColumnTopK) -> bool:
    """Whether a value, or NULL, is there another number of times."""
    return (
        any(one.base != one.current for one in column.values)
        or column.base_valid != column.current_valid
        or column.base_total != column.current_total
    )


def histogram_differs(column: ColumnHistogram) -> bool:
    """Whether a bin holds another number of rows."""
    return column.base != column.current or column.base_outside != column.current_outside


def key_phrase(result: WithKey) -> str:
    """`key order_id, line (unique_key)`."""
    source = f" ({result.key_source.replace('_', ' ')})" if result.key_source else ""
    return f"key {', '.join(result.key)}{source}"


def filter_phrases(result: WithFilter) -> list[str]:
    """What restricts the rows that were compared."""
    told = [f"where {result.where}"] if result.where else []
    if result.sample is not None:
        told.append(f"a sample of {result.sample:g}% of the {_sampled(result)}")
    return told


def _sampled(result: WithFilter) -> str:
    return "keys" if isinstance(result, ValueDiff) else "rows"


def reasons_of(one: RowCount) -> str:
    """Why a side has no figure, and from when kept ones are."""
    told = []
    for side, rows, reason, kept_at in (
        ("base", one.base, one.base_reason, one.base_kept_at),
        ("current", one.current, one.current_reason, one.current_kept_at),
    ):
        if rows is None:
            told.append((side, reason or "not there"))
        elif kept_at is not None:
            told.append((side, kept_phrase(kept_at)))
    if len(told) == 2 and told[0][1] == told[1][1]:
        return told[0][1]
    return "; ".join(f"{side}: {text}" for side, text in told)


def kept_phrase(kept_at: datetime) -> str:
    """`kept from 2026-11-19 08:00 UTC`."""
    return f"kept from {moment(kept_at)}"


def listed(names: Sequence[str], shown: int = 8) -> str:
    """The first of *names*, and how many more there are."""
    rest = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {count(rest)} more" if rest > 0 else "")
