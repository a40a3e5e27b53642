"""Scans of the warehouses that run elsewhere, on their emulators: what is told, and told again."""

from __future__ import annotations

from collections.abc import Callable
from json import dumps, loads
from pathlib import Path
from typing import Any

import pytest

from recce_meta import NodeMetadata, Project, UnifiedSqlAdapter, load_run, record_run
from recce_meta.extractors.database import ScanScope, extract_database
from tests.contract.conftest import Backend

pytestmark = pytest.mark.emulated

CLOUD = ("snowflake", "bigquery", "redshift", "databricks")

Node = Callable[[str], Any]


@pytest.fixture
def shop(request: pytest.FixtureRequest, backend: Backend) -> Project:
    """A scan of two tables and a view, with whatever keys and comments the warehouse keeps."""
    if backend.name not in CLOUD:
        pytest.skip("has tests of its own")
    adapter, schema = request.getfixturevalue("adapter"), request.getfixturevalue("schema")
    for statement in statements(backend.name):
        adapter.execute(statement.format(**{name: adapter.quote_table(schema, name) for name in NAMES}))
    return scan(adapter, schema)


NAMES = ("author", "book", "shelf")
VIEW = (
    "CREATE VIEW {shelf} AS SELECT a.name, b.title FROM {author} AS a JOIN {book} AS b ON b.author_id = a.id"
)
STATEMENTS = {
    "snowflake": (
        "CREATE TABLE {author} (id NUMBER(10, 0) NOT NULL, name VARCHAR(40) NOT NULL,"
        " score FLOAT DEFAULT 1.5, PRIMARY KEY (name, id))",
        "COMMENT ON TABLE {author} IS 'who writes'",
        "CREATE TABLE {book} (id NUMBER(10, 0) NOT NULL, author_id NUMBER(10, 0) NOT NULL,"
        " title VARCHAR(100), made TIMESTAMP_TZ, PRIMARY KEY (author_id, id))",
    ),
    "bigquery": (
        "CREATE TABLE {author} (id INT64 NOT NULL, name STRING(40) NOT NULL"
        " OPTIONS (description = 'in full'), score FLOAT64 DEFAULT 1.5, PRIMARY KEY (name, id) NOT ENFORCED)"
        " OPTIONS (description = 'who writes')",
        "CREATE TABLE {book} (id INT64, author_id INT64, title STRING, day DATE,"
        " PRIMARY KEY (author_id, id) NOT ENFORCED,"
        " CONSTRAINT written FOREIGN KEY (title, author_id) REFERENCES {author} (name, id) NOT ENFORCED)"
        " PARTITION BY day CLUSTER BY title, author_id",
    ),
    "redshift": (
        "CREATE TABLE {author} (id INT NOT NULL, name VARCHAR(40) NOT NULL, score FLOAT DEFAULT 1.5,"
        " PRIMARY KEY (name, id))",
        "COMMENT ON TABLE {author} IS 'who writes'",
        "COMMENT ON COLUMN {author}.name IS 'in full'",
        "CREATE TABLE {book} (id INT, author_id INT, title VARCHAR(100), notes SUPER,"
        " PRIMARY KEY (author_id, id),"
        " CONSTRAINT written FOREIGN KEY (title, author_id) REFERENCES {author} (name, id))",
    ),
    "databricks": (
        "CREATE TABLE {author} (id INT NOT NULL, name STRING COMMENT 'in full', score DOUBLE)"
        " COMMENT 'who writes'",
        "ALTER TABLE {author} ADD CONSTRAINT author_key PRIMARY KEY (name, id)",
        "CREATE TABLE {book} (id INT, author_id INT, title STRING, day DATE) PARTITIONED BY (day)",
        "ALTER TABLE {book} ADD CONSTRAINT book_key PRIMARY KEY (author_id, id)",
        "ALTER TABLE {book} ADD CONSTRAINT written"
        " FOREIGN KEY (title, author_id) REFERENCES {author} (name, id)",
    ),
}


def statements(name: str) -> tuple[str, ...]:
    return (*STATEMENTS[name], VIEW)


def scan(adapter: UnifiedSqlAdapter, schema: str) -> Project:
    return extract_database(adapter, scope=ScanScope(schemas=(schema,)), project="shop")


def relations(project: Project) -> list[NodeMetadata]:
    return [one for one in project.nodes if one.resource_type != "schema"]


def literally(name: str) -> str:
    return "".join(f"[{character}]" if character in "*?[" else character for character in name)


