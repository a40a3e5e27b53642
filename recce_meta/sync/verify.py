"""Verification of what arrives from outside, by a bundle or over HTTP.

Ids that hash contents are computed again, from the leaves to the runs. An object that does not match its id,
or that refers to a piece which does not, is not written; the others are. Rows that belong to no object of the
batch are dropped.

The id of an analysis of column lineage hashes its inputs and not its contents, so it cannot be verified. Such
an analysis gets another id, a hash of its contents, and with it the parts and the column graphs that refer to
it. Recorders never use these ids, so a stranger cannot give them a lineage in advance.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import MAXYEAR, MINYEAR
from operator import itemgetter
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from recce_meta.models import Column, MacroMetadata, NodeMetadata, code_hash
from recce_meta.models.lineage import arrived_lineage_id
from recce_meta.models.marks.annotation import AnnotationEvent, event_problem
from recce_meta.models.marks.review import Review
from recce_meta.store import check_results, content
from recce_meta.store.content import reference_rows
from recce_meta.store.marks.reviews import review_id_of
from recce_meta.store.run_hash import hashes_of
from recce_meta.store.values import value_of_tree
from recce_meta.sync.encoding import encode_row, primary_key
from recce_meta.sync.row_checks import is_plain_id, row_problem
from recce_meta.sync.tables import (
    COLUMNS_REFERENCES,
    OBJECT_TABLES,
    PIECE_REFERENCES,
    PIECE_TABLES,
    RUN_REFERENCES,
    Reference,
    column_position,
    fields_of,
    values_of,
)
from recce_meta.sync.types import (
    Batch,
    ExchangeStatus,
    Inventory,
    Key,
    ObjectKind,
    Piece,
    Replica,
    Row,
    WriteResult,
)

_MISMATCH = "its id does not match its contents"
_UNREADABLE = (msgspec.MsgspecError, ValueError, TypeError, RecursionError, UnicodeError)
"""Errors of building an object from the rows of a stranger."""
_ORDER = (
    Piece.VERSION, Piece.PART, Piece.GRAPH, Piece.MACRO, Piece.MACRO_SET, Piece.FACT_PART, Piece.ANALYSIS,
    Piece.COLUMN_PART, Piece.COLUMN_GRAPH,
)  # fmt: skip
"""Pieces, each after those that it refers to."""

_PLAIN = (
    "unique_id", "name", "resource_type", "package_name", "path", "materialized", "language", "raw_code",
    "compiled_code", "checksum", "checksum_rule", "code_hash", "columns_from", "description", "access",
    "group_name", "version", "source_name",
)  # fmt: skip
"""Columns of a version that are fields of a node as they are."""

_names = msgspec.json.Decoder(tuple[str, ...]).decode
_columns = msgspec.json.Decoder(tuple[Column, ...]).decode
_object = msgspec.json.Decoder(dict[str, Any]).decode

_TREES = ("violations", "findings", "parameters")
_NOT_HASHED = ("check_result_id", "recorder_version")

Rows = dict[str, list[Row]]
"""Rows of an object or a piece by table."""


class Verified(Struct, frozen=True):
    """Batch that may be written, and why some of its objects may not."""

    batch: Batch
    failures: Mapping[Key, str]


class VerifyingReplica:
    """Replica that verifies all that it is given to write: its peer is not trusted."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica

    @property
    def name(self) -> str:
        """Name for reports and the history."""
        return self._replica.name

    def inventory(self) -> Inventory:
        """Return the objects of the replica."""
        return self._replica.inventory()

    def lacking(self, piece: Piece, ids: Iterable[str]) -> set[str]:
        """Return those of *ids* for which the replica has no piece."""
        return self._replica.lacking(piece, ids)

    def read(self, keys: Iterable[Key]) -> Batch:
        """Return the rows of the objects *keys*."""
        return self._replica.read(keys)

    def read_pieces(self, piece: Piece, ids: Iterable[str]) -> Mapping[str, list[Row]]:
        """Return the rows of the pieces *ids*."""
        return self._replica.read_pieces(piece, ids)

    def write(self, batch: Batch, peer: str) -> list[WriteResult]:
        """Write the valid objects of *batch*, and return what happened to each."""
        found = verify(batch)
        results = [WriteResult(key, ExchangeStatus.FAILED, reason) for key, reason in found.failures.items()]
        return results + (self._replica.write(found.batch, peer) if found.batch.keys else [])

    def close(self) -> None:
        """Release the connections of the replica."""
        self._replica.close()


