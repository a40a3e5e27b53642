"""`UnifiedSqlAdapter`: one database, one connection, opened when it is first needed."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

from recce_meta.adapter.drivers import driver_for
from recce_meta.adapter.drivers.base import Rows
from recce_meta.adapter.link import Link
from recce_meta.adapter.needs import is_query, only_reads
from recce_meta.adapter.repeating import repeated
from recce_meta.adapter.session import Session
from recce_meta.adapter.statement import single_statement
from recce_meta.adapter.stream import Stream
from recce_meta.errors import (
    AuthenticationFailed,
    ConnectionFailed,
    ProfileError,
    StoreLocked,
    TransientFailure,
    UnknownNameError,
    UsageError,
    WarehouseError,
    did_you_mean,
    masking_errors,
)
from recce_meta.masking import passwords_in, redact, without_passwords
from recce_meta.profiles import Profile, load_profile
from recce_meta.warehouses import (
    ConnectionPlan,
    Fields,
    UrlParts,
    Warehouse,
    url_schemes,
    warehouse_for_scheme,
    warehouse_named,
)

if TYPE_CHECKING:
    from sqlalchemy import Inspector

Result = TypeVar("Result")

DEFAULT_LOCK_SECONDS = 60.0
LOCK_RETRY_SECONDS = 0.1
DEFAULT_THREADS = 4
DEFAULT_BATCH_ROWS = 10_000

OnWait = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Target:
    """What profiles.yml resolved to; holds no secret."""

    profile: str
    name: str
    type: str
    database: str | None
    schema: str | None
    threads: int
    path: Path
    """The profiles.yml that was read."""
    settings: Mapping[str, object]
    """The output's fields, every secret masked."""


