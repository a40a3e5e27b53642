"""Failures of git and of its servers, by what can be done about them."""

from __future__ import annotations

from enum import Enum
from typing import Any

from recce_meta.errors import RecceMetaError


class GitFailureKind(str, Enum):
    """Cause of a failure."""

    ADDRESS = "address"
    """The address is invalid, refused, or leads to no repository."""
    TOKEN = "token"
    """The server refuses the token, or asks for one."""
    BRANCH = "branch"
    """The branch or the commit does not exist."""
    NETWORK = "network"
    """The server cannot be reached, or does not work."""
    RATE_LIMIT = "rate_limit"
    """The server asks for fewer requests."""
    LIMIT = "limit"
    """The repository is larger than the limits allow."""
    DISK = "disk"
    """The disk of the work folder is full."""
    MISSING = "missing"
    """The git program is missing, or too old."""


class GitFailure(RecceMetaError):
    """A git operation that failed; `can_retry` if a later attempt may succeed without any change."""

    def __init__(
        self,
        kind: GitFailureKind,
        message: str,
        *,
        hint: str | None = None,
        can_retry: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.kind = kind
        self.can_retry = can_retry
        self.retry_after = retry_after
        """Seconds that the server asks to wait for."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Return the parts for pickle, which cannot give keywords."""
        return _restore, (self.kind, self.message, self.hint, self.can_retry, self.retry_after)


def _restore(
    kind: GitFailureKind, message: str, hint: str | None, can_retry: bool, retry_after: float | None
) -> GitFailure:
    return GitFailure(kind, message, hint=hint, can_retry=can_retry, retry_after=retry_after)
