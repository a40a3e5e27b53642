"""Tokens: one value for a whole key, small enough to aggregate, by which rows are found again.

A key of one whole number or text is its own token. Any other is told as text, its columns joined by a bar:
two keys may then share a token, so that a token chooses rows and never identifies one. Tokens are those of
base: current may write an equal key in another way, 1.0 for 1.00, and is then not asked for them.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp

from recce_meta.dialects import Kind, Sql
from recce_meta.diff.data.compare import Comparison
from recce_meta.diff.data.keyed import Keyed
from recce_meta.models.data_diff import DataSide

SEPARATOR = "|"
_ONE_TEXT = frozenset(
    [
        *(Kind.BOOLEAN, Kind.INTEGER, Kind.TEXT, Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ),
        *(Kind.UUID, Kind.BINARY, Kind.OTHER),
    ]
)


def token_of(sides: Keyed, alias: str) -> Sql:
    """The token of the key in the subquery called *alias*, in an order that does not depend on collations."""
    return _token(sides, sides.key_columns(alias), is_ordered=True)


def has_token(sides: Keyed, side: DataSide, tokens: Iterable[object]) -> Sql | None:
    """Whether a row of *side*, the relation called `t`, has one of *tokens*; None where it may not tell."""
    if side is DataSide.CURRENT and not _is_number(sides) and not all(map(_is_written_alike, sides.key)):
        return None
    keys = [part.base_value("t") if side is DataSide.BASE else part.current_value("t") for part in sides.key]
    return exp.In(this=_token(sides, keys, is_ordered=False), expressions=[_literal(each) for each in tokens])


def token_assumed(sides: Keyed) -> object:
    """What a token may look like."""
    return 1 if _is_number(sides) else "1"


def _token(sides: Keyed, keys: list[Sql], *, is_ordered: bool) -> Sql:
    if _is_number(sides):
        return keys[0]
    texts = [
        key if part.common.kind is Kind.TEXT else sides.dialect.text(key)
        for part, key in zip(sides.key, keys, strict=True)
    ]
    glued = texts[0]
    for text in texts[1:]:
        bar = exp.DPipe(this=glued, expression=exp.Literal.string(SEPARATOR), safe=True)
        glued = exp.DPipe(this=bar, expression=text, safe=True)
    return sides.dialect.ordered_text(exp.paren(glued) if len(texts) > 1 else glued) if is_ordered else glued


def _is_number(sides: Keyed) -> bool:
    return len(sides.key) == 1 and sides.key[0].common.kind is Kind.INTEGER


def _is_written_alike(part: Comparison) -> bool:
    """Whether equal values of this column of the key have one text, and a decimal that of its type."""
    of = part.pair.current.type
    if part.pair.base.type.text != of.text:
        return False
    return of.kind in _ONE_TEXT or (of.kind is Kind.DECIMAL and of.scale is not None)


def _literal(token: object) -> Sql:
    return exp.Literal.string(token) if isinstance(token, str) else exp.Literal.number(int(str(token)))
