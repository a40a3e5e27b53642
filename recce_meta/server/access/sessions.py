"""Access to the server: who may ask, from which address, and what a browser may do with the answer.

- `Host` must be a known name: a foreign page could otherwise reach a server on localhost by a name of its own
  (DNS rebinding).
- `Origin` must be the server's own for every method that changes something.
- Deliveries of webhooks need neither: their signature decides, see `webhooks`.
- With a token, a request needs `Authorization: Bearer TOKEN`, or the cookie that the login page sets.
- Tokens of the state database have a scope, which must include that of the route: see `scopes`.
- Sessions are in the state, for all processes that share it and have one token; without a state, in memory.
- Every answer has a policy that forbids foreign and inline scripts and styles.

A valid token is never refused, however many wrong ones its address has sent: tokens are too long to guess.
Wrong ones are counted by address, and get another answer above a limit.

`Forwarded` and `X-Forwarded-*` are ignored, because any client can send them; of one proxy, which `serve`
names, the last address in `X-Forwarded-For` is that of its client. The public URL says whether browsers use
TLS, and which name they use.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from ipaddress import IPv6Address, ip_address
from threading import Lock
from typing import Protocol
from urllib.parse import parse_qs, urlencode, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request, cookie_parser
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recce_meta.errors import RecceMetaError
from recce_meta.repositories.state.audit import Actor, AuditOrigin, acting_as
from recce_meta.repositories.state.tokens import TokenScope
from recce_meta.server.access.problems import API
from recce_meta.server.access.scopes import DELIVERIES, SAFE, Grant, scope_of

log = logging.getLogger(__name__)

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)
"""https://www.w3.org/TR/CSP3/"""
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
COOKIE = "recce_meta_session"
SECURE_COOKIE = f"__Host-{COOKIE}"
"""Name behind TLS: browsers accept it only if it is Secure, for this host alone and for all paths."""
SESSION_SECONDS = 12 * 3600
FAILURES = 10
"""Wrong tokens from one address within a minute after which further wrong ones get the status 429."""
FAILURE_SECONDS = 60.0
_DOUBTFUL = 2
"""Number of concurrent look-ups of tokens from addresses with many failures."""
KNOWN_ADDRESSES = 1000
"""Number of addresses whose failures are counted."""
LOCAL_NAMES = frozenset(["localhost", "127.0.0.1", "::1"])
LOGIN = "/login"
STATIC = "/static/"
HEALTH, READINESS = "/healthz", "/readyz"
"""Probes, which anyone may send."""
METRICS = "/metrics"
"""Metrics, whose reader names the server by its address."""
API_TOKEN = "rm_"
"""Beginning of tokens of the state database."""
_DATA = (".csv", ".json")
LARGEST_LOGIN = 4096
FORM_SECONDS = 20.0
"""Time in which a form must arrive."""
LONGEST_PATH = 8192
"""Number of bytes of a path. The longest part, a unique id, has hundreds."""


class Sessions(Protocol):
    """Open sessions of browsers, by names that do not reveal their secrets. Each method may block."""

    def add(self, name: str, seconds: float) -> None:
        """Add a session that ends after *seconds*."""

    def has(self, name: str) -> bool:
        """Return True if the session was added and has not ended."""

    def remove(self, name: str) -> None:
        """End a session."""


class ProcessSessions:
    """Sessions in the memory of one process, which end with it."""

    def __init__(self) -> None:
        self._ends: dict[str, float] = {}
        self._lock = Lock()

    def add(self, name: str, seconds: float) -> None:
        now = time.monotonic()
        with self._lock:
            # Nothing else removes ended sessions; logins are rare, so the pass over all of them is cheap.
            self._ends = {known: end for known, end in self._ends.items() if end > now}
            self._ends[name] = now + seconds

    def has(self, name: str) -> bool:
        return self._ends.get(name, 0.0) > time.monotonic()

    def remove(self, name: str) -> None:
        with self._lock:
            self._ends.pop(name, None)


