"""Functions that compare the data of two runs: the nodes that a diff changed, and files of checks."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.checks import default_check_file
from recce_meta.api.comparison import Comparison
from recce_meta.api.data.jobs import explaining, selected_pairs
from recce_meta.api.data.preview import project_root, read_edits
from recce_meta.api.diff import diff_of_pair
from recce_meta.api.public.runs import choose_runs, open_pair, question_of, terms_of
from recce_meta.api.public.settings import (
    effective_privacy,
    read_globs,
    refuse_unmatched,
    selections_of,
    with_unmatched,
)
from recce_meta.api.render import Templates
from recce_meta.api.run_choice import SelectedRuns, read_defaults, with_builds
from recce_meta.api.runs import RunPair
from recce_meta.checks.file import read_check_file
from recce_meta.config.file import NO_CONFIG, Config
from recce_meta.config.nodes import NodeGlobs, NodeSettings
from recce_meta.data_diff.options import ValueOptions
from recce_meta.errors import UsageError
from recce_meta.models import RunDiff
from recce_meta.models.checks import CheckReport
from recce_meta.models.data_diff import (
    AnyDataDiff,
    RowCount,
    counts_by_id,
)
from recce_meta.models.rows import RowTable, Tabular
from recce_meta.models.run import RunChoice
from recce_meta.quality.privacy import Privacy
from recce_meta.report.data.summary import ASPECTS, NodeSummary, summarise_nodes
from recce_meta.store.session import refuse_newer
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
        counts = counts_by_id(self.data)
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
    found = (joined(summary.texts(aspect)) for aspect in ASPECTS)
    gaps = joined(dict.fromkeys(f"{gap.diff}: {gap.reason}" for gap in summary.gaps))
    return (summary.outcome.value, *rows, *found, gaps)


class ComparisonOptions(Struct, frozen=True, kw_only=True):
    """Connections, settings and limits of a comparison of data; None for the value of the configuration."""

    data_adapter: UnifiedSqlAdapter | None = None
    """Connection to the data. None for that of the store."""
    base_adapter: UnifiedSqlAdapter | None = None
    """Connection to the data of base. None for that of current."""
    nodes: Mapping[str, NodeSettings | Mapping[str, Any]] = {}
    """Settings by glob of names or ids, as in recce_meta.yml: `{"orders": {"key": "order_id"}}`. They take
    precedence over `nodes` of the configuration, and both over the node's own `meta.recce_meta`, which always
    applies."""
    privacy: Privacy | None = None
    """Values to withhold."""
    values: bool | None = None
    """False to compare no values, True to override `privacy.values` of the configuration."""
    max_rows: int | None = None
    """Largest relation that `diff_data` compares without a key."""
    why: bool = False
    """True to explain the values that differ: slices, shapes, parents and edits."""
    threads: int | None = None
    """Number of concurrent queries."""
    budget: float | None = None
    """Seconds after which queries are cancelled."""
    save: bool = False
    """True to store the results with the runs."""

    def __post_init__(self) -> None:
        for name, least in (("max_rows", 0), ("threads", 1), ("budget", 0.001)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise UsageError(f"Invalid {name}: {value}", hint=f"use {least} or more")


def diff_data(
    adapter: UnifiedSqlAdapter,
    base: str | None = None,
    current: str | None = None,
    *,
    select: str | Sequence[str] = (),
    exclude: str | Sequence[str] = (),
    like_dbt: bool = False,
    options: ComparisonOptions = ComparisonOptions(),
    config: Config = NO_CONFIG,
) -> DataComparison:
    """Return the diff of two runs, and compare row counts, schemas and values of changed and affected nodes.

    *base* and *current* are run selectors. By default, current is the latest run of the checked-out branch,
    and base is the run of its merge base, as in `recce-meta diff`; `diff.choice` of the result has the
    reasons. *select* and *exclude* choose nodes in dbt's grammar; selected nodes are compared even if they
    did not change. With *like_dbt*, changes are those of dbt's `state:modified`.

    *adapter* connects to the store. *options* are the connections to the data, settings and limits. *config*
    is the result of `read_config`: its keys are the defaults of the arguments and options of the same names,
    and its `project` limits the selectors. The `store` and `environments` of *config* open no connection.

    A comparison that fails is a `Failed` among the results, a skipped comparison is a `NotCompared`. Raises
    SelectorError if one of `nodes` of *options* matches no node.
    """
    question, own = question_of(config, select, exclude, like_dbt=like_dbt), read_globs(options.nodes)
    chosen = choose_runs(lambda: adapter, base, current, config, of_data=True)
    with _open(adapter, chosen, options, own, config) as opened:
        assert opened.runs is not None
        diff = diff_of_pair(opened.runs.base, opened.runs.current, question)
        pairs = selected_pairs(diff, opened.runs, question, opened.globs)
        limit = config.max_rows if options.max_rows is None else options.max_rows
        results = opened.data_of(pairs, own, limit, lambda _done, _of: None, explains=options.why)
        diff = replace(diff, choice=opened.choice)
        if options.save:
            opened.save(results)
    return DataComparison(diff=diff, data=tuple(results))


@contextmanager
def _open(
    adapter: UnifiedSqlAdapter,
    chosen: SelectedRuns,
    options: ComparisonOptions,
    own: NodeGlobs,
    config: Config,
) -> Iterator[Comparison]:
    """Check the settings, and yield the comparison of the *chosen* runs; close its connections afterwards.

    Raises UsageError, before any comparison, if results cannot be saved, and SelectorError if one of *own*
    matches no node.
    """
    if options.save:
        _refuse_unsaveable(chosen)
        refuse_newer(adapter)
    runs = open_pair(lambda: adapter, chosen)
    refuse_unmatched(own, runs)
    sides = runs.base.run, runs.current.run
    choice = with_builds(lambda: adapter, chosen.choice, *sides)
    opened = _comparison(adapter, runs, choice, options, own, config)
    opened.selectors = (chosen.base.selector, chosen.current.selector)
    with opened, selections_of(config):
        yield opened


def _comparison(
    adapter: UnifiedSqlAdapter,
    runs: RunPair,
    choice: RunChoice,
    options: ComparisonOptions,
    own: NodeGlobs,
    config: Config,
) -> Comparison:
    return Comparison(
        store=lambda: adapter,
        current=options.data_adapter or adapter,
        base=options.base_adapter,
        threads=options.threads or config.threads,
        budget=config.budget if options.budget is None else options.budget,
        runs=runs,
        chosen=with_unmatched(choice, config.nodes, runs),
        globs=[*config.nodes, *own],
        privacy=effective_privacy(options.privacy, config, values=options.values),
    )


def preview_edits(
    adapter: UnifiedSqlAdapter,
    base: str | None = None,
    *,
    project_dir: str | Path | None = None,
    select: str | Sequence[str] = (),
    rows: ValueOptions | None = ValueOptions(),
    options: ComparisonOptions = ComparisonOptions(),
    config: Config = NO_CONFIG,
) -> DataComparison:
    """Compare the SQL of edited model files with that of base, over the relations of base, before a build.

    *base* is a run selector, by default the artifacts that dbt wrote last to the target folder, else the run
    that `recce-meta preview` takes. *project_dir* contains dbt_project.yml, by default the current folder or
    one above. *select* chooses among the edited models and the models that read them, in dbt's grammar: `*`
    for all, by default the edited ones. *rows* are the options of the comparison; with
    None, only names and types of columns are compared, and no rows are read.

    *adapter* connects to the store, which is read only if *base* needs it, and to the data. *options* are the
    other connections, settings and limits; nothing can be saved. *config* is that of `diff_data`.

    A node that cannot be previewed is a `NotCompared` or a `Failed` among the results. Raises UsageError if
    the folder has no project, or another one than base.
    """
    if options.save:
        raise UsageError("A preview cannot be saved: it belongs to no run", hint="leave save out")
    root = project_root(None if project_dir is None else Path(project_dir))
    defaults = read_defaults(root, os.environ, base_branch=config.base_branch)
    found = read_edits(lambda: adapter, base or config.base, root, defaults=defaults, project=config.project)
    preview, own = found.preview(), read_globs(options.nodes)
    refuse_unmatched(own, found.runs)
    opened = _comparison(adapter, found.runs, found.choice, options, own, config)
    if rows is not None and opened.privacy is not None and not opened.privacy.keeps_values:
        rows = replace(rows, examples=0)
    elif rows is not None and options.why:
        rows = replace(rows, why=explaining(opened.privacy))
    with opened, selections_of(config):
        ids = preview.chosen(found.runs, terms_of(select), ())
        results = preview.results(preview.jobs(ids, opened, rows), opened)
        choice = opened.choice
    notes = (*found.edited.notes, *preview.diff.notes)
    return DataComparison(diff=replace(preview.diff, choice=choice, notes=notes), data=tuple(results))


def run_checks(
    adapter: UnifiedSqlAdapter,
    file: str | Path | None = None,
    base: str | None = None,
    current: str | None = None,
    *,
    project_dir: str | Path | None = None,
    options: ComparisonOptions = ComparisonOptions(),
    config: Config = NO_CONFIG,
) -> CheckReport:
    """Run the checks in *file* on two runs; `is_passed` of the report is False if a required check fails.

    *file* is by default checks.yml in the current folder. *adapter*, *base*, *current*, *options* and
    *config* are those of `diff_data`, but a check takes only `key` from settings of nodes, unless it has a
    primary key. *project_dir* contains dbt_project.yml, for variables of templates.

    An error of one check is its result. Raises ConfigurationError if *file* cannot be read.
    """
    path = default_check_file() if file is None else Path(file)
    checks, own = read_check_file(path), read_globs(options.nodes)
    chosen = choose_runs(lambda: adapter, base, current, config, of_data=True)
    with _open(adapter, chosen, options, own, config) as opened:
        assert opened.runs is not None
        folder = None if project_dir is None else Path(project_dir)
        templates = Templates(opened.runs, environ=os.environ, project_dir=folder)
        result = opened.check(checks, path, templates)
        if options.save:
            opened.save_checks(result, checks)
    return result


def _refuse_unsaveable(chosen: SelectedRuns) -> None:
    """Raise UsageError, before any comparison, if both runs are on disk: results belong to a recorded run."""
    if chosen.base.run is None and chosen.current.run is None:
        raise UsageError("save requires a recorded run", hint="record a run first")
