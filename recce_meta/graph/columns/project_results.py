"""The analysis of one query as what is known of a node: parents by unique id, names as they are known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.graph.columns.project_dialects import folded
from recce_meta.graph.columns.project_tokens import QueryNames
from recce_meta.models.column_lineage import (
    ColumnOutput,
    ColumnSource,
    ColumnUse,
    Kind,
    NodeColumns,
    Tier,
    Usage,
)

if TYPE_CHECKING:
    from recce_meta.graph.columns.united import QueryColumns

EVERYTHING = "*"
"""The name of columns that nothing names."""
HARD_CODED = 0.9
"""How sure it is that a relation which is named in words of its own is the node that has it in this run."""
OWN_CATALOG = 0.9
"""How sure it is that a column of the node comes out of a star over something whose columns are not known."""

Names: TypeAlias = Sequence[str]


class Spelling:
    """Columns by their own spelling, found whatever the case where that leaves one."""

    def __init__(self, names: Iterable[str]) -> None:
        self._exact = frozenset(names)
        self._folded: dict[str, str | None] = {}
        for name in self._exact:
            folded = name.lower()
            self._folded[folded] = None if folded in self._folded else name

    def of(self, name: str) -> str:
        """*name* as the list of columns spells it; unchanged where that has no such column, or several."""
        return name if name in self._exact else self._folded.get(name.lower()) or name

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and (name in self._exact or self._folded.get(name.lower()) is not None)


def spelt(column: str, spelling: Spelling | None, dialect: str) -> str:
    """*column* of a relation, as the list of its columns spells it.

    Where there is none, or none with this column, the same for all who read it: which of its readers are
    told must not depend on capitals.
    """
    if spelling is not None and column in spelling:
        return spelling.of(column)
    return folded(column, dialect)


class Reading(Struct, frozen=True, kw_only=True):
    """How the analysis of one node's query is read."""

    names: QueryNames
    spelling_of: Callable[[str], Spelling | None]
    """The columns of a node by unique id, where they are known."""
    tier: Tier
    certainty: float
    """What every confidence is multiplied by: the tier's, and the dialect's."""
    dialect: str = ""
    own: Names | None = None
    """The node's own columns, as the warehouse has them or a contract makes them."""


def node_columns(query: QueryColumns, reading: Reading) -> NodeColumns:
    """Return what *query* has as that of a node."""
    owners = reading.names.owners()
    found = [
        replace(
            output,
            expression=output.expression and reading.names.readable(output.expression),
            sources=_sources(output.sources, owners, reading),
        )
        for output in query.outputs
    ]
    if reading.own is not None:
        found = _named_by_place(found, query.unnamed, reading.own)
        found = _spelt(_expanded(found, reading.own, reading), reading.own)
    return NodeColumns(
        tier=reading.tier,
        outputs=tuple(found),
        uses=_uses(query.uses, owners, reading),
        references=_sources(query.references, owners, reading),
    )


def as_read_by_a_test(columns: NodeColumns) -> NodeColumns:
    """*columns* of a query whose rows are failures: whatever it reads decides over them."""
    read = {(source.parent, source.column): 0.0 for source in _all_sources(columns)}
    for source in _all_sources(columns):
        place = source.parent, source.column
        read[place] = max(read[place], source.confidence)
    uses = tuple(sorted(ColumnUse(Usage.FILTER, *place, sure) for place, sure in read.items()))
    return replace(columns, outputs=(), uses=uses)


def _all_sources(columns: NodeColumns) -> list[ColumnSource]:
    read = [ColumnSource(use.parent, use.column, use.confidence) for use in columns.uses]
    return read + [source for output in columns.outputs for source in output.sources]


