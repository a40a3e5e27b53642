"""Verdicts of data diffs: title, outcome in one line, and whether figures differ.

Words and signs for equal data are only here, and those for unchanged nodes in `report.labels`, because only
these modules know what was not compared. A test of the architecture finds them elsewhere.

Phrases contain names from the project unescaped; the caller neutralises or escapes them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple, get_args

from msgspec.structs import replace

from recce_meta.errors import agree, plural, shorten
from recce_meta.models.data_diff import (
    COMPARE_REASON,
    AnyDataDiff,
    ColumnProfile,
    ColumnValues,
    DataSide,
    Failed,
    FiguresDiff,
    NotCompared,
    ProfileDiff,
    QueryDiff,
    RowComparison,
    RowCount,
    RowCountDiff,
    RowsDiff,
    SchemaDiff,
    Subject,
    ValueDetail,
    ValueDiff,
    is_rounded,
    kind_of,
)
from recce_meta.models.diff_kinds import KINDS, Words
from recce_meta.models.explanations import EditEffect, Slice, SliceCondition, TriedEdit
from recce_meta.report.data.figures import column_differs, differing_columns
from recce_meta.report.labels import PASSED, join_words, moment
from recce_meta.report.values import count, percent
from recce_meta.tables.gaps import (
    SAME_RELATION,
    count_gap,
    count_limit,
    figures_limited_by,
    limits_of,
    role_sees,
    rounded_columns,
    stale_phrase,
)

_WORDS = {
    **{kind.diff: kind.words for kind in KINDS.values()},
    "schema_diff": Words("columns", "equal column names and types", "column names and types"),
}

_COLUMN_CHANGES = {
    "removed": "removed",
    "retyped": "with another type",
    "added": "added",
    "moved": "at another position",
}


class Outcome(str, Enum):
    """Result of a diff."""

    EQUAL = "equal"
    """Everything requested was compared and is equal."""
    DIFFERENT = "different"
    PARTIAL = "partly compared"
    """No difference was found, but a part was not compared."""
    ONE_SIDED = "one-sided"
    """One side has no relation, so there is nothing to compare."""
    NOT_COMPARED = "not compared"
    FAILED = "failed"


SIGNS = {
    Outcome.EQUAL: PASSED,
    Outcome.DIFFERENT: "🟡",
    Outcome.PARTIAL: "❔",
    Outcome.ONE_SIDED: "⚪",
    Outcome.NOT_COMPARED: "❔",
    Outcome.FAILED: "❗",
}
"""Sign of each outcome in Markdown."""
NO_DIFFERENCE = "no difference"
NO_DIFFERENCE_FOUND = f"{NO_DIFFERENCE} found"
"""Claim about data of which a part was not compared."""
EQUAL_ROWS = "equal rows"
"""Heading of the share of rows with equal values of a column."""
CLAIMS = {kind: words.claim for kind, words in _WORDS.items() if words.claim}
"""Claim of each type of check about nodes without a difference, after `with`."""
EQUAL_RESULT = "equal result"
"""Claim of other types of checks."""


OTHER_TYPES = "of other types"
"""Remark on equal values."""


class DiffVerdict(NamedTuple):
    """Outcome of a diff and a phrase that describes it."""

    outcome: Outcome
    text: str


def title_of(result: AnyDataDiff) -> str:
    """Return `values`, `row counts`, …"""
    return words_for(kind_of(result)).title


def words_for(kind: str) -> Words:
    """Return what reports call the type of data diff *kind*."""
    return _WORDS.get(kind) or Words(kind.replace("_", " "))


def subject_of(result: AnyDataDiff) -> Subject | None:
    """Return the compared node; None for row counts, which have a subject each."""
    return None if isinstance(result, RowCountDiff) else result.subject


def verdict(result: AnyDataDiff) -> DiffVerdict:
    """Return the verdict on *result*, with a remark if a side lacks the data of its run."""
    found = bare_verdict(result)
    stale = "" if isinstance(result, RowCountDiff) else stale_phrase(result.subject)
    if not stale:
        return found
    # Equal data of an earlier build proves nothing about this build.
    if found.outcome is Outcome.EQUAL:
        found = DiffVerdict(Outcome.PARTIAL, NO_DIFFERENCE_FOUND)
    return DiffVerdict(found.outcome, f"{found.text}; {stale}")


def answer_of(result: AnyDataDiff) -> str:
    """Return the verdict as the title of a result: `56 of 150 customers differ (37.3%)`."""
    text, title = verdict(result).text, title_of(result).capitalize()
    values = result.values if isinstance(result, QueryDiff) else result
    if isinstance(values, ValueDiff) and values.changed:
        name = values.subject.name
        is_plural = name.endswith("s") and not name.endswith(("ss", "us", "is")) and values is result
        rows = name if is_plural else "rows" if values is not result else f"rows of {name}"
        found = f"{plural(values.common, 'row')} changed"
        verb = agree(values.changed, "differ")
        return text.replace(found, f"{count(values.common)} {rows} {verb}", 1)
    if isinstance(result, ValueDetail) and result.rows:
        return text[:1].upper() + text[1:]  # `4 rows differ`
    if isinstance(result, ProfileDiff):
        text = text.replace("differs", "differ").replace("differ", "have another profile")
        return text[:1].upper() + text[1:]
    return f"{title}: {text.removeprefix(f'{title_of(result)} ')}"


def bare_verdict(result: AnyDataDiff) -> DiffVerdict:
    """Return the verdict on *result* without the remark."""
    return next(_VERDICTS[kind] for kind in type(result).__mro__ if kind in _VERDICTS)(result)


def _of_failed(result: Failed) -> DiffVerdict:
    return DiffVerdict(Outcome.FAILED, f"{title_of(result)} not compared: {result.error}")


def _of_skipped(result: NotCompared) -> DiffVerdict:
    return DiffVerdict(Outcome.NOT_COMPARED, f"{title_of(result)} not compared: {result.reason}")


def _of_query(result: QueryDiff) -> DiffVerdict:
    if single := single_side(result):
        rows = single.base_rows if single.current_rows is None else single.current_rows
        return DiffVerdict(Outcome.ONE_SIDED, "no result" if rows is None else plural(rows, "row"))
    return bare_verdict(result.values or result.rows or result.detail or _unanswered(result))


def single_side(result: QueryDiff) -> RowsDiff | None:
    """Return the rows of a query that ran on one side only; None if it ran on both."""
    return None if result.base_sql and result.current_sql else result.rows


def _unanswered(result: QueryDiff) -> Failed:
    return Failed(subject=result.subject, diff="query_diff", error="The query has no result")


def row_count_differs(one: RowCount) -> bool:
    """Return True if the row counts differ, or only one side has a relation."""
    return one.base != one.current and not count_gap(one)


def _of_counts(result: RowCountDiff) -> DiffVerdict:
    """Return the verdict on row counts; saved and outdated counts are no evidence of equality."""
    total = len(result.counts)
    differing = sum(map(row_count_differs, result.counts))
    skipped = Counter(reason for one in result.counts if (reason := _skip_reason(one)))
    # Skipped nodes have no count either, but are reported in a phrase of their own.
    unknown = sum(one.base is None and one.current is None for one in result.counts) - skipped.total()
    half = sum(bool(count_gap(one)) and one.base != one.current for one in result.counts)
    same = sum(one.base_reason == SAME_RELATION and one.current is not None for one in result.counts)
    half -= same
    saved = sum(bool(saved_sides(one)) for one in result.counts)
    stale = sum(one.subject.is_stale for one in result.counts)
    limited = sum(bool(one.where) for one in result.counts)
    hidden = sorted({one.subject.hidden for one in result.counts if one.subject.hidden})
    phrases = [f"{differing:,} of {plural(total, 'node')} {agree(differing, 'differ')}"] if differing else []
    phrases += [_skipped_phrase(reason, number) for reason, number in skipped.items()]
    phrases += [f"{unknown:,} could not be counted"] if unknown else []
    phrases += [f"{half:,} counted on one side only"] if half else []
    phrases += [SAME_RELATION if same == total else f"{same:,} not compared: {SAME_RELATION}"] if same else []
    phrases += [f"{saved:,} with an earlier count"] if saved else []
    phrases += [f"{stale:,} without the data of the run"] if stale else []
    phrases += [f"{limited:,} only where a condition holds"] if limited else []
    phrases += [role_sees("; ".join(hidden))] if hidden else []
    if differing:
        return DiffVerdict(Outcome.DIFFERENT, ", ".join(phrases))
    if not total:
        return DiffVerdict(Outcome.NOT_COMPARED, "no rows counted")
    if phrases:
        known = total - skipped.total() - unknown - half - same
        outcome = Outcome.PARTIAL if known else Outcome.NOT_COMPARED
        found = [f"no difference in {plural(known, 'row count')}"] if known else []
        return DiffVerdict(outcome, ", ".join(found + phrases))
    return DiffVerdict(Outcome.EQUAL, "same row count" + (f" in all {total:,}" if total > 1 else ""))


def _skip_reason(one: RowCount) -> str | None:
    """Return why the settings of the node exclude it; None if they do not."""
    reasons = (one.base_reason, one.current_reason)
    return next((reason for reason in reasons if reason and reason.startswith(COMPARE_REASON)), None)


def _skipped_phrase(reason: str, number: int) -> str:
    text = reason if number == 1 else reason.replace("the node has", "the nodes have", 1)
    return f"{number:,} not counted: {text}"


def saved_sides(result: RowCount | ProfileDiff) -> dict[str, str]:
    """Return `saved at 2026-11-19 08:00 UTC` by side, for figures saved with a run instead of taken now."""
    sides = {"base": result.base_kept_at, "current": result.current_kept_at}
    return {side: f"saved at {moment(kept_at)}" for side, kept_at in sides.items() if kept_at}


def _of_schema(result: SchemaDiff) -> DiffVerdict:
    total = plural(len(result.columns), "column")
    side = _only_side(result.subject, [column.status for column in result.columns])
    if side:
        return DiffVerdict(Outcome.ONE_SIDED, f"only in {side}: {total}")
    counts = Counter(column.status for column in result.columns)
    phrases = [f"{counts[status]:,} {words}" for status, words in _COLUMN_CHANGES.items() if counts[status]]
    if phrases:
        number = len(result.changed)
        found = f"{number:,} of {total} {agree(number, 'differ')}: {', '.join(phrases)}"
        return DiffVerdict(Outcome.DIFFERENT, found)
    # Runs without a catalog have no columns, so there was nothing to compare.
    if not result.columns and result.source != "live":
        return DiffVerdict(Outcome.NOT_COMPARED, "columns unknown")
    if result.notes:
        return DiffVerdict(Outcome.PARTIAL, f"no difference found in {total}")
    # Names and types are all that is compared: NOT NULL and defaults are not.
    return DiffVerdict(Outcome.EQUAL, f"{total}, same {'type' if len(result.columns) == 1 else 'types'}")


def _only_side(subject: Subject, statuses: Sequence[str]) -> str:
    """Return the only side that has the relation; empty if both do."""
    if subject.base is None and subject.current is not None and set(statuses) <= {"added"}:
        return "current"
    if subject.current is None and subject.base is not None and set(statuses) <= {"removed"}:
        return "base"
    return ""


def _of_values(result: ValueDiff) -> DiffVerdict:
    base, current = result.base, result.current
    single = one_sided(None if base is None else base.rows, None if current is None else current.rows)
    if single:
        return single
    phrases = value_phrases(result)
    if phrases:
        return DiffVerdict(Outcome.DIFFERENT, ", ".join([*phrases, *_uncompared(result)]))
    return _with_types(_unless_limited(result, result.common), result, sum(map(is_retyped, result.columns)))


def _with_types(found: DiffVerdict, result: ValueDiff | RowsDiff, retyped: int) -> DiffVerdict:
    remark = f"; {plural(retyped, 'column')} {OTHER_TYPES}" if retyped and result.common else ""
    return DiffVerdict(found.outcome, f"{found.text}{remark}")


def is_retyped(column: ColumnValues) -> bool:
    """Return True if the values of both sides have types of different kinds."""
    return column.compared_as is not None and column.base_type != column.current_type


def _unless_limited(result: ValueDiff | RowsDiff | ValueDetail, rows: int | None) -> DiffVerdict:
    """Return the verdict if no difference was found: equal only if everything was compared."""
    limits = limits_of(result)
    compared = "" if rows is None else f" in {plural(rows, 'row')}"
    # Without a row on both sides there was nothing to compare.
    if rows == 0 and result.is_equal:
        return DiffVerdict(Outcome.EQUAL, "both sides are empty")
    if rows == 0:
        return DiffVerdict(Outcome.NOT_COMPARED, "; ".join(["no rows compared", *limits]))
    if result.is_equal:
        word = "equal" if rows == 1 else "all equal"
        text = "no row differs" if rows is None else f"{plural(rows, 'row')}, {word}"
        return DiffVerdict(Outcome.EQUAL, text)
    return DiffVerdict(Outcome.PARTIAL, "; ".join([f"no difference found{compared}", *limits]))


def _uncompared(result: ValueDiff | RowsDiff) -> list[str]:
    """Return the numbers of rows and columns that could not be compared."""
    rows = result.left_out if isinstance(result, ValueDiff) else 0
    columns = (
        sum(column.reason is not None for column in result.columns)
        if isinstance(result, ValueDiff)
        else len(result.incomparable)
    )
    found = [(columns, "column"), (rows, "row")]
    return [f"{plural(number, noun)} not compared" for number, noun in found if number]


def one_sided(base: int | None, current: int | None) -> DiffVerdict | None:
    """Return the verdict if at most one side has rows to count; None if both do."""
    if base is not None and current is not None:
        return None
    if base is None and current is None:
        return DiffVerdict(Outcome.ONE_SIDED, "on neither side")
    side, rows = ("current", current) if base is None else ("base", base)
    return DiffVerdict(Outcome.ONE_SIDED, f"only in {side}: {plural(rows or 0, 'row')}")


def value_phrases(result: ValueDiff) -> list[str]:
    """Return `22 changed`, `5 removed`, `1 column only in base` and other differences."""
    phrases = []
    repeated = _repeated_keys(result)
    if result.changed:
        # A share of the rows whose keys occur once would look like one of all rows.
        share = f" ({percent(result.changed / result.common)})" if result.common and not repeated else ""
        phrases.append(f"{result.changed:,} of {plural(result.common, 'row')} changed{share}")
    phrases = [*_with_moved(phrases, result), *side_phrases(result)]
    before, after = result.base, result.current
    # Rows with a NULL key cannot be matched, so only their number shows a difference.
    if before and after and before.null_keys != after.null_keys:
        phrases.append("number of NULL keys differs")
    return [repeated, *phrases] if repeated and (phrases or "→" in repeated) else phrases


def _repeated_keys(result: ValueDiff) -> str:
    """Return `repeated keys: 0 → 28 (30 → 120 rows)`; empty if each key occurs once on both sides."""
    before, after = result.base, result.current
    if not before or not after or not (before.duplicate_keys or after.duplicate_keys):
        return ""
    if (before.duplicate_keys, before.duplicate_rows) == (after.duplicate_keys, after.duplicate_rows):
        return f"repeated keys: {before.duplicate_keys:,} on both sides"
    keys = f"{before.duplicate_keys:,} → {after.duplicate_keys:,}"
    return f"repeated keys: {keys} ({before.rows:,} → {after.rows:,} rows)"


def _with_moved(phrases: list[str], result: ValueDiff | RowsDiff) -> list[str]:
    """Return *phrases* with the numbers of rows added and removed; the first phrase names the rows."""
    for number, word in ((result.added, "added"), (result.removed, "removed")):
        if number:
            phrases = [*phrases, f"{count(number) if phrases else plural(number, 'row')} {word}"]
    return phrases


def side_phrases(result: ValueDiff | RowsDiff | ValueDetail) -> list[str]:
    """Return `1 column only in base`."""
    sides = {"base": result.base_only, "current": result.current_only}
    return [f"{plural(len(names), 'column')} only in {side}" for side, names in sides.items() if names]


def _of_rows(result: RowsDiff) -> DiffVerdict:
    single = one_sided(result.base_rows, result.current_rows)
    if single:
        return single
    phrases = _with_moved([], result)
    text = [f"{join_words(phrases)} ({plural(result.common, 'row')} on both sides)"] if phrases else []
    text += side_phrases(result)
    if text:
        return DiffVerdict(Outcome.DIFFERENT, ", ".join([*text, *_uncompared(result)]))
    return _with_types(_unless_limited(result, result.common), result, len(result.retyped))


def _of_detail(result: ValueDetail) -> DiffVerdict:
    left_out = [f"{plural(result.left_out, 'row')} not compared"] if result.left_out else []
    if result.rows:
        text = f"{plural(len(result.rows), 'row')} {agree(len(result.rows), 'differ')}"
        text = f"more than {text}" if result.is_cut else text
        return DiffVerdict(Outcome.DIFFERENT, ", ".join([text, *left_out]))
    only = side_phrases(result)
    if only or result.is_equal is False:
        limits = [] if only else ["number of NULL or duplicate keys differs"]
        return DiffVerdict(Outcome.DIFFERENT, ", ".join([*only, *limits, *left_out]))
    return _unless_limited(result, None)


def _of_columns(result: FiguresDiff) -> DiffVerdict:
    total = len(result.columns)
    if isinstance(result, ProfileDiff):
        differing = len(differing_columns(result))
    else:
        differing = sum(column.differs() for column in result.columns)
    unknown = sum(bool(getattr(column, "reason", None)) for column in result.columns)
    side = _one_side_only(result)
    if side:
        return DiffVerdict(Outcome.ONE_SIDED, f"only in {side}: {plural(total, 'column')}")
    if differing:
        text = f"{differing:,} of {plural(total, 'column')} {agree(differing, 'differ')}"
        unread = unread_columns(result) if isinstance(result, ProfileDiff) else []
        left_out = [unread_phrase(unread)] if unread else []
        return DiffVerdict(Outcome.DIFFERENT, ", ".join([text, *left_out]))
    limits = figures_limited_by(result)
    if unknown == total:
        text = f"{plural(unknown, 'column')} without a result" if total else "no columns compared"
        return DiffVerdict(Outcome.NOT_COMPARED, text)
    if unknown or limits:
        left_out = [f"{plural(unknown, 'column')} without a result"] if unknown else []
        found = f"no difference found in the {title_of(result)} of {plural(total - unknown, 'column')}"
        return DiffVerdict(Outcome.PARTIAL, "; ".join([found, *left_out, *limits]))
    return DiffVerdict(Outcome.EQUAL, f"same {title_of(result)} in {plural(total, 'column')}")


def _one_side_only(result: FiguresDiff) -> str:
    if isinstance(result, ProfileDiff):
        has_base, has_current = (
            any(not column.lacks(side) for column in result.columns) for side in DataSide
        )
    else:
        has_base = any(column.base_total is not None for column in result.columns)
        has_current = any(column.current_total is not None for column in result.columns)
    return "" if has_base == has_current else "base" if has_base else "current"


def key_phrase(result: ValueDiff | ValueDetail) -> str:
    """Return `rows matched by order_id, line (key from unique_key)`."""
    source = f" (key from {result.key_source})" if result.key_source else ""
    rounded = rounded_columns(result)
    hows = dict.fromkeys(rounded[name] for name in result.key if name in rounded)
    source += f", {', '.join(hows)}: different keys may be one" if hows else ""
    return f"rows matched by {', '.join(result.key)}{source}"


def has_odd_keys(result: ValueDiff) -> bool:
    """Return True if a side has NULL or duplicate keys, whose rows are counted apart."""
    return any(
        side is not None and (side.null_keys or side.duplicate_keys or side.duplicate_rows)
        for side in (result.base, result.current)
    )


def match_phrases(result: ValueDiff) -> list[str]:
    """Return `900 rows on both sides: 824 equal, 76 changed`, and `moved_phrases`.

    The sizes of both sides precede them, unless odd keys require a table of these.
    """
    base, current, sizes = result.base, result.current, []
    if base is not None and current is not None and not has_odd_keys(result):
        sizes = [f"{count(base.rows)} → {plural(current.rows, 'row')}"]
    equal = f"{count(result.common - result.changed)} {equal_word(result)}"
    return [
        *sizes,
        f"{plural(result.common, 'row')} on both sides: {equal}, {count(result.changed)} changed",
        *moved_phrases(result),
    ]


def explanations(result: ValueDiff) -> list[tuple[str, str]]:
    """Return what explains the rows that differ: `where`, `how`, `parent` or `edit`, and a phrase."""
    parts = {
        "where": why_phrases,
        "how": shape_phrases,
        "parent": parent_phrases,
        "edit": edit_phrases,
    }
    return [(name, phrase) for name, phrases in parts.items() for phrase in phrases(result)]


def why_phrases(result: ValueDiff) -> list[str]:
    """Return a phrase for the first slice of each target, or why there is none."""
    if result.why is None:
        return []
    if not result.why.slices:
        return [result.why.note or f"no slice found in {plural(result.why.searched, 'column')}"]
    first = {one.targets: one for one in reversed(result.why.slices)}
    return [_slice_phrase(one) for one in reversed(first.values())]


def shape_phrases(result: ValueDiff) -> list[str]:
    """Return `amount: × 100 in all 11,347 changed values` of all columns with a shape, in one phrase."""
    shapes = result.why.shapes if result.why else ()
    found = [
        f"{one.column}: {one.text} in {_of_target(one.rows, one.changed, one.column, names_it=False)}"
        for one in shapes
    ]
    return [" · ".join(found)] if found else []


def parent_phrases(result: ValueDiff) -> list[str]:
    """Return `all 56 changed rows have a changed row of orders, by customer_id`, with counts."""
    found = []
    for one in result.why.parents if result.why else ():
        some = "all" if one.reading == one.changed else f"{one.reading:,} of"
        rows = f"{one.changed:,} {one.target} row{'' if one.changed == 1 else 's'}"
        rest = (
            f"so do {one.others_reading:,} of the {one.others:,} equal rows"
            if one.others_reading
            else "no equal row has"
        )
        found.append(f"{some} {rows} have a changed row of {one.parent}, by {', '.join(one.key)}; {rest}")
    return found


def edit_phrases(result: ValueDiff) -> list[str]:
    """Return a phrase for each edit that gives differing values, and for the values that none gives."""
    tried = result.why and result.why.edits
    if not tried:
        return []
    if tried.note:
        return [tried.note]
    found = [
        f"compiled line {edit.line}, {_edit_text(edit)}: gives {', '.join(map(_given, edit.effects))}"
        for edit in tried.edits
        if edit.effects
    ]
    for field, words in _REST.items():
        parts = [(getattr(rest, field), rest) for rest in tried.rests]
        some = [_of_target(number, rest.changed, rest.target) for number, rest in parts if number]
        found += [words.format(", ".join(some))] if some else []
    return found


_REST = {
    "either": "each of several edits gives {}",
    "together": "only several edits together give {}",
    "unchanged": "unchanged by the edits, on the data of base: {}",
    "mixed": "by edits together with other data: {}",
    "not_tried": "not tried: {}, for which the query of base gives other values or types on its data now",
}
_LONGEST_EDIT = 60


def _edit_text(edit: TriedEdit) -> str:
    """Return `a → b`, `+ b` or `- a`, shortened."""
    old, new = (shorten(" ".join(text.split()), _LONGEST_EDIT) for text in (edit.old, edit.new))
    return f"{old} → {new}" if old and new else f"+ {new}" if new else f"- {old}"


def _given(effect: EditEffect) -> str:
    return _of_target(effect.gives, effect.changed, effect.target)


def _of_target(number: int, changed: int, target: str, *, names_it: bool = True) -> str:
    """Return `all 76 changed values of amount`, or `12 of 40 removed rows`."""
    some = ("all " if number > 1 else "the ") if number == changed else f"{number:,} of "
    shown = "" if number == changed == 1 else f"{changed:,} "
    is_rows = target in ("added", "removed")
    noun = f"{target} row" if is_rows else "changed value"
    name = "" if is_rows or not names_it else f" of {target}"
    return f"{some}{shown}{noun}{'' if changed == 1 else 's'}{name}"


def _slice_phrase(one: Slice) -> str:
    """Return `all 76 changed rows have status = 'failed'; no other row has`, with counts."""
    what = _and(one.conditions)
    kinds = [target for target in one.targets if target in ("added", "removed", "changed")]
    rows = f"{kinds[0]} row" if kinds else f"row with another {', '.join(one.targets)}"
    hit, others = one.changed_in_slice, one.in_slice - one.changed_in_slice
    some = "all" if hit == one.changed else f"{hit:,} of"
    plural_rows = rows if one.changed == 1 else rows.replace("row", "rows", 1)
    met = f"{some} {one.changed:,} {plural_rows} have {what}"
    do = "does" if others == 1 else "do"
    rest = f"so {do} {others:,} of {one.compared - one.changed:,} others" if others else "no other row has"
    same = f" (same rows: {_and(one.same_rows[0])})" if one.same_rows else ""
    return f"{met}; {rest}{same}"


def _and(conditions: Sequence[SliceCondition]) -> str:
    return " and ".join(one.text for one in conditions)


def moved_phrases(result: ValueDiff | RowsDiff) -> list[str]:
    """Return `70 rows added` and `0 rows removed`, or `no rows added or removed`."""
    if not (result.added or result.removed):
        is_part = isinstance(result, ValueDiff) and _repeated_keys(result)
        return ["no unique key added or removed" if is_part else "no rows added or removed"]
    return [f"{plural(result.added, 'row')} added", f"{plural(result.removed, 'row')} removed"]


def columns_phrase(result: ValueDiff) -> str:
    """Return `2 of 11 columns differ`, counting the columns of both sides; empty if none does."""
    differing = sum(bool(column.mismatched) for column in result.columns)
    total = plural(len(result.columns), "column")
    return f"{differing:,} of {total} {agree(differing, 'differ')}" if differing else ""


def equal_claim(claim: str) -> str:
    """Return `equal data`; *claim* is what was compared of all nodes that this is said of."""
    return f"equal {claim}"


def equal_nodes(number: int, claim: str) -> str:
    """Return `12 nodes with equal data`, as `equal_claim`."""
    return f"{plural(number, 'node')} with {equal_claim(claim)}"


def equal_figures(result: ProfileDiff) -> list[str]:
    """Return the columns of which both sides have all figures, and none differs."""
    return [one.name for one in result.columns if not (one.reason or column_differs(one))]


def unread_columns(result: ProfileDiff) -> list[str]:
    """Return the columns that were not compared because a side could not be read."""
    return [one.name for one in result.columns if one.unread]


def unread_phrase(names: Sequence[str]) -> str:
    """Return `2 columns not compared`."""
    return f"{plural(len(names), 'column')} not compared"


def figures_phrase(result: ProfileDiff, number: int) -> str:
    """Return `9 columns with equal figures`, or `… as compared` if something limits them."""
    limits = " as compared" if figures_limited_by(result) else ""
    return f"{plural(number, 'column')} with equal figures{limits}"


def figures_word(column: ColumnProfile) -> str:
    """Return `same figures` of a column without a difference; weaker if figures are missing or estimated."""
    if column.unread:
        return Outcome.NOT_COMPARED.value
    sides = (column.base, column.current)
    is_estimate = any(side is not None and side.is_approximate for side in sides)
    return NO_DIFFERENCE_FOUND if column.reason or is_estimate else "same figures"


def equal_phrase(result: ValueDiff) -> str:
    """Return `9 of 11 columns equal in every row`, or `… compared row` if not all was compared."""
    equal = _without_difference(result)
    total = plural(len(result.columns), "column")
    row = "row" if is_exact(result) else "compared row"
    # The word follows from these columns alone: another one that was rounded does not weaken them.
    has_options = equal_word(replace(equal, columns=())) != "equal"
    is_mixed = 0 < len(rounded_columns(equal)) < len(equal.columns)
    word = "equal as compared" if has_options else "equal" if is_mixed else equal_word(equal)
    return f"{len(equal.columns):,} of {total} {word} in every {row}"


def equal_names(result: ValueDiff) -> list[str]:
    """Return the columns without a difference, with both types, or how they were rounded."""
    about = {one.name: f"{one.base_type} → {one.current_type}" for one in result.columns if is_retyped(one)}
    about |= rounded_columns(result)
    columns = split_columns(result)[1]
    return [f"{one.name} ({about[one.name]})" if one.name in about else one.name for one in columns]


def is_exact(result: ValueDiff) -> bool:
    """Return True if columns without a difference are equal: all rows were compared, and exactly."""
    rounded = any(map(is_rounded, _without_difference(result).columns))
    return not (result.is_narrowed or result.left_out or rounded)


def _without_difference(result: ValueDiff) -> ValueDiff:
    """Return *result* with the columns in which no difference was found, such as the key."""
    return replace(result, columns=tuple(split_columns(result)[1]))


def split_columns(result: ValueDiff) -> tuple[list[ColumnValues], list[ColumnValues]]:
    """Return the columns that differ or were not compared, and the rest, such as the key."""
    telling = [column for column in result.columns if column.mismatched or column.reason]
    return telling, [column for column in result.columns if not (column.mismatched or column.reason)]


def equal_word(result: RowComparison) -> str:
    """Return `equal`, or `equal within tolerance` and so on if different values can count as equal."""
    if result.tolerance or result.relative_tolerance:
        return "equal within tolerance"
    hows = dict.fromkeys(how.removeprefix("as doubles, ") for how in rounded_columns(result).values())
    if hows:
        return f"equal {' or '.join(hows)}"
    return "equal as compared" if result.tolerates else "equal"


def reasons_of(one: RowCount) -> str:
    """Return why a side has no row count, the time of saved counts, and the condition on the rows."""
    sides = (("base", one.base, one.base_reason), ("current", one.current, one.current_reason))
    missing = {side: reason or f"not in {side}" for side, rows, reason in sides if rows is None}
    about = saved_sides(one) | missing
    phrases = [(side, about[side]) for side in ("base", "current") if side in about]
    limits = [stale_phrase(one.subject)] if one.subject.is_stale else []
    limits += [limit] if (limit := count_limit(one)) else []
    if len(phrases) == 2 and phrases[0][1] == phrases[1][1]:
        return "; ".join([phrases[0][1], *limits])
    texts = [text if text in _EVIDENT else f"{side}: {text}" for side, text in phrases]
    return "; ".join([*texts, *limits])


_EVIDENT = frozenset({"only in base", "only in current", "not in base", "not in current"})
"""Reasons that name the side themselves."""


_VERDICTS: Mapping[type, Callable[[Any], DiffVerdict]] = {
    Failed: _of_failed,
    NotCompared: _of_skipped,
    QueryDiff: _of_query,
    RowCountDiff: _of_counts,
    SchemaDiff: _of_schema,
    ValueDiff: _of_values,
    RowsDiff: _of_rows,
    ValueDetail: _of_detail,
    **dict.fromkeys(get_args(FiguresDiff), _of_columns),
}
"""Function that judges each type of result."""
