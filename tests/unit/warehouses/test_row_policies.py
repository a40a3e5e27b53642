"""What a warehouse says about policies that hid rows or values of a query."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest

from recce_meta.warehouses import warehouse_named
from recce_meta.warehouses.driver import Policy, driver_for


class Cursor:
    """Cursor of a server that explains every statement with `plan`."""

    plan: tuple[str, ...] = ()

    def execute(self, sql: str, _parameters: object) -> None:
        assert sql == "EXPLAIN SELECT COUNT(*) FROM sales.orders"

    def fetchall(self) -> list[tuple[str]]:
        return [(line,) for line in self.plan]


# Plans: https://docs.aws.amazon.com/redshift/latest/dg/r_EXPLAIN.html
@pytest.mark.drivers("redshift_connector")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("  ->  XN Seq Scan on orders  (cost=0.00..0.03 rows=3 width=0)", ()),
        ("  ->  XN RLS SecureScan orders  (cost=0.00..0.03)", (Policy("row-level security", "orders"),)),
        ("  ->  XN LF SecureScan (cost=0.00..0.03)", (Policy("Lake Formation", "a table"),)),
    ],
)
def test_redshift_says_it_in_the_plan(line: str, expected: tuple[Policy, ...]) -> None:
    cursor = Cursor()
    cursor.plan = ("XN Aggregate  (cost=0.04..0.04 rows=1 width=0)", line)
    connection: Any = SimpleNamespace(
        connection=SimpleNamespace(driver_connection=SimpleNamespace(cursor=lambda: cursor))
    )
    driver = driver_for(warehouse_named("redshift"))
    assert driver.examine(connection, "SELECT COUNT(*) FROM sales.orders").policies == expected


# https://cloud.google.com/bigquery/docs/reference/rest/v2/Job#JobStatistics
@pytest.mark.drivers("google.cloud.bigquery")
@pytest.mark.parametrize(
    ("statistics", "expected"),
    [
        ({}, ()),
        ({"rowLevelSecurityStatistics": {"rowLevelSecurityApplied": False}}, ()),
        (
            {"rowLevelSecurityStatistics": {"rowLevelSecurityApplied": True}},
            (Policy("row access policies", "sales.orders"),),
        ),
        ({"dataMaskingStatistics": {"dataMaskingApplied": True}}, (Policy("data masking", "sales.orders"),)),
    ],
)
def test_bigquery_says_it_in_the_statistics_of_the_job(
    statistics: object, expected: tuple[Policy, ...]
) -> None:
    client = import_module("recce_meta.warehouses.bigquery.client")
    job = SimpleNamespace(
        _properties={"statistics": statistics},
        referenced_tables=[SimpleNamespace(dataset_id="sales", table_id="orders")],
    )
    assert client._policies(job) == expected
