"""Search for nodes and columns by name in the latest runs of a store.

The columns of a node are one JSON array in the store. PostgreSQL needs 350 ms to expand 160,000 columns, too
long for results that appear during typing. So SQL reads the names of a graph into a `SearchIndex` (6 MB and
350 ms for that graph), and a search compares texts in memory, in less than 100 ms. A graph never changes, so
a server keeps the indexes of the latest graphs.
"""

from __future__ import annotations

import re
import sys
from array import array
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from heapq import nsmallest
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.models import NodeMetadata, RunMetadata
from recce_meta.models.rows import ResultList, RowTable, Tabular
from recce_meta.store import read
from recce_meta.store.session import open_store

NODE, COLUMN, TEXT = "node", "column", "text"
KINDS = (NODE, COLUMN, TEXT)
LIMIT = 50
LEAST = 3
"""Fewest characters that are looked up in texts."""
MOST_WORDS = 8
"""Largest number of words that are compared; further words are ignored."""
_PARTS = ("", "4", "8", "c", "g")
"""Bounds of the ids of parts: the columns of a quarter of the nodes are in memory at a time."""
_TESTS = ("test", "unit_test")
_BREAK = re.compile(r"[\s.]+")
_INSIDE = re.compile(r"[^\W_]")
"""Character of a word, so that a match after it is not the start of a word."""
EXACT, PREFIX, WORDS, INSIDE = range(4)
"""Ranks of a match, the best first."""


class SearchHit(Tabular, frozen=True, kw_only=True):
    """Node or column whose name matches."""

    kind: str
    """`node` or `column` if the name matches, else `text`."""
    run_id: str
    project: str
    environment: str
    unique_id: str
    name: str
    """Name of the node, with its version or schema."""
    resource_type: str
    column: str | None = None
    place: str | None = None
    """What contains the text: `code`, `description`, `tag`, `owner or meta`, `columns`, `name` of a macro."""


class SearchResult(Tabular, frozen=True, kw_only=True):
    """Nodes and columns that match a text, the best match first, nodes before columns."""

    text: str
    hits: tuple[SearchHit, ...]
    truncated: bool
    """Whether further nodes or columns match."""
    nodes: int
    """Number of matching nodes, including those that are not in `hits`."""
    columns: int
    """Number of matching columns."""
    texts: int
    """Number of further nodes and macros whose code or texts match, at most one more than the limit."""
    runs: tuple[RunMetadata, ...]
    """Runs that were searched."""

    def to_table(self) -> RowTable:
        """Return the hits as rows."""
        return ResultList(SearchHit, self.hits).to_table()


# Hundreds of thousands of these are decoded, which would trigger garbage collection.
class _NamedColumn(Struct, gc=False):
    name: str


_columns_of = msgspec.json.Decoder(tuple[_NamedColumn, ...]).decode


class _IndexedNode(NamedTuple):
    unique_id: str
    label: str
    resource_type: str


class NameMatch(NamedTuple):
    """Match in one graph."""

    key: tuple[Any, ...]
    """Values that sort the best match first."""
    place: int
    """Position of the node."""
    column: str = ""


