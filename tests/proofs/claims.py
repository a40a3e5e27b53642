"""Proof that projects stay apart: random jobs, uploads and hand-overs of 20 connections at the same time.

    python -m tests.proofs.claims [--seconds 600] [--seed 1] [--state URL]

A round has 500 requests to 20 connections of 12 repositories, whose projects have two names: jobs of
branches and of pull requests, uploads with any environment, changes of the store and the environment of a
connection, and hand-overs. Eight are on their way at any moment. The stage that stores a run and the code
that receives an upload are those of the service; only the analysis of columns is replaced by a pause. Between
two hand-overs, all transactions that may write to a project and environment of a store must be those of one
repository, and the stores must have exactly the runs that were reported as recorded. Prints each fault; exits
with 1 if there is one.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch
from uuid import uuid4

import msgspec
from msgspec.structs import replace
from sqlalchemy.schema import DropSchema

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.errors import StoreNotFound
from recce_meta.models import Project, RunMetadata
from recce_meta.models.lineage import ColumnGraph
from recce_meta.models.run import ExtractionTier, Trigger
from recce_meta.repositories.extraction import claims
from recce_meta.repositories.extraction.commits import settings_for
from recce_meta.repositories.extraction.manifest_reader import Accuracy, ReadUpload, UploadDetails
from recce_meta.repositories.extraction.stages import Children, ExtractionSettings, Extractor, _settings_id
from recce_meta.repositories.extraction.workflow import FolderGone, JobRun, StageFailed
from recce_meta.repositories.processes import Completed
from recce_meta.repositories.state.connections import add_connection, get_connection, update_connection
from recce_meta.repositories.state.database import State, open_state
from recce_meta.repositories.state.jobs import finish_job, request_job, start_job
from recce_meta.repositories.state.projects import OtherRepository, hand_over_project, repository_of
from recce_meta.repositories.state.types import (
    ExtractionJob,
    JobOutcome,
    JobRequest,
    JobSource,
    JobStatus,
    PullRequest,
    RepositoryConnection,
    Stage,
    connection_environment_of,
)
from recce_meta.server.access.problems import UploadRefused
from recce_meta.server.site import uploads as manifests
from recce_meta.server.stores.stores import Store
from recce_meta.store.read import find_runs
from recce_meta.store.session import open_store
from tests.proofs.clock import Clock

REQUESTS, AT_ONCE, CONNECTIONS, REPOSITORIES = 500, 8, 20, 12
STORES, ENVIRONMENTS, PROJECTS = ("first", "second"), ("prod", "dev"), "ab"
SCHEMA = "main"


class Place(NamedTuple):
    """A project and environment of a store."""

    store: str
    project: str
    environment: str


class Target(NamedTuple):
    """Store of a worker."""

    connect: Callable[[], UnifiedSqlAdapter]


class Section(NamedTuple):
    """A block that may write runs, or that hands a project over."""

    place: Place
    repository: str
    is_hand_over: bool


class Round:
    """State, stores and connections of one round."""

    def __init__(self, state: State, folder: Path, seed: int) -> None:
        self.state, self.folder, self.choose = state, folder, random.Random(seed)
        self.sections: list[Section] = []
        self.recorded: dict[str, str] = {}
        self.counts: Counter[str] = Counter()
        self._handing = threading.local()
        self.stores = {name: Store(name, partial(_open, folder / name)) for name in STORES}
        targets = {name: Target(partial(_open, folder / name)) for name in STORES}
        self.stages = Extractor(state, targets, ExtractionSettings(work=folder), {}).stages
        self.connections = [self._connect(number).id for number in range(CONNECTIONS)]

    def _connect(self, number: int) -> RepositoryConnection:
        return add_connection(
            self.state,
            RepositoryConnection(
                id=uuid4().hex[:12],
                name=f"c{number}",
                type="github",
                repo_url=f"https://github.com/acme/r{number % REPOSITORIES}",
                branches=("main",),
                store=self.choose.choice(STORES),
                environment=self.choose.choice(ENVIRONMENTS),
                created_at=datetime.now(timezone.utc),
                created_by="proof",
            ),
        )

    # What is watched

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Note, within the block, each section that holds the lock of owners, and slow analyses down."""
        hold, lock = claims.holding_project, State.lock_owners

        @contextmanager
        def holding(
            state: State, connection: RepositoryConnection, project: str, environment: str, **given: Any
        ) -> Iterator[None]:
            with hold(state, connection, project, environment, **given):
                yield
                place = Place(connection.store, project, environment)
                self.sections.append(Section(place, repository_of(connection), is_hand_over=False))

        @contextmanager
        def locking(state: State, *, is_exclusive: bool) -> Iterator[None]:
            with lock(state, is_exclusive=is_exclusive):
                yield
                if is_exclusive:
                    self.sections.append(self._handing.section)

        async def columns(*_: object) -> ColumnGraph:
            await asyncio.sleep(self.choose.random() / 5)
            return ColumnGraph(lineage_ids={}, analyses={})

        def new(columns: ColumnGraph, *_: object) -> ColumnGraph:
            time.sleep(self.choose.random() / 5)
            return columns

        with ExitStack() as patches:
            patches.enter_context(patch.object(claims, "holding_project", holding))
            patches.enter_context(patch.object(State, "lock_owners", locking))
            patches.enter_context(patch.object(Children, "columns", columns))
            patches.enter_context(patch.object(manifests, "_new", new))
            yield

    # Requests

    async def run(self, requests: int) -> None:
        """Make all requests."""
        left = iter(range(requests))

        async def work() -> None:
            for _ in left:
                act = self.choose.choices((self.job, self.upload, self.change, self.hand_over), (10, 8, 2, 4))
                name, outcome = await act[0](self.choose.choice(self.connections))
                self.counts[f"{name}: {outcome}"] += 1

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))

    async def job(self, connection_id: str) -> tuple[str, str]:
        """Let a job of a branch or a pull request read a project, and store it a moment later."""
        number = self.choose.choice((None, None, 1, 2))
        source = JobSource.BRANCH if number is None else JobSource.PULL_REQUEST
        before = await asyncio.to_thread(get_connection, self.state, connection_id)
        job = await asyncio.to_thread(self._begin, connection_id, source, number)
        request = None if number is None else _pull_request(connection_id, number)

        async def log(_: str) -> None: ...

        results = {
            "clone": {"settings": _settings_id(before)},
            "dependencies": {},
            "parse": {},
            "extract": {"tier": ExtractionTier.BRONZE.value, "counts": {}},
        }
        folder = self.folder / uuid4().hex
        run = JobRun(
            job=job, connection=before, folder=folder, results=results, log=log, pull_request=request
        )
        project = self._project(settings_for(run))
        (folder / "read").mkdir(parents=True)
        (folder / "read" / "project.json").write_bytes(msgspec.json.encode(project))
        await asyncio.sleep(self.choose.random() / 20)
        # As in the workflow, which reads settings at the begin of each stage, before the wait for a slot.
        run = replace(run, connection=await asyncio.to_thread(get_connection, self.state, connection_id))
        await asyncio.sleep(self.choose.random() / 20)
        ended, outcome = JobStatus.FAILED, "recorded"
        try:
            await self.stages[Stage.STORE](run)
            self.recorded[project.run.run_id], ended = repository_of(before), JobStatus.SUCCESS
        except StageFailed as error:
            outcome = error.kind
        except FolderGone:
            outcome = "begins again"
        run_id = project.run.run_id if ended is JobStatus.SUCCESS else None
        await asyncio.to_thread(partial(finish_job, self.state, job.id, ended, JobOutcome(run_id=run_id)))
        return "job", outcome

    def _begin(self, connection_id: str, source: JobSource, number: int | None) -> ExtractionJob:
        # A label for each job: only one of a branch may wait, and many run here at the same time.
        label = uuid4().hex
        job = request_job(
            self.state,
            connection_id,
            JobRequest(
                branch=label, trigger=Trigger.POLL, requested_by="proof", source=source, pull_request=number
            ),
        ).job
        return start_job(self.state, job.id, "proof")

    async def upload(self, connection_id: str) -> tuple[str, str]:
        """Receive an upload, with an environment that its sender may have chosen."""
        connection = await asyncio.to_thread(get_connection, self.state, connection_id)
        details = UploadDetails(
            environment=self.choose.choice((None, None, "prod", "dev", "qa", "pull-request-1")),
            pull_request=self.choose.choice((None, None, 1, 2)),
        )
        project = self._project(
            replace(connection, environment=details.run_environment(connection.environment))
        )
        read = ReadUpload(
            project=project,
            columns=ColumnGraph(lineage_ids={}, analyses={}),
            branch="main",
            tier=ExtractionTier.GOLD,
            manifest_digest="",
            accuracy=Accuracy(model_lineage=1, column_lineage=1),
        )
        await asyncio.sleep(self.choose.random() / 20)
        sent = manifests._Upload(
            state=self.state,
            connection=connection,
            store=self.stores[connection.store],
            caller="proof",
            began=time.monotonic(),
        )
        done = Completed(code=0, output="", errors="", seconds=0, cpu_seconds=0, peak_memory=0)
        try:
            await asyncio.to_thread(manifests._record, sent, details, read, done)
        except (UploadRefused, OtherRepository) as error:
            return "upload", type(error).__name__
        self.recorded[project.run.run_id] = repository_of(connection)
        return "upload", "recorded"

    async def change(self, connection_id: str) -> tuple[str, str]:
        """Change where a connection records its runs."""
        changes = {
            "store": self.choose.choice(STORES),
            "environment": self.choose.choice(ENVIRONMENTS),
        }
        await asyncio.to_thread(partial(update_connection, self.state, connection_id, **changes))
        return "change", "done"

    async def hand_over(self, connection_id: str) -> tuple[str, str]:
        """Hand a project over to a connection."""
        connection = await asyncio.to_thread(get_connection, self.state, connection_id)
        project = self.choose.choice(PROJECTS)

        def work() -> None:
            place = Place(connection.store, project, connection.environment)
            self._handing.section = Section(place, repository_of(connection), is_hand_over=True)
            hand_over_project(self.state, connection, project)

        await asyncio.to_thread(work)
        return "hand-over", "done"

    def _project(self, connection: RepositoryConnection) -> Project:
        """Return a project of any name, whose run says which repository it comes from."""
        run = RunMetadata(
            run_id=uuid4().hex,
            run_at=datetime.now(timezone.utc),
            project_name=self.choose.choice(PROJECTS),
            environment=connection.environment,
            branch=repository_of(connection),
        )
        return Project(run=run, nodes=())

    # What must hold

    def faults(self) -> list[str]:
        """Return what is wrong with the sections and the stores."""
        found, owners = [], dict[Place, str]()
        for section in self.sections:
            place = section.place
            if section.is_hand_over:
                environments = (one for one in list(owners) if _is_of(one, place))
                for one in environments:
                    del owners[one]
                owners[place] = section.repository
            elif owners.setdefault(place, section.repository) != section.repository:
                found.append(f"{section.repository} wrote to {place} of {owners[place]}")
        stored = {run.run_id: run.branch for name in STORES for run in self._runs(name)}
        if stored != self.recorded:
            different = {one for one in stored | self.recorded if stored.get(one) != self.recorded.get(one)}
            found.append(f"{len(different)} runs are not as reported, such as {min(different)}")
        return found

    def _runs(self, name: str) -> list[RunMetadata]:
        try:
            with _open(self.folder / name) as adapter, open_store(adapter.at(SCHEMA)) as store:
                return list(find_runs(store))
        except StoreNotFound:
            return []

    def close(self) -> None:
        """Close the stores."""
        for store in self.stores.values():
            store.close()


