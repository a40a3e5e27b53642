"""Catalog reader based on SQLAlchemy's inspector, for databases without a catalog reader here.

SQLAlchemy dialects differ in what they support; unsupported parts are left out and listed in one note. The
inspector leaves out objects that it cannot read. Most dialects read one table at a time, so the number of
statements grows with the number of tables.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from functools import partial
from typing import TYPE_CHECKING, Any

from recce_meta.adapter.adapter import UnifiedSqlAdapter
from recce_meta.errors import first_of
from recce_meta.models.catalog import ColumnRow, ConstraintRow, IndexRow, RelationRow, SchemaRow
from recce_meta.warehouses.catalog import Part

if TYPE_CHECKING:
    from sqlalchemy import Inspector

_NAMED = 5
_UNKNOWN = "unknown"
"""Type of a column that SQLAlchemy's dialect has no name for."""

ManyByTable = Mapping[tuple[str | None, str], Any]


class InspectorReader:
    """Reader of catalog rows through SQLAlchemy's inspector of *adapter*."""

    def __init__(self, adapter: UnifiedSqlAdapter) -> None:
        self._adapter = adapter
        self._missing: list[str] = []
        self._untyped: list[str] = []
        self._answers: dict[Any, Any] = {}
        """The inspector's cache: most dialects read a whole table to return any part of it."""

    @property
    def notes(self) -> list[str]:
        """One sentence for each kind of information that could not be read."""
        notes = []
        if self._missing:
            what = ", ".join(dict.fromkeys(self._missing))
            notes.append(f"SQLAlchemy's dialect for {self._adapter.warehouse.name} does not support: {what}")
        if self._untyped:
            names = first_of(self._untyped, _NAMED)
            notes.append(f"SQLAlchemy does not know the type of: {names}; it is stored as '{_UNKNOWN}'")
        return notes

    def rows(self, part: Part, schemas: Sequence[str]) -> list[Any]:
        """Return the rows of *part* of *schemas*: structs of `models.catalog`, sorted by name."""
        read = _READERS[part]

        def within(inspector: Inspector) -> list[Any]:
            inspector.info_cache = self._answers
            with warnings.catch_warnings():
                # `notes` reports unknown types and unsupported parts.
                warnings.simplefilter("ignore")
                return list(read(self, inspector, schemas))

        return self._adapter.inspect(within)

    def _answer_of(self, what: str | None, ask: Callable[[], Any], nothing: Any) -> Any:
        """Return the result of *ask*; *nothing*, with a note about *what*, if the dialect lacks it."""
        try:
            return ask()
        except NotImplementedError:
            if what is not None:
                self._missing.append(what)
            return nothing

    def _schemas(self, inspector: Inspector, _: Sequence[str]) -> Iterator[SchemaRow]:
        names = self._answer_of("schemas", inspector.get_schema_names, ())
        for name in sorted(names or filter(None, [inspector.default_schema_name])):
            yield SchemaRow(name)

    def _relations(self, inspector: Inspector, schemas: Sequence[str]) -> Iterator[RelationRow]:
        for schema in schemas:
            comments = self._by_name("comments", inspector.get_multi_table_comment, schema)
            kinds: dict[str, str] = {}
            for kind, list_names in (
                ("table", inspector.get_table_names),
                ("view", inspector.get_view_names),
                ("materialized_view", inspector.get_materialized_view_names),
            ):
                what = None if kind == "materialized_view" else f"{kind}s"  # which most databases do not have
                names = self._answer_of(what, partial(list_names, schema=schema), ())
                kinds |= dict.fromkeys(names, kind)
            for name, kind in sorted(kinds.items()):
                yield RelationRow(
                    schema,
                    name,
                    kind,
                    comment=(comments.get(name) or {}).get("text"),
                    definition=None if kind == "table" else self._definition(inspector, schema, name),
                )

    def _definition(self, inspector: Inspector, schema: str, name: str) -> str | None:
        from sqlalchemy.exc import NoSuchTableError

        def ask() -> str | None:
            try:
                return inspector.get_view_definition(name, schema=schema) or None
            except NoSuchTableError:
                return None  # dropped meanwhile

        definition: str | None = self._answer_of("views' definitions", ask, None)
        return definition

    def _columns(self, inspector: Inspector, schemas: Sequence[str]) -> Iterator[ColumnRow]:
        for schema in schemas:
            answers = self._by_name("columns", inspector.get_multi_columns, schema)
            for relation in sorted(answers):
                for column in answers[relation]:
                    yield self._column(inspector, schema, relation, column)

    def _column(
        self, inspector: Inspector, schema: str, relation: str, column: Mapping[str, Any]
    ) -> ColumnRow:
        computed, identity = column.get("computed") or {}, column.get("identity")
        kind = self._type(inspector, column["type"])
        if kind == _UNKNOWN:
            self._untyped.append(f"{schema}.{relation}.{column['name']}")
        return ColumnRow(
            schema,
            relation,
            column["name"],
            kind,
            is_not_null=not column.get("nullable", True),
            default=column.get("default"),
            generated=computed.get("sqltext"),
            generated_kind=("stored" if computed.get("persisted") else "virtual") if computed else None,
            identity=_identity(column, identity),
            collation=getattr(column["type"], "collation", None),
            comment=column.get("comment"),
        )

    def _type(self, inspector: Inspector, kind: Any) -> str:
        from sqlalchemy.exc import CompileError

        # A copy, because `_column` reads the collation of the original.
        if getattr(kind, "collation", None):  # returned in a column of its own
            kind = copy(kind)
            kind.collation = None
        try:
            return str(kind.compile(dialect=inspector.dialect))
        except CompileError:
            return _UNKNOWN

    def _constraints(self, inspector: Inspector, schemas: Sequence[str]) -> Iterator[ConstraintRow]:
        for schema in schemas:
            keys = self._by_name("primary keys", inspector.get_multi_pk_constraint, schema)
            for relation, key in keys.items():
                if key and key.get("constrained_columns"):
                    columns = _array(key["constrained_columns"])
                    yield ConstraintRow(schema, relation, key.get("name"), "primary_key", columns)
            unique = self._by_name("unique constraints", inspector.get_multi_unique_constraints, schema)
            for relation, one in _each(unique):
                columns = _array(one["column_names"])
                yield ConstraintRow(schema, relation, one.get("name"), "unique", columns)
            foreign = self._by_name("foreign keys", inspector.get_multi_foreign_keys, schema)
            for relation, one in _each(foreign):
                yield _foreign_key(schema, relation, one)
            checks = self._by_name("check constraints", inspector.get_multi_check_constraints, schema)
            for relation, one in _each(checks):
                yield ConstraintRow(schema, relation, one.get("name"), "check", expression=one["sqltext"])

    def _indexes(self, inspector: Inspector, schemas: Sequence[str]) -> Iterator[IndexRow]:
        for schema in schemas:
            unique = self._by_name("unique constraints", inspector.get_multi_unique_constraints, schema)
            brought = {(relation, one.get("name")) for relation, one in _each(unique)}
            for relation, one in _each(self._by_name("indexes", inspector.get_multi_indexes, schema)):
                name = one.get("name")
                # Databases make such an index for a constraint, which is listed already.
                if name is None or "duplicates_constraint" in one or (relation, name) in brought:
                    continue
                parts = one.get("expressions") or one["column_names"]
                listed = ", ".join(str(part) for part in parts)
                definition = f"{'UNIQUE ' if one.get('unique') else ''}INDEX {name} ON {relation} ({listed})"
                yield IndexRow(schema, relation, name, definition, bool(one.get("unique")))

    def _by_name(self, what: str, ask: Callable[..., ManyByTable], schema: str) -> dict[str, Any]:
        """Return the result of *ask*, a multi-table method of the inspector, for *schema* by relation."""
        from sqlalchemy.engine.reflection import ObjectKind

        def answer() -> ManyByTable:
            return ask(schema=schema, kind=ObjectKind.ANY)

        return {relation: answers for (_, relation), answers in self._answer_of(what, answer, {}).items()}


