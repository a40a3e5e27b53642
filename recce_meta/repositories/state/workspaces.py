"""Workspaces in the state: copies of projects in editors, which sync what they know with the server.

A workspace belongs to the token that created it. Each sync notes its time, and the run that it has stored.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec.structs import asdict
from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError

from recce_meta.errors import UnknownNameError, UsageError
from recce_meta.repositories.state.database import State, row_as, rows_as
from recce_meta.repositories.state.tables import workspaces
from recce_meta.repositories.state.types import Workspace

MOST_WORKSPACES = 1000
"""Largest number of workspaces of one token: every checkout of a project has one."""
_CHANGED = frozenset("connection_id project_name project_path_hash sync_enabled client_version".split())


def add_workspace(state: State, new: Workspace) -> tuple[Workspace, bool]:
    """Store *new*, and return it with True; or return the stored workspace of the same folder with False.

    Raises UsageError if the owner has many workspaces.
    """
    key = {name: getattr(new, name) for name in ("owner", "project_name", "project_path_hash")}
    stored = _find(state, **key)
    if stored is not None:
        return stored, False
    try:
        with state.write() as session:
            query = select(func.count()).select_from(workspaces).where(workspaces.c.owner == new.owner)
            if (session.scalar(query) or 0) >= MOST_WORKSPACES:
                raise UsageError(
                    f"The token has {MOST_WORKSPACES:,} workspaces, which is the limit",
                    hint="use one of them, or another token",
                )
            session.execute(insert(workspaces).values(asdict(new)))
    except IntegrityError:
        # Another request has stored it since, or has removed its connection.
        stored = _find(state, **key)
        if stored is None:
            raise UnknownNameError("connection", new.connection_id or "", ()) from None
        return stored, False
    return get_workspace(state, new.id), True


def get_workspace(state: State, workspace_id: str, *, owner: str | None = None) -> Workspace:
    """Return a workspace; with *owner*, only one that belongs to it.

    Raises UnknownNameError if it does not exist, or belongs to another owner.
    """
    found = _find(state, id=workspace_id)
    if found is None or owner not in (None, found.owner):
        raise UnknownNameError("workspace", workspace_id, ())
    return found


def list_workspaces(
    state: State, *, owner: str | None = None, limit: int = MOST_WORKSPACES
) -> list[Workspace]:
    """Return workspaces, of *owner* if given, by project; at most *limit*."""
    query = select(workspaces).order_by(workspaces.c.project_name, workspaces.c.created_at, workspaces.c.id)
    if owner is not None:
        query = query.where(workspaces.c.owner == owner)
    with state.read() as session:
        return rows_as(session, query.limit(limit), Workspace)


def change_workspace(state: State, workspace_id: str, **fields: object) -> Workspace:
    """Change *fields* of a workspace, and return it.

    Raises UnknownNameError if it does not exist, and UsageError if another workspace of the owner has the
    same project and folder.
    """
    if unknown := fields.keys() - _CHANGED:
        raise TypeError(f"fields of a workspace are expected, got {sorted(unknown)}")
    if fields:
        try:
            with state.write() as session:
                session.execute(update(workspaces).filter_by(id=workspace_id).values(fields))
        except IntegrityError:
            raise UsageError(
                "Another workspace has this project and folder",
                hint="change that one, or choose another name",
            ) from None
    return get_workspace(state, workspace_id)


def touch_workspace(
    state: State,
    workspace_id: str,
    at: datetime,
    *,
    store: str | None = None,
    run_id: str | None = None,
    outcome: str | None = None,
) -> None:
    """Note a sync of a workspace at the time *at*, and the run that it stored in the store *store*.

    *outcome* is the answer to the sync. Raises UnknownNameError if the workspace does not exist.
    """
    values: dict[str, Any] = {"last_sync_at": at}
    if run_id is not None:
        values |= {"store": store, "last_run_id": run_id, "last_outcome": outcome}
    with state.write() as session:
        found = session.execute(update(workspaces).filter_by(id=workspace_id).values(values))
        if not found.rowcount:
            raise UnknownNameError("workspace", workspace_id, ())


def _find(state: State, **key: str) -> Workspace | None:
    with state.read() as session:
        return row_as(session, select(workspaces).filter_by(**key), Workspace)
