"""What the dbt package does where it cannot record: it says so in one line, and dbt's job ends well.

One invocation of dbt takes the steps of a whole story: dbt is slow to start.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from recce_meta import UnifiedSqlAdapter, list_runs
from recce_meta.store.grants import StoreRole, grants_sql
from tests.e2e.dbt_shop import Place, as_recorder, on_duckdb, on_postgres

pytestmark = pytest.mark.dbt

WARNING = "warning: this run was not recorded: "


@pytest.fixture
def postgres(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The shop on PostgreSQL."""
    with on_postgres(postgres_url, tmp_path_factory.mktemp("failing")) as found:
        yield found


@pytest.fixture
def stranger(postgres: Place) -> Iterator[str]:
    """A role that was granted nothing."""
    role = f"stranger_{postgres.shop.environ['SHOP_SCHEMA']}"
    with UnifiedSqlAdapter.from_url(postgres.url) as owner:
        owner.execute(f"CREATE ROLE {role}")
        yield role
        owner.execute(f"DROP OWNED BY {role}")
        owner.execute(f"DROP ROLE {role}")


def said(place: Place, steps: Sequence[str], *, code: int = 0, **variables: object) -> list[str]:
    """What the package's lines say when dbt takes *steps*."""
    arguments = ("--args", json.dumps({"steps": steps}))
    return said_by_dbt(place, "run-operation", "step_by_step", *arguments, code=code, **variables)


def said_by_dbt(place: Place, *arguments: str, code: int = 0, **variables: object) -> list[str]:
    """What the package's lines say in a command of dbt."""
    lines = place.shop.dbt(*arguments, "--vars", place.variables(**variables), code=code).splitlines()
    return [line.partition("recce_meta: ")[2] for line in lines if "recce_meta: " in line]


def test_missing_rights_and_failing_statements_are_told_and_leave_nothing_behind(
    postgres: Place, stranger: str
) -> None:
    with UnifiedSqlAdapter.from_url(postgres.url) as owner:
        schema = owner.quote_identifier(postgres.schema)
        warehouse = owner.warehouse
    usage = f"GRANT USAGE ON SCHEMA {schema} TO {stranger}"
    printed = grants_sql(StoreRole.RECORDER, warehouse, postgres.schema, to=stranger)
    forget = f"DELETE FROM {schema}.store_runs"
    refuse = f"""
        CREATE FUNCTION {schema}.refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'the disk is full'; END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON {schema}.run_results
        FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse();
        CREATE TRIGGER refuse BEFORE INSERT ON {schema}.store_version_parents
        FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse()
    """
    act = f"SET ROLE {stranger}"
    answers = said(
        postgres,
        [
            *(act, "record"),
            *("RESET ROLE", "record", act, "record"),
            *("RESET ROLE", usage, act, "record"),
            *("RESET ROLE", printed, forget, act, "record"),
            *(
                "RESET ROLE",
                forget,
                f"DELETE FROM {schema}.store_graph_parts",
                f"DELETE FROM {schema}.store_node_versions",
            ),
            *(refuse, "record"),
            *("SET default_transaction_read_only = on", "record"),
        ],
    )
    no_schema, recorded, no_usage, no_rows, allowed, refused, read_only = answers
    hint = (
        f"recce-meta sql grants --role recorder --to '{stranger}' prints the rights; "
        "the store's owner runs them"
    )
    cannot = f"{WARNING}{stranger} may not"
    create = "may not create it: its owner runs recce-meta init, then"
    assert no_schema == f"{WARNING}there is no store, and {stranger} {create} {hint}"
    assert " recorded: " in recorded
    assert no_usage == f"{cannot} use the schema of the store: {hint}"
    assert no_rows == f"{cannot} write the store: {hint}"
    assert " recorded: " in allowed
    assert refused == f"{WARNING}the disk is full"
    assert read_only == f"{WARNING}the connection is read-only: use a writable target"
    with UnifiedSqlAdapter.from_url(postgres.url) as owner:
        assert list_runs(owner.at(postgres.schema)) == []
        assert owner.execute(f"SELECT COUNT(*) FROM {schema}.store_graph_parts")[1] == [(0,)]


