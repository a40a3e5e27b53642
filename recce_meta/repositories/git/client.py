"""Client of one repository: heads of branches, fetched commits, and checkouts.

The git program does the work, without configuration of the machine, hooks, submodules, Git LFS and symlinks.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from pathlib import Path, PurePosixPath

from msgspec import Struct

from recce_meta.errors import did_you_mean, first_of, quoted
from recce_meta.redaction import redact
from recce_meta.repositories.git.address import RepositoryAddress, check_host
from recce_meta.repositories.git.environment import GitLimits, authorization, find_git, git_environment
from recce_meta.repositories.git.failures import GitFailure, GitFailureKind
from recce_meta.repositories.git.mirrors import (
    clean_up,
    has_commit,
    is_full,
    is_worn,
    lock,
    pack_bytes,
    reference,
)
from recce_meta.repositories.git.outcome import (
    failure_of,
    is_broken_off,
    is_missing_commit,
    is_repository,
    messages_of,
    no_reference,
    no_repository,
    too_large,
)
from recce_meta.repositories.processes import Completed, ProcessLimits, run_process

PROJECT_FILE = "dbt_project.yml"
HEADS = "refs/heads/"
_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_NO_BRANCH_NAME = re.compile(
    r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|(?:^|/)\.|\.(?:lock)?(?:/|$)|\.lock$|^[-/]|/$|^@?$"
)
_LISTING = 64 * 2**20
"""Most bytes of a list of heads."""
_ALL = 2**31 - 1
"""Depth that git takes for the whole history, also if the mirror has a part of it."""
_LONGEST_ENTRY = 250
"""Bytes of an entry in a list of files, if all were long."""
_NOT_PROJECTS = frozenset(["dbt_packages", "dbt_modules", "dbt_internal_packages", "target"])
"""Folders that dbt fills."""


class Fetched(Struct, frozen=True, kw_only=True):
    """A commit in a mirror."""

    sha: str
    """The commit: the head of the branch, if the wanted commit is gone."""
    received: int
    """Bytes of the pack that the server has sent; 0 if the mirror had the commit."""


class _TreeFile(Struct, frozen=True):
    """A file of a commit."""

    mode: str
    size: int
    path: str


class GitRunner:
    """Processes of git for one repository, within limits and with its token."""

    def __init__(
        self,
        address: RepositoryAddress,
        token: str | None,
        limits: GitLimits,
        environ: Mapping[str, str],
        scrub: Callable[[str], str] | None,
    ) -> None:
        self._address, self._token, self._limits = address, token, limits
        self._environ, self._scrub = environ, scrub
        self.cpu_seconds = 0.0
        """CPU time of all processes."""
        self.peak_memory = 0
        """Bytes of the largest of them."""

    async def run_here(
        self,
        arguments: list[str],
        *,
        output: int = 2**20,
        index: Path | None = None,
        may_fail: bool = False,
    ) -> Completed:
        """Run git without the network and the token, and return its outcome; raise GitFailure if it failed.

        If *may_fail*, the outcome of a failure is returned as well.
        """
        limits = ProcessLimits(
            seconds=self._limits.seconds,
            output=output,
            printed=output,
            memory=self._limits.memory,
            file_size=self._limits.checkout_size,
        )
        completed = await self.run(arguments, limits, is_online=False, index=index)
        if completed.code and not may_fail:
            raise self.local_failure(completed)
        return completed

    async def run(
        self,
        arguments: list[str],
        limits: ProcessLimits,
        *,
        is_online: bool = True,
        index: Path | None = None,
    ) -> Completed:
        """Run git, with the network and the token if *is_online*, and return its outcome."""
        git = find_git(self._environ)
        environment = git_environment(
            self._address,
            git=git,
            limits=self._limits,
            environ=self._environ,
            token=self._token if is_online else None,
            # Looked up for each process, because the addresses of a host change.
            pinned=await check_host(self._address) if is_online else (),
        )
        if not is_online:
            # git must fail if an object is missing, and not fetch it.
            environment["GIT_ALLOW_PROTOCOL"] = ""
        if index is not None:
            environment["GIT_INDEX_FILE"] = str(index)
        # In `/`, so that git finds no repository around the current folder.
        completed = await run_process([git, *arguments], env=environment, cwd=Path("/"), limits=limits)
        self.cpu_seconds += completed.cpu_seconds
        self.peak_memory = max(self.peak_memory, completed.peak_memory)
        return completed

    def failure(self, completed: Completed) -> GitFailure:
        """Return the failure of a git process that has talked to the server."""
        failure = failure_of(completed, self._address, has_token=self._token is not None)
        return GitFailure(
            failure.kind,
            self._without_secrets(failure.message),
            hint=failure.hint,
            can_retry=failure.can_retry,
            retry_after=failure.retry_after,
        )

    def local_failure(self, completed: Completed) -> GitFailure:
        """Return the failure of a git process that did not use the network."""
        text = self._without_secrets("; ".join(messages_of(completed.errors)))
        if completed.excess is not None or "too large" in text or "memory" in text:
            return too_large(f"The commit is too large: {text or f'git reached a limit: {completed.excess}'}")
        return GitFailure(
            GitFailureKind.LIMIT,
            f"The commit cannot be read: {text or f'git ended with code {completed.code}'}",
            hint="check the disk of the work folder, and the repository with `git fsck`",
        )

    def _without_secrets(self, text: str) -> str:
        if self._token is not None:
            # A server could repeat the header, where the token is in base64.
            text = redact(text, [self._token, authorization(self._address, self._token).partition(" ")[2]])
        return text if self._scrub is None else self._scrub(text)

    async def create(self, mirror: Path, length: int) -> None:
        """Create an empty mirror for commits of *length* digits, in place of an earlier one."""
        if mirror.exists():
            shutil.rmtree(mirror)
        kind = "sha1" if length == 40 else "sha256"
        await self.run_here(
            [
                "init",
                "--quiet",
                "--bare",
                # Without the hooks and settings that the machine's template may have.
                "--template=",
                f"--object-format={kind}",
                "--",
                str(mirror),
            ]
        )


class GitClient:
    """Client of one repository; a job and a poll each create their own.

    *token* is the secret, or None; *environ* the environment of the service; *scrub* removes secrets from
    messages of git, in addition to the token.
    """

    def __init__(
        self,
        address: RepositoryAddress,
        token: str | None = None,
        *,
        limits: GitLimits | None = None,
        environ: Mapping[str, str] | None = None,
        scrub: Callable[[str], str] | None = None,
    ) -> None:
        self.address = address
        self._limits = limits or GitLimits()
        self._environ = os.environ if environ is None else environ
        self._scrub = scrub
        self.git = GitRunner(address, token, self._limits, self._environ, scrub)

    def of_other(self, address: RepositoryAddress) -> GitClient:
        """Return a client of another repository, without the token."""
        return GitClient(address, limits=self._limits, environ=self._environ, scrub=self._scrub)

    async def default_branch(self) -> str:
        """Return the name of the branch that the repository names as its default.

        Raises GitFailure if the repository cannot be read, or names no branch.
        """
        lines = await self._list_remote("--symref", "HEAD")
        for value, name in lines:
            if name == "HEAD" and value.startswith(f"ref: {HEADS}"):
                return value.removeprefix(f"ref: {HEADS}")
        raise GitFailure(
            GitFailureKind.BRANCH,
            f"{self.address.url} has no default branch",
            hint="name the branch with --branch" if lines else "push a commit: the repository is empty",
        )

    async def heads(self, branches: Iterable[str]) -> dict[str, str]:
        """Return the commits of those of *branches* that exist, with one request of git.

        Raises GitFailure if the repository cannot be read, or a name is invalid.
        """
        wanted = dict.fromkeys(branches)
        for name in wanted:
            check_branch(name)
        # ls-remote matches patterns at the end of a name: `main` would also match `refs/heads/old/main`.
        found = await self._list_remote("--heads", *(HEADS + name for name in wanted)) if wanted else []
        commits = {name.removeprefix(HEADS): sha for sha, name in found if name.startswith(HEADS)}
        return {name: commits[name] for name in wanted if name in commits}

    async def head(self, branch: str) -> str:
        """Return the commit of a branch.

        Raises GitFailure if the branch does not exist, or the repository cannot be read.
        """
        if (sha := (await self.heads([branch])).get(branch)) is not None:
            return sha
        # A second request, only for the hint: a repository can have thousands of branches.
        names = [name.removeprefix(HEADS) for _, name in await self._list_remote("--heads")]
        raise GitFailure(
            GitFailureKind.BRANCH,
            f"Branch {quoted(branch)} not found in {self.address.url}",
            hint=did_you_mean(branch, names)
            or (f"branches: {first_of(sorted(names), 10)}" if names else "push a commit to it"),
        )

    async def commit_of(self, reference: str) -> str:
        """Return the commit of a full reference, such as `refs/pull/7/head`.

        Raises GitFailure if the reference does not exist, or the repository cannot be read.
        """
        check_reference(reference)
        # ls-remote also finds longer names that end in this one.
        for sha, name in await self._list_remote(reference):
            if name == reference:
                return sha
        raise no_reference(self.address, reference)

    async def fetch(self, mirror: Path, branch: str, sha: str) -> Fetched:
        """Fetch a commit without its history into a mirror, unless the mirror has it.

        If the server no longer has the commit, the head of *branch* is fetched.

        Raises GitFailure if the commit cannot be fetched.
        """
        async with lock(mirror):
            return await self._fetch(mirror, sha, partial(self.head, branch))

    async def clone(self, mirror: Path, branch: str, sha: str, folder: Path) -> Fetched:
        """Fetch a commit, and check it out before another process can use the mirror.

        Raises GitFailure if the commit cannot be fetched or checked out.
        """
        async with lock(mirror):
            fetched = await self._fetch(mirror, sha, partial(self.head, branch))
            await self._check_out(mirror, fetched.sha, folder)
            return fetched

    async def clone_reference(self, mirror: Path, reference: str, sha: str, folder: Path) -> Fetched:
        """Do what `clone` does; if the commit is gone, with the one that *reference* has now.

        Raises GitFailure if the commit cannot be fetched or checked out.
        """
        async with lock(mirror):
            fetched = await self._fetch(mirror, sha, partial(self.commit_of, reference))
            await self._check_out(mirror, fetched.sha, folder)
            return fetched

    async def clone_ancestor(self, mirror: Path, branch: str, sha: str, folder: Path) -> Fetched:
        """Fetch a commit of the history of *branch*, and check it out.

        A server may only give heads; then the whole history is fetched.

        Raises GitFailure if the commit is not in the history, or cannot be fetched or checked out.
        """
        check_branch(branch)
        async with lock(mirror):
            try:
                fetched = await self._fetch(mirror, sha, None)
            except GitFailure as error:
                if error.kind is not GitFailureKind.BRANCH:
                    raise
                fetched = await self._fetch_history(mirror, branch, sha)
            await self._check_out(mirror, fetched.sha, folder)
            return fetched

    async def checkout(self, mirror: Path, sha: str, folder: Path) -> None:
        """Write the files of a fetched commit to *folder*, which must be empty or missing.

        Symlinks become files with the path of the target; folders of submodules are empty.

        Raises GitFailure if the mirror lacks the commit, or the commit is too large or has refused paths.
        """
        async with lock(mirror):
            await self._check_out(mirror, sha, folder)

    async def projects(self, mirror: Path, sha: str) -> tuple[str, ...]:
        """Return the folders with a dbt_project.yml in a fetched commit, the top (an empty string) first.

        Raises GitFailure if the mirror lacks the commit, or the commit is too large.
        """
        async with lock(mirror):
            files = await self._files(mirror, sha)
        paths = [PurePosixPath(file.path) for file in files if file.mode.startswith("100")]
        folders = [path.parent for path in paths if path.name == PROJECT_FILE]
        kept = [folder for folder in folders if _NOT_PROJECTS.isdisjoint(folder.parts)]
        kept.sort(key=lambda folder: (len(folder.parts), str(folder)))
        return tuple(str(folder) if folder.parts else "" for folder in kept)

    async def _list_remote(self, *arguments: str) -> list[tuple[str, str]]:
        """Return pairs of a value and a reference; *arguments* are options, then full names."""
        options = [one for one in arguments if one.startswith("--")]
        names = [one for one in arguments if not one.startswith("--")]
        completed = await self.git.run(
            ["ls-remote", *options, "--", self.address.clone_url, *names],
            ProcessLimits(
                seconds=self._limits.poll_seconds,
                output=_LISTING,
                # A hostile server can list references without end.
                printed=_LISTING,
                memory=self._limits.memory,
            ),
        )
        if completed.code:
            raise self.git.failure(completed)
        # git also reads plain folders over HTTP, but cannot fetch from them without the history.
        if not is_repository(completed.errors):
            raise no_repository(self.address, completed.errors)
        pairs = (line.partition("\t") for line in completed.output.splitlines())
        return [(value, name) for value, _, name in pairs if _SHA.fullmatch(value) or value[:5] == "ref: "]

    async def _fetch(self, mirror: Path, sha: str, renew: Callable[[], Awaitable[str]] | None) -> Fetched:
        """Fetch a commit; if the server no longer has it, the one that *renew* returns."""
        for _ in range(2):
            _check_sha(sha)
            if has_commit(mirror, sha):
                return Fetched(sha=sha, received=0)
            # By the commit and not by the branch: the branch may move between two stages.
            received, completed = await self.fetch_into(
                mirror, "--depth=1", f"+{sha}:{reference(sha)}", length=len(sha)
            )
            if completed.code == 0:
                return Fetched(sha=sha, received=received)
            self.refuse_full(mirror)
            if not is_missing_commit(completed) or renew is None:
                break
            sha = await renew()
        raise self.git.failure(completed)

    async def _fetch_history(self, mirror: Path, branch: str, sha: str) -> Fetched:
        """Fetch *branch* with its history, which must contain the commit."""
        name = hashlib.sha256(branch.encode()).hexdigest()[:16]
        refspec = f"+{HEADS}{branch}:refs/histories/{name}"
        received, completed = await self.fetch_into(mirror, f"--depth={_ALL}", refspec, length=len(sha))
        if completed.code:
            self.refuse_full(mirror)
            raise self.git.failure(completed)
        of_mirror = [f"--git-dir={mirror}"]
        # Not only that it exists: the mirror has commits of all branches.
        is_part = ["merge-base", "--is-ancestor", sha, refspec.partition(":")[2]]
        found = await self.git.run_here([*of_mirror, *is_part], may_fail=True)
        if found.code:
            raise GitFailure(
                GitFailureKind.BRANCH,
                f"Commit {sha[:12]} is not in branch {quoted(branch)} of {self.address.url}",
                hint="extract again: the branch was rewritten",
            )
        await self.git.run_here([*of_mirror, "update-ref", reference(sha), sha])
        return Fetched(sha=sha, received=received)

    async def fetch_into(
        self, mirror: Path, option: str, *refspecs: str, length: int = 40
    ) -> tuple[int, Completed]:
        """Fetch *refspecs* into a mirror that is locked; create it for commits of *length* digits.

        Return the received bytes and the outcome. A mirror that may be damaged is replaced.
        """
        is_fresh = not mirror.exists() or is_worn(mirror, self._limits.mirror_size)
        if is_fresh:
            await self.git.create(mirror, length)
        clean_up(mirror)
        before = pack_bytes(mirror)
        completed = await self.git.run(
            [
                f"--git-dir={mirror}", "fetch", "--quiet", option, "--no-tags", "--no-write-fetch-head",
                "--no-auto-maintenance", "--no-recurse-submodules", "--",
                self.address.clone_url, *refspecs,
            ],
            ProcessLimits(
                seconds=self._limits.seconds,
                memory=self._limits.memory,
                file_size=self._limits.mirror_size,
            ),
        )  # fmt: skip
        # A mirror that a killed process damaged would otherwise fail for all its connections, forever.
        if completed.code and not is_fresh and self._may_be_damaged(mirror, completed):
            shutil.rmtree(mirror)
            return await self.fetch_into(mirror, option, *refspecs, length=length)
        return pack_bytes(mirror) - before, completed

    def refuse_full(self, mirror: Path) -> None:
        """Raise GitFailure if a fetch has ended at the limit of its size."""
        # The size of the pack is a surer sign than the messages of git.
        if is_full(mirror, self._limits.mirror_size):
            raise too_large(f"{self.address.url} is larger than the limit of a fetch")

    def _may_be_damaged(self, mirror: Path, completed: Completed) -> bool:
        """Return True if neither the server nor a limit explains a failed fetch."""
        failure = self.git.failure(completed)
        is_unclear = failure.kind is GitFailureKind.NETWORK and failure.can_retry and completed.excess is None
        return is_unclear and not is_broken_off(completed) and not is_full(mirror, self._limits.mirror_size)

    async def _files(self, mirror: Path, sha: str) -> list[_TreeFile]:
        _check_sha(sha)
        if not has_commit(mirror, sha):
            raise GitFailure(
                GitFailureKind.BRANCH, f"Commit {sha} was not fetched", hint="extract again", can_retry=True
            )
        completed = await self.git.run_here(
            [f"--git-dir={mirror}", "ls-tree", "-r", "-l", "-z", "--full-tree", sha],
            output=self._limits.files * _LONGEST_ENTRY,
        )
        lines = completed.output.split("\0")[:-1]
        if len(lines) > self._limits.files:
            raise too_large(f"Commit {sha} has more than {self._limits.files:,} files")
        files = [_tree_file(line) for line in lines]
        # Before the checkout: a small pack can expand to files that fill the disk.
        size = sum(file.size for file in files)
        if size > self._limits.checkout_size:
            raise too_large(f"The files of commit {sha} have {size:,} bytes")
        return files

    async def _check_out(self, mirror: Path, sha: str, folder: Path) -> None:
        await self._files(mirror, sha)
        folder.mkdir(parents=True, exist_ok=True)
        # Outside of the folder, which then has no files but those of the commit.
        index = folder.with_name(f"{folder.name}.index")
        try:
            await self.git.run_here(
                [f"--git-dir={mirror}", f"--work-tree={folder}", "read-tree", "--reset", "-u", sha],
                index=index,
            )
        finally:
            index.unlink(missing_ok=True)
            index.with_name(f"{index.name}.lock").unlink(missing_ok=True)


def _tree_file(line: str) -> _TreeFile:
    """Return the file of a line such as `100644 blob SHA    12<tab>path`."""
    details, _, path = line.partition("\t")
    mode, _, _, size = details.split()
    # The size of a submodule is `-`.
    return _TreeFile(mode, int(size) if size.isdecimal() else 0, path)


def check_reference(name: str) -> None:
    """Raise GitFailure unless *name* is a full name of a reference."""
    rest = name.removeprefix("refs/")
    if len(name) > 300 or rest == name or not name.isprintable() or _NO_BRANCH_NAME.search(rest):
        raise GitFailure(
            GitFailureKind.BRANCH,
            f"Invalid name of a reference: {quoted(name[:255])}",
            hint="use a full name such as refs/pull/7/head",
        )


def check_branch(name: str) -> None:
    """Raise GitFailure unless *name* can be the name of a branch."""
    if len(name) > 255 or not name.isprintable() or _NO_BRANCH_NAME.search(name):
        raise GitFailure(
            GitFailureKind.BRANCH,
            f"Invalid name of a branch: {quoted(name[:255])}",
            hint="use the name that `git branch` prints, such as main",
        )


def _check_sha(sha: str) -> None:
    if not _SHA.fullmatch(sha):
        raise GitFailure(
            GitFailureKind.BRANCH, f"Invalid commit: {quoted(sha[:80])}", hint="use a full SHA in lower case"
        )