class SearchIndex:
    """Names of one graph: its nodes, and each distinct name of a column with the nodes that have it."""

    def __init__(self) -> None:
        """Create an empty index."""
        self.nodes: list[_IndexedNode] = []
        self.columns: list[str] = []
        """Distinct names of columns."""
        self._names: list[tuple[str, str]] = []
        """Label and unique id of each node in lower case."""
        self._lower: list[str] = []
        self._owners: list[array[int]] = []
        """Positions of the nodes that have each column."""
        self._places: dict[str, int] = {}

    def add(self, rows: Iterable[Sequence[Any]]) -> None:
        """Add *rows* of `sql/queries/search_nodes.sql`."""
        for unique_id, name, resource_type, version, columns in rows:
            node = NodeMetadata(unique_id=unique_id, name=name, resource_type=resource_type, version=version)
            # Interned, because a few types are repeated for thousands of nodes.
            self.nodes.append(_IndexedNode(unique_id, node.label, sys.intern(resource_type)))
            self._names.append((node.label.lower(), unique_id.lower()))
            for column in _columns_of(columns) if columns != "[]" else ():
                self._add_column(column.name)

    def _add_column(self, name: str) -> None:
        place = self._places.setdefault(name, len(self.columns))
        if place == len(self.columns):
            self.columns.append(name)
            self._lower.append(name.lower())
            # An array takes four bytes for each node, a list eight or more.
            self._owners.append(array("I"))
        self._owners[place].append(len(self.nodes) - 1)

    @property
    def column_count(self) -> int:
        """Number of columns of all nodes."""
        return sum(map(len, self._owners))

    @property
    def size(self) -> int:
        """Size in memory in bytes, about."""
        lists: tuple[list[Any], ...] = (self.nodes, self._names, self.columns, self._lower, self._owners)
        parts = (one for listed in lists for one in listed)
        texts = (one for pair in (*self.nodes, *self._names) for one in pair)
        return sum(map(sys.getsizeof, (*lists, *parts, *texts)))

    def find_nodes(self, words: Sequence[str], phrase: str, limit: int) -> tuple[int, list[NameMatch]]:
        """Return the number of nodes whose name has all *words*, and the best *limit* of them."""
        found: list[NameMatch] = []
        for place, (label, unique_id) in enumerate(self._names):
            if all(word in label or word in unique_id for word in words):
                rank = EXACT if phrase in (label, unique_id) else _rank(label, words)
                is_test = self.nodes[place].resource_type in _TESTS
                found.append(NameMatch((rank, is_test, len(label), label), place))
        return len(found), nsmallest(limit, found)

    def find_columns(self, words: Sequence[str], phrase: str, limit: int) -> tuple[int, list[NameMatch]]:
        """Return the number of matching columns, and the best *limit* of them.

        A column matches if each word is in its name or in the name of its node, and one in its own name.
        """
        whole = (1 << len(words)) - 1
        # Bits instead of sets: this runs for each node while a user types.
        masks = [_mask(label, words) | _mask(unique_id, words) for label, unique_id in self._names]
        ranked = []
        for index, lower in enumerate(self._lower):
            own = _mask(lower, words)
            if own:
                named = [word for bit, word in enumerate(words) if own >> bit & 1]
                rank = EXACT if lower in (phrase, *named) else _rank(lower, named)
                ranked.append((rank, len(lower), lower, index, own))
        # Sorted before owners are looked at, so that the best names fill the limit.
        ranked.sort()
        count = 0
        found: list[NameMatch] = []
        for rank, length, lower, index, own in ranked:
            owners: Sequence[int] = self._owners[index]
            if own != whole:
                owners = [owner for owner in owners if own | masks[owner] == whole]
            count += len(owners)
            # Only the best are kept, but all are counted.
            if len(found) < limit:
                found += nsmallest(
                    limit, (self._found(owner, index, (rank, length, lower), words) for owner in owners)
                )
        return count, found[:limit]

    def _found(self, owner: int, index: int, key: tuple[Any, ...], words: Sequence[str]) -> NameMatch:
        label, _ = self._names[owner]
        # A node that the user names as well comes first.
        return NameMatch((*key, label not in words, len(label), label), owner, self.columns[index])


def _mask(text: str, words: Sequence[str]) -> int:
    """Return which of *words* are in *text*, one bit for each."""
    return sum(1 << bit for bit, word in enumerate(words) if word in text)


def _rank(text: str, words: Sequence[str]) -> int:
    if text.startswith(words[0]):
        return PREFIX
    return WORDS if all(_starts_word(text, word) for word in words) else INSIDE


def _starts_word(text: str, word: str) -> bool:
    """Return True if *word* is at the start of a word of *text*.

    >>> _starts_word("order_status", "stat"), _starts_word("order_status", "tatus")
    (True, False)
    """
    place = text.find(word)
    while place >= 0:
        if place == 0 or not _INSIDE.match(text[place - 1]):
            return True
        place = text.find(word, place + 1)
    return False


IndexOf = Callable[[RunMetadata], SearchIndex]


