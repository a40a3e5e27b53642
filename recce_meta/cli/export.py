"""`export` and `import`: runs into files and other stores, and back."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

import click

from recce_meta.api.exporting import JSON, exporter_of, load_export, write_exports
from recce_meta.api.importing import read_bytes, read_file
from recce_meta.cli.options import (
    OUTPUT,
    Connection,
    connecting,
    emit,
    format_option,
    project_name,
    project_option,
    say,
    screen,
)
from recce_meta.cli.progress import progress
from recce_meta.errors import UsageError
from recce_meta.extractors.recce_state import is_recce_state
from recce_meta.models.export import Export
from recce_meta.report.export_text import Carried, carried_json, carried_text, exported_text
from recce_meta.store.export_document import document
from recce_meta.store.exports import write_export
from recce_meta.store.migrate import refuse_memory

STREAM = Path("-")
"""Standard input or output."""


@click.command()
@connecting
@click.argument("runs", metavar="[RUN]...", nargs=-1)
@click.option(
    "-s",
    "--select",
    "selection",
    multiple=True,
    help="Only these nodes, in dbt's selection grammar: 'orders+ tag:nightly'.",
)
@click.option("--exclude", multiple=True, help="Without these nodes.")
@click.option(
    "--format",
    "style",
    help="json (the default), csv, parquet, or the name of an exporter that is installed.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, allow_dash=True),
    help="File, or folder for csv and parquet; - for standard output, the default of json.",
)
@click.option("--force", is_flag=True, help="Replace what is there.")
@click.option("--to", metavar="TARGET|URL", help="Write into the store of another target, or at a URL.")
@click.option("--to-schema", help="Schema of that store; default: that of this one.")
@project_option
def export(
    connection: Connection,
    runs: tuple[str, ...],
    selection: tuple[str, ...],
    exclude: tuple[str, ...],
    style: str | None,
    output: Path | None,
    force: bool,
    to: str | None,
    to_schema: str | None,
    project: str | None,
) -> None:
    """Write runs to files, or into another store.

    RUN is a run selector: an id or its beginning, base, current, base~1, branch:NAME, sha:PREFIX,
    before:2026-11-01, or latest, which it is by default.

    JSON holds one run whole, and recce-meta import reads it. CSV and Parquet are a folder with one file for
    each relation of the store, in the columns that SQL shows.
    """
    _check(style, output, force, to, to_schema)
    with progress("reading"), connection.open_existing() as adapter:
        exports = [
            load_export(
                adapter,
                run,
                select=selection,
                exclude=exclude,
                project=project_name(project, connection, run),
                schema=connection.schema,
            )
            for run in runs or ("latest",)
        ]
    if to is not None:
        place = connection.at(to)
        carried = _carry(place, exports, to_schema or connection.schema)
        emit(carried_text(carried, "Exported", **screen()))
    elif output in (None, STREAM):
        if len(exports) > 1:
            raise UsageError(
                f"JSON holds one run, and {len(exports)} are named",
                hint="export them one by one, or as csv or parquet, or --to another store",
            )
        _emit(document(exports[0]))
    else:
        with progress("writing"):
            paths = write_exports(exports, output, style or JSON, overwrite=force)
        say(exported_text([one.project.run for one in exports], paths, **screen(sys.stderr)))


@click.command("import")
@connecting
@click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path, allow_dash=True),
)
@click.option("--checks", "check_file", type=OUTPUT, help="Write the checks of recce's state to a file.")
@format_option("table", "json")
def import_(connection: Connection, files: tuple[Path, ...], check_file: Path | None, style: str) -> None:
    """Read runs that export wrote as JSON, or a recce_state.json, into the store.

    Each run comes as it was, under its own id. A run that is there already stays as it is, and is given
    what it lacks of statistics, quality, columns, data diffs and results of checks. FILE may be compressed by
    gzip, and - is standard input.

    A recce_state.json becomes runs of base and current, data diffs and results of checks, with recce's times.
    What has no equivalent is listed.
    """
    states = [file for file in files if file != STREAM and is_recce_state(file.read_bytes())]
    if states or check_file is not None:
        if len(files) != 1 or not states:
            raise UsageError(
                "A recce_state.json is imported alone" if states else "--checks is about a recce_state.json",
                hint="name one recce_state.json",
            )
        from recce_meta.cli.work.recce_state import import_state

        import_state(connection, files[0], check_file, style)
        return
    with progress("reading"):
        exports = [_read(file) for file in files]
    carried = _carry(connection, exports, connection.schema)
    if style == "json":
        emit(carried_json(carried))
    else:
        emit(carried_text(carried, "Imported", **screen()))


def _check(style: str | None, output: Path | None, force: bool, to: str | None, schema: str | None) -> None:
    """Refuse options that do not go together, before anything is read."""
    if to is not None and (style or output or force):
        raise UsageError("--to writes into a store: --format, -o and --force are about files")
    if to is None and schema is not None:
        raise UsageError("--to-schema is a schema of another store", hint="name that with --to TARGET|URL")
    exporter_of(style or JSON)
    if to is None and output in (None, STREAM) and style not in (None, JSON):
        raise UsageError(f"The format {style} is written to files", hint="name where with -o PATH")


def _read(file: Path) -> Export:
    if file == STREAM:
        return read_bytes(b"" if sys.stdin is None else sys.stdin.buffer.read(), "standard input")
    return read_file(file)


def _carry(connection: Connection, exports: list[Export], schema: str) -> list[Carried]:
    """Write *exports* into the store at *connection*, each in a transaction of its own."""
    carried: list[Carried] = []
    with progress("writing") as tell, connection.open() as adapter:
        refuse_memory(adapter)
        for one in exports:
            tell(f"writing {one.project.run.run_id}")
            written = write_export(adapter, one, schema=schema)
            carried.append(
                Carried(run=written.run, is_new=written.is_new, added=written.added, cut_from=one.cut_from)
            )
    return carried


def _emit(pieces: Iterable[bytes]) -> None:
    """Print *pieces* as they are; who reads them may go away."""
    if sys.stdout is None:
        return
    try:
        for piece in pieces:
            sys.stdout.buffer.write(piece)
        sys.stdout.flush()
    except OSError as error:
        # What is left in the buffer would fail again when Python exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise
