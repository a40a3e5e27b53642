"""Settings of nodes in data diffs: from the node's meta, and from the options of `diff --data`.

The oracle is plain SQL that counts the rows that differ.
"""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Mapping
from html import unescape
from typing import Any, ClassVar

import pytest

from recce_meta.adapter import UnifiedSqlAdapter
from tests.e2e.conftest import DEMO

pytestmark = pytest.mark.extensive

DIFF = ("diff", "path:base", "path:current", "--data")
CHECKS = ("check", "run", "checks.yml", "--base", "path:base", "--current", "path:current")
FORMATS = ("table", "markdown", "html", "json")

BASE = """
SELECT i AS id, CAST(i AS DECIMAL(12, 3)) AS amount,
  CASE WHEN i % 4 = 0 THEN 'draft' ELSE 'done' END AS status,
  1 AS loaded_at
FROM generate_series(1, 40) AS s(i)
"""
CURRENT = """
SELECT i AS id,
  CAST(
    i + CASE WHEN i % 4 = 0 THEN 100 WHEN i % 7 = 0 THEN 5 WHEN i % 5 = 0 THEN 0.001 ELSE 0 END
    AS DECIMAL(12, 3)
  ) AS amount,
  CASE WHEN i % 4 = 0 THEN 'draft' ELSE 'done' END AS status, 2 AS loaded_at
FROM generate_series(1, 40) AS s(i)
"""

CASES: dict[str, tuple[dict[str, Any], str]] = {
    "nothing": ({}, "TRUE"),
    "exclude": ({"exclude": ["loaded_at"]}, "b.amount <> c.amount"),
    "exclude and where": (
        {"exclude": "loaded_at", "where": "status <> 'draft'"},
        "b.amount <> c.amount AND b.status <> 'draft'",
    ),
    "exclude and tolerance": (
        {"exclude": ["loaded_at"], "tolerance": 0.001},
        "abs(b.amount - c.amount) > 0.001",
    ),
    "relative tolerance": (
        {"exclude": ["loaded_at"], "relative_tolerance": 0.2},
        "abs(b.amount - c.amount) > 0.2 * greatest(b.amount, c.amount)",
    ),
}


def differing(shop: Any, condition: str) -> int:
    """The rows that differ, counted by the warehouse."""
    with UnifiedSqlAdapter.from_url(shop.url) as adapter:
        sql = (
            f'SELECT count(*) FROM "{shop.base}".orders AS b '
            f'JOIN "{shop.current}".orders AS c ON b.id = c.id WHERE {condition}'
        )
        _, ((found,),) = adapter.execute(sql)
    return int(found)


def orders(shop: Any, settings: Any = None, *, key: str | None = "id", within: str = "meta") -> Any:
    """The shop with an edited `orders`, and *settings* in current's meta; `plain` was edited, too."""
    shop.build("orders", BASE, CURRENT)
    shop.build("plain", "SELECT 1 AS id, 2 AS n", "SELECT 1 AS id, 2 AS n")
    meta = {} if settings is None else {"recce_meta": settings}
    config: dict[str, Any] = {"unique_key": key} if key else {}
    edits: dict[str, Any] = {"sql": "select 2", "config": config}
    if within == "meta":
        edits["meta"] = meta
    else:
        edits["config"] = {**config, "meta": meta}
    shop.write("orders", "plain", key=key, orders=edits, plain={"sql": "select 3"})
    return shop


def results(ran: Any) -> list[dict[str, Any]]:
    """The results of data diffs in a JSON report."""
    tree = json.loads(ran.out)
    data = tree.get("data", tree)
    found: list[dict[str, Any]] = data["results"] if isinstance(data, dict) else data
    return found


def result_of(ran: Any, name: str, kind: str) -> dict[str, Any]:
    (found,) = [
        result for result in results(ran) if result["type"] == kind and result["subject"]["name"] == name
    ]
    return found


def count_of(ran: Any, name: str) -> Mapping[str, Any]:
    (found,) = [
        count
        for result in results(ran)
        if result["type"] == "row_count_diff"
        for count in result["counts"]
        if count["subject"]["name"] == name
    ]
    return found


class TestMeta:
    @pytest.mark.parametrize("case", CASES)
    @pytest.mark.parametrize("within", ["meta", "config"])
    def test_values_differ_as_sql_counts_them(self, shop: Any, case: str, within: str) -> None:
        settings, condition = CASES[case]
        ran = orders(shop, settings, within=within).cli(*DIFF, "--format", "json")

        assert (ran.code, ran.err) == (0, "")
        found = result_of(ran, "orders", "value_diff")
        assert found["changed"] == differing(shop, condition)
        assert found["where"] == settings.get("where")
        assert found["excluded"] == (["loaded_at"] if settings else [])

    def test_value_applies_the_same_settings_and_options_take_precedence(self, shop: Any) -> None:
        orders(shop, {"exclude": ["loaded_at"], "tolerance": 0.001, "where": "status <> 'draft'"})
        (plain,) = results(shop("value", "orders", "--format", "json"))
        (exact,) = results(shop("value", "orders", "--tolerance", "0", "--format", "json"))
        more = ("--where", "id > 20", "--exclude-columns", "status")
        (own,) = results(shop("value", "orders", *more, "--format", "json"))

        draft = "b.status <> 'draft'"
        assert plain["changed"] == differing(shop, f"abs(b.amount - c.amount) > 0.001 AND {draft}")
        assert exact["changed"] == differing(shop, f"b.amount <> c.amount AND {draft}")
        assert own["changed"] == differing(shop, "b.id > 20")
        assert (own["excluded"], own["where"]) == (["status"], "id > 20")

    def test_a_sample_takes_some_of_the_keys(self, shop: Any) -> None:
        ran = orders(shop, {"sample": "30%"}).cli(*DIFF, "--format", "json")
        found = result_of(ran, "orders", "value_diff")
        assert found["sample"] == 30
        assert 0 < found["common"] < 40

    @pytest.mark.parametrize("style", ["table", "markdown", "html"])
    @pytest.mark.parametrize("name", ["tolerance", "relative_tolerance"])
    def test_columns_within_a_tolerance_are_not_called_equal(self, shop: Any, name: str, style: str) -> None:
        orders(shop, {name: 1000, "exclude": ["loaded_at"]})
        out = unescape(shop("value", "orders", "--format", style).out)
        assert "3 of 3 columns equal as compared in every compared row: " in out
        assert "count as equal" in out and "= 3 of 3" not in out
        exact = unescape(shop("value", "orders", "--tolerance", "0", "--format", style).out)
        assert ("count as equal" in exact) == (name == "relative_tolerance")

    @pytest.mark.parametrize("key", ["id", '"id"'])
    def test_a_key_of_the_settings_is_used_and_named(self, shop: Any, key: str) -> None:
        ran = orders(shop, {"key": key}, key=None).cli(*DIFF, "--format", "json")
        found = result_of(ran, "orders", "value_diff")
        assert (found["key"], found["key_source"], found["changed"]) == (["id"], "setting", 40)
        by_option = shop.cli(*DIFF, "--key", f"orders={key},{key}", "--format", "json")
        assert result_of(by_option, "orders", "value_diff")["key"] == ["id"]

    def test_conditions_limit_row_counts_and_are_shown(self, shop: Any) -> None:
        orders(shop, {"where": "status <> 'draft'"})
        for ran in (shop.cli(*DIFF, "--format", "json"), shop("row-count", "orders", "--format", "json")):
            counts = count_of(ran, "orders")
            assert (counts["base"], counts["current"], counts["where"]) == (30, 30, "status <> 'draft'")
        assert "where status <> 'draft'" in shop("row-count", "orders").out
        assert "same row count" not in shop("row-count", "orders").out

    @pytest.mark.parametrize("style", FORMATS)
    def test_what_is_left_out_is_shown_in_every_format(self, shop: Any, style: str) -> None:
        shop.build("orders", BASE, BASE.replace("1 AS loaded_at", "2 AS loaded_at"))
        settings = {
            "where": "id > 3", "sample": "90%", "tolerance": 0.01, "exclude": ["loaded_at"],
        }  # fmt: skip
        shop.write("orders", key="id", orders={"sql": "select 2", "meta": {"recce_meta": settings}})
        ran = shop.cli(*DIFF, "--format", style)

        assert ran.code == 0
        out = unescape(ran.out)
        for phrase in ("id > 3", "90", "0.01", "loaded_at"):
            assert phrase in out
        for claim in ("same data", "same row count", "all the same", "equal in every row:"):
            assert claim not in out.casefold()
        assert shop.cli(*DIFF, "--fail-on", "not-compared").code == 1

    @pytest.mark.parametrize("command", ["profile", "top-k", "histogram"])
    def test_figures_are_of_the_same_rows_and_columns(self, shop: Any, command: str) -> None:
        orders(shop, {"where": "status <> 'draft'", "exclude": ["loaded_at"]})
        (found,) = results(shop(command, "orders", "--format", "json"))
        named = results(shop(command, "orders", "-c", "loaded_at", "--format", "json"))

        assert "loaded_at" not in [column["name"] for column in found["columns"]]
        assert (found["where"], found["excluded"]) == ("status <> 'draft'", ["loaded_at"])
        assert [column["name"] for column in named[0]["columns"]] == ["loaded_at"]
        text = shop(command, "orders").out
        assert "where status <> 'draft'" in text or "differ" in text

    def test_schema_compares_every_column_and_respects_compare(self, shop: Any) -> None:
        orders(shop, {"exclude": ["loaded_at"], "compare": "none"})
        (found,) = results(shop("schema", "orders", "--format", "json"))
        assert "loaded_at" in [column["name"] for column in found["columns"]]
        (selected,) = results(shop("schema", "-s", "orders", "--format", "json"))
        assert (selected["type"], selected["reason"]) == ("not_compared", "the node has compare: none")


