"""`export`: recorded runs into files, or into another store."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO, cast

from recce_meta import plugins
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.export_cut import cut
from recce_meta.api.export_files import written_whole
from recce_meta.api.export_tables import file_names, write_tables
from recce_meta.errors import UsageError
from recce_meta.models.export import Export, Exporter
from recce_meta.store.export_document import document
from recce_meta.store.exports import read_export
from recce_meta.store.files import DEFAULT_SCHEMA
from recce_meta.store.migrate import open_store
from recce_meta.store.select import find_run

JSON = "json"
TABLES = ("csv", "parquet")
FORMATS = (JSON, *TABLES)
"""Those that need no other package."""


def load_export(
    adapter: UnifiedSqlAdapter,
    selector: str = "latest",
    *,
    select: Sequence[str] = (),
    exclude: Sequence[str] = (),
    project: str | None = None,
    schema: str = DEFAULT_SCHEMA,
) -> Export:
    """The run that *selector* means with all that is kept with it, or the part of it that *select* names.

    Raises SelectorError where there is no such run, or the selection names nothing of it.
    """
    with open_store(adapter, schema) as store:
        export = read_export(store, find_run(store, selector, project))
    return cut(export, select, exclude) if select or exclude else export


def export_run(
    adapter: UnifiedSqlAdapter,
    path: str | Path,
    selector: str = "latest",
    *,
    format: str = JSON,
    select: Sequence[str] = (),
    exclude: Sequence[str] = (),
    project: str | None = None,
    schema: str = DEFAULT_SCHEMA,
    overwrite: bool = False,
) -> tuple[Path, ...]:
    """Write the run that *selector* means to *path*, and give the paths that were written.

    *format* is json (a file, compressed where its name ends in `.gz`), csv or parquet (a folder with a file
    for each relation), or an exporter's of another package. *select* and *exclude* choose nodes in dbt's
    selection grammar. What is at *path* is replaced only to *overwrite* it.

    Raises as `load_export` does, UnknownNameError for an unknown *format*, UsageError where *path* is taken,
    OSError where it cannot be written, PluginError where another package's exporter fails.
    """
    exporter_of(format)
    export = load_export(adapter, selector, select=select, exclude=exclude, project=project, schema=schema)
    return write_exports([export], Path(path), format, overwrite=overwrite)


def write_exports(
    exports: Sequence[Export], path: Path, format: str, *, overwrite: bool = False
) -> tuple[Path, ...]:
    """Write *exports* to *path* as `export_run` does; several of them only as csv or parquet."""
    exporter = exporter_of(format)
    if exporter is None:
        names = file_names(format)
        with written_whole(path, overwrite=overwrite, ours=names) as part:
            write_tables(exports, part, format)
        return tuple(path / name for name in names)
    if len(exports) != 1:
        raise UsageError(
            f"The format {format} holds one run, and {len(exports)} are named",
            hint="export them one by one, or as csv or parquet, or --to another store",
        )
    with written_whole(path, overwrite=overwrite) as part:
        written = exporter(exports[0], part)
    return tuple(path / found.relative_to(part) if found.is_relative_to(part) else found for found in written)


def exporter_of(format: str) -> Exporter | None:
    """What writes *format*; None for csv and parquet, which hold several runs.

    Raises UnknownNameError, which lists the formats, where there is none.
    """
    if format in TABLES:
        return None
    if format == JSON:
        return _write_json
    return _guarded(format, plugins.exporter_named(format, FORMATS))


def _guarded(format: str, exporter: Exporter) -> Exporter:
    """*exporter* of another package, whose failures say whose they are."""

    def write(export: Export, path: Path) -> Sequence[Path]:
        written = plugins.called(plugins.EXPORTERS, format, lambda: _paths(exporter(export, path)))
        if not path.exists():
            raise plugins.broken(plugins.EXPORTERS, format, "it wrote nothing to the path that it was given")
        return written

    return write


def _paths(given: object) -> list[Path]:
    if isinstance(given, (str, bytes, Path)) or not isinstance(given, Iterable):
        raise TypeError(f"it gave {given!r}, and not a list of paths")
    return [Path(written) for written in given]


def write_document(export: Export, file: BinaryIO) -> None:
    """Write *export* as JSON to *file*."""
    for piece in document(export):
        file.write(piece)


def _write_json(export: Export, path: Path) -> Sequence[Path]:
    with path.open("wb") as file:
        if path.suffix == ".gz":
            # Without name and time in it, equal runs are equal files.
            with gzip.GzipFile("", "wb", compresslevel=6, fileobj=file, mtime=0) as packed:
                write_document(export, cast(BinaryIO, packed))
        else:
            write_document(export, file)
    return [path]
