"""Selection of nodes with dbt's selection grammar.

`selector_syntax` parses the text. This module turns each term into a predicate over nodes, adds relatives and
tests, and combines the terms. The fields that each method reads, its oddities (no wildcards in `access:` and
`config:`, numbers in `config:` that never match) and the rules that depend on dbt's version follow dbt:
https://docs.getdbt.com/reference/node-selection/methods
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from fnmatch import fnmatchcase
from functools import reduce
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.errors import SelectorError, UnknownNameError, did_you_mean, first_of
from recce_meta.graph.dag import LineageGraph
from recce_meta.graph.selector_syntax import SELECTOR, Indirect, Intersection, Term, parse_selection
from recce_meta.lazy import LazyModule
from recce_meta.models import Json, NodeMetadata, NodeResult, Project
from recce_meta.models.catalog import RELATIONS, SCANNED

if TYPE_CHECKING:
    from recce_meta.graph import yaml_selectors
else:
    yaml_selectors = LazyModule("recce_meta.graph.yaml_selectors")

Predicate = Callable[[NodeMetadata], bool]
Parts = tuple[str, ...]
"""Folders of a path, followed by its file."""

FRESHER = "source_status:fresher"
"""Name of the sources with newer rows than in the base run, for a `StateResolver`."""
StateResolver = Callable[[str], Collection[str]]
"""Function from `modified`, `modified.body`, …, `new`, `old`, `unmodified` or FRESHER to unique ids.