def verify(batch: Batch, *, deletions: str | None = None) -> Verified:
    """Return the objects of *batch* that are valid, and why the others are not.

    *deletions* is the reason for which deletions are refused; None if they are accepted.
    """
    found = _Arriving(batch)
    pieces = _Pieces(found)
    failures: dict[Key, str] = {}
    for key in dict.fromkeys(batch.keys):
        problem = deletions if key.kind is ObjectKind.DELETION and deletions else _problem_of(key, found)
        problem = problem or pieces.problem_below(key)
        if problem is not None:
            failures[key] = problem
    valid = tuple(key for key in dict.fromkeys(batch.keys) if key not in failures)
    return Verified(Batch(valid, pieces.tables_of(valid)), failures)


class _Arriving:
    """Rows of a batch by table and id, and problems of single rows."""

    def __init__(self, batch: Batch) -> None:
        self._rows: dict[str, dict[str, list[Row]]] = {}
        self._problems: dict[tuple[str, str], str] = {}
        for table, rows in batch.tables.items():
            by_id = self._rows.setdefault(table, {})
            seen: set[tuple[Any, ...]] = set()
            key = [column_position(table, name) for name in primary_key(table)]
            for row in rows:
                identity = tuple(row[place] for place in key)
                problem = "a row occurs twice" if identity in seen else row_problem(table, row)
                seen.add(identity)
                if problem is not None:
                    self._problems.setdefault((table, row[0]), problem)
                by_id.setdefault(row[0], []).append(row)

    def rows(self, table: str, object_id: str) -> list[Row]:
        """Return the rows of *table* of one object or piece."""
        return self._rows.get(table, {}).get(object_id, [])

    def all_of(self, tables: Iterable[str], object_id: str) -> Rows:
        """Return the rows of *tables* of one object or piece."""
        return {table: self.rows(table, object_id) for table in tables}

    def ids(self, table: str) -> Collection[str]:
        """Return the ids of the objects or pieces in *table*."""
        return self._rows.get(table, {}).keys()

    def row_problem(self, tables: Iterable[str], object_id: str) -> str | None:
        """Return the first problem of a row of one object or piece."""
        found = (self._problems.get((table, object_id)) for table in tables)
        return next((problem for problem in found if problem is not None), None)


