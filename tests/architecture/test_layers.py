"""The layers, the size of functions and modules, and what may not stand in the repository."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "recce_meta").rglob("*.py"))
LONGEST_FUNCTION = 60
LONGEST_MODULE = 600

PRIVATE = ("/work" + "/", "/tmp" + "/lab", "/root" + "/", "/home" + "/", "/opt" + "/pypi", "." + "pyenv")
"""Beginnings of paths that exist on one machine alone."""
BROAD = ("Exception", "BaseException")
DOORS = {
    "adapter/link.py",
    "adapter/cancellation.py",
    "adapter/drivers/redshift.py",
    "adapter/drivers/snowflake_login.py",
    "cli/main.py",
    "cli/hook.py",
    "graph/columns/project_engine.py",
    "graph/columns/room.py",
    "plugins.py",
}
"""Where any failure is turned into one of ours, raised again, or told as a bug.

Of `project_engine`, each is told: it costs the node whose SQL brought it about its columns, and nothing else.
Of `room`, each is raised again in the thread that waits for the work.
Of `plugins`, each is told as the failure of the package that brings what was to be loaded.
"""


def tracked_files() -> list[Path]:
    """What git would publish; every file where this is no checkout."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("this is no git checkout")
    return [path for name in listed.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function in *path*, nested ones too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def test_data_flows_one_way_and_the_core_does_no_io() -> None:
    command = [
        sys.executable,
        "-c",
        "import sys; from importlinter.cli import lint_imports_command as run; run()",
    ]

    checked = subprocess.run(
        [*command, "--no-cache"], cwd=ROOT, env=_with_checkout(), capture_output=True, text=True, check=False
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr


def _with_checkout() -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": str(ROOT)}


def test_no_function_is_longer_than_a_screen() -> None:
    too_long = [
        f"{path.relative_to(ROOT)}:{function.lineno} {function.name}"
        for path in MODULES
        for function in functions(path)
        if (function.end_lineno or 0) - function.lineno + 1 > LONGEST_FUNCTION
    ]

    assert too_long == []


def test_no_module_is_longer_than_a_reader_can_hold() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}

    assert {path: length for path, length in lengths.items() if length > LONGEST_MODULE} == {}


def test_every_module_says_what_it_is_for() -> None:
    assert [path for path in MODULES if not ast.get_docstring(ast.parse(path.read_text("utf-8")))] == []


def test_only_the_doors_catch_every_exception() -> None:
    broad = {
        str(path.relative_to(ROOT / "recce_meta"))
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id in BROAD))
    }

    assert broad <= DOORS


def test_nothing_names_a_path_of_somebodys_machine() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {private}"
        for path in tracked_files()
        for private in PRIVATE
        if private.encode() in path.read_bytes()
    ]

    assert found == []
