"""A database that is scanned through SQLAlchemy's inspector, compared with what its own catalog tells."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from recce_meta import Column, NodeMetadata, Project, UnifiedSqlAdapter
from recce_meta.extractors.database import ScanScope, extract_database
from recce_meta.warehouses import warehouse_for_scheme
from recce_meta.warehouses.catalog import catalog_of

NAMED = "name varchar(40) NOT NULL, born date DEFAULT '1970-01-01', CONSTRAINT named UNIQUE (name)"
BOOK = (
    "CREATE TABLE {schema}.book (id int PRIMARY KEY, author_id bigint, title varchar(100), pages int,"
    " twice int GENERATED ALWAYS AS (pages * 2) STORED,\n"  # up to whose end SQLAlchemy reads, on SQLite
    " CONSTRAINT written FOREIGN KEY (author_id) REFERENCES {parent} (id) ON DELETE CASCADE)"
)
VIEW = (
    "CREATE VIEW {schema}.shelf AS SELECT a.name, b.title FROM {schema}.author AS a"
    " JOIN {schema}.book AS b ON b.author_id = a.id"
)
STATEMENTS = {
    "postgres": (
        "CREATE TABLE {schema}.author (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, spot point,"
        f" CONSTRAINT longer CHECK (length(name) > 1), {NAMED})",
        "COMMENT ON TABLE {schema}.author IS 'who writes'",
        "COMMENT ON COLUMN {schema}.author.name IS 'in full'",
        BOOK,
        "CREATE INDEX by_title ON {schema}.book (title, pages)",
        "CREATE UNIQUE INDEX by_pages ON {schema}.book (pages)",
        VIEW,
        "CREATE MATERIALIZED VIEW {schema}.tally AS SELECT count(*) AS n FROM {schema}.book",
    ),
    "mysql": (
        "CREATE TABLE {schema}.author (id bigint AUTO_INCREMENT PRIMARY KEY,"
        " CONSTRAINT longer CHECK (char_length(name) > 1),"
        f" {NAMED.replace('NOT NULL', chr(78) + 'OT NULL COMMENT ' + repr('in full'))}) COMMENT 'who writes'",
        BOOK,
        "CREATE INDEX by_title ON {schema}.book (title, pages)",
        VIEW,
    ),
    "sqlite": (
        "CREATE TABLE {schema}.author (id integer PRIMARY KEY, name varchar(40) NOT NULL,"
        " born date DEFAULT '1970-01-01', CONSTRAINT named UNIQUE (name),"
        " CONSTRAINT longer CHECK (length(name) > 1))",
        BOOK,
        "CREATE INDEX {schema}.by_title ON book (title, pages)",
        "CREATE UNIQUE INDEX {schema}.by_pages ON book (pages)",
        "CREATE VIEW {schema}.shelf AS SELECT a.name, b.title FROM author AS a"
        " JOIN book AS b ON b.author_id = a.id",
    ),
}


@dataclass
class Place:
    """A schema in a database, with two tables and a view."""

    name: str
    adapter: UnifiedSqlAdapter
    schema: str

    def scan(self) -> Project:
        """What is there."""
        return extract_database(self.adapter, scope=ScanScope(schemas=(self.schema,)), run_id="one")


@pytest.fixture(scope="module", params=["postgres", "mysql", "sqlite"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Each database in turn."""
    tmp_path: Path = tmp_path_factory.mktemp("inspected")
    name = request.param
    schema = f"scan_{uuid4().hex[:8]}"
    if name == "sqlite":
        sqlite3.connect(tmp_path / "shop.db").close()
        url, schema = f"sqlite:///{tmp_path / 'shop.db'}", "main"
    else:
        url = request.getfixturevalue(f"{name}_url")
        url = url if name == "postgres" else url.rpartition("/")[0] + "/"
    with UnifiedSqlAdapter.from_url(url) as adapter:
        if name != "sqlite":
            adapter.execute(f"CREATE SCHEMA {schema}")
        parent = "author" if name == "sqlite" else f"{schema}.author"
        try:
            for statement in STATEMENTS[name]:
                adapter.execute(statement.format(schema=schema, parent=parent))
            yield Place(name, adapter, schema)
        finally:
            if name != "sqlite":
                adapter.execute(f"DROP SCHEMA {schema}" + " CASCADE" * (name == "postgres"))


