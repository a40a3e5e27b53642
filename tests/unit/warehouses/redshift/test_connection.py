"""How Redshift's profile fields, URLs and errors are understood. No database, and no driver."""

from __future__ import annotations

import json
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
from recce_meta.warehouses import ConnectionPlan, Fields, UrlParts, masked, warehouse_named
from recce_meta.warehouses.redshift.connection import METHODS

FIELDS = Path(__file__).parents[3] / "data" / "profiles" / "fields.json"
PASSWORD = "p@ss/w:rd%2F#? é+ x"
BASE: Mapping[str, object] = {
    "type": "redshift",
    "host": "c.abc.eu-west-1.redshift.amazonaws.com",
    "port": 5439,
    "dbname": "d",
    "schema": "s",
}
DATABASE = {**BASE, "user": "u", "password": PASSWORD}
IAM = {**BASE, "method": "iam", "user": "u", "cluster_id": "c"}
ROLE = {**BASE, "method": "iam_role", "cluster_id": "c"}
BROWSER = {
    **BASE,
    "method": "browser_identity_center",
    "idc_region": "eu-west-1",
    "issuer_url": "https://identity.example/",
}
ENDPOINT = {
    "type": "okta",
    "request_url": "https://okta.example/token",
    "request_data": "grant_type=refresh_token&refresh_token=r3fresh%2Btoken&scope=openid",
    "idp_auth_credentials": "Y2xpZW50OnMzY3IzdA==",
}
TOKEN = {**BASE, "method": "oauth_token_identity_center", "token_endpoint": ENDPOINT}


def plan(values: Mapping[str, object], **more: object) -> ConnectionPlan:
    warehouse = warehouse_named("redshift")
    return warehouse.plan(Fields({**values, **more}, aliases=warehouse.aliases, where="profile 'p'"))


def refusal(values: Mapping[str, object], **more: object) -> str:
    with pytest.raises(ProfileError) as caught:
        plan(values, **more)
    return str(caught.value)


# --- logging in ---------------------------------------------------------------------------------------


def test_user_and_password_go_into_the_url() -> None:
    made = plan(DATABASE)

    assert made.url == UrlParts(
        "redshift+redshift_connector", "u", PASSWORD, "c.abc.eu-west-1.redshift.amazonaws.com", 5439, "d"
    )
    assert (made.database, made.schema, made.warnings) == ("d", "s", ())
    assert dict(made.connect_args) == {
        "application_name": "recce_meta",
        "max_prepared_statements": 0,
        "ssl": True,
        "sslmode": "verify-ca",
        "timeout": 30,
        "tcp_keepalive": True,
        "tcp_keepalive_idle": 30,
        "tcp_keepalive_interval": 10,
        "tcp_keepalive_count": 3,
        "autocommit": True,
        "is_serverless": False,
    }
    assert PASSWORD not in repr(made) and PASSWORD in made.secrets


def test_an_iam_user_asks_for_the_login_of_a_cluster() -> None:
    made = plan(IAM, region="eu-west-1", iam_profile="dev", autocreate=True, db_groups=["a", "b"])

    assert (made.url.username, made.url.password) == (None, None)
    assert made.warnings == ()
    assert {
        "iam": True,
        "user": "",
        "password": "",
        "db_user": "u",
        "cluster_identifier": "c",
        "profile": "dev",
        "region": "eu-west-1",
        "auto_create": True,
        "db_groups": ["a", "b"],
        "is_serverless": False,
    }.items() <= made.connect_args.items()


def test_an_iam_user_may_bring_keys() -> None:
    made = plan(IAM, access_key_id="AKIA", secret_access_key="s3cret")

    assert {"access_key_id": "AKIA", "secret_access_key": "s3cret"}.items() <= made.connect_args.items()
    assert "profile" not in made.connect_args
    assert "s3cret" in made.secrets and "s3cret" not in repr(made)


@pytest.mark.parametrize("given", ["access_key_id", "secret_access_key"])
def test_one_key_without_the_other_is_refused(given: str) -> None:
    (other,) = {"access_key_id", "secret_access_key"} - {given}

    message = refusal(IAM, **{given: "x1y2z3"})

    assert f"Field '{other}' is missing" in message and "x1y2z3" not in message


