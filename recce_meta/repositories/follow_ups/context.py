"""What the handlers of tasks share: state, stores, forges, links, notifications, removal of secrets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from enum import Enum
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import select

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.diff import diff as diff_runs
from recce_meta.api.kept_diffs import KeptDiffs
from recce_meta.config.discovery import CONFIG_FILE
from recce_meta.errors import SelectorError
from recce_meta.models import RunDiff, RunMetadata
from recce_meta.repositories.follow_ups.checks import (
    CHECKS,
    NOT_COUNTED,
    QUALITY,
    CheckRequest,
    RepositoryChecks,
)
from recce_meta.repositories.follow_ups.comments import NO_CHECKS, PageLinks, RepositoryResults
from recce_meta.repositories.forges.base import ForgeClient
from recce_meta.repositories.recording import TargetStores
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.tables import tasks
from recce_meta.repositories.state.tasks import add_task
from recce_meta.repositories.state.types import RepositoryConnection, TaskKind
from recce_meta.store.read import run_by_id
from recce_meta.store.session import open_store

_MOST_COUNTED = 500


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


OpenForge = Callable[[RepositoryConnection], Awaitable[ForgeClient | None]]
"""Returns the API of the forge of a connection; None if it has none, or the connection no token."""


class TaskContext(Struct, frozen=True, kw_only=True):
    """What the handlers of tasks share."""

    state: State
    stores: TargetStores
    open_forge: OpenForge
    scrub: Callable[[RepositoryConnection, str], str]
    """Removes the secrets of a connection from a text."""
    links: PageLinks = PageLinks()
    diffs: dict[str, KeptDiffs] = {}
    """Diffs of each store by its name."""
    counted: dict[tuple[str, str | None, str], tuple[str, ...]] = {}
    """Complete counts of edits by store and runs: a repeated report does not ask the warehouse again."""

    async def diff(self, store: str, base: str, current: str) -> RunDiff:
        """Return the changes between the runs with these ids. Raises SelectorError if one is not stored."""

        def work(adapter: UnifiedSqlAdapter) -> RunDiff:
            sides = [_run(adapter, run_id) for run_id in (base, current)]
            return diff_runs(lambda: adapter, *sides, kept=kept)

        kept = self.diffs.setdefault(store, KeptDiffs(saves=True))
        found = await self.stores.read(store, work)
        if kept.is_worth_saving:
            await self.stores.use(store, kept.save)
        return found

    async def check(
        self,
        connection: RepositoryConnection,
        files: dict[str, str],
        base: str | None,
        current: str,
        *,
        previews: bool = False,
    ) -> RepositoryResults:
        """Run the checks in *files*, and return their results; those that are stored are not run again.

        With *previews*, the rows that the edits change are counted.
        """
        seen = connection.store, base, current
        known = self.counted.get(seen) if previews else None
        if not connection.runs_checks:
            files = {name: text for name, text in files.items() if name == CONFIG_FILE}
        counts = previews and known is None
        found = NO_CHECKS
        if counts or files.keys() & {CHECKS, QUALITY}:

            def read(adapter: UnifiedSqlAdapter) -> tuple[RunMetadata | None, RunMetadata]:
                return None if base is None else _run(adapter, base), _run(adapter, current)

            before, after = await self.stores.read(connection.store, read)
            request = CheckRequest(
                files=files, base=before, current=after, variables=connection.variables, previews=counts
            )
            found = await self._results(connection.store, RepositoryChecks(request))
        if known is not None:
            return replace(found, previews=known)
        if found.previews and not any(NOT_COUNTED in line for line in found.previews):
            if len(self.counted) >= _MOST_COUNTED:
                self.counted.clear()
            self.counted[seen] = found.previews
        return found

    async def _results(self, store: str, checks: RepositoryChecks) -> RepositoryResults:
        # Confined queries change what all connections to a DuckDB file may do, so recordings wait for them.
        # In a warehouse, they may take many minutes, for which no recording has to wait.
        run = self.stores.use if self.stores.is_file(store) else self.stores.read
        return await run(store, checks, checks.stop)


def _run(adapter: UnifiedSqlAdapter, run_id: str) -> RunMetadata:
    with open_store(adapter) as store:
        found = run_by_id(store, run_id)
    if found is None:
        raise SelectorError(f"Run {run_id} is not in the store any more", hint="refresh the connection")
    return found
