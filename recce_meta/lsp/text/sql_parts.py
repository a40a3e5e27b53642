"""Parts of SQL that may be half-typed: its CTEs and its final query, found by their tokens."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from sqlglot import Token, TokenType

from recce_meta.lsp.text.positions import TextSpan

_NAMES = frozenset({TokenType.VAR, TokenType.IDENTIFIER})
_QUERIES = frozenset({TokenType.SELECT, TokenType.WITH, TokenType.FROM, TokenType.VALUES})


class SqlPart(Struct, frozen=True):
    """Body of a CTE."""

    header: TextSpan
    """From its name to AS."""
    body: TextSpan
    """Its query without the parentheses, as much of it as there is."""
    recursive: bool = False


def parts_of(sql: str, tokens: Sequence[Token]) -> tuple[list[SqlPart], TextSpan | None]:
    """Return the CTEs of *sql* and the span of its final query; None if that was not found.

    A CTE without a closing parenthesis ends before the next `name AS (SELECT`, or before a SELECT at the
    start of a line.
    """
    if not tokens or tokens[0].token_type is not TokenType.WITH:
        return [], TextSpan(0, len(sql)) if tokens else None
    place = 1
    recursive = place < len(tokens) and tokens[place].token_type is TokenType.RECURSIVE
    place += recursive
    scanner, found = _PartScanner(sql, tokens), list[SqlPart]()
    while place < len(tokens):
        opening = scanner.opening(place)
        if opening is None:
            kind = tokens[place].token_type
            if kind is TokenType.SELECT or (kind is TokenType.L_PAREN and found):
                return found, TextSpan(tokens[place].start, len(sql))
            place += 1
            continue
        header = TextSpan(tokens[place].start, tokens[opening - 1].end + 1)
        end = scanner.end(opening)
        start = tokens[opening].end + 1
        close = tokens[end].start if end < len(tokens) else len(sql)
        found.append(SqlPart(header, TextSpan(start, max(start, close)), recursive))
        # Behind the parenthesis or the comma.
        place = end + (end < len(tokens) and tokens[end].token_type in (TokenType.R_PAREN, TokenType.COMMA))
    return found, None


class _PartScanner:
    def __init__(self, sql: str, tokens: Sequence[Token]) -> None:
        self._sql, self._tokens = sql, tokens

    def _kind(self, place: int) -> TokenType | None:
        return self._tokens[place].token_type if place < len(self._tokens) else None

    def opening(self, place: int) -> int | None:
        """Return the token of the parenthesis that opens a CTE whose name is at *place*."""
        if self._kind(place) not in _NAMES:
            return None
        place += 1
        if self._kind(place) is TokenType.L_PAREN:
            while self._kind(place) not in (None, TokenType.R_PAREN, TokenType.SELECT):
                place += 1
            place += 1
        if self._kind(place) is not TokenType.ALIAS:
            return None
        place += 1
        if self._kind(place) is TokenType.NOT:
            place += 1
        if place < len(self._tokens) and self._tokens[place].text.lower() == "materialized":
            place += 1
        return place if self._kind(place) is TokenType.L_PAREN else None

    def end(self, opening: int) -> int:
        """Return the token after the body that starts at *opening*: its parenthesis, or what comes next."""
        depth = 0
        has_own_ctes = self._kind(opening + 1) is TokenType.WITH
        last_line: int | None = None
        for place in range(opening, len(self._tokens)):
            kind = self._kind(place)
            if kind is TokenType.L_PAREN:
                depth += 1
            elif kind is TokenType.R_PAREN:
                depth -= 1
                if depth == 0:
                    return place
            elif kind is TokenType.COMMA and not has_own_ctes and place > opening + 1:
                after = self.opening(place + 1)
                if after is not None and self._kind(after + 1) in _QUERIES:
                    return place
            elif kind is TokenType.SELECT and self._starts_line(place) and place > opening + 1:
                last_line = place
        return last_line if last_line is not None else len(self._tokens)

    def _starts_line(self, place: int) -> bool:
        start = self._tokens[place].start
        is_first = start > 0 and self._sql[start - 1] in "\r\n"
        return is_first and self._kind(place - 1) is TokenType.R_PAREN
