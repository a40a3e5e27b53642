"""User-defined metrics: SQL expressions that aggregate a table, all in one query.

They cover all rows even if other figures use a sample: a threshold that a sample meets by chance proves
nothing. If the query fails, each metric is queried separately, and those that fail again have a reason. The
query also counts rows, so that the warehouse rejects an expression that is not an aggregate.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal

from msgspec import Struct
from sqlglot import Token, TokenType, exp
from sqlglot.dialects.dialect import Dialect as SqlglotDialect
from sqlglot.errors import SqlglotError

from recce_meta.data_diff.plan import Answer, Plan, Query, failure, rows_of
from recce_meta.data_diff.source import SideRelation, condition
from recce_meta.errors import QueryTimeout
from recce_meta.models.data_diff import Value
from recce_meta.models.quality import MetricResult
from recce_meta.quality.privacy import failure_reason
from recce_meta.warehouses.dialect import Dialect

METRICS_PER_STATEMENT = 200
NO_EXPRESSION = "it is not a single SQL expression"
NO_AGGREGATE = "it returns {rows} rows, but an aggregate returns one"
_READS = frozenset([TokenType.TABLE, TokenType.WITH])
_HIDES = re.compile(r"""\bSELECT\b|\bCOLUMNS\b|#\d|\bU&["']""", re.IGNORECASE)
"""Constructs that can hide column reads: a query, even in a text that a function runs; DuckDB's columns by
pattern or number; names and texts with escaped letters."""
_BEFORE_ALL = frozenset([TokenType.L_PAREN, TokenType.COMMA, TokenType.DOT])
"""Tokens before a star for all columns, as opposed to multiplication."""
_WORD = re.compile(r"\w+")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'|`[^`]*`|\[[^\]]*\]")
WITHHELD = "its value is withheld because it may come from a private column"


class MetricQuery(Struct, frozen=True, kw_only=True):
    """Metric to measure, and its expectation."""

    name: str
    sql: str
    """Aggregate over the table `t`, in the warehouse's SQL: `SUM(amount) / COUNT(*)`."""
    column: str | None = None
    """Column that it describes; None for the table."""
    threshold: str | None = None
    """Condition to meet, as the user wrote it."""
    holds: Callable[[Value], bool | None] | None = None
    """Returns whether a value meets the threshold."""


def metric_values(
    source: SideRelation,
    metrics: Sequence[MetricQuery],
    withheld: Callable[[MetricQuery], bool],
    *,
    may_quote: bool = True,
) -> Plan[list[MetricResult]]:
    """Return the value of each of *metrics* over *source*, or why it is missing.

    For *withheld* metrics, only numbers and booleans are returned, and no error texts of the warehouse.
    Without *may_quote*, no metric returns these texts. Raises errors that stop every query.
    """
    found: dict[int, MetricResult] = {}
    asked = []
    for number, metric in enumerate(metrics):
        if is_expression(metric.sql, source.dialect):
            asked.append(number)
        else:
            found[number] = _without(metric, NO_EXPRESSION)
    batches = [
        asked[start : start + METRICS_PER_STATEMENT] for start in range(0, len(asked), METRICS_PER_STATEMENT)
    ]
    while batches:
        answers = yield [_query(source, [metrics[number] for number in batch]) for batch in batches]
        again: list[list[int]] = []
        for batch, answer in zip(batches, answers, strict=True):
            row = _row(answer, len(batch))
            if not isinstance(row, str):
                for number, value in zip(batch, row, strict=True):
                    found[number] = _with(metrics[number], value, withheld(metrics[number]))
            # After a timeout, each of them could take as long again.
            elif len(batch) > 1 and not isinstance(answer, QueryTimeout):
                again += [[number] for number in batch]
            else:
                for number in batch:
                    is_withheld = not may_quote or withheld(metrics[number])
                    reason = _row(answer, len(batch), is_withheld=is_withheld)
                    found[number] = _without(metrics[number], str(reason))
        batches = again
    return [found[number] for number in range(len(metrics))]


