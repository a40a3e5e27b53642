"""Analysis of queries by several processes: the results of one, whatever happens to the others."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest
from msgspec.structs import replace

from benchmarks.generate import write
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.record import record_run
from recce_meta.api.workers import pool as pools
from recce_meta.api.workers.pool import AnalysisPool, worker_command
from recce_meta.extractors.git import GitState
from recce_meta.extractors.project import extract_project
from recce_meta.models import Project
from recce_meta.models.lineage import ColumnGraph
from recce_meta.sql_lineage.project.columns import analyse_project
from recce_meta.sql_lineage.project.jobs import AnalysisJob, Answer, LocalAnswer, analyse_job

pytestmark = pytest.mark.skipif(os.name != "posix", reason="other systems analyse with one process")
ARTIFACTS = Path(__file__).parents[2] / "data" / "artifacts" / "real"
QUERY = AnalysisJob("select a, b + 1 as c from t", "duckdb", {"t": {"a": "int", "b": "int"}})
at_once = partial(AnalysisPool, 2, first_queries=0, first_seconds=0)
"""Pool that starts two workers with the first query."""


def read(folder: Path) -> Project:
    return extract_project(folder, git=GitState(), environ={}, hash_seed_files=False)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project of 150 models in layers. One cannot be read, another has the SQL of a third."""
    project = read(write(tmp_path_factory.mktemp("shop"), 150, 50))
    models = [node for node in project.nodes if node.resource_type == "model"]
    edits = {models[50].unique_id: "select from", models[71].unique_id: str(models[70].compiled_code)}
    return replace(
        project,
        nodes=tuple(
            replace(node, compiled_code=edits.get(node.unique_id, node.compiled_code))
            for node in project.nodes
        ),
    )


@pytest.fixture(scope="module")
def analysed(shop: Project) -> ColumnGraph:
    """Its column graph, by one process."""
    return analyse_project(shop)


def alike(first: ColumnGraph, second: ColumnGraph) -> bool:
    """Return True if both are equal, the order of their parts included."""
    return first == second and [*first.analyses] == [*second.analyses]


class LateAnswer(LocalAnswer):
    """Answer that is there when it is needed, and no earlier."""

    is_ready = False


@pytest.mark.cases(2)
@pytest.mark.parametrize("sample", ["fivetran/hubspot", "fivetran/jira", "recce/pr2", "datahub/sample_1"])
def test_answers_that_come_late_change_nothing(sample: str) -> None:
    project = read(ARTIFACTS / sample)

    one = analyse_project(project)

    assert sum(bool(found.outputs) for found in one.analyses.values()) > 2
    assert alike(analyse_project(project, analyst=LateAnswer), one)


@pytest.mark.extensive
def test_answers_that_come_late_change_nothing_for_nodes_that_read_later_ones_without_ref(
    shop: Project,
) -> None:
    models = [node for node in shop.nodes if node.resource_type == "model" and node.compiled_code]
    odd = {
        models[i].unique_id: f"select * from {models[j].relation_name}"
        for i, j in ((3, 120), (120, 3), (20, 21), (21, 22), (30, 30), (149, 0))
    }
    project = replace(
        shop,
        nodes=tuple(
            replace(one, compiled_code=odd.get(one.unique_id, one.compiled_code)) for one in shop.nodes
        ),
    )
    assumed = [models[10].unique_id, models[100].unique_id]

    one = analyse_project(project, assumed=assumed)
    known = {key: found.names for key, found in list(one.analyses.items())[::2]}

    assert alike(analyse_project(project, assumed=assumed, analyst=LateAnswer), one)
    rest = analyse_project(project, known, assumed=assumed)
    assert alike(analyse_project(project, known, assumed=assumed, analyst=LateAnswer), rest)


