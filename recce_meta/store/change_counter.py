"""Change counter of a store, for a reader that keeps what it has read, such as the server."""

from __future__ import annotations

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.errors import MissingRelation, StoreError
from recce_meta.store.session import (
    SCHEMA_VERSION,
    StoreSession,
    no_store,
    outdated,
    schema_text,
    store_versions,
)


def change_counter(adapter: UnifiedSqlAdapter) -> str:
    """Return a text that differs after every write to the store of *adapter*, which is not migrated.

    Raises StoreNotFound without a store, StoreOutdated for an older one, and StoreError for one that is too
    new to be read.
    """
    schema_text(adapter.warehouse, adapter.schema)  # raises if the warehouse cannot hold a store
    try:
        with adapter.session(atomic=False) as session:
            found = StoreSession(session, adapter.warehouse, adapter.schema).query("change_counter")
    except MissingRelation:
        found = []
    for write, read, written_at in found:
        # A newer store can be read if it names a version of readers that this one satisfies.
        if int(str(write)) >= SCHEMA_VERSION >= int(str(write if read is None else read)):
            # Cached for the next session, which would otherwise query the versions again.
            adapter.store_versions[adapter.schema] = int(str(write))
            return counter_text(write, written_at)
    raise _refusal(adapter)


def counter_text(write: object, written_at: object) -> str:
    """Return the change counter of a store with the version *write*, last written to at *written_at*."""
    # The version is part of it, because a migration changes what queries return.
    return f"{write} {written_at}"


def _refusal(adapter: UnifiedSqlAdapter) -> StoreError:
    """Return why the store of *adapter* cannot be read."""
    adapter.store_versions.pop(adapter.schema, None)
    try:
        versions = store_versions(adapter)
    except MissingRelation:  # the schema cannot be the default of the connection
        versions = None
    if versions is None:
        return no_store(adapter)
    if versions.write < SCHEMA_VERSION:
        return outdated(versions, adapter.schema)
    return StoreError(
        f"The store in schema '{adapter.schema}' has version {versions.write}, which is too new",
        hint=versions.remedy,
    )
