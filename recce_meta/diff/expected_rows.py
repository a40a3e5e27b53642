"""What of a value diff, of its rows, or of a query's rows is not as expected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from recce_meta.diff.sentences import (
    allowed,
    count_of,
    exceeds,
    limit_for,
    percent,
    share_of,
    unknown_columns,
)
from recce_meta.errors import first_of
from recce_meta.models.check_expect import NONE, OTHERS, Amount, ExpectRows, ExpectValues
from recce_meta.models.data_diff import KeyCounts, QueryDiff, RowsDiff, ValueDetail, ValueDiff

MOST_NAMES = 5
WITHOUT_KEY = "has no key, so that changed rows cannot be told from removed and added ones"


def value_violations(expect: ExpectValues, diff: ValueDiff) -> list[str]:
    """What a value diff shows that is neither allowed nor within its limit."""
    name = diff.subject.name
    if diff.base is None or diff.current is None:
        return one_sided(name, diff.base is not None, diff.current is not None, expect.allow)
    kept = diff.common + diff.removed
    found = _moved_rows(name, expect, diff.added, diff.removed, kept)
    if "changed" not in expect.allow:
        found += _mismatches(expect, diff)
    if "incomparable_columns" not in expect.allow:
        found += [
            f"{name}: column {column.name} was not compared: {column.reason}"
            for column in diff.columns
            if column.reason
        ]
    if "removed_columns" not in expect.allow:
        found += _only_in(name, diff.base_only, "base")
    found += _saw_nothing(name, diff, diff.base.rows + diff.current.rows)
    found += _uncompared_rows(name, diff, expect.allow)
    values = [column.name for column in diff.columns if not column.reason]
    others = [column.name for column in diff.columns if column.reason]
    others += [*diff.base_only, *diff.current_only]
    return found or _compared_nothing(diff, diff.common, values, others, expect.allow)


def multiset_violations(expect: ExpectValues, diff: RowsDiff) -> list[str]:
    """The same where no key was known, so that a changed row is one removed and one added."""
    name = diff.subject.name
    if diff.base_rows is None or diff.current_rows is None:
        return one_sided(name, diff.base_rows is not None, diff.current_rows is not None, expect.allow)
    found = _moved_rows(name, expect, diff.added, diff.removed, diff.base_rows)
    if expect.max_mismatch != NONE or "changed" in expect.allow:
        found.append(f"{name}: {WITHOUT_KEY}; params.primary_key names one")
    if "incomparable_columns" not in expect.allow:
        found += [f"{name}: column {column} was not compared" for column in diff.incomparable]
    found += _saw_nothing(name, diff, diff.base_rows + diff.current_rows)
    found += [] if "removed_columns" in expect.allow else _only_in(name, diff.base_only, "base")
    return found or _judged_no_row(diff, expect.allow, "params.primary_key names one")


def detail_violations(expect: ExpectRows, detail: ValueDetail) -> list[str]:
    """Whether more rows of the kinds that count differ than may; rows beyond the limit count as unknown."""
    name = detail.subject.name
    counted = sum(row.status not in expect.allow for row in detail.rows)
    if exceeds(counted, expect.max_differing_rows, 0):
        more = " or more" if detail.is_cut else ""
        what = f"{count_of(counted, 'row')}{more} {_differ(counted, more)}"
        return [f"{name}: {what}, {allowed(expect.max_differing_rows)}"]
    if detail.is_cut and not {"added", "removed", "changed"} <= expect.allow:
        return [
            f"{name}: more rows differ than the {detail.limit:,} that were fetched, so that "
            f"{allowed(expect.max_differing_rows)} cannot be told; params.limit raises it"
        ]
    found = _uncompared_rows(name, detail, expect.allow)
    if "incomparable_columns" not in expect.allow:
        found += [f"{name}: column {column} was not compared" for column in detail.incomparable]
    if "removed_columns" not in expect.allow:
        found += _only_in(name, detail.base_only, "base")
    if detail.base is None or detail.current is None:
        return found
    found += _saw_nothing(name, detail, detail.base.rows + detail.current.rows)
    others = [*detail.incomparable, *detail.base_only, *detail.current_only]
    removed = sum(row.status == "removed" for row in detail.rows)
    common = detail.base.compared - removed
    return found or _compared_nothing(detail, common, detail.columns, others, expect.allow)


def query_violations(expect: ExpectRows, diff: QueryDiff) -> list[str]:
    """Whether more rows of a query's results differ than may."""
    name = diff.subject.name
    if diff.values is not None:
        values = diff.values
        if values.base is None or values.current is None:
            return one_sided(name, values.base is not None, values.current is not None, expect.allow)
        counts = {"added": values.added, "removed": values.removed, "changed": values.changed}
        reasons = [
            f"{name}: column {c.name} was not compared: {c.reason}" for c in values.columns if c.reason
        ]
        reasons += _only_in(name, values.base_only, "base") + _uncompared_rows(name, values, frozenset())
        found = _differing(name, expect, counts, values.total) + reasons
        compared = [column.name for column in values.columns]
        return found or _compared_nothing(values, values.common, compared, values.current_only, expect.allow)
    if diff.rows is not None:
        return rows_violations(expect, diff.rows, name)
    return [f"{name}: the results were not compared"]


