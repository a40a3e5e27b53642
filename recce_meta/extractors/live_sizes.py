"""Sizes of relations, from a warehouse's catalog."""

from __future__ import annotations

from collections.abc import Sequence

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.errors import ConnectionFailed, QueryCancelled, StoreLocked, WarehouseError
from recce_meta.models.catalog import RelationRow
from recce_meta.warehouses.catalogs import Part, catalog_of


def relation_bytes(adapter: UnifiedSqlAdapter, schemas: Sequence[str]) -> dict[tuple[str, str], int]:
    """The bytes of each relation in *schemas*, by schema and name in lower case, if the catalog has them.

    A catalog that refuses the question has none: sizes only decide what is compared.
    """
    catalog = catalog_of(adapter.warehouse)
    if catalog.uses_inspector:
        return {}
    try:
        with adapter.session():
            if catalog.needs_region:
                catalog.region = adapter.region()
            statements = catalog.statements(Part.RELATIONS, schemas, adapter.database)
            for statement in statements[:-1]:
                adapter.execute(statement)
            answer = adapter.answer(statements[-1])
            rows = [RelationRow(*row) for row in catalog.rows(Part.RELATIONS, answer)]
    except (QueryCancelled, ConnectionFailed, StoreLocked):
        raise
    except WarehouseError:
        return {}
    return {
        (row.schema.casefold(), row.name.casefold()): int(row.bytes) for row in rows if row.bytes is not None
    }
