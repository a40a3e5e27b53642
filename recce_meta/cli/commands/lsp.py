"""Command `lsp`, the language server that editors start."""

from __future__ import annotations

import click

from recce_meta.cli.lazy import lazy, packed
from recce_meta.cli.options import connection_options


@click.command()
@packed(
    "place",
    "recce_meta.cli.run.lsp:StorePlace",
    connection_options(target="Target of the profile that holds the store.", schema="--schema"),
)
@click.option("--stdio", "is_stdio", is_flag=True, help="Accepted because editors pass it; changes nothing.")
@lazy("recce_meta.cli.run.lsp:lsp")
def lsp() -> None:
    """Serve an editor: lineage, impact and diagnostics of unsaved SQL.

    Editors start this command. A project is the folder of the nearest dbt_project.yml above a file. Its
    analysis is kept in a store in the user's cache folder; the connection options name the store that has
    the runs of production, with which it is compared.
    """