class TestCompare:
    def test_none_is_reported_with_its_reason_and_nothing_is_queried(self, shop: Any) -> None:
        orders(shop, {"compare": "none"})
        ran = shop.cli(*DIFF, "--format", "json")
        about_orders = [
            result for result in results(ran) if result.get("subject", {}).get("name") == "orders"
        ]
        assert [(result["type"], result["reason"]) for result in about_orders] == [
            ("not_compared", "the node has compare: none")
        ]
        for style in FORMATS:
            assert "the node has compare: none" in unescape(shop.cli(*DIFF, "--format", style).out)
        assert shop.cli(*DIFF, "--fail-on", "not-compared").code == 1

    def test_counts_compares_schema_and_row_counts(self, shop: Any) -> None:
        orders(shop, {"compare": "counts"})
        ran = shop.cli(*DIFF, "--format", "json")
        kinds = [
            result["type"] for result in results(ran) if result.get("subject", {}).get("name") == "orders"
        ]
        assert sorted(kinds) == ["not_compared", "schema_diff"]
        assert count_of(ran, "orders")["base"] == 40
        assert result_of(ran, "orders", "not_compared")["reason"] == "the node has compare: counts"

    def test_rows_ignores_the_key(self, shop: Any) -> None:
        ran = orders(shop, {"compare": "rows", "exclude": ["loaded_at"]}).cli(*DIFF, "--format", "json")
        found = result_of(ran, "orders", "rows_diff")
        assert found["added"] == found["removed"] == differing(shop, "b.amount <> c.amount")

    def test_rows_within_max_rows_only(self, shop: Any) -> None:
        ran = orders(shop, {"compare": "rows"}).cli(*DIFF, "--max-rows", "10", "--format", "json")
        reason = result_of(ran, "orders", "not_compared")["reason"]
        assert reason == "compare: rows, and 40 rows in base exceed --max-rows 10"

    def test_a_tolerance_without_a_key_is_not_used_and_said_so(self, shop: Any) -> None:
        ran = orders(shop, {"tolerance": 1000}, key=None).cli(*DIFF, "--format", "json")
        found = result_of(ran, "orders", "rows_diff")
        assert (found["added"], found["tolerance"]) == (40, 0)
        assert found["notes"] == ["numbers were compared exactly: a tolerance requires a key"]

    @pytest.mark.parametrize("command", ["value", "profile", "top-k", "histogram"])
    def test_a_named_node_is_compared_and_a_selected_one_is_not(self, shop: Any, command: str) -> None:
        orders(shop, {"compare": "counts"})
        (named,) = results(shop(command, "orders", "--format", "json"))
        (selected,) = results(shop(command, "-s", "orders", "--format", "json"))
        assert named["type"] != "not_compared"
        assert (selected["type"], selected["reason"]) == ("not_compared", "the node has compare: counts")

    def test_row_counts_of_a_selection_leave_the_node_uncounted(self, shop: Any) -> None:
        orders(shop, {"compare": "none"})
        ran = shop("row-count", "-s", "orders plain", "--format", "json")
        counts = {count["subject"]["name"]: count for count in results(ran)[0]["counts"]}
        assert counts["plain"]["base"] == 1
        assert (counts["orders"]["base"], counts["orders"]["base_reason"]) == (
            None,
            "the node has compare: none",
        )
        assert results(shop("row-count", "orders", "--format", "json"))[0]["counts"][0]["base"] == 40
        text = shop("row-count", "-s", "orders plain").out
        assert "1 not counted: the node has compare: none" in text and "could not be" not in text


