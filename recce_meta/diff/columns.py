"""Columns, contracts and descriptions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from msgspec import convert

from recce_meta.diff.causes import Causes
from recce_meta.diff.values import constraints_of, differences, normal
from recce_meta.models import ChangeDetail, Column, Json, NodeMetadata, Reason

DIALECTS = {"sqlserver": "tsql", "fabric": "tsql", "synapse": "tsql"}
"""sqlglot's names where they are not dbt's."""


def column_details(before: NodeMetadata, after: NodeMetadata, causes: Causes) -> Iterator[ChangeDetail]:
    """Columns of the relation that came, went, changed type or order.

    Told only where the warehouse was asked on both sides: what is documented is not what is there.
    """
    if before.columns_from != "catalog" or after.columns_from != "catalog":
        return
    if before.columns == after.columns:
        return
    old, new = _by_name(before.columns), _by_name(after.columns)
    for name, column in old.items():
        if name not in new:
            yield ChangeDetail(Reason.COLUMNS, column.name, column.type or "", None)
        elif not _same_in_catalogs(column.type, new[name].type, causes):
            yield ChangeDetail(Reason.COLUMNS, new[name].name, column.type, new[name].type)
    for name, column in new.items():
        if name not in old:
            yield ChangeDetail(Reason.COLUMNS, column.name, None, column.type or "")
    common = ([name for name in old if name in new], [name for name in new if name in old])
    if common[0] != common[1]:
        yield ChangeDetail(Reason.COLUMNS, "(order)", *([old[n].name for n in names] for names in common))


def contract_details(before: NodeMetadata, after: NodeMetadata, causes: Causes) -> Iterator[ChangeDetail]:
    """An enforced contract that came, went or changed; else documented types and constraints."""
    if _documented_alike(before, after) and before.contract == after.contract:
        return
    enforced = (bool(before.contract), bool(after.contract))
    if enforced[0] != enforced[1]:
        yield ChangeDetail(Reason.CONTRACT, "enforced", *enforced)
    reason = Reason.CONTRACT if all(enforced) else Reason.CONFIG
    constraints = (before.properties.get("constraints"), after.properties.get("constraints"))
    if not _same_constraints(*constraints) and not causes.new_field(*constraints):
        yield ChangeDetail(reason, "constraints", *constraints)
    old, new = documented(before), documented(after)
    for name in sorted(old.keys() | new.keys()):
        left, right = old.get(name), new.get(name)
        if left is None or right is None:
            if all(enforced):
                yield ChangeDetail(
                    Reason.CONTRACT, name, *(c and (c.documented_type or "") for c in (left, right))
                )
            continue
        if not same_type(left.documented_type, right.documented_type, causes.adapter):
            key = name if all(enforced) else f"columns.{name}.data_type"
            yield ChangeDetail(reason, key, left.documented_type, right.documented_type)
        if not _same_constraints(left.constraints, right.constraints):
            key = f"columns.{name}.constraints"
            yield ChangeDetail(reason, key, list(left.constraints), list(right.constraints))
        yield from _column_config(name, left, right, causes)


def description_details(before: NodeMetadata, after: NodeMetadata) -> Iterator[ChangeDetail]:
    """Texts that document the node, its source, and its columns."""
    if _documented_alike(before, after) and before.description == after.description:
        return
    old, new = _descriptions(before), _descriptions(after)
    for key in sorted(old.keys() | new.keys()):
        left, right = old.get(key, ""), new.get(key, "")
        if left != right:
            same = left.split() == right.split()
            yield ChangeDetail(Reason.FORMATTING if same else Reason.DESCRIPTIONS, key, left, right)


def _documented_alike(before: NodeMetadata, after: NodeMetadata) -> bool:
    return before.columns == after.columns and before.properties == after.properties


def _descriptions(node: NodeMetadata) -> dict[str, str]:
    texts = {"(model)": node.description, "(source)": node.properties.get("source_description") or ""}
    return texts | {name: column.description for name, column in documented(node).items()}


def documented_columns(node: NodeMetadata) -> list[Column]:
    """The columns that the project's YAML names, whether the relation has them or not."""
    columns = [column for column in node.columns if column.documented]
    return columns + [convert(raw, Column) for raw in node.properties.get("columns_not_in_catalog", ())]


def documented(node: NodeMetadata) -> dict[str, Column]:
    """`documented_columns` by lower-case name."""
    return {column.name.lower(): column for column in documented_columns(node)}


def _same_in_catalogs(base: str | None, current: str | None, causes: Causes) -> bool:
    """Whether two catalogs name one type; one version of dbt asks in one way, and gets one spelling."""
    if causes.same_dbt and causes.base.adapter == causes.current.adapter:
        return (base or "").lower() == (current or "").lower()
    return same_type(base, current, causes.adapter)


def same_type(base: str | None, current: str | None, adapter: str | None) -> bool:
    """Whether two type texts name one type of the warehouse: `varchar` and `text`, `int` and `integer`."""
    if base == current or (base or "").lower() == (current or "").lower():
        return True
    if not base or not current:
        return False
    return _normal_type(base, adapter) == _normal_type(current, adapter)


@lru_cache(maxsize=1024)
def _normal_type(text: str, adapter: str | None) -> str:
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    dialect = DIALECTS.get(adapter or "", adapter)
    try:
        kind = exp.DataType.build(text, dialect=dialect)
    except (SqlglotError, ValueError):
        return " ".join(text.lower().split())
    return kind.sql().upper().replace("VARCHAR", "TEXT") if not kind.expressions else kind.sql().upper()


def _by_name(columns: tuple[Column, ...]) -> Mapping[str, Column]:
    """By lower-case name; by exact name where the warehouse has two that differ in case alone."""
    folded = {column.name.lower(): column for column in columns}
    return folded if len(folded) == len(columns) else {column.name: column for column in columns}


def _same_constraints(left: Json, right: Json) -> bool:
    """Whether both ask for the same; what dbt warns of is no constraint."""
    kept = [
        [
            {key: value for key, value in constraint.items() if not key.startswith("warn_")}
            for constraint in constraints_of(constraints)
        ]
        for constraints in (left, right)
    ]
    return bool(normal(kept[0]) == normal(kept[1]))


def _column_config(name: str, left: Column, right: Column, causes: Causes) -> Iterator[ChangeDetail]:
    pairs = {
        "meta": (left.meta, right.meta),
        "tags": (sorted(left.tags), sorted(right.tags)),
        "quote": (left.quote or None, right.quote or None),
    }
    for key, (old, new) in pairs.items():
        for path, base, current in differences(old, new, f"columns.{name}.{key}"):
            if causes.new_field(base, current):
                continue  # dbt's Rust engine copies the model's onto its columns
            yield ChangeDetail(Reason.CONFIG, path, base, current)
