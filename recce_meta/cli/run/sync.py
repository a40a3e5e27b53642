"""Implementation of `push`, `pull` and `sync`."""

from __future__ import annotations

import os
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path

import click
from msgspec import Struct
from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.export import written_whole
from recce_meta.cli.connections import Connection, connection_of
from recce_meta.cli.defaults import REMOTE_VARIABLE, current_config
from recce_meta.cli.options import emit, progress, say, screen
from recce_meta.errors import ProfileError, UsageError, did_you_mean
from recce_meta.profiles import find_project_dir, read_project_name
from recce_meta.redaction import without_passwords
from recce_meta.store.session import refuse_memory
from recce_meta.sync.client import WorkspaceOf
from recce_meta.sync.encoding import pack
from recce_meta.sync.exchange import PULL, PUSH, SYNC
from recce_meta.sync.history import list_conflicts, list_syncs, load_conflict
from recce_meta.sync.operations import ExchangeRequest, outside_replica, run_exchange, store_replica
from recce_meta.sync.reporting import status_json, status_text, sync_json, sync_text
from recce_meta.sync.stores import StoreReplica
from recce_meta.sync.types import Replica


class ExchangeOptions(Struct, frozen=True, kw_only=True):
    """Options of an exchange."""

    remote: str | None
    runs: tuple[str, ...]
    remote_schema: str | None
    project: str | None
    dry_run: bool


def push(connection: Connection, options: ExchangeOptions, style: str) -> None:
    """Send what the remote lacks, and print the result."""
    _exchange(connection, options, PUSH, style)


def pull(connection: Connection, options: ExchangeOptions, style: str) -> None:
    """Receive what the local store lacks, and print the result."""
    _exchange(connection, options, PULL, style)


def sync(
    connection: Connection,
    options: ExchangeOptions,
    is_status: bool,
    conflict: str | None,
    output: Path | None,
    style: str,
) -> None:
    """Exchange in both directions; or print the status, or write a conflict to a file."""
    if conflict is None and output is not None:
        raise UsageError("-o requires --conflict", hint="list the conflicts with recce-meta sync --status")
    if not is_status and conflict is None:
        _exchange(connection, options, SYNC, style)
        return
    if options.remote or options.runs or options.dry_run or (is_status and conflict is not None):
        name, other = ("--status", "--conflict") if is_status else ("--conflict", "--status")
        raise UsageError(
            f"{name} cannot be combined with REMOTE, --select, --dry-run or {other}",
            hint=f"run recce-meta sync {name} alone",
        )
    if conflict is not None:
        _write_conflict(connection, conflict, output)
        return
    with connection.open_existing() as adapter:
        syncs = list_syncs(adapter, most=1)
        conflicts = list_conflicts(adapter)
    named = remote_of(None)
    # RECCE_META_REMOTE may have a password.
    remote = None if named is None else without_passwords(named)
    if style == "json":
        emit(status_json(syncs, conflicts, remote))
    else:
        emit(status_text(syncs, conflicts, remote, **screen()))


def remote_of(given: str | None) -> str | None:
    """Return *given*, else the remote of the environment, else that of the configuration."""
    return given or os.environ.get(REMOTE_VARIABLE) or current_config().remote


def _write_conflict(connection: Connection, conflict: str, output: Path | None) -> None:
    if output is None:
        raise UsageError("--conflict requires -o", hint="name a file with -o FILE.zip")
    with connection.open_existing() as adapter:
        found, content = load_conflict(adapter, conflict)
    with written_whole(output, overwrite=True) as part:
        part.write_bytes(content)
    say(f"Wrote the arriving {found.kind} {found.object_id} to {output}")


def _exchange(connection: Connection, options: ExchangeOptions, direction: str, style: str) -> None:
    """Exchange with the remote, print the result, and exit with its code."""
    place = remote_of(options.remote)
    if place is None:
        raise UsageError(
            "No remote store is given or configured",
            hint=f"run recce-meta {direction} URL, or set {REMOTE_VARIABLE} or remote in recce_meta.yml",
        )
    with ExitStack() as stack, progress(f"{direction}: comparing") as tell:
        local = _store(connection, stack, creates=direction != PUSH, dry_run=options.dry_run)
        peer = _peer(connection, options, place, stack, creates=direction != PULL)
        asked = ExchangeRequest(
            runs=options.runs,
            project=connection.project_of(options.project, *options.runs) if options.runs else None,
            author=connection.author(),
            dry_run=options.dry_run,
        )
        result = run_exchange(local, peer, direction, asked, tell)
    emit(sync_json(result) if style == "json" else sync_text(result, **screen()))
    if result.exit_code:
        raise click.exceptions.Exit(result.exit_code)


def _peer(
    connection: Connection, options: ExchangeOptions, place: str, stack: ExitStack, *, creates: bool
) -> Replica:
    """Return the replica at *place*; its connection is closed with *stack*."""
    named = current_config().stores.get(place)
    found = None
    if named is None:
        folder = find_project_dir(connection.project_dir)
        found = outside_replica(
            place,
            creates=creates,
            workspace=None if folder is None else _workspace(folder),
            cache=_cache_folder(),
            say=say,
        )
    if found is not None:
        if options.remote_schema is not None:
            raise UsageError(f"{place} has no schema", hint="leave out --remote-schema")
        return found
    other = connection.at(place) if named is None else connection_of(connection, named, connection.schema)
    if options.remote_schema is not None:
        other = replace(other, schema=options.remote_schema)
    try:
        return _store(other, stack, creates=creates, dry_run=options.dry_run)
    except ProfileError as error:
        if named is not None or "://" in place:
            raise
        raise _unknown_remote(place, error) from error


def _unknown_remote(place: str, error: ProfileError) -> UsageError:
    """Return the error for a remote that is not a target of the profile either."""
    return UsageError(
        f"Remote '{place}' not found: {error.message}",
        hint=did_you_mean(place, current_config().stores)
        or "use a URL, https://SERVER, FILE.zip, a target of the profile, or a name in recce_meta.yml",
    )


def _workspace(folder: Path) -> WorkspaceOf:
    """Return the project of *folder*; the server learns only a hash of the folder."""
    path = str(folder.absolute())
    digest = sha256(path.encode("utf-8", "surrogateescape")).hexdigest()
    return WorkspaceOf(project_name=read_project_name(folder), path_hash=digest)


def _cache_folder() -> Path | None:
    """Return the folder for inventories of servers; None if the user has no home."""
    try:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:
        return None
    return base / "recce_meta" / "inventories"


def _store(connection: Connection, stack: ExitStack, *, creates: bool, dry_run: bool) -> StoreReplica:
    """Return the store of *connection*, which is closed with *stack*.

    With *creates*, a missing store is created; a dry run takes it as empty.
    """
    is_new = creates and not dry_run
    adapter = connection.open() if is_new else connection.open_existing(writes=not dry_run)
    refuse_memory(adapter)
    name = store_replica(adapter).name
    if creates and dry_run and (path := adapter.place.file_path()) is not None and not path.exists():
        # An empty database in its place, because a connection would create the file.
        adapter = UnifiedSqlAdapter.from_url("duckdb:///:memory:").at(connection.schema)
    stack.enter_context(adapter)
    return StoreReplica(adapter, name=name, pack=pack, creates=creates)
