"""Pull requests from an event to recorded runs, and hostile forks, with real git, dbt and sandboxes."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from recce_meta.models import Project, RunMetadata
from recce_meta.models.lineage import ColumnGraph
from recce_meta.models.run import ExtractionTier, IsolationKind, Trigger
from recce_meta.repositories.extraction.dbt.commands import DbtCommand
from recce_meta.repositories.extraction.dbt_stages import DbtStages
from recce_meta.repositories.extraction.isolation.bubblewrap import Bubblewrap
from recce_meta.repositories.extraction.stages import ExtractionSettings, Extractor, run_id_of
from recce_meta.repositories.extraction.workflow import JobRun, Result, Retries, StageFunction
from recce_meta.repositories.recording import TargetStores
from recce_meta.repositories.state.connections import get_connection
from recce_meta.repositories.state.jobs import (
    events_after,
    is_never_read_by_dbt,
    needs_lower_base,
    read_job_files,
)
from recce_meta.repositories.state.pull_requests import (
    get_pull_request,
    note_pull_request,
    request_base_again,
)
from recce_meta.repositories.state.tasks import list_tasks
from recce_meta.repositories.state.types import (
    ExtractionJob,
    JobStatus,
    PullRequestEvent,
    RepositoryConnection,
    Stage,
    TaskKind,
    base_environment_of,
    head_environment_of,
)
from recce_meta.repositories.worker import Worker, WorkerSettings
from recce_meta.store.select import find_run
from recce_meta.store.session import open_store
from tests.contract.repositories.test_extraction import MINOR, SHOP, Service, Target
from tests.support.dbt_environments import dbt_environment
from tests.support.forge_names import Forge
from tests.support.forge_server import ForgeRepository, ForgeServer
from tests.support.git_server import File, GitServer

pytestmark = pytest.mark.extensive

TOKEN = "canary-token-5d41402abc4b"
VARIABLE = "canary-variable-7d793037a076"
SECRETS = (TOKEN, VARIABLE, base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode())
FILES: Mapping[str, File] = {
    "a.sql": "create view a as select b.x from b;",
    "checks.yml": "checks: []\n",
    "recce_meta.yml": "store: {}\n",
}


class Watched(Service):
    """A service that looks for secrets in the folders of jobs of forks, and in its own, after each stage."""

    def __init__(self, folder: Path, server: GitServer) -> None:
        super().__init__(folder, server)
        self.environ["CANARY_TOKEN"] = TOKEN
        self.found: list[tuple[str, Path]] = []
        self.commands: list[DbtCommand] = []
        target = Target(lambda: self.store.at("recce_meta"))
        settings = ExtractionSettings(work=self.work, lock_timeout=60)
        stages = Extractor(self.state, {"default": target}, settings, self.environ).stages
        workers = WorkerSettings(
            work=self.work, retries=Retries(delays=(0.01,)), spacing_seconds=0, tick_seconds=0.1
        )
        watched = {stage: self._watched(stage, work) for stage, work in stages.items()}
        self.worker = Worker(self.state, watched, workers)

    def _watched(self, stage: Stage, work: StageFunction) -> StageFunction:
        async def run_and_look(run: JobRun) -> Result:
            try:
                return await work(run)
            finally:
                # Jobs of the repository itself have its variables.
                own = [run.folder] if run.is_of_fork else []
                for folder in (*own, self.work / "mirrors", self.work / "cache/partial"):
                    self.found += [(stage.value, path) for path in folder.rglob("*") if _has_secret(path)]

        return run_and_look

    def watch(self, repository: ForgeRepository, **settings: Any) -> RepositoryConnection:
        """Connect a repository of GitHub with the token."""
        self.server.require(repository.name, TOKEN)
        return self.connect(
            repository.name, **{"type": Forge.GITHUB, "token_env": "CANARY_TOKEN", **settings}
        )

    def propose(
        self, connection: RepositoryConnection, repository: ForgeRepository, number: int
    ) -> tuple[ExtractionJob, ExtractionJob]:
        """Deliver the event of a pull request, and return the jobs of head and base when they are over."""
        found = repository.pull_requests[number]
        event = PullRequestEvent(
            number=number,
            title=found.title,
            base_branch=found.base,
            head_branch=found.head,
            head_sha=found.sha,
            is_fork=found.is_fork,
            updated_at=datetime.now(timezone.utc),
        )
        head, base = note_pull_request(
            self.state, connection, event, trigger=Trigger.WEBHOOK, requested_by="webhook"
        )
        return self.finished(head.job.id), self.finished(base.job.id)

    def shown(self, *jobs: ExtractionJob) -> str:
        """Return all that users see of the jobs and their runs."""
        events = [events_after(self.state, job.id) for job in jobs]
        return repr([*jobs, *events, *(self.runs().get(job.run_id or "") for job in jobs)])


def _has_secret(path: Path) -> bool:
    if not path.is_file() or path.is_symlink():
        return False
    content = path.read_bytes()
    return any(secret.encode() in content for secret in SECRETS)


@pytest.fixture(scope="module")
def service(git_server: GitServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Yield a service with a running worker."""
    service = Watched(tmp_path_factory.mktemp("service"), git_server)
    service.worker.start()
    yield service
    service.close()


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[DbtCommand]:
    """Return the commands of dbt that the test has run."""
    ran: list[DbtCommand] = []
    run = DbtStages._run

    async def recorded(stages: DbtStages, job: JobRun, sandbox: Any, command: DbtCommand) -> None:
        ran.append(command)
        await run(stages, job, sandbox, command)

    monkeypatch.setattr(DbtStages, "_run", recorded)
    return ran


