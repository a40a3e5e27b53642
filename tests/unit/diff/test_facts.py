"""Facts about the rows of nodes, from enforced contracts and from tests that passed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timezone
from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta.diff.facts import KnownFacts, contract_facts, fact_of, passed_facts
from recce_meta.diff.project_side import ProjectSide
from recce_meta.models import Column, MacroMetadata, NodeMetadata, NodeResult, RunMetadata
from recce_meta.models.change import FactKind, FactSource
from recce_meta.models.lineage import ColumnUse, NodeColumns, Usage

ORDERS = "model.shop.orders"
NULL, KEY, NOT_NULL = ({"type": kind} for kind in ("check", "primary_key", "not_null"))


def model(*constraints: Any, columns: Mapping[str, Any] | None = None, **fields: Any) -> NodeMetadata:
    """The model `orders` with an enforced contract."""
    fields.setdefault("materialized", "table")
    fields.setdefault("contract", {"enforced": True})
    return NodeMetadata(
        unique_id=ORDERS,
        name="orders",
        resource_type="model",
        columns=tuple(
            Column(name, type="int", constraints=tuple(given))
            for name, given in (columns or {"id": [KEY], "amount": [NOT_NULL]}).items()
        ),
        properties={"constraints": list(constraints)},
        **fields,
    )


def generic(name: str, *, config: Mapping[str, Any] | None = None, **kwargs: Any) -> NodeMetadata:
    """A generic test of `orders`."""
    namespace, _, kind = name.rpartition(".")
    return NodeMetadata(
        unique_id=f"test.shop.{kind}_orders",
        name=f"{kind}_orders",
        resource_type="test",
        materialized="test",
        parents=(ORDERS,),
        config=dict(config or {}),
        properties={
            "test_metadata": {
                "name": kind,
                "namespace": namespace or None,
                "kwargs": {"model": "{{ get_where_subquery(ref('orders')) }}", **kwargs},
            }
        },
    )


def side(
    *macros: str,
    adapter: str = "duckdb",
    command: str = "build",
    run_id: str = "r",
    schema: str = "prod",
) -> ProjectSide:
    """One side with macros of the project."""
    named = {
        f"macro.shop.{name}": MacroMetadata(unique_id=f"macro.shop.{name}", name=name, package_name="shop")
        for name in macros
    }
    # Macros of dbt that a macro of the project may replace.
    for name in ("create_table_as", "materialization_table_default", "get_where_subquery"):
        named[f"macro.dbt.{name}"] = MacroMetadata(
            unique_id=f"macro.dbt.{name}", name=name, package_name="dbt", macro_sql="{{ create_table_as() }}"
        )
    named["macro.dbt.materialization_table_default"] = replace(
        named["macro.dbt.materialization_table_default"], macros=("macro.dbt.create_table_as",)
    )
    run = RunMetadata(
        run_id=run_id,
        run_at=datetime(2026, 1, 1, tzinfo=timezone.utc),
        project_name="shop",
        adapter_type=adapter,
        command=command,
        target_schema=schema,
    )
    return ProjectSide({}, named, run)


def from_contract(node: NodeMetadata, on: ProjectSide | None = None) -> set[str]:
    """The facts of a contract, as words."""
    return {f"{one.kind} {' '.join(one.columns)}: {one.name}" for one in contract_facts(node, on or side())}


def test_a_contract_that_the_warehouse_enforces_proves_keys_and_not_null() -> None:
    assert from_contract(model()) == {
        "unique id: the primary key of orders",
        "not_null id: the primary key of orders",
        "not_null amount: the not-null constraint of orders.amount",
    }
    several = model({"type": "primary_key", "columns": ["b", "a"]}, columns={"a": [], "b": []})
    assert from_contract(several) == {
        "unique a b: the primary key of orders",
        "not_null a: the primary key of orders",
        "not_null b: the primary key of orders",
    }


@pytest.mark.parametrize("adapter", ["snowflake", "redshift", "bigquery", "databricks"])
def test_a_key_that_the_warehouse_does_not_enforce_proves_nothing(adapter: str) -> None:
    assert from_contract(model(), side(adapter=adapter)) == {
        "not_null amount: the not-null constraint of orders.amount"
    }


@pytest.mark.parametrize(
    ("node", "on"),
    [
        (model(contract={"enforced": False}), side()),
        (model(contract=None), side()),
        (model(materialized="view"), side()),
        (model(materialized="incremental"), side()),
        (model(language="python"), side()),
        (model(), side(adapter="spark")),
        (model(), side(adapter="unknown")),
        (model(), side("create_table_as")),
        (model(), side("duckdb__create_table_as")),
        (model(config={"file_format": "parquet"}), side(adapter="databricks")),
        (model(columns={"id": [{"type": "not_null", "expression": "disable"}]}), side()),
        (model(columns={"id": [KEY], "b": [KEY]}), side()),
        (model({"type": "primary_key", "columns": ["b"]}, columns={"id": [KEY], "b": []}), side()),
    ],
)
def test_what_no_table_is_created_with_proves_nothing(node: NodeMetadata, on: ProjectSide) -> None:
    assert from_contract(node, on) == set()


@pytest.mark.parametrize(
    ("test", "kind", "columns"),
    [
        (generic("unique", column_name="id"), FactKind.UNIQUE, ("id",)),
        (generic("not_null", arguments={"column_name": '"id"'}), FactKind.NOT_NULL, ("id",)),
        (
            generic("dbt_utils.unique_combination_of_columns", combination_of_columns=["a", "b"]),
            FactKind.UNIQUE,
            ("a", "b"),
        ),
        (generic("unique", column_name="id", config={"severity": "ERROR"}), FactKind.UNIQUE, ("id",)),
        (generic("unique", column_name="id", config={"where": "id > 1"}), None, ()),
        (generic("unique", column_name="id", config={"limit": 1}), None, ()),
        (generic("unique", column_name="id", config={"error_if": "> 10"}), None, ()),
        (generic("unique", column_name="id", config={"warn_if": "> 10"}), None, ()),
        (generic("unique", column_name="id", config={"severity": "warn"}), None, ()),
        (generic("unique", column_name="id", config={"fail_calc": "0"}), None, ()),
        (generic("unique", column_name="id", row_condition="id > 1"), None, ()),
        (generic("other.unique", column_name="id"), None, ()),
        (generic("accepted_values", column_name="id", values=["1"]), None, ()),
        (generic("unique"), None, ()),
    ],
)  # fmt: skip
def test_a_test_proves_a_fact_if_it_finds_every_row(
    test: NodeMetadata, kind: FactKind | None, columns: tuple[str, ...]
) -> None:
    assert fact_of(test) == (kind, columns)


class Reader:
    """One run in memory."""

    def __init__(
        self, side: ProjectSide, *results: NodeResult, node: NodeMetadata, columns: NodeColumns
    ) -> None:
        assert side.run is not None
        self._columns = columns
        self.run, self._results, self._node = side.run, {one.unique_id: one for one in results}, node

    def nodes(self, ids: Iterable[str]) -> Mapping[str, NodeMetadata]:
        return {one: self._node for one in ids if one == ORDERS}

    def tests_of(self, ids: Iterable[str]) -> list[NodeMetadata]:
        return [generic("unique", column_name="id")] if ORDERS in ids else []

    def columns_of(self, ids: Collection[str]) -> Mapping[str, NodeColumns]:
        return dict.fromkeys(ids, self._columns)

    def results_of(self, ids: Collection[str]) -> Mapping[str, NodeResult]:
        return {one: result for one, result in self._results.items() if one in ids}


BUILT = NodeResult(unique_id=ORDERS, status="success", completed_at="2026-01-01T00:00:01Z")
PASSED = NodeResult(
    unique_id="test.shop.unique_orders", status="pass", failures=0, completed_at="2026-01-01T00:00:02Z"
)
PLAIN = model(contract=None)
TRACED = NodeColumns()


def known(
    base: Iterable[NodeResult],
    current: Iterable[NodeResult] = (),
    sides: tuple[ProjectSide, ProjectSide] | None = None,
    changed: Collection[str] = (),
    differing: Collection[str] = (),
    node: NodeMetadata = PLAIN,
    columns: NodeColumns = TRACED,
) -> list[str]:
    """The names of the facts of `orders`."""
    sides = sides or (side(run_id="one"), side(run_id="two"))
    runs = [
        Reader(one, *results, node=node, columns=columns)
        for one, results in zip(sides, (base, current), strict=True)
    ]
    found = KnownFacts(sides, runs, changed, differing).of([ORDERS])[ORDERS]
    for fact in found.facts:
        if fact.source is FactSource.TEST:
            assert (fact.source_id, fact.run_id) == (PASSED.unique_id, "one" if base else "two")
    return [fact.name for fact in found.facts]


def test_a_test_that_passed_after_the_build_of_either_run_is_a_fact() -> None:
    assert known([BUILT, PASSED]) == ["unique_orders"]
    assert known([], [BUILT, PASSED]) == ["unique_orders"]


@pytest.mark.parametrize(
    "results",
    [
        [PASSED],
        [BUILT],
        [replace(BUILT, status="error"), PASSED],
        [replace(BUILT, status="skipped"), PASSED],
        [replace(BUILT, completed_at="2026-01-01T00:00:03Z"), PASSED],
        [replace(BUILT, completed_at=None), PASSED],
        [BUILT, replace(PASSED, completed_at=None)],
        [BUILT, replace(PASSED, status="warn", failures=1)],
        [BUILT, replace(PASSED, failures=1)],
        [BUILT, replace(PASSED, failures=None)],
    ],
)
def test_other_results_are_no_facts(results: list[NodeResult]) -> None:
    assert known(results) == []


def test_a_test_that_did_not_pass_in_the_other_run_is_no_fact() -> None:
    for status in ("fail", "warn", "error", "skipped"):
        assert known([BUILT, PASSED], [replace(PASSED, status=status)]) == []


@pytest.mark.parametrize("command", ["build --empty", "build --sample"])
def test_a_part_of_the_rows_proves_nothing(command: str) -> None:
    part = side(command=command, run_id="one")

    assert known([BUILT, PASSED], sides=(part, side())) == []


@pytest.mark.parametrize("macro", ["test_unique", "default__test_unique", "get_where_subquery"])
def test_a_test_that_the_project_replaces_is_no_fact(macro: str) -> None:
    assert known([BUILT, PASSED], sides=(side(macro), side())) == []


RELATED = replace(
    generic("relationships", column_name="customer_id", to="ref('customers')", field="id"),
    parents=("model.shop.customers", ORDERS),
)


@pytest.mark.parametrize(
    ("test", "built", "is_fact"),
    [
        (RELATED, BUILT, True),
        (RELATED, replace(BUILT, status="error"), False),
        (RELATED, replace(BUILT, completed_at="2026-01-01T00:00:09Z"), False),
        (replace(RELATED, parents=(ORDERS,)), BUILT, False),
    ],
)
def test_a_reference_needs_that_both_nodes_were_built(
    test: NodeMetadata, built: NodeResult, is_fact: bool
) -> None:
    test = replace(test, properties={**test.properties, "attached_node": ORDERS})
    results = {
        ORDERS: BUILT,
        "model.shop.customers": replace(built, unique_id="model.shop.customers"),
        test.unique_id: replace(PASSED, unique_id=test.unique_id),
    }

    found = list(passed_facts([test], results, side()))

    assert [(one.kind, one.unique_id, one.columns, one.other_id, one.other_columns) for one in found] == (
        [(FactKind.REFERENCE, ORDERS, ("customer_id",), "model.shop.customers", ("id",))] if is_fact else []
    )
    unknown = replace(test, properties={**test.properties, "attached_node": None})
    assert list(passed_facts([unknown], results, side())) == []


def test_facts_of_a_changed_node_hold_for_neither_side_and_tests_not_below_changes() -> None:
    enforced = model()
    names = [
        "the not-null constraint of orders.amount",
        "the primary key of orders",
        "the primary key of orders",
    ]

    assert known([BUILT, PASSED], node=enforced) == [*names, "unique_orders"]
    assert known([BUILT, PASSED], node=enforced, differing=[ORDERS]) == names
    assert known([BUILT, PASSED], node=enforced, changed=[ORDERS], differing=[ORDERS]) == []


def test_a_node_whose_rows_the_hook_of_another_may_write_has_no_fact() -> None:
    hooked = NodeColumns(uses=(ColumnUse(Usage.FILTER, "model.shop.other", "*", 0.5),))

    assert known([BUILT, PASSED], columns=hooked) == []
    assert known([], node=model()) != []
    assert known([], node=model(), columns=hooked) == []


def test_a_hook_that_may_replace_the_table_ends_the_facts_of_its_contract() -> None:
    for hook, count in (
        ("grant select on {{ this }} to x", 3),
        ("create or replace table {{ this }} as x", 0),
    ):
        assert len(known([], node=model(config={"post-hook": [{"sql": hook}]}))) == count


def test_a_test_of_one_run_proves_nothing_of_what_the_other_run_has_built() -> None:
    other = side(run_id="two", schema="ci")

    assert known([BUILT, PASSED], [BUILT]) == known([BUILT], [BUILT, PASSED]) == []
    assert known([BUILT, PASSED], [BUILT, PASSED]) == ["unique_orders"]
    assert known([BUILT, PASSED], sides=(side(run_id="one"), other)) == []
    assert known([BUILT, PASSED], [BUILT, PASSED], sides=(side(run_id="one"), other)) == ["unique_orders"]
