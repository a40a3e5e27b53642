"""What a database says of the edited queries of a diff, and of their readers: whether they can be built.

A binder (`recce_meta.warehouses.binding`) is asked about both sides, parents first, over empty relations with
the columns that the parents have there. What it refuses in base already is not judged. A query of equal text
over equal columns has the answer of base, so that only nodes below a changed list of columns are asked about.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

from recce_meta import sql_diff
from recce_meta.api.bound_contracts import BoundContract, contract_of
from recce_meta.api.bound_fixtures import FixtureBinder, fixture_faults
from recce_meta.api.bound_queries import (
    BoundQuery,
    KnownRelation,
    Learned,
    QueryBinder,
    Surely,
    Wanted,
    has_star,
)
from recce_meta.diff.materializations import REBUILT, finds_key_in_table
from recce_meta.graph import LineageGraph, parents_first
from recce_meta.models import Json, NodeMetadata
from recce_meta.models.lineage import EVERYTHING
from recce_meta.models.node import SEED_HEADER
from recce_meta.sql_lineage.project.names import PARENT_NAME, QueryNames
from recce_meta.warehouses import warehouse_of_adapter
from recce_meta.warehouses.binding import Answer
from recce_meta.warehouses.driver import binder_of
from recce_meta.warehouses.hooks import HOOKS, hook_texts, may_define_columns

if TYPE_CHECKING:
    from recce_meta.api.run_reader import RunReader
    from recce_meta.diff.every_target import WorldSql
    from recce_meta.sql_lineage.query import Query

BOUND = ("model", "snapshot", "test")
"""Resource types with a query that is bound."""
BEYOND = ("operation", "unit_test")
"""Resource types with statements or rows that are bound, and without readers."""
FILLED = ("seed", "source")
"""Resource types with relations that follow from no query."""
WITH_HOOKS = ("table", "view", "incremental")
"""Materializations of models with hooks that are bound."""
OTHER_BINDER = "{1} was asked whether the edited SQL can be built, not {0}, which may refuse more"
ASKED_BY_PREVIEW = "; `recce-meta preview` asks it before the build"
LIKE_DUCKDB = frozenset({"postgres"})
"""Dialects of others that DuckDB reads alike: `a.b` never selects a field, and types differ if its own do."""
MOST_BOUND = 500
"""Most nodes whose queries are bound, changed ones and readers together."""
MOST_ABOVE = 100
"""Most unchanged nodes, the nearest, that are read with edited ones, or with their readers."""
FEW_ABOVE = 20
"""Most of them whose queries are bound for their columns alone, and four more for each edited node."""
ABOVE_READER = 5
"""Most of them for each reader that is bound."""
MOST_WORLDS = 16
"""Most queries of a node for other targets, variables and branches, the fewest conditions first."""
_KEYS: Mapping[str, Sequence[str]] = {
    "snapshot": ("unique_key", "updated_at", "check_cols"),
    "None": ("unique_key",),
    "delete+insert": ("unique_key",),
    "merge": ("unique_key",),
    "microbatch": ("event_time",),
}
"""Settings that name columns, by materialization or else strategy; others do not read a key."""
NOTHING_READ = QueryNames(tokenised="", relations={}, named={}, read=(), hard_coded=frozenset())
_SCHEMA = re.compile(rf"{PARENT_NAME.pattern}\.", re.IGNORECASE)
"""Schema of a relation in the query that is bound, which stands for its node."""
_UNSTABLE = re.compile(r"\b(?:pivot|columns)\b", re.IGNORECASE)
"""Words of queries whose columns depend on rows, or on names that only the warehouse knows."""


ColumnsOf: TypeAlias = Callable[[int, Collection[str]], Mapping[str, Mapping[str, str]]]
"""Returns the known columns of nodes on one side (0: base, 1: current), with types."""


class QueriesOfBoth(Protocol):
    """The queries of both sides, and what is known of the tables that they make."""

    adapter: str | None
    dialect: str
    keeps_columns: Callable[[str], bool]
    """Returns True for a node whose SQL certainly has the columns of base, and their types."""

    def query(self, index: int, unique_id: str) -> QueryNames:
        """Return the SQL of a node on one side."""

    def variant(self, index: int, unique_id: str, code: str) -> QueryNames:
        """Return *code*, SQL that the node may have on another target."""

    def worlds(
        self, unique_id: str, codes: tuple[str | None, str] | None = None
    ) -> tuple[Sequence[WorldSql], Sequence[WorldSql]]:
        """Return the SQL of a node, or of other templates, on both sides and for each target and branch."""

    def named_columns(self, index: int, unique_id: str) -> Mapping[str, Collection[str]]:
        """Return the columns that the SQL of a node on one side names, by the node with them."""

    def query_of_seed(self, index: int, node: NodeMetadata) -> Query | None:
        """Return a query with the columns of a seed; None if its table may have others."""

    def is_built_alone(self, index: int, node: NodeMetadata) -> bool:
        """Return True if only the SQL of a node defines its columns."""


class Judgement(NamedTuple):
    """What a binder says of one node in current."""

    fault: sql_diff.Fault | None
    is_complete: bool
    """True if it knew all columns, so that no rule knows more of names."""
    has_types: bool = False
    """True if it compared the types of all columns with those of an enforced contract."""


class Hook(NamedTuple):
    """A hook of a node, and what its relation is on both sides when the hook runs."""

    words: str
    this: tuple[KnownRelation, KnownRelation]
    earlier: tuple[str, str] = ("", "")
    """Statements before it, on both sides."""
    of: tuple[int, int] = (0, 1)
    """Sides whose relations it finds, on both sides."""


class CatalogColumns:
    """The columns that catalogs, files of seeds and the lineage have of nodes, in the types of a binder."""

    def __init__(
        self, queries: QueriesOfBoth, columns_of: ColumnsOf, runs: tuple[RunReader, RunReader], dialect: str
    ) -> None:
        self._queries, self._columns_of, self._runs = queries, columns_of, runs
        self._dialects = queries.dialect, dialect

    def seed(self, index: int, node: NodeMetadata) -> KnownRelation | None:
        """Return the relation of a seed on one side; None if its file does not define its columns."""
        query = self._queries.query_of_seed(index, node) if node.properties.get(SEED_HEADER) else None
        if query is None:
            return None
        given = node.config.get("column_types")
        types = self.types(node.unique_id)
        for name, kind in given.items() if isinstance(given, dict) else ():
            types[str(name).lower()] = self.type_of(str(kind))
        names = [one.name for one in query.outputs]
        return KnownRelation(tuple((name, types.get(name.lower(), "")) for name in names), Surely.ALL)

    def listed(self, index: int, one: str) -> KnownRelation:
        """Return the columns that a catalog or the lineage has of a node; types of a catalog only."""
        types = self.types(one)
        names = self._columns_of(index, [one]).get(one, {})
        columns = tuple((name, types.get(name.lower(), "")) for name in names if name != EVERYTHING)
        return KnownRelation(columns, Surely.LISTED if types else Surely.SOME)

    def type_of(self, kind: str) -> str:
        """Return what the binder calls the type *kind*; empty if it has none of that name."""
        return _known_type(kind, *self._dialects)

    def types(self, one: str) -> dict[str, str]:
        """Return the types of a node's columns by lower-case name, if a run has a catalog with it."""
        nodes = (run.with_parents([one]).get(one) for run in self._runs if one in run.names)
        known = [node.columns for node in nodes if node is not None and node.columns_from == "catalog"]
        return {each.name.lower(): self.type_of(each.type or "") for each in (known or [()])[-1]}


