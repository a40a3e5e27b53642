"""Running the user's own command, and recording what it left behind.

The command must not notice that it is wrapped. It inherits the three standard streams (and any other
that we were given to pass on), so colours, prompts and progress bars behave as without us; it stays in
our process group, so the keyboard's Ctrl-C, Ctrl-\\ and Ctrl-Z reach it directly. While it runs we only
wait, and a signal sent to us alone is passed on:

- SIGTERM and SIGHUP always: to a process that got them from elsewhere too, a second one says nothing new.
- SIGINT and SIGQUIT unless we are in the foreground of a terminal. There they come from the keyboard,
  which has sent them to the command as well; a second SIGINT would turn dbt's orderly cancelling of
  queries into an abort.
- A signal that is ignored when we start (`nohup`, a shell's background job) stays ignored in both.

The exit code is the command's own; where a signal ended it, 128 plus the signal's number, which is what
a shell reports. We do not end ourselves by the same signal: schedulers would take the wrapper for
crashed, and its recording for not done.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from recce_meta.errors import RecceMetaError, UsageError
from recce_meta.masking import presentable

CANNOT_EXECUTE = 126
NOT_FOUND = 127
"""What a POSIX shell answers: https://pubs.opengroup.org/onlinepubs/9699919799/utilities/V3_chap02.html#tag_18_08_02"""

_KEYBOARD = ("SIGINT", "SIGQUIT", "SIGBREAK")
_OTHERS = ("SIGTERM", "SIGHUP")


def hook(
    command: Sequence[str], record: Callable[[], None], strict: bool, warn: Callable[[str], None]
) -> int:
    """The exit code of *command*, after *record* was called on what it left behind.

    dbt writes its artifacts when it fails, too, so *record* is called whatever the exit code is, but
    not where the command could not even be started. That *record* fails is one line to *warn*, and
    changes the exit code only if *strict* and the command itself succeeded.
    """
    try:
        code = _run(command)
    except OSError as error:
        return _cannot_start(command, error)
    try:
        record()
    # The user's job must survive any failure of ours, a programming mistake included: for this command
    # this is the last line of the CLI.
    except Exception as error:  # noqa: BLE001
        warn(f"Run not recorded: {_in_one_line(error)}")
        return code or (RecceMetaError.exit_code if strict else 0)
    return code


def _run(command: Sequence[str]) -> int:
    if not command:
        raise UsageError("No command to run", hint="recce-meta hook -- dbt build")
    with _forwarding_signals() as started:
        # Descriptors that the shell opened for the command, as in `dbt run --vars <(…)`, stay open.
        process = subprocess.Popen(_resolved(command), close_fds=False)
        started(process)
        code = process.wait()
    return 128 - code if code < 0 else code


def _resolved(command: Sequence[str]) -> list[str]:
    """*command* as the system can start it: Windows finds `dbt.cmd` by its full name alone."""
    program = shutil.which(command[0]) if os.name == "nt" else None
    return [program or command[0], *command[1:]]


@contextmanager
def _forwarding_signals() -> Iterator[Callable[[subprocess.Popen[bytes]], None]]:
    """Within the block signals go to the process that the yielded function is told of."""
    processes: list[subprocess.Popen[bytes]] = []
    early: list[int] = []

    def forward(signum: int, _frame: FrameType | None) -> None:
        if not processes:
            early.append(signum)
        elif signal.Signals(signum).name in _OTHERS or not _keyboard_reaches_us():
            processes[0].send_signal(signum)

    def started(process: subprocess.Popen[bytes]) -> None:
        processes.append(process)
        while early:
            process.send_signal(early.pop(0))

    handled = [getattr(signal, name) for name in (*_KEYBOARD, *_OTHERS) if hasattr(signal, name)]
    before = {
        signum: signal.signal(signum, forward)
        for signum in handled
        if signal.getsignal(signum) is not signal.SIG_IGN
    }
    if hasattr(signal, "SIGCHLD"):
        # Where a caller made it ignored, the system forgets the exit codes of dead children.
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        yield started
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def _keyboard_reaches_us() -> bool:
    """Whether our process group is in the foreground of a terminal, so that the child got the signal, too."""
    if sys.platform == "win32":
        return True  # the console tells every process of its group
    try:
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
    if isinstance(error, FileNotFoundError):
        print(f"error: Command not found: {presentable(command[0])}", file=sys.stderr)
        return NOT_FOUND
    print(f"error: Cannot run {presentable(command[0])}: {error.strerror}", file=sys.stderr)
    return CANNOT_EXECUTE


def _in_one_line(error: Exception) -> str:
    if not isinstance(error, RecceMetaError):
        text = f"{type(error).__name__}: {error}"
    else:
        text = error.message if error.hint is None else f"{error.message}; hint: {error.hint}"
    return " ".join(text.split())
