"""Command `scan`, and the options of `scan` and `quality` that name the database to read."""

from __future__ import annotations

import click

from recce_meta.cli.lazy import lazy, packed, together
from recce_meta.cli.options import (
    CONNECTION,
    LISTS,
    OUTPUT,
    connection_options,
    format_option,
    notify_options,
)

_database = packed(
    "database",
    "recce_meta.cli.run.scan:Database",
    click.option(
        "--store",
        metavar="TARGET",
        help="Target or URL of the store. [default: the database itself] [env: RECCE_META_STORE]",
    ),
    click.option(
        "--schema",
        "schemas",
        multiple=True,
        metavar="NAME",
        help="Schema to read, or a glob; may be repeated. [default: all except system schemas]",
    ),
    click.option(
        "--include",
        multiple=True,
        metavar="GLOB",
        help="Only relations whose name or schema.name matches: 'film*', 'public.*'.",
    ),
    click.option("--exclude", multiple=True, metavar="GLOB", help="Skip relations that match."),
)
reading_database = together(
    packed(
        "connection",
        CONNECTION,
        connection_options(target="Target of the profile: the database to read.", schema="--store-schema"),
    ),
    _database,
)
"""Decorator that adds the options that name the database and passes them as one argument, `database`.

The connection options are for the database. `--store` names another location for the store. `--schema`
names schemas to read; the store's own schema is `--store-schema`.
"""


@click.command()
@reading_database
@click.option(
    "-e",
    "--environment",
    default="current",
    show_default=True,
    help="Label of the run: production, staging, or any other label. [env: RECCE_META_ENVIRONMENT]",
)
@click.option("--project", help="Project of the run. [default: name of the database]")
@click.option("--run-id", help="Id of the run. [default: a new id]")
@click.option("--git-sha", help="Commit. [default: from git or CI]")
@click.option("--branch", help="Branch. [default: from git or CI]")
@click.option("--pull-request", help="Pull request number. [default: from CI]")
@click.option("--no-columns", is_flag=True, help="Record no column lineage.")
@click.option("--dry-run", is_flag=True, help="Compare with the previous scan and record nothing.")
@click.option(
    "--fail-on",
    multiple=True,
    help="Exit with 1 on any of these: a status, an effect, a reason, or any. Repeatable.",
)
@notify_options("of changes")
@click.option("-o", "--output", type=OUTPUT, help="File to write the report to.")
@format_option("table", "json", "markdown", *LISTS)
@lazy("recce_meta.cli.run.scan:scan")
def scan() -> None:
    """Record the structure of a live database and show changes since the previous scan.

    Schemas, tables and views with their columns, constraints and indexes become one run. Every other command
    reads it like a dbt run: diff, lineage, impact, value, ... No rows are read.

    The previous scan is the latest with the same project, environment and scope. If there is no such scan, it
    is the latest with any scope, and only relations in both scopes are compared.

    Statuses: added, removed, modified. Effects: fails, may_fail, breaking, partial_breaking, unknown.

    Reasons: body, columns, contract (constraints), config (indexes, owner, options, kind), descriptions
    (comments), parents.
    """
