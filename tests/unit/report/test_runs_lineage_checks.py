"""What `runs`, `show`, `lineage`, `doctor`, `record` and `prune` print."""

from __future__ import annotations

from datetime import datetime, timezone

import msgspec
import pytest

from recce_meta.models import LineageEdge, NodeResult, RunMetadata
from recce_meta.models.lineage import Direction, LineageNode, LineageView
from recce_meta.models.run import Check, Extraction, ExtractionTier, IsolationKind, Trigger
from recce_meta.models.stored import StatisticsSummary
from recce_meta.report import (
    checks_text,
    lineage_json,
    lineage_markdown,
    lineage_text,
    prune_text,
    record_text,
    run_json,
    run_markdown,
    run_text,
    runs_markdown,
    runs_text,
)

RUN = RunMetadata(
    run_id="3f2a91bc-1111-4a2b-8c3d-000000000000",
    run_at=datetime(2026, 11, 19, 8, tzinfo=timezone.utc),
    project_name="shop",
    environment="prod",
    branch="main",
    git_sha="a1b2c3d4e5",
    git_dirty=True,
    dbt_version="1.9.4",
    node_count=1_234,
)
BARE = msgspec.structs.replace(RUN, run_id="short", branch=None, git_sha=None, git_dirty=None)
RESULTS = [
    NodeResult(unique_id="model.shop.slow", status="success", seconds=61.25),
    NodeResult(
        unique_id="model.shop.broken", status="error", seconds=0.5, message="\nNo column | x\nat line 3"
    ),
    NodeResult(unique_id="test.shop.not_null_a_id.f00", status="fail", failures=3, message="Got 3 results"),
]


def node(name: str, distance: int, kind: str = "model") -> LineageNode:
    return LineageNode(unique_id=f"{kind}.shop.{name}", name=name, resource_type=kind, distance=distance)


def edge(child: str, parent: str) -> LineageEdge:
    return LineageEdge(f"model.shop.{child}", f"model.shop.{parent}")


VIEW = LineageView(
    root="model.shop.root",
    nodes=(
        node("a", -2),
        node("b", -1),
        node("c", -1),
        node("root", 0),
        node("d", 1),
        node("a_test", 1, "test"),
    ),
    edges=(
        *(edge("b", "a"), edge("c", "b"), edge("root", "b"), edge("root", "c"), edge("d", "root")),
        LineageEdge("test.shop.a_test", "model.shop.root"),
    ),
)


def test_runs_stand_in_aligned_columns_and_empty_columns_are_left_out() -> None:
    assert runs_text([RUN, BARE], width=100, color=False).splitlines() == [
        "run       environment  branch  sha       run at                nodes  project  dbt",
        "3f2a91bc  prod         main    a1b2c3d*  2026-11-19 08:00 UTC  1,234  shop     1.9.4",
        "short     prod                           2026-11-19 08:00 UTC  1,234  shop     1.9.4",
        "* the code is not that of the commit",
    ]


def test_no_runs_are_said_to_be_none() -> None:
    assert runs_text([], width=80, color=False) == "No runs recorded\n"
    assert runs_markdown([]) == "No runs recorded\n"


def test_every_row_of_runs_has_the_same_cells_in_markdown() -> None:
    hostile = msgspec.structs.replace(RUN, branch="a|b`c\n", project_name="|")

    assert [line.count("|") for line in runs_markdown([RUN, hostile]).splitlines()[:4]] == [9] * 4


def test_a_run_shows_failures_and_the_slowest_nodes() -> None:
    text = run_text(RUN, {"test": 2, "model": 3}, RESULTS, width=100, color=False)

    assert "3 models, 2 tests" in text
    assert "1 error, 1 fail, 1 success · 61.8 s of work" in text
    assert "error  broken         No column | x" in text
    assert "fail   not_null_a_id  Got 3 results" in text
    assert text.index("61.25 s  slow") < text.index("0.50 s  broken")


def test_a_run_in_markdown_escapes_messages() -> None:
    markdown = run_markdown(RUN, {"model": 3}, RESULTS)

    assert "No column &#124; x" in markdown
    assert "| 61.25 | `slow` |" in markdown


def test_a_run_tells_what_is_kept_with_it() -> None:
    kept = StatisticsSummary(
        nodes_counted=1_200,
        nodes_not_counted=3,
        nodes_profiled=1,
        columns_profiled=9,
        first_counted_at=RUN.run_at,
        last_counted_at=datetime(2026, 11, 19, 9, 30, tzinfo=timezone.utc),
    )
    told = "rows of 1,200 nodes, profiles of 1 node, from 2026-11-19 09:30 UTC"

    assert f"statistics  {told}" in run_text(RUN, {}, RESULTS, kept, width=100, color=False)
    assert f"- statistics: `{told}`\n" in run_markdown(RUN, {}, RESULTS, kept)
    document = msgspec.json.decode(run_json(RUN, {}, RESULTS, kept))
    assert document["statistics"]["last_counted_at"] == "2026-11-19T09:30:00Z"