def test_a_pull_request_from_its_event_to_its_runs(service: Watched, forge_server: ForgeServer) -> None:
    """Its runs are never those of the environment of the branch, and a force push gives a new one."""
    repository = forge_server.create(Forge.GITHUB, FILES)
    connection = service.watch(repository)
    main = service.extract(connection)
    number = repository.open_pull_request("fix/a", {"a.sql": "create view a as select b.y from b;"})

    head, base = service.propose(connection, repository, number)

    runs = service.runs()
    for job, branch, environment, request in (
        (head, "fix/a", head_environment_of(1, connection.environment), "1"),
        (base, "base:main", base_environment_of(1, connection.environment), None),
    ):
        assert (job.status, job.tier, job.pull_request) == (JobStatus.SUCCESS, ExtractionTier.BRONZE, 1)
        run = runs[job.run_id or ""]
        assert (run.branch, run.environment, run.pull_request) == (branch, environment, request)
        assert run.git_sha == job.commit_sha
    assert (head.commit_sha, base.commit_sha) == (repository.pull_requests[1].sha, main.commit_sha)
    assert len({main.run_id, head.run_id, base.run_id}) == 3
    assert runs[main.run_id or ""].environment == connection.environment
    # The run of the merge base is younger, and not the last one of the branch.
    with open_store(service.store.at("recce_meta")) as store:
        assert find_run(store, "branch:main", runs[main.run_id or ""].project_name).run_id == main.run_id
    stored = get_connection(service.state, connection.id)
    assert (stored.last_commit_sha, stored.error) == (main.commit_sha, None)
    assert get_pull_request(service.state, connection.id, 1).base_sha == base.commit_sha
    tasks = list_tasks(service.state, connection_id=connection.id)
    assert [task.key for task in tasks if task.kind is TaskKind.REPORT] == [f"{connection.id}:1"]
    expected = {name: FILES[name] for name in ("checks.yml", "recce_meta.yml")}
    files = read_job_files(service.state, head.id)
    assert {name: text.strip() for name, text in files.items()} == {
        name: str(text).strip() for name, text in expected.items()
    }

    tip = service.server.commit(repository.name, "main", {"c.sql": "create view c as select 1 as z;"})
    repository.push(1, {"a.sql": "create view a as select 2 as y;"}, base=tip)
    rebased, base = service.propose(connection, repository, 1)
    assert rebased.run_id not in (head.run_id, None)
    assert base.commit_sha == get_pull_request(service.state, connection.id, 1).base_sha == tip
    assert not [place for place in service.found if repository.name in str(place)]


