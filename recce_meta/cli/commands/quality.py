"""Command `quality`: measurements of the data quality of tables, and their history."""

from __future__ import annotations

import re
from pathlib import Path

import click

from recce_meta.cli.commands.scan import reading_database
from recce_meta.cli.lazy import lazy, packed
from recce_meta.cli.options import (
    LISTS,
    MOST,
    ONE_RUN,
    OUTPUT,
    format_option,
    notify_options,
    private_words,
    selecting,
)
from recce_meta.errors import quoted

_PERCENT = re.compile(r"(\d+(?:\.\d+)?|\.\d+)\s*%")


def parse_sample(text: str) -> tuple[float | None, int | None]:
    """Return `10%` as `(10.0, None)`, and `10000` rows as `(None, 10000)`."""
    if found := _PERCENT.fullmatch(text.strip()):
        return float(found[1]), None
    if text.strip().isdecimal() and 0 < int(text) <= MOST:
        return None, int(text)
    raise click.BadParameter(
        f"{quoted(text)} is neither a percentage such as 10% nor a number of rows such as 10000"
    )


@click.command()
@reading_database
@packed(
    "options",
    "recce_meta.cli.run.quality:QualityOptions",
    click.argument("nodes", nargs=-1),
    selecting("tag:nightly+ ", has_exclude=False),
    click.option("--run", "selector", help=f"Run selector of the nodes to measure. {ONE_RUN}"),
    click.option(
        "--project", help="Project of the run. [default: from dbt_project.yml, else name of the database]"
    ),
    click.option(
        "--sample",
        type=parse_sample,
        metavar="10%|ROWS",
        help="Percentage or number of rows to sample.",
    ),
    click.option(
        "--seed", type=click.IntRange(0, MOST), default=0, show_default=True, help="Seed of the sample."
    ),
    click.option(
        "--top-k",
        type=click.IntRange(0, 1000),
        default=10,
        show_default=True,
        help="Number of most frequent values to list.",
    ),
    click.option(
        "--no-values/--values",
        "no_values",
        default=False,
        help="Measure counts, shares and lengths only; fetch and store no values.",
    ),
    click.option(
        "--private",
        multiple=True,
        callback=private_words,
        metavar="WORDS",
        help="Words in names of columns with private values, which are never fetched; adds to the built-in "
        "words and the configuration: 'surname', '*note', '!token count' for an exception.",
    ),
    click.option(
        "--metrics",
        type=click.Path(dir_okay=False, path_type=Path),
        help="File of metrics and expectations. [default: quality.yml, if it exists]",
    ),
    click.option(
        "--threads",
        type=click.IntRange(min=1),
        help="Number of concurrent queries. [default: the profile's threads]",
    ),
    click.option(
        "--budget",
        type=click.FloatRange(min=0, min_open=True),
        help="Seconds after which queries are cancelled; completed measurements are stored.",
    ),
    click.option("--sql", "show_sql", is_flag=True, help="Print the queries instead of running them."),
    click.option(
        "--fail-on",
        multiple=True,
        metavar="CONDITION",
        help="Exit with 1 if the condition is met: 'null_share > 10%', "
        "'film.rating: null_share > +5%', regression.",
    ),
    click.option(
        "--allow-empty",
        is_flag=True,
        help="Accept a selection without tables, which is otherwise an error.",
    ),
    click.option(
        "--against",
        metavar="MEASUREMENT",
        help="Measurement to compare with. [default: each table's previous measurement]",
    ),
    click.option(
        "--show", "shown", metavar="MEASUREMENT", help="Show a stored measurement: latest, latest~1, an id."
    ),
    click.option(
        "--history", is_flag=True, help="List stored measurements, of all tables or of one table or column."
    ),
    click.option(
        "-n",
        "--limit",
        type=click.IntRange(1, MOST),
        default=20,
        show_default=True,
        help="Maximum number of entries of --history.",
    ),
    click.option("-o", "--output", type=OUTPUT, help="File to write the report to."),
    format_option("table", "json", "markdown", *LISTS),
)
@notify_options("of failed expectations and conditions")
@lazy("recce_meta.cli.run.quality:quality")
def quality() -> None:
    """Measure and store the quality of tables, and show changes.

    NODES are names, schema.table, or unique ids of the latest run's nodes. Without NODES and --select, the
    models, seeds and snapshots of a dbt run are measured, or the tables and materialized views of a scan. If
    nothing has been recorded yet, the database is scanned first.

    Conditions are FIGURE OPERATOR VALUE. A VALUE with a sign is the change since the previous measurement:
    +5% means percentage points for a share, and per cent of the previous value for any other figure. Figures:
    row_count, column_count, score, null_count, null_share, blank_count, distinct_count, distinct_share, min,
    max, mean, median, true_count, min_length, max_length, avg_length, and metrics of the file. regression is
    a lower score, or a measurement or expectation that has begun to fail.

    MEASUREMENT is an id or its beginning, latest, an environment, before:2026-11-01, or one of these with ~N.
    """