def _is_of(one: Place, place: Place) -> bool:
    """Return True if the environment of *one* is that of *place*, or that of one of its pull requests."""
    usual = connection_environment_of(one.environment)
    return (one.store, one.project, usual) == place


def _open(file: Path) -> UnifiedSqlAdapter:
    return UnifiedSqlAdapter.from_url(f"sqlite:///{file}.db").at(SCHEMA)


def _pull_request(connection_id: str, number: int) -> PullRequest:
    return PullRequest(
        connection_id=connection_id,
        number=number,
        title="",
        base_branch="main",
        head_branch="change",
        is_fork=number == 1,
        updated_at=datetime.now(timezone.utc),
    )


def run_round(
    seed: int, folder: Path, state_url: str | None = None, requests: int = REQUESTS
) -> tuple[list[str], Counter[str]]:
    """Run the round of *seed* in *folder*. Return the faults, and the outcomes with their numbers."""
    state = open_state(state_url or f"sqlite:///{folder / 'state.db'}", {})
    try:
        made = Round(state, folder, seed)
        with made.watched():
            asyncio.run(made.run(requests))
        made.close()
        return [f"round {seed}: {one}" for one in made.faults()], made.counts
    finally:
        if state.schema is not None:
            with state.engine.begin() as connection:
                connection.execute(DropSchema(state.schema, cascade=True))
        state.close()


def main() -> None:
    """Run the rounds and print what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", help="URL of a PostgreSQL database; each round has a schema of its own")
    clock, chosen = Clock.of(parser)
    wrong, counts = 0, Counter[str]()
    for seed in clock.seeds():
        url = chosen.state and f"{chosen.state}?schema=claims_{uuid4().hex[:12]}"
        with tempfile.TemporaryDirectory() as folder:
            found, counted = run_round(seed, Path(folder), url)
        counts += counted
        wrong += bool(found)
        print(*found, sep="\n", end="\n" if found else "", flush=True)
    print(f"{clock.report(wrong)}; {counts.total()} requests: {dict(counts)}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
