"""`.env` files, which dbt 1.12 and later load before anything else.

Understood: `KEY=value`, `export KEY=value`, single and double quotes (over several lines too), comments,
and `${OTHER}` or `${OTHER:-default}` inside values. The real environment wins over the file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from recce_meta.errors import ProfileError
from recce_meta.profiles.discovery import nearest_with

DOTENV_FILE = ".env"

_BLANK = re.compile(r"\s*(?:\#[^\r\n]*\s*)*")
_EXPORT = re.compile(r"(?:export[^\S\r\n]+)?")
_NAME = re.compile(r"(?:'(?P<quoted>[^']+)'|(?P<bare>(?!')[^=\#\s]+))[^\S\r\n]*")
_EQUALS = re.compile(r"=[^\S\r\n]*")
_VALUE = re.compile(
    r"""'(?P<single>(?:\\'|[^'])*)'|"(?P<double>(?:\\"|[^"])*)"|(?<=\s)(?=\#)|(?P<bare>(?!['"])[^\r\n]*)"""
)
_END = re.compile(r"(?:[^\S\r\n]*\#[^\r\n]*)?[^\S\r\n]*(?:\r\n|\n|\r|\Z)")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r|\Z)")
_REFERENCE = re.compile(r"\$\{(?P<name>[^}:]*)(?::-(?P<default>[^}]*))?\}")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v", "a": "\a"}


def with_dotenv(environment: Mapping[str, str], directory: Path) -> Mapping[str, str]:
    """*environment*, and below it what the nearest `.env` adds, in *directory* or above it."""
    folder = nearest_with(DOTENV_FILE, directory)
    if folder is None:
        return environment
    path = folder / DOTENV_FILE
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ProfileError(f"Cannot read {path}: {error}") from error
    return {**parse_dotenv(text, environment), **environment}


def parse_dotenv(text: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that *text* sets; a line that sets none is passed over, as dbt's own reader does."""
    values: dict[str, str | None] = {}
    position = _after(_BLANK, text, 0)
    while position < len(text):
        bound, end = _binding(text, position)
        if bound is None:
            end = _after(_LINE, text, position)
        else:
            name, value = bound
            values[name] = None if value is None else _expand(value, {**values, **environment})
        position = _after(_BLANK, text, end)
    return {name: value for name, value in values.items() if value is not None}


def _after(pattern: re.Pattern[str], text: str, position: int) -> int:
    """Where what *pattern* finds at *position* ends."""
    found = pattern.match(text, position)
    return position if found is None else found.end()


def _binding(text: str, position: int) -> tuple[tuple[str, str | None] | None, int]:
    """The name and value that are written at *position*, None where they are not, and where they end."""
    name = _NAME.match(text, _after(_EXPORT, text, position))
    if name is None:
        return None, position
    value, end = None, name.end()
    if (equals := _EQUALS.match(text, end)) is not None:
        found = _VALUE.match(text, equals.end())
        if found is None:
            return None, position
        value, end = _value(found), found.end()
    last = _END.match(text, end)
    return (None, position) if last is None else ((name["quoted"] or name["bare"], value), last.end())


def _value(found: re.Match[str]) -> str:
    if (single := found["single"]) is not None:
        return re.sub(r"\\([\\'])", r"\1", single)
    if (double := found["double"]) is not None:
        return re.sub(r"\\(.)", _unescape, double, flags=re.DOTALL)
    return re.sub(r"\s+#.*", "", found["bare"] or "").rstrip()


def _unescape(match: re.Match[str]) -> str:
    letter = match[1]
    return _ESCAPES.get(letter, letter if letter in "\\\"'" else match[0])


def _expand(value: str, known: Mapping[str, str | None]) -> str:
    return _REFERENCE.sub(lambda match: known.get(match["name"], match["default"]) or "", value)
