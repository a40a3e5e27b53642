"""What was measured over time: of a table, or of one of its columns."""

from __future__ import annotations

from collections.abc import Sequence

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.diff.quality_fail_on import names_of
from recce_meta.diff.quality_figures import column_of
from recce_meta.diff.quality_result import QualityHistory, QualityPoint
from recce_meta.errors import SelectorError, did_you_mean, first_of
from recce_meta.models.quality import TableQuality
from recce_meta.store.files import DEFAULT_SCHEMA
from recce_meta.store.quality import list_quality_runs, load_quality

_SHOWN = 5


def project_measured(
    store: UnifiedSqlAdapter, likely: Sequence[str], schema: str = DEFAULT_SCHEMA
) -> str | None:
    """The first of *likely* of which quality was measured; None where none was."""
    for name in likely:
        if list_quality_runs(store, project=name, limit=1, schema=schema):
            return name
    return None


def quality_history(
    store: UnifiedSqlAdapter,
    name: str,
    *,
    project: str | None = None,
    limit: int = 20,
    schema: str = DEFAULT_SCHEMA,
) -> QualityHistory:
    """The last *limit* measurements of what *name* means: a table, or one of its columns behind a dot.

    Raises SelectorError where nothing of that name was measured, or several tables have it.
    """
    runs = list_quality_runs(store, project=project, limit=limit, schema=schema)
    known: dict[str, None] = {}
    for run in runs:
        tables = load_quality(store, run, top_values=False, schema=schema).tables
        unique_id, column = _meant(tables, name)
        if unique_id is not None:
            return _of(store, unique_id, column, name, project, limit, schema)
        known |= dict.fromkeys(one for table in tables for one in names_of(table, table.name))
    raise SelectorError(
        f"Nothing was measured of '{name}'",
        hint=did_you_mean(name, list(known)) or "recce-meta quality --history lists the measurements",
    )


def _of(
    store: UnifiedSqlAdapter,
    unique_id: str,
    column: str | None,
    name: str,
    project: str | None,
    limit: int,
    schema: str,
) -> QualityHistory:
    runs = list_quality_runs(store, project=project, unique_ids=[unique_id], limit=limit, schema=schema)
    points = []
    for run in runs:
        for table in load_quality(store, run, unique_ids=[unique_id], schema=schema).tables:
            subject = table if column is None else column_of(table, column)
            if subject is not None:
                points.append(QualityPoint(run=run, subject=subject))
    return QualityHistory(name=name, points=tuple(points))


def _meant(tables: tuple[TableQuality, ...], name: str) -> tuple[str | None, str | None]:
    """The unique id of the table that *name* means, and the column; None and None where there is none."""
    whole = [table for table in tables if name in names_of(table, table.name)]
    if len(whole) > 1:
        ids = first_of([table.unique_id for table in whole], _SHOWN)
        raise SelectorError(f"'{name}' names {len(whole)} tables: {ids}", hint="give one of these unique ids")
    if whole:
        return whole[0].unique_id, None
    found = [
        (table.unique_id, column.name)
        for table in tables
        for column in table.columns
        if any(name == f"{one}.{column.name}" for one in names_of(table, table.name))
    ]
    if len({unique_id for unique_id, _ in found}) > 1:
        raise SelectorError(
            f"'{name}' names columns of {len(found)} tables", hint="name the table by its unique id"
        )
    return found[0] if found else (None, None)
