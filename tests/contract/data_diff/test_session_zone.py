"""The zone of the session: views and conditions see it, and the answer of tables does not depend on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import pytest

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.data.execution import OWN_ZONE, DataDiffRunner, open_data_diff_runner
from recce_meta.data_diff.detail import value_diff_detail
from recce_meta.data_diff.histogram import histogram_diff
from recce_meta.data_diff.options import ValueOptions
from recce_meta.data_diff.profile import profile_diff
from recce_meta.data_diff.rows import rows_diff
from recce_meta.data_diff.top_k import top_k_diff
from recce_meta.data_diff.value import value_diff
from recce_meta.models.data_diff import AnyDataDiff
from recce_meta.warehouses import ConnectionPlan, warehouse_named
from recce_meta.warehouses.base import UrlParts

Open = Callable[[str], DataDiffRunner]
KEY = ValueOptions(key=("id",))
FIRST = "TIMESTAMPTZ '2024-03-30 22:10:00+00'"
CREATE = (
    # Two hours of the night in which clocks go back have one wall time in Berlin.
    f"CREATE TABLE {{}}.events AS SELECT i AS id, {FIRST} + i * INTERVAL '20 minutes' AS moment, CAST("
    "'2024-10-27' AS DATE) AS d, TIMESTAMPTZ '2024-10-27 00:30:00+00' + {} * INTERVAL '1 hour' AS night"
    " FROM generate_series(1, 20) AS s(i)"
)


IN_MYSQL = (
    "CREATE TABLE {}.events (id INT, moment TIMESTAMP(3) NULL, d DATE, night TIMESTAMP NULL) AS"
    " WITH RECURSIVE s AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM s WHERE i < 20)"
    " SELECT i AS id, TIMESTAMP '2024-03-30 22:10:00' + INTERVAL 20 * i MINUTE AS moment,"
    " DATE '2024-10-27' AS d, TIMESTAMP '2024-10-27 00:30:00' + INTERVAL {} HOUR AS night FROM s"
)
IN_ZONE = {
    "postgres": "?options=-ctimezone%3D{}",
    "duckdb": "",
    "mysql": "?init_command=SET%20time_zone%3D%27{}%27",
}
"""Parameters of a URL whose sessions have a zone."""
NAMES = {"mysql": {"UTC": "%2B00:00", "Europe/Berlin": "%2B01:00"}}
"""Zones of a server that may not know names of zones."""


@pytest.fixture(params=["postgres", "duckdb", "mysql"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Open, str, str]]:
    """Opens data in a session of a zone; the schemas of base and current."""
    name = f"zone_{uuid4().hex[:8]}"
    schemas = f"{name}_a", f"{name}_b"
    kind = request.param
    is_duckdb = kind == "duckdb"
    url = f"duckdb:///{tmp_path / 'zone.duckdb'}" if is_duckdb else request.getfixturevalue(f"{kind}_url")

    def of_zone(zone: str) -> str:
        return url + IN_ZONE[kind].format(NAMES.get(kind, {}).get(zone, zone))

    with ExitStack() as stack, UnifiedSqlAdapter.from_url(of_zone("UTC")) as owner:
        for number, schema in enumerate(schemas):
            owner.execute(f"CREATE SCHEMA {schema}")
            stack.callback(owner.execute, f"DROP SCHEMA {schema}{'' if kind == 'mysql' else ' CASCADE'}")
            owner.execute((IN_MYSQL if kind == "mysql" else CREATE).format(schema, number))
            owner.execute(f"CREATE VIEW {schema}.daily AS SELECT CAST(moment AS DATE) AS d, count(*) AS n"
                          f" FROM {schema}.events GROUP BY 1")  # fmt: skip
        owner.release_file()

        def open_in(zone: str) -> DataDiffRunner:
            adapter = stack.enter_context(UnifiedSqlAdapter.from_url(of_zone(zone)))
            if is_duckdb:
                adapter.execute(f"SET TimeZone = '{zone}'")
            runner = open_data_diff_runner(adapter, threads=1)
            stack.callback(adapter.close)
            stack.callback(runner.close)
            return runner

        yield open_in, *schemas


def results_of(runner: DataDiffRunner, base: str, current: str) -> list[AnyDataDiff]:
    pair = runner.places.pair(f"{base}.events", f"{current}.events")
    return [
        runner.run(value_diff(pair, KEY)),
        runner.run(value_diff(pair, ValueOptions(key=("id",), timestamp_precision="day"))),
        runner.run(value_diff_detail(pair, KEY)),
        runner.run(value_diff(pair, ValueOptions(key=("moment",)))),
        runner.run(rows_diff(pair, ValueOptions())),
        runner.run(profile_diff(pair)),
        runner.run(top_k_diff(pair)),
        runner.run(histogram_diff(pair)),
    ]


@pytest.mark.cases(1)
def test_tables_have_one_answer_in_every_zone(opened: tuple[Open, str, str]) -> None:
    open_in, base, current = opened
    in_utc = results_of(open_in("UTC"), base, current)
    in_berlin = results_of(open_in("Europe/Berlin"), base, current)

    assert in_berlin == in_utc
    assert repr(in_berlin) == repr(in_utc), "times print alike"
    values = in_utc[0]
    assert values.__class__.__name__ == "ValueDiff" and getattr(values, "changed", None) == 20


def test_views_and_conditions_use_the_zone_of_the_session(opened: tuple[Open, str, str]) -> None:
    open_in, base, current = opened
    for zone, days, before in (("UTC", [5, 15], 5), ("Europe/Berlin", [2, 18], 2)):
        runner = open_in(zone)
        view = runner.places.pair(f"{base}.daily", f"{current}.daily")
        rows = runner.run(top_k_diff(view, columns=["n"])).columns[0].values
        assert sorted(one.value for one in rows) == days
        pair = runner.places.pair(f"{base}.events", f"{current}.events")
        found = runner.run(value_diff(pair, ValueOptions(key=("id",), where="moment < '2024-03-31'")))
        assert found.common == before
        assert any(note.startswith(OWN_ZONE) for note in runner.notes) is (zone != "UTC")


@pytest.mark.parametrize(
    ("warehouse", "answer"),
    [
        ("snowflake", (["key", "value"], [("TIMEZONE", "Asia/Tokyo")])),
        ("redshift", (["TimeZone"], [("Asia/Tokyo",)])),
    ],
)
def test_warehouses_of_the_cloud_are_asked_for_the_zone(
    warehouse: str, answer: tuple[list[str], list[tuple[str, ...]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = UnifiedSqlAdapter(warehouse_named(warehouse), ConnectionPlan(UrlParts(warehouse)))
    link = SimpleNamespace(is_lost=False)
    monkeypatch.setattr(adapter._open, "link", link)
    asked: list[str] = []
    monkeypatch.setattr(adapter, "execute", lambda sql: asked.append(sql) or answer)

    assert adapter.time_zone == "Asia/Tokyo"
    assert "TIMEZONE" in asked[0].upper()