Raises UnknownNameError for an unknown name.
"""

RESOURCE_TYPES = (
    *("analysis", "exposure", "function", "metric", "model", "operation", "saved_query", "seed"),
    *("semantic_model", "snapshot", "source", "test", "unit_test"),
    *("group", "macro"),
)
"""Resource types of dbt. The last two select nothing, since they are not nodes of the graph."""
NOT_IN_NODES = frozenset(
    ["exposure", "function", "group", "metric", "saved_query", "semantic_model", "source", "unit_test"]
)
"""Types that a manifest stores outside `nodes`; most methods search only the other types."""

SELECTION = "selection"
"""Method of the selections that the configuration names."""
NamedSelection: TypeAlias = tuple[Sequence[str], Sequence[str]]
"""Expressions of a named selection: what it selects, everything if empty, and what it excludes."""
# A context variable, so that threads with different configurations do not share it.
_DEFINITIONS: ContextVar[Mapping[str, NamedSelection]] = ContextVar(
    "selections by name", default=MappingProxyType({})
)


@contextmanager
def named_selections(definitions: Mapping[str, NamedSelection]) -> Iterator[None]:
    """Let `selection:NAME` in selections within the block mean *definitions*."""
    before = _DEFINITIONS.set(definitions)
    try:
        yield
    finally:
        _DEFINITIONS.reset(before)


def definitions() -> Mapping[str, NamedSelection]:
    """Return what `selection:NAME` means here, by name."""
    return _DEFINITIONS.get()


def definition_of(name: str) -> NamedSelection:
    """Return the definition of the selection *name*; an empty one for an unknown name."""
    return definitions().get(name, ((), ()))


class SelectionScope(Struct, frozen=True, kw_only=True):
    """Nodes and context available to a selection."""

    members: Mapping[str, NodeMetadata]
    """Enabled nodes by unique id."""
    project_name: str | None = None
    state: StateResolver | None = None
    results: Mapping[str, NodeResult] | None = None
    bare_wildcards_match_names: bool = True
    """Since dbt 1.11 `stg_*` also matches nodes in folders, as `stg_orders` always did."""


def matching(term: Term, scope: SelectionScope) -> set[str]:
    """Return the unique ids of the members that *term* names, ignoring its graph operators.

    Raise UnknownNameError for an unknown method, SelectorError for an invalid value.
    """
    if term.method not in METHODS:
        where = f"in selector {term.place}"
        raise UnknownNameError(
            "selection method", term.method, sorted((*METHODS, SELECTION, SELECTOR)), where=where
        )
    holds = METHODS[term.method](term, scope)
    return {unique_id for unique_id, node in scope.members.items() if holds(node)}


def is_test(node: NodeMetadata) -> bool:
    """Return whether dbt selects *node* along with the node it tests."""
    return node.resource_type in ("test", "unit_test")


def _fqn(term: Term, scope: SelectionScope) -> Predicate:
    def holds(node: NodeMetadata) -> bool:
        if node.resource_type == "source":
            return False
        # dbt accepts a name with and without its package.
        fqn = node.fqn or (node.package_name, node.name)
        versioned = node.resource_type == "model" and node.version is not None
        return any(
            _names(term.value, parts, versioned, scope.bare_wildcards_match_names) for parts in (fqn, fqn[1:])
        )

    return holds


def _names(wanted: str, fqn: tuple[str, ...], versioned: bool, match_names: bool) -> bool:
    """Return whether *wanted* is the node's name, or the start of its qualified name.

    A versioned model is named by `dim`, `dim.v2` and `dim_v2`. From its first part with a wildcard on,
    *wanted* must match the entire rest of the name.
    """
    if not fqn:
        return False
    parts = wanted.split(".")
    name = fqn[-2] if versioned and len(fqn) > 1 else fqn[-1]
    if wanted == name or (versioned and "_".join(parts[-2:]) == "_".join(fqn[-2:])):
        return True
    # A part of a qualified name may contain dots.
    found = ".".join(fqn).split(".")
    if len(parts) > len(found):
        return False
    for index, part in enumerate(parts):
        if any(sign in part for sign in "*?[]"):
            rest = fnmatchcase(".".join(found[index:]), ".".join(parts[index:]))
            return rest or (match_names and len(parts) == 1 and fnmatchcase(name, wanted))
        if part != found[index]:
            return False
    return True


def _tag(term: Term, scope: SelectionScope) -> Predicate:
    return lambda node: (
        # A semantic model has no tags in dbt, whatever its config contains.
        node.resource_type != "semantic_model" and any(fnmatchcase(tag, term.value) for tag in node.tags)
    )


def _group(term: Term, scope: SelectionScope) -> Predicate:
    def holds(node: NodeMetadata) -> bool:
        # A test inherits the group of the node it tests, but not in its config, which dbt reads here.
        group = node.config.get("group", node.group_name)
        groupable = node.resource_type == "metric" or node.resource_type not in NOT_IN_NODES
        return groupable and isinstance(group, str) and fnmatchcase(group, term.value)

    return holds


def _access(term: Term, scope: SelectionScope) -> Predicate:
    # dbt's default, which manifests may leave out.
    return lambda node: node.resource_type == "model" and (node.access or "protected") == term.value


def _package(term: Term, scope: SelectionScope) -> Predicate:
    wanted = term.value
    if wanted == "this":
        if scope.project_name is None:
            raise term.error("'this' requires the name of the root project, which is unknown")
        wanted = scope.project_name
    return lambda node: fnmatchcase(node.package_name, wanted)


def _path(term: Term, scope: SelectionScope) -> Predicate:
    """Return a predicate for nodes whose file, YAML file or folder matches the pattern.

    dbt expands the pattern in the root project's folder, so a package's files are only found through folders
    that the root project also has.
    """
    value = term.value.replace("\\", "/")
    pattern = _parts(value)
    if value.startswith("/") or ".." in pattern:
        raise term.error("a path must be relative to the project folder", hint="write path:models/staging")
    files = _root_files(scope)
    # Only folders with files, because no node can be in another one.
    folders = {path[:length] for path in files for length in range(len(path))}
    named = {path for path in files if _globs(pattern, path, is_folder=False)}
    named |= {path for path in folders if _globs(pattern, path, is_folder=True)}

    def holds(node: NodeMetadata) -> bool:
        path = _parts(node.path)
        return bool(path) and (
            _patch_path(node) in named or any(path[:end] in named for end in range(len(path) + 1))
        )

    return holds


def _root_files(scope: SelectionScope) -> set[Parts]:
    """Return the root project's files that contain or describe nodes."""
    nodes = [node for node in scope.members.values() if scope.project_name in (None, node.package_name)]
    # A YAML file selects the nodes that it describes, as in dbt.
    patches = {path for path in map(_patch_path, nodes) if path is not None}
    return patches | {_parts(node.path) for node in nodes if node.path}


