"""Rows of catalog queries on a live database, facts that change with the data, and its resource types.

Each row struct has the columns of one catalog query, in order (`warehouses.catalog`).
"""

from __future__ import annotations

import json
import re
from datetime import datetime

from msgspec import Struct

_PLAIN = re.compile(r"[\w$-]+")


# `gc=False`: catalogs have hundreds of thousands of rows without cycles, which need not be tracked.
class SchemaRow(Struct, frozen=True, gc=False):
    """One schema."""

    name: str
    owner: str | None = None
    comment: str | None = None
    is_readable: bool | None = None
    """True if the role may use it; None if the catalog does not report it."""


class RelationRow(Struct, frozen=True, gc=False):
    """One table or view."""

    schema: str
    name: str
    kind: str
    """table, view, materialized_view, or external_table."""
    owner: str | None = None
    comment: str | None = None
    definition: str | None = None
    """Query of a view, as written in the catalog."""
    partition_key: str | None = None
    """Partitioning of a table, as written in the catalog: `RANGE (paid_at)`."""
    partition_of_schema: str | None = None
    partition_of: str | None = None
    """Parent table of a partition."""
    partition_bound: str | None = None
    """Rows of the parent in this partition, as written in the catalog."""
    partitions: str | None = None
    """JSON array of the names (and bounds) of partitions that are not separate relations."""
    options: str | None = None
    """JSON object of other properties that define the relation: engine, storage, clustering, location …"""
    row_estimate: int | None = None
    bytes: int | None = None
    created_at: datetime | None = None
    altered_at: datetime | None = None
    """Last change of the definition, or of the data if the warehouse reports only that."""
    is_readable: bool | None = None
    """True if the role may read its rows; None if the catalog does not report it."""
    reads: str | None = None
    """JSON array of the relations that a view depends on, each a schema and a name; None if not recorded."""


class ColumnRow(Struct, frozen=True, gc=False):
    """One column; catalog queries return them ordered by schema, relation and position."""

    schema: str
    relation: str
    name: str
    type: str
    is_not_null: bool | None = None
    default: str | None = None
    generated: str | None = None
    """Expression of a generated column."""
    generated_kind: str | None = None
    """stored or virtual, for a generated column."""
    identity: str | None = None
    """Kind of identity column: `always`, `by default` or `auto_increment`, with non-default settings in
    parentheses: `always (start 100, increment 5)`."""
    collation: str | None = None
    """Collation, if it is not the default of the type."""
    comment: str | None = None


class ConstraintRow(Struct, frozen=True, gc=False):
    """One constraint of a relation. NOT NULL is a property of the column instead."""

    schema: str
    relation: str
    name: str | None
    """None if the warehouse generates a name that differs between databases."""
    type: str
    """primary_key, unique, foreign_key, check, or exclusion."""
    columns: str = "[]"
    """JSON array of names, in the order of the constraint."""
    expression: str | None = None
    """Expression of a check or an exclusion, as written in the catalog."""
    ref_schema: str | None = None
    ref_relation: str | None = None
    ref_columns: str | None = None
    """JSON array of the referenced columns of a foreign key."""
    on_update: str | None = None
    """Action of a foreign key in lower case: no action, restrict, cascade, set null, set default."""
    on_delete: str | None = None
    options: str | None = None
    """JSON object of non-default options: deferrable, initially_deferred, not_valid, not_enforced …"""


class IndexRow(Struct, frozen=True, gc=False):
    """One index that does not belong to a constraint."""

    schema: str
    relation: str
    name: str
    definition: str
    """Definition as written in the catalog, without the database."""
    is_unique: bool | None = None


class RelationFacts(Struct, frozen=True, kw_only=True):
    """Catalog facts about a relation's data at the time of the scan; not part of its definition."""

    unique_id: str
    row_estimate: int | None = None
    bytes: int | None = None
    created_at: datetime | None = None
    altered_at: datetime | None = None
    """Times are aware, in UTC."""


def schema_id(schema: str) -> str:
    """Return the unique id of a schema, which is the same in every database.

    >>> schema_id("public"), schema_id("my schema")
    ('schema.public', 'schema."my schema"')
    """
    return f"schema.{_part(schema)}"


def relation_id(schema: str, name: str) -> str:
    """Return the unique id of a relation, which does not change when a table becomes a view.

    A part that is not a plain word is quoted as a JSON string.

    >>> relation_id("public", "film"), relation_id("public", "Order\\n.Details")
    ('relation.public.film', 'relation.public."Order\\\\n.Details"')
    """
    return f"relation.{_part(schema)}.{_part(name)}"


def _part(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    # Ids are written between these brackets in compiled SQL.
    return json.dumps(text, ensure_ascii=False).replace("⟦", "\\u27e6").replace("⟧", "\\u27e7")


SCHEMA = "schema"
VIEWS = frozenset(["view", "materialized_view"])
"""Relations with a query."""
TABLES = frozenset(["table", "external_table"])
"""Relations whose rows come from outside the project, like those of sources and seeds."""
RELATIONS = VIEWS | TABLES
SCANNED = RELATIONS | {SCHEMA}
