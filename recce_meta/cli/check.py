"""`check run`: the checks of a file, for CI."""

from __future__ import annotations

from pathlib import Path

import click

from recce_meta.cli.data_options import DataOptions, comparing_data
from recce_meta.cli.options import OUTPUT, format_option
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
@click.option("--junit", type=OUTPUT, help="Write JUnit XML to a file.")
@click.option("--json", "json_file", type=OUTPUT, help="Write JSON to a file.")
@click.option("-o", "--output", type=OUTPUT, help="Write to a file.")
@click.option("--save", is_flag=True, help="Store the results of the checks with the runs.")
@format_option("table", "json", "markdown", "html")
def run(
    data: DataOptions,
    file: Path | None,
    junit: Path | None,
    json_file: Path | None,
    output: Path | None,
    save: bool,
    style: str,
) -> None:
    """Run every check of FILE: a checks.yml, or recce's recce.yml as it is.

    Exits with 1 where a threshold does not hold, or where a check that is not optional could not run.
    """
    from recce_meta.cli.work import checks

    checks.run(data, file, junit=junit, json_file=json_file, output=output, save=save, style=style)
