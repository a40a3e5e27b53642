"""Which lines of a text changed, at a cost that is bounded whatever the texts are."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import NamedTuple

LARGEST_MATCH = 2_000 * 2_000
"""Beyond this product of line counts a changed stretch is shown as replaced whole: matching it line by
line can take seconds."""

CONTEXT = 3
"""Unchanged lines around a change, as in `diff -u`."""


class Region(NamedTuple):
    """Lines `base_start:base_end` became lines `current_start:current_end`."""

    base_start: int
    base_end: int
    current_start: int
    current_end: int


def code_lines(text: str | None) -> list[str]:
    """The lines of *text*, whatever its line ends; none for None."""
    return text.replace("\r\n", "\n").rstrip("\n").split("\n") if text else []


def changed_regions(base: list[str], current: list[str]) -> list[Region]:
    """The stretches of lines that differ, in order."""
    start, shortest = 0, min(len(base), len(current))
    while start < shortest and base[start] == current[start]:
        start += 1
    end = 0
    while end < shortest - start and base[-1 - end] == current[-1 - end]:
        end += 1
    old, new = base[start : len(base) - end], current[start : len(current) - end]
    if not old and not new:
        return []
    if not old or not new or len(old) * len(new) > LARGEST_MATCH:
        return [Region(start, start + len(old), start, start + len(new))]
    codes = SequenceMatcher(None, old, new).get_opcodes()
    return [Region(start + a, start + b, start + c, start + d) for tag, a, b, c, d in codes if tag != "equal"]


def line_counts(base: str | None, current: str | None) -> tuple[int, int]:
    """How many lines were added, and how many removed.

    >>> line_counts("select 1", "select 1,\\n  2")
    (2, 1)
    """
    regions = changed_regions(code_lines(base), code_lines(current))
    added = sum(region.current_end - region.current_start for region in regions)
    return added, sum(region.base_end - region.base_start for region in regions)


def unified_diff(base: str | None, current: str | None) -> Iterator[str]:
    """The lines of a unified diff, without the two that name files."""
    old, new = code_lines(base), code_lines(current)
    for hunk in _hunks(changed_regions(old, new)):
        yield from _hunk_lines(hunk, old, new)


def _hunks(regions: list[Region]) -> list[list[Region]]:
    hunks: list[list[Region]] = []
    for region in regions:
        if hunks and region.base_start - hunks[-1][-1].base_end <= 2 * CONTEXT:
            hunks[-1].append(region)
        else:
            hunks.append([region])
    return hunks


def _hunk_lines(hunk: list[Region], old: list[str], new: list[str]) -> Iterator[str]:
    before = min(CONTEXT, hunk[0].base_start)
    after = min(CONTEXT, len(old) - hunk[-1].base_end)
    base_start, current_start = hunk[0].base_start - before, hunk[0].current_start - before
    base_size, current_size = (
        hunk[-1].base_end + after - base_start,
        hunk[-1].current_end + after - current_start,
    )
    yield f"@@ -{_span(base_start, base_size)} +{_span(current_start, current_size)} @@"
    position = base_start
    for region in hunk:
        yield from (f" {line}" for line in old[position : region.base_start])
        yield from (f"-{line}" for line in old[region.base_start : region.base_end])
        yield from (f"+{line}" for line in new[region.current_start : region.current_end])
        position = region.base_end
    yield from (f" {line}" for line in old[position : position + after])


def _span(start: int, size: int) -> str:
    """Line numbers as POSIX `diff -u` writes them: an empty range names the line before it."""
    return f"{start + 1 if size else start},{size}"
