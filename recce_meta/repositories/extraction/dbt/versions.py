"""Choice of a dbt version from `require-dbt-version`, by dbt's rules.

https://docs.getdbt.com/reference/project-configs/require-dbt-version
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from recce_meta.errors import ConfigurationError

MINORS = tuple(f"1.{number}" for number in range(13))
"""Supported minor versions of dbt Core, oldest first."""
RUST = "2.0"
"""The Rust engine of dbt 2: it accepts fewer projects, so only a connection or a project chooses it."""
NEWEST = MINORS[-1]
_SPECIFIER = re.compile(r"\s*(?P<operator>>=|<=|==|=|>|<)?\s*v?(\d+)\.(\d+)(?:\.(\d+|\*))?[-.+\w]*\s*")
_ANY_PATCH = 10**6
"""Stands for the newest patch of a minor version."""


class _Term(NamedTuple):
    """One term of `require-dbt-version`."""

    operator: str
    version: tuple[int, int, int]

    def is_satisfied(self, version: tuple[int, int, int]) -> bool:
        """Return True if *version* satisfies this term."""
        return {
            ">=": version >= self.version,
            "<=": version <= self.version,
            ">": version > self.version,
            "<": version < self.version,
        }.get(self.operator, version == self.version)


def choose_version(requires: Sequence[str], wanted: str | None = None) -> str:
    """Return the newest minor version, such as `1.10`, of which a patch satisfies all of *requires*.

    *wanted* is the minor version that the connection sets; `2` is the Rust engine. Raises ConfigurationError
    if *wanted* is not supported or not allowed by *requires*, if *requires* is invalid, or if no version
    satisfies it.
    """
    terms = _terms(requires)
    shown = ", ".join(requires)
    if wanted is not None:
        minor = _supported(wanted)
        if not _is_allowed(minor, terms):
            raise ConfigurationError(
                f"dbt {minor} of the connection does not satisfy require-dbt-version: {shown}",
                hint="remove the dbt version of the connection, or set another",
            )
        return minor
    # The Rust engine comes last: it is taken only if no version of dbt Core is allowed.
    for minor in (*reversed(MINORS), RUST):
        if _is_allowed(minor, terms):
            return minor
    raise ConfigurationError(
        f"No supported version of dbt satisfies require-dbt-version: {shown}",
        hint=f"supported are {MINORS[0]} to {NEWEST}, and {RUST}",
    )


def is_satisfied(version: str, requires: Sequence[str]) -> bool:
    """Return True if *version*, such as `1.10.3`, satisfies all of *requires*.

    Raises ConfigurationError if *requires* is invalid.
    """
    numbers = _numbers(version)
    return all(term.is_satisfied(numbers) for term in _terms(requires))


def is_before(minor: str, number: int) -> bool:
    """Return True if *minor* is before dbt 1.*number*.

    >>> is_before("1.9", 10), is_before("2.0", 10)
    (True, False)
    """
    return _numbers(minor) < (1, number, 0)


def _supported(wanted: str) -> str:
    given = re.fullmatch(r"v?(\d+)(?:\.(\d+))?(?:[.].*)?", wanted.strip())
    minor = f"{int(given[1])}.{int(given[2] or 0)}" if given else wanted
    if minor not in (*MINORS, RUST):
        raise ConfigurationError(
            f"dbt {wanted} is not supported", hint=f"choose one of {MINORS[0]} to {NEWEST}, or {RUST}"
        )
    return minor


def _is_allowed(minor: str, terms: Sequence[_Term]) -> bool:
    """Return True if some patch of *minor* satisfies *terms*."""
    first, second, _ = _numbers(minor)
    # Between the limits of the terms nothing changes, so their neighbours stand for all patches.
    near = {patch + step for _, (*_, patch) in terms for step in (-1, 0, 1)} | {0, _ANY_PATCH}
    return any(
        all(term.is_satisfied((first, second, patch)) for term in terms) for patch in near if patch >= 0
    )


def _terms(requires: Sequence[str]) -> tuple[_Term, ...]:
    return tuple(_term(part) for text in requires for part in text.split(",") if part.strip())


def _term(text: str) -> _Term:
    matched = _SPECIFIER.fullmatch(text)
    if matched is None:
        raise ConfigurationError(
            f"Invalid require-dbt-version in dbt_project.yml: '{text.strip()}'",
            hint='write for example [">=1.8.0", "<2.0.0"]',
        )
    return _Term(matched["operator"] or "=", _numbers(text))


def _numbers(text: str) -> tuple[int, int, int]:
    """Return major, minor and patch version in *text*; pre-release and build are ignored."""
    major, minor, patch = ([int(number) for number in re.findall(r"\d+", text)] + [0, 0, 0])[:3]
    return major, minor, patch
