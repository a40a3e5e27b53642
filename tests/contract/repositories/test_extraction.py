"""Extraction from a git server, over dbt in a sandbox, to a recorded run: all with real programs."""

from __future__ import annotations

import asyncio
import base64
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import pytest

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.errors import ConfigurationError
from recce_meta.models import Project, RunMetadata
from recce_meta.models.lineage import ColumnGraph
from recce_meta.models.run import ExtractionTier, IsolationKind, Trigger
from recce_meta.repositories.extraction import stages as extraction
from recce_meta.repositories.extraction.dbt.commands import PackageAccess
from recce_meta.repositories.extraction.dbt.outcome import DbtFailed
from recce_meta.repositories.extraction.dbt_stages import DbtStages
from recce_meta.repositories.extraction.stages import ExtractionSettings, Extractor
from recce_meta.repositories.extraction.workflow import JobRun, Retries
from recce_meta.repositories.forges.login import ConnectionLogins
from recce_meta.repositories.git.environment import GitLimits
from recce_meta.repositories.options.values import ProfileTarget
from recce_meta.repositories.polling import Poller, PollSettings
from recce_meta.repositories.recording import TargetStores
from recce_meta.repositories.service.answers import progress_answer
from recce_meta.repositories.state.connections import add_connection, get_connection, update_connection
from recce_meta.repositories.state.database import State, open_state
from recce_meta.repositories.state.jobs import events_after, get_job, list_jobs, request_job
from recce_meta.repositories.state.types import (
    ConnectionStatus,
    DbtFailure,
    ExtractionJob,
    JobRequest,
    JobStatus,
    RepositoryConnection,
    Stage,
)
from recce_meta.repositories.worker import Worker, WorkerSettings
from recce_meta.store.columns import columns_of
from recce_meta.store.read import find_runs, load_nodes
from recce_meta.store.session import open_store
from tests.support.dbt_environments import dbt_environment, environments_folder
from tests.support.forge_names import Forge
from tests.support.git_server import Answer, File, GitServer

pytestmark = pytest.mark.extensive

MINOR = "1.10"
CANARY = "canary-4f81d09c7be2"
LEAST_OF_DBT = 60 * 2**20
"""Bytes of memory that dbt needs, and git does not."""
PATIENCE = 300
SHOP: Mapping[str, File] = {
    "dbt_project.yml": "name: shop\nversion: '1.0'\nprofile: shop\n",
    "models/customers.sql": "select 1 as id, 'Ann' as name",
    "models/orders.sql": (
        "{{ config(materialized='incremental') }}\n"
        "select o.id, {{ cents('o.amount') }} as amount, c.name\n"
        "from {{ source('raw', 'orders') }} as o join {{ ref('customers') }} as c on c.id = o.customer_id\n"
        "{% if is_incremental() %} where o.id > 1 {% endif %}"
    ),
    "macros/cents.sql": "{% macro cents(column) %}{{ return(column ~ ' / 100') }}{% endmacro %}",
    "models/schema.yml": (
        "version: 2\nsources:\n  - name: raw\n    tables:\n      - name: orders\n"
        "        columns: [{name: id}, {name: amount}, {name: customer_id}]\n"
        "models:\n  - name: customers\n    columns: [{name: id, data_tests: [unique]}]\n"
    ),
}


class Target(NamedTuple):
    """Store that runs are recorded in."""

    connect: Callable[[], UnifiedSqlAdapter]


