"""Two scans in a store: compared there they differ as they do whole, and lineage keeps foreign keys apart."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from msgspec.structs import replace

from recce_meta.api.diff import NOTHING_MORE, diff, whole_diff
from recce_meta.api.record import record_run
from recce_meta.api.runs import load_lineage
from recce_meta.models import Column, NodeMetadata, Project, Reason, RunMetadata
from recce_meta.models.catalog import relation_id, schema_id
from recce_meta.store.select import load_run
from tests.contract.store.conftest import Store, database, store

__all__ = ["database", "store"]
pytestmark = pytest.mark.beyond_emulators


def relation(name: str, kind: str = "table", **fields: object) -> NodeMetadata:
    given = {
        "schema_name": "shop",
        "identifier": name,
        "database_name": "dvd",
        "relation_name": f'"dvd"."shop"."{name}"',
        "materialized": kind,
        "columns": (Column("id", "integer", not_null=True), Column("rate", "numeric", default="0")),
        "columns_from": "catalog",
        "fqn": ("shop", name),
        **fields,
    }
    unique_id = relation_id("shop", name)
    return NodeMetadata(unique_id=unique_id, name=name, resource_type=kind, **given)  # type: ignore[arg-type]


def view(name: str, sql: str, *parents: str) -> NodeMetadata:
    full = sql
    for parent in parents:
        full = full.replace(f"shop.{parent}", f'"dvd"."shop"."{parent}"')
    ids = tuple(relation_id("shop", parent) for parent in parents)
    return relation(
        name,
        "view",
        raw_code=sql,
        compiled_code=full,
        parents=ids,
        columns=(Column("id", "integer"),),
        language="sql",
    )


KEY = {
    "name": "film_language",
    "type": "foreign_key",
    "columns": ["rate"],
    "references": {"relation": "relation.shop.language", "columns": ["id"]},
    "on_delete": "cascade",
}
BEFORE = (
    NodeMetadata(unique_id=schema_id("shop"), name="shop", resource_type="schema", schema_name="shop"),
    relation("film", properties={"constraints": [KEY], "owner": "dba"}),
    relation("language"),
    relation("old"),
    view("cheap", "SELECT id FROM shop.film WHERE rate < 1", "film"),
    view("laid_out", "SELECT id FROM shop.film", "film"),
    view("names", "SELECT id FROM shop.cheap", "cheap"),
    relation("kept"),
)
AFTER = (
    BEFORE[0],
    relation(
        "film",
        columns=(Column("id", "bigint", not_null=True), Column("rate", "numeric", default="1")),
        properties={"constraints": [{**KEY, "on_delete": "restrict"}], "owner": "app"},
    ),
    relation("language", description="Spoken"),
    view("cheap", "SELECT id FROM shop.film WHERE rate < 2", "film"),
    view("laid_out", "SELECT id\n  FROM shop.film", "film"),
    view("names", "SELECT id FROM shop.cheap", "cheap"),
    relation("kept"),
    relation("new"),
)


def project(run_id: str, nodes: tuple[NodeMetadata, ...], command: str = "scan") -> Project:
    run = RunMetadata(
        run_id=run_id,
        run_at=datetime(2026, 11, 20, int(run_id[-1]), tzinfo=timezone.utc),
        project_name="dvd",
        extractor="database",
        adapter_type="postgres",
        target_database="dvd",
        command=command,
    )
    return Project(run=run, nodes=tuple(sorted(nodes, key=lambda node: node.unique_id)))


def test_a_stored_diff_of_two_scans_tells_what_comparing_them_whole_tells(store: Store) -> None:
    adapter, schema = store.adapter, store.schema
    part = "scan --include film --include c*"
    scans = [project("scan-1", BEFORE), project("scan-2", AFTER), project("scan-3", AFTER[1:4], part)]
    for scan in scans:
        record_run(adapter.at(schema), scan)

    for first, second in (("scan-1", "scan-2"), ("scan-2", "scan-1"), ("scan-1", "scan-3")):
        stored = diff(lambda: adapter.at(schema), first, second)
        whole = whole_diff(*(load_run(adapter.at(schema), name) for name in (first, second)), NOTHING_MORE)

        # Code in the store has ids in the place of relations; what is told of it is compared by its reasons.
        assert [_told(change) for change in stored.changes] == [_told(change) for change in whole.changes]
        assert (stored.impacted, stored.notes) == (whole.impacted, whole.notes)

    forth = diff(lambda: adapter.at(schema), "scan-1", "scan-2")
    assert {change.name: change.status.value for change in forth.changes} == {
        "shop.cheap": "modified",
        "shop.film": "modified",
        "shop.laid_out": "unchanged",
        "shop.language": "modified",
        "shop.new": "added",
        "shop.old": "removed",
    }
    assert [(impact.name, impact.columns) for impact in forth.impacted] == [
        ("shop.laid_out", ("id",)),
        ("shop.names", ()),
    ]


def _told(change: object) -> object:
    details = tuple(
        detail
        for detail in change.details  # type: ignore[attr-defined]
        if detail.reason not in (Reason.BODY, Reason.FORMATTING)
    )
    return replace(change, details=details)  # type: ignore[type-var]


def test_the_lineage_of_a_scanned_table_has_its_foreign_keys_beside_it(store: Store) -> None:
    adapter, schema = store.adapter, store.schema
    record_run(adapter.at(schema), project("scan-1", BEFORE))

    film = load_lineage(lambda: adapter.at(schema), "latest", "shop.film")
    language = load_lineage(lambda: adapter.at(schema), "latest", "language")
    (key,) = film.foreign_keys

    assert (key.node_id, key.parent_id, key.columns, key.parent_columns, key.on_delete) == (
        *("relation.shop.film", "relation.shop.language", ("rate",), ("id",), "cascade"),
    )
    assert language.foreign_keys == film.foreign_keys
    assert {edge.parent_id for edge in film.edges} == {"relation.shop.film", "relation.shop.cheap"}
    assert [node.name for node in language.nodes] == ["shop.language"]
