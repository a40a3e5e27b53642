"""Rendering of templates to the SQL that the warehouse runs, for one run or for both sides of a data diff."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from msgspec import Struct

from recce_meta import render as rendering
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.run_reader import RunReader, folder_of, open_run
from recce_meta.api.runs import RunPair, find_node
from recce_meta.errors import ConfigurationError, TemplateError
from recce_meta.extractors.project import project_above
from recce_meta.models import NodeMetadata, Project
from recce_meta.models.rows import Tabular
from recce_meta.profiles import ProjectSettings, find_project_dir, read_project_settings
from recce_meta.store.select import RunSelector


class Template(Struct, frozen=True, kw_only=True):
    """Template to render, with its context."""

    sql: str
    """SQL with dbt's Jinja."""
    path: Path | None = None
    """File of the template, possibly that of a node."""
    node: str | None = None
    """Node that the template belongs to: `this` is its relation. Default: the node with this file, if any."""
    incremental: bool = False
    """Value of `is_incremental()`."""
    variables: Mapping[str, Any] = {}
    """Values of dbt's `--vars`; they take precedence over dbt_project.yml."""
    project_dir: Path | None = None
    """Folder of dbt_project.yml, for its variables and `dispatch:`. Default: the folder of the artifacts, or
    for a stored run the current project, if it is the run's project."""
    environ: Mapping[str, str] = {}
    """Variables of `env_var()`."""
    target_name: str | None = None
    """Value of `target.name`. Default: that of the run."""


class RenderedTemplate(Tabular, frozen=True, kw_only=True):
    """Rendered SQL, with warnings."""

    sql: str
    warnings: tuple[str, ...]


def render(
    connect: Callable[[], UnifiedSqlAdapter],
    selector: RunSelector,
    template: Template,
    *,
    project: str | None = None,
) -> RenderedTemplate:
    """Render *template* with the nodes and macros of the run that *selector* names (or `path:DIR`)."""
    found = open_run(connect, selector, project=project).project
    nodes = {node.unique_id: node for node in found.nodes}
    settings = settings_of(found.run.project_name, template.project_dir, folder_of(selector))
    renderer = rendering.SimpleTemplateRenderer(
        None,
        nodes,
        macros=found.macros,
        run=found.run,
        context=rendering.TemplateContext(
            variables=template.variables,
            settings=settings,
            environ=template.environ,
            target={} if template.target_name is None else {"name": template.target_name},
        ),
    )
    node = (
        find_node(template.node, nodes) if template.node is not None else _node_of_file(template.path, nodes)
    )
    sql = renderer.render(template.sql, node=node, incremental=template.incremental)
    warnings = [*renderer.warnings, *_assumed(renderer.assumed_variables)]
    # A stored run may be older than the file; artifacts on disk belong to it.
    if settings is not None and folder_of(selector) is None:
        warnings += _as_of_now(renderer.project_variables, settings)
    return RenderedTemplate(sql=sql, warnings=tuple(warnings))


def settings_of(project: str, project_dir: Path | None, artifacts: Path | None) -> ProjectSettings | None:
    """Return dbt_project.yml of *project*: in *project_dir*, else above *artifacts*, else the current one.

    The file of another project is ignored. Raises ConfigurationError if *project_dir* names another project,
    or a file cannot be read.
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
        f"{settings.path} is project '{settings.name}', but the run is of project '{project}'",
        hint="pass the folder of the run's project with --project-dir",
    )


def _node_of_file(path: Path | None, nodes: Mapping[str, NodeMetadata]) -> str | None:
    """Return the node that dbt read from the file *path*; None unless there is exactly one."""
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
    """Return a warning that dbt_project.yml may have changed since the run was recorded."""
    if not names:
        return []
    listed = ", ".join(sorted(names))
    return [f"read {listed} from the current {settings.path}, which may have changed since the run"]


def _assumed(names: frozenset[str]) -> list[str]:
    if not names:
        return []
    return [
        f"used the template's defaults for the variables {', '.join(sorted(names))}; set them with --vars"
    ]


class Templates:
    """Renderer of templates with the nodes and macros of each run; without runs, only for plain SQL."""

    def __init__(
        self,
        runs: RunPair | None,
        *,
        variables: Mapping[str, Any] | None = None,
        environ: Mapping[str, str] | None = None,
        project_dir: Path | None = None,
    ) -> None:
        self._runs = runs
        self._variables = variables or {}
        self._environ = environ or {}
        self._project_dir = project_dir

    def base(self, sql: str) -> str:
        """Render *sql* for base. Raises TemplateError, which names the side."""
        return _rendered(sql, self._base, "base")

    def current(self, sql: str) -> str:
        """Render *sql* for current. Raises TemplateError, which names the side."""
        return _rendered(sql, self._current, "current")

    def base_query(self, sql: str) -> tuple[str, str | None]:
        """Render *sql* for base, and return it with the reasons why nodes in it are stale, if any are."""
        text = self.base(sql)
        return text, self._stale(sql, self._base, None if self._runs is None else self._runs.base)

    def current_query(self, sql: str) -> tuple[str, str | None]:
        """Render *sql* for current, as `base_query` does for base."""
        text = self.current(sql)
        return text, self._stale(sql, self._current, None if self._runs is None else self._runs.current)

    def _stale(
        self, sql: str, renderer: rendering.SimpleTemplateRenderer | None, run: RunReader | None
    ) -> str | None:
        """Return the stale nodes in *sql* and the reasons; *renderer* must have rendered *sql* last."""
        if "{" not in sql or renderer is None or run is None:
            return None
        found = sorted(renderer.parents & run.stale.keys())
        return "; ".join(f"{run.names[one].label}: {run.stale[one]}" for one in found) or None

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return the distinct warnings of all rendered templates, including assumed values."""
        if self._runs is None:
            return ()
        # A renderer that was never needed must not be built for its warnings.
        made = [self.__dict__.get(name) for name in ("_base", "_current")]
        found = [warning for renderer in made if renderer for warning in renderer.warnings]
        return tuple(dict.fromkeys(found))

    @cached_property
    def _base(self) -> rendering.SimpleTemplateRenderer | None:
        return None if self._runs is None else self._renderer(self._runs.base.project)

    @cached_property
    def _current(self) -> rendering.SimpleTemplateRenderer | None:
        return None if self._runs is None else self._renderer(self._runs.current.project)

    def _renderer(self, project: Project) -> rendering.SimpleTemplateRenderer:
        return rendering.SimpleTemplateRenderer(
            None,
            project.nodes,
            macros=project.macros,
            run=project.run,
            context=rendering.TemplateContext(
                variables=self._variables,
                settings=settings_of(project.run.project_name, self._project_dir, None),
                environ=self._environ,
            ),
        )


def _rendered(sql: str, renderer: rendering.SimpleTemplateRenderer | None, side: str) -> str:
    if "{" not in sql:
        return sql
    if renderer is None:
        raise TemplateError(
            "Templates require runs, which --tables excludes",
            hint="write the names of the relations instead of ref(), or remove --tables",
        )
    try:
        return renderer.render(sql)
    except TemplateError as error:
        raise error.of_side(side) from error
