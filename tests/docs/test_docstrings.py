"""Examples in docstrings show what the code does."""

from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path

import pytest

import recce_meta

PACKAGE = Path(recce_meta.__file__).parent
WITH_EXAMPLES = sorted(path for path in PACKAGE.rglob("*.py") if ">>> " in path.read_text(encoding="utf-8"))


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)


@pytest.mark.parametrize("name", [module_name(path) for path in WITH_EXAMPLES])
def test_examples_in_docstrings_hold(name: str) -> None:
    try:  # doctest looks into lazy modules as well
        failed, tried = doctest.testmod(import_module(name))
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("recce_meta"):
            raise
        pytest.skip(f"{error.name} is not installed, a driver that an extra brings")

    assert tried > 0
    assert failed == 0
