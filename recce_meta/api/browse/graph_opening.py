"""Nodes at which the graph of a run opens if its address names none."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.browse.graph_query import KnownGraph, kind_of
from recce_meta.api.browse.run import run_changes
from recce_meta.errors import plural
from recce_meta.models.run import RunMetadata
from recce_meta.report.labels import TESTS
from recce_meta.report.runs import FAILED
from recce_meta.store.read import load_results

SMALL = 60
"""Number of nodes, without tests, up to which a graph opens as a whole."""
ENDS = 20
"""Number of exposures or last models that a graph opens at."""


class Opening(NamedTuple):
    """Nodes that a graph shows at first."""

    ids: tuple[str, ...]
    focus: tuple[str, ...] = ()
    """Nodes because of which the others are shown."""
    reason: str = ""
    """Sentence; empty for the whole graph."""


def opening_of(adapter: UnifiedSqlAdapter, run: RunMetadata, graph: KnownGraph) -> Opening:
    """Return the nodes at which the *graph* of *run* opens.

    A small graph opens as a whole. A large one opens at what changed since the previous run, else at what
    failed, else at exposures or the last models; with parents and children if the view stays small.
    """
    listed = sorted(one for one in graph.names if kind_of(one, graph.names) not in TESTS)
    known = set(listed)
    changes = run_changes(adapter, run)
    changed = [one.unique_id for one in changes if one.unique_id in known and one.status in _CHANGED]
    if len(listed) <= SMALL:
        # Without changes, the node that combines the most parents is in focus.
        most = max(listed, key=lambda one: len(graph.parents.get(one, ())), default=None)
        return Opening(tuple(listed), tuple(changed) or ((most,) if most else ()))
    if changed:
        return _opened(graph, known, changed, "what changed since the previous run")
    # Read only now, because a run has thousands of results.
    failed = _failed(adapter, run, graph)
    if any(one in known for one in failed):
        return _opened(graph, known, failed, "what failed, or has failed tests")
    exposures = [one for one in listed if kind_of(one, graph.names) == "exposure"]
    if exposures:
        return _opened(graph, known, exposures[:ENDS], "exposures")
    last = [one for one in listed if not known.intersection(graph.children.get(one, ()))]
    # Those that combine the most parents are probably the most important.
    last.sort(key=lambda one: (-len(graph.parents.get(one, ())), one))
    return _opened(graph, known, last[:ENDS] or listed[:ENDS], "nodes that no other node reads")


_CHANGED = ("added", "modified", "moved")


def _opened(graph: KnownGraph, known: Collection[str], ids: Iterable[str], about: str) -> Opening:
    focus = tuple(dict.fromkeys(one for one in ids if one in known))
    shown = focus[:SMALL]
    near = {
        one
        for node in shown
        for one in (*graph.parents.get(node, ()), *graph.children.get(node, ()))
        if one in known
    }
    together = tuple(dict.fromkeys((*shown, *sorted(near))))
    more = f", the first of {len(focus):,}" if len(focus) > len(shown) else ""
    reason = f"The graph opens at {about}: {plural(len(shown), 'node')}{more}."
    return Opening(together if len(together) <= SMALL else shown, shown, reason)


def _failed(adapter: UnifiedSqlAdapter, run: RunMetadata, graph: KnownGraph) -> list[str]:
    """Return the nodes that failed, and those that failed tests read."""
    found: list[str] = []
    for result in load_results(adapter, run):
        if result.status.lower() in FAILED:
            is_test = kind_of(result.unique_id, graph.names) in TESTS
            found += graph.parents.get(result.unique_id, ()) if is_test else (result.unique_id,)
    return found
