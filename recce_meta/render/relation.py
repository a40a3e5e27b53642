"""Relations and columns as templates see them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import ClassVar

from recce_meta.errors import TemplateError
from recce_meta.models import Column, NodeMetadata
from recce_meta.render.attributes import TemplateObject
from recce_meta.render.refusal import database_error

PARTS = ("database", "schema", "identifier")

QUOTE_CHARACTERS = {"bigquery": "`", "databricks": "`", "spark": "`"}
"""dbt's `quote_character` of relations, where it is not `"`."""
UNQUOTED = frozenset(["snowflake"])
"""Adapters whose relations dbt does not quote by default:
https://docs.getdbt.com/reference/project-configs/quoting"""

KNOWN_ADAPTERS = frozenset("bigquery databricks duckdb postgres redshift snowflake spark".split())
"""Adapters whose quotes, types and dispatch are known."""

_PART = re.compile(r'"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|[^.]+')


def warn_of_defaults(adapter_type: str, what: str, warn_once: Callable[[str], None]) -> None:
    """Warn that *what* follows dbt's defaults if *adapter_type* is an adapter whose rules are not known."""
    if adapter_type and adapter_type not in KNOWN_ADAPTERS:
        warn_once(f"The rules of the adapter '{adapter_type}' are not known: {what} are dbt's defaults")


class Relation(TemplateObject):
    """A relation; written into the text, it is what dbt wrote."""

    __slots__ = (
        "_included",
        "_quoted",
        "_text",
        "database",
        "identifier",
        "kind",
        "node",
        "quote_with",
        "schema",
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
        quoted: tuple[bool, bool, bool] = (True, True, True),
        included: tuple[bool, bool, bool] = (True, True, True),
        quote_with: str = '"',
        node: NodeMetadata | None = None,
    ) -> None:
        self.database, self.schema, self.identifier = database, schema, identifier
        self.kind = kind
        self._text = text
        """The relation as dbt wrote it; None where it is put together from its parts."""
        self._quoted, self._included, self.quote_with = quoted, included, quote_with
        self.node = node

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
        """The text of the relation."""
        if self._text is not None:
            return self._text
        parts = zip((self.database, self.schema, self.identifier), self._included, self._quoted, strict=True)
        return ".".join(
            self._quote(part) if is_quoted else part
            for part, is_included, is_quoted in parts
            if is_included and part
        )

    def _quote(self, part: str) -> str:
        return f"{self.quote_with}{part}{self.quote_with}"

    @property
    def name(self) -> str | None:
        """The identifier, as dbt calls it too."""
        return self.identifier

    table = alias = name

    @property
    def type(self) -> str | None:
        """`table`, `view`, `cte` or `external`; None for a source, and where it is not known."""
        return self.kind

    @property
    def is_table(self) -> bool:
        """Whether it is a table."""
        return self.kind == "table"

    @property
    def is_view(self) -> bool:
        """Whether it is a view."""
        return self.kind == "view"

    @property
    def is_cte(self) -> bool:
        """Whether it is an ephemeral model's CTE."""
        return self.kind == "cte"

    is_pointer = False

    def include(
        self, database: bool | None = None, schema: bool | None = None, identifier: bool | None = None
    ) -> Relation:
        """The relation written with or without some of its parts."""
        return self._changed(included=_merged(self._included, (database, schema, identifier)))

    def quote(
        self, database: bool | None = None, schema: bool | None = None, identifier: bool | None = None
    ) -> Relation:
        """The relation with some of its parts quoted or not."""
        return self._changed(quoted=_merged(self._quoted, (database, schema, identifier)))

    def without_identifier(self) -> Relation:
        """The schema it is in."""
        return self._changed(identifier=None)

    def replace_path(self, **parts: str | None) -> Relation:
        """The relation with other parts."""
        return self._changed(**{part: value for part, value in parts.items() if part in PARTS})

    def incorporate(self, path: dict[str, str | None] | None = None, type: str | None = None) -> Relation:
        """The relation with other parts, or of another type."""
        changed = self.replace_path(**(path or {}))
        changed.kind = type or self.kind
        return changed

    def get(self, key: str, default: object = None) -> object:
        """A part, or what packages recognise a relation by."""
        if key == "metadata":
            return {"type": "Relation"}
        return getattr(self, key, default) if key in self.readable else default

    def refuse(self, name: str) -> TemplateError | None:
        """What only a database knows of a relation."""
        if name in ("information_schema", "information_schema_only", "can_exchange", "matches"):
            return database_error(f"relation.{name}")
        return None

    def _changed(self, **changes: object) -> Relation:
        settings: dict[str, object] = {
            "database": self.database,
            "schema": self.schema,
            "identifier": self.identifier,
            "quoted": self._quoted,
            "included": self._included,
            **changes,
        }
        return Relation(kind=self.kind, quote_with=self.quote_with, node=self.node, **settings)  # type: ignore[arg-type]


def _merged(old: tuple[bool, ...], new: tuple[bool | None, ...]) -> tuple[bool, ...]:
    return tuple(before if after is None else bool(after) for before, after in zip(old, new, strict=True))


