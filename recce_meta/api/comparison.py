"""A comparison of the data of two runs or tables: for commands, Python, pages, agents and repositories alike.

A caller chooses the runs and opens the adapters of the data. Connections, budget, privacy, stored statistics,
data diffs, checks, notes and the storage of results are here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.data.execution import Around, DataDiffRunner, Job, open_data_diff_runner
from recce_meta.api.data.jobs import NodePair, explaining
from recce_meta.api.run_reader import folder_of
from recce_meta.api.runs import RunPair, columns_upstream
from recce_meta.config.nodes import NodeGlobs
from recce_meta.data_diff.plan import Plan
from recce_meta.data_diff.row_sample import RowSample
from recce_meta.errors import QueryCancelled, UsageError
from recce_meta.lazy import LazyModule
from recce_meta.models import RunMetadata
from recce_meta.models.checks import AnyCheck, CheckReport
from recce_meta.models.data_diff import AnyDataDiff, Moment, QueryDiff, RowCountDiff
from recce_meta.models.run import RunChoice
from recce_meta.quality.masking import mask_results, mask_sample
from recce_meta.quality.privacy import Privacy
from recce_meta.sql_lineage.project.names import dialect_of
from recce_meta.store.select import RunSelector
from recce_meta.store.session import refuse_newer

if TYPE_CHECKING:
    from recce_meta.api import checks as checking
    from recce_meta.api.data import changed_data, requests
    from recce_meta.api.data import statistics as run_statistics
    from recce_meta.api.render import Templates
    from recce_meta.quality import private_outputs
    from recce_meta.store import check_results, data_diffs
else:
    checking = LazyModule("recce_meta.api.checks")
    changed_data = LazyModule("recce_meta.api.data.changed_data")
    requests = LazyModule("recce_meta.api.data.requests")
    run_statistics = LazyModule("recce_meta.api.data.statistics")
    private_outputs = LazyModule("recce_meta.quality.private_outputs")
    check_results = LazyModule("recce_meta.store.check_results")
    data_diffs = LazyModule("recce_meta.store.data_diffs")

BY_NAMES = "Private columns of {} are known by their names alone: its run has no column lineage"
Statistics: TypeAlias = "tuple[run_statistics.StatisticsByNode, run_statistics.StatisticsByNode]"
"""Statistics stored with the run of base, and with that of current."""


@dataclass(kw_only=True)
class Comparison:
    """Chosen runs, adapters of their data, and the settings of their comparison.

    As a context manager it closes the connections that it opened; the caller closes the adapters.
    """

    store: Callable[[], UnifiedSqlAdapter]
    """Returns the store's adapter, opened on first use."""
    current: UnifiedSqlAdapter
    """Adapter of the data of current."""
    base: UnifiedSqlAdapter | None = None
    """Adapter of the data of base; None if that of current reads both."""
    threads: int | None = None
    """Number of concurrent queries; None for that of the profile."""
    budget: float | None = None
    """Seconds after the first query at which queries are cancelled."""
    around: Around | None = None
    """Returns the context of each query."""
    is_confined: bool = False
    """True if SQL of checks may only read, and may not see the host."""
    runs: RunPair | None = None
    """The two runs; None if the caller names the relations."""
    selectors: tuple[RunSelector | None, RunSelector | None] = (None, None)
    chosen: RunChoice | None = None
    """How the two runs were chosen; None without runs."""
    globs: NodeGlobs = ()
    """Settings of nodes in the configuration."""
    base_at: Moment | None = None
    """Moment at which the tables of base are read; None for now."""
    privacy: Privacy | None = None

    def __enter__(self) -> Comparison:
        return self

    def __exit__(self, *_: object) -> None:
        # Without a query, such as after an error, nothing was opened.
        if "runner" in vars(self):
            self.runner.close()

    @cached_property
    def runner(self) -> DataDiffRunner:
        """Connections to the data of both sides; the clock of the budget starts with them."""
        return open_data_diff_runner(
            self.current,
            self.base,
            threads=self.threads,
            deadline=None if self.budget is None else time.monotonic() + self.budget,
            hides_values=self.privacy is not None,
            around=self.around,
            base_at=self.base_at,
        )

    @property
    def choice(self) -> RunChoice | None:
        """How the two runs were chosen, with notes on what the queries so far saw."""
        if self.chosen is None:
            return None
        return replace(self.chosen, notes=(*self.chosen.notes, *self.runner.notes, *self._privacy_notes))

    @property
    def recorded(self) -> tuple[RunMetadata | None, RunMetadata | None]:
        """The runs of base and current; None for a run that is not recorded."""
        if self.runs is None:
            return None, None
        base, current = map(folder_of, self.selectors)
        return None if base else self.runs.base.run, None if current else self.runs.current.run

    def refuse_newer_store(self) -> None:
        """Raise StoreError, before any comparison, if the store is newer than this recce_meta can write."""
        refuse_newer(self.store())

    def statistics(self, pairs: Sequence[NodePair]) -> Statistics:
        """Return the statistics of *pairs* stored with each run; none if both runs are on disk.

        Nor if base is read at a moment, which is not that of its run.
        """
        if self.runs is None or self.base_at is not None or all(map(folder_of, self.selectors)):
            return {}, {}
        return run_statistics.load_stored_statistics(self.store(), self.runs, pairs, self.selectors)

    def run(self, jobs: Sequence[Job]) -> list[AnyDataDiff]:
        """Return the results of *jobs*, without private values.

        Of several, one that fails is a Failed. A single one raises its own error, with the statement. Without
        runs, the results have the notes of `choice`.
        """
        found = [self.runner.run(jobs[0].plan())] if len(jobs) == 1 else self.runner.run_all(jobs)
        if self.chosen is None and (notes := self.runner.notes):
            found = [replace(result, notes=(*result.notes, *notes)) for result in found]
        return self._masked(found)

    def run_each(self, jobs: Sequence[Job], private: Mapping[str, Privacy]) -> list[AnyDataDiff]:
        """Return the result of each of *jobs*, without private values; one that fails is a Failed.

        *private* has the privacy of nodes that is not that of all results, by unique id.
        """
        found = zip(jobs, self.runner.run_all(jobs), strict=True)
        return [
            masked
            for job, result in found
            for masked in mask_results([result], private.get(job.subject.unique_id or "", self.privacy))
        ]

    def planned(
        self, request: requests.DataDiffRequest, project_dir: Path | None = None
    ) -> requests.PlannedDiff:
        """Return the plan of *request*; everything that it needs of the store is read now.

        *project_dir* contains dbt_project.yml, for variables of templates. Raises UsageError, SelectorError
        for an unknown node, TemplateError, and InvalidNodeSettings.
        """
        assert self.runs is not None, "no tables are named"
        rules = requests.RequestRules(privacy=self.privacy, globs=self.globs, project_dir=project_dir)
        return requests.plan_request(
            request, self.runs, self.runner.places, self.current.warehouse, self.statistics, rules
        )

    def answer(self, plan: Plan[requests.AnyAnswer]) -> requests.AnyAnswer:
        """Return the result of *plan*, without private values."""
        found = self.runner.run(plan)
        if isinstance(found, RowSample):
            private = privacy_by_node([found], self.privacy, self.runs)
            return mask_sample(found, private.get(found.subject.unique_id, self.privacy))
        return self._masked([found])[0]

    def data_of(
        self,
        pairs: Sequence[NodePair],
        options: NodeGlobs,
        max_rows: int | None,
        tell: Callable[[int, int], None],
        *,
        is_partial: bool = False,
        explains: bool = False,
    ) -> list[AnyDataDiff]:
        """Return the data diffs of *pairs*, without private values; *options* precede the configuration.

        With *explains*, values that differ are explained, if values are compared at all.
        With *is_partial*, a comparison that is cancelled returns the results that it has.
        """
        assert self.runs is not None, "no tables are named"
        privacy = self.privacy
        with_values = privacy is None or privacy.keeps_values
        why = explaining(privacy) if explains and with_values else None
        limits = changed_data.ValueLimits(with_values=with_values, max_rows=max_rows, why=why, globs=options)
        kept = self.statistics(pairs)
        done: list[AnyDataDiff] = []
        try:
            found = changed_data.data_of_diff(
                self.runner,
                self.runs,
                pairs,
                tell,
                kept=kept,
                limits=limits,
                on_result=done.append,
            )
        except QueryCancelled:
            if not (is_partial and done):
                raise
            found = done
        return self._masked(found)

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
        confined_by = self.current.warehouse if self.is_confined else None
        keeps_values = self.privacy is None or self.privacy.keeps_values
        why = explaining(self.privacy) if keeps_values else None
        runner = checking.CheckRunner(self.runner, self.runs, templates, self.globs, confined_by, why)
        found = checking.run_checks(checks, runner, tell, path=str(path))
        return replace(checking.mask_checks(found, checks, self._masked), choice=self.choice)

    def _masked(self, results: Sequence[AnyDataDiff]) -> list[AnyDataDiff]:
        return masked(results, self.privacy, self.runs)

    @property
    def _privacy_notes(self) -> list[str]:
        """A note for each run whose private columns are known by their names alone."""
        if self.runs is None or self.privacy is None or not self.privacy.keeps_values:
            return []
        sides = {"base": self.runs.base, "current": self.runs.current}
        return [BY_NAMES.format(side) for side, run in sides.items() if not run.has_columns]

    def save(self, results: Sequence[AnyDataDiff]) -> int:
        """Store *results* with the runs, failed and skipped ones too, and return how many there are."""
        base, current = self.recorded
        saved = data_diffs.save_data_diffs(
            self.store(), results, base_run=base, current_run=current, taken_at=datetime.now(timezone.utc)
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
        return check_results.save_checks(self.store(), stored).written


def masked(
    results: Sequence[AnyDataDiff], privacy: Privacy | None, runs: RunPair | None
) -> list[AnyDataDiff]:
    """Return *results* without private values; with *runs*, those that are private by column lineage, too."""
    private = privacy_by_node(results, privacy, runs)
    found: list[AnyDataDiff] = []
    for one in results:
        rules = private.get(_node_of(one), privacy)
        if isinstance(one, QueryDiff) and rules is not None and rules.keeps_values:
            sides = (None, None) if runs is None else (runs.base.run, runs.current.run)
            dialects = [dialect_of(side.adapter_type if side else None) for side in sides]
            rules = private_outputs.of_query(one, rules, dialects)
        found += mask_results([one], rules)
    return found


def privacy_by_node(
    results: Sequence[AnyDataDiff | RowSample], privacy: Privacy | None, runs: RunPair | None
) -> Mapping[str | None, Privacy]:
    """Return *privacy* for the nodes of *results*, with the columns that are private by lineage of *runs*.

    A query may read any node: None has the privacy of queries, with the private columns of all.
    """
    if not results or runs is None or privacy is None or not privacy.keeps_values:
        return {}
    ids = {one for one in map(_node_of, results) if one is not None}
    is_of_query = any(isinstance(one, QueryDiff) for one in results)
    ids |= runs.names.keys() if is_of_query else set()
    sides = columns_upstream((runs.base, runs.current), ids)
    by_node = private_outputs.with_private_outputs(privacy, ids, sides)
    found: dict[str | None, Privacy] = dict(by_node.items())
    if is_of_query:
        hidden = privacy.columns.union(*(one.columns for one in by_node.values()))
        found[None] = replace(privacy, columns=hidden)
    return found


def _node_of(result: AnyDataDiff | RowSample) -> str | None:
    """Return the unique id of the node of *result*; None if it has none, or no values."""
    return None if isinstance(result, RowCountDiff) else result.subject.unique_id
