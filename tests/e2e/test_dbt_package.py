"""Runs that the dbt package records, held against what `record` makes of the same invocation's artifacts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from recce_meta import UnifiedSqlAdapter, detect_changes
from recce_meta.models import Project
from recce_meta.store.read import list_runs, load_project
from recce_meta.store.session import open_store
from recce_meta.store.write import RecordResult, record_run
from tests.e2e.dbt_shop import DATA, Place, as_recorder, on_duckdb, on_postgres

pytestmark = pytest.mark.dbt

DIFFERENCES = yaml.safe_load((DATA / "differences.yml").read_text(encoding="utf-8"))
BOTH = ("duckdb", "postgres")


@dataclass(frozen=True)
class Twice:
    """Two invocations of dbt, each recorded by the package and by the CLI into one store."""

    package: tuple[Project, ...]
    cli: tuple[Project, ...]
    written: tuple[RecordResult, ...]
    """What the CLI's recording wrote, after the package's."""
    said: tuple[str, ...]
    """What dbt said."""


@pytest.fixture(scope="module")
def postgres_place(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The shop on PostgreSQL, in schemas of its own, built by a recorder."""
    folder = tmp_path_factory.mktemp("postgres")
    with on_postgres(postgres_url, folder) as place, as_recorder(place) as recorder:
        yield recorder


