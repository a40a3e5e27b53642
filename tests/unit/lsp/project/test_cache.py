"""Stores of the cache: their places, who uses them, and which are evicted."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from recce_meta.lsp.project.cache import (
    CACHE_DIR,
    CachedStore,
    StoreUse,
    cache_folder,
    evict,
    find_store,
    is_damaged,
    remove_store,
    writing,
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs flock")

USES = """
import os, sys, time
from pathlib import Path
from recce_meta.lsp.project.cache import StoreUse, find_store, writing
root = Path(sys.argv[1])
store = find_store(root, os.environ)
with StoreUse(store, root), writing(store):
    print("ready", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {CACHE_DIR: str(tmp_path / "cache")}


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def project(tmp_path: Path, name: str) -> Path:
    root = tmp_path / "projects" / name
    root.mkdir(parents=True)
    return root


def stored(root: Path, environ: dict[str, str], *, size: int = 1000, used_at: float) -> CachedStore:
    """Create a store of *root* with *size* bytes, last used at *used_at*."""
    store = find_store(root, environ)
    with StoreUse(store, root):
        store.path.write_bytes(b"x" * size)
        Path(f"{store.path}-wal").write_bytes(b"")
    os.utime(store.path.with_suffix(".use"), (used_at, used_at))
    return store


@contextmanager
def another_process(root: Path, environ: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Run a process that uses the store of *root* and writes to it."""
    process = subprocess.Popen(
        [sys.executable, "-c", USES, str(root)],
        env={**os.environ, **environ},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def test_each_project_path_has_a_store_with_the_name_of_its_folder(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    one, other = project(tmp_path, "a/shop & co"), project(tmp_path, "b/shop & co")
    assert find_store(one, environ).path.name.startswith("shop-co-")
    assert find_store(one, environ).path != find_store(other, environ).path
    assert find_store(one, environ).note is None


def test_a_link_to_a_project_leads_to_the_same_store(tmp_path: Path, environ: dict[str, str]) -> None:
    root = project(tmp_path, "shop")
    link = tmp_path / "link"
    link.symlink_to(root)
    assert find_store(link, environ) == find_store(root, environ)


def test_only_the_user_can_read_the_folder_of_stores(tmp_path: Path, environ: dict[str, str]) -> None:
    folder = find_store(project(tmp_path, "shop"), environ).path.parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has another folder")
def test_the_folder_is_that_of_the_platform_for_caches(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path)}
    assert cache_folder(home) == tmp_path / ".cache" / "recce_meta" / "editor"
    assert cache_folder({**home, "XDG_CACHE_HOME": "/x"}) == Path("/x/recce_meta/editor")
    assert cache_folder({**home, "XDG_CACHE_HOME": "relative"}) == cache_folder(home)
    assert cache_folder({**home, "XDG_CACHE_HOME": "/x", CACHE_DIR: "/y"}) == Path("/y/editor")


def test_a_cache_that_cannot_be_written_is_replaced_by_a_temporary_folder_with_a_note(
    tmp_path: Path, temporary: Path
) -> None:
    (tmp_path / "file").write_text("")
    environ = {CACHE_DIR: str(tmp_path / "file" / "cache")}
    root = project(tmp_path, "shop")
    store = find_store(root, environ)
    assert store.path.is_relative_to(temporary)
    assert store.note is not None
    assert "cannot be written" in store.note
    assert stat.S_IMODE(store.path.parent.stat().st_mode) == 0o700
    # The next process finds the same store.
    assert find_store(root, environ) == store


def test_a_link_with_the_name_of_the_temporary_folder_is_not_followed(
    tmp_path: Path, temporary: Path
) -> None:
    target = tmp_path / "elsewhere"
    target.mkdir()
    (temporary / f"recce_meta_editor_{os.geteuid()}").symlink_to(target)
    (tmp_path / "file").write_text("")
    store = find_store(project(tmp_path, "shop"), {CACHE_DIR: str(tmp_path / "file")})
    assert not store.path.resolve().is_relative_to(target)
    assert list(target.iterdir()) == []


def test_the_least_recently_used_stores_are_evicted_with_their_logs(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    now = time.time()
    old, newer, own = (
        stored(project(tmp_path, name), environ, used_at=now - age)
        for name, age in (("old", 300), ("newer", 200), ("own", 400))
    )
    assert evict(own, most_bytes=2000) == [old.path]
    assert sorted(path.name for path in own.path.parent.iterdir() if path.stem.startswith("old")) == []
    assert newer.path.exists()
    assert own.path.exists()


def test_stores_below_the_limit_stay(tmp_path: Path, environ: dict[str, str]) -> None:
    stores = [stored(project(tmp_path, name), environ, used_at=1.0) for name in ("one", "two")]
    assert evict(stores[0], most_bytes=2000) == []


def test_the_store_of_a_deleted_project_is_evicted_before_older_ones(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    now = time.time()
    older = stored(project(tmp_path, "older"), environ, used_at=now - 1000)
    root = project(tmp_path, "gone")
    gone = stored(root, environ, used_at=now)
    own = stored(project(tmp_path, "own"), environ, used_at=now)
    root.rmdir()
    assert evict(own, most_bytes=2500) == [gone.path]
    assert older.path.exists()


def test_a_store_that_another_process_uses_is_not_evicted_until_the_process_ends(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    root = project(tmp_path, "used")
    used = stored(root, environ, used_at=1.0)
    own = stored(project(tmp_path, "own"), environ, used_at=2.0)
    with another_process(root, environ):
        assert evict(own, most_bytes=0) == []
    assert evict(own, most_bytes=0) == [used.path]


def test_a_store_can_be_used_again_after_it_was_evicted(tmp_path: Path, environ: dict[str, str]) -> None:
    root = project(tmp_path, "shop")
    stored(root, environ, used_at=1.0)
    own = stored(project(tmp_path, "own"), environ, used_at=2.0)
    evict(own, most_bytes=0)
    again = stored(root, environ, used_at=3.0)
    assert again.path.exists()
    assert again.path.with_suffix(".use").read_text() == str(root.resolve())


def test_one_process_writes_at_a_time_and_a_killed_one_leaves_no_lock(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    root = project(tmp_path, "shop")
    store = find_store(root, environ)
    with another_process(root, environ) as process:
        with writing(store, seconds=0.1) as is_alone:
            assert not is_alone
        process.kill()
        process.wait()
        with writing(store, seconds=5.0) as is_alone:
            assert is_alone


def test_only_a_damaged_file_counts_as_damaged(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    assert not is_damaged(path)
    connection = sqlite3.connect(path)
    connection.execute("create table t (x)")
    connection.executemany("insert into t values (?)", [("x" * 100,)] * 1000)
    connection.commit()
    connection.close()
    assert not is_damaged(path)
    data = bytearray(path.read_bytes())
    data[5000:60000] = b"\xff" * 55000
    path.write_bytes(data)
    assert is_damaged(path)
    path.write_bytes(b"not a database, but long enough to have a header" * 100)
    assert is_damaged(path)
    remove_store(path)
    assert not path.exists()
