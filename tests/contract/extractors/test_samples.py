"""The sample databases: a scan tells what the server tells in other ways, and what its views read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from recce_meta import UnifiedSqlAdapter
from recce_meta.adapter.adapter import OpenLink
from recce_meta.api.scan import scan
from recce_meta.extractors.database import ScanScope
from recce_meta.models import Project
from recce_meta.models.lineage import NodeColumns
from recce_meta.sql_lineage.project.columns import analyse_project
from recce_meta.warehouses.catalog import Part, catalog_of
from tests.contract.extractors.samples import oracles
from tests.contract.extractors.samples.oracles import Told
from tests.contract.extractors.samples.places import Place, place

TABLES = (
    "Invoice Line, actor, album, artist, category, customer, film, film_actor, film_category, language, "
    "payment, rental, staff, store, track"
).split(", ")

READS = {
    "film_list": {"film", "film_category", "category", "film_actor", "actor"},
    "cheap_films": {"film_list"},
    "sales_by_day": {"payment"},
    "titles": {"film", "album"},
    "Lines in Full": {"Invoice Line", "track"},
    "sales_by_store": {"payment", "customer"},
    "results": {"budget", "sales_by_day"},
}

# column of a view: what it is, and the columns that it comes from.
COLUMNS = {
    "film_list": {
        "fid": ("renamed", {"film.film_id"}),
        "title": ("passthrough", {"film.title"}),
        "category": ("renamed", {"category.name"}),
        "price": ("renamed", {"film.rental_rate"}),
        "actors": ("aggregated", {"actor.first_name", "actor.last_name"}),
    },
    "cheap_films": {
        "film": ("renamed", {"film_list.title"}),
        "price_in_cents": ("derived", {"film_list.price"}),
    },
    "sales_by_day": {
        "paid_on": ("passthrough", {"payment.paid_on"}),
        "payments": ("aggregated", set()),
        "total": ("aggregated", {"payment.amount"}),
    },
    "titles": {"title": ("passthrough", {"film.title", "album.title"}), "kind": ("constant", set())},
    "Lines in Full": {
        "Line No.": ("passthrough", {"Invoice Line.Line No."}),
        "name": ("passthrough", {"track.name"}),
        "Price": ("derived", {"Invoice Line.quantity", "track.unit_price"}),
    },
    "sales_by_store": {
        "store_id": ("passthrough", {"customer.store_id"}),
        "total": ("aggregated", {"payment.amount"}),
    },
    "results": {
        "Year": ("passthrough", {"budget.Year"}),
        "planned": ("passthrough", {"budget.planned"}),
        "total": ("passthrough", {"sales_by_day.total"}),
    },
}

OF_FILM_LIST = {
    *("group film.film_id", "group film.title", "group film.rental_rate", "group category.name"),
    *("join film.film_id", "join film_category.film_id", "join film_category.category_id"),
    *("join category.category_id", "join film_actor.film_id", "join film_actor.actor_id"),
    "join actor.actor_id",
}

ORACLES = {
    "duckdb": (oracles.duckdb,),
    "sqlite": (oracles.sqlite, oracles.inspected),
    "mysql": (oracles.mysql, oracles.inspected),
    "postgres": (oracles.postgres, oracles.inspected),
}


class Sample(NamedTuple):
    """A sample database, and what was scanned of it."""

    place: Place
    project: Project
    told: Told


@pytest.fixture(scope="module", params=ORACLES)
def sample(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sample]:
    """Each database with its sample."""
    name = request.param
    server = request.getfixturevalue(f"{name}_url") if name in ("mysql", "postgres") else None
    with place(name, tmp_path_factory.mktemp(name), server) as made:
        project = made.scan()
        yield Sample(made, project, oracles.scanned(project.nodes, made.schema))


def test_whatever_is_there_is_told(sample: Sample) -> None:
    views = READS.keys() - ({"results"} | ({"sales_by_store"} if sample.place.name != "postgres" else set()))

    assert sample.told.tables is not None
    assert set(TABLES) <= sample.told.tables
    assert sample.told.views == views
    assert sample.project.warnings == ()


def test_a_scan_agrees_with_what_the_server_tells_in_other_ways(sample: Sample) -> None:
    compared = 0
    for oracle in ORACLES[sample.place.name]:
        told = oracle(sample.place)
        for field in Told.__struct_fields__:
            expected, found = getattr(told, field), getattr(sample.told, field)
            if expected is None:
                continue
            if field in ("views", "columns") and sample.place.name == "postgres":
                # The standard knows no materialized views.
                assert {"sales_by_store"} == set(found) - set(expected)
                found = {key: found[key] for key in expected} if field == "columns" else found & expected
            assert found == expected, (oracle.__name__, field)
            compared += len(expected)

    assert compared > 120


def test_every_kind_of_constraint_is_there(sample: Sample) -> None:
    told = sample.told
    assert told.foreign_keys is not None
    assert told.primary_keys is not None
    assert told.uniques is not None
    assert told.checks is not None

    assert len(told.primary_keys) >= len(TABLES)
    assert told.primary_keys["Invoice Line"] == ("Invoice", "Line No.")
    assert ("category", ("parent_id",), "category", ("category_id",)) in told.foreign_keys
    assert ("staff", ("manager_id",), "staff", ("staff_id",)) in told.foreign_keys
    assert ("customer", ("store_id", "email")) in told.uniques
    # A table with partitions has no foreign keys in MariaDB, and payment has two elsewhere.
    assert len(told.foreign_keys) == (14 if sample.place.name == "mysql" else 16)
    assert {name: told.checks[name] for name in ("film", "rental")} == {
        "film": 3 if sample.place.name == "sqlite" else 2,
        "rental": 1,
    }


def test_views_read_what_they_name_and_foreign_keys_are_no_lineage(sample: Sample) -> None:
    names = {node.unique_id: node.name for node in sample.project.nodes}
    read = {
        node.name: {names[parent] for parent in node.parents} for node in sample.project.nodes if node.parents
    }

    assert read == {name: READS[name] for name in read}
    assert read.keys() >= sample.told.views if sample.told.views else False


def test_columns_of_views_come_from_columns(sample: Sample) -> None:
    graph = analyse_project(sample.project)
    names = {node.unique_id: node.name for node in sample.project.nodes}
    found: dict[str, NodeColumns] = {
        names[unique_id]: graph.analyses[lineage_id] for unique_id, lineage_id in graph.lineage_ids.items()
    }

    assert graph.warnings == ()
    for view in READS.keys() & found.keys():
        outputs: dict[str, Any] = {
            output.name: (
                output.kind.value,
                {f"{names[source.parent]}.{source.column}" for source in output.sources},
            )
            for output in found[view].outputs
        }
        assert outputs == COLUMNS[view], view
    uses = {f"{use.usage.value} {names[use.parent]}.{use.column}" for use in found["film_list"].uses}
    assert uses == OF_FILM_LIST


def test_compiled_code_is_a_query_with_the_columns_of_the_view(sample: Sample) -> None:
    views = [node for node in sample.project.nodes if node.compiled_code]
    assert len(views) >= 5

    for view in views:
        described = sample.place.adapter.describe(str(view.compiled_code))
        assert [name for name, _ in described] == [column.name for column in view.columns], view.name


@pytest.mark.extensive
def test_a_recorded_scan_is_queried_and_a_second_one_differs_in_nothing(
    sample: Sample, tmp_path: Path
) -> None:
    with UnifiedSqlAdapter.from_url(f"duckdb:///{tmp_path / 'store.duckdb'}") as store:
        scope = ScanScope(schemas=(sample.place.schema,))
        first, second = (scan(sample.place.adapter, store=store, scope=scope) for _ in range(2))
        edges = store.execute(
            "SELECT DISTINCT node_id, column_name, parent_id, parent_column"
            " FROM recce_metadata.column_lineage WHERE parent_id IS NOT NULL"
        )[1]
        keys = store.execute(
            f"SELECT node_id, columns, parent_id, parent_columns FROM recce_metadata.foreign_keys"
            f" WHERE run_id = '{second.run.run_id}'"
        )[1]

    names = {node.unique_id: node.name for node in sample.project.nodes}
    views = READS.keys() & (sample.told.views or set())
    assert {(names[node], column, f"{names[parent]}.{name}") for node, column, parent, name in edges} == {
        (view, column, source)
        for view in views
        for column, (_, sources) in COLUMNS[view].items()
        for source in sources
    }
    assert {
        (names[node], tuple(_list(columns)), names[parent], tuple(_list(others)))
        for node, columns, parent, others in keys
    } == sample.told.foreign_keys
    assert first.is_new
    assert second.diff is not None
    assert second.diff.changes == ()


def _list(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def test_a_scan_has_as_many_statements_as_there_are_parts(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    run = OpenLink.run

    def counted(self: OpenLink, sql: str, *arguments: Any, **options: Any) -> Any:
        sent.append(sql)
        return run(self, sql, *arguments, **options)

    monkeypatch.setattr(OpenLink, "run", counted)
    sample.place.scan()

    own = catalog_of(sample.place.adapter.warehouse).settings
    assert len([sql for sql in sent if sql not in own]) == len(Part)
