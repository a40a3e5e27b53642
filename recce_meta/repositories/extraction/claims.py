"""Claims of connections on projects of a store: a project belongs to one repository."""

from __future__ import annotations

from functools import partial

from msgspec import Struct

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.models import RunMetadata
from recce_meta.repositories.recording import has_run_of
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.jobs import add_event
from recce_meta.repositories.state.projects import (
    OtherRepository,
    claim_project,
    follow_folder,
    holding_project,
)
from recce_meta.repositories.state.types import RepositoryConnection, Stage
from recce_meta.repositories.state.uploads import last_runs
from recce_meta.store.write import Guard


class ProjectClaim(Struct, frozen=True, kw_only=True):
    """Claim of *connection* on the project of *run*.

    *connection* is read once: the store that it names is both the one that is claimed and the one that the
    run is written to, also if its settings change meanwhile.
    """

    state: State
    connection: RepositoryConnection
    job_id: str
    run: RunMetadata

    def make(self, adapter: UnifiedSqlAdapter) -> Guard:
        """Claim the project in the store, and return a guard that holds it while a transaction writes.

        A connection that has recorded the project before continues with a line in the log, if another folder
        of its repository has recorded it that no connection follows, or if owners were not known then. Raises
        OtherRepository if the project belongs to another repository; the guard does so if it was handed over
        since.
        """
        is_shared = False
        try:
            claim_project(self.state, self.connection, self.run.project_name, self.run.environment)
        except OtherRepository as error:
            runs = last_runs(self.state, self.connection.id)
            if not has_run_of(adapter, runs, self.run):
                raise
            if follow_folder(self.state, self.connection, self.run.project_name, error.owner):
                self._log(f"{self.run.project_name} has moved from {error.owner}")
                return self.make(adapter)
            if not error.may_share:
                raise
            is_shared = True
            self._log(f"{error.message}, and the histories of both are mixed")
        return partial(
            holding_project,
            self.state, self.connection, self.run.project_name, self.run.environment, is_shared=is_shared,
        )  # fmt: skip

    def _log(self, message: str) -> None:
        add_event(self.state, self.job_id, Stage.STORE, "log", message)
