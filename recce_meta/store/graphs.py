"""Graphs in the store: the origins of their edges, and the differences between two graphs.

A later recorder adds missing origins and replaces less certain ones. A version's id does not depend on
origins. Otherwise a node would count as modified if its edges were found in another way. So a version has
one origin for each edge: the most certain one.

Differences are stored so that the views of changes need not compute them. The rows belong to a pair of
graphs, not to a run: runs that repeat a graph share them. They are derived data. For all other pairs, the
view `node_changes` computes the differences. Impacts, the nodes downstream of the differences, are stored
with them, for the view `impacted_nodes`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.adapter.waiting import retrying
from recce_meta.graph import LineageGraph
from recce_meta.models import EdgeOrigin, RunMetadata
from recce_meta.models.node import NodeOutline
from recce_meta.models.run import DBT
from recce_meta.store.content import Contents, digest
from recce_meta.store.read import Objects, group_parents
from recce_meta.store.session import StoreSession, open_store

_elements = msgspec.json.Decoder(list[msgspec.Raw]).decode
MOST_BYTES = 50_000
"""Maximum size of a list of edges in one statement: strings in Redshift have at most 65,535 bytes."""


def node_outlines(store: StoreSession, run: RunMetadata, ids: Iterable[str]) -> dict[str, NodeOutline]:
    """Return the outlines of the nodes *ids* that *run* has, by unique id; code and columns are not read."""
    binds = {"graph_id": run.graph_id, "ids": "\n".join(ids)}
    uncertain = group_parents(store.query("node_outlines", 1, **binds))
    objects = Objects()
    found = {}
    for unique_id, *texts, columns in store.query("node_outlines", **binds):
        config, meta, properties = (objects[str(text)] for text in texts)
        found[str(unique_id)] = NodeOutline(
            config=config,
            meta=meta,
            properties=properties,
            # Thousands of nodes have dozens of columns each, of which only the number is needed.
            columns=len(_elements(str(columns))),
            uncertain=frozenset(uncertain.get(str(unique_id), ())),
        )
    return found


def add_origins(store: StoreSession, run: RunMetadata, pieces: Contents) -> None:
    """Store the origins of edges of *pieces* if the stored edges have none or less certain ones."""
    found = {
        (node.unique_id, parent): (version_id, origin)
        for version_id, (node, _) in pieces.versions.items()
        for parent, origin in node.edge_origins.items()
    }
    # The view `lineage` derives the origins of dbt's edges.
    if run.extractor == DBT or not found:
        return
    better: dict[EdgeOrigin, list[str]] = defaultdict(list)
    for unique_id, parent, *stored in store.query("edges", graph_id=pieces.graph_id):
        known = found.get((str(unique_id), str(parent)))
        if known is not None and _is_surer(known[1], *stored):
            better[known[1]].append(f"{known[0]} {parent}")
    for origin, edges in better.items():
        for some in portions(edges):
            store.execute(
                "set_edge_origin",
                kind=origin.kind,
                confidence=origin.confidence,
                # The warehouse finds rows by these ids; the pairs below are not indexed.
                version_ids="\n".join(dict.fromkeys(edge.partition(" ")[0] for edge in some)),
                edges="\n".join(some),
            )


def _is_surer(origin: EdgeOrigin, kind: Any, confidence: Any) -> bool:
    return kind is None or confidence is None or float(confidence) < origin.confidence


def portions(lines: Iterable[str]) -> Iterator[list[str]]:
    """Yield *lines* in lists that fit into one statement."""
    some: list[str] = []
    size = 0
    for one in lines:
        length = len(one.encode()) + 1
        if some and size + length > MOST_BYTES:
            yield some
            some, size = [], 0
        some.append(one)
        size += length
    if some:
        yield some


STEPS_OF_A_RUN = 2
"""Maximum number of pairs that recording a run adds: from the previous run, and to the next run."""
STEPS_AT_ONCE = 500
"""Number of pairs that `fill_changes` stores in one transaction."""
MOST_IMPACTS = 100_000
"""Maximum number of stored impacts of a pair. The view `impacted_nodes` computes those of other pairs."""
IMPACT_COLUMNS = ("impacts_id", "changed_id", "unique_id", "changed_status", "distance")
NOT_FOLLOWED = frozenset({"moved", "rewritten"})
"""Statuses of changes that do not affect downstream nodes."""
Impact = tuple[str, str, str, int]
"""Changed node, downstream node, status of the change, distance."""


def store_changes(store: StoreSession, most: int = STEPS_OF_A_RUN) -> int:
    """Store the changes and impacts of up to *most* pairs of graphs that lack them. Return their number.

    The newest pairs come first. Nothing is stored in a warehouse whose views compute all changes.
    """
    if not store.stores_changes:
        return 0
    # The rest is left to the next recorder, so that recording stays fast in a store with many gaps.
    ids = [str(run_id) for (run_id,) in store.query("steps_to_store")][:most]
    if ids:
        store.execute("store_changes", ids="\n".join(ids))
    return max(len(ids), _store_impacts(store, most))


def _store_impacts(store: StoreSession, most: int) -> int:
    """Store the impacts of up to *most* pairs of graphs with stored changes. Return the number of pairs."""
    reader = ImpactReader(store)
    rows: list[tuple[str, str, str, str, int]] = []
    marks: list[dict[str, Any]] = []
    pairs = store.query("impacts_to_store", most=most)
    for number, (previous, graph, same_dbt) in enumerate(pairs, start=1):
        pair = {"previous_graph_id": str(previous), "graph_id": str(graph), "same_dbt": bool(same_dbt)}
        stored = store.query("stored_changes", **pair)
        changes = {str(unique_id): str(status) for unique_id, _, _, status, *_ in stored}
        found = reader.impacts(str(previous), str(graph), changes)
        impacts_id = "" if found is None else digest(msgspec.json.encode([*pair.values()]))
        rows += ((impacts_id, *impact) for impact in found or ())
        marks.append({**pair, "impacts_id": impacts_id})
        if len(rows) >= MOST_IMPACTS or number == len(pairs):
            store.insert("graph_impacts", IMPACT_COLUMNS, rows)
            # The view reads the impacts of a pair with an id, and computes those of the others.
            for mark in marks:
                store.execute("set_impacts", **mark)
            rows, marks = [], []
    return len(pairs)


class ImpactReader:
    """Reader of the nodes downstream of changes. The view `impacted_nodes` computes the same."""

    def __init__(self, store: StoreSession) -> None:
        self._store = store
        self._children: dict[str, Mapping[str, tuple[str, ...]]] = {}
        """Children by node of the last two graphs, because the next pair often has one of them."""

    def impacts(self, previous: str, graph: str, changes: Mapping[str, str]) -> list[Impact] | None:
        """Return the impacts of *changes*, statuses by node; None if they are more than MOST_IMPACTS."""
        followed = {one: status for one, status in changes.items() if status not in NOT_FOLLOWED}
        if not followed:
            return []
        children = self._of(graph)
        if removed := [one for one, status in followed.items() if status == "removed"]:
            before = self._of(previous)
            readers = {one: (*children.get(one, ()), *before.get(one, ())) for one in removed}
            children = {**children, **readers}
        lineage = LineageGraph({}, children)
        found: list[Impact] = []
        for changed, status in sorted(followed.items()):
            found += (
                (changed, one, status, distance) for one, distance in lineage.descendants(changed).items()
            )
            if len(found) > MOST_IMPACTS:
                return None
        return found

    def _of(self, graph: str) -> Mapping[str, tuple[str, ...]]:
        if graph not in self._children:
            children: dict[str, list[str]] = defaultdict(list)
            for child, parent, *_ in self._store.query("edges", graph_id=graph):
                children[str(parent)].append(str(child))
            self._children = dict([*self._children.items()][-1:])
            self._children[graph] = {parent: tuple(ids) for parent, ids in children.items()}
        return self._children[graph]


def fill_changes(adapter: UnifiedSqlAdapter) -> int:
    """Store the changes of all pairs that lack them. Return their number.

    Each transaction stores a batch. If the fill is interrupted, the next call continues with the rest.
    """

    def work() -> int:
        with open_store(adapter, writes=True) as store:
            return store_changes(store, STEPS_AT_ONCE)

    total = 0
    while stored := retrying(adapter, work):
        total += stored
    if total:
        with open_store(adapter, writes=True) as store:
            # The planner would otherwise assume an empty table until the warehouse analyses it.
            store.refresh_statistics(is_large=True)
    return total
