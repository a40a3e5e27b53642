"""Proof that forks and uploads starve no push: a worker of two slots has honest pushes beside them.

    python -m tests.proofs.fair_shares [--beside uploads] [--seconds 600] [--seed 1]

A case has three repositories of honest projects, and 20 pull requests of forks: of these repositories, of
another one, of five, or of 20. Each fork has a program that loops, prints, fills the memory or has many
files, or a git server of its own that does not answer. It pushes again as soon as its jobs are over. With
`--beside uploads`, a server in a process of its own has the store of the worker, and a client sends it one
manifest after the other: with nodes as many as its connection accepts, with more, and without their fields.

The same pushes, at the same moments, are made before that begins and beside it. Every push must lead to a
GOLD run, and the 95th percentile of the time from the request to the run must be at most twice that of the
idle worker, over all cases. Prints each fault; exits with 1 if there is one.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener
from uuid import uuid4

from recce_meta.models.run import ExtractionTier, Trigger
from recce_meta.repositories.extraction.dbt.versions import NEWEST, RUST
from recce_meta.repositories.state.connections import add_connection
from recce_meta.repositories.state.jobs import get_job, request_job
from recce_meta.repositories.state.pull_requests import get_pull_request, note_pull_request
from recce_meta.repositories.state.types import (
    ExtractionJob,
    JobRequest,
    JobStatus,
    PullRequestEvent,
    PullRequestState,
    RepositoryConnection,
)
from tests.proofs.clock import Clock
from tests.proofs.pull_requests import PROJECT, SCHEMA, Laboratory, connect, laboratory
from tests.support.forge_names import Forge
from tests.support.forge_server import ForgeRepository
from tests.support.git_server import Answer, File

HONEST, FORKS, PUSHES = 3, 20, 6
PATIENCE = 120.0
"""Seconds in which a push must have its run."""
PARSE_CPU = 60.0
"""Seconds of CPU of `dbt parse`; a fork gets a quarter."""
UPLOAD_TOKEN = "fair-shares-token-of-the-server"
LONGEST = 2.0
"""Times that a push may take as long as on an idle worker."""
_LOOP = "{%% for a in range(%d) %%}{%% for b in range(10000) %%}{%% endfor %%}{%% endfor %%}select 1 as id\n"
PROGRAMS: Mapping[str, Mapping[str, File]] = {
    "loops beyond its limit": {"models/late.sql": _LOOP % 100_000},
    "loops within its limit": {"models/late.sql": _LOOP % 800},
    "prints": {
        "models/late.sql": "{% for a in range(20000) %}{{ log('x' * 900, info=true) }}{% endfor %}select 1\n"
    },
    "fills the memory": {"models/late.sql": "{% set x = 'x' * 400000000 %}select {{ x | length }} as id\n"},
    "has many files": {f"models/more/m{number}.sql": "select 1 as id\n" for number in range(400)},
    "answers no request": {},
}


class Push(NamedTuple):
    """A push to a repository."""

    repository: int
    at: float
    """Seconds after the begin."""


class Case:
    """Pushes and forks of a seed."""

    def __init__(self, seed: int) -> None:
        choose = random.Random(seed)
        self.seed = seed
        self.minor = choose.choice((NEWEST, RUST))
        self.repositories = choose.choice((0, 1, 5, FORKS))
        """Number of hostile repositories; without one, the forks are those of the honest ones."""
        self.programs = [choose.choice([*PROGRAMS]) for _ in range(FORKS)]
        moments = (choose.uniform(2, 9) for _ in range(PUSHES))
        at = 0.0
        self.pushes = [Push(choose.randrange(HONEST), at := at + moment) for moment in moments]

    def __str__(self) -> str:
        where = f"{self.repositories} repositories" if self.repositories else "the honest repositories"
        return f"case {self.seed}, dbt {self.minor}, {FORKS} forks of {where}"


class Site(NamedTuple):
    """A repository and its connection."""

    repository: ForgeRepository
    connection: RepositoryConnection


class Fork:
    """A pull request of a hostile fork."""

    def __init__(self, lab: Laboratory, site: Site, program: str) -> None:
        self.lab, self.site, self.program = lab, site, program
        files = {"models/late.sql": "select 1 as id\n", **PROGRAMS[program]}
        name = f"change-{len(site.repository.pull_requests)}"
        self.number = site.repository.open_pull_request(name, files, is_fork=True)
        self.count = 0

    def attack(self) -> None:
        """Push again if the jobs of the last push are over."""
        if self.count:
            found = get_pull_request(self.lab.state, self.site.connection.id, self.number)
            jobs = [get_job(self.lab.state, one) for one in (found.head_job, found.base_job) if one]
            if not all(job.status.is_over for job in jobs):
                return
            self.site.repository.push(self.number, {"README.md": f"push {self.count}\n"})
        self.count += 1
        self.note(PullRequestState.OPEN)

    def note(self, state: PullRequestState) -> None:
        """Deliver the event of the pull request."""
        found = self.site.repository.pull_requests[self.number]
        event = PullRequestEvent(
            number=self.number,
            title=found.title,
            state=state,
            base_branch=found.base,
            head_branch=found.head,
            head_sha=found.sha,
            is_fork=True,
            updated_at=datetime.now(timezone.utc),
        )
        note_pull_request(
            self.lab.state, self.site.connection, event, trigger=Trigger.WEBHOOK, requested_by="proof"
        )


class Uploads:
    """A server with the state and the store of the laboratory, and a client that uploads to it."""

    def __init__(self, lab: Laboratory) -> None:
        self.lab, self.sent = lab, Counter[str]()
        self.connection = add_connection(
            lab.state,
            RepositoryConnection(
                id=uuid4().hex[:12],
                name=f"uploads-{uuid4().hex[:6]}",
                type="git",
                repo_url="",
                branches=("main",),
                is_upload_only=True,
                created_at=datetime.now(timezone.utc),
                created_by="proof",
            ),
        )

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Upload in a loop within the block."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        command = ["serve", "--no-open", "--web-only", "--port", str(port), "--state", self.lab.url]
        server = subprocess.Popen(
            [sys.executable, "-m", "recce_meta", *command, "--url", self.lab.store, "--schema", SCHEMA],
            env={**self.lab.environ, "RECCE_META_TOKEN": UPLOAD_TOKEN},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        is_over = threading.Event()

        def send() -> None:
            number = 0
            while not is_over.is_set():
                name, nodes = UPLOADS[number % len(UPLOADS)]
                status = self._send(port, _upload(nodes(number)))
                if status in (200, 400):
                    self.sent[f"{name}: {status}"] += 1
                    number += 1
                else:  # the rate is limited, or the server does not answer yet
                    is_over.wait(0.5)

        thread = threading.Thread(target=send)
        thread.start()
        try:
            while not self.sent and server.poll() is None:
                time.sleep(0.1)
            yield
        finally:
            is_over.set()
            thread.join()
            print(f"server: {_peak(server.pid)} MB at its peak")
            server.kill()
            server.wait()

    def _send(self, port: int, body: bytes) -> int:
        request = Request(
            f"http://127.0.0.1:{port}/api/metadata/connections/{self.connection.id}/manifest",
            data=body,
            headers={"Authorization": f"Bearer {UPLOAD_TOKEN}", "Content-Encoding": "gzip"},
        )
        try:
            with build_opener(ProxyHandler({})).open(request, timeout=PATIENCE * 3) as answer:
                return int(answer.status)
        except HTTPError as error:
            return error.code
        except OSError:
            return 0


def _peak(pid: int) -> int:
    """Return the largest memory of a process, in megabytes."""
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) // 1024 if found else 0


def _nodes(number: int, count: int) -> dict[str, object]:
    """Return *count* models, each of which differs from those of another *number*."""
    return {
        f"model.up.m{at}": {
            "unique_id": f"model.up.m{at}",
            "name": f"m{at}",
            "resource_type": "model",
            "package_name": "up",
            "path": f"m{at}.sql",
            "original_file_path": f"models/m{at}.sql",
            "fqn": ["up", f"m{at}"],
            "raw_code": f"select {number} as id",
            "language": "sql",
            "config": {"materialized": "view"},
            "depends_on": {"nodes": [f"model.up.m{at - 1}"] if at % 50 else []},
        }
        for at in range(count)
    }


def _upload(nodes: dict[str, object]) -> bytes:
    metadata = {
        "dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json",
        "dbt_version": "1.10.0",
        "project_name": "up",
        "adapter_type": "sqlite",
        "generated_at": datetime.now(timezone.utc).isoformat(),
        "invocation_id": uuid4().hex,
    }
    return gzip.compress(json.dumps({"manifest": {"metadata": metadata, "nodes": nodes}}).encode(), 1)


UPLOADS: Sequence[tuple[str, Callable[[int], dict[str, object]]]] = (
    ("as many nodes as accepted", lambda number: _nodes(number, 50_000)),
    ("100,000 empty nodes", lambda _: {f"model.up.{at}": {} for at in range(100_000)}),
    ("500,000 empty nodes", lambda _: {f"model.up.{at}": {} for at in range(500_000)}),
    ("50,000 empty nodes", lambda _: {f"model.up.{at}": {} for at in range(50_000)}),
    ("a few nodes", lambda number: _nodes(number, 20)),
)
"""Uploads, which take turns."""


class Trial:
    """One case in the laboratory."""

    def __init__(self, lab: Laboratory, case: Case, uploads: Uploads | None = None) -> None:
        self.lab, self.case, self.uploads = lab, case, uploads
        self.honest = [self._site() for _ in range(HONEST)]
        self.forks: list[Fork] = []
        self.silent: set[str] = set()
        if uploads is not None:
            return
        others = [self._site() for _ in range(case.repositories)] or self.honest
        self.forks = [
            Fork(lab, others[number % len(others)], program) for number, program in enumerate(case.programs)
        ]
        self.silent = {
            fork.site.repository.name
            for fork in self.forks
            if fork.program == "answers no request" and case.repositories
        }

    def _site(self) -> Site:
        files: dict[str, File] = {"dbt_project.yml": PROJECT, "models/m0.sql": "select 1 as id\n"}
        repository = self.lab.forge.create(Forge.GITHUB, files)
        return Site(repository, connect(self.lab, repository, dbt_version=self.case.minor))

    def run(self) -> tuple[list[float], list[float], list[str]]:
        """Return the seconds of each push to an idle worker and beside forks, and what is wrong."""
        for site in self.honest:  # what the first job of a connection makes is not measured
            self._wait(self._push(site))
        idle, wrong = self._pushes()
        with self._attacked() if self.uploads is None else self.uploads.sending():
            busy, more = self._pushes()
        return idle, busy, wrong + more

    @contextmanager
    def _attacked(self) -> Iterator[None]:
        """Let all forks push in a loop within the block."""
        is_over = threading.Event()

        def attack() -> None:
            while not is_over.wait(0.2):
                for fork in self.forks:
                    fork.attack()

        for name in self.silent:
            self.lab.forge.git.answer(name, Answer(pause=3600))
        thread = threading.Thread(target=attack)
        thread.start()
        try:
            time.sleep(3)
            yield
        finally:
            is_over.set()
            thread.join()
            for fork in self.forks:
                fork.note(PullRequestState.CLOSED)
            for name in self.silent:
                self.lab.forge.git.answer(name, None)

    def _pushes(self) -> tuple[list[float], list[str]]:
        """Make all pushes; return the seconds to each run, and what is wrong."""
        begin, requested = time.monotonic(), []
        for push in self.case.pushes:
            time.sleep(max(begin + push.at - time.monotonic(), 0))
            requested.append(self._push(self.honest[push.repository]))
        # A push to a branch whose job waits joins that job.
        jobs = [self._wait(job) for job in dict.fromkeys(requested)]
        seconds = [(job.ended_at - job.requested_at).total_seconds() for job in jobs if job.ended_at]
        wrong = [
            f"a push of {job.branch} is {job.status.value}, {job.tier}: {job.error or job.fallback}"
            for job in jobs
            if job.status is not JobStatus.SUCCESS or job.tier is not ExtractionTier.GOLD
        ]
        return seconds, wrong

    def _push(self, site: Site) -> str:
        files: dict[str, File] = {"models/m0.sql": f"select {time.monotonic_ns()} as id\n"}
        self.lab.forge.git.commit(site.repository.name, "main", files)
        asked = request_job(
            self.lab.state,
            site.connection.id,
            JobRequest(branch="main", trigger=Trigger.WEBHOOK, requested_by="proof"),
        )
        return asked.job.id

    def _wait(self, job_id: str) -> ExtractionJob:
        deadline = time.monotonic() + PATIENCE
        while not (job := get_job(self.lab.state, job_id)).status.is_over and time.monotonic() < deadline:
            time.sleep(0.1)
        return job


def percentile(seconds: list[float]) -> float:
    """Return the 95th percentile."""
    return quantiles(seconds, n=20, method="inclusive")[-1]


class Times:
    """Seconds of all pushes, on an idle worker and on a busy one."""

    def __init__(self) -> None:
        self.idle: list[float] = []
        self.busy: list[float] = []

    def __str__(self) -> str:
        shown = [f"{percentile(one):.1f} s (median {median(one):.1f} s)" for one in (self.idle, self.busy)]
        return f"p95 of {len(self.idle)} pushes: idle {shown[0]}, busy {shown[1]}"

    @property
    def is_fair(self) -> bool:
        """True if pushes beside them take at most `LONGEST` times as long."""
        return percentile(self.busy) <= LONGEST * percentile(self.idle)


def failures(
    lab: Laboratory, seeds: Iterator[int], times: Times, pushes: Counter[str], *, beside: str
) -> Iterator[str]:
    """Run the case of each seed *beside* forks or uploads, and yield what is wrong.

    Adds to *times*, and to the *pushes* of forks and the uploads.
    """
    for seed in seeds:
        case = Case(seed)
        trial = Trial(lab, case, Uploads(lab) if beside == "uploads" else None)
        idle, busy, wrong = trial.run()
        times.idle += idle
        times.busy += busy
        for fork in trial.forks:
            pushes[fork.program] += fork.count
        if trial.uploads is not None:
            pushes += trial.uploads.sent
        shown = str(case) if beside == "forks" else f"case {seed}, dbt {case.minor}, uploads"
        print(f"{shown}: {percentile(idle):.1f} s, {percentile(busy):.1f} s", flush=True)
        yield from (f"{case}: {one}" for one in wrong)


def main() -> None:
    """Run the cases and print what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--beside", choices=("forks", "uploads"), default="forks")
    clock, given = Clock.of(parser)
    times, pushes, failed = Times(), Counter[str](), 0
    folder = Path(tempfile.mkdtemp())
    try:
        with laboratory(folder, [NEWEST, RUST], parse_cpu=PARSE_CPU, disk=2**30) as lab:
            for failure in failures(lab, clock.seeds(), times, pushes, beside=given.beside):
                failed += 1
                print(failure, flush=True)
    finally:
        with suppress(OSError):
            shutil.rmtree(folder)
    for name, count in sorted(pushes.items()):
        print(f"{count:6} {given.beside}: {name}")
    print(times)
    print(clock.report(failed))
    sys.exit(failed > 0 or not times.is_fair)


if __name__ == "__main__":
    main()
