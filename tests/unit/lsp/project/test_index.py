"""The index of a recorded project resolves names as dbt does, and reads all else from the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from recce_meta.api.record_sql import SqlOptions, extract_sql_project
from recce_meta.api.run_reader import MemoryRunReader
from recce_meta.lsp.project.index import ProjectIndex
from recce_meta.lsp.text.positions import TextSpan
from recce_meta.lsp.text.template import TagArgument, TagCall

NOWHERE = TextSpan(0, 0)
WriteProject = Callable[[Mapping[str, str]], Path]
RecordProject = Callable[..., ProjectIndex]


def call(name: str, *values: str | None, **named: str | int | None) -> TagCall:
    """Return the call of *name* with literal arguments; None stands for an expression."""
    arguments = [TagArgument(value, NOWHERE) for value in values]
    arguments += [TagArgument(value, NOWHERE, name=key) for key, value in named.items()]
    return TagCall(name, NOWHERE, NOWHERE, NOWHERE, tuple(arguments))


def ref_of(
    index: ProjectIndex, *values: str | None, package: str = "jaffle_shop", **named: Any
) -> str | None:
    """Return the unique id of a `ref`."""
    found = index.ref(call("ref", *values, **named), package)
    return found.unique_id if found is not None else None


def test_a_model_is_found_by_its_name_and_by_its_package(shop_index: ProjectIndex) -> None:
    assert ref_of(shop_index, "orders") == "model.jaffle_shop.orders"
    assert ref_of(shop_index, "jaffle_shop", "orders") == "model.jaffle_shop.orders"
    assert ref_of(shop_index, "raw_orders") == "seed.jaffle_shop.raw_orders"
    assert ref_of(shop_index, "tool_log") == "model.tools.tool_log"


def test_of_two_packages_with_a_model_of_that_name_dbt_takes_the_root_project_first(
    shop_index: ProjectIndex,
) -> None:
    assert ref_of(shop_index, "stg_orders") == "model.jaffle_shop.stg_orders"
    assert ref_of(shop_index, "stg_orders", package="tools") == "model.jaffle_shop.stg_orders"
    assert ref_of(shop_index, "tools", "stg_orders") == "model.tools.stg_orders"


def test_a_flag_of_the_project_lets_ref_search_its_own_package_first(
    write_project: WriteProject, record_project: RecordProject
) -> None:
    root = write_project(
        {
            "dbt_project.yml": "name: shop\nflags: {require_ref_searches_node_package_before_root: true}\n",
            "models/a.sql": "select 1 as id",
            "dbt_packages/tools/dbt_project.yml": "name: tools",
            "dbt_packages/tools/models/a.sql": "select 1 as id",
        }
    )
    index = record_project(root)
    assert ref_of(index, "a", package="tools") == "model.tools.a"
    assert ref_of(index, "a", package="shop") == "model.shop.a"


def test_a_name_in_two_other_packages_is_neither_resolved_nor_called_missing(
    write_project: WriteProject, record_project: RecordProject
) -> None:
    root = write_project(
        {
            "models/b.sql": "select 1 as id",
            **{f"dbt_packages/{name}/dbt_project.yml": f"name: {name}" for name in ("one", "two")},
            **{f"dbt_packages/{name}/models/a.sql": "select 1 as id" for name in ("one", "two")},
        }
    )
    index = record_project(root)
    assert ref_of(index, "a", package="shop") is None
    assert index.problem(call("ref", "a"), "shop") is None
    assert ref_of(index, "two", "a", package="shop") == "model.two.a"


def test_ref_without_a_version_means_the_latest_one(shop_index: ProjectIndex) -> None:
    assert ref_of(shop_index, "prices") == "model.jaffle_shop.prices.v2"
    assert ref_of(shop_index, "prices", v=1) == "model.jaffle_shop.prices.v1"
    assert ref_of(shop_index, "prices", version="3") == "model.jaffle_shop.prices.v3"
    assert ref_of(shop_index, "prices", v=4) is None
    assert ref_of(shop_index, "prices", v=None) is None


def test_a_missing_model_is_reported_with_a_similar_name(shop_index: ProjectIndex) -> None:
    problem = shop_index.problem(call("ref", "ordes"), "jaffle_shop")
    assert problem is not None
    assert "'ordes' not found" in problem[0]
    assert problem[1] is not None
    assert "'orders'" in problem[1]


@pytest.mark.parametrize(
    "given",
    [
        call("ref"),
        call("ref", None),
        call("ref", "jaffle_shop", None),
        call("source", "crm"),
        call("var", "x"),
    ],
)
def test_a_call_that_is_unfinished_or_computed_is_not_a_problem(
    shop_index: ProjectIndex, given: TagCall
) -> None:
    assert shop_index.ref(given, "jaffle_shop") is None
    assert shop_index.problem(given, "jaffle_shop") is None


def test_a_source_and_a_model_of_the_same_name_are_two_nodes(shop_index: ProjectIndex) -> None:
    source = shop_index.source(call("source", "crm", "customers"))
    assert source is not None
    assert source.unique_id == "source.jaffle_shop.crm.customers"
    assert ref_of(shop_index, "customers") == "model.jaffle_shop.customers"
    problem = shop_index.problem(call("source", "crm", "custmers"), "jaffle_shop")
    assert problem == ("Source 'crm' has no table 'custmers'", "did you mean 'customers'?")
    assert shop_index.problem(call("source", "crm", "customers"), "jaffle_shop") is None


def test_this_is_the_model_of_the_file(shop_index: ProjectIndex) -> None:
    orders = shop_index.node("model.jaffle_shop.orders")
    assert shop_index.relation(call("this"), "jaffle_shop", orders) is orders
    assert shop_index.relation(call("this"), "jaffle_shop", None) is None
    assert shop_index.relation(None, "jaffle_shop", orders) is None
    found = shop_index.relation(call("ref", "customers"), "jaffle_shop", orders)
    assert found is not None
    assert found.name == "customers"


def test_a_file_is_that_of_its_model_and_back_also_in_an_installed_package(shop_index: ProjectIndex) -> None:
    for unique_id, path in {
        "model.jaffle_shop.orders": "models/marts/orders.sql",
        "model.jaffle_shop.prices.v1": "models/marts/prices_v1.sql",
        "model.tools.stg_orders": "dbt_packages/tools/models/stg_orders.sql",
        "test.jaffle_shop.orders_are_paid_once": "tests/orders_are_paid_once.sql",
    }.items():
        node = shop_index.node_of_file(shop_index.root / path)
        assert node is not None
        assert node.unique_id == unique_id
        assert shop_index.file_of(node) == shop_index.root / path
    assert shop_index.node_of_file(shop_index.root / "models/missing.sql") is None
    assert shop_index.node_of_file(shop_index.root / "macros/cents_to_dollars.sql") is None


def test_a_seed_and_a_source_have_the_file_that_defines_them(shop_index: ProjectIndex) -> None:
    seed = shop_index.names["seed.jaffle_shop.raw_orders"]
    assert shop_index.file_of(seed) == shop_index.root / "seeds/raw_orders.csv"
    source = shop_index.names["source.jaffle_shop.crm.customers"]
    assert shop_index.file_of(source) == shop_index.root / "models/sources.yml"


def test_a_file_is_found_through_a_symbolic_link_to_the_project(
    shop_index: ProjectIndex, tmp_path: Path
) -> None:
    link = tmp_path / "link"
    link.symlink_to(shop_index.root)
    for index in (shop_index, ProjectIndex(shop_index.reader, link)):
        for root in (shop_index.root, link):
            node = index.node_of_file(root / "models/marts/orders.sql")
            assert node is not None
            assert node.name == "orders"


def test_a_file_with_two_snapshots_has_no_single_node(
    write_project: WriteProject, record_project: RecordProject
) -> None:
    config = "{{ config(unique_key='id', strategy='check', check_cols='all') }}"
    block = "{% snapshot NAME %}" + config + "select 1 as id{% endsnapshot %}"
    both = block.replace("NAME", "one") + block.replace("NAME", "two")
    root = write_project({"models/a.sql": "select 1 as id", "snapshots/both.sql": both})
    index = record_project(root)
    assert {"snapshot.shop.one", "snapshot.shop.two"} <= index.names.keys()
    assert index.node_of_file(root / "snapshots/both.sql") is None


def test_packages_are_found_in_the_folder_that_the_project_names(
    write_project: WriteProject, record_project: RecordProject
) -> None:
    root = write_project(
        {
            "dbt_project.yml": "name: shop\npackages-install-path: vendor\n",
            "models/a.sql": "select 1 as id",
            "vendor/some_folder/dbt_project.yml": "name: tools",
            "vendor/some_folder/models/b.sql": "select 1 as id",
        }
    )
    index = record_project(root)
    assert index.settings is not None
    assert index.settings.folders == {"tools": root / "vendor/some_folder"}


def test_a_macro_is_that_of_its_own_package_then_of_the_project(shop_index: ProjectIndex) -> None:
    def package_of(name: str, package: str) -> str | None:
        found = shop_index.macro(name, package)
        return found.package_name if found is not None else None

    assert package_of("cents_to_dollars", "jaffle_shop") == "jaffle_shop"
    assert package_of("cents_to_dollars", "tools") == "tools"
    assert package_of("tools.cents_to_dollars", "jaffle_shop") == "tools"
    assert package_of("jaffle_shop.cents_to_dollars", "tools") == "jaffle_shop"
    assert package_of("shout", "jaffle_shop") is None
    assert package_of("tools.missing", "jaffle_shop") is None


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("cents_to_dollars", "macros/cents_to_dollars.sql"),
        ("tools.shout", "dbt_packages/tools/macros/shout.sql"),
        ("tools.cents_to_dollars", "dbt_packages/tools/macros/shout.sql"),
        ("test_not_negative", "macros/test_not_negative.sql"),
    ],
)
def test_the_definition_of_a_macro_is_at_its_name(shop_index: ProjectIndex, name: str, path: str) -> None:
    macro = shop_index.macro(name, "jaffle_shop")
    assert macro is not None
    place = shop_index.macro_place(macro)
    assert place is not None
    assert place[0] == shop_index.root / path
    written = place[0].read_text("utf-8")[place[1] :]
    assert written.startswith(f"{macro.name.removeprefix('test_')}(")


def test_a_variable_has_the_value_for_its_package_and_the_line_that_sets_it(shop_index: ProjectIndex) -> None:
    def place_of(name: str, package: str) -> tuple[object, str]:
        found = shop_index.variable(name, package)
        assert found is not None
        value, path, line = found
        assert path is not None
        return value, path.read_text("utf-8").splitlines()[line].strip()

    assert place_of("first_day", "jaffle_shop") == ("2024-01-01", 'first_day: "2024-01-01"')
    assert place_of("first_day", "tools") == ("2024-01-01", 'first_day: "2024-01-01"')
    assert place_of("region", "") == ("europe", "region: europe")
    assert place_of("volume", "tools") == (11, "volume: 11")
    assert place_of("echo", "tools") == (True, "echo: true")
    assert shop_index.variable("region", "tools") is None
    assert shop_index.variable("echo", "jaffle_shop") is None


def test_an_edited_project_file_counts_at_once_and_a_broken_one_does_not(
    write_project: WriteProject, record_project: RecordProject
) -> None:
    root = write_project(
        {"dbt_project.yml": "name: shop\nvars: {day: 1}\n", "models/a.sql": "select 1 as id"}
    )
    index = record_project(root)
    file = root / "dbt_project.yml"
    assert index.variable("day") == (1, file, 1)
    file.write_text("name: shop\n\nvars:\n  day: 22\n")
    assert index.variable("day") == (22, file, 3)
    file.write_text("name: shop\nvars: {day: [\n")
    found = index.variable("day")
    assert found is not None
    assert found[0] == 22


def test_columns_are_those_of_the_sql_the_file_or_the_contract(shop_index: ProjectIndex) -> None:
    orders = shop_index.columns("model.jaffle_shop.orders")
    assert orders.are_all
    assert list(orders.types)[:3] == ["order_id", "customer_id", "store_id"]
    seed = shop_index.columns("seed.jaffle_shop.raw_orders")
    assert seed.are_all
    assert seed.types["ordered_at"] == "timestamp"
    prices = shop_index.columns("model.jaffle_shop.prices.v2")
    assert prices.are_all
    assert dict(prices.types) == {"price_id": "integer", "price": "numeric"}


def test_types_of_columns_that_the_sql_spells_in_another_case_are_known(
    record_project: RecordProject, write_project: WriteProject
) -> None:
    columns = "[{name: ID, data_type: NUMBER}, {name: OLD, data_type: TEXT}]"
    root = write_project(
        {
            "models/a.sql": "select 1 as id",
            "models/a.yml": f"models: [{{name: a, columns: {columns}}}]\n",
        }
    )
    known = record_project(root, dialect="snowflake").columns("model.shop.a")
    assert (known.types, known.are_all) == ({"id": "NUMBER"}, True)


def test_documented_columns_of_a_source_need_not_be_all(shop_index: ProjectIndex) -> None:
    documented = shop_index.columns("source.jaffle_shop.crm.customers")
    assert dict(documented.types) == {"id": "integer", "FullName": "text"}
    assert not documented.are_all
    unknown = shop_index.columns("source.jaffle_shop.crm.contacts")
    assert (dict(unknown.types), unknown.are_all) == ({}, False)
    assert shop_index.columns("model.jaffle_shop.missing").are_all is False


def test_readers_are_models_and_exposures_but_not_tests(shop_index: ProjectIndex) -> None:
    readers = [node.unique_id for node in shop_index.readers("model.jaffle_shop.stg_orders")]
    assert "model.jaffle_shop.orders" in readers
    assert not [unique_id for unique_id in readers if unique_id.startswith("test.")]
    tests = [node.name for node in shop_index.tests("model.jaffle_shop.orders")]
    assert tests == ["orders_are_paid_once"]


def test_readers_of_a_column_have_the_columns_derived_from_it(shop_index: ProjectIndex) -> None:
    readers = shop_index.column_readers("source.jaffle_shop.crm.customers")
    assert readers["id"] == {"model.jaffle_shop.crm_customers": ("customer_id",)}
    assert readers["fullname"] == {"model.jaffle_shop.crm_customers": ("full_name",)}
    payments = shop_index.column_readers("model.jaffle_shop.stg_payments")
    assert payments["payment_method"]["model.jaffle_shop.payment_mix"]
    assert "missing" not in payments


def test_names_that_ref_accepts_are_sorted_and_mean_what_dbt_means(shop_index: ProjectIndex) -> None:
    refs = dict(shop_index.refs("jaffle_shop"))
    assert list(refs) == sorted(refs)
    assert refs["prices"].version == "2"
    assert refs["stg_orders"].package_name == "jaffle_shop"
    assert "crm_customers" in refs
    assert "contacts" not in refs
    assert {name: [node.name for node in nodes] for name, nodes in shop_index.sources().items()} == {
        "crm": ["contacts", "customers"]
    }


def test_a_run_in_memory_answers_the_same_as_one_in_a_store(shop_index: ProjectIndex) -> None:
    project = extract_sql_project(shop_index.root, SqlOptions(environ={}, dialect="duckdb"))
    memory = ProjectIndex(MemoryRunReader(project), shop_index.root)
    for unique_id in shop_index.names:
        assert memory.columns(unique_id) == shop_index.columns(unique_id)
        assert memory.column_readers(unique_id) == shop_index.column_readers(unique_id)
        readers = [node.unique_id for node in shop_index.readers(unique_id)]
        assert [node.unique_id for node in memory.readers(unique_id)] == readers
    names = [(name, node.unique_id) for name, node in shop_index.refs("jaffle_shop")]
    assert [(name, node.unique_id) for name, node in memory.refs("jaffle_shop")] == names
    assert memory.macro("cents_to_dollars", "jaffle_shop") == shop_index.macro(
        "cents_to_dollars", "jaffle_shop"
    )


def test_many_threads_may_read_one_index(shop_index: ProjectIndex) -> None:
    index = ProjectIndex(shop_index.reader, shop_index.root)
    ids = [*shop_index.names] * 3

    def read(unique_id: str) -> tuple[object, ...]:
        node = index.node(unique_id)
        assert node is not None
        return node.name, index.columns(unique_id), index.column_readers(unique_id), index.file_of(node)

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(read, ids))
    assert found == [read(unique_id) for unique_id in ids]
