"""What holds for every graph and every selection."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from recce_meta.errors import UsageError
from recce_meta.graph import Indirect, LineageGraph, build_lineage_graph, select
from recce_meta.models import NodeMetadata

NAMES = [f"n{number}" for number in range(8)]
TERMS = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "+", "1+", "2+", "@"]),
    st.sampled_from([*NAMES, "tag:red", "tag:*", "resource_type:test", "fold", "path:models/fold", "n*"]),
    st.sampled_from(["", "+", "+1", "+2"]),
).filter(lambda term: not (term.startswith("@") and "+" in term))
SELECTIONS = st.lists(st.lists(TERMS, min_size=1, max_size=3).map(",".join), max_size=3)


@st.composite
def projects(draw: st.DrawFn) -> dict[str, NodeMetadata]:
    """Acyclic projects with a dangling parent, tags, folders and tests."""
    nodes = {}
    for index, name in enumerate(NAMES):
        known = [*NAMES[:index], "gone"]
        parents = draw(st.lists(st.sampled_from(known), max_size=3, unique=True))
        folder = draw(st.sampled_from(["fold", "other"]))
        nodes[name] = NodeMetadata(
            unique_id=name,
            name=name,
            resource_type=draw(st.sampled_from(["model", "test"])),
            package_name="p",
            path=f"models/{folder}/{name}.sql",
            fqn=("p", folder, name),
            tags=tuple(draw(st.lists(st.sampled_from(["red", "blue"]), max_size=1))),
            parents=tuple(sorted(parents)),
        )
    return nodes


def reachable(starts: set[str], neighbours: dict[str, set[str]], depth: int | None) -> set[str]:
    """The plainest way to say it: take a step, *depth* times or until nothing is new."""
    found = set(starts)
    for _ in range(len(neighbours) if depth is None else depth):
        found |= {other for one in found for other in neighbours.get(one, ())}
    return found


def neighbours_of(nodes: dict[str, NodeMetadata]) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    parents = {name: {parent for parent in node.parents if parent in nodes} for name, node in nodes.items()}
    children: dict[str, set[str]] = {
        name: {child for child in nodes if name in parents[child]} for name in nodes
    }
    return parents, children


@given(projects(), st.sampled_from(NAMES), st.sampled_from([None, 0, 1, 2, 3]))
def test_operators_add_exactly_what_can_be_reached(
    nodes: dict[str, NodeMetadata], name: str, depth: int | None
) -> None:
    graph = build_lineage_graph(nodes.values())
    parents, children = neighbours_of(nodes)
    number = "" if depth is None else str(depth)

    assert select(f"{number}+{name}", nodes, graph) == reachable({name}, parents, depth)
    assert select(f"{name}+{number}", nodes, graph) == reachable({name}, children, depth)
    below = reachable({name}, children, None)
    assert select(f"@{name}", nodes, graph) == reachable(below, parents, None)


@given(projects(), SELECTIONS, SELECTIONS)
def test_a_union_is_the_union_and_an_exclusion_the_difference(
    nodes: dict[str, NodeMetadata], included: list[str], excluded: list[str]
) -> None:
    graph = build_lineage_graph(nodes.values())

    each = [select(expression, nodes, graph) for expression in included]
    without = [select(expression, nodes, graph) for expression in excluded]

    expected = frozenset().union(*each) if each else frozenset(nodes)
    assert select(included, nodes, graph) == expected
    assert select(" ".join(included), nodes, graph, exclude=" ".join(excluded)) == expected.difference(
        *without
    )


@given(projects(), st.lists(TERMS, min_size=1, max_size=4))
def test_a_comma_is_the_intersection(nodes: dict[str, NodeMetadata], terms: list[str]) -> None:
    graph = build_lineage_graph(nodes.values())

    expected = frozenset.intersection(*(select(term, nodes, graph) for term in terms))

    assert select(",".join(terms), nodes, graph) == expected


@given(projects(), SELECTIONS.filter(bool))
def test_indirect_selection_only_adds_tests_and_eagerly_the_most(
    nodes: dict[str, NodeMetadata], expressions: list[str]
) -> None:
    graph = build_lineage_graph(nodes.values())
    unions = [" ".join(expressions).replace(",", " ")]

    found = {mode: select(unions, nodes, graph, indirect=mode) for mode in Indirect}

    for ids in found.values():
        assert all(nodes[key].resource_type == "test" for key in ids - found[Indirect.EMPTY])
    assert found[Indirect.EMPTY] <= found[Indirect.CAUTIOUS] <= found[Indirect.BUILDABLE]
    assert found[Indirect.BUILDABLE] <= found[Indirect.EAGER]


@given(st.text(max_size=30))
def test_any_text_is_either_read_or_refused_with_a_usage_error(text: str) -> None:
    try:
        found = select(text, {}, LineageGraph({}, {}))
    except UsageError as error:
        assert error.message
    else:
        assert found == frozenset()


@given(projects(), st.lists(st.sampled_from(NAMES), max_size=4))
def test_impact_finds_the_nearest_changed_node(nodes: dict[str, NodeMetadata], changed: list[str]) -> None:
    graph = build_lineage_graph(nodes.values())

    found = graph.impact(changed)

    below = {name: graph.descendants(name) for name in changed}
    for name in set().union(*below.values()) - set(changed) if below else ():
        nearest = min((distances[name], start) for start, distances in below.items() if name in distances)
        assert found.pop(name) == nearest
    assert not found
