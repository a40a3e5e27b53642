"""Notes, tags and owners on the pages: forms, their refusals, edges, the list, and what diffs show."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from msgspec.structs import replace
from starlette.testclient import TestClient

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.models.marks.annotation import LONGEST_NOTE, PRESENT, AnnotationEvent, AnnotationTarget
from recce_meta.report.addresses import Addresses
from recce_meta.server.access.scopes import READ_ONLY, Permissions
from recce_meta.server.stores.stores import Store
from recce_meta.store.marks.annotations import AnnotationChange, add_annotations, list_annotations
from recce_meta.store.read import list_runs
from recce_meta.store.sql_files import DEFAULT_SCHEMA
from tests.contract.server.rich_store import parsed
from tests.contract.server.small_store import LOCAL, client_of, file_url, record_side

pytestmark = pytest.mark.core("duckdb")

TO = Addresses("default")
WRITES = Permissions(writes=True)
PROJECT = "jaffle_shop"
ORDERS, STG_ORDERS = "model.jaffle_shop.orders", "model.jaffle_shop.stg_orders"
HOSTILE = "x\"'><script>alert(1)</script>\u202e"

Place = tuple[str, str]


@pytest.fixture(scope="module")
def whole_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A DuckDB file with both sides of the demo."""
    url = file_url(tmp_path_factory.mktemp("noted") / "store.duckdb")
    record_side(url, "base", "current")
    return url


@pytest.fixture
def noted_file(whole_file: str, tmp_path: Path) -> Place:
    """A copy of `whole_file`, which the test may write to."""
    file = tmp_path / "store.duckdb"
    file.write_bytes(Path(whole_file.removeprefix("duckdb:///")).read_bytes())
    return file_url(file), DEFAULT_SCHEMA


