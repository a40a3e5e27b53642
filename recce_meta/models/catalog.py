"""What the catalog of a live database tells: rows of its statements, and facts that change with the data.

Each struct of rows has the columns of one catalog statement, in order (`warehouses.catalogs`).
"""

from __future__ import annotations

import json
import re
from datetime import datetime

from msgspec import Struct

_PLAIN = re.compile(r"[\w$-]+")


class SchemaRow(Struct, frozen=True, gc=False):
    """One schema."""

    name: str
    owner: str | None = None
    comment: str | None = None
    is_readable: bool | None = None
    """Whether the role may use it; None where the catalog does not tell."""


class RelationRow(Struct, frozen=True, gc=False):
    """One table, view or the like."""

    schema: str
    name: str
    kind: str
    """table, view, materialized_view, or external_table."""
    owner: str | None = None
    comment: str | None = None
    definition: str | None = None
    """Of a view: its query, as the catalog writes it."""
    partition_key: str | None = None
    """How a partitioned table is cut, as the catalog writes it: `RANGE (paid_at)`."""
    partition_of_schema: str | None = None
    partition_of: str | None = None
    """The table that this one is a partition of."""
    partition_bound: str | None = None
    """Which rows of it this partition holds, as the catalog writes it."""
    partitions: str | None = None
    """JSON array of the names (and bounds) of partitions that are no relations of their own."""
    options: str | None = None
    """JSON object of what else defines the relation: engine, storage, clustering, location …"""
    row_estimate: int | None = None
    bytes: int | None = None
    created_at: datetime | None = None
    altered_at: datetime | None = None
    """When the definition, or where the warehouse tells only that, the data was last changed."""
    is_readable: bool | None = None
    """Whether the role may read its rows; None where the catalog does not tell."""
    reads: str | None = None
    """JSON array of the relations that a view depends on, each a schema and a name; None if not recorded."""


class ColumnRow(Struct, frozen=True, gc=False):
    """One column; a statement gives them in the order of schema, relation and position."""

    schema: str
    relation: str
    name: str
    type: str
    is_not_null: bool | None = None
    default: str | None = None
    generated: str | None = None
    """The expression that its values are computed from."""
    generated_kind: str | None = None
    """stored or virtual, where it is generated."""
    identity: str | None = None
    """How the warehouse numbers rows: `always`, `by default`, `auto_increment`, and behind it in parentheses
    what is not as usual: `always (start 100, increment 5)`."""
    collation: str | None = None
    """Where it is not the default of the type."""
    comment: str | None = None


class ConstraintRow(Struct, frozen=True, gc=False):
    """One constraint of a relation. NOT NULL is a column's."""

    schema: str
    relation: str
    name: str | None
    """None where the warehouse makes one up that differs from database to database."""
    type: str
    """primary_key, unique, foreign_key, check, or exclusion."""
    columns: str = "[]"
    """JSON array of names, in the order of the constraint."""
    expression: str | None = None
    """Of a check or an exclusion, as the catalog writes it."""
    ref_schema: str | None = None
    ref_relation: str | None = None
    ref_columns: str | None = None
    """JSON array, of a foreign key."""
    on_update: str | None = None
    """Of a foreign key, in lower case: no action, restrict, cascade, set null, set default."""
    on_delete: str | None = None
    options: str | None = None
    """JSON object of what is not as usual: deferrable, initially_deferred, not_valid, not_enforced …"""


class IndexRow(Struct, frozen=True, gc=False):
    """One index that no constraint brings along."""

    schema: str
    relation: str
    name: str
    definition: str
    """As the catalog writes it, without the database."""
    is_unique: bool | None = None


class RelationFacts(Struct, frozen=True, kw_only=True):
    """What the catalog knew of a relation's data when it was scanned: no part of what the relation is."""

    unique_id: str
    row_estimate: int | None = None
    bytes: int | None = None
    created_at: datetime | None = None
    altered_at: datetime | None = None
    """Times are aware, in UTC."""


def schema_id(schema: str) -> str:
    """The unique id of a schema: the same in every database.

    >>> schema_id("public"), schema_id("my schema")
    ('schema.public', 'schema."my schema"')
    """
    return f"schema.{_part(schema)}"


def relation_id(schema: str, name: str) -> str:
    """The unique id of a relation, which stays when a table becomes a view.

    A part that is no plain word stands in quotes, as JSON writes it.

    >>> relation_id("public", "film"), relation_id("public", "Order\\n.Details")
    ('relation.public.film', 'relation.public."Order\\\\n.Details"')
    """
    return f"relation.{_part(schema)}.{_part(name)}"


def _part(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    return json.dumps(text, ensure_ascii=False).replace("⟦", "\\u27e6").replace("⟧", "\\u27e7")
