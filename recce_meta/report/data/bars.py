"""Bars and sparklines of Unicode block characters."""

from __future__ import annotations

from collections.abc import Sequence

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_LEVELS = "▁▂▃▄▅▆▇█"
NOTHING = "·"
"""A bin without a row, so that it is told from one with few."""


def bar(share: float, width: int) -> str:
    """A bar of *share* of *width* cells, padded; whatever is above zero can be seen.

    >>> bar(0.5, 4), bar(0.0001, 4), bar(0, 4)
    ('██  ', '▏   ', '    ')
    """
    eighths = round(max(0.0, min(share, 1.0)) * width * 8)
    if share > 0:
        eighths = max(eighths, 1)
    full, part = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[part] if part else "")).ljust(width)


def sparkline(counts: Sequence[int], highest: int) -> str:
    """One character per count, as high as its part of *highest*.

    >>> sparkline([0, 1, 5, 10], 10)
    '·▁▅█'
    """
    if highest <= 0:
        return NOTHING * len(counts)
    return "".join(_level(one / highest) if one > 0 else NOTHING for one in counts)


def _level(share: float) -> str:
    return _LEVELS[min(int(share * len(_LEVELS)), len(_LEVELS) - 1)]
