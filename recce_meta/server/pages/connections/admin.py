"""Administration of all connections: jobs, workers, tasks, environments, disk, seconds, workspaces, audit.

Each part is a list, and `/connections/admin` shows the beginning of all of them.
"""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timezone
from operator import attrgetter
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape
from msgspec import Struct

from recce_meta._version import __version__
from recce_meta.report.addresses import Addresses
from recce_meta.repositories.service.answers import ActiveJob
from recce_meta.repositories.service.service import WORKER_SECONDS
from recce_meta.repositories.state.audit import list_events
from recce_meta.repositories.state.summaries import (
    EnvironmentSummary,
    environment_summaries,
    seconds_by_connection,
)
from recce_meta.repositories.state.tasks import list_tasks
from recce_meta.repositories.state.types import TaskStatus
from recce_meta.repositories.state.workers import list_workers, stale_workers
from recce_meta.repositories.state.workspaces import list_workspaces
from recce_meta.server.pages.connections.freshness import Age, age_html
from recce_meta.server.pages.connections.lists import CRUMB, age, line, short, tag, worker_notes
from recce_meta.server.pages.connections.routing import (
    ROOT,
    ConnectionRequest,
    address_of,
    require_admin,
)
from recce_meta.server.site.handlers import PageSet
from recce_meta.server.site.listing import ListColumn, Listing
from recce_meta.server.site.rendering import Page, clipped, file_size

pages = PageSet()

ADMIN = f"{ROOT}/admin"
DAYS = 30
"""Days of the jobs whose seconds are added up."""
SHOWN = 10
"""Rows of each list on the page of all."""
MOST_TASKS = 500
MOST_EVENTS = 1000
HASH_SHOWN = 12
"""Characters of the hash of a folder."""
_CRUMBS = (CRUMB, ("Administration", ADMIN))

Part = Callable[[ConnectionRequest, datetime], Listing]
_PARTS: dict[str, Part] = {}
"""Lists by their names in the address, in the order of the page."""


def _part(name: str) -> Callable[[Part], Part]:
    """Register a list of administrators at `/connections/admin/NAME`."""

    def keep(build: Part) -> Part:
        def listing(request: ConnectionRequest) -> Listing:
            require_admin(request)
            return build(request, datetime.now(timezone.utc))

        pages.listing(f"/admin/{name}")(listing)
        _PARTS[name] = build
        return build

    return keep


def _listing(
    title: str, columns: Sequence[ListColumn], items: Iterable[Any], empty: str, *notes: str
) -> Listing:
    return Listing.of(title, columns, items, empty=empty, notes=notes, crumbs=_CRUMBS, is_kept=False)


def _connection(of: Callable[[Any], str | None] = attrgetter("connection")) -> ListColumn:
    return ListColumn(
        "connection", "connection", has_facets=True, of=of, link=lambda one: address_of(one.connection_id)
    )


@pages.page("/admin")
def admin(request: ConnectionRequest) -> Page:
    """Show the beginning of every list of administrators."""
    require_admin(request)
    now = datetime.now(timezone.utc)
    parts = [(f"{ADMIN}/{name}", build(request, now)) for name, build in _PARTS.items()]
    values = {
        "now": now,
        "parts": parts,
        "shown": SHOWN,
        "address": ADMIN,
        "is_active": bool(request.service.active()),
        "notes": worker_notes(request),
    }
    return Page("connections_admin.html", "Administration", values, crumbs=(CRUMB,), is_kept=False)


