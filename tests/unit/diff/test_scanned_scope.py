"""What two scans both looked at."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from recce_meta.diff.scanned_scope import narrowed, place_of, scan_before, seen_by_both
from recce_meta.extractors.live import Scope
from recce_meta.models import NodeMetadata, RunMetadata
from recce_meta.models.catalog import relation_id, schema_id

EVERYTHING = Scope()


def run(scope: Scope) -> RunMetadata:
    return RunMetadata(
        run_id="r",
        run_at=datetime(2026, 11, 20, tzinfo=timezone.utc),
        project_name="shop",
        extractor="database",
        adapter_type="postgres",
        command=str(scope),
    )


@pytest.mark.parametrize(
    ("base", "current", "seen", "unseen"),
    [
        (Scope(schemas=("a",)), EVERYTHING, ["schema.a", "relation.a.t"], ["schema.b", "relation.b.t"]),
        (Scope(schemas=("a",)), Scope(schemas=("a*",)), ["relation.a.t"], ["relation.ab.t"]),
        (Scope(schemas=("A",)), EVERYTHING, ["relation.a.t"], ["relation.b.t"]),
        (EVERYTHING, Scope(unread=("b",)), ["relation.a.t"], ["schema.b", "relation.b.t"]),
        (Scope(include=("f*",)), EVERYTHING, ["relation.a.film", "schema.a"], ["relation.a.actor"]),
        (Scope(include=("a.*",)), EVERYTHING, ["relation.a.film"], ["relation.b.film"]),
        (EVERYTHING, Scope(exclude=("*_tmp", "b.*")), ["relation.a.x"], ["relation.a.x_tmp", "relation.b.x"]),
        (Scope(schemas=("*",)), EVERYTHING, ["relation.a.t"], ["relation.pg_catalog.t", "relation.Store.t"]),
        (Scope(schemas=("my schema",), exclude=("x y",)), EVERYTHING, ['schema."my schema"'], ["schema.my"]),
    ],
)
def test_only_what_both_scans_looked_at_is_seen(
    base: Scope, current: Scope, seen: list[str], unseen: list[str]
) -> None:
    both = seen_by_both(run(base), run(current), "store")

    assert both is not None
    assert [both(unique_id) for unique_id in (*seen, *unseen)] == [True] * len(seen) + [False] * len(unseen)


SALES = Scope(schemas=("sales",))


@pytest.mark.parametrize(
    ("now", "earlier", "before"),
    [
        (EVERYTHING, [SALES, EVERYTHING], 1),
        (EVERYTHING, [Scope(unread=("a",)), EVERYTHING], 1),
        (Scope(unread=("a",)), [Scope(unread=("a",)), EVERYTHING], 0),
        (Scope(unread=("a",)), [SALES, Scope(unread=("a", "b")), EVERYTHING], 2),
        (EVERYTHING, [SALES, Scope(unread=("a",))], 1),
        (SALES, [EVERYTHING, Scope(schemas=("a",))], 0),
        (EVERYTHING, [], None),
    ],
)
def test_a_scan_follows_the_last_one_that_looked_at_the_same(
    now: Scope, earlier: list[Scope], before: int | None
) -> None:
    runs = [run(scope) for scope in earlier]
    found = scan_before(run(now), runs)
    assert found is (None if before is None else runs[before])


def test_scans_of_one_scope_are_compared_whole() -> None:
    assert seen_by_both(run(Scope(schemas=("a",))), run(Scope(schemas=("a",)))) is None


def test_a_view_is_not_other_because_one_scan_did_not_look_at_what_it_reads() -> None:
    view = NodeMetadata(
        unique_id="relation.a.v",
        name="v",
        resource_type="view",
        parents=("relation.a.t", "relation.b.t"),
    )
    both = seen_by_both(run(Scope(schemas=("a",))), run(EVERYTHING))

    assert both is not None
    assert [node.parents for node in narrowed([view], both)] == [("relation.a.t",)]


@pytest.mark.parametrize("schema", ["public", "my schema", "a.b", 'q"', "é\n", "⟦x⟧"])
@pytest.mark.parametrize("name", ["film", "a.b", '"', "new\nline"])
def test_places_are_read_from_ids_whatever_the_names(schema: str, name: str) -> None:
    assert place_of(relation_id(schema, name)) == (schema, name)
    assert place_of(schema_id(schema)) == (schema, None)
    assert place_of("model.shop.orders") is None
