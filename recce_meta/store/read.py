"""Queries that read stored runs as extracted, and differences between two runs.

Every function with an adapter opens one transaction. If a function returns compiled code *in its stored
form*, the relations in it are tokens (`recce_meta.models.relation_tokens`), so code of two environments
compares equal.

Foreign keys of scanned databases are separate from lineage. Facts about relations, such as sizes and times,
are split into parts by a hash of the unique ids, like graphs. A part without changes is stored once, so a
scan of an unchanged database writes only the list of its parts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timezone
from operator import attrgetter
from typing import Any, Literal, TypeVar

import msgspec
from msgspec.structs import asdict, replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.errors import StoreError
from recce_meta.models import (
    Column,
    EdgeOrigin,
    Json,
    LineageEdge,
    MacroMetadata,
    NodeMetadata,
    NodeResult,
    Project,
    RunMetadata,
)
from recce_meta.models.catalog import RelationFacts
from recce_meta.models.lineage import ForeignKey
from recce_meta.models.node import DISABLED, SourceFreshness, reference_origins
from recce_meta.models.relation_tokens import resolve, token_ids
from recce_meta.models.rows import ResultList, Tabular
from recce_meta.models.run import COMPLETE, DBT, BuildJob, Extraction
from recce_meta.redaction import without_passwords
from recce_meta.store import content
from recce_meta.store.content import Row
from recce_meta.store.session import StoreSession, open_store
from recce_meta.store.values import masked_json, storable

_names = msgspec.json.Decoder(tuple[str, ...]).decode
_objects = {
    "extraction": msgspec.json.Decoder(Extraction).decode,
    "variables": msgspec.json.Decoder(dict[str, str]).decode,
    "args": msgspec.json.Decoder(dict[str, str | int | bool]).decode,
    "job": msgspec.json.Decoder(BuildJob).decode,
}
_columns = msgspec.json.Decoder(tuple[Column, ...]).decode
_object = msgspec.json.Decoder(dict[str, Any]).decode
_rows = msgspec.json.Decoder(tuple[dict[str, Any], ...]).decode


class Objects(dict[str, dict[str, Json]]):
    """Cache of JSON objects by their text, because thousands of nodes share a few configurations."""

    def __missing__(self, text: str) -> dict[str, Json]:
        found = self[text] = _object(text)
        return found


def run_of(row: tuple[Any, ...]) -> RunMetadata:
    """Return the run of a row of `runs`; times are in UTC, whatever the connection's time zone."""
    fields: dict[str, Any] = dict(zip(RunMetadata.__struct_fields__, map(in_utc, row), strict=True))
    fields["warnings"] = _names(fields["warnings"]) if fields["warnings"] else ()
    fields |= {name: fields[name] and decode(fields[name]) for name, decode in _objects.items()}
    return RunMetadata(**fields)


_GIVEN_TEXTS = ("git_sha", "branch", "pull_request", "command", "commit_url")
"""Fields of a run with arbitrary text from an option, a variable or an artifact."""


def run_row(run: RunMetadata) -> tuple[object, ...]:
    """Return the row of `runs`, in the order of the fields of `RunMetadata`, with passwords masked."""
    fields = asdict(run)
    fields |= {name: fields[name] and without_passwords(fields[name]) for name in _GIVEN_TEXTS}
    reason = run.reason and storable(run.reason)
    warnings = msgspec.json.encode([storable(warning) for warning in run.warnings]).decode()
    fields |= {name: None if (one := getattr(run, name)) is None else masked_json(one) for name in _objects}
    return tuple({**fields, "reason": reason, "warnings": warnings}.values())


def in_utc(value: Any) -> Any:
    """Return *value* in UTC if it is a (timezone-aware) time, else unchanged."""
    return value.astimezone(timezone.utc) if isinstance(value, datetime) else value


_NODE = (
    "unique_id", "name", "resource_type", "package_name", "path", "fqn", "database_name", "schema_name",
    "identifier", "relation_name", "materialized", "language", "raw_code", "compiled_code", "checksum",
    "checksum_rule", "code_hash", "config", "unrendered_config", "columns", "columns_from", "description",
    "tags", "meta", "access", "group_name", "version", "source_name", "contract", "macros", "properties",
)  # fmt: skip
"""Columns of `nodes`, `nodes_by_id` and `differing_nodes`."""
_NARROW_NODE = (
    "unique_id", "name", "resource_type", "package_name", "path", "fqn", "relation_name", "materialized",
    "tags", "access", "group_name", "version", "source_name", "macros",
)  # fmt: skip
"""Columns of `narrow_nodes`."""
_MACRO = ("unique_id", "name", "package_name", "path", "macro_sql", "code_hash", "macros")
"""Columns of `macros`."""


