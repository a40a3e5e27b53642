"""Facts about Bitbucket Cloud."""

from __future__ import annotations

from msgspec.structs import replace

from recce_meta.repositories.forges.api import ForgeApi
from recce_meta.repositories.forges.base import ForgeClient
from recce_meta.repositories.forges.bitbucket.client import EVENTS, LONGEST_COMMENT, BitbucketClient
from recce_meta.repositories.forges.forge import Forge, HeadSource, HookForm
from recce_meta.repositories.git.address import RepositoryAddress
from recce_meta.repositories.git.client import HEADS
from recce_meta.repositories.git.failures import GitFailure, GitFailureKind
from recce_meta.repositories.types import PullRequest


class Bitbucket(Forge):
    """bitbucket.org."""

    name = "bitbucket"
    title = "Bitbucket"
    longest_comment = LONGEST_COMMENT
    hook_events = EVENTS
    hook_form = HookForm(
        "/admin/webhooks",
        (
            "Secret: the one below",
            "Triggers: Repository push, and Pull request created, updated, merged and declined",
            "Press Save",
        ),
    )
    needed_rights = (
        "write the repository, pull requests and webhooks (repository:write, pullrequest:write, webhook)"
    )
    takes_users = True
    token_hint = "; Bitbucket takes access tokens of a repository as TOKEN, and API tokens as EMAIL:TOKEN"
    address_hint = "; Bitbucket Data Center is not supported"

    def api_base(self, address: RepositoryAddress) -> str:
        """Return the address of the API of the server of a repository."""
        is_cloud = address.host in ("bitbucket.org", "www.bitbucket.org")
        server = replace(address, host="api.bitbucket.org").server if is_cloud else address.server
        return f"{server}/2.0"

    def client(self, api: ForgeApi, address: RepositoryAddress, *, app: str | None) -> ForgeClient:
        """Return a client for the repository at *address*."""
        return BitbucketClient(api, address.repository, server=address.server)

    def head_source(self, request: PullRequest) -> HeadSource:
        """Return the branch of a pull request, in the fork if it is of one: it has no other reference."""
        if request.is_fork and request.head_url is None:
            raise GitFailure(
                GitFailureKind.BRANCH,
                f"The fork of pull request {request.number} is not known",
                hint="it may be deleted or private; push the branch to the repository itself",
            )
        return HeadSource(f"{HEADS}{request.head_branch}", request.head_url if request.is_fork else None)
