"""Reads runs back as they were extracted, and what two runs differ in without reading the rest.

Every function opens one transaction. Where a function returns compiled code *in its stored form*, the
relations in it are tokens (`recce_meta.models.tokens`), so that two environments compare equal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import Any, Literal, TypeVar

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.models import (
    EdgeOrigin,
    LineageEdge,
    MacroMetadata,
    NodeMetadata,
    NodeResult,
    Project,
    RunMetadata,
)
from recce_meta.models.node import referred
from recce_meta.models.run import COMPLETE
from recce_meta.store import rows
from recce_meta.store.edges import DBT
from recce_meta.store.facts import read_facts
from recce_meta.store.files import DEFAULT_SCHEMA
from recce_meta.store.migrate import StoreSession, open_store

GROUP = "group"
"""The resource type of groups, which are stored as nodes and kept out of their lists."""

RUN_FILTERS = (
    "run_id", "run_id_prefix", "project", "environment", "branch", "sha_prefix", "extractor", "before",
    "status",
)  # fmt: skip

Named = TypeVar("Named", NodeMetadata, MacroMetadata, NodeResult)


def find_runs(store: StoreSession, **filters: object) -> list[RunMetadata]:
    """Return runs, newest first: *filters* are the binds of `sql/queries/runs.sql`.

    A filter that is not given is None. Failed runs are left out unless `status=None` is given.
    """
    every: dict[str, object] = {**dict.fromkeys(RUN_FILTERS), "status": COMPLETE}
    return [rows.run_of(row) for row in store.query("runs", **{**every, "most": 2**31, **filters})]


def run_by_id(store: StoreSession, run_id: str) -> RunMetadata | None:
    """The run of that very id."""
    found = find_runs(store, run_id=run_id, status=None)
    return found[0] if found else None


def list_runs(
    adapter: UnifiedSqlAdapter,
    *,
    project: str | None = None,
    environment: str | None = None,
    extractor: str | None = None,
    status: str | None = COMPLETE,
    limit: int | None = None,
    schema: str = DEFAULT_SCHEMA,
) -> list[RunMetadata]:
    """Return the recorded runs, newest first; of all projects, environments and extractors by default.

    Failed scans are listed only with *status* `failed` or None.
    """
    with open_store(adapter, schema) as store:
        most = 2**31 if limit is None else limit
        named = {"project": project, "environment": environment, "extractor": extractor, "status": status}
        return find_runs(store, **named, most=most)


def load_project(store: StoreSession, run: RunMetadata) -> Project:
    """Everything that was recorded with *run*."""
    nodes = _load_nodes(store, "nodes", "edges", graph_id=run.graph_id)
    return Project(
        run=run,
        nodes=tuple(node for node in nodes if node.resource_type != GROUP),
        groups=tuple(node for node in nodes if node.resource_type == GROUP),
        macros=tuple(_macros(store, run)),
        results=tuple(_in_order(map(rows.result_of, store.query("results", run_id=run.run_id)))),
        facts=read_facts(store, run.run_id),
    )


def load_nodes(
    adapter: UnifiedSqlAdapter, run: RunMetadata, *, schema: str = DEFAULT_SCHEMA
) -> list[NodeMetadata]:
    """Every node of *run*, by unique id."""
    with open_store(adapter, schema) as store:
        return _without_groups(_load_nodes(store, "nodes", "edges", graph_id=run.graph_id))


def load_nodes_by_id(
    adapter: UnifiedSqlAdapter, run: RunMetadata, ids: Iterable[str], *, schema: str = DEFAULT_SCHEMA
) -> list[NodeMetadata]:
    """Those nodes of *run* that *ids* name, by unique id; an id that the run lacks is passed over."""
    wanted = "\n".join(ids)
    with open_store(adapter, schema) as store:
        return _load_nodes(store, "nodes_by_id", "parents_by_id", graph_id=run.graph_id, ids=wanted)


def load_narrow_nodes(
    adapter: UnifiedSqlAdapter, run: RunMetadata, *, schema: str = DEFAULT_SCHEMA
) -> list[NodeMetadata]:
    """Every node of *run* with what names, draws and selects it.

    Filled are name, resource type, package, path, fqn, relation name, materialization, tags, access,
    group, version, source name and macros; all else is as if it were empty.
    """
    with open_store(adapter, schema) as store:
        found = map(rows.narrow_node_of, store.query("narrow_nodes", graph_id=run.graph_id))
        return _without_groups(_in_order(found))


def load_tests_of(
    adapter: UnifiedSqlAdapter, run: RunMetadata, ids: Iterable[str], *, schema: str = DEFAULT_SCHEMA
) -> list[NodeMetadata]:
    """The tests of *run* that read one of the nodes that *ids* name, whole, by unique id."""
    with open_store(adapter, schema) as store:
        readers = store.query("children_by_id", graph_id=run.graph_id, ids="\n".join(ids))
    tests = {str(unique_id) for unique_id, _ in readers if str(unique_id).startswith("test.")}
    return load_nodes_by_id(adapter, run, sorted(tests), schema=schema) if tests else []


def load_names(
    adapter: UnifiedSqlAdapter, run: RunMetadata, ids: Iterable[str], *, schema: str = DEFAULT_SCHEMA
) -> list[NodeMetadata]:
    """Those nodes of *run* that *ids* name, with name, resource type and version alone."""
    with open_store(adapter, schema) as store:
        found = store.query("names", graph_id=run.graph_id, ids="\n".join(ids))
    return _in_order(map(rows.named_node_of, found))


def load_code(
    adapter: UnifiedSqlAdapter,
    run: RunMetadata,
    field: Literal["raw_code", "compiled_code"],
    ids: Iterable[str],
    *,
    schema: str = DEFAULT_SCHEMA,
) -> dict[str, str | None]:
    """The code of those nodes of *run* that *ids* name; compiled code is in its stored form."""
    with open_store(adapter, schema) as store:
        found = store.query(f"{field}_by_id", graph_id=run.graph_id, ids="\n".join(ids))
    return {str(unique_id): code if code is None else str(code) for unique_id, code in found}


def load_hooked(adapter: UnifiedSqlAdapter, run: RunMetadata, *, schema: str = DEFAULT_SCHEMA) -> list[str]:
    """Unique ids of the nodes of *run* that may call macros without dbt's knowing: in hooks, in branches."""
    with open_store(adapter, schema) as store:
        return rows.names_of(store.query("hooked", graph_id=run.graph_id))


