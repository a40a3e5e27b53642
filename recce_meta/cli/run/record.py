"""Implementation of `init`, `record` and `hook`: dbt artifacts or SQL files become one run of the store."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import click
import msgspec
from click.core import ParameterSource
from msgspec import Struct
from msgspec.structs import asdict, replace

from recce_meta import __version__, report
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.adapter.cancellation import impatient
from recce_meta.api.build_failures import with_build_failures
from recce_meta.api.record import (
    Recorded,
    check_name,
    checkout_of,
    fill_derived,
    read_target,
    record_project,
    target_folder,
)
from recce_meta.cli.connections import Connection
from recce_meta.cli.console import alert, console
from recce_meta.cli.defaults import current_config, data_of_environment
from recce_meta.cli.options import emit, progress, say, screen, warn
from recce_meta.cli.wrapper import in_one_line, run_and_record
from recce_meta.errors import (
    ArtifactError,
    DatabaseNotFound,
    RecceMetaError,
    StoreLocked,
    TransientFailure,
    UsageError,
    quoted,
)
from recce_meta.extractors.artifact import find_artifact
from recce_meta.extractors.commit_proof import Checkout
from recce_meta.extractors.git import GitState, detect_git
from recce_meta.extractors.job import job_fields
from recce_meta.extractors.project import BUILT_EARLIER, project_above
from recce_meta.lazy import load
from recce_meta.models import NodeMetadata, Project, RunMetadata
from recce_meta.models.run import DBT, PART, dbt_options
from recce_meta.models.stored import NodeStatistics
from recce_meta.profiles import find_project_dir
from recce_meta.quality.masking import mask_statistics, privacy_of
from recce_meta.report.plan import NOTHING
from recce_meta.store.grants import init_sql
from recce_meta.store.session import init_store, refuse_memory, refuse_newer


class SqlSource(Struct, frozen=True, kw_only=True):
    """Options of `record` about the source of the run."""

    source: str
    """dbt, sql, or the name of a plugin."""
    directory: Path | None
    dialect: str | None
    project_name: str | None
    variables: str | None


class UploadOptions(Struct, frozen=True, kw_only=True):
    """Options of `record` and `hook` about the server that artifacts are uploaded to."""

    to: str | None
    """Address of the server; None to record into the store."""
    to_connection: str | None


class RecordOptions(Struct, frozen=True, kw_only=True):
    """Options of `record` and `hook` about the run."""

    target_path: Path | None
    environment: str
    run_id: str | None
    target_name: str | None
    git_sha: str | None
    branch: str | None
    pull_request: str | None
    stats: str | None
    failed_rows: int | None
    no_values: bool
    private: tuple[str, ...]
    data_target: str | None
    git_dirty: bool | None
    require_fresh: bool
    no_columns: bool
    column_timeout: float

    @property
    def run(self) -> dict[str, Any]:
        """Return the options that describe the run, by the argument names of the readers."""
        git = GitState(
            sha=self.git_sha, branch=self.branch, dirty=self.git_dirty, pull_request=self.pull_request
        )
        return {
            "environment": self.environment,
            "run_id": self.run_id,
            "target_name": self.target_name,
            "git": git,
        }


def init(connection: Connection, show_sql: bool) -> None:
    """Create or migrate the store, or print the script for a new one."""
    with connection.open() as adapter:
        if show_sql:
            emit(init_sql(adapter.warehouse, connection.schema))
            return
        refuse_memory(adapter)
        result = init_store(adapter)
        # A newer store must not be changed.
        if result.remedy is None:
            fill_derived(adapter)
    if result.remedy is not None:
        warn(
            f"the store is newer than recce_meta {__version__}, which can read it but not write to it; "
            f"to write, {result.remedy}"
        )
    was = f" (was version {result.previous_version})" if result.action.value == "migrated" else ""
    emit(f"Store {result.action.value} in schema {result.schema}, version {result.version}{was}")


def record(
    connection: Connection, options: RecordOptions, upload: UploadOptions, sql: SqlSource, style: str
) -> None:
    """Record dbt artifacts or SQL files, or upload artifacts, and print what was written."""
    _refuse_of_store(upload)
    _refuse_combined(options, sql)
    if upload.to is not None:
        given = replace(options, target_path=sql.directory or options.target_path)
        body = _upload(upload.to, connection, given, upload)
        text = msgspec.json.format(body).decode() if style == "json" else _uploaded_text(body, **screen())
        emit(text)
        return
    if sql.source == "sql":
        project = _read_sql(sql, connection, **options.run)
    elif sql.source != DBT:
        folder = sql.directory or connection.project_dir or Path()
        project = load("recce_meta.api.public.extract:extract_with")(sql.source, folder, **options.run)
    else:
        project = read_artifacts(
            connection, replace(options, target_path=sql.directory or options.target_path)
        )
    recorded = write_run(connection, project, options)
    if style == "json":
        emit(report.run_json(recorded.run, recorded.counts, columns=_columns(recorded)))
    else:
        emit(recorded_text(recorded, **screen()))


def _refuse_combined(options: RecordOptions, sql: SqlSource) -> None:
    """Raise UsageError for options of the other source."""
    has_path = options.target_path is not None
    if sql.source != DBT and has_path:
        raise UsageError(
            f"--target-path cannot be combined with --from {sql.source}",
            hint=f"use recce-meta record --from {sql.source} DIR",
        )
    if sql.source == "sql":
        return
    own = {"--dialect": sql.dialect, "--project": sql.project_name, "--vars": sql.variables}
    wrong = [option for option, value in own.items() if value]
    if wrong:
        raise UsageError(
            f"{', '.join(wrong)} requires --from sql", hint="use recce-meta record --from sql DIR"
        )
    if sql.directory is not None and has_path:
        raise UsageError("DIR cannot be combined with --target-path", hint="remove --target-path")


def read_artifacts(
    connection: Connection, options: RecordOptions, checkout: Checkout | None = None
) -> Project:
    """Read dbt's artifacts; *checkout* is the checkout before dbt ran, if known."""
    folder, root = _folder(connection, options), _project_of(connection, options)
    project = read_target(folder, project_dir=root, before=checkout, **options.run)
    (project,) = with_build_failures([project], [root], os.environ)
    earlier = [warning for warning in project.warnings if warning.startswith(BUILT_EARLIER)]
    if options.require_fresh and earlier:
        raise ArtifactError(earlier[0], hint="run dbt again, or remove --require-fresh")
    return project


