"""Data diffs that a user asks for one at a time, by their kind and options, as plans to run.

The plans are those of the commands with the same names, so the results are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.adapter.read_only import require_condition, require_expression, require_query
from recce_meta.api.data.execution import Job, RelationResolver
from recce_meta.api.data.figures import figures_within
from recce_meta.api.data.jobs import NodePair, each, query_job, sample_plan, subjects, value_jobs
from recce_meta.api.data.statistics import StatisticsByNode, stored_counts_job, stored_profile_jobs
from recce_meta.api.render import Templates
from recce_meta.api.runs import RunPair
from recce_meta.config.nodes import NodeGlobs
from recce_meta.data_diff.options import DEFAULT_LIMIT, FigureScope, Guard, ValueOptions
from recce_meta.data_diff.plan import Plan
from recce_meta.data_diff.row_sample import RowSample
from recce_meta.errors import UsageError
from recce_meta.models.data_diff import AnyDataDiff, Subject
from recce_meta.models.figure_kinds import FIGURE_KINDS
from recce_meta.quality.privacy import Privacy
from recce_meta.warehouses import Warehouse, warehouse_named

DEFAULT_SAMPLE = 20

AnyAnswer: TypeAlias = AnyDataDiff | RowSample
Statistics = Callable[[Sequence[NodePair]], tuple[StatisticsByNode, StatisticsByNode]]
"""Returns the statistics of nodes that are stored with base and current."""


class DiffKind(str, Enum):
    """Kinds of data diffs of one node, and of a query."""

    ROW_COUNT = "row_count"
    VALUE = "value"
    DETAIL = "detail"
    PROFILE = "profile"
    TOP_K = "top_k"
    HISTOGRAM = "histogram"
    QUERY = "query"
    SAMPLE = "sample"
    DATA = "data"
    """All changed and affected nodes, as `diff --data` compares them."""


class KindFacts(NamedTuple):
    """What users read of a kind of data diff, and what they may choose; pages and forms follow from it."""

    title: str
    """Title of a result, before the name of the node."""
    label: str
    """Name in a list of kinds."""
    choices: tuple[str, ...] = ()
    """Names of form fields, in their order: `key`, `column`, `k`, `bins`, `limit`, `where`."""
    about: str = ""
    """What a diff of a node reads and shows, in one sentence; empty if the kind is not about a node."""
    shows_values: bool = False
    """True if it shows nothing else than values of columns."""


KINDS = {
    DiffKind.ROW_COUNT: KindFacts("Row count", "Row count", about="Counts the rows of both sides."),
    DiffKind.VALUE: KindFacts(
        "Value diff",
        "Values",
        ("key", "column", "where"),
        "Matches rows by key and compares every column; without a key, compares whole rows.",
    ),
    DiffKind.DETAIL: KindFacts(
        "Rows that differ",
        "Differing rows",
        ("key", "column", "limit", "where"),
        "Shows the rows that differ with the values of both sides, matched by key.",
        shows_values=True,
    ),
    **{
        DiffKind(one.name): KindFacts(one.title, one.label, one.choices, one.about, one.shows_values)
        for one in FIGURE_KINDS.values()
    },
    DiffKind.DATA: KindFacts("Comparison of all nodes", "All nodes"),
    DiffKind.QUERY: KindFacts("Query diff", "Query", ("key", "column", "limit", "where"), shows_values=True),
    DiffKind.SAMPLE: KindFacts(
        "Sample rows",
        "Sample rows",
        ("key", "column", "limit", "where"),
        "Shows the first rows of both sides together, matched by key if there is one.",
        shows_values=True,
    ),
}


_CHOICES = {
    "column": ("columns", "columns"),
    "where": ("where", "condition"),
    "key": ("key", "key"),
    "k": ("k", "number of values"),
    "bins": ("bins", "bins"),
}
"""Field of a request, and its noun in an error, of each choice that a kind may lack."""


class DataDiffRequest(Struct, frozen=True, kw_only=True):
    """Data diff that a user asks for."""

    kind: DiffKind
    base: str
    """Run of base."""
    current: str
    """Run of current."""
    node: str | None = None
    """Unique id of the node; None for a query and for all nodes."""
    columns: tuple[str, ...] = ()
    """Columns to compare; empty for all."""
    key: tuple[str, ...] = ()
    """Columns that identify a row; empty for the key that the project declares."""
    where: str | None = None
    """Condition on the rows of both sides, in the warehouse's SQL."""
    k: int | None = None
    """Number of most frequent values."""
    bins: int | None = None
    """Approximate number of bins of a histogram."""
    limit: int | None = None
    """Number of rows of a query or a sample."""
    base_sql: str | None = None
    """Template of the query of base; None for that of current."""
    current_sql: str | None = None
    """Template of the query of current."""

    @property
    def options(self) -> ValueOptions:
        """Options of the comparison of rows."""
        usual = DEFAULT_SAMPLE if self.kind is DiffKind.SAMPLE else DEFAULT_LIMIT
        return ValueOptions(
            key=self.key or None, columns=self.columns, where=self.where, limit=self.limit or usual
        )


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

    A user's SQL could rename a private column, or find its values by counting. With privacy it is refused.
    """
    kind, facts = request.kind, KINDS[request.kind]
    for choice, (field, noun) in _CHOICES.items():
        if getattr(request, field) and choice not in facts.choices:
            raise UsageError(f"A {kind.value} has no {noun}", hint=f"leave {choice} empty")
    number = FIGURE_KINDS[kind.value].number if kind.value in FIGURE_KINDS else None
    if number and number.most and (getattr(request, number.name) or 1) > number.most:
        raise UsageError(f"{number.name} must be at most {number.most:,}", hint=f"change {number.name}")
    if privacy is None:
        return
    if not privacy.keeps_values and facts.shows_values:
        raise UsageError(
            f"A {kind.value} shows values, which this server withholds (--no-values, privacy.values)",
            hint="count rows, or compare a profile or values",
        )
    if kind is DiffKind.QUERY or request.where:
        refuse_sql(privacy)


def refuse_sql(privacy: Privacy | None) -> None:
    """Raise UsageError for SQL of a user if values are withheld: it could rename a private column."""
    if privacy is not None:
        raise UsageError(
            "SQL of users could show private values, which this server withholds (--private, privacy)",
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

    if request.kind is DiffKind.QUERY:
        return _query(request, runs, resolver, warehouse, rules)
    assert request.node is not None, "only a query has no node"
    chosen = subjects(
        runs, (), (request.node,), globs=rules.globs, whole="key" in KINDS[request.kind].choices
    )
    if request.kind is DiffKind.SAMPLE:
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
    scope = FigureScope(columns=request.columns, where=request.where, guard=guard)
    if request.kind is DiffKind.ROW_COUNT:
        return [stored_counts_job(resolver, chosen, *statistics(chosen))]
    if request.kind is DiffKind.PROFILE and not request.where:
        return stored_profile_jobs(resolver, chosen, *statistics(chosen), scope)
    if kind := FIGURE_KINDS.get(request.kind.value):
        number = getattr(request, kind.number.name) if kind.number else None
        plan = partial(figures_within, kind=kind, scope=scope, number=number)
        return each(kind.diff, resolver, chosen, plan)
    withholds = rules.privacy is not None and not rules.privacy.keeps_values
    options = request.options
    if withholds:
        # Examples are values, and fetching them costs a statement.
        options = replace(options, examples=0)
    return value_jobs(resolver, runs, chosen, options, detail=request.kind is DiffKind.DETAIL)


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
