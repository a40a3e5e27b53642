"""Proofs from facts: expressions that are never NULL, unique columns, and joins that keep every row once.

A left join on a unique key of its table finds at most one row, so it neither adds nor removes rows. Its
columns are functions of the row that it joins: a *lookup*. So are those of an inner join if each row finds
one. A lookup has no part in the rows key of its query, and a column of it is identified by the rows of its
table and the conditions of the join.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from sqlglot import exp

from recce_meta.models.change import DataFact
from recce_meta.sql_diff.clauses import ClauseKeys
from recce_meta.sql_diff.expressions import ANYWHERE, conjuncts, is_stable
from recce_meta.sql_diff.facts import Facts, Proof, compares_exactly, is_same_type
from recce_meta.sql_diff.functions import has_subtotals, row_makers
from recce_meta.sql_diff.references import References, path_of
from recce_meta.sql_diff.stages import INNER, brackets_of, computed_outputs
from recce_meta.sql_diff.types import MOST_STEPS, data_type
from recce_meta.sql_lineage.expressions import NODE
from recce_meta.sql_lineage.query import (
    Function,
    Join,
    Output,
    Query,
    QuerySource,
    Select,
    SetOperation,
    SourceColumn,
    Table,
)
from recce_meta.warehouses.types import Sql

NOTHING: Proof = frozenset()
"""Proof of what holds for all rows."""
ADDS_ROWS = frozenset({"functions", "query", "recursion"})
"""Parts of a query with which a row of its source may become several."""
KEEPS_ROWS = INNER | {"LEFT"}
"""Joins with which a lookup stays a function of the joined row."""


class Proofs(References):
    """Builder of keys that may use facts about the relations; without *facts*, nothing is proven."""

    def __init__(self, dialect: str, sql: str, folded: Mapping[int, str], facts: Facts | None) -> None:
        super().__init__(dialect, sql, folded)
        self._facts = facts
        self.expressions.nullness = None if facts is None else self
        self._never_null: dict[int, Proof] = {}
        """Proofs of the outputs that are never NULL."""
        self._clauses = ClauseKeys(self, dialect)

    # Expressions

    def is_never_null(self, node: Sql) -> bool:
        """Return whether *node* is never NULL where it stands."""
        return self._use(self._proof_of(node))

    def is_first(self, coalesce: Sql) -> bool:
        """Return whether *coalesce* has the value and the type of its first argument."""
        kind = self._type(coalesce.this)
        same = kind is not None and is_same_type(kind, coalesce.expressions, self._dialect)
        return same and self.is_never_null(coalesce.this)

    def _use(self, proof: Proof | None) -> bool:
        if proof is None or self._facts is None:
            return False
        self._facts.used |= proof
        return True

    def output(self, output: Output) -> str:
        key = super().output(output)
        if self._facts is not None and id(output) not in self._never_null:
            proof = self._proof_of_output(output)
            if proof is not None:
                self._never_null[id(output)] = proof
        return key

    def _proof_of_output(self, output: Output) -> Proof | None:
        query = self._frames[-1].query
        if not any(one is output for one in query.outputs):
            return None
        if isinstance(query, SetOperation):
            if query.kind != "union" or len(output.branches) != len(query.operands):
                return None
            return all_of([self._never_null.get(id(branch)) for branch in output.branches])
        if not isinstance(query, Select) or not self._frames[-1].is_joined or output.star is not None:
            return None
        if output.node is not None:
            return self._proof_of(output.node)
        plain = output.reads.plain
        return self._proof_of_column(plain) if isinstance(plain, SourceColumn) else None

    def _proof_of(self, node: Sql) -> Proof | None:
        """Return the proof that *node*, in the query in progress, is never NULL."""
        while isinstance(node, exp.Paren):
            node = node.this
        if isinstance(node, (exp.Literal, exp.Boolean)):
            return NOTHING if node.this != "" else None  # Oracle: '' is NULL
        if isinstance(node, exp.Coalesce):
            proofs = (self._proof_of(one) for one in (node.this, *node.expressions) if isinstance(one, NODE))
            return next((proof for proof in proofs if proof is not None), None)
        column = self._plain_column(node)
        return self._proof_of_column(column, node) if column is not None else None

    def _plain_column(self, node: Sql | None) -> SourceColumn | None:
        """Return the column that *node* is, of a source of the query in progress."""
        while isinstance(node, exp.Paren):
            node = node.this
        if not isinstance(node, exp.Column) or node.args.get("join_mark") or self.expressions.folded(node):
            return None
        query = self._frames[-1].query
        if not isinstance(query, Select):
            return None
        found = query.references.get(id(node))
        if not isinstance(found, SourceColumn) or found.confidence < 1 or path_of(node, found):
            return None
        return found if any(found.source is one for one in query.sources) else None

    def _proof_of_column(self, column: SourceColumn, node: Sql | None = None) -> Proof | None:
        frame, source = self._frames[-1], column.source
        # The joins that may fill this source with NULLs are known once all of FROM is read.
        if frame.pads(source) or (self._reading and not frame.is_joined):
            return None
        if not isinstance(frame.query, Select) or not self._is_per_row(frame.query, node):
            return None
        if isinstance(source.relation, Table):
            is_all = self._facts is not None and not self._extras(source.node)
            return self._facts.not_null(source.relation, column.name) if self._facts and is_all else None
        return self._never_null.get(id(column.output)) if column.output is not None else None

    def _is_per_row(self, query: Select, node: Sql | None) -> bool:
        """Return whether the columns of *node* in *query* have the values of a row, as FROM yields it.

        Without rows, a group of all rows has no values, and ROLLUP adds groups without them.
        """
        group = query.node.args.get("group")
        is_rolled = isinstance(group, NODE) and has_subtotals(group)
        if not is_rolled and not self._clauses.implied_group(query):
            return True
        clauses = (exp.Where, exp.Join, exp.Select, *(() if is_rolled else (exp.AggFunc,)))
        around = node.find_ancestor(*clauses) if node is not None else None
        return around is not None and not isinstance(around, exp.Select)

    # Types

    def _type(self, node: Sql) -> Sql | None:
        """Return the type that *node* certainly has, if it is a column, a cast or a literal."""
        while isinstance(node, exp.Paren):
            node = node.this
        if node.__class__ is exp.Cast:
            return node.to
        if isinstance(node, exp.Literal) and (node.is_string or node.is_int):
            return exp.DataType.build("text" if node.is_string else "bigint")
        column = self._plain_column(node)
        return type_of_column(column, self._facts, self._dialect) if column is not None else None

    # Lookups

    def _find_lookups(self, query: Select) -> None:
        """Find the sources of *query* that do not decide over its rows."""
        for source in query.sources[1:] if self._may_look_up(query) else ():
            proof = self._proof_of_lookup(source, query)
            if proof is not None and self._use(proof):
                self.columns.lookups[id(source)] = proof

    def _may_look_up(self, query: Select) -> bool:
        """Return whether a source of *query* can be a function of the rows of the others."""
        if self._facts is None or not may_have_lookups(query):
            return False
        inner = (source.relation for source in query.sources if not isinstance(source.relation, Table))
        return all(self.query(one).outermost == ANYWHERE for one in inner)

    def _base_sources(self, query: Select) -> list[QuerySource]:
        """Return the sources of *query* that decide over its rows: all that are not lookups."""
        return [source for source in query.sources if id(source) not in self.columns.lookups]

    def _removes_rows(self, query: Select) -> bool:
        """Return whether DISTINCT may remove rows of *query*."""
        if not query.distinct or self._facts is None:
            return query.distinct
        is_grouped = query.group or query.group_all or self._clauses.implied_group(query)
        nodes = computed_outputs(query)
        if is_grouped or any(output.star is not None for output in query.outputs):
            return True
        if any(row_makers(node, self._dialect) for node in nodes):
            return True
        return not self._use(self._unique_outputs(query, query.outputs, with_nulls=True))

    def _proof_of_lookup(self, source: QuerySource, query: Select) -> Proof | None:
        """Return the proof that *source* is joined by a unique key, so that each row is joined with one."""
        join = source.join
        if join is None or join.kind not in ("LEFT", "INNER") or (join.on is None) is not bool(join.using):
            return None
        if join.on is None:
            return self._proof_of_using(source, join) if join.kind == "LEFT" else None
        node = join.on.node
        if not isinstance(join.node, exp.Join) or source.columns or not is_stable(node):
            return None
        if (
            self._extras(source.node)
            or self._clauses.join_extras(join)
            or any(self.expressions.folded(one) for one in node.walk())
        ):
            return None
        if not isinstance(source.relation, Table) and self.query(source.relation).unstable:
            return None
        before = query.sources[: next(n for n, one in enumerate(query.sources) if one is source)]
        read = [query.references.get(id(one)) for one in node.find_all(exp.Column)]
        allowed = {id(one) for one in (*before, source)}
        if not all(isinstance(one, SourceColumn) and id(one.source) in allowed for one in read):
            return None
        matched = list(self._matched(source, node, query))
        unique = self._unique(source.relation, matched) if matched else None
        if join.kind == "LEFT" or unique is None:
            return unique
        return all_of([unique, self._proof_of_match(source, node)])

    def _proof_of_using(self, source: QuerySource, join: Join) -> Proof | None:
        """Return the proof that *source* is joined by the columns of USING, which are a unique key."""
        if not isinstance(join.node, exp.Join) or source.columns:
            return None
        if self._extras(source.node) or self._clauses.join_extras(join):
            return None
        if not isinstance(source.relation, Table) and self.query(source.relation).unstable:
            return None
        columns = []
        for merged in join.using:
            if len(merged.columns) != 2 or merged.columns[1].source is not source:
                return None
            kinds = [type_of_column(column, self._facts, self._dialect) for column in merged.columns]
            if any(one.confidence < 1 for one in merged.columns) or kinds[0] is None or kinds[1] is None:
                return None
            # The value has the type that both columns have.
            if kinds[0] != kinds[1] or not compares_exactly(kinds[0], kinds[1], self._dialect):
                return None
            columns.append(merged.columns[1])
        return self._unique(source.relation, columns)

    def _proof_of_match(self, source: QuerySource, on: Sql) -> Proof | None:
        """Return the proof that *on*, an equality of two columns, finds a row of *source* for each row."""
        terms = [term for term in conjuncts(on) if not self.expressions.is_true(term)]
        if len(terms) != 1 or not isinstance(terms[0], exp.EQ) or self._facts is None:
            return None
        key, column = self._plain_column(terms[0].this), self._plain_column(terms[0].expression)
        if key is None or column is None:
            return None
        if key.source is not source:
            key, column = column, key
        # Below an outer join, the column may be NULL.
        if column.source.join is not None and column.source.join.kind not in INNER:
            return None
        begin, end = self._in_table(column), self._in_table(key, is_complete=True)
        if begin is None or end is None:
            return None
        tables = begin.source.relation, end.source.relation
        if not isinstance(tables[0], Table) or not isinstance(tables[1], Table):
            return None
        reference = self._facts.reference(tables[0], begin.name, tables[1], end.name)
        if isinstance(column.source.relation, Table):
            return all_of([reference, self._facts.not_null(tables[0], begin.name)])
        return all_of([reference, self._never_null.get(id(column.output))])

    def _in_table(self, column: SourceColumn, *, is_complete: bool = False) -> SourceColumn | None:
        """Return the column of a table that has all values of *column*, and only them if *is_complete*."""
        for _ in range(MOST_STEPS):
            relation = column.source.relation
            if self._extras(column.source.node):
                return None
            if isinstance(relation, Table):
                return column
            if is_complete and id(relation) not in self.columns.throughs:
                return None
            below = _plain(column.output) if column.output is not None else None
            if below is None or not isinstance(relation, Select):
                return None
            if is_complete and id(below.source) in self.columns.lookups:
                return None
            column = below
        return None

    def _matched(self, source: QuerySource, on: Sql, query: Select) -> Iterator[SourceColumn]:
        """Yield the columns of *source* that *on* compares with a value that does not depend on it."""
        for term in conjuncts(on):
            for one, other in (
                ((term.this, term.expression), (term.expression, term.this))
                if isinstance(term, exp.EQ)
                else ()
            ):
                column = self._plain_column(one)
                others = (query.references.get(id(each)) for each in other.find_all(exp.Column))
                if column is None or column.source is not source:
                    continue
                if any(isinstance(each, SourceColumn) and each.source is source for each in others):
                    continue
                kind, compared = type_of_column(column, self._facts, self._dialect), self._type(other)
                if kind and compared and compares_exactly(kind, compared, self._dialect):
                    yield column

    # Keys

    def _unique(
        self, relation: Table | Query, columns: Collection[SourceColumn], *, with_nulls: bool = False
    ) -> Proof | None:
        """Return the proof that no two rows of *relation* agree in *columns*.

        Rows with a NULL in one of them do not count, unless *with_nulls* is set.
        """
        if isinstance(relation, Table):
            if self._facts is None:
                return None
            names = {column.name for column in columns}
            return self._facts.key(relation, names) if with_nulls else self._facts.unique(relation, names)
        outputs = {id(column.output): column.output for column in columns if column.output is not None}
        is_whole = len(outputs) == len(relation.outputs) and not any(one.star for one in relation.outputs)
        if isinstance(relation, (Select, SetOperation)) and relation.distinct and is_whole:
            return NOTHING
        parts = self.query(relation).parts
        if not isinstance(relation, Select) or any(parts.get(name) for name in ADDS_ROWS):
            return None
        return self._unique_outputs(relation, outputs.values(), with_nulls=with_nulls)

    def _unique_outputs(
        self, query: Select, outputs: Collection[Output], *, with_nulls: bool = False
    ) -> Proof | None:
        """Return the proof that no two rows of *query*, before its DISTINCT, agree in *outputs*."""
        if id(query) in self._clauses.groups:
            groups = self._clauses.groups[id(query)]
            given = {self.columns.values.get(id(output)) for output in outputs}
            return NOTHING if groups is not None and groups <= given else None
        base = self._base_sources(query)
        if len(base) != 1 or base[0].lateral or self._extras(base[0].node):
            return None
        columns = [column for output in outputs if (column := _plain(output)) is not None]
        own = [column for column in columns if column.source is base[0]]
        proof = self._unique(base[0].relation, own, with_nulls=with_nulls) if own else None
        lookups = (self.columns.lookups[id(one)] for one in query.sources if id(one) in self.columns.lookups)
        return all_of([proof, *lookups])


def may_have_lookups(query: Select) -> bool:
    """Return whether the joins and outputs of *query* allow that a source does not decide over its rows."""
    if len(query.sources) < 2 or any(brackets_of(source, {}) for source in query.sources):
        return False
    if not all(source.join is None or source.join.kind in KEEPS_ROWS for source in query.sources):
        return False
    # `*` leaves out columns of the other items that are named like those of USING.
    is_starred = any(output.from_star or output.star is not None for output in query.outputs)
    merges = any(source.join is not None and source.join.using for source in query.sources)
    if merges and is_starred and len(query.sources) > 2:
        return False
    # An item that depends on an earlier one would decide over the rows with the columns of a lookup.
    return not any(source.lateral or isinstance(source.relation, Function) for source in query.sources)


def type_of_column(column: SourceColumn, facts: Facts | None, dialect: str) -> Sql | None:
    """Return the type that *column* certainly has: of a cast below it, or of a table with known types."""
    for _ in range(MOST_STEPS):
        relation, output = column.source.relation, column.output
        if isinstance(relation, Table):
            kind = relation.types.get(column.name) if facts is not None and facts.is_typed(relation) else None
            return data_type(kind, dialect) if isinstance(kind, str) and kind else None
        if output is None or output.star is not None:
            return None
        if output.node is not None and output.node.__class__ is exp.Cast:
            return output.node.to
        below = _plain(output)
        if below is None:
            return None
        column = below
    return None


def _plain(output: Output) -> SourceColumn | None:
    """Return the column that *output* passes on unchanged."""
    plain = output.reads.plain
    if not isinstance(plain, SourceColumn) or plain.confidence < 1 or output.star is not None:
        return None
    node = output.node
    while isinstance(node, exp.Paren):
        node = node.this
    if node is None:
        return plain
    return plain if isinstance(node, exp.Column) and not path_of(node, plain) else None


def all_of(proofs: Iterable[Proof | None]) -> Proof | None:
    """Return what proves all of *proofs* together; None if one of them is missing."""
    found: set[DataFact] = set()
    for proof in proofs:
        if proof is None:
            return None
        found |= proof
    return frozenset(found)
