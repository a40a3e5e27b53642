"""States for tests: a SQLite file, or a schema in PostgreSQL that is dropped at the end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import pytest
import sqlalchemy
from sqlalchemy.schema import DropSchema

from recce_meta.models.run import Trigger
from recce_meta.repositories.state.database import State, open_state
from recce_meta.repositories.state.jobs import Requested, request_job
from recce_meta.repositories.state.types import JobRequest, RepositoryConnection
from tests.support.forge_names import Forge

T = TypeVar("T")

DATABASES = ("sqlite", pytest.param("postgres", marks=pytest.mark.extensive))
KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
OTHER_KEY = "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXphYmNkZWY="


@contextmanager
def state_address(database: str, folder: Path, postgres_url: str) -> Iterator[str]:
    """Yield the URL of a state that does not exist yet; drop its schema at the end."""
    if database == "sqlite":
        yield f"sqlite:///{folder / 'state.db'}"
        return
    schema = f"state_{uuid4().hex[:12]}"
    joint = "&" if "?" in postgres_url else "?"
    url = f"{postgres_url}{joint}schema={schema}"
    try:
        yield url
    finally:
        address = sqlalchemy.make_url(postgres_url).set(drivername="postgresql+psycopg")
        engine = sqlalchemy.create_engine(address)
        with engine.begin() as connection:
            connection.execute(DropSchema(schema, cascade=True, if_exists=True))
        engine.dispose()


@contextmanager
def opened(url: str) -> Iterator[State]:
    """Yield the open state at *url*."""
    state = open_state(url, {})
    try:
        yield state
    finally:
        state.close()


def shop(**fields: object) -> RepositoryConnection:
    """Return a connection of the repository `shop`, with *fields*."""
    given: dict[str, object] = {
        "id": uuid4().hex[:12],
        "name": "shop",
        "type": Forge.GITHUB,
        "repo_url": "https://github.com/acme/shop",
        "branches": ("main",),
        "created_at": datetime(2026, 1, 1, 10, tzinfo=timezone.utc),
        "created_by": "ada",
    }
    return RepositoryConnection(**given | fields)  # type: ignore[arg-type]


def at_once(count: int, work: Callable[[], T]) -> list[T]:
    """Return the results of *count* threads that call *work* at the same moment."""
    barrier = threading.Barrier(count)

    def run() -> T:
        barrier.wait()
        return work()

    with ThreadPoolExecutor(count) as pool:
        return [future.result() for future in [pool.submit(run) for _ in range(count)]]


def request_in_process(url: str, connection_id: str, count: int) -> list[tuple[str, bool]]:
    """Open the state, request a job of `main` in *count* threads, and return ids and if they were joined."""
    with opened(url) as state:

        def request() -> Requested:
            return request_job(
                state, connection_id, JobRequest(branch="main", trigger=Trigger.POLL, requested_by="poller")
            )

        return [(one.job.id, one.joined) for one in at_once(count, request)]


def open_in_process(url: str, count: int) -> int:
    """Open the state in *count* threads, and return their number."""

    def open_and_close() -> None:
        with opened(url):
            pass

    return len(at_once(count, open_and_close))
