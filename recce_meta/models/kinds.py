"""Resource types that a scan of a live database gives, beside dbt's."""

from __future__ import annotations

SCHEMA = "schema"
VIEWS = frozenset(["view", "materialized_view"])
"""They have a query."""
TABLES = frozenset(["table", "external_table"])
"""Their rows come from outside, as those of sources and seeds do."""
RELATIONS = VIEWS | TABLES
SCANNED = RELATIONS | {SCHEMA}
