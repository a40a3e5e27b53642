"""Shared context of all templates of one run: nodes, macros, target and variables.

`var` looks up variables in order of priority. Notes of a rendering report the origin of its variables.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar

from msgspec import Struct

from recce_meta.errors import TemplateError, quoted, shorten
from recce_meta.models import MacroMetadata, NodeMetadata, RunMetadata
from recce_meta.models.node import target_place
from recce_meta.models.node_types import BUILT
from recce_meta.profiles.project_file import ProjectSettings
from recce_meta.render.infer_variables import UNSET, Evidence, InferredValue
from recce_meta.render.macros import MacroLibrary
from recce_meta.render.objects import TemplateObject
from recce_meta.render.relation import NodeLookup
from recce_meta.render.sandbox import Sandbox
from recce_meta.render.target import name_unknown

_NAMES = ("name", "target_name")
LONGEST_SHOWN = 60
"""Maximum length of a value in a warning or an error."""


class TextScope:
    """One text being rendered: its node, and the project that it may use."""

    def __init__(
        self,
        project: RenderProject,
        node: NodeMetadata | None,
        package: str | None,
        evaluate: Callable[[str, Any], Any],
        warnings: list[str],
    ) -> None:
        self.project, self.node, self.package = project, node, package
        self.evaluate = evaluate
        """Function that returns the value of a text that may contain Jinja, in this scope."""
        self.warnings = warnings

    def warn_once(self, text: str) -> None:
        """Add *text* to the renderer's warnings unless it is already there."""
        if text not in self.warnings:
            self.warnings.append(text)


class Variables(TemplateObject):
    """`var`: value from `--vars`, else dbt_project.yml, else inferred from the run's nodes, else the default.

    A value that settings of the run prove outranks dbt_project.yml, which may have changed since.

    https://docs.getdbt.com/reference/dbt-jinja-functions/var
    """

    __slots__ = ("_scope",)
    readable: ClassVar[frozenset[str]] = frozenset(["has_var"])

    def __init__(self, scope: TextScope) -> None:
        self._scope = scope

    def has_var(self, name: str) -> bool:
        """Return True if *name* has a value."""
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
        # A template can change lists in place, and all templates share the variables.
        return deepcopy(self._evaluated(value))

    def _given(self, name: str) -> Any:
        """Return the value from `--vars` or dbt_project.yml; a package's values apply to its nodes only."""
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
                return self._proven(name, value)
        return value

    def _proven(self, name: str, value: Any) -> Any:
        """Return *value* of dbt_project.yml, or the one that the run proves instead."""
        project, package = self._scope.project, self._scope.package
        proof = None if project.evidence is None else project.evidence.proof(name, package)
        if proof is None or str(proof.value) == str(self._evaluated(value)):
            project.notes.of_project.add(name)
            return value
        if not proof.is_trial and name not in project.notes.inferred:
            project.notes.inferred[name] = proof
            proven, written = (shorten(quoted(one), LONGEST_SHOWN) for one in (proof.value, value))
            self._scope.warn_once(
                f"variable '{name}' is {written} in dbt_project.yml, but was {proven} in the run "
                f"by {proof.reason}; the run's value is used, set it with --vars"
            )
        return proof.value

    def _evaluated(self, value: Any) -> Any:
        """Return *value* with its Jinja evaluated: values of a YAML file may have some."""
        if isinstance(value, str) and "{" in value:
            return _as_text(self._scope.evaluate(value, self._scope))
        return value

    def _default(self, name: str, default: Any) -> Any:
        """Return the template's own default; raise TemplateError if it has none."""
        if default is UNSET:
            raise TemplateError(
                f"Variable '{name}' has neither a value nor a default",
                name=name,
                hint=f"artifacts contain no variables: pass --vars '{{{name}: …}}', or the project with "
                "--project-dir (`variables` and `settings` of TemplateContext in Python)",
                is_broken=self._scope.project.settings is not None,
            )
        self._scope.project.notes.assumed.add(name)
        return default

    def _found(self, name: str, default: Any) -> InferredValue | None:
        """Return the value inferred from the run's nodes, or None."""
        scope = self._scope
        scope.project.notes.read.add((scope.package, name))
        evidence = scope.project.evidence
        return None if evidence is None else evidence.find(name, scope.package, default, scope.node)

    def _announce(self, name: str, found: InferredValue) -> None:
        inferred = self._scope.project.notes.inferred
        if name in inferred:
            return
        inferred[name] = found
        shown = shorten(quoted(found.value), LONGEST_SHOWN)
        self._scope.warn_once(
            f"variable '{name}' was inferred to be {shown} from {found.reason}; set it with --vars"
        )


