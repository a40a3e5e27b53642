"""Where a node lives, and whether an edit moved it.

Two runs in two environments put every node elsewhere; that is no change. What counts is the place
relative to the target: `<target>_marts` against `<target>_finance`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from recce_meta.diff.causes import Causes, has_jinja
from recce_meta.diff.code import jinja_names
from recce_meta.diff.side import Side
from recce_meta.models import ChangeDetail, Json, NodeMetadata, Reason

NAMERS = ("generate_database_name", "generate_schema_name", "generate_alias_name")
"""Macros by which a project decides on places."""

TARGET = "{target}"


def relation_details(before: NodeMetadata, after: NodeMetadata, causes: Causes) -> Iterator[ChangeDetail]:
    """Database, schema, identifier or quoting that differ, each an edit or the environment."""
    if not before.relation_name or not after.relation_name:
        return
    places = (_place(before), _place(after))
    for key in places[0]:
        old, new = places[0][key], places[1][key]
        if old == new:
            continue
        relative = (_relative(key, old, causes.base), _relative(key, new, causes.current))
        moved = relative[0] != relative[1] and _by_edit(key, before, after, causes)
        yield ChangeDetail(Reason.RELATION if moved else Reason.ENVIRONMENT, key, old, new)
    requoted = _quoting(before.relation_name) != _quoting(after.relation_name)
    if requoted or (places[0] == places[1] and before.relation_name != after.relation_name):
        same = causes.same_dbt and causes.base.adapter == causes.current.adapter
        reason = Reason.RELATION if same else Reason.ENVIRONMENT  # quoting of old versions varies
        yield ChangeDetail(reason, "relation_name", before.relation_name, after.relation_name)


def _quoting(relation: str) -> str:
    """Which parts of a relation's name are quoted: `"".""._` of `"db"."shop".orders`."""
    return re.sub(r'[^."]+', "_", re.sub(r'"[^"]*"|`[^`]*`|\[[^]]*\]', '""', relation))


def _place(node: NodeMetadata) -> dict[str, str | None]:
    return {
        "database_name": node.database_name,
        "schema_name": node.schema_name,
        "identifier": node.identifier,
    }


def _relative(key: str, value: str | None, side: Side) -> str | None:
    """The place with the target's own part taken out."""
    database, schema = side.place
    if key == "database_name":
        return TARGET if value == database else value
    if key == "schema_name" and value and schema and (value == schema or value.startswith(f"{schema}_")):
        return TARGET + value[len(schema) :]
    return value


def _by_edit(key: str, before: NodeMetadata, after: NodeMetadata, causes: Causes) -> bool:
    """Whether an edit must have moved the node, given that its place relative to the target differs."""
    if any(_changed_macro(name, causes) for name in NAMERS):
        return True
    option = {"database_name": "database", "schema_name": "schema", "identifier": "alias"}[key]
    names = jinja_names(before.raw_code or "") | jinja_names(after.raw_code or "")
    for node in (before, after):
        names |= jinja_names(str(_written(option, node)))
    if "target" in names and before.raw_code == after.raw_code and _same_template(option, before, after):
        return False
    if causes.same_environment:
        return True
    custom = (before.config.get(option), after.config.get(option))
    if before.resource_type == "source":
        written = [node.properties.get(f"unrendered_{option}") for node in (before, after)]
        return None not in written and written[0] != written[1]
    return key == "identifier" or custom[0] != custom[1]


def _same_template(option: str, before: NodeMetadata, after: NodeMetadata) -> bool:
    """Whether both sides wrote the same template; a value rendered by a `config(…)` call tells nothing."""
    old, new = _written(option, before), _written(option, after)
    return bool(old == new) or not (has_jinja(old) or has_jinja(new))


def _written(option: str, node: NodeMetadata) -> Json:
    """The option as the project wrote it; sources keep theirs as properties."""
    return node.unrendered_config.get(option) or node.properties.get(f"unrendered_{option}")


def _changed_macro(name: str, causes: Causes) -> bool:
    return any(
        unique_id in causes.changed_macros
        for side in (causes.base, causes.current)
        for unique_id in side.macro_named(name)
    )
