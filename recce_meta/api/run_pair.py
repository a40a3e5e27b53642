"""The nodes of two runs, stored or on disk, and which of them a data diff is about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.inspecting import find_node
from recce_meta.api.on_disk import folder_of, read_run
from recce_meta.diff.like_dbt import diff_state_resolver
from recce_meta.errors import SelectorError
from recce_meta.graph import build_lineage_graph, select
from recce_meta.models import NodeMetadata, Project
from recce_meta.store.files import DEFAULT_SCHEMA
from recce_meta.store.select import load_run

WITH_DATA = ("model", "seed", "snapshot", "source")
"""Resource types that have rows."""


@dataclass(frozen=True)
class RunPair:
    """Two runs with everything in them."""

    base: Project
    current: Project

    @cached_property
    def nodes(self) -> dict[str, NodeMetadata]:
        """The nodes of either side, by unique id; current's where both have one."""
        return {node.unique_id: node for project in (self.base, self.current) for node in project.nodes}

    def named(self, names: Iterable[str]) -> list[str]:
        """The unique ids that *names* mean, in their order; each must have data.

        The name of a model with several versions is its latest, as in `ref`. Raises SelectorError for a name
        of no node, of several, or of one without rows.
        """
        nodes = self.nodes
        found = list(dict.fromkeys(self._latest(name) or find_node(name, nodes) for name in names))
        for unique_id in found:
            if nodes[unique_id].resource_type not in WITH_DATA:
                raise SelectorError(
                    f"'{unique_id}' is a {nodes[unique_id].resource_type}, and has no rows",
                    hint="models, seeds, snapshots and sources have",
                )
        return found

    def selected(self, selection: Sequence[str], exclude: Sequence[str] = ()) -> list[str]:
        """The unique ids of nodes with data that dbt's selection grammar names, sorted."""
        nodes = self.nodes
        chosen = select(
            selection,
            nodes,
            build_lineage_graph(nodes.values(), {*self.base.edges, *self.current.edges}),
            exclude=exclude,
            state=diff_state_resolver(self.base, self.current),
            results={result.unique_id: result for result in self.current.results},
            project_name=self.current.run.project_name,
            dbt_version=self.current.run.dbt_version,
        )
        return sorted(unique_id for unique_id in chosen if nodes[unique_id].resource_type in WITH_DATA)

    def sides(self, unique_id: str) -> tuple[NodeMetadata | None, NodeMetadata | None]:
        """The node on either side; None where the side has none."""
        before, after = self._by_id
        return before.get(unique_id), after.get(unique_id)

    def _latest(self, name: str) -> str | None:
        """The latest version of the model *name*; None where *name* is of anything else."""
        named = [node for node in self.nodes.values() if node.name == name and name not in self.nodes]
        if len({(node.package_name, node.resource_type) for node in named}) != 1:
            return None
        latest = [node for node in named if node.version and node.version == _latest_version(node)]
        return latest[0].unique_id if len(latest) == 1 else None

    @cached_property
    def _by_id(self) -> tuple[Mapping[str, NodeMetadata], Mapping[str, NodeMetadata]]:
        before, after = (
            {node.unique_id: node for node in project.nodes} for project in (self.base, self.current)
        )
        return before, after


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
    loaded = [_load(connect, name, project, schema) for name in (base, current)]
    return RunPair(loaded[0], loaded[1])


def _load(
    connect: Callable[[], UnifiedSqlAdapter], selector: str, project: str | None, schema: str
) -> Project:
    folder = folder_of(selector)
    if folder is not None:
        return read_run(folder, hash_seed_files=False)
    return load_run(connect(), selector, project=project, schema=schema)
