"""How BigQuery's profile fields and URLs become connections, and what its errors mean. No driver here."""

from __future__ import annotations

import base64
import json
import sys
from typing import Any

import pytest

from recce_meta.errors import (
    AuthenticationFailed,
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
from recce_meta.warehouses import ConnectionPlan, Fields, UrlParts, warehouse_for_scheme, warehouse_named
from recce_meta.warehouses.bigquery.connection import METHODS, SCOPES, BigQuery, Jobs, Key, Place

KEYFILE = {
    "type": "service_account",
    "project_id": "shop-prod",
    "private_key_id": "0123456789abcdef",
    "private_key": "-----BEGIN PRIVATE KEY-----\\nMIIsecretMII\\n-----END PRIVATE KEY-----\\n",
    "client_email": "robot@shop-prod.iam.gserviceaccount.com",
    "client_id": "1234567890",
    "token_uri": "https://oauth2.googleapis.com/token",
}
REFRESH = {
    "refresh_token": "refresh-me",
    "client_id": "id",
    "client_secret": "hush-hush",
    "token_uri": "https://oauth2.googleapis.com/token",
}
ENTRA = {
    "type": "entra",
    "request_url": "https://login.microsoftonline.com/tenant/oauth2/v2.0/token",
    "request_data": "client_id=app&client_secret=very-hush&grant_type=client_credentials",
}
WIF: dict[str, object] = {
    "workload_pool_provider_path": "//iam.googleapis.com/projects/1/locations/global/x",
    "token_endpoint": ENTRA,
}
NEEDED: dict[str, dict[str, object]] = {
    "oauth": {},
    "oauth-secrets": {"token": "a-token"},
    "service-account": {"keyfile": "key.json"},
    "service-account-json": {"keyfile_json": KEYFILE},
    "external-oauth-wif": WIF,
}


def encoded(keyfile: dict[str, str]) -> str:
    return base64.b64encode(json.dumps(keyfile).encode()).decode()


def plan(method: str | None = "oauth", **values: object) -> ConnectionPlan:
    given: dict[str, object] = {"type": "bigquery", "project": "shop-prod", "dataset": "marts", **values}
    if method is not None:
        given["method"] = method
    fields = Fields(given, aliases=BigQuery.aliases, where="profile 'p', target 't'")
    return warehouse_named("bigquery").plan(fields)


def key(plan: ConnectionPlan) -> Key:
    found: Any = plan.connect_args["key"]
    assert isinstance(found, Key)
    return found


def place(plan: ConnectionPlan) -> Place:
    found: Any = plan.connect_args["place"]
    assert isinstance(found, Place)
    return found


def jobs(plan: ConnectionPlan) -> Jobs:
    found: Any = plan.connect_args["jobs"]
    assert isinstance(found, Jobs)
    return found


def test_project_and_dataset_are_aliases_and_the_project_also_pays() -> None:
    made = plan()

    assert (made.database, made.schema) == ("shop-prod", "marts")
    assert place(made) == Place("shop-prod", "marts", "shop-prod")
    assert made.warnings == ()


def test_without_a_project_the_credentials_bring_one() -> None:
    made = plan(project=None)

    assert made.database is None
    assert place(made).execution_project is None


def test_every_place_field_is_honoured() -> None:
    made = plan(
        execution_project="payer", quota_project="quota", location="EU", api_endpoint="https://bq.internal"
    )

    assert place(made) == Place("shop-prod", "marts", "payer", "EU", "quota", "https://bq.internal")


def test_every_job_field_is_honoured_and_numbers_may_be_text() -> None:
    made = plan(
        priority="batch",
        maximum_bytes_billed="1000000",
        reservation="projects/p/locations/EU/reservations/r",
        timeout_seconds="300",
        job_creation_timeout_seconds=20,
        retries=3,
        job_retry_deadline_seconds=60,
    )

    reservation = "projects/p/locations/EU/reservations/r"
    assert jobs(made) == Jobs("batch", 1_000_000, reservation, 300, 20, 3, 60)


def test_jobs_are_as_dbt_runs_them_where_nothing_is_said() -> None:
    assert jobs(plan()) == Jobs("interactive", None, None, None, None, 1, None)
    assert jobs(plan(maximum_bytes_billed=0)).maximum_bytes_billed is None
    assert jobs(plan(job_retries=0)).retries == 0
    assert jobs(plan(job_execution_timeout_seconds=7)).seconds == 7


def test_an_alias_beside_its_field_is_refused() -> None:
    with pytest.raises(ProfileError, match="timeout_seconds"):
        plan(timeout_seconds=1, job_execution_timeout_seconds=2)


def test_an_unknown_priority_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ProfileError, match="Unknown priority 'urgent'") as caught:
        plan(priority="urgent")

    assert caught.value.hint == "one of: interactive, batch"


