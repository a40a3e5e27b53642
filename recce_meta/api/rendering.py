"""`render`: a template as the warehouse gets it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.inspecting import find_node
from recce_meta.api.on_disk import folder_of
from recce_meta.api.one_run import open_run
from recce_meta.errors import ConfigurationError, UsageError
from recce_meta.extractors.project import project_above
from recce_meta.models import NodeMetadata
from recce_meta.profiles import ProjectSettings, find_project_dir, read_project_settings
from recce_meta.profiles.yaml_file import BROKEN_VALUE, find_excess
from recce_meta.render import SimpleTemplateRenderer
from recce_meta.store.files import DEFAULT_SCHEMA


class Template(Struct, frozen=True, kw_only=True):
    """What is to be rendered, and as what."""

    sql: str
    path: Path | None = None
    """The file it comes from, which may be that of a node."""
    node: str | None = None
    """The node whose code it is; default: the one whose file it is, if any."""
    incremental: bool = False
    variables: Mapping[str, Any] = {}
    """What dbt's `--vars` would give; it wins over dbt_project.yml."""
    project_dir: Path | None = None
    """The folder of dbt_project.yml, for its variables and its `dispatch:`. Default: that of the artifacts
    or, for a stored run, the one at hand, where it is the run's project."""
    environ: Mapping[str, str] = {}
    target_name: str | None = None


class RenderedTemplate(Struct, frozen=True, kw_only=True):
    """The SQL, and what to know about it."""

    sql: str
    warnings: tuple[str, ...]


def render(
    connect: Callable[[], UnifiedSqlAdapter],
    selector: str,
    template: Template,
    *,
    project: str | None = None,
    schema: str = DEFAULT_SCHEMA,
) -> RenderedTemplate:
    """*template* rendered with the nodes and macros of the run that *selector* names (or `path:DIR`)."""
    found = open_run(connect, selector, project=project, schema=schema).project
    nodes = {node.unique_id: node for node in found.nodes}
    settings = settings_of(found.run.project_name, template.project_dir, folder_of(selector))
    renderer = SimpleTemplateRenderer(
        None,
        nodes,
        macros=found.macros,
        run=found.run,
        variables=template.variables,
        settings=settings,
        environ=template.environ,
        target={} if template.target_name is None else {"name": template.target_name},
    )
    node = (
        find_node(template.node, nodes) if template.node is not None else _node_of_file(template.path, nodes)
    )
    sql = renderer.render(template.sql, node=node, incremental=template.incremental)
    warnings = [*renderer.warnings, *_assumed(renderer.assumed_variables)]
    if settings is not None and folder_of(selector) is None:
        warnings += _as_of_now(renderer.project_variables, settings)
    return RenderedTemplate(sql=sql, warnings=tuple(warnings))


def settings_of(project: str, project_dir: Path | None, artifacts: Path | None) -> ProjectSettings | None:
    """dbt_project.yml of *project*: in *project_dir*, else above *artifacts*, else at hand.

    Another project's is not taken, unless *project_dir* names it, which is an error. Raises
    ConfigurationError there, and where a file cannot be read.
    """
    if project_dir is not None:
        folder: Path | None = project_dir
    else:
        folder = project_above(artifacts) if artifacts is not None else find_project_dir()
    if folder is None:
        return None
    settings = read_project_settings(folder)
    if settings.name == project:
        return settings
    if project_dir is None:
        return None
    raise ConfigurationError(
        f"{settings.path} is project '{settings.name}', and the run is of '{project}'",
        hint="name the folder of the run's own project with --project-dir",
    )


def _node_of_file(path: Path | None, nodes: Mapping[str, NodeMetadata]) -> str | None:
    """The node that dbt read from the file *path*, if there is just one."""
    if path is None:
        return None
    text = path.resolve().as_posix()
    found = [
        node.unique_id
        for node in nodes.values()
        if node.path and node.raw_code is not None and text.endswith(f"/{node.path}")
    ]
    return found[0] if len(found) == 1 else None


def _as_of_now(names: frozenset[str], settings: ProjectSettings) -> list[str]:
    """That the file may not be what it was when the run was recorded."""
    if not names:
        return []
    listed = ", ".join(sorted(names))
    return [f"took {listed} from {settings.path} as it is now, not as it was when the run was recorded"]


def _assumed(names: frozenset[str]) -> list[str]:
    if not names:
        return []
    return [f"took the template's own default for the variables {', '.join(sorted(names))}; --vars sets them"]


def parse_variables(text: str | None) -> dict[str, Any]:
    """The value of `--vars`: a YAML mapping, as dbt takes it."""
    if not text:
        return {}
    import yaml

    try:
        excess = find_excess(yaml.parse(text, Loader=yaml.SafeLoader))
        if excess is not None:
            raise UsageError(f"--vars is not YAML: it {excess.problem}", hint=excess.hint)
        value = yaml.safe_load(text)
    except (*BROKEN_VALUE, yaml.YAMLError) as error:
        raise UsageError(
            f"--vars is not YAML: {' '.join(str(error).split())}",
            hint="for example --vars '{cutoff: 2024-01-01}'",
        ) from None
    if not isinstance(value, dict):
        raise UsageError("--vars is not a mapping", hint="for example --vars '{cutoff: 2024-01-01}'")
    return value
