"""Command `config`: effective settings and their sources."""

from __future__ import annotations

import click

from recce_meta.cli.lazy import lazy
from recce_meta.cli.options import connecting, format_option, project_option, run_option


@click.command()
@connecting
@project_option
@click.option("--node", help="Show the settings of this node for data diffs instead.")
@run_option
@format_option("table", "json")
@lazy("recce_meta.cli.run.config:config")
def config() -> None:
    """Show every effective setting and its source.

    Settings come from options, environment variables (RECCE_META_THREADS, or RECCE_META_DIFF_THREADS for one
    command), dbt's own variables, recce_meta.yml next to dbt_project.yml, and [tool.recce-meta] in
    pyproject.toml, in this order. Passwords are masked.

    --node reads the node from a recorded run, by default the latest.
    """
