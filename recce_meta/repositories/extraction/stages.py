"""Stages of an extraction: from the head of a branch to a recorded run.

GOLD is dbt's manifest, SILVER our reader of a dbt project, BRONZE plain SQL. If dbt cannot parse the project,
its files are read without dbt, and the run stores the reason; unless the connection requires dbt. If the head
of a pull request was read so, its merge base is, too.

A run's id is made of what the run depends on: repository, commit, branch, environment, settings and tier. So
a stage that runs twice stores one run.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from recce_meta.errors import (
    ArtifactError,
    ConfigurationError,
    RecceMetaError,
    first_line,
    mask_errors,
    plural,
)
from recce_meta.models import Project
from recce_meta.models.lineage import ColumnGraph, KnownColumns
from recce_meta.models.run import Extraction, ExtractionTier, IsolationKind
from recce_meta.profiles.discovery import PROJECT_FILE
from recce_meta.repositories.extraction.claims import ProjectClaim
from recce_meta.repositories.extraction.commits import (
    Commits,
    as_in_repository,
    errors_as_in_repository,
    find_job_files,
    settings_for,
    why_without_dbt,
    without_rights,
)
from recce_meta.repositories.extraction.dbt.commands import PackageAccess
from recce_meta.repositories.extraction.dbt.outcome import is_full_disk
from recce_meta.repositories.extraction.dbt.project import remove_leaving_links
from recce_meta.repositories.extraction.dbt.versions import NEWEST
from recce_meta.repositories.extraction.dbt_stages import (
    CHECKOUT,
    DEPS_CPU,
    MANIFEST,
    PARSE_CPU,
    STAND_IN,
    DbtSettings,
    DbtStages,
)
from recce_meta.repositories.extraction.isolation.base import PlainProcess, Program
from recce_meta.repositories.extraction.isolation.base import Settings as IsolationSettings
from recce_meta.repositories.extraction.isolation.bubblewrap import Bubblewrap
from recce_meta.repositories.extraction.isolation.docker import Docker, Image
from recce_meta.repositories.extraction.isolation.sandbox import find_missing
from recce_meta.repositories.extraction.reading import (
    FAILED,
    TIERS,
    ColumnsRequest,
    ReadingError,
    ReadRequest,
    command_of,
    python_folders,
    read_columns,
    read_document,
)
from recce_meta.repositories.extraction.workflow import (
    FolderGone,
    JobRun,
    Result,
    StageFailed,
    StageFunction,
    failure_of,
)
from recce_meta.repositories.forges.login import ConnectionLogins
from recce_meta.repositories.git.address import AddressRules
from recce_meta.repositories.git.client import GitClient
from recce_meta.repositories.git.environment import GitLimits, package_config, package_environment
from recce_meta.repositories.git.mirrors import remove_old_mirrors
from recce_meta.repositories.processes import LOW_PRIORITY, Completed, ProcessLimits, memory_limit
from recce_meta.repositories.recording import Recording, TargetStore, TargetStores, object_counts
from recce_meta.repositories.state.connections import get_connection, list_connections
from recce_meta.repositories.state.database import State
from recce_meta.repositories.state.jobs import put_job_file
from recce_meta.repositories.state.projects import OtherRepository
from recce_meta.repositories.state.pull_requests import change_report
from recce_meta.repositories.state.types import (
    NO_PROJECT,
    DbtFailure,
    JobSource,
    RepositoryConnection,
    Stage,
)
from recce_meta.sql_lineage.project.columns import SECONDS

_DOCUMENT = "project.json"
_READ = "read"
_COLUMNS = "columns"
_NO_IMAGE = Image(NEWEST, STAND_IN)
"""The worker's own Python runs in no container."""
_MOST_WARNINGS = 20
_NO_MEMORY = ("MemoryError", "Cannot allocate memory", "failed to map segment")
_AFTER_CLONE = frozenset((Stage.DEPENDENCIES, Stage.PARSE, Stage.EXTRACT, Stage.STORE))