class TestMalformed:
    WRONG: ClassVar = {"tolerence": 0.1}
    MESSAGE = "unknown key 'tolerence' in meta.recce_meta of orders"

    def test_the_node_is_not_compared_and_the_others_are(self, shop: Any) -> None:
        orders(shop, self.WRONG)
        ran = shop.cli(*DIFF, "--format", "json")
        assert (ran.code, ran.err) == (0, "warning: 1 data comparison failed\n")
        failed = result_of(ran, "orders", "failed")
        assert (failed["error"], failed["hint"]) == (self.MESSAGE, "did you mean 'tolerance'?")
        assert result_of(ran, "plain", "value_diff")["common"] == 1
        assert [r["type"] for r in results(ran) if r.get("subject", {}).get("name") == "orders"] == ["failed"]
        for style in FORMATS:
            assert "tolerence" in shop.cli(*DIFF, "--format", style).out

    @pytest.mark.parametrize("command", ["value", "profile", "top-k", "histogram", "schema", "row-count"])
    def test_a_named_node_is_an_error(self, shop: Any, command: str) -> None:
        orders(shop, self.WRONG)
        ran = shop(command, "orders")
        assert ran.code == 2
        assert ran.err == f"error: {self.MESSAGE}\nhint: did you mean 'tolerance'?\n"

    def test_a_column_that_does_not_exist_is_reported(self, shop: Any) -> None:
        orders(shop, {"exclude": ["loadedat"]})
        failed = result_of(shop.cli(*DIFF, "--format", "json"), "orders", "failed")
        assert (failed["error"], failed["hint"]) == (
            "Unknown column 'loadedat' in orders",
            "did you mean 'loaded_at'?",
        )
        orders_key = {"key": "idd"}
        shop.write("orders", orders={"sql": "select 2", "meta": {"recce_meta": orders_key}})
        failed = result_of(shop.cli(*DIFF, "--format", "json"), "orders", "failed")
        assert failed["error"] == "Unknown key column 'idd' in base of orders"

    def test_a_condition_that_fails_is_reported_with_the_warehouses_message(self, shop: Any) -> None:
        orders(shop, {"where": "no_such_column > 1"})
        ran = shop.cli(*DIFF, "--format", "json")
        assert "no_such_column" in result_of(ran, "orders", "failed")["error"]
        assert "no_such_column" in count_of(ran, "orders")["base_reason"]