class Binding:
    """The judgements of a binder on the changed nodes of a diff, and on those downstream, asked once."""

    def __init__(
        self,
        queries: QueriesOfBoth,
        columns_of: ColumnsOf,
        runs: tuple[RunReader, RunReader],
        graph: LineageGraph,
        changed: Collection[str],
    ) -> None:
        self._queries, self._columns_of, self._runs, self._graph = queries, columns_of, runs, graph
        self._changed = frozenset(changed)
        self._below: frozenset[str] = frozenset()
        self._relations: dict[tuple[int, str], KnownRelation] = {}
        self._above: set[str] = set()
        self._same: set[str] = set()
        """Bound nodes that give the same columns on both sides, and whose types no question needed yet."""
        self._has_edited_query = False
        self.problem = ""
        """Why some queries were not bound; empty if all were."""

    @cached_property
    def judgements(self) -> Mapping[str, Judgement]:
        """Return what is known of each node that is changed, or that reads other columns than in base."""
        binder = binder_of(self._queries.adapter)
        if binder is None:
            return {}
        with binder as self._binder:
            self._asking = QueryBinder(binder)
            self._catalog = CatalogColumns(self._queries, self._columns_of, self._runs, binder.dialect)
            self._is_own = binder.dialect == self._queries.dialect
            # Translation takes long, and parents are translated only to confirm what catalogs show.
            self._is_deep = self._is_own
            found = dict(self._judged())
            if not self._is_deep and any(each.fault is not None for each in found.values()):
                self._is_deep = True
                self._relations.clear()
                self._same.clear()
                found = dict(self._judged())
            is_foreign = self._has_edited_query and not self._is_own
            instead = _asked_instead(self._queries.adapter, binder.said_by) if is_foreign else ""
            self.problem = binder.problem or instead
        return found

    def _judged(self) -> dict[str, Judgement]:
        graph, found = self._graph, dict[str, Judgement]()
        changed = [one for one in self._changed if one in self._runs[1].names]
        self._below = frozenset(changed) | graph.downstream(changed)
        order, _ = parents_first({one: sorted(graph.parents(one)) for one in self._below})
        edited = [one for one in changed if one.split(".", 1)[0] in (*BOUND, *BEYOND)]
        self._read(edited)
        self._above = graph.nearest_upstream(edited, min(MOST_ABOVE, FEW_ABOVE + 4 * len(edited)))
        differing: set[str] = set()
        has_read = False
        for one in order:
            is_above = not differing.isdisjoint(graph.parents(one))
            is_above = is_above or _tests_edit(graph, one, self._changed, differing)
            if (one not in self._changed and not is_above) or one not in self._runs[1].names:
                continue
            if is_above and not has_read:
                has_read = True
                below = graph.downstream(differing)
                self._read([key for key in below if key.split(".", 1)[0] in (*BOUND, *BEYOND)][:MOST_BOUND])
            kind = one.split(".", 1)[0]
            if kind in FILLED and self._differs(one):
                differing.add(one)
            if kind in BEYOND and (fault := self._elsewhere(one)) is not None:
                found[one] = Judgement(fault, is_complete=False)
            if kind not in BOUND:
                continue
            has_same = not is_above and self._has_same_query(one)
            self._has_edited_query |= not has_same and one in self._changed
            if len(found) >= MOST_BOUND:
                break
            if self._runs[1].names[one].is_ephemeral:
                # Its readers have its query in theirs.
                differing.add(one)
                continue
            judgement = None if has_same else self._judge(one, has_same_inputs=not is_above)
            if judgement is None or judgement.fault is None:
                fault = self._elsewhere(one)
                judgement = Judgement(fault, is_complete=False) if fault is not None else judgement
            if judgement is not None:
                found[one] = judgement
            if self._differs(one):
                differing.add(one)
        return found

    def _read(self, ids: Collection[str]) -> None:
        """Read the nodes *ids* on both sides, and the nearest nodes above them."""
        seen = self._graph.nearest_upstream(ids, MOST_ABOVE)
        for run, wanted in zip(self._runs, (ids, seen), strict=True):
            known = [one for one in wanted if one in run.names]
            run.with_parents(known)
            run.kept_sql([one for one in known if one.split(".", 1)[0] in BOUND])
        others = {one for one in seen - self._below if one.split(".", 1)[0] not in BOUND}
        self._columns_of(1, sorted(others & self._runs[1].names.keys()))

    def _differs(self, one: str) -> bool:
        if one in self._same or one not in self._runs[0].names:
            return False
        return self._relation(0, one) != self._relation(1, one)

    def _has_same_query(self, one: str) -> bool:
        if one not in self._runs[0].names:
            return False
        texts = [self._queries.query(index, one) for index in (0, 1)]
        before, after = (contract_of(run.with_parents([one])[one]) for run in self._runs)
        is_same = texts[0].tokenised == texts[1].tokenised and texts[0].named == texts[1].named
        return is_same and before == after

    def _judge(self, one: str, *, has_same_inputs: bool) -> Judgement | None:
        """Bind the query of a node on both sides, and return what that proves; None if nothing."""
        is_new = one not in self._runs[0].names
        if one not in self._above:
            self._above |= self._graph.nearest_upstream([one], ABOVE_READER)
        before, after = None, None
        if has_same_inputs and not is_new and self._may_keep_columns(one):
            before, after = self._bound_pair(one, Wanted.VERDICT)
        if before is not None and _are_same(before, after):
            self._same.add(one)
        else:
            before, after = self._bound_pair(one, Wanted.TYPES)
            self._offer(one, before, after)
        if after is None or (not is_new and (before is None or before.refusal is not None)):
            return None
        if after.refusal is None and after.unlisted is None:
            return self._by_contract(one, before, after)
        return Judgement(self._fault(one, before, after), is_complete=False)

    def _may_keep_columns(self, one: str) -> bool:
        nodes = [run.with_parents([one])[one] for run in self._runs]
        return self._is_own and not any(each.contract for each in nodes) and self._queries.keeps_columns(one)

    def _bound_pair(self, one: str, wanted: Wanted) -> tuple[BoundQuery | None, BoundQuery | None]:
        is_new = one not in self._runs[0].names
        before = None if is_new else self._bound(0, one, wanted=wanted)
        return before, self._bound(1, one, before.learned if before is not None else {}, wanted=wanted)

    def _fault(
        self, one: str, before: BoundQuery | None, after: BoundQuery, where: str = ""
    ) -> sql_diff.Fault | None:
        """Return the fault of a text that base, if it has one, can bind; *where* says what else it is of."""
        refusal = after.refusal
        # A column that was given to a relation for the query may make another ambiguous.
        is_sure = refusal is not None and (
            before is None or after.learned == before.learned or bool(sql_diff.lacking_column(refusal))
        )
        if not is_sure:
            refusal = after.unlisted
        if refusal is None:
            return None
        is_edited = self._is_own or before is None or not self._has_same_query(one)
        has_fields = not self._is_own and self._queries.dialect not in LIKE_DUCKDB
        reading = sql_diff.Reading(
            after.is_exact, is_sure, self._is_own, before is not None, is_edited, has_fields
        )
        line = None if where else _line_of(self._runs[1].with_parents([one])[one], refusal.line)
        place = self._place(one, line)
        named = refusal._replace(text=_SCHEMA.sub("", refusal.text))
        found = sql_diff.bound_fault(named, reading, place)
        return found and found._replace(text=f"{where}{found.text}", line=line)

    def _elsewhere(self, one: str) -> sql_diff.Fault | None:
        """Return the fault of another text of a node than its query."""
        return None

    def _by_contract(self, one: str, before: BoundQuery | None, after: BoundQuery) -> Judgement:
        """Return what a query that binds proves, by its types and those of an enforced contract."""
        judged = Judgement(None, self._is_own and after.known is Surely.ALL)
        nodes = [run.with_parents([one])[one] for run in self._runs if one in run.names]
        if not (nodes[-1].contract and self._queries.is_built_alone(1, nodes[-1])):
            return judged
        if not self._is_own and (before is None or self._queries.dialect not in LIKE_DUCKDB):
            return judged
        place, contract = self._place(one, None), BoundContract(nodes, (before, after), self._asking)
        if self._is_own:
            return judged._replace(fault=contract.fault(place), has_types=contract.has_types)
        is_same = self._queries.query(0, one).tokenised == self._queries.query(1, one).tokenised
        return judged._replace(fault=contract.doubt(place, self._catalog.type_of, is_same=is_same))

    def _place(self, one: str, line: int | None) -> str:
        """Return the file of a node, its *line*, and who says so."""
        path = self._runs[1].with_parents([one])[one].path
        return ", ".join(filter(None, (f"{path}:{line}" if line and path else path, self._binder.said_by)))

    def _bound(
        self, index: int, one: str, learned: Learned | None = None, *, wanted: Wanted = Wanted.TYPES
    ) -> BoundQuery | None:
        """Return the answer for the query of a node on one side; None without a query or an answer."""
        kept = self._runs[index].kept_sql([one]).get(one)
        is_assumed = kept is not None and kept.is_assumed
        names = None if is_assumed else self._queries.query(index, one)
        return None if names is None else self._ask(index, one, names, learned, wanted)

    def _ask(
        self,
        index: int,
        one: str,
        names: QueryNames,
        learned: Learned | None,
        wanted: Wanted = Wanted.TYPES,
        *,
        inputs: Mapping[str, KnownRelation] = MappingProxyType({}),
    ) -> BoundQuery | None:
        """Return the answer for the query with *names* of a node; None without an answer."""
        node = self._runs[index].with_parents([one]).get(one)
        if node is None or node.language == "python" or node.resource_type not in BOUND:
            return None
        if not names.sql.strip() or (len(names.keys()) == 0 and "⟦" in names.sql):
            return None
        sql = _translated(names.sql, self._queries.dialect, self._binder.dialect)
        relations = {key: inputs.get(key) or self._relation_for(index, one, key) for key in [*names.keys()]}
        named = partial(self._queries.named_columns, index, one) if learned is None else None
        return self._asking.ask(sql, names, relations, learned, wanted=wanted, named=named) if sql else None

    def _relation_for(self, index: int, reader: str, one: str) -> KnownRelation:
        """Return what *reader* finds in a node; in its own table, columns of base."""
        if one == reader:
            return self._catalog.listed(0 if one in self._runs[0].names else 1, one)
        # What an unchanged query without a star returns does not depend on columns that no catalog lists.
        if reader not in self._below and self._catalog.types(one):
            node = self._runs[1].with_parents([reader]).get(reader)
            if node is not None and not has_star(node):
                return self._catalog.listed(index, one)
        return self._relation(index, one)

    def _relation(self, index: int, one: str) -> KnownRelation:
        """Return what readers of a node find on one side."""
        if one in self._same:
            self._same.remove(one)
            _, bound = self._bound_pair(one, Wanted.TYPES)
            self._offer(one, bound, bound)
        if one not in self._below and one in self._runs[1].names:
            index = 1
        key = index, one
        if key not in self._relations:
            self._relations[key] = KnownRelation()  # a query may read its own relation
            self._relations[key] = self._looked_up(index, one)
        return self._relations[key]

    def _looked_up(self, index: int, one: str) -> KnownRelation:
        node = self._runs[index].with_parents([one]).get(one)
        found = None
        if node is not None and node.resource_type == "seed":
            found = self._catalog.seed(index, node)
        elif node is not None and node.resource_type in ("model", "snapshot") and one in self._above:
            if not self._is_deep and one not in self._below and self._catalog.types(one):
                return self._catalog.listed(index, one)
            # A catalog has the types, which take further questions if those of a parent are unknown.
            wanted = Wanted.VERDICT if one not in self._below and self._catalog.types(one) else Wanted.TYPES
            bound = self._bound(index, one, wanted=wanted)
            if bound is not None and bound.refusal is None:
                is_known = bound.is_exact or wanted is Wanted.TYPES
                columns = tuple((name, kind * is_known) for name, kind in bound.answer.columns)
                found = self._built(index, node, bound._replace(answer=Answer(columns)))
        return self._catalog.listed(index, one) if found is None else found

    def _offer(self, one: str, before: BoundQuery | None, after: BoundQuery | None) -> None:
        """Set what readers of a bound node find on each side; of a node that fails, the columns of base."""
        nodes = [run.with_parents([one])[one] for run in self._runs if one in run.names]
        for index, bound in enumerate((before, after)):
            if one not in self._runs[index].names:
                continue
            if bound is not None and bound.refusal is None:
                node = self._runs[index].with_parents([one])[one]
                self._relations[index, one] = self._built(index, node, bound)
            else:
                self._relations[index, one] = _opened(self._catalog.listed(0 if before else index, one))
        pair = [self._relations.get((index, one)) for index in (0, 1)]
        if pair[0] is None or pair[1] is None:
            return
        if not all(each is not None and each.refusal is None for each in (before, after)):
            self._relations[1, one] = pair[0]
        elif not all(_is_rebuilt(self._queries, place, each) for place, each in enumerate(nodes)):
            # A table that keeps rows, or that somebody may alter: what it has follows from neither query.
            self._relations[0, one] = self._relations[1, one] = _either(pair[0], pair[1])

    def _built(self, index: int, node: NodeMetadata, bound: BoundQuery) -> KnownRelation:
        """Return the relation that dbt builds from a bound query."""
        columns, one = bound.answer.columns, node.unique_id
        if node.contract:
            columns = tuple((name, contract_of(node).get(name.lower(), "")) for name, _ in columns)
        known = self._catalog.types(one) if one not in self._below else {}
        columns = tuple((name, kind or known.get(name.lower(), "")) for name, kind in columns)
        named = {name.lower() for name, _ in columns}
        if _UNSTABLE.search(node.compiled_code or ""):
            return KnownRelation(columns)
        surely = least = Surely.LISTED
        if _is_rebuilt(self._queries, index, node):
            # A catalog with other columns is that of another query, or of another table.
            surely = Surely.ALL if known.keys() <= named else Surely.SOME
            least = Surely.ALL if self._is_deep else Surely.LISTED
        elif node.materialized not in REBUILT or one not in self._below:  # it may have more
            more = tuple(self._catalog.types(one).items())
            if node.resource_type == "snapshot" and not more:
                more = self._catalog.listed(index, one).columns
            columns += tuple(each for each in more if each[0].lower() not in named)
        return KnownRelation(columns, surely if bound.known >= least or not has_star(node) else Surely.SOME)


