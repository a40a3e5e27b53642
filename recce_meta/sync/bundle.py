"""A bundle file as one side of an exchange.

The rows wait in a temporary SQLite file, by table and id, so a bundle of any size needs little memory. What
is written replaces the file at the end, in one step: a killed exchange leaves the previous file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from recce_meta.api.export import written_whole
from recce_meta.errors import ArtifactError
from recce_meta.store.run_hash import hashes_of
from recce_meta.store.session import SCHEMA_VERSION
from recce_meta.sync.encoding import RowDecoder, encode_row, listed, opened_bundle, write_bundle
from recce_meta.sync.tables import OBJECT_TABLES, PIECE_TABLES, TABLES, column_position
from recce_meta.sync.types import (
    Batch,
    Entry,
    ExchangeStatus,
    Inventory,
    Key,
    ObjectKind,
    Piece,
    Row,
    WriteResult,
)
from recce_meta.temporary import temporary_folder

_PORTION = 500
"""Number of ids in one statement."""
_POSITIONS = {table: position for position, table in enumerate(TABLES)}
_SETTINGS = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -32000;"
_CREATE = (
    "CREATE TABLE lines (tab INTEGER NOT NULL, id TEXT NOT NULL, hash BLOB NOT NULL, line BLOB NOT NULL, "
    "PRIMARY KEY (tab, id, hash)) WITHOUT ROWID"
)
_INSERT = "INSERT OR IGNORE INTO lines VALUES (?, ?, ?, ?)"
_DELETE = "DELETE FROM lines WHERE tab = ? AND id = ?"
_KNOWN = "SELECT DISTINCT id FROM lines WHERE tab = ? AND id IN (SELECT value FROM json_each(?))"
_LINES_OF = (
    "SELECT line FROM lines WHERE tab = ? AND id IN (SELECT value FROM json_each(?)) ORDER BY id, line"
)
_LINES = "SELECT line FROM lines WHERE tab = ? ORDER BY id, line"
_ANY = "SELECT 1 FROM lines WHERE tab = ? LIMIT 1"
_RUN_COLUMNS = ("current_run_id", "base_run_id", "run_id")
"""Columns that name the run of an object; the first one with a value counts."""


class BundleReplica:
    """Bundle file, which need not exist if objects are written to it."""

    def __init__(self, path: Path, *, creates: bool = False) -> None:
        """With *creates*, a missing file is an empty bundle."""
        self.path = path
        self._creates = creates
        self._opened = ExitStack()
        self._staged: _Staging | None = None
        self._entries: dict[Key, Entry] = {}
        self._version = SCHEMA_VERSION
        self._state: tuple[int, ...] | None = None
        self._is_changed = False

    @property
    def name(self) -> str:
        """Path of the file."""
        return str(self.path)

    def inventory(self) -> Inventory:
        """Return the objects that the bundle lists. Raises ArtifactError for a missing or damaged file."""
        self._rows()
        return Inventory(dict(self._entries), self._version)

    def lacking(self, piece: Piece, ids: Iterable[str]) -> set[str]:
        """Return those of *ids* for which the bundle has no piece."""
        wanted = set(ids)
        return wanted - self._rows().known(PIECE_TABLES[piece][0], wanted)

    def read(self, keys: Iterable[Key]) -> Batch:
        """Return the rows of the objects *keys*, without the pieces that they refer to."""
        rows = self._rows()
        keys = tuple(keys)
        wanted: dict[str, dict[str, None]] = {}
        for key in keys:
            for table in OBJECT_TABLES[key.kind]:
                wanted.setdefault(table, {})[key.id] = None
        tables = {table: rows.read(table, ids) for table, ids in wanted.items()}
        found = {table: {row[0] for row in some} for table, some in tables.items()}
        present = (key for key in keys if any(key.id in found[table] for table in OBJECT_TABLES[key.kind]))
        return Batch(tuple(present), tables)

    def read_pieces(self, piece: Piece, ids: Iterable[str]) -> Mapping[str, list[Row]]:
        """Return the rows of the pieces *ids* by table, without the pieces that they refer to."""
        wanted = sorted(set(ids))
        return {table: self._rows().read(table, wanted) for table in PIECE_TABLES[piece]}

    def write(self, batch: Batch, peer: str) -> list[WriteResult]:
        """Add the objects of *batch*. The file is written when the replica is closed."""
        writer = _BatchWriter(self._rows(), self._entries, batch)
        results = writer.write()
        self._is_changed = self._is_changed or writer.is_changed
        return results

    def close(self) -> None:
        """Write the file if objects were added, and remove the temporary one.

        Raises ArtifactError if the file cannot be written, or was changed meanwhile.
        """
        with self._opened:
            staged, self._staged = self._staged, None
            is_changed, self._is_changed = self._is_changed, False
            if is_changed and staged is not None:
                self._replace(staged)

    def _rows(self) -> _Staging:
        if self._staged is None:
            with ExitStack() as opened:
                folder = opened.enter_context(temporary_folder())
                staged = opened.enter_context(_Staging(Path(folder, "rows.db")))
                # A file that cannot be read must not leave a folder behind.
                self._load(staged)
                self._staged, self._opened = staged, opened.pop_all()
        return self._staged

    def _load(self, staged: _Staging) -> None:
        self._state = self._file_state()
        if self._state is None:
            if self._creates:
                return
            raise ArtifactError(
                f"File {self.path} not found", hint="check the path, or write it with recce-meta push FILE"
            )
        try:
            with opened_bundle(self.path) as found:
                for table in found.manifest.tables:
                    is_whole = found.manifest.tables[table].columns == TABLES[table].columns
                    # A row of an older version gets the columns that it lacks.
                    lines = (
                        (str(row[0]), line if is_whole else encode_row(table, row))
                        for row, line in found.rows(table)
                    )
                    staged.insert(table, lines)
        except OSError as error:
            raise _unusable(self.path, "read", error) from None
        inventory = found.manifest.inventory()
        self._entries, self._version = dict(inventory.entries), inventory.store_version

    def _file_state(self) -> tuple[int, ...] | None:
        """Return what differs after each change of the file; None if it does not exist."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _unusable(self.path, "read", error) from None
        if not self.path.is_file():
            raise ArtifactError(f"{self.path} is not a file", hint="give the path of a bundle file")
        return found.st_ino, found.st_size, found.st_mtime_ns

    def _replace(self, staged: _Staging) -> None:
        try:
            with written_whole(self.path, overwrite=True) as part:
                with part.open("xb") as target:
                    tables = {table: staged.lines(table) for table in TABLES if staged.has(table)}
                    write_bundle(target, tables, listed(self._entries))
                if self._file_state() != self._state:
                    raise ArtifactError(
                        f"Another process has changed {self.path}", hint="repeat the command: nothing is lost"
                    )
        except OSError as error:
            raise _unusable(self.path, "write", error) from None


