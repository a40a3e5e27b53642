"""What `import recce_meta` gives, what the help says, and what neither may load."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest

import recce_meta
from recce_meta.cli.main import COMMANDS, cli

ROOT = Path(__file__).parents[2]
HEAVY = ["sqlalchemy", "sqlglot", "duckdb", "psycopg", "jinja2", "yaml", "rich", "msgspec"]

REPORT_LOADED = f"""
import atexit, json, sys
atexit.register(lambda: sys.stderr.write(json.dumps([m for m in {HEAVY!r} if m in sys.modules])))
"""


def loaded_by(code: str) -> list[str]:
    """Which heavy modules a fresh interpreter has loaded when *code* is through."""
    run = subprocess.run(
        [sys.executable, "-c", REPORT_LOADED + code],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded: list[str] = json.loads(run.stderr)
    return loaded


def loaded_by_command(arguments: list[str]) -> list[str]:
    """Which heavy modules a command line has loaded."""
    return loaded_by(
        f"import contextlib, io\nfrom recce_meta.cli.main import run_command_line\n"
        f"with contextlib.redirect_stderr(io.StringIO()): run_command_line({arguments!r})"
    )


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["no-such-command"]])
def test_the_short_help_loads_nothing_heavy(arguments: list[str]) -> None:
    assert loaded_by_command(arguments) == []


@pytest.mark.parametrize("command", ["row-count", "value", "query-diff", "check run", "diff"])
def test_the_help_of_a_command_loads_neither_drivers_nor_sql(command: str) -> None:
    assert set(loaded_by_command([*command.split(), "--help"])) <= {"msgspec", "yaml"}


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert loaded_by("import recce_meta; dir(recce_meta)") == []


def test_every_public_name_can_be_imported(subtests: pytest.Subtests) -> None:
    assert recce_meta.__all__
    for name in recce_meta.__all__:
        with subtests.test(name):
            assert getattr(recce_meta, name) is not None


def test_the_public_names_are_sorted_and_documented() -> None:
    page = (ROOT / "docs" / "internals" / "public-names.md").read_text(encoding="utf-8")
    documented = re.findall(r"^\| `(\w+)", page, re.MULTILINE)

    assert list(recce_meta.__all__) == sorted(recce_meta.__all__)
    assert sorted(documented) == sorted(recce_meta.__all__)


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'no_such_name'"):
        getattr(recce_meta, "no_such_name")  # noqa: B009 - as a user would meet it


@pytest.mark.parametrize("name", list(COMMANDS))
def test_the_table_of_commands_says_what_each_command_says(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)

    assert command is not None
    assert (command.help or "").split("\n")[0] == COMMANDS[name][1]


def test_every_command_is_in_the_table() -> None:
    modules = [
        import_module(f"recce_meta.cli.commands.{module}") for module in {m for m, _ in COMMANDS.values()}
    ]
    found = [
        value for module in modules for value in vars(module).values() if isinstance(value, click.Command)
    ]
    nested = {inner for group in found if isinstance(group, click.Group) for inner in group.commands.values()}

    assert {command.name for command in found if command not in nested} == set(COMMANDS)