@dataclass
class Access:
    """Rules of access, and the sessions of browsers."""

    token: str | None = field(default=None, repr=False)
    """Token that every request needs; None on localhost."""
    hosts: Collection[str] = LOCAL_NAMES
    """Names in the Host header that are answered; empty for all, which requires a token."""
    public_origin: str | None = None
    """Scheme and host that browsers use, such as `https://recce.example.com`."""
    proxy: str | None = None
    """Address of the proxy whose `X-Forwarded-For` is believed."""
    find_token: Callable[[str], Grant | None] | None = field(default=None, repr=False)
    """Function that finds a token of the state database, which may block; None without a state."""
    note_refusal: Callable[[str], None] | None = field(default=None, repr=False)
    """Function that notes a wrong token of an address in the state, which may block; None without a state."""
    origins: Collection[str] = ()
    """Origins of other sites whose pages may read the API; their requests have no cookie."""
    sessions: Sessions = field(default_factory=ProcessSessions, repr=False, compare=False)
    """Sessions of this process, or of all processes with one state."""
    _failures: OrderedDict[str, list[float]] = field(default_factory=OrderedDict, repr=False, compare=False)
    _lock: Lock = field(default_factory=Lock, repr=False, compare=False)
    _doubtful: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(_DOUBTFUL), repr=False, compare=False
    )

    @property
    def is_https(self) -> bool:
        """True if browsers reach the server over TLS, behind a proxy."""
        return self.public_origin is not None and self.public_origin.startswith("https://")

    @property
    def cookie(self) -> str:
        """Name of the session's cookie."""
        return SECURE_COOKIE if self.is_https else COOKIE

    def is_token(self, given: str) -> bool:
        """Return True if *given* is the token; takes the same time for any text."""
        # `compare_digest` may reveal the length of its arguments, and digests have one length.
        return self.token is not None and hmac.compare_digest(_digest(given), _digest(self.token))

    def count_failure(self, address: str) -> None:
        """Count a wrong token of the client's *address*."""
        with self._lock:
            self._failures.setdefault(address, []).append(time.monotonic())
            # The first to go failed longest ago: a client with many addresses must not fill the memory.
            self._failures.move_to_end(address)
            while len(self._failures) > KNOWN_ADDRESSES:
                self._failures.popitem(last=False)

    def checks(self, given: str) -> bool:
        """Return True if the token *given* of a request decides what the request may do."""
        return self.token is not None or (self.find_token is not None and given.startswith(API_TOKEN))

    async def granted(self, given: str, address: str) -> Grant | None:
        """Return what the token *given* allows; None for a wrong one, which is counted for *address*."""
        if self.is_token(given):
            return Grant("token of serve", has_token=True)
        found = None
        # Texts without the prefix cannot be stored tokens and never reach the database.
        if self.find_token is not None and given.startswith(API_TOKEN):
            # An attacker must not keep the state database busy.
            async with self._doubtful if self.is_refused(address) else nullcontext():
                found = await run_in_threadpool(self.find_token, given)
        if found is None:
            await self.refuse(address)
        return found

    async def refuse(self, address: str) -> None:
        """Count a wrong token of the client's *address*, and note the first ones of each minute."""
        self.count_failure(address)
        if self.note_refusal is not None and not self.is_refused(address):
            async with self._doubtful:
                await run_in_threadpool(self.note_refusal, address)

    def is_refused(self, address: str) -> bool:
        """Return True if *address* has sent many wrong tokens within a minute."""
        now = time.monotonic()
        with self._lock:
            recent = [at for at in self._failures.pop(address, ()) if now - at < FAILURE_SECONDS]
            if recent:
                self._failures[address] = recent
            return len(recent) >= FAILURES

    async def new_session(self) -> str:
        """Return the secret of a new session."""
        session = secrets.token_urlsafe(32)
        await run_in_threadpool(self.sessions.add, self._name(session), SESSION_SECONDS)
        return session

    async def has_session(self, session: str) -> bool:
        """Return True if *session* was created by `new_session` with the same token and has not ended."""
        return self.token is not None and await run_in_threadpool(self.sessions.has, self._name(session))

    async def log_out(self, session: str) -> None:
        """End *session*."""
        await run_in_threadpool(self.sessions.remove, self._name(session))

    def _name(self, session: str) -> str:
        """Return the name of *session*, which ends with the token: another token gives another name."""
        # Digests, not sessions: a copy of the state gives no access.
        return hmac.new(_digest(self.token or ""), _digest(session), sha256).hexdigest()

    def session_of(self, headers: Headers) -> str | None:
        """Return the session in the cookie of a request."""
        return cookie_parser(headers.get("cookie", "")).get(self.cookie)

    def is_known(self, host: str) -> bool:
        """Return True if the Host header *host* names this server."""
        name = host_name(host)
        # A request of HTTP/1.0 may lack the header; a malformed header has no name and is refused.
        return name in self.hosts if self.hosts else bool(name) or not host

    def is_own_origin(self, headers: Headers) -> bool:
        """Return True unless a page of another site sends the request.

        Every browser sends `Sec-Fetch-Site` or `Origin` with a request that may change something.
        """
        # Browsers send `Sec-Fetch-Site` only over TLS and to localhost, so `Origin` is needed as well.
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if origin is not None:
            given = origin.lower()
            return given == self.public_origin or urlsplit_host(given) == headers.get("host", "").lower()
        # Without both headers, the sender is a program, which has no session of a browser.
        has_session = f"{self.cookie}=" in headers.get("cookie", "")
        return not has_session if site is None else site in ("same-origin", "none")


