"""Notes on what two runs cannot compare: SQL that was not compiled, and variables that dbt reads later."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from recce_meta.diff.causes import Causes, causes_of
from recce_meta.diff.code import jinja_names, reads_only, variable_calls
from recce_meta.diff.macro_reach import reads_graph
from recce_meta.diff.project_side import MOST_NAMES, VARIABLES, ProjectSide
from recce_meta.diff.run_by_dbt import RunByDbt
from recce_meta.diff.same_sql import Dependence, SqlInputs, given_variables, target_of
from recce_meta.errors import first_of, plural
from recce_meta.models import NodeMetadata
from recce_meta.models.adapters import is_builtin
from recce_meta.models.run import DBT
from recce_meta.warehouses.hooks import hooks_and_macros, may_write

NOT_COMPILED = (
    "SQL of {} not compared: neither run compiled it, and no artifact has the values of its variables ({})"
)
IN_HOOKS = "Variables in hooks of {} not compared: no artifact has their values ({})"
IN_OTHER_BRANCH = (
    "Variables of {} not compared: a branch of is_incremental() that a run did not compile reads them, and "
    "no artifact has their values ({})"
)
IN_MATERIALIZATIONS = "Variables in materializations of {} not compared: no artifact has their values ({})"

WITHOUT_COLUMNS = (
    "{} was recorded without column lineage: more nodes than actually affected may be listed; "
    "record it again without --no-columns"
)

WITHOUT_REFERENCES = (
    "References not checked in {}: nodes that fail because of a removed or renamed column may be missing; "
    "record it again"
)
WITHOUT_BUILT_SOURCES = (
    "Readers of {} that nodes of the project build may be missing ({}): an older version recorded current; "
    "record it again"
)


def compiled_once(base: ProjectSide, current: ProjectSide) -> set[str]:
    """Return the nodes that have compiled SQL on one side, and only source on the other."""
    nodes = ((node, current.nodes.get(unique_id)) for unique_id, node in base.nodes.items())
    return {
        before.unique_id
        for before, after in nodes
        if after is not None
        and (before.compiled_code is None) is not (after.compiled_code is None)
        and before.language != "python"
    }


def uncompared_nodes(base: ProjectSide, current: ProjectSide, ids: Iterable[str]) -> list[NodeMetadata]:
    """Return those of *ids*, from `compiled_once`, with SQL that follows from more than their code.

    Equal code that reads nothing else compiles to the same SQL on the side that did not compile it, in each
    branch of `is_incremental()`.
    """
    inputs = SqlInputs(current)
    nodes = [current.nodes[unique_id] for unique_id in sorted(ids)]
    # Without the name of the target, two targets may share a schema.
    is_same = current.target_name is not None and target_of(base.run) == target_of(current.run)
    most = Dependence.TARGET if is_same else Dependence.CODE
    equal = given_variables(base.run, current.run)[0]
    return [
        one for one in nodes if inputs.reads_more(one, most) and not inputs.varies_by_branch_alone(one, equal)
    ]


def uncompared_note(nodes: Collection[NodeMetadata]) -> list[str]:
    """Return a note on *nodes*, those of `uncompared_nodes`."""
    if not nodes:
        return []
    names = first_of([one.label for one in nodes], MOST_NAMES)
    return [
        f"SQL of {plural(len(nodes), 'node')} not compared: only one run compiled it, and it depends on "
        f"variables, the environment or the database ({names})"
    ]


def built_sources_note(
    names: Mapping[str, NodeMetadata], children: Mapping[str, Collection[str]]
) -> list[str]:
    """Return a note on sources with the relation of a node in *children* that do not have it as a parent.

    Versions before 0.1.1 recorded no edge from a node to a source with its relation.
    """
    by_relation: dict[tuple[str, ...], list[str]] = {}
    for unique_id, node in names.items():
        if node.resource_type == "source" and node.relation_name:
            by_relation.setdefault(_parts(node.relation_name), []).append(unique_id)
    if not by_relation:
        return []
    builders = (names[one] for one in children if one in names and not one.startswith("source."))
    found = {
        source
        for node in builders
        for source in by_relation.get(_parts(node.relation_name or ""), ())
        if source not in children[node.unique_id]
    }
    if not found:
        return []
    labels = first_of(sorted(names[one].label for one in found), MOST_NAMES)
    return [WITHOUT_BUILT_SOURCES.format(plural(len(found), "source"), labels)]


def _parts(relation: str) -> tuple[str, ...]:
    return tuple(part.lower() for part in re.findall(r"[^\s.\"`\[\]]+", relation))


def callers_reading(
    calls: Collection[str], is_graph: bool, load: Callable[[], Iterable[NodeMetadata]], side: ProjectSide
) -> set[str]:
    """Return those of the nodes that *load* returns with a macro that has one of *calls*, or reads `graph`.

    The nodes, or dbt to build them, call it.
    """
    macros = {
        one
        for one, macro in side.macros.items()
        if (calls and variable_calls(macro.macro_sql) & {*calls}) or (is_graph and reads_graph(macro))
    }
    around = RunByDbt(side.macros)
    return {
        node.unique_id
        for node in (load() if macros else ())
        if not macros.isdisjoint(side.closure(node.macros) | around.around(node, any_strategy=True))
    }


def unseen_value_notes(
    base: ProjectSide, current: ProjectSide, changed: Iterable[str], chosen: Collection[str] | None = None
) -> Iterator[str]:
    """Yield notes on nodes that have not *changed*, but read variables that may have other values.

    In branches of `is_incremental()`, changed nodes count as well. Both sides have all nodes that may do so.
    Only the nodes *chosen* count, if these are given.
    """
    if current.run is None or current.run.extractor != DBT:
        return
    inputs, known = SqlInputs(current), frozenset(changed)
    causes = causes_of(base, current)
    equal, _ = causes.given_variables
    around = RunByDbt(current.macros)
    reading, hooked, built, branching = list[str](), list[str](), list[str](), list[str]()
    for unique_id, node in current.nodes.items():
        before = base.nodes.get(unique_id)
        if before is None or (chosen is not None and unique_id not in chosen):
            continue
        if _reads_in_other_branch(before, node, causes):
            branching.append(node.label)
        if unique_id in known:
            continue
        if _is_uncompiled(before) and _is_uncompiled(node) and _reads_variables(node, current, inputs, equal):
            reading.append(node.label)
        if _reads_in_hooks(node, current, equal):
            hooked.append(node.label)
        if _reads_in_materialization(node, current, around, equal):
            built.append(node.label)
    yield from _note(IN_OTHER_BRANCH, branching)
    yield from _note(NOT_COMPILED, reading)
    yield from _note(IN_HOOKS, hooked)
    yield from _note(IN_MATERIALIZATIONS, built)


def _reads_in_other_branch(before: NodeMetadata, after: NodeMetadata, causes: Causes) -> bool:
    """Return True if a branch of a later build reads variables, and not both sides have compiled it.

    Variables that `--vars` gave do not count: another value makes the node a change.
    """
    compared = causes.every_target
    if None in (before.compiled_code, after.compiled_code) or not compared.inputs[1].has_branches(after):
        return False
    known = frozenset[str]().union(*causes.given_variables)
    if not _reads_others(known, causes.macros.texts_out_of_sight(after)):
        return False
    return not (compared.shows_later(0, before) and compared.shows_later(1, after))


def _is_uncompiled(node: NodeMetadata) -> bool:
    is_query = node.resource_type in ("model", "snapshot") and node.language != "python"
    return is_query and node.compiled_code is None


def _note(text: str, labels: list[str]) -> Iterator[str]:
    if labels:
        yield text.format(plural(len(labels), "node"), first_of(sorted(labels), MOST_NAMES))


def _reads_others(equal: Collection[str], texts: Iterable[str]) -> bool:
    """Return True if *texts* read variables with values that are not known to be *equal*."""
    return any(not VARIABLES.isdisjoint(jinja_names(one)) and not reads_only(equal, one) for one in texts)


def _reads_variables(
    node: NodeMetadata, side: ProjectSide, inputs: SqlInputs, equal: Collection[str]
) -> bool:
    called = (side.macros.get(one) for one in {*side.closure(node.macros), *inputs.macros(node)})
    own = (macro.macro_sql for macro in called if macro is not None and not is_builtin(macro.package_name))
    return _reads_others(equal, (node.raw_code or "", *own))


def _reads_in_hooks(node: NodeMetadata, side: ProjectSide, equal: Collection[str]) -> bool:
    texts = hooks_and_macros(node, side.macros)
    return _reads_others(equal, texts) and may_write(texts)


def _reads_in_materialization(
    node: NodeMetadata, side: ProjectSide, around: RunByDbt, equal: Collection[str]
) -> bool:
    """Return True if a materialization that is not dbt's own, or a macro behind it, reads variables."""
    return side.own_materialization(node, side.adapter) and _reads_others(equal, around.own_texts(node))
