"""`recce-meta scan`: any database becomes a run, and the scan after it tells what differs."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import duckdb
import pytest

from tests.e2e.conftest import Cli

pytestmark = pytest.mark.extensive

SHOP = """
CREATE SCHEMA shop;
CREATE TABLE shop.language (language_id INTEGER PRIMARY KEY, name VARCHAR NOT NULL);
CREATE TABLE shop.film (film_id INTEGER PRIMARY KEY, title VARCHAR NOT NULL, rate DECIMAL(4, 2) DEFAULT 4.99,
  language_id INTEGER REFERENCES shop.language (language_id));
CREATE VIEW shop.cheap AS SELECT film_id, title FROM shop.film WHERE rate < 1;
CREATE VIEW shop.titles AS SELECT title FROM shop.cheap;
CREATE SCHEMA other;
CREATE TABLE other.note (text VARCHAR);
INSERT INTO shop.language VALUES (1, 'English');
INSERT INTO shop.film VALUES (1, 'Alien', 0.5, 1), (2, 'Brazil', 2, 1);
"""
CHANGES = """
CREATE TABLE shop.actor (actor_id INTEGER, name VARCHAR);
CREATE OR REPLACE VIEW shop.cheap AS SELECT film_id, title FROM shop.film WHERE rate < 2;
DROP TABLE other.note;
"""


@pytest.fixture
def cli(cli: Any) -> Any:
    """No process of its own for each of many cases."""
    return cli.within(RECCE_META_URL="duckdb:///dvd.duckdb")


def run_sql(cli: Any, statements: str) -> None:
    with duckdb.connect(str(cli.folder / "dvd.duckdb")) as database:
        database.execute(statements)


@pytest.fixture
def shop(cli: Any) -> Any:
    """The command beside a DuckDB file with a shop in it."""
    run_sql(cli, SHOP)
    return cli


@pytest.fixture(scope="module")
def _scanned_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop with one scan of it: to create a store takes longer than all else."""
    cli = Cli(tmp_path_factory.mktemp("scanned"), {"RECCE_META_URL": "duckdb:///dvd.duckdb"})
    run_sql(cli, SHOP)
    scanned(cli, "--run-id", "first")
    return cli.folder / "dvd.duckdb"


@pytest.fixture
def again(cli: Any, _scanned_once: Path) -> Any:
    """The command beside a shop that was scanned before, as run `first`."""
    shutil.copy(_scanned_once, cli.folder / "dvd.duckdb")
    return cli


def scanned(cli: Any, *arguments: str) -> Any:
    ran = cli("scan", "--format", "json", *arguments)
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


def statuses(diff: Any) -> dict[str, str]:
    return {change["unique_id"]: change["status"] for change in diff["changes"]}


def test_the_first_scan_says_what_there_is_and_that_it_is_the_first(shop: Any) -> None:
    ran = shop("scan")

    assert (ran.code, ran.err) == (0, "")
    assert "2 tables" not in ran.out
    for told in ("3 schemas", "3 tables", "2 views", "First scan of dvd as current"):
        assert told in ran.out
    assert shop("runs", "--format", "json").out.count('"extractor": "database"') == 1


def test_the_second_scan_tells_what_differs_and_the_third_that_nothing_does(again: Any) -> None:
    run_sql(again, CHANGES)
    second, third = scanned(again), scanned(again)

    assert statuses(second["diff"]) == {
        "relation.other.note": "removed",
        "relation.shop.actor": "added",
        "relation.shop.cheap": "modified",
    }
    assert [impact["name"] for impact in second["diff"]["impacted"]] == ["shop.titles"]
    assert second["tallies"] == {
        "schemas": {"added": 0, "removed": 0, "modified": 0, "unchanged": 3},
        "tables": {"added": 1, "removed": 1, "modified": 0, "unchanged": 2},
        "views": {"added": 0, "removed": 0, "modified": 1, "unchanged": 1},
        "columns": {"added": 2, "removed": 1, "modified": 0, "unchanged": 9},
    }
    assert third["diff"]["changes"] == []
    assert "No changes" in again("scan", "--dry-run").out


def test_the_screen_shows_the_figures_the_changes_and_where_the_rest_is(again: Any) -> None:
    run_sql(again, CHANGES + "".join(f"CREATE TABLE shop.t{n} (a INTEGER);" for n in range(60)))
    ran = again("scan")

    lines = ran.out.splitlines()
    assert len(lines) < 50
    assert any(line.split() == ["tables", "61", "1", "0", "2"] for line in lines)
    assert any("… and" in line for line in lines)
    assert lines[-1].startswith("All changes: recce-meta diff first ")


