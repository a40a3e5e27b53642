"""Commits of the jobs of pull requests, at stand-ins of every forge, and lists of open ones."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta.errors import UsageError
from recce_meta.models.run import IsolationKind, Trigger
from recce_meta.repositories.extraction import commits as resolving
from recce_meta.repositories.extraction.commits import (
    Commits,
    Resolved,
    find_job_files,
    settings_for,
    without_rights,
)
from recce_meta.repositories.extraction.workflow import JobRun
from recce_meta.repositories.forges.login import ConnectionLogins
from recce_meta.repositories.git.address import AddressRules
from recce_meta.repositories.git.environment import GitLimits
from recce_meta.repositories.git.failures import GitFailure, GitFailureKind
from recce_meta.repositories.options.values import GitHubApp
from recce_meta.repositories.polling import PullRequestWatch
from recce_meta.repositories.state.connections import add_connection, get_connection, update_connection
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.jobs import LARGEST, finish_job, get_job, list_jobs, start_job
from recce_meta.repositories.state.pull_requests import (
    get_pull_request,
    list_pull_requests,
    note_pull_request,
)
from recce_meta.repositories.state.requests import ConnectionChange, check_request
from recce_meta.repositories.state.types import (
    ExtractionJob,
    JobOutcome,
    JobSource,
    JobStatus,
    PullRequest,
    PullRequestEvent,
    PullRequestState,
)
from tests.support import states
from tests.support.forge_names import FORGES, Forge
from tests.support.forge_server import ForgeRepository, ForgeServer
from tests.support.git_server import Answer, File

SHOP: Mapping[str, File] = {"a.sql": "select 1 as x"}
LONG_AGO = datetime(2020, 1, 1, tzinfo=timezone.utc)


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    """Return a new state."""
    with states.opened(f"sqlite:///{tmp_path / 'state.db'}") as opened:
        yield opened


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look again at a head at once."""
    monkeypatch.setattr(resolving, "_PAUSE", 0)


class Followed:
    """A connected repository of a forge, in a state."""

    def __init__(self, state: State, repository: ForgeRepository, folder: Path, **settings: Any) -> None:
        self.state, self.repository, self.folder = state, repository, folder
        self.token = repository.add_token()
        self.environ = {**repository.server.environ, "FORGE_TOKEN": self.token, "PATH": "/usr/bin:/bin"}
        given = {
            "type": repository.forge,
            "repo_url": repository.url,
            "token_env": "FORGE_TOKEN",
            "created_at": LONG_AGO,
        }
        self.connection = add_connection(state, states.shop(**given | settings))
        self.logins = ConnectionLogins(state, self.environ, GitLimits())
        self.watch = PullRequestWatch(state, self.logins, self.environ)

    def look(self) -> list[ExtractionJob]:
        """Read the open pull requests, and return the jobs that are new."""
        before = {job.id for job in list_jobs(self.state, self.connection.id)}
        asyncio.run(self.watch(get_connection(self.state, self.connection.id)))
        return [job for job in list_jobs(self.state, self.connection.id) if job.id not in before][::-1]

    def run(self, job: ExtractionJob) -> JobRun:
        """Return what a stage of the job is given."""

        async def log(_: str) -> None: ...

        number = job.pull_request
        return JobRun(
            job=job,
            connection=self.connection,
            folder=self.folder,
            results={},
            log=log,
            pull_request=None if number is None else get_pull_request(self.state, job.connection_id, number),
        )

    def resolved(self, job: ExtractionJob) -> tuple[Resolved, Path]:
        """Return the commit of the job, and the folder of its checkout."""
        run, folder = self.run(job), self.folder / job.id.replace(":", "-")
        commits = Commits(self.logins, self.folder / "mirrors", AddressRules.read(self.environ))

        async def work() -> Resolved:
            client = await self.logins.client(self.connection)
            found = await commits.resolve(run, client)
            fetched = await commits.check_out(run, client, found.sha, folder)
            assert fetched.sha == found.sha
            return found

        return asyncio.run(work()), folder

    def end(self, *ended: ExtractionJob, **outcome: Any) -> None:
        """End jobs, with the head that the repository has."""
        for job in ended:
            start_job(self.state, job.id, "worker")
            status = JobStatus.FAILED if "failure" in outcome else JobStatus.SUCCESS
            finish_job(self.state, job.id, status, JobOutcome(**outcome))


@pytest.fixture
def github(state: State, forge_server: ForgeServer, tmp_path: Path) -> Followed:
    """Return a connected repository of GitHub."""
    return Followed(state, forge_server.create(Forge.GITHUB, SHOP), tmp_path)


