"""Copies of DuckDB files: consistent, without blocking a writer, and removed in the end."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.errors import ConnectionFailed, DatabaseNotFound, StoreLocked
from recce_meta.warehouses.duckdb import snapshot

WRITE = """
import sys, time, duckdb
with duckdb.connect(sys.argv[1]) as connection:
    connection.execute(sys.argv[2])
    print("written", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with one table, which was written a while ago."""
    path = tmp_path / "it's a shop.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE numbers AS SELECT 1 AS i")
        connection.execute("CREATE VIEW doubled AS SELECT 2 * i AS i FROM numbers")
    os.utime(path, (time.time() - 60,) * 2)
    return path


def adapter_of(file: Path) -> UnifiedSqlAdapter:
    return UnifiedSqlAdapter.from_url(f"duckdb:///{file}", may_create=False)


def numbers(file: Path, folder: Path) -> list[int]:
    """Return the numbers in a copy of *file* in the new *folder*."""
    folder.mkdir()
    with adapter_of(file).snapshot(str(folder)).reader("main") as copy:
        return [number for (number,) in copy.answer("SELECT i FROM numbers ORDER BY i")]


@pytest.fixture
def writer(file: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the file open, with changes in its write-ahead log."""
    command = [sys.executable, "-c", WRITE, str(file), "INSERT INTO numbers VALUES (2)"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None and child.stdout.readline() == "written\n"
        yield child
        child.kill()


def test_a_copy_is_read_while_a_writer_uses_the_file(file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    folder.mkdir()
    with adapter_of(file).snapshot(str(folder)).reader("main") as copy:
        assert copy.answer("SELECT i FROM doubled") == [(2,)]
        child = subprocess.run(
            [sys.executable, "-c", WRITE, str(file), "INSERT INTO numbers VALUES (2)"],
            input="\n", text=True, capture_output=True, check=False,
        )  # fmt: skip
        assert child.returncode == 0, child.stderr
        assert copy.answer("SELECT i FROM doubled") == [(2,)]
    assert numbers(file, tmp_path / "later") == [1, 2]


def test_a_file_that_a_process_writes_to_is_not_copied(
    file: Path, tmp_path: Path, writer: subprocess.Popen[str]
) -> None:
    with pytest.raises(StoreLocked, match="Another process writes"):
        numbers(file, tmp_path / "copy")

    writer.communicate("\n", timeout=120)
    assert numbers(file, tmp_path / "later") == [1, 2]


def test_the_log_of_a_killed_writer_is_copied(
    file: Path, tmp_path: Path, writer: subprocess.Popen[str]
) -> None:
    state = adapter_of(file).place.file_state()
    writer.kill()
    writer.wait()

    assert file.with_name(f"{file.name}.wal").exists()
    assert numbers(file, tmp_path / "copy") == [1, 2]
    assert adapter_of(file).place.file_state() == state


def test_a_change_during_the_copy_is_detected(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = shutil.copyfile

    def changed(source: Path, target: Path) -> None:
        copy(source, target)
        subprocess.run(
            [sys.executable, "-c", WRITE, str(file), "INSERT INTO numbers VALUES (2)"],
            input=b"\n", capture_output=True, check=True,
        )  # fmt: skip

    with monkeypatch.context() as patch, pytest.raises(StoreLocked):
        patch.setattr(snapshot.shutil, "copyfile", changed)
        numbers(file, tmp_path / "copy")
    assert numbers(file, tmp_path / "later") == [1, 2]


def test_a_database_that_this_process_has_open_stays_locked(file: Path, tmp_path: Path) -> None:
    with duckdb.connect(str(file), config={"python_enable_replacements": False}) as connection:
        connection.execute("INSERT INTO numbers VALUES (2)")
        assert numbers(file, tmp_path / "copy") == [1, 2]
        child = subprocess.run(
            [sys.executable, "-c", WRITE, str(file), "SELECT 1"], capture_output=True, text=True, check=False
        )
        assert "Could not set lock" in child.stderr, "the copy has ended the lock of this process"
        connection.execute("INSERT INTO numbers VALUES (3)")
    assert numbers(file, tmp_path / "later") == [1, 2, 3]


def test_concurrent_copies_of_one_file_do_not_disturb_each_other(file: Path, tmp_path: Path) -> None:
    found: list[list[int]] = []
    threads = [
        threading.Thread(target=lambda n=number: found.append(numbers(file, tmp_path / str(n))))
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [[1]] * 8


def test_a_replaced_file_has_another_state(file: Path, tmp_path: Path) -> None:
    adapter = adapter_of(file)
    states = [adapter.place.file_state()]
    other = file.with_name("other.duckdb")
    shutil.copy2(file, other)
    other.replace(file)  # the same size and time
    states.append(adapter.place.file_state())
    file.unlink()
    states.append(adapter.place.file_state())
    with pytest.raises(DatabaseNotFound, match="it's a shop"):
        numbers(file, tmp_path / "copy")
    with duckdb.connect(str(file)) as connection:
        connection.execute("CREATE TABLE numbers AS SELECT 5 AS i")
    states.append(adapter.place.file_state())

    assert len(set(states)) == 4
    assert numbers(file, tmp_path / "later") == [5]


def test_a_file_in_a_folder_that_cannot_be_written_is_copied(file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "read_only"
    folder.mkdir()
    moved = file.rename(folder / "shop.duckdb")
    moved.chmod(0o444)
    folder.chmod(0o555)
    try:
        assert numbers(moved, tmp_path / "copy") == [1]
    finally:
        folder.chmod(0o755)


def test_a_full_disk_is_reported(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1, 1, 0))  # type: ignore[attr-defined]

    with pytest.raises(ConnectionFailed, match="not enough free space") as found:
        numbers(file, tmp_path / "copy")
    assert "TMPDIR" in str(found.value.hint)


def test_a_copy_attaches_no_other_file(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.duckdb"
    with duckdb.connect(str(other)) as connection:
        connection.execute("CREATE TABLE t (i INTEGER)")
    profiles = tmp_path / "profiles.yml"
    output = f'{{type: duckdb, path: "{file}", attach: [{{path: {other}}}]}}'
    profiles.write_text(f"shop:\n  target: dev\n  outputs:\n    dev: {output}\n")
    folder = tmp_path / "copy"
    folder.mkdir()
    adapter = UnifiedSqlAdapter.from_dbt_profile(profiles, "shop", may_create=False)
    with adapter.snapshot(str(folder)).reader("main") as copy:
        assert copy.answer("SELECT i FROM numbers") == [(1,)]
        subprocess.run(
            [sys.executable, "-c", WRITE, str(other), "INSERT INTO t VALUES (1)"], input=b"\n", check=True,
            capture_output=True,
        )  # fmt: skip


def test_connections_of_a_copy_use_little_memory(file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    folder.mkdir()
    with adapter_of(file).snapshot(str(folder)).reader("main") as copy:
        ((memory, threads),) = copy.answer(
            "SELECT current_setting('memory_limit'), current_setting('threads')"
        )
    assert (memory, threads) == ("128.0 MiB", 2)
