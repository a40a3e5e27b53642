"""Clock of proofs: cases numbered by seeds, one after the other, until the time is over.

A case depends on its seed alone, so a proof goes on where it stopped with the seed that it prints.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from time import monotonic


class Clock:
    """Seeds from `--seed` on, for `--seconds`; each that is taken is counted."""

    def __init__(self, first: int, seconds: float) -> None:
        self.first, self.next = first, first
        self._end = monotonic() + seconds

    @classmethod
    def of(cls, parser: argparse.ArgumentParser) -> tuple[Clock, argparse.Namespace]:
        """Add both options to *parser*, parse the command line, and start the clock."""
        parser.add_argument("--seconds", type=float, default=600, help="begin no case after them [600]")
        parser.add_argument("--seed", type=int, default=1, help="number of the first case [1]")
        given = parser.parse_args()
        return cls(given.seed, given.seconds), given

    def seeds(self) -> Iterator[int]:
        """Yield the seed of each case, at least one."""
        while self.next == self.first or monotonic() < self._end:
            self.next += 1
            yield self.next - 1

    def report(self, failed: int) -> str:
        """Return what was done, and how to go on."""
        return f"{self.next - self.first} cases, {failed} failed; go on with --seed {self.next}"
