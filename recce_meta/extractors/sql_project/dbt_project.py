"""Reader of a dbt project's source files, without dbt.

`ref` and `source` are resolved by dbt's rules: https://docs.getdbt.com/reference/dbt-jinja-functions/ref
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.errors import TemplateError, agree, first_of, plural
from recce_meta.extractors.jinja import read_template
from recce_meta.extractors.sql_project.files import (
    DbtRefusal,
    SourceFile,
    TargetSchema,
    read_files,
    relation_name,
)
from recce_meta.extractors.sql_project.inputs import (
    Inputs,
    PackageFiles,
    are_current,
    installed_packages,
    read_macros,
    read_package,
    with_calls,
)
from recce_meta.extractors.sql_project.nodes import SECTIONS, Draft, NodeReader
from recce_meta.extractors.sql_project.settings import (
    DbtProjectFile,
    listed_packages,
    read_settings,
    refused_versions,
    without_file,
)
from recce_meta.models import EdgeOrigin, NodeMetadata
from recce_meta.models.node import BUILD_FAILURE, GUESS, LIKELY, UNREAD, disabled_entries, reference_origins
from recce_meta.profiles import read_project_settings
from recce_meta.profiles.discovery import PROJECT_FILE
from recce_meta.warehouses.hooks import OPERATION

_NEEDED = {"check": ["check_cols"], "timestamp": ["updated_at"]}
"""Settings that a snapshot needs, by its strategy."""
_CALL, _CALLED = re.compile(r"\{\{-?\s*(\w+)"), frozenset(["config", "ref", "source"])
_OF_ONE_KIND = ("seed", "snapshot", "test")
"""Resource types that dbt materializes in one way only."""
_WITHOUT_SPACES = ("model", "seed", "snapshot", "analysis", "test")
_ALLOWED = ("append_new_columns", "fail")
"""Values of `on_schema_change` that dbt accepts of incremental models with an enforced contract."""
_ACCESS = (None, "private", "protected", "public")
_REFERABLE = {"model": "model", "seed": "model", "snapshot": "model", "function": "function"}
"""Resource type that a missing node is assumed to have, by the resource types of its possible nodes."""


class NodeIndex:
    """Index of a project's nodes by the names that templates use."""

    def __init__(self, drafts: Iterable[Draft], inputs: Inputs) -> None:
        self._inputs = inputs
        self._root = inputs.root.name
        self._by_name: dict[tuple[str, str], list[Draft]] = defaultdict(list)
        self._sources: dict[tuple[str, str], list[NodeMetadata]] = defaultdict(list)
        self._disabled: set[str] = set()
        self._private: set[str | None] = set()
        self.undeclared: dict[str, NodeMetadata] = {}
        """Sources that templates read but no property file declares."""
        for draft in drafts:
            node = draft.node
            if not draft.is_enabled:
                self._disabled.add(node.name)
            elif node.resource_type == "source":
                self._sources[node.source_name or "", node.name].append(node)
            elif node.resource_type in _REFERABLE:
                self._by_name[_REFERABLE[node.resource_type], node.name].append(draft)
                if node.resource_type == "model" and node.access == "private":
                    self._private.add(node.unique_id)

    def parents(self, draft: Draft) -> tuple[str, ...]:
        """Return the unique ids of the parents of *draft*; a missing `ref` gets the id of a model."""
        node, found = draft.node, set()
        refs = [("model", *ref) for ref in draft.facts.dependencies.refs]
        functions = [("function", *function, None) for function in draft.facts.functions]
        for kind, package, name, version in (*refs, *functions):
            target = self._named(kind, package, name, version, node.package_name)
            if target is None:
                target = ".".join(
                    [kind, package or node.package_name, name, *([f"v{version}"] if version else [])]
                )
                why = "is disabled" if name in self._disabled else "does not exist"
                self._inputs.warnings.append(f"{node.path}: referenced node {name} {why}")
            found.add(target)
        for source, table in draft.facts.dependencies.sources:
            found.add(self._source(source, table, node))
        return tuple(sorted(found))

    def refuse_readers(self) -> None:
        """Add a refusal for each exposure, semantic model and unit test that reads what dbt does not find."""
        # A section of dbt_project.yml may disable them.
        is_plain = _READERS.search(self._inputs.root.settings.text) is None
        for path, reader, calls in self._inputs.root.properties.readers if is_plain else ():
            try:
                read = read_template(" ".join(f"{{{{ {one} }}}}" for one in calls)).dependencies
            except TemplateError:
                continue
            targets = [
                (name, self._named("model", *ref, self._root)) for ref in read.refs for name in ref[1:2]
            ]
            targets += [(one[1], one[1] if one in self._sources else None) for one in read.sources]
            # An exposure has no group.
            hidden = [name for name, target in targets if target in self._private]
            for name in hidden if reader.startswith("exposure ") else ():
                text = f"{path}: {reader} depends on '{name}', which is private to its group"
                self._inputs.warnings.append(DbtRefusal.of(path, text))
            for name in (name for name, target in targets if target is None):
                is_disabled = name in self._disabled
                # dbt disables the unit tests of a disabled model.
                if not (is_disabled and reader.startswith("unit")):
                    why = "is disabled" if is_disabled else "no file defines"
                    text = f"{path}: {reader} depends on '{name}', which {why}"
                    unless = None if is_disabled or self._inputs.has_all_files else UNREAD
                    self._inputs.warnings.append(DbtRefusal.of(path, text, unless=unless))

    def _named(self, kind: str, package: str | None, name: str, version: str | None, own: str) -> str | None:
        candidates = [
            draft
            for draft in self._by_name.get((kind, name), ())
            if (draft.node.version == version if version is not None else draft.is_latest)
        ]
        packages: Sequence[str] = [package] if package is not None else [own, self._root]
        for wanted in packages:
            for draft in candidates:
                if draft.node.package_name == wanted:
                    return draft.node.unique_id
        # dbt searches all other packages last.
        return candidates[0].node.unique_id if candidates and package is None else None

    def _source(self, source: str, table: str, node: NodeMetadata) -> str:
        candidates = self._sources.get((source, table), ())
        for package in (node.package_name, self._root):
            for candidate in candidates:
                if candidate.package_name == package:
                    return candidate.unique_id
        if candidates:
            return candidates[0].unique_id
        unique_id = f"source.{node.package_name}.{source}.{table}"
        if unique_id not in self.undeclared:
            self._inputs.warnings.append(f"{node.path}: source {source}.{table} is not declared")
            self.undeclared[unique_id] = NodeMetadata(
                unique_id=unique_id,
                name=table,
                resource_type="source",
                package_name=node.package_name,
                fqn=(node.package_name, source, table),
                schema_name=source,
                identifier=table,
                relation_name=relation_name(None, source, table, self._inputs.dialect),
                source_name=source,
            )
        return unique_id


