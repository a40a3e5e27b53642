"""Execution of data diffs: concurrently, with isolated failures, over connections to one or two warehouses.

Instead of running a plan, its queries can be printed. Nodes and names of relations are resolved to the pairs
that plans compare.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from msgspec import Struct
from msgspec.structs import replace
from sqlglot import exp
from sqlglot.errors import SqlglotError

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.adapter.pool import Pool
from recce_meta.adapter.scratch import Scratch
from recce_meta.data_diff.plan import Answer, Plan, Queries, Query, Result, run_plan
from recce_meta.data_diff.row_sample import RowSample
from recce_meta.data_diff.source import Pair, SideRelation, table
from recce_meta.data_diff.source import query as build_query
from recce_meta.errors import (
    MissingRelation,
    QueryCancelled,
    RecceMetaError,
    StoreLocked,
    UsageError,
    WarehouseError,
)
from recce_meta.lazy import LazyModule
from recce_meta.models import NodeMetadata
from recce_meta.models.data_diff import (
    AnyDataDiff,
    DataDiff,
    DataSide,
    Failed,
    Moment,
    QueryDiff,
    RowCount,
    RowCountDiff,
    Subject,
)
from recce_meta.models.quality import TableQuality
from recce_meta.quality.privacy import without_values
from recce_meta.tables.gaps import role_sees
from recce_meta.warehouses.dialect import Dialect, dialect_named
from recce_meta.warehouses.driver import Policy

if TYPE_CHECKING:
    from recce_meta.extractors import database
else:
    database = LazyModule("recce_meta.extractors.database")

Given = TypeVar("Given")
Made = TypeVar("Made")

LINES_OF_A_BATCH = 10_000

Around = Callable[[Query], AbstractContextManager[Callable[[int], None]]]
"""Returns the context in which a query runs, which may wait; it yields what receives the number of rows."""


class QueryExecutor:
    """Connections to the data of both sides: one pool for both, or one pool per side."""

    def __init__(
        self,
        current: Pool,
        base: Pool | None = None,
        *,
        around: Around | None = None,
        hides_values: bool = False,
    ) -> None:
        """*hides_values* withholds from plans the error messages that may quote values."""
        self._pools = {DataSide.CURRENT: current, DataSide.BASE: base or current}
        self._around = around
        self._hides_values = hides_values
        self._scratches: set[Scratch] = set()
        """Scratch databases of running plans."""

    def run(self, plan: Plan[Result]) -> Result:
        """Run *plan* and return its result."""
        policies: set[Policy] = set()
        with self._scratch() as scratch:

            def answer(query: Query) -> Answer:
                if query.is_local:
                    return self._answer_locally(scratch, query)
                return self._answer(query, policies.add, scratch)

            result = run_plan(plan, partial(self.each, answer))
        return _limited(result, sorted(policies)) if policies else result

    def each(self, function: Callable[[Given], Made], items: Sequence[Given]) -> list[Made]:
        """Call *function* for each of *items* concurrently; an exception cancels all, on both sides."""
        # Both sides may share one pool.
        size = sum(pool.size for pool in set(self._pools.values()))
        return self._pools[DataSide.CURRENT].each(function, items, self.cancel, size=size)

    def print(self, plan: Plan[Result]) -> list[Query]:
        """Return the queries that *plan* would run; columns are read, other results are assumed.

        For a plan that only reads columns, return the queries that it describes.
        """
        shown: list[Query] = []
        described: list[Query] = []

        def ask(queries: Queries) -> Sequence[Answer]:
            # What a scratch database would be asked depends on its rows.
            if any(query.is_local for query in queries):
                raise _Enough
            for query in queries:
                (described if query.describes else shown).append(query)
            # Collected first: queries of one round are independent, so that all of them are certain.
            if any(not query.describes and query.assumed is None for query in queries):
                raise _Enough
            return [self._answer(query) if query.describes else query.assumed or [] for query in queries]

        try:
            run_plan(plan, ask)
        except _Enough:
            return shown
        return shown or described

    def cancel(self) -> None:
        """Cancel all queries, also in the warehouses and in scratch databases."""
        for pool in set(self._pools.values()):
            pool.cancel()
        for scratch in self._scratches.copy():
            scratch.cancel()

    @contextmanager
    def _scratch(self) -> Iterator[Scratch]:
        """Yield the scratch database of a plan, which has no file before it is used."""
        scratch = Scratch(self._pools[DataSide.CURRENT].deadline)
        self._scratches.add(scratch)
        try:
            yield scratch
        finally:
            self._scratches.discard(scratch)
            scratch.close()

    def _answer(
        self,
        query: Query,
        on_policy: Callable[[Policy], None] | None = None,
        scratch: Scratch | None = None,
    ) -> Answer:
        pool = self._pools[query.side]
        try:
            with nullcontext(_ignore) if self._around is None else self._around(query) as note_rows:
                if query.loads is not None and scratch is not None:
                    with pool.stream(query.sql, LINES_OF_A_BATCH) as lines:
                        return [(scratch.load(*query.loads, lines, note_rows),)]
                rows = pool.describe(query.sql) if query.describes else pool.execute(query.sql, on_policy)
                note_rows(len(rows))
                return rows
        # These concern all queries, so they are not the answer to one.
        except (QueryCancelled, StoreLocked):
            raise
        except WarehouseError as error:
            # Plans write messages into results, as reasons and notes, so all are withheld here.
            return without_values(error) if self._hides_values else error

    def _answer_locally(self, scratch: Scratch, query: Query) -> Answer:
        table = "" if query.loads is None else f"CREATE TABLE {query.loads.table} AS "
        try:
            return scratch.describe(query.sql) if query.describes else scratch.execute(f"{table}{query.sql}")
        except WarehouseError as error:
            if not self._hides_values:
                raise
            # Without a cause, because a traceback would show the message.
            raise without_values(error) from None


def _limited(result: Any, policies: Sequence[Policy]) -> Any:
    """Return *result* with the *policies* that limit it to what the role may see."""
    if isinstance(result, RowCountDiff):
        return _limited_counts(result, policies)
    hidden = _hidden(policies)
    if isinstance(result, (RowSample, TableQuality)):
        return replace(result, notes=(*result.notes, role_sees(hidden)))
    if not isinstance(result, DataDiff):
        return result
    result = replace(result, subject=replace(result.subject, hidden=hidden))
    if not isinstance(result, QueryDiff):
        return result
    parts = {name: getattr(result, name) for name in ("values", "detail", "rows")}
    return replace(
        result, **{name: None if one is None else _limited(one, policies) for name, one in parts.items()}
    )


_UNQUOTED = str.maketrans("", "", '"`')


def _limited_counts(result: RowCountDiff, policies: Sequence[Policy]) -> RowCountDiff:
    """Return *result* with the policies of each relation; those of other tables may be below any view."""

    def names(count: RowCount) -> set[str]:
        texts = (count.subject.base or "", count.subject.current or "")
        return {".".join(text.translate(_UNQUOTED).split(".")[-2:]) for text in texts}

    known: set[str] = set().union(*map(names, result.counts))

    def limited(count: RowCount) -> RowCount:
        own = [one for one in policies if one.relation in names(count) or one.relation not in known]
        return replace(count, subject=replace(count.subject, hidden=_hidden(own))) if own else count

    return replace(result, counts=tuple(map(limited, result.counts)))


def _hidden(policies: Sequence[Policy]) -> str:
    relations: dict[tuple[str, str | None], list[str]] = {}
    for policy in policies:
        relations.setdefault((policy.kind, policy.role), []).append(policy.relation)
    return "; ".join(
        f"{kind} of {', '.join(names)}" + (f" for {role}" if role else "")
        for (kind, role), names in relations.items()
    )


def _ignore(_rows: int) -> None:
    """Do nothing with the number of rows."""


class _Enough(RecceMetaError):
    """Raised to stop a plan when its next queries depend on data."""

    def __init__(self) -> None:
        super().__init__("The next query depends on the result of this one")


Relation: TypeAlias = NodeMetadata | str | None
"""One side of a data diff: a node, the name of a relation in the warehouse's SQL, or None."""


