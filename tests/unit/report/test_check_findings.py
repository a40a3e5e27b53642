"""Findings of checks: each claims what its type compared, and differences count as in recce."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta.models.checks import CheckReport, CheckResult, CheckStatus
from recce_meta.models.data_diff import (
    ColumnDelta,
    ColumnProfile,
    KeyCounts,
    Profile,
    ProfileDiff,
    RowCount,
    RowCountDiff,
    SchemaDiff,
    Subject,
    ValueDiff,
)
from recce_meta.models.explanations import Why
from recce_meta.report.checks import check_report_text
from recce_meta.report.data.check_findings import (
    FindingKind,
    checks_mark,
    checks_phrase,
    findings_summary,
    node_findings,
)


def both(name: str) -> Subject:
    return Subject(name=name, base=f"prod.{name}", current=f"dev.{name}")


def counts(*figures: tuple[str, int | None, int | None]) -> RowCountDiff:
    return RowCountDiff(
        counts=tuple(RowCount(subject=both(name), base=b, current=c) for name, b, c in figures)
    )


def stale_counts(*names: str) -> RowCountDiff:
    subjects = [replace(both(name), current_stale="its build failed") for name in names]
    return RowCountDiff(counts=tuple(RowCount(subject=one, base=1, current=1) for one in subjects))


def schema(name: str, *columns: str) -> SchemaDiff:
    return SchemaDiff(
        subject=both(name), columns=tuple(ColumnDelta(name=column, status="added") for column in columns)
    )


@pytest.mark.parametrize(
    ("kind", "answers", "summary"),
    [
        ("row_count_diff", [counts(("a", 1, 2), ("b", 1, 1), ("c", 5, 4))], "2 of 3 nodes differ"),
        ("row_count_diff", [counts(("a", 1, 1), ("b", 2, 2))], "equal row count in all 2 nodes"),
        ("row_count_diff", [counts(("a", 1, 1))], "a: equal row count (1)"),
        (
            "row_count_diff",
            [counts(("a", 1, 1), ("b", None, None))],
            "equal row count in 1 of 2 nodes, 1 not counted",
        ),
        (
            "row_count_diff",
            [counts(("a", 1, 1), ("b", None, None)), stale_counts("c", "d")],
            "equal row count in 1 of 4 nodes, 1 not counted, 2 without the data of the run",
        ),
        ("row_count_diff", [counts()], "no node is selected"),
        ("row_count", [counts(("a", None, 3), ("b", None, 4))], "2 counted"),
        ("row_count", [counts(("a", None, 3))], "a: 3 rows"),
        ("schema_diff", [schema("a", "x"), schema("b")], "1 of 2 nodes differs"),
        ("schema_diff", [schema("a"), schema("b")], "equal column names and types in all 2 nodes"),
        ("schema_diff", [], "no node is selected"),
    ],
)
def test_a_summary_counts_nodes_and_claims_what_was_compared(kind: str, answers: Any, summary: str) -> None:
    assert findings_summary(kind, answers) == summary


def test_a_node_on_one_side_differs_as_in_recce() -> None:
    new = RowCount(subject=Subject(name="new", current="dev.new"), current=5)
    gone = RowCount(subject=Subject(name="gone", base="prod.gone"), base=5)
    answer = RowCountDiff(counts=(new, gone, *counts(("a", 1, 1)).counts))

    assert (
        findings_summary("row_count_diff", [answer])
        == "2 of 3 nodes differ (1 only in base, 1 only in current)"
    )
    assert [(one.name, one.finding) for one in node_findings("row_count_diff", [answer])] == [
        ("gone", FindingKind.ONLY_IN_BASE),
        ("new", FindingKind.ONLY_IN_CURRENT),
        ("a", FindingKind.SAME),
    ]


def test_one_side_alone_is_never_called_the_same_or_different() -> None:
    figures = Profile(type="INTEGER", row_count=3, not_null_count=3)
    answer = ProfileDiff(subject=Subject(name="a"), columns=(ColumnProfile(name="id", current=figures),))

    assert [one.finding for one in node_findings("profile", [answer])] == [FindingKind.SHOWN]
    assert findings_summary("profile", [answer]) == "a: profile of 1 column"


def test_a_report_counts_the_checks_that_differ() -> None:
    def check(kind: str, answer: Any, **fields: Any) -> CheckResult:
        return CheckResult(name=kind, type=kind, status=CheckStatus.PASSED, results=(answer,), **fields)

    differing, same = counts(("a", 1, 2)), counts(("a", 1, 1))
    note = CheckResult(name="n", type="simple", status=CheckStatus.SKIPPED)
    report = CheckReport(
        checks=(
            check("row_count_diff", differing),
            check("row_count_diff", same),
            check("row_count_diff", differing, has_expectations=True),
            check("row_count", same),
            check("row_count_diff", counts(("a", None, None))),
        )
    )

    assert checks_phrase(report.checks, "5 checks") == (
        "1 of 5 checks differs, 1 not compared, 1 shown, 1 without a difference, 1 passed"
    )
    assert checks_phrase((report.checks[1],), "1 check") == "1 check without a difference"
    assert checks_phrase((note, note), "2 checks") == "2 checks, none was run"
    assert checks_phrase((note, report.checks[2]), "2 checks") == "1 of 2 checks passed, 1 note"
    assert (checks_mark((note,)).tone, checks_mark((note, report.checks[2])).tone) == ("one-sided", "same")


def test_a_failed_check_says_why_rows_differ() -> None:
    why = Why(searched=3, note="too many values")
    explained = ValueDiff(
        subject=both("orders"),
        key=("id",),
        key_source="option",
        base=KeyCounts(rows=5),
        current=KeyCounts(rows=5),
        common=5,
        changed=2,
        why=why,
    )
    check = CheckResult(
        name="rows",
        type="value_diff",
        status=CheckStatus.FAILED,
        results=(explained,),
        violations=("2 rows changed",),
    )
    text = check_report_text(CheckReport(checks=(check,)), width=80, color=False)
    assert "  2 rows changed\n  where  too many values\n" in text
