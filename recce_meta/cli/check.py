"""`check run`: the checks of a file, for CI."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from recce_meta import report
from recce_meta.api.checks import run_checks
from recce_meta.api.running_checks import CheckRunner
from recce_meta.api.templates import Templates
from recce_meta.cli.data_options import DataOptions, Opened, comparing_data
from recce_meta.cli.options import format_option, screen, write
from recce_meta.cli.progress import progress
from recce_meta.errors import ConditionFailed, UsageError
from recce_meta.extractors.check_file import read_check_file
from recce_meta.models.check_result import AnyCheck, CheckReport, CheckStatus

DEFAULT_FILES = ("checks.yml", "checks.yaml", "recce.yml", "recce.yaml")


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
@click.option("--junit", type=click.Path(dir_okay=False, path_type=Path), help="Write JUnit XML to a file.")
@click.option(
    "--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write JSON to a file."
)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file.")
@format_option("table", "json", "markdown", "html")
def run(
    data: DataOptions,
    file: Path | None,
    junit: Path | None,
    json_file: Path | None,
    output: Path | None,
    style: str,
) -> None:
    """Run every check of FILE: a checks.yml, or recce's recce.yml as it is.

    Exits with 1 where a threshold does not hold, or where a check that is not optional could not run.
    """
    path = file or _found()
    checks = read_check_file(path)
    with data.open() as opened, progress("checking") as tell:
        result = answered(data, opened, checks, path, tell)
    if junit is not None:
        junit.write_text(report.check_report_junit(result), encoding="utf-8")
    if json_file is not None:
        json_file.write_text(report.check_report_json(result), encoding="utf-8")
    write(_rendered(result, style, to_file=output is not None), output)
    refuse_failed(result)


def answered(
    data: DataOptions, opened: Opened, checks: Sequence[AnyCheck], path: Path, tell: Callable[[str], None]
) -> CheckReport:
    """What comes of *checks*, which *path* holds."""
    if opened.runs is None:
        raise UsageError("Checks are of the nodes of two runs", hint="leave out --tables")
    templates = Templates(opened.runs, environ=os.environ, project_dir=data.connection.project_dir)
    return run_checks(
        checks,
        CheckRunner(opened.comparison, opened.runs, templates),
        lambda done, of, name: tell(f"{done} of {of} checks  {name}"),
        path=str(path),
    )


def refuse_failed(result: CheckReport) -> None:
    """Raise ConditionFailed where not all that had to pass have passed."""
    if not result.is_passed:
        failed = result.count(CheckStatus.FAILED) + result.count(CheckStatus.ERROR)
        raise ConditionFailed(f"{failed} of {len(result.checks)} checks did not pass")


def _found() -> Path:
    """The file of checks in the current folder."""
    for name in DEFAULT_FILES:
        if (path := Path(name)).is_file():
            return path
    raise UsageError("There is no file of checks here", hint=f"name one, or write {DEFAULT_FILES[0]}")


def _rendered(result: CheckReport, style: str, *, to_file: bool) -> str:
    if style == "json":
        return report.check_report_json(result)
    if style == "markdown":
        return report.pull_request_markdown(None, (), result)
    if style == "html":
        return report.html_report("Checks", None, (), result)
    return report.check_report_text(result, **({"width": 0, "color": False} if to_file else screen()))
