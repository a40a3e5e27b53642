"""The documents keep to what docs/schemas says."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import msgspec
import pytest

from recce_meta.models import Change, ChangeDetail, Impact, LineageEdge, Reason, RunDiff, RunMetadata, Status
from recce_meta.models.run import Check
from recce_meta.report import checks_json, diff_json, runs_json
from recce_meta.report.json import DiffDocument
from recce_meta.report.labels import DiffSummary

SCHEMA = json.loads(
    (Path(__file__).parents[3] / "docs" / "schemas" / "diff.v1.json").read_text(encoding="utf-8")
)
RUN = RunMetadata(run_id="r1", run_at=datetime(2026, 11, 19, 8, tzinfo=timezone.utc), project_name="shop")


@pytest.mark.parametrize(
    ("kind", "described"),
    [
        (DiffDocument, SCHEMA),
        (RunMetadata, SCHEMA["$defs"]["run_metadata"]),
        (DiffSummary, SCHEMA["$defs"]["diff_summary"]),
        (Change, SCHEMA["$defs"]["change"]),
        (ChangeDetail, SCHEMA["$defs"]["change_detail"]),
        (Impact, SCHEMA["$defs"]["impact"]),
        (LineageEdge, SCHEMA["$defs"]["lineage_edge"]),
    ],
)
def test_the_schema_describes_every_field_and_no_other(
    kind: type[msgspec.Struct], described: dict[str, Any]
) -> None:
    assert list(described["properties"]) == list(kind.__struct_fields__)


def test_the_schema_knows_every_reason_and_status() -> None:
    reasons = SCHEMA["$defs"]["change"]["properties"]["reasons"]["items"]["enum"]
    assert reasons == [reason.value for reason in Reason]
    assert SCHEMA["$defs"]["change"]["properties"]["status"]["enum"] == [status.value for status in Status]


def test_the_order_in_which_changes_were_found_does_not_show() -> None:
    changes = tuple(
        Change(unique_id=name, name=name, resource_type="model", status=Status.ADDED) for name in "abc"
    )
    forwards = RunDiff(base=RUN, current=RUN, changes=changes)
    backwards = RunDiff(base=RUN, current=RUN, changes=changes[::-1])

    assert diff_json(forwards) == diff_json(backwards)


def test_times_are_iso_8601_in_utc() -> None:
    assert json.loads(runs_json([RUN]))["runs"][0]["run_at"] == "2026-11-19T08:00:00Z"


def test_a_check_that_was_not_tried_is_no_failure() -> None:
    document = json.loads(
        checks_json([Check("profile", True, "found"), Check("write", None, "no connection")])
    )

    assert document["ok"] is True
    assert [check["ok"] for check in document["checks"]] == [True, None]
