"""Masking of secrets and control characters in text before it is shown.

A secret is recognised by the name of its field, even if misspelled, or by its position in text that resembles
a URL, a connection string or `name=value`. The text need not be well-formed, because errors often quote
malformed text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import PurePath
from urllib.parse import quote, quote_plus, unquote, unquote_plus

SHORTEST_SECRET = 3
"""Shorter secrets are not masked: they protect nothing, and masking them would make messages unreadable."""

MASK = "***"
_JOINERS = "\u200c\u200d"
"""Not printable for Python, but part of words in some scripts and of emoji."""

_KEPT_IN_MESSAGES = "\n\t\u00a0\u202f\u3000"
"""Line breaks, and spaces that servers use in French and Japanese messages."""

_GIVEN: ContextVar[tuple[str, ...]] = ContextVar("secrets of the command line", default=())

_COLOR = re.compile("\x1b\\[[0-9;]*m")
_NOT_PLAIN = re.compile(r"[^\x00-\x7e]+")
_SECRET_NAME = re.compile(
    r"(?:.*[_.-])?(?:pass|passphrase|passwd|password|pwd|secrets?|token|connection_string|http_headers"
    r"|(?:access|account|api|encryption|private)[_.-]key)|keyfile_json|sslpassword"
    r"|.*[_.-]account[_.-]key[_.-].*"  # fs.azure.account.key.<account>.dfs.core.windows.net
    r"|request_data|idp_auth_credentials|credentials_base64",
    re.I,
)
_SECRET_WORDS = (
    "password", "passphrase", "passwd", "secret", "token", "connectionstring", "keyfilejson", "accesskey",
    "accountkey", "apikey", "encryptionkey", "privatekey", "credential",
)  # fmt: skip
"""Names that are secret in any spelling with one wrong letter, or two if the name is long."""
_LONG = 8
_OF_NO_SECRET = frozenset(["endpoint", "file", "filepath", "id", "path", "type", "uri", "url"])
"""Last words of names that refer to a secret without being secret."""
_SEPARATORS = re.compile(r"[\W_]+")

_NOT_ASSIGNED = r"[^\s'\"&;,)]+"
_KEY = re.compile(
    r"(?P<quote>['\"]?)\b(?P<name>[\w.-]{1,80})(?P=quote)\s{0,9}(?:=|(?<=['\"])\s?(?P<colon>:))\s{0,9}"
)
_VALUE = re.compile(rf"'(?:[^'\\]|\\.|'')*(?:'|\Z)|\"(?:[^\"\\]|\\.)*(?:\"|\Z)|{_NOT_ASSIGNED}")
"""`name=value` with or without quotes, and JSON's `"name": value`."""
_YAML_PAIR = re.compile(r"^[\s{-]*(?P<name>[\w.-]{1,80})\s*:[ \t]+(?P<value>\S.*)$", re.M)
_TOKEN = re.compile(r"\b(?:dapi[0-9a-f]{32}(?:-\d+)?|gh[opsur]_\w{36,}|github_pat_\w{40,}|glpat-[\w-]{20,})")
"""Tokens of Databricks, GitHub and GitLab, recognised by their prefix."""
_TO_NEXT_NAME = re.compile(r"(?:\s+(?![\w.-]+\s*=)[^\s&;]+)*")
"""The rest of an unquoted value with spaces, in text that contains nothing else."""
_WORD = re.compile(r"[^\s'\"]*(?:@|%40)[^\s'\"]*")
_USER = re.compile(
    r"(?:\A\(?[^/:@]{0,200}:(?!//)|(?::?/{1,4}|;/{1,4}|%3A%2F%2F|%2F%2F)[^/:@%]{0,200}(?::|%3A))",
    re.I,
)
"""The part of a URL before its password, also if its scheme, its colon or a slash is missing."""
_CONNECTS = re.compile(r":/|//|@|=")
_AUTHORITY = re.compile(r"\A\s*[A-Za-z][\w.+-]*\s*(?:[:;]+/*|/{2,})")
"""The beginning of a URL, also if its colon or a slash is missing."""
_PORT_OR_DRIVE = re.compile(r"\d*(?:[/?#]|\Z)|[\\/](?![^@]*@)")


