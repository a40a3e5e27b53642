"""Profiles and URLs of Databricks, its errors, and the statements that insert rows. Nothing is connected."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

import pytest

from recce_meta.errors import (
    AuthenticationFailed,
    ConfigurationError,
    ConnectionFailed,
    MissingRelation,
    PermissionDenied,
    ProfileError,
    QueryCancelled,
    QueryTimeout,
    SyntaxFailed,
    TransientFailure,
    UsageError,
    WarehouseError,
)
from recce_meta.warehouses import ConnectionPlan, Fields, UrlParts
from recce_meta.warehouses.databricks.connection import SDK_LOGINS, Databricks
from recce_meta.warehouses.databricks.driver import (
    Driver,
    connect_arguments,
    insert_statement,
    refuse_unreachable,
)

WAREHOUSE = Databricks()
PROFILE: Mapping[str, Any] = {
    "host": "dbc-1.cloud.databricks.com",
    "http_path": "/sql/1.0/warehouses/abc",
    "schema": "sales",
    "token": "dapi-1234",
}
NO_TOKEN = {**PROFILE, "token": None, "auth_type": "oauth"}


def plan(**values: Any) -> ConnectionPlan:
    fields = {name: value for name, value in {**PROFILE, **values}.items() if value is not None}
    return WAREHOUSE.plan(Fields(fields, aliases=WAREHOUSE.aliases, where="profile 'p', target 't'"))


def logins(**values: Any) -> Any:
    return plan(token=None, **{"auth_type": "oauth", **values}).connect_args[SDK_LOGINS]


def configuration(**values: Any) -> Any:
    return plan(**values).connect_args["session_configuration"]


# --- fields -------------------------------------------------------------------------------------------


def test_a_token() -> None:
    made = plan(catalog="main")

    assert made.url == UrlParts(
        "databricks",
        username="token",
        password="dapi-1234",
        host="dbc-1.cloud.databricks.com",
        query={"http_path": "/sql/1.0/warehouses/abc", "catalog": "main", "schema": "sales"},
    )
    assert (made.database, made.schema) == ("main", "sales")
    assert made.secrets == ("dapi-1234",)
    assert "dapi-1234" not in repr(made)
    assert made.warnings == ()
    assert made.connect_args["enable_telemetry"] is False


@pytest.mark.parametrize("host", ["https://h.example/", "h.example", "HTTPS://h.example"])
def test_a_host_as_people_copy_it(host: str) -> None:
    assert plan(host=host).url.host == "h.example"


@pytest.mark.parametrize(
    "host", ["h.example:443", "https://h.example:8443/", "h.example:", "h.example:abc", "h:-1"]
)
def test_a_port_in_the_host_is_refused(host: str) -> None:
    with pytest.raises(ProfileError, match="Field 'host' contains a port") as caught:
        plan(host=host)
    assert caught.value.hint is not None and "remove it" in caught.value.hint


def test_a_port_in_a_url_is_used() -> None:
    url = UrlParts("databricks", "token", "dapi-1234", "h.example", 8443, query={"http_path": "/sql/1"})
    made = WAREHOUSE.plan_url(url)

    assert made.url.host == "h.example" and made.connect_args["_port"] == 8443


@pytest.mark.parametrize("missing", ["host", "http_path", "schema"])
def test_what_must_be_there(missing: str) -> None:
    with pytest.raises(ProfileError, match=f"'{missing}' is missing"):
        plan(**{missing: None})


@pytest.mark.parametrize(
    ("values", "catalog"),
    [
        ({}, "hive_metastore"),
        ({"catalog": " main "}, "main"),
        ({"database": "main"}, "main"),
        ({"session_properties": {"databricks.catalog": "main"}}, "main"),
    ],
)
def test_the_catalog(values: Any, catalog: str) -> None:
    made = plan(**values)

    assert made.database == made.url.query["catalog"] == catalog
    assert "databricks.catalog" not in str(made.connect_args)


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"catalog": "a", "database": "b"}, "mean the same"),
        ({"catalog": "a", "session_properties": {"databricks.catalog": "b"}}, "mean the same"),
        ({"catalog": "  "}, "'catalog' is empty"),
        ({"schema": "a.b"}, "contains a period"),
        ({"token": None}, "and so is 'auth_type'"),
        ({"token": None, "auth_type": "pat"}, "'auth_type' is 'pat'"),
        ({"token": None, "auth_type": "oauth", "client_secret": "s"}, "needs 'client_id'"),
        ({"token": None, "auth_type": "oauth", "azure_client_id": "i"}, "belong together"),
        ({"token": None, "auth_type": "oauth", "azure_client_secret": "s"}, "belong together"),
        ({"token": None, "auth_type": "env-oidc"}, "needs 'client_id'"),
        ({"connection_parameters": {"access_token": "x"}}, "is reserved"),
        ({"connection_parameters": {"http_headers": ["x"]}}, "not a mapping of strings"),
        ({"connection_parameters": "x"}, "not a mapping"),
        ({"query_tags": "team"}, "not a JSON object"),
        ({"query_tags": '{"a": 1}'}, "not a JSON object"),
        ({"query_tags": '{"@@dbt_model_name": "a"}'}, "reserved"),
        ({"query_tags": json.dumps({"a": "x" * 129})}, "longer than 128"),
        ({"query_tags": json.dumps({f"k{n}": "v" for n in range(21)})}, "21 tags"),
        (
            {"token": None, "auth_type": "oauth", "connection_parameters": {"use_kernel": True}},
            "only works with a token",
        ),
    ],
)
def test_contradictions(values: Any, problem: str) -> None:
    with pytest.raises(ProfileError, match=problem):
        plan(**values)


def test_parameters_go_to_the_driver() -> None:
    made = plan(
        connection_parameters={
            "_socket_timeout": 5,
            "_tls_no_verify": True,
            "http_headers": {"X-Key": "s3cret"},
        }
    )

    assert made.connect_args["_socket_timeout"] == 5
    assert made.connect_args["_tls_no_verify"] is True
    assert made.connect_args["http_headers"] == [("X-Key", "s3cret")]
    assert "s3cret" in made.secrets


def test_parameters_that_would_change_rows_are_told() -> None:
    made = plan(connection_parameters={"use_inline_params": True, "_use_arrow_native_complex_types": False})

    assert {"use_inline_params", "_use_arrow_native_complex_types"}.isdisjoint(made.connect_args)
    assert len(made.warnings) == 2


def test_session_properties_and_tags() -> None:
    settings = configuration(
        session_properties={"ansi_mode": True, "use_cached_result": "false"},
        query_tags='{"team": "a,b", "cost": "c:d"}',
    )

    assert settings == {
        "TIMEZONE": "UTC",
        "ansi_mode": "true",
        "use_cached_result": "false",
        "QUERY_TAGS": "team:a\\,b,cost:c\\:d",
    }


def test_utc_unless_the_profile_says_otherwise() -> None:
    cluster = "sql/protocolv1/o/123/0101-abc"

    assert configuration(http_path=cluster) == {"spark.sql.session.timeZone": "UTC"}
    assert configuration(session_properties={"timezone": "CET"}) == {"timezone": "CET"}


def test_retries_and_what_steers_dbt_alone() -> None:
    made = plan(connect_retries=3, connect_max_idle=4, compute={"big": {"http_path": "/x"}}, threads=8)

    assert made.connect_attempts == 4
    assert made.warnings == ()
    assert any("connect_timeout" in warning for warning in plan(connect_timeout=3).warnings)
    assert any("retry_all" in warning for warning in plan(retry_all=True).warnings)


# --- ways to log in -----------------------------------------------------------------------------------


def test_a_token_before_all_else() -> None:
    made = plan(auth_type="oauth", client_id="i", client_secret="s3cret")

    assert made.url.password == "dapi-1234"
    assert SDK_LOGINS not in made.connect_args
    assert len(made.warnings) == 3
    assert "s3cret" in made.secrets


def test_a_browser() -> None:
    assert logins() == (
        {
            "host": "https://dbc-1.cloud.databricks.com",
            "client_id": "dbt-databricks",
            "auth_type": "external-browser",
        },
    )
    assert logins(client_id="mine")[0]["client_id"] == "mine"


def test_a_service_principal_of_databricks() -> None:
    first, second = logins(client_id="i", client_secret="dose-1")

    assert first["auth_type"] == "oauth-m2m"
    assert (first["client_id"], first["client_secret"]) == ("i", "dose-1")
    assert second["auth_type"] == "azure-client-secret"


def test_a_service_principal_of_azure_under_databricks_names() -> None:
    first, second = logins(client_id="i", client_secret="other")

    assert first["auth_type"] == "azure-client-secret"
    assert (first["azure_client_id"], first["azure_client_secret"]) == ("i", "other")
    assert second["auth_type"] == "oauth-m2m"


def test_a_service_principal_of_azure() -> None:
    made = plan(token=None, auth_type="oauth", azure_client_id="i", azure_client_secret="s3cret")

    assert made.connect_args["auth_type"] == "azure-sp-m2m"
    assert made.connect_args["azure_client_id"] == "i"
    assert made.connect_args["azure_client_secret"] == "s3cret"
    assert made.secrets == ("s3cret",)
    assert "s3cret" not in repr(made)
    assert made.role == "i"


def test_workload_identity() -> None:
    assert logins(auth_type="env-oidc", client_id="i")[0]["auth_type"] == "env-oidc"
    (login,) = logins(auth_type="file-oidc", client_id="i", oidc_token_filepath="/t")
    assert (login["client_id"], login["oidc_token_filepath"]) == ("i", "/t")


def test_a_workspace_on_an_account_level_host() -> None:
    assert logins(http_path="/sql/1.0/warehouses/a?o=123")[0]["workspace_id"] == "123"


def test_what_dbt_does_not_pass_on_is_told() -> None:
    made = plan(token=None, auth_type="oauth", oauth_scopes=["sql"], oauth_redirect_url="http://x:1")

    assert len(made.warnings) == 2


def test_without_the_sdk_the_way_to_get_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("databricks.sdk", "databricks.sdk.core"):
        monkeypatch.setitem(__import__("sys").modules, name, None)

    with pytest.raises(ConfigurationError) as caught:
        connect_arguments(plan(token=None, auth_type="oauth"))

    assert caught.value.hint == "pip install databricks-sdk"


def test_nobody_there_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    made = plan(connection_parameters={"_connection_uri": "http://127.0.0.1:1/sql"})

    with pytest.raises(ConnectionFailed, match=r"127\.0\.0\.1:1"):
        refuse_unreachable(made)


# --- URLs ---------------------------------------------------------------------------------------------


def url(**query: str) -> ConnectionPlan:
    parts = UrlParts("databricks", "token", "dapi-1", "h.example", None, None, query)
    return WAREHOUSE.plan_url(parts)


def test_a_url() -> None:
    made = url(http_path="/sql/1", catalog="main", schema="s", _socket_timeout="7", _tls_no_verify="true")

    assert (made.database, made.url.password) == ("main", "dapi-1")
    assert made.connect_args["_socket_timeout"] == 7
    assert made.connect_args["_tls_no_verify"] is True
    assert made.secrets == ("dapi-1",)


def test_urls_that_do_not_serve() -> None:
    with pytest.raises(UsageError, match="needs a host and an http_path"):
        url()
    with pytest.raises(UsageError, match="not allowed in a Databricks URL"):
        url(http_path="/x", access_token="y")
    with pytest.raises(UsageError, match="needs a token"):
        WAREHOUSE.plan_url(UrlParts("databricks", "me", "pw", "h", query={"http_path": "/x"}))


# --- names, rights and errors -------------------------------------------------------------------------


def test_names_in_backticks() -> None:
    assert WAREHOUSE.quote_table("My Schema", "a`b", "main") == "`main`.`My Schema`.`a``b`"
    assert WAREHOUSE.folded("Recce") == "recce"


def test_grants_name_the_catalog() -> None:
    assert WAREHOUSE.grant_to_create_schema("main", "token") == (
        "GRANT USE CATALOG, CREATE SCHEMA ON CATALOG `main` TO the_role"
    )
    assert WAREHOUSE.grant_to_read("s", "me@x") == "GRANT USE SCHEMA, SELECT ON SCHEMA `s` TO `me@x`"


class Failure(Exception):
    """As the connector's errors are: with a context."""

    def __init__(self, message: str, **context: Any) -> None:
        super().__init__(message)
        self.context = context