def _parts(path: str) -> Parts:
    return tuple(part for part in path.replace("\\", "/").split("/") if part not in ("", "."))


def _patch_path(node: NodeMetadata) -> Parts | None:
    """Return the YAML file that describes the node: `patch_path` is `package://models/schema.yml`."""
    patch = node.properties.get("patch_path")
    return _parts(patch.split("://")[-1]) if isinstance(patch, str) and patch else None


def _globs(pattern: Parts, path: Parts, *, is_folder: bool) -> bool:
    """Return whether *pattern* matches *path* as in a shell; `**` stands for any number of folders."""
    if not pattern:
        return not path
    if pattern[0] != "**":
        return (
            bool(path)
            and fnmatchcase(path[0], pattern[0])
            and _globs(pattern[1:], path[1:], is_folder=is_folder)
        )
    if len(pattern) == 1:
        return is_folder
    return any(_globs(pattern[1:], path[start:], is_folder=is_folder) for start in range(len(path) + 1))


def _file(term: Term, scope: SelectionScope) -> Predicate:
    def holds(node: NodeMetadata) -> bool:
        path = PurePosixPath(node.path)
        return fnmatchcase(path.name, term.value) or fnmatchcase(path.stem, term.value)

    return holds


def _config(term: Term, scope: SelectionScope) -> Predicate:
    if not term.arguments or not all(term.arguments):
        raise term.error("'config' requires a key", hint="write config.materialized:incremental")
    # dbt's versions write `warn` or `WARN`.
    ignore_case = term.arguments == ("severity",)

    def holds(node: NodeMetadata) -> bool:
        if node.resource_type in NOT_IN_NODES and node.resource_type != "source":
            return False
        # Scanned properties of a live database are not configuration, but can be selected in the same way.
        value: Json = _kept_as(node) if node.resource_type in SCANNED else node.config
        for key in term.arguments:
            value = value.get(key) if isinstance(value, dict) else None
        values = value if isinstance(value, list) else [value]
        return any(_says(found, term.value, ignore_case) or _equals(found, term.number) for found in values)

    return holds


def _kept_as(node: NodeMetadata) -> dict[str, Json]:
    """Return the storage properties of a scanned relation: its kind, owner, partitioning and options."""
    kind = {"materialized": node.materialized} if node.resource_type in RELATIONS else {}
    return {**node.properties, **kind}


def _says(found: Json, wanted: str, ignore_case: bool) -> bool:
    """Return whether a configured value equals the text: strings exactly, booleans in any case."""
    if isinstance(found, bool):
        return wanted.lower() == str(found).lower()
    return isinstance(found, str) and (found == wanted or (ignore_case and found.lower() == wanted.lower()))


def _equals(found: Json, number: float | None) -> bool:
    return number is not None and not isinstance(found, bool) and found == number


def _resource_type(term: Term, scope: SelectionScope) -> Predicate:
    known = {*RESOURCE_TYPES, *SCANNED, *(node.resource_type for node in scope.members.values())}
    _choose(term, "resource type", known)
    return lambda node: node.resource_type == term.value


def _test_type(term: Term, scope: SelectionScope) -> Predicate:
    _choose(term, "test type", ("generic", "singular", "unit", "data", "schema"))
    if term.value == "unit":
        return lambda node: node.resource_type == "unit_test"
    # Of dbt's former names, `schema` is `generic`, but `data` is every test that is not a unit test.
    wanted = {"generic": (True,), "schema": (True,), "singular": (False,)}.get(term.value, (True, False))
    return lambda node: node.resource_type == "test" and ("test_metadata" in node.properties) in wanted


