"""Files of checks: recce's as it is, and ours."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from recce_meta.api.checks import _parameters
from recce_meta.checks.file import read_check_file
from recce_meta.checks.types import TYPES
from recce_meta.data_diff import options
from recce_meta.models.checks import (
    OTHERS,
    Amount,
    DataCheck,
    Expect,
    ExpectCounts,
    ExpectDistribution,
    ExpectEqual,
    ExpectLineage,
    ExpectProfile,
    ExpectResult,
    ExpectRows,
    ExpectSchema,
    ExpectValues,
    FigureParams,
    NodesParams,
    QueryDiffParams,
    QueryParams,
    SimpleParams,
    ValueDiffParams,
)
from recce_meta.models.data_diff import PRECISIONS

RECCE_YML = Path(__file__).parents[2] / "data" / "checks" / "recce.yml"


def share(text: str) -> Amount:
    return Amount(Decimal(text), is_share=True)


def rows(count: int) -> Amount:
    return Amount(Decimal(count))


@pytest.fixture
def read(tmp_path: Path) -> Any:
    def read_text(text: str) -> tuple[DataCheck, ...]:
        path = tmp_path / "checks.yml"
        path.write_text(dedent(text), encoding="utf-8")
        checks = read_check_file(path)
        assert all(isinstance(check, DataCheck) for check in checks), checks
        return checks  # type: ignore[return-value]

    return read_text


@pytest.fixture
def expecting(read: Any) -> Any:
    def read_expect(type_name: str, params: str, expect: str) -> Expect:
        (check,) = read(f"checks: [{{name: a, type: {type_name}, params: {params}, expect: {expect}}}]")
        return check.expect

    return read_expect


def test_recce_yml_is_read_as_it_is() -> None:
    checks = read_check_file(RECCE_YML)

    assert all(isinstance(check, DataCheck) for check in checks)
    assert {check.type for check in checks} == set(TYPES)
    assert [(check.expect, check.optional) for check in checks] == [(None, False)] * len(checks)  # type: ignore[union-attr]


def test_parameters_of_recce_yml_mean_what_they_mean_in_recce() -> None:
    params = {check.name: check.params for check in read_check_file(RECCE_YML)}  # type: ignore[union-attr]

    assert params == {
        "Model schema of customers": NodesParams(ids=("model.jaffle_shop.customers",)),
        "Schema diff": NodesParams(),
        "Row count of customers, orders and modified+ models": NodesParams(
            select="customers orders state:modified+,config.materialized:table",
            exclude="tag:dev",
            packages=("jaffle_shop",),
            view_mode="changed_models",
        ),
        "Row count of named models": NodesParams(
            names=("customers", "orders"), ids=("model.jaffle_shop.payment_mix",)
        ),
        "Rows now": NodesParams(names=("customers",)),
        "Value diff of customers": ValueDiffParams(
            model="customers",
            primary_key=("customer_id",),
            columns=("customer_id", "customer_lifetime_value"),
        ),
        "Value diff of customers (detailed)": ValueDiffParams(
            model="customers", primary_key=("customer_id", "first_order")
        ),
        "Query diff of customers avg lifetime value": QueryDiffParams(
            sql_template=(
                "SELECT\n    DATE_TRUNC('week', first_order) AS first_order_week,\n"
                "    AVG(customer_lifetime_value) AS avg_lifetime_value\n"
                'FROM {{ ref("customers") }}\nGROUP BY first_order_week\nORDER BY first_order_week;'
            )
        ),
        "Query diff by key": QueryDiffParams(
            sql_template='select * from {{ ref("customers") }}',
            base_sql_template='select * from {{ ref("customers_old") }}',
            primary_keys=("customer_id",),
        ),
        "Customer count": QueryParams(sql_template='select count(*) from {{ ref("customers") }}'),
        "Customer count of base": QueryParams(sql_template='select count(*) from {{ ref("customers") }}'),
        "Profile": FigureParams(model="customers"),
        "Profile diff": FigureParams(model="customers", columns=("customer_lifetime_value",)),
        "Top 50 customer values": FigureParams(
            model="customers", columns=("customer_lifetime_value",), number=50
        ),
        "Top values, as many as recce takes": FigureParams(
            model="customers", columns=("customer_lifetime_value",)
        ),
        "CLV histogram diff": FigureParams(model="customers", columns=("customer_lifetime_value",)),
        "Lineage diff for modified models": NodesParams(select="state:modified+"),
        "SQL linter": SimpleParams(),
    }


def test_what_recce_shows_and_where_a_check_stands_is_kept() -> None:
    checks = {check.name: check for check in read_check_file(RECCE_YML)}
    query = checks["Query diff of customers avg lifetime value"]
    value = checks["Value diff of customers"]

    assert isinstance(query, DataCheck)
    assert query.view_options == {"primary_keys": ["first_order_week"]}
    assert value.description == (
        "The customer_lifetime_value in customers should be 100% matched\n\nPlease look at it."
    )
    lines = RECCE_YML.read_text(encoding="utf-8").splitlines()
    assert lines[value.line - 1] == "  - name: Value diff of customers"
    assert value.where == f"{RECCE_YML}:{value.line}"


def test_names_given_twice_are_told_apart(read: Any) -> None:
    checks = read("""
        checks:
          - {name: rows, type: schema_diff}
          - {name: rows (2), type: schema_diff}
          - {name: rows, type: schema_diff}
          - {name: rows, type: schema_diff}
    """)

    assert [check.name for check in checks] == ["rows", "rows (2)", "rows (3)", "rows (4)"]


def test_parameters_can_be_shared_by_an_anchor(read: Any) -> None:
    first, second = read("""
        checks:
          - name: values
            type: value_diff
            params: &orders {model: orders, primary_key: id}
          - name: rows
            type: value_diff_detail
            params: {<<: *orders, primary_key: [id, day], limit: 5}
    """)

    assert first.params == ValueDiffParams(model="orders", primary_key=("id",))
    assert second.params == ValueDiffParams(model="orders", primary_key=("id", "day"), limit=5)


def test_parameters_with_a_merge_can_be_shared_by_several_checks(read: Any) -> None:
    first, second = read("""
        defaults: &defaults {model: orders, limit: 5}
        checks:
          - name: values
            type: value_diff_detail
            params: &customers {<<: *defaults, model: customers, primary_key: id}
          - name: again
            type: value_diff_detail
            params: *customers
    """)

    assert first.params == second.params == ValueDiffParams(model="customers", primary_key=("id",), limit=5)


def test_a_checks_list_without_entries_holds_no_check(read: Any) -> None:
    assert read("checks:") == read("checks: []") == ()


def test_times_can_be_cut_to_every_unit_that_a_value_diff_knows() -> None:
    assert PRECISIONS == options.PRECISIONS


def test_options_of_a_value_diff(read: Any) -> None:
    (check,) = read("""
        checks:
          - name: values
            type: value_diff
            optional: true
            params:
              model: orders
              exclude_columns: loaded_at
              where: amount > 0
              sample: 12.5%
              tolerance: 0.005
              relative_tolerance: 1e-9
              timestamp_precision: second
              ignore_case: true
              ignore_trailing_blanks: yes
              cast: {amount: "decimal(12,2)"}
    """)

    assert check.optional is True
    assert check.params == ValueDiffParams(
        model="orders",
        exclude_columns=("loaded_at",),
        where="amount > 0",
        sample=12.5,
        tolerance=Decimal("0.005"),
        relative_tolerance=Decimal("1e-9"),
        timestamp_precision="second",
        ignore_case=True,
        ignore_trailing_blanks=True,
        cast={"amount": "decimal(12,2)"},
    )


@pytest.mark.parametrize(
    "written",
    [
        *("0.1", "0.12345678901234567890123", "1000000000000000000000.5", "99999999999999999999", "1e-300"),
        *(".5", "1_000.25", "1.5e+3", "1e3", "0"),
    ],
)
def test_a_tolerance_is_read_in_the_digits_that_are_written(read: Any, written: str) -> None:
    (check,) = read(f"""
        checks:
          - name: a
            type: value_diff
            params: {{model: orders, tolerance: {written}, relative_tolerance: {written}}}
    """)

    assert check.params.tolerance == check.params.relative_tolerance == Decimal(written)


VALUES = "{model: orders}"
COLUMN = "{model: orders, column_name: amount}"
QUERY = "{sql_template: select 1}"


@pytest.mark.parametrize(
    ("type_name", "params", "expect", "meaning"),
    [
        ("value_diff", VALUES, "equal", ExpectEqual()),
        ("value_diff", VALUES, "{max_mismatch: 1%}", ExpectValues(max_mismatch=share("0.01"))),
        ("value_diff", VALUES, "{max_mismatch: 0}", ExpectValues()),
        (
            "value_diff",
            VALUES,
            "{max_mismatch: {amount: 29%, on: 3, '*': 0.5 %}, max_added: 10, max_removed: 100%}",
            ExpectValues(
                max_mismatch={"amount": share("0.29"), "on": rows(3), OTHERS: share("0.005")},
                max_added=rows(10),
                max_removed=share("1"),
            ),
        ),
        (
            "value_diff",
            VALUES,
            "{allow: [added, duplicate_keys]}",
            ExpectValues(allow=frozenset({"added", "duplicate_keys"})),
        ),
        ("value_diff_detail", VALUES, "{max_differing_rows: 5}", ExpectRows(max_differing_rows=rows(5))),
        ("query_diff", QUERY, "{max_differing_rows: 5%}", ExpectRows(max_differing_rows=share("0.05"))),
        ("query_diff", QUERY, "{allow: added}", ExpectRows(allow=frozenset({"added"}))),
        ("schema_diff", "{}", "{allow: [added]}", ExpectSchema(allow=frozenset({"added"}))),
        ("schema_diff", "{}", "{allow: []}", ExpectSchema()),
        ("row_count", "{}", "{min_rows: 1}", ExpectCounts(min_rows=1)),
        (
            "row_count_diff",
            "{}",
            "{row_count_change: 5%, max_increase: 10, max_decrease: 0, max_rows: 1_000, allow: []}",
            ExpectCounts(
                row_count_change=share("0.05"),
                max_increase=rows(10),
                max_decrease=rows(0),
                max_rows=1000,
                allow=frozenset(),
            ),
        ),
        (
            "profile_diff",
            VALUES,
            "{max_change: {avg: 5%, min: 0, row_count: 1.5}, columns: {amount: {avg: 0.1}}}",
            ExpectProfile(
                max_change={"avg": share("0.05"), "min": rows(0), "row_count": Amount(Decimal("1.5"))},
                columns={"amount": {"avg": Amount(Decimal("0.1"))}},
            ),
        ),
        (
            "top_k_diff",
            COLUMN,
            "{max_distance: 0.05}",
            ExpectDistribution(max_distance={OTHERS: share("0.05")}),
        ),
        (
            "histogram_diff",
            COLUMN,
            "{max_distance: {amount: 5%, '*': 1}}",
            ExpectDistribution(max_distance={"amount": share("0.05"), OTHERS: share("1")}),
        ),
        ("query", QUERY, "{rows: 0}", ExpectResult(rows=0)),
        ("query_base", QUERY, "{value: null, max_rows: 1}", ExpectResult(value=None, max_rows=1)),
        ("query", QUERY, "{value: 4.5}", ExpectResult(value=4.5)),
        (
            "lineage_diff",
            "{}",
            "{allow: [added, descriptions]}",
            ExpectLineage(allow=frozenset({"added", "descriptions"})),
        ),
    ],
)
def test_expectations(expecting: Any, type_name: str, params: str, expect: str, meaning: Expect) -> None:
    assert expecting(type_name, params, expect) == meaning


@pytest.mark.parametrize(
    ("text", "value"), [("5%", "0.05"), ("0.1 %", "0.001"), ("'7%'", "0.07"), (".5%", "0.005")]
)
def test_shares_are_exact(expecting: Any, text: str, value: str) -> None:
    assert expecting("value_diff", VALUES, f"{{max_mismatch: {text}}}").max_mismatch == share(value)


@pytest.mark.parametrize(
    ("kind", "params", "stored"),
    [
        ("top_k_diff", "column_name: v, k: 7", {"model": "a", "columns": ["v"], "k": 7}),
        ("histogram_diff", "columns: [v], num_bins: 9", {"model": "a", "columns": ["v"], "num_bins": 9}),
        ("profile_diff", "where: id > 1", {"model": "a", "where": "id > 1"}),
    ],
)
def test_parameters_of_figures_are_stored_under_the_names_of_the_file(
    kind: str, params: str, stored: dict[str, object], tmp_path: Path
) -> None:
    path = tmp_path / "checks.yml"
    path.write_text(f"checks: [{{name: c, type: {kind}, params: {{model: a, {params}}}}}]", encoding="utf-8")
    (check,) = read_check_file(path)

    assert _parameters(check) == stored