def without_twins(drafts: Iterable[Draft], inputs: Inputs) -> tuple[list[Draft], list[NodeMetadata]]:
    """Return the first enabled draft of each node, and all other nodes: dbt has them disabled."""
    first: dict[str, Draft] = {}
    others: list[NodeMetadata] = []
    skipped: dict[str, list[str]] = defaultdict(list)
    for draft in drafts:
        node = draft.node
        if draft.is_enabled and first.setdefault(node.unique_id, draft) is draft:
            continue
        others.append(node)
        if not draft.is_enabled:
            continue
        twin = first[node.unique_id].node
        if _is_decided(node, inputs) and _is_decided(twin, inputs):
            text = f"{node.path} was skipped: {node.unique_id} is already defined in {twin.path}"
            inputs.warnings.append(DbtRefusal.of(node.path, text))
        else:
            skipped[node.package_name].append(node.path)
    for package, paths in skipped.items():
        which = f"{plural(len(paths), 'file')} of {package} {agree(len(paths), 'define')}"
        rest = f"nodes that other files define, and may be enabled: {first_of(paths, _NAMED)}"
        inputs.warnings.append(f"{which} {rest}")
    return list(first.values()), others


def resolved(drafts: Sequence[Draft], inputs: Inputs, reused: set[str]) -> list[NodeMetadata]:
    """Return the enabled nodes of *drafts* with their parents; *reused* nodes already have theirs."""
    names = NodeIndex(drafts, inputs)
    found: dict[str, NodeMetadata] = {}
    for draft in (one for one in drafts if one.is_enabled):
        node = draft.node
        parents = node.parents if node.unique_id in reused else names.parents(draft)
        found[node.unique_id] = replace(node, parents=parents)
    _tell_gone(found, reused, inputs)
    names.refuse_readers()
    inputs.warnings.extend(_refused_properties(found, inputs))
    declared = frozenset(found)
    for unique_id, source in names.undeclared.items():
        found.setdefault(unique_id, source)
    return [
        replace(found[unique_id], edge_origins=_origins(found[unique_id].parents, declared))
        for unique_id in sorted(found)
    ]


