"""Isolation by bubblewrap: namespaces of the kernel, without privileges and without a service.

The program sees the system's programs and libraries, and the folders that it is given. It has an empty /tmp,
no other processes, no capabilities, another user id, and no network unless it is online. The worker's
environment and home folder are not visible. An online program shares the network of the worker, so that it
reaches what the worker reaches.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from recce_meta.errors import first_line
from recce_meta.models.run import IsolationKind
from recce_meta.repositories.extraction.isolation.base import (
    TEMPORARY_SIZE,
    Program,
    ProgramSandbox,
    Settings,
    check,
    limits_of,
    mounts,
)
from recce_meta.repositories.processes import Completed, ProcessLimits, run_process
from recce_meta.temporary import temporary_folder

_NOBODY = "65534"
_SHARED_MEMORY_SIZE = 64 * 2**20
_OPEN_FILES = 1024
_TOP = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_READ = (
    "/etc/alternatives",
    "/etc/ca-certificates",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/pki/ca-trust",
    "/etc/pki/tls/cert.pem",
    "/etc/ssl/cert.pem",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
)
"""Of /etc, without the private keys in /etc/ssl/private and the users in /etc/passwd."""
_READ_ONLINE = ("/etc/hosts", "/etc/nsswitch.conf", "/etc/resolv.conf")
SWITCHES = (
    ("/proc/sys/user/max_user_namespaces", "0", "sysctl user.max_user_namespaces"),
    ("/proc/sys/kernel/unprivileged_userns_clone", "0", "sysctl kernel.unprivileged_userns_clone"),
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "sysctl kernel.apparmor_restrict_unprivileged_userns",
    ),
)
"""Files of the kernel, the value that turns user namespaces off, and the command that shows it."""
_OPTIONS = ("--size", "--disable-userns")
"""Options that came last, with bubblewrap 0.8."""
_PROBE_LIMITS = ProcessLimits(seconds=60)


class Bubblewrap(ProgramSandbox):
    """Namespaces of the kernel."""

    kind = IsolationKind.BUBBLEWRAP

    def __init__(self, settings: Settings, program: str | None = None) -> None:
        super().__init__(settings)
        self._bwrap = program or shutil.which("bwrap") or "bwrap"

    def command(self, program: Program) -> list[str]:
        """Return the command line of bwrap."""
        check(program, self.settings)
        limits = limits_of(program)
        # --unshare-all only tries a user namespace, and --disable-userns needs one.
        command = [self._bwrap, "--unshare-all", "--unshare-user", "--disable-userns"]
        # A new session, so that the program cannot type into the terminal of the worker (TIOCSTI).
        command += ["--die-with-parent", "--new-session", "--cap-drop", "ALL"]
        command += ["--uid", _NOBODY, "--gid", _NOBODY, "--hostname", "sandbox"]
        if program.is_online:
            command.append("--share-net")
        command += [*_system(is_online=program.is_online), "--proc", "/proc", "--dev", "/dev"]
        # Files in memory count for no limit of the launcher, so their size is bounded here.
        command += ["--size", str(_SHARED_MEMORY_SIZE), "--tmpfs", "/dev/shm", "--remount-ro", "/dev"]
        command += ["--size", str(TEMPORARY_SIZE), "--perms", "1777", "--tmpfs", "/tmp"]
        # After /tmp: the folders of jobs may be below it.
        for path, is_writable in mounts(program):
            command += ["--bind" if is_writable else "--ro-bind", str(path), str(path)]
        # The root is a tmpfs that the program could otherwise fill.
        command += ["--remount-ro", "/", "--chdir", str(program.cwd)]
        for name, value in (("HOME", "/tmp"), ("TMPDIR", "/tmp"), ("PATH", os.defpath)):
            if name not in program.env:
                command += ["--setenv", name, value]
        command += [
            "--",
            "prlimit",
            f"--nproc={limits.processes}",
            f"--nofile={_OPEN_FILES}",
            "--core=0",
            "--",
        ]
        return [*command, *program.argv]


def _system(*, is_online: bool) -> list[str]:
    """Return the options that show the system's programs, libraries and certificates."""
    options = ["--ro-bind", "/usr", "/usr"]
    for path in map(Path, _TOP):
        # On merged systems /bin is a link into /usr, which is mounted already.
        if path.is_symlink():
            options += ["--symlink", str(path.readlink()), str(path)]
        elif path.exists():
            options += ["--ro-bind", str(path), str(path)]
    for name in (*_READ, *(_READ_ONLINE if is_online else ())):
        if Path(name).exists():
            options += ["--ro-bind", name, name]
    return options


async def missing(settings: Settings) -> tuple[str, str] | None:
    """Start a program in a sandbox. Return None if that works, else the reason and a command.

    The command shows the reason, or removes it.
    """
    program = shutil.which("bwrap")
    if program is None:
        return "bubblewrap is not installed", "apt-get install bubblewrap"
    shown = await run_process([program, "--help"], env={}, limits=_PROBE_LIMITS)
    if not all(option in shown.output for option in _OPTIONS):
        return "bubblewrap is older than 0.8", "bwrap --version"
    with temporary_folder() as name:
        folder = Path(name)
        probe = Program(
            argv=("true",), env={}, writable=folder, cwd=folder, job="probe", limits=_PROBE_LIMITS
        )
        ran = await Bubblewrap(settings, program).run(probe)
    return explain(ran) if ran.code else None


def explain(ran: Completed) -> tuple[str, str]:
    """Return why bwrap failed, and a command that shows it."""
    message = first_line(ran.errors) or f"bwrap ended with {ran.code}"
    if "prlimit" in message:
        return "prlimit is not installed", "apt-get install util-linux"
    for path, off, command in SWITCHES:
        if Path(path).exists() and Path(path).read_text().strip() == off:
            return f"unprivileged user namespaces are off ({message})", command
    if "proc" in message:
        return f"the container of the worker hides parts of /proc ({message})", "findmnt --submounts /proc"
    return f"user namespaces are not allowed here ({message})", "unshare --user --map-root-user true"
