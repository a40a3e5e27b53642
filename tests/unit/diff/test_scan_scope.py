"""What two scans, or two readers of a project, both covered."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from recce_meta.diff.scan import (
    nodes_in_scope,
    previous_scan,
    schema_and_relation,
    scope_note,
    shared_scope,
)
from recce_meta.extractors.database import ScanScope
from recce_meta.models import NodeMetadata, RunMetadata
from recce_meta.models.catalog import relation_id, schema_id

EVERYTHING = ScanScope()
EARLY = datetime(2026, 11, 20, tzinfo=timezone.utc)


def run(scope: ScanScope) -> RunMetadata:
    return RunMetadata(
        run_id="r",
        run_at=EARLY,
        project_name="shop",
        extractor="database",
        adapter_type="postgres",
        command=str(scope),
    )


@pytest.mark.parametrize(
    ("base", "current", "seen", "unseen"),
    [
        (ScanScope(schemas=("a",)), EVERYTHING, ["schema.a", "relation.a.t"], ["schema.b", "relation.b.t"]),
        (ScanScope(schemas=("a",)), ScanScope(schemas=("a*",)), ["relation.a.t"], ["relation.ab.t"]),
        (ScanScope(schemas=("A",)), EVERYTHING, ["relation.a.t"], ["relation.b.t"]),
        (EVERYTHING, ScanScope(unread=("b",)), ["relation.a.t"], ["schema.b", "relation.b.t"]),
        (ScanScope(include=("f*",)), EVERYTHING, ["relation.a.film", "schema.a"], ["relation.a.actor"]),
        (ScanScope(include=("a.*",)), EVERYTHING, ["relation.a.film"], ["relation.b.film"]),
        (
            EVERYTHING,
            ScanScope(exclude=("*_tmp", "b.*")),
            ["relation.a.x"],
            ["relation.a.x_tmp", "relation.b.x"],
        ),
        (
            ScanScope(schemas=("*",)),
            EVERYTHING,
            ["relation.a.t"],
            ["relation.pg_catalog.t", "relation.Store.t"],
        ),
        (
            ScanScope(schemas=("my schema",), exclude=("x y",)),
            EVERYTHING,
            ['schema."my schema"'],
            ["schema.my"],
        ),
    ],
)
def test_only_what_both_scans_looked_at_is_seen(
    base: ScanScope, current: ScanScope, seen: list[str], unseen: list[str]
) -> None:
    both = shared_scope(run(base), run(current), "store")

    assert both is not None
    assert [both(unique_id) for unique_id in (*seen, *unseen)] == [True] * len(seen) + [False] * len(unseen)


SALES = ScanScope(schemas=("sales",))


@pytest.mark.parametrize(
    ("now", "earlier", "before"),
    [
        (EVERYTHING, [SALES, EVERYTHING], 1),
        (EVERYTHING, [ScanScope(unread=("a",)), EVERYTHING], 1),
        (ScanScope(unread=("a",)), [ScanScope(unread=("a",)), EVERYTHING], 0),
        (ScanScope(unread=("a",)), [SALES, ScanScope(unread=("a", "b")), EVERYTHING], 2),
        (EVERYTHING, [SALES, ScanScope(unread=("a",))], 1),
        (SALES, [EVERYTHING, ScanScope(schemas=("a",))], 0),
        (EVERYTHING, [], None),
    ],
)
def test_a_scan_follows_the_last_one_that_looked_at_the_same(
    now: ScanScope, earlier: list[ScanScope], before: int | None
) -> None:
    runs = [run(scope) for scope in earlier]
    found = previous_scan(run(now), runs)
    assert found is (None if before is None else runs[before])


def test_scans_of_one_scope_are_compared_whole() -> None:
    assert shared_scope(run(ScanScope(schemas=("a",))), run(ScanScope(schemas=("a",)))) is None


def test_a_view_is_not_other_because_one_scan_did_not_look_at_what_it_reads() -> None:
    view = NodeMetadata(
        unique_id="relation.a.v",
        name="v",
        resource_type="view",
        parents=("relation.a.t", "relation.b.t"),
    )
    both = shared_scope(run(ScanScope(schemas=("a",))), run(EVERYTHING))

    assert both is not None
    assert [node.parents for node in nodes_in_scope([view], both)] == [("relation.a.t",)]


@pytest.mark.parametrize("schema", ["public", "my schema", "a.b", 'q"', "é\n", "⟦x⟧"])
@pytest.mark.parametrize("name", ["film", "a.b", '"', "new\nline"])
def test_places_are_read_from_ids_whatever_the_names(schema: str, name: str) -> None:
    assert schema_and_relation(relation_id(schema, name)) == (schema, name)
    assert schema_and_relation(schema_id(schema)) == (schema, None)
    assert schema_and_relation("model.shop.orders") is None


def test_kinds_that_a_reader_does_not_know_are_not_compared() -> None:
    dbt, silver, bronze = (
        RunMetadata(run_id="r", run_at=EARLY, project_name="shop", extractor=name)
        for name in ("dbt", "dbt-sql", "sql")
    )
    kept = ["model.shop.a", "source.shop.raw.b"]
    of_dbt_project = ["seed.shop.c", "snapshot.shop.d", "test.shop.singular", "analysis.shop.e"]
    of_dbt = ["test.shop.unique_a_id.1a2b3c", "exposure.shop.f", "metric.shop.g", "unit_test.shop.a.h"]

    def seen(base: RunMetadata, current: RunMetadata) -> list[str]:
        test = shared_scope(base, current)
        assert test is not None
        return [one for one in [*kept, *of_dbt_project, *of_dbt] if test(one)]

    assert seen(dbt, silver) == seen(silver, dbt) == [*kept, *of_dbt_project]
    assert seen(silver, bronze) == seen(bronze, dbt) == kept
    assert shared_scope(silver, silver) is None and shared_scope(dbt, dbt) is None
    assert scope_note(silver, dbt).startswith("Base was read without dbt: exposures, generic")
    assert scope_note(silver, bronze).startswith("Base and current were read without dbt")
