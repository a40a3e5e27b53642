"""The wrapper around the user's command: real processes, real signals, a real terminal."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from recce_meta.cli.wrapper import run_and_record
from recce_meta.errors import UsageError

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals and terminals as POSIX has them")

ROOT = Path(__file__).resolve().parents[2]

WRAPPER = """
import sys
from pathlib import Path
from recce_meta.cli.wrapper import run_and_record
record = lambda code: Path("recorded").write_text("once")
warn = lambda text: print("warning:", text, file=sys.stderr)
sys.exit(run_and_record(sys.argv[1:], record, False, warn))
"""

CHILD = """
import os, signal, sys, time
seen = []
for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"):
    signal.signal(getattr(signal, name), lambda number, frame: seen.append(signal.Signals(number).name))
print("ready", os.getpid(), flush=True)
deadline = time.monotonic() + 120
while not seen and time.monotonic() < deadline:
    time.sleep(0.01)
time.sleep(0.3)  # a second one would arrive now
print("seen", ",".join(seen), flush=True)
sys.exit(42)
"""

STREAMS = """
import os, sys
ttys = [os.isatty(fd) for fd in (0, 1, 2)]
print("ttys", ttys, "same group", os.getpgrp() == os.getpgid(os.getppid()))
sys.stderr.write("\\x1b[31mred\\x1b[0m\\n")
"""


def wrapped(child: Sequence[str]) -> list[str]:
    return [sys.executable, "-c", WRAPPER, *child]


def run_child(command: list[str]) -> int:
    """The exit code of *command*, with nothing to record."""
    return run_and_record(command, lambda code: None, False, print)


def python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", code, *arguments]


@pytest.fixture
def environ() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """The two ends of a new pseudo-terminal: ours, and the program's."""
    ours, theirs = os.openpty()
    yield ours, theirs
    for end in (ours, theirs):
        try:
            os.close(end)
        except OSError:
            continue  # closed by the test


def read_until(descriptor: int, wanted: bytes, seconds: float = 120) -> bytes:
    text, deadline = b"", time.monotonic() + seconds
    while wanted not in text and time.monotonic() < deadline:
        if select.select([descriptor], [], [], 0.1)[0]:
            text += os.read(descriptor, 4096)
    return text


# The exit code


@pytest.mark.parametrize("code", [0, 1, 2, 200])
def test_the_exit_code_is_the_commands_own(code: int) -> None:
    assert run_child(python(f"raise SystemExit({code})")) == code


@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL", "SIGSEGV"])
def test_death_by_a_signal_reads_as_a_shell_tells_it(name: str) -> None:
    number = getattr(signal, name)

    assert run_child(["/bin/sh", "-c", f"ulimit -c 0; kill -{number} $$"]) == 128 + number


def test_an_unknown_command_is_127_and_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    assert run_child(["no-such-dbt", "build"]) == 127
    assert capfd.readouterr() == ("", "error: Command not found: no-such-dbt\n")


def test_a_file_that_cannot_be_run_is_126_and_one_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "dbt").write_text("#!/bin/sh\n")

    assert run_child([str(tmp_path / "dbt")]) == 126
    assert capfd.readouterr().err == f"error: Cannot run {tmp_path / 'dbt'}: Permission denied\n"


def test_no_command_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="No command to run"):
        run_child([])


# The streams


def test_bytes_pass_both_ways_unchanged(environ: dict[str, str], tmp_path: Path) -> None:
    data = bytes(range(256)) * 500

    done = subprocess.run(wrapped(["cat"]), input=data, capture_output=True, env=environ, cwd=tmp_path)

    assert (done.returncode, done.stdout, done.stderr) == (0, data, b"")


def test_arguments_pass_unchanged(capfd: pytest.CaptureFixture[str]) -> None:
    arguments = ["--vars", "{a: 'b c'}", "*", "$HOME", "", "--", "ä"]

    run_child(python("import sys; print(sys.argv[1:])", *arguments))

    assert capfd.readouterr().out.strip() == str(arguments)


def test_a_descriptor_opened_for_the_command_stays_open(capfd: pytest.CaptureFixture[str]) -> None:
    reader, writer = os.pipe()
    os.set_inheritable(reader, True)
    os.write(writer, b"vars")
    os.close(writer)

    run_child(python(f"import os; print(os.read({reader}, 10).decode())"))

    os.close(reader)
    assert capfd.readouterr().out == "vars\n"


def test_on_a_terminal_the_command_sees_a_terminal(
    environ: dict[str, str], tmp_path: Path, terminal: tuple[int, int]
) -> None:
    ours, theirs = terminal

    process = subprocess.Popen(
        wrapped(python(STREAMS)), stdin=theirs, stdout=theirs, stderr=theirs, env=environ, cwd=tmp_path
    )
    output = read_until(ours, b"\x1b[0m")

    assert process.wait(120) == 0
    assert b"ttys [True, True, True] same group True" in output
    assert b"\x1b[31mred\x1b[0m" in output