def node_of(
    row: tuple[Any, ...],
    edges: Mapping[str, Mapping[str, EdgeOrigin | None]],
    relations: Mapping[str, str] | None,
    objects: Objects,
) -> NodeMetadata:
    """Return the node of a row of `nodes`, `nodes_by_id` or `differing_nodes`.

    *relations* resolve the tokens in compiled code; if it is None, the tokens stay.
    """
    fields = _fields(_NODE, row)
    parents = edges.get(fields["unique_id"], {})
    if fields["compiled_code"] and relations is not None:
        fields["compiled_code"] = resolve(fields["compiled_code"], relations)
    for name in ("config", "unrendered_config", "meta"):
        fields[name] = objects[fields[name]]
    columns, contract, properties = (fields[name] for name in ("columns", "contract", "properties"))
    return NodeMetadata(
        **fields
        | {
            "columns": _columns(columns) if columns != "[]" else (),
            "contract": None if contract is None else _object(contract),
            "properties": _object(properties) if properties != "{}" else {},
        },
        parents=tuple(sorted(parents)),
        edge_origins={parent: origin for parent in sorted(parents) if (origin := parents[parent])},
    )


def _fields(columns: Sequence[str], row: tuple[Any, ...]) -> dict[str, Any]:
    """Return the fields in *row* by name, with the texts of lists read."""
    fields = dict(zip(columns, row, strict=True))
    return fields | {name: _list(fields[name]) for name in ("fqn", "tags", "macros") if name in fields}


def narrow_node_of(row: tuple[Any, ...]) -> NodeMetadata:
    """Return the node of a row of `narrow_nodes`, without code, columns, config, parents and place."""
    return NodeMetadata(**_fields(_NARROW_NODE, row))


def label_node_of(row: tuple[Any, ...]) -> NodeMetadata:
    """Return the node of a row of `names`; all other fields are empty."""
    unique_id, name, resource_type, version = row
    return NodeMetadata(unique_id=unique_id, name=name, resource_type=resource_type, version=version)


def label_of(node: NodeMetadata) -> NodeMetadata:
    """Return *node* as `load_names` reads it."""
    return label_node_of((node.unique_id, node.name, node.resource_type, node.version))


def macro_of(row: tuple[Any, ...]) -> MacroMetadata:
    """Return the macro of a row of `macros`."""
    return MacroMetadata(**_fields(_MACRO, row))


def result_of(row: tuple[Any, ...]) -> NodeResult:
    """Return the result of a row of `results`, or of a query of its first columns."""
    fields = dict(zip(NodeResult.__struct_fields__, map(in_utc, row), strict=False))
    if response := fields.get("adapter_response"):
        fields["adapter_response"] = _object(response)
    if rows := fields.get("failed_rows"):
        fields["failed_rows"] = _rows(rows)
    return NodeResult(**fields)


FRESHNESS_COLUMNS = ("run_id", *SourceFreshness.__struct_fields__)


def freshness_of(row: tuple[Any, ...]) -> SourceFreshness:
    """Return the freshness of a row of `freshness`."""
    fields = dict(zip(FRESHNESS_COLUMNS[1:], map(in_utc, row), strict=True))
    return SourceFreshness(**{**fields, "criteria": fields["criteria"] and _object(fields["criteria"])})


def write_freshness(store: StoreSession, run_id: str, freshness: Sequence[SourceFreshness]) -> None:
    """Write *freshness* of a run within the writer's transaction."""
    rows = [
        (
            run_id,
            one.unique_id,
            storable(one.status),
            one.max_loaded_at,
            one.snapshotted_at,
            one.max_loaded_at_time_ago_in_s,
            one.criteria and masked_json(one.criteria),
            one.error and without_passwords(storable(one.error)),
        )
        for one in freshness
    ]
    if rows:
        store.insert("source_freshness", FRESHNESS_COLUMNS, rows)


def group_parents(edges: Iterable[tuple[Any, ...]]) -> dict[str, dict[str, EdgeOrigin | None]]:
    """Return the parents of each node with the origins of edges, from rows of `edges` or of pairs alone."""
    parents: dict[str, dict[str, EdgeOrigin | None]] = {}
    origins: dict[tuple[Any, ...], EdgeOrigin | None] = {}
    for node, parent, *origin in edges:
        key = tuple(origin)
        if key not in origins:
            origins[key] = EdgeOrigin(*key) if key and key[0] is not None else None
        parents.setdefault(node, {})[parent] = origins[key]
    return parents


