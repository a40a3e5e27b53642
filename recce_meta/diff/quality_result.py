"""A measurement with all that is said of it."""

from __future__ import annotations

from msgspec import Struct

from recce_meta.diff.quality_change import TableChange
from recce_meta.diff.quality_verdict import Violation
from recce_meta.models.quality import ColumnQuality, Quality, QualityRun, TableQuality


class QualityResult(Struct, frozen=True, kw_only=True):
    """What `quality` answers."""

    quality: Quality
    changes: tuple[TableChange, ...] = ()
    """Of the tables that were measured before."""
    violations: tuple[Violation, ...] = ()
    """Expectations that are not met, and conditions of `--fail-on` that are."""
    notes: tuple[str, ...] = ()


class QualityPoint(Struct, frozen=True, kw_only=True):
    """What one measurement found of a table, or of a column."""

    run: QualityRun
    subject: TableQuality | ColumnQuality


class QualityHistory(Struct, frozen=True, kw_only=True):
    """What was found of a table, or of a column, over time."""

    name: str
    points: tuple[QualityPoint, ...]
    """The newest first."""
