"""Scans of MariaDB and MySQL: each change is seen and nothing else; rights, case, broken views, odd names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import pytest
import sqlglot

from recce_meta import UnifiedSqlAdapter
from recce_meta.errors import PermissionDenied
from recce_meta.extractors.database import ScanScope, extract_database
from recce_meta.warehouses import warehouse_for_scheme
from recce_meta.warehouses.catalog import ROWS, Part, catalog_of
from tests.contract.extractors.samples.places import Place, place

SHOP = (
    "CREATE TABLE product (id INT PRIMARY KEY, title VARCHAR(20), price DECIMAL(8, 2)) COMMENT 'sold'",
    "CREATE TABLE customer (id INT PRIMARY KEY, email VARCHAR(50))",
    "CREATE TABLE bought (id INT, buyer INT)",
    "CREATE VIEW cheap AS SELECT id, title FROM product WHERE price < 5",
)

CHANGES = (
    ("ALTER TABLE product ADD weight INT DEFAULT 3", {"product"}),
    ("ALTER TABLE product MODIFY weight BIGINT DEFAULT 3", {"product"}),
    ("ALTER TABLE product ALTER weight SET DEFAULT 4", {"product"}),
    ("ALTER TABLE product MODIFY weight BIGINT NOT NULL DEFAULT 4", {"product"}),
    ("ALTER TABLE product MODIFY weight BIGINT NOT NULL DEFAULT 4 COMMENT 'in grams'", {"product"}),
    ("ALTER TABLE product RENAME COLUMN weight TO grams", {"product"}),
    ("ALTER TABLE product DROP grams", {"product"}),
    ("ALTER TABLE product MODIFY title VARCHAR(20) COLLATE utf8mb4_bin", {"product"}),
    ("ALTER TABLE product MODIFY title VARCHAR(30)", {"product", "cheap"}),
    ("ALTER TABLE product COMMENT 'sold here'", {"product"}),
    ("CREATE INDEX by_title ON product (title)", {"product"}),
    ("DROP INDEX by_title ON product", {"product"}),
    ("CREATE INDEX by_title ON product (title(5))", {"product"}),
    ("CREATE OR REPLACE VIEW cheap AS SELECT id, title FROM product WHERE price < 6", {"cheap"}),
    ("ALTER TABLE bought ADD CONSTRAINT known FOREIGN KEY (buyer) REFERENCES customer (id)", {"bought"}),
    ("ALTER TABLE bought DROP CONSTRAINT known", {"bought"}),
    (
        "ALTER TABLE bought ADD CONSTRAINT known"
        " FOREIGN KEY (buyer) REFERENCES customer (id) ON DELETE SET NULL",
        {"bought"},
    ),
    ("ALTER TABLE bought DROP CONSTRAINT known, DROP INDEX known", {"bought"}),
    ("ALTER TABLE bought ADD CONSTRAINT positive CHECK (id > 0)", {"bought"}),
    ("ALTER TABLE bought DROP CONSTRAINT positive, ADD CONSTRAINT positive CHECK (id > 1)", {"bought"}),
    ("ALTER TABLE bought DROP CONSTRAINT positive", {"bought"}),
    ("ALTER TABLE bought ADD UNIQUE one (buyer)", {"bought"}),
    ("ALTER TABLE bought DROP INDEX one, ADD PRIMARY KEY (id)", {"bought"}),
    ("ALTER TABLE bought MODIFY id INT AUTO_INCREMENT", {"bought"}),
    ("ALTER TABLE bought ADD twice INT AS (buyer * 2)", {"bought"}),
    ("ALTER TABLE bought DROP twice, ADD twice INT AS (buyer * 2) STORED", {"bought"}),
    ("ALTER TABLE bought ADD at TIMESTAMP NULL DEFAULT NULL", {"bought"}),
    ("ALTER TABLE bought MODIFY at TIMESTAMP NULL DEFAULT NULL ON UPDATE CURRENT_TIMESTAMP", {"bought"}),
    ("ALTER TABLE bought MODIFY at TIMESTAMP NULL INVISIBLE", {"bought"}),
    ("ALTER TABLE bought MODIFY buyer INT INVISIBLE", {"bought"}),
    ("ALTER TABLE bought ENGINE = MyISAM", {"bought"}),
    ("ALTER TABLE bought PARTITION BY HASH (id) PARTITIONS 2", {"bought"}),
    ("ALTER TABLE bought ADD PARTITION PARTITIONS 1", {"bought"}),
    ("DROP TABLE bought", {"bought"}),
)


@pytest.fixture
def shop(mysql_url: str, tmp_path: Path) -> Iterator[Place]:
    """An empty database."""
    with place("mysql", tmp_path, mysql_url, sample=False) as made:
        yield made


def test_each_change_is_seen_at_what_was_changed(shop: Place) -> None:
    shop.run(*SHOP)
    shop.require_changes(CHANGES)


def test_a_collation_is_that_of_the_thing_itself(shop: Place) -> None:
    shop.run("CREATE TABLE word (id INT, text VARCHAR(20)) COLLATE utf8mb4_bin")
    before = shop.nodes()

    assert shop.changed(before, f"ALTER DATABASE `{shop.schema}` CHARACTER SET latin1") == set()
    assert shop.changed(before, "ALTER TABLE word DEFAULT COLLATE utf8mb4_general_ci") == {"word"}
    of_default = [column.collation for column in before[f"relation.{shop.schema}.word"].columns]
    shop.changed(before, "ALTER TABLE word CONVERT TO CHARACTER SET latin1 COLLATE latin1_bin")
    converted = [column.collation for column in before[f"relation.{shop.schema}.word"].columns]
    assert (of_default, converted) == ([None, "utf8mb4_bin"], [None, "latin1_bin"])


def test_rows_and_statistics_change_facts_alone(shop: Place) -> None:
    shop.run(*SHOP, "CREATE TABLE counted (id INT AUTO_INCREMENT PRIMARY KEY)")
    nodes, facts = shop.nodes(), shop.scan().facts

    shop.run("INSERT INTO counted VALUES (1), (2), (3)", "INSERT INTO product VALUES (1, 'a', 1)")
    assert shop.changed(nodes, "ANALYZE TABLE counted, product") == set()

    now = shop.scan().facts
    assert now != facts
    counts = {fact.unique_id.rpartition(".")[2]: fact.row_estimate for fact in now}
    assert (counts["counted"], counts["product"], counts["customer"]) == (3, 1, 0)
    assert all(fact.bytes is not None and fact.created_at is not None for fact in now)


def test_a_broken_view_stays_with_its_sql_and_is_told_of(shop: Place) -> None:
    shop.run(
        *("CREATE TABLE gone (i INT)", "CREATE VIEW broken AS SELECT i FROM gone", "DROP TABLE gone"),
        "CREATE TABLE here (i INT)",
        "CREATE VIEW whole AS SELECT i FROM here",
    )

    project = shop.scan()

    found = {node.name: node for node in project.nodes}
    name = shop.schema
    assert found["broken"].raw_code == f"select `{name}`.`gone`.`i` AS `i` from `{name}`.`gone`"
    assert (found["broken"].columns, found["broken"].parents, found["broken"].description) == ((), (), "")
    assert found["whole"].parents == (f"relation.{name}.here",)
    assert project.warnings == (f"Read by a view, but not part of the scan: {name}.gone ({name}.broken)",)


def test_rights_decide_what_is_seen_and_that_is_told(shop: Place, mysql_url: str) -> None:
    shop.run(*SHOP, "ALTER TABLE bought ADD FOREIGN KEY (buyer) REFERENCES customer (id) ON DELETE CASCADE")
    reader, nobody = (f"recce_{name}_{uuid4().hex[:8]}" for name in ("reader", "nobody"))
    parts, hosts = urlsplit(mysql_url), ("%", "localhost")
    try:
        for host in hosts:
            for user in (reader, nobody):
                shop.run(f"CREATE USER {user}@'{host}' IDENTIFIED BY 'secret'")
            shop.run(f"GRANT SELECT ON {shop.schema}.* TO {reader}@'{host}'")

        def url(user: str, database: str) -> str:
            place = f"{user}:secret@{parts.hostname}:{parts.port or 3306}"
            return urlunsplit(parts._replace(netloc=place, path=f"/{database}"))

        with UnifiedSqlAdapter.from_url(url(reader, shop.schema)) as adapter:
            seen = extract_database(adapter)
        with UnifiedSqlAdapter.from_url(url(nobody, "")) as adapter:
            assert extract_database(adapter).nodes == ()
        with (
            UnifiedSqlAdapter.from_url(url(nobody, shop.schema)) as adapter,
            pytest.raises(PermissionDenied, match="Access denied"),
        ):
            extract_database(adapter)
    finally:
        for user in (reader, nobody):
            shop.run(*(f"DROP USER IF EXISTS {user}@'{host}'" for host in hosts))

    found = {node.name: node for node in seen.nodes}
    whole = {node.name: node for node in shop.scan().nodes}
    assert found.keys() == whole.keys()
    assert found["product"] == whole["product"]
    assert found["cheap"].columns == whole["cheap"].columns
    assert found["cheap"].raw_code is None
    (key,) = found["bought"].properties["constraints"]  # type: ignore[misc]
    assert isinstance(key, dict)
    assert (key["columns"], key["references"]) == (
        ["buyer"],
        {"relation": f"relation.{shop.schema}.customer", "columns": ["id"]},
    )
    assert seen.warnings == (
        f"No permission to read the SQL of view {shop.schema}.cheap: its parents are unknown",
    )


def test_names_that_differ_in_case_are_different_ones(shop: Place, mysql_url: str) -> None:
    if shop.rows("SELECT @@lower_case_table_names") != [(0,)]:
        pytest.skip("the server takes them for the same")
    other = shop.schema.upper()
    try:
        shop.run(
            f"CREATE DATABASE {other}",
            f"CREATE TABLE {other}.film (far INT)",
            "CREATE TABLE film (a INT PRIMARY KEY, c INT, KEY k (c))",
            "CREATE TABLE FILM (b INT PRIMARY KEY, CHECK (b > 0), UNIQUE k (b))",
            "CREATE VIEW lower_case AS SELECT a FROM film",
            "CREATE VIEW upper_case AS SELECT b AS a FROM FILM",
            f"CREATE VIEW elsewhere AS SELECT far FROM {other}.film",
        )
        project = shop.scan()
    finally:
        shop.run(f"DROP DATABASE {other}")

    here = f"relation.{shop.schema}"
    assert len({node.unique_id for node in project.nodes}) == len(project.nodes)
    found = {node.unique_id: node for node in project.nodes if node.identifier}
    assert [column.name for column in found[f"{here}.film"].columns] == ["a", "c"]
    assert [column.name for column in found[f"{here}.FILM"].columns] == ["b"]
    assert {key: len(value) for key, value in found[f"{here}.FILM"].properties.items()} == {  # type: ignore[arg-type]
        "constraints": 3,
        "options": 2,
    }
    assert len(found[f"{here}.film"].properties["indexes"]) == 1  # type: ignore[arg-type]
    assert sorted(found) == [
        f"{here}.{name}" for name in ("FILM", "elsewhere", "film", "lower_case", "upper_case")
    ]
    assert found[f"{here}.lower_case"].parents == (f"{here}.film",)
    assert found[f"{here}.upper_case"].parents == (f"{here}.FILM",)
    assert found[f"{here}.elsewhere"].parents == ()
    assert project.warnings == (
        f"Read by a view, but not part of the scan: {other}.film ({shop.schema}.elsewhere)",
    )


def test_without_a_database_in_the_url_all_are_looked_at(shop: Place, mysql_url: str) -> None:
    shop.run(*SHOP[:1])
    with UnifiedSqlAdapter.from_url(urlunsplit(urlsplit(mysql_url)._replace(path="/"))) as adapter:
        one = extract_database(adapter, scope=ScanScope(schemas=(shop.schema,)))
        every = extract_database(adapter, scope=ScanScope(include=(f"{shop.schema}.*",)))

    assert [node.unique_id for node in one.nodes] == [
        f"relation.{shop.schema}.product",
        f"schema.{shop.schema}",
    ]
    schemas = {node.name for node in every.nodes if node.resource_type == "schema"}
    assert shop.schema in schemas
    assert not schemas & {"mysql", "sys", "information_schema", "performance_schema"}


ODD = ('a "b"', "c.d", "e\nf", "⟦relation.x.y⟧", "select", "it's", "back\\slash", "tick`s", "100%:x", "Größe")


def test_names_of_any_characters_are_read_and_traced(shop: Place) -> None:
    shop.require_names(ODD, "`", "INT PRIMARY KEY DEFAULT 1")


def test_as_many_columns_as_may_be(shop: Place) -> None:
    columns = ", ".join(f"c{i} INT DEFAULT {i}" for i in range(1017))
    shop.run(f"CREATE TABLE wide ({columns})", "CREATE VIEW narrow AS SELECT * FROM wide")

    nodes = {node.name: node for node in shop.scan().nodes}

    assert [column.default for column in nodes["wide"].columns] == [str(i) for i in range(1017)]
    assert len(nodes["narrow"].columns) == 1017
    assert nodes["narrow"].parents == (f"relation.{shop.schema}.wide",)


def test_an_empty_database_has_its_schema_alone(shop: Place) -> None:
    assert list(shop.nodes()) == [f"schema.{shop.schema}"]


def test_what_mysql_alone_reads_is_sql() -> None:
    """No MySQL answers here: what its comments hide from MariaDB is parsed at least."""
    catalog = catalog_of(warehouse_for_scheme("mysql"))
    for part in Part:
        (statement,) = catalog.statements(part, ("it's", "back\\slash"), None)
        without = re.sub(r"/\*M!.*?\*/", "", statement, flags=re.DOTALL)
        as_mysql = re.sub(r"/\*!\d{5} (.*?)\*/", r"\1", without, flags=re.DOTALL)
        tree = sqlglot.parse_one(as_mysql, read="mysql")
        select = tree.find(sqlglot.exp.Select)
        assert select is not None
        fields = ROWS[part].__struct_fields__  # type: ignore[attr-defined]
        # MySQL's catalog does not say what a view reads: its parents come from the names in its SQL.
        assert fields[len(select.expressions) :] == (("reads",) if "reads" in fields else ())
        assert not re.search(r"[{]\w", as_mysql.replace('{"', ""))