class MaxRetryError(Exception):
    """As urllib3's."""


@pytest.mark.parametrize(
    ("error", "code", "kind"),
    [
        (
            Failure("[TABLE_OR_VIEW_NOT_FOUND] The table `x` SQLSTATE: 42P01; line 1 pos 14"),
            "TABLE_OR_VIEW_NOT_FOUND",
            MissingRelation,
        ),
        (
            Failure("[UNRESOLVED_COLUMN.WITH_SUGGESTION] A column SQLSTATE: 42703"),
            "UNRESOLVED_COLUMN",
            MissingRelation,
        ),
        (
            Failure("\n[PARSE_SYNTAX_ERROR] near 'x'. SQLSTATE: 42601 (line 1, pos 0)"),
            "PARSE_SYNTAX_ERROR",
            SyntaxFailed,
        ),
        (
            Failure("[INSUFFICIENT_PERMISSIONS] User does not have USE SCHEMA. SQLSTATE: 42501"),
            "INSUFFICIENT_PERMISSIONS",
            PermissionDenied,
        ),
        (
            Failure("PERMISSION_DENIED: User does not have CREATE SCHEMA on Catalog 'main'."),
            "Failure",
            PermissionDenied,
        ),
        (
            Failure("[DELTA_CONCURRENT_APPEND.WHOLE_TABLE_READ] Conflict. SQLSTATE: 2D521"),
            "DELTA_CONCURRENT_APPEND",
            TransientFailure,
        ),
        (
            Failure("com.databricks.ConcurrentAppendException: Files were added by a concurrent update"),
            "Failure",
            TransientFailure,
        ),
        (Failure("Invalid access token.", **{"http-code": 403}), "HTTP 403", AuthenticationFailed),
        (Failure("Unauthorized", **{"http-code": 401}), "HTTP 401", AuthenticationFailed),
        (Failure("Too many requests", **{"http-code": 429}), "HTTP 429", TransientFailure),
        (Failure("Starting", **{"http-code": 503}), "HTTP 503", TransientFailure),
        (MaxRetryError("too many 503 error responses"), "MaxRetryError", TransientFailure),
        (MaxRetryError("Failed to resolve 'h'"), "MaxRetryError", ConnectionFailed),
        (Failure("Statement has timed out after 5 seconds"), "Failure", QueryTimeout),
        (Failure("[OPERATION_CANCELED] Canceled. SQLSTATE: HY008"), "OPERATION_CANCELED", QueryCancelled),
        (Failure("[SOMETHING_NEW] What? SQLSTATE: 42P01"), "SOMETHING_NEW", MissingRelation),
        (Failure("[DIVIDE_BY_ZERO] Division by zero. SQLSTATE: 22012"), "DIVIDE_BY_ZERO", WarehouseError),
    ],
)
def test_errors(error: Exception, code: str, kind: type[WarehouseError]) -> None:
    assert WAREHOUSE.error_code(error) == code
    assert WAREHOUSE.error_class(code, str(error)) is kind