class _Pieces:
    """Pieces of a batch: verified from the leaves, and renamed if their ids cannot be verified."""

    def __init__(self, arriving: _Arriving) -> None:
        self._arriving = arriving
        self._problems: dict[tuple[Piece, str], str] = {}
        self._renamed: dict[tuple[Piece, str], str] = {}
        self._rows: dict[tuple[Piece, str], Rows] = {}
        for piece in _ORDER:
            for piece_id in arriving.ids(PIECE_TABLES[piece][0]):
                self._add(piece, piece_id)

    def _add(self, piece: Piece, piece_id: str) -> None:
        tables = PIECE_TABLES[piece]
        rows = self._arriving.all_of(tables, piece_id)
        problem = self._arriving.row_problem(tables, piece_id)
        if problem is None:
            checked = checked_piece(piece, piece_id, rows)
            if checked is None:
                problem = f"{_MISMATCH}: {piece.value} {piece_id}"
            else:
                self._rows[piece, piece_id] = self._renamed_rows(piece, piece_id, checked)
                problem = self._problem_of_parts(piece, piece_id)
        if problem is not None:
            self._problems[piece, piece_id] = problem

    def _problem_of_parts(self, piece: Piece, piece_id: str) -> str | None:
        """Return the problem of a piece that another one refers to; these were added before."""
        found = (self._problems.get(one) for one in self._parts_of(piece, piece_id))
        return next((problem for problem in found if problem is not None), None)

    def _parts_of(self, piece: Piece, piece_id: str) -> list[tuple[Piece, str]]:
        deeper = PIECE_REFERENCES.get(piece)
        if deeper is None:
            return []
        rows = self._arriving.rows(deeper.table, piece_id)
        return [(deeper.piece, one) for one in sorted(values_of(rows, deeper.table, deeper.column))]

    def _renamed_rows(self, piece: Piece, piece_id: str, rows: Rows) -> Rows:
        """Return *rows* with the new ids of the pieces that they refer to, under the new id of the piece."""
        if piece is Piece.ANALYSIS:
            return self._under(piece, piece_id, _id_of_analysis(piece_id, rows), rows)
        if piece not in (Piece.COLUMN_PART, Piece.COLUMN_GRAPH):
            return rows
        reference = PIECE_REFERENCES[piece]
        place = column_position(reference.table, reference.column)
        changed = [
            (*row[:place], self._renamed.get((reference.piece, row[place]), row[place]), *row[place + 1 :])
            for row in rows[reference.table]
        ]
        return self._under(piece, piece_id, _ids_of_tree(piece, changed), {reference.table: changed})

    def _under(self, piece: Piece, piece_id: str, new_id: str, rows: Rows) -> Rows:
        if new_id == piece_id:
            return rows
        self._renamed[piece, piece_id] = new_id
        return {table: [(new_id, *row[1:]) for row in some] for table, some in rows.items()}

    def problem_below(self, key: Key) -> str | None:
        """Return the problem of a piece of the batch that the object *key* needs, also indirectly."""
        found = (self._problems.get(one) for one in self._roots(key))
        return next((problem for problem in found if problem is not None), None)

    def _roots(self, key: Key) -> Iterator[tuple[Piece, str]]:
        for reference in _references(key):
            rows = self._arriving.rows(reference.table, key.id)
            for one in sorted(values_of(rows, reference.table, reference.column)):
                yield reference.piece, one

    def _below(self, key: Key, seen: set[tuple[Piece, str]]) -> Iterator[tuple[Piece, str]]:
        """Yield the pieces that the object *key* needs and that are not in *seen*, and add them to it."""
        # Many runs may share a large graph, which is only visited once.
        waiting = [one for one in self._roots(key) if one not in seen]
        seen.update(waiting)
        while waiting:
            found = waiting.pop()
            yield found
            new = [one for one in self._parts_of(*found) if one not in seen]
            seen.update(new)
            waiting.extend(new)

    def tables_of(self, keys: Iterable[Key]) -> Mapping[str, list[Row]]:
        """Return the rows of the objects *keys* and of the pieces that they need."""
        tables: dict[str, list[Row]] = {}
        done: set[tuple[str, str]] = set()
        seen: set[tuple[Piece, str]] = set()
        for key in keys:
            for table in OBJECT_TABLES[key.kind]:
                # A run and its column lineage share a row.
                if (table, key.id) not in done:
                    done.add((table, key.id))
                    tables.setdefault(table, []).extend(self._object_rows(table, key.id))
            for one in self._below(key, seen):
                for table, rows in self._rows.get(one, {}).items():
                    # Several ids may have the same contents, and then one new id.
                    identity = (table, self._renamed.get(one, one[1]))
                    if identity not in done:
                        done.add(identity)
                        tables.setdefault(table, []).extend(rows)
        return tables

    def _object_rows(self, table: str, object_id: str) -> Iterable[Row]:
        rows = self._arriving.rows(table, object_id)
        if table != "runs":
            return rows
        place = column_position("runs", "column_graph_id")
        return [
            (*row[:place], self._renamed.get((Piece.COLUMN_GRAPH, row[place]), row[place]), *row[place + 1 :])
            for row in rows
        ]


