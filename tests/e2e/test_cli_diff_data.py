"""`diff --data`: the data of what changed and of what that touches; and statements that are stopped."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread
from typing import Any

import duckdb
import pytest

from tests.e2e.conftest import node

pytestmark = pytest.mark.extensive

ON_DISK = ("--base", "path:base", "--current", "path:current")
DIFF = ("diff", "path:base", "path:current", "--data")

ENDLESS = {
    "duckdb": "SELECT a.i AS id, b.i AS v FROM range(100000000) a(i) CROSS JOIN range(100000) b(i)",
    "postgres": "SELECT 1 AS id, 2 AS v WHERE pg_sleep(120) IS NOT NULL",
}


@pytest.fixture
def edited(shop: Any) -> Any:
    """`orders` was edited and `totals` reads it; `plain` is as it was, `gone` was edited and not built."""
    for name in ("orders", "totals"):
        shop.build(name, "SELECT 1 AS id, 'a' AS v", "SELECT 1 AS id, 'b' AS v")
    shop.build("plain", "SELECT 1 AS id", "SELECT 1 AS id")
    reads = {"depends_on": {"nodes": ["model.shop.orders"], "macros": []}}
    names = ["orders", "totals", "plain", "gone"]
    shop.write(*names, key="id", orders={"sql": "select 2"}, gone={"sql": "select 3"}, totals=reads)
    return shop


def endless(shop: Any, *names: str) -> None:
    """Make each of *names* a view that no statement reaches the end of, and that was edited."""
    for name in names:
        for side in ("base", "current"):
            shop.sql(f"CREATE VIEW {{{side}}}.{name} AS {ENDLESS[shop.warehouse]}")
    shop.write(*names, key="id", **{name: {"sql": "select 2"} for name in names})


def types_of(ran: Any) -> list[tuple[str, str]]:
    """Type and subject of each result of data diffs."""
    data = json.loads(ran.out)["data"]
    found = data["results"] if isinstance(data, dict) else data
    return [(result["type"], result.get("subject", {}).get("name", "")) for result in found]


def test_what_changed_and_what_it_touches_is_compared_and_nothing_else(edited: Any) -> None:
    ran = edited.cli(*DIFF, "--format", "json")

    assert ran.code == 0 and ran.err == "warning: 1 data comparison failed\n"
    assert sorted(types_of(ran)) == [
        ("failed", "gone"),
        ("not_compared", "gone"),
        ("row_count_diff", ""),
        ("schema_diff", "orders"),
        ("schema_diff", "totals"),
        ("value_diff", "orders"),
        ("value_diff", "totals"),
    ]


def test_a_model_that_was_never_built_is_told_in_every_format(edited: Any) -> None:
    for style in ("table", "json", "markdown", "html"):
        ran = edited.cli(*DIFF, "--format", style)
        assert ran.code == 0 and "gone" in ran.out and "not found" in ran.out


def test_without_a_change_no_data_is_said_to_be_compared(edited: Any) -> None:
    shutil.copytree(edited.cli.folder / "base", edited.cli.folder / "same")
    for style in ("table", "json", "markdown", "html"):
        ran = edited.cli("diff", "path:base", "path:same", "--data", "--format", style)
        assert ran.code == 0 and "No data was compared: no known change affects a node" in ran.out

    ran = edited.cli(*DIFF, "--exclude", "orders totals gone")
    assert ran.code == 0 and "No data was compared: nothing selected has data" in ran.out


def test_the_selection_narrows_the_data_as_well(edited: Any) -> None:
    ran = edited.cli(*DIFF, "--format", "json", "-s", "totals")

    assert ran.code == 0 and ran.err == ""
    assert {name for _, name in types_of(ran)} <= {"", "totals"}


def test_conditions_decide_the_exit_code_as_without_data(edited: Any) -> None:
    assert edited.cli(*DIFF, "--fail-on", "modified").code == 1


def test_results_are_kept_with_the_runs(edited: Any) -> None:
    refused = edited.cli(*DIFF, "--save")
    edited.record()
    kept = edited.cli("diff", "--data", "--save", "-o", "diff.txt")

    assert refused.code == 2 and refused.err.startswith("error: --save requires a recorded run")
    assert kept.code == 0 and kept.err.startswith("Saved 9 results\n")


def test_stored_results_are_in_the_report_of_a_plain_diff(edited: Any) -> None:
    edited.record()
    plain = edited.cli("diff", "--format", "json")
    edited.cli("value", "orders", "--save")

    document = json.loads(edited.cli("diff", "--format", "json").out)
    assert "data" not in json.loads(plain.out)
    assert document["data_taken_at"].startswith("20")
    assert document["data"][0]["type"] == "value_diff" and len(document["data"]) == 3
    assert sorted((one["subject"]["name"], one["reason"]) for one in document["data_not_compared"]) == [
        ("gone", "no result is stored"),
        ("totals", "no result is stored"),
    ]
    for style in ("table", "markdown", "html"):
        for more in ((), ("-s", "orders")):
            ran = edited.cli("diff", "--format", style, *more)
            of_data = "data differs in 1 of 1 node" if more else "data differs in 1 of 3 nodes"
            assert of_data in " ".join(ran.out.lower().split()), (style, more)
            assert "Data diffs are stored results, the oldest of 20" in " ".join(ran.out.split())
            assert ran.code == 0 and ran.err == ""
    assert "stored results" not in edited.cli("diff", "-s", "plain").out


def test_an_ephemeral_model_has_no_rows_that_could_be_compared(shop: Any) -> None:
    shop.build("orders", "SELECT 1 AS id", "SELECT 1 AS id")
    for side, schema, sql in (("base", shop.base, "select 1"), ("current", shop.current, "select 2")):
        inlined = node("inlined", schema, shop.database, sql=sql, config={"materialized": "ephemeral"})
        shop.write_nodes(side, [node("orders", schema, shop.database, sql=sql), inlined])
    shop.record()

    shop.cli("value", "orders", "--key", "id", "--save")

    assert json.loads(shop.cli("diff", "--format", "json").out)["data_not_compared"] == []


def test_what_was_not_compared_is_saved_too(shop: Any) -> None:
    rows = "SELECT * FROM (VALUES (1, '{0}'), (2, '{0}')) AS t(id, v)"
    shop.build("orders", rows.format("a"), rows.format("b"))
    shop.write("orders", orders={"sql": "select 2"})
    shop.record()

    saved = shop.cli("diff", "--data", "--max-rows", "1", "--save")
    again = json.loads(shop.cli("diff", "--format", "json").out)

    assert saved.code == 0
    (one,) = again["data_not_compared"]
    assert (one["subject"]["name"], one["reason"]) == (
        "orders",
        "no key, and 2 rows in base exceed --max-rows 1",
    )
    assert "equal row count" not in shop.cli("diff").out


def test_privacy_applies_to_stored_results(edited: Any) -> None:
    edited.record()
    edited.cli("value", "orders", "--detail", "--save")

    assert '"b"' in edited.cli("diff", "--format", "json").out
    for option in (("--no-values",), ("--private", "v")):
        ran = edited.cli("diff", "--format", "json", *option)
        assert ran.code == 0 and '"b"' not in ran.out


@pytest.mark.parametrize(
    "option", [["--save"], ["--threads", "2"], ["--budget", "3"], ["--data-target", "x"]]
)
def test_options_for_data_want_data(edited: Any, option: list[str]) -> None:
    ran = edited.cli("diff", "path:base", "path:current", *option)

    assert ran.code == 2 and "hint: add --data" in ran.err


class TestStopping:
    def test_a_budget_stops_the_statements(self, shop: Any) -> None:
        endless(shop, "slow", "slower")
        started = time.monotonic()

        counts = shop("row-count", "slow", "slower", "--budget", "0.4")
        values = shop("value", "slow", "slower", "--budget", "0.4")
        diff = shop.cli(*DIFF, "--budget", "0.4")

        assert time.monotonic() - started < 100, "a statement takes 120 s"
        assert counts.code == 3 and "stopped: The time budget is used up" in counts.out
        assert values.code == 3 and "allow more with --budget" in values.out
        assert diff.code == 0 and "The time budget is used up" in diff.out
        assert active(shop) == []

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    @pytest.mark.parametrize("arguments", [("value", "slow", "slower", *ON_DISK), DIFF])
    def test_a_signal_stops_them_in_the_warehouse(
        self, shop: Any, arguments: tuple[str, ...], number: signal.Signals
    ) -> None:
        endless(shop, "slow", "slower")
        child = subprocess.Popen(
            [sys.executable, "-m", "recce_meta", *arguments],
            cwd=shop.cli.folder,
            env=shop.cli.variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        if shop.warehouse == "postgres":
            wait_until(lambda: active(shop) != [])
        else:
            wait_until(lambda: has_computed(child, seconds=3))
        out, err = ended(child, number)

        word = "Interrupted" if number is signal.SIGINT else "Terminated"
        assert (child.returncode, out, err.strip()) == (128 + number, "", word)
        wait_until(lambda: active(shop) == [])

    def test_statements_on_two_servers_stop_together(self, shop: Any, postgres_url: str) -> None:
        if shop.warehouse != "postgres":
            pytest.skip("both targets are servers in this test")
        endless(shop, "slow")
        other = postgres_url + "?application_name=base"
        child = subprocess.Popen(
            [sys.executable, "-m", "recce_meta", "row-count", "slow", *ON_DISK, "--base-target", other],
            cwd=shop.cli.folder,
            env=shop.cli.variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        wait_until(lambda: len(active(shop)) == 2)
        out, err = ended(child, signal.SIGINT)

        assert (child.returncode, out, err.strip()) == (130, "", "Interrupted")
        assert active(shop) == []

    def test_a_connection_that_drops_costs_one_node(self, shop: Any) -> None:
        if shop.warehouse != "postgres":
            pytest.skip("DuckDB has no connection to drop")
        shop.build("plain", "SELECT 1 AS id", "SELECT 1 AS id")
        endless(shop, "slow")
        shop.write("slow", "plain", key="id")
        is_done = Event()

        def drop() -> None:
            while not is_done.wait(0.1):
                active(shop, "pg_terminate_backend", "slow")

        killer = Thread(target=drop)
        killer.start()

        ran = shop("value", "slow", "plain", "--budget", "100")

        is_done.set()
        killer.join()
        assert ran.code == 3 and ran.err == "error: 1 of 2 comparisons failed\n"
        assert "terminating connection due to administrator command" in ran.out
        assert "equal data in 1 node" in ran.out


def ended(child: subprocess.Popen[str], number: signal.Signals) -> tuple[str, str]:
    """What *child* said until it ended by the signal; it is killed where it does not end."""
    try:
        child.send_signal(number)
        return child.communicate(timeout=120)
    finally:
        child.kill()


def active(shop: Any, what: str = "", name: str = "") -> list[tuple[Any, ...]]:
    """The statements that the server runs on the shop's relations, or the one called *name*.

    *what* is a function of the server's that is called for each.
    """
    if shop.warehouse != "postgres":
        return []
    import psycopg

    with psycopg.connect(shop.url, autocommit=True) as server:
        return server.execute(
            f"SELECT {what}(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND state = 'active'"
            " AND leader_pid IS NULL AND (query LIKE %s OR query LIKE %s)",
            [f'%FROM%"{schema}"%{name}%' for schema in (shop.base, shop.current)],
        ).fetchall()


def has_computed(child: subprocess.Popen[str], seconds: float) -> bool:
    """Whether *child* has used so many seconds of processors, more than it needs to start a statement."""
    times = Path(f"/proc/{child.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[11:13]
    return sum(map(int, times)) / os.sysconf("SC_CLK_TCK") > seconds


def wait_until(is_so: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.1)


class TestFiles:
    def test_a_file_that_another_process_holds_is_told_once(self, process_cli: Any, project: Path) -> None:
        file = process_cli.folder / "held.duckdb"
        with duckdb.connect(str(file)):
            ran = process_cli(
                "value",
                "orders",
                "--url",
                f"duckdb:///{file}",
                "--lock-timeout",
                "2",
                "--base",
                f"path:{project / 'target-base'}",
                "--current",
                f"path:{project / 'target'}",
            )

        assert (ran.code, ran.out) == (3, "")
        assert ran.err.count("Waiting up to 2 s: ") == 1
        assert "\nhint: end the other program, or wait longer with --lock-timeout SECONDS" in ran.err

    def test_a_database_that_is_read_only_is_compared(self, cli: Any, project: Path) -> None:
        file = cli.folder / "jaffle_shop.duckdb"
        with duckdb.connect(str(file)) as connection:
            for schema, amount in (("prod", 1), ("pr_42", 2)):
                connection.execute(f"CREATE SCHEMA {schema}")
                connection.execute(
                    f"CREATE TABLE {schema}.orders AS SELECT 1 AS order_id, {amount} AS amount"
                )
        (project / "profiles.yml").write_text(
            "shop:\n  target: dev\n  outputs:\n    dev:\n      type: duckdb\n"
            f"      path: '{file}'\n      config_options: {{access_mode: read_only}}\n"
        )
        shop = cli.within(project)
        paths = ("--base", "path:target-base", "--current", "path:target")

        ran = shop("value", "orders", *paths)
        refused = shop("record", "--stats", "row-count")

        assert ran.code == 0 and re.search("1 of [0-9]+ rows? changed", ran.out)
        assert refused.code == 3 and "read-only" in refused.err and "Traceback" not in refused.err


class TestTwoTargets:
    @pytest.fixture
    def shop(self, cli: Any, postgres_url: str) -> Any:
        """A profile of two targets: `local`, a DuckDB with `t`, and `server`, a PostgreSQL with another."""
        from urllib.parse import urlsplit
        from uuid import uuid4

        import psycopg

        place, name = urlsplit(postgres_url), f"t_{uuid4().hex[:10]}"
        with duckdb.connect(str(cli.folder / "local.duckdb")) as local:
            local.execute(f"CREATE TABLE {name} AS SELECT 1 AS id, 'a' AS v UNION ALL SELECT 2, 'b'")
        (cli.folder / "profiles.yml").write_text(f"""
