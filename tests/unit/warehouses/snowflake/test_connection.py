"""Snowflake: profile fields and URLs as the driver's arguments, and what its errors mean. No driver here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from recce_meta.adapter.errors import translate_error
from recce_meta.errors import (
    AuthenticationFailed,
    ConnectionFailed,
    MissingRelation,
    PermissionDenied,
    ProfileError,
    QueryCancelled,
    SyntaxFailed,
    TransientFailure,
    WarehouseError,
)
from recce_meta.warehouses import ConnectionPlan, Fields, UrlParts, warehouse_named

SNOWFLAKE = warehouse_named("snowflake")
NEEDED: Mapping[str, object] = {"account": "org-acc", "user": "u", "database": "db", "schema": "sc"}


def plan(base_dir: Any = None, **values: object) -> ConnectionPlan:
    given = {name: value for name, value in {**NEEDED, **values}.items() if value is not None}
    fields = Fields(given, aliases=SNOWFLAKE.aliases, where="profile 'p', target 't'", base_dir=base_dir)
    return SNOWFLAKE.plan(fields)


def arguments(**values: object) -> dict[str, Any]:
    """What *values* add to the arguments of a login without them."""
    without = plan().connect_args
    made = plan(**values)
    assert made.warnings == ()
    return {name: value for name, value in made.connect_args.items() if without.get(name) != value}


def test_what_every_connection_is_given() -> None:
    made = plan(password="p@ss/w:rd%2F#? é+ x")

    assert made.connect_args == {
        "account": "org-acc",
        "user": "u",
        "password": "p@ss/w:rd%2F#? é+ x",
        "database": "db",
        "schema": "sc",
        "application": "recce_meta",
        "autocommit": True,
        "client_session_keep_alive": False,
        "platform_detection_timeout_seconds": 0.0,
        "login_timeout": 60,
        "session_parameters": {"QUERY_TAG": "recce_meta", "ABORT_DETACHED_QUERY": True},
    }
    assert (made.database, made.schema, made.url.host) == ("db", "sc", "org-acc")
    assert made.secrets == ("p@ss/w:rd%2F#? é+ x",)
    assert made.connect_attempts == 2
    assert "p@ss" not in repr(made)


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ({"account": "org-my_acc"}, {"account": "org-my-acc"}),
        ({"warehouse": "wh"}, {"warehouse": "wh"}),
        ({"role": "r"}, {"role": "r"}),
        ({"host": "h.example", "port": "8080", "protocol": "http"},
         {"host": "h.example", "port": 8080, "protocol": "http"}),
        ({"proxy_host": "p.example", "proxy_port": "3128"}, {"proxy_host": "p.example", "proxy_port": 3128}),
        ({"client_session_keep_alive": True}, {"client_session_keep_alive": True}),
        ({"insecure_mode": "true"}, {"insecure_mode": True}),
        ({"insecure_mode": False}, {}),
        ({"platform_detection_timeout_seconds": "0.2"}, {"platform_detection_timeout_seconds": 0.2}),
        ({"retry_all": True, "retry_on_database_errors": True, "connect_timeout": 3,
          "reuse_connections": True, "threads": 8, "type": "snowflake"}, {}),
    ],
)  # fmt: skip
def test_a_field_becomes_an_argument(values: dict[str, object], wanted: dict[str, object]) -> None:
    assert arguments(**values) == wanted


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ({"query_tag": "dbt run"}, {"QUERY_TAG": "dbt run"}),
        ({"s3_stage_vpce_dns_name": "vpce.example"}, {"S3_STAGE_VPCE_DNS_NAME": "vpce.example"}),
    ],
)
def test_a_field_becomes_a_parameter_of_the_session(
    values: dict[str, object], wanted: dict[str, object]
) -> None:
    session = arguments(**values)["session_parameters"]

    assert {name: session[name] for name in wanted} == wanted
    assert "TIMEZONE" not in session


@pytest.mark.parametrize(("retries", "attempts"), [(0, 1), ("3", 4), (None, 2), (-1, 1)])
def test_a_connection_is_tried_again_as_often_as_the_profile_says(retries: object, attempts: int) -> None:
    assert plan(connect_retries=retries).connect_attempts == attempts


KEPT = {"client_store_temporary_credential": True, "client_request_mfa_token": True}


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ({"password": "pw"}, {"password": "pw"}),
        ({"authenticator": "snowflake", "password": "pw"},
         {"authenticator": "snowflake", "password": "pw", **KEPT}),
        ({"authenticator": "username_password_mfa", "password": "pw"},
         {"authenticator": "username_password_mfa", "password": "pw", **KEPT}),
        ({"authenticator": "ExternalBrowser"}, {"authenticator": "externalbrowser", **KEPT}),
        ({"authenticator": "https://Org.okta.com", "password": "pw"},
         {"authenticator": "https://Org.okta.com", "password": "pw", **KEPT}),
        ({"authenticator": "oauth", "token": "tk"}, {"authenticator": "oauth", "token": "tk", **KEPT}),
        ({"authenticator": "oauth", "token": "tk", "oauth_client_id": "id", "oauth_client_secret": "se"},
         {"authenticator": "oauth", "oauth_refresh_token": "tk", "oauth_client_id": "id",
          "oauth_client_secret": "se", **KEPT}),
        ({"authenticator": "jwt", "token": "tk"}, {"authenticator": "oauth", "token": "tk", **KEPT}),
        ({"authenticator": "programmatic_access_token", "token": "tk"},
         {"authenticator": "programmatic_access_token", "token": "tk", **KEPT}),
        ({"authenticator": "Workload_Identity", "workload_identity_provider": "oidc", "token": "tk"},
         {"authenticator": "WORKLOAD_IDENTITY", "workload_identity_provider": "OIDC", "token": "tk", **KEPT}),
        ({"authenticator": "workload_identity", "workload_identity_provider": "aws"},
         {"authenticator": "WORKLOAD_IDENTITY", "workload_identity_provider": "AWS", **KEPT}),
        ({"authenticator": "workload_identity", "workload_identity_provider": "AZURE",
          "workload_identity_entra_resource": "api://x"},
         {"authenticator": "WORKLOAD_IDENTITY", "workload_identity_provider": "AZURE",
          "workload_identity_entra_resource": "api://x", **KEPT}),
        ({"authenticator": "oauth_client_credentials", "oauth_client_id": "id", "oauth_client_secret": "se"},
         {"authenticator": "oauth_client_credentials", "oauth_client_id": "id", "oauth_client_secret": "se",
          **KEPT}),
        ({"private_key": "-----BEGIN"}, {"authenticator": "SNOWFLAKE_JWT", "private_key_text": "-----BEGIN"}),
        ({"private_key_path": "/k.p8", "private_key_passphrase": "ph", "authenticator": "snowflake_jwt"},
         {"authenticator": "SNOWFLAKE_JWT", "private_key_path": "/k.p8", "private_key_passphrase": "ph",
          **KEPT}),
    ],
)  # fmt: skip
def test_a_way_to_log_in_becomes_arguments(values: dict[str, object], wanted: dict[str, object]) -> None:
    made = {name: value for name, value in arguments(**values).items() if value is not None}

    assert made == wanted


@pytest.mark.parametrize("authenticator", ["externalbrowser", "username_password_mfa"])
def test_a_login_that_somebody_confirms_is_waited_for(authenticator: str) -> None:
    assert "login_timeout" not in plan(authenticator=authenticator).connect_args


@pytest.mark.parametrize("authenticator", ["oauth", "jwt", "programmatic_access_token"])
def test_a_token_needs_no_user(authenticator: str) -> None:
    assert "user" not in plan(user=None, authenticator=authenticator, token="tk").connect_args


def test_a_key_file_stands_in_the_project(tmp_path: Path) -> None:
    assert plan(tmp_path, private_key_path="keys/k.p8").connect_args["private_key_path"] == str(
        tmp_path / "keys" / "k.p8"
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"account": None}, "Field 'account' is missing"),
        ({"user": None, "password": "pw"}, "Field 'user' is missing"),
        ({"database": None}, "Field 'database' is missing"),
        ({"schema": None}, "Field 'schema' is missing"),
        ({"private_key": "x", "private_key_path": "y"}, "'private_key' and 'private_key_path' contradict"),
        ({"authenticator": "snowflake_jwt"}, "'snowflake_jwt' needs a private key"),
        ({"authenticator": "oauth"}, "'oauth' needs a token"),
        ({"authenticator": "jwt"}, "'jwt' needs a token"),
        ({"authenticator": "programmatic_access_token"}, "'programmatic_access_token' needs a token"),
        ({"authenticator": "kerberos"}, "Unknown authenticator 'kerberos'"),
        ({"authenticator": "workload_identity"}, "'workload_identity_provider' is missing"),
        ({"authenticator": "workload_identity", "workload_identity_provider": "IBM"},
         "'workload_identity_provider' is IBM"),
        ({"authenticator": "workload_identity", "workload_identity_provider": "AWS",
          "workload_identity_entra_resource": "x"}, "is only valid with the provider AZURE"),
        ({"workload_identity_provider": "AWS"}, "the authenticator is different"),
        ({"port": "https"}, "'port' is not a whole number"),
        ({"platform_detection_timeout_seconds": "soon"}, "timeout_seconds' is not a number"),
    ],
)  # fmt: skip
def test_fields_that_cannot_serve_are_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(ProfileError, match=message) as caught:
        plan(**values)

    assert "profile 'p', target 't'" in caught.value.message


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({"token": "hush-hush"}, ["token"]),
        ({"oauth_client_id": "id", "oauth_client_secret": "hush-hush"},
         ["oauth_client_id", "oauth_client_secret"]),
        ({"authenticator": "oauth", "token": "hush-hush", "oauth_client_id": "id"}, ["oauth_client_id"]),
        ({"authenticator": "oauth", "token": "t", "oauth_client_secret": "hush-hush"},
         ["oauth_client_secret"]),
        ({"flavour": "vanilla"}, ["flavour"]),
    ],
)  # fmt: skip
def test_what_is_not_used_is_warned_of(values: dict[str, object], names: list[str]) -> None:
    warnings = plan(**values).warnings

    assert [warning.split("'")[1] for warning in warnings] == names
    assert "hush" not in str(warnings)


@pytest.mark.parametrize(
    "name", ["password", "token", "oauth_client_secret", "private_key", "private_key_passphrase"]
)
def test_every_secret_is_known(name: str) -> None:
    more = {"private_key": "k"} if name == "private_key_passphrase" else {}

    assert "hush-hush" in plan(**{**more, name: "hush-hush"}).secrets


# --- URLs -----------------------------------------------------------------------------------------------


def test_a_url_names_account_database_and_schema() -> None:
    made = SNOWFLAKE.plan_url(
        UrlParts("snowflake", "u", "p@ss", "org-acc", None, "db/sc", {"warehouse": "wh", "role": "r"})
    )

    assert (made.database, made.schema) == ("db", "sc")
    assert {name: made.connect_args[name] for name in ("account", "password", "warehouse", "role")} == {
        "account": "org-acc",
        "password": "p@ss",
        "warehouse": "wh",
        "role": "r",
    }
    assert made.secrets == ("p@ss",)


def test_a_url_needs_neither_database_nor_schema() -> None:
    made = SNOWFLAKE.plan_url(UrlParts("snowflake", "u", "p", "org_acc.snowflakecomputing.com"))

    assert made.connect_args["account"] == "org-acc"
    assert (made.database, made.schema) == (None, None)


# --- names ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "stored"), [("recce_metadata", "RECCE_METADATA"), ("My_Meta", "MY_META"), ("my meta", "my meta")]
)
def test_a_plain_name_is_stored_in_upper_case(name: str, stored: str) -> None:
    assert SNOWFLAKE.folded(name) == stored


def test_the_missing_grant_is_told_in_snowflakes_sql() -> None:
    assert SNOWFLAKE.grant_to_create_schema("analytics", "loader") == (
        "GRANT CREATE SCHEMA ON DATABASE analytics TO ROLE loader"
    )
    assert SNOWFLAKE.grant_to_create_schema("my db", '"Loader"') == (
        'GRANT CREATE SCHEMA ON DATABASE "my db" TO ROLE "Loader"'
    )
    assert SNOWFLAKE.grant_to_create_table("meta", None) == (
        "GRANT USAGE, CREATE TABLE, CREATE VIEW ON SCHEMA meta TO ROLE the_role"
    )


# --- errors ---------------------------------------------------------------------------------------------


class Numbered(Exception):
    """A driver's error, as far as it is looked at."""

    def __init__(self, message: str, errno: int, sqlstate: str | None = None) -> None:
        super().__init__(message)
        self.errno, self.sqlstate = errno, sqlstate


