"""Columns that the configuration of a node names, and those that its hooks and templates ask for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.models import Json, MacroMetadata, NodeMetadata
from recce_meta.models.lineage import UNSURE, ColumnOutput, ColumnSource, ColumnUse, Usage
from recce_meta.warehouses.builds import names_in
from recce_meta.warehouses.hooks import (
    ANY_NAME,
    STAR,
    hook_words,
    hooks_and_macros,
    named_parents,
    queried_words,
    row_words,
    texts_in,
)

LAYOUT: Mapping[str, tuple[str, ...]] = {
    "athena": ("partitioned_by", "bucketed_by"),
    "bigquery": ("partition_by", "cluster_by"),
    "clickhouse": ("order_by", "partition_by", "primary_key"),
    "databricks": ("partition_by", "liquid_clustered_by", "clustered_by"),
    "duckdb": ("indexes",),
    "materialize": ("indexes",),
    "postgres": ("indexes",),
    "redshift": ("sort", "dist"),
    "snowflake": ("cluster_by",),
    "spark": ("partition_by", "clustered_by"),
}
"""Configuration keys with columns of the table that a statement which creates it names, by adapter."""
NAMING = (
    "incremental_predicates",
    "predicates",
    "merge_update_columns",
    "merge_exclude_columns",
    "event_time",
)
"""Configuration keys with SQL that may name columns of the node's own table."""


def configured_names(node: NodeMetadata, adapter: str | None, hooks: Iterable[str]) -> dict[str, bool]:
    """Return the lower-case words in the configuration of *node* that may name columns of its own table.

    *hooks* are its `hook_words`. The value is True if the statement that creates the table names the column.
    """
    found: dict[str, bool] = dict.fromkeys(hooks, False)
    layout = LAYOUT.get(adapter or "", ()) if node.materialized != "view" else ()
    for key in (*NAMING, *layout):
        texts = [text.lower() for text in texts_in(node.config.get(key))]
        found |= {name: False for name in names_in(texts) if name not in found}
        # An incremental model has the layout of its first run.
        if key in layout and node.materialized == "table":
            found |= {text.strip().strip('"`[]'): True for text in texts}
    return found


_REFERENCE = re.compile(
    r"""^\s*(?:references\s+)?((?:[\w$.]|"[^"]*"|`[^`]*`|\[[^]]*\])+)\s*\(([^()]*)\)""", re.I
)
"""Expression of a foreign key: a relation and its columns."""


class ConfiguredNames(Struct, frozen=True):
    """Names of columns in the configuration of a node."""

    own: Mapping[str, bool]
    """Lower-case words that may name columns of the node's table; see `configured_names`."""
    keys: tuple[tuple[str, str], ...]
    """Unique ids and columns that foreign keys name."""
    hooked: tuple[tuple[str, str], ...]
    """Unique ids of parents, and their columns that hooks may name."""
    deciding: frozenset[str] = frozenset()
    """Lower-case words of the hooks; empty if none of them writes rows."""
    queried: tuple[tuple[str, str], ...] = ()
    """Unique ids of parents, and their columns that queries of the template may name."""

    @property
    def settings(self) -> list[Json]:
        """Return the part of a lineage id that follows from these names."""
        if not self.own and not self.keys and not self.hooked and not self.queried:
            return []
        more: list[Json] = [one for one in (self.hooked, sorted(self.deciding)) if one]
        more += [{"queried": self.queried}] if self.queried else []
        return [sorted(self.own.items()), sorted(self.keys), *more]

    def deciding_rows(
        self, outputs: Iterable[ColumnOutput], source_of: Callable[[tuple[str, str]], ColumnSource]
    ) -> Iterator[ColumnUse]:
        """Yield the columns of parents by which hooks, or results of queries, may choose rows.

        *source_of* finds one by its name.
        """
        found = [
            source
            for output in outputs
            if not self.deciding.isdisjoint((output.name.lower(), ANY_NAME))
            for source in output.sources
        ]
        hooked = [*found, *map(source_of, self.hooked)] if self.deciding else []
        for source in (*hooked, *map(source_of, self.queried)):
            yield ColumnUse(Usage.FILTER, source.parent, source.column, min(source.confidence, UNSURE))

    def columns(
        self, outputs: Iterable[ColumnOutput], source_of: Callable[[tuple[str, str]], ColumnSource]
    ) -> Iterator[ColumnSource]:
        """Yield the named columns of parents; *source_of* finds one by unique id and name."""
        # A word of SQL may be the name of something else.
        for output in outputs:
            is_certain = self.own.get(output.name.lower(), self.own.get(ANY_NAME))
            if is_certain is not None:
                for source in output.sources:
                    sure = source.confidence if is_certain else min(source.confidence, UNSURE)
                    yield replace(source, confidence=sure)
        yield from map(source_of, self.keys)
        for source in map(source_of, (*self.hooked, *self.queried)):
            yield replace(source, confidence=min(source.confidence, UNSURE))


