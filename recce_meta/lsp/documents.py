"""Open documents, and what the server knows about each: its template, its query and its model.

Imported before the server answers `initialize`: only types come from the modules of the analyses.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias
from urllib.parse import unquote, urlsplit

from recce_meta.lsp.text.positions import Lines, PositionEncoding

if TYPE_CHECKING:
    from recce_meta.lsp.project.index import ProjectIndex
    from recce_meta.lsp.project.live import Effect, LiveModel, RemovedColumn
    from recce_meta.lsp.text.query_text import QueryText
    from recce_meta.lsp.text.template import ModelTemplate
    from recce_meta.models import NodeMetadata

LARGEST = 2_000_000
"""Characters of the longest text that is analysed; `extractors.sql_project.files` has the same limit."""
SUFFIXES = (".sql",)
"""Endings of the files that are analysed."""


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
    """Analyses of other edited texts by unique id; their columns replace the stored ones."""

    @property
    def package(self) -> str:
        """Package of the model, else the project's name."""
        if self.node is not None:
            return self.node.package_name
        return self.index.run.project_name if self.index is not None else ""


class TextEdit(NamedTuple):
    """Replacement of *removed* code points at *start* by *inserted* ones."""

    start: int
    removed: int
    inserted: int


class EditedRange(NamedTuple):
    """Range of an edit as the protocol gives it: lines and characters."""

    start: tuple[int, int]
    end: tuple[int, int]


MOST_EDITS = 5_000
"""Edits that are remembered until the text is read again."""


class EditorText:
    """Text that the editor has open, with the edits since it was last read."""

    def __init__(self, uri: str, version: int, text: str, encoding: PositionEncoding) -> None:
        """Open the text; *encoding* is the unit of characters in positions."""
        self.uri, self.version = uri, version
        self.path = path_of(uri)
        self.lines = Lines(text, encoding)
        self.edits: list[TextEdit] = []
        self.is_edited = False
        """True if the text may differ from the file."""

    @property
    def is_analysed(self) -> bool:
        """True for a file of SQL on this machine that is not larger than those of an index."""
        is_sql = self.path is not None and self.path.suffix.lower() in SUFFIXES
        return is_sql and len(self.lines.text) <= LARGEST

    def change(self, version: int, place: EditedRange | None, text: str) -> None:
        """Replace the text of *place*, or the whole text if *place* is None."""
        before, encoding = self.lines.text, self.lines.encoding
        if place is None:
            edit, after = _difference(before, text), text
        else:
            start = self.lines.offset(*place.start)
            # An end before the start would otherwise repeat text.
            end = max(start, self.lines.offset(*place.end))
            edit, after = TextEdit(start, end - start, len(text)), before[:start] + text + before[end:]
        self.version, self.lines, self.is_edited = version, Lines(after, encoding), True
        self.edits.append(edit)
        del self.edits[:-MOST_EDITS]

    def take_edits(self) -> tuple[TextEdit, ...]:
        """Return the edits since the last call, oldest first."""
        found, self.edits = tuple(self.edits), []
        return found


OpenFiles: TypeAlias = dict[str, EditorText]
"""Open texts by the URI that the editor uses."""


def _difference(before: str, after: str) -> TextEdit:
    """Return the edit that makes *after* of *before*: all between the equal start and the equal end."""
    start = _equal(before, after)
    end = _equal(before[start:][::-1], after[start:][::-1])
    return TextEdit(start, len(before) - start - end, len(after) - start - end)


def _equal(one: str, other: str) -> int:
    """Return the length of the equal start of both texts."""
    most = min(len(one), len(other))
    if one[:most] == other[:most]:
        return most
    return next(index for index in range(most) if one[index] != other[index])


def path_of(uri: str) -> Path | None:
    """Return the absolute path of a `file:` URI; None for any other URI, and for a path of another system."""
    try:
        parts = urlsplit(uri)
        host, path = unquote(parts.netloc), unquote(parts.path, errors="surrogateescape")
    except ValueError:  # such as an unfinished IPv6 address
        return None
    if parts.scheme.lower() != "file" or "\0" in path:
        return None
    if len(path) > 2 and path[0] == "/" and path[1].isalpha() and path[2] == ":":
        path = path[1:]
    elif host and host.lower() != "localhost":
        path = f"//{host}{path}"
    found = Path(path)
    # `C:/shop` is a relative path outside Windows.
    return found if found.is_absolute() and not (found.as_posix().startswith("//")) else None
