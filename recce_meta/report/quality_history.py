"""Saved quality measurements: a list, and the history of one table or column, newest first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from recce_meta.models.quality import QualityRun
from recce_meta.models.run import FAILED
from recce_meta.quality.compare import QualityHistory, QualityPoint, earlier_figure
from recce_meta.quality.figures import figures_of
from recce_meta.report.json import tree_json
from recce_meta.report.labels import moment, short_run_id
from recce_meta.report.quality import score_style, score_text, value_text
from recce_meta.report.terminal import Span, Style, code, grid, heading_row, md_table, plain_line, render
from recce_meta.report.values import count

RUNS_SCHEMA = "recce_meta/quality-runs/v1"
HISTORY_SCHEMA = "recce_meta/quality-history/v1"
HEADS = ("measurement", "at", "project", "environment", "tables", "failed", "score", "sample")
NOTHING = "No quality measurements found"
SCORE = "score"
FIGURES_SHOWN = 9
"""Figures per row; JSON contains all."""
REDUNDANT_FIGURES = frozenset(["null_count", "distinct_share", "median", "avg_length"])
"""Figures that follow from other figures."""


def quality_runs_text(runs: Sequence[QualityRun], *, width: int, color: bool) -> str:
    """Return *runs* in the order given."""
    if not runs:
        return render([plain_line(NOTHING)], width=width, color=color)
    rows = [heading_row(*HEADS)]
    for run in runs:
        cells = [Span(text) for text in _cells(run)]
        cells[0] = Span(cells[0].text, Style.CYAN)
        cells[5] = Span(cells[5].text, Style.RED)
        cells[6] = Span(cells[6].text, Style.RED if run.status == FAILED else score_style(run.score))
        rows.append(cells)
    return render(grid(rows, width=width, right={4, 5, 6}, indent=0), width=width, color=color)


def quality_runs_markdown(runs: Sequence[QualityRun]) -> str:
    """Return *runs* as a table."""
    if not runs:
        return f"{NOTHING}\n"
    return _table(HEADS, map(_cells, runs))


class QualityRunsDocument(Struct, kw_only=True):
    """Output of `quality --history --format json` without a name: the measurements, newest first."""

    schema: str = RUNS_SCHEMA
    runs: Sequence[QualityRun]


def quality_runs_json(runs: Sequence[QualityRun]) -> str:
    """Return *runs* as a document of schema `recce_meta/quality-runs/v1`."""
    return tree_json(QualityRunsDocument(runs=runs))


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
    """Return the figures of a table or column over time, one measurement per line."""
    names, rows = history_table(history)
    grown = [[Span(cell) for cell in row] for row in rows]
    right = set(range(3, len(names)))
    title = (Span(history.name, Style.BOLD),)
    lines = grid([heading_row(*names), *grown], width=width, right=right)
    return render([title, *lines], width=width, color=color)


def quality_history_markdown(history: QualityHistory) -> str:
    """Return the figures of a table or column over time as a table."""
    names, rows = history_table(history)
    return f"### {code(history.name)}\n\n" + _table(names, rows)


class QualityHistoryDocument(Struct, kw_only=True):
    """Output of `quality --history --format json` of one table or column: its figures over time."""

    schema: str = HISTORY_SCHEMA
    name: str
    measurements: Sequence[QualityPoint]
    """Measurements, newest first."""


def quality_history_json(history: QualityHistory) -> str:
    """Return *history* as a document of schema `recce_meta/quality-history/v1`."""
    return tree_json(QualityHistoryDocument(name=history.name, measurements=history.points))


def history_table(history: QualityHistory) -> tuple[list[str], list[list[str]]]:
    """Return headings and rows of the figures that any measurement has, as text."""
    figures = dict.fromkeys(
        name for point in history.points for name, value in figures_of(point.subject) if value is not None
    )
    shown = [
        name for name in dict.fromkeys([SCORE, *figures]) if name in figures and name not in REDUNDANT_FIGURES
    ]
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


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return md_table(names, [[code(cell) if cell else "" for cell in row] for row in rows])
