"""What a change can break, and whom it reaches, in the words of every report.

Phrases hold names from the project as they are: whoever shows them neutralises or escapes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from recce_meta.diff.scanned import column_status
from recce_meta.models.category import Category, ColumnChange
from recce_meta.models.change import Change, Impact, Reach, Reason, RunDiff, Status
from recce_meta.models.kinds import SCANNED
from recce_meta.report.characters import shorten
from recce_meta.report.wording import more, node_label, node_part

COLUMNS_SHOWN = 8
"""Columns in one phrase."""
ORIGINS_SHOWN = 3
"""Changed nodes that one is reached by."""
NAME_WIDTH = 48
SURE = 0.75
"""Confidence from which on a reach is told without a word of doubt."""

FAILS = "fails"
"""Of a node that names a column which is gone: it cannot be built."""

EFFECTS = {
    Category.BREAKING: "breaking",
    Category.UNKNOWN: "unknown effect",
    Category.PARTIAL_BREAKING: "partial breaking",
    Category.NON_BREAKING: "non-breaking",
    Category.NONE: "no effect",
}
"""The worst first."""

_SIGNS = {Status.ADDED: "+", Status.REMOVED: "-", Status.MODIFIED: "~"}


def is_judged(diff: RunDiff) -> bool:
    """Whether it was looked into what the changes can break."""
    return any(change.category is not None for change in diff.changes)


def effect_of(change: Change) -> str:
    """`breaking`, `partial breaking`, …; nothing where that was not looked into, or goes without saying."""
    if change.category is None or change.status is Status.ADDED:
        return ""
    return EFFECTS[change.category]


def column_phrases(change: Change) -> list[str]:
    """`~ amount`, `- status`, `+ total`, `state → status`: the columns that *change* touches."""
    renamed = {column.renamed_to for column in change.columns if column.renamed_to}
    told = [_column(column) for column in change.columns if column.name not in renamed]
    return [*told, "columns reordered"] if change.columns_moved else told


def effect_phrases(change: Change) -> Iterator[str]:
    """What *change* does to those that read it: the columns that it touches, and why it is worse than that.

    Columns that came or went by the catalogs are told there, with their types.
    """
    if change.category is None or change.status is not Status.MODIFIED:
        return
    known = {
        (detail.key.lower(), Status.REMOVED if detail.current is None else Status.ADDED)
        for detail in change.details
        if detail.reason is Reason.COLUMNS and None in (detail.base, detail.current)
    }
    if change.resource_type in SCANNED:  # whose details tell of every column what it was, and is
        details = [detail for detail in change.details if detail.reason is Reason.COLUMNS]
        known |= {(name.lower(), status) for name, status in column_status(details).items()}
    renamed = {column.renamed_to for column in change.columns if column.renamed_to}
    told = [
        _column(column)
        for column in change.columns
        if column.name not in renamed
        and (column.renamed_to or (column.name.lower(), column.status) not in known)
    ]
    if told:
        yield f"touches {few(told)}"
    if change.category in (Category.BREAKING, Category.UNKNOWN) and change.category_reasons:
        yield f"{EFFECTS[change.category]}: {few(change.category_reasons)}"


def reached_phrase(change: Change, shown: int = COLUMNS_SHOWN) -> str:
    """`reached by orders: amount, total`: what other changes do to a modified node, if anything."""
    found = change.reached
    if found is None:
        return ""
    by = few([shorten(node_part(origin), NAME_WIDTH) for origin in found.origins], ORIGINS_SHOWN)
    told = few([shorten(name, NAME_WIDTH) for name in found.columns], shown) or found.reach.value
    told = FAILS if found.fails else told
    perhaps = "perhaps " if found.reach is not Reach.UNKNOWN and found.confidence < SURE else ""
    return f"{perhaps}reached by {by}: {told}"


def few(phrases: Sequence[str], shown: int = COLUMNS_SHOWN) -> str:
    """The first of *phrases*, and how many more there are."""
    kept = [shorten(phrase, NAME_WIDTH * 2) for phrase in phrases[:shown]]
    return ", ".join(kept) + (f" {more(len(phrases) - shown)}" if len(phrases) > shown else "")


def impact_label(impact: Impact, shown: int = 4) -> str:
    """The node, with the columns that are reached where not all of it is: `orders (amount, total)`."""
    about = reach_of(impact, shown)
    return f"{node_label(impact)} ({about})" if about else node_label(impact)


def reach_of(impact: Impact, shown: int = 4) -> str:
    """`fails`, `amount, total`, or `unknown`; nothing where the whole of *impact* is reached for sure."""
    if impact.fails:
        return f"perhaps {FAILS}" if is_unsure(impact) else FAILS
    if impact.reach is Reach.UNKNOWN:
        return "unknown"
    told = few([shorten(name, NAME_WIDTH) for name in impact.columns], shown)
    return f"perhaps {told}".rstrip() if is_unsure(impact) else told


def is_unsure(impact: Impact) -> bool:
    """Whether the column lineage had to guess on the way there."""
    return impact.reach is not None and impact.confidence < SURE


def _column(column: ColumnChange) -> str:
    if column.renamed_to:
        return f"{column.name} → {column.renamed_to}"
    return f"{_SIGNS.get(column.status, '~')} {column.name}"
