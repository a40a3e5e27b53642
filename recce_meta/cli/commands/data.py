"""Commands of the data diffs, and their options: runs and targets, nodes, columns, keys and output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from recce_meta.cli.data_options import (
    parse_decimal,
    parse_moment,
    parse_percent,
    split_casts,
    split_key,
    split_names,
)
from recce_meta.cli.lazy import Decorator, lazy, packed, together
from recce_meta.cli.options import (
    LISTS,
    OUTPUT,
    comparing_runs,
    connecting,
    data_places_options,
    data_target_option,
    details_option,
    format_option,
    privacy_options,
    project_option,
    selecting,
)
from recce_meta.models.diff_kinds import (
    DETAIL,
    HISTOGRAM,
    KEY,
    PREVIEW,
    PROFILE,
    ROW_COUNT,
    TOP_K,
    VALUE,
    DiffKind,
    Door,
    Option,
    OptionType,
)

_threads = click.option(
    "--threads",
    type=click.IntRange(min=1),
    help="Number of concurrent queries. [default: the profile's threads; 1 on DuckDB]",
)
_budget = click.option(
    "--budget",
    type=click.FloatRange(min=0, min_open=True),
    help="Seconds after which queries are cancelled.",
)
comparing_data = together(
    connecting,
    packed(
        "data",
        "recce_meta.cli.run.data:DataOptions",
        project_option,
        comparing_runs,
        click.option(
            "--tables",
            nargs=2,
            multiple=True,
            metavar="BASE CURRENT",
            help="Two relations to compare instead of nodes; needs no store.",
        ),
        data_places_options,
        click.option(
            "--base-at",
            metavar="MOMENT",
            callback=parse_moment,
            help="Read tables of base as they were: '2026-11-25 08:00' (UTC), -2h, a version. Base is then "
            "the run of current, unless --base names another.",
        ),
        _threads,
        _budget,
        privacy_options,
    ),
)
"""Decorator that adds the options that name the data and passes them as one argument, `data`."""

_format = format_option("table", "json", "markdown", "html", *LISTS)
_show_sql = click.option("--sql", "show_sql", is_flag=True, help="Print the queries instead of running them.")
_output = click.option("-o", "--output", type=OUTPUT, help="File to write the report to.")
_writing_data = packed(
    "output",
    "recce_meta.cli.run.data:DataOutput",
    _show_sql,
    click.option("--save", is_flag=True, help="Save the results in the store, with both runs."),
    details_option,
    _output,
)
"""Decorator that adds the output options and passes them as one argument, `output`.