@pytest.mark.parametrize(
    "serverless",
    [
        {"host": "wg.123.eu-west-1.redshift-serverless.amazonaws.com"},
        {"host": "alias.example", "is_serverless": "true"},
    ],
)
@pytest.mark.parametrize("values", [IAM, ROLE])
def test_a_workgroup_needs_no_cluster(values: Mapping[str, object], serverless: Mapping[str, object]) -> None:
    values = {name: value for name, value in values.items() if name != "cluster_id"}

    made = plan(values, **serverless, serverless_work_group="wg", serverless_acct_id="123")

    assert {"serverless_work_group": "wg", "serverless_acct_id": "123", "is_serverless": True}.items() <= (
        made.connect_args.items()
    )
    assert "cluster_identifier" not in made.connect_args


@pytest.mark.parametrize("values", [IAM, ROLE])
def test_a_cluster_must_be_named(values: Mapping[str, object]) -> None:
    assert "Field 'cluster_id' is missing" in refusal(values, cluster_id=None)


def test_an_iam_role_federates_groups_where_there_is_a_cluster() -> None:
    provisioned = plan(ROLE, iam_profile="dev").connect_args
    serverless = plan(ROLE, is_serverless=True).connect_args

    assert (provisioned["db_user"], provisioned["group_federation"], provisioned["profile"]) == (
        None,
        True,
        "dev",
    )
    assert (serverless["group_federation"], "profile" in serverless) == (False, False)


def test_the_browser_flow_has_dbts_defaults() -> None:
    assert {
        "iam": False,
        "credentials_provider": "BrowserIdcAuthPlugin",
        "issuer_url": "https://identity.example/",
        "idc_region": "eu-west-1",
        "listen_port": 7890,
        "idc_client_display_name": "Amazon Redshift driver",
        "idp_response_timeout": 60,
    }.items() <= plan(BROWSER).connect_args.items()


def test_the_browser_flow_can_be_told_otherwise() -> None:
    made = plan(BROWSER, idp_listen_port="7000", idc_client_display_name="us", idp_response_timeout=0)

    assert {
        "listen_port": 7000,
        "idc_client_display_name": "us",
        "idp_response_timeout": 0,
    }.items() <= made.connect_args.items()


@pytest.mark.parametrize("name", ["idc_region", "issuer_url"])
def test_the_browser_flow_needs_to_know_where(name: str) -> None:
    assert f"Field '{name}' is missing" in refusal(BROWSER, **{name: None})


def test_a_token_is_left_to_the_driver_and_its_secrets_are_known() -> None:
    made = plan(TOKEN)

    assert made.connect_args["token_endpoint"] == ENDPOINT
    assert {"r3fresh+token", ENDPOINT["idp_auth_credentials"], ENDPOINT["request_data"]} <= {*made.secrets}
    assert "r3fresh" not in repr(made)


@pytest.mark.parametrize(
    ("endpoint", "message"),
    [
        (None, "lacks 'type', 'request_url', 'request_data'"),
        ({**ENDPOINT, "type": "auth0"}, "Unknown type 'auth0' in 'token_endpoint'"),
        ({**ENDPOINT, "request_url": ""}, "lacks 'request_url'"),
        ({**ENDPOINT, "idp_auth_credentials": None}, "lacks 'idp_auth_credentials'"),
        ("https://okta.example", "Field 'token_endpoint' is not a mapping"),
    ],
)
def test_a_token_endpoint_must_be_whole(endpoint: object, message: str) -> None:
    assert message in refusal(TOKEN, token_endpoint=endpoint)


def test_entra_needs_no_credentials_of_its_own() -> None:
    endpoint = {**ENDPOINT, "type": "entra", "idp_auth_credentials": None}

    assert "token_endpoint" in plan(TOKEN, token_endpoint=endpoint).connect_args


def test_nothing_of_a_token_endpoint_is_shown() -> None:
    shown = json.dumps(masked(TOKEN))

    assert "okta.example" in shown
    assert "r3fresh" not in shown and ENDPOINT["idp_auth_credentials"] not in shown


def test_a_method_that_nobody_knows_is_refused() -> None:
    assert "Unknown method 'saml'" in refusal(DATABASE, method="saml")


@pytest.mark.parametrize("name", ["user", "password", "host", "dbname", "schema"])
def test_what_must_be_there_is_asked_for(name: str) -> None:
    assert f"Field '{'database' if name == 'dbname' else name}' is missing" in refusal(
        DATABASE, **{name: None}
    )


def test_an_iam_user_must_be_named() -> None:
    assert "Field 'user' is missing" in refusal(IAM, user=None)


