"""The columns that dbt adds to a snapshot, and what they are made of.

Source: https://docs.getdbt.com/docs/build/snapshots#snapshot-meta-fields
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from recce_meta.models.column_lineage import ColumnOutput, ColumnSource, Kind
from recce_meta.models.node import Json, NodeMetadata

SETTINGS = (
    *("strategy", "unique_key", "updated_at", "check_cols", "hard_deletes", "snapshot_meta_column_names"),
)
"""The configuration that these columns depend on."""
ADDED = ("dbt_scd_id", "dbt_updated_at", "dbt_valid_from", "dbt_valid_to")
DELETED = "dbt_is_deleted"
"""Only where `hard_deletes` keeps deleted rows as rows."""


def snapshot_columns(node: NodeMetadata, outputs: Sequence[ColumnOutput]) -> tuple[ColumnOutput, ...]:
    """dbt's own columns of the snapshot *node*, whose query has *outputs*.

    With the strategy `timestamp` the times are those of `updated_at`. With `check` they are the times at
    which dbt found one of `check_cols` changed, so these decide over them. `dbt_scd_id` holds the key too.
    """
    config = node.config
    names = _names(node)
    key = _made_of(config.get("unique_key"), outputs)
    by_time = config.get("strategy") == "timestamp"
    checked = config.get("updated_at") if by_time else config.get("check_cols")
    moments = _made_of(checked, outputs)
    plain = by_time and isinstance(checked, str) and any(_same(output.name, checked) for output in outputs)
    taken = {output.name.lower() for output in outputs}
    made = [
        _column(names[ADDED[0]], Kind.DERIVED, key | moments),
        _column(names[ADDED[1]], Kind.RENAMED if plain else Kind.DERIVED, moments),
        _column(names[ADDED[2]], Kind.RENAMED if plain else Kind.DERIVED, moments),
        _column(names[ADDED[3]], Kind.DERIVED, moments),
    ]
    if config.get("hard_deletes") == "new_record":
        made.append(_column(names[DELETED], Kind.DERIVED, key))
    return tuple(output for output in made if output.name.lower() not in taken)


def named_columns(node: NodeMetadata, outputs: Sequence[ColumnOutput]) -> frozenset[ColumnSource]:
    """Return the columns that the settings of the snapshot *node* name, whose query has *outputs*."""
    config = node.config
    checked = config.get("updated_at") if config.get("strategy") == "timestamp" else config.get("check_cols")
    return frozenset().union(
        *(_made_of(value, outputs) for value in (config.get("unique_key"), checked) if value != "all")
    )


def added_names(node: NodeMetadata) -> frozenset[str]:
    """How the columns that dbt adds to the snapshot *node* are called, in lower case."""
    return frozenset(name.lower() for name in _names(node).values())


def _names(node: NodeMetadata) -> dict[str, str]:
    names = {name: name for name in (*ADDED, DELETED)}
    given = node.config.get("snapshot_meta_column_names")
    if isinstance(given, dict):
        names.update((name, text) for name, text in given.items() if isinstance(text, str) and text)
    return names


def _made_of(value: Json, outputs: Sequence[ColumnOutput]) -> frozenset[ColumnSource]:
    """What the columns that *value* names come from: a column, several, an expression, or `all`."""
    texts = [value] if isinstance(value, str) else [str(item) for item in value or ()]
    if value == "all":
        chosen = list(outputs)
    else:
        words = {word.lower() for text in texts for word in re.findall(r"[\w$]+", text)}
        chosen = [output for output in outputs if output.name.lower() in words]
    return frozenset(source for output in chosen for source in output.sources)


def _same(name: str, text: str) -> bool:
    return name.lower() == text.strip('"`[]').lower()


def _column(name: str, kind: Kind, sources: frozenset[ColumnSource]) -> ColumnOutput:
    return ColumnOutput(name, kind if sources else Kind.CONSTANT, None, tuple(sorted(sources)))
