"""Reader of the edited project: dbt's manifest, merged with the files that changed since dbt wrote it.

A node of the manifest is used if its code is still that of its file. A file that differs, or is new, is read
and rendered by our own reader, with the manifest's macros and names of relations; so is a node that depends
on a changed macro or variable, or that dbt did not compile. Tests, exposures and other nodes that have no SQL
file are those of the manifest.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timezone
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from recce_meta.api.edited_project import edited_macros, files_changed_since, is_same_text
from recce_meta.api.record import target_folder
from recce_meta.api.record_sql import Known, SqlOptions, compiled, extract_sql_project
from recce_meta.errors import ArtifactError, RecceMetaError
from recce_meta.extractors.artifact import find_artifact, read_artifact
from recce_meta.extractors.git import GitState, detect_git
from recce_meta.extractors.jinja import blocks_of
from recce_meta.extractors.project import extract_project
from recce_meta.extractors.sql_project.dbt_project import DbtFiles, read_dbt_files, read_inputs
from recce_meta.extractors.sql_project.files import SourceFile, TargetSchema, find_files, read_files
from recce_meta.extractors.sql_project.inputs import Inputs
from recce_meta.extractors.sql_project.settings import DbtProjectFile, read_settings
from recce_meta.lsp.project.artifact_times import ArtifactTimes
from recce_meta.lsp.project.manifest_nodes import described, updated, without_old_lists
from recce_meta.models import NodeMetadata, Project, code_hash
from recce_meta.models.node_types import WITH_TEMPLATE
from recce_meta.profiles.discovery import PROJECT_FILE
from recce_meta.temporary import temporary_folder

MANIFEST, FILES, BOTH = "manifest", "files", "both"
UNFINISHED_SECONDS = 60.0
"""A manifest that is not valid JSON may still be written if it changed within this time."""
RETRY_SECONDS = 2.0
_PAUSE = 0.1
_ENDINGS = (".sql", ".py")
Progress = Callable[[str], None]
_Key = tuple[str, str]
"""Resource type and path; of a snapshot, with its name."""


class ManifestUnfinished(RecceMetaError):
    """The manifest is not valid JSON, probably because dbt is writing it."""


class ProjectState(Struct, frozen=True, kw_only=True):
    """Project as it is now."""

    project: Project
    source: str
    """`manifest`, `files` or `both`."""
    times: ArtifactTimes = ArtifactTimes()
    """When dbt wrote the artifacts that were read."""


def read_state(
    root: Path,
    environ: Mapping[str, str],
    known: Known,
    *,
    report: Progress,
    reads_manifest: bool = True,
) -> ProjectState:
    """Return the project in *root*: that of the manifest, merged with the files that differ.

    *known* returns the nodes of the previous state, so that unchanged files are not read again. *report* is
    called with the progress. Without *reads_manifest*, only files are read. Raises ManifestUnfinished if
    dbt is still writing the manifest after two seconds, and ConfigurationError if dbt_project.yml is
    invalid.
    """
    warnings: list[str] = []
    settings = read_settings(root, warnings)
    git = detect_git(root, environ)
    folder = target_folder(None, root, environ)
    path = find_artifact(folder, "manifest.json") if reads_manifest else None
    found = None if path is None else _read_manifest(path, root, git, warnings)
    if found is not None and found.run.project_name != settings.name:
        warnings.append(f"{path} is of the project {found.run.project_name} and was not used")
        found = None
    if found is None:
        report(f"reading the files of {settings.name}")
        project = extract_sql_project(root, SqlOptions(git=git, environ=environ), known=known)
        return ProjectState(project=_with_warnings(project, warnings), source=FILES)
    times = ArtifactTimes(found.run.run_at, _time_of_catalog(found, folder))
    edits = _Edits(found, settings, warnings)
    if not edits.has_changes:
        return ProjectState(project=_with_warnings(found, warnings), source=MANIFEST, times=times)
    report(f"reading the files of {settings.name} that differ from the manifest")
    return replace(_Merge(found, settings, warnings, edits).merged(environ, known), times=times)


class _ArtifactHeader(Struct):
    generated_at: datetime | None = None


class _Dated(Struct):
    """Artifact of which only the time is read."""

    metadata: _ArtifactHeader


def _time_of_catalog(project: Project, folder: Path) -> datetime | None:
    """Return the time of the catalog in *folder*; None if *project* has no columns of it."""
    path = find_artifact(folder, "catalog.json")
    if path is None or all(node.columns_from != "catalog" for node in project.nodes):
        return None
    try:
        moment = msgspec.json.decode(read_artifact(path), type=_Dated).metadata.generated_at
    except (ArtifactError, msgspec.DecodeError, UnicodeDecodeError):
        # It has just been replaced, or its time has an unknown form.
        return None
    return moment if moment is None or moment.tzinfo is not None else moment.replace(tzinfo=timezone.utc)


def is_text(name: str) -> bool:
    """Return False for a name with bytes that are not UTF-8."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _with_warnings(project: Project, warnings: Iterable[str]) -> Project:
    texts = filter(is_text, (*project.warnings, *warnings))
    return replace(project, warnings=tuple(dict.fromkeys(map(str, texts))))


