"""What a text may not do to the place it is shown in, and how wide it is there."""

from __future__ import annotations

from unicodedata import combining, east_asian_width

_JOINERS = "\u200c\u200d"
"""Not printable by Python's rule, yet part of words in some scripts and of emoji."""


def neutralise(text: str, *, keep: str = "") -> str:
    r"""*text* with every control, format and bidirectional character spelt out, but those in *keep*.

    >>> neutralise("red\x1b[31m")
    'red\\x1b[31m'
    """
    if text.isprintable():
        return text
    allowed = keep + _JOINERS
    return "".join(char if char.isprintable() or char in allowed else _spelt(char) for char in text)


def _spelt(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


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
