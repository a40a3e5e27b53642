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

_BINDING = re.compile(
    r"""
    [^\S\n]* (?:export[^\S\n]+)? (?P<name>[A-Za-z_][\w.-]*) [^\S\n]*
    (?: = [^\S\n]* (?: '(?P<single>(?:\\.|[^'\\])*)'
                     | "(?P<double>(?:\\.|[^"\\])*)"
                     | (?P<bare>[^\n]*?) ) )?
    [^\S\n]* (?:(?<=\s)\#[^\n]*)? (?:\n|\Z)
    """,
    re.VERBOSE | re.DOTALL,
)
_BLANK = re.compile(r"[^\S\n]*(?:\#[^\n]*)?(?:\n|\Z)")
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
    values: dict[str, str] = {}
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    position = 0
    while position < len(text):
        if (blank := _BLANK.match(text, position)) is not None:
            position = blank.end()
        elif (binding := _BINDING.match(text, position)) is not None:
            position = binding.end()
            if (value := _value(binding)) is not None:
                values[binding["name"]] = _expand(value, {**values, **environment})
        else:
            position = text.find("\n", position) + 1 or len(text)
    return values


def _value(binding: re.Match[str]) -> str | None:
    if (single := binding["single"]) is not None:
        return re.sub(r"\\([\\'])", r"\1", single)
    if (double := binding["double"]) is not None:
        return re.sub(r"\\(.)", _unescape, double, flags=re.DOTALL)
    bare: str | None = binding["bare"]
    return bare


def _unescape(match: re.Match[str]) -> str:
    letter = match[1]
    return _ESCAPES.get(letter, letter if letter in "\\\"'" else match[0])


def _expand(value: str, known: Mapping[str, str]) -> str:
    return _REFERENCE.sub(lambda match: known.get(match["name"], match["default"] or ""), value)
