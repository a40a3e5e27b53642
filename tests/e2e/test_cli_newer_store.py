"""A team whose store one laptop has upgraded: CI goes on reading, and writers are told what to install."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import duckdb
import pytest

from recce_meta import demo_data
from recce_meta.store.session import READ_VERSION, SCHEMA_VERSION

pytestmark = pytest.mark.extensive

UPGRADE = f"""
    ALTER TABLE recce_metadata.store_runs ADD COLUMN mood VARCHAR;
    CREATE TABLE recce_metadata.run_costs (run_id VARCHAR, amount INTEGER);
    CREATE VIEW recce_metadata.costs AS SELECT run_id, amount FROM recce_metadata.run_costs;
    UPDATE recce_metadata.store
    SET schema_version = {SCHEMA_VERSION + 1}, read_version = {READ_VERSION}, migrated_by = '9.8.7';
"""
"""What an additive migration of a later version leaves."""
READERS = (
    ["runs"],
    ["show", "base"],
    ["diff", "base", "current"],
    ["diff", "base", "current", "--data"],
    ["lineage", "orders"],
    ["impact", "customers.lifetime_value"],
    ["row-count"],
    ["schema", "orders"],
    ["value", "orders", "--detail"],
    ["profile", "orders"],
    ["top-k", "orders", "--columns", "status"],
    ["histogram", "orders", "--columns", "amount"],
    ["query-diff", "select 1 as one"],
    ["check", "run", "checks.yml"],
    ["sql", "views"],
    ["prune", "--keep-last", "1", "--dry-run"],
    ["export", "current", "-o", "run.json"],
    ["quality", "orders", "--sql"],
)
WRITERS = (
    ["record", "--target-path", "artifacts"],
    ["scan"],
    ["quality", "orders"],
    ["prune", "--keep-last", "0"],
    ["row-count", "orders", "--save"],
    ["check", "run", "checks.yml", "--save"],
    ["diff", "base", "current", "--data", "--save"],
    ["import", "run.json"],
)
HINT = "hint: install recce_meta 9.8.7, which migrated the store; commands that only read still work"


@pytest.fixture
def upgraded(cli: Any, tmp_path: Path) -> Any:
    """The command beside the demo's store; `upgrade` migrates it as a later version would."""
    assert cli("demo", "--dir", tmp_path).code == 0
    (tmp_path / "checks.yml").write_text(
        "checks:\n- name: rows\n  type: row_count_diff\n  params: {node_names: [orders]}\n"
    )
    (tmp_path / "artifacts").symlink_to(demo_data.artifacts("current"))
    return cli.within(RECCE_META_URL=f"duckdb:///{tmp_path / 'jaffle_shop.duckdb'}")


def upgrade(folder: Path) -> None:
    """Migrate the store in *folder* as a later recce_meta would."""
    with duckdb.connect(str(folder / "jaffle_shop.duckdb")) as connection:
        connection.execute(UPGRADE)


def everything(folder: Path) -> dict[str, list[Any]]:
    """All rows of all tables of the store in *folder*, and the definitions of its views."""
    with duckdb.connect(str(folder / "jaffle_shop.duckdb"), read_only=True) as connection:
        tables = connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'recce_metadata'"
        ).fetchall()
        views = connection.execute(
            "SELECT view_name, sql FROM duckdb_views() WHERE schema_name = 'recce_metadata' ORDER BY ALL"
        ).fetchall()
        rows = {
            name: connection.execute(f"SELECT * FROM recce_metadata.{name} ORDER BY ALL").fetchall()
            for (name,) in tables
        }
    return {**rows, "the views": views}


def test_commands_that_read_do_the_same_on_a_newer_store_and_write_nothing(
    upgraded: Any, tmp_path: Path
) -> None:
    before = [upgraded(*command) for command in READERS]
    (tmp_path / "run.json").unlink()
    upgrade(tmp_path)
    kept = everything(tmp_path)

    for command, (code, out, _) in zip(READERS, before, strict=True):
        ran = upgraded(*command)
        assert code in (0, 1), (command, before)
        assert (ran.code, _without_times(ran.out)) == (code, _without_times(out)), (command, ran.err)
    assert everything(tmp_path) == kept


def test_commands_that_write_say_at_once_which_version_to_install(upgraded: Any, tmp_path: Path) -> None:
    assert upgraded("export", "current", "-o", "run.json").code == 0
    upgrade(tmp_path)
    kept = everything(tmp_path)

    for command in WRITERS:
        ran = upgraded(*command)
        assert (ran.code, ran.out) == (3, ""), command
        assert f"has version {SCHEMA_VERSION + 1}, but recce_meta" in ran.err, command
        assert HINT in ran.err, command
    assert everything(tmp_path) == kept


def test_init_and_doctor_describe_a_newer_store(upgraded: Any, tmp_path: Path) -> None:
    upgrade(tmp_path)
    kept = everything(tmp_path)

    created, doctor = upgraded("init"), upgraded("doctor")

    assert (created.code, doctor.code) == (0, 0), doctor.out
    assert created.out == (f"Store unchanged in schema recce_metadata, version {SCHEMA_VERSION + 1}\n")
    assert "to write, install recce_meta 9.8.7, which migrated the store" in created.err
    assert f"version {SCHEMA_VERSION + 1}, read version {READ_VERSION}" in doctor.out
    assert "install recce_meta 9.8.7" in doctor.out
    assert everything(tmp_path) == kept


def _without_times(text: str) -> str:
    """*text* without lines about times, without durations, and without the padding that they need."""
    lines = (line for line in text.splitlines() if "second" not in line and ":" not in line)
    return "\n".join(" ".join(_DURATION.sub("", line).split()) for line in lines)


_DURATION = re.compile(r"\btime\b|\b[\d.]+ m?s\b")