@pytest.mark.parametrize(
    ("values", "more"),
    [
        (IAM, {"password": "s3cret"}),
        (ROLE, {"user": "u", "access_key_id": "AKIA"}),
        (DATABASE, {"cluster_id": "c", "token_endpoint": ENDPOINT, "iam_profile": "dev"}),
        (TOKEN, {"issuer_url": "https://x"}),
    ],
)
def test_what_a_method_does_not_use_is_said(values: Mapping[str, object], more: Mapping[str, object]) -> None:
    warnings = plan(values, **more).warnings

    method = values.get("method", "database")
    assert {*warnings} == {
        f"Field '{name}' is not honoured: method '{method}' does not use it (profile 'p')" for name in more
    }


# --- the rest of the fields ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "tls"),
    [
        (None, (True, "verify-ca")),
        ("disable", (False, None)),
        ("allow", (True, "verify-ca")),
        ("prefer", (True, "verify-ca")),
        ("require", (True, "verify-ca")),
        ("verify-ca", (True, "verify-ca")),
        ("verify-full", (True, "verify-full")),
    ],
)
def test_tls_is_dbts(mode: str | None, tls: tuple[bool, str | None]) -> None:
    arguments = plan(DATABASE, sslmode=mode).connect_args

    assert (arguments["ssl"], arguments["sslmode"]) == tls


def test_a_tls_mode_that_nobody_knows_is_refused() -> None:
    assert "Unknown sslmode 'on'" in refusal(DATABASE, sslmode="on")


def test_a_port_may_be_text_or_absent() -> None:
    assert (plan(DATABASE, port="5555").url.port, plan(DATABASE, port=None).url.port) == (5555, 5439)


def test_role_and_query_group_are_set_as_dbt_would() -> None:
    made = plan(DATABASE, role="Analyst", query_group="o'clock \\")

    assert made.statements == (
        'SET ROLE "analyst"',
        "SET query_group TO 'o''clock \\\\'",
    )


@pytest.mark.parametrize(("role", "sql"), [('"Mixed"', '"Mixed"'), ("x; drop table y", '"x; drop table y"')])
def test_a_role_is_one_name_whatever_it_holds(role: str, sql: str) -> None:
    assert plan(DATABASE, role=role).statements[0] == f"SET ROLE {sql}"


def test_keepalives_are_passed_on() -> None:
    on = plan(DATABASE, tcp_keepalive_idle=1, tcp_keepalive_interval=2, tcp_keepalive_count=3).connect_args
    off = plan(DATABASE, tcp_keepalive=False, tcp_keepalive_idle=1).connect_args

    assert [on[f"tcp_keepalive{end}"] for end in ("", "_idle", "_interval", "_count")] == [True, 1, 2, 3]
    assert (off["tcp_keepalive"], "tcp_keepalive_idle" in off) == (False, False)


def test_connecting_takes_as_long_and_is_tried_as_often_as_told() -> None:
    made = plan(DATABASE, connect_timeout="7", retries=3)

    assert (made.connect_args["timeout"], made.connect_attempts) == (7, 4)
    assert (plan(DATABASE).connect_attempts, plan(DATABASE, retries=0).connect_attempts) == (2, 1)


def test_without_autocommit_reads_are_transactions() -> None:
    assert plan(DATABASE, autocommit=False).connect_args["autocommit"] is False


def test_retrying_whatever_went_wrong_is_not_done() -> None:
    (warning,) = plan(DATABASE, retry_all=True).warnings

    assert "Field 'retry_all' is not honoured" in warning


def test_every_field_of_dbt_is_known_in_every_method() -> None:
    fields: Mapping[str, Any] = json.loads(FIELDS.read_text(encoding="utf-8"))["redshift"]["fields"]
    values = {"db_groups": ["g"], "token_endpoint": ENDPOINT, "sslmode": "require", "database": "d"}
    numbers = {name: 1 for name, field in fields.items() if "int" in field["type"] or field["type"] == "Port"}
    flags = {name: True for name, field in fields.items() if "bool" in field["type"]}
    texts = dict.fromkeys(fields, "x")

    for method in METHODS:
        made = plan({**texts, **numbers, **flags, **values, "method": method})

        assert not [warning for warning in made.warnings if "is not known" in warning]


def test_a_misspelt_field_is_reported() -> None:
    assert plan(DATABASE, querygroup="x").warnings == (
        "Field 'querygroup' is unknown and ignored (profile 'p'); did you mean 'query_group'?",
    )