@pytest.fixture
def node(shop: Project) -> Node:
    """The node of a relation by its name, whatever its case."""
    by_name = {one.name.lower(): one for one in relations(shop)}
    return by_name.__getitem__


EXPECTED: dict[str, dict[str, Any]] = {
    "snowflake": {
        "note": "",  # fakesnow forgets it
        "types": ["NUMBER(10,0)", "VARCHAR(40)", "FLOAT"],
        "default": "1.5",
        "key": {"type": "primary_key", "columns": ["NAME", "ID"]},
        "book": {"constraints": [{"type": "primary_key", "columns": ["AUTHOR_ID", "ID"]}]},
        "facts": ("bytes", "created_at", "row_estimate"),
    },
    "bigquery": {
        "note": "in full",
        "types": ["INT64", "STRING(40)", "FLOAT64"],
        "default": "1.5",
        "key": {"type": "primary_key", "columns": ["name", "id"]},
        "book": {
            "constraints": [
                {"type": "primary_key", "columns": ["author_id", "id"]},
                {
                    "name": "written",
                    "type": "foreign_key",
                    "columns": ["title", "author_id"],
                    "references": {"relation": "{author}", "columns": ["name", "id"]},
                },
            ],
            "partition_key": "day",
            "options": {"cluster_by": "title, author_id"},
        },
        "facts": ("bytes", "created_at", "row_estimate"),
    },
    "redshift": {
        "note": "in full",
        "types": ["integer", "character varying(40)", "double precision"],
        "default": "1.5",
        "key": {"name": "author_pkey", "type": "primary_key", "columns": ["name", "id"]},
        "book": {
            "constraints": [
                {"name": "book_pkey", "type": "primary_key", "columns": ["author_id", "id"]},
                {
                    "name": "written",
                    "type": "foreign_key",
                    "columns": ["title", "author_id"],
                    "references": {"relation": "{author}", "columns": ["name", "id"]},
                },
            ],
            "options": {"dist_style": "auto"},
        },
        "facts": ("created_at",),
    },
    "databricks": {
        "note": "in full",
        "types": ["int", "string", "double"],
        "default": None,
        "key": {"name": "author_key", "type": "primary_key", "columns": ["name", "id"]},
        "book": {
            "constraints": [
                {"name": "book_key", "type": "primary_key", "columns": ["author_id", "id"]},
                {
                    "name": "written",
                    "type": "foreign_key",
                    "columns": ["title", "author_id"],
                    "references": {"relation": "{author}", "columns": ["name", "id"]},
                    "on_update": "no action",
                    "on_delete": "no action",
                },
            ],
            "partition_key": "day",
        },
        "facts": ("created_at",),
    },
}


def test_a_scan_tells_what_there_is_and_again_the_same(
    shop: Project, adapter: UnifiedSqlAdapter, backend: Backend, schema: str, node: Node, tmp_path: Path
) -> None:
    author, book, shelf = node("author"), node("book"), node("shelf")
    expected = EXPECTED[backend.name]

    assert shop.warnings == ()
    assert [one.resource_type for one in shop.nodes].count("schema") == 1
    assert [(one.resource_type, len(one.columns)) for one in (author, book, shelf)] == [
        ("table", 3),
        ("table", 4),
        ("view", 2),
    ]
    assert set(shelf.parents) == {author.unique_id, book.unique_id}
    assert shelf.raw_code.lstrip().upper().startswith("SELECT")
    assert author.relation_name in shelf.compiled_code
    assert [one.type for one in author.columns] == expected["types"]
    assert (author.description, author.columns[0].not_null) == ("who writes", True)
    assert author.columns[1].description == expected["note"]
    assert author.columns[2].default == expected["default"]
    assert author.properties["constraints"] == [expected["key"]]
    told = {
        name: value for name, value in book.properties.items() if name in ("constraints", *expected["book"])
    }
    assert told == loads(dumps(expected["book"]).replace('"{author}"', dumps(author.unique_id)))
    (facts,) = (one for one in shop.facts if one.unique_id == book.unique_id)
    assert all(getattr(facts, name) is not None for name in expected["facts"])

    again = scan(adapter, schema)
    assert again.nodes == shop.nodes
    among_all = extract_database(
        adapter, scope=ScanScope(include=(f"{literally(schema)}.*",)), project="shop"
    )
    assert relations(among_all) == relations(shop)
    with UnifiedSqlAdapter.from_url(f"duckdb:///{tmp_path / 'store.duckdb'}") as store:
        assert record_run(store, shop).versions_written == len(shop.nodes)
        assert not record_run(store, again).new_graph
        assert load_run(store, "latest").nodes == shop.nodes