class TestOptions:
    def test_options_win_over_settings(self, shop: Any) -> None:
        orders(shop, {"exclude": ["amount"], "where": "id < 0", "tolerance": 50, "compare": "none"}, key=None)
        ran = shop.cli(
            *DIFF, "--key", "orders=id", "--where", "orders=status = 'done'", "--tolerance", "0.001",
            "--exclude-columns", "loaded_at", "--format", "json",
        )  # fmt: skip
        assert (ran.code, ran.err) == (0, "")
        found = result_of(ran, "orders", "value_diff")
        assert found["changed"] == differing(shop, "abs(b.amount - c.amount) > 0.001 AND b.status = 'done'")
        assert (found["excluded"], found["tolerance"], found["key_source"]) == (
            ["loaded_at"],
            0.001,
            "setting",
        )

    def test_a_sample_of_all_nodes(self, shop: Any) -> None:
        found = result_of(
            orders(shop).cli(*DIFF, "--sample", "50%", "--format", "json"), "orders", "value_diff"
        )
        assert found["sample"] == 50 and found["common"] < 40

    def test_a_glob_names_nodes(self, shop: Any) -> None:
        ran = orders(shop, key=None).cli(*DIFF, "--key", "models/o*=id", "--format", "json")
        assert result_of(ran, "orders", "value_diff")["key"] == ["id"]

    @pytest.mark.parametrize(
        "options, error",
        [
            (("--key", "order=id"), "error: --key: node 'order' not found\nhint: did you mean 'orders'?\n"),
            (
                ("--where", "status='done'"),
                "error: --where: node 'status' not found\n"
                "hint: name a node before the first '=', as in --where \"orders=amount > 0\"\n",
            ),
            (
                ("--key", "orders=idd"),
                "error: Unknown key column 'idd' in base of orders\nhint: did you mean 'id'?\n",
            ),
            (
                ("--exclude-columns", "loadedat"),
                "error: Unknown column 'loadedat' in the nodes that are compared\n"
                "hint: did you mean 'loaded_at'?\n",
            ),
            (("--sample", "0%"), "error: Sample size invalid: 0 %\nhint: use above 0 and up to 100\n"),
            (
                ("--tolerance", "-1"),
                "error: Invalid absolute tolerance: -1\nhint: use a number of 0 or more\n",
            ),
        ],
    )
    def test_mistakes_are_errors(self, shop: Any, options: tuple[str, ...], error: str) -> None:
        ran = orders(shop).cli(*DIFF, *options)
        assert (ran.code, ran.err) == (2, error)

    @pytest.mark.parametrize("option", ["--key", "--where"])
    def test_a_value_without_a_node_is_an_error(self, shop: Any, option: str) -> None:
        ran = orders(shop).cli(*DIFF, option, "id")
        assert ran.code == 2 and "NODE=" in ran.err
        twice = shop.cli(*DIFF, option, "orders=id", option, "orders=id")
        assert twice.code == 2 and "orders is named twice" in twice.err

    def test_a_node_that_is_not_compared_is_a_warning(self, shop: Any) -> None:
        ran = orders(shop).cli(*DIFF, "-s", "plain", "--key", "orders=id")
        assert ran.code == 0 and ran.err.startswith("warning: --key orders: the node is not compared")

    @pytest.mark.parametrize(
        "option",
        [
            ("--key", "a=b"),
            ("--where", "a=b"),
            ("--sample", "5"),
            ("--tolerance", "0"),
            ("--exclude-columns", "a"),
        ],
    )
    def test_options_need_data(self, shop: Any, option: tuple[str, str]) -> None:
        ran = orders(shop).cli("diff", "path:base", "path:current", *option)
        assert ran.code == 2 and "hint: add --data" in ran.err


