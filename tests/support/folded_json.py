"""JSON in as few lines as there is room for: one that a reviewer can read, and whose changes are lines.

python -m tests.support.folded_json FILE …     # rewrites these files
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

WIDTH = 130


def folded(text: str) -> str:
    """Return JSON with a line for each value in as few lines as there is room for, and as it is spelt."""
    lines = iter(text.splitlines())
    return _folded(next(lines), lines, 0) + "\n"


def _folded(first: str, lines: Iterator[str], depth: int) -> str:
    first = first.strip().removesuffix(",")
    if first[-1] not in "[{":
        return first
    items: list[str] = []
    for line in lines:
        if (last := line.strip().removesuffix(",")) in ("]", "}"):
            break
        items.append(_folded(line, lines, depth + 1))
    if depth + len(first) + sum(len(one) + 2 for one in items) < WIDTH and "\n" not in "".join(items):
        return f"{first}{', '.join(items)}{last}"
    found = items[:1]
    for item in items[1:]:
        has_room = depth + len(found[-1]) + len(item) < WIDTH and "\n" not in found[-1] + item
        found[-1] += f", {item}" if has_room else ","
        found += [] if has_room else [item]
    margin = "\n" + " " * depth
    return f"{first}{margin} " + f"{margin} ".join(found) + f"{margin}{last}"


if __name__ == "__main__":
    for name in sys.argv[1:]:
        path = Path(name)
        path.write_text(folded(path.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
