"""`pytest tests/golden --update-golden` rewrites what is expected; review the diff."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite the expected files of golden cases"
    )


@pytest.fixture
def check_golden(request: pytest.FixtureRequest) -> Callable[[Path, str], None]:
    """Compares a text with the file that holds what is expected, or rewrites the file."""
    is_update = request.config.getoption("--update-golden", default=False)

    def check(expected: Path, text: str) -> None:
        if is_update:
            expected.write_text(text, encoding="utf-8", newline="\n")
        assert expected.is_file(), f"{expected} is missing: run pytest tests/golden --update-golden"
        assert text == expected.read_text(encoding="utf-8")

    return check
