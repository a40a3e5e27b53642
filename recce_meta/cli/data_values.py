"""`value` and `query-diff`: rows compared one by one, in the warehouse."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import wraps
from typing import Any

import click

from recce_meta.cli.data import Asked, about_nodes, columns_options, format_of_data, names, where_option
from recce_meta.cli.data_options import DataOptions, Output, comparing_data, output_options
from recce_meta.cli.options import together
from recce_meta.diff.data.settings import DEFAULT_LIMIT, PRECISIONS, ValueOptions
from recce_meta.errors import quoted

F = Callable[..., Any]


def _percent(_context: click.Context, _option: click.Parameter, value: str | None) -> float | None:
    """`10%` or `10` as a number."""
    if value is None:
        return None
    try:
        return float(value.strip().removesuffix("%"))
    except ValueError:
        raise click.BadParameter(f"{quoted(value)} is not a share such as 10%") from None


def _decimal(_context: click.Context, _option: click.Parameter, value: str) -> Decimal:
    """The number that *value* writes: no float stands for 0.001."""
    try:
        number = Decimal(value.strip())
    except InvalidOperation:
        raise click.BadParameter(f"{quoted(value)} is not a number") from None
    if number.is_nan():
        raise click.BadParameter(f"{quoted(value)} is not a number")
    return number


def _comparing_values(command: F) -> F:
    """Give *command* the options of value diffs, as one argument `options`."""

    @wraps(command)
    def wrapped(
        key: tuple[str, ...],
        columns: tuple[str, ...],
        exclude_columns: tuple[str, ...],
        where: str | None,
        sample: float | None,
        limit: int,
        tolerance: Decimal,
        relative_tolerance: Decimal,
        timestamp_precision: str | None,
        ignore_case: bool,
        ignore_trailing_blanks: bool,
        **others: Any,
    ) -> Any:
        options = ValueOptions(
            key=key or None,
            columns=columns,
            exclude_columns=exclude_columns,
            where=where,
            sample=sample,
            limit=limit,
            absolute=tolerance,
            relative=relative_tolerance,
            timestamp_precision=timestamp_precision,
            ignore_case=ignore_case,
            ignore_trailing_blanks=ignore_trailing_blanks,
        )
        return command(options=options, **others)

    return _KEY(columns_options(where_option(_VALUES(wrapped))))


_KEY: Callable[[F], F] = click.option(
    "-k",
    "--key",
    multiple=True,
    callback=names,
    help="Columns that identify a row: -k id, or -k order_id,line. [default: as the project declares]",
)
_VALUES: Callable[[F], F] = together(
    click.option(
        "--sample", callback=_percent, metavar="PERCENT", help="Compare only this share of the keys: 10%."
    ),
    click.option(
        "--limit", type=click.IntRange(min=1), default=DEFAULT_LIMIT, show_default=True, help="Rows shown."
    ),
    click.option(
        "--tolerance",
        callback=_decimal,
        default="0",
        metavar="NUMBER",
        help="Numbers this far apart are equal.",
    ),
    click.option(
        "--relative-tolerance",
        callback=_decimal,
        default="0",
        metavar="SHARE",
        help="Numbers this far apart, as a share of the larger one, are equal.",
    ),
    click.option(
        "--timestamp-precision", type=click.Choice(PRECISIONS), help="Cut times to this unit first."
    ),
    click.option("--ignore-case", is_flag=True, help="Compare texts in lower case."),
    click.option("--ignore-trailing-blanks", is_flag=True, help="Compare texts without spaces at their end."),
)


@click.command()
@about_nodes
@_comparing_values
@click.option("--detail", is_flag=True, help="The rows that differ, instead of figures by column.")
def value(asked: Asked, options: ValueOptions, detail: bool) -> None:
    """Rows matched by key, and the values of every column compared.

    The key is what --key names, or else what the project declares: a primary key, unique_key, a unique test.
    Without any, whole rows are compared.
    """

    from recce_meta.cli.work import values

    values.value(asked, options, detail)


@click.command("query-diff")
@comparing_data
@output_options
@_comparing_values
@click.argument("sql")
@click.option("--base-sql", help="What to run on base instead.")
@click.option("--vars", "variables", help="Values for var(), as a YAML mapping.")
@format_of_data
def query_diff(
    data: DataOptions,
    options: ValueOptions,
    sql: str,
    base_sql: str | None,
    variables: str | None,
    style: str,
    **output: Any,
) -> None:
    """The results of a query on both sides.

    SQL is a template, a file that holds one (@orders.sql), or - for standard input: ref() and source() are
    base's relations on base, and current's on current.
    """
    from recce_meta.cli.work import values

    values.query_diff(data, Output(style=style, **output), options, sql, base_sql, variables)
