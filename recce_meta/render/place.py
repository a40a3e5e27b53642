"""Where in a template an error is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import FrameType, TracebackType

from jinja2 import Template

_LOOK_AHEAD = 40
"""A tag that begins on one line may name what is at fault some lines below."""


def template_lines(traceback: TracebackType | None) -> list[tuple[str | None, int]]:
    """The templates that an error came through, outermost first: name, and line in it."""
    return [(template.name, template.get_corresponding_lineno(line)) for template, line in _frames(traceback)]


def _frames(traceback: TracebackType | None) -> Iterator[tuple[Template, int]]:
    while traceback is not None:
        frame: FrameType = traceback.tb_frame
        template = frame.f_globals.get("__jinja_template__")
        if isinstance(template, Template):
            yield template, traceback.tb_lineno
        traceback = traceback.tb_next


def locate(source: str, line: int, names: list[str]) -> tuple[int, int]:
    """Line and column, from 1, of the first of *names* that stands in a tag at or after *line*.

    Where none does: of the first tag on the line.
    """
    lines = source.splitlines()
    for name in names:
        word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
        for number in range(line, min(line + _LOOK_AHEAD, len(lines)) + 1):
            text = lines[number - 1]
            tag = min((at for at in (text.find("{{"), text.find("{%")) if at >= 0), default=None)
            start = tag if number == line and tag is not None else 0
            found = word.search(text, start)
            if found is not None:
                return number, found.start() + 1
    text = lines[line - 1] if 0 < line <= len(lines) else ""
    found = re.search(r"\{[{%]", text) or re.search(r"\S", text)
    return line, found.start() + 1 if found else 1
