"""A session of ours and one of dbt, of one profile: expressions that depend on it have one value."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pymysql
import pytest
import yaml

from recce_meta.adapter import UnifiedSqlAdapter
from tests.e2e.dbt_shop import Shop, python_with_dbt

pytestmark = pytest.mark.dbt

INSTANT, WALL = "TIMESTAMPTZ '2024-03-30 23:30:00+00'", "TIMESTAMP '2024-03-31 12:00:00'"
EVERYWHERE = (
    *(f"CAST({INSTANT} AS DATE)", f"date_trunc('day', {INSTANT})", f"date_trunc('month', {INSTANT})"),
    *(f"EXTRACT(hour FROM {INSTANT})", f"EXTRACT(dow FROM {INSTANT})", f"{INSTANT} < '2024-03-31'"),
    *(f"{INSTANT} = '2024-03-31 00:30:00'", f"CAST({WALL} AS TIMESTAMPTZ)", f"{INSTANT}::timestamp"),
    *(f"{INSTANT}", f"{INSTANT} + INTERVAL '1 day'", f"date_trunc('week', {WALL})", f"{WALL} = {INSTANT}"),
    *("CAST('2024-03-31 08:00' AS TIMESTAMPTZ)", "CAST(CAST('2024-10-27' AS DATE) AS TIMESTAMPTZ)"),
    *("current_schema()", "1 / 2", "7.0 / 2", "'a' || 'b'", "CAST(0.1 AS DOUBLE PRECISION)", "'b' < 'A'"),
)
POSTGRES = (
    *("current_setting('TimeZone')", "current_setting('DateStyle')", "current_setting('IntervalStyle')"),
    *("current_setting('search_path')", "current_setting('extra_float_digits')", "to_char(now(), 'TZ')"),
    *("current_setting('standard_conforming_strings')", "current_setting('bytea_output')"),
    *(f"to_char({INSTANT}, 'YYYY-MM-DD HH24')", "CAST('1/2/2024' AS DATE)", "'\\x41'::bytea"),
)
DUCKDB = (
    *("current_setting('TimeZone')", "current_setting('Calendar')", "current_setting('default_null_order')"),
    *("current_setting('search_path')", "current_setting('default_collation')", "5 // 2"),
    *("current_setting('integer_division')", f"strftime({INSTANT}, '%Y-%m-%d %H')", "current_database()"),
)
MYSQL = (
    *("@@session.time_zone", "@@session.sql_mode", "@@session.character_set_client", "DATABASE()"),
    *("@@session.character_set_results", "@@session.collation_connection", "@@session.sql_auto_is_null"),
    *("@@session.tx_isolation", "@@session.lc_time_names", "@@session.default_week_format"),
    *("@@session.div_precision_increment", "@@session.group_concat_max_len", "@@session.sql_select_limit"),
    *("TIMESTAMPDIFF(MINUTE, UTC_TIMESTAMP(), NOW())", "FROM_UNIXTIME(1711841400)", "1 / 3", "5 DIV 2"),
    *("UNIX_TIMESTAMP('2024-03-31 12:00:00')", "CONVERT_TZ('2024-03-31 12:00:00', 'SYSTEM', '+00:00')"),
    *("WEEK('2024-03-31')", "DATE_FORMAT('2024-03-31', '%W %M')", "'a' = 'A'", "'a ' = 'a'", "'a' || 'b'"),
    *("CAST('2024-02-31' AS DATE)", "CAST('1x' AS SIGNED)", "DAYNAME('2024-03-31')", "HEX('ü')"),
    *("COLLATION('a')", '"a"', "NULL <=> NULL", "CAST(0.1 AS DOUBLE) + 0.2", "1 / 0"),
)


def shown_by_dbt(shop: Shop, sql: str) -> list[object]:
    out = shop.dbt("--quiet", "show", "--inline", sql, "--output", "json")
    ((row),) = json.loads(out[out.index("{") :])["show"]
    return list(row.values())


def check(folder: Path, profile: dict[str, object], expressions: tuple[str, ...], **environ: str) -> None:
    (folder / "dbt_project.yml").write_text("name: p\nversion: 1.0.0\nprofile: p\n", encoding="utf-8")
    profiles = {"p": {"target": "dev", "outputs": {"dev": profile}}}
    (folder / "profiles.yml").write_text(yaml.safe_dump(profiles), encoding="utf-8")
    values = ", ".join(f"CAST(({one}) AS VARCHAR(99)) AS v{at}" for at, one in enumerate(expressions))
    sql = f"SELECT {values}"
    shop = Shop(python_with_dbt(), folder, "dev", {"DO_NOT_TRACK": "1", **environ})
    with UnifiedSqlAdapter.from_dbt_profile(folder, project_dir=folder) as adapter:
        (ours,) = adapter.execute(sql)[1]
    assert dict(zip(expressions, ours, strict=True)) == dict(
        zip(expressions, shown_by_dbt(shop, sql), strict=True)
    )


def test_on_postgres_with_settings_of_role_and_database(postgres_url: str, tmp_path: Path) -> None:
    name = f"session_{uuid4().hex[:8]}"
    place = urlsplit(postgres_url)
    with UnifiedSqlAdapter.from_url(postgres_url) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        admin.execute(f"CREATE ROLE {name} LOGIN")
        try:
            admin.execute(f"ALTER DATABASE {name} SET timezone = 'Europe/Berlin'")
            admin.execute(f"ALTER DATABASE {name} SET datestyle = 'SQL, DMY'")
            admin.execute(f"ALTER ROLE {name} SET intervalstyle = 'iso_8601'")
            profile: dict[str, object] = {
                **{"type": "postgres", "host": place.hostname, "port": place.port or 5432, "user": name},
                **{"password": "x", "dbname": name, "schema": "public", "search_path": "pg_catalog, public"},
            }
            check(tmp_path, profile, EVERYWHERE + POSTGRES)
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
            admin.execute(f"DROP ROLE {name}")


@pytest.mark.parametrize("settings", [{}, {"TimeZone": "Europe/Berlin"}])
def test_on_duckdb(settings: dict[str, str], tmp_path: Path) -> None:
    profile: dict[str, object] = {"type": "duckdb", "path": str(tmp_path / "d.duckdb"), "settings": settings}
    check(tmp_path, profile, EVERYWHERE + DUCKDB)


def test_on_mysql_as_the_driver_alone_opens_it(mysql_url: str) -> None:
    """No adapter of dbt sets anything there, so a plain connection of the driver is the judge."""
    place = urlsplit(mysql_url)
    values = ", ".join(f"{one} AS v{at}" for at, one in enumerate(MYSQL))
    with UnifiedSqlAdapter.from_url(mysql_url) as adapter:
        (ours,) = adapter.execute(f"SELECT {values}")[1]
    with pymysql.connect(
        host=place.hostname or "",
        port=place.port or 3306,
        user=place.username,
        password=place.password or "",
        database=place.path.strip("/"),
    ) as connection:
        cursor = connection.cursor()
        cursor.execute(f"SELECT {values.replace('%', '%%')}", ())
        (plain,) = cursor.fetchall()
    assert dict(zip(MYSQL, ours, strict=True)) == dict(zip(MYSQL, plain, strict=True))
