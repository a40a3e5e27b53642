"""Command `diff`: changes between two runs, and differences in their data."""

from __future__ import annotations

from pathlib import Path

import click

from recce_meta.cli.data_options import parse_decimal, parse_percent, split_by_node, split_names
from recce_meta.cli.lazy import lazy, packed
from recce_meta.cli.options import (
    BASE_DEFAULT,
    DIRECTORY,
    LISTS,
    OUTPUT,
    REMARKS,
    comparing_runs,
    connecting,
    data_places_options,
    details_option,
    format_option,
    private_words,
    project_option,
    selecting,
)

_comparing_data = packed(
    "options",
    "recce_meta.cli.run.diff:DiffDataOptions",
    click.option("--data", "with_data", is_flag=True, help="Compare data as well: schemas, rows, values."),
    data_places_options,
    click.option("--threads", type=click.IntRange(min=1), help="Number of concurrent queries."),
    click.option(
        "--budget",
        type=click.FloatRange(min=0, min_open=True),
        help="Time limit of all data diffs in seconds.",
    ),
    click.option(
        "--max-rows",
        type=click.IntRange(min=0),
        metavar="ROWS",
        help="Maximum rows of a relation compared without a key. [default: 10,000,000, and 1 GB]",
    ),
    click.option(
        "--no-values/--values", "no_values", default=False, help="Compare schemas and row counts only."
    ),
    click.option(
        "--why", "explains", is_flag=True, help="Explain the values that differ, as in value --why."
    ),
    click.option(
        "--private",
        multiple=True,
        callback=private_words,
        metavar="WORDS",
        help="Words in names of columns with private values, which are not shown or stored; adds to the "
        "built-in words and the configuration.",
    ),
    click.option(
        "--key",
        "keys",
        multiple=True,
        callback=split_by_node,
        metavar="NODE=COL,…",
        help="Columns that identify a row of a node: --key orders=order_id,line. [default: the node's key]",
    ),
    click.option(
        "--where",
        "conditions",
        multiple=True,
        callback=split_by_node,
        metavar="NODE=CONDITION",
        help="Only rows of a node that meet a condition in SQL: --where \"orders=status <> 'draft'\".",
    ),
    click.option(
        "--sample", callback=parse_percent, metavar="PERCENT", help="Percentage of the keys to compare: 10%."
    ),
    click.option(
        "--tolerance",
        callback=parse_decimal,
        metavar="NUMBER",
        help="Largest absolute difference at which two numbers are equal.",
    ),
    click.option(
        "--exclude-columns",
        multiple=True,
        callback=split_names,
        help="Columns that are not compared in any node: loaded_at,batch_id.",
    ),
    click.option("--save", is_flag=True, help="Save the results of data diffs in the store."),
    click.option(
        "--checks",
        "check_file",
        type=click.Path(dir_okay=False, path_type=Path),
        help="File of checks to run and include in the report.",
    ),
)

_comparing_files = packed(
    "source",
    "recce_meta.cli.run.diff:FilesOptions",
    click.option(
        "--files",
        is_flag=True,
        help="Compare the files of the project with those of a commit, BASE. [default: the merge base]",
    ),
    click.option("--dialect", help="SQL dialect, with --files. [default: type of the profile]"),
    click.option("--vars", "variables", metavar="YAML", help="Variables as for dbt --vars, with --files."),
)


@click.command()
@connecting
@click.argument("base_argument", metavar="[BASE]", required=False)
@click.argument("current_argument", metavar="[CURRENT]", required=False)
@comparing_runs
@selecting("'orders+ tag:nightly'")
@click.option(
    "--allow-empty",
    is_flag=True,
    help="Accept a selection without nodes, which is an error with --fail-on.",
)
@_comparing_files
@click.option("--like-dbt", is_flag=True, help="Detect changes exactly as dbt's state:modified does.")
@click.option(
    "--fail-on",
    multiple=True,
    help="Exit with 1 on any of these: a status, an effect, a reason, or any. Repeatable.",
)
@_comparing_data
@details_option
@click.option("-o", "--output", type=OUTPUT, help="File to write the report to.")
@project_option
@format_option("table", "json", "markdown", "html", *LISTS, *REMARKS)
@lazy("recce_meta.cli.run.diff:diff")
def diff() -> None:
    """Show changes between two runs, what they break, and which nodes are affected.

    With --data, also compare the data: schemas, row counts, and values, by key or as whole rows. Without it,
    the report shows the stored results of data diffs of both runs, if there are any.

    BASE and CURRENT, or --base and --current, are run selectors: an id or its beginning, base, current,
    base~1, branch:NAME, sha:PREFIX, before:2026-11-01, latest, or path:DIR for artifacts on disk. The report
    shows which runs were chosen.

    With --files, neither dbt nor a store is needed: the files of the project, with uncommitted changes, are
    compared with those of a commit.

    --key and --where name a node, its unique id or path, or a glob such as 'stg_*'.

    Statuses: added, removed, modified. Effects: fails, may_fail, breaking, partial_breaking, unknown.

    Reasons: body, compiled, config, relation, columns, descriptions, macros, contract, parents, data.

    With --data, --fail-on not-compared exits with 1 if data of this build was not compared, or only partly.
    """


@click.command()
@connecting
@project_option
@click.option("--base", metavar="RUN", help=f"Run selector of base, or path:DIR. [default: {BASE_DEFAULT}]")
@click.option(
    "--current",
    metavar="RUN",
    help="Run selector of current, or path:DIR. [default: the artifacts in target/, as dbt compile writes "
    "them]",
)
@click.option(
    "--state-dir",
    type=DIRECTORY,
    default="target/recce_state",
    show_default=True,
    help="Folder for the manifest of base, which --format command writes.",
)
@click.option("-o", "--output", type=OUTPUT, help="File to write the report to.")
@format_option("table", "command")
@lazy("recce_meta.cli.run.plan:plan")
def plan() -> None:
    """Show what dbt must build after a change, or the command that builds it.

    Nodes that no change affects are left out, and read from base: dbt 1.8 and later defer to the manifest
    that is written. Run dbt compile first, for the target that is built.
    """
