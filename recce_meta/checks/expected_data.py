"""Expectations of data diffs: values, rows, query results, profiles and distributions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

from recce_meta.checks.messages import (
    allowed,
    cell,
    exceeds,
    limit_for,
    limit_percent,
    share_of,
    unknown_columns,
)
from recce_meta.errors import first_of, plural
from recce_meta.models.checks import (
    NONE,
    OTHERS,
    Amount,
    ExpectDistribution,
    ExpectProfile,
    ExpectRows,
    ExpectValues,
)
from recce_meta.models.data_diff import (
    ColumnDistribution,
    ColumnProfile,
    ColumnTopK,
    DataSide,
    DistributionDiff,
    KeyCounts,
    Profile,
    ProfileDiff,
    QueryDiff,
    RowsDiff,
    Value,
    ValueDetail,
    ValueDiff,
)
from recce_meta.models.numbers import digits_of, is_finite, round_number
from recce_meta.tables.gaps import AS_DOUBLES, is_near_figure, rounded_columns

MOST_NAMES = 5
WITHOUT_KEY = "has no key, so changed rows cannot be distinguished from removed and added rows"

PROPORTIONS = frozenset({"not_null_proportion", "distinct_proportion"})
"""Figures that are shares. A limit in per cent means percentage points."""
NOTHING_COUNTED = "no column was counted"
FLOAT_NOISE = 1e-9
"""Relative excess of a limit that is allowed: a sum of floats depends on the order of its rows."""


def value_violations(expect: ExpectValues, diff: ValueDiff) -> list[str]:
    """Return what a value diff shows that is neither allowed nor within its limit."""
    name = diff.subject.name
    if diff.base is None or diff.current is None:
        return one_sided(name, diff.base is not None, diff.current is not None, expect.allow)
    found = _moved_rows(name, expect, diff.added, diff.removed, diff.common + diff.removed)
    if "changed" not in expect.allow:
        found += _mismatches(expect, diff)
    if "incomparable_columns" not in expect.allow:
        found += _uncompared_columns(name, diff)
    if "removed_columns" not in expect.allow:
        found += _only_in(name, diff.base_only, "base")
    found += _saw_nothing(name, diff, diff.base.rows + diff.current.rows)
    found += _uncompared_rows(name, diff, expect.allow)
    # What follows is for a check that would pass: any other violation already fails it.
    values = [column.name for column in diff.columns if not column.reason]
    others = [column.name for column in diff.columns if column.reason]
    others += [*diff.base_only, *diff.current_only]
    return found or _compared_nothing(diff, diff.common, values, others, expect.allow)


def multiset_violations(expect: ExpectValues, diff: RowsDiff) -> list[str]:
    """Return violations of a diff without a key, in which a changed row is one removed and one added row."""
    name = diff.subject.name
    if diff.base_rows is None or diff.current_rows is None:
        return one_sided(name, diff.base_rows is not None, diff.current_rows is not None, expect.allow)
    found = _moved_rows(name, expect, diff.added, diff.removed, diff.base_rows)
    if expect.max_mismatch != NONE or "changed" in expect.allow:
        # The user wants changed rows to be judged, which needs a key.
        found.append(f"{name}: {WITHOUT_KEY}; set params.primary_key")
    if "incomparable_columns" not in expect.allow:
        found += _uncompared_columns(name, diff)
    found += _saw_nothing(name, diff, diff.base_rows + diff.current_rows)
    found += [] if "removed_columns" in expect.allow else _only_in(name, diff.base_only, "base")
    return found or _judged_no_row(diff, expect.allow, "set params.primary_key")


def detail_violations(expect: ExpectRows, detail: ValueDetail) -> list[str]:
    """Return a violation if too many rows of counted kinds differ; rows beyond the limit are unknown."""
    name = detail.subject.name
    # This limit is a number of rows, so no total is needed.
    counted = sum(row.status not in expect.allow for row in detail.rows)
    if exceeds(counted, expect.max_differing_rows, 0):
        more = " or more" if detail.is_cut else ""
        what = f"{plural(counted, 'row')}{more} {_differ(counted, more)}"
        return [f"{name}: {what}, {allowed(expect.max_differing_rows)}"]
    if detail.is_cut and not {"added", "removed", "changed"} <= expect.allow:
        return [
            f"{name}: more rows differ than the {detail.limit:,} that were fetched, so "
            f"{allowed(expect.max_differing_rows)} cannot be checked; raise params.limit"
        ]
    found = _uncompared_rows(name, detail, expect.allow)
    if "incomparable_columns" not in expect.allow:
        found += _uncompared_columns(name, detail)
    if "removed_columns" not in expect.allow:
        found += _only_in(name, detail.base_only, "base")
    if detail.base is None or detail.current is None:
        return found
    found += _saw_nothing(name, detail, detail.base.rows + detail.current.rows)
    others = [*detail.incomparable, *detail.base_only, *detail.current_only]
    # All differing rows were fetched here, so the rest of base's rows are common ones.
    removed = sum(row.status == "removed" for row in detail.rows)
    common = detail.base.compared - removed
    return found or _compared_nothing(detail, common, detail.columns, others, expect.allow)


def query_violations(expect: ExpectRows, diff: QueryDiff) -> list[str]:
    """Return a violation if too many rows of a query's results differ."""
    name = diff.subject.name
    if diff.values is not None:
        values = diff.values
        if values.base is None or values.current is None:
            return one_sided(name, values.base is not None, values.current is not None, expect.allow)
        counts = {"added": values.added, "removed": values.removed, "changed": values.changed}
        reasons = _uncompared_columns(name, values)
        reasons += _only_in(name, values.base_only, "base") + _uncompared_rows(name, values, frozenset())
        found = _differing(name, expect, counts, values.total) + reasons
        compared = [column.name for column in values.columns]
        return found or _compared_nothing(values, values.common, compared, values.current_only, expect.allow)
    if diff.rows is not None:
        return rows_violations(expect, diff.rows, name)
    return [f"{name}: the results were not compared"]


