"""Requests over HTTPS to APIs of forges and to addresses of notifications.

The same rules as for git apply: only public hosts, at the addresses that were checked, unless
`RECCE_META_ALLOWED_HOSTS` lists the host, which may then also use plain HTTP. No redirect is followed,
because its target is not checked. `GIT_SSL_CAINFO` names further certificate authorities, and the proxies are
those of the service. Failures name the server only: the path of an address and every header may be secret.
"""

from __future__ import annotations

import asyncio
import http.client
import re
import socket
import ssl
import threading
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from enum import Enum
from functools import partial
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from msgspec import Struct

from recce_meta.errors import RecceMetaError
from recce_meta.repositories.git.address import AddressRules, RepositoryAddress, check_host, parse_server
from recce_meta.repositories.git.failures import GitFailure, GitFailureKind

LARGEST_ANSWER = 4 * 2**20
"""Most bytes of an answer."""
LONGEST_URL = 8_000
SECONDS = 30.0
"""Time for a request and its answer."""
_URL = re.compile(r"https?://[!-~]+")
_HEADER = re.compile(r"[ -~]+")
_PART = 65_536


class HttpFailureKind(str, Enum):
    """Cause of a request without an answer."""

    ADDRESS = "address"
    """The address is invalid, or leads to a host that is not public."""
    CERTIFICATE = "certificate"
    """The certificate of the server is not accepted."""
    NETWORK = "network"
    """The server cannot be reached, or its answer does not arrive; a later attempt may succeed."""
    ANSWER = "answer"
    """The answer is too large."""


