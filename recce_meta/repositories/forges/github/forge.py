"""Facts about GitHub."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from recce_meta.repositories.forges import hub_deliveries
from recce_meta.repositories.forges.api import ForgeApi
from recce_meta.repositories.forges.base import ForgeClient
from recce_meta.repositories.forges.events import Event, SentRepository
from recce_meta.repositories.forges.forge import Forge, Headers, HookForm
from recce_meta.repositories.forges.github.app import api_address
from recce_meta.repositories.forges.github.client import EVENTS, HEADERS, GitHubClient
from recce_meta.repositories.forges.hub_client import LONGEST_COMMENT
from recce_meta.repositories.git.address import RepositoryAddress


class GitHub(Forge):
    """github.com, GitHub Enterprise Cloud with data residency (ghe.com) and GitHub Enterprise Server."""

    name = "github"
    title = "GitHub"
    hosts = re.compile(r"(?:.+\.)?(?:github\.com|ghe\.com)|github\..+")
    longest_comment = LONGEST_COMMENT
    hook_events = EVENTS
    hook_form = HookForm(
        "/settings/hooks/new",
        (
            "Content type: application/json",
            "Secret: the one below",
            "Events: select Pushes and Pull requests",
            "Press Add webhook",
        ),
    )
    # https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
    delivery_headers = ("x-github-delivery",)
    event_headers = ("x-github-event",)
    # The older header has a weaker digest.
    signature_headers = ("x-hub-signature-256",)
    signature_prefix = "sha256="
    needed_rights = "read and write Pull requests, Commit statuses and Webhooks"

    def api_base(self, address: RepositoryAddress) -> str:
        """Return the address of the API of the server of a repository."""
        return api_address(address).url

    def headers(self, token: str) -> Mapping[str, str]:
        """Return the headers of requests."""
        return {**super().headers(token), **HEADERS}

    def client(self, api: ForgeApi, address: RepositoryAddress, *, app: str | None) -> ForgeClient:
        """Return a client for the repository at *address*."""
        return GitHubClient(api, address.repository, app=app)

    def repository_of(self, body: bytes) -> SentRepository:
        """Return the repository of a delivery."""
        return hub_deliveries.repository_of(body)

    def read(self, headers: Headers, body: bytes, now: datetime) -> tuple[Event, ...]:
        """Return the events of a delivery."""
        return hub_deliveries.read(self.event_name(headers), body, now)