class WholeBinding(Binding):
    """The same judgements, also on other targets, variables and branches, on settings and hooks."""

    def retyped(self, one: str) -> Mapping[str, tuple[str, str]]:
        """Return the types before and after of the columns of a judged node that have another one.

        They follow from its queries, and are those of a table that has not been built yet.
        """
        nodes = [run.with_parents([one]).get(one) for run in self._runs]
        # An enforced contract has types in other words.
        if one not in self.judgements or not self._is_own or any(each and each.contract for each in nodes):
            return {}
        pair = [self._relations.get((index, one), KnownRelation()).columns for index in (0, 1)]
        before, after = ({name.lower(): kind for name, kind in columns if kind} for columns in pair)
        both = before.keys() & after.keys()
        return {name: (before[name], after[name]) for name in both if before[name] != after[name]}

    def _elsewhere(self, one: str) -> sql_diff.Fault | None:
        if one.startswith("unit_test."):
            return self._in_fixtures(one)
        if one.startswith("operation."):
            return self._in_operation(one)
        is_new = one not in self._runs[0].names
        found = self._in_worlds(one, *self._queries.worlds(one), is_new=is_new)
        if found is not None or one.startswith("test."):
            return found
        return self._in_keys(one) or next(self._in_hooks(one), None)

    def _in_worlds(
        self,
        one: str,
        base: Sequence[WorldSql],
        current: Sequence[WorldSql],
        hook: Hook | None = None,
        *,
        is_new: bool,
    ) -> sql_diff.Fault | None:
        """Return the fault of the text of a node in one world that base has not there."""
        for world in sorted(current, key=lambda each: len(each.conditions))[:MOST_WORLDS]:
            # What base does not ask about has no effect on its query.
            fitting = [each for each in base if {*each.conditions} <= {*world.conditions}]
            control = max(fitting, key=lambda each: len(each.conditions), default=None)
            before = None if control is None else self._bound_in(0, one, control, None, hook)
            if not is_new and (before is None or before.refusal is not None):
                continue
            after = self._bound_in(1, one, world, before.learned if before is not None else {}, hook)
            when = f"if {' and '.join(world.conditions)}" if world.conditions else ""
            where = ", ".join(filter(None, (hook and hook.words, when)))
            fault = after and self._fault(one, before, after, f"{where}: " if where else "")
            if fault is not None:
                return fault
        return None

    def _bound_in(
        self, index: int, one: str, world: WorldSql, learned: Learned | None, hook: Hook | None
    ) -> BoundQuery | None:
        """Return the answer for the text of a node in one world."""
        names = self._queries.variant(index, one, world.sql)
        if hook is None:
            found = self._ask(index, one, names, learned, Wanted.VERDICT)
        else:
            relations = {key: self._for_hook(index, one, key, hook) for key in [*names.keys()]}
            sql = f"{hook.earlier[index]}{names.sql}"
            found = self._asking.ask(sql, names, relations, learned, wanted=Wanted.STATEMENTS)
        # A value that is made up has a type of its own.
        return found and found._replace(is_exact=found.is_exact and not world.has_values)

    def _for_hook(self, index: int, one: str, key: str, hook: Hook) -> KnownRelation:
        if key == one:
            return hook.this[index]
        side = hook.of[index] if key in self._runs[hook.of[index]].names else index
        return self._relation(side, key)._replace(is_table=self._is_table(side, key))

    def _is_table(self, index: int, one: str) -> bool:
        node = self._runs[index].with_parents([one]).get(one)
        return node is None or node.materialized != "view"

    def _in_keys(self, one: str) -> sql_diff.Fault | None:
        """Return the fault of the columns that the configuration of a node names."""
        answers: list[BoundQuery | None] = []
        nodes = [run.with_parents([one]).get(one) if one in run.names else None for run in self._runs]
        both = [_keys_of(node) if node is not None else [] for node in nodes]
        if nodes[1] is not None and finds_key_in_table(nodes[1], self._queries.adapter):
            has = {name.lower() for name, _ in self._relation(0, one).columns}
            both = [[key for key in keys if key.lower() not in has] for keys in both]
        if None in nodes or not both[1]:
            return None
        for index, keys in enumerate(both):
            learned = answers[0].learned if answers and answers[0] is not None else None
            if self._bound(index, one, learned, wanted=Wanted.VERDICT) is None:  # dbt did not compile it
                return None
            names = self._queries.query(index, one)
            relations = {key: self._relation_for(index, one, key) for key in [*names.keys()]}
            sql = " ".join(("select", ", ".join(keys) or "*", "from (\n", names.sql, "\n) as recce_node"))
            answers.append(self._asking.ask(sql, names, relations, learned, wanted=Wanted.VERDICT))
        before, after = answers
        if before is None or before.refusal is not None or after is None:
            return None
        return self._fault(one, before, after, "in the columns of its configuration: ")

    def _in_hooks(self, one: str) -> Iterator[sql_diff.Fault]:
        """Yield the faults of the hooks of a model."""
        nodes = [run.with_parents([one])[one] if one in run.names else None for run in self._runs]
        node = nodes[1]
        if node is None or not self._is_own or node.materialized not in WITH_HOOKS:
            return
        for key in HOOKS:
            texts = [hook_texts(each.config.get(key)) if each is not None else [] for each in nodes]
            for place, text in enumerate(texts[1]):
                if not isinstance(text, str) or not text.strip():
                    continue
                this = self._this(one, key.startswith("post"), texts[1][:place])
                # A hook of the same place is the control, or one with the same text.
                before = text if text in texts[0] else texts[0][place] if place < len(texts[0]) else None
                code = before if isinstance(before, str) else None
                hook = Hook(f"in its {key.replace('_', '-')}", this)
                worlds = self._queries.worlds(one, (code, text))
                fault = self._in_worlds(one, *worlds, hook, is_new=code is None)
                if fault is not None:
                    yield fault

    def _in_operation(self, one: str) -> sql_diff.Fault | None:
        """Return the fault of a statement of `on-run-start` or `on-run-end`.

        The former finds what base left, and in the next run what current leaves, as the latter does.
        """
        sides = [self._operations(index) for index in (0, 1)]
        node = sides[1][one]
        text = node.raw_code or ""
        if not self._is_own or not text.strip():
            return None
        # The statement may have another number in base.
        same = next((each for each in sides[0].values() if each.raw_code == text), sides[0].get(one))
        codes = (None if same is None else same.raw_code), text
        prefix = [_earlier(one, each) for each in sides]
        is_start = "on-run-start" in node.tags
        words = "as on-run-start" if is_start else "as on-run-end"
        hook = Hook(words, (KnownRelation(), KnownRelation()), (prefix[0], prefix[1]))
        worlds = self._queries.worlds(one, codes)
        if is_start:
            was = self._in_worlds(one, *worlds, hook._replace(of=(0, 0)), is_new=same is None)
            if was is not None:
                return was
        found = self._in_worlds(one, *worlds, hook, is_new=same is None)
        return found and found._replace(is_certain=found.is_certain and not is_start)

    def _operations(self, index: int) -> dict[str, NodeMetadata]:
        """Return the statements of `on-run-start` and `on-run-end` of one side, in their order."""
        run = self._runs[index]
        ids = [one for one in run.names if one.startswith("operation.")]
        nodes = run.with_parents(ids)
        places = {one: ("on-run-end" in nodes[one].tags, len(one), one) for one in ids}
        return {one: nodes[one] for one in sorted(ids, key=places.__getitem__)}

    def _in_fixtures(self, one: str) -> sql_diff.Fault | None:
        """Return the fault of the rows of a unit test that those of base have not."""
        found: list[set[sql_diff.Fault]] = []
        for index, run in enumerate(self._runs):
            nodes = run.with_parents([one]) if one in run.names else {}
            node = nodes.get(one)
            if node is None or not node.parents:
                found.append(set())
                continue
            tested = node.parents[0]
            nodes = run.with_parents([tested])
            binder = FixtureBinder(
                partial(self._relation, index),
                partial(self._over, index, tested),
                lambda sql: self._asking.ask(sql, NOTHING_READ, {}),
                self._is_own,
            )
            found.append({*fixture_faults(node, nodes, binder)})
        new = found[1] - found[0]
        return max(new, key=lambda each: (each.is_certain, each.text), default=None)

    def _over(self, index: int, one: str, inputs: Mapping[str, KnownRelation]) -> BoundQuery | None:
        """Return the answer for the query of a node, with other columns of some *inputs*."""
        return self._ask(index, one, self._queries.query(index, one), {}, inputs=inputs)

    def _this(self, one: str, is_after: bool, earlier: Sequence[Json]) -> tuple[KnownRelation, KnownRelation]:
        """Return what a hook finds in the relation of its node on both sides, after those *earlier*."""
        place = 0 if one in self._runs[0].names else 1
        before = self._relation_for(1, one, one)._replace(is_table=self._is_table(place, one))
        if not is_after:
            return before, before
        found = []
        for index in (0, 1):
            relation = self._relation(index, one) if one in self._runs[index].names else before
            bound = self._bound(index, one, {}) if one in self._runs[index].names else None
            node = self._runs[index].with_parents([one]).get(one)
            if node is not None and node.materialized in REBUILT and bound and bound.refusal is None:
                is_whole = bound.known is Surely.ALL or not has_star(node)
                is_whole = is_whole and not may_define_columns(map(str, earlier))
                relation = self._built(index, node, bound)
                relation = relation._replace(known=Surely.ALL if is_whole else relation.known)
            found.append(relation._replace(is_table=self._is_table(index, one)))
        return found[0], found[1]


