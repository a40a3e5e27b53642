"""A Redshift statement as tokens, and edits of its text that track their positions."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from string import ascii_lowercase, ascii_uppercase

from sqlglot.dialects.redshift import Redshift
from sqlglot.errors import SqlglotError
from sqlglot.tokens import Token, TokenType

TEXTS = (TokenType.STRING, TokenType.HEREDOC_STRING, TokenType.RAW_STRING)


FOLDED = str.maketrans(ascii_uppercase, ascii_lowercase)


def folded(name: str) -> str:
    """Return *name* as Redshift stores it: with ASCII letters in lower case."""
    return name.translate(FOLDED)


class Refused(Exception):
    """An error of Redshift: message, code, and position in the statement."""

    def __init__(self, message: str, place: int, code: str = "0A000") -> None:
        super().__init__(message)
        self.message, self.place, self.code = message, place, code


@dataclass(frozen=True)
class Edit:
    """Replacement of the text between two offsets."""

    start: int
    end: int
    text: str


class Statement:
    """The tokens of a statement, with queries for the rules."""

    def __init__(self, sql: str) -> None:
        self.sql = sql
        try:
            self.tokens: Sequence[Token] = Redshift().tokenize(sql)
        except SqlglotError:
            self.tokens = ()  # the server reports the error
        self.words = [token.text.upper() if token.token_type not in TEXTS else "" for token in self.tokens]
        self.words = [
            "" if token.token_type is TokenType.IDENTIFIER else word
            for token, word in zip(self.tokens, self.words, strict=True)
        ]

        self.in_from: list[bool] = []
        """For each token, True if it is in a FROM clause; computed on first use."""
        self.places: dict[str, list[int]] = {}
        for place, word in enumerate(self.words):
            self.places.setdefault(word, []).append(place)

    def __len__(self) -> int:
        return len(self.tokens)

    def word(self, place: int) -> str:
        """Return the token at *place* in upper case; empty for strings, quoted names, and outside the
        statement.
        """
        return self.words[place] if 0 <= place < len(self.words) else ""

    def follows(self, place: int, *words: str) -> bool:
        """Return True if *words* begin at *place*."""
        return all(self.word(place + offset) == word for offset, word in enumerate(words))

    def find(self, *words: str) -> Iterator[int]:
        """Yield the positions of the sequence *words*."""
        return (place for place in self.places.get(words[0], ()) if self.follows(place, *words))

    def has(self, *words: str) -> bool:
        """Return True if any of *words* occurs."""
        return any(word in self.places for word in words)

    def is_name(self, place: int) -> bool:
        """Return True if the token at *place* may be a name."""
        if not 0 <= place < len(self):
            return False
        token = self.tokens[place]
        return token.token_type is TokenType.IDENTIFIER or (
            token.token_type not in TEXTS
            and token.text.replace("_", "a").isalnum()
            and not token.text[0].isdigit()
        )

    def name(self, place: int) -> str:
        """Return the name at *place*, folded as in Redshift, even if it is quoted."""
        return folded(self.tokens[place].text)

    def closing(self, place: int) -> int:
        """Return the position of the parenthesis that closes the one at *place*."""
        depth = 0
        for other in range(place, len(self)):
            depth += (self.words[other] == "(") - (self.words[other] == ")")
            if depth == 0:
                return other
        return len(self) - 1

    def edit(self, first: int, last: int, text: str) -> Edit:
        """Return an edit that replaces the tokens from *first* to *last* with *text*."""
        return Edit(self.tokens[first].start, self.tokens[last].end + 1, text)

    def text(self, first: int, last: int) -> str:
        """Return the text of the tokens from *first* to *last*."""
        return self.sql[self.tokens[first].start : self.tokens[last].end + 1]

    def at(self, place: int) -> int:
        """Return the position of the first character of the token at *place*, counted from 1."""
        return self.tokens[place].start + 1 if place < len(self) else 1


def applied(sql: str, edits: Sequence[Edit]) -> tuple[str, list[tuple[int, int]]]:
    """Apply *edits* to *sql*; return the result, and the new and old offset of each part."""
    parts: list[str] = []
    places: list[tuple[int, int]] = [(0, 0)]
    length = at = 0
    for edit in sorted(edits, key=lambda edit: edit.start):
        if edit.start < at:
            continue  # inside another edit, which covers it
        parts += [sql[at : edit.start], edit.text]
        length += edit.start - at + len(edit.text)
        at = edit.end
        places.append((length, at))
    parts.append(sql[at:])
    return "".join(parts), places


def original_place(place: int, places: Sequence[tuple[int, int]]) -> int:
    """Return the position before the edits of the character at *place*, counted from 1."""
    begun, was = places[bisect_right(places, (place - 1, 1 << 60)) - 1]
    return place - begun + was
