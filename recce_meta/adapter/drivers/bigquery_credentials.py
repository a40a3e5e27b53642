"""Google's credentials from a profile's fields. Imported when a BigQuery connection is opened."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from recce_meta.errors import AuthenticationFailed, ConfigurationError
from recce_meta.warehouses.bigquery import Key

STS_URL = "https://sts.googleapis.com/v1/token"
TOKEN_LEEWAY_SECONDS = 300
TOKEN_TIMEOUT_SECONDS = 60

LOG_IN = (
    "run: gcloud auth application-default login; or name a key file in GOOGLE_APPLICATION_CREDENTIALS,"
    " or in 'keyfile' with method: service-account"
)


def credentials_of(key: Key) -> tuple[Any, str | None]:
    """Google's credentials, and the project that they bring along, if any.

    ConfigurationError where a key cannot be used, AuthenticationFailed where there are no application default
    credentials. Nothing is asked of Google's servers yet.
    """
    credentials, project = _BUILDERS[key.method](key)
    if key.impersonate is None:
        return credentials, project
    from google.auth.impersonated_credentials import Credentials

    scopes = list(key.scopes)
    return Credentials(
        source_credentials=credentials, target_principal=key.impersonate, target_scopes=scopes
    ), project


@lru_cache
def _default(scopes: tuple[str, ...]) -> tuple[Any, str | None]:
    """Looked for once for all connections: the library asks gcloud, or the machine that this may be."""
    from google.auth import default

    credentials, project = default(scopes=list(scopes))
    return credentials, project


def _application_default(key: Key) -> tuple[Any, str | None]:
    from google.auth.exceptions import DefaultCredentialsError

    try:
        return _default(key.scopes)
    except DefaultCredentialsError as error:
        raise AuthenticationFailed(
            f"No application default credentials of Google's can be used: {error}",
            hint=LOG_IN,
            code="DefaultCredentialsError",
        ) from error


def _secrets(key: Key) -> tuple[Any, str | None]:
    from google.oauth2.credentials import Credentials

    return Credentials(**{"token": None, **key.settings}, scopes=list(key.scopes)), None


def _key_file(key: Key) -> tuple[Any, str | None]:
    import json

    path = Path(str(key.settings["keyfile"])).expanduser()
    try:
        info = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(
            f"The key file {path} cannot be read: {error.strerror}", hint="correct 'keyfile' in profiles.yml"
        ) from error
    except ValueError:
        raise ConfigurationError(
            f"The key file {path} is not JSON", hint="download the key of the service account again, as JSON"
        ) from None
    return _service_account(info, key, f"The key file {path}")


def _key_text(key: Key) -> tuple[Any, str | None]:
    return _service_account(key.settings["keyfile_json"], key, "Field 'keyfile_json'")


def _service_account(info: object, key: Key, where: str) -> tuple[Any, str | None]:
    from google.oauth2.service_account import Credentials

    if not isinstance(info, Mapping) or info.get("type") not in (None, "service_account"):
        kind = info.get("type") if isinstance(info, Mapping) else type(info).__name__
        raise ConfigurationError(
            f"{where} is not the key of a service account: {kind}",
            hint="credentials of gcloud's own log-in are used by method: oauth",
        )
    try:
        credentials = Credentials.from_service_account_info(dict(info), scopes=list(key.scopes))
    except ValueError as error:
        missing = [name for name in ("client_email", "private_key", "token_uri") if not info.get(name)]
        problem = f"lacks {', '.join(missing)}" if missing else "holds a private key that cannot be read"
        # The library's own words may repeat what is in the key.
        raise ConfigurationError(
            f"{where} {problem} ({type(error).__name__})",
            hint="download the key of the service account again, as JSON",
        ) from None
    return credentials, credentials.project_id


def _other_provider(key: Key) -> tuple[Any, str | None]:
    """Workload identity federation: a token of another provider is changed into one of Google's.

    https://cloud.google.com/iam/docs/workload-identity-federation
    """
    from google.auth.identity_pool import Credentials

    endpoint = key.settings["token_endpoint"]
    assert isinstance(endpoint, Mapping)
    info = {
        "universe_domain": "googleapis.com",
        "type": "external_account",
        "audience": key.settings["workload_pool_provider_path"],
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": STS_URL,
        "subject_token_supplier": _EntraTokens(str(endpoint["request_url"]), str(endpoint["request_data"])),
    }
    if url := key.settings.get("service_account_impersonation_url"):
        info["service_account_impersonation_url"] = url
    return Credentials.from_info(info).with_scopes(list(key.scopes)), None


class _EntraTokens:
    """Tokens of Microsoft Entra, each kept until shortly before it ends.

    https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-client-creds-grant-flow
    """

    def __init__(self, url: str, body: str) -> None:
        self._url, self._body = url, body
        self._token = ""
        self._until = 0.0

    def get_subject_token(self, context: object, request: Any) -> str:
        """A token that is valid for some minutes; what google.auth's suppliers are called by."""
        if time.monotonic() < self._until:
            return self._token
        import json

        answer = request(
            self._url,
            method="POST",
            body=self._body.encode(),
            headers={"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"},
            timeout=TOKEN_TIMEOUT_SECONDS,
        )
        content = _object(answer.data, json.loads)
        if answer.status != 200 or "access_token" not in content:
            said = content.get("error_description") or content.get("error") or "no access_token"
            raise AuthenticationFailed(
                f"{self._url} gives no token (HTTP {answer.status}): {str(said).splitlines()[0][:300]}",
                hint="check request_url and request_data of 'token_endpoint'",
            )
        self._token = str(content["access_token"])
        self._until = time.monotonic() + float(content.get("expires_in", 3600)) - TOKEN_LEEWAY_SECONDS
        return self._token


def _object(data: bytes, decode: Any) -> Mapping[str, Any]:
    try:
        content = decode(data)
    except ValueError:
        return {}
    return content if isinstance(content, Mapping) else {}


_BUILDERS = {
    "oauth": _application_default,
    "oauth-secrets": _secrets,
    "service-account": _key_file,
    "service-account-json": _key_text,
    "external-oauth-wif": _other_provider,
}
