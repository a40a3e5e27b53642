"""Contracts of models as dbt compares them: changed, or broken.

A broken contract of a versioned model makes dbt raise instead of answering `state:modified`; of one
without versions it warns. Source: https://docs.getdbt.com/reference/resource-configs/contract
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timezone

from recce_meta.diff.columns import documented
from recce_meta.diff.values import constraints_of
from recce_meta.graph.release import Release
from recce_meta.models import Json, NodeMetadata

ENFORCING = frozenset(["table", "incremental"])
"""Materializations that create the constraints of a contract."""

ALL = frozenset(["check", "not_null", "unique", "primary_key", "foreign_key"])
ENFORCED_CONSTRAINTS: Mapping[str, frozenset[str]] = {
    "bigquery": frozenset(["not_null"]),
    "databricks": frozenset(["check", "not_null"]),
    "duckdb": ALL,
    "postgres": ALL,
    "redshift": frozenset(["not_null"]),
    "snowflake": frozenset(["not_null"]),
    "spark": frozenset(),
}
"""Constraints that the warehouse itself upholds, as its dbt adapter says (`CONSTRAINT_SUPPORT`)."""
OTHER_ADAPTERS = frozenset(["not_null", "foreign_key"])


def same_contract(base: NodeMetadata, current: NodeMetadata) -> bool:
    """Whether the contract is enforced on neither side, or on both with equal checksums."""
    if base.contract is None or current.contract is None:
        return base.contract is current.contract
    return bool(base.contract.get("checksum") == current.contract.get("checksum"))


def broken_contract(
    base: NodeMetadata, current: NodeMetadata, *, adapter: str | None, rules: Release
) -> tuple[str, ...]:
    """What of the base's enforced contract the current model no longer keeps, one sentence each."""
    if base.contract is None or same_contract(base, current):
        return ()
    reasons = [] if current.contract else ["its contract is no longer enforced"]
    reasons += _column_breaks(base, current, sized_types=rules < (1, 11))
    if _upholds(base):
        enforced = ENFORCED_CONSTRAINTS.get(adapter or "", OTHER_ADAPTERS)
        reasons += _constraint_breaks(base, current, enforced)
        constrained = base.properties.get("constraints") or any(
            c.constraints for c in documented(base).values()
        )
        if constrained and not _upholds(current):
            reasons.append(f"it is no longer a {base.materialized} but a {current.materialized}")
    return tuple(reasons)


def removed_contract(base: NodeMetadata, now: datetime) -> tuple[str, ...]:
    """Why *base* may not be removed: it has an enforced contract and its deprecation date is not past."""
    if base.contract is None or _is_past(base.properties.get("deprecation_date"), now):
        return ()
    return ("it had an enforced contract and is deleted, renamed or disabled",)


def _column_breaks(base: NodeMetadata, current: NodeMetadata, *, sized_types: bool) -> Iterator[str]:
    after = documented(current)
    for name, column in documented(base).items():
        if name not in after:
            yield f"column {column.name} is removed"
            continue
        types = (column.documented_type, after[name].documented_type)
        if types[0] != types[1] and (sized_types or _unsized(types[0]) != _unsized(types[1])):
            yield f"column {column.name} changes its type from {types[0]} to {types[1]}"


def _constraint_breaks(base: NodeMetadata, current: NodeMetadata, enforced: frozenset[str]) -> Iterator[str]:
    after = documented(current)
    for name, column in documented(base).items():
        if name in after:
            for kind in _removed(column.constraints, after[name].constraints, enforced):
                yield f"constraint {kind} of column {column.name} is removed"
    before, now = (node.properties.get("constraints") for node in (base, current))
    for kind in _removed(before, now, enforced):
        yield f"constraint {kind} is removed"


def _removed(before: Json, after: Json, enforced: frozenset[str]) -> list[str]:
    """The kinds of the constraints in *before* that *after* does not have and the warehouse upholds."""
    remaining = [_said(constraint) for constraint in constraints_of(after)]
    kinds = [str(one.get("type")) for one in constraints_of(before) if _said(one) not in remaining]
    return [kind for kind in kinds if kind in enforced]


def _said(constraint: dict[str, Json]) -> dict[str, Json]:
    return {key: value for key, value in constraint.items() if value is not None}


def _upholds(node: NodeMetadata) -> bool:
    return node.materialized in ENFORCING


def _unsized(type_name: str | None) -> str | None:
    """`varchar` of `VARCHAR(10)`."""
    return type_name.split("(", 1)[0].strip().lower() if type_name else type_name


def _is_past(date: Json, now: datetime) -> bool:
    if not isinstance(date, str):
        return False
    moment = datetime.fromisoformat(date.replace("Z", "+00:00"))
    return moment.replace(tzinfo=moment.tzinfo or timezone.utc) < now
