"""Reader of manifest.json, versions v1 to v12 and v20, into nodes, macros and groups.

Differences between versions are detected by field, never by the header, which is wrong in some real files.
Source of every rule: the corpus described in docs/internals/artifacts.md. Only this module knows where each
version stores a value: `raw_sql` or `raw_code`, tags on the node or in its config, a test's node by name or
not at all.
"""

from __future__ import annotations

import gc
import re
from collections import Counter
from collections.abc import Collection, Container, Iterable, Iterator
from contextlib import contextmanager
from hashlib import md5, sha256
from operator import attrgetter
from pathlib import Path
from sys import intern
from typing import Any

from msgspec import UNSET, Raw, Struct, ValidationError, convert
from msgspec.json import Decoder
from msgspec.json import decode as decode_json
from msgspec.json import encode as encode_json
from msgspec.structs import replace

from recce_meta.errors import ArtifactError, install_hint
from recce_meta.extractors.artifact import (
    Checksum,
    ColumnConfig,
    Definitions,
    DependsOn,
    Metadata,
    RawColumn,
    RawDefinition,
    RawMacro,
    RawManifest,
    RawNode,
    decode,
    foreign_header,
    not_a,
    read_artifact,
    refusing,
)
from recce_meta.extractors.manifest_keys import NODE_PROPERTIES, unread_keys
from recce_meta.models import Column, Json, LineageEdge, MacroMetadata, NodeMetadata, code_hash
from recce_meta.models.node import disabled_entries, reference_origins
from recce_meta.models.node_types import BUILT
from recce_meta.models.run import edges_of

MAX_DEPTH = 100
"""Levels of nested lists and objects that are stored as such; deeper values become JSON text."""
NOTHING: dict[str, Json] = {}
"""Empty `meta`, shared by most columns; it must not be modified."""

COMMON_FIELDS = frozenset(
    [
        *("unique_id", "name", "resource_type", "package_name", "path", "original_file_path", "root_path"),
        *(
            "fqn",
            "description",
            "config",
            "unrendered_config",
            "tags",
            "meta",
            "group",
            "access",
            "depends_on",
        ),
        *("refs", "sources", "metrics", "functions", "created_at", "patch_path", "docs", "metadata"),
        *("contract", "language", "doc_blocks", "_event_status"),
        # The database and schema of a unit test or exposure depend on the environment, not on its definition.
        *("database", "schema", "alias", "node_relation", "tested_node_unique_id"),
    ]
)
"""Fields of the small sections that are not stored as properties: common to all, derived, or volatile."""

USUALLY_EMPTY = frozenset(["classifiers", "columns"])
"""Fields of the small sections that dbt 2.0 writes without a value, which is not stored."""

SECTIONS = {
    "exposures": "exposure",
    "metrics": "metric",
    "semantic_models": "semantic_model",
    "saved_queries": "saved_query",
    "unit_tests": "unit_test",
}

_MATERIALIZED = BUILT | {"function"}
"""Resource types with a default materialization, used if the configuration does not set one."""


def source_code(raw: RawNode) -> str | None:
    """Return the source code, or None: v20 has a placeholder instead, and for seeds it is empty."""
    code = raw.raw_code if raw.raw_code is not None else raw.raw_sql
    return None if not code or code == "--placeholder--" else code


def _rule(checksum: Checksum | str | None, rule: str | None) -> str | None:
    return "path" if isinstance(checksum, Checksum) and checksum.name == "path" else rule


def checksum_of(value: Checksum | str | None) -> str | None:
    """Return the checksum, which versions write with or without its kind; None if it is empty."""
    return (value.checksum if isinstance(value, Checksum) else value) or None