def rows_violations(expect: ExpectRows, rows: RowsDiff, name: str) -> list[str]:
    """Return a violation if too many rows differ between two multisets of rows."""
    if rows.base_rows is None or rows.current_rows is None:
        return one_sided(name, rows.base_rows is not None, rows.current_rows is not None, expect.allow)
    counts = {"added": rows.added, "removed": rows.removed}
    found = _differing(name, expect, counts, rows.common + rows.added + rows.removed)
    found += _uncompared_columns(name, rows)
    found += _saw_nothing(name, rows, rows.base_rows + rows.current_rows)
    found += _only_in(name, rows.base_only, "base")
    return found or _judged_no_row(rows, expect.allow, "set a primary key in params")


def only_in_current(name: str, columns: tuple[str, ...]) -> list[str]:
    """Return a sentence for columns that are only in current."""
    return _only_in(name, columns, "current")


def one_sided(name: str, has_base: bool, has_current: bool, allow: Iterable[str]) -> list[str]:
    """Return a sentence for a relation that is missing on at least one side."""
    if not has_base and not has_current:
        return [f"{name}: is on neither side"]
    status, side = ("removed", "current") if has_base else ("added", "base")
    return [] if status in allow else [f"{name}: is not in {side}, and {status} is not allowed"]


def _moved_rows(name: str, expect: ExpectValues, added: int, removed: int, kept: int) -> list[str]:
    """Return added and removed rows beyond their limits."""
    found = []
    for status, count, limit in (
        ("added", added, expect.max_added),
        ("removed", removed, expect.max_removed),
    ):
        if status not in expect.allow and exceeds(count, limit, kept):
            what = f"{plural(count, 'row')} {'was' if count == 1 else 'were'} {status}"
            share = f" ({limit_percent(count / kept, limit)} of base's {kept:,})" if kept else ""
            found.append(f"{name}: {what}{share}, {allowed(limit)}")
    return found


def _compared_nothing(
    diff: ValueDiff | ValueDetail,
    common: int,
    compared: Iterable[str],
    others: Iterable[str],
    allow: frozenset[str],
) -> list[str]:
    """Return why no row or no value was compared, if so, even if `allow` permits the cause.

    *common* rows have their key on both sides. *compared* columns may include the key's. *others* are columns
    that were left out. Values do not matter if changed rows are allowed.
    """
    assert diff.base is not None and diff.current is not None
    name, key = diff.subject.name, ", ".join(diff.key)
    is_filled = bool(diff.base.rows and diff.current.rows)
    if not (diff.base.compared or diff.current.compared) and (diff.base.rows or diff.current.rows):
        return [f"{name}: every key ({key}) is NULL or not unique, so no row was compared"]
    if "changed" in allow:
        return []
    if is_filled and not common:
        return [f"{name}: no key ({key}) is on both sides, so no value was compared"]
    keys = {column.casefold() for column in diff.key}
    left_out = [column for column in others if column.casefold() not in keys]
    if left_out and keys.issuperset(column.casefold() for column in compared):
        columns = first_of(left_out, MOST_NAMES)
        return [f"{name}: only the key ({key}) was compared, not the values of {columns}"]
    return []


