"""Functions that read a project from files: SQL files without dbt, and folders of other tools (plugins)."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from datetime import timezone
from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec.structs import replace

from recce_meta import plugins
from recce_meta._version import __version__
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.data import statistics
from recce_meta.api.data.statistics import Stats
from recce_meta.api.record import check_name
from recce_meta.api.record_sql import BRONZE, SILVER, SqlOptions, extract_sql_project
from recce_meta.diff.scan import DATABASE
from recce_meta.errors import UnknownNameError, UsageError, first_of
from recce_meta.extractors.git import GitState, detect_git
from recce_meta.extractors.project import extract_project
from recce_meta.models import NodeMetadata, Project
from recce_meta.models.run import DBT
from recce_meta.models.stored import NodeStatistics

EXTRACTORS = (DBT, BRONZE)
"""Built-in extractors: dbt artifacts, and SQL files."""
RESERVED = (*EXTRACTORS, SILVER, DATABASE)
"""Names of extractors that a plugin cannot have."""
SHOWN = 5
"""Maximum number of nodes in an error."""


def extract_with(
    extractor: str,
    folder: str | Path,
    *,
    environment: str = "current",
    run_id: str | None = None,
    target_name: str | None = None,
    git: GitState | None = None,
) -> Project:
    """Return the project in *folder* as one run, read by *extractor*.

    *extractor* is dbt (artifacts), sql (SQL files, without dbt), or the name of an extractor of another
    package. *environment*, *run_id* and *target_name* are the run's; by default, a plugin's run has an id
    made of its contents, so that recording the same state again is a no-op. *git* overrides the state of the
    repository.

    Raises UnknownNameError for an unknown extractor, PluginError if that of another package fails, and the
    errors of `extract_project` and `extract_sql_project`.
    """
    place = Path(folder)
    if extractor == DBT:
        return extract_project(
            place, environment=environment, run_id=run_id, target_name=target_name, git=git
        )
    if extractor == BRONZE:
        options = SqlOptions(
            environment=environment, run_id=run_id, target_name=target_name, git=git or GitState()
        )
        return extract_sql_project(place, options)
    check_name("an environment", environment)
    if run_id:
        check_name("a run", run_id)
    return _of_plugin(extractor, place, environment, run_id, target_name, git)


def _of_plugin(
    name: str,
    folder: Path,
    environment: str,
    run_id: str | None,
    target_name: str | None,
    git: GitState | None,
) -> Project:
    if name in RESERVED:
        raise UnknownNameError("extractor", name, (*EXTRACTORS, *plugins.plugin_names(plugins.EXTRACTORS)))
    extractor = plugins.extractor_named(name, EXTRACTORS)
    if not folder.is_dir():
        raise UsageError(f"Folder not found: {folder}", hint=f"name the folder of a {name} project")
    # Checked within the call, so that a malformed result is an error of the plugin.
    found = plugins.call_plugin(plugins.EXTRACTORS, name, lambda: _checked(extractor(folder)))
    seen, given = detect_git(folder, os.environ), git or GitState()
    run = replace(
        found.run,
        run_id=run_id or found.run.run_id or _content_id(found, environment),
        environment=environment,
        extractor=name,
        target_name=target_name or found.run.target_name,
        git_sha=given.sha or seen.sha,
        branch=given.branch or seen.branch,
        git_dirty=seen.dirty if given.dirty is None else given.dirty,
        pull_request=given.pull_request or seen.pull_request,
        node_count=len(found.nodes),
        edge_count=sum(len(node.parents) for node in found.nodes),
        recorder_version=__version__,
    )
    return replace(found, run=run)


def _checked(given: object) -> Project:
    """Return the result of an extractor in the order of the store. Raises TypeError or ValueError."""
    if not isinstance(given, Project):
        raise TypeError(f"it returned {type(given).__name__} instead of recce_meta.Project")
    if not all(isinstance(node, NodeMetadata) for node in given.nodes):
        raise TypeError("its nodes are not all recce_meta.NodeMetadata")
    counts = Counter(node.unique_id for node in given.nodes)
    repeated = sorted(name for name, count in counts.items() if count > 1)
    if repeated:
        raise ValueError(f"several nodes have the unique id {first_of(repeated, SHOWN)}")
    if given.run.run_at.tzinfo is None:
        raise ValueError("run_at has no time zone")
    # The store returns parents sorted and once each, and a loaded run must equal the recorded one.
    nodes = [replace(node, parents=tuple(sorted(set(node.parents)))) for node in given.nodes]
    run = replace(given.run, run_at=given.run.run_at.astimezone(timezone.utc))
    return replace(given, run=run, nodes=tuple(sorted(nodes, key=lambda node: node.unique_id)))


def _content_id(project: Project, environment: str) -> str:
    """Return an id made of the nodes and the *environment*."""
    content = [project.run.project_name, environment, [msgspec.to_builtins(node) for node in project.nodes]]
    # The order of keys in a mapping must not change the id.
    return sha256(msgspec.json.encode(content, order="deterministic")).hexdigest()[:32]


def take_statistics(
    adapter: UnifiedSqlAdapter,
    project: Project,
    stats: str = Stats.ROW_COUNT.value,
    *,
    threads: int | None = None,
) -> Sequence[NodeStatistics]:
    """Return statistics of every model, seed and snapshot of *project*, for `record_run`.

    *stats* is row-count or profile, which includes row counts. *adapter* connects to the data, with *threads*
    concurrent queries (default: the adapter's). A node that cannot be counted or profiled has a reason.
    """
    known = [one.value for one in Stats]
    if stats not in known:
        raise UnknownNameError("kind of statistics", stats, known)
    return statistics.take_statistics(adapter, project, Stats(stats), threads=threads)