def _digest(text: str) -> bytes:
    return sha256(text.encode("utf-8", "surrogateescape")).digest()


def urlsplit_host(url: str) -> str | None:
    """Return host and port of *url*; None if it is malformed or has none."""
    try:
        return urlsplit(url).netloc or None
    except ValueError:
        return None


def host_name(host: str) -> str:
    """Return the name in a Host header, without its port.

    >>> host_name("[::1]:8765"), host_name("LOCALHOST:8765")
    ('::1', 'localhost')
    """
    found = _HOST.fullmatch(host.lower())
    # `localhost.` is the same name for browsers, with its root written out.
    return (found[1] or found[2]).removesuffix(".") if found else ""


_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::[0-9]{1,5})?")
"""A Host header: user information and paths are no part of it."""


def is_loopback(host: str) -> bool:
    """Return True if only this machine can reach the address *host*."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def client_address(scope: Scope) -> str:
    """Return the address from which a request comes; that of the proxy behind an unknown proxy."""
    client = scope.get("client")
    return plain_address(str(client[0])) if client else ""


def plain_address(address: str) -> str:
    """Return *address* in one spelling: a socket for both versions of IP names IPv4 clients as IPv6.

    >>> plain_address("::ffff:127.0.0.1"), plain_address("0:0::1"), plain_address("localhost")
    ('127.0.0.1', '::1', 'localhost')
    """
    try:
        found = ip_address(address)
    except ValueError:
        return address
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return str(mapped or found)


Failed = Callable[[Exception, Request], Awaitable[Response]]
"""Function that answers a request which failed."""


class AccessMiddleware:
    """ASGI middleware that applies `Access` to every request, and sends the headers of safety."""

    def __init__(self, app: ASGIApp, access: Access, failed: Failed) -> None:
        """Create the middleware around *app*; *failed* answers what *app* raises."""
        self._app, self._access, self._failed = app, access, failed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        self._believe_proxy(scope)
        is_started = is_complete = False

        async def send_safely(message: Message) -> None:
            nonlocal is_started, is_complete
            is_complete = message["type"] == "http.response.body" and not message.get("more_body")
            if message["type"] == "http.response.start":
                is_started = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            refusal = await self._refusal(scope, Headers(scope=scope))
            with acting_as(_actor(scope)):
                await (refusal or self._app)(scope, receive, send_safely)
        except ClientDisconnect:
            return
        except Exception as error:
            if is_complete:  # the API has answered, and raises the error again
                return
            # Also for its log, if the answer has begun and cannot be replaced.
            answer = await self._failed(error, Request(scope))
            if is_started:
                raise
            await answer(scope, receive, send_safely)

    def _believe_proxy(self, scope: Scope) -> None:
        """Replace the address of the known proxy in *scope* by that of its client."""
        if self._access.proxy is None or client_address(scope) != self._access.proxy:
            return
        # The proxy adds the address at the end; the client may have sent those before it.
        given = ",".join(Headers(scope=scope).getlist("x-forwarded-for")).rpartition(",")[2].strip()
        with suppress(ValueError):
            ip_address(given)
            scope["client"] = (plain_address(given), 0)

    async def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        """Return why a request is not answered; None if it is. Stores who sends it in the scope."""
        path = str(scope["path"])
        # Probes name the server by its address, and have no token.
        if path in (HEALTH, READINESS) and scope["method"] in SAFE:
            return None
        # First of all: a page that rebinds a name must not even learn whether it has a session.
        # With a token in the header, no browser has sent the request.
        is_scrape = path == METRICS and self._access.token is not None and _bearer(headers) is not None
        if not is_scrape and not self._access.is_known(headers.get("host", "")):
            return refused(
                path, 400, "This server does not have this name", "use the address that serve printed"
            )
        if len(raw_path(scope)) > LONGEST_PATH:
            return refused(path, 414, "The address is too long", "shorten it")
        # The route checks the signature: forges have no token, and no browser sends it.
        if scope["method"] == "POST" and path in DELIVERIES:
            return None
        # The login page needs its style sheet before anyone is logged in.
        is_open = path == LOGIN or path.startswith(STATIC)
        try:
            grant = None if is_open else await self._grant(scope, headers)
        except RecceMetaError as error:
            # The message names the address of the state, and the sender may be anyone.
            log.warning("A session or token could not be checked: %s", error.message)
            answer = refused(path, 503, "The state of the server does not answer", "try again in a moment")
            answer.headers["Retry-After"] = "2"
            return answer
        has_token = grant is not None and grant.has_token
        # A page of another site cannot add the header Authorization, so a token needs no origin.
        if scope["method"] not in SAFE and not has_token and not self._access.is_own_origin(headers):
            return refused(path, 403, "The request comes from another site", "use the server's own pages")
        if is_open:
            return None
        if grant is None:
            return self._without_token(scope, headers)
        needed = scope_of(str(scope["method"]), path)
        if not grant.reaches(str(scope["method"]), path):
            return _out_of_reach(path)
        if not grant.allows(needed):
            return _out_of_scope(path, grant, needed)
        scope.setdefault("state", {})["grant"] = grant
        return None

    async def _grant(self, scope: Scope, headers: Headers) -> Grant | None:
        """Return who sends a request, and what it may do; None without a token that it needs."""
        address, bearer = client_address(scope), _bearer(headers)
        session = self._access.session_of(headers)
        # Browsers add cookies to requests of pages on other ports of the host: a session is not a token.
        if session is not None and await self._access.has_session(session):
            # A short name, which reveals nothing of its secret.
            return Grant(f"session {_digest(session).hex()[:8]}")
        if bearer is not None and self._access.checks(bearer):
            return await self._access.granted(bearer, address)
        return Grant(address) if self._access.token is None else None

    def _without_token(self, scope: Scope, headers: Headers) -> Response:
        """Return the answer to a request without a session and a valid token."""
        path, is_bearer = str(scope["path"]), _bearer(headers) is not None
        # 429 instead of 401: a program with the right token learns why it is refused.
        if is_bearer and self._access.is_refused(client_address(scope)):
            return too_many(path)
        # Programs cannot fill in a login page, and would read it as data.
        if is_bearer or path.startswith(API) or path.endswith(_DATA) or path == METRICS:
            answer = refused(API, 401, "A token is required", "send Authorization: Bearer TOKEN")
            answer.headers["WWW-Authenticate"] = "Bearer"
            return answer
        target = raw_path(scope).decode("latin-1")
        target += f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else ""
        return RedirectResponse(f"{LOGIN}?{urlencode({'next': target})}", 303, {"Cache-Control": "no-store"})


def _actor(scope: Scope) -> Actor:
    """Return who sends a request, for the audit."""
    grant, address = scope.get("state", {}).get("grant"), client_address(scope)
    if grant is None and str(scope["path"]) in DELIVERIES:
        return Actor("webhook", AuditOrigin.WEBHOOK, address)
    return Actor("" if grant is None else grant.name, AuditOrigin.REQUEST, address)


def _bearer(headers: Headers) -> str | None:
    """Return the token of the header Authorization."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else None


