"""Column lineage: every piece written once, by whoever has it first, and computed for what is new alone."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta.models import Project
from recce_meta.models.lineage import (
    ColumnEdge,
    ColumnGraph,
    ColumnOutput,
    ColumnSource,
    ColumnUse,
    Kind,
    KnownColumns,
    NodeColumns,
    Tier,
    Usage,
)
from recce_meta.store import write
from recce_meta.store.columns import (
    column_analyses,
    column_children,
    column_parents,
    column_readers,
    load_columns,
)
from recce_meta.store.prune import Retention, prune
from recce_meta.store.read import list_runs, run_by_id
from recce_meta.store.session import open_store
from recce_meta.store.write import RecordResult, record_run

pytestmark = pytest.mark.core("sqlite")

TABLES = ("column_parts", "column_part_nodes", "column_analyses", "column_edges")
NUL, HALF = "a\0b", "half \ud800"


class Analyst:
    """Makes column graphs of projects, and keeps what it was told to be known."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.calls: list[dict[str, tuple[str, ...]]] = []

    def __call__(self, known: KnownColumns) -> ColumnGraph:
        self.calls.append(dict(known))
        ids = {node.unique_id: f"v4.{node.code_hash}" for node in self.project.nodes}
        columns = {ids[unique_id]: found for unique_id, found in self.whole().items()}
        return ColumnGraph(
            lineage_ids=ids,
            analyses={lineage_id: found for lineage_id, found in columns.items() if lineage_id not in known},
            warnings=("m000 is strange",),
        )

    def whole(self) -> dict[str, NodeColumns]:
        """The columns of every node: each model's are made of those of the one before."""
        found = {}
        for node in self.project.nodes:
            sources = tuple(ColumnSource(parent, "id", 0.9) for parent in node.parents)
            text = f"upper({node.code_hash})"
            found[node.unique_id] = NodeColumns(
                outputs=(
                    ColumnOutput("id", Kind.PASSTHROUGH if sources else Kind.SOURCE, None, sources),
                    ColumnOutput("n", Kind.CONSTANT, text),
                ),
                uses=tuple(ColumnUse(Usage.FILTER, parent, "id", 0.9) for parent in node.parents),
            )
        return found


@pytest.fixture
def recorded(store: Any) -> Callable[..., tuple[RecordResult, Analyst]]:
    """The function that records a project with the columns of an analyst, and returns both."""

    def record(project: Project) -> tuple[RecordResult, Analyst]:
        analyst = Analyst(project)
        return record_run(store.adapter.at(store.schema), project, analyse=analyst), analyst

    return record


def rows(store: Any) -> dict[str, int]:
    return {table: store.scalar(f"SELECT COUNT(*) FROM {{s}}.store_{table}") for table in TABLES}


@pytest.mark.core("duckdb", "postgres", "sqlite")
def test_columns_come_back_as_they_were_found(store: Any, make_project: Callable[..., Project]) -> None:
    a, b = "model.shop.m000", "model.shop.m001"
    found = {
        a: NodeColumns(outputs=tuple(ColumnOutput(kind.value, kind, "x + 1") for kind in Kind)),
        b: NodeColumns(
            tier=Tier.BRONZE,
            outputs=(
                ColumnOutput(
                    "z", Kind.DERIVED, "coalesce(a, '⟦é')", tuple(ColumnSource(a, n) for n in "aAb")
                ),
                ColumnOutput(
                    'A "quoted" name', Kind.RENAMED, None, (ColumnSource("db.s.elsewhere", "*", 0.4),)
                ),
                ColumnOutput("a", Kind.CONSTANT),
            ),
            uses=tuple(ColumnUse(usage, a, "b", 0.9) for usage in Usage),
        ),
        "model.shop.m002": NodeColumns(tier=Tier.SILVER, reason="line 3: no such function"),
        "model.shop.m003": NodeColumns(uses=(ColumnUse(Usage.FILTER, a, "b"),)),
        "model.shop.m004": NodeColumns(),
    }
    graph = ColumnGraph(
        lineage_ids={name: f"id {name}" for name in found},
        analyses={f"id {name}": columns for name, columns in found.items()},
    )

    done = record_run(store.adapter.at(store.schema), make_project(), analyse=lambda known: graph)

    assert load_columns(store.adapter.at(store.schema), done.run) == found
    some = load_columns(
        store.adapter.at(store.schema), done.run, node_ids=[b, "model.shop.m011", "model.shop.none"]
    )
    assert some == {b: found[b]}


