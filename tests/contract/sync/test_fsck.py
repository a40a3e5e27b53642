"""A check of a store finds every damage and nothing else, names the runs, and repairs what is derived."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timezone
from typing import Any, NamedTuple

import pytest

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.record import record_run as record_with_columns
from recce_meta.errors import StoreNotFound
from recce_meta.models import NodeMetadata, Project
from recce_meta.models.marks.annotation import AnnotationTarget
from recce_meta.models.run import FsckResult
from recce_meta.store.content import without_nul
from recce_meta.store.marks.annotations import AnnotationChange, add_annotations
from recce_meta.store.session import open_store
from recce_meta.store.sql_files import KEYS
from recce_meta.sync.arriving import all_rows
from recce_meta.sync.fsck import fsck
from recce_meta.sync.tables import TABLES, column_position
from recce_meta.sync.types import Row, SyncConflict
from tests.contract.store.test_export import as_bytes, exported, record_both
from tests.contract.sync.conftest import Side
from tests.proofs import sampled

pytestmark = pytest.mark.core("sqlite")

AT = datetime(2026, 11, 1, 12, tzinfo=timezone.utc)
MakeProject = Callable[..., Project]
Rows = list[Row]


class Damage(NamedTuple):
    """Change of the rows of one table, and the problems that it causes."""

    table: str
    change: Callable[[Rows], Rows]
    found: frozenset[tuple[str, str]]
    """Kind and table of each problem."""
    is_repaired: bool = False


def changed(table: str, column: str, value: object, *, most: int = 1) -> Callable[[Rows], Rows]:
    """Return a function that sets *column* of the first rows that have a value there."""
    place = column_position(table, column)

    def change(rows: Rows) -> Rows:
        chosen = [number for number, row in enumerate(rows) if row[place] is not None][:most]
        assert chosen, f"no row of {table} has a {column}"
        return [
            (*row[:place], value, *row[place + 1 :]) if number in chosen else row
            for number, row in enumerate(rows)
        ]

    return change


def without(place: int) -> Callable[[Rows], Rows]:
    """Return a function that removes the row at *place*."""
    return lambda rows: [row for row in rows if row != rows[place]]


def without_columns(rows: Rows) -> Rows:
    """Return *rows* of `column_analyses` without one that has columns."""
    place = column_position("column_analyses", "reason")
    lost = next(row for row in rows if row[place] is None)
    return [row for row in rows if row != lost]


def without_analysis(rows: Rows) -> Rows:
    """Return *rows* of `column_part_nodes` without one whose analysis no other has, but whose part has."""
    place, part = (column_position("column_part_nodes", name) for name in ("lineage_id", "part_id"))
    counts, parts = Counter(row[place] for row in rows), Counter(row[part] for row in rows)
    lost = next(row for row in rows if counts[row[place]] == 1 < parts[row[part]])
    return [row for row in rows if row != lost]


def without_node(name: str) -> Callable[[Rows], Rows]:
    """Return a function that removes the versions of a node."""
    place = column_position("node_versions", "name")
    return lambda rows: [row for row in rows if row[place] != name]


def with_row_of(table: str, **values: object) -> Callable[[Rows], Rows]:
    """Return a function that adds a copy of the first row with other *values*."""

    def change(rows: Rows) -> Rows:
        fields = dict(zip(TABLES[table].columns, rows[0], strict=True)) | values
        return [*rows, tuple(fields.values())]

    return change


def problems(*found: str) -> frozenset[tuple[str, str]]:
    """Return kind and table of problems such as `content node_versions`."""
    pairs = (one.split(" ") for one in found)
    return frozenset((kind, f"store_{table}") for kind, table in pairs)


DAMAGES = {
    "text of a node": Damage(
        "node_versions", changed("node_versions", "description", "other"), problems("content node_versions")
    ),
    "lost version of a node": Damage(
        "node_versions",
        without_node("m001"),
        problems("missing node_versions", "garbage version_parents"),
    ),
    "lost part of a graph": Damage(
        "part_nodes", without(0), problems("missing part_nodes", "garbage node_versions")
    ),
    "lost row of a graph": Damage("graph_parts", without(0), problems("content graph_parts")),
    "moved node": Damage(
        "part_nodes", changed("part_nodes", "schema_name", "other"), problems("content part_nodes")
    ),
    "edge of a node": Damage("version_parents", without(0), problems("content node_versions")),
    "text of a macro": Damage("macros", changed("macros", "macro_sql", "other"), problems("content macros")),
    "lost macro": Damage("macros", without(0), problems("missing macros")),
    "number of nodes": Damage("runs", changed("runs", "node_count", 99), problems("content runs")),
    "lost result": Damage("run_results", without(0), problems("content runs")),
    "hash of a run": Damage(
        "run_hashes", changed("run_hashes", "content_hash", "0" * 32), problems("content runs")
    ),
    "lost analysis": Damage(
        "column_analyses", without_columns, problems("missing column_analyses", "garbage column_edges")
    ),
    "lost column": Damage(
        "column_edges", changed("column_edges", "ordinal", 2), problems("content column_analyses")
    ),
    "lost part of column lineage": Damage(
        "column_part_nodes",
        without_analysis,
        problems("content column_part_nodes", "garbage column_analyses"),
    ),
    "author of a note": Damage(
        "annotation_events",
        changed("annotation_events", "author", "other"),
        problems("content annotation_events"),
    ),
    "comment of a review": Damage(
        "reviews", changed("reviews", "comment", "other"), problems("content reviews")
    ),
    "kinds of figures": Damage(
        "column_statistics",
        changed("column_statistics", "value_kinds", '{"no_figure":"int"}'),
        problems("content node_statistics"),
    ),
    "parameters of a data diff": Damage(
        "data_diffs", changed("data_diffs", "parameters", "[1]"), problems("content data_diffs")
    ),
    "run that was deleted": Damage(
        "tombstones",
        lambda rows: [*rows, ("base-1", "shop", AT, "ada", "by hand", "1")],
        problems("deleted tombstones"),
    ),
    "hash of compiled code": Damage(
        "node_versions",
        changed("node_versions", "compiled_hash", "0" * 32, most=2),
        problems("derived node_versions"),
        is_repaired=True,
    ),
    "foreign key": Damage(
        "version_references",
        lambda rows: [*rows, ("", 1, "fk", "model.shop.m001", "[]", "[]", None, None)],
        problems("derived node_versions"),
        is_repaired=True,
    ),
    "results of no run": Damage(
        "run_results",
        with_row_of("run_results", run_id="gone"),
        problems("garbage run_results"),
        is_repaired=True,
    ),
    "part of no graph": Damage(
        "part_nodes",
        with_row_of("part_nodes", part_id="0" * 32),
        problems("garbage part_nodes"),
        is_repaired=True,
    ),
    "graph of no run": Damage(
        "graph_parts",
        with_row_of("graph_parts", graph_id="0" * 32),
        problems("garbage graph_parts"),
        is_repaired=True,
    ),
}


@pytest.fixture
def full(
    backend: Any, prepared_databases: Any, make_project: MakeProject, request: pytest.FixtureRequest
) -> Iterator[Side]:
    """A store with all kinds of objects and pieces, recorded once for each warehouse."""

    def fill(adapter: UnifiedSqlAdapter) -> None:
        side = Side(adapter, adapter.schema)
        record_both(side, make_project)
        odd = make_project("base-2", environment="base", changed=("m003", "m004"))
        record_with_columns(adapter, odd)
        target = AnnotationTarget(project_name="shop", unique_id="model.shop.m001")
        changes = [AnnotationChange(target, "note", "", "checked")]
        add_annotations(adapter, changes, author="Ann", now=AT)

    with prepared_databases.copied(backend, (request.path, "full"), fill) as copy:
        if copy is None:
            here: Side = request.getfixturevalue("here")
            fill(here.adapter.at(here.schema))
            yield here
            return
        with copy[0].connect() as adapter:
            yield Side(adapter, copy[1])


def checked(side: Side, *, repair: bool = False) -> FsckResult:
    return fsck(side.adapter.at(side.schema), repair=repair)


def kinds(result: FsckResult) -> frozenset[tuple[str, str]]:
    return frozenset((one.kind.value, one.table) for one in result.problems)


def answers(side: Side) -> object:
    """Return what commands and views answer."""
    runs = side.runs()
    changes = side.answer("SELECT * FROM {s}.node_changes ORDER BY run_id, unique_id")
    impacts = side.answer("SELECT * FROM {s}.impacted_nodes ORDER BY run_id, changed_id, unique_id")
    keys = side.answer("SELECT COUNT(*) FROM {s}.foreign_keys")
    return [as_bytes(exported(side.adapter, side.schema, run)) for run in runs], changes, impacts, keys


def stored(side: Side, table: str) -> Rows:
    """Return all rows of *table*, sorted by their keys."""
    ids = side.answer(f"SELECT DISTINCT {KEYS[table][0]} FROM {{s}}.store_{table}")
    with side.opened() as store:
        rows = all_rows(store, table, [str(one) for (one,) in ids])
    places = [column_position(table, name) for name in KEYS[table]]
    return sorted(rows, key=lambda row: [str(row[place]) for place in places])


def write(side: Side, table: str, rows: Sequence[Row]) -> None:
    """Replace all rows of *table*."""
    before = stored(side, table)
    with open_store(side.adapter.at(side.schema), writes=True) as store:
        store.remove(table, sorted({str(row[0]) for row in before}))
        store.insert(table, TABLES[table].columns, rows)


def damaged(side: Side, damage: Damage) -> Rows:
    """Damage the store, and return the rows that the table had."""
    before = stored(side, damage.table)
    after = damage.change(before)
    if damage.table == "version_references":
        version = stored(side, "node_versions")[0][0]
        after = [row if row[0] else (version, *row[1:]) for row in after]
    assert after != before
    write(side, damage.table, after)
    return before


@pytest.mark.emulated("snowflake", "bigquery", "redshift")
@pytest.mark.extensive
def test_every_damage_is_found_and_nothing_else_and_what_is_derived_is_repaired(full: Side) -> None:
    sound, expected = checked(full), answers(full)
    assert (sound.problems, sound.repaired, sound.objects >= 9) == ((), (), True), sound

    # Elsewhere a look at a store takes longer; all of them pass with the whole matrix.
    names = [*DAMAGES]
    if full.adapter.warehouse.name != "sqlite":
        names = sampled(names, names[::4])
    failures = {}
    for name in names:
        damage = DAMAGES[name]
        before = damaged(full, damage)
        seen = kinds(checked(full))
        found = seen - _CHANGES
        left = kinds(checked(full, repair=True)) - _CHANGES
        is_same = not damage.is_repaired or answers(full) == expected
        if not damage.is_repaired:
            write(full, damage.table, before)
            # What a damaged graph made differ.
            if seen & _CHANGES:
                checked(full, repair=True)
        wanted = frozenset() if damage.is_repaired else damage.found
        if (found, left, is_same) != (damage.found, wanted, True):
            failures[name] = (found, left, is_same)

    assert not failures, "\n".join(map(str, failures.items()))
    assert checked(full).problems == ()
    assert answers(full) == expected


_CHANGES = problems("derived graph_changes", "derived graph_impacts")
"""Where changes and impacts are stored, they may contradict a damaged graph as well."""


@pytest.mark.parametrize(
    ("table", "damage"),
    [
        pytest.param("graph_changes", "UPDATE {s} SET status = 'removed'", marks=pytest.mark.extensive),
        pytest.param("graph_changes", "UPDATE {s} SET code_changed = NULL", marks=pytest.mark.extensive),
        ("graph_changes", "DELETE FROM {s}"),
        ("graph_impacts", "UPDATE {s} SET distance = distance + 1"),
        pytest.param("graph_impacts", "DELETE FROM {s}", marks=pytest.mark.extensive),
    ],
)
def test_stored_changes_are_compared_with_the_graphs(full: Side, table: str, damage: str) -> None:
    with full.opened() as store:
        if not store.stores_changes:
            pytest.skip("computes all changes")
    expected = answers(full)
    assert full.answer(f"SELECT COUNT(*) FROM {{s}}.store_{table}")[0][0]
    full.execute(damage.replace("{s}", f"{{s}}.store_{table}"))
    assert answers(full) != expected

    found = checked(full)

    assert kinds(found) == problems(f"derived {table}")
    assert {one.run_ids for one in found.problems} == {("base-2",)}
    assert checked(full, repair=True).problems == ()
    assert answers(full) == expected


def test_views_and_versions_are_repaired(full: Side) -> None:
    expected = answers(full)
    metrics = full.answer("SELECT COUNT(*) FROM {s}.metric_history")
    full.execute("DROP VIEW {s}.metric_history")
    full.execute("UPDATE {s}.store SET read_version = 99")

    found = checked(full)
    repaired = checked(full, repair=True)

    assert kinds(found) == {("versions", "store")}
    assert (repaired.problems, answers(full)) == ((), expected)
    assert full.answer("SELECT COUNT(*) FROM {s}.metric_history") == metrics


def test_a_lost_table_is_reported_and_nothing_is_changed(here: Side, make_project: MakeProject) -> None:
    here.record(make_project("run-1"))
    here.execute("DROP TABLE {s}.store_sync_conflict_pieces")

    for repair in (False, True):
        found = checked(here, repair=repair)
        assert kinds(found) == {("relation", "store_sync_conflict_pieces")}
        assert not found.is_sound


@pytest.mark.extensive
def test_keys_that_occur_twice(there: Side, make_project: MakeProject) -> None:
    there.record(make_project("run-1"))
    before = answers(there)
    for name in ("runs", "run_results", "node_versions", "part_nodes"):
        # A copy of a table has no keys.
        there.execute(f"CREATE TABLE {{s}}.copy AS SELECT * FROM {{s}}.store_{name}")
        there.execute(f"INSERT INTO {{s}}.copy SELECT * FROM {{s}}.store_{name}")
        there.execute(f"DROP TABLE {{s}}.store_{name} CASCADE")
        there.execute(f"ALTER TABLE {{s}}.copy RENAME TO store_{name}")

    found = checked(there)

    tables = ("runs", "run_results", "node_versions", "part_nodes")
    assert kinds(found) == problems(*(f"duplicate {name}" for name in tables))
    assert all("with equal rows" in one.message for one in found.problems)
    assert checked(there, repair=True).problems == ()
    assert answers(there) == before

    row = stored(there, "run_results")[0]
    with open_store(there.adapter.at(there.schema), writes=True) as store:
        store.insert("run_results", TABLES["run_results"].columns, [(*row[:2], "error", *row[3:])])
    left = checked(there, repair=True)
    assert ("duplicate", "store_run_results") in kinds(left)
    assert len(stored(there, "run_results")) == 2, "neither row is removed"


def test_a_conflict_without_its_object(full: Side) -> None:
    row = ("c" * 32, AT, "run", "base-1", "base-1", "shop", "peer", "1" * 32, "2" * 32, "1")
    with open_store(full.adapter.at(full.schema), writes=True) as store:
        store.insert("sync_conflicts", SyncConflict.__struct_fields__, [row])

    (found,) = checked(full, repair=True).problems

    assert (found.kind.value, found.table, found.run_ids) == ("content", "store_sync_conflicts", ("base-1",))


def test_garbage_stays_while_something_is_missing(full: Side) -> None:
    damage = DAMAGES["lost version of a node"]
    before = damaged(full, damage)

    left = checked(full, repair=True)

    assert damage.found <= kinds(left)
    assert any("not removed while contents are damaged" in one.message for one in left.problems)
    assert {run for one in left.problems for run in one.run_ids} <= {"base-1", "base-2", "current-1"}
    write(full, damage.table, before)
    assert checked(full).problems == ()


def test_replaced_characters_are_no_damage(
    here: Side, make_project: MakeProject, make_node: Callable[..., NodeMetadata]
) -> None:
    original = "select '\0' as a"
    node = make_node("nul", "shop", raw_code=original, description="a \0 in a text", meta={"a\0": ["\0"]})
    both = make_node("both", "shop", raw_code=original + " -- \N{REPLACEMENT CHARACTER}")
    project = make_project("run-1")
    here.record(type(project)(run=project.run, nodes=(*project.nodes, node), results=project.results))
    sound = checked(here)
    here.record(type(project)(run=make_project("run-2").run, nodes=(*project.nodes, both)))

    found = checked(here)

    assert sound.problems == ()
    codes = {row[column_position("node_versions", "raw_code")] for row in stored(here, "node_versions")}
    assert without_nul(original) in codes
    assert found.is_sound
    assert kinds(found) == problems("unverified node_versions")


def test_a_check_writes_nothing_and_needs_a_store(full: Side, backend: Any, tmp_path: Any) -> None:
    full.execute("DELETE FROM {s}.store_run_hashes")
    before = full.counts()

    assert checked(full).is_sound
    assert full.counts() == before
    with (
        UnifiedSqlAdapter.from_url(f"duckdb:///{tmp_path}/none.duckdb") as adapter,
        pytest.raises(StoreNotFound),
    ):
        fsck(adapter)
