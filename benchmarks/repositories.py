"""Connected repositories: seconds from a request to the visible run, and one round of polling.

A server of git on this machine serves the repositories, so the network takes no time. dbt runs in an
environment that `tests.support.dbt_environments` builds once and keeps.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from statistics import median
from typing import NamedTuple
from uuid import uuid4

from benchmarks.measure import Figure, Timing, within
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.models.run import ExtractionTier, Trigger
from recce_meta.repositories.extraction.stages import ExtractionSettings, Extractor
from recce_meta.repositories.forges.login import ConnectionLogins
from recce_meta.repositories.git.environment import GitLimits
from recce_meta.repositories.options.values import ProfileTarget
from recce_meta.repositories.polling import Poller, PollSettings
from recce_meta.repositories.recording import TargetStores
from recce_meta.repositories.state.connections import add_connection, update_connection
from recce_meta.repositories.state.database import State, open_state
from recce_meta.repositories.state.jobs import active_jobs, get_job, request_cancel, request_job
from recce_meta.repositories.state.types import JobRequest, JobStatus, RepositoryConnection
from recce_meta.repositories.worker import Worker, WorkerSettings
from tests.support.dbt_environments import dbt_environment, environments_folder
from tests.support.git_server import GitServer

ROUNDS = 7
CONNECTIONS = 50
MINOR = "1.10"
WARM, COLD, POLL = 25.0, 60.0, 60.0
"""Maximum seconds of an extraction with warm caches, of the first one, and of a round of polling."""
PROJECT = {
    "dbt_project.yml": "name: shop\nversion: '1.0'\nprofile: shop\n",
    **{f"models/stg_{number}.sql": f"select {number} as id, 'x' as name" for number in range(10)},
    **{
        f"models/mart_{number}.sql": f"select id, name from {{{{ ref('stg_{number}') }}}}"
        for number in range(10)
    },
}


class Target(NamedTuple):
    """Store that runs are recorded in."""

    adapter: UnifiedSqlAdapter

    def connect(self) -> UnifiedSqlAdapter:
        return self.adapter.at("recce_meta")


def run(scratch: Path) -> list[Figure]:
    """Run all measurements."""
    scratch.mkdir(parents=True)
    server = GitServer(scratch / "git")
    state = open_state(f"sqlite:///{scratch / 'state.db'}", {})
    environ = {**os.environ, **server.environ}
    try:
        return [*_extractions(scratch, server, state, environ), *_polling(server, state, environ)]
    finally:
        state.close()
        server.close()


def connect(state: State, server: GitServer, name: str, repository: str) -> RepositoryConnection:
    """Connect a repository of *server*."""
    connection = RepositoryConnection(
        id=uuid4().hex[:12],
        name=name,
        type="git",
        repo_url=server.url(repository),
        branches=("main",),
        created_at=datetime.now(timezone.utc),
        created_by="benchmark",
        adapter="duckdb",
        dbt_version=MINOR,
        profile=ProfileTarget(schema="main", database="shop"),
    )
    return add_connection(state, connection)


@contextmanager
def working(
    scratch: Path, state: State, stores: Mapping[str, Target], environ: Mapping[str, str]
) -> Iterator[None]:
    """Run a worker with the settings of the command in the block; jobs of a branch keep no distance."""
    dbt_environment(MINOR, "duckdb")
    work = scratch / "work"
    (work / "cache").mkdir(parents=True)
    (work / "cache" / "environments").symlink_to(environments_folder())
    extractor = Extractor(state, stores, ExtractionSettings(work=work), environ)
    worker = Worker(state, extractor.stages, WorkerSettings(work=work, spacing_seconds=0))
    worker.start()
    try:
        yield
    finally:
        worker.stop()


def _extractions(scratch: Path, server: GitServer, state: State, environ: Mapping[str, str]) -> list[Figure]:
    server.create_repository("shop", PROJECT)
    connection = connect(state, server, "shop", "shop")
    with UnifiedSqlAdapter.from_url(f"duckdb:///{scratch / 'store.duckdb'}") as adapter:
        stores = {"default": Target(adapter)}
        with working(scratch, state, stores, environ):
            seen = TargetStores(stores, lock_timeout=60)
            timings = []
            for number in range(ROUNDS + 1):
                timings.append(_extraction(state, connection, seen))
                server.commit("shop", "main", {"models/stg_0.sql": f"select {number} as id, 'y' as name"})
    first, *others = timings
    warm = Timing(*(median(part) for part in zip(*((one.wall, one.cpu) for one in others), strict=True)))
    what = f"a commit of {len(PROJECT) - 1} models, from the request to the visible run"
    return [
        within(f"{what}: first, with an environment of dbt", first, COLD),
        within(f"{what}: median of {ROUNDS}", warm, WARM),
    ]


def _extraction(state: State, connection: RepositoryConnection, stores: TargetStores) -> Timing:
    """Request an extraction, and return its duration until the store shows its run."""
    cpu, wall = _cpu_seconds(), time.perf_counter()
    job = request_job(
        state, connection.id, JobRequest(branch="main", trigger=Trigger.MANUAL, requested_by="benchmark")
    ).job
    while not (ended := get_job(state, job.id)).status.is_over:
        time.sleep(0.02)
    if ended.status is not JobStatus.SUCCESS or ended.tier is not ExtractionTier.GOLD or not ended.run_id:
        raise RuntimeError(f"{ended.status.value}, {ended.tier}: {ended.error or ended.fallback}")
    if asyncio.run(stores.find_run("default", ended.run_id)) is None:
        raise RuntimeError("the store does not have the run")
    return Timing(time.perf_counter() - wall, _cpu_seconds() - cpu)


def _polling(server: GitServer, state: State, environ: Mapping[str, str]) -> list[Figure]:
    figures = []
    for what, names in {
        f"{CONNECTIONS} repositories": [f"own-{number}" for number in range(CONNECTIONS)],
        f"one repository of {CONNECTIONS} connections": ["shared"] * CONNECTIONS,
    }.items():
        for name in dict.fromkeys(names):
            server.create_repository(name, PROJECT)
        connections = [connect(state, server, f"{name}-{number}", name) for number, name in enumerate(names)]
        poller = Poller(state, ConnectionLogins(state, environ, GitLimits()), PollSettings(seconds=0))
        cpu, wall, before = _cpu_seconds(), time.perf_counter(), len(server.requests)
        asyncio.run(poller())
        timing = Timing(time.perf_counter() - wall, _cpu_seconds() - cpu)
        requests = len(server.requests) - before
        figures.append(within(f"polling {what}: {requests} requests, with new commits", timing, POLL))
        for job in active_jobs(state):
            request_cancel(state, job.id)
        for one in connections:
            update_connection(state, one.id, poll_minutes=None)
    return figures


def _cpu_seconds() -> float:
    """Return the CPU time of this process and of its children that ended."""
    usages = [getrusage(who) for who in (RUSAGE_SELF, RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
