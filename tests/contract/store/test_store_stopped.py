"""A recorder that stops after any of its statements leaves no run, whether or not there are transactions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from recce_meta.adapter import Session
from recce_meta.models import Project
from recce_meta.models.lineage import (
    Analyse,
    ColumnGraph,
    ColumnOutput,
    ColumnUse,
    Kind,
    KnownColumns,
    NodeColumns,
    Usage,
)
from recce_meta.store.columns import load_columns
from recce_meta.store.read import list_runs
from recce_meta.store.select import load_run
from recce_meta.store.write import record_run
from tests.proofs import sampled

pytestmark = pytest.mark.emulated

STRIDE = sampled(1, 15)
"""Every how many statements one is the last."""
SENDING = ("query", "execute", "insert_rows")


class Stopped(Exception):
    """The recorder is no more."""


@pytest.mark.core("duckdb")
def test_nothing_is_visible_and_the_next_recorder_completes_it(
    store: Any, make_project: Callable[..., Project], monkeypatch: pytest.MonkeyPatch
) -> None:
    record_run(store.adapter.at(store.schema), make_project("run-first"))
    recorded = ["run-first"]
    for last in range(2, 100, STRIDE):
        wanted = make_project(f"run-{last:03}", changed=(f"m{last % 12:03}",))
        with monkeypatch.context() as patch:
            stop_after(last, patch)
            try:
                record_run(store.adapter.at(store.schema), wanted, analyse=columns_of(wanted))
            except Stopped:
                pass
            else:
                break
        visible = sorted(run.run_id for run in list_runs(store.adapter.at(store.schema)))
        complete = sorted([*recorded, wanted.run.run_id])
        # The row of the run follows all that it needs; its changes, which views compute too, follow it.
        assert visible in (recorded, complete)

        again = record_run(store.adapter.at(store.schema), wanted, analyse=columns_of(wanted))
        assert again.written == (visible == recorded)
        recorded = complete
        loaded = load_run(store.adapter.at(store.schema), wanted.run.run_id)
        assert (loaded.nodes, loaded.macros, loaded.results) == (wanted.nodes, wanted.macros, wanted.results)
        graph = columns_of(wanted)({})
        assert load_columns(store.adapter.at(store.schema), again.run) == {
            unique_id: graph.analyses[lineage_id] for unique_id, lineage_id in graph.lineage_ids.items()
        }
    assert last > 2 * STRIDE
    assert store.scalar("SELECT COUNT(*) FROM {s}.store_version_parents") == store.scalar(
        "SELECT COUNT(*) FROM (SELECT DISTINCT version_id, parent_id FROM {s}.store_version_parents) AS pairs"
    )
    assert store.scalar("SELECT COUNT(*) FROM {s}.store_column_edges") == store.scalar(
        "SELECT COUNT(*) FROM (SELECT DISTINCT lineage_id, ordinal FROM {s}.store_column_edges) AS pairs"
    )


def columns_of(project: Project) -> Analyse:
    """What computes column lineage of *project*: a column for each node, and one that it filters by."""

    def analyse(known: KnownColumns) -> ColumnGraph:
        ids = {node.unique_id: str(node.code_hash) for node in project.nodes}
        analyses = {
            lineage_id: NodeColumns(
                outputs=(ColumnOutput(lineage_id, Kind.CONSTANT, "1"),),
                uses=(ColumnUse(Usage.FILTER, unique_id, lineage_id),),
            )
            for unique_id, lineage_id in ids.items()
            if lineage_id not in known
        }
        return ColumnGraph(lineage_ids=ids, analyses=analyses)

    return analyse


def stop_after(statements: int, patch: pytest.MonkeyPatch) -> None:
    """Let so many statements through, and none after them."""
    left = statements

    def counted(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **keywords: Any) -> Any:
            nonlocal left
            if left == 0:
                raise Stopped
            left -= 1
            return method(*arguments, **keywords)

        return call

    for name in SENDING:
        patch.setattr(Session, name, counted(getattr(Session, name)))
