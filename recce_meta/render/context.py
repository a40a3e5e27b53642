"""Template context: dbt's names, each created when it is first used.

The objects `adapter`, `api` and `exceptions` have only the parts that work without a database.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from typing import Any, ClassVar, NoReturn

from recce_meta.errors import TemplateError, quoted
from recce_meta.models import MacroMetadata, NodeMetadata
from recce_meta.models.node import GRAPH_SECTIONS
from recce_meta.render.functions import FUNCTIONS, modules
from recce_meta.render.macros import FIXED, MacroCall, Namespace
from recce_meta.render.objects import (
    ASK_DATABASE,
    BELONG_TO_DBT,
    RAISING,
    Refused,
    TemplateObject,
    database_error,
    dbt_error,
    not_recorded,
)
from recce_meta.render.project import RenderProject, Target, TextScope, Variables
from recce_meta.render.relation import (
    Relation,
    RelationStyle,
    StoredColumn,
    cte_of,
    is_quoted,
    quote_character,
    relation_of,
    stored_columns,
    warn_of_defaults,
)


class AdapterNames(TemplateObject):
    """`adapter`: dispatch, quoting, and columns from a recorded catalog."""

    __slots__ = ("Relation", "_scope")
    readable: ClassVar[frozenset[str]] = frozenset(
        "type dispatch quote quote_as_configured get_columns_in_relation get_relation Relation".split()
    )

    def __init__(self, scope: RenderScope) -> None:
        self._scope = scope
        self.Relation = relation_class(scope)

    def type(self) -> str:
        """Return the adapter's name."""
        return self._scope.project.adapter_type

    def quote(self, identifier: str) -> str:
        """Return *identifier*, quoted."""
        warn_of_defaults(self.type(), "identifier quotes", self._scope.warn_once)
        return _quote(self.type(), identifier)

    def quote_as_configured(self, identifier: str, quote_key: str = "identifier") -> str:
        """Return *identifier*, quoted if dbt quotes it by default."""
        return self.quote(identifier) if is_quoted(self.type()) else identifier

    def dispatch(
        self, macro_name: str, macro_namespace: str | None = None, packages: list[str] | None = None
    ) -> Any:
        """Return the adapter-specific macro for *macro_name*."""
        scope = self._scope
        library = scope.project.library
        settings = scope.project.settings
        configured = settings.search_orders.get(macro_namespace or "") if settings is not None else None
        searched: list[str | None]
        if packages is not None:  # before dbt 0.20
            searched = [*packages, None]
        elif macro_namespace is not None and configured:
            searched = [*configured]
        elif macro_namespace is not None and library.has_package(macro_namespace):
            searched = [library.root, macro_namespace] if library.root is not None else [macro_namespace]
        else:
            searched = [None]
        try:
            found = library.dispatched(macro_name, searched, scope.package)
        except TemplateError as error:
            # dbt_project.yml may name other packages to search.
            error.is_broken = error.is_broken and (settings is not None or macro_namespace is None)
            raise
        if found.name == f"default__{macro_name}":
            warn_of_defaults(self.type(), f"macros such as {found.name}", scope.warn_once)
        return scope.call_of(found)

    def get_relation(
        self, database: str | None = None, schema: str | None = None, identifier: str | None = None
    ) -> Relation:
        """Return the relation if a recorded catalog contains it; else raise TemplateError."""
        node = self._scope.project.node_at(database, schema, identifier)
        if node is None or node.columns_from != "catalog":
            error = database_error("adapter.get_relation")
            if node is not None:
                error = not_recorded(
                    f"The run does not record whether {node.relation_name} exists", "get_relation"
                )
            raise error
        return relation_of(node, self.type(), of_database=True)

    def get_columns_in_relation(self, relation: Any) -> list[StoredColumn]:
        """Return the columns of *relation* from its run's catalog; raise TemplateError without a catalog."""
        node = relation.node if isinstance(relation, Relation) else None
        if node is None or node.columns_from != "catalog":
            if node is None:
                raise database_error("adapter.get_columns_in_relation")
            raise not_recorded(
                f"The run does not record the columns of {relation}", "get_columns_in_relation"
            )
        return stored_columns(node.columns, self.type(), self._scope.warn_once)

    def refuse(self, name: str) -> TemplateError | None:
        """Return the error for every other attribute, because it queries the database."""
        return None if name.startswith("_") else database_error(f"adapter.{name}")


