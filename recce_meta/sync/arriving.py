"""Writing of what arrives: the objects of some runs in one transaction, compared with the stored ones.

The rows of new runs are written last: readers start from them. In a warehouse without transactions, an
exchange may stop between two statements. Pieces are therefore written after those that they refer to, and a
graph counts as stored only if a run refers to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from recce_meta.models.stored import NodeStatistics
from recce_meta.store.content import digest
from recce_meta.store.graphs import portions
from recce_meta.store.read import in_utc
from recce_meta.store.run_hash import COLUMNS as HASH_COLUMNS
from recce_meta.store.run_hash import hashes_of, plain_number
from recce_meta.store.session import StoreSession
from recce_meta.store.sql_files import KEYS
from recce_meta.store.statistics import (
    COLUMN_COLUMNS,
    add_statistics,
    column_rows,
    read_statistics,
    statistics_from,
)
from recce_meta.sync.tables import (
    COLUMNS_REFERENCES,
    OBJECT_TABLES,
    PIECE_REFERENCES,
    PIECE_TABLES,
    RUN_REFERENCES,
    TABLES,
    Reference,
    column_position,
    values_of,
)
from recce_meta.sync.types import Batch, ExchangeStatus, Key, ObjectKind, Piece, Row, WriteResult

RUN_TABLES = ("runs", "run_results", "fact_parts")
"""Tables that the hash of a run covers."""
NO_PIECES = digest(b"[]")
"""Id of an empty graph and of an empty set of macros, which have no rows."""
_POSITIONS = {table: position for position, table in enumerate(TABLES)}
_KNOWN_POSITIONS = {piece: position for position, piece in enumerate(PIECE_TABLES)}
_ROOTS = (Piece.GRAPH, Piece.MACRO_SET, Piece.COLUMN_GRAPH)
_DEEPEST_FIRST = (
    Piece.VERSION, Piece.PART, Piece.GRAPH, Piece.MACRO, Piece.MACRO_SET, Piece.FACT_PART, Piece.ANALYSIS,
    Piece.COLUMN_PART, Piece.COLUMN_GRAPH,
)  # fmt: skip
"""Pieces, each after those that it refers to."""
_IN_RUN_TABLES = (ObjectKind.QUALITY, ObjectKind.DATA_DIFF, ObjectKind.CHECK_RESULT, ObjectKind.REVIEW)
"""Kinds that belong to a run, and whose id identifies one row of their first table."""
_RUN_COLUMNS = {
    "quality_runs": ("run_id",),
    "data_diffs": ("current_run_id", "base_run_id"),
    "check_results": ("current_run_id", "base_run_id"),
    "reviews": ("current_run_id",),
}
"""Columns with the run of an object, the first one that is not NULL."""
_READ_COLUMNS = tuple(
    place
    for place, name in enumerate(COLUMN_COLUMNS)
    if name not in ("run_id", "ordinal") and not name.endswith("_number")
)
"""Positions of the columns of `column_statistics` from which statistics are read; numbers repeat values."""

encode = msgspec.json.Encoder(order="deterministic").encode


class ArrivalRefused(Exception):
    """An arriving object that must not be written."""


class Conflict(msgspec.Struct, frozen=True):
    """Object that is stored with other contents."""

    key: Key
    stored: str
    """Hash of the stored contents."""
    arriving: str
    """Hash of the contents that arrived."""


class Arrived:
    """Rows of a batch by table and by the id of their object or piece."""

    def __init__(self, batch: Batch) -> None:
        self._rows: dict[str, dict[str, list[Row]]] = {}
        for table, rows in batch.tables.items():
            places = self._rows.setdefault(table, {})
            for row in rows:
                places.setdefault(row[0], []).append(row)
        keys = dict.fromkeys(batch.keys)
        complete = {key for key in keys if self.rows(OBJECT_TABLES[key.kind][0], key.id)}
        self._keys = [key for key in keys if key in complete]
        self.without_rows = [key for key in keys if key not in complete]
        """Objects without a row of their own, which cannot be written."""

    def of(self, kind: ObjectKind) -> list[Key]:
        """Return the objects of one *kind*."""
        return [key for key in self._keys if key.kind is kind]

    def rows(self, table: str, object_id: str) -> list[Row]:
        """Return the rows of *table* of one object or piece."""
        return self._rows.get(table, {}).get(object_id, [])

    def run_of(self, key: Key) -> str | None:
        """Return the id of the run that an object belongs to; None without a run."""
        if key.kind not in _IN_RUN_TABLES:
            return None if key.kind is ObjectKind.ANNOTATION else key.id
        table = OBJECT_TABLES[key.kind][0]
        row = self.rows(table, key.id)[0]
        found = (row[column_position(table, column)] for column in _RUN_COLUMNS[table])
        return next((str(run_id) for run_id in found if run_id is not None), None)

    def project_of(self, key: Key) -> str | None:
        """Return the project of an object if its own rows have it."""
        table = OBJECT_TABLES[key.kind][0]
        if "project_name" not in TABLES[table].columns:
            return None
        return str(self.rows(table, key.id)[0][column_position(table, "project_name")])

    def by_run(self) -> dict[str, list[Key]]:
        """Return the objects that belong to each run, the run itself first."""
        order = {kind: number for number, kind in enumerate(ObjectKind)}
        found: dict[str, list[Key]] = {}
        for key in self._keys:
            if key.kind not in (ObjectKind.DELETION, ObjectKind.ANNOTATION):
                found.setdefault(self.run_of(key) or "", []).append(key)
        for keys in found.values():
            keys.sort(key=lambda key: order[key.kind])
        return found

    def only(self, key: Key) -> Batch:
        """Return the rows of one object with the pieces that it needs and that arrived."""
        tables = {table: list(self.rows(table, key.id)) for table in OBJECT_TABLES[key.kind]}
        if key.kind is ObjectKind.RUN:
            for piece, ids in self.pieces_of(RUN_REFERENCES, key.id):
                for table in PIECE_TABLES[piece]:
                    tables.setdefault(table, []).extend(row for one in ids for row in self.rows(table, one))
        return Batch((key,), tables)

    def pieces_of(self, references: Iterable[Reference], run_id: str) -> Iterator[tuple[Piece, list[str]]]:
        """Yield the ids of the pieces that a run needs, level by level."""
        for reference in references:
            rows = self.rows(reference.table, run_id)
            ids = sorted(values_of(rows, reference.table, reference.column))
            piece: Piece | None = reference.piece
            while piece is not None and ids:
                yield piece, ids
                deeper = PIECE_REFERENCES.get(piece)
                if deeper is None:
                    break
                below = (row for one in ids for row in self.rows(deeper.table, one))
                piece, ids = deeper.piece, sorted(values_of(below, deeper.table, deeper.column))


class ArrivingRun:
    """Arriving run: what is stored of it, and what remains to be written."""

    def __init__(self, run_id: str, own: Row | None) -> None:
        self.run_id = run_id
        self.own = own
        """Row of `runs` that arrived; None if only objects of a stored run arrived."""
        self.is_deleted = False
        self.is_stored = False
        self.has_other_contents = False
        self.stored_hash: str | None = None
        self.stored_columns: str | None = None
        self.new_row: list[Any] | None = None
        """Row to insert; None if the run is stored."""
        self.new_columns: str | None = None
        """Column graph to set in the stored row."""

    def value(self, column: str) -> Any:
        """Return a value of the row that arrived."""
        return None if self.own is None else self.own[column_position("runs", column)]


class RunWriter:
    """Writer of the objects of some runs in one transaction: `write` each of them, then `finish`."""

    def __init__(self, store: StoreSession, arrived: Arrived, keys: Mapping[str, Sequence[Key]]) -> None:
        """*keys* are the objects of each run, the run itself first."""
        self._store, self._arrived = store, arrived
        self.conflicts: list[Conflict] = []
        self._runs = {
            run_id: ArrivingRun(run_id, next(iter(arrived.rows("runs", run_id)), None)) for run_id in keys
        }
        self._roots: set[tuple[str, str]] = set()
        self._pieces: dict[Piece, dict[str, None]] = {piece: {} for piece in _DEEPEST_FIRST}
        self._rows: dict[str, list[Row]] = {}
        self._read_state()
        wanted: dict[str, list[str]] = {}
        for key in (key for some in keys.values() for key in some if key.kind in _IN_RUN_TABLES):
            wanted.setdefault(OBJECT_TABLES[key.kind][0], []).append(key.id)
        self._stored = {
            table: _by_id(stored_rows(store, table, object_ids)) for table, object_ids in wanted.items()
        }

    def _values(self, column: str) -> str:
        """Return the different values of a column of all rows of `runs` that arrived, one in each line."""
        found = dict.fromkeys(run.value(column) for run in self._runs.values())
        return "\n".join(value for value in found if value is not None)

    def _lists(self) -> dict[str, str]:
        names = ("graph_id", "macro_set_id", "column_graph_id")
        return {"ids": "\n".join(self._runs), **{f"{name}s": self._values(name) for name in names}}

    def _read_state(self) -> None:
        for kind, object_id, content, column_graph_id in self._store.query("exchange_state", **self._lists()):
            run = self._runs.get(str(object_id))
            if kind == "tombstones" and run is not None:
                run.is_deleted = True
            elif kind == "runs" and run is not None:
                run.is_stored = True
                run.stored_hash = None if content is None else str(content)
                run.stored_columns = None if column_graph_id is None else str(column_graph_id)
            else:
                self._roots.add((str(kind), str(object_id)))

    def write(self, run_id: str, key: Key) -> WriteResult:
        """Write one object. Raises ArrivalRefused if it refers to something that is missing."""
        run = self._runs[run_id]
        if run.is_deleted:
            return WriteResult(key, ExchangeStatus.SKIPPED, "the run was deleted")
        if key.kind is ObjectKind.RUN:
            return self._write_run(run, key)
        if not run.is_stored and run.new_row is None:
            return WriteResult(key, ExchangeStatus.SKIPPED, f"run {run_id} is not there")
        if run.has_other_contents:
            # It describes a run that only has the same id.
            return WriteResult(key, ExchangeStatus.SKIPPED, "its run has other contents")
        if key.kind is ObjectKind.COLUMNS:
            return self._write_columns(run, key)
        return self._write_statistics(key) if key.kind is ObjectKind.STATISTICS else self._write_object(key)

    def _write_run(self, run: ArrivingRun, key: Key) -> WriteResult:
        assert run.own is not None  # `Arrived` has no key without a row
        rows = {table: self._arrived.rows(table, key.id) for table in OBJECT_TABLES[ObjectKind.RUN]}
        content = hashes_of([run.own], rows["run_results"], rows["fact_parts"])[key.id]
        if any(claimed != content for _, claimed in rows["run_hashes"]):
            raise ArrivalRefused("its contents do not match its hash")
        if run.is_stored:
            return self._compare_run(run, key, content)
        self._add_pieces(run, RUN_REFERENCES)
        for table in ("run_results", "source_freshness", "fact_parts"):
            self._add(table, rows[table])
        self._add("run_hashes", [(key.id, content)])
        # Its column lineage may not arrive.
        run.new_row = list(run.own)
        run.new_row[column_position("runs", "column_graph_id")] = None
        return WriteResult(key, ExchangeStatus.SENT)

    def _compare_run(self, run: ArrivingRun, key: Key, content: str) -> WriteResult:
        stored = run.stored_hash
        if stored is None:
            hashes = hashes_of_stored(self._store, [key.id])
            add_hashes(self._store, hashes)
            stored = hashes[key.id]
        if stored == content:
            return WriteResult(key, ExchangeStatus.PRESENT)
        run.has_other_contents = True
        self.conflicts.append(Conflict(key, stored, content))
        return WriteResult(key, ExchangeStatus.CONFLICT, "a run with this id has other contents")

    def _write_columns(self, run: ArrivingRun, key: Key) -> WriteResult:
        graph_id = run.value("column_graph_id")
        if run.stored_columns is not None or graph_id is None:
            return WriteResult(key, ExchangeStatus.PRESENT)
        self._add_pieces(run, COLUMNS_REFERENCES)
        if run.new_row is None:
            run.new_columns = graph_id
        else:
            run.new_row[column_position("runs", "column_graph_id")] = graph_id
        return WriteResult(key, ExchangeStatus.SENT)

    def _add_pieces(self, run: ArrivingRun, references: Iterable[Reference]) -> None:
        """Note the pieces that a run needs, unless a stored run has the same graph."""
        missing = [
            one
            for one in references
            if one.table != "runs" or (one.piece.value, str(run.value(one.column))) not in self._roots
        ]
        # Runs of a batch may share a graph; if its pieces were refused, so is the transaction.
        self._roots.update(
            (one.piece.value, str(run.value(one.column))) for one in missing if one.table == "runs"
        )
        for piece, ids in self._arrived.pieces_of(missing, run.run_id):
            arrived = [one for one in ids if self._arrived.rows(piece.value, one)]
            lost = sorted({*ids} - {*arrived} - {NO_PIECES})
            if lost and piece in _ROOTS:
                raise ArrivalRefused(f"it refers to {lost[0]} of {piece.value}, which is missing")
            self._pieces[piece].update(dict.fromkeys(arrived))

    def _write_statistics(self, key: Key) -> WriteResult:
        """Add the figures that the store lacks, and compare the others."""
        arriving = self._arriving_statistics(key)
        stored = read_statistics(self._store, key.id, None)
        add_statistics(self._store, key.id, [*arriving.values()])
        differing = sorted(
            unique_id
            for unique_id, node in arriving.items()
            if unique_id in stored and _differs(stored[unique_id], node)
        )
        if differing:
            # Only of these nodes, so that the conflict stays the same one when others are added.
            hashes = [
                digest(encode([_figures(side[unique_id]) for unique_id in differing]))
                for side in (stored, arriving)
            ]
            self.conflicts.append(Conflict(key, *hashes))
            return WriteResult(key, ExchangeStatus.CONFLICT, f"other figures are stored for {differing[0]}")
        is_changed = any(
            unique_id not in stored or stored[unique_id].with_missing_from(node) != stored[unique_id]
            for unique_id, node in arriving.items()
        )
        return WriteResult(key, ExchangeStatus.SENT if is_changed else ExchangeStatus.PRESENT)

    def _arriving_statistics(self, key: Key) -> dict[str, NodeStatistics]:
        nodes = (row[1:] for row in self._arrived.rows("node_statistics", key.id))
        columns = sorted(self._arrived.rows("column_statistics", key.id), key=lambda row: (row[1], row[2]))
        return statistics_from(nodes, (tuple(row[place] for place in _READ_COLUMNS) for row in columns))

    def _write_object(self, key: Key) -> WriteResult:
        first = OBJECT_TABLES[key.kind][0]
        arriving = self._arrived.rows(first, key.id)
        if stored := self._stored[first].get(key.id):
            if contents_of(first, stored) == contents_of(first, arriving):
                return WriteResult(key, ExchangeStatus.PRESENT)
            hashes = (digest(contents_of(first, rows)) for rows in (stored, arriving))
            self.conflicts.append(Conflict(key, *hashes))
            return WriteResult(key, ExchangeStatus.CONFLICT, f"a {key.kind} with this id has other contents")
        for table in OBJECT_TABLES[key.kind]:
            self._add(table, self._arrived.rows(table, key.id))
        return WriteResult(key, ExchangeStatus.SENT)

    def finish(self) -> None:
        """Send all rows, those of runs last, if all references resolve. Raises ArrivalRefused if not."""
        for piece, ids in self._pieces.items():
            self._insert_pieces(piece, [*ids])
        # The first table of an object has its own row, from which readers start.
        for table in reversed([*TABLES]):
            self._insert(table, self._rows.get(table, ()))
        new = [run for run in self._runs.values() if run.new_row is not None]
        completed = [run for run in self._runs.values() if run.new_columns is not None]
        if new or completed:
            self._check_references(new)
        for run in completed:
            columns = {"column_graph_id": run.new_columns, "outdated": None}
            self._store.execute("set_column_graph", run_id=run.run_id, **columns)
        self._insert("runs", (tuple(run.new_row) for run in new if run.new_row is not None))

    def _insert_pieces(self, piece: Piece, ids: Sequence[str]) -> None:
        """Write the pieces that are not stored, looked up in this transaction."""
        if not ids:
            return
        if piece in _ROOTS:
            (table,) = PIECE_TABLES[piece]
            # A column graph that was replaced stays until the next prune; so do rows of a stopped exchange.
            may_be_there = piece is Piece.COLUMN_GRAPH or not self._store.has_transactions
            there = {*stored_rows(self._store, table, ids)} if may_be_there else set()
            rows = (row for one in ids for row in self._arrived.rows(table, one))
            return self._insert(table, (row for row in rows if row not in there))
        known = known_pieces(self._store, piece, ids)
        new = [one for one in ids if one not in known]
        # A piece counts as stored once its own row exists.
        for table in reversed(PIECE_TABLES[piece]):
            self._insert(table, (row for one in new for row in self._arrived.rows(table, one)))
        return None

    def _check_references(self, new: Iterable[ArrivingRun]) -> None:
        found = self._store.query("exchange_dangling", **self._lists())
        for kind, object_id, _ in found:
            if kind != "nodes":
                raise ArrivalRefused(f"it refers to {object_id} of {kind}, which is missing")
        counts = {str(graph_id): int(str(total)) for _, graph_id, total in found}
        for run in new:
            expected, count = int(run.value("node_count")), counts.get(run.value("graph_id"), 0)
            if count < expected:
                raise ArrivalRefused(f"it has {expected} nodes, but only {count} arrived")

    def _add(self, table: str, rows: Iterable[Row]) -> None:
        self._rows.setdefault(table, []).extend(rows)

    def _insert(self, table: str, rows: Iterable[Row]) -> None:
        rows = list(rows)
        if rows:
            self._store.insert(table, TABLES[table].columns, rows)


def _by_id(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(row)
    return found


def stored_rows(store: StoreSession, table: str, ids: Iterable[str]) -> list[Row]:
    """Return the rows of *table* that belong to *ids*, with times in UTC, one row of each key."""
    return _without_repetitions(table, all_rows(store, table, ids))


def all_rows(store: StoreSession, table: str, ids: Iterable[str]) -> list[Row]:
    """Return the rows of *table* that belong to *ids*, with times in UTC, also rows with equal keys."""
    found: list[Row] = []
    times = TABLES[table].times
    for some in portions(ids):
        rows = store.query("exchange_rows", _POSITIONS[table], ids="\n".join(some))
        if times:
            rows = [
                tuple(in_utc(value) if place in times else value for place, value in enumerate(row))
                for row in rows
            ]
        found += rows
    return found


def _without_repetitions(table: str, rows: list[Row]) -> list[Row]:
    """Return one row of each key: without enforced keys, two recorders may have written the same run."""
    places = [column_position(table, name) for name in KEYS[table]]
    by_key: dict[Row, Row] = {}
    for row in rows:
        by_key.setdefault(tuple(row[place] for place in places), row)
    if len(by_key) == len(rows):
        return rows
    # Sorted, so that each reader finds the same one.
    by_key.clear()
    for row in sorted(rows, key=encode):
        by_key.setdefault(tuple(row[place] for place in places), row)
    return [*by_key.values()]


def known_pieces(store: StoreSession, piece: Piece, ids: Iterable[str]) -> set[str]:
    """Return those of *ids* that are stored completely."""
    return {
        str(found)
        for some in portions(ids)
        for (found,) in store.query("exchange_known", _KNOWN_POSITIONS[piece], ids="\n".join(some))
    }


def hashes_of_stored(store: StoreSession, run_ids: Iterable[str]) -> Mapping[str, str]:
    """Compute the hashes of stored runs from their rows."""
    wanted = tuple(run_ids)
    return hashes_of(*(stored_rows(store, table, wanted) for table in RUN_TABLES))


def add_hashes(store: StoreSession, hashes: Mapping[str, str]) -> None:
    """Store those of *hashes* that are missing."""
    known = {row[0] for row in stored_rows(store, "run_hashes", hashes)}
    new = [(run_id, content) for run_id, content in hashes.items() if run_id not in known]
    if new:
        store.insert("run_hashes", HASH_COLUMNS, new)


def _differs(stored: NodeStatistics, arriving: NodeStatistics) -> bool:
    """Return True if a figure that both have differs; times and reasons may differ."""
    counts = (stored.row_count, arriving.row_count)
    if None not in counts and counts[0] != counts[1]:
        return True
    return bool(stored.columns and arriving.columns) and _figures(stored)[1] != _figures(arriving)[1]


def _figures(node: NodeStatistics) -> tuple[int | None, str]:
    """Return the number of rows and the profile of *node* as text, without times."""
    time = COLUMN_COLUMNS.index("profiled_at")
    rows = ((*row[:time], None, *row[time + 1 :]) for row in column_rows("", node))
    return node.row_count, contents_of("column_statistics", rows).decode()


def contents_of(table: str, rows: Iterable[Row]) -> bytes:
    """Return *rows* as bytes that are equal for equal contents in every warehouse."""
    # Warehouses store JSON with other spaces, and whole numbers as other types.
    texts = TABLES[table].texts_of_json
    return encode(
        sorted(
            (
                [
                    msgspec.json.decode(value)
                    if place in texts and value is not None
                    else plain_number(value)
                    for place, value in enumerate(row)
                ]
                for row in rows
            ),
            key=encode,
        )
    )
