"""Child processes of a job: limited, measured, and gone with their descendants when the job stops waiting."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from recce_meta.machine import machine_memory

log = logging.getLogger(__name__)
_LAUNCHER = Path(__file__).with_name("launcher.py")
_TIMES = 64
"""A program is killed after so many times the output that is kept."""
_PIECE = 2**16
_PAUSE = 0.01
_PATIENCE = 10.0
"""Seconds in which a launcher kills its descendants, before it is killed."""


class ProcessLimits(Struct, frozen=True, kw_only=True):
    """Limits of one child process and its descendants."""

    seconds: float = 600
    """Time after which the group is killed."""
    cpu_seconds: float | None = None
    """CPU time of the program and its descendants."""
    niceness: int = 0
    """Number from 0 to 19; the higher it is, the more the program leaves the processors to others."""
    output: int = 2**20
    """Bytes of standard output and error that are kept, each, from the end."""
    printed: int | None = None
    """Bytes of standard output or error at which the program is killed; 64 times `output` if None."""
    memory: int | None = None
    """Bytes of address space of each process, and of memory of all together."""
    processes: int | None = None
    """Number of processes and threads; more are killed."""
    file_size: int | None = None
    """Bytes of each file that is written."""
    folder: Path | None = None
    """Folder that the program writes."""
    folder_size: int | None = None
    """Bytes on the disk of all files in *folder*."""


DEFAULT_LIMITS = ProcessLimits()
LOW_PRIORITY = 10
"""Niceness of programs for forks: those of other jobs get about ten times their CPU."""
LEAST_MEMORY = 2 * 2**30
"""Bytes that a program may always take: the address space of a dbt with several threads."""


def memory_limit(most: int) -> int:
    """Return half the bytes of memory of the machine or container, at most *most*."""
    return min(most, max(machine_memory() // 2, LEAST_MEMORY))


class Completed(Struct, frozen=True, kw_only=True):
    """Outcome of a child process."""

    code: int
    """Exit code; negative for a signal; 127 if the program cannot be started."""
    output: str
    errors: str
    seconds: float
    cpu_seconds: float
    """Of the process and its descendants."""
    peak_memory: int
    """Bytes of the largest process."""
    is_late: bool = False
    """Whether the time limit has killed it."""
    is_verbose: bool = False
    """Whether the output limit has killed it."""
    excess: str | None = None
    """The limit that has killed it, such as `seconds`, `cpu_seconds`, `output`, `memory` or `folder_size`."""


async def finish(work: Awaitable[None]) -> None:
    """Wait for *work*, also if the task is cancelled meanwhile."""
    task = asyncio.ensure_future(work)
    while not task.done():
        with contextlib.suppress(asyncio.CancelledError):
            # `wait` leaves the task alone when it is cancelled; awaiting the task itself would cancel it.
            await asyncio.wait([task])
    task.result()


async def run_process(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path | None = None,
    limits: ProcessLimits = DEFAULT_LIMITS,
    on_line: Callable[[str], None] | None = None,
    pid_file: Path | None = None,
    removed: Sequence[Path] = (),
) -> Completed:
    """Run *command* in a session of its own, and return its outcome.

    When the call ends, the program and its descendants are gone, also if the task is cancelled. They are
    killed if this process dies. On Linux that includes descendants that have left the session; on other
    systems such descendants survive.

    *env* is the complete environment, and *cwd* the working folder, by default that of this process. *limits*
    hold for the program and its descendants together. *on_line* is called with each line of standard output
    and error, up to `limits.output` bytes of each. *pid_file* identifies the process while it runs, for
    `kill_left`. The files *removed* are removed when the program ends, also if this process is killed. Raises
    OSError if *cwd* cannot be entered, *pid_file* cannot be written, or the system cannot start another
    process.
    """
    parts, files = [str(part) for part in command], [str(file) for file in removed]
    launched = _launch(parts, env, cwd, limits, removed=files)
    child = _Child(launched, limits, on_line)
    ending = asyncio.ensure_future(child.finish())
    try:
        if pid_file is not None:
            pid = launched.process.pid
            pid_file.write_text(json.dumps({"pid": pid, "started": _start_of(pid)}))
        # Shielded: a cancelled caller still has to wait below until the processes are gone.
        return await asyncio.shield(ending)
    finally:
        while not ending.done():
            child.stop()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([ending])
        if pid_file is not None:
            pid_file.unlink(missing_ok=True)


def kill_left(pid_file: Path) -> bool:
    """Kill the program that an earlier worker left, and wait for its end. Return True if it was running.

    A process that has taken its id since then is spared. The file stays if the program does not end in time,
    such as in a call of the system that cannot be interrupted.
    """
    try:
        left = json.loads(pid_file.read_bytes())
        pid, started = int(left["pid"]), str(left["started"])
    except (OSError, ValueError, KeyError, TypeError):
        return False
    # An id alone is not enough: the system gives the ids of ended processes to new ones.
    was_running = _start_of(pid) == started
    # The process is a launcher, which needs the signal and some time to kill its descendants.
    number, until = signal.SIGTERM, time.monotonic() + _PATIENCE
    while _start_of(pid) == started:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        if time.monotonic() > until + _PATIENCE:
            log.warning("process %d, which a job has left, cannot be killed", pid)
            return True
        if time.monotonic() > until:
            number = signal.SIGKILL
        time.sleep(_PAUSE)
    pid_file.unlink(missing_ok=True)
    return was_running


def _start_of(pid: int) -> str | None:
    """Return the start time of a process, in the system's own notation; None if it has ended."""
    if sys.platform != "linux":
        shown = subprocess.run(
            ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
        )
        state, _, started = shown.stdout.strip().partition(" ")
        return None if not started or state.startswith("Z") else started.strip()
    try:
        # The name of the program stands in parentheses, and may itself contain spaces and parentheses.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


