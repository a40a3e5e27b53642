"""How the connector to Databricks logs in: by a token, or by what databricks-sdk gets from the server."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from recce_meta.errors import AuthenticationFailed, ConfigurationError, ConnectionFailed
from recce_meta.warehouses import ConnectionPlan
from recce_meta.warehouses.databricks import SDK_LOGINS

REACH_SECONDS = 10.0
HTTP_PORT, HTTPS_PORT = 80, 443

Headers = Callable[[], dict[str, str]]


def refuse_unreachable(plan: ConnectionPlan) -> None:
    """Raise ConnectionFailed where the plan's host has no address, or nobody listens there.

    Where a proxy stands between, it alone can tell, and nothing is tried.
    """
    if getproxies():
        return
    uri = urlsplit(server_of(plan))
    try:
        socket.create_connection((uri.hostname or "", uri.port or 0), timeout=REACH_SECONDS).close()
    except OSError as error:
        raise ConnectionFailed(
            f"Cannot reach {uri.netloc}: {error}",
            hint="check 'host' in the profile; recce-meta doctor shows what is used",
            code=type(error).__name__,
        ) from error


def server_of(plan: ConnectionPlan) -> str:
    """Return the scheme, host and port of the plan's server as a URL."""
    arguments = plan.connect_args
    uri = urlsplit(str(arguments.get("_connection_uri") or f"https://{plan.url.host}"))
    port = uri.port or arguments.get("_port") or (HTTP_PORT if uri.scheme == "http" else HTTPS_PORT)
    return f"{uri.scheme}://{uri.hostname}:{port}"


def connect_arguments(plan: ConnectionPlan) -> dict[str, object]:
    """What goes to the connector: the plan's arguments, with what logs in where they hold no token."""
    arguments = dict(plan.connect_args)
    logins: Any = arguments.pop(SDK_LOGINS, ())
    if logins:
        arguments["credentials_provider"] = _provider(logins)
    return arguments


def _provider(logins: tuple[Mapping[str, object], ...]) -> Callable[[], Headers]:
    """What gives the connector its HTTP headers, asking for a token when the first is needed."""
    try:
        from databricks.sdk.core import Config
    except ImportError:
        raise ConfigurationError(
            f"Logging in to Databricks with '{logins[0]['auth_type']}' needs databricks-sdk",
            hint="pip install databricks-sdk",
        ) from None
    return lambda: _headers(Config, logins)


def _headers(config: Any, logins: tuple[Mapping[str, object], ...]) -> Headers:
    """The headers of the first login that the server accepts."""
    refused = []
    for login in logins:
        try:
            headers: Headers = config(**_known(config, login)).authenticate
            headers()
        except (ValueError, OSError) as error:  # all errors of the SDK are one of these
            refused.append(f"{login['auth_type']}: {error}")
        else:
            return headers
    raise AuthenticationFailed("; ".join(refused), hint="check client_id and secret, and the host")


def _known(config: Any, login: Mapping[str, object]) -> dict[str, object]:
    """*login* without what this version of the SDK does not know: workspaces came late."""
    if "workspace_id" in login and not hasattr(config, "workspace_id"):
        return {name: value for name, value in login.items() if name != "workspace_id"}
    return dict(login)
