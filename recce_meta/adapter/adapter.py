"""`UnifiedSqlAdapter`, a database with one connection, and `Session`, one transaction on it.

The adapter opens its connection on first use, and retries after transient failures. After a TransientFailure
the warehouse has rolled the statement back: any statement is retried. After a ConnectionLost it is unknown
whether the statement ran: it is retried only if it just reads, and not if the server does not answer new
connections either. Other errors are not retried. Neither is a statement within a session, because the
session's earlier statements are lost.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

from recce_meta.adapter.cancellation import refuse_odd_timeout, retry
from recce_meta.adapter.connection import DriverConnection, Session, Stream
from recce_meta.adapter.place import LOCK_RETRY_SECONDS, DatabasePlace
from recce_meta.adapter.statements import is_query, only_reads, single_statement
from recce_meta.errors import (
    DEFAULT_LOCK_SECONDS,
    AuthenticationFailed,
    ConnectionFailed,
    ProfileError,
    StoreLocked,
    TransientFailure,
    UnknownNameError,
    UsageError,
    WarehouseError,
    did_you_mean,
    mask_errors,
)
from recce_meta.profiles import RenderedProfile, load_profile
from recce_meta.redaction import passwords_in, redact, without_passwords
from recce_meta.warehouses import (
    ConnectionPlan,
    Fields,
    OneMoment,
    UrlParts,
    Warehouse,
    url_schemes,
    warehouse_for_scheme,
    warehouse_named,
)
from recce_meta.warehouses.driver import BaseDriver, Policy, Rows, driver_for

if TYPE_CHECKING:
    from sqlalchemy import Inspector

Result = TypeVar("Result")

DEFAULT_THREADS = 4
DEFAULT_BATCH_ROWS = 10_000

OnWait = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ResolvedTarget:
    """The resolved target of profiles.yml; holds no secret."""

    profile: str
    name: str
    type: str
    database: str | None
    schema: str | None
    threads: int
    path: Path
    """The profiles.yml that was read."""
    settings: Mapping[str, object]
    """Fields of the output, with every secret masked."""


@dataclass(frozen=True, slots=True)
class LockWait:
    """Wait for a locked file, or for another writer of the store."""

    seconds: float
    on_wait: OnWait | None

    def report(self, reason: str) -> None:
        """Report *reason*, for which the caller waits."""
        if self.on_wait is not None:
            self.on_wait(f"Waiting up to {self.seconds:g} s: {reason}")


class OpenLink:
    """Connection of an adapter and of those that `at` returned for its other schemas, opened on first use."""

    def __init__(self, driver: BaseDriver, plan: ConnectionPlan, lock_wait: LockWait) -> None:
        self._driver = driver
        self._plan = plan
        self._lock_wait = lock_wait
        self._opening: DriverConnection | None = None
        self.link: DriverConnection | None = None
        self.stream: Stream | None = None
        """The last stream; until its end, nothing else runs."""

    def ready(self) -> DriverConnection:
        """Return the open connection, or a new one if there is none or if it was lost.

        If another process locks the file, waits and reports it once.
        """
        if self.stream is not None and self.stream.is_open:
            raise UsageError(
                "Cannot run a statement while a stream is open",
                hint="read the stream to its end, or close it",
            )
        if self.link is not None and self.link.is_lost:
            self.close()
        if self.link is None:
            self.link = self._connect()
        return self.link

    def run(
        self, sql: str, timeout: float | None, *, is_ours: bool = False, snapshot: str | None = None
    ) -> tuple[list[str], Rows]:
        """Run one statement, and return its columns and rows; retry it if nothing can have happened twice."""
        refuse_odd_timeout(timeout)
        sql = single_statement(sql, dialect := self._driver.warehouse.dialect)
        link = self.ready()
        if link.in_transaction:
            return link.run_text(sql, timeout, is_ours=is_ours)

        def run(left: float | None) -> tuple[list[str], Rows]:
            return self.ready().run_text(sql, left, is_ours=is_ours, snapshot=snapshot)

        return retry(run, only_reads=lambda: is_ours or only_reads(sql, dialect), timeout=timeout)

    def read(self, sql: str, batch_rows: int, timeout: float | None, *, snapshot: str | None) -> Stream:
        """Return the rows of *sql*, a query, in batches of up to *batch_rows*."""
        refuse_odd_timeout(timeout)
        sql = single_statement(sql, dialect := self._driver.warehouse.dialect)
        if not isinstance(batch_rows, int):
            raise UsageError(
                f"batch_rows must be an integer, got {batch_rows!r}", hint="pass a positive integer"
            )
        if batch_rows < 1:
            raise UsageError(
                f"batch_rows must be at least 1, got {batch_rows}", hint="pass a positive integer"
            )
        if not is_query(sql, dialect):
            raise UsageError("Only the rows of a query can be streamed", hint="use execute")
        link = self.ready()
        if link.in_transaction:
            raise UsageError("Cannot stream within a session: a stream needs its own transaction")
        self.stream = Stream(link, sql, batch_rows, timeout, snapshot=snapshot)
        return self.stream

    def cancel(self) -> None:
        """Stop the statement that another thread runs, or its attempt to connect."""
        for link in (self.link, self._opening):
            if link is not None:
                link.cancel()

    def close(self) -> None:
        """Close the stream and the connection, if they are open."""
        if self.stream is not None:
            with suppress(WarehouseError):  # closing the connection raises the same error
                self.stream.close()
            self.stream = None
        if self.link is not None:
            link, self.link = self.link, None
            link.close()

    def _connect(self) -> DriverConnection:
        """Open a new connection, once the file is unlocked and the server answers."""
        limits = self._driver.warehouse.lock_statements(self._lock_wait.seconds)
        plan = replace(self._plan, statements=(*self._plan.statements, *limits)) if limits else self._plan
        deadline = time.monotonic() + self._lock_wait.seconds
        attempts = 0
        is_reported = False
        while True:
            try:
                self._opening = DriverConnection(self._driver, plan)
                self._opening.open()
                return self._opening
            except StoreLocked as error:
                if time.monotonic() >= deadline:
                    raise
                if not is_reported:
                    self._lock_wait.report(error.message)
                is_reported = True
                time.sleep(LOCK_RETRY_SECONDS)
            except AuthenticationFailed:
                raise
            except (ConnectionFailed, TransientFailure):
                attempts += 1
                if attempts >= self._plan.connect_attempts:
                    raise
                time.sleep(attempts**2)  # the same pauses as the `retries` of dbt's Postgres adapter
            finally:
                self._opening = None


class UnifiedSqlAdapter:
    """The same interface to SQL for every warehouse. Created by `from_dbt_profile` or `from_url`.

    It opens its connection on first use and keeps it open until `close`. Only one thread may use it at a
    time.

    *warehouse* is the kind of warehouse, *plan* says how to connect, and *target* is the dbt target, if any.
    If another process locks a DuckDB file, or writes to the store, it waits up to *lock_timeout* seconds, and
    calls *on_wait* once. A missing DuckDB file is created unless *may_create* is False.
    """

    def __init__(
        self,
        warehouse: Warehouse,
        plan: ConnectionPlan,
        target: ResolvedTarget | None = None,
        *,
        lock_timeout: float = DEFAULT_LOCK_SECONDS,
        on_wait: OnWait | None = None,
        may_create: bool = True,
    ) -> None:
        self.warehouse = warehouse
        self.target = target
        self._plan = plan if may_create else replace(plan, may_create=False)
        self.lock_wait = LockWait(lock_timeout, on_wait)
        self._driver = driver_for(warehouse)
        self._open = OpenLink(self._driver, self._plan, self.lock_wait)
        self.place = DatabasePlace(self._driver, self._plan)
        """Server or file of the database."""
        self.schema = "recce_metadata"
        """Schema of the store that functions about a store read and write; only `at` chooses another."""
        self.store_versions: dict[str, int] = {}
        """Versions of stores that need no migration, by schema; checking again costs two round trips."""

    @classmethod
    def from_dbt_profile(
        cls,
        profiles_path: str | Path | None = None,
        profile: str | None = None,
        target: str | None = None,
        *,
        project_dir: Path | None = None,
        variables: Mapping[str, object] | None = None,
        lock_timeout: float = DEFAULT_LOCK_SECONDS,
        on_wait: OnWait | None = None,
        may_create: bool = True,
    ) -> UnifiedSqlAdapter:
        """Return an adapter for *target*, by default the target that dbt would use; it is not connected yet.

        *profiles_path* is a profiles.yml or its directory. *profile* names the profile (default: the one in
        the dbt_project.yml of *project_dir*, by default the current directory). *variables* are the values of
        dbt's `--vars`.
        If another process locks a DuckDB file, opening it waits up to *lock_timeout* seconds and calls
        *on_wait* once. A missing DuckDB file is created unless *may_create* is False.
        """
        loaded = load_profile(profiles_path, profile, target, project_dir=project_dir, variables=variables)
        place = _plan_of_profile(loaded)
        return cls(*place, lock_timeout=lock_timeout, on_wait=on_wait, may_create=may_create)

    @classmethod
    def from_url(
        cls,
        url: str,
        dialect: str | None = None,
        *,
        lock_timeout: float = DEFAULT_LOCK_SECONDS,
        on_wait: OnWait | None = None,
        may_create: bool = True,
    ) -> UnifiedSqlAdapter:
        """Return an adapter for the SQLAlchemy *url*: `duckdb:///file.duckdb`, `postgresql://user@host/db`.

        The warehouse is *dialect*, by default the scheme of the URL. If another process locks a DuckDB file,
        opening it waits up to *lock_timeout* seconds and calls *on_wait* once. A missing DuckDB file is
        created unless *may_create* is False.
        """
        place = _plan_of_url(url, dialect)
        return cls(*place, lock_timeout=lock_timeout, on_wait=on_wait, may_create=may_create)

    def __repr__(self) -> str:
        url = self._plan.url
        place = "/".join(str(part) for part in (url.host, url.database) if part)
        return f"<UnifiedSqlAdapter {self.warehouse.name} {without_passwords(place)}>"

    def __enter__(self) -> UnifiedSqlAdapter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def database(self) -> str | None:
        """Default database of unqualified names, if profile or URL name one."""
        return self._plan.database

    @property
    def name(self) -> str:
        """Display name of the database: from profile, URL or file name, else the warehouse's name."""
        file = self._plan.url.database
        if self.warehouse.is_called_by_file and file and self._plan.is_shareable:
            return Path(file).stem
        return self._plan.database or self.warehouse.name

    @property
    def time_zone(self) -> str | None:
        """Time zone of the open session; None if there is none, or if it is unknown."""
        sql = self.warehouse.zone_sql
        if sql is None or self._open.link is None or self._open.link.is_lost:
            return None
        columns, (values,) = self.execute(sql)
        return str(dict(zip(columns, values, strict=True)).get("value", values[0]))

    @property
    def policies(self) -> tuple[Policy, ...]:
        """Policies that hid rows or values of the last `answer` from the role."""
        return () if self._open.link is None else self._open.link.policies

    @property
    def role(self) -> str | None:
        """Role or user whose privileges apply, if profile or URL name one."""
        return self._plan.role or self._plan.url.username

    @property
    def threads(self) -> int:
        """Number of concurrent statements: `threads` of the profile, or 4 with a URL.

        An in-process database always has one: see `Warehouse.is_in_process`.
        """
        if self.warehouse.is_in_process:
            return 1
        return DEFAULT_THREADS if self.target is None else self.target.threads

    @property
    def warnings(self) -> tuple[str, ...]:
        """One sentence for each field of the profile that has no effect."""
        return self._plan.warnings

    def quote_identifier(self, name: str) -> str:
        """Return *name* quoted for this warehouse's SQL."""
        return self.warehouse.quote_identifier(name)

    def quote_table(self, schema: str, table: str, database: str | None = None) -> str:
        """Return the quoted name of *table* in *schema*, and in *database* if given."""
        return self.warehouse.quote_table(schema, table, database)

    def connect(self) -> None:
        """Open the connection now, unless it is open; raise the errors of connecting here."""
        self._open.ready()

    def execute(self, sql: str) -> tuple[list[str], Rows]:
        """Run *sql*, any single statement, unchanged, and return its columns and rows.

        It runs in its own transaction, or in the open session. Ctrl-C stops it in the warehouse. A statement
        without rows returns `([], [])`. Values are built-in Python types, the same from every warehouse
        (docs/reference/execution.md); JSON is parsed. Transient failures are retried (`repeating`).
        """
        return self.execute_with_cancel(sql)

    def execute_with_cancel(self, sql: str, timeout: float | None = None) -> tuple[list[str], Rows]:
        """Run *sql* like `execute`; after *timeout* seconds stop it and raise QueryTimeout."""
        return self._open.run(sql, timeout)

    def answer(self, sql: str, timeout: float | None = None, *, snapshot: str | None = None) -> Rows:
        """Return the rows of *sql*, a query that we generated.

        JSON is returned as text. The query is retried if the connection is lost. It is cancelled after
        *timeout* seconds, if given. It sees *snapshot*, the name of one that a session took.
        """
        return self._open.run(sql, timeout, is_ours=True, snapshot=snapshot)[1]

    def stream(
        self,
        sql: str,
        batch_rows: int = DEFAULT_BATCH_ROWS,
        timeout: float | None = None,
        *,
        snapshot: str | None = None,
    ) -> Stream:
        """Return the rows of *sql* in batches of up to *batch_rows*, for results that do not fit into memory.

        The stream has `columns` and iterates over lists of rows. It is closed at its end, by `close`, or by
        `with`; until then this adapter runs nothing else. After *timeout* seconds in the warehouse, it is
        stopped and raises QueryTimeout. It sees *snapshot*, the name that `Session.take_snapshot` returned in
        another adapter. Raises UsageError within a session, or if *sql* is not a query.
        """
        return self._open.read(sql, batch_rows, timeout, snapshot=snapshot)

    def describe(self, sql: str) -> list[tuple[str, str]]:
        """Return the name and the warehouse's type of each column of the query *sql*, without running it."""
        return self._open.ready().describe(single_statement(sql, self.warehouse.dialect))

    def inspect(self, read: Callable[[Inspector], Result]) -> Result:
        """Call *read* with SQLAlchemy's inspector of this connection, and return its result."""
        return self._open.ready().inspect(read)

    def region(self) -> str | None:
        """Return the region of statements that reference no data; None if the warehouse has one region."""
        return self._open.ready().region()

    def sibling(self, *, lock_timeout: float | None = None) -> UnifiedSqlAdapter:
        """Return another adapter for the same database, with a separate connection.

        *lock_timeout* is by default that of this adapter.
        """
        adapter = self._with(self._plan, lock_timeout)
        adapter.store_versions = self.store_versions
        return adapter

    def at(self, schema: str | None) -> UnifiedSqlAdapter:
        """Return an adapter for the store in *schema*, by default its own, that shares this connection."""
        adapter = self if schema in (None, self.schema) else copy(self)
        adapter.schema = self.schema if schema is None else schema
        return adapter

    def reader(self, schema: str) -> UnifiedSqlAdapter:
        """Return another adapter for the same database, for a user's queries.

        Names without a schema are those of *schema*. Its transactions are read-only if the warehouse has
        such transactions, and a DuckDB file is opened read-only.
        """
        return self._with(self.warehouse.reading_plan(self._plan, schema)).at(schema)

    def read_only(self) -> UnifiedSqlAdapter:
        """Return another adapter for the same database, which opens a DuckDB file as other readers may."""
        return self._with(self.warehouse.file_reading_plan(self._plan))

    def guarded(self, statement_seconds: float | None = None) -> UnifiedSqlAdapter:
        """Return another adapter for the same database, for queries of users of a server.

        It only reads, and a DuckDB file reads no other file. *statement_seconds* limits the time of each
        statement that has no limit of its own. Raises UsageError if the warehouse cannot confine such
        queries.
        """
        plan = self.warehouse.guarded_plan(self._plan)
        return self._with(replace(plan, statement_seconds=statement_seconds))

    def _with(self, plan: ConnectionPlan, lock_timeout: float | None = None) -> UnifiedSqlAdapter:
        seconds = self.lock_wait.seconds if lock_timeout is None else lock_timeout
        on_wait = self.lock_wait.on_wait
        adapter = UnifiedSqlAdapter(self.warehouse, plan, self.target, lock_timeout=seconds, on_wait=on_wait)
        return adapter.at(self.schema)

    def linked(self, folder: str) -> UnifiedSqlAdapter:
        """Return another adapter for the copy that `snapshot` made, under another name in *folder*."""
        plan = self._driver.link_file(self._plan, folder)
        return UnifiedSqlAdapter(self.warehouse, plan, self.target, may_create=False).at(self.schema)

    def snapshot(self, folder: str, seconds: float = 0.0) -> UnifiedSqlAdapter:
        """Return another adapter, for a copy of the database file in *folder*.

        While a process writes to the file, tries again for *seconds*. Raises StoreLocked if it still does,
        and DatabaseNotFound if the file is missing.
        """
        plan = self.place.copied_plan(folder, seconds)
        return UnifiedSqlAdapter(self.warehouse, plan, self.target, may_create=False).at(self.schema)

    @property
    def is_shareable(self) -> bool:
        """True if a sibling sees the same data; False for an in-memory database."""
        return self._plan.is_shareable

    @property
    def one_moment(self) -> OneMoment:
        """How the queries of one diff see one moment here."""
        return self.warehouse.one_moment(self._plan)

    def cancel(self) -> None:
        """Stop the statement that another thread runs here; it then raises QueryCancelled."""
        self._open.cancel()

    @contextmanager
    def session(self, *, atomic: bool = True) -> Iterator[Session]:
        """Open a transaction: committed when the block ends, rolled back when it raises.

        If it need not be *atomic*, because it only reads or can be repeated, each statement commits by itself
        in warehouses whose transactions are expensive.
        """
        link = self._open.ready()
        if link.in_transaction:
            raise UsageError("A session is already open: sessions of one adapter cannot be nested")
        with link.transaction(atomic=atomic):
            yield Session(link)

    def close(self) -> None:
        """Close the connection, if one is open; this unlocks a DuckDB file immediately."""
        self._open.close()

    def release_file(self) -> None:
        """Let other processes open a database file; the next statement opens it again."""
        # An in-memory database would be lost, and a server has no file to lock.
        if self.warehouse.is_in_process and self.is_shareable:
            self.close()


