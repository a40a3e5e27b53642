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
        emit(report.diff_json(told.diff))
        return
    if style == "markdown":
        emit(report.diff_markdown(told.diff))
        return
    emit(report.diff_text(told.diff, **screen()))
    emit("\n" + _rows_text(told.rows))
    emit(f"\nThe store is the schema {DEFAULT_SCHEMA} in {told.database}. Try:")
    url = f"--url {quote(f'duckdb:///{told.database}')}"
    for command in ("runs", "diff base current --format markdown", "lineage orders", "show current"):
        emit(f"  recce-meta {command} {url}")


def _rows_text(rows: tuple[story.Rows, ...]) -> str:
    lines = ["Rows of the changed models, base → current"]
    for row in rows:
        text = f"  {row.name}  {row.base} → {row.current}"
        if row.differing is not None:
            text += f", {row.differing} rows differ" if row.differing else ", all equal"
        lines.append(text)
    return "\n".join(lines)
