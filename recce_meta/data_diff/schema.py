"""Schema diffs: columns that were added, removed, retyped or moved.

The order is compared as between recorded runs: only among columns of both sides. The smallest set of columns
that explains the new order counts as moved. A column that is also retyped counts as retyped; its
positions show the move.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from recce_meta.data_diff.plan import Plan
from recce_meta.data_diff.source import Pair, describe, in_order, name_folding, sides_of
from recce_meta.diff.properties import same_type
from recce_meta.models import Column
from recce_meta.models.data_diff import ColumnDelta, SchemaDiff, Subject
from recce_meta.warehouses.dialect import Dialect

OTHER_WAREHOUSE = "Base and current are different warehouses: types are compared by kind"
UNDOCUMENTED = "no columns are recorded for {side}: run dbt docs generate before recording"
DOCUMENTED = "only documented columns are recorded for {side}: run dbt docs generate before recording"

SameType = Callable[[str | None, str | None], bool]


class _Placed(NamedTuple):
    name: str
    type: str | None
    position: int


def schema_diff(pair: Pair) -> Plan[SchemaDiff]:
    """Compare the current columns in the warehouse; if a side is missing, list all columns of the other.

    Raises the warehouse's error if a side cannot be described.
    """
    sources = sides_of(pair)
    described = yield from describe(sources)
    columns = {
        source.side: [(column.name, column.type.text) for column in found]
        for source, found in zip(sources, described, strict=True)
    }
    base, current = (
        columns.get(source.side, []) if source is not None else [] for source in (pair.base, pair.current)
    )
    fold = name_folding(sources, *([name for name, _ in side] for side in (base, current)))
    dialects = {source.dialect.name for source in sources}
    dialect = sources[-1].dialect
    same = _same_in(dialect) if len(dialects) == 1 else _same_family(sources[0].dialect, dialect)
    return SchemaDiff(
        subject=pair.subject,
        columns=_deltas(base, current, fold, same),
        notes=() if len(dialects) == 1 else (OTHER_WAREHOUSE,),
    )


def stored_schema_diff(
    subject: Subject,
    base: Sequence[Column] | None,
    current: Sequence[Column] | None,
    dialect: Dialect,
    *,
    documented: Sequence[str] = (),
) -> SchemaDiff:
    """Compare the columns recorded with two runs; a side without the node is None.

    *documented* are the sides for which only documented columns are known.
    """
    sides = {"base": base, "current": current}
    notes = [
        (UNDOCUMENTED if not columns else DOCUMENTED).format(side=side).capitalize()
        for side, columns in sides.items()
        if columns is not None and (not columns or side in documented)
    ]
    return SchemaDiff(
        subject=subject,
        columns=_deltas(
            [(column.name, column.type) for column in base or ()],
            [(column.name, column.type) for column in current or ()],
            dialect.fold,
            _same_in(dialect),
        ),
        source="stored",
        notes=tuple(notes),
    )


def _same_in(dialect: Dialect) -> SameType:
    def same(base: str | None, current: str | None) -> bool:
        return same_type(base, current, dialect.name)

    return same


def _same_family(before: Dialect, after: Dialect) -> SameType:
    def same(base: str | None, current: str | None) -> bool:
        return before.column_type(base or "").kind is after.column_type(current or "").kind

    return same


def _deltas(
    base: Sequence[tuple[str, str | None]],
    current: Sequence[tuple[str, str | None]],
    fold: Callable[[str], str],
    same: SameType,
) -> tuple[ColumnDelta, ...]:
    before, after = _placed(base, fold), _placed(current, fold)
    moved = _moved([key for key in before if key in after], [key for key in after if key in before])
    return tuple(
        _delta(before.get(key), after.get(key), key in moved, same)
        for key in in_order(list(before), list(after))
    )


def _placed(columns: Sequence[tuple[str, str | None]], fold: Callable[[str], str]) -> Mapping[str, _Placed]:
    return {
        fold(name): _Placed(name, type_text, position)
        for position, (name, type_text) in enumerate(columns, start=1)
    }


def _delta(base: _Placed | None, current: _Placed | None, is_moved: bool, same: SameType) -> ColumnDelta:
    if base is None:
        status = "added"
    elif current is None:
        status = "removed"
    elif not same(base.type, current.type):
        status = "retyped"
    else:
        status = "moved" if is_moved else "unchanged"
    shown = current or base
    assert shown is not None, "a column of no side"
    return ColumnDelta(
        name=shown.name,
        status=status,
        base_type=base and base.type,
        current_type=current and current.type,
        base_position=base and base.position,
        current_position=current and current.position,
    )


def _moved(base: Sequence[str], current: Sequence[str]) -> set[str]:
    """Return the keys outside of a longest common subsequence of *base* and *current*.

    >>> _moved(["a", "b", "c", "d"], ["d", "a", "b", "c"])
    {'d'}
    """
    if list(base) == list(current):
        return set()
    places = {key: place for place, key in enumerate(base)}
    # ends[i] is the smallest position at which an ascending run of i + 1 keys ends, lasts[i] its last key.
    ends: list[int] = []
    lasts: list[str] = []
    previous: dict[str, str | None] = {}
    for key in current:
        length = bisect_left(ends, places[key])
        previous[key] = lasts[length - 1] if length else None
        ends[length : length + 1] = [places[key]]
        lasts[length : length + 1] = [key]
    kept = set()
    step = lasts[-1] if lasts else None
    while step is not None:
        kept.add(step)
        step = previous[step]
    return set(current) - kept