class Shared:
    """Cache of decoded JSON objects: each distinct text is decoded once, to one shared object."""

    def __init__(self) -> None:
        self._objects: dict[bytes, dict[str, Json]] = {}

    def __call__(self, raw: Raw) -> dict[str, Json]:
        """Return the JSON object in *raw*; an empty one if *raw* is another type."""
        # Many nodes share the decoded object, so no caller may modify it.
        text = bytes(raw)
        found = self._objects.get(text)
        if found is None:
            found = self._objects[text] = _mapping(decode_json(text))
        return found


def node_of(
    unique_id: str, raw: RawNode, rule: str | None, shared: Shared, unread: dict[str, Json]
) -> NodeMetadata:
    """Return an entry of `nodes`, without the compiled SQL of hooks, which contains the invocation id.

    *unread* are its keys that *raw* lacks.
    """
    config = shared(raw.config)
    resource_type = raw.resource_type or unique_id.split(".", 1)[0]
    code = None if resource_type == "seed" else source_code(raw)
    checksum = checksum_of(raw.checksum)
    compiled = raw.compiled_code if raw.compiled_code is not None else raw.compiled_sql
    return NodeMetadata(
        unique_id=unique_id,
        name=raw.name or unique_id.rsplit(".", 1)[-1],
        resource_type=resource_type,
        package_name=raw.package_name or "",
        path=_path(raw.original_file_path),
        fqn=tuple(map(intern, raw.fqn or ())),
        database_name=raw.database,
        schema_name=raw.schema,
        identifier=raw.alias or raw.name,
        # An analysis has no relation; dbt's Rust engine writes one.
        relation_name=None if resource_type in ("analysis", "operation") else raw.relation_name or None,
        materialized=_materialized(resource_type, config),
        language=None if resource_type == "seed" else raw.language or ("sql" if code is not None else None),
        raw_code=code,
        compiled_code=None if resource_type in ("operation", "seed") else compiled,
        checksum=checksum,
        checksum_rule=_rule(raw.checksum, rule) if checksum else None,
        code_hash=None if code is None else code_hash(code),
        config=config,
        unrendered_config=shared(raw.unrendered_config),
        columns=_columns(raw.columns),
        columns_from="manifest" if raw.columns else None,
        description=raw.description or "",
        tags=_tags(raw.tags, config.get("tags")),
        meta=_mapping(raw.meta) or _mapping(config.get("meta")),
        access=raw.access or _word(config.get("access")),
        group_name=raw.group or _word(config.get("group")),
        version=None if raw.version is None else str(raw.version),
        contract=_contract(shared(raw.contract)),
        parents=(parents := _ids(raw.depends_on, "nodes")),
        edge_origins=reference_origins(parents),
        macros=_ids(raw.depends_on, "macros"),
        properties={**_properties(raw, resource_type), **unread},
    )


def source_of(unique_id: str, raw: RawNode, shared: Shared, unread: dict[str, Json]) -> NodeMetadata:
    """Return an entry of `sources`, a relation that the project reads but does not build, as a node.

    *unread* are its keys that *raw* lacks.
    """
    config = shared(raw.config)
    return NodeMetadata(
        unique_id=unique_id,
        name=raw.name or unique_id.rsplit(".", 1)[-1],
        resource_type="source",
        package_name=raw.package_name or "",
        path=_path(raw.original_file_path),
        fqn=tuple(map(intern, raw.fqn or ())),
        database_name=raw.database,
        schema_name=raw.schema,
        identifier=raw.identifier or raw.name,
        relation_name=raw.relation_name or None,
        config=config,
        unrendered_config=shared(raw.unrendered_config),
        columns=_columns(raw.columns),
        columns_from="manifest" if raw.columns else None,
        description=raw.description or "",
        tags=_tags(raw.tags, config.get("tags")),
        meta=_mapping(raw.meta) or _mapping(config.get("meta")),
        source_name=raw.source_name,
        properties={**_properties(raw, "source"), **unread},
    )


def definitions_of(section: Definitions | None, resource_type: str) -> list[NodeMetadata]:
    """Return the entries of one small section; empty if the version does not have the section."""
    return [_definition(unique_id, raw, resource_type) for unique_id, raw in (section or {}).items()]