def test_where_the_fault_is() -> None:
    error = Failure("[PARSE_SYNTAX_ERROR] near 't'. SQLSTATE: 42601 (line 2, pos 8)")

    assert WAREHOUSE.error_position(error, "SELECT\n  1 FRM t x y") == (2, 9)


# --- inserts ------------------------------------------------------------------------------------------


class Connection:
    """Counts the statements that a driver sends; what it is sent stays."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []


class CountingDriver(Driver):
    """A driver whose statements go nowhere."""

    def _run(self, connection: Any, sql: str, parameters: Mapping[str, object]) -> Any:
        connection.sent.append((sql, str(parameters["rows"])))
        return self

    def close(self) -> None:
        """Nothing is open."""


def sent(rows: Any, key: tuple[str, ...] = ("id",)) -> list[tuple[str, str]]:
    connection: Any = Connection()
    CountingDriver(WAREHOUSE).insert_rows(connection, "`s`.`t`", ["id", "text"], rows, key)
    found: list[tuple[str, str]] = connection.sent
    return found


@pytest.mark.drivers("databricks.sql")
def test_a_row_goes_in_by_its_key() -> None:
    ((sql, rows),) = sent([("a", "x"), ("b", None), ("a", "again")])

    assert sql == (
        "MERGE INTO `s`.`t` AS kept USING (SELECT value[0] AS `id`, value[1] AS `text` FROM (SELECT explode("
        "from_json(:rows, 'array<array<string>>')) AS value)) AS new ON kept.`id` = new.`id`"
        " WHEN NOT MATCHED THEN INSERT (`id`, `text`) VALUES (new.`id`, new.`text`)"
    )
    assert json.loads(rows) == [["a", "x"], ["b", None]]


@pytest.mark.drivers("databricks.sql")
def test_without_a_key_all_rows_go_in() -> None:
    ((sql, rows),) = sent([("a", "x"), ("a", "x")], key=())

    assert sql.startswith("INSERT INTO `s`.`t` (`id`, `text`) SELECT")
    assert len(json.loads(rows)) == 2


def test_values_are_cast_to_what_they_are() -> None:
    moment = datetime(2026, 1, 2, tzinfo=timezone.utc)
    rows = [("a", 1, 2.5, True, moment, None), (None, None, 1, None, None, None)]

    sql = insert_statement("t", list("abcdef"), rows, (), lambda name: name)

    assert "value[0] AS a, CAST(value[1] AS BIGINT) AS b, CAST(value[2] AS DOUBLE) AS c" in sql
    assert "CAST(value[3] AS BOOLEAN) AS d, CAST(value[4] AS TIMESTAMP) AS e, NULL AS f" in sql


@pytest.mark.drivers("databricks.sql")
def test_statements_grow_with_bytes_and_not_with_rows() -> None:
    short = sent((str(number), "test") for number in range(20_000))
    long = sent((str(number), "x" * 1_000) for number in range(20_000))

    assert len(short) == 1
    assert 5 <= len(long) <= 6
