"""Entries of a manifest, of any version, as nodes, macros and groups.

The one place that knows where each version keeps what: `raw_sql` or `raw_code`, tags on the node or in
its config, the tested node by name or not at all.
"""

from __future__ import annotations

import re
from sys import intern
from typing import Any

from msgspec import UNSET, Raw, convert
from msgspec.json import decode as decode_json
from msgspec.json import encode as encode_json

from recce_meta.extractors.artifact import (
    Checksum,
    ColumnConfig,
    Definitions,
    DependsOn,
    RawColumn,
    RawDefinition,
    RawMacro,
    RawNode,
)
from recce_meta.models import Column, Json, MacroMetadata, NodeMetadata, code_hash
from recce_meta.models.node import referred

MAX_DEPTH = 100
"""Levels of nested lists and objects that are kept as such; what is deeper becomes JSON text."""
NOTHING: dict[str, Json] = {}
"""What most columns' `meta` is; one object, which nobody changes."""

NODE_PROPERTIES: dict[str, tuple[str, ...]] = {
    "model": ("latest_version", "constraints", "deprecation_date", "time_spine"),
    "function": ("arguments", "returns", "overloads"),
    "test": ("test_metadata", "attached_node", "column_name", "file_key_name"),
    "source": (
        *("source_description", "source_meta", "loader", "loaded_at_field", "loaded_at_query", "freshness"),
        *("external", "quoting", "identifier", "unrendered_database", "unrendered_schema"),
    ),
}
"""Fields that only one resource type of `nodes` and `sources` has, kept as its properties."""

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
        *("classifiers", "columns", "contract", "language", "doc_blocks", "_event_status"),
        # A unit test's or exposure's place in the environment is not part of what it is.
        *("database", "schema", "alias", "node_relation", "tested_node_unique_id"),
    ]
)
"""Fields of the small sections that are nobody's property: common to all, derived, or volatile."""

SECTIONS = {
    "exposures": "exposure",
    "metrics": "metric",
    "semantic_models": "semantic_model",
    "saved_queries": "saved_query",
    "unit_tests": "unit_test",
}

BUILT = frozenset(["model", "seed", "snapshot", "function"])
"""Resource types with a materialization that is theirs even where the configuration names none."""


def source_code(raw: RawNode) -> str | None:
    """The source text. v20 replaces it by a placeholder, seeds have an empty one."""
    code = raw.raw_code if raw.raw_code is not None else raw.raw_sql
    return None if not code or code == "--placeholder--" else code


def _rule(checksum: Checksum | str | None, rule: str | None) -> str | None:
    return "path" if isinstance(checksum, Checksum) and checksum.name == "path" else rule


def checksum_of(value: Checksum | str | None) -> str | None:
    """The checksum itself, which versions write with or without the rule's name; None where it is empty."""
    return (value.checksum if isinstance(value, Checksum) else value) or None


class Shared:
    """JSON objects by their text: equal ones are decoded once, and are one object."""

    def __init__(self) -> None:
        self._objects: dict[bytes, dict[str, Json]] = {}

    def __call__(self, raw: Raw) -> dict[str, Json]:
        """The object that *raw* is; an empty one where it is anything else."""
        text = bytes(raw)
        found = self._objects.get(text)
        if found is None:
            found = self._objects[text] = _mapping(decode_json(text))
        return found


def node_of(unique_id: str, raw: RawNode, rule: str | None, shared: Shared) -> NodeMetadata:
    """An entry of `nodes`. The compiled text of hooks holds the invocation's id and is not kept."""
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
        edge_origins=referred(parents),
        macros=_ids(raw.depends_on, "macros"),
        properties=_properties(raw, resource_type),
    )


def source_of(unique_id: str, raw: RawNode, shared: Shared) -> NodeMetadata:
    """An entry of `sources`: a relation that the project reads and does not build."""
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
        properties=_properties(raw, "source"),
    )


def definitions_of(section: Definitions | None, resource_type: str) -> list[NodeMetadata]:
    """The entries of one small section; none where the version does not know it."""
    return [_definition(unique_id, raw, resource_type) for unique_id, raw in (section or {}).items()]


def _definition(unique_id: str, raw: dict[str, Any], resource_type: str) -> NodeMetadata:
    """An entry of a small section: what is not common to all resources is kept as properties."""
    config = _mapping(raw.get("config"))
    common = convert(raw, RawDefinition)
    properties = {
        key: _bounded(value) for key, value in raw.items() if key not in COMMON_FIELDS and value is not None
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
        edge_origins=referred(parents),
        macros=_ids(common.depends_on, "macros"),
        properties=properties,
    )


def _export(export: Json) -> Json:
    """A saved query's export without the database and schema that the target gave it."""
    if not isinstance(export, dict) or not isinstance(export.get("config"), dict):
        return export
    chosen = _mapping(export.get("unrendered_config"))
    target = {"database", "schema_name"} - {"schema_name" if key == "schema" else key for key in chosen}
    return {**export, "config": {key: value for key, value in export["config"].items() if key not in target}}


def macro_of(unique_id: str, raw: RawMacro) -> MacroMetadata:
    """An entry of `macros`."""
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
    """Return *value* with JSON text for what is nested deeper than *levels*: readers of it recurse."""
    if not value or not isinstance(value, (dict, list)):
        return value
    if not levels:
        return encode_json(value).decode()
    if isinstance(value, list):
        return [_bounded(item, levels - 1) for item in value]
    return {key: _bounded(member, levels - 1) for key, member in value.items()}


def _tags(value: Json, configured: Json) -> tuple[str, ...]:
    """Tags of the node, else of its config: v1 keeps them on the node alone, later versions on both."""
    tags = value or configured
    if isinstance(tags, list):
        return tuple(str(tag) for tag in tags)
    return (tags,) if tags and isinstance(tags, str) else ()


def _path(value: str | None) -> str:
    """The path with forward slashes: Windows writes backslashes, dbt `./` before dbt_project.yml."""
    return (value or "").replace("\\", "/").removeprefix("./")


def _materialized(resource_type: str, config: dict[str, Json]) -> str | None:
    if resource_type in BUILT or resource_type == "test":
        return _word(config.get("materialized")) or (resource_type if resource_type != "model" else None)
    return None


def _contract(value: dict[str, Json]) -> dict[str, Json] | None:
    """The contract where it is enforced; one that is not says nothing, in whichever words."""
    return value if value.get("enforced") else None


def _columns(raw: dict[str, RawColumn] | None) -> tuple[Column, ...]:
    """The documented columns, as the YAML orders them.

    Most say little, come by the ten thousand, and have names and types that others have too: these are
    kept once.
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
    """The fields of this resource type that say something: null, empty and absent are the same."""
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
    """The YAML file that describes the node, as `package://a.yml`; v1 to v3 and v20 write less."""
    return intern((path if "://" in path else f"{package}://{path}").replace("\\", "/"))


def _attached_node(raw: RawNode) -> str | None:
    """The tested node, for manifests before v9, which do not name it.

    `file_key_name` (`models.orders`, v4 on) names it; else the `model` argument does; else the test has
    one parent.
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
