"""`doctor --server`: each part of a server that is missing fails with what to do, and nothing is changed."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.repositories.state.database import VERSION
from tests.e2e.conftest import Cli, ProcessCli
from tests.e2e.served_shop import running, shop
from tests.support.git_server import git_backend, git_server
from tests.support.sandboxes import bubblewrap

__all__ = ["bubblewrap", "git_backend", "git_server", "shop"]


def checks(cli: Cli, *options: str | Path, code: int) -> dict[str, dict[str, Any]]:
    """Return the checks by name; those that have not passed have a hint."""
    ran = cli("doctor", "--server", "--format", "json", *options)
    assert ran.code == code, ran.out + ran.err
    found = {one["name"]: one for one in json.loads(ran.out)["checks"]}
    assert [
        one for one in found.values() if not one["ok"] and not one["hint"] and one["name"] != "store"
    ] == []
    assert (code == 3) is any(one["ok"] is False for one in found.values())
    return found


def state_of(shop: Cli) -> Path:
    """Return the file of the default state."""
    return next(file for file in shop.folder.rglob("*.db") if "-" not in file.stem)


def test_a_server_that_works_passes(shop: Cli, bubblewrap: object) -> None:
    work = shop.folder / "work"
    assert shop("init").code == 0
    with running(shop, "worker", "--work-dir", str(work)) as worker:
        worker.until(lambda: "runs the jobs of" in worker.log.read_text())
        found = checks(shop, "--work-dir", work, code=0)
        assert worker.end()[0] == 0

    assert {name for name, one in found.items() if one["ok"]} >= {
        *("git", "uv", "bubblewrap", "isolation", "work folder", "disk"),
        *("state", "migration", "key", "workers", "connection"),
    }
    assert "opens 1 of 1 secrets" in found["key"]["detail"]
    assert found["workers"]["detail"].startswith("1 live: ")


def test_without_a_worker_jobs_wait(shop: Cli, bubblewrap: object) -> None:
    assert shop("init").code == 0

    idle = checks(shop, code=0)["workers"]

    assert (idle["ok"], idle["hint"]) == (None, "start recce-meta worker")


def test_a_lost_or_wrong_key_fails_and_none_is_created(shop: Cli) -> None:
    file = state_of(shop)
    key = file.with_name(f"{file.name}.key")
    other = shop.within(RECCE_META_KEY="x5k3Zb0mXl1yqk8b8m4B0Ew7m1o2yGkq0JmCk0dZb5A=")
    assert checks(other, code=3)["key"]["ok"] is False
    key.chmod(0o644)
    assert checks(shop, code=3)["key"]["hint"] == f"chmod 600 {key}"
    key.unlink()

    lost = checks(shop, code=3)["key"]

    assert lost["ok"] is False and lost["hint"].startswith("restore the file")
    assert not key.exists()


@pytest.mark.parametrize(("version", "ok"), [(VERSION - 1, None), (VERSION + 1, False)])
def test_a_state_of_another_version_is_reported_and_left(shop: Cli, version: int, ok: bool | None) -> None:
    with closing(sqlite3.connect(state_of(shop))) as state, state:
        state.execute("UPDATE state_version SET version = ?", (version,))

    # The store does not exist yet, which is a failure of its own.
    ran = shop("doctor", "--server", "--format", "json")
    migration = next(one for one in json.loads(ran.out)["checks"] if one["name"] == "migration")

    assert migration["ok"] is ok
    assert ("back it up" if ok is None else "pip install --upgrade") in migration["hint"]
    with closing(sqlite3.connect(state_of(shop))) as state:
        assert state.execute("SELECT version FROM state_version").fetchall() == [(version,)]


def test_a_machine_without_programs_fails_with_what_to_install(process_cli: ProcessCli) -> None:
    empty = process_cli.folder / "bin"
    empty.mkdir()
    process_cli = process_cli.within(
        PATH=str(empty), RECCE_META_URL=f"duckdb:///{process_cli.folder}/s.duckdb"
    )
    (process_cli.folder / "file").touch()

    found = checks(process_cli, "--work-dir", process_cli.folder / "file" / "work", code=3)

    assert (found["git"]["ok"], found["git"]["hint"]) == (False, "install git 2.37 or newer")
    assert (found["bubblewrap"]["ok"], found["bubblewrap"]["hint"]) == (None, "apt-get install bubblewrap")
    assert (found["docker"]["ok"], found["docker"]["detail"]) == (None, "docker is not installed")
    assert (found["isolation"]["ok"], found["work folder"]["ok"]) == (False, False)
    assert found["state"]["ok"] is None and "connection add" in found["state"]["hint"]
    assert not shutil.which("git", path=str(empty))


def test_a_postgres_state_is_read_and_not_created(cli: Cli, postgres_url: str, bubblewrap: object) -> None:
    schema = f"doctor_{uuid4().hex[:8]}"
    found = checks(cli, "--state", f"{postgres_url}?schema={schema}", "--url", postgres_url, code=0)
    assert (found["state"]["ok"], found["migration"]["ok"], found["key"]["ok"]) == (True, None, None)
    assert "RECCE_META_KEY" in found["key"]["hint"]
    with UnifiedSqlAdapter.from_url(postgres_url) as adapter:
        sql = f"SELECT count(*) FROM information_schema.schemata WHERE schema_name = '{schema}'"
        assert adapter.answer(sql) == [(0,)]
    secret = "postgresql://nobody:hunter2-canary@127.0.0.1:1/x"
    gone = cli("doctor", "--server", "--state", secret, "--url", postgres_url)
    assert gone.code == 3 and "failed   state" in gone.out and "hunter2" not in gone.out + gone.err