def load_unseen_seeds(
    adapter: UnifiedSqlAdapter, run: RunMetadata, *, schema: str = DEFAULT_SCHEMA
) -> list[str]:
    """Unique ids of the seeds of *run* that neither dbt nor the recorder looked into."""
    with open_store(adapter, schema) as store:
        return rows.names_of(store.query("unseen_seeds", graph_id=run.graph_id))


def count_nodes(
    adapter: UnifiedSqlAdapter, run: RunMetadata, *, schema: str = DEFAULT_SCHEMA
) -> dict[str, int]:
    """How many nodes of each resource type *run* has."""
    with open_store(adapter, schema) as store:
        return {str(kind): int(str(n)) for kind, n in store.query("node_counts", graph_id=run.graph_id)}


def load_edges(
    adapter: UnifiedSqlAdapter, run: RunMetadata, *, schema: str = DEFAULT_SCHEMA
) -> list[LineageEdge]:
    """Every edge of *run*, sorted."""
    with open_store(adapter, schema) as store:
        return sorted(_edge(row) for row in store.query("edges", graph_id=run.graph_id))


def load_parents(
    adapter: UnifiedSqlAdapter, run: RunMetadata, *, schema: str = DEFAULT_SCHEMA
) -> dict[str, dict[str, EdgeOrigin | None]]:
    """Return the parents of each node of *run*, with how each edge is known; None if not recorded."""
    with open_store(adapter, schema) as store:
        found = rows.grouped(store.query("edges", graph_id=run.graph_id))
    if run.extractor != DBT:
        return found
    return {node: {**referred(parents), **_recorded(parents)} for node, parents in found.items()}


def _recorded(parents: Mapping[str, EdgeOrigin | None]) -> dict[str, EdgeOrigin]:
    return {parent: origin for parent, origin in parents.items() if origin is not None}


def load_differences(
    adapter: UnifiedSqlAdapter, base: RunMetadata, current: RunMetadata, *, schema: str = DEFAULT_SCHEMA
) -> tuple[list[NodeMetadata], list[NodeMetadata]]:
    """The nodes, groups among them, of each side that the other lacks, or has in another version or place.

    They are compared in the warehouse. Code that is equal to the byte on both sides is not fetched:
    `raw_code`, or `compiled_code`, is then None on both, while `code_hash` is kept. Compiled code is in
    its stored form.
    """
    with open_store(adapter, schema) as store:
        return _differing(store, base, current), _differing(store, current, base)


def load_macros(
    adapter: UnifiedSqlAdapter,
    run: RunMetadata,
    *,
    schema: str = DEFAULT_SCHEMA,
) -> list[MacroMetadata]:
    """The macros of *run*, by unique id."""
    with open_store(adapter, schema) as store:
        return _macros(store, run)


def load_results(
    adapter: UnifiedSqlAdapter, run: RunMetadata, *, schema: str = DEFAULT_SCHEMA
) -> list[NodeResult]:
    """What dbt did with each node of *run*, by unique id."""
    with open_store(adapter, schema) as store:
        return _in_order(map(rows.result_of, store.query("results", run_id=run.run_id)))


def _load_nodes(store: StoreSession, nodes: str, parents: str, **binds: object) -> list[NodeMetadata]:
    """The nodes that the query *nodes* gives, whole: parents put in, tokens resolved."""
    relations: dict[str, Any] = dict(store.query("relations", graph_id=binds["graph_id"]))  # type: ignore[arg-type]
    by_node = rows.grouped(store.query(parents, **binds))
    objects = rows.Objects()
    return _in_order(rows.node_of(row, by_node, relations, objects) for row in store.query(nodes, **binds))


def _differing(store: StoreSession, run: RunMetadata, other: RunMetadata) -> list[NodeMetadata]:
    if run.graph_id == other.graph_id:
        return []
    binds = {"graph_id": run.graph_id, "other_graph_id": other.graph_id}
    by_node = rows.grouped(store.query("differing_parents", **binds))
    objects = rows.Objects()
    found = store.query("differing_nodes", **binds)
    return _in_order(rows.node_of(row, by_node, None, objects) for row in found)


def _macros(store: StoreSession, run: RunMetadata) -> list[MacroMetadata]:
    return _in_order(map(rows.macro_of, store.query("macros", macro_set_id=run.macro_set_id)))


def _without_groups(nodes: Iterable[NodeMetadata]) -> list[NodeMetadata]:
    return [node for node in nodes if node.resource_type != GROUP]


def _in_order(values: Iterable[Named]) -> list[Named]:
    """Sorted here, because databases order text by their own collations."""
    by_id: Callable[[Named], str] = attrgetter("unique_id")
    return sorted(values, key=by_id)


def _edge(row: tuple[Any, ...]) -> LineageEdge:
    return LineageEdge(row[0], row[1])
