"""The facts of each warehouse, and how profile fields and URLs become connections. No database here."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recce_meta.adapter.errors import translate_error
from recce_meta.adapter.statements import COMMENTS, single_statement
from recce_meta.errors import (
    AuthenticationFailed,
    ConnectionFailed,
    MissingRelation,
    PermissionDenied,
    ProfileError,
    QueryCancelled,
    StoreLocked,
    SyntaxFailed,
    TransientFailure,
    UnknownNameError,
    UsageError,
    WarehouseError,
)
from recce_meta.redaction import redact
from recce_meta.warehouses import (
    ConnectionPlan,
    Fields,
    UrlParts,
    Warehouse,
    available,
    masked,
    warehouse_for_scheme,
    warehouse_named,
)
from recce_meta.warehouses.catalog import BaseCatalog
from recce_meta.warehouses.dialect import Dialect, dialect_named
from recce_meta.warehouses.driver import BaseDriver
from recce_meta.warehouses.duckdb.connection import database_name, is_file
from recce_meta.warehouses.postgres.connection import KEEPALIVES
from recce_meta.warehouses.registry import GENERIC, Part, built_in, folders_with

POSTGRES: Mapping[str, object] = {
    "host": "h",
    "user": "u",
    "password": "p@ss/w:rd%2F#? é+ x",
    "port": 5433,
    "dbname": "d",
    "schema": "s",
}


def plan(name: str, base_dir: Path | None = None, **values: object) -> ConnectionPlan:
    warehouse = warehouse_named(name)
    fields = Fields(values, aliases=warehouse.aliases, where="profile 'p', target 't'", base_dir=base_dir)
    return warehouse.plan(fields)


def postgres(**values: object) -> ConnectionPlan:
    return plan("postgres", **{**POSTGRES, **values})


# --- finding a warehouse ------------------------------------------------------------------------------


def test_every_warehouse_documents_itself() -> None:
    for name in available():
        warehouse = warehouse_named(name)

        assert (warehouse.name, type(warehouse).__module__.split(".")[2]) == (name, name)
        assert warehouse.dialect and warehouse.url_schemes and warehouse.distributions
        assert type(warehouse).__doc__


IMPORT_ALL = """
import pkgutil, sys
from importlib import import_module
from recce_meta import warehouses
names = [found.name for found in pkgutil.walk_packages(warehouses.__path__, "recce_meta.warehouses.")]
assert len(names) > 40, names
for name in names:
    if name != "recce_meta.warehouses.duckdb.engine":  # imported when DuckDB is connected to
        import_module(name)
