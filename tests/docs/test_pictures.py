"""Pictures of the pages show their text in a browser as it is written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import browser as driving
from tests.support.needs import missing

ROOT = Path(__file__).resolve().parents[2]
SHOWN = """return [...document.querySelectorAll("text")].map(one => [one.textContent,
    one.getNumberOfChars() && one.getComputedTextLength()])"""
"""The text of each line, and its width in the browser."""

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    if driving.programs() is None:
        missing("browser")
    with driving.browser(tmp_path_factory.mktemp("browser")) as session:
        yield session


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "docs/images").glob("*.svg")))
def test_a_browser_shows_every_character_of_a_picture(browser: Any, name: str) -> None:
    path = ROOT / "docs" / "images" / name
    written = [unescape(text) for text in re.findall(r"<text[^>]*>(.*?)</text>", path.read_text("utf-8"))]

    browser.look(1400)
    browser.open(path)
    shown = browser.run(SHOWN)

    assert [text for text, _ in shown] == written
    # Each character of a monospaced line has the same width, blanks included.
    (_, unit), *_rest = [
        (text, width / len(text)) for text, width in shown if text.strip() and text.isascii()
    ]
    narrow = [text for text, width in shown if text.isascii() and abs(width - unit * len(text)) > unit / 2]
    assert narrow == []