def _refused_properties(nodes: Mapping[str, NodeMetadata], inputs: Inputs) -> Iterator[str]:
    """Yield a refusal for each property of the project's enabled *nodes* that dbt does not accept.

    Models with versions are left out: each version may have properties of its own.
    """
    described = inputs.root.properties.described
    groups = {name for package in inputs.packages for name in package.properties.groups}
    sections = {(SECTIONS.get(node.resource_type, ""), node.name): node for node in nodes.values()}
    for key, again in inputs.root.properties.repeated:
        first = described[key]
        text = f"{key[1]} is described in {first.path} and in {again.path}"
        is_refused = _is_decided(sections.get(key), inputs) and not (first.versions or again.versions)
        yield DbtRefusal.of(again.path, text) if is_refused else text
    are_groups_known = not any("{" in name for name in groups)
    unread = None if inputs.has_all_files else UNREAD
    for key, node in sections.items():
        description = described.get(key)
        if node.version is not None or not _is_decided(node, inputs):
            continue
        problem = unless = None
        is_model = node.resource_type == "model"
        if is_model and node.access not in _ACCESS:
            problem = f"access '{node.access}' of {node.name} is not private, protected or public"
        elif node.group_name and are_groups_known and node.group_name not in groups:
            problem, unless = f"group '{node.group_name}' of {node.name} is not defined", unread
        elif is_model and node.contract and description and not description.columns:
            problem = f"the enforced contract of {node.name} lists no columns"
        elif is_model and node.contract and _lacks_schema_change(node, inputs):
            problem = (
                f"{node.name} has an enforced contract, so on_schema_change must be {' or '.join(_ALLOWED)}"
            )
        elif (kind := node.resource_type) in _OF_ONE_KIND and node.materialized not in (None, kind):
            problem = f"materialization '{node.materialized}' of {node.name} is not '{kind}'"
        elif lacking := _lacking(node, inputs):
            problem = f"snapshot {node.name} lacks {' and '.join(lacking)}"
        if problem:
            path = description.path if description else node.path
            yield DbtRefusal.of(path, f"{path}: {problem}", unless=unless)


def _lacks_schema_change(node: NodeMetadata, inputs: Inputs) -> bool:
    """Return True if *node* is incremental, with an `on_schema_change` that dbt refuses of contracts."""
    key = "on_schema_change"
    is_set = key in node.config or not any(key in macro.macro_sql for macro in inputs.macros)
    is_known = node.materialized == "incremental" and is_set and _is_decided(node, inputs, key)
    return is_known and node.config.get(key) not in _ALLOWED


def _lacking(node: NodeMetadata, inputs: Inputs) -> list[str]:
    """Return the settings that *node* needs and lacks if it is a snapshot, which no macro configures."""
    code = node.raw_code or ""
    is_plain = "{%" not in code and "**" not in code and _CALLED.issuperset(_CALL.findall(code))
    if node.resource_type != "snapshot" or not is_plain:
        return []
    needed = ("strategy", "unique_key", *_NEEDED.get(str(node.config.get("strategy")), ()))
    return [key for key in needed if not node.config.get(key) and _is_decided(node, inputs, key)]


