"""Partial runs: what an invocation of dbt did not compile or did not build.

`dbt test` and `dbt run -s one_model` write a manifest in which most nodes have no SQL. It is taken from a run
that compiled the same node (`recce_meta.diff.same_sql`): of the same environment, else of another one if the
code does not read its environment. The stored run stays what dbt wrote; its column lineage, and the effects
of its changes, follow from the SQL that is found here. If no run compiled a node, our renderer writes SQL for
its column lineage, which is assumed.

A node is stale if it holds data of an earlier build because its build failed or was skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property, partial
from time import monotonic
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.diff.project_side import ProjectSide
from recce_meta.diff.same_sql import Dependence, SqlInputs
from recce_meta.errors import StoreNotFound, TemplateError
from recce_meta.lazy import LazyModule
from recce_meta.models import LineageEdge, MacroMetadata, NodeMetadata, NodeResult, Project, RunMetadata
from recce_meta.models.relation_tokens import resolve
from recce_meta.models.run import DBT, OF_WORKSPACE
from recce_meta.sql_lineage.project.columns import QUERIES
from recce_meta.store import read
from recce_meta.store.session import StoreSession, open_store

if TYPE_CHECKING:
    from recce_meta import render
else:
    # Most runs need no templates.
    render = LazyModule("recce_meta.render")

WITH_SQL = QUERIES | {"test"}
"""Resource types whose compiled SQL is analysed."""
GRAPHS_READ = 8
"""Most graphs that are searched in the same environment, and as many in others: each costs a few queries."""
SECONDS_OF_RENDERING = 10.0
"""Time for all templates of a run that no run compiled; the rest has no column lineage."""
COMPILING = frozenset(["build", "run", "test", "compile", "generate", "snapshot", "seed"])
"""Commands of dbt whose SQL is that of any other of them; `show` writes other text."""
RUNS_LISTED = 300
"""Most runs among which these graphs are looked for, the newest first."""


class KeptSql(Struct, frozen=True, kw_only=True):
    """SQL of a node from another run."""

    code: str
    """Compiled code in its stored form, with tokens for relations."""
    run_id: str
    """Run that compiled it."""
    is_assumed: bool
    """True if it cannot be proven that dbt would compile the same SQL now."""


class LazyMacros(Mapping[str, MacroMetadata]):
    """Macros of a run by unique id, read on first access: most comparisons do not need them."""

    def __init__(self, load: Callable[[], Iterable[MacroMetadata]]) -> None:
        self._load = load

    @cached_property
    def _found(self) -> dict[str, MacroMetadata]:
        return {macro.unique_id: macro for macro in self._load()}

    def __getitem__(self, unique_id: str) -> MacroMetadata:
        return self._found[unique_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


def lacks_sql(node: NodeMetadata) -> bool:
    """Return True if dbt compiles *node* but did not compile it in this run."""
    return node.compiled_code is None and node.resource_type in WITH_SQL and node.language != "python"


def is_compiled(project: Project) -> bool:
    """Return True if *project* has the SQL of all nodes that dbt compiles, or if dbt did not write it."""
    return project.run.extractor != DBT or not any(map(lacks_sql, project.nodes))


def kept_sql(store: StoreSession, side: ProjectSide, nodes: Iterable[NodeMetadata]) -> dict[str, KeptSql]:
    """Return the SQL of *nodes* of *side* from other runs of its project, by unique id.

    The side has the parents of *nodes*, and the ephemeral ancestors with their parents.
    """
    run = side.run
    missing = {node.unique_id: node for node in nodes if lacks_sql(node)}
    if run is None or run.extractor != DBT or not missing:
        return {}
    found: dict[str, KeptSql] = {}
    own = SqlInputs(side)
    for donor in _donors(store, run):
        for unique_id, kept in _from_run(store, donor, run, side, own, missing).items():
            known = found.get(unique_id)
            # Proven SQL is better than assumed SQL of a newer run. Two texts of one code refute the proof.
            if known is None or (known.is_assumed and not kept.is_assumed):
                found[unique_id] = kept
            elif not (known.is_assumed or kept.is_assumed) and known.code != kept.code:
                found[unique_id] = replace(known, is_assumed=True)
                del missing[unique_id]
    return found


def _donors(store: StoreSession, run: RunMetadata) -> Iterator[RunMetadata]:
    """Yield a run of each graph that may have the SQL of *run*, those of its environment first."""
    listed = read.find_runs(
        store, project=run.project_name, extractor=DBT, without=OF_WORKSPACE, most=RUNS_LISTED
    )
    for is_own in (True, False):
        seen = {run.graph_id}
        for other in listed:
            if (other.environment == run.environment) is not is_own or other.graph_id in seen:
                continue
            if other.adapter_type != run.adapter_type or other.run_id == run.run_id:
                continue
            # The SQL of a connected repository's run may be our renderer's.
            if other.command not in COMPILING or other.extraction is not None:
                continue
            seen.add(other.graph_id)
            if len(seen) > GRAPHS_READ + 1:
                break
            yield other


def _from_run(
    store: StoreSession,
    donor: RunMetadata,
    run: RunMetadata,
    side: ProjectSide,
    own: SqlInputs,
    missing: Mapping[str, NodeMetadata],
) -> dict[str, KeptSql]:
    """Return the SQL of *missing* that *donor* compiled from the same code."""
    compiled = {str(one) for (one,) in store.query("compiled_nodes", graph_id=donor.graph_id)}
    wanted = compiled & missing.keys()
    if not wanted:
        return {}
    ids = {*wanted, *_ephemeral_above(wanted, side.nodes)}
    theirs = {node.unique_id: node for node in read.described_nodes(store, donor, sorted(ids))}
    inputs = SqlInputs(
        ProjectSide(theirs, LazyMacros(partial(read.macros_of, store, donor)), donor, tokenised=True)
    )
    same_target = _target(donor) == _target(run) and donor.environment == run.environment
    found: dict[str, KeptSql] = {}
    for unique_id in sorted(wanted):
        node, other = missing[unique_id], theirs[unique_id]
        code = other.compiled_code
        if not code or not own.may_stand(code, node):
            continue
        what = own.of(node)
        if what is None or what != inputs.of(other):
            continue
        depends = own.dependence(node)
        if depends is Dependence.CODE or same_target:
            # Without the name of the target, two targets may share a schema.
            is_assumed = depends is not Dependence.CODE and (
                depends is Dependence.UNPROVABLE or run.target_name is None
            )
            found[unique_id] = KeptSql(code=code, run_id=donor.run_id, is_assumed=is_assumed)
    return found


def _ephemeral_above(ids: Iterable[str], nodes: Mapping[str, NodeMetadata]) -> set[str]:
    found: set[str] = set()
    waiting = list(ids)
    while waiting:
        for parent in nodes[waiting.pop()].parents:
            if parent in nodes and nodes[parent].is_ephemeral and parent not in found:
                found.add(parent)
                waiting.append(parent)
    return found


def _target(run: RunMetadata) -> tuple[object, ...]:
    return run.target_name, run.adapter_type, run.target_database, run.target_schema


def with_kept_sql(
    adapter: UnifiedSqlAdapter, project: Project, schema: str
) -> tuple[Project, Collection[str]]:
    """Return *project* with SQL for nodes that dbt did not compile, and the nodes whose SQL is assumed."""
    missing = [node for node in project.nodes if lacks_sql(node)]
    try:
        with open_store(adapter, schema) as store:
            kept = kept_sql(store, ProjectSide.of(project), missing)
    except StoreNotFound:
        kept = {}
    known = replace(
        project, nodes=tuple(filled(project.nodes, kept, {node.unique_id: node for node in project.nodes}))
    )
    rendered = _rendered(known)
    assumed = {unique_id for unique_id, sql in kept.items() if sql.is_assumed}
    nodes = [
        replace(node, compiled_code=rendered[node.unique_id]) if node.unique_id in rendered else node
        for node in known.nodes
    ]
    return replace(known, nodes=tuple(nodes)), assumed | rendered.keys()


def _rendered(project: Project) -> dict[str, str]:
    """Return the SQL that our renderer writes for nodes of *project* without SQL; without those that fail."""
    # The arguments of a generic test name its columns.
    missing = [node for node in project.nodes if lacks_sql(node) and "test_metadata" not in node.properties]
    if not missing:
        return {}
    # Values of `env_var` are never read, since the lineage is stored.
    renderer = render.SimpleTemplateRenderer(None, project.nodes, macros=project.macros, run=project.run)
    found: dict[str, str] = {}
    end = monotonic() + SECONDS_OF_RENDERING
    for node in missing:
        if monotonic() > end:
            break
        with suppress(TemplateError):
            found[node.unique_id] = renderer.render_node(node.unique_id)
    return found


def filled(
    nodes: Iterable[NodeMetadata], kept: Mapping[str, KeptSql], related: Mapping[str, NodeMetadata]
) -> Iterator[NodeMetadata]:
    """Yield *nodes* with the SQL of *kept*, in which relations are named as those of *related*."""
    relations = {key: node.relation_name for key, node in related.items() if node.relation_name}
    for node in nodes:
        sql = kept.get(node.unique_id)
        yield node if sql is None else replace(node, compiled_code=resolve(sql.code, relations))


_OWN = {
    "error": "its build failed",
    "runtime error": "its build failed",
    "fail": "its build failed",
    "partial success": "its build failed in part",
    "skipped": "it was skipped in the build",
}
"""Reason why a node is stale, by dbt's status."""
_BUILT = ("model.", "seed.", "snapshot.")


