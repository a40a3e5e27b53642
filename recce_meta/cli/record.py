"""`init`, `record` and `hook`: what writes runs."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import click
from msgspec.structs import asdict

from recce_meta import __version__, report
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.recording import Recorded, checkout_of, read_target, record_project, target_folder
from recce_meta.cli.hook import hook as run_hook
from recce_meta.cli.options import Connection, connecting, emit, format_option, say, screen, together, warn
from recce_meta.cli.progress import progress
from recce_meta.cli.sql_source import SqlSource, sql_options, sql_source
from recce_meta.errors import ArtifactError, RecceMetaError
from recce_meta.extractors.artifact import find_artifact
from recce_meta.extractors.commit_proof import Checkout
from recce_meta.extractors.git import GitState
from recce_meta.graph.columns.project import SECONDS
from recce_meta.models import Project
from recce_meta.models.statistics import NodeStatistics
from recce_meta.store.changes import fill_changes
from recce_meta.store.migrate import init_sql, init_store, refuse_memory, refuse_newer


def _a_number(_: click.Context, parameter: click.Parameter, seconds: float) -> float:
    """*seconds*; `nan` is in every range, for it is neither less than anything nor more."""
    if math.isnan(seconds):
        raise click.BadParameter("nan is no number of seconds.", param=parameter)
    return seconds


_artifact_options: Callable[[Callable[..., Any]], Callable[..., Any]] = together(
    click.option(
        "--target-path",
        type=click.Path(path_type=Path),
        help="Folder of the artifacts. [env: DBT_TARGET_PATH; default: target/ of the project]",
    ),
    click.option(
        "-e",
        "--environment",
        envvar="RECCE_META_ENVIRONMENT",
        default="current",
        show_default=True,
        show_envvar=True,
        help="Label of the run: base for production, current for a change, or any other.",
    ),
    click.option("--run-id", help="Id of the run. [default: dbt's invocation id]"),
    click.option("--target-name", help="dbt target of the run. [default: as run_results.json says]"),
    click.option("--git-sha", help="Commit, where the repository and CI variables do not tell."),
    click.option("--branch", help="Branch, likewise."),
    click.option("--pull-request", help="Number of the pull request, likewise."),
    click.option(
        "--stats",
        type=click.Choice(["row-count", "profile"]),
        help="Keep row counts, or profiles of columns too, of what was built.",
    ),
    click.option(
        "--data-target",
        metavar="TARGET",
        help="Target or URL where the data is, for --stats. [default: where the store is]",
    ),
    click.option("--git-dirty/--git-clean", default=None, help="Whether the checkout had edits, likewise."),
    click.option("--no-columns", is_flag=True, help="Record no column lineage."),
    click.option(
        "--column-timeout",
        type=click.FloatRange(min=0, min_open=True),
        callback=_a_number,
        metavar="SECONDS",
        default=SECONDS,
        show_default=True,
        help="Time for the column lineage of one node; one that takes longer has none.",
    ),
)


@click.command()
@connecting
@click.option(
    "--sql", "show_sql", is_flag=True, help="Print the script for a new store instead of running it."
)
def init(connection: Connection, show_sql: bool) -> None:
    """Create the store, or bring it up to date.

    Safe to repeat: what is there stays, an older store is migrated, views are written again. What recorded
    graphs change is stored for the views. A newer store is left as it is.
    """
    with connection.open() as adapter:
        if show_sql:
            emit(init_sql(adapter.warehouse, connection.schema))
            return
        refuse_memory(adapter)
        result = init_store(adapter, connection.schema)
        if result.remedy is None:
            fill_changes(adapter, connection.schema)
    if result.remedy is not None:
        warn(
            f"the store is newer than recce_meta {__version__}, which reads it but cannot write it; "
            f"to write, {result.remedy}"
        )
    was = f" (was version {result.previous_version})" if result.action.value == "migrated" else ""
    emit(f"Store {result.action.value} in schema {result.schema}, version {result.version}{was}")


@click.command()
@connecting
@_artifact_options
@sql_options
@format_option("table", "json")
def record(connection: Connection, style: str, **options: Any) -> None:
    """Record dbt's artifacts as one run, or files of SQL.

    Reads manifest.json, and catalog.json and run_results.json where they are, from dbt's target folder
    (DIR, if given) and writes one run into the store. Recording the same artifacts again adds what the
    run lacks: columns, statistics.

    With --from sql, reads the files of the dbt project in DIR, or plain SQL files, without dbt.
    """
    recorded = _record(connection, sql=sql_source(options, connection.project_dir), **options)
    if style == "json":
        emit(report.run_json(recorded.run, recorded.counts, columns=_columns(recorded)))
    else:
        emit(_told(recorded, **screen()))


@click.command(context_settings={"allow_interspersed_args": False})
@connecting
@_artifact_options
@click.option("--strict", is_flag=True, help="Exit with 3 where the command succeeded and recording failed.")
@click.argument("command", nargs=-1, type=click.UNPROCESSED, required=True)
def hook(connection: Connection, command: tuple[str, ...], strict: bool, **options: Any) -> None:
    """Run a command such as dbt build, then record what it left behind.

    \b
        recce-meta hook --environment base -- dbt build --target prod

    The command's output, signals and exit code pass through untouched. A failure to record is one
    warning, and never fails the job unless --strict is given.
    """
    before: int | None = None
    checkout: Checkout | None = None
    with suppress(RecceMetaError):  # raised again, and reported, when the command has run
        before = _manifest_time(_folder(connection, options))
        checkout = checkout_of(_folder(connection, options), connection.project_dir)

    def write() -> None:
        folder = _folder(connection, options)
        if _manifest_time(folder) == before:
            raise ArtifactError(
                f"the command wrote no manifest.json into {folder}", hint="--target-path names its folder"
            )
        recorded = _record(connection, checkout=checkout, **options)
        say(_told(recorded, **screen(sys.stderr)))

    raise click.exceptions.Exit(run_hook(command, write, strict, warn))


def _told(recorded: Recorded, **size: Any) -> str:
    return report.record_text(
        recorded.run,
        recorded.counts,
        is_new=recorded.is_new,
        counted=recorded.counted,
        profiled=recorded.profiled,
        columns=_columns(recorded),
        **size,
    )


def _columns(recorded: Recorded) -> dict[str, int] | None:
    return None if recorded.columns is None else asdict(recorded.columns)


def _folder(connection: Connection, options: Mapping[str, Any]) -> Path:
    return target_folder(options["target_path"], connection.project_dir)


def _manifest_time(folder: Path) -> int | None:
    """When the manifest was written last, so that an earlier run's is not taken for this one's."""
    manifest = folder if folder.is_file() else find_artifact(folder, "manifest.json")
    return manifest.stat().st_mtime_ns if manifest is not None else None


def _record(
    connection: Connection,
    target_path: Path | None,
    environment: str,
    run_id: str | None,
    target_name: str | None,
    git_sha: str | None,
    branch: str | None,
    pull_request: str | None,
    git_dirty: bool | None,
    stats: str | None,
    data_target: str | None,
    no_columns: bool,
    column_timeout: float,
    sql: SqlSource | None = None,
    checkout: Checkout | None = None,
) -> Recorded:
    git = GitState(sha=git_sha, branch=branch, dirty=git_dirty, pull_request=pull_request)
    given: dict[str, Any] = {
        "environment": environment,
        "run_id": run_id,
        "target_name": target_name,
        "git": git,
    }
    if sql is not None:
        project = sql.read(connection, **given)
    else:
        folder = target_folder(target_path, connection.project_dir)
        project = read_target(folder, project_dir=connection.project_dir, before=checkout, **given)
    with progress("recording") as tell, connection.open() as adapter:
        refuse_memory(adapter)
        refuse_newer(adapter, connection.schema)
        statistics = _statistics(connection, adapter, project, stats, data_target) if stats else ()
        recorded = record_project(
            adapter,
            project,
            schema=connection.schema,
            statistics=statistics,
            columns=not no_columns,
            column_timeout=column_timeout,
            tell=tell,
        )
    for text in recorded.warnings:
        warn(text)
    return recorded


def _statistics(
    connection: Connection, store: UnifiedSqlAdapter, project: Project, stats: str, data_target: str | None
) -> tuple[NodeStatistics, ...]:
    """The figures of what *project* built; where they cannot be taken at all, the run is recorded without."""
    from recce_meta.api.statistics import Stats, take_statistics

    try:
        with ExitStack() as stack:
            data = stack.enter_context(connection.at(data_target).open_existing()) if data_target else store
            return take_statistics(data, project, Stats(stats), threads=data.threads)
    except RecceMetaError as error:
        warn(f"no statistics were taken: {error}")
        return ()
