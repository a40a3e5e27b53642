"""`impact` and the view `column_impact` say the same of every column of a recorded run."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.impact import impact_in, load_impact, surroundings
from recce_meta.api.record import Tracer
from recce_meta.api.run_reader import MemoryRunReader, RunReader, StoredRunReader
from recce_meta.extractors.git import GitState
from recce_meta.extractors.project import extract_project
from recce_meta.models.change import Reach
from recce_meta.models.lineage import Direction
from recce_meta.sql_lineage.impact import COLUMNS, ROWS, ColumnRef, walk
from recce_meta.store import sql_files
from recce_meta.store.columns import columns_of
from recce_meta.store.select import resolve_run
from recce_meta.store.session import open_store
from recce_meta.store.write import record_run
from tests.contract.store.conftest import adapter, database, schema, store
from tests.support.impact_shop import (
    AFTER,
    ANALYSES,
    EPH,
    EXPOSURE,
    NODES,
    ODD,
    ORDERS,
    OTHER_TEST,
    RAW,
    SHOP,
    TEST,
    GivenLineage,
    analyse,
    node,
)

__all__ = ["adapter", "database", "schema", "store"]
ARTIFACTS = Path(__file__).parents[2] / "data" / "artifacts" / "generated" / "jaffle_ext_full" / "dbt_1.10"
Reached = dict[tuple[str, str | None, str], tuple[int, float]]
"""Distance and confidence by node, column and reach."""


@pytest.fixture
def shop(adapter: UnifiedSqlAdapter, schema: str) -> UnifiedSqlAdapter:
    """The small shop, recorded with the columns above."""
    record_run(adapter.at(schema), SHOP, analyse=analyse)
    return adapter


def of_the_view(adapter: UnifiedSqlAdapter, schema: str) -> dict[tuple[str, str | None], Reached]:
    """What the view says of every column that it knows, and of every node's rows."""
    place = adapter.quote_table(adapter.warehouse.folded(schema), adapter.warehouse.folded("column_impact"))
    _, rows = adapter.execute(
        f"SELECT node_id, column_name, impacted_id, impacted_column, reach, distance, confidence FROM {place}"
    )
    found: dict[tuple[str, str | None], Reached] = {}
    for node_id, column, impacted_id, impacted_column, reach, distance, confidence in rows:
        places = found.setdefault((node_id, column), {})
        places[impacted_id, impacted_column, reach] = (int(distance), float(confidence))
    return found


def of_the_cookbook(
    adapter: UnifiedSqlAdapter, schema: str, environment: str, node_id: str, column: str
) -> Reached:
    """What the question answers when its reader edits it as it says."""
    (file,) = [one for one in sql_files.cookbook(adapter.warehouse.name) if one.name == "what_a_column_feeds"]
    (statement,) = file.statements(adapter.quote_identifier(adapter.warehouse.folded(schema)))
    chosen = f"parent_id = '{node_id}' AND parent_column = '{column}'"
    assert statement.count("place = 1") == 1
    statement = statement.replace("'base'", f"'{environment}'").replace("place = 1", chosen)
    return {
        (row[2], row[3], "columns" if row[4] == "value" else row[4]): (int(row[5]), float(row[6]))
        for row in adapter.execute(statement)[1]
    }


def failing_by_the_cookbook(
    adapter: UnifiedSqlAdapter, schema: str, environment: str, node_id: str, column: str
) -> dict[str, tuple[int, float]]:
    """Distance and confidence by node of what fails without a column, by the question of the cookbook."""
    cookbook = sql_files.cookbook(adapter.warehouse.name)
    (file,) = [one for one in cookbook if one.name == "what_fails_without_a_column"]
    (statement,) = file.statements(adapter.quote_identifier(adapter.warehouse.folded(schema)))
    chosen = f"parent_id = '{node_id}' AND parent_column = '{column}'"
    statement = statement.replace("'base'", f"'{environment}'").replace("place = 1", chosen)
    return {row[2]: (int(row[3]), float(row[4])) for row in adapter.execute(statement)[1]}


def of_the_command(lineage: RunReader, asked: Collection[tuple[str, str | None]]) -> dict[Any, Reached]:
    """The same of the walks behind `recce-meta impact`; nothing of what nothing reads."""
    answers = {}
    steps = {one: surroundings(lineage, one, Direction.DOWNSTREAM).steps for one in {one for one, _ in asked}}
    for unique_id, column in asked:
        start = ColumnRef(unique_id, COLUMNS, column) if column is not None else ColumnRef(unique_id, ROWS)
        found = walk([start], steps[unique_id])
        reached = {
            (place.unique_id, place.column, place.reach): (distance, found.confidences[place])
            for place, distance in found.distances.items()
            if distance > 0
        }
        if reached:
            answers[unique_id, column] = reached
    return answers