def test_two_scans_are_diffed_like_two_runs_in_every_format(again: Any) -> None:
    run_sql(again, CHANGES)
    scanned(again)
    told = {style: again("diff", "current~1", "current", "--format", style) for style in ("table", "json")}
    told |= {
        style: again("diff", "current~1", "current", "--format", style) for style in ("markdown", "html")
    }

    assert {ran.code for ran in told.values()} == {0}
    assert "- other.note" in told["table"].out
    assert json.loads(told["json"].out)["summary"]["categories"]["breaking"] == 2
    assert "shop.cheap" in told["markdown"].out and "shop.cheap" in told["html"].out
    assert again("diff", "current~1", "current", "--fail-on", "removed").code == 1
    assert again("diff", "current~1", "current", "-s", "shop.cheap", "--fail-on", "removed").code == 0
    chosen = again("diff", "current~1", "current", "-s", "config.materialized:view", "--format", "json")
    assert list(statuses(json.loads(chosen.out))) == ["relation.shop.cheap"]
    modified = again("diff", "current~1", "current", "-s", "state:modified shop.film", "--format", "json")
    assert list(statuses(json.loads(modified.out))) == [
        "relation.other.note",
        "relation.shop.actor",
        "relation.shop.cheap",
    ]
    body = again("diff", "current~1", "current", "-s", "state:modified.body+", "--format", "json")
    assert list(statuses(json.loads(body.out))) == ["relation.shop.cheap"]
    assert "did you mean" in again("diff", "current~1", "current", "-s", "state:modified.colums").err
    asked = again("diff", "current~1", "current", "--like-dbt", "--fail-on", "any")
    assert (asked.code, "--like-dbt cannot be combined with a scan" in asked.err) == (2, True)


def test_a_condition_that_a_change_meets_fails_the_scan_which_is_recorded(shop: Any) -> None:
    assert shop("scan", "--fail-on", "any").code == 0
    run_sql(shop, CHANGES)
    ran = shop("scan", "--fail-on", "removed,breaking")

    assert ran.code == 1
    assert "--fail-on breaking,removed found 2" in ran.err
    assert len(json.loads(shop("runs", "--format", "json").out)["runs"]) == 2


def test_a_report_that_cannot_be_written_is_told_before_a_scan_is_recorded(again: Any) -> None:
    run_sql(again, CHANGES)
    ran = again("scan", "-o", "no/such/folder/scan.md")

    assert (ran.code, "scan.md: No such file or directory" in ran.err) == (3, True)
    assert again("scan", "--fail-on", "removed", "-o", "scan.md").code == 1


def test_a_dry_run_compares_and_leaves_no_run(again: Any) -> None:
    run_sql(again, CHANGES)
    tried = again("scan", "--dry-run", "--format", "json")

    assert json.loads(tried.out)["tallies"]["tables"]["added"] == 1
    assert len(json.loads(again("runs", "--format", "json").out)["runs"]) == 1


def test_scans_of_different_parts_are_compared_where_both_looked(again: Any) -> None:
    run_sql(again, CHANGES)
    part = scanned(again, "--schema", "shop", "--exclude", "cheap")

    assert statuses(part["diff"]) == {"relation.shop.actor": "added"}
    assert part["tallies"]["tables"] == {"added": 1, "removed": 0, "modified": 0, "unchanged": 2}
    assert "only what both cover is compared" in part["diff"]["notes"][0]


def test_a_scan_of_a_part_in_between_hides_no_change_from_the_next_whole_one(again: Any) -> None:
    scanned(again, "--schema", "shop")
    run_sql(again, CHANGES)
    part, whole = scanned(again, "--schema", "shop"), again("scan", "--fail-on", "removed")

    assert set(statuses(part["diff"])) == {"relation.shop.actor", "relation.shop.cheap"}
    assert whole.code == 1 and "- other.note" in whole.out and "since first" in whole.out


def test_a_join_that_changed_is_told_once(cli: Any) -> None:
    joins = {"prod": "prod.main.t, u WHERE t.a = u.x", "stag": "stag.main.t LEFT JOIN u ON t.a = u.x"}
    for name, join in joins.items():
        with duckdb.connect(str(cli.folder / f"{name}.duckdb")) as database:
            database.execute("CREATE TABLE t (a INTEGER); CREATE TABLE u (x INTEGER)")
            database.execute(f"CREATE VIEW z AS SELECT t.a FROM {join}")
        place = ("--url", f"duckdb:///{name}.duckdb", "--store", "duckdb:///s.duckdb")
        scanned(cli, *place, "--project", "p", "-e", name)
    told = cli("diff", "prod", "stag", "--url", "duckdb:///s.duckdb").out

    assert "breaking: join changed: main.t\n" in told


