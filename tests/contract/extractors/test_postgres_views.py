"""PostgreSQL: what views read is what the server's own dependencies say, and their columns are traced."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from recce_meta import UnifiedSqlAdapter
from recce_meta.api.record import record_project
from recce_meta.extractors.database import ScanScope, extract_database
from recce_meta.models import EdgeOrigin
from recce_meta.models.catalog import relation_id
from recce_meta.store.columns import load_columns
from recce_meta.store.select import load_run

TABLES = """
CREATE SCHEMA shop;
CREATE SCHEMA "Old Shop";
CREATE TABLE shop.customer (id integer PRIMARY KEY, email text, joined date, referrer integer);
CREATE TABLE shop.purchase (id bigint, customer_id integer, amount numeric, tags text[], details jsonb);
CREATE TABLE shop.a (id integer, shop integer, customer text);
CREATE TABLE "Old Shop".customer (id integer, email text);
CREATE TABLE "Old Shop"."Customer" (id integer, "E-Mail" text);
CREATE TABLE "Old Shop"."odd ""name"".of.it 🛒
new" (id integer, "⟦x⟧" text, "a.b" text);
CREATE TABLE "Old Shop"."⟦relation.shop.a⟧" (id integer);
CREATE TABLE shop.part (at date, n integer) PARTITION BY LIST (n);
CREATE FUNCTION shop.latest(integer) RETURNS TABLE (amount numeric) LANGUAGE sql AS
  'SELECT amount FROM shop.purchase WHERE customer_id = $1'
"""

VIEWS = {
    "plain": "SELECT id, email FROM shop.customer",
    "joined": "SELECT c.email, p.amount FROM shop.customer c JOIN shop.purchase p ON p.customer_id = c.id",
    "two_joins": """SELECT c.id FROM shop.customer c LEFT JOIN shop.purchase p ON p.customer_id = c.id
      FULL JOIN shop.a ON a.id = c.id CROSS JOIN "Old Shop".customer""",
    "commas": 'SELECT c.id FROM shop.customer c, shop.a, "Old Shop"."Customer" WHERE a.id = c.id',
    "itself_joined": """SELECT a.id, b.id AS other FROM shop.customer a
      JOIN shop.customer b ON a.id = b.referrer""",
    "with_cte": """WITH customer AS (SELECT id FROM shop.purchase), b AS (SELECT id FROM customer)
      SELECT b.id FROM b JOIN "Old Shop".customer USING (id)""",
    "recursive": """WITH RECURSIVE tree (id, depth) AS (
        SELECT id, 1 FROM shop.customer WHERE referrer IS NULL
        UNION ALL SELECT c.id, t.depth + 1 FROM shop.customer c JOIN tree t ON c.referrer = t.id
      ) SELECT id, max(depth) AS depth FROM tree GROUP BY id""",
    "of_views": "SELECT p.id, j.amount FROM shop.plain p, shop.joined j",
    "subqueries": """SELECT id, (SELECT max(amount) FROM shop.purchase p WHERE p.customer_id = c.id) AS most
      FROM (SELECT * FROM shop.customer WHERE id IN (SELECT id FROM "Old Shop".customer)) c
      WHERE EXISTS (SELECT 1 FROM shop.a WHERE a.id = c.id)""",
    "unions": """SELECT id FROM shop.customer UNION ALL (SELECT id FROM shop.a EXCEPT SELECT id
      FROM shop.purchase)
      INTERSECT SELECT id FROM "Old Shop"."Customer" """,
    "laterals": """SELECT c.id, l.amount, t.tag FROM shop.customer c
      CROSS JOIN LATERAL (SELECT amount, tags FROM shop.purchase p WHERE p.customer_id = c.id LIMIT 1) l
      CROSS JOIN unnest(l.tags) AS t (tag)""",
    "functions": """SELECT g.n, l.amount, lower(c.email) AS email
      FROM generate_series(1, 3) g (n), shop.latest(1) l, shop.customer c""",
    "alias_like_schema": "SELECT shop.customer, shop.shop FROM shop.a shop",
    "schema_as_alias": """SELECT shop.id FROM shop.a shop JOIN "Old Shop".customer ON true
      JOIN shop.purchase p ON true""",
    "namesakes": """SELECT a.id, b.email, c."E-Mail" FROM shop.customer a
      JOIN "Old Shop".customer b ON a.id = b.id JOIN "Old Shop"."Customer" c ON c.id = b.id""",
    "odd": """SELECT o."⟦x⟧" AS x, o."a.b", t.id AS "i⟧d" FROM "Old Shop"."odd ""name"".of.it 🛒