class RelationResolver(Struct, frozen=True, kw_only=True):
    """Dialects of both sides, whether one connection reaches both, and the moment of base."""

    base: Dialect
    current: Dialect
    is_joined: bool = True
    base_at: Moment | None = None
    """Moment at which the tables of base are read; None for now."""
    base_schema: str | None = None
    """Schema of names without one; None if the session decides."""
    current_schema: str | None = None

    def pair(self, base: Relation, current: Relation, *, name: str | None = None) -> Pair:
        """Return the two sides of one subject; a node without a relation counts as absent."""
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
        """Return the pair of the results of two queries, given as rendered SQL and sent unchanged."""
        if self.base_at is not None:
            raise UsageError(
                "Queries are not compared with --base-at", hint="write the moment into the query of base"
            )
        return Pair(
            subject=Subject(name=name),
            base=SideRelation(
                relation=build_query(base_sql), dialect=self.base, side=DataSide.BASE, name="the base query"
            ),
            current=SideRelation(
                relation=build_query(current_sql),
                dialect=self.current,
                side=DataSide.CURRENT,
                name="the current query",
            ),
            is_joined=self.is_joined,
        )

    def _source(self, side: Relation, dialect: Dialect, which: DataSide) -> SideRelation | None:
        schema = self.base_schema if which is DataSide.BASE else self.current_schema
        found = None if side is None else _relation(side, dialect, schema)
        if found is None:
            return None
        relation, text = found
        name = f"{side.label if isinstance(side, NodeMetadata) else side} in {which.value}"
        if self.base_at is not None and which is DataSide.BASE:
            relation = dialect.as_of(relation, self.base_at)
            name, text = f"{name} as of {self.base_at}", dialect.render(relation)
        return SideRelation(relation=relation, dialect=dialect, side=which, name=name, text=text)