def failure_reasons(results: Iterable[NodeResult]) -> dict[str, str]:
    """Return the reason for each node with a failed or skipped build, by unique id."""
    return {
        result.unique_id: _OWN[result.status.lower()]
        for result in results
        if result.unique_id.startswith(_BUILT) and result.status.lower() in _OWN
    }


def stale_reasons(
    own: Mapping[str, str],
    results: Iterable[NodeResult],
    edges: Iterable[LineageEdge],
    names: Mapping[str, str],
) -> dict[str, str]:
    """Return *own*, plus a reason for each downstream node that the run did not build, such as a view.

    *names* are the names of nodes by unique id.
    """
    # What was built in spite of the failure upstream has data of this build.
    built = {result.unique_id for result in results} - own.keys()
    children: dict[str, list[str]] = {}
    for edge in edges:
        children.setdefault(edge.parent_id, []).append(edge.node_id)
    found = dict(own)
    for origin, reason in sorted(own.items()):
        upstream = f"{names.get(origin, origin)} upstream is stale: {reason}"
        for reader in _readers(origin, children, built):
            found.setdefault(reader, upstream)
    return found


def _readers(origin: str, children: Mapping[str, list[str]], built: Collection[str]) -> list[str]:
    """Return the nodes downstream of *origin*, stopping at nodes in *built*."""
    seen: dict[str, None] = {}
    pending = list(children.get(origin, ()))
    while pending:
        node = pending.pop()
        if node not in seen and node not in built:
            seen[node] = None
            pending += children.get(node, ())
    return list(seen)
