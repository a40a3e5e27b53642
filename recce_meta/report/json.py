"""Results as JSON documents; `schema` names a document's schema and version.

Equal results give equal bytes, and nothing is cut. Within a version, fields are only added. The documents are
described in docs/reference (diffs and data diffs), docs/guides (checks and quality), docs/concepts/impact.md
and the JSON Schemas.

A cell's value is a JSON value that every reader keeps exactly, or a string.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Annotated, Any, NamedTuple, TypeAlias

import msgspec
from msgspec import UNSET, Struct, UnsetType

from recce_meta.errors import plural
from recce_meta.models.change import Change, Impact, RunDiff
from recce_meta.models.checks import CheckAnswer, CheckReport, CheckResult, CheckStatus
from recce_meta.models.data_diff import MEAN_DIGITS, AnyDataDiff, Value
from recce_meta.models.lineage import (
    Direction,
    FailingNode,
    ForeignKey,
    ImpactView,
    KnownEdge,
    LineageNode,
    LineageView,
    ReachedNode,
)
from recce_meta.models.marks.annotation import Annotation
from recce_meta.models.marks.review import PairReviews
from recce_meta.models.node import LineageEdge, NodeResult
from recce_meta.models.numbers import digits_of
from recce_meta.models.quality import QualityRun, TableQuality
from recce_meta.models.rows import published
from recce_meta.models.run import Check, RunChoice, RunMetadata
from recce_meta.models.stored import StatisticsSummary
from recce_meta.quality.compare import QualityResult, TableChange
from recce_meta.quality.figures import Violation
from recce_meta.report.data.check_findings import FindingKind, check_word, checks_phrase, node_findings
from recce_meta.report.data.summary import DataSummary, data_summary, summarise_nodes
from recce_meta.report.labels import DiffSummary, summarise
from recce_meta.report.review.phrases import impacts_with_failures
from recce_meta.report.review.verdict import Checks, verdict_of
from recce_meta.report.terminal import pretty_json
from recce_meta.report.values import number_text
from recce_meta.tables.gaps import Gap, gaps

DIFF_SCHEMA = "recce_meta/diff/v1"
RUNS_SCHEMA = "recce_meta/runs/v1"
RUN_SCHEMA = "recce_meta/run/v1"
LINEAGE_SCHEMA = "recce_meta/lineage/v1"
CHECKS_SCHEMA = "recce_meta/checks/v1"


class EncodedAs(NamedTuple):
    """Annotation of a field with JSON that is already encoded: the type that it has."""

    of: Any
    is_tree: bool = False
    """True if `data_tree` wrote it, with computed fields."""


class VerdictDocument(Struct, kw_only=True):
    """Verdict of a comparison."""

    tone: str
    """Worst of what was found: failed, differs, not-compared, one-sided, info or same."""
    sentences: Sequence[str]
    """The worst first, after what limits the whole comparison; what was not compared has its sentence."""


class DiffDocument(Struct, kw_only=True):
    """Output of `diff --format json`: the differences between two runs."""

    schema: str = DIFF_SCHEMA
    base: RunMetadata
    current: RunMetadata
    summary: DiffSummary
    changes: Sequence[Change]
    impacted: Sequence[Impact]
    children: Sequence[LineageEdge]
    notes: Sequence[str]
    verdict: VerdictDocument
    """What a reviewer reads first, of code, builds, data and checks."""
    choice: RunChoice | UnsetType = UNSET
    """How the two runs were chosen."""
    data_schema: str | UnsetType = UNSET
    """Schema of the results in `data`."""
    data_summary: Annotated[Any, EncodedAs(DataSummary, is_tree=True)] | UnsetType = UNSET
    """Number of nodes by result, if data was compared."""
    data_not_compared: Sequence[Annotated[Any, EncodedAs(Gap, is_tree=True)]] | UnsetType = UNSET
    """Every requested part that was not compared, with its reason."""
    data: Sequence[Annotated[Any, EncodedAs(AnyDataDiff, is_tree=True)]] | UnsetType = UNSET
    """Results of the data diffs."""
    data_taken_at: datetime | UnsetType = UNSET
    """Time of the oldest result, if `data` is stored results."""
    checks: Annotated[Any, EncodedAs("CheckRunDocument", is_tree=True)] | UnsetType = UNSET
    """Results of the checks, if a file of checks was run."""
    reviews: PairReviews | UnsetType = UNSET
    """Marks of reviewers, if there are any."""
    truncated: bool | UnsetType = UNSET
    """Whether changes or impacted nodes were left out, as in large answers of a server; commands omit it."""


class RunsDocument(Struct, kw_only=True):
    """Output of `runs --format json`."""

    schema: str = RUNS_SCHEMA
    runs: Sequence[RunMetadata]


class RunDocument(Struct, kw_only=True):
    """Output of `show --format json` and `record --format json`."""

    schema: str = RUN_SCHEMA
    run: RunMetadata
    counts: Mapping[str, int]
    results: Sequence[NodeResult]
    statistics: StatisticsSummary | UnsetType = UNSET
    columns: Mapping[str, int] | UnsetType = UNSET
    """Set by `record`: number of nodes whose columns were `traced`, `reused` and `not_traced`."""
    annotations: Sequence[Annotation] | UnsetType = UNSET
    """Notes, tags and owners of nodes, columns and edges; left out if there are none."""


class LineageDocument(Struct, kw_only=True):
    """Output of `lineage --format json`."""

    schema: str = LINEAGE_SCHEMA
    root: str
    direction: Direction
    nodes: Sequence[LineageNode]
    edges: Sequence[LineageEdge | KnownEdge]
    """Edges of a recorded run have their origin."""
    foreign_keys: Sequence[ForeignKey] | UnsetType = UNSET
    """Foreign keys that begin or end at the root; left out if there are none."""
    truncated: bool | UnsetType = UNSET
    """Whether nodes were left out, as in large answers of a server; commands omit it."""
    annotations: Sequence[Annotation] | UnsetType = UNSET
    """Notes, tags and owners of nodes, columns and edges; left out if there are none."""


class ChecksDocument(Struct, kw_only=True):
    """Output of `doctor --format json`."""

    schema: str = CHECKS_SCHEMA
    ok: bool
    checks: Sequence[Check]


def diff_json(
    diff: RunDiff,
    data: Sequence[AnyDataDiff] | None = None,
    checks: Checks | None = None,
    *,
    reviews: PairReviews | None = None,
    taken_at: datetime | None = None,
    most: int | None = None,
) -> str:
    """Return *diff* as a document of schema `recce_meta/diff/v1`, with *data* diffs, *checks* and *reviews*.

    Stored *checks* are part of the verdict only. *taken_at* is the time of the oldest of *data* if they are
    stored results.
    *most* limits the changes and the impacted nodes; the document then says if it is truncated.
    """
    about_data = {} if data is None else _about(data)
    about_data |= {} if taken_at is None else {"data_taken_at": taken_at}
    check_run: Any = UNSET
    if isinstance(checks, CheckReport):
        check_run = msgspec.Raw(check_report_json(checks).encode())
    marks = reviews or UNSET
    parts = _parts(diff, data or (), checks)
    return _encoded(DiffDocument(**_limited(parts, most), **about_data, checks=check_run, reviews=marks))


def _limited(parts: dict[str, Any], most: int | None) -> dict[str, Any]:
    """Return *parts* of a diff with at most *most* changes, impacted nodes and edges to children."""
    if most is None:
        return parts
    lists = {name: parts[name] for name in ("changes", "impacted", "children")}
    is_cut = any(len(found) > most for found in lists.values())
    return {**parts, **{name: found[:most] for name, found in lists.items()}, "truncated": is_cut}


def _parts(diff: RunDiff, data: Sequence[AnyDataDiff] = (), checks: Checks | None = None) -> dict[str, Any]:
    found = verdict_of(diff, data, checks)
    return {
        "base": diff.base,
        "current": diff.current,
        "summary": summarise(diff),
        "changes": sorted(diff.changes, key=lambda change: change.unique_id),
        "impacted": sorted(
            impacts_with_failures(diff), key=lambda impact: (impact.distance, impact.unique_id)
        ),
        "children": sorted(diff.children),
        "notes": list(diff.notes),
        "verdict": VerdictDocument(tone=found.tone, sentences=found.sentences),
        "choice": UNSET if diff.choice is None else diff.choice,
    }


def _about(data: Sequence[AnyDataDiff]) -> dict[str, Any]:
    return {
        "data_schema": DATA_SCHEMA,
        "data_summary": data_tree(data_summary(summarise_nodes(data))),
        "data_not_compared": [data_tree(gap) for gap in gaps(data)],
        "data": [data_tree(result) for result in data],
    }


def runs_json(runs: Sequence[RunMetadata]) -> str:
    """Return *runs* in the order given."""
    return _encoded(RunsDocument(runs=runs))


def run_json(
    run: RunMetadata,
    counts: Mapping[str, int],
    results: Sequence[NodeResult] = (),
    statistics: StatisticsSummary | None = None,
    annotations: Sequence[Annotation] = (),
    *,
    columns: Mapping[str, int] | None = None,
) -> str:
    """Return one run, its number of nodes by resource type, its results, its statistics and its annotations.

    *columns* is the number of nodes whose columns were traced when the run was recorded.
    """
    return _encoded(
        RunDocument(
            run=run,
            counts=counts,
            results=sorted(results, key=lambda r: r.unique_id),
            statistics=UNSET if statistics is None else statistics,
            columns=UNSET if columns is None else columns,
            annotations=annotations or UNSET,
        )
    )


def lineage_json(view: LineageView, truncated: bool | UnsetType = UNSET) -> str:
    """Return *view* with its nodes from the farthest upstream to the farthest downstream.

    *truncated* is whether the server left out nodes.
    """
    nodes = sorted(view.nodes, key=lambda node: (node.distance, node.unique_id))
    return _encoded(
        LineageDocument(
            root=view.root,
            direction=view.direction,
            nodes=nodes,
            edges=sorted(view.edges),
            foreign_keys=view.foreign_keys or UNSET,
            truncated=truncated,
            annotations=view.annotations or UNSET,
        )
    )


def checks_json(checks: Sequence[Check]) -> str:
    """Return the results of `doctor` in the order given; `ok` is false if one of them failed."""
    return _encoded(ChecksDocument(ok=all(check.ok is not False for check in checks), checks=checks))


def _encoded(document: Struct) -> str:
    return pretty_json(document, is_sorted=True)


IMPACT_SCHEMA = "recce_meta/impact/v1"


class ImpactDocument(Struct, kw_only=True):
    """Output of `impact --format json`."""

    schema: str = IMPACT_SCHEMA
    root: str
    column: str | None
    direction: Direction
    notes: Sequence[str]
    nodes: Sequence[ReachedNode]
    edges: Sequence[LineageEdge]
    fails: Sequence[FailingNode] | None
    doubtful: Sequence[str] = ()
    """Downstream nodes with SQL that was not traced or is a guess: more nodes may fail."""
    truncated: bool | UnsetType = UNSET
    """Whether nodes were left out, as in large answers of a server; commands omit it."""
    annotations: Sequence[Annotation] | UnsetType = UNSET
    """Notes, tags and owners of nodes, columns and edges; left out if there are none."""


def impact_json(view: ImpactView, truncated: bool | UnsetType = UNSET) -> str:
    """Return *view* as a document of schema `recce_meta/impact/v1`.

    *truncated* is whether the server left out nodes.
    """
    document = ImpactDocument(
        root=view.root,
        column=view.column,
        direction=view.direction,
        notes=view.notes,
        nodes=view.nodes,
        edges=view.edges,
        fails=view.fails,
        doubtful=view.doubtful,
        truncated=truncated,
        annotations=view.annotations or UNSET,
    )
    return pretty_json(document, is_sorted=True)


DATA_SCHEMA = "recce_meta/data-diff/v2"
SCHEMA_VERSION = 2
KIND = "data_diff"

LARGEST_INTEGER = 2**53 - 1
"""A reader that represents every number as a float, such as JavaScript, rounds larger integers."""

FIGURES = frozenset(["mean_difference", "largest_difference", "tolerance", "relative_tolerance"])
"""Computed fields and options, written as numbers; decimals in cells are always strings."""

JsonTree: TypeAlias = Any


class DataDocument(Struct, kw_only=True):
    """Output of the commands that compare data, with `--format json`."""

    schema: str = DATA_SCHEMA
    schema_version: int = SCHEMA_VERSION
    kind: str = KIND
    choice: RunChoice | UnsetType = UNSET
    """How the two runs were chosen."""
    summary: DataSummary
    not_compared: Sequence[Gap]
    """Every requested part that was not compared, with its reason: a limit, an option, the budget, two
    warehouses, a key with NULLs or duplicates, or a failure."""
    results: Sequence[AnyDataDiff]
    """One result per node, relation or query, in the order of the request."""


def data_json(results: Sequence[AnyDataDiff], choice: RunChoice | None = None) -> str:
    """Return *results* in the order given, with the *choice* of runs."""
    return tree_json(
        DataDocument(
            choice=UNSET if choice is None else choice,
            summary=data_summary(summarise_nodes(results)),
            not_compared=gaps(results),
            results=results,
        )
    )


def data_tree(value: Struct | Value) -> JsonTree:
    """Return a result, or any part of one, as JSON objects, arrays, strings, numbers, booleans and null.

    JSON that is already encoded is not changed.
    """
    if isinstance(value, msgspec.Raw):
        return value
    if isinstance(value, Struct):
        tag = type(value).__struct_config__.tag
        given = {name: getattr(value, name) for name in _names(type(value))}
        fields = {name: _field(name, cell) for name, cell in given.items() if cell is not UNSET}
        return {"type": tag} | fields if tag else fields
    if isinstance(value, Enum):
        return data_tree(value.value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, float, Decimal)):
        return _number(value)
    if isinstance(value, (list, tuple, set, frozenset)):
        return [data_tree(item) for item in value]
    if isinstance(value, Mapping):
        return _mapping(value)
    return _text(value)


def _field(name: str, value: Value) -> JsonTree:
    """Return the field *name*; a decimal that is not a cell is a number if a float can represent it."""
    if name not in FIGURES or not isinstance(value, Decimal) or not value.is_finite():
        return data_tree(value)
    near = float(value)
    # A mean with all its digits is rounded anyway, so the nearest double is as good.
    is_endless = len(value.as_tuple().digits) >= MEAN_DIGITS and abs(near) <= LARGEST_INTEGER
    if math.isfinite(near) and (is_endless or Decimal(repr(near)) == value):
        return int(value) if value == int(near) else near
    return f"{value:f}"


@cache
def _names(kind: type[Struct]) -> tuple[str, ...]:
    """Return the fields, followed by the published properties."""
    # Base classes first, so that a subclass only adds fields at the end.
    computed = [
        name
        for base in reversed(kind.__mro__)
        for name, member in vars(base).items()
        if isinstance(member, published)
    ]
    return tuple(dict.fromkeys((*kind.__struct_fields__, *computed)))


def _number(value: float | Decimal) -> JsonTree:
    if isinstance(value, int):
        return value if abs(value) <= LARGEST_INTEGER else digits_of(value)
    if isinstance(value, Decimal) or not math.isfinite(value):
        return number_text(value)
    return value


def _mapping(value: Mapping[Value, Value]) -> JsonTree:
    """Return an object, or an array of pairs if a key is not a string, so that no key is lost."""
    if all(isinstance(key, str) for key in value):
        return {_clean(key): data_tree(item) for key, item in value.items()}
    # As text, the keys 1 and "1" would be one.
    return [[data_tree(key), data_tree(item)] for key, item in value.items()]


def _text(value: Value) -> str:
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return "\\x" + bytes(value).hex()
    if isinstance(value, (datetime, date, time, timedelta)):
        text: str = msgspec.to_builtins(value, str_keys=True)
        return text
    return _clean(str(value))


def _clean(text: str) -> str:
    """Return *text* with U+FFFD for unpaired surrogates, which UTF-8 cannot represent."""
    # UTF-16 joins pairs of surrogates, so that only unpaired ones are replaced.
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


CHECK_RUN_SCHEMA = "recce_meta/check-run/v1"


class LineageDiffAnswer(DiffDocument, kw_only=True, tag_field="type", tag="lineage_diff"):
    """Result of a check of type `lineage_diff`: the output of `diff --format json` with a `type`."""


class CheckFinding(Struct):
    """Finding of a check about one node, relation or query."""

    name: str
    finding: FindingKind
    text: str
    """Counts as text: `100 → 101 (+1, +1.0%)`."""


class CheckOutcome(Struct, kw_only=True):
    """Result of one check."""

    name: str
    type: str
    """Type in the file; empty if it is missing."""
    status: CheckStatus
    outcome: str
    """Status, or the finding of a check without expectations: `differs`, `not compared`, `shown` or
    `no difference`; `note` for an entry without a query."""
    description: str
    message: str
    """First violation, error, or note; one line, except for errors of the warehouse."""
    hint: str | None
    """What to do next, for checks that did not pass."""
    violations: Sequence[str]
    """One sentence with figures for each expectation that is not met."""
    seconds: float
    optional: bool
    has_expectations: bool
    """False if the check only reports: `passed` then only means that it ran."""
    where: str
    """File and line of the check: `checks.yml:12`."""
    is_malformed: bool
    """True if the file is wrong: it has an unknown type or field, or names an unknown node."""
    findings: Sequence[CheckFinding]
    """One for each compared node, relation or query."""
    results: Sequence[AnyDataDiff | Annotated[msgspec.Raw, EncodedAs(LineageDiffAnswer)]]
    """Results of the diff: one, except for `schema_diff`, which has one for each node."""


class CheckRunDocument(Struct, kw_only=True):
    """Output of `check run --format json`: the results of all checks of a file, in its order."""

    schema: str = CHECK_RUN_SCHEMA
    is_passed: bool
    """True if no check failed and every check ran, except optional checks."""
    choice: RunChoice | UnsetType = UNSET
    """How the two runs were chosen."""
    path: str
    """Path of the file as given."""
    seconds: float
    summary: str
    """Counts as a sentence."""
    counts: Mapping[str, int]
    """Number of checks by status."""
    checks: Sequence[CheckOutcome]


def check_report_json(report: CheckReport) -> str:
    """Return *report* as a document of schema `recce_meta/check-run/v1`.

    Results are as in docs/reference/data-json.md; a lineage diff is as in docs/reference/diff-json.md with an
    additional `type`.
    """
    return tree_json(
        CheckRunDocument(
            is_passed=report.is_passed,
            path=report.path,
            choice=UNSET if report.choice is None else report.choice,
            seconds=round(report.seconds, 6),
            summary=checks_phrase(report.checks, plural(len(report.checks), "check")),
            counts={str(status): report.count(status) for status in CheckStatus},
            checks=[_outcome(check) for check in report.checks],
        )
    )


def _outcome(check: CheckResult) -> CheckOutcome:
    same = {name: getattr(check, name) for name in check.__struct_fields__ if name != "results"}
    found = node_findings(check.type, check.results)
    findings = [CheckFinding(one.name, one.finding, one.text) for one in found]
    return CheckOutcome(
        **same,
        outcome=check_word(check),
        findings=findings,
        results=[_answer(answer) for answer in check.results],
    )


def _answer(answer: CheckAnswer) -> AnyDataDiff | msgspec.Raw:
    if not isinstance(answer, RunDiff):
        return answer
    # Encoded here, because `data_tree` would add computed fields that `diff --format json` lacks.
    return msgspec.Raw(msgspec.json.encode(LineageDiffAnswer(**_parts(answer)), order="deterministic"))


QUALITY_SCHEMA = "recce_meta/quality/v1"


class QualityDocument(Struct, kw_only=True):
    """Output of `quality --format json`: one measurement of tables, and its changes."""

    schema: str = QUALITY_SCHEMA
    has_failed: bool
    """True if an expectation is not met, or a condition of `--fail-on` is."""
    run: QualityRun
    tables: Sequence[TableQuality]
    changes: Sequence[TableChange]
    """Changes of the tables that were measured before."""
    violations: Sequence[Violation]
    """Expectations that are not met, and conditions of `--fail-on` that are."""
    notes: Sequence[str]


def quality_json(result: QualityResult) -> str:
    """Return *result* as a document of schema `recce_meta/quality/v1`."""
    return tree_json(
        QualityDocument(
            has_failed=bool(result.violations),
            run=result.quality.run,
            tables=result.quality.tables,
            changes=result.changes,
            violations=result.violations,
            notes=result.notes,
        )
    )


def tree_json(document: Struct) -> str:
    """Return *document* with its computed fields, and one value per line."""
    return pretty_json(data_tree(document))
