"""Removal of the runs of a closed pull request."""

from __future__ import annotations

import asyncio
from datetime import datetime, timezone

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.errors import DatabaseNotFound, StoreNotFound, UnknownNameError
from recce_meta.models import RunMetadata
from recce_meta.repositories.follow_ups.context import TaskContext
from recce_meta.repositories.state.connections import get_connection
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.pull_requests import change_report, get_pull_request
from recce_meta.repositories.state.tasks import forget_job_files
from recce_meta.repositories.state.types import (
    PullRequest,
    PullRequestState,
    Task,
    base_environment_of,
    head_environment_of,
)
from recce_meta.store.prune import remove_runs


class PullRequestPruner:
    """Handler of the removal; a pull request that was reopened meanwhile keeps its runs."""

    def __init__(self, context: TaskContext) -> None:
        self._context = context
        self._state = context.state

    async def __call__(self, task: Task) -> None:
        """Remove the runs that this connection has recorded for its pull request."""
        try:
            connection = await asyncio.to_thread(get_connection, self._state, task.connection_id)
            number = int(task.payload["number"])
            pull_request = await asyncio.to_thread(get_pull_request, self._state, connection.id, number)
        except UnknownNameError:
            return
        if pull_request.state is PullRequestState.OPEN or pull_request.pruned_at is not None:
            return

        def is_own(run: RunMetadata) -> bool:
            # By the id in the job's: names of connections change, and another one may take an old name.
            return run.extraction is not None and run.extraction.job.startswith(f"{connection.id}:")

        def work(adapter: UnifiedSqlAdapter, schema: str) -> bool:
            # Again: the wait for the store may have been long, and a new job may use the runs.
            if get_pull_request(self._state, connection.id, number).state is PullRequestState.OPEN:
                return False
            # The environment of the connection may have changed since they were recorded.
            for environment in _environments(number, connection.environment):
                try:
                    remove_runs(adapter, is_own, environment=environment, schema=schema)
                except (StoreNotFound, DatabaseNotFound):
                    break
            return True

        if await self._context.stores.use(connection.store, work):
            await asyncio.to_thread(_note, self._state, pull_request)


def _environments(number: int, usual: str) -> tuple[str, ...]:
    return tuple(
        environment_of(number, one)
        for environment_of in (head_environment_of, base_environment_of)
        for one in {usual: None, "prod": None}
    )


def _note(state: State, pull_request: PullRequest) -> None:
    forget_job_files(state, pull_request.connection_id, pull_request.number)
    now = datetime.now(timezone.utc)
    change_report(state, pull_request.connection_id, pull_request.number, pruned_at=now)
