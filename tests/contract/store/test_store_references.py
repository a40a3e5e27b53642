"""Runs that were analysed before there were references say so, and recording again completes them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta.api import diff as comparing
from recce_meta.api.impact import UNCHECKED, load_impact
from recce_meta.api.record import Tracer, record_run
from recce_meta.models import Project, RunDiff
from recce_meta.models.lineage import ColumnGraph, ImpactView, KnownColumns
from recce_meta.report import impact_json, impact_markdown, impact_text
from recce_meta.store import write
from recce_meta.store.session import init_store
from tests.contract.store.test_store_migrate import old_store, old_version
from tests.contract.store.test_stored_effects import STG, shop

__all__ = ["old_store", "old_version"]
BASE = shop("base-run", "prod")
CURRENT = shop("run-1", "ci", stg=STG.replace("id, customer_id,", "id,"))


def record_as_before(store: Any, project: Project) -> None:
    """Record *project* with the column lineage that version 3 of the analysis made of it."""

    def analyse(known: KnownColumns) -> ColumnGraph:
        graph = Tracer(project)({})
        ids = {name: lineage_id.partition(".")[2] for name, lineage_id in graph.lineage_ids.items()}
        analyses = {
            lineage_id.partition(".")[2]: replace(columns, references=())
            for lineage_id, columns in graph.analyses.items()
        }
        return ColumnGraph(
            lineage_ids=ids, analyses={key: one for key, one in analyses.items() if key not in known}
        )

    write.record_run(store.adapter.at(store.schema), project, analyse=analyse)


def compared(store: Any) -> RunDiff:
    return comparing.diff(lambda: store.adapter.at(store.schema), "base-run", "run-1", project="shop")


def failing(diff: RunDiff) -> list[str]:
    return sorted(one.name for one in diff.impacted if one.fails)


def reached(store: Any, run: str, target: str) -> ImpactView:
    return load_impact(lambda: store.adapter.at(store.schema), run, target, project="shop")


@pytest.mark.beyond_emulators
@pytest.mark.core("sqlite")
def test_runs_without_references_say_so_until_they_are_recorded_again(store: Any) -> None:
    for project in (BASE, CURRENT):
        record_as_before(store, project)
    before = compared(store)
    view = reached(store, "base-run", "stg.customer_id")

    # Without references, edited SQL is checked by itself, and DuckDB refuses readers that name what is gone.
    assert failing(before) == ["daily", "open_orders", "unioned"]
    assert [note.partition(":")[0] for note in before.notes] == [
        "References not checked in base",
        "References not checked in current",
    ]
    assert view.fails is None
    assert view.notes == (UNCHECKED,)
    assert UNCHECKED[:40] in impact_text(view, width=100, color=False)
    assert UNCHECKED[:22] in impact_markdown(view)
    assert json.loads(impact_json(view))["fails"] is None

    for project in (BASE, CURRENT):
        record_run(store.adapter.at(store.schema), project)
    after, view = compared(store), reached(store, "base-run", "stg.customer_id")

    assert (failing(after), after.notes) == (["daily", "open_orders", "unioned"], ())
    assert (sorted(one.name for one in view.fails or ()), view.notes) == (
        ["daily", "open_orders", "unioned"],
        (),
    )


@pytest.mark.beyond_emulators
@pytest.mark.core("sqlite")
def test_a_new_run_of_the_same_graph_does_not_take_over_outdated_columns(store: Any) -> None:
    record_as_before(store, BASE)
    record_run(store.adapter.at(store.schema), shop("run-2", "prod"))

    assert reached(store, "run-2", "stg.customer_id").fails


@pytest.mark.without_store
@pytest.mark.beyond_emulators
@pytest.mark.parametrize("old_version", [pytest.param(4, marks=pytest.mark.extensive), 5], indirect=True)
@pytest.mark.core("duckdb")
def test_a_run_of_an_old_store_says_that_references_were_not_checked(
    old_store: Any, old_version: int
) -> None:
    init_store(old_store.adapter.at(old_store.schema))
    view = reached(old_store, "run-1", "raw.id")

    assert (view.fails, view.notes) == (None, (UNCHECKED,))
