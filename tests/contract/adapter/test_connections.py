"""From profiles and URLs to open connections, and what happens where that fails."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import yaml

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.adapter.doctor import check_connection
from recce_meta.errors import (
    IN_BASE_INSTALL,
    AuthenticationFailed,
    ConnectionFailed,
    ConnectionLost,
    MissingDriverError,
    PermissionDenied,
    ProfileError,
    UnknownNameError,
    UsageError,
    WarehouseError,
)

Open = Callable[..., UnifiedSqlAdapter]


@pytest.fixture
def open_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens an adapter for an output with the given fields, in a project of its own."""
    for name in ("PROFILES_DIR", "PROJECT_DIR", "PROFILE", "TARGET"):
        monkeypatch.delenv(f"DBT_{name}", raising=False)
        monkeypatch.delenv(f"DBT_ENGINE_{name}", raising=False)
    opened: list[UnifiedSqlAdapter] = []
    project = tmp_path / "project"
    project.mkdir()
    (project / "dbt_project.yml").write_text("name: shop\nprofile: shop\n")

    def open_profile(**fields: object) -> UnifiedSqlAdapter:
        (tmp_path / "profiles.yml").write_text(yaml.safe_dump({"shop": {"outputs": {"default": fields}}}))
        opened.append(UnifiedSqlAdapter.from_dbt_profile(tmp_path, project_dir=project))
        return opened[-1]

    yield open_profile
    for adapter in opened:
        adapter.close()


def postgres_fields(url: str = "postgresql://u@127.0.0.1:1/d", **others: object) -> dict[str, object]:
    """The fields of a profile for *url*: unless given, one where nobody answers."""
    place = urlsplit(url)
    return {
        "type": "postgres",
        "host": place.hostname,
        "port": str(place.port or 5432),
        "user": place.username,
        "password": place.password or "",
        "dbname": place.path.lstrip("/"),
        "schema": "public",
        **others,
    }


# --- profiles -----------------------------------------------------------------------------------------


def test_a_duckdb_profile_opens_the_file_beside_its_project(open_profile: Open, tmp_path: Path) -> None:
    adapter = open_profile(type="duckdb", path="shop.duckdb", schema="analytics", threads=3)

    assert not (tmp_path / "project" / "shop.duckdb").exists()
    assert adapter.execute("SELECT current_database()")[1] == [("shop",)]
    assert (tmp_path / "project" / "shop.duckdb").is_file()
    assert adapter.target is not None
    assert (adapter.target.profile, adapter.target.name, adapter.target.type) == ("shop", "default", "duckdb")
    assert (adapter.target.database, adapter.target.schema, adapter.target.threads) == (
        "shop",
        "analytics",
        3,
    )


def test_duckdb_fields_take_effect(open_profile: Open, tmp_path: Path) -> None:
    with UnifiedSqlAdapter.from_url(f"duckdb:///{tmp_path / 'project' / 'other.db'}") as other:
        other.execute("CREATE TABLE t AS SELECT 7 AS a")
    scopes = ["https://a", "https://b"]
    adapter = open_profile(
        type="duckdb",
        path="shop.duckdb",
        config_options={"threads": 1},
        settings={"memory_limit": "1GB", "preserve_insertion_order": False},
        attach=[{"path": "other.db", "alias": "o'ther", "read_only": True}],
        secrets=[{"type": "http", "bearer_token": "it's", "scope": scopes, "extra_http_headers": {"a": "b"}}],
    )

    settings = "SELECT current_setting('threads'), current_setting('preserve_insertion_order')"
    assert adapter.execute(settings)[1] == [(1, False)]
    table = adapter.quote_table("main", "t", "o'ther")
    assert adapter.execute(f"SELECT a FROM {table}")[1] == [(7,)]
    assert adapter.execute("SELECT name, scope FROM duckdb_secrets()")[1] == [("_dbt_secret_1", scopes)]


def test_a_time_zone_of_the_users_own_serves_his_sql_and_not_ours(open_profile: Open) -> None:
    adapter = open_profile(type="duckdb", settings={"TimeZone": "America/New_York"})
    sql = "SELECT TIMESTAMPTZ '2026-01-01 12:00:00+00'"

    assert adapter.execute(f"SELECT CAST(({sql}) AS VARCHAR)")[1] == [("2026-01-01 07:00:00-05",)]
    with adapter.session() as session:
        ((moment,),) = session.query(sql)
    assert moment.utcoffset() == timedelta(0)
    assert moment.isoformat() == "2026-01-01T12:00:00+00:00"


