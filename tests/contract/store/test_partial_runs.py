"""Runs in which dbt compiled few nodes have the lineage and effects of a run that compiled them all."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any, NoReturn

import pytest
from msgspec.structs import replace

from recce_meta.api.browse.node import last_count, last_results, node_history, node_outcomes
from recce_meta.api.diff import DiffQuestion, diff
from recce_meta.api.impact import load_impact
from recce_meta.api.record import Recorded, fill_derived, record_project, record_run
from recce_meta.api.run_reader import open_run
from recce_meta.errors import StoreError
from recce_meta.graph import build_lineage_graph
from recce_meta.models import MacroMetadata, NodeResult, Project, RunDiff
from recce_meta.models.lineage import Tier
from recce_meta.models.node import code_hash
from recce_meta.models.stored import NodeStatistics
from recce_meta.report.labels import fail_phrases, summarise
from recce_meta.report.lineage import failing_phrase, impact_markdown, impact_text
from recce_meta.store import read
from recce_meta.store.columns import load_columns
from recce_meta.store.prune import Retention, prune
from recce_meta.store.select import resolve_run
from recce_meta.sync.fsck import fsck
from tests.contract.store.test_stored_effects import EDITS, MODELS, shop, told, unique_id

pytestmark = pytest.mark.core("sqlite")


def compiling(project: Project, names: Collection[str], *, hours: int = 1) -> Project:
    """*project* as dbt leaves it if it compiles only the nodes *names*, some hours later."""
    run = replace(project.run, run_at=project.run.run_at + timedelta(hours=hours))
    nodes = [node if node.name in names else replace(node, compiled_code=None) for node in project.nodes]
    return replace(project, run=run, nodes=tuple(nodes))


@pytest.fixture
def recorded(adapter: Any, schema: str) -> Callable[..., str]:
    def record(project: Project) -> str:
        record_run(adapter.at(schema), project)
        return project.run.run_id

    return record


@pytest.fixture
def compared(adapter: Any, schema: str) -> Callable[[str, str], RunDiff]:
    return lambda base, current: diff(lambda: adapter.at(schema), base, current)


def answers(found: RunDiff) -> Any:
    changes = [(one.unique_id, one.status, one.category, one.columns) for one in found.changed]
    return changes, told(found)


@pytest.mark.core("duckdb", "sqlite")
def test_a_run_that_compiled_nothing_has_the_column_lineage_of_the_run_before(
    adapter: Any, schema: str, recorded: Callable[..., str]
) -> None:
    recorded(shop("built", "prod"))
    recorded(compiling(shop("tested", "prod"), ["amount_is_there"]))
    recorded(compiling(shop("again", "prod"), [], hours=2))
    built, tested, again = (resolve_run(adapter.at(schema), name) for name in ("built", "tested", "again"))

    assert built.graph_id != tested.graph_id != again.graph_id
    assert built.column_graph_id == tested.column_graph_id == again.column_graph_id
    # What dbt wrote stays.
    nodes = {node.name: node for node in read.load_nodes(adapter.at(schema), tested)}
    assert nodes["stg"].compiled_code is None
    _, rows = adapter.execute(f"SELECT * FROM {adapter.quote_identifier(schema)}.node_changes")
    assert rows == []


@pytest.mark.cases(1)
@pytest.mark.parametrize("edit", ["values", "a column less", "the same query"])
def test_a_diff_of_partial_runs_is_that_of_whole_runs(
    edit: str, recorded: Callable[..., str], compared: Callable[[str, str], RunDiff]
) -> None:
    edits = EDITS[edit][0]
    base, current = recorded(shop("base", "prod")), recorded(shop("current", "pr", **edits))
    tested = recorded(compiling(shop("tested", "prod"), []))
    one = recorded(compiling(shop("one", "pr", **edits), edits, hours=2))
    none = recorded(compiling(shop("none", "pr", **edits), [], hours=3))
    whole = answers(compared(base, current))

    assert whole[0]
    assert answers(compared(tested, current)) == whole
    assert answers(compared(base, one)) == whole
    assert answers(compared(base, none)) == whole
    assert answers(compared(tested, none)) == whole
    assert not compared(base, tested).changed
    assert not compared(current, none).changed


def test_code_that_nothing_compiled_has_assumed_lineage_and_unknown_effects(
    adapter: Any, schema: str, recorded: Callable[..., str], compared: Callable[[str, str], RunDiff]
) -> None:
    recorded(shop("base", "prod"))
    project = compiling(shop("edited", "prod", **EDITS["values"][0]), [])
    share = "{{ var('share', 10) }}"
    raw = f"select id, customer_id, cents / {share} as amount, state from {{{{ source('outside', 'raw') }}}}"
    by_name = {"stg": {"raw_code": raw}, "raw": {"source_name": "outside"}}
    nodes = [replace(node, **by_name.get(node.name, {})) for node in project.nodes]
    edited = recorded(replace(project, nodes=tuple(nodes)))

    (*_, (_, _, category, _)), _ = answers(compared("base", edited))
    assert category == "unknown"
    columns = load_columns(adapter.at(schema), resolve_run(adapter.at(schema), edited))
    assert columns is not None
    # Our renderer writes what dbt would probably compile.
    assert columns[unique_id("stg")].tier is Tier.SILVER
    assert columns[unique_id("stg")].outputs
    assert columns[unique_id("daily")].tier is Tier.GOLD
    assert columns[unique_id("daily")].outputs


def test_code_that_nothing_compiled_is_proven_if_it_follows_from_the_artifacts(
    adapter: Any, schema: str, recorded: Callable[..., str], compared: Callable[[str, str], RunDiff]
) -> None:
    edits = EDITS["values"][0]

    def edited(run_id: str, compiled: Collection[str]) -> str:
        project = compiling(shop(run_id, "prod", **edits), compiled)
        raw = "select id, customer_id, cents / 10 as amount, state from {{ source('outside', 'raw') }}"
        changes = {"stg": {"raw_code": raw, "code_hash": "new"}, "raw": {"source_name": "outside"}}
        nodes = [replace(node, **changes.get(node.name, {})) for node in project.nodes]
        return recorded(replace(project, nodes=tuple(nodes)))

    recorded(shop("base", "prod"))
    none, whole = edited("none", []), edited("whole", MODELS)

    assert answers(compared("base", none)) == answers(compared("base", whole))
    columns = load_columns(adapter.at(schema), resolve_run(adapter.at(schema), none))
    assert columns is not None
    assert columns[unique_id("stg")].tier is Tier.GOLD


def test_readers_of_an_edited_ephemeral_model_have_the_effects_of_a_whole_run(
    recorded: Callable[..., str], compared: Callable[[str, str], RunDiff]
) -> None:
    edits = {"ephemeral": MODELS["ephemeral"].replace("* 2", "* 3")}

    def written(project: Project, factor: int) -> str:
        stg = "{{ ref('stg') }}"
        raw = {
            "ephemeral": f"select id, amount * {factor} as doubled, amount as plain from {stg}",
            "uses_ephemeral": "select id, doubled from {{ ref('ephemeral') }}",
        }
        codes = [(node, raw.get(node.name)) for node in project.nodes]
        nodes = [
            replace(node, raw_code=code, code_hash=code_hash(code)) if code else node for node, code in codes
        ]
        return recorded(replace(project, nodes=tuple(nodes)))

    base = written(shop("base", "prod"), 2)
    # No run has compiled the edit before this one.
    none = written(compiling(shop("none", "pr", **edits), []), 3)
    whole = written(shop("whole", "dev", **edits), 3)

    assert answers(compared(base, none)) == answers(compared(base, whole))
    assert answers(compared(base, none))[1] == {"uses_ephemeral": "doubled"}


def test_a_whole_run_lends_its_sql_however_many_partial_runs_follow(
    recorded: Callable[..., str], compared: Callable[[str, str], RunDiff]
) -> None:
    edits = EDITS["values"][0]
    recorded(shop("base", "prod"))
    whole = recorded(shop("whole", "prod", **edits))
    for number in range(17):
        # Each run has another graph, and compiles one node.
        project = compiling(shop(f"part{number}", "prod", **edits), ["daily"], hours=number + 1)
        board = {"board": f"Version {number}."}
        nodes = [replace(one, description=board.get(one.name, one.description)) for one in project.nodes]
        last = recorded(replace(project, nodes=tuple(nodes)))

    (changed, told), (expected, told_of_whole) = (answers(compared("base", one)) for one in (last, whole))
    assert [one for one in changed if one[0] != unique_id("board")] == expected
    assert told == {name: what for name, what in told_of_whole.items() if name != "board"}


def test_sql_that_reads_its_environment_is_assumed_in_the_same_target_and_unknown_in_another(
    adapter: Any, schema: str, recorded: Callable[..., str], compared: Callable[[str, str], RunDiff]
) -> None:
    def reading(run_id: str, target: str, code: str = "{{ var('a') }}", **edits: str) -> Project:
        project = shop(run_id, target, **edits)
        nodes = [
            replace(node, raw_code=f"{node.raw_code} {code}", code_hash=run_id[:3] + code)
            if node.name == "stg"
            else node
            for node in project.nodes
        ]
        return replace(project, nodes=tuple(nodes))

    edits = EDITS["values"][0]
    recorded(reading("base", "prod"))
    recorded(reading("new", "prod", **edits))
    same = recorded(compiling(reading("new_same", "prod", **edits), []))
    other = recorded(compiling(reading("new_other", "pr", **edits), [], hours=2))

    for run_id in (same, other):
        ((_, _, category, _),), _ = answers(compared("base", run_id))
        assert category == "unknown"
    found = [load_columns(adapter.at(schema), resolve_run(adapter.at(schema), one)) for one in (same, other)]
    assert found[0] is not None
    assert found[1] is not None
    assumed = found[0][unique_id("stg")]
    assert assumed.tier is Tier.SILVER
    assert {source.confidence for output in assumed.outputs for source in output.sources} == {0.5}
    assert not found[1][unique_id("stg")].outputs


@pytest.mark.cases(4)
@pytest.mark.parametrize(
    ("code", "target", "is_noted"),
    [
        ("{{ var('a') }}", "prod", True),
        ("{{ env_var('A') }}", "prod", True),
        ("{% if is_incremental() %}{% endif %}", "prod", True),
        ("{{ target.name }}", "prod", False),
        ("{{ target.name }}", "pr", True),
        ("", "pr", False),
    ],
)
def test_equal_code_that_one_run_compiled_is_unchanged_only_if_its_sql_follows_from_it(
    adapter: Any, schema: str, recorded: Callable[..., str], code: str, target: str, is_noted: bool
) -> None:
    whole, tested = (
        replace(
            project,
            nodes=tuple(
                replace(node, raw_code=f"{node.raw_code} {code}", code_hash=code_hash(code))
                if node.name == "stg"
                else node
                for node in project.nodes
            ),
        )
        for project in (shop("whole", "prod"), compiling(shop("tested", target), []))
    )
    pair = (recorded(whole), recorded(tested))

    for base, current in (pair, pair[::-1]):
        for selection in ((), ("stg",), ("daily",)):
            question = DiffQuestion(selection=selection)
            found = diff(lambda: adapter.at(schema), base, current, question=question)
            assert not found.changed
            is_about_stg = selection != ("daily",)
            names = [note.partition("(")[2] for note in found.notes if "not compared" in note]
            assert names == (["stg)"] if is_noted and is_about_stg else [])


def test_assumed_sql_makes_no_node_fail_and_every_sum_says_so(
    adapter: Any, schema: str, recorded: Callable[..., str], compared: Callable[[str, str], RunDiff]
) -> None:
    def reading(run_id: str, **edits: str) -> Project:
        project = shop(run_id, "prod", **edits)
        code = "{{ var('a') }}"
        nodes = [
            replace(node, raw_code=f"{node.raw_code} {code}", code_hash=code)
            if node.name == "daily"
            else node
            for node in project.nodes
        ]
        return replace(project, nodes=tuple(nodes))

    recorded(reading("base"))
    edited = recorded(compiling(reading("edited", **EDITS["a column less"][0]), ["stg"]))
    found = compared("base", edited)

    (daily,) = (one for one in found.impacted if one.name == "daily")
    assert (daily.reach, daily.fails, daily.confidence) == ("unknown", False, 0.5)
    counted = summarise(found)
    assert fail_phrases(counted)[0].startswith(f"at least {counted.fails} ")
    view = load_impact(lambda: adapter.at(schema), "base", "stg.amount")
    assert failing_phrase(view) == "at least 3 models, 1 test fail; 1 node not traced, 1 node uncertain"
    view = load_impact(lambda: adapter.at(schema), edited, "stg.amount")
    assert unique_id("daily") in view.doubtful
    for text in (impact_text(view, width=0, color=False), impact_markdown(view)):
        assert text.count("uncertain") == 2


def test_prune_keeps_the_runs_on_which_answers_about_others_stand(
    adapter: Any, schema: str, recorded: Callable[..., str], compared: Callable[[str, str], RunDiff]
) -> None:
    edits = EDITS["values"][0]

    def pruned() -> list[str]:
        return [run.run_id for run in prune(adapter.at(schema), Retention(keep_last=1), local=True).runs]

    recorded(shop("first", "prod"))
    base = recorded(compiling(shop("base", "prod"), [], hours=1))
    recorded(compiling(shop("other", "prod", **edits), ["daily"], hours=2))
    recorded(compiling(shop("edited", "prod", **edits), MODELS, hours=3))
    current = recorded(compiling(shop("current", "prod", **edits), ["daily"], hours=4))
    whole = answers(compared(base, current))

    assert whole[0]
    assert pruned() == ["other", "base", "first"]
    assert answers(compared("edited", current)) == ([], {})
    recorded(compiling(shop("last", "prod", **edits), MODELS, hours=5))
    assert pruned() == ["current", "edited"]


def test_prune_keeps_the_run_with_the_last_result_of_a_node(
    adapter: Any, schema: str, recorded: Callable[..., str]
) -> None:
    def built(run_id: str, hours: int, *names: str, command: str = "run") -> None:
        project = compiling(shop(run_id, "prod"), MODELS, hours=hours)
        results = tuple(NodeResult(unique_id=unique_id(name), status="success") for name in sorted(names))
        recorded(replace(project, run=replace(project.run, command=command), results=results))

    built("first", 0, "daily", "stg")
    built("second", 1, "daily", "counted")
    built("third", 2, "stg")
    built("a_part", 3, "counted", command="run --empty")
    built("last", 4, "starred")

    found = prune(adapter.at(schema), Retention(keep_last=1), local=True)
    assert [run.run_id for run in found.runs] == ["first"]


def test_a_node_that_was_not_built_since_its_code_or_an_ancestor_changed_is_stale(
    adapter: Any, schema: str, recorded: Callable[..., str]
) -> None:
    def built(run_id: str, hours: int, names: Collection[str], command: str = "run", **edits: str) -> None:
        project = compiling(shop(run_id, "prod", **edits), names, hours=hours)
        kinds = {"after_star": "view"}
        nodes = [replace(one, materialized=kinds.get(one.name, one.materialized)) for one in project.nodes]
        ran = sorted(unique_id(name) for name in names if unique_id(name).startswith("model."))
        results = tuple(NodeResult(unique_id=one, status="success") for one in ran)
        run = replace(project.run, command=command)
        recorded(replace(project, run=run, nodes=tuple(nodes), results=results))

    def stale(run_id: str) -> dict[str, str]:
        reader = open_run(lambda: adapter.at(schema), run_id, project=None)
        return {one.rpartition(".")[2]: reason for one, reason in reader.stale.items()}

    edits = EDITS["values"][0]
    built("before", -2, ["open_orders"])
    built("late", -1, MODELS.keys() - {"open_orders"})
    assert stale("late") == {
        "open_orders": "built on 2026-11-19 22:00 UTC, when stg upstream was stale: its build before is not "
        "recorded"
    }
    built("all", 0, MODELS)
    built("tests", 1, ["amount_is_there"], "test")
    built("one", 2, ["stg", "counted"], **edits)
    built("two", 3, ["daily"], **edits)
    built("undone", 4, ["open_orders"])
    built("part", 5, ["starred"], "run --empty")

    assert stale("all") == stale("tests") == {}
    since = "built on 2026-11-20 00:00 UTC, not since stg changed"
    after = ("distinct_ones", "open_orders", "python", "starred", "unioned", "uses_ephemeral")
    assert stale("one") == {
        **dict.fromkeys((*after, "daily"), since),
        "after_star": f"starred upstream is stale: {since}",
    }
    assert stale("two").keys() == stale("one").keys() - {"daily"}
    assert stale("undone")["stg"] == "built on 2026-11-20 02:00 UTC, not since its code changed"
    assert stale("undone").keys() == {"stg", "counted", "daily", "open_orders"}
    from_stale = "built on 2026-11-20 04:00 UTC, when stg upstream was stale: "
    assert stale("undone")["open_orders"] == from_stale + stale("undone")["stg"]
    assert stale("part")["starred"] == "run --empty built it on 2026-11-20 05:00 UTC"
    assert stale("part")["after_star"] == f"starred upstream is stale: {stale('part')['starred']}"

    built("again", 6, ["stg", "starred"])
    built("below", 7, ["counted", "daily"])
    # What it was built from has been built since, which changes nothing of its rows.
    assert stale("below") == {"open_orders": stale("undone")["open_orders"]}


@pytest.mark.parametrize("command", ["build --defer", "build --defer --favor-state"])
def test_a_table_built_from_what_base_has_of_changed_code_is_stale(
    command: str, adapter: Any, schema: str, recorded: Callable[..., str]
) -> None:
    def built(run_id: str, hours: int, environment: str, command: str, *names: str, **edits: str) -> None:
        project = compiling(shop(run_id, environment, **edits), names, hours=hours)
        run = replace(project.run, environment=environment, command=command, target_schema=environment)
        results = tuple(NodeResult(unique_id=unique_id(name), status="success") for name in sorted(names))
        recorded(replace(project, run=run, results=results))

    edits = EDITS["values"][0]
    tables = [name for name in MODELS if unique_id(name).startswith("model.") and name != "ephemeral"]
    built("whole", 0, "base", "build", *tables)
    built("same", 1, "pr", command, "daily", "uses_ephemeral")
    built("edited", 2, "pr", command, "daily", "uses_ephemeral", **edits)
    built("both", 3, "pr", command, "stg", "daily", **edits)

    stale = {
        run_id: {
            name: reason
            for name in ("daily", "uses_ephemeral")
            if (
                reason := open_run(lambda: adapter.at(schema), run_id, project=None).stale.get(
                    unique_id(name)
                )
            )
        }
        for run_id in ("same", "edited", "both")
    }
    of_base = "when stg upstream was stale: --defer took that of base, before its code changed"
    late = dict.fromkeys(("daily", "uses_ephemeral"), f"built on 2026-11-20 02:00 UTC, {of_base}")
    assert (stale["same"], stale["edited"]) == ({}, late)
    # What dbt builds itself, it does not take from base, also with --favor-state.
    assert stale["both"] == {"uses_ephemeral": late["uses_ephemeral"]}


def test_the_last_result_and_row_count_name_their_run_and_what_changed_since(
    adapter: Any, schema: str, recorded: Callable[..., str]
) -> None:
    adapter = adapter.at(schema)

    def ran(run_id: str, hours: int, names: Collection[str], command: str = "run", **edits: str) -> None:
        project = compiling(shop(run_id, "prod", **edits), names, hours=hours)
        results = tuple(NodeResult(unique_id=unique_id(name), status="pass") for name in sorted(names))
        run = replace(project.run, command=command)
        at = run.run_at
        counts = [NodeStatistics(unique_id=unique_id(name), counted_at=at, row_count=7) for name in names]
        record_run(adapter.at(schema), replace(project, run=run, results=results), statistics=counts)

    def last(run_id: str, name: str) -> tuple[object, ...]:
        reader = open_run(lambda: adapter.at(schema), run_id, project=None)
        graph, wanted = build_lineage_graph([], reader.edges), unique_id(name)
        parents = {one: graph.parents(one) for one in reader.names}
        results = last_results(adapter, reader.run, [wanted], reader.names, parents)
        found = results.get(wanted)
        outcomes = node_outcomes(adapter, reader.run, wanted)
        kind = reader.names[wanted].materialized
        counted = last_count(adapter, reader.run, kind, outcomes, found)
        assert (found and found.measured) == (counted and counted.measured)
        return () if found is None else (found.measured.run_id, found.measured.is_own, found.measured.since)

    ran("all", 0, ["daily", "counted", "amount_is_there"])
    ran("tests", 1, ["amount_is_there"], "test")
    ran("one", 2, ["stg"], **EDITS["values"][0])
    ran("part", 3, ["starred"], "run --empty", **EDITS["values"][0])
    ran("later", 4, [], **EDITS["values"][0])

    assert last("all", "daily") == ("all", True, None)
    assert last("tests", "daily") == ("all", False, None)
    assert last("one", "daily") == ("all", False, "stg changed")
    assert last("one", "amount_is_there") == ("tests", False, "stg changed")
    assert last("later", "stg") == ("one", False, None)
    assert last("later", "starred") == ("part", False, "built only with --empty")
    assert last("one", "starred") == ()


LIMITS = {
    "--empty": r"(select * from \g<0> where false limit 0) _dbt_limit_subq_\1",
    "--sample": r"(select * from \g<0> where at >= '2026-11-01 00:00:00+00:00'"
    r" and at < '2026-11-02 00:00:00+00:00') _dbt_et_filter_subq_\1",
}
"""Subqueries that dbt writes in place of a relation, by option."""


@pytest.mark.cases(2)
@pytest.mark.parametrize("option", LIMITS)
@pytest.mark.parametrize("edit", ["values", "a column less", "the same query"])
def test_the_limits_of_a_build_of_a_part_are_no_change(
    edit: str, option: str, recorded: Callable[..., str], compared: Callable[[str, str], RunDiff]
) -> None:
    relation = re.compile(r'"db"\."\w+"\."(\w+)"')

    def empty(run_id: str, **edits: str) -> Project:
        project = shop(run_id, "pr", **edits)
        codes = {
            one.unique_id: relation.sub(LIMITS[option], one.compiled_code or "") for one in project.nodes
        }
        nodes = [replace(one, compiled_code=codes[one.unique_id] or None) for one in project.nodes]
        run = replace(project.run, command=f"build {option}", run_at=project.run.run_at + timedelta(hours=1))
        return replace(project, run=run, nodes=tuple(nodes))

    edits = EDITS[edit][0]
    recorded(shop("base", "prod"))
    recorded(shop("whole", "pr", **edits))
    recorded(empty("empty", **edits))
    recorded(empty("nothing"))

    assert answers(compared("base", "empty")) == answers(compared("base", "whole"))
    assert not compared("base", "nothing").changed


def test_the_views_of_last_results_and_counts_say_what_the_pages_say(
    adapter: Any, schema: str, recorded: Callable[..., str]
) -> None:
    adapter = adapter.at(schema)

    def ran(
        run_id: str,
        hours: int,
        names: Collection[str],
        command: str | None = "run",
        cents: str = "/ 100",
        counts: Collection[str] | None = None,
        status: str = "success",
        **edits: str,
    ) -> None:
        project = compiling(shop(run_id, "prod", **edits), names, hours=hours)
        macro = MacroMetadata(
            unique_id="macro.shop.cents", name="cents", package_name="shop", macro_sql=cents, code_hash=cents
        )
        calls = {"unioned": (macro.unique_id,)}
        nodes = tuple(
            replace(
                node,
                macros=calls.get(node.name, ()),
                materialized="view" if node.name == "starred" else node.materialized,
                raw_code=f"{node.raw_code} -- {{{{ var('x') }}}}" if node.name == "stg" else node.raw_code,
            )
            for node in project.nodes
        )
        results = tuple(NodeResult(unique_id=unique_id(name), status=status) for name in sorted(names))
        run = replace(project.run, command=command)
        taken = [_counted(unique_id(name), run.run_at) for name in (names if counts is None else counts)]
        project = replace(project, run=run, nodes=nodes, macros=(macro,), results=results)
        record_run(adapter.at(schema), project, statistics=taken)

    def in_views(which: str) -> dict[str, tuple[str, bool | None]]:
        quoted = adapter.quote_identifier(schema)
        rows = adapter.execute(f"SELECT unique_id, run_id, is_current FROM {quoted}.{which}")[1]
        return {str(one): (str(run_id), None if now is None else bool(now)) for one, run_id, now in rows}

    def in_pages() -> Iterator[dict[str, tuple[str, bool | None]]]:
        reader = open_run(lambda: adapter.at(schema), "latest", project=None)
        run, names = reader.run, reader.names
        graph = build_lineage_graph([], reader.edges)
        parents = {one: graph.parents(one) for one in names}
        results = last_results(adapter, run, list(names), names, parents)
        counts = {
            one: last_count(
                adapter,
                run,
                node.materialized,
                node_outcomes(adapter, run, one),
                results.get(one),
            )
            for one, node in names.items()
        }
        for found in (results, counts):
            yield {one: (last.measured.run_id, _is_current(last)) for one, last in found.items() if last}

    def _is_current(last: Any) -> bool | None:
        measured = last.measured
        return measured.since is None if measured.is_build_known and measured.is_certain else None

    edits = EDITS["values"][0]
    steps: list[Callable[[], None]] = [
        lambda: ran("all", 0, {*MODELS, "amount_is_there"}),
        lambda: ran("tests", 1, ["amount_is_there"], "test"),
        lambda: ran("one", 2, ["stg", "counted"], **edits),
        lambda: ran("part", 3, ["starred"], "run --empty", **edits),
        lambda: ran("of another invocation", 4, ["starred"], None, **edits),
        lambda: ran("macro", 5, ["daily"], cents="/ 10", **edits),
        lambda: ran("undone", 6, [], cents="/ 10"),
        lambda: ran("variable", 7, ["stg"], cents="/ 10"),
        lambda: ran("test", 8, ["amount_is_there"], "test", cents="/ 10"),
    ]
    steps_with_counts: list[Callable[[], None]] = [
        lambda: ran("whole", 9, MODELS, cents="/ 10"),
        lambda: ran("tables", 10, ["daily"], cents="/ 10", counts=MODELS, **edits),
        lambda: ran("failed", 11, ["daily", "counted"], cents="/ 10", counts=MODELS, status="error", **edits),
        lambda: ran("limits", 12, ["counted"], "run --empty", cents="/ 10", **edits),
        lambda: ran("after limits", 13, [], cents="/ 10", counts=MODELS, **edits),
        lambda: ran("counted", 14, ["daily"], cents="/ 10", **edits),
        lambda: ran("rebuilt", 15, ["daily"], cents="/ 10", counts=[], **edits),
        lambda: ran("empty", 16, ["counted"], "build --empty", cents="/ 10", counts=[], **edits),
        lambda: ran("undone again", 17, MODELS, cents="/ 10"),
        lambda: ran("parent", 18, ["stg"], cents="/ 10", counts=[]),
    ]
    known: list[tuple[dict[str, Any], dict[str, Any]]] = []
    for step in (*steps, *steps_with_counts):
        step()
        known.append((in_views("latest_results"), in_views("latest_row_counts")))
        assert known[-1] == tuple(in_pages())
    before, last = (found for found, _ in known[len(steps) - 2 : len(steps)])
    assert before[unique_id("distinct_ones")] == ("all", True)
    assert last[unique_id("daily")] == ("macro", False)
    assert last[unique_id("starred")] == ("part", False)
    assert last[unique_id("unioned")] == ("all", False)
    # The last run compiled no SQL of `stg`, which another value of its variable would change.
    assert last[unique_id("distinct_ones")] == ("all", None)
    assert last[unique_id("stg")] == ("variable", None)
    assert last[unique_id("amount_is_there")] == ("test", True)
    # A run that built a part counted the rows of earlier builds as well.
    _, tables, failed, _, limits, counted, rebuilt, empty, undone, later = (
        found for _, found in known[len(steps) :]
    )
    one, other = unique_id("daily"), unique_id("counted")
    assert (tables[one], tables[other]) == (("tables", True), ("tables", False))
    assert (failed[one], failed[other]) == (("failed", None), ("failed", None))
    assert (limits[one], limits[other]) == (("after limits", None), ("after limits", False))
    # A table that was built again without a count has other rows.
    assert (counted[one], rebuilt[one]) == (("counted", True), ("counted", None))
    assert empty[other] == ("after limits", None)
    assert known[-3][0][other] == ("empty", False)
    # A view has the rows of tables that were built since, so only the latest count of one is current.
    view, table = unique_id("starred"), unique_id("after_star")
    assert (undone[view], undone[table]) == (("undone again", True), ("undone again", True))
    assert (later[view], later[table]) == (("undone again", None), ("undone again", True))


def test_stored_changes_of_code_are_checked_derived_again_and_pruned(
    adapter: Any, schema: str, recorded: Callable[..., str]
) -> None:
    def ran(run_id: str, hours: int, names: Collection[str], **edits: str) -> None:
        project = compiling(shop(run_id, "prod", **edits), MODELS, hours=hours)
        results = tuple(NodeResult(unique_id=unique_id(name), status="success") for name in sorted(names))
        recorded(replace(project, run=replace(project.run, command="run"), results=results))

    def in_view() -> dict[str, bool]:
        rows = adapter.execute(f"SELECT unique_id, is_current FROM {quoted}.latest_results")[1]
        return {str(one): bool(is_current) for one, is_current in rows}

    def damage(statement: str) -> None:
        adapter.execute(statement)
        assert {(one.kind.value, one.table) for one in fsck(adapter.at(schema)).problems} == {
            ("derived", "store_code_changes")
        }
        assert fsck(adapter.at(schema), repair=True).problems == ()
        assert in_view() == expected

    quoted = adapter.quote_identifier(schema)
    ran("all", 0, MODELS)
    ran("one", 1, ["stg"], **EDITS["values"][0])
    expected = in_view()
    assert expected[unique_id("stg")]
    assert not expected[unique_id("daily")]
    assert fsck(adapter.at(schema)).is_sound

    damage(f"DELETE FROM {quoted}.store_code_changes WHERE unique_id = '{unique_id('daily')}'")
    changes = f"{quoted}.store_code_changes"
    damage(f"INSERT INTO {changes} SELECT step_id, 'x', TRUE FROM {quoted}.store_code_steps")
    damage(f"UPDATE {changes} SET is_certain = NOT is_certain")
    adapter.execute(f"DELETE FROM {quoted}.store_code_steps")
    adapter.execute(f"DELETE FROM {quoted}.store_code_changes")
    fill_derived(adapter.at(schema))
    assert in_view() == expected
    ran("again", 2, MODELS, **EDITS["values"][0])
    prune(adapter.at(schema), Retention(keep_last=1), local=True)
    assert adapter.execute(f"SELECT COUNT(*) FROM {quoted}.store_code_changes")[1] == [(0,)]


def test_a_run_whose_code_cannot_be_compared_is_recorded_with_a_warning(
    adapter: Any, schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*given: object) -> NoReturn:
        raise StoreError("the store was blocked for 60 s")

    def ran(run_id: str, hours: int, **edits: str) -> Recorded:
        project = compiling(shop(run_id, "prod", **edits), MODELS, hours=hours)
        results = tuple(NodeResult(unique_id=unique_id(name), status="success") for name in MODELS)
        return record_project(adapter.at(schema), replace(project, results=results if not edits else ()))

    assert ran("first", 0).warnings == ()
    monkeypatch.setattr("recce_meta.api.record.outdated_nodes", fails)

    (said,) = ran("second", 1, **EDITS["values"][0]).warnings
    assert said.startswith("It is not stored which results are current: the store was blocked for 60 s; ")


def test_a_node_is_stale_if_a_macro_that_it_calls_changed(
    adapter: Any, schema: str, recorded: Callable[..., str]
) -> None:
    def ran(run_id: str, hours: int, sql: str, *names: str) -> None:
        project = compiling(shop(run_id, "prod"), names, hours=hours)
        macros = [
            MacroMetadata(
                unique_id=f"macro.shop.{name}", name=name, package_name="shop", macro_sql=code, code_hash=code
            )
            for name, code in (("cents", sql), ("other", "1"))
        ]
        calls = {"daily": ("macro.shop.cents",), "counted": ("macro.shop.other",)}
        nodes = [replace(node, macros=calls.get(node.name, ())) for node in project.nodes]
        results = tuple(NodeResult(unique_id=unique_id(name), status="success") for name in sorted(names))
        recorded(replace(project, nodes=tuple(nodes), macros=tuple(macros), results=results))

    ran("before", 0, "x / 100", "counted", "daily")
    ran("after", 1, "x / 10")

    stale = open_run(lambda: adapter.at(schema), "after", project=None).stale
    assert unique_id("counted") not in stale
    assert stale.pop(unique_id("daily")) == "built on 2026-11-20 00:00 UTC, not since its code changed"
    assert set(stale.values()) == {"no recorded run of its target built it"}
    # Tests build nothing, and the builds before are of another environment.
    tests = shop("tests", "prod")
    recorded(replace(tests, run=replace(tests.run, command="test", environment="other")))
    assert open_run(lambda: adapter.at(schema), "tests", project=None).stale == {}


def test_a_time_after_the_recording_is_not_the_latest(adapter: Any, schema: str) -> None:
    def recording(run_id: str, days: int) -> Recorded:
        project = shop(run_id, "prod")
        at = datetime.now(timezone.utc) + timedelta(days=days)
        return record_project(adapter.at(schema), replace(project, run=replace(project.run, run_at=at)))

    ahead, honest = recording("ahead", 400), recording("honest", 0)

    assert any(warning.startswith("A clock is wrong: run ahead is dated ") for warning in ahead.warnings)
    assert honest.warnings == ()
    assert resolve_run(adapter.at(schema), "latest").run_id == "honest"
    assert [run.run_id for run in read.list_runs(adapter.at(schema))] == ["honest", "ahead"]
    found = adapter.execute(f"SELECT run_id FROM {adapter.quote_identifier(schema)}.latest_runs")[1]
    assert [tuple(row) for row in found] == [("honest",)]
    (step,) = adapter.execute(f"SELECT run_id FROM {adapter.quote_identifier(schema)}.run_steps")[1]
    assert tuple(step) == ("honest",)


@pytest.mark.core("duckdb", "sqlite")
def test_a_time_after_the_recording_hides_no_result_count_or_change(adapter: Any, schema: str) -> None:
    adapter = adapter.at(schema)
    now, wanted = datetime.now(timezone.utc), unique_id("stg")

    def recording(run_id: str, days: int, **edits: str) -> None:
        project = shop(run_id, "prod", **edits)
        at = datetime.now(timezone.utc) + timedelta(days=days)
        run = replace(project.run, run_at=at, command="run")
        ran = NodeResult(unique_id=wanted, status="success")
        results, counts = ((), ()) if run_id == "honest" else ((ran,), (_counted(wanted, now),))
        whole = replace(project, run=run, results=results)
        record_run(adapter.at(schema), whole, statistics=counts)

    recording("first", -1)
    recording("ahead", 400, **EDITS["values"][0])
    recording("honest", 0, **EDITS["values"][0])

    reader = open_run(lambda: adapter.at(schema), "honest", project=None)
    outcomes = node_outcomes(adapter, reader.run, wanted)
    counted = last_count(adapter, reader.run, "table", outcomes, None)
    assert counted is not None
    assert counted.measured.run_id == "ahead"
    history = node_history(adapter, reader.run, wanted)
    change = history[0]
    assert change.run_id == "ahead"
    assert change.run_at <= reader.run.counted_at
    after = now + timedelta(days=1)
    (found,) = last_results(adapter, reader.run, [wanted], reader.names, {}).values()
    assert max(counted.measured.run_at, found.measured.run_at, change.run_at) < after
    last = adapter.execute(f"SELECT MAX(last_run_at) FROM {adapter.quote_identifier(schema)}.run_history")[1]
    assert str(last[0][0]) < str(after)


def _counted(unique_id: str, at: datetime) -> NodeStatistics:
    return NodeStatistics(unique_id=unique_id, counted_at=at, row_count=7)


@pytest.mark.parametrize("donor", ["show", "two texts"])
def test_sql_that_proves_nothing_leaves_the_effect_unknown(
    donor: str, recorded: Callable[..., str], compared: Callable[[str, str], RunDiff]
) -> None:
    edits = EDITS["values"][0]
    recorded(shop("base", "prod"))
    whole = shop("whole", "prod", **edits)
    recorded(whole if donor == "two texts" else replace(whole, run=replace(whole.run, command="show")))
    if donor == "two texts":
        other = compiling(shop("other", "prod", **edits), [node.name for node in whole.nodes], hours=1)
        nodes = [
            replace(node, compiled_code=f"{node.compiled_code} where 1 = 1") if node.name == "stg" else node
            for node in other.nodes
        ]
        recorded(replace(other, nodes=tuple(nodes)))
    tested = recorded(compiling(shop("tested", "prod", **edits), [], hours=2))

    categories = {one.unique_id: one.category for one in compared("base", tested).changed}
    assert categories[unique_id("stg")] == "unknown"
