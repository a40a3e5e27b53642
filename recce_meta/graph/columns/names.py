"""How names are matched: identifiers as a dialect files them, tables by the end of their dotted names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sqlglot.dialects.dialect import Dialect, Dialects, NormalizationStrategy

from recce_meta.dialects.types import Sql
from recce_meta.errors import UnknownNameError, UsageError
from recce_meta.graph.columns.query import STAR, Table

Schemas = Mapping[str, Mapping[str, object]]
"""Columns and their types by relation; only the columns' names and order are read.

With a column called `*` among them a relation has these columns, and maybe others.
"""

STAR_OF_TABLES = "*"
_ANY_DAY = "yyyymmdd"
"""How catalogs name a family of tables with one for each day."""
_QUOTES = "\"`[]'"
_SHAPE = "it must be {table: {column: type}}, with names as text"


def known_dialect(name: str | None) -> str:
    """sqlglot's name of the dialect *name*, in any capitals; empty for none. Raises UnknownNameError."""
    lower = str(name or "").lower()
    if lower and Dialect.get(lower) is None:
        known = sorted(dialect.value for dialect in Dialects if dialect.value)
        raise UnknownNameError("SQL dialect", str(name), known)
    return lower


class Folding:
    """How one dialect files an identifier that is not quoted."""

    def __init__(self, dialect: str) -> None:
        strategy = Dialect.get_or_raise(dialect or None).normalization_strategy
        self._upper = strategy is NormalizationStrategy.UPPERCASE
        self._keeps = strategy is NormalizationStrategy.CASE_SENSITIVE

    def fold(self, identifier: Sql) -> str:
        """The name that *identifier* stands for."""
        name: str = identifier.name
        if identifier.args.get("quoted") or self._keeps:
            return name
        return name.upper() if self._upper else name.lower()


def unquoted(name: str) -> str:
    """*name* without one pair of quotes around it."""
    return name[1:-1] if len(name) > 1 and name[0] in _QUOTES and name[-1] in _QUOTES else name


def index_of(columns: Sequence[str]) -> dict[str, str]:
    """*columns* by spelling and, where that is free, by lower case; the first of several wins."""
    index = dict(zip(reversed(columns), reversed(columns), strict=True))
    for column in columns:
        index.setdefault(column.lower(), column)
    return index


def parts_of(name: str) -> tuple[str, ...]:
    """The parts of a dotted relation name, in lower case, without quotes."""
    return tuple(unquoted(part) for part in name.lower().split(".") if part)


class Tables:
    """The relations whose columns are known, found by any end of their dotted names.

    Raises UsageError where *schemas* are not of the shape that `Schemas` says.
    """

    def __init__(self, schemas: Schemas) -> None:
        if not isinstance(schemas, Mapping):
            raise UsageError(f"schemas is {schemas!r:.60}", hint=_SHAPE)
        self._schemas = schemas
        self._by_end: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        self._known: dict[str, Table] = {}
        for name, columns in schemas.items():
            if not isinstance(name, str) or not isinstance(columns, (Mapping, list, tuple)):
                raise UsageError(f"schemas[{name!r}] is {columns!r:.60}", hint=_SHAPE)
            parts = parts_of(name)
            if parts:
                self._by_end.setdefault(parts[-1], []).append((parts, name))

    def table(self, name: str) -> Table:
        """The table that SQL names so, with its columns where `schemas` has them.

        Two names mean the same relation where one ends with the other. Of several the one with the
        most parts in common counts, then the one that is spelt the same, then the first.
        """
        table = self._known.get(name)
        if table is None:
            table = self._known[name] = self._find(name)
        return table

    def _find(self, name: str) -> Table:
        spelt = name if name in self._schemas else self._matching(name)
        if spelt is None:
            return Table(name, None)
        if not all(isinstance(column, str) for column in self._schemas[spelt]):
            raise UsageError(f"schemas[{spelt!r}] has columns whose names are no text", hint=_SHAPE)
        columns = _without_fields([unquoted(column) for column in self._schemas[spelt]])
        given = self._schemas[spelt]
        types = given if isinstance(given, Mapping) else {}
        if STAR in columns:
            return Table(spelt, None, index_of([name for name in columns if name != STAR]), types)
        # A relation without columns is one of which nothing is known.
        return Table(spelt, columns or None, index_of(columns), types)

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
        """The last of the tables that `events_2026*` matches: BigQuery takes the newest one's columns."""
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
    """*columns* without those that are fields of another one: BigQuery's catalog lists `st` and `st.x`."""
    if not any("." in column for column in columns):
        return tuple(columns)
    known = set(columns)
    return tuple(column for column in columns if "." not in column or column.split(".", 1)[0] not in known)


def _ends(end: str) -> Iterator[str]:
    """The names to look for: itself, and the family that it is a day's table of."""
    yield end
    if len(end) > 8 and end[-8:].isdigit():
        yield end[:-8] + _ANY_DAY


def _same_end(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    shorter = min(len(one), len(other))
    return shorter == 0 or one[-shorter:] == other[-shorter:]