def _definition(unique_id: str, raw: dict[str, Any], resource_type: str) -> NodeMetadata:
    """Return an entry of a small section; fields that are not common to all resources become properties."""
    config = _mapping(raw.get("config"))
    common = convert(raw, RawDefinition)
    properties = {
        key: _bounded(value)
        for key, value in raw.items()
        if key not in COMMON_FIELDS and value is not None and (value or key not in USUALLY_EMPTY)
    }
    if common.exports is not None:
        properties["exports"] = [_export(export) for export in common.exports]
    checksum = properties.pop("checksum", None)
    if isinstance(checksum, dict):  # dbt's Rust engine
        checksum = checksum.get("checksum")
    version = properties.pop("version", None)
    return NodeMetadata(
        unique_id=unique_id,
        name=common.name or unique_id.rsplit(".", 1)[-1],
        resource_type=resource_type,
        package_name=common.package_name or "",
        path=_path(common.original_file_path),
        fqn=tuple(common.fqn or ()),
        checksum=_word(checksum),
        config=config,
        unrendered_config=_mapping(raw.get("unrendered_config")),
        description=common.description or "",
        tags=_tags(raw.get("tags"), config.get("tags")),
        meta=_mapping(raw.get("meta")) or _mapping(config.get("meta")),
        group_name=common.group or _word(config.get("group")),
        version=None if version is None else str(version),
        parents=(parents := _ids(common.depends_on, "nodes")),
        edge_origins=reference_origins(parents),
        macros=_ids(common.depends_on, "macros"),
        properties=properties,
    )


def _export(export: Json) -> Json:
    """Return a saved query's export without the database and schema that come from the target."""
    if not isinstance(export, dict) or not isinstance(export.get("config"), dict):
        return export
    chosen = _mapping(export.get("unrendered_config"))
    target = {"database", "schema_name"} - {"schema_name" if key == "schema" else key for key in chosen}
    return {**export, "config": {key: value for key, value in export["config"].items() if key not in target}}


def macro_of(unique_id: str, raw: RawMacro) -> MacroMetadata:
    """Return an entry of `macros`."""
    text = raw.macro_sql or ""
    return MacroMetadata(
        unique_id=unique_id,
        name=raw.name or unique_id.rsplit(".", 1)[-1],
        package_name=raw.package_name or "",
        path=_path(raw.original_file_path),
        macro_sql=text,
        code_hash=code_hash(text),
        macros=_ids(raw.depends_on, "macros"),
    )


def _ids(depends_on: DependsOn | None, kind: str) -> tuple[str, ...]:
    ids = getattr(depends_on, kind, None)
    return (
        tuple(map(intern, sorted({unique_id for unique_id in ids if unique_id is not None}))) if ids else ()
    )


def _word(value: Json) -> str | None:
    return value if value and isinstance(value, str) else None


def _mapping(value: Json) -> dict[str, Json]:
    return _bounded(value) if isinstance(value, dict) else {}


def _bounded(value: Json, levels: int = MAX_DEPTH) -> Any:
    """Return *value* with JSON text in place of values deeper than *levels*, because consumers recurse."""
    if not value or not isinstance(value, (dict, list)):
        return value
    if not levels:
        return encode_json(value).decode()
    if isinstance(value, list):
        return [_bounded(item, levels - 1) for item in value]
    return {key: _bounded(member, levels - 1) for key, member in value.items()}


def _tags(value: Json, configured: Json) -> tuple[str, ...]:
    """Return the tags of the node, else of its config: v1 has them only on the node, later ones on both."""
    tags = value or configured
    if isinstance(tags, list):
        return tuple(str(tag) for tag in tags)
    return (tags,) if tags and isinstance(tags, str) else ()


def _path(value: str | None) -> str:
    """Return the path with forward slashes (Windows writes backslashes), without dbt's leading `./`."""
    return (value or "").replace("\\", "/").removeprefix("./")