def test_both_spellings_of_a_field_contradict_each_other() -> None:
    assert "Fields 'database' and 'dbname' mean the same" in refusal(DATABASE, database="e")


# --- URLs ---------------------------------------------------------------------------------------------


def test_a_url_is_a_profile() -> None:
    made = warehouse_named("redshift").plan_url(
        UrlParts("redshift", "u", "s3cret", "h", None, "d", {"sslmode": "disable", "query_group": "q"})
    )

    assert made.url == UrlParts("redshift+redshift_connector", "u", "s3cret", "h", 5439, "d")
    assert (made.database, made.schema, made.connect_args["ssl"], made.warnings) == ("d", None, False, ())
    assert "SET query_group TO 'q'" in made.statements and "s3cret" in made.secrets


def test_a_url_may_ask_for_iam() -> None:
    query = {"method": "iam", "cluster_id": "c", "db_groups": "a,b", "schema": "x"}
    made = warehouse_named("redshift").plan_url(UrlParts("redshift", "u", None, "h", None, "d", query))

    assert (made.connect_args["db_user"], made.connect_args["db_groups"], made.schema) == (
        "u",
        ["a", "b"],
        "x",
    )


# --- errors -------------------------------------------------------------------------------------------


class ServerError(Exception):
    """What redshift_connector raises: the fields of the server's message as a mapping."""


class InterfaceError(Exception):
    """What redshift_connector raises where no server spoke."""


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        ("28000", 'password authentication failed for user "u"', AuthenticationFailed),
        ("3D000", 'database "x" does not exist', ConnectionFailed),
        ("3F000", 'schema "x" does not exist', MissingRelation),
        ("42P01", 'relation "x" does not exist', MissingRelation),
        ("42703", 'column "x" does not exist in t', MissingRelation),
        ("42501", "permission denied for schema x", PermissionDenied),
        ("42601", 'syntax error at or near "x"', SyntaxFailed),
        ("57014", "Query (7) cancelled on user's request", QueryCancelled),
        ("57P01", "terminating connection due to administrator command", ConnectionFailed),
        ("40001", "could not serialize access", TransientFailure),
        ("XX000", "1023", TransientFailure),
        ("23505", 'duplicate key value violates unique constraint "pg_type"', TransientFailure),
        ("42710", 'type "runs" already exists', TransientFailure),
        ("42P06", 'schema "recce_metadata" already exists', TransientFailure),
        ("42P07", 'relation "runs" already exists', TransientFailure),
        ("XX000", "could not complete because of conflict with concurrent transaction", TransientFailure),
        ("XX000", "could not open relation with OID 10231", TransientFailure),
        ("XX000", "Assert", WarehouseError),
        ("22012", "division by zero", WarehouseError),
    ],
)
def test_what_the_server_says_is_told_by_its_code(
    code: str, message: str, kind: type[WarehouseError]
) -> None:
    error = ServerError({"S": "ERROR", "C": code, "M": message})

    told = translate_error(error, warehouse_named("redshift"), sql="SELECT 1", secrets=())

    assert (type(told), told.code, told.message) == (kind, code, message)


def test_a_conflict_says_which_tables_it_was_about() -> None:
    error = ServerError(
        {"C": "XX000", "M": "1023", "D": "Serializable isolation violation on table - 15625,\n\ttransactions"}
    )

    told = translate_error(error, warehouse_named("redshift"), sql=None, secrets=())

    assert told.message == "1023; Serializable isolation violation on table - 15625, transactions"
    assert isinstance(told, TransientFailure)


def test_a_syntax_error_says_where() -> None:
    error = ServerError({"C": "42601", "M": 'syntax error at or near "x"', "P": "8"})

    assert translate_error(error, warehouse_named("redshift"), sql="x", secrets=()).message == (
        'syntax error at or near "x"; at character 8'
    )


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (InterfaceError("communication error", OSError(111, "refused")), ConnectionFailed, "InterfaceError"),
        (InterfaceError("BrokenPipe: server socket closed."), ConnectionFailed, "InterfaceError"),
        (ConnectionResetError(104, "reset"), ConnectionFailed, "ConnectionResetError"),
        (InterfaceError("Unable to locate credentials"), AuthenticationFailed, "InterfaceError"),
    ],
)
def test_where_no_server_spoke_the_drivers_class_tells(
    error: Exception, kind: type[WarehouseError], code: str
) -> None:
    told = translate_error(error, warehouse_named("redshift"), sql=None, secrets=())

    assert (type(told), told.code) == (kind, code)
    assert told.message
