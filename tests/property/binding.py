"""Bind the models of real projects without each column of each parent: what fails needs an edge.

`python -m tests.property.binding [POSTGRES_URL] FOLDER...` prints the figures of every project below the
folders; in PostgreSQL, of those that are written for it.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import NamedTuple

import duckdb
import psycopg
import sqlglot
from sqlglot import exp

from recce_meta.errors import RecceMetaError
from recce_meta.extractors.git import GitState
from recce_meta.extractors.project import extract_project
from recce_meta.models import NodeMetadata, Project
from recce_meta.models.lineage import REFERENCED, NodeColumns
from recce_meta.sql_lineage.project.columns import analyse_project
from recce_meta.sql_lineage.project.names import QueryNames, RelationFinder, dialect_of
from tests.property.lineage_projects import inlined

Columns = Mapping[str, str]


class Pair(NamedTuple):
    """A model, and a column of one of its parents."""

    model: str
    parent: str
    column: str
    fails: bool
    """Whether the model does not bind without the column."""
    edges: frozenset[str]
    """The usages and kinds of the edges between them."""


class Binding(NamedTuple):
    """What came out for one project."""

    pairs: list[Pair]
    models: int
    """Those that bind."""
    unbound: Counter[str]
    """Why others were not tried."""


def projects(folder: Path) -> Iterator[Path]:
    """The folders below *folder* that hold a manifest and a catalog."""
    for manifest in sorted(folder.rglob("manifest.json*")):
        if any(manifest.parent.glob("catalog.json*")):
            yield manifest.parent


def extracted(folder: Path) -> Project | None:
    """The project in *folder*; None if its artifacts are broken on purpose."""
    with suppress(RecceMetaError):
        return extract_project(folder, git=GitState(), environ={}, hash_seed_files=False)
    return None


def bound(project: Project, binder: Binder | None = None) -> Binding:
    """Drop each column of each parent of every model of *project*, and bind the model."""
    graph = analyse_project(project)
    names = RelationFinder(project.nodes)
    nodes = {node.unique_id: node for node in project.nodes}
    dialect = dialect_of(project.run.adapter_type) or ""
    found = Binding([], 0, Counter())
    models = 0
    for node in project.nodes:
        if node.resource_type != "model" or not node.compiled_code:
            continue
        columns = inlined(graph, nodes, node.unique_id)
        query = names.of(node)
        parents = {parent: columns_of(nodes.get(parent)) for parent in query.read if parent != node.unique_id}
        with binder or DuckDB() as engine:
            reason = _try(node, query, parents, (engine, dialect), columns, found.pairs)
        if reason:
            found.unbound[reason] += 1
        else:
            models += 1
    return found._replace(models=models)


def columns_of(node: NodeMetadata | None) -> Columns:
    """The columns of a relation with their types; nothing without a catalog."""
    if node is None or node.columns_from != "catalog":
        return {}
    return {column.name: column.type or "" for column in node.columns}


def _try(
    node: NodeMetadata,
    query: QueryNames,
    parents: Mapping[str, Columns],
    how: tuple[Binder, str],
    known: NodeColumns,
    pairs: list[Pair],
) -> str:
    """Add the pairs of one model; why it cannot be bound, if it cannot."""
    if not parents or not all(parents.values()):
        return "a parent without catalog" if parents else "no parents"
    if known.reason is not None:
        return "not analysed"
    binder, dialect = how
    try:
        sql = sqlglot.parse_one(query.sql, dialect=dialect or None).sql(dialect=binder.dialect)
    except sqlglot.errors.SqlglotError:
        return "not transpiled"
    keys = query.keys()
    try:
        for parent, columns in parents.items():
            binder.create(keys[parent], columns, dialect)
        whole = binder.bind(sql)
    except binder.error as error:
        return f"does not bind: {type(error).__name__}"
    edges = edges_of(known)
    for parent, columns in parents.items():
        for column in columns if len(columns) > 1 else ():
            rest = {name: kind for name, kind in columns.items() if name != column}
            binder.create(keys[parent], rest, dialect)
            try:
                # dbt refuses a query that lacks columns of its contract.
                fails = binder.bind(sql) != whole and node.contract is not None
            except binder.error:
                fails = True
            kinds = edges.get((parent, column.lower()), frozenset())
            pairs.append(Pair(node.unique_id, parent, column, fails, kinds))
        binder.create(keys[parent], columns, dialect)
    return ""


def edges_of(known: NodeColumns) -> dict[tuple[str, str], frozenset[str]]:
    """The usages and kinds of edges by parent and column, in lower case."""
    found: dict[tuple[str, str], set[str]] = {}
    for output in known.outputs:
        for source in output.sources:
            found.setdefault((source.parent, source.column.lower()), set()).add(output.kind.value)
    for use in known.uses:
        found.setdefault((use.parent, use.column.lower()), set()).add(use.usage.value)
    for named in known.references:
        found.setdefault((named.parent, named.column.lower()), set()).add(REFERENCED)
    return {place: frozenset(kinds) for place, kinds in found.items()}


class Binder:
    """A database without rows that binds queries; used once for each model."""

    dialect: str
    error: type[Exception]

    def __init__(self) -> None:
        self._types: dict[tuple[str, str], str] = {}

    def __enter__(self) -> Binder:
        raise NotImplementedError

    def __exit__(self, *_: object) -> None:
        raise NotImplementedError

    def create(self, keys: list[str], columns: Columns, dialect: str) -> None:
        """Create an empty table of *columns* under each of the names *keys*."""
        defined = ", ".join(f"{_quoted(name)} {self._type(kind, dialect)}" for name, kind in columns.items())
        for key in keys:
            self.make(key.split("."), defined)

    def make(self, parts: list[str], defined: str) -> None:
        """Create a table with the columns *defined*, in the place of another one."""
        raise NotImplementedError

    def bind(self, sql: str) -> list[str]:
        """Return what stands for the columns of *sql*; raise `error` if it does not bind."""
        raise NotImplementedError

    def _type(self, kind: str, dialect: str) -> str:
        if (kind, dialect) not in self._types:
            text = "text"
            with suppress(sqlglot.errors.SqlglotError, self.error, ValueError):
                text = exp.DataType.build(kind, dialect=dialect or None).sql(dialect=self.dialect)
                self.bind(f"select cast(null as {text}) as one")
                self._types[kind, dialect] = text
            self._types.setdefault((kind, dialect), "text")
        return self._types[kind, dialect]


class DuckDB(Binder):
    """DuckDB in memory."""

    dialect, error = "duckdb", duckdb.Error

    def __enter__(self) -> DuckDB:
        self._connection = duckdb.connect()
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def make(self, parts: list[str], defined: str) -> None:
        *places, name = parts
        if len(places) > 1:
            self._connection.execute(f"attach if not exists ':memory:' as {_quoted(places[0])}")
        if places:
            self._connection.execute(f"create schema if not exists {'.'.join(map(_quoted, places))}")
        relation = ".".join(map(_quoted, [*places, name]))
        self._connection.execute(f"create or replace table {relation} ({defined})")

    def bind(self, sql: str) -> list[str]:
        return [str(row[0]) for row in self._connection.execute(f"describe {sql}").fetchall()]


class Postgres(Binder):
    """PostgreSQL, in a transaction that is rolled back."""

    dialect, error = "postgres", psycopg.Error

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def __enter__(self) -> Postgres:
        self._connection = psycopg.connect(self._url, prepare_threshold=None)
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.rollback()
        self._connection.close()

    def make(self, parts: list[str], defined: str) -> None:
        *places, name = parts
        relation = ".".join(map(_quoted, [*places, name]))
        with self._connection.transaction():
            if places:
                self._connection.execute(f"create schema if not exists {_quoted(places[-1])}".encode())
            self._connection.execute(f"drop table if exists {relation}".encode())
            self._connection.execute(f"create table {relation} ({defined})".encode())

    def bind(self, sql: str) -> list[str]:
        with self._connection.transaction():
            cursor = self._connection.execute(f"select * from ({sql}) as bound limit 0".encode())
            return [column.name for column in cursor.description or ()]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def missed(pairs: list[Pair]) -> list[Pair]:
    """The pairs that fail and have no edge that says so."""
    return [pair for pair in pairs if pair.fails and REFERENCED not in pair.edges]


def main() -> None:
    """Print the figures of every project below the folders that are named."""
    totals: Counter[str] = Counter()
    unbound: Counter[str] = Counter()
    url, *folders = sys.argv[1:] if sys.argv[1].startswith("postgres") else ("", *sys.argv[1:])
    for folder in (found for name in folders for found in projects(Path(name))):
        project = extracted(folder)
        if project is None or (url and project.run.adapter_type != "postgres"):
            continue
        start = monotonic()
        found = bound(project, Postgres(url) if url else None)
        unbound += found.unbound
        counts = Counter(
            models=found.models,
            pairs=len(found.pairs),
            fail=sum(pair.fails for pair in found.pairs),
            without_edge=sum(pair.fails and not pair.edges for pair in found.pairs),
            missed=len(missed(found.pairs)),
            only_referenced=sum(pair.fails and pair.edges == {REFERENCED} for pair in found.pairs),
            extra=sum(not pair.fails and REFERENCED in pair.edges for pair in found.pairs),
            quiet=sum(not pair.fails and REFERENCED not in pair.edges for pair in found.pairs),
        )
        totals += counts
        print(folder, f"{monotonic() - start:.1f} s", dict(counts), dict(found.unbound), flush=True)
        for pair in missed(found.pairs)[:5]:
            print("   MISSED", *pair[:3], sorted(pair.edges))
        for pair in [pair for pair in found.pairs if not pair.fails and REFERENCED in pair.edges][:5]:
            print("   extra", *pair[:3], sorted(pair.edges))
    print(dict(totals))
    print(unbound.most_common())


if __name__ == "__main__":
    main()
