"""Client of a recce-meta server, for commands: requests, refusals, attempts, and the token.

The token is only sent to the given host, over TLS or on this machine, and no redirect is followed.
"""

from __future__ import annotations

import http.client
import ipaddress
import random
import ssl
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import msgspec
from msgspec import Struct

from recce_meta.adapter.cancellation import is_impatient
from recce_meta.errors import ConfigurationError, RecceMetaError, UsageError, shorten
from recce_meta.repositories.git.address import ALLOWED_HOSTS, AddressRules

TOKEN = "RECCE_META_TOKEN"
"""Environment variable of the token. No option has it: other users of the machine can read command lines."""
DELAYS = (1.0, 4.0, 15.0)
"""Seconds before each further attempt."""
LONGEST_DELAY = 60.0
"""Seconds that are waited at most if the server asks for more."""
CONNECT_SECONDS = 30.0
ANSWER_SECONDS = 420.0
"""Time for the answer to an upload: the server may read it for minutes."""
HURRIED_SECONDS = 50.0
"""The same time while a job of the user waits."""
LARGEST_ANSWER = 2**24
"""Bytes of an answer that is kept in memory."""
LARGEST_FILE = 2**28
"""Bytes of an answer that is written to a file."""
_PIECE = 2**16
_FAILED = (502, 504)
"""Statuses of proxies whose server does not answer."""
_BUSY = (429, 503)
"""Statuses of a server that may say when to try again."""

Report = Callable[[str], None]


class RequestFailed(RecceMetaError):
    """The server cannot be reached, or refuses a request with *status* and the *code* of an error."""

    def __init__(
        self, message: str, *, hint: str | None = None, status: int | None = None, code: str = ""
    ) -> None:
        super().__init__(message, hint=hint)
        self.status, self.code = status, code


