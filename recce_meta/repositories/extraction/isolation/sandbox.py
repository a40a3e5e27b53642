"""Choice of the isolation of a program: the strongest that works on this machine.

Each kind is tried by starting a program in it. What works is tried again after a few minutes, because an
image may be removed.
"""

from __future__ import annotations

import time

from recce_meta.errors import ConfigurationError
from recce_meta.models.run import IsolationKind
from recce_meta.repositories.extraction.isolation import bubblewrap, docker
from recce_meta.repositories.extraction.isolation.base import PlainProcess, ProgramSandbox, Settings

REMEMBERED = 300.0
"""Seconds in which what works is not tried again."""
_WORKS: dict[tuple[IsolationKind, Settings, docker.Image], float] = {}
"""When each kind was last tried with success."""


class NoSandbox(ConfigurationError):
    """No isolation that a repository requires works here; its files are read without running a program.

    *missing* has the reason and an explaining command of each kind that was tried.
    """

    def __init__(self, message: str, missing: dict[IsolationKind, tuple[str, str]], *, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.missing = missing


async def choose(
    kind: IsolationKind | None, *, is_trusted: bool, settings: Settings, image: docker.Image
) -> ProgramSandbox:
    """Return the strongest isolation that works, or that of *kind*.

    *is_trusted* says whether the owner allows files of the repository to be run without isolation. *image*
    is the one that containers would use. Raises NoSandbox if none works that the repository requires.
    """
    if kind is IsolationKind.PROCESS and not is_trusted:
        raise NoSandbox(
            "Isolation 'process' is for trusted repositories only",
            {},
            hint="set the isolation to docker or bubblewrap, or mark the repository as trusted",
        )
    missing: dict[IsolationKind, tuple[str, str]] = {}
    # The members are in the order of their strength.
    for candidate in IsolationKind if kind is None else (kind,):
        if candidate is IsolationKind.PROCESS and not is_trusted:
            continue
        reason = await find_missing(candidate, settings=settings, image=image)
        if reason is None:
            return create(candidate, settings=settings, image=image)
        missing[candidate] = reason
    reasons = "; ".join(f"{candidate.value}: {reason}" for candidate, (reason, _) in missing.items())
    commands = " or ".join(f"`{command}`" for _, command in missing.values())
    raise NoSandbox(
        f"No isolation to run dbt in ({reasons})",
        missing,
        hint=f"see {commands}; until then the project is read without dbt (tier SILVER)",
    )


async def find_missing(
    kind: IsolationKind, *, settings: Settings, image: docker.Image
) -> tuple[str, str] | None:
    """Try an isolation. Return None if it works, else what is missing and a command that explains it."""
    tried = (kind, settings, image)
    reason = None
    # Failures are tried again each time, so that an installed engine is used at once.
    if time.monotonic() - _WORKS.get(tried, -REMEMBERED) >= REMEMBERED:
        if kind is IsolationKind.DOCKER:
            reason = await docker.missing(settings, image)
        elif kind is IsolationKind.BUBBLEWRAP:
            reason = await bubblewrap.missing(settings)
        if reason is None:
            _WORKS[tried] = time.monotonic()
    return reason


def create(kind: IsolationKind, *, settings: Settings, image: docker.Image) -> ProgramSandbox:
    """Return an isolation that works, such as the one that an earlier step has chosen."""
    if kind is IsolationKind.DOCKER:
        return docker.Docker(settings, image)
    return bubblewrap.Bubblewrap(settings) if kind is IsolationKind.BUBBLEWRAP else PlainProcess(settings)