def _references(key: Key) -> Iterable[Reference]:
    return {ObjectKind.RUN: RUN_REFERENCES, ObjectKind.COLUMNS: COLUMNS_REFERENCES}.get(key.kind, ())


def _problem_of(key: Key, arriving: _Arriving) -> str | None:
    """Return why the rows of an object itself must not be written; None if they are valid."""
    tables = OBJECT_TABLES[key.kind]
    if not is_plain_id(key.id):
        return "its id is not an id"
    if (problem := arriving.row_problem(tables, key.id)) is not None:
        return problem
    return object_problem(key, arriving.all_of(tables, key.id))


def object_problem(key: Key, rows: Rows) -> str | None:
    """Return why *rows*, by table, are not the object *key*; None if they are."""
    own = rows[OBJECT_TABLES[key.kind][0]]
    # Statistics may have rows of columns alone; all other objects have one row of their own.
    if not any(rows.values()) or (len(own) != 1 and key.kind is not ObjectKind.STATISTICS):
        return "its row is missing"
    check = _OBJECT_CHECKS.get(key.kind)
    try:
        return None if check is None else check(key.id, rows)
    except _UNREADABLE:
        return "it has values that no version writes"


def checked_piece(piece: Piece, piece_id: str, rows: Rows) -> Rows | None:
    """Return *rows*, by table, with derived values computed again; None if they are not the piece."""
    try:
        return _CHECKS[piece](piece_id, rows)
    except _UNREADABLE:
        return None


def _run_problem(run_id: str, rows: Rows) -> str | None:
    found = hashes_of(rows["runs"], rows["run_results"], rows["fact_parts"])[run_id]
    is_same = all(claimed == found for _, claimed in rows["run_hashes"])
    return None if is_same else "its contents do not match its hash"


def _tombstone_problem(run_id: str, rows: Rows) -> str | None:
    (row,) = rows["tombstones"]
    # The clock may be wrong, but every time zone must be able to show it.
    is_shown = MINYEAR < row[column_position("tombstones", "deleted_at")].year < MAXYEAR
    return None if is_shown else "its time is outside the years 2 to 9998"


def _annotation_problem(event_id: str, rows: Rows) -> str | None:
    return event_problem(AnnotationEvent(**fields_of("annotation_events", rows["annotation_events"][0])))


def _review_problem(review_id: str, rows: Rows) -> str | None:
    review = Review(**fields_of("reviews", rows["reviews"][0]))
    return None if review_id_of(review) == review_id else _MISMATCH


def _check_problem(check_id: str, rows: Rows) -> str | None:
    row = rows["check_results"][0]
    check = check_results.check_of(row)
    fields = fields_of("check_results", row)
    # As it is written: an earlier version hashed findings with fewer members.
    written = {name: value_of_tree(msgspec.json.decode(fields[name])) for name in _TREES}
    hashed = [value for name, value in (fields | written).items() if name not in _NOT_HASHED]
    proven = (check_results.with_id(check).check_result_id, content.digest(msgspec.json.encode(hashed)))
    # Some warehouses sort the members of JSON, so the order that was hashed is unknown.
    return None if check_id in proven or _has_order(check.parameters) else _MISMATCH


def _has_order(value: Any) -> bool:
    """Return True if the members of *value*, JSON, can be written in several orders."""
    if isinstance(value, dict):
        return len(value) > 1 or any(map(_has_order, value.values()))
    return any(map(_has_order, value)) if isinstance(value, list) else False


_OBJECT_CHECKS: Mapping[ObjectKind, Callable[[str, Rows], str | None]] = {
    ObjectKind.RUN: _run_problem,
    ObjectKind.DELETION: _tombstone_problem,
    ObjectKind.ANNOTATION: _annotation_problem,
    ObjectKind.REVIEW: _review_problem,
    ObjectKind.CHECK_RESULT: _check_problem,
}