print(*sorted({"duckdb", "psycopg", "sqlalchemy"} & sys.modules.keys()))
"""


@pytest.mark.drivers
def test_warehouses_import_no_driver() -> None:
    ran = subprocess.run([sys.executable, "-c", IMPORT_ALL], capture_output=True, text=True, check=False)

    assert (ran.stdout, ran.stderr) == ("\n", "")


def test_every_folder_defines_one_class_for_each_part() -> None:
    bases: dict[Part, type] = {
        "connection": Warehouse,
        "dialect": Dialect,
        "catalog": BaseCatalog,
        "driver": BaseDriver,
    }

    for part, base in bases.items():
        for folder in (*folders_with(part), GENERIC):
            found = built_in(part, folder, base)
            assert found is not None and issubclass(found, base)
            assert found.__module__ == f"recce_meta.warehouses.{folder}.{part}"


@pytest.mark.parametrize(
    ("name", "hint"), [("postgre", "did you mean 'postgres'?"), ("snowflke", "did you mean 'snowflake'?")]
)
def test_a_misspelt_type_brings_the_nearest(name: str, hint: str) -> None:
    with pytest.raises(UnknownNameError, match=f"Unknown warehouse type '{name}' in profile 'x'") as caught:
        warehouse_named(name, where="in profile 'x'")

    assert caught.value.hint == hint


@pytest.mark.parametrize("name", ["base", "fields", "../duckdb", "", "os"])
def test_a_module_that_is_no_warehouse_is_none(name: str) -> None:
    with pytest.raises(UnknownNameError):
        warehouse_named(name)


@pytest.mark.parametrize(
    ("scheme", "name"),
    [
        ("duckdb", "duckdb"),
        ("postgresql", "postgres"),
        ("postgres", "postgres"),
        ("postgresql+psycopg", "postgres"),
        ("postgresql+psycopg2", "postgres"),
    ],
)
def test_a_urls_scheme_names_its_warehouse(scheme: str, name: str) -> None:
    assert warehouse_for_scheme(scheme).name == name


def test_a_scheme_that_nobody_knows_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="'orakel' in the URL"):
        warehouse_for_scheme("orakel")


# --- identifiers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["duckdb", "postgres"])
def test_names_are_quoted_part_by_part(name: str) -> None:
    warehouse = warehouse_named(name)

    assert warehouse.quote_identifier('we"i`rd') == '"we""i`rd"'
    assert warehouse.quote_table("s", "My Tbl") == '"s"."My Tbl"'
    assert warehouse.quote_table("s", "t", "d.b") == '"d.b"."s"."t"'


@given(st.text(min_size=1, alphabet=st.characters(exclude_categories=("Cc", "Cs"))))
def test_a_quoted_name_can_be_read_back(name: str) -> None:
    quoted = warehouse_named("postgres").quote_identifier(name)

    assert quoted[1:-1].replace('""', '"') == name


# --- PostgreSQL ---------------------------------------------------------------------------------------


def test_postgres_fields_become_a_url_and_the_drivers_arguments() -> None:
    made = postgres(sslmode="require", keepalives_idle=77, connect_timeout=7, application_name="mine")

    assert made.url == UrlParts("postgresql+psycopg", "u", "p@ss/w:rd%2F#? é+ x", "h", 5433, "d")
    assert (made.database, made.schema) == ("d", "s")
    assert made.connect_args == {
        "application_name": "mine",
        "client_encoding": "utf8",
        "connect_timeout": 7,
        **KEEPALIVES,
        "keepalives_idle": 77,
        "prepare_threshold": None,
        "sslmode": "require",
    }
    assert made.warnings == ()
    assert made.connect_attempts == 1


def test_postgres_defaults() -> None:
    made = plan("postgres", host="h", user="u", database="d", schema="s", keepalives_idle=0)

    assert (made.url.port, made.url.password) == (5432, None)
    assert made.connect_args["application_name"] == "recce_meta"
    assert made.connect_args["connect_timeout"] == 10
    assert made.connect_args["keepalives_idle"] == 30
    (statement,) = made.statements
    assert statement.startswith("SELECT set_config('datestyle', 'iso', false), CASE WHEN")
    assert "client_connection_check_interval" in statement


@pytest.mark.parametrize("port", [5433, "5433", " 5433 "])
def test_a_port_may_be_text(port: object) -> None:
    assert postgres(port=port).url.port == 5433


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("analyst", 'SET ROLE "analyst"'),
        ("Analyst", 'SET ROLE "analyst"'),
        ('"Analyst"', 'SET ROLE "Analyst"'),
        ("my role", 'SET ROLE "my role"'),
        ('x"; DROP TABLE y', 'SET ROLE "x""; DROP TABLE y"'),
    ],
)
def test_a_role_is_the_one_that_dbt_would_get(role: str, statement: str) -> None:
    assert postgres(role=role).statements[1] == statement


def test_a_search_path_is_set_as_one_value() -> None:
    (statement,) = postgres(search_path='a, "$user", it\'s\\b').statements

    assert "set_config('search_path', E'a, \"$user\", it''s\\\\b', false)" in statement


def test_certificates_are_found_from_the_projects_directory(tmp_path: Path) -> None:
    made = plan(
        "postgres",
        tmp_path,
        **POSTGRES,
        sslcert="certs/c.pem",
        sslkey="/etc/k.pem",
        sslrootcert="~/r.pem",
    )

    assert made.connect_args["sslcert"] == str(tmp_path / "certs/c.pem")
    assert made.connect_args["sslkey"] == "/etc/k.pem"
    assert made.connect_args["sslrootcert"] == "~/r.pem"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"pass": "x"}, "Fields 'password' and 'pass' mean the same"),
        ({"database": "x"}, "Fields 'database' and 'dbname' mean the same"),
        ({"host": None}, "Field 'host' is missing"),
        ({"user": ""}, "Field 'user' is missing"),
        ({"schema": None}, "Field 'schema' is missing"),
        ({"port": "many"}, "Field 'port' is not a whole number: 'many'"),
        ({"host": ["h"]}, "Field 'host' is not a string"),
    ],
)
def test_fields_that_cannot_serve_are_refused_with_their_place(
    values: dict[str, object], message: str
) -> None:
    with pytest.raises(ProfileError, match=message) as caught:
        postgres(**values)

    assert "profile 'p', target 't'" in caught.value.message


def test_a_field_that_nobody_knows_is_named() -> None:
    (warning,) = postgres(sslmod="require", threads=4, retries=3).warnings

    assert (
        warning == "Field 'sslmod' is unknown and ignored (profile 'p', target 't'); did you mean 'sslmode'?"
    )


def test_retries_are_honoured() -> None:
    assert postgres(retries=3).connect_attempts == 4


def test_a_postgres_url_keeps_what_it_says() -> None:
    warehouse = warehouse_named("postgres")
    made = warehouse.plan_url(
        UrlParts("postgresql", "u", "pw", "h", None, "d", {"application_name": "x", "sslmode": "require"})
    )

    assert made.url.scheme == "postgresql+psycopg"
    assert made.url.query == {"application_name": "x", "sslmode": "require"}
    assert "application_name" not in made.connect_args
    assert made.secrets == ("pw",)


# --- DuckDB -------------------------------------------------------------------------------------------


def test_a_duckdb_path_is_found_from_the_projects_directory(tmp_path: Path) -> None:
    assert plan("duckdb", tmp_path, path="x.duckdb").url.database == str(tmp_path / "x.duckdb")
    assert plan("duckdb", tmp_path, path="/abs/x.duckdb").url.database == "/abs/x.duckdb"
    assert plan("duckdb", tmp_path).url.database == ":memory:"
    assert plan("duckdb", tmp_path, path="md:shop").url.database == "md:shop"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (":memory:", "memory"),
        ("target/jaffle.duckdb", "jaffle"),
        ("/x/.hidden.db", "hidden"),
        ("a.b.c", "a"),
        ("md:shop?x=1", "shop"),
        ("md:", "my_db"),
        ("motherduck:shop", "shop"),
        ("ducklake:meta.duckdb", "meta"),
        ("s3://bucket/dir/remote.duckdb", "remote"),
    ],
)
def test_a_databases_name_is_derived_from_its_path(path: str, name: str) -> None:
    assert database_name(path) == name


@pytest.mark.parametrize("path", ["x.duckdb", "/a/b", "dir/x y", "C:\\x.duckdb", "./:odd"])
def test_a_file_is_a_file(path: str) -> None:
    assert is_file(path)


@pytest.mark.parametrize("path", [":memory:", "md:x", "motherduck:", "ducklake:x", "s3://b/x", "quack:host"])
def test_what_is_elsewhere_is_no_file(path: str) -> None:
    assert not is_file(path)


def test_duckdb_fields_become_statements_in_dbts_order() -> None:
    made = plan(
        "duckdb",
        path="x.duckdb",
        config_options={"threads": 4},
        extensions=[
            "httpfs",
            {"name": "h3", "repo": "community"},
            {"name": "x", "repo": "https://e.org/it's"},
        ],
        secrets=[
            {
                "type": "s3",
                "name": "my secret",
                "persistent": True,
                "key_id": "k'1",
                "scope": ["s3://a", "s3://b"],
                "headers": {"a": "b"},
            },
            {"type": "gcs", "provider": "credential_chain"},
        ],
        attach=[
            {"path": "other.db", "alias": "o", "read_only": True},
            {"path": "postgres:dbname=x", "type": "postgres", "secret": "s1"},
            {"path": "md:shared?x=1"},
            {
                "path": "lake.ducklake",
                "alias": "lake",
                "is_ducklake": True,
                "options": {"data_path": "s3://d"},
            },
        ],
        settings={"memory_limit": "1GB", "preserve_insertion_order": False},
    )

    assert made.connect_args == {"config": {"threads": 4}}
    assert made.statements == (
        "SET enable_progress_bar = false",
        "INSTALL httpfs",
        "LOAD httpfs",
        "INSTALL h3 FROM community",
        "LOAD h3",
        "INSTALL x FROM 'https://e.org/it''s'",
        "LOAD x",
        "CREATE OR REPLACE PERSISTENT SECRET \"my secret\" (TYPE s3, KEY_ID 'k''1', "
        "SCOPE ('s3://a', 's3://b'), HEADERS MAP {'a': 'b'})",
        "CREATE OR REPLACE SECRET \"_dbt_secret_2\" (TYPE gcs, PROVIDER 'credential_chain')",
        "ATTACH IF NOT EXISTS 'other.db' AS \"o\" (READ_ONLY)",
        "ATTACH IF NOT EXISTS 'postgres:dbname=x' (TYPE postgres, SECRET s1)",
        "ATTACH IF NOT EXISTS 'md:shared'",
        "ATTACH IF NOT EXISTS 'lake.ducklake' AS \"lake\" (TYPE ducklake, DATA_PATH 's3://d')",
        "SET \"memory_limit\" = '1GB'",
        "SET \"preserve_insertion_order\" = 'false'",
    )
    assert "k'1" in made.secrets
    assert "k'1" not in repr(made)
    assert made.warnings == ()


def test_the_aws_credential_chain_is_a_secret() -> None:
    statements = plan("duckdb", use_credential_provider="aws").statements

    assert statements[-1] == (
        "CREATE OR REPLACE SECRET \"_dbt_secret_1\" (TYPE s3, PROVIDER 'credential_chain')"
    )


def test_a_motherduck_token_is_configuration() -> None:
    made = plan("duckdb", path="md:shop", motherduck_token="hush-hush")

    assert made.connect_args == {"config": {"motherduck_token": "hush-hush"}}
    assert made.secrets == ("hush-hush",)


def test_the_database_is_the_paths_or_an_attached_one() -> None:
    assert plan("duckdb", path="x.duckdb").database == "x"
    assert plan("duckdb", path="x.duckdb", database="x").database == "x"
    assert plan("duckdb", path="x.duckdb", database="o", attach=[{"path": "y", "alias": "o"}]).database == "o"
    with pytest.raises(ProfileError, match=r"'z' is neither the one at 'x\.duckdb' nor attached") as caught:
        plan("duckdb", path="x.duckdb", database="z", attach=[{"path": "y.db"}])
    assert "x, y" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"remote": {"host": "h"}}, "Field 'remote' is not supported"),
        ({"attach": [{"alias": "x"}]}, "needs a 'path'"),
        ({"attach": "x.db"}, "'attach' is not a list"),
        ({"secrets": [{"name": "x"}]}, "needs a 'type'"),
        ({"extensions": [{"repo": "x"}]}, "'extensions'"),
        ({"settings": ["x"]}, "'settings' is not a mapping"),
        ({"use_credential_provider": "gcp"}, "Unknown credential provider 'gcp'"),
    ],
)
def test_duckdb_fields_that_cannot_serve_are_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(ProfileError, match=message):
        plan("duckdb", **values)


def test_fields_that_only_dbt_can_honour_are_warned_about_by_name() -> None:
    made = plan(
        "duckdb",
        plugins=[{"module": "excel"}],
        external_root="out",
        retries={"connect_attempts": 3},
        disable_transactions=True,
        flavour="vanilla",
    )

    assert [warning.split("'")[1] for warning in made.warnings] == ["plugins", "flavour"]


def test_a_duckdb_url_may_carry_configuration() -> None:
    made = warehouse_named("duckdb").plan_url(
        UrlParts("duckdb", database="x.duckdb", query={"read_only": "true", "threads": "2"})
    )

    assert made.url.database == "x.duckdb"
    assert made.connect_args == {"config": {"threads": "2", "access_mode": "read_only"}}


# --- fields -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "truth"), [(True, True), ("yes", True), ("OFF", False), (0, False), (None, False)]
)
def test_truth_values_are_read_leniently(value: object, truth: bool) -> None:
    assert Fields({"x": value}).boolean("x") is truth


def test_a_secret_of_the_wrong_kind_is_not_shown() -> None:
    with pytest.raises(ProfileError) as caught:
        Fields({"password": ["hush"]}).text("password")

    assert "hush" not in str(caught.value)


def test_secrets_are_masked_at_any_depth() -> None:
    values = {
        "user": "u",
        "password": "a",
        "secrets": [{"key": "b"}],
        "nested": {"token": "c", "list": [{"client_secret": "d"}]},
        "empty": None,
        "dsn": "x-hush-y",
    }

    assert masked(values, ("hush",)) == {
        "user": "u",
        "password": "***",
        "secrets": "***",
        "nested": {"token": "***", "list": [{"client_secret": "***"}]},
        "empty": None,
        "dsn": "x-***-y",
    }


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("s3_secret_access_key", True),
        ("S3_SESSION_TOKEN", True),
        ("azure_storage_connection_string", True),
        ("http_proxy_password", True),
        ("pass", True),
        ("keyfile_json", True),
        ("s3_access_key_id", False),
        ("private_key_path", False),
        ("token_uri", False),
        ("keyfile", False),
        ("bypass", False),
    ],
)
def test_a_secret_is_told_by_its_name(name: str, secret: bool) -> None:
    assert masked({"settings": {name: "hush"}}) == {"settings": {name: "***" if secret else "hush"}}


def test_a_password_that_is_also_the_user_is_no_secret() -> None:
    assert postgres(user="postgres", password="postgres").secrets == ()


# --- errors -------------------------------------------------------------------------------------------


class Coded(Exception):
    """A driver's error with an SQLSTATE."""

    def __init__(self, message: str, sqlstate: str | None) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate


