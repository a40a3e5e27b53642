"""Commands, queries and code of the pages run as they stand and print what is shown; links lead somewhere."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import duckdb
import pytest

import recce_meta.demo_data
from recce_meta.cli.main import cli

ROOT = Path(__file__).parents[2]
DEMO_DATA = Path(recce_meta.demo_data.__file__).parent
PAGES = [
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CHANGELOG.md",
    *sorted(p.relative_to(ROOT).as_posix() for p in (ROOT / "docs").rglob("*.md")),
]
WITH_COMMANDS = {"README.md": 5, "docs/tour.md": 8, "docs/guides/data-diffs.md": 7}
"""Pages whose console blocks are one session on the demo, with the least number of their commands."""
WITH_QUERIES = ["docs/tour.md", "docs/guides/data-diffs.md"]
NOT_OFFLINE = ("pip install", "git clone")
"""Commands that download; CI runs them."""
DATABASE = "recce-meta-demo/jaffle_shop.duckdb"
EXIT = re.compile(r"# exits with (\d+)$")

PROMPT = "$ "
CUT = "…"
"""As a line of an example, stands for any number of lines; at the end of one, for the rest of it."""


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


def named_files(page: str) -> dict[str, str]:
    """The files that the page shows: YAML whose first line is a comment with the name."""
    found = (re.match(r"# (\w+\.yml)\n", block) for block in blocks(page, "yaml"))
    return {name[1]: name.string for name in found if name}


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
    return bool(printed) and _is_shown(shown[0], printed[0]) and follows(shown[1:], printed[1:])


def _is_shown(shown: str, printed: str) -> bool:
    """Whether *shown* is the line *printed*; outputs that are wider than the page end in `…` themselves."""
    return printed == shown or (shown.endswith(f" {CUT}") and printed.startswith(shown[:-1].rstrip()))


@pytest.mark.extensive
@pytest.mark.parametrize("page", WITH_COMMANDS)
@pytest.mark.skipif(os.name == "nt", reason="the examples are for a POSIX shell")
def test_the_commands_of_a_page_run_and_print_what_it_shows(
    page: str, tmp_path: Path, shell: dict[str, str]
) -> None:
    examples = [(command, shown) for command, shown in sessions(page) if not _downloads(command)]
    assert len(examples) >= WITH_COMMANDS[page]
    for name, text in named_files(page).items():
        (tmp_path / name).write_text(text, encoding="utf-8")

    for command, shown in examples:
        if name := re.fullmatch(r"export (\w+)=(\S+)", command):
            shell[name[1]] = name[2]
            continue
        ran = subprocess.run(["sh", "-c", command], cwd=tmp_path, env=shell, capture_output=True, check=False)
        expected = EXIT.search(command)
        assert ran.returncode == (int(expected[1]) if expected else 0), (command, ran.stderr.decode())
        printed = [line.rstrip() for line in ran.stdout.decode("utf-8").splitlines() if line.strip()]
        assert not shown or follows(shown, printed), (command, shown, printed)


COMMAND = re.compile(r"(?:^|[|;&(]\s*|\$ )recce-meta (\S.*?)(?=\s(?:[|;&]|&&|\|\|)\s|\s\||$)")


def commands_of(page: str) -> list[list[str]]:
    """The words of every `recce-meta …` in the shell blocks and in the sentences of *page*."""
    text = (ROOT / page).read_text(encoding="utf-8")
    fenced = re.findall(r"^```(?:sh|console|)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in fenced for line in block.replace("\\\n", " ").splitlines()]
    lines += re.findall(r"`(recce-meta [^`\n]+)`", text)
    return [shlex.split(words, comments=True) for line in lines for words in COMMAND.findall(line)]


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_page_has_options_that_exist(page: str) -> None:
    for name, *words in commands_of(page):
        if name.startswith("-"):
            continue
        command = cli.get_command(click.Context(cli), name)
        assert command is not None, name
        command.make_parser(click.Context(command)).parse_args(words)  # raises UsageError


def test_commands_are_found_wherever_a_page_has_them() -> None:
    assert len([words for page in PAGES for words in commands_of(page)]) > 150


@pytest.mark.extensive
def test_the_commands_of_the_rendering_page_run(demo: Path, shell: dict[str, str]) -> None:
    project = demo.parents[1] / "project"
    for side in ("base", "pull_request"):
        shutil.copytree(DEMO_DATA / "project" / side, project, dirs_exist_ok=True)
    shutil.copytree(DEMO_DATA / "current", project / "target")
    (project / "question.sql").write_text("select count(*) from {{ ref('orders') }}", encoding="utf-8")
    shell["RECCE_META_URL"] = f"duckdb:///{demo}"
    record = [sys.executable, "-m", "recce_meta", "record", "--branch", "main"]
    subprocess.run(record, cwd=project, env=shell, capture_output=True, check=True)
    examples = sessions("docs/guides/rendering.md")
    assert len(examples) == 3

    for command, _ in examples:
        ran = subprocess.run(
            ["sh", "-c", command], cwd=project, env=shell, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0 and "select" in ran.stdout and "{{" not in ran.stdout, ran.stderr


def _downloads(command: str) -> bool:
    return any(word in command for word in NOT_OFFLINE)


@pytest.fixture
def demo(tmp_path: Path, shell: dict[str, str]) -> Path:
    """The demo's database, with the results of one data diff kept."""
    for command in (["demo"], ["value", "orders", "--save", "--url", f"duckdb:///{DATABASE}"]):
        recce_meta = [sys.executable, "-m", "recce_meta", *command]
        subprocess.run(recce_meta, cwd=tmp_path, env=shell, capture_output=True, check=True)
    return tmp_path / DATABASE


@pytest.mark.extensive
@pytest.mark.parametrize("page", WITH_QUERIES)
def test_the_queries_of_a_page_run_on_the_demo(page: str, demo: Path) -> None:
    with duckdb.connect(str(demo), read_only=True) as store:
        answers = [store.execute(query).fetchall() for query in blocks(page, "sql")]

    assert answers and all(answers)


@pytest.mark.extensive
def test_the_code_of_the_data_diffs_page_prints_what_the_page_says(demo: Path, shell: dict[str, str]) -> None:
    text = (ROOT / "docs/reference/data-diffs.md").read_text(encoding="utf-8")
    code = "".join(blocks("docs/reference/data-diffs.md", "python"))
    shown = re.findall(r"^This prints `(.+?)`", text, re.MULTILINE)

    ran = subprocess.run(
        [sys.executable, "-c", code],
        cwd=demo.parents[1],
        env=shell,
        capture_output=True,
        text=True,
        check=True,
    )

    assert shown and ran.stdout.splitlines() == shown


def test_the_gate_runs_the_readmes_command_with_the_journeys() -> None:
    test_commands = [command for command, _ in sessions("README.md") if "pytest" in command]

    assert [command.rpartition("&& ")[2] for command in test_commands] == ["python -m pytest"]
    gate = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert [line for line in gate if line.startswith("python -m pytest --gate ")]


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
