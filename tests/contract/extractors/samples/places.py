"""The sample databases, made afresh on each kind of database, and dropped afterwards."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

from recce_meta import UnifiedSqlAdapter
from recce_meta.extractors.database import ScanScope, extract_database
from recce_meta.models import NodeMetadata, Project
from recce_meta.models.catalog import relation_id

FOLDER = Path(__file__).parent


class Place(NamedTuple):
    """A database with a sample in it."""

    name: str
    """The database's name here."""
    url: str
    schema: str
    """The schema that holds the sample."""
    adapter: UnifiedSqlAdapter

    def run(self, *statements: str) -> None:
        """Execute each of *statements*."""
        for statement in statements:
            self.adapter.execute(statement)

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        """The rows of *sql*."""
        return [tuple(row) for row in self.adapter.execute(sql)[1]]

    def scan(self, *schemas: str) -> Project:
        """What a scan of it finds; of the sample's schema, where the database has others."""
        wanted = schemas or ((self.schema,) if self.name == "postgres" else ())
        return extract_database(self.adapter, scope=ScanScope(schemas=wanted))

    def nodes(self) -> dict[str, NodeMetadata]:
        """What a scan finds, by unique id."""
        return {node.unique_id: node for node in self.scan().nodes}

    def changed(self, before: dict[str, NodeMetadata], *statements: str) -> set[str]:
        """The names of what a scan takes for changed, added or gone since *before*, after *statements*."""
        self.run(*statements)
        after = self.nodes()
        differing = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
        before.clear()
        before.update(after)
        return {key.removeprefix(f"relation.{self.schema}.") for key in differing}

    def require_changes(self, changes: Iterable[tuple[str, set[str]]]) -> dict[str, NodeMetadata]:
        """Require that a scan after each statement of *changes* finds what it changed; return the nodes."""
        before = self.nodes()
        for statement, changed in changes:
            assert self.changed(before, statement) == changed, statement
        return before

    def require_names(self, names: Iterable[str], quote: str, column: str, schema: str = "") -> None:
        """Make a table, with a *column*, and a view of each of *names*; require that a scan traces them."""
        quoted = {name: quote + name.replace(quote, quote * 2) + quote for name in names}
        prefix = schema and f"{quote}{schema}{quote}."
        for one in quoted.values():
            self.run(
                f"CREATE TABLE {prefix}{one} ({one} {column}, CHECK ({one} > 0))",
                f"CREATE VIEW {prefix}{quote}v {one[1:]} AS SELECT {one} FROM {prefix}{one}",
            )
        project = self.scan()
        found = {node.unique_id: node for node in project.nodes}
        for name in quoted:
            table, view = (found[relation_id(schema or self.schema, one)] for one in (name, f"v {name}"))
            assert [one.name for one in table.columns] == [name]
            assert len(table.properties["constraints"]) == 2  # type: ignore[arg-type]
            assert view.parents == (table.unique_id,)
        assert project.warnings == ()


@contextmanager
def place(name: str, folder: Path, server: str | None, *, sample: bool = True) -> Iterator[Place]:
    """A new database of the kind *name*, in *folder* or on the *server* with this URL."""
    schema, url = "main", f"{name}:///{folder / f'shop.{name}'}"
    if name == "sqlite":
        sqlite3.connect(folder / f"shop.{name}").close()
    if server is not None:
        schema = url = f"recce_meta_{uuid4().hex[:12]}"
        with UnifiedSqlAdapter.from_url(server) as admin:
            what = "DATABASE {} CHARACTER SET utf8mb4" if name == "mysql" else "SCHEMA {}"
            admin.execute("CREATE " + what.format(schema))
        url = server if name == "postgres" else urlunsplit(urlsplit(server)._replace(path=f"/{schema}"))
    with UnifiedSqlAdapter.from_url(url) as adapter:
        made = Place(name, url, schema, adapter)
        try:
            if name == "postgres":
                adapter.execute(f"SET search_path = {schema}")
            if sample:
                made.run(*statements_of(name))
            yield made
        finally:
            if server is not None:
                adapter.execute(f"DROP SCHEMA {schema}{' CASCADE' if name == 'postgres' else ''}")


def statements_of(name: str) -> list[str]:
    """The statements of one sample."""
    text = (FOLDER / f"{name}.sql").read_text(encoding="utf-8")
    return [statement for statement in text.split(";\n") if statement.strip()]
