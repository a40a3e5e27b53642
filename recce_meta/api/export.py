"""Export of recorded runs to files, and import of the exported JSON into a store.

A partial export has the selected nodes of a run, and the edges among them, as a separate run. Files and
folders are written under a temporary name, then renamed.

CSV and Parquet have one file for each relation of the store. The runs are written into an in-memory store,
so the files have the columns and values of the views and tables in docs/reference/sql.md. DuckDB writes the
files.
"""

from __future__ import annotations

import errno
import gzip
import os
import shutil
import zlib
from codecs import BOM_UTF8
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import msgspec
from msgspec.structs import replace

from recce_meta import plugins
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.record import compare_codes
from recce_meta.errors import ArtifactError, SelectorError, UsageError, WarehouseError
from recce_meta.graph import build_lineage_graph, select
from recce_meta.models import NodeMetadata, Project
from recce_meta.models.export import ColumnLineage, Export, Exporter
from recce_meta.models.quality import Quality
from recce_meta.models.run import CutFrom
from recce_meta.report import openlineage
from recce_meta.store import content
from recce_meta.store.export import Written, read_export, write_export
from recce_meta.store.export_document import document, export_of
from recce_meta.store.select import RunSelector, find_run
from recce_meta.store.session import open_store
from recce_meta.store.sql_files import DEFAULT_SCHEMA, table_name


def cut(export: Export, selection: Sequence[str], exclude: Sequence[str]) -> Export:
    """Return the part of *export* selected by *selection* and *exclude*, in dbt's selection grammar.

    Its id is derived from the id of the whole run and the selected nodes. It includes all macros and the data
    stored with the nodes. It excludes data diffs, check results and reviews, which are about the whole run.
    If every node is selected, *export* is returned unchanged.

    Raises SelectorError if the selection is invalid or selects no node.
    """
    project = export.project
    chosen = _chosen(project, selection, exclude)
    if not chosen:
        raise SelectorError(
            f"The selection matches no node of run {project.run.run_id}",
            hint="run recce-meta show and recce-meta lineage to see the nodes of a run",
        )
    if len(chosen) == len(project.nodes):
        return export
    # The same part of a run always has the same id, so that importing it again is a no-op.
    run_id = content.digest(msgspec.json.encode(["cut", project.run.run_id, sorted(chosen)]))
    lineage = _columns(export.column_lineage, chosen)
    part = _part(project, chosen, run_id, lineage[0] if lineage else None)
    # With other nodes, the graph and its parts have other ids.
    pieces = content.contents(part)
    return replace(
        export,
        project=replace(part, run=replace(part.run, graph_id=pieces.graph_id)),
        graph={
            name: {str(row[0]): str(row[1]) for row in pieces.parts[name]} for name in sorted(pieces.parts)
        },
        column_lineage=lineage[1] if lineage else None,
        statistics=tuple(node for node in export.statistics if node.unique_id in chosen),
        quality=tuple(_quality(export.quality, chosen, run_id)),
        data_diffs=(),
        check_results=(),
        reviews=(),
        cut_from=CutFrom(
            run_id=project.run.run_id,
            select=tuple(selection),
            exclude=tuple(exclude),
            node_count=len(project.nodes),
        ),
    )


def _chosen(project: Project, selection: Sequence[str], exclude: Sequence[str]) -> frozenset[str]:
    return select(
        selection,
        {node.unique_id: node for node in project.nodes},
        build_lineage_graph(project.nodes, project.edges),
        exclude=exclude,
        project=project,
    )


def _part(project: Project, chosen: Collection[str], run_id: str, column_graph_id: str | None) -> Project:
    nodes = tuple(_among(node, chosen) for node in project.nodes if node.unique_id in chosen)
    # A group without a node of the part would have no members.
    groups = {node.group_name for node in nodes}
    run = replace(
        project.run,
        run_id=run_id,
        node_count=len(nodes),
        edge_count=sum(len(node.parents) for node in nodes),
        column_graph_id=column_graph_id,
    )
    return replace(
        project,
        run=run,
        nodes=nodes,
        groups=tuple(group for group in project.groups if group.name in groups),
        results=tuple(result for result in project.results if result.unique_id in chosen),
        facts=tuple(fact for fact in project.facts if fact.unique_id in chosen),
    )


def _among(node: NodeMetadata, chosen: Collection[str]) -> NodeMetadata:
    """Return *node* without edges to parents outside *chosen*."""
    parents = tuple(parent for parent in node.parents if parent in chosen)
    if len(parents) == len(node.parents):
        return node
    origins = {parent: origin for parent, origin in node.edge_origins.items() if parent in chosen}
    return replace(node, parents=parents, edge_origins=origins)


