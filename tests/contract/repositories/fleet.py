"""Workers with stages that sleep, on a state of their own: started, killed, and looked after by tests."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import create_engine, text

from recce_meta.models.run import Trigger
from recce_meta.repositories.state.connections import add_connection
from recce_meta.repositories.state.database import State, open_state
from recce_meta.repositories.state.jobs import Requested, get_job, request_job
from recce_meta.repositories.state.types import ExtractionJob, JobRequest, RepositoryConnection
from tests.support.forge_names import Forge

SCRIPT = Path(__file__).with_name("tiny_worker.py")
PATIENCE = 120.0


class Fleet:
    """Workers over one state, with the notes of their stages."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.notes = folder / "notes"
        (self.notes / "runs").mkdir(parents=True)
        (self.notes / "heads").mkdir()
        self.state: State = open_state(url, {})
        self.mark = uuid4().hex
        self.workers: list[subprocess.Popen[str]] = []

    def connect(self, name: str = "shop", *branches: str) -> str:
        """Add a connection and return its id."""
        connection = RepositoryConnection(
            id=uuid4().hex[:12],
            name=name,
            type=Forge.GIT,
            repo_url=f"https://git.example.com/{name}",
            branches=branches or ("main",),
            created_at=datetime.now(timezone.utc),
            created_by="test",
        )
        return add_connection(self.state, connection).id

    def request(self, connection_id: str, branch: str = "main") -> Requested:
        """Request a job."""
        return request_job(
            self.state, connection_id, JobRequest(branch=branch, trigger=Trigger.MANUAL, requested_by="test")
        )

    def start(self, name: str | None = None, **settings: Any) -> subprocess.Popen[str]:
        """Start a worker, and return when it runs."""
        config = {
            "state": self.url,
            "work": str(self.folder / settings.pop("work", "work")),
            "notes": str(self.notes),
            "mark": self.mark,
            "name": name,
            **settings,
        }
        worker = subprocess.Popen(
            [sys.executable, str(SCRIPT), json.dumps(config)], stdout=subprocess.PIPE, text=True
        )
        self.workers.append(worker)
        assert worker.stdout is not None
        assert worker.stdout.readline(), "the worker did not start"
        return worker

    def wait_for(self, condition: Callable[[], Any], what: str = "the condition") -> Any:
        """Return the value of *condition* once it is true."""
        deadline = time.monotonic() + PATIENCE
        while not (found := condition()):
            assert time.monotonic() < deadline, f"{what} did not come true; log:\n{self.log}"
            time.sleep(0.02)
        return found

    def finished(self, job_id: str) -> ExtractionJob:
        """Return the job when it is over."""

        def ended() -> ExtractionJob | None:
            job = get_job(self.state, job_id)
            return job if job.status.is_over else None

        job: ExtractionJob = self.wait_for(ended, f"the end of {job_id}")
        return job

    @property
    def log(self) -> str:
        """Lines that the stages wrote."""
        file = self.notes / "log"
        return file.read_text() if file.exists() else ""

    def runs(self) -> list[str]:
        """Return the ids of stored runs."""
        return sorted(file.name for file in (self.notes / "runs").iterdir())

    def processes(self) -> list[str]:
        """Return the processes that stages started and that are alive."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if f"MARK={self.mark}".encode() in (process / "environ").read_bytes():
                    found.append((process / "cmdline").read_text())
        return found

    def assert_clean(self) -> None:
        """Wait until no process and no folder of a job is left."""
        self.wait_for(lambda: not self.processes(), "the end of all processes")
        self.wait_for(lambda: not list(self.folder.glob("work*/jobs/*")), "the removal of all folders")

    def close(self) -> None:
        """End the workers."""
        for worker in self.workers:
            worker.kill()
            worker.wait()
            if worker.stdout is not None:
                worker.stdout.close()
        self.state.close()


@contextmanager
def fleet_on(postgres_url: str | None, folder: Path) -> Iterator[Fleet]:
    """Yield a fleet with a state in schemas of PostgreSQL that are dropped at the end, else in SQLite."""
    schema = f"fleet_{uuid4().hex[:12]}"
    fleet = Fleet(
        f"{postgres_url}?schema={schema}" if postgres_url else f"sqlite:///{folder / 'state.db'}", folder
    )
    try:
        yield fleet
    finally:
        fleet.close()
        if postgres_url:
            engine = create_engine(postgres_url.replace("postgresql://", "postgresql+psycopg://"))
            with engine.begin() as connection:
                for name in (schema, f"{schema}_jobs"):
                    connection.execute(text(f"drop schema if exists {name} cascade"))
            engine.dispose()
