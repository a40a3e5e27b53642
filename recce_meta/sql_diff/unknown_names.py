"""Columns and fields that a query names and that the relations it reads certainly do not have."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import chain
from typing import TypeAlias

from sqlglot import exp

from recce_meta.sql_diff.positions import Fault, queries_in, reads_star
from recce_meta.sql_lineage.expressions import arg
from recce_meta.sql_lineage.facts import (
    ALIASES_ARE_LAST,
    DATE_PARTS,
    FIXED_FIELDS,
    NOT_COLUMNS,
    ROWS_AS_VALUES,
    UNLISTED,
)
from recce_meta.sql_lineage.project.names import PARENT_NAME
from recce_meta.sql_lineage.query import (
    Alias,
    Member,
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
    WholeRow,
)
from recce_meta.sql_lineage.scope import outputs_by_name
from recce_meta.sql_lineage.structs import of_reference, output_named
from recce_meta.warehouses.types import Sql

QueryOf: TypeAlias = Callable[[str], Query | None]
"""Returns the query with exactly the columns of a relation; None if that is not certain."""

_TAKING_VALUES = (exp.AggFunc, exp.Case, exp.Cast, exp.Coalesce, exp.Connector, exp.If)
"""Functions without units or options, which sqlglot may parse as columns."""
_FORGIVING = frozenset({"clickhouse", "sqlite"})
"""Dialects that may read an unknown name as text, or as an alias of another part of the query."""


def missing_names(query: Query, query_of: QueryOf, dialect: str) -> set[Fault]:
    """Return a fault for each name in *query* that nothing has; none if that is not certain."""
    selects = [one for one in queries_in(query) if isinstance(one, Select)]
    given = () if dialect in _FORGIVING else selects
    columns = chain.from_iterable(_missing_columns(one, query_of, dialect) for one in given)
    found = {Fault(f"it names the column {name}, which nothing that it reads has") for name in columns}
    if dialect in FIXED_FIELDS:
        fields = chain.from_iterable(_missing_fields(one, query_of) for one in selects)
        found |= {Fault(f"it names the field {name}, which the struct does not have") for name in fields}
    return found if found and all(map(query_of, _tables_in(query))) else set()


def names_by_table(query: Query) -> dict[str, set[str]]:
    """Return the names that *query* reads from each table, also through a star: it may lack them."""
    found = defaultdict[str, set[str]](set)
    for select in [one for one in queries_in(query) if isinstance(one, Select)]:
        for node in _named(select):
            source = _source_of_unknown(select.references[id(node)])
            relation = source.relation if source is not None else None
            if isinstance(relation, Table):
                found[relation.name].add(node.name)
            elif relation is not None:
                starred = [one for one in _tables_in(relation) if reads_star(relation, one)]
                # One of several may have a known column of this name.
                for table in starred if len(starred) == 1 else ():
                    found[table].add(node.name)
    return found


def _source_of_unknown(reference: Reference) -> QuerySource | None:
    """Return the only source that a name may be an unknown column of; None if it is a known one."""
    if isinstance(reference, SourceColumn):
        is_known = reference.output is not None and reference.output.star is None
        return None if is_known else reference.source
    if isinstance(reference, Unresolved) and len(reference.sources) == 1:
        return reference.sources[0]
    return None


def has_fixed_columns(query: Query, query_of: QueryOf) -> bool:
    """Return True if *query* certainly yields its columns, and no others, with what its relations have."""
    if not query.outputs or any(output.star is not None for output in query.outputs):
        return False
    rows = {
        source.relation.name
        for one in queries_in(query)
        if isinstance(one, Select)
        for reference in one.references.values()
        if isinstance(reference, WholeRow)
        for source in (reference.source,)
        if isinstance(source.relation, Table)
    }
    return all(query_of(name) for name in _tables_in(query) if name in rows or reads_star(query, name))


def names_rows(query: Query, name: str, dialect: str) -> bool:
    """Return True if *name* stands for whole rows of a relation in *query*: `select city from city`."""
    selects = [one for one in queries_in(query) if isinstance(one, Select)]
    return dialect in ROWS_AS_VALUES and any(
        isinstance(one.references[id(node)], WholeRow) and node.name.lower() == name.lower()
        for one in selects
        for node in _named(one)
    )


def _tables_in(query: Query) -> set[str]:
    nested = list(queries_in(query))
    sources = [source for one in nested if isinstance(one, Select) for source in one.sources]
    sources += [one.source for one in nested if isinstance(one, Pivot)]
    return {one.relation.name for one in sources if isinstance(one.relation, Table)}


def _missing_columns(select: Select, query_of: QueryOf, dialect: str) -> Iterator[str]:
    if not all(isinstance(source.relation, (Table, Select, SetOperation)) for source in select.sources):
        return
    for node in _named(select):
        reference, is_bare = select.references[id(node)], arg(node, "table") is None
        if isinstance(reference, SourceColumn) and isinstance(reference.source.relation, Table):
            known, sources = reference.source.relation, [reference.source]
            is_missing = known.columns is not None and reference.name not in known.index.values()
            is_missing = is_missing and not reference.source.columns
        elif isinstance(reference, Unresolved):
            sources = [*reference.sources]
            is_missing = bool(sources)
        elif isinstance(reference, Alias) and dialect in ALIASES_ARE_LAST:
            sources = [*select.sources]
            is_missing = is_bare and _is_before_aliases(node, select.node, dialect)
        else:
            continue
        if not is_missing or _is_word(node) or (is_bare and _may_be_an_option(node)):
            continue
        # A catalog may be older than the query of its relation.
        queries = (query_of(one.relation.name) for one in sources if isinstance(one.relation, Table))
        if not any(one is not None and node.name.lower() in outputs_by_name(one) for one in queries):
            yield node.name


def _is_before_aliases(node: Sql, select: Sql, dialect: str) -> bool:
    """Return whether *node* is where no output of *select* has a name yet: in the select list, or in WHERE.

    In PostgreSQL, HAVING and an expression of ORDER BY are, too; there, a name alone is not.
    """
    while isinstance(node.parent, exp.Paren):
        node = node.parent
    is_alone = isinstance(node.parent, exp.Ordered)
    while node.parent is not None and node.parent is not select:
        node = node.parent
    is_after = dialect == "postgres" and (
        node.arg_key == "having" or (node.arg_key == "order" and not is_alone)
    )
    return is_after or node.arg_key in ("expressions", "where")


def _is_word(node: exp.Column) -> bool:
    """Return whether *node* may be a function, a unit, a hidden column, or a relation's name for its rows."""
    if node.name.upper() in NOT_COLUMNS | DATE_PARTS or PARENT_NAME.fullmatch(node.name):
        return True
    return any(UNLISTED.fullmatch(part.name) for part in node.parts)


