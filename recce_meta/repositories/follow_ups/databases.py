"""What follows a job of a database: notifications of a changed schema, and of failed conditions."""

from __future__ import annotations

from collections.abc import Sequence

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.quality import fail_conditions, show_quality
from recce_meta.errors import SelectorError
from recce_meta.report.review.notices import Notice, quality_notice, schema_notice
from recce_meta.repositories.follow_ups.context import TaskContext
from recce_meta.repositories.follow_ups.events import Event, EventKind
from recce_meta.repositories.types import SCAN, ExtractionJob, RepositoryConnection, run_id_of_job


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
        notice = await _conditions(context, connection, job)
        if notice is not None and before is not None:
            known = await _conditions(context, connection, before)
            notice = None if known is not None and known.lines == notice.lines else notice
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


async def _conditions(
    context: TaskContext, connection: RepositoryConnection, job: ExtractionJob
) -> Notice | None:
    """Return the conditions of *connection* that the measurement of *job* meets; None if it was removed."""
    fail_on: Sequence[str] = connection.fail_on

    def read(adapter: UnifiedSqlAdapter, schema: str) -> Notice | None:
        conditions = fail_conditions(fail_on, None)
        return quality_notice(show_quality(adapter, run_id_of_job(job.id), fail_on=conditions, schema=schema))

    try:
        return await context.stores.read(connection.store, read) if fail_on else None
    except SelectorError:  # it was pruned meanwhile
        return None
