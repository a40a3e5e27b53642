"""Results of checks for the store: counts and sentences, and never a value of the compared data."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import msgspec

from recce_meta.api.checks import run_checks, stored_checks
from recce_meta.checks.file import read_check_file
from recce_meta.errors import WarehouseError
from recce_meta.models.checks import StoredCheck
from recce_meta.models.data_diff import (
    ColumnProfile,
    DetailRow,
    Profile,
    ProfileDiff,
    QueryDiff,
    RowCount,
    RowCountDiff,
    RowsDiff,
    Subject,
    ValueDetail,
)

SECRET = "ann@example.org"
ORDERS = Subject(name="orders", unique_id="model.shop.orders", base="prod.orders", current="dev.orders")
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