def _out_of_scope(path: str, grant: Grant, needed: TokenScope) -> Response:
    scopes = ", ".join(sorted(scope.value for scope in grant.scopes))
    return refused(
        path,
        403,
        f"The request needs the scope {needed.value}; the token has {scopes}",
        f"use a token of recce-meta token add --scope {needed.value}",
        code="wrong_scope",
    )


def _out_of_reach(path: str) -> Response:
    # The same answer for all addresses: it must not reveal which stores and connections exist.
    return refused(
        path,
        403,
        "The token is bound to one connection",
        "it reaches /api/metadata/connections; use a token of recce-meta token add without --connection",
        code="wrong_scope",
    )


def raw_path(scope: Scope) -> bytes:
    """Return the path as the client encoded it; some servers append the parameters to it."""
    # The decoded path would lose `%2F` and other escapes that a redirect must repeat.
    raw: bytes = scope.get("raw_path") or str(scope["path"]).encode("utf-8", "surrogateescape")
    return raw.partition(b"?")[0]


def refused(path: str, status: int, message: str, hint: str, *, code: str | None = None) -> Response:
    """Return a refusal: JSON for the API, else plain text. *code* is by default that of *status*."""
    headers = {"Cache-Control": "no-store"}
    if path.startswith(API):
        error = {"code": code or _CODES[status], "message": message, "hint": hint}
        return JSONResponse({"error": error}, status, headers)
    return Response(f"{message}: {hint}.\n", status, headers, "text/plain")


