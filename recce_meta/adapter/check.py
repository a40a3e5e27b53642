"""Whether a connection serves: profile, driver, server, rights. The facts behind `recce-meta doctor`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from uuid import uuid4

from recce_meta.adapter.adapter import UnifiedSqlAdapter
from recce_meta.adapter.errors import redact
from recce_meta.adapter.session import Session
from recce_meta.errors import MissingRelation, RecceMetaError
from recce_meta.models import Check


class _Undo(Exception):
    """Ends a transaction without a trace."""


def check_connection(adapter: UnifiedSqlAdapter, *, schema: str) -> list[Check]:
    """What works, in order, up to the first thing that everything after it needs; shows no secret.

    Whether *schema* can be written is tried, in a transaction that is rolled back.
    """
    checks = [*_profile(adapter), *_drivers(adapter)]
    steps = (
        ("connection", lambda: _connect(adapter)),
        ("server", lambda: _server(adapter)),
        (f"schema {schema}", lambda: _write(adapter, schema)),
    )
    for name, look in steps:
        checks.append(_attempt(name, look))
        if not checks[-1].ok:
            break
    return checks


def _attempt(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, True, look())
    except RecceMetaError as error:
        return Check(name, False, error.message, error.hint)


def _profile(adapter: UnifiedSqlAdapter) -> Iterator[Check]:
    target = adapter.target
    if target is None:
        yield Check("profile", True, "none: connected by a URL")
        return
    settings = ", ".join(f"{name}={redact(str(value))}" for name, value in target.settings.items())
    yield Check(
        "profile", True, f"profile '{target.profile}', target '{target.name}' in {target.path}: {settings}"
    )
    for warning in adapter.warnings:
        yield Check("field", False, warning)


def _drivers(adapter: UnifiedSqlAdapter) -> Iterator[Check]:
    for distribution in adapter.warehouse.distributions:
        try:
            yield Check("driver", True, f"{distribution} {version(distribution)}")
        except PackageNotFoundError:
            hint = f"pip install 'recce-meta[{adapter.warehouse.name}]'"
            yield Check("driver", False, f"{distribution} is not installed", hint)


def _connect(adapter: UnifiedSqlAdapter) -> str:
    adapter.execute("SELECT 1")
    return f"connected to {adapter.database or adapter.warehouse.name}"


def _server(adapter: UnifiedSqlAdapter) -> str:
    _, rows = adapter.execute(adapter.warehouse.version_sql)
    return f"{adapter.warehouse.name} {rows[0][0]}"


def _write(adapter: UnifiedSqlAdapter, schema: str) -> str:
    if not adapter.warehouse.has_transactional_ddl:
        return "not tried: this warehouse cannot undo a CREATE"
    table = adapter.quote_table(schema, f"recce_check_{uuid4().hex[:12]}")
    insert = f"INSERT INTO {table} VALUES (1)"  # noqa: S608 - a quoted name
    if _try(adapter, [f"CREATE TABLE {table} (a INTEGER)", insert]):
        return "exists, and can be written"
    _try(
        adapter,
        [f"CREATE SCHEMA {adapter.quote_identifier(schema)}", f"CREATE TABLE {table} (a INTEGER)"],
        expects_schema=False,
    )
    return "does not exist yet, and can be created"


def _try(adapter: UnifiedSqlAdapter, statements: list[str], *, expects_schema: bool = True) -> bool:
    """Run *statements* and undo them; False if the schema turns out to be missing."""
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
        session.execute(statement.replace(":", "\\:"))  # a colon in a name begins no parameter
