"""`diff --data`: rows without a key are compared whole; what was not compared is never called the same."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import duckdb
import pytest

from recce_meta.api.data import changed_data

DIFF = ("diff", "path:base", "path:current", "--data")
CHECKS = ("check", "run", "checks.yml", "--base", "path:base", "--current", "path:current")
TWO_ROWS = "SELECT 1 AS id, 'a' AS v UNION ALL SELECT 2, 'b'"
OTHER_ROWS = "SELECT 1 AS id, 'a' AS v UNION ALL SELECT 2, 'c'"


def edited(shop: Any, base: str = TWO_ROWS, current: str = OTHER_ROWS, key: str | None = None) -> Any:
    """The shop with `orders`, whose code was edited."""
    shop.build("orders", base, current)
    shop.write("orders", key=key, orders={"sql": "select 2"})
    return shop


def reports(shop: Any, *options: str) -> dict[str, str]:
    """What each format says."""
    found = {}
    for style in ("table", "json", "markdown", "html"):
        ran = shop.cli(*DIFF, *options, "--format", style)
        assert ran.code == 0, ran.err
        found[style] = ran.out
    return found


def build_result(side: Path, **statuses: str) -> None:
    """Write run_results.json with the status of each model."""
    manifest = json.loads((side / "manifest.json").read_text())
    results = [
        {"unique_id": f"model.shop.{name}", "status": status, "execution_time": 0.1, "timing": []}
        for name, status in statuses.items()
    ]
    schema = "https://schemas.getdbt.com/dbt/run-results/v6.json"
    metadata = {**manifest["metadata"], "dbt_schema_version": schema}
    document = {"metadata": metadata, "results": results, "args": {"which": "build"}, "elapsed_time": 1}
    (side / "run_results.json").write_text(json.dumps(document))


def nothing_is_called_the_same(found: dict[str, str]) -> None:
    assert "with equal data" not in found["table"]
    assert not re.search("rows?, (?:all )?equal", "".join(found.values()))
    assert "✅" not in found["markdown"]
    assert 'data-state="same"' not in found["html"] and "verdict same" not in found["html"]
    assert json.loads(found["json"])["data_summary"]["same"] == 0


class TestWithoutKey:
    def test_rows_are_compared_whole(self, shop: Any) -> None:
        found = reports(edited(shop))

        nothing_is_called_the_same(found)
        assert "1 row added and 1 removed (1 row on both sides)" in found["table"]
        assert "data differs in 1 of 1 node" in found["table"]
        assert "Data differs in 1 of 1 node" in found["html"]

    def test_equal_rows_are_the_same_data(self, shop: Any) -> None:
        found = reports(edited(shop, current=f"SELECT * FROM ({TWO_ROWS}) t ORDER BY 1 DESC"))

        assert "  = 1 node with equal data: orders\n" in found["table"]
        assert "✅ 1 node with equal data: `orders`" in found["markdown"]
        assert json.loads(found["json"])["data_summary"] == {
            "nodes": 1, "same": 1, "different": 0, "not_compared": 0, "one_sided": 0, "outdated": 0,
        }  # fmt: skip

    def test_a_larger_relation_is_not_compared(self, shop: Any) -> None:
        found = reports(edited(shop), "--max-rows", "1")

        nothing_is_called_the_same(found)
        why = "no key, and 2 rows in base exceed --max-rows 1"
        assert f"? values not compared: {why}\n    1 node: orders\n" in found["table"]
        assert "values not compared: no key" in found["html"]
        assert "values of 1 node not compared" in found["markdown"]
        assert "| ❔ | `orders` |" in found["markdown"]
        document = json.loads(found["json"])
        (gap,) = document["data_not_compared"]
        assert (gap["subject"]["name"], gap["diff"], gap["reason"]) == ("orders", "value_diff", why)
        assert document["data_schema"] == "recce_meta/data-diff/v2"

    def test_a_key_has_no_limit(self, shop: Any) -> None:
        found = reports(edited(shop, key="id"), "--max-rows", "1")

        assert re.search("1 of [0-9]+ rows? changed", found["table"])

    def test_a_key_whose_columns_are_gone_is_none(self, shop: Any) -> None:
        found = reports(edited(shop, key="nope"), "--max-rows", "1")

        assert "values not compared: no key" in found["table"]

    def test_values_can_be_switched_off(self, shop: Any) -> None:
        found = reports(edited(shop, key="id"), "--no-values")

        nothing_is_called_the_same(found)
        assert "values not compared: switched off by --no-values" in found["table"]
        assert not re.search("1 of [0-9]+ rows? changed", found["table"])

    def test_a_view_has_the_size_of_its_rows(self, shop: Any) -> None:
        shop.sql(
            f"CREATE VIEW {{base}}.orders AS {TWO_ROWS}", f"CREATE VIEW {{current}}.orders AS {OTHER_ROWS}"
        )
        shop.write("orders", orders={"sql": "select 2"})

        assert "1 row added and 1 removed" in shop.cli(*DIFF).out
        assert "exceed --max-rows 1" in shop.cli(*DIFF, "--max-rows", "1").out

    def test_columns_of_one_side_are_a_difference_and_the_others_are_compared(self, shop: Any) -> None:
        found = reports(edited(shop, current=f"SELECT *, 1 AS n FROM ({OTHER_ROWS}) t"))

        nothing_is_called_the_same(found)
        assert "1 row added and 1 removed (1 row on both sides), 1 column only in current" in found["table"]


class TestBytes:
    """Relations are limited by the bytes of the catalog, which DuckDB's does not have."""

    @pytest.fixture
    def large(self, shop: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
        monkeypatch.setattr(changed_data, "MAX_BYTES", 20_000)
        monkeypatch.setattr(changed_data, "ALWAYS_SMALL", 10)
        rows = "SELECT i AS id, 'note' AS v FROM generate_series(1, 1000) AS s(i)"
        edited(shop, rows, rows)
        if shop.warehouse == "postgres":
            shop.sql("ANALYZE {base}.orders", "ANALYZE {current}.orders")
        return shop

    def test_a_large_table_of_few_rows_is_not_compared(self, large: Any) -> None:
        ran = large.cli(*DIFF)

        if large.warehouse == "postgres":
            assert "values not compared: no key, and 0.0 GB in base exceed 2e-05 GB" in ran.out
        else:
            assert "= 1 node with equal data" in ran.out

    def test_a_limit_of_rows_takes_its_place(self, large: Any) -> None:
        assert "= 1 node with equal data" in large.cli(*DIFF, "--max-rows", "1000").out


class TestKeysThatMatchNotAllRows:
    @pytest.mark.parametrize("odd", ["NULL", "1"])
    def test_rows_left_out_are_not_called_the_same(self, shop: Any, odd: str) -> None:
        base = f"{TWO_ROWS} UNION ALL SELECT {odd}, 'x'"
        found = reports(edited(shop, base, base.replace("'x'", "'y'"), key="id"))

        nothing_is_called_the_same(found)
        assert "not compared: NULL or repeated keys" in found["table"]
        assert "values of 1 node not compared in full" in found["markdown"]

    def test_nor_by_the_rows_that_differ(self, shop: Any) -> None:
        base = f"{TWO_ROWS} UNION ALL SELECT NULL, 'x'"
        ran = edited(shop, base, base.replace("'x'", "'y'"), key="id")("value", "orders", "--detail")

        assert "no row differs" not in ran.out
        assert "? no difference found; 1 row not compared: NULL or repeated keys" in ran.out


class TestStale:
    @pytest.mark.parametrize(
        ("status", "says"), [("error", "its build failed"), ("skipped", "it was skipped")]
    )
    def test_a_node_that_was_not_built_is_not_called_the_same(
        self, shop: Any, status: str, says: str
    ) -> None:
        edited(shop, current=TWO_ROWS)
        build_result(shop.cli.folder / "current", orders=status)
        found = reports(shop)

        nothing_is_called_the_same(found)
        failed = "build failed, 1 error; orders failed"
        assert (failed in found["markdown"]) == (status == "error")
        ran = shop("diff", "--fail-on", "fails")
        assert (ran.code, failed in ran.err) == ((1, True) if status == "error" else (0, False))
        for text in found.values():
            assert says in text
        assert "current lacks the data of its run: " in found["table"]
        assert "current lacks the data of its run: " in shop("row-count", "orders").out
        subject = json.loads(found["json"])["data"][0]["counts"][0]["subject"]
        assert subject["current_stale"].startswith(says) and subject["base_stale"] is None

    def test_a_relation_that_was_never_built_holds_no_data_of_an_earlier_build(self, shop: Any) -> None:
        edited(shop, key="id")
        shop.sql("DROP TABLE {current}.orders")
        build_result(shop.cli.folder / "current", orders="error")
        found = reports(shop)

        assert "current: not" in found["table"]
        for text in found.values():
            assert "data of its run" not in " ".join(text.split())
        for command in ("row-count", "value", "schema", "profile"):
            ran = shop(command, "orders")
            told = " ".join((ran.out + ran.err).split())
            assert "data of its run" not in told and "its build failed" in told, (command, told)
            assert "does not exist" not in told, told
        assert json.loads(found["json"])["data_summary"]["outdated"] == 0

    def test_a_view_on_it_is_stale_too(self, shop: Any) -> None:
        for name in ("orders", "totals"):
            shop.build(name, TWO_ROWS, TWO_ROWS)
        reads = {"depends_on": {"nodes": ["model.shop.orders"], "macros": []}}
        shop.write("orders", "totals", orders={"sql": "select 2"}, totals=reads)
        build_result(shop.cli.folder / "current", orders="error")
        ran = shop("row-count", "totals")
        build_result(shop.cli.folder / "current", orders="error", totals="success")
        built = shop("row-count", "totals")

        assert "data of its run: orders upstream is stale: its build failed" in ran.out
        assert "data of its run" not in built.out

    @pytest.mark.extensive
    @pytest.mark.with_store
    def test_a_build_of_other_nodes_leaves_data_of_an_earlier_build(self, shop: Any) -> None:
        edited(shop, current=TWO_ROWS, key="id")
        build_result(shop.cli.folder / "base", orders="success")
        build_result(shop.cli.folder / "current", totals="success")
        says = "current lacks the data of its run: no recorded run of its target built it"
        (shop.cli.folder / "checks.yml").write_text(
            "checks: [{name: c, type: value_diff, params: {model: orders, primary_key: id}, expect: equal}]"
        )

        nothing_is_called_the_same(reports(shop))
        assert shop.cli(*DIFF, "--fail-on", "not-compared").code == 1
        shop.record()
        assert f"? no difference found; {says}" in shop.cli("value", "orders", "-k", "id").out
        ran = shop.cli("check", "run", "checks.yml")
        assert ran.code == 1 and says in " ".join(ran.out.split())

    @pytest.mark.extensive
    def test_a_recorded_run_has_it_too(self, shop: Any) -> None:
        edited(shop, current=TWO_ROWS)
        build_result(shop.cli.folder / "base", orders="error")
        shop.record()
        ran = shop.cli("value", "orders", "-k", "id")

        assert "? no difference found; base lacks the data of its run: its build failed" in ran.out
        assert "\n  = " not in ran.out

    @pytest.mark.cases(4)
    @pytest.mark.parametrize(
        ("kind", "params", "expect"),
        [
            ("value_diff", "{model: orders, primary_key: id}", "equal"),
            ("value_diff_detail", "{model: orders, primary_key: id}", "equal"),
            ("row_count_diff", "{node_names: [orders]}", "equal"),
            ("row_count", "{node_names: [orders]}", "{min_rows: 1}"),
            ("schema_diff", "{node_names: [orders]}", "equal"),
            ("profile_diff", "{model: orders}", "equal"),
            ("profile", "{model: orders}", None),
            ("top_k_diff", "{model: orders, column_name: v}", "equal"),
            ("histogram_diff", "{model: orders, column_name: id}", "equal"),
        ],
    )
    def test_a_check_of_it_does_not_pass(self, shop: Any, kind: str, params: str, expect: str | None) -> None:
        edited(shop, current=TWO_ROWS)
        build_result(shop.cli.folder / "current", orders="error")
        text = f"checks:\n  - name: c\n    type: {kind}\n    params: {params}\n"
        says = "current lacks the data of its run: its build failed"

        if expect is not None:
            (shop.cli.folder / "checks.yml").write_text(f"{text}    expect: {expect}\n")
            for style in ("table", "markdown", "html"):
                ran = shop.cli(*CHECKS, "--format", style, "--junit", "junit.xml")
                assert ran.code == 1 and says in unescape(ran.out), (style, ran.out)
                assert "✅" not in ran.out
                assert says in unescape((shop.cli.folder / "junit.xml").read_text())
        (shop.cli.folder / "checks.yml").write_text(text)
        for style in ("table", "markdown", "html"):
            ran = shop.cli(*CHECKS, "--format", style, "--junit", "junit.xml")
            assert ran.code == 0 and says in " ".join(unescape(ran.out).split()), (style, ran.out)
            assert "✅" not in ran.out
            assert says in unescape((shop.cli.folder / "junit.xml").read_text())


class TestQueryOverStaleData:
    @pytest.mark.parametrize("key", [(), ("-k", "id")])
    def test_it_is_not_called_the_same(self, shop: Any, key: tuple[str, ...]) -> None:
        edited(shop, current=TWO_ROWS)
        build_result(shop.cli.folder / "current", orders="error")
        query = "select * from {{ ref('orders') }}"
        table = shop("query-diff", query, *key)
        markdown = shop("query-diff", query, *key, "--format", "markdown")

        assert "current lacks the data of its run: orders: its build failed" in table.out
        assert "its build failed" in markdown.out and "✅" not in markdown.out

    def test_nor_over_a_view_on_it(self, shop: Any) -> None:
        for name in ("orders", "totals"):
            shop.build(name, TWO_ROWS, TWO_ROWS)
        reads = {"depends_on": {"nodes": ["model.shop.orders"], "macros": []}}
        shop.write("orders", "totals", totals=reads)
        build_result(shop.cli.folder / "current", orders="skipped")
        ran = shop("query-diff", "select * from {{ ref('totals') }}")

        assert "data of its run: totals: orders upstream is stale: it was skipped" in ran.out

    @pytest.mark.parametrize("model", ["", ", current_model: orders"])
    def test_a_check_of_a_query_says_it_too(self, shop: Any, model: str) -> None:
        edited(shop, current=TWO_ROWS)
        build_result(shop.cli.folder / "current", orders="error")
        params = f"""{{sql_template: "select * from {{{{ ref('orders') }}}}"{model}}}"""
        check = f"checks:\n  - name: Query\n    type: query_diff\n    params: {params}\n"
        (shop.cli.folder / "checks.yml").write_text(check)
        ran = shop.cli("check", "run", "--base", "path:base", "--current", "path:current")

        assert ran.code == 0, ran.err
        assert "current lacks the data of its run: orders: its build failed" in ran.out

    @pytest.mark.parametrize("expect", ["", "    expect: {min_rows: 1}\n"])
    def test_a_check_of_one_side_says_it_too(self, shop: Any, expect: str) -> None:
        edited(shop, current=TWO_ROWS)
        build_result(shop.cli.folder / "current", orders="error")
        build_result(shop.cli.folder / "base", orders="skipped")
        params = """{sql_template: "select * from {{ ref('orders') }}"}"""
        checks = "".join(
            f"  - name: {kind}\n    type: {kind}\n    params: {params}\n{expect}"
            for kind in ("query", "query_base")
        )
        (shop.cli.folder / "checks.yml").write_text(f"checks:\n{checks}")
        ran = shop.cli(*CHECKS)

        assert ran.code == bool(expect), ran.out
        assert "current lacks the data of its run: orders: its build failed" in ran.out
        assert "base lacks the data of its run: orders: it was skipped" in ran.out

    def test_what_it_does_not_name_is_no_matter(self, shop: Any) -> None:
        for name in ("orders", "totals"):
            shop.build(name, TWO_ROWS, TWO_ROWS)
        shop.write("orders", "totals")
        build_result(shop.cli.folder / "current", orders="error", totals="success")
        ran = shop("query-diff", "select * from {{ ref('totals') }}", "--format", "markdown")

        assert "data of its run" not in ran.out and "✅" in ran.out


@pytest.mark.extensive
def test_kept_counts_alone_are_not_the_same(shop: Any) -> None:
    edited(shop, current=TWO_ROWS)
    shop.cli("record", "-e", "base", "--target-path", "base", "--stats", "row-count")
    shop.cli("record", "-e", "current", "--target-path", "current")

    counted = shop.cli("row-count", "orders")
    markdown = shop.cli("row-count", "orders", "--format", "markdown")
    compared = shop.cli("diff", "base", "current", "--data")

    assert "? no difference in 1 row count, 1 with an earlier count" in counted.out
    assert "saved at" in counted.out and "✅" not in markdown.out
    assert "= 1 node with equal data" in compared.out, "all rows were compared now"


class TestConditions:
    def test_what_was_not_compared_can_fail_a_job(self, shop: Any) -> None:
        edited(shop)
        condition = ("--fail-on", "not-compared")

        failed = shop.cli(*DIFF, "--no-values", *condition)
        unbuilt = shop.cli(*DIFF, *condition)
        for side in ("base", "current"):
            build_result(shop.cli.folder / side, orders="success")
        fine = shop.cli(*DIFF, *condition)
        alone = shop.cli("diff", "path:base", "path:current", *condition)

        assert failed.code == 1 and failed.err == "error: --fail-on not-compared found 1: orders\n"
        assert (unbuilt.code, unbuilt.err) == (1, failed.err)
        assert (fine.code, fine.err) == (0, "")
        assert alone.code == 2 and "hint: add --data" in alone.err

    def test_options_of_the_limit_want_data(self, shop: Any) -> None:
        edited(shop)

        for option in (["--max-rows", "0"], ["--budget", "9"]):  # --no-values also holds for stored results
            ran = shop.cli("diff", "path:base", "path:current", *option)
            assert ran.code == 2 and "hint: add --data" in ran.err


class TestSelected:
    """A selected node is compared although its change is not selected, or it has none."""

    @pytest.fixture
    def downstream(self, shop: Any) -> Any:
        shop.build("orders", TWO_ROWS, OTHER_ROWS)
        shop.build("totals", TWO_ROWS, OTHER_ROWS)
        reads = {"depends_on": {"nodes": ["model.shop.orders"], "macros": []}}
        shop.write("orders", "totals", orders={"sql": "select 2"}, totals=reads)
        return shop

    @pytest.mark.parametrize("options", [("--select", "totals"), ("--exclude", "orders")])
    def test_a_change_above_it_is_not_selected(self, downstream: Any, options: tuple[str, str]) -> None:
        found = reports(downstream, *options)

        nothing_is_called_the_same(found)
        assert "data differs in 1 of 1 node" in found["table"]
        assert "1 row added and 1 removed" in found["table"]
        assert json.loads(found["json"])["data_summary"]["nodes"] == 1

    @pytest.mark.extensive
    def test_stored_runs_are_compared_too(self, downstream: Any) -> None:
        downstream.record()
        ran = downstream.cli("diff", "base", "current", "--data", "-s", "totals")

        assert "data differs in 1 of 1 node" in ran.out

    def test_what_is_not_compared_fails_a_job(self, downstream: Any) -> None:
        limit = ("-s", "totals", "--max-rows", "1")
        ran = downstream.cli(*DIFF, *limit, "--fail-on", "not-compared,any")

        nothing_is_called_the_same(reports(downstream, *limit))
        assert "values not compared: no key" in ran.out
        assert ran.code == 1 and ran.err == "error: --fail-on not-compared found 1: totals\n"

    def test_no_change_reaches_it(self, shop: Any) -> None:
        shop.build("orders", TWO_ROWS, OTHER_ROWS)
        shop.write("orders")

        assert "data differs in 1 of 1 node" in shop.cli(*DIFF, "-s", "orders").out
        assert "Data" not in shop.cli(*DIFF).out

    def test_sql_that_only_one_run_compiled_is_not_known_to_be_the_same(self, shop: Any) -> None:
        shop.build("orders", TWO_ROWS, OTHER_ROWS)
        shop.write("orders")
        for side in ("base", "current"):
            path = shop.cli.folder / side / "manifest.json"
            path.write_text(path.read_text().replace('"raw_code": "select 1"', '"raw_code": "{{ var(1) }}"'))
            build_result(shop.cli.folder / side, orders="success")
        base = shop.cli.folder / "base" / "manifest.json"
        base.write_text(base.read_text().replace('"compiled_code": "select 1"', '"compiled_code": null'))

        ran, other = shop.cli(*DIFF), shop.cli("diff", "path:current", "path:base", "--data")

        assert "SQL of 1 node not compared" in ran.out and "data differs in 1 of 1 node" in ran.out
        # Base did not build it in its run.
        assert "SQL of 1 node not compared" in other.out and "Data" not in other.out


@pytest.mark.parametrize(("other", "says"), [("c", "id=2: c → b"), ("b", "= 1 node with equal data")])
def test_two_targets_are_compared_by_key(shop: Any, tmp_path: Path, other: str, says: str) -> None:
    file = tmp_path / "other.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute(f'CREATE SCHEMA "{shop.base}"')
        connection.execute(f'CREATE TABLE "{shop.base}".orders AS {OTHER_ROWS.replace("c", other)}')
    edited(shop, current=TWO_ROWS, key="id")
    manifest = shop.cli.folder / "base" / "manifest.json"
    manifest.write_text(manifest.read_text().replace(f'\\"{shop.database}\\".', ""))

    ran = shop.cli(*DIFF, "--base-target", f"duckdb:///{file}")

    is_one_kind = shop.warehouse == "duckdb"  # else types are compared by what they hold
    expected = says if is_one_kind or other == "c" else "2 rows, all equal"
    assert ran.code == 0 and expected in ran.out, ran.err
    assert ("with equal data" in ran.out) == (is_one_kind and other == "b")
