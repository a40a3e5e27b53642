"""Claims of projects by jobs, from the document that was read to the run in the store."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.errors import StoreNotFound
from recce_meta.models import Project, RunMetadata
from recce_meta.models.lineage import ColumnGraph
from recce_meta.models.run import ExtractionTier, Trigger
from recce_meta.repositories.extraction.stages import Children, ExtractionSettings, Extractor
from recce_meta.repositories.extraction.workflow import FolderGone, JobRun, Result, StageFailed, StageFunction
from recce_meta.repositories.processes import DEFAULT_LIMITS, ProcessLimits
from recce_meta.repositories.state.connections import add_connection, get_connection, update_connection
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.jobs import events_after, finish_job, get_job, request_job, start_job
from recce_meta.repositories.state.projects import (
    OtherRepository,
    claim_project,
    hand_over_project,
    owned_projects,
)
from recce_meta.repositories.state.types import (
    EXCEEDED,
    JobOutcome,
    JobRequest,
    JobStatus,
    RepositoryConnection,
    Stage,
)
from recce_meta.store import write as write_module
from recce_meta.store.read import find_runs
from recce_meta.store.session import StoreSession, open_store
from tests.contract.repositories.test_extraction import Target
from tests.proofs.claims import run_round
from tests.support.states import DATABASES, at_once, opened, shop, state_address

STORES = ("first", "second")
OTHER = "https://github.com/acme/other"


def _open(file: Path) -> UnifiedSqlAdapter:
    return UnifiedSqlAdapter.from_url(f"sqlite:///{file}.db")


class Claims:
    """A state, two stores, and the stages of jobs whose project is read already."""

    def __init__(self, state: State, folder: Path) -> None:
        self.state = state
        self.folder = folder
        self.stores = {name: Target(partial(_open, folder / name)) for name in STORES}
        self.stages = self.stages_with(DEFAULT_LIMITS)

    def stages_with(self, limits: ProcessLimits) -> Mapping[Stage, StageFunction]:
        """Return the stages of a worker with *limits* of the child that reads a project."""
        settings = ExtractionSettings(work=self.folder, reading=limits)
        return Extractor(self.state, self.stores, settings, os.environ).stages

    def connect(self, **fields: Any) -> RepositoryConnection:
        """Store a connection, by default to the first store."""
        return add_connection(self.state, shop(**{"store": "first", **fields}))

    def run(self, connection: RepositoryConnection, project: str = "shop") -> JobRun:
        """Return a job that has read *project*, and has not stored it."""
        job = request_job(
            self.state, connection.id, JobRequest(branch="main", trigger=Trigger.POLL, requested_by="poll")
        ).job
        start_job(self.state, job.id, "worker")
        folder = self.folder / job.id.replace(":", "-")
        (folder / "read").mkdir(parents=True)
        metadata = RunMetadata(
            run_id=job.id,
            run_at=datetime.now(timezone.utc),
            project_name=project,
            environment=connection.environment,
        )
        document = msgspec.json.encode(Project(run=metadata, nodes=()))
        (folder / "read" / "project.json").write_bytes(document)

        async def log(_: str) -> None: ...

        found = {"tier": ExtractionTier.BRONZE.value, "counts": {}}
        run = JobRun(
            job=get_job(self.state, job.id), connection=connection, folder=folder, results={}, log=log
        )
        settings = asyncio.run(self.stages[Stage.CLEAN_UP](run))["settings"]
        results: Mapping[str, Result] = {
            "clone": {"settings": settings},
            "dependencies": {},
            "parse": {},
            "extract": found,
        }
        return replace(run, results=results)

    def record(self, run: JobRun) -> None:
        """Run the last stage of a job."""
        asyncio.run(self.stages[Stage.STORE](run))

    def recorded(self) -> dict[str, list[str]]:
        """Return the ids of the runs of each store."""
        found: dict[str, list[str]] = {}
        for name, store in self.stores.items():
            try:
                with store.connect() as adapter, open_store(adapter) as session:
                    found[name] = [run.run_id for run in find_runs(session)]
            except StoreNotFound:
                found[name] = []
        return found


@pytest.fixture(params=DATABASES)
def claims(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Claims]:
    """Yield claims in a new state of each database."""
    postgres = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    with state_address(request.param, tmp_path, postgres) as url, opened(url) as state:
        yield Claims(state, tmp_path)


def test_a_job_writes_to_the_store_that_it_has_claimed(claims: Claims) -> None:
    """The store of its connection is changed while the job waits for a slot."""
    claim_project(claims.state, shop(store="first", repo_url=OTHER), "shop", "prod")
    run = claims.run(claims.connect())
    update_connection(claims.state, run.connection.id, store="second")

    with pytest.raises(StageFailed, match=f"of the store 'first' belongs to {OTHER}"):
        claims.record(run)

    assert claims.recorded() == {"first": [], "second": []}


@pytest.mark.cases(1)
@pytest.mark.parametrize("changes", [{"subdirectory": "sub"}, {"environment": "dev"}, {"store": "second"}])
def test_a_job_whose_settings_have_changed_since_its_checkout_begins_again(
    claims: Claims, changes: dict[str, str]
) -> None:
    run = claims.run(claims.connect())
    update_connection(claims.state, run.connection.id, **changes)
    changed = replace(run, connection=get_connection(claims.state, run.connection.id))

    with pytest.raises(FolderGone):
        claims.record(changed)

    assert claims.recorded() == {"first": [], "second": []}
    claims.record(run)
    assert claims.recorded() == {"first": [run.job.id], "second": []}


def test_a_job_records_nothing_if_its_project_is_handed_over_while_it_analyses_columns(
    claims: Claims, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Minutes lie between the claim and the transaction that writes."""
    run, other = claims.run(claims.connect()), shop(store="first", repo_url=OTHER)

    async def hand_over(*_: object) -> ColumnGraph:
        await asyncio.to_thread(hand_over_project, claims.state, other, "shop")
        return ColumnGraph(lineage_ids={}, analyses={})

    monkeypatch.setattr(Children, "columns", hand_over)
    with pytest.raises(StageFailed, match=f"belongs to {OTHER}") as error:
        claims.record(run)
    assert error.value.kind == "other_repository"
    assert claims.recorded()["first"] == []


