"""From nodes and names of relations to the pairs that plans compare."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeAlias

from msgspec import Struct
from sqlglot import exp
from sqlglot.errors import SqlglotError

from recce_meta.dialects import Dialect, Sql, dialect_named
from recce_meta.diff.data.source import Pair, Source, query, table
from recce_meta.errors import UsageError
from recce_meta.models import NodeMetadata
from recce_meta.models.data_diff import DataSide, Subject

Relation: TypeAlias = NodeMetadata | str | None
"""One side of a data diff: a node, a relation as the warehouse's SQL names it, or nothing."""


class Places(Struct, frozen=True, kw_only=True):
    """The dialects of both sides, and whether one connection reaches both."""

    base: Dialect
    current: Dialect
    is_joined: bool = True

    def pair(self, base: Relation, current: Relation, *, name: str | None = None) -> Pair:
        """The two sides of one subject; a node without a relation counts as absent."""
        node = next((side for side in (current, base) if isinstance(side, NodeMetadata)), None)
        sources = (
            self._source(base, self.base, DataSide.BASE),
            self._source(current, self.current, DataSide.CURRENT),
        )
        before, after = sources
        return Pair(
            subject=Subject(
                name=name or (node.label if node is not None else str(current or base)),
                unique_id=None if node is None else node.unique_id,
                base=None if before is None else before.text,
                current=None if after is None else after.text,
            ),
            base=before,
            current=after,
            is_joined=self.is_joined,
        )

    def queries(self, base_sql: str, current_sql: str, *, name: str = "query") -> Pair:
        """The results of two queries; both are SQL, rendered, and sent as they are."""
        return Pair(
            subject=Subject(name=name),
            base=Source(
                relation=query(base_sql), dialect=self.base, side=DataSide.BASE, name="the base query"
            ),
            current=Source(
                relation=query(current_sql),
                dialect=self.current,
                side=DataSide.CURRENT,
                name="the current query",
            ),
            is_joined=self.is_joined,
        )

    def _source(self, side: Relation, dialect: Dialect, which: DataSide) -> Source | None:
        relation = None if side is None else _relation(side, dialect)
        if relation is None:
            return None
        label = side.label if isinstance(side, NodeMetadata) else str(side)
        return Source(
            relation=relation[0],
            dialect=dialect,
            side=which,
            name=f"{label} in {which.value}",
            text=relation[1],
        )


def absence(side: Relation, other: str) -> str | None:
    """Why *side* has no rows; None where it has a relation. *other* names the side that may have it alone."""
    if side is None:
        return f"only in {other}"
    if isinstance(side, NodeMetadata) and not has_relation(side):
        kind = side.materialized or side.resource_type
        return f"{kind}: it has no relation"
    return None


def has_relation(node: NodeMetadata) -> bool:
    """Whether *node* is a table or view of its own."""
    return (
        bool(node.relation_name or (node.schema_name and node.identifier))
        and node.materialized != "ephemeral"
    )


def _relation(side: NodeMetadata | str, dialect: Dialect) -> tuple[Sql, str] | None:
    """The relation of *side*, and its name as statements have it."""
    if isinstance(side, NodeMetadata):
        if not has_relation(side):
            return None
        if side.relation_name is None:
            place = exp.table_(side.identifier or "", side.schema_name, side.database_name, quoted=True)
            return place, dialect.render(place)
        side = side.relation_name
    try:
        return _table(side, dialect.name)
    except (SqlglotError, ValueError) as error:
        raise UsageError(
            f"Not the name of a relation: {side}", hint="such as prod.orders, or a quoted name"
        ) from error


@lru_cache(maxsize=4096)
def _table(name: str, dialect: str) -> tuple[Sql, str]:
    """Parsed once: a relation is asked for as often as there are diffs and checks of it."""
    relation = table(dialect_named(dialect), name)
    return relation, dialect_named(dialect).render(relation)
