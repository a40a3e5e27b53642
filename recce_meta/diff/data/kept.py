"""Figures kept with a run in the place of queries: to record them, and to answer with them.

A kept figure answers for a side only where that side was not asked now, and says from when it is. Kept
figures are of whole relations: an answer to a question with a condition cannot use them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from msgspec.structs import replace

from recce_meta.dialects import Dialect
from recce_meta.diff.data.choice import in_order
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
from recce_meta.models.statistics import ColumnStatistics, NodeStatistics

NOTHING_KEPT: Mapping[str, NodeStatistics] = MappingProxyType({})
Profiles = Mapping[str, tuple[str, Profile]]
"""Names and figures of one side's columns, by folded name, in order."""


def node_statistics(
    counts: RowCountDiff,
    profiles: Iterable[ProfileDiff | Failed] = (),
    *,
    taken_at: datetime,
    side: DataSide = DataSide.CURRENT,
) -> tuple[NodeStatistics, ...]:
    """What is to be kept with the run that is *side* of *counts* and *profiles*: the figures of its nodes.

    *taken_at*, aware, is when the queries ran. A node that was profiled alone has the rows that its profile
    saw.
    """
    found: dict[str, NodeStatistics] = {}
    for count in counts.counts:
        if count.subject.unique_id is not None:
            rows, reason = _counted(count, side)
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
    """The rows of *subjects*: as *live* counted them, else as they were kept in *base* or *current*.

    Kept statistics are by unique id. A side without any figure has the reason that was kept, or that *live*
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
                subject=subject,
                base=base_rows,
                current=rows,
                base_reason=base_reason,
                current_reason=reason,
                base_kept_at=base_kept_at,
                current_kept_at=kept_at,
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
    columns: Sequence[str] = (),
    exclude: Sequence[str] = (),
) -> ProfileDiff:
    """The profile of *subject*: a side as *live* found it, else as it was kept in *base* or *current*.

    Columns are matched by the rules of *dialect*: those that *columns* names (all, where it names none), less
    those of *exclude*, in the order that `profile_diff` has. Raises UsageError where neither side has a
    profile, UnknownNameError for a column of neither side.
    """
    found = () if live is None else live.columns
    before, base_kept_at = _side([(column.name, column.base) for column in found], base, dialect)
    after, current_kept_at = _side([(column.name, column.current) for column in found], current, dialect)
    if not before and not after:
        raise UsageError(
            f"No profile of {subject.name} is kept, and none was taken now",
            hint="recce-meta record --stats profile keeps them with a run",
        )
    keys = in_order(list(before), list(after))
    names = {key: (after.get(key) or before[key])[0] for key in keys}
    reasons = {dialect.fold(column.name): column.reason for column in found}
    return ProfileDiff(
        subject=subject,
        columns=tuple(
            ColumnProfile(
                name=names[key],
                base=before[key][1] if key in before else None,
                current=after[key][1] if key in after else None,
                reason=reasons.get(key),
            )
            for key in _chosen(names, columns, exclude, subject)
        ),
        notes=() if live is None else live.notes,
        base_kept_at=base_kept_at,
        current_kept_at=current_kept_at,
    )


def _with_profile(
    node: NodeStatistics, profile: ProfileDiff | Failed, taken_at: datetime, side: DataSide
) -> NodeStatistics:
    if isinstance(profile, Failed):
        return replace(node, profile_reason=profile.error)
    sides = ((column.name, _profiled(column, side)) for column in profile.columns)
    columns = tuple(ColumnStatistics(name=name, profile=own) for name, own in sides if own is not None)
    if not columns:
        return node
    if node.row_count is None:
        node = replace(node, row_count=columns[0].profile.row_count, reason=None)
    return replace(node, columns=columns, profiled_at=taken_at, profile_reason=None)


def _counted(count: RowCount, side: DataSide) -> tuple[int | None, str | None]:
    is_base = side is DataSide.BASE
    return (count.base, count.base_reason) if is_base else (count.current, count.current_reason)


def _profiled(column: ColumnProfile, side: DataSide) -> Profile | None:
    return column.base if side is DataSide.BASE else column.current


def _key(subject: Subject) -> tuple[str | None, str]:
    """What two subjects cannot share: names alone are not unique among nodes."""
    return (subject.unique_id, "" if subject.unique_id else subject.name)


def _answer(
    count: RowCount, side: DataSide, kept: NodeStatistics | None
) -> tuple[int | None, str | None, datetime | None]:
    """Rows, why there are none, and from when they are, where they were kept."""
    rows, reason = _counted(count, side)
    if rows is not None or kept is None:
        return rows, reason, None
    if kept.row_count is None:
        return None, kept.reason or reason, None
    return kept.row_count, None, kept.counted_at


def _side(
    live: Iterable[tuple[str, Profile | None]], kept: NodeStatistics | None, dialect: Dialect
) -> tuple[Profiles, datetime | None]:
    """The columns of one side, and from when they are, where they were kept."""
    found = {dialect.fold(name): (name, profile) for name, profile in live if profile is not None}
    if found or kept is None or not kept.columns:
        return found, None
    columns = {dialect.fold(column.name): (column.name, column.profile) for column in kept.columns}
    return columns, kept.profiled_at


def _chosen(
    names: Mapping[str, str], columns: Sequence[str], exclude: Sequence[str], subject: Subject
) -> list[str]:
    """The keys of *names* that *columns* and *exclude* leave, in the order of *columns* if it names any."""
    left_out = {_named(name, names, subject) for name in exclude}
    wanted = [_named(name, names, subject) for name in columns] if columns else list(names)
    return [key for key in dict.fromkeys(wanted) if key not in left_out]


def _named(name: str, names: Mapping[str, str], subject: Subject) -> str:
    """The key of the column that is called *name*: exactly, or in any case where just one is."""
    exact = [key for key, known in names.items() if known == name]
    near = exact or [key for key, known in names.items() if known.casefold() == name.casefold()]
    if len(near) != 1:
        raise UnknownNameError("column", name, list(names.values()), where=f"in {subject.name}")
    return near[0]
