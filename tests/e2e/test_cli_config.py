"""The configuration of a real store: defaults, `config`, selections, environments and privacy."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from recce_meta.adapter import UnifiedSqlAdapter
from tests.e2e.conftest import Cli

pytestmark = pytest.mark.extensive

PROJECT = "name: jaffle_shop\nprofile: shop\nversion: '1.0'\n"


@pytest.fixture
def shop(cli: Cli, store: Cli) -> Cli:
    """A dbt project whose configuration is all that names the store, which holds two runs."""
    (store.folder / "dbt_project.yml").write_text(PROJECT)
    configure(cli, "store: duckdb:///store.duckdb\n")
    return cli


def configure(cli: Cli, text: str) -> None:
    (cli.folder / "recce_meta.yml").write_text(text)


def settings(cli: Cli, *arguments: str) -> dict[str, tuple[Any, str]]:
    ran = cli("config", "--format", "json", *arguments)
    assert ran.code == 0, ran.err
    return {one["key"]: (one["value"], one["origin"]) for one in json.loads(ran.out)["settings"]}


def test_the_store_of_the_file_is_found_from_a_folder_below(shop: Cli) -> None:
    (shop.folder / "models").mkdir()

    assert shop.within("models")("runs").out.count("jaffle_shop") == 2
    assert shop.within("models")("diff", "base", "current").code == 0


def test_the_environment_and_options_beat_the_file(shop: Cli, tmp_path: Path) -> None:
    shutil.move(shop.folder / "store.duckdb", shop.folder / "other.duckdb")
    url = "duckdb:///other.duckdb"

    assert shop("runs").code == 3
    assert shop.within(RECCE_META_URL=url)("runs").code == 0
    assert shop.within(RECCE_META_URL="duckdb:///none.duckdb")("runs", "--url", url).code == 0


def test_a_file_never_makes_a_command_invalid(shop: Cli) -> None:
    configure(
        shop,
        "store: duckdb:///store.duckdb\nthreads: 2\nbudget: 60\nmax_rows: 100\n"
        "privacy: {values: false, columns: salary}\nfail_on: not-compared\nproject: jaffle_shop\n",
    )
    commands = (
        *("runs", "show", "diff base current", "doctor", "lineage orders", "impact orders", "sql views"),
        *(
            "export current -o run.json",
            "quality --history --url duckdb:///store.duckdb",
            "prune --keep-last 5 --dry-run",
            "config",
        ),
        "diff base current --like-dbt",
    )
    for command in commands:
        ran = shop(*command.split())
        assert ran.code == 0, (command, ran.err)


def test_an_unknown_key_ends_every_command(shop: Cli) -> None:
    configure(shop, "thread: 2\n")

    for command in ("runs", "diff", "config", "check run"):
        ran = shop(*command.split())
        assert ran.code == 2, command
        assert "recce_meta.yml:1: unknown key 'thread' in the file" in ran.err
        assert "hint: did you mean 'threads'?" in ran.err
    assert shop("runs", "--help").code == 0
    assert shop("--version").code == 0


def test_a_password_in_the_file_is_refused_and_not_printed(shop: Cli) -> None:
    configure(shop, "store: postgresql://me:Hu5hhush@host/db\n")

    ran = shop("runs")

    assert ran.code == 2
    assert "hush" not in ran.err
    assert "RECCE_META_URL" in ran.err


def test_config_prints_values_and_origins(shop: Cli) -> None:
    configure(shop, "store: duckdb:///store.duckdb\nthreads: 4\nselections:\n  few: orders\n")
    (shop.folder / "pyproject.toml").write_text('[tool.recce-meta]\nbudget = 5.5\nbase = "latest"\n')
    url = "postgresql://me:Hu5hhush@host/db"
    given = {"RECCE_META_BASE": "base~1", "RECCE_META_URL": url, "RECCE_META_THRED": "1", "DBT_TARGET": "ci"}

    found = settings(shop.within(**given), "--schema", "mine")

    assert found["store.schema"] == ("mine", "option")
    assert found["store.url"] == ("postgresql://me:***@host/db", "environment RECCE_META_URL")
    assert found["store.target"] == ("ci", "environment DBT_TARGET")
    assert found["base"] == ("base~1", "environment RECCE_META_BASE")
    assert found["threads"] == (4, "recce_meta.yml:2")
    assert found["budget"] == (5.5, "pyproject.toml:2")
    assert found["selections.few.select"] == (["orders"], "recce_meta.yml:4")
    assert found["project"] == ("jaffle_shop", "dbt_project.yml")
    assert found["privacy.values"] == (True, "default")
    assert found["current"] == (None, "default")
    assert found["max_rows"] == (10_000_000, "default")
    table = " ".join(shop("config").out.split())
    assert "max_rows 10,000,000 default" in table and "budget 5.5 pyproject.toml:2" in table
    assert "current latest run" in table
    assert "did you mean 'RECCE_META_THREADS'" in found["RECCE_META_THRED"][1]
    assert "hush" not in shop.within(**given)("config").out


def test_config_shows_the_settings_of_a_node(shop: Cli) -> None:
    configure(
        shop,
        'store: duckdb:///store.duckdb\nnodes:\n  "*":\n    compare: rows\n  orders:\n    key: order_id\n',
    )

    found = settings(shop, "--node", "orders")

    assert found["key"] == (["order_id"], "recce_meta.yml:6")
    assert found["compare"] == ("rows", "recce_meta.yml:4")
    assert found["where"] == (None, "default")
    configure(shop, "store: duckdb:///store.duckdb\n")
    assert settings(shop, "--node", "orders")["compare"] == ("values", "default")


def test_config_shows_profile_and_target_of_dbts_files(shop: Cli) -> None:
    configure(shop, "base: latest\n")
    profile = "shop:\n  target: dev\n  outputs:\n    dev: {type: duckdb, path: store.duckdb}\n"
    (shop.folder / "profiles.yml").write_text(profile)

    found = settings(shop)

    assert found["store.profile"] == ("shop", "dbt_project.yml")
    assert found["store.target"] == ("dev", "profiles.yml")
    assert settings(shop, "--target", "dev")["store.target"] == ("dev", "option")
    (shop.folder / "profiles.yml").write_text("other: {}\n")
    assert settings(shop)["store.target"] == (None, "default")


def test_an_unknown_node_has_no_settings(shop: Cli) -> None:
    assert shop("config", "--node", "ordres").code == 2


def test_a_named_selection_works_in_every_selection(shop: Cli) -> None:
    configure(
        shop,
        "store: duckdb:///store.duckdb\nselections:\n  staging: path:models/staging\n"
        "  few: {select: [orders, 'selection:staging'], exclude: stg_orders}\n"
        "  changed: state:modified\n  one: selection:two\n  two: selection:one\n",
    )

    def selected(*arguments: str) -> set[str]:
        ran = shop("diff", "base", "current", "--format", "json", *arguments)
        assert ran.code == 0, ran.err
        return {change["unique_id"] for change in json.loads(ran.out)["changes"]}

    assert selected("-s", "selection:staging") == selected("-s", "path:models/staging")
    assert selected("-s", "selection:few+") == selected(
        "-s", "orders+ path:models/staging+", "--exclude", "stg_orders"
    ) | selected("-s", "selection:few+")
    assert selected("--exclude", "selection:staging") == selected("--exclude", "path:models/staging")
    unknown = shop("diff", "base", "current", "-s", "selection:stagin")
    assert unknown.code == 2
    assert "did you mean 'staging'?" in unknown.err
    assert "contains itself: one > two > one" in shop("diff", "base", "current", "-s", "selection:one").err
    assert selected("-s", "selection:changed") == selected("-s", "state:modified")
    assert shop("export", "current", "-s", "selection:few", "-o", "few.json").code == 0


def test_select_of_the_file_is_the_default_of_diff(shop: Cli) -> None:
    everything = json.loads(shop("diff", "base", "current", "--format", "json").out)["changes"]
    configure(shop, "store: duckdb:///store.duckdb\nselect: payment_mix\nfail_on: added\n")

    few = shop("diff", "base", "current", "--format", "json")

    assert {change["name"] for change in json.loads(few.out)["changes"]} <= {"payment_mix"}
    assert len(everything) > 1
    again = json.loads(shop("diff", "base", "current", "-s", "*", "--format", "json").out)["changes"]
    assert len(again) == len(everything)


@pytest.fixture
def two_tables(cli: Cli) -> Cli:
    """A database with two tables that differ in a number and an address."""
    with UnifiedSqlAdapter.from_url(f"duckdb:///{cli.folder}/data.duckdb") as adapter:
        for name, amount in (("old", 10), ("new", 12)):
            adapter.execute(
                f"CREATE TABLE {name} AS SELECT 1 AS id, {amount} AS amount, 'a{amount}@b.c' AS email"
            )
    return cli.within(RECCE_META_URL="duckdb:///data.duckdb", RECCE_META_TABLES="old new")


def test_private_columns_are_compared_and_not_shown(two_tables: Cli) -> None:
    cli = two_tables
    assert "a10@b.c" in cli("value", "--key", "id", "--detail").out

    configure(cli, "privacy: {columns: amount}\n")
    detail = cli("value", "--key", "id", "--detail", "--format", "json")
    assert detail.code == 0, detail.err
    assert "@b.c" not in detail.out
    assert '"***"' in detail.out
    assert "Values of private columns are withheld: amount, email" in detail.out
    for command in ("value --key id", "value", "value --detail", "profile", "top-k", "histogram -c amount"):
        for style in ("json", "table", "markdown", "html"):
            ran = cli(*command.split(), "--format", style)
            assert ran.code == 0, (command, ran.err)
            assert "@b.c" not in ran.out, (command, style)
            assert "withheld" in ran.out, (command, style)


def test_words_of_an_option_add_to_those_of_the_configuration(two_tables: Cli) -> None:
    configure(two_tables, "privacy: {columns: amount}\n")

    ran = two_tables("value", "--key", "id", "--detail", "--private", "other")

    assert "Values of private columns are withheld: amount, email" in ran.out
    assert "***" in ran.out and "12" not in ran.out


def test_an_error_of_the_warehouse_does_not_quote_a_private_value(two_tables: Cli) -> None:
    condition = ("--where", "cast(email as integer) > 0")
    assert "a1" in two_tables("value", "--key", "id", *condition).err

    ran = two_tables("value", "--key", "id", "--private", "amount", *condition)

    assert ran.code == 3
    assert "@b.c" not in ran.err
    assert "withheld because it may quote values" in ran.err


@pytest.mark.parametrize("command", ["profile", "histogram", "row-count"])
@pytest.mark.parametrize("style", ["table", "json", "markdown", "html"])
def test_a_result_does_not_quote_private_values_of_an_error(
    two_tables: Cli, command: str, style: str
) -> None:
    with UnifiedSqlAdapter.from_url(f"duckdb:///{two_tables.folder}/data.duckdb") as adapter:
        for name in ("old", "new"):
            adapter.execute(
                f"CREATE VIEW {name}_view AS SELECT id, CAST(email AS INTEGER) AS number FROM {name}"
                + " WHERE CAST(email AS INTEGER) > 0" * (command == "row-count")
            )
    arguments = (command, "--tables", "old_view", "new_view", "--format", style)
    assert "Could not convert" in " ".join(two_tables(*arguments).out.split())

    private = two_tables(*arguments, "--private", "amount").out

    assert "Could not convert" not in " ".join(private.split())
    assert "message is withheld" in " ".join(private.split())


def test_without_values_a_command_shows_counts_or_is_refused(two_tables: Cli) -> None:
    cli = two_tables
    configure(cli, "privacy: {values: false}\n")

    for command in ("top-k", "histogram", "value --detail", "query-diff x"):
        ran = cli(*command.split())
        assert ran.code == 2
        assert "privacy.values" in ran.err
    for command in ("value --key id", "value", "profile"):
        counts = cli(*command.split(), "--format", "json")
        assert counts.code == 0, counts.err
        assert "@b.c" not in counts.out
        assert "Values are withheld" in counts.out
    assert "a10@b.c" in cli("value", "--key", "id", "--detail", "--values").out


def test_the_data_of_a_run_are_where_its_environment_is(cli: Cli) -> None:
    cli = cli
    store = "store: duckdb:///store.duckdb\nproject: s\n"
    configure(cli, store)
    for environment, rows in (("prod", 10), ("ci", 12)):
        url = f"duckdb:///{cli.folder}/{environment}.duckdb"
        with UnifiedSqlAdapter.from_url(url) as adapter:
            adapter.execute("CREATE SCHEMA shop")
            adapter.execute(f"CREATE TABLE shop.orders AS SELECT range AS id FROM range({rows})")
        ran = cli("scan", "--url", url, "-e", environment)
        assert ran.code == 0, ran.err

    def counts(*arguments: str) -> tuple[int | None, int | None]:
        ran = cli("row-count", "orders", "--live", "--format", "json", *arguments)
        if ran.code:
            return None, None
        (count,) = json.loads(ran.out)["results"][0]["counts"]
        return count["base"], count["current"]

    runs = ("--base", "prod", "--current", "ci")
    assert counts(*runs) == (None, None)  # the tables are not in the store's database

    configure(
        cli,
        f"{store}environments:\n  prod: {{target: 'duckdb:///prod.duckdb'}}\n"
        "  ci: {target: 'duckdb:///ci.duckdb'}\nbase: prod\ncurrent: ci\n",
    )
    assert counts() == (10, 12)
    assert counts("--base-target", "duckdb:///ci.duckdb") == (None, 12)  # prod.shop.orders is not in ci
    assert counts("--base", "ci", "--current", "prod") == (12, 10)
    data = cli("diff", *runs[1::2], "--data", "--format", "json", "-s", "orders")
    assert data.code == 0, data.err
    assert '"current": 12' in data.out
