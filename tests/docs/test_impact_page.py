"""The examples of docs/concepts/impact.md print what the page shows, and its query answers."""

from __future__ import annotations

import shlex
from pathlib import Path

import duckdb
import pytest

from tests.docs.printing import printed
from tests.docs.test_pages import blocks, follows, sessions

PAGE = "docs/concepts/impact.md"
DATABASE = "jaffle_shop.duckdb"
ARTIFACTS = Path(__file__).parents[2] / "recce_meta" / "demo_data" / "current"


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The store of the demo's current run, as base of the query; its path."""
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("RECCE_META_URL", f"duckdb:///{tmp_path / DATABASE}")
    printed("record", "--target-path", str(ARTIFACTS), "--environment", "base")
    return tmp_path / DATABASE


def test_the_examples_of_the_page_are_what_the_demo_answers(demo: Path) -> None:
    examples = sessions(PAGE)

    assert len(examples) == 2
    for command, shown in examples:
        lines = printed(*shlex.split(command)[1:])
        assert follows(shown, lines), lines
    (query,) = blocks(PAGE, "sql")
    with duckdb.connect(str(demo), read_only=True) as store:
        assert len(store.execute(query).fetchall()) > 20
