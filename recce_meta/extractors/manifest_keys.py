"""Keys of a manifest's entries that no field of `RawNode` has: kept as they are, so that a diff shows them.

dbt and its adapters add keys in every version, and users add their own to columns (`policy_tags`). A key is
left out only if it is listed here, with its reason in docs/reference/compared-keys.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Raw
from msgspec.json import Decoder
from msgspec.json import decode as decode_json
from msgspec.structs import fields

from recce_meta.extractors.artifact import RawColumn, RawNode
from recce_meta.models import Json

NODE_PROPERTIES: dict[str, tuple[str, ...]] = {
    "model": ("latest_version", "constraints", "deprecation_date", "time_spine"),
    "function": ("arguments", "returns", "overloads"),
    "test": ("test_metadata", "attached_node", "column_name", "file_key_name"),
    "source": (
        *("source_description", "source_meta", "loader", "loaded_at_field", "loaded_at_query", "freshness"),
        *("external", "quoting", "identifier", "unrendered_database", "unrendered_schema"),
    ),
}
"""Fields that only one resource type of `nodes` and `sources` has, stored as its properties."""

LOCATIONS = frozenset(
    """path build_path compiled_path root_path original_file_path patch_path metadata
    generated_sql_file""".split()
)
"""Places of files."""
OF_INVOCATION = frozenset(
    """created_at _event_status compiled deferred static_analysis_off_reason is_latest_version index
    defer_relation defer_function""".split()
)
"""What one invocation of dbt did or knew."""
DERIVED = frozenset(
    """extra_ctes extra_ctes_injected _pre_injected_sql injected_sql refs sources metrics functions
    config_call_dict unrendered_config_call_dict unrendered_config checksum language primary_key doc_blocks
    block_contents relation_name compiled_sql compiled_code raw_sql raw_code depends_on quoting
    quoting_ignore_case enabled materialized static_analysis""".split()
)
"""What follows from other keys, is compared in another form, or repeats the configuration."""
IGNORED = LOCATIONS | OF_INVOCATION | DERIVED
IGNORED_OF_COLUMNS = frozenset(["doc_blocks"])

_OF_ONE_TYPE = frozenset(name for names in NODE_PROPERTIES.values() for name in names)
_READ = frozenset(field.encode_name for field in fields(RawNode)) - _OF_ONE_TYPE
_SKIPPED = {
    resource_type: _READ | IGNORED | {"docs", *names} for resource_type, names in NODE_PROPERTIES.items()
}
_READ_OF_COLUMNS = frozenset(field.encode_name for field in fields(RawColumn)) - {"config"}
_ENTRY = Decoder(dict[str, Raw])
_COLUMNS = Decoder(dict[str, dict[str, Raw]])
EMPTY = frozenset([b"null", b"{}", b"[]", b'""'])


def unread_keys(entry: Raw, resource_type: str, bounded: Callable[[Json], Any]) -> dict[str, Json]:
    """Return the keys of an entry of `nodes` or `sources` that no field stores, without empty values.

    Those of its columns are under `columns`, by column. *bounded* limits how deep a value is.
    """
    members = _ENTRY.decode(entry)
    skipped = _SKIPPED.get(resource_type, _READ | IGNORED | {"docs"})
    found = {
        key: bounded(decode_json(raw))
        for key, raw in members.items()
        if key not in skipped and not _is_empty(raw)
    }
    docs = decode_json(members["docs"]) if "docs" in members else None
    # Later versions write it into the configuration as well.
    if isinstance(docs, dict) and docs.get("show") is False and not _shows_docs(members):
        found["docs"] = {"show": False}
    if "columns" in members and not _is_empty(members["columns"]):
        columns = _columns(members["columns"], bounded)
        if columns:
            found["columns"] = columns
    return found


def _columns(raw: Raw, bounded: Callable[[Json], Any]) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for name, members in _COLUMNS.decode(raw).items():
        keys = {
            key: bounded(decode_json(value))
            for key, value in members.items()
            if key not in _READ_OF_COLUMNS
            and key not in IGNORED_OF_COLUMNS
            and key != "config"
            and not _is_empty(value)
        }
        config = decode_json(members["config"]) if "config" in members else None
        if isinstance(config, dict):
            own = {key: bounded(one) for key, one in config.items() if key not in ("meta", "tags")}
            own = {key: one for key, one in own.items() if one not in (None, {}, [], "")}
            keys |= {"config": own} if own else {}
        if keys:
            found[name] = keys
    return found


def _is_empty(raw: Raw) -> bool:
    return bytes(raw) in EMPTY


def _shows_docs(members: dict[str, Raw]) -> bool:
    config = decode_json(members["config"]) if "config" in members else None
    docs = config.get("docs") if isinstance(config, dict) else None
    return isinstance(docs, dict) and "show" in docs
