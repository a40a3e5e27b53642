"""Facts about Gitea and Forgejo."""

from __future__ import annotations

import re
from datetime import datetime

from msgspec import Struct

from recce_meta.repositories.forges import hub_deliveries
from recce_meta.repositories.forges.api import ForgeApi
from recce_meta.repositories.forges.base import ForgeClient
from recce_meta.repositories.forges.events import Event, SentRepository, decode, push_of
from recce_meta.repositories.forges.forge import Forge, Headers, HookForm
from recce_meta.repositories.forges.gitea.client import EVENTS, GiteaClient
from recce_meta.repositories.forges.hub_client import LONGEST_COMMENT
from recce_meta.repositories.git.address import RepositoryAddress


class _DeletedReference(Struct, frozen=True):
    ref: str
    ref_type: str


class Gitea(Forge):
    """Servers of Gitea and Forgejo, such as Codeberg."""

    name = "gitea"
    title = "Gitea"
    hosts = re.compile(r"(?:.+\.)?(?:codeberg\.org|gitea\.com)|(?:gitea|forgejo)\..+")
    longest_comment = LONGEST_COMMENT
    hook_events = EVENTS
    hook_form = HookForm(
        "/settings/hooks/gitea/new",
        (
            "HTTP method: POST, content type: application/json",
            "Secret: the one below",
            "Trigger on custom events: Push, Delete, Pull request, and Pull request synchronized",
            "Press Add webhook",
        ),
    )
    # https://forgejo.org/docs/latest/user/webhooks
    delivery_headers = ("x-forgejo-delivery", "x-gitea-delivery")
    event_headers = ("x-forgejo-event", "x-gitea-event")
    signature_headers = ("x-forgejo-signature", "x-gitea-signature")
    needed_rights = "write the repository and issues (write:repository, write:issue)"
    token_scheme = "token"
    takes_users = True

    def api_base(self, address: RepositoryAddress) -> str:
        """Return the address of the API of the server of a repository."""
        return f"{address.server}/api/v1"

    def client(self, api: ForgeApi, address: RepositoryAddress, *, app: str | None) -> ForgeClient:
        """Return a client for the repository at *address*."""
        return GiteaClient(api, address.repository)

    def repository_of(self, body: bytes) -> SentRepository:
        """Return the repository of a delivery."""
        return hub_deliveries.repository_of(body)

    def read(self, headers: Headers, body: bytes, now: datetime) -> tuple[Event, ...]:
        """Return the events of a delivery."""
        name = self.event_name(headers)
        # Gitea sends no push when a branch is deleted.
        if name == "delete":
            deleted = decode(body, _DeletedReference)
            prefix = "refs/heads/" if deleted.ref_type == "branch" else "refs/tags/"
            ref = deleted.ref if deleted.ref.startswith("refs/") else prefix + deleted.ref
            return (push_of(ref, "", is_deleted=True),)
        return hub_deliveries.read("pull_request" if name == "pull_request_sync" else name, body, now)