def write_run(connection: Connection, project: Project, options: RecordOptions) -> Recorded:
    """Write *project* into the store with its statistics and column lineage, and print warnings."""
    with progress("recording") as tell, connection.open() as adapter:
        refuse_memory(adapter)
        # Checked before the statistics, which may take long.
        refuse_newer(adapter)
        statistics = _statistics(connection, adapter, project, options) if options.stats else ()
        if options.failed_rows:
            project = _with_failed_rows(connection, adapter, project, options)
        recorded = record_project(
            adapter,
            project,
            statistics=statistics,
            columns=not options.no_columns,
            column_timeout=options.column_timeout,
            # The invocation of dbt is new each time; an id of contents occurs again.
            id_of_contents=options.run_id is None and project.run.run_id != project.run.invocation_id,
            tell=tell,
        )
    for text in recorded.warnings:
        warn(text)
    return recorded


def _statistics(
    connection: Connection, store: UnifiedSqlAdapter, project: Project, options: RecordOptions
) -> tuple[NodeStatistics, ...]:
    """Return statistics of the nodes that *project* built; if that fails, warn and return none."""
    if part := sorted(dbt_options(project.run).intersection(PART)):
        # They must not become the latest row counts.
        warn(f"no statistics stored: {', '.join(part)} builds a part of the rows")
        return ()
    kind = load("recce_meta.api.data.statistics:Stats")(options.stats)
    take = load("recce_meta.api.data.statistics:take_statistics")
    try:
        with _open_data(connection, store, options) as data:
            privacy = privacy_of(no_values=options.no_values, private=options.private)
            hides = privacy is not None
            taken: tuple[NodeStatistics, ...] = take(
                data, project, kind, threads=data.threads, hides_values=hides
            )
            if privacy is None:
                return taken
            upstream = load("recce_meta.api.runs:columns_upstream")
            ids = {one.unique_id for one in taken}
            sides = upstream([load("recce_meta.api.run_reader:MemoryRunReader")(project)], ids)
            of_nodes = load("recce_meta.quality.private_outputs:with_private_outputs")
            return mask_statistics(taken, of_nodes(privacy, ids, sides))
    except RecceMetaError as error:
        warn(f"no statistics stored: {error}")
        return ()


