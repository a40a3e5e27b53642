"""Diffs of artifacts on disk: selection, dbt's notion of change, conditions."""

from __future__ import annotations

import pytest

from recce_meta import demo_data, report
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.diff import DiffQuestion, diff, failing_changes, parse_fail_on
from recce_meta.api.run_reader import read_run
from recce_meta.errors import UnknownNameError, UsageError
from recce_meta.models import RunDiff, Status

BASE, CURRENT = (f"path:{demo_data.artifacts(side)}" for side in ("base", "current"))


def never() -> UnifiedSqlAdapter:
    raise AssertionError("two folders are compared without a connection")


def compared(**question: object) -> RunDiff:
    return diff(never, BASE, CURRENT, question=DiffQuestion(**question))  # type: ignore[arg-type]


def names(result: RunDiff) -> set[str]:
    return {change.name for change in result.changed}


def test_a_selection_shows_only_what_it_names() -> None:
    assert names(compared(selection=("orders",))) == {"orders"}


def test_what_changed_itself_is_not_downstream_though_nobody_asked_for_it() -> None:
    whole, part = compared(), compared(selection=("orders",))
    assert "customers" in names(whole)
    assert "customers" not in {impact.name for impact in part.impacted}
    assert "daily_revenue" in {impact.name for impact in part.impacted}


def test_an_exclusion_takes_nodes_out() -> None:
    assert "orders" not in names(compared(exclude=("orders",)))


def test_a_selection_of_nothing_says_so() -> None:
    result = compared(selection=("no_such_model",))
    assert result.changes == ()
    assert any("matches no node" in note for note in result.notes)
    headline = "Nothing compared: the selection matches no node"
    reports = (
        report.diff_text(result, width=80, color=False),
        report.diff_markdown(result),
        report.pull_request_markdown(result),
        report.html_report("Diff", result, (), None),
    )
    assert all(headline in text and "No changes" not in text for text in reports)


def test_a_selection_by_state_without_nodes_has_no_changes() -> None:
    result = compared(selection=("state:modified,tag:nope",)), compared(selection=("state:new,orders",))
    assert [one.has_empty_selection for one in result] == [True, False]
    assert "No changes" in report.diff_text(result[1], width=80, color=False)


def test_a_term_that_selects_nothing_is_named_beside_others_that_do() -> None:
    result = compared(selection=("orders ordres tag:nope state:new",))

    assert "orders" in names(result)
    assert [note for note in result.notes if "matches no node" in note] == [
        "'ordres' matches no node of either run; did you mean 'orders' or 'stg_orders' or 'raw_orders'?",
        "'tag:nope' matches no node of either run; the tags are finance, mart",
    ]


def test_dbt_calls_a_comment_a_change_and_lists_nothing_removed() -> None:
    ours, dbts = compared(), compared(like_dbt=True)
    assert "stg_stores" in names(dbts) - names(ours)
    assert "payment_mix" in names(ours) - names(dbts)
    assert Status.REMOVED not in {change.status for change in dbts.changes}


def test_state_selectors_speak_dbts_language() -> None:
    assert names(compared(selection=("state:modified.configs",))) == {
        "store_performance",
        "customer_segments",
    } | {
        change.name
        for change in compared(like_dbt=True).changed
        if change.status is Status.ADDED and change.resource_type in ("model", "test")
    }


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ("removed", {"payment_mix"}),
        ("columns", {"customers"}),
        ("config, contract", {"store_performance"}),
        ("macros", set()),
    ],
)
def test_conditions_find_the_changes_that_have_them(conditions: str, expected: set[str]) -> None:
    assert {change.name for change in failing_changes(compared(), parse_fail_on(conditions))} == expected


def test_any_is_every_change() -> None:
    result = compared()
    assert failing_changes(result, parse_fail_on("any")) == list(result.changed)


@pytest.mark.parametrize("words", ["breaking", "removed,unknown", "partial_breaking"])
def test_an_effect_that_a_diff_like_dbt_never_tells_is_no_condition_of_it(words: str) -> None:
    assert parse_fail_on(words)
    assert parse_fail_on("removed,body", like_dbt=True)
    with pytest.raises(UsageError, match="would never fail"):
        parse_fail_on(words, like_dbt=True)


@pytest.mark.parametrize("word", ["colums", "formatting", "unchanged"])
def test_an_unknown_condition_lists_the_known_ones(word: str) -> None:
    with pytest.raises(UnknownNameError) as caught:
        parse_fail_on(f"removed,{word}")
    assert word in caught.value.message


def test_edges_of_one_run_are_those_of_its_artifacts() -> None:
    base, current = (
        {*read_run(demo_data.artifacts(side), hash_seed_files=False).edges} for side in ("base", "current")
    )

    found, turned = compared(), diff(never, CURRENT, BASE)

    assert {*found.added_edges} == {*found.edges} & current - base
    assert {*found.removed_edges} == {*found.edges} & base - current == set()
    assert turned.removed_edges == found.added_edges != turned.added_edges == ()