@_part("jobs")
def active_jobs(request: ConnectionRequest, now: datetime) -> Listing:
    """Return the jobs that wait or run, the oldest first."""
    columns = [
        _connection(),
        ListColumn("branch", "branch"),
        tag("status", "status"),
        ListColumn("stage", "stage", has_facets=True),
        ListColumn("trigger", "trigger", has_facets=True),
        ListColumn("requested_by", "by"),
        age("requested_at", "requested", now),
        ListColumn(
            "started_at", "runs for", "time", body=lambda job: age_html(Age(job.started_at, "for"), now)
        ),
        ListColumn("worker", "worker", has_facets=True),
        short("job", "job", 60, of=lambda job: job.job_id, link=lambda job: _job_page(job)),
        ListColumn("cancel", "cancel", of=lambda job: _job_page(job, "cancel"), body=_cancel_form),
    ]
    return _listing("Active jobs", columns, request.service.active(), "No job waits or runs.")


def _job_page(job: ActiveJob, *parts: str) -> str:
    return address_of(job.connection_id, "jobs", job.job_id, *parts)


def _cancel_form(job: ActiveJob) -> Markup:
    return Markup(
        '<form method="post" action="{}">'
        '<button type="submit" aria-label="Cancel {} of {}">Cancel</button></form>'
    ).format(_job_page(job, "cancel"), clipped(job.branch, 60), clipped(job.connection, 60))


@_part("workers")
def workers(request: ConnectionRequest, now: datetime) -> Listing:
    """Return the worker processes with their last heartbeats."""
    state = request.service.state
    stale = {one.name for one in stale_workers(state, WORKER_SECONDS)}
    running = Counter(job.worker for job in request.service.active() if job.started_at is not None)
    columns = [
        ListColumn("name", "worker"),
        ListColumn(
            "status",
            "status",
            "tag",
            has_facets=True,
            of=lambda one: "stale" if one.name in stale else "running",
            tone=lambda one: "failed" if one.name in stale else "same",
            about=f"Stale: no heartbeat for {WORKER_SECONDS:g} seconds; another worker takes over its jobs.",
        ),
        ListColumn("jobs", "running jobs", "number", of=lambda one: running[one.name]),
        ListColumn("host", "host", has_facets=True),
        ListColumn("pid", "process", body=lambda one: escape(one.pid)),
        ListColumn("version", "version", has_facets=True),
        ListColumn(
            "is_same_version", "same as the server", "flag", of=lambda one: one.version == __version__
        ),
        age("seen_at", "last heartbeat", now),
        age("started_at", "started", now),
    ]
    rows = list_workers(state)
    return _listing("Workers", columns, rows, "No worker has started. Start recce-meta worker, or serve.")


@_part("tasks")
def tasks(request: ConnectionRequest, now: datetime) -> Listing:
    """Return the tasks that wait, run or have failed, the newest first."""
    state, names = request.service.state, {one.id: one.name for one in request.service.list()}
    ended = list_tasks(state, is_open=False, limit=MOST_TASKS)
    found = [
        *list_tasks(state, limit=MOST_TASKS),
        *(one for one in ended if one.status is TaskStatus.FAILED),
    ]
    columns = [
        ListColumn("kind", "task", has_facets=True),
        _connection(lambda one: names.get(one.connection_id, one.connection_id)),
        tag("status", "status"),
        line("error", "last error"),
        ListColumn("attempts", "attempts", "number"),
        ListColumn(
            "due_at",
            "due",
            "time",
            of=lambda one: one.due_at if one.status is TaskStatus.PENDING else None,
            body=lambda one: age_html(Age(one.due_at, "in"), now) if one.due_at > now else Markup("now"),
        ),
        age("requested_at", "requested", now),
        age("ended_at", "ended", now),
        ListColumn("worker", "worker", has_facets=True),
        ListColumn("key", "about", "code"),
    ]
    return _listing(
        "Waiting and failed tasks",
        columns,
        found,
        "No task waits, and none has failed.",
        "Tasks follow jobs and events: reports of pull requests, checks, notifications and pruning.",
    )


