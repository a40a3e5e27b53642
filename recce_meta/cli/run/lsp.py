"""Implementation of the command `lsp`.

An editor waits for the answer to its first request: nothing is imported here but what that answer needs.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import click
from msgspec import Struct

from recce_meta.cli.options import say
from recce_meta.errors import ConfigurationError, install_hint
from recce_meta.lazy import load

INSTALL = install_hint("lsp")


class StorePlace(Struct, frozen=True, kw_only=True):
    """Connection options of the configured store, as given on the command line."""

    profiles_dir: Path | None
    profile: str | None
    target: str | None
    url: str | None
    project_dir: Path | None
    schema: str
    lock_timeout: float


def lsp(place: StorePlace, is_stdio: bool) -> None:
    """Serve an editor on standard input and output until it exits.

    The options of *place* are passed on to the commands that read the store. *is_stdio* changes nothing.
    """
    require_packages()
    if sys.stdin is not None and sys.stdin.isatty():
        say("Waiting for an editor on standard input; see docs/guides/editor.md, Ctrl-C ends the server")
    code = load("recce_meta.lsp.server:serve")(list(_given(place, click.get_current_context())))
    if code:
        raise click.exceptions.Exit(code)


def require_packages() -> None:
    """Raise ConfigurationError if the extra `lsp` is not installed."""
    for name in ("pygls", "lsprotocol"):
        if find_spec(name) is None:
            raise ConfigurationError(
                f"The language server needs the package {name}, which is not installed", hint=INSTALL
            )


def _given(place: StorePlace, context: click.Context) -> Iterator[str]:
    """Yield the options that the user gave, with absolute paths.

    Variables and files of configuration are left out: each project has its own, which commands read there.
    """
    for name in place.__struct_fields__:
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            value = getattr(place, name)
            yield "--" + name.replace("_", "-")
            yield str(value.absolute()) if isinstance(value, Path) else str(value)