def _named(select: Select) -> Iterator[exp.Column]:
    return (node for node in select.node.find_all(exp.Column) if id(node) in select.references)


def _may_be_an_option(node: Sql) -> bool:
    call = node.parent
    if not isinstance(call, exp.Func) or isinstance(call, _TAKING_VALUES):
        return False
    return len(list(call.iter_expressions())) > 1


def _missing_fields(select: Select, query_of: QueryOf) -> Iterator[str]:
    for node in _named(select):
        whole: Reference = select.references[id(node)]
        for name in (*_path_inside(node, whole), *_path_around(node)):
            fields = _fields(whole, query_of)
            found = output_named(fields, name)
            if found is None:
                yield from [name] if fields else []
                break
            whole = Alias(found)


def _path_inside(node: exp.Column, whole: Reference) -> list[str]:
    """Return the names after that of the column in `t.address.city`."""
    parts = [part.name for part in node.parts]
    if not isinstance(whole, SourceColumn):
        return parts[1:] if isinstance(whole, Alias) else []
    source = whole.source
    table = source.relation.name.rpartition(".")[2] if isinstance(source.relation, Table) else ""
    names = {source.alias.lower(), table.lower()}
    for place, part in enumerate(parts[:-1]):
        if part.lower() == whole.name.lower() and (place == 0 or parts[place - 1].lower() in names):
            return parts[place + 1 :]
    return []


def _path_around(node: Sql) -> Iterator[str]:
    """Yield the names of the fields that the expressions around *node* take from it."""
    while (parent := node.parent) is not None and parent.this is node:
        if isinstance(parent, (exp.Dot, exp.StructExtract)):
            field = parent.expression
        elif isinstance(parent, exp.Bracket) and len(parent.expressions) == 1:
            field = parent.expressions[0]
        elif isinstance(parent, exp.Paren):
            node = parent
            continue
        else:
            return
        if not (isinstance(field, exp.Identifier) or (isinstance(field, exp.Literal) and field.is_string)):
            return
        yield field.name
        node = parent


def _fields(whole: Reference | None, query_of: QueryOf) -> tuple[Output, ...]:
    """Return the fields of a struct that a query builds, also in the query of a table; empty if unknown."""
    seen = set[int]()
    while whole is not None and not (found := of_reference(whole)):
        if not isinstance(whole, (SourceColumn, Alias, Member)) or id(whole) in seen:
            return ()
        seen.add(id(whole))
        output = whole.output
        if output is None and isinstance(whole, SourceColumn) and isinstance(whole.source.relation, Table):
            query = query_of(whole.source.relation.name)
            output = outputs_by_name(query).get(whole.name.lower()) if query is not None else None
            if output is None:
                return ()
            whole = Alias(output)
        elif output is None or len(output.branches) > 1:
            return ()
        else:
            whole = Alias(output.branches[0]) if output.branches else output.reads.plain
    return found if whole is not None else ()
