"""What a project consists of: nodes, their columns, edges and macros.

All types are frozen msgspec structs: they are built by the ten thousand, where a frozen dataclass
costs about ten times as much.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import Any, TypeAlias

from msgspec import Struct

Json: TypeAlias = Any
"""A value as JSON knows it: None, bool, int, float, str, list or dict of these."""


def code_hash(code: str) -> str:
    """SHA-256, in hex, of *code* with runs of white space collapsed and its ends stripped.

    This is also what dbt 1.12 and later write as the checksum of SQL.
    """
    return sha256(" ".join(code.split()).encode("utf-8", "surrogatepass")).hexdigest()


class Column(Struct, frozen=True, gc=False, omit_defaults=True):
    """A column of a node's relation.

    `type` is the warehouse's text where the catalog knows the column, else the documented
    `data_type`, else None.
    """

    name: str
    type: str | None = None
    description: str = ""
    tags: tuple[str, ...] = ()
    meta: dict[str, Json] = {}
    constraints: tuple[Json, ...] = ()
    quote: bool | None = None
    documented: bool = False
    """Whether the project's YAML names the column."""
    documented_type: str | None = None
    """`data_type` in the YAML, which a contract enforces."""
    not_null: bool | None = None
    """Of a scanned database, as all that follows: whether the column refuses NULL."""
    default: str | None = None
    generated: str | None = None
    """The expression that its values are computed from, after `stored:` or `virtual:`."""
    identity: str | None = None
    """always, by default, or auto_increment, where the warehouse numbers the rows: `always (increment 5)`."""
    collation: str | None = None


class EdgeOrigin(Struct, frozen=True, gc=False):
    """How an edge is known, and how certain it is."""

    kind: str
    """`ref` or `source` (dbt's functions), `catalog` (what a database records), or `sql` (names in SQL)."""
    confidence: float = 1.0


SURE, LIKELY, GUESS = 1.0, 0.9, 0.5
"""Confidence of an edge that dbt or a database states, that code shows, and that may be another."""


def referred(parents: Iterable[str], confidence: float = SURE) -> dict[str, EdgeOrigin]:
    """Return the origins of edges by `ref` and `source`, as the parent's id shows."""
    ref, source = EdgeOrigin("ref", confidence), EdgeOrigin("source", confidence)
    return {parent: source if parent.startswith("source.") else ref for parent in parents}


class NodeMetadata(Struct, frozen=True, gc=False, kw_only=True):
    """One node of one run: everything that is known about it.

    `database_name`, `schema_name`, `identifier` and `relation_name` say where the node lives in this
    run's environment; everything else is the same wherever the same code is built.
    """

    unique_id: str
    name: str
    resource_type: str
    """model, seed, snapshot, source, test, unit_test, analysis, operation, exposure, metric,
    semantic_model, saved_query, function, or group (kept out of the ordinary lists). Of a scanned database:
    schema, table, view, materialized_view, external_table."""
    package_name: str = ""
    path: str = ""
    """`original_file_path`, with forward slashes."""
    fqn: tuple[str, ...] = ()

    database_name: str | None = None
    schema_name: str | None = None
    identifier: str | None = None
    relation_name: str | None = None
    """The relation exactly as dbt wrote it; None where the node has none (ephemeral models, tests)."""

    materialized: str | None = None
    language: str | None = None
    raw_code: str | None = None
    compiled_code: str | None = None
    checksum: str | None = None
    """As dbt wrote it; comparable only between equal `checksum_rule`s."""
    checksum_rule: str | None = None
    """How dbt computed `checksum`: `file`, `stripped`, `collapsed`, `path`, or None where unknown."""
    code_hash: str | None = None
    """SHA-256 of the code with runs of white space collapsed; for a seed, of its file where at hand."""

    config: dict[str, Json] = {}
    unrendered_config: dict[str, Json] = {}
    columns: tuple[Column, ...] = ()
    columns_from: str | None = None
    """`catalog` (ordinal order, warehouse types) or `manifest` (as documented), None where there are none."""
    description: str = ""
    tags: tuple[str, ...] = ()
    meta: dict[str, Json] = {}
    access: str | None = None
    group_name: str | None = None
    version: str | None = None
    source_name: str | None = None
    contract: dict[str, Json] | None = None
    parents: tuple[str, ...] = ()
    """Unique ids of the nodes that this one reads, sorted."""
    edge_origins: dict[str, EdgeOrigin] = {}
    """How the edge to each parent is known; empty if it was recorded before version 8 of the store."""
    macros: tuple[str, ...] = ()
    """Unique ids of the macros that dbt says it calls, sorted."""
    properties: dict[str, Json] = {}
    """What only this resource type has: a metric's type_params, an exposure's owner, a test's kwargs …"""

    @property
    def label(self) -> str:
        """The name, with the version where it has one, `orders.v2`; of a scanned relation `public.film`."""
        if self.unique_id.startswith("relation."):
            return self.unique_id.removeprefix("relation.")
        return self.name if self.version is None else f"{self.name}.v{self.version}"


class LineageEdge(Struct, frozen=True, gc=False, order=True):
    """*node_id* reads *parent_id*."""

    node_id: str
    parent_id: str


class MacroMetadata(Struct, frozen=True, gc=False, kw_only=True):
    """A macro. Kept for change detection and rendering, and out of the ordinary lists."""

    unique_id: str
    name: str
    package_name: str = ""
    path: str = ""
    macro_sql: str = ""
    code_hash: str = ""
    """SHA-256 of `macro_sql` with runs of white space collapsed."""
    macros: tuple[str, ...] = ()
    """Unique ids of the macros that it calls, sorted."""


class NodeResult(Struct, frozen=True, gc=False, kw_only=True):
    """What happened to one node in one run, from run_results.json."""

    unique_id: str
    status: str
    """dbt's word: success, error, skipped, pass, fail, warn, no-op, …"""
    seconds: float | None = None
    rows: int | None = None
    """Rows affected, where the adapter says so."""
    bytes: int | None = None
    """Bytes processed, where the adapter says so."""
    failures: int | None = None
    message: str | None = None
    completed_at: str | None = None
    """ISO 8601, UTC."""
