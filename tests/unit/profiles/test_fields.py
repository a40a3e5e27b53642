"""Every field of dbt's adapters is honoured, refused by name, warned about, or declared to steer dbt alone.

The fields are those of `tests/data/profiles/fields.json`, listed by scripts/build_profile_fields.py from the
adapters' own source.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from recce_meta.errors import ProfileError
from recce_meta.warehouses import ConnectionPlan, Fields, available, warehouse_named

DATA = Path(__file__).parents[2] / "data" / "profiles"
ADAPTERS: Mapping[str, Any] = json.loads((DATA / "fields.json").read_text(encoding="utf-8"))
WHERE = "profile 'p', target 't'"

KEY = "-----BEGIN PRIVATE KEY-----\nMIIBVQ\n-----END PRIVATE KEY-----\n"
SERVICE_ACCOUNT = {"type": "service_account", "client_email": "a@b.iam", "private_key": KEY}
SERVICE_ACCOUNT |= {"token_uri": "https://t.example", "project_id": "p"}

PROFILES: Mapping[str, Mapping[str, Any]] = {
    "bigquery": {"method": "oauth", "database": "proj", "schema": "data"},
    "databricks": {"host": "h.example", "http_path": "/sql/1", "token": "t0ken", "schema": "s"},
    "duckdb": {"path": "shop.duckdb"},
    "postgres": {
        **{"host": "h", "port": 5432, "user": "u", "password": "pw-1", "database": "d"},
        "schema": "s",
    },
    "redshift": {
        **{"host": "h.example", "port": 5439, "user": "u", "password": "pw-1", "database": "d"},
        "schema": "s",
    },
    "snowflake": {
        **{"account": "a", "user": "u", "password": "pw-1", "database": "d", "schema": "s"},
        **{"warehouse": "w", "role": "r"},
    },
}
"""A profile of each warehouse with what it needs, and no more."""

OAUTH_SECRETS = {"method": "oauth-secrets", "token": "t", "refresh_token": "r", "client_id": "c"}
OAUTH_SECRETS |= {"client_secret": "s", "token_uri": "https://u.example"}
WIF = {
    "method": "external-oauth-wif",
    "workload_pool_provider_path": "//iam.example/x",
    "token_endpoint": {"type": "entra", "request_url": "https://e.example", "request_data": "a=b"},
}
IDP = {"type": "okta", "request_url": "https://o.example", "request_data": "a", "idp_auth_credentials": "b"}
BROWSER = {
    **{"method": "browser_identity_center", "idc_region": "eu-west-1", "issuer_url": "https://i.example"},
    **{"user": None, "password": None},
}
TOKEN = {"method": "oauth_token_identity_center", "token_endpoint": IDP, "user": None, "password": None}
IAM = {"method": "iam", "password": None, "cluster_id": "c", "region": "eu-west-1"}
KEYS = {**IAM, "access_key_id": "a", "secret_access_key": "s-2"}
SERVERLESS = {**IAM, "cluster_id": None, "is_serverless": True, "serverless_work_group": "w"}
OAUTH = {"authenticator": "oauth", "token": "t-1", "password": None}
REFRESH = {**OAUTH, "oauth_client_id": "c", "oauth_client_secret": "s"}
WORKLOAD = {"authenticator": "workload_identity", "workload_identity_provider": "AZURE", "password": None}
M2M = {"token": None, "auth_type": "oauth", "client_id": "c", "client_secret": "s"}
AZURE = {"token": None, "auth_type": "oauth", "azure_client_id": "c", "azure_client_secret": "s"}

BESIDE: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "bigquery": {
        **dict.fromkeys(OAUTH_SECRETS, OAUTH_SECRETS),
        **dict.fromkeys([*WIF, "service_account_impersonation_url"], WIF),
        "method": {"keyfile": "k.json"},
        "keyfile": {"method": "service-account"},
        "keyfile_json": {"method": "service-account-json"},
        "impersonate_service_account": {},
    },
    "databricks": {
        **dict.fromkeys(["client_id", "client_secret", "auth_type"], M2M),
        **dict.fromkeys(["azure_client_id", "azure_client_secret"], AZURE),
        "oauth_redirect_url": {"token": None, "auth_type": "oauth"},
        "oauth_scopes": {"token": None, "auth_type": "oauth"},
        "oidc_token_filepath": {"token": None, "auth_type": "file-oidc", "client_id": "c"},
    },
    "duckdb": {"motherduck_token": {"path": "md:shop"}, "database": {"attach": [{"path": "o.duckdb"}]}},
    "postgres": {},
    "redshift": {
        **dict.fromkeys([*BROWSER, "idp_listen_port", "idc_client_display_name"], BROWSER),
        "idp_response_timeout": BROWSER,
        "method": {"cluster_id": "c", "region": "eu-west-1"},
        "user": {},
        "password": {},
        "token_endpoint": TOKEN,
        **dict.fromkeys(["cluster_id", "iam_profile", "autocreate", "db_groups", "region"], IAM),
        **dict.fromkeys(["access_key_id", "secret_access_key"], KEYS),
        **dict.fromkeys(["is_serverless", "serverless_work_group", "serverless_acct_id"], SERVERLESS),
    },
    "snowflake": {
        "private_key": {"password": None},
        "private_key_path": {"password": None},
        "private_key_passphrase": {"password": None, "private_key_path": "k.p8"},
        **dict.fromkeys(["token", "authenticator"], OAUTH),
        **dict.fromkeys(["oauth_client_id", "oauth_client_secret"], REFRESH),
        **dict.fromkeys(["workload_identity_provider", "workload_identity_entra_resource"], WORKLOAD),
    },
}
"""What else a profile says where the field stands; None takes away what PROFILES has."""

VALUES: Mapping[str, Any] = {
    "access_key_id": "AK1",
    "attach": [{"path": "other.duckdb", "alias": "o", "read_only": True}],
    "authenticator": "oauth",
    "compute": {"big": {"http_path": "/sql/2"}},
    "config_options": {"threads": 2},
    "connection_parameters": {"_tls_no_verify": True},
    "database": "o",
    "extensions": ["h3"],
    "filesystems": [{"fs": "memory"}],
    "flights": {"enabled_by_default": True},
    "keyfile_json": SERVICE_ACCOUNT,
    "module_paths": ["lib"],
    "plugins": [{"module": "excel"}],
    "private_key": KEY,
    "remote": {"host": "h", "port": 5433, "user": "u"},
    "retries": {"connect_attempts": 3},
    "secrets": [{"type": "s3", "key_id": "k", "secret": "s-1"}],
    "session_properties": {"ansi_mode": True},
    "settings": {"memory_limit": "1GB"},
    "sslmode": "verify-full",
    "token_endpoint": IDP,
    "use_credential_provider": "aws",
    "dataproc_batch": {"runtime_config": {"container_image": "x"}},
    "oauth_scopes": ["sql"],
    "scopes": ["https://www.googleapis.com/auth/bigquery"],
    "db_groups": ["g"],
    "priority": "batch",
    "workload_identity_provider": "AWS",
    "query_tags": '{"team": "x"}',
    "tcp_keepalive": False,
    "autocommit": False,
    "session_keep_alive": True,
}
"""Plausible values by the field's name; else by its type."""
OF_ADAPTER: Mapping[tuple[str, str], Any] = {
    ("bigquery", "token_endpoint"): {
        "type": "entra",
        "request_url": "https://f.example",
        "request_data": "c",
    },
    ("databricks", "database"): "cat",
    ("databricks", "auth_type"): "oauth",
    ("postgres", "retries"): 3,
    ("postgres", "database"): "e",
    ("redshift", "retries"): 3,
    ("redshift", "database"): "e",
    ("redshift", "method"): "iam_role",
    ("redshift", "autocommit"): False,
    ("snowflake", "database"): "e",
    ("bigquery", "database"): "other",
    ("bigquery", "method"): "service-account",
}


