"""The import contracts of pyproject.toml, and what may not stand in the repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRIVATE = ("/work" + "/", "/tmp" + "/lab", "/root" + "/", "/home" + "/", "/opt" + "/pypi", "." + "pyenv")
"""Beginnings of paths that exist on one machine alone."""
LINT = "from importlinter.cli import lint_imports_command as run; run(['--no-cache'])"

LAYERS = "Data flows one way"
PURE_CORE = "The core does no I/O"
DRIVERS_ALONE = "Only the driver of a warehouse does I/O below the adapter"
SERVER = "Server in rooms"
PAGES = "Pages in rooms"
ROOMS = "Repositories in rooms"
EXTRACTION = "Extraction in rooms"
FORGES = "A forge knows no other forge"
CONTRACTS = {LAYERS, PURE_CORE, DRIVERS_ALONE, SERVER, PAGES, ROOMS, EXTRACTION, FORGES}
FRONT_ENDS = ("server", "sync", "lsp", "mcp")
"""Front ends that the layers reserve a place for, next to cli."""


def broken_contracts(checkout: Path) -> set[str]:
    """Return the import contracts that the package in *checkout* breaks, after its own pyproject.toml."""
    checked = subprocess.run(
        [sys.executable, "-c", LINT],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout)},
        capture_output=True,
        text=True,
        check=False,
    )
    verdicts = [line.rpartition(" ") for line in checked.stdout.splitlines()]
    broken = {name for name, _, verdict in verdicts if verdict == "BROKEN"}

    assert broken | {name for name, _, verdict in verdicts if verdict == "KEPT"} == CONTRACTS, checked.stdout
    assert checked.returncode == bool(broken), checked.stdout + checked.stderr
    return broken


@pytest.fixture
def skeleton(tmp_path: Path) -> Path:
    """Return a checkout with pyproject.toml and all modules of the package, without their content."""
    for path in (ROOT / "recce_meta").rglob("*.py"):
        copy = tmp_path / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.touch()
    for name in FRONT_ENDS:
        write(tmp_path, f"{name}.app")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def write(checkout: Path, module: str, imported: str = "") -> None:
    """Write *module* of recce_meta with one import, or with none; its packages are created."""
    path = checkout.joinpath("recce_meta", *module.split(".")).with_suffix(".py")
    path.parent.mkdir(exist_ok=True)
    (path.parent / "__init__.py").touch()
    path.write_text(f"import {imported}\n" if imported else "", encoding="utf-8")


def test_the_package_keeps_its_contracts() -> None:
    assert broken_contracts(ROOT) == set()


def test_front_ends_side_by_side_keep_the_contracts(skeleton: Path) -> None:
    for name in FRONT_ENDS:
        write(skeleton, f"{name}.app", "recce_meta.api.diff")

    assert broken_contracts(skeleton) == set()


BROKEN = [
    ("graph.dag", "recce_meta.warehouses.driver", {PURE_CORE, LAYERS}),
    ("server.app", "recce_meta.cli.main", {LAYERS}),
    ("unheard_of.app", "", {LAYERS}),
    ("quality.measure", "sqlalchemy", {PURE_CORE}),
    ("warehouses.postgres.dialect", "recce_meta.warehouses.postgres.driver", {DRIVERS_ALONE}),
    ("server.site.serving", "recce_meta.server.pages.runs.run", {SERVER}),
    ("server.pages.unheard_of", "", {PAGES}),
    ("repositories.state.jobs", "recce_meta.repositories.git.address", {ROOMS}),
    ("repositories.extraction.dbt.project", "recce_meta.repositories.extraction.workflow", {EXTRACTION}),
    ("repositories.forges.github.forge", "recce_meta.repositories.forges.gitlab.client", {FORGES}),
]
"""Imports against each contract, with the contracts that they break."""
MORE_BROKEN = [
    ("cli.main", "recce_meta.server.app", {LAYERS}),
    ("lsp.app", "recce_meta.server.app", {LAYERS}),
    ("sync.app", "recce_meta.cli.main", {LAYERS}),
    ("mcp.app", "recce_meta.lsp.app", {LAYERS}),
    ("api.diff", "recce_meta.server.app", {LAYERS}),
    ("models.node", "recce_meta.api.diff", {LAYERS}),
    ("diff.changes", "recce_meta.sql_diff.compare", {LAYERS}),
    ("sql_diff.compare", "recce_meta.warehouses.duckdb.driver", {PURE_CORE}),
    ("data_diff.plan", "recce_meta.adapter.adapter", {PURE_CORE}),
    ("report.text", "click", {PURE_CORE}),
    ("warehouses.base", "recce_meta.warehouses.snowflake.driver", {DRIVERS_ALONE}),
    ("warehouses.postgres.catalog", "sqlalchemy", {DRIVERS_ALONE}),
    ("server.api.answers", "recce_meta.server.pages.projects.search", {SERVER}),
    ("server.access.scopes", "recce_meta.server.stores.stores", {SERVER}),
    ("server.unheard_of", "", {SERVER}),
    ("server.pages.runs.pair", "recce_meta.server.pages.nodes.node", {PAGES}),
    ("repositories.service.service", "recce_meta.repositories.worker", {ROOMS}),
    ("repositories.extraction.stages", "recce_meta.repositories.follow_ups.runner", {ROOMS}),
    ("repositories.recording", "recce_meta.repositories.state.jobs", {ROOMS}),
    ("repositories.unheard_of", "", {ROOMS}),
]


def test_imports_against_the_layers_break_every_contract(skeleton: Path) -> None:
    for module, imported, _ in BROKEN:
        write(skeleton, module, imported)

    assert broken_contracts(skeleton) == CONTRACTS


@pytest.mark.parametrize(
    ("module", "imported", "contracts"),
    [
        BROKEN[0],
        *(pytest.param(*row, marks=pytest.mark.extensive) for row in (*BROKEN[1:], *MORE_BROKEN)),
    ],
)
def test_an_import_against_the_layers_breaks_its_contract(
    skeleton: Path, module: str, imported: str, contracts: set[str]
) -> None:
    write(skeleton, module, imported)

    assert broken_contracts(skeleton) == contracts


def tracked_files() -> list[Path]:
    """Return the files that git would publish; skip the test outside a checkout."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("this is no git checkout")
    return [path for name in listed.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]


def test_nothing_names_a_path_of_somebodys_machine() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {private}"
        for path in tracked_files()
        for private in PRIVATE
        if private.encode() in path.read_bytes()
    ]

    assert found == []
