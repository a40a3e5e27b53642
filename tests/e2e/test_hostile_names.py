"""No output of any format holds a character that a terminal or a reader's eye obeys, whatever names hold."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest

import recce_meta.demo_data
from recce_meta.cli.main import run_command_line

DEMO = Path(recce_meta.demo_data.__file__).parent
HOSTILE = "\x1b[31m\x07\x9b2J\x7f\u202e\u2066\x85\u2028\U000e0041www.evil.example"
NODE = f"or{HOSTILE}ders"
OBEYED = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\U000e0000-\U000e007f]"
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two runs of a project whose nodes, columns and branches have hostile names."""
    place = tmp_path_factory.mktemp("hostile")
    url = f"duckdb:///{place}/shop.duckdb"
    for name in ("base", "current"):
        (place / name).mkdir()
        for file in (DEMO / name).glob("*.json.gz"):
            text = gzip.decompress(file.read_bytes()).decode()
            for word in ("orders", "amount"):
                text = text.replace(word, word[:2] + json.dumps(HOSTILE)[1:-1] + word[2:])
            (place / name / file.stem).write_text(text)
        given = ["--environment", name, "--branch", f"fix{HOSTILE}", "--no-columns"]
        assert run_command_line(["record", str(place / name), "--url", url, *given]) == 0
    return url


COMMANDS = [
    ["runs"], ["runs", "--format", "json"], ["show"], ["show", "--format", "json"], ["diff"],
    ["diff", "--format", "json"], ["diff", "--format", "markdown"], ["diff", "--data", "--format", "json"],
    ["lineage", NODE], ["lineage", NODE, "--format", "json"], ["lineage", f"no{HOSTILE}"], ["impact", NODE],
    ["impact", NODE, "--format", "json"], ["impact", NODE, "--format", "markdown"], ["row-count", NODE],
    ["value", f"x{HOSTILE}"], ["query-diff", f"select '{HOSTILE}' as x"], ["query-diff", f"selec {HOSTILE}"],
    ["query-diff", "--format", "json", f"select '{HOSTILE}' as x"], ["show", f"no{HOSTILE}"],
    ["doctor", "--format", "json"], ["runs", f"--no{HOSTILE}"], ["render", f"/no{HOSTILE}"],
    ["export", "-o", f"/nowhere/{HOSTILE}"], ["export", "latest", "-o", "-"],
]  # fmt: skip


@pytest.mark.cases(5)
@pytest.mark.parametrize(
    "arguments", COMMANDS, ids=lambda arguments: re.sub(r"[^\w. -]", "", " ".join(arguments))
)
def test_no_output_holds_a_character_that_acts(
    store: str, capfd: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    run_command_line([arguments[0], "--url", store, *arguments[1:]])

    said = capfd.readouterr()
    assert said.out + said.err
    assert not OBEYED.findall(said.out + said.err)


def test_a_parser_of_json_reads_the_names_themselves(store: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["lineage", NODE, "--url", store, "--format", "json"]) == 0

    said = capfd.readouterr().out
    assert "\\u202e" in said and "\\udb40\\udc41" in said
    assert json.loads(said)["root"].endswith(NODE)


def test_html_holds_none(store: str, tmp_path: Path) -> None:
    assert run_command_line(["diff", "--url", store, "-o", str(tmp_path / "diff.html")]) == 0

    assert not OBEYED.findall((tmp_path / "diff.html").read_text(encoding="utf-8"))
