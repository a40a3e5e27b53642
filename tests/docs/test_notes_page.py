"""The commands of docs/guides/notes.md print what the page shows, and its query answers."""

from __future__ import annotations

import contextlib
import io
import os
import shlex
from pathlib import Path

import duckdb
import pytest

from recce_meta.cli.main import run_command_line
from tests.docs.test_pages import DATABASE, blocks, follows, sessions

pytestmark = pytest.mark.extensive

PAGE = "docs/guides/notes.md"


def printed(*arguments: str) -> list[str]:
    out = io.TextIOWrapper(io.BytesIO(), "utf-8")
    with contextlib.redirect_stdout(out):
        assert run_command_line(list(arguments)) == 0
    out.seek(0)
    return [line.rstrip() for line in out.read().splitlines() if line.strip()]


def test_the_examples_of_the_page_are_what_the_commands_print(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    # The width of a table depends on the author, which is the login name without a configuration of git.
    settings = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "LOGNAME": "ann"}
    for name, value in {"COLUMNS": "120", **settings}.items():
        monkeypatch.setenv(name, value)

    for command, shown in sessions(PAGE):
        words = shlex.split(command)
        if words[0] == "export":
            monkeypatch.setenv(*words[1].split("=", 1))
            continue
        lines = printed(*words[1:])
        assert not shown or follows(shown, lines), (command, lines)
    (query,) = blocks(PAGE, "sql")
    with duckdb.connect(str(tmp_path / DATABASE), read_only=True) as store:
        assert store.execute(query).fetchall() == [("model.jaffle_shop.orders", "Finance", "ann")]
