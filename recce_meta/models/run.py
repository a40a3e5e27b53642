"""A run: one recorded state of one project, and the whole of what was extracted for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.models.catalog import RelationFacts
from recce_meta.models.node import LineageEdge, MacroMetadata, NodeMetadata, NodeResult

COMPLETE = "complete"
FAILED = "failed"
"""Values of `RunMetadata.status`."""
ERROR_STATUSES = ("error", "runtime error", "partial success")
"""Statuses of a node that dbt could not build."""
UNKNOWN_STATUS = "unknown"
"""Status of a node whose result has no readable status."""


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
    git_proven: bool | None = None
    """True if the artifacts prove that they were built from the files of `git_sha`.

    None of a run without commit, and of a run from before version 6 of the store."""
    status: str = COMPLETE
    """`complete`, or `failed`: a failed scan has no nodes, and is never the latest run."""
    reason: str | None = None
    """Why the run failed."""
    build_status: str | None = None
    """`success`, or `failed` if any node or test failed; None if the run has no results."""
    build_errors: int | None = None
    build_failures: int | None = None
    """Number of failed tests."""
    build_warnings: int | None = None
    """Number of tests that warn."""
    build_skipped: int | None = None
    warnings: tuple[str, ...] = ()
    """What the recorder or scan could not read or use, one sentence each."""


def with_build(run: RunMetadata, results: Iterable[NodeResult]) -> RunMetadata:
    """Return *run* with the status and counts of its build; unchanged if there are no results.

    The status is None if nothing failed but the status of a result is not known.
    """
    counts = Counter(result.status for result in results)
    if not counts:
        return run
    errors, failures = sum(counts[status] for status in ERROR_STATUSES), counts["fail"]
    passed = None if counts[UNKNOWN_STATUS] else "success"
    return replace(
        run,
        build_status=FAILED if errors or failures else passed,
        build_errors=errors,
        build_failures=failures,
        build_warnings=counts["warn"],
        build_skipped=counts["skipped"],
    )


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
    """What the extractor could not use, one sentence each; stored with the run."""

    @property
    def edges(self) -> tuple[LineageEdge, ...]:
        """Every edge whose child is a node of this run, sorted."""
        return tuple(LineageEdge(node.unique_id, parent) for node in self.nodes for parent in node.parents)
