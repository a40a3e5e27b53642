"""The README's commands run as they stand, print what it shows, and its links lead somewhere."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md")),
]
NOT_OFFLINE = ("pip install", "git clone")
"""Commands that download; CI runs them."""
EXIT = re.compile(r"# exits with (\d+)$")

PROMPT = "$ "
CUT = "…"
"""A line of an example that stands for any number of lines."""


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of *page* in *language*."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def sessions(page: str) -> list[tuple[str, list[str]]]:
    """Every command of the page's console blocks, and the output shown below it."""
    found: list[tuple[str, list[str]]] = []
    for line in "\n".join(blocks(page, "console")).splitlines():
        if line.startswith(PROMPT):
            found.append((line.removeprefix(PROMPT), []))
        elif line.strip():
            found[-1][1].append(line)
    return found


@pytest.fixture
def shell(tmp_path: Path) -> dict[str, str]:
    """An environment in which `python` and `recce-meta` are those under test."""
    programs = tmp_path / "bin"
    programs.mkdir()
    python = shlex.quote(sys.executable)
    for name, command in {"python": python, "recce-meta": f"{python} -m recce_meta"}.items():
        (programs / name).write_text(f'#!/bin/sh\nexec {command} "$@"\n', encoding="utf-8")
        (programs / name).chmod(0o755)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("RECCE_META_")}
    return {
        **inherited,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "120",
    }


def follows(shown: list[str], printed: list[str]) -> bool:
    """Whether *printed* is what *shown* shows, where `…` stands for any lines."""
    if not shown:
        return not printed
    if shown[0] == CUT:
        return any(follows(shown[1:], printed[skipped:]) for skipped in range(len(printed) + 1))
    return bool(printed) and printed[0] == shown[0] and follows(shown[1:], printed[1:])


@pytest.mark.skipif(os.name == "nt", reason="the examples are for a POSIX shell")
def test_the_commands_of_the_readme_run_and_print_what_it_shows(
    tmp_path: Path, shell: dict[str, str]
) -> None:
    examples = [(command, shown) for command, shown in sessions("README.md") if not _downloads(command)]
    assert len(examples) > 6

    for command, shown in examples:
        if name := re.fullmatch(r"export (\w+)=(\S+)", command):
            shell[name[1]] = name[2]
            continue
        ran = subprocess.run(["sh", "-c", command], cwd=tmp_path, env=shell, capture_output=True, check=False)
        expected = EXIT.search(command)
        assert ran.returncode == (int(expected[1]) if expected else 0), (command, ran.stderr.decode())
        printed = [line.rstrip() for line in ran.stdout.decode("utf-8").splitlines() if line.strip()]
        assert not shown or follows(shown, printed), (command, shown, printed)


def _downloads(command: str) -> bool:
    return any(word in command for word in NOT_OFFLINE)


def test_the_queries_of_the_readme_run_on_the_demo(tmp_path: Path, shell: dict[str, str]) -> None:
    subprocess.run(
        [sys.executable, "-m", "recce_meta", "demo"], cwd=tmp_path, env=shell, capture_output=True, check=True
    )

    with duckdb.connect(str(tmp_path / "recce-meta-demo" / "jaffle_shop.duckdb"), read_only=True) as store:
        answers = [store.execute(query).fetchall() for query in blocks("README.md", "sql")]

    assert answers and all(answers)


def test_the_readme_names_the_command_that_ci_runs() -> None:
    test_commands = [command for command, _ in sessions("README.md") if "pytest" in command]

    assert [command.rpartition("&& ")[2] for command in test_commands] == ["python -m pytest"]
    assert (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()[-1] == "python -m pytest"


@pytest.mark.parametrize("page", PAGES)
def test_links_between_pages_lead_somewhere(page: str) -> None:
    text = re.sub(
        r"^```.*?^```$", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    broken = []
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", text):
        file, _, anchor = link.partition("#")
        target = (ROOT / page).parent / file if file else ROOT / page
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            broken.append(link)

    assert broken == []


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
