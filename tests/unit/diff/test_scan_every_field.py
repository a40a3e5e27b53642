"""Whatever a scan tells of a relation: where it differs, that is told; where nothing does, nothing is."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from recce_meta.diff.changes import detect_changes
from recce_meta.models import Column, NodeMetadata, Status

names = st.sampled_from(["a", "b", "A", "a.default", '"a"', "(order)"])
texts = st.sampled_from([None, "x", "y", "now()", "1"])
columns = st.builds(
    Column,
    names,
    st.sampled_from(["integer", "text", "enum('a')", "enum('A')"]),
    st.sampled_from(["", "One", "Two"]),
    not_null=st.booleans(),
    default=texts,
    generated=texts,
    identity=st.sampled_from([None, "always"]),
    collation=texts,
)
constraints = st.fixed_dictionaries(
    {"type": st.sampled_from(["primary_key", "unique", "check"]), "columns": st.lists(names, max_size=2)},
    optional={"expression": st.sampled_from(["a > 0", "a > 1"]), "options": st.just({"deferrable": True})},
)
named = st.fixed_dictionaries({"name": st.sampled_from(["one", "two"])})
indexes = st.fixed_dictionaries(
    {"name": st.sampled_from(["i", "j"]), "definition": st.sampled_from(["ON t (a)", "ON t (b)"])},
    optional={"unique": st.booleans()},
)


def unnamed(values: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without repetitions, sorted, as a scan gives them."""
    return sorted({repr(value): value for value in values}.values(), key=repr)


properties = st.fixed_dictionaries(
    {},
    optional={
        "owner": st.sampled_from(["dba", "app"]),
        "constraints": st.lists(constraints, min_size=1, max_size=3).map(unnamed),
        "indexes": st.lists(indexes, min_size=1, unique_by=lambda one: one["name"], max_size=2).map(unnamed),
        "partition_bound": st.sampled_from(["FROM 1 TO 2", "FROM 2 TO 3"]),
        "partitions": st.lists(st.sampled_from(["p1", "p2"]), unique=True, min_size=1).map(sorted),
        "options": st.dictionaries(
            st.sampled_from(["x", "y"]), st.sampled_from(["", "1", 1, True]), min_size=1
        ),
        "anything": st.sampled_from(["new", ["new"]]),
    },
)
relations = st.builds(
    lambda kind, found, told, comment, parents: NodeMetadata(
        unique_id="relation.s.t",
        name="t",
        resource_type=kind,
        materialized=kind,
        columns=tuple(found),
        columns_from="catalog",
        description=comment,
        properties=told,
        parents=tuple(parents),
        raw_code="SELECT 1" if "view" in kind else None,
    ),
    st.sampled_from(["table", "view", "materialized_view", "external_table"]),
    st.lists(columns, unique_by=lambda column: column.name, max_size=3),
    properties,
    st.sampled_from(["", "All of it"]),
    st.lists(st.sampled_from(["relation.s.a", "relation.s.b"]), unique=True).map(sorted),
)


@given(relations, relations)
def test_two_states_of_a_relation_differ_if_and_only_if_the_diff_says_so(
    before: NodeMetadata, after: NodeMetadata
) -> None:
    there, back = detect_changes([before], [after]), detect_changes([after], [before])

    assert bool(there) == (before != after)
    assert all(change.status is Status.MODIFIED for change in there.values())
    told = {(detail.reason, detail.base is None, detail.current is None) for detail in _details(there)}
    mirrored = {(detail.reason, detail.current is None, detail.base is None) for detail in _details(back)}
    assert told == mirrored


@given(relations, names, st.sampled_from(["one", "two"]))
def test_the_name_of_a_constraint_is_a_difference(node: NodeMetadata, column: str, name: str) -> None:
    both = [
        replace(node, properties={**node.properties, "constraints": [{"name": one, "type": "unique"}]})
        for one in ("one", "two")
    ]

    assert bool(detect_changes([both[0]], [both[name == "two"]])) == (name == "two")


def _details(changes: dict[str, Any]) -> list[Any]:
    return [detail for change in changes.values() for detail in change.details]
