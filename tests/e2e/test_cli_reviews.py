"""Reviews in the reports of the command line, and through export and import."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from recce_meta import UnifiedSqlAdapter, list_reviews, list_runs, review
from recce_meta.cli.main import run_command_line
from tests.contract.server.small_store import file_url, record_side

pytestmark = pytest.mark.extensive


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A store with both sides of the demo, and an approved node."""
    found = file_url(tmp_path / "store.duckdb")
    record_side(found, "base", "current")
    with UnifiedSqlAdapter.from_url(found) as adapter:
        review(adapter, "orders", "current", "base", reviewer="Ann", comment="checked | twice")
    return found


def test_reports_of_a_diff_show_the_review(url: str, tmp_path: Path) -> None:
    for style in ("table", "markdown", "html"):
        file = tmp_path / f"report.{style}"
        assert (
            run_command_line(["diff", "base", "current", "--url", url, "--format", style, "-o", str(file)])
            == 0
        )
        text = file.read_text(encoding="utf-8")
        assert "Review: 1 of 6 changed nodes approved" in text, style
        assert style == "table" or "approved by Ann" in text


def test_json_of_a_diff_has_the_marks(url: str, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    for more in ([], ["--data"]):
        assert (
            run_command_line(
                ["diff", "base", "current", "--url", url, "--format", "json", "-o", str(file), *more]
            )
            == 0
        )
        (node,) = json.loads(file.read_text(encoding="utf-8"))["reviews"]["nodes"].values()
        assert [(one["status"], one["reviewer"], one["is_valid"]) for one in node] == [
            ("approved", "Ann", True)
        ]


def test_a_review_goes_with_its_run_to_another_store(url: str, tmp_path: Path) -> None:
    file, other = str(tmp_path / "run.json"), file_url(tmp_path / "other.duckdb")
    assert run_command_line(["export", "current", "--url", url, "-o", file]) == 0
    for _ in range(2):
        assert run_command_line(["import", file, "--url", other]) == 0

    with UnifiedSqlAdapter.from_url(url) as source, UnifiedSqlAdapter.from_url(other) as target:
        assert list_reviews(target) == list_reviews(source)
        assert [mark.reviewer for mark in list_reviews(target, run="current")] == ["Ann"]
        assert len(list_runs(target)) == 1
