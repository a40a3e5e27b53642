"""No isolation: a plain child process with limits and an environment of its own.

It reads and writes what the worker may read and write, so it is for repositories that their owner marks as
trusted. On macOS, descendants that leave its session survive it.
"""

from __future__ import annotations

from recce_meta.models.run import IsolationKind
from recce_meta.repositories.isolation.base import Program, ProgramSandbox, check


class PlainProcess(ProgramSandbox):
    """A child process of the worker."""

    kind = IsolationKind.PROCESS

    def command(self, program: Program) -> list[str]:
        """Return the command of the program itself."""
        check(program, self.settings)
        return list(program.argv)
