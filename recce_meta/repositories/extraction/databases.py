"""Databases of connections: how a worker opens one to read it, and what a test of it shows.

A URL that arrived over the network is confined: its host has to be public or listed in
`RECCE_META_ALLOWED_HOSTS`, as the host of a repository, and a file has to be in the folder that
`RECCE_META_DATABASE_FOLDER` names.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.adapter.doctor import check_drivers
from recce_meta.errors import ConfigurationError, RecceMetaError, UsageError, mask_errors, plural
from recce_meta.extractors.database import ScanScope, extract_database
from recce_meta.models import Check
from recce_meta.report.terminal import one_line
from recce_meta.repositories.answers import ConnectionTest
from recce_meta.repositories.git.address import AddressRules, RepositoryAddress, check_host
from recce_meta.repositories.state.requests import secrets_in
from recce_meta.repositories.state.types import DatabaseOptions

FOLDER = "RECCE_META_DATABASE_FOLDER"
"""Variable with the only folder of database files for URLs that arrive over the network."""
STATEMENT_SECONDS = 600.0
"""Time of one statement of a scan or a measurement."""
NETWORK_SECONDS = 10.0
"""Time in which a server has to accept a connection of a test."""
MOST_CONNECTIONS = 2
"""Connections of one measurement."""
CORRECT = "correct it, and test it again: recce-meta connection test NAME"
"""What to do about settings that cannot be used, if their error has no hint."""
_UNKNOWN_PORT = 443
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")
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
        _refuse_file(adapter.file_path(), environ.get(FOLDER))
    elif adapter.warehouse.has_server_in_url:
        # A driver chooses a host that the URL lacks, such as a socket of this machine.
        if adapter.server is None:
            raise UsageError(
                f"The host of {adapter.address} cannot be checked",
                hint="name the host in the URL, such as db.example.com",
            )
        host, port = adapter.server[0], adapter.server[1] or _UNKNOWN_PORT
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


async def test_database(
    options: DatabaseOptions, url: str | None, environ: Mapping[str, str]
) -> ConnectionTest:
    """Return the checks of a database, up to the first that fails: address, network, login, rights."""
    checks: list[Check] = []
    try:
        adapter = await open_database(options, url, environ)
    except RecceMetaError as error:
        checks.append(Check("address", False, one_line(error.message), error.hint or CORRECT))
    else:
        with mask_errors(lambda: secrets_in(url)):
            checks = await asyncio.to_thread(lambda: list(_checks(adapter, options)))
    return ConnectionTest(ok=all(check.ok is not False for check in checks), checks=checks)


def _checks(adapter: UnifiedSqlAdapter, options: DatabaseOptions) -> Iterator[Check]:
    steps: tuple[tuple[str, Callable[[], Iterator[Check]]], ...] = (
        ("address", lambda: iter((Check("address", True, adapter.address),))),
        ("driver", lambda: check_drivers(adapter)),
        ("network", lambda: _network(adapter)),
        ("login", lambda: _login(adapter)),
        ("server", lambda: _server(adapter)),
        ("rights", lambda: _rights(adapter, options)),
    )
    with closing(adapter):
        for name, look in steps:
            try:
                found = list(look())
            except RecceMetaError as error:
                found = [Check(name, False, *said_of(error, adapter))]
            yield from found
            if any(check.ok is False for check in found):
                return


def said_of(error: RecceMetaError, adapter: UnifiedSqlAdapter) -> tuple[str, str]:
    """Return what *error* of the database of *adapter* says, on one line with its address, and what to do."""
    message, address = one_line(error.message), adapter.address
    places = (adapter.server[0] if adapter.server else "", str(adapter.file_path() or ""), address)
    if not any(place and place in message for place in places):
        message = f"{address}: {message}"
    return (
        message,
        error.hint or f"check that {address} is a database of {adapter.warehouse.name}, and its log",
    )


def _network(adapter: UnifiedSqlAdapter) -> Iterator[Check]:
    host, port = adapter.server or ("", None)
    if port is None:
        return
    try:
        socket.create_connection((host, port), NETWORK_SECONDS).close()
    except OSError as error:
        reason = "no answer" if isinstance(error, TimeoutError) else (error.strerror or str(error)).lower()
        hint = "check host and port, and that a firewall lets the worker through"
        yield Check("network", False, f"{host}:{port} cannot be reached: {reason}", hint)
    else:
        yield Check("network", True, f"{host}:{port} accepts connections")


def _login(adapter: UnifiedSqlAdapter) -> Iterator[Check]:
    adapter.connect()
    yield Check("login", True, f"as {adapter.role}" if adapter.role else "accepted")


def _server(adapter: UnifiedSqlAdapter) -> Iterator[Check]:
    _, rows = adapter.execute(adapter.warehouse.version_sql)
    yield Check("server", True, f"{adapter.warehouse.name} {rows[0][0]}")
    if adapter.warehouse.tls_sql is None:
        return
    found = ""
    with suppress(RecceMetaError):  # a view that the role may not read says nothing about the connection
        _, rows = adapter.execute(adapter.warehouse.tls_sql)
        found = str(rows[0][-1] or "") if rows else ""
    if found:
        yield Check("TLS", True, found)
    elif adapter.server is not None and adapter.server[0] in _THIS_MACHINE:
        yield Check("TLS", True, "not used, nor needed: the server is on this machine")
    else:
        hint = "add sslmode=require to the URL or the target if the network is not your own"
        yield Check("TLS", None, "not used: password and data are not encrypted on their way", hint)


def _rights(adapter: UnifiedSqlAdapter, options: DatabaseOptions) -> Iterator[Check]:
    """Read the catalog as a scan does: what it reads, and what is refused."""
    project = extract_database(adapter, scope=scope_of(options))
    schemas = [node.name for node in project.nodes if node.resource_type == "schema"]
    relations = len(project.nodes) - len(schemas)
    shown = ", ".join(schemas[:5]) + (", …" if len(schemas) > 5 else "")
    detail = f"{plural(relations, 'relation')} in {plural(len(schemas), 'schema')}"
    hint = None if relations else "check the schemas of the connection, and the rights of its user"
    yield Check("rights", True if relations else None, f"{detail}: {shown}" if shown else detail, hint)
    for warning in project.warnings:
        said, _, grant = warning.partition("; ask ")
        yield Check("rights", None, said, f"ask {grant}" if grant else None)


def scope_of(options: DatabaseOptions) -> ScanScope:
    """Return what a scan of the database of *options* reads."""
    return ScanScope(schemas=options.schemas, include=options.include, exclude=options.exclude)
