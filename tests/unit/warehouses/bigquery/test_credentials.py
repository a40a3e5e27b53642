"""Google's credentials from a profile: what is built for each method, and what is said where it cannot be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from recce_meta.errors import AuthenticationFailed, ConfigurationError
from recce_meta.warehouses.bigquery.connection import Key

pytest.importorskip("google.cloud.bigquery", reason="the driver of BigQuery is not installed")

from recce_meta.warehouses.bigquery.client import _EntraTokens, credentials_of

pytestmark = pytest.mark.drivers("google.cloud.bigquery")

SERVICE_ACCOUNT = {
    "type": "service_account",
    "project_id": "shop-prod",
    "client_email": "robot@shop-prod.iam.gserviceaccount.com",
    "token_uri": "https://oauth2.googleapis.com/token",
}


@pytest.fixture(scope="module")
def private_key() -> str:
    """A new RSA key as PEM."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def test_a_key_file_gives_its_account_and_project(tmp_path: Path, private_key: str) -> None:
    path = tmp_path / "key.json"
    path.write_text(json.dumps({**SERVICE_ACCOUNT, "private_key": private_key}))

    credentials, project = credentials_of(Key("service-account", {"keyfile": str(path)}))

    assert credentials.service_account_email == SERVICE_ACCOUNT["client_email"]
    assert project == "shop-prod"


def test_a_key_in_the_profile_does_as_well_and_may_act_as_another(private_key: str) -> None:
    settings = {"keyfile_json": {**SERVICE_ACCOUNT, "private_key": private_key}}

    credentials, _ = credentials_of(Key("service-account-json", settings, ("https://a",)))
    other, project = credentials_of(Key("service-account-json", settings, impersonate="other@p.iam"))

    assert list(credentials.scopes) == ["https://a"]
    assert type(other).__module__ == "google.auth.impersonated_credentials"
    assert other.service_account_email == "other@p.iam"
    assert project == "shop-prod"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "Cannot read the key file .*: No such file or directory"),
        ("not json", "is not JSON"),
        ("[]", "is not the key of a service account: list"),
        ('{"type": "authorized_user"}', "is not the key of a service account: authorized_user"),
        ('{"type": "service_account"}', "lacks client_email, private_key, token_uri"),
        (
            json.dumps({**SERVICE_ACCOUNT, "private_key": "-----BEGIN PRIVATE KEY-----\nMIIsecret\n"}),
            "contains an invalid private key",
        ),
    ],
)
def test_a_key_file_that_cannot_be_used_says_why(tmp_path: Path, content: str | None, said: str) -> None:
    path = tmp_path / "key.json"
    if content is not None:
        path.write_text(content)

    with pytest.raises(ConfigurationError, match=said) as caught:
        credentials_of(Key("service-account", {"keyfile": str(path)}))

    assert str(path) in caught.value.message
    assert caught.value.hint
    assert "MIIsecret" not in str(caught.value)


def test_a_key_in_the_profile_that_cannot_be_read_shows_nothing_of_it() -> None:
    settings = {"keyfile_json": {**SERVICE_ACCOUNT, "private_key": "MIIsecret"}}

    with pytest.raises(
        ConfigurationError, match="Field 'keyfile_json' contains an invalid private key"
    ) as caught:
        credentials_of(Key("service-account-json", settings))

    assert "MIIsecret" not in f"{caught.value} {caught.value.__cause__} {caught.value.__context__}"


def test_missing_application_default_credentials_say_how_to_log_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "nothing.json"))

    with pytest.raises(AuthenticationFailed, match=r"nothing\.json") as caught:
        credentials_of(Key("oauth"))

    assert "gcloud auth application-default login" in (caught.value.hint or "")


def test_secrets_of_oauth_are_handed_over() -> None:
    settings = {"refresh_token": "r", "client_id": "c", "client_secret": "s", "token_uri": "https://t"}

    credentials, project = credentials_of(Key("oauth-secrets", settings))

    assert (credentials.refresh_token, credentials.client_id, credentials.client_secret) == ("r", "c", "s")
    assert credentials.token_uri == "https://t"
    assert project is None


def test_another_provider_is_federated() -> None:
    settings = {
        "workload_pool_provider_path": "//iam.googleapis.com/pool",
        "token_endpoint": {"type": "entra", "request_url": "https://idp", "request_data": "a=b"},
        "service_account_impersonation_url": "https://iam/x:generateAccessToken",
    }

    credentials, _ = credentials_of(Key("external-oauth-wif", settings, ("https://a",)))

    assert type(credentials).__module__ == "google.auth.identity_pool"
    assert credentials.info["audience"] == "//iam.googleapis.com/pool"
    assert credentials.info["service_account_impersonation_url"] == "https://iam/x:generateAccessToken"
    assert list(credentials.scopes) == ["https://a"]


class Answer:
    """What a transport of google.auth answers."""

    def __init__(self, status: int, content: object) -> None:
        self.status, self.data = status, json.dumps(content).encode()


def test_a_token_of_the_other_provider_is_fetched_once() -> None:
    asked: list[dict[str, Any]] = []

    def request(url: str, **options: Any) -> Answer:
        asked.append({"url": url, **options})
        return Answer(200, {"access_token": "theirs", "expires_in": 3600})

    tokens = _EntraTokens("https://idp", "client_secret=very-hush")

    assert [tokens.get_subject_token(None, request) for _ in range(2)] == ["theirs", "theirs"]
    (one,) = asked
    assert (one["url"], one["method"], one["body"]) == ("https://idp", "POST", b"client_secret=very-hush")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            Answer(401, {"error_description": "AADSTS7000215: wrong secret.\nTrace"}),
            "AADSTS7000215: wrong secret",
        ),
        (Answer(200, {"token": "x"}), "no access_token"),
        (Answer(500, "oops"), r"HTTP 500\): no access_token"),
    ],
)
def test_a_provider_that_gives_no_token_is_quoted(answer: Answer, said: str) -> None:
    tokens = _EntraTokens("https://idp", "client_secret=very-hush")

    with pytest.raises(AuthenticationFailed, match=said) as caught:
        tokens.get_subject_token(None, lambda *_, **__: answer)

    assert "very-hush" not in str(caught.value)