def value_of(adapter: str, name: str, field: Mapping[str, Any]) -> Any:
    if (adapter, name) in OF_ADAPTER:
        return OF_ADAPTER[adapter, name]
    if VALUES.get(name) is not None:
        return VALUES[name]
    if "bool" in field["type"]:
        return not field.get("default")
    if "int" in field["type"] or "float" in field["type"] or "Port" in field["type"]:
        return (field.get("default") or 0) + 7 if isinstance(field.get("default"), int | None) else 7
    if "Dict" in field["type"] or "dict" in field["type"]:
        return {"a": "b"}
    return f"some-{name.replace('_', '-')}"


def profile(adapter: str, beside: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    values = {**PROFILES[adapter], **beside, **more}
    return {name: value for name, value in values.items() if value is not None}


def planned(adapter: str, values: Mapping[str, Any]) -> tuple[ConnectionPlan, Fields]:
    warehouse = warehouse_named(adapter)
    fields = Fields(values, aliases=warehouse.aliases, where=WHERE)
    return warehouse.plan(fields), fields


def effect(plan: ConnectionPlan) -> tuple[Any, ...]:
    """All that a plan does, without what it only says."""
    return tuple(
        getattr(plan, name) for name in ConnectionPlan.__slots__ if name not in ("warnings", "secrets")
    )


def spellings(adapter: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Each spelling of each field, the field's name, and the field."""
    known = ADAPTERS[adapter]
    for name, field in known["fields"].items():
        yield name, name, field
    for alias, name in known["aliases"].items():
        yield alias, name, known["fields"].get(name, {"type": "str"})


def test_the_list_has_all_six_adapters_and_their_versions() -> None:
    assert sorted(ADAPTERS) == sorted(PROFILES) == sorted(available())
    assert all(adapter["version"] >= "1.11" and len(adapter["fields"]) > 15 for adapter in ADAPTERS.values())


@pytest.mark.parametrize("adapter", sorted(ADAPTERS))
def test_the_least_profile_is_without_warnings(adapter: str) -> None:
    assert planned(adapter, profile(adapter, {}))[0].warnings == ()


@pytest.mark.parametrize("adapter", sorted(ADAPTERS))
def test_no_field_is_passed_over_in_silence(adapter: str, subtests: pytest.Subtests) -> None:
    assert ADAPTERS[adapter]["fields"]
    for spelling, name, field in spellings(adapter):
        with subtests.test(spelling):
            check_field(adapter, spelling, name, field)


def check_field(adapter: str, spelling: str, name: str, field: Mapping[str, Any]) -> None:
    """A value of the field is refused, has an effect, or is said to have none."""
    beside = BESIDE[adapter].get(name, {})
    value = value_of(adapter, name, field)
    without = {key: kept for key, kept in profile(adapter, beside).items() if key != name}

    try:
        plan, fields = planned(adapter, {**without, spelling: value})
    except ProfileError as error:
        assert f"'{name}'" in error.message or f"'{spelling}'" in error.message, error.message
        assert WHERE in error.message
        assert error.hint
        return
    told = [warning for warning in plan.warnings if f"'{name}'" in warning or f"'{spelling}'" in warning]
    assert not [warning for warning in told if "not known" in warning], told
    try:
        before = effect(planned(adapter, without)[0])
    except ProfileError as error:  # it cannot do without the field, so that it is read
        assert name in str(error), str(error)
        return
    is_honoured = effect(plan) != before
    assert is_honoured or told or name in fields.meaningless, "neither honoured nor said to be nothing here"


CHOICES = [
    pytest.param(adapter, name, value, id=f"{adapter}-{name}-{value}")
    for adapter, known in ADAPTERS.items()
    for name, field in known["fields"].items()
    for value in field.get("values", ())
] + [
    pytest.param("snowflake", "authenticator", value, id=f"snowflake-authenticator-{value}")
    for value in ("externalbrowser", "username_password_mfa", "snowflake_jwt", "https://x.okta.com")
]
"""Every value that the adapters' code names, and what Snowflake's driver knows beside."""

LOGINS: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("method", "service-account"): {"keyfile": "k.json"},
    ("method", "service-account-json"): {
        "keyfile_json": base64.b64encode(json.dumps(SERVICE_ACCOUNT).encode()).decode()
    },
    ("method", "oauth-secrets"): OAUTH_SECRETS,
    ("method", "external-oauth-wif"): WIF,
    ("method", "iam"): IAM,
    ("method", "iam_role"): {**IAM, "user": None},
    ("method", "browser_identity_center"): BROWSER,
    ("method", "oauth_token_identity_center"): TOKEN,
    ("authenticator", "oauth"): OAUTH,
    ("authenticator", "jwt"): {**OAUTH, "user": None},
    ("authenticator", "programmatic_access_token"): OAUTH,
    ("authenticator", "workload_identity"): WORKLOAD,
    ("authenticator", "snowflake_jwt"): {"private_key_path": "k.p8", "password": None},
    ("workload_identity_provider", "OIDC"): {**WORKLOAD, "token": "t-1"},
    **{("workload_identity_provider", name): WORKLOAD for name in ("AWS", "AZURE", "GCP")},
    ("auth_type", "oauth"): M2M,
    ("auth_type", "env-oidc"): {"token": None, "client_id": "c"},
    ("auth_type", "file-oidc"): {"token": None, "client_id": "c", "oidc_token_filepath": "t"},
}


@pytest.mark.parametrize(("adapter", "name", "value"), CHOICES)
def test_every_way_to_log_in_makes_a_plan_of_its_own(adapter: str, name: str, value: str) -> None:
    beside = LOGINS.get((name, value), {})

    plan, _ = planned(adapter, profile(adapter, beside, **{name: value}))

    assert not [warning for warning in plan.warnings if f"'{name}'" in warning], plan.warnings


@pytest.mark.parametrize(
    ("adapter", "name"),
    sorted({(case.values[0], case.values[1]) for case in CHOICES} | {("postgres", "sslmode")}),
)
def test_a_value_that_dbt_does_not_know_is_refused(adapter: str, name: str) -> None:
    beside = BESIDE[adapter].get(name, {})

    with pytest.raises(ProfileError, match=name) as caught:
        planned(adapter, profile(adapter, beside, **{name: "no-such-value"}))

    assert "no-such-value" in caught.value.message


@pytest.mark.parametrize("adapter", sorted(ADAPTERS))
def test_what_is_no_field_is_named(adapter: str) -> None:
    (warning,) = planned(adapter, profile(adapter, {}, flavour="vanilla"))[0].warnings

    assert warning == f"Field 'flavour' is unknown and ignored ({WHERE})"


# --- what stands below DuckDB's fields ----------------------------------------------------------------

ENTRIES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "Attachment": ("attach", {"path": "other.duckdb", "alias": "o"}),
    "Extension": ("extensions", {"name": "h3", "repo": "community"}),
    "Secret": ("secrets", {"type": "s3", "name": "n", "key_id": "k"}),
}


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        pytest.param(kind, name, id=f"{kind}-{name}")
        for kind in ENTRIES
        for name in ADAPTERS["duckdb"]["nested"][kind]
        if name != "secret_kwargs"  # whatever else an entry of `secrets` says
    ],
)
def test_no_part_of_an_entry_is_passed_over(kind: str, name: str) -> None:
    field, entry = ENTRIES[kind]
    values = {"read_only": True, "persistent": True, "is_ducklake": True, "options": {"block_size": 16384}}
    without = {key: value for key, value in entry.items() if key != name}

    after, _ = planned("duckdb", {"path": "x.duckdb", field: [{**entry, name: values.get(name, "some")}]})
    try:
        before = effect(planned("duckdb", {"path": "x.duckdb", field: [without]})[0])
    except ProfileError as error:
        assert f"'{name}'" in error.message
        return

    assert effect(after) != before
    assert after.warnings == ()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"attach": [{"path": "x", "read-only": True}]}, "Unknown 'read-only' in an entry of 'attach'"),
        ({"extensions": [{"name": "x", "repository": "y"}]}, "Unknown 'repository'"),
        ({"attach": [{"path": "x", "type": "duckdb", "options": {"type": "y"}}]}, "is set twice"),
        ({"filesystems": [{"protocol": "s3"}]}, "needs an 'fs'"),
        (
            {"path": "md:x", "motherduck_token": "a", "settings": {"motherduck_token": "b"}},
            "'motherduck_token' is set to different values",
        ),
    ],
)
def test_what_dbt_refuses_below_a_field_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ProfileError, match=message):
        planned("duckdb", {"path": "x.duckdb", **values})


