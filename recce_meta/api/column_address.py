"""Which node, and which of its columns, a user means by `NODE` or `NODE.COLUMN`.

Names of both may have dots, so every dot may be the one between them: the longest node first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, NoReturn

from recce_meta.api.inspecting import SHOWN, find_node, is_scanned, names_of
from recce_meta.errors import SelectorError, did_you_mean, first_of
from recce_meta.graph.columns.project_dialects import folded
from recce_meta.models import NodeMetadata
from recce_meta.models.kinds import RELATIONS


class Names(NamedTuple):
    """The columns of a node, as it spells them."""

    known: Sequence[str]
    are_all: bool = True
    dialect: str | None = None
    """By which others are spelt, where these are not all."""


ColumnsOf = Callable[[str], Names]

BUILT = ("model", "seed", "snapshot", *sorted(RELATIONS))
"""Resource types that a name means rather than others, such as a test of the same name."""
WITH_COLUMNS = frozenset({*BUILT, "source", "analysis", "function"})
"""Resource types that can have columns, though nobody knows them."""
_QUOTES = {'"': '"', "`": "`", "[": "]"}


class Address(NamedTuple):
    """A node, or a column of it as the node spells it."""

    unique_id: str
    column: str | None = None

    def __str__(self) -> str:
        return self.unique_id if self.column is None else f"column {self.column} of {self.unique_id}"


class _Reading(NamedTuple):
    unique_id: str
    column: str | None
    """As it was asked for."""


def find_address(text: str, nodes: Mapping[str, NodeMetadata], columns_of: ColumnsOf) -> Address:
    """What *text* means: a unique id, else the one reading of it for which there are node and column.

    Column names match whatever their case, where that leaves one; in quotes they match as they are. Where not
    all columns of a node are known, any other is taken to be one. Raises SelectorError.
    """
    if text in nodes:
        return Address(text)
    found: list[Address] = []
    unknown: list[Address] = []
    nearest: _Reading | None = None
    for reading in _readings(text, nodes):
        if reading.column is None:
            found.append(Address(reading.unique_id))
            continue
        nearest = nearest or reading
        names = columns_of(reading.unique_id)
        matches = _matching(reading.column, names.known)
        found += [Address(reading.unique_id, name) for name in matches]
        if not names.are_all and nodes[reading.unique_id].resource_type in WITH_COLUMNS:
            asked = _unquoted(reading.column) or reading.column
            unknown.append(Address(reading.unique_id, folded(asked, names.dialect)))
    possible = found or unknown[:1]
    if len(possible) == 1:
        return possible[0]
    if possible:
        raise _ambiguous(text, possible)
    if nearest is None:
        _no_node(text, nodes)
    raise _no_column(nearest, columns_of(nearest.unique_id).known)


def _readings(text: str, nodes: Mapping[str, NodeMetadata]) -> Iterator[_Reading]:
    """The nodes that the beginnings of *text* name, and what is left of it; the longest beginning first."""
    ends = [len(text), *(end for end in range(len(text) - 1, 0, -1) if text[end] == ".")]
    starts = {text[:end]: text[end + 1 :] if end < len(text) else None for end in ends}
    by_name: dict[str, list[str]] = {}
    for unique_id, node in nodes.items():
        # One look at the own name spares making the others of thousands.
        if unique_id in starts:
            by_name[unique_id] = [unique_id]
        elif node.name in starts or node.version is not None or node.source_name or is_scanned(node):
            for name in starts.keys() & names_of(node):
                by_name.setdefault(name, []).append(unique_id)
    for start, column in starts.items():
        ids = by_name.get(start, [])
        built = [unique_id for unique_id in ids if nodes[unique_id].resource_type in BUILT]
        for unique_id in sorted(built if len(built) == 1 else ids):
            if column != "":
                yield _Reading(unique_id, column)


def _matching(asked: str, known: Sequence[str]) -> list[str]:
    """The columns of *known* that *asked* can mean."""
    exact = _unquoted(asked)
    if exact is not None:
        return [exact] if exact in known else []
    if asked in known:
        return [asked]
    return [name for name in dict.fromkeys(known) if name.lower() == asked.lower()]


def _unquoted(asked: str) -> str | None:
    """What is between the quotes; None where there are none."""
    if len(asked) > 2 and _QUOTES.get(asked[0]) == asked[-1]:
        return asked[1:-1].replace('""', '"') if asked[0] == '"' else asked[1:-1]
    return None


def _ambiguous(text: str, possible: Sequence[Address]) -> SelectorError:
    ids = {address.unique_id for address in possible}
    columns = {address.column and address.column.lower() for address in possible}
    # Of two dots that may stand before the column, only quotes tell which one does.
    if None not in columns and (len(ids) == 1 or len(columns) > 1):
        hint = "put the column's name in quotes, as it is spelt"
    elif len({address.column is None for address in possible}) == 1:
        hint = "begin with one of these unique ids"
    else:
        hint = "give the unique id of a node, or put the column's name in quotes"
    shown = first_of([str(address) for address in possible], SHOWN)
    return SelectorError(f"'{text}' can mean {len(possible)} things: {shown}", hint=hint)


def _no_node(text: str, nodes: Mapping[str, NodeMetadata]) -> NoReturn:
    """Say that no node is called *text*; the hint may be nearer to what stands before its last dot."""
    try:
        find_node(text, nodes)
    except SelectorError as error:
        start, dot, _ = text.rpartition(".")
        if error.hint is None and dot:
            known = sorted({name for node in nodes.values() for name in names_of(node)} | nodes.keys())
            raise SelectorError(error.message, hint=did_you_mean(start, known)) from None
        raise
    raise SelectorError(f"'{text}' names no column", hint="name a NODE, or a NODE.COLUMN")


def _no_column(reading: _Reading, known: Sequence[str]) -> SelectorError:
    if not known:
        return SelectorError(
            f"{reading.unique_id} has no columns", hint="name a model, seed, snapshot or source"
        )
    near = did_you_mean(reading.column or "", known)
    return SelectorError(
        f"{reading.unique_id} has no column '{reading.column}'",
        hint=near or f"its columns: {first_of(known, SHOWN)}",
    )
