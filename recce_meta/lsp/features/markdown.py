"""Markdown of untrusted text: names and descriptions yield no links, no images, no HTML and no other format.

An editor may follow the links of a hover, or load its images.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from recce_meta.redaction import neutralise

LONGEST_TEXT = 600
"""Number of characters of a description to show."""
LONGEST_CODE = 400
"""Number of characters of an expression to show."""
MOST_CODE_LINES = 12

# Code within a line shows its content as written, so it stays.
_CODE_OR_SPECIAL = re.compile(
    r"(?P<code>(?<![`\\])`[^`]+`(?!`))|[\\`*_\[\]<>&~|$@]|:(?=//)|(?<=www)\.", re.IGNORECASE
)
# A list, a heading, a line under a heading, a quotation.
_LINE_START = re.compile(r"^(?:[#+=-]|\d+(?=[.)]))")


def escaped(text: str, longest: int = LONGEST_TEXT) -> str:
    """Return *text* in one line, cut at *longest* characters, so that Markdown shows it as written.

    >>> print(escaped("See [the wiki](http://x.io) in `a_b`"))
    See \\[the wiki\\](http\\://x.io) in `a_b`
    """
    line = cut(" ".join(neutralise(text, keep="\n\t").split()), longest)
    line = _CODE_OR_SPECIAL.sub(lambda found: found["code"] or f"\\{found[0]}", line)
    first = _LINE_START.match(line)
    if first is None:
        return line
    # A number is escaped at the sign that follows it.
    place = first.end() if first[0].isdigit() else 0
    return f"{line[:place]}\\{line[place:]}"


def code(text: str) -> str:
    """Return *text* as code within a line."""
    line = " ".join(neutralise(text, keep="\n\t").split())
    fence = "`" * (max(map(len, re.findall("`+", line)), default=0) + 1)
    pad = " " if len(fence) > 1 else ""
    return f"{fence}{pad}{line}{pad}{fence}" if line else ""


def block(text: str, language: str = "sql") -> str:
    """Return *text* as a block of code, without common indentation, cut at `LONGEST_CODE` characters."""
    # The first line of an expression lacks the indentation of the others.
    lines = neutralise(text.expandtabs(4), keep="\n").strip().split("\n")
    rest = [line for line in lines[1:] if line.strip()]
    indent = min((len(line) - len(line.lstrip()) for line in rest), default=0)
    lines = [lines[0], *(line[indent:].rstrip() for line in lines[1:])]
    if len(lines) > MOST_CODE_LINES:
        lines = [*lines[:MOST_CODE_LINES], "…"]
    return fenced(cut("\n".join(lines), LONGEST_CODE), language)


def fenced(text: str, language: str = "text") -> str:
    """Return *text* as a block of code."""
    fence = "`" * max(3, max(map(len, re.findall("`+", text)), default=0) + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def cut(text: str, longest: int) -> str:
    """Return at most *longest* characters of *text*."""
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def listed(items: Sequence[str], most: int = 5) -> str:
    """Return the first *most* of *items* with the number of the rest: `a, b +3 more`."""
    rest = len(items) - most
    shown = ", ".join(items[:most])
    return f"{shown} +{rest:,} more" if rest > 0 else shown


def columns_block(columns: Iterable[tuple[str, str | None]], most: int = 20) -> str:
    """Return names and types of columns, aligned in a block."""
    every = [(neutralise(name), neutralise(kind or "")) for name, kind in columns]
    shown = every[:most]
    width = min(max((len(name) for name, _ in shown), default=0), 40)
    lines = [f"{name:<{width}}  {kind}".rstrip() for name, kind in shown]
    if len(every) > most:
        lines.append(f"… and {len(every) - most:,} more")
    return fenced("\n".join(lines))


def counted(count: int, noun: str) -> str:
    """Return *count* with *noun*: `1 reader`, `2 readers`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def short_time(moment: datetime) -> str:
    """Return the time in minutes."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"
