"""What the handlers of tasks share: state, stores, forges, links and the removal of secrets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from msgspec import Struct

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.diff import diff as diff_runs
from recce_meta.errors import SelectorError
from recce_meta.models import RunDiff, RunMetadata
from recce_meta.repositories.follow_ups.checks import CheckRequest, RepositoryChecks
from recce_meta.repositories.follow_ups.comments import NO_CHECKS, RepositoryResults
from recce_meta.repositories.follow_ups.links import PageLinks
from recce_meta.repositories.forges.base import ForgeClient
from recce_meta.repositories.recording import TargetStores
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.types import RepositoryConnection
from recce_meta.store.read import run_by_id
from recce_meta.store.session import open_store

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

    async def diff(self, store: str, base: str, current: str) -> RunDiff:
        """Return the changes between the runs with these ids. Raises SelectorError if one is not stored."""

        def work(adapter: UnifiedSqlAdapter, schema: str) -> RunDiff:
            sides = [_run(adapter, schema, run_id) for run_id in (base, current)]
            return diff_runs(lambda: adapter, *sides, schema=schema)

        return await self.stores.read(store, work)

    async def check(
        self, connection: RepositoryConnection, files: dict[str, str], base: str | None, current: str
    ) -> RepositoryResults:
        """Run the checks in *files*, and return their results; those that are stored are not run again."""
        if not connection.runs_checks or not files.keys() & {"checks.yml", "quality.yml"}:
            return NO_CHECKS

        def read(adapter: UnifiedSqlAdapter, schema: str) -> tuple[RunMetadata | None, RunMetadata]:
            return None if base is None else _run(adapter, schema, base), _run(adapter, schema, current)

        before, after = await self.stores.read(connection.store, read)
        request = CheckRequest(files=files, base=before, current=after, variables=connection.variables)
        checks = RepositoryChecks(request)
        # Confined queries change what all connections to a DuckDB file may do, so recordings wait for them.
        # In a warehouse, they may take many minutes, for which no recording has to wait.
        is_file = self.stores.is_file(connection.store)
        run = self.stores.use if is_file else self.stores.read
        return await run(connection.store, checks, checks.stop)


def _run(adapter: UnifiedSqlAdapter, schema: str, run_id: str) -> RunMetadata:
    with open_store(adapter, schema) as store:
        found = run_by_id(store, run_id)
    if found is None:
        raise SelectorError(f"Run {run_id} is not in the store any more", hint="refresh the connection")
    return found
