"""dbt's selection methods: each turns a term into a predicate over nodes.

What each method looks at, and its oddities (no wildcards in `access:` and `config:`, numbers in
`config:` that never match), are dbt's: https://docs.getdbt.com/reference/node-selection/methods
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from msgspec import Struct

from recce_meta.errors import UnknownNameError
from recce_meta.graph.terms import Term
from recce_meta.models import Json, NodeMetadata, NodeResult
from recce_meta.models.kinds import RELATIONS, SCANNED

Predicate = Callable[[NodeMetadata], bool]
Parts = tuple[str, ...]
"""The folders of a path, and its file."""

StateResolver = Callable[[str], Collection[str]]
"""Answers `modified`, `modified.body`, …, `new`, `old` and `unmodified` with unique ids.

Raises UnknownNameError for a name that it does not know.
"""

RESOURCE_TYPES = (
    *("analysis", "exposure", "function", "metric", "model", "operation", "saved_query", "seed"),
    *("semantic_model", "snapshot", "source", "test", "unit_test"),
    *("group", "macro"),
)
"""The last two are dbt's words too, but name nothing: neither is a node of the graph."""
NOT_IN_NODES = frozenset(
    ["exposure", "function", "group", "metric", "saved_query", "semantic_model", "source", "unit_test"]
)
"""What a manifest keeps outside `nodes`; most methods look at the rest alone."""

UNSUPPORTED = {
    "selector": "selectors.yml is not read; write its definition out",
    "source_status": "sources.json is not read; use dbt itself to select by freshness",
}


class Scope(Struct, frozen=True, kw_only=True):
    """What a selection may look at."""

    members: Mapping[str, NodeMetadata]
    """Enabled nodes by unique id."""
    project_name: str | None = None
    state: StateResolver | None = None
    results: Mapping[str, NodeResult] | None = None
    bare_wildcards_match_names: bool = True
    """Since dbt 1.11 `stg_*` also names nodes in folders, as `stg_orders` always did."""


def matching(term: Term, scope: Scope) -> set[str]:
    """The unique ids of the members that *term* names, without its graph operators.

    Raises UnknownNameError where there is no such method, SelectorError where its value makes no sense.
    """
    if term.method in UNSUPPORTED:
        raise term.error(f"'{term.method}:' is not supported", hint=UNSUPPORTED[term.method])
    if term.method not in METHODS:
        where = f"in selector '{term.text}' at character {term.position}"
        raise UnknownNameError("selection method", term.method, sorted(METHODS), where=where)
    holds = METHODS[term.method](term, scope)
    return {unique_id for unique_id, node in scope.members.items() if holds(node)}


def is_test(node: NodeMetadata) -> bool:
    """Whether dbt selects *node* along with what it tests."""
    return node.resource_type in ("test", "unit_test")


def _fqn(term: Term, scope: Scope) -> Predicate:
    def holds(node: NodeMetadata) -> bool:
        if node.resource_type == "source":
            return False
        fqn = node.fqn or (node.package_name, node.name)
        versioned = node.resource_type == "model" and node.version is not None
        return any(
            _names(term.value, parts, versioned, scope.bare_wildcards_match_names) for parts in (fqn, fqn[1:])
        )

    return holds


def _names(wanted: str, fqn: tuple[str, ...], versioned: bool, match_names: bool) -> bool:
    """Whether *wanted* is the node's name, or the head of its qualified name.

    A versioned model is named by `dim`, `dim.v2` and `dim_v2`. From its first part with a wildcard on,
    *wanted* must match the whole rest of the name.
    """
    if not fqn:
        return False
    parts = wanted.split(".")
    name = fqn[-2] if versioned and len(fqn) > 1 else fqn[-1]
    if wanted == name or (versioned and "_".join(parts[-2:]) == "_".join(fqn[-2:])):
        return True
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


def _tag(term: Term, scope: Scope) -> Predicate:
    return lambda node: (
        # A semantic model has no tags in dbt, whatever its config holds.
        node.resource_type != "semantic_model" and any(fnmatchcase(tag, term.value) for tag in node.tags)
    )


