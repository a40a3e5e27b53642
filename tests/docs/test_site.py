"""The site has every page in its navigation, every public name, and pages that lead on."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import recce_meta
from tests.docs.test_pages import ROOT

DOCS = ROOT / "docs"
PAGES = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))
FROM_ROOT = ["changelog.md", "contributing.md", "security.md"]
"""Pages that the site takes from the root of the repository."""
FENCE = re.compile(r"^( *)(`{3,}).*?^\1\2", re.MULTILINE | re.DOTALL)


def prose(page: str) -> str:
    """The text of *page* without code."""
    return FENCE.sub("", (DOCS / page).read_text(encoding="utf-8"))


def test_the_navigation_has_every_page_once() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:\n")[2]

    assert sorted(re.findall(r"([\w/-]+\.md)$", navigation, re.MULTILINE)) == sorted([*PAGES, *FROM_ROOT])


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_one_title_and_leads_to_other_pages(page: str) -> None:
    text = prose(page)

    assert len(re.findall(r"^# ", text, re.MULTILINE)) == 1
    assert re.search(r"\]\((?!https?:|#)[^)]+\.md", text)


def test_every_page_but_the_first_is_linked_from_another_page() -> None:
    linked = {
        (DOCS / page).parent.joinpath(link).resolve()
        for page in PAGES
        for link in re.findall(r"\]\((?!https?:)([^)#\s]+)", prose(page))
        if (DOCS / page).parent.joinpath(link).resolve() != (DOCS / page).resolve()
    }

    assert [page for page in PAGES if (DOCS / page).resolve() not in linked] == ["index.md"]


def test_the_python_reference_has_every_public_name() -> None:
    named = re.findall(r"^### `(\w+)`$", prose("reference/python.md"), re.MULTILINE)

    assert sorted(named) == sorted(recce_meta.__all__)


@pytest.mark.extensive
def test_every_parameter_of_every_public_name_is_explained() -> None:
    ran = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "docs_python.py"), "--missing"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert ran.stdout.split() == []


def test_the_readme_is_short() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 120
    assert len(text.split()) <= 1000


def test_the_guides_are_short_enough_to_be_read() -> None:
    guides = (DOCS / "guides").glob("*.md")
    assert sum(len(page.read_text(encoding="utf-8").split()) for page in guides) <= 25_500


def test_nothing_is_loaded_from_another_host() -> None:
    assert "font: false" in (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    assert not any("mermaid" in (DOCS / page).read_text(encoding="utf-8").split("```") for page in PAGES)


def test_files_that_pages_link_to_are_files() -> None:
    """A folder has no copy in the site."""
    folders = [
        (page, link)
        for page in PAGES
        for link in re.findall(r"\]\((?!https?:)([^)#\s]+)", prose(page))
        if not Path(DOCS / page).parent.joinpath(link).is_file()
    ]

    assert folders == []