Requires `_format`, which comes later in the help.
"""

_comparing_nodes = together(
    comparing_data,
    _writing_data,
    packed(
        "command",
        "recce_meta.cli.run.data:DataCommand",
        selecting("state:modified+ "),
        click.argument("nodes", nargs=-1),
        _format,
    ),
)
"""Decorator that adds the options about data and nodes and passes them as one argument, `command`."""


_VALUES: Mapping[OptionType, Mapping[str, Any]] = {
    OptionType.NAMES: {"multiple": True, "callback": split_names},
    OptionType.SQL: {},
    OptionType.PERCENT: {"callback": parse_percent, "metavar": "PERCENT"},
    OptionType.NUMBER: {"callback": parse_decimal, "metavar": "NUMBER"},
    OptionType.FLAG: {"is_flag": True},
    OptionType.CASTS: {"multiple": True, "callback": split_casts, "metavar": "COLUMN=TYPE"},
}


def _options(kind: DiffKind, *fields: str, parameter: str = "") -> Decorator:
    """Return a decorator that adds the options of *kind*, or only those with names in *fields*.

    *parameter* is the name of a single one in the function of the command.
    """
    found = [_option(one, parameter) for one in kind.at(Door.COMMAND) if not fields or one.name in fields]
    return together(*found)


def _option(option: Option, parameter: str) -> Decorator:
    values = dict(_VALUES.get(option.type, {}))
    if option.type is OptionType.WHOLE:
        values = {
            "type": click.IntRange(1, option.most),
            "default": option.default,
            "show_default": True,
        }
    if option.choices:
        values["type"] = click.Choice(option.choices)
    if option is KEY:
        values["callback"] = split_key
    if option.name == "relative_tolerance":
        values["metavar"] = "SHARE"
    name = f"--{option.name.replace('_', '-')}"
    names = [option.short, *([] if option.short.startswith("--") else [name])]
    return click.option(*filter(None, names), parameter or option.name, help=option.help, **values)


_comparing_values = packed(
    "options",
    "recce_meta.data_diff.options:ValueOptions",
    _options(DETAIL),
)
"""Decorator that adds the options of value diffs and passes them as one argument, `options`."""
_comparing_figures = packed(
    "scope",
    "recce_meta.data_diff.options:FigureScope",
    _options(PROFILE, "columns", "exclude_columns", "where"),
)
"""Decorator that adds the options of figures and passes them as one argument, `scope`."""


@click.command("row-count")
@_comparing_nodes
@_options(ROW_COUNT)
@lazy("recce_meta.cli.run.data:row_count")
def row_count() -> None:
    """Compare row counts.

    NODES are names or unique ids. [default: changed nodes and the nodes they affect]

    Counts stored with the base run (record --stats) are used.
    """


@click.command()
@_comparing_nodes
@click.option("--stored", is_flag=True, help="Compare the recorded columns without querying the warehouse.")
@lazy("recce_meta.cli.run.data:schema")
def schema() -> None:
    """Compare columns and their types, read from the warehouse."""


@click.command()
@_comparing_nodes
@_comparing_figures
@_options(PROFILE, "live", "approximate")
@lazy("recce_meta.cli.run.data:profile")
def profile() -> None:
    """Compare column statistics, such as NULLs and distinct values.

    Statistics stored with the base run (record --stats profile) are used.
    """


def _figure_command(kind: DiffKind) -> click.Command:
    """Return the command of a *kind* of figures that has a number."""
    assert kind.number is not None, "profile has options of its own"

    @_comparing_nodes
    @_comparing_figures
    @_options(kind, kind.number.name, parameter="number")
    @lazy("recce_meta.cli.run.data:figure_diff", kind=kind)
    def command() -> None:
        """Compare figures of columns."""

    return click.command(kind.command, help=kind.help)(command)


top_k = _figure_command(TOP_K)
histogram = _figure_command(HISTOGRAM)


@click.command()
@connecting
@packed(
    "data",
    "recce_meta.cli.run.data:DataOptions",
    project_option,
    click.option(
        "--base",
        metavar="RUN",
        help="Run selector of base, or path:DIR. [default: the artifacts in target/, else the run of the "
        "merge base, else the latest run of base]",
    ),
    data_target_option,
    _threads,
    _budget,
    privacy_options,
)
@packed(
    "output",
    "recce_meta.cli.run.data:DataOutput",
    _show_sql,
    details_option,
    _output,
    _format,
)
@_comparing_values
@selecting("orders+")
@_options(PREVIEW, "compare")
@click.option("--downstream", is_flag=True, help="Preview the models that read the edited ones, too.")
@_options(VALUE, "why", parameter="explains")
@click.option(
    "--fail-on",
    multiple=True,
    metavar="WHAT",
    help="Exit with 1 for an edit such as breaking, removed, fails, any: the conditions of diff --fail-on.",
)
@lazy("recce_meta.cli.run.preview:preview")
def preview() -> None:
    """Show what edits of model files do to the data, before a build.

    Base is what dbt built last. The SQL of base and that of the edited files run over the relations of base;
    nothing is built or written. Exits with 2 if an edited node cannot be previewed.
    """


@click.command()
@_comparing_nodes
@_comparing_values
@click.option("--detail", is_flag=True, help="Show the rows that differ instead of counts by column.")
@_options(VALUE, "why", parameter="explains")  # `why` of ValueOptions is a function
@lazy("recce_meta.cli.run.data:value")
def value() -> None:
    """Match rows by key and compare the values of every column.

    The key is given by --key, or declared in the project: a primary key, unique_key or a unique test.
    Whole rows are compared if there is no key.
    """


@click.command("query-diff")
@comparing_data
@_writing_data
@_comparing_values
@click.argument("sql")
@click.option("--base-sql", help="Query to run on base. [default: SQL]")
@click.option("--vars", "variables", help="Values for var(), as a YAML mapping.")
@_format
@lazy("recce_meta.cli.run.data:query_diff")
def query_diff() -> None:
    """Compare the results of a query.

    SQL is a template, a file that holds a template (@orders.sql), or - for standard input. ref() and source()
    resolve to base's relations on base, and to current's on current.
    """
