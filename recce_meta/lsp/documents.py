"""Open documents, and what the server knows about each: its template, its query and its model."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from recce_meta.lsp.live import Effect, LiveModel, RemovedColumn
from recce_meta.lsp.positions import Lines
from recce_meta.lsp.project import ProjectIndex
from recce_meta.lsp.query_text import QueryText
from recce_meta.lsp.template import ModelTemplate
from recce_meta.models import NodeMetadata


@dataclass(frozen=True)
class OpenText:
    """One version of an open text."""

    uri: str
    path: Path
    version: int
    lines: Lines
    template: ModelTemplate

    @property
    def text(self) -> str:
        """The text in the editor."""
        return self.lines.text


@dataclass(frozen=True)
class TextView:
    """Text with its analyses, which is all that features read. No part is changed later."""

    document: OpenText
    query: QueryText
    index: ProjectIndex | None = None
    """None until the project was analysed."""
    node: NodeMetadata | None = None
    """Recorded model of the file; None for a new file, a macro, or a file of another project."""
    live: LiveModel | None = None
    """Analysis of the text; None until it is done. Its text may be an earlier one: compare `live.text`."""
    removed: tuple[RemovedColumn, ...] = ()
    """Columns that `live` removes."""
    effect: Effect | None = None
    """Change of `live` against base."""
    others: dict[str, LiveModel] = field(default_factory=dict)
    """Analyses of other open texts with unsaved edits, by unique id; their columns replace the stored ones."""

    @property
    def package(self) -> str:
        """Package of the model, else the project's name."""
        if self.node is not None:
            return self.node.package_name
        return self.index.run.project_name if self.index is not None else ""
