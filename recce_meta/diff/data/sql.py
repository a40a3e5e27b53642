"""Pieces of SQL put together as they are: sqlglot's own functions copy what they are given, at every step.

So an expression that is used twice has to be copied where it is used.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlglot import exp

from recce_meta.dialects import Sql


def selecting(*columns: Sql) -> exp.Select:
    """A query of *columns*."""
    return exp.Select(expressions=list(columns))


def aliased(value: Sql, name: str) -> Sql:
    """*value* as a column called *name*."""
    return exp.Alias(this=value, alias=exp.to_identifier(name))


def all_of(conditions: Iterable[Sql]) -> Sql:
    """Whether all *conditions* hold."""
    return exp.and_(*conditions, copy=False)


def any_of(conditions: Iterable[Sql]) -> Sql:
    """Whether any of *conditions* holds."""
    return exp.or_(*conditions, copy=False)


def negated(condition: Sql) -> Sql:
    """Whether *condition* does not hold."""
    return exp.not_(condition, copy=False)


def is_null(value: Sql) -> Sql:
    """Whether *value* is NULL."""
    return exp.Is(this=value, expression=exp.null())


def is_not_null(value: Sql) -> Sql:
    """Whether there is a *value*."""
    return negated(is_null(value))
