"""`pytest tests/golden --update-golden` rewrites what is expected; review the diff."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.golden.sql.sections import READ, check_hashes, joined
from tests.support.folded_json import folded


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite the expected files of golden cases"
    )


@pytest.fixture
def check_golden(request: pytest.FixtureRequest) -> Callable[[Path, str], None]:
    """Compares a text with the file that holds what is expected, or rewrites the file.

    JSON with a line for each value is compared, and kept, in fewer lines.
    """
    is_update = request.config.getoption("--update-golden", default=False)

    def check(expected: Path, text: str) -> None:
        if expected.suffix == ".json":
            text = folded(text)
        if is_update:
            expected.write_text(text, encoding="utf-8", newline="\n")
        assert expected.is_file(), f"{expected} is missing: run pytest tests/golden --update-golden"
        assert text == expected.read_text(encoding="utf-8")

    return check


@pytest.fixture
def check_statements(
    request: pytest.FixtureRequest, check_golden: Callable[[Path, str], None]
) -> Callable[[Path, str, Mapping[str, str]], None]:
    """Compares the statements of a dialect with its file in a folder, or with their hashes in it."""

    def check(folder: Path, dialect: str, parts: Mapping[str, str]) -> None:
        if dialect in READ:
            check_golden(folder / f"{dialect}.sql", joined(parts))
        else:
            is_update = request.config.getoption("--update-golden", default=False)
            check_hashes(folder / "hashes.txt", dialect, parts, is_update=is_update)

    return check
