"""Claim of a job or an upload on the project of its run, which no other repository may record."""

from __future__ import annotations

from msgspec import Struct

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.models import RunMetadata
from recce_meta.repositories.recording import has_run_of
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.jobs import add_event
from recce_meta.repositories.state.projects import OtherRepository, claim_project
from recce_meta.repositories.state.uploads import last_runs
from recce_meta.repositories.types import RepositoryConnection, Stage


class ProjectClaim(Struct, frozen=True, kw_only=True):
    """Claim of *connection* on the project of *run*.

    *connection* is read once: the store that it names is both the one that is claimed and the one that the
    run is written to, also if its settings change meanwhile.
    """

    state: State
    connection: RepositoryConnection
    job_id: str
    run: RunMetadata

    def make(self, adapter: UnifiedSqlAdapter, schema: str) -> None:
        """Claim the project in the store; raise OtherRepository if it belongs to another repository.

        A connection that has recorded it before owners were known continues, with a line in the log.
        """
        try:
            claim_project(self.state, self.connection, self.run.project_name, self.run.environment)
        except OtherRepository as error:
            runs = last_runs(self.state, self.connection.id)
            if not error.may_share or not has_run_of(adapter, schema, runs, self.run):
                raise
            message = f"{error.message}, and the histories of both are mixed"
            add_event(self.state, self.job_id, Stage.STORE, "log", message)