def _is_rebuilt(queries: QueriesOfBoth, index: int, node: NodeMetadata) -> bool:
    """Return True if each build gives the table of *node* exactly the columns of its query."""
    is_whole = node.resource_type == "model" and node.materialized in REBUILT
    return is_whole and queries.is_built_alone(index, node)


def _are_same(before: BoundQuery, after: BoundQuery | None) -> bool:
    """Return True if both queries can be built, and give the same columns of relations with the same."""
    if after is None or before.unlisted or after.unlisted or before.refusal or after.refusal:
        return False
    return before.answer.columns == after.answer.columns and before.learned == after.learned


def _tests_edit(graph: LineageGraph, one: str, edited: Collection[str], differing: Collection[str]) -> bool:
    """Return True if *one* is a unit test of an *edited* model, or gives rows of an input that differs."""
    tested = {*graph.parents(one)} if one.startswith("unit_test.") else set()
    read = {parent for model in tested for parent in graph.parents(model)}
    return not tested.isdisjoint(edited) or not read.isdisjoint(differing)


def _line_of(node: NodeMetadata, line: int | None) -> int | None:
    """Return *line* of the query of a node if its template has as many lines."""
    raw, code = ((text or "").rstrip().count("\n") for text in (node.raw_code, node.compiled_code))
    return line if node.compiled_code and raw == code else None