def _unusable(path: Path, verb: str, error: OSError) -> ArtifactError:
    return ArtifactError(
        f"Cannot {verb} {path}: {error.strerror or error}", hint="check the path and its permissions"
    )


class _Staging:
    """Rows of a bundle as lines in a temporary SQLite file."""

    def __init__(self, file: Path) -> None:
        # Threads of a server or a progress line may use the replica one after the other.
        self._database = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        self._database.executescript(f"{_SETTINGS}{_CREATE}")
        self._decoders: dict[str, RowDecoder] = {}

    def __enter__(self) -> _Staging:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def insert(self, table: str, lines: Iterable[tuple[str, bytes]]) -> None:
        """Add *lines* of *table*, each with the id that it belongs to; equal lines are added once."""
        position = _POSITIONS[table]
        rows = ((position, one, sha256(line).digest()[:16], line) for one, line in lines)
        self._database.execute("BEGIN")
        self._database.executemany(_INSERT, rows)
        self._database.execute("COMMIT")

    def add(self, table: str, rows: Iterable[Row]) -> None:
        """Add *rows* of *table*."""
        self.insert(table, ((str(row[0]), encode_row(table, row)) for row in rows))

    def remove(self, table: str, object_id: str) -> None:
        """Remove the rows of one object."""
        self._database.execute(_DELETE, (_POSITIONS[table], object_id))

    def known(self, table: str, ids: Iterable[str]) -> set[str]:
        """Return those of *ids* that have rows in *table*."""
        return {row[0] for row in self._chosen(_KNOWN, table, ids)}

    def read(self, table: str, ids: Iterable[str]) -> list[Row]:
        """Return the rows of *ids*."""
        decoder = self._decoders.setdefault(table, RowDecoder(table))
        return [decoder.row(line) for (line,) in self._chosen(_LINES_OF, table, ids)]

    def _chosen(self, text: str, table: str, ids: Iterable[str]) -> Iterator[Sequence[Any]]:
        wanted = sorted(set(ids))
        for place in range(0, len(wanted), _PORTION):
            some = msgspec.json.encode(wanted[place : place + _PORTION]).decode()
            yield from self._database.execute(text, (_POSITIONS[table], some))

    def has(self, table: str) -> bool:
        """Return True if *table* has rows."""
        return self._database.execute(_ANY, (_POSITIONS[table],)).fetchone() is not None

    def lines(self, table: str) -> Iterator[bytes]:
        """Yield the lines of *table*, sorted by id."""
        return (line for (line,) in self._database.execute(_LINES, (_POSITIONS[table],)))


