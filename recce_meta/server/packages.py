"""Packages of the extra `server`, checked before the modules that import them."""

from __future__ import annotations

from importlib.util import find_spec

from recce_meta.errors import ConfigurationError, install_hint

INSTALL = install_hint("server")


def require_packages() -> None:
    """Raise ConfigurationError if the extra `server` is not installed."""
    for name in ("fastapi", "uvicorn", "pygments"):
        if find_spec(name) is None:
            raise ConfigurationError(
                f"The server needs the package {name}, which is not installed", hint=INSTALL
            )