class ExtractionSettings(Struct, frozen=True, kw_only=True):
    """Settings of extractions on a worker."""

    work: Path
    """Folder of jobs, mirrors and caches."""
    isolation: IsolationSettings = IsolationSettings()
    git: GitLimits = GitLimits()
    environments_size: int = 8 * 2**30
    """Bytes of all environments of dbt."""
    mirrors_size: int = 20 * 2**30
    """Bytes of all mirrors of repositories, with packages; the least recently used are removed."""
    hub: str | None = None
    """Address of the hub of packages; dbt's own if None."""
    parse_cpu: float = PARSE_CPU
    """Seconds of CPU of `dbt parse`; forks get a quarter."""
    deps_cpu: float = DEPS_CPU
    """Seconds of CPU of `dbt deps`; forks get a quarter."""
    lock_timeout: float = 600
    """Seconds that a job waits for a DuckDB store that another process writes to."""
    column_timeout: float = SECONDS
    """Seconds for the column lineage of one node."""
    reading: ProcessLimits = ProcessLimits(
        seconds=1_800, memory=memory_limit(4 * 2**30), processes=64, file_size=2**30
    )
    """Limits of the child that reads a project."""


class Children:
    """Processes of our own code that read a checkout, and write a document of what they read."""

    def __init__(self, settings: ExtractionSettings) -> None:
        self._settings = settings

    async def read(self, run: JobRun, folder: Path, manifest: Path | None) -> IsolationKind:
        """Let a child read the checkout; *manifest* is the folder of dbt's manifest."""
        connection, out = run.connection, run.folder / _READ
        profile = run.folder / "profile"
        out.mkdir(exist_ok=True)
        tier = ExtractionTier.SILVER if manifest is None else ExtractionTier.GOLD
        if manifest is None:
            await asyncio.to_thread(remove_leaving_links, run.folder / CHECKOUT)
        request = ReadRequest(
            output=out / _DOCUMENT,
            folder=folder,
            checkout=run.folder / CHECKOUT,
            target=manifest,
            environment=connection.environment,
            run_id=run_id_of(connection, run.branch, _commit(run), tier),
            sha=_commit(run),
            branch=run.branch,
            # The run of a merge base has no change of the pull request.
            pull_request=str(run.job.pull_request) if run.job.source is JobSource.PULL_REQUEST else None,
            adapter=connection.adapter,
            profiles_dir=profile if profile.is_dir() else None,
            target_name=connection.profile.target,
            variables=connection.variables,
        )
        shown = [path for path in (run.folder / CHECKOUT, manifest, profile) if path is not None]
        return await self._run_child(run, command_of(request, out / "request.json"), out, shown)

    def document(self, run: JobRun) -> Project:
        """Return the project that a child has read. Raises FolderGone if its file is missing."""
        file = run.folder / _READ / _DOCUMENT
        if not file.is_file():
            raise FolderGone
        return read_document(file, self._settings.reading.file_size or 2**30)

    async def columns(self, run: JobRun, known: KnownColumns) -> ColumnGraph:
        """Let a child compute the column lineage of the project that was read."""
        out, read = run.folder / _COLUMNS, run.folder / _READ
        out.mkdir(exist_ok=True)
        (out / "known.json").write_bytes(msgspec.json.encode(known))
        request = ColumnsRequest(
            output=out / "columns.json",
            project=read / _DOCUMENT,
            known=out / "known.json",
            timeout=self._settings.column_timeout,
        )
        await self._run_child(run, command_of(request, out / "request.json"), out, [read])
        limit = self._settings.reading.file_size or 2**30
        return await asyncio.to_thread(read_columns, request.output, limit)

    async def _run_child(
        self, run: JobRun, command: tuple[str, ...], out: Path, read_only: Sequence[Path]
    ) -> IsolationKind:
        """Run our own code, which runs none of the repository, and return its isolation.

        Without bubblewrap it is a process with limits, also for repositories that are not trusted.
        """
        settings = self._settings.isolation
        # Not docker: an image of dbt has none of our code.
        missing = await find_missing(IsolationKind.BUBBLEWRAP, settings=settings, image=_NO_IMAGE)
        is_isolated = missing is None
        sandbox = (Bubblewrap if is_isolated else PlainProcess)(settings)
        completed = await sandbox.run(
            Program(
                argv=command,
                env={"PATH": os.defpath, "HOME": str(out), "TMPDIR": str(out), "LANG": "C.UTF-8"},
                writable=out,
                read_only=(*python_folders(), *(path for path in read_only if path.exists())),
                cwd=out,
                job=run.job.id,
                limits=replace(self._settings.reading, niceness=LOW_PRIORITY if run.is_of_fork else 0),
            ),
            pid_file=run.pid_file("read"),
        )
        run.count(completed.cpu_seconds, completed.peak_memory)
        if completed.code == FAILED:
            error = msgspec.json.decode(completed.output.strip().rpartition("\n")[2], type=ReadingError)
            raise StageFailed(error.message, hint=error.hint, kind="project")
        if completed.code:
            kind, reason = _cause_of(completed)
            raise StageFailed(
                f"The project cannot be read: {reason}",
                hint="raise the limits of the workers, or connect a subdirectory",
                kind=kind,
            )
        return sandbox.kind