def _group(term: Term, scope: Scope) -> Predicate:
    def holds(node: NodeMetadata) -> bool:
        # A test inherits the group of what it tests, but not in its config, which is what dbt asks.
        group = node.config.get("group", node.group_name)
        groupable = node.resource_type == "metric" or node.resource_type not in NOT_IN_NODES
        return groupable and isinstance(group, str) and fnmatchcase(group, term.value)

    return holds


def _access(term: Term, scope: Scope) -> Predicate:
    return lambda node: node.resource_type == "model" and (node.access or "protected") == term.value


def _package(term: Term, scope: Scope) -> Predicate:
    wanted = term.value
    if wanted == "this":
        if scope.project_name is None:
            raise term.error("'this' is the root project, whose name is not known here")
        wanted = scope.project_name
    return lambda node: fnmatchcase(node.package_name, wanted)


def _path(term: Term, scope: Scope) -> Predicate:
    """Nodes whose file, YAML file or folder is one of the paths that the pattern names.

    dbt looks the pattern up in the root project's folder, so a package's files are found only through
    folders that the root project has too.
    """
    value = term.value.replace("\\", "/")
    pattern = _parts(value)
    if value.startswith("/") or ".." in pattern:
        raise term.error("a path is relative to the project's folder", hint="write path:models/staging")
    files = _root_files(scope)
    folders = {path[:length] for path in files for length in range(len(path))}
    named = {path for path in files if _globs(pattern, path, is_folder=False)}
    named |= {path for path in folders if _globs(pattern, path, is_folder=True)}

    def holds(node: NodeMetadata) -> bool:
        path = _parts(node.path)
        return bool(path) and (
            _patch_path(node) in named or any(path[:end] in named for end in range(len(path) + 1))
        )

    return holds


def _root_files(scope: Scope) -> set[Parts]:
    """The root project's files that hold or describe nodes."""
    nodes = [node for node in scope.members.values() if scope.project_name in (None, node.package_name)]
    patches = {path for path in map(_patch_path, nodes) if path is not None}
    return patches | {_parts(node.path) for node in nodes if node.path}


def _parts(path: str) -> Parts:
    return tuple(part for part in path.replace("\\", "/").split("/") if part not in ("", "."))


def _patch_path(node: NodeMetadata) -> Parts | None:
    """The YAML file that describes the node: `patch_path` is `package://models/schema.yml`."""
    patch = node.properties.get("patch_path")
    return _parts(patch.split("://")[-1]) if isinstance(patch, str) and patch else None


def _globs(pattern: Parts, path: Parts, *, is_folder: bool) -> bool:
    """Whether *pattern* matches *path* as a shell would; `**` stands for any number of folders."""
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


def _file(term: Term, scope: Scope) -> Predicate:
    def holds(node: NodeMetadata) -> bool:
        path = PurePosixPath(node.path)
        return fnmatchcase(path.name, term.value) or fnmatchcase(path.stem, term.value)

    return holds


def _config(term: Term, scope: Scope) -> Predicate:
    if not term.arguments or not all(term.arguments):
        raise term.error("'config' needs a key", hint="write config.materialized:incremental")
    ignore_case = term.arguments == ("severity",)

    def holds(node: NodeMetadata) -> bool:
        if node.resource_type in NOT_IN_NODES and node.resource_type != "source":
            return False
        # What a live database has of it is no configuration, but is chosen by the same words.
        value: Json = _kept_as(node) if node.resource_type in SCANNED else node.config
        for key in term.arguments:
            value = value.get(key) if isinstance(value, dict) else None
        values = value if isinstance(value, list) else [value]
        return any(_says(found, term.value, ignore_case) for found in values)

    return holds


def _kept_as(node: NodeMetadata) -> dict[str, Json]:
    """How a scanned relation is kept: its kind, its owner, its partitioning, its options."""
    kind = {"materialized": node.materialized} if node.resource_type in RELATIONS else {}
    return {**node.properties, **kind}


def _says(found: Json, wanted: str, ignore_case: bool) -> bool:
    """Whether a configured value is what was written: texts as they are, booleans in any case."""
    if isinstance(found, bool):
        return wanted.lower() == str(found).lower()
    return isinstance(found, str) and (found == wanted or (ignore_case and found.lower() == wanted.lower()))


