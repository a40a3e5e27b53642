"""Checks of a checks file with parameters and thresholds, and their results.

A check is one diff with thresholds. `checks.file` reads `params` and `expect`, the caller computes the diff,
and `checks.expectations` compares its result with the expectations. Parameters and thresholds are one struct
for each shape, shared by check types. A limit of None was not given; each struct documents its meaning.
Stored results are figures and sentences, without values of the user's data.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias

from msgspec import UNSET, Struct, field

from recce_meta.models.change import RunDiff
from recce_meta.models.data_diff import AnyDataDiff, Failed
from recce_meta.models.diff_kinds import CHECKED_ROWS, RowOptions
from recce_meta.models.node import Json
from recce_meta.models.rows import StringEnum, Tabular
from recce_meta.models.run import RunChoice

OTHERS = "*"
"""Key, in a mapping by column, for all columns that are not listed."""


FIGURES = (
    "row_count",
    "not_null_count",
    "not_null_proportion",
    "distinct_count",
    "distinct_proportion",
    "is_unique",
    "min",
    "max",
    "avg",
    "median",
    "true_count",
    "min_length",
    "max_length",
    "avg_length",
)
"""Figures of a profile that can have a limit."""


class Amount(Struct, frozen=True):
    """Upper limit: a count, a difference, or a share.

    It is a Decimal, because 29 % of 100 is 29 rows, and 0.29 is not exact as a float.

    >>> str(Amount(Decimal("0.05"), is_share=True)), str(Amount(Decimal(1000)))
    ('5%', '1,000')
    """

    value: Decimal
    """The count or difference, or the share as a fraction (0.05 for `5%`)."""
    is_share: bool = False

    def __str__(self) -> str:
        value = (self.value * 100 if self.is_share else self.value).normalize()
        return f"{value:,f}%" if self.is_share else f"{value:,f}"


NONE = Amount(Decimal(0))


class ExpectEqual(Struct, frozen=True):
    """`expect: equal`: no difference is accepted."""


class ExpectValues(Struct, frozen=True, kw_only=True):
    """Thresholds of `value_diff`. Differences that are neither allowed nor within a limit fail."""

    max_mismatch: Amount | Mapping[str, Amount] = NONE
    """Common rows with at least one different value; shares are of common rows. By column: rows whose value
    in the column differs; a column that is neither listed nor covered by `*` must not differ."""
    max_added: Amount = NONE
    """Rows that only current has; shares are of base's rows."""
    max_removed: Amount = NONE
    """Rows that only base has; shares are of base's rows."""
    allow: frozenset[str] = frozenset()


class ExpectRows(Struct, frozen=True, kw_only=True):
    """Thresholds of `value_diff_detail` and `query_diff`: number of rows that may differ."""

    max_differing_rows: Amount = NONE
    """Added, removed and changed rows; shares are of all rows, with common rows counted once."""
    allow: frozenset[str] = frozenset()
    """Kinds of differences that are not counted."""


class ExpectCounts(Struct, frozen=True, kw_only=True):
    """Thresholds of `row_count` and `row_count_diff`. Limits that are not given are not checked."""

    row_count_change: Amount | None = None
    """Change in either direction; shares are of base's rows."""
    max_increase: Amount | None = None
    max_decrease: Amount | None = None
    min_rows: int | None = None
    """Rows on current."""
    max_rows: int | None = None
    # A relation that only current has is the normal result of a new model.
    allow: frozenset[str] = frozenset({"added"})
    """`added`, `removed`: relations that only one side has."""


class ExpectSchema(Struct, frozen=True, kw_only=True):
    """Thresholds of `schema_diff`."""

    allow: frozenset[str] = frozenset()
    """Accepted statuses of columns."""


class ExpectProfile(Struct, frozen=True, kw_only=True):
    """Thresholds of `profile_diff`. Figures without a limit are not checked."""

    max_change: Mapping[str, Amount] = field(default_factory=dict)
    """Limits by figure (`row_count`, `avg`, …), for every column."""
    columns: Mapping[str, Mapping[str, Amount]] = field(default_factory=dict)
    """Limits by column and figure; they override `max_change`."""
    allow: frozenset[str] = frozenset({"added"})
    """`added`, `removed`: columns that only one side has."""


class ExpectDistribution(Struct, frozen=True, kw_only=True):
    """Thresholds of `histogram_diff` and `top_k_diff`."""

    max_distance: Mapping[str, Amount]
    """By column (`*` for all other columns): share of rows that would have to move to another bin or value.
    A column that is neither listed nor covered by `*` is not checked."""