@pytest.mark.extensive
def test_two_workers_store_the_rows_of_one_process(
    shop: Project, default_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rows(name: str) -> dict[str, list[Any]]:
        file = shutil.copy(default_file, tmp_path / name)
        with UnifiedSqlAdapter.from_url(f"duckdb:///{file}") as adapter:
            result = record_run(adapter, shop, now=shop.run.run_at)
        assert len(result.column_warnings) == 1
        with duckdb.connect(str(file), read_only=True) as connection:
            # The row of `store` has the time of its creation.
            tables = connection.sql(
                "select table_name from duckdb_tables() where table_name <> 'store'"
            ).fetchall()
            return {
                table: sorted(connection.sql(f"select * from recce_metadata.{table}").fetchall(), key=repr)
                for (table,) in tables
            }

    alone = rows("alone.duckdb")
    found: list[int] = []

    class Counting(AnalysisPool):
        def __exit__(self, *given: object) -> None:
            found.extend(self.pids)
            super().__exit__(*given)

    monkeypatch.setattr(pools, "AnalysisPool", partial(Counting, 2, first_queries=0, first_seconds=0))
    together = rows("together.duckdb")

    assert len(found) == 2
    assert len(alone["store_column_edges"]) > 1_000
    assert together == alone


def test_a_worker_that_is_killed_leaves_its_queries_to_the_others(
    shop: Project, analysed: ColumnGraph
) -> None:
    with at_once() as pool:
        started = 0

        def analyst(query: AnalysisJob, timeout: float | None) -> Answer:
            nonlocal started
            started += 1
            if started in (30, 60):
                os.kill(pool.pids[0], signal.SIGKILL)
            return pool(query, timeout)

        graph = analyse_project(shop, analyst=analyst)
        assert pool.pids == []

    assert alike(graph, analysed)


DYING = """
import os
from recce_meta.api.workers import worker
from recce_meta.sql_lineage.project import jobs
real = jobs._analyse
def analyse(query, timeout):
    if "row_num <= 1" in query.sql:
        {failure}
    return real(query, timeout)
jobs._analyse = analyse
worker.main()
"""

MAIN = "worker.PATIENCE = 0\nworker.main"
"""Start of a worker that is ended as soon as a query takes longer than its limit."""


@pytest.mark.parametrize(
    ("failure", "left"),
    [
        pytest.param("os._exit(3)", 0, marks=pytest.mark.extensive),
        pytest.param("os.abort()", 0, marks=pytest.mark.extensive),
        ("raise MemoryError", 2),
        pytest.param("print('of a library', flush=True)", 2, marks=pytest.mark.extensive),
    ],
)
def test_a_query_that_a_worker_cannot_answer_is_analysed_here(
    shop: Project, analysed: ColumnGraph, failure: str, left: int
) -> None:
    assert sum("row_num <= 1" in (node.compiled_code or "") for node in shop.nodes) > 1
    command = [sys.executable, "-c", DYING.format(failure=failure), *worker_command()[3:]]

    with at_once(command=command) as pool:
        graph = analyse_project(shop, analyst=pool)
        assert len(pool.pids) == left

    assert alike(graph, analysed)


def test_a_worker_whose_parser_does_not_return_is_ended() -> None:
    failure = "while True: pass"
    program = DYING.format(failure=failure).replace("row_num <= 1", "from t").replace("worker.main", MAIN)
    command = [sys.executable, "-c", program, *worker_command()[3:]]

    with AnalysisPool(1, command=command, first_queries=0, first_seconds=0) as pool:
        assert pool(QUERY, 0.5).result() == analyse_job(QUERY, None)
        assert pool.pids == []


def test_a_query_that_cannot_be_sent_is_analysed_here() -> None:
    damaged = replace(QUERY, sql='select a as "\udc80" from t')

    with at_once() as pool:
        assert pool(damaged, None).result() == analyse_job(damaged, None)
        assert len(pool.pids) == 2


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["/nowhere/python"], marks=pytest.mark.extensive),
        pytest.param(["false"], marks=pytest.mark.extensive),
        [sys.executable, "-c", "import nothing"],
    ],
)
def test_workers_that_do_not_start_are_not_needed(
    shop: Project, analysed: ColumnGraph, command: Sequence[str]
) -> None:
    with at_once(command=command) as pool:
        graph = analyse_project(shop, analyst=pool)

    assert alike(graph, analysed)


