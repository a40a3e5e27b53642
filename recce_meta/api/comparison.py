"""An open comparison of two runs or tables: what the commands and the functions of Python do with it.

Runs are chosen and connections opened by the caller; statistics, data diffs, checks and their storage are
the same for both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.data.execution import DataDiffRunner
from recce_meta.api.data.jobs import NodePair
from recce_meta.api.run_reader import folder_of
from recce_meta.api.runs import RunPair
from recce_meta.config.nodes import NodeGlobs
from recce_meta.errors import UsageError
from recce_meta.lazy import LazyModule
from recce_meta.models import RunMetadata
from recce_meta.models.checks import AnyCheck, CheckReport
from recce_meta.models.data_diff import AnyDataDiff
from recce_meta.models.run import RunChoice
from recce_meta.quality.masking import mask_checks, mask_results
from recce_meta.quality.privacy import Privacy
from recce_meta.store.select import RunSelector
from recce_meta.store.session import refuse_newer

if TYPE_CHECKING:
    from recce_meta.api import checks as checking
    from recce_meta.api.data import changed_data
    from recce_meta.api.data import statistics as run_statistics
    from recce_meta.api.render import Templates
    from recce_meta.store import check_results, data_diffs
else:
    checking = LazyModule("recce_meta.api.checks")
    changed_data = LazyModule("recce_meta.api.data.changed_data")
    run_statistics = LazyModule("recce_meta.api.data.statistics")
    check_results = LazyModule("recce_meta.store.check_results")
    data_diffs = LazyModule("recce_meta.store.data_diffs")

Statistics: TypeAlias = "tuple[run_statistics.StatisticsByNode, run_statistics.StatisticsByNode]"
"""Statistics stored with the run of base, and with that of current."""


class Comparison(Struct, frozen=True, kw_only=True):
    """Chosen runs, open connections, and the settings of their comparison."""

    store: Callable[[], UnifiedSqlAdapter]
    """Returns the store's adapter, opened on first use."""
    schema: str
    runner: DataDiffRunner
    runs: RunPair | None = None
    """The two runs; None if the caller names the relations."""
    selectors: tuple[RunSelector | None, RunSelector | None] = (None, None)
    chosen: RunChoice | None = None
    """How the two runs were chosen; None without runs."""
    globs: NodeGlobs = ()
    """Settings of nodes in the configuration."""
    privacy: Privacy | None = None

    @property
    def choice(self) -> RunChoice | None:
        """How the two runs were chosen, with a note if the queries so far may have seen several moments."""
        return None if self.chosen is None else self.runner.noted(self.chosen)

    @property
    def recorded(self) -> tuple[RunMetadata | None, RunMetadata | None]:
        """The runs of base and current; None for a run that is not recorded."""
        if self.runs is None:
            return None, None
        base, current = map(folder_of, self.selectors)
        return None if base else self.runs.base.run, None if current else self.runs.current.run

    def refuse_newer_store(self) -> None:
        """Raise StoreError, before any comparison, if the store is newer than this recce_meta can write."""
        refuse_newer(self.store(), self.schema)

    def statistics(self, pairs: Sequence[NodePair]) -> Statistics:
        """Return the statistics of *pairs* stored with each run; none if both runs are on disk."""
        if self.runs is None or all(map(folder_of, self.selectors)):
            return {}, {}
        return run_statistics.load_stored_statistics(
            self.store(), self.runs, pairs, self.selectors, self.schema
        )

    def data_of(
        self,
        pairs: Sequence[NodePair],
        options: NodeGlobs,
        max_rows: int | None,
        tell: Callable[[int, int], None],
    ) -> list[AnyDataDiff]:
        """Return the data diffs of *pairs*, without private values; *options* precede the configuration."""
        assert self.runs is not None, "no tables are named"
        privacy = self.privacy
        limits = changed_data.ValueLimits(
            with_values=privacy is None or privacy.keeps_values, max_rows=max_rows
        )
        kept = self.statistics(pairs)
        found = changed_data.data_of_diff(
            self.runner, self.runs, pairs, tell, kept=kept, limits=limits, options=options
        )
        return mask_results(found, privacy)

    def check(
        self,
        checks: Sequence[AnyCheck],
        path: Path,
        templates: Templates,
        tell: Callable[[int, int, str], None] = lambda _done, _of, _name: None,
    ) -> CheckReport:
        """Run *checks*, read from *path*; private values must not leave this function."""
        if self.runs is None:
            raise UsageError("Checks cannot be combined with --tables", hint="remove --tables")
        runner = checking.CheckRunner(self.runner, self.runs, templates, self.globs)
        found = checking.run_checks(checks, runner, tell, path=str(path))
        return replace(mask_checks(found, self.privacy), choice=self.choice)

    def save(self, results: Sequence[AnyDataDiff]) -> int:
        """Store *results* with the runs, failed and skipped ones too, and return how many there are."""
        base, current = self.recorded
        saved = data_diffs.save_data_diffs(
            self.store(),
            results,
            base_run=base,
            current_run=current,
            taken_at=datetime.now(timezone.utc),
            schema=self.schema,
        )
        return saved.written

    def save_checks(self, report: CheckReport, checks: Sequence[AnyCheck]) -> int:
        """Store the results of *checks* with the runs that they compared; return how many there are."""
        base, current = (None if run is None else run.run_id for run in self.recorded)
        stored = checking.stored_checks(
            report,
            checks,
            base_run_id=base,
            current_run_id=current,
            checked_at=datetime.now(timezone.utc),
        )
        return check_results.save_checks(self.store(), stored, schema=self.schema).written
