"""Nodes of a run that hold data of an earlier build, because their build failed or was skipped."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from recce_meta.models import LineageEdge, NodeResult

_OWN = {
    "error": "its build failed",
    "runtime error": "its build failed",
    "fail": "its build failed",
    "partial success": "its build failed in part",
    "skipped": "it was skipped in the build",
}
"""Why a node is stale, by the status that dbt gives it."""
_BUILT = ("model.", "seed.", "snapshot.")


def own_reasons(results: Iterable[NodeResult]) -> dict[str, str]:
    """Why each node is stale whose own build failed or was skipped, by unique id."""
    return {
        result.unique_id: _OWN[result.status.lower()]
        for result in results
        if result.unique_id.startswith(_BUILT) and result.status.lower() in _OWN
    }


def with_readers(
    own: Mapping[str, str],
    results: Iterable[NodeResult],
    edges: Iterable[LineageEdge],
    names: Mapping[str, str],
) -> dict[str, str]:
    """*own*, and a reason for each node downstream that the run did not build either, such as a view.

    *names* are the names of nodes by unique id.
    """
    built = {result.unique_id for result in results} - own.keys()
    children: dict[str, list[str]] = {}
    for edge in edges:
        children.setdefault(edge.parent_id, []).append(edge.node_id)
    found = dict(own)
    for origin, reason in sorted(own.items()):
        upstream = f"{names.get(origin, origin)} upstream is stale: {reason}"
        for reader in _readers(origin, children, built):
            found.setdefault(reader, upstream)
    return found


def _readers(origin: str, children: Mapping[str, list[str]], built: Collection[str]) -> list[str]:
    """Everything downstream of *origin* up to nodes that were *built*."""
    seen: dict[str, None] = {}
    pending = list(children.get(origin, ()))
    while pending:
        node = pending.pop()
        if node not in seen and node not in built:
            seen[node] = None
            pending += children.get(node, ())
    return list(seen)
