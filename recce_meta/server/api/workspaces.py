"""Workspaces of editors: their requests, the sync of what an editor knows, and lineage for an editor.

A workspace exists only for the token that created it, and for tokens with the scope `admin`. Senders without
a token of the state, which may do everything, share their workspaces.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import asdict, replace

from recce_meta.errors import DatabaseNotFound, RunNotFound, StoreNotFound, UsageError
from recce_meta.models import RunMetadata
from recce_meta.models.lineage import ColumnGraph, KnownColumns
from recce_meta.models.moments import utc_time
from recce_meta.repositories.service.service import RepositoryService
from recce_meta.repositories.state.requests import PermissionRefused
from recce_meta.repositories.state.types import Workspace
from recce_meta.repositories.state.workspaces import (
    add_workspace,
    change_workspace,
    get_workspace,
    list_workspaces,
    touch_workspace,
)
from recce_meta.server.access.limits import UploadLimits, receive_upload
from recce_meta.server.access.problems import NotAllowed
from recce_meta.server.access.scopes import Grant
from recce_meta.server.api.call import Call, decoded_body
from recce_meta.server.api.ide_project import (
    IdeConflict,
    IdeItems,
    IdeProject,
    SyncRequest,
    ide_project,
    items_of,
    new_counts,
)
from recce_meta.server.api.lineage import (
    ColumnDerivation,
    Dependency,
    LineageObject,
    ObjectColumn,
    lineage_answer,
)
from recce_meta.server.site.serving import Site
from recce_meta.server.site.uploads import store_of
from recce_meta.server.stores.stores import Store, StoreView
from recce_meta.store.columns import columns_of
from recce_meta.store.read import load_project, run_by_id
from recce_meta.store.session import open_store
from recce_meta.store.write import RecordResult, record_run
from recce_meta.temporary import temporary_folder

SYNC_LIMITS = UploadLimits(32 * 2**20, 128 * 2**20, "send fewer objects, compressed with gzip")
"""Limits of the body of a sync."""
MOST_LISTED = 10_000
"""Largest number of workspaces of a list."""
MOST_LINES = 20_000
"""Largest number of columns, and of derivations between them, of a lineage."""
SERVER = "server"
"""Owner of the workspaces of senders without a token of the state."""

_Line = Annotated[str, Meta(min_length=1, max_length=200, pattern="^[^\\u0000-\\u001f\\u007f]*$")]
_Hash = Annotated[str, Meta(min_length=1, max_length=200, pattern="^[!-~]*$")]


class NewWorkspace(Struct, frozen=True, kw_only=True):
    """Workspace to add."""

    connection_id: _Line | None = None
    """Id or name of the connection of the project; by default that of the token, if it is bound to one."""
    project_name: _Line
    project_path_hash: _Hash
    """Hash of the project's folder, which distinguishes several copies of a project."""
    sync_enabled: bool = True
    client_version: _Line | None = None


class WorkspaceChange(Struct, frozen=True, kw_only=True):
    """Change of a workspace; fields that are not given stay."""

    connection_id: _Line | UnsetType | None = UNSET
    project_name: _Line | UnsetType = UNSET
    project_path_hash: _Hash | UnsetType = UNSET
    sync_enabled: bool | UnsetType = UNSET
    client_version: _Line | UnsetType | None = UNSET


class WorkspaceAnswer(Struct, frozen=True, kw_only=True):
    """Copy of a project in an editor."""

    id: str
    connection_id: str | None
    """Connection of the project; null if it is not connected."""
    project_name: str
    project_path_hash: str
    sync_enabled: bool
    """False if syncs are refused."""
    client_version: str | None
    last_sync_at: datetime | None
    """Time of the last sync; null before the first one."""
    created_at: datetime
    created_by: str
    """Name of the token that created the workspace."""


class SyncedCounts(Struct, frozen=True, kw_only=True):
    """Numbers of items that were new or changed."""

    objects: int = 0
    columns: int = 0
    dependencies: int = 0
    column_lineage: int = 0


class SyncAnswer(Struct, frozen=True, kw_only=True):
    """Outcome of a sync."""

    success: bool = True
    synced: SyncedCounts = SyncedCounts()
    conflicts: Sequence[IdeConflict] = ()
    """Items that were not stored, at most 100."""
    run_id: str | None = None
    """Run that the sync has stored; null if the sync had no objects."""
    synced_at: datetime


class WorkspaceColumn(ObjectColumn, frozen=True, kw_only=True):
    """Column, with its object."""

    object: str
    """Id of the object."""


class WorkspaceLineage(Struct, frozen=True, kw_only=True):
    """Lineage of the last synced state of a workspace, or else of the last run of its project."""

    run_id: str | None = None
    """Run of the answer; null without one."""
    objects: Sequence[LineageObject] = ()
    columns: Sequence[WorkspaceColumn] = ()
    """Columns of all `objects`."""
    dependencies: Sequence[Dependency] = ()
    """Dependencies between `objects`."""
    column_lineage: Sequence[ColumnDerivation] = ()
    last_updated: datetime | None = None
    """Time of the last sync, or else of the recording of the run; null without a run."""
    truncated: bool = False
    """True if objects, columns or derivations were left out."""


