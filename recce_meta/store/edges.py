"""How stored edges are known: a later recorder adds what an earlier one did not store, or knew less surely.

A version's id does not depend on it. Otherwise a node would count as modified if its edges were found in
another way. So a version has one origin for each edge, and the surest one stays.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from recce_meta.models import EdgeOrigin, RunMetadata
from recce_meta.store.content import Contents
from recce_meta.store.migrate import StoreSession

DBT = "dbt"
"""The extractor of runs whose edges need no origin in the store: the view `lineage` derives it."""
MOST_BYTES = 50_000
"""Size of a list of edges in one statement: Redshift's texts have at most 65,535 bytes."""


def add_origins(store: StoreSession, run: RunMetadata, pieces: Contents) -> None:
    """Store the origins of edges of *pieces*, which are stored without them or with less sure ones."""
    found = {
        (node.unique_id, parent): (version_id, origin)
        for version_id, (node, _) in pieces.versions.items()
        for parent, origin in node.edge_origins.items()
    }
    if run.extractor == DBT or not found:
        return
    better: dict[EdgeOrigin, list[tuple[str, str]]] = defaultdict(list)
    for unique_id, parent, *stored in store.query("edges", graph_id=pieces.graph_id):
        known = found.get((str(unique_id), str(parent)))
        if known is not None and _is_surer(known[1], *stored):
            better[known[1]].append((known[0], str(parent)))
    for origin, edges in better.items():
        for some in _portions(edges):
            store.execute(
                "set_edge_origin",
                kind=origin.kind,
                confidence=origin.confidence,
                version_ids="\n".join(dict.fromkeys(version_id for version_id, _ in some)),
                edges="\n".join(f"{version_id} {parent}" for version_id, parent in some),
            )


def _is_surer(origin: EdgeOrigin, kind: Any, confidence: Any) -> bool:
    return kind is None or confidence is None or float(confidence) < origin.confidence


def _portions(edges: Iterable[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    """Yield *edges* in lists that one statement can hold."""
    some: list[tuple[str, str]] = []
    size = 0
    for version_id, parent in edges:
        length = len(f"{version_id} {parent}\n".encode())
        if some and size + length > MOST_BYTES:
            yield some
            some, size = [], 0
        some.append((version_id, parent))
        size += length
    if some:
        yield some
