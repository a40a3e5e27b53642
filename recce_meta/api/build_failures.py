"""Failures of a build that artifacts of dbt prove before it, or that dbt reported."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from msgspec.structs import replace

from recce_meta.errors import ConfigurationError
from recce_meta.models import NodeMetadata, NodeResult, Project
from recce_meta.models.adapters import EXACT_NAMES
from recce_meta.models.node import BUILD_FAILURE, UNLESS_VARS
from recce_meta.models.node_types import BUILT, RENDERED
from recce_meta.models.run import ERROR_STATUSES, UNKNOWN_STATUS
from recce_meta.profiles import ProjectSettings, read_project_settings
from recce_meta.profiles.discovery import PROJECT_FILE
from recce_meta.render import SimpleTemplateRenderer, TemplateContext
from recce_meta.render.build_failures import BuildFailure, BuildFailures, with_failure
from recce_meta.warehouses.driver import parser_of

NOT_RUN = (*ERROR_STATUSES, UNKNOWN_STATUS, "skipped", "no-op")
"""Statuses of nodes that dbt has not built."""
_COMPILATION = re.compile(r"Compilation Error[^\n]*\n\s*([^\n]+)")


def with_build_failures(
    sides: Sequence[Project], folders: Sequence[Path | None], environ: Mapping[str, str]
) -> list[Project]:
    """Return *sides*, artifacts of dbt, with the reason for each node that certainly cannot be built.

    *folders* are those of their projects, and *environ* has the values of `env_var`. What dbt has built can
    be built. Of two sides, nodes that fail or succeed alike have no reason.
    """
    settings = [_settings_of(*side, environ) for side in zip(sides, folders, strict=True)]
    own = [one and (one.variables, one.packages, one.search_orders) for one in settings]
    alike: Collection[str] = ()
    if len(sides) == 2:
        alike = _alike(sides[0], sides[1], own[0] == own[1])
    judged = [_judged(side, found, alike, environ) for side, found in zip(sides, settings, strict=True)]
    return [with_name_clashes(side, sides[0] if number else None) for number, side in enumerate(judged)]


def with_name_clashes(project: Project, base: Project | None) -> Project:
    """Return *project* with the reason for each node whose relation dbt takes for another node's.

    Nodes that have the same relation in *base* have it first. dbt looks for names without regard to case, and
    stops at one that differs in case (`BaseRelation.matches`).
    """
    known = {(node.unique_id, node.relation_name) for node in (base.nodes if base else ())}
    places: dict[str, list[NodeMetadata]] = {}
    for node in project.nodes:
        if node.resource_type in BUILT and not node.is_ephemeral and node.relation_name:
            places.setdefault(node.relation_name.lower(), []).append(node)
    if project.run.adapter_type in EXACT_NAMES:
        return project
    ran = {one.unique_id for one in project.results if one.status not in NOT_RUN}
    failing = {}
    for nodes in places.values():
        for node in nodes:
            others = [one.label for one in nodes if one.relation_name != node.relation_name]
            if others and node.unique_id not in ran and (node.unique_id, node.relation_name) not in known:
                problem = f"its relation and that of {others[0]} differ only in case, which dbt refuses"
                failing[node.unique_id] = with_failure(node, BuildFailure(problem=problem))
    return replace(project, nodes=tuple(failing.get(node.unique_id, node) for node in project.nodes))


def _alike(base: Project, current: Project, has_equal_settings: bool) -> Collection[str]:
    """Return the nodes that are rendered alike on both sides."""
    is_alike = (
        has_equal_settings and base.macros == current.macros and base.run.variables == current.run.variables
    )
    before = {node.unique_id: node for node in base.nodes}

    def is_same(node: NodeMetadata) -> bool:
        one = before.get(node.unique_id)
        if one is None or (one.raw_code, one.config) != (node.raw_code, node.config):
            return False
        return one.compiled_code == node.compiled_code if node.compiled_code else is_alike

    return {node.unique_id for node in current.nodes if is_same(node)}


def _judged(
    project: Project, settings: ProjectSettings | None, alike: Collection[str], environ: Mapping[str, str]
) -> Project:
    # Without a command, the results are those of an earlier one.
    results = {one.unique_id: one for one in project.results if project.run.command}
    ran = {unique_id for unique_id, result in results.items() if result.status not in NOT_RUN}
    waiting = [
        node
        for node in project.nodes
        if node.resource_type in RENDERED
        and node.unique_id not in ran
        and node.unique_id not in alike
        and node.language == "sql"
        and node.raw_code is not None
    ]
    if not waiting:
        return project
    renderer = SimpleTemplateRenderer(
        None,
        project.nodes,
        macros=project.macros,
        run=project.run,
        context=TemplateContext(settings=settings, environ=environ),
        infer_variables=False,
    )
    adapter = project.run.adapter_type
    failures = BuildFailures(project.macros, parser_of(adapter), given=project.run.variables, adapter=adapter)

    def judged(node: NodeMetadata) -> NodeMetadata:
        if node.compiled_code:
            found = failures.compiled(node, renderer)
        else:
            found = replace(failures.rendered(node, [renderer])[0], compiled_code=node.compiled_code)
        # Macros that a manifest lacks were left out of it.
        if found.properties.get(BUILD_FAILURE, {}).get("unless") not in (None, UNLESS_VARS):
            found = node
        said = _said(results.get(node.unique_id))
        return with_failure(found, said) if said and BUILD_FAILURE not in found.properties else found

    nodes = {node.unique_id: judged(node) for node in waiting}
    return replace(project, nodes=tuple(nodes.get(node.unique_id, node) for node in project.nodes))


def _said(result: NodeResult | None) -> BuildFailure | None:
    """Return why dbt could not compile the node of *result*."""
    found = _COMPILATION.match(result.message or "") if result is not None else None
    return BuildFailure(problem=found[1]) if found else None


def _settings_of(project: Project, folder: Path | None, environ: Mapping[str, str]) -> ProjectSettings | None:
    """Return dbt_project.yml in *folder*; None if it cannot be read, or is that of another project."""
    if folder is None or not (folder / PROJECT_FILE).is_file():
        return None
    try:
        found = read_project_settings(folder, environment=environ)
    except ConfigurationError:
        return None
    return found if found.name == project.run.project_name else None