def search(
    adapter: UnifiedSqlAdapter,
    text: str,
    *,
    project: str | None = None,
    kinds: Collection[str] = KINDS,
    limit: int = LIMIT,
    runs: Sequence[RunMetadata] | None = None,
    index_of: IndexOf | None = None,
) -> SearchResult:
    """Return the nodes and columns whose names contain every word of *text*, ignoring case.

    Exact matches are first, then names that start with the text, then words that do, then other matches.
    Nodes are before columns, and tests after other nodes. Words are separated by white space or dots, so that
    `orders.status` finds the column `status` of `orders`. No character is a wildcard. A text of at least
    three characters is also looked up, as it is, in code, descriptions, tags, owners and macros. At most
    *limit* hits of each kind are returned; *kinds* restricts the result.

    *runs* are the runs to search, by default the `searched_runs` of *project*, or of each project. *index_of*
    returns the index of a run from a cache; without it, the store is read.
    """
    searched = searched_runs(adapter, project=project) if runs is None else list(runs)
    # `lower` as in the index: both sides of a comparison have to be folded alike.
    words = list(dict.fromkeys(filter(None, _BREAK.split(text.lower()))))[:MOST_WORDS]
    phrase = text.strip().lower()
    counts = dict.fromkeys(KINDS, 0)
    found: dict[str, list[tuple[Any, SearchHit]]] = {kind: [] for kind in KINDS}
    for run in searched if words else ():
        index = (index_of or partial(load_index, adapter))(run)
        for kind, find in ((NODE, index.find_nodes), (COLUMN, index.find_columns)):
            if kind in kinds:
                count, best = find(words, phrase, limit)
                counts[kind] += count
                found[kind] += [(one.key, _hit(run, index.nodes[one.place], one.column)) for one in best]
        if TEXT in kinds and len(phrase) >= LEAST:
            texts = _find_texts(adapter, run, phrase, limit, {hit.unique_id for _, hit in found[NODE]})
            counts[TEXT] += len(texts)
            found[TEXT] += texts
    for hits in found.values():
        hits.sort(key=lambda item: (item[0], item[1].project, item[1].run_id, item[1].unique_id))
    return SearchResult(
        text=text,
        hits=tuple(hit for kind in KINDS for _, hit in found[kind][:limit]),
        truncated=max(counts.values()) > limit,
        nodes=counts[NODE],
        columns=counts[COLUMN],
        texts=counts[TEXT],
        runs=tuple(searched),
    )


def _find_texts(
    adapter: UnifiedSqlAdapter, run: RunMetadata, text: str, limit: int, known: Collection[str]
) -> list[tuple[Any, SearchHit]]:
    """Return the nodes and macros whose texts have *text*, but for those *known* by their names."""
    with open_store(adapter) as store:
        asked = {"graph_id": run.graph_id, "run_id": run.run_id, "text": text}
        rows = store.query("search_texts", **asked, most=limit + 1 + len(known))
    index = SearchIndex()
    index.add((*row[:4], "[]") for row in rows)
    hits = [_hit(run, node, "", str(row[4])) for node, row in zip(index.nodes, rows, strict=True)]
    found = [((place,), hit) for place, hit in enumerate(hits) if hit.unique_id not in known]
    return list(found[: limit + 1])


def _hit(run: RunMetadata, node: _IndexedNode, column: str, place: str | None = None) -> SearchHit:
    return SearchHit(
        kind=TEXT if place else COLUMN if column else NODE,
        run_id=run.run_id,
        project=run.project_name,
        environment=run.environment,
        unique_id=node.unique_id,
        name=node.label,
        resource_type=node.resource_type,
        column=column or None,
        place=place,
    )


def searched_runs(adapter: UnifiedSqlAdapter, *, project: str | None = None) -> list[RunMetadata]:
    """Return the latest complete run of each project, and its latest scan; only of *project* if given."""
    with open_store(adapter) as store:
        return [read.run_of(row) for row in store.query("searched_runs", project=project)]


def load_index(adapter: UnifiedSqlAdapter, run: RunMetadata) -> SearchIndex:
    """Return the names of the nodes and columns of *run*."""
    index = SearchIndex()
    with open_store(adapter) as store:
        for first, last in pairwise(_PARTS):
            index.add(store.query("search_nodes", graph_id=run.graph_id, first=first, last=last))
    return index