def _is_decided(node: NodeMetadata | None, inputs: Inputs, key: str = "enabled") -> bool:
    """Return True if *node* is of the project, and rendering cannot change its setting *key*."""
    if node is None or node.package_name != inputs.root.name:
        return False
    description = inputs.root.properties.described.get((SECTIONS.get(node.resource_type, ""), node.name))
    texts = (node.raw_code, inputs.root.settings.text, str(description and description.config))
    return key in node.config or not any(key in (text or "") for text in texts)


def _origins(parents: Iterable[str], declared: Container[str]) -> dict[str, EdgeOrigin]:
    """Return the origins of the edges to *parents*, with less confidence in parents that are not *declared*.

    Every branch of a template counts, but dbt takes only one. So no edge is certain.
    """
    likely = reference_origins((parent for parent in parents if parent in declared), LIKELY)
    return likely | reference_origins((parent for parent in parents if parent not in declared), GUESS)


def _tell_gone(found: dict[str, NodeMetadata], reused: set[str], inputs: Inputs) -> None:
    for unique_id in sorted(reused & found.keys()):
        node = found[unique_id]
        for parent in node.parents:
            if parent not in found and not parent.startswith("source."):
                inputs.warnings.append(f"{node.path}: referenced node {parent} is disabled")


_NAMED = 5
"""Maximum number of nodes that a warning names."""


_DOC = re.compile(r"""\{\{-?\s*doc\(\s*['"](\w+)['"]\s*\)\s*-?\}\}""")
_READERS = re.compile(r"(exposures|semantic.models|unit.tests)['\"]?:")
_DOCS = re.compile(r"\{%-?\s*docs\s+(\w+)")
_NO_BLOCK = re.compile(r"\{#|\{\{|\braw\b")
"""What may hold the text of a docs block."""
_DOCS_PATHS = "docs-paths"


class DbtFiles(Struct, frozen=True, kw_only=True):
    """Nodes of a dbt project without compiled SQL, and the unique ids of reused nodes."""

    inputs: Inputs
    nodes: list[NodeMetadata]
    disabled: list[NodeMetadata]
    reused: frozenset[str]
    fingerprint: str


def read_inputs(
    root: Path,
    *,
    name: str | None = None,
    dialect: str | None = None,
    place: TargetSchema | None = None,
    variables: Mapping[str, Any] | None = None,
    target: str | None = None,
) -> Inputs:
    """Return the files of the dbt project in *root*, and of its installed packages.

    If *root* has no dbt_project.yml, every SQL file below it is a model of a project called *name*. *target*
    is the name of the profile's target, if known.
    Raises ConfigurationError if dbt_project.yml is damaged.
    """
    warnings: list[str] = []
    has_file = (root / PROJECT_FILE).is_file()
    settings = (
        read_settings(root, warnings)
        if has_file
        else without_file(root, name or root.resolve().name or "project")
    )
    found: list[PackageFiles] = [read_package(settings, "", warnings)]
    installed = list(installed_packages(root, warnings)) if has_file else []
    found += [read_package(package, folder, warnings) for folder, package in installed]
    warnings.extend(settings.refusals)
    if (problem := refused_versions(settings.required)) is not None:
        warnings.append(DbtRefusal.of(PROJECT_FILE, f"{PROJECT_FILE}: {problem}"))
    is_refused = any(one.unless is None for one in settings.refusals)
    macros = [macro for package in found for macro in read_macros(package.settings, warnings)]
    return Inputs(
        packages=found,
        has_all_packages={*listed_packages(root)} <= {one.name for one in found} and are_current(root),
        macros=with_calls(macros),
        variables=read_project_settings(root) if has_file and not is_refused else None,
        overrides=variables or {},
        dialect=dialect,
        target={"name": target, "target_name": target} if target else {},
        place=place or TargetSchema(schema=settings.name),
        warnings=warnings,
    )


