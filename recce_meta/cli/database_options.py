"""Options of the commands that look at a database, and keep what they see in a store there or elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct

from recce_meta.api.scanning import refuse_place
from recce_meta.cli.options import Connection, connection_options, together
from recce_meta.store.migrate import refuse_memory

if TYPE_CHECKING:
    from recce_meta.adapter import UnifiedSqlAdapter
    from recce_meta.extractors.live import Scope


class OpenDatabase(Struct, frozen=True, kw_only=True):
    """What a command works with."""

    database: UnifiedSqlAdapter
    store: UnifiedSqlAdapter
    """The same adapter where the store is kept in the database itself."""
    scope: Scope
    """What of the database is looked at; the store's own schema is hidden from it."""
    schema: str
    """The store's."""


class Database(Struct, frozen=True, kw_only=True):
    """The database that is looked at, what of it, and where the store is."""

    connection: Connection
    """Of the database; its `schema` is the store's."""
    store: str | None
    """Target or URL of the store; None: in the database itself."""
    schemas: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    @contextmanager
    def open(self) -> Iterator[OpenDatabase]:
        """Both connections, closed afterwards; each connects when it is first asked.

        Raises UsageError where the store cannot be kept in the place that is meant, StoreError where that
        is a database in memory.
        """
        from recce_meta.extractors.live import Scope

        with ExitStack() as stack:
            database = stack.enter_context(self.connection.open_existing())
            store = database
            if self.store is not None:
                named = stack.enter_context(self.connection.at(self.store).open())
                # A file that is opened twice would wait for itself.
                store = database if named.reaches_same(database) else named
            refuse_place(store)
            refuse_memory(store)
            own = store.warehouse.folded(self.connection.schema)
            yield OpenDatabase(
                database=database,
                store=store,
                scope=Scope(
                    schemas=self.schemas,
                    include=self.include,
                    exclude=self.exclude,
                    hidden=(own,) if store is database else (),
                ),
                schema=self.connection.schema,
            )


def looking_at_database(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give *command* the options that say which database is looked at, as one argument `database`.

    The connection is that of the database, `--store` says where the store is if elsewhere; `--schema` names
    schemas to look at, and the store's own is `--store-schema`.
    """

    @wraps(command)
    def wrapped(
        profiles_dir: Path | None,
        profile: str | None,
        target: str | None,
        url: str | None,
        project_dir: Path | None,
        schema: str,
        lock_timeout: float,
        store: str | None,
        schemas: tuple[str, ...],
        include: tuple[str, ...],
        exclude: tuple[str, ...],
        **others: Any,
    ) -> Any:
        connection = Connection(profiles_dir, profile, target, url, project_dir, schema, lock_timeout)
        database = Database(
            connection=connection, store=store, schemas=schemas, include=include, exclude=exclude
        )
        return command(database=database, **others)

    return _CONNECTION(_SCOPE(wrapped))


_CONNECTION = connection_options(
    target="Target of the profile: the database to look at.", schema="--store-schema"
)

_SCOPE: Callable[[Callable[..., Any]], Callable[..., Any]] = together(
    click.option(
        "--store",
        envvar="RECCE_META_STORE",
        show_envvar=True,
        metavar="TARGET",
        help="Target or URL where the store is. [default: in the database itself]",
    ),
    click.option(
        "--schema",
        "schemas",
        multiple=True,
        metavar="NAME",
        help="Look at this schema, or at those that fit a glob; may be repeated. [default: all but the "
        "warehouse's own]",
    ),
    click.option(
        "--include",
        multiple=True,
        metavar="GLOB",
        help="Only relations whose name, or schema.name, fits: 'film*', 'public.*'.",
    ),
    click.option("--exclude", multiple=True, metavar="GLOB", help="Without relations that fit."),
)
