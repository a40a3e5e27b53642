"""Reader of `[tool.recce-meta]` in pyproject.toml, with the line of each key, like `profiles.lined_yaml`.

The standard parser gives no lines. They are found again by the headers and keys at the start of lines; a key
within an inline table has the line of that table.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recce_meta.errors import ConfigurationError
from recce_meta.profiles.lined_yaml import Lined, WrittenFloat
from recce_meta.profiles.yaml_file import read_text

# Python 3.10 has no parser of TOML.
if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

KEYS = ("tool", "recce-meta")
"""Keys that lead to the table."""

Lines = dict[tuple[str, ...], int]
"""Line of each key, by the keys that lead to it."""

_PART = re.compile(r"""\s*(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[\w-]+))\s*(?P<dot>\.)?""")


def read_table(path: Path) -> Lined:
    """Return the table in the pyproject.toml *path*; an empty one if it does not exist.

    Raises ConfigurationError, with the line if it is known, if the file cannot be read or is not TOML.
    """
    text = read_text(path, ConfigurationError)
    try:
        # Keeps the digits as written, as the reader of YAML does.
        content: Any = tomllib.loads(text, parse_float=WrittenFloat)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path} is not valid TOML: {error}") from error
    for key in KEYS:
        content = content.get(key) if isinstance(content, Mapping) else None
    lines = _lines(text)
    lined: Lined = _lined(content if isinstance(content, Mapping) else {}, KEYS, lines, lines.get(KEYS, 1))
    return lined


def _lined(value: Any, keys: tuple[str, ...], lines: Lines, line: int) -> Any:
    """Return *value* with its mappings as Lined; *line* is that of the value itself."""
    if isinstance(value, list):
        return [_lined(entry, keys, lines, line) for entry in value]
    if not isinstance(value, Mapping):
        return value
    made = Lined()
    for key, entry in value.items():
        own = lines.get((*keys, key), line)
        made[key] = _lined(entry, (*keys, key), lines, own)
        made.lines[key] = own
    return made


def _lines(text: str) -> Lines:
    """Return the lines of headers and of keys that begin a line."""
    found: Lines = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if stripped.startswith("["):
            table = _parts(stripped.lstrip("["))
            keys = table
        else:
            keys = (*table, *own) if (own := _parts(stripped)) and "=" in stripped else ()
        for end in range(1, len(keys) + 1):
            # The first line counts, because later lines may add to the same table.
            found.setdefault(keys[:end], number)
    return found


def _parts(text: str) -> tuple[str, ...]:
    """Return the parts of the dotted key at the start of *text*.

    >>> _parts('store."a.b" = 1')
    ('store', 'a.b')
    """
    parts: list[str] = []
    place = 0
    while found := _PART.match(text, place):
        parts.append(next(part for part in found.group("double", "single", "bare") if part is not None))
        place = found.end()
        if not found["dot"]:
            break
    return tuple(parts)
