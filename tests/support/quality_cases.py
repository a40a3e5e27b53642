"""Hand-made quality measurements, for tests that need no database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from recce_meta.models.data_diff import Profile
from recce_meta.models.quality import ColumnQuality, Quality, QualityRun, Sample, TableQuality, ValueCount
from recce_meta.quality.compare import EarlierQuality
from recce_meta.quality.measure import mean_score, with_scores

AT = datetime(2026, 11, 20, 8, tzinfo=timezone.utc)
HOSTILE = 'a|b`<img src=x>\n\x1b[31m@team #1 "'


def column(name: str, rows: int, nulls: int = 0, distinct: int | None = None, **others: Any) -> ColumnQuality:
    """Return a column of *rows* rows, with a profile unless *others* override it."""
    fields = {
        key: others.pop(key)
        for key in ("type", "min", "max", "avg", "min_length", "max_length")
        if key in others
    }
    profile = Profile(
        type=fields.pop("type", "INTEGER"),
        row_count=rows,
        not_null_count=rows - nulls,
        distinct_count=rows - nulls if distinct is None else distinct,
        **fields,
    )
    return ColumnQuality(name=name, **{"profile": profile, **others})


def table(name: str, rows: int, columns: Sequence[ColumnQuality] = (), **others: Any) -> TableQuality:
    """Return a measured table with its scores."""
    return with_scores(
        TableQuality(
            unique_id=f"relation.shop.{name}",
            name=name,
            relation=f'"db"."shop"."{name}"',
            measured_at=AT,
            row_count=rows,
            columns=tuple(columns),
            **others,
        )
    )


def lost(name: str, reason: str) -> TableQuality:
    """Return a table that could not be measured."""
    return replace(table(name, 0), row_count=None, score=None, reason=reason)


def measurement(
    *tables: TableQuality, days: int = 0, sample: Sample | None = None, keeps_values: bool = True
) -> Quality:
    """Return a measurement of *tables*, taken *days* after the first day."""
    at = AT + timedelta(days=days)
    run = QualityRun(
        quality_run_id=f"{days:02}abcdef0123456789abcdef01234567",
        run_id="r1",
        project_name="shop",
        environment="production",
        started_at=at,
        finished_at=at + timedelta(seconds=2),
        sample=sample,
        keeps_values=keeps_values,
        table_count=len(tables),
        failed_count=sum(one.reason is not None for one in tables),
        score=mean_score(tables),
        recorder_version="1",
    )
    return Quality(run=run, tables=tuple(sorted(tables, key=lambda one: one.unique_id)))


def earlier(quality: Quality) -> dict[str, EarlierQuality]:
    """Return *quality* as the previous measurement."""
    return {one.unique_id: EarlierQuality(run=quality.run, table=one) for one in quality.tables}


def film(rows: int = 1000, nulls: int = 10, *, days: int = 7) -> TableQuality:
    """Return a table with columns of several kinds."""
    return table(
        "film",
        rows,
        [
            column("id", rows, is_declared_unique=True, min=1, max=rows, avg=Decimal("500.5")),
            column(
                "rating",
                rows,
                nulls,
                5,
                type="VARCHAR",
                min="G",
                max="R",
                min_length=1,
                max_length=5,
                blank_count=0,
                top_values=(ValueCount(value="PG", count=400), ValueCount(value="NULL", count=100)),
            ),
            column("days", rows, 0, days, min=3, max=7, avg=4.985),
            column(
                "email", rows, 0, type="VARCHAR", is_private=True, min_length=7, max_length=30, blank_count=0
            ),
            ColumnQuality(name="shape", reason="the type cannot be compared", profile=None),
        ],
    )
