"""Facts about GitLab."""

from __future__ import annotations

from recce_meta.repositories.forges.api import ForgeApi
from recce_meta.repositories.forges.base import ForgeClient
from recce_meta.repositories.forges.forge import Forge, HookForm
from recce_meta.repositories.forges.gitlab.client import EVENTS, LONGEST_COMMENT, GitLabClient
from recce_meta.repositories.git.address import RepositoryAddress


class GitLab(Forge):
    """gitlab.com, and servers of GitLab."""

    name = "gitlab"
    title = "GitLab"
    longest_comment = LONGEST_COMMENT
    hook_events = EVENTS
    hook_form = HookForm(
        "/-/hooks",
        (
            "Signing token, or Secret token if the form has no other: the secret below",
            "Trigger: Push events and Merge request events",
            "Press Add webhook",
        ),
    )
    needed_rights = "use the API (scope api) as a Maintainer of the project"
    head_reference = "refs/merge-requests/{number}/head"

    def api_base(self, address: RepositoryAddress) -> str:
        """Return the address of the API of the server of a project."""
        return f"{address.server}/api/v4"

    def client(self, api: ForgeApi, address: RepositoryAddress, *, app: str | None) -> ForgeClient:
        """Return a client for the project at *address*."""
        return GitLabClient(api, address.repository)

    def is_repository(self, path: str) -> bool:
        """Return True if *path* may be one of a project, which groups may contain."""
        return path.count("/") >= 2
