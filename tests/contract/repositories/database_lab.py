"""A state, a store and a worker for connected databases, and small databases."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.models import RunMetadata
from recce_meta.repositories.extraction.database_jobs import DatabaseJobs
from recce_meta.repositories.extraction.workflow import STAGES, JobRun, Result, Retries
from recce_meta.repositories.follow_ups.branches import BranchFollower
from recce_meta.repositories.follow_ups.comments import PageLinks
from recce_meta.repositories.follow_ups.context import TaskContext
from recce_meta.repositories.recording import TargetStores
from recce_meta.repositories.service.service import RepositoryService
from recce_meta.repositories.state.database import State, open_state
from recce_meta.repositories.state.jobs import events_after, get_job
from recce_meta.repositories.state.requests import (
    Caller,
    NewConnection,
    NewDatabase,
)
from recce_meta.repositories.state.tasks import list_tasks
from recce_meta.repositories.state.types import (
    SCAN,
    ExtractionJob,
    RepositoryConnection,
    Stage,
    TaskKind,
    TaskStatus,
)
from recce_meta.repositories.worker import Worker, WorkerSettings
from recce_meta.store.read import find_runs
from recce_meta.store.session import open_store
from tests.support import states

ADMIN = Caller(name="test", is_admin=True)
REMOTE = Caller(name="test", is_admin=True, is_remote=True)
PASSWORD = "p-8c41f0d2e7"
PATIENCE = 60


class Target(NamedTuple):
    """Store that runs are recorded in."""

    connect: Callable[[], UnifiedSqlAdapter]


async def _no_repository(_: JobRun) -> Result:
    raise AssertionError("a database has no such stage")


async def _no_forge(_: RepositoryConnection) -> None:
    return None


async def _no_clean_up(_: JobRun) -> Result:
    return {}


class Workplace:
    """A state, a store in SQLite, and one worker with the stages of databases."""

    def __init__(self, folder: Path, store: str | None = None) -> None:
        self.folder = folder
        self.environ = {**os.environ, "RECCE_META_KEY": states.KEY}
        self.state: State = open_state(f"sqlite:///{folder / 'state.db'}", {})
        self.service = RepositoryService(self.state, environ=self.environ)
        self.store = UnifiedSqlAdapter.from_url(store or f"sqlite:///{folder / 'store.db'}")
        self.stores = TargetStores({"default": Target(lambda: self.store)}, lock_timeout=60)
        jobs = DatabaseJobs(self.state, self.stores, self.environ)
        self.stages = stages = jobs.stages(
            dict.fromkeys(STAGES, _no_repository) | {Stage.CLEAN_UP: _no_clean_up}
        )
        settings = WorkerSettings(
            work=folder / "work", retries=Retries(delays=(0.01,)), spacing_seconds=0, tick_seconds=0.1
        )
        context = TaskContext(
            state=self.state,
            stores=self.stores,
            open_forge=_no_forge,
            scrub=lambda _, text: text,
            links=PageLinks(server="https://recce.example.com"),
        )
        self.worker = Worker(
            self.state, stages, settings, handlers={TaskKind.FOLLOW_UP: BranchFollower(context)}
        )

    def add(
        self,
        name: str,
        *,
        is_tested: bool = True,
        caller: Caller = ADMIN,
        fields: Mapping[str, Any] = {},
        **own: Any,
    ) -> str:
        """Connect a database under *name*, and return the id of the connection."""
        request = NewConnection(repo_url="", name=name, database=NewDatabase(**own), **fields)
        added = asyncio.run(self.service.add(request, caller=caller, is_tested=is_tested))
        return added.connection.id

    def finished(self, job_id: str) -> ExtractionJob:
        """Return the job when it is over."""
        deadline = time.monotonic() + PATIENCE
        while not (job := get_job(self.state, job_id)).status.is_over:
            assert time.monotonic() < deadline, [*events_after(self.state, job_id)]
            time.sleep(0.02)
        return job

    def run(self, connection: str, name: str = SCAN) -> ExtractionJob:
        """Request a scan or a measurement, and return its job when it is over."""
        return self.finished(self.service.jobs_of(connection).extract(caller=ADMIN, branch=name).job_id)

    def notified(self, job: ExtractionJob) -> list[Mapping[str, Any]]:
        """Return what is sent because of *job*, once its follow-up has ended."""
        deadline = time.monotonic() + PATIENCE
        while job.id not in {one.key: one for one in list_tasks(self.state, is_open=False)}:
            assert time.monotonic() < deadline, list_tasks(self.state)
            time.sleep(0.02)
        (ended,) = [one for one in list_tasks(self.state, is_open=False) if one.key == job.id]
        assert (ended.kind, ended.status, ended.error) == (TaskKind.FOLLOW_UP, TaskStatus.DONE, None)
        # No handler sends them here, so they wait.
        sent = [one.payload for one in list_tasks(self.state) if one.kind is TaskKind.NOTIFY]
        return [one for one in sent if str(one["id"]).endswith(job.id)]

    def runs(self) -> Mapping[str, RunMetadata]:
        """Return the stored runs by id."""
        with self.store.sibling() as adapter, open_store(adapter) as store:
            return {run.run_id: run for run in find_runs(store)}


def sqlite_file(folder: Path) -> str:
    """Return the URL of a SQLite file with a table."""
    file = folder / "shop.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, city TEXT)")
        connection.execute("INSERT INTO orders VALUES (1, 'Rome'), (2, NULL)")
        connection.commit()
    return f"sqlite:///{file}"


def duckdb_file(folder: Path) -> str:
    """Return the URL of a DuckDB file with a table."""
    file = folder / "shop.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("CREATE TABLE orders AS SELECT 1 AS id, 'Rome' AS city")
    return f"duckdb:///{file}"
