"""`check run`, and the checks of `diff --checks`."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from recce_meta import report
from recce_meta.api.checks import run_checks
from recce_meta.api.running_checks import CheckRunner
from recce_meta.api.templates import Templates
from recce_meta.cli.data_options import DataOptions, Opened
from recce_meta.cli.options import screen, write
from recce_meta.cli.progress import progress
from recce_meta.cli.work.keeping import check_keepable, check_store, keep_checks
from recce_meta.errors import ConditionFailed, UsageError
from recce_meta.extractors.check_file import read_check_file
from recce_meta.models.check_result import AnyCheck, CheckReport, CheckStatus

DEFAULT_FILES = ("checks.yml", "checks.yaml", "recce.yml", "recce.yaml")


def run(
    data: DataOptions,
    file: Path | None,
    *,
    junit: Path | None,
    json_file: Path | None,
    output: Path | None,
    save: bool,
    style: str,
) -> None:
    """Run the checks of *file*, or of the file that is here, and report and store their results."""
    path = file or _found()
    checks = read_check_file(path)
    if save:
        check_keepable(data)
    with data.open() as opened, progress("checking") as tell:
        if save:
            check_store(data, opened)
        result = answered(data, opened, checks, path, tell, save=save)
    if junit is not None:
        junit.write_text(report.check_report_junit(result), encoding="utf-8")
    if json_file is not None:
        json_file.write_text(report.check_report_json(result), encoding="utf-8")
    write(_rendered(result, style, to_file=output is not None), output)
    refuse_failed(result)


def answered(
    data: DataOptions,
    opened: Opened,
    checks: Sequence[AnyCheck],
    path: Path,
    tell: Callable[[str], None],
    *,
    save: bool,
) -> CheckReport:
    """Run *checks*, which *path* holds, and store their results if *save* is set."""
    if opened.runs is None:
        raise UsageError("Checks are of the nodes of two runs", hint="leave out --tables")
    templates = Templates(opened.runs, environ=os.environ, project_dir=data.connection.project_dir)
    result = run_checks(
        checks,
        CheckRunner(opened.comparison, opened.runs, templates),
        lambda done, of, name: tell(f"{done} of {of} checks  {name}"),
        path=str(path),
    )
    if save:
        keep_checks(data, opened, result, checks)
    return result


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