@pytest.mark.extensive
@pytest.mark.parametrize(
    ("forge", "is_fork"),
    [*((forge, True) for forge in FORGES), (Forge.GITHUB, False), (Forge.BITBUCKET, False)],
)
def test_the_head_and_the_merge_base_of_every_forge(
    state: State, forge_server: ForgeServer, tmp_path: Path, forge: Forge, is_fork: bool
) -> None:
    """Also after a rebase; only the repository itself gets the token."""
    followed = Followed(state, forge_server.create(forge, SHOP), tmp_path)
    repository, git = followed.repository, followed.repository.git
    number = repository.open_pull_request("fix/a", {"a.sql": "select 2 as x"}, is_fork=is_fork)
    first = git.head(repository.name)
    head, base = followed.look()

    found, folder = followed.resolved(head)
    assert found.sha == repository.pull_requests[number].sha
    assert found.branch == ("fork:fix/a" if is_fork else "fix/a")
    assert (folder / "a.sql").read_text().strip() == "select 2 as x"
    found, folder = followed.resolved(base)
    assert (found.sha, found.branch) == (first, "base:main")
    assert (folder / "a.sql").read_text().strip() == "select 1 as x"

    followed.end(head, base)
    tip = git.commit(repository.name, "main", {"b.sql": "select 3"})
    fork = repository.pull_requests[number].fork
    if is_fork and repository.forge is Forge.BITBUCKET:
        # The author fetches before the rebase.
        source = git.folder / repository.name / "objects"
        (git.folder / str(fork) / "objects/info/alternates").write_text(f"{source}\n")
    repository.push(number, {"a.sql": "select 4 as x"}, base=tip)
    head, base = followed.look()
    assert followed.resolved(head)[0].sha == repository.pull_requests[number].sha
    assert followed.resolved(base)[0].sha == tip

    seen = {(one.repository, one.authorization is not None) for one in git.requests}
    assert (repository.name, True) in seen
    if is_fork and repository.forge is Forge.BITBUCKET:
        assert (fork, False) in seen and (fork, True) not in seen


def test_a_fork_at_a_refused_address_is_not_fetched(state: State, github: Followed) -> None:
    """The address comes from a delivery: it must not lead to the network of the worker."""
    github.repository.open_pull_request("fix", SHOP, is_fork=True)
    head, base = github.look()
    bitbucket = replace(github.connection, type=Forge.BITBUCKET)
    commits = Commits(github.logins, github.folder / "mirrors", AddressRules.read(github.environ))
    stored = get_pull_request(state, github.connection.id, 1)

    async def resolve(job: ExtractionJob, url: str | None) -> None:
        run = replace(github.run(job), connection=bitbucket, pull_request=replace(stored, head_url=url))
        await commits.resolve(run, await github.logins.client(bitbucket))

    for url, message in (
        ("https://169.254.169.254/a/b", "is not a public host"),
        ("https://10.0.0.1/a/b.git", "is not a public host"),
        ("http://example.com/a/b", "Plain HTTP"),
        ("https://user:password@example.com/a/b", "contains credentials"),
        ("file:///etc", "Local repositories"),
        ("ext::sh -c id", "invalid"),
        (None, "is not known"),
    ):
        for job in (head, base):
            with pytest.raises(GitFailure, match=message):
                asyncio.run(resolve(job, url))


def test_a_plain_git_server_has_no_pull_requests(github: Followed) -> None:
    github.repository.open_pull_request("fix", SHOP)
    head, _ = github.look()
    github.connection = replace(github.connection, type=Forge.GIT)

    with pytest.raises(GitFailure, match="have no pull requests"):
        github.resolved(head)


def test_a_missing_reference_may_appear(github: Followed) -> None:
    number = github.repository.open_pull_request("fix", SHOP)
    head, _ = github.look()
    (github.repository.git.folder / github.repository.name / f"refs/pull/{number}/head").unlink()

    with pytest.raises(GitFailure, match=f"refs/pull/{number}/head not found") as raised:
        github.resolved(head)
    assert (raised.value.kind, raised.value.can_retry) == (GitFailureKind.BRANCH, True)


@pytest.mark.extensive
def test_the_commit_of_a_late_event_does_not_count(github: Followed) -> None:
    """The reference decides, and a wanted commit precedes it."""
    number = github.repository.open_pull_request("fix", SHOP)
    head, base = github.look()
    first = github.repository.pull_requests[number].sha
    newer = github.repository.push(number, {"a.sql": "select 5"})

    assert github.resolved(head)[0].sha == newer
    assert github.resolved(replace(head, wanted_sha=first))[0].sha == first
    assert github.resolved(replace(base, wanted_sha=first, number=9))[0].sha == first


