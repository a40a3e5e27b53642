"""Results of checks as the store takes them: counts and sentences, without values of the compared data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from recce_meta._version import __version__
from recce_meta.extractors.check_types import TYPES
from recce_meta.models.change import RunDiff
from recce_meta.models.check_result import (
    AnyCheck,
    CheckAnswer,
    CheckReport,
    CheckResult,
    CheckStatus,
    DataCheck,
)
from recce_meta.models.stored_check import StoredCheck, StoredFinding
from recce_meta.report.check_findings import DIFFERING, Finding, NodeFinding, node_findings

WITH_VALUES = frozenset({"query", "query_base", "profile_diff"})
"""Types whose violations quote values: cells, minima and maxima."""

_QUOTED = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"")
_UNCERTAIN = frozenset({Finding.FAILED, Finding.NOT_COMPARED})


def stored_checks(
    report: CheckReport,
    checks: Sequence[AnyCheck],
    *,
    base_run_id: str | None,
    current_run_id: str | None,
    checked_at: datetime,
) -> list[StoredCheck]:
    """Return the results of *report*, which *checks* gave, for the store."""
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
    """Return the counts of nodes; of a lineage diff only the changed ones are known."""
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
    """Return *found* for the store; what a warehouse quoted in an error is left out."""
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
    """Return *message* without texts in quotes: a warehouse's error may quote a value.

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
    """Return the parameters that the check gives, by their names in the file."""
    if not isinstance(asked, DataCheck):
        return {}
    fields = msgspec.structs.fields(asked.params)
    given = {field.name: getattr(asked.params, field.name) for field in fields}
    defaults = {field.name: field.default for field in fields}
    names = {field.to or name: name for name, field in TYPES[asked.type].fields.items()}
    found = {names.get(name, name): value for name, value in given.items() if value != defaults[name]}
    parameters: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(found))
    return parameters