def _quote(adapter_type: str, identifier: str) -> str:
    quote = quote_character(adapter_type)
    return f"{quote}{identifier}{quote}"


def relation_class(scope: RenderScope) -> dict[str, Callable[..., Any]]:
    """Return `api.Relation`, which supports `create`."""
    adapter_type = scope.project.adapter_type

    def create(
        database: str | None = None,
        schema: str | None = None,
        identifier: str | None = None,
        type: str | None = None,
        **_: Any,
    ) -> Relation:
        warn_of_defaults(adapter_type, "identifier quotes", scope.warn_once)
        return Relation(
            database,
            schema,
            identifier,
            kind=type,
            style=RelationStyle((is_quoted(adapter_type),) * 3, quote_with=quote_character(adapter_type)),
            node=scope.project.node_at(database, schema, identifier),
        )

    return {"create": create}


_LABELS: Mapping[str, Mapping[str, str]] = {
    "bigquery": {"TEXT": "STRING", "FLOAT": "FLOAT64", "INTEGER": "INT64"},
    "databricks": {"LONG": "BIGINT"},
    "spark": {"LONG": "BIGINT"},
    "": {"STRING": "TEXT"},
}
"""`Column.TYPE_LABELS` of dbt's adapters; type names that are not listed stay unchanged."""
_COMMON_BEFORE = {name: name for name in ("STRING", "TIMESTAMP", "BOOLEAN")}
_LABELS_BEFORE: Mapping[str, Mapping[str, str]] = {
    "bigquery": {**_COMMON_BEFORE, "FLOAT": "FLOAT64", "INTEGER": "INT64", "RECORD": "RECORD"},
    "": {**_COMMON_BEFORE, "STRING": "TEXT", "FLOAT": "FLOAT", "INTEGER": "INT"},
}
"""Type labels before dbt 1.7, in upper case."""
_LABELS_SINCE = (1, 7)


def _labels(adapter_type: str, version: tuple[int, int]) -> Mapping[str, str]:
    if version < _LABELS_SINCE and adapter_type not in ("databricks", "spark"):
        return _LABELS_BEFORE.get(adapter_type, _LABELS_BEFORE[""])
    return _LABELS.get(adapter_type, _LABELS[""])


def column_class(scope: RenderScope) -> dict[str, Callable[..., Any]]:
    """Return `api.Column`, which translates generic type names."""
    adapter_type = scope.project.adapter_type
    labels = _labels(adapter_type, scope.project.version)

    def translate_type(dtype: str) -> str:
        warn_of_defaults(adapter_type, "type names", scope.warn_once)
        label = labels.get(dtype.upper(), dtype)
        return label.lower() if adapter_type == "databricks" else label

    def create(name: str, label_or_dtype: str) -> StoredColumn:
        return StoredColumn(name, translate_type(label_or_dtype), adapter_type, scope.warn_once)

    return {
        "translate_type": translate_type,
        "create": create,
        "string_type": lambda size: f"character varying({size})",
        "numeric_type": lambda dtype, precision=None, scale=None: (
            dtype if precision is None or scale is None else f"{dtype}({precision},{scale})"
        ),
    }


class ExceptionNames(TemplateObject):
    """`exceptions`: errors and warnings raised by a template."""

    __slots__ = ("_warnings",)
    readable: ClassVar[frozenset[str]] = frozenset(["raise_compiler_error", "warn", "raise_not_implemented"])

    def __init__(self, warnings: list[str]) -> None:
        self._warnings = warnings

    def raise_compiler_error(self, msg: object = "", node: object = None) -> NoReturn:
        """Raise TemplateError with *msg*."""
        raise TemplateError(str(msg), name=RAISING, hint="the template itself raises this error")

    raise_not_implemented = raise_compiler_error

    def warn(self, msg: object = "", node: object = None) -> str:
        """Add *msg* to the renderer's warnings."""
        self._warnings.append(str(msg))
        return ""

    def refuse(self, name: str) -> TemplateError | None:
        """Return the error for exceptions that only dbt provides."""
        return None if name.startswith("_") else database_error(f"exceptions.{name}")


_UNSET: Any = object()
_BARE_CALL = re.compile(r"\s*(?:env_var|ref|var|source|doc)\s*\(.+\)\s*$")


