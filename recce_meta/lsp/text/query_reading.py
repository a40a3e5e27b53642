"""Parsing of a masked template that may be half-typed: as a whole, in parts, or not at all."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import count

from msgspec.structs import replace
from sqlglot import Token, TokenType
from sqlglot.errors import SqlglotError

from recce_meta.errors import SqlNotAnalysed
from recce_meta.lsp.text.positions import TextSpan
from recce_meta.lsp.text.query_items import ParsedText
from recce_meta.lsp.text.query_nodes import RELATIONS, QueryPositions
from recce_meta.lsp.text.query_text import PartMapper, QueryText, TextColumn, TextOrigin, TextQuality
from recce_meta.lsp.text.sql_parts import parts_of
from recce_meta.lsp.text.template import ModelTemplate, blank
from recce_meta.lsp.text.template_tags import TagCall
from recce_meta.sql_lineage.analyse import resolve_query
from recce_meta.sql_lineage.context import Deadline
from recce_meta.sql_lineage.parse import parse, tokens_of

Schemas = Mapping[str, Mapping[str, str | None]]

_SEPARATOR = re.compile(
    r"(?:\bunion(?:\s+(?:all|distinct))?|\b(?:and|or|intersect|except)\b|,)(?=\s*$)", re.IGNORECASE
)
_CLAUSES = r"from|where|group|order|on|join|left|right|inner|full|cross|having|qualify|limit|union|using"
_DANGLING = re.compile(
    rf"""(?<![\d.])(?:\b[A-Za-z_]\w*|"[^"\n]*"|`[^`\n]*`)\."""
    rf"""(?=\s*(?:[,)=<>]|$)|\s+(?:{_CLAUSES}|and|or|as|then|else|end|when|is|in|between|like|asc|desc|select)\b)"""
    rf"""|\b(?:from|join)\s+(?=(?:{_CLAUSES}|select)\s|[,)]|$)""",
    re.IGNORECASE,
)
"""A dot without a column, or a FROM or JOIN without a table, which sqlglot would read as a name."""
_WORD_AFTER = re.compile(r"\w+")
_OPERANDS = frozenset(
    {
        TokenType.VAR,
        TokenType.IDENTIFIER,
        TokenType.STRING,
        TokenType.NUMBER,
        TokenType.R_PAREN,
        TokenType.END,
    }
)
_STARTS_LIST = frozenset({TokenType.SELECT, TokenType.COMMA, TokenType.DOT, TokenType.DISTINCT})
_QUOTES = "'\"`"
_STUB = "select * from {}"


def read(
    template: ModelTemplate,
    dialect: str,
    schemas: Schemas,
    earlier: QueryText | None,
    cursor: int | None,
    timeout: float,
) -> QueryText:
    """Return the query of *template*; see `file_texts.read_query`."""
    return _TextReader(template, dialect, schemas, cursor, timeout).read(earlier)


def tables(template: ModelTemplate, dialect: str) -> Sequence[str]:
    """Return the identifiers in the mask of *template* that are read as tables."""
    relations = [name for name, call in template.masks.items() if call is not None and call.name in RELATIONS]
    try:
        words = {token.text.lower() for token in tokens_of(template.masked, dialect)}
    except SqlglotError:
        return relations
    return [name for name in relations if name in words]


