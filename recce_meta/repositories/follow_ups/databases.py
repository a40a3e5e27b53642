"""What follows a job of a database: notifications of a changed schema, and of failed conditions."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.quality import fail_conditions, show_quality
from recce_meta.errors import SelectorError
from recce_meta.quality.compare import QualityResult
from recce_meta.quality.figures import Violation
from recce_meta.report.review.notices import quality_notice, schema_notice
from recce_meta.repositories.follow_ups.context import TaskContext
from recce_meta.repositories.follow_ups.events import Event, EventKind
from recce_meta.repositories.state.types import SCAN, ExtractionJob, RepositoryConnection, run_id_of_job


async def database_events(
    context: TaskContext, connection: RepositoryConnection, job: ExtractionJob, before: ExtractionJob | None
) -> list[Event]:
    """Return the events of *job*, which succeeded as *before* did, the last one of its kind.

    What is as it was then is not an event. Of a first scan, there is none.
    """
    if job.branch == SCAN:
        if before is None or before.run_id is None or job.run_id is None or before.run_id == job.run_id:
            return []
        notice = schema_notice(await context.diff(connection.store, before.run_id, job.run_id))
        kind, url = EventKind.SCHEMA, context.links.diff(connection.store, before.run_id, job.run_id)
    else:
        result = await _measured(context, connection, job)
        if result is None or not result.violations:
            return []
        known = None if before is None else await _measured(context, connection, before)
        old = set() if known is None else set(map(_condition, known.violations))
        new = tuple(one for one in result.violations if _condition(one) not in old)
        notice = quality_notice(replace(result, violations=new))
        kind, url = EventKind.QUALITY, context.links.job(job)
    if notice is None:
        return []
    return [
        Event(
            kind=kind,
            job_id=job.id,
            connection=connection.name,
            branch=job.branch,
            title=notice.title,
            lines=tuple(context.scrub(connection, line) for line in notice.lines),
            url=url,
        )
    ]


def _condition(met: Violation) -> tuple[str | None, ...]:
    """Return what identifies a condition that is met, without its values."""
    return met.unique_id, met.column, met.figure, met.condition


async def _measured(
    context: TaskContext, connection: RepositoryConnection, job: ExtractionJob
) -> QualityResult | None:
    """Return the measurement of *job*, judged by the conditions of *connection*; None if it was removed."""
    fail_on: Sequence[str] = connection.fail_on

    def read(adapter: UnifiedSqlAdapter, schema: str) -> QualityResult:
        conditions = fail_conditions(fail_on, None)
        return show_quality(adapter, run_id_of_job(job.id), fail_on=conditions, schema=schema)

    try:
        return await context.stores.read(connection.store, read) if fail_on else None
    except SelectorError:  # it was pruned meanwhile
        return None