def _test_name(term: Term, scope: SelectionScope) -> Predicate:
    def holds(node: NodeMetadata) -> bool:
        if node.resource_type == "unit_test":
            return fnmatchcase(node.name, term.value)
        metadata = node.properties.get("test_metadata") if node.resource_type == "test" else None
        return isinstance(metadata, dict) and fnmatchcase(str(metadata.get("name", "")), term.value)

    return holds


def _source(term: Term, scope: SelectionScope) -> Predicate:
    package, source, table = _qualified(term, "package.source.table", at_least=1)
    return lambda node: (
        node.resource_type == "source"
        and fnmatchcase(node.package_name, package)
        and fnmatchcase(node.source_name or "", source)
        and fnmatchcase(node.name, table)
    )


def _named(term: Term, scope: SelectionScope) -> Predicate:
    """Return a predicate for methods that take a name or package.name, such as `exposure:` or `metric:`."""
    package, name = _qualified(term, f"package.{term.method}")
    return lambda node: (
        node.resource_type == term.method
        and fnmatchcase(node.package_name, package)
        and fnmatchcase(node.name, name)
    )


def _qualified(term: Term, form: str, at_least: int = 0) -> list[str]:
    """Return the parts of the value, with `*` for missing parts of *form*.

    Parts are aligned to the right. Only a single part of a source names the source itself.
    """
    count = form.count(".") + 1
    parts = term.value.split(".")
    if len(parts) > count:
        hint = f"write {term.method}:{form}, or fewer parts"
        raise term.error(f"'{term.value}' has too many parts", hint=hint)
    if len(parts) == at_least:
        parts = [*parts, "*"]
    return ["*"] * (count - len(parts)) + parts


def _version(term: Term, scope: SelectionScope) -> Predicate:
    _choose(term, "version", ("latest", "prerelease", "old", "none"))

    def holds(node: NodeMetadata) -> bool:
        if node.resource_type != "model":
            return False
        latest = node.properties.get("latest_version")
        if node.version is None or latest is None:
            return term.value == "none" and node.version is None
        # In YAML, a version may be a number.
        version, latest = node.version, str(latest)
        if term.value == "latest":
            return version == latest
        older, newer = (version, latest) if term.value == "old" else (latest, version)
        return term.value != "none" and _is_less(older, newer)

    return holds


def _is_less(version: str, other: str) -> bool:
    """Return whether *version* is lower: compared as numbers if both are, else as strings."""
    try:
        return float(version) < float(other)
    except ValueError:
        return version < other


def _state(term: Term, scope: SelectionScope) -> Predicate:
    if scope.state is None:
        hint = "use it in recce-meta diff BASE CURRENT"
        raise term.error(f"'{term.method}:' requires a run to compare with", hint=hint)
    found = frozenset(scope.state(term.value))
    return lambda node: node.unique_id in found


def _source_status(term: Term, scope: SelectionScope) -> Predicate:
    _choose(term, "status", ("fresher",))
    return _state(replace(term, value=FRESHER), scope)


def _result(term: Term, scope: SelectionScope) -> Predicate:
    results = scope.results
    if results is None:
        raise term.error("'result:' requires run results, but this run has none")
    return lambda node: node.unique_id in results and results[node.unique_id].status == term.value


def _choose(term: Term, kind: str, known: Collection[str]) -> None:
    if term.value not in known:
        where = f"in selector {term.place}"
        raise UnknownNameError(kind, term.value, sorted(known), where=where)


METHODS: Mapping[str, Callable[[Term, SelectionScope], Predicate]] = {
    "access": _access,
    "config": _config,
    "exposure": _named,
    "file": _file,
    "fqn": _fqn,
    "group": _group,
    "metric": _named,
    "package": _package,
    "path": _path,
    "resource_type": _resource_type,
    "result": _result,
    "saved_query": _named,
    "semantic_model": _named,
    "source": _source,
    "source_status": _source_status,
    "state": _state,
    "tag": _tag,
    "test_name": _test_name,
    "test_type": _test_type,
    "unit_test": _named,
    "version": _version,
}


