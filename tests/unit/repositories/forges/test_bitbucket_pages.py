"""Pages of lists of Bitbucket."""

from __future__ import annotations

import asyncio

import pytest

from recce_meta.repositories.forges.api import ForgeApi
from recce_meta.repositories.forges.base import ForgeFailure
from recce_meta.repositories.forges.bitbucket.client import BitbucketClient
from recce_meta.repositories.git.http import HttpAnswer, HttpClient


def test_a_row_of_another_form_is_a_failure_of_the_forge(monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect would end the look at all other repositories."""

    async def send(*_: object, **__: object) -> HttpAnswer:
        return HttpAnswer(200, {}, b'{"values": [{"id": 1, "source": null}]}')

    monkeypatch.setattr(HttpClient, "send", send)
    api = ForgeApi(HttpClient({}), forge="Bitbucket", base="https://example.com", headers={}, secrets=())
    with pytest.raises(ForgeFailure, match="is not the API of Bitbucket"):
        asyncio.run(BitbucketClient(api, "/acme/shop", server="https://example.com").pull_requests())