class ExpectResult(Struct, frozen=True, kw_only=True):
    """Thresholds of `query` and `query_base`. Limits that are not given are not checked."""

    rows: int | None = None
    """Exact number of rows."""
    min_rows: int | None = None
    max_rows: int | None = None
    # Not None, which means that NULL is expected.
    value: Any = UNSET
    """Single value of the single row; None for NULL."""


class ExpectLineage(Struct, frozen=True, kw_only=True):
    """Thresholds of `lineage_diff`."""

    allow: frozenset[str] = frozenset()
    """Accepted statuses and reasons of changes."""


Expect: TypeAlias = (
    ExpectEqual
    | ExpectValues
    | ExpectRows
    | ExpectCounts
    | ExpectSchema
    | ExpectProfile
    | ExpectDistribution
    | ExpectResult
    | ExpectLineage
)


class QueryParams(Struct, frozen=True, kw_only=True):
    """Parameters of `query` and `query_base`."""

    sql_template: str


class QueryDiffParams(Struct, frozen=True, kw_only=True):
    """Parameters of `query_diff`."""

    sql_template: str
    base_sql_template: str | None = None
    """Query for base; None for the same query as on current."""
    current_model: str | None = None
    """Model on current to compare with the query's result on current, instead of base."""
    primary_keys: tuple[str, ...] = ()
    """Key columns; if empty, the results are compared as multisets."""


class ValueDiffParams(RowOptions, frozen=True, kw_only=True):
    """Parameters of `value_diff` and `value_diff_detail`."""

    model: str
    primary_key: tuple[str, ...] = ()
    """Key columns; if empty, detected from the project (`unique_key`, tests, constraints)."""
    limit: int = CHECKED_ROWS
    """Most rows of `value_diff_detail`."""
    why: bool = False
    """True to explain the rows that differ, in `value_diff`."""


class NodesParams(Struct, frozen=True, kw_only=True):
    """Node selection of `row_count`, `row_count_diff`, `schema_diff` and `lineage_diff`."""

    names: tuple[str, ...] = ()
    """`node_names`."""
    ids: tuple[str, ...] = ()
    """`node_ids`, or `node_id`."""
    select: str | None = None
    """Selection in dbt's grammar."""
    exclude: str | None = None
    packages: tuple[str, ...] | None = None
    """Packages of a selection; None for the project's own package, as in recce. Empty for all packages."""
    view_mode: str | None = None
    """`all`, or `changed_models`: changed nodes, their parents, and downstream nodes; None means `all`."""


class FigureParams(Struct, frozen=True, kw_only=True):
    """Parameters of `profile`, `profile_diff`, `top_k_diff` and `histogram_diff`."""

    model: str
    columns: tuple[str, ...] = ()
    """Columns to compare, of `column_name` or `columns`; all of a profile if empty."""
    exclude_columns: tuple[str, ...] = ()
    where: str | None = None
    """Condition on the rows of both sides, in the warehouse's SQL."""
    number: int | None = None
    """Number of values or bins; None for the default."""


class SimpleParams(Struct, frozen=True, kw_only=True):
    """Parameters of `simple`: an entry of recce's checklist for people to tick, with nothing to run."""


CheckParams: TypeAlias = (
    QueryParams | QueryDiffParams | ValueDiffParams | NodesParams | FigureParams | SimpleParams
)


CheckAnswer: TypeAlias = AnyDataDiff | RunDiff
"""Result of a check's diff: a data diff, or a lineage diff."""


class CheckStatus(StringEnum):
    """Status of a check that was run."""

    PASSED = "passed"
    """The check ran and meets all expectations; without `expect` it always passes."""
    FAILED = "failed"
    """The check ran, and at least one expectation is not met."""
    ERROR = "error"
    """The check could not be read, or could not run."""
    SKIPPED = "skipped"
    """The check is optional and could not run, or there is nothing to run."""


class DataCheck(Struct, frozen=True, kw_only=True):
    """One check of a checks file."""

    name: str
    """Unique within the file."""
    description: str = ""
    type: str
    """value_diff, row_count_diff, …: a key of `checks.types.TYPES`."""
    params: CheckParams
    expect: Expect | None = None
    """None if the check only reports, and passes whenever it runs."""
    optional: bool = False
    """True if the check is skipped when it cannot run; an exceeded threshold still fails it."""
    view_options: Mapping[str, Any] = field(default_factory=dict)
    """How recce shows the result; stored, but not used."""
    path: Path
    line: int
    """First line of the check, from 1."""

    @property
    def where(self) -> str:
        """`checks.yml:12`."""
        return f"{self.path}:{self.line}"