class Service:
    """A state, a store in DuckDB, and one worker."""

    def __init__(self, folder: Path, server: GitServer) -> None:
        self.server = server
        self.environ = {**os.environ, **server.environ}
        self.state: State = open_state(f"sqlite:///{folder / 'state.db'}", {})
        self.store = UnifiedSqlAdapter.from_url(f"duckdb:///{folder / 'store.duckdb'}")
        self.work = folder / "work"
        (self.work / "cache").mkdir(parents=True)
        environments_folder().mkdir(parents=True, exist_ok=True)
        (self.work / "cache" / "environments").symlink_to(environments_folder())
        extractor = Extractor(
            self.state,
            {"default": Target(lambda: self.store.at("recce_meta"))},
            ExtractionSettings(work=self.work, lock_timeout=60),
            self.environ,
        )
        settings = WorkerSettings(
            work=self.work, retries=Retries(delays=(0.01,)), spacing_seconds=0, tick_seconds=0.1
        )
        self.worker = Worker(self.state, extractor.stages, settings)

    def connect(self, name: str, **settings: Any) -> RepositoryConnection:
        """Connect a repository of the server."""
        connection = RepositoryConnection(
            **{
                "id": uuid4().hex[:12],
                "name": f"{name}-{uuid4().hex[:4]}",
                "type": Forge.GIT,
                "repo_url": self.server.url(name),
                "branches": ("main",),
                "created_at": datetime.now(timezone.utc),
                "created_by": "test",
                "adapter": "duckdb",
                "dbt_version": MINOR,
                "profile": ProfileTarget(schema="main", database="shop"),
                # All repositories have a project of this name.
                "environment": f"prod of {name}",
                **settings,
            }
        )
        return add_connection(self.state, connection)

    def extract(
        self, connection: RepositoryConnection, branch: str = "main", *, is_forced: bool = False
    ) -> ExtractionJob:
        """Request a job, and return it when it is over."""
        job_id = request_job(
            self.state,
            connection.id,
            JobRequest(branch=branch, trigger=Trigger.MANUAL, requested_by="test", is_forced=is_forced),
        ).job.id
        return self.finished(job_id)

    def finished(self, job_id: str) -> ExtractionJob:
        """Return the job when it is over."""
        deadline = time.monotonic() + PATIENCE
        while not (job := get_job(self.state, job_id)).status.is_over:
            assert time.monotonic() < deadline, [*events_after(self.state, job_id)]
            time.sleep(0.02)
        return job

    def runs(self) -> dict[str, RunMetadata]:
        """Return the stored runs by id."""
        with self.store.sibling() as adapter, open_store(adapter.at("recce_meta")) as store:
            return {run.run_id: run for run in find_runs(store)}

    def close(self) -> None:
        """End the worker."""
        self.worker.stop()
        self.state.close()


