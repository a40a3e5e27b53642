"""Table columns that a query names: it fails if one of them is removed or renamed.

A name counts in every clause, even if no value or row depends on it: in an unused CTE, in `ORDER BY` without
a limit, in the select list of `EXISTS`. A `*` names no column. A column requested from a starred relation by
name, by position or by `EXCEPT` has to come through the star.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from recce_meta.models.lineage import ColumnSource
from recce_meta.sql_lineage.query import (
    STAR,
    Alias,
    Member,
    Merged,
    Output,
    Pivot,
    Query,
    QuerySource,
    Reference,
    Select,
    SetOperation,
    SourceColumn,
    Table,
    Unresolved,
)

BaseColumn = tuple[str, str]
"""Relation and column."""
SURE, LIKELY, GUESS = 1.0, 0.9, 0.5


class ColumnReferences:
    """Column references of one statement, collected while its names are resolved."""

    def __init__(self) -> None:
        self.references: list[Reference] = []
        """Every column reference, in any clause."""
        self._outputs: list[Output] = []
        self._empty: list[QuerySource] = []
        self._too_few: list[Output] = []
        self._set_operations: list[SetOperation] = []

    def by_position(self, outputs: Iterable[Output]) -> None:
        """Record that the positions of *outputs* matter, for `GROUP BY 2` or a list of names."""
        # Only columns of a star can vanish. An output with an expression stays at its position.
        self._outputs += (output for output in outputs if output.node is None)

    def set_operation(self, query: SetOperation) -> None:
        """Record that the operands of *query* must keep the same number of columns, or that names match."""
        self._set_operations.append(query)

    def too_few(self, outputs: Iterable[Output]) -> None:
        """Record that the query needs more columns than *outputs*, or others at their positions."""
        self._too_few += outputs

    def any_of(self, columns: Sequence[Reference | None], sources: Iterable[QuerySource]) -> None:
        """Record that the query fails without any of *columns*, which a pattern selects from *sources*."""
        if not columns:
            self._empty += sources
        elif len(columns) == 1 and isinstance(only := columns[0], SourceColumn):
            # A new name may match as well.
            self.references.append(SourceColumn(only.source, only.name, only.output, GUESS))

    def column_list(self, source: QuerySource) -> None:
        """Record that *source* renames its columns by position: `AS t (a, b)`."""
        relation = source.relation
        if not source.columns:
            return
        if isinstance(relation, Table):
            names = relation.columns or (STAR,)
            self.references += (SourceColumn(source, name, None, GUESS) for name in names)
            if relation.columns is not None and len(names) < len(source.columns):
                self._empty.append(source)
        else:
            self.by_position(relation.outputs)
            if len(relation.outputs) < len(source.columns):
                self.too_few(relation.outputs)

    def columns(self) -> tuple[ColumnSource, ...]:
        """Return the referenced table columns, sorted."""
        # Not followed earlier, because the outputs of a recursive CTE get their branches last.
        by_name = (query for query in self._set_operations if query.by_name)
        found = _ReferencedColumns(
            output for query in by_name for output in (*query.outputs, *query.implied.values())
        )
        for reference in self.references:
            found.add(reference)
        for output in self._outputs:
            found.output(output, GUESS)  # a renamed column keeps its position
        for query in self._set_operations:
            if not query.by_name:
                found.uneven(query)
        found.lost(self._empty, self._too_few)
        return found.columns()


class _ReferencedColumns:
    """Table columns found by following names through stars."""

    def __init__(self, by_name: Iterable[Output]) -> None:
        self._by_name = frozenset(by_name)
        """Outputs of set operations that match names: one branch is enough."""
        self._columns: dict[BaseColumn, float] = {}
        self._seen: dict[Output, float] = {}
        self._bases: dict[Output, frozenset[BaseColumn]] = {}
        self._tables: dict[int, frozenset[str]] = {}

    def columns(self) -> tuple[ColumnSource, ...]:
        """Return the columns found, sorted."""
        return tuple(ColumnSource(*base, sure) for base, sure in sorted(self._columns.items()))

    def add(self, reference: Reference) -> None:
        """Add the table column that *reference* names, if any."""
        if isinstance(reference, SourceColumn):
            self._through(reference)
        elif isinstance(reference, Merged):
            for column in reference.columns:
                self._through(column)
        elif isinstance(reference, (Alias, Member)):
            self.output(reference.output)
            if isinstance(reference, Member) and reference.whole is not None:
                self.add(reference.whole)
        elif isinstance(reference, Unresolved):
            for source in reference.sources:
                for table in self._tables_behind(source.relation):
                    self._note((table, reference.column), GUESS)

    def output(self, output: Output, sure: float = 1.0) -> None:
        """Add the table columns that reach *output* through stars. An expression adds its own names."""
        if not output.from_star and not output.branches:
            return
        stack = [(output, sure)]
        while stack:
            each, confidence = stack.pop()
            # A surer path to the same output may come later, and is then followed again.
            if self._seen.get(each, 0.0) >= confidence:
                continue
            self._seen[each] = confidence
            if each.branches:
                if each in self._by_name and len(each.branches) > 1:
                    confidence = min(confidence, GUESS)
                    if not all(map(self._may_be_lost, each.branches)):
                        continue
                stack += [(branch, confidence) for branch in each.branches]
            for column in _starred(each):
                sure = min(confidence, column.confidence)
                if isinstance(column.source.relation, Table):
                    self._note((column.source.relation.name, column.name), sure)
                elif column.output is not None:
                    stack.append((column.output, sure))

    def uneven(self, query: SetOperation) -> None:
        """Add the columns whose removal may leave the operands of *query* with different column counts.

        Another operand may lose a column as well, and a renamed column keeps its position. If the counts
        differ already, the query fails because one of its columns was removed.
        """
        places: dict[BaseColumn, set[tuple[int, int]]] = {}
        for number, operand in enumerate(query.operands):
            for place, output in enumerate(operand.outputs):
                if output.node is None:
                    for base in self._bases_of(output):
                        places.setdefault(base, set()).add((number, place))
        operands = query.operands
        counts = {len(one.outputs) for one in operands if all(output.star is None for output in one.outputs)}
        if len(counts) > 1:
            for table, _ in places:
                self._note((table, STAR), SURE)
        for base, found in places.items():
            # If every operand yields the column at the same positions, all of them lose it and still match.
            at = {place for _, place in found}
            if len(found) < len(at) * len(operands):
                self._note(base, GUESS)

    def lost(self, sources: Iterable[QuerySource], outputs: Iterable[Output]) -> None:
        """Add any column of the tables behind *sources* and *outputs*, of which a needed one is gone."""
        tables = {table for source in sources for table in self._tables_behind(source.relation)}
        starred = [output for output in outputs if output.node is None]
        tables |= {table for output in starred for table, _ in self._bases_of(output)}
        for table in tables:
            self._note((table, STAR), SURE)

    def _may_be_lost(self, output: Output) -> bool:
        return output.node is None and bool(self._bases_of(output))

    def _bases_of(self, output: Output) -> frozenset[BaseColumn]:
        """Return the table columns that *output* equals through stars alone."""
        known = self._bases.get(output)
        if known is not None:
            return known
        found: set[BaseColumn] = set()
        seen, stack = {output}, [output]
        while stack:
            each = stack.pop()
            if each in self._bases:
                found |= self._bases[each]
                continue
            below = list(each.branches)
            for column in _starred(each):
                if isinstance(column.source.relation, Table):
                    found.add((column.source.relation.name, column.name))
                elif column.output is not None:
                    below.append(column.output)
            for source in each.star.sources if each.star is not None else ():
                if isinstance(source.relation, Table):
                    found.add((source.relation.name, STAR))
                else:
                    below += source.relation.outputs
            stack += (one for one in below if one not in seen)
            seen.update(below)
        bases = self._bases[output] = frozenset(found)
        return bases

    def _tables_behind(self, relation: Table | Query) -> frozenset[str]:
        """Return the tables with known columns that reach *relation* through stars."""
        known = self._tables.get(id(relation))
        if known is not None:
            return known
        found: set[str] = set()
        seen, stack = {id(relation)}, [relation]
        while stack:
            each = stack.pop()
            if isinstance(each, Table):
                found.add(each.name)
                continue
            below = [column.source.relation for output in each.outputs for column in _starred(output)]
            for one in (*below, *(each.operands if isinstance(each, SetOperation) else ())):
                if id(one) not in seen:
                    seen.add(id(one))
                    stack.append(one)
        tables = self._tables[id(relation)] = frozenset(found)
        return tables

    def _through(self, column: SourceColumn) -> None:
        output = column.output
        if output is not None:
            if output.from_star or output.branches:
                self.output(output, column.confidence)
            elif _is_guess_of_pivot(column):
                for table in self._tables_behind(column.source.relation):
                    self._note((table, column.name), GUESS)
        elif isinstance(column.source.relation, Table):
            self._note((column.source.relation.name, column.name), column.confidence)

    def _note(self, base: BaseColumn, sure: float) -> None:
        if self._columns.get(base, 0.0) < sure:
            self._columns[base] = sure


def _is_guess_of_pivot(column: SourceColumn) -> bool:
    """Return whether *column* is a guessed column of a PIVOT with a list of values, and may be lost."""
    is_made_up = column.output is not None and column.output.ordinal < 0
    relation = column.source.relation
    return is_made_up and isinstance(relation, (Select, Pivot)) and getattr(relation, "dynamic", None) is None


def _starred(output: Output) -> Sequence[SourceColumn]:
    """Return the columns that *output* stands for if it comes from a star."""
    return _columns_of(output.reads.plain) if output.from_star else ()


def _columns_of(reference: Reference | None) -> Sequence[SourceColumn]:
    if isinstance(reference, SourceColumn):
        return (reference,)
    return reference.columns if isinstance(reference, Merged) else ()