def _as_text(value: Any) -> str:
    """Return *value* as text, because dbt renders a variable with Jinja to text."""
    return value if isinstance(value, str) else str(value)


class Target(TemplateObject):
    """`target`; its name is only in run_results.json, so it may be unknown."""

    __slots__ = ("_scope",)
    readable: ClassVar[frozenset[str]] = frozenset(["get"])

    def __init__(self, scope: TextScope) -> None:
        self._scope = scope

    @property
    def _facts(self) -> Mapping[str, Any]:
        return self._scope.project.target

    def __getitem__(self, name: str) -> Any:
        value = self._facts[name]
        if value is None and name in _NAMES:
            return self._name()
        return deepcopy(value)

    def __contains__(self, name: object) -> bool:
        return name in self._facts

    def get(self, name: str, default: Any = None) -> Any:
        """Return the target's value for *name*, else *default*."""
        return self[name] if name in self._facts else default

    def _name(self) -> Any:
        """Return the name inferred from the run's nodes; raise TemplateError if that fails."""
        scope = self._scope
        evidence = scope.project.evidence
        found = None if evidence is None else evidence.target_name(scope.node)
        if found is None:
            raise name_unknown()
        scope.warn_once(
            f"target.name was inferred to be {quoted(found.value)} from {found.reason}; "
            "set it with --target-name"
        )
        return found.value


class Notes:
    """Origin of the variables in one rendering that were not passed in."""

    __slots__ = ("assumed", "inferred", "of_project", "read")

    def __init__(self) -> None:
        self.assumed: set[str] = set()
        """Variables with the default from `var()`."""
        self.inferred: dict[str, InferredValue] = {}
        """Variables whose value was inferred from other nodes."""
        self.of_project: set[str] = set()
        """Variables with the value from dbt_project.yml."""
        self.read: set[tuple[str | None, str]] = set()
        """Package and name of the variables that were neither passed in nor set in dbt_project.yml."""


_FLAGS = {
    "FULL_REFRESH": False,
    "STORE_FAILURES": False,
    "WHICH": "compile",
    "EMPTY": False,
    "USE_COLORS": False,
    "PRINT": False,
    "DEFER": False,
    "WARN_ERROR": False,
}
_CTE_UPPER = (0, 20)
"""First version without the upper-case prefix `__dbt__CTE__` for CTEs of ephemeral models."""
_CTE_BY_ALIAS = (1, 8)
"""First version that names these CTEs after the model's alias; older versions use its name."""


_WRAPPING = (2, 0)
_UNKNOWN = (99, 0)


class TemplateContext(Struct, frozen=True, kw_only=True):
    """Values that templates read in addition to the nodes and macros of a run."""

    variables: Mapping[str, Any] = {}
    """Values of `--vars`, with a package's variables under its name."""
    settings: ProjectSettings | None = None
    """Variables and `dispatch:` of dbt_project.yml (`read_project_settings`)."""
    environ: Mapping[str, str] = {}
    """Variables that `env_var` reads."""
    target: Mapping[str, Any] = {}
    """Fields of `target`, over those of the run."""


