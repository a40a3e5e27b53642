"""A connection with runs in a store in a file, whose jobs tests end, and a forge in memory."""

from __future__ import annotations

import asyncio
import atexit
import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import update

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.models import Column, NodeMetadata, Project, RunMetadata
from recce_meta.models.node import code_hash
from recce_meta.models.run import Extraction, ExtractionTier, Trigger
from recce_meta.repositories.follow_ups.handlers import task_handlers
from recce_meta.repositories.follow_ups.runner import TaskRunner, TaskSettings
from recce_meta.repositories.forges.base import (
    ForgeFailure,
    ForgeFailureKind,
    RemoteHook,
    StatusState,
)
from recce_meta.repositories.forges.login import ConnectionLogins
from recce_meta.repositories.git.environment import GitLimits
from recce_meta.repositories.recording import TargetStores
from recce_meta.repositories.state import tables
from recce_meta.repositories.state.connections import get_connection
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.jobs import (
    add_event,
    finish_job,
    get_job,
    put_job_file,
    request_job,
    set_stage,
    start_job,
)
from recce_meta.repositories.state.pull_requests import get_pull_request, note_pull_request
from recce_meta.repositories.state.tasks import add_follow_up, list_tasks
from recce_meta.repositories.state.types import (
    ExtractionJob,
    JobOutcome,
    JobRequest,
    JobSource,
    JobStatus,
    PullRequest,
    PullRequestEvent,
    PullRequestState,
    RepositoryConnection,
    Stage,
    Task,
    TaskKind,
    TaskStatus,
    base_environment_of,
    head_environment_of,
)
from recce_meta.store.read import list_runs
from recce_meta.store.session import init_store
from recce_meta.store.write import record_run

SCHEMA = "recce_metadata"
START = datetime(2026, 11, 1, 12, tzinfo=timezone.utc)
PUBLIC = "https://recce.example.com"
AMOUNT = "select id, amount from {raw}"
FEWER_ROWS = "select id, amount from {raw} where amount > 0"
WITHOUT_AMOUNT = "select id from {raw}"
COMMENTED = "select id, amount from {raw} -- the same"
QUICK = TaskSettings(delays=(0.01,), jitter=0)


class OpenedStore(NamedTuple):
    """Store of the tests."""

    connect: Callable[[], UnifiedSqlAdapter]


class MemoryForge:
    """Forge with the comments and statuses of one repository."""

    def __init__(self) -> None:
        self.ids = itertools.count(1)
        self.comments: dict[int, dict[str, str]] = {}
        self.statuses: list[tuple[str, str, str, str | None]] = []
        self.calls: list[str] = []
        self.failures: list[tuple[str, ForgeFailure]] = []
        """Requests that fail, by the name of the function, or `*`; each once."""
        self.dies_after_writing = False

    def fail(self, name: str, kind: ForgeFailureKind, *, times: int = 1) -> None:
        """Let the next requests fail."""
        self.failures += [(name, ForgeFailure(kind, f"{kind.value} of the forge", hint="ask ada"))] * times

    def texts(self, number: int = 7) -> list[str]:
        """Return the comments of a pull request."""
        return [*self.comments.get(number, {}).values()]

    def _call(self, name: str) -> None:
        self.calls.append(name)
        for failure in self.failures:
            if failure[0] in (name, "*"):
                self.failures.remove(failure)
                raise failure[1]

    async def repository_id(self) -> str:
        """Return the id of the repository."""
        return "1"

    async def set_hook(self, url: str, secret: str, *, hook_id: str | None = None) -> RemoteHook:
        """Refuse."""
        raise NotImplementedError

    async def remove_hook(self, hook_id: str) -> None:
        """Refuse."""
        raise NotImplementedError

    async def find_comment(self, number: int, marker: str) -> str | None:
        """Return the id of the oldest comment with *marker*."""
        self._call("find")
        return next((key for key, text in self.comments.get(number, {}).items() if marker in text), None)

    async def write_comment(self, number: int, text: str, *, comment_id: str | None = None) -> str:
        """Change or create a comment."""
        self._call("change" if comment_id else "create")
        comments = self.comments.setdefault(number, {})
        if comment_id is not None and comment_id not in comments:
            raise ForgeFailure(ForgeFailureKind.GONE, "the comment does not exist")
        found = comment_id or str(next(self.ids))
        comments[found] = text
        if self.dies_after_writing:
            self.dies_after_writing = False
            raise ForgeFailure(ForgeFailureKind.OUTAGE, "the answer is lost")
        return found

    async def set_status(self, sha: str, state: StatusState, description: str, *, url: str | None) -> None:
        """Note a status."""
        self._call("status")
        self.statuses.append((sha, state.value, description, url))

    async def pull_requests(self) -> Sequence[PullRequestEvent]:
        """Return nothing."""
        return ()