def _checked_version(version_id: str, rows: Rows) -> Rows | None:
    """Return the rows of a version with derived values computed again; None if the id does not match."""
    (row,) = rows["node_versions"]
    fields = fields_of("node_versions", row)
    node = _node_of(fields, [str(parent[1]) for parent in rows["version_parents"]])
    ids = (id_of(node) for id_of in (content.stored_version_id, content.original_version_id))
    if version_id not in ids:
        return None
    compiled = node.compiled_code
    fields["compiled_hash"] = code_hash(compiled) if compiled else None
    return {
        "node_versions": [tuple(fields.values())],
        "version_parents": rows["version_parents"],
        # Derived from the node, whose hash covers its constraints.
        "version_references": [tuple(one) for one in reference_rows([(version_id, node)])],
    }


def _node_of(fields: Mapping[str, Any], parents: Iterable[str]) -> NodeMetadata:
    plain: dict[str, Any] = {name: fields[name] for name in _PLAIN}
    objects = {name: _object(fields[name]) for name in ("config", "unrendered_config", "meta", "properties")}
    contract = fields["contract"]
    return NodeMetadata(
        **plain | objects,
        fqn=_names(fields["fqn"]),
        tags=_names(fields["tags"]),
        macros=_names(fields["macros"]),
        columns=_columns(fields["columns"]),
        contract=None if contract is None else _object(contract),
        parents=tuple(sorted(parents)),
    )


def _checked_macro(version_id: str, rows: Rows) -> Rows | None:
    (row,) = rows["macros"]
    fields = fields_of("macros", row)
    del fields["version_id"]
    macro = MacroMetadata(**{**fields, "macros": _names(fields["macros"])})
    original = replace(macro, macro_sql=content.with_nul(macro.macro_sql))
    return rows if version_id in map(content.macro_version_id, (macro, original)) else None


def _checked_tree(piece: Piece) -> Callable[[str, Rows], Rows | None]:
    def checked(piece_id: str, rows: Rows) -> Rows | None:
        (found,) = rows.values()
        return rows if _ids_of_tree(piece, found) == piece_id else None

    return checked


def _ids_of_tree(piece: Piece, rows: Sequence[Row]) -> str:
    """Return the id of a graph, a set of macros or a part with *rows*."""
    members = [row[1:] for row in rows]
    if piece in (Piece.GRAPH, Piece.MACRO_SET, Piece.COLUMN_GRAPH):
        return content.tree_id({str(member[0]): None for member in members})
    return content.part_id(sorted(members, key=lambda member: str(member[0])))


def _checked_analysis(lineage_id: str, rows: Rows) -> Rows | None:
    ordinals = sorted(row[1] for row in rows["column_edges"])
    is_whole = len(rows["column_analyses"]) == 1 and ordinals == [*range(1, len(ordinals) + 1)]
    return rows if is_whole else None


def _id_of_analysis(lineage_id: str, rows: Rows) -> str:
    """Return the id of an analysis from outside, which is the same however often it is renamed."""
    ordered = ((table, row) for table in rows for row in sorted(rows[table], key=itemgetter(1)))
    lines = (encode_row(table, ("", *row[1:])) for table, row in ordered)
    return arrived_lineage_id(lineage_id, content.digest(b"".join(lines)))


_CHECKS: Mapping[Piece, Callable[[str, Rows], Rows | None]] = {
    Piece.GRAPH: _checked_tree(Piece.GRAPH),
    Piece.PART: _checked_tree(Piece.PART),
    Piece.VERSION: _checked_version,
    Piece.MACRO_SET: _checked_tree(Piece.MACRO_SET),
    Piece.MACRO: _checked_macro,
    Piece.COLUMN_GRAPH: _checked_tree(Piece.COLUMN_GRAPH),
    Piece.COLUMN_PART: _checked_tree(Piece.COLUMN_PART),
    Piece.ANALYSIS: _checked_analysis,
    Piece.FACT_PART: _checked_tree(Piece.FACT_PART),
}
"""Function of each piece that returns its rows, or None if its id does not match them."""
