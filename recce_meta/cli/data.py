"""The data diffs, a command each."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from pathlib import Path
from typing import Any

import click
from msgspec import Struct

from recce_meta.api.comparing_data import Job
from recce_meta.api.data_jobs import PairPlan, each, row_count_job
from recce_meta.api.subjects import Sides, subjects, touched
from recce_meta.cli.data_answer import Output, answer
from recce_meta.cli.data_options import DataOptions, Opened, comparing_data, output_options
from recce_meta.cli.options import format_option, together
from recce_meta.diff.data.profile import profile_diff
from recce_meta.diff.data.schema import schema_diff


class Asked(Struct, frozen=True, kw_only=True):
    """Which nodes a command is asked about, and what becomes of the results."""

    data: DataOptions
    nodes: tuple[str, ...]
    selection: tuple[str, ...]
    exclude: tuple[str, ...]
    output: Output

    def chosen(self, opened: Opened) -> list[Sides]:
        """The nodes or relations that are named."""
        return subjects(opened.runs, self.data.tables, self.nodes, self.selection, self.exclude)

    def answer_each(self, diff: str, plan: PairPlan) -> None:
        """Make a diff of type *diff* of each of them, as *plan* says, and tell the results."""
        answer(
            self.data,
            self.output,
            lambda opened: each(diff, opened.comparison.places, self.chosen(opened), plan),
        )


_nodes = click.argument("nodes", nargs=-1)
_selecting: Callable[[Callable[..., Any]], Callable[..., Any]] = together(
    click.option(
        "-s", "--select", "selection", multiple=True, help="Nodes in dbt's grammar: state:modified+ ."
    ),
    click.option("--exclude", multiple=True, help="Without these nodes."),
)
_columns: Callable[[Callable[..., Any]], Callable[..., Any]] = together(
    click.option("-c", "--column", "columns", multiple=True, help="Only these columns."),
    click.option("--exclude-column", "exclude_columns", multiple=True, help="Without these columns."),
)
_where = click.option("--where", help="Only rows that meet this condition, in the warehouse's SQL.")
_format = format_option("table", "json", "markdown", "html")


def about_nodes(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give *command* everything that commands about nodes have, as one argument `asked`."""

    @wraps(command)
    def wrapped(
        data: DataOptions,
        nodes: tuple[str, ...],
        selection: tuple[str, ...],
        exclude: tuple[str, ...],
        style: str,
        show_sql: bool,
        output: Path | None,
        **others: Any,
    ) -> Any:
        asked = Asked(
            data=data,
            nodes=nodes,
            selection=selection,
            exclude=exclude,
            output=Output(style=style, show_sql=show_sql, output=output),
        )
        return command(asked=asked, **others)

    return comparing_data(output_options(_selecting(_nodes(_format(wrapped)))))


@click.command("row-count")
@about_nodes
def row_count(asked: Asked) -> None:
    """Rows on both sides.

    NODES are names or unique ids; without any, what changed between the runs and what that touches.
    """

    def jobs(opened: Opened) -> list[Job]:
        is_open = opened.runs is not None and not asked.nodes and not asked.selection
        chosen = touched(opened.runs) if is_open and opened.runs is not None else asked.chosen(opened)
        return [row_count_job(opened.comparison.places, chosen)]

    answer(asked.data, asked.output, jobs)


@click.command()
@about_nodes
def schema(asked: Asked) -> None:
    """Columns and their types on both sides, as the warehouse has them now."""
    asked.answer_each("schema_diff", schema_diff)


@click.command()
@about_nodes
@_columns
@_where
@click.option("--approx", is_flag=True, help="Estimate distinct counts: one scan a side.")
def profile(
    asked: Asked, columns: tuple[str, ...], exclude_columns: tuple[str, ...], where: str | None, approx: bool
) -> None:
    """Figures of every column on both sides: NULLs, distinct values, extremes, mean, median, lengths."""
    plan = partial(profile_diff, columns=columns, exclude=exclude_columns, where=where, approximate=approx)
    asked.answer_each("profile_diff", plan)
