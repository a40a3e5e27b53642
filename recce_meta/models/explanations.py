"""Explanations of the rows that differ: slices, shapes of values, parents, and edits that were tried."""

from __future__ import annotations

from msgspec import Struct


class SliceCondition(Struct, frozen=True, kw_only=True):
    """Condition on the values of a column, as they are stored."""

    column: str
    figure: str
    """What is tested: `value`, `range`, `length`, `prefix`, `form`, `hour`, `day` of the month, or `null`."""
    operator: str
    """`in`, `not in`, `between`, `null` or `not null`."""
    values: tuple[str, ...] = ()
    """Operands as text; an open end of a range is empty."""
    text: str = ""
    """The condition in words: `status = 'failed'`."""
    relation: str = ""
    """Parent whose rows with the key of the row are tested; empty for a column of the node."""


class Slice(Struct, frozen=True, kw_only=True):
    """Rows that meet some conditions, and how many of them differ. All counts are exact."""

    targets: tuple[str, ...]
    """Rows that it is about: `added`, `removed`, `changed`, or columns with another value."""
    conditions: tuple[SliceCondition, ...]
    sql: str
    """The conditions in the warehouse's SQL, on the stored columns."""
    changed: int
    """Rows of the targets."""
    compared: int
    """Rows of the population of the targets."""
    in_slice: int
    """Rows that meet the conditions."""
    changed_in_slice: int
    """Rows of the targets that meet the conditions."""
    same_rows: tuple[tuple[SliceCondition, ...], ...] = ()
    """Other conditions with the same counts."""


class ValueShape(Struct, frozen=True, kw_only=True):
    """Way in which the values of a column differ."""

    column: str
    text: str
    """`× 100`, `+ 1 day`, `'a' → 'b'`, `letter case only`, …"""
    rows: int
    """Differing rows of which it holds."""
    changed: int
    """All differing rows of the column."""


class ParentRows(Struct, frozen=True, kw_only=True):
    """Rows of a node whose key a parent has in a row that differs between base and current."""

    parent: str
    key: tuple[str, ...]
    """Columns that the node and the parent share."""
    target: str
    """Rows that it is about: `added`, `removed` or `changed`."""
    changed: int
    """Rows of the target."""
    reading: int
    """Those with such a row in the parent."""
    others: int
    """Rows that do not differ."""
    others_reading: int


class EditEffect(Struct, frozen=True, kw_only=True):
    """Differing values, or rows, that an edit alone gives on the data of base."""

    target: str
    """What differs: a column, or `added` or `removed` rows."""
    changed: int
    """All rows of the target."""
    gives: int
    """Those that this edit gives, and no other edit."""


class TriedEdit(Struct, frozen=True, kw_only=True):
    """Edit of a query, and what it does alone."""

    old: str
    """Replaced text of the compiled SQL; empty for an insertion."""
    new: str
    line: int
    """First line of the edit in the compiled SQL of current, from 1."""
    effects: tuple[EditEffect, ...] = ()


class EditRest(Struct, frozen=True, kw_only=True):
    """Rows of a target that no single edit gives."""

    target: str
    changed: int
    either: int = 0
    """Rows that each of several edits gives."""
    together: int = 0
    """Rows that only several edits give together."""
    unchanged: int = 0
    """Rows that the edits do not change on the data of base."""
    mixed: int = 0
    """Rows in which the edits and other data of current have a part."""
    not_tried: int = 0
    """Rows for which the query of base gives other values than base has."""


class TriedEdits(Struct, frozen=True, kw_only=True):
    """Edits between the queries of both sides, each tried alone on the data of base."""

    edits: tuple[TriedEdit, ...] = ()
    rests: tuple[EditRest, ...] = ()
    note: str = ""
    """Why nothing was tried; empty if it was."""


class Why(Struct, frozen=True, kw_only=True):
    """Slices that hold the rows that differ, the best of each target first."""

    slices: tuple[Slice, ...] = ()
    searched: int = 0
    """Number of columns whose values were searched."""
    note: str = ""
    """Why nothing was searched; empty if it was."""
    shapes: tuple[ValueShape, ...] = ()
    """How values differ, for columns of which one shape holds."""
    parents: tuple[ParentRows, ...] = ()
    """Parents with rows that differ, by the key of the rows that differ in the node."""
    edits: TriedEdits | None = None
    """What the edits of the query give; None if its SQL is the same on both sides, or not known."""
