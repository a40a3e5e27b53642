"""`var`: who says what a variable is, in the order in which they are asked."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any, ClassVar

from recce_meta.errors import TemplateError, quoted, shortened
from recce_meta.render.attributes import TemplateObject
from recce_meta.render.evidence import UNSET, Finding

if TYPE_CHECKING:
    from recce_meta.render.names import Scope

LONGEST_SHOWN = 60
"""Characters of a value in a warning or an error."""


class Variables(TemplateObject):
    """`var`: what `--vars` say, else dbt_project.yml, else what the run's nodes tell, else the default.

    https://docs.getdbt.com/reference/dbt-jinja-functions/var
    """

    __slots__ = ("_scope",)
    readable: ClassVar[frozenset[str]] = frozenset(["has_var"])

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def has_var(self, name: str) -> bool:
        """Whether *name* has a value."""
        return self._given(name) is not UNSET or self._found(name, UNSET) is not None

    def __call__(self, name: str, default: Any = UNSET) -> Any:
        value = self._given(name)
        if value is UNSET:
            found = self._found(name, default)
            if found is None:
                return self._default(name, default)
            if found.value != default:
                self._announce(name, found)
            value = found.value
        if isinstance(value, str) and "{" in value:
            return _as_text(self._scope.evaluate(value, self._scope))
        return deepcopy(value)

    def _given(self, name: str) -> Any:
        """What was said; what is said of one package counts in its nodes alone."""
        if not isinstance(name, str):
            raise TemplateError("var() takes a name", name="var", hint="var('name')")
        project, package = self._scope.project, self._scope.package
        own = project.variables.get(package or "")
        if isinstance(own, Mapping) and name in own:
            return own[name]
        if name in project.variables:
            return project.variables[name]
        value = UNSET
        if project.settings is not None:
            value = project.settings.variable(name, package, UNSET)
            if value is not UNSET:
                project.notes.of_project.add(name)
        return value

    def _default(self, name: str, default: Any) -> Any:
        """The template's own default, which nobody contradicts."""
        if default is UNSET:
            raise TemplateError(
                f"Variable '{name}' has no value here, and no default",
                name=name,
                hint=f"artifacts keep no variables: pass --vars '{{{name}: …}}' (variables= in Python), or "
                "the project with --project-dir (settings=)",
            )
        self._scope.project.notes.assumed.add(name)
        return default

    def _found(self, name: str, default: Any) -> Finding | None:
        """What the run's nodes tell."""
        scope = self._scope
        scope.project.notes.read.add((scope.package, name))
        evidence = scope.project.evidence
        return None if evidence is None else evidence.find(name, scope.package, default, scope.node)

    def _announce(self, name: str, found: Finding) -> None:
        inferred = self._scope.project.notes.inferred
        if name in inferred:
            return
        inferred[name] = found
        shown = shortened(quoted(found.value), LONGEST_SHOWN)
        self._scope.warn_once(f"took {shown} for the variable '{name}', after {found.reason}; --vars sets it")


def _as_text(value: Any) -> str:
    """What dbt makes of a variable that holds Jinja, which is always text."""
    return value if isinstance(value, str) else str(value)
