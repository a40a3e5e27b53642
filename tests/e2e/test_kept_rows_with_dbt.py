"""Edits of nodes that keep rows, run by a real dbt on DuckDB: no category is milder than what the rows show.

A project is built, its source changes, and it runs again twice from there: as it was, and edited.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pytest

from recce_meta import UnifiedSqlAdapter, extract_project
from recce_meta.api.diff import NOTHING_MORE, whole_diff
from recce_meta.models import RunDiff
from recce_meta.models.change import SEVERITY, Category, Reach
from tests.e2e.dbt_shop import Shop, python_with_dbt

pytestmark = pytest.mark.dbt

RAW = "select id, a, b, ts from {{ source('s', 'raw') }}"
CHECK = "strategy='check', unique_key='id', check_cols='all'"
CHECK_A = "strategy='check', unique_key='id', check_cols=['a']"
TIMESTAMP = "strategy='timestamp', unique_key='id', updated_at='ts'"
APPEND = "materialized='incremental', incremental_strategy='append'"
MERGE = "materialized='incremental', incremental_strategy='merge', unique_key='id'"
UPDATE = MERGE + ", merge_update_columns=['{}']"
DELETE = "materialized='incremental', incremental_strategy='delete+insert', unique_key='id'"
BATCHES = (
    "materialized='incremental', incremental_strategy='microbatch', event_time='ts', begin='2026-01-01', "
    "batch_size='{}'"
)
TABLE, VIEW = "materialized='table'", "materialized='view'"
SYNC, STOP = "on_schema_change='sync_all_columns'", "on_schema_change='fail'"
NEWER = " {% if is_incremental() %} where ts > (select max(ts) from {{ this }}) {% endif %}"


def more(sql: str, column: str = "1 as extra") -> str:
    return sql.replace(" from", f", {column} from", 1)


def edited(name: str, value: str, sql: str = RAW) -> str:
    return sql.replace(f"{name}, ", f"{value} as {name}, ", 1)


class Edit(NamedTuple):
    """One edit of a node: its configuration and query before and after."""

    config: str
    sql: str
    config_after: str
    sql_after: str
    category: str
    """What the diff has to say."""
    is_of_parent: bool = False
    """True if the edited query is that of a parent, from which the node selects everything."""

    @property
    def is_snapshot(self) -> bool:
        return "strategy='check'" in self.config or "strategy='timestamp'" in self.config


def of_query(config: str, sql_after: str, category: str, sql: str = RAW) -> Edit:
    return Edit(config, sql, config, sql_after, category)


def of_config(config: str, config_after: str, category: str, sql: str = RAW) -> Edit:
    return Edit(config, sql, config_after, sql, category)


def of_parent(config: str, sql_after: str, category: str) -> Edit:
    return Edit(config, RAW, config, sql_after, category, is_of_parent=True)


EARLIER = RAW.replace("ts", "ts - interval 1 year as ts")
LESS = RAW.replace("a, ", "")
EDITS = {
    # The table of the issue.
    "all_added": of_query(CHECK, more(RAW), "breaking"),
    "checked_value": of_query(CHECK_A, edited("a", "a + 1"), "breaking"),
    "snapshot_key": of_query(TIMESTAMP, edited("id", "id + 100"), "breaking"),
    "merge_key": of_query(MERGE, edited("id", "id + 100"), "breaking"),
    "delete_key": of_query(DELETE, edited("id", "id + 100"), "breaking"),
    "batch_size": of_config(BATCHES.format("day"), BATCHES.format("month"), "breaking"),
    "random_view": of_config(TABLE, VIEW, "breaking", more(RAW, "random() as r")),
    # What was not executed.
    "ignore_removed": of_query(DELETE, LESS, "breaking"),
    "ignore_added": of_query(DELETE, more(RAW), "non_breaking"),
    "merge_added": of_query(MERGE, more(RAW), "breaking"),
    "merge_removed": of_query(MERGE, LESS, "partial_breaking"),
    "append_removed": of_query(APPEND, LESS, "breaking"),
    "sync_removed": of_query(f"{DELETE}, {SYNC}", LESS, "partial_breaking"),
    "sync_added": of_query(f"{DELETE}, {SYNC}", more(RAW), "non_breaking"),
    "stop_added": of_query(f"{DELETE}, {STOP}", more(RAW), "breaking"),
    "retyped": of_query(DELETE, edited("b", "cast(b as blob)"), "breaking"),
    "timestamp_value": of_query(TIMESTAMP, edited("b", "b || 'x'"), "partial_breaking"),
    "timestamp_moved": of_query(TIMESTAMP, RAW.replace("ts", "ts + interval 1 year as ts"), "breaking"),
    "timestamp_added": of_query(TIMESTAMP, more(RAW), "non_breaking"),
    "timestamp_removed": of_query(TIMESTAMP, LESS, "partial_breaking"),
    "checked_removed": of_query(CHECK_A, LESS, "breaking"),
    "filtered": of_query(TIMESTAMP, RAW + " where id > 2", "breaking"),
    # Values, filters and keys.
    "merge_value": of_query(MERGE, edited("b", "b || 'x'"), "partial_breaking"),
    "append_value": of_query(APPEND, edited("b", "b || 'x'"), "partial_breaking"),
    "high_water": of_query(APPEND, EARLIER + NEWER, "breaking", RAW + NEWER),
    "append_filter": of_query(APPEND, RAW + " where id > 2", "breaking"),
    "batch_value": of_query(BATCHES.format("day"), edited("b", "b || 'x'"), "partial_breaking"),
    "batch_time": of_query(
        BATCHES.format("day"), RAW.replace("ts", "ts - interval 3 day as ts"), "breaking"
    ),
    # Configuration.
    "lookback": of_config(BATCHES.format("day"), BATCHES.format("day") + ", lookback=5", "breaking"),
    "more_checked": of_config(CHECK_A, CHECK, "breaking"),
    "strategy": of_config(TIMESTAMP, CHECK, "breaking"),
    "other_key": of_config(MERGE, MERGE.replace("'id'", "'b'"), "breaking"),
    "no_key": of_config(MERGE, MERGE.replace(", unique_key='id'", ""), "breaking"),
    "merge_to_append": of_config(MERGE, APPEND + ", unique_key='id'", "breaking"),
    "predicates": of_config(DELETE, DELETE + ", incremental_predicates=['id > 3']", "breaking"),
    "merged_columns": of_config(UPDATE.format("a', 'b"), UPDATE.format("a"), "partial_breaking"),
    "merged_absent": of_config(UPDATE.format("a"), UPDATE.format("a', 'nope"), "breaking"),
    "closes": of_config(TIMESTAMP, TIMESTAMP + ", hard_deletes='invalidate'", "partial_breaking"),
    "records": of_config(TIMESTAMP, TIMESTAMP + ", hard_deletes='new_record'", "breaking"),
    "policy": of_config(DELETE, f"{DELETE}, {SYNC}", "unknown"),
    "rebuilt_table": of_config(TABLE, APPEND + ", full_refresh=true", "non_breaking"),
    "rebuilt_batches": of_config(TABLE, BATCHES.format("day") + ", full_refresh=true", "breaking"),
    "rebuilt": of_config(APPEND, APPEND + ", full_refresh=true", "breaking"),
    "to_table": of_config(APPEND, TABLE, "breaking"),
    "to_incremental": of_config(TABLE, APPEND, "breaking"),
    "to_view": of_config(TABLE, VIEW, "non_breaking"),
    # The same tables below an edited parent.
    "parent_checked": of_parent(CHECK_A, edited("a", "a + 1"), "breaking"),
    "parent_unchecked": of_parent(CHECK_A, edited("b", "b || 'x'"), "partial_breaking"),
    "parent_key": of_parent(DELETE, edited("id", "id + 100"), "breaking"),
    "parent_value": of_parent(MERGE, edited("b", "b || 'x'"), "partial_breaking"),
    "parent_added": of_parent(CHECK, more(RAW), "breaking"),
    "parent_removed": of_parent(DELETE, LESS, "breaking"),
}  # fmt: skip

SOURCES = """
sources:
  - name: s
    schema: main
    tables:
      - name: raw
        columns: [{name: id}, {name: a}, {name: b}, {name: ts}]
