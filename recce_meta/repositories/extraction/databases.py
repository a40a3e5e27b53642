"""Databases of connections: how one is opened to be read.

A URL that arrived over the network is confined: its host has to be public or listed in
`RECCE_META_ALLOWED_HOSTS`, as the host of a repository, and a file has to be in the folder that
`RECCE_META_DATABASE_FOLDER` names.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.errors import ConfigurationError, RecceMetaError, UsageError, mask_errors
from recce_meta.extractors.database import ScanScope
from recce_meta.report.terminal import one_line
from recce_meta.repositories.git.address import AddressRules, RepositoryAddress, check_host
from recce_meta.repositories.state.requests import secrets_in
from recce_meta.repositories.state.types import DatabaseOptions

FOLDER = "RECCE_META_DATABASE_FOLDER"
"""Variable with the only folder of database files for URLs that arrive over the network."""
STATEMENT_SECONDS = 600.0
"""Time of one statement of a scan or a measurement."""
MOST_CONNECTIONS = 2
"""Connections of one measurement."""
CORRECT = "correct it, and test it again: recce-meta connection test NAME"
"""What to do about settings that cannot be used, if their error has no hint."""
_UNKNOWN_PORT = 443
_PARAMETERS = frozenset("sslmode charset warehouse role schema catalog http_path".split())
"""Parameters of confined URLs: others name hosts, files and programs."""


async def open_database(
    options: DatabaseOptions, url: str | None, environ: Mapping[str, str]
) -> UnifiedSqlAdapter:
    """Return an adapter that reads the database of *options*; it connects on first use.

    *url* is the stored URL, if there is one, *environ* the environment of the service. Raises
    ConfigurationError for a missing variable or target, UsageError for an invalid or confined URL.
    """
    adapter = await asyncio.to_thread(_adapter, options, url, environ)
    if options.is_confined:
        await refuse_place(adapter, url or "", environ)
    try:
        return adapter.guarded(STATEMENT_SECONDS)
    except UsageError:
        # MotherDuck has no read-only connections; the statements of a scan only read.
        if options.is_confined:
            raise
        return adapter


def _adapter(options: DatabaseOptions, url: str | None, environ: Mapping[str, str]) -> UnifiedSqlAdapter:
    if options.url_env is not None:
        url = environ.get(options.url_env)
        if not url:
            raise ConfigurationError(
                f"The variable {options.url_env} with the URL of the database is not set for this process",
                hint=f"set {options.url_env} for every worker and for the server",
            )
    elif options.has_url and url is None:
        raise ConfigurationError(
            "The URL of the database is missing",
            hint="set it again: recce-meta connection set NAME --ask-url",
        )
    if url is None:
        return UnifiedSqlAdapter.from_dbt_profile(None, options.profile, options.target, may_create=False)
    with mask_errors(lambda: secrets_in(url)):
        adapter = UnifiedSqlAdapter.from_url(url, may_create=False)
    if not adapter.is_shareable:
        raise UsageError("A database in memory has no data to read", hint="name a file or a server")
    return adapter


async def refuse_place(adapter: UnifiedSqlAdapter, url: str, environ: Mapping[str, str]) -> None:
    """Raise UsageError if *url*, which *adapter* opens, reaches what a confined URL may not reach."""
    _, _, parameters = url.partition("?")
    names = {pair.partition("=")[0] for pair in parameters.split("&") if pair}
    if unknown := sorted(names - _PARAMETERS):
        raise UsageError(
            f"The parameter {unknown[0]} is not allowed in a URL that arrives over the network",
            hint="add the connection on the machine of the server: recce-meta connection add --database NAME",
        )
    if adapter.warehouse.is_in_process:
        _refuse_file(adapter.place.file_path(), environ.get(FOLDER))
    elif adapter.warehouse.has_server_in_url:
        # A driver chooses a host that the URL lacks, such as a socket of this machine.
        if adapter.place.server is None:
            raise UsageError(
                f"The host of {adapter.place.address} cannot be checked",
                hint="name the host in the URL, such as db.example.com",
            )
        host, port = adapter.place.server[0], adapter.place.server[1] or _UNKNOWN_PORT
        rules = AddressRules.read(environ)
        allowed = rules.has_allowed(host, port)
        await check_host(
            RepositoryAddress(scheme="https", host=host, port=port, path="/", is_allowed=allowed)
        )


def _refuse_file(file: Path | None, folder: str | None) -> None:
    if file is None:
        raise UsageError("A database in memory has no data to read", hint="name a file or a server")
    # Links are followed before the comparison.
    if not folder or not file.resolve().is_relative_to(Path(folder).expanduser().resolve()):
        raise UsageError(
            "This file is not in the folder of databases of the server",
            hint=f"put it into the folder that {FOLDER} names, or add the connection on the server's machine",
        )


def said_of(error: RecceMetaError, adapter: UnifiedSqlAdapter) -> tuple[str, str]:
    """Return what *error* of the database of *adapter* says, on one line with its address, and what to do."""
    message, address = one_line(error.message), adapter.place.address
    places = (
        adapter.place.server[0] if adapter.place.server else "",
        str(adapter.place.file_path() or ""),
        address,
    )
    if not any(place and place in message for place in places):
        message = f"{address}: {message}"
    return (
        message,
        error.hint or f"check that {address} is a database of {adapter.warehouse.name}, and its log",
    )


def scope_of(options: DatabaseOptions) -> ScanScope:
    """Return what a scan of the database of *options* reads."""
    return ScanScope(schemas=options.schemas, include=options.include, exclude=options.exclude)