def test_a_secret_in_a_statement_of_the_profile_stays_hidden(open_profile: Open) -> None:
    adapter = open_profile(
        type="duckdb",
        secrets=[{"type": "http", "bearer_token": "hush'hush", "no_such_parameter": "hush'hush"}],
    )

    with pytest.raises(WarehouseError) as caught:
        adapter.execute("SELECT 1")

    assert "hush" not in everything_shown(caught.value)
    assert "no_such_parameter" in str(caught.value).lower()


def test_a_postgres_profile_connects_with_its_settings(open_profile: Open, postgres_url: str) -> None:
    adapter = open_profile(
        **postgres_fields(
            postgres_url, search_path="pg_catalog, public", application_name="it's me", keepalives_idle=30
        )
    )

    for name, value in (
        ("search_path", "pg_catalog, public"),
        ("application_name", "it's me"),
    ):
        assert adapter.execute(f"SHOW {name}")[1] == [(value,)]
    assert adapter.target is not None
    assert adapter.target.schema == "public"


def test_queries_of_a_postgres_store_are_not_compiled(postgres_url: str) -> None:
    with UnifiedSqlAdapter.from_url(postgres_url) as adapter, adapter.reader("public") as reader:
        assert reader.execute("SHOW jit")[1] == [("off",)]
        assert adapter.execute("SHOW jit")[1] == [("on",)]


def test_a_postgres_role_is_taken_and_its_rights_hold(open_profile: Open, postgres_url: str) -> None:
    role = f"recce_{uuid4().hex[:12]}"
    with UnifiedSqlAdapter.from_url(postgres_url) as owner:
        owner.execute(f"CREATE ROLE {role}")
        try:
            adapter = open_profile(**postgres_fields(postgres_url, role=role))

            assert adapter.execute("SELECT current_user")[1] == [(role,)]
            with pytest.raises(PermissionDenied) as caught:
                adapter.execute("CREATE SCHEMA recce_not_allowed")
            assert caught.value.code == "42501"
            assert adapter.execute("SELECT current_user")[1] == [(role,)]
            checks = check_connection(adapter.at("recce_not_allowed"))
            assert [(check.name, check.ok) for check in checks][-1] == ("schema recce_not_allowed", False)
            adapter.close()
        finally:
            owner.execute(f"DROP ROLE {role}")


def test_without_its_role_or_settings_a_connection_never_serves(
    open_profile: Open, postgres_url: str
) -> None:
    adapter = open_profile(**postgres_fields(postgres_url, role="recce_no_such_role"))

    for _ in range(3):
        with pytest.raises(WarehouseError, match="recce_no_such_role"):
            adapter.execute("SELECT 1")
        with pytest.raises(WarehouseError, match="recce_no_such_role"), adapter.session():
            pass  # pragma: no cover


def test_a_server_that_does_not_know_the_user_refuses_him(open_profile: Open, postgres_url: str) -> None:
    adapter = open_profile(**postgres_fields(postgres_url, user="recce_nobody", password="hush-hush"))

    with pytest.raises(AuthenticationFailed) as caught:
        adapter.execute("SELECT 1")

    assert "recce_nobody" in caught.value.message
    assert "hush-hush" not in everything_shown(caught.value)


def test_a_server_that_does_not_answer_is_reported(open_profile: Open) -> None:
    adapter = open_profile(**postgres_fields(password="hush-hush"))

    with pytest.raises(ConnectionFailed) as caught:
        adapter.execute("SELECT 1")

    assert "port 1" in caught.value.message
    assert "hush-hush" not in everything_shown(caught.value)