class OperationalError(Exception):
    """Named as psycopg names what carries no SQLSTATE."""


class IOException(Exception):
    """Named as DuckDB names it."""


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("08006", ConnectionFailed),
        ("28P01", AuthenticationFailed),
        ("28000", AuthenticationFailed),
        ("3D000", ConnectionFailed),
        ("3F000", MissingRelation),
        ("40001", TransientFailure),
        ("40P01", TransientFailure),
        ("42501", PermissionDenied),
        ("42601", SyntaxFailed),
        ("42P01", MissingRelation),
        ("42703", MissingRelation),
        ("53300", TransientFailure),
        ("53100", WarehouseError),
        ("57014", QueryCancelled),
        ("57P01", ConnectionFailed),
        ("22012", WarehouseError),
    ],
)
def test_an_sqlstate_names_our_kind_of_error(code: str, kind: type[WarehouseError]) -> None:
    error = translate_error(Coded("no", code), warehouse_named("postgres"), sql="SELECT 1", secrets=())

    assert type(error) is kind
    assert (error.code, error.sql, error.message) == (code, "SELECT 1", "no")


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ('connection failed: FATAL: password authentication failed for user "u"', AuthenticationFailed),
        ("connection failed: fe_sendauth: no password supplied", AuthenticationFailed),
        ('connection failed: FATAL: role "u" does not exist', AuthenticationFailed),
        ("connection failed: Connection refused", ConnectionFailed),
        ("server closed the connection unexpectedly", ConnectionFailed),
    ],
)
def test_an_error_before_login_is_told_by_its_message(message: str, kind: type[WarehouseError]) -> None:
    error = translate_error(OperationalError(message), warehouse_named("postgres"), sql=None, secrets=())

    assert type(error) is kind


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ('Could not set lock on file "x": Conflicting lock is held in python (PID 7)', StoreLocked),
        (
            "Cannot open file: the process cannot access it because it is being used by another process",
            StoreLocked,
        ),
        ('Cannot open file "/x": No such file or directory', ConnectionFailed),
    ],
)
def test_a_locked_file_is_told_by_its_message(message: str, kind: type[WarehouseError]) -> None:
    error = translate_error(IOException(message), warehouse_named("duckdb"), sql=None, secrets=())

    assert type(error) is kind