def read_dbt_files(inputs: Inputs, known: Mapping[str, NodeMetadata]) -> DbtFiles:
    """Return the nodes of *inputs*.

    *known* are the nodes of a previous reading with the same fingerprint. An unchanged file is not parsed
    again if its references still resolve to the same nodes.
    """
    usable = _usable(inputs, known)
    library = inputs.library()
    drafts: list[Draft] = []
    reused: set[str] = set()
    for package in inputs.packages:
        reader = NodeReader(inputs, package, library, usable)
        drafts += [*reader.drafts(), *reader.sources()]
        reused |= reader.reused
    enabled, others = without_twins(drafts, inputs)
    nodes = resolved([*enabled, *(one for one in drafts if not one.is_enabled)], inputs, reused)
    _tell_dynamic(nodes, inputs.warnings)
    inputs.warnings.extend((*_refused_docs(nodes, inputs), *_refused_names(nodes, inputs)))
    refusals = [one for one in inputs.warnings if isinstance(one, DbtRefusal)]
    # The last of a file counts, which is a certain one if there is any.
    refusals.sort(key=lambda one: one.unless is None)
    nodes += {one.path: refused(one, inputs.root.name) for one in refusals}.values()
    return DbtFiles(
        inputs=inputs,
        nodes=nodes,
        disabled=disabled_entries(others, {node.unique_id for node in nodes}),
        reused=frozenset(reused),
        fingerprint=inputs.fingerprint(),
    )


def refused(refusal: DbtRefusal, project: str) -> NodeMetadata:
    """Return a node for a file of *project* because of which dbt builds, or may build, none of the others."""
    unless = {"unless": refusal.unless} if refusal.unless else {}
    return NodeMetadata(
        unique_id=f"{OPERATION}.{project}.{refusal.path}",
        name=refusal.path,
        resource_type=OPERATION,
        package_name=project,
        path=refusal.path,
        language=None,
        properties={
            BUILD_FAILURE: {
                "problem": f"dbt reads nothing of the project: {refusal}",
                "place": refusal.path,
                **unless,
            }
        },
    )


def is_refused_file(node: NodeMetadata) -> bool:
    """Return True if *node* is one of `refused`; operations that are hooks have other names."""
    return node.resource_type == OPERATION and node.name == node.path


def absent_parents(read: DbtFiles) -> dict[str, str]:
    """Return why readers fail, for each parent that no file of *read* defines, or that is disabled."""
    inputs, known = read.inputs, {node.unique_id: node for node in read.nodes}
    disabled = {node.name for node in read.disabled}
    found = {}
    for parent in {parent for node in read.nodes for parent in node.parents}:
        kind, _, *names = parent.split(".")
        name = parent.split(".", 1)[1].removeprefix(f"{inputs.root.name}.")
        own = names[1] if kind == "source" else names[0]
        why = "which is disabled" if own in disabled else None
        if parent not in known:
            what = f"function '{name}'" if kind == "function" else f"'{name}'"
            found[parent] = f"it references {what}, {why or 'which no file defines'}"
        elif kind == "source" and not known[parent].path:
            found[parent] = f"it references source '{name}', {why or 'which no file declares'}"
    return found


def _refused_names(nodes: Iterable[NodeMetadata], inputs: Inputs) -> Iterator[DbtRefusal]:
    """Yield a refusal for each name with a space in it, unless the project has a flag for them."""
    if "require_resource_names_without_spaces" in inputs.root.settings.text:
        return
    found = [node for node in nodes if node.resource_type in _WITHOUT_SPACES]
    subjects = {node.name for node in nodes}
    tests = [pair for one in inputs.packages for pair in one.properties.tests.items()]
    # dbt makes the names of generic tests itself, if no file does.
    names = [(node.path, node.name) for node in found if "test_metadata" not in node.properties]
    names += [(path, test.title) for test, path in tests if test.subject in subjects]
    for path, name in (one for one in names if " " in one[1] and "{" not in one[1]):
        text = f"{path}: the name '{name}' contains a space"
        yield DbtRefusal.of(path, text, unless="dbt before 1.10 reads it")