def _materialized(resource_type: str, config: dict[str, Json]) -> str | None:
    if resource_type in _MATERIALIZED or resource_type == "test":
        return _word(config.get("materialized")) or (resource_type if resource_type != "model" else None)
    return None


def _contract(value: dict[str, Json]) -> dict[str, Json] | None:
    """Return the contract if it is enforced, else None: other contracts have no effect."""
    return value if value.get("enforced") else None


def _columns(raw: dict[str, RawColumn] | None) -> tuple[Column, ...]:
    """Return the documented columns in the order of the YAML.

    Projects have thousands of columns with few attributes, so repeated names and types are interned.
    """
    if not raw:
        return ()
    return tuple(
        [
            _full_column(key, column)
            if column.meta
            or column.tags
            or column.constraints
            or _speaks(column.config)
            or column.name != key
            else Column(
                intern(key),
                kind := column.data_type and intern(column.data_type),
                column.description or "",
                meta=NOTHING,
                quote=column.quote,
                documented=True,
                documented_type=kind,
            )
            for key, column in raw.items()
        ]
    )


def _speaks(config: ColumnConfig | None) -> bool:
    return config is not None and bool(config.meta or config.tags)


def _full_column(key: str, raw: RawColumn) -> Column:
    config = raw.config or ColumnConfig()
    return Column(
        name=raw.name or key,
        type=raw.data_type,
        description=raw.description or "",
        tags=_tags(raw.tags, config.tags),
        meta=_mapping(raw.meta) or _mapping(config.meta),
        constraints=tuple(_bounded(raw.constraints)) if isinstance(raw.constraints, list) else (),
        quote=raw.quote,
        documented=True,
        documented_type=raw.data_type,
    )


def _properties(raw: RawNode, resource_type: str) -> dict[str, Json]:
    """Return the non-empty fields of this resource type: null, empty and missing are equivalent."""
    found = {name: getattr(raw, name) for name in NODE_PROPERTIES.get(resource_type, ())}
    if (
        resource_type == "test"
        and found["attached_node"] in (UNSET, None)
        and found["test_metadata"] is not UNSET
    ):
        found["attached_node"] = _attached_node(raw)
    if raw.patch_path:
        found["patch_path"] = _patch_path(raw.patch_path, raw.package_name or "")
    return {
        key: _bounded(value)
        for key, value in found.items()
        if value is not UNSET and value not in (None, {}, [], "")
    }


def _patch_path(path: str, package: str) -> str:
    """Return the node's YAML file as `package://a.yml`; v1 to v3 and v20 omit the package."""
    return intern((path if "://" in path else f"{package}://{path}").replace("\\", "/"))


def _attached_node(raw: RawNode) -> str | None:
    """Return the tested node for manifests before v9, which have no field for it.

    It comes from `file_key_name` (`models.orders`, v4 on), else from the `model` argument, else it is the
    first parent.
    """
    parents = list((raw.depends_on.nodes if raw.depends_on else None) or ())
    if len(parents) <= 1:
        return parents[0] if parents else None
    names = [raw.file_key_name.split(".", 1)[-1]] if isinstance(raw.file_key_name, str) else []
    kwargs = _mapping(_mapping(raw.test_metadata).get("kwargs"))
    names += re.findall(r"(?:ref|source)\((?:.*,)?\s*['\"]([^'\"]+)['\"]\s*\)", str(kwargs.get("model", "")))
    for name in names:
        for parent in parents:
            if name in parent.split("."):
                return parent
    return parents[0]


_MAY_BE_DISABLED = _MATERIALIZED | {"test", "analysis"}
KNOWN_VERSIONS = frozenset([*(f"v{number}" for number in range(1, 13)), "v20"])
"""There is no v13 to v19: dbt's Rust engine wrote v20 before it returned to v12."""


