"""Contents of a project: nodes, their columns, edges and macros, and the target inferred from them.

All types are frozen msgspec structs, because projects have tens of thousands of them, and creating a frozen
dataclass takes about ten times as long.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, TypeAlias, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.models.rows import Tabular

Named = TypeVar("Named")
Json: TypeAlias = Any
"""JSON value: None, bool, int, float, str, list or dict of these."""


def code_hash(code: str) -> str:
    """Return the hexadecimal SHA-256 of *code* with whitespace collapsed and its ends stripped.

    dbt 1.12 and later use the same checksum for SQL.
    """
    # A damaged file may contain lone surrogates, which UTF-8 cannot encode.
    return sha256(" ".join(code.split()).encode("utf-8", "surrogatepass")).hexdigest()


# Most fields of most columns have their default, which would fill the store as JSON.
class Column(Tabular, Struct, frozen=True, gc=False, omit_defaults=True):
    """Column of a node's relation.

    `type` is the warehouse's type if the catalog has the column, else the documented `data_type`, else None.
    """

    name: str
    """Name of the column, spelled as in the catalog or in the YAML."""
    type: str | None = None
    description: str = ""
    """Description from the YAML or the database's comment; empty if there is none."""
    tags: tuple[str, ...] = ()
    """Tags of the column in the YAML."""
    meta: dict[str, Json] = {}
    """`meta` of the column in the YAML."""
    constraints: tuple[Json, ...] = ()
    """Constraints of the column in the YAML, as dbt writes them."""
    quote: bool | None = None
    """`quote` of the column in the YAML; None if it is not set."""
    documented: bool = False
    """True if the project's YAML lists the column."""
    documented_type: str | None = None
    """`data_type` in the YAML, which a contract enforces."""
    not_null: bool | None = None
    """True if the column is NOT NULL. This and the following fields come from scanned databases."""
    default: str | None = None
    """Default expression, as the database prints it; None without a default."""
    generated: str | None = None
    """Expression of a generated column, after `stored:` or `virtual:`."""
    identity: str | None = None
    """Identity column: always, by default, or auto_increment, with settings: `always (increment 5)`."""
    collation: str | None = None
    """Collation, if it is not the database's default."""


def find_named(name: str, items: Iterable[Named], names_of: Callable[[Named], Iterable[str]]) -> Named | None:
    """Return the item with *name* among its names: exactly, or else ignoring case.

    None if no item or several items match.
    """
    known = [(item, tuple(names_of(item))) for item in items]
    found = [item for item, names in known if name in names]
    if not found:
        folded = name.casefold()
        found = [item for item, names in known if folded in map(str.casefold, names)]
    return found[0] if len(found) == 1 else None


def matching_name(name: str, names: Iterable[str]) -> str | None:
    """Return *name* as *names* spell it: exactly, or else ignoring case if that is unambiguous.

    >>> matching_name("ID", ["id", "name"]), matching_name("a", ["A", "a"]), matching_name("B", ["b", "ß"])
    ('id', 'a', 'b')
    """
    return find_named(name, dict.fromkeys(names), lambda known: (known,))


class EdgeOrigin(Struct, frozen=True, gc=False):
    """Origin of an edge, and its confidence."""

    kind: str
    """`ref` or `source` (dbt's functions), `catalog` (recorded by a database), or `sql` (names in SQL)."""
    confidence: float = 1.0


SURE, LIKELY, GUESS = 1.0, 0.9, 0.5
"""Confidence of an edge stated by dbt or a database, found in code, or ambiguous."""


def reference_origins(parents: Iterable[str], confidence: float = SURE) -> dict[str, EdgeOrigin]:
    """Return an origin of kind `ref` or `source` for each parent, depending on its id."""
    ref, source = EdgeOrigin("ref", confidence), EdgeOrigin("source", confidence)
    return {parent: source if parent.startswith("source.") else ref for parent in parents}


DISABLED = "disabled"
"""Resource type of nodes that are disabled for the target of a run, and the first part of their ids.

They are stored with groups, have no edges, and matter to a diff alone.
"""
TWIN = "@"
"""Text between the id of a disabled node and its file, if another node has the id."""

BUILD_FAILURE = "build_failure"
"""Property of a node that dbt or the warehouse cannot build: `problem` and `place`, the file and line.

With `unless`, the failure is not certain: dbt or its adapter may have a macro of that name, or, if it is
`UNLESS_VARS`, the command line may set other variables. Words with spaces say what else may avoid it.
"""
UNLESS_VARS = "--vars"
UNREAD = "a file or package that was not read defines it"
SEED_HEADER = "seed_header"
"""Property of a seed: the columns in the first line of its file."""
CONTRACT_ORDER = "contract_order"
"""Property of a node in a catalog: the columns of its enforced contract, if the catalog has another order."""
OWN_TESTS: Mapping[str, tuple[str, ...]] = {
    "unique": (),
    "not_null": (),
    "accepted_values": ("values",),
    "relationships": ("to", "field"),
}
"""dbt's own generic tests with their required arguments: they read only the columns that these name."""


