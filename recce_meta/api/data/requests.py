"""Data diffs that a user asks for one at a time, by their kind and options, as plans to run.

The plans are those of the commands with the same names, so the results are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.adapter.read_only import require_condition, require_expression, require_query
from recce_meta.api.data.execution import Job, RelationResolver
from recce_meta.api.data.figures import figures_within
from recce_meta.api.data.jobs import NodePair, each, explaining, query_job, sample_plan, subjects, value_jobs
from recce_meta.api.data.option_texts import write_option
from recce_meta.api.data.statistics import StatisticsByNode, stored_counts_job, stored_profile_jobs
from recce_meta.api.render import Templates
from recce_meta.api.runs import RunPair
from recce_meta.config.nodes import NodeGlobs
from recce_meta.data_diff.names import Guard
from recce_meta.data_diff.options import FigureScope, ValueOptions
from recce_meta.data_diff.plan import Plan
from recce_meta.data_diff.row_sample import RowSample
from recce_meta.errors import UnknownNameError, UsageError
from recce_meta.models.data_diff import AnyDataDiff, Subject
from recce_meta.models.diff_kinds import (
    DETAIL,
    FIGURE_KINDS,
    KEY,
    KINDS,
    LENIENT,
    LIMIT,
    PROFILE,
    QUERY,
    ROW_COUNT,
    SAMPLE,
    SCHEMA,
    WHY,
    DiffKind,
    Door,
    RowOptions,
    row_options,
)
from recce_meta.quality.privacy import Privacy
from recce_meta.warehouses import Warehouse, warehouse_named

OPTIONS = {option.name: option for kind in KINDS.values() for option in kind.options}
REQUESTED = {one.name: one for kind in KINDS.values() for one in kind.at(Door.REQUEST)}
"""Options that a form, or the address of a question, may have."""

AnyAnswer: TypeAlias = AnyDataDiff | RowSample
Statistics = Callable[[Sequence[NodePair]], tuple[StatisticsByNode, StatisticsByNode]]
"""Returns the statistics of nodes that are stored with base and current."""


class DataDiffRequest(RowOptions, frozen=True, kw_only=True):
    """Data diff that a user asks for."""

    kind: DiffKind
    base: str
    """Run of base."""
    current: str
    """Run of current."""
    node: str | None = None
    """Unique id of the node; None for a query and for all nodes."""
    key: tuple[str, ...] = ()
    """Columns that identify a row; empty for the key that the project declares."""
    k: int | None = None
    """Number of most frequent values."""
    bins: int | None = None
    """Approximate number of bins of a histogram."""
    approximate: bool = False
    """True if a profile estimates distinct counts."""
    limit: int | None = None
    """Maximum number of rows to show."""
    why: bool = False
    """True to search the slices of rows that differ."""
    compare: str | None = None
    """`schema` to preview names and types of columns only."""
    base_sql: str | None = None
    """Template of the query of base; None for that of current."""
    current_sql: str | None = None
    """Template of the query of current."""

    @property
    def options(self) -> ValueOptions:
        """Options of the comparison of rows."""
        (usual,) = [one.default or 0 for one in self.kind.options if one.name == LIMIT.name]
        return ValueOptions(**row_options(self), key=self.key or None, limit=self.limit or usual)


def option_texts(asked: DataDiffRequest) -> dict[str, str]:
    """Return the options of *asked* as texts, by their names in an address."""
    given = {name: getattr(asked, name) for name in REQUESTED}
    return {name: write_option(REQUESTED[name], value) for name, value in given.items() if value}


class PlannedDiff(NamedTuple):
    """Data diff that can be run."""

    subject: Subject
    plan: Callable[[], Plan[AnyAnswer]]
    sql: tuple[str, ...] = ()
    """Rendered queries of the user: base's and current's."""


class RequestRules(Struct, frozen=True, kw_only=True):
    """Rules of the server or the command that answers requests."""

    privacy: Privacy | None = None
    """Values to withhold; None to show every value."""
    globs: NodeGlobs = ()
    """Settings of nodes in the configuration."""
    project_dir: Path | None = None
    """Folder of dbt_project.yml, for variables in templates."""


def refuse_request(request: DataDiffRequest, privacy: Privacy | None) -> None:
    """Raise UsageError if *request* has an option that its kind lacks, or shows values that are withheld.

    A user's SQL could rename a private column, or find its values by counting, as could what counts as equal.
    With privacy it is refused.
    """
    kind = request.kind
    for name, option in OPTIONS.items():
        value = getattr(request, name, None)
        if value and name not in {one.name for one in kind.options}:
            noun = option.noun or name
            raise UsageError(f"A {kind.name} has no {noun}", hint=f"leave {option.field_name} empty")
        if option.choices and value and value not in option.choices:
            raise UnknownNameError(name, value, option.choices)
        if option.most and value is not None and not 0 < value <= option.most:
            raise UsageError(f"{name} must be from 1 to {option.most:,}", hint=f"change {name}")
    if request.compare == SCHEMA:
        refuse_rows(request, request.key, request.why)
    if privacy is None:
        return
    if not privacy.keeps_values and (kind.shows_values or request.why):
        what = WHY.name if request.why else f"A {kind.name}"
        raise UsageError(
            f"{what} shows values, which this server withholds ({privacy.cause})",
            hint="count rows, or compare a profile or values",
        )
    if kind is QUERY or request.where:
        refuse_sql(privacy)
    for name in LENIENT:  # which find values by counting
        if getattr(request, name):
            raise UsageError(
                f"{name} could find withheld values by counting ({privacy.cause})",
                hint=f"leave {name} empty",
            )


def refuse_rows(options: RowOptions, *others: object) -> None:
    """Raise UsageError if *options*, or any of *others*, is about rows, which columns alone do not need."""
    if any(row_options(options).values()) or any(others):
        raise UsageError("A comparison of columns reads no rows", hint="leave out options about rows")


def refuse_sql(privacy: Privacy | None) -> None:
    """Raise UsageError for SQL of a user if values are withheld: it could rename a private column."""
    if privacy is not None:
        raise UsageError(
            f"SQL of users could show private values, which this server withholds ({privacy.cause})",
            hint="start a data diff without SQL",
        )


def plan_request(
    request: DataDiffRequest,
    runs: RunPair,
    resolver: RelationResolver,
    warehouse: Warehouse,
    statistics: Statistics,
    rules: RequestRules,
) -> PlannedDiff:
    """Return the plan of *request* for *runs*; everything that it needs of the store is read now.

    *warehouse* is current's, whose rules for queries apply to the user's SQL. Raises UsageError,
    SelectorError for an unknown node, TemplateError, and InvalidNodeSettings.
    """
    refuse_request(request, rules.privacy)
    if request.where:
        require_condition(request.where, warehouse)

    def guard(expression: str) -> None:
        refuse_sql(rules.privacy)
        require_expression(expression, warehouse)

    if request.kind is QUERY:
        return _query(request, runs, resolver, warehouse, rules)
    assert request.node is not None, "only a query has no node"
    chosen = subjects(runs, (), (request.node,), globs=rules.globs, whole=KEY in request.kind.options)
    if request.kind is SAMPLE:
        (sides,) = chosen
        options = request.options
        return PlannedDiff(sides.pair(resolver).subject, sample_plan(resolver, runs, sides, options))
    (job,) = _jobs(request, runs, resolver, chosen, statistics, rules, guard)
    return PlannedDiff(job.subject, job.plan)


def _jobs(
    request: DataDiffRequest,
    runs: RunPair,
    resolver: RelationResolver,
    chosen: Sequence[NodePair],
    statistics: Statistics,
    rules: RequestRules,
    guard: Guard,
) -> Sequence[Job]:
    kind = request.kind
    scope = FigureScope(
        columns=request.columns, exclude_columns=request.exclude_columns, where=request.where, guard=guard
    )
    if kind is ROW_COUNT:
        return [stored_counts_job(resolver, chosen, *statistics(chosen))]
    if kind is PROFILE and not (request.where or request.approximate):
        return stored_profile_jobs(resolver, chosen, *statistics(chosen), scope)
    if kind.name in FIGURE_KINDS:
        number = getattr(request, kind.number.name) if kind.number else None
        plan = partial(figures_within, kind=kind, scope=scope, number=number, approximate=request.approximate)
        return each(kind.diff, resolver, chosen, plan)
    withholds = rules.privacy is not None and not rules.privacy.keeps_values
    options = request.options
    if withholds:
        # Examples are values, and fetching them costs a statement.
        options = replace(options, examples=0)
    if request.why:
        options = replace(options, why=explaining(rules.privacy))
    return value_jobs(resolver, runs, chosen, options, detail=kind is DETAIL)


def _query(
    request: DataDiffRequest,
    runs: RunPair,
    resolver: RelationResolver,
    warehouse: Warehouse,
    rules: RequestRules,
) -> PlannedDiff:
    # Environment variables of the server are no business of its users.
    templates = Templates(runs, environ={}, project_dir=rules.project_dir)
    current = request.current_sql or ""
    base = request.base_sql or current
    job = query_job(resolver, templates, base, current, request.options, finds_key=True)
    of_base = warehouse if resolver.base is resolver.current else warehouse_named(resolver.base.name)
    for text, place in zip(job.queries, (of_base, warehouse), strict=True):
        require_query(text, place, is_guarded=True)
    return PlannedDiff(job.subject, job.plan, job.queries)
