"""Real child processes: their outcome, their limits, and their end."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from recce_meta import machine
from recce_meta.repositories import processes
from recce_meta.repositories.extraction.workflow import remove_folder
from recce_meta.repositories.processes import Completed, ProcessLimits, kill_left, run_process
from tests.contract.repositories.programs import (
    ENVIRONMENT,
    forks,
    python,
    running_with,
    wait_until,
    wait_until_ended,
)

ONLY_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows and adopts descendants")
MEGABYTE = 2**20


def run(command: list[str], limits: ProcessLimits = ProcessLimits(), **options: object) -> Completed:  # noqa: B008
    return asyncio.run(run_process(command, limits=limits, **{"env": ENVIRONMENT, **options}))  # type: ignore[arg-type]


async def cancel_when_ready(command: list[str]) -> None:
    """Run *command*, and cancel that, twice, once it has printed a line."""
    ready = asyncio.Event()
    task = asyncio.ensure_future(
        run_process(command, env=ENVIRONMENT, on_line=lambda line: ready.set(), pid_file=None)
    )
    await ready.wait()
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_output_errors_and_code_are_returned() -> None:
    ended = run(["sh", "-c", "echo out; echo err >&2; exit 3"])

    assert (ended.code, ended.output, ended.errors, ended.excess) == (3, "out\n", "err\n", None)
    assert not ended.is_late
    assert not ended.is_verbose


def test_environment_is_complete_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_TOKEN", "canary")

    assert run(["/usr/bin/env"], env={"A": "é=b"}).output == "A=é=b\n"
    assert run(["/usr/bin/env"], env={"LC_CTYPE": "C.UTF-8"}).output == "LC_CTYPE=C.UTF-8\n"


def test_the_folder_is_passed_on_and_no_input(tmp_path: Path) -> None:
    assert run(["pwd"], cwd=tmp_path).output == f"{tmp_path}\n"
    assert run(["cat"]).output == ""


def test_signals_are_negative_codes_and_ignored_signals_are_not_inherited() -> None:
    assert run(["sh", "-c", "kill -PIPE $$"]).code == -signal.SIGPIPE
    assert run(["sh", "-c", "kill -TERM $$"]).code == -signal.SIGTERM


def test_a_missing_program_and_a_missing_folder_are_reported(tmp_path: Path) -> None:
    ended = run(["no-such-program"])

    assert ended.code == 127
    assert "cannot run no-such-program" in ended.errors
    with pytest.raises(FileNotFoundError):
        run(["true"], cwd=tmp_path / "missing")


def test_usage_is_that_of_all_descendants_and_not_of_this_process() -> None:
    work = "import time; kept = b'x' * 100_000_000\nwhile time.process_time() < .3: pass"
    nested = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {work!r}])"
    own = bytearray(os.urandom(MEGABYTE)) * 200

    large, small = run(python(nested)), run(["true"])

    assert large.cpu_seconds > 0.29
    assert large.peak_memory > 100_000_000
    assert small.peak_memory < 60 * MEGABYTE < len(own)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 > len(own)


@pytest.mark.parametrize(
    ("written", "limit"),
    [("max", 8), ("", 8), (None, 8), ("6442450944", 3), ("1073741824", 2), ("9223372036854771712", 8)],
)
def test_the_limit_of_memory_follows_the_machine_and_the_container(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str | None, limit: int
) -> None:
    own = tmp_path / "system.slice" / "memory.max"
    own.parent.mkdir()
    (tmp_path / "group").write_text("0::/system.slice\n")
    monkeypatch.setattr(machine, "GROUPS", tmp_path)
    monkeypatch.setattr(machine, "OWN_GROUP", tmp_path / "group")
    monkeypatch.setattr(machine.os, "sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 2**24}.get)
    version_1 = tmp_path / "memory.limit_in_bytes"
    for file in (tmp_path / "memory.max", own, version_1):
        monkeypatch.setattr(machine, "MEMORY_FILE", version_1)
        if written is not None:
            file.write_text(f"{written}\n")
        assert processes.memory_limit(8 * 2**30) == limit * 2**30
        file.unlink(missing_ok=True)


@ONLY_LINUX
def test_a_program_gives_way_to_others() -> None:
    shown = run(["sh", "-c", "cut -d ' ' -f 19 /proc/self/stat"], ProcessLimits(niceness=7))
    # The launcher of root begins at 0 again, that of others where this process is.
    assert int(shown.output) in {7, max(os.nice(0), 7)}


def test_lines_are_passed_on_while_the_program_runs() -> None:
    lines: list[str] = []

    ended = run(["sh", "-c", "printf 'a\\nb\\n'; printf 'last' >&2"], on_line=lines.append)

    assert sorted(lines) == ["a", "b", "last"]
    assert ended.output == "a\nb\n"


def test_ten_gigabytes_of_output_are_cut_off() -> None:
    lines: list[str] = []
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    ended = run(["head", "-c", "10G", "/dev/zero"], ProcessLimits(output=MEGABYTE), on_line=lines.append)

    assert ended.is_verbose
    assert ended.excess == "output"
    assert ended.code == -signal.SIGKILL
    assert len(ended.output) == MEGABYTE
    assert sum(map(len, lines)) < 3 * MEGABYTE
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < 64 * MEGABYTE


def test_the_end_of_long_output_is_kept() -> None:
    ended = run(["sh", "-c", "seq 1 100; seq 1 3 >&2"], ProcessLimits(output=8))

    assert ended.output == "\n99\n100\n"[-8:]
    assert ended.errors == "1\n2\n3\n"


def test_an_endless_program_is_killed_with_children_that_ignore_signals(tmp_path: Path) -> None:
    ended = run(python(forks(20), tmp_path), ProcessLimits(seconds=1))

    assert ended.is_late
    assert ended.excess == "seconds"
    assert running_with(tmp_path) == []


def test_cancelling_kills_children_that_ignore_signals(tmp_path: Path) -> None:
    asyncio.run(cancel_when_ready(python(forks(20), tmp_path)))

    assert running_with(tmp_path) == []


@ONLY_LINUX
def test_cancelling_kills_children_in_sessions_of_their_own(tmp_path: Path) -> None:
    child = "os.setsid(); os.fork(); os.setpgid(0, 0) if os.getpid() != os.getsid(0) else None"

    asyncio.run(cancel_when_ready(python(forks(20, child), tmp_path)))

    assert running_with(tmp_path) == []


@ONLY_LINUX
def test_programs_in_the_background_end_with_the_program(tmp_path: Path) -> None:
    ended = run(python(forks(3, "os.setsid()", then=""), tmp_path))

    assert (ended.code, ended.output) == (0, "ready\n")
    assert running_with(tmp_path) == []


def test_the_end_of_the_loop_kills_what_runs(tmp_path: Path) -> None:
    async def leave() -> None:
        ready = asyncio.Event()
        command = python(forks(3), tmp_path)
        task = asyncio.ensure_future(run_process(command, env=ENVIRONMENT, on_line=lambda _: ready.set()))
        await ready.wait()
        assert not task.done()

    asyncio.run(leave())

    assert running_with(tmp_path) == []


@ONLY_LINUX
@pytest.mark.parametrize(
    ("code", "limits", "excess"),
    [
        (forks(30), ProcessLimits(processes=20), "processes"),
        (forks(10, "text = b'x' * 20_000_000"), ProcessLimits(memory=180_000_000), "memory"),
        (forks(2, then="[1 for _ in iter(int, 1)]"), ProcessLimits(cpu_seconds=0.5), "cpu_seconds"),
    ],
)
def test_descendants_together_are_limited(
    tmp_path: Path, code: str, limits: ProcessLimits, excess: str
) -> None:
    ended = run(python(code, tmp_path), limits)

    assert (ended.excess, ended.code) == (excess, -signal.SIGKILL)
    assert running_with(tmp_path) == []


FILLS = "import pathlib, sys, time\nwhile True: {}; time.sleep(.001)"


@pytest.mark.parametrize(
    "statement",
    [
        "pathlib.Path(sys.argv[1], str(time.time())).write_bytes(b'x' * 100_000)",
        "pathlib.Path(sys.argv[1], str(time.time())).touch()",
        "pathlib.Path(sys.argv[1], str(time.time())).mkdir()",
        pytest.param(
            "f = open(sys.argv[1] + '/f', 'w') if 'f' not in vars() else f; "
            "pathlib.Path(sys.argv[1], 'f').unlink(missing_ok=True); f.write('x' * 100_000)",
            marks=ONLY_LINUX,
        ),
    ],
)
def test_a_folder_is_limited(tmp_path: Path, statement: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "loop").symlink_to(tmp_path)

    ended = run(python(FILLS.format(statement), folder), ProcessLimits(folder=folder, folder_size=2_000_000))

    assert ended.excess == "folder_size"


def test_memory_and_files_of_one_process_are_limited(tmp_path: Path) -> None:
    file = tmp_path / "file"

    large = run(["dd", "if=/dev/zero", f"of={file}", "bs=1M", "count=9"], ProcessLimits(file_size=MEGABYTE))
    hungry = run(python("b'x' * 900_000_000"), ProcessLimits(memory=500_000_000))

    assert large.code == -signal.SIGXFSZ
    assert file.stat().st_size == MEGABYTE
    assert hungry.code != 0
    if sys.platform == "linux":
        assert "MemoryError" in hungry.errors


@pytest.mark.extensive
def test_many_programs_run_at_once() -> None:
    async def many() -> list[Completed]:
        return await asyncio.gather(
            *(run_process(["echo", str(number)], env=ENVIRONMENT) for number in range(30))
        )

    assert [ended.output for ended in asyncio.run(many())] == [f"{number}\n" for number in range(30)]


WORKER = """
import asyncio, sys
from pathlib import Path
from recce_meta.repositories.processes import run_process
code, mark, pid_file, secret = sys.argv[1:]
command = [sys.executable, "-I", "-S", "-c", code, mark]
show = lambda line: print(line, flush=True)
given = {"pid_file": Path(pid_file), "removed": [Path(secret)]}
asyncio.run(run_process(command, env={}, on_line=show, **given))
"""


def worker(folder: Path, code: str) -> subprocess.Popen[bytes]:
    """Start a worker that runs *code*, and wait until that is ready."""
    started = subprocess.Popen(
        [
            sys.executable,
            "-c",
            textwrap.dedent(WORKER),
            code,
            *map(folder.joinpath, ("mark", "pid", "secret")),
        ],
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
    )
    assert started.stdout is not None
    with started.stdout:
        assert started.stdout.readline() == b"ready\n"
    return started


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("child", ["pass", pytest.param("os.setsid()", marks=ONLY_LINUX)])
def test_nothing_remains_of_a_killed_worker(tmp_path: Path, number: signal.Signals, child: str) -> None:
    (tmp_path / "secret").touch()
    killed = worker(tmp_path, forks(20, child))
    assert (tmp_path / "secret").exists()
    identity = (tmp_path / "pid").read_text()

    killed.send_signal(number)
    killed.wait()

    wait_until(lambda: not running_with(tmp_path / "mark"), "the program of the worker is gone")
    wait_until(lambda: not (tmp_path / "secret").exists(), "its file is gone")
    # The launcher removes the file, then ends.
    wait_until_ended(identity)
    assert not kill_left(tmp_path / "pid")


def test_the_program_of_a_paused_worker_is_killed(tmp_path: Path) -> None:
    paused = worker(tmp_path, forks(5))
    paused.send_signal(signal.SIGSTOP)
    try:
        identity = (tmp_path / "pid").read_text()
        assert kill_left(tmp_path / "pid")
        assert [line for line in running_with(tmp_path / "mark") if str(tmp_path / "pid") not in line] == []
        assert not (tmp_path / "pid").exists()
        (tmp_path / "pid").write_text(identity)
        assert not kill_left(tmp_path / "pid")
    finally:
        paused.kill()
        paused.wait()


def test_a_process_that_took_the_id_is_spared(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    with subprocess.Popen(["sleep", "1000"]) as other:
        file.write_text(json.dumps({"pid": other.pid, "started": "0"}))
        assert not kill_left(file)
        assert other.poll() is None
        other.kill()


def test_a_process_that_cannot_be_killed_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    identity = json.dumps({"pid": os.getpid(), "started": processes._start_of(os.getpid())})
    (tmp_path / "read.pid").write_text(identity)
    monkeypatch.setattr(processes, "_PATIENCE", 0.02)
    monkeypatch.setattr(os, "kill", lambda *_: None)

    remove_folder(tmp_path)

    assert (tmp_path / "read.pid").read_text() == identity


@pytest.mark.parametrize("content", ["", "[1]", '{"pid": "x"}', '{"pid": 1}', "\0"])
def test_a_malformed_pid_file_kills_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / "pid").write_text(content)

    assert not kill_left(tmp_path / "pid")
    assert not kill_left(tmp_path / "missing")
