"""One report of checks with everything in it, as a terminal, a program and a CI server read it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest

from recce_meta.models.change import Change, RunDiff, Status
from recce_meta.models.checks import CheckReport, CheckResult, CheckStatus
from recce_meta.models.data_diff import (
    ColumnDelta,
    DetailRow,
    Failed,
    QueryDiff,
    RowCount,
    RowCountDiff,
    RowsDiff,
    SchemaDiff,
    Subject,
)
from recce_meta.models.run import RunMetadata
from recce_meta.report.checks import check_report_junit, check_report_text
from recce_meta.report.html.page import html_report
from recce_meta.report.json import check_report_json
from recce_meta.report.pull_request import pull_request_markdown

HERE = Path(__file__).parent
SCHEMAS = HERE.parents[3] / "docs" / "schemas"
HOSTILE = "\x1b[31m]]> <b>&\"'\x00\u202e\ud800 [[ATTACHMENT|/etc/passwd]]"

ORDERS = Subject(name="orders", base="prod.orders", current="pr.orders")
RUN = RunMetadata(run_id="1", run_at=datetime(2026, 11, 20, tzinfo=timezone.utc), project_name="shop")


def result(name: str, type_name: str, status: CheckStatus, **fields: Any) -> CheckResult:
    return CheckResult(name=name, type=type_name, status=status, where=f"checks.yml:{len(name)}", **fields)


REPORT = CheckReport(
    path="checks.yml",
    seconds=3.25,
    checks=(
        result(
            "Rows of orders",
            "row_count_diff",
            CheckStatus.PASSED,
            description="They hardly change.",
            seconds=0.5,
            has_expectations=True,
            results=(RowCountDiff(counts=(RowCount(subject=ORDERS, base=100, current=101),)),),
        ),
        result(
            "What changed",
            "lineage_diff",
            CheckStatus.PASSED,
            message="orders: modified",
            results=(
                RunDiff(
                    base=RUN,
                    current=RUN,
                    changes=(
                        Change(
                            unique_id="model.shop.orders",
                            name="orders",
                            resource_type="model",
                            status=Status.MODIFIED,
                        ),
                    ),
                ),
            ),
        ),
        result(
            "Values of orders",
            "value_diff",
            CheckStatus.FAILED,
            message="orders: 1 row was removed (0.1% of base's 1,000), none allowed (and 24 more)",
            violations=(
                "orders: 1 row was removed (0.1% of base's 1,000), none allowed",
                *(f"orders: column c{n} was not compared: GEOGRAPHY has no equality" for n in range(24)),
            ),
            seconds=2.74,
            has_expectations=True,
        ),
        result(
            "Status of payments",
            "top_k_diff",
            CheckStatus.ERROR,
            message="payments: permission denied\n\nLINE 3: FROM payments",
            hint="GRANT SELECT ON payments TO ci",
            results=(Failed(subject=ORDERS, diff="top_k_diff", error="permission denied"),),
        ),
        result("check 5", "", CheckStatus.ERROR, message="checks.yml:30: the check has no name"),
        result(
            "Legacy",
            "query",
            CheckStatus.SKIPPED,
            message="no such table: legacy\nLINE 1",
            hint="--base-target",
            optional=True,
        ),
        result(
            "Rows",
            "row_count_diff",
            CheckStatus.PASSED,
            message="2 of 4 differ (1 only in current), 1 not counted",
            results=(
                RowCountDiff(
                    counts=(
                        RowCount(subject=Subject(name="stores", base="a", current="b"), base=4, current=4),
                        RowCount(subject=ORDERS, base=100, current=101),
                        RowCount(subject=Subject(name="new", current="b"), current=7),
                        RowCount(
                            subject=Subject(name="stg", base="a", current="b"),
                            base_reason="permission denied",
                            current_reason="permission denied",
                        ),
                    )
                ),
            ),
        ),
        result(
            "Schemas",
            "schema_diff",
            CheckStatus.PASSED,
            message="1 of 2 differs",
            results=(
                SchemaDiff(subject=ORDERS, columns=(ColumnDelta(name="tax", status="removed"),)),
                SchemaDiff(subject=Subject(name="stores", base="a", current="b"), columns=()),
            ),
        ),
        result(
            "Shops",
            "query",
            CheckStatus.PASSED,
            message="1 row",
            results=(
                QueryDiff(
                    subject=Subject(name="query"),
                    base_sql="",
                    current_sql="select 1 as id",
                    rows=RowsDiff(
                        subject=Subject(name="query"),
                        columns=("id",),
                        base_rows=None,
                        current_rows=1,
                        rows=(DetailRow(status="added", key=(), current=(1,)),),
                    ),
                ),
            ),
        ),
        result("Dashboard", "simple", CheckStatus.SKIPPED, message="a note", description="Ask Ann."),
        result(HOSTILE, "value_diff", CheckStatus.FAILED, message=HOSTILE, violations=(HOSTILE, "a\nb")),
    ),
)
EMPTY = CheckReport(checks=(), path="checks.yml")


def test_a_terminal(check_golden: Callable[[Path, str], None]) -> None:
    check_golden(HERE / "expected.txt", check_report_text(REPORT, width=100, color=False))
    check_golden(HERE / "expected.narrow.txt", check_report_text(REPORT, width=50, color=False))


def test_colours_change_no_character() -> None:
    colored = check_report_text(REPORT, width=100, color=True)

    assert "\x1b[32mpassed\x1b[0m" in colored
    bare = [line.rstrip() for line in re.sub(r"\x1b\[\d*m", "", colored).splitlines()]
    assert bare == check_report_text(REPORT, width=100, color=False).splitlines()


def test_a_file_without_checks_says_so() -> None:
    assert check_report_text(EMPTY, width=80, color=False) == "No checks in checks.yml\n"


def test_markdown_and_html_show_what_checks_found_by_node(check_golden: Callable[[Path, str], None]) -> None:
    check_golden(HERE / "expected.md", pull_request_markdown(None, (), REPORT))
    page = html_report("Checks", None, (), REPORT)
    for shown in (
        "2 of 4 differ (1 only in current), 1 not counted",
        "<code>orders</code> 100 → 101 (+1, +1.0%)",
        "<code>new</code> only in current: 7 rows",
        "2 of 11 checks failed, 2 in error, 3 differ, 1 skipped, 1 shown, 1 passed, 1 note",
        "of 11 checks differ",
        "Ask Ann.",
    ):
        assert shown in page


def test_json(check_golden: Callable[[Path, str], None]) -> None:
    check_golden(HERE / "expected.json", check_report_json(REPORT))


@pytest.mark.parametrize("report", [REPORT, EMPTY])
def test_json_keeps_to_its_schema(report: CheckReport) -> None:
    document = json.loads(check_report_json(report))

    validator("check-run.v1.json").validate(document)
    diff, result = validator("diff.v1.json"), validator("data-diff-2.json", "result")
    for answer in (answer for check in document["checks"] for answer in check["results"]):
        if answer["type"] == "lineage_diff":
            diff.validate({name: value for name, value in answer.items() if name != "type"})
        else:
            result.validate(answer)


@cache
def validator(name: str, part: str = "") -> Any:
    schema = json.loads((SCHEMAS / name).read_text(encoding="utf-8"))
    schema = {"$ref": f"#/$defs/{part}", "$defs": schema["$defs"]} if part else schema
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_junit(check_golden: Callable[[Path, str], None]) -> None:
    check_golden(HERE / "expected.xml", check_report_junit(REPORT))


SUREFIRE_TIME = re.compile(r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?")
JUNIT_10 = {
    "testsuites": ({"testsuite"}, {"name", "time", "tests", "failures", "errors"}, set()),
    "testsuite": (
        {"testcase"},
        {"name", "tests", "failures", "errors", "time", "skipped", "file"},
        {"name", "tests", "failures", "errors"},
    ),
    "testcase": ({"skipped", "error", "failure", "system-out"}, {"name", "time", "classname"}, {"name"}),
    "failure": (set(), {"type", "message"}, set()),
    "error": (set(), {"type", "message"}, set()),
    "skipped": (set(), {"type", "message"}, set()),
    "system-out": (set(), set(), set()),
}
"""The part of junit-10.xsd (Jenkins' xunit plugin) in use: children, attributes, required attributes."""


def assert_is_junit(element: ElementTree.Element) -> None:
    children, attributes, required = JUNIT_10[element.tag]
    assert {child.tag for child in element} <= children
    assert required <= set(element.attrib) <= attributes
    assert SUREFIRE_TIME.fullmatch(element.get("time", "0"))
    for child in element:
        assert_is_junit(child)


@pytest.mark.parametrize("report", [REPORT, EMPTY])
def test_junit_is_what_the_common_schema_allows(report: CheckReport) -> None:
    root = ElementTree.fromstring(check_report_junit(report).encode())
    assert root.tag == "testsuites"
    assert_is_junit(root)
    (suite,) = root

    cases = list(suite)
    assert int(suite.get("tests", "")) == len(cases) == len(report.checks)
    for attribute, element in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(suite.get(attribute, "")) == len(suite.findall(f"testcase/{element}"))
    assert len({(case.get("classname"), case.get("name")) for case in cases}) == len(cases)
    assert all(len(case) <= 1 for case in cases)


def test_junit_tells_every_violation_in_the_text_that_gitlab_shows() -> None:
    root = ElementTree.fromstring(check_report_junit(REPORT).encode())
    failure = root.find("testsuite/testcase[@name='Values of orders']/failure")

    assert failure is not None and failure.text is not None
    assert failure.text.splitlines() == [*REPORT.checks[2].violations, "(checks.yml:16)"]


def test_junit_of_hostile_names_is_xml_that_says_what_they_are() -> None:
    text = check_report_junit(REPORT)
    root = ElementTree.fromstring(text.encode())
    case = root[0][-1]

    assert case.get("name") == "\\x1b[31m]]> <b>&\"'\\x00\\u202e\\ud800 [[ATTACHMENT|/etc/passwd]]"
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e\ud800-\udfff]", text)
