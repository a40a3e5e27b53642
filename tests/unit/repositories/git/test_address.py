"""Addresses are normalised, or refused with the form to use."""

from __future__ import annotations

import asyncio
import pickle
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recce_meta.repositories.forges.registry import parse_address
from recce_meta.repositories.git.address import AddressRules, check_host, is_public, parse_server
from recce_meta.repositories.git.failures import GitFailure, GitFailureKind
from tests.support.forge_names import Forge


@pytest.mark.parametrize(
    ("text", "url", "forge"),
    [
        ("https://github.com/o/r", "https://github.com/o/r", Forge.GITHUB),
        (" https://GitHub.com:443/o/R.git/ ", "https://github.com/o/R", Forge.GITHUB),
        ("HTTPS://github.com./o/r", "https://github.com/o/r", Forge.GITHUB),
        ("https://github.example.com/o/r", "https://github.example.com/o/r", Forge.GITHUB),
        ("https://acme.ghe.com/o/r", "https://acme.ghe.com/o/r", Forge.GITHUB),
        ("https://gitlab.com/g/sub/r.git", "https://gitlab.com/g/sub/r", Forge.GITLAB),
        ("https://bitbucket.org/o/r", "https://bitbucket.org/o/r", Forge.BITBUCKET),
        ("https://codeberg.org/o/r", "https://codeberg.org/o/r", Forge.GITEA),
        ("https://git.example.com:8443/scm/r.git", "https://git.example.com:8443/scm/r.git", Forge.GIT),
        ("https://dev.azure.com/o/p/_git/r", "https://dev.azure.com/o/p/_git/r", Forge.GIT),
        ("https://notgithub.com/o/r", "https://notgithub.com/o/r", Forge.GIT),
        ("https://[2606:4700::1111]:8443/r", "https://[2606:4700::1111]:8443/r", Forge.GIT),
    ],
)
def test_spellings_of_an_address_have_one_normal_form(text: str, url: str, forge: Forge) -> None:
    address = parse_address(text)
    assert (address.url, address.forge) == (url, forge)
    assert parse_address(address.url) == address
    assert address.clone_url == (f"{url}.git" if forge is not Forge.GIT else url)
    assert address.name in {"r", "R"}


def test_the_address_of_a_file_has_any_path() -> None:
    address = parse_server("https://github.com/o/r/archive/refs/tags/v1.0.tar.gz?raw=true")
    assert (address.server, address.host, address.port) == ("https://github.com", "github.com", 443)
    for text in (
        "http://github.com/o/r.tar.gz",
        "file:///etc/passwd",
        "https://u:p@github.com/x",
        "https://1",
    ):
        with pytest.raises(GitFailure):
            parse_server(text)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("git@github.com:o/r.git", "https://github.com/o/r.git"),
        ("ssh://git@github.com:22/o/r.git", "https://github.com/o/r.git"),
        ("deploy@git.example.com:/srv/r", "https://git.example.com/srv/r"),
        ("github.com/o/r", "https://github.com/o/r"),
        ("http://github.com/o/r", "https://github.com/o/r"),
        ("http://github.com/o/r", "RECCE_META_ALLOWED_HOSTS"),
        ("https://github.com/o/r/tree/main/models", "https://github.com/o/r, and --subdirectory"),
        ("https://gitlab.com/g/s/r/-/tree/main", "https://gitlab.com/g/s/r"),
        ("https://github.com/o", "https://HOST/OWNER/NAME"),
        ("https://user:canary@github.com/o/r", "--token-env"),
        ("https://canary@github.com/o/r", "--token-env"),
        ("https://github.com\\@10.0.0.1/o/r", "https://HOST"),
        ("https://github.com/o/r?x=1", "without a query"),
        ("https://github.com/o/r#readme", "without a query"),
        ("", "https://HOST"),
        ("/srv/git/r", "https://HOST"),
        ("file:///srv/git/r", "https://HOST"),
        ("C:\\r", "https://HOST"),
        ("ext::sh -c touch% /tmp/x", "https://HOST"),
        ("ext::sh", "https://HOST"),
        ("git://github.com/o/r", "https://HOST"),
        ("ftp://github.com/o/r", "https://HOST"),
        ("--upload-pack=x", "https://HOST"),
        ("https://", "https://HOST"),
        ("https://-o/o/r", "https://HOST"),
        ("https://[::1/o/r", "https://HOST"),
        ("https://h:99999/o/r", "65535"),
        ("https://h:x/o/r", "65535"),
        ("https://127.1/o/r", "https://HOST"),
        ("https://0x7f000001/o/r", "https://HOST"),
        ("https://2130706433/o/r", "https://HOST"),
        ("https://exämple.com/o/r", "https://HOST"),
        ("https://h/../r", "https://HOST"),
        ("https://h/o/%2e%2E/r", "https://HOST"),
        ("https://h/o//r", "https://HOST"),
        ("https://h/-o/r", "https://HOST"),
        ("https://h/o\nr", "https://HOST"),
        ("https://h/o'r", "https://HOST"),
        ("https://h", "https://HOST"),
        ("https://h/" + "x" * 1000, "https://HOST"),
    ],
)
def test_a_refused_address_names_the_form_to_use(text: str, hint: str) -> None:
    with pytest.raises(GitFailure) as failed:
        parse_address(text)
    assert failed.value.kind is GitFailureKind.ADDRESS
    assert hint in (failed.value.hint or "")
    assert not failed.value.can_retry
    assert "canary" not in str(failed.value)