def _refused_docs(nodes: Iterable[NodeMetadata], inputs: Inputs) -> Iterator[DbtRefusal]:
    """Yield a refusal for each docs block that the project defines twice, or names and no file defines."""
    first: dict[str, str] = {}
    for file, name in _docs_blocks(inputs.root.settings):
        # With `docs-paths`, more files are read here than by dbt. Comments and texts define no block.
        if _DOCS_PATHS in inputs.root.settings.text or _NO_BLOCK.search(file.text):
            continue
        if other := first.get(name):
            yield DbtRefusal.of(file.path, f"{file.path}: docs block '{name}' is already defined in {other}")
        first.setdefault(name, file.path)
    named = {(name, path): subject for path, subject, name in _docs_named(nodes, inputs)}
    if not named or not inputs.has_all_packages:
        return
    blocks = {name for package in inputs.packages for _, name in _docs_blocks(package.settings)}
    for (name, path), subject in named.items():
        if name not in blocks and name != "__overview__":  # dbt's own
            yield DbtRefusal.of(path, f"{path}: no file defines '{name}', the docs block of {subject}")


def _docs_blocks(settings: DbtProjectFile) -> Iterator[tuple[SourceFile, str]]:
    """Yield the docs blocks of a package by file, with their names."""
    folders = [folder for places in settings.paths.values() for folder in places]
    for file in read_files(settings.root, ["."] if _DOCS_PATHS in settings.text else folders, (".md",), []):
        for name in _DOCS.findall(file.text):
            yield file, name


def _docs_named(nodes: Iterable[NodeMetadata], inputs: Inputs) -> Iterator[tuple[str, str, str]]:
    """Yield the file, the subject and the docs block of each description of the project with one."""
    root, texts = inputs.root, list[tuple[str, str, str]]()
    for node in (one for one in nodes if one.package_name == root.name):
        path = str(node.properties.get("patch_path") or node.path).rpartition("://")[2]
        whole = (node.description, str(node.properties.get("source_description")))
        texts += [
            (path, node.name, text) for text in (*whole, *(column.description for column in node.columns))
        ]
    known = {f"macro {macro.name}" for macro in inputs.macros if macro.package_name == root.name}
    are_exposures_enabled = _READERS.search(root.settings.text) is None
    for path, subject, text in root.properties.descriptions:
        if subject in known if subject.startswith("macro ") else are_exposures_enabled:
            texts.append((path, subject, text))
    for path, subject, text in texts:
        for name in [] if "{%" in text or "{#" in text else _DOC.findall(text):
            yield path, subject, name


def _usable(inputs: Inputs, known: Mapping[str, NodeMetadata]) -> dict[str, NodeMetadata]:
    """Return the nodes of *known* with unchanged references: each name still exists, and is unique."""
    if not known:
        return {}
    names: Counter[str | tuple[str, str]] = Counter()
    for package in inputs.packages:
        names.update(file.name for file in (*package.models, *package.snapshots, *package.functions))
        names.update(path.stem for _, path in package.seeds)
        names.update((table.source, table.table) for table in package.properties.tables)
    return {
        unique_id: node
        for unique_id, node in known.items()
        # Nodes are reused by their SQL, which these do not have.
        if node.resource_type not in ("seed", "source")
        and all(_is_certain(parent, known, names) for parent in node.parents)
    }


def _is_certain(
    parent: str, known: Mapping[str, NodeMetadata], names: Mapping[str | tuple[str, str], int]
) -> bool:
    node = known.get(parent)
    if node is None:
        return False
    if node.resource_type == "source":
        return names[node.source_name or "", node.name] == 1
    return names[node.name] == 1 or names[Path(node.path).stem] == 1


def _tell_dynamic(nodes: Sequence[NodeMetadata], warnings: list[str]) -> None:
    """Add one warning for all nodes with references that cannot be determined without rendering."""
    names = [node.path for node in nodes if node.properties.get("dynamic")]
    if names:
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        warnings.append(
            f"{len(names)} files may have more references than can be found without rendering: "
            f"{', '.join(names[:_NAMED])}{more}"
        )
