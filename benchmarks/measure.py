"""Shared tools of the benchmarks: interleaved timing, peak memory of a fresh process, and a table."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import Any

from recce_meta.api.data.execution import Around
from recce_meta.data_diff.plan import Query

Work = Callable[[], object]
CpuSeconds = Callable[[], float]
Clock = Callable[[], "Timing"]
"""Function that does something once, and returns its duration."""


@dataclass(frozen=True)
class Timing:
    """Best of several rounds, in seconds."""

    wall: float
    cpu: float
    """CPU time of this process and all of its threads, which other programs on the machine affect least."""

    def __add__(self, other: Timing) -> Timing:
        return Timing(self.wall + other.wall, self.cpu + other.cpu)

    def __sub__(self, other: Timing) -> Timing:
        return Timing(self.wall - other.wall, self.cpu - other.cpu)


@dataclass(frozen=True)
class Figure:
    """One line of the table."""

    what: str
    ours: str
    floor: str = "–"
    ratio: str = "–"
    target: str = "–"
    met: bool | None = None

    def cells(self) -> tuple[str, ...]:
        met = "" if self.met is None else "yes" if self.met else "**no**"
        return (self.what, self.ours, self.floor, self.ratio, self.target, met)


def in_turns(*works: Work, rounds: int = 7, before: Work | None = None) -> list[Timing]:
    """Return the best of *rounds* of each of *works*, in this process; *before* runs before each, untimed."""
    return best_of(*(clock(work, before) for work in works), rounds=rounds)


def best_of(*clocks: Clock, rounds: int) -> list[Timing]:
    """Return the best of *rounds* readings of each of *clocks*.

    They take turns, so that a busy machine affects all of them.
    """
    found = [[clock() for clock in clocks] for _ in range(rounds)]
    return [quickest(timings) for timings in zip(*found, strict=True)]


def clock(work: Work, before: Work | None = None, cpu_seconds: CpuSeconds = time.process_time) -> Clock:
    """Return a clock for *work* in this process; *cpu_seconds* is read before and after."""

    def reading() -> Timing:
        if before is not None:
            before()
        gc.collect()
        cpu, wall = cpu_seconds(), time.perf_counter()
        result = work()
        timing = Timing(time.perf_counter() - wall, cpu_seconds() - cpu)
        del result
        return timing

    return reading


def quickest(timings: Iterable[Timing]) -> Timing:
    """Return the best of *timings*, by each of the two clocks."""
    known = list(timings)
    return Timing(min(timing.wall for timing in known), min(timing.cpu for timing in known))


def command(arguments: Sequence[str], *, says: str = "", **options: Any) -> Clock:
    """Return a clock for a process that must print *says*, since some exit with 0 after a failure.

    *options* are those of `subprocess.run`.
    """

    def reading() -> Timing:
        start, before = time.perf_counter(), getrusage(RUSAGE_CHILDREN)
        done = subprocess.run(arguments, capture_output=True, text=True, **options)
        wall, after = time.perf_counter() - start, getrusage(RUSAGE_CHILDREN)
        if done.returncode or says not in done.stdout:
            raise RuntimeError(
                f"{' '.join(arguments)} exits with {done.returncode}:\n{done.stdout}{done.stderr}"
            )
        cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        return Timing(wall, cpu)

    return reading


def compared(
    what: str, ours: Timing, floor: Timing, most: float, against: str, *, by_cpu: bool = False
) -> Figure:
    """Return a figure with the ratio of two timings and the limit *most*, by wall clock or CPU time."""
    ratio = ours.cpu / floor.cpu if by_cpu else ours.wall / floor.wall
    return Figure(
        what,
        f"{ours.wall * 1e3:.0f} ms (cpu {ours.cpu * 1e3:.0f})",
        f"{against}: {floor.wall * 1e3:.0f} ms (cpu {floor.cpu * 1e3:.0f})",
        f"{ours.wall / floor.wall:.2f} (cpu {ours.cpu / floor.cpu:.2f})",
        f"≤ {most:g}",
        ratio <= most,
    )


def faster(what: str, ours: Timing, theirs: Timing, least: float, name: str) -> Figure:
    """Return a figure with the factor by which another tool takes more CPU time: at least *least*."""
    ratio = theirs.cpu / ours.cpu
    return Figure(
        what,
        f"{ours.wall * 1e3:.0f} ms (cpu {ours.cpu * 1e3:.0f})",
        f"{name}: {theirs.wall * 1e3:.0f} ms (cpu {theirs.cpu * 1e3:.0f})",
        f"{theirs.wall / ours.wall:.1f} × (cpu {ratio:.1f} ×)",
        f"≥ {least:g} ×",
        ratio >= least,
    )


def within(what: str, ours: Timing, seconds: float) -> Figure:
    """Return a figure that compares a timing with a limit."""
    shown = f"{ours.wall * 1e3:.0f} ms (cpu {ours.cpu * 1e3:.0f})"
    return Figure(what, shown, target=f"< {seconds * 1e3:.0f} ms", met=ours.wall < seconds)


def rss() -> int:
    """Return the bytes of memory that this process currently uses (Linux)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def peak_rss() -> int:
    """Return the peak memory of this process in bytes (Linux).

    `ru_maxrss` would include the memory of its parent before exec.
    """
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) * 1024


def in_fresh_process(code: str, *arguments: str) -> dict[str, float]:
    """Return the JSON object that *code* prints in a fresh Python process."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], check=True, capture_output=True, text=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def noted_in(queries: list[Query]) -> Around:
    """Return the context of a query of a data diff that appends the query to *queries*."""

    @contextmanager
    def note(query: Query) -> Iterator[Callable[[int], None]]:
        queries.append(query)
        yield lambda rows: None

    return note


def markdown(figures: Sequence[Figure]) -> str:
    """Return the table."""
    head = ("what", "ours", "floor", "ratio", "target", "met")
    rows = [head, tuple("---" for _ in head), *(figure.cells() for figure in figures)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