class RenderScope(TextScope):
    """State of one text being rendered: its node, and the nodes and settings used so far."""

    def __init__(
        self,
        project: RenderProject,
        node: NodeMetadata | None,
        package: str | None,
        *,
        incremental: bool,
        evaluate: Callable[[str, RenderScope], Any],
        warnings: list[str],
    ) -> None:
        super().__init__(project, node, package, evaluate, warnings)
        self.incremental = incremental
        self.ephemeral: dict[str, NodeMetadata] = {}
        """Ephemeral models that the text references, in order."""
        self.names = DbtContext(self)
        self._calls: dict[str, MacroCall] = {}
        self.parents: set[str] = set()
        """Unique ids of the nodes that the text references."""
        self.configured: dict[str, Any] = {}
        """Settings passed to `config()`."""

    def ref(self, *args: Any, **kwargs: Any) -> Relation:
        """Return the relation for `ref`."""
        name, package, version = _ref_arguments(args, kwargs)
        return self.relation(self.project.lookup.ref(name, package, version, self.package))

    def source(self, *args: Any) -> Relation:
        """Return the relation for `source`."""
        if len(args) != 2 or not all(isinstance(arg, str) for arg in args):
            raise TemplateError(
                f"source() takes two names, not {len(args)}", name="source", hint="source('source', 'table')"
            )
        return self.relation(self.project.lookup.source(args[0], args[1], self.package))

    def function(self, *args: Any) -> Relation:
        """Return the relation for `function`."""
        name, package, _ = _ref_arguments(args, {})
        return self.relation(self.project.lookup.function(name, package, self.package))

    def relation(self, node: NodeMetadata) -> Relation:
        """Return the relation that represents *node* in the text, and add the node to `parents`."""
        self.parents.add(node.unique_id)
        if node.is_ephemeral:
            self.ephemeral.setdefault(node.unique_id, node)
            return cte_of(self.project.cte_name(node), node)
        return relation_of(node, self.project.adapter_type)

    def call_of(self, macro: MacroMetadata) -> Any:
        """Return *macro* as a callable for this text."""
        if macro.name in FIXED:
            return self.names[macro.name]
        found = self._calls.get(macro.unique_id)
        if found is None:
            found = self._calls[macro.unique_id] = MacroCall(self.project.library, macro, self.names)
        return found

    def is_incremental(self) -> bool:
        """Return the value that the caller chose."""
        self.project.note_unknown()
        return self.incremental

    def env_var(self, name: str, default: str | None = None) -> str:
        """Return the value of `env_var` from the environment passed to the renderer."""
        self.project.note_unknown()
        _check_name("env_var", name)
        if name.startswith("DBT_ENV_SECRET"):
            raise TemplateError(
                f"'{name}' is a secret and cannot be used in a query",
                name=name,
                hint="use secrets only in profiles.yml",
            )
        value = self.project.environ.get(name, default)
        if value is None:
            raise TemplateError(
                f"Environment variable '{name}' is not set",
                name=name,
                hint=f"set it, or pass a default: env_var('{name}', '…')",
            )
        return value

    @property
    def this(self) -> Any:
        """The value of `this`."""
        if self.node is None:
            return Refused(
                TemplateError(
                    "'this' is not available: the text does not belong to a node",
                    name="this",
                    hint="name the node: --node on the command line, or render(sql, node=…) in Python",
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
    """`config`: returns an empty string when called, and reads the node's configuration."""

    __slots__ = ("_scope",)
    readable: ClassVar[frozenset[str]] = frozenset(
        "get set require meta_get meta_require persist_relation_docs persist_column_docs".split()
    )

    def __init__(self, scope: RenderScope) -> None:
        self._scope = scope

    def __call__(self, *args: Any, **kwargs: Any) -> str:
        for given in (*args, kwargs):
            if isinstance(given, dict):
                self._scope.configured |= given
        return ""

    def set(self, name: str, value: Any) -> str:
        """Store one setting, as `config(name=value)` does."""
        return self(**{name: value})

    def get(self, name: str, default: Any = None, validator: Any = None) -> Any:
        """Return the node's setting *name*, else *default*."""
        node = self._scope.node
        configured = self._scope.configured if node is None else node.config
        return deepcopy(configured[name]) if configured.get(name) is not None else default

    def require(self, name: str, validator: Any = None) -> Any:
        """Return the node's setting *name*; raise TemplateError if it is missing."""
        value = self.get(name)
        if value is None:
            raise TemplateError(f"config.require('{name}'): the setting is not configured", name=name)
        return value

    def meta_get(self, name: str, default: Any = None, validator: Any = None) -> Any:
        """Return an entry of `meta`, else *default*."""
        meta = self.get("meta") or {}
        return meta.get(name, default)

    def meta_require(self, name: str, validator: Any = None) -> Any:
        """Return an entry of `meta`; raise KeyError if it is missing."""
        return (self.get("meta") or {})[name]

    def persist_relation_docs(self) -> bool:
        """Return True if descriptions of relations are written to the database."""
        return bool((self.get("persist_docs") or {}).get("relation"))

    def persist_column_docs(self) -> bool:
        """Return True if descriptions of columns are written to the database."""
        return bool((self.get("persist_docs") or {}).get("columns"))


class DbtContext(Mapping[str, Any]):
    """Mapping of all names that the template may use: dbt's names, then macros, then packages."""

    def __init__(self, scope: RenderScope) -> None:
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
        if name not in FIXED and (own := scope.project.library.find_own(name, scope.package)) is not None:
            return scope.call_of(own)
        if name in DBT_NAMES:
            if name not in _KNOWN_NAMES:
                scope.project.note_unknown()
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
    """`context` and `builtins`: lookup of template names by key."""

    __slots__ = ("_names",)
    readable: ClassVar[frozenset[str]] = frozenset(["get"])

    def __init__(self, names: Mapping[str, Any]) -> None:
        self._names = names

    def __getitem__(self, name: str) -> Any:
        return self._names[name]

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value of *name*, else *default*."""
        return self._names.get(name, default)


def _model(scope: RenderScope) -> Any:
    node = scope.node
    return Refused(scope.this.error) if node is None else _described(node)


def _graph(scope: RenderScope) -> dict[str, dict[str, Any]]:
    """Return `graph`: the run's enabled resources that are stored, ordered by unique id."""
    found: dict[str, dict[str, Any]] = {section: {} for section in ("nodes", *GRAPH_SECTIONS.values())}
    nodes = scope.project.nodes
    scope.project.spend(_STEPS_PER_NODE * len(nodes))
    for unique_id in sorted(nodes):
        node = nodes[unique_id]
        found[GRAPH_SECTIONS.get(node.resource_type, "nodes")][unique_id] = _described(node)
    return found


_STEPS_PER_NODE = 50


def _described(node: NodeMetadata) -> dict[str, Any]:
    """Return *node* as a dictionary for templates; its values are copies."""
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


DBT_NAMES: Mapping[str, Callable[[RenderScope], Any]] = {
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
    "is_incremental": lambda scope: scope.is_incremental,
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
        {
            **{name: DBT_NAMES[name](scope) for name in ("ref", "source", "var", "config", "env_var")},
            **FUNCTIONS,
        }
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

_KNOWN_NAMES = frozenset(
    "ref source function this var env_var config target env execute is_incremental adapter exceptions "
    "context builtins project_name".split()
)
"""dbt's names with the value of dbt, or whose uses are noted."""

UNLESS_GIVEN = frozenset(["load_relation", "load_cached_relation"])
"""dbt macros that call `adapter.get_relation`; they need the database if the run has no macros."""


def _test_arguments(scope: RenderScope) -> Any:
    """Return the arguments of a generic test, rendered if they contain Jinja."""
    metadata = scope.node.properties.get("test_metadata") if scope.node is not None else None
    if not isinstance(metadata, dict):
        return Refused(
            TemplateError("Only generic tests have test arguments", name="_dbt_generic_test_kwargs")
        )
    return {
        key: value if key == "column_name" else _evaluated(value, scope)
        for key, value in (metadata.get("kwargs") or {}).items()
    }


def _evaluated(value: Any, scope: RenderScope) -> Any:
    """Return *value* with all strings rendered; a bare `ref(…)` in YAML counts as Jinja, as in dbt."""
    if isinstance(value, str):
        return scope.evaluate(f"{{{{ {value} }}}}" if _BARE_CALL.match(value) else value, scope)
    if isinstance(value, dict):
        return {key: _evaluated(entry, scope) for key, entry in value.items()}
    return [_evaluated(entry, scope) for entry in value] if isinstance(value, list) else value
