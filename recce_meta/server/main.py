"""Start of the server: checks the address, prints it, opens the browser, and serves until Ctrl-C."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
import stat
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack, closing, nullcontext
from dataclasses import replace
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urljoin

import uvicorn
from msgspec import Struct
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.errors import ConfigurationError, UsageError, quoted
from recce_meta.report.addresses import server_addresses
from recce_meta.repositories.service.service import RepositoryService
from recce_meta.server.access.scopes import READ_ONLY, Permissions
from recce_meta.server.access.sessions import LOCAL_NAMES, Access, host_name, is_loopback, plain_address
from recce_meta.server.app import create_app
from recce_meta.server.metrics import Metrics
from recce_meta.server.metrics import listening as listening_for_metrics
from recce_meta.server.site.rendering import compile_templates
from recce_meta.server.stores.queries import QuerySettings
from recce_meta.server.stores.stores import Store, prepare_diffs


class OpenedStore(NamedTuple):
    """Store to serve."""

    connect: Callable[[], UnifiedSqlAdapter]
    """Returns the adapter of the store."""
    settings: QuerySettings = QuerySettings()
    """How queries of users run."""


class ServerOptions(Struct, frozen=True, kw_only=True):
    """Where a server listens, and what its users may do; the repr omits the token."""

    host: str
    port: int
    token: str | None
    public_url: str | None = None
    """Address that users of a proxy see."""
    proxy: str | None = None
    """Address from which the proxy connects."""
    origins: tuple[str, ...] = ()
    """Origins whose pages may read the API."""
    permissions: Permissions = READ_ONLY
    metrics_address: tuple[str, int] | None = None
    """Where metrics need no token."""

    def __repr__(self) -> str:
        return f"ServerOptions({self.host!r}, {self.port!r})"


TOKEN_VARIABLE = "RECCE_META_TOKEN"
SHORTEST_TOKEN = 16
"""Number of characters of a token; shorter ones can be guessed."""


def read_token(file: Path | None, environ: Mapping[str, str]) -> str | None:
    """Return the token in *file*, else that of RECCE_META_TOKEN; None if there is none.

    Raises UsageError if others can read the file, or if the token is short or has odd characters.
    """
    if file is None:
        token, where = environ.get(TOKEN_VARIABLE) or None, TOKEN_VARIABLE
    else:
        token, where = _content(file).strip(), str(file)
    if token is not None and len(token) < SHORTEST_TOKEN:
        raise UsageError(
            f"The token in {where} has fewer than {SHORTEST_TOKEN} characters",
            hint="python -c 'import secrets; print(secrets.token_urlsafe(32))' prints a good one",
        )
    if token is not None and not (token.isascii() and token.isprintable()):
        raise UsageError(
            f"The token in {where} has characters that a header cannot contain",
            hint="use one line of letters, digits and punctuation",
        )
    return token


def _content(file: Path) -> str:
    try:
        with file.open(encoding="utf-8") as opened:
            # The mode of the open file, not of the path: the path may lead to another file a moment later.
            mode = os.fstat(opened.fileno()).st_mode
            # Windows has no such bits: its rights are access lists.
            if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
                raise UsageError(f"Others can read the token file {file}", hint=f"chmod 600 {file}")
            return opened.read()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"Cannot read the token file {file}: {reason}", hint="check its path") from error


def bound_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens on *host* and *port*; port 0 takes any free one.

    Raises ConfigurationError if the port is in use, or the address is not one of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        # The socket stays open only if all steps succeed.
        with ExitStack() as opened:
            found = opened.enter_context(socket.socket(family, kind, protocol))
            if os.name == "posix":
                # A restarted server need not wait for old connections.
                # On Windows, the option would let two servers share the port.
                found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            found.bind(address)
            found.listen(256)
            opened.pop_all()
        return found
    except UnicodeError as error:
        raise ConfigurationError(
            f"Cannot listen on {host}: it is not a host name", hint="name an address of this machine"
        ) from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ConfigurationError(
                f"Port {port} is in use", hint="name another with --port, or stop the other server"
            ) from error
        if error.errno == errno.EACCES:
            raise ConfigurationError(
                f"Port {port} needs more rights", hint="use a port above 1023"
            ) from error
        raise ConfigurationError(
            f"Cannot listen on {host}: {error.strerror or error}", hint="name an address of this machine"
        ) from error


def serve_stores(
    stores: Mapping[str, OpenedStore],
    options: ServerOptions,
    *,
    page: str | None,
    say: Callable[[str], None],
    stopping: Callable[[], None] = lambda: None,
    service: RepositoryService | None = None,
    worker: AbstractContextManager[None] | None = None,
) -> None:
    """Serve *stores* until Ctrl-C or SIGTERM.

    *service* has the connections of repositories; None without a state. *worker* is entered once the port is
    bound, so that a server that cannot listen starts no job. *say* prints the address, and the browser opens
    its *page*, if any. *stopping* is called when the server begins to end. Raises UsageError if other
    machines can reach the server and it has no token, and for an invalid public URL, proxy or origin.
    """
    access = access_rules(options.host, options.token, options.public_url, options.proxy)
    access = replace(access, origins=frozenset(map(_origin, options.origins)))
    with closing(bound_socket(options.host, options.port)) as listening, worker or nullcontext():
        started = partial(_started, listening, say, page)
        _serve(stores, access, options, service, listening, started, stopping)


def access_rules(host: str, token: str | None, public_url: str | None, proxy: str | None = None) -> Access:
    """Return the rules of access to a server that listens on *host*.

    With a token, any name of a server that other machines reach is answered, unless *public_url* names it:
    a foreign page has neither the token nor the cookie. Raises UsageError without a token that *host* needs,
    and for an invalid *public_url* or *proxy*.
    """
    if proxy is not None:
        try:
            ip_address(proxy)
        except ValueError:
            raise UsageError(
                f"The proxy {quoted(proxy)} is not an IP address", hint="use an address such as 127.0.0.1"
            ) from None
        proxy = plain_address(proxy)
    if token is None and not is_loopback(host):
        raise UsageError(
            f"Listening on {host} requires a token, because other machines can reach it",
            hint=f"set {TOKEN_VARIABLE}, or name a file of mode 0600 with --token-file",
        )
    origin = None if public_url is None else server_addresses(public_url).server.lower()
    # The names by which other machines reach this one are unknown here; the token alone protects.
    if origin is None and not is_loopback(host):
        return Access(token, frozenset(), proxy=proxy)
    names = {*LOCAL_NAMES, host.lower()}
    if origin is not None:
        names.add(host_name(origin.partition("://")[2]))
    return Access(token, frozenset(names), origin, proxy)


def _origin(address: str) -> str:
    """Return the origin *address* as browsers send it. Raises UsageError for an address of a page."""
    origin = address.lower().rstrip("/")
    scheme, _, host = origin.partition("://")
    if scheme not in ("http", "https") or not host_name(host):
        raise UsageError(
            f"{quoted(address)} is not an origin",
            hint="use a scheme and a host, such as https://app.example.com",
        )
    return origin.removesuffix(":443" if scheme == "https" else ":80")


class Protocol(H11Protocol):
    """Connection that ends if its next request is not there in time: slow clients would use up all files."""

    _limit: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._limit_headers(self.cycle)

    def on_response_complete(self) -> None:
        # The call may begin the next request, which has arrived in time.
        last = self.cycle
        super().on_response_complete()
        self._limit_headers(last)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._limit is not None:
            self._limit.cancel()

    def _limit_headers(self, last: RequestResponseCycle | None) -> None:
        """Close the connection after a time in which no request follows *last*."""
        # uvicorn has a time limit after each answer, which ends with the first byte of the next request.
        if self._limit is not None:
            self._limit.cancel()
        self._limit = self.loop.call_later(REQUEST_SECONDS, self._close_without_request, last)

    def _close_without_request(self, last: RequestResponseCycle | None) -> None:
        if self.cycle is last:
            self.transport.close()


REQUEST_SECONDS = 20.0
"""Time in which the headers of a request must arrive, from the connection or the answer before."""


def _serve(
    stores: Mapping[str, OpenedStore],
    access: Access,
    options: ServerOptions,
    service: RepositoryService | None,
    listening: socket.socket,
    started: Callable[[], None],
    stopping: Callable[[], None],
) -> None:
    opened = {
        name: Store(name, one.connect, permissions=options.permissions, settings=one.settings)
        for name, one in stores.items()
    }

    class Server(uvicorn.Server):
        """Server that reports when it answers, and stops statements when it ends."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                started()
                threading.Thread(target=_prepare, args=(opened.values(),), name="pages", daemon=True).start()

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            stopping()
            # uvicorn waits for open requests, which may wait for statements: these end first.
            for store in opened.values():
                store.stop()
            # Waiting in the loop would stop the answers to those requests.
            await asyncio.to_thread(_close_queries, opened.values())
            await super().shutdown(sockets)

    # Addresses contain SQL, so no access log has them. With headers of proxies, a local client could
    # choose the address by which its wrong tokens are counted.
    config = uvicorn.Config(
        create_app(opened, access, service), log_config=None, access_log=False, server_header=False,
        proxy_headers=False, http=Protocol, ws="none", lifespan="on", timeout_graceful_shutdown=1,
    )  # fmt: skip
    for name in ("uvicorn", "asyncio"):  # asyncio prints a traceback for each connection without a file
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        with ExitStack() as stack:
            if options.metrics_address is not None:
                state = None if service is None else service.state
                metrics = Metrics(state, opened.values())
                stack.enter_context(listening_for_metrics(options.metrics_address, metrics))
            Server(config).run(sockets=[listening])
    except KeyboardInterrupt:  # uvicorn raises the signal again after it has ended
        pass
    finally:
        for store in opened.values():
            store.close()


