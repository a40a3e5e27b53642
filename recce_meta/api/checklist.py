"""The checklist of a review: checks proposed from stored data diffs, and written as checks.yml.

A proposed check accepts what is true now. It is judged as `check run` judges it, by the stored result, so
that adding a check sends no statement to the warehouse.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from recce_meta.api.checks import run_check, stored_checks
from recce_meta.api.data.requests import DataDiffRequest
from recce_meta.checks.expected_data import profile_violations
from recce_meta.checks.types import TYPES, Field
from recce_meta.errors import shorten
from recce_meta.models.checks import (
    EXPECT,
    FIGURES,
    NONE,
    OTHERS,
    Amount,
    CheckReport,
    CheckStatus,
    DataCheck,
    Expect,
    ExpectCounts,
    ExpectProfile,
    ExpectRows,
    ExpectValues,
    FigureParams,
    NodesParams,
    QueryDiffParams,
    StoredCheck,
    ValueDiffParams,
)
from recce_meta.models.data_diff import (
    AnyDataDiff,
    ProfileDiff,
    QueryDiff,
    RowCount,
    RowCountDiff,
    Subject,
    ValueDiff,
    is_rounded,
)
from recce_meta.models.run import RunMetadata

LONGEST_NAME = 60
"""Characters of a query in the name of its check."""
FILE = Path("checklist")
"""Name of the file of checks that a review has."""


def proposed_check(result: AnyDataDiff) -> DataCheck | None:
    """Return a check that *result* passes, with limits rounded up; None if every check would fail."""
    return _if_passed(_check_of(result), result)


def query_check(asked: DataDiffRequest, result: object) -> DataCheck | None:
    """Return a check that compares the query of *asked* again, which *result* answers and passes.

    It has the templates, which name the relations of later runs as well. None if every check would fail, or
    if *asked* limits what is compared.
    """
    params = query_of(asked, result)
    answer = result.values or result.rows if isinstance(result, QueryDiff) else None
    if params is None or answer is None or not isinstance(result, QueryDiff):
        return None
    changed = answer.changed if isinstance(answer, ValueDiff) else 0
    differing = answer.added + answer.removed + changed
    limit = _share(differing, answer.common + answer.added + answer.removed)
    name = f"Query {shorten(' '.join(params.sql_template.split()), LONGEST_NAME)}"
    check = DataCheck(
        name=name,
        type="query_diff",
        params=params,
        expect=ExpectRows(max_differing_rows=limit),
        path=FILE,
        line=1,
    )
    return _if_passed(check, result)


def query_of(asked: DataDiffRequest, result: object) -> QueryDiffParams | None:
    """Return templates and key of the query that *result* answers; None if *asked* limits the rows."""
    if not isinstance(result, QueryDiff) or asked.current_sql is None or asked.columns or asked.where:
        return None
    key = result.values.key if result.values else ()
    return QueryDiffParams(sql_template=asked.current_sql, base_sql_template=asked.base_sql, primary_keys=key)


def _if_passed(check: DataCheck | None, result: AnyDataDiff) -> DataCheck | None:
    is_passed = check is not None and run_check(check, lambda _: _judged(result)).status is CheckStatus.PASSED
    return check if is_passed else None


def _check_of(result: AnyDataDiff) -> DataCheck | None:
    """Return the check that asks for *result*, if it is of all rows of both sides."""
    result = _judged(result)
    match result:
        case ValueDiff() if not result.is_narrowed and result.base and result.current:
            params: Any = ValueDiffParams(model=result.subject.unique_id or "", primary_key=result.key)
            return _check("value_diff", "Values", result.subject, params, _of_values(result))
        case RowCountDiff(counts=(RowCount(where=None, base=int(), current=int()) as one,)):
            params = NodesParams(ids=(one.subject.unique_id or "",))
            limit = _share(abs(one.delta or 0), one.base or 0)
            return _check("row_count_diff", "Rows", one.subject, params, ExpectCounts(row_count_change=limit))
        case ProfileDiff(where=None) if limits := _of_profile(result):
            # Columns by name, so that another one of the node is not judged by limits it did not set.
            names = tuple(one.name for one in result.columns)
            params = FigureParams(model=result.subject.unique_id or "", columns=names)
            return _check("profile_diff", "Profile", result.subject, params, ExpectProfile(max_change=limits))
    return None


def _check(kind: str, about: str, subject: Subject, params: Any, expect: Expect) -> DataCheck:
    name = f"{about} of {subject.name}"
    return DataCheck(name=name, type=kind, params=params, expect=expect, path=FILE, line=1)


def _of_values(result: ValueDiff) -> ExpectValues:
    differing = {one.name: _share(one.mismatched, result.common) for one in result.columns if one.mismatched}
    rows, sides = result.common + result.removed, [side for side in (result.base, result.current) if side]
    accepted = {
        "removed_columns": bool(result.base_only),
        "incomparable_columns": any(one.reason or is_rounded(one) for one in result.columns),
        "null_keys": any(side.null_keys for side in sides),
        "duplicate_keys": any(side.duplicate_keys for side in sides),
    }
    return ExpectValues(
        max_mismatch={**differing, OTHERS: NONE},
        max_added=_share(result.added, rows),
        max_removed=_share(result.removed, rows),
        allow=frozenset(name for name, is_there in accepted.items() if is_there),
    )


def _judged(result: AnyDataDiff) -> AnyDataDiff:
    """Return the part of *result* that a check is about: of a profile, the columns of both sides."""
    if not isinstance(result, ProfileDiff):
        return result
    return replace(result, columns=tuple(one for one in result.columns if one.base and one.current))


def _of_profile(result: ProfileDiff) -> dict[str, Amount]:
    """Return the smallest limit of each figure that all columns keep; a figure may keep none."""
    found = {figure: _smallest(figure, result) for figure in FIGURES}
    return {figure: SHARES[place] for figure, place in found.items() if place < len(SHARES)}


def _smallest(figure: str, result: ProfileDiff) -> int:
    """Return the position of the smallest limit of *figure* that all columns of *result* keep."""

    def is_kept(limit: Amount) -> bool:
        return not profile_violations(ExpectProfile(max_change={figure: limit}), result, result)

    return bisect_left(SHARES, True, key=is_kept)


_THOUSANDTHS = (*range(1, 100), *range(100, 10_001, 10))
SHARES = (NONE, *(Amount(Decimal(one) / 1000, is_share=True) for one in _THOUSANDTHS))
"""Limits of a figure, of two digits and at most ten times its value."""


def _share(number: int, of: int) -> Amount:
    """Return the smallest share with two digits that *number* of *of* rows keep: 76 of 900 is 8.5%."""
    if not number or not of:
        return Amount(Decimal(number))
    thousandths = -(-1000 * number // of)
    if thousandths > 100:
        thousandths = -(-100 * number // of) * 10
    return Amount(Decimal(thousandths) / 1000, is_share=True)


def expectation(check: DataCheck) -> dict[str, Any]:
    """Return the thresholds of a proposed *check* as checks.yml has them."""
    kind = TYPES[check.type]
    assert kind.expect is not None
    defaults = kind.expect()
    given = {name: (getattr(check.expect, name), getattr(defaults, name)) for name in kind.thresholds}
    return {name: _plain(value) for name, (value, default) in given.items() if value != default}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, frozenset):
        return sorted(value)
    return str(value) if value.is_share else int(value.value)


def checked(
    check: DataCheck, sentence: str, result: AnyDataDiff, base: RunMetadata, current: RunMetadata
) -> StoredCheck:
    """Return the outcome of *check* for *result*, with *sentence* as its description."""
    check = replace(check, description=sentence)
    report = CheckReport(checks=(run_check(check, lambda _: _judged(result)),), path=str(FILE), seconds=0.0)
    (found,) = stored_checks(
        report,
        [check],
        base_run_id=base.run_id,
        current_run_id=current.run_id,
        checked_at=datetime.now(timezone.utc),
    )
    return replace(found, parameters={**found.parameters, EXPECT: expectation(check)})


def asked_check(stored: StoredCheck) -> DataCheck:
    """Return the check that led to *stored*, with the same thresholds."""
    kind = TYPES[stored.check_type]
    assert kind.expect is not None
    params = {name: value for name, value in stored.parameters.items() if name != EXPECT}
    return DataCheck(
        name=stored.check_name,
        description=stored.description,
        type=stored.check_type,
        params=kind.params(**_read(kind.fields, params)),
        expect=kind.expect(**_read(kind.thresholds, stored.parameters[EXPECT])),
        path=FILE,
        line=1,
    )


def _read(fields: Mapping[str, Field], given: Mapping[str, Any]) -> dict[str, Any]:
    return {fields[name].to or name: fields[name].read(value) for name, value in given.items()}


def is_asked(check: DataCheck, result: AnyDataDiff) -> bool:
    """Return True if *result* is what *check* asks for; another key or fewer rows say nothing of it."""
    own = _check_of(result)
    return own is not None and (own.type, own.params) == (check.type, check.params)


def removed(check: StoredCheck) -> StoredCheck:
    """Return the entry that removes *check* from the checklist; its results stay."""
    now = datetime.now(timezone.utc)
    gone = {"parameters": {**check.parameters, EXPECT: None}, "violations": (), "findings": ()}
    message = "Removed from the checklist"
    return replace(check, status=CheckStatus.SKIPPED.value, message=message, checked_at=now, **gone)


def checks_file(checks: Iterable[StoredCheck]) -> str:
    """Return checks.yml with those of *checks* that were added to the checklist; empty if there are none."""
    import yaml

    entries = []
    for check in checks:
        if EXPECT in check.parameters:
            params = {name: value for name, value in check.parameters.items() if name != EXPECT}
            about = {"name": check.check_name, "description": check.description, "type": check.check_type}
            entries.append({**about, "params": params, EXPECT: check.parameters[EXPECT]})
    text: str = yaml.safe_dump({"checks": entries}, sort_keys=False, allow_unicode=True, width=100)
    return text if entries else ""