@_part("environments")
def environments(request: ConnectionRequest, now: datetime) -> Listing:
    """Return the environments that connections record in, the last recorded first."""
    stores = request.site.stores

    def run(one: EnvironmentSummary) -> str | None:
        # Pruned runs are gone, and another server may have the store.
        return (
            None if one.state == "pruned" or one.store not in stores else Addresses(one.store).run(one.run_id)
        )

    columns = [
        ListColumn("environment", "environment"),
        _connection(),
        ListColumn("branch", "branch or pull request"),
        tag(
            "state",
            "state",
            about="Stale: the branch was deleted, or the pull request closed. Pruned: its runs were removed.",
        ),
        ListColumn("runs", "runs", "number"),
        short("run_id", "last run", link=run),
        age("recorded_at", "recorded", now),
        age("stale_at", "stale since", now),
        age("pruned_at", "pruned", now),
        ListColumn("source", "source", has_facets=True),
        ListColumn("store", "store", has_facets=True),
    ]
    rows = environment_summaries(request.service.state)
    return _listing("Environments", columns, rows, "No run was recorded by a connection yet.")


@_part("disk")
def disk(request: ConnectionRequest, now: datetime) -> Listing:
    """Return the sizes of the folders of the worker in this process."""
    work = request.service.work
    columns = [
        ListColumn(
            "folder", "folder", of=lambda one: one.name, about="Folder in the work folder of the worker."
        ),
        ListColumn("size", "size", "bytes", body=_size),
        ListColumn("entries", "entries", "number", about="Jobs, mirrors, or environments in the folder."),
        ListColumn("files", "files", "number"),
        ListColumn(
            "is_complete", "complete", "flag", about="No: the count took too long, and there is more."
        ),
    ]
    title = "Disk"
    if work is None:
        return _listing(
            title,
            columns,
            (),
            "This server runs no worker, so it has no work folder. "
            "Each machine with a worker has its own: du -h -d 1 WORK_DIR shows its sizes.",
        )
    rows = folder_sizes(work)
    space = free_space(work)
    free = "" if space is None else f"; {file_size(space.free)} of {file_size(space.total)} are free"
    note = f"The work folder of this machine is {work}{free}. Workers on other machines have their own."
    return _listing(title, columns, rows, "The work folder is empty: no job has run on this machine.", note)


def _size(one: FolderSize) -> Markup:
    return escape(("" if one.is_complete else "at least ") + file_size(one.size))


@_part("seconds")
def seconds(request: ConnectionRequest, now: datetime) -> Listing:
    """Return the time of the jobs of each connection, the most seconds first."""
    rows = seconds_by_connection(request.service.state, DAYS, now=now)
    columns = [
        _connection(),
        ListColumn("seconds", "seconds", "seconds", about="Time of all jobs, without waiting."),
        ListColumn("jobs", "jobs", "number"),
        ListColumn("failed", "failed", "number"),
        ListColumn("mean", "mean", "seconds", of=lambda one: one.seconds / one.jobs),
        ListColumn("longest", "longest", "seconds"),
        ListColumn("cpu_seconds", "processor", "seconds"),
        ListColumn("peak_memory", "peak memory", "bytes"),
        ListColumn("fetched", "fetched", "bytes"),
    ]
    title = f"Seconds of connections in the last {DAYS} days"
    return _listing(title, columns, rows, f"No job was requested in the last {DAYS} days.")


@_part("workspaces")
def workspaces(request: ConnectionRequest, now: datetime) -> Listing:
    """Return the copies of projects in editors, by project."""
    names = {one.id: one.name for one in request.service.list()}
    columns = [
        ListColumn("project_name", "project", has_facets=True),
        ListColumn(
            "connection",
            "connection",
            has_facets=True,
            of=lambda one: names.get(one.connection_id or ""),
            link=lambda one: one.connection_id and address_of(one.connection_id),
        ),
        ListColumn(
            "folder",
            "folder",
            "code",
            of=lambda one: one.project_path_hash[:HASH_SHOWN],
            about="Beginning of the hash of the project's folder.",
        ),
        ListColumn("sync_enabled", "sync enabled", "flag", has_facets=True),
        age("last_sync_at", "last sync", now),
        ListColumn("client_version", "client", has_facets=True),
        ListColumn("created_by", "by", has_facets=True),
        age("created_at", "created", now),
        short(
            "run",
            "last run",
            HASH_SHOWN,
            of=lambda one: one.last_run_id,
            link=lambda one: _run_page(request, one.store, one.last_run_id),
        ),
        ListColumn("id", "id", "code"),
    ]
    rows = list_workspaces(request.service.state)
    return _listing("Workspaces", columns, rows, "No editor has created a workspace.")