def missing_argument(test: str, given: Container[str]) -> str | None:
    """Return why dbt's own generic *test* fails with the arguments *given*; None if it lacks none."""
    missing = [one for one in OWN_TESTS.get(test, ()) if one not in given]
    return f"it passes no '{missing[0]}', which test_{test} requires" if missing else None


GRAPH_SECTIONS: Mapping[str, str] = {
    "source": "sources",
    "exposure": "exposures",
    "metric": "metrics",
    "group": "groups",
    "semantic_model": "semantic_models",
    "saved_query": "saved_queries",
    "unit_test": "unit_tests",
    "function": "functions",
}
"""Sections of `graph` in dbt's templates, by resource type; all other types are in `nodes`."""


class NodeMetadata(Tabular, Struct, frozen=True, gc=False, kw_only=True):
    """Node of a run with all of its metadata.

    `database_name`, `schema_name`, `identifier` and `relation_name` depend on the run's environment. All
    other fields are the same wherever the same code is built.
    """

    unique_id: str
    """Unique id of the node in the project (`model.shop.orders`)."""
    name: str
    """Name of the node, as `ref` takes it."""
    resource_type: str
    """model, seed, snapshot, source, test, unit_test, analysis, operation, exposure, metric,
    semantic_model, saved_query, function, or group and disabled (excluded from ordinary lists). In a scanned
    database: schema, table, view, materialized_view, external_table."""
    package_name: str = ""
    """Package or project that defines the node."""
    path: str = ""
    """`original_file_path`, with forward slashes."""
    fqn: tuple[str, ...] = ()
    """Fully qualified name: package, folders, name."""

    database_name: str | None = None
    schema_name: str | None = None
    identifier: str | None = None
    relation_name: str | None = None
    """Relation exactly as dbt wrote it; None if the node has no relation (ephemeral models, tests)."""

    materialized: str | None = None
    """Materialization: `table`, `view`, `incremental` …; None if the type of node has none."""
    language: str | None = None
    """`sql` or `python`; None if the node has no code."""
    raw_code: str | None = None
    """Code as written, with Jinja."""
    compiled_code: str | None = None
    """Code as dbt compiled it; None if it was not compiled."""
    checksum: str | None = None
    """dbt's checksum; comparable only if `checksum_rule` is equal."""
    checksum_rule: str | None = None
    """How dbt computed `checksum`: `file`, `stripped`, `collapsed`, `path`, or None if unknown."""
    code_hash: str | None = None
    """SHA-256 of the code with whitespace collapsed; for a seed, of its file if available."""

    config: dict[str, Json] = {}
    """Configuration of the node, rendered."""
    unrendered_config: dict[str, Json] = {}
    """Configuration as written in files, with Jinja."""
    columns: tuple[Column, ...] = ()
    """Columns of the node's relation, in order."""
    columns_from: str | None = None
    """`catalog` (ordinal order, warehouse types) or `manifest` (as documented); None without columns."""
    description: str = ""
    """Description of the node; empty if there is none."""
    tags: tuple[str, ...] = ()
    """Tags of the node, sorted."""
    meta: dict[str, Json] = {}
    """`meta` of the node."""
    access: str | None = None
    """`private`, `protected` or `public`; None if the type of node has none."""
    group_name: str | None = None
    """Group that the node belongs to."""
    version: str | None = None
    """Version of a versioned model."""
    source_name: str | None = None
    """Source that a source table belongs to; None for other nodes."""
    contract: dict[str, Json] | None = None
    """Contract of the node, as dbt writes it."""
    parents: tuple[str, ...] = ()
    """Unique ids of the nodes that this one reads, sorted."""
    edge_origins: dict[str, EdgeOrigin] = {}
    """Origin of the edge to each parent; empty if recorded before version 8 of the store."""
    macros: tuple[str, ...] = ()
    """Unique ids of the macros that it calls according to dbt, sorted."""
    properties: dict[str, Json] = {}
    """Properties of this resource type: a metric's type_params, an exposure's owner, a test's kwargs …"""

    @property
    def label(self) -> str:
        """Name with the version, if any: `orders.v2`; `public.film` for a scanned relation."""
        if self.unique_id.startswith("relation."):
            return self.unique_id.removeprefix("relation.")
        return self.name if self.version is None else f"{self.name}.v{self.version}"

    @property
    def is_ephemeral(self) -> bool:
        """True if dbt inlines the model into its readers instead of building a relation."""
        return self.materialized == "ephemeral"


class NodeOutline(Struct, frozen=True, kw_only=True):
    """What a drawing needs of a node in addition to its narrow fields."""

    config: dict[str, Json]
    meta: dict[str, Json]
    properties: dict[str, Json]
    columns: int
    """Number of columns."""
    uncertain: frozenset[str]
    """Parents that the node perhaps reads."""


