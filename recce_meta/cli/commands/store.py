"""Commands that read or maintain the store, from `runs` and `show` to `prune` and `demo`."""

from __future__ import annotations

from pathlib import Path

import click

from recce_meta.cli.lazy import lazy
from recce_meta.cli.options import (
    LISTS,
    MOST,
    connecting,
    format_option,
    parse_age,
    project_option,
    run_option,
)
from recce_meta.models.lineage import Direction
from recce_meta.store import sql_files

KINDS = (*sql_files.KINDS, "grants")
"""Kinds of SQL that `sql` prints."""
ROLES = ("reader", "recorder")
"""Roles of `store.grants`."""


@click.command()
@connecting
@click.option("--project", help="Only runs of this project.")
@click.option("-e", "--environment", help="Only runs of this environment.")
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(1, MOST),
    default=20,
    show_default=True,
    help="Maximum number of runs to list.",
)
@format_option("table", "json", "markdown", *LISTS)
@lazy("recce_meta.cli.run.store:runs")
def runs() -> None:
    """List recorded runs, newest first.

    Status is empty if nothing failed. A `*` after a commit marks code that is not that of the commit.
    """


@click.command()
@connecting
@click.argument("run", required=False)
@project_option
@format_option("table", "json", "markdown", *LISTS)
@lazy("recce_meta.cli.run.store:show")
def show() -> None:
    """Show the contents and results of one run.

    RUN is a run selector: an id or its beginning, base, current, base~1, branch:NAME, sha:PREFIX,
    before:2026-11-01, latest, or path:DIR for artifacts on disk. [default: latest run of the checked-out
    branch, else latest]
    """


@click.command()
@connecting
@click.argument("node")
@run_option
@click.option("--upstream", "direction", flag_value="upstream", help="Only upstream nodes.")
@click.option("--downstream", "direction", flag_value="downstream", help="Only downstream nodes.")
@click.option("--depth", type=click.IntRange(1, MOST), help="Maximum number of edges from the node.")
@project_option
@format_option("table", "json", "markdown", *LISTS)
@lazy("recce_meta.cli.run.store:lineage")
def lineage() -> None:
    """Show the upstream and downstream nodes of a node.

    NODE is a name (orders, shop.raw_orders for a source) or a unique id.
    """


@click.command()
@connecting
@click.argument("node", metavar="NODE[.COLUMN]")
@click.option(
    "--direction",
    type=click.Choice([direction.value for direction in Direction]),
    default=Direction.DOWNSTREAM.value,
    show_default=True,
    help="Show what depends on it, what it depends on, or both.",
)
@click.option("--depth", type=click.IntRange(1, MOST), help="Maximum number of steps.")
@run_option
@project_option
@format_option("table", "json", "markdown", *LISTS)
@lazy("recce_meta.cli.run.store:impact")
def impact() -> None:
    """Show the nodes and columns affected by a change to a node or column.

    The argument is NODE, or NODE.COLUMN such as orders.amount. NODE is a name (orders, shop.raw_orders for a
    source) or a unique id. COLUMN is one of its columns: case-insensitive, or exact if it is in quotes.
    """


@click.command()
@connecting
@click.argument("file", type=click.File("r", encoding="utf-8"))
@run_option
@click.option("--node", help="Node that FILE belongs to. [default: the node with this file]")
@click.option("--incremental", is_flag=True, help="Make is_incremental() true.")
@click.option("--vars", "variables", help="Values for var(), as a YAML mapping.")
@click.option("--target-name", help="Name of dbt's target. [default: from the run]")
@project_option
@lazy("recce_meta.cli.run.store:render")
def render() -> None:
    """Turn ref() and source() SQL into warehouse SQL.

    FILE is a template, or - for standard input. Relations, macros and ephemeral models come from the run;
    variables come from --vars and dbt_project.yml. The only database query loads the run.
    """


@click.command()
@connecting
@click.argument("kind", type=click.Choice(KINDS))
@click.option(
    "--dialect",
    type=click.Choice(sql_files.dialects()),
    help="Dialect of the SQL. [default: from the profile or URL; duckdb without a profile]",
)
@click.option("--name", help="One table, view, query, question or migration. [default: all]")
@click.option("--role", type=click.Choice(ROLES), help="With grants: role to print the statements for.")
@click.option(
    "--to", metavar="NAME", help="With grants: name of the role. [default: recce_reader, recce_recorder]"
)
@lazy("recce_meta.cli.run.sql:sql")
def sql() -> None:
    """Print the store's SQL: ddl, views, queries, cookbook, migrations or grants.

    This is the SQL that recce-meta executes, in the chosen dialect, to read or to run by hand. Grants are
    the statements that let another role read the store, or record runs into it. Nothing is executed.
    """


@click.command()
@connecting
@click.option(
    "--keep-last", type=click.IntRange(0, MOST), help="Number of runs to keep per project and environment."
)
@click.option(
    "--older-than", type=parse_age, metavar="AGE", help="Remove only runs older than this: 30d, 8w, 12h."
)
@click.option("-e", "--environment", help="Only runs of this environment.")
@click.option("--project", help="Only runs of this project.")
@click.option("--dry-run", is_flag=True, help="List the runs to remove without removing them.")
@click.option(
    "--local", is_flag=True, help="Remove the runs from this store only; a later pull may restore them."
)
@format_option("table", "json", "markdown", *LISTS)
@lazy("recce_meta.cli.run.store:prune")
def prune() -> None:
    """Remove old runs and the data that only they use.

    The latest run of each project and environment stays, unless --keep-last is 0. So do runs that compiled
    what a remaining run of a part did not, and those with the last result or row count of a node. A removed
    run is not recorded or imported again. push, pull and sync remove it from other stores as well.
    """


@click.command()
@connecting
@click.option(
    "--repair", is_flag=True, help="Derive again what can be derived, and remove what nothing refers to."
)
@format_option("table", "json", *LISTS)
@lazy("recce_meta.cli.run.store:fsck")
def fsck() -> None:
    """Check the contents of the store, and repair what can be derived again.

    Reads the whole store: verifies the hashes of contents, and finds missing pieces, repeated keys, wrong
    derived data, deleted runs that are stored, and rows that nothing refers to. Without --repair, nothing is
    written. A repair never removes a run.
    """


@click.command()
@click.option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("recce-meta-demo"),
    show_default=True,
    help="Folder for the demo's DuckDB file.",
)
@format_option("table", "json", "markdown")
@lazy("recce_meta.cli.run.store:demo")
def demo() -> None:
    """Record and compare two real runs of a jaffle shop.

    Compares production with pull request 42, with the data of both, in an embedded DuckDB. Needs nothing
    else, and writes only to the folder.
    """
