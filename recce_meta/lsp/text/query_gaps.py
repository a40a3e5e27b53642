"""Columns that a tag may add to a query: what is known of its sources although tags were not rendered."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from recce_meta.lsp.text.positions import TextSpan
from recce_meta.lsp.text.query_items import SelectItems
from recce_meta.lsp.text.template import ModelTemplate
from recce_meta.sql_lineage.expressions import arg, args
from recce_meta.sql_lineage.query import (
    Query,
    QuerySource,
    Select,
    SelfReference,
    SetOperation,
    Table,
    Values,
)
from recce_meta.sql_lineage.scope import is_open
from recce_meta.warehouses.types import Sql

_HARMLESS = ("where ", "and ", "or ", "group by", "order by", "having ", "qualify ", "limit ")
"""Clauses in a branch that change neither the tables nor the columns of its query."""


class TagGaps:
    """Gaps that tags leave in what is known of a query."""

    def __init__(self, template: ModelTemplate, items: SelectItems) -> None:
        self._template, self._items = template, items
        self._gaps: dict[int, tuple[bool, bool]] = {}
        self._known: dict[int, bool] = {}

    def is_known(self, source: QuerySource) -> bool:
        """Return whether all columns of *source* are known."""
        relation = source.relation
        if isinstance(relation, Table):
            return relation.columns is not None
        return not is_open(source) and self._lists_all(relation)

    def _lists_all(self, query: Query) -> bool:
        """Return whether the outputs of *query* are all its columns, although there are tags in the text."""
        known = self._known.get(id(query))
        if known is None:
            # A recursive CTE meets itself again.
            self._known[id(query)] = True
            known = self._known[id(query)] = self._lists(query)
        return known

    def _lists(self, query: Query) -> bool:
        if isinstance(query, SetOperation):
            return all(self._lists_all(operand) for operand in query.operands)
        if isinstance(query, SelfReference):
            return query.query is None or self._lists_all(query.query)
        if not isinstance(query, Select):
            return isinstance(query, Values)
        has_new_outputs, has_new_sources = self.tags_in(query)
        has_star = any(output.node is None for output in query.outputs)
        if has_new_outputs or (has_star and has_new_sources):
            return False
        return not has_star or all(map(self.is_known, query.sources))

    def tags_in(self, select: Select) -> tuple[bool, bool]:
        """Return whether a tag may add outputs to *select*, and whether one may add a source."""
        if id(select) not in self._gaps:
            self._gaps[id(select)] = self._find_tags(select) if self._template.opaque else (False, False)
        return self._gaps[id(select)]

    def _find_tags(self, select: Select) -> tuple[bool, bool]:
        items = self._items.of(select)
        extent = self._items.extent(select.node)
        if extent is None:
            return False, False
        whole = TextSpan(
            min([extent.start, *(item.span.start for item in items[:1])]), self._items.after(extent.end)
        )
        listed = TextSpan(items[0].span.start, self._items.after(items[-1].span.end)) if items else whole
        fine = [item.expression for item in items if item.name is not None and not item.is_hidden]
        parts = [self._items.extent(node) for node in _sources_of(select.node)]
        fine += [span for span in parts if span is not None]
        clauses = [self._items.extent(node) for node in _clauses_of(select.node)]
        # A tag behind the first of the clauses after FROM can add no source.
        last = min((span.start for span in clauses if span is not None), default=whole.end)
        new_outputs = new_sources = False
        for span in self._template.opaque:
            if span.end <= whole.start or span.start >= whole.end:
                continue
            if (span.start <= whole.start and extent.end <= span.end) or span.start >= last:
                continue
            if any(one.start <= span.start and span.end <= one.end for one in fine):
                continue
            if span.start < listed.end and listed.start < span.end:
                new_outputs = True
            elif not self._is_harmless(span):
                new_sources = True
        return new_outputs, new_sources

    def _is_harmless(self, span: TextSpan) -> bool:
        """Return whether the branch at *span* only adds a clause that changes neither tables nor columns."""
        kept = self._template.masked[span.start : span.end].strip().lower()
        has_other = "{% el" in self._template.text[span.start : span.end].replace("{%-", "{%")
        return (not kept and not has_other) or (kept.startswith(_HARMLESS) and not has_other)


def _clauses_of(node: Sql) -> Iterator[Sql]:
    """Yield the clauses after FROM."""
    for name in ("where", "prewhere", "group", "having", "qualify", "order", "limit"):
        clause = arg(node, name)
        if clause is not None:
            yield clause


def _sources_of(node: Sql) -> Iterator[Sql]:
    """Yield the CTEs, the items of FROM, and the conditions of joins."""
    clause, start = arg(node, "with"), arg(node, "from")
    if clause is not None:
        yield clause
    joins = args(node, "joins")
    for item in (*([start.this] if start is not None else []), *(join.this for join in joins)):
        if isinstance(item, (exp.Table, exp.Subquery)):
            yield item
    for join in joins:
        on = arg(join, "on")
        if on is not None:
            yield on
