"""Claims of projects by jobs, from the document that was read to the run in the store."""

from __future__ import annotations

import asyncio
import os
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
from recce_meta.models.extraction import ExtractionTier, Trigger
from recce_meta.repositories.extraction import ExtractionSettings, Extractor
from recce_meta.repositories.state.connections import add_connection, get_connection, update_connection
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.jobs import get_job, request_job, start_job
from recce_meta.repositories.state.projects import claim_project
from recce_meta.repositories.types import RepositoryConnection, Stage
from recce_meta.repositories.workflow import FolderGone, JobRun, Result, StageFailed
from recce_meta.store.read import find_runs
from recce_meta.store.session import open_store
from tests.contract.repositories.test_extraction import Target
from tests.states import DATABASES, opened, shop, state_address

STORES = ("first", "second")
OTHER = "https://github.com/acme/other"


def _open(file: Path) -> UnifiedSqlAdapter:
    return UnifiedSqlAdapter.from_url(f"duckdb:///{file}.duckdb")


class Claims:
    """A state, two stores, and the stages of jobs whose project is read already."""

    def __init__(self, state: State, folder: Path) -> None:
        self.state = state
        self.folder = folder
        self.stores = {name: Target(partial(_open, folder / name), "recce_meta") for name in STORES}
        self.stages = Extractor(state, self.stores, ExtractionSettings(work=folder), os.environ).stages

    def connect(self, **fields: Any) -> RepositoryConnection:
        """Store a connection, by default to the first store."""
        return add_connection(self.state, shop(**{"store": "first", **fields}))

    def run(self, connection: RepositoryConnection, project: str = "shop") -> JobRun:
        """Return a job that has read *project*, and has not stored it."""
        job = request_job(self.state, connection.id, "main", trigger=Trigger.POLL, requested_by="poll").job
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
                with store.connect() as adapter, open_store(adapter, store.schema) as session:
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
