"""Templates of the pages: one environment for all, the values they share, and charts of figures over time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib.resources import files
from time import sleep
from typing import Any

import msgspec
from jinja2 import Environment
from markupsafe import Markup, escape

from recce_meta.redaction import harmless_json, neutralise
from recce_meta.report.html.templates import PACKAGE as REPORT
from recce_meta.report.html.templates import template_environment
from recce_meta.report.labels import moment
from recce_meta.report.quality import score_text
from recce_meta.server.site.assets import OWN, static_address
from recce_meta.server.site.listing import ListColumn, Row

CLIPPED = 300
"""Number of characters of a cell; CSV and JSON have the whole value."""


def encoded(value: object) -> str:
    """Return *value* as JSON on one line, in which no character can control a terminal."""
    # Answers end up in terminals, and names in a store may contain escape sequences.
    return harmless_json(msgspec.json.encode(value)).decode()


@dataclass(frozen=True)
class Page:
    """A page: a template with its values."""

    template: str
    title: str
    """First heading, and the title of the browser's tab."""
    values: Mapping[str, Any] = field(default_factory=dict)
    crumbs: Sequence[tuple[str, str]] = ()
    """Text and address of the pages above this one."""
    status: int = 200
    is_kept: bool = True
    """False if the page shows ages, which a page that is rendered once and sent again would freeze."""


def render_page(page: Page, **shared: Any) -> str:
    """Return the HTML of *page*; *shared* has the values that all pages need."""
    template = environment().get_template(page.template)
    return template.render(title=page.title, crumbs=page.crumbs, **shared, **page.values)


@cache
def environment() -> Environment:
    """Return the environment of all templates."""
    found = template_environment(OWN, REPORT)
    found.globals |= {"cell": cell, "moment": moment, "static": static_address}
    found.filters["code_html"] = highlighted
    found.filters["bytes"] = file_size
    # For the attribute of a form's field, which sends the value back unchanged.
    found.filters["field"] = lambda value: escape(str(value))
    found.filters["field_text"] = field_text
    return found


PAUSE = 0.01
"""Seconds between two templates that are compiled in advance, in which requests are answered."""


def compile_templates(pause: float = PAUSE) -> None:
    """Compile the templates of all pages: else the first page of each kind takes up to 0.15 s longer."""
    for package in (OWN, REPORT):
        for file in files(package).joinpath("templates").iterdir():
            environment().get_template(file.name)
            sleep(pause)


def field_text(text: str) -> Markup:
    """Return *text* for a text area; browsers ignore the first line break in it."""
    return Markup("\n") + escape(text)


def cell(column: ListColumn, row: Row) -> Markup | str:
    """Return the content of one cell, escaped."""
    value = row.get(column.name)
    # Before the link: an empty cell must not be an empty link.
    if value is None or value == "":
        return ""
    body = column.body(row) if column.body else _body(column, value)
    tone = column.tone(row) if column.tone else (str(value) if column.kind == "tag" else None)
    if column.kind == "tag":
        body = Markup('<span class="tag {}">{}</span>').format(tone or "", body)
    elif tone:
        body = Markup('<span class="{}">{}</span>').format(tone, body)
    href = column.link(row) if column.link else None
    return Markup('<a href="{}">{}</a>').format(href, body) if href else body


def _body(column: ListColumn, value: Any) -> Markup | str:
    kind = column.kind
    if isinstance(value, datetime):
        return Markup('<time datetime="{}">{}</time>').format(value.isoformat(), moment(value))
    # Before numbers, because a bool is an int.
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        if kind == "share":
            return f"{value:.1%}"
        if kind == "seconds":
            return f"{value:,.2f} s"
        if kind == "bytes":
            return file_size(value)
        if kind == "bar":
            return _bar(value)
        return f"{value:,}" if isinstance(value, int) else f"{value:,.6g}"
    # Members of enums are shown by their values.
    text = clipped(str(getattr(value, "value", value)))
    return Markup("<code>{}</code>").format(text) if kind == "code" else text


def clipped(text: str, width: int = CLIPPED) -> str:
    """Return *text* on one line, shortened; control characters are spelt out."""
    text = neutralise(text)
    return text if len(text) <= width else text[: width - 1] + "…"


