"""Private columns, detected by their names, and protection of their values.

Only counts, shares and lengths of a private column are queried. A warehouse's error message may quote a
value, so it is passed on only if it cannot.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from fnmatch import translate
from functools import lru_cache
from types import MappingProxyType

from msgspec import Struct

from recce_meta.errors import (
    ConnectionFailed,
    MissingRelation,
    PermissionDenied,
    QueryCancelled,
    QueryTimeout,
    RecceMetaError,
    StoreLocked,
    SyntaxFailed,
    UsageError,
    WarehouseError,
    first_line,
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
"""Words of column names; see `is_private_name`. Names of people are left to the user: most columns called
`name` do not contain them."""

ERRORS_WITHOUT_VALUES: tuple[type[WarehouseError], ...] = (
    ConnectionFailed,
    MissingRelation,
    PermissionDenied,
    QueryCancelled,
    QueryTimeout,
    StoreLocked,
    SyntaxFailed,
)
"""Errors about names, permissions, locks and time, whose messages quote no values."""

NO_CHOICES: Mapping[str, bool] = MappingProxyType({})


class Privacy(Struct, frozen=True, kw_only=True):
    """Rules for which values are fetched."""

    keeps_values: bool = True
    """False to fetch no values at all."""
    patterns: tuple[str, ...] = DEFAULT_PATTERNS
    """Patterns for names of columns whose values are never fetched, as in `is_private_name`."""
    columns: frozenset[str] = frozenset()
    """Further private columns of one relation, in folded case, whatever their names are."""
    why: str = ""
    """Why no values are fetched, if that is not the user's choice: a phrase in messages."""

    @property
    def cause(self) -> str:
        """Options that withhold values, or the reason of the program, for messages."""
        return self.why or ("--private, privacy" if self.keeps_values else "--no-values, privacy.values")

    def withholds(self, name: str, choices: Mapping[str, bool] = NO_CHOICES) -> bool:
        """Return True if values of the column *name* must not be fetched.

        *choices* overrides the patterns by column name, ignoring case.
        """
        if not self.keeps_values:
            return True
        # Warehouses fold names to upper or to lower case.
        own = {column.casefold(): is_private for column, is_private in choices.items()}
        by_name = name.casefold() in self.columns or is_private_name(name, self.patterns)
        return own.get(name.casefold(), by_name)


def is_private_name(name: str, patterns: Sequence[str] = DEFAULT_PATTERNS) -> bool:
    """Return True if a pattern matches consecutive words of *name*.

    Words end at underscores, blanks and other marks, at digits, and at `camelCase` boundaries. In the name, a
    pattern's words may be joined and may have a plural `s`. A pattern may contain `*` for any letters. A
    pattern that begins with `!` is an exception and overrides all others.

    >>> [is_private_name(name) for name in ("customer_email", "homePhone2", "APIKey", "e_mail")]
    [True, True, True, True]
    >>> [is_private_name(name) for name in ("tokenizer_version", "description", "shipping")]
    [False, False, False]
    >>> is_private_name("token_count", ("token", "!token count"))
    False
    """
    return _is_private_name(name, tuple(patterns))


@lru_cache(maxsize=8192)  # tables share column names
def _is_private_name(name: str, patterns: tuple[str, ...]) -> bool:
    words, (private, exceptions) = name_words(name), _read(patterns)
    spans = {
        "".join(words[start:end])
        for start in range(len(words))
        for end in range(start + 1, min(len(words), start + _MOST_WORDS) + 1)
    }
    return private.fit(spans) and not exceptions.fit(spans)


def read_patterns(texts: Iterable[str]) -> tuple[str, ...]:
    """Split the user's patterns, which may be several in a text, separated by commas.

    Raises UsageError for a pattern that no name can match.

    >>> read_patterns(["surname, *note", "!token count"])
    ('surname', '*note', '!token count')
    """
    found = [part.strip() for text in texts for part in text.split(",")]
    for pattern in found:
        if not _joined(pattern.removeprefix("!")):
            raise UsageError(
                f"Pattern of private columns invalid: '{pattern}'", hint="use e.g. surname or '*note'"
            )
    return tuple(found)


def unused_patterns(patterns: Iterable[str], names: Iterable[str]) -> list[str]:
    """Return the *patterns* that match none of *names*, without exceptions."""
    known = set(names)
    return [
        pattern
        for pattern in patterns
        if not pattern.startswith("!") and not any(is_private_name(name, (pattern,)) for name in known)
    ]


def failure_reason(error: RecceMetaError, *, is_withheld: bool) -> str:
    """Return why something was not measured, in one line; with *is_withheld*, without quoted values."""
    return first_line(without_values(error) if is_withheld and isinstance(error, WarehouseError) else error)


def without_values(error: WarehouseError) -> WarehouseError:
    """Return *error*, or its class and code without message, hint and SQL if these may quote values."""
    if isinstance(error, ERRORS_WITHOUT_VALUES):
        return error
    code = f" ({error.code})" if error.code else ""
    message = f"the query failed{code}; the warehouse's message is withheld because it may quote values"
    return type(error)(message, code=error.code)


def name_words(name: str) -> tuple[str, ...]:
    """Return the words of *name*, in lower case.

    >>> name_words("billingIBANOf_customer2")
    ('billing', 'iban', 'of', 'customer', '2')
    """
    words: list[str] = []
    for place, character in enumerate(name):
        if not character.isalnum():
            words.append("")
            continue
        before = name[place - 1] if place else ""
        after = name[place + 1 : place + 2]
        # A capital begins a word after a small letter, and before one: `billingIBANOf`.
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
    """Compiled patterns, matched against consecutive words joined to one."""

    words: frozenset[str]
    globs: tuple[re.Pattern[str], ...]

    def fit(self, spans: Set[str]) -> bool:
        """Return True if one of them matches one of *spans*."""
        return not self.words.isdisjoint(spans) or any(
            glob.match(span) is not None for glob in self.globs for span in spans
        )


@lru_cache(maxsize=64)
def _read(patterns: tuple[str, ...]) -> tuple[_Patterns, _Patterns]:
    """Compile *patterns*, separated into rules and exceptions."""
    exceptions = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    return _patterns(pattern for pattern in patterns if not pattern.startswith("!")), _patterns(exceptions)


def _patterns(patterns: Iterable[str]) -> _Patterns:
    forms = {form for pattern in patterns for form in _joined(pattern)}
    globs = {form for form in forms if _GLOB.intersection(form)}
    return _Patterns(frozenset(forms - globs), tuple(re.compile(translate(form)) for form in sorted(globs)))


_GLOB = frozenset("*?[")
_MOST_WORDS = 6
"""Maximum number of a name's words that one pattern can match."""


def _joined(pattern: str) -> tuple[str, ...]:
    """Return the words of *pattern* joined to one, and its plural."""
    one = "".join(part for part in pattern.casefold() if part.isalnum() or part in "*?[]")
    if not one.strip("*?"):
        return (one,) if one else ()
    return (one, f"{one}es" if one.endswith("s") else f"{one}s")
