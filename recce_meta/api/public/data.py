"""Functions that compare the data of two runs: the nodes that a diff changed, and files of checks."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api import checks as checks_api
from recce_meta.api.checks import CheckRunner, default_check_file, stored_checks
from recce_meta.api.data.changed_data import ValueLimits, data_of_diff
from recce_meta.api.data.execution import DataDiffRunner, open_data_diff_runner
from recce_meta.api.data.jobs import NodePair, selected_pairs
from recce_meta.api.data.statistics import StatisticsByNode, load_stored_statistics
from recce_meta.api.diff import DiffQuestion, diff_of_pair
from recce_meta.api.public.runs import choose_runs, open_pair, question_of
from recce_meta.api.public.settings import (
    configured,
    effective_privacy,
    read_globs,
    refuse_unmatched,
    selections_of,
    with_unmatched,
)
from recce_meta.api.render import Templates
from recce_meta.api.run_choice import SelectedRuns, with_builds
from recce_meta.api.run_reader import folder_of
from recce_meta.api.runs import RunPair
from recce_meta.checks.file import read_check_file
from recce_meta.config.file import Config
from recce_meta.config.nodes import NodeGlobs, NodeSettings
from recce_meta.errors import UsageError
from recce_meta.models import RunDiff
from recce_meta.models.checks import CheckReport
from recce_meta.models.data_diff import AnyDataDiff, RowCount, RowCountDiff
from recce_meta.models.rows import RowTable, Tabular
from recce_meta.models.run import RunChoice
from recce_meta.quality.masking import mask_checks, mask_results
from recce_meta.quality.privacy import Privacy
from recce_meta.report.data.summary import ASPECTS, NodeSummary, summarise_nodes
from recce_meta.store.check_results import save_checks
from recce_meta.store.data_diffs import save_data_diffs
from recce_meta.store.session import refuse_newer
from recce_meta.store.sql_files import DEFAULT_SCHEMA
from recce_meta.tables.results import CHANGES, node_row, nodes_of
from recce_meta.tables.rows import joined


class DataComparison(Tabular, frozen=True, kw_only=True):
    """Result of `diff_data`: changes of the project, and diffs of the data of changed and affected nodes.

    Its rows are those of the diff, with the outcome of their data diffs; nodes that did not change and are
    not affected follow.
    """

    diff: RunDiff
    """Changes of the project."""
    data: tuple[AnyDataDiff, ...]
    """Row counts of all nodes, and schema and values of each."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences about what could not be compared."""
        return self.diff.notes

    def to_table(self) -> RowTable:
        """Return the columns and rows."""
        summaries = {one.subject.unique_id: one for one in summarise_nodes(self.data)}
        counts = {
            count.subject.unique_id: count
            for result in self.data
            if isinstance(result, RowCountDiff)
            for count in result.counts
        }
        rows = []
        for node in nodes_of(self.diff):
            data = _data_row(summaries.pop(node.unique_id, None), counts.get(node.unique_id))
            rows.append((*node_row(node), *data))
        # What is left did not change in the project.
        for unique_id, summary in summaries.items():
            named = (None, unique_id, summary.subject.name, *[None] * (len(CHANGES) - 3))
            rows.append((*named, *_data_row(summary, counts.get(unique_id))))
        return RowTable({**CHANGES, **DATA}, rows)


DATA: Mapping[str, type] = {
    "data": str,
    "base_rows": int,
    "current_rows": int,
    **{f"data_{aspect}": str for aspect in ASPECTS},
    "not_compared": str,
}
"""Columns of a DataComparison after those of its diff: outcome and figures of data diffs."""


def _data_row(summary: NodeSummary | None, count: RowCount | None) -> tuple[str | int | None, ...]:
    if summary is None:
        return (None,) * len(DATA)
    rows = (None, None) if count is None else (count.base, count.current)
    found = (joined(one.text for one in summary.aspects.get(aspect, ())) for aspect in ASPECTS)
    gaps = joined(dict.fromkeys(f"{gap.diff}: {gap.reason}" for gap in summary.gaps))
    return (summary.outcome.value, *rows, *found, gaps)


