"""Stores of older and newer versions on either side of an exchange."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.errors import StoreError, StoreOutdated
from recce_meta.models import Project
from recce_meta.store.select import load_run
from recce_meta.store.session import SCHEMA_VERSION, init_store, store_versions
from recce_meta.sync.exchange import exchange
from tests.contract.store.test_store_migrate import OLD_VERSIONS, RUNS, old_file
from tests.contract.store.test_store_versions import OF_THE_FUTURE, age
from tests.contract.sync.conftest import Side, push

pytestmark = pytest.mark.extensive

MakeProject = Callable[..., Project]


@pytest.fixture(params=OLD_VERSIONS)
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Side]:
    """A DuckDB file with a store of each earlier version."""
    path = tmp_path / "older.duckdb"
    path.write_bytes(old_file(request.param, "store.duckdb"))
    with UnifiedSqlAdapter.from_url(f"duckdb:///{path}") as adapter:
        yield Side(adapter)


def test_runs_of_a_migrated_store_get_hashes(older: Side, there: Side) -> None:
    before = store_versions(older.adapter)
    assert before is not None and before.write < SCHEMA_VERSION
    for kind in ("pull", "push", "sync"):
        with pytest.raises(StoreOutdated):
            exchange(there.replica, older.replica, kind)
    assert store_versions(older.adapter) == before
    init_store(older.adapter)

    assert exchange(there.replica, older.replica, "pull").status == "success"

    assert {"run-1"} <= {*there.runs()} and there.runs() == older.runs()
    for run_id in there.runs():
        assert load_run(there.adapter, run_id) == load_run(older.adapter, run_id)
    assert None not in there.hashes().values() and there.hashes() == older.hashes()
    assert there.entries() == older.entries()
    assert exchange(there.replica, older.replica, "sync").outcomes == ()


def test_a_migrated_store_is_written_to(older: Side, there: Side, make_project: MakeProject) -> None:
    there.record(make_project("of-today"))
    init_store(older.adapter)

    assert push(there, older).status == "success"

    assert {"of-today", "run-1"} <= {*older.runs()}
    assert load_run(older.adapter, "of-today") == load_run(there.adapter, "of-today")


def test_all_older_stores_agree_on_the_hash_of_the_same_run(
    make_side: Callable[[str], Side], tmp_path: Path
) -> None:
    team = make_side("team")
    for version in RUNS:
        path = tmp_path / f"v{version}.duckdb"
        path.write_bytes(old_file(version, "store.duckdb"))
        with UnifiedSqlAdapter.from_url(f"duckdb:///{path}") as adapter:
            init_store(adapter)
            push(Side(adapter), team)

    # A migration may leave what later versions record empty: then the contents differ, and nothing is lost.
    assert team.runs() == ["run-1", "run-2"]
    assert {kind for kind, _ in team.conflicts()} <= {"run"}


@pytest.mark.beyond_emulators
def test_a_newer_store_that_can_be_read_is_pulled_from(
    here: Side, there: Side, make_project: MakeProject
) -> None:
    here.record(make_project())
    here.execute("DELETE FROM {s}.store_run_hashes WHERE run_id = 'run-1'")
    age(here)
    before = here.counts()

    assert exchange(there.replica, here.replica, "pull").status == "success"

    assert load_run(there.adapter, "run-1") == load_run(here.adapter.at(here.schema), "run-1")
    assert exchange(there.replica, here.replica, "pull").outcomes == ()
    assert here.counts() == before


@pytest.mark.beyond_emulators
def test_a_newer_store_is_not_written_to(here: Side, there: Side, make_project: MakeProject) -> None:
    here.record(make_project())
    there.record(make_project("mine"))
    age(here)
    before = here.counts(), there.counts()

    for attempt in (
        lambda: push(there, here),
        lambda: exchange(here.replica, there.replica, "pull"),
    ):
        with pytest.raises(StoreError, match=f"writes version {SCHEMA_VERSION} only") as caught:
            attempt()
        assert caught.value.hint is not None and "install recce_meta 9.8.7" in caught.value.hint
    assert (here.counts(), there.counts()) == before

    # What it has still arrives; the report says what could not be sent.
    both = exchange(there.replica, here.replica, "sync")
    assert both.status == "partial"
    assert there.runs() == ["mine", "run-1"]
    assert here.counts() == before[0]


@pytest.mark.beyond_emulators
def test_a_store_that_is_too_new_to_be_read_is_refused(
    here: Side, there: Side, make_project: MakeProject
) -> None:
    here.record(make_project())
    there.record(make_project("mine"))
    age(here, write=99, read=99, statements=OF_THE_FUTURE[-1:])
    before = there.counts()

    for direction in ("push", "pull", "sync"):
        for local, peer in ((here, there), (there, here)):
            with pytest.raises(StoreError, match="version 99"):
                exchange(local.replica, peer.replica, direction)
    assert there.counts() == before
