"""Tiers of both sides of a pull request: a base is read without dbt if its head cannot be read with dbt."""

from __future__ import annotations

from recce_meta.errors import UnknownNameError
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.jobs import get_job, is_without_dbt
from recce_meta.repositories.state.types import JobSource
from recce_meta.repositories.workflow import JobRun


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
    if not is_without_dbt(head):
        return None
    return f"the head of pull request {request.number} was read without dbt: {head.fallback or 'unknown'}"
