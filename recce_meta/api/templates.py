"""Templates for both sides of a data diff: the same SQL as base's relations and as current's."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recce_meta.api.one_run import OneRun
from recce_meta.api.run_pair import RunPair
from recce_meta.errors import TemplateError
from recce_meta.models import Project

if TYPE_CHECKING:
    from recce_meta.render import SimpleTemplateRenderer


class Templates:
    """Renders templates with the nodes and macros of either run; without runs, only plain SQL passes."""

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
        """*sql* as base's warehouse gets it. Raises TemplateError, which says that it was base's."""
        return _rendered(sql, self._base, "base")

    def current(self, sql: str) -> str:
        """*sql* as current's warehouse gets it."""
        return _rendered(sql, self._current, "current")

    def base_query(self, sql: str) -> tuple[str, str | None]:
        """*sql* as base's warehouse gets it, and why what it names holds data of an earlier build."""
        text = self.base(sql)
        return text, self._stale(sql, self._base, None if self._runs is None else self._runs.base)

    def current_query(self, sql: str) -> tuple[str, str | None]:
        """The same of current."""
        text = self.current(sql)
        return text, self._stale(sql, self._current, None if self._runs is None else self._runs.current)

    def _stale(self, sql: str, renderer: SimpleTemplateRenderer | None, run: OneRun | None) -> str | None:
        """Say which nodes are stale that *sql*, which *renderer* rendered last, names."""
        if "{" not in sql or renderer is None or run is None:
            return None
        found = sorted(renderer.parents & run.stale.keys())
        return "; ".join(f"{run.names[one].label}: {run.stale[one]}" for one in found) or None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What templates said, and what had to be assumed, once each."""
        if self._runs is None:
            return ()
        made = [self.__dict__.get(name) for name in ("_base", "_current")]
        found = [warning for renderer in made if renderer for warning in renderer.warnings]
        return tuple(dict.fromkeys(found))

    @cached_property
    def _base(self) -> SimpleTemplateRenderer | None:
        return None if self._runs is None else self._renderer(self._runs.base.project)

    @cached_property
    def _current(self) -> SimpleTemplateRenderer | None:
        return None if self._runs is None else self._renderer(self._runs.current.project)

    def _renderer(self, project: Project) -> SimpleTemplateRenderer:
        # Loaded for the first template alone: most checks have none.
        from recce_meta.api.rendering import settings_of
        from recce_meta.render import SimpleTemplateRenderer

        return SimpleTemplateRenderer(
            None,
            project.nodes,
            macros=project.macros,
            run=project.run,
            variables=self._variables,
            settings=settings_of(project.run.project_name, self._project_dir, None),
            environ=self._environ,
        )


def _rendered(sql: str, renderer: SimpleTemplateRenderer | None, side: str) -> str:
    if "{" not in sql:
        return sql
    if renderer is None:
        raise TemplateError(
            "There is no run whose relations the template could name",
            hint="write the relations out, or leave out --tables",
        )
    try:
        return renderer.render(sql)
    except TemplateError as error:
        raise TemplateError(
            f"{error.problem} (in the {side} run)",
            hint=error.hint,
            name=error.name,
            line=error.line,
            column=error.column,
            node=error.node,
            macros=error.macros,
        ) from error