@pytest.fixture(scope="module")
def duckdb_place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The shop on a DuckDB file that every DuckDB 1.x can open."""
    return on_duckdb(tmp_path_factory.mktemp("duckdb"))


@pytest.fixture(scope="module")
def postgres(postgres_place: Place) -> Twice:
    """Both invocations on PostgreSQL, recorded."""
    return _recorded_twice(postgres_place)


@pytest.fixture(scope="module")
def duckdb(duckdb_place: Place) -> Twice:
    """Both invocations on DuckDB, recorded."""
    return _recorded_twice(duckdb_place)


@pytest.fixture(params=BOTH)
def twice(request: pytest.FixtureRequest) -> Twice:
    """Both warehouses in turn."""
    found: Twice = request.getfixturevalue(request.param)
    return found


def _recorded_twice(place: Place) -> Twice:
    shop = place.shop
    said = [shop.dbt("build", "--vars", place.variables())]
    results = [_record(place, "cli-1")]
    shop.edit("models/marts/orders.sql", "where id is not null", "where id > 0")
    shop.edit("models/models.yml", "description: The key", "description: Its key")
    shop.edit("macros/cents.sql", "* 100)", "* 100.0)")
    (shop.folder / "analyses" / "top.sql").unlink()
    said.append(shop.dbt("build", "--vars", place.variables()))
    results.append(_record(place, "cli-2"))
    with UnifiedSqlAdapter.from_url(place.url) as adapter:
        runs = {run.run_id: run for run in list_runs(adapter.at(place.schema))}
        by_package = sorted(
            (run for run in runs.values() if run.environment == "dbt"), key=lambda run: run.run_at
        )
        with open_store(adapter.at(place.schema)) as store:
            package = tuple(load_project(store, run) for run in by_package)
            cli = tuple(load_project(store, runs[name]) for name in ("cli-1", "cli-2"))
    return Twice(package, cli, tuple(results), tuple(said))


def _record(place: Place, run_id: str) -> RecordResult:
    with UnifiedSqlAdapter.from_url(place.url) as adapter:
        return record_run(adapter.at(place.schema), place.shop.artifacts(run_id=run_id))


def test_each_invocation_is_recorded_once_though_the_hook_runs_twice(twice: Twice) -> None:
    assert len(twice.package) == 2
    assert all(said.count("is recorded already") == 1 for said in twice.said)


def test_a_run_is_described_alike(twice: Twice) -> None:
    differing = _differing(twice, lambda project: {"run": project.run})
    assert set(differing) == set(DIFFERENCES["run"])


def test_nodes_and_groups_are_the_same_in_every_field(twice: Twice) -> None:
    differing = _differing(twice, lambda project: _by_id((*project.nodes, *project.groups)))
    allowed = {field: f"{kind}." for kind, fields in DIFFERENCES["nodes"].items() for field in fields}
    assert set(differing) == set(allowed)
    for field, subjects in differing.items():
        assert all(subject.startswith(allowed[field]) for subject in subjects), (field, subjects)


def test_macros_are_the_same(twice: Twice) -> None:
    assert len(twice.package[0].macros) > 500
    assert not _differing(twice, lambda project: _by_id(project.macros))
    assert [one.run.macro_set_id for one in twice.package] == [one.run.macro_set_id for one in twice.cli]


def test_results_are_the_same_but_for_those_of_hooks(twice: Twice) -> None:
    differing = _differing(twice, lambda project: _by_id(project.results))
    assert list(differing) == ["present"]
    assert all(subject.startswith("operation.") for subject in differing["present"])


def test_both_ways_share_the_versions_of_all_nodes_but_seeds(twice: Twice) -> None:
    seeds = len([node for node in twice.cli[0].nodes if node.resource_type == "seed"])
    assert [result.written for result in twice.written] == [True, True]
    assert twice.written[0].versions_written == seeds
    assert twice.written[1].versions_written == 0  # the seed's is there from the first time
    assert [result.macros_written for result in twice.written] == [0, 0]


def test_a_run_recorded_in_one_way_does_not_differ_from_the_same_recorded_in_the_other(twice: Twice) -> None:
    for package, cli in zip(twice.package, twice.cli, strict=True):
        assert detect_changes(package, cli) == {}
        assert detect_changes(cli, package) == {}


def test_an_edit_is_the_same_change_whichever_way_each_side_was_recorded(twice: Twice) -> None:
    expected = detect_changes(*twice.cli)
    assert {"model.shop.orders", "model.shop.stg_orders", "analysis.shop.top"} <= set(expected)
    assert detect_changes(*twice.package) == expected
    assert detect_changes(twice.package[0], twice.cli[1]) == expected
    assert detect_changes(twice.cli[0], twice.package[1]) == expected


def test_what_dbt_documents_is_enough_for_the_same_changes(duckdb: Twice, duckdb_place: Place) -> None:
    place = duckdb_place
    said = place.shop.dbt(
        "build", "--vars", place.variables(recce_meta_internals=False, recce_meta_schema="plain")
    )
    assert "recorded: " in said
    _record(Place(place.shop, place.url, "plain"), "cli-3")
    with UnifiedSqlAdapter.from_url(place.url) as adapter:
        runs = {run.environment: run for run in list_runs(adapter.at("plain"))}
        with open_store(adapter.at("plain")) as store:
            package, cli = load_project(store, runs["dbt"]), load_project(store, runs["cli"])
    documented = DIFFERENCES["documented"]
    differing = _fields_that_differ(_by_id(package.nodes), _by_id(cli.nodes))
    allowed = {field for fields in documented["nodes"].values() for field in fields}
    assert set(differing) == allowed | {"present"}
    assert {subject.split(".")[0] for subject in differing["present"]} == set(documented["absent"])
    assert differing["compiled_code"] == ["model.shop.int_orders"]
    assert not package.macros
    changes = detect_changes(package, cli)
    disabled = {"model.shop.retired"}
    assert {unique_id.split(".")[0] for unique_id in changes.keys() - disabled} == set(documented["absent"])
    assert disabled <= changes.keys()


def _differing(twice: Twice, parts: Any) -> dict[str, list[str]]:
    """The fields in which any run's *parts* (name: value) differ between both ways, with whose they are."""
    found: dict[str, list[str]] = {}
    for package, cli in zip(twice.package, twice.cli, strict=True):
        for field, subjects in _fields_that_differ(parts(package), parts(cli)).items():
            found.setdefault(field, []).extend(subjects)
    return found


def _fields_that_differ(left: Mapping[str, Any], right: Mapping[str, Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in sorted(left.keys() | right.keys()):
        if name not in left or name not in right:
            found.setdefault("present", []).append(name)
            continue
        for field in left[name].__struct_fields__:
            if getattr(left[name], field) != getattr(right[name], field):
                found.setdefault(field, []).append(name)
    return found


def _by_id(things: Any) -> dict[str, Any]:
    return {thing.unique_id: thing for thing in things}
