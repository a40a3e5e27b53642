"""Names of tables, columns and unaliased outputs, matched by the rules of a dialect.

Identifiers are folded as the dialect does, and tables are found by the end of their dotted names. Only
expressions whose names were verified on DuckDB, PostgreSQL and Spark are here. BigQuery numbers its outputs,
and Snowflake uses the text in upper case. Any other output is named by its text, unless the catalog has its
name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect, Dialects, NormalizationStrategy

from recce_meta.errors import UnknownNameError, UsageError
from recce_meta.models.relation_tokens import INJECTED
from recce_meta.sql_lineage.expressions import args, unwrapped
from recce_meta.sql_lineage.query import STAR, Table
from recce_meta.warehouses.types import Sql

Schemas = Mapping[str, Mapping[str, object]]
"""Columns and their types by relation; only the columns' names and order are read.

A column called `*` means that the relation may have further columns.
"""


class RenamedColumns(dict[str, object]):
    """Columns of one relation in `Schemas`, some of which have another name in a later query."""

    def __init__(self, columns: Mapping[str, object], renamed: Mapping[str, str]) -> None:
        super().__init__(columns)
        self.renamed = renamed


STAR_OF_TABLES = "*"
_ANY_DAY = "yyyymmdd"
"""Catalog suffix for a family of date-sharded tables."""
_QUOTES = "\"`[]'"
_SHAPE = "pass {table: {column: type}}, with strings as names"


def known_dialect(name: str | None) -> str:
    """Return sqlglot's name of the dialect *name*, in any case; empty for None. Raise UnknownNameError."""
    lower = str(name or "").lower()
    if lower and Dialect.get(lower) is None:
        known = sorted(dialect.value for dialect in Dialects if dialect.value)
        raise UnknownNameError("SQL dialect", str(name), known)
    return lower


class Folding:
    """Identifier folding of one dialect."""

    def __init__(self, dialect: str) -> None:
        strategy = Dialect.get_or_raise(dialect or None).normalization_strategy
        self._upper = strategy is NormalizationStrategy.UPPERCASE
        self._keeps = strategy is NormalizationStrategy.CASE_SENSITIVE

    def fold(self, identifier: Sql) -> str:
        """Return the comparison form of *identifier*."""
        name: str = identifier.name
        if identifier.args.get("quoted") or self._keeps:
            return name
        return name.upper() if self._upper else name.lower()


def unquoted(name: str) -> str:
    """Return *name* without one pair of quotes around it."""
    return name[1:-1] if len(name) > 1 and name[0] in _QUOTES and name[-1] in _QUOTES else name


def index_of(columns: Sequence[str]) -> dict[str, str]:
    """Return *columns* by name and, if free, by lower-case name. The first of several wins."""
    index = dict(zip(reversed(columns), reversed(columns), strict=True))
    for column in columns:
        index.setdefault(column.lower(), column)
    return index


def parts_of(name: str) -> tuple[str, ...]:
    """Return the parts of a dotted relation name, in lower case, without quotes."""
    return tuple(unquoted(part) for part in name.lower().split(".") if part)


class Tables:
    """Relations with known columns, found by any ending of their dotted names.

    Raises UsageError if *schemas* does not match `Schemas`.
    """

    def __init__(self, schemas: Schemas) -> None:
        if not isinstance(schemas, Mapping):
            raise UsageError(f"schemas must be a mapping, got {schemas!r:.60}", hint=_SHAPE)
        self._schemas = schemas
        self._by_end: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        self._known: dict[str, Table] = {}
        for name, columns in schemas.items():
            if not isinstance(name, str) or not isinstance(columns, (Mapping, list, tuple)):
                raise UsageError(f"schemas[{name!r}] must be a mapping, got {columns!r:.60}", hint=_SHAPE)
            parts = parts_of(name)
            if parts:
                self._by_end.setdefault(parts[-1], []).append((parts, name))

    def table(self, name: str) -> Table:
        """Return the table for a *name* in SQL, with its columns if `schemas` has them.

        Two names mean the same relation if one ends with the other. Among several matches, prefer the most
        common parts, then the same spelling, then the first.
        """
        table = self._known.get(name)
        if table is None:
            table = self._known[name] = self._find(name)
        return table

    def replaces(self, name: str) -> bool:
        """Return True if the CTE *name* is the query of an ephemeral model that `schemas` has as a table."""
        return name.lower().startswith(INJECTED) and name.lower() in self._schemas

    def _find(self, name: str) -> Table:
        spelt = name if name in self._schemas else self._matching(name)
        if spelt is None:
            return Table(name, None)
        # Checked on first use, because a project passes thousands of tables and a query reads a few.
        if not all(isinstance(column, str) for column in self._schemas[spelt]):
            raise UsageError(f"schemas[{spelt!r}] has column names that are not strings", hint=_SHAPE)
        columns = _without_fields([unquoted(column) for column in self._schemas[spelt]])
        given = self._schemas[spelt]
        types = given if isinstance(given, Mapping) else {}
        renamed = given.renamed if isinstance(given, RenamedColumns) else {}
        if STAR in columns:
            return Table(spelt, None, index_of([name for name in columns if name != STAR]), types)
        # A relation listed without columns has unknown columns.
        return Table(spelt, columns or None, index_of(columns), types, renamed)

    def _matching(self, name: str) -> str | None:
        parts = parts_of(name)
        if not parts:
            return None
        for end in _ends(parts[-1]):
            found = [
                (min(len(known), len(parts)), len(known) == len(parts), spelt.endswith(name), -place, spelt)
                for place, (known, spelt) in enumerate(self._by_end.get(end, ()))
                if _same_end(known[:-1], parts[:-1])
            ]
            if found:
                return max(found)[-1]
        return self._wildcard(parts) if parts[-1].endswith(STAR_OF_TABLES) else None

    def _wildcard(self, parts: tuple[str, ...]) -> str | None:
        """Return the last table that `events_2026*` matches: BigQuery uses the newest table's columns."""
        prefix = parts[-1][:-1]
        found = [
            (known[-1], spelt)
            for end, tables in self._by_end.items()
            if end.startswith(prefix) or (end.endswith(_ANY_DAY) and prefix.startswith(end[: -len(_ANY_DAY)]))
            for known, spelt in tables
            if _same_end(known[:-1], parts[:-1])
        ]
        return max(found)[-1] if found else None


