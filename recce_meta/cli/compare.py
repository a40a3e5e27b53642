"""`diff`: what changed between two runs, and how the data differs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from recce_meta import report
from recce_meta.api import comparing
from recce_meta.cli.options import (
    OUTPUT,
    Connection,
    connecting,
    format_option,
    project_name,
    project_option,
    screen,
    together,
    write,
)
from recce_meta.cli.progress import progress
from recce_meta.errors import ConditionFailed, UsageError, first_of
from recce_meta.models import RunDiff

SHOWN = 5

_data_options: Callable[[Callable[..., Any]], Callable[..., Any]] = together(
    click.option("--data", "with_data", is_flag=True, help="Compare the data too: schemas, rows, values."),
    click.option("--data-target", metavar="TARGET", help="Target or URL where the data is, if elsewhere."),
    click.option("--base-target", metavar="TARGET", help="Where base's data is, if not in the same place."),
    click.option("--threads", type=click.IntRange(min=1), help="Statements at once."),
    click.option("--budget", type=click.FloatRange(min=0, min_open=True), help="Seconds for all data diffs."),
    click.option(
        "--max-rows",
        type=click.IntRange(min=0),
        metavar="ROWS",
        help="Rows up to which a relation without a key is compared. [default: 10,000,000, and 1 GB]",
    ),
    click.option("--no-values", is_flag=True, help="Compare schemas and row counts only."),
    click.option("--save", is_flag=True, help="Keep the results of data diffs in the store."),
    click.option(
        "--checks",
        "check_file",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Run a file of checks too, and tell all in one report.",
    ),
)


@click.command()
@connecting
@click.argument("base", default="base")
@click.argument("current", default="current")
@click.option(
    "-s",
    "--select",
    "selection",
    multiple=True,
    help="Only these nodes, in dbt's selection grammar: 'orders+ tag:nightly'.",
)
@click.option("--exclude", multiple=True, help="Without these nodes.")
@click.option(
    "--allow-empty",
    is_flag=True,
    help="Accept a selection that names no node, which --fail-on otherwise takes for an error.",
)
@click.option("--like-dbt", is_flag=True, help="dbt's own notion of state:modified, to the letter.")
@click.option("--fail-on", help="Exit with 1 on any of these: a status, an effect, a reason, or any.")
@_data_options
@click.option("-o", "--output", type=OUTPUT, help="Write to a file.")
@project_option
@format_option("table", "json", "markdown", "html")
def diff(
    connection: Connection,
    base: str,
    current: str,
    selection: tuple[str, ...],
    exclude: tuple[str, ...],
    allow_empty: bool,
    like_dbt: bool,
    fail_on: str | None,
    with_data: bool,
    output: Path | None,
    project: str | None,
    style: str,
    **where: Any,
) -> None:
    """What changed between two runs, what that breaks, and whom it reaches.

    With --data, also how the data of that differs: schemas, row counts, and values by key or as whole rows.

    BASE and CURRENT are run selectors: an id or its beginning, base, current, base~1, branch:NAME,
    sha:PREFIX, before:2026-11-01, latest, or path:DIR for artifacts on disk.

    Statuses: added, removed, modified. Effects: fails, breaking, partial_breaking, unknown.

    Reasons: body, compiled, config, relation, columns, descriptions, macros, contract, parents, data.

    With --data, --fail-on not-compared exits with 1 if data was not compared, or not in full.
    """
    conditions = (
        frozenset() if fail_on is None else comparing.parse_fail_on(fail_on, like_dbt=like_dbt, of_data=True)
    )
    if comparing.NOT_COMPARED in conditions and not with_data:
        raise UsageError(f"--fail-on {comparing.NOT_COMPARED} is about data", hint="add --data")
    gated = bool(conditions) and not allow_empty
    question = comparing.Question(selection, exclude, like_dbt, may_select_nothing=not gated)
    if with_data or where["check_file"]:
        from recce_meta.cli.work.diff_data import diff_with_data

        result, missed = diff_with_data(
            connection, base, current, project, question, style, output, with_data=with_data, **where
        )
    else:
        missed = []
        if any(value is not None and value is not False for value in where.values()):
            raise UsageError("These options are for comparing data", hint="add --data")
        with ExitStack() as stack, progress("comparing"):
            result = comparing.diff(
                lambda: stack.enter_context(connection.open_existing()),
                base,
                current,
                project=project_name(project, connection, base, current),
                schema=connection.schema,
                question=question,
            )
        write(_rendered(result, style, to_file=output is not None), output)
    fail_where(result, conditions)
    if comparing.NOT_COMPARED in conditions and missed:
        names = first_of(missed, SHOWN)
        raise ConditionFailed(f"--fail-on {comparing.NOT_COMPARED} found {len(missed)}: {names}")


def _rendered(result: RunDiff, style: str, *, to_file: bool) -> str:
    if style == "json":
        return report.diff_json(result)
    if style == "markdown":
        return report.diff_markdown(result)
    if style == "html":
        return report.html_report("Diff", result, (), None)
    return report.diff_text(result, **({"width": 0, "color": False} if to_file else screen()))


def fail_where(result: RunDiff, conditions: frozenset[str]) -> None:
    """Raise ConditionFailed where changes of *result* have one of *conditions*."""
    failing = comparing.failing(result, conditions)
    if failing:
        names = first_of([change.name for change in failing], SHOWN)
        raise ConditionFailed(f"--fail-on {','.join(sorted(conditions))} found {len(failing)}: {names}")
