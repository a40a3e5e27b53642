"""A diff is a generator: it yields batches of queries, is sent their answers, and returns its result.

The queries of a batch do not depend on each other and may run at once. An answer is the query's rows, or the
error that it met: a plan that can go on without one looks, all others take `rows_of`, which raises it. So the
same plan runs over one connection, over several, over none (a test sends rows by hand), and can be printed.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, Generic, TypeAlias, TypeVar

from msgspec import Struct

from recce_meta.dialects import Dialect, Sql
from recce_meta.errors import RecceMetaError
from recce_meta.models.data_diff import DataSide

Result = TypeVar("Result")
Other = TypeVar("Other")
Rows: TypeAlias = Sequence[tuple[Any, ...]]
Answer: TypeAlias = Rows | RecceMetaError


class Query(Struct, frozen=True, kw_only=True):
    """One statement of a plan."""

    expression: Sql
    dialect: Dialect
    side: DataSide = DataSide.CURRENT
    """Whose connection runs it, where base and current are two targets; a join has one for both."""
    about: str = ""
    """What it finds out, for progress and errors: `keys of orders`."""
    describes: bool = False
    """The answer is then (name, type as text) of each column that the statement would give; it is not run."""
    assumed: Rows | None = None
    """What a plan that is printed, and not run, goes on with."""

    @property
    def sql(self) -> str:
        """The statement, as text of its dialect."""
        return self.dialect.render(self.expression, pretty=True)


Queries: TypeAlias = Sequence[Query]
Plan: TypeAlias = Generator[Queries, Sequence[Answer], Result]
Ask: TypeAlias = Callable[[Queries], Sequence[Answer]]


def run(plan: Plan[Result], ask: Ask) -> Result:
    """The result of *plan*, each of its batches answered by *ask*, in the order of the queries."""
    answers: Sequence[Answer] | None = None
    while True:
        try:
            batch = plan.send(answers)  # type: ignore[arg-type]  # a generator begins with None
        except StopIteration as done:
            result: Result = done.value
            return result
        answers = ask(batch)


def both(first: Plan[Result], second: Plan[Other]) -> Plan[tuple[Result, Other]]:
    """The results of two plans that do not depend on each other, whose batches are asked together."""
    left, right = _Begun(first), _Begun(second)
    while left.batch or right.batch:
        answers = yield [*left.batch, *right.batch]
        own = len(left.batch)
        left.go_on(answers[:own])
        right.go_on(answers[own:])
    return left.result, right.result


class _Begun(Generic[Result]):
    """A plan that has begun: its next batch, which is empty once there is a result."""

    result: Result

    def __init__(self, plan: Plan[Result]) -> None:
        self._plan = plan
        self.batch: Queries = ()
        self._send(None)

    def go_on(self, answers: Sequence[Answer]) -> None:
        """Answer the batch; plans that have ended have none."""
        if self.batch:
            self._send(answers)

    def _send(self, answers: Sequence[Answer] | None) -> None:
        self.batch = ()
        while not self.batch:  # a plan may find that it has nothing to ask
            try:
                self.batch = self._plan.send(answers)  # type: ignore[arg-type]  # it begins with None
            except StopIteration as done:
                self.result = done.value
                return
            answers = []


def rows_of(answer: Answer) -> Rows:
    """The rows of *answer*; raises the error that it is instead."""
    if isinstance(answer, RecceMetaError):
        raise answer
    return answer