def _warehouse_of(loaded: RenderedProfile) -> Warehouse:
    try:
        return warehouse_named(loaded.type, where=f"in {loaded.where}")
    except UnknownNameError as error:
        raise ProfileError(error.message, hint=error.hint) from None


def _plan_of_profile(loaded: RenderedProfile) -> tuple[Warehouse, ConnectionPlan, ResolvedTarget]:
    """Return how to connect to the target of *loaded*; every message and warning hides its secrets."""
    secrets = list(loaded.secrets)
    with mask_errors(lambda: secrets):
        warehouse = _warehouse_of(loaded)
        fields = Fields(
            loaded.fields, aliases=warehouse.aliases, where=loaded.where, base_dir=loaded.project_dir
        )
        secrets += fields.secrets()
        plan = warehouse.plan(fields)
    warnings = tuple(redact(warning, loaded.secrets) for warning in plan.warnings)
    plan = replace(plan, secrets=(*plan.secrets, *loaded.secrets), warnings=warnings)
    target = ResolvedTarget(
        profile=loaded.name,
        name=loaded.target,
        type=loaded.type,
        database=plan.database,
        schema=plan.schema,
        threads=loaded.threads,
        path=loaded.path,
        settings=fields.shown(loaded.secrets),
    )
    return warehouse, plan, target


