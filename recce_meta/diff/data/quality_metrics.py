"""Metrics of the users' own: SQL expressions that aggregate a table, all in one statement.

They are of all rows, also where only a sample is looked at otherwise: a threshold that a sample meets by
chance says nothing. Where the statement fails, each metric is asked for by itself, and those that fail again
have a reason. Rows are counted beside them, so that an expression that is no aggregate is refused instead of
giving a value of each row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal

from msgspec import Struct
from sqlglot import Token, TokenType, exp
from sqlglot.dialects.dialect import Dialect as SqlglotDialect
from sqlglot.errors import SqlglotError

from recce_meta.dialects import Dialect
from recce_meta.diff.data.failures import OF_ALL, failure
from recce_meta.diff.data.plan import Answer, Plan, Query, rows_of
from recce_meta.diff.data.quality_privacy import told
from recce_meta.diff.data.source import Source, condition
from recce_meta.errors import QueryTimeout
from recce_meta.models.data_diff import Value
from recce_meta.models.quality import MetricResult

METRICS_PER_STATEMENT = 200
NO_EXPRESSION = "it is no single SQL expression"
NO_AGGREGATE = "it gives {rows} rows, where an aggregate gives one"
_READS = frozenset([TokenType.TABLE, TokenType.WITH])
_HIDES = re.compile(r"""\bSELECT\b|\bCOLUMNS\b|#\d|\bU&["']""", re.IGNORECASE)
"""A query, also one in a text that a function runs; DuckDB's columns by pattern and by number; names and
texts in which a letter may be its number."""
_BEFORE_ALL = frozenset([TokenType.L_PAREN, TokenType.COMMA, TokenType.DOT])
"""What a star for all columns follows, and one that multiplies does not."""
_WORD = re.compile(r"\w+")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'|`[^`]*`|\[[^\]]*\]")
WITHHELD = "its value is withheld, as it may be one of a private column"


class Metric(Struct, frozen=True, kw_only=True):
    """What is to be measured, and what is expected of it."""

    name: str
    sql: str
    """An aggregate over the table, which is called `t`, in the warehouse's SQL: `SUM(amount) / COUNT(*)`."""
    column: str | None = None
    """The column that it is about; None where it is about the table."""
    threshold: str | None = None
    """What it has to meet, as it was written."""
    holds: Callable[[Value], bool | None] | None = None
    """Whether a value meets the threshold."""


def metric_values(
    source: Source, metrics: Sequence[Metric], withheld: Callable[[Metric], bool], *, may_quote: bool = True
) -> Plan[list[MetricResult]]:
    """The value of each of *metrics* over *source*, or why there is none.

    Of those that are *withheld*, only numbers and booleans are kept, and no words of the warehouse's; of none
    are these unless they *may_quote* values. Raises what stops every statement.
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
    """Whether *sql* may stand in parentheses: it is not empty, closes what it opens, and holds no statement.

    >>> from recce_meta.dialects import dialect_named
    >>> [is_expression(sql, dialect_named("duckdb")) for sql in ("count(*)", "1) FROM x; DROP TABLE y -- (")]
    [True, False]
    """
    tokens = _tokens(sql, dialect)
    depth = 0
    for token in tokens:
        depth += (token.token_type is TokenType.L_PAREN) - (token.token_type is TokenType.R_PAREN)
        if depth < 0 or token.token_type is TokenType.SEMICOLON:
            return False
    return bool(tokens) and depth == 0


def reads_more(sql: str, dialect: Dialect) -> bool:
    """Whether *sql* has a query in it, or columns that it does not name: nobody knows what it reads.

    >>> from recce_meta.dialects import dialect_named
    >>> [reads_more(sql, dialect_named("postgres")) for sql in ("(SELECT 1)", "extract(year FROM max(a))")]
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
    """None where it is no SQL."""
    try:
        return list(SqlglotDialect.get_or_raise(dialect.name).tokenize(sql))
    except SqlglotError:
        return []


def names_in(sql: str) -> list[str]:
    """All that may be a name in *sql*, texts included: a key of JSON is a name, too.

    >>> names_in("max(t.`e mail`) > 'x1'")
    ['max', 't', 'e', 'mail', 'x1', 'e mail', 'x1']
    """
    return _WORD.findall(sql) + [text[1:-1] for text in _QUOTED.findall(sql)]


def mentions(sql: str, names: Sequence[str]) -> bool:
    """Whether one of *names* stands in *sql* as a word, in any case of letters.

    >>> mentions("max(Email)", ["email"]), mentions("max(email_domain)", ["email"])
    (True, False)
    """
    return any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", sql, re.IGNORECASE) for name in names)


def _query(source: Source, metrics: Sequence[Metric]) -> Query:
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
    """The values that *answer* gives, or why there are none."""
    error = failure(answer, OF_ALL)
    if error is not None:
        return told(error, is_withheld=is_withheld)
    rows = rows_of(answer)
    if len(rows) != 1:
        return NO_AGGREGATE.format(rows=len(rows))
    return rows[0][1:] if len(rows[0]) == width + 1 else NO_EXPRESSION


def _with(metric: Metric, value: Value, is_withheld: bool) -> MetricResult:
    holds = metric.holds(value) if metric.holds is not None else None
    is_kept = not is_withheld or value is None or isinstance(value, (bool, int, float, Decimal))
    return MetricResult(
        name=metric.name,
        value=value if is_kept else None,
        threshold=metric.threshold,
        holds=holds,
        reason=None if is_kept else WITHHELD,
    )


def _without(metric: Metric, reason: str) -> MetricResult:
    sql = " ".join(metric.sql.split())
    return MetricResult(name=metric.name, threshold=metric.threshold, reason=f"{reason}, in: {sql}")
