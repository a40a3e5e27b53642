"""`demo`: the whole story in one command."""

from __future__ import annotations

from pathlib import Path
from shlex import quote

import click

from recce_meta import report
from recce_meta.api import demo as story
from recce_meta.cli.options import emit, format_option, screen
from recce_meta.cli.progress import progress
from recce_meta.store.files import DEFAULT_SCHEMA


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
def demo(folder: Path, style: str) -> None:
    """Two real runs of a jaffle shop, recorded and diffed.

    Production against pull request 42, with the data of both, in an embedded DuckDB. Nothing else is
    needed, and nothing outside the folder is touched.
    """
    with progress("building the shop"):
        told = story.demo(folder)
    if style == "json":
        emit(report.diff_json(told.diff, told.data))
        return
    if style == "markdown":
        emit(report.pull_request_markdown(told.diff, told.data, None))
        return
    emit(report.diff_text(told.diff, **screen()))
    emit("\n" + report.data_text(told.data, **screen()))
    emit(f"\nThe store is the schema {DEFAULT_SCHEMA} in {told.database}. Try:")
    url = f"--url {quote(f'duckdb:///{told.database}')}"
    for command in ("runs", "diff base current --data", "value orders --detail", "lineage orders"):
        emit(f"  recce-meta {command} {url}")