def test_a_worker_of_another_version_does_not_answer() -> None:
    command = worker_command()
    command[3] = "0.0.0"

    with AnalysisPool(1, command=command, first_queries=0, first_seconds=0) as pool:
        answer = pool(QUERY, None)
        assert answer.result() == analyse_job(QUERY, None)
        assert pool.pids == []


def test_messages_that_are_longer_than_a_pipe_do_not_block_it() -> None:
    columns = {f"column_{i}": "int" for i in range(3_000)}
    queries = [
        AnalysisJob(f"select {', '.join(columns)}, {i} as n from t", "duckdb", {"t": columns})
        for i in range(4)
    ]

    with AnalysisPool(1, first_queries=0, first_seconds=0) as pool:
        answers = [pool(query, None) for query in queries]
        found = [answer.result() for answer in answers]

    assert found == [analyse_job(query, None) for query in queries]


def test_few_or_quick_queries_start_no_worker() -> None:
    with AnalysisPool(2, first_queries=100, first_seconds=0) as few:
        for _ in range(100):
            few(QUERY, None).result()
        assert few.pids == []
        few(QUERY, None).result()
        assert len(few.pids) == 2
    with AnalysisPool(2, first_queries=1, first_seconds=60) as quick:
        for _ in range(10):
            quick(QUERY, None).result()
        assert quick.pids == []


@pytest.mark.parametrize(
    ("cores", "memory", "count"), [(1, 64, 0), (2, 64, 1), (64, 64, 7), (8, 3, 3), (8, 0.5, 0)]
)
def test_workers_follow_processors_and_memory(
    monkeypatch: pytest.MonkeyPatch, cores: int, memory: float, count: int
) -> None:
    monkeypatch.setattr(pools, "usable_cores", lambda: cores)
    monkeypatch.setattr(pools, "machine_memory", lambda: int(memory * 2**30))

    assert pools.worker_count() == count


LONG = """
import sys
from recce_meta.api.workers.pool import AnalysisPool
from recce_meta.cli.main import main
from recce_meta.api.workers import pool
from functools import partial
class Shown(AnalysisPool):
    def _start_workers(self):
        super()._start_workers()
        print(*self.pids, flush=True)
pool.AnalysisPool = partial(Shown, 2, first_queries=0, first_seconds=0)
sys.argv[0] = "recce-meta"
main()
"""


@pytest.fixture
def recording(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """A `record` of 1,000 models with a niceness of 5, and its workers."""
    target = write(tmp_path / "target", 1_000, 0)
    command = [
        sys.executable,
        "-c",
        LONG,
        "record",
        str(target),
        "--url",
        f"duckdb:///{tmp_path / 's.duckdb'}",
    ]
    child = subprocess.Popen(
        ["nice", "-n", "5", *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    pids = [int(word) for word in child.stdout.readline().split()]
    yield child, pids
    child.kill()
    child.communicate()


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


@pytest.mark.parametrize(
    "number",
    [
        *(pytest.param(one, marks=pytest.mark.extensive) for one in (signal.SIGINT, signal.SIGTERM)),
        signal.SIGKILL,
    ],
)
def test_an_interrupted_recording_leaves_no_worker(
    recording: tuple[subprocess.Popen[str], list[int]], number: signal.Signals
) -> None:
    child, pids = recording
    assert len(pids) == 2
    assert all(map(is_running, pids))

    child.send_signal(number)
    _, errors = child.communicate(timeout=60)

    assert child.returncode == (-number if number == signal.SIGKILL else 128 + number)
    assert "Traceback" not in errors
    # Those of a killed process see the end of their input after the present query.
    assert wait_until(lambda: not any(map(is_running, pids)))


@pytest.mark.extensive
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
def test_workers_are_as_nice_as_the_command(recording: tuple[subprocess.Popen[str], list[int]]) -> None:
    child, pids = recording

    nicenesses = {pid: Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[16] for pid in pids}

    assert set(nicenesses.values()) == {str(min(os.nice(0) + 5, 19))}
    assert child.wait(timeout=120) == 0
    assert not any(map(is_running, pids))
