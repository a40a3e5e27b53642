"""Query in a masked template: outputs, CTEs, tables and columns with their positions, also of half-typed SQL.

Each part is parsed strictly. If the whole does not parse, every CTE and the final query are parsed on their
own; for a part that does not parse, the last version that did is used, moved by the edits since.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import TypeVar

from msgspec import Struct

from recce_meta.lsp.text.positions import TextSpan
from recce_meta.lsp.text.template import TagArgument, TagCall

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
    """Identifier in the mask if it is a call of `ref`, `source` or `this`; else the name as written."""
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
    is_value: bool = True
    """True if it is in a SELECT list; False if it only filters, joins, groups or sorts rows."""


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
    origins: tuple[TextOrigin, ...] = ()
    """Sources of a column that a `*` yields, for which the text has no reference."""


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


def output_origins(query: QueryText, output: TextOutput) -> Sequence[TextOrigin]:
    """Return the direct sources of *output*: those of its star, or of the columns in its expression."""
    if output.is_star:
        return output.origins
    low, high = output.expression
    inside = (column for column in query.columns if low <= column.span.start and column.span.end <= high)
    # A subquery in the expression may have clauses of its own.
    return [origin for column in inside if column.is_value for origin in column.origins]


def moved(query: QueryText, start: int, removed: int, inserted: int) -> QueryText:
    """Return *query* after an edit that replaced *removed* code points at *start* by *inserted* ones.

    Names that the edit changes are dropped, with the sources that it changes.
    """
    return _Move(start, removed, inserted).query(query)


_Part = TypeVar("_Part")


class PartMapper:
    """Copy of a query at other positions, without the names that are no longer in the text."""

    def __init__(self) -> None:
        # A part that several others share is mapped once.
        self._tables: dict[int, TextTable | None] = {}
        self._outputs: dict[int, TextOutput | None] = {}

    def name(self, span: TextSpan, written: str) -> TextSpan | None:
        """Return the new span of the name *written*; None if it is gone. Tags are passed as empty names."""
        raise NotImplementedError

    def around(self, span: TextSpan) -> TextSpan | None:
        """Return the new span of a longer part."""
        raise NotImplementedError

    def call(self, call: TagCall, span: TextSpan) -> TagCall | None:
        """Return *call* in its tag at the new *span*; None if it is gone."""
        raise NotImplementedError

    def query(self, query: QueryText) -> QueryText:
        """Return the copy of *query*."""
        ctes: list[TextCte] = []
        for cte in query.ctes:
            span, body = self.name(cte.span, cte.name), self.around(cte.body)
            if span is not None and body is not None:
                ctes.append(TextCte(cte.name, span, body, _kept(map(self.output, cte.outputs))))
        return QueryText(
            query.quality,
            _kept(map(self.output, query.outputs)),
            tuple(ctes),
            _kept(map(self.table, query.tables)),
            _kept(map(self._column, query.columns)),
            self.around(query.final) if query.final is not None else None,
            query.edited,
        )

    def table(self, table: TextTable) -> TextTable | None:
        """Return the copy of *table*; None if its name or alias is gone."""
        known = id(table)
        if known not in self._tables:
            self._tables[known] = self._new_table(table)
        return self._tables[known]

    def output(self, output: TextOutput) -> TextOutput | None:
        """Return the copy of *output*; None if its name is gone."""
        known = id(output)
        if known not in self._outputs:
            self._outputs[known] = self._new_output(output)
        return self._outputs[known]

    def _new_table(self, table: TextTable) -> TextTable | None:
        span = self.name(table.span, "" if table.call is not None else table.name)
        if span is None:
            return None
        alias_span: TextSpan | None = None
        if table.alias_span is not None:
            alias_span = self.name(table.alias_span, table.alias or "")
            if alias_span is None:
                return None
        if table.call is None:
            return TextTable(span, table.name, None, table.cte, table.alias, alias_span)
        call = self.call(table.call, span)
        if call is None:
            return None
        # Masks are numbered anew in each version of a text.
        name = call.mask if table.name == table.call.mask else table.name
        return TextTable(span, name, call, table.cte, table.alias, alias_span)

    def _new_output(self, output: TextOutput) -> TextOutput | None:
        span = self.name(output.span, "" if output.is_star else output.name)
        expression = self.around(output.expression)
        if span is None or expression is None:
            return None
        origins = self._origins(output.origins)
        return TextOutput(output.name, span, expression, output.is_opaque, output.is_star, origins)

    def _column(self, column: TextColumn) -> TextColumn | None:
        span = self.name(column.span, column.name)
        # A column is only reported missing by an analysis of the present text.
        if span is None:
            return None
        return TextColumn(column.name, span, self._origins(column.origins), is_value=column.is_value)

    def _origins(self, origins: Sequence[TextOrigin]) -> tuple[TextOrigin, ...]:
        found: list[TextOrigin] = []
        for origin in origins:
            table = self.table(origin.table) if origin.table is not None else None
            output = self.output(origin.output) if origin.output is not None else None
            if (table is None) == (origin.table is None) and (output is None) == (origin.output is None):
                found.append(TextOrigin(origin.column, table, output, origin.confidence))
        # Without one of several possible sources, the others would look more certain than they are.
        return tuple(found) if len(found) == len(origins) else ()


class _Move(PartMapper):
    """Copy of a query after one edit."""

    def __init__(self, start: int, removed: int, inserted: int) -> None:
        super().__init__()
        self._start, self._end = start, start + removed
        self._by = inserted - removed

    def name(self, span: TextSpan, written: str) -> TextSpan | None:
        """Return the span after the edit; None if the edit is inside of it."""
        if span.end <= self._start:
            return span
        if span.start >= self._end:
            return TextSpan(span.start + self._by, span.end + self._by)
        return None

    def around(self, span: TextSpan) -> TextSpan | None:
        """Return the span after the edit, which may be inside of it."""
        is_inside = span.start < self._start and self._end < span.end
        if is_inside or (self._start < self._end and span.start <= self._start and self._end <= span.end):
            return TextSpan(span.start, span.end + self._by)
        return self.name(span, "")

    def call(self, call: TagCall, span: TextSpan) -> TagCall | None:
        """Return *call* after the edit, which is not inside of its tag."""
        by = span.start - call.tag.start
        return _moved_call(call, by) if by else call


def _kept(parts: Iterable[_Part | None]) -> tuple[_Part, ...]:
    return tuple(part for part in parts if part is not None)


def _moved_call(call: TagCall, by: int) -> TagCall:
    def shifted(span: TextSpan) -> TextSpan:
        return TextSpan(span.start + by, span.end + by)

    arguments = tuple(TagArgument(each.value, shifted(each.span), each.name) for each in call.arguments)
    return TagCall(
        call.name, shifted(call.name_span), shifted(call.span), shifted(call.tag), arguments, call.mask
    )