def absence(side: Relation, other: str) -> str | None:
    """Return why *side* has no rows; None if it has a relation. *other* is the name of the opposite side."""
    if side is None:
        return f"only in {other}"
    if isinstance(side, NodeMetadata) and not has_relation(side):
        kind = side.materialized or side.resource_type
        return f"{kind}: it has no relation"
    return None


def has_relation(node: NodeMetadata) -> bool:
    """Return True if *node* has a table or view."""
    return bool(node.relation_name or (node.schema_name and node.identifier)) and not node.is_ephemeral


def _relation(side: NodeMetadata | str, dialect: Dialect, schema: str | None) -> tuple[exp.Table, str] | None:
    """Return the relation of *side* and its name in SQL; None if it has no relation.

    A name without a schema is one of *schema*.
    """
    if isinstance(side, NodeMetadata):
        if not has_relation(side):
            return None
        if side.relation_name is None:
            # Parts of a name are in their exact spelling, which only quotes keep.
            place = exp.table_(side.identifier or "", side.schema_name, side.database_name, quoted=True)
            return place, dialect.render(place)
        side, schema = side.relation_name, None
    try:
        return _table(side, dialect.name, schema)
    except (SqlglotError, ValueError) as error:
        raise UsageError(
            f"Invalid relation name: {side}", hint="use a name such as prod.orders, or a quoted name"
        ) from error


@lru_cache(maxsize=4096)
def _table(name: str, dialect: str, schema: str | None) -> tuple[exp.Table, str]:
    """Parse and render the relation *name*; cached because many diffs and checks use the same relation."""
    relation = table(dialect_named(dialect), name)
    if schema is not None and len(relation.parts) == 1:
        relation.set("db", exp.to_identifier(schema, quoted=True))
    return relation, dialect_named(dialect).render(relation)


SEVERAL_MOMENTS = "Queries see several moments: figures may differ if tables change during the comparison"
"""Note on queries without a common snapshot."""
OWN_ZONE = "Views, queries and conditions use the time zone of the session, which is dbt's"
_UTC = {None, "UTC", "Etc/UTC", "GMT", "Universal", "Zulu", "+00:00"}
OnDone: TypeAlias = Callable[[AnyDataDiff], None]


class Job(Struct, frozen=True):
    """One data diff to run."""

    diff: str
    """Type of the diff: value_diff, profile_diff, …"""
    subject: Subject
    plan: Callable[[], Plan[AnyDataDiff]]
    queries: tuple[str, ...] = ()
    """Rendered queries of the user, if the diff compares two: base's and current's."""


