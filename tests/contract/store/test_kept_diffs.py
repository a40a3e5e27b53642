"""Diffs that are computed once: a kept answer always equals the computed one."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta.api import change_effects
from recce_meta.api.diff import NOTHING_MORE, DiffQuestion, diff, diff_key, stored_diff
from recce_meta.api.kept_diffs import KeptDiffs
from recce_meta.api.record import record_run
from recce_meta.models import Project
from recce_meta.models.change import Category
from tests.contract.store.test_stored_effects import EDITS, shop

pytestmark = pytest.mark.core("duckdb")

VALUES = EDITS["values"][0]


def recorded(store: Any, *projects: Project) -> Any:
    """Return the adapter of *store* with these runs."""
    adapter = store.adapter.at(store.schema)
    for project in projects:
        record_run(adapter, project)
    return adapter


def test_a_diff_is_computed_once_while_other_runs_are_recorded(store: Any) -> None:
    adapter = recorded(store, shop("base-run", "prod"), shop("run-1", "ci", **VALUES))
    kept = KeptDiffs()

    def asked(question: DiffQuestion = NOTHING_MORE) -> Any:
        return diff(lambda: adapter, "base-run", "run-1", project="shop", question=question, kept=kept)

    first, selected = asked(), asked(DiffQuestion(("stg",)))
    recorded(store, shop("run-2", "ci"))

    assert asked() is first and asked(DiffQuestion(["stg"])) is selected
    assert selected.selected == {"model.shop.stg"}
    assert kept.has(diff_key(first.base, first.current), adapter)
    assert not kept.has(diff_key(first.current, first.base), adapter)


def test_a_diff_that_lacked_sql_of_other_runs_is_computed_again_after_one_has_it(store: Any) -> None:
    parsed = shop("run-1", "ci", **VALUES)
    nodes = (replace(node, compiled_code=None) if node.name == "stg" else node for node in parsed.nodes)
    adapter = recorded(store, shop("base-run", "prod"), replace(parsed, nodes=tuple(nodes)))
    kept = KeptDiffs()

    def category() -> Category | None:
        (change,) = diff(lambda: adapter, "base-run", "run-1", project="shop", kept=kept).changed
        return change.category

    before = category()
    recorded(store, shop("run-2", "ci", **VALUES))

    assert (before, category()) == (Category.UNKNOWN, Category.PARTIAL_BREAKING)


def test_a_diff_that_met_a_limit_of_time_is_computed_again_after_the_next_write(
    store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = recorded(store, shop("base-run", "prod"), shop("run-1", "ci", **VALUES))
    kept = KeptDiffs()

    def found() -> Any:
        return diff(lambda: adapter, "base-run", "run-1", project="shop", kept=kept)

    with monkeypatch.context() as patch:
        patch.setattr(change_effects, "SECONDS", 0.0)
        late = found()
    recorded(store, shop("run-2", "ci"))

    assert late.changed[0].category is Category.UNKNOWN
    assert found() == stored_diff(adapter, late.base, late.current) != late


def test_a_diff_during_which_the_store_is_written_to_is_not_kept(store: Any) -> None:
    adapter = recorded(store, shop("base-run", "prod"), shop("run-1", "ci"))
    kept = KeptDiffs()
    found = diff(lambda: adapter, "base-run", "run-1", project="shop")

    def compute() -> Any:
        recorded(store, shop("run-2", "ci"))
        return found

    assert kept.get_or_compute("key", adapter, compute) is found
    assert not kept.has("key", adapter)
