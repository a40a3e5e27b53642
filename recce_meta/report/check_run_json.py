"""What came of checks, as JSON for programs; `docs/checks.md` and its JSON Schema describe the document."""

from __future__ import annotations

from typing import Any

import msgspec

from recce_meta.models.change import RunDiff
from recce_meta.models.check_result import CheckAnswer, CheckReport, CheckResult, CheckStatus
from recce_meta.report.as_json import diff_json
from recce_meta.report.characters import pretty_json
from recce_meta.report.check_findings import node_findings, reports_phrase
from recce_meta.report.data.as_json import data_tree

CHECK_RUN_SCHEMA = "recce_meta/check-run/v1"


def check_report_json(report: CheckReport) -> str:
    """*report* as a document of schema `recce_meta/check-run/v1`, complete: nothing is cut.

    Results are as in `docs/data-json.md`; a lineage diff is as in `docs/diff-json.md`, with a `type` besides.
    """
    document = {
        "schema": CHECK_RUN_SCHEMA,
        "is_passed": report.is_passed,
        "path": report.path,
        "seconds": round(report.seconds, 6),
        "summary": reports_phrase(report),
        "counts": {str(status): report.count(status) for status in CheckStatus},
        "checks": [_check(check) for check in report.checks],
    }
    return pretty_json(document)


def _check(check: CheckResult) -> dict[str, Any]:
    fields = {name: getattr(check, name) for name in check.__struct_fields__ if name != "results"}
    tree: dict[str, Any] = data_tree(fields)
    found = node_findings(check.type, check.results)
    tree["findings"] = [{"name": one.name, "finding": one.finding.value, "text": one.text} for one in found]
    return tree | {"results": [_answer(answer) for answer in check.results]}


def _answer(answer: CheckAnswer) -> dict[str, Any]:
    if isinstance(answer, RunDiff):
        document: dict[str, Any] = msgspec.json.decode(diff_json(answer))
        return {"type": "lineage_diff", **document}
    tree: dict[str, Any] = data_tree(answer)
    return tree
