"""Measurements that were kept: a list of them, and what they found of one table or column, newest first."""

from __future__ import annotations

from collections.abc import Sequence

from recce_meta.diff.quality_change import earlier_figure
from recce_meta.diff.quality_figures import figures_of
from recce_meta.diff.quality_result import QualityHistory, QualityPoint
from recce_meta.models.quality import QualityRun
from recce_meta.models.run import FAILED
from recce_meta.report.data.as_json import data_tree
from recce_meta.report.data.figures import count
from recce_meta.report.data.grid import grid, heads
from recce_meta.report.escape import code
from recce_meta.report.quality_as_json import encoded
from recce_meta.report.quality_wording import score_style, score_text, value_text
from recce_meta.report.terminal import Span, Style, plain, render
from recce_meta.report.wording import moment, short_run_id

RUNS_SCHEMA = "recce_meta/quality-runs/v1"
HISTORY_SCHEMA = "recce_meta/quality-history/v1"
HEADS = ("measurement", "at", "project", "environment", "tables", "failed", "score", "sample")
NOTHING = "No quality was measured"
SCORE = "score"
FIGURES_SHOWN = 9
"""Of a line; JSON has them all."""
SAID = frozenset(["null_count", "distinct_share", "median", "avg_length"])
"""What other figures tell as well."""


def quality_runs_text(runs: Sequence[QualityRun], *, width: int, color: bool) -> str:
    """*runs* in the order given."""
    if not runs:
        return render([plain(NOTHING)], width=width, color=color)
    rows = [heads(*HEADS)]
    for run in runs:
        cells = [Span(text) for text in _cells(run)]
        cells[0] = Span(cells[0].text, Style.CYAN)
        cells[5] = Span(cells[5].text, Style.RED)
        cells[6] = Span(cells[6].text, Style.RED if run.status == FAILED else score_style(run.score))
        rows.append(cells)
    return render(grid(rows, width=width, right={4, 5, 6}, indent=0), width=width, color=color)


def quality_runs_markdown(runs: Sequence[QualityRun]) -> str:
    """*runs* as a table."""
    if not runs:
        return f"{NOTHING}\n"
    return _markdown(HEADS, [_cells(run) for run in runs])


def quality_runs_json(runs: Sequence[QualityRun]) -> str:
    """*runs* as a document of schema `recce_meta/quality-runs/v1`."""
    return encoded({"schema": RUNS_SCHEMA, "runs": data_tree(tuple(runs))})


def _cells(run: QualityRun) -> list[str]:
    return [
        short_run_id(run.quality_run_id),
        moment(run.finished_at),
        run.project_name,
        run.environment,
        count(run.table_count),
        count(run.failed_count) if run.failed_count else "",
        "failed" if run.status == FAILED else score_text(run.score),
        "" if run.sample is None else str(run.sample),
    ]


def quality_history_text(history: QualityHistory, *, width: int, color: bool) -> str:
    """The figures of a table or column over time, a measurement a line."""
    names, rows = _table(history)
    grown = [[Span(cell) for cell in row] for row in rows]
    right = set(range(3, len(names)))
    title = (Span(history.name, Style.BOLD),)
    lines = grid([heads(*names), *grown], width=width, right=right)
    return render([title, *lines], width=width, color=color)


def quality_history_markdown(history: QualityHistory) -> str:
    """The same as a table."""
    names, rows = _table(history)
    return f"### {code(history.name)}\n\n" + _markdown(names, rows)


def quality_history_json(history: QualityHistory) -> str:
    """*history* as a document of schema `recce_meta/quality-history/v1`."""
    return encoded(
        {"schema": HISTORY_SCHEMA, "name": history.name, "measurements": data_tree(history.points)}
    )


def _table(history: QualityHistory) -> tuple[list[str], list[list[str]]]:
    """Heads and rows: the figures that any of the measurements has."""
    figures = dict.fromkeys(
        name for point in history.points for name, value in figures_of(point.subject) if value is not None
    )
    shown = [name for name in dict.fromkeys([SCORE, *figures]) if name in figures and name not in SAID]
    shown = shown[:FIGURES_SHOWN]
    names = ["measurement", "at", "sample", *shown]
    return names, [_point(point, shown) for point in history.points]


def _point(point: QualityPoint, figures: Sequence[str]) -> list[str]:
    run = point.run
    cells = [short_run_id(run.quality_run_id), moment(run.finished_at), str(run.sample or "")]
    for name in figures:
        value = earlier_figure(point.subject, name)
        known = None if value is None else float(value) if name == SCORE else value
        cells.append(score_text(known) if name == SCORE else value_text(name, value))
    return cells


def _markdown(names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = f"| {' | '.join(names)} |\n{'|---' * len(names)}|\n"
    return head + "".join(f"| {' | '.join(code(cell) if cell else '' for cell in row)} |\n" for row in rows)