def test_no_part_of_an_error_shows_a_secret() -> None:
    original = Coded("cannot use 'hush''hush' nor hush%27hush", None)

    error = translate_error(
        original, warehouse_named("postgres"), sql="CREATE SECRET (KEY 'hush''hush')", secrets=["hush'hush"]
    )

    shown = f"{error} {error!r} {error.sql} {error.args}"
    assert "hush" not in shown
    assert error.__cause__ is None and error.__suppress_context__


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("postgresql://u:pw@h/d", "postgresql://u:***@h/d"),
        ("postgresql://u:p@w:x@h/d", "postgresql://u:***@h/d"),
        ("postgresql://u@h/d", "postgresql://u@h/d"),
        ("host=h password=pw user=u", "host=h password=*** user=u"),
        ("PASSWORD = 'p w' x", "PASSWORD = *** x"),
        ("duckdb:///md:x?motherduck_token=abc&y=1", "duckdb:///md:x?motherduck_token=***&y=1"),
        (
            "ATTACH 'postgresql://u:p@s/w:x@h/d' (TYPE postgres)",
            "ATTACH 'postgresql://u:***@h/d' (TYPE postgres)",
        ),
        ("u:pw@h/d", "u:***@h/d"),
        ("md:x?motherduck_token=a@b", "md:x?motherduck_token=***"),
        ("duckdb:////srv/me@work/a.duckdb", "duckdb:////srv/me@work/a.duckdb"),
        ("nothing to hide: a@b", "nothing to hide: a@b"),
    ],
)
def test_passwords_are_found_where_nobody_named_them(text: str, clean: str) -> None:
    assert redact(text) == clean