def names_of(found: Iterable[tuple[object, ...]]) -> list[str]:
    """Return the only column of *found*, sorted."""
    return sorted(str(name) for (name,) in found)


Result = TypeVar("Result", bound=Tabular)


def structs_of(kind: type[Result], rows: Iterable[Sequence[Any]]) -> ResultList[Result]:
    """Return *rows* as results of type *kind*, whose fields are in the order of the columns; times in UTC."""
    return ResultList(
        kind, [kind(*(in_utc(cell) if isinstance(cell, datetime) else cell for cell in row)) for row in rows]
    )


def _list(text: str) -> tuple[str, ...]:
    return _names(text) if text != "[]" else ()


def foreign_keys_of(adapter: UnifiedSqlAdapter, run: RunMetadata, unique_id: str) -> tuple[ForeignKey, ...]:
    """Return the foreign keys of *run* from or to *unique_id*, sorted by the referencing node."""
    with open_store(adapter) as store:
        found = store.query("foreign_keys_of", graph_id=run.graph_id, unique_id=unique_id)
    keys = [
        ForeignKey(
            node_id=str(node_id),
            parent_id=str(parent_id),
            name=None if name is None else str(name),
            columns=_foreign_key_names(columns),
            parent_columns=_foreign_key_names(parent_columns),
            on_update=None if on_update is None else str(on_update),
            on_delete=None if on_delete is None else str(on_delete),
        )
        for node_id, parent_id, name, columns, parent_columns, on_update, on_delete in found
    ]
    return tuple(sorted(keys, key=lambda key: key.node_id))


def _foreign_key_names(value: object) -> tuple[str, ...]:
    """Return the names in an array; some drivers return it as JSON text."""
    listed = json.loads(value) if isinstance(value, str) else value
    return tuple(map(str, listed)) if isinstance(listed, list) else ()


PART_COLUMNS = ("run_id", "part_id")
FACT_COLUMNS = ("part_id", "unique_id", "row_estimate", "bytes", "created_at", "altered_at")

_FEWER = 8
"""Factor by which facts have fewer parts than a graph: sizes change together, and every scan writes the
list of its parts."""