def _with_failed_rows(
    connection: Connection, store: UnifiedSqlAdapter, project: Project, options: RecordOptions
) -> Project:
    """Return *project* with rows of its failed tests; if that fails, warn and return it without."""
    read = load("recce_meta.api.data.failed_rows:with_failed_rows")
    try:
        with _open_data(connection, store, options) as data:
            privacy = privacy_of(no_values=options.no_values, private=options.private)
            found: Project = read(data, project, options.failed_rows, privacy, store=store)
            if data is store and len(found.warnings) > len(project.warnings):
                warn("the tests were run in the warehouse of the store: --data-target names another one")
            return found
    except RecceMetaError as error:
        warn(f"no failed rows stored: {error}")
        return project


@contextmanager
def _open_data(
    connection: Connection, store: UnifiedSqlAdapter, options: RecordOptions
) -> Iterator[UnifiedSqlAdapter]:
    """Yield the connection to the data of the run: *store*, unless they are elsewhere."""
    with ExitStack() as stack:
        data = store
        place = options.data_target or data_of_environment(options.environment)
        if place:
            data = stack.enter_context(connection.at(place).open_existing())
        # Opening the same file twice would deadlock.
        yield store if data.place.reaches_same(store.place) else data


def recorded_text(recorded: Recorded, **size: Any) -> str:
    """Return the report of a recorded run for the terminal."""
    return report.record_text(
        recorded.run,
        recorded.counts,
        is_new=recorded.is_new,
        statistics={"row counts": recorded.counted, "profiles": recorded.profiled},
        columns=_columns(recorded),
        **size,
    )


def _columns(recorded: Recorded) -> dict[str, int] | None:
    return None if recorded.columns is None else asdict(recorded.columns)


def _read_sql(
    source: SqlSource,
    connection: Connection,
    *,
    environment: str,
    run_id: str | None,
    target_name: str | None,
    git: GitState,
) -> Project:
    """Read the files as a project; reuse the stored nodes of files that did not change."""
    api = load("recce_meta.api.record_sql")

    def known(project: str, fingerprint: str) -> Mapping[str, NodeMetadata]:
        # The store may not exist yet; any other error is raised again when the run is written.
        with suppress(RecceMetaError), connection.open_existing() as adapter:
            nodes: Mapping[str, NodeMetadata] = api.last_nodes(adapter)(project, fingerprint)
            return nodes
        return {}

    options = api.SqlOptions(
        environment=environment,
        run_id=run_id,
        project=source.project_name,
        dialect=source.dialect,
        variables=load("recce_meta.profiles.project_file:parse_variables")(source.variables),
        target_name=target_name or connection.target,
        profiles_dir=connection.profiles_dir,
        profile=connection.profile,
        git=git,
    )
    folder = source.directory or connection.project_dir or Path()
    project: Project = api.extract_sql_project(folder, options, known=known)
    return project


_NOT_UPLOADED = (
    *("profiles_dir", "profile", "target", "url", "schema", "lock_timeout", "run_id", "target_name", "stats"),
    *("failed_rows", "no_values", "private", "data_target", "require_fresh", "no_columns", "column_timeout"),
    *("source", "dialect", "project_name", "variables"),
)
"""Parameters about the store, and about work that the server does in its own way."""


