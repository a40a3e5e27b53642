"""`record --from sql`: its options, and what they come to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import click
from msgspec import Struct

from recce_meta.cli.options import Connection, together
from recce_meta.errors import RecceMetaError, UsageError
from recce_meta.extractors.git import GitState
from recce_meta.models import NodeMetadata, Project

sql_options: Callable[[Callable[..., Any]], Callable[..., Any]] = together(
    click.argument("directory", metavar="[DIR]", required=False, type=click.Path(path_type=Path)),
    click.option(
        "--from",
        "source",
        type=click.Choice(["dbt", "sql"]),
        default="dbt",
        show_default=True,
        help="Read dbt's artifacts, or the SQL files in DIR without dbt.",
    ),
    click.option("--dialect", help="With --from sql: which SQL it is. [default: type of the profile]"),
    click.option(
        "--project",
        "project_name",
        help="With --from sql: name of the project. [default: as dbt_project.yml says, else DIR]",
    ),
    click.option(
        "--vars", "variables", metavar="YAML", help="With --from sql: variables, as dbt takes them."
    ),
)


class SqlSource(Struct, frozen=True, kw_only=True):
    """What the options of `--from sql` say."""

    directory: Path
    dialect: str | None
    project: str | None
    variables: str | None

    def read(
        self,
        connection: Connection,
        *,
        environment: str,
        run_id: str | None,
        target_name: str | None,
        git: GitState,
    ) -> Project:
        """The files as a project; what the store knows of files that did not change is taken from there."""
        from recce_meta.api.recording_sql import SqlOptions, last_nodes, read_sql_project
        from recce_meta.api.rendering import parse_variables

        def known(project: str, fingerprint: str) -> Mapping[str, NodeMetadata]:
            # There may be no store yet; anything else is raised again when the run is written.
            with suppress(RecceMetaError), connection.open_existing() as adapter:
                return last_nodes(adapter, schema=connection.schema)(project, fingerprint)
            return {}

        options = SqlOptions(
            environment=environment,
            run_id=run_id,
            project=self.project,
            dialect=self.dialect,
            variables=parse_variables(self.variables),
            target_name=target_name or connection.target,
            profiles_dir=connection.profiles_dir,
            profile=connection.profile,
            git=git,
        )
        return read_sql_project(self.directory, options, known=known)


def sql_source(options: dict[str, Any], project_dir: Path | None) -> SqlSource | None:
    """What *options* say of `--from sql`, taken out of them; None for dbt's artifacts.

    Raises UsageError for what belongs to the other kind of source.
    """
    source, directory = options.pop("source"), options.pop("directory")
    own = {name: options.pop(name) for name in ("dialect", "project_name", "variables")}
    if source == "dbt":
        named = [f"--{name.removesuffix('_name').replace('variables', 'vars')}" for name in own if own[name]]
        if named:
            raise UsageError(
                f"{', '.join(named)} belongs to --from sql", hint="recce-meta record --from sql DIR"
            )
        if directory is not None:
            if options["target_path"] is not None:
                raise UsageError("Both DIR and --target-path are given", hint="name the folder once")
            options["target_path"] = directory
        return None
    if options["target_path"] is not None:
        raise UsageError("--target-path belongs to dbt's artifacts", hint="recce-meta record --from sql DIR")
    return SqlSource(
        directory=directory or project_dir or Path(),
        dialect=own["dialect"],
        project=own["project_name"],
        variables=own["variables"],
    )