Release = tuple[int, int]

NEWEST: Release = (999, 0)
"""Later than any release of dbt Core: used for dbt Cloud (`2025.11.4+d8fa9da`) and unknown versions."""


def release(dbt_version: str | None) -> Release:
    """Return a version as a comparable release: `(1, 10)` for `1.10.20`."""
    match = re.match(r"([01])\.(\d+)\.", dbt_version or "")
    return (int(match[1]), int(match[2])) if match else NEWEST


class _NamedNodes(NamedTuple):
    """Nodes that part of a selection names."""

    direct: set[str]
    pending: set[str]
    """Tests that are added once more of their parents are selected."""


def nearest_names(expressions: Iterable[str], nodes: Iterable[NodeMetadata]) -> list[str]:
    """Return a hint for each part of *expressions* that is similar to a name, a tag or a package of *nodes*.

    Without a similar tag or package, the hint lists what there is.
    """
    given = list(nodes)
    known = {
        "": sorted({node.name for node in given}),
        "tag": sorted({tag for node in given for tag in node.tags}),
        "package": sorted({node.package_name for node in given}),
    }
    hints = []
    for part in (part for text in expressions for term in text.split() for part in term.split(",")):
        method, _, word = part.strip("+@0123456789").rpartition(":")
        names = known.get(method, known[""])
        hint = did_you_mean(word, names) if word else None
        if hint is None and method in ("tag", "package"):
            hint = f"the {method}s are {first_of(names, 10)}" if names else f"there are no {method}s"
        hints += [hint] if hint else []
    return hints


def select(
    expressions: str | Iterable[str],
    nodes: Mapping[str, NodeMetadata],
    graph: LineageGraph,
    *,
    exclude: str | Iterable[str] = (),
    state: StateResolver | None = None,
    project: Project | None = None,
    indirect: Indirect = Indirect.EMPTY,
) -> frozenset[str]:
    """Return the unique ids among *nodes* that *expressions* name and *exclude* does not; without any, all.

    *project* is the root project, for `package:this`, paths and `result:`; the rules are those of its dbt
    version, by default of the newest. Disabled nodes are never selected.

    Raise SelectorError for an invalid or unsupported expression, UnknownNameError for a name that the grammar
    does not have. Selecting nothing is not an error.
    """
    run = None if project is None else project.run
    scope = SelectionScope(
        members={key: node for key, node in nodes.items() if node.config.get("enabled") is not False},
        project_name=None if run is None else run.project_name,
        state=state,
        results=None if project is None else {result.unique_id: result for result in project.results},
        bare_wildcards_match_names=release(None if run is None else run.dbt_version) >= (1, 11),
    )
    selection = _Selection(scope, graph, indirect)
    included = parse_selection(_texts(expressions))
    excluded = parse_selection(_texts(exclude))
    chosen = selection.union(included).direct if included else set(scope.members)
    return frozenset(chosen - selection.union(excluded).direct)


def _texts(expressions: str | Iterable[str]) -> Iterable[str]:
    return [expressions] if isinstance(expressions, str) else expressions


def _has_operators(term: Term) -> bool:
    return term.with_parents or term.with_children or term.with_childrens_parents


