"""Where each column of a node comes from, and which columns decide over its rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple, TypeAlias

from msgspec import Struct

from recce_meta.models.change import Word

WARNINGS_SHOWN = 5
"""Nodes without column lineage that are named when a run is recorded; the rest is a number."""


class Kind(Word):
    """How an output column is made."""

    PASSTHROUGH = "passthrough"
    """One column, as it is, under its own name."""
    RENAMED = "renamed"
    """One column, as it is, under another name."""
    DERIVED = "derived"
    """An expression over columns, row by row; window functions too."""
    AGGREGATED = "aggregated"
    """An expression that holds an aggregate: many rows become one."""
    SOURCE = "source"
    """A column of a source or seed: it comes from outside the project."""
    CONSTANT = "constant"
    """An expression without any column."""


class Usage(Word):
    """What a column that decides over rows is read for; its value need not reach any output."""

    FILTER = "filter"
    """`WHERE`, `HAVING`, `QUALIFY`, and whatever a test reads."""
    JOIN = "join"
    GROUP = "group"
    """`GROUP BY`, and the columns of `DISTINCT` and of set operations that remove rows."""
    ORDER = "order"
    """`ORDER BY` of a query, which decides over rows where there is a limit."""


class Tier(Word):
    """How much was known when the SQL was read."""

    GOLD = "gold"
    """Compiled SQL and graph of a manifest."""
    SILVER = "silver"
    """Models of a dbt project whose Jinja was read without dbt."""
    BRONZE = "bronze"
    """Plain SQL files."""


class ColumnSource(Struct, frozen=True, gc=False, order=True):
    """One column that a value comes from."""

    parent: str
    """A unique id; outside a project, or where no node has the relation, the relation as it is named."""
    column: str
    """As the parent's own list of columns spells it, where that is known. `*` where nothing names it."""
    confidence: float = 1.0
    """1.0: could not come from anywhere else, as far as everything that the query reads is known."""


class ColumnOutput(Struct, frozen=True, gc=False):
    """One output column, in the order of the query."""

    name: str
    kind: Kind
    expression: str | None = None
    """SQL of the expression, at most `MOST_EXPRESSION` characters; None where it is a column as it is."""
    sources: tuple[ColumnSource, ...] = ()
    """Sorted; empty for constants, and for what nothing is known of."""


class ColumnUse(Struct, frozen=True, gc=False, order=True):
    """A column that decides over the rows of a node."""

    usage: Usage
    parent: str
    column: str
    confidence: float = 1.0


class NodeColumns(Struct, frozen=True, gc=False, kw_only=True):
    """What is known of the columns of one node."""

    tier: Tier = Tier.GOLD
    outputs: tuple[ColumnOutput, ...] = ()
    uses: tuple[ColumnUse, ...] = ()
    """Sorted."""
    references: tuple[ColumnSource, ...] = ()
    """The columns that its SQL names anywhere, sorted: it fails if one of them is removed or renamed."""
    reason: str | None = None
    """Why there are no outputs, in one sentence: SQL that does not parse, a Python model, no time left."""

    @property
    def names(self) -> tuple[str, ...]:
        """The output columns by name, in order."""
        return tuple(output.name for output in self.outputs)


class ColumnEdge(NamedTuple):
    """One column that a node reads, as a walk over a stored run is sent it."""

    node_id: str
    """The node that reads."""
    column_name: str | None
    """The output column that the value goes into; None for a column that decides over the node's rows."""
    parent_id: str
    parent_column: str
    kind: str
    """A `Kind`; where there is no *column_name*, a `Usage` or `REFERENCED`."""
    confidence: float


class ColumnGraph(Struct, frozen=True, kw_only=True):
    """The column lineage of a whole run, by the content that it was computed from."""

    lineage_ids: dict[str, str]
    """By unique id of each node that was looked at: hashes of SQL, dialect, tier and parents' columns."""
    analyses: dict[str, NodeColumns]
    """By lineage id: what was computed now. What was known from earlier runs is not among them."""
    warnings: tuple[str, ...] = ()
    """One sentence with the node for each that could not be analysed now."""


KnownColumns: TypeAlias = Mapping[str, tuple[str, ...]]
"""Lineage ids that are stored already, and the names of the output columns of each."""
Analyse: TypeAlias = Callable[[KnownColumns], ColumnGraph]
"""Computes the column lineage of one project, but for what is known already."""

REFERENCED = "referenced"
"""The word of an edge to a node that names the column: a removal follows it, other values do not."""

REFERENCES_SINCE = 4
"""The version of the analysis from which on nodes have `references`."""
_VERSIONED = re.compile(r"v(\d+)\.")


def lineage_id_of(version: int, digest: str) -> str:
    """Return the id of an analysis made by *version* of it, of what hashes to *digest*."""
    return f"v{version}.{digest}"


def has_references(lineage_id: str) -> bool:
    """Return whether the analysis called *lineage_id* looked for references.

    >>> has_references(lineage_id_of(4, "07c3")), has_references("07c3")
    (True, False)
    """
    found = _VERSIONED.match(lineage_id)
    return found is not None and int(found[1]) >= REFERENCES_SINCE


_LATE = re.compile(r" (?:in|within|after) [0-9.e+-]+ s\)?$")


def is_late(reason: str) -> bool:
    """Whether a node has no columns, for *reason*, that it might have if its query had more time.

    >>> is_late("no result within 10 s"), is_late("does not parse (line 1, column 9)")
    (True, False)
    """
    return _LATE.search(reason) is not None


MOST_EXPRESSION = 1000
"""Characters of an expression that are kept; a longer one ends in an ellipsis."""


def shortened(warnings: Collection[str]) -> tuple[str, ...]:
    """*warnings* about nodes without column lineage, as many as a reader looks at."""
    shown = tuple(warnings)[:WARNINGS_SHOWN]
    hidden = len(warnings) - len(shown)
    if not hidden:
        return shown
    return (*shown, f"… and {hidden:,} more of this kind: the view column_analysis has every node's reason")
