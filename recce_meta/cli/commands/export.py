"""Commands `export` and `import`, which transfer runs to and from files and other stores."""

from __future__ import annotations

from pathlib import Path

import click

from recce_meta.cli.lazy import lazy
from recce_meta.cli.options import OUTPUT, connecting, format_option, project_option, selecting


@click.command()
@connecting
@click.argument("runs", metavar="[RUN]...", nargs=-1)
@selecting("'orders+ tag:nightly'")
@click.option(
    "--format",
    "style",
    help="Output format: json, openlineage, csv, parquet, or the name of an installed exporter."
    " [default: json]",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, allow_dash=True),
    help="File to write, or folder for csv and parquet; - for standard output. [default for json: -]",
)
@click.option("--force", is_flag=True, help="Replace existing files.")
@click.option("--to", metavar="TARGET|URL", help="Target or URL of another store to write to.")
@click.option("--to-schema", help="Schema of the store given by --to. [default: same as --schema]")
@project_option
@lazy("recce_meta.cli.run.export:export")
def export() -> None:
    """Write runs to files or into another store.

    RUN is a run selector: an id or its beginning, base, current, base~1, branch:NAME, sha:PREFIX,
    before:2026-11-01, or latest. [default: latest run of the checked-out branch, else latest]

    JSON holds one complete run, which recce-meta import can read. CSV and Parquet are a folder with one file
    for each relation of the store, with the same columns as in SQL.
    """


@click.command("import")
@connecting
@click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path, allow_dash=True),
)
@click.option("--checks", "check_file", type=OUTPUT, help="File to write the checks of recce's state to.")
@format_option("table", "json")
@lazy("recce_meta.cli.run.export:import_")
def import_() -> None:
    """Import runs from exported JSON, or from a recce_state.json.

    Each run keeps its id and content. A run that is already in the store stays unchanged, except that missing
    statistics, quality, columns, data diffs, check results and reviews are added. FILE may be compressed with
    gzip; - is standard input.

    A recce_state.json becomes runs of base and current, data diffs and check results, with recce's times.
    Parts without an equivalent are listed.
    """
