"""Addresses of repositories: HTTPS only, without credentials, and only on public hosts or on allowed ones.

A service that fetches any address it is given can be used to reach hosts that only the service can reach:
other machines of its network, and the metadata service of a cloud. So every address that a host name has must
be public, and `GitClient` makes git connect to those checked addresses: a second lookup could give others.

`RECCE_META_ALLOWED_HOSTS` lists hosts, with a port or without, that may have private addresses or use plain
HTTP: `git.example.internal, 10.0.0.5:8443`. Neither is their name resolved here, which an HTTP proxy may do.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.plugins import GIT
from recce_meta.repositories.git.failures import GitFailure, GitFailureKind

ALLOWED_HOSTS = "RECCE_META_ALLOWED_HOSTS"
"""Environment variable that lists hosts."""
LONGEST_ADDRESS = 1_000
LOOKUP_SECONDS = 20.0

_PORTS = {"https": 443, "http": 80}
_SSH = re.compile(r"(?:ssh://)?(?:[\w.-]+@)(?P<host>[\w.-]+)(?::\d+/|[:/])/?(?P<path>[^\s@]+)")
_LOCAL_PATH = re.compile(r"[./~\\]|[A-Za-z]:[\\/]|file:", re.I)
_BARE = re.compile(r"[\w-]+(?:\.[\w-]+)+(?::\d+)?/[^\s@]+")
"""An address without its scheme."""
_HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")
_PATH = re.compile(r"(?:/[A-Za-z0-9_.~%+@:,=-]+)+")
_DOT_SEGMENT = re.compile(r"(?:\.|%2e){1,2}", re.I)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_UNICAST = ipaddress.ip_network("2000::/3")
_SPECIAL = tuple(map(ipaddress.ip_network, ("192.0.0.0/24", "168.63.129.16/32", "3fff::/20")))
"""Networks that Python, or an older version of it, takes for public; 168.63.129.16 is a service of Azure."""
TOKEN_USER = "x-access-token"
"""User name for a token on servers that require this one, or ignore it."""


class AddressRules(Struct, frozen=True):
    """Rules for addresses."""

    allowed_hosts: frozenset[str] = frozenset()
    """`HOST` or `HOST:PORT` in lower case: may have private addresses, and use plain HTTP."""

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> AddressRules:
        """Return the rules that the environment sets."""
        return cls(frozenset(environ.get(ALLOWED_HOSTS, "").lower().replace(",", " ").split()))

    def has_allowed(self, host: str, port: int) -> bool:
        """Return True if the host, or this port of it, is allowed."""
        shown = f"[{host}]" if ":" in host else host
        return not self.allowed_hosts.isdisjoint((host, shown, f"{shown}:{port}"))


class RepositoryAddress(Struct, frozen=True, kw_only=True):
    """Normal form of the address of a repository."""

    scheme: str
    host: str
    """Lower case, without brackets."""
    port: int
    path: str
    """Begins with a slash; without `.git` on forges that need none."""
    forge: str = GIT
    """Kind of the server, guessed from its host."""
    has_suffix: bool = False
    """Whether git gets the address with `.git`, because the server redirects the other one."""
    token_user: str = TOKEN_USER
    """User name for a token without one."""
    is_allowed: bool = False
    """Whether `RECCE_META_ALLOWED_HOSTS` lists the host."""

    @property
    def server(self) -> str:
        """Return the scheme and the host, with the port if it is not the default."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"

    @property
    def url(self) -> str:
        """Return the address to show and to store: two spellings of one repository have the same."""
        return f"{self.server}{self.path}"

    @property
    def clone_url(self) -> str:
        """Return the address for git, which the server does not redirect."""
        return f"{self.url}.git" if self.has_suffix else self.url

    @property
    def repository(self) -> str:
        """Return the path without `.git`."""
        return self.path.removesuffix(".git")

    @property
    def name(self) -> str:
        """Return the last part of the path, without `.git`."""
        return self.repository.rpartition("/")[2]


def parse_repository(text: str, rules: AddressRules | None = None) -> RepositoryAddress:
    """Return the normal form of an address at any git server.

    Raises GitFailure if the address is not an HTTPS one, contains credentials, or has an invalid path.
    """
    text = text.strip()
    server, path = parse_server(text, rules), _split(text).path.rstrip("/")
    # Servers resolve `..` and `%2e%2e`, so that two spellings would name one repository.
    segments = path.split("/")[1:]
    is_invalid = not _PATH.fullmatch(path) or any(map(_DOT_SEGMENT.fullmatch, segments))
    if "?" in text or "#" in text or is_invalid or segments[0].startswith("-"):
        raise _refused(
            f"The path of the address is invalid: {server.server}{path}",
            "enter the address of one repository, without a query, such as https://HOST/OWNER/NAME",
        )
    return replace(server, path=path)