@given(st.text("abcA019.-_~/:@%#?[]\\ \t\n'+=,;&$()é\u202e\u2024", max_size=40))
def test_an_accepted_address_has_one_reading(text: str) -> None:
    try:
        address = parse_address(f"https://{text}")
    except GitFailure:
        return
    again = urlsplit(address.clone_url)
    assert (again.hostname, again.port or 443) == (address.host, address.port)
    assert again.username is None and not again.query and not again.fragment
    assert again.path.removesuffix(".git") == address.path.removesuffix(".git")
    assert parse_address(address.url) == address
    assert address.url.isascii() and address.url.isprintable() and " " not in address.url


def test_a_failure_survives_pickling() -> None:
    failure = GitFailure(GitFailureKind.RATE_LIMIT, "slow", hint="wait", can_retry=True, retry_after=7)
    copy = pickle.loads(pickle.dumps(failure))
    assert (copy.kind, str(copy), copy.can_retry, copy.retry_after) == (failure.kind, str(failure), True, 7)


def test_hosts_are_allowed_with_or_without_a_port() -> None:
    rules = AddressRules.read({"RECCE_META_ALLOWED_HOSTS": "Git.Internal, 10.0.0.5:8080 [::1]:3000"})
    assert parse_address("http://git.internal:81/o/r", rules).is_allowed
    assert parse_address("http://10.0.0.5:8080/o/r", rules).is_allowed
    assert parse_address("http://[::1]:3000/o/r", rules).is_allowed
    assert not parse_address("https://10.0.0.5/o/r", rules).is_allowed
    assert not parse_address("https://x.git.internal/o/r", rules).is_allowed
    assert AddressRules.read({}) == AddressRules()


PRIVATE = """
127.0.0.1 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 0.0.0.0 192.0.0.192 198.18.0.1
203.0.113.1 224.0.0.1 240.0.0.1 255.255.255.255 168.63.129.16
:: ::1 fe80::1 fe80::1%eth0 fc00::1 fd00:ec2::254 fec0::1 ff02::1 2001:db8::1 3fff::1 4000::1
::ffff:10.0.0.1 ::ffff:169.254.169.254 ::10.0.0.1 64:ff9b::a00:1 64:ff9b:1::8.8.8.8
2002:a00:1::1 2001:0:a00:1::1
"""


@pytest.mark.parametrize("address", PRIVATE.split())
def test_an_address_that_not_everybody_can_reach_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["140.82.121.3", "8.8.8.8", "2606:50c0::153", "64:ff9b::8c52:7903"])
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


def looked_up(monkeypatch: pytest.MonkeyPatch, *addresses: str | int) -> None:
    """Make every host have *addresses*, or its lookup fail with a number."""

    def getaddrinfo(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        if isinstance(addresses[0], int):
            raise socket.gaierror(addresses[0], "lookup failed")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


def test_all_addresses_of_a_public_host_are_returned_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up(monkeypatch, "8.8.8.8", "2606:50c0::153", "8.8.8.8")
    found = asyncio.run(check_host(parse_address("https://git.example.com/r")))
    assert found == ("8.8.8.8", "2606:50c0::153")


@pytest.mark.parametrize(
    "addresses", [["10.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["8.8.8.8", "::ffff:10.0.0.1"]]
)
def test_a_host_with_one_private_address_is_refused(
    monkeypatch: pytest.MonkeyPatch, addresses: list[str]
) -> None:
    looked_up(monkeypatch, *addresses)
    with pytest.raises(GitFailure, match="not a public host") as failed:
        asyncio.run(check_host(parse_address("https://git.example.com/r")))
    assert "RECCE_META_ALLOWED_HOSTS" in (failed.value.hint or "")
    rules = AddressRules(frozenset(["git.example.com"]))
    assert asyncio.run(check_host(parse_address("https://git.example.com/r", rules))) == ()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "169.254.169.254"])
def test_this_machine_is_refused(host: str) -> None:
    with pytest.raises(GitFailure, match="not a public host"):
        asyncio.run(check_host(parse_address(f"https://{host}/r")))


@pytest.mark.parametrize(
    ("number", "kind", "can_retry"),
    [
        (socket.EAI_NONAME, GitFailureKind.ADDRESS, False),
        (socket.EAI_AGAIN, GitFailureKind.NETWORK, True),
    ],
)
def test_an_unknown_host_is_not_a_failed_lookup(
    monkeypatch: pytest.MonkeyPatch, number: int, kind: GitFailureKind, can_retry: bool
) -> None:
    looked_up(monkeypatch, number)
    with pytest.raises(GitFailure, match=r"git\.example\.com") as failed:
        asyncio.run(check_host(parse_address("https://git.example.com/r")))
    assert (failed.value.kind, failed.value.can_retry) == (kind, can_retry)