def is_secret(name: str) -> bool:
    """Return True if the values of fields, parameters or settings called *name* must not be shown."""
    return _SECRET_NAME.fullmatch(name) is not None or _is_misspelled(name)


@lru_cache(maxsize=4096)
def _is_misspelled(name: str) -> bool:
    """Return True if the last words of *name* resemble the name of a secret: `pasword`, `db_privatekey`."""
    words = [word for word in _SEPARATORS.split(name.lower()) if word]
    if words and words[-1] in _OF_NO_SECRET:
        return False
    if "".join(words).endswith(_SECRET_WORDS):
        return True
    ends = ("".join(words[start:]) for start in range(len(words)))
    return any(
        _distance(end, secret) <= (2 if len(secret) >= _LONG else 1)
        for end in ends
        for secret in _SECRET_WORDS
        if abs(len(end) - len(secret)) <= 2
    )


def _distance(one: str, other: str) -> int:
    """Return how many letters must be added, removed, replaced or swapped to turn *one* into *other*."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, left in enumerate(one):
        earlier, before, row = before, row, [i + 1]
        for j, right in enumerate(other):
            cost = min(before[j + 1] + 1, row[j] + 1, before[j] + (left != right))
            if i and j and left == other[j - 1] and one[i - 1] == right:
                cost = min(cost, earlier[j - 1] + 1)
            row.append(cost)
    return row[-1]


def without_passwords(text: str) -> str:
    """Return *text* without passwords in anything like a URL, and without values of secret names.

    >>> without_passwords("no target 'postgresql//u:S3cret@h/x', host=h pasword='x y'")
    "no target 'postgresql//u:***@h/x', host=h pasword=***"
    """
    if "=" in text or ":" in text:
        text = _without_assigned(text)
    if "@" in text or "%40" in text:
        text = _WORD.sub(_masked_url, text)
    return _TOKEN.sub(MASK, text)


def _masked_url(found: re.Match[str]) -> str:
    word = found[0]
    place = _password_place(word)
    return word if place is None else f"{word[: place[0]]}{MASK}{word[place[1] :]}"


def _password_place(word: str) -> tuple[int, int] | None:
    """Return the position of a URL's password; it ends at the last @, because it may contain one."""
    end = max(word.rfind("@"), word.rfind("%40"))
    user = _USER.search(word, 0, end)
    # Selectors have an @ after a comma: tag:nightly,@orders
    return None if user is None or user.end() >= end or word[end - 1] == "," else (user.end(), end)


def _without_assigned(text: str) -> str:
    pieces: list[str] = []
    end = 0
    for value, has_colon in _assigned(text):
        if not has_colon or value[0][0] in "'\"":  # otherwise a sentence: 'password': not given
            pieces += text[end : value.start()], MASK
            end = value.end()
    return "".join([*pieces, text[end:]])


def _assigned(text: str) -> Iterator[tuple[re.Match[str], bool]]:
    """Yield every value that *text* assigns to a secret name, and True if it is assigned with a colon.

    Values of non-secret names are searched as well: `'FILE': "{'password': …}"`.
    """
    end = 0
    for key in _KEY.finditer(text):
        if key.start() >= end and is_secret(key["name"]) and (value := _VALUE.match(text, key.end())):
            end = value.end()
            yield value, key["colon"] is not None


def passwords_in(text: str) -> Iterator[str]:
    """Yield every string that may be a password in *text*, which consists of a URL or a connection string.

    Since *text* contains nothing else, spaces and quotes belong to the password.
    """
    for spelled in dict.fromkeys((text, unquote(text))):
        for value, _ in _assigned(spelled):
            rest = _TO_NEXT_NAME.match(spelled, value.end())
            yield (value[0] + (rest[0] if rest else "")).strip("'\"")
            yield value[0].strip("'\"")
        for word in _WORD.findall(spelled):
            if (place := _password_place(word)) is not None:
                yield word[slice(*place)]
        yield from _in_authority(spelled)