class RenderProject:
    """The parts of one run that templates may use."""

    def __init__(
        self,
        nodes: Mapping[str, NodeMetadata],
        macros: Iterable[MacroMetadata],
        run: RunMetadata | None,
        *,
        sandbox: Sandbox,
        adapter_type: str | None,
        context: TemplateContext,
    ) -> None:
        self.nodes = nodes
        self.run = run
        self.notes = Notes()
        self.evidence: Evidence | None = None
        """Inference of variables; None if it is switched off."""
        self.variables, self.environ, self.settings = context.variables, context.environ, context.settings
        self.root = run.project_name if run is not None else _only_package(nodes.values())
        # A given target counts first, because it may belong to another warehouse than the run.
        given = context.target.get("type")
        known = run.adapter_type if run is not None else None
        self.adapter_type: str = given if isinstance(given, str) else known or adapter_type or ""
        self._target = context.target
        self._sandbox = sandbox
        self.library = MacroLibrary(macros, sandbox, self.adapter_type, self.root)
        self.dbt_version = (run.dbt_version if run is not None else None) or ""
        self.invocation_id = run.invocation_id if run is not None else None
        self.run_started_at: datetime | None = run.run_at if run is not None else None
        self.flags = _FLAGS

    @property
    def has_values_of_dbt(self) -> bool:
        """True if every value that the rendering has read is that of dbt."""
        is_assumed = self.notes.inferred or (self.notes.assumed and self.settings is None)
        return not (self._sandbox.has_unknown or is_assumed)

    @property
    def has_types_of_dbt(self) -> bool:
        """True if every value that the rendering has read has the type that it has in dbt."""
        return not self._sandbox.has_stand_in

    def note_unknown(self) -> None:
        """Note that the rendering reads a value that may be another one in dbt."""
        self._sandbox.has_unknown = True

    def spend(self, steps: int) -> None:
        """Count *steps* of the current rendering; raise TemplateError if they run out."""
        self._sandbox.budget.spend(steps)

    @cached_property
    def version(self) -> tuple[int, int]:
        """dbt's major and minor version."""
        return _version(self.dbt_version)

    @property
    def wraps_ephemeral(self) -> bool:
        """True if dbt puts a query with ephemeral parents inside another query, as dbt 2 does."""
        return _WRAPPING <= self.version < _UNKNOWN

    @cached_property
    def lookup(self) -> NodeLookup:
        """Index of nodes by the names that `ref` and `source` use."""
        return NodeLookup(self.nodes.values(), self.root)

    @cached_property
    def target(self) -> Mapping[str, Any]:
        """Values of `target`: passed in, else from the run, else the place of most nodes."""
        run = self.run
        database, schema = (run.target_database, run.target_schema) if run is not None else (None, None)
        if database is None and schema is None:
            database, schema = target_place(self.nodes.values())
        places = {"dbname": database, "project": database, "dataset": schema}
        return {
            "name": run.target_name if run is not None else None,
            "target_name": run.target_name if run is not None else None,
            "profile_name": self.root,
            "type": self.adapter_type,
            "threads": 1,
            "database": database,
            "schema": schema,
            **places,
            # Last, so that given values replace those of the run.
            **self._target,
        }

    @cached_property
    def _places(self) -> Mapping[tuple[str, str, str], NodeMetadata]:
        return {
            _place(node.database_name, node.schema_name, node.identifier): node
            for node in self.nodes.values()
            if node.relation_name
        }

    def node_at(
        self, database: str | None, schema: str | None, identifier: str | None
    ) -> NodeMetadata | None:
        """Return the node of that relation, or None."""
        return self._places.get(_place(database, schema, identifier))

    def cte_name(self, node: NodeMetadata) -> str:
        """Return dbt's name for the CTE of the ephemeral model *node*."""
        version = self.version
        prefix = "__dbt__CTE__" if version < _CTE_UPPER else "__dbt__cte__"
        return prefix + (node.name if version < _CTE_BY_ALIAS else node.identifier or node.name)


def _place(database: str | None, schema: str | None, identifier: str | None) -> tuple[str, str, str]:
    # Templates may spell a relation in another case, which warehouses fold.
    return (database or "").lower(), (schema or "").lower(), (identifier or "").lower()


def _version(text: str) -> tuple[int, int]:
    """Return major and minor version; an unknown version counts as the newest."""
    parts = text.split(".")
    if len(parts) < 2 or not (parts[0].isdigit() and parts[1].isdigit()):
        return _UNKNOWN
    return int(parts[0]), int(parts[1])


def _only_package(nodes: Iterable[NodeMetadata]) -> str | None:
    """Return the package of *nodes* if they all belong to the same one, else None."""
    counts = Counter(node.package_name for node in nodes if node.resource_type in BUILT)
    return next(iter(counts)) if len(counts) == 1 else None