def _bar(value: float) -> Markup:
    """Return a score from 0 to 100 as a number with a bar."""
    return Markup(
        '<span class="barred"><span class="num">{}</span><svg class="bar" viewBox="0 0 100 10" '
        'preserveAspectRatio="none" aria-hidden="true"><rect class="track" width="100" height="10"/>'
        '<rect class="current" width="{:.1f}" height="10"/></svg></span>'
    ).format(score_text(value), max(0.0, min(100.0, value)))


def file_size(size: float) -> str:
    """Return a number of bytes with a unit.

    >>> file_size(1536)
    '1.5 kB'
    """
    for unit in ("B", "kB", "MB", "GB"):
        if abs(size) < 1024 or unit == "GB":
            return f"{size:,.0f} {unit}" if unit == "B" else f"{size:,.1f} {unit}"
        size /= 1024
    raise AssertionError("unreachable")


def highlighted(code: str | None, language: str = "sql") -> Markup:
    """Return *code* as highlighted HTML: classes of `static/code.css`, no inline styles."""
    if not code:
        return Markup("")
    code = neutralise(code, keep="\n\t")
    # Each token becomes an element: a page with longer code would be several times larger, and slow.
    if len(code) > HIGHLIGHTED:
        return escape(code)
    # Imported here, because most pages show no code; from its module, because concurrent first imports of
    # the package may fail.
    from pygments import highlight
    from pygments.formatters.html import HtmlFormatter
    from pygments.lexers import get_lexer_by_name

    # By default, Pygments drops blank lines at both ends: the lines would differ from those of the file.
    lexer = get_lexer_by_name({"sql": "sql+jinja", "python": "python"}.get(language, "text"), stripnl=False)
    return Markup(highlight(code, lexer, HtmlFormatter(nowrap=True)))


HIGHLIGHTED = 60_000
"""Largest number of characters that are highlighted."""


MARGIN = 6.0
"""Space above the highest and below the lowest point."""


@dataclass(frozen=True)
class TimePoint:
    """One point of a line."""

    x: float
    y: float
    """Distance from the top."""
    label: str
    """Time and value as text."""


@dataclass(frozen=True)
class TimeChart:
    """A line over time."""

    title: str
    points: tuple[TimePoint, ...]
    path: str
    """Path of SVG; a missing value interrupts the line."""
    lowest: str
    highest: str
    first: str
    last: str
    scale: tuple[str, str]
    """The values at the bottom and the top."""

    @property
    def summary(self) -> str:
        """Return the chart in one sentence, for readers who do not see it."""
        if self.lowest == self.highest:
            values = f"always {self.highest}"
        else:
            values = f"between {self.lowest} and {self.highest}"
        return f"{self.title} from {self.first} to {self.last}: {values}; last {self.points[-1].label}"


def time_chart(
    title: str,
    values: Sequence[tuple[datetime, float | None]],
    text: Callable[[float], str],
    *,
    shared: Iterable[float | None] = (),
) -> TimeChart | None:
    """Return the chart of *values*, oldest first, as *text* shows them; None with fewer than two values.

    *shared* are the values of other charts in its table: all of them have one scale.
    """
    there = [(at, value) for at, value in values if value is not None]
    # One point is not a line, and its value is on the page already.
    if len(there) < 2:
        return None
    lowest, highest = min(value for _, value in there), max(value for _, value in there)
    others = [value for value in shared if value is not None]
    bottom, top = min((lowest, *others)), max((highest, *others))
    times = [at.timestamp() for at, _ in values]
    first, length = times[0], times[-1] - times[0]
    points, steps, is_open = [], [], False
    for index, (at, value) in enumerate(values):
        if value is None:
            is_open = False
            continue
        # Points of one moment are placed side by side.
        share = (times[index] - first) / length if length > 0 else index / (len(values) - 1)
        # A constant is a line in the middle: at an edge it would look like an extreme.
        level = (value - bottom) / (top - bottom) if top > bottom else 0.5
        point = TimePoint(
            round(MARGIN / 6 + (100 - MARGIN / 3) * share, 2),
            round(100 - MARGIN - (100 - 2 * MARGIN) * level, 2),
            f"{text(value)} at {moment(at)}",
        )
        steps.append(f"{'L' if is_open else 'M'}{point.x:g} {point.y:g}")
        points.append(point)
        is_open = True
    return TimeChart(
        title=title,
        points=tuple(points),
        path="".join(steps),
        lowest=text(lowest),
        highest=text(highest),
        scale=(text(bottom), text(top)),
        first=moment(there[0][0]),
        last=moment(there[-1][0]),
    )
