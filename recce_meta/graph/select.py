"""Which nodes a selection names, in dbt's own selection grammar.

`terms` reads the text, `methods` finds what each term names; here relatives are added, tests come
along as the mode says, and terms are combined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from functools import reduce
from typing import NamedTuple

from recce_meta.errors import did_you_mean
from recce_meta.graph.dag import LineageGraph
from recce_meta.graph.methods import Scope, StateResolver, is_test, matching
from recce_meta.graph.release import release
from recce_meta.graph.terms import Intersection, Term, parse_selection
from recce_meta.models import NodeMetadata, NodeResult


class Indirect(str, Enum):
    """Which tests come along with the nodes that they test.

    Source: https://docs.getdbt.com/reference/node-selection/test-selection-examples
    """

    EMPTY = "empty"
    """None: the named nodes alone."""
    EAGER = "eager"
    """Each that reads a selected node; what dbt does by default."""
    CAUTIOUS = "cautious"
    """Each that reads selected nodes alone."""
    BUILDABLE = "buildable"
    """Each that reads selected nodes, their ancestors and sources alone."""


class _Found(NamedTuple):
    """What part of a selection names."""

    direct: set[str]
    pending: set[str]
    """Tests that come along once more of their parents are selected."""


def nearest_names(expressions: Iterable[str], names: Sequence[str]) -> list[str]:
    """Return a hint for each part of *expressions* that is similar to some of *names*.

    >>> nearest_names(["+ordres tag:daily"], ["customers", "orders"])
    ["did you mean 'orders'?"]
    """
    parts = [part for text in expressions for term in text.split() for part in term.split(",")]
    words = [part.strip("+@0123456789").rpartition(":")[2] for part in parts]
    return [hint for word in words if word and (hint := did_you_mean(word, names))]


def select(
    expressions: str | Iterable[str],
    nodes: Mapping[str, NodeMetadata],
    graph: LineageGraph,
    *,
    exclude: str | Iterable[str] = (),
    state: StateResolver | None = None,
    results: Mapping[str, NodeResult] | None = None,
    project_name: str | None = None,
    indirect: Indirect = Indirect.EMPTY,
    dbt_version: str | None = None,
) -> frozenset[str]:
    """The unique ids among *nodes* that *expressions* name and *exclude* does not; without any, all.

    *project_name* is the root project, for `package:this` and paths. *dbt_version* picks the rules of
    that version where versions differ (None: the newest). Disabled nodes are never selected.

    Raises SelectorError where an expression cannot be read or answered, UnknownNameError for a name
    that the grammar does not have. Naming nothing is no error.
    """
    scope = Scope(
        members={key: node for key, node in nodes.items() if node.config.get("enabled") is not False},
        project_name=project_name,
        state=state,
        results=results,
        bare_wildcards_match_names=release(dbt_version) >= (1, 11),
    )
    selection = _Selection(scope, graph, indirect)
    included = parse_selection(_texts(expressions))
    excluded = parse_selection(_texts(exclude))
    chosen = selection.union(included).direct if included else set(scope.members)
    return frozenset(chosen - selection.union(excluded).direct)


def _texts(expressions: str | Iterable[str]) -> Iterable[str]:
    return [expressions] if isinstance(expressions, str) else expressions


class _Selection(NamedTuple):
    scope: Scope
    graph: LineageGraph
    mode: Indirect

    def union(self, intersections: Sequence[Intersection]) -> _Found:
        return self._combine([self._intersection(terms) for terms in intersections], set.union)

    def _intersection(self, terms: Intersection) -> _Found:
        return self._combine([self._term(term) for term in terms], set.intersection)

    def _term(self, term: Term) -> _Found:
        members, graph = self.scope.members, self.graph
        named = matching(term, self.scope)
        chosen = set(named)
        if term.with_childrens_parents:
            chosen |= graph.upstream(graph.downstream(named, within=members), within=members)
        if term.with_parents:
            chosen |= graph.upstream(named, term.parents_depth, within=members)
        if term.with_children:
            chosen |= graph.downstream(named, term.children_depth, within=members)
        return self._with_tests(chosen)

    def _with_tests(self, chosen: set[str]) -> _Found:
        """*chosen*, with the tests of its nodes divided into those that come along and those that wait."""
        if self.mode is Indirect.EMPTY:
            return _Found(chosen, set())
        tests = {
            child
            for unique_id in chosen
            for child in self.graph.children(unique_id)
            if child in self.scope.members and is_test(self.scope.members[child])
        }
        if self.mode is Indirect.EAGER:
            return _Found(chosen | tests, set())
        enough = self._enough_for_tests(chosen)
        if self.mode is Indirect.BUILDABLE:
            enough |= {key for key, node in self.scope.members.items() if node.resource_type == "source"}
        along = {test for test in tests if self._reads_only(test, enough)}
        return _Found(chosen | along, tests - along - chosen)

    def _combine(
        self, parts: Sequence[_Found], operation: Callable[[set[str], set[str]], set[str]]
    ) -> _Found:
        """The parts as one: tests that waited in a part come along if the whole has their parents."""
        if not parts:
            return _Found(set(), set())
        direct = reduce(operation, [part.direct for part in parts])
        reachable = reduce(operation, [part.direct | part.pending for part in parts])
        waiting = reachable - direct
        if self.mode in (Indirect.CAUTIOUS, Indirect.BUILDABLE) and waiting:
            enough = self._enough_for_tests(direct)
            direct = direct | {test for test in waiting if self._reads_only(test, enough)}
        return _Found(direct, reachable - direct)

    def _enough_for_tests(self, chosen: set[str]) -> set[str]:
        """What a test may read to come along with *chosen*."""
        if self.mode is Indirect.BUILDABLE:
            return self.graph.upstream(chosen, within=self.scope.members)
        return set(chosen)

    def _reads_only(self, test: str, enough: set[str]) -> bool:
        return enough.issuperset(self.scope.members[test].parents)