def _columns(lineage: ColumnLineage | None, chosen: Collection[str]) -> tuple[str, ColumnLineage] | None:
    """Return the part of *lineage* for *chosen*, with its id; analyses may refer to other nodes."""
    if lineage is None:
        return None
    ids = {
        unique_id: lineage_id
        for members in lineage.parts.values()
        for unique_id, lineage_id in members.items()
        if unique_id in chosen
    }
    parts = content.parts_of(sorted(ids.items()))
    left = set(ids.values())
    return content.tree_id(parts), ColumnLineage(
        parts={name: {str(row[0]): str(row[1]) for row in parts[name]} for name in sorted(parts)},
        analyses=tuple(analysis for analysis in lineage.analyses if analysis.lineage_id in left),
    )


def _quality(measured: Iterable[Quality], chosen: Collection[str], run_id: str) -> Iterable[Quality]:
    """Yield the measurements of *chosen*, each with a new id and summary."""
    for one in measured:
        tables = tuple(table for table in one.tables if table.unique_id in chosen)
        if not tables:
            continue
        scores = [table.score for table in tables if table.score is not None]
        run = replace(
            one.run,
            quality_run_id=content.digest(msgspec.json.encode(["cut", one.run.quality_run_id, run_id])),
            run_id=run_id,
            table_count=len(tables),
            failed_count=sum(table.reason is not None for table in tables),
            score=sum(scores) / len(scores) if scores else None,
        )
        yield replace(one, run=run, tables=tables)


@contextmanager
def written_whole(path: Path, *, overwrite: bool, ours: Collection[str] = ()) -> Iterator[Path]:
    """Yield a temporary path next to *path*, and rename it to *path* at the end of the block.

    A failure leaves *path* unchanged. With *overwrite*, an existing file is replaced, and so is a folder that
    holds only files named in *ours*. A device or pipe is written to directly.

    Raises UsageError if *path* exists and may not be replaced, OSError with the name *path*.
    """
    # A rename would replace a symbolic link instead of its target.
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file() and not path.is_dir():
        with _naming(path):
            yield path
        return
    _refuse(path, overwrite, ours)
    if not path.parent.is_dir():
        raise OSError(errno.ENOENT, os.strerror(errno.ENOENT), str(path.parent))
    part = path.with_name(f".part-{os.getpid()}-{path.name}")  # exporters may check the file extension
    try:
        with _naming(path):
            yield part
            if part.exists():
                _move(part, path)
    finally:
        _remove(part)


def _refuse(path: Path, overwrite: bool, ours: Collection[str]) -> None:
    if path.is_dir():
        names = {entry.name for entry in path.iterdir()}
        others = sorted(names - set(ours))
        if names and not ours:
            raise UsageError(f"{path} is a folder that is not empty", hint="name a file")
        if others:
            raise UsageError(
                f"Folder {path} contains a file not written by export: {others[0]}",
                hint="name an empty or new folder",
            )
        if names and not overwrite:
            raise UsageError(f"Folder {path} is not empty", hint="use --force to replace its files")
    elif path.exists() and ours:
        raise UsageError(f"{path} is a file, but a folder is required", hint="name a folder")
    elif path.exists() and not overwrite:
        raise UsageError(f"File {path} already exists", hint="use --force to replace it")


def _move(part: Path, path: Path) -> None:
    if not path.is_dir():
        part.replace(path)
        return
    # A folder cannot be renamed over another one that is not empty.
    old = part.with_name(f".old-{os.getpid()}-{path.name}")
    path.replace(old)
    try:
        part.replace(path)
    # The old folder must not be lost if its successor cannot take its place.
    except OSError:
        old.replace(path)
        raise
    _remove(old)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Replace the temporary name in OSErrors of the block by *path*."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error