def _read_manifest(path: Path, root: Path, git: GitState, warnings: list[str]) -> Project | None:
    """Return the manifest at *path* with catalog and results; None, with a warning, if it is not usable."""
    deadline = time.monotonic() + RETRY_SECONDS
    while True:
        try:
            return extract_project(path.parent, project_dir=root, git=git)
        except ArtifactError as error:
            problem = error
        if not _is_valid(path):
            is_recent = _age(path) < UNFINISHED_SECONDS
            if is_recent and time.monotonic() < deadline:
                time.sleep(_PAUSE)
                continue
            if is_recent:
                raise ManifestUnfinished(f"dbt has not finished {path}", hint="wait for dbt") from None
            warnings.append(f"{problem.message}; the manifest was not used")
            return None
        try:
            # The catalog or the results are the problem: without them in the folder, they are optional.
            with temporary_folder() as empty:
                project = extract_project(empty, manifest_path=path, project_dir=root, git=git)
        except ArtifactError as error:
            warnings.append(f"{error.message}; the manifest was not used")
            return None
        warnings.append(f"{problem.message}; catalog and run results were not used")
        return project


def _is_valid(path: Path) -> bool:
    """Return True if the file at *path* is complete JSON."""
    try:
        msgspec.json.decode(read_artifact(path))
    except (ArtifactError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return 0.0


class _Edits:
    """Edits of a project since dbt wrote its manifest: files that differ, are new or are gone."""

    def __init__(self, manifest: Project, settings: DbtProjectFile, warnings: list[str]) -> None:
        self._manifest, self._settings, self._warnings = manifest, settings, warnings
        self._written_at = manifest.run.run_at
        self._blocks: dict[_Key, str] = {}
        """Code of snapshots with its tags."""

    @property
    def has_changes(self) -> bool:
        """Return True if a file differs from the manifest, or dbt has not compiled a node."""
        if self.own_code and not self._texts:
            self._warnings.append(f"No SQL files in {self._settings.root}; the manifest was used alone")
            return False
        return bool(
            any(not self.is_current(node) for node in self.own_code)
            or self._texts.keys() - {_key(node) for node in self.own_code}
            or self._has_new_seeds
            or self.changed_macros
            or self.changed_yaml
            or self._is_uncompiled
        )

    @cached_property
    def own_code(self) -> list[NodeMetadata]:
        """Nodes of the project itself that have an own file of SQL or Python."""
        return [
            node
            for node in self._manifest.nodes
            if node.package_name == self._settings.name
            and node.resource_type in WITH_TEMPLATE
            and node.path.endswith(_ENDINGS)
            and not _is_generic_test(node)
        ]

    @cached_property
    def _texts(self) -> dict[_Key, str]:
        """Code of the project's files."""
        root, paths = self._settings.root, self._settings.paths
        skipped: list[str] = []  # reported by our own reader, if it is used

        def files(kind: str, *endings: str) -> list[SourceFile]:
            return read_files(root, paths[kind], endings or (".sql",), skipped)

        found = {("model", file.path): file.text for file in files("models", *_ENDINGS)}
        found |= {("analysis", file.path): file.text for file in files("analyses")}
        found |= {
            ("test", file.path): file.text
            for file in files("tests")
            if "generic" not in Path(file.path).parts
        }
        for file in files("snapshots"):
            for block in blocks_of(file.text):
                if block.kind == "snapshot":
                    found["snapshot", f"{file.path} {block.name}"] = block.body
                    self._blocks["snapshot", f"{file.path} {block.name}"] = block.text
        return found

    def is_current(self, node: NodeMetadata) -> bool:
        """Return True if the code of *node* is that of its file, or its file cannot be read."""
        text = self._texts.get(_key(node))
        if text is None:
            return node.resource_type != "snapshot" and _may_exist(self._settings.root / node.path)
        # dbt 2 has the whole block as the code of a snapshot.
        return is_same_text(node, text) or is_same_text(node, self._blocks.get(_key(node), text))

    def as_read(self, node: NodeMetadata) -> NodeMetadata:
        """Return *node* with the text of its file as its code."""
        text = self._texts.get(_key(node))
        return node if text is None else replace(node, raw_code=text)

    @cached_property
    def _has_new_seeds(self) -> bool:
        root, paths = self._settings.root, self._settings.paths
        found = {
            Path(os.path.relpath(path, root)).as_posix()
            for path in find_files(root, paths["seeds"], (".csv",))
        }
        seeds = {
            node.path for node in self._manifest.nodes if self.is_own(node) and node.resource_type == "seed"
        }
        return found != seeds

    def is_own(self, node: NodeMetadata) -> bool:
        """Return True if *node* is of the project itself, not of a package."""
        return node.package_name == self._settings.name

    @cached_property
    def changed_yaml(self) -> frozenset[str]:
        """Paths of dbt_project.yml and property files that changed since dbt read them, or are gone."""
        root = self._settings.root
        changed = frozenset(files_changed_since(self._written_at, self._settings))
        named = {
            node.path for node in self._manifest.nodes if self.is_own(node) and node.resource_type == "source"
        }
        return changed.union(name for name in named if not _may_exist(root / name))

    @cached_property
    def changed_macros(self) -> frozenset[str]:
        """Names of the project's macros that changed, with the names that dispatch to them."""
        return frozenset(edited_macros(self._manifest, self._settings)[1])

    @cached_property
    def _is_uncompiled(self) -> bool:
        """Return True if dbt compiled only some nodes: `dbt parse` none, `dbt run` the selected ones."""
        return any(node.compiled_code is None and node.language != "python" for node in self.own_code)

    def has_new_properties(self, node: NodeMetadata) -> bool:
        """Return True if the property file that describes *node* changed."""
        return str(node.properties.get("patch_path", "")).rpartition("://")[2] in self.changed_yaml

    def with_code(self, node: NodeMetadata) -> NodeMetadata:
        """Return *node* with its code, which the manifests of some versions lack."""
        text = self._texts.get(_key(node))
        if node.raw_code is not None or text is None or not self.is_own(node):
            return node
        return replace(node, raw_code=text, code_hash=code_hash(text))


class _Merge:
    """Merge of a manifest with the project's files."""

    def __init__(
        self, manifest: Project, settings: DbtProjectFile, warnings: list[str], edits: _Edits
    ) -> None:
        self._manifest, self._settings, self._warnings = manifest, settings, warnings
        self._edits = edits
        self._nodes = {node.unique_id: node for node in manifest.nodes}
        self._written_at = manifest.run.run_at
        self._read: set[str] = set()
        """Nodes of our own reader that replace those of the manifest."""
        self._has_described = False
        """True if property files describe a node in another way."""

    def merged(self, environ: Mapping[str, str], known: Known) -> ProjectState:
        """Return the merged project."""
        inputs = self._inputs()
        fingerprint = sha256(
            f"{inputs.fingerprint()} {self._manifest.run.invocation_id} {self._written_at}".encode()
        ).hexdigest()[:32]
        before = known(self._settings.name, fingerprint)
        current = {
            node.unique_id: self._edits.as_read(node)
            for node in self._edits.own_code
            if self._edits.is_current(node)
        }
        known_nodes = {
            **self._nodes,
            **{name: node for name, node in before.items() if _is_ours(node)},
            **current,
        }
        # Without code, a node is read again: its property file changed.
        known_nodes |= {
            name: replace(node, raw_code=None)
            for name, node in current.items()
            if self._edits.has_new_properties(node)
        }
        own = read_dbt_files(inputs, known_nodes)
        nodes = self._chosen({node.unique_id: node for node in own.nodes}, current.keys())
        reused = self._reusable(nodes, before)
        nodes |= without_old_lists(nodes, {name for name, node in nodes.items() if self._is_altered(node)})
        generic = {name for name, node in nodes.items() if _is_generic_test(node)}
        files = DbtFiles(
            inputs=inputs,
            disabled=own.disabled,
            nodes=[nodes[name] for name in sorted(nodes.keys() - generic)],
            reused=frozenset(reused - generic),
            fingerprint=fingerprint,
        )
        done = compiled(files, self._places(before), SqlOptions(environ=environ))
        done += [nodes[name] for name in generic]
        is_changed = self._read or self._has_described or self._edits.changed_macros
        is_manifest = nodes.keys() == self._nodes.keys() and not is_changed
        run = replace(self._manifest.run, invocation_id=fingerprint)
        project = replace(
            self._manifest,
            run=run,
            nodes=tuple(sorted(done, key=lambda node: node.unique_id)),
            macros=inputs.macros,
            results=tuple(one for one in self._manifest.results if one.unique_id in nodes),
        )
        # The macros of packages are in the manifest, but our own reader looks for files.
        unused = ("Packages not installed", *(f"{node.path}: " for node in current.values()))
        warnings = [text for text in inputs.warnings if not text.startswith(unused)]
        source = MANIFEST if is_manifest else BOTH
        return ProjectState(project=_with_warnings(project, [*self._warnings, *warnings]), source=source)

    def _inputs(self) -> Inputs:
        """Return the inputs of our own reader, with the manifest's macros, dialect and place."""
        run = self._manifest.run
        place = None
        if run.target_schema:
            place = TargetSchema(schema=run.target_schema, database=run.target_database, is_target=True)
        inputs = read_inputs(self._settings.root, dialect=run.adapter_type, place=place)
        own = {macro.unique_id: macro for macro in inputs.macros}
        # dbt's own macros, and those of packages that were removed since.
        kept = {
            macro.unique_id: macro
            for macro in self._manifest.macros
            if macro.package_name != self._settings.name
        }
        return replace(inputs, macros=tuple({**own, **kept}.values()))

    def _chosen(self, own: Mapping[str, NodeMetadata], current: Iterable[str]) -> dict[str, NodeMetadata]:
        """Return the nodes of the project as it is now; *own* are those of our own reader."""
        # Another version in a changed property file gives the same SQL file another id.
        kept = {name for name in current if name in own or not self._may_be_disabled(self._nodes[name])}
        covered = {_key(self._nodes[name]) for name in kept}
        packages = {node.package_name for node in self._manifest.nodes}
        found: dict[str, NodeMetadata] = {}
        for unique_id, node in own.items():
            was = self._nodes.get(unique_id)
            if was is None:
                # A node of a known package is not in the manifest because it is disabled.
                if node.package_name not in packages or (
                    self._edits.is_own(node) and _key(node) not in covered
                ):
                    found[unique_id] = node
                    self._read.add(unique_id)
            elif unique_id in kept and self._edits.has_new_properties(was):
                found[unique_id] = described(self._edits.with_code(was), node)
                self._has_described |= found[unique_id] != self._edits.with_code(was)
            elif unique_id in kept or not self._is_changed(was):
                found[unique_id] = self._edits.with_code(was)
            else:
                found[unique_id] = updated(was, node)
                self._read.add(unique_id)
        for unique_id, node in self._nodes.items():
            if unique_id not in found and self._stays(node, kept):
                found[unique_id] = node
        return {
            unique_id: node
            for unique_id, node in found.items()
            if not _is_generic_test(node)
            or all(parent in found or parent not in self._nodes for parent in node.parents)
        }

    def _may_be_disabled(self, node: NodeMetadata) -> bool:
        """Return True if a changed file may have disabled *node*, or renamed its version."""
        return PROJECT_FILE in self._edits.changed_yaml or self._edits.has_new_properties(node)

    def _is_changed(self, node: NodeMetadata) -> bool:
        """Return True if our own reader knows *node* better than the manifest."""
        if not self._edits.is_own(node):
            return False
        if node.resource_type in WITH_TEMPLATE:
            return True
        return node.resource_type == "source" and node.path in self._edits.changed_yaml

    def _stays(self, node: NodeMetadata, kept: Iterable[str]) -> bool:
        """Return True for a node of the manifest that still exists, though our own reader lacks it."""
        if not self._edits.is_own(node):
            return True
        if (
            node.resource_type in WITH_TEMPLATE
            and node.path.endswith(_ENDINGS)
            and not _is_generic_test(node)
        ):
            return node.unique_id in kept
        if node.resource_type == "source":
            return node.path not in self._edits.changed_yaml
        return not node.path or _may_exist(self._settings.root / node.path)

    def _reusable(self, nodes: dict[str, NodeMetadata], before: Mapping[str, NodeMetadata]) -> set[str]:
        """Return the nodes whose SQL is still right; set the SQL that we rendered before in *nodes*."""
        affected = self._affected
        is_inlined_anew = any(
            node.materialized == "ephemeral" and not _has_same_code(node, before.get(name))
            for name, node in nodes.items()
        )
        reused = set()
        for name, node in nodes.items():
            is_dbts = name not in self._read and node.compiled_code is not None
            if is_dbts and not (affected and affected.search(node.raw_code or "")):
                reused.add(name)
            elif (
                not is_inlined_anew
                and not self._has_moved(node)
                and (earlier := before.get(name)) is not None
                and _has_same_code(node, earlier)
            ):
                nodes[name] = replace(node, compiled_code=earlier.compiled_code)
                reused.add(name)
            elif node.compiled_code is not None:
                nodes[name] = replace(node, compiled_code=None)
        return reused

    def _is_altered(self, node: NodeMetadata) -> bool:
        """Return True if the SQL of *node* differs from what dbt read."""
        is_affected = self._affected is not None and self._affected.search(node.raw_code or "") is not None
        return node.resource_type in WITH_TEMPLATE and (node.unique_id in self._read or is_affected)

    def _has_moved(self, node: NodeMetadata) -> bool:
        """Return True if SQL that dbt compiled has another name for the relation of *node*."""
        was = self._nodes.get(node.unique_id)
        return was is not None and was.relation_name != node.relation_name

    def _places(self, before: Mapping[str, NodeMetadata]) -> dict[str, NodeMetadata]:
        """Return the nodes with the relations that SQL of the manifest, and that of *before*, refers to."""
        found = {**before, **self._nodes}
        # SQL from either may have the other name, so its readers are rendered again.
        moved = (
            name
            for name, node in self._nodes.items()
            if (was := before.get(name)) is not None and was.relation_name != node.relation_name
        )
        for name in moved:
            del found[name]
        return found

    @cached_property
    def _affected(self) -> re.Pattern[str] | None:
        """Pattern that finds the name of a changed macro, of one that calls it, or `var` if it may differ."""
        affected = {*self._edits.changed_macros}
        if PROJECT_FILE in self._edits.changed_yaml:
            affected.add("var")
        while pattern := _words(affected):
            more = {
                macro.name
                for macro in self._manifest.macros
                if macro.package_name != "dbt"
                and macro.name not in affected
                and pattern.search(macro.macro_sql)
            }
            if not more:
                break
            affected |= more
        return _words(affected)


def _words(names: Iterable[str]) -> re.Pattern[str] | None:
    """Return a pattern that finds one of *names* as a word; None without names."""
    found = "|".join(map(re.escape, sorted(names)))
    return re.compile(rf"\b(?:{found})\b") if found else None


def _has_same_code(node: NodeMetadata, other: NodeMetadata | None) -> bool:
    return other is not None and node.raw_code == other.raw_code


def _is_ours(node: NodeMetadata) -> bool:
    """Return True if our own reader read the file of *node*: dbt's nodes have a checksum."""
    return node.checksum is None and node.resource_type in WITH_TEMPLATE


def _key(node: NodeMetadata) -> _Key:
    name = f" {node.name}" if node.resource_type == "snapshot" else ""
    return node.resource_type, f"{node.path}{name}"


def _is_generic_test(node: NodeMetadata) -> bool:
    return node.resource_type == "test" and bool(
        node.properties.get("test_metadata") or not node.path.endswith(".sql")
    )


def _may_exist(file: Path) -> bool:
    """Return False if *file* is missing; True if it exists, or its folder cannot be read."""
    try:
        return file.exists()
    except OSError:
        return True
