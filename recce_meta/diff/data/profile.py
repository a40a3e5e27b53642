"""Figures of columns, side by side.

What is asked, and what happens to a statement that fails, is in `figures`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from recce_meta.diff.data.choice import SideColumn, chosen
from recce_meta.diff.data.failures import first_line
from recce_meta.diff.data.figures import Figures, Problem, Scope, figures
from recce_meta.diff.data.plan import Plan
from recce_meta.diff.data.source import LiveColumn, Pair, Source
from recce_meta.models.data_diff import ColumnProfile, DataSide, Profile, ProfileDiff

NO_MEDIANS = "There are no medians: {dialect} has no aggregate for them"
MEDIANS_ESTIMATED = "Medians are estimates: {dialect} has no exact aggregate for them"
DISTINCT_EXACT = "Distinct values are counted exactly: {dialect} has no estimate of them"


def profile_diff(
    pair: Pair,
    columns: Sequence[str] = (),
    exclude: Sequence[str] = (),
    where: str | None = None,
    approximate: bool = False,
) -> Plan[ProfileDiff]:
    """The figures of *columns* (all but *exclude*, where none are named) on both sides, or the one there is.

    *where* restricts the rows of both sides, in the warehouse's SQL. With *approximate*, distinct values are
    estimated, where the warehouse can, in the same scan. Raises UnknownNameError for a column that neither
    side has, and what stops every statement.
    """
    wanted = yield from chosen(pair, columns=columns, exclude=exclude)
    scope = Scope(where=where, approximate=approximate)
    asked = [(source, _of_side(wanted, source.side)) for source in pair.sides]
    found = yield from figures(asked, scope)
    return ProfileDiff(
        subject=pair.subject,
        columns=tuple(_column_profile(column, found, pair) for column in wanted),
        notes=(
            *notes_on_medians(asked),
            *_notes_on_estimates(pair.sides, approximate),
            *map(_note, found.problems),
        ),
        where=where,
    )


def notes_on_medians(asked: Iterable[tuple[Source, Sequence[LiveColumn]]]) -> list[str]:
    """What a reader has to know of the medians of each source's columns: one sentence for each dialect."""
    notes: dict[str, None] = {}
    for source, columns in asked:
        kinds = {column.type.kind for column in columns}
        dialect = source.dialect
        if not dialect.has_median and any(kind.is_number for kind in kinds):
            notes[NO_MEDIANS.format(dialect=dialect.name)] = None
        elif not dialect.has_exact_median and any(kind.is_number or kind.is_point_in_time for kind in kinds):
            notes[MEDIANS_ESTIMATED.format(dialect=dialect.name)] = None
    return list(notes)


def _of_side(columns: Iterable[SideColumn], side: DataSide) -> list[LiveColumn]:
    return [own for column in columns if (own := getattr(column, side.value)) is not None]


def _column_profile(column: SideColumn, found: Figures, pair: Pair) -> ColumnProfile:
    profiles = {
        source.side: _profile(getattr(column, source.side.value), source, found) for source in pair.sides
    }
    is_same = None
    if column.base and column.current and len({source.dialect.name for source in pair.sides}) == 2:
        is_same = column.base.type.kind is column.current.type.kind
    return ColumnProfile(
        name=column.name,
        base=profiles.get(DataSide.BASE),
        current=profiles.get(DataSide.CURRENT),
        is_same_type=is_same,
        reason="; ".join(_reasons(column, found.problems)) or None,
    )


def _profile(column: LiveColumn | None, source: Source, found: Figures) -> Profile | None:
    return None if column is None else found.profile(source, column)


def _reasons(column: SideColumn, problems: Iterable[Problem]) -> list[str]:
    return [
        f"{problem.what.lower()} in {problem.side.value}: {first_line(problem.error)}"
        for problem in problems
        if (own := getattr(column, problem.side.value)) is not None and own.name == problem.column
    ]


def _note(problem: Problem) -> str:
    return f"{problem.what} of {problem.column} in {problem.side.value}: {first_line(problem.error)}"


def _notes_on_estimates(sources: Sequence[Source], approximate: bool) -> list[str]:
    names = dict.fromkeys(
        source.dialect.name for source in sources if not source.dialect.has_approximate_distinct
    )
    return [DISTINCT_EXACT.format(dialect=name) for name in names] if approximate else []
