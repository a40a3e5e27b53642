"""sources.json is read in all its versions, and that of another project is not."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest

from recce_meta.extractors.freshness import read_freshness
from recce_meta.models.node import SourceFreshness

RAW = {
    "unique_id": "source.shop.raw",
    "status": "warn",
    "max_loaded_at": "2026-11-20T07:00:00+00:00",
    "snapshotted_at": "2026-11-20T09:00:00.5+01:00",
    "max_loaded_at_time_ago_in_s": 3600.5,
    "criteria": {"warn_after": {"count": 1, "period": "hour"}},
}
FRESH = SourceFreshness(
    unique_id="source.shop.raw",
    status="warn",
    max_loaded_at=datetime(2026, 11, 20, 7, tzinfo=timezone.utc),
    snapshotted_at=datetime(2026, 11, 20, 8, 0, 0, 500_000, tzinfo=timezone.utc),
    max_loaded_at_time_ago_in_s=3600.5,
    criteria={"warn_after": {"count": 1, "period": "hour"}},
)
ERROR = {"unique_id": "source.shop.raw", "status": "runtime error", "error": "no table"}
OTHER = {**RAW, "unique_id": "source.other.raw"}
EMPTY = {**RAW, "max_loaded_at": "0001-01-01T00:00:00+00:00"}
VERSION = "https://schemas.getdbt.com/dbt/{}/v3.json"


def found(tmp_path, *results, kind="sources"):
    path = tmp_path / "sources.json"
    header = {"dbt_schema_version": VERSION.format(kind)}
    path.write_text(json.dumps({"metadata": header, "results": results}))
    done = read_freshness(path, {"source.shop.raw", "model.shop.a"})
    return done.results, done.warnings


def test_a_result_has_what_dbt_measured(tmp_path):
    assert found(tmp_path, RAW) == ((FRESH,), ())
    ((error,), _) = found(tmp_path, ERROR)
    assert (error.status, error.error, error.max_loaded_at) == ("runtime error", "no table", None)
    assert found(tmp_path) == ((), ())
    assert read_freshness(None, ()).results == ()


def test_a_source_without_rows_has_no_time_and_no_age(tmp_path):
    ((empty,), _) = found(tmp_path, EMPTY)
    assert (empty.max_loaded_at, empty.max_loaded_at_time_ago_in_s) == (None, None)


@pytest.mark.parametrize(
    ("results", "kept", "warning"),
    [
        ([OTHER], 0, "belongs to another project or commit and was skipped"),
        ([RAW, OTHER], 1, "has 1 result that cannot be read, or"),
        ([RAW, {"status": "pass"}, {**RAW, "max_loaded_at": 5}], 1, "has 2 results that cannot be read, or"),
        ([RAW, RAW], 1, None),
    ],
)
def test_results_of_other_projects_are_not_kept(results, kept, warning, tmp_path):
    freshness, warnings = found(tmp_path, *results)

    assert len(freshness) == kept
    assert [warning in text for text in warnings] == ([True] if warning else [])


@pytest.mark.parametrize("text", ["", "{", '{"results": 5}', '{"metadata": {}}'])
def test_a_damaged_file_is_skipped_in_one_line(text, tmp_path):
    path = tmp_path / "sources.json"
    path.write_text(text)

    done = read_freshness(path, {"source.shop.raw"})
    (warning,) = done.warnings

    assert done.results == () and warning.startswith("sources.json was skipped: ") and "\n" not in warning


def test_another_artifact_under_this_name_is_skipped(tmp_path):
    assert "its header says" in found(tmp_path, RAW, kind="manifest")[1][0]
