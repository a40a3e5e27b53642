"""`doctor`: what is in the way between a user and a recorded run."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.adapter.check import check_connection
from recce_meta.api.exporting import FORMATS
from recce_meta.errors import RecceMetaError
from recce_meta.models import Check
from recce_meta.plugins import DIALECTS, EXPORTERS, clashes
from recce_meta.store.migrate import SCHEMA_VERSION, can_record, refuse_memory, store_versions
from recce_meta.warehouses import clashing


def doctor(connect: Callable[[], UnifiedSqlAdapter], schema: str) -> list[Check]:
    """Every check from the profile to the store, as far as they can be made; none shows a secret."""
    from recce_meta.dialects import dialect_names  # which loads sqlglot

    unused = (*clashing(), *clashes(DIALECTS, dialect_names()), *clashes(EXPORTERS, FORMATS))
    brought = [Check("plug-in", None, sentence, "it needs another name") for sentence in unused]
    try:
        adapter = connect()
    except RecceMetaError as error:
        return [*brought, Check("profile", False, error.message, error.hint)]
    with adapter:
        checks = brought + check_connection(adapter, schema=schema)
        connected = any(check.name == "connection" and check.ok for check in checks)
        if not connected:
            return [*checks, Check("store", None, "no connection")]
        store = _store(adapter, schema)
        return [*_with_role(adapter, schema, checks, store), store]


def _with_role(adapter: UnifiedSqlAdapter, schema: str, checks: list[Check], store: Check) -> list[Check]:
    """Return *checks* with what the role may do with a store that exists: all, only record, or only read.

    A role that may not create tables can still record into a current store, or read it.
    """
    if not store.ok or checks[-1].name != f"schema {schema}":
        return checks
    tried = checks[-1]
    if tried.ok is not False:
        return [*checks, Check("role", True, "full: creates and migrates the store, records and reads")]
    if can_record(adapter, schema):
        role = "record-only: records and reads, but cannot create or migrate the store"
    else:
        role = "read-only: reads, but cannot record"
    return [*checks[:-1], replace(tried, ok=None), Check("role", True, role)]


def _store(adapter: UnifiedSqlAdapter, schema: str) -> Check:
    if not adapter.warehouse.has_store:
        return Check("store", None, f"none in {adapter.warehouse.name}: --tables compares data without one")
    try:
        refuse_memory(adapter)
        versions = store_versions(adapter, schema)
    except RecceMetaError as error:
        return Check("store", False, error.message, error.hint)
    if versions is None:
        hint = "recce-meta init, or the first record, creates it"
        return Check("store", None, f"none in schema {schema} yet", hint)
    told = f"version {versions.write}, read version {versions.read}"
    if versions.is_newer:
        can = "read it, but not write it" if versions.is_readable else "neither read nor write it"
        state = None if versions.is_readable else False
        detail = f"{told}: newer than this recce-meta's {SCHEMA_VERSION}, which can {can}"
        return Check("store", state, detail, versions.remedy)
    older = "" if versions.write == SCHEMA_VERSION else "; the next command migrates it"
    return Check("store", True, f"{told}{older}")
