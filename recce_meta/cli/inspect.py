"""`runs`, `show` and `lineage`: what is in the store."""

from __future__ import annotations

from contextlib import ExitStack

import click

from recce_meta import report
from recce_meta.api import inspecting
from recce_meta.cli.options import (
    MOST,
    Connection,
    connecting,
    emit,
    format_option,
    project_name,
    project_option,
    screen,
)
from recce_meta.models.lineage import Direction
from recce_meta.store import read


@click.command()
@connecting
@click.option("--project", help="Runs of this project only.")
@click.option("-e", "--environment", help="Runs of this environment only.")
@click.option(
    "-n", "--limit", type=click.IntRange(1, MOST), default=20, show_default=True, help="At most so many."
)
@format_option("table", "json", "markdown")
def runs(
    connection: Connection, project: str | None, environment: str | None, limit: int, style: str
) -> None:
    """List recorded runs, newest first.

    Status is empty if nothing failed. A `*` after a commit marks a checkout with uncommitted changes.
    """
    with connection.open_existing() as adapter:
        found = read.list_runs(
            adapter,
            project=project,
            environment=environment,
            status=None,
            limit=limit,
            schema=connection.schema,
        )
    if style == "json":
        emit(report.runs_json(found))
    else:
        emit(report.runs_markdown(found) if style == "markdown" else report.runs_text(found, **screen()))


@click.command()
@connecting
@click.argument("run", default="latest")
@project_option
@format_option("table", "json", "markdown")
def show(connection: Connection, run: str, project: str | None, style: str) -> None:
    """One run: what it holds and what happened in it.

    RUN is a run selector: an id or its beginning, base, current, base~1, branch:NAME, sha:PREFIX,
    before:2026-11-01, latest, or path:DIR for artifacts on disk.
    """
    with ExitStack() as stack:
        found = inspecting.show(
            lambda: stack.enter_context(connection.open_existing()),
            run,
            project=project_name(project, connection, run),
            schema=connection.schema,
        )
    parts = (found.run, found.counts, found.results, found.statistics)
    if style == "json":
        emit(report.run_json(*parts))
    else:
        emit(report.run_markdown(*parts) if style == "markdown" else report.run_text(*parts, **screen()))


@click.command()
@connecting
@click.argument("node")
@click.option("--run", "selector", default="latest", show_default=True, help="Run selector, or path:DIR.")
@click.option("--upstream", "direction", flag_value="upstream", help="Only what the node reads.")
@click.option("--downstream", "direction", flag_value="downstream", help="Only what reads the node.")
@click.option("--depth", type=click.IntRange(1, MOST), help="At most so many edges away.")
@project_option
@format_option("table", "json", "markdown")
def lineage(
    connection: Connection,
    node: str,
    selector: str,
    direction: str | None,
    depth: int | None,
    project: str | None,
    style: str,
) -> None:
    """What a node reads, and what reads it.

    NODE is a name (orders, shop.raw_orders for a source) or a unique id.
    """
    with ExitStack() as stack:
        view = inspecting.lineage(
            lambda: stack.enter_context(connection.open_existing()),
            selector,
            node,
            direction=Direction(direction or "both"),
            depth=depth,
            project=project_name(project, connection, selector),
            schema=connection.schema,
        )
    if style == "json":
        emit(report.lineage_json(view))
    else:
        emit(report.lineage_markdown(view) if style == "markdown" else report.lineage_text(view, **screen()))