def test_a_lock_and_a_time_limit_of_the_session_end_no_job(postgres: Place) -> None:
    assert " recorded: " in said(postgres, ["record"])[0]
    with UnifiedSqlAdapter.from_url(postgres.url) as other:
        schema = other.quote_identifier(postgres.schema)
        store = f"{schema}.store"
        # In its transaction dbt renders the next statement for as long as it takes.
        limit = "idle_in_transaction_session_timeout"
        refuse = f"""
            CREATE FUNCTION {schema}.refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN IF current_setting('{limit}') <> '0' THEN RAISE '{limit}'; END IF; RETURN NEW; END $$;
            CREATE TRIGGER refuse BEFORE INSERT ON {store}_runs
            FOR EACH ROW EXECUTE FUNCTION {schema}.refuse()
        """
        forget = f"DELETE FROM {store}_runs"
        assert " recorded: " in said(postgres, [refuse, forget, f"SET {limit} = '60s'", "record"])[0]
        for lock in (f"UPDATE {store} SET written_at = written_at", f"LOCK TABLE {store}_runs"):
            with other.session(atomic=True) as session:
                session.query(lock, {})
                answers = said(postgres, ["SET statement_timeout = '2s'", "record"])
            assert answers == [f"{WARNING}canceling statement due to statement timeout"]


