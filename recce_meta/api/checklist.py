"""The checklist of a review: checks proposed from stored data diffs, and written as checks.yml.

A proposed check accepts what is true now. It is judged as `check run` judges it, by the stored result, so
that adding a check sends no statement to the warehouse.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from msgspec.structs import replace

from recce_meta.api.checks import run_check, stored_checks
from recce_meta.checks.types import TYPES
from recce_meta.models.checks import (
    NONE,
    OTHERS,
    Amount,
    CheckReport,
    CheckStatus,
    DataCheck,
    ExpectValues,
    StoredCheck,
    ValueDiffParams,
)
from recce_meta.models.data_diff import ValueDiff, is_rounded
from recce_meta.models.run import RunMetadata

FILE = Path("checklist")
"""Name of the file of checks that a review has."""
EXPECT = "expect"
"""Parameter of a stored check with its thresholds, as checks.yml has them."""


def proposed_check(result: ValueDiff) -> DataCheck | None:
    """Return a check that *result* passes, with limits rounded up; None if every check would fail."""
    if result.is_narrowed or result.base is None or result.current is None:
        return None
    differing = {one.name: _share(one.mismatched, result.common) for one in result.columns if one.mismatched}
    rows, sides = result.common + result.removed, (result.base, result.current)
    accepted = {
        "removed_columns": bool(result.base_only),
        "incomparable_columns": any(one.reason or is_rounded(one) for one in result.columns),
        "null_keys": any(side.null_keys for side in sides),
        "duplicate_keys": any(side.duplicate_keys for side in sides),
    }
    check = DataCheck(
        name=f"Values of {result.subject.name}",
        type="value_diff",
        params=ValueDiffParams(model=result.subject.unique_id or "", primary_key=result.key),
        expect=ExpectValues(
            max_mismatch={**differing, OTHERS: NONE},
            max_added=_share(result.added, rows),
            max_removed=_share(result.removed, rows),
            allow=frozenset(name for name, is_there in accepted.items() if is_there),
        ),
        path=FILE,
        line=1,
    )
    is_passed = run_check(check, lambda _: result).status is CheckStatus.PASSED
    return check if is_passed else None


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
    expect = check.expect
    assert isinstance(expect, ExpectValues) and isinstance(expect.max_mismatch, Mapping)
    limits = {"max_added": expect.max_added, "max_removed": expect.max_removed}
    return {
        "max_mismatch": {name: _plain(limit) for name, limit in expect.max_mismatch.items()},
        **{name: _plain(limit) for name, limit in limits.items() if limit.value},
        **({"allow": sorted(expect.allow)} if expect.allow else {}),
    }


def _plain(limit: Amount) -> str | int:
    return str(limit) if limit.is_share else int(limit.value)


def checked(
    check: DataCheck, sentence: str, result: ValueDiff, base: RunMetadata, current: RunMetadata
) -> StoredCheck:
    """Return the outcome of *check* for *result*, with *sentence* as its description."""
    check = replace(check, description=sentence)
    report = CheckReport(checks=(run_check(check, lambda _: result),), path=str(FILE), seconds=0.0)
    (found,) = stored_checks(
        report,
        [check],
        base_run_id=base.run_id,
        current_run_id=current.run_id,
        checked_at=datetime.now(timezone.utc),
    )
    return replace(found, parameters={**found.parameters, EXPECT: expectation(check)})


class AskedCheck(NamedTuple):
    """Check of the checklist, and its parameters."""

    check: DataCheck
    params: ValueDiffParams


def asked_check(stored: StoredCheck) -> AskedCheck:
    """Return the check that led to *stored*, with the same thresholds."""
    kind = TYPES["value_diff"]
    given = stored.parameters
    params = ValueDiffParams(model=str(given["model"]), primary_key=tuple(given.get("primary_key", ())))
    limits = {name: kind.thresholds[name].read(value) for name, value in given[EXPECT].items()}
    check = DataCheck(
        name=stored.check_name,
        description=stored.description,
        type=stored.check_type,
        params=params,
        expect=ExpectValues(**limits),
        path=FILE,
        line=1,
    )
    return AskedCheck(check, params)


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