@given(st.text(min_size=3), st.text(), st.text())
def test_a_secret_never_survives_redaction(secret: str, before: str, after: str) -> None:
    assert secret not in redact(before + secret + after, [secret]) or secret in "***"


# --- one statement ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "sent"),
    [
        ("SELECT 1", "SELECT 1"),
        ("SELECT 1;", "SELECT 1"),
        ("SELECT 1 ; -- done", "SELECT 1 "),
        ("SELECT ';'", "SELECT ';'"),
        ("SELECT 1 -- a; b", "SELECT 1 -- a; b"),
        ("SELECT $a$ ; $a$", "SELECT $a$ ; $a$"),
        ('SELECT ";"', 'SELECT ";"'),
        ("SELECT /* ; /* ; */ ; */ 1;;", "SELECT /* ; /* ; */ ; */ 1"),
    ],
)
@pytest.mark.parametrize("dialect", ["duckdb", "postgres"])
def test_only_the_final_semicolon_is_taken_away(sql: str, sent: str, dialect: str) -> None:
    assert single_statement(sql, dialect) == sent


def test_a_text_without_an_end_is_refused() -> None:
    with pytest.raises(UsageError, match="Cannot find the end of the statement"):
        single_statement("SELECT 'a; b", "postgres")


@given(st.text(max_size=40))
def test_text_without_a_semicolon_is_sent_as_it_is(sql: str) -> None:
    if ";" in sql or not sql.strip() or sql.lstrip().startswith(COMMENTS):
        return
    assert single_statement(sql, "postgres") == sql


def test_a_plan_shows_no_secret() -> None:
    shown: Any = repr(postgres(password="hush-hush"))

    assert "hush-hush" not in shown


def test_an_error_at_the_beginning_of_a_transaction_is_not_blamed_on_begin() -> None:
    error = translate_error(
        RuntimeError('role "nosuch" does not exist'), warehouse_named("postgres"), sql="BEGIN", secrets=()
    )

    assert (error.message, error.sql) == ('role "nosuch" does not exist', None)


@pytest.mark.parametrize(
    ("dialect", "completed"),
    [
        ("bigquery", "FROM INFORMATION_SCHEMA.TABLES WHERE table_name = 'T'"),
        ("databricks", "LOWER(CONCAT_WS('.', CURRENT_CATALOG(), CURRENT_SCHEMA(), 'T'))"),
        ("redshift", "'\"T\"'::REGCLASS::OID"),
        ("snowflake", "WHERE table_schema IN (CURRENT_SCHEMA(), 'PUBLIC') AND table_name = 'T'"),
    ],
)
def test_the_session_completes_a_name_of_one_part(dialect: str, completed: str) -> None:
    of = dialect_named(dialect)
    identity = of.identity(["T"])

    assert identity is not None and completed in of.render(identity)
