"""Query in a masked template: outputs, CTEs, tables and columns with their positions, also of half-typed SQL.

Each part is parsed strictly. If the whole does not parse, every CTE and the final query are parsed on their
own; for a part that does not parse, the last version that did is used, moved by the edits since.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum

from msgspec import Struct

from recce_meta.lsp.positions import TextSpan
from recce_meta.lsp.template import ModelTemplate, TagCall

Columns = Mapping[str, str | None]
"""Types of columns by name, in order; None for an unknown type."""


class TextQuality(str, Enum):
    """Part of the text that was parsed."""

    STRICT = "strict"
    """All of it."""
    PARTS = "parts"
    """Some CTEs or the final query."""
    EARLIER = "earlier"
    """An earlier version of the text."""
    NOTHING = "nothing"


class TextTable(Struct, frozen=True):
    """Relation that the text reads in FROM or JOIN."""

    span: TextSpan
    """Its name in the text: of a tag, the whole tag."""
    name: str
    """Identifier in the mask, or dotted name as written."""
    call: TagCall | None = None
    """Call of `ref`, `source` or `this` that it stands for."""
    cte: str | None = None
    """Name of the CTE that it reads, as the CTE spells it."""
    alias: str | None = None
    alias_span: TextSpan | None = None


class TextOrigin(Struct, frozen=True):
    """Possible source of a column: the column of a table, or an output of a CTE or subquery."""

    column: str
    table: TextTable | None = None
    """None for a column of a subquery."""
    output: TextOutput | None = None
    """Output of the CTE or subquery, if it is in the text."""
    confidence: float = 1.0


class TextColumn(Struct, frozen=True):
    """Reference to a column."""

    name: str
    span: TextSpan
    """The name without its qualifier."""
    origins: tuple[TextOrigin, ...] = ()
    """Possible sources; several for a column of USING, or of tables with unknown columns."""
    is_missing: bool = False
    """True if every table in scope has known columns, and none has this one."""
    candidates: tuple[str, ...] = ()
    """Names of the columns that were searched, if `is_missing`."""


class TextOutput(Struct, frozen=True):
    """Output column of a query in the text."""

    name: str
    span: TextSpan
    """Its alias, else its name; of a `*`, the star."""
    expression: TextSpan
    is_opaque: bool = False
    """True if a tag that was not rendered is in its expression."""
    is_star: bool = False
    """True for a column that a `*` yields, and for a `*` whose columns are unknown (`name` is `*`)."""


class TextCte(Struct, frozen=True):
    """Common table expression."""

    name: str
    span: TextSpan
    """Its name."""
    body: TextSpan
    """Its query without the parentheses."""
    outputs: tuple[TextOutput, ...] = ()


class QueryText(Struct, frozen=True):
    """Everything in a text that features need."""

    quality: TextQuality
    outputs: tuple[TextOutput, ...] = ()
    """Outputs of the model."""
    ctes: tuple[TextCte, ...] = ()
    tables: tuple[TextTable, ...] = ()
    columns: tuple[TextColumn, ...] = ()
    """References to columns, sorted by their position."""
    final: TextSpan | None = None
    """The final SELECT list."""
    edited: int = 0
    """Version of the text that an `EARLIER` part is from."""


def read_query(
    template: ModelTemplate,
    dialect: str,
    schemas: Mapping[str, Columns],
    *,
    earlier: QueryText | None = None,
    cursor: int | None = None,
    timeout: float = 1.0,
) -> QueryText:
    """Return the query of *template*.

    *schemas* has the known columns of tables by identifier in the mask. *earlier* is the result for the text
    before the last edits, already moved to the offsets of this text by `moved`. *cursor* is the offset of the
    last edit: a name or keyword that is half-typed there is completed before the text is parsed.
    """
    raise NotImplementedError


def moved(query: QueryText, start: int, removed: int, inserted: int) -> QueryText:
    """Return *query* after an edit that replaced *removed* code points at *start* by *inserted* ones.

    Positions inside of the edit are dropped.
    """
    raise NotImplementedError


def tables_of(template: ModelTemplate, dialect: str) -> Sequence[str]:
    """Return the identifiers in the mask that are read as tables, without resolving any column."""
    raise NotImplementedError
