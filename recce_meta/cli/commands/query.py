"""Command `query`, which runs a user's query on the store."""

from __future__ import annotations

import click

from recce_meta.cli.lazy import lazy
from recce_meta.cli.options import MOST, OUTPUT, connecting, format_option
from recce_meta.store.sql_files import cookbook_topics


def _topics() -> str:
    """Return the names of the questions of the cookbook by topic, for the help."""
    topics = cookbook_topics().items()
    return "Cookbook:\n\n" + "\n\n".join(f"{topic}: {', '.join(names)}." for topic, names in topics)


@click.command(epilog=_topics())
@connecting
@click.argument("sql", required=False)
@click.option("--cookbook", metavar="NAME", help="Run this question of the cookbook.")
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(0, MOST),
    help="Maximum number of rows, 0 for all. [default: 100 as a table or Markdown, else all]",
)
@click.option(
    "--budget",
    type=click.FloatRange(min=0, min_open=True),
    help="Seconds after which the query is cancelled.",
)
@click.option("-o", "--output", type=OUTPUT, help="File to write the rows to.")
@format_option("table", "json", "markdown", "csv", "tsv")
@lazy("recce_meta.cli.run.query:query")
def query() -> None:
    """Run a read-only query on the store.

    SQL is one SELECT in the warehouse's dialect, @FILE for a file, or - for standard input. It is sent as it
    is. Names without a schema are those of the store: runs, nodes, lineage and the other views. Without SQL,
    the command prints the questions of the cookbook.
    """
