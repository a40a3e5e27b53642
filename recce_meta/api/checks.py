"""Checks of two runs: finds their file, runs each check, judges its results, and converts them for the store.

Stored counts and messages contain no values of the compared data.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

import msgspec
from msgspec.structs import replace

from recce_meta._version import __version__
from recce_meta.adapter.read_only import require_condition, require_expression
from recce_meta.api.data.execution import DataDiffRunner, Job, RelationResolver
from recce_meta.api.data.figures import figures_within
from recce_meta.api.data.jobs import (
    NodePair,
    each,
    model_query_job,
    node_pairs,
    of_schema,
    query_job,
    query_rows_job,
    row_count_job,
    value_jobs,
)
from recce_meta.api.diff import DiffQuestion, nothing_selected, whole_diff
from recce_meta.api.render import Templates
from recce_meta.api.runs import RunPair, find_node
from recce_meta.checks.expectations import missing_figures, violations
from recce_meta.checks.types import TYPES
from recce_meta.config.nodes import EffectiveSettings, NodeGlobs
from recce_meta.data_diff.names import Guard, unquote
from recce_meta.data_diff.options import Explaining, FigureScope, ValueOptions
from recce_meta.data_diff.plan import Plan
from recce_meta.data_diff.source import Pair
from recce_meta.errors import ConditionFailed, QueryCancelled, RecceMetaError, SelectorError, UsageError
from recce_meta.models.change import RunDiff
from recce_meta.models.checks import (
    AnyCheck,
    BrokenCheck,
    CheckAnswer,
    CheckParams,
    CheckReport,
    CheckResult,
    CheckStatus,
    DataCheck,
    FigureParams,
    NodesParams,
    QueryDiffParams,
    QueryParams,
    SimpleParams,
    StoredCheck,
    StoredFinding,
    ValueDiffParams,
)
from recce_meta.models.data_diff import (
    AnyDataDiff,
    DataSide,
    Failed,
    NotCompared,
    RowCountDiff,
    Subject,
    ValueDiff,
)
from recce_meta.models.diff_kinds import FIGURE_KINDS, RESULT_ROWS, DiffKind, row_options
from recce_meta.models.explanations import Why
from recce_meta.models.node_types import WITH_RELATION
from recce_meta.report.data.check_findings import (
    DIFFERING,
    FindingKind,
    NodeFinding,
    findings_summary,
    node_findings,
)
from recce_meta.tables.gaps import role_sees, stale_phrase
from recce_meta.warehouses import Warehouse

NOTE = "note only: nothing to run"
NO_CAUSES = Why(note="not searched: values are withheld")
DEFAULT_FILES = ("checks.yml", "checks.yaml", "recce.yml", "recce.yaml")
"""Names of the file of checks in the current folder, in order of precedence."""


def default_check_file() -> Path:
    """Return the file of checks in the current folder. Raises UsageError if there is no such file."""
    for name in DEFAULT_FILES:
        if (path := Path(name)).is_file():
            return path
    raise UsageError(
        "No checks file found in this directory", hint=f"pass a path or create {DEFAULT_FILES[0]}"
    )


def refuse_failed(report: CheckReport) -> None:
    """Raise ConditionFailed if a required check did not pass, UsageError if one is malformed."""
    malformed = sum(check.is_malformed for check in report.checks)
    if malformed:
        raise UsageError(
            f"{malformed} of {len(report.checks)} checks could not be run: correct {report.path}"
        )
    if not report.is_passed:
        failed = report.count(CheckStatus.FAILED) + report.count(CheckStatus.ERROR)
        raise ConditionFailed(f"{failed} of {len(report.checks)} checks did not pass")


class RunOne(Protocol):
    """Function that runs the diff of a check."""

    def __call__(self, check: DataCheck, /) -> CheckAnswer | Sequence[CheckAnswer]:
        """Return the result; `schema_diff` returns one for each selected node, possibly none.

        The type of the result depends on the check: ValueDiff (RowsDiff without a key) for `value_diff`,
        ValueDetail, QueryDiff, SchemaDiff, ProfileDiff, TopKDiff, HistogramDiff, RowCountDiff, and RunDiff
        for `lineage_diff`. For `row_count` and `profile`, base is None. For `query` and `query_base`, it is a
        QueryDiff with count and rows of the side that ran, and None as the count of the other side.

        A failed diff is a Failed among the results, or raises RecceMetaError.
        """


OnProgress = Callable[[int, int, str], None]
"""Called before each check and after the last: completed checks, all checks, name of the next check."""


def run_checks(
    checks: Sequence[AnyCheck], run_one: RunOne, on_progress: OnProgress | None = None, *, path: str = ""
) -> CheckReport:
    """Run *checks* in order; an error of one check is its result and does not stop the next checks.

    Only RecceMetaError becomes a result. Any other exception of *run_one* is raised, and so is
    QueryCancelled: a user who cancels one query wants to stop all checks.
    """
    started, results = perf_counter(), []
    for done, check in enumerate(checks):
        if on_progress is not None:
            on_progress(done, len(checks), check.name)
        results.append(run_check(check, run_one))
    if on_progress is not None:
        on_progress(len(checks), len(checks), "")
    return CheckReport(checks=tuple(results), path=path, seconds=perf_counter() - started)


def run_check(check: AnyCheck, run_one: RunOne) -> CheckResult:
    """Run one check and return its result."""
    if isinstance(check, BrokenCheck):
        return _broken(check)
    if isinstance(check.params, SimpleParams):
        return _result(check, CheckStatus.SKIPPED, NOTE)
    started = perf_counter()
    try:
        answer = run_one(check)
    except QueryCancelled:
        raise
    except RecceMetaError as error:
        seconds = perf_counter() - started
        found = _result(check, _not_run(check), error.message, hint=error.hint, seconds=seconds)
        return replace(found, is_malformed=isinstance(error, SelectorError) and not check.optional)
    answers = tuple(answer) if isinstance(answer, Sequence) else (answer,)
    return _judged(check, answers, perf_counter() - started)


def _judged(check: DataCheck, answers: tuple[CheckAnswer, ...], seconds: float) -> CheckResult:
    """Return the result of *check*; a violation takes precedence over a failure to compute."""
    failures = [answer for answer in answers if isinstance(answer, Failed)]
    skipped = [answer for answer in answers if isinstance(answer, NotCompared)]
    uncounted = _uncounted(check, answers)
    # Expectations handle figures that could not be computed themselves.
    unseen = uncounted or (missing_figures(answers) if check.expect is None else _out_of_sight(answers))
    # Expectations could hold for counts that were never taken.
    seen = () if uncounted else _compared(answers)
    found = violations(check.expect, seen)
    hint = failures[0].hint if failures else None
    if found:
        status, message = CheckStatus.FAILED, _first_of(found)
    elif failures or unseen or (skipped and check.expect is not None):
        not_made = [f"{failed.subject.name}: {failed.error}" for failed in failures]
        not_made += [f"{one.subject.name}: {one.reason}" for one in skipped]
        status, message = _not_run(check), _first_of(not_made or unseen)
    else:
        status = CheckStatus.PASSED
        message = "" if check.expect and not _is_empty(answers) else findings_summary(check.type, answers)
    return _result(check, status, message, hint=hint, answers=answers, violations=found, seconds=seconds)


def _compared(answers: Sequence[CheckAnswer]) -> list[CheckAnswer]:
    return [answer for answer in answers if not isinstance(answer, (Failed, NotCompared))]


def mask_checks(
    report: CheckReport,
    checks: Sequence[AnyCheck],
    mask: Callable[[Sequence[AnyDataDiff]], Sequence[AnyDataDiff]],
) -> CheckReport:
    """Return *report* of *checks* with results as *mask* returns them; verdicts stay.

    Sentences about violated expectations quote no value that *mask* removes.
    """
    shown = [one for check in report.checks for one in check.results if not isinstance(one, RunDiff)]
    masked = iter(mask(shown))
    found = []
    for asked, check in zip(checks, report.checks, strict=True):
        results = tuple(one if isinstance(one, RunDiff) else next(masked) for one in check.results)
        if check.violations and isinstance(asked, DataCheck):
            said = violations(asked.expect, _compared(check.results), _compared(results))
            check = replace(check, violations=said, message=_first_of(said))
        found.append(replace(check, results=results))
    return replace(report, checks=tuple(found))


def _broken(check: BrokenCheck) -> CheckResult:
    return CheckResult(
        name=check.name,
        type=check.type,
        status=CheckStatus.ERROR,
        description=check.description,
        message="; ".join(problem.message for problem in check.problems),
        hint=next((problem.hint for problem in check.problems if problem.hint), None),
        where=check.where,
        is_malformed=True,
    )


def _result(
    check: DataCheck,
    status: CheckStatus,
    message: str,
    *,
    hint: str | None = None,
    answers: tuple[CheckAnswer, ...] = (),
    violations: tuple[str, ...] = (),
    seconds: float = 0.0,
) -> CheckResult:
    return CheckResult(
        name=check.name,
        type=check.type,
        status=status,
        description=check.description,
        message=message,
        hint=hint,
        results=answers,
        violations=violations,
        seconds=seconds,
        optional=check.optional,
        has_expectations=check.expect is not None,
        where=check.where,
    )


def _not_run(check: DataCheck) -> CheckStatus:
    return CheckStatus.SKIPPED if check.optional else CheckStatus.ERROR


def _first_of(sentences: Sequence[str]) -> str:
    """Return the first sentence and the number of further ones."""
    more = f" (and {len(sentences) - 1:,} more)" if len(sentences) > 1 else ""
    return sentences[0] + more


def _uncounted(check: DataCheck, answers: Sequence[CheckAnswer]) -> list[str]:
    """Return the reasons if no row count could be taken on any side; else nothing.

    Nodes without a relation, such as ephemeral models, are included only if the check names them.
    """
    counts = [count for answer in answers if isinstance(answer, RowCountDiff) for count in answer.counts]
    # One relation that is missing does not make the other counts worthless.
    if any(count.base is not None or count.current is not None for count in counts):
        return []
    is_named = isinstance(check.params, NodesParams) and bool(check.params.names or check.params.ids)
    return [
        f"{count.subject.name}: {count.current_reason or count.base_reason or 'could not be counted'}"
        for count in counts
        if is_named or count.subject.base or count.subject.current
    ]


def _out_of_sight(answers: Sequence[CheckAnswer]) -> list[str]:
    """Return a message for each node that is stale on a side, or of which the role sees only a part: not all
    of its current data was compared.
    """
    subjects: list[Subject] = []
    for answer in answers:
        if isinstance(answer, RowCountDiff):
            subjects += [count.subject for count in answer.counts]
        elif not isinstance(answer, RunDiff):
            subjects.append(answer.subject)
    phrases = ((one.name, role_sees(one.hidden) if one.hidden else stale_phrase(one)) for one in subjects)
    return [f"{name}: {phrase}" for name, phrase in phrases if phrase]


def _is_empty(answers: Sequence[CheckAnswer]) -> bool:
    """Return True if the selection matched no node."""
    return all(isinstance(answer, RowCountDiff) and not answer.counts for answer in answers)


CHANGED_MODELS = "1+state:modified+"
"""Selection that recce uses for `view_mode: changed_models`."""


class CheckRunner:
    """Runner of checks on nodes of *runs* with the data of *comparison*.

    With *confined_by*, conditions and columns of checks are held to the rules of this warehouse for SQL that
    only reads. *why* explains the rows of the checks that ask for it; None if values are withheld.
    """

    def __init__(
        self,
        comparison: DataDiffRunner,
        runs: RunPair,
        templates: Templates,
        globs: NodeGlobs = (),
        confined_by: Warehouse | None = None,
        why: Explaining | None = None,
    ) -> None:
        self._comparison, self._templates, self._globs = comparison, templates, globs
        self._confined_by, self._why = confined_by, why
        # Reading the complete runs once is faster than partial reads for each check.
        self._runs, self._projects = runs, (runs.base.project, runs.current.project)

    def __call__(self, check: DataCheck) -> CheckAnswer | Sequence[CheckAnswer]:
        """Return the result of *check*, or several if it names several nodes. Raises RecceMetaError."""
        condition = getattr(check.params, "where", None)
        if condition and self._confined_by is not None:
            require_condition(condition, self._confined_by)
        if check.type == "lineage_diff":
            assert isinstance(check.params, NodesParams)
            # A misspelled name must not let a check with expectations pass.
            for name in (*check.params.names, *check.params.ids) if check.expect is not None else ():
                find_node(name, self._runs.names)
            question = self._question(check.params, may_select_nothing=check.expect is None)
            return whole_diff(*self._projects, question, self._runs.base.store_schema)
        jobs = self._jobs(check.type, check.params, may_miss=check.expect is None)
        run = self._comparison
        answers = [run.run(jobs[0].plan())] if len(jobs) == 1 else run.run_all(jobs)
        if self._why is None and getattr(check.params, "why", False):
            return [replace(one, why=NO_CAUSES) if isinstance(one, ValueDiff) else one for one in answers]
        return answers

    def _jobs(self, kind: str, params: CheckParams, *, may_miss: bool) -> list[Job]:
        """Return the jobs of a check; with *may_miss*, an unknown name gives a reason instead of an error."""
        places = self._comparison.places
        if isinstance(params, NodesParams):
            chosen = self._chosen(
                params, may_miss=may_miss or kind == "schema_diff", may_select_nothing=may_miss
            )
            if kind == "schema_diff":  # an ephemeral model has no relation
                if params.names or params.ids:
                    chosen = [_without_relation(sides, places) for sides in chosen]
                there = [sides for sides in chosen if sides.pair(places).sides]
                unknown = [_refused(kind, sides, places) for sides in chosen if sides.reason]
                return [*each(kind, places, there, of_schema), *unknown]
            if kind == "row_count":
                chosen = [sides.of_current() for sides in chosen]
            return [row_count_job(places, chosen)]
        if isinstance(params, QueryParams):
            side = DataSide.BASE if kind == "query_base" else DataSide.CURRENT
            return [query_rows_job(places, self._templates, params.sql_template, side, limit=RESULT_ROWS)]
        if isinstance(params, QueryDiffParams):
            options = ValueOptions(key=bare(params.primary_keys) or None, limit=RESULT_ROWS)
            if params.current_model is not None:
                model = self._of_model(params.current_model).of_current()
                return [model_query_job(places, self._templates, model, params.sql_template, options)]
            base = params.base_sql_template or params.sql_template
            return [query_job(places, self._templates, base, params.sql_template, options)]
        assert not isinstance(params, SimpleParams), "a check without anything to run is never run"
        sides = self._of_model(params.model)
        if isinstance(params, ValueDiffParams):
            is_detail = kind == "value_diff_detail"
            options = replace(_options(params), why=self._why if params.why else None)
            return value_jobs(places, self._runs, [sides], options, detail=is_detail)
        if kind == "profile":
            sides = sides.of_current()
        plan = partial(_plan, params, FIGURE_KINDS[kind.removesuffix("_diff")], self._guard)
        return each(kind, places, [sides], plan)

    def _guard(self, expression: str) -> None:
        """Raise UsageError if *expression*, a column of top values or a histogram, is refused."""
        if self._confined_by is not None:
            require_expression(expression, self._confined_by)

    def _of_model(self, name: str) -> NodePair:
        (sides,) = self._pairs(self._runs.named([name]))
        return sides

    def _pairs(self, ids: Sequence[str]) -> list[NodePair]:
        """Return both sides of *ids* with the keys of their settings: no other setting limits a check."""
        pairs = node_pairs(self._runs, ids, self._globs, named=ids)
        return [replace(sides, resolved=sides.resolved.for_check) for sides in pairs]

    def _chosen(self, params: NodesParams, *, may_miss: bool, may_select_nothing: bool) -> list[NodePair]:
        """Return the nodes that *params* names; if it names none, all nodes that a run builds.

        As in recce, a selection without packages is restricted to the project's package, and `changed_models`
        restricts it to changed nodes, their parents and all downstream nodes. Raises SelectorError if the
        selection matches no node, unless it is about a state or *may_select_nothing* is set.
        """
        if params.names or params.ids:
            found: dict[str, NodePair] = {}
            for name in (*params.names, *params.ids):
                try:
                    (unique_id,) = self._runs.named([name])
                except SelectorError as error:
                    if not may_miss:
                        raise
                    found[name] = NodePair(None, None, name, error.message)
                else:
                    (found[unique_id],) = self._pairs([unique_id])
            return list(found.values())
        exclude = [params.exclude] if params.exclude else []
        ids = self._runs.selected([params.select or "*"], exclude)
        if not ids and params.select and not may_select_nothing:
            question = self._question(params, may_select_nothing=False)
            nothing_selected(question, *self._projects)
        if params.view_mode == "changed_models":
            changed = set(self._runs.selected([CHANGED_MODELS]))
            ids = [unique_id for unique_id in ids if unique_id in changed]
        nodes, packages = self._runs.names, self._packages(params)
        wanted = [
            unique_id
            for unique_id in ids
            if nodes[unique_id].resource_type in WITH_RELATION
            and (not packages or nodes[unique_id].package_name in packages)
        ]
        return self._pairs(wanted)

    def _packages(self, params: NodesParams) -> tuple[str, ...]:
        """Return the packages of the selected nodes; none for all packages.

        Nodes of a scan have no package, and all of them are selected.
        """
        if params.packages is not None:
            return params.packages
        own = self._runs.current.run.project_name
        return (own,) if any(node.package_name == own for node in self._runs.names.values()) else ()

    def _question(self, params: NodesParams, *, may_select_nothing: bool) -> DiffQuestion:
        names = (*params.names, *params.ids)
        parts = names or tuple((params.select or "").split())
        packages = () if names else self._packages(params)
        if packages:
            # In dbt's grammar, a comma means that both must hold.
            parts = tuple(f"{part},package:{package}" for part in parts or ("*",) for package in packages)
        exclude = (params.exclude,) if params.exclude else ()
        return DiffQuestion(
            parts,
            exclude,
            finds_removed=True,
            may_select_nothing=may_select_nothing,
            typed=names or (() if params.select is None else (params.select,)),
            empty_hint="correct select in the file of checks",
        )


def bare(names: Sequence[str]) -> tuple[str, ...]:
    """Return column *names* without surrounding quotes, which recce requires in some cases."""
    return tuple(unquote(name.strip()) for name in names)


def _without_relation(sides: NodePair, places: RelationResolver) -> NodePair:
    """Return *sides* with a reason if neither side has a relation."""
    if sides.reason or sides.pair(places).sides:
        return sides
    name = sides.name or (sides.node.name if sides.node else None)
    return NodePair(None, None, name, f"{name} has no relation on either side")


def _refused(kind: str, sides: NodePair, places: RelationResolver) -> Job:
    """Return a job that fails with the reason of *sides*, for a missing node."""

    def plan() -> Plan[AnyDataDiff]:
        raise SelectorError(sides.reason or "")

    return Job(kind, sides.pair(places).subject, plan)


def _plan(
    params: FigureParams, kind: DiffKind, guard: Guard, pair: Pair, settings: EffectiveSettings
) -> Plan[AnyDataDiff]:
    scope = FigureScope(
        columns=bare(params.columns),
        exclude_columns=bare(params.exclude_columns),
        where=params.where,
        guard=guard,
    )
    answer: AnyDataDiff = yield from figures_within(pair, settings, kind, scope, params.number)
    return answer


def _options(params: ValueDiffParams) -> ValueOptions:
    rows = row_options(params)
    rows |= {name: bare(rows[name]) for name in ("columns", "exclude_columns")}
    return ValueOptions(**rows, key=bare(params.primary_key) or None, limit=params.limit)


WITH_VALUES = frozenset({"query", "query_base", "profile_diff"})
"""Check types with violations that quote values: cells, minima and maxima."""

_QUOTED = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"")
_UNCERTAIN = frozenset({FindingKind.FAILED, FindingKind.NOT_COMPARED})


def stored_checks(
    report: CheckReport,
    checks: Sequence[AnyCheck],
    *,
    base_run_id: str | None,
    current_run_id: str | None,
    checked_at: datetime,
) -> list[StoredCheck]:
    """Return the results of *checks* in *report*, converted for the store."""
    asked = {check.name: check for check in checks}
    return [
        _stored(check, asked[check.name], ordinal, report, base_run_id, current_run_id, checked_at)
        for ordinal, check in enumerate(report.checks, start=1)
    ]


def _stored(
    check: CheckResult,
    asked: AnyCheck,
    ordinal: int,
    report: CheckReport,
    base_run_id: str | None,
    current_run_id: str | None,
    checked_at: datetime,
) -> StoredCheck:
    found = node_findings(check.type, check.results)
    violations = () if check.type in WITH_VALUES else check.violations
    return StoredCheck(
        check_result_id="",
        checked_at=checked_at,
        base_run_id=base_run_id,
        current_run_id=current_run_id,
        # The folder may differ from machine to machine.
        file_name=Path(report.path).name,
        ordinal=ordinal,
        check_name=check.name,
        check_type=check.type,
        description=check.description,
        status=check.status.value,
        has_expectations=check.has_expectations,
        is_optional=check.optional,
        **counted(check.results, found),
        message=_message(check),
        violations=violations,
        findings=stored_findings(found),
        seconds=round(check.seconds, 6),
        parameters=_parameters(asked),
        recorder_version=__version__,
    )


def counted(answers: Sequence[CheckAnswer], found: Sequence[NodeFinding]) -> dict[str, Any]:
    """Return the counts of nodes; a lineage diff has only the count of changed nodes."""
    if not answers:
        return {}
    differing = sum(one.finding in DIFFERING for one in found)
    is_lineage = any(isinstance(answer, RunDiff) for answer in answers)
    return {
        "node_count": None if is_lineage else len(found),
        "differing_nodes": differing,
        "uncompared_nodes": sum(one.finding in _UNCERTAIN for one in found),
    }


def stored_findings(found: Iterable[NodeFinding]) -> tuple[StoredFinding, ...]:
    """Return *found* for the store, without text that a warehouse quoted in an error."""
    return tuple(
        StoredFinding(
            unique_id=one.unique_id,
            name=one.name,
            finding=one.finding.value,
            text=without_quotes(one.text) if one.finding in _UNCERTAIN else one.text,
        )
        for one in found
    )


def without_quotes(message: str) -> str:
    """Return *message* without quoted strings: a warehouse's error may quote a value.

    >>> without_quotes("Could not convert string 'ann@example.org' to INT32")
    "Could not convert string '…' to INT32"
    """
    return _QUOTED.sub(lambda quoted: f"{quoted[0][0]}…{quoted[0][0]}", message.partition("\n")[0])


def _message(check: CheckResult) -> str:
    if check.violations and check.type in WITH_VALUES:
        count = len(check.violations)
        return f"{count} expectation{'s do' if count > 1 else ' does'} not hold"
    is_certain = check.status is CheckStatus.PASSED or check.violations
    return check.message if is_certain else without_quotes(check.message)


def _parameters(asked: AnyCheck) -> dict[str, Any]:
    """Return the parameters set by the check, by their names in the file."""
    if not isinstance(asked, DataCheck):
        return {}
    fields = msgspec.structs.fields(asked.params)
    given = {field.name: getattr(asked.params, field.name) for field in fields}
    defaults = {field.name: field.default for field in fields}
    names = {field.to or name: name for name, field in TYPES[asked.type].fields.items()}
    found = {names.get(name, name): value for name, value in given.items() if value != defaults[name]}
    # Through JSON, so that structs and decimals become plain values.
    parameters: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(found))
    return parameters