def _judged_no_row(rows: RowsDiff, allow: frozenset[str], names_key: str) -> list[str]:
    """Return a sentence if every differing row is allowed although some may be changed rows."""
    if not {"added", "removed"} <= allow or "changed" in allow or not (rows.added and rows.removed):
        return []
    return [f"{rows.subject.name}: {WITHOUT_KEY}; {names_key}"]


def _saw_nothing(name: str, diff: ValueDiff | ValueDetail | RowsDiff, rows: int) -> list[str]:
    """Return a sentence if a condition or sample excluded every row; empty relations are equal."""
    if rows or (diff.where is None and diff.sample is None):
        return []
    filters = [f"where {diff.where}"] if diff.where is not None else []
    filters += [f"a sample of {diff.sample:g}%"] if diff.sample is not None else []
    return [f"{name}: {' and '.join(filters)} left no row to compare"]


def _mismatches(expect: ExpectValues, diff: ValueDiff) -> list[str]:
    """Return a sentence if more rows have changed values than allowed."""
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
            found.append(f"{name}: column {column.name} was not compared, so its limit cannot be checked")
        if column.mismatched and exceeds(column.mismatched, limit, diff.common):
            share = share_of(column.mismatched, diff.common, "common rows", limit)
            found.append(f"{name}: {share} changed in column {column.name}, {allowed(limit)}")
    return found


def _uncompared_columns(name: str, diff: ValueDiff | ValueDetail | RowsDiff) -> list[str]:
    """Return a sentence for each column that was not compared, or whose values were rounded for that."""
    if isinstance(diff, ValueDiff):
        reasons = {column.name: column.reason for column in diff.columns if column.reason}
    else:
        reasons = dict.fromkeys(diff.incomparable, "")
    found = [
        f"{name}: column {column} was not compared" + (f": {reason}" if reason else "")
        for column, reason in reasons.items()
    ]
    return found + [_was_rounded(name, column, how) for column, how in rounded_columns(diff).items()]


def _was_rounded(name: str, column: str, how: str) -> str:
    return f"{name}: column {column} was compared {how}, so values that differ may count as equal"


def _uncompared_rows(name: str, diff: ValueDiff | ValueDetail, allow: frozenset[str]) -> list[str]:
    """Return a sentence for rows that cannot be matched by key, so their values are unknown."""
    sides = [("base", diff.base), ("current", diff.current)]
    found = []
    if "null_keys" not in allow:
        found += [
            f"{name}: {plural(side.null_keys, 'row')} of {label} {_has(side.null_keys)} NULL in the key "
            f"({', '.join(diff.key)}), and {_was(side.null_keys)} not compared"
            for label, side in sides
            if side is not None and side.null_keys
        ]
    if "duplicate_keys" not in allow:
        found += [
            f"{name}: {plural(side.duplicate_keys, 'key')} ({', '.join(diff.key)}) "
            f"{'is' if side.duplicate_keys == 1 else 'are'} not unique in {label}, "
            f"so {_rows_left_out(side)}"
            for label, side in sides
            if side is not None and side.duplicate_keys
        ]
    return found


def _rows_left_out(side: KeyCounts) -> str:
    return f"{plural(side.duplicate_rows, 'row')} {_was(side.duplicate_rows)} not compared"


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


def profile_violations(expect: ExpectProfile, diff: ProfileDiff, shown: ProfileDiff) -> list[str]:
    """Return figures beyond their limit, or else limits that applied to no figure of any column.

    Sentences quote only the values of *shown*.
    """
    return _beyond_limits(expect, diff, shown) or _without_figure(expect, diff)


def profile_differences(diff: ProfileDiff, shown: ProfileDiff, figures: Sequence[str]) -> list[str]:
    """Return every figure that is not equal on both sides; sentences quote only the values of *shown*."""
    expect = ExpectProfile(max_change=dict.fromkeys(figures, NONE), allow=frozenset())
    return _beyond_limits(expect, diff, shown)


