"""Receiver of dbt Cloud's webhooks: sends the artifacts of each completed run to a server of recce_meta.

It needs recce_meta and Python's standard library, and these variables:

    DBT_CLOUD_URL      access URL of the account, such as https://ab123.us1.dbt.com
    DBT_CLOUD_TOKEN    service token that may read jobs and their artifacts
    DBT_CLOUD_SECRET   secret that dbt Cloud shows for the webhook
    RECCE_META_SERVER  address of the server, such as https://recce.example.com
    RECCE_META_TOKEN   token of `recce-meta token add ci --scope upload --connection shop`

`python dbt_cloud.py` listens on 127.0.0.1:8766, for a proxy with TLS; PORT names another port.
`python dbt_cloud.py ACCOUNT RUN` sends one run, such as one that the log names.
"""

import hashlib
import hmac
import json
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor, wait
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

CLOUD = os.environ["DBT_CLOUD_URL"].rstrip("/")
TOKEN = os.environ["DBT_CLOUD_TOKEN"]
SECRET = os.environ["DBT_CLOUD_SECRET"].encode()
SERVER = os.environ["RECCE_META_SERVER"]
ARTIFACTS = ("manifest.json", "catalog.json", "run_results.json")
NUMBERS = ("github_pull_request_id", "gitlab_merge_request_id", "azure_pull_request_id")
ANSWER_SECONDS = 7  # dbt Cloud waits for 10, and repeats a delivery that has no success five times
LARGEST = 2**20

if urlsplit(CLOUD).scheme != "https" and urlsplit(CLOUD).hostname not in ("localhost", "127.0.0.1"):
    sys.exit("DBT_CLOUD_URL must begin with https://, because the token could be read")


class NoRedirects(HTTPRedirectHandler):
    """Refuses redirects, which would get the token."""

    def redirect_request(self, *_):
        return None


opener = build_opener(NoRedirects)
jobs = ThreadPoolExecutor(1)


def fetch(path: str):
    """Return the open answer of dbt Cloud's API."""
    headers = {"Authorization": f"Token {TOKEN}", "Accept": "application/json"}
    return opener.open(Request(f"{CLOUD}/api/v2/{path}", headers=headers), timeout=60)


def record(account: int, run: int) -> None:
    """Send the artifacts of a run to the server, which stores a run once however often it is sent."""
    place = f"accounts/{account}/runs/{run}/"
    with fetch(f"{place}?{urlencode({'include_related': json.dumps(['trigger'])})}") as answer:
        found = json.load(answer)["data"]
    trigger = found.get("trigger") or {}
    details = {
        "--branch": found.get("git_branch"),
        "--git-sha": found.get("git_sha"),
        "--pull-request": next((trigger[name] for name in NUMBERS if trigger.get(name)), None),
    }
    with tempfile.TemporaryDirectory() as folder:
        for name in ARTIFACTS:
            try:
                with fetch(f"{place}artifacts/{name}") as answer, Path(folder, name).open("wb") as file:
                    shutil.copyfileobj(answer, file)
            except HTTPError as error:
                # Only jobs that generate docs have a catalog, and runs that fail early have no artifacts.
                if error.code != 404:
                    raise
        if not Path(folder, "manifest.json").exists():
            print(f"run {run} of account {account} has no manifest", flush=True)
            return
        command = [sys.executable, "-m", "recce_meta", "record", "--to", SERVER, "--target-path", folder]
        command += [f"{option}={value}" for option, value in details.items() if value]
        subprocess.run(command, check=True)


def attempt(account: int, run: int) -> None:
    """Record the run, or print how to repeat what failed before the answer says so."""
    try:
        record(account, run)
    except Exception as error:
        repeat = f"python dbt_cloud.py {account} {run}"
        print(f"run {run} was not recorded: {error}; {repeat} repeats it", flush=True)
        raise


class Receiver(BaseHTTPRequestHandler):
    """Answers deliveries: 200 for recorded, 202 for begun, 502 for failed runs, which dbt Cloud repeats."""

    timeout = 10

    def do_POST(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        if not 0 < size <= LARGEST:
            return self.send_error(413)
        body = self.rfile.read(size)
        given = self.headers.get("Authorization", "").encode("latin-1")
        if not hmac.compare_digest(given, hmac.new(SECRET, body, hashlib.sha256).hexdigest().encode()):
            return self.send_error(401)
        event = json.loads(body)
        if event["eventType"] != "job.run.completed":
            return self.answer(200, "ignored")
        account, run = int(event["accountId"]), int(event["data"]["runId"])
        job = jobs.submit(attempt, account, run)
        wait([job], ANSWER_SECONDS)
        if not job.done():
            return self.answer(202, "begun")
        if job.exception() is not None:
            return self.answer(502, "the log has the reason")
        self.answer(200, "recorded")

    def answer(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())


if __name__ == "__main__":
    if len(sys.argv) == 3:
        record(int(sys.argv[1]), int(sys.argv[2]))
    else:
        server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8766"))), Receiver)
        print(f"listening on 127.0.0.1:{server.server_port}", flush=True)
        server.serve_forever()