FACTS = "relation_facts"
"""Relation that is written with `run_id`: scans share its rows, which are exported once per run."""
RELATIONS: Mapping[str, tuple[str, ...]] = {
    "runs": ("run_id",),
    "nodes": ("run_id", "unique_id"),
    "node_columns": ("run_id", "unique_id", "ordinal"),
    "lineage": ("run_id", "node_id", "parent_id"),
    "foreign_keys": ("run_id", "node_id", "ordinal"),
    "node_constraints": ("run_id", "unique_id", "ordinal"),
    "node_indexes": ("run_id", "unique_id", "ordinal"),
    FACTS: ("run_id", "unique_id"),
    "column_lineage": ("run_id", "node_id", "column_name", "parent_id", "parent_column"),
    "column_usage": ("run_id", "node_id", "parent_id", "parent_column", "usage"),
    "column_analysis": ("run_id", "node_id"),
    "run_results": ("run_id", "unique_id"),
    "source_freshness": ("run_id", "unique_id"),
    "node_statistics": ("run_id", "unique_id"),
    "column_statistics": ("run_id", "unique_id", "ordinal"),
    "quality_runs": ("quality_run_id",),
    "table_quality": ("quality_run_id", "unique_id"),
    "column_quality": ("quality_run_id", "unique_id", "ordinal"),
    "column_top_values": ("quality_run_id", "unique_id", "ordinal", "place"),
    "quality_metrics": ("quality_run_id", "unique_id", "ordinal", "place"),
    "data_diffs": ("diff_id",),
    "column_diffs": ("diff_id", "ordinal"),
    "check_results": ("check_result_id",),
    "reviews": ("review_id",),
}
"""Relations to write, with the columns that order their rows."""
STORED = (FACTS, "data_diffs", "column_diffs", "check_results", "reviews")
"""Those of tables, which have more than a view shows; the others are views."""
OPTIONS = {
    "csv": "FORMAT csv, HEADER true, NULLSTR '', TIMESTAMPFORMAT '%Y-%m-%dT%H:%M:%S.%fZ'",
    "parquet": "FORMAT parquet, COMPRESSION zstd",
}
"""Options of DuckDB's COPY. In CSV, NULL is an empty field, and an empty string is two quotes."""


def file_names(style: str) -> tuple[str, ...]:
    """Return the file names of an export folder in the format *style*."""
    return tuple(f"{relation}.{style}" for relation in RELATIONS)


def write_tables(exports: Iterable[Export], folder: Path, style: str) -> list[Path]:
    """Create *folder*, write *exports* to it as *style* (csv or parquet), and return the files."""
    folder.mkdir()
    written: list[Path] = []
    with UnifiedSqlAdapter.from_url("duckdb:///:memory:") as memory:
        for export in exports:
            write_export(memory, export)
        # COPY writes times in the zone of the session.
        memory.execute("SET TimeZone = 'UTC'")
        for relation, order in RELATIONS.items():
            path = folder / f"{relation}.{style}"
            with _naming_full_disks(path):
                memory.execute(_copy(relation, order, path, OPTIONS[style]))
            written.append(path)
    return written


@contextmanager
def _naming_full_disks(path: Path) -> Iterator[None]:
    """Raise system errors on writing *path* as OSError: DuckDB wraps them in its own messages."""
    try:
        yield
    except WarehouseError as error:
        for code in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.EIO):
            if os.strerror(code) in error.message:
                raise OSError(code, os.strerror(code), str(path)) from error
        raise


def _copy(relation: str, order: Iterable[str], path: Path, options: str) -> str:
    """Return the statement that writes the rows of *relation* to *path*."""
    from sqlglot import exp

    table = exp.table_(table_name(relation) if relation in STORED else relation, DEFAULT_SCHEMA)
    if relation == FACTS:
        columns = ("run_id", "unique_id", "row_estimate", "bytes", "created_at", "altered_at")
        parts = exp.select(*columns).from_(exp.table_(table_name("fact_parts"), DEFAULT_SCHEMA))
        rows = parts.join(table, using="part_id")
    else:
        rows = exp.select("*").from_(table)
    place = exp.Literal.string(str(path)).sql("duckdb")
    return f"COPY ({rows.order_by(*order).sql('duckdb')}) TO {place} ({options})"


JSON = "json"
TABLES = ("csv", "parquet")
OPENLINEAGE = "openlineage"
"""Events, a line of JSON each."""
JOBS = "OPENLINEAGE_NAMESPACE"
"""Variable with the namespace of jobs, as for all producers of OpenLineage."""
FORMATS = (JSON, OPENLINEAGE, *TABLES)
"""Built-in formats."""


def load_export(
    adapter: UnifiedSqlAdapter,
    selector: RunSelector = "latest",
    *,
    select: Sequence[str] = (),
    exclude: Sequence[str] = (),
    project: str | None = None,
) -> Export:
    """Return the run that *selector* names with all its data, or the part that *select* and *exclude* choose.

    Raises SelectorError if there is no such run, or the selection matches no node.
    """
    with open_store(adapter) as store:
        run = find_run(store, selector, project) if isinstance(selector, str) else selector
        export = read_export(store, run)
    return cut(export, select, exclude) if select or exclude else export


