"""Relation and column objects for templates, and the nodes that `ref`, `source` and `function` name.

A plain name is searched first in the package of the calling node, then in the root project, then in all
other packages: https://docs.getdbt.com/reference/dbt-jinja-functions/ref
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from heapq import nlargest
from itertools import pairwise
from typing import Any, ClassVar, NamedTuple

from recce_meta.errors import TemplateError
from recce_meta.models import Column, NodeMetadata
from recce_meta.models.node_types import BUILT
from recce_meta.render.objects import TemplateObject, database_error
from recce_meta.warehouses import Warehouse, warehouse_of_adapter

PARTS = ("database", "schema", "identifier")

_QUOTED_LIKE = {"spark": "databricks"}
"""Adapters without a warehouse, by the adapter that has the same quotes."""

_PART = re.compile(r'"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|[^.]+')


def _warehouse_of(adapter_type: str) -> Warehouse | None:
    return warehouse_of_adapter(_QUOTED_LIKE.get(adapter_type, adapter_type))


def quote_character(adapter_type: str) -> str:
    """Return dbt's `quote_character` of relations."""
    return (_warehouse_of(adapter_type) or Warehouse).quote_character


def is_quoted(adapter_type: str) -> bool:
    """Return True if dbt quotes relations by default."""
    return (_warehouse_of(adapter_type) or Warehouse).quotes_relations


def warn_of_defaults(adapter_type: str, what: str, warn_once: Callable[[str], None]) -> None:
    """Warn that *what* follows dbt's defaults if the rules of *adapter_type* are not known."""
    if adapter_type and _warehouse_of(adapter_type) is None:
        warn_once(f"Adapter '{adapter_type}' is not supported: {what} follow dbt's defaults")


class RelationStyle(NamedTuple):
    """Parts of a relation's text, for database, schema and identifier, and how they are quoted."""

    quoted: tuple[bool, ...] = (True, True, True)
    included: tuple[bool, ...] = (True, True, True)
    quote_with: str = '"'


AS_DBT = RelationStyle()


class Relation(TemplateObject):
    """Relation of a node; its text is the same as dbt's."""

    __slots__ = (
        "_text",
        "database",
        "identifier",
        "kind",
        "node",
        "schema",
        "style",
    )
    readable: ClassVar[frozenset[str]] = frozenset(
        "database schema identifier name table alias type include quote render without_identifier is_table "
        "is_view is_cte is_pointer replace_path incorporate get".split()
    )

    is_mapping: ClassVar[bool] = True

    def __init__(
        self,
        database: str | None,
        schema: str | None,
        identifier: str | None,
        *,
        kind: str | None = None,
        text: str | None = None,
        style: RelationStyle = AS_DBT,
        node: NodeMetadata | None = None,
    ) -> None:
        self.database, self.schema, self.identifier = database, schema, identifier
        self.kind = kind
        self._text = text
        """The relation as dbt wrote it; None if it is built from its parts."""
        self.style, self.node = style, node

    def __str__(self) -> str:
        return self.render()

    def __repr__(self) -> str:
        return f"<Relation {self.render()}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Relation) and self.render() == other.render()

    def __hash__(self) -> int:
        return hash(self.render())

    def __html__(self) -> str:
        return self.render()

    def render(self) -> str:
        """Return the text of the relation."""
        if self._text is not None:
            return self._text
        quoted, included, quote = self.style
        parts = zip((self.database, self.schema, self.identifier), included, quoted, strict=True)
        return ".".join(
            f"{quote}{part}{quote}" if is_quoted else part
            for part, is_included, is_quoted in parts
            if is_included and part
        )

    @property
    def name(self) -> str | None:
        """The identifier; dbt has both names."""
        return self.identifier

    table = alias = name

    @property
    def type(self) -> str | None:
        """`table`, `view`, `cte` or `external`; None for a source or if unknown."""
        return self.kind

    @property
    def is_table(self) -> bool:
        """True if it is a table."""
        return self.kind == "table"

    @property
    def is_view(self) -> bool:
        """True if it is a view."""
        return self.kind == "view"

    @property
    def is_cte(self) -> bool:
        """True if it is an ephemeral model's CTE."""
        return self.kind == "cte"

    is_pointer = False

    def include(
        self, database: bool | None = None, schema: bool | None = None, identifier: bool | None = None
    ) -> Relation:
        """Return the relation with some of its parts included or left out."""
        included = _merged(self.style.included, (database, schema, identifier))
        return self._changed(style=self.style._replace(included=included))

    def quote(
        self, database: bool | None = None, schema: bool | None = None, identifier: bool | None = None
    ) -> Relation:
        """Return the relation with quoting of some parts switched on or off."""
        quoted = _merged(self.style.quoted, (database, schema, identifier))
        return self._changed(style=self.style._replace(quoted=quoted))

    def without_identifier(self) -> Relation:
        """Return the relation's schema."""
        return self._changed(identifier=None)

    def replace_path(self, **parts: str | None) -> Relation:
        """Return the relation with some parts replaced."""
        return self._changed(**{part: value for part, value in parts.items() if part in PARTS})

    def incorporate(self, path: dict[str, str | None] | None = None, type: str | None = None) -> Relation:
        """Return the relation with some parts, or its type, replaced."""
        changed = self.replace_path(**(path or {}))
        changed.kind = type or self.kind
        return changed

    def get(self, key: str, default: object = None) -> object:
        """Return a part of the relation; `metadata` is the key by which packages recognise a relation."""
        if key == "metadata":
            return {"type": "Relation"}
        return getattr(self, key, default) if key in self.readable else default

    def refuse(self, name: str) -> TemplateError | None:
        """Return the error for members that need a database, else None."""
        if name in ("information_schema", "information_schema_only", "can_exchange", "matches"):
            return database_error(f"relation.{name}")
        return None

    def _changed(self, **changes: object) -> Relation:
        names = ("database", "schema", "identifier", "kind", "style", "node")
        settings: dict[str, Any] = {name: getattr(self, name) for name in names}
        return Relation(**{**settings, **changes})


