"""The server of the tests serves repositories as a forge does."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.support.git_server import GIT_ENVIRON, GitServer


def git(server: GitServer, *arguments: str, token: str | None = None) -> subprocess.CompletedProcess[str]:
    address = arguments[-1].replace("https://", f"https://u:{token}@") if token else arguments[-1]
    return subprocess.run(
        ["git", *arguments[:-1], address],
        env=GIT_ENVIRON | server.environ | {"GIT_TERMINAL_PROMPT": "0"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_commits_are_cloned(git_server: GitServer, tmp_path: Path) -> None:
    name = git_server.unused_name("a/nested")
    first = git_server.create_repository(name, {"a b.txt": "one", "link": ("120000", "a b.txt")})
    second = git_server.commit(name, "feature/x", {"a b.txt": None, "c.txt": b"\x00"}, base="main")
    assert git(git_server, "-C", str(tmp_path), "clone", "-q", git_server.url(name)).returncode == 0
    clone = tmp_path / name.rpartition("/")[2]
    assert (clone / "link").is_symlink() and (clone / "a b.txt").read_text() == "one"
    listed = git(git_server, "ls-remote", git_server.url(name)).stdout
    assert f"{first}\trefs/heads/main" in listed and f"{second}\trefs/heads/feature/x" in listed
    assert git_server.count(name) >= 2


def test_tokens_are_required(git_server: GitServer) -> None:
    name = git_server.unused_name()
    sha = git_server.create_repository(name)
    git_server.require(name, "right")
    assert git(git_server, "ls-remote", git_server.url(name)).returncode == 128
    assert git(git_server, "ls-remote", git_server.url(name), token="wrong").returncode == 128
    assert sha in git(git_server, "ls-remote", git_server.url(name), token="right").stdout
