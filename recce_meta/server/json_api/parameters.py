"""Parameters that several routes have, with the descriptions of the OpenAPI document."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query

from recce_meta.api.browse.neighbours import DEEPEST
from recce_meta.server.json_api.paging import MOST_ITEMS, USUAL_ITEMS


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
