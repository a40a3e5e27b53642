"""Commands `check run`, which runs the checks of a file, and `check-base`, both for CI."""

from __future__ import annotations

from pathlib import Path

import click

from recce_meta.cli.commands.data import comparing_data
from recce_meta.cli.lazy import lazy
from recce_meta.cli.options import (
    LISTS,
    OUTPUT,
    connecting,
    details_option,
    format_option,
    notify_options,
    parse_age,
    project_option,
)
from recce_meta.errors import UsageError


@click.group(invoke_without_command=True)
@click.pass_context
def check(context: click.Context) -> None:
    """Run a file of checks, with thresholds, for CI."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
        context.exit(UsageError.exit_code)


@check.command()
@comparing_data
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@details_option
@click.option("--junit", type=OUTPUT, help="File to write JUnit XML to.")
@click.option("--json", "json_file", type=OUTPUT, help="File to write JSON to.")
@click.option("-o", "--output", type=OUTPUT, help="File to write the report to.")
@click.option("--save", is_flag=True, help="Save the results of the checks in the store, with both runs.")
@notify_options("of failed checks, and of differences that checks without expectations find,")
@format_option("table", "json", "markdown", "html", *LISTS)
@lazy("recce_meta.cli.run.check:report_checks")
def run() -> None:
    """Run every check of FILE.

    FILE is a checks.yml, or an unmodified recce.yml of recce. Exits with 1 if a threshold is exceeded, or if
    a check that is not optional could not run, and with 2 if a check has an unknown type, field or node.
    """


@click.command("check-base")
@connecting
@click.option(
    "--base",
    metavar="RUN",
    help="Run selector of base, or path:DIR. [default: run of the merge base, else latest run of base]",
)
@click.option(
    "--max-age",
    type=parse_age,
    metavar="AGE",
    help="Age at which base is stale: 48h, 7d. [default: 48h if commits cannot be compared, else no limit]",
)
@project_option
@format_option("table", "json")
@lazy("recce_meta.cli.run.store:check_base")
def check_base() -> None:
    """Check if the recorded run of base is fresh.

    Base is fresh if its run has the project's files as they are in the merge base of the checkout and the
    base branch. Exits with 0 if base is fresh, 1 if it is missing, 2 if it is stale, and 3 if this cannot be
    determined.
    """