class TestChecks:
    def run(self, shop: Any, text: str) -> Any:
        (shop.cli.folder / "checks.yml").write_text(text)
        ran = shop.cli(*CHECKS, "--format", "json")
        return json.loads(ran.out)["checks"]

    def test_a_value_check_uses_its_own_parameters_alone(self, shop: Any) -> None:
        settings = {
            "where": "id < 4", "sample": "50%", "exclude": ["loaded_at"], "tolerance": 1000,
            "relative_tolerance": 1, "compare": "rows",
        }  # fmt: skip
        orders(shop, settings)
        bare, own = self.run(
            shop,
            "checks:\n"
            "  - {name: a, type: value_diff, params: {model: orders}}\n"
            "  - name: b\n    type: value_diff\n"
            "    params: {model: orders, tolerance: 0.001, exclude_columns: [loaded_at]}\n",
        )
        first, second = bare["results"][0], own["results"][0]
        assert (first["type"], first["changed"], first["is_narrowed"]) == ("value_diff", 40, False)
        assert second["changed"] == differing(shop, "abs(b.amount - c.amount) > 0.001")
        assert (second["where"], second["sample"], second["excluded"]) == (None, None, ["loaded_at"])

    def test_a_value_check_uses_the_key_of_the_settings(self, shop: Any) -> None:
        orders(shop, {"key": "id", "where": "id < 4"}, key=None)
        (check,) = self.run(shop, "checks:\n  - {name: a, type: value_diff, params: {model: orders}}\n")
        found = check["results"][0]
        assert (found["key"], found["key_source"], found["where"]) == (["id"], "setting", None)

    @pytest.mark.parametrize("within", ["meta", "file"])
    @pytest.mark.parametrize(
        "setting",
        [
            {"where": "id < 4", "exclude": "loaded_at"},
            {"exclude": "amount, loaded_at"},
            {"tolerance": 1000},
            {"relative_tolerance": 1000},
            {"sample": "0.001%"},
            {"compare": "none"},
        ],
        ids=lambda setting: next(reversed(setting)),
    )
    @pytest.mark.parametrize("expect", ["equal", "{max_mismatch: 0}"])
    def test_no_setting_makes_a_violated_check_pass(
        self, shop: Any, setting: dict[str, Any], within: str, expect: str
    ) -> None:
        orders(shop, setting if within == "meta" else None)
        if within == "file":
            text = json.dumps({"nodes": {"orders": setting}})
            (shop.cli.folder / "recce_meta.yml").write_text(text)
        (shop.cli.folder / "checks.yml").write_text(
            "checks:\n  - {name: a, type: value_diff, params: {model: orders}, expect: " + expect + "}\n"
        )
        ran = shop.cli(*CHECKS, "--format", "json")
        assert ran.code == 1
        assert json.loads(ran.out)["checks"][0]["status"] == "failed"

    def test_row_counts_profiles_and_histograms_of_checks_are_of_all_rows(self, shop: Any) -> None:
        orders(shop, {"where": "status = 'done'", "exclude": ["loaded_at"], "compare": "none"})
        counts, profile, top, histogram = self.run(
            shop,
            "checks:\n"
            "  - {name: a, type: row_count_diff, params: {node_names: [orders]}}\n"
            "  - {name: b, type: profile_diff, params: {model: orders}}\n"
            "  - {name: c, type: top_k_diff, params: {model: orders, column_name: loaded_at}}\n"
            "  - {name: d, type: histogram_diff, params: {model: orders, column_name: amount}}\n",
        )
        assert counts["results"][0]["counts"][0]["base"] == 40
        assert profile["results"][0]["excluded"] == []
        assert {column["base"]["row_count"] for column in profile["results"][0]["columns"]} == {40}
        assert top["results"][0]["columns"][0]["base_total"] == 40
        assert histogram["results"][0]["columns"][0]["base_total"] == 40

    def test_malformed_settings_are_an_error_of_the_check(self, shop: Any) -> None:
        orders(shop, {"keys": "id"})
        (check,) = self.run(shop, "checks:\n  - {name: a, type: value_diff, params: {model: orders}}\n")
        assert (check["status"], check["message"]) == (
            "error",
            "unknown key 'keys' in meta.recce_meta of orders",
        )


