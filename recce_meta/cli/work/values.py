"""`value` and `query-diff`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from recce_meta.api.comparing_data import Job
from recce_meta.api.rendering import parse_variables
from recce_meta.api.templates import Templates
from recce_meta.api.value_jobs import query_job, value_jobs
from recce_meta.cli.data import Asked
from recce_meta.cli.data_options import DataOptions, Opened, Output
from recce_meta.cli.options import warn
from recce_meta.cli.work.answer import answer
from recce_meta.cli.work.data import chosen
from recce_meta.diff.data.settings import ValueOptions
from recce_meta.errors import UsageError


def value(asked: Asked, options: ValueOptions, detail: bool) -> None:
    """Compare values by key, or whole rows."""
    answer(
        asked.data,
        asked.output,
        lambda opened: value_jobs(
            opened.comparison.places, opened.runs, chosen(asked, opened, whole=True), options, detail=detail
        ),
    )


def query_diff(
    data: DataOptions,
    output: Output,
    options: ValueOptions,
    sql: str,
    base_sql: str | None,
    variables: str | None,
) -> None:
    """Compare what a template, or two, give on both sides."""
    template, base_template = _text(sql), None if base_sql is None else _text(base_sql)

    def jobs(opened: Opened) -> list[Job]:
        templates = Templates(
            opened.runs,
            variables=parse_variables(variables),
            environ=os.environ,
            project_dir=data.connection.project_dir,
        )
        on_base = template if base_template is None else base_template
        job = query_job(opened.comparison.places, templates, on_base, template, options)
        for text in templates.warnings:
            warn(text)
        return [job]

    answer(data, output, jobs)


def _text(sql: str) -> str:
    """The SQL itself, that of the file behind `@`, or that of standard input."""
    if sql == "-":
        return sys.stdin.read()
    if not sql.startswith("@"):
        return sql
    try:
        return Path(sql[1:]).read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"Cannot read {sql[1:]}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{sql[1:]} is not UTF-8 text: {error}") from error
