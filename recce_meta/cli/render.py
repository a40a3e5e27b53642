"""`render`: a template as the warehouse gets it."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

import click

from recce_meta.cli.options import Connection, connecting, emit, project_name, project_option, warn
from recce_meta.errors import UsageError


@click.command()
@connecting
@click.argument("file", type=click.File("r", encoding="utf-8"))
@click.option("--run", "selector", default="latest", show_default=True, help="Run selector, or path:DIR.")
@click.option("--node", help="Node whose code this is. [default: the one whose file it is]")
@click.option("--incremental", is_flag=True, help="is_incremental() is true.")
@click.option("--vars", "variables", help="Values for var(), as a YAML mapping.")
@click.option("--target-name", help="Name of dbt's target. [default: as the run says]")
@project_option
def render(
    connection: Connection,
    file: TextIO,
    selector: str,
    node: str | None,
    incremental: bool,
    variables: str | None,
    target_name: str | None,
    project: str | None,
) -> None:
    """Turn ref() and source() SQL into warehouse SQL.

    FILE is a template, or - for standard input. Relations, macros and ephemeral models are those of the
    run, variables those of --vars and of dbt_project.yml; nothing is asked of the database but the run
    itself.
    """
    from recce_meta.api import rendering

    try:
        sql = file.read()
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{file.name} is not UTF-8: byte {error.start + 1} is 0x{error.object[error.start]:02x}",
            hint="dbt reads models as UTF-8: save the file in this encoding",
        ) from None
    template = rendering.Template(
        sql=sql,
        path=None if file.name in ("-", "<stdin>") else Path(file.name),
        node=node,
        incremental=incremental,
        variables=rendering.parse_variables(variables),
        project_dir=connection.project_dir,
        environ=os.environ,
        target_name=target_name,
    )
    with ExitStack() as stack:
        rendered = rendering.render(
            lambda: stack.enter_context(connection.open_existing()),
            selector,
            template,
            project=project_name(project, connection, selector),
            schema=connection.schema,
        )
    for text in rendered.warnings:
        warn(text)
    emit(rendered.sql)
