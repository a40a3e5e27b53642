"""A connected repository and processes of recce-meta that tests start, ask and end."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TypeVar

import pytest

from tests.e2e.conftest import Cli
from tests.support.git_server import GitServer

SECONDS = 240
CANARY = "canary-0123456789-abcdefghij"
FILES = {"models/a.sql": "select 1 as id\n", "models/b.sql": "select id from a\n"}
"""Plain SQL: the run is BRONZE, and needs no dbt."""
Value = TypeVar("Value")


def connected_shop(cli: Cli, git_server: GitServer) -> Cli:
    """The command with a connection `shop` of a private repository with SQL files, which is stored."""
    name = git_server.unused_name("sql")
    git_server.create_repository(name, FILES)
    git_server.require(name, CANARY)
    cli = cli.within(**{"RECCE_META_URL": f"duckdb:///{cli.folder / 'store.duckdb'}", **cli.environ})
    cli = cli.within(**git_server.environ)
    (cli.folder / "token").write_text(CANARY)
    added = cli(
        *("connection", "add", git_server.url(name), "--name", "shop", "--branch", "main", "--no-test"),
        *("--token-file", "token"),
    )
    (cli.folder / "token").unlink()
    assert added.code == 0, added.err
    return cli


@pytest.fixture
def shop(cli: Cli, git_server: GitServer) -> Cli:
    """The command with the connection `shop`."""
    return connected_shop(cli, git_server)


class Running(NamedTuple):
    """A command that runs, and the file of what it says."""

    process: subprocess.Popen[bytes]
    log: Path

    def end(self) -> tuple[int, float]:
        """Send SIGTERM; return the exit code, and the seconds until the end."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(SECONDS), time.monotonic() - began

    def until(self, found: Callable[[], Value]) -> Value:
        """Return the result of *found* as soon as it is true."""
        return until(found, self.log)


@contextmanager
def running(cli: Cli, *arguments: str) -> Iterator[Running]:
    """Run a command, which is killed if it has not ended within the block."""
    descriptor, name = tempfile.mkstemp(".log", f"{arguments[0]}-", cli.folder)
    log = Path(name)
    with open(descriptor, "w") as output:
        started = subprocess.Popen(
            [sys.executable, "-m", "recce_meta", *arguments],
            cwd=cli.folder,
            env=cli.variables,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Running(started, log)
    finally:
        if started.poll() is None:
            started.kill()
            started.wait()


@contextmanager
def process(cli: Cli, *arguments: str) -> Iterator[Path]:
    """Run a command until the block ends, and yield the file of what it says; it ends with 0 on SIGTERM."""
    with running(cli, *arguments) as started:
        yield started.log
        assert started.process.poll() is None, started.log.read_text()
        assert started.end()[0] == 0, started.log.read_text()


def until(found: Callable[[], Value], log: Path) -> Value:
    """Return the result of *found* as soon as it is true."""
    deadline = time.monotonic() + SECONDS
    while not (result := found()):
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)
    return result
