"""Running checks: each is judged alone, and one that cannot run keeps no other from running."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from time import process_time
from typing import Any

import pytest

from recce_meta.api.checks import run_checks
from recce_meta.api.public.data import ComparisonOptions
from recce_meta.checks.file import read_check_file
from recce_meta.errors import MissingRelation, QueryCancelled, TemplateError, UsageError
from recce_meta.models.checks import (
    Amount,
    AnyCheck,
    BrokenCheck,
    CheckAnswer,
    CheckProblem,
    CheckReport,
    CheckStatus,
    DataCheck,
    ExpectCounts,
    ExpectSchema,
    NodesParams,
    SimpleParams,
)
from recce_meta.models.data_diff import (
    ColumnDelta,
    ColumnHistogram,
    ColumnTopK,
    ColumnValues,
    Failed,
    HistogramDiff,
    KeyCounts,
    QueryDiff,
    RowCount,
    RowCountDiff,
    RowsDiff,
    SchemaDiff,
    Subject,
    TopKDiff,
    ValueDiff,
)

ORDERS = Subject(name="orders", base="prod.orders", current="pr.orders")
FIVE_PER_CENT = ExpectCounts(row_count_change=Amount(Decimal("0.05"), is_share=True))


def check(name: str = "rows", **fields: Any) -> DataCheck:
    defaults: dict[str, Any] = {
        "type": "row_count_diff",
        "params": NodesParams(select="orders"),
        "path": Path("checks.yml"),
        "line": 3,
    }
    return DataCheck(name=name, **(defaults | fields))


def counts(base: int | None, current: int | None, reason: str | None = None) -> RowCountDiff:
    count = RowCount(subject=ORDERS, base=base, current=current, base_reason=reason, current_reason=reason)
    return RowCountDiff(counts=(count,))


def run(check: AnyCheck, answer: CheckAnswer | Sequence[CheckAnswer] | Exception) -> Any:
    def run_one(_: DataCheck) -> CheckAnswer | Sequence[CheckAnswer]:
        if isinstance(answer, Exception):
            raise answer
        return answer

    report = run_checks([check], run_one)
    return report.checks[0]


def test_a_check_whose_limits_hold_has_passed() -> None:
    result = run(check(expect=FIVE_PER_CENT), counts(100, 105))

    assert (result.status, result.message, result.violations) == (CheckStatus.PASSED, "", ())
    assert result.has_expectations
    assert result.results == (counts(100, 105),)
    assert result.result == counts(100, 105)
    assert result.where == "checks.yml:3"


def test_a_check_whose_limits_do_not_hold_has_failed_with_every_violation() -> None:
    answer = RowCountDiff(counts=counts(100, 120).counts + counts(100, 0).counts)
    result = run(check(expect=FIVE_PER_CENT, optional=True), answer)

    assert result.status is CheckStatus.FAILED
    assert result.violations == (
        "orders: went from 100 to 120 rows (+20, +20%), at most 5% allowed",
        "orders: went from 100 to 0 rows (-100, −100%), at most 5% allowed",
    )
    assert result.message == f"{result.violations[0]} (and 1 more)"


def test_without_expectations_a_check_only_reports() -> None:
    result = run(check(), counts(100, 0))

    assert (result.status, result.message) == (CheckStatus.PASSED, "orders: 100 → 0 (-100, -100.0%)")
    assert not result.has_expectations


def test_a_check_that_raises_is_an_error_with_its_hint() -> None:
    result = run(check(), MissingRelation("no such table: orders", hint="dbt run -s orders"))

    assert (result.status, result.message, result.hint) == (
        CheckStatus.ERROR,
        "no such table: orders",
        "dbt run -s orders",
    )


def test_an_optional_check_that_cannot_run_is_skipped() -> None:
    assert run(check(optional=True), MissingRelation("no such table")).status is CheckStatus.SKIPPED


def test_a_diff_that_could_not_be_made_is_an_error() -> None:
    failed = Failed(subject=ORDERS, diff="schema_diff", error="permission denied", hint="GRANT SELECT")
    result = run(check(), [failed, failed])

    assert (result.status, result.message, result.hint) == (
        CheckStatus.ERROR,
        "orders: permission denied (and 1 more)",
        "GRANT SELECT",
    )
    assert result.failures == (failed, failed)
    assert run(check(optional=True), failed).status is CheckStatus.SKIPPED


def test_what_was_seen_weighs_more_than_what_could_not_be_seen() -> None:
    failed = Failed(subject=ORDERS, diff="schema_diff", error="permission denied")
    schema = SchemaDiff(subject=ORDERS, columns=(ColumnDelta(name="tax", status="removed"),))
    result = run(check(type="schema_diff", expect=ExpectSchema()), [failed, schema])

    assert result.status is CheckStatus.FAILED
    assert result.results == (failed, schema)


def test_row_counts_of_which_none_could_be_counted_are_an_error() -> None:
    result = run(check(), counts(None, None, "the relation does not exist"))

    assert (result.status, result.message) == (CheckStatus.ERROR, "orders: the relation does not exist")


def test_row_counts_of_which_some_could_be_counted_are_an_answer() -> None:
    answer = RowCountDiff(counts=counts(None, None, "not there").counts + counts(1, 1).counts)

    assert run(check(), answer).status is CheckStatus.PASSED


def test_a_side_that_could_not_be_counted_is_an_error_if_it_is_the_only_figure() -> None:
    one = RowCount(subject=ORDERS, base=5, current=None, current_reason="the relation does not exist")
    added = RowCount(subject=Subject(name="orders", current="pr.orders"), current=5)

    result = run(check(), RowCountDiff(counts=(one,)))
    assert (result.status, result.message) == (
        CheckStatus.ERROR,
        "orders: current: the relation does not exist",
    )
    assert run(check(), RowCountDiff(counts=(one, added))).status is CheckStatus.PASSED
    assert run(check(), RowCountDiff(counts=(added,))).status is CheckStatus.PASSED


NO_BINS = ColumnHistogram(name="note", reason="VARCHAR has no bins")
BINS = ColumnHistogram(name="amount", edges=(0, 1), base=(1,), current=(1,))
UNLIKE = ColumnValues(name="tags", base_type="INTEGER[]", current_type="DATE", reason="no common type")
KEYS = KeyCounts(rows=3)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (HistogramDiff(subject=ORDERS, columns=(NO_BINS,)), "orders: column note: VARCHAR has no bins"),
        (
            TopKDiff(subject=ORDERS, k=3, columns=(ColumnTopK(name="note", reason="no text"),)),
            "orders: column note: no text",
        ),
        (
            ValueDiff(
                subject=ORDERS, key=("id",), key_source="option", base=KEYS, current=KEYS, columns=(UNLIKE,)
            ),
            "orders: column tags was not compared: no common type",
        ),
        (
            RowsDiff(subject=ORDERS, columns=(), base_rows=1, current_rows=1, incomparable=("tags",)),
            "orders: tags could not be compared",
        ),
        (QueryDiff(subject=ORDERS, base_sql="", current_sql="select 1"), "orders: has no result"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_check_whose_only_figure_could_not_be_computed_is_an_error(answer: Any, reason: str) -> None:
    result = run(check(), answer)

    assert (result.status, result.message) == (CheckStatus.ERROR, reason)
    assert run(check(optional=True), answer).status is CheckStatus.SKIPPED


def test_one_figure_of_several_is_an_answer() -> None:
    answer = HistogramDiff(subject=ORDERS, columns=(NO_BINS, BINS))

    assert run(check(), answer).status is CheckStatus.PASSED


def test_what_has_no_rows_to_count_is_an_error_only_where_it_is_named() -> None:
    count = RowCount(subject=Subject(name="orders"), current_reason="ephemeral: it has no relation")
    answer = RowCountDiff(counts=(count,))

    assert run(check(params=NodesParams(select="tag:daily")), answer).status is CheckStatus.PASSED
    named = run(check(params=NodesParams(names=("orders",))), answer)
    assert (named.status, named.message) == (CheckStatus.ERROR, "orders: ephemeral: it has no relation")


STALE = Subject(name="orders", base="prod.orders", current="pr.orders", current_stale="its build failed")
EARLIER = "orders: current lacks the data of its run: its build failed"


@pytest.mark.parametrize(("optional", "status"), [(False, CheckStatus.ERROR), (True, CheckStatus.SKIPPED)])
@pytest.mark.parametrize(
    ("subject", "message"),
    [
        (STALE, EARLIER),
        (
            Subject(name="orders", base="prod.orders", current="pr.orders", hidden="row security of orders"),
            "orders: only what the role may see (row security of orders)",
        ),
    ],
)
def test_equal_data_of_an_earlier_build_or_of_a_part_do_not_pass(
    subject: Subject, message: str, optional: bool, status: CheckStatus
) -> None:
    answer = RowCountDiff(counts=(RowCount(subject=subject, base=5, current=5),))
    result = run(check(expect=FIVE_PER_CENT, optional=optional), answer)

    assert (result.status, result.message) == (status, message)


def test_a_limit_that_data_of_an_earlier_build_exceed_fails() -> None:
    answer = RowCountDiff(counts=(RowCount(subject=STALE, base=5, current=50),))

    assert run(check(expect=FIVE_PER_CENT), answer).status is CheckStatus.FAILED


@pytest.mark.parametrize("kind", ["row_count_diff", "row_count"])
def test_without_expectations_data_of_an_earlier_build_have_the_remark(kind: str) -> None:
    answer = RowCountDiff(counts=(RowCount(subject=STALE, base=5, current=5),))
    result = run(check(type=kind), answer)

    assert result.status is CheckStatus.PASSED and result.message.endswith(EARLIER.partition(": ")[2])


@pytest.mark.parametrize("answer", [(), RowCountDiff(counts=())])
def test_a_selection_without_nodes_passes_and_says_so(answer: Any) -> None:
    result = run(check(expect=FIVE_PER_CENT), answer)

    assert (result.status, result.message) == (CheckStatus.PASSED, "no node is selected")


def test_a_broken_check_is_an_error_that_names_each_problem() -> None:
    broken = BrokenCheck(
        name="rows",
        type="row_count",
        problems=(CheckProblem("checks.yml:3: a"), CheckProblem("checks.yml:4: b", "do c")),
        path=Path("checks.yml"),
        line=3,
    )
    result = run(broken, AssertionError("a broken check must not run"))

    assert (result.status, result.message, result.hint) == (
        CheckStatus.ERROR,
        "checks.yml:3: a; checks.yml:4: b",
        "do c",
    )


def test_an_entry_of_a_checklist_is_skipped() -> None:
    result = run(check(type="simple", params=SimpleParams()), AssertionError("there is nothing to run"))

    assert result.status is CheckStatus.SKIPPED


def test_the_others_go_on_and_the_report_is_in_the_order_of_the_file() -> None:
    def run_one(check: DataCheck) -> CheckAnswer:
        if check.name == "b":
            raise TemplateError("unknown macro")
        return counts(10, 20)

    told: list[tuple[int, int, str]] = []
    report = run_checks(
        [check("a", expect=FIVE_PER_CENT), check("b"), check("c")],
        run_one,
        lambda *progress: told.append(progress),
        path="checks.yml",
    )

    assert [result.status for result in report.checks] == [
        CheckStatus.FAILED,
        CheckStatus.ERROR,
        CheckStatus.PASSED,
    ]
    assert told == [(0, 3, "a"), (1, 3, "b"), (2, 3, "c"), (3, 3, "")]
    assert not report.is_passed
    assert report.count(CheckStatus.FAILED) == 1
    assert report.path == "checks.yml"
    assert 0 <= sum(result.seconds for result in report.checks) <= report.seconds


def test_a_report_has_passed_where_nothing_failed() -> None:
    skipped = run_checks([check(optional=True)], lambda _: counts(None, None, "gone"))

    assert skipped.is_passed
    assert CheckReport(checks=()).is_passed


@pytest.mark.parametrize("error", [QueryCancelled("stopped"), KeyboardInterrupt(), ZeroDivisionError()])
def test_who_stops_a_check_stops_all(error: BaseException) -> None:
    ran = []

    def run_one(check: DataCheck) -> CheckAnswer:
        ran.append(check.name)
        raise error

    with pytest.raises(type(error)):
        run_checks([check("a"), check("b")], run_one)
    assert ran == ["a"]


def test_a_check_costs_far_less_than_its_statement(tmp_path: Path) -> None:
    """The time of the processor, whatever else the machine does."""
    file = tmp_path / "checks.yml"
    entry = "- {name: rows, type: row_count_diff, params: {select: orders}, expect: {row_count_change: 5%}}\n"
    file.write_text("checks:\n" + entry * 500, encoding="utf-8")
    started = process_time()

    report = run_checks(read_check_file(file), lambda _: counts(100, 101))

    assert report.is_passed
    assert len({result.name for result in report.checks}) == 500
    assert process_time() - started < 500 * 0.005


@pytest.mark.parametrize("option", ["threads", "max_rows", "budget"])
def test_limits_of_a_comparison_are_possible_ones(option: str) -> None:
    assert getattr(ComparisonOptions(**{option: 1}), option) == 1
    with pytest.raises(UsageError, match=f"Invalid {option}: -1"):
        ComparisonOptions(**{option: -1})
