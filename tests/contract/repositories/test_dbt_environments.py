"""Environments of dbt that uv builds from the package index: shared, rebuilt, limited, and explained."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from recce_meta.repositories.extraction.dbt.environments import (
    MARK,
    Environment,
    EnvironmentFailed,
    discard,
    use_environment,
)
from tests.support.dbt_environments import built_environment, dbt_environment, environments_folder
from tests.support.needs import missing

pytestmark = pytest.mark.network

BUILD = """
import asyncio, os, sys
from pathlib import Path
from tests.support.dbt_environments import built_environment
from tests.support.needs import missing
asyncio.run(built_environment(Path(sys.argv[1]), "2.0", "duckdb", environ=os.environ))
"""


@pytest.fixture
def environ() -> dict[str, str]:
    """Return the environment of a worker whose downloads are those of earlier tests."""
    dbt_environment("2.0", "duckdb")
    return {**os.environ, "UV_CACHE_DIR": str(environments_folder() / ".uv")}


def build(cache: Path, environ: dict[str, str], limit: int | None = None) -> Environment:
    return asyncio.run(built_environment(cache, "2.0", "duckdb", environ=environ, limit=limit))


def test_processes_build_an_environment_once(tmp_path: Path, environ: dict[str, str]) -> None:
    command = [sys.executable, "-c", BUILD, str(tmp_path)]
    running = [subprocess.Popen(command, env=environ) for _ in range(3)]
    assert [process.wait() for process in running] == [0, 0, 0]
    built = (tmp_path / "2.0" / MARK).stat()
    environment = build(tmp_path, environ)
    assert (tmp_path / "2.0" / MARK).stat() == built
    assert sorted(path.name for path in tmp_path.iterdir()) == [".2.0.lock", "2.0"]
    shown = subprocess.run([*environment.dbt.argv, "--version"], capture_output=True, text=True, check=True)
    assert environment.version in shown.stdout


def test_a_broken_environment_is_built_again(tmp_path: Path, environ: dict[str, str]) -> None:
    environment = build(tmp_path, environ)
    (environment.folder / "bin" / "dbt").unlink()
    assert (build(tmp_path, environ).folder / "bin" / "dbt").exists()
    discard(environment)
    assert not (environment.folder / MARK).exists()
    build(tmp_path, environ)
    (environment.folder / MARK).write_text("{")
    build(tmp_path, environ)
    assert json.loads((environment.folder / MARK).read_bytes())["environment"]["version"]


def test_the_least_recently_used_environments_are_removed(tmp_path: Path, environ: dict[str, str]) -> None:
    for number, name in enumerate(["1.8-duckdb", "1.9-duckdb", "1.10-duckdb"]):
        (tmp_path / name).mkdir()
        (tmp_path / name / MARK).write_text(json.dumps({"layout": 0}))
        (tmp_path / name / "large").write_bytes(b"x" * 10**6)
        lock = tmp_path / f".{name}.lock"
        lock.touch()
        os.utime(lock, (number, number))

    async def build_beside_a_user() -> None:
        with (tmp_path / ".1.8-duckdb.lock").open() as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            async with use_environment(tmp_path, "2.0", "duckdb", environ=environ, limit=1) as environment:
                assert environment.folder.is_dir()

    asyncio.run(build_beside_a_user())
    left = {path.name for path in tmp_path.iterdir() if not path.name.startswith(".")}
    assert left == {"1.8-duckdb", "2.0"}, "what is in use stays"


def test_a_broken_environment_is_replaced_when_nothing_uses_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, built = tmp_path / "2.0", list[Path]()
    environment = Environment(
        folder=folder, minor="2.0", version="2", adapter="duckdb", adapter_version="", interpreter=folder
    )

    async def build(*_: object) -> Environment:
        (folder / "bin").mkdir(parents=True, exist_ok=True)
        (folder / "bin" / "dbt").touch(mode=0o700)
        fields = {name: str(getattr(environment, name)) for name in Environment.__struct_fields__}
        (folder / MARK).write_text(json.dumps({"layout": 1, "environment": fields}))
        built.append(folder)
        return environment

    async def use_while_another_does() -> None:
        async with use_environment(tmp_path, "2.0", "duckdb", environ={}) as used:
            discard(used)
            waiting = asyncio.ensure_future(built_environment(tmp_path, "2.0", "duckdb", environ={}))
            for _ in range(5):
                await asyncio.sleep(0)
            assert len(built) == 1
        await waiting

    monkeypatch.setattr("recce_meta.repositories.extraction.dbt.environments._build", build)
    asyncio.run(use_while_another_does())
    assert len(built) == 2


def test_an_unknown_adapter_is_named(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailed, match="The adapter 'snowflke' is not supported") as raised:
        asyncio.run(built_environment(tmp_path, "1.11", "snowflke", environ={}))
    assert raised.value.hint == "did you mean 'snowflake'?"


@pytest.mark.parametrize(
    ("settings", "can_retry"),
    [
        ({"PIP_NO_INDEX": "1"}, False),
        ({"UV_DEFAULT_INDEX": "http://user:canary@127.0.0.1:9/simple", "UV_HTTP_RETRIES": "0"}, True),
    ],
)
def test_a_failure_names_what_is_missing(tmp_path: Path, settings: dict[str, str], can_retry: bool) -> None:
    if shutil.which("uv") is None:
        missing("uv")
    environ = {"PATH": os.environ["PATH"], "PIP_CONFIG_FILE": os.devnull, "UV_PYTHON": sys.executable}
    environ |= {"UV_CACHE_DIR": str(tmp_path / "uv"), **settings}
    with pytest.raises(EnvironmentFailed) as raised:
        asyncio.run(built_environment(tmp_path / "cache", "1.11", "duckdb", environ=environ))
    assert raised.value.message.startswith("uv cannot install dbt-core==1.11.* and dbt-duckdb>=1.8,<1.12")
    assert raised.value.hint is not None
    assert raised.value.hint.startswith("uv pip install --dry-run ")
    assert raised.value.hint.endswith("--only-binary :all: 'dbt-core==1.11.*' 'dbt-duckdb>=1.8,<1.12'")
    assert raised.value.can_retry is can_retry
    assert "canary" not in str(raised.value)
    assert [path.name for path in (tmp_path / "cache").iterdir() if path.name.startswith(".draft")] == []


def test_use_is_noted(tmp_path: Path, environ: dict[str, str]) -> None:
    build(tmp_path, environ)
    lock = tmp_path / ".2.0.lock"
    os.utime(lock, (0, 0))
    build(tmp_path, environ)
    assert lock.stat().st_mtime > time.time() - 3600
