"""Start-up cost of a command, in separate processes, as ratios to the least that it could cost.

`python -m benchmarks.startup --before CHECKOUT` compares two checkouts, whose commands and floors take turns.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.measure import Figure, Timing, command, compared, markdown

ROOT = Path(__file__).parents[1]

CLICK = """
import click

@click.group()
def main():
    "A group with a command."

@main.command()
@click.option("--name", help="Whom to greet.")
def hello(name):
    "Greet."

main(["--help"])
"""
DRIVERS = "import sqlalchemy, duckdb"
LEAST_ROUNDS = 15


def environment(checkout: Path, cwd: Path) -> dict[str, str]:
    """Return the environment of a process that uses *checkout* and keeps its bytecode in *cwd*."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**inherited, "PYTHONPATH": str(checkout), "PYTHONPYCACHEPREFIX": str(cwd / "bytecode")}


def medians(*programs: tuple[Path, Sequence[str]], cwd: Path, rounds: int = LEAST_ROUNDS) -> list[Timing]:
    """Return the medians of *rounds* of Python with each program, a checkout and arguments.

    The programs take turns, after one round that compiles their bytecode and does not count.
    """
    clocks = [
        command([sys.executable, *arguments], cwd=cwd, env=environment(checkout, cwd))
        for checkout, arguments in programs
    ]
    timings = [[clock() for clock in clocks] for _ in range(rounds + 1)][1:]
    return [
        Timing(median(timing.wall for timing in column), median(timing.cpu for timing in column))
        for column in zip(*timings, strict=True)
    ]


def commands(demo: Path) -> list[tuple[str, list[str], str, list[str], float]]:
    """Return what is measured: its name and arguments, its floor's name and arguments, and the limit."""
    url = f"duckdb:///{demo / 'jaffle_shop.duckdb'}"
    bare_click = ("a bare click program", ["-c", CLICK])
    program = ["-m", "recce_meta"]
    return [
        ("import recce_meta", ["-c", "import recce_meta"], "python -c pass", ["-c", "pass"], 2.5),
        ("recce-meta --help", [*program, "--help"], *bare_click, 1.5),
        ("recce-meta diff --help", [*program, "diff", "--help"], *bare_click, 3),
        (
            "recce-meta diff on the demo's store",
            [*program, "diff", "base", "current", "--url", url],
            "importing its drivers",
            ["-c", DRIVERS],
            3,
        ),
    ]


def run(scratch: Path, before: Path | None = None, rounds: int = LEAST_ROUNDS) -> list[Figure]:
    """Measure help pages, the import of the package, and the diff of the demo's two runs.

    With another checkout *before*, each line has a second one for it, measured in the same rounds.
    """
    checkouts = {"": ROOT} if before is None else {"": ROOT, ", before": before}
    demo = scratch / "demo"
    for suffix, checkout in checkouts.items():
        subprocess.run(
            [sys.executable, "-m", "recce_meta", "demo", "--dir", f"{demo}{suffix}"],
            cwd=scratch,
            env=environment(checkout, scratch),
            check=True,
            capture_output=True,
        )
    figures = []
    variants = [commands(Path(f"{demo}{suffix}")) for suffix in checkouts]
    for lines in zip(*variants, strict=True):
        what, _, against, floor, most = lines[0]
        programs = [(checkout, line[1]) for checkout, line in zip(checkouts.values(), lines, strict=True)]
        *ours, least = medians(*programs, (ROOT, floor), cwd=scratch, rounds=rounds)
        for suffix, timing in zip(checkouts, ours, strict=True):
            figures.append(compared(what + suffix, timing, least, most, against, by_cpu=True))
    return figures


def main() -> None:
    """Print the table, for this checkout and another one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, help="another checkout")
    parser.add_argument("--rounds", type=int, default=LEAST_ROUNDS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        print(markdown(run(Path(scratch), options.before, options.rounds)))


if __name__ == "__main__":
    main()