def test_the_scan_before_is_of_the_same_project_and_environment(again: Any) -> None:
    run_sql(again, CHANGES)

    assert scanned(again, "-e", "staging")["previous"] is None
    assert scanned(again, "--project", "other")["previous"] is None
    assert scanned(again)["diff"]["summary"]["removed"] == 1


def test_a_run_id_that_is_taken_hides_no_change(again: Any) -> None:
    scanned(again)
    run_sql(again, CHANGES)
    ran = again("scan", "--run-id", "first", "--fail-on", "removed")

    assert ran.code == 1 and "- other.note" in ran.out and "nothing written" in ran.out
    assert len(json.loads(again("runs", "--format", "json").out)["runs"]) == 2


def test_another_kind_of_database_is_told_of(again: Any) -> None:
    with sqlite3.connect(again.folder / "dvd.db") as database:
        database.execute("CREATE TABLE film (film_id INTEGER PRIMARY KEY, title TEXT)")
    database.close()
    ran = again("scan", "--url", "sqlite:///dvd.db", "--store", "duckdb:///dvd.duckdb", "--dry-run")

    assert "is of another database, in duckdb, not sqlite" in ran.err


def test_the_stores_own_schema_is_seen_only_where_it_is_named(again: Any) -> None:
    second = scanned(again)
    named = scanned(again, "--schema", "recce_metadata", "-e", "own")

    assert second["counts"]["tables"] == 3
    assert scanned(again, "--schema", "recce_metadata")["diff"]["summary"]["added"] == 0
    assert named["counts"]["schemas"] == 1 and named["counts"]["tables"] > 10


@pytest.mark.parametrize("more", [(), ("--exclude", "nothing"), ("--data",)])
def test_a_store_in_another_schema_is_not_removed_by_a_scan_without_it(shop: Any, more: Any) -> None:
    assert shop("init", "--schema", "meta").code == 0
    for run_id, schemas in (("whole", ()), ("named", ("--schema", "shop", "--schema", "meta"))):
        scanned(shop, "--store-schema", "meta", "--run-id", run_id, *schemas)

    ran = shop("diff", "named", "whole", "--schema", "meta", "--fail-on", "removed", *more)

    assert (ran.code, "No changes found" in ran.out) == (0, True), ran.out


def test_every_command_knows_scanned_relations(again: Any) -> None:
    scanned(again)
    lineage = again("lineage", "shop.film")
    keys = json.loads(again("lineage", "film", "--format", "json").out)["foreign_keys"]
    impact = again("impact", "shop.film.rate")
    value = again("value", "film", "--base", "current~1")
    counts = again("row-count", "-s", "resource_type:table", "--base", "current~1")

    assert "shop.cheap  view" in lineage.out and "References" in lineage.out
    assert [(key["parent_id"], key["columns"]) for key in keys] == [
        ("relation.shop.language", ["language_id"])
    ]
    assert "Referenced by" in again("lineage", "language").out
    assert "shop.titles" in impact.out
    assert "both sides are the same relation" in value.out and value.code == 0
    assert all(name in counts.out for name in ("shop.film", "shop.language", "other.note"))
    assert "3 tables, 2 views" in again("show").out


def test_a_scan_may_keep_its_store_in_another_file(shop: Any) -> None:
    scanned(shop, "--store", "duckdb:///store.duckdb")
    with duckdb.connect(str(shop.folder / "dvd.duckdb")) as database:
        (count,) = database.execute(
            "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'recce_metadata'"
        ).fetchone() or (0,)
    ran = shop("runs", "--url", "duckdb:///store.duckdb")

    assert count == 0
    assert "dvd" in ran.out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--schema", "shp"], 2, "did you mean 'shop'"),
        (["--fail-on", "never"], 2, "condition 'never'"),
        (["-e", "a:b"], 2, "Invalid name for an environment"),
        (["--dry-run"], 3, "No store found"),
        (["--url", "duckdb:///missing.duckdb"], 3, "missing.duckdb"),
        (["--url", "duckdb:///:memory:"], 3, "in an in-memory database"),
    ],
)
def test_what_cannot_be_is_one_clear_error(shop: Any, arguments: list[str], code: int, said: str) -> None:
    ran = shop("scan", *arguments)

    assert ran.code == code
    assert said in ran.err and "Traceback" not in ran.err


def test_a_scan_that_shares_its_name_with_dbt_runs_says_so(shop: Any, project: Path) -> None:
    recorded = shop("record", "--target-path", project / "target", "--project-dir", project)
    ran = shop("scan", "--project", "jaffle_shop")

    assert recorded.code == 0, recorded.err
    assert "is not a scan" in ran.err and "First scan of" in ran.out


