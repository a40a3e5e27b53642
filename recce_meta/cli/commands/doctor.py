"""Command `doctor`, which checks what the other commands need."""

from __future__ import annotations

import click

from recce_meta.cli.commands.connection import state_option
from recce_meta.cli.commands.worker import engine_option, image_option, work_option
from recce_meta.cli.lazy import lazy, packed
from recce_meta.cli.options import LISTS, connecting, format_option


@click.command()
@connecting
@click.option(
    "--server",
    "is_server",
    is_flag=True,
    help="Check what a server and a worker need as well: git, uv, isolation, disk, state, key, workers.",
)
@state_option
@packed("machine", "recce_meta.cli.run.worker:MachineOptions", work_option, engine_option, image_option)
@format_option("table", "json", *LISTS)
@lazy("recce_meta.cli.run.store:doctor")
def doctor() -> None:
    """Check profile, connection, permissions and store; with --server, also what a server needs.

    The role in an existing store is full, record-only (cannot create or migrate the store) or read-only.
    Each check that has not passed names what to do. Nothing is created or migrated. The exit code is 3 if a
    check fails.
    """