def _keys_of(node: NodeMetadata) -> list[str]:
    """Return the columns that dbt selects from the query of *node* because its configuration names them."""
    kind = (
        node.config.get("incremental_strategy") if node.materialized == "incremental" else node.materialized
    )
    names = _KEYS.get(str(kind), ())
    given = (node.config.get(key) or [] for key in names)
    listed = [one for each in given for one in (each if isinstance(each, list) else [each])]
    return [one for one in listed if isinstance(one, str) and one != "all"]


def _earlier(one: str, operations: Mapping[str, NodeMetadata]) -> str:
    """Return the statements before those of an operation that may create what it writes."""
    found = []
    for key, node in operations.items():
        if key == one:
            break
        found.append((node.raw_code or "").strip().rstrip(";"))
    return "".join(f"{text};\n" for text in found if text and "{" not in text)


def _asked_instead(adapter: str | None, said_by: str) -> str:
    """Return that not the warehouse was asked; empty without one: a guessed dialect is said elsewhere."""
    if adapter is None:
        return ""
    preview = ASKED_BY_PREVIEW if warehouse_of_adapter(adapter) is not None else ""
    return f"{OTHER_BINDER.format(adapter, said_by)}{preview}"


def _opened(relation: KnownRelation) -> KnownRelation:
    return KnownRelation(tuple((name, "") for name, _ in relation.columns))


