"""What every report says of a data diff: its title, its verdict in one line, and which figures differ.

Phrases hold names from the project as they are: whoever shows them neutralises or escapes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import NamedTuple, TypeAlias

from recce_meta.diff.data.gaps import figures_limited_by, limits_of, uncounted
from recce_meta.models.data_diff import (
    AnyDataDiff,
    ColumnHistogram,
    ColumnTopK,
    Failed,
    HistogramDiff,
    KeyCounts,
    NotCompared,
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
    is_rounded,
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
Distribution: TypeAlias = ProfileDiff | TopKDiff | HistogramDiff


class Outcome(str, Enum):
    """What a diff came to."""

    EQUAL = "equal"
    """All that was asked was compared, and is equal."""
    DIFFERENT = "different"
    PARTIAL = "partly compared"
    """No difference was found, and a part was not compared."""
    ONE_SIDED = "one-sided"
    """One side has no relation: there is nothing to compare."""
    NOT_COMPARED = "not compared"
    FAILED = "failed"


class Verdict(NamedTuple):
    """What a diff came to, and that in a few words."""

    outcome: Outcome
    text: str


def kind_of(result: AnyDataDiff) -> str:
    """`value_diff`, …; of a diff that was not made, the one that was wanted."""
    return (
        result.diff if isinstance(result, (Failed, NotCompared)) else str(type(result).__struct_config__.tag)
    )


def title_of(result: AnyDataDiff) -> str:
    """`values`, `row counts`, …"""
    kind = kind_of(result)
    return TITLES.get(kind, kind.replace("_", " "))


def subject_of(result: AnyDataDiff) -> Subject | None:
    """What was compared; None for row counts, which have a subject each."""
    return None if isinstance(result, RowCountDiff) else result.subject


def verdict(result: AnyDataDiff) -> Verdict:
    """What *result* came to, with a remark if a side holds data of an earlier build."""
    found = finding(result)
    stale = "" if isinstance(result, RowCountDiff) else stale_phrase(result.subject)
    if not stale:
        return found
    if found.outcome is Outcome.EQUAL:
        found = Verdict(Outcome.PARTIAL, "no difference found")
    return Verdict(found.outcome, f"{found.text}; {stale}")


def stale_phrase(subject: Subject) -> str:
    """`current holds data of an earlier build: its build failed`; empty if no side does."""
    sides = (("base", subject.base_stale), ("current", subject.current_stale))
    told = [f"{side} holds data of an earlier build: {reason}" for side, reason in sides if reason]
    return "; ".join(told)


def finding(result: AnyDataDiff) -> Verdict:
    """What *result* came to, without the remark."""
    if isinstance(result, Failed):
        return Verdict(Outcome.FAILED, f"{title_of(result)} not compared: {result.error}")
    if isinstance(result, NotCompared):
        return Verdict(Outcome.NOT_COMPARED, f"{title_of(result)} not compared: {result.reason}")
    single = single_side(result) if isinstance(result, QueryDiff) else None
    if single is not None:
        rows = single.base_rows if single.current_rows is None else single.current_rows
        return Verdict(Outcome.ONE_SIDED, "no result" if rows is None else plural(rows, "row"))
    if isinstance(result, QueryDiff):
        return finding(result.values or result.rows or result.detail or _unanswered(result))
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


def single_side(result: QueryDiff) -> RowsDiff | None:
    """Return the rows of a query that ran on one side alone; None if both were asked."""
    return None if result.base_sql and result.current_sql else result.rows


def _unanswered(result: QueryDiff) -> Failed:
    return Failed(subject=result.subject, diff="query_diff", error="The query has no answer")


def row_count_differs(one: RowCount) -> bool:
    """Whether the sides have another number of rows, or only one has a relation."""
    return one.base != one.current and not uncounted(one)


def _of_counts(result: RowCountDiff) -> Verdict:
    """Of counts that all are equal, the figures of another time and of an earlier build are no evidence."""
    total = len(result.counts)
    differing = sum(map(row_count_differs, result.counts))
    unknown = sum(one.base is None and one.current is None for one in result.counts)
    half = sum(bool(uncounted(one)) and one.base != one.current for one in result.counts)
    kept = sum(is_kept(one) for one in result.counts)
    stale = sum(one.subject.is_stale for one in result.counts)
    phrases = [f"{differing:,} of {total:,} {differ(differing)}"] if differing else []
    phrases += [f"{unknown:,} could not be counted"] if unknown else []
    phrases += [f"{half:,} counted on one side only"] if half else []
    phrases += [f"{kept:,} with a figure of an earlier time"] if kept else []
    phrases += [f"{stale:,} with data of an earlier build"] if stale else []
    if differing:
        return Verdict(Outcome.DIFFERENT, ", ".join(phrases))
    if not total:
        return Verdict(Outcome.NOT_COMPARED, "no row was counted")
    if phrases:
        known = total - unknown - half
        outcome = Outcome.PARTIAL if known else Outcome.NOT_COMPARED
        found = [f"no difference in {plural(known, 'row count')}"] if known else []
        return Verdict(outcome, ", ".join(found + phrases))
    return Verdict(Outcome.EQUAL, "same row count" + (f" in all {total:,}" if total > 1 else ""))


def is_kept(one: RowCount) -> bool:
    """Whether a figure was kept with a run, and not taken now."""
    return one.base_kept_at is not None or one.current_kept_at is not None


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
    if phrases:
        return Verdict(Outcome.DIFFERENT, f"{', '.join(phrases)} of {total}")
    if not result.columns and result.source != "live":
        return Verdict(Outcome.NOT_COMPARED, "no columns are known")
    if result.notes:
        return Verdict(Outcome.PARTIAL, f"no difference found in {total}")
    return Verdict(Outcome.EQUAL, f"same schema: {total}")


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
    if phrases:
        return Verdict(Outcome.DIFFERENT, ", ".join([*phrases, *_uncompared(result)]))
    return _unless_limited(result, result.common)


def _unless_limited(result: ValueDiff | RowsDiff | ValueDetail, rows: int | None) -> Verdict:
    """The verdict if no difference was found: equal only if nothing was left out of the comparison."""
    limits = limits_of(result)
    compared = "" if rows is None else f" in {plural(rows, 'row')}"
    if result.is_equal:
        return Verdict(
            Outcome.EQUAL, "no row differs" if rows is None else f"{plural(rows, 'row')}, all the same"
        )
    if rows == 0:
        return Verdict(Outcome.NOT_COMPARED, "; ".join(["no row compared", *limits]))
    return Verdict(Outcome.PARTIAL, "; ".join([f"no difference found{compared}", *limits]))


def _uncompared(result: ValueDiff | RowsDiff) -> list[str]:
    """What could not be compared, in short: rows because of their keys, columns because of their types."""
    rows = result.left_out if isinstance(result, ValueDiff) else 0
    columns = (
        sum(column.reason is not None for column in result.columns)
        if isinstance(result, ValueDiff)
        else len(result.incomparable)
    )
    found = [(columns, "column"), (rows, "row")]
    return [f"{plural(number, noun)} not compared" for number, noun in found if number]


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
    counts = {"added": result.added, "removed": result.removed}
    phrases = [f"{number:,} {word}" for word, number in counts.items() if number]
    told = [f"{join_words(phrases)} ({plural(result.common, 'row')} in both)"] if phrases else []
    told += side_phrases(result)
    if told:
        return Verdict(Outcome.DIFFERENT, ", ".join([*told, *_uncompared(result)]))
    return _unless_limited(result, result.common)


def _of_detail(result: ValueDetail) -> Verdict:
    if result.rows:
        told = f"{plural(len(result.rows), 'row')} {differ(len(result.rows))}"
        return Verdict(Outcome.DIFFERENT, f"more than {told}" if result.is_cut else told)
    sides = {"base": result.base_only, "current": result.current_only}
    only = [f"{plural(len(names), 'column')} only in {side}" for side, names in sides.items() if names]
    if only or result.is_equal is False:
        limits = [] if only else ["other NULL or repeated keys"]
        return Verdict(Outcome.DIFFERENT, ", ".join([*only, *limits]))
    return _unless_limited(result, None)


def _of_columns(result: Distribution) -> Verdict:
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
    limits = figures_limited_by(result)
    if unknown == total:
        told = f"{plural(unknown, 'column')} without an answer" if total else "no column compared"
        return Verdict(Outcome.NOT_COMPARED, told)
    if unknown or limits:
        left_out = [f"{plural(unknown, 'column')} without an answer"] if unknown else []
        found = f"no difference found in the {title_of(result)} of {plural(total - unknown, 'column')}"
        return Verdict(Outcome.PARTIAL, "; ".join([found, *left_out, *limits]))
    return Verdict(Outcome.EQUAL, f"same {title_of(result)}: {plural(total, 'column')}")


def _one_side_only(result: Distribution) -> str:
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


def equal_phrase(result: ValueDiff) -> str:
    """The words before the columns without a mismatch."""
    has_rounded = any(is_rounded(column) for column in result.columns)
    is_whole = not (result.is_narrowed or result.left_out or has_rounded)
    return "equal in every row" if is_whole else "equal in every row compared"


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
    stale = [stale_phrase(one.subject)] if one.subject.is_stale else []
    if len(told) == 2 and told[0][1] == told[1][1]:
        return "; ".join([told[0][1], *stale])
    return "; ".join([*(f"{side}: {text}" for side, text in told), *stale])


def kept_phrase(kept_at: datetime) -> str:
    """`kept from 2026-11-19 08:00 UTC`."""
    return f"kept from {moment(kept_at)}"


def listed(names: Sequence[str], shown: int = 8) -> str:
    """The first of *names*, and how many more there are."""
    rest = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {count(rest)} more" if rest > 0 else "")
