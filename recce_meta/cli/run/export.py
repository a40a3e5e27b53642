"""Implementation of `export` and `import`."""

from __future__ import annotations

import sys
from pathlib import Path

from msgspec.structs import replace

from recce_meta.api.export import (
    JSON,
    exporter_of,
    load_export,
    read_bytes,
    read_file,
    refuse_several,
    write_exports,
)
from recce_meta.cli.connections import Connection
from recce_meta.cli.options import emit, emit_bytes, progress, say, screen
from recce_meta.errors import UsageError
from recce_meta.extractors.recce_state import is_recce_state, recce_state_of
from recce_meta.lazy import load
from recce_meta.models.export import Export
from recce_meta.report.runs import (
    TransferredRun,
    exported_text,
    recce_import_json,
    recce_import_text,
    transfer_json,
    transfer_text,
)
from recce_meta.store.export import write_export
from recce_meta.store.export_document import document
from recce_meta.store.session import refuse_memory

STREAM = Path("-")
"""Standard input or output."""


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
    """Write runs to files or into another store."""
    _refuse_combined(style, output, force, to, to_schema)
    with progress("reading"), connection.open_existing() as adapter:
        namespace = adapter.place.dataset_namespace
        exports = [
            load_export(
                adapter,
                connection.only_run(lambda: adapter, run, connection.project_of(project, run)),
                select=selection,
                exclude=exclude,
                project=connection.project_of(project, run),
            )
            for run in runs or (None,)
        ]
    if to is not None:
        carried = _carry(replace(connection.at(to), schema=to_schema or connection.schema), exports)
        emit(transfer_text(carried, "Exported", **screen()))
    elif output in (None, STREAM):
        # One document is one run, and two of them are not valid JSON.
        refuse_several(exports, "JSON")
        emit_bytes(document(exports[0]))
    else:
        with progress("writing"):
            paths = write_exports(exports, output, style or JSON, namespace, overwrite=force)
        say(exported_text([one.project.run for one in exports], paths, **screen(sys.stderr)))


def _refuse_combined(
    style: str | None, output: Path | None, force: bool, to: str | None, schema: str | None
) -> None:
    """Raise UsageError for options that cannot be combined, before any run is read."""
    if to is not None and (style or output or force):
        raise UsageError("--to cannot be combined with --format, -o or --force")
    if to is None and schema is not None:
        raise UsageError("--to-schema requires --to", hint="name the other store with --to TARGET|URL")
    exporter_of(style or JSON)
    if to is None and output in (None, STREAM) and style not in (None, JSON):
        raise UsageError(
            f"Format {style} cannot be written to standard output", hint="name a file or folder with -o PATH"
        )


def import_(connection: Connection, files: tuple[Path, ...], check_file: Path | None, style: str) -> None:
    """Import runs from exported JSON, or from recce's state."""
    # Standard input can be read only once.
    states = [file for file in files if file != STREAM and is_recce_state(file.read_bytes())]
    if states or check_file is not None:
        if len(files) != 1 or not states:
            raise UsageError(
                "recce_state.json must be imported alone"
                if states
                else "--checks requires a recce_state.json",
                hint="pass one recce_state.json and no other file",
            )
        _import_state(connection, files[0], check_file, style)
        return
    with progress("reading"):
        exports = [_read(file) for file in files]
    carried = _carry(connection, exports)
    if style == "json":
        emit(transfer_json(carried))
    else:
        emit(transfer_text(carried, "Imported", **screen()))


def _read(file: Path) -> Export:
    if file == STREAM:
        return read_bytes(b"" if sys.stdin is None else sys.stdin.buffer.read(), "standard input")
    return read_file(file)


def _carry(connection: Connection, exports: list[Export]) -> list[TransferredRun]:
    """Write *exports* into the store at *connection*, each in a separate transaction."""
    carried: list[TransferredRun] = []
    with progress("writing") as tell, connection.open() as adapter:
        refuse_memory(adapter)
        for one in exports:
            tell(f"writing {one.project.run.run_id}")
            written = write_export(adapter, one)
            carried.append(
                TransferredRun(
                    run=written.run, is_new=written.is_new, added=written.added, cut_from=one.cut_from
                )
            )
    return carried


def _import_state(connection: Connection, file: Path, check_file: Path | None, style: str) -> None:
    """Import the state in *file*, write its checks to *check_file*, and report the parts left out."""
    api = load("recce_meta.api.import_recce")
    state = recce_state_of(file.read_bytes(), str(file))
    with progress("importing"), connection.open() as adapter:
        refuse_memory(adapter)
        found = api.import_recce_state(adapter, state, str(file))
    if check_file is not None:
        check_file.write_text(api.check_file_of(state), encoding="utf-8")
    emit(recce_import_json(found) if style == "json" else recce_import_text(found, **screen()))