def write_facts(store: StoreSession, run_id: str, facts: Sequence[RelationFacts]) -> tuple[str, ...]:
    """Write the missing parts of *facts* within the writer's transaction. Return the ids of all parts."""
    if not facts:
        return ()
    places = sorted(map(_row, facts), key=lambda row: str(row[0]))
    parts = content.parts_of(places, max(1, content.part_count(len(places)) // _FEWER))
    store.insert("fact_parts", PART_COLUMNS, ((run_id, part) for part in parts))
    missing = names_of(store.query("missing_fact_parts", run_id=run_id))
    rows = content.part_rows((part, parts[part]) for part in missing)
    store.insert("relation_facts", FACT_COLUMNS, rows)
    return tuple(parts)


def read_facts(store: StoreSession, run_id: str) -> tuple[RelationFacts, ...]:
    """Return the facts of a run, sorted by unique id; times are in UTC."""
    found = map(_facts_of, store.query("facts", run_id=run_id))
    return tuple(sorted(found, key=lambda facts: facts.unique_id))


def load_facts(adapter: UnifiedSqlAdapter, run: RunMetadata) -> tuple[RelationFacts, ...]:
    """Return the facts of a scanned *run*, sorted by unique id; empty for runs that are not scans."""
    with open_store(adapter) as store:
        return read_facts(store, run.run_id)


def _row(facts: RelationFacts) -> Row:
    # UTC makes equal times equal facts.
    times = map(in_utc, (facts.created_at, facts.altered_at))
    return (facts.unique_id, facts.row_estimate, facts.bytes, *times)


def _facts_of(row: tuple[Any, ...]) -> RelationFacts:
    return RelationFacts(**dict(zip(FACT_COLUMNS[1:], map(in_utc, row), strict=True)))


UNLISTED = frozenset(["group", DISABLED])
"""Resource types of groups and disabled nodes, which are stored as nodes but not listed with them."""

RUN_FILTERS = (
    "run_id", "run_id_prefix", "project", "environment", "branch", "sha_prefix", "extractor", "before",
    "without", "status",
)  # fmt: skip

Named = TypeVar("Named", NodeMetadata, MacroMetadata, NodeResult, SourceFreshness)


def find_runs(store: StoreSession, **filters: object) -> list[RunMetadata]:
    """Return runs, newest first: *filters* are the binds of `sql/queries/runs.sql`.

    A filter that is not given is None. Failed runs are left out unless `status=None` is given.
    """
    every: dict[str, object] = {**dict.fromkeys(RUN_FILTERS), "status": COMPLETE}
    return [run_of(row) for row in store.query("runs", **{**every, "most": 2**31, **filters})]


def run_by_id(store: StoreSession, run_id: str) -> RunMetadata | None:
    """Return the run with exactly this id, or None."""
    found = find_runs(store, run_id=run_id, status=None)
    return found[0] if found else None


def require_run(store: StoreSession, run_id: str, subject: str, *, command: str = "record") -> None:
    """Raise StoreError if the run is not in the store, because its *subject* would be orphaned."""
    if run_by_id(store, run_id) is None:
        how = (
            "record it with recce-meta record" if command == "record" else "create a run with recce-meta scan"
        )
        raise StoreError(
            f"Run {run_id} not found in the store: its {subject} cannot be stored",
            hint=f"{how}; recce-meta runs lists the stored runs",
        )


def list_runs(
    adapter: UnifiedSqlAdapter,
    *,
    project: str | None = None,
    environment: str | None = None,
    extractor: str | None = None,
    status: str | None = COMPLETE,
    limit: int | None = None,
) -> ResultList[RunMetadata]:
    """Return the runs in the store of *adapter*, newest first.

    *project*, *environment* and *extractor* select runs by equality (default: all); *limit* is the largest
    number of runs returned. Failed scans are listed only with *status* `failed` or None. *schema* is the
    store's schema.
    """
    with open_store(adapter) as store:
        most = 2**31 if limit is None else limit
        named = {"project": project, "environment": environment, "extractor": extractor, "status": status}
        return ResultList(RunMetadata, find_runs(store, **named, most=most))


def load_project(store: StoreSession, run: RunMetadata) -> Project:
    """Return all data that was recorded with *run*."""
    nodes = _load_nodes(store, run.graph_id)
    return Project(
        run=run,
        nodes=tuple(node for node in nodes if node.resource_type not in UNLISTED),
        groups=tuple(node for node in nodes if node.resource_type in UNLISTED),
        macros=tuple(macros_of(store, run)),
        results=tuple(_in_order(map(result_of, store.query("results", run_id=run.run_id)))),
        facts=read_facts(store, run.run_id),
        freshness=tuple(_in_order(map(freshness_of, store.query("freshness", run_id=run.run_id)))),
    )


def load_nodes(adapter: UnifiedSqlAdapter, run: RunMetadata) -> list[NodeMetadata]:
    """Return all nodes of *run*, sorted by unique id."""
    with open_store(adapter) as store:
        return _without_groups(_load_nodes(store, run.graph_id))


def load_nodes_by_id(adapter: UnifiedSqlAdapter, run: RunMetadata, ids: Iterable[str]) -> list[NodeMetadata]:
    """Return the nodes *ids* of *run*, sorted by unique id; unknown ids are skipped."""
    with open_store(adapter) as store:
        return nodes_by_id(store, run, ids)


def nodes_by_id(store: StoreSession, run: RunMetadata, ids: Iterable[str]) -> list[NodeMetadata]:
    """Return the result of `load_nodes_by_id` from an open store."""
    binds = {"graph_id": run.graph_id, "ids": "\n".join(ids)}
    edges = store.query("named_parents_by_id", **binds)
    nodes = _described(store, binds, [edge[:-1] for edge in edges])
    # Code reads itself and parents. The relations of all nodes would take longer than the nodes themselves.
    known = {edge[1]: edge[-1] for edge in edges} | {node.unique_id: node.relation_name for node in nodes}
    named = sorted({one for node in nodes for one in token_ids(node.compiled_code or "")} - known.keys())
    more = store.query("relations_by_id", graph_id=run.graph_id, ids="\n".join(named)) if named else []
    relations = {str(one): str(relation) for one, relation in (*known.items(), *more) if relation}
    return _in_order(with_relations(node, relations) for node in nodes)


def described_nodes(
    store: StoreSession,
    run: RunMetadata,
    ids: Iterable[str],
    *,
    edges: Iterable[tuple[Any, ...]] | None = None,
) -> list[NodeMetadata]:
    """Return the nodes *ids* of *run* with tokens for relations in compiled code.

    *edges* are rows of `edges` with their parents; by default, these are read.
    """
    binds = {"graph_id": run.graph_id, "ids": "\n".join(ids)}
    return _described(store, binds, store.query("parents_by_id", **binds) if edges is None else edges)


def _described(
    store: StoreSession, binds: Mapping[str, object], edges: Iterable[tuple[Any, ...]]
) -> list[NodeMetadata]:
    objects, parents = Objects(), group_parents(edges)
    return _in_order(node_of(row, parents, None, objects) for row in store.query("nodes_by_id", **binds))


def with_relations(node: NodeMetadata, relations: Mapping[str, str]) -> NodeMetadata:
    """Return *node* with *relations* in place of their tokens in compiled code."""
    code = node.compiled_code
    return replace(node, compiled_code=resolve(code, relations)) if code else node


def load_narrow_nodes(adapter: UnifiedSqlAdapter, run: RunMetadata) -> list[NodeMetadata]:
    """Return all nodes of *run* with the fields needed to name, draw and select them.

    Only name, resource type, package, path, fqn, relation name, materialization, tags, access, group,
    version, source name and macros are set.
    """
    with open_store(adapter) as store:
        return narrow_nodes(store, run)


def narrow_nodes(store: StoreSession, run: RunMetadata) -> list[NodeMetadata]:
    """Return the result of `load_narrow_nodes` from an open store."""
    found = map(narrow_node_of, store.query("narrow_nodes", graph_id=run.graph_id))
    return _without_groups(_in_order(found))


def load_tests_of(adapter: UnifiedSqlAdapter, run: RunMetadata, ids: Iterable[str]) -> list[NodeMetadata]:
    """Return the tests of *run* on the nodes *ids*, with all fields, sorted by unique id."""
    with open_store(adapter) as store:
        readers = store.query("children_by_id", graph_id=run.graph_id, ids="\n".join(ids))
    tests = {str(unique_id) for unique_id, _ in readers if str(unique_id).startswith("test.")}
    return load_nodes_by_id(adapter, run, sorted(tests)) if tests else []


def load_names(adapter: UnifiedSqlAdapter, run: RunMetadata, ids: Iterable[str]) -> list[NodeMetadata]:
    """Return the nodes *ids* of *run*; only name, resource type and version are set."""
    with open_store(adapter) as store:
        found = store.query("names", graph_id=run.graph_id, ids="\n".join(ids))
    return _in_order(map(label_node_of, found))


def load_code(
    adapter: UnifiedSqlAdapter,
    run: RunMetadata,
    field: Literal["raw_code", "compiled_code"],
    ids: Iterable[str],
) -> dict[str, str | None]:
    """Return the code of the nodes *ids* of *run*; compiled code is in its stored form."""
    with open_store(adapter) as store:
        found = store.query(f"{field}_by_id", graph_id=run.graph_id, ids="\n".join(ids))
    return {str(unique_id): code if code is None else str(code) for unique_id, code in found}


def load_hooked(adapter: UnifiedSqlAdapter, run: RunMetadata, word: str) -> list[str]:
    """Return nodes with *word* that may call macros that dbt does not detect: in hooks, in branches."""
    with open_store(adapter) as store:
        return names_of(store.query("hooked", graph_id=run.graph_id, word=f"%{word}%"))


def count_nodes(adapter: UnifiedSqlAdapter, run: RunMetadata) -> dict[str, int]:
    """Return the number of nodes of *run* by resource type."""
    with open_store(adapter) as store:
        return {str(kind): int(str(n)) for kind, n in store.query("node_counts", graph_id=run.graph_id)}


def load_edges(adapter: UnifiedSqlAdapter, run: RunMetadata) -> list[LineageEdge]:
    """Return all edges of *run*, sorted."""
    with open_store(adapter) as store:
        return sorted(node_edges(store, run))


def load_parents(
    adapter: UnifiedSqlAdapter, run: RunMetadata, *, ids: Iterable[str] | None = None
) -> dict[str, dict[str, EdgeOrigin | None]]:
    """Return the parents of each node of *run* with the origin of each edge; None if not recorded.

    If *ids* is given, return only the parents of these nodes.
    """
    with open_store(adapter) as store:
        if ids is None:
            rows = store.query("edges", graph_id=run.graph_id)
        else:
            rows = store.query("parents_by_id", graph_id=run.graph_id, ids="\n".join(ids))
    return parents_in(run, rows)


def parents_in(run: RunMetadata, rows: Iterable[tuple[Any, ...]]) -> dict[str, dict[str, EdgeOrigin | None]]:
    """Return the parents of each node of *run* with the origin of each edge, from *rows* of its edges."""
    found = group_parents(rows)
    if run.extractor != DBT:
        return found
    return {node: {**reference_origins(parents), **_recorded(parents)} for node, parents in found.items()}


def _recorded(parents: Mapping[str, EdgeOrigin | None]) -> dict[str, EdgeOrigin]:
    return {parent: origin for parent, origin in parents.items() if origin is not None}


def load_differences(
    adapter: UnifiedSqlAdapter, base: RunMetadata, current: RunMetadata
) -> tuple[list[NodeMetadata], list[NodeMetadata]]:
    """Return the nodes and groups of each side that are missing or different on the other side.

    A different version, database or schema counts as different. The comparison runs in the warehouse. Code
    that is identical on both sides is not fetched: `raw_code` or `compiled_code` is then None on both sides,
    but `code_hash` is set. Compiled code is in its stored form.
    """
    if base.graph_id == current.graph_id:
        return [], []
    binds = {"graph_id": base.graph_id, "other_graph_id": current.graph_id}
    with open_store(adapter) as store:
        edges, rows = store.query("differing_parents", **binds), store.query("differing_nodes", **binds)
    objects = Objects()

    def of(run: RunMetadata) -> list[NodeMetadata]:
        parents = group_parents(edge[1:] for edge in edges if edge[0] == run.graph_id)
        found = (row[1:] for row in rows if row[0] == run.graph_id)
        return _in_order(node_of(row, parents, None, objects) for row in found)

    return of(base), of(current)


def load_macros(adapter: UnifiedSqlAdapter, run: RunMetadata) -> list[MacroMetadata]:
    """Return the macros of *run*, sorted by unique id."""
    with open_store(adapter) as store:
        return macros_of(store, run)


def load_results(adapter: UnifiedSqlAdapter, run: RunMetadata) -> list[NodeResult]:
    """Return dbt's results of *run*, sorted by unique id."""
    with open_store(adapter) as store:
        return _in_order(map(result_of, store.query("results", run_id=run.run_id)))


def _load_nodes(store: StoreSession, graph_id: str | None) -> list[NodeMetadata]:
    """Return all nodes of a graph with their parents and with tokens resolved."""
    relations: dict[str, Any] = dict(store.query("relations", graph_id=graph_id))  # type: ignore[arg-type]
    by_node = group_parents(store.query("edges", graph_id=graph_id))
    objects = Objects()
    found = store.query("nodes", graph_id=graph_id)
    return _in_order(node_of(row, by_node, relations, objects) for row in found)


def macros_of(store: StoreSession, run: RunMetadata) -> list[MacroMetadata]:
    """Return the result of `load_macros` from an open store."""
    return _in_order(map(macro_of, store.query("macros", macro_set_id=run.macro_set_id)))


def macros_by_id(store: StoreSession, *runs: RunMetadata | None) -> list[dict[str, MacroMetadata]]:
    """Return the macros of each of *runs* by unique id; those that several runs share are read once."""
    read = {
        run.macro_set_id: {macro.unique_id: macro for macro in macros_of(store, run)}
        for run in {run.macro_set_id: run for run in runs if run is not None}.values()
    }
    return [{} if run is None else read[run.macro_set_id] for run in runs]


def _without_groups(nodes: Iterable[NodeMetadata]) -> list[NodeMetadata]:
    return [node for node in nodes if node.resource_type not in UNLISTED]


def _in_order(values: Iterable[Named]) -> list[Named]:
    """Sort by unique id; databases cannot do it because their collations differ."""
    by_id: Callable[[Named], str] = attrgetter("unique_id")
    return sorted(values, key=by_id)


def node_edges(store: StoreSession, run: RunMetadata) -> list[LineageEdge]:
    """Return all edges of *run*, unordered."""
    return edges_in(store.query("edges", graph_id=run.graph_id))


def edges_in(rows: Iterable[tuple[object, ...]]) -> list[LineageEdge]:
    """Return the edges in *rows* of a graph's edges, unordered."""
    # Each row has copies of its ids, which are a large part of the memory of a large graph.
    ids: dict[str, str] = {}
    return [LineageEdge(*(ids.setdefault(one, one) for one in map(str, row[:2]))) for row in rows]
