"""Commands `push`, `pull` and `sync`, which exchange runs with another store."""

from __future__ import annotations

from pathlib import Path

import click

from recce_meta.cli.lazy import lazy, packed, together
from recce_meta.cli.options import connecting, format_option

exchanging = packed(
    "options",
    "recce_meta.cli.run.sync:ExchangeOptions",
    together(
        click.argument("remote", metavar="[REMOTE]", required=False),
        click.option(
            "--select",
            "runs",
            multiple=True,
            metavar="RUNS",
            help="Only these runs: a run selector, or all runs of branch:NAME, of an environment or of "
            "project:NAME. Repeatable.",
        ),
        click.option(
            "--remote-schema", help="Schema of the remote store. [default: its own, else same as --schema]"
        ),
        click.option("--project", help="Project of --select. [default: from dbt_project.yml, else all]"),
        click.option("--dry-run", is_flag=True, help="Show what would be exchanged without writing."),
    ),
)
"""Decorator that adds the options of an exchange and passes them as one argument, `options`."""


@click.command()
@connecting
@exchanging
@format_option("table", "json")
@lazy("recce_meta.cli.run.sync:push")
def push() -> None:
    """Send runs, annotations and deletions to another store.

    REMOTE is a URL, a target of the profile, https://server, a bundle file (FILE.zip), or a name in `stores`
    of recce_meta.yml. [default: RECCE_META_REMOTE, else `remote` of recce_meta.yml]

    Only what the remote lacks is sent; repeating the command is safe. Exits with 1 if an object failed or is
    a new conflict, and with 3 if nothing could be sent.
    """


@click.command()
@connecting
@exchanging
@format_option("table", "json")
@lazy("recce_meta.cli.run.sync:pull")
def pull() -> None:
    """Receive runs, annotations and deletions from another store.

    REMOTE and exit codes are those of push. The local store is created if it does not exist.
    """


@click.command()
@connecting
@exchanging
@click.option("--status", "is_status", is_flag=True, help="Show the last exchanges, and conflicts.")
@click.option(
    "--conflict", metavar="ID", help="Write the object that arrived with this conflict to the file of -o."
)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="File for --conflict: a bundle."
)
@format_option("table", "json")
@lazy("recce_meta.cli.run.sync:sync")
def sync() -> None:
    """Exchange runs, annotations and deletions with another store, in both directions.

    REMOTE and exit codes are those of push. --status and --conflict only read the local store.
    """
