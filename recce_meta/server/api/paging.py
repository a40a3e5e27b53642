"""Parameters of the routes, with the descriptions of the OpenAPI document, and pages of lists.

A cursor names the last item of a page, so new items neither repeat nor hide others.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Hashable, Sequence
from hashlib import sha256
from typing import Annotated, Any, Literal, NamedTuple

from fastapi import Path, Query

from recce_meta.api.browse.neighbours import DEEPEST
from recce_meta.errors import UsageError
from recce_meta.repositories.extraction.manifest_reader import UploadDetails

MOST_ITEMS = 500
"""Largest number of items on a page."""
USUAL_ITEMS = 100
_DIGEST = 12
"""Number of bytes that identify a list, and an item of it."""


class ItemList(NamedTuple):
    """A list in its order; `details` replaces the items of a page with complete ones."""

    items: Sequence[Any]
    key: Callable[[Any], str]
    """Text that differs for every item, and stays the same if the store changes."""
    is_tree: bool = False
    """True if `report.json.data_tree` encodes the items: they have computed fields."""
    truncated: bool = False
    """True if items were left out that no cursor reaches."""
    details: Callable[[Sequence[Any]], Sequence[Any]] | None = None


class ItemPage(NamedTuple):
    """One page of a list."""

    items: Sequence[Any]
    next_cursor: str | None
    """Cursor of the next page; None on the last page."""
    total: int
    """Number of items on all pages."""
    truncated: bool


def page_of(found: ItemList, identity: Hashable, limit: int, cursor: str | None) -> ItemPage:
    """Return *limit* items of *found* after *cursor*.

    *identity* distinguishes the list from others: its address, filters and runs. Raises UsageError for a
    cursor of another list, and for one whose item is gone.
    """
    # A digest, because the address may be longer than a cursor should be.
    own = _digest(repr(identity))
    first = 0 if cursor is None else _position(found, own, cursor)
    items = found.items[first : first + limit]
    # No cursor on the last page, so that clients need no request for an empty one.
    has_more = first + limit < len(found.items)
    return ItemPage(
        # After the cut: details are read for one page only.
        found.details(items) if found.details and items else items,
        _encoded(own + _digest(found.key(items[-1]))) if has_more else None,
        len(found.items),
        found.truncated,
    )


def _position(found: ItemList, own: bytes, cursor: str) -> int:
    """Return the position after the item that *cursor* names."""
    given = _decoded(cursor)
    if given[:_DIGEST] != own:
        raise UsageError(
            "The cursor belongs to another list",
            hint="repeat the parameters of the first page, with run ids in place of latest; or omit cursor",
        )
    # By the key and not by a number: items that were added before it move the position.
    for position, item in enumerate(found.items, 1):
        if _digest(found.key(item)) == given[_DIGEST:]:
            return position
    raise UsageError(
        "The list has changed: the last item of the previous page is gone", hint="omit cursor to start again"
    )


def _encoded(raw: bytes) -> str:
    # Without padding, the cursor needs no escapes in an address.
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _decoded(cursor: str) -> bytes:
    try:
        raw = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
    except (binascii.Error, UnicodeEncodeError):
        raw = b""
    # `b64decode` skips characters outside its alphabet, so only the length shows a damaged cursor.
    if len(raw) != 2 * _DIGEST:
        raise UsageError(
            "The cursor is invalid", hint="pass next_cursor of the previous page, or omit cursor"
        )
    return raw


def _digest(text: str) -> bytes:
    # Names in a store may contain lone surrogates.
    return sha256(text.encode("utf-8", "surrogatepass")).digest()[:_DIGEST]


class Paging:
    """Part of a list that a request asks for: a dependency of the routes."""

    def __init__(
        self,
        limit: Annotated[
            int, Query(ge=1, le=MOST_ITEMS, description="Largest number of items.")
        ] = USUAL_ITEMS,
        cursor: Annotated[
            str | None,
            Query(description="`next_cursor` of the previous page, with all other parameters as before."),
        ] = None,
    ) -> None:
        self.limit, self.cursor = limit, cursor


Run = Annotated[
    str,
    Query(
        description="Run selector: an id or its beginning, `latest`, an environment such as `base`, "
        "`branch:NAME`, `sha:PREFIX` or `before:TIME`; each except an id may end in `~N`.",
        examples=["latest"],
    ),
]
ProjectName = Annotated[
    str | None, Query(description="Project; required by selectors if the store has several projects.")
]
NodeId = Annotated[
    str, Query(description="Unique id of a node, or a name that only it has.", examples=["model.shop.orders"])
]
Way = Annotated[Literal["upstream", "downstream", "both"], Query(description="Direction of the lineage.")]
Depth = Annotated[
    int, Query(description=f"Largest number of edges from the node; limited to 1 to {DEEPEST}.", examples=[2])
]
Environment = Annotated[str | None, Query(description="Environment of the runs.")]


ConnectionId = Annotated[
    str, Path(alias="id", description="Id or name of the connection.", examples=["shop"])
]
JobId = Annotated[str, Path(alias="job", description="Id of the job.", examples=["0a1b2c3d4e5f:main:1"])]
Days = Annotated[int, Query(ge=1, le=365, description="Days before now.")]


def upload_details(
    branch: Annotated[
        str | None, Query(description="Branch of the artifacts. Without it, the main one.", examples=["main"])
    ] = None,
    commit_sha: Annotated[
        str | None, Query(description="Commit of the artifacts.", pattern="^[0-9A-Fa-f]{7,64}$")
    ] = None,
    pull_request: Annotated[
        int | None,
        Query(ge=1, le=2**31 - 1, description="Pull request whose head was built, from any branch."),
    ] = None,
    environment: Annotated[
        str | None,
        Query(
            description="Environment of the run. Without it, that of the connection, or "
            "`pull-request-NUMBER` of a pull request."
        ),
    ] = None,
    is_dirty: Annotated[
        bool | None, Query(description="Whether tracked files differed from the commit.")
    ] = None,
) -> UploadDetails:
    """Return the details of an upload in the parameters of its address."""
    return UploadDetails(
        branch=branch,
        commit_sha=None if commit_sha is None else commit_sha.lower(),
        pull_request=pull_request,
        environment=environment,
        is_dirty=is_dirty,
    )


ObjectName = Annotated[
    str | None,
    Query(description="Unique id of a node, or a name that only it has; without it, all objects."),
]