class Extractor:
    """Stages of jobs that record in *stores*; *environ* is the environment of the service."""

    def __init__(
        self,
        state: State,
        stores: Mapping[str, TargetStore],
        settings: ExtractionSettings,
        environ: Mapping[str, str],
    ) -> None:
        self._state = state
        self._settings = settings
        self._environ = environ
        self._children = Children(settings)
        self._logins = ConnectionLogins(state, environ, settings.git)
        self._commits = Commits(self._logins, settings.work / "mirrors", AddressRules.read(environ))
        self._stores = TargetStores(stores, lock_timeout=settings.lock_timeout)
        self._dbt = DbtStages(
            DbtSettings(
                cache=settings.work / "cache",
                isolation=settings.isolation,
                environments_size=settings.environments_size,
                parse_cpu=settings.parse_cpu,
                deps_cpu=settings.deps_cpu,
            ),
            environ,
        )

    @property
    def stores(self) -> TargetStores:
        """Stores of this worker."""
        return self._stores

    @property
    def stages(self) -> Mapping[Stage, StageFunction]:
        """Function of each stage."""
        functions: Mapping[Stage, StageFunction] = {
            Stage.RESOLVE: self._resolve,
            Stage.CLONE: self._clone,
            Stage.DEPENDENCIES: self._install,
            Stage.PARSE: self._parse,
            Stage.EXTRACT: self._extract,
            Stage.STORE: self._store,
            Stage.CLEAN_UP: self._clean_up,
        }
        return {stage: partial(self._run_stage, stage, function) for stage, function in functions.items()}

    async def _run_stage(self, stage: Stage, function: StageFunction, run: JobRun) -> Result:
        """Run a stage whose log, result and error have no secret of the connection.

        Only the stages that read the repository's server have the login if the files are those of a fork.
        Raises FolderGone if the settings have changed since `clone`: one run never mixes two folders or two
        environments.
        """
        connection, settings = settings_for(run), _settings_id(run.connection)
        if stage in _AFTER_CLONE and run.results[Stage.CLONE.value].get("settings") != settings:
            raise FolderGone
        if run.is_of_fork and stage not in (Stage.RESOLVE, Stage.CLONE):
            connection = without_rights(connection)

        async def log(message: str) -> None:
            await run.log(self._logins.scrubber(run.connection).scrub(message))

        # A function, because the stage itself notes the secrets that it uses.
        with (
            mask_errors(lambda: self._logins.scrubber(run.connection).spellings),
            errors_as_in_repository(run.folder),
        ):
            result = dict(await function(replace(run, log=log, connection=connection)))
        scrub = self._logins.scrubber(run.connection).scrub
        shown: dict[str, Any] = {
            name: scrub(as_in_repository(result[name], run.folder))
            for name in ("message", "fallback")
            if name in result
        }
        return {**result, **shown, "figures": run.figures, "settings": settings}

    async def _resolve(self, run: JobRun) -> Result:
        async with self._client(run) as client:
            found = await self._commits.resolve(run, client)
        sha, branch = found.sha, found.branch
        run.count(0, 0, fetched=found.received)
        result: dict[str, Any] = {"commit_sha": sha, "branch": branch, "message": found.message}
        is_base = run.job.source is JobSource.MERGE_BASE
        if is_base and run.pull_request is not None:
            await asyncio.to_thread(
                partial(change_report, base_sha=sha),
                self._state, run.connection.id, run.pull_request.number,
            )  # fmt: skip
        lower = await asyncio.to_thread(why_without_dbt, self._state, run)
        if run.job.is_forced or lower is not None:
            return result
        # Only a run of the best tier ends the job: dbt may work now for a commit that was read without it.
        settings = without_rights(run.connection) if run.is_of_fork else run.connection
        run_id = run_id_of(settings, branch, sha, ExtractionTier.GOLD)
        stored = await self._stores.find_run(run.connection.store, run_id)
        if stored is None and is_base and run.pull_request is not None:
            # The commit was often extracted before, as a head of the branch.
            followed = await asyncio.to_thread(get_connection, self._state, run.connection.id)
            run_id = run_id_of(followed, run.pull_request.base_branch, sha, ExtractionTier.GOLD)
            stored = await self._stores.find_run(run.connection.store, run_id)
        if stored is None:
            return result
        return result | {
            "ends": True,
            "message": f"commit {sha[:12]} is stored already",
            "run_id": run_id,
            "is_new": False,
            "tier": ExtractionTier.GOLD.value,
            "dbt_version": stored.dbt_version,
            "manifest_version": stored.manifest_version,
        }

    @asynccontextmanager
    async def _client(self, run: JobRun) -> AsyncIterator[GitClient]:
        """Yield a client of the repository, and count what its programs took."""
        client = await self._logins.client(run.connection)
        try:
            yield client
        finally:
            run.count(client.git.cpu_seconds, client.git.peak_memory)

    async def _clone(self, run: JobRun) -> Result:
        checkout = run.folder / CHECKOUT
        # An attempt that was broken off may have left files that the commit does not have.
        await asyncio.to_thread(partial(shutil.rmtree, checkout, ignore_errors=True))
        sha = run.results["resolve"]["commit_sha"]
        async with self._client(run) as client:
            fetched = await self._commits.check_out(run, client, sha, checkout)
        run.count(0, 0, fetched=fetched.received)
        folder = checkout / run.connection.subdirectory
        if not folder.is_dir():
            raise StageFailed(
                f"The folder {run.connection.subdirectory} is not in commit {fetched.sha[:12]}",
                hint="set --subdirectory to the folder of dbt_project.yml",
                kind=NO_PROJECT,
            )
        return {"commit_sha": fetched.sha, "message": f"{fetched.received:,} bytes received"}

    async def _install(self, run: JobRun) -> Result:
        folder = _project_folder(run)
        if not (folder / PROJECT_FILE).is_file():
            reason = f"{PROJECT_FILE} is missing"
            if run.connection.requires_dbt:
                raise StageFailed(
                    f"The connection requires dbt, but {reason}", hint="set --subdirectory", kind=NO_PROJECT
                )
            return {"is_skipped": True, "fallback": reason, "failure": NO_PROJECT, "message": reason}
        lower = await asyncio.to_thread(why_without_dbt, self._state, run)
        if lower is not None:
            return {"is_skipped": True, "fallback": lower, "message": lower}
        try:
            plan, sandbox = await self._dbt.prepare(run, await self._package_access(run))
        except (ConfigurationError, ArtifactError) as error:
            return _fallback(run, Stage.DEPENDENCIES, error)
        return {
            "isolation": sandbox.kind.value,
            "adapter": plan.adapter,
            "is_stand_in": plan.is_stand_in,
            "message": f"dbt {plan.minor} with {plan.adapter} in {sandbox.kind.value}",
        }

    async def _parse(self, run: JobRun) -> Result:
        _project_folder(run)
        if "fallback" in run.results[Stage.DEPENDENCIES.value]:
            return {"is_skipped": True}
        try:
            parsed = await self._dbt.parse(run)
        except (ConfigurationError, ArtifactError) as error:
            return _fallback(run, Stage.PARSE, error)
        return {
            "isolation": parsed.isolation.value,
            "manifest_digest": parsed.manifest.digest,
            "message": f"manifest of {parsed.manifest.size:,} bytes",
        }

    async def _package_access(self, run: JobRun) -> PackageAccess:
        """Return how `dbt deps` reaches servers."""
        client = await self._logins.client(run.connection)
        token = await self._logins.token(run.connection, client.address)
        variables, certificates = package_environment(self._environ)
        return PackageAccess(
            git_config=run.folder / "deps-git",
            git_settings=package_config(client.address, token, self._environ),
            env=variables,
            hub=self._settings.hub,
            certificates=certificates,
        )

    async def _extract(self, run: JobRun) -> Result:
        folder = _project_folder(run)
        found: dict[str, Any] = {}
        manifest: Path | None = run.folder / MANIFEST
        parsed = run.results[Stage.PARSE.value]
        if "manifest_digest" not in parsed:
            manifest = None
        elif not (run.folder / MANIFEST).is_dir():
            raise FolderGone
        try:
            isolation = await self._children.read(run, folder, manifest)
        except (StageFailed, ConfigurationError) as error:
            is_of_worker = failure_of(error, Stage.EXTRACT).can_retry
            if manifest is None or run.connection.requires_dbt or is_of_worker:
                raise
            found["fallback"] = f"dbt's manifest cannot be read: {error.message}"
            found["failure"] = failure_of(error, Stage.EXTRACT).kind
            isolation = await self._children.read(run, folder, None)
        project = await asyncio.to_thread(self._children.document, run)
        await self._keep_files(run, folder)
        tier = TIERS.get(project.run.extractor, ExtractionTier.GOLD)
        counts = object_counts(project)
        if tier is not ExtractionTier.GOLD:
            found["isolation"] = isolation.value
        return {
            **found,
            "tier": tier.value,
            "dbt_version": project.run.dbt_version,
            "manifest_version": project.run.manifest_version,
            "counts": counts,
            "message": f"{tier.value}: {plural(counts['objects'], 'object')}, read in {isolation.value}",
        }

    async def _keep_files(self, run: JobRun, folder: Path) -> None:
        """Store the files for the tasks that follow the job, which have no checkout."""
        # A fork must not decide what is checked, nor with which settings.
        if run.is_of_fork:
            return
        found, refused = await asyncio.to_thread(find_job_files, run.folder / CHECKOUT, folder)
        for name, content in found.items():
            await asyncio.to_thread(put_job_file, self._state, run.job.id, name, content)
        for reason in refused:
            await run.log(reason)

    async def _store(self, run: JobRun) -> Result:
        project = await asyncio.to_thread(self._children.document, run)
        project = replace(project, run=replace(project.run, extraction=_extraction(run)))
        stored = await self._record(run, project)
        # The same id with other content, such as after a new version of recce-meta: both runs are kept.
        if stored.result.differs and run.job.is_forced:
            again = sha256(f"{project.run.run_id}{run.job.id}".encode()).hexdigest()[:32]
            stored = await self._record(run, replace(project, run=replace(project.run, run_id=again)))
        result = stored.result
        # Each warning is a row of the log, and a project can have thousands.
        for warning in (*project.warnings, *result.column_warnings)[:_MOST_WARNINGS]:
            await run.log(warning)
        counts = run.results[Stage.EXTRACT.value]["counts"]
        return {
            "run_id": result.run.run_id,
            "is_new": result.written,
            "message": f"run {result.run.run_id}" + ("" if result.written else " is stored already"),
            "counts": {**counts, "columns": stored.columns, "column_lineage": stored.column_lineage},
        }

    async def _record(self, run: JobRun, project: Project) -> Recording:
        """Record *project*. Raises StageFailed if it belongs to another repository."""
        claim = ProjectClaim(state=self._state, connection=run.connection, job_id=run.job.id, run=project.run)
        analyse = partial(self._children.columns, run)
        try:
            return await self._stores.record(
                run.connection.store, project, analyse, claim.make, idle=run.idle
            )
        except OtherRepository as error:
            raise StageFailed(error.message, hint=error.hint, kind="other_repository") from None

    async def _clean_up(self, run: JobRun) -> Result:
        """Remove the containers that a killed worker has left of the job, and caches that are not needed."""
        has_checkout = Stage.CLONE.value in run.results
        # A job that ended in `resolve` has started no container, and each call of the engine takes time.
        if has_checkout and run.connection.isolation in (None, IsolationKind.DOCKER):
            await Docker(self._settings.isolation, _NO_IMAGE).remove(run.job.id)
        await asyncio.to_thread(self.remove_unused)
        return {}

    def remove_unused(self) -> None:
        """Remove caches of connections that are gone, and the least recently used beyond the limit."""
        connections = {connection.id for connection in list_connections(self._state)}
        remove_old_mirrors(
            self._settings.work / "mirrors",
            self._settings.mirrors_size,
            caches=self._dbt.caches(),
            needed=connections,
        )