def _refuse_of_store(upload: UploadOptions) -> None:
    """Raise UsageError for an option of the command line that --to excludes, or requires."""
    context = click.get_current_context()
    # Defaults of the environment and of files are left out: they never make a command line invalid.
    given = {
        str(param.name): param.opts[0]
        for param in context.command.params
        if context.get_parameter_source(str(param.name)) is ParameterSource.COMMANDLINE
    }
    if upload.to is not None:
        wrong = [option for name, option in given.items() if name in _NOT_UPLOADED]
        if wrong:
            raise UsageError(
                f"{', '.join(wrong)} cannot be combined with --to",
                hint="remove it: the server records the upload in the store of its connection",
            )
        return
    wrong = [option for name, option in given.items() if name == "to_connection"]
    if wrong:
        raise UsageError(f"{', '.join(wrong)} requires --to", hint="recce-meta record --to https://SERVER")


def _upload(to: str, connection: Connection, options: RecordOptions, upload: UploadOptions) -> bytes:
    """Upload the artifacts of the options, and return the answer of the server."""
    folder = _folder(connection, options)
    start = _project_of(connection, options) or folder
    details = _details(options, upload, start)
    with progress("reading the artifacts") as tell:
        answer: bytes = load("recce_meta.cli.run.upload:upload_artifacts")(
            folder,
            details,
            job_fields(start, os.environ, details.get("commit_sha")),
            to=to,
            connection=upload.to_connection,
            environ=os.environ,
            say=say,
            report=tell,
        )
    for text in load("recce_meta.cli.run.upload:read_answer")(answer).warnings:
        warn(text)
    return answer


def _details(options: RecordOptions, upload: UploadOptions, start: Path) -> dict[str, str]:
    """Return what the server has to know of the artifacts: their commit, branch and pull request."""
    found = detect_git(start, os.environ)
    sha, number = options.git_sha or found.sha, options.pull_request or found.pull_request
    branch = options.branch or found.branch
    dirty = found.dirty if options.git_dirty is None else options.git_dirty
    if number is not None and not (number.isascii() and number.isdecimal() and int(number)):
        raise UsageError(
            f"Invalid pull request: {quoted(number)}", hint="give its number with --pull-request"
        )
    if branch is None and number is None:
        warn("the branch is unknown, so the run is one of the main branch; name it with --branch")
    details = {"commit_sha": sha, "branch": branch, "pull_request": number}
    if dirty is not None:
        details["is_dirty"] = str(dirty).lower()
    # The default of `record` is not that of the server.
    if click.get_current_context().get_parameter_source("environment") is not ParameterSource.DEFAULT:
        details["environment"] = options.environment
    return {name: value for name, value in details.items() if value}


def _uploaded_text(body: bytes, **size: Any) -> str:
    """Return the report of an upload for the terminal."""
    found = load("recce_meta.cli.run.upload:read_answer")(body)
    extraction = found.extraction
    run = RunMetadata(
        run_id=found.run_id,
        run_at=datetime.now(timezone.utc),
        project_name=found.project,
        environment=found.environment,
    )
    counts = {"model": extraction.models, "source": extraction.sources}
    text = report.record_text(run, counts, is_new=found.is_new, **size)
    lineage = f"{extraction.columns:,} columns, {extraction.column_lineage:,} edges of column lineage"
    return f"{text}\n  {lineage}, tier {extraction.extraction_tier}; connection {found.connection}"


HOOK_LOCK_SECONDS = 55.0
"""Longest wait for a locked store after the command."""


