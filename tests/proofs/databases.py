"""Proof that no kill loses or doubles a scan or a measurement of a connected database.

    python -m tests.proofs.databases [--seconds 600] [--seed 1]

A case connects a database with 40 to 400 tables, in PostgreSQL or in a file of SQLite, to a store in DuckDB
or PostgreSQL, and asks for a scan, then for a measurement. Real workers, one or two, are killed one to three
times at random moments of each job, then started again until it has ended. The store must then have the one
run, and the one measurement, of these jobs, with every table. Prints each fault, and how many kills met each
stage; exits with 1 if there is a fault.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import psycopg

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.repositories.service.service import RepositoryService
from recce_meta.repositories.state.database import open_state
from recce_meta.repositories.state.jobs import events_after, get_job, list_jobs
from recce_meta.repositories.state.requests import Caller, NewConnection, NewDatabase
from recce_meta.repositories.state.types import QUALITY, SCAN, ExtractionJob, JobStatus, Stage, run_id_of_job
from recce_meta.store.quality import list_quality_runs
from recce_meta.store.read import find_runs
from recce_meta.store.session import open_store
from tests.proofs.clock import Clock

POSTGRES = os.environ.get("RECCE_META_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/test")
PATIENCE = 300.0
"""Seconds in which a job has to end after the last kill."""
LATEST_KILL = 2.0
"""Seconds from the beginning of a job to the latest kill."""
EARLY = 0.2
"""Share of kills that do not wait for the beginning."""
SCHEMA = "recce_meta"
ADMIN = Caller(name="proof", is_admin=True)


class Case(NamedTuple):
    """What a seed chooses."""

    seed: int
    tables: int
    is_postgres: bool
    is_store_postgres: bool
    workers: int

    @classmethod
    def of(cls, seed: int) -> Case:
        """Return the case of *seed*."""
        choose = random.Random(seed)
        tables = choose.randint(40, 400)
        return cls(seed, tables, choose.random() < 0.5, choose.random() < 0.5, choose.choice((1, 1, 2)))


@contextmanager
def _database(case: Case, folder: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the URL and the schemas of a database with the tables of *case*."""
    columns = "id INTEGER PRIMARY KEY, city TEXT, amount DECIMAL(10, 2)"
    made = [(f"t{number}", f"({columns})") for number in range(case.tables)]
    if not case.is_postgres:
        file = folder / "shop.db"
        with closing(sqlite3.connect(file)) as session:
            for name, body in made:
                session.execute(f"CREATE TABLE {name} {body}")
                session.execute(f"INSERT INTO {name} VALUES (1, 'Rome', 2.5), (2, NULL, 3)")
            session.commit()
        yield f"sqlite:///{file}", ()
        return
    schema = f"broken_{uuid4().hex[:8]}"
    with psycopg.connect(POSTGRES, autocommit=True) as session:
        session.execute(f"CREATE SCHEMA {schema}")
        try:
            for name, body in made:
                session.execute(f"CREATE TABLE {schema}.{name} {body}")
                session.execute(f"INSERT INTO {schema}.{name} VALUES (1, 'Rome', 2.5), (2, NULL, 3)")
            yield POSTGRES, (schema,)
        finally:
            session.execute(f"DROP SCHEMA {schema} CASCADE")


