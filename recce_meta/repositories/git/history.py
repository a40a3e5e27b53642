"""Merge base of a branch and a head, from a mirror of its own that only has commits.

`--filter=tree:0` fetches no folders and no files, so a history of 100,000 commits has some 30 MB. A server
without filters sends all objects; the limits of a mirror then apply.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from msgspec import Struct

from recce_meta.errors import quoted
from recce_meta.repositories.git.address import RepositoryAddress
from recce_meta.repositories.git.client import HEADS, GitClient, check_branch, check_reference
from recce_meta.repositories.git.failures import GitFailure, GitFailureKind
from recce_meta.repositories.git.mirrors import lock, mirror_path
from recce_meta.repositories.git.outcome import is_missing_commit

_FILTER = "--filter=tree:0"


class Head(Struct, frozen=True, kw_only=True):
    """Head of a pull request: a full reference, and the client of the repository that has it."""

    client: GitClient
    reference: str


class CommonCommit(Struct, frozen=True, kw_only=True):
    """Last commit that a branch and a head have in common."""

    sha: str
    base_tip: str
    """Commit of the branch."""
    head_sha: str
    received: int
    """Bytes of the packs that the servers have sent."""


def history_path(folder: Path, address: RepositoryAddress) -> Path:
    """Return the path of the history of a repository in the *folder* of mirrors."""
    return mirror_path(folder, address).with_suffix(".history.git")


async def merge_base(client: GitClient, history: Path, branch: str, head: Head) -> CommonCommit:
    """Return the merge base of *branch* of the repository of *client* and of *head*.

    *history* is the path of `history_path`. The repository of *head* may be a fork, with a client without a
    token.

    Raises GitFailure if the branch or the head does not exist, they have no common commit, or a repository
    cannot be read.
    """
    check_branch(branch)
    check_reference(head.reference)
    async with lock(history):
        # The length of its commits decides the format of a new mirror.
        length = 40 if history.exists() else len(await client.commit_of(f"{HEADS}{branch}"))
        wanted = [(client, f"{HEADS}{branch}"), (head.client, head.reference)]
        stored = [_stored(one, reference) for one, reference in wanted]
        groups = [wanted] if head.client is client else [[one] for one in wanted]
        received = 0
        for _ in range(2):
            for group in groups:
                received += await _fetch(history, group, length)
            # The fetch of one repository may have begun the history anew.
            if all((history / one).is_file() for one in stored):
                break
        return await _merge_base(client, history, branch, stored, received)


def _stored(client: GitClient, reference: str) -> str:
    """Return the name of a reference in the history.

    Its own name does not serve: `a` and `a/b` cannot exist at the same time, but after each other.
    """
    digest = hashlib.sha256(f"{client.address.url} {reference}".encode()).hexdigest()
    return f"refs/histories/{digest[:32]}"


async def _fetch(history: Path, wanted: list[tuple[GitClient, str]], length: int) -> int:
    """Fetch references of one repository, and return the received bytes."""
    client = wanted[0][0]
    refspecs = [f"+{reference}:{_stored(client, reference)}" for _, reference in wanted]
    received, completed = await client.fetch_into(history, _FILTER, *refspecs, length=length)
    if completed.code == 0:
        return received
    client.refuse_full(history)
    if is_missing_commit(completed):
        for _, reference in wanted:
            # Asked for one by one, because the message of git does not always name the missing one.
            await client.commit_of(reference)
    raise client.git.failure(completed)


async def _merge_base(
    client: GitClient, history: Path, branch: str, stored: list[str], received: int
) -> CommonCommit:
    of_history = f"--git-dir={history}"
    tips = []
    for one in stored:
        parse = [of_history, "rev-parse", "--verify", "--end-of-options", f"{one}^{{commit}}"]
        tips.append((await client.git.run_here(parse)).output.strip())
    base_tip, head_sha = tips
    found = await client.git.run_here([of_history, "merge-base", base_tip, head_sha], may_fail=True)
    if found.code == 1 and not found.output.strip():
        raise GitFailure(
            GitFailureKind.BRANCH,
            f"Branch {quoted(branch)} and commit {head_sha[:12]} have no common commit",
            hint="rebase the pull request onto its base branch",
        )
    if found.code:
        raise client.git.local_failure(found)
    return CommonCommit(sha=found.output.split()[0], base_tip=base_tip, head_sha=head_sha, received=received)
