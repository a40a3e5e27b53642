"""Checks of a connection for `recce-meta doctor`: profile, driver, server, privileges."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple
from uuid import uuid4

from recce_meta.adapter.adapter import UnifiedSqlAdapter
from recce_meta.adapter.connection import Session
from recce_meta.adapter.errors import grant_hint
from recce_meta.errors import MissingRelation, RecceMetaError, install_hint
from recce_meta.models import Check
from recce_meta.redaction import redact

MOST_SKEW = timedelta(seconds=30)
"""Clock difference above which the check reports it."""


class _Undo(Exception):
    """Raised to roll a transaction back."""


class _Seen(NamedTuple):
    """Result of one step."""

    detail: str
    ok: bool | None = True
    hint: str | None = None


def _now() -> datetime:
    return datetime.now(timezone.utc)


def check_connection(adapter: UnifiedSqlAdapter, *, now: Callable[[], datetime] = _now) -> list[Check]:
    """Return the checks of *adapter* in order, up to the first failure that blocks the rest.

    Writing to its schema is tried in a transaction that is rolled back, or with a table that is dropped.
    *now* is this machine's clock. The result holds no secret.
    """
    checks = [*_profile(adapter), *check_drivers(adapter)]
    # A database in this process has the same clock.
    clock = () if adapter.warehouse.is_in_process else (("clock", lambda: _clock(adapter, now)),)
    steps = (
        ("connection", lambda: _connect(adapter)),
        ("server", lambda: _server(adapter)),
        *clock,
        (f"schema {adapter.schema}", lambda: _write(adapter)),
    )
    for name, look in steps:
        checks.append(_attempt(name, look))
        if checks[-1].ok is False:
            break
    return checks


def _attempt(name: str, look: Callable[[], _Seen]) -> Check:
    try:
        seen = look()
    except RecceMetaError as error:
        return Check(name, False, error.message, error.hint)
    return Check(name, seen.ok, seen.detail, seen.hint)


def _profile(adapter: UnifiedSqlAdapter) -> Iterator[Check]:
    target = adapter.target
    if target is None:
        yield Check("profile", True, "not used: connected by a URL")
        return
    settings = ", ".join(f"{name}={redact(str(value))}" for name, value in target.settings.items())
    yield Check(
        "profile", True, f"profile '{target.profile}', target '{target.name}' in {target.path}: {settings}"
    )
    for warning in adapter.warnings:
        yield Check("field", False, warning)


def check_drivers(adapter: UnifiedSqlAdapter) -> Iterator[Check]:
    """Yield a check for each package of the driver."""
    for distribution in adapter.warehouse.distributions:
        try:
            yield Check("driver", True, f"{distribution} {version(distribution)}")
        except PackageNotFoundError:
            hint = install_hint(adapter.warehouse.name)
            yield Check("driver", False, f"{distribution} is not installed", hint)


def _connect(adapter: UnifiedSqlAdapter) -> _Seen:
    adapter.execute("SELECT 1")
    return _Seen(f"connected to {adapter.name}")


def _server(adapter: UnifiedSqlAdapter) -> _Seen:
    _, rows = adapter.execute(adapter.warehouse.version_sql)
    return _Seen(f"{adapter.warehouse.name} {rows[0][0]}")


def _clock(adapter: UnifiedSqlAdapter, now: Callable[[], datetime]) -> _Seen:
    """Compare the clocks: runs are stamped with this machine's time, and sorted by it."""
    # The server reads its clock between the two, however long the round trip takes.
    before = now()
    _, ((theirs,),) = adapter.execute(adapter.warehouse.clock_sql)
    after = now()
    if not isinstance(theirs, datetime):
        return _Seen(f"not compared: the server returned {theirs}", None)
    theirs = theirs if theirs.tzinfo else theirs.replace(tzinfo=timezone.utc)
    apart = max(theirs - after, before - theirs)
    if apart <= MOST_SKEW:
        return _Seen("server and this machine agree")
    return _Seen(
        f"the server is {apart.total_seconds():.0f} s {'ahead of' if theirs > after else 'behind'} this"
        " machine",
        None,
        "correct this machine's clock: runs are stamped with its time, and sorted by it",
    )


def _write(adapter: UnifiedSqlAdapter) -> _Seen:
    if not adapter.warehouse.has_store:
        return _Seen(f"not tried: {adapter.warehouse.name} cannot hold the store", None)
    schema = adapter.schema
    # Two checks at once must not use the same table.
    table = adapter.quote_table(adapter.warehouse.shared_schema or schema, f"recce_check_{uuid4().hex[:12]}")
    create = f"CREATE TABLE {table} (a INTEGER)"
    insert = f"INSERT INTO {table} VALUES (1)"  # noqa: S608 - a quoted name
    if not adapter.warehouse.has_transactional_ddl:
        return _write_and_drop(adapter, create, insert, f"DROP TABLE {table}")
    if _try(adapter, [create, insert]):
        return _Seen("exists and is writable")
    _try(adapter, [f"CREATE SCHEMA {adapter.quote_identifier(schema)}", create], expects_schema=False)
    return _Seen("does not exist yet, but can be created")


def _write_and_drop(adapter: UnifiedSqlAdapter, create: str, insert: str, drop: str) -> _Seen:
    """Create, fill and drop a table, in a warehouse that cannot roll DDL back."""
    try:
        adapter.execute(create)
    except MissingRelation:
        return _creatable(adapter)
    try:
        adapter.execute(insert)
    finally:
        adapter.execute(drop)
    return _Seen("exists and is writable")


def _creatable(adapter: UnifiedSqlAdapter) -> _Seen:
    """Ask the warehouse whether a schema can be created, since it could not undo a trial."""
    warehouse = adapter.warehouse
    question = warehouse.may_create_schema_sql(adapter.database)
    if question is None:
        return _Seen("does not exist yet; only recce-meta init can show whether it can be created", None)
    _, rows = adapter.execute(question)
    if rows and rows[0][0]:
        return _Seen("does not exist yet, but can be created")
    grant = warehouse.grant_to_create_schema(adapter.database, adapter.role)
    return _Seen(
        "does not exist yet, and you have no right to create it",
        False,
        grant_hint(warehouse, grant),
    )


def _try(adapter: UnifiedSqlAdapter, statements: list[str], *, expects_schema: bool = True) -> bool:
    """Run *statements* and undo them; return False if the schema does not exist."""
    try:
        with adapter.session() as session:
            _run(session, statements)
            raise _Undo
    except _Undo:
        return True
    except MissingRelation:
        if not expects_schema:
            raise
        return False


def _run(session: Session, statements: list[str]) -> None:
    for statement in statements:
        session.execute(statement.replace(":", "\\:"))  # a colon in a name does not start a parameter