class ServerAddress(Struct, frozen=True, kw_only=True):
    """Address of a server that may get the token."""

    scheme: str
    host: str
    port: int
    path: str
    """Path of the server behind a proxy, without a slash in the end; mostly empty."""

    @property
    def netloc(self) -> str:
        """Host and port."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class ServerUse(Struct, frozen=True):
    """What a server is asked for, in messages."""

    option: str
    """Where its address comes from."""
    scope: str
    """Scope of the token, and further options of `token add`."""

    @property
    def token_hint(self) -> str:
        """Hint for a missing or wrong token."""
        return f"set {TOKEN} to a token of recce-meta token add NAME --scope {self.scope}"


UPLOADS = ServerUse("--to", "upload --connection CONNECTION")
EXCHANGES = ServerUse("the remote", "write")


class ServerAnswer(Struct, frozen=True):
    """Answer to one request."""

    status: int
    headers: Mapping[str, str]
    """Names are in lower case."""
    body: bytes


class _ErrorBody(Struct, frozen=True):
    message: str = ""
    hint: str | None = None
    code: str = ""


class _Error(Struct, frozen=True):
    error: _ErrorBody = _ErrorBody()


def parse_server(text: str, environ: Mapping[str, str], use: ServerUse = UPLOADS) -> ServerAddress:
    """Return the address of a server.

    Raises UsageError unless it is an https address, or an http one of this machine or of an allowed host.
    """
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname or "", parts.port or {"http": 80}.get(parts.scheme, 443)
    except ValueError:
        raise _not_a_server(use) from None
    is_plain = parts.scheme in ("http", "https") and not parts.query and not parts.fragment
    if not is_plain or not host or not text.isascii() or any(one <= " " for one in text.strip()):
        raise _not_a_server(use)
    if "@" in parts.netloc:
        raise UsageError(f"{_capitalised(use.option)} has credentials", hint=use.token_hint)
    is_allowed = is_local(host) or AddressRules.read(environ).has_allowed(host, port)
    if parts.scheme == "http" and not is_allowed:
        raise UsageError(
            f"Plain HTTP is refused: everyone on the way to {host} could read the token",
            hint=f"use https://{parts.netloc}{parts.path}, or list the host in {ALLOWED_HOSTS}",
        )
    return ServerAddress(scheme=parts.scheme, host=host, port=port, path=parts.path.rstrip("/"))


def _not_a_server(use: ServerUse) -> UsageError:
    # Without the text: a token may have been given in place of the address.
    return UsageError(
        f"{_capitalised(use.option)} is not the address of a server", hint="use an address like https://HOST"
    )


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def is_local(host: str) -> bool:
    """Return True if *host* is this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class ServerClient:
    """Client of one server, which gets the token of the environment."""

    def __init__(
        self, address: ServerAddress, environ: Mapping[str, str], *, say: Report, use: ServerUse = UPLOADS
    ) -> None:
        """Create the client. Raises ConfigurationError for a token that cannot be one."""
        self.address = address
        self._use = use
        self._say = say
        self._token = environ.get(TOKEN, "").strip()
        if not self._token.isascii() or not self._token.isprintable() or " " in self._token:
            raise ConfigurationError(f"{TOKEN} is not a token", hint=use.token_hint)

    def send(
        self,
        method: str,
        path: str,
        file: Path | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        body: bytes | None = None,
        into: Path | None = None,
        report: Report | None = None,
    ) -> ServerAnswer:
        """Return the answer to a request with *body* or the content of *file*; repeat it if that may help.

        With *into*, the content of the answer is written to this file. Raises RequestFailed for an answer
        that is not a success; the status 304 is one.
        """
        for delay in (*DELAYS, None):
            try:
                answer = self._sent(method, path, file or body, headers or {}, into, report)
            except (OSError, http.client.HTTPException) as error:
                failure, wait = self._unreachable(error), 0.0
                if isinstance(error, ssl.SSLCertVerificationError):
                    raise failure from None
            else:
                if 200 <= answer.status < 300 or answer.status == 304:
                    return answer
                failure = self._refused(answer)
                found = _retry_after(answer)
                if found is None:
                    raise failure
                wait = found
            if delay is None or wait > LONGEST_DELAY:
                raise failure
            # Jobs that were refused together must not return together.
            seconds = max(delay, wait) * (1 + random.random() / 5)
            self._say(f"{failure.message}; trying again in {seconds:.0f} s")
            time.sleep(seconds)
        raise AssertionError("the last attempt returns or raises")

    def _sent(
        self,
        method: str,
        path: str,
        content: Path | bytes | None,
        headers: Mapping[str, str],
        into: Path | None,
        report: Report | None,
    ) -> ServerAnswer:
        connection = self._connection()
        try:
            given = {
                "Accept": "application/json",
                "User-Agent": "recce-meta",
                "Connection": "close",
                **headers,
            }
            if self._token:
                given["Authorization"] = f"Bearer {self._token}"
            connection.connect()
            connection.sock.settimeout(HURRIED_SECONDS if is_impatient() else ANSWER_SECONDS)
            path = f"{self.address.path}{path}"
            if not isinstance(content, Path):
                connection.request(method, path, content, given)
            else:
                size = content.stat().st_size
                given["Content-Length"] = str(size)
                # A server that refuses an upload answers before it has arrived, and hangs up.
                with suppress(BrokenPipeError, ConnectionResetError):
                    connection.request(method, path, _pieces(content, size, report), given)
            with connection.getresponse() as answer:
                body = _kept(answer, into) if answer.status == 200 and into else _read(answer)
                found = {name.lower(): value for name, value in answer.getheaders()}
                return ServerAnswer(answer.status, found, body)
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        """Return a connection to the server, or to the proxy that leads to it."""
        address = self.address
        if address.scheme == "http":
            # Without a proxy, which could read the token.
            return http.client.HTTPConnection(address.host, address.port, timeout=CONNECT_SECONDS)
        # The default context finds the certificates of SSL_CERT_FILE and SSL_CERT_DIR.
        options: dict[str, Any] = {"timeout": CONNECT_SECONDS, "context": ssl.create_default_context()}
        proxy = None if proxy_bypass(address.host) else getproxies().get("https")
        if proxy is None:
            return http.client.HTTPSConnection(address.host, address.port, **options)
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        connection = http.client.HTTPSConnection(parts.hostname or "", parts.port or 80, **options)
        login = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
        basic = {"Proxy-Authorization": f"Basic {b64encode(login.encode()).decode()}"}
        connection.set_tunnel(address.host, address.port, basic if parts.username else {})
        return connection

    def _unreachable(self, error: Exception) -> RequestFailed:
        if isinstance(error, ssl.SSLCertVerificationError):
            return RequestFailed(
                f"The certificate of {self.address.netloc} is not accepted: {error.verify_message}",
                hint="name the file of your certificate authority in SSL_CERT_FILE",
            )
        reason = "no answer in time" if isinstance(error, TimeoutError) else str(error)
        return RequestFailed(
            f"{self.address.netloc} cannot be reached: {reason or type(error).__name__}",
            hint="check the address, the network, and that recce-meta serve runs",
        )

    def _refused(self, answer: ServerAnswer) -> RequestFailed:
        """Return the failure of *answer*, with the message and the hint of the server."""
        if 300 <= answer.status < 400:
            target = urlsplit(answer.headers.get("location", ""))
            place = f"{target.scheme}://{target.netloc}" if target.netloc else "another address"
            return RequestFailed(
                f"{self.address.netloc} redirects to {place}, and would pass the token on",
                hint=f"use the address that the server itself has as {self._use.option}",
                status=answer.status,
            )
        try:
            found = msgspec.json.decode(answer.body, type=_Error).error
        except (msgspec.DecodeError, UnicodeDecodeError):
            found = _ErrorBody()
        if not found.message:
            return RequestFailed(
                f"{self.address.netloc} answered with the status {answer.status}",
                hint="check that it is the address of recce-meta serve",
                status=answer.status,
            )
        hint = self._use.token_hint if answer.status == 401 else found.hint
        return RequestFailed(
            f"{self.address.netloc}: {shorten(found.message, 1_000)}",
            hint=hint,
            status=answer.status,
            code=found.code,
        )


