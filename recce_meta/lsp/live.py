"""Analysis of an edited model: its rendered SQL, its columns, and what it breaks.

The text in the editor and the text it is compared with are rendered by the same renderer, with the same
macros: a difference between renderers never shows as a change. What could not be rendered or analysed on
both sides is not compared, and says why.
"""

from __future__ import annotations

from msgspec import Struct

from recce_meta.lsp.project import ProjectIndex
from recce_meta.models import NodeMetadata
from recce_meta.models.change import SqlChange
from recce_meta.models.lineage import FailingNode, ReachedNode
from recce_meta.sql_lineage.query import QueryColumns


class LiveModel(Struct, frozen=True, kw_only=True):
    """Rendered and analysed text of one model."""

    unique_id: str
    text: str
    """Template that was rendered."""
    sql: str | None = None
    """Rendered SQL; None if rendering failed."""
    columns: QueryColumns | None = None
    """Column lineage; parents are unique ids. None if the SQL does not parse."""
    reason: str | None = None
    """Why there is no SQL, or no column lineage, in one sentence."""

    @property
    def names(self) -> tuple[str, ...] | None:
        """Names of the output columns in order; None unless all are known."""
        raise NotImplementedError


class RemovedColumn(Struct, frozen=True, kw_only=True):
    """Column of the saved model that the text no longer has."""

    name: str
    fails: tuple[FailingNode, ...]
    """Nodes that fail without it, nearest first."""
    renamed_to: str | None = None
    """Column of the text with the same expression, if exactly one is new."""


class Effect(Struct, frozen=True, kw_only=True):
    """Change of the text against the same model in another run."""

    change: SqlChange
    """Category, columns and reasons."""
    impacted: tuple[ReachedNode, ...] = ()
    """Downstream nodes that the change affects, nearest first."""


def live_model(index: ProjectIndex, node: NodeMetadata, text: str) -> LiveModel:
    """Render and analyse *text* as the code of *node*. Never raises: the reason is in the result."""
    raise NotImplementedError


def removed_columns(index: ProjectIndex, node: NodeMetadata, live: LiveModel) -> tuple[RemovedColumn, ...]:
    """Return the columns that *live* lacks, compared with the recorded model, and the nodes that fail.

    Empty unless all columns of both are known.
    """
    raise NotImplementedError


def effect_on_base(index: ProjectIndex, node: NodeMetadata, live: LiveModel) -> Effect | None:
    """Return the change of *live* against the run `index.base`; None without that run.

    A model that base does not have is an addition. The category is `unknown`, with the reason, if either side
    could not be rendered.
    """
    raise NotImplementedError
