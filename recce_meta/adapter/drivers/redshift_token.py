"""Asks an identity provider, Okta or Entra, for the token with which Redshift lets a user in.

dbt-redshift 1.11, auth_providers.py: the same request, with the same headers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from recce_meta.errors import AuthenticationFailed, ConnectionFailed, TransientFailure

SECONDS = 30.0
"""How long the provider may take to answer."""
TOO_MANY_REQUESTS = 429


def fetch_token(endpoint: Mapping[str, str], seconds: float = SECONDS) -> str:
    """The access token that *endpoint*, of the profile, gives.

    Raises AuthenticationFailed where it refuses, TransientFailure where it is asked too often, and
    ConnectionFailed where it does not answer within *seconds*.
    """
    url = endpoint["request_url"]
    if not url.lower().startswith(("https://", "http://")):
        raise AuthenticationFailed(
            "The 'request_url' of 'token_endpoint' is no web address", hint="it begins with https://"
        )
    try:
        with urlopen(_request(endpoint), timeout=seconds) as answer:
            told = json.load(answer)
    except HTTPError as error:
        error.close()
        raise _refusal(error) from None
    except (URLError, TimeoutError) as error:
        reason = getattr(error, "reason", error)
        raise ConnectionFailed(
            f"The identity provider does not answer: {reason}", hint="check 'request_url' of 'token_endpoint'"
        ) from None
    except ValueError:
        raise AuthenticationFailed("The identity provider's answer is no JSON", hint=_HINT) from None
    token = told.get("access_token") if isinstance(told, dict) else None
    if not isinstance(token, str):
        raise AuthenticationFailed("The identity provider's answer holds no access_token", hint=_HINT)
    return token


_HINT = "check 'token_endpoint', and that its refresh token may be used for an access token"


def _request(endpoint: Mapping[str, str]) -> Request:
    headers = {"accept": "application/json", "content-type": "application/x-www-form-urlencoded"}
    if endpoint["type"] == "okta":
        headers["authorization"] = f"Basic {endpoint['idp_auth_credentials']}"
    data = endpoint["request_data"].encode()
    return Request(endpoint["request_url"], data=data, headers=headers, method="POST")


def _refusal(error: HTTPError) -> AuthenticationFailed | TransientFailure:
    if error.code == TOO_MANY_REQUESTS:
        return TransientFailure(
            "The identity provider is asked for too many tokens",
            hint="lower 'threads', or raise the provider's limit",
            code=str(error.code),
        )
    return AuthenticationFailed(
        f"The identity provider refuses to give a token: {error.code} {error.reason}",
        hint=_HINT,
        code=str(error.code),
    )
