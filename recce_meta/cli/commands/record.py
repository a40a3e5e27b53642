"""Commands `init`, `record` and `hook`, which write runs."""

from __future__ import annotations

from pathlib import Path

import click

from recce_meta.cli.lazy import lazy, packed
from recce_meta.cli.options import connecting, format_option, not_nan, privacy_options
from recce_meta.sql_lineage.project.columns import SECONDS

_recording = packed(
    "options",
    "recce_meta.cli.run.record:RecordOptions",
    click.option(
        "--target-path",
        type=click.Path(path_type=Path),
        help="Folder of the artifacts. [env: DBT_TARGET_PATH; default: that of the project, or target/]",
    ),
    click.option(
        "-e",
        "--environment",
        default="current",
        show_default=True,
        help="Label of the run: base for production, current for a change, or any other label. "
        "[env: RECCE_META_ENVIRONMENT]",
    ),
    click.option("--run-id", help="Id of the run. [default: dbt's invocation id]"),
    click.option("--target-name", help="dbt target of the run. [default: from run_results.json]"),
    click.option("--git-sha", help="Commit. [default: from git or CI]"),
    click.option("--branch", help="Branch. [default: from git or CI]"),
    click.option("--pull-request", help="Pull request number. [default: from CI]"),
    click.option(
        "--stats",
        type=click.Choice(["row-count", "profile"]),
        help="Statistics to store for the nodes that were built: row counts, or column profiles as well.",
    ),
    click.option(
        "--failed-rows",
        type=click.IntRange(min=1, max=1000),
        metavar="N",
        help="Store the first N rows of each failed test with values, from the relation of store_failures "
        "or by running the test's SQL again. --no-values and --private hide values.",
    ),
    privacy_options,
    click.option(
        "--data-target",
        metavar="TARGET",
        help="Target or URL of the data, for --stats and --failed-rows. [default: the store's]",
    ),
    click.option(
        "--git-dirty/--git-clean",
        default=None,
        help="Mark the checkout as having uncommitted changes, or none. [default: from git]",
    ),
    click.option(
        "--require-fresh",
        is_flag=True,
        help="Record nothing if dbt has not read the files of the checkout: one was edited after the build.",
    ),
    click.option("--no-columns", is_flag=True, help="Record no column lineage."),
    click.option(
        "--column-timeout",
        type=click.FloatRange(min=0, min_open=True),
        callback=not_nan,
        metavar="SECONDS",
        default=SECONDS,
        show_default=True,
        help="Time limit for the column lineage of one node; a node that takes longer has no column lineage.",
    ),
)
_uploading = packed(
    "upload",
    "recce_meta.cli.run.record:UploadOptions",
    click.option(
        "--to",
        metavar="URL",
        help="Upload the artifacts to this server of recce-meta serve, with the token in RECCE_META_TOKEN, "
        "and use no store.",
    ),
    click.option(
        "--connection",
        "to_connection",
        metavar="NAME",
        help="Connection of the server, with --to. [default: the one that the token is bound to]",
    ),
)
_reading_sql = packed(
    "sql",
    "recce_meta.cli.run.record:SqlSource",
    click.argument("directory", metavar="[DIR]", required=False, type=click.Path(path_type=Path)),
    click.option(
        "--from",
        "source",
        metavar="NAME",
        default="dbt",
        show_default=True,
        help="Source of the run: dbt (artifacts), sql (the SQL files in DIR, without dbt), or the name of a "
        "plugin that reads DIR.",
    ),
    click.option("--dialect", help="SQL dialect, with --from sql. [default: type of the profile]"),
    click.option(
        "--project",
        "project_name",
        help="Name of the project, with --from sql. [default: from dbt_project.yml, else DIR]",
    ),
    click.option("--vars", "variables", metavar="YAML", help="Variables as for dbt --vars, with --from sql."),
)


@click.command()
@connecting
@click.option(
    "--sql", "show_sql", is_flag=True, help="Print the script for a new store instead of running it."
)
@lazy("recce_meta.cli.run.record:init")
def init() -> None:
    """Create the store or migrate it to the current version.

    Safe to repeat: recorded data stays, an older store is migrated, and views are recreated. Changes between
    recorded runs are computed for the views. A newer store is not modified.
    """


@click.command()
@connecting
@_recording
@_uploading
@_reading_sql
@format_option("table", "json")
@lazy("recce_meta.cli.run.record:record")
def record() -> None:
    """Record dbt artifacts, SQL files, or the project of another tool, as one run.

    Reads manifest.json, and catalog.json and run_results.json if they exist, from dbt's target folder
    (DIR, if given) and writes one run into the store. Recording the same artifacts again adds missing
    columns and statistics to the run.

    With --from sql, reads the files of the dbt project in DIR, or plain SQL files, without dbt. With --from
    and the name of a plugin, reads the project of another tool in DIR.

    With --to, uploads the artifacts to a server, which records them in the store of a connection. The
    environment is then that of the connection, or pull-request-NUMBER of a pull request, with the
    environment of the connection before it unless it is prod.
    """


# Options after the first word belong to the wrapped command.
@click.command(context_settings={"allow_interspersed_args": False})
@connecting
@_recording
@_uploading
@click.option(
    "--strict",
    is_flag=True,
    help="Exit with 3 if the command succeeds but recording fails, or before it if the store is unusable.",
)
@click.option(
    "--plan",
    "plans",
    is_flag=True,
    help="Compile first, and let dbt build only the nodes of `plan`; the others are read from base.",
)
@click.argument("command", nargs=-1, type=click.UNPROCESSED, required=True)
@lazy("recce_meta.cli.run.record:hook")
def hook() -> None:
    """Run a command such as dbt build, then record the artifacts it produced.

    \b
        recce-meta hook --environment base -- dbt build --target prod

    The command's output, signals and exit code pass through unchanged. If recording fails, a warning is
    printed; the job fails only with --strict.
    """