@pytest.mark.core("duckdb", "postgres", "sqlite")
def test_texts_that_databases_refuse_are_kept_as_near_as_can_be(
    store: Any, make_project: Callable[..., Project]
) -> None:
    source = ColumnSource(NUL, HALF)
    columns = NodeColumns(
        outputs=(ColumnOutput(NUL, Kind.DERIVED, HALF, (source,)),),
        uses=(ColumnUse(Usage.JOIN, NUL, HALF),),
        reason=NUL,
    )
    graph = ColumnGraph(lineage_ids={"model.shop.m000": "one"}, analyses={"one": columns})

    done = record_run(store.adapter.at(store.schema), make_project(), analyse=lambda known: graph)

    loaded = load_columns(store.adapter.at(store.schema), done.run)
    assert loaded is not None
    (kept,) = loaded.values()
    assert (kept.outputs[0].name, kept.outputs[0].expression, kept.reason) == (
        "a\ufffdb",
        "half \ufffd",
        "a\ufffdb",
    )
    assert kept.uses[0].parent == "a\ufffdb"


def test_the_same_graph_is_not_analysed_again_and_writes_its_run_alone(
    store: Any, make_project: Callable[..., Project], recorded: Any
) -> None:
    first, analyst = recorded(make_project("run-1"))
    before = rows(store)

    again, idle = recorded(make_project("run-2"))

    assert analyst.calls == [{}] and idle.calls == []
    assert (first.analyses_written, again.analyses_written) == (12, 0)
    assert (first.column_warnings, again.column_warnings) == (("m000 is strange",), ())
    assert again.written and again.run.column_graph_id == first.run.column_graph_id is not None
    assert rows(store) == before
    assert load_columns(store.adapter.at(store.schema), again.run) == analyst.whole()