def _without_fields(columns: Sequence[str]) -> tuple[str, ...]:
    """Return *columns* without nested fields: BigQuery's catalog lists both `st` and `st.x`."""
    if not any("." in column for column in columns):
        return tuple(columns)
    known = set(columns)
    return tuple(column for column in columns if "." not in column or column.split(".", 1)[0] not in known)


def _ends(end: str) -> Iterator[str]:
    """Yield the names to look up: *end* itself, and the date-sharded family that it belongs to."""
    yield end
    if len(end) > 8 and end[-8:].isdigit():
        yield end[:-8] + _ANY_DAY


def _same_end(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    shorter = min(len(one), len(other))
    return shorter == 0 or one[-shorter:] == other[-shorter:]


_OPERATORS: dict[type, str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.EQ: "=", exp.GT: ">"}
_FUNCTIONS = (exp.Sum, exp.Min, exp.Max, exp.Avg, exp.Lower, exp.Upper, exp.Abs)
_NAMELESS = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Predicate, exp.DPipe, exp.Literal, exp.Neg, exp.Not)
"""Expressions that PostgreSQL names `?column?`."""
_SPARK = frozenset({"databricks", "spark"})
_POSTGRES = frozenset({"postgres", "redshift"})


class Unnamed:
    """Generator of names for the unaliased outputs of one query, in order."""

    def __init__(self, dialect: str) -> None:
        self._dialect = dialect
        self._count = 0

    def name(self, node: Sql | None, text: str | None) -> str | None:
        """Return the name of the next output, *node*, written as *text*, or None if unknown."""
        number = self._count
        # Counted before any return, because BigQuery's numbers include every unnamed output.
        self._count += 1
        if self._dialect == "bigquery":
            return f"f{number}_"
        if node is None:
            return None
        if self._dialect in _POSTGRES:
            # If several columns have this name, use their text to distinguish them.
            return "?column?" if number == 0 and isinstance(unwrapped(node), _NAMELESS) else None
        if self._dialect == "snowflake":
            return text.upper() if text and not set(text) & set("'\"") else None
        if self._dialect == "duckdb" or self._dialect in _SPARK:
            return self._spelt(node)
        return None

    def _spelt(self, node: Sql) -> str | None:
        node, in_duckdb = unwrapped(node), self._dialect == "duckdb"
        if isinstance(node, exp.Column):
            return str(node.name)
        if isinstance(node, exp.Literal):
            return f"'{node.name}'" if node.is_string and in_duckdb else str(node.name)
        operator = _OPERATORS.get(node.__class__)
        if operator is not None:
            return self._joined(f" {operator} ", [node.this, node.expression], "(", ")")
        if isinstance(node, exp.Count) and isinstance(node.this, exp.Star):
            return "count_star()" if in_duckdb else "count(1)"
        if isinstance(node, exp.Coalesce):
            name = "COALESCE" if in_duckdb else "coalesce"
            return self._joined(", ", [node.this, *args(node, "expressions")], f"{name}(", ")")
        if isinstance(node, (*_FUNCTIONS, exp.Count)) and not isinstance(node.this, exp.Distinct):
            return self._joined(", ", [node.this], f"{node.key}(", ")")
        return None

    def _joined(self, between: str, parts: list[Sql], before: str, after: str) -> str | None:
        names = [self._spelt(part) for part in parts]
        return f"{before}{between.join(map(str, names))}{after}" if None not in names else None
