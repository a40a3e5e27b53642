"""Exchanges that meet damage, missing rights, concurrent writers or their own end lose nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

import pytest
from msgspec.structs import replace

from recce_meta.adapter import Session, UnifiedSqlAdapter
from recce_meta.api.record import record_run as record_with_columns
from recce_meta.errors import PermissionDenied, StoreNotFound, WarehouseError
from recce_meta.models import Project
from recce_meta.store.columns import load_columns
from recce_meta.store.prune import Retention, prune
from recce_meta.store.select import load_run
from recce_meta.store.session import init_store
from recce_meta.sync.encoding import pack
from recce_meta.sync.exchange import BatchSizes, exchange
from recce_meta.sync.stores import StoreReplica
from recce_meta.sync.types import Batch, ExchangeStatus, Key, ObjectKind, Piece, Row
from tests.contract.store.conftest import Store
from tests.contract.store.test_store_stopped import STRIDE, Stopped, stop_after
from tests.contract.sync.conftest import Side, outcomes, push

pytestmark = pytest.mark.core("sqlite")

AT = datetime(2026, 11, 1, 12, tzinfo=timezone.utc)
MakeProject = Callable[..., Project]
killing = pytest.mark.skipif(not hasattr(os, "fork"), reason="the test kills forked processes")


def later(days: int) -> datetime:
    return AT + timedelta(days=days)


class Damaging(StoreReplica):
    """Source that loses or changes rows on the way."""

    def __init__(self, side: Side, damage: Callable[[str, list[Row]], list[Row]]) -> None:
        super().__init__(side.adapter.at(side.schema), name="damaged", pack=pack)
        self._damage = damage

    def read(self, keys: Iterable[Key]) -> Batch:
        """Return damaged rows."""
        batch = super().read(keys)
        return Batch(batch.keys, {table: self._damage(table, rows) for table, rows in batch.tables.items()})

    def read_pieces(self, piece: Piece, ids: Iterable[str]) -> Mapping[str, list[Row]]:
        """Return damaged rows of pieces."""
        return {table: self._damage(table, rows) for table, rows in super().read_pieces(piece, ids).items()}


def without(table: str, is_lost: Callable[[Row], bool]) -> Callable[[str, list[Row]], list[Row]]:
    """Return what loses rows of one table."""

    def damage(name: str, rows: list[Row]) -> list[Row]:
        return [row for row in rows if name != table or not is_lost(row)]

    return damage


def complete(side: Side, run_ids: Iterable[str]) -> dict[str, Any]:
    """Return the contents of runs."""
    return {run_id: load_run(side.adapter.at(side.schema), run_id) for run_id in run_ids}


@pytest.mark.extensive
@pytest.mark.beyond_emulators
def test_a_damaged_run_fails_alone_and_ninety_nine_others_arrive(
    here: Side, there: Side, make_project: MakeProject
) -> None:
    for number in range(100):
        project = make_project(f"run-{number:02}", size=2, changed=("m001",) if number == 57 else ())
        there.record(project)

    def is_changed(row: Row) -> bool:
        return "hash-changed-m001" in row

    source = Damaging(there, without("node_versions", is_changed))
    report = exchange(source, here.replica, "push", sizes=BatchSizes(runs=50))

    assert (report.status, report.count(ExchangeStatus.SENT)) == ("partial", 99)
    (failed,) = outcomes(report, ExchangeStatus.FAILED)
    assert failed.object_id == "run-57" and "of node_versions, which is missing" in str(failed.reason)
    assert here.runs() == sorted({*there.runs()} - {"run-57"})

    assert [(one.object_id, one.status) for one in push(there, here).outcomes] == [
        ("run-57", ExchangeStatus.SENT)
    ]
    assert here.entries() == there.entries()


@pytest.mark.beyond_emulators
@pytest.mark.cases(3)
@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ("graph_parts", "of graph_parts, which is missing"),
        ("part_nodes", "of part_nodes, which is missing"),
        ("node_versions", "of node_versions, which is missing"),
        ("macro_sets", "of macro_sets, which is missing"),
        ("macros", "of macros, which is missing"),
        ("run_results", "its contents do not match its hash"),
    ],
)
def test_references_that_lead_nowhere_are_refused(
    here: Side, there: Side, make_project: MakeProject, table: str, reason: str
) -> None:
    init_store(here.adapter.at(here.schema))
    there.record(make_project())
    source = Damaging(there, without(table, lambda row: True))

    report = exchange(source, here.replica, "push")

    (failed,) = report.outcomes
    assert (report.status, failed.status, here.runs()) == ("failed", ExchangeStatus.FAILED, [])
    assert reason in str(failed.reason)
    counts = here.counts()
    assert {name: count for name, count in counts.items() if count and name != "written_at"} == {}


@pytest.mark.extensive
@pytest.mark.beyond_emulators
@pytest.mark.parametrize("table", ["column_parts", "column_part_nodes", "column_analyses"])
def test_a_run_keeps_away_column_lineage_that_is_incomplete(
    here: Side, there: Side, make_project: MakeProject, table: str
) -> None:
    there.record(make_project())
    push(there, here)
    record_with_columns(there.adapter.at(there.schema), make_project())
    source = Damaging(there, without(table, lambda row: True))

    report = exchange(source, here.replica, "push")

    assert [(one.kind, one.status) for one in report.outcomes] == [
        (ObjectKind.COLUMNS, ExchangeStatus.FAILED)
    ]
    run = load_run(here.adapter.at(here.schema), "run-1").run
    assert run.column_graph_id is None
    assert push(there, here).status == "success"
    assert here.entries() == there.entries()


@pytest.mark.beyond_emulators
def test_rows_of_other_contents_than_their_hash_are_refused(
    here: Side, there: Side, make_project: MakeProject
) -> None:
    init_store(here.adapter.at(here.schema))
    there.record(make_project())

    def other_status(table: str, rows: list[Row]) -> list[Row]:
        return [tuple("error" if cell == "success" else cell for cell in row) for row in rows]

    report = exchange(Damaging(there, other_status), here.replica, "push")

    assert (report.outcomes[0].status, here.runs()) == (ExchangeStatus.FAILED, [])


def test_a_batch_without_the_rows_of_its_objects_is_refused(here: Side, make_project: MakeProject) -> None:
    here.record(make_project())
    keys = tuple(Key(kind, "nothing") for kind in ObjectKind)

    results = here.replica.write(Batch(keys, {}), "stranger")

    assert {(key.kind, status) for key, status, *_ in results} == {
        (kind, ExchangeStatus.FAILED) for kind in ObjectKind
    }


@pytest.mark.without_store
def test_a_missing_store_is_an_error_unless_it_may_be_created(
    here: Side, there: Side, make_project: MakeProject
) -> None:
    there.record(make_project())
    strict = Side(here.adapter, here.schema, creates=False)

    with pytest.raises(StoreNotFound):
        push(there, strict)
    with pytest.raises(StoreNotFound):
        push(strict, there)

    assert push(there, here).status == "success"
    assert push(there, strict).outcomes == ()


def test_a_reader_can_be_pulled_from_and_is_not_written_to(
    store: Store, here: Side, there: Side, make_project: MakeProject
) -> None:
    if here.adapter.warehouse.name != "postgres":
        pytest.skip("the test needs roles")
    here.record(make_project())
    there.record(make_project("mine"))
    here.execute("DELETE FROM {s}.store_run_hashes WHERE TRUE")
    schema = here.adapter.quote_identifier(here.schema)
    role = f"reader_{uuid4().hex[:12]}"
    for statement in (
        f"CREATE ROLE {role}",
        f"GRANT USAGE ON SCHEMA {schema} TO {role}",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}",
    ):
        here.adapter.execute(statement)
    before = here.counts()
    try:
        with UnifiedSqlAdapter.from_url(f"{store.url}?options=-crole%3D{role}") as adapter:
            reader = Side(adapter, here.schema, creates=False)
            assert exchange(there.replica, reader.replica, "pull").status == "success"
            assert there.runs() == ["mine", "run-1"]
            with pytest.raises(PermissionDenied):
                push(there, reader)
            both = exchange(there.replica, reader.replica, "sync", runs=["run-1"])
            assert both.outcomes == ()
    finally:
        here.adapter.execute(f"DROP OWNED BY {role}")
        here.adapter.execute(f"DROP ROLE {role}")
    assert here.counts() == before


@pytest.mark.extensive
@pytest.mark.beyond_emulators
def test_what_stops_after_any_statement_leaves_no_half_run_and_continues(
    here: Side, there: Side, make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.record(make_project("run-first"))
    for last in range(1, 400, STRIDE):
        wanted = make_project(f"run-{last:03}", changed=(f"m{last % 12:03}",), run_at=later(last))
        record_with_columns(there.adapter.at(there.schema), wanted)
        before = here.runs()
        with monkeypatch.context() as patch:
            stop_after(last, patch)
            try:
                push(there, here)
            except Stopped:
                pass
            else:
                break
        assert {*before} <= {*here.runs()} <= {*before, *there.runs()}
        check_complete(here, there, set(here.runs()) - {"run-first"})
        if last % 2:  # every other time, more than one run is missing
            assert push(there, here).status == "success"
            check_complete(here, there, there.runs())
    assert last > 2 * STRIDE
    push(there, here)
    assert {*here.runs()} == {*there.runs(), "run-first"}
    check_complete(here, there, there.runs())


def check_complete(here: Side, there: Side, run_ids: Iterable[str]) -> None:
    """Check that runs have the same contents here as there; column lineage may be missing here."""
    for run_id in run_ids:
        mine, theirs = (load_run(side.adapter.at(side.schema), run_id) for side in (here, there))
        lacks_columns = mine.run.column_graph_id is None
        wanted = replace(theirs.run, column_graph_id=None) if lacks_columns else theirs.run
        assert replace(mine, run=wanted) == replace(theirs, run=wanted)
        if not lacks_columns:
            assert load_columns(here.adapter.at(here.schema), mine.run) == load_columns(
                there.adapter.at(there.schema), theirs.run
            )


CHILD = """
import os, signal, sys
from recce_meta.adapter import Session, UnifiedSqlAdapter
from recce_meta.sync.encoding import pack
from recce_meta.sync.exchange import BatchSizes, exchange
from recce_meta.sync.stores import StoreReplica

