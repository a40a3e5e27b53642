"""SQL that cannot be parsed: its node stays, with its parents, and is part of every parent's impact."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from msgspec.structs import replace

import recce_meta.demo_data
from recce_meta import extract_project
from recce_meta.api.impact import impact_in
from recce_meta.api.record_sql import SqlOptions, extract_sql_project
from recce_meta.api.run_reader import MemoryRunReader
from recce_meta.models import Project
from recce_meta.models.change import Category
from recce_meta.models.lineage import Direction
from recce_meta.sql_diff import compare_sql
from tests.contract.extractors.samples.places import Place, place


@pytest.fixture
def postgres(tmp_path: Path, postgres_url: str) -> Iterator[Place]:
    with place("postgres", tmp_path, postgres_url, sample=False) as made:
        schema = f"odd_{uuid4().hex[:8]}"
        made.run(f"CREATE SCHEMA {schema}", f"SET search_path = {schema}")
        yield made._replace(schema=schema)
        made.run(f"DROP SCHEMA {schema} CASCADE")


@pytest.fixture
def duckdb_file(tmp_path: Path) -> Iterator[Place]:
    with place("duckdb", tmp_path, None, sample=False) as made:
        yield made


def impact_of(project: Project, target: str) -> dict[str, tuple[float, bool]]:
    """Return the confidence of each node that is affected, and if there is a reason why it is not known."""
    view = impact_in(MemoryRunReader(project), target, Direction.DOWNSTREAM, None)
    return {
        node.name.rpartition(".")[2]: (node.confidence, bool(node.reason and "does not parse" in node.reason))
        for node in view.nodes
        if node.distance
    }


def parents(project: Project, name: str) -> tuple[str, ...]:
    (node,) = (node for node in project.nodes if node.name == name)
    return node.parents


def test_a_view_in_postgres_has_the_parents_that_the_catalog_says(postgres: Place) -> None:
    postgres.run(
        "CREATE TABLE t (a int, b int, x xml)",
        "CREATE TABLE u (a int, c int)",
        "CREATE VIEW checked AS SELECT xmlexists('//a' PASSING BY REF t.x) AS ok, t.a"
        " FROM t JOIN u USING (a) AS j",
        "CREATE VIEW boxes AS SELECT '(2,2),(1,1)'::box ?# '(2,2),(1,1)'::box AS z, c FROM u",
        "CREATE VIEW further AS SELECT a FROM checked",
    )

    project, schema = postgres.scan(), postgres.schema

    assert parents(project, "checked") == (f"relation.{schema}.t", f"relation.{schema}.u")
    assert parents(project, "boxes") == (f"relation.{schema}.u",)
    assert [warning.partition(":")[0] for warning in project.warnings] == [
        f"View {schema}.boxes is not understood",
        f"View {schema}.checked is not understood",
    ]
    assert all(warning.endswith("its parents come from the catalog") for warning in project.warnings)
    assert impact_of(project, f"{schema}.u.c") == {
        "boxes": (0.5, True), "checked": (0.5, True), "further": (0.5, False),
    }  # fmt: skip


def test_a_view_in_duckdb_has_the_parents_that_it_names(duckdb_file: Place) -> None:
    duckdb_file.run(
        "CREATE TABLE basket (id INTEGER, price INTEGER)",
        "CREATE TABLE other (id INTEGER)",
        "CREATE VIEW coded AS WITH other AS (SELECT 1 AS id) SELECT X'ab' AS z, b.id FROM basket b, other",
        "CREATE VIEW further AS SELECT id FROM coded",
    )

    project = duckdb_file.scan()

    assert parents(project, "coded") == ("relation.main.basket",)
    assert [warning.partition(":")[0] for warning in project.warnings] == [
        "View main.coded is not understood"
    ]
    assert impact_of(project, "basket.price") == {"coded": (0.5, True), "further": (0.5, False)}


FILES = {
    "base.sql": "create view stg as select a, b, x from raw.t;",
    "bad.sql": "select a from stg join zz !!@ ) broken where a > 1",
    "two.sql": "create table checked as select xmlexists('//a' passing by ref x) as ok, a from stg;\n"
    "create table further as select ok from checked;\n",
    "open.sql": "create view open_string as select 'it, a from stg where a in (select c from raw.u)",
    "call.sql": "call something(); grant select on stg to ann;",
}


@pytest.fixture
def plain(tmp_path: Path) -> Project:
    for name, text in FILES.items():
        (tmp_path / "shop").mkdir(exist_ok=True)
        (tmp_path / "shop" / name).write_text(text)
    return extract_sql_project(tmp_path / "shop", SqlOptions(environ={}, dialect="postgres"))


def test_a_file_of_sql_that_does_not_parse_stays_a_node_with_the_parents_that_it_names(
    plain: Project,
) -> None:
    found = {node.unique_id: node.parents for node in plain.nodes if node.resource_type == "model"}

    assert found == {
        "model.shop.bad": ("model.shop.stg", "source.shop.default.zz"),
        "model.shop.checked": ("model.shop.stg",),
        "model.shop.further": ("model.shop.checked",),
        "model.shop.open_string": (),
        "model.shop.stg": ("source.shop.raw.t",),
    }
    assert [warning.partition(":")[0] for warning in plain.warnings] == ["bad.sql", "open.sql", "two.sql"]
    assert all(" is not understood: " in warning for warning in plain.warnings)


def test_what_does_not_parse_is_part_of_the_impact_of_its_parents(plain: Project) -> None:
    assert impact_of(plain, "stg.b") == {"bad": (0.5, True), "checked": (0.5, True), "further": (0.5, False)}


def test_an_edit_of_what_does_not_parse_is_never_called_no_change() -> None:
    for text in FILES.values():
        edited = compare_sql(text, text.replace(" a ", " b ").replace(",a", ",b") + " and b > 1", "postgres")

        assert edited.category in (Category.UNKNOWN, Category.BREAKING)


def test_a_model_of_dbt_that_does_not_parse_stays_in_the_impact_of_its_parents() -> None:
    project = extract_project(Path(recce_meta.demo_data.__file__).parent / "current")
    nodes = [
        replace(node, compiled_code=f"{node.compiled_code} !! ((") if node.name == "orders" else node
        for node in project.nodes
    ]

    found = impact_of(replace(project, nodes=tuple(nodes)), "stg_orders.order_id")

    assert found["orders"] == (0.5, True)
    assert found["daily_revenue"] == (0.5, False)
