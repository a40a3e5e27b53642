"""Connection arguments for snowflake-connector-python: loads private keys, and requests access tokens.

Version 5 of the connector is a rewrite in Rust with other arguments than version 4. This module handles the
differences.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

from recce_meta.errors import AuthenticationFailed, ConnectionFailed, ProfileError
from recce_meta.warehouses import ConnectionPlan
from recce_meta.warehouses.snowflake.connection import KEY_PASSPHRASE, KEY_PATH, KEY_TEXT, REFRESH_TOKEN

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

TOKEN_SECONDS = 30.0
"""How long Snowflake may take to answer a request for an access token."""
REENCRYPT = "re-encrypt it with: openssl pkcs8 -topk8 -v2 aes256 -in old.p8 -out new.p8"

_FOUR_ALONE = ("client_request_mfa_token", "insecure_mode")
_PEM_BLOCK = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.+?-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL)


def connect_arguments(plan: ConnectionPlan, major: int) -> dict[str, Any]:
    """Return the arguments of `connect` for version *major* of the connector.

    Raises ProfileError if a key cannot be loaded, and AuthenticationFailed if no access token is granted.
    """
    given: dict[str, Any] = dict(plan.connect_args)
    text, path, passphrase = (given.pop(name, None) for name in (KEY_TEXT, KEY_PATH, KEY_PASSPHRASE))
    if text or path:
        given["private_key"] = private_key(text, path, passphrase)
    if (refresh := given.pop(REFRESH_TOKEN, None)) is not None:
        client = (given.pop("oauth_client_id"), given.pop("oauth_client_secret"))
        given["token"] = access_token(given, refresh, *client)
    # Server-side parameters keep values out of the statement, whose limit is 1 MB.
    given["paramstyle"] = "qmark"
    return _of_five(given) if major >= 5 else _of_four(given)


def _of_four(given: dict[str, Any]) -> dict[str, Any]:
    # Set even if it is false: version 4.8 checks OCSP only if this is given, and dbt always gives it.
    given["disable_ocsp_checks"] = bool(given.pop("insecure_mode", False))
    if "proxy_port" in given:
        given["proxy_port"] = str(given["proxy_port"])
    # Same value as dbt: without it, two concurrent connections can deadlock (connector issue 2213).
    given["ocsp_root_certs_dict_lock_timeout"] = 10
    return given


def _of_five(given: dict[str, Any]) -> dict[str, Any]:
    # Version 5 never checks OCSP, which `insecure_mode` would turn off; it still verifies certificates.
    five = {name: value for name, value in given.items() if name not in _FOUR_ALONE}
    return {**five, "enable_server_session_keep_alive_auto_detection": False}


# --- keys -----------------------------------------------------------------------------------------------


def private_key(text: str | None, path: str | None, passphrase: str | None) -> bytes:
    """Return the key as unencrypted PKCS #8 in DER, which every version of the connector accepts.

    *text* is PEM, or DER in base64; *path* is a PEM file. Messages contain neither key nor passphrase.
    """
    from cryptography.hazmat.primitives import serialization

    where = f"at {path}" if path else "in 'private_key'"
    if path:
        try:
            text = Path(path).expanduser().read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            reason = "it is not PEM" if isinstance(error, UnicodeDecodeError) else error.strerror
            raise ProfileError(
                f"Cannot read the private key {where}: {reason}", hint="check 'private_key_path'"
            ) from None
    key = _loaded((text or "").strip(), passphrase, where)
    unencrypted: bytes = key.private_bytes(
        encoding=serialization.Encoding.DER,
        format=serialization.PrivateFormat.PKCS8,
        encryption_algorithm=serialization.NoEncryption(),
    )
    return unencrypted


def _loaded(text: str, passphrase: str | None, where: str) -> PrivateKeyTypes:
    from cryptography.hazmat.primitives.serialization import load_der_private_key, load_pem_private_key

    load: Callable[[bytes, bytes | None], PrivateKeyTypes]
    if text.startswith("-"):
        text = text.replace("\\n", "\n")  # some environments store the key in one line
        data, load = text.encode(), load_pem_private_key
    else:
        try:
            data, load = base64.b64decode(text, validate=False), load_der_private_key
        except binascii.Error:
            raise ProfileError(f"The private key {where} is neither PEM nor DER in base64") from None
        text = f"-----BEGIN ENCRYPTED PRIVATE KEY-----\n{base64.encodebytes(data).decode()}"
        text += "-----END ENCRYPTED PRIVATE KEY-----\n"
    try:
        return _with_or_without(load, data, passphrase)
    except TypeError:
        raise ProfileError(
            f"The private key {where} is encrypted", hint="add 'private_key_passphrase:' to this output"
        ) from None
    except Exception:  # noqa: BLE001 - of cryptography's errors, no base class is public
        if (key := _through_openssl(text, passphrase)) is not None:
            return key
        wrong = " with this passphrase" if passphrase else ""
        raise ProfileError(
            f"The private key {where} cannot be loaded{wrong}", hint=f"check the passphrase, or {REENCRYPT}"
        ) from None


def _with_or_without(
    load: Callable[[bytes, bytes | None], PrivateKeyTypes], data: bytes, passphrase: str | None
) -> PrivateKeyTypes:
    """Return the key; ignore an unneeded passphrase, raise TypeError if a passphrase is missing."""

    password = passphrase.encode() if passphrase else None
    try:
        return load(data, password)
    except TypeError:
        if password is None:
            raise
        return load(data, None)


def _through_openssl(pem: str, passphrase: str | None) -> PrivateKeyTypes | None:
    """Return the key read by OpenSSL, which still supports old ciphers; None if it fails."""
    try:
        from OpenSSL import crypto
    except ImportError:
        return None
    block = _PEM_BLOCK.search(pem)
    try:
        # An empty passphrase keeps OpenSSL from asking for one at the terminal.
        key = crypto.load_privatekey(
            crypto.FILETYPE_PEM, (block[0] if block else pem).encode(), (passphrase or "").encode()
        )
        return key.to_cryptography_key()
    except Exception:  # noqa: BLE001 - the caller raises an error
        return None


# --- OAuth ----------------------------------------------------------------------------------------------


def access_token(given: dict[str, Any], refresh: str, client: str, secret: str) -> str:
    """Request an access token for a refresh token from the account's authorization server, like dbt.

    https://docs.snowflake.com/en/user-guide/oauth-custom#token-request
    """
    host = given.get("host") or f"{given['account']}.snowflakecomputing.com"
    port = f":{given['port']}" if given.get("port") else ""
    address = f"{given.get('protocol') or 'https'}://{host}{port}/oauth/token-request"
    form = {
        "grant_type": "refresh_token",
        "refresh_token": refresh,
        "redirect_uri": "http://localhost:9999",  # required, but never used
    }
    credentials = base64.b64encode(f"{client}:{secret}".encode()).decode()
    request = Request(
        address,
        data=urlencode(form).encode(),
        headers={
            "Authorization": f"Basic {credentials}",
            "Content-Type": "application/x-www-form-urlencoded;charset=utf-8",
        },
    )
    answer = _answer(request, given)
    if not isinstance(answer, dict) or not isinstance(token := answer.get("access_token"), str):
        said = answer.get("message") or answer.get("error") if isinstance(answer, dict) else None
        raise AuthenticationFailed(
            f"Refresh token refused: {said or 'no reason given'}",
            hint="request a new refresh token from your provider, and set it as 'token'",
        )
    return token


def _answer(request: Request, given: dict[str, Any]) -> object:
    """Return the JSON of the response, whatever its status; None if it is not JSON."""
    proxies = {}
    if given.get("proxy_host"):
        proxy = f"http://{given['proxy_host']}:{given.get('proxy_port') or 80}"
        proxies = {"http": proxy, "https": proxy}
    opener = build_opener(*([ProxyHandler(proxies)] if proxies else []))
    try:
        with opener.open(request, timeout=TOKEN_SECONDS) as response:
            body = response.read()
    except HTTPError as error:
        body = error.read()
    except (URLError, OSError) as error:
        reason = getattr(error, "reason", error)
        raise ConnectionFailed(
            f"Cannot reach {request.host}: {reason}", hint="check 'account', 'host' and the proxy"
        ) from None
    try:
        answer: object = json.loads(body)
    except ValueError:
        return None
    return answer