class FollowedShop:
    """A stored connection with its runs, its jobs and its forge."""

    def __init__(
        self, state: State, connection: RepositoryConnection, folder: Path, warehouse: str = "sqlite"
    ) -> None:
        self.state, self.id = state, connection.id
        self.file = folder / "store.db"
        shutil.copy(_empty_store(warehouse), self.file)
        self.adapter = UnifiedSqlAdapter.from_url(f"{warehouse}:///{self.file}")
        # Opening a file takes long; its other connections share this one's database.
        self.adapter.connect()
        self.forge = MemoryForge()
        self.environ: dict[str, str] = {"RECCE_META_PUBLIC_URL": PUBLIC}
        self.minutes = itertools.count()
        self.notified: list[Mapping[str, Any]] = []

    @property
    def connection(self) -> RepositoryConnection:
        """Return the connection as it is stored now."""
        return get_connection(self.state, self.id)

    def record(
        self, run_id: str, code: str, environment: str, job: str, tier: ExtractionTier = ExtractionTier.GOLD
    ) -> str:
        """Record a run of the shop, whose model `orders` is *code*, and return its id."""
        run = RunMetadata(
            run_id=run_id,
            run_at=START + timedelta(minutes=next(self.minutes)),
            project_name="shop",
            environment=environment,
            dbt_version="1.11.0",
            adapter_type="duckdb",
            git_sha=run_id,
            extraction=Extraction(
                connection="shop",
                job=job,
                trigger=Trigger.WEBHOOK,
                requested_by="ada",
                tier=tier,
            ),
        )
        nodes = (
            _node("model.shop.orders", code, "source.shop.raw.items"),
            _node("model.shop.revenue", "select sum(amount) as total from {orders}", "model.shop.orders"),
            _node("source.shop.raw.items", None),
        )
        with self.adapter.sibling() as adapter:
            record_run(adapter.at(SCHEMA), Project(run=run, nodes=nodes))
        return run_id

    def fill(self) -> None:
        """Create the tables that the nodes name."""
        with self.adapter.sibling() as adapter:
            for sql in (
                "create schema shop",
                "create table shop.items as select 1 as id, 2 as amount",
                "create table shop.orders as select * from shop.items",
                "create view shop.revenue as select sum(amount) as total from shop.orders",
            ):
                adapter.execute(sql)

    def runs(self, environment: str | None = None) -> list[str]:
        """Return the ids of stored runs, sorted."""
        with self.adapter.sibling() as adapter:
            return sorted(run.run_id for run in list_runs(adapter.at(SCHEMA), environment=environment))

    def end(
        self,
        job: ExtractionJob,
        code: str | None,
        *,
        sha: str | None = None,
        environment: str = "prod",
        files: Mapping[str, str] | None = None,
        run_id: str | None = None,
        error: str = "Model 'b' depends on a node named 'c' which was not found",
        read: Mapping[str, Any] | None = None,
    ) -> ExtractionJob:
        """End *job* with a new run of *code*, with the stored run *run_id*, or with a failure.

        *read* is how the run was read: `tier`, `fallback` and `failure`.
        """
        start_job(self.state, job.id, "worker")
        set_stage(self.state, job.id, Stage.PARSE)
        sha = sha or f"{job.number:040x}"
        for name, content in (files or {}).items():
            put_job_file(self.state, job.id, name, content)
        if code is None and run_id is None:
            # As the workflow does it: every job ends with its clean-up.
            add_event(self.state, job.id, Stage.PARSE, "failed", error)
            set_stage(self.state, job.id, Stage.CLEAN_UP)
            ended = finish_job(
                self.state,
                job.id,
                JobStatus.FAILED,
                JobOutcome(commit_sha=sha, error=error, hint="correct ref('c')"),
            )
        else:
            if run_id is None:
                run_id = f"run-{job.id.replace(':', '-').replace(' ', '-')}"
                tier = (read or {}).get("tier", ExtractionTier.GOLD)
                self.record(run_id, str(code), environment, job.id, tier)
            ended = finish_job(
                self.state,
                job.id,
                JobStatus.SUCCESS,
                JobOutcome(commit_sha=sha, run_id=run_id, **(read or {})),
            )
        add_follow_up(self.state, ended)
        return ended

    def push(self, code: str | None, **fields: Any) -> ExtractionJob:
        """Run a job of main."""
        job = request_job(
            self.state, self.id, JobRequest(branch="main", trigger=Trigger.POLL, requested_by="ada")
        ).job
        return self.end(job, code, **fields)

    def event(self, sha: str, number: int = 7, **fields: Any) -> PullRequest:
        """Store an event of a pull request."""
        event = PullRequestEvent(
            number=number,
            title="Change",
            head_branch="feature",
            head_sha=sha,
            updated_at=START + timedelta(minutes=next(self.minutes)),
            **{"base_branch": "main", **fields},
        )
        note_pull_request(self.state, self.connection, event, trigger=Trigger.WEBHOOK, requested_by="webhook")
        return self.pull_request(number)

    def pull_request(self, number: int = 7) -> PullRequest:
        """Return a stored pull request."""
        return get_pull_request(self.state, self.id, number)

    def close(self, number: int = 7) -> None:
        """Close a pull request, whose runs are then due to be removed."""
        self.event("a" * 40, number, state=PullRequestState.CLOSED)
        self.bring_forward()

    def propose(
        self,
        head: str | None,
        base: str | None = AMOUNT,
        *,
        sha: str = "a" * 40,
        number: int = 7,
        files: Mapping[str, str] | None = None,
        read: Mapping[str, Any] | None = None,
        base_read: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> PullRequest:
        """Store an event of a pull request, and end its jobs with runs of *head* and *base*."""
        found = self.event(sha, number, **fields)
        for job_id, code, commit, environment, how in (
            (found.head_job, head, sha, head_environment_of(number, "prod"), read),
            (found.base_job, base, "b" * 40, base_environment_of(number, "prod"), base_read),
        ):
            job = get_job(self.state, str(job_id))
            own = files if job.source is JobSource.PULL_REQUEST else None
            self.end(job, code, sha=commit, environment=environment, files=own, read=how)
        return found

    def bring_forward(self) -> None:
        """Let all waiting tasks be due."""
        with self.state.write() as session:
            due = update(tables.tasks).where(tables.tasks.c.status == TaskStatus.PENDING.value)
            session.execute(due.values(due_at=START - timedelta(days=400)))

    def runner(self, worker: str = "ada", settings: TaskSettings = QUICK, **given: Any) -> TaskRunner:
        """Return a runner of all tasks; notifications are noted."""
        stores = TargetStores({"default": OpenedStore(lambda: self.adapter)}, lock_timeout=10)

        async def opened(_: RepositoryConnection) -> MemoryForge:
            return self.forge

        async def notify(task: Task) -> None:
            self.notified.append(task.payload)

        logins = ConnectionLogins(self.state, self.environ, GitLimits())
        handlers = task_handlers(self.state, stores, logins, self.environ, **({"forge": opened} | given))
        return TaskRunner(self.state, {**handlers, TaskKind.NOTIFY: notify}, worker=worker, settings=settings)

    def follow(self, tasks: TaskRunner | None = None) -> None:
        """Do the tasks that are due now, and those that they add."""
        asyncio.run(run_due(self.state, tasks or self.runner()))

    def ended(self) -> list[Task]:
        """Return the tasks that ended, the newest first."""
        return list_tasks(self.state, is_open=False)


async def run_due(state: State, tasks: TaskRunner) -> None:
    """Run tasks until none waits that is due within a minute, and none runs."""
    soon = timedelta(minutes=1)
    while any(task.due_at < datetime.now(timezone.utc) + soon for task in list_tasks(state)):
        await tasks.begin_due()
        await tasks.finish()
        await asyncio.sleep(0.005)


@cache
def _empty_store(warehouse: str) -> Path:
    """Return a file with an empty store, made once for all tests: its many tables take seconds."""
    file = Path(tempfile.mkdtemp(), "empty.db")
    with UnifiedSqlAdapter.from_url(f"{warehouse}:///{file}") as adapter:
        init_store(adapter.at(SCHEMA))
    atexit.register(shutil.rmtree, file.parent)
    return file


@contextmanager
def followed_shop(
    state: State, connection: RepositoryConnection, folder: Path, warehouse: str = "sqlite"
) -> Iterator[FollowedShop]:
    """Yield the stored *connection* with an empty store in a file of *warehouse*."""
    found = FollowedShop(state, connection, folder, warehouse)
    try:
        yield found
    finally:
        found.adapter.close()


def _node(unique_id: str, code: str | None, *parents: str) -> NodeMetadata:
    kind, package, *_, name = unique_id.split(".")
    relations = {"raw": '"shop"."items"', "orders": '"shop"."orders"'}
    return NodeMetadata(
        unique_id=unique_id,
        name=name,
        resource_type=kind,
        package_name=package,
        path=f"models/{name}.sql",
        fqn=(package, name),
        relation_name=f'"shop"."{name}"',
        schema_name="shop",
        identifier=name,
        materialized="table" if kind == "model" else None,
        language="sql" if code else None,
        raw_code=code,
        compiled_code=None if code is None or "{{" in code else code.format(**relations),
        code_hash=code_hash(code) if code else None,
        columns=() if code else (Column("id", "INTEGER"), Column("amount", "INTEGER")),
        columns_from=None if code else "catalog",
        source_name=None if code else "raw",
        parents=parents,
    )
