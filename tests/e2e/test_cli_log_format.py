"""`--log-format json`: standard error of `serve` and `worker` is a JSON object a line, without secrets."""

from __future__ import annotations

import json
import re
import urllib.request
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

from recce_meta.adapter import UnifiedSqlAdapter
from tests.e2e.conftest import Cli, ProcessCli
from tests.e2e.served_shop import CANARY, Running, running, shop
from tests.support.git_server import git_backend, git_server

pytestmark = pytest.mark.extensive

__all__ = ["git_backend", "git_server", "shop"]

JSON = ("--log-format", "json")
TOKEN = "token-of-serve-0123456789"


def lines_of(text: str) -> list[dict[str, Any]]:
    """Return the objects in *text*; each has the members of every line."""
    lines = [json.loads(line) for line in text.splitlines()]
    for line in lines:
        assert line.keys() >= {"time", "level", "logger", "message"}, line
        at = datetime.fromisoformat(line["time"].replace("Z", "+00:00"))
        assert datetime.now(timezone.utc) - at < timedelta(minutes=10)
    return lines


def job_of(shop: Cli) -> dict[str, Any]:
    (job,) = json.loads(shop("connection", "show", "shop", "--format", "json").out)["jobs"]
    return dict(job)


def served(serving: Running, path: str, **headers: str) -> tuple[int, Any]:
    """Return status and headers of an answer."""
    found = serving.until(lambda: re.findall(r"http://\S+/(?= )", serving.log.read_text()))[0]
    headers = {"Authorization": f"Bearer {TOKEN}", **headers}
    try:
        with urllib.request.urlopen(urllib.request.Request(found + path, headers=headers), timeout=60) as got:
            return got.status, got.headers
    except HTTPError as error:
        with error:
            return error.code, error.headers


def test_a_worker_logs_its_jobs_with_their_ids(shop: Cli) -> None:
    with running(shop, "worker", *JSON, "--work-dir", str(shop.folder / "work")) as worker:
        assert shop("connection", "extract", "shop").code == 0
        worker.until(lambda: job_of(shop)["status"] == "success")
        assert worker.end()[0] == 0

    lines = lines_of(worker.log.read_text())
    job = job_of(shop)
    own = [line for line in lines if line.get("job") == job["job_id"]]
    assert {line["connection"] for line in own} == {job["job_id"].split(":")[0]}
    stages = [
        line["message"] for line in own if line["logger"] == "recce_meta.repositories.extraction.workflow"
    ]
    assert stages[0] == "resolve started" and stages[1].startswith("resolve done: main is at ")
    assert any(message.startswith("store done") for message in stages)
    assert lines[0]["message"].startswith("Worker ") and "job" not in lines[0]
    assert {line["level"] for line in lines} == {"INFO"}
    assert CANARY not in worker.log.read_text()


def test_a_server_logs_requests_with_ids_and_no_secret(shop: Cli) -> None:
    shop = shop.within(RECCE_META_TOKEN=TOKEN)
    identity = json.loads(shop("connection", "show", "shop", "--format", "json").out)["connection"]["id"]
    with running(shop, "serve", *JSON, "--port", "0", "--web-only") as serving:
        status, headers = served(serving, f"connections/{identity}", **{"X-Request-Id": "from-proxy-1"})
        assert (status, headers["X-Request-Id"]) == (200, "from-proxy-1")
        status, headers = served(
            serving, "s/default/runs?q=secret-in-the-address", **{"X-Request-Id": "no id!"}
        )
        assert re.fullmatch("[0-9a-f]{16}", headers["X-Request-Id"])
        wrong = {"Authorization": f"Bearer wrong-{CANARY}"}
        assert served(serving, "api/metadata/connections", **wrong)[0] == 401
        assert served(serving, "healthz")[0] == 200
        assert serving.end()[0] == 0

    text = serving.log.read_text()
    requests = [line for line in lines_of(text) if line["logger"] == "recce_meta.server.requests"]
    assert [(one["kind"], one["status"], one["method"]) for one in requests] == [
        ("page", 200, "GET"),
        ("page", status, "GET"),
        ("api", 401, "GET"),
    ]
    assert (requests[0]["request"], requests[0]["connection"]) == ("from-proxy-1", identity)
    assert requests[1]["request"] == headers["X-Request-Id"]
    for secret in (TOKEN, CANARY, "secret-in-the-address"):
        assert secret not in text


def test_errors_and_flags_are_json_as_well(
    process_cli: ProcessCli, tmp_path: Path, postgres_url: str
) -> None:
    password = "hunter2-canary-9"
    url = f"postgresql://nobody:{password}@127.0.0.1:1/x"
    ran = process_cli("worker", *JSON, "--state", url, "--url", f"duckdb:///{tmp_path / 'x.duckdb'}")
    assert ran.code == 3
    (error,) = [line for line in lines_of(ran.err) if line["level"] == "ERROR"]
    assert error["message"].startswith("error: ") and "Traceback" in error["traceback"]
    assert password not in ran.err and ran.out == ""

    quiet = process_cli("worker", "--quiet", *JSON, "--state", url, "--url", "duckdb:///x.duckdb")
    assert [line["level"] for line in lines_of(quiet.err)] == ["ERROR"]

    debug = process_cli("worker", "--debug", *JSON, "--state", url, "--url", "duckdb:///x.duckdb")
    assert password not in debug.err
    assert {line["level"] for line in lines_of(debug.err)} >= {"ERROR", "INFO"}


def test_a_defect_has_a_traceback_and_the_id_of_its_request(shop: Cli) -> None:
    shop = shop.within(RECCE_META_TOKEN=TOKEN)
    with running(shop, "serve", *JSON, "--port", "0", "--web-only") as serving:
        assert served(serving, "healthz")[0] == 200
        # A file that is no database of the state is a failure that no route expects.
        with UnifiedSqlAdapter.from_url(f"sqlite:///{state_of(shop)}") as state:
            state.execute("DROP TABLE connections")
        served(serving, "api/metadata/connections", **{"X-Request-Id": "lost"})
        assert serving.end()[0] == 0

    logged = [line for line in lines_of(serving.log.read_text()) if line.get("request") == "lost"]
    assert logged[-1]["status"] >= 500


def state_of(shop: Cli) -> Path:
    """Return the file of the default state."""
    return next(file for file in shop.folder.rglob("*.db") if "-" not in file.stem)