def hook(
    connection: Connection,
    options: RecordOptions,
    upload: UploadOptions,
    command: tuple[str, ...],
    strict: bool,
    plans: bool,
) -> None:
    """Run *command*, with *plans* as planned, record or upload its artifacts, and exit with its exit code."""
    if options.target_path is None and (own := _value_of(command, "--target-path")):
        folder = target_folder(None, connection.project_dir, {"DBT_TARGET_PATH": own})
        options = replace(options, target_path=folder)
    with suppress(RecceMetaError):  # raised again and reported after the command
        # The command builds the project of the working directory, wherever it writes.
        root = _project_of(connection, options) or find_project_dir()
        connection = replace(connection, project_dir=root)
    # Before the command, which may take hours.
    _refuse_of_store(upload)
    if strict:
        console().may_start_command = False
        _refuse_before(connection, options, upload)
        console().may_start_command = True
    if plans and not (command := _planned(connection, command)):
        return
    # The job has to end, whatever the store does.
    connection = replace(connection, lock_timeout=min(connection.lock_timeout, HOOK_LOCK_SECONDS))
    before: int | None = None
    checkout: Checkout | None = None
    options = _without_values(options)
    with suppress(RecceMetaError, OSError):  # raised again and reported after the command
        before = _manifest_time(_folder(connection, options))
        checkout = checkout_of(_folder(connection, options), connection.project_dir)

    def record(code: int) -> None:
        folder = _folder(connection, options)
        if _manifest_time(folder) == before:
            if code:
                raise ArtifactError("it wrote no manifest.json")
            is_elsewhere = _value_of(command, "--project-dir") is not None
            own = "give --project-dir to hook as well, before --"
            hint = own if is_elsewhere else "pass its folder with --target-path"
            raise ArtifactError(f"the command wrote no manifest.json into {folder}", hint=hint)
        if upload.to is not None:
            with impatient():
                body = _upload(upload.to, connection, options, upload)
            say(_uploaded_text(body, **screen(sys.stderr)))
            return
        project = read_artifacts(connection, options, checkout)
        if code and not project.results:
            alert(f"The command failed with exit code {code} and left no results: the run has none")
        with impatient():
            recorded = write_run(connection, project, options)
        # Standard output belongs to the command.
        say(recorded_text(recorded, **screen(sys.stderr)))

    raise click.exceptions.Exit(run_and_record(command, record, strict, alert))


def _without_values(options: RecordOptions) -> RecordOptions:
    """Return *options* without those that store values and warn, if a key of the configuration is ignored."""
    for ignored in current_config().ignored:
        # The key might have been about privacy.
        lost = "statistics" if options.stats else "failed rows" if options.failed_rows else ""
        alert(f"{lost and f'no {lost} stored: '}{in_one_line(ignored)}")
        options = replace(options, stats=None, failed_rows=None)
    return options


def _planned(connection: Connection, command: tuple[str, ...]) -> tuple[str, ...]:
    """Return *command* with its plan, or alone if it cannot be planned; empty if nothing must be built."""
    console().may_start_command = False
    load("recce_meta.cli.run.plan:place_of_build")(command)
    console().may_start_command = True
    try:
        found = load("recce_meta.cli.run.plan:planned_command")(connection, None, command)
    except RecceMetaError as error:
        alert(f"Not planned, so all nodes are built: {in_one_line(error)}")
        return command
    if found is None:
        say(NOTHING)
        return ()
    return tuple(found)


def _value_of(command: Sequence[str], option: str) -> str | None:
    """Return the value of the last *option* of *command*; None without one."""
    for place in reversed(range(len(command))):
        name, _, value = command[place].partition("=")
        if name == option:
            return value or next(iter(command[place + 1 :]), None)
    return None


def _refuse_before(connection: Connection, options: RecordOptions, upload: UploadOptions) -> None:
    """Raise the error that would keep the run from being recorded, if it shows without waiting for a lock."""
    check_name("an environment", options.environment)
    if options.run_id:
        check_name("a run", options.run_id)
    if upload.to is not None:
        load("recce_meta.sync.server_client:parse_server")(upload.to, os.environ)
        return
    # After the command, a missing file is created, and a lock may be free.
    not_yet = suppress(DatabaseNotFound, StoreLocked, TransientFailure)
    with not_yet, impatient(), replace(connection, lock_timeout=0.0).open_existing() as adapter:
        refuse_memory(adapter)
        refuse_newer(adapter)


def _project_of(connection: Connection, options: RecordOptions) -> Path | None:
    """Return the project that wrote the artifacts; None if a folder in no project is named."""
    if options.target_path is None:
        return find_project_dir(connection.project_dir)
    return connection.project_dir or project_above(options.target_path)


def _folder(connection: Connection, options: RecordOptions) -> Path:
    return target_folder(options.target_path, connection.project_dir)


def _manifest_time(folder: Path) -> int | None:
    """Return the manifest's modification time, which tells a new manifest from that of an earlier run."""
    manifest = folder if folder.is_file() else find_artifact(folder, "manifest.json")
    return manifest.stat().st_mtime_ns if manifest is not None else None
