"""Handlers of all kinds of tasks of a worker."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial

from recce_meta.errors import UnknownNameError
from recce_meta.repositories.follow_ups.branches import BranchFollower, PullRequestPruner
from recce_meta.repositories.follow_ups.comments import PageLinks
from recce_meta.repositories.follow_ups.context import OpenForge, TaskContext
from recce_meta.repositories.follow_ups.reports import PullRequestReporter
from recce_meta.repositories.follow_ups.runner import Handler
from recce_meta.repositories.forges.base import ForgeClient
from recce_meta.repositories.forges.login import ConnectionLogins
from recce_meta.repositories.forges.open import open_forge
from recce_meta.repositories.notifications.sending import send_notification
from recce_meta.repositories.recording import TargetStores
from recce_meta.repositories.state.connections import get_connection
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.types import RepositoryConnection, Task, TaskKind


def task_handlers(
    state: State,
    stores: TargetStores,
    logins: ConnectionLogins,
    environ: Mapping[str, str],
    *,
    forge: OpenForge | None = None,
) -> Mapping[TaskKind, Handler]:
    """Return the handler of each kind of task.

    *environ* is the environment of the service. *forge* replaces the API of the forges.
    """

    def scrub(connection: RepositoryConnection, text: str) -> str:
        return logins.scrubber(connection).scrub(text)

    async def opened(connection: RepositoryConnection) -> ForgeClient | None:
        return await open_forge(connection, logins, environ)

    context = TaskContext(
        state=state,
        stores=stores,
        open_forge=forge or opened,
        scrub=scrub,
        links=PageLinks.read(environ),
    )
    return {
        TaskKind.FOLLOW_UP: BranchFollower(context),
        TaskKind.REPORT: PullRequestReporter(context),
        TaskKind.PRUNE: PullRequestPruner(context),
        TaskKind.NOTIFY: partial(_notify, state, logins, environ),
    }


async def _notify(state: State, logins: ConnectionLogins, environ: Mapping[str, str], task: Task) -> None:
    """Send the notification of *task*."""
    try:
        connection = await asyncio.to_thread(get_connection, state, task.connection_id)
    except UnknownNameError:  # removed meanwhile
        return
    await send_notification(state, logins, environ, connection, task.payload)
