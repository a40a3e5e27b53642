"""Failures and attacks of a git server have a cause, a next step, and an end."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import time
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from email.utils import formatdate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from recce_meta.repositories.forges.registry import parse_address
from recce_meta.repositories.git.address import AddressRules
from recce_meta.repositories.git.client import GitClient
from recce_meta.repositories.git.environment import package_config
from recce_meta.repositories.git.failures import GitFailure, GitFailureKind
from tests.support.git_server import Answer, large_files

if TYPE_CHECKING:
    from tests.contract.repositories.conftest import NewRepository, Repository

CANARY = "canary-9f3a2b71c4"
SMART = {"Content-Type": "application/x-git-upload-pack-advertisement"}
PKT = b"001e# service=git-upload-pack\n0000"


def failure_of(call: Coroutine[Any, Any, object]) -> GitFailure:
    with pytest.raises(GitFailure) as failed:
        asyncio.run(call)
    assert failed.value.hint
    return failed.value


def test_a_token_is_asked_for_refused_or_accepted(repository: Repository) -> None:
    repository.server.require(repository.name, CANARY, "user:word")
    failure = failure_of(repository.client().head("main"))
    assert (failure.kind, failure.can_retry) == (GitFailureKind.TOKEN, False)
    assert "is private" in failure.message and "--ask-token" in (failure.hint or "")
    failure = failure_of(repository.client("wrong").head("main"))
    assert failure.kind is GitFailureKind.TOKEN and "refuses the token" in failure.message
    assert asyncio.run(repository.client(CANARY).head("main")) == repository.sha
    assert asyncio.run(repository.client(f"somebody:{CANARY}").head("main")) == repository.sha


def test_a_missing_repository_is_reported(repository: Repository) -> None:
    address = repository.address
    repository.server.rename(repository.name, f"{repository.name}-new")
    failure = failure_of(repository.client().head("main"))
    assert (failure.kind, failure.can_retry) == (GitFailureKind.ADDRESS, False)
    assert failure.message == f"Repository not found: {address.url}"
    assert "token may read it" in (failure_of(repository.client("t").head("main")).hint or "")


@pytest.mark.cases(3)
@pytest.mark.parametrize(
    ("status", "headers", "kind", "can_retry", "wait"),
    [
        (429, {"Retry-After": "7"}, GitFailureKind.RATE_LIMIT, True, 7),
        (429, {}, GitFailureKind.RATE_LIMIT, True, None),
        (429, {"Retry-After": "soon"}, GitFailureKind.RATE_LIMIT, True, None),
        (429, {"Retry-After": "99999999"}, GitFailureKind.RATE_LIMIT, True, 86400),
        (403, {"retry-after": "3"}, GitFailureKind.RATE_LIMIT, True, 3),
        (403, {}, GitFailureKind.TOKEN, False, None),
        (404, {}, GitFailureKind.ADDRESS, False, None),
        (503, {"Retry-After": "9"}, GitFailureKind.NETWORK, True, 9),
        (500, {}, GitFailureKind.NETWORK, True, None),
        (418, {}, GitFailureKind.NETWORK, False, None),
    ],
)
def test_a_status_has_a_cause(
    repository: Repository,
    status: int,
    headers: dict[str, str],
    kind: GitFailureKind,
    can_retry: bool,
    wait: float | None,
) -> None:
    repository.server.answer(repository.name, Answer(status, headers, b"remote says\x1b[31m no", times=1))
    failure = failure_of(repository.client("token").head("main"))
    assert (failure.kind, failure.can_retry, failure.retry_after) == (kind, can_retry, wait)
    assert "\x1b" not in str(failure)
    assert asyncio.run(repository.client("token").head("main")) == repository.sha


def test_dates_of_rate_limits_are_read(repository: Repository) -> None:
    reset = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 500)}
    for headers in ({"Retry-After": formatdate(time.time() + 500, usegmt=True)}, reset):
        repository.server.answer(repository.name, Answer(403, headers))
        failure = failure_of(repository.client().head("main"))
        assert failure.kind is GitFailureKind.RATE_LIMIT
        assert failure.retry_after is not None and 300 < failure.retry_after <= 500


@pytest.mark.parametrize("target", ["private", "same"])
def test_a_redirect_is_reported_and_not_followed(
    repository: Repository, new_repository: NewRepository, target: str
) -> None:
    other = new_repository({"a": "1"})
    host = f"localhost:{other.server.port}" if target == "private" else other.server.host
    location = f"https://{host}/{other.name}/info/refs?service=git-upload-pack"
    repository.server.answer(repository.name, Answer(302, {"Location": location}))
    failure = failure_of(repository.client(CANARY).head("main"))
    assert failure.kind is GitFailureKind.ADDRESS
    assert failure.message.endswith(f"redirects to https://{host}/{other.name}")
    assert other.server.count(other.name) == 0


def test_git_of_dbt_deps_gives_the_token_to_one_server_and_follows_no_redirect(
    repository: Repository, new_repository: NewRepository
) -> None:
    other = new_repository({"a.sql": "select 1"})
    server = repository.server
    server.require(repository.name, CANARY)
    config = repository.folder / "git"
    config.write_text(package_config(repository.address, CANARY, {}))
    environ = {**repository.environ, "GIT_CONFIG_GLOBAL": str(config), "GIT_TERMINAL_PROMPT": "0"}

    def heads(host: str) -> subprocess.CompletedProcess[str]:
        address = f"https://{host}:{server.port}/{repository.name}"
        command = ["git", "ls-remote", "--heads", address]
        return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)

    assert repository.sha in heads("127.0.0.1").stdout
    assert "could not read Username" in heads("localhost").stderr
    server.answer(repository.name, Answer(301, {"Location": server.url(other.name)}))
    assert "error: 301" in heads("127.0.0.1").stderr
    assert server.count(other.name) == 0


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(200, {"Content-Type": "text/html"}, b"<html>a page</html>"), "is not a git repository"),
        (
            Answer(200, {"Content-Type": "text/plain"}, b"ab" * 20 + b"\trefs/heads/main\n"),
            "is served by git's dumb HTTP protocol, which is not supported",
        ),
        (Answer(200, {}, b""), "is not a git repository"),
    ],
    ids=["page", "dumb protocol", "empty"],
)
def test_a_page_or_a_folder_of_files_is_not_a_repository(
    repository: Repository, answer: Answer, said: str
) -> None:
    repository.server.answer(repository.name, answer)
    failure = failure_of(repository.client().head("main"))
    assert failure.kind is GitFailureKind.ADDRESS and said in failure.message


@pytest.mark.cases(3)
@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, SMART, PKT + b"0001garbage"),
        Answer(200, SMART, PKT),
        Answer(200, SMART, PKT + b"000eversion 2\n0000", method="GET"),
        Answer(200, {"Content-Type": "application/x-git-upload-pack-result"}, b"0009ERR x", method="POST"),
        Answer(200, {"Content-Type": "application/x-git-upload-pack-result"}, b"zzzz", method="POST"),
    ],
)
def test_malformed_answers_end_with_a_failure(repository: Repository, answer: Answer) -> None:
    repository.server.answer(repository.name, answer)
    assert failure_of(repository.client().fetch(repository.mirror, "main", repository.sha))


def test_an_unreachable_server_is_retried(repository: Repository) -> None:
    address = parse_address("https://127.0.0.1:1/r", AddressRules(frozenset(["127.0.0.1"])))
    failure = failure_of(GitClient(address, environ=repository.environ).head("main"))
    assert (failure.kind, failure.can_retry) == (GitFailureKind.NETWORK, True)


def test_an_unknown_certificate_is_not_accepted(repository: Repository) -> None:
    environ = {name: value for name, value in repository.environ.items() if name != "GIT_SSL_CAINFO"}
    failure = failure_of(GitClient(repository.address, CANARY, environ=environ).head("main"))
    assert (failure.kind, failure.can_retry) == (GitFailureKind.NETWORK, False)
    assert "GIT_SSL_CAINFO" in (failure.hint or "")


def test_a_mirror_survives_a_server_that_breaks_off(repository: Repository) -> None:
    asyncio.run(repository.client().fetch(repository.mirror, "main", repository.sha))
    new = repository.commit({"b": "1"})
    result = {"Content-Type": "application/x-git-upload-pack-result"}
    for answer in (
        Answer(502, method="POST"),
        Answer(200, result, b"", method="POST", is_cut=True),
    ):
        repository.server.answer(repository.name, answer)
        failure = failure_of(repository.client().fetch(repository.mirror, "main", new))
        assert (failure.kind, failure.can_retry) == (GitFailureKind.NETWORK, True)
        assert (repository.mirror / "refs/fetched" / repository.sha).exists()
    repository.server.answer(repository.name, None)
    assert asyncio.run(repository.client().fetch(repository.mirror, "main", new)).sha == new


def test_a_stalled_transfer_ends(repository: Repository) -> None:
    repository.server.answer(repository.name, Answer(200, SMART, b"0", is_endless=True, pause=0.2))
    failure = failure_of(repository.client(stall_seconds=1).head("main"))
    assert (failure.kind, failure.can_retry) == (GitFailureKind.NETWORK, True)


def test_a_server_that_does_not_answer_is_left(repository: Repository) -> None:
    repository.server.answer(repository.name, Answer(200, SMART, b"0", pause=30))
    failure = failure_of(repository.client(poll_seconds=1).head("main"))
    assert (failure.kind, failure.can_retry) == (GitFailureKind.NETWORK, True)
    assert "did not finish within 1 seconds" in failure.message


def test_endless_answers_end_at_the_limit_of_memory(repository: Repository) -> None:
    refs = b"".join(b"003dab" + b"ab" * 19 + b" refs/heads/b%06d\n" % n for n in range(2000))
    repository.server.answer(repository.name, Answer(200, SMART, PKT + refs, is_endless=True))
    failure = failure_of(repository.client(memory=200 * 2**20).head("main"))
    assert (failure.kind, failure.can_retry) == (GitFailureKind.LIMIT, False)


@pytest.mark.extensive
def test_a_repository_beyond_the_limit_is_not_fetched(new_repository: NewRepository) -> None:
    repository = new_repository(large_files(4, 2**20))
    failure = failure_of(
        repository.client(mirror_size=2**20).fetch(repository.mirror, "main", repository.sha)
    )
    assert (failure.kind, failure.can_retry) == (GitFailureKind.LIMIT, False)
    assert "larger than the limit" in failure.message
    files = [path for path in repository.mirror.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 2**20 + 2**16
    assert (
        asyncio.run(repository.client().fetch(repository.mirror, "main", repository.sha)).received > 4 * 2**20
    )


@pytest.mark.extensive
def test_files_beyond_the_limits_are_not_written(new_repository: NewRepository) -> None:
    repository = new_repository({"zeros": b"\0" * 20 * 2**20, "a": "1", "b": "2"})
    folder = repository.folder / "checkout"
    asyncio.run(repository.client().fetch(repository.mirror, "main", repository.sha))
    limited = (repository.client(checkout_size=2**20), repository.client(files=2))
    for client in limited:
        failure = failure_of(client.checkout(repository.mirror, repository.sha, folder))
        assert (failure.kind, failure.can_retry) == (GitFailureKind.LIMIT, False)
        assert not folder.exists()


def test_a_tree_that_multiplies_itself_ends(repository: Repository) -> None:
    sha = _tree_of_trees(repository, depth=7, width=16)
    client = repository.client(files=1000)
    asyncio.run(client.fetch(repository.mirror, "bomb", sha))
    failure = failure_of(client.checkout(repository.mirror, sha, repository.folder / "checkout"))
    assert failure.kind is GitFailureKind.LIMIT


@pytest.mark.parametrize("name", ["..", ".git", ".", ".GIT", "git~1"])
def test_a_path_that_leaves_the_folder_is_refused(repository: Repository, name: str) -> None:
    blob = _git(repository, "hash-object", "-w", "--stdin", stdin=b"evil")
    inner = _git(repository, "mktree", stdin=f"100644 blob {blob}\tevil\n".encode())
    tree = _git(repository, "mktree", stdin=f"040000 tree {inner}\t{name}\n".encode())
    sha = _commit_tree(repository, tree, "evil")
    folder = repository.folder / "a/checkout"
    failure_of(repository.client().clone(repository.mirror, "evil", sha, folder))
    assert [path for path in repository.folder.rglob("evil") if path.is_file()] == []


def test_the_token_is_only_in_the_environment_of_git(
    repository: Repository, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    repository.server.require(repository.name, CANARY)
    asyncio.run(
        repository.client(CANARY).clone(repository.mirror, "main", repository.sha, repository.folder / "c")
    )
    repository.server.answer(repository.name, Answer(200, SMART, b"0", is_endless=True, pause=0.05))
    new = repository.commit({"b": "1"})
    before = repository.server.count(repository.name)

    async def look() -> list[bytes]:
        client = repository.client(CANARY)
        task = asyncio.create_task(client.fetch(repository.mirror, "main", new))
        while repository.server.count(repository.name) == before:
            await asyncio.sleep(0.02)
        lines = [*_command_lines()]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return lines

    lines = asyncio.run(look())
    assert any(b"git-remote-http" in line or b"fetch" in line for line in lines)
    coded = repository.server.requests[-1].authorization
    assert coded is not None and coded.startswith("Basic ")
    for secret in (CANARY, coded.removeprefix("Basic ")):
        assert not any(secret.encode() in line for line in lines)
        for path in repository.folder.rglob("*"):
            assert path.is_dir() or secret.encode() not in path.read_bytes()
        assert secret not in caplog.text
    assert not any(new.encode() in line for line in _command_lines())


def test_the_token_is_not_in_a_failure_that_quotes_the_server(repository: Repository) -> None:
    pair = "eC1hY2Nlc3MtdG9rZW46Y2FuYXJ5LTlmM2EyYjcxYzQ="
    echo = f"{CANARY} {pair} other-secret".encode()
    body = b"%04xERR %b" % (len(echo) + 8, echo)
    repository.server.answer(repository.name, Answer(200, SMART, body))
    client = GitClient(
        repository.address,
        CANARY,
        environ=repository.environ,
        scrub=lambda text: text.replace("other-secret", "***"),
    )
    failure = failure_of(client.head("main"))
    assert not any(secret in f"{failure!r}{failure}" for secret in (CANARY, pair, "other-secret"))
    assert CANARY not in repr(client) and CANARY not in repr(client.address)


def test_the_environment_of_the_service_does_not_reach_git(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo git version 2.39.5 && exit\nenv >&2\nexit 1\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("RECCE_META_KEY", CANARY)
    environ = {"PATH": str(program.parent), "RECCE_META_KEY": CANARY, "GIT_ASKPASS": "x", "GIT_DIR": "/x"}
    client = GitClient(repository.address, environ=environ)
    monkeypatch.setattr("recce_meta.repositories.git.client.failure_of", lambda done, *_, **__: _quote(done))
    text = failure_of(client.head("main")).message
    assert CANARY not in text and "GIT_ASKPASS" not in text and "GIT_DIR" not in text
    assert "GIT_TERMINAL_PROMPT=0" in text and "GIT_CONFIG_GLOBAL=/dev/null" in text


def _quote(done: Any) -> GitFailure:
    return GitFailure(GitFailureKind.NETWORK, done.errors[-2000:], hint="x")


def _command_lines() -> Iterator[bytes]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            yield path.read_bytes()


def _git(repository: Repository, *arguments: str, stdin: bytes = b"") -> str:
    where = f"--git-dir={repository.server.folder / repository.name}"
    done = subprocess.run(["git", where, *arguments], input=stdin, capture_output=True, check=True)
    return done.stdout.decode().strip()


def _commit_tree(repository: Repository, tree: str, branch: str) -> str:
    author = ["-c", "user.name=T", "-c", "user.email=t@example.com"]
    where = f"--git-dir={repository.server.folder / repository.name}"
    done = subprocess.run(
        ["git", where, *author, "commit-tree", "-m", "x", tree], capture_output=True, check=True, text=True
    )
    repository.server.write_ref(repository.name, f"refs/heads/{branch}", done.stdout.strip())
    return done.stdout.strip()


def _tree_of_trees(repository: Repository, *, depth: int, width: int) -> str:
    """Return a commit of a few objects whose files are innumerable."""
    kind, sha = "100644 blob", _git(repository, "hash-object", "-w", "--stdin", stdin=b"x")
    for _ in range(depth):
        entries = "".join(f"{kind} {sha}\tx{number:03d}\n" for number in range(width))
        kind, sha = "040000 tree", _git(repository, "mktree", stdin=entries.encode())
    return _commit_tree(repository, sha, "bomb")