def is_expression(sql: str, dialect: Dialect) -> bool:
    """Return True if *sql* can be put in parentheses: not empty, balanced, and without a semicolon.

    >>> from recce_meta.warehouses.dialect import dialect_named
    >>> [is_expression(sql, dialect_named("duckdb")) for sql in ("count(*)", "1) FROM x; DROP TABLE y -- (")]
    [True, False]
    """
    # An unbalanced text could close the parentheses around it and continue with another query.
    tokens = _tokens(sql, dialect)
    depth = 0
    for token in tokens:
        depth += (token.token_type is TokenType.L_PAREN) - (token.token_type is TokenType.R_PAREN)
        if depth < 0 or token.token_type is TokenType.SEMICOLON:
            return False
    return bool(tokens) and depth == 0


def reads_unnamed_columns(sql: str, dialect: Dialect) -> bool:
    """Return True if *sql* contains a query or unnamed columns, so the columns it reads are unknown.

    >>> from recce_meta.warehouses.dialect import dialect_named
    >>> queries = ("(SELECT 1)", "extract(year FROM max(a))")
    >>> [reads_unnamed_columns(sql, dialect_named("postgres")) for sql in queries]
    [True, False]
    """
    before = TokenType.L_PAREN
    for token in _tokens(sql, dialect):
        is_first = before is TokenType.L_PAREN
        if token.token_type in _READS or (is_first and token.token_type is TokenType.FROM):
            return True
        if token.token_type is TokenType.STAR and before in _BEFORE_ALL:
            return True
        before = token.token_type
    return _HIDES.search(sql) is not None


def _tokens(sql: str, dialect: Dialect) -> list[Token]:
    """Return the tokens of *sql*, or none if it is invalid."""
    try:
        return list(SqlglotDialect.get_or_raise(dialect.name).tokenize(sql))
    except SqlglotError:
        return []


def names_in(sql: str) -> list[str]:
    """Return everything in *sql* that may be a name, including strings: a JSON key is a name too.

    >>> names_in("max(t.`e mail`) > 'x1'")
    ['max', 't', 'e', 'mail', 'x1', 'e mail', 'x1']
    """
    return _WORD.findall(sql) + [text[1:-1] for text in _QUOTED.findall(sql)]


def mentions_name(sql: str, names: Sequence[str]) -> bool:
    """Return True if *sql* contains one of *names* as a word, ignoring case.

    >>> mentions_name("max(Email)", ["email"]), mentions_name("max(email_domain)", ["email"])
    (True, False)
    """
    return any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", sql, re.IGNORECASE) for name in names)


def _query(source: SideRelation, metrics: Sequence[MetricQuery]) -> Query:
    values = [exp.alias_(condition(metric.sql), f"m{number}") for number, metric in enumerate(metrics)]
    what = f"metric {metrics[0].name}" if len(metrics) == 1 else f"{len(metrics)} metrics"
    return Query(
        expression=source.select(exp.alias_(exp.Count(this=exp.Star()), "row_count"), *values),
        dialect=source.dialect,
        side=source.side,
        about=f"{what} of {source.name}",
        assumed=[(0, *(None for _ in metrics))],
    )


def _row(answer: Answer, width: int, *, is_withheld: bool = False) -> Sequence[Value] | str:
    """Return the values of *answer*, or why there are none."""
    error = failure(answer)
    if error is not None:
        return failure_reason(error, is_withheld=is_withheld)
    rows = rows_of(answer)
    if len(rows) != 1:
        return NO_AGGREGATE.format(rows=len(rows))
    # A text with a comma may be several expressions.
    return rows[0][1:] if len(rows[0]) == width + 1 else NO_EXPRESSION


def _with(metric: MetricQuery, value: Value, is_withheld: bool) -> MetricResult:
    holds = metric.holds(value) if metric.holds is not None else None
    is_kept = not is_withheld or value is None or isinstance(value, (bool, int, float, Decimal))
    return MetricResult(
        name=metric.name,
        value=value if is_kept else None,
        threshold=metric.threshold,
        holds=holds,
        reason=None if is_kept else WITHHELD,
    )


def _without(metric: MetricQuery, reason: str) -> MetricResult:
    sql = " ".join(metric.sql.split())
    return MetricResult(name=metric.name, threshold=metric.threshold, reason=f"{reason}, in: {sql}")
