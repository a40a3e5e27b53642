"""What the API of every forge offers, and how it fails."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Protocol

from msgspec import Struct

from recce_meta.errors import RecceMetaError
from recce_meta.repositories.state.types import PullRequestEvent


class ForgeFailureKind(str, Enum):
    """Cause of a failure of a forge."""

    TOKEN = "token"
    """The token is missing, expired, or refused."""
    SCOPE = "scope"
    """The token may not do this."""
    GONE = "gone"
    """The repository, the pull request or the comment does not exist."""
    RATE_LIMIT = "rate_limit"
    OUTAGE = "outage"
    """The forge cannot be reached, or fails."""
    REFUSED = "refused"
    """The forge refuses the request itself."""


class ForgeFailure(RecceMetaError):
    """Failure of a request to a forge."""

    def __init__(
        self,
        kind: ForgeFailureKind,
        message: str,
        *,
        hint: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.kind = kind
        self.retry_after = retry_after
        """Seconds that the forge asks to wait for."""

    @property
    def can_retry(self) -> bool:
        """True if a later attempt may succeed without a change by a person."""
        return self.kind in (ForgeFailureKind.RATE_LIMIT, ForgeFailureKind.OUTAGE)


class StatusState(str, Enum):
    """State of a commit, as the forges name it in their own words."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"
    """A condition of the connection holds."""
    ERROR = "error"
    """The commit could not be compared."""
    NEUTRAL = "neutral"
    """The commit was compared without dbt; forges without such a state get an error."""


class RemoteHook(Struct, frozen=True, kw_only=True):
    """A webhook as the forge has it."""

    hook_id: str
    url: str
    events: tuple[str, ...]
    is_active: bool


class ForgeClient(Protocol):
    """API of one forge for one repository. Every method raises ForgeFailure."""

    async def repository_id(self) -> str:
        """Return the id of the repository, which stays when its name changes."""

    async def set_hook(self, url: str, secret: str, *, hook_id: str | None = None) -> RemoteHook:
        """Create the webhook that calls *url*, or change the one with this id or address."""

    async def remove_hook(self, hook_id: str) -> None:
        """Remove a webhook, if it exists."""

    async def find_comment(self, number: int, marker: str) -> str | None:
        """Return the id of the oldest comment of this login on a pull request that contains *marker*."""

    async def write_comment(self, number: int, text: str, *, comment_id: str | None = None) -> str:
        """Change the comment *comment_id*, or create one if it is None, and return its id.

        Raises ForgeFailure of the kind GONE if the comment does not exist any more.
        """

    async def set_status(self, sha: str, state: StatusState, description: str, *, url: str | None) -> None:
        """Set the status of a commit; the context is always `recce_meta`."""

    async def pull_requests(self) -> Sequence[PullRequestEvent]:
        """Return the open pull requests, at most 1,000."""
