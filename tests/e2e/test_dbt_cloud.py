"""The receiver of dbt Cloud's webhooks, against a stand-in of its API and a real server.

Payloads, the signature and the limit of 10 seconds are those of docs.getdbt.com/docs/deploy/webhooks, and the
API is that of docs.getdbt.com/dbt-cloud/api-v2.
"""

from __future__ import annotations

import gzip
import hashlib
import hmac
import http.client
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import DEMO, ROOT, Cli
from tests.e2e.served_shop import until
from tests.e2e.test_cli_upload import Served, runs, served

pytestmark = pytest.mark.extensive

__all__ = ["served"]

EXAMPLE = ROOT / "examples" / "orchestrators" / "dbt_cloud.py"
TOKEN, SECRET = "dbtc_canary0123456789", "canary-of-the-webhook-0123456789"
SHA = "0a1b2c3" + "0" * 33
EVENT = {
    "accountId": 1,
    "eventId": "wev_2L6ZDoilyiWzKkSA59Gmc2d7FDD",
    "timestamp": "2026-11-20T19:29:35.789265936Z",
    "eventType": "job.run.completed",
    "webhookName": "recce_meta",
    "data": {
        "jobId": "123",
        "jobName": "Daily Job (dbt build)",
        "runId": "12345",
        "environmentId": "1234",
        "environmentName": "Production",
        "dbtVersion": "1.11.0",
        "projectName": "Shop",
        "runReason": "scheduled",
        "runStartedAt": "2026-11-20T19:28:07Z",
        "runFinishedAt": "2026-11-20T19:29:32Z",
        "runStatus": "Success",
        "runStatusMessage": "None",
    },
}


class CloudApi(ThreadingHTTPServer):
    """API of dbt Cloud with one run, whose artifacts are files of a folder."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Api)
        self.folder = folder
        self.run: dict[str, Any] = {"id": 12345, "git_branch": "main", "git_sha": SHA, "trigger": {}}
        self.paths: list[str] = []
        self.failures: list[int] = []
        """Statuses of the next answers."""
        self.pause = 0.0


class _Api(BaseHTTPRequestHandler):
    server: CloudApi

    def do_GET(self) -> None:
        self.server.paths.append(self.path)
        place, _, query = self.path.removeprefix("/api/v2/accounts/1/runs/12345/").partition("?")
        time.sleep(self.server.pause)
        if self.headers["Authorization"] != f"Token {TOKEN}":
            return self._answer(401, b"{}")
        if self.server.failures:
            return self._answer(self.server.failures.pop(0), b"{}")
        if not place:
            found = self.server.run if "trigger" in query else {**self.server.run, "trigger": None}
            return self._answer(200, json.dumps({"status": {"code": 200}, "data": found}).encode())
        file = self.server.folder / place.removeprefix("artifacts/")
        if not place.startswith("artifacts/") or not file.is_file():
            return self._answer(404, b'{"status": {"code": 404}, "data": null}')
        self._answer(200, file.read_bytes())

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        if status == 302:
            self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/elsewhere")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[CloudApi]:
    folder = tmp_path / "artifacts"
    folder.mkdir()
    for file in (DEMO / "current").glob("*.json.gz"):
        (folder / file.stem).write_bytes(gzip.decompress(file.read_bytes()))
    server = CloudApi(folder)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


class Receiver:
    """The example, which runs."""

    def __init__(self, port: int, log: Path) -> None:
        self.port, self.log = port, log

    def deliver(self, body: bytes, headers: Mapping[str, str]) -> int:
        """Return the status of the answer to a delivery."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("POST", "/", body, {"Content-Type": "application/json", **headers})
        return connection.getresponse().status

    def send(self, event: Mapping[str, Any]) -> int:
        """Return the status of the answer to a signed delivery."""
        body = json.dumps(event).encode()
        return self.deliver(
            body, {"Authorization": hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()}
        )

    def record(self, served: Served, *, count: int) -> list[dict[str, Any]]:
        """Send a delivery, and return the runs once it is the recorded one of a number of deliveries."""
        # On a busy machine, it takes longer than a delivery may.
        assert self.send(EVENT) in (200, 202), self.log.read_text()
        until(lambda: self.log.read_text().count("of jaffle_shop as prod") == count, self.log)
        return runs(served)