def names_in_configuration(
    node: NodeMetadata,
    adapter: str | None,
    macros: Mapping[str, MacroMetadata],
    nodes: Mapping[str, NodeMetadata],
    columns_of: Callable[[str], Iterable[str]],
) -> ConfiguredNames:
    """Return the names of columns in the configuration of *node*; *columns_of* has those of a parent."""
    texts = hooks_and_macros(node, macros)
    words, deciding = hook_words(node, texts), row_words(node, texts)
    is_whole = bool(deciding) and (ANY_NAME in deciding or any(map(STAR.search, texts)))
    read = named_parents(node, nodes, words)
    hooked = [
        (one, name)
        for one in read
        for name in columns_of(one)
        if is_whole or {name.lower(), ANY_NAME} & words
    ]
    asked = queried_words(node, macros)
    queried = [
        (one, name)
        for one in named_parents(node, nodes, asked)
        for name in columns_of(one)
        if {name.lower(), ANY_NAME} & asked
    ]
    own, keys = configured_names(node, adapter, words), tuple(foreign_keys(node, nodes))
    return ConfiguredNames(own, keys, tuple(sorted(hooked)), deciding, tuple(sorted(queried)))


def foreign_keys(node: NodeMetadata, nodes: Mapping[str, NodeMetadata]) -> list[tuple[str, str]]:
    """Return the columns that foreign keys of *node* name, with the parents that have them.

    Without an enforced contract, dbt creates no constraint. A key that is given as an expression names a
    relation; it counts if the query or a hook reads the node with this relation.
    """
    if not node.contract:
        return []
    listed = [node.properties.get("constraints"), *(column.constraints for column in node.columns)]
    constraints = [one for each in listed for one in each or () if isinstance(one, dict)]
    parents = [nodes[parent] for parent in node.parents if parent in nodes]
    return [
        (parent.unique_id, column)
        for one in constraints
        if one.get("type") == "foreign_key"
        for relation, columns in (_target(one),)
        for parent in parents
        if _is_relation(parent, relation)
        for column in columns
    ]


def _target(constraint: Mapping[str, Json]) -> tuple[str, list[str]]:
    """Return the relation and the columns that a foreign key refers to; empty if they are not known."""
    relation = constraint.get("to")
    if isinstance(relation, str):
        return relation, [one for one in constraint.get("to_columns") or () if isinstance(one, str)]
    found = _REFERENCE.match(str(constraint.get("expression") or ""))
    return (found[1], [one.strip() for one in found[2].split(",")]) if found else ("", [])


def _is_relation(parent: NodeMetadata, text: str) -> bool:
    if text == parent.relation_name or re.search(rf"\(.*['\"]{re.escape(parent.name)}['\"]", text):
        return True
    own, named = (_parts(one) for one in (parent.relation_name or "", text))
    return bool(named) and own[-len(named) :] == named


def _parts(relation: str) -> list[str]:
    return [part.lower() for part in re.findall(r"[^\s.\"`\[\]]+", relation)]
