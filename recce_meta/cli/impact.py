"""`impact`: what a change of a node or column reaches."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import click

from recce_meta import report
from recce_meta.api import impact as answering
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


@click.command()
@connecting
@click.argument("node", metavar="NODE[.COLUMN]")
@click.option(
    "--direction",
    type=click.Choice([direction.value for direction in Direction]),
    default=Direction.DOWNSTREAM.value,
    show_default=True,
    help="What it reaches, what it is made of, or both.",
)
@click.option("--depth", type=click.IntRange(1, MOST), help="At most so many steps away.")
@click.option("--run", "selector", default="latest", show_default=True, help="Run selector, or path:DIR.")
@project_option
@format_option("table", "json", "markdown")
def impact(
    connection: Connection,
    node: str,
    direction: str,
    depth: int | None,
    selector: str,
    project: str | None,
    style: str,
) -> None:
    """What a change of a node, or of one of its columns, reaches.

    NODE is a name (orders, shop.raw_orders for a source) or a unique id; COLUMN one of its columns, in any
    case, or in quotes as it is spelt.
    """
    with ExitStack() as stack, _without_collector():
        view = answering.impact(
            lambda: stack.enter_context(connection.open_existing()),
            selector,
            node,
            direction=Direction(direction),
            depth=depth,
            project=project_name(project, connection, selector),
            schema=connection.schema,
        )
    if style == "json":
        emit(report.impact_json(view))
    else:
        emit(report.impact_markdown(view) if style == "markdown" else report.impact_text(view, **screen()))


@contextmanager
def _without_collector() -> Iterator[None]:
    """Within the block, Python looks for no cycles of garbage: an answer of many small tuples has none."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