@contextmanager
def receiving(cli: Cli) -> Iterator[Receiver]:
    log = cli.folder / "receiver.log"
    with log.open("w") as output:
        started = subprocess.Popen(
            [sys.executable, EXAMPLE], cwd=cli.folder, env=cli.variables, stdout=output, stderr=output
        )
    try:
        port = until(lambda: re.findall(r"listening on 127.0.0.1:([0-9]+)", log.read_text()), log)[0]
        yield Receiver(int(port), log)
    finally:
        started.kill()
        started.wait()
    text = log.read_text()
    assert TOKEN not in text and SECRET not in text


@pytest.fixture
def cli(cli: Cli, served: Served, cloud: CloudApi) -> Cli:
    return cli.within(
        DBT_CLOUD_URL=f"http://127.0.0.1:{cloud.server_port}",
        DBT_CLOUD_TOKEN=TOKEN,
        DBT_CLOUD_SECRET=SECRET,
        RECCE_META_SERVER=served.url,
        RECCE_META_TOKEN=served.token,
        PORT="0",
    )


def test_a_completed_run_is_recorded_once(served: Served, cli: Cli, cloud: CloudApi) -> None:
    with receiving(cli) as receiver:
        (run,) = receiver.record(served, count=1)
        assert (run["project_name"], run["git_sha"], run["branch"]) == ("jaffle_shop", SHA, "main")
        assert served.jobs() == [("success", None)]
        # dbt Cloud repeats a delivery whose answer it has not seen.
        assert [one["run_id"] for one in receiver.record(served, count=2)] == [run["run_id"]]
    names = [path.rpartition("/")[2] for path in cloud.paths if "/artifacts/" in path]
    assert names == ["manifest.json", "catalog.json", "run_results.json"] * 2


def test_a_run_without_docs_is_recorded_and_one_without_a_manifest_is_not(
    served: Served, cli: Cli, cloud: CloudApi
) -> None:
    cloud.run |= {"git_branch": "feature/x", "trigger": {"github_pull_request_id": 7}}
    (cloud.folder / "catalog.json").unlink()
    with receiving(cli) as receiver:
        assert receiver.send(EVENT) in (200, 202), receiver.log.read_text()
        (run,) = until(lambda: runs(served), receiver.log)
        assert (str(run["pull_request"]), run["branch"]) == ("7", "feature/x")
        (cloud.folder / "manifest.json").unlink()
        assert receiver.send({**EVENT, "data": {**EVENT["data"], "runStatus": "Errored"}}) == 200  # type: ignore[dict-item]
        assert "run 12345 of account 1 has no manifest" in receiver.log.read_text()
    assert len(runs(served)) == 1


def test_only_signed_deliveries_of_completed_runs_reach_the_api(cli: Cli, cloud: CloudApi) -> None:
    body = json.dumps(EVENT).encode()
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    with receiving(cli) as receiver:
        for wrong in (signature[:-1], f"Bearer {signature}", "é", hmac.new(b"x", body, "sha256").hexdigest()):
            assert receiver.deliver(body, {"Authorization": wrong}) == 401
        assert receiver.deliver(body, {}) == 401
        assert receiver.deliver(body + b" ", {"Authorization": signature}) == 401
        assert receiver.deliver(b"", {"Authorization": signature}) == 413
        assert receiver.send({**EVENT, "eventType": "job.run.started"}) == 200
    assert cloud.paths == []


@pytest.mark.parametrize("status", [500, 302])
def test_a_failure_of_the_api_is_repeated_by_the_next_delivery(
    served: Served, cli: Cli, cloud: CloudApi, status: int
) -> None:
    cloud.failures = [status]
    with receiving(cli) as receiver:
        assert receiver.send(EVENT) == 502
        assert "python dbt_cloud.py 1 12345 repeats it" in receiver.log.read_text()
        assert runs(served) == [] and not any("elsewhere" in path for path in cloud.paths)
        assert len(receiver.record(served, count=1)) == 1


def test_a_slow_api_does_not_exceed_the_time_of_a_delivery(served: Served, cli: Cli, cloud: CloudApi) -> None:
    cloud.pause = 8
    with receiving(cli) as receiver:
        assert receiver.send(EVENT) == 202
        cloud.pause = 0
        until(lambda: runs(served), receiver.log)


def test_one_run_is_sent_by_hand(served: Served, cli: Cli) -> None:
    command = [sys.executable, EXAMPLE, "1", "12345"]
    ran = subprocess.run(command, env=cli.variables, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    assert len(runs(served)) == 1

    plain = {**cli.variables, "DBT_CLOUD_URL": "http://ab123.us1.dbt.com"}
    ran = subprocess.run(command, env=plain, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 1 and "must begin with https://" in ran.stderr
