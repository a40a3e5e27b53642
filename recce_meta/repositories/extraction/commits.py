"""Commit of a job: head of a branch or pull request, or merge base; its checkout and its small files.

The files are stored with the job: checks, quality rules and the configuration. A merge base is read without
dbt if its head cannot be read with dbt.
"""

from __future__ import annotations

import asyncio
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.api.checks import DEFAULT_FILES as CHECK_FILES
from recce_meta.api.quality import DEFAULT_FILES as QUALITY_FILES
from recce_meta.config.discovery import CONFIG_FILE
from recce_meta.errors import RecceMetaError, UnknownNameError
from recce_meta.models.run import MERGE_BASE_OF, IsolationKind
from recce_meta.profiles.discovery import PROJECT_FILE
from recce_meta.repositories.extraction.workflow import JobRun
from recce_meta.repositories.forges.login import ConnectionLogins
from recce_meta.repositories.forges.registry import find_forge, parse_address
from recce_meta.repositories.git.address import AddressRules
from recce_meta.repositories.git.client import Fetched, GitClient
from recce_meta.repositories.git.failures import GitFailure, GitFailureKind
from recce_meta.repositories.git.history import Head, history_path, merge_base
from recce_meta.repositories.git.mirrors import mirror_path
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.jobs import LARGEST, get_job, is_without_dbt
from recce_meta.repositories.state.types import (
    JobSource,
    PullRequest,
    RepositoryConnection,
    base_environment_of,
    head_environment_of,
)

_LOOKS = 3
"""Number of looks at a head that is not the commit of the event."""
_PAUSE = 1.0
_SANDBOXES = (None, IsolationKind.DOCKER, IsolationKind.BUBBLEWRAP)
_SECRET_NAME = re.compile(r"SECRET|TOKEN|PASSW|PASSPHRASE|PRIVATE|CREDENTIAL|(?:API|ACCESS|AUTH)_?KEY")


class Resolved(Struct, frozen=True, kw_only=True):
    """Commit of a job."""

    sha: str
    branch: str
    """Branch of the run."""
    message: str
    received: int = 0


def settings_for(run: JobRun) -> RepositoryConnection:
    """Return the connection of *run* with the environment of its runs."""
    connection, request = run.connection, run.pull_request
    if request is None or run.job.source is JobSource.BRANCH:
        return connection
    is_head = run.job.source is JobSource.PULL_REQUEST
    environment_of = head_environment_of if is_head else base_environment_of
    return replace(connection, environment=environment_of(request.number, connection.environment))


def without_rights(connection: RepositoryConnection) -> RepositoryConnection:
    """Return *connection* for files of a fork: without a login, without trust, and without secrets.

    Variables of a connection are not secret, but those whose names say so are withheld all the same.
    """
    variables = connection.variables
    return replace(
        connection,
        token_env=None,
        has_token=False,
        token_hint=None,
        github_app=None,
        is_trusted=False,
        # A process hides nothing. Without a sandbox, the files are read without dbt.
        isolation=connection.isolation if connection.isolation in _SANDBOXES else None,
        variables={name: variables[name] for name in variables if not _SECRET_NAME.search(name.upper())},
    )


class Commits:
    """Commits of jobs, read with the login of their connections."""

    def __init__(self, logins: ConnectionLogins, mirrors: Path, rules: AddressRules) -> None:
        self._logins = logins
        self._mirrors = mirrors
        self._rules = rules

    async def resolve(self, run: JobRun, client: GitClient) -> Resolved:
        """Return the commit of a job. Raises GitFailure if it is not found."""
        job, request = run.job, run.pull_request
        if request is None or job.source is JobSource.BRANCH:
            sha = await client.head(job.branch)
            return Resolved(sha=sha, branch=job.branch, message=f"{job.branch} is at {sha[:12]}")
        if job.source is JobSource.MERGE_BASE:
            return await self._resolve_base(run, request, client)
        # No branch has a colon in its name: a branch of a fork must not pass for one of the repository.
        branch = f"fork:{request.head_branch}" if request.is_fork else request.head_branch
        sha = job.wanted_sha or await self._head_commit(request, await self._head(run, request, client))
        return Resolved(sha=sha, branch=branch, message=f"{job.branch} is at {sha[:12]}")

    async def check_out(self, run: JobRun, client: GitClient, sha: str, folder: Path) -> Fetched:
        """Write the files of the commit to *folder*. Raises GitFailure if that is not possible."""
        job, request = run.job, run.pull_request
        self._mirrors.mkdir(mode=0o700, exist_ok=True)
        if request is None or job.source is JobSource.BRANCH:
            return await client.clone(mirror_path(self._mirrors, client.address), job.branch, sha, folder)
        if job.source is JobSource.MERGE_BASE:
            mirror = mirror_path(self._mirrors, client.address)
            return await client.clone_ancestor(mirror, request.base_branch, sha, folder)
        head = await self._head(run, request, client)
        mirror = mirror_path(self._mirrors, head.client.address)
        return await head.client.clone_reference(mirror, head.reference, sha, folder)

    async def _resolve_base(self, run: JobRun, request: PullRequest, client: GitClient) -> Resolved:
        branch, wanted = request.base_branch, run.job.wanted_sha
        # It is an old commit of the branch, so its run must not pass for the last one of the branch.
        shown = f"{MERGE_BASE_OF}{branch}"
        if wanted is not None:
            return Resolved(sha=wanted, branch=shown, message=f"commit {wanted[:12]} was asked for")
        self._mirrors.mkdir(mode=0o700, exist_ok=True)
        head = await self._head(run, request, client)
        await self._head_commit(request, head)
        found = await merge_base(client, history_path(self._mirrors, client.address), branch, head)
        return Resolved(
            sha=found.sha,
            branch=shown,
            message=f"{found.sha[:12]} is the merge base of {branch} and {found.head_sha[:12]}",
            received=found.received,
        )

    async def _head(self, run: JobRun, request: PullRequest, client: GitClient) -> Head:
        """Return the reference of the head, and the client of the repository that has it."""
        forge = find_forge(run.connection.type)
        if forge is None:
            raise GitFailure(
                GitFailureKind.BRANCH,
                f"Servers of the type {run.connection.type} have no pull requests",
                hint="set the type of the connection to that of the forge",
            )
        source = forge.head_source(request)
        if source.url is None:
            return Head(client=client, reference=source.reference)
        # The address comes from a delivery: it passes the rules, and never gets a token.
        other = client.of_other(parse_address(source.url, self._rules))
        return Head(client=other, reference=source.reference)

    async def _head_commit(self, request: PullRequest, head: Head) -> str:
        """Return the commit of the head; wait a moment if it is not that of the event.

        Forges announce a push before its reference has changed. The commit of the event may also be an old
        one, so the reference decides.
        """
        sha = await head.client.commit_of(head.reference)
        for _ in range(_LOOKS - 1):
            if request.head_sha is None or sha.startswith(request.head_sha):
                break
            await asyncio.sleep(_PAUSE)
            sha = await head.client.commit_of(head.reference)
        return sha