def test_the_run_of_the_base_branch_is_used(service: Watched, forge_server: ForgeServer) -> None:
    repository = forge_server.create(Forge.GITHUB, FILES)
    connection = service.watch(repository)
    sha = service.server.head(repository.name)
    run_id = run_id_of(connection, "main", sha, ExtractionTier.GOLD)
    run = RunMetadata(run_id=run_id, run_at=datetime.now(timezone.utc), project_name="shop", git_sha=sha)
    stores = TargetStores({"default": Target(lambda: service.store.at("recce_meta"))}, lock_timeout=60)

    async def nothing(_: object) -> ColumnGraph:
        return ColumnGraph(lineage_ids={}, analyses={})

    asyncio.run(stores.record("default", Project(run=run, nodes=()), nothing, lambda *_: nullcontext))
    number = repository.open_pull_request("fix", {"a.sql": "create view a as select b.y from b;"})
    _, base = service.propose(connection, repository, number)

    assert (base.status, base.run_id, base.is_new) == (JobStatus.SUCCESS, run_id, False)
    assert {event.stage for event in events_after(service.state, base.id)} == {Stage.RESOLVE}
    assert get_pull_request(service.state, connection.id, number).base_sha == sha


def test_unrelated_histories_fail_with_their_reason(service: Watched, forge_server: ForgeServer) -> None:
    repository = forge_server.create(Forge.GITHUB, FILES)
    connection = service.watch(repository)
    number = repository.open_pull_request("fix", FILES)
    orphan = service.server.commit(repository.name, "orphan", {"d.sql": "select 1 as d;"})
    service.server.write_ref(repository.name, f"refs/pull/{number}/head", orphan)
    repository.pull_requests[number].sha = orphan

    head, base = service.propose(connection, repository, number)

    assert (head.status, base.status, base.failure) == (JobStatus.SUCCESS, JobStatus.FAILED, "branch")
    assert base.error is not None and "have no common commit" in base.error
    assert get_connection(service.state, connection.id).error is None


@pytest.mark.network
def test_a_head_for_another_dbt_is_refused(service: Watched, forge_server: ForgeServer) -> None:
    """It is the fault of the head, so its base stays as dbt reads it, and they are not compared."""
    dbt_environment(MINOR, "duckdb")
    repository = forge_server.create(Forge.GITHUB, SHOP)
    connection = service.watch(repository, dbt_version=None)
    gold = service.extract(connection)
    newer = {"dbt_project.yml": f"{SHOP['dbt_project.yml']}require-dbt-version: '>=9.0'\n"}
    number = repository.open_pull_request("newer", newer)
    head, base = service.propose(connection, repository, number)

    assert gold.tier is base.tier is ExtractionTier.GOLD
    assert base.run_id == gold.run_id
    assert head.tier is ExtractionTier.SILVER and "require-dbt-version" in str(head.fallback)
    assert head.is_refused and not is_never_read_by_dbt(head, base) and not needs_lower_base(head, base)
    # Other jobs are reported meanwhile.
    assert not request_base_again(service.state, head, head)


HOSTILE: Mapping[str, File] = {
    **SHOP,
    "models/environment.sql": (
        "{{ log('found ' ~ env_var('CANARY_TOKEN', 'nothing') ~ env_var('MY_TOKEN', 'none'), true) }}"
        "select '{{ env_var('CANARY_TOKEN', 'none') }}{{ env_var('MY_TOKEN', 'none') }}' as a"
    ),
    "models/link.sql": ("120000", "/proc/self/environ"),
    "models/outer": ("120000", "../../.."),
    "checks.yml": "checks: [{name: evil}]\n",
    "quality.yml": "tables: []\n",
    "recce_meta.yml": "store: {url: 'duckdb:////tmp/evil'}\n",
}