@pytest.fixture(params=["duckdb", "postgres"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """URL and schema of a store that the test may write to."""
    if request.param == "duckdb":
        yield request.getfixturevalue("noted_file")
        return
    url, schema = request.getfixturevalue("postgres_url"), f"notes_{uuid4().hex[:12]}"
    record_side(url, "base", "current", schema=schema)
    try:
        yield url, schema
    finally:
        with UnifiedSqlAdapter.from_url(url) as adapter:
            adapter.execute(f'DROP SCHEMA "{schema}" CASCADE')


def client_at(place: Place, permissions: Permissions = WRITES) -> TestClient:
    url, schema = place
    return client_of(
        Store(
            "default",
            lambda: UnifiedSqlAdapter.from_url(url, may_create=False).at(schema),
            permissions=permissions,
        )
    )


def runs_at(place: Place) -> tuple[str, str]:
    with UnifiedSqlAdapter.from_url(place[0]) as adapter:
        ids = {run.environment: run.run_id for run in list_runs(adapter.at(place[1]))}
    return ids["base"], ids["current"]


def events_at(place: Place, *, with_history: bool = False) -> list[AnnotationEvent]:
    with UnifiedSqlAdapter.from_url(place[0]) as adapter:
        return list(list_annotations(adapter.at(place[1]), with_history=with_history))


def values_at(place: Place) -> set[tuple[str, str]]:
    return {(event.field, event.item or str(event.value)) for event in events_at(place)}


def annotate(place: Place, field: str, text: str, **parts: Any) -> None:
    target = AnnotationTarget(**{"project_name": PROJECT, "unique_id": ORDERS, **parts})
    item, value = ("", text) if field == "note" else (text, PRESENT)
    with UnifiedSqlAdapter.from_url(place[0]) as adapter:
        add_annotations(adapter.at(place[1]), [AnnotationChange(target, field, item, value)], author="Cat")


def fields_of(client: TestClient, address: str) -> dict[str, str]:
    """Return the hidden fields of the form on the page at *address*."""
    page = parsed(client.get(address).text)
    return {
        one["name"]: one.get("value", "")
        for one in page.elements("input")
        if one.get("type") == "hidden" and one["name"] not in ("size", "sort")
    }


@pytest.mark.extensive
def test_a_note_is_stored_and_shown_at_once(place: Place) -> None:
    base, current = runs_at(place)
    node = TO.node(current, ORDERS)
    with client_at(place) as client:
        fields = fields_of(client, node)
        assert fields == {"run": current, "node": ORDERS}
        note = f"First line\r\nsecond {HOSTILE}"
        given = {"note": note, "tags": "pii\r\n\r\nfinance", "owners": f"Ann {HOSTILE}", "reviewer": "Bob"}

        answer = client.post(TO.notes(), data={**fields, **given})

        assert (answer.status_code, answer.headers["location"]) == (303, f"{node}#notes"), answer.text
        for address in (
            node,
            TO.diff(base, current, node=ORDERS, tab="notes"),
            TO.diff(base, current, node=ORDERS),
            TO.project(PROJECT),
            TO.notes(),
        ):
            text = client.get(address).text
            # The fields of a form must send a value back unchanged.
            shown = text.partition("<form method")[0] if address != TO.notes() else text
            assert "<script>alert" not in text and "\u202e" not in shown, address
            assert f"Ann {HOSTILE[:-1]}" in parsed(text).text, address
        text = client.get(node).text
        assert "First line\nsecond" in text and "Bob, 20" in text
        rows = client.get(TO.notes() + ".json").json()
        assert {(row["field"], row["text"], row["state"], row["author"]) for row in rows} == {
            ("note", f"First line\nsecond {HOSTILE}", "present", "Bob"),
            ("tag", "pii", "present", "Bob"),
            ("tag", "finance", "present", "Bob"),
            ("owner", f"Ann {HOSTILE}", "present", "Bob"),
        }


@pytest.mark.extensive
def test_a_form_changes_only_what_its_user_changed(noted_file: Place) -> None:
    _, current = runs_at(noted_file)
    node = TO.node(current, ORDERS)
    annotate(noted_file, "note", "old")
    annotate(noted_file, "tag", "gone")
    annotate(noted_file, "tag", "kept")
    with client_at(noted_file) as client:
        fields = fields_of(client, node)
        assert (fields["had_note"], fields["had_tags"]) == ("old", "gone\nkept")
        annotate(noted_file, "tag", "meanwhile")
        annotate(noted_file, "owner", "Dan")
        sent = {**fields, "had_tags": "gone\r\nkept", "note": "old", "tags": "kept\r\nnew", "reviewer": "Eve"}
        assert client.post(TO.notes(), data=sent).status_code == 303
    assert values_at(noted_file) == {
        ("note", "old"), ("tag", "kept"), ("tag", "meanwhile"), ("tag", "new"), ("owner", "Dan"),
    }  # fmt: skip
    assert {event.item for event in events_at(noted_file, with_history=True) if event.author == "Eve"} == {
        "gone",
        "new",
    }


@pytest.mark.extensive
def test_an_edited_and_a_deleted_note_stay_in_the_list(noted_file: Place) -> None:
    _, current = runs_at(noted_file)
    node = TO.node(current, ORDERS)
    with client_at(noted_file) as client:
        for text in ("first", "second", ""):
            fields = fields_of(client, node)
            client.post(TO.notes(), data={**fields, "note": text, "reviewer": "Ann"})
        assert "second" not in client.get(node).text
        rows = client.get(TO.notes() + ".json").json()
        listed = client.get(TO.notes(state="replaced", sort="edited_at") + "&size=1").text
    assert [(row["text"], row["state"]) for row in rows] == [
        (None, "deleted"),
        ("second", "replaced"),
        ("first", "replaced"),
    ]
    assert ">first<" in listed and "Page 1 of 2" in listed
    assert values_at(noted_file) == set()


@pytest.mark.extensive
def test_columns_and_edges_have_notes(noted_file: Place) -> None:
    _, current = runs_at(noted_file)
    column, edge = TO.column(current, ORDERS, "STATUS"), TO.edge(current, STG_ORDERS, ORDERS)
    with client_at(noted_file) as client:
        lineage = client.get(TO.node(current, ORDERS, "lineage")).text
        assert f'href="{edge}"' in lineage and ">none</a>" in lineage
        for address, note in ((column, "of the column"), (edge, "of the edge")):
            answer = client.post(
                TO.notes(), data={**fields_of(client, address), "note": note, "reviewer": "Ann"}
            )
            assert answer.status_code == 303, answer.text
            assert note in client.get(answer.headers["location"]).text
        pairs = client.get(edge).text
        (between,) = {
            one["href"]
            for one in parsed(pairs).elements("a")
            if one.get("href", "").startswith(f"{edge}?column=status&")
        }
        fields = fields_of(client, between.replace("&amp;", "&"))
        assert (fields["column"], fields["parent"], fields["parent_column"]) == (
            "status",
            STG_ORDERS,
            "status",
        )
        client.post(TO.notes(), data={**fields, "note": "between columns", "reviewer": "Ann"})

        columns = client.get(TO.node(current, ORDERS, "columns") + ".json").json()
        assert {row["name"]: row["notes"] for row in columns if row["notes"]} == {"status": "of the column"}
        assert ">of the edge</a>" in client.get(TO.node(current, ORDERS, "lineage")).text
        children = client.get(TO.node(current, STG_ORDERS, "children") + ".json").json()
        assert "of the edge" in {row["notes"] for row in children}
        assert "between columns" in client.get(edge).text
        assert "between columns" in client.get(TO.column(current, ORDERS, "status")).text
        addresses = {row["text"]: row for row in client.get(TO.notes() + ".json").json()}
        links = [one["href"] for one in parsed(client.get(TO.notes()).text).elements("a") if "href" in one]
        assert {one["object"] for one in addresses.values()} == {"column", "edge"}
        for link in links:
            if "/runs/" in link:
                assert client.get(link.replace("&amp;", "&")).status_code == 200, link


def test_notes_of_a_column_that_is_gone_can_be_deleted(noted_file: Place) -> None:
    _, current = runs_at(noted_file)
    parts = {"parent_id": "model.jaffle_shop.gone", "column_name": "gone", "parent_column": "x"}
    annotate(noted_file, "note", "stale", **parts)
    edge = TO.edge(current, "model.jaffle_shop.gone", ORDERS)
    with client_at(noted_file) as client:
        assert "stale" in client.get(edge).text and "does not read" in client.get(edge).text
        form = {
            "run": current, "node": ORDERS, "parent": parts["parent_id"], "column": "gone",
            "parent_column": "x", "had_note": "stale", "reviewer": "Ann",
        }  # fmt: skip
        answer = client.post(TO.notes(), data=form)
        assert answer.headers["location"] == TO.node(current, ORDERS, "lineage")
        assert client.get(edge).status_code == 404
    assert events_at(noted_file) == []


def test_without_permission_there_is_no_form_and_no_write(noted_file: Place) -> None:
    base, current = runs_at(noted_file)
    annotate(noted_file, "note", "seen by all")
    with client_at(noted_file, READ_ONLY) as client:
        for address in (TO.node(current, ORDERS), TO.diff(base, current, node=ORDERS, tab="notes")):
            text = client.get(address).text
            assert "seen by all" in text and 'name="had_note"' not in text and "<textarea" not in text
        form = {"run": current, "node": ORDERS, "note": "x", "reviewer": "Ann"}
        answer = client.post(TO.notes(), data=form)
        assert (answer.status_code, "serve --allow-writes" in answer.text) == (403, True)
        assert "serve --allow-writes" in client.get(TO.notes()).text
    assert values_at(noted_file) == {("note", "seen by all")}


@pytest.mark.cases(2)
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": LOCAL}, 303),
    ],
)
def test_only_pages_of_this_server_may_write(noted_file: Place, headers: dict[str, str], status: int) -> None:
    _, current = runs_at(noted_file)
    with client_at(noted_file) as client:
        form = {"run": current, "node": ORDERS, "note": "x", "reviewer": "Eve"}
        assert client.post(TO.notes(), data=form, headers=headers).status_code == status
    assert len(events_at(noted_file)) == (status == 303)