def test_another_dialect_way_of_reading_or_recorder_is_analysed_for_itself(
    make_project: Callable[..., Project], recorded: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded(make_project("run-1"))

    for number, difference in enumerate(({"adapter_type": "duckdb"}, {"extractor": "dbt-sql"})):
        again, analyst = recorded(make_project(f"run-{number}-else", **difference))
        assert not again.new_graph and len(analyst.calls) == 1

    monkeypatch.setattr(write, "__version__", "99.0")
    again, analyst = recorded(make_project("run-2"))
    assert len(analyst.calls) == 1 and again.analyses_written == 0


def test_what_the_latest_run_of_any_environment_holds_is_known_and_the_rest_written(
    store: Any, make_project: Callable[..., Project], recorded: Any
) -> None:
    size = 100
    recorded(make_project("run-1", environment="base", place="prod", size=size))
    before = rows(store)

    changed = make_project("run-2", place="pr_7", changed=("m003",), size=size)
    done, analyst = recorded(changed)

    ((known,),) = [analyst.calls]
    assert len(known) == size and set(known.values()) == {("id", "n")}
    assert done.analyses_written == 1
    assert load_columns(store.adapter.at(store.schema), done.run) == analyst.whole()
    after = rows(store)
    assert after["column_analyses"] == before["column_analyses"] + 1
    assert after["column_edges"] == before["column_edges"] + 3
    assert 0 < after["column_part_nodes"] - before["column_part_nodes"] < size / 3


def test_columns_of_another_project_are_not_known(
    make_project: Callable[..., Project], recorded: Any
) -> None:
    recorded(make_project("run-1", project_name="bakery"))

    _, analyst = recorded(make_project("run-2", changed=("m001",)))

    assert analyst.calls == [{}]


def test_a_run_that_is_stored_without_columns_is_given_them_once(
    store: Any, make_project: Callable[..., Project], recorded: Any
) -> None:
    plain = record_run(store.adapter.at(store.schema), make_project())
    assert load_columns(store.adapter.at(store.schema), plain.run) is None

    again, analyst = recorded(make_project())
    once_more, idle = recorded(make_project())

    assert (again.written, again.columns_added, analyst.calls) == (False, True, [{}])
    assert (once_more.columns_added, once_more.run, idle.calls) == (False, again.run, [])
    assert again.run == replace(plain.run, column_graph_id=again.run.column_graph_id)
    assert list_runs(store.adapter.at(store.schema)) == [again.run]
    assert load_columns(store.adapter.at(store.schema), again.run) == analyst.whole()


def test_a_run_of_other_contents_is_given_no_columns(
    store: Any, make_project: Callable[..., Project], recorded: Any
) -> None:
    record_run(store.adapter.at(store.schema), make_project())

    other, analyst = recorded(make_project(changed=("m001",)))

    assert (other.differs, other.columns_added, other.run.column_graph_id) == (True, False, None)
    assert analyst.calls == []


def test_pruned_runs_take_with_them_what_only_they_had(
    store: Any, make_project: Callable[..., Project], recorded: Any
) -> None:
    recorded(make_project("run-1", changed=("m001",)))
    last, analyst = recorded(make_project("run-2", run_at=make_project().run.run_at.replace(day=2)))

    result = prune(store.adapter.at(store.schema), Retention(keep_last=1))

    assert result.rows["column_analyses"] == 1 and result.rows["column_edges"] == 3
    assert load_columns(store.adapter.at(store.schema), last.run) == analyst.whole()
    prune(store.adapter.at(store.schema), Retention(keep_last=0))
    assert set(rows(store).values()) == {0}


def test_what_was_pruned_while_it_was_left_out_is_analysed_after_all(
    store: Any, make_project: Callable[..., Project]
) -> None:
    record_run(store.adapter.at(store.schema), make_project("run-1"), analyse=Analyst(make_project()))
    changed = make_project("run-2", changed=("m003",))
    analyst = Analyst(changed)

    def analyse(known: KnownColumns) -> ColumnGraph:
        graph = analyst(known)
        with store.another() as adapter:
            prune(adapter.at(store.schema), Retention(keep_last=0))
        return graph

    done = record_run(store.adapter.at(store.schema), changed, analyse=analyse)

    assert [len(known) for known in analyst.calls] == [12, 0]
    assert (done.written, done.analyses_written) == (True, 12)
    assert load_columns(store.adapter.at(store.schema), done.run) == analyst.whole()
    assert rows(store)["column_analyses"] == 12


def test_an_analysis_that_fails_leaves_no_run(store: Any, make_project: Callable[..., Project]) -> None:
    def fail(known: KnownColumns) -> ColumnGraph:
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        record_run(store.adapter.at(store.schema), make_project(), analyse=fail)

    assert list_runs(store.adapter.at(store.schema)) == []


@pytest.mark.core("duckdb", "postgres", "sqlite")
def test_recorders_at_once_share_what_they_write(store: Any, make_project: Callable[..., Project]) -> None:
    recorders = 3
    barrier = Barrier(recorders)
    projects = [
        make_project(f"run-{number}", changed=(f"m00{number}",), size=40) for number in range(recorders)
    ]

    def work(project: Project) -> RecordResult:
        analyst = Analyst(project)

        def analyse(known: KnownColumns) -> ColumnGraph:
            barrier.wait(timeout=60)  # nobody holds the store meanwhile, or the others would not come here
            return analyst(known)

        with store.another() as adapter:
            return record_run(adapter.at(store.schema), project, analyse=analyse)

    with ThreadPoolExecutor(recorders) as pool:
        done = list(pool.map(work, projects))

    assert sum(result.analyses_written for result in done) == 40 - recorders + 2 * recorders
    for result, project in zip(done, projects, strict=True):
        assert load_columns(store.adapter.at(store.schema), result.run) == Analyst(project).whole()
    pairs = store.scalar(
        "SELECT COUNT(*) FROM (SELECT DISTINCT lineage_id, ordinal FROM {s}.store_column_edges) AS pairs"
    )
    assert pairs == rows(store)["column_edges"]


@pytest.mark.core("duckdb", "postgres", "sqlite")
def test_neighbours_are_found_by_either_end(
    store: Any, make_project: Callable[..., Project], recorded: Any
) -> None:
    done, _ = recorded(make_project())
    first, second, third = (f"model.shop.m00{number}" for number in range(3))

    with open_store(store.adapter.at(store.schema)) as session:
        run = run_by_id(session, done.run.run_id)
        assert run == done.run
        children = column_children(session, run, [first, "model.shop.m011", "nothing"])
        parents = column_parents(session, run, [third, first])
        readers = column_readers(session, run, [first, second, "nothing"])
        analyses = column_analyses(session, run, [first, "nothing"])

    assert sorted(children, key=str) == [
        ColumnEdge(second, "id", first, "id", "passthrough", 0.9),
        ColumnEdge(second, None, first, "id", "filter", 0.9),
    ]
    assert readers == {(second, first), (third, second)}
    assert {(edge.node_id, edge.column_name, edge.parent_id) for edge in parents} == {
        (third, "id", second),
        (third, None, second),
    }
    assert analyses == {first: (Tier.GOLD, None)}


def test_columns_of_one_name_come_back_as_one(store: Any, make_project: Callable[..., Project]) -> None:
    a, b = ColumnSource("model.shop.a", "x"), ColumnSource("model.shop.b", "x")
    columns = NodeColumns(
        outputs=tuple(ColumnOutput("x", Kind.PASSTHROUGH, None, (source,)) for source in (a, b))
    )
    graph = ColumnGraph(lineage_ids={"model.shop.m000": "one"}, analyses={"one": columns})

    done = record_run(store.adapter.at(store.schema), make_project(), analyse=lambda known: graph)

    loaded = load_columns(store.adapter.at(store.schema), done.run)
    assert loaded == {
        "model.shop.m000": replace(columns, outputs=(ColumnOutput("x", Kind.PASSTHROUGH, None, (a, b)),))
    }