class Manifest(Struct, frozen=True, kw_only=True):
    """Content of a manifest, with nodes, macros and groups sorted by unique id."""

    schema_version: str | None
    dbt_version: str | None
    generated_at: str | None
    started_at: str | None
    """Start of the invocation, from dbt 1.10 on."""
    invocation_id: str | None
    project_name: str
    adapter_type: str | None
    nodes: tuple[NodeMetadata, ...]
    macros: tuple[MacroMetadata, ...]
    groups: tuple[NodeMetadata, ...]
    seed_roots: dict[str, str]
    """Path of each seed's package when dbt parsed it; never stored."""


@contextmanager
def paused_collector() -> Iterator[None]:
    """Pause Python's cyclic garbage collector, which would traverse a million new objects in vain."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def extract_from_manifest(path: str | Path) -> tuple[list[NodeMetadata], list[LineageEdge]]:
    """Return the nodes and edges of the manifest at *path* (gzip or not), both sorted.

    Raises ArtifactError if the file is missing, damaged, not a manifest, or of an unknown version.
    """
    nodes = read_manifest(Path(path)).nodes
    return list(nodes), list(edges_of(nodes))


def read_manifest(path: Path) -> Manifest:
    """Return the content of the manifest at *path*."""
    with paused_collector(), refusing(path, "manifest.json"):
        return _manifest(path)


def _manifest(path: Path) -> Manifest:
    raw = decode(read_artifact(path), path, "manifest.json", RawManifest)
    if raw.nodes is None:
        raise not_a("manifest.json", path, "it has no 'nodes'")
    header = raw.metadata or Metadata()
    version = schema_version(header, path)
    entries = Entries(path)
    nodes = list(entries.nodes(raw.nodes.items()))
    nodes += entries.sources((raw.sources or {}).items())
    nodes += with_relations(entries.nodes((raw.functions or {}).items()), nodes)
    groups = [
        *definitions_of(raw.groups, "group"),
        *entries.disabled(raw.disabled, {node.unique_id for node in nodes}),
    ]
    for section, resource_type in SECTIONS.items():
        nodes += definitions_of(getattr(raw, section), resource_type)
    return Manifest(
        schema_version=version,
        dbt_version=header.dbt_version,
        generated_at=header.generated_at,
        started_at=header.invocation_started_at,
        invocation_id=header.invocation_id,
        project_name=_project_name(header, nodes),
        adapter_type=header.adapter_type,
        nodes=tuple(sorted(nodes, key=attrgetter("unique_id"))),
        macros=tuple(macro_of(unique_id, macro) for unique_id, macro in sorted((raw.macros or {}).items())),
        groups=tuple(sorted(groups, key=attrgetter("unique_id"))),
        seed_roots=entries.seed_roots,
    )


def with_relations(
    functions: Iterable[NodeMetadata], nodes: Iterable[NodeMetadata]
) -> Iterator[NodeMetadata]:
    """Yield *functions* with the names that SQL calls, which dbt leaves out, written as those of *nodes*."""
    names = (node.relation_name for node in nodes if node.resource_type != "source")
    style = next(filter(None, names), "")
    quote = style[0] if style[:1] in ('"', "`") else ""
    for one in functions:
        parts = [one.database_name, one.schema_name, one.identifier][-style.count(".") - 1 :]
        name = ".".join(f"{quote}{part}{quote}" for part in parts)
        yield replace(one, relation_name=name) if style and all(parts) else one


class Entries:
    """Decoder of a manifest's entries, one at a time, so that a manifest is never in memory twice."""

    def __init__(self, path: Path) -> None:
        self.seed_roots: dict[str, str] = {}
        self._path = path
        self._shared = Shared()

    def nodes(self, section: Collection[tuple[str, Raw]]) -> Iterator[NodeMetadata]:
        """Yield the entries of `nodes` or `functions`."""
        # Decoded lazily: a few models are enough, and the rest is decoded only once.
        rule = checksum_rule(
            self._decoded(unique_id, entry)
            for unique_id, entry in section
            if unique_id.startswith(("model.", "snapshot."))
        )
        for unique_id, entry in section:
            raw = self._decoded(unique_id, entry)
            if raw.root_path and unique_id.startswith("seed."):
                self.seed_roots[unique_id] = raw.root_path
            resource_type = raw.resource_type or unique_id.split(".", 1)[0]
            unread = unread_keys(entry, resource_type, _bounded)
            yield node_of(unique_id, raw, rule, self._shared, unread)

    def sources(self, section: Iterable[tuple[str, Raw]]) -> Iterator[NodeMetadata]:
        """Yield the entries of `sources`."""
        for unique_id, entry in section:
            raw = self._decoded(unique_id, entry)
            yield source_of(unique_id, raw, self._shared, unread_keys(entry, "source", _bounded))

    def disabled(
        self, section: dict[str, Raw] | list[Raw] | None, enabled: Container[str]
    ) -> list[NodeMetadata]:
        """Return every disabled source, and every disabled node with code or rows of its own."""
        listed = section if isinstance(section, dict) else {}
        entries = [(key, one) for key, each in listed.items() for one in decode_json(each, type=list[Raw])]
        sources = [(key, one) for key, one in entries if key.startswith("source.")]
        built = [(key, one) for key, one in entries if key.split(".", 1)[0] in _MAY_BE_DISABLED]
        return disabled_entries((*self.nodes(built), *self.sources(sources)), enabled)

    def _decoded(self, unique_id: str, entry: Raw) -> RawNode:
        try:
            return _NODE.decode(entry)
        except ValidationError as error:
            raise not_a("manifest.json", self._path, f"{unique_id}: {error}") from None