INVALID: list[tuple[dict[str, str], str]] = [
    ({"reviewer": ""}, "name of the author is missing"),
    ({"reviewer": "x" * 201}, "more than 200"),
    ({"note": "x" * (LONGEST_NOTE + 1)}, "more than 4,000"),
    ({"tags": "x" * 201}, "more than 200"),
    ({"tags": "\n".join(map(str, range(101)))}, "102 changes, more than 100"),
    ({"run": ""}, "names no run"),
    ({"run": "nope"}, "nope"),
    ({"node": "nope"}, "no node nope"),
    ({"column": "nope"}, "has no column nope"),
    ({"parent": "nope"}, "does not read nope"),
    ({"parent": STG_ORDERS, "column": "status", "parent_column": "nope"}, "has no column nope"),
    ({"parent": STG_ORDERS, "parent_column": "status"}, "needs both columns"),
]


def test_an_invalid_form_is_a_page_with_the_reason(noted_file: Place, subtests: pytest.Subtests) -> None:
    _, current = runs_at(noted_file)
    with client_at(noted_file) as client:
        for given, message in INVALID:
            with subtests.test(**given):
                form = {"run": current, "node": ORDERS, "note": "fine", "reviewer": "Ann", **given}
                answer = client.post(TO.notes(), data=form)
                assert answer.status_code in (400, 404), answer.text
                assert message in parsed(answer.text).text
    assert events_at(noted_file) == []