class _SqlPieces:
    """Builder of SQL from pieces of a mask."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._length = 0
        self.found: list[tuple[int, int, int]] = []

    def add(self, sql: str, start: int, end: int) -> None:
        """Append a piece of *sql*."""
        self.found.append((self._length, start, end - start))
        self.insert(sql[start:end])

    def insert(self, text: str) -> None:
        """Append text that is not in the template."""
        self._texts.append(text)
        self._length += len(text)

    @property
    def sql(self) -> str:
        """The pieces, joined."""
        return "".join(self._texts)


class _TextReader:
    """Reader of one version of a text."""

    def __init__(
        self,
        template: ModelTemplate,
        dialect: str,
        schemas: Schemas,
        cursor: int | None,
        timeout: float,
    ) -> None:
        self._template, self._dialect, self._schemas = template, dialect, schemas
        self._cursor, self._end = cursor, time.monotonic() + timeout
        self._placeholder = _free_name(template.masked)

    def read(self, earlier: QueryText | None) -> QueryText:
        """Return the query, with parts of *earlier* for what does not parse."""
        # sqlglot leaves out a byte order mark, which would move all offsets.
        sql = self._template.masked.replace("\ufeff", " ")
        known = _Relink(self._template).query(earlier) if earlier is not None else None
        is_dangling = bool(self._dangling(sql))
        if not is_dangling and (found := self._whole(sql)) is not None:
            return found
        sql = self._without_open_quote(sql)
        try:
            tokens = tokens_of(sql, self._dialect)
        except SqlglotError:
            return _earlier(known)
        for other in () if is_dangling else self._alternatives(sql, tokens):
            if (found := self._whole(other)) is not None:
                return found
            sql = other
        return self._of_parts(sql, known)

    def _dangling(self, sql: str) -> list[int]:
        """Return the offsets where a name is missing, outside of comments and strings."""
        found = list(_DANGLING.finditer(sql))
        if not found:
            return []
        try:
            starts = {token.start for token in tokens_of(sql, self._dialect)}
        except SqlglotError:
            return [match.end() for match in found]
        return [match.end() for match in found if match.start() in starts]

    def _left(self) -> float:
        return self._end - time.monotonic()

    def _whole(self, sql: str) -> QueryText | None:
        """Return the query if all of *sql* parses."""
        found = self._resolved(sql, ((0, 0, len(sql)),), TextQuality.STRICT)
        if found is None:
            return None
        query, suspicious = found
        if not suspicious:
            return query
        for span in suspicious:
            sql = sql[: span.start] + blank(sql[span.start : span.end]) + sql[span.end :]
        other = self._resolved(sql, ((0, 0, len(sql)),), TextQuality.STRICT)
        return other[0] if other is not None else query

    def _resolved(
        self, sql: str, pieces: tuple[tuple[int, int, int], ...], quality: TextQuality
    ) -> tuple[QueryText, Sequence[TextSpan]] | None:
        """Return the query, and the tags that it takes for aliases."""
        if self._left() <= 0:
            return None
        try:
            query = resolve_query(sql, self._dialect, self._schemas, timeout=self._left())
            tokens = tokens_of(sql, self._dialect)
            parsed = ParsedText(self._template, sql, tokens, pieces, self._placeholder)
            reader = QueryPositions(query, parsed, self._cursor)
            return reader.read(quality), reader.alias_tags()
        except (SqlNotAnalysed, RecursionError):
            return None

    # Tags

    def _alternatives(self, sql: str, tokens: Sequence[Token]) -> Iterator[str]:
        """Yield *sql* without tags that are not operands, then also without the separators of loops."""
        other = self._without_appended(sql, tokens)
        if other != sql:
            yield other
        without = other
        for loop in self._template.loops:
            separator = _SEPARATOR.search(without, loop.start, loop.end)
            if separator is not None:
                start, end = separator.span()
                without = without[:start] + blank(without[start:end]) + without[end:]
        if without != other:
            yield without

    def _without_appended(self, sql: str, tokens: Sequence[Token]) -> str:
        """Return *sql* without tags that directly follow an operand: `partition by a {{ more() }}`."""
        starts = {token.start: place for place, token in enumerate(tokens)}
        gone: set[int] = set()
        for tag in self._template.tags:
            mask = sql[tag.start : tag.end]
            place = starts.get(tag.start + len(mask) - len(mask.lstrip()))
            if place is None or place == 0 or self._is_relation(tag):
                continue
            at = place - 1
            while at > 0 and at in gone:
                at -= 1
            if not _is_operand(tokens, at):
                continue
            gone.add(place)
            following = tokens[place + 1].token_type if place + 1 < len(tokens) else None
            is_union = following is TokenType.SELECT and len(mask.rstrip()) >= 9 and "\n" not in mask
            instead = "union all".ljust(len(mask)) if is_union else blank(mask)
            sql = sql[: tag.start] + instead + sql[tag.end :]
        return sql

    def _is_relation(self, tag: TextSpan) -> bool:
        return any(call.tag == tag and call.mask and call.name in RELATIONS for call in self._template.calls)

    # Half-typed SQL

    def _without_open_quote(self, sql: str) -> str:
        """Return *sql* without the rest of a line after a quote that does not end, at the cursor."""
        if self._cursor is None:
            return sql
        try:
            tokens_of(sql, self._dialect)
        except SqlglotError:
            start = max(sql.rfind("\n", 0, self._cursor), sql.rfind("\r", 0, self._cursor)) + 1
            end = re.compile(r"[\r\n]|$").search(sql, self._cursor)
            line = sql[start : end.start() if end is not None else len(sql)]
            for quote in _QUOTES:
                if line.count(quote) % 2:
                    place = start + line.rfind(quote)
                    return sql[:place] + " " * (start + len(line) - place) + sql[start + len(line) :]
        return sql

    def _of_parts(self, sql: str, known: QueryText | None) -> QueryText:
        """Return the query of the parts of *sql* that parse, and of *known* the others."""
        try:
            tokens = tokens_of(sql, self._dialect)
        except SqlglotError:
            return _earlier(known)
        found, final = parts_of(sql, tokens)
        if not tokens:
            return _earlier(known)
        pieces, broken = _SqlPieces(), list[TextSpan]()
        for place, part in enumerate(found):
            pieces.insert(", " if place else ("with recursive " if part.recursive else "with "))
            pieces.add(sql, *part.header)
            pieces.insert(" (")
            self._add_part(sql, part.body, pieces, broken)
            pieces.insert(")")
        pieces.insert(" ")
        if final is None:
            pieces.insert("select 1")
            broken.append(TextSpan(found[-1].body.end if found else 0, len(sql)))
        else:
            self._add_part(sql, final, pieces, broken)
        if len(broken) == len(found) + 1:
            return _earlier(known)
        resolved = self._resolved(pieces.sql, tuple(pieces.found), TextQuality.PARTS)
        if resolved is None:
            return _earlier(known)
        bodies = {part.header.start: part.body for part in found if part.body in broken}
        ctes = [replace(cte, body=bodies.get(cte.span.start, cte.body)) for cte in resolved[0].ctes]
        query = replace(resolved[0], ctes=tuple(ctes))
        if final is None:
            query = replace(query, outputs=(), final=None)
        return _merged(query, known, broken)

    def _add_part(self, sql: str, span: TextSpan, pieces: _SqlPieces, broken: list[TextSpan]) -> None:
        """Append a CTE's body or the final query: as it is, completed, or a stub."""
        for start, end, inserted in self._versions(sql, span):
            made = _SqlPieces()
            place = start
            for at, text in inserted:
                made.add(sql, place, at)
                made.insert(text)
                place = at if text.strip() else at + len(text)
            made.add(sql, place, end)
            if self._dangling(made.sql) or not self._parses(made.sql):
                continue
            place = start
            for at, text in inserted:
                pieces.add(sql, place, at)
                pieces.insert(text)
                place = at if text.strip() else at + len(text)
            pieces.add(sql, place, end)
            return
        broken.append(span)
        pieces.insert(_STUB.format(self._placeholder))

    def _versions(self, sql: str, span: TextSpan) -> Iterator[tuple[int, int, list[tuple[int, str]]]]:
        """Yield changes of a part that may make it parse: names to insert, and words to blank.

        A change is an offset and its text; white space replaces as many characters.
        """
        start, end = span
        dots = [(at, f"{self._placeholder} ") for at in self._dangling(sql) if start <= at <= end]
        yield start, end, dots
        cursor = self._cursor
        if cursor is None or not start <= cursor <= end:
            return
        name = f" {self._placeholder} "
        if not any(at == cursor for at, _ in dots):
            yield start, end, sorted([*dots, (cursor, name)])
        after = _WORD_AFTER.match(sql, cursor, end)
        low = cursor
        while low > start and _WORD_AFTER.match(sql[low - 1]):
            low -= 1
        high = after.end() if after is not None else cursor
        is_tag = any(tag.start <= low < tag.end for tag in self._template.tags)
        if low < high and not is_tag and sql[low - 1 : low] != ".":
            yield (
                start,
                end,
                sorted([*(dot for dot in dots if not low <= dot[0] <= high), (low, " " * (high - low))]),
            )
            others = [dot for dot in dots if not low <= dot[0] <= high]
            yield start, end, sorted([*others, (low, " " * (high - low)), (high, name)])

    def _parses(self, sql: str) -> bool:
        left = self._left()
        if left <= 0:
            return False
        try:
            parse(sql, self._dialect, Deadline(left))
        except (SqlNotAnalysed, RecursionError):
            return False
        return True


def _free_name(text: str) -> str:
    """Return a name that *text* does not contain."""
    lower = text.lower()
    return next(name for number in count() if (name := f"typed_{number}") not in lower)


def _is_operand(tokens: Sequence[Token], place: int) -> bool:
    kind = tokens[place].token_type
    if kind is TokenType.STAR:
        return place > 0 and tokens[place - 1].token_type in _STARTS_LIST
    return kind in _OPERANDS


def _earlier(known: QueryText | None) -> QueryText:
    if known is None or known.quality is TextQuality.NOTHING:
        return QueryText(TextQuality.NOTHING)
    return replace(known, quality=TextQuality.EARLIER)


def _is_in(span: TextSpan, regions: Sequence[TextSpan]) -> bool:
    return any(region.start <= span.start and span.end <= region.end for region in regions)


def _merged(query: QueryText, known: QueryText | None, broken: Sequence[TextSpan]) -> QueryText:
    """Return *query* with the parts of *known* that are in the regions *broken*."""
    if known is None:
        return query
    outputs = {cte.span: cte.outputs for cte in known.ctes}
    ctes = [
        replace(cte, outputs=outputs.get(cte.span, ())) if cte.body in broken else cte for cte in query.ctes
    ]
    taken = {table.span for table in query.tables}
    tables = [table for table in known.tables if _is_in(table.span, broken) and table.span not in taken]
    before = {column.span: column for column in known.columns}
    columns = {column.span: _agreed(column, before.get(column.span)) for column in query.columns}
    columns |= {span: column for span, column in before.items() if _is_in(span, broken)}
    is_last = query.final is None
    return replace(
        query,
        outputs=known.outputs if is_last else query.outputs,
        final=known.final if is_last else query.final,
        ctes=tuple(ctes),
        tables=tuple(sorted([*query.tables, *tables], key=lambda table: table.span)),
        columns=tuple(columns[span] for span in sorted(columns)),
        edited=known.edited,
    )


