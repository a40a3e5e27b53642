"""Small files of the repository that a job has read, for the tasks that follow it."""

from __future__ import annotations

from sqlalchemy import Connection, delete, exists, insert, select

from recce_meta.errors import UsageError, quoted
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.tables import job_files, jobs

FILES = ("checks.yml", "quality.yml", "recce_meta.yml")
"""Names of the files that are stored."""
LARGEST = 256_000
"""Bytes of a stored file."""


def put_job_file(state: State, job_id: str, name: str, content: str) -> None:
    """Store a file of a job in place of the previous one.

    Raises UsageError for another name than those in `FILES`, and for a file beyond `LARGEST`.
    """
    if name not in FILES:
        raise UsageError(f"Invalid file of a job: {quoted(name)}", hint=f"use one of {', '.join(FILES)}")
    if len(content.encode()) > LARGEST or "\0" in content:
        raise UsageError(
            f"{name} is not a text of at most {LARGEST:,} bytes", hint="split it, or remove what it repeats"
        )
    with state.write() as session:
        # Delete and insert: a stage may run twice.
        session.execute(delete(job_files).filter_by(job_id=job_id, name=name))
        session.execute(insert(job_files).values(job_id=job_id, name=name, content=content))


def read_job_files(state: State, job_id: str) -> dict[str, str]:
    """Return the content of the files of a job by name; empty if it has none.

    A job whose run was stored already has read nothing: its files are those of the job that recorded the run.
    """
    own = select(jobs.c.connection_id, jobs.c.run_id).where(jobs.c.id == job_id)
    with state.read() as session:
        found = _files_of(session, job_id)
        job = session.execute(own).first()
        if found or job is None or job.run_id is None:
            return found
        recorders = (
            select(jobs.c.id)
            .where(jobs.c.connection_id == job.connection_id, jobs.c.run_id == job.run_id)
            .where(exists().where(job_files.c.job_id == jobs.c.id))
            .order_by(jobs.c.row.desc())
        )
        recorder = session.scalar(recorders.limit(1))
        return {} if recorder is None else _files_of(session, recorder)


def _files_of(session: Connection, job_id: str) -> dict[str, str]:
    query = select(job_files.c.name, job_files.c.content).filter_by(job_id=job_id)
    return {row.name: row.content for row in session.execute(query.order_by(job_files.c.name))}