def request(**fields: Any) -> PullRequest:
    """Return a stored pull request."""
    given: dict[str, Any] = {
        "connection_id": "c", "number": 7, "title": "Fix", "base_branch": "main", "head_branch": "fix",
        "updated_at": LONG_AGO,
    }  # fmt: skip
    return PullRequest(**given | fields)


def test_runs_of_pull_requests_have_environments_of_their_own(github: Followed) -> None:
    github.repository.open_pull_request("fix", SHOP)
    head, base = map(github.run, github.look())

    assert settings_for(head).environment == "pull-request-1"
    assert settings_for(base).environment == "pull-request-1-base"
    branch = replace(head, job=replace(head.job, source=JobSource.BRANCH))
    assert settings_for(branch).environment == "prod"
    assert not head.is_of_fork
    fork = request(is_fork=True)
    assert replace(head, pull_request=fork).is_of_fork
    # The merge base is a commit of the repository itself.
    assert not replace(base, pull_request=fork).is_of_fork


@pytest.mark.parametrize("environment", ["pull-request-7", "pull-request-7-base"])
def test_no_connection_has_the_environment_of_a_pull_request(environment: str) -> None:
    """Otherwise the run of a fork could become its latest run."""
    with pytest.raises(UsageError, match="Invalid environment"):
        check_request(ConnectionChange(environment=environment))
    check_request(ConnectionChange(environment="pull-requests"))


@pytest.mark.parametrize(
    ("isolation", "kept"),
    [(IsolationKind.PROCESS, None), (IsolationKind.DOCKER, IsolationKind.DOCKER), (None, None)],
)
def test_files_of_a_fork_have_no_rights(isolation: IsolationKind, kept: IsolationKind | None) -> None:
    connection = states.shop(
        isolation=isolation,
        is_trusted=True,
        token_env="FORGE_TOKEN",
        has_token=True,
        github_app=GitHubApp(app_id="1", installation_id="2"),
        variables={"SCHEMA": "a", "DBT_ENV_SECRET_X": "b", "Git_Token": "c", "DB_PASSWORD": "d"},
    )

    limited = without_rights(connection)

    assert (limited.isolation, limited.is_trusted, limited.variables) == (kept, False, {"SCHEMA": "a"})
    assert (limited.token_env, limited.has_token, limited.github_app) == (None, False, None)
    assert limited.id == connection.id


def test_a_poll_finds_what_deliveries_missed(github: Followed) -> None:
    repository, state = github.repository, github.state
    number = repository.open_pull_request("fix", SHOP, title="Fix it")
    head, base = github.look()
    assert {head.trigger, base.trigger} == {Trigger.POLL}
    assert get_pull_request(state, github.connection.id, number).title == "Fix it"
    assert github.look() == []
    github.end(head, commit_sha=repository.pull_requests[number].sha)
    github.end(base)
    assert github.look() == []

    repository.push(number, {"a.sql": "select 7"})
    head, base = github.look()
    repository.close_pull_request(number)
    # The pages of one list may shift while it is read, so that two have to agree.
    assert github.look() == []
    assert get_pull_request(state, github.connection.id, number).state is PullRequestState.OPEN
    assert github.look() == []
    stored = get_pull_request(state, github.connection.id, number)
    assert (stored.state, get_job(state, head.id).status) == (PullRequestState.CLOSED, JobStatus.CANCELLED)

    repository.pull_requests[number].state = "open"
    assert [job.number for job in github.look()] == [3, 3]


def test_a_poll_follows_the_same_branches_as_deliveries(github: Followed) -> None:
    """Such as a change on top of another; a stored pull request that gets such a base is closed."""
    number = github.repository.open_pull_request("fix", SHOP)
    github.repository.pull_requests[number].base = "other"
    assert github.look() == []
    github.repository.pull_requests[number].base = "main"
    assert len(github.look()) == 2

    github.repository.pull_requests[number].base = "other"
    assert [github.look(), github.look(), github.look()] == [[], [], []]
    stored = get_pull_request(github.state, github.connection.id, number)
    assert stored.state is PullRequestState.CLOSED


def test_a_poll_repeats_failures_that_may_heal(github: Followed) -> None:
    github.repository.open_pull_request("fix", SHOP)
    head, base = github.look()
    github.end(base)
    github.end(head, failure="network")
    repeated = github.look()
    assert [job.number for job in repeated] == [2, 2]
    github.end(*repeated, failure="compilation")

    assert github.look() == []


