"""`check run`: every check of a file, and what came of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Protocol

from recce_meta.diff.expectations import violations
from recce_meta.diff.uncomputed import uncomputed
from recce_meta.errors import QueryCancelled, RecceMetaError
from recce_meta.models.change import RunDiff
from recce_meta.models.check_params import NodesParams, SimpleParams
from recce_meta.models.check_result import (
    AnyCheck,
    BrokenCheck,
    CheckAnswer,
    CheckReport,
    CheckResult,
    CheckStatus,
    DataCheck,
)
from recce_meta.models.data_diff import Failed, RowCountDiff, Subject
from recce_meta.report.check_findings import summary_of
from recce_meta.report.data.wording import stale_phrase

NOTE = "a note: there is nothing to run"


class RunOne(Protocol):
    """Makes the diff that a check asks for."""

    def __call__(self, check: DataCheck, /) -> CheckAnswer | Sequence[CheckAnswer]:
        """The answer; several for `schema_diff`, one for each node, none where no node is selected.

        Of the check's type: ValueDiff (RowsDiff without a key) for `value_diff`, ValueDetail, QueryDiff,
        SchemaDiff, ProfileDiff, TopKDiff, HistogramDiff, RowCountDiff, and RunDiff for `lineage_diff`. Of
        `row_count` and `profile`, base is None. Of `query` and `query_base` a QueryDiff, whose `rows` has
        count and rows of the side that ran, and None for the other's count.

        A diff that could not be made is a Failed among the answers, or raises RecceMetaError.
        """


OnProgress = Callable[[int, int, str], None]
"""Called before each check and after the last: how many are done, of how many, and which one starts."""


def run_checks(
    checks: Sequence[AnyCheck], run_one: RunOne, on_progress: OnProgress | None = None, *, path: str = ""
) -> CheckReport:
    """Run *checks* in their order; what keeps one from running is its result, and the others go on.

    Only RecceMetaError is an answer. Anything else that *run_one* raises passes on, as does QueryCancelled:
    who stops one statement wants none after it.
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
    """What comes of one check."""
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
        return _result(check, _not_run(check), error.message, hint=error.hint, seconds=seconds)
    answers = tuple(answer) if isinstance(answer, Sequence) else (answer,)
    return _judged(check, answers, perf_counter() - started)


def _judged(check: DataCheck, answers: tuple[CheckAnswer, ...], seconds: float) -> CheckResult:
    """The verdict: what was seen and is not as expected weighs more than what could not be seen."""
    failures = [answer for answer in answers if isinstance(answer, Failed)]
    uncounted = _uncounted(check, answers)
    # An expectation says itself what it makes of a figure that could not be computed.
    unseen = uncounted or (uncomputed(answers) if check.expect is None else _outdated(answers))
    seen = () if uncounted else [answer for answer in answers if not isinstance(answer, Failed)]
    found = violations(check.expect, seen)
    hint = failures[0].hint if failures else None
    if found:
        status, message = CheckStatus.FAILED, _first_of(found)
    elif failures or unseen:
        not_made = [f"{failed.subject.name}: {failed.error}" for failed in failures]
        status, message = _not_run(check), _first_of(not_made or unseen)
    else:
        status = CheckStatus.PASSED
        message = "" if check.expect and not _is_empty(answers) else summary_of(check.type, answers)
    return _result(check, status, message, hint=hint, answers=answers, violations=found, seconds=seconds)


def _broken(check: BrokenCheck) -> CheckResult:
    return CheckResult(
        name=check.name,
        type=check.type,
        status=CheckStatus.ERROR,
        description=check.description,
        message="; ".join(problem.message for problem in check.problems),
        hint=next((problem.hint for problem in check.problems if problem.hint), None),
        where=check.where,
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
    """The first, and how many more there are."""
    more = f" (and {len(sentences) - 1:,} more)" if len(sentences) > 1 else ""
    return sentences[0] + more


def _uncounted(check: DataCheck, answers: Sequence[CheckAnswer]) -> list[str]:
    """Why row counts have nothing to say: not one could be taken on any side.

    What has no relation, as an ephemeral model, counts only where the check names it.
    """
    counts = [count for answer in answers if isinstance(answer, RowCountDiff) for count in answer.counts]
    if any(count.base is not None or count.current is not None for count in counts):
        return []
    is_named = isinstance(check.params, NodesParams) and bool(check.params.names or check.params.ids)
    return [
        f"{count.subject.name}: {count.current_reason or count.base_reason or 'could not be counted'}"
        for count in counts
        if is_named or count.subject.base or count.subject.current
    ]


def _outdated(answers: Sequence[CheckAnswer]) -> list[str]:
    """Return each node that holds data of an earlier build on a side: what it holds now was not seen."""
    subjects: list[Subject] = []
    for answer in answers:
        if isinstance(answer, RowCountDiff):
            subjects += [count.subject for count in answer.counts]
        elif not isinstance(answer, RunDiff):
            subjects.append(answer.subject)
    return [f"{subject.name}: {stale_phrase(subject)}" for subject in subjects if subject.is_stale]


def _is_empty(answers: Sequence[CheckAnswer]) -> bool:
    """Whether the selection named no node at all."""
    return all(isinstance(answer, RowCountDiff) and not answer.counts for answer in answers)
