"""Plans: diffs as generators that yield batches of queries, receive their answers, and return a result.

The queries of a batch are independent and may run concurrently. An answer is the query's rows or its error. A
plan that can continue without an answer checks for the error; all others call `rows_of`, which raises it. So
the same plan runs over one connection, over several, or over none (a test sends rows), and can be printed.

In a value diff, a pair of nodes passes through eight modules: `api.data.diffs` reads the options,
`api.data.execution` resolves the relations and opens connections, `api.data.jobs` chooses the plan, `run`
below drives it, `data_diff.value` and `data_diff.keyed` build the queries, and `adapter.pool` and
`adapter.adapter` execute them.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.errors import (
    ConnectionFailed,
    QueryCancelled,
    RecceMetaError,
    StoreLocked,
    WarehouseError,
)
from recce_meta.models.data_diff import DataSide
from recce_meta.warehouses.dialect import Dialect
from recce_meta.warehouses.types import Sql

Result = TypeVar("Result")
Other = TypeVar("Other")
Rows: TypeAlias = Sequence[tuple[Any, ...]]
Answer: TypeAlias = Rows | RecceMetaError


class Loaded(NamedTuple):
    """Table of the plan's scratch database with the rows of a query."""

    table: str
    columns: int


class Query(Struct, frozen=True, kw_only=True):
    """Query of a plan."""

    expression: Sql
    dialect: Dialect
    side: DataSide = DataSide.CURRENT
    """Side whose connection runs it, if base and current are two targets; a join runs on one connection."""
    about: str = ""
    """What it reads, for progress and errors: `keys of orders`."""
    describes: bool = False
    """True to return (name, type as text) of each result column instead of running the query."""
    assumed: Rows | None = None
    """Answer with which a printed plan continues."""
    loads: Loaded | None = None
    """Table of the scratch database that takes the rows: lines of a warehouse, whose number is the answer."""
    is_local: bool = False
    """True to run it in the scratch database, and not in a warehouse."""

    @property
    def sql(self) -> str:
        """Return the query as text of its dialect."""
        return self.dialect.render(self.expression, pretty=True)


Queries: TypeAlias = Sequence[Query]
Plan: TypeAlias = Generator[Queries, Sequence[Answer], Result]
Ask: TypeAlias = Callable[[Queries], Sequence[Answer]]


def run_plan(plan: Plan[Result], ask: Ask) -> Result:
    """Run *plan*, with *ask* answering each batch in the order of its queries, and return its result."""
    answers: Sequence[Answer] | None = None
    while True:
        try:
            batch = plan.send(answers)  # type: ignore[arg-type]  # a generator begins with None
        except StopIteration as done:
            result: Result = done.value
            return result
        answers = ask(batch)


def run_both(first: Plan[Result], second: Plan[Other]) -> Plan[tuple[Result, Other]]:
    """Run two independent plans with their batches merged, and return both results."""
    left, right = _StartedPlan(first), _StartedPlan(second)
    while left.batch or right.batch:
        answers = yield [*left.batch, *right.batch]
        own = len(left.batch)
        left.send_answers(answers[:own])
        right.send_answers(answers[own:])
    return left.result, right.result


def watched(plan: Plan[Result], look: Callable[[Queries, Sequence[Answer]], None]) -> Plan[Result]:
    """Run *plan*; *look* gets each batch with its answers before the plan does, and may raise."""
    started = _StartedPlan(plan)
    while started.batch:
        answers = yield started.batch
        look(started.batch, answers)
        started.send_answers(answers)
    return started.result


class _StartedPlan(Generic[Result]):
    """Started plan with its next batch, which is empty once there is a result."""

    result: Result

    def __init__(self, plan: Plan[Result]) -> None:
        self._plan = plan
        self.batch: Queries = ()
        self._send(None)

    def send_answers(self, answers: Sequence[Answer]) -> None:
        """Send the answers of the batch; does nothing if the plan has ended."""
        if self.batch:
            self._send(answers)

    def _send(self, answers: Sequence[Answer] | None) -> None:
        self.batch = ()
        while not self.batch:  # a plan may yield an empty batch
            try:
                self.batch = self._plan.send(answers)  # type: ignore[arg-type]  # it begins with None
            except StopIteration as done:
                self.result = done.value
                return
            answers = []


def run_locally(plan: Plan[Result]) -> Plan[Result]:
    """Run all queries of *plan* in the scratch database."""
    started = _StartedPlan(plan)
    while started.batch:
        started.send_answers((yield [replace(query, is_local=True) for query in started.batch]))
    return started.result


def rows_of(answer: Answer) -> Rows:
    """Return the rows of *answer*, or raise its error."""
    if isinstance(answer, RecceMetaError):
        raise answer
    return answer


# Each of these would meet every other query of the plan as well.
OF_ALL: tuple[type[RecceMetaError], ...] = (QueryCancelled, ConnectionFailed, StoreLocked)
"""Errors that abort the whole plan."""


def failure(answer: Answer) -> WarehouseError | None:
    """Return the error of *answer* if the plan can continue, or None for rows.

    Raises the error if it is one of OF_ALL, or does not come from a warehouse.
    """
    if not isinstance(answer, RecceMetaError):
        return None
    if isinstance(answer, OF_ALL) or not isinstance(answer, WarehouseError):
        raise answer
    return answer
