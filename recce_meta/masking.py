"""What is a secret, by its name or by where it stands in a text, and how no message shows one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import PurePath
from urllib.parse import quote, quote_plus

from recce_meta.errors import RecceMetaError

SHORTEST_SECRET = 3
"""Shorter ones protect nothing, and to mask them would make any message unreadable."""

MASK = "***"
_SECRET_NAME = re.compile(
    r"(?:.*[_.-])?(?:pass|passphrase|passwd|password|pwd|secrets?|token|connection_string|http_headers"
    r"|(?:access|account|api|encryption|private)[_.-]key)|keyfile_json|sslpassword"
    r"|.*[_.-]account[_.-]key[_.-].*"  # fs.azure.account.key.<account>.dfs.core.windows.net
    r"|request_data|idp_auth_credentials",
    re.I,
)
_IN_URL = re.compile(r"((?:://|\A(?![^\s:]*://))[^/\s:@]*:)[^\s'\"]*(?=@)")
"""What stands before the last @ of a URL: a password may hold a slash or an @ that nobody has escaped."""
_ASSIGNED = re.compile(
    r"(?i)\b((?:\w*(?:password|passwd|pwd|secret|token|passphrase|encryption_key))\s*=\s*)"
    r"(?:'(?:[^'\\]|\\.)*'|\"[^\"]*\"|[^\s&;,)]+)"
)


def is_secret(name: str) -> bool:
    """Whether the values of fields of this name, or of settings of DuckDB, are shown to nobody."""
    return _SECRET_NAME.fullmatch(name) is not None


def without_passwords(text: str) -> str:
    """*text* without what a URL in it has for a password, or what follows `password=` and its like."""
    return _IN_URL.sub(rf"\g<1>{MASK}", _ASSIGNED.sub(rf"\g<1>{MASK}", text))


def passwords_in(text: str) -> Iterator[str]:
    """What `without_passwords` takes away from *text*."""
    for pattern in (_ASSIGNED, _IN_URL):
        for found in pattern.finditer(text):
            yield found[0][len(found[1]) :].strip("'\"")


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """*text* without passwords: those given, and any in a URL or after `password=` and its like."""
    for secret in sorted(set(secrets), key=len, reverse=True):
        if len(secret) >= SHORTEST_SECRET:
            for spelling in sorted(_spellings(secret), key=len, reverse=True):
                text = text.replace(spelling, MASK)
    return without_passwords(text)


@contextmanager
def masking_errors(secrets: Callable[[], Iterable[str]]) -> Iterator[None]:
    """An error of ours that leaves the block shows none of *secrets*, which are asked for then.

    What caused it is forgotten: a traceback would print its text.
    """
    try:
        yield
    except RecceMetaError as error:
        known = tuple(secrets())
        error.message = redact(error.message, known)
        error.hint = None if error.hint is None else redact(error.hint, known)
        error.args = (error.message,)
        error.__cause__ = None
        error.__suppress_context__ = True
        raise


def _spellings(secret: str) -> set[str]:
    """*secret* as it may stand in a message: escaped for a URL, in SQL, in Python's quotes, as a path."""
    spelled = {
        secret,
        secret.strip(),
        quote(secret, safe=""),
        quote_plus(secret),
        secret.replace("'", "''"),
        repr(secret)[1:-1],
        str(PurePath(secret)),
    }
    return {spelling for spelling in spelled if len(spelling) >= SHORTEST_SECRET}
