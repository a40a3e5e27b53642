"""Functions about recorded runs: list, show, compare, follow lineage, render templates.

*adapter* connects to the store. It may be None if every run is `path:DIR`, artifacts on disk.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api import diff as diff_api
from recce_meta.api import impact as impact_api
from recce_meta.api import render as render_api
from recce_meta.api import runs as runs_api
from recce_meta.api.data.jobs import paired, subjects
from recce_meta.api.diff import DiffQuestion
from recce_meta.api.public.settings import selections_of
from recce_meta.api.render import RenderedTemplate, Template
from recce_meta.api.run_choice import SelectedRuns, read_defaults, select_runs, with_builds
from recce_meta.api.runs import RunPair, RunSummary, load_pair
from recce_meta.config.file import NO_CONFIG, Config
from recce_meta.errors import UnknownNameError, UsageError
from recce_meta.models import Change, NodeMetadata, RunDiff
from recce_meta.models.lineage import Direction, ImpactView, LineageView
from recce_meta.models.rows import ResultList

LATEST = "latest"
Adapter = UnifiedSqlAdapter | None
Terms = str | Sequence[str]
"""Selectors in dbt's grammar: one string, or several."""


def choose_runs(
    connect: Callable[[], UnifiedSqlAdapter],
    base: str | None,
    current: str | None,
    config: Config,
    *,
    of_data: bool = False,
) -> SelectedRuns:
    """Return the runs that the selectors name; a run without a selector is chosen as by the command line.

    *config* has the defaults of selectors, project and base branch. With *of_data*, the choice has a note if
    the tables of base may have been rebuilt since.
    """
    return select_runs(
        connect,
        config.base if base is None else base,
        config.current if current is None else current,
        defaults=read_defaults(None, os.environ, base_branch=config.base_branch),
        project=config.project,
        of_data=of_data,
    )


def connector(adapter: Adapter) -> Callable[[], UnifiedSqlAdapter]:
    """Return a function that returns *adapter*; it raises UsageError if there is none."""

    def connect() -> UnifiedSqlAdapter:
        if adapter is None:
            raise UsageError(
                "A recorded run requires an adapter", hint="pass an adapter, or name the runs as path:DIR"
            )
        return adapter

    return connect


def terms_of(given: Terms) -> tuple[str, ...]:
    """Return the selectors *given* as one string or several."""
    return (given,) if isinstance(given, str) else tuple(given)


def direction_of(name: str) -> Direction:
    """Return the direction *name*. Raises UnknownNameError for any other word."""
    known = [one.value for one in Direction]
    if name not in known:
        raise UnknownNameError("direction", name, known)
    return Direction(name)


def show_run(
    adapter: UnifiedSqlAdapter | None,
    run: str = LATEST,
    *,
    project: str | None = None,
) -> RunSummary:
    """Return the run that the selector *run* names, with its number of nodes, results and statistics.

    *adapter* connects to the store; it may be None for `path:DIR`. *project* limits the selector to one
    project.
    """
    return runs_api.show(connector(adapter), run, project=project)


def diff_runs(
    adapter: UnifiedSqlAdapter | None,
    base: str | None = None,
    current: str | None = None,
    *,
    select: str | Sequence[str] = (),
    exclude: str | Sequence[str] = (),
    like_dbt: bool = False,
    config: Config = NO_CONFIG,
) -> RunDiff:
    """Return the changes from *base* to *current*, their categories, and the affected nodes.

    *base* and *current* are run selectors. By default, current is the latest run of the checked-out branch,
    and base is the run of its merge base, as in `recce-meta diff`; `choice` of the result has the reasons.
    *select* and *exclude* choose nodes in dbt's grammar. With *like_dbt*, changes are those of dbt's
    `state:modified`, without categories.

    *config* is the result of `read_config`: its keys are the defaults of the arguments of the same names, its
    `project` limits the selectors, and it defines `selection:NAME`. *adapter* connects to the store; it may
    be None if both runs are `path:DIR`.
    """
    connect, question = connector(adapter), question_of(config, select, exclude, like_dbt=like_dbt)
    chosen = choose_runs(connect, base, current, config)
    sides = chosen.base.selector, chosen.current.selector
    with selections_of(config):
        found = diff_api.diff(connect, *sides, project=config.project, question=question)
    return replace(found, choice=chosen.choice)


def question_of(config: Config, select: Terms, exclude: Terms, *, like_dbt: bool) -> DiffQuestion:
    """Return the question that the arguments ask; *config* has the defaults of *select* and *exclude*."""
    return DiffQuestion(terms_of(select) or config.select, terms_of(exclude) or config.exclude, like_dbt)


