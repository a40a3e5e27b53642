"""Partial runs: what an invocation of dbt did not compile or did not build.

`dbt test` and `dbt run -s one_model` write a manifest in which most nodes have no SQL. It is taken from a run
that compiled the same node (`recce_meta.diff.same_sql`): of the same environment, else of another one if the
code does not read its environment. The stored run stays what dbt wrote; its column lineage, and the effects
of its changes, follow from the SQL that is found here. If no run compiled a node, our renderer writes its
SQL. It is proven if the template calls only `ref`, `source` and `config`; else it is assumed, and gives
column lineage only.

A node is stale if it holds data of an earlier build: its build failed or was skipped, its code or that of an
ancestor changed since its last build, or it was built from a node that was stale then. If builds of the
target are recorded, a node that none of them built is stale as well. For the views of last results and row
counts, the nodes with other code than in the run that measured them last are stored, by pairs of codes (graph
and macros): derived data.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.diff.project_side import ProjectSide
from recce_meta.diff.same_sql import Dependence, SqlInputs, target_of
from recce_meta.errors import StoreNotFound, TemplateError
from recce_meta.graph import (
    LineageGraph,
    build_lineage_graph,
    is_ephemeral,
    parents_first,
    reachable,
)
from recce_meta.lazy import LazyModule
from recce_meta.models import LineageEdge, NodeMetadata, NodeResult, Project, RunMetadata
from recce_meta.models.node_types import WITH_QUERY
from recce_meta.models.relation_tokens import RelationIndex, resolve, tokenise
from recce_meta.models.run import BASE, CLONE, DBT, DEFER, OF_WORKSPACE, PART, is_build
from recce_meta.store import read
from recce_meta.store.session import StoreSession, open_store

if TYPE_CHECKING:
    from recce_meta import render
    from recce_meta.diff import unseen_values
else:
    # Most runs need no templates.
    render = LazyModule("recce_meta.render")
    unseen_values = LazyModule("recce_meta.diff.unseen_values")

WITH_SQL = WITH_QUERY | {"test"}
"""Resource types whose compiled SQL is analysed."""
GRAPHS_READ = 16
"""Most graphs from which nodes are read: each costs a few queries."""
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
    run_id: str | None
    """Run that compiled it; None if our renderer wrote it."""
    is_assumed: bool
    """True if it cannot be proven that dbt would compile the same SQL now."""


def lacks_sql(node: NodeMetadata) -> bool:
    """Return True if dbt compiles *node* but did not compile it in this run."""
    return node.compiled_code is None and node.resource_type in WITH_SQL and node.language != "python"


def is_compiled(project: Project) -> bool:
    """Return True if *project* has the SQL of all nodes that dbt compiles, or if dbt did not write it."""
    return project.run.extractor != DBT or not any(map(lacks_sql, project.nodes))


def kept_sql(store: StoreSession, side: ProjectSide, nodes: Iterable[NodeMetadata]) -> dict[str, KeptSql]:
    """Return the SQL of *nodes* of *side* from other runs of its project, by unique id.

    SQL that no run has compiled is rendered if it follows from the artifacts alone.
    The side has the parents of *nodes*, and the ephemeral ancestors with their parents.
    """
    missing = {node.unique_id: node for node in nodes if lacks_sql(node)}
    found = _of_other_runs(store, side, missing)
    return {**found, **_plain_sql(side, [node for key, node in missing.items() if key not in found])}


def _of_other_runs(
    store: StoreSession, side: ProjectSide, missing: Mapping[str, NodeMetadata]
) -> dict[str, KeptSql]:
    run = side.run
    if run is None or run.extractor != DBT or not missing:
        return {}
    found: dict[str, KeptSql] = {}
    refuted: set[str] = set()
    own = SqlInputs(side)
    for donor, wanted in _wanted(store, run, side, missing, found):
        wanted -= refuted
        for unique_id, kept in _from_run(store, donor, run, side, own, missing, wanted).items():
            known = found.get(unique_id)
            # Proven SQL is better than assumed SQL of a newer run. Two texts of one code refute the proof.
            if known is None or (known.is_assumed and not kept.is_assumed):
                found[unique_id] = kept
            elif not (known.is_assumed or kept.is_assumed) and known.code != kept.code:
                found[unique_id] = replace(known, is_assumed=True)
                refuted.add(unique_id)
    return found


def _wanted(
    store: StoreSession,
    run: RunMetadata,
    side: ProjectSide,
    missing: Mapping[str, NodeMetadata],
    found: Mapping[str, KeptSql],
) -> Iterator[tuple[RunMetadata, set[str]]]:
    """Yield runs with the nodes to read from each; *found* has what was found in those before.

    Two queries list the compiled nodes of all runs: the second one of the nodes that no near run compiled.
    """
    donors = list(_donors(store, run))
    tried: set[tuple[object, ...]] = set()
    read_graphs = 0
    for some in (donors[:GRAPHS_READ], donors[GRAPHS_READ:]):
        codes = [
            f"{key} {node.code_hash}"
            for key, node in missing.items()
            if node.code_hash and (key not in found or found[key].is_assumed)
        ]
        if not (some and codes):
            return
        versions: dict[str, list[tuple[str, str]]] = {}
        graph_ids = "\n".join(donor.graph_id or "" for donor in some)
        for graph_id, *place in store.query("compiled_nodes", graph_ids=graph_ids, codes="\n".join(codes)):
            versions.setdefault(str(graph_id), []).append((str(place[0]), str(place[1])))
        for donor in some:
            wanted = set()
            for unique_id, version_id in versions.get(donor.graph_id or "", ()):
                # One version has one text, from equal inputs unless its ephemeral ancestors differ.
                is_alone = not _ephemeral_above([unique_id], side.nodes)
                same = donor.macro_set_id, donor.dbt_version, donor.environment, target_of(donor)
                trial = (version_id, *same, is_alone or donor.graph_id)
                if trial not in tried:
                    tried.add(trial)
                    wanted.add(unique_id)
            if wanted and read_graphs < GRAPHS_READ:
                read_graphs += 1
                yield donor, wanted


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
            yield other


def _from_run(
    store: StoreSession,
    donor: RunMetadata,
    run: RunMetadata,
    side: ProjectSide,
    own: SqlInputs,
    missing: Mapping[str, NodeMetadata],
    wanted: Collection[str],
) -> dict[str, KeptSql]:
    """Return the SQL of the nodes *wanted* of *missing* that *donor* compiled from the same code."""
    if not wanted:
        return {}
    ids = {*wanted, *_ephemeral_above(wanted, side.nodes)}
    theirs = {node.unique_id: node for node in read.described_nodes(store, donor, sorted(ids))}
    is_shared = donor.macro_set_id == run.macro_set_id
    macros = side.macros if is_shared else read.macros_by_id(store, donor)[0]
    inputs = SqlInputs(ProjectSide(theirs, macros, donor, tokenised=True))
    same_target = target_of(donor) == target_of(run) and donor.environment == run.environment
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
                depends is not Dependence.TARGET or run.target_name is None
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


def with_kept_sql(adapter: UnifiedSqlAdapter, project: Project) -> tuple[Project, Collection[str]]:
    """Return *project* with SQL for nodes that dbt did not compile, and the nodes whose SQL is assumed."""
    missing = {node.unique_id: node for node in project.nodes if lacks_sql(node)}
    side = ProjectSide.of(project)
    try:
        with open_store(adapter) as store:
            kept = _of_other_runs(store, side, missing)
    except StoreNotFound:
        kept = {}
    # Templates and the analysis take seconds, in which DuckDB would keep the file locked.
    adapter.release_file()
    kept |= _plain_sql(side, [node for key, node in missing.items() if key not in kept])
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


def _plain_sql(side: ProjectSide, nodes: Sequence[NodeMetadata]) -> dict[str, KeptSql]:
    """Return the SQL of *nodes* of *side* that our renderer writes as dbt would, in its stored form."""
    run = side.run
    if run is None or run.extractor != DBT or not nodes:
        return {}
    inputs, relations = SqlInputs(side), RelationIndex(side.nodes)
    plain = [node for node in nodes if inputs.is_plain(node)]
    if not plain:
        return {}
    renderer = render.SimpleTemplateRenderer(
        None, side.nodes, macros=side.macros.values(), run=run, infer_variables=False
    )
    found: dict[str, KeptSql] = {}
    end = monotonic() + SECONDS_OF_RENDERING
    for node in plain:
        if monotonic() > end:
            break
        with suppress(TemplateError):
            code = tokenise(renderer.render_node(node.unique_id), relations.relations_of(node))
            # dbt lists the parents that it found when it parsed the same template.
            if renderer.parents == frozenset(node.parents) and inputs.may_stand(code, node):
                found[node.unique_id] = KeptSql(code=code, run_id=None, is_assumed=False)
    return found


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
    relations: dict[str, str] = {}
    for node in nodes:
        sql = kept.get(node.unique_id)
        if sql is not None and not relations:
            relations = {key: one.relation_name for key, one in related.items() if one.relation_name}
        yield node if sql is None else replace(node, compiled_code=resolve(sql.code, relations))


STORING = frozenset(["incremental", "seed", "snapshot", "table"])
"""Materializations whose rows stay as they are until the next build of the node."""
NOT_BUILT = {
    "error": "its build failed",
    "runtime error": "its build failed",
    "fail": "its build failed",
    "partial success": "its build failed in part",
    "skipped": "it was skipped in the build",
}
"""Reason why a node is stale, by dbt's status."""
UNRECORDED = "no recorded run of its target built it"
"""Reason why a node is stale if builds of the target are recorded."""
_BUILT = ("model.", "seed.", "snapshot.")
LIVE = frozenset(["view", "ephemeral"])
"""Materializations without data of their own."""
FAVOR_STATE = "--favor-state"
"""Option of dbt with which it defers nodes that exist in the target, too."""
BUILDS_READ = 8
"""Most earlier graphs, the newest first, that are compared with a run to find what was not built since."""


