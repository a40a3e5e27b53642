"""Index of a recorded project: nodes by file, by `ref` and by `source`, macros, and known columns.

Everything is read from the store on demand, so that the server starts at once and needs little memory.
"""

from __future__ import annotations

import os
import re
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.api.run_reader import RunReader, StoredRunReader
from recce_meta.errors import ConfigurationError, TemplateError
from recce_meta.graph import LineageGraph, build_lineage_graph
from recce_meta.lazy import LazyModule
from recce_meta.lsp.project.last_changes import CHANGES, LastChange, LastChanges, read_last_changes
from recce_meta.lsp.text.template import TagCall
from recce_meta.models import MacroMetadata, NodeMetadata, RunMetadata
from recce_meta.models.lineage import NodeColumns
from recce_meta.models.marks.annotation import Annotation
from recce_meta.models.node_types import BUILT, WITH_QUERY, WITH_TEMPLATE
from recce_meta.profiles.discovery import PROJECT_FILE
from recce_meta.profiles.project_file import VARS_FILE, ProjectSettings, read_project_settings
from recce_meta.sql_lineage.project.names import dialect_of
from recce_meta.sql_lineage.project.readable import offered_columns
from recce_meta.store.read import load_macros

if TYPE_CHECKING:
    from recce_meta.extractors import jinja
    from recce_meta.profiles import lined_yaml, yaml_file
    from recce_meta.render import macros as macro_lookup
    from recce_meta.render import relation as node_lookup
    from recce_meta.render import sandbox
else:
    # The server answers `initialize` before it needs any of these.
    jinja = LazyModule("recce_meta.extractors.jinja")
    lined_yaml = LazyModule("recce_meta.profiles.lined_yaml")
    yaml_file = LazyModule("recce_meta.profiles.yaml_file")
    macro_lookup = LazyModule("recce_meta.render.macros")
    node_lookup = LazyModule("recce_meta.render.relation")
    sandbox = LazyModule("recce_meta.render.sandbox")

MOST_KEPT = 1_000
"""Number of nodes whose details are kept in memory, of each kind of detail."""
TESTS = frozenset(["test", "unit_test"])
"""Types of tests, as in `report.labels`: the server imports no reports before a command needs one."""
_CODE_FILES = (".sql", ".py")
_SUFFIXES = frozenset([".sql", ".py", ".csv", ".yml", ".yaml", ".md"])
"""Endings of files that dbt reads."""
_SEARCHES_OWN_PACKAGE_FIRST = "require_ref_searches_node_package_before_root"
_TRUE = frozenset(["true", "yes", "on", "1"])

Value = TypeVar("Value")


class KnownColumns(Struct, frozen=True):
    """Columns of a node."""

    types: Mapping[str, str | None]
    """Type by name, in order; None for an unknown type."""
    are_all: bool
    """False if the node may have further columns."""


class _Recent(Generic[Value]):
    """Cache of the `MOST_KEPT` values that were used last."""

    def __init__(self) -> None:
        self._values: OrderedDict[Hashable, Value] = OrderedDict()

    def get(self, key: Hashable, read: Callable[[], Value]) -> Value:
        """Return the value of *key*, from *read* on first use."""
        if key in self._values:
            self._values.move_to_end(key)
            return self._values[key]
        value = self._values[key] = read()
        if len(self._values) > MOST_KEPT:
            self._values.popitem(last=False)
        return value


