"""Command `serve`, which shows stores as web pages and as an API."""

from __future__ import annotations

from pathlib import Path

import click

from recce_meta.cli.commands.connection import state_option
from recce_meta.cli.commands.worker import worker_options
from recce_meta.cli.lazy import lazy, packed
from recce_meta.cli.options import connecting, data_places_options, log_format_option, privacy_options


@click.command()
@connecting
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on; others than this machine's own require a token.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8765,
    show_default=True,
    help="Port to listen on, 0 for any free one.",
)
@click.option(
    "--open", "page", default="/", show_default=True, metavar="PATH", help="Page to open in the browser."
)
@click.option("--no-open", "is_opened", flag_value=False, default=True, help="Do not open the browser.")
@click.option(
    "--token-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File of mode 0600 that contains the token; RECCE_META_TOKEN is the alternative.",
)
@click.option(
    "--public-url",
    metavar="URL",
    help="Address of the server behind a proxy, such as https://recce.example.com.",
)
@click.option(
    "--proxy",
    metavar="ADDRESS",
    help="IP address of the proxy whose X-Forwarded-For names the clients. [default: no header is believed]",
)
@click.option(
    "--allow-origin",
    "origins",
    multiple=True,
    metavar="ORIGIN",
    help="Origin of another site whose pages may read the API, such as https://app.example.com; repeatable.",
)
@click.option(
    "--allow-queries",
    is_flag=True,
    help="Let users of the pages start data diffs and queries, which only read.",
)
@click.option(
    "--allow-writes",
    is_flag=True,
    help="Let users of the pages write reviews, notes and results of data diffs to the store.",
)
@packed(
    "queries",
    "recce_meta.cli.run.serve:QueryOptions",
    click.option(
        "--threads",
        type=click.IntRange(min=1),
        help="Number of concurrent queries of all users of a store. [default: the profile's threads; 1 on "
        "DuckDB]",
    ),
    data_places_options,
    privacy_options,
)
@state_option
@click.option("--web-only", is_flag=True, help="Run no worker and no scheduler in this process.")
@worker_options
@log_format_option
@lazy("recce_meta.cli.run.serve:serve")
def serve() -> None:
    """Show the store as web pages and as a JSON API, until Ctrl-C.

    Serves the store of the connection options, or those in `stores` of recce_meta.yml. It only reads
    the store, unless --allow-writes is given, and never blocks a command that writes.

    With --state, or if the default state exists, the server also has pages of connected repositories, and
    runs a scheduler and a worker, which record runs in the store.
    """
