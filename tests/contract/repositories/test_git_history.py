"""Heads and merge bases of pull requests, from a real git server."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from recce_meta.repositories.git.failures import GitFailure, GitFailureKind
from recce_meta.repositories.git.history import CommonCommit, Head, history_path, merge_base
from recce_meta.repositories.git.mirrors import mirror_path, pack_bytes, remove_old_mirrors
from tests.contract.repositories.conftest import NewRepository, Repository
from tests.support.git_server import File, large_files

pytestmark = pytest.mark.extensive

HEAD = "refs/pull/7/head"
TOKEN = "canary-b1946ac92492"


def change(number: int) -> Mapping[str, File]:
    """Return files of a commit."""
    return {"models/a.sql": f"select {number} as id"}


def propose(repository: Repository, sha: str, number: int = 7) -> None:
    """Let the pull request have a head."""
    repository.server.write_ref(repository.name, f"refs/pull/{number}/head", sha)


def history(repository: Repository) -> Path:
    """Return the path of the history of the repository."""
    return history_path(repository.folder / "mirrors", repository.address)


def base_of(repository: Repository, branch: str = "main", head: Head | None = None) -> CommonCommit:
    """Return the merge base of the branch and the head of pull request 7."""
    client = repository.client()
    return asyncio.run(
        merge_base(client, history(repository), branch, head or Head(client=client, reference=HEAD))
    )


@pytest.fixture(params=["filters", "no filters", "old"])
def kind(request: pytest.FixtureRequest) -> str:
    """Return the kind of the server."""
    return str(request.param)


def test_a_merge_base_through_pushes_and_rebases(new_repository: NewRepository, kind: str) -> None:
    """A push keeps it, a rebase changes it, and no files are fetched if the server filters."""
    repository = new_repository({**change(0), **large_files(2, 500_000)})
    if kind == "filters":
        repository.server.allow_filters(repository.name)
    if kind == "old":
        repository.server.old.add(repository.name)
    head = repository.commit(change(1), "feature/x/y", base="main")
    propose(repository, head)

    assert (found := base_of(repository)) == CommonCommit(
        sha=repository.sha, base_tip=repository.sha, head_sha=head, received=found.received
    )
    assert (pack_bytes(history(repository)) < 100_000) is (kind == "filters")
    # A moved base does not change it.
    tip = repository.commit({"b.sql": "select 2"})
    assert (base_of(repository).sha, base_of(repository).base_tip) == (repository.sha, tip)
    # Rebased, which is a force push.
    rebased = repository.commit(change(1), "rebased", base="main")
    propose(repository, rebased)
    assert (base_of(repository).sha, base_of(repository).head_sha) == (tip, rebased)
    # A name that was a folder before.
    repository.server.delete_branch(repository.name, "feature/x/y")
    release = repository.commit({"c.sql": "select 3"}, "feature/x", base=repository.sha)
    propose(repository, repository.commit(change(4), "late", base=release))
    assert base_of(repository, "feature/x").sha == release
    assert base_of(repository).sha == repository.sha


def test_a_fork_is_read_without_the_token(repository: Repository, new_repository: NewRepository) -> None:
    fork = new_repository(change(0))
    server = repository.server
    # Another repository with the same history.
    (server.folder / fork.name / "objects/info/alternates").write_text(
        f"{server.folder / repository.name / 'objects'}\n"
    )
    server.write_ref(fork.name, "refs/heads/main", repository.sha)
    head = fork.commit(change(9), "fix/a", base="main")
    server.require(repository.name, TOKEN)
    client = repository.client(TOKEN)
    of_fork = Head(client=fork.client(), reference="refs/heads/fix/a")

    found = asyncio.run(merge_base(client, history(repository), "main", of_fork))

    assert (found.sha, found.head_sha) == (repository.sha, head)
    seen = [request.authorization for request in server.requests if request.repository == fork.name]
    assert seen and set(seen) == {None}
    files = [path for path in (repository.folder / "mirrors").rglob("*") if path.is_file()]
    assert not any(TOKEN.encode() in path.read_bytes() for path in files)


def test_unrelated_histories(repository: Repository) -> None:
    propose(repository, repository.commit(change(5), "orphan"))

    with pytest.raises(GitFailure, match="have no common commit") as raised:
        base_of(repository)
    assert (raised.value.kind, raised.value.can_retry) == (GitFailureKind.BRANCH, False)


@pytest.mark.parametrize(("branch", "named"), [("main", HEAD), ("gone", "refs/heads/gone")])
def test_a_missing_head_or_branch_is_named(repository: Repository, branch: str, named: str) -> None:
    if branch == "gone":
        propose(repository, repository.sha)
    base = ["main", branch]
    for _ in range(2):
        with pytest.raises(GitFailure, match=named) as raised:
            base_of(repository, base[-1])
        assert (raised.value.kind, raised.value.can_retry) == (GitFailureKind.BRANCH, True)
        # Once more with a history that exists.
        propose(repository, repository.sha)
        base_of(repository)
        (repository.server.folder / repository.name / HEAD).unlink()


@pytest.mark.parametrize("name", ["a..b", "a b", "", "x/", "@{1}"])
def test_names_are_checked(repository: Repository, name: str) -> None:
    with pytest.raises(GitFailure, match="Invalid name"):
        base_of(repository, name)
    with pytest.raises(GitFailure, match="Invalid name"):
        base_of(repository, head=Head(client=repository.client(), reference=f"refs/heads/{name}"))
    with pytest.raises(GitFailure, match="Invalid name"):
        base_of(repository, head=Head(client=repository.client(), reference=name))


def test_a_head_is_looked_up_by_its_full_name(repository: Repository) -> None:
    repository.server.write_ref(repository.name, f"refs/heads/{HEAD}", repository.sha)
    client = repository.client()
    with pytest.raises(GitFailure, match="not found"):
        asyncio.run(client.commit_of(HEAD))
    propose(repository, head := repository.commit(change(2), "feature", base="main"))

    assert asyncio.run(client.commit_of(HEAD)) == head


def test_a_commit_that_was_pushed_away_is_replaced_by_the_head(repository: Repository) -> None:
    propose(repository, head := repository.commit(change(3), "feature", base="main"))

    fetched = asyncio.run(
        repository.client().clone_reference(
            repository.mirror, HEAD, "0" * 39 + "1", repository.folder / "out"
        )
    )

    assert fetched.sha == head
    assert (repository.folder / "out/models/a.sql").read_text().strip() == "select 3 as id"


@pytest.mark.parametrize("is_old", [False, True])
def test_a_merge_base_is_checked_out_though_no_branch_has_it_as_its_head(
    repository: Repository, is_old: bool
) -> None:
    """Servers before 2018 only give heads; then the history is fetched, also into a shallow mirror."""
    if is_old:
        repository.server.old.add(repository.name)
    middle = repository.commit(change(1))
    tip = repository.commit(change(2))
    other = repository.commit(change(3), "other", base=repository.sha)
    client = repository.client()
    asyncio.run(client.clone(repository.mirror, "main", tip, repository.folder / "tip"))

    for number, sha in ((1, middle), (0, repository.sha)):
        out = repository.folder / f"out-{number}"
        fetched = asyncio.run(client.clone_ancestor(repository.mirror, "main", sha, out))
        assert fetched.sha == sha
    assert (repository.folder / "out-1/models/a.sql").read_text().strip() == "select 1 as id"
    if is_old:
        asyncio.run(client.clone(repository.mirror, "other", other, repository.folder / "other"))
        missing = "0" * 39 + "1"
        with pytest.raises(GitFailure, match="is not in branch 'main'"):
            asyncio.run(client.clone_ancestor(repository.mirror, "main", missing, repository.folder / "x"))


def test_histories_are_removed_with_the_mirrors(repository: Repository) -> None:
    propose(repository, repository.sha)
    base_of(repository)
    folder = repository.folder / "mirrors"

    assert remove_old_mirrors(folder, 0, unused_seconds=-10) == [history(repository)]
    assert history(repository) != mirror_path(folder, repository.address)
    base_of(repository)