# Signals


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT"])
def test_a_signal_to_the_wrapper_alone_reaches_the_command_once(
    environ: dict[str, str], tmp_path: Path, name: str
) -> None:
    process = subprocess.Popen(
        wrapped(python(CHILD)), stdout=subprocess.PIPE, env=environ, cwd=tmp_path, start_new_session=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith(b"ready")

    process.send_signal(getattr(signal, name))
    output, _ = process.communicate(timeout=120)

    assert output == f"seen {name}\n".encode()
    assert process.returncode == 42
    assert (tmp_path / "recorded").read_text() == "once"


@pytest.mark.parametrize(("key", "name"), [(b"\x03", "SIGINT"), (b"\x1c", "SIGQUIT")])
def test_a_key_pressed_reaches_the_command_once_and_the_run_is_recorded(
    environ: dict[str, str], tmp_path: Path, terminal: tuple[int, int], key: bytes, name: str
) -> None:
    ours, theirs = terminal
    # A session of its own whose controlling terminal is the pseudo-terminal, as a login gives it.
    login = (
        "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
        "os.execv(sys.argv[1], sys.argv[1:])"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", login, *wrapped(python(CHILD))],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environ,
        cwd=tmp_path,
        start_new_session=True,
    )
    assert b"ready" in read_until(ours, b"ready")

    os.write(ours, key)
    output = read_until(ours, b"seen " + name.encode())

    assert process.wait(120) == 42
    assert f"seen {name}\r\n".encode() in output + read_until(ours, b"\n", 5)
    assert (tmp_path / "recorded").read_text() == "once"


@pytest.mark.parametrize(
    ("number", "at_keyboard", "code"),
    [(signal.SIGINT, True, 7), (signal.SIGINT, False, 130), (signal.SIGTERM, True, 143)],
)
def test_a_signal_while_the_command_starts_reaches_it_once(
    monkeypatch: pytest.MonkeyPatch, number: int, at_keyboard: bool, code: int
) -> None:
    start = subprocess.Popen

    def start_and_signal(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        process = start(*arguments, **options)
        signal.raise_signal(number)
        return process

    monkeypatch.setattr(subprocess, "Popen", start_and_signal)
    monkeypatch.setattr("recce_meta.cli.wrapper._keyboard_reaches_us", lambda: at_keyboard)

    assert run_child(["sh", "-c", "sleep 0.5; exit 7"]) == code


def test_a_signal_ignored_by_the_caller_stays_ignored(environ: dict[str, str], tmp_path: Path) -> None:
    code = "import signal; print(signal.getsignal(signal.SIGHUP) is signal.SIG_IGN)"

    done = subprocess.run(
        ["/bin/sh", "-c", 'trap "" HUP; exec "$@"', "sh", *wrapped(python(code))],
        capture_output=True,
        env=environ,
        cwd=tmp_path,
    )

    assert done.stdout == b"True\n"


def test_the_exit_code_is_known_to_a_caller_that_ignores_dead_children(
    environ: dict[str, str], tmp_path: Path
) -> None:
    code = (
        "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN);"
        "os.execv(sys.argv[1], sys.argv[1:])"
    )

    done = subprocess.run(python(code, *wrapped(["sh", "-c", "exit 3"])), env=environ, cwd=tmp_path)

    assert done.returncode == 3


def test_handlers_are_given_back() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]

    run_child(python("pass"))

    after = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    assert after == before


# Recording


@pytest.mark.parametrize("code", [0, 1])
def test_the_run_is_recorded_after_success_and_failure(code: int) -> None:
    calls: list[str] = []

    result = run_and_record(
        python(f"raise SystemExit({code})"), lambda code: calls.append(f"record {code}"), False, calls.append
    )

    assert (result, calls) == (code, [f"record {code}"])


def test_nothing_is_recorded_of_a_command_that_did_not_start(capfd: pytest.CaptureFixture[str]) -> None:
    calls: list[str] = []

    assert (
        run_and_record(["no-such-dbt"], lambda code: calls.append(f"record {code}"), True, calls.append)
        == 127
    )
    assert calls == []
    assert "Command not found" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("code", "strict", "expected"), [(0, False, 0), (1, False, 1), (0, True, 3), (1, True, 1)]
)
def test_a_failure_to_record_is_one_line_and_changes_the_code_only_if_strict(
    code: int, strict: bool, expected: int
) -> None:
    warnings: list[str] = []

    def record(_code: int) -> None:
        raise UsageError("No manifest\nin target", hint="run dbt build")

    result = run_and_record(python(f"raise SystemExit({code})"), record, strict, warnings.append)

    assert result == expected
    failed = f"the command failed with exit code {code}; " if code else ""
    assert warnings == [f"Run not recorded: {failed}No manifest in target; hint: run dbt build"]


def test_a_mistake_of_ours_does_not_fail_the_job_either() -> None:
    warnings: list[str] = []

    def record(_code: int) -> None:
        raise KeyError("nodes")

    assert run_and_record(python("pass"), record, False, warnings.append) == 0
    assert warnings == ["Run not recorded: KeyError: 'nodes'"]


def test_a_library_that_exits_does_not_end_the_job_with_its_own_code() -> None:
    warnings: list[str] = []

    assert run_and_record(python("pass"), lambda _code: sys.exit(5), False, warnings.append) == 0
    assert warnings == ["Run not recorded: SystemExit: 5"]


def test_a_warning_that_cannot_be_printed_does_not_change_the_exit_code() -> None:
    def record(_code: int) -> None:
        raise KeyError("nodes")

    def warn(_text: str) -> None:
        raise OSError("No space left on device")

    assert run_and_record(python("raise SystemExit(4)"), record, False, warn) == 4


def test_without_threads_the_command_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(_self: Any) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("threading.Thread.start", start)

    assert run_child(python("raise SystemExit(6)")) == 6


def test_an_interrupted_recording_keeps_the_exit_code_of_the_command() -> None:
    warnings: list[str] = []

    def record(_code: int) -> None:
        raise KeyboardInterrupt

    assert run_and_record(python("raise SystemExit(4)"), record, False, warnings.append) == 4
    assert warnings == ["Run not recorded: the command failed with exit code 4; interrupted"]
