"""Selection, titles and columns of runs; the columns are in the order of `recce-meta runs`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from recce_meta.api.browse.overview import ChangeCounts
from recce_meta.diff.scan import is_scan
from recce_meta.models.run import RunMetadata
from recce_meta.report.addresses import Addresses
from recce_meta.report.labels import NO_CHANGES, moment, run_problem, short_run_id, short_sha
from recce_meta.report.runs import FAILED
from recce_meta.server.site.handlers import Request
from recce_meta.server.site.listing import ListColumn

FIRST_RUN = "first run"
FIRST_SCAN = "first scan of this scope"
TONES = {"success": "same", "pass": "same", "warn": "changed", "skipped": "one-sided", "failed": "failed"}
"""Class of a status of a node or build; statuses that mean failure have the class `failed`."""


def selected_run(request: Request) -> RunMetadata:
    """Return the run that the address names by its id, or by a selector in the project `?project=`."""
    return request.view.run(request.parts["run"], request.query.get("project"))


def list_parameters(request: Request) -> dict[str, str]:
    """Return the parameters of a list's address that select the run."""
    return {name: value for name, value in request.query.items() if name == "project"}


def run_title(run: RunMetadata) -> str:
    """Return `shop base 2026-11-19 08:00 UTC`."""
    return f"{run.project_name} {run.environment} {moment(run.run_at)}"


def run_tabs(to: Addresses, run: RunMetadata, current: str) -> list[tuple[str, str, bool]]:
    """Return title and address of each tab of a run, and True for the one called *current*."""
    tabs = {"Overview": to.run(run.run_id), "Lineage": to.graph(run.run_id)}
    return [(title, address, title == current) for title, address in tabs.items()]


def run_crumbs(to: Addresses, run: RunMetadata) -> list[tuple[str, str]]:
    """Return the pages above a page of a run."""
    above = to.database(run.project_name) if is_scan(run) else to.project(run.project_name)
    return [("Runs", to.runs()), (run.project_name, above), (short_run_id(run.run_id), to.run(run.run_id))]


def run_columns(
    to: Addresses, run_of: Callable[[Any], RunMetadata] = lambda run: run
) -> dict[str, ListColumn]:
    """Return the columns of a list of runs by name; *run_of* returns the run of an item of another list."""

    def project(run: RunMetadata) -> str:
        name = run.project_name
        return to.database(name) if run.extractor == "database" else to.project(name)

    def link(run: RunMetadata) -> str:
        return to.run(run.run_id)

    columns = [
        ListColumn("run", "run", "code", link=link, of=lambda run: short_run_id(run.run_id)),
        ListColumn("project_name", "project", link=project, has_facets=True),
        ListColumn("environment", "environment", has_facets=True),
        ListColumn("run_at", "run at", "time", about="Time of the artifacts or of the scan"),
        ListColumn("branch", "branch", has_facets=True),
        ListColumn(
            "commit", "sha", "code", about="Commit; * if the code is not that of the commit", of=_commit
        ),
        ListColumn("pull_request", "PR", has_facets=True),
        ListColumn("node_count", "nodes", "number"),
        ListColumn("dbt_version", "dbt", has_facets=True),
        ListColumn(
            "problem",
            "status",
            tone=lambda run: "aspect failed",
            about="Why the run is not a complete build",
            of=lambda run: run_problem(run) or None,
        ),
        ListColumn(
            "extractor", "extractor", has_facets=True, about="Source of the run: dbt, database, sql, …"
        ),
        ListColumn(
            "status",
            "run status",
            "tag",
            has_facets=True,
            tone=lambda run: tone_of(run.status),
            about="complete or failed",
        ),
        ListColumn(
            "build_status",
            "build",
            "tag",
            has_facets=True,
            tone=lambda run: tone_of(run.build_status or ""),
        ),
        ListColumn("build_errors", "errors", "number", about="Nodes that dbt could not build"),
        ListColumn("build_failures", "failed tests", "number"),
        ListColumn("build_warnings", "warnings", "number", about="Tests that warn"),
        ListColumn("build_skipped", "skipped", "number"),
        ListColumn("target_name", "target", has_facets=True),
        ListColumn("adapter_type", "warehouse", has_facets=True),
        ListColumn("command", "command", "code", about="Command of dbt, or scope of a scan in the database"),
        ListColumn("run_id", "run id", "code", link=link),
    ]
    return {column.name: column.through(run_of) for column in columns}


def _commit(run: RunMetadata) -> str | None:
    # The code of a checkout with changes is not that of its commit.
    return short_sha(run.git_sha) + ("*" if run.git_dirty else "") or None


def tone_of(status: str) -> str:
    """Return the class of a status of a node, a build or a run."""
    return "failed" if status in FAILED else TONES.get(status, "")


def change_phrase(changes: ChangeCounts | None, *, is_scan: bool = False) -> str:
    """Return `3 modified, 1 added`, `no changes`, or `first run` for a run without a previous run."""
    if changes is None:
        return FIRST_SCAN if is_scan else FIRST_RUN
    counts = {
        "modified": changes.modified,
        "added": changes.added,
        "removed": changes.removed,
        "moved": changes.moved,
        "rewritten": changes.rewritten,
    }
    return ", ".join(f"{number:,} {word}" for word, number in counts.items() if number) or NO_CHANGES.lower()
