"""What a command costs before it does anything, in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.measure import Figure, Timing, compared

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


def seconds(arguments: list[str]) -> tuple[float, float]:
    """Wall and CPU seconds of one run of Python."""
    start, before = time.perf_counter(), os.times()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    after = os.times()
    cpu = after.children_user - before.children_user + after.children_system - before.children_system
    return time.perf_counter() - start, cpu


def best(*commands: list[str], rounds: int = 15) -> list[Timing]:
    """The best of several rounds of each command, in turns."""
    for command in commands:
        seconds(command)
    found = [[seconds(command) for command in commands] for _ in range(rounds)]
    return [
        Timing(min(wall for wall, _ in times), min(cpu for _, cpu in times))
        for times in zip(*found, strict=True)
    ]


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