class _SettingsFiles:
    """Settings of dbt_project.yml and vars.yml on disk, read again if the files change."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = RLock()
        self._settings: tuple[object, ProjectSettings | None, bool] | None = None

    def current(self) -> tuple[ProjectSettings | None, bool]:
        """Return the settings, and True if `ref` searches the package of the calling node first."""
        with self._lock:
            stamp = tuple(_stamp(self._root / name) for name in (PROJECT_FILE, VARS_FILE))
            if self._settings is None or self._settings[0] != stamp:
                known, own_first = self._settings[1:] if self._settings is not None else (None, False)
                try:
                    known = read_project_settings(self._root)
                    flags = yaml_file.read_mapping(self._root / PROJECT_FILE, ConfigurationError).get("flags")
                    flag = flags.get(_SEARCHES_OWN_PACKAGE_FIRST) if isinstance(flags, Mapping) else None
                    own_first = str(flag).lower() in _TRUE
                except ConfigurationError:
                    pass  # half-typed: the settings before still apply
                self._settings = (stamp, known, own_first)
            return self._settings[1:]

    def variable(self, name: str, package: str, project: str) -> tuple[object, Path | None, int] | None:
        """Return the value of a variable in *package*, its file and line from 0; None if no file sets it.

        The values of a package apply to its nodes alone, and those of the project win.
        https://docs.getdbt.com/docs/build/project-variables
        """
        settings = self.current()[0]
        if settings is None:
            return None
        package = package or project
        own = settings.folders.get(package)
        layers = [(settings.variables, self._root), (settings.packages.get(package, {}), own)]
        for variables, folder in layers:
            scoped = variables.get(package)
            if isinstance(scoped, Mapping) and name in scoped:
                return scoped[name], *_line_of(folder, (package, name))
            if name in variables:
                return variables[name], *_line_of(folder, (name,))
        return None


class _Meanings:
    """Nodes that calls of `ref` and `source` mean."""

    def __init__(
        self,
        project: str,
        files: _SettingsFiles,
        lock: AbstractContextManager[object],
        lookup: Callable[[], node_lookup.NodeLookup],
        sources: Callable[[], Mapping[str, Sequence[NodeMetadata]]],
    ) -> None:
        """Create a lookup in *project*; *lookup* and *sources* read the run, under *lock*."""
        self._project, self._files, self._lock = project, files, lock
        self._lookup, self._sources = lookup, sources
        self._errors: _Recent[TemplateError | None] = _Recent()

    def of_call(self, call: TagCall, package: str) -> NodeMetadata | TemplateError | None:
        """Return the node of `ref` or `source`, the error if it is missing, or None if it is unknown."""
        names = [argument.value for argument in call.arguments if argument.name is None]
        if not names or not all(isinstance(name, str) for name in names):
            return None
        texts = [str(name) for name in names]
        kind = call.name.removeprefix("builtins.")
        if kind == "source" and len(texts) == 2:
            with self._lock:
                return self._find_source(texts[0], texts[1], package)
        if kind != "ref" or len(texts) > 2:
            return None
        version = None
        for argument in call.arguments:
            if argument.name in ("v", "version"):
                if argument.value is None:
                    return None
                version = str(argument.value)
        with self._lock:
            return self.ref(texts[-1], texts[0] if len(texts) == 2 else None, version, package)

    def ref(
        self, name: str, wanted: str | None, version: str | None, package: str
    ) -> NodeMetadata | TemplateError | None:
        """Return the node; the error if it is missing; None if it is ambiguous, and dbt takes any."""
        found = self._lookup().candidates(name, version)
        if wanted is not None:
            found = [node for node in found if node.package_name == wanted]
        if not found:
            # A search for similar names takes long.
            return self._errors.get(
                (name, wanted, version),
                lambda: _error_of(lambda: self._lookup().ref(name, wanted, version, None)),
            )
        return self._first(found, package, own_first=self._files.current()[1])

    def _find_source(self, source: str, table: str, package: str) -> NodeMetadata | TemplateError | None:
        found = [node for node in self._sources().get(source, ()) if node.name == table]
        if not found:
            return self._errors.get(
                (source, table), lambda: _error_of(lambda: self._lookup().source(source, table, None))
            )
        return self._first(found, package, own_first=False)

    def _first(self, found: Sequence[NodeMetadata], package: str, *, own_first: bool) -> NodeMetadata | None:
        """Return the node of *found* in the package that dbt searches first; None if several remain.

        https://docs.getdbt.com/reference/global-configs/behavior-flags/require_ref_searches_node_package_before_root
        """
        order = [self._project, package]
        for place in reversed(order) if own_first else order:
            for node in found:
                if node.package_name == place:
                    return node
        return found[0] if len(found) == 1 else None


class ProjectIndex:
    """One recorded run of the project in *root*, and the run that it is compared with.

    Any thread may call the methods. Code that uses `reader` or `base` directly must hold `lock`, because a
    connection to the store serves one thread at a time.
    """

    def __init__(
        self,
        reader: RunReader,
        root: Path,
        base: RunReader | None = None,
        *,
        like: ProjectIndex | None = None,
    ) -> None:
        """Create an index; nothing is read yet. *base* is the run to compare with, if there is one.

        *like* is the index of the same run for another thread: what never changes is in memory once.
        """
        self.reader, self.root, self.base = reader, root, base
        self.lock = RLock()
        self._files = _SettingsFiles(root)
        self._shared: dict[str, Any] = like._shared if like is not None else {}
        self._nodes: _Recent[NodeMetadata | None] = _Recent()
        self._columns: _Recent[KnownColumns] = _Recent()
        self._lineage: _Recent[NodeColumns | None] = _Recent()
        self._column_readers: _Recent[Mapping[str, Mapping[str, Sequence[str]]]] = _Recent()
        self._tests: _Recent[Sequence[NodeMetadata]] = _Recent()
        self._untraced: _Recent[Sequence[NodeMetadata]] = _Recent()
        self._meanings = _Meanings(
            reader.run.project_name, self._files, self.lock, lambda: self._lookup, lambda: self._sources
        )
        self._refs: dict[str, Sequence[tuple[str, NodeMetadata]]] = {}
        self._changes: tuple[object, LastChanges] = (None, LastChanges())

    @property
    def run(self) -> RunMetadata:
        """The recorded run."""
        return self.reader.run

    @cached_property
    def dialect(self) -> str:
        """Name of the dialect in sqlglot; empty for standard SQL."""
        return dialect_of(self.run.adapter_type) or ""

    @property
    def names(self) -> Mapping[str, NodeMetadata]:
        """Every node by unique id, with few fields (see `RunReader.names`)."""
        with self.lock:
            return self.reader.names

    def node(self, unique_id: str) -> NodeMetadata | None:
        """Return the node with all fields; the last ones are cached."""
        with self.lock:
            return self._nodes.get(unique_id, lambda: self.reader.nodes([unique_id]).get(unique_id))

    def node_of_file(self, path: Path) -> NodeMetadata | None:
        """Return the model, snapshot, analysis or singular test in the file *path*, with all fields.

        None if the file has no node, or several: a file may define several snapshots.
        """
        with self.lock:
            for spelling in _spellings(path):
                ids = self._ids_by_file.get(spelling)
                if ids is not None:
                    return self.node(ids[0]) if len(ids) == 1 else None
        return None

    def ref(self, call: TagCall, package: str) -> NodeMetadata | None:
        """Return the node that a call of `ref` in *package* means, as dbt resolves it, with few fields.

        One argument, or package and name; `v=` or `version=`. None for an unknown or non-literal name, and
        if the name is ambiguous (see `problem`).
        https://docs.getdbt.com/reference/dbt-jinja-functions/ref
        """
        found = self._meanings.of_call(call, package)
        return found if isinstance(found, NodeMetadata) else None

    def source(self, call: TagCall, package: str = "") -> NodeMetadata | None:
        """Return the source table that a call of `source` means, with few fields.

        None for an unknown or non-literal name.
        """
        return self.ref(call, package)

    def problem(self, call: TagCall, package: str) -> tuple[str, str | None] | None:
        """Return why a call of `ref` or `source` is wrong, and a hint.

        None unless every argument is literal and the project has no such node.
        """
        found = self._meanings.of_call(call, package)
        return (found.problem, found.hint) if isinstance(found, TemplateError) else None

    def relation(self, call: TagCall | None, package: str, this: NodeMetadata | None) -> NodeMetadata | None:
        """Return the node of a table of the text: that of `ref`, of `source`, or *this*."""
        if call is None:
            return None
        return this if call.name == "this" else self.ref(call, package)

    @property
    def macros(self) -> Sequence[MacroMetadata]:
        """Every macro of the run, those of installed packages included."""
        with self.lock:
            return self._library.macros

    def macro(self, name: str, package: str) -> MacroMetadata | None:
        """Return the macro that the dotted *name* means in *package*, as dbt resolves it."""
        with self.lock:
            namespace, _, own = name.rpartition(".")
            if namespace:
                return self._library.of_package(namespace).get(own)
            return self._library.find(name, package or None)

    def macro_place(self, macro: MacroMetadata) -> tuple[Path, int] | None:
        """Return the file of *macro* and the offset of its name; None if the file or the macro is missing."""
        path = self._file(macro.package_name, macro.path)
        if path is None:
            return None
        try:
            offset = offset_of_macro(path.read_bytes().decode("utf-8-sig"), macro)
        except (OSError, UnicodeDecodeError):
            return None
        return None if offset is None else (path, offset)

    def file_of(self, node: NodeMetadata) -> Path | None:
        """Return the file that defines *node*, in the project or an installed package, if it exists."""
        return self._file(node.package_name, node.path)

    def columns(self, unique_id: str) -> KnownColumns:
        """Return the columns of a node: of its catalog or contract, else those of its SQL.

        Only documented columns are known of a node without any of these.
        """
        with self.lock:
            return self._columns.get(unique_id, lambda: self._read_columns(unique_id))

    def _read_columns(self, unique_id: str) -> KnownColumns:
        node = self.node(unique_id)
        has_query = node is not None and node.resource_type in WITH_QUERY
        return _known_columns(node, self.lineage(unique_id) if has_query else None)

    def lineage(self, unique_id: str) -> NodeColumns | None:
        """Return the recorded column lineage of a node; None if it was not analysed."""
        with self.lock:
            return self._lineage.get(unique_id, lambda: self.reader.columns_of([unique_id]).get(unique_id))

    def variable(self, name: str, package: str = "") -> tuple[object, Path | None, int] | None:
        """Return the value of a variable in *package*, its file and line from 0; None if no file sets it."""
        return self._files.variable(name, package, self.run.project_name)

    def refs(self, package: str) -> Sequence[tuple[str, NodeMetadata]]:
        """Return the names that `ref` accepts in *package*, sorted, each with the node that it means."""
        with self.lock:
            if package not in self._refs:
                kinds = BUILT
                names = {node.name for node in self.names.values() if node.resource_type in kinds}
                found = ((name, self._meanings.ref(name, None, None, package)) for name in sorted(names))
                self._refs[package] = [(name, node) for name, node in found if isinstance(node, NodeMetadata)]
            return self._refs[package]

    def _once(self, name: str, read: Callable[[], Value]) -> Value:
        """Return what *read* returns, which the indexes of all threads share. Two may read it at once."""
        found = self._shared.get(name)
        value: Value = self._shared.setdefault(name, read()) if found is None else found
        return value

    @property
    def _sources(self) -> Mapping[str, Sequence[NodeMetadata]]:
        return self._once("sources", self._read_sources)

    def _read_sources(self) -> Mapping[str, Sequence[NodeMetadata]]:
        found: dict[str, list[NodeMetadata]] = {}
        for node in self.names.values():
            if node.resource_type == "source":
                found.setdefault(node.source_name or "", []).append(node)
        return {name: sorted(found[name], key=lambda node: node.name) for name in sorted(found)}

    def sources(self) -> Mapping[str, Sequence[NodeMetadata]]:
        """Return the tables of each source."""
        with self.lock:
            return self._sources

    def readers(self, unique_id: str) -> Sequence[NodeMetadata]:
        """Return the direct children of a node, tests excluded; exposures and metrics included."""
        with self.lock:
            return [node for node in self._children(unique_id) if node.resource_type not in TESTS]

    def tests(self, unique_id: str) -> Sequence[NodeMetadata]:
        """Return the tests of a node with all fields."""
        with self.lock:
            if not any(node.resource_type == "test" for node in self._children(unique_id)):
                return ()
            return self._tests.get(unique_id, lambda: self.reader.tests_of([unique_id]))

    def column_readers(self, unique_id: str) -> Mapping[str, Mapping[str, Sequence[str]]]:
        """Return for each column, in lower case, the nodes that read it, with their columns derived from it.

        The names of columns are empty for a node that only filters, joins or groups by the column. Tests are
        excluded. The key `*` has the nodes that may read any column.
        """
        with self.lock:
            return self._column_readers.get(unique_id, lambda: _read_column_readers(self.reader, unique_id))

    def untraced_readers(self, unique_id: str) -> Sequence[NodeMetadata]:
        """Return the readers of a node whose columns are unknown: each may read any column of the node."""
        with self.lock:
            readers = self.readers(unique_id)
            return self._untraced.get(unique_id, lambda: _read_untraced(self.reader, readers))

    def annotations(self, unique_id: str) -> Sequence[Annotation]:
        """Return the notes, tags and owners of a node and of its columns, which may change at any time."""
        with self.lock:
            return self.reader.annotations([unique_id])

    def last_change(self, node: NodeMetadata) -> LastChange | None:
        """Return the last commit of the file of *node*; None if it is unknown, and for other packages."""
        reader = self.reader
        store = reader.adapter.place.file_path() if isinstance(reader, StoredRunReader) else None
        if store is None or node.package_name != self.run.project_name:
            return None
        place = store.with_suffix(CHANGES)
        with self.lock:
            # Indexing replaces the file, also if the run stays the same.
            stamp = _stamp(place)
            if self._changes[0] != stamp:
                self._changes = (stamp, read_last_changes(place))
            return self._changes[1].of(node.path)

    @property
    def settings(self) -> ProjectSettings | None:
        """Settings of dbt_project.yml on disk; those read before while the file is invalid."""
        return self._files.current()[0]

    @property
    def _lookup(self) -> node_lookup.NodeLookup:
        return self._once("lookup", self._read_lookup)

    def _read_lookup(self) -> node_lookup.NodeLookup:
        names = self.reader.names
        # The names of a stored run lack the property with the latest version.
        versioned = self.reader.nodes([node.unique_id for node in names.values() if node.version is not None])
        nodes = [
            replace(node, properties=versioned[unique_id].properties) if unique_id in versioned else node
            for unique_id, node in names.items()
        ]
        return node_lookup.NodeLookup(nodes, self.run.project_name)

    @cached_property
    def _library(self) -> macro_lookup.MacroLibrary:
        return macro_lookup.MacroLibrary(
            self._macros(), sandbox.Sandbox(), self.run.adapter_type or "", self.run.project_name
        )

    def _macros(self) -> Sequence[MacroMetadata]:
        reader = self.reader
        if isinstance(reader, StoredRunReader):
            return load_macros(reader.adapter, reader.run)
        return reader.project.macros

    @property
    def _ids_by_file(self) -> Mapping[str, Sequence[str]]:
        return self._once("files", self._read_files)

    def _read_files(self) -> Mapping[str, Sequence[str]]:
        found: dict[str, list[str]] = {}
        bases = {self.run.project_name: self.root}
        bases |= self.settings.folders if self.settings is not None else {}
        spellings = {name: _spellings(base) for name, base in bases.items()}
        for node in self.names.values():
            if node.resource_type in WITH_TEMPLATE and node.path.endswith(_CODE_FILES):
                place = node.path.replace("/", os.sep)
                for base in spellings.get(node.package_name, ()):
                    found.setdefault(f"{base}{os.sep}{place}", []).append(node.unique_id)
        return found

    def _file(self, package: str, path: str) -> Path | None:
        settings = self.settings
        base = settings.folders.get(package) if settings is not None else None
        if package == self.run.project_name:
            base = self.root
        if base is None or not path:
            return None
        found = base.joinpath(*path.split("/"))
        # A manifest may name any file of the machine, and `model-paths` may be next to the project.
        return found if found.suffix.lower() in _SUFFIXES and found.is_file() else None

    @property
    def graph(self) -> LineageGraph:
        """Graph of the recorded nodes."""
        with self.lock:
            return self._once("graph", lambda: build_lineage_graph([], self.reader.edges))

    def _children(self, unique_id: str) -> Sequence[NodeMetadata]:
        names = self.reader.names
        found = (names[child] for child in self.graph.children(unique_id) if child in names)
        return sorted(found, key=lambda node: (node.name, node.unique_id))


def _known_columns(node: NodeMetadata | None, lineage: NodeColumns | None) -> KnownColumns:
    """Return the columns of *node*, whose recorded lineage is *lineage*."""
    if node is None:
        return KnownColumns({}, are_all=False)
    # The analysis lists the documented columns of sources, which need not be all.
    found = offered_columns(node, lineage.names if lineage is not None else ())
    names = found.names if found.names is not None else found.documented
    # A warehouse has its own spelling of the names in SQL.
    kinds = {column.name.lower(): column.type for column in node.columns}
    has_doubles = len(kinds) < len(node.columns)
    types = {
        name: found.types.get(name) or (None if has_doubles else kinds.get(name.lower())) or None
        for name in names
    }
    return KnownColumns(types, are_all=bool(found.names))


def _read_untraced(reader: RunReader, readers: Sequence[NodeMetadata]) -> Sequence[NodeMetadata]:
    gaps = reader.gaps([node.unique_id for node in readers]) if readers else {}
    return [node for node in readers if gaps.get(node.unique_id, "not analysed") is not None]


def _read_column_readers(run: RunReader, unique_id: str) -> Mapping[str, Mapping[str, Sequence[str]]]:
    names = run.names
    found: dict[str, dict[str, dict[str, None]]] = {}
    for edge in run.column_children([unique_id]):
        reader = names.get(edge.node_id)
        if reader is None or reader.resource_type in TESTS:
            continue
        derived = found.setdefault(edge.parent_column.lower(), {}).setdefault(edge.node_id, {})
        if edge.column_name is not None:
            derived[edge.column_name] = None
    return {
        column: {node_id: tuple(derived) for node_id, derived in sorted(nodes.items())}
        for column, nodes in found.items()
    }


def _error_of(find: Callable[[], NodeMetadata]) -> TemplateError | None:
    try:
        find()
    except TemplateError as error:
        return error
    return None


def _spellings(path: Path) -> tuple[str, ...]:
    """Return the absolute path as given, and without symbolic links."""
    return tuple(dict.fromkeys((str(path.absolute()), str(path.resolve()))))


def offset_of_macro(text: str, macro: MacroMetadata) -> int | None:
    """Return the offset of the name in the definition of *macro* in *text*; None if it is missing."""
    position = 0
    for block in jinja.blocks_of(text):
        start = text.find(block.text, position)
        if start < 0:
            continue
        position = start + len(block.text)
        # dbt names tests and materializations with a prefix.
        is_own = block.kind == "macro" and block.name == macro.name
        is_prefixed = block.kind != "macro" and macro.name.startswith(
            f"{_PREFIXES.get(block.kind, block.kind)}_{block.name}"
        )
        if is_own or is_prefixed:
            found = re.compile(r"\{%[-+]?\s*\w+\s+").match(text, start)
            return found.end() if found is not None else start
    return None


_PREFIXES = {"data_test": "test"}


def _stamp(path: Path) -> object:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _line_of(folder: Path | None, keys: Sequence[str]) -> tuple[Path | None, int]:
    """Return the file and line of a variable of the project in *folder*; *keys* are the keys below `vars`."""
    for path in () if folder is None else (folder / PROJECT_FILE, folder / VARS_FILE):
        try:
            node: Any = lined_yaml.compose_file(path) if path.is_file() else None
        except ConfigurationError:
            continue
        line: int | None = None
        for key in ("vars", *keys):
            pairs = node.value if getattr(node, "id", None) == "mapping" else ()
            # The last of duplicate keys counts.
            found = [(name, value) for name, value in pairs if name.value == key]
            line, node = (found[-1][0].start_mark.line, found[-1][1]) if found else (None, None)
        if line is not None:
            return path, line
    return None, 0
