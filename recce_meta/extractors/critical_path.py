"""Critical path of a build: the seconds that it would take with any number of threads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import cache

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
    readers = _readers_of(graph, spans)
    built = _readers_of(graph, (one for one in spans if not one.startswith(TESTS)))
    waits: dict[str, list[str]] = defaultdict(list)
    finished: dict[str, float] = {}
    # In the order of their starts, all that held a node up comes before it.
    for one in sorted(spans, key=lambda unique_id: (spans[unique_id], unique_id)):
        start, end = spans[one]
        before = (finished[other] for other in waits[one] if spans[other][1] <= start)
        finished[one] = (end - start).total_seconds() + max(before, default=0.0)
        held_up: Iterable[str]
        if one.startswith("unit_test."):
            held_up = graph.parents(one)
        elif one.startswith(TESTS):
            held_up = _of_all([built(parent) for parent in graph.parents(one)])
        else:
            held_up = readers(one)
        for reader in held_up:
            waits[reader].append(one)
    return max(finished.values())


def _span(result: NodeResult) -> tuple[datetime, datetime] | None:
    start = result.compile_started_at or result.execute_started_at
    end = result.execute_completed_at or result.compile_completed_at
    return (start, end) if start is not None and end is not None and start <= end else None


def _readers_of(graph: LineageGraph, ran: Iterable[str]) -> Callable[[str], frozenset[str]]:
    """Return a function that gives the nodes of *ran* that read a node, also through nodes that did not run.

    Only nodes above *ran* are followed, and each node once: `dbt test` runs thousands of tests and no model.
    """
    wanted = frozenset(ran)
    between = graph.upstream(wanted) - wanted

    @cache
    def readers(unique_id: str) -> frozenset[str]:
        return wanted.intersection(graph.descendants(unique_id, through=between.__contains__))

    return readers


def _of_all(sets: Sequence[frozenset[str]]) -> frozenset[str]:
    return frozenset[str]().union(*sets[:1]).intersection(*sets[1:])