@pytest.mark.parametrize("method", METHODS)
def test_every_method_of_dbt_is_known(method: str) -> None:
    made = plan(method, **NEEDED[method])

    assert key(made).method == method
    assert key(made).scopes == SCOPES
    assert made.warnings == ()


@pytest.mark.parametrize("method", [None, "", "password"])
def test_a_method_that_is_missing_or_unknown_is_refused_with_the_known_ones(method: str | None) -> None:
    with pytest.raises(ProfileError, match=r"method") as caught:
        plan(method)

    assert caught.value.hint == f"one of: {', '.join(METHODS)}"


def test_the_dataset_is_needed() -> None:
    with pytest.raises(ProfileError, match="Field 'schema' is missing"):
        plan(dataset=None)


@pytest.mark.parametrize(
    ("method", "given", "missing"),
    [
        ("service-account", {}, "'keyfile' is missing"),
        ("service-account-json", {}, "'keyfile_json' is missing"),
        (
            "service-account-json",
            {"keyfile_json": {"type": "service_account"}},
            "lacks client_email, private",
        ),
        ("service-account-json", {"keyfile_json": "@@@"}, "neither a mapping nor the base64 of one"),
        ("service-account-json", {"keyfile_json": "bnVsbA=="}, "neither a mapping nor the base64 of one"),
        ("oauth-secrets", {}, "lacks refresh_token, client_id, client_secret, token_uri"),
        ("oauth-secrets", {"refresh_token": "r", "client_id": "c"}, "lacks client_secret, token_uri"),
        ("external-oauth-wif", {"token_endpoint": ENTRA}, "'workload_pool_provider_path' is missing"),
        ("external-oauth-wif", {"workload_pool_provider_path": "x"}, "lacks type, request_url, request_data"),
        ("external-oauth-wif", {**WIF, "token_endpoint": {**ENTRA, "type": "okta"}}, "Unknown type 'okta'"),
    ],
)
def test_what_a_method_lacks_is_named(method: str, given: dict[str, object], missing: str) -> None:
    with pytest.raises(ProfileError, match=missing):
        plan(method, **given)


def test_a_field_of_another_method_is_warned_of() -> None:
    made = plan("oauth", keyfile="key.json", token="a-token")

    assert [warning.partition(":")[0] for warning in made.warnings] == [
        "Field 'keyfile' is not honoured",
        "Field 'token' is not honoured",
    ]
    assert "(profile 'p', target 't')" in made.warnings[0]


def test_a_key_may_be_a_mapping_json_or_base64() -> None:
    text = json.dumps(KEYFILE)

    given = [plan("service-account-json", keyfile_json=value) for value in (KEYFILE, text, encoded(KEYFILE))]

    keys: list[Any] = [key(made).settings["keyfile_json"] for made in given]
    assert keys[0] == keys[1] == keys[2]
    assert keys[0]["private_key"].count("\n") == 3
    assert keys[0]["client_email"] == KEYFILE["client_email"]


def test_secrets_are_the_key_and_not_the_project() -> None:
    for given in (KEYFILE, encoded(KEYFILE)):
        made = plan("service-account-json", keyfile_json=given)
        assert KEYFILE["private_key_id"] in made.secrets
        assert any("MIIsecretMII" in secret for secret in made.secrets)
        assert not {"shop-prod", "service_account", KEYFILE["client_email"]} & {*made.secrets}
        assert "secret" not in repr(made)
        assert "secret" not in repr(key(made))


def test_secrets_of_the_other_methods() -> None:
    assert set(plan("oauth-secrets", **REFRESH).secrets) == {"refresh-me", "hush-hush"}
    wif = plan("external-oauth-wif", **WIF).secrets
    assert {"very-hush", ENTRA["request_data"]} <= set(wif)
    assert "app" not in wif


def test_scopes_and_impersonation() -> None:
    made = plan(scopes=["https://a", "https://b"], impersonate_service_account="robot@p.iam")

    assert key(made).scopes == ("https://a", "https://b")
    assert key(made).impersonate == "robot@p.iam"


def test_fields_of_python_models_change_nothing_here_and_unknown_ones_are_named() -> None:
    made = plan(
        dataproc_region="europe-west1",
        gcs_bucket="bucket",
        dataproc_cluster_name="cluster",
        submission_method="serverless",
        dataproc_batch={"a": 1},
        job_link_info_level_log=True,
        target_project="x",
        keyfil="key.json",
    )

    assert [warning for warning in made.warnings if "keyfil'" in warning] == list(made.warnings)
    assert "did you mean 'keyfile'?" in made.warnings[0]


