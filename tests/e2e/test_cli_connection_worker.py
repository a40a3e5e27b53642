"""Connected repositories that a worker extracts: in a process of its own, and in that of `serve`."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.cli.run.worker import private_files
from recce_meta.repositories.state.database import open_state
from tests.e2e.conftest import Cli
from tests.e2e.served_shop import CANARY, SECONDS, process, shop, until
from tests.support.git_server import GitServer, git_backend, git_server

pytestmark = pytest.mark.extensive

__all__ = ["git_backend", "git_server", "shop"]


def test_no_sandbox_shows_files_of_state_stores_and_keys(tmp_path: Path) -> None:
    state = open_state(f"sqlite:///{tmp_path / 'state.db'}", {})
    with UnifiedSqlAdapter.from_url(f"duckdb:///{tmp_path / 'store.duckdb'}") as store:
        file = store.place.file_path()
        assert file == tmp_path / "store.duckdb"
        files = private_files(state, [file], {"RECCE_META_KEY_FILE": f"{tmp_path / 'key'}"})
    state.close()
    assert {file.name for file in files} == {
        *(
            "state.db",
            "state.db.key",
            "state-jobs.db",
            "state-owners.db",
            "state-metrics.db",
            "store.duckdb",
            "key",
        )
    }
    assert UnifiedSqlAdapter.from_url("duckdb:///:memory:").place.file_path() is None


def test_a_worker_extracts_and_wait_reports_each_step(shop: Cli) -> None:
    with process(shop, "worker", "--work-dir", str(shop.folder / "work"), "--debug") as log:
        until(lambda: "runs the jobs of" in log.read_text(), log)

        ran = shop("connection", "extract", "shop", "--wait")

        assert ran.code == 0, ran.err + log.read_text()
        steps = [line.split()[0] for line in ran.err.splitlines() if re.match(r"\w+ +success ", line)]
        assert steps[:2] == ["resolve", "clone"]
        assert {"extract", "store"} <= set(steps)
        assert "BRONZE" in ran.out
        stored = json.loads(shop("runs", "--format", "json").out)["runs"]
        assert [(run["environment"], run["branch"]) for run in stored] == [("prod", "main")]
        details = json.loads(shop("connection", "show", "shop", "--job", "last", "--format", "json").out)
        assert {one["status"] for one in details["details"]["stages"]} <= {"success", "skipped"}
        said = log.read_text() + ran.out + ran.err
    assert CANARY not in said
    files = (path for path in shop.folder.rglob("*") if path.is_file())
    assert [path for path in files if CANARY.encode() in path.read_bytes()] == []
    assert list((shop.folder / "work" / "jobs").glob("*")) == []


def test_a_failed_job_makes_wait_exit_with_3_and_names_the_step(shop: Cli, git_server: GitServer) -> None:
    assert shop("connection", "set", "shop", "--branch", "gone").code == 0
    with process(shop, "worker", "--work-dir", str(shop.folder / "work")) as log:
        until(lambda: "runs the jobs of" in log.read_text(), log)

        ran = shop("connection", "extract", "shop", "--wait")

    assert ran.code == 3
    assert "resolve" in ran.err
    assert "error: Branch 'gone' not found" in ran.out
    jobs = json.loads(shop("connection", "show", "shop", "--format", "json").out)["jobs"]
    assert ("gone", "failed", "branch") in [(one["branch"], one["status"], one["failure"]) for one in jobs]


def test_serve_runs_a_worker_if_the_state_exists_and_none_with_web_only(shop: Cli) -> None:
    with process(shop, "serve", "--port", "0", "--no-open", "--web-only") as log:
        address = until(lambda: re.findall(r"http://\S+/", log.read_text()), log)[0]
        with urllib.request.urlopen(f"{address}api/metadata/extractions/active", timeout=60) as answer:
            assert b"pending" in answer.read()
        assert "Worker" not in log.read_text()

    with process(shop, "serve", "--port", "0", "--no-open", "--work-dir", str(shop.folder / "work")) as log:
        until(lambda: "Worker" in log.read_text(), log)
        assert shop("connection", "extract", "shop", "--wait").code == 0
        address = until(lambda: re.findall(r"http://\S+/", log.read_text()), log)[0]
        with urllib.request.urlopen(f"{address}api/metadata/connections", timeout=60) as answer:
            text = answer.read().decode()
    assert '"BRONZE"' in text
    assert CANARY not in text + log.read_text()


def test_ctrl_c_while_waiting_leaves_the_job(shop: Cli) -> None:
    waiting = subprocess.Popen(
        [sys.executable, "-m", "recce_meta", "connection", "extract", "shop", "--wait"],
        cwd=shop.folder,
        env=shop.variables,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert waiting.stderr is not None
    lines = [waiting.stderr.readline()]
    while not lines[-1].startswith("Joined"):
        lines.append(waiting.stderr.readline())
    os.kill(waiting.pid, signal.SIGINT)
    _, rest = waiting.communicate(timeout=SECONDS)

    assert waiting.returncode == 130
    assert "the job continues: recce-meta connection show shop" in rest
    (job,) = json.loads(shop("connection", "show", "shop", "--format", "json").out)["jobs"]
    assert job["status"] == "pending"
