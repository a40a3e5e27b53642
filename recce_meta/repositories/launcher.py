"""Launcher of one child process: limits it, and ends it with all its descendants when the worker goes away.

`processes.run_process` runs this file by its path, isolated from any package. The first argument is JSON:
`line` is the descriptor of a socket to the worker, `worker` its process, `removed` the files that go with the
command, the others are limits. The remaining arguments are the command. When the worker closes its end of the
socket, or dies, every descendant is killed. At the end a report in JSON is written to the socket.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import select
import signal
import socket
import stat
import sys
import time
from pathlib import Path
from typing import Any

IS_LINUX = sys.platform == "linux"
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_PAUSE = 0.01
"""Seconds between two attempts to kill all descendants."""
_LOOK = 0.2
"""Seconds between two looks at limits that hold for all descendants together."""
_LEAST_BLOCK = 4096
"""Bytes that count for a file at least, so that a folder of many empty files is full, too."""
CANNOT_RUN = 127
"""Exit code if the command cannot be started, as in a shell."""


def main() -> None:
    """Run the command of the arguments, and end as it ended."""
    options, command = json.loads(sys.argv[1]), sys.argv[2:]
    line = socket.socket(fileno=options["line"])
    # A descendant that held the socket could send a report, or keep the worker waiting.
    line.set_inheritable(False)
    if IS_LINUX:
        # Descendants that lose their parent become children of this process, and are found by `_kill_all`.
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)
        _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    # The worker died before the signal for its death was set.
    if os.getppid() != options["worker"]:
        _remove(options["removed"])
        return
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    # Signals become bytes in a pipe, so that one `select` waits for them and for the worker.
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, frame: None)
    _take_precedence()
    launcher = os.getpid()
    child = os.fork()
    if child == 0:
        _become(command, options, launcher)
    status, excess = _wait(child, line, reader, options)
    # Also after a normal end: the program may have left processes in the background.
    _kill_all(child, is_running=status is None)
    _remove(options["removed"])
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    report = {
        "code": os.waitstatus_to_exitcode(status) if status is not None else -signal.SIGKILL,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_memory": usage.ru_maxrss * (1024 if IS_LINUX else 1),
        "excess": excess,
    }
    with contextlib.suppress(OSError):
        line.sendall(json.dumps(report).encode())
    os._exit(0)


def _remove(files: list[str]) -> None:
    for file in files:
        with contextlib.suppress(OSError):
            Path(file).unlink()


def _take_precedence() -> None:
    """Run before all ordinary programs, if allowed, as root is: a fork bomb must not outrun its watch."""
    with contextlib.suppress(AttributeError, OSError):
        os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def _become(command: list[str], options: dict[str, Any], launcher: int) -> None:
    """Replace this process, a child of the launcher, by *command* in a session of its own."""
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        # Python ignores both, and ignored signals stay ignored in the new program.
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        if IS_LINUX:
            _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            # The launcher died before the signal for its death was set.
            if os.getppid() != launcher:
                os._exit(CANNOT_RUN)
        _give_way(options["niceness"])
        _limit(resource.RLIMIT_CORE, 0)
        # For each process; the watch in `_excess` limits all of them together.
        _limit(resource.RLIMIT_AS, options["memory"])
        _limit(resource.RLIMIT_FSIZE, options["file_size"])
        # Python sets LC_CTYPE in its own environment if it starts with the C locale.
        environment = {
            key: text for key, text in os.environb.items() if key != b"LC_CTYPE" or options["locale"]
        }
        os.execvpe(command[0], command, environment)
    except (OSError, ValueError) as error:
        os.write(2, f"cannot run {command[0]}: {error}\n".encode(errors="backslashreplace"))
    finally:
        os._exit(CANNOT_RUN)


def _give_way(niceness: int) -> None:
    """Leave the processors to programs with a lower *niceness*."""
    # Not added to that of the server, which may be nice itself: a program at 19 starves.
    os.setpriority(os.PRIO_PROCESS, 0, max(niceness, os.getpriority(os.PRIO_PROCESS, 0)))
    # Some kernels compare the niceness of sessions instead of that of their processes.
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(niceness))


def _limit(kind: int, most: int | None) -> None:
    """Set a limit, at most the one that holds already."""
    if most is not None:
        hard = resource.getrlimit(kind)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))


def _wait(
    child: int, line: socket.socket, reader: int, options: dict[str, Any]
) -> tuple[int | None, str | None]:
    """Wait for *child*. Return its status, or None and the exceeded limit if it has to be killed."""
    watched = ("cpu_seconds", "memory", "processes", "folder_size")
    is_watched = any(options[limit] is not None for limit in watched)
    looked = time.monotonic()
    while True:
        # Before the wait: one signal can stand for several children.
        while (ended := _reap()) is not None:
            if ended[0] == child:
                return ended[1], None
        ready: list[int] = select.select([line.fileno(), reader], [], [], _LOOK if is_watched else None)[0]
        if line.fileno() in ready:
            return None, None
        if reader in ready and any(number != signal.SIGCHLD for number in os.read(reader, 4096)):
            return None, None
        if is_watched and time.monotonic() - looked >= _LOOK:
            if (excess := _excess(options)) is not None:
                return None, excess
            looked = time.monotonic()


def _excess(options: dict[str, Any]) -> str | None:
    """Return the limit that all descendants together exceed."""
    most, memory, size = options["processes"], options["memory"], options["folder_size"]
    seconds = options["cpu_seconds"]
    found = _descendants(os.getpid(), most)
    if most is not None and (len(found) > most or _threads_of(found) > most):
        return "processes"
    if seconds is not None and _cpu_seconds_of(found) > seconds:
        return "cpu_seconds"
    if memory is not None and _memory_of(found) > memory:
        return "memory"
    if size is not None and _is_larger(options["folder"], size - _removed(found)):
        return "folder_size"
    return None


def _threads_of(pids: list[int]) -> int:
    """Return the number of threads of processes."""
    threads = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            # The folder has a link for each thread, and two of its own.
            threads += Path(f"/proc/{pid}/task").stat().st_nlink - 2
    return threads


def _cpu_seconds_of(pids: list[int]) -> float:
    """Return the CPU time of processes, and of all that have ended."""
    ended, ticks = resource.getrusage(resource.RUSAGE_CHILDREN), 0
    for pid in pids:
        with contextlib.suppress(OSError):
            # Own time in user and in system mode, then that of the children it has waited for.
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(map(int, fields[11:15]))
    return ended.ru_utime + ended.ru_stime + ticks / os.sysconf("SC_CLK_TCK")


def _memory_of(pids: list[int]) -> int:
    """Return the bytes of memory of processes, without what they share."""
    pages = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            _, resident, shared, *_ = Path(f"/proc/{pid}/statm").read_text().split()
            # Libraries that many processes share would count once for each of them.
            pages += int(resident) - int(shared)
    return pages * resource.getpagesize()


def _removed(pids: list[int]) -> int:
    """Return the bytes on a disk of files that processes hold open after they were removed."""
    sizes = {}
    for pid in pids:
        with contextlib.suppress(OSError), os.scandir(f"/proc/{pid}/fd") as descriptors:
            for descriptor in descriptors:
                with contextlib.suppress(OSError):
                    file = descriptor.stat()
                    if stat.S_ISREG(file.st_mode) and file.st_nlink == 0:
                        # By file, because several processes and descriptors can hold the same one.
                        sizes[file.st_dev, file.st_ino] = file.st_blocks * 512
    return sum(sizes.values())


def _is_larger(folder: str, most: int) -> bool:
    """Return True if the files in *folder* take more than *most* bytes of the disk. Follow no link."""
    used, ahead = 0, [folder]
    while ahead:
        with contextlib.suppress(OSError), os.scandir(ahead.pop()) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    used += max(entry.stat(follow_symlinks=False).st_blocks * 512, _LEAST_BLOCK)
                    if entry.is_dir(follow_symlinks=False):
                        ahead.append(entry.path)
                if used > most:
                    return True
    return False


def _reap() -> tuple[int, int] | None:
    """Return id and status of a child that has ended; None if no other has."""
    try:
        ended = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return None
    return ended if ended[0] else None


def _kill_all(child: int, *, is_running: bool) -> None:
    """Kill all descendants and wait for them.

    The group of *child* dies at once. On Linux the launcher adopts descendants that have left the group, and
    kills them until no child remains.
    """
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    if is_running:
        os.kill(child, signal.SIGKILL)
    while True:
        # Repeated until no child is left: a fork may happen between the listing and the signal.
        for pid in _descendants(os.getpid(), None):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(_PAUSE)


def _descendants(pid: int, most: int | None) -> list[int]:
    """List descendants of *pid*, about *most* of them; empty if the system does not list them in /proc."""
    found: list[int] = []
    ahead = [pid]
    while ahead and (most is None or len(found) <= most):
        parent = ahead.pop()
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{parent}/task").iterdir():
                children = [int(text) for text in (task / "children").read_text().split()]
                found += children
                ahead += children
    return found


if __name__ == "__main__":
    main()
