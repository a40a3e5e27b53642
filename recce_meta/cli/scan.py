"""`scan`: a live database as a run, and what differs from the scan before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from recce_meta import report
from recce_meta.api import comparing
from recce_meta.api.scanning import ScanOptions
from recce_meta.api.scanning import scan as scan_database
from recce_meta.cli.compare import fail_where
from recce_meta.cli.database_options import Database, looking_at_database
from recce_meta.cli.options import OUTPUT, format_option, screen, warn, write
from recce_meta.cli.progress import progress
from recce_meta.extractors.git import GitState
from recce_meta.models.scan import ScanReport


@click.command()
@looking_at_database
@click.option(
    "-e",
    "--environment",
    envvar="RECCE_META_ENVIRONMENT",
    default="current",
    show_default=True,
    show_envvar=True,
    help="Label of the run: production, staging, or any other.",
)
@click.option("--project", help="Project of the run. [default: the name of the database]")
@click.option("--run-id", help="Id of the run. [default: a new one]")
@click.option("--git-sha", help="Commit, where the repository and CI variables do not tell.")
@click.option("--branch", help="Branch, likewise.")
@click.option("--pull-request", help="Number of the pull request, likewise.")
@click.option("--no-columns", is_flag=True, help="Record no column lineage.")
@click.option("--dry-run", is_flag=True, help="Compare with the scan before, and record nothing.")
@click.option("--fail-on", help="Exit with 1 on any of these: a status, an effect, a reason, or any.")
@click.option("-o", "--output", type=OUTPUT, help="Write to a file.")
@format_option("table", "json", "markdown")
def scan(
    database: Database,
    environment: str,
    project: str | None,
    run_id: str | None,
    git_sha: str | None,
    branch: str | None,
    pull_request: str | None,
    no_columns: bool,
    dry_run: bool,
    fail_on: str | None,
    output: Path | None,
    style: str,
) -> None:
    """Record what a live database consists of, and tell what differs from the scan before.

    Schemas, tables and views with their columns, constraints and indexes become one run, which every other
    command reads as it reads dbt's: diff, lineage, impact, value, ... No rows are read.

    The scan before is the last one of the same project, environment and scope; if there is none, the last of
    any scope, and only what both looked at is compared.

    Statuses: added, removed, modified. Effects: fails, breaking, partial_breaking, unknown.

    Reasons: body, columns, contract (constraints), config (indexes, owner, options, kind), descriptions
    (comments), parents.
    """
    conditions = frozenset() if fail_on is None else comparing.parse_fail_on(fail_on)
    options = ScanOptions(
        environment=environment,
        project=project,
        run_id=run_id,
        git=GitState(sha=git_sha, branch=branch, pull_request=pull_request),
        columns=not no_columns,
        is_kept=not dry_run,
    )
    with progress("scanning") as tell, database.open() as opened:
        found = scan_database(
            opened.database,
            store=opened.store,
            scope=opened.scope,
            options=options,
            schema=opened.schema,
            tell=tell,
        )
    for text in found.warnings:
        warn(text)
    write(_rendered(found, style, **(screen() if output is None else {"width": 0, "color": False})), output)
    if found.diff is not None:
        fail_where(found.diff, conditions)


def _rendered(found: ScanReport, style: str, **size: Any) -> str:
    if style == "json":
        return report.scan_json(found)
    return report.scan_markdown(found) if style == "markdown" else report.scan_text(found, **size)