def _merged(old: tuple[bool, ...], new: tuple[bool | None, ...]) -> tuple[bool, ...]:
    return tuple(before if after is None else bool(after) for before, after in zip(old, new, strict=True))


_KINDS = {"table": "table", "incremental": "table", "seed": "table", "snapshot": "table", "view": "view"}


def relation_of(node: NodeMetadata, adapter_type: str, *, of_database: bool = False) -> Relation:
    """Return the relation of *node*: as dbt wrote it, else built with dbt's default quoting.

    With *of_database*, the relation has a type, derived from the node's materialization.
    """
    text = node.relation_name
    return Relation(
        node.database_name,
        node.schema_name,
        node.identifier or node.name,
        kind=_KINDS.get(node.materialized or "", "table") if of_database else None,
        text=text,
        style=RelationStyle(
            _quoted_parts(text) if text else (is_quoted(adapter_type),) * 3,
            _included_parts(text) if text else (True, True, True),
            quote_character(adapter_type),
        ),
        node=node,
    )


def _quoted_parts(text: str) -> tuple[bool, bool, bool]:
    """Return which parts of the relation *text* are quoted; all if *text* has more than three parts."""
    marks = [part[0] in '"`[' for part in _PART.findall(text)]
    if not 1 <= len(marks) <= 3:
        return True, True, True
    # Parts that the text lacks are seen only after `include`, and are then quoted as the first one.
    first, second, third = [marks[0]] * (3 - len(marks)) + marks
    return first, second, third


def _included_parts(text: str) -> tuple[bool, bool, bool]:
    count = len(_PART.findall(text))
    return count != 2 and count != 1, count != 1, True


def cte_of(name: str, node: NodeMetadata) -> Relation:
    """Return the CTE of the ephemeral model *node*."""
    return Relation(None, None, name, kind="cte", style=RelationStyle((False,) * 3), node=node)


def _ignore(_: str) -> None:
    """Discard a warning."""


