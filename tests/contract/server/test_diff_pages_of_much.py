"""A diff of 500 changed and 5,000 affected nodes, with a wide data diff: pages stay small."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

import pytest
from starlette.testclient import TestClient

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.record import record_run
from recce_meta.models import Column, NodeMetadata, Project, RunMetadata
from recce_meta.models.data_diff import DetailRow, RowCount, RowCountDiff, Subject, ValueDetail
from recce_meta.models.node import code_hash
from recce_meta.report.addresses import Addresses
from recce_meta.server.access.sessions import Access
from recce_meta.server.app import create_app
from recce_meta.server.stores.stores import Store
from recce_meta.store.data_diffs import save_data_diffs
from tests.contract.server.rich_store import parsed

pytestmark = pytest.mark.extensive

CHANGED, AFFECTED = 500, 5_000
NOW = datetime(2026, 11, 20, 8, tzinfo=timezone.utc)
TO = Addresses("default")
LONG = 3_000
"""Lines of code of one node."""


def model(name: str, code: str, parent: str | None = None, folder: str = "models") -> NodeMetadata:
    return NodeMetadata(
        unique_id=f"model.shop.{name}",
        name=name,
        resource_type="model",
        package_name="shop",
        path=f"{folder}/{name}.sql",
        fqn=("shop", name),
        raw_code=code,
        compiled_code=code,
        code_hash=code_hash(code),
        language="sql",
        columns=(Column("id", "INTEGER"),),
        parents=(f"model.shop.{parent}",) if parent else (),
    )


def project(version: int) -> Project:
    """Return a project in which the first models differ by *version*."""
    changed = [
        model(f"changed_{number:04}", "select\n" + f"  {version} as id, -- a line of code\n" * 60 + "1")
        for number in range(CHANGED - 1)
    ]
    changed.append(model("long", "\n".join(f"select {version * line} as id -- <b>" for line in range(LONG))))
    affected = [
        model(f"reader_{number:04}", "select 1 as id", f"changed_{number % (CHANGED - 1):04}")
        for number in range(AFFECTED)
    ]
    run = RunMetadata(
        run_id=f"run-{version}", run_at=NOW + timedelta(days=version), project_name="shop", environment="prod"
    )
    return Project(run=run, nodes=tuple(sorted([*changed, *affected], key=lambda node: node.unique_id)))


def in_folders(version: int) -> Project:
    """Return a project of 250 nodes in five folders, in which every tenth differs by *version*."""
    run = RunMetadata(
        run_id=f"run-{version}",
        run_at=NOW + timedelta(days=version),
        project_name="folders",
        environment="prod",
    )
    nodes = [
        model(
            f"m{number:03}",
            f"select {version if number % 10 == 0 else 1} as id",
            f"m{number // 10 * 10 if number % 10 else number // 3 // 10 * 10:03}" if number else None,
            folder=f"models/f{number // 10 % 5}",
        )
        for number in range(250)
    ]
    return Project(run=run, nodes=tuple(nodes))


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    url = f"duckdb:///{tmp_path_factory.mktemp('much') / 'store.duckdb'}"
    with UnifiedSqlAdapter.from_url(url) as adapter:
        base, current = (record_run(adapter, project(version), columns=False).run for version in (1, 2))
        for version in (3, 4):
            record_run(adapter, in_folders(version), columns=False)
        names = tuple(f"column_{number}" for number in range(60))
        detail = ValueDetail(
            subject=Subject(name="long", unique_id="model.shop.long", base="a", current="b"),
            key=("id",),
            key_source="option",
            limit=1_000,
            columns=names,
            rows=tuple(
                DetailRow(
                    status="changed",
                    key=(row,),
                    base=("before",) * len(names),
                    current=("after",) * len(names),
                )
                for row in range(150)
            ),
        )
        counts = RowCountDiff(
            counts=tuple(
                RowCount(
                    subject=Subject(name=f"reader_{number:04}", unique_id=f"model.shop.reader_{number:04}"),
                    base=1,
                    current=2,
                )
                for number in range(300)
            )
        )
        save_data_diffs(adapter, [detail, counts], base_run=base, current_run=current, taken_at=NOW)
    store = Store("default", lambda: UnifiedSqlAdapter.from_url(url))
    with TestClient(create_app({"default": store}, Access()), base_url="http://127.0.0.1") as client:
        yield client


def test_the_report_is_small_and_links_to_all(client: TestClient) -> None:
    answer = client.get(TO.diff("run-1", "run-2"))
    found = parsed(answer.text)

    assert len(answer.content) < 200_000
    assert f"({CHANGED} nodes changed, {AFFECTED:,}" in found.text
    assert "nodes are listed: filter them" in found.text
    for name in ("changes.csv", "impacted.json"):
        assert TO.of("diff", "run-1", "run-2", name) in found.links
    nodes = [link for link in found.links if "?node=" in link]
    assert len(nodes) > 100
    assert client.get(nodes[-1]).status_code == 200
    assert len(client.get(TO.diff("run-1", "run-2", view="graph")).content) < 200_000


def test_the_lists_have_all_rows(client: TestClient) -> None:
    address = TO.diff("run-1", "run-2")

    assert len(client.get(f"{address}/changes.json").json()) == CHANGED
    assert client.get(f"{address}/impacted.csv").text.count("\n") == 1 + AFFECTED


def test_a_node_with_much_code_and_data_is_cut_and_says_so(client: TestClient) -> None:
    answer = client.get(TO.diff("run-1", "run-2", node="model.shop.long"))
    found = parsed(answer.text)

    assert len(answer.content) < 200_000
    assert "further rows" in found.text
    data = client.get(TO.diff("run-1", "run-2", node="model.shop.long", tab="data"))
    assert len(data.content) < 200_000 and "of 150 rows are shown" in parsed(data.text).text
    assert answer.text.count('class="gone"') > 100


def test_a_large_graph_is_drawn_in_folders_that_open_in_place(client: TestClient) -> None:
    def drawn(**view: str) -> tuple[set[str], set[tuple[str, str]]]:
        text = client.get(TO.diff("run-3", "run-4", view="graph", **view)).text
        boxes = re.findall(r'<a class="box[^>]*><title>(\S+) \(', text)
        edges = re.findall(r'<path [^>]*class="edge[^>]*><title>(\S+) → (\S+): ', text)
        assert len(boxes) == len({*boxes})
        return {*boxes}, {*edges}

    graph = TO.diff_graph("run-3", "run-4")
    folder = {row["name"]: row["file"].rpartition("/")[0] for row in client.get(f"{graph}/nodes.json").json()}
    names = [(row["parent"], row["child"]) for row in client.get(f"{graph}/edges.json").json()]
    for opened in (None, "models/f2"):
        box = {name: name if found == opened else found for name, found in folder.items()}
        boxes, edges = drawn(**({"open": opened} if opened else {}))
        assert boxes == {*box.values()}
        ends = {(box[parent], box[child]) for parent, child in names}
        assert edges == {(parent, child) for parent, child in ends if parent != child}
    # A filter shows nodes.
    boxes, _ = drawn(path="models/f2")
    assert boxes == {name for name, found in folder.items() if found == "models/f2"}
    assert drawn(open="models/nothing") == drawn()


def test_one_folder_is_opened_with_its_most_harmful_nodes(client: TestClient) -> None:
    text = client.get(TO.diff("run-1", "run-2", view="graph")).text

    assert text.count('<a class="box') == 151 and text.count('<a class="box folder') == 1
    assert f"{CHANGED + AFFECTED:,} changed or affected nodes in 1 of 1 folder." in text
