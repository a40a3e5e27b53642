"""The columns that a data test reads, where its arguments say so."""

from __future__ import annotations

from msgspec import Struct

from recce_meta.models.column_lineage import ColumnUse, Usage
from recce_meta.models.node import Json, NodeMetadata

OWN_TESTS = frozenset(["unique", "not_null", "accepted_values", "relationships"])
"""dbt's own generic tests: they read the columns that their arguments name, and nothing else."""
_ARGUMENTS = ("column_name", "combination_of_columns", "field")
"""Arguments that name columns; `field` is a column of the other relation that `to` names."""


class ArgumentReads(Struct, frozen=True):
    """What the arguments of a test say."""

    columns: tuple[tuple[str, str], ...]
    """Unique ids and columns."""
    whole: bool
    """Whether nothing else can be read."""


def read_by_arguments(node: NodeMetadata) -> ArgumentReads:
    """What the generic test *node* reads; no columns for a singular test, or where no argument names any."""
    metadata = node.properties.get("test_metadata")
    if not isinstance(metadata, dict):
        return ArgumentReads((), False)
    arguments = metadata.get("kwargs") or {}
    tested = node.properties.get("attached_node")
    if not isinstance(arguments, dict) or not isinstance(tested, str):
        return ArgumentReads((), False)
    others = [parent for parent in node.parents if parent != tested]
    other = others[0] if len(others) == 1 else tested if not others else None
    found: list[tuple[str, str]] = []
    unclear = False
    for argument in _ARGUMENTS:
        names = _names(arguments.get(argument))
        owner = other if argument == "field" else tested
        unclear |= names is None or (bool(names) and owner is None)
        found += [(owner, name) for name in names or () if owner is not None]
    own = not metadata.get("namespace") and metadata.get("name") in OWN_TESTS
    return ArgumentReads(tuple(sorted(set(found))), bool(found) and own and not unclear and not _where(node))


def uses_of(reads: ArgumentReads, confidence: float) -> tuple[ColumnUse, ...]:
    """The columns that *reads* names, as ones that decide over a test's rows."""
    return tuple(ColumnUse(Usage.FILTER, parent, column, confidence) for parent, column in reads.columns)


def _names(value: Json) -> list[str] | None:
    """The columns that an argument names; None where it is an expression."""
    texts = [value] if isinstance(value, str) else list(value) if isinstance(value, (list, tuple)) else []
    names = [text.strip().strip('"`[]') for text in texts if isinstance(text, str)]
    return names if all(name.replace("$", "_").replace(" ", "_").isidentifier() for name in names) else None


def _where(node: NodeMetadata) -> bool:
    return bool(node.config.get("where"))