class StoredColumn(TemplateObject):
    """Column from the recorded catalog, with the members of dbt's `Column` that need no database.

    The rules follow each adapter's `Column`; gaps in the rules or the catalog are passed to `warn_once`.
    https://github.com/dbt-labs/dbt-adapters (dbt/adapters/*/column.py)
    """

    __slots__ = ("_adapter", "_type", "_warn_once", "column", "dtype", "name")
    readable: ClassVar[frozenset[str]] = frozenset(
        "name column quoted dtype data_type is_string is_number is_numeric is_integer is_float "
        "char_size string_size literal".split()
    )

    def __init__(
        self, name: str, data_type: str, adapter_type: str, warn_once: Callable[[str], None] = _ignore
    ) -> None:
        self.name = self.column = name
        self.dtype = data_type.partition("(")[0].strip()
        if adapter_type == "snowflake" and self.dtype == "TEXT":
            # dbt uses DESCRIBE TABLE, which names the type differently than the catalog's information_schema.
            self.dtype = "VARCHAR"
        self._type, self._adapter, self._warn_once = data_type, adapter_type, warn_once

    @property
    def data_type(self) -> str:
        """The type as written in DDL."""
        if self._adapter in _TEXT_SIZES and self.is_string():
            return f"character varying({self.string_size()})"
        if self._adapter == "snowflake" and self.is_numeric() and "(" not in self._type:
            self._warn_of_size("precision")
        return self._type

    @property
    def quoted(self) -> str:
        """The quoted name."""
        warn_of_defaults(self._adapter, "identifier quotes", self._warn_once)
        quote = quote_character(self._adapter)
        return f"{quote}{self.name}{quote}"

    def is_string(self) -> bool:
        """Return True if the type holds text."""
        return self._is(_STRINGS)

    @property
    def char_size(self) -> int | None:
        """The length in the type; None if it has none."""
        length = re.fullmatch(r"[^(]*\((\d+)\)", self._type) if self.is_string() else None
        if length is None and self._adapter == "snowflake" and self.is_string():
            self._warn_of_size("length")
        return int(length[1]) if length else None

    def string_size(self) -> int:
        """Return the text length in the type, else the adapter's default."""
        return self.char_size or _TEXT_SIZES.get(self._adapter, _DEFAULT_TEXT_SIZE)

    def literal(self, value: object) -> str:
        """Return *value* cast to the column's type."""
        return f"{value}::{self.data_type}"

    def is_integer(self) -> bool:
        """Return True if the type holds whole numbers; on Snowflake always False, as in dbt."""
        return self._adapter != "snowflake" and self._is(_INTEGERS)

    def is_float(self) -> bool:
        """Return True if the type is binary floating point."""
        return self._is(_FLOATS)

    def is_numeric(self) -> bool:
        """Return True if the type is decimal."""
        return self._is(_SNOWFLAKE_NUMBERS if self._adapter == "snowflake" else _NUMBERS)

    def is_number(self) -> bool:
        """Return True if the type is numeric of any kind."""
        return self.is_integer() or self.is_float() or self.is_numeric()

    def _is(self, types: frozenset[str]) -> bool:
        warn_of_defaults(self._adapter, "type names", self._warn_once)
        return self.dtype.lower() in types

    def _warn_of_size(self, size: str) -> None:
        self._warn_once(
            f"Snowflake's catalog.json has no {size} of columns: the type of '{self.name}' has none, "
            "or the maximum"
        )

    def __str__(self) -> str:
        return f"<Column {self.name} ({self.data_type})>"

    __repr__ = __str__


# The type names below are those in dbt's own Column class, for all warehouses.
_DEFAULT_TEXT_SIZE = 256
_TEXT_SIZES = {"duckdb": _DEFAULT_TEXT_SIZE, "redshift": _DEFAULT_TEXT_SIZE, "snowflake": 16_777_216}
"""Default text length, by adapter whose `Column.data_type` adds one."""
_STRINGS = frozenset(["text", "character varying", "character", "varchar", "string", "char", "nvarchar"])
_INTEGERS = frozenset(
    "smallint integer bigint smallserial serial bigserial int2 int4 int8 int tinyint hugeint int64".split()
)
_NUMBERS = frozenset(["numeric", "decimal"])
_SNOWFLAKE_NUMBERS = _NUMBERS | frozenset("int integer bigint smallint tinyint byteint number".split())
_FLOATS = frozenset(["real", "float4", "float", "double precision", "float8", "double", "float64"])


def stored_columns(
    columns: Iterable[Column], adapter_type: str, warn_once: Callable[[str], None] = _ignore
) -> list[StoredColumn]:
    """Return *columns* for a template, in their order."""
    return [StoredColumn(column.name, column.type or "", adapter_type, warn_once) for column in columns]


