"""SQL of the nodes of both sides of a diff, resolved over the columns that their parents have there.

The columns of a query's parents are made consistent between both runs. Often only one run has a catalog:
production builds its documentation, a pull request only its models. Then the known columns differ although
the actual columns do not.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property, partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from msgspec.structs import replace

from recce_meta import sql_diff, sql_lineage
from recce_meta.api.partial_run import lacks_sql
from recce_meta.api.run_reader import RunReader
from recce_meta.diff.causes import causes_of
from recce_meta.diff.code import without_limits
from recce_meta.diff.materializations import REBUILT, keeps_seed
from recce_meta.diff.project_side import ProjectSide
from recce_meta.diff.properties import documented_by_name
from recce_meta.diff.same_sql import ARGUMENTS_OF_TEST, Dependence
from recce_meta.errors import SqlNotAnalysed
from recce_meta.graph import LineageGraph
from recce_meta.lazy import LazyModule
from recce_meta.models import NodeMetadata, Status
from recce_meta.models.change import BUILD_FAILS, BUILD_MAY_FAIL, DERIVED, Category, ColumnChange, SqlChange
from recce_meta.models.lineage import Tier
from recce_meta.models.node import SEED_HEADER
from recce_meta.models.relation_tokens import INJECTED, resolve, token_ids
from recce_meta.models.run import DBT, PART, dbt_options
from recce_meta.sql_lineage.names import Schemas
from recce_meta.sql_lineage.project.columns import SECONDS
from recce_meta.sql_lineage.project.names import QueryNames, RelationFinder, dialect_of, schemas_key
from recce_meta.sql_lineage.project.nodes import Spelling, argument_reads
from recce_meta.sql_lineage.project.readable import offered_columns
from recce_meta.warehouses import enforced_constraints, warehouse_of_adapter
from recce_meta.warehouses.builds import created_columns
from recce_meta.warehouses.hooks import hooks_and_macros, may_define_columns

if TYPE_CHECKING:
    from recce_meta.api import binding
    from recce_meta.diff.every_target import WorldSql
    from recce_meta.sql_lineage.query import Query
else:
    # Without an edited query, nothing is bound.
    binding = LazyModule("recce_meta.api.binding")


Types = Mapping[str, str]
"""Types of a node's columns by name, in column order."""


class ParentColumns:
    """Columns of nodes, such that equal queries over equal nodes read equal columns on both sides.

    A node that is neither in *changed* nor downstream of it has one list of columns, from a catalog if either
    side has one. Any other node has one list per side. If one list comes from a catalog and the other from
    the query, names that differ only in case are spelt as in the catalog.
    """

    def __init__(
        self, runs: tuple[RunReader, RunReader], graph: LineageGraph, changed: Iterable[str]
    ) -> None:
        self._runs = runs
        self._differs = graph.downstream(changed)
        self._found: dict[str, tuple[Types | None, Types | None]] = {}

    def of(self, index: int, ids: Collection[str]) -> dict[str, Types]:
        """Return the known columns of *ids* on one side (0: base, 1: current)."""
        new = [unique_id for unique_id in dict.fromkeys(ids) if unique_id not in self._found]
        if new:
            self._look_up(new)
        return {unique_id: types for unique_id in ids if (types := self._found[unique_id][index]) is not None}

    def may_differ(self, unique_id: str) -> bool:
        """Return True if a node is changed, downstream of a change, or not in both runs."""
        return unique_id in self._differs or any(unique_id not in run.names for run in self._runs)

    def _look_up(self, ids: Collection[str]) -> None:
        base, current = ({key: nodes[key] for key in ids if key in nodes} for nodes in self._nodes(ids))
        untold = [
            unique_id
            for unique_id in ids
            if unique_id in self._differs
            or not (_has_catalog(base.get(unique_id)) or _has_catalog(current.get(unique_id)))
        ]
        inferred = tuple(
            run.output_names(asked)
            # The note on a run without column lineage belongs to effects, not to a search for names.
            if run.has_columns and (asked := [key for key in untold if not _has_catalog(nodes.get(key))])
            else {}
            for run, nodes in zip(self._runs, (base, current), strict=True)
        )
        for unique_id in ids:
            both = (base.get(unique_id), current.get(unique_id))
            names = tuple(found.get(unique_id, ()) for found in inferred)
            types = tuple(
                None if node is None else _types(node, own) for node, own in zip(both, names, strict=True)
            )
            self._found[unique_id] = (
                _spelt_alike(both, (types[0], types[1]))
                if unique_id in self._differs
                else _one(both, (types[0], types[1]))
            )

    def _nodes(self, ids: Collection[str]) -> Iterable[Mapping[str, NodeMetadata]]:
        """Yield the nodes of each side, reading those of *ids* that are not loaded yet."""
        for run in self._runs:
            # Without ids, this returns the nodes that are loaded already.
            nodes = run.with_parents([])
            missing = [unique_id for unique_id in ids if unique_id not in nodes]
            yield run.with_parents(missing) if missing else nodes


