"""Diffs that are computed once: a kept answer always equals the computed one."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timezone
from itertools import product
from typing import Any

import pytest
from msgspec.structs import fields, replace

from recce_meta.api import change_effects, kept_diffs
from recce_meta.api.diff import NOTHING_MORE, DiffQuestion, diff, diff_key, stored_diff
from recce_meta.api.kept_diffs import KeptDiffs
from recce_meta.api.record import record_run
from recce_meta.graph.selection import named_selections
from recce_meta.models import Project, RunDiff
from recce_meta.models.change import Category
from recce_meta.store import kept_diffs as stored
from recce_meta.store.change_counter import change_counter
from recce_meta.store.prune import Retention, prune
from tests.contract.store.test_stored_effects import EDITS, shop

pytestmark = pytest.mark.core("sqlite")

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

    assert kept.get_or_compute(b"key", adapter, compute) is found
    assert not kept.has(b"key", adapter)


def saved(adapter: Any, monkeypatch: pytest.MonkeyPatch, **asked: Any) -> RunDiff:
    """Return the diff of the two runs, which is in the store afterwards."""
    monkeypatch.setattr(kept_diffs, "WORTH_SECONDS", 0.0)
    kept = KeptDiffs(saves=True)
    found = diff(lambda: adapter, "base-run", "run-1", project="shop", kept=kept, **asked)
    kept.save(adapter)
    return found


def never() -> RunDiff:
    raise AssertionError("computed")


SETTINGS = [
    NOTHING_MORE,
    DiffQuestion(("stg",)),
    DiffQuestion(("stg+ daily",), ("daily", "tag:x")),
    DiffQuestion(exclude=("stg",)),
    DiffQuestion(like_dbt=True),
    DiffQuestion(("state:modified",)),
    DiffQuestion(("state:modified",), like_dbt=True, finds_removed=True),
    DiffQuestion(("nowhere", "stg"), typed=("nowhere",), may_select_nothing=False),
    DiffQuestion(("selection:mine",)),
]
MEANINGS = ({"mine": (("daily",), ())}, {"mine": (("daily",), ("daily",))})


@pytest.mark.parametrize("what", ["values", "a column less"])
def test_a_stored_answer_equals_the_computed_one_in_every_setting(
    store: Any, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = recorded(store, shop("base-run", "prod"), shop("run-1", "ci", **EDITS[what][0]))
    answers = []
    for question, meaning in product(SETTINGS, MEANINGS):
        with named_selections(meaning):
            answers.append(saved(adapter, monkeypatch, question=question))

    for (question, meaning), answer in zip(product(SETTINGS, MEANINGS), answers, strict=True):
        with named_selections(meaning):
            computed = diff(lambda: adapter, "base-run", "run-1", project="shop", question=question)
            key = diff_key(computed.base, computed.current, question)
            assert KeptDiffs().get_or_compute(key, adapter, never) == answer == computed, (what, question)


def test_every_setting_and_every_fact_about_a_run_is_in_the_key() -> None:
    run = shop("run-1", "ci").run
    keys = [diff_key(run, run)]
    for setting in dataclasses.fields(DiffQuestion):
        was = getattr(NOTHING_MORE, setting.name)
        other = (not was) if isinstance(was, bool) else ("x",) if was in ((), None) else f"{was} "
        keys.append(diff_key(run, run, dataclasses.replace(NOTHING_MORE, **{setting.name: other})))
    for fact in fields(run):
        was = getattr(run, fact.name)
        later = datetime(2030, 1, 1, tzinfo=timezone.utc)
        other = later if isinstance(was, datetime) else f"{was} "
        keys += [
            diff_key(replace(run, **{fact.name: other}), run),
            diff_key(run, replace(run, **{fact.name: other})),
        ]
    for meaning in MEANINGS:
        with named_selections(meaning):
            keys.append(diff_key(run, run, DiffQuestion(("selection:mine",))))

    assert len(set(keys)) == len(keys)


def test_a_diff_of_other_code_is_not_used(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    adapter = recorded(store, shop("base-run", "prod"), shop("run-1", "ci", **VALUES))
    found = saved(adapter, monkeypatch)
    key = diff_key(found.base, found.current)

    assert stored.find_diff(adapter, key)[1] == found
    monkeypatch.setattr(stored, "analysis_id", lambda: "other")
    assert stored.find_diff(adapter, key)[1] is None
    assert stored.keep_diff(adapter, key, found) and stored.find_diff(adapter, key)[1] == found


def test_a_stored_diff_is_no_write_for_readers_and_dies_with_its_runs(
    store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter = recorded(store, shop("base-run", "prod"), shop("run-1", "ci", **VALUES))
    before = change_counter(adapter)
    found = saved(adapter, monkeypatch)
    key = diff_key(found.base, found.current)
    assert change_counter(adapter) == before and stored.find_diff(adapter, key)[1] == found

    prune(adapter, Retention(keep_last=0, environment=found.base.environment), local=True)

    assert stored.find_diff(adapter, key)[1] is None


def test_a_store_keeps_the_newest_diffs(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    adapter = recorded(store, shop("base-run", "prod"), shop("run-1", "ci", **VALUES))
    found = saved(adapter, monkeypatch)
    monkeypatch.setattr(stored, "MOST_KEPT", 2)

    keys = [f"{number}".encode() for number in range(4)]
    results = [stored.keep_diff(adapter, key, found) for key in keys]

    assert all(results)
    assert [key for key in keys if stored.find_diff(adapter, key)[1] is not None] == keys[2:]


def test_a_reader_without_rights_to_write_computes(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    adapter = recorded(store, shop("base-run", "prod"), shop("run-1", "ci", **VALUES))
    adapter.close()
    with adapter.reader(store.schema) as reader:
        found = saved(reader, monkeypatch)
        assert stored.find_diff(reader, diff_key(found.base, found.current))[1] is None