def test_the_view_and_the_command_agree_on_every_column_of_a_small_shop(
    shop: UnifiedSqlAdapter, schema: str
) -> None:
    asked = {(unique_id, name) for unique_id, columns in ANALYSES.items() for name in columns.names}
    asked |= {(one.unique_id, None) for one in NODES}
    run = resolve_run(shop.at(schema), "shop")
    stored_run = StoredRunReader(shop.at(schema), run)
    with stored_run.session():
        expected = of_the_command(stored_run, asked)
    view = of_the_view(shop, schema)

    assert {place: known_to_dbt(view.get(place, {})) for place in expected} == {
        place: known_to_dbt(reached) for place, reached in expected.items()
    }
    # By a relation that dbt does not know of, rows go in the command alone: `lineage` has no such edge.
    assert expected[AFTER, None] == {(ODD, None, "rows"): (1, 1.0)}
    assert view[RAW, "Cents"][ORDERS, "total", "columns"] == (2, 0.9)
    assert view[RAW, "Cents"][TEST, None, "rows"] == (3, 0.9)
    assert (OTHER_TEST, None, "rows") not in view[RAW, "Cents"]
    assert view[RAW, "Cents"][EXPOSURE, None, "unknown"] == (3, 0.5)
    assert view[RAW, "at"][ODD, "at", "columns"] == (2, 0.9)
    assert view[RAW, "at"][EXPOSURE, None, "rows"] == (4, 0.9)
    assert view[EPH, "amount"][ORDERS, None, "unknown"] == (1, 0.5)

    for target in ("raw", "raw.CENTS", "orders.total", "eph.amount"):
        stored = load_impact(lambda: shop.at(schema), "shop", target, direction=Direction.BOTH)
        assert stored == impact_in(GivenLineage(), target, Direction.BOTH, None)


def known_to_dbt(reached: Reached) -> Reached:
    """*reached* without what goes by the relation that `odd` names in words of its own."""
    return {place: how for place, how in reached.items() if place[0] != ODD or place[1] is not None}


BEYOND_DBT = (
    "model.jaffle_ext.metricflow_time_spine", "seed.jaffle_ext.big_seed", "seed.jaffle_ext.raw_orders",
)  # fmt: skip
"""Nodes with edges that `lineage` lacks: metrics join the spine, and sources have the relations of seeds."""


def within_dbt(answers: dict[Any, Reached]) -> dict[Any, Reached]:
    """*answers* without those of BEYOND_DBT, whose rows go in the command alone."""
    return {place: reached for place, reached in answers.items() if place[0] not in BEYOND_DBT}


@pytest.mark.extensive
@pytest.mark.beyond_emulators
def test_the_view_and_the_command_agree_on_every_column_of_a_real_project(
    adapter: UnifiedSqlAdapter, schema: str
) -> None:
    project = extract_project(ARTIFACTS, git=GitState(), environ={}, run_id="real")
    record_run(adapter.at(schema), project, analyse=Tracer(project))
    view = of_the_view(adapter, schema)
    run = resolve_run(adapter.at(schema), "real")
    with open_store(adapter.at(schema)) as store:
        known = columns_of(store, run)
    lineage = StoredRunReader(adapter.at(schema), run)
    asked = {(unique_id, name) for unique_id, columns in known.items() for name in columns.names}
    asked |= {(unique_id, None) for unique_id in lineage.names}
    with lineage.session():
        stored = of_the_command(lineage, asked)

    assert len(view) > 50
    assert within_dbt(stored) == within_dbt(view)
    assert all(stored[place].items() >= reached.items() for place, reached in view.items() if place in stored)
    payments = "seed.jaffle_ext.raw_payments"
    assert of_the_cookbook(adapter, schema, run.environment, payments, "amount") == view[payments, "amount"]
    # A unit test mocks the inputs of its model.
    tested = "unit_test.jaffle_ext.stg_payments.ut_stg_payments_dollars"
    listed = [start for start, reached in view.items() if any(place[0] == tested for place in reached)]
    assert {unique_id for unique_id, _ in listed} == {"model.jaffle_ext.stg_payments"}
    given = GivenLineage(project.nodes, known)
    for one in sorted(known)[::3]:
        for column in known[one].names:
            asked_for = impact_in(given, f'{one}."{column}"', Direction.DOWNSTREAM, None)
            assert failing_by_the_cookbook(adapter, schema, run.environment, one, column) == {
                node.unique_id: (node.distance, node.confidence) for node in asked_for.fails or ()
            }
    computed = MemoryRunReader(project)
    computed.gaps(computed.names)  # all at once
    assert of_the_command(computed, asked) == stored


@pytest.mark.beyond_emulators
def test_columns_of_a_run_that_was_recorded_without_them_are_looked_at_now(
    adapter: UnifiedSqlAdapter, schema: str
) -> None:
    code = {"compiled_code": 'select id, amount * 2 as double from "main"."raw"'}
    raw = node("source.shop.raw", relation_name='"main"."raw"', identifier="raw", schema_name="main")
    models = [
        raw,
        node("model.shop.doubled", "source.shop.raw", **code),
        node("model.shop.empty", "source.shop.raw"),
    ]
    record_run(adapter.at(schema), replace(SHOP, nodes=tuple(models)))

    view = load_impact(lambda: adapter.at(schema), "latest", "raw.amount")

    reached = {one.name: (one.reach, [column.name for column in one.columns]) for one in view.nodes}
    assert reached["doubled"] == ((Reach.COLUMNS,), ["double"])
    assert reached["empty"] == ((Reach.UNKNOWN,), [])
