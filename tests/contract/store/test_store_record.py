"""Recording: nothing twice, nothing by halves, nothing lost to a second recorder."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from recce_meta.store.read import list_runs
from recce_meta.store.select import load_run
from recce_meta.store.write import record_run
from tests.proofs import sampled


def test_recording_a_run_twice_writes_it_once(store, make_project):
    first = record_run(store.adapter.at(store.schema), make_project())
    before = store.counts()
    second = record_run(store.adapter.at(store.schema), make_project())

    assert (first.written, second.written) == (True, False)
    assert second.run == first.run
    assert store.counts() == before


def test_the_same_graph_under_another_run_id_writes_one_row_and_its_results(store, make_project):
    record_run(store.adapter.at(store.schema), make_project("run-1"))
    before = store.counts()

    result = record_run(store.adapter.at(store.schema), make_project("run-2"))

    assert result.written and not result.new_graph
    assert (result.versions_written, result.macros_written, result.code_sent) == (0, 0, 0)
    assert store.counts() == {**before, "runs": 2, "run_results": 2}


def test_only_changed_nodes_are_sent(store, make_project):
    size = 500
    record_run(store.adapter.at(store.schema), make_project("run-1", size=size))
    before = store.counts()

    changed = ("m001", "m200", "m499")
    result = record_run(store.adapter.at(store.schema), make_project("run-2", size=size, changed=changed))

    after = store.counts()
    assert result.versions_written == 3 == after["node_versions"] - before["node_versions"]
    assert result.code_sent < 3000
    assert 0 < after["part_nodes"] - before["part_nodes"] < size / 10


def test_the_planner_knows_of_a_large_graph_at_once(store, make_project):
    record_run(store.adapter.at(store.schema), make_project(size=600))

    if store.adapter.warehouse.name == "postgres":
        name = store.adapter.quote_table(store.schema, "store_part_nodes").replace("'", "''")
        ((rows,),) = store.adapter.execute(f"SELECT reltuples FROM pg_class WHERE oid = '{name}'::regclass")[
            1
        ]
        assert rows >= 600


def test_another_environment_shares_every_version(store, make_project):
    record_run(store.adapter.at(store.schema), make_project("run-1", environment="base", place="prod"))

    result = record_run(store.adapter.at(store.schema), make_project("run-2", place="pr_7"))

    assert result.new_graph and result.versions_written == 0
    assert load_run(store.adapter.at(store.schema), "run-2").nodes == make_project(place="pr_7").nodes
    assert load_run(store.adapter.at(store.schema), "run-1").nodes == make_project(place="prod").nodes


@pytest.mark.emulated("snowflake", "bigquery", "redshift")
def test_recorders_on_two_connections_all_succeed(store, make_project):
    recorders, runs_each = 4, sampled(3, 2)
    barrier = Barrier(recorders)

    def work(number: int) -> list[bool]:
        barrier.wait()
        # On an emulator that is busy, one recorder may wait for more than a minute.
        with store.backend.connect(lock_timeout=180) as adapter:
            return [
                record_run(
                    adapter.at(store.schema),
                    make_project(f"run-{number}-{run}", changed=(f"m00{number}",), size=40),
                ).written
                for run in range(runs_each)
            ]

    with ThreadPoolExecutor(recorders) as pool:
        written = [flag for flags in pool.map(work, range(recorders)) for flag in flags]

    assert written == [True] * recorders * runs_each
    assert len(list_runs(store.adapter.at(store.schema))) == recorders * runs_each
    for number in range(recorders):
        loaded = load_run(store.adapter.at(store.schema), f"run-{number}-0")
        assert loaded.nodes == make_project(changed=(f"m00{number}",), size=40).nodes


@pytest.mark.emulated
def test_of_recorders_of_one_run_exactly_one_writes(store, make_project):
    recorders = 4
    barrier = Barrier(recorders)

    def work(_: int) -> bool:
        barrier.wait()
        # On an emulator that is busy, one recorder may take most of a minute.
        with store.backend.connect(lock_timeout=180) as adapter:
            return record_run(adapter.at(store.schema), make_project()).written

    with ThreadPoolExecutor(recorders) as pool:
        assert sorted(pool.map(work, range(recorders))) == [False, False, False, True]


FORKS = """
def forked(work):
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            with UnifiedSqlAdapter.from_url(url).at(schema) as adapter:
                code = work(adapter)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def killed_after(statements, write):
    def work(adapter):
        done = 0

        def counting(method):
            def call(*arguments, **keywords):
                nonlocal done
                if done == statements:
                    os._exit(42)
                answer = method(*arguments, **keywords)
                done += 1
                return answer
            return call

        for name in ("query", "execute", "insert_rows"):
            setattr(Session, name, counting(getattr(Session, name)))
        write(adapter)
        return 0
    return work
"""
"""Functions of a script that runs `work` in a fork, and ends one after so many statements."""
CHILD = (
    """
