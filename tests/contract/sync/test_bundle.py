"""A bundle file as one side of an exchange: union, conflicts, deletions, kills, and files that are none."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.errors import ArtifactError
from recce_meta.models.marks.annotation import AnnotationTarget
from recce_meta.store.marks.annotations import AnnotationChange, add_annotations
from recce_meta.store.prune import Retention, prune
from recce_meta.sync.bundle import BundleReplica
from recce_meta.sync.encoding import opened_bundle, pack
from recce_meta.sync.exchange import exchange
from recce_meta.sync.stores import StoreReplica
from recce_meta.sync.types import Batch, Entry, ExchangeStatus, Key, ObjectKind, Piece, SyncReport
from recce_meta.sync.verify import VerifyingReplica
from tests.contract.server import rich_store

pytestmark = pytest.mark.core("sqlite")

PLAIN = "its id is not an id"
"""Why objects of the hostile project fail: their ids are paths."""


def store_at(url: str) -> StoreReplica:
    """Return the store at *url* as a side of an exchange."""
    return StoreReplica(UnifiedSqlAdapter.from_url(url), name="mine", pack=pack, creates=True)


@pytest.fixture
def rich(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreReplica]:
    """Yield a store with all kinds of objects: runs, scans, quality, statistics, diffs and checks."""
    found = store_at(rich_store.copy(tmp_path_factory))
    target = AnnotationTarget(project_name=rich_store.SHOP, unique_id="model.jaffle_shop.orders")
    add_annotations(found.adapter, [AnnotationChange(target=target, field="note", value="x")], author="ann")
    yield found
    found.close()


def push(store: StoreReplica, file: Path) -> SyncReport:
    """Push all objects of *store* into *file*."""
    bundle = BundleReplica(file, creates=True)
    try:
        return exchange(store, bundle, "push")
    finally:
        bundle.close()


def entries_of(file: Path) -> Mapping[Key, Entry]:
    """Return the objects that *file* lists."""
    with closing(BundleReplica(file)) as bundle:
        return bundle.inventory().entries


def pull(store: StoreReplica, file: Path) -> SyncReport:
    """Pull all objects of *file* into *store*, which does not trust it."""
    with closing(BundleReplica(file)) as bundle:
        return exchange(VerifyingReplica(store), bundle, "pull")


def statuses(report: SyncReport) -> dict[tuple[str, str], int]:
    """Return how often each kind of object has each status."""
    return Counter((str(one.kind), str(one.status)) for one in report.outcomes)


@pytest.mark.extensive
def test_all_kinds_of_objects_travel_through_a_file(rich: StoreReplica, tmp_path: Path) -> None:
    file = tmp_path / "runs.zip"
    pushed = push(rich, file)
    data = file.read_bytes()

    assert {one.status for one in pushed.outcomes} == {ExchangeStatus.SENT}
    assert {one.kind for one in pushed.outcomes} == {*ObjectKind} - {ObjectKind.DELETION, ObjectKind.REVIEW}
    assert entries_of(file) == rich.inventory().entries
    assert push(rich, file).outcomes == () and file.read_bytes() == data

    # Equal contents have equal bytes, in whatever order they arrived.
    first, second = tmp_path / "first.zip", tmp_path / "second.zip"
    runs = [key.id for key in rich.inventory().entries if key.kind is ObjectKind.RUN]
    for file_name, order in ((first, (runs[:3], runs)), (second, (runs[3:], runs))):
        for some in order:
            bundle = BundleReplica(file_name, creates=True)
            exchange(rich, bundle, "push", runs=some)
            bundle.close()
    assert first.read_bytes() == second.read_bytes()

    other = store_at(f"duckdb:///{tmp_path / 'other.duckdb'}")
    pulled = pull(other, file)
    failed = [one for one in pulled.outcomes if one.status is ExchangeStatus.FAILED]
    assert all(rich_store.HOSTILE in (one.project or rich_store.HOSTILE) for one in failed)
    assert {one.reason for one in failed if one.kind is ObjectKind.RUN} == {PLAIN}
    assert len(pulled.outcomes) - len(failed) > 35
    again = pull(other, file)
    assert len(again.outcomes) == len(failed)
    other.close()


def test_a_deletion_removes_a_run_from_a_file(rich: StoreReplica, tmp_path: Path) -> None:
    file = tmp_path / "runs.zip"
    push(rich, file)
    before = entries_of(file)
    prune(rich.adapter, Retention(keep_last=0, project=rich_store.SHOP, environment="base"))
    done = push(rich, file)
    after = entries_of(file)

    gone = {one.object_id for one in done.outcomes if one.kind is ObjectKind.DELETION}
    assert gone and {one.status for one in done.outcomes if one.kind is ObjectKind.DELETION} == {
        ExchangeStatus.SENT
    }
    assert not [
        key for key, entry in after.items() if entry.run_id in gone and key.kind is not ObjectKind.DELETION
    ]
    assert {key for key, entry in before.items() if entry.run_id not in gone} <= after.keys()
    bundle = BundleReplica(file)
    assert bundle.read([key for key in before if key.id in gone]).keys == ()
    bundle.close()


def test_other_contents_under_an_id_are_a_conflict(rich: StoreReplica, tmp_path: Path) -> None:
    file = tmp_path / "runs.zip"
    push(rich, file)
    data = file.read_bytes()
    rich.adapter.execute("UPDATE recce_metadata.store_runs SET environment = environment || '2'")
    rich.adapter.execute("DELETE FROM recce_metadata.store_run_hashes")
    rich.adapter.execute("UPDATE recce_metadata.store_node_statistics SET row_count = row_count + 1")
    report = push(rich, file)

    assert set(statuses(report)) == {("run", "conflict"), ("statistics", "conflict")}
    assert file.read_bytes() == data


def test_statistics_are_completed(rich: StoreReplica, tmp_path: Path) -> None:
    file = tmp_path / "runs.zip"
    rich.adapter.execute("CREATE TABLE kept AS SELECT * FROM recce_metadata.store_node_statistics")
    ((run_id, node),) = rich.adapter.execute("SELECT run_id, unique_id FROM kept ORDER BY 1, 2 LIMIT 1")[1]
    chosen = f"run_id = '{run_id}' AND unique_id = '{node}'"
    rich.adapter.execute(f"DELETE FROM recce_metadata.store_node_statistics WHERE {chosen}")
    rich.adapter.execute(f"DELETE FROM recce_metadata.store_column_statistics WHERE {chosen}")
    push(rich, file)
    rich.adapter.execute(
        f"INSERT INTO recce_metadata.store_node_statistics SELECT * FROM kept WHERE {chosen}"
    )
    assert statuses(push(rich, file)) == {("statistics", "sent"): 1}
    assert entries_of(file) == rich.inventory().entries


def test_a_missing_file_is_an_error_unless_it_is_created(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="not found") as failed:
        BundleReplica(tmp_path / "none.zip").inventory()
    assert "recce-meta push" in (failed.value.hint or "")
    empty = BundleReplica(tmp_path / "none.zip", creates=True)
    assert empty.inventory().entries == {} and empty.lacking(Piece.MACRO, ["a"]) == {"a"}
    empty.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [(gzip.compress(b"{}", mtime=0), "gzip"), (b'{"schema": 1}', "not a zip"), (b"", "not a zip")],
)
def test_another_file_is_named_and_stays(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "runs.zip"
    file.write_bytes(content)
    with pytest.raises(ArtifactError, match=said):
        BundleReplica(file, creates=True).inventory()
    assert file.read_bytes() == content


def test_a_folder_and_a_file_without_rights_are_named(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="is not a file"):
        BundleReplica(tmp_path).inventory()
    bundle = BundleReplica(tmp_path / "missing" / "runs.zip", creates=True)
    bundle.write(_events("one"), "mine")
    with pytest.raises(ArtifactError, match=r"Cannot write .*runs\.zip"):
        bundle.close()


def _events(event_id: str) -> Batch:
    row: dict[str, Any] = dict.fromkeys(
        ("event_id", "project_name", "unique_id", "column_name", "parent_id", "parent_column", "field")
    )
    row |= {"event_id": event_id, "project_name": "shop", "unique_id": "model.shop.a", "field": "note"}
    row |= {"item": "", "value": "x", "author": "ann", "wall_ms": 1, "counter": 0, "writer_id": "w"}
    values = (*row.values(), "1.0", "")
    return Batch((Key(ObjectKind.ANNOTATION, event_id),), {"annotation_events": [values]})


def test_a_change_by_another_process_is_not_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "runs.zip"
    mine, other = BundleReplica(file, creates=True), BundleReplica(file, creates=True)
    mine.write(_events("one"), "mine")
    other.write(_events("two"), "other")
    other.close()
    with pytest.raises(ArtifactError, match="Another process has changed"):
        mine.close()
    again = BundleReplica(file, creates=True)
    again.write(_events("one"), "mine")
    again.close()
    assert {key.id for key in entries_of(file)} == {"one", "two"}
    assert [one.name for one in tmp_path.iterdir()] == ["runs.zip"]


KILLED = """
import os, signal, sys
from pathlib import Path
from recce_meta.sync import bundle
from tests.contract.sync.test_bundle import _events
found = bundle.BundleReplica(Path(sys.argv[1]), creates=True)
found.write(_events("two"), "mine")
write = bundle.write_bundle
def killed(*arguments):
    write(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)