def rows_violations(expect: ExpectRows, rows: RowsDiff, name: str) -> list[str]:
    """The same for two multisets of rows."""
    if rows.base_rows is None or rows.current_rows is None:
        return one_sided(name, rows.base_rows is not None, rows.current_rows is not None, expect.allow)
    counts = {"added": rows.added, "removed": rows.removed}
    found = _differing(name, expect, counts, rows.common + rows.added + rows.removed)
    found += [f"{name}: column {column} was not compared" for column in rows.incomparable]
    found += _saw_nothing(name, rows, rows.base_rows + rows.current_rows)
    found += _only_in(name, rows.base_only, "base")
    return found or _judged_no_row(rows, expect.allow, "name a primary key in params")


def only_in_current(name: str, columns: tuple[str, ...]) -> list[str]:
    """A sentence for columns that base has not."""
    return _only_in(name, columns, "current")


def one_sided(name: str, has_base: bool, has_current: bool, allow: Iterable[str]) -> list[str]:
    """What to say of a relation that not both sides have."""
    if not has_base and not has_current:
        return [f"{name}: is on neither side"]
    status, side = ("removed", "current") if has_base else ("added", "base")
    return [] if status in allow else [f"{name}: is not in {side}, and {status} is not allowed"]


def _moved_rows(name: str, expect: ExpectValues, added: int, removed: int, kept: int) -> list[str]:
    """Added and removed rows beyond their limits."""
    found = []
    for status, count, limit in (
        ("added", added, expect.max_added),
        ("removed", removed, expect.max_removed),
    ):
        if status not in expect.allow and exceeds(count, limit, kept):
            what = f"{count_of(count, 'row')} {'was' if count == 1 else 'were'} {status}"
            share = f" ({percent(count / kept, limit)} of base's {kept:,})" if kept else ""
            found.append(f"{name}: {what}{share}, {allowed(limit)}")
    return found


def _compared_nothing(
    diff: ValueDiff | ValueDetail,
    common: int,
    compared: Iterable[str],
    others: Iterable[str],
    allow: frozenset[str],
) -> list[str]:
    """Return why no row or no value was compared, or nothing: what `allow` permits is still not seen.

    *common* rows have their key on both sides. *compared* are columns, with or without the key's;
    *others* are columns that were left out. Values do not matter if changed rows are allowed.
    """
    assert diff.base is not None and diff.current is not None
    name, key = diff.subject.name, ", ".join(diff.key)
    is_filled = bool(diff.base.rows and diff.current.rows)
    if not (diff.base.compared or diff.current.compared) and (diff.base.rows or diff.current.rows):
        return [f"{name}: every key ({key}) is NULL or not unique, so that no row was compared"]
    if "changed" in allow:
        return []
    if is_filled and not common:
        return [f"{name}: no key ({key}) is on both sides, so that no value was compared"]
    keys = {column.casefold() for column in diff.key}
    left_out = [column for column in others if column.casefold() not in keys]
    if left_out and keys.issuperset(column.casefold() for column in compared):
        columns = first_of(left_out, MOST_NAMES)
        return [f"{name}: only the key ({key}) was compared; no value of {columns} was"]
    return []


def _judged_no_row(rows: RowsDiff, allow: frozenset[str], names_key: str) -> list[str]:
    """Return a sentence if every row that differs is allowed, though some may be changed rows."""
    if not {"added", "removed"} <= allow or "changed" in allow or not (rows.added and rows.removed):
        return []
    return [f"{rows.subject.name}: {WITHOUT_KEY}; {names_key}"]