class HttpFailure(RecceMetaError):
    """A request without an answer."""

    def __init__(self, kind: HttpFailureKind, message: str, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.kind = kind


class HttpAnswer(Struct, frozen=True):
    """Answer of a server; the repr omits headers and body, which may contain tokens."""

    status: int
    headers: Mapping[str, str]
    """Names are in lower case; values of headers with one name are joined by commas."""
    body: bytes

    def __repr__(self) -> str:
        return f"HttpAnswer(status={self.status}, {len(self.body)} bytes)"


class HttpClient:
    """Client for public and for allowed hosts; *environ* is the environment of the service."""

    def __init__(
        self, environ: Mapping[str, str], *, seconds: float = SECONDS, largest: int = LARGEST_ANSWER
    ) -> None:
        self._rules = AddressRules.read(environ)
        self._authorities = environ.get("GIT_SSL_CAINFO") or None
        self._proxies = {
            name.lower().removesuffix("_proxy"): value
            for name, value in environ.items()
            if name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY") and value
        }
        self._seconds = seconds
        self._largest = largest
        self._context: ssl.SSLContext | None = None

    async def send(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> HttpAnswer:
        """Send a request and return its answer, of whatever status.

        Raises HttpFailure if the address is refused, or no whole answer arrives.
        """
        try:
            pinned = await check_host(self._server_of(url))
        except GitFailure as error:
            is_address = error.kind is GitFailureKind.ADDRESS
            kind = HttpFailureKind.ADDRESS if is_address else HttpFailureKind.NETWORK
            raise HttpFailure(kind, error.message, hint=error.hint) from None
        send = partial(self.send_checked, method, url, pinned, headers=headers, body=body)
        return await asyncio.to_thread(send)

    def send_checked(
        self,
        method: str,
        url: str,
        pinned: Sequence[str],
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> HttpAnswer:
        """Send a request in this thread, to one of the addresses that `check_host` has returned.

        Raises HttpFailure as `send` does.
        """
        _check(url, headers or {})
        parts = urlsplit(url)
        server, host = f"{parts.scheme}://{parts.netloc}", parts.hostname or ""
        handlers = [_NoRedirects(), urllib.request.ProxyHandler(self._proxies_of(parts.scheme, host))]
        watch = _TimeLimit(self._seconds)
        handlers.append(_Http(watch))
        handlers.append(_Https(host, pinned, self._tls(), watch))
        opener = urllib.request.build_opener(*handlers)
        # The default would name the version of Python.
        opener.addheaders = [("User-Agent", "recce-meta")]
        request = urllib.request.Request(url, data=body, method=method, headers=dict(headers or {}))
        with _failures(server, watch), watch:
            return self._answer(opener, request, server, watch)

    def _answer(
        self,
        opener: urllib.request.OpenerDirector,
        request: urllib.request.Request,
        server: str,
        watch: _TimeLimit,
    ) -> HttpAnswer:
        try:
            answer: Any = opener.open(request, timeout=self._seconds)
        except HTTPError as error:
            answer = error
        with answer:
            body = b"".join(self._parts(answer, server))
            if watch.is_over:
                raise TimeoutError
            headers: dict[str, str] = {}
            for name, value in answer.headers.items():
                name = name.lower()
                headers[name] = f"{headers[name]}, {value}" if name in headers else value
            length = headers.get("content-length", "")
            # `read` takes an early end for the end.
            if request.method != "HEAD" and length.isdecimal() and len(body) < int(length):
                raise ConnectionResetError("the answer broke off")
            return HttpAnswer(int(answer.status), headers, body)

    def _parts(self, answer: Any, server: str) -> Iterator[bytes]:
        size = 0
        while part := answer.read(_PART):
            size += len(part)
            if size > self._largest:
                raise HttpFailure(
                    HttpFailureKind.ANSWER,
                    f"The answer of {server} has more than {self._largest:,} bytes",
                    hint="check the address: it may not be the one of an API",
                )
            yield part

    def _server_of(self, url: str) -> RepositoryAddress:
        """Return the server of *url*; its path is not parsed, because messages would quote it."""
        _check(url, {})
        try:
            parts = urlsplit(url)
        except ValueError:
            raise _invalid("The address is invalid") from None
        if "@" in parts.netloc:
            raise _invalid("The address contains credentials")
        return parse_server(f"{parts.scheme}://{parts.netloc}/", self._rules)

    def _proxies_of(self, scheme: str, host: str) -> dict[str, str]:
        """Return the proxy for *host*; none if `no_proxy` lists it."""
        found = self._proxies.get(scheme)
        for pattern in self._proxies.get("no", "").lower().replace(",", " ").split():
            name = pattern.lstrip(".")
            if pattern == "*" or host == name or host.endswith(f".{name}"):
                return {}
        return {scheme: found} if found else {}

    def _tls(self) -> ssl.SSLContext:
        if self._context is None:
            context = ssl.create_default_context()
            if self._authorities is not None:
                try:
                    context.load_verify_locations(self._authorities)
                except OSError as error:
                    raise HttpFailure(
                        HttpFailureKind.CERTIFICATE,
                        f"The certificates in {self._authorities} cannot be read: {error.strerror or error}",
                        hint="set GIT_SSL_CAINFO of the service to a file in PEM format",
                    ) from None
            self._context = context
        return self._context


def _check(url: str, headers: Mapping[str, str]) -> None:
    """Refuse what could end a line of the request; messages of `http.client` would quote it."""
    if len(url) > LONGEST_URL or not _URL.fullmatch(url):
        raise _invalid("The address is not an https address")
    for name, value in headers.items():
        if not _HEADER.fullmatch(value):
            raise HttpFailure(
                HttpFailureKind.ADDRESS,
                f"The value of the header {name} is invalid",
                hint="remove line breaks and special characters from the token",
            )


def _invalid(message: str) -> HttpFailure:
    return HttpFailure(HttpFailureKind.ADDRESS, message, hint="enter an address like https://HOST/PATH")


class _TimeLimit:
    """Limit of the time of a whole request: timeouts of sockets only limit the time between two bytes."""

    def __init__(self, seconds: float) -> None:
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self.is_over = False

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def follow(self, connected: socket.socket) -> None:
        """Close *connected* when the time is over."""
        with self._lock:
            self._socket = connected
            if self.is_over:
                self._shut()

    def _end(self) -> None:
        with self._lock:
            self.is_over = True
            self._shut()

    def _shut(self) -> None:
        if self._socket is not None:
            # Of the plain socket: that of an SSLSocket would also drop its TLS session, in use by a thread.
            with suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Handler that follows no redirect: its target is not checked."""

    def redirect_request(self, *_: Any) -> None:
        """Follow no redirect."""


class _Http(urllib.request.HTTPHandler):
    """Handler whose connections have a limit of time."""

    def __init__(self, watch: _TimeLimit) -> None:
        super().__init__()
        self._watch = watch

    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        """Open a connection to the host, or to the proxy."""
        return self.do_open(partial(_PlainConnection, watch=self._watch), request)


class _PlainConnection(http.client.HTTPConnection):
    """Connection to an allowed host, or to a proxy."""

    def __init__(self, host: str, *, watch: _TimeLimit, **options: Any) -> None:
        super().__init__(host, **options)
        self._watch = watch

    def connect(self) -> None:
        """Connect, with a limit of time."""
        super().connect()
        self._watch.follow(self.sock)


class _Https(urllib.request.HTTPSHandler):
    """Handler that connects to checked addresses."""

    def __init__(self, host: str, pinned: Sequence[str], context: ssl.SSLContext, watch: _TimeLimit) -> None:
        super().__init__(context=context)
        self._host, self._pinned, self._tls, self._watch = host, pinned, context, watch

    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        """Open a connection to a checked address, or to the proxy."""
        is_direct = urlsplit(f"//{request.host}").hostname == self._host
        pinned = self._pinned if is_direct else ()
        create = partial(_TlsConnection, pinned=pinned, tls=self._tls, watch=self._watch)
        return self.do_open(create, request)


class _TlsConnection(http.client.HTTPSConnection):
    """Connection to the first of the checked addresses that answers."""

    def __init__(
        self, host: str, *, pinned: Sequence[str], tls: ssl.SSLContext, watch: _TimeLimit, **options: Any
    ) -> None:
        super().__init__(host, context=tls, **options)
        self._pinned, self._tls, self._watch = pinned, tls, watch

    def connect(self) -> None:
        """Connect, and check the certificate of the host."""
        if self._pinned:
            self.sock = self._connected()
        else:
            http.client.HTTPConnection.connect(self)
        # The certificate is checked for the name, although the connection goes to an address or a proxy.
        name = getattr(self, "_tunnel_host", None) or self.host
        tls = self._tls.wrap_socket(self.sock, server_hostname=name, do_handshake_on_connect=False)
        self.sock = tls
        self._watch.follow(tls)
        tls.do_handshake()

    def _connected(self) -> socket.socket:
        for number, address in enumerate(self._pinned, start=1):
            try:
                return socket.create_connection((address, self.port), self.timeout)
            except OSError:
                if number == len(self._pinned):
                    raise
        raise ConnectionError("no address")


@contextmanager
def _failures(server: str, watch: _TimeLimit) -> Iterator[None]:
    """Raise HttpFailure in place of the errors of libraries, whose messages may quote the request."""
    try:
        yield
    except URLError as error:
        raise _unreachable(server, error.reason, watch) from None
    except (OSError, http.client.HTTPException) as error:
        raise _unreachable(server, error, watch) from None


def _unreachable(server: str, reason: object, watch: _TimeLimit) -> HttpFailure:
    if isinstance(reason, ssl.SSLCertVerificationError):
        return HttpFailure(
            HttpFailureKind.CERTIFICATE,
            f"The certificate of {server} is not accepted",
            hint="set GIT_SSL_CAINFO of the service to the file of your certificate authority",
        )
    if watch.is_over or isinstance(reason, TimeoutError):
        shown = "no answer in time"
    else:
        shown = str(reason) if isinstance(reason, (OSError, str)) else ""
    return HttpFailure(
        HttpFailureKind.NETWORK,
        f"{server} cannot be reached: {shown or type(reason).__name__}",
        hint="check the network of the service; the next attempt may succeed",
    )