def _types(node: NodeMetadata, inferred: tuple[str, ...]) -> Types | None:
    columns = offered_columns(node, inferred)
    return None if columns.names is None else columns.types


def _has_catalog(node: NodeMetadata | None) -> bool:
    return node is not None and node.columns_from == "catalog"


def _one(
    nodes: tuple[NodeMetadata | None, NodeMetadata | None], types: tuple[Types | None, Types | None]
) -> tuple[Types | None, Types | None]:
    """Return one list of columns for a node that is equal on both sides: a catalog's, else either side's."""
    catalogued = [found for node, found in zip(nodes, types, strict=True) if _has_catalog(node)]
    # A catalog is surer than inferred names; of two lists, current's is newer.
    known = [found for found in (*reversed(catalogued), *reversed(types)) if found is not None]
    return (known[0], known[0]) if known else (None, None)


def _spelt_alike(
    nodes: tuple[NodeMetadata | None, NodeMetadata | None], types: tuple[Types | None, Types | None]
) -> tuple[Types | None, Types | None]:
    """Return the columns of a node that differs, spelt as in the catalog if only one side has a catalog.

    Return none if the other side's columns are unknown: the catalog's columns would look like a difference.
    """
    if None in nodes or _has_catalog(nodes[0]) == _has_catalog(nodes[1]):
        return types
    base, current = types
    if base is None or current is None:
        return None, None
    catalog, other = (base, current) if _has_catalog(nodes[0]) else (current, base)
    spelling = Spelling(catalog)
    spelt = {spelling.of(name): kind for name, kind in other.items()}
    if len(spelt) != len(other):  # two columns that differ in case alone
        return types
    return (catalog, spelt) if _has_catalog(nodes[0]) else (spelt, catalog)


