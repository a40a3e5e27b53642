"""Addresses of the server's pages in reports."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest

from recce_meta.errors import UsageError
from recce_meta.report.addresses import Addresses, server_addresses


@pytest.mark.parametrize(
    ("url", "root"),
    [
        ("https://recce.example.com", "https://recce.example.com/s/default"),
        ("https://recce.example.com/", "https://recce.example.com/s/default"),
        (" HTTP://127.0.0.1:8765 ", "http://127.0.0.1:8765/s/default"),
        ("http://[::1]:8765/s/prod", "http://[::1]:8765/s/prod"),
        ("https://h/s/a~2Fb/", "https://h/s/a~2Fb"),
    ],
)
def test_an_address_of_a_server(url: str, root: str) -> None:
    assert server_addresses(url).root == root


@pytest.mark.parametrize(
    "url",
    [
        "recce.example.com", "ftp://h", "https://", "https://user:word@h", "https://h/other", "https://h/s",
        "https://h/s/a/runs", "https://h?x=1", "https://h/#x", "https://h) <script>", "javascript://h", "",
    ],
)  # fmt: skip
def test_another_address_is_an_error(url: str) -> None:
    with pytest.raises(UsageError, match="public URL"):
        server_addresses(url)


def test_a_node_of_a_diff_may_have_any_id() -> None:
    hostile = 'model.x"><script>/../%2F#?.\u202e'
    to = Addresses("default", "https://h")

    address = to.diff("base", "current", node=hostile)

    start, _, value = address.partition("?node=")
    assert start == "https://h/s/default/diff/base/current"
    assert not set(value) & set("<>\"'#?()[]| \u202e")
    assert dict(parse_qsl(f"node={value}")) == {"node": hostile}
