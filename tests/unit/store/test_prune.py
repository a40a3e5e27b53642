"""Which runs may go."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from msgspec.structs import replace

from recce_meta.models import RunMetadata
from recce_meta.store.prune import removable

START = datetime(2026, 1, 1, tzinfo=timezone.utc)


def run(number, environment="base", project="p"):
    at = START + timedelta(days=number)
    return RunMetadata(run_id=str(number), run_at=at, project_name=project, environment=environment)


NEWEST_FIRST = [run(4), run(3, "current"), run(2), run(1), run(0, project="q")]


def ids(**options):
    return [
        found.run_id for found in removable(NEWEST_FIRST, **{"keep_last": None, "before": None, **options})
    ]


def test_runs_are_counted_per_project_and_environment():
    assert ids(keep_last=1) == ["2", "1"]
    assert ids(keep_last=2) == ["1"]


def test_failed_runs_are_counted_apart_from_complete_ones():
    failed = [replace(run(number), status="failed") for number in (9, 8)]
    left_out = removable([*failed, run(4), run(2)], keep_last=1, before=None)
    assert [found.run_id for found in left_out] == ["8", "2"]


def test_the_latest_of_each_stays_however_old():
    assert ids(before=START + timedelta(days=100)) == ["2", "1"]


def test_unless_none_is_to_be_kept():
    assert ids(keep_last=0, before=START + timedelta(days=100)) == ["4", "3", "2", "1", "0"]


def test_both_conditions_must_hold():
    assert ids(keep_last=1, before=START + timedelta(days=2)) == ["1"]