@pytest.mark.parametrize(
    ("errno", "message", "kind"),
    [
        (1003, "001003 (42601): id: syntax error line 1 at position 7", SyntaxFailed),
        (2003, "002003 (02000): id: Object 'X' does not exist or not authorized.", MissingRelation),
        (904, "000904 (42000): id: invalid identifier 'X'", MissingRelation),
        (3001, "003001 (42501): id: Insufficient privileges to operate on database 'X'", PermissionDenied),
        (604, "000604 (57014): id: SQL execution canceled", QueryCancelled),
        (630, "000630 (57014): id: Statement reached its statement or warehouse timeout", QueryCancelled),
        (625, "000625 (57014): Statement 'x' has locked table 'T'", TransientFailure),
        (250001, "250001 (08001): Failed to connect to DB. Incorrect username or password was specified.",
         AuthenticationFailed),
        (250001, "250001 (08001): Could not connect to Snowflake backend", ConnectionFailed),
        (390100, "390100 (08004): Incorrect username or password was specified.", AuthenticationFailed),
        (390111, "390111: Session no longer exists. New login required", ConnectionFailed),
        (394300, "Programmatic access token is invalid.", AuthenticationFailed),
        (251008, "251008: Failed to load private key", AuthenticationFailed),
        (290404, "290404 (08001): 404 Not Found: post https://x/session", ConnectionFailed),
        (290503, "290503: HTTP 503", TransientFailure),
        (99999, "099999 (42501): id: something new about rights", PermissionDenied),
        (100038, "100038 (22018): Numeric value 'x' is not recognized", WarehouseError),
    ],
)  # fmt: skip
def test_a_code_names_our_kind_of_error(errno: int, message: str, kind: type[WarehouseError]) -> None:
    error = translate_error(Numbered(message, errno), SNOWFLAKE, sql="SELECT 1", secrets=())

    assert type(error) is kind
    assert error.code == f"{errno:06d}"


def test_a_fault_is_found_where_snowflake_says() -> None:
    message = (
        "001003 (42000): id: SQL compilation error:\nsyntax error line 2 at position 2 unexpected 'FORM'."
    )

    assert SNOWFLAKE.error_position(Numbered(message, 1003), "SELECT a,\n  FORM t") == (2, 3)


def test_an_error_of_the_driver_alone_has_its_sqlstate() -> None:
    error = translate_error(Numbered("no route", -1, "08001"), SNOWFLAKE, sql=None, secrets=())

    assert (type(error), error.code) == (ConnectionFailed, "08001")