class DataDiffRunner:
    """Data of base and current, queried by several threads over one or two connections."""

    def __init__(self, warehouses: QueryExecutor, resolver: RelationResolver, pools: Sequence[Pool]) -> None:
        self.places = resolver
        self._warehouses = warehouses
        self._pools = pools

    def run(self, plan: Plan[Result]) -> Result:
        """Run *plan* and return its result; its errors are raised."""
        return self._warehouses.run(plan)

    def run_all(self, jobs: Sequence[Job], on_done: OnDone | None = None) -> list[AnyDataDiff]:
        """Run *jobs* and return the result of each, or Failed.

        *on_done* is called with each result when it is complete, in any order.
        """

        def answer(job: Job) -> AnyDataDiff:
            try:
                result = self.run(job.plan())
            # Cancellation concerns all jobs, and not the result of this one.
            except QueryCancelled:
                raise
            except RecceMetaError as error:
                result = failed(job, error)
            if on_done is not None:
                on_done(result)
            return result

        return self._warehouses.each(answer, jobs)

    def statements(self, jobs: Iterable[Job]) -> list[Query]:
        """Return the queries that *jobs* would run, except those that depend on results."""
        return [query for job in jobs for query in self._warehouses.print(job.plan())]

    def relation_bytes(self, side: DataSide, schemas: Sequence[str]) -> dict[tuple[str, str], int]:
        """Return the sizes in bytes of the relations in *schemas* of *side*, as `relation_bytes` does."""
        # With one pool, both indexes mean the same.
        pool = self._pools[-1 if side is DataSide.BASE else 0]
        with pool.connection() as adapter:
            return database.relation_bytes(adapter, schemas)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the queries so far saw: several moments, other time zones than UTC."""
        notes = [] if all(pool.sees_one_moment for pool in self._pools) else [SEVERAL_MOMENTS]
        zones = [pool.time_zone for pool in self._pools]
        if set(zones) - _UTC:
            # The pool of base is the last one.
            named = [zone or "an unknown zone" for zone in reversed(zones)]
            text = named[0] if len(set(zones)) == 1 else f"{named[0]} in base and {named[1]} in current"
            notes.append(f"{OWN_ZONE}: {text}")
        notes += [f"Base as of {self.places.base_at}"] if self.places.base_at is not None else []
        return tuple(notes)

    def close(self) -> None:
        """Close the connections opened for this comparison."""
        for pool in self._pools:
            pool.close()

    def cancel(self) -> None:
        """Cancel the running queries in the warehouses, and refuse new ones; call it until they end."""
        self._warehouses.cancel()


def open_data_diff_runner(
    current: UnifiedSqlAdapter,
    base: UnifiedSqlAdapter | None = None,
    *,
    threads: int | None = None,
    deadline: float | None = None,
    hides_values: bool = False,
    around: Around | None = None,
    base_at: Moment | None = None,
) -> DataDiffRunner:
    """Return a comparison of the data behind *current* and *base*, by default both behind *current*.

    *threads* is the number of concurrent queries, by default that of each profile; 1 if only one transaction
    of the warehouse sees one moment. *deadline* is a reading of
    `time.monotonic` at which queries are cancelled. *hides_values* withholds error messages that may quote
    values. *around* returns the context of each query. The tables of base are read as of *base_at*. The
    caller closes both adapters.
    """
    # One connection can join both sides, which two cannot.
    other = None if base is None or base.place.reaches_same(current.place) else base
    pools = [
        Pool(adapter, threads, deadline=deadline, of_one_moment=True)
        for adapter in (current, other)
        if adapter is not None
    ]
    # Two targets of one place that differ in their schema mean their own; else the session decides.
    of_base, of_current = (_schema_of(one) for one in (base or current, current))
    are_two = other is None and None not in (of_base, of_current) and of_base != of_current
    resolver = RelationResolver(
        base_schema=of_base if are_two else None,
        current_schema=of_current if are_two else None,
        base=dialect_named((other or current).warehouse.dialect),
        current=dialect_named(current.warehouse.dialect),
        is_joined=other is None,
        base_at=base_at,
    )
    executor = QueryExecutor(*pools, around=around, hides_values=hides_values)
    return DataDiffRunner(executor, resolver, pools)


def _schema_of(adapter: UnifiedSqlAdapter) -> str | None:
    schema = None if adapter.target is None else adapter.target.schema
    return None if schema is None else adapter.warehouse.folded(schema)


def failed(job: Job, error: RecceMetaError) -> Failed:
    """Return the Failed result of *job*."""
    subject = job.subject
    if isinstance(error, MissingRelation) and error.missing_side is not None:
        subject = subject.without_stale(error.missing_side)
    return Failed(subject=subject, diff=job.diff, error=_sentence(error.message), hint=error.hint)


def _sentence(message: str) -> str:
    """Return a warehouse's message in one line, without the statement and the caret below it.

    >>> _sentence("Binder Error: no column x\\nCandidates: y\\n\\nLINE 1: SELECT x\\n               ^")
    'Binder Error: no column x Candidates: y'
    """
    lines = [line.strip() for line in message.strip().splitlines()]
    end = next((at for at, line in enumerate(lines) if at and (not line or line.startswith("LINE "))), None)
    return " ".join(lines[:end])