import glob, os, sys, traceback
import duckdb, duckdb_engine, psycopg, sqlalchemy.dialects.postgresql.psycopg  # once, before the forks
from datetime import datetime, timezone
from recce_meta.adapter import Session, UnifiedSqlAdapter
from recce_meta.errors import StoreNotFound
from recce_meta.models import MacroMetadata, NodeMetadata, NodeResult, Project, RunMetadata
from recce_meta.store.read import list_runs
from recce_meta.store.select import load_run
from recce_meta.store.write import record_run

url, schema, mode, stride = sys.argv[1:5]


def project(run_id, code):
    nodes = tuple(
        NodeMetadata(unique_id=f"model.p.m{n}", name=f"m{n}", resource_type="model",
                     raw_code=code, code_hash=code, parents=(f"model.p.m{n - 1}",) if n else ())
        for n in range(5)
    )
    run = RunMetadata(run_id=run_id, run_at=datetime(2026, 11, 1, tzinfo=timezone.utc), project_name="p")
    macros = (MacroMetadata(unique_id="macro.p.x", name="x", macro_sql=code),)
    results = (NodeResult(unique_id="model.p.m0", status="ok"),)
    return Project(run=run, nodes=nodes, macros=macros, results=results)
"""
    + FORKS
    + """
def visible_runs(adapter):
    try:
        return sorted(run.run_id for run in list_runs(adapter))
    except StoreNotFound:
        return []


def nothing_or_all_visible(run_id):
    def work(adapter):
        wanted = project(run_id, run_id)
        # A recorder that is killed while it stores the changes of graphs has written its run before.
        is_whole = visible_runs(adapter) == sorted([run_id, *expected])
        assert is_whole or visible_runs(adapter) == expected, "half a run is visible"
        is_read = is_whole and load_run(adapter, run_id).nodes == wanted.nodes
        assert is_read == is_whole, "a run without its nodes is visible"
        written = record_run(adapter, wanted).written
        assert written is not is_whole, "the next record wrote nothing, or the run again"
        loaded = load_run(adapter, run_id)
        assert loaded.nodes == wanted.nodes
        assert (loaded.macros, loaded.results) == (wanted.macros, wanted.results)
        return 0
    return work


def drop(adapter):
    if url.startswith("sqlite"):
        for file in glob.glob(url.removeprefix("sqlite:///") + "*"):
            os.remove(file)
        return 0
    adapter.execute("DROP SCHEMA IF EXISTS " + adapter.quote_identifier(schema) + " CASCADE")
    return 0


expected = []
kills = 0
stride = int(stride) * (1 if mode == "existing" else 4)  # creating takes many statements of one kind
if mode == "existing":
    first = project("run-first", "a")
    assert forked(lambda adapter: 0 if record_run(adapter, first).written else 1) == 0
    expected = ["run-first"]
while True:
    run_id = f"run-{kills:03}"
    code = forked(killed_after(kills, lambda adapter: record_run(adapter, project(run_id, run_id))))
    if code == 0:
        break
    assert code == 42, f"the recorder ended with {code}"
    kills += stride
    assert forked(nothing_or_all_visible(run_id)) == 0, f"after a kill at statement {kills - stride}"
    if mode == "missing":
        assert forked(drop) == 0
    else:
        expected = sorted([run_id, *expected])
print(kills)
"""
)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the test kills forked processes")
@pytest.mark.extensive
@pytest.mark.parametrize("mode", ["missing", "existing"])
def test_a_recorder_killed_at_any_statement_leaves_no_run_or_all_of_it(store, mode):
    store.adapter.close()

    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(CHILD), store.url, store.schema, mode, sampled("1", "4")],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )

    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[-1]) >= (25 if mode == "missing" else 12)


SIMPLE_CHILD = """
import sys
exec(sys.argv.pop())
with UnifiedSqlAdapter.from_url(sys.argv[1]).at(sys.argv[2]) as adapter:
    for number in range(3):
        run_id = f"run-{sys.argv[3]}-{number}"
        assert record_run(adapter, project(run_id, run_id)).written
"""


@pytest.mark.extensive
def test_two_processes_record_at_once(store):
    store.adapter.close()
    prelude = CHILD.split(FORKS)[0].replace("url, schema, mode, stride = sys.argv[1:5]", "")

    children = [
        subprocess.Popen(
            [sys.executable, "-c", SIMPLE_CHILD, store.url, store.schema, name, prelude],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        for name in ("a", "b")
    ]
    errors = [child.communicate()[1] for child in children]

    assert [child.returncode for child in children] == [0, 0], errors
    assert len(list_runs(store.adapter.at(store.schema))) == 6


def test_another_content_under_a_stored_run_id_is_told(store, make_project):
    record_run(store.adapter.at(store.schema), make_project())

    again = record_run(store.adapter.at(store.schema), make_project(changed=("m003",)))

    assert not again.written and again.differs
    assert not record_run(store.adapter.at(store.schema), make_project()).differs