@pytest.mark.parametrize(
    "values",
    [
        {"path": "md:shop?motherduck_token=hush-hush"},
        {"path": "md:shop", "motherduck_token": "hush-hush"},
        {"path": "md:shop", "settings": {"motherduck_token": "hush-hush"}},
        {"path": "md:shop", "config_options": {"motherduck_token": "hush-hush"}},
        {"path": "md:shop", "settings": {"token": "hush-hush"}},
    ],
)
def test_motherducks_token_is_found_wherever_dbt_finds_it(values: dict[str, Any]) -> None:
    plan, _ = planned("duckdb", values)

    assert plan.connect_args["config"] == {"motherduck_token": "hush-hush"}
    assert plan.url.database == "md:shop"
    assert "hush-hush" in plan.secrets
    assert not [statement for statement in plan.statements if "hush-hush" in statement]
    assert "hush-hush" not in repr(plan)


def test_an_attached_database_of_motherducks_gets_the_token_first() -> None:
    plan, _ = planned(
        "duckdb", {"path": "x.duckdb", "attach": [{"path": "md:shop?motherduck_token=hush-hush"}]}
    )

    assert plan.statements[-4:] == (
        "INSTALL motherduck",
        "LOAD motherduck",
        "SET motherduck_token = 'hush-hush'",
        "ATTACH IF NOT EXISTS 'md:shop'",
    )
    assert plan.connect_args == {"config": {}}
    assert plan.secrets == ("hush-hush",)


def test_a_token_without_motherduck_is_said_to_serve_nothing() -> None:
    (warning,) = planned("duckdb", {"path": "x.duckdb", "motherduck_token": "hush-hush"})[0].warnings

    assert warning.startswith("Field 'motherduck_token' is not honoured")
