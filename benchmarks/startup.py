"""What a command costs before it does anything, in processes of their own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.measure import Figure, Timing, best_of, command, compared

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
DRIVERS = "import sqlalchemy, duckdb, duckdb_engine"


def best(*programs: list[str], rounds: int = 15) -> list[Timing]:
    """The best of several rounds of Python with each of *programs*, in turns, once the first are over."""
    clocks = [command([sys.executable, *arguments]) for arguments in programs]
    for clock in clocks:
        clock()
    return best_of(*clocks, rounds=rounds)


def run(scratch: Path) -> list[Figure]:
    """`--help`, and the diff of the demo's two runs."""
    demo = scratch / "demo"
    subprocess.run(
        [sys.executable, "-m", "recce_meta", "demo", "--dir", str(demo)], check=True, capture_output=True
    )
    url = f"duckdb:///{demo / 'jaffle_shop.duckdb'}"
    help_page, click = best(["-m", "recce_meta", "--help"], ["-c", CLICK])
    diff, drivers = best(["-m", "recce_meta", "diff", "base", "current", "--url", url], ["-c", DRIVERS])
    answered = compared("recce-meta diff on the demo's store", diff, drivers, 3, "importing its drivers")
    is_met = diff.wall < 0.5
    return [
        compared("recce-meta --help", help_page, click, 1.5, "a bare click program"),
        Figure(answered.what, answered.ours, answered.floor, answered.ratio, "< 500 ms", is_met),
    ]
