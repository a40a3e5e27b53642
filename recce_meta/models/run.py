"""A run: one recorded state of one project, and the whole of what was extracted for it."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from recce_meta.models.catalog import RelationFacts
from recce_meta.models.node import LineageEdge, MacroMetadata, NodeMetadata, NodeResult


class RunMetadata(Struct, frozen=True, kw_only=True):
    """One recorded run. All times are time-zone aware, in UTC."""

    run_id: str
    run_at: datetime
    """When dbt generated the artifacts."""
    project_name: str
    environment: str = "current"
    invocation_id: str | None = None
    extractor: str = "dbt"
    """dbt, dbt-sql, sql, or database."""
    dbt_version: str | None = None
    adapter_type: str | None = None
    manifest_version: str | None = None
    """`v1` to `v12`, `v20`; None where the manifest does not say."""
    target_name: str | None = None
    target_database: str | None = None
    """The database that nodes without one of their own were given."""
    target_schema: str | None = None
    """The schema that nodes without one of their own were given."""
    git_sha: str | None = None
    branch: str | None = None
    git_dirty: bool | None = None
    pull_request: str | None = None
    command: str | None = None
    """The dbt command whose run results came with the run: build, run, test, generate, … Of a scan: what of
    the database it was asked to look at."""
    node_count: int = 0
    edge_count: int = 0
    recorded_at: datetime | None = None
    recorder_version: str | None = None
    graph_id: str | None = None
    macro_set_id: str | None = None
    column_graph_id: str | None = None
    """None: recorded without column lineage."""


class Project(Struct, frozen=True, kw_only=True):
    """A run and everything in it, as an extractor yields it and the store gives it back."""

    run: RunMetadata
    nodes: tuple[NodeMetadata, ...]
    """Sorted by unique id; without groups and macros."""
    macros: tuple[MacroMetadata, ...] = ()
    groups: tuple[NodeMetadata, ...] = ()
    results: tuple[NodeResult, ...] = ()
    facts: tuple[RelationFacts, ...] = ()
    """Of a scanned database: sizes and times of its relations, sorted by unique id."""
    warnings: tuple[str, ...] = ()
    """What the extractor could not use, one sentence each; not stored."""

    @property
    def edges(self) -> tuple[LineageEdge, ...]:
        """Every edge whose child is a node of this run, sorted."""
        return tuple(LineageEdge(node.unique_id, parent) for node in self.nodes for parent in node.parents)
