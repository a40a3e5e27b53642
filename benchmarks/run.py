"""Runner of all benchmarks, which prints one table: `python -m benchmarks.run`, about fifteen minutes.

A group that fails is named at the end, after the figures of the others. `--save FILE` writes the figures,
`--against FILE` names the ratios that have become worse than 1.3 times those of an earlier file.

`--large` names a folder with the manifest.json of a project of about 5,000 models, if not a generated one.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

from benchmarks import columns, comparing, recording, repositories, serve, startup, values, views, weight
from benchmarks.generate import write
from benchmarks.measure import Figure, markdown

GROUPS = ("startup", "recording", "diff", "values", "columns", "views", "serve", "repositories", "weight")
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


WORSE = 1.3
"""Factor by which a ratio must grow to be named."""
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def worse(before: Sequence[Figure], after: Sequence[Figure]) -> Iterator[str]:
    """Yield a line for each figure whose ratio grew by more than `WORSE`: of CPU, if it has one."""
    known = {figure.what: ratio for figure in before if (ratio := _ratio(figure)) is not None}
    for figure in after:
        ratio = _ratio(figure)
        if ratio is not None and ratio > WORSE * known.get(figure.what, ratio):
            yield f"{figure.what}: {known[figure.what]:g} → {ratio:g}"


def _ratio(figure: Figure) -> float | None:
    """Return the ratio of CPU, which other programs affect least, else that of time; None without one."""
    _, _, cpu = figure.ratio.partition("cpu")
    found = _NUMBER.search(cpu or figure.ratio)
    return None if found is None else float(found[0])


def main() -> None:
    """Run the requested measurements in a temporary folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"of {', '.join(GROUPS)}; default: all")
    parser.add_argument("--large", type=Path, help="artifacts of a project of 5,000 models")
    parser.add_argument("--save", type=Path, help="file to write the figures to")
    parser.add_argument("--against", type=Path, help="file of an earlier run to compare ratios with")
    options = parser.parse_args()
    if unknown := set(options.groups) - set(GROUPS):
        parser.error(f"no such group: {', '.join(sorted(unknown))}")
    print(machine(), file=sys.stderr)
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        large = options.large or write(scratch / "large", 5_000, 3_534)
        groups: dict[str, Callable[[], list[Figure]]] = {
            "startup": lambda: startup.run(scratch),
            "recording": lambda: recording.run(large, write(scratch / "tests", 5_000, 20_000), scratch),
            "diff": lambda: comparing.run(large, scratch),
            "values": lambda: values.run(scratch),
            "columns": lambda: columns.run(large),
            "views": lambda: views.run(scratch),
            "serve": lambda: serve.run(scratch / "serve"),
            "repositories": lambda: repositories.run(scratch / "repositories"),
            "weight": lambda: weight.run(scratch),
        }
        figures: list[Figure] = []
        failed: list[str] = []
        for group in options.groups or GROUPS:
            try:
                figures += groups[group]()
            except Exception:  # noqa: BLE001
                # The other groups have cost minutes; the exit code reports the failure.
                traceback.print_exc()
                failed.append(group)
    print(markdown(figures))
    if options.save is not None:
        options.save.write_text(json.dumps([asdict(figure) for figure in figures], indent=1))
    if options.against is not None:
        before = [Figure(**one) for one in json.loads(options.against.read_text())]
        for line in worse(before, figures):
            print(f"worse: {line}")
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
