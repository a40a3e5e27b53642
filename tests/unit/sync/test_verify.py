"""Verification of what arrives: honest objects pass, and every change of a row is noticed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from recce_meta import demo_data
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.record import record_project
from recce_meta.extractors.project import extract_project
from recce_meta.models.checks import StoredCheck
from recce_meta.models.marks.annotation import AnnotationTarget
from recce_meta.models.marks.review import Review
from recce_meta.store.check_results import save_checks
from recce_meta.store.content import digest
from recce_meta.store.marks.annotations import AnnotationChange, add_annotations
from recce_meta.store.marks.reviews import save_reviews
from recce_meta.sync.encoding import column_forms, pack, unpack
from recce_meta.sync.exchange import exchange
from recce_meta.sync.row_checks import is_plain_id, row_problem
from recce_meta.sync.stores import StoreReplica
from recce_meta.sync.tables import PIECE_TABLES, TABLES, column_position
from recce_meta.sync.types import Batch, Inventory, Key, ObjectKind, Piece, Row, WriteResult
from recce_meta.sync.verify import Verified, verify

PROJECT = "jaffle_shop"
ORDERS = "model.jaffle_shop.orders"
NOT_PROVEN = {
    # How an edge is known, derived values, and what is computed from the contents.
    "version_parents": {"kind", "confidence"},
    "node_versions": {"compiled_hash"},
    "version_references": set(TABLES["version_references"].columns),
    # Who recorded the run, and when.
    "runs": {
        "run_at", "recorded_at", "recorder_version", "column_graph_id", "git_proven", "warnings",
        "extraction", "variables", "run_started_at", "run_completed_at", "elapsed_time", "full_refresh",
        "args", "job", "commit_url", "critical_path",
    },
    "run_results": {
        "seconds", "completed_at", "compile_started_at", "compile_completed_at", "execute_started_at",
        "execute_completed_at", "thread_id", "query_id", "adapter_response",
        "failed_rows",
    },
    "check_results": {"recorder_version"},
    "reviews": {"recorder_version"},
    "annotation_events": {"recorder_version"},
    # The id of an analysis hashes its inputs, so it gets another id.
    "column_analyses": set(TABLES["column_analyses"].columns),
    "column_edges": set(TABLES["column_edges"].columns),
}  # fmt: skip
"""Columns that no hash covers."""


class Sink:
    """Side of an exchange that has nothing, and remembers what it gets."""

    name = "sink"

    def __init__(self) -> None:
        self.batches: list[Batch] = []

    def inventory(self) -> Inventory:
        return Inventory({}, 12)

    def lacking(self, piece: Piece, ids: Any) -> set[str]:
        return set(ids)

    def read(self, keys: Any) -> Batch:
        return Batch((), {})

    def read_pieces(self, piece: Piece, ids: Any) -> dict[str, list[Row]]:
        return {}

    def write(self, batch: Batch, peer: str) -> list[WriteResult]:
        self.batches.append(batch)
        return []

    def close(self) -> None:
        """Do nothing."""


@pytest.fixture(scope="module")
def honest() -> Iterator[Batch]:
    """Yield a run of the demo with column lineage, a review, a check result and notes, as it arrives."""
    with UnifiedSqlAdapter.from_url("duckdb:///:memory:") as adapter:
        yield _recorded(adapter)


def _recorded(adapter: UnifiedSqlAdapter) -> Batch:
    now = datetime.now(timezone.utc)
    # In memory, recording refuses to create a store that ends with the connection.
    adapter.execute("SELECT 1")
    run = record_project(adapter, extract_project(demo_data.artifacts("base"), environment="prod")).run
    save_reviews(
        adapter,
        [
            Review(
                review_id="", reviewed_at=now, project_name=PROJECT, current_run_id=run.run_id,
                unique_id=ORDERS, status="seen", comment="fine", reviewer="ann", fingerprint="f" * 32,
                recorder_version="1.0",
            )
        ],
    )  # fmt: skip
    save_checks(
        adapter,
        [
            StoredCheck(
                check_result_id="", checked_at=now, base_run_id=None, current_run_id=run.run_id, ordinal=1,
                check_name="c", check_type="row_count", status="passed", has_expectations=True,
                recorder_version="1.0", violations=("one",), seconds=0.5, parameters={"key": "id"},
            )
        ],
    )  # fmt: skip
    target = AnnotationTarget(project_name=PROJECT, unique_id=ORDERS)
    changes = [AnnotationChange(target=target, field="note", value=text) for text in ("a", "b")]
    add_annotations(adapter, changes[:1], author="ann")
    add_annotations(adapter, changes[1:], author="bob")
    sink = Sink()
    exchange(StoreReplica(adapter, name="mine", pack=pack), sink, "push")
    tables: dict[str, list[Row]] = {}
    for batch in sink.batches:
        for table, rows in batch.tables.items():
            tables.setdefault(table, []).extend(rows)
    return unpack(pack(Batch(tuple(key for batch in sink.batches for key in batch.keys), tables)))


def checked(batch: Batch, **others: Any) -> Verified:
    """Return the verification of *batch*."""
    return verify(batch, **others)


def changed(batch: Batch, table: str, change: Callable[[list[Row]], list[Row]]) -> Batch:
    """Return *batch* with other rows in *table*."""
    return replace(batch, tables={**batch.tables, table: change(list(batch.tables[table]))})


def with_cell(batch: Batch, table: str, name: str, value: object, number: int = 0) -> Batch:
    """Return *batch* with another value in a row of *table*."""
    place = column_position(table, name)

    def change(rows: list[Row]) -> list[Row]:
        row = rows[number]
        rows[number] = (*row[:place], value, *row[place + 1 :])
        return rows

    return changed(batch, table, change)


def key_of(batch: Batch, kind: ObjectKind) -> Key:
    """Return the first object of *kind*."""
    return next(key for key in batch.keys if key.kind is kind)


def test_honest_objects_pass_unchanged_but_for_their_column_lineage(honest: Batch) -> None:
    found = checked(honest)

    assert found.failures == {}
    assert set(found.batch.keys) == set(honest.keys)
    renamed = {"runs", "column_parts", "column_part_nodes", "column_analyses", "column_edges"}
    for table, rows in honest.tables.items():
        arrived = found.batch.tables.get(table, [])
        assert len(arrived) == len(rows)
        if table not in renamed:
            assert sorted(map(repr, arrived)) == sorted(map(repr, rows))
    assert all("x" in row[0] for row in found.batch.tables["column_analyses"])


def test_verifying_twice_changes_nothing(honest: Batch) -> None:
    once = checked(honest).batch
    twice = checked(once)

    assert twice.failures == {}
    assert {name: sorted(map(repr, rows)) for name, rows in twice.batch.tables.items()} == {
        name: sorted(map(repr, rows)) for name, rows in once.tables.items()
    }


def test_equal_lineage_under_another_id_gets_the_same_id(honest: Batch) -> None:
    def planted(rows: list[Row]) -> list[Row]:
        return [("v7." + row[0][3:][::-1], *row[1:]) for row in rows]

    # The parts name the former ids, so the column lineage itself is refused.
    analyses = {table: planted(honest.tables[table]) for table in PIECE_TABLES[Piece.ANALYSIS]}
    forged = checked(replace(honest, tables={**honest.tables, **analyses}))
    assert set(forged.failures) == set()
    assert "column_analyses" not in forged.batch.tables


PROVEN = (
    "runs", "run_hashes", "run_results", "graph_parts", "part_nodes", "node_versions", "version_parents",
    "macro_sets", "macros", "column_parts", "column_part_nodes", "check_results", "reviews",
    "annotation_events",
)  # fmt: skip
CELLS = [
    (table, name)
    for table in PROVEN
    for name in TABLES[table].columns
    if name not in NOT_PROVEN.get(table, ())
]


def other_value(table: str, name: str, value: Any) -> Any:
    """Return another value of the type of a column."""
    form = column_forms(table)[name]
    if form.type == "JSON":
        return '{"forged": 1}' if (value or "{").startswith("{") else '["forged"]'
    if form.type == "BOOLEAN":
        return not value
    if form.type == "TIMESTAMPTZ":
        return value + timedelta(microseconds=1)
    return (value or 0) + 1 if form.type in ("BIGINT", "DOUBLE") else f"{value or ''}1"[-64:]


@pytest.mark.cases(8)
@pytest.mark.parametrize(("table", "name"), CELLS)
def test_every_changed_cell_is_noticed(honest: Batch, table: str, name: str) -> None:
    value = honest.tables[table][0][column_position(table, name)]
    forged = with_cell(honest, table, name, other_value(table, name, value))
    found = checked(forged)

    # A changed id is that of another object, whose rows are dropped; anything else is a failure.
    is_dropped = sum(map(len, found.batch.tables.values())) < sum(map(len, honest.tables.values()))
    assert found.failures or is_dropped
    assert forged.tables[table][0] not in found.batch.tables.get(table, ())


def test_a_failed_piece_fails_only_what_needs_it(honest: Batch) -> None:
    found = checked(with_cell(honest, "column_part_nodes", "lineage_id", "v7.0000"))

    assert {key.kind for key in found.failures} == {ObjectKind.COLUMNS}
    assert (
        "its id does not match its contents: column_part_nodes"
        in found.failures[key_of(honest, ObjectKind.COLUMNS)]
    )
    assert "column_edges" not in found.batch.tables and len(found.batch.tables["runs"]) == 1


def test_rows_that_belong_to_no_object_are_dropped(honest: Batch) -> None:
    alone = replace(honest, keys=tuple(key for key in honest.keys if key.kind is ObjectKind.ANNOTATION))
    assert set(checked(alone).batch.tables) == {"annotation_events"}

    stranger = changed(honest, "graph_parts", lambda rows: [*rows, ("0" * 32, "1" * 32)])
    assert len(checked(stranger).batch.tables["graph_parts"]) == len(honest.tables["graph_parts"])


@pytest.mark.parametrize("table", ["runs", "graph_parts", "node_versions", "run_results", "reviews"])
def test_a_repeated_row_is_refused(honest: Batch, table: str) -> None:
    assert checked(changed(honest, table, lambda rows: [*rows, rows[0]])).failures


def test_an_object_without_rows_fails(honest: Batch) -> None:
    key = Key(ObjectKind.QUALITY, "missing")
    found = checked(replace(honest, keys=(*honest.keys, key)))
    assert found.failures == {key: "its row is missing"}


@pytest.mark.parametrize(("year", "is_valid"), [(1, False), (1016, True), (2036, True), (9999, False)])
def test_no_deletion_is_refused_for_its_time_unless_it_cannot_be_shown(year: int, is_valid: bool) -> None:
    key, at = Key(ObjectKind.DELETION, "one"), datetime(year, 6, 1, tzinfo=timezone.utc)
    found = checked(Batch((key,), {"tombstones": [("one", PROJECT, at, "ann", "prune", "1.0")]}))
    assert found.failures == ({} if is_valid else {key: "its time is outside the years 2 to 9998"})


def test_deletions_are_refused_if_they_must_be() -> None:
    now = datetime.now(timezone.utc)
    key = Key(ObjectKind.DELETION, "one")
    batch = Batch((key,), {"tombstones": [("one", PROJECT, now, "ann", "prune", "1.0")]})
    assert checked(batch).batch == batch
    assert checked(batch, deletions="no").failures == {key: "no"}


@pytest.mark.parametrize(
    ("table", "name", "value"),
    [
        ("runs", "run_id", "../../etc/passwd"),
        ("runs", "branch", "a\0b"),
        ("runs", "branch", "\ud800"),
        ("runs", "branch", "b" * 4001),
        ("runs", "warnings", "[1]"),
        ("runs", "warnings", "{"),
        ("runs", "extraction", '{"trigger": 5}'),
        ("runs", "variables", '{"day": 5}'),
        ("runs", "status", "other"),
        ("runs", "node_count", -1),
        ("runs", "target_name", '\x1b[2J"\u202e' + "\0"),
        ("node_versions", "config", '{"a": "\\u0000"}'),
        ("node_versions", "columns", '[{"name": 5}]'),
        ("node_versions", "fqn", '{"a": 1}'),
        ("node_versions", "meta", "[" * 100_000),
        ("version_parents", "kind", "other"),
        ("version_parents", "confidence", 2.0),
        ("column_edges", "kind", "other"),
        ("column_edges", "confidence", float("nan")),
        ("column_analyses", "tier", "other"),
        ("reviews", "status", "other"),
        ("check_results", "findings", '[{"unknown": 1}]'),
        ("check_results", "violations", '{"a": 1}'),
        ("check_results", "parameters", '{"$int": "abc"}'),
    ],
)
def test_values_that_readers_do_not_understand_are_refused(
    honest: Batch, table: str, name: str, value: object
) -> None:
    assert checked(with_cell(honest, table, name, value)).failures


@pytest.mark.parametrize("run_id", ["latest", "branch:main", "base~1"])
def test_the_id_of_a_run_is_no_selector_of_other_runs(honest: Batch, run_id: str) -> None:
    row = honest.tables["runs"][0]

    assert row_problem("runs", row) is None
    assert row_problem("runs", (run_id, *row[1:])) is not None


@pytest.mark.parametrize(("levels", "is_valid"), [(90, True), (110, False), (900, False)])
def test_deeply_nested_json_is_refused(honest: Batch, levels: int, is_valid: bool) -> None:
    text = '{"a":' * levels + "[]" + "}" * levels
    row = with_cell(honest, "node_versions", "meta", text).tables["node_versions"][0]
    found = row_problem("node_versions", row)

    assert found == (None if is_valid else "meta of node_versions is nested too deeply")


def test_a_graph_of_many_runs_is_verified_and_sent_once(honest: Batch) -> None:
    (row,) = honest.tables["runs"]
    ids = [f"run-{number}" for number in range(3)]
    tables = {**honest.tables, "runs": [(one, *row[1:]) for one in ids], "run_results": [], "run_hashes": []}
    keys = tuple(Key(kind, one) for one in ids for kind in (ObjectKind.RUN, ObjectKind.COLUMNS))
    found = checked(Batch(keys, tables))
    forged = checked(with_cell(Batch(keys, tables), "node_versions", "description", "forged"))

    assert not found.failures
    for table in ("graph_parts", "part_nodes", "node_versions", "macros"):
        assert sorted(found.batch.tables[table]) == sorted(honest.tables[table])
    assert {key for key in forged.failures if key.kind is ObjectKind.RUN} == {
        Key(ObjectKind.RUN, one) for one in ids
    }


def test_figures_must_be_readable() -> None:
    row = dict.fromkeys(TABLES["column_top_values"].columns)
    row |= {"quality_run_id": "q", "unique_id": "u", "ordinal": 1, "place": 1, "column_name": "c"}
    row |= {"value_count": 1}
    for kind, value, is_valid in (
        (None, None, True),
        ("int", "5", True),
        ("int", "five", False),
        ("decimal", "many", False),
        ("timestamp", "2026-99-01", False),
        ("map", "[" * 100_000, False),
        ("later", "5", False),
    ):
        found = row_problem("column_top_values", tuple({**row, "value_kind": kind, "value": value}.values()))
        assert (found is None) == is_valid, (kind, value)


@pytest.mark.parametrize(
    ("text", "is_plain"),
    [
        ("0a1b", True), ("manual-run 1", True), ("v7.x0a", True), ("", False), (".", False), ("..", False),
        ("a/b", False), ("a\\b", False), ("a\nb", False), ("a\u202eb", False), ("a" * 65, False),
        (" a", False),
    ],
)  # fmt: skip
def test_ids_are_short_and_plain(text: str, is_plain: bool) -> None:
    assert is_plain_id(text) == is_plain


def test_a_check_result_of_an_earlier_version_is_proven_by_its_text(honest: Batch) -> None:
    place = column_position("check_results", "findings")
    row = honest.tables["check_results"][0]
    fields = dict(zip(TABLES["check_results"].columns, row, strict=True))
    trees = {
        "violations": ["one"],
        "findings": [{"name": "a", "finding": "same", "text": "1"}],
        "parameters": {"key": "id"},
    }
    hashed = [
        value
        for name, value in (fields | trees).items()
        if name not in ("check_result_id", "recorder_version")
    ]
    key = Key(ObjectKind.CHECK_RESULT, digest(msgspec.json.encode(hashed)))
    older = (key.id, *row[1:place], '[{"name":"a","finding":"same","text":"1"}]', *row[place + 1 :])
    reasons = [
        checked(Batch((key,), {"check_results": [(key.id, *one[1:])]})).failures for one in (older, row)
    ]
    assert reasons == [{}, {key: "its id does not match its contents"}]
