"""The commands of the pages on sync print what the guide shows, and their other commands exist."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from pathlib import Path

import pytest

from recce_meta.cli.main import run_command_line
from recce_meta.store.prune import TOMBSTONE_AGE
from tests.docs.test_pages import sessions

pytestmark = pytest.mark.extensive

OTHER = "duckdb:///other.duckdb"
PAGE = "docs/guides/sync.md"
DOCS = Path(__file__).parents[2] / "docs"
TEXT = "\n".join(
    (DOCS / folder / "sync.md").read_text(encoding="utf-8") for folder in ("guides", "reference")
)


def printed(*arguments: str) -> tuple[int, list[str]]:
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.TextIOWrapper(io.BytesIO(), "utf-8")
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run_command_line(list(arguments))
    out.seek(0)
    return code, [line.rstrip() for line in out.read().splitlines() if line.strip()]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder of the page, after its session."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    for command, shown in sessions(PAGE):
        words = shlex.split(command)
        if words[0] == "export":
            monkeypatch.setenv(*words[1].split("=", 1))
            continue
        code, lines = printed(*words[1:])
        # Names of stores have the folder of the test.
        patterns = [".*".join(map(re.escape, line.split("…"))) for line in shown]
        assert code == 0, command
        for pattern, line in zip(patterns, lines, strict=False):
            assert re.fullmatch(pattern, line), (command, line)


@pytest.mark.usefixtures("shop")
def test_the_examples_and_the_commands_of_the_page_work() -> None:
    assert printed("sync", "--status")[1][0].startswith("duckdb:///")
    assert printed("query", "select * from deleted_runs")[0] == 0
    assert printed("query", "select * from sync_conflicts")[0] == 0
    assert printed("query", "select peer from sync_history", "--format", "csv")[1][0] == "peer"
    assert printed("pull", "duckdb:///team.duckdb", "--select", "base", "--url", OTHER)[0] == 0
    assert printed("prune", "--keep-last", "1", "--local")[0] == 0


def test_the_page_names_the_age_of_tombstones() -> None:
    assert f"tombstones {TOMBSTONE_AGE.days} days after this store first saw them" in " ".join(TEXT.split())


@pytest.mark.parametrize("option", re.findall(r"recce-meta (?:push|pull|sync|prune)[^`|]*?(--[a-z-]+)", TEXT))
def test_the_options_of_the_page_exist(option: str) -> None:
    helps = "".join("\n".join(printed(name, "--help")[1]) for name in ("push", "sync", "prune"))
    assert option in helps
