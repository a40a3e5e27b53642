"""Statistics stored with a run: creating them from results, and using them in place of queries.

Stored statistics are used for a side only if it was not queried now, and show the time they were taken. They
cover whole relations, so they cannot be used with a condition.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from msgspec.structs import replace

from recce_meta.data_diff.options import FigureScope
from recce_meta.data_diff.source import in_order
from recce_meta.errors import UnknownNameError, UsageError
from recce_meta.models.data_diff import (
    ColumnProfile,
    DataSide,
    Failed,
    Profile,
    ProfileDiff,
    RowCount,
    RowCountDiff,
    Subject,
)
from recce_meta.models.node import find_named
from recce_meta.models.stored import ColumnStatistics, NodeStatistics
from recce_meta.tables.gaps import role_sees
from recce_meta.warehouses.dialect import Dialect

NOTHING_KEPT: Mapping[str, NodeStatistics] = MappingProxyType({})
Profiles = Mapping[str, tuple[str, Profile]]
"""Columns of one side by folded name, in order: name and profile."""


def node_statistics(
    counts: RowCountDiff,
    profiles: Iterable[ProfileDiff | Failed] = (),
    *,
    taken_at: datetime,
    side: DataSide = DataSide.CURRENT,
) -> tuple[NodeStatistics, ...]:
    """Return the statistics to store with the run that is *side* of *counts* and *profiles*, by node.

    *taken_at*, timezone-aware, is when the queries ran. A node that was profiled but not counted gets the row
    count of its profile.
    """
    found: dict[str, NodeStatistics] = {}
    for count in counts.counts:
        if count.subject.unique_id is not None:
            rows, reason = _counted(count, side)
            if count.subject.hidden is not None:  # another role would compare all rows with these
                rows, reason = None, role_sees(count.subject.hidden)
            found[count.subject.unique_id] = NodeStatistics(
                unique_id=count.subject.unique_id,
                counted_at=taken_at,
                row_count=rows,
                reason=None if rows is not None else reason,
            )
    for profile in profiles:
        unique_id = profile.subject.unique_id
        if unique_id is not None:
            known = found.get(unique_id, NodeStatistics(unique_id=unique_id, counted_at=taken_at))
            found[unique_id] = _with_profile(known, profile, taken_at, side)
    return tuple(found.values())


def kept_row_counts(
    subjects: Sequence[Subject],
    *,
    base: Mapping[str, NodeStatistics] = NOTHING_KEPT,
    current: Mapping[str, NodeStatistics] = NOTHING_KEPT,
    live: RowCountDiff | None = None,
) -> RowCountDiff:
    """Return the row counts of *subjects* from *live*, or else those stored in *base* or *current*.

    Stored statistics are by unique id. A side without a count has the reason that was stored, or that *live*
    gives.
    """
    counted = {} if live is None else {_key(count.subject): count for count in live.counts}
    counts = []
    for subject in subjects:
        count = counted.get(_key(subject), RowCount(subject=subject))
        before, after = (
            None if subject.unique_id is None else kept.get(subject.unique_id) for kept in (base, current)
        )
        base_rows, base_reason, base_kept_at = _answer(count, DataSide.BASE, before)
        rows, reason, kept_at = _answer(count, DataSide.CURRENT, after)
        counts.append(
            RowCount(
                subject=count.subject,
                base=base_rows,
                current=rows,
                base_reason=base_reason,
                current_reason=reason,
                base_kept_at=base_kept_at,
                current_kept_at=kept_at,
                where=count.where,
            )
        )
    return RowCountDiff(counts=tuple(counts), notes=() if live is None else live.notes)


def kept_profile_diff(
    subject: Subject,
    *,
    dialect: Dialect,
    base: NodeStatistics | None = None,
    current: NodeStatistics | None = None,
    live: ProfileDiff | None = None,
    scope: FigureScope = FigureScope(),
) -> ProfileDiff:
    """Return the profile of *subject*, each side from *live*, or else as stored in *base* or *current*.

    Columns are matched by the rules of *dialect*. They are those of *scope*, in the order of `profile_diff`.
    Raises UsageError if neither side has a profile, UnknownNameError for a column that neither side has.
    """
    found = () if live is None else live.columns
    before, base_kept_at = _side([(column.name, column.base) for column in found], base, dialect)
    after, current_kept_at = _side([(column.name, column.current) for column in found], current, dialect)
    if not before and not after:
        raise UsageError(
            f"Profile of {subject.name} not found: none is stored, and none was taken now",
            hint="store profiles with a run: recce-meta record --stats profile",
        )
    live_columns = {dialect.fold(column.name): column for column in found}
    keys = in_order(list(before), list(after))
    names = {key: (after.get(key) or before[key])[0] for key in keys}
    names |= {key: one.name for key, one in live_columns.items() if one.unread and key not in names}
    keys = list(names)
    left_out = () if live is None else live.excluded
    excluded = _excluded(names, scope, left_out, subject)
    return ProfileDiff(
        subject=subject,
        columns=tuple(
            ColumnProfile(
                name=names[key],
                base=before[key][1] if key in before else None,
                current=after[key][1] if key in after else None,
                reason=live_columns[key].reason if key in live_columns else None,
                unread=live_columns[key].unread if key in live_columns else (),
            )
            for key in _chosen(names, scope.columns, excluded, subject)
        ),
        notes=() if live is None else live.notes,
        base_kept_at=base_kept_at,
        current_kept_at=current_kept_at,
        excluded=tuple(dict.fromkeys([*(names[key] for key in excluded), *left_out])),
    )


def _with_profile(
    node: NodeStatistics, profile: ProfileDiff | Failed, taken_at: datetime, side: DataSide
) -> NodeStatistics:
    if isinstance(profile, Failed):
        return replace(node, profile_reason=profile.error)
    if profile.subject.hidden is not None:
        return replace(node, profile_reason=role_sees(profile.subject.hidden))
    is_base = side is DataSide.BASE
    sides = ((column.name, column.base if is_base else column.current) for column in profile.columns)
    columns = tuple(ColumnStatistics(name=name, profile=own) for name, own in sides if own is not None)
    if not columns:
        return node
    # A profile counts the rows as well, so a failed or skipped count loses nothing.
    if node.row_count is None:
        node = replace(node, row_count=columns[0].profile.row_count, reason=None)
    return replace(node, columns=columns, profiled_at=taken_at, profile_reason=None)


def _counted(count: RowCount, side: DataSide) -> tuple[int | None, str | None]:
    is_base = side is DataSide.BASE
    return (count.base, count.base_reason) if is_base else (count.current, count.current_reason)


def _key(subject: Subject) -> tuple[str | None, str]:
    """Return a unique key of a subject: names alone are not unique among nodes."""
    return (subject.unique_id, "" if subject.unique_id else subject.name)


def _answer(
    count: RowCount, side: DataSide, kept: NodeStatistics | None
) -> tuple[int | None, str | None, datetime | None]:
    """Return the rows, the reason if there are none, and the time if they are stored ones."""
    rows, reason = _counted(count, side)
    if rows is not None or kept is None:
        return rows, reason, None
    if kept.row_count is None:
        return None, kept.reason or reason, None
    return kept.row_count, None, kept.counted_at


def _side(
    live: Iterable[tuple[str, Profile | None]], kept: NodeStatistics | None, dialect: Dialect
) -> tuple[Profiles, datetime | None]:
    """Return the columns of one side, and the time if they are stored ones."""
    found = {dialect.fold(name): (name, profile) for name, profile in live if profile is not None}
    # A side is live or stored as a whole, because figures of two times do not belong together.
    if found or kept is None or not kept.columns:
        return found, None
    columns = {dialect.fold(column.name): (column.name, column.profile) for column in kept.columns}
    return columns, kept.profiled_at


def _chosen(
    names: Mapping[str, str], columns: Sequence[str], excluded: Sequence[str], subject: Subject
) -> list[str]:
    """Return the keys of *names* for *columns* without *excluded*, in the order of *columns* if given."""
    wanted = [_named(name, names, subject) for name in columns] if columns else list(names)
    return [key for key in dict.fromkeys(wanted) if key not in excluded]


def _excluded(
    names: Mapping[str, str], scope: FigureScope, left_out: Sequence[str], subject: Subject
) -> list[str]:
    """Return the keys of *names* that *scope* excludes; a column in *left_out* may have no key."""
    found = {name: find_named(name, names, lambda key: (names[key],)) for name in scope.exclude_columns}
    known = {name.casefold() for name in left_out}
    for name, key in found.items():
        if key is None and not scope.may_lack_excluded and name.casefold() not in known:
            raise UnknownNameError("column", name, list(names.values()), where=f"in {subject.name}")
    return [key for key in found.values() if key is not None]


def _named(name: str, names: Mapping[str, str], subject: Subject) -> str:
    """Return the key of the column *name*, ignoring case if that is unambiguous."""
    key = find_named(name, names, lambda key: (names[key],))
    if key is None:
        raise UnknownNameError("column", name, list(names.values()), where=f"in {subject.name}")
    return key
