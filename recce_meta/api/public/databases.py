"""Measures the quality of tables of a live database."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.public.runs import terms_of
from recce_meta.api.quality import (
    QualityLocation,
    QualityRequest,
    fail_conditions,
    measure_request,
    rules_of,
    settings_of,
)
from recce_meta.api.quality_tables import EXACT, TableSelection
from recce_meta.models.quality import FailOn, QualityRules, Sample
from recce_meta.quality.compare import QualityResult
from recce_meta.quality.measure import QualitySettings
from recce_meta.quality.privacy import read_patterns


def measure_quality(
    database: UnifiedSqlAdapter,
    names: str | Sequence[str] = (),
    *,
    select: str | Sequence[str] = (),
    run: str | None = None,
    project: str | None = None,
    store: UnifiedSqlAdapter | None = None,
    settings: QualitySettings | None = None,
    rules: QualityRules | str | Path | None = None,
    fail_on: str | Sequence[FailOn | str] = (),
    exclude: str | Sequence[str] = (),
    sample: float | None = None,
    values: bool = True,
    private: str | Sequence[str] = (),
    top: int = EXACT.top,
    against: str | None = None,
    threads: int | None = None,
    budget: float | None = None,
) -> QualityResult:
    """Measure tables of the latest run of *project*, or of *run*, and store the measurements.

    *names* are nodes by name, `schema.table` or unique id; *select* and *exclude* are in dbt's selection
    grammar. Without *names* and *select*, all tables are measured. Without a recorded run, *database* is
    scanned first. The store is that of *store*, by default of *database*.

    *rules* are metrics and expectations, or the path of their file. *fail_on* are conditions that make the
    result fail, such as `regression` or `null_share > +5%`. *sample* is the percentage of rows to measure.
    Without *values*, no value is stored; values of columns that match the patterns *private* never are. *top*
    is the number of most frequent values. *settings* replaces these four. *against* is the measurement to
    compare with (default: each table's previous). *threads* is the number of concurrent queries, and *budget*
    the seconds after which queries are cancelled.

    Raises SelectorError if a name or selector matches nothing.
    """
    found = rules_of(Path(rules)) if isinstance(rules, (str, Path)) else rules
    chosen = settings or settings_of(
        found,
        sample=None if sample is None else Sample(percent=sample),
        keeps_values=values,
        private=terms_of(private),
        top=top,
    )
    request = QualityRequest(
        chosen=TableSelection(names=terms_of(names), selection=terms_of(select), exclude=terms_of(exclude)),
        run=run,
        settings=chosen,
        rules=found,
        private=read_patterns(terms_of(private)),
        fail_on=_conditions(fail_on, found),
        against=against,
        threads=threads,
        deadline=None if budget is None else time.monotonic() + budget,
    )
    place = QualityLocation(
        database=database, store=store or database, project=project, likely=(database.name,)
    )
    return measure_request(place, request)


def _conditions(given: str | Sequence[FailOn | str], rules: QualityRules | None) -> tuple[FailOn, ...]:
    """Return the conditions *given* as texts or parsed."""
    several = [given] if isinstance(given, str) else list(given)
    texts = [one for one in several if isinstance(one, str)]
    parsed = [one for one in several if isinstance(one, FailOn)]
    return (*parsed, *(fail_conditions(texts, rules) if texts else ()))