def test_retries_of_the_profile_are_made(open_profile: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    adapter = open_profile(**postgres_fields(retries=2))

    with pytest.raises(ConnectionFailed):
        adapter.execute("SELECT 1")

    assert pauses == [1, 4]


def test_a_connection_that_the_server_ends_is_opened_again_for_what_only_reads(postgres_url: str) -> None:
    with (
        UnifiedSqlAdapter.from_url(postgres_url) as adapter,
        UnifiedSqlAdapter.from_url(postgres_url) as other,
    ):
        ((process,),) = adapter.execute("SELECT pg_backend_pid()")[1]
        other.execute(f"SELECT pg_terminate_backend({process})")

        assert adapter.execute("SELECT count(*) FROM generate_series(1, 3) AS n")[1] == [(3,)]


@pytest.mark.parametrize("sql", ["SELECT pg_backend_pid()", "CREATE TEMPORARY TABLE x (a INT)"])
def test_a_connection_that_the_server_ends_is_reported_where_something_may_have_been_done(
    postgres_url: str, sql: str
) -> None:
    with (
        UnifiedSqlAdapter.from_url(postgres_url) as adapter,
        UnifiedSqlAdapter.from_url(postgres_url) as other,
    ):
        ((process,),) = adapter.execute("SELECT pg_backend_pid()")[1]
        other.execute(f"SELECT pg_terminate_backend({process})")
        with pytest.raises(ConnectionLost) as caught:
            adapter.execute(sql)
        assert caught.value.code == "57P01"
        assert caught.value.sql == sql

        with pytest.raises(ConnectionLost), adapter.session() as session:
            ((process,),) = session.query("SELECT pg_backend_pid()")
            other.execute(f"SELECT pg_terminate_backend({process})")
            session.query("SELECT 1")

        limit = "SELECT current_setting('client_connection_check_interval')"
        assert adapter.execute(limit)[1] == [("2s",)]


def test_a_type_that_nobody_knows_names_profile_target_and_file(open_profile: Open, tmp_path: Path) -> None:
    with pytest.raises(ProfileError) as caught:
        open_profile(type="duckbd")

    assert f"profile 'shop', target 'default' in {tmp_path / 'profiles.yml'}" in caught.value.message
    assert caught.value.hint == "did you mean 'duckdb'?"


def test_warnings_of_the_profile_can_be_asked_for(open_profile: Open) -> None:
    (warning,) = open_profile(type="duckdb", flavour="vanilla").warnings

    assert warning.startswith("Field 'flavour' is unknown and ignored (profile 'shop'")


# --- URLs ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("not a url", UsageError),
        ("postgresql://u:hush-hush@h:many/d", UsageError),
        ("nosuch://u:hush-hush@h/d", UnknownNameError),
    ],
)
def test_a_url_that_cannot_serve_is_refused(url: str, kind: type[Exception]) -> None:
    with pytest.raises(kind) as caught:
        UnifiedSqlAdapter.from_url(url)

    assert "hush-hush" not in everything_shown(caught.value)


def test_the_dialect_may_be_named_beside_the_url() -> None:
    with pytest.raises(UnknownNameError):
        UnifiedSqlAdapter.from_url("duckdb://", "duck")
    with UnifiedSqlAdapter.from_url("duckdb://", "duckdb") as adapter:
        assert adapter.warehouse.dialect == "duckdb"


def test_the_repr_shows_no_password() -> None:
    adapter = UnifiedSqlAdapter.from_url("postgresql://u:hush-hush@h:1/d")

    assert repr(adapter) == "<UnifiedSqlAdapter postgres h/d>"