source, target, schema, direction = sys.argv[1:5]
last = int(sys.argv[5])
done = 0

def counting(method):
    def call(*arguments, **keywords):
        global done
        if done == last:
            os.kill(os.getpid(), signal.SIGKILL)
        answer = method(*arguments, **keywords)
        done += 1
        return answer
    return call

if last >= 0:
    for name in ("query", "execute", "insert_rows"):
        setattr(Session, name, counting(getattr(Session, name)))
sides = [
    StoreReplica(UnifiedSqlAdapter.from_url(url).at(place), name=url, pack=pack, creates=True)
    for url, place in ((source, None), (target, schema))
]
report = exchange(*sides, direction, sizes=BatchSizes(runs=2, objects=2))
for side in sides:
    side.close()
sys.exit(0 if report.status == "success" else 9)
"""


def child(there: Side, here: Side, url: str, last: int, direction: str = "push") -> subprocess.Popen[str]:
    """Start a push from *there* to *here* in a process that kills itself before a statement; -1 for none."""
    address = f"duckdb:///{there.adapter.place.file_path()}"
    arguments = [address, url, here.schema, direction, str(last)]
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(CHILD), *arguments],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


@killing
@pytest.mark.extensive
@pytest.mark.beyond_emulators
def test_a_push_that_is_killed_at_any_statement_is_completed_by_the_next(
    store: Any, here: Side, there: Side, make_project: MakeProject
) -> None:
    here.record(make_project("run-first"))
    url = store.url
    for last in range(0, 200, STRIDE):
        # A new run each time, so that the push has as many statements again.
        there.record(make_project(f"run-{last:03}", changed=(f"m{last % 12:03}",), run_at=later(last)))
        there.adapter.close()
        here.adapter.close()
        process = child(there, here, url, last)
        _, errors = process.communicate()
        assert process.returncode in (0, -signal.SIGKILL), errors
        visible = {*here.runs()} - {"run-first"}
        assert visible <= {*there.runs()}
        check_complete(here, there, visible)
        if process.returncode == 0:
            break

    assert last > 2 * STRIDE
    assert {*here.runs()} == {*there.runs(), "run-first"}
    check_complete(here, there, there.runs())


@pytest.mark.extensive
@pytest.mark.beyond_emulators
def test_two_processes_push_the_same_runs_at_once(
    store: Any, here: Side, there: Side, make_side: Callable[[str], Side], make_project: MakeProject
) -> None:
    second = make_side("second")
    for side in (there, second):
        for number in range(6):
            side.record(make_project(f"run-{number}", changed=(f"m00{number}",)), now=AT)
    here.record(make_project("run-first"))
    for side in (here, there, second):
        side.adapter.close()

    children = [child(side, here, store.url, -1) for side in (there, second)]
    errors = [process.communicate()[1] for process in children]

    assert [process.returncode for process in children] == [0, 0], errors
    assert push(there, here).outcomes == ()
    check_complete(here, there, there.runs())
    for table, key in (("runs", "run_id"), ("node_versions", "version_id"), ("run_results", "run_id")):
        rows = here.answer(f"SELECT COUNT(*), COUNT(DISTINCT {key}) FROM {{s}}.store_{table}")
        assert rows[0][0] == rows[0][1]


@pytest.mark.extensive
@pytest.mark.beyond_emulators
def test_recorders_and_prunes_go_on_during_a_push(
    store: Any, here: Side, there: Side, make_project: MakeProject
) -> None:
    if store.backend.name == "duckdb":
        pytest.skip("another process cannot open the file meanwhile; kills and two processes are tested")
    for number in range(12):
        there.record(make_project(f"run-{number:02}", changed=(f"m0{number:02}",), run_at=later(number)))
    here.record(make_project("run-00"), now=AT)

    def record() -> None:
        with store.another() as adapter:
            side = Side(adapter, here.schema)
            for number in range(6):
                side.record(make_project(f"mine-{number}", changed=(f"m00{number}",), environment="mine"))
                prune(adapter.at(here.schema), Retention(keep_last=2, environment="mine"))

    with ThreadPoolExecutor(1) as pool:
        recorder = pool.submit(record)
        report = push(there, here, sizes=BatchSizes(runs=2))
        recorder.result()

    # Where the first one is the same run, the results of a push are the same as without a recorder.
    assert report.status in ("success", "partial")
    assert report.count(ExchangeStatus.FAILED) == 0
    assert [name for name in here.runs() if name.startswith("mine")] == ["mine-4", "mine-5"]
    check_complete(here, there, {*there.runs()} - {"run-00"})


@pytest.mark.extensive
@pytest.mark.beyond_emulators
def test_runs_that_are_pruned_while_they_are_sent_are_skipped(
    here: Side, there: Side, make_project: MakeProject
) -> None:
    for number in range(3):
        there.record(make_project(f"run-{number}", changed=(f"m00{number}",), run_at=later(number)))

    class Pruning(StoreReplica):
        is_done = False

        def read_pieces(self, piece: Piece, ids: Iterable[str]) -> Mapping[str, list[Row]]:
            if not self.is_done:
                self.is_done = True
                prune(self.adapter, Retention(keep_last=1))
            return super().read_pieces(piece, ids)

    source = Pruning(there.adapter.at(there.schema), name="pruning", pack=pack)
    report = exchange(source, here.replica, "push")

    assert report.status == "success"
    skipped = outcomes(report, ExchangeStatus.SKIPPED)
    assert {(one.object_id, one.reason) for one in skipped} == {
        ("run-0", "it was deleted meanwhile"),
        ("run-1", "it was deleted meanwhile"),
    }
    assert here.runs() == ["run-2"]


@pytest.mark.extensive
@pytest.mark.beyond_emulators
def test_after_a_lost_connection_the_rest_fails_and_is_sent_next_time(
    here: Side, there: Side, make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        there.record(make_project(f"run-{number}", changed=(f"m00{number}",), run_at=later(number)))
    with monkeypatch.context() as patch:
        inserted = Session.insert_rows

        def lose(self: Session, name: str, *arguments: Any) -> None:
            if "store_runs" in name and len(here_runs) == 2:
                raise WarehouseError("connection reset")
            if "store_runs" in name:
                here_runs.append(name)
            inserted(self, name, *arguments)

        here_runs: list[str] = []
        patch.setattr(Session, "insert_rows", lose)
        report = push(there, here, sizes=BatchSizes(runs=1))

    assert (report.status, report.count(ExchangeStatus.SENT), report.count(ExchangeStatus.FAILED)) == (
        "partial",
        2,
        2,
    )
    assert push(there, here).count(ExchangeStatus.SENT) == 2
    assert here.entries() == there.entries()
