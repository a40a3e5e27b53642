"""The names that a template sees: dbt's context, worked out when a name is first used."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any, ClassVar

from recce_meta.errors import TemplateError, quoted
from recce_meta.models import MacroMetadata, NodeMetadata
from recce_meta.render.attributes import TemplateObject
from recce_meta.render.database import AdapterNames, ExceptionNames, column_class, relation_class
from recce_meta.render.functions import FUNCTIONS, modules
from recce_meta.render.macros import FIXED, MacroCall, Namespace
from recce_meta.render.refusal import ASK_DATABASE, BELONG_TO_DBT, Refused, database_error, dbt_error
from recce_meta.render.relation import Relation, cte_of, relation_of
from recce_meta.render.target import Target
from recce_meta.render.variables import Variables

if TYPE_CHECKING:
    from recce_meta.render.project import ProjectNames

_UNSET: Any = object()
_BARE_CALL = re.compile(r"\s*(?:env_var|ref|var|source|doc)\s*\(.+\)\s*$")


class Scope:
    """One text being rendered: which node it is, and what it has used so far."""

    def __init__(
        self,
        project: ProjectNames,
        node: NodeMetadata | None,
        package: str | None,
        *,
        incremental: bool,
        evaluate: Callable[[str, Scope], Any],
        warnings: list[str],
    ) -> None:
        self.project, self.node, self.package = project, node, package
        self.incremental = incremental
        self.evaluate = evaluate
        """The value of a text that may hold Jinja."""
        self.warnings = warnings
        self.ephemeral: dict[str, NodeMetadata] = {}
        """The ephemeral models it names, in order."""
        self.names = Names(self)
        self._calls: dict[str, MacroCall] = {}
        self.parents: set[str] = set()
        """The unique ids of all that it reads."""
        self.configured: dict[str, Any] = {}
        """What `config()` said."""

    def ref(self, *args: Any, **kwargs: Any) -> Relation:
        """`ref`."""
        name, package, version = _ref_arguments(args, kwargs)
        return self.relation(self.project.lookup.ref(name, package, version, self.package))

    def source(self, *args: Any) -> Relation:
        """`source`."""
        if len(args) != 2 or not all(isinstance(arg, str) for arg in args):
            raise TemplateError(
                f"source() takes two names, not {len(args)}", name="source", hint="source('source', 'table')"
            )
        return self.relation(self.project.lookup.source(args[0], args[1], self.package))

    def function(self, *args: Any) -> Relation:
        """`function`."""
        name, package, _ = _ref_arguments(args, {})
        return self.relation(self.project.lookup.function(name, package, self.package))

    def relation(self, node: NodeMetadata) -> Relation:
        """What stands for *node* in the text."""
        self.parents.add(node.unique_id)
        if node.materialized == "ephemeral":
            self.ephemeral.setdefault(node.unique_id, node)
            return cte_of(self.project.cte_name(node), node)
        return relation_of(node, self.project.adapter_type)

    def warn_once(self, text: str) -> None:
        """Tell the caller of the renderer *text*, unless that was told before."""
        if text not in self.warnings:
            self.warnings.append(text)

    def call_of(self, macro: MacroMetadata) -> Any:
        """*macro*, ready to be called in this text."""
        if macro.name in FIXED:
            return self.names[macro.name]
        found = self._calls.get(macro.unique_id)
        if found is None:
            found = self._calls[macro.unique_id] = MacroCall(self.project.library, macro, self.names)
        return found

    def env_var(self, name: str, default: str | None = None) -> str:
        """`env_var`, of the environment that the renderer was given."""
        _check_name("env_var", name)
        if name.startswith("DBT_ENV_SECRET"):
            raise TemplateError(
                f"'{name}' is a secret, which no query may hold",
                name=name,
                hint="secrets are for profiles.yml",
            )
        value = self.project.environ.get(name, default)
        if value is None:
            raise TemplateError(
                f"Environment variable '{name}' is not set",
                name=name,
                hint=f"set it, or give a default: env_var('{name}', '…')",
            )
        return value

    @property
    def this(self) -> Any:
        """`this`."""
        if self.node is None:
            return Refused(
                TemplateError(
                    "'this' is the node being rendered, and this text belongs to none",
                    name="this",
                    hint="say which node it is: render(sql, node=…), or --node on the command line",
                )
            )
        return relation_of(self.node, self.project.adapter_type)


def _check_name(function: str, name: object) -> None:
    if not isinstance(name, str):
        raise TemplateError(f"{function}() takes a name", name=function, hint=f"{function}('name')")


def _ref_arguments(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[str, str | None, str | None]:
    version = kwargs.get("version") or kwargs.get("v")
    unknown = kwargs.keys() - {"version", "v"}
    if not 1 <= len(args) <= 2 or unknown or not all(isinstance(arg, str) for arg in args):
        given = ", ".join([*(quoted(str(arg)) for arg in args), *sorted(unknown)])
        raise TemplateError(
            f"ref() takes one or two names and a version, not ({given})",
            name="ref",
            hint="ref('name'), ref('package', 'name'), ref('name', v=2)",
        )
    package = args[0] if len(args) == 2 else None
    return args[-1], package, None if version is None else str(version)


class Configuration(TemplateObject):
    """`config`: writes nothing when called, and reads the node's configuration."""

    __slots__ = ("_scope",)
    readable: ClassVar[frozenset[str]] = frozenset(
        "get set require meta_get meta_require persist_relation_docs persist_column_docs".split()
    )

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def __call__(self, *args: Any, **kwargs: Any) -> str:
        for given in (*args, kwargs):
            if isinstance(given, dict):
                self._scope.configured |= given
        return ""

    def set(self, name: str, value: Any) -> str:
        """`config(name=value)`."""
        return self(**{name: value})

    def get(self, name: str, default: Any = None, validator: Any = None) -> Any:
        """The node's own setting, else *default*."""
        node = self._scope.node
        configured = self._scope.configured if node is None else node.config
        return deepcopy(configured[name]) if configured.get(name) is not None else default

    def require(self, name: str, validator: Any = None) -> Any:
        """The node's own setting, which must be there."""
        value = self.get(name)
        if value is None:
            raise TemplateError(f"config.require('{name}'): it is not configured", name=name)
        return value

    def meta_get(self, name: str, default: Any = None, validator: Any = None) -> Any:
        """An entry of `meta`."""
        meta = self.get("meta") or {}
        return meta.get(name, default)

    def meta_require(self, name: str, validator: Any = None) -> Any:
        """An entry of `meta`, which must be there."""
        return (self.get("meta") or {})[name]

    def persist_relation_docs(self) -> bool:
        """Whether descriptions of relations are written to the database."""
        return bool((self.get("persist_docs") or {}).get("relation"))

    def persist_column_docs(self) -> bool:
        """Whether descriptions of columns are written to the database."""
        return bool((self.get("persist_docs") or {}).get("columns"))