@pytest.mark.parametrize("store", [None, "duckdb:///store.duckdb", "sqlite:///store.db"])
def test_sqlite_is_scanned_without_its_store_and_diffed_like_any(cli: Any, store: str | None) -> None:
    file = cli.folder / "dvd.db"
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE film (film_id INTEGER PRIMARY KEY, title TEXT)")
        database.execute("CREATE VIEW titles AS SELECT title FROM film")
    cli = cli.within(RECCE_META_URL="sqlite:///dvd.db")
    if store is not None:
        cli = cli.within(RECCE_META_STORE=store)
    first = scanned(cli)
    with sqlite3.connect(file) as database:
        database.execute("ALTER TABLE film ADD COLUMN rate REAL NOT NULL DEFAULT 1")
    second = scanned(cli)
    database.close()

    assert (first["counts"]["tables"], first["counts"]["views"]) == (1, 1)
    assert statuses(second["diff"]) == {"relation.main.film": "modified"}
    assert second["tallies"]["columns"] == {"added": 1, "removed": 0, "modified": 0, "unchanged": 3}
    assert (cli.folder / "dvd.db").stat().st_size > 0


@pytest.fixture
def mysql(mysql_url: str) -> Iterator[tuple[str, Callable[[str], None]]]:
    """The URL of a database of this test's own, and what runs statements there."""
    from recce_meta import UnifiedSqlAdapter

    name = f"recce_scan_{uuid4().hex[:8]}"
    place = urlsplit(mysql_url)
    url = urlunsplit(place._replace(path=f"/{name}"))
    with UnifiedSqlAdapter.from_url(mysql_url) as server:
        server.execute(f"CREATE DATABASE `{name}`")
        try:
            yield url, lambda sql: server.execute(sql.replace("shop.", f"`{name}`.")) and None
        finally:
            server.execute(f"DROP DATABASE `{name}`")


def test_mysql_is_scanned_with_its_store_elsewhere(cli: Any, mysql: tuple[str, Any]) -> None:
    url, execute = mysql
    name = urlsplit(url).path.strip("/")
    execute("CREATE TABLE shop.film (film_id INT PRIMARY KEY, title VARCHAR(20), KEY by_title (title))")
    execute("CREATE VIEW shop.titles AS SELECT title FROM shop.film")
    cli = cli.within(RECCE_META_URL=url)
    refused = cli("scan")
    cli = cli.within(RECCE_META_STORE="duckdb:///store.duckdb")
    scanned(cli, "--schema", name)
    execute("ALTER TABLE shop.film MODIFY title VARCHAR(30) NOT NULL, DROP KEY by_title")
    second = scanned(cli, "--schema", name)

    assert refused.code == 2 and "--store" in refused.err
    (film,) = (one for one in second["diff"]["changes"] if one["unique_id"].endswith(".film"))
    assert [(detail["reason"], detail["key"]) for detail in film["details"]] == [
        ("config", "indexes.by_title"),
        ("columns", "title"),
        ("columns", "title.not_null"),
    ]


@pytest.fixture
def server(postgres_url: str) -> Iterator[tuple[Any, str]]:
    """A connection, and a schema of this test's own."""
    import psycopg

    schema = f"scan_{uuid4().hex[:8]}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}".encode())
        try:
            yield connection, schema
        finally:
            connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE".encode())
            connection.execute(f"DROP SCHEMA IF EXISTS {schema}_store CASCADE".encode())


def test_postgres_keeps_its_store_beside_what_is_scanned(
    cli: Any, server: tuple[Any, str], postgres_url: str
) -> None:
    connection, schema = server
    connection.execute(f"CREATE TABLE {schema}.film (film_id int PRIMARY KEY, title text)".encode())
    cli = cli.within(RECCE_META_URL=postgres_url, RECCE_META_SCHEMA=f"{schema}_store")
    first = scanned(cli, "--schema", f"{schema}*")
    connection.execute(f"ALTER TABLE {schema}.film ADD CHECK (film_id > 0)".encode())
    connection.execute(f"COMMENT ON COLUMN {schema}.film.title IS 'As it is shown'".encode())
    second = scanned(cli, "--schema", f"{schema}")

    assert first["counts"]["tables"] == 1, "the store is hidden, whatever the glob"
    (film,) = second["diff"]["changes"]
    assert [(detail["reason"], detail["key"]) for detail in film["details"]] == [
        ("contract", "constraints.film_film_id_check"),
        ("descriptions", "title"),
    ]
    assert film["category"] == "non_breaking"


