"""Functions apply settings of nodes, privacy and a configuration as their commands do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import recce_meta as api
from recce_meta import Config, NodeSettings, Privacy, UnifiedSqlAdapter, render_report
from recce_meta.redaction import MASK
from tests.e2e.conftest import Shop, node, shop_on

RUNS = ("path:base", "path:current")
SIDES = ("--base", "path:base", "--current", "path:current")
BASE = "SELECT i AS id, i * 1.0 AS amount, 'a' || i AS email, 1 AS loaded_at FROM range(40) t(i)"
CURRENT = (
    "SELECT i AS id, i + CASE WHEN i % 4 = 0 THEN 100 WHEN i % 5 = 0 THEN 0.001 ELSE 0 END AS amount, "
    "CASE WHEN i = 7 THEN 'b' ELSE 'a' || i END AS email, 2 AS loaded_at FROM range(40) t(i)"
)
META = {"key": "id", "exclude": ["loaded_at"], "where": "id < 30"}
CHECKS = "checks:\n  - {name: values, type: value_diff, params: {model: orders}}\n"
VARYING = ("seconds", "taken_at")


@pytest.fixture
def shop(cli: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A shop on DuckDB whose `orders` was edited and has settings in its meta; `plain` has none."""
    with shop_on("duckdb", cli, f"duckdb:///{cli.folder / 'shop.duckdb'}") as shop:
        shop.build("orders", BASE, CURRENT)
        shop.build("plain", "SELECT 1 AS id, 2 AS n", "SELECT 1 AS id, 2.5 AS n")
        shop.write(
            "orders",
            "plain",
            orders={"sql": "select 2", "meta": {"recce_meta": META}},
            plain={"sql": "select 3"},
        )
        (cli.folder / "checks.yml").write_text(CHECKS, encoding="utf-8")
        monkeypatch.chdir(cli.folder)
        yield shop


@pytest.fixture
def adapter(shop: Shop) -> Iterator[UnifiedSqlAdapter]:
    """The connection to the shop's data."""
    with UnifiedSqlAdapter.from_url(shop.url) as adapter:
        yield adapter


def write_config(text: str) -> Config:
    """Write recce_meta.yml into the current folder, and read it."""
    Path("recce_meta.yml").write_text(text, encoding="utf-8")
    return api.read_config()


def data(tree: Any) -> Any:
    """The results of data diffs in a report."""
    found = [one for one in tree["data"] if one["type"] != "schema_diff"]
    return [{name: value for name, value in one.items() if name not in VARYING} for one in found]


def values_of(comparison: api.DataComparison, name: str) -> Any:
    (found,) = [
        one
        for one in comparison.data
        if isinstance(one, (api.ValueDiff, api.RowsDiff)) and one.subject.name == name
    ]
    return found


def command(shop: Shop, *arguments: str) -> Any:
    """The report of a command as JSON."""
    ran = shop(*arguments, "--format", "json")
    assert ran.code in (0, 1), ran.err
    return json.loads(ran.out)


def test_the_meta_of_a_node_always_applies(shop: Shop, adapter: UnifiedSqlAdapter) -> None:
    comparison = api.diff_data(adapter, *RUNS)
    found = values_of(comparison, "orders")
    ours = json.loads(render_report(comparison, "json"))
    adapter.close()

    assert (found.key, found.where, found.excluded) == (("id",), "id < 30", ("loaded_at",))
    assert data(ours) == data(command(shop, "diff", "--data"))


def test_functions_for_two_nodes_apply_it_too_and_arguments_take_precedence(
    shop: Shop, adapter: UnifiedSqlAdapter
) -> None:
    orders = api.node_pairs(adapter, "orders", *RUNS)[0]
    found = api.value_diff(adapter, *orders)
    chosen = api.ValueOptions(where="TRUE", exclude_columns=("email",))
    whole = api.value_diff(adapter, *orders, key="id", options=chosen)

    assert isinstance(found, api.ValueDiff)
    assert (found.where, found.common, found.excluded) == ("id < 30", 30, ("loaded_at",))
    assert (whole.common, whole.excluded) == (40, ("email",))
    assert api.row_count_diff(adapter, [orders]).counts[0].current == 30
    assert {one.name for one in api.profile_diff(adapter, *orders).columns} == {"id", "amount", "email"}


def test_nodes_of_two_runs_carry_the_keys_of_tests_settings_and_notes(
    shop: Shop, adapter: UnifiedSqlAdapter
) -> None:
    tested = node("unique_plain_id", shop.base, shop.database, depends_on={"nodes": ["model.shop.plain"]})
    tested |= {"unique_id": "test.shop.unique_plain_id", "resource_type": "test", "column_name": "id"}
    tested |= {"attached_node": "model.shop.plain", "test_metadata": {"name": "unique", "kwargs": {}}}
    for side in ("base", "current"):
        place = shop.base if side == "base" else shop.current
        shop.write_nodes(side, [node("plain", place, shop.database, sql="select 3"), tested])
    config = write_config("nodes: {plain: {exclude: [n]}}\n")
    (plain,) = api.node_pairs(adapter, "plain", *RUNS)
    (configured,) = api.node_pairs(adapter, "plain", *RUNS, config=config)
    found, excluded = api.value_diff(adapter, *plain), api.value_diff(adapter, *configured)
    adapter.close()
    (ours,) = command(shop, "value", "plain", *SIDES)["results"]

    assert isinstance(found, api.ValueDiff) and isinstance(excluded, api.ValueDiff)
    assert (found.key, found.key_source) == (("id",), ours["key_source"])
    assert excluded.excluded == ("n",) and ours["excluded"] == ["n"]
    assert any(note.startswith("No build of base and current") for note in found.notes)