@pytest.fixture
def duckdb_place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The shop on DuckDB."""
    return on_duckdb(tmp_path_factory.mktemp("failing"))


@pytest.fixture(params=["duckdb_place", "postgres"])
def place(request: pytest.FixtureRequest) -> Place:
    """The shop on either warehouse."""
    found: Place = request.getfixturevalue(request.param)
    return found


def test_relations_of_the_user_stay_and_damaged_stores_are_named(place: Place) -> None:
    with UnifiedSqlAdapter.from_url(place.url) as owner:
        schema = owner.quote_identifier(place.schema)
    store, runs = f"{schema}.store", f"{schema}.runs"
    answers = said(
        place,
        [
            *(f"CREATE SCHEMA {schema}", f"CREATE VIEW {runs} AS SELECT 42 AS mine", "record"),
            *(f"CREATE TABLE {store} AS SELECT mine FROM {runs}", f"DROP VIEW {runs}", "record"),
            *(f"DROP TABLE {store}", f"CREATE TABLE {store}_sales AS SELECT 1 AS price", "record"),
            *(f"INSERT INTO {store} SELECT 99, migrated_at, NULL, 9, '9.8.7' FROM {store}", "record"),
            *(f"DELETE FROM {store} WHERE schema_version = 99", f"DELETE FROM {store}_runs"),
            *(f"ALTER TABLE {store} DROP COLUMN written_at", "record"),
            *(f"DELETE FROM {store}", f"ALTER TABLE {store} DROP COLUMN migrated_by", "record"),
        ],
    )
    view, table, recorded, later, narrow, empty = (answer.removeprefix(WARNING) for answer in answers)
    mine = f"schema '{place.schema}' has no store, but a relation with a name of it, "
    assert (view.partition(":")[0], table.partition(":")[0]) == (f"{mine}runs", f"{mine}store")
    assert " recorded: " in recorded
    assert later.endswith("install version 9.8.7 of the package, which fits the store")
    assert narrow.startswith(f"store in '{place.schema}' has no column written_at: ")
    assert empty == f"the store in '{place.schema}' is incomplete: recce-meta init completes it"
    for name in ('a"b', "a\0b"):
        (answer,) = said_by_dbt(place, "run-operation", "recce_meta.record", recce_meta_schema=name)
        assert answer.startswith(f"{WARNING}the var recce_meta_schema has a quote or U+0000")


def test_a_transaction_that_a_hook_left_open_stays_the_user_s(place: Place) -> None:
    create = "CREATE TEMP TABLE mine AS SELECT 1 AS price"  # fails if it is there
    answers = said(place, [f"BEGIN; {create}", "record", "ROLLBACK", create, "record"])
    assert answers[0].startswith(f"{WARNING}an earlier hook left its transaction open: ")
    assert " recorded: " in answers[1]


@pytest.fixture(params=["UTF8", "LATIN1"])
def encoded(
    request: pytest.FixtureRequest, postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Place]:
    """The shop on PostgreSQL, in a database of this encoding."""
    name = f"recce_{uuid4().hex[:12]}"
    url = urlsplit(postgres_url)._replace(path=f"/{name}").geturl()
    with UnifiedSqlAdapter.from_url(postgres_url) as owner:
        owner.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{request.param}' LOCALE 'C'")
        try:
            with on_postgres(url, tmp_path_factory.mktemp("encoded")) as place:
                yield place
        finally:
            owner.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_an_encoding_without_all_characters_and_a_missing_language_are_told(
    encoded: Place, request: pytest.FixtureRequest
) -> None:
    lacks = f"{WARNING}the encoding of the connection or the database is "
    if "LATIN1" in request.node.name:
        (answer,) = said(encoded, ["record"])
        assert answer.startswith(f"{lacks}LATIN1, ")
        return
    steps = [
        *("record", "SET client_encoding = 'LATIN9'", "record", "RESET client_encoding"),
        *("REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC", "SET ROLE pg_monitor", "record"),
    ]
    recorded, in_latin9, without_language = said(encoded, steps)
    assert " recorded: " in recorded
    assert in_latin9.startswith(f"{lacks}LATIN9, ")
    assert without_language.endswith("GRANT USAGE ON LANGUAGE plpgsql TO pg_monitor")


@pytest.mark.journey
def test_builds_end_well_with_a_store_of_any_version(place: Place) -> None:
    is_duckdb = place.url.startswith("duckdb")
    environ = {**place.shop.environ, "DBT_CLOUD_GIT_BRANCH": "caf\udce9"}  # a byte that is not UTF-8
    place = replace(place, shop=replace(place.shop, environ=environ))
    assert said_by_dbt(place, "compile") == []
    with nullcontext(place) if is_duckdb else as_recorder(place) as recorder:
        for environment in ("first", "second"):
            selected = ("--select", "exposure:dashboard") if environment == "second" else ()
            recorded, again = said_by_dbt(recorder, "build", *selected, recce_meta_environment=environment)
            assert " recorded: " in recorded
            assert again.endswith("is recorded already")
    with UnifiedSqlAdapter.from_url(place.url) as owner:
        schema = owner.quote_identifier(place.schema)
        runs = list_runs(owner.at(place.schema))
        assert {(run.environment, run.build_status, run.branch) for run in runs} == {
            (environment, "success", "caf\ufffd") for environment in ("first", "second")
        }
        assert len({run.macro_set_id for run in runs}) == 1
    version = f"UPDATE {schema}.store SET schema_version = schema_version"
    cascade = "" if is_duckdb else " CASCADE"
    answers = said(
        place,
        [
            *(f"{version} - 1", "record"),
            *(f"{version} + 2, migrated_by = '9.8.7'", "record"),
            *(f"{version} - 1", f"ALTER TABLE {schema}.store_runs DROP COLUMN variables{cascade}", "record"),
            *(f"DROP TABLE {schema}.store_runs{cascade}", "record"),
        ],
    )
    assert all(answer.startswith(WARNING) for answer in answers)
    before, later, narrow, gone = (answer.removeprefix(WARNING) for answer in answers)
    assert before.endswith("recce-meta init brings it forward")
    assert later.endswith("install version 9.8.7 of the package, which fits the store")
    assert narrow.startswith(f"store_runs in '{place.schema}' has no column variables")
    assert gone == f"store_runs in '{place.schema}' is missing: recce-meta doctor checks the store"
    assert said_by_dbt(place, "build") == answers[-1:] * 2
    if is_duckdb:
        assert said(place, ["record"], code=1, recce_meta_fail=True) == []
