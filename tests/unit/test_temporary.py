"""Folders of killed processes are removed, and no others."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from recce_meta.cli.main import run_command_line
from recce_meta.temporary import LOCK, remove_leftovers, temporary_folder

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs flock")

HOLDS = """
import sys, time
from recce_meta.temporary import temporary_folder
with temporary_folder() as folder:
    open(folder + "/rows.ndjson", "w").write("select secret")
    print(folder, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


def dead(place: Path, name: str = "recce_meta_abcdefgh") -> Path:
    folder = place / name
    folder.mkdir(mode=0o700)
    (folder / LOCK).touch(mode=0o600)
    (folder / "rows.ndjson").write_text("select 1")
    return folder


def test_a_folder_is_its_owners_alone_and_goes(place: Path) -> None:
    with temporary_folder() as folder:
        assert Path(folder).stat().st_mode & 0o777 == 0o700
        remove_leftovers()
        assert Path(folder, LOCK).exists()
    assert not list(place.iterdir())


def test_a_killed_process_leaves_a_folder_that_the_next_command_removes(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    process = subprocess.Popen([sys.executable, "-c", HOLDS], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        folder = Path(process.stdout.readline().strip())
        run_command_line(["runs", "--url", "duckdb:///absent.duckdb"])
        assert (folder / "rows.ndjson").exists()  # it lives
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert (folder / "rows.ndjson").exists()

    run_command_line(["runs", "--url", "duckdb:///absent.duckdb"])

    assert not folder.exists()


def test_what_is_not_ours_for_certain_stays(place: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o700)
    (outside / LOCK).touch()
    (place / "recce_meta_linkedxx").symlink_to(outside)
    shared = dead(place, "recce_meta_sharedxx")
    shared.chmod(0o755)
    other = dead(place, "recce_meta_report_2026")
    without = dead(place, "recce_meta_unlocked")
    (without / LOCK).unlink()
    linked = dead(place, "recce_meta_linklock")
    (linked / LOCK).unlink()
    (linked / LOCK).symlink_to(outside / LOCK)

    remove_leftovers()

    for kept in (shared, other, without, linked):
        assert (kept / "rows.ndjson").exists(), kept
    assert (outside / LOCK).exists()


def test_links_in_a_dead_folder_are_not_followed(place: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    (dead(place) / "link").symlink_to(outside)

    remove_leftovers()

    assert (outside / "kept").exists() and not list(place.iterdir())


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs two users")
def test_a_folder_of_another_user_stays(place: Path) -> None:
    folder = dead(place)
    os.chown(folder, 65534, 65534)

    remove_leftovers()

    assert folder.exists()


def test_a_folder_without_place_to_look_into_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", f"/nowhere/{time.time()}")
    remove_leftovers()
