"""Implementation of `scan`, and the database that `scan` and `quality` read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from msgspec import Struct

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.diff import parse_fail_on, refuse_failing
from recce_meta.api.scan import ScanOptions, refuse_place, without_store
from recce_meta.api.scan import scan as scan_database
from recce_meta.cli.connections import Connection
from recce_meta.cli.notifications import Receivers
from recce_meta.cli.options import LISTS, progress, say, show, warn
from recce_meta.errors import UsageError
from recce_meta.extractors.database import ScanScope
from recce_meta.extractors.git import GitState
from recce_meta.store.session import refuse_memory


class OpenDatabase(Struct, frozen=True, kw_only=True):
    """Open connections to a database and its store."""

    database: UnifiedSqlAdapter
    store: UnifiedSqlAdapter
    """The same adapter as `database` if the store is in the database itself."""
    scope: ScanScope
    """Relations to read; excludes the store's own schema."""


class Database(Struct, frozen=True, kw_only=True):
    """Database to read, the relations to read in it, and the location of the store."""

    connection: Connection
    """Connection to the database; its `schema` is the store's schema."""
    store: str | None
    """Target or URL of the store; None if the store is in the database itself."""
    schemas: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    @contextmanager
    def open(self, *, writes: bool = True) -> Iterator[OpenDatabase]:
        """Yield both connections, which connect on first use, and close them afterwards.

        The store is only read unless the command *writes*.

        Raises UsageError if the database cannot hold a store, StoreError if it is an in-memory database.
        """
        with ExitStack() as stack:
            database = stack.enter_context(self.connection.open_existing(writes=writes))
            store = database
            if self.store is not None:
                place = self.connection.at(self.store)
                named = stack.enter_context(place.open() if writes else place.open_existing())
                # Opening the same file twice would deadlock.
                if not named.place.reaches_same(database.place):
                    store, database = named, stack.enter_context(database.read_only())
            refuse_place(store)
            refuse_memory(store)
            scope = ScanScope(schemas=self.schemas, include=self.include, exclude=self.exclude)
            yield OpenDatabase(database=database, store=store, scope=without_store(scope, database, store))


def scan(
    database: Database,
    environment: str,
    project: str | None,
    run_id: str | None,
    git_sha: str | None,
    branch: str | None,
    pull_request: str | None,
    no_columns: bool,
    dry_run: bool,
    fail_on: tuple[str, ...],
    receivers: Receivers,
    output: Path | None,
    style: str,
) -> None:
    """Record a live database and report changes. Raises ConditionFailed as --fail-on says."""
    outbox = receivers.read()
    if outbox.addresses and dry_run:
        raise UsageError(
            "--notify cannot be combined with --dry-run: the next scan would send the same", hint="use one"
        )
    conditions = parse_fail_on(",".join(fail_on)) if fail_on else frozenset()
    options = ScanOptions(
        environment=environment,
        project=project,
        run_id=run_id,
        git=GitState(sha=git_sha, branch=branch, pull_request=pull_request),
        columns=not no_columns,
        is_kept=not dry_run,
    )
    with progress("scanning") as tell, database.open() as opened:
        found = scan_database(
            opened.database,
            store=opened.store,
            scope=opened.scope,
            options=options,
            tell=tell,
        )
    for text in found.warnings:
        warn(text)
    if style in LISTS:
        if found.previous is None:
            say("First scan: changes are listed from the next scan on")
        for note in () if found.diff is None else found.diff.notes:
            say(f"note: {note}")
    show(found, style, output)
    unsent = outbox.send("recce_meta.report.review.notices:schema_notice", found.diff)
    if found.diff is not None:
        refuse_failing(found.diff, conditions)
    outbox.refuse(unsent)
