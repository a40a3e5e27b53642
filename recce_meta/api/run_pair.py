"""The nodes of two runs, stored or on disk, and which of them a data diff is about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.inspecting import find_node, ids_by_name
from recce_meta.api.one_run import OneRun, open_run
from recce_meta.diff.like_dbt import diff_state_resolver
from recce_meta.diff.scanned_scope import is_scan
from recce_meta.diff.scanned_state import scan_state_resolver
from recce_meta.errors import SelectorError
from recce_meta.graph import LineageGraph, StateResolver, build_lineage_graph, select
from recce_meta.models import NodeMetadata
from recce_meta.models.kinds import RELATIONS
from recce_meta.store.files import DEFAULT_SCHEMA

WITH_DATA = ("model", "seed", "snapshot", "source", *sorted(RELATIONS))
"""Resource types that have rows."""


@dataclass(frozen=True)
class RunPair:
    """Two runs, read as far as they are asked for."""

    base: OneRun
    current: OneRun

    @cached_property
    def names(self) -> dict[str, NodeMetadata]:
        """The nodes of either side by unique id, with what names them; current's where both have one."""
        return {**self.base.names, **self.current.names}

    def named(self, names: Iterable[str]) -> list[str]:
        """The unique ids that *names* mean, in their order; each must have data.

        The name of a model with several versions is its latest, as in `ref`. Raises SelectorError for a name
        of no node, of several, or of one without rows.
        """
        nodes = self.names
        found = list(
            dict.fromkeys(self._latest(name) or find_node(name, nodes, self._by_name) for name in names)
        )
        for unique_id in found:
            if nodes[unique_id].resource_type not in WITH_DATA:
                raise SelectorError(
                    f"'{unique_id}' is a {nodes[unique_id].resource_type}, and has no rows",
                    hint="models, seeds, snapshots and sources have, and scanned tables and views",
                )
        return found

    def selected(self, selection: Sequence[str], exclude: Sequence[str] = ()) -> list[str]:
        """The unique ids of nodes with data that dbt's selection grammar names, sorted."""
        nodes, current = self._nodes, self.current.project
        chosen = select(
            selection,
            nodes,
            self._graph,
            exclude=exclude,
            state=lambda name: self._state(name),
            results={result.unique_id: result for result in current.results},
            project_name=current.run.project_name,
            dbt_version=current.run.dbt_version,
        )
        return sorted(unique_id for unique_id in chosen if nodes[unique_id].resource_type in WITH_DATA)

    def sides(self, ids: Iterable[str]) -> list[tuple[NodeMetadata | None, NodeMetadata | None]]:
        """Each of *ids* on either side, whole; None where the side has none."""
        wanted = list(ids)
        before, after = self.base.whole(wanted), self.current.whole(wanted)
        return [(before.get(unique_id), after.get(unique_id)) for unique_id in wanted]

    def placed(self, ids: Iterable[str]) -> list[tuple[NodeMetadata | None, NodeMetadata | None]]:
        """The same with no more than names and relations, which are here already."""
        pairs = [(self.base.names.get(unique_id), self.current.names.get(unique_id)) for unique_id in ids]
        if all(node is None or is_placed(node) for pair in pairs for node in pair):
            return pairs
        return self.sides(unique_id for pair in pairs for unique_id in _id_of(pair))

    # A file of checks selects hundreds of times, and seldom by state.

    @cached_property
    def _nodes(self) -> dict[str, NodeMetadata]:
        projects = (self.base.project, self.current.project)
        return {node.unique_id: node for project in projects for node in project.nodes}

    @cached_property
    def _graph(self) -> LineageGraph:
        edges = {*self.base.project.edges, *self.current.project.edges}
        return build_lineage_graph(self._nodes.values(), edges)

    @cached_property
    def _state(self) -> StateResolver:
        resolver = scan_state_resolver if is_scan(self.current.run) else diff_state_resolver
        return resolver(self.base.project, self.current.project)

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        return ids_by_name(self.names)

    def _latest(self, name: str) -> str | None:
        """The latest version of the model *name*; None where *name* is of anything else."""
        if name in self.names:
            return None
        named = [self.names[unique_id] for unique_id in self._by_name.get(name, ())]
        named = [node for node in named if node.name == name]
        if len({(node.package_name, node.resource_type) for node in named}) != 1 or not named[0].version:
            return None
        ids = [node.unique_id for node in named]
        whole = {**self.base.whole(ids), **self.current.whole(ids)}
        latest = [node for node in whole.values() if node.version and node.version == _latest_version(node)]
        return latest[0].unique_id if len(latest) == 1 else None


def is_placed(node: NodeMetadata) -> bool:
    """Whether its relation, or that it has none, is known without its schema and identifier."""
    return node.relation_name is not None or node.materialized == "ephemeral"


def _id_of(pair: tuple[NodeMetadata | None, NodeMetadata | None]) -> list[str]:
    return [node.unique_id for node in pair if node is not None][:1]


def _latest_version(node: NodeMetadata) -> str:
    return str(node.properties.get("latest_version"))


def load_pair(
    connect: Callable[[], UnifiedSqlAdapter],
    base: str,
    current: str,
    *,
    project: str | None = None,
    schema: str = DEFAULT_SCHEMA,
) -> RunPair:
    """The runs that the selectors *base* and *current* mean; `path:DIR` reads artifacts from disk."""
    before, after = (open_run(connect, name, project=project, schema=schema) for name in (base, current))
    return RunPair(before, after)