def test_a_project_is_not_handed_over_while_a_run_is_written(
    claims: Claims, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written then is complete before the new owner records anything."""
    run, other, order = claims.run(claims.connect()), shop(store="first", repo_url=OTHER), list[str]()
    threads: list[threading.Thread] = []
    write_graph = write_module.write_graph

    def hand_over() -> None:
        hand_over_project(claims.state, other, "shop")
        order.append("handed over")

    def write(store: StoreSession, *given: Any) -> Any:
        threads.append(threading.Thread(target=hand_over))
        threads[-1].start()
        threads[-1].join(0.5)
        order.append("written")
        return write_graph(store, *given)

    monkeypatch.setattr(write_module, "write_graph", write)
    claims.record(run)
    threads[0].join()
    assert order == ["written", "handed over"]
    assert claims.recorded()["first"] == [run.job.id]
    with pytest.raises(OtherRepository):
        claim_project(claims.state, run.connection, "shop", "prod")


def test_many_hand_overs_at_once_leave_one_owner(claims: Claims) -> None:
    numbers = iter(range(8))

    def hand_over() -> None:
        address = f"{OTHER}-{next(numbers)}"
        for _ in range(5):
            hand_over_project(claims.state, shop(repo_url=address), "shop")

    at_once(8, hand_over)
    owners = [shop(repo_url=f"{OTHER}-{number}") for number in range(8)]
    assert sum(bool(owned_projects(claims.state, one)) for one in owners) == 1


@pytest.mark.parametrize(
    ("limits", "kind"),
    [
        (ProcessLimits(seconds=0.01), "time"),
        (ProcessLimits(cpu_seconds=0.01), "time"),
    ],
)
def test_limits_of_our_own_reader_are_named_as_those_of_dbt(
    claims: Claims, limits: ProcessLimits, kind: str
) -> None:
    """Such a job pauses its repository."""
    claims.stages = claims.stages_with(limits)
    with pytest.raises(StageFailed) as error:
        claims.record(claims.run(claims.connect()))
    assert error.value.kind == kind and kind in EXCEEDED, error.value.message


def test_a_project_stays_with_a_connection_whose_folder_is_changed(claims: Claims) -> None:
    run = claims.run(claims.connect())
    claims.record(run)
    finish_job(claims.state, run.job.id, JobStatus.SUCCESS, JobOutcome(run_id=run.job.id))
    update_connection(claims.state, run.connection.id, subdirectory="transform")
    after = get_connection(claims.state, run.connection.id)

    moved = claims.run(after)
    claims.record(moved)

    assert set(claims.recorded()["first"]) == {run.job.id, moved.job.id}
    messages = [event.message for event in events_after(claims.state, moved.job.id)]
    assert messages == ["shop has moved from https://github.com/acme/shop"]
    with pytest.raises(OtherRepository):
        claim_project(claims.state, run.connection, "shop", "prod")


def test_requests_at_random_keep_projects_apart(tmp_path: Path) -> None:
    """A short round of the proof, which runs for minutes by hand."""
    faults, counts = run_round(1, tmp_path, requests=60)
    assert faults == []
    assert counts["job: recorded"] and counts["job: other_repository"] and counts["hand-over: done"]
