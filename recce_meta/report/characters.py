"""What a text may not do to the place it is shown in, and how wide it is there."""

from __future__ import annotations

from unicodedata import combining, east_asian_width

import msgspec

from recce_meta.masking import harmless_json, neutralise

__all__ = ["display_width", "neutralise", "one_line", "pretty_json", "shorten"]
_JOINERS = "\u200c\u200d"


def pretty_json(document: object, *, is_sorted: bool = False) -> str:
    """Return *document* as indented JSON in which no character can act on a terminal."""
    encoded = msgspec.json.encode(document, order="deterministic" if is_sorted else None)
    return harmless_json(msgspec.json.format(encoded, indent=2)).decode() + "\n"


def one_line(text: str) -> str:
    """Return a message of several lines as one.

    >>> one_line("connection refused" + chr(10) + "  Is the server running?")
    'connection refused Is the server running?'
    """
    return " ".join(line.strip() for line in text.splitlines()) if "\n" in text else text


def display_width(text: str) -> int:
    """The number of terminal cells that *text* takes."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def _cells(char: str) -> int:
    if char in _JOINERS or combining(char):
        return 0
    return 2 if east_asian_width(char) in "WF" else 1


def shorten(text: str, width: int) -> str:
    """*text*, cut with an ellipsis where it takes more than *width* cells.

    >>> shorten("orders_daily", 8)
    'orders_…'
    """
    if display_width(text) <= width:
        return text
    if text.isascii():
        return text[: max(width - 1, 0)] + "…"
    used, kept = 1, []
    for char in text:
        used += _cells(char)
        if used > width:
            break
        kept.append(char)
    return "".join(kept) + "…"
