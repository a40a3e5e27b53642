"""What is recorded at one side is the same at the other, once, and nothing is ever overwritten."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from math import isnan

import pytest
from msgspec.structs import replace

from recce_meta.api.record import record_run as record_with_columns
from recce_meta.models import NodeResult, Project, RunMetadata
from recce_meta.models.marks.annotation import AnnotationTarget
from recce_meta.models.quality import Quality, QualityRun
from recce_meta.models.stored import NodeStatistics
from recce_meta.store.columns import load_columns
from recce_meta.store.marks.annotations import AnnotationChange, add_annotations, list_annotations
from recce_meta.store.prune import TOMBSTONE_AGE, Retention, find_tombstones, prune
from recce_meta.store.quality import write_quality
from recce_meta.store.read import run_row
from recce_meta.store.run_hash import hashes_of
from recce_meta.store.select import load_run
from recce_meta.store.statistics import load_statistics, write_statistics
from recce_meta.sync.exchange import BatchSizes, exchange
from recce_meta.sync.stores import StoreReplica
from recce_meta.sync.tables import TABLES
from recce_meta.sync.types import Batch, ExchangeStatus, Key, ObjectKind, Piece
from tests.contract.store.test_export import as_bytes, exported, record_both, rows
from tests.contract.sync.conftest import Side, outcomes, push

pytestmark = pytest.mark.core("sqlite")

AT = datetime(2026, 11, 1, 12, tzinfo=timezone.utc)
TARGET = AnnotationTarget(project_name="shop", unique_id="model.shop.m001")
MakeProject = Callable[..., Project]


def note(side: Side, text: str | None, *, now: datetime = AT) -> None:
    changes = [AnnotationChange(TARGET, "note", "", text)]
    add_annotations(side.adapter.at(side.schema), changes, author="Ann", now=now)


def notes(side: Side) -> list[str | None]:
    return [event.value for event in list_annotations(side.adapter.at(side.schema))]


def later(days: int) -> datetime:
    return AT + timedelta(days=days)


def counted(name: str, rows: int | None, *, minute: int = 0) -> NodeStatistics:
    return NodeStatistics(
        unique_id=f"model.shop.{name}",
        counted_at=AT + timedelta(minutes=minute),
        row_count=rows,
        reason=None if rows is not None else "gone",
    )


def figures(side: Side, run_id: str = "run-1") -> dict[str, int | None]:
    found = load_statistics(side.adapter.at(side.schema), make_run(side, run_id))
    return {unique_id.rpartition(".")[2]: node.row_count for unique_id, node in found.items()}


def all_rows(side: Side) -> object:
    """Return every row of every table; of a SQLite file, which has other types, how many there are."""
    if side.adapter.warehouse.name == "sqlite":
        return None
    return rows(side.adapter, side.schema)


def make_run(side: Side, run_id: str) -> RunMetadata:
    return load_run(side.adapter.at(side.schema), run_id).run


@pytest.mark.extensive
@pytest.mark.beyond_emulators
def test_complete_runs_arrive_row_for_row_and_are_sent_once(
    here: Side, there: Side, make_project: MakeProject
) -> None:
    runs = [run.run_id for run in record_both(here, make_project)]
    note(here, "checked")
    documents = [as_bytes(exported(here.adapter, here.schema, run)) for run in runs]

    report = push(here, there)

    assert (report.status, report.count(ExchangeStatus.SENT)) == ("success", len(report.outcomes))
    assert {outcome.kind for outcome in report.outcomes} == {*ObjectKind} - {ObjectKind.DELETION}
    assert [as_bytes(exported(there.adapter, there.schema, run)) for run in runs] == documents
    assert all_rows(here) in (None, all_rows(there))
    assert here.entries() == there.entries()

    counts = here.counts(), there.counts()
    for direction in ("push", "pull", "sync"):
        again = exchange(here.replica, there.replica, direction)
        assert (again.status, again.outcomes, again.present) == ("success", (), len(here.entries()))
    assert (here.counts(), there.counts()) == counts


@pytest.mark.extensive
@pytest.mark.beyond_emulators
def test_they_come_back_from_there_and_another_warehouse_gives_them_the_same_ids(
    here: Side, there: Side, make_project: MakeProject
) -> None:
    runs = [run.run_id for run in record_both(there, make_project)]
    assert exchange(here.replica, there.replica, "pull").status == "success"

    assert all_rows(here) in (None, all_rows(there))
    assert load_run(here.adapter.at(here.schema), runs[1]) == load_run(
        there.adapter.at(there.schema), runs[1]
    )
    # Recorded at both sides, they have the same ids and the same hash.
    there.record(make_project("same"))
    here.record(make_project("same"))
    assert here.hashes() == there.hashes()
    assert [key for key, _ in here.entries()] == [key for key, _ in there.entries()]


@pytest.mark.extensive
@pytest.mark.emulated("snowflake", "bigquery", "redshift")
def test_a_run_arrives_with_its_graph_results_and_column_lineage(
    here: Side, there: Side, make_project: MakeProject
) -> None:
    for number in range(3):
        project = make_project(
            f"run-{number}", changed=(f"m00{number}",), run_at=AT + timedelta(hours=number)
        )
        record_with_columns(there.adapter.at(there.schema), project)

    assert exchange(here.replica, there.replica, "pull").status == "success"

    for run_id in there.runs():
        run = make_run(there, run_id)
        assert load_run(here.adapter.at(here.schema), run_id) == load_run(
            there.adapter.at(there.schema), run_id
        )
        assert load_columns(here.adapter.at(here.schema), run) == load_columns(
            there.adapter.at(there.schema), run
        )
    assert here.entries() == there.entries()
    assert exchange(here.replica, there.replica, "sync").outcomes == ()


def test_what_is_added_to_a_run_later_travels_alone(
    here: Side, there: Side, make_project: MakeProject
) -> None:
    here.record(make_project())
    push(here, there)
    before = there.counts()

    write_statistics(here.adapter.at(here.schema), make_run(here, "run-1"), [counted("m000", 3)])
    note(here, "later")
    report = push(here, there)

    assert [(one.kind, one.status) for one in report.outcomes] == [
        (ObjectKind.STATISTICS, ExchangeStatus.SENT),
        (ObjectKind.ANNOTATION, ExchangeStatus.SENT),
    ]
    added = {name: count for name, count in there.counts().items() if count != before[name]}
    assert {name: count for name, count in added.items() if name != "written_at"} == {
        "node_statistics": 1,
        "annotation_events": 1,
    }


@pytest.mark.extensive
@pytest.mark.beyond_emulators
def test_column_lineage_that_is_computed_later_travels_alone(
    here: Side, there: Side, make_project: MakeProject
) -> None:
    here.record(make_project())
    push(here, there)
    record_with_columns(here.adapter.at(here.schema), make_project())

    report = push(here, there)

    assert [(one.kind, one.status) for one in report.outcomes] == [(ObjectKind.COLUMNS, ExchangeStatus.SENT)]
    run = make_run(here, "run-1")
    assert run.column_graph_id and make_run(there, "run-1") == run
    assert load_columns(there.adapter, run) == load_columns(here.adapter.at(here.schema), run)


@pytest.mark.beyond_emulators
def test_a_column_graph_that_was_replaced_arrives_again(
    here: Side, there: Side, make_project: MakeProject
) -> None:
    for side in (here, there):
        record_with_columns(side.adapter.at(side.schema), make_project())
    here.execute("UPDATE {s}.store_runs SET column_graph_id = NULL WHERE run_id = 'run-1'")

    report = push(there, here)

    assert [(one.kind, one.status) for one in report.outcomes] == [(ObjectKind.COLUMNS, ExchangeStatus.SENT)]
    assert make_run(here, "run-1").column_graph_id == make_run(there, "run-1").column_graph_id


@pytest.mark.extensive
@pytest.mark.beyond_emulators
def test_both_sides_have_what_either_added(here: Side, there: Side, make_project: MakeProject) -> None:
    here.record(make_project("both"))
    push(here, there)
    for side, name in ((here, "m000"), (there, "m001")):
        side.record(make_project(f"of-{name}", changed=(name,)))
        # Sums that are equal must not hide that the nodes differ.
        minute = int(name[-1])
        run = make_run(side, "both")
        write_statistics(side.adapter.at(side.schema), run, [counted(name, 7, minute=minute)])
        note(side, f"of {name}", now=AT + timedelta(minutes=minute))

    report = exchange(here.replica, there.replica, "sync")

    assert (report.status, report.count(ExchangeStatus.CONFLICT)) == ("success", 0)
    assert here.entries() == there.entries()
    assert here.runs() == ["both", "of-m000", "of-m001"]
    assert figures(here, "both") == figures(there, "both") == {"m000": 7, "m001": 7}
    # Neither author knew of the other's note; the later one is shown.
    assert notes(here) == notes(there) == ["of m001", "of m000"]
    assert exchange(here.replica, there.replica, "sync").outcomes == ()


@pytest.mark.parametrize("years", [-10, 10])
def test_notes_of_a_wrong_clock_are_exchanged_and_the_next_edit_replaces_them(
    here: Side, there: Side, make_project: MakeProject, years: int
) -> None:
    here.record(make_project("both"))
    push(here, there)
    note(here, "of the wrong clock", now=AT + timedelta(days=365 * years))
    assert exchange(here.replica, there.replica, "push").status == "success"

    note(there, "of the right clock")
    assert exchange(there.replica, here.replica, "push").status == "success"
    assert notes(here) == notes(there) == ["of the right clock"]

    # The clock is right again.
    note(here, "the last one")
    assert exchange(here.replica, there.replica, "push").status == "success"
    assert notes(here) == notes(there) == ["the last one"]


@pytest.mark.beyond_emulators
def test_a_count_follows_one_that_had_failed(here: Side, there: Side, make_project: MakeProject) -> None:
    here.record(make_project())
    push(here, there)
    write_statistics(here.adapter.at(here.schema), make_run(here, "run-1"), [counted("m000", None)])
    write_statistics(there.adapter, make_run(there, "run-1"), [counted("m000", 9, minute=1)])

    assert exchange(here.replica, there.replica, "sync").status == "success"

    assert figures(here) == figures(there) == {"m000": 9}
    assert exchange(here.replica, there.replica, "sync").outcomes == ()


@pytest.mark.parametrize(
    "other",
    [
        lambda project: replace(project, run=replace(project.run, branch="other")),
        lambda project: replace(
            project, results=(NodeResult(unique_id="model.shop.m000", status="error", seconds=0.5),)
        ),
    ],
    ids=["run", "results"],
)
def test_another_run_of_the_same_id_is_kept_aside_once(
    here: Side, there: Side, make_project: MakeProject, other: Callable[[Project], Project]
) -> None:
    project = make_project()
    here.record(project)
    there.record(other(project))
    write_statistics(here.adapter.at(here.schema), make_run(here, "run-1"), [counted("m000", 3)])
    loaded, hashes = load_run(there.adapter, "run-1"), there.hashes()

    first = push(here, there)
    second = push(here, there)

    assert (first.status, second.status) == ("failed", "success"), "a known conflict is no news"
    assert [(one.kind, one.status, one.is_new) for one in first.outcomes] == [
        (ObjectKind.RUN, ExchangeStatus.CONFLICT, True),
        (ObjectKind.STATISTICS, ExchangeStatus.SKIPPED, True),
    ]
    assert outcomes(second, ExchangeStatus.CONFLICT)[0].is_new is False
    assert there.conflicts() == [("run", "run-1")]
    assert (load_run(there.adapter, "run-1"), there.hashes()) == (loaded, hashes)
    assert there.answer("SELECT COUNT(*) FROM {s}.store_node_statistics") == [(0,)]


@pytest.mark.extensive
@pytest.mark.beyond_emulators
def test_other_figures_of_a_node_are_kept_aside_once_and_those_of_others_arrive(
    here: Side, there: Side, make_project: MakeProject
) -> None:
    here.record(make_project())
    push(here, there)
    mine = [counted("m000", 3), counted("m001", 4)]
    write_statistics(here.adapter.at(here.schema), make_run(here, "run-1"), mine)
    write_statistics(there.adapter, make_run(there, "run-1"), [counted("m000", 5, minute=1)])

    reports = [push(here, there) for _ in range(2)]
    write_statistics(here.adapter.at(here.schema), make_run(here, "run-1"), [counted("m002", 6)])
    reports.append(push(here, there))

    for report in reports:
        assert [(one.kind, one.status) for one in report.outcomes] == [
            (ObjectKind.STATISTICS, ExchangeStatus.CONFLICT)
        ]
    assert [report.outcomes[0].is_new for report in reports] == [True, False, False]
    assert reports[0].outcomes[0].reason == "other figures are stored for model.shop.m000"
    assert figures(there) == {"m000": 5, "m001": 4, "m002": 6}
    assert there.conflicts() == [("statistics", "run-1")]


@pytest.mark.beyond_emulators
def test_another_measurement_of_the_same_id_is_kept_aside(
    here: Side, there: Side, make_project: MakeProject
) -> None:
    here.record(make_project())
    push(here, there)
    for side, tables in ((here, 1), (there, 2)):
        run = QualityRun(
            quality_run_id="q-1",
            run_id="run-1",
            project_name="shop",
            environment="current",
            started_at=AT,
            finished_at=AT,
            table_count=tables,
        )
        write_quality(side.adapter.at(side.schema), Quality(run=run, tables=()))

    report = push(here, there)

    assert [(one.kind, one.status) for one in report.outcomes] == [
        (ObjectKind.QUALITY, ExchangeStatus.CONFLICT)
    ]
    assert there.answer("SELECT table_count FROM {s}.store_quality_runs") == [(2,)]
    assert there.conflicts() == [("quality", "q-1")]


@pytest.mark.beyond_emulators
def test_only_the_selected_runs_are_sent(here: Side, there: Side, make_project: MakeProject) -> None:
    for name in ("a", "b"):
        here.record(make_project(f"run-{name}", changed=(f"m00{'ab'.index(name)}",)))
        here.record(make_project(f"other-{name}", project_name="bakery"))
    note(here, "of the shop")
    bakery = replace(TARGET, project_name="bakery")
    add_annotations(
        here.adapter.at(here.schema), [AnnotationChange(bakery, "note", "", "no")], author="Bob", now=AT
    )

    report = push(here, there, runs=["run-b"])

    assert {(one.kind, one.run_id) for one in report.outcomes} == {
        (ObjectKind.RUN, "run-b"),
        (ObjectKind.ANNOTATION, None),
    }
    assert (there.runs(), notes(there)) == (["run-b"], ["of the shop"])


@pytest.mark.beyond_emulators
def test_runs_from_before_a_long_absence_are_not_sent(
    here: Side, there: Side, make_project: MakeProject
) -> None:
    for name, time in (("old", AT), ("new", AT + timedelta(days=2))):
        here.record(make_project(name), now=time)

    report = push(here, there, stale_since=lambda: AT + timedelta(days=1))

    assert there.runs() == ["new"]
    (skipped,) = outcomes(report, ExchangeStatus.SKIPPED)
    assert skipped.object_id == "old" and "probably deleted" in str(skipped.reason)
    assert report.status == "success"


@pytest.mark.extensive
@pytest.mark.emulated("snowflake", "bigquery", "redshift")
def test_a_deletion_travels_and_the_run_never_returns(
    here: Side, there: Side, make_project: MakeProject
) -> None:
    for number in range(3):
        here.record(
            make_project(f"run-{number}", changed=(f"m00{number}",), run_at=AT + timedelta(days=number))
        )
    push(here, there)
    (deleted,) = prune(here.adapter.at(here.schema), Retention(keep_last=2)).runs

    report = push(here, there)

    assert [(one.kind, one.object_id, one.status) for one in report.outcomes] == [
        (ObjectKind.DELETION, deleted.run_id, ExchangeStatus.SENT)
    ]
    assert here.runs() == there.runs() == ["run-1", "run-2"]
    with there.opened() as opened:
        assert [one.run_id for one in find_tombstones(opened)] == ["run-0"]
    assert exchange(here.replica, there.replica, "sync").outcomes == ()
    # It stays away although a third store still sends it.
    batch = Batch((Key(ObjectKind.RUN, "run-0"),), {"runs": [run_row(deleted)]})
    (result,) = there.replica.write(batch, "third")
    assert (result.status, result.reason) == (ExchangeStatus.SKIPPED, "the run was deleted")


@pytest.mark.beyond_emulators
def test_a_deletion_beats_a_run_that_the_other_side_still_changes(
    here: Side, there: Side, make_project: MakeProject
) -> None:
    here.record(make_project())
    push(here, there)
    prune(
        here.adapter.at(here.schema),
        Retention(keep_last=0),
        now=datetime.now(timezone.utc) - TOMBSTONE_AGE / 2,
    )
    write_statistics(there.adapter, make_run(there, "run-1"), [counted("m000", 3)])

    report = exchange(here.replica, there.replica, "sync")

    assert report.status == "success"
    assert here.runs() == there.runs() == []
    assert there.answer("SELECT COUNT(*) FROM {s}.store_node_statistics") == [(0,)]
    assert exchange(here.replica, there.replica, "sync").outcomes == ()


@pytest.mark.beyond_emulators
def test_a_dry_run_writes_nothing(here: Side, there: Side, make_project: MakeProject) -> None:
    here.record(make_project())
    there.record(make_project("other"))
    before = here.counts(), there.counts()

    report = exchange(here.replica, there.replica, "sync", dry_run=True)

    assert report.dry_run and {(one.object_id, one.direction) for one in report.outcomes} == {
        ("run-1", "push"),
        ("other", "pull"),
    }
    assert (here.counts(), there.counts()) == before


@pytest.mark.extensive
@pytest.mark.beyond_emulators
def test_tiny_batches_send_the_same(here: Side, there: Side, make_project: MakeProject) -> None:
    for number in range(5):
        here.record(make_project(f"run-{number}", changed=(f"m00{number}",)))
        note(here, f"note {number}", now=AT + timedelta(minutes=number))
    said: list[str] = []

    report = push(here, there, sizes=BatchSizes(runs=2, objects=2), report=said.append)

    assert report.status == "success" and len(said) == 3 + 3
    assert here.entries() == there.entries()


@pytest.mark.extensive
@pytest.mark.beyond_emulators
def test_inventories_ids_and_json_are_equal_in_every_warehouse(
    here: Side, there: Side, make_project: MakeProject
) -> None:
    record_both(here, make_project)
    push(here, there)
    keys = [key for key, _ in here.entries()]
    mine, theirs = here.replica, there.replica

    for name, own in mine.read(keys).tables.items():
        other = theirs.read(keys).tables[name]
        assert comparable(name, own) == comparable(name, other), name
    hashes = [
        hashes_of(*(side.read(keys).tables[name] for name in ("runs", "run_results", "fact_parts")))
        for side in (mine, theirs)
    ]
    assert hashes[0] == hashes[1] == here.hashes()
    for piece in Piece:
        ids = {str(row[0]) for row in pieces(here, piece)}
        assert ids and theirs.lacking(piece, ids) == set() == mine.lacking(piece, ids)
        for name, own in mine.read_pieces(piece, ids).items():
            assert comparable(name, own) == comparable(name, theirs.read_pieces(piece, ids)[name]), name


def comparable(name: str, found: list[tuple[object, ...]]) -> list[str]:
    """Return *found* as texts that are equal for equal contents."""
    table = TABLES[name]
    # SQLite has no NaN; readers take these numbers from the texts next to them.
    numbers = {place for place, column in enumerate(table.columns) if column.endswith("_number")}

    def plain(place: int, cell: object) -> object:
        if place in table.texts_of_json and isinstance(cell, str):
            return json.dumps(json.loads(cell), sort_keys=True)
        if isinstance(cell, float) and isnan(cell) and place in numbers:
            return None
        return float(cell) if isinstance(cell, int) and not isinstance(cell, bool) else cell

    return sorted(repr([plain(place, cell) for place, cell in enumerate(row)]) for row in found)


def pieces(side: Side, piece: Piece) -> list[tuple[object, ...]]:
    column = TABLES[piece.value].columns[0]
    return side.answer(f"SELECT DISTINCT {column} FROM {{s}}.store_{piece.value}")


@pytest.mark.extensive
@pytest.mark.beyond_emulators
def test_without_enforced_keys_a_run_that_is_stored_twice_counts_once(
    there: Side, make_side: Callable[[str], Side], make_project: MakeProject
) -> None:
    record_both(there, make_project)
    once, entries = make_side("once"), there.entries()
    push(there, once)
    for name in ("runs", "run_results", "run_hashes", "node_statistics", "column_statistics", "quality_runs"):
        # A copy of a table has no keys.
        there.execute(f"CREATE TABLE {{s}}.copy AS SELECT * FROM {{s}}.store_{name}")
        there.execute(f"INSERT INTO {{s}}.copy SELECT * FROM {{s}}.store_{name}")
        there.execute(f"DROP TABLE {{s}}.store_{name}")
        there.execute(f"ALTER TABLE {{s}}.copy RENAME TO store_{name}")

    assert there.entries() == entries
    assert push(there, once).outcomes == ()
    another = make_side("another")
    assert push(there, another).status == "success"
    assert rows(another.adapter) == rows(once.adapter)
    # Hashes that are computed from such rows are the same.
    there.execute("DELETE FROM {s}.store_run_hashes")
    assert there.entries() == entries


def test_old_runs_get_their_hashes_when_they_are_compared(
    here: Side, there: Side, make_project: MakeProject
) -> None:
    here.record(make_project())
    hashes = here.hashes()
    here.execute("DELETE FROM {s}.store_run_hashes WHERE run_id = 'run-1'")

    assert push(here, there).status == "success"

    assert here.hashes() == there.hashes() == hashes
    assert [row[1] for row in here.answer("SELECT run_id, content_hash FROM {s}.store_run_hashes")] == [
        hashes["run-1"]
    ]


@pytest.mark.beyond_emulators
def test_a_run_without_a_hash_is_compared_when_another_arrives(
    here: Side, there: Side, make_project: MakeProject
) -> None:
    """A server writes what arrives without an inventory of its own."""
    there.record(make_project())
    here.record(make_project(branch="other"))
    here.execute("DELETE FROM {s}.store_run_hashes WHERE run_id = 'run-1'")
    key = Key(ObjectKind.RUN, "run-1")
    batch = there.replica.read([key])
    assert isinstance(here.replica, StoreReplica)

    (result,) = here.replica.write(batch, "there")

    assert (result.status, result.is_new) == (ExchangeStatus.CONFLICT, True)
