"""Results of checks for the store: counts and sentences, and never a value of the compared data."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from recce_meta.api.checklist import (
    asked_check,
    checked,
    checks_file,
    is_asked,
    proposed_check,
    removed,
)
from recce_meta.api.checks import run_checks, stored_checks
from recce_meta.checks.file import read_check_file
from recce_meta.errors import WarehouseError
from recce_meta.models.checks import EXPECT, Amount, DataCheck, StoredCheck
from recce_meta.models.data_diff import (
    AnyDataDiff,
    ColumnProfile,
    ColumnValues,
    DetailRow,
    KeyCounts,
    Profile,
    ProfileDiff,
    QueryDiff,
    RowCount,
    RowCountDiff,
    RowsDiff,
    Subject,
    ValueDetail,
    ValueDiff,
)
from recce_meta.models.run import RunMetadata

SECRET = "ann@example.org"
RUN = RunMetadata(run_id="1", run_at=datetime(2026, 11, 27, tzinfo=timezone.utc), project_name="shop")
ORDERS = Subject(name="orders", unique_id="model.shop.orders", base="prod.orders", current="dev.orders")
SAME = {"row_count": 0, "not_null_count": 0, "not_null_proportion": 0}
FILE = """
checks:
  - {name: query, type: query, params: {sql_template: select 1}, expect: {value: 5}}
  - {name: detail, type: value_diff_detail, params: {model: orders}}
  - {name: profile, type: profile_diff, params: {model: orders}, expect: {max_change: {min: 0}}}
  - {name: error, type: row_count, params: {select: tag:x}}
  - {name: rows, type: row_count_diff, params: {node_names: [orders]}, expect: {row_count_change: 0}}
  - {name: broken, type: nope}
