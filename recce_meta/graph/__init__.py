"""The graph of a project: what reads what, and which nodes a selector names. Pure."""

from recce_meta.graph.dag import LineageGraph, build_lineage_graph
from recce_meta.graph.methods import StateResolver
from recce_meta.graph.select import Indirect, nearest_names, select

__all__ = ["Indirect", "LineageGraph", "StateResolver", "build_lineage_graph", "nearest_names", "select"]
