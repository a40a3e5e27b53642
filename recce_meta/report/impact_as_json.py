"""An impact as JSON; its fields are told in docs/impact.md."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from recce_meta.models.impact import FailingNode, ImpactView, ReachedNode
from recce_meta.models.lineage import Direction
from recce_meta.models.node import LineageEdge
from recce_meta.report.characters import pretty_json

IMPACT_SCHEMA = "recce_meta/impact/v1"


class ImpactDocument(Struct, kw_only=True):
    """What `impact --format json` prints."""

    schema: str = IMPACT_SCHEMA
    root: str
    column: str | None
    direction: Direction
    notes: Sequence[str]
    nodes: Sequence[ReachedNode]
    edges: Sequence[LineageEdge]
    fails: Sequence[FailingNode] | None


def impact_json(view: ImpactView) -> str:
    """*view* as a document of schema `recce_meta/impact/v1`; nothing is cut."""
    document = ImpactDocument(
        root=view.root,
        column=view.column,
        direction=view.direction,
        notes=view.notes,
        nodes=view.nodes,
        edges=view.edges,
        fails=view.fails,
    )
    return pretty_json(document, is_sorted=True)
