"""Runner of all benchmarks, which prints one table: `python -m benchmarks.run`, about fifteen minutes.

Other artifacts than the generated ones can be measured: `--small` and `--large` name folders with a
manifest.json of about 500 and 5,000 models (and a catalog.json next to the small one).
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
from collections.abc import Callable
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

from benchmarks import (
    categories,
    columns,
    comparing,
    connections,
    counts,
    extraction,
    graph,
    history,
    impact,
    lsp,
    profiles,
    quality,
    recording,
    reports,
    repositories,
    scanning,
    serve,
    startup,
    sync,
    uploads,
    values,
    views,
    webhooks,
)
from benchmarks.generate import write
from benchmarks.measure import Figure, markdown

GROUPS = (
    *("extraction", "recording", "diff", "startup", "history", "reports"),
    *("values", "profiles", "counts", "connections", "columns", "categories", "impact"),
    *("quality", "scanning", "views", "serve", "graph", "repositories", "uploads", "webhooks", "sync", "lsp"),
)
PACKAGES = ("duckdb", "duckdb-engine", "SQLAlchemy", "psycopg", "msgspec", "pyarrow")


def machine() -> str:
    """Return the date, the machine and the versions."""
    import os

    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        f"{datetime.now(timezone.utc):%Y-%m-%d}, {os.cpu_count()} cores, {platform.machine()}, load {load}; "
        f"Python {platform.python_version()}, {packages}"
    )


def main() -> None:
    """Run the requested measurements in a temporary folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"of {', '.join(GROUPS)}; default: all")
    parser.add_argument("--small", type=Path, help="artifacts of a project of 500 models")
    parser.add_argument("--large", type=Path, help="artifacts of a project of 5,000 models")
    parser.add_argument("--runs", type=int, default=history.RUNS, help="runs of the long history")
    options = parser.parse_args()
    if unknown := set(options.groups) - set(GROUPS):
        parser.error(f"no such group: {', '.join(sorted(unknown))}")
    print(machine(), file=sys.stderr)
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        small = options.small or write(scratch / "small", 500, 378)
        large = options.large or write(scratch / "large", 5_000, 3_534)
        groups: dict[str, Callable[[], list[Figure]]] = {
            "extraction": lambda: extraction.run(small, large),
            "recording": lambda: recording.run(large, write(scratch / "tests", 5_000, 20_000), scratch),
            "diff": lambda: comparing.run(large, scratch),
            "startup": lambda: startup.run(scratch),
            "history": lambda: history.run(small, scratch, options.runs),
            "reports": reports.run,
            "values": lambda: values.run(scratch),
            "profiles": lambda: profiles.run(scratch),
            "counts": lambda: counts.run(scratch),
            "connections": lambda: connections.run(scratch),
            "columns": lambda: columns.run(large),
            "categories": categories.run,
            "impact": lambda: impact.run(large, scratch),
            "quality": lambda: quality.run(scratch),
            "scanning": scanning.run,
            "views": lambda: views.run(scratch),
            "serve": lambda: serve.run(scratch / "serve"),
            "graph": lambda: graph.run(scratch / "graph"),
            "repositories": lambda: repositories.run(scratch / "repositories"),
            "uploads": lambda: uploads.run(scratch / "uploads"),
            "webhooks": lambda: webhooks.run(scratch / "webhooks"),
            "sync": lambda: sync.run(small, scratch),
            "lsp": lambda: list(lsp.run(scratch)),
        }
        figures = [figure for group in options.groups or GROUPS for figure in groups[group]()]
    print(markdown(figures))


if __name__ == "__main__":
    main()