class _Selection(NamedTuple):
    scope: SelectionScope
    graph: LineageGraph
    mode: Indirect
    within: tuple[str, ...] = ()
    """Named selections whose definition is being evaluated."""

    def union(self, intersections: Sequence[Intersection]) -> _NamedNodes:
        return self._combine([self._intersection(terms) for terms in intersections], set.union)

    def _intersection(self, terms: Intersection) -> _NamedNodes:
        return self._combine([self._term(term) for term in terms], set.intersection)

    def _term(self, term: Term) -> _NamedNodes:
        members, graph = self.scope.members, self.graph
        if term.method == SELECTOR and not _has_operators(term):
            # Its pending tests are not added by other terms: dbt evaluates a selector alone.
            return _NamedNodes(self._named(term), set())
        named = self._named(term)
        chosen = set(named)
        if term.with_childrens_parents:
            chosen |= graph.upstream(graph.downstream(named, within=members), within=members)
        if term.with_parents:
            chosen |= graph.upstream(named, term.parents_depth, within=members)
        if term.with_children:
            chosen |= graph.downstream(named, term.children_depth, within=members)
        return self._with_tests(chosen)

    def _named(self, term: Term) -> set[str]:
        """Return the nodes that *term* names, without its graph operators."""
        if term.method == SELECTION:
            return self._defined(term)
        if term.method == SELECTOR:
            return self._defined_in_yaml(yaml_selectors.selector_definition(term.value)).direct
        return matching(term, self.scope)

    def _defined_in_yaml(self, definition: yaml_selectors.Definition) -> _NamedNodes:
        if isinstance(definition, yaml_selectors.Criterion):
            mode = self.mode if definition.indirect is None else definition.indirect
            return self._replace(mode=mode)._term(definition.term)
        parts = [self._defined_in_yaml(part) for part in definition.parts]
        # dbt combines parts of YAML selectors as if eager: pending tests stay pending.
        eager = self._replace(mode=Indirect.EAGER)
        return eager._combine(parts, yaml_selectors.OPERATIONS[definition.operation])

    def _defined(self, term: Term) -> set[str]:
        """Return the nodes of a named selection."""
        known = _DEFINITIONS.get()
        if term.value not in known:
            where = f"in selector {term.place}"
            if not known:
                hint = "define it under selections: in recce_meta.yml"
                raise SelectorError(f"Unknown selection '{term.value}' {where}", hint=hint)
            raise UnknownNameError("selection", term.value, sorted(known), where=where)
        if term.value in self.within:
            chain = " > ".join((*self.within, term.value))
            raise SelectorError(
                f"Selection '{term.value}' contains itself: {chain}", hint="remove one of them"
            )
        selection = self._replace(within=(*self.within, term.value))
        included, excluded = (parse_selection(texts) for texts in known[term.value])
        chosen = selection.union(included).direct if included else set(self.scope.members)
        return chosen - selection.union(excluded).direct

    def _with_tests(self, chosen: set[str]) -> _NamedNodes:
        """Return *chosen* with its nodes' tests, divided into those to add now and those still pending."""
        if self.mode is Indirect.EMPTY:
            return _NamedNodes(chosen, set())
        tests = {
            child
            for unique_id in chosen
            for child in self.graph.children(unique_id)
            if child in self.scope.members and is_test(self.scope.members[child])
        }
        if self.mode is Indirect.EAGER:
            return _NamedNodes(chosen | tests, set())
        enough = self._enough_for_tests(chosen)
        if self.mode is Indirect.BUILDABLE:
            enough |= {key for key, node in self.scope.members.items() if node.resource_type == "source"}
        along = {test for test in tests if self._reads_only(test, enough)}
        return _NamedNodes(chosen | along, tests - along - chosen)

    def _combine(
        self, parts: Sequence[_NamedNodes], operation: Callable[[set[str], set[str]], set[str]]
    ) -> _NamedNodes:
        """Combine *parts*. A pending test is added if the whole has its parents."""
        if not parts:
            return _NamedNodes(set(), set())
        direct = reduce(operation, [part.direct for part in parts])
        reachable = reduce(operation, [part.direct | part.pending for part in parts])
        waiting = reachable - direct
        if self.mode in (Indirect.CAUTIOUS, Indirect.BUILDABLE) and waiting:
            enough = self._enough_for_tests(direct)
            direct = direct | {test for test in waiting if self._reads_only(test, enough)}
        return _NamedNodes(direct, reachable - direct)

    def _enough_for_tests(self, chosen: set[str]) -> set[str]:
        """Return the nodes that a test may read to be added to *chosen*."""
        if self.mode is Indirect.BUILDABLE:
            return self.graph.upstream(chosen, within=self.scope.members)
        return set(chosen)

    def _reads_only(self, test: str, enough: set[str]) -> bool:
        return enough.issuperset(self.scope.members[test].parents)