def failure_reasons(results: Iterable[NodeResult]) -> dict[str, str]:
    """Return the reason for each node with a failed or skipped build, by unique id."""
    return {
        result.unique_id: NOT_BUILT[result.status.lower()]
        for result in results
        if result.unique_id.startswith(_BUILT) and result.status.lower() in NOT_BUILT
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


class Build(NamedTuple):
    """Last build or other measurement of a node."""

    graph_id: str
    macro_set_id: str
    at: datetime
    command: str
    run_id: str = ""

    @classmethod
    def of(
        cls, graph_id: object, macro_set_id: object, at: object, command: object, run_id: object = ""
    ) -> Build:
        """Return the build by a run with these values in the store."""
        return cls(str(graph_id), str(macro_set_id), _moment(at), str(command or ""), str(run_id))

    @property
    def code(self) -> tuple[str, str]:
        """Return the ids of everything that the build followed from."""
        return self.graph_id, self.macro_set_id


def not_built_since(
    store: StoreSession, run: RunMetadata, nodes: Mapping[str, NodeMetadata], edges: Iterable[LineageEdge]
) -> dict[str, str]:
    """Return the reason for each node of *run* whose data does not follow from the code of the run.

    Nothing is known of a target without a recorded build.
    """
    if run.extractor != DBT:
        return {}
    builds = {
        str(unique_id): Build.of(*build)
        for unique_id, *build in store.query("last_builds", run_id=run.run_id)
        if unique_id in nodes
    }
    if not (builds or is_build(run)):
        return {}
    parents = parents_of(nodes, edges)
    before = _builds_before(store, run, nodes, parents, builds)
    earlier = [build for sources in before.values() for build in sources.values() if build]
    deferred = _deferred_to(store, run, builds.values())
    changes = CodeChanges(store, run, [*builds.values(), *earlier, *deferred.values()], nodes)
    sources = _Sources(changes, nodes, parents, builds, before, deferred)
    return not_in_builds(nodes, parents, builds, sources.reason)


def _deferred_to(store: StoreSession, run: RunMetadata, builds: Iterable[Build]) -> dict[str, Build]:
    """Return the last build of base before each of *builds* that deferred to it, by the run of the latter."""
    deferring = {build.run_id: build.at for build in builds if DEFER in build.command.split()}
    if not deferring or run.environment == BASE:
        return {}
    listed = read.find_runs(
        store, project=run.project_name, environment=BASE, extractor=DBT, most=RUNS_LISTED
    )
    found = {}
    for run_id, at in deferring.items():
        base = next((one for one in listed if is_build(one) and one.counted_at <= at), None)
        if base is not None:
            found[run_id] = Build.of(
                base.graph_id, base.macro_set_id, base.counted_at, base.command, base.run_id
            )
    return found


def parents_of(nodes: Iterable[str], edges: Iterable[LineageEdge]) -> dict[str, list[str]]:
    parents: dict[str, list[str]] = {unique_id: [] for unique_id in nodes}
    for edge in edges:
        parents.setdefault(edge.node_id, []).append(edge.parent_id)
    return parents


def _builds_before(
    store: StoreSession,
    run: RunMetadata,
    nodes: Mapping[str, NodeMetadata],
    parents: Mapping[str, Sequence[str]],
    builds: Mapping[str, Build],
) -> dict[str, dict[str, Build | None]]:
    """Return what tables were built from, if it was built again since: by table, the builds then by node.

    None stands for a build that is not recorded, or no longer.
    """
    newest = max((build.at for build in builds.values()), default=None)
    asked = {
        (unique_id, origin, build.run_id)
        for unique_id, build in builds.items()
        if build.at != newest and nodes[unique_id].materialized not in LIVE
        for origin in _read_by(unique_id, nodes, parents)
        if origin in builds and builds[origin].at > build.at
    }
    if not asked:
        return {}
    ids = {f"{origin} {run_id}" for _, origin, run_id in asked}
    run_ids = {run_id for *_, run_id in asked}
    rows = store.query(
        "builds_before",
        run_id=run.run_id,
        builds="\n".join(sorted(ids)),
        run_ids="\n".join(sorted(run_ids)),
    )
    then = {(str(origin), str(run_id)): Build.of(*build) for origin, run_id, *build in rows}
    found: dict[str, dict[str, Build | None]] = {}
    for unique_id, origin, run_id in sorted(asked):
        found.setdefault(unique_id, {})[origin] = then.get((origin, run_id))
    return found


def _read_by(
    unique_id: str, nodes: Mapping[str, NodeMetadata], parents: Mapping[str, Sequence[str]]
) -> list[str]:
    """Return the nodes that the build of a table reads: its parents, and those of views among them."""
    found: dict[str, None] = {}
    waiting = list(parents[unique_id])
    while waiting:
        one = waiting.pop()
        if one in nodes and one not in found:
            found[one] = None
            waiting += parents[one] if nodes[one].materialized in LIVE else ()
    return sorted(found)


class _Origin(NamedTuple):
    """Why the data of a node does not follow from the code of the run."""

    at: datetime
    """Since when at the latest."""
    label: str
    """The node where it began."""
    reason: str


class _Sources:
    """Why nodes are stale, also because of what they were built from; asked for parents first."""

    def __init__(
        self,
        changes: CodeChanges,
        nodes: Mapping[str, NodeMetadata],
        parents: Mapping[str, Sequence[str]],
        builds: Mapping[str, Build],
        before: Mapping[str, Mapping[str, Build | None]],
        deferred: Mapping[str, Build],
    ) -> None:
        self._changes, self._nodes, self._parents = changes, nodes, parents
        self._builds, self._before, self._deferred = builds, before, deferred
        self._origins: dict[str, _Origin] = {}

    def reason(self, node: NodeMetadata) -> str | None:
        """Return why *node* is stale; of views, only what does not follow from their parents."""
        build = self._builds.get(node.unique_id)
        reason = self._changes.reason(node, build, self._nodes, self._parents)
        own = [_Origin(build.at, node.label, reason)] if build and reason else []
        above = [self._origins[one] for one in self._parents[node.unique_id] if one in self._origins]
        if node.materialized in LIVE:
            found = min([*own, *above], default=None)
        elif build is None:
            return reason
        else:
            read_then = [one for one in above if one.at <= build.at]
            found = min(own or read_then or self._then(node.unique_id, build), default=None)
            if found and not reason:
                since = f"built on {build.at:%Y-%m-%d %H:%M} UTC"
                reason = f"{since}, when {found.label} upstream was stale: {found.reason}"
                found = found._replace(at=build.at)
        # What was cloned, as what was deferred to, counts as the data of its source.
        if found and not (build and CLONE in build.command.split()):
            self._origins[node.unique_id] = found
        return reason

    def _then(self, unique_id: str, build: Build) -> Iterator[_Origin]:
        """Yield what was stale when *build* read it, and was built again since, or was that of base."""
        before = self._before.get(unique_id, {})
        base = self._deferred.get(build.run_id)
        if not before and base is None:
            return
        for source_id in _read_by(unique_id, self._nodes, self._parents):
            source, then = self._nodes[source_id], before.get(source_id)
            is_absent = source_id not in self._builds or (source_id in before and then is None)
            can_defer = source_id.startswith(_BUILT) and not source.is_ephemeral
            # dbt defers to base only what it does not build itself.
            is_own = any(
                one and one.run_id == build.run_id != "" for one in (self._builds.get(source_id), then)
            )
            if base and can_defer and (is_absent or (FAVOR_STATE in build.command.split() and not is_own)):
                above = {} if source.materialized in LIVE else self._parents
                if what := self._changes.since(base, source, self._nodes, above):
                    yield _Origin(build.at, source.label, f"{DEFER} took that of base, before {what}")
            elif source_id in before and then is None:
                yield _Origin(build.at, source.label, "its build before is not recorded")
            elif then and (reason := self._changes.reason(source, then, self._nodes, self._parents)):
                yield _Origin(then.at, source.label, reason)


def not_in_builds(
    nodes: Mapping[str, NodeMetadata],
    parents: Mapping[str, Sequence[str]],
    builds: Collection[str],
    changed: Callable[[NodeMetadata], str | None],
) -> dict[str, str]:
    """Return the reason for each of *nodes* without a build in *builds*, or for which *changed* gives one.

    *parents* are those of all nodes; *changed* is asked for parents first. A view is stale if a parent is.
    """
    found: dict[str, str] = {}
    for unique_id in parents_first(parents)[0]:
        if (node := nodes.get(unique_id)) is None:
            continue
        if unique_id.startswith(_BUILT) and not node.is_ephemeral and unique_id not in builds:
            found[unique_id] = UNRECORDED
        elif reason := changed(node):
            found[unique_id] = reason
        elif node.materialized in LIVE and (above := sorted(found.keys() & parents[unique_id])):
            found[unique_id] = f"{nodes[above[0]].label} upstream is stale: {found[above[0]]}"
    return {unique_id: reason for unique_id, reason in found.items() if not nodes[unique_id].is_ephemeral}


class CodeChanges:
    """Nodes with other code in a run than in each of the earlier graphs."""

    def __init__(
        self,
        store: StoreSession,
        run: RunMetadata,
        builds: Iterable[Build],
        nodes: Mapping[str, NodeMetadata],
    ) -> None:
        self._store, self._run = store, run
        self._own = run.graph_id, run.macro_set_id
        newest = sorted({build.code: build.at for build in builds}.items(), key=lambda one: one[1])
        earlier = [code for code, _ in reversed(newest) if code != self._own][:BUILDS_READ]
        self._side = ProjectSide(nodes, read.macros_by_id(store, run)[0], run)
        self._by_code: dict[tuple[str, str], frozenset[str]] = {}
        # Compiled in one of both runs.
        self._once: dict[tuple[str, str], frozenset[str]] = {}
        self._reads_more: dict[str, bool] = {}
        for graph_id, macro_set_id in earlier:
            ids = {"graph_id": run.graph_id, "other_graph_id": graph_id}
            rows = [(str(key), bool(is_certain)) for key, is_certain in store.query("changed_code", **ids)]
            found = {key for key, is_certain in rows if is_certain}
            if macro_set_id != run.macro_set_id:
                before = read.macros_of(store, replace(run, macro_set_id=macro_set_id))
                own = {(one.unique_id, one.macro_sql) for one in self._side.macros.values()}
                changed = {key for key, _ in own ^ {(one.unique_id, one.macro_sql) for one in before}}
                found |= {key for key, node in nodes.items() if self._side.closure(node.macros) & changed}
            self._by_code[graph_id, macro_set_id] = frozenset(found)
            self._once[graph_id, macro_set_id] = frozenset(key for key, _ in rows) - found

    def reason(
        self,
        node: NodeMetadata,
        build: Build | None,
        nodes: Mapping[str, NodeMetadata],
        parents: Mapping[str, Sequence[str]],
    ) -> str | None:
        """Return why *build* of *node* is not one of the run's code; None without a build."""
        if build is None:
            return None
        if not {CLONE, *PART}.isdisjoint(build.command.split()):
            return f"{build.command} built it on {build.at:%Y-%m-%d %H:%M} UTC"
        since = f"built on {build.at:%Y-%m-%d %H:%M} UTC"
        if build.code != self._own and self._by_code.get(build.code) is None:
            return f"{since}; whether its code changed since then is unknown"
        what = self.since(build, node, nodes, {} if node.materialized in LIVE else parents)
        return what and f"{since}, not since {what}"

    def outdated(self, build: Build, graph: LineageGraph) -> dict[str, bool] | None:
        """Return the nodes of *graph* whose code, or an ancestor's, has changed since *build*.

        The value is False if it may have changed (`may_have_changed`). None if this was not compared.
        """
        changed = self._by_code.get(build.code)
        if changed is None:
            return None
        may_have = graph.downstream(self._reading_more(self._once[build.code]))
        return dict.fromkeys(may_have, False) | dict.fromkeys(graph.downstream(changed), True)

    def may_have_changed(
        self, build: Build, node: NodeMetadata, parents: Mapping[str, Sequence[str]]
    ) -> str | None:
        """Return which SQL may have changed since *build*: that of *node*, or of an ancestor.

        Only one of both runs compiled it, and other variables may change it. Else None.
        """
        once = self._once.get(build.code, frozenset())
        found = self._reading_more(once.intersection(reachable([node.unique_id], parents)))
        if node.unique_id in found:
            return "its SQL may have changed"
        return f"SQL of {self._side.nodes[min(found)].label} may have changed" if found else None

    def _reading_more(self, ids: Collection[str]) -> set[str]:
        """Return those of *ids* whose SQL depends on variables or flags."""
        if missing := sorted(set(ids) - self._reads_more.keys()):
            described: dict[str, NodeMetadata] = {}
            waiting = missing
            while waiting:
                read_now = read.described_nodes(self._store, self._run, waiting)
                described |= {one.unique_id: one for one in read_now}
                above = {one for node in read_now for one in node.parents} - described.keys()
                waiting = sorted(one for one in above if is_ephemeral(one, self._side.nodes))
            inputs = SqlInputs(ProjectSide(described, self._side.macros, self._run, tokenised=True))
            self._reads_more |= {one: inputs.reads_more(described[one]) for one in missing}
        return {one for one in ids if self._reads_more[one]}

    def since(
        self,
        build: Build,
        node: NodeMetadata,
        nodes: Mapping[str, NodeMetadata],
        parents: Mapping[str, Sequence[str]],
    ) -> str | None:
        """Return what changed of *node* or its ancestors since *build*; None if nothing is known to."""
        if build.code == self._own:
            return None
        changed = self._by_code.get(build.code)
        if changed is None:
            return "its code may have changed"
        if node.unique_id in changed:
            return "its code changed"
        origin = _changed_above(node.unique_id, parents, changed)
        return origin and f"{nodes[origin].label if origin in nodes else origin} changed"


def _changed_above(
    unique_id: str, parents: Mapping[str, Sequence[str]], changed: Collection[str]
) -> str | None:
    """Return the nearest node of *changed* above *unique_id*."""
    waiting, seen = deque(sorted(parents.get(unique_id, ()))), {unique_id}
    while waiting:
        one = waiting.popleft()
        if one in changed:
            return one
        if one not in seen:
            seen.add(one)
            waiting.extend(sorted(parents.get(one, ())))
    return None


def outdated_nodes(
    store: StoreSession, run: RunMetadata, builds: Collection[Build]
) -> Iterator[tuple[Build, dict[str, bool]]]:
    """Yield each of *builds*, with the nodes of *run* whose code, or an ancestor's, has changed since.

    The value is False for nodes whose code may have changed.
    """
    nodes = {node.unique_id: node for node in read.narrow_nodes(store, run)}
    graph = build_lineage_graph([], read.node_edges(store, run))
    ordered = list(builds)
    for start in range(0, len(ordered), BUILDS_READ):
        some = ordered[start : start + BUILDS_READ]
        changes = CodeChanges(store, run, some, nodes)
        for build in some:
            if (found := changes.outdated(build, graph)) is not None:
                yield build, found


def stored_value_notes(
    adapter: UnifiedSqlAdapter, sides: Sequence[ProjectSide], changed: Iterable[str]
) -> list[str]:
    """Return the `unseen_value_notes` of two stored runs."""
    with open_store(adapter) as store:
        found = store.query("unseen_values", run_id=sides[1].run and sides[1].run.run_id)
        ids = sorted({*read.names_of(found)})
        runs = [side.run if ids else None for side in sides]
        known = [read.described_nodes(store, run, ids) if run else () for run in runs]
        # Two runs without a difference were compared without their macros.
        texts = [side.macros for side in sides]
        if not any(texts):
            texts = [*read.macros_by_id(store, *runs)]
    base, current = (
        ProjectSide({node.unique_id: node for node in nodes}, macros, side.run, True)
        for side, nodes, macros in zip(sides, known, texts, strict=True)
    )
    return list(unseen_values.unseen_value_notes(base, current, changed))


def _moment(value: object) -> datetime:
    found = read.in_utc(value)
    assert isinstance(found, datetime)
    return found
