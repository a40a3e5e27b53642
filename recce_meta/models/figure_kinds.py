"""Kinds of diffs that compare figures of columns, each declared once.

Commands, requests of pages and of agents, forms, checks, words of reports and Python functions follow the
declaration. A new kind needs an entry, a plan, a result in `models.data_diff`, and a drawing of its body.
"""

from __future__ import annotations

from typing import NamedTuple


class Number(NamedTuple):
    """Number that a user may choose."""

    name: str
    """Name of the option, of the field of a form and of a request."""
    default: int
    label: str
    """Label of a form's field."""
    help: str
    most: int | None = None
    """Largest number; None for no limit."""
    check: str = ""
    """Name in a file of checks, which is recce's; empty for *name*."""


class FigureKind(NamedTuple):
    """Kind of diff of figures of columns."""

    name: str
    title: str
    """Title of a result, before the name of the node."""
    label: str
    """Name in a list of kinds."""
    about: str
    """What a diff of a node reads and shows, in one sentence."""
    help: str
    """First line of the command's help."""
    noun: str
    """What is compared, in a sentence."""
    equal: str
    """Claim about nodes without a difference."""
    number: Number | None = None
    shows_values: bool = True
    """True if it shows only values of columns."""

    @property
    def diff(self) -> str:
        """Type of the result and of its check: `top_k_diff`."""
        return f"{self.name}_diff"

    @property
    def command(self) -> str:
        """Name of the command: `top-k`."""
        return self.name.replace("_", "-")

    @property
    def choices(self) -> tuple[str, ...]:
        """Fields of a form, in their order."""
        return ("column", *([self.number.name] if self.number else []), "where")


PROFILE = FigureKind(
    "profile",
    title="Profile",
    label="Profile",
    about="Compares NULLs, distinct values and ranges of columns.",
    help="Compare column statistics, such as NULLs and distinct values.",
    noun="profile",
    equal="equal figures",
    shows_values=False,
)
TOP_K = FigureKind(
    "top_k",
    title="Most frequent values",
    label="Top values",
    about="Compares the most frequent values of columns.",
    help="Compare the most frequent values of columns.",
    noun="top values",
    equal="equal most frequent values",
    number=Number("k", 10, "Number of values", "Number of most frequent values of each column."),
)
HISTOGRAM = FigureKind(
    "histogram",
    title="Histogram",
    label="Histogram",
    about="Compares the distribution of columns.",
    help="Compare the distribution of numbers, dates and timestamps.",
    noun="histogram",
    equal="equal counts in all bins",
    number=Number("bins", 50, "Number of bins", "Approximate number of bins.", 1000, "num_bins"),
)
FIGURE_KINDS = {kind.name: kind for kind in (PROFILE, TOP_K, HISTOGRAM)}