class Names(Mapping[str, Any]):
    """Every name that the template may use: dbt's own, then macros, then packages."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._found: dict[str, Any] = {}

    def __contains__(self, name: object) -> bool:
        return name in self._found or self._find(str(name)) is not _UNSET

    def __getitem__(self, name: str) -> Any:
        if name in self._found:
            return self._found[name]
        value = self._find(name)
        if value is _UNSET:
            raise KeyError(name)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter({**DBT_NAMES, **FUNCTIONS})

    def __len__(self) -> int:
        return len({**DBT_NAMES, **FUNCTIONS})

    def _find(self, name: str) -> Any:
        value = self._look_up(name)
        if value is not _UNSET:
            self._found[name] = value
        return value

    def _look_up(self, name: str) -> Any:
        scope = self._scope
        if name in DBT_NAMES:
            return DBT_NAMES[name](scope)
        if name in FUNCTIONS:
            return FUNCTIONS[name]
        if name in ASK_DATABASE:
            return Refused(database_error(name))
        if name in BELONG_TO_DBT:
            return Refused(dbt_error(name))
        library = scope.project.library
        macro = library.find(name, scope.package)
        if macro is not None:
            return scope.call_of(macro)
        if library.has_package(name):
            return Namespace(library, name, scope.call_of)
        return Refused(database_error(name)) if name in UNLESS_GIVEN else _UNSET


class ContextNames(TemplateObject):
    """`context` and `builtins`: names by name."""

    __slots__ = ("_names",)
    readable: ClassVar[frozenset[str]] = frozenset(["get"])

    def __init__(self, names: Mapping[str, Any]) -> None:
        self._names = names

    def __getitem__(self, name: str) -> Any:
        return self._names[name]

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def get(self, name: str, default: Any = None) -> Any:
        """What *name* is, else *default*."""
        return self._names.get(name, default)


def _model(scope: Scope) -> Any:
    node = scope.node
    return Refused(scope.this.error) if node is None else _described(node)


def _graph(scope: Scope) -> dict[str, dict[str, Any]]:
    """`graph`: the enabled resources of the run, as far as it keeps them; in the order of their ids."""
    found: dict[str, dict[str, Any]] = {section: {} for section in ("nodes", *_SECTIONS.values())}
    nodes = scope.project.nodes
    scope.project.spend(_STEPS_PER_NODE * len(nodes))
    for unique_id in sorted(nodes):
        node = nodes[unique_id]
        found[_SECTIONS.get(node.resource_type, "nodes")][unique_id] = _described(node)
    return found


_STEPS_PER_NODE = 50
_SECTIONS = {
    "source": "sources",
    "exposure": "exposures",
    "metric": "metrics",
    "group": "groups",
    "semantic_model": "semantic_models",
    "saved_query": "saved_queries",
    "unit_test": "unit_tests",
    "function": "functions",
}
"""Where `graph` has what is not among its `nodes`."""


def _described(node: NodeMetadata) -> dict[str, Any]:
    """*node* as templates see it, a copy."""
    return {
        "unique_id": node.unique_id,
        "name": node.name,
        "alias": node.identifier,
        "resource_type": node.resource_type,
        "package_name": node.package_name,
        "database": node.database_name,
        "schema": node.schema_name,
        "relation_name": node.relation_name,
        "original_file_path": node.path,
        "path": node.path.partition("/")[2],
        "fqn": list(node.fqn),
        "raw_code": node.raw_code,
        "raw_sql": node.raw_code,
        "language": node.language,
        "description": node.description,
        "config": deepcopy(node.config),
        "tags": list(node.tags),
        "meta": deepcopy(node.meta),
        "version": node.version,
        "columns": {
            column.name: {
                "name": column.name,
                "description": column.description,
                "data_type": column.documented_type,
                "meta": deepcopy(column.meta),
                "tags": list(column.tags),
            }
            for column in node.columns
        },
        "depends_on": {"nodes": list(node.parents), "macros": list(node.macros)},
        **({"source_name": node.source_name, "identifier": node.identifier} if node.source_name else {}),
        **deepcopy(node.properties),
    }


DBT_NAMES: Mapping[str, Callable[[Scope], Any]] = {
    "ref": lambda scope: scope.ref,
    "source": lambda scope: scope.source,
    "function": lambda scope: scope.function,
    "this": lambda scope: scope.this,
    "var": Variables,
    "env_var": lambda scope: scope.env_var,
    "config": Configuration,
    "target": Target,
    "env": Target,
    "execute": lambda scope: True,
    "is_incremental": lambda scope: lambda: scope.incremental,
    "should_full_refresh": lambda scope: lambda: False,
    "adapter": AdapterNames,
    "api": lambda scope: {"Relation": relation_class(scope), "Column": column_class(scope)},
    "exceptions": lambda scope: ExceptionNames(scope.warnings),
    "modules": lambda scope: modules(),
    "graph": _graph,
    "model": _model,
    "node": _model,
    "database": lambda scope: scope.node.database_name if scope.node else scope.project.target["database"],
    "schema": lambda scope: scope.node.schema_name if scope.node else scope.project.target["schema"],
    "project_name": lambda scope: scope.project.root,
    "context": lambda scope: ContextNames(scope.names),
    "builtins": lambda scope: ContextNames(
        {name: scope.names[name] for name in ("ref", "source", "var", "config", "env_var", *FUNCTIONS)}
    ),
    "flags": lambda scope: dict(scope.project.flags),
    "dbt_version": lambda scope: scope.project.dbt_version,
    "invocation_id": lambda scope: scope.project.invocation_id,
    "run_started_at": lambda scope: scope.project.run_started_at,
    "thread_id": lambda scope: "Thread-1",
    "selected_resources": lambda scope: [],
    "invocation_args_dict": lambda scope: {},
    "dbt_metadata_envs": lambda scope: {},
    "_dbt_generic_test_kwargs": lambda scope: _test_arguments(scope),
    "_dbt_schema_test_kwargs": lambda scope: _test_arguments(scope),  # before dbt 1.0
}
"""dbt's own names: https://docs.getdbt.com/reference/dbt-jinja-functions"""

UNLESS_GIVEN = frozenset(["load_relation", "load_cached_relation"])
"""Macros of dbt's that ask `adapter.get_relation`, which may know; without macros they ask the database."""


def _test_arguments(scope: Scope) -> Any:
    """The arguments of a generic test, which may be Jinja themselves."""
    metadata = scope.node.properties.get("test_metadata") if scope.node is not None else None
    if not isinstance(metadata, dict):
        return Refused(TemplateError("Only generic tests have arguments", name="_dbt_generic_test_kwargs"))
    return {
        key: value if key == "column_name" else _evaluated(value, scope)
        for key, value in (metadata.get("kwargs") or {}).items()
    }


def _evaluated(value: Any, scope: Scope) -> Any:
    """*value* with all text in it rendered; a bare `ref(…)` in YAML counts as Jinja, as dbt has it."""
    if isinstance(value, str):
        return scope.evaluate(f"{{{{ {value} }}}}" if _BARE_CALL.match(value) else value, scope)
    if isinstance(value, dict):
        return {key: _evaluated(entry, scope) for key, entry in value.items()}
    return [_evaluated(entry, scope) for entry in value] if isinstance(value, list) else value