def url_plan(**query: str) -> ConnectionPlan:
    parts = UrlParts("bigquery", host="shop-prod", database="marts", query=query)
    return warehouse_for_scheme("bigquery").plan_url(parts)


def test_a_url_is_project_and_dataset() -> None:
    made = url_plan(location="EU")

    assert place(made) == Place("shop-prod", "marts", "shop-prod", "EU")
    assert key(made).method == "oauth"
    bare = warehouse_named("bigquery").plan_url(UrlParts("bigquery"))
    assert place(bare) == Place(None, None, None)


@pytest.mark.parametrize(
    ("query", "method"),
    [
        ({"keyfile": "/k.json"}, "service-account"),
        ({"credentials_path": "/k.json"}, "service-account"),
        (
            {"credentials_base64": base64.b64encode(json.dumps(KEYFILE).encode()).decode()},
            "service-account-json",
        ),
        ({"token": "a-token"}, "oauth-secrets"),
        (REFRESH, "oauth-secrets"),
        ({"method": "oauth-secrets", "token": "t"}, "oauth-secrets"),
    ],
)
def test_the_parameters_of_a_url_say_which_method(query: dict[str, str], method: str) -> None:
    assert key(url_plan(**query)).method == method


def test_a_url_with_a_user_is_refused() -> None:
    with pytest.raises(UsageError, match="must not have a user or a port"):
        warehouse_named("bigquery").plan_url(UrlParts("bigquery", username="me", host="p"))


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        ("notFound", "Not found: Table p:d.t was not found in location US", MissingRelation),
        ("accessDenied", "Access Denied: Table p:d.t", PermissionDenied),
        ("invalidQuery", "Syntax error: Unexpected end of script at [1:7]", SyntaxFailed),
        ("invalidQuery", "Unrecognized name: nothing; Did you mean note? at [1:8]", MissingRelation),
        ("invalidQuery", "Function not found: nvl2 at [1:8]", MissingRelation),
        ("invalidQuery", "division by zero: 1 / 0", WarehouseError),
        (
            "invalidQuery",
            "Transaction is aborted due to concurrent update against table p:d.store. Transaction ID: 1",
            TransientFailure,
        ),
        ("quotaExceeded", "Quota exceeded", TransientFailure),
        ("rateLimitExceeded", "Exceeded rate limits", TransientFailure),
        ("backendError", "Error encountered during execution. Retrying may solve it.", TransientFailure),
        ("stopped", "Job execution was cancelled: User requested cancellation", QueryCancelled),
        ("stopped", "Job execution was cancelled: Job timed out after 1 sec", QueryTimeout),
        ("bytesBilledLimitExceeded", "Query exceeded limit for bytes billed", WarehouseError),
        ("RefreshError", "invalid_grant", AuthenticationFailed),
        (None, "", WarehouseError),
    ],
)
def test_what_reasons_mean(code: str | None, message: str, kind: type[WarehouseError]) -> None:
    assert warehouse_named("bigquery").error_class(code, message) is kind


def test_the_code_is_the_reason_or_the_known_class() -> None:
    class RefreshError(Exception):
        pass

    class OwnRefreshError(RefreshError):
        pass

    class Answered(Exception):
        reason = "notFound"

    bigquery = warehouse_named("bigquery")
    assert bigquery.error_code(Answered()) == "notFound"
    assert bigquery.error_code(OwnRefreshError()) == "RefreshError"
    assert bigquery.error_code(KeyError()) == "KeyError"


@pytest.mark.parametrize(
    ("name", "quoted"),
    [
        ("my-project", "`my-project`"),
        ("order", "`order`"),
        ("a`b", "`a\\`b`"),
        ("a\\", "`a\\\\`"),
        ("Größe", "`Größe`"),
    ],
)
def test_names_are_quoted_with_backticks_and_backslashes(name: str, quoted: str) -> None:
    assert warehouse_named("bigquery").quote_identifier(name) == quoted


def test_tables_are_qualified_part_by_part() -> None:
    assert warehouse_named("bigquery").quote_table("marts", "orders", "my-p") == "`my-p`.`marts`.`orders`"


def test_the_missing_right_is_said_as_a_command() -> None:
    said = warehouse_named("bigquery").grant_to_create_schema("shop-prod", None)

    assert said is not None
    assert "add-iam-policy-binding shop-prod" in said
    assert "roles/bigquery.user" in said


def test_a_plan_needs_no_driver() -> None:
    before = {name for name in sys.modules if name.startswith("google")}
    plan("service-account-json", keyfile_json=KEYFILE)

    assert {name for name in sys.modules if name.startswith("google")} == before
