"""BigQuery's REST interface over DuckDB: jobs, datasets and tables for google-cloud-bigquery.

    python -m tests.emulators.bigquery.server PORT PROJECT DATASET LOCATION
Prints `ready` and its port, which is chosen if PORT is 0; DATASET exists from the start. BigQuery's limits
are enforced: query length, request size, statements in a transaction, locations of datasets, and
cancelled or timed out jobs.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import uuid4

from tests.emulators.bigquery.engine import Engine, Job, rows_of
from tests.emulators.bigquery.results import STATUS
from tests.emulators.bigquery.translate import Refused

MOST_REQUEST = 10 * 1024 * 1024
"""Maximum size of a request: https://cloud.google.com/bigquery/quotas#query_jobs"""
MOST_WAIT_SECONDS = 10.0
SHORT_WAIT_SECONDS = 0.05
"""Maximum wait for a new job to end before the first response, which saves a request."""
ROWS_OF_A_PAGE = 20_000
WRONG_TOKEN = "wrong"
LOST = b"/* lose the first answer */"
"""Comment in a statement: the job is created, but the connection closes without a response."""

Answer = dict[str, Any]
Query = Mapping[str, str]


class Interface:
    """Responses to requests."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lost: set[bytes] = set()

    def has_lost(self, data: bytes) -> bool:
        """Return True if the response to this request was lost before."""
        known = data in self._lost
        self._lost.add(data)
        return known

    def insert_job(self, project: str, query: Query, body: Answer) -> Answer:
        reference = body.get("jobReference", {})
        identity = reference.get("jobId") or uuid4().hex
        job = self._engine.insert(project, identity, reference.get("location"), body["configuration"])
        job.done.wait(SHORT_WAIT_SECONDS)
        return self._job(job)

    def job(self, project: str, identity: str, query: Query, body: Answer) -> Answer:
        return self._job(self._found(project, identity, query))

    def cancel(self, project: str, identity: str, query: Query, body: Answer) -> Answer:
        job = self._found(project, identity, query)
        self._engine.cancel(job)
        return {"kind": "bigquery#jobCancelResponse", "job": self._job(job)}

    def results(self, project: str, identity: str, query: Query, body: Answer) -> Answer:
        job = self._found(project, identity, query)
        wait = min(MOST_WAIT_SECONDS, int(query.get("timeoutMs", 10_000)) / 1000)
        answer: Answer = {"jobReference": _reference(job), "jobComplete": job.done.wait(wait)}
        if not answer["jobComplete"]:
            return answer
        if job.error is not None:
            raise job.error
        answer["totalBytesProcessed"] = str(job.bytes_processed)
        if job.affected is not None:
            answer["numDmlAffectedRows"] = str(job.affected)
        if not job.schema:
            return answer
        answer |= {"schema": {"fields": job.schema}, "totalRows": str(len(job.rows))}
        start = int(query.get("pageToken") or query.get("startIndex") or 0)
        most = min(int(query.get("maxResults", ROWS_OF_A_PAGE)), ROWS_OF_A_PAGE)
        if found := rows_of(job, start, most):
            answer["rows"] = found
            if start + most < len(job.rows):
                answer["pageToken"] = str(start + most)
        return answer

    def insert_dataset(self, project: str, query: Query, body: Answer) -> Answer:
        dataset = body["datasetReference"]["datasetId"]
        self._engine.create_dataset(project, dataset, body.get("location") or "US")
        return self.dataset(project, dataset, query, body)

    def dataset(self, project: str, dataset: str, query: Query, body: Answer) -> Answer:
        location = self._engine.dataset_location(project, dataset)
        return {
            "id": f"{project}:{dataset}",
            "datasetReference": {"projectId": project, "datasetId": dataset},
            "location": location,
        }

    def table(self, project: str, dataset: str, table: str, query: Query, body: Answer) -> Answer:
        fields = self._engine.table(project, dataset, table)
        return {
            "id": f"{project}:{dataset}.{table}",
            "tableReference": {"projectId": project, "datasetId": dataset, "tableId": table},
            "type": "TABLE",
            "schema": {"fields": fields},
        }

    def _found(self, project: str, identity: str, query: Query) -> Job:
        job = self._engine.jobs.get(identity)
        is_here = job is not None and (
            not query.get("location") or not job.location or job.location.lower() == query["location"].lower()
        )
        if job is None or not is_here:
            raise Refused(f"Not found: Job {project}:{identity}", "notFound")
        return job

    def _job(self, job: Job) -> Answer:
        status: Answer = {"state": "DONE" if job.done.is_set() else "RUNNING"}
        sent = job.configuration["query"]
        query = {
            name: sent[name] for name in sent if name != "queryParameters"
        }  # megabytes that no client reads
        if job.done.is_set() and job.error is not None:
            error = {"reason": job.error.reason, "message": job.error.message}
            status |= {"errorResult": error, "errors": [error]}
        statistics: Answer = {
            "creationTime": str(int(job.created * 1000)),
            "totalBytesProcessed": str(job.bytes_processed),
            "query": {"totalBytesProcessed": str(job.bytes_processed), "schema": {"fields": job.schema}},
        }
        if job.session is not None:
            statistics["sessionInfo"] = {"sessionId": job.session.identity}
        return {
            "kind": "bigquery#job",
            "id": f"{job.project}:{job.location}.{job.identity}",
            "jobReference": _reference(job),
            "configuration": {"jobType": "QUERY", **job.configuration, "query": query},
            "status": status,
            "statistics": statistics,
        }


def _reference(job: Job) -> Answer:
    return {"projectId": job.project, "jobId": job.identity, "location": job.location or "US"}


_PROJECT = r"/bigquery/v2/projects/([^/]+)"
ROUTES: tuple[tuple[str, re.Pattern[str], Callable[..., Answer]], ...] = (
    ("POST", re.compile(_PROJECT + r"/jobs"), Interface.insert_job),
    ("GET", re.compile(_PROJECT + r"/jobs/([^/]+)"), Interface.job),
    ("POST", re.compile(_PROJECT + r"/jobs/([^/]+)/cancel"), Interface.cancel),
    ("GET", re.compile(_PROJECT + r"/queries/([^/]+)"), Interface.results),
    ("POST", re.compile(_PROJECT + r"/datasets"), Interface.insert_dataset),
    ("GET", re.compile(_PROJECT + r"/datasets/([^/]+)"), Interface.dataset),
    ("GET", re.compile(_PROJECT + r"/datasets/([^/]+)/tables/([^/]+)"), Interface.table),
)


class Handler(BaseHTTPRequestHandler):
    """HTTP handler of the interface."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    interface: Interface

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        data = self.rfile.read(length)
        try:
            answer = self._called(data)
            if (
                LOST in data
                and self.path.endswith("/jobs?prettyPrint=false")
                and not self.interface.has_lost(data)
            ):
                self.close_connection = True  # without a response
                return
            self._send(200, answer)
        except Refused as refused:
            code = STATUS.get(refused.reason, 400)
            error = {"reason": refused.reason, "message": refused.message, "domain": "global"}
            self._send(code, {"error": {"code": code, "message": refused.message, "errors": [error]}})

    def _called(self, data: bytes) -> Answer:
        if len(data) > MOST_REQUEST:
            raise Refused(f"Request payload size exceeds the limit: {MOST_REQUEST} bytes.", "badRequest")
        if self.headers.get("Authorization") in (None, f"Bearer {WRONG_TOKEN}"):
            raise Refused("Request had invalid authentication credentials.", "authError")
        url = urlsplit(self.path)
        for method, pattern, call in ROUTES:
            found = pattern.fullmatch(url.path)
            if found is not None and method == self.command:
                query = {name: values[0] for name, values in parse_qs(url.query).items()}
                body = json.loads(data) if data else {}
                return call(self.interface, *map(unquote, found.groups()), query, body)
        raise Refused(f"Not found: {self.command} {url.path}", "notFound")

    def _send(self, code: int, content: Answer) -> None:
        data = json.dumps(content).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json; charset=UTF-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()


class Server(ThreadingHTTPServer):
    """One thread for each connection."""

    daemon_threads = True
    request_queue_size = 64


def main(port: int, project: str, dataset: str, location: str) -> None:
    """Serve until killed."""
    engine = Engine()
    engine.create_dataset(project, dataset, location)
    Handler.interface = Interface(engine)
    server = Server(("127.0.0.1", port), Handler)
    print("ready", server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