def _beyond_limits(expect: ExpectProfile, diff: ProfileDiff, shown: ProfileDiff) -> list[str]:
    name = diff.subject.name
    found = unknown_columns(name, list(expect.columns), [column.name for column in diff.columns], "profiled")
    found += [] if diff.columns else [f"{name}: has no columns, nothing was profiled"]
    for column, public in zip(diff.columns, shown.columns, strict=True):
        if missing := next(filter(column.lacks, DataSide), None):
            status = "added" if missing is DataSide.BASE else "removed"
            if status not in expect.allow:
                found.append(
                    f"{name}: column {column.name} is not in {missing.value}, and {status} is not allowed"
                )
            continue
        own = limit_for(column.name, expect.columns) or {}
        # A column's own limits replace those of all columns, figure by figure.
        limits = {**expect.max_change, **own}
        if column.unread:
            if limits:
                found.append(f"{name}: column {column.name} could not be read: {column.reason}")
            continue
        if column.reason and any(_is_missing(column, figure) for figure in limits):
            found.append(f"{name}: column {column.name} was not profiled in full: {column.reason}")
        for figure, limit in limits.items():
            sentences = _figure(name, column, figure, limit, is_own=figure in own)
            if sentences and _figures(public, figure) != _figures(column, figure):
                what = f"{figure} of column {column.name}"
                sentences = [f"{name}: {what} differs, {_allowed(limit, figure)} (its values are withheld)"]
            found += sentences
    return found


def _without_figure(expect: ExpectProfile, diff: ProfileDiff) -> list[str]:
    """Return a sentence for each limit of all columns that applied to no figure of any column."""
    found, name = [], diff.subject.name
    for figure, limit in expect.max_change.items():
        values = [_figures(column, figure) for column in diff.columns]
        if all(value is None for pair in values for value in pair):
            found.append(f"{name}: no column has the figure {figure}, so its limit cannot be checked")
        elif not any(_can_be_judged(pair, figure, limit) for pair in values):
            found.append(
                f"{name}: {figure} is not a number in any column, so its limit cannot be checked (only 0 can)"
            )
    return found


def _can_be_judged(values: Sequence[Value], figure: str, limit: Amount) -> bool:
    """Return True for equal values, for numbers, and for any values if the limit is 0."""
    if any(value is None for value in values):
        return False
    return not limit.value or all(map(_is_number, values)) or _is_same(values[0], values[-1], figure)


def _is_missing(column: ColumnProfile, figure: str) -> bool:
    return any(side is not None and _value(side, figure) is None for side in (column.base, column.current))


def _figure(name: str, column: ColumnProfile, figure: str, limit: Amount, *, is_own: bool) -> list[str]:
    """Return the violation of one limit; a limit for all columns skips values that are not numbers."""
    assert column.base is not None and column.current is not None
    before, after = _value(column.base, figure), _value(column.current, figure)
    what = f"{name}: {figure} of column {column.name}"
    if before is None and after is None and is_own:
        return [f"{what} is unknown on both sides"]
    if _is_same(before, after, figure):
        return []
    if before is None or after is None or not limit.value:
        return [f"{what} went {_from_to(before, after, figure)}, {allowed(limit)}"]
    if not (_is_number(before) and _is_number(after)):
        sentence = f"{what} is not a number, so its limit ({allowed(limit)}) cannot be checked; only 0 can"
        return [sentence] if is_own else []
    if not _is_beyond(before, after, limit, figure):
        return []
    return [
        f"{what} went {_from_to(before, after, figure)} "
        f"({_change(before, after, limit, figure)}), {_allowed(limit, figure)}"
    ]


def _figures(column: ColumnProfile, figure: str) -> tuple[Value, ...]:
    return tuple(_value(side, figure) for side in (column.base, column.current) if side is not None)


def _value(profile: Profile, figure: str) -> Value:
    return getattr(profile, figure)


def _is_number(value: Value) -> bool:
    # `bool` is a subclass of `int`.
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def _is_same(before: Value, after: Value, figure: str) -> bool:
    if before is None or after is None:
        return before is after
    # Only NaN differs from itself.
    if before != before and after != after:
        return True
    has_noise = isinstance(before, float) or isinstance(after, float)
    if has_noise and _is_number(before) and _is_number(after) and is_near_figure(figure, before, after):
        return True
    return bool(before == after)


def _is_beyond(before: Value, after: Value, limit: Amount, figure: str) -> bool:
    """Return True if two numbers differ by more than *limit*."""
    if not (is_finite(before) and is_finite(after)):
        return True
    start, end = Fraction(before), Fraction(after)
    # A share of a share would be misread: 5 % means five percentage points.
    scale = abs(start) if limit.is_share and figure not in PROPORTIONS else 1
    # Exact fractions, with the noise of floats only on top of the limit.
    return abs(end - start) > Fraction(limit.value) * scale * (1 + Fraction(FLOAT_NOISE))