_NAMES = {"checks.yml": CHECK_FILES, "quality.yml": QUALITY_FILES, CONFIG_FILE: (CONFIG_FILE,)}
"""Names that a file may have in the repository, by the name that it is stored under."""


class RefusedFile(Exception):
    """A file that is not read; the message has its name and the reason."""


def find_job_files(checkout: Path, folder: Path) -> tuple[dict[str, str], list[str]]:
    """Return the content of files of *folder* in *checkout* by the name to store, and why others are refused.

    The configuration is that of the folder with dbt_project.yml; without dbt, that of the nearest folder
    upward.
    """
    found: dict[str, str] = {}
    refused: list[str] = []
    for name, paths in _candidates(checkout, folder):
        for path in paths:
            try:
                content = _read(path)
            except RefusedFile as error:
                refused.append(str(error))
                break
            if content is not None:
                found[name] = content
                break
    return found, refused


def _candidates(checkout: Path, folder: Path) -> Iterator[tuple[str, list[Path]]]:
    for name, names in _NAMES.items():
        folders = [folder]
        if name == CONFIG_FILE and not (folder / PROJECT_FILE).is_file():
            folders += [above for above in folder.parents if above.is_relative_to(checkout)]
        yield name, [place / one for place in folders for one in names]


def _read(path: Path) -> str | None:
    """Return the text of a regular file; None if it does not exist."""
    try:
        # Without waiting: a pipe would block the worker.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        raise RefusedFile(f"{path.name} is not read: it is not a regular file") from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise RefusedFile(f"{path.name} is not read: it is not a regular file")
        # A regular file is read at once.
        content = os.read(descriptor, LARGEST + 1)
    finally:
        os.close(descriptor)
    if len(content) > LARGEST:
        raise RefusedFile(f"{path.name} is not read: it has more than {LARGEST:,} bytes")
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise RefusedFile(f"{path.name} is not read: it is not UTF-8") from None
    # PostgreSQL stores no null character.
    if "\0" in text:
        raise RefusedFile(f"{path.name} is not read: it contains a null character")
    return text


def why_without_dbt(state: State, run: JobRun) -> str | None:
    """Return why the merge base of *run* is read without dbt; None if dbt reads it.

    Only what both sides have can be compared. A head that dbt refuses is not compared at all.
    """
    request = run.pull_request
    is_base = run.job.source is JobSource.MERGE_BASE and not run.connection.requires_dbt
    if not is_base or request is None or request.head_job is None:
        return None
    try:
        head = get_job(state, request.head_job)
    except UnknownNameError:  # the connection was removed with its jobs
        return None
    if not is_without_dbt(head):
        return None
    return f"the head of pull request {request.number} was read without dbt: {head.fallback or 'unknown'}"


def as_in_repository(text: str, folder: Path) -> str:
    """Return *text* with paths as in the repository: readers of a forge must not see those of the worker."""
    text = re.sub(rf"(?:/private)?{re.escape(str(folder))}(?:/checkout|/deps/project)?(?:/|\b)", "", text)
    # Caches next to the folders of jobs: the name of the file is enough.
    return re.sub(rf"(?:/private)?{re.escape(str(folder.parent.parent))}/(?:[^\s'\":]*/)?", "", text)


@contextmanager
def errors_as_in_repository(folder: Path) -> Iterator[None]:
    """Remove *folder* from the text of a RecceMetaError that leaves the block."""
    try:
        yield
    except RecceMetaError as error:
        error.message = as_in_repository(error.message, folder)
        error.hint = error.hint and as_in_repository(error.hint, folder)
        error.args = (error.message,)
        raise
