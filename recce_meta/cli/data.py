"""The data diffs, a command each."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click
from msgspec import Struct

from recce_meta.cli.data_options import DataOptions, Output, comparing_data, output_options
from recce_meta.cli.options import format_option, together


class Asked(Struct, frozen=True, kw_only=True):
    """Which nodes a command is asked about, and what becomes of the results."""

    data: DataOptions
    nodes: tuple[str, ...]
    selection: tuple[str, ...]
    exclude: tuple[str, ...]
    output: Output


_nodes = click.argument("nodes", nargs=-1)
_selecting: Callable[[Callable[..., Any]], Callable[..., Any]] = together(
    click.option(
        "-s", "--select", "selection", multiple=True, help="Nodes in dbt's grammar: state:modified+ ."
    ),
    click.option("--exclude", multiple=True, help="Without these nodes."),
)


def names(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> tuple[str, ...]:
    """Names from an option that may be given several times, or once with commas."""
    found = tuple(name.strip() for text in given for name in text.split(",") if name.strip())
    if given and not found:
        raise click.BadParameter("names no column")
    return found


_column = click.option(
    "-c",
    "--columns",
    multiple=True,
    callback=names,
    help="Only these columns: -c id,status, or -c id -c status.",
)
columns_options: Callable[[Callable[..., Any]], Callable[..., Any]] = together(
    _column,
    click.option("--exclude-columns", multiple=True, callback=names, help="Without these columns."),
)
_live = click.option("--live", is_flag=True, help="Ask base now, whatever was kept with its run.")
where_option = click.option("--where", help="Only rows that meet this condition, in the warehouse's SQL.")
format_of_data = format_option("table", "json", "markdown", "html")


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
        save: bool,
        output: Path | None,
        **others: Any,
    ) -> Any:
        asked = Asked(
            data=data,
            nodes=nodes,
            selection=selection,
            exclude=exclude,
            output=Output(style=style, show_sql=show_sql, save=save, output=output),
        )
        return command(asked=asked, **others)

    return comparing_data(output_options(_selecting(_nodes(format_of_data(wrapped)))))


@click.command("row-count")
@about_nodes
@_live
def row_count(asked: Asked, live: bool) -> None:
    """Rows on both sides.

    NODES are names or unique ids; without any, what changed between the runs and what that touches. Figures
    that were kept with the base run (record --stats) are used.
    """
    from recce_meta.cli.work import data

    data.row_count(asked, live)


@click.command()
@about_nodes
@click.option("--stored", is_flag=True, help="Compare the columns that were recorded; the data is not asked.")
def schema(asked: Asked, stored: bool) -> None:
    """Columns and their types on both sides, as the warehouse has them now."""
    from recce_meta.cli.work import data

    data.schema(asked, stored)


@click.command()
@about_nodes
@columns_options
@where_option
@_live
@click.option("--approx", is_flag=True, help="Estimate distinct counts: one scan a side.")
def profile(
    asked: Asked,
    columns: tuple[str, ...],
    exclude_columns: tuple[str, ...],
    where: str | None,
    live: bool,
    approx: bool,
) -> None:
    """Figures of every column on both sides, such as NULLs and distinct values.

    Figures that were kept with the base run (record --stats profile) are used.
    """
    from recce_meta.cli.work import data

    data.profile(asked, columns, exclude_columns, where, live=live, approx=approx)


@click.command("top-k")
@about_nodes
@_column
@where_option
@click.option("--k", type=click.IntRange(min=1), default=10, show_default=True, help="How many values.")
def top_k(asked: Asked, columns: tuple[str, ...], where: str | None, k: int) -> None:
    """The most frequent values of columns on both sides."""
    from recce_meta.cli.work import data

    data.top_k(asked, columns, where, k)


@click.command()
@about_nodes
@_column
@where_option
@click.option(
    "--bins", type=click.IntRange(1, 1000), default=50, show_default=True, help="About how many bins."
)
def histogram(asked: Asked, columns: tuple[str, ...], where: str | None, bins: int) -> None:
    """How numbers, dates and timestamps are distributed on both sides."""
    from recce_meta.cli.work import data

    data.histogram(asked, columns, where, bins)