def test_a_missing_driver_says_what_to_install(backend: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    known = {"duckdb": "duckdb", "postgres": "psycopg", "redshift": "redshift_connector"}
    if (missing := known.get(backend.name)) is None:
        pytest.skip("which module it needs is not known here")
    monkeypatch.setitem(sys.modules, missing, None)

    with pytest.raises(MissingDriverError) as caught, backend.connect() as adapter:
        adapter.execute("SELECT 1")

    in_base = backend.name in IN_BASE_INSTALL
    wanted = "--force-reinstall ." if in_base else f"'.[{backend.name}]'"
    assert caught.value.hint == f"pip install {wanted} in the checkout of recce_meta"


# --- DuckDB files -------------------------------------------------------------------------------------


def test_a_folder_that_does_not_exist_is_reported(tmp_path: Path) -> None:
    adapter = UnifiedSqlAdapter.from_url(f"duckdb:///{tmp_path / 'nowhere' / 'x.duckdb'}")

    with pytest.raises(ConnectionFailed, match="nowhere"):
        adapter.execute("SELECT 1")


def test_a_file_that_is_no_database_is_reported_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database " * 1000)
    adapter = UnifiedSqlAdapter.from_url(f"duckdb:///{path}")

    with pytest.raises(ConnectionFailed, match="not a valid DuckDB"):
        adapter.execute("SELECT 1")

    assert path.read_text() == "not a database " * 1000


def test_a_read_only_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    adapter = UnifiedSqlAdapter.from_url(f"duckdb:///{tmp_path / 'x.duckdb'}?read_only=true")

    with pytest.raises(WarehouseError):
        adapter.execute("SELECT 1")

    assert list(tmp_path.iterdir()) == []


def test_a_read_only_file_is_read_and_not_written(tmp_path: Path) -> None:
    url = f"duckdb:///{tmp_path / 'x.duckdb'}"
    with UnifiedSqlAdapter.from_url(url) as adapter:
        adapter.execute("CREATE TABLE t AS SELECT 1 AS a")

    with UnifiedSqlAdapter.from_url(url + "?read_only=true") as adapter:
        assert adapter.execute("SELECT a FROM t")[1] == [(1,)]
        with pytest.raises(WarehouseError, match="read-only"):
            adapter.execute("INSERT INTO t VALUES (2)")


# --- what doctor asks ---------------------------------------------------------------------------------


def test_a_good_connection_passes_every_check(adapter: UnifiedSqlAdapter, schema: str) -> None:
    existing = check_connection(adapter.at(schema))
    missing = check_connection(adapter.at(f"{schema} 2"))

    assert all(check.ok for check in [*existing, *missing])
    names = [check.name for check in existing if check.name != "clock"]
    assert names[-3:] == ["connection", "server", f"schema {schema}"]
    assert existing[-1].detail == "exists and is writable"
    assert missing[-1].detail == "does not exist yet, but can be created"
    _, rows = adapter.execute(
        "SELECT count(*) FROM information_schema.tables WHERE table_name LIKE 'recce_check%'"
    )
    assert rows == [(0,)]


@pytest.mark.parametrize(
    ("apart", "ok", "detail"),
    [
        (timedelta(0), True, "agree"),
        (timedelta(minutes=-5), None, "ahead of this machine"),
        (timedelta(minutes=5), None, "behind this machine"),
    ],
)
def test_clocks_that_are_apart_are_told(
    postgres_url: str, apart: timedelta, ok: bool | None, detail: str
) -> None:
    with UnifiedSqlAdapter.from_url(postgres_url) as adapter:
        checks = check_connection(adapter.at("public"), now=lambda: datetime.now(timezone.utc) + apart)

    (clock,) = [check for check in checks if check.name == "clock"]
    assert clock.ok is ok
    assert detail in clock.detail
    assert (clock.hint is None) is bool(ok)
    assert checks[-1].name == "schema public"


@pytest.mark.beyond_emulators
def test_where_ddl_cannot_be_undone_a_table_is_made_and_dropped(
    adapter: UnifiedSqlAdapter, schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(adapter.warehouse), "has_transactional_ddl", False)
    tables = "SELECT count(*) FROM information_schema.tables WHERE table_name LIKE 'recce_check%'"

    assert check_connection(adapter.at(schema))[-1].detail == "exists and is writable"
    assert adapter.execute(tables)[1] == [(0,)]
    missing = check_connection(adapter.at(f"{schema} 2"))[-1]
    assert (missing.ok, missing.detail.partition(";")[0]) == (None, "does not exist yet")

    for answer in (True, False):
        monkeypatch.setattr(
            type(adapter.warehouse), "may_create_schema_sql", lambda _self, _name, a=answer: f"SELECT {a}"
        )
        found = check_connection(adapter.at(f"{schema} 2"))[-1]
        assert found.ok is answer
    assert found.hint == adapter.warehouse.refused_hint or "GRANT CREATE ON DATABASE" in str(found.hint)


def test_the_checks_stop_where_the_connection_fails_and_show_no_secret(open_profile: Open) -> None:
    adapter = open_profile(**postgres_fields(password="hush-hush", sslmod="require"))

    checks = check_connection(adapter.at("recce_metadata"))

    assert [(check.name, check.ok) for check in checks] == [
        ("profile", True),
        ("field", False),
        ("driver", True),
        ("connection", False),
    ]
    assert "password=***" in checks[0].detail
    assert "hush-hush" not in repr(checks)
    assert checks[-1].hint


def everything_shown(error: BaseException) -> str:
    """All that a message, a repr or a traceback could show of *error*."""
    values: list[Any] = [str(error), repr(error), getattr(error, "sql", "")]
    return "\n".join(
        [*map(str, values), *traceback.format_exception(type(error), error, error.__traceback__)]
    )


def test_the_checks_show_no_secret_of_duckdbs_settings_and_attachments(open_profile: Open) -> None:
    adapter = open_profile(
        type="duckdb",
        path="md:shop?motherduck_token=hush-1",
        config_options={"autoinstall_known_extensions": False},  # nothing is fetched: it need not connect
        settings={"s3_secret_access_key": "hush-2"},
        attach=[{"path": "postgres://u:hush/3@h/d", "type": "postgres"}],
    )

    profile = check_connection(adapter.at("recce_metadata"))[0]

    assert profile.name == "profile"
    assert "hush" not in profile.detail