def _sources(
    sources: Iterable[ColumnSource], owners: Mapping[str, str], reading: Reading
) -> tuple[ColumnSource, ...]:
    found: dict[tuple[str, str], float] = {}
    for source in sources:
        parent, column, sure = _place(source.parent, source.column, source.confidence, owners, reading)
        found[parent, column] = max(sure, found.get((parent, column), 0.0))
    return tuple(sorted(ColumnSource(*place, sure) for place, sure in found.items()))


def _uses(uses: Iterable[ColumnUse], owners: Mapping[str, str], reading: Reading) -> tuple[ColumnUse, ...]:
    found: dict[tuple[Usage, str, str], float] = {}
    for use in uses:
        parent, column, sure = _place(use.parent, use.column, use.confidence, owners, reading)
        key = use.usage, parent, column
        found[key] = max(sure, found.get(key, 0.0))
    return tuple(sorted(ColumnUse(*key, sure) for key, sure in found.items()))


def _place(
    parent: str, column: str, confidence: float, owners: Mapping[str, str], reading: Reading
) -> tuple[str, str, float]:
    """A column of a relation of the query, as a column of a node of the project."""
    owner = _owner(parent, owners)
    sure = confidence * reading.certainty
    if owner is None:
        return parent, spelt(column, None, reading.dialect), round(sure, 2)
    if owner in reading.names.hard_coded:
        sure *= HARD_CODED
    return owner, spelt(column, reading.spelling_of(owner), reading.dialect), round(sure, 2)


def _owner(parent: str, owners: Mapping[str, str]) -> str | None:
    folded = parent.lower()
    return owners.get(folded.partition(".")[0]) or owners.get(folded)


def _named_by_place(
    outputs: Sequence[ColumnOutput], unnamed: Iterable[int], own: Names
) -> list[ColumnOutput]:
    """Return *outputs*, those without a name of their own by the names that the warehouse gave them.

    So are those that have the name of one before them, which warehouses tell apart.
    """
    lower = [output.name.lower() for output in outputs]
    given = {*unnamed, *(place for place, name in enumerate(lower) if name in lower[:place])}
    agrees = len(own) == len(outputs) and EVERYTHING not in lower
    if not given or not agrees:
        return list(outputs)
    if any(name != own[place].lower() for place, name in enumerate(lower) if place not in given):
        return list(outputs)
    return [
        replace(output, name=own[place]) if place in given else output for place, output in enumerate(outputs)
    ]


def _expanded(outputs: Sequence[ColumnOutput], own: Names, reading: Reading) -> list[ColumnOutput]:
    """*outputs* with one star over unknown columns as those columns of the node that no other output is."""
    stars = [output for output in outputs if output.name == EVERYTHING]
    if len(stars) != 1:
        return list(outputs)
    others = Spelling(output.name for output in outputs if output is not stars[0])
    missing = [name for name in own if name not in others]
    if not missing or not stars[0].sources:
        return list(outputs)
    sure = OWN_CATALOG if len(stars[0].sources) == 1 else 0.5

    def one(name: str) -> ColumnOutput:
        sources = tuple(
            ColumnSource(
                source.parent,
                spelt(name, reading.spelling_of(source.parent), reading.dialect),
                round(min(source.confidence, sure), 2),
            )
            for source in stars[0].sources
        )
        return ColumnOutput(name, Kind.PASSTHROUGH, None, sources)

    found: list[ColumnOutput] = []
    for output in outputs:
        found.extend(map(one, missing)) if output is stars[0] else found.append(output)
    return found


def _spelt(outputs: Iterable[ColumnOutput], own: Names) -> list[ColumnOutput]:
    """*outputs* by the names that the warehouse gives them; in its order too, where it has just these.

    dbt selects the columns of a contract in the order of the contract, whatever the query's is.
    """
    spelling = Spelling(own)
    spelt = [
        output if (name := spelling.of(output.name)) == output.name else replace(output, name=name)
        for output in outputs
    ]
    by_name = {output.name: output for output in spelt}
    return [by_name[name] for name in own] if len(spelt) == len(own) and by_name.keys() == set(own) else spelt
