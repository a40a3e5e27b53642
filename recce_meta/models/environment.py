"""The environment that nodes were built in, as far as the nodes tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from recce_meta.models.node import NodeMetadata


def target_place(nodes: Iterable[NodeMetadata]) -> tuple[str | None, str | None]:
    """The target's database and schema: where most nodes went that do not name a place of their own.

    No artifact names them. dbt's default `generate_schema_name` gives a node with a custom schema
    `<target schema>_<custom schema>`, so such nodes tell too.
    """
    databases: Counter[str] = Counter()
    schemas: Counter[str] = Counter()
    for node in nodes:
        if node.resource_type not in ("model", "seed", "test", "operation", "analysis"):
            continue
        if node.database_name and not node.config.get("database"):
            databases[node.database_name] += 1
        custom, schema = node.config.get("schema"), node.schema_name
        if schema and isinstance(custom, str) and custom:
            schema = schema.removesuffix(f"_{custom}") if schema.endswith(f"_{custom}") else None
        if schema:
            schemas[schema] += 1
    return _most_common(databases), _most_common(schemas)


def _most_common(counts: Counter[str]) -> str | None:
    return max(counts, key=lambda name: (counts[name], name)) if counts else None