def _from_to(before: Value, after: Value, figure: str) -> str:
    """Return `from 10 to 12`, with all digits if rounded figures would look equal."""
    texts = _shown(before, figure), _shown(after, figure)
    if texts[0] == texts[1]:
        texts = _in_full(before), _in_full(after)
    return f"from {texts[0]} to {texts[1]}"


def _in_full(value: Value) -> str:
    return digits_of(value) if isinstance(value, int) else str(value)


def _shown(value: Value, figure: str) -> str:
    if value is None:
        return "none"
    return f"{value * 100:.6g}%" if figure in PROPORTIONS else cell(value)


def _change(before: Value, after: Value, limit: Amount, figure: str) -> str:
    """Return the size of the change, in the unit of the limit."""
    if not (is_finite(before) and is_finite(after)):
        return "not finite"
    change = round_number(Fraction(after) - Fraction(before))
    if figure in PROPORTIONS:
        return f"{change * 100:+.3g} points"
    if not limit.is_share:
        return f"{change:+,.6g}"
    if not before:
        return "from 0"
    share = round_number(abs((Fraction(after) - Fraction(before)) / Fraction(before)))
    text = limit_percent(share, limit) if isinstance(share, float) else f"{share * 100:.3g}%"
    return ("+" if change > 0 else "−") + text


def _allowed(limit: Amount, figure: str) -> str:
    if figure not in PROPORTIONS:
        return allowed(limit)
    points = limit.value * 100
    return f"at most {Amount(points)} point{'' if points == 1 else 's'} allowed"


def distribution_violations(expect: ExpectDistribution, diff: DistributionDiff) -> list[str]:
    """Return columns whose distributions differ by more than their limit."""
    name = diff.subject.name
    columns: Sequence[ColumnDistribution] = diff.columns
    found = unknown_columns(name, list(expect.max_distance), [column.name for column in columns], "counted")
    found += [] if columns else [f"{name}: {NOTHING_COUNTED}"]
    for column in columns:
        limit = limit_for(column.name, expect.max_distance)
        if limit is not None:
            found += _distribution(name, column, limit)
    return found


def _distribution(name: str, column: ColumnDistribution, limit: Amount) -> list[str]:
    if column.reason:
        return [f"{name}: column {column.name} was not counted: {column.reason}"]
    sides = column.sides()
    if sides is None:
        return [f"{name}: column {column.name} was counted on one side only"]
    if isinstance(column, ColumnTopK) and column.is_rounded:
        return [_was_rounded(name, column.name, AS_DOUBLES)]
    distance = distribution_distance(*sides)
    if distance <= Fraction(limit.value):
        return []
    moved = limit_percent(float(distance), limit)
    return [f"{name}: {moved} of the distribution of column {column.name} moved, {allowed(limit)}"]


def distribution_distance(base: Sequence[int], current: Sequence[int]) -> Fraction:
    """Return the total variation distance: the share of rows that would have to move to make both equal.

    Each side is normalized, so more rows with the same distribution have distance 0. It is 0 if both sides
    are empty and 1 if only one is; otherwise between 0 and 1.

    >>> distribution_distance([5, 5], [50, 50]), distribution_distance([10, 0], [9, 1])
    (Fraction(0, 1), Fraction(1, 10))
    """
    before, after = sum(base), sum(current)
    if not before or not after:
        return Fraction(bool(before or after))
    return (
        sum(
            (abs(Fraction(b, before) - Fraction(c, after)) for b, c in zip(base, current, strict=True)),
            Fraction(),
        )
        / 2
    )


def distribution_differences(diff: DistributionDiff) -> list[str]:
    """Return columns whose counts differ between the sides, by bin or by value."""
    columns: Sequence[ColumnDistribution] = diff.columns
    found = [] if columns else [f"{diff.subject.name}: {NOTHING_COUNTED}"]
    for column in columns:
        if column.reason:
            found.append(f"{diff.subject.name}: column {column.name} was not counted: {column.reason}")
        elif column.sides() is None or column.differs():
            found.append(f"{diff.subject.name}: column {column.name} differs in its distribution")
        elif isinstance(column, ColumnTopK) and column.is_rounded:
            found.append(_was_rounded(diff.subject.name, column.name, AS_DOUBLES))
    return found
