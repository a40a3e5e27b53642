"""Implementation of the command `query`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import Any

from recce_meta import report
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.adapter.connection import Stream
from recce_meta.cli.connections import Connection
from recce_meta.cli.options import emit_bytes, progress, report_size, say, sql_argument, write
from recce_meta.errors import UsageError
from recce_meta.store.query import cookbook_query, editable_lines, open_query
from recce_meta.store.sql_files import cookbook_topics

SHOWN_ROWS = 100
"""Rows of a table, unless --limit says otherwise."""
BATCH_ROWS = 2000
STREAMED = ("json", "csv", "tsv")

Batches = Iterator[tuple[list[tuple[Any, ...]], bool]]


def query(
    connection: Connection,
    sql: str | None,
    cookbook: str | None,
    limit: int | None,
    budget: float | None,
    output: Path | None,
    style: str,
) -> None:
    """Run a user's query, or a question of the cookbook, and print its rows; else list the questions."""
    if sql is None and cookbook is None:
        write(_questions(), output)
        return
    is_streamed = style in STREAMED
    # Streams are read by programs, which want all rows.
    most = (None if is_streamed else SHOWN_ROWS) if limit is None else limit or None
    # One row more shows that others are left out.
    size = BATCH_ROWS if most is None else min(BATCH_ROWS, most + 1)
    with ExitStack() as stack:
        adapter = stack.enter_context(connection.open_existing())
        text = _statement(adapter, sql, cookbook)
        with progress("querying"):
            opened = open_query(adapter, text, batch_rows=size, timeout=budget)
            stream = stack.enter_context(opened)
            batches = _batches(stream, most)
            # Fetched here, so that the spinner is gone before the first output.
            first = next(batches, ([], True))
        batches = chain([first], batches)
        if is_streamed:
            _write_pieces(_pieces(stream.columns, batches, style), output)
        else:
            write(_table(stream.columns, batches, style, output), output)


def _questions() -> str:
    """Return the questions of the cookbook by topic."""
    topics = cookbook_topics()
    width = max(len(name) for questions in topics.values() for name in questions)
    lines = []
    for topic, questions in topics.items():
        lines += [topic, *(f"  {name:{width}}  {question}" for name, question in questions.items()), ""]
    return "\n".join([*lines, "Run a question with recce-meta query --cookbook NAME.", ""])


def _batches(stream: Stream, most: int | None) -> Batches:
    """Yield up to *most* rows in batches, each with False if rows after it are left out."""
    left = most
    for rows in stream:
        if left is not None and len(rows) > left:
            yield rows[:left], False
            return
        left = None if left is None else left - len(rows)
        yield rows, True


def _pieces(columns: Sequence[str], batches: Batches, style: str) -> Iterator[bytes]:
    if style == "json":
        return report.rows_json(columns, batches)
    return report.rows_delimited(columns, batches, style)


def _write_pieces(pieces: Iterator[bytes], output: Path | None) -> None:
    if output is None:
        emit_bytes(pieces)
        return
    with output.open("wb") as file:
        file.writelines(pieces)


def _table(columns: Sequence[str], batches: Batches, style: str, output: Path | None) -> str:
    rows: list[tuple[Any, ...]] = []
    is_complete = True
    for some, is_whole in batches:
        rows += some
        is_complete = is_whole
    if style == "markdown":
        return report.rows_markdown(columns, rows, is_complete=is_complete)
    return report.rows_text(columns, rows, is_complete=is_complete, **report_size(output))


def _statement(adapter: UnifiedSqlAdapter, sql: str | None, cookbook: str | None) -> str:
    """Return the query of the command line: *sql*, or the question *cookbook*."""
    if sql is not None and cookbook is not None:
        hint = 'recce-meta query "select * from runs", or --cookbook NAME'
        raise UsageError("--cookbook cannot be combined with SQL", hint=hint)
    if cookbook is None:
        if any(sql in questions for questions in cookbook_topics().values()):
            raise UsageError(f"'{sql}' is a question", hint=f"recce-meta query --cookbook {sql}")
        return sql_argument(sql or "")
    text = cookbook_query(cookbook, adapter.warehouse, adapter.schema)
    if lines := editable_lines(text):
        say(
            f"{lines} line{'' if lines == 1 else 's'} of this question can be edited: save it with"
            f" recce-meta sql cookbook --name {cookbook} > FILE, then recce-meta query @FILE"
        )
    return text