def _read(answer: http.client.HTTPResponse) -> bytes:
    body = answer.read(LARGEST_ANSWER + 1)
    if len(body) > LARGEST_ANSWER:
        raise http.client.HTTPException("the answer is too large")
    return body


def _kept(answer: http.client.HTTPResponse, file: Path) -> bytes:
    """Write the content of *answer* to *file*, and return nothing of it."""
    written = 0
    with file.open("wb") as target:
        while piece := answer.read(_PIECE):
            written += len(piece)
            if written > LARGEST_FILE:
                raise http.client.HTTPException("the answer is too large")
            target.write(piece)
    # Without the check, an answer that was cut would be taken for a whole one.
    expected = answer.getheader("Content-Length")
    # A server that sends no number is damaged too.
    if expected is not None and expected != str(written):
        raise http.client.HTTPException("the answer was cut")
    return b""


def _retry_after(answer: ServerAnswer) -> float | None:
    """Return the seconds after which the request may succeed; None if it is refused for good."""
    if answer.status in _FAILED:
        return 0.0
    given = answer.headers.get("retry-after", "")
    # Without the header, the server is not merely busy: it has no state, or no store.
    return float(given) if answer.status in _BUSY and given.isdecimal() else None


def _pieces(file: Path, size: int, report: Report | None) -> Iterator[bytes]:
    sent = 0
    with file.open("rb") as source:
        while piece := source.read(_PIECE):
            yield piece
            sent += len(piece)
            if report is not None:
                report(f"uploading {size / 2**20:,.1f} MB, {100 * sent // size} %")
    if report is not None:
        report("waiting for the server to read the upload")