new" o JOIN "Old Shop"."⟦relation.shop.a⟧" t ON t.id = o.id""",
    "windows": """SELECT id, row_number() OVER (PARTITION BY customer_id ORDER BY amount DESC) AS n,
      sum(amount) FILTER (WHERE amount > 0) OVER w AS total FROM shop.purchase WINDOW w AS (ORDER BY id)""",
    "words": """SELECT CASE WHEN email ~ '^a' THEN 'shop.a' ELSE 'FROM shop.purchase' END AS text,
      extract(year FROM joined) AS year, joined + '1 day'::interval AS next,
      email::varchar(3) COLLATE "C" AS c
      FROM shop.customer WHERE joined IS DISTINCT FROM current_date AND email LIKE ANY (ARRAY['a', 'b'])""",
    "json": """SELECT details ->> 'a' AS a, details #> '{b,c}' AS b, details @> '{}' AS c, tags[1]
      FROM shop.purchase""",
    "sets": """SELECT customer_id, sum(amount) AS amount FROM shop.purchase
      GROUP BY GROUPING SETS ((customer_id), ())""",
    "distinct_on": """SELECT DISTINCT ON (customer_id) customer_id, amount
      FROM shop.purchase ORDER BY 1, 2 DESC""",
    "without_heirs": "SELECT id FROM ONLY shop.customer",
    "sampled": "SELECT id FROM shop.customer TABLESAMPLE SYSTEM (50)",
    "row_locks": "SELECT id FROM shop.customer FOR UPDATE",
    "of_values": """SELECT v.a, c.id FROM (VALUES (1, 'x'), (2, 'y')) v (a, b)
      JOIN shop.customer c ON c.id = v.a""",
    "whole_rows": "SELECT c AS customer, to_jsonb(p.*) AS p FROM shop.customer c, shop.purchase p",
    "nothing": "SELECT 1 AS one, current_date AS day",
    "of_the_catalog": "SELECT count(*) AS n FROM pg_class JOIN information_schema.tables ON true",
    "partitioned": "SELECT at FROM shop.part",
    "ordered_sets": """SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY amount) AS median,
      string_agg(tags[1], ',' ORDER BY id) AS tags FROM shop.purchase""",
    "no_columns": "SELECT FROM shop.customer",
    "of_rows": """SELECT r.a, r.n FROM ROWS FROM (unnest(ARRAY[1, 2]), generate_series(1, 3))
      WITH ORDINALITY r (a, b, n)""",
    "kept_cte": """WITH x AS MATERIALIZED (SELECT id FROM shop.a), y AS NOT MATERIALIZED (TABLE shop.customer)
      SELECT x.id FROM x JOIN y USING (id)""",
    "searched": """WITH RECURSIVE t AS (
        SELECT id FROM shop.customer UNION ALL SELECT c.id FROM shop.customer c JOIN t ON c.referrer = t.id
      ) SEARCH DEPTH FIRST BY id SET path CYCLE id SET again USING route SELECT id, again FROM t""",
    "operators": """SELECT id OPERATOR(pg_catalog.+) 1 AS n, tags && ARRAY['a'] AS o, amount ^ 2 AS s,
      |/ amount AS r,
      (now(), now()) OVERLAPS (now(), now()) AS w, email !~* 'x' AS m
      FROM shop.purchase JOIN shop.customer USING (id)""",
    "times": """SELECT joined AT TIME ZONE 'UTC' AS z, joined::timestamptz(0) AS t,
      '1 day 2 hours'::interval day AS i,
      date_trunc('month', joined) AS m, B'101' AS bits, '\\x00'::bytea AS b FROM shop.customer""",
    "xml": """SELECT x.n FROM shop.purchase p,
      XMLTABLE('/a' PASSING xmlparse(document '<a/>') COLUMNS n FOR ORDINALITY) x""",
    "grouped": """SELECT customer_id, grouping(customer_id) AS g FROM shop.purchase
      GROUP BY DISTINCT ROLLUP (customer_id), CUBE (id, customer_id) HAVING count(*) > 1""",
    "frames": """SELECT lag(amount, 1) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW
      EXCLUDE TIES) AS l
      FROM shop.purchase ORDER BY 1 FETCH FIRST 3 ROWS WITH TIES""",
}

DEPENDENCIES = """
SELECT DISTINCT v.relname, n.nspname, t.relname
FROM pg_rewrite r
JOIN pg_class v ON v.oid = r.ev_class
JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
  AND d.refclassid = 'pg_class'::regclass
JOIN pg_class t ON t.oid = d.refobjid AND t.oid <> v.oid
JOIN pg_namespace n ON n.oid = t.relnamespace
WHERE v.relnamespace = 'shop'::regnamespace AND n.nspname IN ('shop', 'Old Shop')
"""


@pytest.fixture(scope="module")
def database(postgres_url: str) -> Iterator[UnifiedSqlAdapter]:
    """A database of the test's own, with all of the views."""
    name = f"recce_views_{uuid4().hex[:8]}"
    with UnifiedSqlAdapter.from_url(postgres_url) as server:
        server.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        try:
            url = urlsplit(postgres_url)._replace(path=f"/{name}").geturl()
            with UnifiedSqlAdapter.from_url(url) as adapter:
                for statement in TABLES.split(";"):
                    adapter.execute(statement)
                for view, query in VIEWS.items():
                    adapter.execute(f"CREATE VIEW shop.{view} AS {query}")
                yield adapter
        finally:
            server.execute(f'DROP DATABASE "{name}"')