class _Opened(Struct, frozen=True, kw_only=True):
    """Chosen runs, and the settings of their comparison."""

    store: UnifiedSqlAdapter
    schema: str
    chosen: SelectedRuns
    runs: RunPair
    choice: RunChoice
    """The choice of runs, with notes on the configuration."""
    config: Config
    nodes: NodeGlobs
    """Settings that the caller passed."""
    privacy: Privacy | None

    @property
    def globs(self) -> NodeGlobs:
        """Return all settings of nodes by glob; the last of them take precedence."""
        return [*self.config.nodes, *self.nodes]

    @contextmanager
    def comparison(
        self,
        current: UnifiedSqlAdapter | None,
        base: UnifiedSqlAdapter | None,
        threads: int | None,
        budget: float | None,
    ) -> Iterator[DataDiffRunner]:
        """Yield a comparison of the data behind both adapters; close its connections afterwards."""
        current = current or self.store
        seconds = self.config.budget if budget is None else budget
        runner = open_data_diff_runner(
            current,
            base,
            threads=threads or self.config.threads,
            deadline=None if seconds is None else time.monotonic() + seconds,
            hides_values=self.privacy is not None,
        )
        try:
            with selections_of(self.config):
                yield runner
        finally:
            runner.close()


def diff_data(
    adapter: UnifiedSqlAdapter,
    base: str | None = None,
    current: str | None = None,
    *,
    select: str | Sequence[str] = (),
    exclude: str | Sequence[str] = (),
    like_dbt: bool = False,
    data_adapter: UnifiedSqlAdapter | None = None,
    base_adapter: UnifiedSqlAdapter | None = None,
    values: bool | None = None,
    max_rows: int | None = None,
    nodes: Mapping[str, NodeSettings | Mapping[str, Any]] | None = None,
    privacy: Privacy | None = None,
    config: Config | None = None,
    threads: int | None = None,
    budget: float | None = None,
    save: bool = False,
    project: str | None = None,
    schema: str = DEFAULT_SCHEMA,
) -> DataComparison:
    """Return the diff of two runs, and compare row counts, schemas and values of changed and affected nodes.

    *base* and *current* are run selectors. By default, current is the latest run of the checked-out branch,
    and base is the run of its merge base, as in `recce-meta diff`; `diff.choice` of the result has the
    reasons. *select* and *exclude* choose nodes in dbt's grammar; selected nodes are compared even if they
    did not change. With *like_dbt*, changes are those of dbt's `state:modified`.

    *adapter* connects to the store, which is in *schema*. *data_adapter* connects to the data if it is
    elsewhere, *base_adapter* to the data of base. *max_rows* is the largest relation to compare without a
    key. *threads* is the number of concurrent queries, and *budget* the seconds after which queries are
    cancelled. With *save*, the results are stored with the runs. *project* limits the selectors to one
    project.

    *nodes* are settings by glob of names or ids, as in recce_meta.yml: `{"orders": {"key": "order_id"}}`.
    They take precedence over `nodes` of *config*, and both over the node's own `meta.recce_meta`, which
    always applies. *privacy* determines the values to withhold; if *values* is False, no values are compared.
    *config* is the result of `read_config`: its keys are the defaults of the arguments of the same names. The
    `store` and `environments` of *config* open no connection.

    A comparison that fails is a `Failed` among the results, a skipped comparison is a `NotCompared`. Raises
    SelectorError if one of *nodes* matches no node.
    """
    settings = configured(config)
    question = question_of(settings, select, exclude, like_dbt=like_dbt)
    private = effective_privacy(privacy, settings, values=values)
    opened = _open(adapter, base, current, settings, nodes, private, project, schema, save=save)
    with opened.comparison(data_adapter, base_adapter, threads, budget) as comparison:
        limit = settings.max_rows if max_rows is None else max_rows
        diff, found = _compared(opened, comparison, question, limit)
    results = mask_results(found, private)
    if save:
        _save(opened, results)
    return DataComparison(diff=diff, data=tuple(results))


def _open(
    adapter: UnifiedSqlAdapter,
    base: str | None,
    current: str | None,
    config: Config,
    nodes: Mapping[str, NodeSettings | Mapping[str, Any]] | None,
    privacy: Privacy | None,
    project: str | None,
    schema: str,
    *,
    save: bool,
) -> _Opened:
    """Choose the runs and check the settings.

    Raises UsageError, before any comparison, if results cannot be saved, and SelectorError if one of *nodes*
    matches no node.
    """
    own = read_globs(nodes)
    chosen = choose_runs(adapter, base, current, project=project, schema=schema, config=config, of_data=True)
    if save:
        _refuse_unsaveable(chosen)
        refuse_newer(adapter, schema)
    runs = open_pair(adapter, chosen, schema)
    refuse_unmatched(own, runs)
    return _Opened(
        store=adapter,
        schema=schema,
        chosen=chosen,
        runs=runs,
        choice=with_unmatched(
            with_builds(lambda: adapter, chosen.choice, runs.base.run, runs.current.run, schema=schema),
            config.nodes,
            runs,
        ),
        config=config,
        nodes=own,
        privacy=privacy,
    )