class CheckProblem(Struct, frozen=True):
    """One error in the definition of a check."""

    message: str
    """Message with file and line."""
    hint: str | None = None


class BrokenCheck(Struct, frozen=True, kw_only=True):
    """A check with an invalid definition; the remaining checks still run."""

    name: str
    """Name in the file, or `check 3` if it has no usable name."""
    description: str = ""
    type: str = ""
    """Type in the file, even if unknown; empty if it is missing."""
    problems: tuple[CheckProblem, ...]
    """At least one."""
    path: Path
    line: int

    @property
    def where(self) -> str:
        """`checks.yml:12`."""
        return f"{self.path}:{self.line}"


AnyCheck: TypeAlias = DataCheck | BrokenCheck


class CheckResult(Struct, frozen=True, kw_only=True):
    """Result of one check."""

    name: str
    type: str
    """Type in the file; empty if it is missing."""
    status: CheckStatus
    description: str = ""
    message: str = ""
    """First violation, error, or note; one line, except for errors of the warehouse."""
    hint: str | None = None
    """What to do next, for checks that did not pass."""
    results: tuple[CheckAnswer, ...] = ()
    """Results of the diff: one, except for `schema_diff`, which has one for each node."""
    violations: tuple[str, ...] = ()
    """One sentence with figures for each expectation that is not met."""
    seconds: float = 0.0
    optional: bool = False
    has_expectations: bool = False
    """False if the check only reports: `passed` then only means that it ran."""
    where: str = ""
    """`checks.yml:12`."""
    is_malformed: bool = False
    """True if the file is wrong: it has an unknown type or field, or names an unknown node."""

    @property
    def result(self) -> CheckAnswer | None:
        """The only result, or the first."""
        return self.results[0] if self.results else None

    @property
    def failures(self) -> tuple[Failed, ...]:
        """Diffs of the check that failed."""
        return tuple(answer for answer in self.results if isinstance(answer, Failed))


class CheckReport(Tabular, frozen=True, kw_only=True):
    """Results of all checks of a file."""

    checks: tuple[CheckResult, ...]
    """Results in the order of the file."""
    path: str = ""
    """Path of the file as given by the user."""
    seconds: float = 0.0
    """Time from the start of the first check to the end of the last check."""
    choice: RunChoice | None = None
    """How the two runs were chosen; None if the caller named them."""

    @property
    def is_passed(self) -> bool:
        """True if no check failed and every check ran, except optional checks."""
        return not any(check.status in (CheckStatus.FAILED, CheckStatus.ERROR) for check in self.checks)

    def count(self, status: CheckStatus) -> int:
        """Return the number of checks with *status*."""
        return sum(check.status is status for check in self.checks)


OWN_ORIGIN = "recce_meta"
"""Origin of results stored by `check run --save`."""


class StoredFinding(Struct, frozen=True, kw_only=True):
    """Finding of a check about one node, relation or query."""

    unique_id: str | None = None
    """None for a relation or a query."""
    name: str
    finding: str
    """`differs`, `same`, `only_in_base`, `only_in_current`, `not_compared`, `shown` or `failed`."""
    text: str
    """Counts as text: `100 → 101 (+1, +1.0%)`."""


EXPECT = "expect"
"""Parameter of a stored check of a checklist with its thresholds, as checks.yml has them."""


class StoredCheck(Struct, frozen=True, kw_only=True):
    """Result of one check, stored with the runs that it compared."""

    check_result_id: str
    """Hash of the result: storing it again is a no-op."""
    checked_at: datetime
    """When the check ran, in UTC."""
    base_run_id: str | None
    current_run_id: str | None
    origin: str = OWN_ORIGIN
    """`recce_meta`, or `recce` and its version if it was imported."""
    file_name: str = ""
    """Name of the checks file, without its folder."""
    ordinal: int
    """Position in the file, from 1."""
    check_name: str
    check_type: str
    description: str = ""
    status: str
    """`passed`, `failed`, `error` or `skipped`."""
    has_expectations: bool
    is_optional: bool = False
    node_count: int | None = None
    """Nodes with a finding; None if there are no findings."""

    differing_nodes: int | None = None
    uncompared_nodes: int | None = None
    message: str = ""
    violations: tuple[str, ...] = ()
    findings: tuple[StoredFinding, ...] = ()
    seconds: float | None = None
    parameters: dict[str, Json] = {}
    recorder_version: str

    @property
    def is_removed(self) -> bool:
        """True for the entry that removes a check from the checklist of a review."""
        return EXPECT in self.parameters and self.parameters[EXPECT] is None