bundle.write_bundle = killed
found.close()
"""


def test_a_killed_write_leaves_the_previous_file(tmp_path: Path) -> None:
    file = tmp_path / "runs.zip"
    bundle = BundleReplica(file, creates=True)
    bundle.write(_events("one"), "mine")
    bundle.close()
    done = subprocess.run([sys.executable, "-c", KILLED, str(file)], env={**os.environ}, check=False)

    assert done.returncode == -signal.SIGKILL
    with opened_bundle(file) as found:
        assert [one.id for one in found.manifest.objects] == ["one"]
    assert {key.id for key in entries_of(file)} == {"one"}


def test_a_run_of_a_deleted_or_missing_run_is_skipped(rich: StoreReplica, tmp_path: Path) -> None:
    file = tmp_path / "runs.zip"
    bundle = BundleReplica(file, creates=True)
    key = next(key for key in rich.inventory().entries if key.kind is ObjectKind.QUALITY)
    (skipped,) = bundle.write(rich.read([key]), "mine")
    assert skipped.status is ExchangeStatus.SKIPPED and "is not there" in (skipped.reason or "")
    run_id = rich.inventory().entries[key].run_id
    now = datetime.now(timezone.utc)
    deletion = Batch(
        (Key(ObjectKind.DELETION, str(run_id)),),
        {"tombstones": [(run_id, "live", now, "ann", "prune", "1.0")]},
    )
    bundle.write(deletion, "mine")
    (skipped,) = bundle.write(rich.read([key]), "mine")
    assert skipped.reason == "the run was deleted"
    bundle.close()
