"""Drives plans: their queries go to one warehouse or two, or are printed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from recce_meta.adapter.pool import Pool
from recce_meta.diff.data.plan import Answer, Plan, Queries, Query, Result, run
from recce_meta.errors import QueryCancelled, RecceMetaError, StoreLocked, WarehouseError
from recce_meta.models.data_diff import DataSide

Given = TypeVar("Given")
Made = TypeVar("Made")

OnQuery = Callable[[Query], None]


class Warehouses:
    """Where the data of either side is: one pool for both, or one each."""

    def __init__(self, current: Pool, base: Pool | None = None, *, on_query: OnQuery | None = None) -> None:
        self._pools = {DataSide.CURRENT: current, DataSide.BASE: base or current}
        self._on_query = on_query

    def run(self, plan: Plan[Result]) -> Result:
        """The result of *plan*."""
        return run(plan, self.ask)

    def ask(self, queries: Queries) -> Sequence[Answer]:
        """The answers to *queries*: rows, or the error that one met, while the others go on."""
        return self.each(self._answer, queries)

    def each(self, function: Callable[[Given], Made], items: Sequence[Given]) -> list[Made]:
        """*function* of each of *items*, several at once; what one raises stops the others, on both sides."""
        return self._pools[DataSide.CURRENT].each(function, items, self.cancel)

    def print(self, plan: Plan[Result]) -> list[Query]:
        """The statements that *plan* would run, going on with what each assumes; columns are looked up.

        Of a plan that does nothing but look columns up, the queries whose columns they are.
        """
        shown: list[Query] = []
        described: list[Query] = []

        def ask(queries: Queries) -> Sequence[Answer]:
            for query in queries:
                (described if query.describes else shown).append(query)
            if any(not query.describes and query.assumed is None for query in queries):
                raise _Enough
            return [self._answer(query) if query.describes else query.assumed or [] for query in queries]

        try:
            run(plan, ask)
        except _Enough:
            return shown
        return shown or described

    def cancel(self) -> None:
        """Stop everything, in the warehouses too."""
        for pool in set(self._pools.values()):
            pool.cancel()

    def _answer(self, query: Query) -> Answer:
        pool = self._pools[query.side]
        if self._on_query is not None:
            self._on_query(query)
        try:
            return pool.describe(query.sql) if query.describes else pool.execute(query.sql)
        except (QueryCancelled, StoreLocked):
            raise
        except WarehouseError as error:
            return error


class _Enough(RecceMetaError):
    """What follows in a plan depends on data."""

    def __init__(self) -> None:
        super().__init__("The next statement depends on what this one gives")