def _saw_nothing(name: str, diff: ValueDiff | ValueDetail | RowsDiff, rows: int) -> list[str]:
    """That a condition or a sample left no row on either side; empty relations are equal."""
    if rows or (diff.where is None and diff.sample is None):
        return []
    told = [f"where {diff.where}"] if diff.where is not None else []
    told += [f"a sample of {diff.sample:g}%"] if diff.sample is not None else []
    return [f"{name}: {' and '.join(told)} left no row to compare"]


def _mismatches(expect: ExpectValues, diff: ValueDiff) -> list[str]:
    """Rows whose values differ beyond the limits."""
    name, limits = diff.subject.name, expect.max_mismatch
    if isinstance(limits, Mapping):
        return _mismatches_by_column(name, limits, diff)
    if not exceeds(diff.changed, limits, diff.common):
        return []
    columns = sorted((c for c in diff.columns if c.mismatched), key=lambda c: (-(c.mismatched or 0), c.name))
    where = first_of([f"{column.name} {column.mismatched:,}" for column in columns], MOST_NAMES)
    share = share_of(diff.changed, diff.common, "common rows", limits)
    return [f"{name}: {share} changed{f' ({where})' if where else ''}, {allowed(limits)}"]


def _mismatches_by_column(name: str, limits: Mapping[str, Amount], diff: ValueDiff) -> list[str]:
    found = unknown_columns(name, list(limits), [column.name for column in diff.columns], "compared")
    named = {column: limit for column, limit in limits.items() if column != OTHERS}
    for column in diff.columns:
        limit = limit_for(column.name, limits) or NONE
        if column.reason and limit_for(column.name, named) is not None:
            found.append(f"{name}: column {column.name} was not compared, so that its limit cannot be judged")
        if column.mismatched and exceeds(column.mismatched, limit, diff.common):
            share = share_of(column.mismatched, diff.common, "common rows", limit)
            found.append(f"{name}: {share} changed in column {column.name}, {allowed(limit)}")
    return found


def _uncompared_rows(name: str, diff: ValueDiff | ValueDetail, allow: frozenset[str]) -> list[str]:
    """Rows that no key matches: nothing is known of them, so that nothing can be said to hold."""
    sides = [("base", diff.base), ("current", diff.current)]
    found = []
    if "null_keys" not in allow:
        found += [
            f"{name}: {count_of(side.null_keys, 'row')} of {label} {_has(side.null_keys)} NULL in the key "
            f"({', '.join(diff.key)}), and {_was(side.null_keys)} not compared"
            for label, side in sides
            if side is not None and side.null_keys
        ]
    if "duplicate_keys" not in allow:
        found += [
            f"{name}: {count_of(side.duplicate_keys, 'key')} ({', '.join(diff.key)}) "
            f"{'is' if side.duplicate_keys == 1 else 'are'} not unique in {label}, "
            f"so that {_rows_left_out(side)}"
            for label, side in sides
            if side is not None and side.duplicate_keys
        ]
    return found


def _rows_left_out(side: KeyCounts) -> str:
    return f"{count_of(side.duplicate_rows, 'row')} {_was(side.duplicate_rows)} not compared"


def _has(count: int) -> str:
    return "has" if count == 1 else "have"


def _was(count: int) -> str:
    return "was" if count == 1 else "were"


def _differ(count: int, more: str = "") -> str:
    return "differs" if count == 1 and not more else "differ"


def _only_in(name: str, columns: tuple[str, ...], side: str) -> list[str]:
    if not columns:
        return []
    noun = "column" if len(columns) == 1 else "columns"
    return [f"{name}: only {side} has the {noun} {first_of(columns, MOST_NAMES)}"]


def _differing(name: str, expect: ExpectRows, counts: Mapping[str, int], total: int) -> list[str]:
    counted = {status: count for status, count in counts.items() if count and status not in expect.allow}
    differing = sum(counted.values())
    if not exceeds(differing, expect.max_differing_rows, total):
        return []
    kinds = ", ".join(f"{count:,} {status}" for status, count in counted.items())
    what = f"{share_of(differing, total, 'rows', expect.max_differing_rows)} {_differ(differing)} ({kinds})"
    return [f"{name}: {what}, {allowed(expect.max_differing_rows)}"]