def test_settings_by_glob_beat_the_configuration_and_the_meta(shop: Shop, adapter: UnifiedSqlAdapter) -> None:
    config = write_config("nodes:\n  orders: {where: id < 20, tolerance: 0.01}\n  plain: {compare: none}\n")
    configured = api.diff_data(adapter, *RUNS, config=config)
    nodes = {"ord*": NodeSettings(where="id < 10"), "plain": {"compare": "rows"}}
    given = api.diff_data(adapter, *RUNS, options=api.ComparisonOptions(nodes=nodes), config=config)
    ours = json.loads(render_report(configured, "json"))
    adapter.close()

    assert data(ours) == data(command(shop, "diff", "--data"))
    assert values_of(configured, "orders").where == "id < 20"
    assert [one.reason for one in configured.data if isinstance(one, api.NotCompared)] == [
        "the node has compare: none"
    ]
    found = values_of(given, "orders")
    assert (found.where, float(found.tolerance), found.key) == ("id < 10", 0.01, ("id",))
    assert values_of(given, "plain").added == 1


def test_nothing_is_read_unless_it_is_passed(shop: Shop, adapter: UnifiedSqlAdapter) -> None:
    write_config("base: path:nowhere\nnodes: {orders: {where: id < 20}}\nprivacy: {values: false}\n")

    assert values_of(api.diff_data(adapter, *RUNS), "orders").where == "id < 30"


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ({"order": {"key": "id"}}, "nodes: 'order' matches no node"),
        ({"orders": {"keys": "id"}}, "keys"),
        ({"orders": {"key": "nr"}}, "nr"),
    ],
)
def test_wrong_settings_are_refused(
    shop: Shop, adapter: UnifiedSqlAdapter, nodes: dict[str, Any], message: str
) -> None:
    with pytest.raises(api.RecceMetaError, match=message):
        api.diff_data(adapter, *RUNS, options=api.ComparisonOptions(nodes=nodes))


def test_a_glob_of_the_configuration_without_nodes_is_a_note(shop: Shop, adapter: UnifiedSqlAdapter) -> None:
    config = write_config("nodes: {order: {compare: none}}\n")
    choice = api.diff_data(adapter, *RUNS, config=config).diff.choice

    assert choice is not None
    assert choice.notes == (
        "No build of base and current is recorded; tables may be older than the code",
        "nodes: 'order' of the configuration matches no node; did you mean 'orders'?",
    )


def test_the_configuration_has_the_runs_selections_and_limits(shop: Shop, adapter: UnifiedSqlAdapter) -> None:
    config = write_config(
        "base: path:base\ncurrent: path:current\n"
        "selections: {mine: orders}\nselect: selection:mine\nmax_rows: 0\n"
    )
    comparison = api.diff_data(adapter, config=config)

    assert {one.subject.name for one in comparison.data if isinstance(one, api.ValueDiff)} == {"orders"}
    assert [change.name for change in api.diff_runs(None, config=config).changed] == ["orders"]
    assert len(api.node_pairs(None, select="selection:mine", config=config)) == 1
    assert api.run_checks(adapter, config=config).choice == comparison.diff.choice


@pytest.mark.cases(2)
@pytest.mark.parametrize(
    ("text", "arguments", "options"),
    [
        ("privacy: {columns: amount}\n", {}, ()),
        ("privacy: {values: false}\n", {}, ()),
        ("", {"values": False}, ("--no-values",)),
        ("", {"privacy": Privacy(keeps_values=False)}, ("--no-values",)),
    ],
)
def test_values_are_withheld_as_by_the_command(
    shop: Shop, adapter: UnifiedSqlAdapter, text: str, arguments: dict[str, Any], options: tuple[str, ...]
) -> None:
    config = write_config(text)
    chosen = api.ComparisonOptions(**arguments)
    ours = json.loads(render_report(api.diff_data(adapter, *RUNS, options=chosen, config=config), "json"))
    adapter.close()

    assert data(ours) == data(command(shop, "diff", "--data", *options))


def test_private_columns_of_checks_are_masked(shop: Shop, adapter: UnifiedSqlAdapter) -> None:
    (shown,) = api.run_checks(adapter, None, *RUNS).checks
    options = api.ComparisonOptions(privacy=Privacy())
    (masked,) = api.run_checks(adapter, None, *RUNS, options=options).checks

    def emails(check: Any) -> set[Any]:
        (result,) = check.results
        (column,) = (one for one in result.columns if one.name == "email")
        return {cell for example in column.examples for cell in (example.base, example.current)}

    assert emails(shown) and MASK not in emails(shown)
    assert emails(masked) <= {MASK}


def test_the_configuration_of_a_missing_folder_is_an_error(shop: Shop) -> None:
    assert api.read_config(shop.cli.folder) == Config()
    with pytest.raises(api.RecceMetaError, match="Folder not found: no_such_folder"):
        api.read_config("no_such_folder")
