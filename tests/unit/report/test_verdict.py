"""One verdict in all outputs: the worst decides its sign and its tone, and what was not compared is said."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timezone
from itertools import combinations
from types import SimpleNamespace
from typing import NamedTuple

import pytest
from msgspec.structs import replace

from recce_meta.api.browse.diffs import PairReport
from recce_meta.mcp.tools import RunTools
from recce_meta.models import NodeResult
from recce_meta.models.change import Category, Change, RunDiff, Status
from recce_meta.models.checks import CheckReport, CheckResult, CheckStatus, StoredCheck
from recce_meta.models.data_diff import AnyDataDiff, NotCompared, RowCount, RowCountDiff, Subject
from recce_meta.models.run import (
    EARLIER_RESULTS,
    UNBUILT,
    UNFINISHED,
    ChosenRun,
    Extraction,
    ExtractionTier,
    RunChoice,
    RunMetadata,
    Trigger,
    with_build,
)
from recce_meta.report import (
    diff_json,
    diff_markdown,
    diff_text,
    html_report,
    pull_request_markdown,
    whole_text,
)
from recce_meta.report.html.page import heading_of
from recce_meta.report.labels import PASSED, build_problem
from recce_meta.report.review.parts import headline_of
from recce_meta.report.review.verdict import TONES, Checks, verdict_of
from recce_meta.repositories.follow_ups.comments import RepositoryResults, report_verdict
from recce_meta.repositories.forges.base import StatusState

AT = datetime(2026, 11, 20, 8, tzinfo=timezone.utc)
RUN = RunMetadata(run_id="base-1", run_at=AT, project_name="shop", environment="base")
SILVER = Extraction(
    connection="shop", job="1", trigger=Trigger.POLL, requested_by="ada", tier=ExtractionTier.SILVER
)


def changed(name: str, category: Category, kind: str = "model") -> Change:
    """Return a modified node."""
    return Change(
        unique_id=f"{kind}.shop.{name}",
        name=name,
        resource_type=kind,
        status=Status.MODIFIED,
        category=category,
    )


SIGNS = {
    "failed": "❌❗",
    "differs": "⚠️🟡",
    "not-compared": "❔",
    "one-sided": "⚪",
    "info": "🔎",
    "same": PASSED,
}
"""Signs of each tone."""
BREAKING = changed("customers", Category.BREAKING)
HARMLESS = changed("orders", Category.NON_BREAKING)
DBT_MESSAGE = """Database Error in model orders (models/orders.sql)
  Out of Range Error: division by zero
  compiled code at target/run/shop/models/orders.sql"""
NO_CODE = RunDiff(base=RUN, current=replace(RUN, run_id="current-1"), changes=())


def counts(*rows: int) -> RowCountDiff:
    """Return row counts of one node, in base and in current."""
    subject = Subject(
        name="customers", unique_id="model.shop.customers", base="a.customers", current="b.customers"
    )
    return RowCountDiff(counts=(RowCount(subject=subject, base=rows[0], current=rows[1]),))


def check(status: str, **fields: object) -> StoredCheck:
    """Return a stored result of a check of row counts."""
    return StoredCheck(
        **{
            "check_result_id": "1",
            "checked_at": AT,
            "base_run_id": "base-1",
            "current_run_id": "current-1",
            "ordinal": 1,
            "check_name": "Rows",
            "check_type": "row_count_diff",
            "status": status,
            "has_expectations": True,
            "recorder_version": "1",
            **fields,
        }  # type: ignore[arg-type]
    )


EQUAL, DIFFERENT = counts(5, 5), counts(5, 4)
MISSING = NotCompared(
    subject=Subject(name="orders", unique_id="model.shop.orders"),
    diff="data_diff",
    reason="no result is stored",
)
BUILD = with_build(
    RUN, [NodeResult(unique_id="test.shop.t", status="fail"), NodeResult(unique_id="m", status="skipped")]
)


class Case(NamedTuple):
    """What was compared, and the verdict."""

    tone: str
    said: Sequence[str]
    """Beginnings of all sentences."""
    diff: RunDiff = NO_CODE
    results: Sequence[AnyDataDiff] = ()
    checks: Checks = ()


def code(*changes: Change, **fields: object) -> RunDiff:
    """Return a diff of *changes*."""
    return replace(NO_CODE, changes=changes, **fields)


CASES = {
    "a row count beside a breaking change": Case(
        "failed",
        ("1 breaking change (2 nodes changed", "1 of 2 nodes not compared, equal row count in 1 node"),
        code(BREAKING, HARMLESS),
        (EQUAL, MISSING),
    ),
    "equal data, and a node without a result": Case(
        "not-compared", ("1 of 2 nodes not compared", "1 node changed"), code(HARMLESS), (EQUAL, MISSING)
    ),
    "an equal row count": Case("one-sided", ("Equal row count in 1 node", "No changes"), NO_CODE, (EQUAL,)),
    "a check in error": Case(
        "failed", ("1 check in error", "1 node changed"), code(HARMLESS), (), (check("error"),)
    ),
    "a check that failed, and one in error": Case(
        "failed", ("1 of 2 checks failed, 1 in error", "No"), checks=(check("failed"), check("error"))
    ),
    "a difference without an expectation": Case(
        "differs",
        ("1 check differs", "No changes"),
        checks=(check("passed", has_expectations=False, differing_nodes=1),),
    ),
    "a check that was skipped": Case(
        "one-sided",
        ("1 of 2 checks skipped, 1 passed", "No changes"),
        checks=(check("passed"), check("skipped")),
    ),
    "a failed build without an edit": Case(
        "failed",
        ("Current: build failed, 1 failed test, 1 skipped", "No changes"),
        replace(NO_CODE, current=BUILD),
    ),
    "a failed build whose nodes are known": Case(
        "failed",
        ("Current: build failed, 1 failed test, 1 skipped; orders, t failed", "No changes"),
        replace(
            NO_CODE,
            current=BUILD,
            failed_results=(
                NodeResult(unique_id="model.shop.orders", status="error"),
                NodeResult(unique_id="test.shop.t.5f", status="fail"),
            ),
        ),
    ),
    "a failed build with dbt's message": Case(
        "failed",
        (
            "Current: build failed, 1 failed test, 1 skipped; orders failed",
            "orders failed: Out of Range Error: division by zero",
            "No changes",
        ),
        replace(
            NO_CODE,
            current=BUILD,
            failed_results=(NodeResult(unique_id="model.shop.orders", status="error", message=DBT_MESSAGE),),
        ),
    ),
    "a failed build of base": Case(
        "not-compared", ("Base: build failed", "No changes"), replace(NO_CODE, base=BUILD)
    ),
    "a build without rows": Case(
        "not-compared",
        ("Current was run with --empty: its tables may lack rows", "No changes"),
        replace(NO_CODE, current=replace(RUN, command="build --empty")),
    ),
    "equal data of tables that may be older than the code": Case(
        "not-compared",
        ("No build of current is recorded", "Equal row count in 1 node", "No changes"),
        replace(
            NO_CODE,
            choice=RunChoice(
                base=ChosenRun(run_id="base-1", selector=None, reason="a"),
                current=ChosenRun(run_id="current-1", selector=None, reason="b"),
                notes=(f"{UNBUILT} current is recorded; tables may be older than the code",),
            ),
        ),
        (EQUAL,),
    ),
    "a clone of another target": Case(
        "not-compared",
        ("Current was cloned: its tables are those of another target", "No changes"),
        replace(NO_CODE, current=replace(RUN, command="clone")),
    ),
    "a build that was interrupted": Case(
        "not-compared",
        ("Current has no results of its own, so what dbt has built is unknown", "No changes"),
        replace(NO_CODE, current=replace(RUN, warnings=(EARLIER_RESULTS,))),
    ),
    "a build that lacks nodes": Case(
        "not-compared",
        ("Current was not built to its end: run_results.json has no result of a", "No changes"),
        replace(NO_CODE, current=replace(RUN, warnings=(f"{UNFINISHED} a",))),
    ),
    "two runs without dbt": Case(
        "differs",
        ("Read without dbt", "No changes"),
        replace(NO_CODE, base=replace(RUN, extraction=SILVER), current=replace(RUN, extraction=SILVER)),
    ),
    "nodes and tests": Case(
        "info", ("1 node and 1 test changed",), code(HARMLESS, changed("t", Category.NON_BREAKING, "test"))
    ),
    "an unknown effect": Case("not-compared", ("1 unknown change",), code(changed("a", Category.UNKNOWN))),
    "different rows": Case(
        "differs", ("Data differs in 1 of 1 node", "1 node"), code(HARMLESS), (DIFFERENT,)
    ),
    "nothing but notes": Case(
        "one-sided", ("No changes found; the comparison",), replace(NO_CODE, notes=("x",))
    ),
}


AGENTS = RunTools(SimpleNamespace(store=SimpleNamespace(note=None)))  # type: ignore[arg-type]


def as_report(checks: Checks) -> CheckReport:
    """Return stored *checks* as the report of the command that stored them."""
    assert not isinstance(checks, CheckReport)
    results = tuple(
        CheckResult(
            name=one.check_name,
            type=one.check_type,
            status=CheckStatus(one.status),
            has_expectations=one.has_expectations,
            results=(DIFFERENT,) if one.differing_nodes else (EQUAL,),
        )
        for one in checks
    )
    return CheckReport(checks=results)


@pytest.mark.parametrize("name", CASES)
def test_all_outputs_have_the_same_verdict(name: str) -> None:
    case = CASES[name]
    found = verdict_of(case.diff, case.results, case.checks)

    assert found.tone == case.tone
    assert len(found.sentences) == len(case.said), found.sentences
    for sentence, said in zip(found.sentences, case.said, strict=True):
        assert sentence.startswith(said)
    assert found.sign in SIGNS[found.tone]
    heading = heading_of(case.diff, case.results, case.checks, None)
    assert (heading["tone"], heading["sentences"]) == (found.tone, found.sentences)
    _, data, checked = headline_of(case.diff, case.results, case.checks, None).parts
    said = {sentence.casefold() for sentence in found.sentences}
    assert not case.results or {data.text, f"data {data.text}"} & said
    total = f"{len(case.checks)} "
    assert not case.checks or checked.text in {
        sentence.replace(f"{total}check ", total).replace(f"{total}checks ", total) for sentence in said
    }
    report = as_report(case.checks)
    for checks in (report, case.checks):
        text = whole_text(case.diff, case.results, checks, width=0, color=False)
        lines = [line[2:] for line in text.split("\n\n")[1].splitlines()]
        assert lines[: len(found.sentences)] == found.sentences
        comment = pull_request_markdown(case.diff, case.results, checks)
        assert comment.splitlines()[1] == f"### {found}"
        document = json.loads(diff_json(case.diff, case.results, checks))["verdict"]
        assert document == {"tone": found.tone, "sentences": found.sentences}
        page = html_report("Diff", case.diff, case.results, checks)
        assert all(sentence in page for sentence in found.sentences)
        assert ("none yet" in page) is (not case.checks)
    if not case.results:
        assert diff_text(case.diff, case.checks, width=0, color=False) == text
        assert diff_markdown(case.diff, case.checks).splitlines()[1] == f"### {found}"
    if not case.results:
        status = report_verdict(case.diff, frozenset(), RepositoryResults(checks=report))
        has_failed = any(one.status in ("failed", "error") for one in case.checks)
        assert (status.state is StatusState.SUCCESS) != (has_failed or bool(build_problem(case.diff.current)))
        if status.state is StatusState.SUCCESS:
            assert status.description == found.text
    if case.diff is not None and not isinstance(case.checks, CheckReport):
        of_agent = PairReport(
            diff=case.diff, data=tuple(case.results), data_taken_at=None, checks=tuple(case.checks)
        )
        assert AGENTS.head(of_agent)["verdict"] == str(found)


@pytest.mark.parametrize("conditions", [(), ("fails",), ("breaking",)])
def test_a_failed_build_fails_the_commit_whatever_the_conditions_are(conditions: tuple[str, ...]) -> None:
    diff = CASES["a failed build whose nodes are known"].diff

    assert report_verdict(diff, frozenset(conditions), RepositoryResults()).state is StatusState.FAILURE


def test_a_verdict_is_never_milder_than_one_of_its_parts() -> None:
    """Another result, check or change never turns a worse verdict into a better one."""
    changes = (BREAKING, HARMLESS, changed("a", Category.PARTIAL_BREAKING), changed("b", Category.UNKNOWN))
    parts: list[tuple[Sequence[Change], Sequence[AnyDataDiff], Sequence[StoredCheck]]] = [
        *(((one,), (), ()) for one in changes),
        *(((), (one,), ()) for one in (EQUAL, DIFFERENT, MISSING)),
        *(((), (), (check(status),)) for status in ("passed", "failed", "error", "skipped")),
    ]

    def rank(*chosen: tuple[Sequence[Change], Sequence[AnyDataDiff], Sequence[StoredCheck]]) -> int:
        edits, results, checks = ([one for part in chosen for one in part[place]] for place in range(3))
        return TONES.index(verdict_of(code(*edits), results, checks).tone)  # type: ignore[arg-type]

    for pair in combinations(parts, 2):
        if pair[0][1] and pair[1][1] and MISSING not in (*pair[0][1], *pair[1][1]):
            continue  # two results of one node
        assert rank(*pair) <= min(map(rank, pair))


def test_a_check_of_a_file_and_a_stored_one_have_the_same_verdict() -> None:
    report = CheckReport(
        checks=(
            CheckResult(name="Rows", type="row_count_diff", status=CheckStatus.PASSED, results=(DIFFERENT,)),
        )
    )
    stored = (check("passed", has_expectations=False, differing_nodes=1),)
    assert verdict_of(NO_CODE, (), report) == verdict_of(NO_CODE, (), stored)