# Built once, because building it inspects every field.
_NODE = Decoder(RawNode)


def schema_version(header: Metadata, path: Path) -> str | None:
    """Return the version in *header*, such as `v12`; None if it has no schema version.

    Raises ArtifactError if the header names another artifact, or an unknown version.
    """
    if not header.dbt_schema_version:
        return None
    kind, version = header.kind_and_version or ("", "")
    if kind != "manifest":
        raise foreign_header("manifest.json", path, header)
    if version not in KNOWN_VERSIONS:
        raise ArtifactError(
            f"{path} is a manifest {version}, which this version of recce-meta does not support",
            hint=f"{install_hint(options='--upgrade ')} (v1 to v12 and v20 are supported)",
        )
    return version


def checksum_rule(nodes: Iterable[RawNode]) -> str | None:
    """Return the rule by which dbt computed the checksums of *nodes*, deduced from the checksums.

    dbt hashed the bytes of the file until 1.4 (`file`) and the stripped text until 1.11 (`stripped`). Since
    1.12 it collapses whitespace (`collapsed`). A model is evidence if its whitespace distinguishes the rules.
    The result is None if no model does.
    """
    votes: Counter[str] = Counter()
    for node in nodes:
        code, written = source_code(node), checksum_of(node.checksum)
        if not code or not written:
            continue
        stripped, collapsed = (
            sha256(code.strip().encode("utf-8", "surrogatepass")).hexdigest(),
            code_hash(code),
        )
        if stripped == collapsed:
            continue
        # A majority decides, because `file` also stands for checksums of unknown origin.
        votes["collapsed" if written == collapsed else "stripped" if written == stripped else "file"] += 1
        if votes.total() >= 25:
            break
    return votes.most_common(1)[0][0] if votes else None


def _project_name(header: Metadata, nodes: list[NodeMetadata]) -> str:
    """Return `metadata.project_name` (v10 on), else the package of the header's md5, else the largest."""
    if header.project_name:
        return header.project_name
    packages = Counter(node.package_name for node in nodes if node.package_name)
    for package in packages:
        if header.project_id == md5(package.encode(), usedforsecurity=False).hexdigest():
            return package
    return packages.most_common(1)[0][0] if packages else "unknown"
