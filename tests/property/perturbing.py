"""What running queries tells of lineage: change one column of one table, and see what changes with it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from random import Random
from typing import Any, NamedTuple

import duckdb

from recce_meta.errors import SqlNotAnalysed
from recce_meta.models.lineage import NodeColumns
from recce_meta.sql_lineage import QueryColumns, analyse_query

Schemas = Mapping[str, Mapping[str, str]]
Rows = list[tuple[Any, ...]]
WAYS = ("other values", "shifted", "no values", "exchanged")
"""How a column is changed."""
ORDERS = 6
"""Orders of rows that are tried, before a change is said to come of a column."""


@dataclass
class Tally:
    """What was tried, and what was found."""

    queries: int = 0
    not_run: list[str] = field(default_factory=list)
    not_analysed: list[str] = field(default_factory=list)
    perturbations: int = 0
    changed: int = 0
    """Perturbations that changed the answer."""
    undecided: int = 0
    """Changes that the order of rows alone makes, too."""
    listed: int = 0
    """Value edges between a column that was changed and an output."""
    unseen: int = 0
    """Those of them that changed nothing, in any way: said too much, or not shown by these rows."""
    misses: list[str] = field(default_factory=list)
    is_exact: bool = False
    """Whether to change columns, too, that are listed for all outputs or for the rows: what of it is seen?"""

    def __str__(self) -> str:
        return (
            f"{self.queries} queries run, {len(self.not_run)} do not, {len(self.not_analysed)} not analysed; "
            f"{self.perturbations} perturbations, {self.changed} of them changed the answer, "
            f"{self.undecided} undecided; {len(self.misses)} misses; "
            f"of {self.listed} value edges {self.unseen} without a change"
        )


class Listed(NamedTuple):
    """The lineage of one query, by tables as `Perturbed` knows them and columns in lower case."""

    names: tuple[str, ...]
    sources: tuple[frozenset[tuple[str, str]], ...]
    """By output column."""
    uses: frozenset[tuple[str, str]]


def listed(found: QueryColumns | NodeColumns, table: Callable[[str], str] = str) -> Listed:
    """*found*, each parent in it by the name of its *table*."""
    return Listed(
        tuple(output.name for output in found.outputs),
        tuple(
            frozenset((table(one.parent), one.column.lower()) for one in output.sources)
            for output in found.outputs
        ),
        frozenset((table(use.parent), use.column.lower()) for use in found.uses),
    )


class Perturbed:
    """Tables of random rows in DuckDB, and in schemas beside them the same with one column changed.

    A table's name may have a schema before it: then it is the schema's name in queries that is replaced.
    """

    def __init__(
        self, schemas: Schemas, values: Callable[[Random, str], Any], *, rows: int = 7, seed: int = 1
    ) -> None:
        self.schemas = schemas
        self._values = values
        self._random = Random(seed)
        self.connection = duckdb.connect()
        self.connection.execute("SET threads = 1")
        self._made: set[str] = set()
        owners = sorted({table.rpartition(".")[0] for table in schemas} - {""})
        self._owners = re.compile(rf"\b({'|'.join(owners)})\b", re.I) if owners else None
        made: dict[str, Rows] = {}
        for table, columns in schemas.items():
            made[table] = [
                tuple(values(self._random, kind) for kind in columns.values()) for _ in range(rows)
            ]
            self._create("", table, made[table])
            for number in range(ORDERS):
                self._create(f"_order_{number}", table, self._random.sample(made[table], rows))
            for place, kind in enumerate(columns.values()):
                for way in WAYS:
                    self._create(
                        _variant(table, place, way), table, self._changed(made[table], place, kind, way)
                    )

    def _create(self, variant: str, table: str, rows: Rows) -> None:
        owner, _, name = table.rpartition(".")
        schema = f"{owner}{variant}" or "main"
        self._made.add(schema)
        columns = ", ".join(f'"{column}" {kind}' for column, kind in self.schemas[table].items())
        places = ", ".join("?" * len(self.schemas[table]))
        self.connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
        self.connection.execute(f'CREATE TABLE "{schema}"."{name}" ({columns})')
        values = ", ".join([f"({places})"] * len(rows))
        self.connection.execute(
            f'INSERT INTO "{schema}"."{name}" VALUES {values}', [value for row in rows for value in row]
        )

    def _changed(self, rows: Rows, place: int, kind: str, way: str) -> Rows:
        old = [row[place] for row in rows]
        if way == "other values":
            new = [self._other(kind, value) for value in old]
        elif way == "no values":
            new = [None] * len(old)
        elif way == "exchanged":
            new = [*old[1:], old[0]]
        else:
            new = [value + 100 if type(value) is int else self._other(kind, value) for value in old]
        return [(*row[:place], value, *row[place + 1 :]) for row, value in zip(rows, new, strict=True)]

    def _other(self, kind: str, value: Any) -> Any:
        for _ in range(20):
            if (found := self._values(self._random, kind)) != value:
                return found
        return None

    def answer(self, sql: str, variant: str = "") -> tuple[Rows, list[str]]:
        """The rows of *sql* on a *variant* of the tables, and what DuckDB calls its columns."""
        if self._owners is not None:
            sql = self._owners.sub(lambda found: self._owner(found[1], variant), sql)
        else:
            self.connection.execute(f"SET search_path = '{variant or 'main'},main'")
        ran = self.connection.execute(sql)
        return ran.fetchall(), [column[0] for column in ran.description or ()]

    def _owner(self, schema: str, variant: str) -> str:
        return schema + variant if schema + variant in self._made else schema

    def changes(self, sql: str, table: str, column: str) -> Iterator[tuple[str, Rows]]:
        """What *sql* gives after each change of *column*; nothing where it fails then."""
        place = list(self.schemas[table]).index(column)
        for way in WAYS:
            try:
                yield way, self.answer(sql, _variant(table, place, way))[0]
            except duckdb.Error:
                continue

    def depends_on_order(self, sql: str, old: Rows, places: list[int]) -> bool:
        """Whether the columns at *places* change where rows only stand in another order."""
        wanted = bag(old, places)
        return any(bag(self.answer(sql, f"_order_{number}")[0], places) != wanted for number in range(ORDERS))


def _variant(table: str, place: int, way: str) -> str:
    """The end of the names of schemas in which one column of *table* is changed, and of no other's."""
    return f"_{table.rpartition('.')[0] or table}_{place}_{way.replace(' ', '_')}"


