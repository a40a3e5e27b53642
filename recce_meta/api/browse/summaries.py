"""Lists of a store's contents: projects, nodes of a run, scanned databases and their tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import TypeVar

from recce_meta.models import NodeMetadata, RunMetadata
from recce_meta.models.catalog import RELATIONS, RelationFacts
from recce_meta.models.rows import Tabular
from recce_meta.models.run import COMPLETE, OF_WORKSPACE

Key = TypeVar("Key")


class StoredProject(Tabular, frozen=True, kw_only=True):
    """Project with recorded runs."""

    project_name: str
    """dbt project, or the name that a scan was given."""
    environments: tuple[str, ...]
    """Environments with runs, sorted."""
    run_count: int
    """Number of runs, including failed scans."""
    latest: RunMetadata | None
    """Latest complete run, as the selector `latest` means it; null without one."""


class DatabaseScans(Tabular, frozen=True, kw_only=True):
    """Database that was scanned, in one environment."""

    project_name: str
    """Name that the scan was given: by default the name of the database."""
    environment: str
    scan_count: int
    """Number of scans, including failed scans."""
    latest: RunMetadata | None
    """Latest complete scan; null if every scan failed."""


class ListedNode(Tabular, frozen=True, kw_only=True):
    """Node of a run, without code, columns and configuration."""

    unique_id: str
    name: str
    label: str
    """Name with the version, if any: `orders.v2`; `public.film` for a scanned relation."""
    resource_type: str
    package_name: str
    path: str
    relation_name: str | None
    materialized: str | None
    tags: tuple[str, ...]
    access: str | None
    group_name: str | None
    version: str | None
    source_name: str | None


class TableSize(Tabular, frozen=True, kw_only=True):
    """Table or view of a scanned database, with its size at the time of the scan."""

    unique_id: str
    name: str
    label: str
    """Name with its schema: `public.film`."""
    resource_type: str
    """table, view, materialized_view, or external_table."""
    row_estimate: int | None
    bytes: int | None
    created_at: datetime | None
    altered_at: datetime | None


def stored_projects(runs: Iterable[RunMetadata]) -> list[StoredProject]:
    """Return the projects of *runs*, which are the newest first, sorted by name."""
    found = _grouped(runs, lambda run: run.project_name)
    return [
        StoredProject(
            project_name=name,
            environments=tuple(sorted({run.environment for run in several})),
            run_count=len(several),
            # A failed run has no contents, so that a list must not link to it as the latest.
            latest=_latest(several),
        )
        for name, several in sorted(found.items())
    ]


def scanned_databases(runs: Iterable[RunMetadata]) -> list[DatabaseScans]:
    """Return the databases of the scans *runs* (newest first), sorted by name and environment."""
    found = _grouped(runs, lambda run: (run.project_name, run.environment))
    return [
        DatabaseScans(
            project_name=project, environment=environment, scan_count=len(several), latest=_latest(several)
        )
        for (project, environment), several in sorted(found.items())
    ]


def node_summaries(
    nodes: Iterable[NodeMetadata],
    *,
    resource_type: str | None = None,
    package: str | None = None,
    tag: str | None = None,
    materialized: str | None = None,
    text: str | None = None,
) -> list[ListedNode]:
    """Return *nodes* that match all given filters, sorted by unique id.

    *text* matches a part of the unique id or the label, ignoring case.
    """
    wanted = (text or "").casefold()
    found = [
        node
        for node in nodes
        if resource_type in (None, node.resource_type)
        and package in (None, node.package_name)
        and (tag is None or tag in node.tags)
        and materialized in (None, node.materialized)
        and (wanted in node.unique_id.casefold() or wanted in node.label.casefold())
    ]
    return [_summary(node) for node in sorted(found, key=lambda node: node.unique_id)]


def scanned_tables(
    nodes: Iterable[NodeMetadata], facts: Iterable[RelationFacts], *, text: str | None = None
) -> list[TableSize]:
    """Return the tables and views among *nodes* with their *facts*, sorted by unique id.

    *text* matches a part of the name with its schema, ignoring case.
    """
    known: Mapping[str, RelationFacts] = {one.unique_id: one for one in facts}
    wanted = (text or "").casefold()
    return [
        _table(node, known.get(node.unique_id) or RelationFacts(unique_id=node.unique_id))
        for node in sorted(nodes, key=lambda node: node.unique_id)
        if node.resource_type in RELATIONS and wanted in node.label.casefold()
    ]


def _grouped(
    runs: Iterable[RunMetadata], key_of: Callable[[RunMetadata], Key]
) -> dict[Key, list[RunMetadata]]:
    found: dict[Key, list[RunMetadata]] = {}
    for run in runs:
        found.setdefault(key_of(run), []).append(run)
    return found


def _latest(runs: Iterable[RunMetadata]) -> RunMetadata | None:
    complete = (run for run in runs if run.status == COMPLETE)
    return next((run for run in complete if not run.environment.startswith(OF_WORKSPACE)), None)


def _summary(node: NodeMetadata) -> ListedNode:
    return ListedNode(**{name: getattr(node, name) for name in ListedNode.__struct_fields__})


def _table(node: NodeMetadata, facts: RelationFacts) -> TableSize:
    return TableSize(
        unique_id=node.unique_id,
        name=node.name,
        label=node.label,
        resource_type=node.resource_type,
        row_estimate=facts.row_estimate,
        bytes=facts.bytes,
        created_at=facts.created_at,
        altered_at=facts.altered_at,
    )
