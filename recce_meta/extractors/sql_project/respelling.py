"""Names of relations in SQL, spelt as the statements that build them spell them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from recce_meta.dialects.named_in_text import QUERY, named_by
from recce_meta.extractors.named_relations import names_in, words_of

Parts = tuple[str, ...]


def respelt(text: str, spellings: Mapping[Parts, str], dialect: str) -> str:
    """Return *text* with the names in *spellings* replaced if they stand where only relations stand.

    A name without an alias gets its own last part as alias, by which columns go on being qualified.
    """
    from sqlglot import TokenError, tokenize

    try:
        tokens = tokenize(text, read=dialect or None)
    except TokenError:
        return text
    starts = {name[0].start for name in names_in(words_of(text, dialect))}
    pieces: list[str] = []
    done = index = 0
    while index < len(tokens):
        token = tokens[index]
        is_behind = index and tokens[index - 1].token_type.name in ("FROM", "JOIN")
        named = is_behind or token.start in starts or token.start + 1 in starts
        parts, after = _name_at(tokens, index) if named else ((), index + 1)
        spelling = spellings.get(key_of(parts)) if parts else None
        if spelling is not None:
            pieces += [text[done : token.start], spelling]
            done = tokens[after - 1].end + 1
            following = tokens[after].token_type.name if after < len(tokens) else None
            if following not in ("ALIAS", "VAR", "IDENTIFIER"):
                pieces.append(f" as {text[tokens[after - 1].start : done]}")
        elif token.token_type.name == "STRING" and index > 1 and tokens[index - 1].text == "(":
            inner = _within(token.text, tokens[index - 2].text, spellings, dialect)
            if inner != token.text:
                quoted = inner.replace("'", "''")
                pieces += [text[done : token.start], f"'{quoted}'"]
                done = token.end + 1
        index = max(after, index + 1)
    return "".join([*pieces, text[done:]])


def key_of(parts: Parts) -> Parts:
    """Return the parts of a name, to be compared."""
    return tuple(part.lower() for part in parts)


def _within(text: str, call: str, spellings: Mapping[Parts, str], dialect: str) -> str:
    """Return the string *text*, the argument of the function *call*, with its names respelt."""
    kind = named_by(call, dialect)
    if kind == QUERY:
        return respelt(text, spellings, dialect)
    return spellings.get(key_of(tuple(text.split("."))), text) if kind else text


def _name_at(tokens: Sequence[Any], index: int) -> tuple[Parts, int]:
    """The dotted name that begins at *index*, and where it ends."""
    parts: list[str] = []
    while index < len(tokens):
        token = tokens[index]
        parts += token.text.split(".")
        index += 1
        if index >= len(tokens) or tokens[index].token_type.name != "DOT":
            break
        index += 1
    return tuple(parts), index
