"""Tables of the page: headings that a script makes buttons, in a frame that scrolls on a narrow screen."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from recce_meta.models.data_diff import Value
from recce_meta.report.data.cells import cell_text, pair_text
from recce_meta.report.data.figures import count
from recce_meta.report.html.markup import Child, Markup, el, join

NUMBER = "num"
"""The class of columns of figures."""


def table(heads: Sequence[str], rows: Sequence[Child], *, label: str, numbers: Sequence[int] = ()) -> Markup:
    """*rows* under *heads*; the columns in *numbers* are aligned to the right and sorted as numbers."""
    titles = [
        el("th", title, scope="col", class_=NUMBER if index in numbers else None, data_sort=bool(title))
        for index, title in enumerate(heads)
    ]
    inner = el("table", el("thead", el("tr", titles)), el("tbody", rows), class_="sortable")
    return el("div", inner, class_="scroll", tabindex=0, role="region", aria_label=label)


def row(*cells: Child, **attributes: str | None) -> Markup:
    """A row; what is no cell yet becomes one."""
    made = [
        cell if isinstance(cell, Markup) and cell.startswith(("<td", "<th")) else el("td", cell)
        for cell in cells
    ]
    return el("tr", made, **attributes)


def name_cell(name: str) -> Markup:
    """The name of a column, key or node, as the heading of its row."""
    return el("th", el("code", name), scope="row")


def figure_cell(shown: str, number: float | Decimal | None = None, *, class_: str = "") -> Markup:
    """A figure, and the number that sorts it."""
    return el(
        "td",
        shown,
        class_=f"{NUMBER} {class_}".rstrip(),
        data_v=str(number) if isinstance(number, Decimal) else number,
    )


def count_cell(number: int | None, *, is_quiet_zero: bool = False) -> Markup:
    """A count; with *is_quiet_zero* nothing where there is none."""
    return figure_cell("" if is_quiet_zero and not number else count(number), number)


def value(cell: Value, class_: str = "") -> Markup:
    """A cell's value; NULL looks other than any text."""
    if cell is None:
        return el("span", "NULL", class_="null")
    return el("code", cell_text(cell, 120), class_=class_ or None)


def from_to(base: Value, current: Value) -> Markup:
    """`base → current`, from shortly before they part where they are long."""
    before, after = pair_text(base, current, 60)
    return join(
        [
            value(None) if base is None else el("code", before, class_="was"),
            el("span", " → ", class_="quiet"),
            value(None) if current is None else el("code", after, class_="is"),
        ]
    )


def fold(summary: Child, body: Child, *, is_open: bool = False, class_: str = "") -> Markup:
    """*body* behind *summary*."""
    inner = el("div", body, class_="body")
    return el("details", el("summary", summary), inner, open=is_open, class_=class_ or None)


def quiet(told: Child) -> Markup:
    """A line that is there for those who look for it."""
    return el("p", told, class_="quiet")


def names(listed: Sequence[str], shown: int = 30) -> Markup:
    """Names as code, and how many more there are."""
    rest = f" and {len(listed) - shown:,} more" if len(listed) > shown else ""
    return join([join([el("code", name) for name in listed[:shown]], ", "), rest])