def parse_server(text: str, rules: AddressRules | None = None) -> RepositoryAddress:
    """Return the server of the address of a repository or a file; the path is `/`.

    >>> parse_server("https://github.com/acme/shop/archive/v1.tar.gz").url
    'https://github.com/'

    Raises GitFailure if the address is not an HTTPS one, or contains credentials.
    """
    rules = rules or AddressRules()
    text = text.strip()
    parts = _split(text)
    host, port = _host_of(parts)
    is_allowed = rules.has_allowed(host, port)
    if parts.scheme == "http" and not is_allowed:
        raise _refused(
            f"Plain HTTP is refused: {text}",
            f"use https://{parts.netloc}{parts.path}, or list the host in {ALLOWED_HOSTS}",
        )
    return RepositoryAddress(scheme=parts.scheme, host=host, port=port, path="/", is_allowed=is_allowed)


def is_public(address: str) -> bool:
    """Return True if an IP address can be reached from the whole Internet.

    >>> [is_public(one) for one in ("8.8.8.8", "10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1")]
    [True, False, False, False]

    Raises ValueError if *address* is not an IP address.
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        # An IPv6 address that contains an IPv4 one leads to that host, which may be private.
        inner = ip.ipv4_mapped or ip.sixtofour
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if ip not in _UNICAST:
            return False
    is_special = ip.is_multicast or ip.is_reserved or any(ip in network for network in _SPECIAL)
    return ip.is_global and not is_special


async def check_host(address: RepositoryAddress) -> tuple[str, ...]:
    """Return the only addresses that git may connect to; none for an allowed host.

    Raises GitFailure if the host is not found, or has an address that is not public.
    """
    if address.is_allowed:
        return ()
    found = await _look_up(address.host, address.port)
    # One private address suffices: the client of git may choose any of them.
    private = [one for one in found if not is_public(one)]
    if private:
        raise _refused(
            f"{address.host} is not a public host",
            f"if it is a server of your own network, add it to {ALLOWED_HOSTS} of the service",
        )
    return found


async def _look_up(host: str, port: int) -> tuple[str, ...]:
    loop = asyncio.get_running_loop()
    lookup = loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    try:
        answers = await asyncio.wait_for(lookup, LOOKUP_SECONDS)
    except socket.gaierror as error:
        # Other codes, such as EAI_AGAIN, are failures of the name server, and may heal.
        if error.errno in (socket.EAI_NONAME, socket.EAI_NODATA):
            raise _refused(f"Host {host} not found", "check the address of the repository") from None
        raise _unresolved(host) from None
    except (asyncio.TimeoutError, UnicodeError):
        raise _unresolved(host) from None
    return tuple(dict.fromkeys(str(answer[4][0]) for answer in answers))


def _split(text: str) -> SplitResult:
    """Return the parts of an address of the right form."""
    # `urlsplit` removes line breaks and tabs, and browsers read a backslash as a slash.
    if not text or len(text) > LONGEST_ADDRESS or not text.isprintable() or " " in text or "\\" in text:
        raise _refused("The address of the repository is invalid", "enter one like https://HOST/OWNER/NAME")
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme in _PORTS and parts.netloc:
        # The message must not quote the address, which has the password.
        if "@" in parts.netloc:
            raise _refused(
                "The address of the repository contains credentials",
                "remove them from the address, and give a token with --token-env",
            )
        return parts
    if found := _SSH.fullmatch(text):
        raise _refused(
            f"SSH addresses are not supported: {text}", f"use https://{found['host']}/{found['path']}"
        )
    if _LOCAL_PATH.match(text):
        raise _refused(
            "Local repositories are not supported", "enter an address like https://HOST/OWNER/NAME"
        )
    if _BARE.fullmatch(text):
        raise _refused(f"The address has no scheme: {text}", f"use https://{text}")
    raise _refused(
        "The address of the repository is not an https address", "enter one like https://HOST/OWNER/NAME"
    )


def _host_of(parts: SplitResult) -> tuple[str, int]:
    """Return the host and the port; a host of numbers must be an IP address in its usual spelling.

    Other spellings, such as 127.1 or 0x7f000001, are read differently by different programs.
    """
    try:
        # A dot at the end names the same host, but would miss the list of allowed hosts.
        host, port = (parts.hostname or "").rstrip("."), parts.port or _PORTS[parts.scheme]
    except ValueError:
        raise _refused("The port of the address is invalid", "use a number from 1 to 65535") from None
    if ":" in host or _NUMBER.fullmatch(host.rpartition(".")[2]):
        try:
            return str(ipaddress.ip_address(host)), port
        except ValueError:
            host = ""
    if not _HOST.fullmatch(host):
        raise _refused("The host of the address is invalid", "enter an address like https://HOST/OWNER/NAME")
    return host, port


def _refused(message: str, hint: str) -> GitFailure:
    return GitFailure(GitFailureKind.ADDRESS, message, hint=hint)


def _unresolved(host: str) -> GitFailure:
    return GitFailure(
        GitFailureKind.NETWORK,
        f"Host {host} could not be looked up",
        hint="check the name server and the network of the service",
        can_retry=True,
    )