class TestConfiguration:
    FILE = (
        "nodes:\n"
        "  'models/*': {exclude: [loaded_at, no_such_column], tolerance: 0.001}\n"
        "  orders: {where: status = 'done', key: id}\n"
    )

    def test_globs_beat_the_meta_key_by_key(self, shop: Any) -> None:
        orders(shop, {"tolerance": 500, "where": "false", "exclude": ["status"]}, key=None)
        (shop.cli.folder / "recce_meta.yml").write_text(self.FILE)
        ran = shop.cli(*DIFF, "--format", "json")

        assert (ran.code, ran.err) == (0, "")
        found = result_of(ran, "orders", "value_diff")
        assert found["changed"] == differing(shop, "abs(b.amount - c.amount) > 0.001 AND b.status = 'done'")
        assert (found["excluded"], found["where"]) == (["loaded_at"], "status = 'done'")
        plain = result_of(ran, "plain", "rows_diff")
        assert plain["notes"] == ["numbers were compared exactly: a tolerance requires a key"]
        (value,) = results(shop("value", "orders", "--format", "json"))
        assert value["changed"] == found["changed"]

    def test_options_beat_the_file(self, shop: Any) -> None:
        orders(shop)
        (shop.cli.folder / "recce_meta.yml").write_text(self.FILE)
        more = ("--tolerance", "0", "--where", "orders=id > 0", "--exclude-columns", "status")
        found = result_of(shop.cli(*DIFF, *more, "--format", "json"), "orders", "value_diff")
        assert found["changed"] == 40
        assert (found["where"], found["tolerance"], found["excluded"]) == ("id > 0", 0, ["status"])

    def test_variables_set_the_options(self, shop: Any) -> None:
        orders(shop, key=None)
        named = shop.cli.within(
            RECCE_META_DIFF_KEY="orders=id;plain=id", RECCE_META_DIFF_EXCLUDE_COLUMNS="loaded_at"
        )
        ran = named(*DIFF, "--format", "json")
        assert result_of(ran, "orders", "value_diff")["excluded"] == ["loaded_at"]
        assert result_of(ran, "plain", "value_diff")["key"] == ["id"]
        assert named("diff", "path:base", "path:current").code == 0

    def test_a_glob_without_a_node_is_a_warning(self, shop: Any) -> None:
        orders(shop)
        (shop.cli.folder / "recce_meta.yml").write_text("nodes:\n  order: {compare: none}\n")
        ran = shop.cli(*DIFF)
        assert ran.code == 0
        assert ran.err == (
            "warning: nodes: 'order' of the configuration matches no node; did you mean 'orders'?\n"
        )

    def test_a_malformed_setting_is_an_error(self, shop: Any) -> None:
        orders(shop)
        (shop.cli.folder / "recce_meta.yml").write_text("nodes:\n  orders: {compar: none}\n")
        ran = shop.cli(*DIFF)
        assert ran.code == 2 and "recce_meta.yml:2" in ran.err and "did you mean 'compare'?" in ran.err

    def test_checks_use_the_keys_of_the_globs_alone(self, shop: Any) -> None:
        orders(shop, key=None)
        (shop.cli.folder / "recce_meta.yml").write_text(self.FILE)
        (shop.cli.folder / "checks.yml").write_text(
            "checks:\n  - {name: a, type: value_diff, params: {model: orders}}\n"
        )
        ran = shop.cli(*CHECKS, "--format", "json")
        found = json.loads(ran.out)["checks"][0]["results"][0]
        assert (found["key"], found["changed"], found["is_narrowed"]) == (["id"], 40, False)