# Requests about workspaces


def owner_of(grant: Grant) -> str:
    """Return the owner of the workspaces that requests with *grant* create."""
    return grant.token_id or SERVER


def find_workspace(service: RepositoryService, grant: Grant, workspace_id: str) -> Workspace:
    """Return a workspace that *grant* may use. Raises UnknownNameError for any other one."""
    owner = None if grant.is_admin else owner_of(grant)
    return get_workspace(service.state, workspace_id, owner=owner)


def find_syncable(service: RepositoryService, grant: Grant, workspace_id: str) -> Workspace:
    """Return a workspace that *grant* may sync.

    Raises UnknownNameError for any other one, and NotAllowed if its sync is disabled.
    """
    found = find_workspace(service, grant, workspace_id)
    if not found.sync_enabled:
        raise NotAllowed(
            f"The sync of the workspace {found.id} is disabled",
            hint='PATCH the workspace with {"sync_enabled": true}',
        )
    return found


def listed(service: RepositoryService, grant: Grant) -> list[Workspace]:
    """Return the workspaces that *grant* may use."""
    return list_workspaces(
        service.state, owner=None if grant.is_admin else owner_of(grant), limit=MOST_LISTED
    )


def added(service: RepositoryService, grant: Grant, body: bytes) -> tuple[Workspace, bool]:
    """Store the workspace in *body*, and return it with True; or the stored one with False.

    Raises UsageError for an invalid request, and ConnectionNotFound for an unknown connection.
    """
    given = decoded_body(body, NewWorkspace)
    fields = asdict(replace(given, connection_id=_connection_id(service, grant, given.connection_id)))
    new = Workspace(
        id=secrets.token_hex(8),
        owner=owner_of(grant),
        created_by=grant.name,
        created_at=datetime.now(timezone.utc),
        **fields,
    )
    return add_workspace(service.state, new)


def changed(service: RepositoryService, grant: Grant, workspace_id: str, body: bytes) -> Workspace:
    """Change fields of a workspace. Raises UsageError for an invalid request."""
    found = find_workspace(service, grant, workspace_id)
    given = {
        name: value
        for name, value in asdict(decoded_body(body, WorkspaceChange)).items()
        if value is not UNSET
    }
    if "connection_id" in given:
        if given["connection_id"] is None and grant.connection is not None:
            raise PermissionRefused(
                "The token is bound to one connection", hint="leave connection_id out of the request"
            )
        given["connection_id"] = _connection_id(service, grant, given["connection_id"])
    return change_workspace(service.state, found.id, **given)


def answer_of(found: Workspace) -> WorkspaceAnswer:
    """Return *found* as its owner sees it."""
    return WorkspaceAnswer(**{name: getattr(found, name) for name in WorkspaceAnswer.__struct_fields__})


def _connection_id(service: RepositoryService, grant: Grant, name: str | None) -> str | None:
    """Return the id of the connection *name*, by default the only one of *grant*."""
    return grant.connection if name is None else service.get(name).id


def workspace_store(site: Site, service: RepositoryService, workspace: Workspace) -> Store:
    """Return the store of the connection of *workspace*, or else the first store of the server.

    Raises StoreError if the server does not open it.
    """
    if workspace.connection_id is not None:
        return store_of(site, service.get(workspace.connection_id).store)
    first = next(iter(site.stores), "default")
    return store_of(site, "default" if "default" in site.stores else first)


# Sync


async def sync_from_ide(asked: Call) -> SyncAnswer:
    """Store the state of a workspace in the body of the request *asked*, JSON, as one run.

    The same state is stored once, and has the same answer. Raises UsageError for an invalid request,
    UnknownNameError for an unknown workspace, NotAllowed if it is disabled, and the errors of the store.
    """
    service, site, places = asked.service, asked.site, asked.limits.sync_places
    # Also by sender: the workspace is only known when the body was read.
    asked.limits.sent_syncs.count(asked.caller.name)
    with places.of(asked.caller.name), temporary_folder() as folder:
        file = Path(folder, "sync.json")
        await receive_upload(asked.request.headers, asked.request.stream(), file, SYNC_LIMITS)
        async with places.reading():
            request = await asked.threaded(lambda: decoded_body(file.read_bytes(), SyncRequest))
            workspace = await asked.threaded(
                lambda: find_syncable(service, asked.grant, request.workspace_id)
            )
            # After the look-up: unknown workspaces would push out the counts of known ones.
            asked.limits.syncs.count(workspace.id)
            store = await asked.threaded(lambda: workspace_store(site, service, workspace))
            async with asked.limits.sync_of(workspace.id):
                return await asked.in_store(
                    store.name, lambda: _synced(service, store, workspace.id, request)
                )


