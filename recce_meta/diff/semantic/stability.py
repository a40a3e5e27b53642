"""Stability of values: which calls may answer differently each time, and how often a query reads them."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

from sqlglot import exp

from recce_meta.dialects.types import Sql
from recce_meta.diff.semantic.known_functions import is_unknown
from recce_meta.diff.semantic.positions import queries_in
from recce_meta.graph.columns.query import (
    Alias,
    Column,
    Merged,
    Output,
    Pivot,
    Query,
    Reference,
    Select,
    SetOperation,
)

WINDOW = 1
"""Bit of a value that depends on the other rows of its query."""
UNSTABLE = 2
"""Bit of a value that a second computation may give otherwise."""
BY_ARRIVAL = 4
"""Bit of a value that depends on the order in which rows arrive, as no ORDER BY decides."""
VOLATILE = re.compile(
    r"""(?ix) .*(rand|uuid|newid|nextval|currval|lastval|setval|seq\d|clock_timestamp|sysdate|now).*
    | shuffle | monotonically_?increasing_?id | neighbor | running\w+ | row_?number\w* | timeofday"""
)
"""Functions that may answer differently for each row, or each time they are called."""
BY_ORDER = re.compile(
    r"""(?ix) .*(array|string|object|map|xml|json\w*|hash)_?(concat_?)?agg.* | group_?concat\w*
    | list | list_?agg | collect_\w+ | any_?value | arbitrary | (arg_?)?(first|last)(_?value)? | (max|min)_?by
    | arg_?(max|min) | nth_?value | ntile | lag | lead | mode | .*sample.*"""
)
"""Aggregates and window functions that depend on an order which need not be total."""


@lru_cache(4096)
def _is_unstable(name: str) -> bool:
    return VOLATILE.fullmatch(name) is not None or BY_ORDER.fullmatch(name) is not None


def binding(node: Sql) -> int:
    """Return how the value of the call *node* depends on its query and on the run, as a sum of bits."""
    if isinstance(node, exp.Window):
        spec = node.args.get("spec")
        by_rows = spec is not None and str(spec.args.get("kind")).upper() == "ROWS"
        counts = by_rows or isinstance(node.this, exp.RowNumber)
        arrives = BY_ARRIVAL if counts and node.args.get("order") is None else 0
        return WINDOW | arrives | (UNSTABLE if by_rows else 0)
    name = node.name if isinstance(node, exp.Anonymous) else str(node.key)
    if BY_ORDER.fullmatch(name) is not None and node.find(exp.Order) is None:
        return UNSTABLE | BY_ARRIVAL
    return UNSTABLE if _is_unstable(name) or is_unknown(node) else 0


class Uses:
    """Numbers of readers of relations and columns within one statement."""

    def __init__(self, query: Query) -> None:
        self._relations: Counter[int] = Counter()
        self._outputs: Counter[int] = Counter()
        self._numbers: dict[int, int] = {}
        for one in queries_in(query):
            if isinstance(one, Select):
                self._relations.update(id(source.relation) for source in one.sources)
                for source in one.sources:
                    for merged in source.join.using if source.join is not None else ():
                        self._add(merged)
            if isinstance(one, (Select, SetOperation, Pivot)):
                for reference in one.references.values():
                    self._add(reference)
            if isinstance(one, Pivot):
                self._relations[id(one.source.relation)] += 1
            for output in (*one.outputs, *one.implied.values()):
                if output.node is None or output.from_star:
                    for reference in output.reads.references:
                        self._add(reference)

    def _add(self, reference: Reference) -> None:
        if isinstance(reference, Column) and reference.output is not None:
            self._outputs[id(reference.output)] += 1
        elif isinstance(reference, Merged):
            for column in reference.columns:
                self._add(column)
        elif isinstance(reference, Alias):
            self._outputs[id(reference.output)] += 1

    def is_read_once(self, output: Output) -> bool:
        """Return whether the statement names *output* in no more than one place."""
        return self._outputs[id(output)] <= 1

    def shared(self, relation: Query) -> int:
        """Return a number for *relation*, the same at each of its readers; 0 if it has only one."""
        if self._relations[id(relation)] <= 1:
            return 0
        return self._numbers.setdefault(id(relation), len(self._numbers) + 1)