def failing_changes(diff: RunDiff, fail_on: Terms) -> ResultList[Change]:
    """Return the changes of *diff* that meet a condition of *fail_on*: `removed,breaking`, or a list.

    The conditions are those of `--fail-on` of `diff`: statuses, reasons, categories, `fails` and `any`.
    Raises UnknownNameError for any other word.
    """
    return ResultList(
        Change, diff_api.failing_changes(diff, diff_api.parse_fail_on(",".join(terms_of(fail_on))))
    )


def lineage(
    adapter: UnifiedSqlAdapter | None,
    node: str,
    run: str = LATEST,
    *,
    direction: str = Direction.BOTH.value,
    depth: int | None = None,
    project: str | None = None,
) -> LineageView:
    """Return the upstream and downstream nodes of *node* in the run that the selector *run* names.

    *node* is a name or a unique id. *direction* is upstream, downstream or both. *depth* is the largest
    distance (default: any). *adapter* connects to the store; it may be None for `path:DIR`. *project* limits
    the selector to one project. Raises SelectorError if *node* names no node, or more than one.
    """
    return runs_api.load_lineage(
        connector(adapter), run, node, direction=direction_of(direction), depth=depth, project=project
    )


def impact(
    adapter: UnifiedSqlAdapter | None,
    target: str,
    run: str = LATEST,
    *,
    direction: str = Direction.DOWNSTREAM.value,
    depth: int | None = None,
    project: str | None = None,
) -> ImpactView:
    """Return the nodes and columns that a change of *target*, `NODE` or `NODE.COLUMN`, affects.

    *run* is the selector of the run. *direction* is downstream, upstream or both. *depth* is the largest
    distance (default: any). *adapter* connects to the store; it may be None for `path:DIR`. *project* limits
    the selector to one project. Raises SelectorError if *target* matches nothing, or more than one thing.
    """
    return impact_api.load_impact(
        connector(adapter),
        run,
        target,
        direction=direction_of(direction),
        depth=depth,
        project=project,
    )


def node_pairs(
    adapter: UnifiedSqlAdapter | None,
    names: str | Sequence[str] = (),
    base: str | None = None,
    current: str | None = None,
    *,
    select: str | Sequence[str] = (),
    exclude: str | Sequence[str] = (),
    config: Config = NO_CONFIG,
) -> list[tuple[NodeMetadata | None, NodeMetadata | None]]:
    """Return nodes of two runs, each in base and current, for the functions that compare data.

    *names* are names or unique ids of nodes; *select* and *exclude* choose nodes in dbt's grammar. A side
    without the node is None. *base*, *current* and *config* are those of `diff_runs`. *adapter* connects to
    the store; it may be None if both runs are `path:DIR`. The nodes carry the keys that their project
    declares, their settings and notes on the runs, so that functions answer as the commands do. Raises
    SelectorError if a name does not match exactly one node, InvalidNodeSettings if the meta of a named node
    is invalid.
    """
    named, wanted = terms_of(names), terms_of(select)
    if not named and not wanted:
        raise UsageError("No nodes are named", hint="pass names or select")
    connect = connector(adapter)
    chosen_runs = choose_runs(connect, base, current, config, of_data=True)
    runs = open_pair(connect, chosen_runs)
    with selections_of(config):
        found = subjects(runs, (), named, wanted, terms_of(exclude), globs=config.nodes)
    of = runs.base.run, runs.current.run
    choice = with_builds(connect, chosen_runs.choice, *of)
    return [paired(runs, sides, tuple(choice.notes)) for sides in found]


def open_pair(connect: Callable[[], UnifiedSqlAdapter], chosen: SelectedRuns) -> RunPair:
    """Return the *chosen* runs, read on demand."""
    return load_pair(connect, chosen.base.selector, chosen.current.selector)


def render_sql(
    adapter: UnifiedSqlAdapter | None,
    template: Template | str,
    run: str = LATEST,
    *,
    project: str | None = None,
) -> RenderedTemplate:
    """Return the SQL that *template* renders to, with the nodes and macros of a run.

    *template* is a Template, or its SQL alone, whose `env_var()` reads the variables of the process. *run* is
    the selector of the run. *adapter* connects to the store; it may be None for `path:DIR`. *project* limits
    the selector to one project.
    """
    given = Template(sql=template, environ=os.environ) if isinstance(template, str) else template
    return render_api.render(connector(adapter), run, given, project=project)
