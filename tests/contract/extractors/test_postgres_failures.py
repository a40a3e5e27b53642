"""PostgreSQL: what a scan meets that it may not read, that is odd, or that is gone when it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from recce_meta import UnifiedSqlAdapter
from recce_meta.api.scan import scan
from recce_meta.diff.scan import nodes_in_scope, shared_scope
from recce_meta.errors import ConnectionFailed, PermissionDenied, QueryTimeout, UnknownNameError
from recce_meta.extractors.database import ScanScope, extract_database
from recce_meta.models import NodeMetadata, Project
from recce_meta.store.read import find_runs
from recce_meta.store.select import load_run
from recce_meta.store.session import open_store

ODD = 'a "b".c\'d\\e;f%g:h🛒\n⟦relation.x⟧'
OPEN = """
CREATE SCHEMA "open";
CREATE TABLE "open".item (
  id integer PRIMARY KEY, price numeric CHECK (price > 0),
  twice numeric GENERATED ALWAYS AS (price * 2) STORED
);
CREATE INDEX by_price ON "open".item (price);
CREATE TABLE "open".brief (LIKE "open".item INCLUDING ALL);
CREATE VIEW "open".cheap AS SELECT id FROM "open".item WHERE price < 3;
CREATE SCHEMA closed;
CREATE TABLE closed.item (id integer PRIMARY KEY, price numeric CHECK (price > 0));
CREATE INDEX by_price ON closed.item (price);
CREATE VIEW closed.cheap AS SELECT id FROM closed.item WHERE price < 3
"""


class Place:
    """A database of one test's own."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.adapter = UnifiedSqlAdapter.from_url(url)

    def connect(self) -> UnifiedSqlAdapter:
        """Another connection, which waits for no lock: a test that waits for itself would never end."""
        adapter = UnifiedSqlAdapter.from_url(self.url)
        adapter.execute("SET lock_timeout = '1s'")
        return adapter

    def run(self, script: str) -> None:
        for statement in script.split(";"):
            self.adapter.execute(statement)


@pytest.fixture(scope="module")
def database(postgres_url: str) -> Iterator[str]:
    """The URL of a database of these tests' own."""
    name = f"recce_scan_{uuid4().hex[:8]}"
    with UnifiedSqlAdapter.from_url(postgres_url) as server:
        server.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        yield urlsplit(postgres_url)._replace(path=f"/{name}").geturl()
        server.execute(f'DROP DATABASE "{name}"')


@pytest.fixture
def place(database: str) -> Iterator[Place]:
    """The database, empty afterwards."""
    made = Place(database)
    made.run("DROP SCHEMA IF EXISTS public")
    yield made
    made.adapter.close()
    with UnifiedSqlAdapter.from_url(database) as adapter:
        for (schema,) in adapter.answer("SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_|inf)'"):
            adapter.execute(f"DROP SCHEMA {adapter.warehouse.quote_name(str(schema))} CASCADE")


@pytest.fixture
def role(place: Place) -> Iterator[str]:
    name = f"recce_role_{uuid4().hex[:8]}"
    with place.connect() as adapter:
        adapter.execute(f'CREATE ROLE "{name}"')
        yield name
        adapter.execute(f'DROP OWNED BY "{name}"')
        adapter.execute(f'DROP ROLE "{name}"')


def by_name(project: Project) -> dict[str, NodeMetadata]:
    return {node.unique_id: node for node in project.nodes}


def once(telling: str, work: Callable[[], object]) -> Callable[[str], None]:
    """What does *work* the first time that *telling* is told of."""
    done: list[str] = []

    def tell(text: str) -> None:
        if telling in text and not done:
            done.append(text)
            work()

    return tell


def test_who_may_not_write_is_told_that_the_store_can_be_elsewhere(place: Place, role: str) -> None:
    place.run(OPEN)
    with place.connect() as adapter:
        adapter.execute(f'SET ROLE "{role}"')

        with pytest.raises(PermissionDenied) as raised:
            scan(adapter)

    assert raised.value.hint is not None
    assert raised.value.hint.startswith("ask an administrator to run: GRANT CREATE ON DATABASE")
    assert "--store duckdb:///recce_meta.duckdb" in raised.value.hint


def test_without_rights_the_catalog_is_read_and_each_want_is_told_in_one_line(
    place: Place, role: str
) -> None:
    place.run(OPEN)
    place.run(f'GRANT USAGE ON SCHEMA "open" TO "{role}"; GRANT SELECT ON "open".cheap TO "{role}"')
    owners = extract_database(place.adapter)
    with place.connect() as adapter:
        adapter.execute(f'SET ROLE "{role}"')

        found = extract_database(adapter)

    assert found.nodes == owners.nodes
    assert owners.warnings == ()
    assert [warning.partition("; ")[0] for warning in found.warnings] == [
        "No permission to use schema closed: only its catalog is read",
        "No permission to read the rows of open.brief, open.item: only the catalog is read",
    ]
    grants = [
        "GRANT USAGE ON SCHEMA closed" in found.warnings[0].replace('"', ""),
        "open" in found.warnings[1],
    ]
    assert grants == [True, True]