def _prepare(stores: Iterable[Store]) -> None:
    """Compile the templates, and compute the newest diffs now and whenever a store has changed."""
    compile_templates()
    for store in stores:
        store.on_change = partial(_start_diffs, store, threading.Lock(), threading.Semaphore(2))
        prepare_diffs(store)


def _start_diffs(store: Store, running: threading.Lock, threads: threading.Semaphore) -> None:
    """Compute the newest diffs of *store* in a thread.

    Of two *threads*, one is *running*. The other waits, and then sees all changes until its start.
    """

    def run() -> None:
        with running:
            try:
                prepare_diffs(store)
            finally:
                threads.release()

    if threads.acquire(blocking=False):
        threading.Thread(target=run, name=f"diffs of {store.name}", daemon=True).start()


def _close_queries(stores: Iterable[Store]) -> None:
    """Cancel the queries of all stores, and wait until their statements have ended."""
    for store in stores:
        store.queries.close()


def _started(listening: socket.socket, say: Callable[[str], None], page: str | None) -> None:
    host, port = listening.getsockname()[:2]
    # The address of all interfaces is one to listen on: not every system can connect to it.
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
    say(f"Serving on {address} (Ctrl-C stops)")
    if page is not None and has_browser(os.environ):
        # Some browsers block until they are closed; a daemon thread never delays the end of the server.
        threading.Thread(target=webbrowser.open, args=(urljoin(address, page),), daemon=True).start()


def has_browser(environ: Mapping[str, str]) -> bool:
    """Return True if a browser has a screen: one in the terminal would take it over."""
    is_graphical = sys.platform in ("win32", "darwin") or "WSL_DISTRO_NAME" in environ
    return is_graphical or any(environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