def outline_of(node: NodeMetadata) -> NodeOutline:
    """Return the outline of *node*."""
    return NodeOutline(
        config=node.config,
        meta=node.meta,
        properties=node.properties,
        columns=len(node.columns),
        uncertain=frozenset(one for one, origin in node.edge_origins.items() if origin.confidence < 1),
    )


class LineageEdge(Tabular, frozen=True, gc=False, order=True):
    """Edge of the lineage graph: *node_id* reads *parent_id*."""

    node_id: str
    parent_id: str


class MacroMetadata(Struct, frozen=True, gc=False, kw_only=True):
    """Macro, stored for change detection and rendering, and excluded from ordinary lists."""

    unique_id: str
    name: str
    package_name: str = ""
    path: str = ""
    macro_sql: str = ""
    code_hash: str = ""
    """SHA-256 of `macro_sql` with whitespace collapsed."""
    macros: tuple[str, ...] = ()
    """Unique ids of the macros that it calls, sorted."""


class NodeResult(Tabular, frozen=True, gc=False, kw_only=True):
    """Result of one node in one run, from run_results.json."""

    unique_id: str
    status: str
    """dbt's status: success, error, skipped, pass, fail, warn, no-op, …"""
    seconds: float | None = None
    rows: int | None = None
    """Affected rows, if the adapter reports them."""
    bytes: int | None = None
    """Processed bytes, if the adapter reports them."""
    failures: int | None = None
    message: str | None = None
    completed_at: str | None = None
    """ISO 8601, UTC."""
    compile_started_at: datetime | None = None
    compile_completed_at: datetime | None = None
    execute_started_at: datetime | None = None
    execute_completed_at: datetime | None = None
    """Times of dbt's two phases, in UTC; None if dbt did not reach the phase."""
    thread_id: str | None = None
    """Thread of dbt, such as `Thread-1 (worker)`."""
    query_id: str | None = None
    """Id of the last query in the warehouse: its `query_id`, or the `job_id` of BigQuery."""
    adapter_response: dict[str, Any] | None = None
    """Other values that the adapter reports, such as `bytes_billed` or `slot_ms`."""
    failed_rows: tuple[dict[str, Any], ...] | None = None
    """First rows of a failed test by column; None if they were not read (`record --failed-rows`)."""


class SourceFreshness(Tabular, frozen=True, gc=False, kw_only=True):
    """Freshness of one source as dbt measured it, from sources.json."""

    unique_id: str
    status: str
    """pass, warn, error or runtime error."""
    max_loaded_at: datetime | None = None
    """Time of the newest row; None for a source without rows."""
    snapshotted_at: datetime | None = None
    """Time of the measurement."""
    max_loaded_at_time_ago_in_s: float | None = None
    criteria: dict[str, Any] | None = None
    """Declared freshness."""
    error: str | None = None


def target_place(nodes: Iterable[NodeMetadata]) -> tuple[str | None, str | None]:
    """Return the target's database and schema: those of most nodes without a custom database or schema.

    Artifacts do not contain them. Nodes with a custom schema count as well, because dbt's default
    `generate_schema_name` builds `<target schema>_<custom schema>`.
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
    # The name decides ties, so that the order of nodes does not matter.
    return max(counts, key=lambda name: (counts[name], name)) if counts else None


def as_disabled(node: NodeMetadata) -> NodeMetadata:
    """Return *node* as one that is disabled, without what depends on the target.

    >>> as_disabled(NodeMetadata(unique_id="model.shop.a", name="a", resource_type="model")).unique_id
    'disabled.model.shop.a'
    """
    return replace(
        node,
        unique_id=f"{DISABLED}.{node.unique_id}",
        resource_type=DISABLED,
        **dict.fromkeys(("database_name", "schema_name", "relation_name", "compiled_code")),
        parents=(),
        edge_origins={},
    )


def disabled_entries(nodes: Iterable[NodeMetadata], enabled: Container[str]) -> list[NodeMetadata]:
    """Return *nodes* as disabled ones, with the file in an id that others, or *enabled* ones, share."""
    by_id: dict[str, list[NodeMetadata]] = defaultdict(list)
    for node in nodes:
        by_id[node.unique_id].append(node)
    found: dict[str, NodeMetadata] = {}
    for unique_id, twins in sorted(by_id.items()):
        is_shared = len(twins) > 1 or unique_id in enabled
        for node in sorted(twins, key=lambda one: one.path):
            key = twin = f"{unique_id}{TWIN}{node.path}" if is_shared else unique_id
            # One file may define a source several times.
            number = 1
            while key in found:
                key = f"{twin}{TWIN}{(number := number + 1)}"
            found[key] = as_disabled(replace(node, unique_id=key))
    return list(found.values())


def as_enabled(node: NodeMetadata) -> NodeMetadata:
    """Return *node* with its own id, which a file may follow, and resource type if it is disabled."""
    if node.resource_type != DISABLED:
        return node
    unique_id = node.unique_id.partition(".")[2]
    return replace(node, unique_id=unique_id, resource_type=unique_id.split(".", 1)[0])
