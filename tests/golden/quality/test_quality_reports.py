"""What `quality` prints in each of its formats; hostile names and values do nothing in any of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator as validator
from msgspec.structs import replace

from recce_meta.models.quality import MetricResult, Quality, Sample, ValueCount, read_fail_on
from recce_meta.quality.compare import (
    QualityHistory,
    QualityPoint,
    QualityResult,
    compare_quality,
    table_labels,
)
from recce_meta.quality.conditions import FailOnConditions
from recce_meta.report import (
    quality_history_markdown,
    quality_history_text,
    quality_json,
    quality_markdown,
    quality_runs_json,
    quality_runs_markdown,
    quality_runs_text,
    quality_text,
)
from tests.support.quality_cases import HOSTILE, column, earlier, film, lost, measurement, table

HERE = Path(__file__).parent
SCHEMA_FILE = HERE.parents[2] / "docs" / "schemas" / "quality.v1.json"


def several() -> QualityResult:
    before = measurement(film(1000, 10), table("actor", 200, [column("id", 200)]))
    metric = MetricResult(name="priced_share", value=0.5, threshold=">= 95%", holds=False)
    now = measurement(
        replace(film(900, 90, days=5), metrics=(metric,)),
        table("actor", 200, [column("id", 200)]),
        lost("city", "permission denied for table city"),
        days=1,
    )
    return judged(now, before, "null_share > +5%", "row_count < +0, score < 99")


def alone() -> QualityResult:
    now = measurement(film(900, 90, days=5), days=1, sample=Sample(rows=900, seed=3))
    now = replace(now, tables=(replace(now.tables[0], row_count=100_000, sampled_rows=900),))
    return judged(now, measurement(film(1000, 10)), "film.rating: null_share > 5%")


def hostile() -> QualityResult:
    bad = column(
        HOSTILE,
        2,
        1,
        type=HOSTILE,
        min=HOSTILE,
        max=HOSTILE,
        top_values=(ValueCount(value=HOSTILE, count=2),),
        metrics=(MetricResult(name="m", value=HOSTILE, threshold=f"= '{HOSTILE}'", holds=False),),
    )
    now = measurement(table(HOSTILE, 2, [bad]), lost("b", HOSTILE), keeps_values=False)
    return judged(now, None, "null_share > 10%")


def judged(now: Quality, before: Quality | None, *conditions: str) -> QualityResult:
    known = {} if before is None else earlier(before)
    changes = compare_quality(now, known)
    verdict = FailOnConditions(now, table_labels(now.tables), known, changes).verdict(
        read_fail_on(conditions)
    )
    return QualityResult(quality=now, changes=changes, violations=verdict.violations, notes=verdict.notes)


@pytest.mark.parametrize("case", [several, alone, hostile])
def test_a_measurement_is_told_as_expected(
    case: Callable[[], QualityResult], check_golden: Callable[[Path, str], None]
) -> None:
    result, name = case(), case.__name__
    check_golden(HERE / f"{name}.txt", quality_text(result, width=120, color=False))
    check_golden(HERE / f"{name}.md", quality_markdown(result))
    document = quality_json(result)
    validator(closed(json.loads(SCHEMA_FILE.read_text(encoding="utf-8")))).validate(json.loads(document))
    assert "\x1b" not in quality_text(result, width=80, color=False) + quality_markdown(result) + document
    assert (
        max(map(len, quality_text(replace(result, violations=()), width=80, color=False).splitlines())) <= 80
    )


def test_measurements_over_time_are_told_as_expected(check_golden: Callable[[Path, str], None]) -> None:
    runs = [measurement(film(1000, days * 10), days=days) for days in (3, 2, 1)]
    points = tuple(QualityPoint(run=one.run, subject=one.tables[0].columns[1]) for one in runs)
    history = QualityHistory(name="film.rating", points=points)
    text = quality_history_text(history, width=120, color=False)
    text += quality_runs_text([one.run for one in runs], width=120, color=False)
    text += quality_history_markdown(history) + quality_runs_markdown([one.run for one in runs])
    check_golden(HERE / "over_time.txt", text)
    assert len(json.loads(quality_runs_json([one.run for one in runs]))["runs"]) == 3


def test_a_table_of_1600_columns_fits_a_page() -> None:
    wide = measurement(table("wide", 1, [column(f"c{number}", 1) for number in range(1600)]))
    result = judged(wide, wide, "null_share > 0", "regression")
    assert len(quality_text(result, width=120, color=True).splitlines()) < 80
    assert "1,400 more" in quality_markdown(result)
    assert len(json.loads(quality_json(result))["tables"][0]["columns"]) == 1600


def closed(schema: Any) -> Any:
    """*schema*, which lets fields be added, without that: whatever is printed is described."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: closed(value) for key, value in schema.items()}
    is_object = schema.get("type") in ("object", ["object", "null"]) and "properties" in schema
    return {**inner, "additionalProperties": False} if is_object else inner