def bag(rows: Iterable[tuple[Any, ...]], places: Iterable[int]) -> Counter[tuple[str, ...]]:
    """The rows with the columns at *places* alone, without their order."""
    kept = [*places]
    return Counter(tuple(repr(row[place]) for place in kept) for row in rows)


def check(sql: str, database: Perturbed, tally: Tally, found: Listed | None = None) -> None:
    """Hold the lineage of *sql*, else *found*, against what happens: every change has to be listed."""
    try:
        old, names = database.answer(sql)
    except duckdb.Error as error:
        tally.not_run.append(f"{error}\n{sql}")
        return
    tally.queries += 1
    try:
        found = found or listed(analyse_query(sql, "duckdb", database.schemas))
    except SqlNotAnalysed as error:
        tally.not_analysed.append(f"{error}\n{sql}")
        return
    found = _in_order(found, names)
    if not _are_named(found.names, names):
        tally.misses.append(f"columns {found.names}, and DuckDB has {names}\n{sql}")
        return
    for table, columns in database.schemas.items():
        if re.search(rf"\b{re.escape(table.rpartition('.')[0] or table)}\b", sql, re.I):
            for column in columns:
                _check_column(sql, database, tally, found, old, (table, column))


def _in_order(found: Listed, names: list[str]) -> Listed:
    """*found* in DuckDB's order, where it is in a catalog's; names tell, if none is there twice."""
    places = {name.lower(): place for place, name in enumerate(found.names)}
    wanted = [name.lower() for name in names]
    if len(places) != len(found.names) or sorted(places) != sorted(wanted):
        return found
    order = [places[name] for name in wanted]
    return Listed(
        tuple(found.names[place] for place in order),
        tuple(found.sources[place] for place in order),
        found.uses,
    )


def _are_named(ours: tuple[str, ...], theirs: list[str]) -> bool:
    """Whether outputs are called alike; expressions are not, nor is a second `x`, which is `x_1`."""
    return len(ours) == len(theirs) and all(
        mine.lower() == other.lower()
        for mine, other in zip(ours, theirs, strict=True)
        if mine.isidentifier() and other.isidentifier() and not re.search(r"_\d+$", other)
    )


def _check_column(
    sql: str, database: Perturbed, tally: Tally, found: Listed, old: Rows, column: tuple[str, str]
) -> None:
    named = (column[0], column[1].lower())
    every = [*range(len(found.names))]
    fed = [place for place in every if named in found.sources[place]]
    free = [] if named in found.uses else [place for place in every if place not in fed]
    if not free and not tally.is_exact:
        return
    moved: set[int] = set()
    missed = None
    for way, new in database.changes(sql, *column):
        tally.perturbations += 1
        if new == old:
            continue
        tally.changed += 1
        moved |= {place for place in fed if bag(new, [place]) != bag(old, [place])}
        if named not in found.uses and missed is None and bag(new, free) != bag(old, free):
            missed = (way, new)
    tally.listed += len(fed)
    tally.unseen += len(fed) - len(moved)
    if missed is None:
        return
    if database.depends_on_order(sql, old, free):
        tally.undecided += 1
        return
    way, new = missed
    shown = [found.names[place] for place in free if bag(new, [place]) != bag(old, [place])]
    tally.misses.append(
        f"{column[0]}.{column[1]} ({way}) changes {shown or 'rows'}, and is not listed\n{sql}"
    )


WORDS = ("a", "b", "c", "completed", "1", "2", "2024-01-02", "")


def typed(random: Random, kind: str) -> Any:
    """A value of a type as warehouses call it, of few, so that joins find some; sometimes none."""
    kind = kind.lower()
    if random.random() < 0.15:
        return None
    if "[]" in kind:
        return [typed(random, kind.removesuffix("[]")) for _ in range(random.randint(0, 3))]
    if "bool" in kind:
        return random.random() < 0.5
    if "date" in kind or "time" in kind:
        moment = datetime(2024, random.randint(1, 3), random.randint(1, 4), random.randint(0, 3))
        return (
            moment.date()
            if kind == "date"
            else moment.replace(tzinfo=timezone.utc)
            if "tz" in kind
            else moment
        )
    if "int" in kind or "num" in kind or "dec" in kind:
        return random.choice([1, 1, 2, 2, 3, 4])
    if "double" in kind or "float" in kind or "real" in kind:
        return random.choice([0.5, 1.0, 2.0, 2.5])
    return random.choice(WORDS)