def _resource_type(term: Term, scope: Scope) -> Predicate:
    known = {*RESOURCE_TYPES, *SCANNED, *(node.resource_type for node in scope.members.values())}
    _choose(term, "resource type", known)
    return lambda node: node.resource_type == term.value


def _test_type(term: Term, scope: Scope) -> Predicate:
    _choose(term, "test type", ("generic", "singular", "unit", "data", "schema"))
    if term.value == "unit":
        return lambda node: node.resource_type == "unit_test"
    wanted = {"generic": (True,), "schema": (True,), "singular": (False,)}.get(term.value, (True, False))
    return lambda node: node.resource_type == "test" and ("test_metadata" in node.properties) in wanted


def _test_name(term: Term, scope: Scope) -> Predicate:
    def holds(node: NodeMetadata) -> bool:
        if node.resource_type == "unit_test":
            return fnmatchcase(node.name, term.value)
        metadata = node.properties.get("test_metadata") if node.resource_type == "test" else None
        return isinstance(metadata, dict) and fnmatchcase(str(metadata.get("name", "")), term.value)

    return holds


def _source(term: Term, scope: Scope) -> Predicate:
    package, source, table = _qualified(term, "package.source.table", at_least=1)
    return lambda node: (
        node.resource_type == "source"
        and fnmatchcase(node.package_name, package)
        and fnmatchcase(node.source_name or "", source)
        and fnmatchcase(node.name, table)
    )


def _named(term: Term, scope: Scope) -> Predicate:
    """`exposure:`, `metric:`, `semantic_model:`, `saved_query:` and `unit_test:`: a name, or package.name."""
    package, name = _qualified(term, f"package.{term.method}")
    return lambda node: (
        node.resource_type == term.method
        and fnmatchcase(node.package_name, package)
        and fnmatchcase(node.name, name)
    )


def _qualified(term: Term, form: str, at_least: int = 0) -> list[str]:
    """The parts of the value, with `*` for those of *form* that are not given.

    They are given from the right, but for a single part of a source, which names the source.
    """
    count = form.count(".") + 1
    parts = term.value.split(".")
    if len(parts) > count:
        hint = f"write {term.method}:{form}, or less of it"
        raise term.error(f"'{term.value}' has too many parts", hint=hint)
    if len(parts) == at_least:
        parts = [*parts, "*"]
    return ["*"] * (count - len(parts)) + parts


def _version(term: Term, scope: Scope) -> Predicate:
    _choose(term, "version", ("latest", "prerelease", "old", "none"))

    def holds(node: NodeMetadata) -> bool:
        if node.resource_type != "model":
            return False
        latest = node.properties.get("latest_version")
        if node.version is None or latest is None:
            return term.value == "none" and node.version is None
        version, latest = node.version, str(latest)
        if term.value == "latest":
            return version == latest
        older, newer = (version, latest) if term.value == "old" else (latest, version)
        return term.value != "none" and _is_less(older, newer)

    return holds


def _is_less(version: str, other: str) -> bool:
    """Versions are compared as numbers where both are numbers, else as texts."""
    try:
        return float(version) < float(other)
    except ValueError:
        return version < other


def _state(term: Term, scope: Scope) -> Predicate:
    if scope.state is None:
        hint = "use it in recce-meta diff BASE CURRENT"
        raise term.error("'state:' needs a run to compare with", hint=hint)
    found = frozenset(scope.state(term.value))
    return lambda node: node.unique_id in found


def _result(term: Term, scope: Scope) -> Predicate:
    results = scope.results
    if results is None:
        raise term.error("'result:' needs run results, and this run has none")
    return lambda node: node.unique_id in results and results[node.unique_id].status == term.value


def _choose(term: Term, kind: str, known: Collection[str]) -> None:
    if term.value not in known:
        where = f"in selector '{term.text}' at character {term.position}"
        raise UnknownNameError(kind, term.value, sorted(known), where=where)


METHODS: Mapping[str, Callable[[Term, Scope], Predicate]] = {
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
    "state": _state,
    "tag": _tag,
    "test_name": _test_name,
    "test_type": _test_type,
    "unit_test": _named,
    "version": _version,
}