def test_a_new_connection_ignores_what_was_open_before(
    state: State, forge_server: ForgeServer, tmp_path: Path
) -> None:
    repository = forge_server.create(Forge.GITHUB, SHOP)
    created_at = datetime.now(timezone.utc) + timedelta(minutes=5)
    followed = Followed(state, repository, tmp_path, created_at=created_at)
    number = repository.open_pull_request("fix", SHOP)

    assert followed.look() == []
    repository.pull_requests[number].updated_at = created_at.timestamp() + 60
    assert len(followed.look()) == 2


def test_failures_of_the_list_are_shown_and_never_fail_the_poll(
    github: Followed, caplog: pytest.LogCaptureFixture
) -> None:
    repository, connection = github.repository, github.connection

    def error() -> str | None:
        return get_connection(github.state, connection.id).forge_error

    repository.fail(Answer(503), times=100)
    with caplog.at_level(logging.WARNING):
        github.look()
        github.look()
    shown = error()
    assert shown is not None and shown.startswith("Pull requests cannot be listed: ")
    assert len(caplog.records) == 1
    repository._faults.clear()
    github.look()
    assert error() is None
    # The error of a comment stays until a comment is written.
    update_connection(github.state, connection.id, forge_error="The token may not write comments")
    repository.fail(Answer(503), times=100)
    github.look()
    repository._faults.clear()
    github.look()
    assert error() == "The token may not write comments"
    assert github.token not in caplog.text


def test_a_forge_that_asks_for_fewer_requests_is_left_alone(github: Followed) -> None:
    github.repository.limit_rate(seconds=3_000)
    github.look()
    before = len(github.repository.requests)
    github.repository.open_pull_request("fix", SHOP)

    assert github.look() == []
    assert len(github.repository.requests) == before


@pytest.mark.parametrize(
    "changes", [{"watches_pull_requests": False}, {"token_env": None}, {"type": Forge.GIT}]
)
def test_nothing_is_listed_without_a_token_or_a_forge(github: Followed, changes: dict[str, Any]) -> None:
    github.repository.open_pull_request("fix", SHOP)
    update_connection(github.state, github.connection.id, **changes)

    assert github.look() == []
    assert github.repository.requests == []
    assert get_connection(github.state, github.connection.id).forge_error is None


def test_a_delivery_during_the_list_is_not_undone(github: Followed) -> None:
    """A pull request that is opened while the list is read is not taken for closed."""
    number = github.repository.open_pull_request("fix", SHOP)
    github.look()
    github.repository.close_pull_request(number)
    github.look()
    stored = get_pull_request(github.state, github.connection.id, number)
    event = {name: getattr(stored, name) for name in ("number", "title", "base_branch", "head_branch")}
    from_delivery = github.repository.pull_requests[number]
    from_delivery.state = "open"
    newer = datetime.now(timezone.utc) + timedelta(minutes=1)
    note_pull_request(
        github.state,
        github.connection,
        PullRequestEvent(**event, updated_at=newer, head_sha=from_delivery.sha),
        trigger=Trigger.WEBHOOK,
        requested_by="webhook",
    )
    github.look()

    (found,) = list_pull_requests(github.state, is_open=True)
    assert found.updated_at == newer


def test_files_of_a_checkout(tmp_path: Path) -> None:
    """As data: a file that is a link, a folder, too large, or not UTF-8 is not read."""
    folder = tmp_path / "dbt"
    folder.mkdir()
    (tmp_path / "recce_meta.yml").write_text("top: 1")
    (tmp_path / "checks.yml").write_text("of another project")
    assert find_job_files(tmp_path, folder) == ({"recce_meta.yml": "top: 1"}, [])
    (folder / "dbt_project.yml").write_text("name: shop")
    (folder / "checks.yaml").write_text("checks: []")
    # With a dbt project, the configuration next to it is the only one.
    assert find_job_files(tmp_path, folder) == ({"checks.yml": "checks: []"}, [])
    (folder / "checks.yml").symlink_to(tmp_path / "checks.yml")
    (folder / "quality.yml").mkdir()
    (folder / "recce_meta.yml").write_bytes(b"\xff")
    found, refused = find_job_files(tmp_path, folder)
    assert found == {}
    assert [one.partition(" ")[0] for one in refused] == ["checks.yml", "quality.yml", "recce_meta.yml"]
    (folder / "recce_meta.yml").write_text("x" * (LARGEST + 1))
    assert "has more than 256,000 bytes" in find_job_files(tmp_path, folder)[1][-1]
