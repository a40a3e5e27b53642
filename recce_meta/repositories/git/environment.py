"""Environment of git processes, built from nothing.

All settings are given by `GIT_CONFIG_*` variables: no file of the machine or of the user counts, no hook or
helper runs, and the token is neither an argument nor in a file. Only the repository's address gets it.
"""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from msgspec import Struct

from recce_meta.repositories.git.address import RepositoryAddress
from recce_meta.repositories.git.failures import GitFailure, GitFailureKind

OLDEST_GIT = (2, 37)
"""The first version with `http.curloptResolve`."""
PASSED_ON = (
    "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "http_proxy", "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY",
)  # fmt: skip
"""Variables of the service that git needs to reach servers: certificates and proxies."""
PACKAGES_PASSED_ON = (*PASSED_ON, "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Variables of the service that `dbt deps` needs to reach servers."""


class GitLimits(Struct, frozen=True, kw_only=True):
    """Limits of git."""

    seconds: float = 900
    """Time for a fetch or a checkout."""
    poll_seconds: float = 60
    """Time to read the heads of a repository."""
    stall_seconds: int = 60
    """Time after which a transfer below `stall_rate` ends. Servers are silent while they pack a commit."""
    stall_rate: int = 1_000
    """Bytes per second."""
    mirror_size: int = 2 * 2**30
    """Bytes of one fetch, and of one mirror."""
    checkout_size: int = 4 * 2**30
    """Bytes of all files of a commit."""
    files: int = 200_000
    """Number of files of a commit."""
    memory: int = 2 * 2**30
    """Bytes of address space of a git process."""


def find_git(environ: Mapping[str, str]) -> str:
    """Return the path of the git program.

    Raises GitFailure if git is missing or older than 2.37.
    """
    # In the service's PATH, but git itself gets a short one.
    found = shutil.which("git", path=environ.get("PATH", os.defpath))
    if found is None:
        raise GitFailure(
            GitFailureKind.MISSING, "The git program is not installed", hint="install git 2.37 or newer"
        )
    version = _version_of(found)
    if version < OLDEST_GIT:
        shown = ".".join(map(str, version))
        raise GitFailure(
            GitFailureKind.MISSING, f"git {shown} is too old: {found}", hint="install git 2.37 or newer"
        )
    return found


@cache
def _version_of(program: str) -> tuple[int, ...]:
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, env={})
    number = re.search(r"\d+(?:\.\d+)+", done.stdout)
    return tuple(int(part) for part in number[0].split(".")) if number else (0,)


def authorization(address: RepositoryAddress, token: str) -> str:
    """Return the value of the header for a token; a token with a colon is a user name and a password."""
    pair = token if ":" in token else f"{address.token_user}:{token}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def package_environment(environ: Mapping[str, str]) -> tuple[dict[str, str], tuple[Path, ...]]:
    """Return the variables of the service that `dbt deps` gets, and the certificates that they name.

    A variable that names a missing file is omitted, and so are user and password of a proxy: a template in
    packages.yml can read variables.
    """
    given = {name: environ[name] for name in PACKAGES_PASSED_ON if environ.get(name)}
    variables = {
        name: _without_user(value) for name, value in given.items() if name.lower().endswith("_proxy")
    }
    paths = {name: Path(value) for name, value in given.items() if name not in variables}
    found = {name: path.resolve() for name, path in paths.items() if path.exists()}
    return {**variables, **{name: str(path) for name, path in found.items()}}, tuple(set(found.values()))


def _without_user(proxy: str) -> str:
    # From the right: a password may contain `@`.
    before, _, host = proxy.rpartition("@")
    scheme, slashes, _ = before.partition("//")
    return f"{scheme}{slashes}{host}" if slashes else host