def write_exports(
    exports: Sequence[Export], path: Path, format: str, namespace: str, *, overwrite: bool = False
) -> tuple[Path, ...]:
    """Write *exports* to *path* as `export` does. Only csv and parquet accept several exports.

    *namespace* is that of the relations in OpenLineage, `DatabasePlace.dataset_namespace`.
    """
    exporter = exporter_of(format, namespace)
    if exporter is None:
        names = file_names(format)
        with written_whole(path, overwrite=overwrite, ours=names) as part:
            write_tables(exports, part, format)
        return tuple(path / name for name in names)
    refuse_several(exports, f"Format {format}")
    with written_whole(path, overwrite=overwrite) as part:
        written = exporter(exports[0], part)
    return tuple(path / found.relative_to(part) if found.is_relative_to(part) else found for found in written)


def refuse_several(exports: Sequence[Export], place: str) -> None:
    """Raise UsageError unless *exports* is a single run, which is all that *place* holds."""
    if len(exports) != 1:
        raise UsageError(
            f"{place} holds one run, got {len(exports)}",
            hint="export the runs one by one, or use --format csv, --format parquet or --to",
        )


def exporter_of(format: str, namespace: str = "") -> Exporter | None:
    """Return the exporter of *format*; None for csv and parquet, which hold several runs.

    *namespace* is that of relations in OpenLineage.

    Raises UnknownNameError, which lists the formats, if there is no such exporter.
    """
    if format in TABLES:
        return None
    if format == JSON:
        return partial(_write, document)
    if format == OPENLINEAGE:
        return partial(_write, partial(openlineage.lines, namespace=namespace, jobs=os.environ.get(JOBS)))
    return _guarded(format, plugins.exporter_named(format, FORMATS))


def _guarded(format: str, exporter: Exporter) -> Exporter:
    """Wrap *exporter* of another package so that its errors name the package."""

    def write(export: Export, path: Path) -> Sequence[Path]:
        written = plugins.call_plugin(plugins.EXPORTERS, format, lambda: _paths(exporter(export, path)))
        # An exporter could return without writing, and the rename would hide this.
        if not path.exists():
            raise plugins.plugin_error(plugins.EXPORTERS, format, "it wrote nothing to the given path")
        return written

    return write


def _paths(given: object) -> list[Path]:
    if isinstance(given, (str, bytes, Path)) or not isinstance(given, Iterable):
        raise TypeError(f"it returned {given!r} instead of a list of paths")
    return [Path(written) for written in given]


def _write(pieces: Callable[[Export], Iterable[bytes]], export: Export, path: Path) -> Sequence[Path]:
    """Write what *pieces* yields of *export*, compressed if the name ends in `.gz`."""
    with path.open("wb") as file:
        if path.suffix == ".gz":
            # Without a name and time in the header, equal runs give equal files.
            with gzip.GzipFile("", "wb", compresslevel=6, fileobj=file, mtime=0) as packed:
                packed.writelines(pieces(export))
        else:
            file.writelines(pieces(export))
    return [path]


GZIP = b"\x1f\x8b"
"""First bytes of a compressed file; its name does not matter."""


def import_run(adapter: UnifiedSqlAdapter, path: str | Path) -> Written:
    """Write the run in the JSON file *path* to the store of *adapter*, creating it if needed.

    The run keeps its ids, times and recorder. If the store has the run already, it stays unchanged, except
    that missing data of the run is added. Everything happens in one transaction.

    Raises ArtifactError for a file that is not an export, is damaged, or is from a later recce_meta;
    StoreError if the store has a run with this id but different contents.
    """
    written = write_export(adapter, read_file(Path(path)))
    if written.is_new:
        compare_codes(adapter, written.run)
    return written


def read_file(path: Path) -> Export:
    """Return the export in *path*, compressed or not.

    Raises ArtifactError as `import_run` does, OSError if *path* cannot be read.
    """
    return read_bytes(path.read_bytes(), str(path))


def read_bytes(data: bytes, name: str) -> Export:
    """Return the export in *data*; errors refer to it as *name*."""
    try:
        whole = gzip.decompress(data) if data.startswith(GZIP) else data
        return export_of(whole.removeprefix(BOM_UTF8))
    except ArtifactError as error:
        raise ArtifactError(f"{name} cannot be imported: {error.message}", hint=error.hint) from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ArtifactError(
            f"{name} cannot be imported: it is damaged: {error}", hint="export the run again"
        ) from error
