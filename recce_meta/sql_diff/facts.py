"""Facts about the rows of relations, and the types with which they prove that two expressions are equal.

A fact holds for a relation that a query reads. `Facts` answers for the relations of one comparison, and notes
the facts that were used. `AssumedFacts` answers as if every fact held: if two queries differ even then, no
fact needs to be looked up.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet

from msgspec.structs import replace
from sqlglot import exp

from recce_meta.models.change import (
    SEVERITY,
    DataFact,
    FactKind,
    FactSource,
    SqlChange,
    Status,
    TableFacts,
    condition_of,
)
from recce_meta.sql_lineage.query import Table
from recce_meta.warehouses.types import Sql

Proof = frozenset[DataFact]
"""Facts that together prove something; empty if it holds for all rows."""


FindFacts = Callable[[AbstractSet[str]], Mapping[str, TableFacts]]
"""Function that returns what is known of the relations with these names, which are those of `schemas`."""


class Facts:
    """Facts of the relations that two queries read, by the names of the relations."""

    def __init__(self, tables: Mapping[str, TableFacts], only: Collection[DataFact] | None = None) -> None:
        self._tables = tables
        self._only = only
        self.used: set[DataFact] = set()
        """Facts that made a difference to a key."""

    def not_null(self, table: Table, column: str) -> Proof | None:
        """Return the proof that *column* of *table* is never NULL; None if it may be."""
        return self._proof(table, FactKind.NOT_NULL, {column})

    def unique(self, table: Table, columns: Collection[str]) -> Proof | None:
        """Return the proof that no two rows of *table* agree in *columns*, without those with a NULL."""
        return self._proof(table, FactKind.UNIQUE, columns)

    def key(self, table: Table, columns: Collection[str]) -> Proof | None:
        """Return the proof that no two rows of *table* agree in *columns*, also if they are NULL."""
        proof = self.unique(table, columns)
        for fact in proof or ():
            for column in fact.columns:
                name = _spelt(table, column)
                more = self.not_null(table, name) if name is not None else None
                proof = proof | more if proof is not None and more is not None else None
        return proof

    def reference(self, table: Table, column: str, other: Table, key: str) -> Proof | None:
        """Return the proof that each value of *column* of *table*, except NULL, is in *key* of *other*."""
        known, target = self._tables.get(table.name), self._tables.get(other.name)
        if known is None or target is None:
            return None
        for fact in known.facts:
            if fact.kind is not FactKind.REFERENCE or fact.other_id != target.unique_id:
                continue
            names = (
                [_spelt(table, one) for one in fact.columns],
                [_spelt(other, one) for one in fact.other_columns],
            )
            if names == ([column], [key]) and (self._only is None or fact in self._only):
                return frozenset((fact,))
        return None

    def is_typed(self, table: Table) -> bool:
        """Return whether the types of the columns of *table* are certain."""
        return table.name in self._tables and self._tables[table.name].is_typed

    def _proof(self, table: Table, kind: FactKind, columns: Collection[str]) -> Proof | None:
        known = self._tables.get(table.name)
        for fact in known.facts if known is not None else ():
            if fact.kind is kind and (self._only is None or fact in self._only):
                names = {_spelt(table, column) for column in fact.columns}
                if None not in names and names <= set(columns):
                    return frozenset((fact,))
        return None


class AssumedFacts(Facts):
    """Every fact that may hold, to find the relations whose facts matter."""

    def __init__(self) -> None:
        super().__init__({})
        self._typed: set[str] = set()

    @property
    def tables(self) -> set[str]:
        """Names of the relations whose facts or types were used."""
        return {*self._typed, *(fact.unique_id for fact in self.used)}

    def is_typed(self, table: Table) -> bool:
        self._typed.add(table.name)
        return True

    def reference(self, table: Table, column: str, other: Table, key: str) -> Proof | None:
        self._typed.add(other.name)
        return self._proof(table, FactKind.REFERENCE, {column})

    def _proof(self, table: Table, kind: FactKind, columns: Collection[str]) -> Proof | None:
        given = tuple(sorted(columns))
        fact = DataFact(
            name="", unique_id=table.name, kind=kind, columns=given, source=FactSource.TEST, source_id=""
        )
        return frozenset((fact,))


def _spelt(table: Table, column: str) -> str | None:
    """Return *column* as *table* spells it; None if it has none or several of this name."""
    same = [name for name in table.columns or () if name.lower() == column.lower()]
    return same[0] if len(same) == 1 else None


MOST_FACTS = 12
"""Largest number of facts of which each is tried for itself."""


def with_facts(
    change: SqlChange, find: FindFacts, assuming: Callable[[Facts], SqlChange | None]
) -> SqlChange:
    """Return *change*, or a milder one with the facts that it rests on.

    *assuming* compares the queries again, and returns None if their rows may differ.
    """
    assumed = AssumedFacts()
    if not _is_milder(assuming(assumed), change):
        return change
    known = find(assumed.tables)
    facts = Facts(known)
    milder = assuming(facts)
    if milder is None or not _is_milder(milder, change):
        return change
    used = set(facts.used)
    for fact in sorted(used) if len(used) <= MOST_FACTS else ():
        # A fact that both queries use in the same way does not matter.
        if assuming(Facts(known, only=used - {fact})) == milder:
            used.remove(fact)
    if not used:
        return milder
    listed = tuple(sorted(used))
    return replace(milder, facts=listed, reasons=(*milder.reasons, condition_of(listed)))


def _is_milder(change: SqlChange | None, than: SqlChange) -> bool:
    return change is not None and _severity(change) < _severity(than)


def _severity(change: SqlChange) -> tuple[int, int]:
    return SEVERITY[change.category], sum(one.status is not Status.ADDED for one in change.columns)


WHOLE = frozenset({"TINYINT", "SMALLINT", "INT", "BIGINT", "INT128"})
TEXTS = frozenset({"TEXT", "VARCHAR", "NVARCHAR"})
MOMENTS = frozenset({"DATE", "TIMESTAMP", "TIMESTAMPTZ", "TIMESTAMPNTZ", "TIMESTAMPLTZ", "DATETIME", "UUID"})
"""Types that are only compared with themselves here."""
COMPARES_TEXT = frozenset({"duckdb", "postgres", "redshift", "bigquery", "databricks", "spark", "snowflake"})
"""Dialects in which two texts are equal only if all letters are, unless a column has a collation."""
TYPED = COMPARES_TEXT | {"sqlite", "mysql"}
"""Dialects whose types of `coalesce(column, literal)` are known."""
DECIMALS = frozenset({"duckdb", "postgres", "snowflake", "bigquery"})
"""Those in which a whole number does not change the scale of a DECIMAL, nor what is computed with it."""


def base_of(kind: Sql) -> str:
    """Return the name of the type *kind* without its parameters."""
    return str(kind.this.value) if isinstance(kind.this, exp.DataType.Type) else ""


def compares_exactly(one: Sql, other: Sql, dialect: str) -> bool:
    """Return whether equality of a value of type *one* with type *other* is that of *one* with itself.

    If both are converted first, two values of a unique column may become equal: `'1'` and `'01'` compared
    with a number, or two long numbers compared with a DOUBLE.
    """
    names = {base_of(one), base_of(other)}
    if names <= WHOLE:
        return True
    if names <= TEXTS:
        return dialect in COMPARES_TEXT
    if len(names) == 1 and names <= MOMENTS:
        return True
    if names == {"DECIMAL"}:
        scales = [_scale(kind) for kind in (one, other)]
        return one == other or scales == [0, 0]
    return False


def is_same_type(kind: Sql, literals: Iterable[Sql], dialect: str) -> bool:
    """Return whether `coalesce` of a value of type *kind* and *literals* has that type."""
    return dialect in TYPED and all(_fits(kind, literal, dialect) for literal in literals)


def _fits(kind: Sql, literal: Sql, dialect: str) -> bool:
    name = base_of(kind)
    if isinstance(literal, exp.Neg):
        literal = literal.this
    if isinstance(literal, exp.Boolean):
        return name == "BOOLEAN"
    if not isinstance(literal, exp.Literal):
        return False
    if literal.is_string:
        return name in TEXTS
    if not literal.is_int:
        return name == "DOUBLE"
    if abs(int(literal.this)) >= 2**31:
        return False
    if name in ("INT", "BIGINT", "DOUBLE"):
        return True
    return name == "DECIMAL" and dialect in DECIMALS and _fits_decimal(kind, literal, dialect)


def _fits_decimal(kind: Sql, literal: Sql, dialect: str) -> bool:
    parameters = _parameters(kind)
    if not parameters:
        return dialect in ("postgres", "bigquery")
    whole = parameters[0] - (parameters[1] if len(parameters) > 1 else 0)
    # DuckDB gives a literal the ten digits of an INTEGER.
    return len(str(literal.this)) <= whole and (dialect != "duckdb" or whole >= 10)


def _parameters(kind: Sql) -> list[int]:
    found = [one.this.this for one in kind.expressions if isinstance(one, exp.DataTypeParam)]
    return [int(one) for one in found if str(one).isdigit()]


def _scale(kind: Sql) -> int | None:
    parameters = _parameters(kind)
    return (parameters[1] if len(parameters) > 1 else 0) if parameters else None