def _fallback(run: JobRun, stage: Stage, error: RecceMetaError) -> Result:
    """Return the result of a stage that cannot run dbt; raise *error* if the job fails or tries again.

    A fault of the worker's machine says nothing about the commit, so it never leads to a run.
    """
    failure = failure_of(error, stage)
    if failure.can_retry or run.connection.requires_dbt:
        raise error
    # One line: pages and terminals show a line break in an event as its escape.
    why = " ".join("; ".join(filter(None, (error.message, error.hint))).split())
    return {
        "is_skipped": True,
        "fallback": error.message,
        "failure": failure.kind,
        "message": f"read without dbt: {why}",
    }


def run_id_of(connection: RepositoryConnection, branch: str, sha: str, tier: ExtractionTier) -> str:
    """Return the id of the run of a commit: the same for the same content and settings."""
    parts = (
        *(connection.repo_url, connection.subdirectory, sha, branch, connection.environment, tier),
        *(connection.adapter, connection.dbt_version, connection.profile, connection.variables),
    )
    return sha256(msgspec.json.encode(parts, order="deterministic")).hexdigest()[:32]


def _cause_of(completed: Completed) -> tuple[str, str]:
    """Return the kind of the failure of a child that reads a project, and the reason."""
    if completed.excess in ("seconds", "cpu_seconds"):
        return DbtFailure.TIME.value, "it took too long"
    if completed.excess == "output":
        return DbtFailure.OUTPUT.value, "it printed too much"
    reason = first_line(completed.errors[-2000:].strip().rpartition("\n")[2])
    if is_full_disk(completed.errors):
        return DbtFailure.DISK.value, "the disk of the work folder is full"
    if completed.excess == "memory" or any(sign in reason for sign in _NO_MEMORY):
        return DbtFailure.MEMORY.value, "it needs more memory than its limit"
    if "File too large" in reason:
        return DbtFailure.OUTPUT.value, "what was read is larger than the limit of a file"
    return "project", reason or f"exit code {completed.code}"


