"""Implementation of the data diff commands, and the session of runs and connections shared with checks."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from recce_meta import report
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.comparison import Comparison
from recce_meta.api.data.execution import DataDiffRunner, Job
from recce_meta.api.data.jobs import (
    NodePair,
    SettledPlan,
    changed_pairs,
    each,
    explaining,
    of_schema,
    query_job,
    row_count_job,
    stored_schema_jobs,
    subjects,
    value_jobs,
)
from recce_meta.api.data.places import data_places, open_sides
from recce_meta.api.run_choice import select_runs, select_same, with_builds
from recce_meta.api.run_reader import folder_of
from recce_meta.api.runs import RunPair, load_pair
from recce_meta.cli.connections import Connection
from recce_meta.cli.defaults import data_of_environment
from recce_meta.cli.node_options import configured_globs, warn_unmatched
from recce_meta.cli.options import LISTS, progress, report_size, say, sql_argument, warn, write
from recce_meta.data_diff.options import FigureScope, ValueOptions
from recce_meta.errors import RecceMetaError, SelectorError, StoreNotFound, UsageError
from recce_meta.lazy import LazyModule
from recce_meta.models.data_diff import AnyDataDiff, Failed, Moment, RowCount, RowCountDiff
from recce_meta.models.diff_kinds import PROFILE, DiffKind
from recce_meta.models.run import RunChoice
from recce_meta.profiles.project_file import parse_variables
from recce_meta.quality.masking import privacy_of
from recce_meta.quality.privacy import Privacy
from recce_meta.tables.gaps import SAME_RELATION

if TYPE_CHECKING:
    from recce_meta.api import diff as comparing
    from recce_meta.api import render as rendering
    from recce_meta.api.data import figures
    from recce_meta.api.data import statistics as run_statistics
else:
    comparing = LazyModule("recce_meta.api.diff")
    rendering = LazyModule("recce_meta.api.render")
    figures = LazyModule("recce_meta.api.data.figures")
    run_statistics = LazyModule("recce_meta.api.data.statistics")


Choose = Callable[[Callable[[], UnifiedSqlAdapter]], tuple[RunPair, RunChoice]]


class DataOptions(Struct, frozen=True, kw_only=True):
    """Data to compare: its runs or tables, its targets, and limits."""

    connection: Connection
    base: str | None
    current: str | None = None
    tables: tuple[tuple[str, str], ...] = ()
    data_target: str | None
    base_target: str | None = None
    threads: int | None
    budget: float | None
    no_values: bool
    private: tuple[str, ...]
    project: str | None
    base_at: Moment | None = None

    @property
    def privacy(self) -> Privacy | None:
        """Return the values to withhold; None to show every value."""
        return privacy_of(no_values=self.no_values, private=self.private)

    def refuse_without_values(
        self, command: str, hint: str = "use row-count, profile or value without --detail"
    ) -> None:
        """Raise UsageError with *hint* if values are withheld: *command* needs them."""
        if self.no_values:
            raise UsageError(
                f"{command} shows values, which --no-values or privacy.values of the configuration withholds",
                hint=f"{hint}, or pass --values",
            )

    @contextmanager
    def open(self, *, writes: bool = False, choose: Choose | None = None) -> Iterator[Comparison]:
        """Open connections and load runs; close everything afterwards. *writes* allows to store results.

        *choose* returns the runs that it loads from the store; by default those of the options.
        """
        with ExitStack() as stack:
            opened: list[UnifiedSqlAdapter] = []

            def store() -> UnifiedSqlAdapter:
                # One adapter for runs, data and results: opening a DuckDB file twice would deadlock.
                if not opened:
                    opened.append(stack.enter_context(self.connection.open_existing(writes=writes)))
                return opened[0]

            try:
                runs, choice = (None, None) if self.tables else (choose or self._runs)(store)
            except StoreNotFound as error:
                if choose is not None:
                    raise
                error.hint = f"{error.hint}; --tables BASE CURRENT compares relations without a store"
                raise
            places = data_places(runs, self.data_target, self.base_target, data_of_environment)
            current, base = open_sides(places, store, partial(self._target, stack, writes))
            globs = configured_globs()
            if runs is not None:
                warn_unmatched(globs, runs)
            comparison = Comparison(
                store=store,
                current=current,
                base=base,
                threads=self.threads,
                budget=self.budget,
                runs=runs,
                selectors=(self.base, self.current),
                chosen=choice,
                globs=globs,
                base_at=self.base_at,
                privacy=self.privacy,
            )
            yield stack.enter_context(comparison)

    def _runs(self, store: Callable[[], UnifiedSqlAdapter]) -> tuple[RunPair, RunChoice]:
        name = self.connection.project_of(self.project, self.base, self.current)
        # Without a base, it is the same relations at another moment.
        is_one = self.base_at is not None and self.base is None
        defaults = self.connection.run_defaults()
        found = (
            select_same(store, self.current, defaults=defaults, project=name)
            if is_one
            else select_runs(store, self.base, self.current, defaults=defaults, project=name, of_data=True)
        )
        runs = load_pair(store, found.base.selector, found.current.selector, project=name)
        sides = runs.base.run, runs.current.run
        return runs, with_builds(store, found.choice, *sides)

    def _target(self, stack: ExitStack, writes: bool, name: str) -> UnifiedSqlAdapter:
        """Open the target of the profile, or the URL, that *name* is; it may be the file of the store."""
        return stack.enter_context(self.connection.at(name).open_existing(writes=writes))

    def refuse_unsaveable(self) -> None:
        """Raise UsageError, before any comparison, if there is no recorded run to save results with."""
        if self.base_at is not None:
            raise UsageError("--save cannot be combined with --base-at: it stores what runs have")
        if self.tables or (folder_of(self.base) and folder_of(self.current)):
            raise UsageError(
                "--save requires a recorded run",
                hint="record the runs and remove --tables" if self.tables else "record a run first",
            )


Jobs = Callable[[Comparison], list[Job]]


class DataOutput(Struct, frozen=True, kw_only=True):
    """Output options: format, destination, details, and whether to save the results."""

    style: str
    show_sql: bool
    save: bool = False
    details: bool
    output: Path | None


class DataCommand(Struct, frozen=True, kw_only=True):
    """Options of a command about nodes: its data, nodes and output."""

    data: DataOptions
    nodes: tuple[str, ...]
    selection: tuple[str, ...]
    exclude: tuple[str, ...]
    output: DataOutput

    def subjects(
        self, session: Comparison, *, whole: bool = False, names: Sequence[str] | None = None
    ) -> list[NodePair]:
        """Return the named nodes or relations; without *whole*, only with fields that locate relations.

        *names* are those of nodes, by default all that the command names.
        """
        runs = session.runs
        found = subjects(
            runs,
            self.data.tables,
            self.nodes if names is None else names,
            self.selection,
            self.exclude,
            globs=session.globs,
            whole=whole,
        )
        if runs is not None and self.selection:
            for text in comparing.unknown_terms(self.selection, runs.base.project, runs.current.project):
                warn(text)
        return found

    def run(self, diff: str, jobs: Jobs) -> None:
        """Run the diffs of *jobs*, of the type *diff*, and report them."""
        run_jobs(self.data, self.output, jobs, diff)

    def run_each(self, diff: str, plan: SettledPlan) -> None:
        """Run *plan*, of the type *diff*, for each named node or relation."""
        self.run(diff, lambda session: each(diff, session.runner.places, self.subjects(session), plan))


def row_count(command: DataCommand, live: bool) -> None:
    """Count the rows of the named or changed nodes, using stored counts if there are any.

    An unknown name among others is a row of the report, and raises SelectorError after it.
    """
    unknown: list[SelectorError] = []

    def jobs(session: Comparison) -> list[Job]:
        places, runs = session.runner.places, session.runs
        is_open = not command.nodes and not command.selection
        if runs is not None and is_open:
            chosen = changed_pairs(runs, session.globs)
        elif runs is not None and len(command.nodes) > 1:
            known, missing = _known(command.nodes, runs)
            unknown.extend(missing.values())
            chosen = command.subjects(session, names=known)
            chosen += [NodePair(None, None, name, error.message) for name, error in missing.items()]
        else:
            chosen = command.subjects(session)
        if not chosen:
            return []
        if runs is None or live:
            return [row_count_job(places, chosen)]
        return [run_statistics.stored_counts_job(places, chosen, *session.statistics(chosen))]

    command.run("row_count_diff", jobs)
    if unknown:
        raise unknown[0]


def _known(names: Sequence[str], runs: RunPair) -> tuple[list[str], dict[str, SelectorError]]:
    """Return the *names* of nodes of *runs*, and the error of each other. Raises it if no name is known."""
    known: list[str] = []
    missing: dict[str, SelectorError] = {}
    for name in names:
        try:
            runs.named([name])
        except SelectorError as error:
            missing[name] = error
        else:
            known.append(name)
    if not known:
        raise missing[names[0]]
    return known, missing


def schema(command: DataCommand, stored: bool) -> None:
    """Compare columns, current or recorded."""
    if stored:
        command.run(
            "schema_diff",
            lambda session: stored_schema_jobs(session.runner.places, command.subjects(session, whole=True)),
        )
    else:
        command.run_each("schema_diff", of_schema)


def profile(command: DataCommand, scope: FigureScope, live: bool, approximate: bool) -> None:
    """Compare column profiles, using stored statistics if there are any."""

    def jobs(session: Comparison) -> list[Job]:
        places, chosen = session.runner.places, command.subjects(session)
        # Stored statistics are of all rows, so they cannot answer for a condition.
        if session.runs is None or live or scope.where or approximate:
            plan = partial(figures.figures_within, kind=PROFILE, scope=scope, approximate=approximate)
            return each(PROFILE.diff, places, chosen, plan)
        base, current = session.statistics(chosen)
        return run_statistics.stored_profile_jobs(places, chosen, base, current, scope)

    command.run("profile_diff", jobs)


def figure_diff(kind: DiffKind, command: DataCommand, scope: FigureScope, number: int) -> None:
    """Compare the figures of *kind*."""
    if kind.shows_values:
        command.data.refuse_without_values(kind.command)
    command.run_each(kind.diff, partial(figures.figures_within, kind=kind, scope=scope, number=number))


def value(command: DataCommand, options: ValueOptions, detail: bool, explains: bool) -> None:
    """Compare values by key, or whole rows."""
    if detail and explains:
        raise UsageError("--why cannot be combined with --detail", hint="run value twice")
    if detail:
        command.data.refuse_without_values("value --detail")
    if explains:
        command.data.refuse_without_values("value --why", "remove --why")
        options = replace(options, why=explaining(command.data.privacy))
    # No query has to read values that are not shown.
    if command.data.no_values:
        options = replace(options, examples=0)
    command.run(
        "value_diff_detail" if detail else "value_diff",
        lambda session: value_jobs(
            session.runner.places,
            session.runs,
            command.subjects(session, whole=True),
            options,
            detail=detail,
        ),
    )


def query_diff(
    data: DataOptions,
    output: DataOutput,
    options: ValueOptions,
    sql: str,
    base_sql: str | None,
    variables: str | None,
) -> None:
    """Compare the results of a template, or of one template per side."""
    data.refuse_without_values("query-diff")
    template, base_template = sql_argument(sql), None if base_sql is None else sql_argument(base_sql)

    def jobs(session: Comparison) -> list[Job]:
        templates = rendering.Templates(
            session.runs,
            variables=parse_variables(variables),
            environ=os.environ,
            project_dir=data.connection.project_dir,
        )
        on_base = template if base_template is None else base_template
        job = query_job(session.runner.places, templates, on_base, template, options)
        for text in templates.warnings:
            warn(text)
        return [job]

    run_jobs(data, output, jobs, "query_diff")


def run_jobs(data: DataOptions, output: DataOutput, jobs: Jobs, diff: str) -> None:
    """Run the diffs of *jobs*, of the type *diff*, and report them.

    Raises RecceMetaError after the report if one of several diffs failed; the error of a single diff is
    raised unchanged.
    """
    if output.save:
        data.refuse_unsaveable()
    with data.open(writes=output.save) as session:
        found = jobs(session)
        if not found:
            say("No node with data is selected")  # not an error: a change may affect no such node
        if output.show_sql:
            write(statements(session.runner, found) or "-- no queries: only columns are read", output.output)
            return
        if output.save:
            session.refuse_newer_store()
        with progress("comparing"):
            results = session.run(found)
        choice = session.choice  # before the connections are closed
        if output.save:
            # Masked results, so that private values do not get into the store either.
            say_saved(session.save(results))
    write(rendered_data(results, output, choice, diff), output.output)
    _refuse_failures(results, are_named=bool(data.tables))


def say_saved(number: int, what: str = "result") -> None:
    """Print how many results were stored."""
    say(f"Saved {number} {what}{'' if number == 1 else 's'}")


def _refuse_failures(results: Sequence[AnyDataDiff], *, are_named: bool) -> None:
    failures = [result for result in results if isinstance(result, Failed)]
    if failures:
        raise RecceMetaError(f"{len(failures)} of {len(results)} comparisons failed")
    for result in results:
        if isinstance(result, RowCountDiff) and _is_uncounted(result):
            raise RecceMetaError("No relation could be counted")
        # A user who names both relations asks for both counts.
        if isinstance(result, RowCountDiff) and are_named and any(map(_is_half_counted, result.counts)):
            raise RecceMetaError("Not every relation could be counted")


def _is_half_counted(one: RowCount) -> bool:
    return any(reason not in (None, SAME_RELATION) for reason in (one.base_reason, one.current_reason))


def _is_uncounted(result: RowCountDiff) -> bool:
    """Return True if there are relations but none could be counted."""
    is_counted = any(count.base is not None or count.current is not None for count in result.counts)
    return not is_counted and any(count.subject.base or count.subject.current for count in result.counts)


def rendered_data(
    results: Sequence[AnyDataDiff], output: DataOutput, choice: RunChoice | None, diff: str
) -> str:
    """Return the report of *results* of the type *diff*, in the format of *output*."""
    if output.style in LISTS:
        return report.delimited(report.data_table(results, diff), output.style)
    if output.style == "json":
        return report.data_json(results, choice)
    if output.style == "markdown":
        return report.data_markdown(results, choice, details=output.details)
    if output.style == "html":
        return report.html_report("Data diff", None, results, None, choice)
    size = report_size(output.output)
    text = report.data_text(results, details=output.details, **size)
    return report.choice_text(choice, **size) + text


def statements(comparison: DataDiffRunner, jobs: Sequence[Job]) -> str:
    """Return the queries of *jobs*, each after a comment with its purpose and, with two targets, its side."""
    parts = []
    for query in comparison.statements(jobs):
        place = "" if comparison.places.is_joined else f" ({query.side.value})"
        parts.append(f"-- {query.about}{place}\n{query.sql};\n")
    return "\n".join(parts)
