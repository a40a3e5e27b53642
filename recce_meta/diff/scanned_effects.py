"""What a change of a scanned relation does to those that read it.

Readers count, not writers: a constraint that came refuses rows, and those that are there stay as they are.
docs/scan.md has the rules for users.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from recce_meta.diff.scanned import ORDER, column_of, rows_come_from_elsewhere
from recce_meta.models import Change, ChangeDetail, NodeMetadata, Reason, Status
from recce_meta.models.category import Category, ColumnChange, SqlChange
from recce_meta.models.kinds import VIEWS

OTHER_VALUES = frozenset(["generated", "collation"])
"""Attributes of a column that decide over its values, or how they compare; others bind those who write."""

BY_SQL = frozenset([Reason.BODY, Reason.PARENTS])


def scanned_effects(
    change: Change, before: NodeMetadata, after: NodeMetadata, of_sql: Callable[[], SqlChange]
) -> Iterator[SqlChange]:
    """The effect of each detail of *change*; *of_sql* compares what the view's two queries mean."""
    are_views = before.resource_type in VIEWS and after.resource_type in VIEWS
    if are_views and not BY_SQL.isdisjoint(change.reasons):
        yield of_sql()
    for detail in change.details:
        match detail.reason:
            case Reason.COLUMNS:
                yield _of_column(detail)
            case Reason.CONTRACT:
                yield SqlChange(category=Category.NON_BREAKING, reasons=("constraints changed",))
            case Reason.CONFIG:
                yield _of_config(detail, before, after)
            case _:
                pass


def _of_column(detail: ChangeDetail) -> SqlChange:
    if detail.key == ORDER:
        return SqlChange(category=Category.NON_BREAKING, moved=True)
    name, attribute = column_of(detail.key)
    if attribute is not None and attribute not in OTHER_VALUES:
        told = f"{attribute.replace('_', ' ')} of {name} changed"
        return SqlChange(category=Category.NON_BREAKING, reasons=(told,))
    if attribute is not None:
        told = f"{attribute} of {name} changed"
        return _touching(ColumnChange(name, Status.MODIFIED), Category.PARTIAL_BREAKING, told)
    if detail.base is None:
        return _touching(ColumnChange(name, Status.ADDED), Category.NON_BREAKING)
    if detail.current is None:
        return _touching(ColumnChange(name, Status.REMOVED), Category.PARTIAL_BREAKING)
    told = f"type of {name} changed"
    return _touching(ColumnChange(name, Status.MODIFIED), Category.PARTIAL_BREAKING, told)


def _touching(column: ColumnChange, category: Category, *reasons: str) -> SqlChange:
    return SqlChange(category=category, columns=(column,), reasons=reasons)


def _of_config(detail: ChangeDetail, before: NodeMetadata, after: NodeMetadata) -> SqlChange:
    key = detail.key.partition(".")[0]
    if key == "owner":
        return SqlChange(category=Category.NONE)
    if key == "materialized":
        told = (f"{detail.base} → {detail.current}".replace("_", " "),)
        other_rows = rows_come_from_elsewhere(before, after)
        return SqlChange(category=Category.BREAKING if other_rows else Category.NON_BREAKING, reasons=told)
    if key == "options" and "external_table" in (before.resource_type, after.resource_type):
        return SqlChange(category=Category.UNKNOWN, reasons=(f"{detail.key} changed",))  # such as its files
    return SqlChange(category=Category.NON_BREAKING, reasons=(f"{key.replace('_', ' ')} changed",))
