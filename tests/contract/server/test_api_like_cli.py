"""Pages, the API and the commands agree on random runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from starlette.testclient import TestClient

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.record import record_run
from recce_meta.models import LineageEdge, NodeMetadata, Project, RunMetadata
from recce_meta.models.node import reference_origins
from recce_meta.report.addresses import Addresses
from tests.contract.server.api_shop import answer, items, serving
from tests.e2e.conftest import Cli
from tests.property import test_store_round_trip as random

START = datetime(2026, 1, 1, tzinfo=timezone.utc)
HOSTILE = [
    "a/b",
    "..",
    "%2F",
    "<b>",
    "x~2Fy",
    "a b",
    "é",
    "-n",
    "a'b",
    'a"b',
    "a&b=c",
    "{x}",
    "a?b#c",
    "数据",
]
"""Ids that need encoding somewhere."""
names = st.sampled_from(HOSTILE) | st.text("abcé_.~/", min_size=1, max_size=6)
ids = names.map(lambda name: f"model.p.{name}") | names


@st.composite
def projects(draw: st.DrawFn) -> tuple[tuple[NodeMetadata, ...], tuple[NodeMetadata, ...]]:
    """Return the nodes of two runs: graphs without cycles, of which the second differs from the first."""
    chosen = draw(st.lists(ids, min_size=1, max_size=6, unique=True))
    before = []
    for number, unique_id in enumerate(chosen):
        node = draw(random.nodes)
        parents = tuple(sorted(draw(st.sets(st.sampled_from(chosen[:number]))))) if number else ()
        before.append(_with_parents(replace(node, unique_id=unique_id, macros=()), parents))
    after = [replace(node, raw_code=draw(random.code)) if draw(st.booleans()) else node for node in before]
    return tuple(before), tuple(after[draw(st.integers(0, 1)) :] or after)


def _with_parents(node: NodeMetadata, parents: tuple[str, ...]) -> NodeMetadata:
    return replace(node, parents=parents, edge_origins=reference_origins(parents))


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"duckdb:///{tmp_path_factory.mktemp('random') / 'store.duckdb'}"


@pytest.fixture(scope="module")
def client(url: str) -> Iterator[TestClient]:
    with serving(url) as client:
        yield client


@pytest.fixture(scope="module")
def cli(url: str, tmp_path_factory: pytest.TempPathFactory) -> Cli:
    cli = Cli(tmp_path_factory.mktemp("cli")).within(RECCE_META_URL=url)
    assert isinstance(cli, Cli)
    return cli


def printed(cli: Cli, *arguments: str) -> object:
    """Return what a command prints with `--format json`."""
    ran = cli(arguments[0], "--format", "json", *arguments[1:])
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(sides=projects(), results=random.by_id(random.results, max_size=3), data=st.data())
@pytest.mark.extensive
def test_page_api_and_command_agree(client, cli, url, sides, results, data):
    project = f"p{uuid4().hex[:10]}"
    runs = {
        side: RunMetadata(
            run_id=uuid4().hex, run_at=START + timedelta(days=day), project_name=project, environment=side
        )
        for day, side in enumerate(("base", "current"))
    }
    with UnifiedSqlAdapter.from_url(url) as adapter:
        for run, nodes in zip(runs.values(), sides, strict=True):
            record_run(adapter, Project(run=run, nodes=_closed(nodes), results=results))
    named = ("--project", project)

    listed = items(client, "/runs", project=project, limit=1)
    assert printed(cli, "runs", *named)["runs"] == listed
    page = client.get("/s/default/runs.json", params={"project_name": project}).json()
    assert [run["run_id"] for run in page] == [run["run_id"] for run in listed]

    for side in runs:
        found = answer(client, "/run", run=side, project=project)
        assert found == printed(cli, "show", *named, "--", side)
        nodes = items(client, "/nodes", run=side, project=project, limit=2)
        assert {node["resource_type"] for node in nodes} == set(found["counts"])
        assert len(nodes) == sum(found["counts"].values())
        page = client.get(Addresses("default").run(runs[side].run_id, "nodes") + ".json").json()
        assert {one["unique_id"] for one in page} == {node["unique_id"] for node in nodes}

    diff = answer(client, "/diff", project=project)
    assert not diff.pop("truncated") and diff == printed(cli, "diff", *named, "--", "base", "current")

    chosen = data.draw(st.sampled_from(nodes))["unique_id"]
    depth, way = data.draw(st.integers(1, 5)), data.draw(st.sampled_from(["upstream", "downstream", "both"]))
    asked = {"run": "current", "project": project, "node": chosen}
    lineage = answer(client, "/lineage", **asked, depth=depth, direction=way)
    flags = [] if way == "both" else [f"--{way}"]
    options = (*named, "--run", "current", *flags, "--depth", str(depth))
    assert not lineage.pop("truncated") and lineage == printed(cli, "lineage", *options, "--", chosen)
    impact = answer(client, "/impact", **asked, direction=way)
    options = (*named, "--run", "current", "--direction", way)
    assert not impact.pop("truncated") and impact == printed(cli, "impact", *options, "--", chosen)
    node = answer(client, "/node", **asked)
    (own,) = [one for one in sides[1] if one.unique_id == chosen]
    assert node["node"]["raw_code"] == own.raw_code and node["node"]["name"] == own.name
    known = {one.unique_id for one in sides[1]}
    assert {one["unique_id"] for one in node["parents"]} == set(own.parents) & known
    edges = {LineageEdge(**{end: edge[end] for end in ("node_id", "parent_id")}) for edge in lineage["edges"]}
    assert edges <= {LineageEdge(one.unique_id, parent) for one in sides[1] for parent in one.parents}


def _closed(nodes: tuple[NodeMetadata, ...]) -> tuple[NodeMetadata, ...]:
    """Return *nodes* without edges to nodes that are not among them."""
    known = {node.unique_id for node in nodes}
    return tuple(
        sorted(
            (_with_parents(node, tuple(one for one in node.parents if one in known)) for node in nodes),
            key=lambda node: node.unique_id,
        )
    )
