"""The user's command within ours: its streams, signals and exit code, and what is done after it.

Nothing here needs a store, a configuration or a driver, so the command can run whatever else is broken.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

from recce_meta.cli.console import console, print_error
from recce_meta.errors import RecceMetaError, UsageError, did_you_mean
from recce_meta.redaction import presentable

CANNOT_EXECUTE = 126
NOT_FOUND = 127
"""Exit codes of a POSIX shell: https://pubs.opengroup.org/onlinepubs/9699919799/utilities/V3_chap02.html#tag_18_08_02"""

_KEYBOARD = ("SIGINT", "SIGQUIT", "SIGBREAK")
_OTHERS = ("SIGTERM", "SIGHUP")


def run_and_record(
    command: Sequence[str], record: Callable[[int], None], strict: bool, warn: Callable[[str], None]
) -> int:
    """Run *command*, call *record* with its exit code, and return the exit code.

    The wrapper is transparent. The command inherits the three standard streams and any other open descriptor,
    so colours, prompts and progress bars work as usual. It stays in our process group, so Ctrl-C, Ctrl-\\ and
    Ctrl-Z reach it directly. While it runs we wait, and forward signals sent to us alone:

    - SIGTERM and SIGHUP always: a second one does no harm to a process that already received it.
    - SIGINT and SIGQUIT unless we are in the foreground of a terminal. There the keyboard has already sent
      them to the command; a second SIGINT would make dbt abort instead of cancelling its queries.
    - A signal that is ignored when we start (`nohup`, a shell's background job) stays ignored in both.

    The exit code is the command's own, or 128 plus the signal's number if a signal ended it, as a shell
    reports. We do not end ourselves by the same signal: schedulers would assume that the wrapper crashed
    before recording.

    dbt writes artifacts even if it fails, so *record* is called for every exit code, but not if the command
    cannot be started. A failure of *record* is one line to *warn*. It changes the exit code only if *strict*
    is set and the command succeeded.
    """
    if not command:
        raise UsageError("No command to run", hint="recce-meta hook -- dbt build")
    # Whatever fails from here on, the command must not run again.
    console().may_start_command = False
    with _forwarding_signals() as started:
        try:
            # Descriptors that the shell opened for the command, as in `dbt run --vars <(…)`, stay open.
            process = subprocess.Popen(_with_full_path(command), close_fds=False)
        except OSError as error:
            return _cannot_start(command, error)
        started(process)
        ended = _wait(process)
    code = 128 - ended if ended < 0 else ended
    try:
        record(code)
    # The user's job must survive any failure of ours: bugs, libraries that exit, and an impatient scheduler.
    except (Exception, SystemExit, KeyboardInterrupt) as error:  # noqa: BLE001
        failed = f"the command failed with exit code {code}; " if code else ""
        with suppress(OSError, ValueError):  # standard error is closed, or its disk is full
            warn(f"Run not recorded: {failed}{in_one_line(error)}")
        # The code of a failed command wins: CI has to show the failure of dbt, not ours.
        return code or (RecceMetaError.exit_code if strict else 0)
    return code


def _wait(process: subprocess.Popen[bytes]) -> int:
    """Return the exit code of *process*.

    The main thread waits in turns: Python handles a signal that arrives just before a wait only after it.
    """
    waiting = threading.Thread(target=process.wait, daemon=True)
    try:
        waiting.start()
    except RuntimeError:  # the user may have no more threads
        return process.wait()
    while waiting.is_alive():
        waiting.join(_TURN)
    return process.wait()


_TURN = 0.1
"""Seconds of one wait."""


def _with_full_path(command: Sequence[str]) -> list[str]:
    """Return *command* with the program's full path on Windows, which cannot start `dbt.cmd` as `dbt`."""
    program = shutil.which(command[0]) if os.name == "nt" else None
    return [program or command[0], *command[1:]]


@contextmanager
def _forwarding_signals() -> Iterator[Callable[[subprocess.Popen[bytes]], None]]:
    """Forward signals within the block to the process passed to the yielded function."""
    processes: list[subprocess.Popen[bytes]] = []
    # Signals that come before the process is known. If it runs already, a key pressed has reached it. If not,
    # that key is lost: a second SIGINT would make dbt abort instead of cancelling.
    early: list[int] = []

    def forward(signum: int, _frame: FrameType | None) -> None:
        if not processes:
            early.append(signum)
        elif signal.Signals(signum).name in _OTHERS or not _keyboard_reaches_us():
            with suppress(OSError):  # a command of another user, as with sudo
                processes[0].send_signal(signum)

    def started(process: subprocess.Popen[bytes]) -> None:
        processes.append(process)
        while early:
            forward(early.pop(0), None)

    handled = [getattr(signal, name) for name in (*_KEYBOARD, *_OTHERS) if hasattr(signal, name)]
    before = {
        signum: signal.signal(signum, forward)
        for signum in handled
        if signal.getsignal(signum) is not signal.SIG_IGN
    }
    if hasattr(signal, "SIGCHLD"):
        # If a caller ignores SIGCHLD, the system discards the exit codes of children.
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        yield started
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def _keyboard_reaches_us() -> bool:
    """Return True if our process group is in the foreground of a terminal: the child got the signal too."""
    if sys.platform == "win32":
        return True  # the console signals every process of its group
    try:
        # The standard streams may be redirected, so none of them is asked.
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


def _cannot_start(command: Sequence[str], error: OSError) -> int:
    is_missing = isinstance(error, FileNotFoundError) or not command[0]
    lines = [f"Command not found: {presentable(command[0])}"]
    if not is_missing:
        lines = [f"Cannot run {presentable(command[0])}: {error.strerror}"]
    elif command[0] == "dbt":
        lines.append("hint: activate the environment in which dbt is installed")
    elif hint := did_you_mean(presentable(command[0]), ("dbt", "dbtf", "sqlmesh")):
        lines.append(f"hint: {hint}")
    print_error("error: " + "\n".join(lines))
    return NOT_FOUND if is_missing else CANNOT_EXECUTE


def in_one_line(error: BaseException) -> str:
    """Return the message of *error* with its hint, as one line."""
    if isinstance(error, KeyboardInterrupt):
        text = "interrupted"
    elif not isinstance(error, RecceMetaError):
        text = f"{type(error).__name__}: {error}"
    else:
        text = error.message if error.hint is None else f"{error.message}; hint: {error.hint}"
    return " ".join(text.split())
