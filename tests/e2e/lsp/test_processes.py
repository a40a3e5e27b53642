"""Processes of the server: their arguments, their end, and their order."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.lsp.conftest import Open
from tests.e2e.lsp.editor import PATIENCE

SECRET = "s3cr3tword"

pytestmark = [pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc"), pytest.mark.extensive]


def test_the_folder_of_a_project_names_it(start: Open, shop: Path) -> None:
    editor = start(shop)
    editor.status("ready")

    assert editor.command("status", shop.as_uri())["project"] == str(shop)


def test_a_password_of_a_store_is_no_argument_of_a_process(start: Open, shop: Path) -> None:
    url = f"postgresql://me:{SECRET}@127.0.0.1:9/none?connect_timeout=1"
    editor = start(shop, options=["--url", url])

    # Until a child has begun, it shows the arguments of its parent, which the user gave.
    own, found = _arguments(editor.process.pid), set[str]()
    while not found - {""}:
        found |= {_arguments(child) for child in _descendants(editor.process.pid)} - {own}

    assert not [line for line in found if SECRET in line]
    editor.status("ready")
    assert SECRET not in editor.logged() + editor.refused("pull", shop.as_uri())


def test_a_killed_server_leaves_no_process(start: Open, shop: Path) -> None:
    editor = start(shop)
    editor.status("indexing")
    while not (children := list(_descendants(editor.process.pid))):
        pass
    editor.process.send_signal(signal.SIGKILL)

    deadline = time.monotonic() + PATIENCE
    while any(map(_is_running, children)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [child for child in children if _is_running(child)]


def test_files_of_the_project_are_never_imported(start: Open, shop: Path) -> None:
    for name in ("json", "signal", "threading", "jinja2", "duckdb", "sqlglot", "sitecustomize"):
        (shop / f"{name}.py").write_text("open('executed', 'w').close(); raise SystemExit(9)")

    editor = start(shop)
    editor.status("ready", models=10)
    editor.refused("push", shop.as_uri())

    assert not (shop / "executed").exists()


def _descendants(parent: int) -> Iterator[int]:
    for entry in os.listdir("/proc"):
        try:
            stat = Path(f"/proc/{entry}/stat").read_text() if entry.isdigit() else ""
        except OSError:
            continue
        if stat and int(stat.rpartition(")")[2].split()[1]) == parent:
            yield int(entry)
            yield from _descendants(int(entry))


def _arguments(process: int) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_text()
    except OSError:
        return ""


def _is_running(process: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