class UnifiedSqlAdapter:
    """One way to run SQL, whatever the warehouse. Made by `from_dbt_profile` or `from_url`.

    It opens its one connection when that is first needed and keeps it until `close`. It serves one thread
    at a time.
    """

    def __init__(
        self,
        warehouse: Warehouse,
        plan: ConnectionPlan,
        target: Target | None = None,
        *,
        lock_timeout: float = DEFAULT_LOCK_SECONDS,
        on_wait: OnWait | None = None,
        may_create: bool = True,
    ) -> None:
        self.warehouse = warehouse
        self.target = target
        self._plan = plan if may_create else replace(plan, may_create=False)
        self._lock_timeout = lock_timeout
        self._on_wait = on_wait
        self._driver = driver_for(warehouse)
        self._link: Link | None = None
        self._opening: Link | None = None
        self._stream: Stream | None = None
        self.store_versions: dict[str, int] = {}
        """Versions of stores that need no migration, by schema: looking again costs two round trips."""

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
        """The target that dbt would use, or the one named; nothing is opened yet.

        *profiles_path* is a profiles.yml or its directory; *variables* are what dbt's `--vars` gives. While
        another process holds a DuckDB file, opening it waits up to *lock_timeout* seconds and tells
        *on_wait* so, once. A DuckDB file that does not exist is created, unless *may_create* says otherwise.
        """
        loaded = load_profile(profiles_path, profile, target, project_dir=project_dir, variables=variables)
        secrets = list(loaded.secrets)
        with masking_errors(lambda: secrets):
            warehouse = _warehouse_of(loaded)
            fields = Fields(
                loaded.fields, aliases=warehouse.aliases, where=loaded.where, base_dir=loaded.project_dir
            )
            secrets += fields.secrets()
            plan = warehouse.plan(fields)
        warnings = tuple(redact(warning, loaded.secrets) for warning in plan.warnings)
        plan = replace(plan, secrets=(*plan.secrets, *loaded.secrets), warnings=warnings)
        return cls(
            warehouse,
            plan,
            _target(loaded, plan, fields),
            lock_timeout=lock_timeout,
            on_wait=on_wait,
            may_create=may_create,
        )

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
        """The database at a SQLAlchemy URL: `duckdb:///file.duckdb`, `postgresql://user@host/database`.

        The URL's first word names the warehouse, unless *dialect* does.
        """
        given = tuple(passwords_in(url))
        with masking_errors(lambda: given):
            parts = _url_parts(url)
            warehouse = warehouse_named(dialect) if dialect else warehouse_for_scheme(parts.scheme)
            plan = warehouse.plan_url(parts)
        shown = (parts.username, parts.host, parts.database)
        return cls(
            warehouse,
            replace(plan, secrets=(*plan.secrets, *(secret for secret in given if secret not in shown))),
            lock_timeout=lock_timeout,
            on_wait=on_wait,
            may_create=may_create,
        )

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
        """The database that unqualified names live in, where profile or URL tell."""
        return self._plan.database

    @property
    def name(self) -> str:
        """What to call the database: as profile or URL name it, or by its file; else as the warehouse."""
        file = self._plan.url.database
        if self.warehouse.is_called_by_file and file and self._plan.is_shareable:
            return Path(file).stem
        return self._plan.database or self.warehouse.name

    @property
    def role(self) -> str | None:
        """Whose rights count here, where profile or URL tell."""
        return self._plan.role or self._plan.url.username

    @property
    def threads(self) -> int:
        """How many statements to run at once: `threads` of the profile, or 4 where a URL was given.

        One within this process, whatever dbt does there: see `Warehouse.is_in_process`.
        """
        if self.warehouse.is_in_process:
            return 1
        return DEFAULT_THREADS if self.target is None else self.target.threads

    @property
    def warnings(self) -> tuple[str, ...]:
        """One sentence for each field of the profile that is not honoured."""
        return self._plan.warnings

    def quote_identifier(self, name: str) -> str:
        """*name* as it stands in this warehouse's SQL."""
        return self.warehouse.quote_identifier(name)

    def quote_table(self, schema: str, table: str, database: str | None = None) -> str:
        """The qualified name of a table in this warehouse's SQL."""
        return self.warehouse.quote_table(schema, table, database)

    def connect(self) -> None:
        """Open the connection now, unless it is open: what is wrong with it is told here."""
        self._linked()

    def execute(self, sql: str) -> tuple[list[str], Rows]:
        """The columns and rows that *sql* gives: any one statement, sent as it is written.

        It is a transaction of its own, or part of the session that is open. Ctrl-C stops it in the
        warehouse. A statement without rows gives `([], [])`. Values are Python's own, the same from every
        warehouse (docs/execution.md); JSON is parsed. What fails in passing is tried again (`repeating`).
        """
        return self.execute_with_cancel(sql)

    def execute_with_cancel(self, sql: str, timeout: float | None = None) -> tuple[list[str], Rows]:
        """Like `execute`, and stopped in the warehouse after *timeout* seconds: QueryTimeout."""
        return self._run(sql, timeout)

    def answer(self, sql: str, timeout: float | None = None) -> Rows:
        """The rows of *sql*, a query of our own making: JSON is text, and a lost connection no loss."""
        return self._run(sql, timeout, has_json_text=True, is_ours=True)[1]

    def stream(self, sql: str, batch_rows: int = DEFAULT_BATCH_ROWS) -> Stream:
        """The rows of *sql*, up to *batch_rows* at a time, for results that memory would not hold.

        The result has `columns`, gives lists of rows when it is iterated over, and is closed at its end, by
        `close`, or by `with`. Until then this adapter runs nothing else. What is not a query is refused,
        as is a stream within a session.
        """
        sql = single_statement(sql, self.warehouse.dialect)
        if not isinstance(batch_rows, int):
            raise UsageError(f"Not a number of rows: {batch_rows!r}", hint="batches have whole rows")
        if batch_rows < 1:
            raise UsageError(f"Batches of {batch_rows} rows hold nothing", hint="ask for at least 1")
        if not is_query(sql, self.warehouse.dialect):
            raise UsageError("Only the rows of a query can be streamed", hint="use execute")
        link = self._linked()
        if link.in_transaction:
            raise UsageError("A session is open: a stream is a transaction of its own")
        self._stream = Stream(link, sql, batch_rows)
        return self._stream

    def describe(self, sql: str) -> list[tuple[str, str]]:
        """The name and type, in the warehouse's words, of each column that the query *sql* would give.

        The query is not run.
        """
        return self._linked().describe(single_statement(sql, self.warehouse.dialect))

    def inspect(self, read: Callable[[Inspector], Result]) -> Result:
        """What *read* makes of SQLAlchemy's inspector of this connection."""
        return self._linked().inspect(read)

    def region(self) -> str | None:
        """Where statements run that name no data; None where a warehouse has one such place alone."""
        return self._linked().region()

    def sibling(self) -> UnifiedSqlAdapter:
        """Another adapter for the same database, with a connection of its own."""
        adapter = UnifiedSqlAdapter(
            self.warehouse,
            self._plan,
            self.target,
            lock_timeout=self._lock_timeout,
            on_wait=self._on_wait,
        )
        adapter.store_versions = self.store_versions
        return adapter

    @property
    def is_shareable(self) -> bool:
        """Whether a sibling sees the same data: not so for a database in memory."""
        return self._plan.is_shareable

    def reaches_same(self, other: UnifiedSqlAdapter) -> bool:
        """Whether *other* is connected to the same place, as far as profile or URL tell."""
        return self._plan.url == other._plan.url and self.warehouse.name == other.warehouse.name

    def cancel(self) -> None:
        """Stop the statement that another thread runs here, which then raises QueryCancelled."""
        for link in (self._link, self._opening):
            if link is not None:
                link.cancel()

    @contextmanager
    def session(self, *, atomic: bool = True) -> Iterator[Session]:
        """One transaction: committed when the block ends, rolled back when it raises.

        Where it need not be *atomic*, because it only reads or can be repeated, a warehouse whose
        transactions cost something lets each statement stand for itself.
        """
        link = self._linked()
        if link.in_transaction:
            raise UsageError("A session is open already: sessions of one adapter do not nest")
        with link.transaction(atomic=atomic):
            yield Session(link)

    def close(self) -> None:
        """Close the connection, if one is open: a DuckDB file is free for others at once."""
        if self._stream is not None:
            with suppress(WarehouseError):  # what is wrong with the connection is told by its own end
                self._stream.close()
            self._stream = None
        if self._link is not None:
            link, self._link = self._link, None
            link.close()

    def _run(
        self, sql: str, timeout: float | None, *, has_json_text: bool = False, is_ours: bool = False
    ) -> tuple[list[str], Rows]:
        if timeout is not None and not isfinite(timeout):
            raise UsageError(f"Not a number of seconds: {timeout}", hint="without a limit, give none")
        if timeout is not None and timeout <= 0:
            raise UsageError(f"A timeout of {timeout:g} s leaves no time at all")
        dialect = self.warehouse.dialect
        sql = single_statement(sql, dialect)
        link = self._linked()
        if link.in_transaction:
            return link.run_text(sql, timeout, has_json_text=has_json_text)

        def run(left: float | None) -> tuple[list[str], Rows]:
            return self._linked().run_text(sql, left, has_json_text=has_json_text)

        return repeated(run, only_reads=lambda: is_ours or only_reads(sql, dialect), timeout=timeout)

    def _linked(self) -> Link:
        if self._stream is not None and self._stream.is_open:
            raise UsageError("A stream is open", hint="read it to its end, or close it, before anything else")
        if self._link is not None and self._link.is_lost:
            self.close()
        if self._link is None:
            self._link = self._open()
        return self._link

    def _open(self) -> Link:
        """A new connection, once the file is free and the server answers."""
        deadline = time.monotonic() + self._lock_timeout
        attempts = 0
        is_told = False
        while True:
            try:
                self._opening = Link(self._driver, self._plan)
                self._opening.open()
                return self._opening
            except StoreLocked as error:
                if time.monotonic() >= deadline:
                    raise
                if not is_told and self._on_wait is not None:
                    self._on_wait(f"Waiting up to {self._lock_timeout:g} s: {error.message}")
                is_told = True
                time.sleep(LOCK_RETRY_SECONDS)
            except AuthenticationFailed:
                raise
            except (ConnectionFailed, TransientFailure):
                attempts += 1
                if attempts >= self._plan.connect_attempts:
                    raise
                time.sleep(attempts**2)  # as dbt's Postgres adapter waits between `retries`
            finally:
                self._opening = None


