"""Implementation of `quality`: measures tables, or shows stored measurements."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.api.quality import (
    QualityLocation,
    QualityRequest,
    fail_conditions,
    measure_request,
    measured_project,
    quality_history,
    quality_queries,
    refuse_failing,
    rules_of,
    settings_of,
    show_quality,
)
from recce_meta.api.quality_tables import TableSelection
from recce_meta.cli.notifications import Outbox, Receivers
from recce_meta.cli.options import progress, say, show, write
from recce_meta.cli.run.scan import Database, OpenDatabase
from recce_meta.errors import UsageError
from recce_meta.models.quality import FailOn, QualityRules, QualityRun, Sample
from recce_meta.models.rows import ResultList
from recce_meta.quality.compare import QualityResult
from recce_meta.quality.privacy import read_patterns
from recce_meta.store.quality import list_quality_runs


class QualityOptions(Struct, frozen=True, kw_only=True):
    """Options of `quality`, except for the database."""

    nodes: tuple[str, ...]
    selection: tuple[str, ...]
    selector: str | None
    project: str | None
    sample: tuple[float | None, int | None] | None
    seed: int
    top_k: int
    no_values: bool
    private: tuple[str, ...]
    metrics: Path | None
    fail_on: tuple[str, ...]
    allow_empty: bool
    against: str | None
    threads: int | None
    budget: float | None
    show_sql: bool
    shown: str | None
    history: bool
    limit: int
    output: Path | None
    style: str

    @property
    def rows(self) -> Sample | None:
        """Return the rows to sample; None for all."""
        if self.sample is None:
            return None
        percent, rows = self.sample
        return Sample(percent=percent, rows=rows, seed=self.seed)


def quality(database: Database, options: QualityOptions, receivers: Receivers) -> None:
    """Measure tables, or show stored measurements."""
    _refuse_combined(options)
    outbox = receivers.read()
    if outbox.addresses and (options.history or options.shown is not None or options.show_sql):
        raise UsageError("--notify is for new measurements", hint="remove --show, --history or --sql")
    if options.history:
        _show_history(database, options)
    elif options.shown is not None:
        _show(database, options, outbox)
    else:
        _measure(database, options, outbox)


def _refuse_combined(options: QualityOptions) -> None:
    """Raise UsageError for options that have no effect with --show or --history."""
    if options.shown is not None and options.history:
        raise UsageError("--show cannot be combined with --history", hint="use one of them")
    reading = "--history" if options.history else "--show" if options.shown is not None else None
    if reading is None:
        return
    measuring = {
        "--select": options.selection,
        "--run": options.selector,
        "--sample": options.sample,
        "--no-values": options.no_values,
        "--private": options.private,
        "--budget": options.budget,
        "--sql": options.show_sql,
        "--allow-empty": options.allow_empty,
        "--fail-on": options.history and options.fail_on,
        "--against": options.history and options.against,
    }
    wrong = [option for option, value in measuring.items() if value]
    if wrong:
        raise UsageError(
            f"{reading} reads stored measurements: it cannot be combined with {', '.join(wrong)}"
        )


def _measure(database: Database, options: QualityOptions, outbox: Outbox) -> None:
    rules = rules_of(options.metrics)
    fail_on = fail_conditions(options.fail_on, rules)
    with database.open(writes=not options.show_sql) as opened:
        place = _place(database, opened, options)
        question = _question(opened, options, rules, fail_on)
        question = replace(question, defaults=database.connection.run_defaults())
        with _frozen(), progress("measuring") as tell:
            if options.show_sql:
                queries = quality_queries(place, question, tell)
            else:
                result = measure_request(place, question, tell)
    if options.show_sql:
        write("\n".join(f"-- {query.about}\n{query.sql};\n" for query in queries), options.output)
        return
    if rules is not None and options.metrics is None:
        result = replace(result, notes=(f"Metrics and expectations are from {rules.path}", *result.notes))
    _report(result, options, outbox)


@contextmanager
def _frozen() -> Iterator[None]:
    """Exclude objects that are already loaded from garbage collection, which many queries trigger."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _place(database: Database, opened: OpenDatabase, options: QualityOptions) -> QualityLocation:
    # Measurements of dbt's tables belong to its project, and those of scanned ones to the database.
    likely = (database.connection.own_project(), opened.database.name)
    return QualityLocation(
        database=opened.database,
        store=opened.store,
        project=options.project,
        likely=tuple(name for name in likely if name),
    )


def _question(
    opened: OpenDatabase, options: QualityOptions, rules: QualityRules | None, fail_on: tuple[FailOn, ...]
) -> QualityRequest:
    return QualityRequest(
        chosen=TableSelection(
            names=options.nodes,
            selection=options.selection,
            exclude=opened.scope.exclude,
            scope=opened.scope,
            may_be_empty=options.allow_empty,
        ),
        run=options.selector,
        settings=settings_of(
            rules,
            sample=options.rows,
            keeps_values=not options.no_values,
            private=options.private,
            top=options.top_k,
        ),
        rules=rules,
        private=read_patterns(options.private),
        fail_on=fail_on,
        against=options.against,
        threads=options.threads,
        # The budget includes the time to choose the tables.
        deadline=None if options.budget is None else time.monotonic() + options.budget,
    )


def _show(database: Database, options: QualityOptions, outbox: Outbox) -> None:
    """Report a stored measurement."""
    fail_on = fail_conditions(options.fail_on, rules_of(options.metrics)) if options.fail_on else ()
    with database.open(writes=False) as opened:
        result = show_quality(
            opened.store,
            options.shown or "latest",
            options.nodes,
            against=options.against,
            fail_on=fail_on,
            project=measured_project(_place(database, opened, options)),
        )
    _report(result, options, outbox)


def _show_history(database: Database, options: QualityOptions) -> None:
    """Report the stored measurements of one table or column, or list all measurements."""
    if len(options.nodes) > 1:
        raise UsageError(
            f"--history takes one table or column, got {len(options.nodes)}",
            hint="name one table or column, or none to list all measurements",
        )
    with database.open(writes=False) as opened:
        if options.nodes:
            history = quality_history(
                opened.store,
                options.nodes[0],
                project=measured_project(_place(database, opened, options)),
                limit=options.limit,
            )
            found: Any = history
        else:
            runs = list_quality_runs(
                opened.store, project=options.project, limit=options.limit, with_failed=True
            )
            found = ResultList(QualityRun, runs)
    show(found, options.style, options.output)


def _report(result: QualityResult, options: QualityOptions, outbox: Outbox) -> None:
    """Write the report, print notes and violations that it lacks, and raise an error as --fail-on says."""
    show(result, options.style, options.output)
    if options.style != "table" or options.output is not None:
        for note in result.notes:
            say(f"note: {note}")
        for violation in result.violations:
            say(violation.message)
    unsent = outbox.send("recce_meta.report.review.notices:quality_notice", result)
    refuse_failing(result, is_new=options.shown is None)
    outbox.refuse(unsent)