"""


def profile(least: str) -> Profile:
    return Profile(type="VARCHAR", row_count=1, not_null_count=1, min=least, max=least)


def answer(check: Any) -> Any:
    if check.name == "error":
        raise WarehouseError(f"Could not convert string '{SECRET}' to INT32\nLINE 1")
    answers = {
        "query": QueryDiff(
            subject=Subject(name="query"),
            base_sql="",
            current_sql="select 1",
            rows=RowsDiff(
                subject=Subject(name="query"),
                columns=("email",),
                base_rows=None,
                current_rows=1,
                rows=(DetailRow(status="added", key=(), current=(SECRET,)),),
            ),
        ),
        "detail": ValueDetail(
            subject=ORDERS,
            key=("email",),
            key_source="option",
            columns=("v",),
            rows=(DetailRow(status="changed", key=(SECRET,), base=(1,), current=(2,)),),
            limit=5,
        ),
        "profile": ProfileDiff(
            subject=ORDERS,
            columns=(ColumnProfile(name="email", base=profile("a"), current=profile(SECRET)),),
        ),
        "rows": RowCountDiff(counts=(RowCount(subject=ORDERS, base=1, current=2),)),
    }
    return answers[check.name]


def stored(tmp_path: Path) -> dict[str, StoredCheck]:
    path = tmp_path / "checks.yml"
    path.write_text(FILE)
    checks = read_check_file(path)
    report = run_checks(checks, answer, path=str(path))
    assert SECRET in str(report)
    at = datetime(2026, 11, 1, tzinfo=timezone.utc)
    found = stored_checks(report, checks, base_run_id="b", current_run_id="c", checked_at=at)
    return {check.check_name: check for check in found}


def test_no_value_of_the_data_is_stored(tmp_path: Path) -> None:
    found = stored(tmp_path)

    assert SECRET not in msgspec.json.encode(found).decode()
    assert found["error"].message == "Could not convert string '…' to INT32"
    assert found["query"].message == "1 expectation does not hold"
    assert (found["query"].status, found["query"].violations) == ("failed", ())


def test_figures_parameters_and_places_are_stored(tmp_path: Path) -> None:
    rows = stored(tmp_path)["rows"]

    assert (rows.file_name, rows.ordinal, rows.parameters) == ("checks.yml", 5, {"node_names": ["orders"]})
    assert (rows.node_count, rows.differing_nodes, rows.uncompared_nodes) == (1, 1, 0)
    (finding,) = rows.findings
    assert (finding.unique_id, finding.finding, finding.text) == (
        "model.shop.orders",
        "differs",
        "1 → 2 (+1, +100.0%)",
    )
    assert rows.violations == ("orders: went from 1 to 2 rows (+1, +100%), none allowed",)
    broken = stored(tmp_path)["broken"]
    assert (broken.status, broken.parameters, broken.node_count) == ("error", {}, None)


def values(mismatched: int = 0, reason: str | None = None, **given: Any) -> ValueDiff:
    figures = {} if reason else {"matched": 900 - mismatched, "mismatched": mismatched}
    amount = ColumnValues(name="amount", base_type="INT", current_type="INT", reason=reason, **figures)
    same = ColumnValues(name="at", base_type="DATE", current_type="DATE", matched=900, mismatched=0)
    usual: dict[str, Any] = {
        "subject": ORDERS,
        "key": ("id",),
        "key_source": "",
        "base": KeyCounts(rows=900),
        "current": KeyCounts(rows=900),
        "common": 900,
        "changed": mismatched,
        "columns": (amount, same),
    }
    return ValueDiff(**(usual | given))


def counts(base: int, current: int, **given: Any) -> RowCountDiff:
    return RowCountDiff(counts=(RowCount(subject=ORDERS, base=base, current=current, **given),))


def averages(base: Any, current: Any) -> ProfileDiff:
    sides = [
        Profile(type="INT", row_count=100, not_null_count=100, min=least, avg=Decimal(least))
        for least in (base, current)
    ]
    gone = ColumnProfile(name="gone", base=sides[0])
    column = ColumnProfile(name="amount", base=sides[0], current=sides[1])
    return ProfileDiff(subject=ORDERS, columns=(column, gone))


def _tighter(check: DataCheck) -> Iterator[DataCheck]:
    """Yield *check* with one of its shares a step smaller."""
    assert check.expect is not None
    for name, limit in msgspec.structs.asdict(check.expect).items():
        for key, one in limit.items() if isinstance(limit, dict) else [(None, limit)]:
            if isinstance(one, Amount) and one.is_share:
                step = Decimal("0.001") if one.value <= Decimal("0.1") else Decimal("0.01")
                less = msgspec.structs.replace(one, value=one.value - step)
                change = {name: {**limit, key: less} if key else less}
                yield msgspec.structs.replace(check, expect=msgspec.structs.replace(check.expect, **change))


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        # 76 of 900 is shown as 8.4%, and a limit of 8.4% would fail.
        (values(76), {"max_mismatch": {"amount": "8.5%", "*": 0}}),
        (values(), {"max_mismatch": {"*": 0}}),
        (values(333), {"max_mismatch": {"amount": "37%", "*": 0}}),
        (values(90), {"max_mismatch": {"amount": "10%", "*": 0}}),
        (
            values(removed=1, base=KeyCounts(rows=901), base_only=("note",)),
            {"max_mismatch": {"*": 0}, "max_removed": "0.2%", "allow": ["removed_columns"]},
        ),
        (
            values(reason="no common type"),
            {"max_mismatch": {"*": 0}, "allow": ["incomparable_columns"]},
        ),
        (
            values(base=KeyCounts(rows=902, duplicate_keys=1, duplicate_rows=2)),
            {"max_mismatch": {"*": 0}, "allow": ["duplicate_keys"]},
        ),
        (counts(900, 824), {"row_count_change": "8.5%"}),
        (counts(900, 900), {"row_count_change": 0}),
        (averages(100, 100), {"max_change": {**SAME, "min": 0, "avg": 0}}),
        (averages(300, 277), {"max_change": {**SAME, "min": "7.7%", "avg": "7.7%"}}),
        (averages(300, 100), {"max_change": {**SAME, "min": "67%", "avg": "67%"}}),
        # A share of zero accepts no other value.
        (averages(0, 1), {"max_change": SAME}),
    ],
)
def test_a_proposal_passes_and_one_step_tighter_fails(
    result: AnyDataDiff, expected: Any, tmp_path: Path
) -> None:
    check = proposed_check(result)
    assert check is not None
    stored = checked(check, "Amount: falls", result, RUN, RUN)
    assert (stored.status, stored.parameters[EXPECT]) == ("passed", expected)
    # What is exported says the same to `check run`.
    (tmp_path / "checks.yml").write_text(checks_file([stored]), encoding="utf-8")
    (read,) = read_check_file(tmp_path / "checks.yml")
    assert isinstance(read, DataCheck) and read.description == "Amount: falls"
    for found in (read, asked_check(stored)):
        assert (found.name, found.params, found.expect) == (check.name, check.params, check.expect)
        assert is_asked(found, result)
    for tight in _tighter(check):
        assert checked(tight, "", result, RUN, RUN).status == "failed"
    assert removed(stored).is_removed and not stored.is_removed


@pytest.mark.parametrize(
    "change",
    [{"where": "id < 5"}, {"base": None}, {"subject": msgspec.structs.replace(ORDERS, base_stale="old")}],
)
def test_no_check_is_proposed_from_a_part(change: Any) -> None:
    assert proposed_check(values(76, **change)) is None
    own = {name: value for name, value in change.items() if name in ("where", "base")}
    assert not own or proposed_check(counts(**({"base": 900, "current": 900} | own))) is None
    other = proposed_check(values(76, key=("other",)))
    assert other is not None and not is_asked(other, values(76))