@pytest.fixture(scope="module")
def by_inspector(place: Place) -> Iterator[tuple[Project, Project]]:
    """What the catalog tells, and what the inspector does, which is asked from then on."""
    known = place.scan()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(place.adapter.warehouse), "catalog", "other")
        yield known, place.scan()


def column(of: NodeMetadata, one: Column) -> tuple[object, ...]:
    """What both tell of a column: types have other spellings, and columns of views may be NULL or not."""
    generated = re.sub(r"[()]", "", one.generated) if one.generated else None
    is_table = of.resource_type == "table"
    return one.name, one.default, generated, one.description, bool(one.not_null) if is_table else None


def constraint(one: dict[str, Any]) -> dict[str, Any]:
    """A constraint, without what only a catalog tells."""
    kept = {
        name: one[name] for name in ("name", "type", "columns", "expression", "references") if name in one
    }
    if kept["type"] in ("primary_key", "foreign_key"):
        kept.pop("name", None)  # PRIMARY, and names that SQLite forgets
    if kept.get("expression"):
        kept.pop("columns", None)
        kept["expression"] = re.sub(r"^CHECK|[()\s]|::\w+", "", kept["expression"])
    return kept


def told(node: NodeMetadata) -> tuple[object, ...]:
    """What both tell of a node."""
    constraints = [constraint(one) for one in node.properties.get("constraints", [])]  # type: ignore[union-attr,arg-type]
    return (
        node.resource_type,
        node.description,
        node.parents,
        node.raw_code,
        [column(node, one) for one in node.columns],
        constraints,
    )


def test_an_inspector_tells_what_the_catalog_tells(by_inspector: tuple[Project, Project]) -> None:
    known, inspected = ({node.unique_id: told(node) for node in one.nodes} for one in by_inspector)

    assert inspected == known
    assert len(inspected) >= 4


def test_names_of_indexes_and_actions_of_keys_are_the_same(
    place: Place, by_inspector: tuple[Project, Project]
) -> None:
    found = []
    for project in by_inspector:
        (book,) = (node for node in project.nodes if node.name == "book")
        indexes = [(one["name"], one["unique"]) for one in book.properties["indexes"]]  # type: ignore[union-attr,call-overload,index]
        (key,) = (one for one in book.properties["constraints"] if one["type"] == "foreign_key")  # type: ignore[union-attr,call-overload,index]
        found.append((indexes, key.get("on_delete")))  # type: ignore[union-attr]

    if place.name == "sqlite":  # whose dialect forgets the action of a key that the table states
        found = [(indexes, None) for indexes, _ in found]
    assert found[0] == found[1]
    assert ("by_title", False) in found[1][0]


def test_columns_have_types_and_what_has_no_name_is_noted(
    place: Place, by_inspector: tuple[Project, Project]
) -> None:
    inspected = by_inspector[1]
    types = {(node.name, one.name): one.type for node in inspected.nodes for one in node.columns}

    assert types["book", "title"] == "VARCHAR(100)"
    assert types["book", "author_id"] in ("BIGINT", "BIGINT(20)")
    if place.name == "postgres":
        assert types["author", "spot"] == "unknown"
        assert any("author.spot" in warning for warning in inspected.warnings)
    elif place.name == "sqlite":
        assert inspected.warnings == ("SQLAlchemy's dialect for sqlite does not support: comments",)
    else:
        assert inspected.warnings == ()


def test_two_scans_of_what_did_not_change_are_equal(
    place: Place, by_inspector: tuple[Project, Project]
) -> None:
    assert place.scan().nodes == by_inspector[1].nodes


@pytest.mark.parametrize("scheme", ["oracle", "mssql", "clickhouse", "trino"])
def test_a_database_without_a_catalog_of_its_own_is_inspected(scheme: str) -> None:
    catalog = catalog_of(warehouse_for_scheme(scheme))

    assert catalog.uses_inspector
    assert not catalog.has_databases