class _BatchWriter:
    """Writer of one batch into the rows and the entries of a bundle."""

    def __init__(self, staged: _Staging, entries: dict[Key, Entry], batch: Batch) -> None:
        self._staged, self._entries, self._batch = staged, entries, batch
        self.is_changed = False
        self._rows: dict[str, dict[str, list[Row]]] = {}
        for table, rows in batch.tables.items():
            for row in rows:
                self._rows.setdefault(table, {}).setdefault(row[0], []).append(row)

    def write(self) -> list[WriteResult]:
        """Write all objects. Return what happened to each."""
        order = {kind: number for number, kind in enumerate(ObjectKind)}
        results = [
            self._write(key) for key in sorted(self._batch.keys, key=lambda key: (order[key.kind], key.id))
        ]
        sent = {one.key.kind for one in results if one.status is ExchangeStatus.SENT}
        if ObjectKind.RUN in sent or ObjectKind.COLUMNS in sent:
            self._write_pieces()
        self.is_changed = self.is_changed or bool(sent)
        return results

    def _write_pieces(self) -> None:
        for first, *others in PIECE_TABLES.values():
            arriving = self._rows.get(first, {})
            new = arriving.keys() - self._staged.known(first, arriving)
            # The id of a piece is that of its contents, so stored ones are complete.
            for table in (first, *others):
                self._staged.add(
                    table, (row for one in sorted(new) for row in self._rows.get(table, {}).get(one, ()))
                )

    def _write(self, key: Key) -> WriteResult:
        entry = self._entry(key)
        if key.kind is ObjectKind.DELETION:
            return self._delete(key, entry)
        if entry.run_id is not None:
            if Key(ObjectKind.DELETION, entry.run_id) in self._entries:
                return WriteResult(key, ExchangeStatus.SKIPPED, "the run was deleted")
            if key.kind is not ObjectKind.RUN and Key(ObjectKind.RUN, entry.run_id) not in self._entries:
                return WriteResult(key, ExchangeStatus.SKIPPED, f"run {entry.run_id} is not there")
        if key.kind is ObjectKind.STATISTICS:
            return self._add_statistics(key)
        stored = self._entries.get(key)
        if stored is not None:
            is_same = (
                key.kind in (ObjectKind.COLUMNS, ObjectKind.ANNOTATION) or stored.content == entry.content
            )
            return WriteResult(
                key,
                ExchangeStatus.PRESENT if is_same else ExchangeStatus.CONFLICT,
                None if is_same else f"a {key.kind} with this id has other contents",
            )
        if key.kind in (ObjectKind.RUN, ObjectKind.COLUMNS):
            self._add_run(key)
        else:
            self._add_rows(key)
        self._entries[key] = entry
        return WriteResult(key, ExchangeStatus.SENT)

    def _own(self, key: Key) -> dict[str, list[Row]]:
        return {table: self._rows.get(table, {}).get(key.id, []) for table in OBJECT_TABLES[key.kind]}

    def _add_rows(self, key: Key) -> None:
        for table, rows in self._own(key).items():
            self._staged.add(table, rows)

    def _add_run(self, key: Key) -> None:
        """Add a run without its column lineage, or its column lineage."""
        place = column_position("runs", "column_graph_id")
        (own,) = self._own(key)["runs"]
        if key.kind is ObjectKind.RUN:
            self._add_rows(key)
            graph_id = None
        else:
            graph_id = own[place]
            (own,) = self._staged.read("runs", [key.id])
        self._staged.remove("runs", key.id)
        self._staged.add("runs", [(*own[:place], graph_id, *own[place + 1 :])])

    def _add_statistics(self, key: Key) -> WriteResult:
        """Add the figures that the bundle lacks, and compare the others."""
        tables = OBJECT_TABLES[ObjectKind.STATISTICS]
        stored = _Figures({table: self._staged.read(table, [key.id]) for table in tables})
        arriving = _Figures(self._own(key))
        merged = stored.with_missing_from(arriving)
        self._entries[key] = entry_of(key, merged)
        is_changed = False
        for table, rows in merged.items():
            if sorted(map(repr, rows)) != sorted(map(repr, stored.rows[table])):
                is_changed = True
                self._staged.remove(table, key.id)
                self._staged.add(table, rows)
        if differing := stored.differing(arriving):
            # Figures that both lacked are kept all the same.
            self.is_changed = self.is_changed or is_changed
            return WriteResult(key, ExchangeStatus.CONFLICT, f"other figures are stored for {differing[0]}")
        return WriteResult(key, ExchangeStatus.SENT if is_changed else ExchangeStatus.PRESENT)

    def _delete(self, key: Key, entry: Entry) -> WriteResult:
        """Add a deletion, and remove the run with all that belongs to it."""
        if key in self._entries:
            return WriteResult(key, ExchangeStatus.PRESENT)
        gone = [
            other
            for other, one in self._entries.items()
            if one.run_id == key.id and other.kind is not key.kind
        ]
        for other in gone:
            del self._entries[other]
            for table in OBJECT_TABLES[other.kind]:
                self._staged.remove(table, other.id)
        self._add_rows(key)
        self._entries[key] = entry
        return WriteResult(key, ExchangeStatus.SENT)

    def _entry(self, key: Key) -> Entry:
        return entry_of(key, self._own(key))


