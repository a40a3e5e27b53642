"""A client reads heads, fetches commits and checks them out from a real git server."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from recce_meta.repositories.forges.registry import parse_address
from recce_meta.repositories.git import mirrors
from recce_meta.repositories.git.client import GitClient
from recce_meta.repositories.git.environment import find_git
from recce_meta.repositories.git.failures import GitFailure, GitFailureKind
from recce_meta.repositories.git.mirrors import MOST_PACKS, has_commit, lock, remove_old_mirrors
from tests.support.git_server import OTHER_HOST, Answer, GitServer

if TYPE_CHECKING:
    from tests.contract.repositories.conftest import NewRepository, Repository


def test_heads_are_read_by_their_full_names(repository: Repository) -> None:
    other = repository.commit({"b": "1"}, "x/main", base="main")
    repository.server.write_ref(repository.name, "refs/x/refs/heads/main", other)
    repository.server.write_ref(repository.name, "refs/tags/refs/heads/gone", other)
    client = repository.client()
    assert asyncio.run(client.heads(["main", "x/main", "gone"])) == {"main": repository.sha, "x/main": other}
    assert asyncio.run(client.heads([])) == {}


@pytest.mark.extensive
def test_unusual_names_of_branches_are_only_names(repository: Repository) -> None:
    names = ["$(touch${IFS}x);'\"&|<>!#", "ünï/çødé", "a-b/--upload-pack=x", "refs/heads/main", "x@y"]
    heads = {name: repository.commit({"b": name}, name, base="main") for name in names}
    client = repository.client()
    assert asyncio.run(client.heads(names)) == heads
    for name, sha in heads.items():
        assert asyncio.run(client.fetch(repository.mirror, name, sha)).sha == sha


@pytest.mark.parametrize(
    "name",
    [
        *"-x --upload-pack=touch a..b a* a? a[b a:b a~1 a^ a\\b a.lock a.lock/b .a a/.b".split(),
        *["a//b", "/a", "a/", "a@{1}", "@", "", "a b", "a\nb", "a\x7f", "x" * 256],
    ],
)
def test_a_name_that_no_branch_can_have_is_refused(repository: Repository, name: str) -> None:
    before = len(repository.server.requests)
    with pytest.raises(GitFailure, match="Invalid name of a branch") as failed:
        asyncio.run(repository.client().head(name))
    assert failed.value.kind is GitFailureKind.BRANCH
    assert len(repository.server.requests) == before


def test_a_missing_branch_is_reported_with_similar_names(repository: Repository) -> None:
    repository.commit({"b": "1"}, "develop", base="main")
    with pytest.raises(GitFailure, match="Branch 'mian' not found") as failed:
        asyncio.run(repository.client().head("mian"))
    assert failed.value.hint == "did you mean 'main'?"
    with pytest.raises(GitFailure) as failed:
        asyncio.run(repository.client().head("release"))
    assert failed.value.hint == "branches: develop, main"
    assert (failed.value.kind, failed.value.can_retry) == (GitFailureKind.BRANCH, False)


def test_the_default_branch_is_the_one_of_the_repository(git_server: GitServer, tmp_path: Path) -> None:
    from tests.contract.repositories.conftest import Repository

    name = git_server.unused_name()
    sha = git_server.create_repository(name, branch="release/2")
    git_server.commit(name, "main", {"a": "1"}, base=sha)
    repository = Repository(git_server, name, sha, tmp_path)
    assert asyncio.run(repository.client().default_branch()) == "release/2"
    git_server.delete_branch(name, "release/2")
    git_server.delete_branch(name, "main")
    with pytest.raises(GitFailure, match="no default branch") as failed:
        asyncio.run(repository.client().default_branch())
    assert "empty" in (failed.value.hint or "")


def test_a_commit_is_fetched_once_and_without_its_history(repository: Repository) -> None:
    old = repository.sha
    new = repository.commit({"models/b.sql": "select 2 as id\n"})
    client = repository.client()
    fetched = asyncio.run(client.fetch(repository.mirror, "main", new))
    assert fetched.sha == new and fetched.received > 0
    requests = repository.server.count(repository.name)
    assert asyncio.run(client.fetch(repository.mirror, "main", new)).received == 0
    assert repository.server.count(repository.name) == requests
    listed = git_in(repository.mirror, "rev-list", "--all").split()
    assert listed == [new] and old not in listed
    assert client.git.cpu_seconds > 0 and client.git.peak_memory > 2**20


def test_two_connections_share_a_mirror_and_fetch_once(repository: Repository) -> None:
    async def fetch_twice() -> list[int]:
        clients = [repository.client(), repository.client()]
        fetches = [client.fetch(repository.mirror, "main", repository.sha) for client in clients]
        return sorted([fetched.received for fetched in await asyncio.gather(*fetches)])

    first, second = asyncio.run(fetch_twice())
    assert first == 0 < second


def test_a_mirror_of_another_process_is_waited_for(repository: Repository) -> None:
    code = (
        "import fcntl, sys; lock = open(sys.argv[1], 'a'); fcntl.flock(lock, fcntl.LOCK_EX);"
        "print('locked', flush=True); sys.stdin.read()"
    )
    repository.mirror.parent.mkdir()
    lock_file = repository.mirror.with_suffix(".lock")

    async def fetch_while_locked() -> str:
        with subprocess.Popen(
            [sys.executable, "-c", code, lock_file], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as holder:
            assert holder.stdout is not None and holder.stdin is not None
            holder.stdout.readline()
            task = asyncio.create_task(repository.client().fetch(repository.mirror, "main", repository.sha))
            await asyncio.sleep(0.3)
            assert not task.done() and not repository.mirror.exists()
            holder.stdin.close()
            return (await task).sha

    assert asyncio.run(fetch_while_locked()) == repository.sha


def test_a_later_commit_is_fetched_as_a_difference(new_repository: NewRepository) -> None:
    repository = new_repository({"large.bin": os.urandom(300_000), "a.sql": "select 1"})
    first = asyncio.run(repository.client().fetch(repository.mirror, "main", repository.sha))
    second = asyncio.run(
        repository.client().fetch(repository.mirror, "main", repository.commit({"a.sql": "select 2"}))
    )
    assert first.received > 300_000
    assert 0 < second.received < 10_000


def test_the_head_is_fetched_if_the_commit_is_gone(repository: Repository) -> None:
    fetched = asyncio.run(repository.client().fetch(repository.mirror, "main", "ab" * 20))
    assert fetched.sha == repository.sha
    with pytest.raises(GitFailure, match="Branch 'gone' not found"):
        asyncio.run(repository.client().fetch(repository.mirror, "gone", "ab" * 20))


def test_a_checkout_has_the_files_and_nothing_of_git(new_repository: NewRepository) -> None:
    repository = new_repository(
        {
            "dbt_project.yml": "name: shop\n",
            "models/ü b.sql": "select 1",
            "run.sh": ("100755", "exit 1"),
            "link": ("120000", "/etc/passwd"),
            "seeds/large.csv": "version https://git-lfs.github.com/spec/v1\n",
            ".gitattributes": "*.csv filter=lfs diff=lfs merge=lfs -text\n*.sql filter=evil\n",
            ".gitmodules": '[submodule "sub"]\n\tpath = sub\n\turl = https://127.0.0.1:1/x\n',
            "sub": ("160000", "ab" * 20),
        }
    )
    folder = repository.folder / "checkout"
    client = repository.client()
    fetched = asyncio.run(client.clone(repository.mirror, "main", repository.sha, folder))
    assert fetched.received > 0
    assert sorted(path.name for path in folder.iterdir()) == [
        ".gitattributes", ".gitmodules", "dbt_project.yml", "link", "models", "run.sh", "seeds", "sub",
    ]  # fmt: skip
    assert not (folder / "link").is_symlink() and (folder / "link").read_text() == "/etc/passwd"
    assert (folder / "models/ü b.sql").read_text() == "select 1"
    assert (folder / "seeds/large.csv").read_text().startswith("version https://git-lfs")
    assert list((folder / "sub").iterdir()) == []
    assert sorted(path.name for path in repository.folder.iterdir()) == ["checkout", "mirrors"]


def test_projects_are_found_without_a_checkout(new_repository: NewRepository) -> None:
    repository = new_repository(
        {
            "warehouse/dbt/dbt_project.yml": "name: a\n",
            "dbt_project.yml": "name: b\n",
            "b/dbt_project.yml": "name: c\n",
            "dbt_packages/utils/dbt_project.yml": "name: utils\n",
            "link/dbt_project.yml": ("120000", "../dbt_project.yml"),
            "old_dbt_project.yml": "",
        }
    )
    client = repository.client()
    asyncio.run(client.fetch(repository.mirror, "main", repository.sha))
    found = asyncio.run(client.projects(repository.mirror, repository.sha))
    assert found == ("", "b", "warehouse/dbt")


def test_a_commit_that_was_not_fetched_is_reported(repository: Repository) -> None:
    asyncio.run(repository.client().fetch(repository.mirror, "main", repository.sha))
    for wanted in ("ab" * 20, "main", "--all"):
        with pytest.raises(GitFailure):
            asyncio.run(repository.client().checkout(repository.mirror, wanted, repository.folder / "x"))


def test_a_repository_with_sha_256_is_fetched(repository: Repository) -> None:
    server, name = repository.server, f"{repository.name}-256"
    git_in(server.folder, "init", "-q", "--bare", "--object-format=sha256", "--initial-branch=main", name)
    sha = server.commit(name, "main", {"dbt_project.yml": "name: x\n"})
    client = type(repository)(server, name, sha, repository.folder)
    assert len(sha) == 64
    fetched = asyncio.run(
        client.client().clone(
            client.mirror, "main", asyncio.run(client.client().head("main")), client.folder / "c"
        )
    )
    assert fetched.sha == sha and (client.folder / "c/dbt_project.yml").is_file()


@pytest.mark.cases(2)
@pytest.mark.parametrize("damage", ["HEAD", "config", "objects/pack", "shallow"])
def test_a_damaged_mirror_is_replaced(repository: Repository, damage: str) -> None:
    asyncio.run(repository.client().fetch(repository.mirror, "main", repository.sha))
    paths = list((repository.mirror / damage).iterdir()) if "pack" in damage else [repository.mirror / damage]
    for path in paths:
        path.chmod(0o600)
        path.write_bytes(b"damaged")
    new = repository.commit({"b": "2"})
    assert asyncio.run(repository.client().fetch(repository.mirror, "main", new)).sha == new
    asyncio.run(repository.client().checkout(repository.mirror, new, repository.folder / "checkout"))


def test_what_a_killed_process_has_left_is_removed(repository: Repository) -> None:
    asyncio.run(repository.client().fetch(repository.mirror, "main", repository.sha))
    new = repository.commit({"b": "2"})
    left = ["shallow.lock", "objects/pack/tmp_pack_x", f"refs/fetched/{new}.lock", "HEAD.lock"]
    for name in left:
        (repository.mirror / name).write_bytes(b"x" * 100)
    marker = repository.mirror / "same mirror"
    marker.touch()
    assert asyncio.run(repository.client().fetch(repository.mirror, "main", new)).sha == new
    assert not any((repository.mirror / name).exists() for name in left) and marker.exists()


def test_a_killed_worker_leaves_a_usable_mirror_and_no_process(repository: Repository) -> None:
    code = (
        "import asyncio, os, sys; from pathlib import Path;"
        "from recce_meta.repositories.forges.registry import parse_address;"
        "from recce_meta.repositories.git.address import AddressRules;"
        "from recce_meta.repositories.git.client import GitClient;"
        "address = parse_address(sys.argv[1], AddressRules.read(os.environ));"
        "asyncio.run(GitClient(address).fetch(Path(sys.argv[2]), 'main', sys.argv[3]))"
    )
    asyncio.run(repository.client().fetch(repository.mirror, "main", repository.sha))
    new = repository.commit({"b": "1"})
    before = repository.server.count(repository.name)
    repository.server.answer(repository.name, Answer(200, {}, b"0", is_endless=True, pause=0.05))
    with subprocess.Popen(
        [sys.executable, "-c", code, repository.server.url(repository.name), repository.mirror, new],
        env=os.environ | repository.environ,
    ) as worker:
        while repository.server.count(repository.name) == before:
            time.sleep(0.02)
        worker.kill()
    repository.server.answer(repository.name, None)
    assert asyncio.run(repository.client().fetch(repository.mirror, "main", new)).sha == new
    while any(new.encode() in line for line in command_lines()):
        time.sleep(0.02)


def test_a_mirror_with_many_packs_is_begun_anew(repository: Repository) -> None:
    asyncio.run(repository.client().fetch(repository.mirror, "main", repository.sha))
    for number in range(MOST_PACKS):
        (repository.mirror / f"objects/pack/pack-{number}.pack").touch()
    new = repository.commit({"b": "2"})
    asyncio.run(repository.client().fetch(repository.mirror, "main", new))
    assert has_commit(repository.mirror, new) and not has_commit(repository.mirror, repository.sha)


def test_mirrors_are_removed_by_last_use_unless_they_are_in_use(tmp_path: Path) -> None:
    mirrors = [tmp_path / f"{name}.git" for name in "abcd"]
    for age, mirror in enumerate(mirrors):
        (mirror / "objects/pack").mkdir(parents=True)
        (mirror / "objects/pack/pack-1.pack").write_bytes(b"x" * 100)
        mirror.with_suffix(".lock").touch()
        os.utime(mirror.with_suffix(".lock"), (age * 1000, age * 1000))

    async def remove() -> list[Path]:
        async with lock(mirrors[1]):
            os.utime(mirrors[1].with_suffix(".lock"), (1000, 1000))
            return remove_old_mirrors(tmp_path, 200)

    assert asyncio.run(remove()) == [mirrors[0], mirrors[2]]
    assert [mirror.exists() for mirror in mirrors] == [False, True, False, True]
    assert remove_old_mirrors(tmp_path, 0, unused_seconds=1e12) == []


def test_a_mirror_that_another_process_has_removed_is_passed_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, left = tmp_path / "a.git", tmp_path / "b.git"
    for mirror in (gone, left):
        mirror.mkdir()
        mirror.with_suffix(".lock").touch()
        os.utime(mirror.with_suffix(".lock"), (0, 0))
        (mirror / "objects/pack").mkdir(parents=True)
        (mirror / "objects/pack/pack-1.pack").write_bytes(b"x" * 100)

    def lock_after_removal(_: int) -> bool:
        shutil.rmtree(gone, ignore_errors=True)
        return True

    monkeypatch.setattr(mirrors, "_try_lock", lock_after_removal)
    assert remove_old_mirrors(tmp_path, 100) == []
    assert left.is_dir()


def test_caches_count_with_mirrors_and_those_of_removed_connections_go(tmp_path: Path) -> None:
    mirror = tmp_path / "mirrors" / "shop.git"
    caches = {name: tmp_path / "packages" / name for name in ("first", "gone", "second", "used")}
    for folder in (mirror / "objects" / "pack", *caches.values()):
        folder.mkdir(parents=True)
        (folder / "data.pack").write_bytes(b"x" * 10_000)
    mirror.with_suffix(".lock").touch()
    by_use = [caches["first"], mirror.with_suffix(".lock"), caches["gone"], caches["second"]]
    for used_at, path in enumerate(by_use):
        os.utime(path, (used_at, used_at))
    needed = ["first", "second", "used"]

    removed = remove_old_mirrors(mirror.parent, 50_000, caches=caches.values(), needed=needed)
    assert removed == [caches["gone"]]
    removed = remove_old_mirrors(mirror.parent, 25_000, caches=caches.values(), needed=needed)
    assert removed == [caches["first"], mirror]
    assert caches["second"].is_dir() and caches["used"].is_dir()


def test_git_connects_to_the_checked_address(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """No name server knows the host: git can only have used the address that was checked."""

    def check(host: str, port: int, **_: object) -> list[object]:
        assert host == OTHER_HOST
        return [(2, 1, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr("socket.getaddrinfo", lambda host, port, *_, **__: check(host, port))
    monkeypatch.setattr("recce_meta.repositories.git.address.is_public", lambda address: True)
    address = parse_address(f"https://{OTHER_HOST}:{repository.server.port}/{repository.name}")
    environ = {"GIT_SSL_CAINFO": str(repository.server.ca_file), "PATH": os.environ["PATH"]}
    assert asyncio.run(GitClient(address, environ=environ).head("main")) == repository.sha
    assert repository.server.requests[-1].host == f"{OTHER_HOST}:{repository.server.port}"


def test_plain_http_works_on_an_allowed_host(tmp_path: Path, git_backend: None) -> None:
    from tests.contract.repositories.conftest import Repository

    server = GitServer(tmp_path / "server", is_plain=True)
    sha = server.create_repository("shop")
    server.require("shop", "right")
    assert asyncio.run(Repository(server, "shop", sha, tmp_path).client("right").head("main")) == sha
    server.close()


def test_a_missing_or_old_git_is_reported(tmp_path: Path) -> None:
    with pytest.raises(GitFailure, match="not installed") as failed:
        find_git({"PATH": str(tmp_path)})
    assert failed.value.kind is GitFailureKind.MISSING
    program = tmp_path / "git"
    program.write_text("#!/bin/sh\necho git version 2.30.1\n")
    program.chmod(0o755)
    with pytest.raises(GitFailure, match=r"git 2\.30\.1 is too old"):
        find_git({"PATH": str(tmp_path)})


def command_lines() -> Iterator[bytes]:
    """Yield the command lines of all processes of this machine."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            yield path.read_bytes()


def git_in(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout
