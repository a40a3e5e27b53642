"""Items of the SELECT lists of parsed SQL, with their positions in the template."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence

from msgspec import Struct
from sqlglot import Token, TokenType, exp

from recce_meta.lsp.text.positions import TextSpan
from recce_meta.lsp.text.template import ModelTemplate, TextRegions
from recce_meta.sql_lineage.expressions import NODE, args
from recce_meta.sql_lineage.query import Output, QuerySource, Select, SourceColumn
from recce_meta.warehouses.types import Sql

_OPENING = frozenset({TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE})
_CLOSING = frozenset({TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE})
_AFTER_ITEM = frozenset(
    {
        TokenType.FROM,
        TokenType.WHERE,
        TokenType.GROUP_BY,
        TokenType.ORDER_BY,
        TokenType.HAVING,
        TokenType.QUALIFY,
        TokenType.LIMIT,
        TokenType.UNION,
        TokenType.EXCEPT,
        TokenType.INTERSECT,
        TokenType.SEMICOLON,
        TokenType.INTO,
    }
)


class ParsedText(Struct, frozen=True):
    """SQL that was parsed: pieces of a mask, with a few names in between."""

    template: ModelTemplate
    sql: str
    tokens: Sequence[Token]
    pieces: tuple[tuple[int, int, int], ...]
    """Offset in `sql`, offset in the mask, and length of each piece, in order."""
    placeholder: str = ""
    """Name that was put in, in lower case."""

    def offset(self, place: int) -> int:
        """Return the offset in the template for *place* in `sql`; the end of a piece for a place between."""
        at = bisect_left(self.pieces, (place + 1,)) - 1
        if at < 0:
            return 0
        start, origin, length = self.pieces[at]
        return origin + min(place - start, length)


class SelectItem(Struct):
    """Item of a SELECT list."""

    node: Sql
    span: TextSpan
    """All of it, with its alias."""
    expression: TextSpan
    name: TextSpan | None
    """Its alias, its column, or its star."""
    is_star: bool
    is_hidden: bool
    """Whether a tag is in its name."""


class _ItemRanges:
    """Tokens of the items of every SELECT list."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._found: list[tuple[int, int]] = []
        opened: list[int | None] = [None]
        for place, token in enumerate(tokens):
            kind = token.token_type
            if kind in _OPENING:
                opened.append(None)
            elif kind in _CLOSING:
                self._add(opened.pop() if len(opened) > 1 else opened[0], place)
            elif kind is TokenType.SELECT:
                opened[-1] = place + 1
            elif opened[-1] is not None:
                if kind is TokenType.COMMA:
                    self._add(opened[-1], place)
                    opened[-1] = place + 1
                elif kind is TokenType.DISTINCT and opened[-1] == place:
                    opened[-1] = place + 1
                elif kind in _AFTER_ITEM and not self._goes_on(place):
                    self._add(opened[-1], place)
                    opened[-1] = None
        self._add(opened[-1], len(tokens))
        self._found.sort()
        self._starts = [tokens[first].start for first, _ in self._found]

    def _add(self, first: int | None, end: int) -> None:
        if first is not None and first < end:
            self._found.append((first, end - 1))

    def _goes_on(self, place: int) -> bool:
        """Return whether the keyword at *place* belongs to an item: `* EXCEPT (a)`, `IS DISTINCT FROM`."""
        kind, before = self._tokens[place].token_type, self._tokens[place - 1].token_type
        if kind is TokenType.EXCEPT:
            return before is TokenType.STAR
        return kind is TokenType.FROM and before is TokenType.DISTINCT

    def around(self, low: int, high: int) -> tuple[int, int]:
        """Return the first and the last token of the smallest item with the offsets *low* to *high*."""
        for place in range(bisect_right(self._starts, low) - 1, -1, -1):
            first, last = self._found[place]
            if self._tokens[last].end + 1 >= high:
                return first, last
        starts = [token.start for token in self._tokens]
        return max(0, bisect_right(starts, low) - 1), max(0, bisect_left(starts, high) - 1)


class SelectItems:
    """Items of every SELECT, and the outputs that they yield."""

    def __init__(self, parsed: ParsedText) -> None:
        self._parsed = parsed
        self.tags = TextRegions(parsed.template.tags)
        self.index = {token.start: place for place, token in enumerate(parsed.tokens)}
        """Places of the tokens by their offsets."""
        self._origins = [parsed.offset(token.start) for token in parsed.tokens]
        self._ranges = _ItemRanges(parsed.tokens)
        self._items: dict[int, list[SelectItem]] = {}
        self._of_output: dict[int, SelectItem] = {}

    def of(self, select: Select) -> Sequence[SelectItem]:
        """Return the items of *select*, which was added."""
        return self._items.get(id(select), ())

    def of_output(self, output: Output) -> SelectItem | None:
        """Return the item that yields *output*."""
        return self._of_output.get(id(output))

    def span(self, node: Sql | None) -> TextSpan | None:
        """Return the position of one name, star or literal."""
        if node is None or "start" not in node.meta:
            return None
        low, high = node.meta["start"], node.meta["end"] + 1
        return TextSpan(self._parsed.offset(low), self._parsed.offset(high))

    def is_tag(self, span: TextSpan) -> bool:
        """Return whether a tag is in *span*."""
        return bool(self.tags.within(span.start, span.end))

    def extent(self, node: Sql) -> TextSpan | None:
        """Return the text from the first to the last name or literal of *node*."""
        spans = [_raw(each) for each in node.walk() if "start" in each.meta]
        if not spans:
            return None
        low, high = min(span[0] for span in spans), max(span[1] for span in spans)
        return TextSpan(self._parsed.offset(low), self._parsed.offset(high))

    def after(self, offset: int) -> int:
        """Return the offset of the first token at or after *offset*, in the template."""
        place = bisect_left(self._origins, offset)
        return self._origins[place] if place < len(self._origins) else len(self._parsed.template.text)

    def add(self, select: Select) -> None:
        """Find the position of each item of a SELECT list, and the outputs that it yields."""
        places: dict[int, int] = {}
        items: list[SelectItem] = []
        for node in args(select.node, "expressions") if isinstance(select.node, exp.Select) else ():
            item = self._item(node)
            if item is not None:
                places[id(node)] = len(items)
                items.append(item)
        self._items[id(select)] = items
        place, last = -1, None
        for output in select.outputs:
            at = self._place_of(output, places)
            if at is None:
                source = _star_source(output)
                is_next = place < 0 or not items[place].is_star
                if not is_next and isinstance(items[place].node, exp.Column) and source is not last:
                    is_next = any(item.is_star for item in items[place + 1 : place + 2])
                if is_next:
                    place = next((i for i in range(place + 1, len(items)) if items[i].is_star), place)
                last = source
            else:
                place = at
            if 0 <= place < len(items):
                self._of_output[id(output)] = items[place]

    def _place_of(self, output: Output, places: Mapping[int, int]) -> int | None:
        node = output.node
        while node is not None:
            if id(node) in places:
                return places[id(node)]
            node = node.parent
        return None

    def _item(self, node: Sql) -> SelectItem | None:
        spans = [span for each in node.walk() if "start" in each.meta and (span := _raw(each)) is not None]
        alias = node.args.get("alias") if isinstance(node, exp.Alias) else None
        if not spans:
            return None
        low, high = min(span[0] for span in spans), max(span[1] for span in spans)
        first, last = self._ranges.around(low, high)
        tokens, offset = self._parsed.tokens, self._parsed.offset
        span = TextSpan(offset(tokens[first].start), offset(tokens[last].end + 1))
        expression, name = span, None
        is_star = isinstance(node, exp.Star) or (
            isinstance(node, (exp.Column, exp.Dot)) and node.find(exp.Star) is not None
        )
        if isinstance(alias, NODE) and (name := self.span(alias)) is not None:
            place = self.index.get(alias.meta["start"], first) - 1
            if place > first and tokens[place].token_type is TokenType.ALIAS:
                place -= 1
            if place >= first:
                expression = TextSpan(span.start, offset(tokens[place].end + 1))
        elif is_star:
            name = self.span(node.find(exp.Star))
        elif isinstance(node, exp.Column):
            name = self.span(node.this)
        elif isinstance(node, exp.Dot) and isinstance(node.expression, exp.Identifier):
            name = self.span(node.expression)
        is_hidden = self.is_tag(name) if name is not None else False
        return SelectItem(node, span, expression, name, is_star, is_hidden)


def _raw(node: Sql) -> tuple[int, int]:
    return node.meta["start"], node.meta["end"] + 1


def _star_source(output: Output) -> QuerySource | None:
    """Return the source that a `*` takes *output* from."""
    if output.star is not None:
        return output.star.sources[0] if output.star.sources else None
    plain = output.reads.plain
    return plain.source if isinstance(plain, SourceColumn) else None