def package_config(address: RepositoryAddress, token: str | None, environ: Mapping[str, str]) -> str:
    """Return the configuration of git for `dbt deps`, with the token for packages of the same server."""
    proxy = environ.get("https_proxy") or environ.get("HTTPS_PROXY") or ""
    settings = [
        ("http", "followRedirects", "false"),
        # The password of the proxy goes into this file: `package_environment` omits it from variables.
        *([("http", "proxy", proxy)] if "@" in proxy else []),
        ("protocol", "allow", "never"),
        ('protocol "https"', "allow", "always"),
        ("core", "hooksPath", os.devnull),
    ]
    if token is not None:
        header = f"Authorization: {authorization(address, token)}"
        # For the whole server: private packages are other repositories of the same owner.
        settings.append((f'http "{address.server}/"', "extraHeader", header))
    return "".join(f"[{section}]\n\t{key} = {_quoted(value)}\n" for section, key, value in settings)


def _quoted(value: str) -> str:
    """Return a value of a configuration file of git."""
    escaped = value.replace("\\", r"\\").replace('"', r"\"")
    return f'"{escaped}"'


def git_environment(
    address: RepositoryAddress,
    *,
    git: str,
    limits: GitLimits,
    environ: Mapping[str, str],
    token: str | None = None,
    pinned: Sequence[str] = (),
) -> dict[str, str]:
    """Return the whole environment of a git process that may reach *address*.

    *git* is the path of the program. Of *environ*, that of the service, only `PASSED_ON` is passed on. The
    server of the repository gets *token*. git may only connect to the IP addresses *pinned*; to any of the
    host if there are none.
    """
    settings = [*_settings(address, limits, pinned)]
    if token is not None:
        header = f"Authorization: {authorization(address, token)}"
        # Bound to the address: git sends the header to no other repository, not even of the same server.
        settings.append((f"http.{address.clone_url}.extraHeader", header))
    environment = {name: environ[name] for name in PASSED_ON if name in environ}
    environment |= {
        "PATH": f"{Path(git).parent}{os.pathsep}{os.defpath}",
        # git and curl read .netrc and .gitconfig there.
        "HOME": "/nonexistent",
        # Messages are matched by their English text.
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": address.scheme,
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_CEILING_DIRECTORIES": "/",
        # Messages of git omit the status and headers, which `read_answers` finds in the trace.
        "GIT_TRACE_CURL": "1",
        "GIT_TRACE_CURL_NO_DATA": "1",
        "GIT_TRACE_REDACT": "1",
        "GIT_CONFIG_COUNT": str(len(settings)),
    }
    for number, (key, value) in enumerate(settings):
        environment |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return environment


def _settings(
    address: RepositoryAddress, limits: GitLimits, pinned: Sequence[str]
) -> Iterator[tuple[str, str]]:
    # The target of a redirect is not checked, and may be a private host.
    yield "http.followRedirects", "false"
    if pinned:
        shown = ",".join(f"[{one}]" if ":" in one else one for one in pinned)
        yield "http.curloptResolve", f"{address.host}:{address.port}:{shown}"
    # Traces of newer protocols show headers in further places
    yield "http.version", "HTTP/1.1"
    yield "http.lowSpeedLimit", str(limits.stall_rate)
    yield "http.lowSpeedTime", str(limits.stall_seconds)
    yield "protocol.version", "2"
    # A server could name any other address to fetch a bundle from.
    yield "transfer.bundleURI", "false"
    # Packs are never unpacked: the limit of the file size is that of a fetch
    yield "fetch.unpackLimit", "1"
    # Maintenance would go on in the background, after the lock of the mirror is released.
    yield "gc.auto", "0"
    yield "maintenance.auto", "false"
    yield "pack.threads", "2"
    # Larger files are streamed; git holds smaller ones in memory as a whole.
    yield "core.bigFileThreshold", "64m"
    # Mapped windows count as address space, and git's own limits exceed that of the process.
    yield "core.packedGitWindowSize", "64m"
    yield "core.packedGitLimit", "256m"
    yield "core.hooksPath", os.devnull
    # A link could lead out of the checkout.
    yield "core.symlinks", "false"
    yield "core.fsmonitor", "false"
    yield "credential.helper", ""
    yield "advice.detachedHead", "false"
