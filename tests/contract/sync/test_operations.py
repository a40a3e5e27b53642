"""The functions of Python that exchange stores, with their history and their errors."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

import recce_meta
from recce_meta.errors import ArtifactError, StoreNotFound, UsageError
from recce_meta.models import Project
from recce_meta.store.prune import TOMBSTONE_AGE, Retention, prune
from recce_meta.sync.history import list_syncs, save_sync
from recce_meta.sync.types import SyncRecord
from tests.contract.sync.conftest import Side

pytestmark = pytest.mark.core("sqlite")

NOW = datetime.now(timezone.utc)
MakeProject = Callable[..., Project]


def history(side: Side) -> list[tuple[str, str, int, int]]:
    """Direction, status and counts of the exchanges, the newest first."""
    found = list_syncs(side.adapter.at(side.schema))
    return [(one.direction, one.status, one.sent, one.received) for one in found]


@pytest.fixture
def mine(here: Side, make_project: MakeProject) -> Side:
    """A store with two runs."""
    here.record(make_project("run-1", environment="base"))
    here.record(make_project("run-2", changed=("m001",)))
    return here


@pytest.mark.extensive
def test_runs_are_pushed_pulled_and_synced(mine: Side, there: Side, make_project: MakeProject) -> None:
    sides = mine.adapter.at(mine.schema), there.adapter.at(there.schema)
    pushed = recce_meta.push_runs(*sides, "base", author="ada")
    there.record(make_project("run-3"))
    pulled = recce_meta.pull_runs(*sides, author="ada")
    synced = recce_meta.sync_runs(*sides, author="ada")

    assert [one.exit_code for one in (pushed, pulled, synced)] == [0, 0, 0]
    assert mine.runs() == there.runs() == ["run-1", "run-2", "run-3"]
    assert history(mine) == [("sync", "success", 1, 0), ("pull", "success", 0, 1), ("push", "success", 1, 0)]
    assert [row["object_id"] for row in pushed.to_dicts()] == ["run-1"]


def test_a_dry_run_leaves_no_trace(mine: Side, there: Side) -> None:
    before = mine.counts()
    done = recce_meta.push_runs(mine.adapter.at(mine.schema), there.adapter.at(there.schema), dry_run=True)

    assert len(done.report.outcomes) == 2 and done.exit_code == 0
    assert mine.counts() == before and there.runs() == []


def test_a_bundle_is_named_by_its_path(mine: Side, there: Side, tmp_path: Path) -> None:
    file = tmp_path / "runs.zip"
    pushed = recce_meta.push_runs(mine.adapter.at(mine.schema), file)
    pulled = recce_meta.pull_runs(there.adapter.at(there.schema), str(file))

    assert pushed.exit_code == pulled.exit_code == 0
    assert mine.runs() == there.runs()
    assert pushed.report.peer == pulled.report.peer == str(file)


def test_mistakes_raise(mine: Side, there: Side, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="The remote is the local store"):
        recce_meta.push_runs(mine.adapter.at(mine.schema), mine.adapter.at(mine.schema))
    with pytest.raises(UsageError, match="neither a bundle nor the address"):
        recce_meta.push_runs(mine.adapter.at(mine.schema), "team")
    with pytest.raises(StoreNotFound, match="No store found"):
        recce_meta.pull_runs(mine.adapter.at(mine.schema), there.adapter.at("missing"))
    with pytest.raises(ArtifactError, match="not found"):
        recce_meta.pull_runs(mine.adapter.at(mine.schema), tmp_path / "none.zip")

    assert {one[:2] for one in history(mine)} == {("pull", "failed")}


def exchanged(side: Side, peer: str, at: datetime) -> None:
    """Add a successful exchange of long ago to the history."""
    counts: dict[str, Any] = dict.fromkeys(("sent", "received", "conflicts", "skipped", "failed"), 0)
    record = SyncRecord(
        sync_id=uuid4().hex,
        started_at=at,
        finished_at=at,
        direction="sync",
        peer=peer,
        author="ada",
        status="success",
        recorder_version="1",
        **counts,
    )
    assert save_sync(side.adapter.at(side.schema), record)


@pytest.mark.parametrize(("days", "is_sent"), [(TOMBSTONE_AGE.days + 5, False), (5, True)])
def test_a_run_whose_deletion_may_be_forgotten_is_not_sent(
    here: Side, there: Side, make_project: MakeProject, days: int, is_sent: bool
) -> None:
    last = NOW - timedelta(days=days)
    here.record(make_project("old"), now=last - timedelta(days=1))
    here.record(make_project("new"), now=last + timedelta(days=1))
    there.record(make_project("other"))
    peer = recce_meta.push_runs(
        here.adapter.at(here.schema), there.adapter.at(there.schema), dry_run=True
    ).report.peer
    exchanged(here, peer, last)

    done = recce_meta.push_runs(here.adapter.at(here.schema), there.adapter.at(there.schema))

    assert there.runs() == sorted(["new", "other", *(["old"] if is_sent else [])])
    skipped = [one for one in done.report.outcomes if str(one.status) == "skipped"]
    assert [one.object_id for one in skipped] == ([] if is_sent else ["old"])
    assert done.exit_code == 0


@pytest.mark.extensive
def test_a_deletion_travels_and_returns_no_run(mine: Side, there: Side) -> None:
    sides = mine.adapter.at(mine.schema), there.adapter.at(there.schema)
    assert recce_meta.sync_runs(*sides).exit_code == 0
    prune(there.adapter.at(there.schema), Retention(keep_last=0, environment="base"))

    done = recce_meta.sync_runs(*sides)

    assert done.exit_code == 0 and mine.runs() == there.runs() == ["run-2"]