def _in_authority(text: str) -> Iterator[str]:
    """Yield the likely password of a URL that lacks its colon, its slashes, its @ or its scheme."""
    begins = _AUTHORITY.match(text)
    rest = text[begins.end() :] if begins else text
    before, at, _ = rest.rpartition("@")
    _, colon, tail = (before if at else rest).partition(":")
    if colon and (at or (begins is not None and "/" in begins[0] and not _PORT_OR_DRIVE.match(tail))):
        yield tail
    elif at and not colon and begins is not None:
        _, separator, tail = _split_at_separator(before)
        if separator:
            yield tail
        elif not begins[0].endswith("/"):  # u:pw@h without a scheme
            yield before


def _split_at_separator(text: str) -> tuple[str, str, str]:
    found = re.search(r"[;,=/\\|\s]", text)
    return (text, "", "") if found is None else (text[: found.start()], found[0], text[found.end() :])


def secrets_of_arguments(values: Iterable[str]) -> tuple[str, ...]:
    """Return the passwords in those *values* of a command line that resemble a URL or a connection string."""
    found: dict[str, None] = {}
    for value in values:
        for text in (value, value.partition("=")[2]):
            if _CONNECTS.search(unquote(text)):
                # A password equal to the user or the database is not masked: messages must show these.
                found |= dict.fromkeys(one for one in passwords_in(text) if text.count(one) <= 1)
        for pair in _YAML_PAIR.finditer(value):
            if is_secret(pair["name"]):
                found[pair["value"].strip("'\"} ")] = None
    return tuple(found)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Return *text* without *secrets*, and without the passwords that `without_passwords` finds."""
    for secret in sorted(set(secrets), key=len, reverse=True):
        if len(secret) >= SHORTEST_SECRET:
            for spelling in sorted(_spellings(secret), key=len, reverse=True):
                text = text.replace(spelling, MASK)
    return without_passwords(text)


def _spellings(secret: str) -> set[str]:
    """Return the spellings of *secret* in messages: escaped for URLs, SQL or Python, and as a path."""
    spelled = {
        secret,
        secret.strip(),
        quote(secret, safe=""),
        quote_plus(secret),
        unquote_plus(secret),
        secret.replace("'", "''"),
        repr(secret)[1:-1],
        str(PurePath(secret)),
    }
    return {spelling for spelling in spelled if len(spelling) >= SHORTEST_SECRET}


def without_colors(text: str) -> str:
    r"""Return *text* without the escape sequences that color it in a terminal.

    >>> without_colors("\x1b[31mexpected\x1b[0m")
    'expected'
    """
    return _COLOR.sub("", text) if "\x1b" in text else text


def neutralise(text: str, *, keep: str = "") -> str:
    r"""Return *text* with control, format and bidirectional characters escaped, except those in *keep*.

    >>> neutralise("red\x1b[31m")
    'red\\x1b[31m'
    """
    if text.isprintable():
        return text
    allowed = keep + _JOINERS
    return "".join(char if char.isprintable() or char in allowed else _spelled(char) for char in text)


def _spelled(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def harmless_json(encoded: bytes) -> bytes:
    r"""Return equivalent JSON with the characters that `neutralise` replaces written as `\u` escapes.

    >>> harmless_json('"right\u202eleft"'.encode())
    b'"right\\u202eleft"'
    """
    if encoded.isascii() and b"\x7f" not in encoded:
        return encoded  # JSON itself escapes control characters
    return _NOT_PLAIN.sub(_as_escapes, encoded.decode()).encode()


def _as_escapes(found: re.Match[str]) -> str:
    text = found[0]
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[place : place + 4]}" for place in range(0, len(units), 4))


@contextmanager
def hide_secrets(arguments: Iterable[str]) -> Iterator[None]:
    """Make `presentable` also mask the passwords in the command-line *arguments* within the block."""
    before = _GIVEN.set(secrets_of_arguments(arguments))
    try:
        yield
    finally:
        _GIVEN.reset(before)


def presentable(text: str) -> str:
    """Return a message without secrets and terminal control characters; line breaks remain."""
    return neutralise(redact(text.replace("\r\n", "\n"), _GIVEN.get()), keep=_KEPT_IN_MESSAGES)
