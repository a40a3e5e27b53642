"""Command `mcp`, the server of the Model Context Protocol that agents start."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import click

from recce_meta.cli.lazy import lazy
from recce_meta.cli.options import connecting, data_places_options, privacy_options, project_option


def _print_instructions(context: click.Context, _option: click.Parameter, is_given: bool) -> Any:
    """Print the text for agents, and end the command."""
    if is_given:
        click.echo(files("recce_meta.mcp").joinpath("skill.md").read_text(encoding="utf-8"), nl=False)
        context.exit()


@click.command()
@click.option(
    "--instructions",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_instructions,
    help="Print when to call which tool, as a skill file for an agent, and exit.",
)
@connecting
@project_option
@click.option(
    "--allow-queries",
    is_flag=True,
    help="Add the tool compare_data, whose queries only read, and with --allow-values the tool preview of "
    "queries of the agent.",
)
@click.option(
    "--allow-values",
    is_flag=True,
    help="Let answers have values of columns, except private ones; they go to the vendor of the model.",
)
@data_places_options
@privacy_options
@lazy("recce_meta.cli.run.serve:mcp")
def mcp() -> None:
    """Serve an agent: what changed, what it affects, and what must be built.

    Agents start this command, and speak the Model Context Protocol on standard input and output. Tools only
    read, and a DuckDB store is not held open between calls.
    """