def _launch(
    command: list[str],
    env: Mapping[str, str],
    cwd: Path | None,
    limits: ProcessLimits,
    *,
    removed: list[str],
) -> _Launched:
    line, other = socket.socketpair()
    line.setblocking(False)
    options = {
        "line": other.fileno(),
        "worker": os.getpid(),
        "removed": removed,
        "locale": "LC_CTYPE" in env,
        "cpu_seconds": limits.cpu_seconds,
        "niceness": limits.niceness,
        "memory": limits.memory,
        "processes": limits.processes,
        "file_size": limits.file_size,
        "folder": None if limits.folder is None else str(limits.folder),
        "folder_size": limits.folder_size,
    }
    try:
        process = subprocess.Popen(
            # Isolated: PYTHON* variables in *env* and site packages must not change the launcher.
            [sys.executable, "-I", "-S", _LAUNCHER, json.dumps(options), *command],
            # The launcher passes its own environment on, so that no value stands in a command line.
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            pass_fds=[other.fileno()],
        )
    except OSError:
        line.close()
        raise
    finally:
        # While this end is open here, the end of the launcher would not be noticed.
        other.close()
    return _Launched(process, line)


async def _read_report(line: socket.socket) -> _Report:
    """Read the report of a launcher until it ends."""
    data = b""
    while piece := await asyncio.get_running_loop().sock_recv(line, _PIECE):
        data += piece
    # A launcher that was killed closes the socket without a report.
    return msgspec.json.decode(data, type=_Report) if data else _Report()


class _Report(Struct, frozen=True):
    """Last words of a launcher; the defaults are those of a launcher that was killed."""

    code: int = -signal.SIGKILL
    cpu_seconds: float = 0.0
    peak_memory: int = 0
    excess: str | None = None


