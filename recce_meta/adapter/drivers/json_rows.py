"""Rows as JSON arrays of texts: one parameter brings thousands, and the warehouse casts each value back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime


def as_text(value: object, moment: Callable[[datetime], str]) -> str | None:
    """*value* as a text that CAST reads in every warehouse; a point in time as *moment* writes it."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return moment(value)
    return repr(value) if isinstance(value, float) else str(value)


def arrays(lines: Iterable[tuple[bytes, int]], most: int) -> Iterator[bytes]:
    """JSON arrays of *lines*, each with its length, of up to *most*; more only where one line has more."""
    pieces: list[bytes] = []
    size = 0
    for line, length in lines:
        if pieces and size + length > most:
            yield b"[" + b",".join(pieces) + b"]"
            pieces, size = [], 0
        pieces.append(line)
        size += length + 1
    if pieces:
        yield b"[" + b",".join(pieces) + b"]"