def _either(before: KnownRelation, after: KnownRelation) -> KnownRelation:
    """Return a relation that may have the columns of both."""
    types = [{name.lower(): kind for name, kind in each.columns} for each in (before, after)]
    named = {name.lower(): name for each in (before, after) for name, _ in each.columns}
    return KnownRelation(
        tuple(
            (name, types[0].get(key, "") if types[0].get(key) == types[1].get(key) else "")
            for key, name in named.items()
        ),
        min(before.known, after.known),
    )


@lru_cache(maxsize=1000)
def _known_type(kind: str, dialect: str, other: str) -> str:
    """Return the type of one dialect in another; empty if there is none."""
    if not kind or dialect == other:
        return kind
    from sqlglot import exp
    from sqlglot.errors import SqlglotError

    try:
        return exp.DataType.build(kind, dialect=dialect or None).sql(other)
    except (SqlglotError, ValueError):
        return ""


@lru_cache(maxsize=500)
def _translated(sql: str, dialect: str, other: str) -> str | None:
    """Return a query of one dialect in another; None if it cannot be translated."""
    if dialect == other:
        return sql
    import sqlglot
    from sqlglot.errors import SqlglotError

    try:
        found = sqlglot.transpile(sql, read=dialect or None, write=other)
    except (SqlglotError, ValueError, RecursionError):
        return None
    return found[0] if len(found) == 1 and found[0] else None