def test_a_run_with_which_nothing_is_kept_does_not_speak_of_it() -> None:
    nothing = StatisticsSummary(nodes_counted=0, nodes_not_counted=2, nodes_profiled=0, columns_profiled=0)

    assert "statistics" not in run_text(RUN, {}, RESULTS, nothing, width=100, color=False)
    assert "statistics" not in run_markdown(RUN, {}, RESULTS, None)
    assert "statistics" not in msgspec.json.decode(run_json(RUN, {}, RESULTS, None))


def test_a_run_as_json_names_its_schema() -> None:
    document = msgspec.json.decode(run_json(RUN, {"model": 3}, RESULTS))

    assert document["schema"] == "recce_meta/run/v1"
    assert [result["unique_id"] for result in document["results"]] == sorted(r.unique_id for r in RESULTS)


def test_a_lineage_is_a_tree_in_which_repeats_are_not_expanded() -> None:
    assert lineage_text(VIEW, width=80, color=False).splitlines() == [
        "root  model",
        "",
        "Upstream  3 models",
        "  ├─ b  model",
        "  │  └─ a  model",
        "  └─ c  model",
        "     └─ b  model  (shown above)",
        "",
        "Downstream  1 model, 1 test",
        "  ├─ d  model",
        "  └─ a_test  test",
    ]


def test_a_lineage_in_one_direction_says_nothing_of_the_other() -> None:
    view = msgspec.structs.replace(VIEW, direction=Direction.DOWNSTREAM)

    assert "Upstream" not in lineage_text(view, width=80, color=False)


def test_a_lineage_deeper_than_the_stack_is_drawn() -> None:
    depth = 3_000
    nodes = tuple(node(f"n{index}", index) for index in range(depth))
    edges = tuple(edge(f"n{index + 1}", f"n{index}") for index in range(depth - 1))
    view = LineageView(root="model.shop.n0", direction=Direction.DOWNSTREAM, nodes=nodes, edges=edges)

    assert len(lineage_text(view, width=80, color=False).splitlines()) == depth + 2


def test_a_lineage_as_a_graph_marks_the_node_that_was_asked_for() -> None:
    assert 'n0["root"]:::root' in lineage_markdown(VIEW)


def test_a_lineage_as_json_goes_from_upstream_to_downstream() -> None:
    document = msgspec.json.decode(lineage_json(VIEW))

    assert [node["distance"] for node in document["nodes"]] == [-2, -1, -1, 0, 1, 1]


def test_failed_checks_come_with_their_hints() -> None:
    checks = [
        Check("profile", True, "shop, target dev"),
        Check("connect", False, "refused", "start the server"),
        Check("write", None, "no connection"),
    ]

    assert checks_text(checks, color=False).splitlines() == [
        "ok       profile  shop, target dev",
        "failed   connect  refused",
        "skipped  write    no connection",
        "",
        "hint: connect: start the server",
        "1 check failed",
    ]


@pytest.mark.parametrize(
    ("is_new", "word"), [(True, "Recorded run 3f2a91bc of shop as prod"), (False, "nothing written")]
)
def test_recording_says_whether_anything_was_written(is_new: bool, word: str) -> None:
    assert word in record_text(RUN, {"model": 3}, is_new=is_new, width=100, color=False)


def test_pruning_says_what_it_did_or_would_do() -> None:
    assert prune_text([RUN], dry_run=True, width=80, color=False).startswith("Would remove 1 run\n")
    assert prune_text([RUN], dry_run=False, width=80, color=False).startswith("Removed 1 run\n")
    assert prune_text([], dry_run=False, width=80, color=False) == "Nothing to prune\n"


def test_a_run_shows_how_it_was_extracted_from_a_repository():
    extraction = Extraction(
        connection="shop",
        job="0123456789ab:main:7",
        trigger=Trigger.POLL,
        requested_by="poller",
        tier=ExtractionTier.SILVER,
        isolation=IsolationKind.BUBBLEWRAP,
        adapter="duckdb",
        is_stand_in=True,
        fallback="dbt parse failed\nin a macro",
    )
    run = msgspec.structs.replace(RUN, extraction=extraction)

    lines = [line.split() for line in run_text(run, {}, width=100, color=False).splitlines()]

    assert ["connection", "shop"] in lines
    assert ["job", "0123456789ab:main:7"] in lines
    assert ["requested", "poll", "by", "poller"] in lines
    assert ["isolation", "bubblewrap"] in lines
    assert ["parsed", "with", "duckdb", "as", "a", "stand-in"] in lines
    (tier,) = [line for line in lines if line[:1] == ["tier"]]
    assert " ".join(tier).startswith("tier SILVER: dbt parse failed")
