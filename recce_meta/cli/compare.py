"""`diff`: what changed between two runs."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import click

from recce_meta import report
from recce_meta.api import comparing
from recce_meta.cli.options import (
    Connection,
    connecting,
    emit,
    format_option,
    project_name,
    project_option,
    screen,
)
from recce_meta.cli.progress import progress
from recce_meta.errors import ConditionFailed, first_of
from recce_meta.models import RunDiff

SHOWN = 5


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
@click.option("--like-dbt", is_flag=True, help="dbt's own notion of state:modified, to the letter.")
@click.option("--fail-on", help="Exit with 1 on any of these: added, removed, modified, a reason, or any.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file.")
@project_option
@format_option("table", "json", "markdown")
def diff(
    connection: Connection,
    base: str,
    current: str,
    selection: tuple[str, ...],
    exclude: tuple[str, ...],
    like_dbt: bool,
    fail_on: str | None,
    output: Path | None,
    project: str | None,
    style: str,
) -> None:
    """What changed between two runs, and what it touches.

    BASE and CURRENT are run selectors: an id or its beginning, base, current, base~1, branch:NAME,
    sha:PREFIX, before:2026-11-01, latest, or path:DIR for artifacts on disk.

    Reasons: body, compiled, config, relation, columns, descriptions, macros, contract, parents, data.
    """
    conditions = frozenset() if fail_on is None else comparing.parse_fail_on(fail_on)
    with ExitStack() as stack, progress("comparing"):
        result = comparing.diff(
            lambda: stack.enter_context(connection.open_existing()),
            base,
            current,
            project=project_name(project, connection, base, current),
            schema=connection.schema,
            question=comparing.Question(selection, exclude, like_dbt),
        )
    if output is None:
        emit(_rendered(result, style))
    else:
        output.write_text(_rendered(result, style).rstrip("\n") + "\n", encoding="utf-8")
    _fail_on(result, conditions)


def _rendered(result: RunDiff, style: str) -> str:
    if style == "json":
        return report.diff_json(result)
    return report.diff_markdown(result) if style == "markdown" else report.diff_text(result, **screen())


def _fail_on(result: RunDiff, conditions: frozenset[str]) -> None:
    failing = comparing.failing(result, conditions)
    if failing:
        names = first_of([change.name for change in failing], SHOWN)
        raise ConditionFailed(f"--fail-on {','.join(sorted(conditions))} found {len(failing)}: {names}")
