"""Report of what dbt must build after a change."""

from __future__ import annotations

from collections.abc import Mapping

from recce_meta.errors import plural
from recce_meta.models.run import RunChoice
from recce_meta.report.data.text import note_lines
from recce_meta.report.run_choice import choice_text
from recce_meta.report.terminal import BLANK, Line, Span, Style, grid, render, wrap_text

NOTHING = "Nothing to build"
NEW_DATA = "New data of sources are not considered"


def plan_text(
    planned: Mapping[str, str], of: int, skipped: int, choice: RunChoice, *, width: int, color: bool
) -> str:
    """Return the names of *planned* nodes with the reasons, of so many, and the number that is *skipped*."""
    head = f"Build {len(planned):,} of {plural(of, 'node')}, with their tests" if planned else NOTHING
    lines: list[Line] = wrap_text(Span(""), head, width, Style.BOLD)
    rows = [[Span(name, Style.YELLOW), Span(why)] for name, why in planned.items()]
    lines += grid([[Span("node", Style.DIM), Span("why", Style.DIM)], *rows], width=width) if rows else []
    if skipped:
        lines += wrap_text(Span(""), f"Skip {plural(skipped, 'downstream node')}, read from base", width)
    lines += [BLANK, *note_lines([NEW_DATA], width)]
    return choice_text(choice, width=width, color=color) + render(lines, width=0, color=color)
