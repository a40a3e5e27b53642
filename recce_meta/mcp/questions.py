"""Runs that tools ask about, with the defaults of the command line."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.browse.diffs import PairReport, pair_report
from recce_meta.api.diff import DiffQuestion
from recce_meta.api.diff import diff as diff_runs
from recce_meta.api.kept_diffs import KeptDiffs
from recce_meta.api.public.settings import selections_of
from recce_meta.api.run_choice import RunDefaults, SelectedRuns, read_defaults, select_run, select_runs
from recce_meta.api.run_reader import StoredRunReader, folder_of
from recce_meta.config.file import NO_CONFIG, Config
from recce_meta.errors import UsageError
from recce_meta.lazy import LazyModule
from recce_meta.mcp.stores import AgentStore
from recce_meta.models import RunMetadata
from recce_meta.models.run import WORKING_TREE
from recce_meta.profiles import find_project_dir
from recce_meta.quality.privacy import Privacy
from recce_meta.store.select import resolve_run

if TYPE_CHECKING:
    from recce_meta.api.data import preview as previews
    from recce_meta.api.data.preview import Edits
else:  # most servers run no queries
    previews = LazyModule("recce_meta.api.data.preview")


NOT_ALLOWED = "started without --allow-values"


class AgentSettings(Struct, frozen=True, kw_only=True):
    """What the command line decides for all calls."""

    project: str | None = None
    """Project of the runs; None for the only one of the store."""
    project_dir: Path | None = None
    """Folder of dbt_project.yml, whose git branch decides the default runs; None for the current folder."""
    config: Config = NO_CONFIG
    allows_queries: bool = False
    """Whether tools may run queries in the warehouse."""
    privacy: Privacy | None = Privacy(keeps_values=False, why=NOT_ALLOWED)
    """Values that answers withhold; None if they show every value."""
    data_target: str | None = None
    base_target: str | None = None
    """Targets or URLs of the data of both sides; None for the store's database."""
    connect_data: Callable[[str], UnifiedSqlAdapter] | None = None
    """Returns the adapter of a target or URL."""

    @property
    def shows_values(self) -> bool:
        """True if answers may have values of columns."""
        return self.privacy is None or self.privacy.keeps_values


class Questions:
    """Questions about runs of one store. An empty selector is the default of the command line."""

    def __init__(self, store: AgentStore, settings: AgentSettings) -> None:
        """Ask *store* with *settings*."""
        self.store, self.settings = store, settings
        self._diffs = KeptDiffs()

    def report(self, adapter: UnifiedSqlAdapter, base: str, current: str, select: str = "") -> PairReport:
        """Return the diff of two runs, and what is stored about it; *select* limits it in dbt's grammar.

        *current* may be WORKING_TREE: the files of the project that the server runs in, which need no build.
        """
        if current == WORKING_TREE:
            if select:
                raise UsageError("select does not apply to the working tree", hint="leave select out")
            return _of_files(self.edits(lambda: adapter, base))
        chosen = self.pair(adapter, base, current)
        config = self.settings.config
        question = DiffQuestion((select,) if select else config.select, config.exclude)
        sides = chosen.base.selector, chosen.current.selector
        with selections_of(config):
            found = diff_runs(lambda: adapter, *sides, question=question, kept=self._diffs)
        return pair_report(adapter, replace(found, choice=chosen.choice))

    def pair(
        self, adapter: UnifiedSqlAdapter, base: str, current: str, *, of_data: bool = False
    ) -> SelectedRuns:
        """Return the runs of both sides; with *of_data*, their choice has notes on the data."""
        config = self.settings.config
        return select_runs(
            lambda: adapter,
            _stored(base) or config.base,
            _stored(current) or config.current,
            defaults=self._defaults(),
            project=self.settings.project,
            of_data=of_data,
        )

    def run(self, adapter: UnifiedSqlAdapter, selector: str) -> RunMetadata:
        """Return the run that *selector* names, else the default of a command that reads one run."""
        project = self.settings.project
        if _stored(selector):
            return resolve_run(adapter, selector, project=project)
        found = select_run(lambda: adapter, defaults=self._defaults(), project=project)
        assert found.run is not None
        return found.run

    def reader(self, adapter: UnifiedSqlAdapter, selector: str) -> StoredRunReader:
        """Return a reader of the run that *selector* names."""
        return StoredRunReader(adapter, self.run(adapter, selector))

    def edits(self, store: Callable[[], UnifiedSqlAdapter], base: str) -> Edits:
        """Return the edits of the project that the server runs in, since the run that *base* names.

        Raises UsageError if it runs in none.
        """
        settings = self.settings
        root = find_project_dir(settings.project_dir)
        if root is None:
            raise UsageError(
                "The server runs in no dbt project", hint="start recce-meta mcp with --project-dir DIR"
            )
        selector = _stored(base) or settings.config.base
        return previews.read_edits(store, selector, root, defaults=self._defaults(), project=settings.project)

    def _defaults(self) -> RunDefaults:
        settings = self.settings
        return read_defaults(settings.project_dir, os.environ, base_branch=settings.config.base_branch)


def _of_files(edits: Edits) -> PairReport:
    """Return the diff of *edits*; nothing is stored about files."""
    found, edited = edits.preview().diff, edits.edited
    problems = [f"{unique_id}: {why}" for unique_id, why in edited.problems.items()]
    notes = (*edited.notes, *problems, *found.notes)
    diff = replace(found, choice=edits.choice, notes=notes)
    return PairReport(diff=diff, data=(), data_taken_at=None, checks=())


def _stored(selector: str) -> str | None:
    """Return *selector*, None for an empty one. Raises UsageError for a folder."""
    # An agent chooses the selector, and files of the machine are not part of the store.
    if folder_of(selector or None) is not None:
        raise UsageError(
            "path: is not available here", hint="name a recorded run, such as prod or branch:main"
        )
    return selector or None
