"""Commands that only read a DuckDB file share it with others that read, and say who locks them out."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

HOLD = (
    "import duckdb, sys\n"
    "held = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == 'r'); print(1, flush=True); input()"
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    with duckdb.connect(tmp_path / "d.duckdb") as connection:
        connection.execute("CREATE TABLE a AS SELECT 1 AS id; CREATE TABLE b AS FROM a")
    return tmp_path / "d.duckdb"


@contextmanager
def held(file: Path, mode: str) -> Iterator[int]:
    """Another process has *file* open, to read (`r`) or write (`w`)."""
    command = [sys.executable, "-c", HOLD, str(file), mode]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process.pid
        process.communicate(b"\n")


@pytest.mark.cases(2)
@pytest.mark.parametrize("command", ["row-count", "value", "schema", "profile"])
def test_a_command_reads_beside_a_reader(cli: Any, file: Path, command: str) -> None:
    before = file.stat().st_mtime_ns
    with held(file, "r"):
        ran = cli(command, "--tables", "a", "b", "--url", f"duckdb:///{file}", "--lock-timeout", "0")
    assert ran.code == 0, ran.err
    assert file.stat().st_mtime_ns == before


def test_a_store_in_the_file_is_read_beside_a_reader(cli: Any, file: Path) -> None:
    url = ("--url", f"duckdb:///{file}", "--lock-timeout", "0")
    assert cli("scan", *url).code == 0
    with held(file, "r") as process:
        assert cli("runs", *url).code == 0
        assert cli("fsck", *url).code == 0
        assert cli("quality", "--sql", *url).code == 0
        ran = cli("scan", *url)
        assert (ran.code, f"(PID {process}); it only reads, so others may read as well" in ran.err) == (
            3,
            True,
        )
    with held(file, "w") as process:
        ran = cli("runs", *url)
    assert ran.code == 3
    assert f"(PID {process})" in ran.err and "others may read" not in ran.err


def test_a_link_to_the_file_is_not_attached_as_another_database(cli: Any, file: Path) -> None:
    for name, link in (("hard", Path.hardlink_to), ("soft", Path.symlink_to)):
        other = file.with_name(f"{name}.duckdb")
        link(other, file)
        output = {"type": "duckdb", "path": str(file), "attach": [{"path": str(other)}]}
        profile = {"p": {"target": "t", "outputs": {"t": output}}}
        (file.parent / "profiles.yml").write_text(json.dumps(profile))
        names = ("d.main.a", f"{name}.main.a")
        ran = cli("value", "--tables", *names, "--profiles-dir", str(file.parent), "--profile", "p")
        assert (ran.code, f"attaches {other}, which is the same file as {file}" in ran.err) == (3, True)
