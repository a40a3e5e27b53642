"""The commands of docs/guides/notes.md print what the page shows, and its query answers."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import duckdb
import pytest

from tests.docs.printing import printed
from tests.docs.test_pages import DATABASE, blocks, follows, sessions

pytestmark = pytest.mark.extensive

PAGE = "docs/guides/notes.md"


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