def _synced(service: RepositoryService, store: Store, workspace_id: str, request: SyncRequest) -> SyncAnswer:
    now = datetime.now(timezone.utc)
    # Again: another sync may have ended meanwhile.
    workspace = get_workspace(service.state, workspace_id)
    read = ide_project(request, workspace.project_name, now)
    if not read.project.nodes:
        # An empty graph would hide what the workspace has synced before.
        touch_workspace(service.state, workspace.id, now)
        return SyncAnswer(conflicts=read.conflicts, synced_at=now)
    with store.writing() as adapter:
        before = _items(adapter, store, workspace)
        result = _recorded(adapter, store, read)
    run_id = result.run.run_id
    repeated = workspace.last_run_id == run_id and not result.written
    if repeated and workspace.last_outcome is not None:
        touch_workspace(service.state, workspace.id, now)
        return msgspec.json.decode(workspace.last_outcome, type=SyncAnswer)
    answer = SyncAnswer(
        synced=SyncedCounts(**new_counts(read.items, before)),
        conflicts=read.conflicts,
        run_id=run_id,
        synced_at=now,
    )
    outcome = msgspec.json.encode(answer).decode()
    touch_workspace(service.state, workspace.id, now, store=store.name, run_id=run_id, outcome=outcome)
    return answer


def _recorded(adapter: Any, store: Store, read: IdeProject) -> RecordResult:
    columns = read.columns
    if columns is None:
        return record_run(adapter, read.project)

    def analyse(known: KnownColumns) -> ColumnGraph:
        analyses = {key: found for key, found in columns.analyses.items() if key not in known}
        return ColumnGraph(lineage_ids=columns.lineage_ids, analyses=analyses)

    return record_run(adapter, read.project, analyse=analyse)


def _items(adapter: Any, store: Store, workspace: Workspace) -> IdeItems:
    """Return the items of the state that was synced before; nothing if its run is gone."""
    if workspace.last_run_id is not None and workspace.store == store.name:
        try:
            with open_store(adapter) as session:
                run = run_by_id(session, workspace.last_run_id)
                if run is not None:
                    return items_of(load_project(session, run).nodes, columns_of(session, run))
        except (StoreNotFound, DatabaseNotFound):
            pass  # it was removed, and recording creates it
    return items_of((), {})


# Lineage


async def workspace_lineage(asked: Call, workspace_id: str, since: str | None) -> WorkspaceLineage:
    """Return the last synced state of a workspace, or else of its project; empty if it is not after *since*.

    Raises UnknownNameError for an unknown workspace, and UsageError for an invalid time.
    """
    service, site = asked.service, asked.site
    after = None if since is None else parse_since(since)
    workspace = await asked.threaded(lambda: find_workspace(service, asked.grant, workspace_id))

    def place() -> tuple[Store, str | None]:
        store = workspace_store(site, service, workspace)
        if workspace.connection_id is None:
            return store, None
        return store, service.jobs_of(workspace.connection_id).last_run()

    store, run_id = await asked.threaded(place)
    is_synced = workspace.last_run_id is not None and workspace.store in site.stores
    own = site.stores[workspace.store or ""] if is_synced else None

    def read() -> WorkspaceLineage:
        if own is not None and workspace.last_run_id is not None:
            with own.view() as view:
                if (run := _run_or_none(view, workspace.last_run_id, None)) is not None:
                    return _lineage(view, run, workspace.last_sync_at, after)
        with store.view() as view:
            run = None
            if run_id is not None:
                run = _run_or_none(view, run_id, None)
            elif asked.grant.connection is None:
                # The project may be that of another connection: a workspace has the name that its owner gave.
                run = _run_or_none(view, "latest", workspace.project_name)
            return WorkspaceLineage() if run is None else _lineage(view, run, run.recorded_at, after)

    return await asked.in_store(store.name if own is None else own.name, read)


def parse_since(text: str) -> datetime:
    """Return the time *text*, in UTC if it has no zone. Raises UsageError for another form."""
    try:
        # In an address, a plus stands for a space, and clients forget to encode it.
        return utc_time(re.sub(r" (\d\d:?\d\d)$", r"+\1", text) if "T" in text else text)
    except ValueError:
        raise UsageError(
            "Invalid time in the parameter since", hint="for example since=2026-11-01T12:30:00Z"
        ) from None


def _run_or_none(view: StoreView, selector: str, project: str | None) -> RunMetadata | None:
    try:
        return view.run(selector, project)
    except RunNotFound:
        return None


def _lineage(
    view: StoreView, run: RunMetadata, updated: datetime | None, after: datetime | None
) -> WorkspaceLineage:
    updated = updated or run.run_at
    if after is not None and updated <= after:
        return WorkspaceLineage(run_id=run.run_id, last_updated=updated)
    found = lineage_answer(view, run, None, 1, has_columns=True)
    columns = [
        WorkspaceColumn(object=one.id, **asdict(column)) for one in found.objects for column in one.columns
    ]
    is_cut = max(len(columns), len(found.column_lineage)) > MOST_LINES
    return WorkspaceLineage(
        run_id=run.run_id,
        objects=found.objects,
        columns=columns[:MOST_LINES],
        dependencies=found.dependencies,
        column_lineage=found.column_lineage[:MOST_LINES],
        last_updated=updated,
        truncated=found.truncated or is_cut,
    )