def test_views_read_what_the_server_says_that_they_depend_on(database: UnifiedSqlAdapter) -> None:
    expected: dict[str, set[str]] = {relation_id("shop", view): set() for view in VIEWS}
    for view, schema, name in database.answer(DEPENDENCIES):
        expected[relation_id("shop", str(view))].add(relation_id(str(schema), str(name)))
    project = extract_database(database, scope=ScanScope(hidden=("kept",)))  # what another test leaves there

    found = {node.unique_id: set(node.parents) for node in project.nodes if node.resource_type == "view"}

    assert found == expected
    catalog = {
        node.unique_id: {one for one, origin in node.edge_origins.items() if origin == EdgeOrigin("catalog")}
        for node in project.nodes
        if node.resource_type == "view"
    }
    assert catalog == expected
    told = "View shop.{} is not understood"
    beyond_sqlglot = {told.format(view) for view in ("xml", "searched", "frames")}
    assert {warning.partition(":")[0] for warning in project.warnings} <= beyond_sqlglot


ODD = 'relation."Old Shop"."odd \\"name\\".of.it 🛒\\nnew"'
TRACED = {
    ("joined", "amount"): {("relation.shop.purchase", "amount")},
    ("of_views", "amount"): {("relation.shop.joined", "amount")},
    ("itself_joined", "other"): {("relation.shop.customer", "id")},
    ("with_cte", "id"): {("relation.shop.purchase", "id")},
    ("recursive", "id"): {("relation.shop.customer", "id")},
    ("subqueries", "most"): {("relation.shop.purchase", "amount")},
    ("laterals", "amount"): {("relation.shop.purchase", "amount")},
    ("alias_like_schema", "customer"): {("relation.shop.a", "customer")},
    ("namesakes", "id"): {("relation.shop.customer", "id")},
    ("namesakes", "email"): {('relation."Old Shop".customer', "email")},
    ("namesakes", "E-Mail"): {('relation."Old Shop".Customer', "E-Mail")},
    ("odd", "x"): {(ODD, "⟦x⟧")},
    ("odd", "a.b"): {(ODD, "a.b")},
    ("odd", "i⟧d"): {('relation."Old Shop"."\\u27e6relation.shop.a\\u27e7"', "id")},
    ("words", "year"): {("relation.shop.customer", "joined")},
    ("nothing", "one"): set(),
}
"""By view and column: where its values come from."""


def test_columns_are_traced_through_views_and_again_without_a_look(database: UnifiedSqlAdapter) -> None:
    scope = ScanScope(hidden=("kept",))
    first = record_project(database.at("kept"), extract_database(database, scope=scope))
    again = record_project(database.at("kept"), extract_database(database, scope=scope))
    columns = load_columns(database.at("kept"), first.run)

    assert columns is not None
    found = {
        (view, output.name): {(source.parent, source.column) for source in output.sources}
        for view, _ in TRACED
        for output in columns[relation_id("shop", view)].outputs
    }
    assert {key: found[key] for key in TRACED} == TRACED
    assert (again.run.graph_id, again.run.column_graph_id) == (first.run.graph_id, first.run.column_graph_id)
    assert again.versions_written == 0
    assert load_run(database.at("kept"), first.run).nodes == extract_database(database, scope=scope).nodes


def test_the_view_lineage_shows_what_the_server_says_that_views_depend_on(
    database: UnifiedSqlAdapter,
) -> None:
    project = extract_database(database, scope=ScanScope(hidden=("kept",)))
    run = record_project(database.at("kept"), project).run

    _, rows = database.execute(
        "SELECT node_id, parent_id, confidence FROM kept.lineage"
        f" WHERE run_id = '{run.run_id}' AND kind = 'catalog'"
    )

    assert sorted(rows) == sorted(
        (relation_id("shop", str(view)), relation_id(str(schema), str(name)), 1.0)
        for view, schema, name in database.answer(DEPENDENCIES)
    )


def test_a_dependency_that_no_query_reads_is_an_edge_of_the_catalog(database: UnifiedSqlAdapter) -> None:
    database.execute("CREATE SCHEMA odd")
    database.execute("CREATE TABLE odd.named (id integer)")
    database.execute("CREATE VIEW odd.names AS SELECT 'odd.named'::regclass AS name")
    try:
        (view,) = [node for node in extract_database(database).nodes if node.name == "names"]
    finally:
        database.execute("DROP SCHEMA odd CASCADE")

    assert view.edge_origins == {"relation.odd.named": EdgeOrigin("catalog")}