def test_what_is_odd_is_recorded_and_comes_back_as_it_was(place: Place) -> None:
    schema, table = (place.adapter.warehouse.quote_name(text + ODD) for text in ("s", "t"))
    columns = ", ".join(f"c{i} smallint" for i in range(1599))
    script = (
        f"CREATE SCHEMA {schema}",
        "CREATE SCHEMA plain",
        f"CREATE TYPE {schema}.colour AS ENUM ('red', 'a;b')",
        f"CREATE TYPE {schema}.pair AS (a integer, b {schema}.colour)",
        f"CREATE DOMAIN {schema}.age AS integer NOT NULL CHECK (VALUE > 0)",
        f"CREATE TABLE {schema}.{table} ({table} {schema}.age PRIMARY KEY, many {schema}.colour[]"
        f" DEFAULT '{{red}}', pairs {schema}.pair[][], r int4range, t timestamptz(3), i interval year,"
        f" b bit varying(3), v \"char\", p point, x xml, o oid, l pg_lsn, k {schema}.colour DEFAULT 'a;b')",
        f"ALTER TABLE {schema}.{table} ADD CONSTRAINT {table} FOREIGN KEY ({table})"
        f" REFERENCES {schema}.{table}",
        f"CREATE INDEX ON {schema}.{table} (k) WHERE k = 'a;b'",
        f"CREATE VIEW {schema}.v AS SELECT {table} AS {schema} FROM {schema}.{table}",
        f"COMMENT ON TABLE {schema}.{table} IS 'it''s ⟦odd⟧; 100% :odd \\'",
        f"CREATE TABLE plain.wide (id integer, {columns})",
    )
    for statement in script:
        with place.connect() as adapter, adapter.session() as session:
            session.execute(statement.replace(":", r"\:"))

    report = scan(place.adapter)

    project = extract_database(place.adapter, scope=ScanScope(hidden=("recce_metadata",)))
    nodes = by_name(project)
    assert project.warnings == report.warnings == ()
    assert len(nodes["relation.plain.wide"].columns) == 1600
    assert load_run(place.adapter, report.run).nodes == project.nodes
    view = next(node for node in project.nodes if node.name == "v")
    odd = nodes[view.parents[0]]
    assert (odd.name, odd.schema_name, odd.columns[0].name) == (f"t{ODD}", f"s{ODD}", f"t{ODD}")
    assert [column.type for column in odd.columns] == [
        *(f"{schema}.age", f"{schema}.colour[]", f"{schema}.pair[]", "int4range"),
        *("timestamp(3) with time zone", "interval year", "bit varying(3)", '"char"', "point", "xml", "oid"),
        *("pg_lsn", f"{schema}.colour"),
    ]
    assert odd.columns[-1].default == f"'a;b'::{schema}.colour"
    assert odd.properties["constraints"][1]["references"] == {
        "relation": odd.unique_id,
        "columns": [f"t{ODD}"],
    }
    alone = extract_database(place.adapter, scope=ScanScope(schemas=(f"s{ODD}",)))
    assert {node.schema_name for node in alone.nodes} == {f"s{ODD}"}
    assert by_name(alone) == {name: nodes[name] for name in by_name(alone)}


def test_a_database_may_be_empty(place: Place) -> None:
    assert extract_database(place.adapter).nodes == ()

    first, second = scan(place.adapter), scan(place.adapter)

    assert (first.run.node_count, first.warnings) == (0, ())
    assert second.diff is not None
    assert second.diff.changes == ()
    with pytest.raises(UnknownNameError, match="Unknown schema 'nowhere'"):
        extract_database(place.adapter, scope=ScanScope(schemas=("nowhere",)))


def test_what_the_connection_was_set_to_it_is_afterwards(place: Place) -> None:
    place.run(OPEN)
    place.run("SET search_path = closed; SET jit = on; SET lock_timeout = 5")
    settings = (
        "SELECT name, setting FROM pg_settings WHERE source IN ('session', 'client')"
        " AND name !~ '^transaction_' ORDER BY 1"
    )
    before = place.adapter.answer(settings)

    extract_database(place.adapter)

    assert place.adapter.answer(settings) == before
    place.run("CREATE TABLE still_written (id integer)")


@pytest.mark.parametrize("telling", ["relations", "columns", "constraints", "indexes"])
def test_what_is_dropped_while_it_is_read_is_left_out(place: Place, telling: str) -> None:
    place.run(OPEN)
    with place.connect() as other:
        tell = once(f"reading {telling}", lambda: other.execute('DROP TABLE "open".brief'))

        found = extract_database(place.adapter, tell=tell)

    assert found.warnings == ()
    assert by_name(found).keys() == by_name(extract_database(place.adapter)).keys()


def test_what_changes_at_every_attempt_is_read_by_schema(place: Place) -> None:
    place.run(OPEN)

    with place.connect() as other:

        def again(text: str) -> None:
            if "reading indexes" in text:
                other.execute('DROP TABLE "open".brief')
                other.execute('CREATE TABLE "open".brief (LIKE "open".item INCLUDING ALL)')

        found = extract_database(place.adapter, tell=again)

    assert found.warnings == ()
    assert found.nodes == extract_database(place.adapter).nodes