def test_notes_of_nodes_that_no_run_has_are_listed_without_a_link(noted_file: Place) -> None:
    annotate(noted_file, "note", "elsewhere", project_name="other")
    annotate(noted_file, "note", "removed", unique_id="model.jaffle_shop.removed")
    with client_at(noted_file, READ_ONLY) as client:
        text = client.get(TO.notes()).text
        assert "elsewhere" in text and "removed" in text
        assert not [one for one in parsed(text).elements("a") if "/runs/" in one.get("href", "")]
        assert "elsewhere" not in client.get(TO.project(PROJECT)).text


@pytest.mark.extensive
def test_pages_stay_small_with_many_long_notes(noted_file: Place) -> None:
    base, current = runs_at(noted_file)
    own = AnnotationTarget(project_name=PROJECT, unique_id=ORDERS)
    targets = [own] + [replace(own, column_name=f"column {number}") for number in range(60)]
    targets += [replace(one, parent_id=STG_ORDERS, parent_column="status") for one in targets[1:]]
    changes = [AnnotationChange(target, "note", "", "x" * LONGEST_NOTE) for target in targets]
    with UnifiedSqlAdapter.from_url(noted_file[0]) as adapter:
        add_annotations(adapter, changes, author="Cat")
    with client_at(noted_file) as client:
        for address in (
            TO.diff(base, current, node=ORDERS),
            TO.diff(base, current, node=ORDERS, tab="notes"),
            TO.edge(current, STG_ORDERS, ORDERS),
            TO.node(current, ORDERS),
            TO.notes(),
        ):
            text = client.get(address).text
            assert "xxx" in text and len(text) < 200_000, address


@pytest.mark.extensive
def test_graphs_and_impacts_name_annotated_owners(noted_file: Place) -> None:
    base, current = runs_at(noted_file)
    annotate(noted_file, "owner", "Finance")
    annotate(noted_file, "note", "One row\nper order")
    with client_at(noted_file, READ_ONLY) as client:
        for graph in (TO.graph(current), TO.diff_graph(base, current)):
            nodes = {one["id"]: one for one in client.get(f"{graph}.json").json()["nodes"]}
            assert (nodes[ORDERS]["owner"], nodes[ORDERS]["note"]) == ("Finance", "One row per order")
        owned = client.get(TO.graph(current, owner="Finance").replace("/graph?", "/graph.json?")).json()
        assert [one["id"] for one in owned["nodes"]] == [ORDERS]
        rows = client.get(TO.impact_list(current, STG_ORDERS, "nodes") + ".json").json()
        assert {row["owner"] for row in rows if row["unique_id"] == ORDERS} == {"Finance"}
