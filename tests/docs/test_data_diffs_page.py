"""The pages on data diffs have every option of the commands that they are about, and every function."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

import recce_meta
from recce_meta.cli.main import cli

DOCS = Path(__file__).parents[2] / "docs"
PAGE = "\n".join(
    (DOCS / folder / "data-diffs.md").read_text(encoding="utf-8") for folder in ("guides", "reference")
)
COMMANDS = ("row-count", "schema", "value", "profile", "top-k", "histogram", "query-diff")


def command(name: str) -> click.Command:
    found = cli.get_command(click.Context(cli), name)
    assert found is not None
    return found


def options(name: str) -> set[str]:
    """The long options of a command."""
    return {
        option
        for param in command(name).params
        if isinstance(param, click.Option)
        for option in param.opts
        if option.startswith("--")
    }


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_told(name: str) -> None:
    told = set(re.findall(r"`(?:recce-meta [^`]*?)?(--[a-z][a-z-]*)", PAGE))
    where_the_store_is = options("init")  # which docs/reference/commands.md tells of all commands

    assert options(name) - where_the_store_is - told == set()


@pytest.mark.parametrize("name", [name for name in recce_meta.__all__ if "diff" in name])
def test_every_function_is_told(name: str) -> None:
    assert f"| `{name}(" in PAGE


def test_every_command_is_in_the_first_table() -> None:
    first = PAGE.split("\n## ", 1)[0]

    assert [name for name in COMMANDS if f"[`{name}`](#" not in first] == []