shop:
  target: local
  outputs:
    local: {{type: duckdb, path: '{cli.folder / "local.duckdb"}', threads: 2}}
    server:
      type: postgres
      host: {place.hostname}
      port: {place.port}
      user: {place.username}
      password: "{{{{ env_var('DBT_ENV_SECRET_PASSWORD') }}}}"
      dbname: {place.path.lstrip("/")}
      schema: public
""")
        (cli.folder / "dbt_project.yml").write_text("name: shop\nprofile: shop\n")
        with psycopg.connect(postgres_url, autocommit=True) as server:
            server.execute(f"CREATE TABLE {name} AS SELECT 1 AS id, 'a'::text AS v")
            yield cli.within(DBT_ENV_SECRET_PASSWORD=place.password or "hunter2secret"), name
            server.execute(f"DROP TABLE {name}")

    @pytest.mark.parametrize("command", ["row-count", "schema", "profile", "top-k", "histogram"])
    def test_what_has_figures_is_compared_across_two(self, shop: Any, command: str) -> None:
        cli, name = shop

        ran = cli(command, "--tables", name, name, "--base-target", "server", "--format", "json")
        statements = cli(command, "--tables", name, name, "--base-target", "server", "--sql")

        assert (ran.code, ran.err) == (0, "")
        assert json.loads(ran.out)["results"][0]["type"] != "failed"
        assert " (base)\n" in statements.out and " (current)\n" in statements.out
        assert "hunter2secret" not in ran.out + statements.out

    def test_values_are_compared_by_key(self, shop: Any) -> None:
        cli, name = shop
        sides = ("--tables", name, name, "-k", "id", "--base-target", "server")

        ran, statements = (cli("value", *sides, *more) for more in ((), ("--sql",)))
        rows = cli("value", *sides, "--detail", "--format", "json")

        assert (ran.code, ran.err) == (0, "")
        assert "rows matched by id" in ran.out and "compared across two targets: " in ran.out
        assert "in 4,093 parts (base)\n" in statements.out and " that may differ (current)" in statements.out
        assert json.loads(rows.out)["results"][0]["type"] == "value_diff_detail"
        assert "hunter2secret" not in ran.out + statements.out + rows.out

    def test_a_target_that_is_not_there_is_told_without_secrets(self, shop: Any) -> None:
        cli, name = shop

        for place, says in {
            "nope": "has no target 'nope'",
            "postgresql://nobody:hunter2secret@127.0.0.1:1/x": "connection",
            "duckdb:///nope.duckdb": "DuckDB file not found: nope.duckdb",
        }.items():
            ran = cli("row-count", "--tables", name, name, "--base-target", place)
            assert ran.code == 3 and says in ran.err
            assert "hunter2secret" not in ran.err and "Traceback" not in ran.err