class _Child:
    """A launched program and its output."""

    def __init__(
        self, launched: _Launched, limits: ProcessLimits, on_line: Callable[[str], None] | None
    ) -> None:
        self._launched = launched
        self._limits = limits
        self._streams = [_Stream(limits, on_line, self.stop) for _ in range(2)]
        self._is_late = self._is_stopped = False

    def stop(self) -> None:
        """Ask the launcher to kill all descendants; kill it if it does not end."""
        if not self._is_stopped:
            self._is_stopped = True
            with contextlib.suppress(OSError):
                # Only this direction: the launcher's report still has to arrive.
                self._launched.line.shutdown(socket.SHUT_WR)
            # Not cancelled later: `kill` does nothing once the process was waited for.
            asyncio.get_running_loop().call_later(_PATIENCE, self._launched.process.kill)

    def _stop_late(self) -> None:
        self._is_late = True
        self.stop()

    async def finish(self) -> Completed:
        """Wait for the end of the program, and return its outcome."""
        started, loop = time.monotonic(), asyncio.get_running_loop()
        process = self._launched.process
        timer = loop.call_later(self._limits.seconds, self._stop_late)
        transports: list[asyncio.BaseTransport] = []
        try:
            for stream, pipe in zip(self._streams, (process.stdout, process.stderr), strict=True):
                transports.append((await loop.connect_read_pipe(stream.itself, pipe))[0])
            report = await _read_report(self._launched.line)
            # Bounded: on systems other than Linux, a descendant that survives can hold the pipes open.
            await asyncio.wait([stream.ended for stream in self._streams], timeout=_PATIENCE)
        finally:
            timer.cancel()
            for transport in transports:
                transport.close()
            self._launched.close()
        is_verbose = any(stream.is_over for stream in self._streams)
        return Completed(
            output=self._streams[0].text,
            errors=self._streams[1].text,
            seconds=time.monotonic() - started,
            is_late=self._is_late,
            is_verbose=is_verbose,
            # The launcher does not know these two: it is only asked to stop.
            excess="seconds" if self._is_late else "output" if is_verbose else report.excess,
            code=report.code,
            cpu_seconds=report.cpu_seconds,
            peak_memory=report.peak_memory,
        )


class _Stream(asyncio.Protocol):
    """Keeps the end of standard output or error, passes on its first lines, and reports too much of it."""

    def __init__(
        self, limits: ProcessLimits, on_line: Callable[[str], None] | None, on_excess: Callable[[], None]
    ) -> None:
        self.ended = asyncio.get_running_loop().create_future()
        self._most = limits.output
        self._printed = limits.output * _TIMES if limits.printed is None else limits.printed
        self._on_line = on_line
        self._on_excess = on_excess
        self._kept = bytearray()
        self._line = bytearray()
        self._count = 0

    @property
    def is_over(self) -> bool:
        """True if there was more output than is allowed."""
        return self._count > self._printed

    @property
    def text(self) -> str:
        """The last bytes of the output."""
        return self._kept[-self._most :].decode(errors="replace") if self._most else ""

    def itself(self) -> _Stream:
        """Return this protocol, as a factory of protocols."""
        return self

    def data_received(self, data: bytes) -> None:
        """Keep *data*."""
        if self._on_line is not None and self._count < self._most:
            *lines, rest = (self._line + data).split(b"\n")
            self._line = rest
            for line in lines:
                self._on_line(line.decode(errors="replace"))
        self._count += len(data)
        self._kept += data
        # Cut only at twice the length: a cut at each piece would copy the whole buffer each time.
        if len(self._kept) > 2 * self._most:
            del self._kept[: -self._most or None]
        if self.is_over:
            self._on_excess()

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass on the last line, if it has no line break."""
        if self._on_line is not None and self._line:
            self._on_line(self._line.decode(errors="replace"))
        self.ended.set_result(None)


class _Launched(Struct, frozen=True):
    """Process of a launcher, and the socket to it."""

    process: subprocess.Popen[bytes]
    line: socket.socket

    def close(self) -> None:
        """Let the launcher end, and wait for it."""
        self.line.close()
        try:
            self.process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
