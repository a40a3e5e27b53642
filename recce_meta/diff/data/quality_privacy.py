"""Whose values are nobody's business: columns that are known by their names, and what may be said of them.

Of a private column only counts, shares and lengths are asked for. What a warehouse says when a statement
fails may quote a value, so that it is passed on only where it cannot.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from fnmatch import translate
from functools import lru_cache
from types import MappingProxyType

from msgspec import Struct

from recce_meta.diff.data.failures import first_line
from recce_meta.errors import (
    ConnectionFailed,
    MissingRelation,
    PermissionDenied,
    QueryTimeout,
    RecceMetaError,
    SyntaxFailed,
    UsageError,
    WarehouseError,
)

DEFAULT_PATTERNS = (
    *("email", "email address", "mail address", "phone", "phone number", "telephone", "mobile"),
    *("mobile number", "cellphone", "fax", "address", "addr", "street", "postcode", "zip code"),
    *("ip", "ip address", "ip addr", "mac address", "latitude", "longitude"),
    *("token", "access token", "auth token", "refresh token", "session id", "cookie"),
    *("password", "password hash", "passwd", "pwd", "passphrase", "passcode", "pin", "secret"),
    *("api key", "access key", "private key", "secret key", "credential"),
    *("ssn", "social security", "national id", "tax id", "passport", "driving licence", "driver license"),
    *("iban", "bank account", "account number", "card number", "credit card", "cvv", "cvc"),
    "!credit card amount",
    *("birth", "birthday", "birth date", "birth day", "date of birth", "dob"),
)
"""Words of names; see `is_private_name`. Names of people are left to the user: most columns `name` are of
something else."""

SAYS_NO_VALUE: tuple[type[WarehouseError], ...] = (
    ConnectionFailed,
    MissingRelation,
    PermissionDenied,
    QueryTimeout,
    SyntaxFailed,
)
"""Errors that are about names, rights and time."""

NOBODY: Mapping[str, bool] = MappingProxyType({})


class Privacy(Struct, frozen=True, kw_only=True):
    """Which values are fetched."""

    keeps_values: bool = True
    """Whether any are."""
    patterns: tuple[str, ...] = DEFAULT_PATTERNS
    """Of the names of columns whose values never are, as `is_private_name` reads them."""

    def withholds(self, name: str, chosen: Mapping[str, bool] = NOBODY) -> bool:
        """Whether values of the column *name* are not fetched.

        *chosen* says so of columns by name, in any case of letters, whatever the patterns say.
        """
        if not self.keeps_values:
            return True
        own = {column.casefold(): is_private for column, is_private in chosen.items()}
        return own.get(name.casefold(), is_private_name(name, self.patterns))


def is_private_name(name: str, patterns: Sequence[str] = DEFAULT_PATTERNS) -> bool:
    """Whether a pattern fits some words of *name* that follow one another.

    Words end at underscores, blanks and other marks, at digits, and where `camelCase` does. A pattern's words
    may be written as one in the name, may have a plural's `s`, and may hold `*` for any letters. A pattern
    behind `!` makes an exception, whatever the others say.

    >>> [is_private_name(name) for name in ("customer_email", "homePhone2", "APIKey", "e_mail")]
    [True, True, True, True]
    >>> [is_private_name(name) for name in ("tokenizer_version", "description", "shipping")]
    [False, False, False]
    >>> is_private_name("token_count", ("token", "!token count"))
    False
    """
    return _is_private_name(name, tuple(patterns))


@lru_cache(maxsize=8192)  # tables have names of columns in common
def _is_private_name(name: str, patterns: tuple[str, ...]) -> bool:
    words, (private, exceptions) = words_of(name), _read(patterns)
    spans = {
        "".join(words[start:end])
        for start in range(len(words))
        for end in range(start + 1, min(len(words), start + _MOST_WORDS) + 1)
    }
    return private.fit(spans) and not exceptions.fit(spans)


def read_patterns(texts: Iterable[str]) -> tuple[str, ...]:
    """Patterns as users list them, also several in a text, with commas.

    Raises UsageError for one that no name can fit.

    >>> read_patterns(["surname, *note", "!token count"])
    ('surname', '*note', '!token count')
    """
    found = [part.strip() for text in texts for part in text.split(",")]
    for pattern in found:
        if not _joined(pattern.removeprefix("!")):
            raise UsageError(
                f"'{pattern}' is no pattern of private columns", hint="such as surname, or '*note'"
            )
    return tuple(found)


def unfit(patterns: Iterable[str], names: Iterable[str]) -> list[str]:
    """Those of *patterns* that fit none of *names*; exceptions are left out."""
    known = set(names)
    return [
        pattern
        for pattern in patterns
        if not pattern.startswith("!") and not any(is_private_name(name, (pattern,)) for name in known)
    ]


def told(error: RecceMetaError, *, is_withheld: bool) -> str:
    """Why something could not be measured, in one line; with *is_withheld*, in no words that quote values."""
    if is_withheld and isinstance(error, WarehouseError) and not isinstance(error, SAYS_NO_VALUE):
        code = f" ({error.code})" if error.code else ""
        return (
            f"the statement failed{code}; what the warehouse says of it is withheld, as it may quote values"
        )
    return first_line(error)


def words_of(name: str) -> tuple[str, ...]:
    """The words of *name*, in lower case.

    >>> words_of("billingIBANOf_customer2")
    ('billing', 'iban', 'of', 'customer', '2')
    """
    words: list[str] = []
    for place, character in enumerate(name):
        if not character.isalnum():
            words.append("")
            continue
        before = name[place - 1] if place else ""
        after = name[place + 1 : place + 2]
        begins = (
            not words
            or character.isdigit() != before.isdigit()
            or (character.isupper() and (before.islower() or (before.isupper() and after.islower())))
        )
        if begins:
            words.append("")
        words[-1] += character.casefold()
    return tuple(word for word in words if word)


class _Patterns(Struct, frozen=True):
    """Patterns, ready to be held against words that follow one another, written as one."""

    words: frozenset[str]
    globs: tuple[re.Pattern[str], ...]

    def fit(self, spans: Set[str]) -> bool:
        """Whether one of them fits one of *spans*."""
        return not self.words.isdisjoint(spans) or any(
            glob.match(span) is not None for glob in self.globs for span in spans
        )


@lru_cache(maxsize=64)
def _read(patterns: tuple[str, ...]) -> tuple[_Patterns, _Patterns]:
    """*patterns*, and those that are exceptions from them."""
    exceptions = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    return _patterns(pattern for pattern in patterns if not pattern.startswith("!")), _patterns(exceptions)


def _patterns(patterns: Iterable[str]) -> _Patterns:
    forms = {form for pattern in patterns for form in _joined(pattern)}
    globs = {form for form in forms if _GLOB.intersection(form)}
    return _Patterns(frozenset(forms - globs), tuple(re.compile(translate(form)) for form in sorted(globs)))


_GLOB = frozenset("*?[")
_MOST_WORDS = 6
"""Of a name that one pattern fits."""


def _joined(pattern: str) -> tuple[str, ...]:
    """The words of *pattern* as one, and its plural."""
    one = "".join(part for part in pattern.casefold() if part.isalnum() or part in "*?[]")
    if not one.strip("*?"):
        return (one,) if one else ()
    return (one, f"{one}es" if one.endswith("s") else f"{one}s")
