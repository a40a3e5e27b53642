"""Tiers of both sides of a pull request: a base is read without dbt if its head cannot be read with dbt."""

from __future__ import annotations

from recce_meta.errors import UnknownNameError
from recce_meta.models.run import ExtractionTier
from recce_meta.repositories.dbt.outcome import DbtFailure
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.jobs import get_job
from recce_meta.repositories.types import ExtractionJob, JobSource, JobStatus
from recce_meta.repositories.workflow import JobRun

REFUSALS = frozenset(failure.value for failure in DbtFailure) - {DbtFailure.ENVIRONMENT.value}
"""Kinds of failures of dbt that are due to the commit, or to the settings of the connection."""


def is_refused(job: ExtractionJob) -> bool:
    """Return True if dbt ran, and refused the commit: not if dbt or its adapter cannot be had."""
    return job.fallback is not None and job.failure in REFUSALS


def why_without_dbt(state: State, run: JobRun) -> str | None:
    """Return why the merge base of *run* is read without dbt; None if dbt reads it.

    Only what both sides have can be compared. A head that dbt refuses is not compared at all.
    """
    request = run.pull_request
    is_base = run.job.source is JobSource.MERGE_BASE and not run.connection.requires_dbt
    if not is_base or request is None or request.head_job is None:
        return None
    try:
        head = get_job(state, request.head_job)
    except UnknownNameError:  # the connection was removed with its jobs
        return None
    if not _is_without_dbt(head):
        return None
    return f"the head of pull request {request.number} was read without dbt: {head.fallback or 'unknown'}"


def needs_lower_base(head: ExtractionJob, base: ExtractionJob) -> bool:
    """Return True if *base* was read with dbt, *head* without, and another job of the base can change that.

    A base that began after the end of its head had its chance: another job would read it with dbt again.
    """
    return (
        _is_without_dbt(head)
        and base.tier is ExtractionTier.GOLD
        and base.started_at is not None
        and head.ended_at is not None
        and base.started_at < head.ended_at
    )


def _is_without_dbt(head: ExtractionJob) -> bool:
    is_lower = head.status is JobStatus.SUCCESS and head.tier is ExtractionTier.SILVER
    return is_lower and not is_refused(head)