@pytest.mark.network
def test_a_fork_gets_no_secret_and_leaves_nothing(
    service: Watched, forge_server: ForgeServer, commands: list[DbtCommand], bubblewrap: Bubblewrap
) -> None:
    """It is parsed by dbt in a sandbox, though the connection is trusted, and its settings do not count."""
    dbt_environment(MINOR, "duckdb")
    repository = forge_server.create(Forge.GITHUB, FILES)
    connection = service.watch(
        repository,
        is_trusted=True,
        isolation=IsolationKind.PROCESS,
        variables={"DBT_ENV_SECRET_X": VARIABLE, "MY_TOKEN": VARIABLE},
    )
    service.found.clear()
    number = repository.open_pull_request("main", HOSTILE, is_fork=True)

    head, base = service.propose(connection, repository, number)

    assert (head.status, base.status) == (JobStatus.SUCCESS, JobStatus.SUCCESS)
    assert (head.tier, head.fallback) == (ExtractionTier.GOLD, None)
    assert head.isolation in (IsolationKind.DOCKER, IsolationKind.BUBBLEWRAP)
    assert commands
    assert not any(secret in repr([command.env, command.argv]) for command in commands for secret in SECRETS)
    run = service.runs()[head.run_id or ""]
    assert (run.branch, run.environment) == ("fork:main", head_environment_of(number, connection.environment))
    assert read_job_files(service.state, head.id) == {}
    assert not any(secret in service.shown(head, base) for secret in SECRETS)
    assert service.found == []
    # Jobs of the branch read this cache.
    assert not list((service.work / "cache" / "packages" / connection.id).glob("*"))


@pytest.mark.network
@pytest.mark.parametrize("kind", ["variable", "private"])
def test_packages_of_a_fork_are_fetched_without_the_token(
    service: Watched, forge_server: ForgeServer, kind: str, bubblewrap: Bubblewrap
) -> None:
    dbt_environment(MINOR, "duckdb")
    repository = forge_server.create(Forge.GITHUB, FILES)
    package = service.server.unused_name("package")
    service.server.create_repository(package, {"dbt_project.yml": "name: shared\nversion: '1.0'\n"})
    service.server.require(package, TOKEN)
    connection = service.watch(repository, variables={"DBT_ENV_SECRET_X": VARIABLE})
    address = service.server.url(package)
    if kind == "variable":
        address = address.replace("://", "://{{ env_var('DBT_ENV_SECRET_X', 'nothing') }}@")
    number = repository.open_pull_request(
        "fix",
        {**SHOP, "packages.yml": f'packages: [{{git: "{address}", revision: main}}]'},
        is_fork=True,
    )
    service.found.clear()

    head, _ = service.propose(connection, repository, number)

    assert (head.status, head.tier) == (JobStatus.SUCCESS, ExtractionTier.SILVER)
    assert head.fallback
    seen = [one.authorization or "" for one in service.server.requests if one.repository == package]
    assert not any(secret in repr([seen, _decoded(seen)]) for secret in SECRETS)
    assert not any(secret in service.shown(head) for secret in SECRETS)
    assert service.found == []


def _decoded(headers: list[str]) -> list[bytes]:
    return [base64.b64decode(header.partition(" ")[2]) for header in headers if header.startswith("Basic ")]


@pytest.mark.network
@pytest.mark.parametrize(
    "settings",
    [
        "packages-install-path: ../../victim\n",
        "log-path: /{folder}\nclean-targets: ['/{folder}']\n",
        "macro-paths: ['/{folder}']\n",
    ],
)
def test_paths_that_a_fork_sets_do_not_leave_it(
    service: Watched, forge_server: ForgeServer, tmp_path: Path, commands: list[DbtCommand], settings: str
) -> None:
    dbt_environment(MINOR, "duckdb")
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "state.sql").write_text(f"select '{VARIABLE}' as secret")
    repository = forge_server.create(Forge.GITHUB, FILES)
    connection = service.watch(repository)
    text = str(SHOP["dbt_project.yml"]) + settings.replace("{folder}", str(victim).lstrip("/"))
    service.found.clear()
    number = repository.open_pull_request("fix", {**SHOP, "dbt_project.yml": text}, is_fork=True)

    head, base = service.propose(connection, repository, number)

    assert base.status is JobStatus.SUCCESS
    assert head.tier is not ExtractionTier.GOLD
    assert [path.name for path in victim.rglob("*")] == ["state.sql"]
    # Refused before dbt is started.
    assert commands == []
    assert VARIABLE not in service.shown(head)
    assert service.found == []