class TestStoredStatistics:
    def test_stored_counts_and_profiles_are_not_used_for_some_of_the_rows(self, shop: Any) -> None:
        orders(shop, {"where": "status = 'done'", "exclude": ["loaded_at"]})
        for side in ("base", "current"):
            ran = shop.cli("record", "-e", side, "--target-path", side, "--stats", "profile")
            assert ran.code == 0, ran.err
        recorded = ("--format", "json")
        count = count_of(shop.cli("row-count", "orders", *recorded), "orders")
        assert (count["base"], count["where"], count["base_kept_at"]) == (30, "status = 'done'", None)
        (profile,) = results(shop.cli("profile", "orders", *recorded))
        amounts = {column["name"]: column for column in profile["columns"]}["amount"]
        assert amounts["base"]["row_count"] == 30 and profile["base_kept_at"] is None
        plain = count_of(shop.cli("row-count", "plain", *recorded), "plain")
        assert plain["base_kept_at"] is not None

    def test_excluded_columns_of_stored_profiles_are_left_out(self, shop: Any) -> None:
        orders(shop, {"exclude": ["loaded_at"]})
        for side in ("base", "current"):
            assert shop.cli("record", "-e", side, "--target-path", side, "--stats", "profile").code == 0
        (profile,) = results(shop.cli("profile", "orders", "--format", "json"))
        assert profile["base_kept_at"] is not None and profile["excluded"] == ["loaded_at"]
        assert "loaded_at" not in [column["name"] for column in profile["columns"]]

    def test_a_node_that_is_not_compared_shows_no_stored_count(self, shop: Any) -> None:
        orders(shop, {"compare": "none"})
        for side in ("base", "current"):
            assert shop.cli("record", "-e", side, "--target-path", side, "--stats", "row-count").code == 0
        count = count_of(shop.cli("row-count", "-s", "orders", "--format", "json"), "orders")
        assert (count["base"], count["current_reason"]) == (None, "the node has compare: none")

    def test_a_stored_result_of_some_rows_is_not_stored_as_equal(self, shop: Any) -> None:
        shop.build("orders", BASE, BASE)
        meta = {"recce_meta": {"where": "id > 3"}}
        shop.write("orders", key="id", orders={"sql": "select 2", "meta": meta})
        shop.record()
        assert shop.cli("diff", "--data", "--save").code == 0
        with UnifiedSqlAdapter.from_url(shop.url) as adapter:
            schema = shop.cli.variables["RECCE_META_SCHEMA"]
            _, rows = adapter.execute(
                f'SELECT diff_type, is_equal FROM "{schema}".store_data_diffs ORDER BY diff_type'
            )
        assert [tuple(row) for row in rows] == [
            ("row_count_diff", None),
            ("schema_diff", True),
            ("value_diff", None),
        ]


def test_models_and_seeds_of_a_real_manifest_have_settings(cli: Any) -> None:
    """The artifacts of the demo, with settings where dbt 1.11 writes them."""
    assert cli("demo").code == 0
    for side in ("base", "current"):
        shutil.copytree(DEMO / side, cli.folder / side)
    path = cli.folder / "current" / "manifest.json.gz"
    manifest = json.loads(gzip.decompress(path.read_bytes()))
    for name, settings in (
        ("model.jaffle_shop.orders", {"where": "status = 'returned'", "exclude": ["amount"]}),
        ("model.jaffle_shop.customers", {"compare": "counts"}),
        ("seed.jaffle_shop.raw_orders", {"compare": "none"}),
    ):
        entry = manifest["nodes"][name]
        entry["meta"] = entry["config"]["meta"] = {"recce_meta": settings}
    path.write_bytes(gzip.compress(json.dumps(manifest).encode()))
    named = cli.within(RECCE_META_URL="duckdb:///recce-meta-demo/jaffle_shop.duckdb")
    found = named(*DIFF, "-s", "orders customers raw_orders", "--format", "json")

    assert found.code == 0, found.err
    orders = result_of(found, "orders", "value_diff")
    assert (orders["common"], orders["changed"], orders["excluded"]) == (51, 0, ["amount"])
    reasons = {r["subject"]["name"]: r["reason"] for r in results(found) if r["type"] == "not_compared"}
    assert reasons == {
        "customers": "the node has compare: counts",
        "raw_orders": "the node has compare: none",
    }
