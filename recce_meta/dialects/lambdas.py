"""Lambdas as DuckDB's catalog writes them: `list_transform(l, (lambda x: (x + 1)))`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlglot import Token

_LAMBDA = "lambda"


def without_brackets(tokens: list[Token]) -> list[Token]:
    """*tokens* without the brackets around each `lambda x: …`, in which sqlglot reads no lambda.

    Nothing else in SQL is a bracket, that word, names and a colon.
    """
    if not any(token.text.lower() == _LAMBDA for token in tokens):
        return tokens
    left_out: set[int] = set()
    opened: list[int | None] = []
    for place, token in enumerate(tokens):
        kind = token.token_type.name
        if kind == "L_PAREN":
            opened.append(place if _is_lambda(tokens, place + 1) else None)
        elif kind == "R_PAREN" and opened:
            start = opened.pop()
            if start is not None:
                left_out |= {start, place}
    return [token for place, token in enumerate(tokens) if place not in left_out]


def _is_lambda(tokens: Sequence[Token], place: int) -> bool:
    """Whether `lambda`, names with commas between them, and a colon stand from *place* on."""
    if place >= len(tokens) or tokens[place].text.lower() != _LAMBDA:
        return False
    for behind in range(place + 2, len(tokens), 2):
        kind = tokens[behind].token_type.name
        if kind != "COMMA":
            return kind == "COLON"
    return False