def _compared(
    opened: _Opened, comparison: DataDiffRunner, question: DiffQuestion, max_rows: int | None
) -> tuple[RunDiff, list[AnyDataDiff]]:
    """Return the diff of both runs, and the data diffs of nodes that it changes or affects."""
    runs, privacy = opened.runs, opened.privacy
    diff = diff_of_pair(runs.base, runs.current, question)
    pairs = selected_pairs(diff, runs, question, opened.globs)
    results = data_of_diff(
        comparison,
        runs,
        pairs,
        lambda _done, _of: None,
        kept=_stored_statistics(opened, pairs),
        limits=ValueLimits(with_values=privacy is None or privacy.keeps_values, max_rows=max_rows),
        options=opened.nodes,
    )
    return replace(diff, choice=comparison.noted(opened.choice)), results


def _stored_statistics(
    opened: _Opened, pairs: Sequence[NodePair]
) -> tuple[StatisticsByNode, StatisticsByNode]:
    """Return the statistics of *pairs* stored with each run; none if both runs are on disk."""
    sides = (opened.chosen.base.selector, opened.chosen.current.selector)
    if all(map(folder_of, sides)):
        return {}, {}
    return load_stored_statistics(opened.store, opened.runs, pairs, sides, opened.schema)


def _save(opened: _Opened, results: Sequence[AnyDataDiff]) -> None:
    """Store *results* with the runs that they compared, also those that failed or were skipped."""
    save_data_diffs(
        opened.store,
        results,
        base_run=opened.chosen.base.run,
        current_run=opened.chosen.current.run,
        taken_at=datetime.now(timezone.utc),
        schema=opened.schema,
    )


def run_checks(
    adapter: UnifiedSqlAdapter,
    file: str | Path | None = None,
    base: str | None = None,
    current: str | None = None,
    *,
    data_adapter: UnifiedSqlAdapter | None = None,
    base_adapter: UnifiedSqlAdapter | None = None,
    nodes: Mapping[str, NodeSettings | Mapping[str, Any]] | None = None,
    privacy: Privacy | None = None,
    config: Config | None = None,
    threads: int | None = None,
    budget: float | None = None,
    save: bool = False,
    project_dir: str | Path | None = None,
    project: str | None = None,
    schema: str = DEFAULT_SCHEMA,
) -> CheckReport:
    """Run the checks in *file* on two runs; `is_passed` of the report is False if a required check fails.

    *file* is by default checks.yml in the current folder. *base*, *current*, *nodes*, *privacy* and *config*
    are those of `diff_data`, but a check takes only `key` from settings of nodes, unless it has a primary
    key. *adapter* connects to the store, which is in *schema*. *data_adapter* connects to the data if it is
    elsewhere, *base_adapter* to the data of base. *threads* is the number of concurrent queries, and *budget*
    the seconds after which queries are cancelled. With *save*, the results are stored with the runs.
    *project_dir* contains dbt_project.yml, for variables of templates. *project* limits the selectors to one
    project.

    An error of one check is its result. Raises ConfigurationError if *file* cannot be read.
    """
    path = default_check_file() if file is None else Path(file)
    checks, settings = read_check_file(path), configured(config)
    private = effective_privacy(privacy, settings, values=None)
    opened = _open(adapter, base, current, settings, nodes, private, project, schema, save=save)
    folder = None if project_dir is None else Path(project_dir)
    with opened.comparison(data_adapter, base_adapter, threads, budget) as comparison:
        templates = Templates(opened.runs, environ=os.environ, project_dir=folder)
        runner = CheckRunner(comparison, opened.runs, templates, opened.globs)
        found = checks_api.run_checks(checks, runner, path=str(path))
    result = replace(mask_checks(found, private), choice=comparison.noted(opened.choice))
    if save:
        stored = stored_checks(
            result,
            checks,
            base_run_id=opened.choice.base.run_id,
            current_run_id=opened.choice.current.run_id,
            checked_at=datetime.now(timezone.utc),
        )
        save_checks(adapter, stored, schema=schema)
    return result


def _refuse_unsaveable(chosen: SelectedRuns) -> None:
    """Raise UsageError, before any comparison, if both runs are on disk: results belong to a recorded run."""
    if chosen.base.run is None and chosen.current.run is None:
        raise UsageError("save requires a recorded run", hint="record a run first")
