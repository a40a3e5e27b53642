"""`adapter`, `api` and `exceptions`, as far as they need no database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from recce_meta.errors import TemplateError
from recce_meta.render.attributes import TemplateObject
from recce_meta.render.refusal import database_error, not_recorded
from recce_meta.render.relation import (
    QUOTE_CHARACTERS,
    UNQUOTED,
    Relation,
    StoredColumn,
    relation_of,
    stored_columns,
    warn_of_defaults,
)

if TYPE_CHECKING:
    from recce_meta.render.names import Scope


class AdapterNames(TemplateObject):
    """`adapter`: dispatch, quoting, and the columns that a recorded catalog knows."""

    __slots__ = ("Relation", "_scope")
    readable: ClassVar[frozenset[str]] = frozenset(
        "type dispatch quote quote_as_configured get_columns_in_relation get_relation Relation".split()
    )

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self.Relation = relation_class(scope)

    def type(self) -> str:
        """The adapter's name."""
        return self._scope.project.adapter_type

    def quote(self, identifier: str) -> str:
        """*identifier*, quoted."""
        warn_of_defaults(self.type(), "quotes of names", self._scope.warn_once)
        return _quote(self.type(), identifier)

    def quote_as_configured(self, identifier: str, quote_key: str = "identifier") -> str:
        """*identifier*, quoted where dbt quotes it by default."""
        return identifier if self.type() in UNQUOTED else self.quote(identifier)

    def dispatch(
        self, macro_name: str, macro_namespace: str | None = None, packages: list[str] | None = None
    ) -> Any:
        """The macro of this adapter for *macro_name*."""
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
        found = library.dispatched(macro_name, searched, scope.package)
        if found.name == f"default__{macro_name}":
            warn_of_defaults(self.type(), f"macros such as {found.name}", scope.warn_once)
        return scope.call_of(found)

    def get_relation(
        self, database: str | None = None, schema: str | None = None, identifier: str | None = None
    ) -> Relation:
        """The relation at that place, where a recorded catalog says that it exists."""
        node = self._scope.project.node_at(database, schema, identifier)
        if node is None or node.columns_from != "catalog":
            error = database_error("adapter.get_relation")
            if node is not None:
                error = not_recorded(f"Whether {node.relation_name} exists is not recorded", "get_relation")
            raise error
        return relation_of(node, self.type(), of_database=True)

    def get_columns_in_relation(self, relation: Any) -> list[StoredColumn]:
        """The columns of *relation*, where its run was recorded with a catalog."""
        node = relation.node if isinstance(relation, Relation) else None
        if node is None or node.columns_from != "catalog":
            if node is None:
                raise database_error("adapter.get_columns_in_relation")
            raise not_recorded(f"The columns of {relation} are not recorded", "get_columns_in_relation")
        return stored_columns(node.columns, self.type(), self._scope.warn_once)

    def refuse(self, name: str) -> TemplateError | None:
        """Everything else asks the database."""
        return None if name.startswith("_") else database_error(f"adapter.{name}")


def _quote(adapter_type: str, identifier: str) -> str:
    quote = QUOTE_CHARACTERS.get(adapter_type, '"')
    return f"{quote}{identifier}{quote}"


def relation_class(scope: Scope) -> dict[str, Callable[..., Any]]:
    """`api.Relation`: `create`."""
    adapter_type = scope.project.adapter_type

    def create(
        database: str | None = None,
        schema: str | None = None,
        identifier: str | None = None,
        type: str | None = None,
        **_: Any,
    ) -> Relation:
        warn_of_defaults(adapter_type, "quotes of names", scope.warn_once)
        return Relation(
            database,
            schema,
            identifier,
            kind=type,
            quoted=(adapter_type not in UNQUOTED,) * 3,
            quote_with=QUOTE_CHARACTERS.get(adapter_type, '"'),
            node=scope.project.node_at(database, schema, identifier),
        )

    return {"create": create}


_LABELS: Mapping[str, Mapping[str, str]] = {
    "bigquery": {"TEXT": "STRING", "FLOAT": "FLOAT64", "INTEGER": "INT64"},
    "databricks": {"LONG": "BIGINT"},
    "spark": {"LONG": "BIGINT"},
    "": {"STRING": "TEXT"},
}
"""`Column.TYPE_LABELS` of dbt's adapters; any other name of a type is what it says."""
_COMMON_BEFORE = {name: name for name in ("STRING", "TIMESTAMP", "BOOLEAN")}
_LABELS_BEFORE: Mapping[str, Mapping[str, str]] = {
    "bigquery": {**_COMMON_BEFORE, "FLOAT": "FLOAT64", "INTEGER": "INT64", "RECORD": "RECORD"},
    "": {**_COMMON_BEFORE, "STRING": "TEXT", "FLOAT": "FLOAT", "INTEGER": "INT"},
}
"""The same before dbt 1.7, in capitals."""
_LABELS_SINCE = (1, 7)


def _labels(adapter_type: str, version: tuple[int, int]) -> Mapping[str, str]:
    if version < _LABELS_SINCE and adapter_type not in ("databricks", "spark"):
        return _LABELS_BEFORE.get(adapter_type, _LABELS_BEFORE[""])
    return _LABELS.get(adapter_type, _LABELS[""])


def column_class(scope: Scope) -> dict[str, Callable[..., Any]]:
    """`api.Column`: types by their general names."""
    adapter_type = scope.project.adapter_type
    labels = _labels(adapter_type, scope.project.version)

    def translate_type(dtype: str) -> str:
        warn_of_defaults(adapter_type, "names of types", scope.warn_once)
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
    """`exceptions`: what a template raises is an error of the template."""

    __slots__ = ("_warnings",)
    readable: ClassVar[frozenset[str]] = frozenset(["raise_compiler_error", "warn", "raise_not_implemented"])

    def __init__(self, warnings: list[str]) -> None:
        self._warnings = warnings

    def raise_compiler_error(self, msg: object = "", node: object = None) -> NoReturn:
        """Stop with *msg*."""
        raise TemplateError(
            str(msg), name="raise_compiler_error", hint="the template itself raises this, for its own reasons"
        )

    raise_not_implemented = raise_compiler_error

    def warn(self, msg: object = "", node: object = None) -> str:
        """Keep *msg* for the caller of the renderer."""
        self._warnings.append(str(msg))
        return ""

    def refuse(self, name: str) -> TemplateError | None:
        """The errors that only dbt raises."""
        return None if name.startswith("_") else database_error(f"exceptions.{name}")