class NodeLookup:
    """Index of nodes by the names that templates use."""

    def __init__(self, nodes: Iterable[NodeMetadata], root: str | None) -> None:
        self._root = root
        self._refs: dict[str, list[NodeMetadata]] = defaultdict(list)
        self._versions: dict[str, list[str]] = defaultdict(list)
        self._sources: dict[tuple[str, str], list[NodeMetadata]] = defaultdict(list)
        self._functions: dict[str, list[NodeMetadata]] = defaultdict(list)
        newest: dict[tuple[str, str], NodeMetadata] = {}
        for node in nodes:
            self._add(node, newest)
        # A `ref` without a version means the latest one.
        for node in newest.values():
            self._refs[node.name].append(node)

    def _add(self, node: NodeMetadata, newest: dict[tuple[str, str], NodeMetadata]) -> None:
        if node.resource_type == "source":
            self._sources[node.source_name or "", node.name].append(node)
        elif node.resource_type == "function":
            self._functions[node.name].append(node)
        elif node.resource_type in BUILT:
            if node.version is None:
                self._refs[node.name].append(node)
                return
            self._refs[f"{node.name}.v{node.version}"].append(node)
            self._versions[node.name].append(node.version)
            key = node.package_name, node.name
            latest = node.properties.get("latest_version")
            if latest is not None:
                if str(latest) == node.version:
                    newest[key] = node
            # Older manifests, or hand-written nodes, may not name the latest version.
            elif key not in newest or _rank(node.version) > _rank(newest[key].version or ""):
                newest[key] = node

    def ref(self, name: str, package: str | None, version: str | None, asking: str | None) -> NodeMetadata:
        """Return the node of `ref(package, name, version=version)` in a template of the package *asking*."""
        key = name if version is None else f"{name}.v{version}"
        found = self._choose(
            self.candidates(name, version), package, asking, f"ref('{key}')", "ref('package', 'name')"
        )
        if found is None:
            raise self._no_ref(name, package, version)
        return found

    def candidates(self, name: str, version: str | None) -> Sequence[NodeMetadata]:
        """Return the nodes of every package that `ref(name, version=version)` may mean."""
        return self._refs.get(name if version is None else f"{name}.v{version}", ())

    def source(self, source: str, table: str, asking: str | None) -> NodeMetadata:
        """Return the node of `source(source, table)`."""
        candidates = self._sources.get((source, table), ())
        found = self._choose(candidates, None, asking, f"source('{source}', '{table}')", "other source names")
        if found is None:
            raise self._no_source(source, table)
        return found

    def function(self, name: str, package: str | None, asking: str | None) -> NodeMetadata:
        """Return the node of `function(name)`."""
        found = self._choose(
            self._functions.get(name, ()),
            package,
            asking,
            f"function('{name}')",
            "function('package', 'name')",
        )
        if found is None:
            raise TemplateError(f"Function '{name}' not found", name=name, hint=_near(name, self._functions))
        return found

    def _choose(
        self,
        candidates: Sequence[NodeMetadata],
        package: str | None,
        asking: str | None,
        call: str,
        instead: str,
    ) -> NodeMetadata | None:
        order = [package] if package is not None else [asking, self._root]
        for chosen in order:
            for node in candidates:
                if chosen is not None and node.package_name == chosen:
                    return node
        if package is not None or not candidates:
            return None
        if len(candidates) > 1:
            ids = ", ".join(sorted(node.unique_id for node in candidates))
            raise TemplateError(
                f"{call} is ambiguous: it matches {len(candidates)} nodes: {ids}",
                name=candidates[0].name,
                hint=f"choose one with {instead}",
            )
        return candidates[0]

    def _no_ref(self, name: str, package: str | None, version: str | None) -> TemplateError:
        if version is not None and name in self._versions:
            known = ", ".join(sorted(self._versions[name]))
            return TemplateError(
                f"'{name}' has no version {version}", name=name, hint=f"available versions: {known}"
            )
        if package is not None and (elsewhere := self._refs.get(name)):
            packages = ", ".join(sorted({f"'{node.package_name}'" for node in elsewhere}))
            return TemplateError(
                f"Package '{package}' has no model, seed or snapshot '{name}'",
                name=name,
                hint=f"it is in {packages}",
            )
        tables = sorted(f"source('{source}', '{table}')" for source, table in self._sources if table == name)
        hint = f"did you mean {tables[0]}?" if tables else _near(name, self._refs)
        return TemplateError(f"Model, seed or snapshot '{name}' not found", name=name, hint=hint)

    def _no_source(self, source: str, table: str) -> TemplateError:
        tables = sorted(known for owner, known in self._sources if owner == source)
        if tables:
            return TemplateError(
                f"Source '{source}' has no table '{table}'", name=table, hint=_near(table, tables)
            )
        names = sorted({owner for owner, _ in self._sources})
        return TemplateError(f"Source '{source}' not found", name=source, hint=_near(source, names))


def _rank(version: str) -> tuple[bool, float, str]:
    """Return the sort key of *version* if no node names the latest version: numbers sort after text."""
    try:
        return True, float(version), ""
    except ValueError:
        return False, 0.0, version


def _near(name: str, known: Iterable[str] | Mapping[str, object]) -> str | None:
    """Return a hint with the known names closest to *name*."""
    names = sorted(known)
    near = get_close_matches(name, _with_shared_letters(name, names), n=3)
    if near:
        return "did you mean " + " or ".join(f"'{match}'" for match in near) + "?"
    if not names:
        return "the run has none"
    return f"one of: {', '.join(names[:8])}{', …' if len(names) > 8 else ''}"


_COMPARED = 200
"""Number of names to compare letter by letter, which takes long."""


def _with_shared_letters(name: str, names: Sequence[str]) -> Sequence[str]:
    """Return the `_COMPARED` of *names* that share most pairs of letters with *name*."""
    if len(names) <= _COMPARED:
        return names
    pairs = set(pairwise(name))
    return nlargest(_COMPARED, names, key=lambda known: len(pairs.intersection(pairwise(known))))
