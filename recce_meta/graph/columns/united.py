"""Columns of one query, and of several statements that fill one relation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.graph.columns.query import STAR
from recce_meta.models.column_lineage import ColumnOutput, ColumnSource, ColumnUse, Kind

_MAY_BE = 0.5
"""Confidence of a source whose column in the relation is not known."""


class QueryColumns(Struct, frozen=True):
    """What is known of the columns of one query."""

    outputs: tuple[ColumnOutput, ...]
    """In the order of the query."""
    uses: tuple[ColumnUse, ...]
    """Sorted."""
    references: tuple[ColumnSource, ...] = ()
    """The columns that it names anywhere, and fails without; sorted."""
    unnamed: tuple[int, ...] = ()
    """Places of the outputs that the query gives no name."""


def nameless(part: QueryColumns) -> QueryColumns:
    """Return *part* with one output `*` of all sources: they fill columns whose names are not known."""
    sources = _sources(source for output in part.outputs for source in output.sources)
    return replace(part, outputs=(ColumnOutput(STAR, Kind.DERIVED, None, sources),), unnamed=())


def united(parts: Sequence[QueryColumns]) -> QueryColumns:
    """Return the columns of a relation that all *parts* fill, in the order of the first that has any.

    What fills columns that are not known may be in each of them.
    """
    if len(parts) == 1:
        return parts[0]
    first = next((part for part in parts if part.outputs), parts[0])
    is_known = not any(output.name == STAR for output in first.outputs)
    found: dict[str, ColumnOutput] = {}
    spread: list[ColumnSource] = []
    for output in (output for part in parts for output in part.outputs):
        if output.name == STAR and is_known:
            spread += [replace(one, confidence=min(one.confidence, _MAY_BE)) for one in output.sources]
        else:
            name = output.name.lower()
            found[name] = _joined(found[name], output) if name in found else output
    outputs = list(found.values())
    if spread:
        unclear = ColumnOutput(STAR, Kind.DERIVED, None, tuple(spread))
        outputs = [_joined(output, unclear) for output in outputs]
    keeps_places = [output.name.lower() for output in first.outputs] == list(found)[: len(first.outputs)]
    return QueryColumns(
        tuple(outputs),
        _uses(use for part in parts for use in part.uses),
        _sources(source for part in parts for source in part.references),
        first.unnamed if keeps_places else (),
    )


def _joined(one: ColumnOutput, other: ColumnOutput) -> ColumnOutput:
    kinds = {one.kind, other.kind}
    kind = one.kind if len(kinds) == 1 else Kind.AGGREGATED if Kind.AGGREGATED in kinds else Kind.DERIVED
    sources = _sources((*one.sources, *other.sources))
    return replace(one, kind=kind, expression=one.expression or other.expression, sources=sources)


def _sources(sources: Iterable[ColumnSource]) -> tuple[ColumnSource, ...]:
    surest: dict[tuple[str, str], float] = {}
    for source in sources:
        place = source.parent, source.column
        surest[place] = max(source.confidence, surest.get(place, 0.0))
    return tuple(sorted(ColumnSource(*place, sure) for place, sure in surest.items()))


def _uses(uses: Iterable[ColumnUse]) -> tuple[ColumnUse, ...]:
    surest: dict[tuple[object, str, str], ColumnUse] = {}
    for use in uses:
        place = use.usage, use.parent, use.column
        if place not in surest or use.confidence > surest[place].confidence:
            surest[place] = use
    return tuple(sorted(surest.values()))