@pytest.fixture(scope="module")
def service(git_server: GitServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Yield a service with a running worker, shared by the module."""
    service = Service(tmp_path_factory.mktemp("service"), git_server)
    service.worker.start()
    yield service
    service.close()


def shop(server: GitServer, files: Mapping[str, File] = {}) -> str:
    """Create a repository with the project of a shop, and return its name."""
    name = server.unused_name("shop")
    server.create_repository(name, {**SHOP, **files})
    return name


@pytest.mark.journey
@pytest.mark.network
def test_gold(service: Service) -> None:
    """dbt parses the project; the run has lineage of columns; a commit is stored once."""
    dbt_environment(MINOR, "duckdb")
    name = shop(service.server)
    connection = service.connect(name)
    job = service.extract(connection)
    assert (job.status, job.tier, job.error, job.fallback) == (
        JobStatus.SUCCESS,
        ExtractionTier.GOLD,
        None,
        None,
    )
    assert job.is_new and job.run_id and job.commit_sha == service.server.head(name)
    assert job.isolation in (IsolationKind.BUBBLEWRAP, IsolationKind.DOCKER)
    assert job.figures.objects == 3 and job.figures.column_lineage and job.figures.cpu_seconds
    run = service.runs()[job.run_id]
    assert (run.git_sha, run.branch, run.environment, run.git_proven) == (
        job.commit_sha,
        "main",
        connection.environment,
        True,
    )
    assert (run.adapter_type, run.target_database, run.target_schema) == ("duckdb", "shop", "main")
    assert run.extraction is not None and run.extraction.manifest_digest
    assert (run.extraction.connection, run.extraction.job) == (connection.name, job.id)
    with service.store.sibling() as adapter, open_store(adapter.at("recce_meta")) as store:
        columns = columns_of(store, run)
    (amount,) = (one for one in columns["model.shop.orders"].outputs if one.name == "amount")
    assert [(one.parent, one.column) for one in amount.sources] == [("source.shop.raw.orders", "amount")]
    stored = get_connection(service.state, connection.id)
    assert (stored.tier, stored.last_commit_sha) == (ExtractionTier.GOLD, job.commit_sha)
    assert stored.manifest_version == run.manifest_version and stored.last_dbt_version == run.dbt_version
    again = service.extract(connection)
    assert (again.status, again.is_new, again.run_id) == (JobStatus.SUCCESS, False, job.run_id)
    assert [event.stage for event in events_after(service.state, again.id)] == [Stage.RESOLVE] * 2
    forced = service.extract(connection, is_forced=True)
    assert (forced.status, forced.is_new, forced.run_id) == (JobStatus.SUCCESS, False, job.run_id)
    recorded = [one.extraction.connection for one in service.runs().values() if one.extraction is not None]
    assert recorded.count(connection.name) == 1
    assert not list((service.work / "jobs").iterdir())


POSITIVE: Mapping[str, File] = {
    "tests/positive.sql": "select * from {{ ref('orders') }} where amount < 0",
    "models/paid.yml": (
        "version: 2\nmodels:\n  - name: customers\n    columns:\n"
        "      - {name: name, data_tests: [{relationships: {to: ref('orders'), field: name}}]}\n"
    ),
    "models/schema.yml": "version: 2\nsources: [{name: raw, tables: [{name: orders}]}]\n",
}
"""Tests of a model in files of their own; one of a file, one of an entry."""


@pytest.mark.network
@pytest.mark.parametrize("gone", [None, "{{ config(enabled=false) }} select 1 as amount, 'Ann' as name"])
def test_tests_whose_model_was_gone_in_between(service: Service, gone: str | None) -> None:
    """dbt would lose both from the state of the commit before, or from that of a pull request."""
    dbt_environment(MINOR, "duckdb")
    name = shop(service.server, POSITIVE)
    connection = service.connect(name, branches=("main", "topic"), is_trusted=True)
    first = stored_tests(service, service.extract(connection))
    service.server.commit(name, "topic", {"models/orders.sql": gone}, base="main")
    service.extract(connection, "topic")
    assert stored_tests(service, service.extract(connection, is_forced=True)) == first
    service.server.commit(name, "main", {"models/orders.sql": gone})
    service.extract(connection)
    service.server.commit(name, "main", {"models/orders.sql": SHOP["models/orders.sql"]})
    assert stored_tests(service, service.extract(connection)) == first
    assert len(first) == 2


def stored_tests(service: Service, job: ExtractionJob) -> set[str]:
    """Return the tests of the run of a job that dbt parsed."""
    assert (job.tier, job.fallback) == (ExtractionTier.GOLD, None)
    with service.store.sibling() as adapter:
        nodes = load_nodes(adapter.at("recce_meta"), service.runs()[job.run_id or ""])
    return {node.unique_id for node in nodes if node.resource_type == "test"}


@pytest.mark.network
def test_a_failed_parse(service: Service) -> None:
    """A project that dbt refuses is read without dbt, unless the connection demands dbt."""
    dbt_environment(MINOR, "duckdb")
    name = shop(service.server, {"models/broken.sql": "select * from {{ ref('nowhere') }}"})
    job = service.extract(service.connect(name))
    assert (job.status, job.tier) == (JobStatus.SUCCESS, ExtractionTier.SILVER)
    assert job.fallback is not None and "nowhere" in job.fallback
    messages = [event.message for event in events_after(service.state, job.id)]
    assert any("read without dbt" in message and "nowhere" in message for message in messages)
    assert not any("\n" in message for message in messages)
    assert job.run_id is not None
    stored = service.runs()[job.run_id].extraction
    assert stored is not None and stored.fallback == job.fallback
    strict = service.extract(service.connect(name, requires_dbt=True))
    assert (strict.status, strict.failure) == (JobStatus.FAILED, "compilation")
    assert strict.figures.peak_memory and strict.figures.peak_memory > LEAST_OF_DBT


def private(kind: str, address: str) -> Mapping[str, File]:
    """Return files of a project that name a package of a server by its *address*."""
    entry = f"{{{kind}: '{address}', {'revision' if kind == 'git' else 'name'}: main}}"
    return {"packages.yml": f"packages: [{entry}]"}


NESTED: Mapping[str, File] = {
    "packages.yml": "packages: [{local: sub}]",
    "sub/dbt_project.yml": "name: sub\n",
}
PRIVATE = "https://10.0.0.1/a/b.git"


@pytest.mark.network
@pytest.mark.parametrize(
    "files",
    [
        private("git", "https://169.254.169.254/a/b"),
        private("git", "https://127.0.0.1:9/a/b.git"),
        private("tarball", "https://127.0.0.1:9/a/b/archive/main.tar.gz"),
        {**NESTED, "sub/packages.yml": private("git", PRIVATE)["packages.yml"]},
        {**NESTED, "package-lock.yml": private("git", PRIVATE)["packages.yml"]},
    ],
)
def test_packages_of_a_private_server_are_not_fetched(service: Service, files: Mapping[str, File]) -> None:
    """`dbt deps` runs online: a package must not lead it to the network of the worker."""
    dbt_environment(MINOR, "duckdb")
    job = service.extract(service.connect(shop(service.server, files), requires_dbt=True))
    assert job.status is JobStatus.FAILED and job.error is not None
    assert job.error.startswith("package") and "is not a public host" in job.error


@pytest.mark.network
@pytest.mark.parametrize("minor", [MINOR, "2.0"])
def test_private_packages(service: Service, minor: str) -> None:
    """`dbt deps` reads a package of the same server with the token of the connection."""
    dbt_environment(minor, "duckdb")
    server = service.server
    package = server.unused_name("package")
    server.create_repository(
        package,
        {"dbt_project.yml": "name: shared\nversion: '1.0'\n", "models/shared.sql": "select 1 as id"},
    )
    server.require(package, "secret-token")
    name = shop(server, private("git", server.url(package)))
    server.require(name, "secret-token")
    service.environ["FORGE_TOKEN"] = "secret-token"
    connection = service.connect(name, token_env="FORGE_TOKEN", requires_dbt=True, dbt_version=minor)
    job = service.extract(connection)
    assert (job.tier, job.error, job.figures.objects) == (ExtractionTier.GOLD, None, 4)


def test_no_dbt_project(service: Service) -> None:
    """A folder of SQL files is read as such."""
    name = service.server.unused_name("plain")
    service.server.create_repository(name, {"sql/a.sql": "create view a as select b.x from b;"})
    connection = service.connect(name, subdirectory="sql")
    job = service.extract(connection)
    assert (job.status, job.tier) == (JobStatus.SUCCESS, ExtractionTier.BRONZE)
    assert job.isolation in (IsolationKind.BUBBLEWRAP, IsolationKind.PROCESS)
    update_connection(service.state, connection.id, requires_dbt=True)
    strict = service.extract(connection)
    assert (strict.status, strict.failure) == (JobStatus.FAILED, "no_project")


def test_the_isolation_of_our_reader_is_stored(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Our reader runs no code of the repository: without bubblewrap, it is a process, and the run says so."""

    async def missing(*_: object, **__: object) -> tuple[str, str]:
        return "bubblewrap is not installed", "bwrap --version"

    monkeypatch.setattr(extraction, "find_missing", missing)
    name = service.server.unused_name("plain")
    service.server.create_repository(name, {"a.sql": "select 1 as x"})
    job = service.extract(service.connect(name))
    assert (job.tier, job.isolation) == (ExtractionTier.BRONZE, IsolationKind.PROCESS)
    assert job.run_id is not None
    stored = service.runs()[job.run_id].extraction
    assert stored is not None and stored.isolation is IsolationKind.PROCESS
    messages = [event.message for event in events_after(service.state, job.id)]
    assert "BRONZE: 1 object, read in process" in messages


def encoded(user: str) -> str:
    """Return the canary with a user name as in a header."""
    return base64.b64encode(f"{user}:{CANARY}".encode()).decode()


def test_no_secret_is_in_logs_errors_and_runs(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """What git and dbt print of a token is removed, also if another program has encoded it."""
    service.environ["CANARY_TOKEN"] = CANARY
    text = f"ERR {CANARY} {encoded('x-access-token')} {encoded('me')} refused"
    packet = f"001e# service=git-upload-pack\n0000{len(text) + 4:04x}{text}"
    headers = {"Content-Type": "application/x-git-upload-pack-advertisement"}
    name = shop(service.server)
    service.server.answer(name, Answer(200, headers, packet.encode()))
    failed = service.extract(service.connect(name, token_env="CANARY_TOKEN"))
    assert failed.status is JobStatus.FAILED and failed.error is not None and "refused" in failed.error

    async def prepare(stages: DbtStages, run: JobRun, access: PackageAccess) -> None:
        assert encoded("x-access-token") in str(access.git_settings)
        await run.log(f"fetching with {encoded('me')}")
        raise DbtFailed(DbtFailure.PACKAGE, f"dbt deps failed: {CANARY}", hint=f"see {CANARY}")

    monkeypatch.setattr(DbtStages, "prepare", prepare)
    service.server.answer(name, None)
    connection = service.connect(name, token_env="CANARY_TOKEN")
    job = service.extract(connection)
    assert (job.tier, job.fallback) == (ExtractionTier.SILVER, "dbt deps failed: ***")
    # The job has a run, but neither the connection nor a stage of dbt looks as if dbt had read it.
    refused = get_connection(service.state, connection.id)
    assert (refused.status, refused.error) == (ConnectionStatus.FAILED, f"read without dbt: {job.fallback}")
    progress = progress_answer(job, events_after(service.state, job.id))
    of_dbt = {one.status for one in progress.stages if one.name in (Stage.DEPENDENCIES, Stage.PARSE)}
    assert (of_dbt, progress.error) == ({"skipped"}, refused.error)
    strict = service.extract(
        update_connection(service.state, connection.id, requires_dbt=True), is_forced=True
    )
    assert (strict.error, strict.hint) == ("dbt deps failed: ***", "see ***")
    shown = [failed, job, strict, service.runs()[job.run_id or ""]]
    shown += [event for one in (failed, job, strict) for event in events_after(service.state, one.id)]
    for secret in (CANARY, *(encoded(user)[8:-4] for user in ("x-access-token", "me"))):
        assert secret not in repr(shown)


def test_files_that_cannot_be_read(service: Service) -> None:
    """A project without any file to read fails with the reason of the child."""
    name = service.server.unused_name("empty")
    service.server.create_repository(name, {"README.md": "nothing"})
    job = service.extract(service.connect(name))
    assert (job.status, job.failure) == (JobStatus.FAILED, "project")
    assert job.error is not None and job.error.startswith("No .sql files in")
    assert not list((service.work / "jobs").iterdir())


def test_failures_of_git(service: Service) -> None:
    """A missing branch and a refused token name themselves; a failing server is tried again."""
    name = shop(service.server)
    job = service.extract(service.connect(name, branches=("nope",)), "nope")
    assert (job.status, job.failure) == (JobStatus.FAILED, "branch")
    service.server.require(name, "secret-token")
    job = service.extract(service.connect(name))
    assert (job.status, job.failure) == (JobStatus.FAILED, "token")
    job = service.extract(service.connect(name, token_env="NOT_SET"))
    assert job.error is not None and "NOT_SET" in job.error
    other = shop(service.server)
    service.server.answer(other, Answer(status=503))
    connection = service.connect(other)
    job = service.extract(connection)
    assert (job.status, job.failure) == (JobStatus.FAILED, "network")
    assert job.figures.cpu_seconds
    assert [event.status for event in events_after(service.state, job.id)] == ["started", "log", "failed"]


@pytest.fixture
def poller(service: Service) -> Callable[[], None]:
    """Return a function that polls once."""
    logins = ConnectionLogins(service.state, service.environ, GitLimits())

    def poll() -> None:
        asyncio.run(Poller(service.state, logins, PollSettings(seconds=0))())

    return poll


def test_polling(service: Service, poller: Callable[[], None]) -> None:
    """One look serves all connections of a repository, and a new head requests a job."""
    name = service.server.unused_name("polled")
    service.server.create_repository(name, {"a.sql": "select 1 as x"})
    service.server.commit(name, "dev", {"b.sql": "select 2 as y"})
    service.server.answer(name, Answer(status=503))
    connections = [service.connect(name, branches=branches) for branches in (("main", "dev"), ("main",))]
    before = service.server.count(name)
    poller()
    assert service.server.count(name) - before == 1
    for one in connections:
        stored = get_connection(service.state, one.id)
        assert stored.error is not None and stored.next_check_at is not None
        assert timedelta(minutes=12) < stored.next_check_at - datetime.now(timezone.utc)
        assert list_jobs(service.state, one.id) == []
    poller()
    assert service.server.count(name) - before == 1
    service.server.answer(name, None)
    assert poll_again(service, poller, connections) == {
        (one.id, b) for one in connections for b in one.branches
    }
    assert poll_again(service, poller, connections) == set()
    service.server.commit(name, "main", {"c.sql": "select 3 as z"})
    service.server.delete_branch(name, "dev")
    assert poll_again(service, poller, connections) == {(one.id, "main") for one in connections}
    errors = {get_connection(service.state, one.id).error for one in connections}
    assert errors == {"Branch dev is gone", None}


def poll_again(
    service: Service, poller: Callable[[], None], connections: Sequence[RepositoryConnection]
) -> set[tuple[str, str]]:
    """Poll as soon as one connection is due, and return connection and branch of the jobs that are new, when
    they are over.
    """
    before = {job.id for one in connections for job in list_jobs(service.state, one.id)}
    update_connection(service.state, connections[0].id, next_check_at=None)
    poller()
    assert len({get_connection(service.state, one.id).next_check_at for one in connections}) == 1
    jobs = [job for one in connections for job in list_jobs(service.state, one.id) if job.id not in before]
    assert {job.trigger for job in jobs} <= {Trigger.POLL}
    for job in jobs:
        assert service.finished(job.id).status is JobStatus.SUCCESS
    return {(job.connection_id, job.branch) for job in jobs}


def test_caches_of_removed_connections_are_removed(service: Service, tmp_path: Path) -> None:
    """Packages may be private, so that they do not outlive their connection by much."""
    kept = service.connect(service.server.unused_name()).id
    folders = [tmp_path / "cache" / "packages" / name for name in (kept, "gone")]
    for folder in folders:
        folder.mkdir(parents=True)
        os.utime(folder, (0, 0))
    Extractor(service.state, {}, ExtractionSettings(work=tmp_path), {}).remove_unused()
    assert [folder.name for folder in folders if folder.exists()] == [kept]


def test_a_locked_store(tmp_path: Path) -> None:
    """A run waits until another process has closed the file of the store."""
    file, sign = tmp_path / "store.duckdb", tmp_path / "sign"
    script = (
        "import duckdb, pathlib, sys, time\n"
        "held = duckdb.connect(sys.argv[1])\n"
        "print('held', flush=True)\n"
        "while not pathlib.Path(sys.argv[2]).exists(): time.sleep(0.01)\n"
        "held.close()\n"
    )
    holder = subprocess.Popen([sys.executable, "-c", script, str(file), str(sign)], stdout=subprocess.PIPE)
    assert holder.stdout is not None and holder.stdout.readline()
    adapter = UnifiedSqlAdapter.from_url(f"duckdb:///{file}")
    stores = TargetStores({"default": Target(lambda: adapter.at("recce_meta"))}, lock_timeout=PATIENCE)
    run = RunMetadata(run_id="r1", run_at=datetime.now(timezone.utc), project_name="shop")

    async def nothing(_: object) -> ColumnGraph:
        return ColumnGraph(lineage_ids={}, analyses={})

    async def record() -> bool:
        project = Project(run=run, nodes=())
        task = asyncio.ensure_future(stores.record("default", project, nothing, lambda *_: nullcontext))
        await asyncio.sleep(0.2)
        assert not task.done()
        sign.touch()
        return (await task).result.written

    assert asyncio.run(record())
    assert holder.wait(PATIENCE) == 0
    holder.stdout.close()
    with pytest.raises(ConfigurationError, match="not one of this worker"):
        asyncio.run(stores.find_run("other", "r1"))
