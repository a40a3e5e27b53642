"""`doctor`: what is in the way between a user and a recorded run."""

from __future__ import annotations

from collections.abc import Callable

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.adapter.check import check_connection
from recce_meta.errors import RecceMetaError
from recce_meta.store.migrate import SCHEMA_VERSION, store_version

CheckRow = tuple[str, bool | None, str, str | None]
"""Name, whether it holds (None: could not be tried), what was found, what to do."""


def doctor(connect: Callable[[], UnifiedSqlAdapter], schema: str) -> list[CheckRow]:
    """Every check from the profile to the store, as far as they can be made; none shows a secret."""
    try:
        adapter = connect()
    except RecceMetaError as error:
        return [("profile", False, error.message, error.hint)]
    with adapter:
        checks: list[CheckRow] = [
            (check.name, check.ok, check.detail, check.hint)
            for check in check_connection(adapter, schema=schema)
        ]
        connected = any(name == "connection" and ok for name, ok, _, _ in checks)
        return [*checks, _store(adapter, schema) if connected else ("store", None, "no connection", None)]


def _store(adapter: UnifiedSqlAdapter, schema: str) -> CheckRow:
    try:
        version = store_version(adapter, schema)
    except RecceMetaError as error:
        return ("store", False, error.message, error.hint)
    if version is None:
        return (
            "store",
            None,
            f"none in schema {schema} yet",
            "recce-meta init, or the first record, creates it",
        )
    if version > SCHEMA_VERSION:
        return ("store", False, f"version {version}, newer than this recce-meta", "upgrade recce-meta")
    older = "" if version == SCHEMA_VERSION else "; the next command migrates it"
    return ("store", True, f"version {version}{older}", None)