@contextmanager
def _store(case: Case, folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the URL and the schema of the store of *case*."""
    if not case.is_store_postgres:
        yield f"duckdb:///{folder / 'store.duckdb'}", SCHEMA
        return
    schema = f"broken_store_{uuid4().hex[:8]}"
    try:
        yield POSTGRES, schema
    finally:
        with psycopg.connect(POSTGRES, autocommit=True) as session:
            session.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")


class Workers:
    """Worker processes of one case."""

    def __init__(self, count: int, folder: Path, store: tuple[str, str]) -> None:
        url, schema = store
        self._command = [
            *(sys.executable, "-m", "recce_meta", "worker", "--url", url, "--schema", schema),
            *("--state", f"sqlite:///{folder / 'state.db'}"),
            *("--work-dir", str(folder / "work"), "--worker-name"),
        ]
        self._count, self._log = count, folder / "workers.log"
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start those that do not run."""
        with self._log.open("ab") as log:
            for number in range(self._count):
                if number == len(self._running) or self._running[number].poll() is not None:
                    # Of the same name: it takes over the jobs of the one that was killed.
                    started = subprocess.Popen([*self._command, f"w{number}"], stdout=log, stderr=log)
                    self._running[number : number + 1] = [started]

    def kill(self) -> None:
        """Kill all of them."""
        for one in self._running:
            one.send_signal(signal.SIGKILL)
            one.wait()

    def log(self) -> str:
        """Return the end of what they have written."""
        return self._log.read_text(errors="replace")[-2000:]


def run(case: Case, kills: Counter[str]) -> list[str]:
    """Return the faults of *case*; count in *kills* the stages that its kills met."""
    choose, faults = random.Random(case.seed + 0.5), []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="break-databases-")))
        url, schemas = stack.enter_context(_database(case, folder))
        store = stack.enter_context(_store(case, folder))
        state = open_state(f"sqlite:///{folder / 'state.db'}", {})
        stack.callback(state.close)
        service = RepositoryService(state, environ=dict(os.environ))
        own = NewDatabase(url=url, schemas=schemas, scan_minutes=None, quality_minutes=None)
        request = NewConnection(repo_url="", name=f"shop{case.seed}", database=own)
        connection = asyncio.run(service.add(request, caller=ADMIN, is_tested=False)).connection.id
        workers = Workers(case.workers, folder, store)
        stack.callback(workers.kill)
        ended: dict[str, ExtractionJob] = {}
        for branch in (SCAN, QUALITY):
            asked = service.jobs_of(connection).extract(caller=ADMIN, branch=branch)
            for _ in range(choose.randint(1, 3)):
                workers.start()
                until = time.monotonic() + (0 if choose.random() < EARLY else PATIENCE)
                while get_job(state, asked.job_id).status is JobStatus.PENDING and time.monotonic() < until:
                    time.sleep(0.02)
                time.sleep(choose.uniform(0, LATEST_KILL))
                job = get_job(state, asked.job_id)
                kills[f"{branch} {_moment(job)}"] += 1
                workers.kill()
            workers.start()
            until = time.monotonic() + PATIENCE
            while not (job := get_job(state, asked.job_id)).status.is_over and time.monotonic() < until:
                time.sleep(0.1)
            ended[branch] = job
            if job.status is not JobStatus.SUCCESS:
                log = [one.message for one in events_after(state, job.id)][-5:]
                faults.append(f"{branch} {job.status.value}: {job.error} {log} {workers.log()}")
                break
            workers.kill()
        faults += _doubled(store, ended, case.tables)
        if len(list_jobs(state, connection)) != len(ended):
            faults.append(f"{len(list_jobs(state, connection))} jobs")
    return [f"{case}: {fault}" for fault in faults]


def _moment(job: ExtractionJob) -> str:
    if job.status is not JobStatus.RUNNING:
        return job.status.value
    stage: Stage | None = job.stage
    return "begins" if stage is None else stage.value


def _doubled(place: tuple[str, str], ended: dict[str, ExtractionJob], tables: int) -> Iterator[str]:
    """Yield what the store has too much or too little of."""
    url, schema = place
    with UnifiedSqlAdapter.from_url(url) as adapter:
        with open_store(adapter.at(schema)) as store:
            runs = find_runs(store, status=None)
        measured = list_quality_runs(adapter.at(schema), with_failed=True)
    found = {
        SCAN: [(one.run_id, one.node_count - 1) for one in runs],
        QUALITY: [(one.quality_run_id, one.table_count) for one in measured],
    }
    for branch, job in ended.items():
        wanted = run_id_of_job(job.id)
        # The run of a measurement is that of its scan.
        if found[branch] != [(wanted, tables)] or job.run_id != run_id_of_job(ended[SCAN].id):
            yield f"{branch} of {tables} tables: {found[branch]}, wanted {wanted}; run of job {job.run_id}"


def main() -> int:
    """Run cases until the time is over."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    clock, _ = Clock.of(parser)
    kills: Counter[str] = Counter()
    failed = 0
    with suppress(KeyboardInterrupt):
        for seed in clock.seeds():
            faults = run(Case.of(seed), kills)
            failed += bool(faults)
            print(*faults, sep="\n", end="\n" if faults else "", flush=True)
    print(f"{sum(kills.values())} kills: {', '.join(f'{n} in {name}' for name, n in sorted(kills.items()))}")
    print(clock.report(failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
