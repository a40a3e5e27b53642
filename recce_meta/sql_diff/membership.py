"""Tests of membership as one form: `x in (select y …)`, `exists (… where y = x)`, and the left anti join.

The form is EXISTS. `x in (select y …)` is false or NULL if EXISTS is false, so they are one in a filter;
elsewhere, below NOT in particular, only if neither `x` nor `y` is ever NULL. A left join of which a filter
keeps the rows without a match is NOT EXISTS of its condition.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import NamedTuple

from sqlglot import exp

from recce_meta.sql_diff.expressions import ANYWHERE, QueryFingerprint, conjuncts, is_stable, short
from recce_meta.sql_diff.facts import COMPARES_TEXT, Facts, Proof, compares_exactly
from recce_meta.sql_diff.frames import Frame
from recce_meta.sql_diff.functions import UNSTABLE, row_makers
from recce_meta.sql_diff.proofs import NOTHING, Proofs, all_of, type_of_column
from recce_meta.sql_diff.references import QUERY_NODES
from recce_meta.sql_diff.stages import (
    CUTS,
    can_merge,
    computed_outputs,
    digest,
    merge_parts,
)
from recce_meta.sql_lineage.expressions import NODE
from recce_meta.sql_lineage.query import QuerySource, Select, SourceColumn, Table
from recce_meta.sql_lineage.scope import is_open
from recce_meta.warehouses.types import Sql

DIALECTS = COMPARES_TEXT
"""Dialects in which IN compares as `=` does, if both types are known to be one."""
OF_IN = frozenset({"this", "query"})
FILTERS = (exp.Where, exp.Having, exp.Qualify)


class _Match(NamedTuple):
    """Both sides that IN compares, seen from its subquery, and the proof that the inner one is never NULL."""

    outer: str
    inner: str
    """The column and the conditions of the subquery."""
    proof: Proof | None


class Memberships(Proofs):
    """Builder of keys in which IN with a subquery, and a left anti join, are EXISTS if they mean the same."""

    def __init__(self, dialect: str, sql: str, folded: Mapping[int, str], facts: Facts | None) -> None:
        super().__init__(dialect, sql, folded, facts)
        self._members: dict[int, Sql] = {}
        """By `id` of the subquery of an IN: the expression before IN."""
        self._matches: dict[int, _Match] = {}
        self._absent: dict[int, QuerySource] = {}
        """By `id` of a condition `k is null`: the source of `k`, of which only rows without a match stay."""

    def _meaning_of(self, kind: type) -> Callable[[Sql], str | None] | None:
        meanings: dict[type, Callable[[Sql], str | None]] = {
            exp.In: self._in,
            exp.Exists: self._exists,
            exp.Is: self._anti_joined,
        }
        return meanings.get(kind) or super()._meaning_of(kind)

    def _exists(self, node: Sql) -> str | None:
        self._notice(node)
        return f"exists({self._nested(node.this)})" if isinstance(node.this, QUERY_NODES) else None

    # IN

    def _in(self, node: Sql) -> str | None:
        nested = node.args.get("query")
        if self._facts is None or not isinstance(nested, QUERY_NODES) or self._reading:
            return None
        query, outer = self._frames.query_of(nested), self._plain_column(node.this)
        if outer is None or not isinstance(query, Select) or self._extras(nested):
            return None
        if not self._is_comparable(node, outer, query):
            return None
        proof = self._proof_of(node.this)
        self._members[id(query)] = node.this
        keyed = self.query(query)
        self._binds |= UNSTABLE if keyed.unstable else 0
        match = self._matches[id(query)]
        if not keyed.unstable and (_is_filter(node) or self._use(all_of([proof, match.proof]))):
            return f"exists(rows({keyed.rows}))"
        return short(f"in({match.outer};{match.inner};rows({keyed.rows}))")

    def _is_comparable(self, node: Sql, outer: SourceColumn, query: Select) -> bool:
        """Return whether *node* is one column in one column of *query*, and compares them as `=` does."""
        given = {name for name, value in node.args.items() if value}
        if self._dialect not in DIALECTS or given != OF_IN or len(query.outputs) != 1 or query.as_struct:
            return False
        output = query.outputs[0]
        inner = output.reads.plain
        if not isinstance(output.node, exp.Column) or not isinstance(inner, SourceColumn):
            return False
        if not any(inner.source is source for source in query.sources) or inner.confidence < 1:
            return False
        kinds = [type_of_column(one, self._facts, self._dialect) for one in (outer, inner)]
        if kinds[0] is None or kinds[1] is None or not compares_exactly(kinds[0], kinds[1], self._dialect):
            return False
        return self._is_flat(query, is_set=True)

    def _is_flat(self, query: Select, *, is_set: bool = False) -> bool:
        """Return whether *query* only joins and filters; DISTINCT is allowed if it *is_set*."""
        node = query.node
        grouped = query.group or query.group_all or query.having or self._clauses.implied_group(query)
        if grouped or query.qualify or query.distinct_on or (query.distinct and not is_set) or query.windows:
            return False
        if node.args.get("order") or any(node.args.get(name) for name in CUTS):
            return False
        if any(one.reads.windows or one.star is not None for one in query.outputs):
            return False
        if any(row_makers(one, self._dialect) for one in computed_outputs(query)):
            return False
        return all(self._is_flat_source(source) for source in query.sources)

    def _is_flat_source(self, source: QuerySource) -> bool:
        if source.lateral or source.columns or is_open(source):
            return False
        relation = source.relation
        return isinstance(relation, Table) or (isinstance(relation, Select) and self._is_flat(relation))

    def _with_match(self, query: Select, filters: tuple[str, ...]) -> tuple[str, ...]:
        """Return *filters* with the condition that the IN around *query* adds to it."""
        outer = self._members.get(id(query))
        inner = query.outputs[0].node if outer is not None else None
        if outer is None or inner is None:
            return filters
        keys = (self.expressions.key(outer), self.expressions.key(inner))
        # Without the condition: `a in (select b from t where b = a)` is never NULL.
        self._matches[id(query)] = _Match(keys[0], f"{keys[1]};{filters}", self._proof_of(inner))
        return tuple(sorted((*filters, short(f"eq({','.join(sorted(keys))})"))))

    # Left anti joins

    def _find_lookups(self, query: Select) -> None:
        super()._find_lookups(query)
        if not self._may_look_up(query) or query.subqueries:
            return
        nodes = [one for clause in query.where for one in conjuncts(clause.node)]
        for node in nodes:
            source = self._source_without_match(node, query)
            if source is not None:
                self._absent[id(node)] = source
                self.columns.lookups[id(source)] = NOTHING

    def _source_without_match(self, node: Sql, query: Select) -> QuerySource | None:
        """Return the source that *node* tests, if only its rows without a match stay and it is not read."""
        is_test = isinstance(node, exp.Is) and isinstance(node.expression, exp.Null)
        column = self._plain_column(node.this) if is_test else None
        if column is None or self.expressions.folded(node):
            return None
        source, join = column.source, column.source.join
        if source.columns or self._extras(source.node) or join is None or join.kind != "LEFT":
            return None
        if join.on is None or join.using or not isinstance(join.node, exp.Join):
            return None
        if self._clauses.join_extras(join):
            return None
        condition = join.on.node
        if not is_stable(condition) or any(self.expressions.folded(one) for one in condition.walk()):
            return None
        if not isinstance(source.relation, Table):
            inner = self.query(source.relation)
            if inner.unstable or inner.outermost != ANYWHERE:
                return None
        allowed = {id(one) for one in (node.this, *condition.find_all(exp.Column))}
        read = [each for key, each in query.references.items() if key not in allowed]
        read += [each for one in query.outputs for each in one.reads.references]
        if any(not isinstance(each, SourceColumn) or each.source is source for each in read):
            return None
        if any(output.star is not None for output in query.outputs):
            return None
        compared = (
            side for one in conjuncts(condition) if isinstance(one, exp.EQ) for side in one.args.values()
        )
        if any(isinstance(side, NODE) and self._is_same_column(side, column) for side in compared):
            return source
        proof = None
        if isinstance(source.relation, Table):
            proof = self._facts.not_null(source.relation, column.name) if self._facts else None
        return source if self._use(proof) else None

    def _is_same_column(self, node: Sql, column: SourceColumn) -> bool:
        found = self._plain_column(node)
        return found is not None and found.source is column.source and found.name == column.name

    def _anti_joined(self, node: Sql) -> str | None:
        """Return the key of NOT EXISTS for a condition that keeps rows without a match."""
        source = self._absent.get(id(node))
        if source is None or source.join is None or source.join.on is None:
            return None
        query = self._frames[-1].query
        frame = Frame(query)
        self._frames.append(frame)
        rows, inner = self._source(source)
        below: dict[str, tuple[str, ...]] = {"tables": (frame.place(source, rows),)}
        frame.is_joined = True
        filters = frozenset({"filter"})
        is_alone = inner is not None and inner.rows == rows
        if inner is not None and is_alone and isinstance(query, Select) and can_merge(filters, inner, query):
            frame.below, below = source, inner.parts
        keys = tuple(sorted(self.expressions.conditions(source.join.on.node)))
        self._frames.pop()
        return short(f"not(this=exists(rows({digest(merge_parts(below, {'filter': keys}))})))")

    @abstractmethod
    def _source(self, source: QuerySource) -> tuple[str, QueryFingerprint | None]:
        """Return the rows key of *source*, and the keys of its query."""


def _is_filter(node: Sql) -> bool:
    """Return whether NULL means the same as false for *node*: alone, or with others, it filters rows."""
    below, around = node, node.parent
    while isinstance(around, (exp.Paren, exp.And, exp.Or)):
        below, around = around, around.parent
    return isinstance(around, FILTERS) or (isinstance(around, exp.Join) and around.args.get("on") is below)
