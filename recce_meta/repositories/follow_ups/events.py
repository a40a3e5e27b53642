"""Events of a branch, or of a database, that a connection sends notifications of: a task for each address."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from msgspec import Struct
from sqlalchemy import select

from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.tables import tasks
from recce_meta.repositories.state.tasks import add_task
from recce_meta.repositories.state.types import RepositoryConnection, TaskKind


class EventKind(str, Enum):
    """What has happened to a branch."""

    FAILURE = "failure"
    """A job has failed after one that succeeded."""
    RECOVERY = "recovery"
    """A job has succeeded after one that failed."""
    BREAKING = "breaking"
    """A run has breaking changes from the previous one."""
    SCHEMA = "schema_change"
    """A scan of a database has found other relations than the previous one."""
    QUALITY = "quality"
    """A measurement of a database meets conditions that the previous one did not meet."""


class Event(Struct, frozen=True, kw_only=True):
    """An event of a branch; its text contains no secret."""

    kind: EventKind
    job_id: str
    """Job that made the event; of each kind, a job makes one at most."""
    connection: str
    """Name of the connection."""
    branch: str
    title: str
    lines: tuple[str, ...] = ()
    url: str | None = None
    """Page about the event; None without a public address of the server."""

    @property
    def key(self) -> str:
        """Return the identity of the event, such as `failure:JOB`."""
        return f"{self.kind.value}:{self.job_id}"

    def payload(self, index: int) -> Mapping[str, Any]:
        """Return the payload of the task that sends the event to the address with *index*."""
        return {
            "id": self.key,
            "kind": self.kind.value,
            "connection": self.connection,
            "branch": self.branch,
            "title": self.title,
            "text": "\n".join(self.lines),
            "url": self.url,
            "index": index,
        }


def add_event(state: State, connection: RepositoryConnection, event: Event) -> None:
    """Add a task for each address of *connection*; an event that was added before is not sent again."""
    with state.write() as session:
        for index in range(len(connection.notify)):
            key = f"{event.key}:{index}"
            # Also a task that has ended: what adds the event may be repeated after its worker was killed.
            same = select(tasks.c.row).where(tasks.c.kind == TaskKind.NOTIFY.value, tasks.c.key == key)
            if session.scalar(same.limit(1)) is None:
                add_task(state, session, TaskKind.NOTIFY, key, connection.id, event.payload(index))
