"""Graph of a project: dependencies between nodes, and node selection. No I/O."""

from recce_meta.graph.dag import (
    LineageGraph,
    build_lineage_graph,
    by_levels,
    cycles_of,
    failing_with,
    is_ephemeral,
    parents_first,
    reachable,
)
from recce_meta.graph.selection import StateResolver, nearest_names, select
from recce_meta.graph.selector_syntax import Indirect

__all__ = [
    "Indirect",
    "LineageGraph",
    "StateResolver",
    "build_lineage_graph",
    "by_levels",
    "cycles_of",
    "failing_with",
    "is_ephemeral",
    "nearest_names",
    "parents_first",
    "reachable",
    "select",
]
