"""Critical path of a build: the seconds that it would take with any number of threads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from recce_meta.graph.dag import LineageGraph, build_lineage_graph
from recce_meta.models import NodeMetadata, NodeResult

TESTS = ("test.", "unit_test.")


def critical_path(nodes: Iterable[NodeMetadata], results: Iterable[NodeResult]) -> float | None:
    """Return the seconds of the longest chain of *results* that waited for each other; None without times.

    A node waits for those that it reads, also through ephemeral models, and in `dbt build` for their tests
    and its own unit tests. A test of several nodes holds up the nodes that read all of them. One that ended
    after the start of another did not hold it up.
    """
    spans = {one.unique_id: span for one in results if (span := _span(one)) is not None}
    if not spans:
        return None
    graph = build_lineage_graph(nodes)
    waits: dict[str, list[str]] = defaultdict(list)
    finished: dict[str, float] = {}
    # In the order of their starts, all that held a node up comes before it.
    for one in sorted(spans, key=lambda unique_id: (spans[unique_id], unique_id)):
        start, end = spans[one]
        before = (finished[other] for other in waits[one] if spans[other][1] <= start)
        finished[one] = (end - start).total_seconds() + max(before, default=0.0)
        for reader in _held_up(one, graph, spans):
            waits[reader].append(one)
    return max(finished.values())


def _span(result: NodeResult) -> tuple[datetime, datetime] | None:
    start = result.compile_started_at or result.execute_started_at
    end = result.execute_completed_at or result.compile_completed_at
    return (start, end) if start is not None and end is not None and start <= end else None


def _held_up(unique_id: str, graph: LineageGraph, spans: Iterable[str]) -> Iterable[str]:
    """Return the nodes that may wait for a node, without the nodes that did not run."""
    if not unique_id.startswith(TESTS):
        return _readers(unique_id, graph, spans)
    parents = graph.parents(unique_id)
    if unique_id.startswith("unit_test."):
        return parents
    of_each = [_readers(parent, graph, spans) for parent in parents]
    shared = set[str]().union(*of_each[:1]).intersection(*of_each[1:])
    return (one for one in shared if not one.startswith(TESTS))


def _readers(unique_id: str, graph: LineageGraph, spans: Iterable[str]) -> Iterable[str]:
    return graph.descendants(unique_id, through=lambda one: one not in spans)
