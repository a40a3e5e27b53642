"""Scans of DuckDB: each change is seen and nothing else, and odd things are read."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
import sqlglot

from recce_meta import UnifiedSqlAdapter
from recce_meta.errors import StoreLocked, UnknownNameError
from recce_meta.extractors.database import ScanScope, extract_database
from recce_meta.sql_lineage.project.columns import analyse_project
from recce_meta.warehouses.parsing import without_brackets
from tests.contract.extractors.samples.places import Place, place

SHOP = (
    "CREATE TABLE product (id INTEGER, title VARCHAR, price DECIMAL(8, 2))",
    "CREATE TABLE customer (id INTEGER PRIMARY KEY, email VARCHAR)",
    "CREATE VIEW cheap AS SELECT id, title FROM product WHERE price < 5",
)

CHANGES = (
    ("ALTER TABLE product ADD COLUMN weight INTEGER DEFAULT 3", {"product"}),
    ("ALTER TABLE product ALTER COLUMN weight TYPE BIGINT", {"product"}),
    ("ALTER TABLE product ALTER COLUMN weight SET DEFAULT 4", {"product"}),
    ("ALTER TABLE product ALTER COLUMN weight SET NOT NULL", {"product"}),
    ("ALTER TABLE product RENAME COLUMN weight TO grams", {"product"}),
    ("ALTER TABLE product DROP COLUMN grams", {"product"}),
    ("COMMENT ON TABLE customer IS 'who buys'", {"customer"}),
    ("COMMENT ON COLUMN customer.email IS 'private'", {"customer"}),
    ("COMMENT ON VIEW cheap IS 'for less'", {"cheap"}),
    ("CREATE INDEX by_title ON product (title)", {"product"}),
    ("DROP INDEX by_title", {"product"}),
    ("CREATE OR REPLACE VIEW cheap AS SELECT id, title FROM product WHERE price < 6", {"cheap"}),
    (
        "CREATE TABLE bought (id INTEGER UNIQUE, buyer INTEGER REFERENCES customer, CHECK (id > 0))",
        {"bought"},
    ),
    ("CREATE OR REPLACE TABLE bought (id INTEGER UNIQUE, buyer INTEGER, CHECK (id > 0))", {"bought"}),
    ("CREATE OR REPLACE TABLE bought (id INTEGER, buyer INTEGER, CHECK (id > 0))", {"bought"}),
    ("CREATE OR REPLACE TABLE bought (id INTEGER, buyer INTEGER, CHECK (id > 1))", {"bought"}),
    ("CREATE OR REPLACE TABLE bought (id INTEGER, buyer INTEGER AS (id + 1))", {"bought"}),
    ("CREATE OR REPLACE TABLE bought (id INTEGER, buyer INTEGER AS (id + 2))", {"bought"}),
    ("CREATE OR REPLACE TABLE bought (id VARCHAR COLLATE NOCASE)", {"bought"}),
    ("CREATE OR REPLACE TABLE bought (id VARCHAR COLLATE NOACCENT)", {"bought"}),
    ("DROP TABLE bought", {"bought"}),
    ("CREATE SCHEMA office", {"schema.office"}),
)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Place]:
    """An empty database."""
    with place("duckdb", tmp_path, None, sample=False) as made:
        yield made


def test_each_change_is_seen_at_what_was_changed(shop: Place) -> None:
    shop.run(*SHOP)
    shop.require_changes(CHANGES)


def test_rows_change_facts_alone(shop: Place) -> None:
    shop.run(*SHOP)
    nodes, facts = shop.nodes(), shop.scan().facts

    assert shop.changed(nodes, "INSERT INTO product SELECT i, i, i FROM range(50) r(i)", "ANALYZE") == set()
    assert [fact.row_estimate for fact in facts] == [0, 0]
    assert {fact.unique_id: fact.row_estimate for fact in shop.scan().facts} == {
        "relation.main.product": 50,
        "relation.main.customer": 0,
    }


def test_only_the_connections_own_database_is_told_of(shop: Place, tmp_path: Path) -> None:
    shop.run(
        *SHOP[:1],
        "CREATE TEMP TABLE passing (i INTEGER)",
        "CREATE TEMP VIEW passing_view AS SELECT 1 AS i",
        f"ATTACH '{tmp_path / 'other.duckdb'}' AS other",
        "CREATE TABLE other.product (i INTEGER)",
        "CREATE TABLE other.more (i INTEGER)",
        "CREATE VIEW mixed AS SELECT p.title, o.i FROM product p, other.product o, other.main.more",
    )

    project = shop.scan()

    assert {node.unique_id: node.parents for node in project.nodes} == {
        "relation.main.mixed": ("relation.main.product",),
        "relation.main.product": (),
        "schema.main": (),
    }
    assert [column.name for node in project.nodes for column in node.columns] == [
        *("title", "i"),
        *("id", "title", "price"),
    ]


def test_a_view_whose_table_is_gone_stays_and_is_told_of(shop: Place) -> None:
    shop.run(
        *("CREATE TABLE gone (i INTEGER)", "CREATE VIEW broken AS SELECT i FROM gone", "DROP TABLE gone"),
        "CREATE TABLE here (i INTEGER)",
        "CREATE VIEW whole AS SELECT i FROM here",
    )
    shop.adapter.close()

    project = shop.scan()

    found = {node.name: node for node in project.nodes}
    assert found["broken"].raw_code == "SELECT i FROM gone"
    assert found["broken"].parents == ()
    assert found["whole"].parents == ("relation.main.here",)
    assert project.warnings == ("Read by a view, but not part of the scan: gone (main.broken)",)


ODD = ('a "b"', "c.d", "e\nf", "😀", "⟦relation.main.x⟧", "select", "it's", "back\\slash", "Größe", "100%:x")


def test_names_of_any_characters_are_read_and_traced(shop: Place) -> None:
    shop.run('CREATE SCHEMA "o\'f.f\nice"')
    shop.require_names(ODD, '"', "INTEGER DEFAULT 1 PRIMARY KEY", "o'f.f\nice")


def test_as_many_columns_as_may_be(shop: Place) -> None:
    columns = ", ".join(f"c{i} INTEGER GENERATED ALWAYS AS (c0 + {i})" for i in range(1, 1600))
    shop.run(f"CREATE TABLE wide (c0 INTEGER, {columns})", "CREATE VIEW narrow AS SELECT * FROM wide")

    wide, narrow = (shop.nodes()[f"relation.main.{name}"] for name in ("wide", "narrow"))

    assert [column.name for column in wide.columns] == [f"c{i}" for i in range(1600)]
    assert wide.columns[0].generated is None
    assert wide.columns[1599].generated == "virtual: CAST((c0 + 1599) AS INTEGER)"
    assert len(narrow.columns) == 1600


def test_a_default_is_not_taken_for_a_computed_column(shop: Place) -> None:
    shop.run(
        "CREATE TABLE t (a VARCHAR DEFAULT ', b INTEGER GENERATED ALWAYS AS (1)', b INTEGER DEFAULT 2,"
        ' "x b" INTEGER AS (b + 1), "(b" INTEGER DEFAULT 3, c VARCHAR COLLATE NOCASE DEFAULT \'c\')'
    )

    columns = {column.name: column for column in shop.nodes()["relation.main.t"].columns}

    assert columns["x b"].generated == "virtual: CAST((b + 1) AS INTEGER)"
    assert {name: column.default for name, column in columns.items() if column.default} == {
        "a": "', b INTEGER GENERATED ALWAYS AS (1)'",
        "b": "2",
        "(b": "3",
        "c": "'c'",
    }
    assert columns["c"].collation == "NOCASE"


def test_an_empty_database_has_its_schema_alone(shop: Place) -> None:
    assert list(shop.nodes()) == ["schema.main"]
    with pytest.raises(UnknownNameError, match="Unknown schema 'office'"):
        shop.scan("office")


def test_a_locked_file_is_one_error(tmp_path: Path) -> None:
    path = tmp_path / "shop.duckdb"
    duckdb.connect(str(path)).close()
    adapter = UnifiedSqlAdapter.from_url(f"duckdb:///{path}", lock_timeout=0)
    code = f"import duckdb; c = duckdb.connect({str(path)!r}); print(1, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(StoreLocked):
            extract_database(adapter, scope=ScanScope())
        holder.communicate(b"\n")


@pytest.mark.skipif(duckdb.__version__ < "1.3", reason="DuckDB writes lambdas in brackets since 1.3")
def test_what_a_view_with_lambdas_reads_is_known(shop: Place) -> None:
    shop.run(
        "CREATE TABLE basket (id INTEGER, prices INTEGER[])",
        "CREATE VIEW dear AS SELECT id, list_filter(prices, lambda p: p > id) AS f, "
        "list_reduce(prices, lambda p, q: (p + list_sum(list_transform([q], lambda x: x)))) AS r FROM basket",
    )
    try:
        sqlglot.parse_one("SELECT f(a, lambda p: p)", read="duckdb")
    except sqlglot.errors.ParseError:
        pytest.skip("this sqlglot reads no lambdas")

    project = shop.scan()

    (view,) = (node for node in project.nodes if node.name == "dear")
    graph = analyse_project(project)
    found = graph.analyses[graph.lineage_ids[view.unique_id]]
    assert project.warnings == ()
    assert view.parents == ("relation.main.basket",)
    assert {one.column for one in found.outputs[1].sources} == {"id", "prices"}


def test_only_the_brackets_of_lambdas_are_left_out() -> None:
    sql = "f((lambda x, y: (x + (lambda)))), (lambda), (lambda, b), '(lambda x:', (a)"
    tokens = sqlglot.tokenize(sql, read="duckdb")

    text = "".join(token.text for token in without_brackets(tokens))

    assert text == "f(lambdax,y:(x+(lambda))),(lambda),(lambda,b),(lambda x:,(a)"
    assert without_brackets(tokens[:3]) == tokens[:3]