"""
PROFILE = """
shop:
  target: dev
  outputs:
    dev: {type: duckdb, path: "{{ env_var('SHOP_DATABASE') }}", threads: 4}
"""


@dataclass
class Outcome:
    """What the control and the edited run left."""

    diff: RunDiff
    failed: frozenset[str]
    control: Mapping[str, tuple[tuple[str, ...], Counter[tuple[object, ...]]]] = field(default_factory=dict)
    edited: Mapping[str, tuple[tuple[str, ...], Counter[tuple[object, ...]]]] = field(default_factory=dict)
    is_unstable: bool = False


def write_project(folder: Path, *, is_edited: bool) -> None:
    for name, edit in EDITS.items():
        config, sql = (edit.config_after, edit.sql_after) if is_edited else (edit.config, edit.sql)
        if edit.is_of_parent:
            parent = f"{{{{ config(materialized='table') }}}} {sql}"
            (folder / "models" / f"parent_of_{name}.sql").write_text(parent, encoding="utf-8")
            sql = f"select * from {{{{ ref('parent_of_{name}') }}}}"
        text = f"{{{{ config({config}) }}}} {sql}"
        if edit.is_snapshot:
            text = f"{{% snapshot {name} %}} {text} {{% endsnapshot %}}"
        place = "snapshots" if edit.is_snapshot else "models"
        (folder / place / f"{name}.sql").write_text(text, encoding="utf-8")


def rows_of(adapter: UnifiedSqlAdapter, name: str) -> tuple[tuple[str, ...], Counter[tuple[object, ...]]]:
    """Return the columns and rows of a table, without times of dbt: whether a version is closed is left."""
    names, found = adapter.execute(f'select * from main."{name}"')
    kept = [one for one in names if not one.startswith("dbt_") or one == "dbt_valid_to"]
    rows = Counter(
        tuple(
            value is None if column == "dbt_valid_to" else str(value)
            for column, value in zip(names, row, strict=True)
            if column in kept
        )
        for row in found
    )
    return tuple(kept), rows


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    folder = tmp_path_factory.mktemp("kept")
    for place in ("models", "snapshots", "control", "edited"):
        (folder / place).mkdir()
    (folder / "dbt_project.yml").write_text("name: shop\nprofile: shop\n", encoding="utf-8")
    (folder / "profiles.yml").write_text(PROFILE, encoding="utf-8")
    (folder / "models" / "sources.yml").write_text(SOURCES, encoding="utf-8")
    file = folder / "control" / "shop.duckdb"
    url = f"duckdb:///{file}"
    with UnifiedSqlAdapter.from_url(url) as adapter:
        adapter.execute("create table raw (id int, a int, b varchar, ts timestamp)")
        adapter.execute(
            "insert into raw select i, i * 10, 'b' || i, timestamp '2026-01-01' + interval (i // 3) day "
            "from range(1, 7) as one(i)"
        )
    window = ("--event-time-start", "2026-01-03", "--event-time-end", "2026-01-06")
    write_project(folder, is_edited=False)
    shop = Shop(python_with_dbt(), folder, "dev", {"SHOP_DATABASE": str(file)})
    shop.dbt("build")
    with UnifiedSqlAdapter.from_url(url) as adapter:
        adapter.execute("delete from raw where id = 6")
        adapter.execute("update raw set a = 11, b = 'late', ts = timestamp '2026-01-05' where id = 1")
        adapter.execute("insert into raw values (7, 70, 'b7', '2026-01-04'), (8, 80, 'b8', '2026-01-01')")
    copy = folder / "edited" / "shop.duckdb"
    shutil.copy(file, copy)
    shop.dbt("build", *window)
    shop.dbt("compile")  # a run of batches leaves no compiled SQL
    base = extract_project(folder / "target", environment="base", project_dir=folder, environ={})
    write_project(folder, is_edited=True)
    after = Shop(shop.python, folder, "dev", {"SHOP_DATABASE": str(copy)})
    after.dbt("build", *window, code=1)
    results = json.loads((folder / "target" / "run_results.json").read_text(encoding="utf-8"))["results"]
    failed = {
        one["unique_id"].split(".")[-1] for one in results if one["status"] in ("error", "partial success")
    }
    after.dbt("compile")
    current = extract_project(folder / "target", environment="current", project_dir=folder, environ={})
    found = Outcome(whole_diff(base, current, NOTHING_MORE), frozenset(failed))
    with UnifiedSqlAdapter.from_url(url) as adapter:
        found.control = {name: rows_of(adapter, name) for name in EDITS}
    with UnifiedSqlAdapter.from_url(f"duckdb:///{copy}") as adapter:
        found.edited = {name: rows_of(adapter, name) for name in EDITS}
        found.is_unstable = rows_of(adapter, "random_view") != rows_of(adapter, "random_view")
    return found


def observed(name: str, outcome: Outcome) -> tuple[Category, frozenset[str]]:
    """Return the mildest category that fits the rows of both runs, and the columns that differ."""
    if name in outcome.failed:
        return Category.BREAKING, frozenset()
    (before, old), (after, new) = outcome.control[name], outcome.edited[name]
    common = [column for column in before if column in after]
    removed = frozenset(before) - frozenset(after)
    for left_out in (None, *common):
        chosen = [column for column in common if column != left_out]
        if _projected(before, old, chosen) == _projected(after, new, chosen):
            columns = removed | ({left_out} if left_out else set())
            is_wider = len(after) > len(common)
            milder = Category.NON_BREAKING if is_wider else Category.NONE
            return (Category.PARTIAL_BREAKING if columns else milder), frozenset(columns)
    return Category.BREAKING, frozenset()


def _projected(
    columns: tuple[str, ...], rows: Counter[tuple[object, ...]], chosen: list[str]
) -> Counter[tuple[object, ...]]:
    found: Counter[tuple[object, ...]] = Counter()
    for row, count in rows.items():
        found[tuple(row[columns.index(name)] for name in chosen)] += count
    return found


def test_no_category_is_milder_than_the_rows_of_both_runs(
    outcome: Outcome, subtests: pytest.Subtests
) -> None:
    changes = {change.name: change for change in outcome.diff.changes}
    reached = {impact.name: impact for impact in outcome.diff.impacted}
    for name, edit in EDITS.items():
        with subtests.test(edit=name):
            seen, columns = observed(name, outcome)
            if edit.is_of_parent:
                impact = reached[name]
                assert (impact.reach is Reach.ROWS) == (edit.category == "breaking")
                assert impact.fails == (name in outcome.failed)
                assert impact.reach is Reach.ROWS or (
                    seen is not Category.BREAKING and columns <= {*impact.columns}
                )
                continue
            change = changes[name]
            assert change.category == edit.category, change.category_reasons
            assert SEVERITY[change.category] >= SEVERITY[seen], (seen, columns)
            if change.category is Category.PARTIAL_BREAKING:
                assert columns <= {column.name for column in change.columns}
            says_so = any(reason.startswith("the build fails:") for reason in change.category_reasons)
            assert says_so <= (name in outcome.failed)
    assert outcome.is_unstable