_READERS: Mapping[Part, Callable[[InspectorReader, Inspector, Sequence[str]], Iterable[Any]]] = {
    Part.SCHEMAS: InspectorReader._schemas,
    Part.RELATIONS: InspectorReader._relations,
    Part.COLUMNS: InspectorReader._columns,
    Part.CONSTRAINTS: InspectorReader._constraints,
    Part.INDEXES: InspectorReader._indexes,
}


def _each(by_relation: Mapping[str, Iterable[Any]]) -> Iterator[tuple[str, Any]]:
    return ((relation, one) for relation, many in by_relation.items() for one in many or ())


def _array(names: Sequence[str]) -> str:
    return json.dumps(list(names), ensure_ascii=False)


def _identity(column: Mapping[str, Any], identity: Any) -> str | None:
    if isinstance(identity, str):  # some drivers here return JSON unparsed
        identity = json.loads(identity)
    if identity:
        return "always" if identity.get("always") else "by default"
    return "auto_increment" if column.get("autoincrement") is True else None


def _foreign_key(schema: str, relation: str, one: Mapping[str, Any]) -> ConstraintRow:
    options = one.get("options") or {}
    others = {
        name: value for name, value in options.items() if name not in ("onupdate", "ondelete") and value
    }
    return ConstraintRow(
        schema,
        relation,
        one.get("name"),
        "foreign_key",
        _array(one["constrained_columns"]),
        ref_schema=one.get("referred_schema") or schema,
        ref_relation=one["referred_table"],
        ref_columns=_array(one["referred_columns"]),
        on_update=_action(options.get("onupdate")),
        on_delete=_action(options.get("ondelete")),
        options=json.dumps(others, sort_keys=True) if others else None,
    )


def _action(text: str | None) -> str | None:
    return text.lower() if text else None