class ProjectQueries:
    """The queries of two runs, 0 of base and 1 of current, each resolved once."""

    def __init__(
        self,
        sides: tuple[ProjectSide, ProjectSide],
        runs: tuple[RunReader, RunReader],
        columns: ParentColumns,
        graph: LineageGraph,
        changed: Collection[str],
        keeps_columns: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """*keeps_columns* returns True for a node whose SQL certainly has the columns of base, and types."""
        self._sides, self._runs, self._columns = sides, runs, columns
        self.keeps_columns = keeps_columns
        self.adapter = sides[1].adapter or sides[0].adapter
        self.dialect = dialect_of(self.adapter) or ""
        self._graph, self._changed = graph, changed
        self._names: dict[int, RelationFinder] = {}
        self._read: dict[int, int] = {}
        self._resolved: dict[tuple[int, str], tuple[QueryNames, list[Query]]] = {}
        self._texts: dict[tuple[object, ...], list[Query]] = {}
        """Queries of the statements of texts, over the columns of their tables."""
        self._ids: dict[str, str] = {}
        """Nodes by the names of their tables in the queries resolved so far."""
        self._tables: dict[tuple[int, str], Query | None] = {}
        self._assumed: dict[tuple[int, str], bool] = {}
        """Whether the SQL of a node is assumed."""

    @cached_property
    def _binding(self) -> binding.WholeBinding:
        return binding.WholeBinding(self, self._columns.of, self._runs, self._graph, self._changed)

    def bound_faults(self) -> Mapping[str, sql_diff.Fault]:
        """Return the faults that a database finds in changed queries, and in those that read them."""
        found = self._binding.judgements.items()
        return {unique_id: each.fault for unique_id, each in found if each.fault is not None}

    @property
    def not_bound(self) -> Sequence[str]:
        """Return why no database was asked about some queries; empty if it was asked about all."""
        is_asked = "_binding" in self.__dict__ and self._binding.problem
        return [self._binding.problem] if is_asked else []

    def read_ahead(self, index: int, ids: Collection[str]) -> None:
        """Read what is known of the nodes *ids* on one side, and of their parents, in a few queries."""
        nodes = self._runs[index].with_parents(ids)
        self._read_analyses(index, ids)
        # A node of one file among several has another id on the other side.
        present = [one for one in ids if one in nodes]
        self._columns.of(index, {parent for one in present for parent in nodes[one].parents})

    def _read_analyses(self, index: int, ids: Collection[str]) -> None:
        run = self._runs[index]
        is_known = run.run.extractor == DBT and run.has_columns
        known = run.columns_of(ids) if is_known and ids else {}
        self._assumed |= {(index, one): one in known and known[one].tier is Tier.SILVER for one in ids}

    def query(self, index: int, unique_id: str) -> QueryNames:
        """Return the SQL of a node on one side, with the nodes of its relations."""
        nodes = self._runs[index].with_parents([unique_id])
        # Building the finder takes long, so it is only renewed if nodes were read.
        if len(nodes) != self._read.get(index):
            self._read[index] = len(nodes)
            self._names[index] = RelationFinder(nodes.values(), self.dialect)
        found = self._names[index].of(_with_arguments(nodes[unique_id], nodes))
        if not PART.isdisjoint(dbt_options(self._runs[index].run)):
            return replace(found, tokenised=without_limits(found.tokenised))
        return found

    def variant(self, index: int, unique_id: str, code: str) -> QueryNames:
        """Return *code*, SQL with tokens that the node may have on another target, with its relations."""
        self.query(index, unique_id)
        nodes = self._runs[index].with_parents([unique_id])
        relations = {
            one: node.relation_name or f"{INJECTED}{node.name}"
            for one in token_ids(code)
            if (node := nodes.get(one)) is not None
        }
        return self._names[index].of(replace(nodes[unique_id], compiled_code=resolve(code, relations)))

    def worlds(
        self, unique_id: str, codes: tuple[str | None, str] | None = None
    ) -> tuple[list[WorldSql], list[WorldSql]]:
        """Return the SQL of a node on both sides for each target, variable and branch; none if it has one.

        *codes* are other templates than its own, those of a hook.
        """
        every = causes_of(*self._sides).every_target
        known = [run.with_parents([unique_id]) if unique_id in run.names else {} for run in self._runs]
        nodes = [one.get(unique_id) for one in known]
        if nodes[1] is None or ARGUMENTS_OF_TEST in (nodes[1].raw_code or ""):
            return [], []
        if codes is None and every.inputs[1].dependence(nodes[1]) is Dependence.CODE:
            return [], []
        texts = codes or [node and node.raw_code for node in nodes]
        found: tuple[list[WorldSql], list[WorldSql]] = [], []
        # Base is the control of current.
        for index in (1, 0):
            node, code = nodes[index], texts[index]
            if node is not None and code is not None and (index == 1 or found[1]):
                found[index].extend(every.worlds(index, replace(node, raw_code=code)))
        return found

    def schemas(self, index: int, names: QueryNames, relations: Mapping[str, str]) -> Schemas:
        """Return the known columns of all relations that a query reads."""
        keys = called_names(names, relations, self._sides[0].heirs)
        columns = self._columns.of(index, keys)
        return {name: columns[key] for key, called in keys.items() if key in columns for name in called}

    def named_columns(self, index: int, unique_id: str) -> Mapping[str, Collection[str]]:
        """Return the columns that the SQL of a node on one side names, by the node with them."""
        found: dict[str, set[str]] = {}
        for query in self.resolved(index, unique_id)[1]:
            for table, names in sql_diff.names_by_table(query).items():
                found.setdefault(self._ids.get(table, table), set()).update(names)
        return found

    def names_rows(self, unique_id: str, name: str) -> bool:
        """Return True if *name* stands for whole rows of a relation in the SQL of a node in current."""
        queries = self.resolved(1, unique_id)[1] if unique_id in self._runs[1].names else ()
        return any(sql_diff.names_rows(query, name, self.dialect) for query in queries)

    def with_fault(self, before: NodeMetadata, after: NodeMetadata, change: SqlChange) -> SqlChange:
        """Return *change*, that of the query of a node, with why the node cannot be built, or may not be.

        Types that a database derives are reasons, too, unless catalogs of both runs have them.
        """
        if not (_has_catalog(before) and _has_catalog(after)):
            types = self._binding.retyped(after.unique_id)
            changed = (one for one in change.columns if one.status is Status.MODIFIED)
            derived = ((one.name, types[key]) for one in changed if (key := one.name.lower()) in types)
            found = [f"type of {name}: {was} → {now} {DERIVED}" for name, (was, now) in derived]
            change = replace(change, reasons=(*change.reasons, *found))
        if (fault := self.new_fault(after.unique_id)).is_certain:
            reasons = (*change.reasons, f"{BUILD_FAILS}: {fault.text}")
            return replace(change, category=Category.BREAKING, reasons=reasons)
        if fault == self.bound_faults().get(after.unique_id):
            return replace(change, reasons=(*change.reasons, f"{BUILD_MAY_FAIL}: {fault.text}"))
        judged = self._binding.judgements.get(after.unique_id)
        has_types = judged is not None and judged.has_types
        retyped = "" if has_types else ", ".join(self._retyped_columns(before, after, change.columns))
        doubt = f"{BUILD_MAY_FAIL}: its enforced contract may not allow the new type of {retyped}"
        return replace(change, reasons=(*change.reasons, doubt)) if retyped else change

    def new_fault(self, unique_id: str) -> sql_diff.Fault:
        """Return the surest fault of a query in current that it has not in base; without a text if none."""
        judged = self._binding.judgements.get(unique_id)
        bound = judged.fault if judged is not None else None
        if bound is not None and bound.is_certain:
            return bound
        # Where a database knows all names, no rule knows more.
        is_bound = judged is not None and judged.is_complete
        found = self._faults(1, unique_id, is_bound=is_bound)
        if found and unique_id in self._runs[0].names:
            has_base = self.resolved(0, unique_id)[1]
            before = self._faults(0, unique_id, is_bound=is_bound)
            found = found - before if has_base else {one._replace(is_certain=False) for one in found}
        surest = max(found, key=lambda one: (one.is_certain, one.text), default=sql_diff.Fault("", False))
        return surest if surest.is_certain or bound is None else bound

    def _retyped_columns(
        self, before: NodeMetadata, after: NodeMetadata, columns: Iterable[ColumnChange]
    ) -> list[str]:
        """Return those of *columns*, the changed ones, that may leave the types of the enforced contract."""
        if not (before.contract and after.contract):
            return []
        listed = documented_by_name(after)
        queries = [self.resolved(at, node.unique_id)[1] for at, node in enumerate((before, after))]
        given = [{one.name.lower(): one for query in each[-1:] for one in query.outputs} for each in queries]
        return [
            one.name
            for one in columns
            if one.status is Status.MODIFIED and (name := one.name.lower()) in listed
            if (declared := listed[name].documented_type) and all(name in each for each in given)
            if sql_diff.may_leave_type(given[0][name], given[1][name], declared, self.dialect)
        ]

    def _faults(self, index: int, unique_id: str, *, is_bound: bool) -> set[sql_diff.Fault]:
        """Return why the warehouse refuses the SQL of a node on one side, except for what a binder judged."""
        adapter = self._sides[1].adapter
        warehouse = warehouse_of_adapter(adapter)
        is_built = unique_id.startswith(("model.", "snapshot."))
        are_unique = is_built and warehouse is not None and not warehouse.renames_repeated_columns
        found: set[sql_diff.Fault] = set()
        node = self._runs[index].with_parents([unique_id])[unique_id]
        query_of = partial(self._query_of_table, index)
        for query in self.resolved(index, unique_id)[1]:
            if not is_bound:
                found |= sql_diff.faults(query, names_are_unique=are_unique)
            if self.is_whole(index, node):
                if not is_bound:
                    found |= sql_diff.missing_names(query, query_of, self.dialect)
                created = created_columns(node, adapter, enforced_constraints(adapter) or ())
                if (node.contract or created) and sql_diff.has_fixed_columns(query, query_of):
                    found.update(_contract_faults(node, query, self.dialect) if node.contract else ())
                    found.update(_absent_columns(created, query))
        return found

    def _query_of_table(self, index: int, name: str) -> Query | None:
        """Return the query with exactly the columns of the table *name*; None if that is not certain."""
        if (unique_id := self._ids.get(name)) is None:
            return None
        key = (index, unique_id)
        if key not in self._tables:
            self._tables[key] = None  # a query may name its own relation
            run = self._runs[index]
            node = run.with_parents([unique_id]).get(unique_id)
            if node is not None and node.properties.get(SEED_HEADER):
                self._tables[key] = self.query_of_seed(index, node)
            elif node is not None and self._has_columns_of_query(index, node):
                # What did not change has one query over one list of columns.
                side = index if self._columns.may_differ(unique_id) else 1
                queries = self.resolved(side, unique_id)[1]
                query_of = partial(self._query_of_table, index)
                if len(queries) == 1 and sql_diff.has_fixed_columns(queries[0], query_of):
                    self._tables[key] = queries[0]
        return self._tables[key]

    def query_of_seed(self, index: int, node: NodeMetadata) -> Query | None:
        """Return a query with the columns of the file of *node*; None if its table may have other columns."""
        header = node.properties[SEED_HEADER]
        before = self._runs[0].with_parents([node.unique_id]).get(node.unique_id) if index else None
        had = before.properties.get(SEED_HEADER) if before is not None else []
        hooks = hooks_and_macros(node, self._sides[index].macros)
        if not isinstance(header, list) or may_define_columns(hooks):
            return None
        is_whole = isinstance(had, list) and all(name in header for name in had)
        if not is_whole and keeps_seed(node, self._sides[index].adapter):
            return None
        columns = ", ".join('null as "' + str(one).replace('"', '""') + '"' for one in header)
        return sql_lineage.resolve_query(f"select {columns}")

    def _has_columns_of_query(self, index: int, node: NodeMetadata) -> bool:
        """Return True if each build gives the table of *node* the columns of its query."""
        is_sql = node.resource_type == "model" and node.language != "python"
        return is_sql and node.materialized in REBUILT and self.is_whole(index, node)

    def is_whole(self, index: int, node: NodeMetadata) -> bool:
        """Return True if the SQL of *node* is proven, and no hook, header or materialization of the project
        may define names for it.
        """
        is_written = not lacks_sql(node) or argument_reads(node).whole
        if not is_written or not self.is_built_alone(index, node):
            return False
        if (index, node.unique_id) not in self._assumed:
            self._read_analyses(index, [node.unique_id])
        return not self._assumed[index, node.unique_id]

    def is_built_alone(self, index: int, node: NodeMetadata) -> bool:
        """Return True if no hook, header or materialization of the project may define columns of *node*."""
        side = self._sides[index]
        is_own = side.own_materialization(node, side.adapter) or node.config.get("sql_header")
        return not is_own and not may_define_columns(hooks_and_macros(node, side.macros))

    def resolved(self, index: int, unique_id: str) -> tuple[QueryNames, list[Query]]:
        """Return the SQL of a node on one side, and its queries; none if it cannot be analysed."""
        if (index, unique_id) not in self._resolved:
            names = self.query(index, unique_id)
            self._ids |= {schemas_key(*relation): relation[0] for relation in names.relations.items()}
            queries: list[Query] = []
            with suppress(SqlNotAnalysed):
                asked = names.sql, self.dialect, self.schemas(index, names, names.relations)
                try:
                    queries = self._statements(*asked, SECONDS)
                except SqlNotAnalysed:  # the last statement alone may be understood
                    queries = [sql_lineage.resolve_query(*asked, timeout=SECONDS)]
            self._resolved[index, unique_id] = names, queries
        return self._resolved[index, unique_id]

    def resolve(self, sql: str, dialect: str, schemas: Schemas, /, *, timeout: float | None = None) -> Query:
        """Return the query in *sql* as `resolve_query` does, and keep it for `resolved`."""
        with suppress(SqlNotAnalysed):
            found = self._statements(sql, dialect, schemas, timeout)
            if len(found) == 1:
                return found[0]
        return sql_lineage.resolve_query(sql, dialect, schemas, timeout=timeout)

    def _statements(self, sql: str, dialect: str, schemas: Schemas, timeout: float | None) -> list[Query]:
        """Return the queries of all statements in *sql*, resolved once. Raise SqlNotAnalysed."""
        columns = sorted((name, *types.items()) for name, types in schemas.items())
        key = sql, dialect, tuple(columns)
        if key not in self._texts:
            self._texts[key] = sql_lineage.resolve_statements(sql, dialect, schemas, timeout=timeout)
        return self._texts[key]


def _with_arguments(node: NodeMetadata, nodes: Mapping[str, NodeMetadata]) -> NodeMetadata:
    """Return *node* with a query of the columns that its arguments name, if it is one of dbt's own tests
    that dbt did not compile.
    """
    reads = argument_reads(node)
    parents = [nodes.get(parent) for parent, _ in reads.columns]
    relations = [parent.relation_name for parent in parents if parent and parent.relation_name]
    if not (reads.whole and lacks_sql(node)) or len(relations) < len(parents):
        return node
    queries = (
        " ".join(("SELECT", column, "FROM", relation))
        for (_, column), relation in zip(reads.columns, relations, strict=True)
    )
    return replace(node, compiled_code="\nUNION ALL\n".join(queries))


def _contract_faults(node: NodeMetadata, query: Query, dialect: str) -> Iterator[sql_diff.Fault]:
    """Yield the columns that differ between the enforced contract of *node* and its *query*.

    dbt compares them before it creates the table or view, in any order, and names with their case. Who spells
    a column of a table is unknown here. The next build of an incremental table may not compare them.
    """
    listed, given = documented_by_name(node), {output.name.lower(): output for output in query.outputs}
    # A column `a.b` is a field.
    if node.resource_type != "model" or "" in given or any("." in name for name in listed):
        return
    is_certain = node.materialized in REBUILT
    keeps_case = sql_diff.names_of(dialect).keeps_case
    if not listed:
        yield sql_diff.Fault("its enforced contract lists no columns", is_certain)
        return
    for name in sorted(given.keys() - listed.keys()):
        yield sql_diff.Fault(f"its enforced contract lacks the column {name}", is_certain)
    for name in sorted(listed.keys() - given.keys()):
        yield sql_diff.Fault(f"its query lacks {name}, a column of its enforced contract", is_certain)
    for name in sorted(listed.keys() & given.keys()):
        declared, alias = listed[name].documented_type, sql_diff.alias_of(given[name])
        if keeps_case and alias not in (None, listed[name].name):
            spelt = f"its query spells {alias} what its enforced contract spells {listed[name].name}"
            # Where dbt was tried; elsewhere its macros may be those of an adapter.
            yield sql_diff.Fault(spelt, is_certain and dialect == "duckdb")
        if not declared:
            yield sql_diff.Fault(f"its enforced contract declares no type of {name}", is_certain)
        elif sql_diff.has_other_family(given[name], declared, dialect):
            yield sql_diff.Fault(
                f"its query gives {name} another type than {declared}, its contract's", is_certain
            )


def _absent_columns(created: Mapping[str, Collection[str]], query: Query) -> Iterator[sql_diff.Fault]:
    """Yield the columns of `created_columns` that *query* does not have."""
    given = {output.name.lower() for output in query.outputs}
    for place, names in created.items():
        for name in sorted({*names} if "" not in given else ()):
            if name.lower() not in given:
                yield sql_diff.Fault(f"its {place} name the column {name}, which it does not have")


def called_names(
    names: QueryNames, relations: Mapping[str, str], heirs: Mapping[str, str] = MappingProxyType({})
) -> dict[str, list[str]]:
    """Return the names that a query uses for each node that it reads, of its heir if it has one."""
    found: dict[str, list[str]] = {}
    for name, unique_id in names.named.items():
        found.setdefault(unique_id, []).append(name)
    for unique_id in names.relations:
        name = heirs.get(unique_id, unique_id)
        found.setdefault(unique_id, []).append(schemas_key(name, relations[name]))
    return found
