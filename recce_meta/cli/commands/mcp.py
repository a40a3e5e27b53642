"""Command `mcp`, the server of the Model Context Protocol that agents start."""

from __future__ import annotations

import click

from recce_meta.cli.lazy import lazy
from recce_meta.cli.options import connecting, data_places_options, privacy_options, project_option


@click.command()
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