_KINDS = {"table": "table", "incremental": "table", "seed": "table", "snapshot": "table", "view": "view"}


def relation_of(node: NodeMetadata, adapter_type: str, *, of_database: bool = False) -> Relation:
    """The relation of *node*, which dbt may have written; else put together as dbt does by default.

    One *of_database* has a type: that of the catalog, as far as the node tells.
    """
    quote_with = QUOTE_CHARACTERS.get(adapter_type, '"')
    text = node.relation_name
    return Relation(
        node.database_name,
        node.schema_name,
        node.identifier or node.name,
        kind=_KINDS.get(node.materialized or "", "table") if of_database else None,
        text=text,
        quoted=_quoted_parts(text) if text else (adapter_type not in UNQUOTED,) * 3,
        included=_included_parts(text) if text else (True, True, True),
        quote_with=quote_with,
        node=node,
    )


def _quoted_parts(text: str) -> tuple[bool, bool, bool]:
    """Which parts of a relation that dbt wrote are quoted; all where it has not three, nor two."""
    marks = [part[0] in '"`[' for part in _PART.findall(text)]
    if not 1 <= len(marks) <= 3:
        return True, True, True
    first, second, third = [marks[0]] * (3 - len(marks)) + marks
    return first, second, third


def _included_parts(text: str) -> tuple[bool, bool, bool]:
    count = len(_PART.findall(text))
    return count != 2 and count != 1, count != 1, True


def cte_of(name: str, node: NodeMetadata) -> Relation:
    """The CTE that stands for the ephemeral model *node*."""
    return Relation(None, None, name, kind="cte", quoted=(False, False, False), node=node)


def _ignore(_: str) -> None:
    """Take a warning that the caller does not want."""


class StoredColumn(TemplateObject):
    """A column as the recorded catalog has it, with the members of dbt's own that need no database.

    The rules are those of each adapter's `Column`; `warn_once` gets what they or the catalog do not cover.
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
            # DESCRIBE TABLE, which dbt asks, and the catalog's information_schema name it differently.
            self.dtype = "VARCHAR"
        self._type, self._adapter, self._warn_once = data_type, adapter_type, warn_once

    @property
    def data_type(self) -> str:
        """The type as DDL has it."""
        if self._adapter in _TEXT_SIZES and self.is_string():
            return f"character varying({self.string_size()})"
        if self._adapter == "snowflake" and self.is_numeric() and "(" not in self._type:
            self._warn_of_size("precision")
        return self._type

    @property
    def quoted(self) -> str:
        """The name, quoted."""
        warn_of_defaults(self._adapter, "quotes of names", self._warn_once)
        quote = QUOTE_CHARACTERS.get(self._adapter, '"')
        return f"{quote}{self.name}{quote}"

    def is_string(self) -> bool:
        """Return whether the type holds text."""
        return self._is(_STRINGS)

    @property
    def char_size(self) -> int | None:
        """The length that the type has; None if it has none."""
        length = re.fullmatch(r"[^(]*\((\d+)\)", self._type) if self.is_string() else None
        if length is None and self._adapter == "snowflake" and self.is_string():
            self._warn_of_size("length")
        return int(length[1]) if length else None

    def string_size(self) -> int:
        """Return the length of text, or the adapter's default if the type has none."""
        return self.char_size or _TEXT_SIZES.get(self._adapter, _DEFAULT_TEXT_SIZE)

    def literal(self, value: object) -> str:
        """Return *value* cast to the column's type."""
        return f"{value}::{self.data_type}"

    def is_integer(self) -> bool:
        """Return whether the type holds whole numbers; on Snowflake, dbt says so of no type."""
        return self._adapter != "snowflake" and self._is(_INTEGERS)

    def is_float(self) -> bool:
        """Return whether the type holds binary fractions."""
        return self._is(_FLOATS)

    def is_numeric(self) -> bool:
        """Return whether the type holds decimal fractions."""
        return self._is(_SNOWFLAKE_NUMBERS if self._adapter == "snowflake" else _NUMBERS)

    def is_number(self) -> bool:
        """Return whether the type holds numbers of any sort."""
        return self.is_integer() or self.is_float() or self.is_numeric()

    def _is(self, types: frozenset[str]) -> bool:
        warn_of_defaults(self._adapter, "names of types", self._warn_once)
        return self.dtype.lower() in types

    def _warn_of_size(self, size: str) -> None:
        self._warn_once(
            f"Snowflake's catalog.json has no {size} of columns: the type of '{self.name}' is without it, "
            "or the longest"
        )

    def __str__(self) -> str:
        return f"<Column {self.name} ({self.data_type})>"

    __repr__ = __str__


# The names that dbt's own Column class lists, of any warehouse.
_DEFAULT_TEXT_SIZE = 256
_TEXT_SIZES = {"duckdb": _DEFAULT_TEXT_SIZE, "redshift": _DEFAULT_TEXT_SIZE, "snowflake": 16_777_216}
"""Adapters whose `Column.data_type` gives text without a length one, and which."""
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