def _agreed(column: TextColumn, before: TextColumn | None) -> TextColumn:
    """Return *column*, read from a part of a text, with its earlier sources if they are others.

    While a text does not parse, a FROM may seem to belong to another SELECT than it will.
    """
    if before is None or set(map(_source_of, column.origins)) <= set(map(_source_of, before.origins)):
        return column
    return before


def _source_of(origin: TextOrigin) -> tuple[object, ...]:
    table = origin.table.span if origin.table is not None else None
    output = origin.output.span if origin.output is not None and table is None else None
    return origin.column.lower(), table, output


class _Relink(PartMapper):
    """Copy of an earlier query without the names that are not in a text."""

    def __init__(self, template: ModelTemplate) -> None:
        super().__init__()
        self._text = template.text
        self._calls = {call.tag: call for call in template.calls if call.mask}

    def name(self, span: TextSpan, written: str) -> TextSpan | None:
        """Return *span* if the text has *written* there, as a word of its own."""
        if span.end > len(self._text):
            return None
        if not written:
            return span
        found = self._text[span.start : span.end]
        around = self._text[max(0, span.start - 1) : span.start], self._text[span.end : span.end + 1]
        is_word = found == written or found.strip('"`[]').lower() == written.lower()
        return span if is_word and not any(char.isalnum() or char == "_" for char in around) else None

    def around(self, span: TextSpan) -> TextSpan | None:
        """Return *span* if it is in the text."""
        return span if span.end <= len(self._text) else None

    def call(self, call: TagCall, span: TextSpan) -> TagCall | None:
        """Return the call of the text at *span*, if it is the same."""
        now = self._calls.get(span)
        same = now is not None and now.name == call.name and _values(now) == _values(call)
        return now if same else None


def _values(call: TagCall) -> list[tuple[str | None, object]]:
    return [(argument.name, argument.value) for argument in call.arguments]
