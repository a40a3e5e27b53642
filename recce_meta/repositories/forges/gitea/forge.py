"""Facts about Gitea and Forgejo."""

from __future__ import annotations

from recce_meta.repositories.forges.api import ForgeApi
from recce_meta.repositories.forges.base import ForgeClient
from recce_meta.repositories.forges.forge import Forge, HookForm
from recce_meta.repositories.forges.gitea.client import EVENTS, LONGEST_COMMENT, GiteaClient
from recce_meta.repositories.git.address import RepositoryAddress


class Gitea(Forge):
    """Servers of Gitea and Forgejo, such as Codeberg."""

    name = "gitea"
    title = "Gitea"
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
    needed_rights = "write the repository and issues (write:repository, write:issue)"
    token_scheme = "token"
    takes_users = True

    def api_base(self, address: RepositoryAddress) -> str:
        """Return the address of the API of the server of a repository."""
        return f"{address.server}/api/v1"

    def client(self, api: ForgeApi, address: RepositoryAddress, *, app: str | None) -> ForgeClient:
        """Return a client for the repository at *address*."""
        return GiteaClient(api, address.repository)