def _settings_id(connection: RepositoryConnection) -> str:
    """Return an id of the settings that decide what a run of *connection* has, and where it is written."""
    return f"{run_id_of(connection, '', '', ExtractionTier.GOLD)} {connection.store}"


def _project_folder(run: JobRun) -> Path:
    """Return the folder of the project in the checkout. Raises FolderGone if it is on another machine."""
    folder = run.folder / CHECKOUT / run.connection.subdirectory
    if not folder.is_dir():
        raise FolderGone
    return folder


def _commit(run: JobRun) -> str:
    sha: str = run.results[Stage.CLONE.value]["commit_sha"]
    return sha


def _extraction(run: JobRun) -> Extraction:
    """Return how the run was extracted, from the results of the stages."""
    results = run.results
    installed, parsed, read = (
        results[stage.value] for stage in (Stage.DEPENDENCIES, Stage.PARSE, Stage.EXTRACT)
    )
    isolation = read.get("isolation") or parsed.get("isolation")
    is_gold = read["tier"] == ExtractionTier.GOLD.value
    return Extraction(
        connection=run.connection.name,
        job=run.job.id,
        trigger=run.job.trigger,
        requested_by=run.job.requested_by,
        tier=ExtractionTier(read["tier"]),
        isolation=None if isolation is None else IsolationKind(isolation),
        adapter=installed.get("adapter") if is_gold else None,
        is_stand_in=is_gold and installed.get("is_stand_in", False),
        manifest_digest=parsed.get("manifest_digest") if is_gold else None,
        fallback=read.get("fallback") or parsed.get("fallback") or installed.get("fallback"),
    )
