"""Which columns a diff is about: those of either side, side by side, and what a user names or leaves out."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from recce_meta.dialects import Dialect
from recce_meta.diff.data.keys import unquoted
from recce_meta.diff.data.plan import Plan
from recce_meta.diff.data.source import LiveColumn, Pair, Source, describe
from recce_meta.errors import UnknownNameError, UsageError


class SideColumn(Struct, frozen=True):
    """A column of either side; a side that has no such column is None."""

    base: LiveColumn | None
    current: LiveColumn | None

    @property
    def name(self) -> str:
        """Its name in current, or else in base."""
        return self._either.name

    @property
    def names(self) -> tuple[str, ...]:
        """Its names on both sides."""
        return tuple(column.name for column in (self.base, self.current) if column is not None)

    @property
    def _either(self) -> LiveColumn:
        column = self.current or self.base
        assert column is not None, "a column of no side"
        return column


def side_columns(
    base: Sequence[LiveColumn], current: Sequence[LiveColumn], dialect: Dialect
) -> list[SideColumn]:
    """Every column of either side in current order, those of base alone where they stood."""
    before = {dialect.fold(column.name): column for column in base}
    after = {dialect.fold(column.name): column for column in current}
    return [SideColumn(before.get(key), after.get(key)) for key in in_order(list(before), list(after))]


def in_order(base: Sequence[str], current: Sequence[str]) -> list[str]:
    """*current*, and each of *base* that is not in it behind the one that it followed.

    >>> in_order(["a", "b", "c"], ["c", "a", "d"])
    ['c', 'a', 'b', 'd']
    """
    followers: dict[str | None, list[str]] = {}
    last = None
    kept = set(current)
    for key in base:
        if key in kept:
            last = key
        else:
            followers.setdefault(last, []).append(key)
    merged = list(followers.get(None, ()))
    for key in current:
        merged += [key, *followers.get(key, ())]
    return merged


def chosen(pair: Pair, *, columns: Sequence[str] = (), exclude: Sequence[str] = ()) -> Plan[list[SideColumn]]:
    """The columns of *pair* that *columns* names (all, where it names none), less those of *exclude*.

    In the order of *columns*, or else of the relation. Names fit in any case where just one column does,
    and may stand in quotes, as recce needs them for `"order"`. Raises UnknownNameError for a name that
    neither side has, UsageError where neither side is there.
    """
    sources = sides_of(pair)
    described = dict(zip((source.side for source in sources), (yield from describe(sources)), strict=True))
    base, current = (
        described.get(source.side, ()) if source is not None else () for source in (pair.base, pair.current)
    )
    known = side_columns(base, current, sources[-1].dialect)
    where = f"in {pair.subject.name}"
    left_out = {_one(name, known, where).name for name in exclude}
    wanted = [_one(name, known, where) for name in columns] if columns else known
    return list({column.name: column for column in wanted if column.name not in left_out}.values())


def sides_of(pair: Pair) -> tuple[Source, ...]:
    """The sides of *pair*, of which there is at least one."""
    if not pair.sides:
        raise UsageError(f"{pair.subject.name} has no relation in base or current: there is nothing to read")
    return pair.sides


def _one(name: str, known: Sequence[SideColumn], where: str) -> SideColumn:
    for wanted in (name, unquoted(name)):
        exact = [column for column in known if wanted in column.names]
        near = exact or [
            column for column in known if wanted.casefold() in [own.casefold() for own in column.names]
        ]
        if len(near) == 1:
            return near[0]
    raise UnknownNameError("column", name, [column.name for column in known], where=where)