@_part("audit")
def audit(request: ConnectionRequest, now: datetime) -> Listing:
    """Return the latest events of the audit."""
    found = list_events(request.service.state, limit=MOST_EVENTS)
    columns = [
        ListColumn("at", "at", "time"),
        ListColumn("actor", "who", has_facets=True),
        ListColumn("origin", "way", has_facets=True),
        ListColumn("address", "from", has_facets=True),
        ListColumn("action", "action", has_facets=True),
        ListColumn("object", "object", has_facets=True),
        line("change", "change"),
        ListColumn("id", "event", "number"),
    ]
    notes = ["recce-meta audit lists all events; these are the latest."] if len(found) == MOST_EVENTS else ()
    return _listing("Audit", columns, found, "Nothing was changed.", *notes)


def _run_page(request: ConnectionRequest, store: str | None, run_id: str | None) -> str | None:
    """Return the address of a run; None if this server does not open its store."""
    is_here = store is not None and store in request.site.stores
    return Addresses(store).run(run_id) if is_here and store and run_id else None


LONGEST = 5.0
"""Seconds after which a count ends: an environment of dbt has 10,000 files."""


class FolderSize(Struct, frozen=True, kw_only=True):
    """Size of a folder with everything in it."""

    name: str
    """Name in the work folder, such as `mirrors`."""
    entries: int
    """Number of files and folders directly in it, such as jobs or environments."""
    files: int
    size: int
    """Bytes."""
    is_complete: bool
    """False if the count ended early, so there is more."""


class FreeSpace(Struct, frozen=True, kw_only=True):
    """Space of the disk that holds the work folder, in bytes."""

    total: int
    free: int


def folder_sizes(work: Path, *, seconds: float = LONGEST) -> list[FolderSize]:
    """Return the size of each folder in *work*, by name; none if a worker has never used it.

    The count ends after *seconds*, and sizes are then lower bounds.
    """
    until = time.monotonic() + seconds
    try:
        names = sorted(entry.name for entry in os.scandir(work) if entry.is_dir(follow_symlinks=False))
    except OSError:
        return []
    return [_folder_size(work / name, until) for name in names]


def free_space(work: Path) -> FreeSpace | None:
    """Return the space of the disk of *work*; None if the folder does not exist."""
    try:
        usage = shutil.disk_usage(work)
    except OSError:
        return None
    return FreeSpace(total=usage.total, free=usage.free)


def _folder_size(folder: Path, until: float) -> FolderSize:
    files = size = 0
    is_complete = True
    # Environments link to shared files of uv's cache: each counts once, as `du` counts it.
    known: set[tuple[int, int]] = set()
    for entry in _files(folder):
        if time.monotonic() > until:
            is_complete = False
            break
        try:
            found = entry.stat(follow_symlinks=False)
        except OSError:  # a job removes its files while they are counted
            continue
        files += 1
        place = (found.st_dev, found.st_ino)
        if found.st_nlink > 1 and place in known:
            continue
        known.add(place)
        size += found.st_size
    return FolderSize(
        name=folder.name, entries=_entries(folder), files=files, size=size, is_complete=is_complete
    )


def _files(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Yield everything below *folder* that is not a folder."""
    waiting: list[str | Path] = [folder]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    # Links are not followed: a repository may have one to the top of the disk.
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        yield entry
        except OSError:
            continue


def _entries(folder: Path) -> int:
    try:
        with os.scandir(folder) as entries:
            return sum(1 for _ in entries)
    except OSError:
        return 0
