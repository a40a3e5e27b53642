"""Command `mcp`, the server of the Model Context Protocol that agents start."""

from __future__ import annotations

import click

from recce_meta.cli.lazy import lazy
from recce_meta.cli.options import connecting, privacy_options, project_option


@click.command()
@connecting
@project_option
@click.option(
    "--allow-queries",
    is_flag=True,
    help="Add the tools compare_data and preview, which run queries in the warehouse that only read.",
)
@click.option(
    "--allow-values",
    is_flag=True,
    help="Let answers have values of columns, except private ones; they go to the vendor of the model.",
)
@click.option(
    "--data-target", metavar="TARGET", help="Target or URL that holds the data. [default: the store's]"
)
@click.option(
    "--base-target",
    metavar="TARGET",
    help="Target or URL that holds the data of base. [default: that of --data-target]",
)
@privacy_options
@lazy("recce_meta.cli.run.serve:mcp")
def mcp() -> None:
    """Serve an agent: what changed, what it affects, and what must be built.

    Agents start this command, and speak the Model Context Protocol on standard input and output. Tools only
    read, and a DuckDB store is not held open between calls.
    """