def test_a_scan_that_is_killed_half_way_leaves_no_run(
    request: pytest.FixtureRequest, server: tuple[Any, str], postgres_url: str
) -> None:
    connection, schema = server
    cli = request.getfixturevalue("cli")
    cli = cli.within(RECCE_META_URL=postgres_url, RECCE_META_SCHEMA=f"{schema}_store")
    connection.execute(f"CREATE TABLE {schema}.film (film_id int)".encode())
    assert cli("init").code == 0
    with connection.transaction():
        connection.execute(f"LOCK TABLE {schema}_store.runs IN EXCLUSIVE MODE".encode())
        waiting = subprocess.Popen(
            [*cli.argv, "scan", "--schema", schema],
            cwd=cli.folder,
            env=cli.variables,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        _wait_for(connection, f"{schema}_store", waiting)
        waiting.kill()
        waiting.communicate()

    assert json.loads(cli("runs", "--format", "json").out)["runs"] == []
    assert scanned(cli, "--schema", schema)["previous"] is None


def _wait_for(connection: Any, store: str, waiting: subprocess.Popen[bytes]) -> None:
    """Until somebody waits for a table of *store*: *waiting*."""
    deadline = time.monotonic() + 120
    waits = (
        "SELECT count(*) FROM pg_locks JOIN pg_class ON pg_class.oid = relation "
        "JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE NOT granted AND nspname = %s"
    )
    while connection.execute(waits, [store]).fetchone() == (0,):
        assert waiting.poll() is None, waiting.communicate()[1].decode()
        assert time.monotonic() < deadline, "nobody waits"
        time.sleep(0.05)


def test_a_failed_scan_is_stored_and_never_the_latest(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from recce_meta.errors import ConnectionLost

    assert shop("scan", "-e", "base").code == 0
    before = json.loads(shop("runs", "--format", "json").out)["runs"]

    def lost(*_: object) -> None:
        raise ConnectionLost("The connection was lost")

    with monkeypatch.context() as patch:
        patch.setattr("recce_meta.extractors.database._Reader.read", lost)
        ran = shop("scan", "-e", "base")
    assert ran.code == 3 and "The connection was lost" in ran.err

    failed, *others = json.loads(shop("runs", "--format", "json").out)["runs"]
    assert others == before
    assert (failed["status"], failed["reason"], failed["node_count"]) == (
        "failed",
        "The connection was lost",
        0,
    )
    assert json.loads(shop("show", "base", "--format", "json").out)["run"]["run_id"] == before[0]["run_id"]
    assert "failed: The connection was lost" in shop("show", failed["run_id"]).out
    assert "scan failed" in shop("runs").out
    again = shop("scan", "-e", "base", "--format", "json")
    assert json.loads(again.out)["previous"]["run_id"] == before[0]["run_id"]


def test_a_failed_scan_cannot_be_compared_or_read(shop: Any) -> None:
    assert shop("scan").code == 0
    for _ in range(2):
        assert shop("scan", "--schema", "mian").code == 2
    one, another, good = (run["run_id"] for run in json.loads(shop("runs", "--format", "json").out)["runs"])
    for command in (
        ("diff", one, another, "--fail-on", "any"),
        ("diff", good, one),
        ("diff", good, one, "--data"),
        ("row-count", "--base", one, "--current", good),
        ("lineage", "orders", "--run", one),
        ("impact", "orders", "--run", one),
        ("quality", "--run", one),
    ):
        ran = shop(*command)
        assert ran.code == 3, (command, ran.out, ran.err)
        failed = another if command[2] == another else one  # current is chosen first
        assert f"Run {failed} failed: Unknown schema 'mian'" in ran.err and "recce-meta runs" in ran.err
    assert shop("show", one).code == 0


def test_a_scan_of_a_misspelt_schema_is_stored_as_failed_and_creates_no_store(shop: Any) -> None:
    ran = shop("scan", "--schema", "mian")
    assert ran.code == 2 and "Unknown schema 'mian'" in ran.err
    assert "not stored" not in ran.err and shop("runs").code == 3
    assert shop("scan").code == 0
    assert shop("scan", "--schema", "mian", "--dry-run").code == 2
    ran = shop("scan", "--schema", "mian")
    assert ran.code == 2 and "Unknown schema 'mian'" in ran.err
    failed, good = json.loads(shop("runs", "--format", "json").out)["runs"]
    assert (failed["status"], failed["reason"]) == ("failed", "Unknown schema 'mian' in the database")
    assert json.loads(shop("show", "latest", "--format", "json").out)["run"]["run_id"] == good["run_id"]
