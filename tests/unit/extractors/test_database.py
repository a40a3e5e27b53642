"""A scan, of catalogs that answer from lists: what is chosen, what is asked, and what becomes of failures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from recce_meta.errors import (
    ConnectionLost,
    MissingRelation,
    PermissionDenied,
    QueryCancelled,
    UnknownNameError,
    WarehouseError,
)
from recce_meta.extractors import database as live
from recce_meta.extractors.database import ScanScope, extract_database
from recce_meta.models import Project
from recce_meta.models.catalog import RelationFacts
from recce_meta.warehouses import warehouse_named
from recce_meta.warehouses.catalog import BaseCatalog, Part

Answers = dict[str, list[tuple[Any, ...]]]
ANSWERS: Answers = {
    "schemas": [
        ("shop", "ann", "What is sold", True),
        ("pg_toast",),
        ("kept", "ann"),
        ("Old", "ann", None, False),
    ],
    "relations": [
        ("shop", "item", "table", "ann"),
        ("shop", "item_log", "table", "ann"),
        ("Old", "item", "table", "ann"),
        ("shop", "cheap", "view", "ann", None, "SELECT id FROM shop.item"),
    ],
    "columns": [("shop", "item", "id", "integer", True), ("shop", "item", "price", "numeric", False, "1")],
    "constraints": [
        ("shop", "item", "positive", "check", '["price"]', "(price > 0)"),
        ("shop", "item", "item_pk", "primary_key", '["id"]'),
    ],
    "indexes": [("shop", "item", "by_price", "CREATE INDEX by_price", False)],
}


class Catalog(BaseCatalog):
    """Statements that are the names of what they tell of, and schemas."""

    system_schemas = ("pg_*",)
    settings = ("SET UP",)

    def statements(self, part: Part, schemas: Sequence[str], database: str | None) -> tuple[str, ...]:
        return (f"FIRST {part.value}", f"{part.value}|{'|'.join(schemas)}")


class Adapter:
    """Answers from lists; *fail* is called with each statement before it is answered."""

    def __init__(self, answers: Answers, fail: Callable[[str], None] = lambda _: None) -> None:
        self.warehouse, self.target = warehouse_named("postgres"), None
        self.name = self.database = "shop_db"
        self.role = "ann"
        self._answers, self._fail = answers, fail
        self.sent: list[str] = []

    @contextmanager
    def session(self, *, atomic: bool = True) -> Iterator[None]:
        self.sent.append("BEGIN" if atomic else "")
        yield

    def execute(self, sql: str) -> tuple[list[str], list[Any]]:
        self.sent.append(sql)
        return [], []

    def answer(self, sql: str) -> list[tuple[Any, ...]]:
        self.sent.append(sql)
        self._fail(sql)
        part, *schemas = sql.split("|")
        return [row for row in self._answers[part] if part == "schemas" or row[0] in schemas]


@pytest.fixture
def scanned(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Project, Adapter]]:
    """What scans by `Catalog`."""
    monkeypatch.setattr(live, "catalog_of", lambda _: Catalog())

    def run(
        scope: ScanScope | None = None,
        *,
        answers: Answers = ANSWERS,
        fail: Callable[[str], None] = lambda _: None,
    ) -> tuple[Project, Adapter]:
        adapter: Any = Adapter(answers, fail)
        return extract_database(adapter, scope=scope or ScanScope(hidden=("kept",))), adapter

    return run


def ids(project: Project) -> list[str]:
    return [node.unique_id.partition(".")[2] for node in project.nodes]


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (ScanScope(), ["Old.item", "shop.cheap", "shop.item", "shop.item_log", "Old", "kept", "shop"]),
        (ScanScope(hidden=("kept", "Old")), ["shop.cheap", "shop.item", "shop.item_log", "shop"]),
        (ScanScope(schemas=("kept",), hidden=("kept",)), ["kept"]),
        (ScanScope(schemas=("pg_toast",)), ["pg_toast"]),
        (
            ScanScope(schemas=("OLD", "sh*")),
            ["Old.item", "shop.cheap", "shop.item", "shop.item_log", "Old", "shop"],
        ),
        (ScanScope(include=("item",), hidden=("k*",)), ["Old.item", "shop.item", "Old", "kept", "shop"]),
        (ScanScope(schemas=("shop",), include=("item*",), exclude=("shop.*_log",)), ["shop.item", "shop"]),
    ],
)
def test_a_scope_chooses_by_names_and_globs(
    scanned: Callable[..., tuple[Project, Adapter]], scope: ScanScope, expected: list[str]
) -> None:
    project, _ = scanned(scope)

    assert ids(project) == expected


def test_a_schema_that_is_not_there_is_told_with_those_that_are(
    scanned: Callable[..., tuple[Project, Adapter]],
) -> None:
    with pytest.raises(UnknownNameError, match="Unknown schema 'shops'") as caught:
        scanned(ScanScope(schemas=("shops",)))

    assert "shop" in (caught.value.hint or "")


def test_all_schemas_are_asked_for_at_once_in_one_transaction(
    scanned: Callable[..., tuple[Project, Adapter]],
) -> None:
    _, adapter = scanned()

    parts = ("relations", "columns", "constraints", "indexes")
    assert adapter.sent == [
        *("BEGIN", "SET UP", "FIRST schemas", "schemas|"),
        *(text for part in parts for text in (f"FIRST {part}", f"{part}|Old|shop")),
    ]


def test_rows_become_nodes(scanned: Callable[..., tuple[Project, Adapter]]) -> None:
    project, _ = scanned()
    nodes = {node.unique_id: node for node in project.nodes}
    item, view = nodes["relation.shop.item"], nodes["relation.shop.cheap"]

    assert project.run.extractor == "database"
    assert (project.run.project_name, project.run.command) == ("shop_db", "scan")
    assert (project.run.node_count, project.run.edge_count) == (6, 1)
    assert [(one.name, one.type, one.not_null, one.default) for one in item.columns] == [
        ("id", "integer", True, None),
        ("price", "numeric", False, "1"),
    ]
    assert item.properties == {
        "owner": "ann",
        "constraints": [
            {"name": "item_pk", "type": "primary_key", "columns": ["id"]},
            {"name": "positive", "type": "check", "columns": ["price"], "expression": "(price > 0)"},
        ],
        "indexes": [{"name": "by_price", "definition": "CREATE INDEX by_price", "unique": False}],
    }
    assert view.parents == ("relation.shop.item",)
    assert view.compiled_code == 'SELECT id FROM "shop_db"."shop"."item"'
    assert nodes["schema.shop"].description == "What is sold"
    assert project.warnings == (
        "No permission to use schema Old: only its catalog is read; ask an administrator to run: "
        'GRANT USAGE ON SCHEMA "Old" TO "ann"; GRANT SELECT ON ALL TABLES IN SCHEMA "Old" TO "ann"',
    )


def test_what_changes_with_the_data_is_no_part_of_a_node(
    scanned: Callable[..., tuple[Project, Adapter]],
) -> None:
    at = datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=2)))
    row = ("shop", "item", "table", "ann", *(None,) * 8)
    sized = {**ANSWERS, "relations": [(*row, 7, 8192, None, at), ("shop", "item_log", "table", "ann")]}

    small, _ = scanned(answers=sized)
    large, _ = scanned(answers={**sized, "relations": [(*row, 70, 81920), sized["relations"][1]]})

    assert small.nodes == large.nodes
    utc = datetime(2026, 1, 2, 1, tzinfo=timezone.utc)
    assert small.facts == (
        RelationFacts(unique_id="relation.shop.item", row_estimate=7, bytes=8192, altered_at=utc),
    )


def test_options_that_may_be_secrets_are_not_kept(scanned: Callable[..., tuple[Project, Adapter]]) -> None:
    options = (
        '{"server": "far", "foreign": {"password": "hush", "url": "https://ann:hush@far/", "table": "t"}}'
    )
    row = ("shop", "item", "external_table", "ann", *(None,) * 7, options)

    project, _ = scanned(answers={**ANSWERS, "relations": [row]})

    kept = next(node for node in project.nodes if node.name == "item").properties["options"]
    assert kept == {
        "server": "far",
        "foreign": {"password": "***", "url": "https://ann:***@far/", "table": "t"},
    }


def test_of_a_view_that_nobody_can_parse_the_names_tell_what_it_reads(
    scanned: Callable[..., tuple[Project, Adapter]],
) -> None:
    view = ("shop", "cheap", "view", "ann", None, "SELECT item.id FROM shop.item, Old.item AS o WHERE ((")

    project, _ = scanned(answers={**ANSWERS, "relations": [*ANSWERS["relations"][:3], view]})

    (node,) = (node for node in project.nodes if node.name == "cheap")
    assert node.parents == ("relation.Old.item", "relation.shop.item")
    assert project.warnings[1].startswith("View shop.cheap is not understood: ")
    assert project.warnings[1].endswith("; its parents come from the names in it")


def failing(error: WarehouseError, parts: Sequence[str], times: int = 1000) -> Callable[[str], None]:
    """Fails the statements that begin with one of *parts*, for as many *times*."""
    left = [times]

    def fail(sql: str) -> None:
        if sql.startswith(tuple(parts)) and left[0]:
            left[0] -= 1
            raise error

    return fail


def test_what_was_dropped_meanwhile_is_not_there_when_all_is_read_again(
    scanned: Callable[..., tuple[Project, Adapter]],
) -> None:
    project, adapter = scanned(fail=failing(MissingRelation("gone"), ["indexes"], times=1))

    assert project.nodes == scanned()[0].nodes
    assert project.warnings == scanned()[0].warnings
    assert adapter.sent.count("schemas|") == 2


@pytest.mark.parametrize(
    ("error", "attempts"), [(WarehouseError("broken\nLINE 1"), 3), (PermissionDenied("no right"), 1)]
)
def test_what_one_schema_keeps_back_costs_no_other(
    scanned: Callable[..., tuple[Project, Adapter]], error: WarehouseError, attempts: int
) -> None:
    project, adapter = scanned(fail=failing(error, ["columns|Old"]))

    said = error.message.partition("\n")[0]
    assert project.warnings[0] == f"Schema Old is not in this run: its columns could not be read: {said}"
    assert [node.unique_id for node in project.nodes] == [
        node.unique_id for node in scanned()[0].nodes if node.schema_name != "Old"
    ]
    assert project.run.command == "scan --unread Old"
    assert adapter.sent.count("schemas|") == attempts


@pytest.mark.parametrize(
    ("error", "parts"),
    [
        (WarehouseError("nothing can be read"), ["relations"]),
        (WarehouseError("no schemas"), ["schemas"]),
        (ConnectionLost("gone"), ["columns|Old|shop"]),
        (QueryCancelled("stopped"), ["columns|Old|shop"]),
    ],
)
def test_what_concerns_all_ends_the_scan(
    scanned: Callable[..., tuple[Project, Adapter]], error: WarehouseError, parts: list[str]
) -> None:
    with pytest.raises(type(error), match=error.message):
        scanned(fail=failing(error, parts))