_CODES = {
    400: "unknown_host",
    401: "unauthorized",
    403: "foreign_origin",
    413: "too_large",
    414: "address_too_long",
    429: "too_many_failures",
    503: "unreachable",
}
"""Codes of the API's errors."""


def too_many(path: str) -> Response:
    """Return the refusal of an address that has sent many wrong tokens."""
    answer = refused(path, 429, "Too many wrong tokens", "try again in a minute")
    answer.headers["Retry-After"] = f"{FAILURE_SECONDS:.0f}"
    return answer


def own_path(target: str) -> str:
    """Return the path *target* of this server, to which a login leads; the overview for anything else."""
    # Browsers read `//` and `/\` as the start of another host, and skip tabs and line breaks.
    is_own = target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
    return target if is_own else "/"


async def read_body(request: Request, most: int) -> bytes | None:
    """Return the body of *request*; None, without reading on, if it has more than *most* bytes."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > most:
            return None
    return body


async def read_form(request: Request, most: int) -> bytes | None:
    """Return the body of a form; None if it has more than *most* bytes.

    Raises ClientDisconnect after FORM_SECONDS: anyone may send a form, and would hold a connection for ever.
    """
    try:
        return await asyncio.wait_for(read_body(request, most), FORM_SECONDS)
    except asyncio.TimeoutError as error:
        raise ClientDisconnect from error


async def log_in(request: Request, access: Access) -> Response | str:
    """Answer the form of the login page; return the path to which the login leads if the token is wrong."""
    body = await read_form(request, LARGEST_LOGIN)
    if body is None:
        answer = refused("", 413, "The form is too large", "send the token alone")
        # The rest of the body is never read, so the connection cannot carry another request.
        answer.headers["Connection"] = "close"
        return answer
    form = parse_qs(body.decode("utf-8", "replace"))
    address, target = client_address(request.scope), own_path(form.get("next", ["/"])[0])
    if not access.is_token(form.get("token", [""])[0].strip()):
        await access.refuse(address)
        return too_many("") if access.is_refused(address) else target
    answer = RedirectResponse(target, 303)
    # `lax`: links from a chat or a pull request keep the session, and forms of other sites lack it.
    answer.set_cookie(
        access.cookie,
        await access.new_session(),
        max_age=SESSION_SECONDS,
        httponly=True,
        samesite="lax",
        secure=access.is_https,
        path="/",
    )
    return answer


async def log_out(request: Request, access: Access) -> Response:
    """End the session of the browser, and return to the login page."""
    session = access.session_of(request.headers)
    if session is not None:
        await access.log_out(session)
    answer = RedirectResponse(LOGIN, 303)
    # Browsers accept a change of a `__Host-` cookie only if it is Secure and for the path `/`.
    answer.delete_cookie(access.cookie, path="/", secure=access.is_https, httponly=True, samesite="lax")
    return answer