def _plan_of_url(url: str, dialect: str | None) -> tuple[Warehouse, ConnectionPlan]:
    """Return how to connect to *url*, whose passwords no message shows."""
    given = tuple(passwords_in(url))
    with mask_errors(lambda: given):
        parts = _url_parts(url)
        warehouse = warehouse_named(dialect) if dialect else warehouse_for_scheme(parts.scheme)
        plan = warehouse.plan_url(parts)
    shown = (parts.username, parts.host, parts.database)
    hidden = (secret for secret in given if secret not in shown)
    return warehouse, replace(plan, secrets=(*plan.secrets, *hidden))


def _ends_password_early(url: str) -> bool:
    """Return True if the password contains an unescaped @, so that it would end too early."""
    place = url.partition("://")[2]
    if place.startswith("/"):
        return False  # a file path
    behind = place.partition(":")[2].partition("@")[2]
    before_query, _, query = behind.partition("?")
    return "@" in before_query or ("/" not in before_query and "@" in query)


def _not_a_url(url: str) -> UsageError:
    """Return the error for *url*; it quotes nothing but the name of a warehouse."""
    example = "such as duckdb:///file.duckdb or postgresql://user:password@host:5432/database"
    word = re.split(r"\W", url, maxsplit=1)[0]
    known = url_schemes()
    if word in known and not url[len(word) :].startswith(("://", "+")):
        return UsageError(f"Invalid database URL: '{word}' is not followed by ://", hint=example)
    near = did_you_mean(word, known)
    return UsageError("Invalid database URL", hint=f"{near} {example}" if near else example)


def _url_parts(url: str) -> UrlParts:
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    if _ends_password_early(url):
        raise UsageError(
            "Invalid database URL: the password contains an unescaped @",
            hint="write @ as %40, / as %2F and ? as %3F in a user or password",
        )
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise _not_a_url(url) from None
    return UrlParts(
        parsed.drivername,
        parsed.username,
        parsed.password,
        parsed.host,
        parsed.port,
        parsed.database,
        dict(parsed.query),
    )
