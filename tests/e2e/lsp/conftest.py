"""The shop of the demo as a project of its own, and editors that open it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import DEMO
from tests.e2e.lsp.editor import Editor

ORDERS = "models/marts/orders.sql"
STAGING = "models/staging/stg_orders.sql"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Return the folder of a project without artifacts."""
    return copy_shop(tmp_path / "shop")


def copy_shop(folder: Path) -> Path:
    """Copy the project to *folder*."""
    shutil.copytree(DEMO / "project" / "base", folder)
    return folder


Open = Callable[..., Editor]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Open]:
    """Return a function that starts an editor in a folder."""
    with ExitStack() as stack:

        def started(folder: Path, **given: Any) -> Editor:
            editor = Editor(tmp_path / "home", folder, **given)
            return stack.enter_context(editor)

        yield started


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    """Return an editor for tests that leave it as it is; its folder is the project."""
    folder = tmp_path_factory.mktemp("shared")
    with Editor(folder / "home", copy_shop(folder / "shop")) as found:
        found.status("ready")
        yield found


@pytest.fixture
def editor(start: Open, shop: Path) -> Editor:
    """Return an editor in which the shop was read."""
    found = start(shop)
    found.status("ready")
    return found
