"""Notes and owners in the reports of `diff`, from the command `note`."""

from __future__ import annotations

from pathlib import Path

import pytest

from recce_meta.cli.main import run_command_line
from tests.contract.server.small_store import file_url, record_side

pytestmark = pytest.mark.extensive


def test_reports_of_a_diff_name_owners_and_show_notes(tmp_path: Path) -> None:
    url = file_url(tmp_path / "store.duckdb")
    record_side(url, "base", "current")
    note = [
        "note",
        "orders",
        "One row per order.",
        "--owner",
        "@finance",
        "--author",
        "Ann <ann@example.com>",
    ]
    assert run_command_line([*note, "--url", url]) == 0

    texts = {}
    for style in ("table", "markdown", "html"):
        file = tmp_path / f"report.{style}"
        assert (
            run_command_line(["diff", "base", "current", "--url", url, "--format", style, "-o", str(file)])
            == 0
        )
        texts[style] = file.read_text(encoding="utf-8")

    assert "Owners: @finance (orders)" in texts["table"]
    assert "&#64;&#8203;finance: `orders` (partial breaking" in texts["markdown"]
    assert "One row per order" in texts["markdown"] and "@finance" not in texts["markdown"]
    assert "One row per order." in texts["html"] and "@finance</b>" in texts["html"]
    assert "ann@" not in "".join(texts.values())
