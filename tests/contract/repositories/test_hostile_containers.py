"""Hostile programs in containers of a real engine, with an image that `recce-meta runner build` has built."""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path

import pytest

from recce_meta.repositories.extraction.isolation.base import Program, Settings
from recce_meta.repositories.extraction.isolation.docker import (
    FOLDER_IN_IMAGE,
    Docker,
    Image,
    client,
    missing,
)
from recce_meta.repositories.processes import ProcessLimits
from tests.support import needs
from tests.support.sandboxes import run

IMAGE = Image("1.11", "duckdb")
SETTINGS = Settings(engine=os.environ.get("RECCE_META_TEST_ENGINE", "docker"))
LIMITS = ProcessLimits(seconds=120, memory=2**30, processes=64)
JOB = f"tests:main:{os.getpid()}"


@pytest.fixture(scope="module")
def docker() -> Docker:
    """Return the isolation by containers; skip the test without an engine or its image."""
    reason = asyncio.run(missing(SETTINGS, IMAGE))
    if reason is not None:
        needs.missing("Docker", f"{reason[0]}, see `{reason[1]}`")
    return Docker(SETTINGS, IMAGE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "writable"
    made.mkdir()
    return made


def program(folder: Path, code: str, limits: ProcessLimits = LIMITS, **env: str) -> Program:
    """Return a program of Python in the image."""
    python = str(FOLDER_IN_IMAGE / "bin" / "python")
    return Program(argv=(python, "-c", code), env=env, writable=folder, cwd=folder, job=JOB, limits=limits)


def containers() -> list[str]:
    """List the containers of these tests."""
    command = [*client(SETTINGS), "ps", "--all", "--quiet", "--filter", f"label=recce-meta.job={JOB}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


SEES = """
import os, pathlib, socket
print(os.environ.get("APP_TOKEN"), os.environ["GIVEN"], os.getuid() != 0, os.listdir("/sys/class/net"))
for path in ("/evil", "/usr/evil", "/opt/dbt/evil", "/etc/evil"):
    try:
        pathlib.Path(path).touch()
        print("written", path)
    except OSError:
        pass
pathlib.Path("result").touch()
pathlib.Path("/tmp/result").touch()
"""


def test_a_program_sees_and_writes_only_what_it_may(
    docker: Docker, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APP_TOKEN", "canary")

    ended = run(docker, program(folder, SEES, GIVEN="yes"))

    assert (ended.code, ended.output) == (0, "None yes True ['lo']\n"), ended.errors
    assert (folder / "result").exists()
    assert containers() == []


@pytest.mark.parametrize(
    ("code", "limits", "excess"),
    [
        ("while True: pass", ProcessLimits(seconds=5), "seconds"),
        ("while True: print('x' * 100_000)", ProcessLimits(output=2**16), "output"),
    ],
)
def test_a_container_that_exceeds_a_limit_is_removed(
    docker: Docker, folder: Path, code: str, limits: ProcessLimits, excess: str
) -> None:
    ended = run(docker, program(folder, code, limits))

    assert ended.excess == excess
    assert containers() == []


def test_memory_and_processes_are_limited(docker: Docker, folder: Path) -> None:
    hungry = "print('started', flush=True); b'x' * 2_000_000_000"
    forks = "import os, time; print('started', flush=True)\nfor _ in range(200): os.fork() or time.sleep(60)"

    for code in (hungry, forks):
        ended = run(docker, program(folder, code))
        assert ended.code != 0
        assert ended.output == "started\n"
    assert containers() == []


def test_a_cancelled_container_is_removed(docker: Docker, folder: Path) -> None:
    async def cancel() -> None:
        ready = asyncio.Event()
        code = (
            "import signal, time; signal.signal(15, signal.SIG_IGN); print('x', flush=True); time.sleep(600)"
        )
        task = asyncio.ensure_future(docker.run(program(folder, code), on_line=lambda _: ready.set()))
        await asyncio.wait([task, asyncio.ensure_future(ready.wait())], return_when="FIRST_COMPLETED")
        assert containers()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())

    assert containers() == []


def test_what_a_killed_worker_left_is_removed_by_its_job(docker: Docker, folder: Path) -> None:
    command = docker.command(program(folder, "import time; print('x', flush=True); time.sleep(600)"))
    worker = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert worker.stdout is not None
    with worker.stdout:
        assert worker.stdout.readline() == b"x\n"
    worker.kill()
    worker.wait()
    assert containers()

    asyncio.run(docker.remove(JOB))

    assert containers() == []
