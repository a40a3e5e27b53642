"""Scans of SQLite: each change is seen and nothing else; broken views, odd names, locked files."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from recce_meta import UnifiedSqlAdapter
from recce_meta.diff.changes import detect_changes
from recce_meta.errors import ConnectionFailed, TransientFailure
from recce_meta.extractors.database import extract_database
from recce_meta.warehouses.create_table import read_table
from tests.contract.extractors.samples.places import Place, place

SHOP = (
    "CREATE TABLE product (id INTEGER PRIMARY KEY, title TEXT, price REAL)",
    "CREATE TABLE customer (id INTEGER PRIMARY KEY, email TEXT)",
    "CREATE VIEW cheap AS SELECT id, title FROM product WHERE price < 5",
)


def bought(*parts: str, options: str = "") -> str:
    """The statement that makes the table `bought` of *parts*."""
    return f"CREATE TABLE bought ({', '.join(parts)}){options}"


CHANGES = (
    ("ALTER TABLE product ADD COLUMN weight INTEGER DEFAULT 3 NOT NULL", {"product"}),
    ("ALTER TABLE product RENAME COLUMN weight TO grams", {"product"}),
    ("ALTER TABLE product DROP COLUMN grams", {"product"}),
    ("ALTER TABLE product RENAME COLUMN price TO cost", {"product", "cheap"}),
    ("CREATE INDEX by_title ON product (title)", {"product"}),
    ("DROP INDEX by_title", {"product"}),
    ("CREATE INDEX by_title ON product (title) WHERE id > 0", {"product"}),
    ("DROP VIEW cheap", {"cheap"}),
    ("CREATE VIEW cheap AS SELECT id, title FROM product WHERE cost < 6", {"cheap"}),
)

SHAPES = (
    bought("id INTEGER", "n TEXT"),
    bought("id BIGINT", "n TEXT"),
    bought("id BIGINT NOT NULL", "n TEXT"),
    bought("id BIGINT NOT NULL", "n TEXT DEFAULT 'x'"),
    bought("id BIGINT NOT NULL", "n TEXT DEFAULT 'x' COLLATE NOCASE"),
    bought("id BIGINT NOT NULL", "n TEXT UNIQUE"),
    bought("id BIGINT NOT NULL", "n TEXT", "CONSTRAINT one UNIQUE (n)"),
    bought("id BIGINT NOT NULL", "n TEXT", "CHECK (id > 0)"),
    bought("id BIGINT NOT NULL", "n TEXT", "CHECK (id > 1)"),
    bought("id BIGINT NOT NULL", "n TEXT", "FOREIGN KEY (id) REFERENCES product (id)"),
    bought("id BIGINT NOT NULL", "n TEXT", "FOREIGN KEY (id) REFERENCES product (id) ON DELETE CASCADE"),
    bought("id BIGINT NOT NULL", "n TEXT", "FOREIGN KEY (id) REFERENCES product (id) DEFERRABLE"),
    bought("id INTEGER PRIMARY KEY", "n TEXT"),
    bought("id INTEGER PRIMARY KEY AUTOINCREMENT", "n TEXT"),
    bought("id INTEGER PRIMARY KEY", "n TEXT", options=" STRICT"),
    bought("id INTEGER PRIMARY KEY", "n TEXT", options=" WITHOUT ROWID"),
    bought("id INTEGER PRIMARY KEY", "n TEXT AS (id + 1)"),
    bought("id INTEGER PRIMARY KEY", "n TEXT AS (id + 2)"),
    bought("id INTEGER PRIMARY KEY", "n TEXT AS (id + 2) STORED"),
)
"""Each differs from the one before in one thing."""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Place]:
    """An empty database."""
    with place("sqlite", tmp_path, None, sample=False) as made:
        yield made


def test_each_change_is_seen_at_what_was_changed(shop: Place) -> None:
    shop.run(*SHOP)
    before = shop.require_changes(CHANGES)
    for shape in SHAPES:
        assert shop.changed(before, "DROP TABLE IF EXISTS bought", shape) == {"bought"}, shape
        assert shop.changed(before, "DROP TABLE bought", shape.replace(", ", "  ,\n -- (\n ")) == set(), shape


def test_a_type_in_other_letters_is_the_same(shop: Place) -> None:
    shop.run("CREATE TABLE t (x int, y DECIMAL(8,2))")
    before = shop.scan()
    shop.run("DROP TABLE t", "CREATE TABLE t (x INT, y decimal(8,3))")

    change = detect_changes(before, shop.scan())["relation.main.t"]

    assert [(detail.key, detail.current) for detail in change.details] == [("y", "decimal(8,3)")]


def test_rows_and_statistics_change_nothing(shop: Place) -> None:
    shop.run(*SHOP, "CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT)")
    nodes = shop.nodes()

    assert shop.changed(nodes, "INSERT INTO counted DEFAULT VALUES", "ANALYZE") == set()


def test_a_broken_view_stays_and_hides_no_other(shop: Place) -> None:
    shop.run(
        *("CREATE TABLE here (i INTEGER)", "CREATE TABLE gone (i INTEGER)"),
        *(f"CREATE VIEW before_{i} AS SELECT i FROM here" for i in range(10)),
        "CREATE VIEW broken AS SELECT i FROM gone",
        *(f"CREATE VIEW behind_{i} AS SELECT i AS n FROM before_{i}" for i in range(10)),
        "DROP TABLE gone",
    )
    shop.adapter.close()

    project = shop.scan()

    columns = {node.name: [column.name for column in node.columns] for node in project.nodes}
    assert columns["broken"] == []
    assert [columns[f"before_{i}"] for i in range(10)] == [["i"]] * 10
    assert [columns[f"behind_{i}"] for i in range(10)] == [["n"]] * 10
    assert project.warnings == ("View main.broken is broken: no such table: main.gone",)


def test_a_broken_view_hides_no_column_of_a_virtual_table(shop: Place) -> None:
    shop.run("CREATE TABLE here (i INTEGER)", "CREATE VIRTUAL TABLE words USING fts5(body, title)")
    shop.adapter.close()
    before = shop.nodes()

    assert [column.name for column in before["relation.main.words"].columns] == ["body", "title"]
    assert shop.changed(before, "CREATE VIEW broken AS SELECT nope FROM here") == {"broken"}
    shop.adapter.close()
    assert shop.changed(before, "SELECT 1") == set()


def test_virtual_tables_are_told_with_their_module_even_where_that_is_missing(shop: Place) -> None:
    text = "CREATE VIRTUAL TABLE far USING nix(a)"
    shop.run("CREATE TABLE plain (i INTEGER PRIMARY KEY)")
    with sqlite3.connect(shop.url.removeprefix("sqlite:///")) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("INSERT INTO sqlite_schema VALUES ('table', 'far', 'far', 0, ?)", [text])
    connection.close()
    shop.adapter.close()

    nodes = shop.nodes()

    assert nodes["relation.main.far"].properties == {"options": {"virtual": text}}
    assert nodes["relation.main.far"].columns == ()
    assert [column.name for column in nodes["relation.main.plain"].columns] == ["i"]


ODD = ('a "b"', "c.d", "e\nf", "😀", "⟦relation.main.x⟧", "select", "it's", "back\\slash", "[x", "100%:x")


def test_names_of_any_characters_are_read_and_traced(shop: Place) -> None:
    shop.require_names(ODD, '"', "INTEGER PRIMARY KEY")


def test_as_many_columns_as_may_be(shop: Place) -> None:
    columns = ", ".join(f"c{i} INTEGER CHECK (c{i} > {i})" for i in range(2000))
    shop.run(f"CREATE TABLE wide ({columns})", "CREATE VIEW narrow AS SELECT * FROM wide")

    nodes = shop.nodes()

    assert [column.name for column in nodes["relation.main.wide"].columns] == [f"c{i}" for i in range(2000)]
    assert len(nodes["relation.main.narrow"].columns) == 2000
    assert len(nodes["relation.main.wide"].properties["constraints"]) == 2000  # type: ignore[arg-type]


def test_an_empty_database_has_its_schema_alone(shop: Place) -> None:
    assert list(shop.nodes()) == ["schema.main"]


def test_a_project_is_called_as_its_file(shop: Place) -> None:
    with UnifiedSqlAdapter.from_url("sqlite:///:memory:") as memory:
        assert extract_database(memory).run.project_name == "main"
    assert shop.scan().run.project_name == "shop"


def test_a_file_that_is_locked_or_none_is_one_error(tmp_path: Path) -> None:
    path = tmp_path / "shop.db"
    holder = sqlite3.connect(path)
    holder.execute("CREATE TABLE t (i)")
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    with UnifiedSqlAdapter.from_url(f"sqlite:///{path}") as adapter:
        adapter.execute("PRAGMA busy_timeout = 1")
        with pytest.raises(TransientFailure, match="database is locked"):
            extract_database(adapter)
    holder.close()

    (tmp_path / "text.db").write_text("no database, but a text of some length\n" * 99, encoding="utf-8")
    with (
        UnifiedSqlAdapter.from_url(f"sqlite:///{tmp_path / 'text.db'}") as adapter,
        pytest.raises(ConnectionFailed, match="not a database"),
    ):
        extract_database(adapter)


# --- the text of CREATE TABLE --------------------------------------------------------------------------


def test_the_text_of_a_table_is_read_token_by_token() -> None:
    found = read_table(
        """CREATE TABLE "x (" ( -- a comment, with CHECK (
          a INTEGER CONSTRAINT n NOT NULL CONSTRAINT p PRIMARY KEY DESC ON CONFLICT FAIL AUTOINCREMENT,
          "b,(" TEXT DEFAULT (',' || 'CHECK') CHECK ("b,(" <> ')''' AND (1)) COLLATE [NO CASE] /* , */,
          c GENERATED ALWAYS AS (a + (1)) STORED CHECK (c > 0) UNIQUE,
          d REFERENCES "y z" (q) ON DELETE SET NULL NOT DEFERRABLE CHECK (d) DEFAULT 1,
          e REFERENCES y MATCH FULL DEFERRABLE INITIALLY DEFERRED,
          CONSTRAINT "u v" UNIQUE (a COLLATE NOCASE, "b,(" DESC),
          CONSTRAINT k FOREIGN KEY (a, c) REFERENCES y ON UPDATE CASCADE, CHECK (
            a > 1 -- more
          )
        ) STRICT"""
    )

    assert {name: (one.generated, one.collation) for name, one in found.columns.items()} == {
        "a": (None, None),
        "b,(": (None, "NO CASE"),
        "c": ("a + (1)", None),
        "d": (None, None),
        "e": (None, None),
    }
    assert found.columns["a"].is_autoincrement
    assert [(one.type, one.name, one.columns, one.expression) for one in found.constraints] == [
        ("primary_key", "p", ("a",), None),
        ("check", None, ("b,(",), """"b,(" <> ')''' AND (1)"""),
        ("check", None, ("c",), "c > 0"),
        ("unique", None, ("c",), None),
        ("foreign_key", None, ("d",), None),
        ("check", None, ("d",), "d"),
        ("foreign_key", None, ("e",), None),
        ("unique", "u v", ("a", "b,("), None),
        ("foreign_key", "k", ("a", "c"), None),
        ("check", None, (), "a > 1 -- more"),
    ]
    assert [one.is_deferred for one in found.constraints if one.type == "foreign_key"] == [False, True, False]


@pytest.mark.parametrize(
    "text", ["", "CREATE TABLE t", "CREATE VIRTUAL TABLE t USING m(a CHECK (b))", "CREATE TABLE t(", "x (((,"]
)
def test_a_text_that_is_no_table_tells_nothing(text: str) -> None:
    assert read_table(text).constraints == []
