"""Reads the foreign keys of scanned databases back: which rows refer to which, beside the lineage."""

from __future__ import annotations

import json

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.models import RunMetadata
from recce_meta.models.lineage import ForeignKey
from recce_meta.store.files import DEFAULT_SCHEMA
from recce_meta.store.migrate import open_store


def foreign_keys_of(
    adapter: UnifiedSqlAdapter, run: RunMetadata, unique_id: str, *, schema: str = DEFAULT_SCHEMA
) -> tuple[ForeignKey, ...]:
    """The foreign keys of *run* that begin or end at *unique_id*, sorted by where they begin."""
    with open_store(adapter, schema) as store:
        found = store.query("foreign_keys_of", graph_id=run.graph_id, unique_id=unique_id)
    keys = [
        ForeignKey(
            node_id=str(node_id),
            parent_id=str(parent_id),
            name=None if name is None else str(name),
            columns=_names(columns),
            parent_columns=_names(parent_columns),
            on_update=None if on_update is None else str(on_update),
            on_delete=None if on_delete is None else str(on_delete),
        )
        for node_id, parent_id, name, columns, parent_columns, on_update, on_delete in found
    ]
    return tuple(sorted(keys, key=lambda key: key.node_id))


def _names(value: object) -> tuple[str, ...]:
    """Names from an array, whether the driver gives its text or what it holds."""
    listed = json.loads(value) if isinstance(value, str) else value
    return tuple(map(str, listed)) if isinstance(listed, list) else ()
