"""Implementation of the commands `serve` and `mcp`, which answer until they are stopped."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack, closing
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
from msgspec import Struct
from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.data.requests import RequestRules
from recce_meta.cli.connections import Connection, connection_of
from recce_meta.cli.defaults import FILE, ORIGINS, current_config
from recce_meta.cli.ending import stop_in_time
from recce_meta.cli.options import say
from recce_meta.errors import ConfigurationError, install_hint
from recce_meta.lazy import load
from recce_meta.quality.masking import privacy_of
from recce_meta.report.addresses import DEFAULT_STORE
from recce_meta.store.sql_files import DEFAULT_SCHEMA

PLACES = ("url", "profile", "target", "profiles_dir")
"""Parameters that name a store."""


class QueryOptions(Struct, frozen=True, kw_only=True):
    """Options of queries that users of the pages start."""

    threads: int | None
    data_target: str | None
    base_target: str | None
    no_values: bool
    private: tuple[str, ...]


def serve(
    connection: Connection,
    host: str,
    port: int,
    page: str,
    is_opened: bool,
    token_file: Path | None,
    public_url: str | None,
    proxy: str | None,
    origins: tuple[str, ...],
    allow_queries: bool,
    allow_writes: bool,
    queries: QueryOptions,
    state: str | None,
    web_only: bool,
    extraction: Any,
) -> None:
    """Serve the stores until Ctrl-C or SIGTERM, and run a worker if there is a state, unless *web_only*.

    A store that cannot be reached is a page; a malformed connection, or one of the data, is an error.
    """
    _require_packages()  # first, because a missing extra would end in an import error somewhere else
    server = load("recce_meta.server.main")
    metrics = extraction.metrics_address
    if metrics is not None:
        load("recce_meta.server.metrics:require_client")()
        metrics = load("recce_meta.server.metrics:address_of")(metrics)
    stores = stores_of(connection, click.get_current_context())
    options = server.ServerOptions(
        host=host,
        port=port,
        token=server.read_token(token_file, os.environ),
        public_url=public_url,
        proxy=proxy,
        origins=origins,
        permissions=server.Permissions(queries=allow_queries, writes=allow_writes),
        metrics_address=metrics,
    )
    run = partial(
        server.serve_stores,
        _opened_stores(server, connection, stores, queries),
        options,
        # Without a terminal, no user waits for a browser.
        page=page if is_opened and sys.stdout is not None and sys.stdout.isatty() else None,
        say=say, stopping=stop_in_time,
    )  # fmt: skip
    states = load("recce_meta.repositories.state.database")
    if state is None and not states.has_state(os.environ):
        run()
        return
    with ExitStack() as stack:
        opened = stack.enter_context(closing(states.open_state(state, os.environ)))
        service = load("recce_meta.repositories.service.service:RepositoryService")
        running = load("recce_meta.cli.run.worker:running")
        limits = load("recce_meta.cli.run.worker:git_limits")(extraction)
        work = None if web_only else load("recce_meta.cli.run.worker:work_folder")(extraction, os.environ)
        wait = connection.lock_timeout
        worker = None if web_only else running(opened, stores, extraction, lock_timeout=wait)
        served = service(opened, environ=os.environ, stores=list(stores), limits=limits, work=work)
        run(service=served, worker=worker)


SERVER_INSTALL = install_hint("server")


def _require_packages() -> None:
    """Raise ConfigurationError if the extra `server` is not installed."""
    for name in ("fastapi", "uvicorn", "pygments"):
        if find_spec(name) is None:
            raise ConfigurationError(
                f"The server needs the package {name}, which is not installed", hint=SERVER_INSTALL
            )


def _opened_stores(
    server: Any, connection: Connection, stores: Mapping[str, Connection], queries: QueryOptions
) -> dict[str, Any]:
    """Return *stores* as the module *server* opens them. Raises errors of malformed connections."""
    # An adapter reads the URL or the profile now, and connects on first use.
    opened = {name: one.open_existing(writes=True) for name, one in stores.items()}
    sessions = load("recce_meta.store.session")
    for adapter in opened.values():
        if sessions.is_in_memory(adapter):
            raise sessions.no_store(adapter)
    # A malformed target is an error now, instead of at a user's first query.
    for place in filter(None, (queries.data_target, queries.base_target)):
        for one in stores.values():
            one.at(place).open_existing()
    privacy = privacy_of(no_values=queries.no_values, private=queries.private)
    of_environment = {name: one.target for name, one in current_config().environments.items()}.get
    rules = RequestRules(privacy=privacy, globs=current_config().nodes, project_dir=connection.project_dir)
    return {
        name: server.OpenedStore(
            partial(_same, adapter),
            server.QuerySettings(
                threads=queries.threads,
                rules=rules,
                data_target=queries.data_target,
                base_target=queries.base_target,
                of_environment=of_environment,
                connect=partial(_target, stores[name]),
            ),
        )
        for name, adapter in opened.items()
    }


def _target(connection: Connection, place: str) -> UnifiedSqlAdapter:
    """Return the adapter of another target of the profile of *connection*, or of a URL."""
    return connection.at(place).open_existing()


def _same(adapter: UnifiedSqlAdapter) -> UnifiedSqlAdapter:
    return adapter


def stores_of(connection: Connection, context: click.Context) -> dict[str, Connection]:
    """Return the connections of the stores to serve, by name.

    An option or a variable that names a store replaces those in `stores` of the configuration.
    """
    stores = current_config().stores
    if not stores or any(_is_given(context, name) for name in PLACES):
        return {DEFAULT_STORE: connection}
    schema = connection.schema if _is_given(context, "schema") else DEFAULT_SCHEMA
    return {name: connection_of(connection, settings, schema) for name, settings in stores.items()}


def _is_given(context: click.Context, parameter: str) -> bool:
    """Return True if an option or a variable sets *parameter*."""
    source = context.get_parameter_source(parameter)
    # Defaults of variables and of files have the same source in click, so their strength decides.
    if source is click.core.ParameterSource.DEFAULT_MAP:
        return bool(context.meta[ORIGINS][parameter].strength < FILE)
    return source is click.core.ParameterSource.COMMANDLINE


MCP_INSTALL = install_hint("mcp")


def mcp(
    connection: Connection,
    project: str | None,
    allow_queries: bool,
    allow_values: bool,
    data_target: str | None,
    base_target: str | None,
    no_values: bool,
    private: tuple[str, ...],
) -> None:
    """Serve an agent until standard input closes. A malformed connection is an error now."""
    if find_spec("mcp") is None or find_spec("mcp_types") is None:
        raise ConfigurationError(
            "The MCP server needs the package mcp 2, which is not installed", hint=MCP_INSTALL
        )
    for place in filter(None, (data_target, base_target)):
        connection.at(place).open_existing()
    privacy = privacy_of(no_values=no_values or not allow_values, private=private)
    if privacy is not None and not (allow_values or no_values):
        privacy = replace(privacy, why=load("recce_meta.mcp.questions:NOT_ALLOWED"))
    settings = load("recce_meta.mcp.questions:AgentSettings")(
        project=connection.project_of(project),
        project_dir=connection.project_dir,
        config=current_config(),
        allows_queries=allow_queries,
        privacy=privacy,
        data_target=data_target,
        base_target=base_target,
        connect_data=partial(_target, connection),
    )
    # Connects on first use: a store that is missing is the answer to a call, with what to do.
    adapter = connection.open_existing(writes=True)
    if sys.stdin is not None and sys.stdin.isatty():
        say("Waiting for an agent on standard input; see docs/guides/mcp.md, Ctrl-C ends the server")
    load("recce_meta.mcp.server:serve")(lambda: adapter, settings)
