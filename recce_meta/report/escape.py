"""Texts from a project inside Markdown, as GitHub reads it, and inside Mermaid.

In Markdown everything from a project stands in code: there neither markup nor mentions nor references
to issues have a meaning.
"""

from __future__ import annotations

import re

from recce_meta.report.characters import neutralise, one_line, shorten

NAME_WIDTH = 120

_SPECIAL = re.compile(r"[^A-Za-z0-9 /_]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_BACKTICKS = re.compile(r"`+")
_REFERENCE = re.compile(r"(?<=[@#])|(?<=\bGH-)|(?<=\bgh-)|(?<=www)(?=\.)|(?<=:)(?=//)", re.I)
_LINK = re.compile(r"(?<=\w@)(?=[\w-]+\.)|(?<=www)(?=\.)|(?<=:)(?=//)", re.I)
"""Places in addresses, which GitHub makes links of even within `<code>`."""
_BREAK = "&#8203;"
"""A space without width."""
_PLAIN_WORDS = re.compile(r"[A-Za-z0-9]+(?:[ _-][A-Za-z0-9]+)*")
_MERMAID_SPECIAL = re.compile(r"[^\w .,()/+:-]|(?<=_)_", re.ASCII)


def code(text: str, width: int = NAME_WIDTH) -> str:
    """*text* in one line of code, safe in a paragraph, a list and a table.

    A code span cannot hold every text: a backtick ends it, and a table's cell ends at a pipe within it.

    >>> code("orders"), code("a|b")
    ('`orders`', '<code>a&#124;b</code>')
    """
    text = shorten(neutralise(text), width)
    if not text.strip() or "|" in text or "`" in text or "\\" in text:
        return html_code(text, width)
    return f"`{text}`"


def html_code(text: str, width: int = NAME_WIDTH) -> str:
    """*text* as code where Markdown is not read, as in `<summary>`; safe in Markdown as well."""
    return f"<code>{_unlinked(_LINK, shorten(neutralise(text), width))}</code>"


def prose(text: str) -> str:
    """Return a sentence with names in it as one line.

    An invisible character keeps `@name`, `#12` and `www.example.com` from becoming links.

    >>> prose("see www.example.com")
    'see www&#8203;.example.com'
    """
    return _unlinked(_REFERENCE, neutralise(one_line(text)))


def _unlinked(places: re.Pattern[str], text: str) -> str:
    return _BREAK.join(_entities(part) for part in places.split(text))


def words(text: str) -> str:
    """Plain words, such as a resource type, as they are; anything else as code."""
    return text if _PLAIN_WORDS.fullmatch(text) else code(text)


def fenced(lines: list[str], language: str) -> str:
    """*lines* as a block of code; the fence is longer than any in the lines."""
    clean = [neutralise(line, keep="\t") for line in lines]
    longest = max((len(run) for line in clean for run in _BACKTICKS.findall(line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([f"{fence}{language}", *clean, fence])


def mermaid_label(text: str) -> str:
    """*text* for a quoted Mermaid label: everything that Mermaid, Markdown or HTML could read is encoded.

    >>> mermaid_label('say "end"')
    'say #34;end#34;'
    """
    text = shorten(neutralise(text), 60)
    return _MERMAID_SPECIAL.sub(lambda found: _mermaid_entity(found[0]), text) or " "


def _mermaid_entity(char: str) -> str:
    return char if char.isalnum() else f"#{ord(char)};"


def _entities(text: str) -> str:
    return _SPECIAL.sub(lambda found: _entity(found[0]), text)


def _entity(char: str) -> str:
    return char if char.isalnum() or char in ".,;()'→…−·" else f"&#{ord(char)};"
