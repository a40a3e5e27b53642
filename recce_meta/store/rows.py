"""Rows of the store's queries as frozen values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Any

import msgspec
from msgspec.structs import asdict

from recce_meta.masking import without_passwords
from recce_meta.models import Column, EdgeOrigin, Json, MacroMetadata, NodeMetadata, NodeResult, RunMetadata
from recce_meta.models.tokens import resolve
from recce_meta.store.values import storable

_names = msgspec.json.Decoder(tuple[str, ...]).decode
_columns = msgspec.json.Decoder(tuple[Column, ...]).decode
_object = msgspec.json.Decoder(dict[str, Any]).decode


class Objects(dict[str, dict[str, Json]]):
    """JSON objects by their text. Equal ones are decoded once, and are one object: nodes by the thousand
    share a handful of configurations."""

    def __missing__(self, text: str) -> dict[str, Json]:
        found = self[text] = _object(text)
        return found


def run_of(row: tuple[Any, ...]) -> RunMetadata:
    """A row of `runs`; times are in UTC, whatever the connection's zone."""
    fields: dict[str, Any] = dict(zip(RunMetadata.__struct_fields__, map(in_utc, row), strict=True))
    fields["warnings"] = _names(fields["warnings"]) if fields["warnings"] else ()
    return RunMetadata(**fields)


_GIVEN_TEXTS = ("git_sha", "branch", "pull_request", "command")
"""Fields of a run that an option, a variable or an artifact may fill with any text."""


def run_row(run: RunMetadata) -> tuple[object, ...]:
    """Return the row of `runs`, in the order of the fields of `RunMetadata`, with passwords masked."""
    fields = asdict(run)
    fields |= {name: fields[name] and without_passwords(fields[name]) for name in _GIVEN_TEXTS}
    reason = run.reason and storable(run.reason)
    warnings = msgspec.json.encode([storable(warning) for warning in run.warnings]).decode()
    return tuple({**fields, "reason": reason, "warnings": warnings}.values())


def in_utc(value: Any) -> Any:
    """*value* in UTC where it is a time, which is aware; any other as it is."""
    return value.astimezone(timezone.utc) if isinstance(value, datetime) else value


def node_of(
    row: tuple[Any, ...],
    edges: Mapping[str, Mapping[str, EdgeOrigin | None]],
    relations: Mapping[str, str] | None,
    objects: Objects,
) -> NodeMetadata:
    """A row of `nodes`, `nodes_by_id` or `differing_nodes`; *relations* resolve tokens, None keeps them."""
    (
        unique_id, name, resource_type, package_name, path, fqn, database_name, schema_name, identifier,
        relation_name, materialized, language, raw_code, compiled_code, checksum, checksum_rule, code_hash,
        config, unrendered_config, columns, columns_from, description, tags, meta, access, group_name,
        version, source_name, contract, macros, properties,
    ) = row  # fmt: skip
    parents = edges.get(unique_id, {})
    if compiled_code and relations is not None:
        compiled_code = resolve(compiled_code, relations)
    return NodeMetadata(
        unique_id=unique_id,
        name=name,
        resource_type=resource_type,
        package_name=package_name,
        path=path,
        fqn=_list(fqn),
        database_name=database_name,
        schema_name=schema_name,
        identifier=identifier,
        relation_name=relation_name,
        materialized=materialized,
        language=language,
        raw_code=raw_code,
        compiled_code=compiled_code,
        checksum=checksum,
        checksum_rule=checksum_rule,
        code_hash=code_hash,
        config=objects[config],
        unrendered_config=objects[unrendered_config],
        columns=_columns(columns) if columns != "[]" else (),
        columns_from=columns_from,
        description=description,
        tags=_list(tags),
        meta=objects[meta],
        access=access,
        group_name=group_name,
        version=version,
        source_name=source_name,
        contract=None if contract is None else _object(contract),
        parents=tuple(sorted(parents)),
        edge_origins={parent: origin for parent in sorted(parents) if (origin := parents[parent])},
        macros=_list(macros),
        properties=_object(properties) if properties != "{}" else {},
    )


def narrow_node_of(row: tuple[Any, ...]) -> NodeMetadata:
    """A row of `narrow_nodes`: code, columns, configuration, parents and place are left out."""
    (
        unique_id, name, resource_type, package_name, path, fqn, relation_name, materialized, tags, access,
        group_name, version, source_name, macros,
    ) = row  # fmt: skip
    return NodeMetadata(
        unique_id=unique_id,
        name=name,
        resource_type=resource_type,
        package_name=package_name,
        path=path,
        fqn=_list(fqn),
        relation_name=relation_name,
        materialized=materialized,
        tags=_list(tags),
        access=access,
        group_name=group_name,
        version=version,
        source_name=source_name,
        macros=_list(macros),
    )


def named_node_of(row: tuple[Any, ...]) -> NodeMetadata:
    """A row of `names`: everything else is left out."""
    unique_id, name, resource_type, version = row
    return NodeMetadata(unique_id=unique_id, name=name, resource_type=resource_type, version=version)


def macro_of(row: tuple[Any, ...]) -> MacroMetadata:
    """A row of `macros`."""
    unique_id, name, package_name, path, macro_sql, code_hash, macros = row
    return MacroMetadata(
        unique_id=unique_id,
        name=name,
        package_name=package_name,
        path=path,
        macro_sql=macro_sql,
        code_hash=code_hash,
        macros=_list(macros),
    )


def result_of(row: tuple[Any, ...]) -> NodeResult:
    """A row of `results`."""
    return NodeResult(**dict(zip(NodeResult.__struct_fields__, row, strict=True)))


def grouped(edges: Iterable[tuple[Any, ...]]) -> dict[str, dict[str, EdgeOrigin | None]]:
    """Return the parents of each node with the origins of edges, from rows of `edges` or of pairs alone."""
    parents: dict[str, dict[str, EdgeOrigin | None]] = {}
    origins: dict[tuple[Any, ...], EdgeOrigin | None] = {}
    for node, parent, *origin in edges:
        key = tuple(origin)
        if key not in origins:
            origins[key] = EdgeOrigin(*key) if key and key[0] is not None else None
        parents.setdefault(node, {})[parent] = origins[key]
    return parents


def names_of(found: Iterable[tuple[object, ...]]) -> list[str]:
    """The only column of *found*, sorted."""
    return sorted(str(name) for (name,) in found)


def _list(text: str) -> tuple[str, ...]:
    return _names(text) if text != "[]" else ()
