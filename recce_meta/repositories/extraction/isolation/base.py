"""Interface of all kinds of isolation, the rules that each of them follows, and the kind without any."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from recce_meta.errors import ConfigurationError
from recce_meta.models.run import IsolationKind
from recce_meta.repositories.processes import Completed, ProcessLimits, run_process

SANDBOX_LIMITS = ProcessLimits(memory=4 * 2**30, processes=256, file_size=2**30, folder_size=2 * 2**30)
"""Limits of programs in a sandbox that sets no others."""
TEMPORARY_SIZE = 512 * 2**20
"""Bytes of /tmp in a sandbox."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LOADER = ("LD_", "DYLD_", "GLIBC_", "GCONV_", "MALLOC_", "DOCKER_", "CONTAINER_")
"""Beginnings of variables that change the program which builds the sandbox."""


class Settings(Struct, frozen=True, kw_only=True):
    """Settings of isolation that hold for a worker."""

    engine: str = "docker"
    """Program that runs containers: docker, or podman with the same options."""
    image: str = "recce-meta-runner"
    """Name of the images, without tag. One with a slash is pulled from its registry if it is missing."""
    private: tuple[Path, ...] = ()
    """Files and folders that no sandbox shows, such as those of state, keys and stores."""


class Program(Struct, frozen=True, kw_only=True):
    """A program that runs files of a repository, and what it may use."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    """The complete environment."""
    writable: Path
    """The one folder that it may write."""
    read_only: tuple[Path, ...] = ()
    """Files and folders that it may read, besides those of the system. Inside, their paths are the same."""
    cwd: Path
    secrets: Mapping[Path, str] = {}
    """Content of files of `read_only` that exist while the program runs: not even a kill leaves them."""
    job: str
    """Id of the job, by which `Sandbox.remove` finds what is left."""
    is_online: bool = False
    """Whether it has a network."""
    limits: ProcessLimits = SANDBOX_LIMITS
    """ProcessLimits that are None are those of `SANDBOX_LIMITS`."""


class ProgramSandbox(ABC):
    """A kind of isolation that works on this machine."""

    kind: IsolationKind

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @abstractmethod
    def command(self, program: Program) -> list[str]:
        """Return the command that runs *program*, without the values of its environment.

        The command needs `program.env` as its own environment. Raises ConfigurationError if the program may
        not get a variable, or if a folder that it may use contains a private one.
        """

    def limits(self, program: Program) -> ProcessLimits:
        """Return the limits of the process that runs the command."""
        return limits_of(program)

    async def run(
        self,
        program: Program,
        *,
        on_line: Callable[[str], None] | None = None,
        pid_file: Path | None = None,
    ) -> Completed:
        """Run *program*; when the call ends, also by cancellation, nothing of it runs any more.

        *on_line* and *pid_file* are those of `run_process`. Raises ConfigurationError as `command` does, and
        OSError if the system cannot start another process.
        """
        command = self.command(program)
        try:
            for file, content in program.secrets.items():
                # Created with its mode before the secret is written.
                file.touch(mode=0o600)
                file.write_text(content, encoding="utf-8")
            self.hand_over(program)
            return await run_process(
                command,
                env=program.env,
                cwd=program.cwd,
                limits=self.limits(program),
                on_line=on_line,
                pid_file=pid_file,
                removed=[*program.secrets],
            )
        finally:
            for file in program.secrets:
                file.unlink(missing_ok=True)

    def hand_over(self, program: Program) -> None:  # noqa: B027
        """Give the files of *program* to the user that runs it, if that is another one."""

    async def remove(self, job: str) -> None:  # noqa: B027
        """Remove what an earlier worker left of a job, apart from the process that its pid file names."""


def limits_of(program: Program) -> ProcessLimits:
    """Return the limits of *program*, complete."""
    given = msgspec.structs.asdict(program.limits)
    missing = {name: getattr(SANDBOX_LIMITS, name) for name, value in given.items() if value is None}
    return msgspec.structs.replace(program.limits, **{**missing, "folder": program.writable})


def check(program: Program, settings: Settings) -> None:
    """Refuse variables that change the builder of the sandbox, and folders that contain a private one.

    Raises ConfigurationError.
    """
    for name in program.env:
        # bwrap and docker get the program's environment too, and run outside of the sandbox.
        if not _NAME.fullmatch(name) or name.upper().startswith(_LOADER):
            raise ConfigurationError(
                f"The variable {name!r} cannot be passed to a program in a sandbox",
                hint="remove it from the variables of the connection",
            )
    for folder in (*program.read_only, program.writable):
        for private in settings.private:
            # Resolved, because a mount follows links.
            if private.resolve().is_relative_to(folder.resolve()):
                raise ConfigurationError(
                    f"{folder} cannot be shown to a program in a sandbox: it contains {private}",
                    hint="move the work folder, the state, the keys and the store to folders of their own",
                )


def mounts(program: Program) -> Sequence[tuple[Path, bool]]:
    """Return paths and whether they are writable, outer folders before inner ones."""
    read_only = [(path, False) for path in program.read_only if path != program.writable]
    # An outer folder that is mounted later would hide the inner one.
    return sorted([*read_only, (program.writable, True)], key=lambda mount: len(mount[0].parts))


class PlainProcess(ProgramSandbox):
    """A child process of the worker."""

    kind = IsolationKind.PROCESS

    def command(self, program: Program) -> list[str]:
        """Return the command of the program itself."""
        check(program, self.settings)
        return list(program.argv)