def _warehouse_of(loaded: Profile) -> Warehouse:
    try:
        return warehouse_named(loaded.type, where=f"in {loaded.where}")
    except UnknownNameError as error:
        raise ProfileError(error.message, hint=error.hint) from None


def _target(loaded: Profile, plan: ConnectionPlan, fields: Fields) -> Target:
    return Target(
        profile=loaded.name,
        name=loaded.target,
        type=loaded.type,
        database=plan.database,
        schema=plan.schema,
        threads=loaded.threads,
        path=loaded.path,
        settings=fields.shown(loaded.secrets),
    )


def _ends_password_early(url: str) -> bool:
    """Whether an @ stands behind the one that ends the password: what is between them is a part of it."""
    place = url.partition("://")[2]
    if place.startswith("/"):
        return False  # a file's
    behind = place.partition(":")[2].partition("@")[2]
    before_query, _, query = behind.partition("?")
    return "@" in before_query or ("/" not in before_query and "@" in query)


def _not_a_url(url: str) -> UsageError:
    """Return the error for *url*, of which only the name of a database is quoted."""
    example = "such as duckdb:///file.duckdb or postgresql://user:password@host:5432/database"
    word = re.split(r"\W", url, maxsplit=1)[0]
    known = url_schemes()
    if word in known and not url[len(word) :].startswith(("://", "+")):
        return UsageError(f"Not a database URL: '{word}' is not followed by ://", hint=example)
    near = did_you_mean(word, known)
    return UsageError("Not a database URL", hint=f"{near} {example}" if near else example)


def _url_parts(url: str) -> UrlParts:
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    if _ends_password_early(url):
        raise UsageError(
            "Not a database URL: there is an @ in it behind the one that ends the password",
            hint="an @ in a user or a password is written %40, a slash %2F, a question mark %3F",
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
