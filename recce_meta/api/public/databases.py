"""Measures the quality of tables of a live database."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

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
from recce_meta.quality.privacy import read_patterns


class MeasureOptions(Struct, frozen=True, kw_only=True):
    """Store, expectations, privacy and limits of a measurement of quality."""

    store: UnifiedSqlAdapter | None = None
    """Connection to the store. None for that of the database."""
    rules: QualityRules | str | Path | None = None
    """Metrics and expectations, or the path of their file."""
    fail_on: str | Sequence[FailOn | str] = ()
    """Conditions that make the result fail, such as `regression` or `null_share > +5%`."""
    sample: float | None = None
    """Percentage of rows to measure. None for all rows."""
    values: bool = True
    """False to store no values."""
    private: str | Sequence[str] = ()
    """Patterns of columns whose values are not stored, in addition to the built-in patterns."""
    top: int = EXACT.top
    """Number of most frequent values to list."""
    against: str | None = None
    """Selector of the measurement to compare with. None for each table's previous measurement."""
    threads: int | None = None
    """Number of concurrent queries."""
    budget: float | None = None
    """Seconds after which queries are cancelled."""


def measure_quality(
    database: UnifiedSqlAdapter,
    names: str | Sequence[str] = (),
    *,
    select: str | Sequence[str] = (),
    exclude: str | Sequence[str] = (),
    run: str | None = None,
    project: str | None = None,
    options: MeasureOptions = MeasureOptions(),
) -> QualityResult:
    """Measure tables of the latest run of *project*, or of *run*, and store the measurements.

    *names* are nodes by name, `schema.table` or unique id; *select* and *exclude* are in dbt's selection
    grammar. Without *names* and *select*, all tables are measured. Without a recorded run, *database* is
    scanned first. *options* are the store, expectations, privacy and limits.

    Raises SelectorError if a name or selector matches nothing.
    """
    given, private = options.rules, terms_of(options.private)
    rules = rules_of(Path(given)) if isinstance(given, (str, Path)) else given
    settings = settings_of(
        rules,
        sample=None if options.sample is None else Sample(percent=options.sample),
        keeps_values=options.values,
        private=private,
        top=options.top,
    )
    request = QualityRequest(
        chosen=TableSelection(names=terms_of(names), selection=terms_of(select), exclude=terms_of(exclude)),
        run=run,
        settings=settings,
        rules=rules,
        private=read_patterns(private),
        fail_on=_conditions(options.fail_on, rules),
        against=options.against,
        threads=options.threads,
        deadline=None if options.budget is None else time.monotonic() + options.budget,
    )
    place = QualityLocation(
        database=database, store=options.store or database, project=project, likely=(database.name,)
    )
    return measure_request(place, request)


def _conditions(given: str | Sequence[FailOn | str], rules: QualityRules | None) -> tuple[FailOn, ...]:
    """Return the conditions *given* as texts or parsed."""
    several = [given] if isinstance(given, str) else list(given)
    texts = [one for one in several if isinstance(one, str)]
    parsed = [one for one in several if isinstance(one, FailOn)]
    return (*parsed, *(fail_conditions(texts, rules) if texts else ()))
