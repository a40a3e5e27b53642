"""`sql`, `prune` and `doctor`: the store itself."""

from __future__ import annotations

import re
from datetime import timedelta

import click

from recce_meta import report
from recce_meta.api.checking import doctor as run_checks
from recce_meta.cli.options import MOST, Connection, connecting, emit, format_option, screen
from recce_meta.errors import RecceMetaError, UnknownNameError, quoted
from recce_meta.store import files
from recce_meta.store.migrate import schema_text
from recce_meta.store.prune import prune as prune_store
from recce_meta.warehouses import warehouse_named

UNITS = {"d": "days", "w": "weeks", "h": "hours"}
KINDS = {"ddl": "table", "views": "view", "cookbook": "question"}
"""What `sql` prints, and what one of its files is called."""


def age(text: str) -> timedelta:
    """`30d`, `12h` or `8w` as a time span."""
    found = re.fullmatch(r"(\d{1,5})([dwh])", text)
    if found is None:
        raise click.BadParameter(f"{quoted(text)} is not an age such as 30d, 8w or 12h")
    return timedelta(**{UNITS[found[2]]: int(found[1])})


@click.command()
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.option("--dialect", type=click.Choice(files.dialects()), default="duckdb", show_default=True)
@click.option(
    "--schema", default=files.DEFAULT_SCHEMA, show_default=True, help="Schema that holds the store."
)
@click.option("--name", help="One table, view or question; default: all.")
def sql(kind: str, dialect: str, schema: str, name: str | None) -> None:
    """Print the store's SQL: ddl, views or cookbook.

    What is printed is what is executed, in the words of the dialect: to read, and to run by hand.
    """
    found = {file.name: file for file in getattr(files, kind)(dialect)}
    if name is not None:
        if name not in found:
            raise UnknownNameError(KINDS[kind], name, sorted(found))
        found = {name: found[name]}
    quoted = schema_text(warehouse_named(dialect), schema)
    first = [files.query("create_schema", dialect)] if kind == "ddl" and name is None else []
    emit("\n".join(file.in_schema(quoted) for file in [*first, *found.values()]))


@click.command()
@connecting
@click.option("--keep-last", type=click.IntRange(0, MOST), help="Keep so many runs of each environment.")
@click.option("--older-than", type=age, help="Remove only runs older than this: 30d, 8w, 12h.")
@click.option("-e", "--environment", help="Only runs of this environment.")
@click.option("--project", help="Only runs of this project.")
@click.option("--dry-run", is_flag=True, help="Say which runs would go, and remove nothing.")
@format_option("table", "json", "markdown")
def prune(
    connection: Connection,
    keep_last: int | None,
    older_than: timedelta | None,
    environment: str | None,
    project: str | None,
    dry_run: bool,
    style: str,
) -> None:
    """Remove old runs, and what only they needed.

    The latest run of each project and environment stays, unless --keep-last 0 says otherwise.
    """
    with connection.open_existing() as adapter:
        result = prune_store(
            adapter,
            keep_last=keep_last,
            older_than=older_than,
            environment=environment,
            project=project,
            dry_run=dry_run,
            schema=connection.schema,
        )
    if style == "json":
        emit(report.runs_json(result.runs))
    elif style == "markdown":
        emit(report.runs_markdown(result.runs))
    else:
        emit(report.prune_text(result.runs, dry_run=dry_run, **screen()))


@click.command()
@connecting
@format_option("table", "json")
def doctor(connection: Connection, style: str) -> None:
    """Check profile, connection, rights and store.

    Of a store that exists, the role is full, record-only (cannot create or migrate it) or read-only.
    """
    checks = run_checks(connection.open_existing, connection.schema)
    in_color = screen()["color"]
    emit(report.checks_json(checks) if style == "json" else report.checks_text(checks, color=in_color))
    if any(check.ok is False for check in checks):
        raise click.exceptions.Exit(RecceMetaError.exit_code)