class _Figures:
    """Statistics of the nodes of a run, from their rows."""

    def __init__(self, rows: Mapping[str, Sequence[Row]]) -> None:
        self.rows = {table: list(rows.get(table, ())) for table in OBJECT_TABLES[ObjectKind.STATISTICS]}
        self.nodes: dict[str, Row] = {row[1]: row for row in self.rows["node_statistics"]}
        self.columns: dict[str, list[Row]] = {}
        for row in self.rows["column_statistics"]:
            self.columns.setdefault(row[1], []).append(row)

    def with_missing_from(self, later: _Figures) -> dict[str, list[Row]]:
        """Return the rows, completed as `NodeStatistics.with_missing_from` does it."""
        nodes = {
            unique_id: row
            if unique_id not in self.nodes
            else self._completed(self.nodes[unique_id], row, later)
            for unique_id, row in later.nodes.items()
        }
        columns = {**later.columns, **self.columns}
        return {
            "node_statistics": [*{**self.nodes, **nodes}.values()],
            "column_statistics": [row for rows in columns.values() for row in rows],
        }

    def _completed(self, stored: Row, arriving: Row, later: _Figures) -> Row:
        run_id, unique_id, *count, profile_reason = stored
        if count[0] is None and arriving[2] is not None:
            count = list(arriving[2:5])
        if unique_id not in self.columns:
            profile_reason = None if unique_id in later.columns else profile_reason or arriving[5]
        return (run_id, unique_id, *count, profile_reason)

    def differing(self, other: _Figures) -> list[str]:
        """Return the nodes of which a figure differs that both have; times and reasons may differ."""
        counts = {
            unique_id
            for unique_id, row in self.nodes.items()
            if unique_id in other.nodes
            and None not in (pair := (row[2], other.nodes[unique_id][2]))
            and pair[0] != pair[1]
        }
        profiles = {
            unique_id
            for unique_id, rows in self.columns.items()
            if unique_id in other.columns and _profile(rows) != _profile(other.columns[unique_id])
        }
        return sorted(counts | profiles)


def _profile(rows: Iterable[Row]) -> list[bytes]:
    place = column_position("column_statistics", "profiled_at")
    untimed = ((*row[:place], None, *row[place + 1 :]) for row in rows)
    return sorted(encode_row("column_statistics", row) for row in untimed)


def entry_of(key: Key, rows: Mapping[str, Sequence[Row]]) -> Entry:
    """Return the entry of the object *key* in an inventory, as `exchange_inventory.sql` returns it.

    *rows* are the rows of the object by table.
    """
    if key.kind is ObjectKind.STATISTICS:
        return Entry(_content_of_statistics(rows), key.id, None)
    first = OBJECT_TABLES[key.kind][0]
    fields = dict(zip(TABLES[first].columns, rows[first][0], strict=True))
    content = ""
    recorded_at: datetime | None = None
    if key.kind is ObjectKind.RUN:
        content = hashes_of(rows["runs"], rows["run_results"], rows["fact_parts"])[key.id]
    if key.kind in (ObjectKind.RUN, ObjectKind.COLUMNS):
        recorded_at = fields["recorded_at"]
    if key.kind is ObjectKind.DELETION:
        recorded_at = fields["deleted_at"]
    if key.kind is ObjectKind.QUALITY:
        content = f"{fields['table_count']} {fields['failed_count']}"
    named = (fields[name] for name in _RUN_COLUMNS if fields.get(name) is not None)
    return Entry(content, next(named, None), fields.get("project_name"), recorded_at)


def _content_of_statistics(rows: Mapping[str, Sequence[Row]]) -> str:
    """Return the content of statistics as `StoreReplica.inventory` does."""
    nodes, columns = rows["node_statistics"], rows["column_statistics"]
    counted, filled = (
        column_position("node_statistics", "row_count"),
        column_position("column_statistics", "not_null_count"),
    )
    total = sum(-1 if row[counted] is None else row[counted] for row in nodes)
    times = [row[column_position("node_statistics", "counted_at")] for row in nodes]
    times += [row[column_position("column_statistics", "profiled_at")] for row in columns]
    latest = max(times)
    sums = f"{len(nodes)} {len(columns)} {total + sum(row[filled] for row in columns)}"
    return f"{sums} {latest:%Y-%m-%dT%H:%M:%S.%f}"
