"""The defaults: PostgreSQL's words, translated by sqlglot where a warehouse says nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from sqlglot import exp

from recce_meta.adapter import UnifiedSqlAdapter


@dataclass(frozen=True)
class Spelling:
    """How tests write SQL for one warehouse."""

    dialect: str
    """sqlglot's name."""
    types: Mapping[str, str] = field(default_factory=dict)
    """What PostgreSQL's types, in lower case, are called here, where sqlglot does not know."""
    kept_json: str = "json"
    """The type of the store's columns of JSON."""
    oldest_store: int = 1
    """The first version of stores in this warehouse."""

    def type(self, kind: str) -> str:
        """What PostgreSQL's type *kind* is called here; a type of the warehouse's own stays as it is."""
        return self.types.get(kind.lower()) or kind

    def literal(self, value: Any, kind: str) -> str:
        """*value* as SQL, of PostgreSQL's type *kind*."""
        of = self.type(kind)
        if value is None:
            return f"CAST(NULL AS {of})"
        if isinstance(value, bytes):
            return self.binary(value, of)
        if isinstance(value, list):
            items = ", ".join(self.literal(item, kind.removesuffix("[]")) for item in value)
            return f"CAST(ARRAY[{items}] AS {of})"
        return f"CAST({self.text(written(value))} AS {of})"

    def kept(self, value: Any) -> Any:
        """*value*; None where a double cannot be that."""
        return value

    def binary(self, value: bytes, of: str) -> str:
        """*value* as SQL of the type *of*."""
        return f"CAST({self.text(chr(92) + 'x' + value.hex())} AS {of})"

    def text(self, value: str) -> str:
        """*value* as a literal."""
        return exp.Literal.string(value).sql(self.dialect)

    def schema_name(self) -> str:
        """A name of a schema that nobody else uses; it needs quotes where names may."""
        return f"Recce {uuid4().hex[:12]}"

    def create_schema(self, adapter: UnifiedSqlAdapter, name: str) -> None:
        """Make the schema *name*."""
        adapter.execute(f"CREATE SCHEMA {adapter.quote_identifier(name)}")

    def drop_schema(self, adapter: UnifiedSqlAdapter, name: str) -> None:
        """Remove the schema *name*, where there is one, with all that it holds."""
        adapter.execute(f"DROP SCHEMA IF EXISTS {adapter.quote_identifier(name)} CASCADE")

    def create_table(
        self,
        adapter: UnifiedSqlAdapter,
        table: str,
        columns: Mapping[str, str],
        rows: Sequence[Sequence[Any]] = (),
    ) -> None:
        """Make *table*, a quoted name, anew: *columns* by name with PostgreSQL's types, and *rows*."""
        adapter.execute(f"DROP TABLE IF EXISTS {table}")
        defined = ", ".join(
            f"{adapter.quote_identifier(name)} {self.type(kind)}" for name, kind in columns.items()
        )
        adapter.execute(f"CREATE TABLE {table} ({defined})")
        if rows:
            adapter.execute(self.insert(table, tuple(columns.values()), rows))

    def insert(self, table: str, kinds: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
        """The statement that puts *rows* of *kinds* into *table*."""
        selects = " UNION ALL ".join(
            "SELECT " + ", ".join(self.literal(value, kind) for value, kind in zip(row, kinds, strict=True))
            for row in rows
        )
        return f"INSERT INTO {table} {selects}"


class ByValues(Spelling):
    """SQL that inserts a list of rows: servers limit how deep a UNION may be."""

    def insert(self, table: str, kinds: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
        """The statement that puts *rows* of *kinds* into *table*."""
        values = ", ".join(
            "(" + ", ".join(self.literal(value, kind) for value, kind in zip(row, kinds, strict=True)) + ")"
            for row in rows
        )
        return f"INSERT INTO {table} VALUES {values}"


def written(value: Any) -> str:
    """*value* as every warehouse reads it within quotes."""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, Decimal) and value.is_finite():
        return f"{value:f}"
    if isinstance(value, (date, time, Decimal, UUID, str)):
        return str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value)
