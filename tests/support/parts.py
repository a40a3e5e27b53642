"""Parts of the tests: what the gate leaves out, by what it needs. The only list of them.

`python -m pytest` runs the core, `--gate` the journeys and what needs drivers of warehouses, `--part=NAME`
a part, `--all` every test.
`.ci/all` reads this file before anything is installed, so it needs only Python:

    python tests/support/parts.py                  the parts, one on a line
    python tests/support/parts.py needs PART       what the part needs, by the names of needs.py
    python tests/support/parts.py changed          the parts for the paths on standard input
    python tests/support/parts.py failures FILE …  numbers of tests and failures of JUnit files, and failures
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from xml.etree import ElementTree

BEYOND_CORE = ("browser", "dbt", "emulator", "network", "extensive")
"""Markers of tests that are not in the core, described in pyproject.toml."""
GATED = ("journey", "drivers")
"""Markers of tests that the gate runs with more programs than the core needs."""
GATE = "PostgreSQL browser emulator dbt drivers uv git Neovim bubblewrap"
"""What these tests need."""


@dataclass(frozen=True)
class Part:
    """Tests that need the same programs."""

    needs: str
    """Names of tests/support/needs.py, separated by spaces."""
    sources: str
    """Pattern of the paths whose change the part tests."""
    tests: str = "(?!)"
    """Pattern of its files."""
    marker: str | None = None
    """Marker of tests that belong to it wherever they are."""


PARTS = {
    "emulators": Part(
        needs="emulator dbt PostgreSQL",
        sources=r"sql/|recce_meta/(adapter|store|sync|data_diff|warehouses)/|tests/emulators/",
        marker="emulator",
    ),
    "dbt": Part(
        needs="dbt uv PostgreSQL git SQLMesh",
        sources=r"sql/|dbt_package/|examples/|recce_meta/(extractors|store|render)/|recce_meta/cli/wrapper"
        r"|recce_meta/(diff/materializations|warehouses/(builds|hooks))",
        tests=r"tests/e2e/test_sqlmesh",
        marker="dbt",
    ),
    "orchestrators": Part(
        needs="Airflow Airflow-2 Dagster",
        sources=r"examples/orchestrators/|recce_meta/cli/wrapper|pyproject\.toml",
        tests=r"tests/e2e/test_orchestrators",
    ),
    "editor": Part(
        needs="Node.js browser Neovim git",
        sources=r"editors/|recce_meta/(lsp|render|extractors)/|recce_meta/report/",
        tests=r"tests/e2e/(editor_client|lsp)/|tests/(contract|unit)/lsp/",
    ),
    "repositories": Part(
        needs="PostgreSQL MySQL uv git bubblewrap",
        sources=r"recce_meta/(repositories|server|extractors)/",
        tests=r"tests/(contract|unit)/repositories/|tests/contract/server/test_(connections|webhooks|workspaces)"
        r"|tests/e2e/test_cli_(connection|upload)",
    ),
    "browser": Part(
        needs="browser PostgreSQL git",
        sources=r"recce_meta/(server|report|api)/",
        tests=r"tests/contract/server/|tests/e2e/(server|graph)/|tests/e2e/test_(cli_serve|html_report)",
        marker="browser",
    ),
    "sync": Part(
        needs="PostgreSQL git",
        sources=r"recce_meta/(sync|store)/|sql/",
        tests=r"tests/(contract|unit)/sync/|tests/e2e/test_cli_sync|tests/property/test_exchange",
    ),
    "stores": Part(
        needs="PostgreSQL MySQL git",
        sources=r"recce_meta/(store|adapter|warehouses|diff|models|extractors)/|sql/|pyproject\.toml|\.ci/oldest",
        tests=r"tests/contract/(adapter|extractors|sql|store)/|tests/unit/(store|warehouses)/"
        r"|tests/e2e/test_cli_(newer_store|postgres|grants|scan)",
    ),
    "docs": Part(
        needs="Node.js git PostgreSQL drivers uv",
        sources=r"docs/|examples/|[^/]*\.(md|yml|toml)$|\.github/|\.ci/|recce_meta/(cli|api)/",
        tests=r"tests/(docs|architecture)/",
    ),
    "data": Part(
        needs="PostgreSQL MySQL",
        sources=r"recce_meta/(adapter|data_diff|quality|warehouses)/|recce_meta/api/data/",
        tests=r"tests/contract/(data_diff|quality)/|tests/golden/|tests/e2e/test_cli_(data|diff_data|quality|terminal)",
    ),
    "proofs": Part(
        needs="PostgreSQL MySQL git",
        sources=r"recce_meta/|scripts/|benchmarks/",
        tests=r"tests/(e2e|property|unit|proofs)/|tests/contract/(api|diff|mcp|sql_lineage)/",
    ),
}


def part_of(file: str, markers: Collection[str]) -> str | None:
    """Return the part of a test beyond the core in *file*, a path from the root; None if it has none."""
    for name, part in PARTS.items():
        if part.marker in markers or re.match(part.tests, file):
            return name
    return None


def changed_parts(paths: Iterable[str]) -> list[str]:
    """Return the parts for changes of *paths*: those that have the tests, or test the sources."""
    changed = tuple(paths)
    shared = r"tests/([^/]*$|(data|deliveries|spelling|support)/|contract/[^/]*$)|\.ci/"
    return [
        name
        for name, part in PARTS.items()
        if any(re.match(f"{part.sources}|{part.tests}|{shared}", path) for path in changed)
    ]


def failures(*files: Path) -> list[str]:
    """Return the numbers of tests and failures in JUnit files, then each failure and how to repeat it.

    A file that is missing counts as a failure.
    """
    gone = sum(not file.exists() for file in files)
    cases = [case for file in files if file.exists() for case in ElementTree.parse(file).iter("testcase")]
    failed = {
        f"{case.get('file')}::{case.get('name')}"
        for case in cases
        if case.find("failure") is not None or case.find("error") is not None
    }
    repeat = (f"FAILED  python -m pytest -n 0 {quote(test)}" for test in sorted(failed))
    return [f"{len(cases)} {len(failed) + gone}", *["pytest ended without results"] * gone, *repeat]


def main(arguments: list[str]) -> None:
    """Answer `.ci/all`."""
    match arguments:
        case []:
            print("\n".join(PARTS))
        case ["needs", "gate"]:
            print(GATE)
        case ["needs", name] if name in PARTS:
            print(PARTS[name].needs)
        case ["changed"]:
            print("\n".join(changed_parts(sys.stdin.read().split())))
        case ["failures", *files] if files:
            print("\n".join(failures(*map(Path, files))))
        case _:
            sys.exit(f"parts.py: unknown part or question: {' '.join(arguments)}\nparts: {' '.join(PARTS)}")


if __name__ == "__main__":
    main(sys.argv[1:])