def test_a_table_that_is_locked_costs_its_schema_alone(place: Place) -> None:
    place.run(OPEN)
    before = extract_database(place.adapter)
    place.run("SET lock_timeout = 50")
    with place.connect() as other, other.session() as session:
        session.execute("LOCK TABLE closed.item IN ACCESS EXCLUSIVE MODE")

        found = extract_database(place.adapter)

    (warning,) = found.warnings
    assert warning.startswith("Schema closed is not in this run: its relations could not be read: ")
    assert "lock timeout" in warning
    assert found.nodes == tuple(node for node in before.nodes if node.schema_name != "closed")
    seen = shared_scope(before.run, found.run)
    assert seen is not None
    assert [node.unique_id for node in nodes_in_scope(before.nodes, seen)] == [
        node.unique_id for node in found.nodes
    ]


def test_where_nothing_can_be_read_the_scan_fails(place: Place) -> None:
    place.run(OPEN)
    with place.connect() as other, other.session() as session:
        session.execute('LOCK TABLE closed.item, "open".item IN ACCESS EXCLUSIVE MODE')
        place.run("SET statement_timeout = 100")

        with pytest.raises(QueryTimeout) as told:
            extract_database(place.adapter, scope=ScanScope(schemas=("open", "closed")))

    assert (told.value.sql, "hold a lock" in (told.value.hint or "")) == (None, True)


def test_a_scan_that_is_stopped_leaves_no_run(place: Place) -> None:
    place.run(OPEN)
    scan(place.adapter)

    def interrupt() -> None:
        raise KeyboardInterrupt

    def end_the_connection() -> None:
        with place.connect() as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )

    for work, error in ((interrupt, KeyboardInterrupt), (end_the_connection, ConnectionFailed)):
        with pytest.raises(error):
            scan(place.adapter, tell=once("reading constraints", work))

    with open_store(place.adapter) as store:
        assert len(find_runs(store)) == 1


def test_what_an_extension_brought_is_left_out(place: Place) -> None:
    place.run("CREATE SCHEMA of_extension; CREATE SCHEMA shared; CREATE TABLE of_extension.job (id integer)")
    place.run("CREATE TABLE shared.job (id integer); CREATE VIEW shared.own AS SELECT id FROM shared.job")
    brought = ("SCHEMA of_extension", "TABLE of_extension.job", "SCHEMA shared", "TABLE shared.job")
    for what in brought:
        place.run(f"ALTER EXTENSION plpgsql ADD {what}")
    try:
        found = extract_database(place.adapter)
    finally:
        for what in brought:
            place.run(f"ALTER EXTENSION plpgsql DROP {what}")

    # What is not the extension's own keeps the schema that it is in.
    assert list(by_name(found)) == ["relation.shared.own", "schema.shared"]
    assert found.warnings == ()


def test_sizes_are_the_servers_estimates_and_no_part_of_a_node(place: Place) -> None:
    place.run("CREATE SCHEMA s; CREATE TABLE s.big (id integer PRIMARY KEY, text text)")
    place.run("CREATE TABLE s.new (a integer)")
    place.run("CREATE TABLE s.cut (a integer) PARTITION BY LIST (a); CREATE VIEW s.v AS SELECT 1 AS one")
    place.run("INSERT INTO s.new VALUES (1)")
    before = extract_database(place.adapter)
    place.run("INSERT INTO s.big SELECT i, repeat('x', i % 3) FROM generate_series(1, 5000) AS i")
    place.run(
        "INSERT INTO s.big SELECT -i, string_agg(md5(j::text), '') FROM generate_series(1, 9) AS i,"
        " generate_series(1, 900) AS j GROUP BY i"
    )
    place.run("VACUUM ANALYZE s.big")

    after = extract_database(place.adapter)

    (own,) = place.adapter.answer("""
        SELECT (SELECT sum(pg_relation_size(i)) FROM unnest(ARRAY[c.oid, c.reltoastrelid]) AS i)
          + (SELECT sum(pg_relation_size(indexrelid)) FROM pg_index i
              WHERE i.indrelid IN (c.oid, c.reltoastrelid)),
          pg_total_relation_size(c.oid)
        FROM pg_class c WHERE oid = 's.big'::regclass""")
    facts = {fact.unique_id: (fact.row_estimate, fact.bytes) for fact in after.facts}
    rows, size = facts.pop("relation.s.big")
    assert rows == 5009
    assert size is not None
    assert 0 < own[1] - size < 0.4 * own[1]
    assert size <= own[0]
    assert facts == {}
    assert before.facts == ()
    assert before.nodes == after.nodes


def test_the_options_of_a_view_are_its_own(place: Place) -> None:
    place.run("CREATE SCHEMA s; CREATE VIEW s.v WITH (security_barrier = true) AS SELECT 1 AS a")

    (view,) = (node for node in extract_database(place.adapter).nodes if node.name == "v")

    assert view.properties["options"] == {"storage": {"security_barrier": "true"}}
