"""Stages that need dbt: `dbt deps` and `dbt parse` of a checkout, each in a sandbox of its own.

A stage that cannot run dbt raises an error with the reason; `Extraction` then uses the next tier.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.errors import ConfigurationError
from recce_meta.models.run import IsolationKind
from recce_meta.repositories.extraction.dbt.commands import (
    DbtCommand,
    InstalledDbt,
    PackageAccess,
    deps_command,
    parse_command,
)
from recce_meta.repositories.extraction.dbt.environments import discard, use_environment
from recce_meta.repositories.extraction.dbt.outcome import (
    DbtFailed,
    TakenManifest,
    check_completed,
    take_manifest,
)
from recce_meta.repositories.extraction.dbt.packages import (
    collect_packages,
    find_packages,
    needs_deps,
    packages_key,
    place_packages,
    prepare_deps,
)
from recce_meta.repositories.extraction.dbt.profile import DbtProfile, merge_targets, write_profile
from recce_meta.repositories.extraction.dbt.project import (
    DbtProject,
    fetched_packages,
    path_text,
    read_dbt_project,
    refuse_escapes,
    where,
)
from recce_meta.repositories.extraction.dbt.versions import RUST, choose_version
from recce_meta.repositories.extraction.isolation.base import Program, ProgramSandbox
from recce_meta.repositories.extraction.isolation.base import Settings as IsolationSettings
from recce_meta.repositories.extraction.isolation.docker import FOLDER_IN_IMAGE, Image
from recce_meta.repositories.extraction.isolation.sandbox import choose
from recce_meta.repositories.extraction.workflow import JobRun
from recce_meta.repositories.forges.registry import parse_address
from recce_meta.repositories.git.address import AddressRules, check_host, parse_server
from recce_meta.repositories.git.failures import GitFailure
from recce_meta.repositories.processes import LOW_PRIORITY
from recce_meta.repositories.state.types import DbtFailure, RepositoryConnection
from recce_meta.warehouses import available

STAND_IN = "duckdb"
"""Adapter for projects whose own one is unknown or not supported."""
CHECKOUT = "checkout"
"""Folder of the checkout in that of the job."""
MANIFEST = "manifest"
"""Folder of the accepted manifest in that of the job."""
PARSE_CPU, DEPS_CPU = 600.0, 120.0
"""Seconds of CPU of `dbt parse` and `dbt deps`."""
_SHARE_OF_FORKS = 0.25
"""Share of these seconds that the files of a fork get."""
_PROFILE = "recce_meta"
"""Name of our profile for a project whose own is missing or a template."""


class DbtSettings(Struct, frozen=True, kw_only=True):
    """Settings of dbt on a worker."""

    cache: Path
    """Folder of environments and packages."""
    isolation: IsolationSettings
    environments_size: int
    """Bytes of all environments; the least recently used are removed."""
    parse_cpu: float = PARSE_CPU
    """Seconds of CPU of `dbt parse`."""
    deps_cpu: float = DEPS_CPU
    """Seconds of CPU of `dbt deps`."""


class Plan(Struct, frozen=True, kw_only=True):
    """How dbt parses a project."""

    project: DbtProject
    minor: str
    adapter: str
    is_stand_in: bool
    profile: DbtProfile

    @property
    def image(self) -> Image:
        """Image for containers."""
        return Image(self.minor, self.adapter)


class Parsed(Struct, frozen=True, kw_only=True):
    """A parsed project."""

    manifest: TakenManifest
    isolation: IsolationKind


class DbtStages:
    """Runs dbt for jobs. *environ* is the environment of the service."""

    def __init__(self, settings: DbtSettings, environ: Mapping[str, str]) -> None:
        self._settings = settings
        self._environ = environ

    def plan(self, run: JobRun) -> Plan:
        """Return how dbt parses the checkout of *run*; write our profile.

        Raises ConfigurationError if it cannot, or if a path leaves the repository.
        """
        connection, clone = run.connection, run.folder / CHECKOUT
        project = read_dbt_project(clone / connection.subdirectory, clone=clone)
        # In each stage again: `dbt deps` has added files since the last look.
        refuse_escapes(clone, project, connection.variables)
        wanted = connection.adapter or project.guess.adapter
        adapter = wanted if wanted in available() else STAND_IN
        return Plan(
            project=project,
            minor=choose_version(project.requires, connection.dbt_version),
            adapter=adapter,
            is_stand_in=adapter != wanted,
            profile=write_profile(
                run.folder / "profile",
                project.profile or _PROFILE,
                adapter,
                merge_targets(connection.profile, project.guess.target),
            ),
        )

    async def sandbox(self, connection: RepositoryConnection, plan: Plan) -> ProgramSandbox:
        """Return the sandbox for a connection. Raises NoSandbox if none works that it requires."""
        return await choose(
            connection.isolation,
            is_trusted=connection.is_trusted,
            settings=self._settings.isolation,
            image=plan.image,
        )

    @asynccontextmanager
    async def _installed(self, sandbox: ProgramSandbox, plan: Plan) -> AsyncIterator[InstalledDbt]:
        """Yield dbt for *plan*: that of the image, else that of an environment, which is built if needed."""
        if sandbox.kind is IsolationKind.DOCKER:
            programs = FOLDER_IN_IMAGE / "bin"
            is_program = plan.minor == RUST  # others are scripts of Python
            # Isolated: Python would otherwise load modules from HOME, which the program can write.
            python = () if is_program else (str(programs / "python"), "-I")
            yield InstalledDbt(
                argv=(*python, str(programs / "dbt")),
                minor=plan.minor,
                version=plan.minor,
                adapter=plan.adapter,
                adapter_version="",
            )
            return
        async with use_environment(
            self._settings.cache / "environments",
            plan.minor,
            plan.adapter,
            environ=self._environ,
            limit=self._settings.environments_size,
        ) as environment:
            try:
                yield environment.dbt
            except DbtFailed as error:
                if error.failure is DbtFailure.ENVIRONMENT:
                    discard(environment)
                raise

    async def prepare(self, run: JobRun, access: PackageAccess) -> tuple[Plan, ProgramSandbox]:
        """Build dbt's environment and put the packages of the project into the checkout.

        *access* is for `dbt deps`. Raises ConfigurationError, DbtFailed or EnvironmentFailed if dbt cannot
        parse the project.
        """
        plan = await asyncio.to_thread(self.plan, run)
        sandbox = await self.sandbox(run.connection, plan)
        await sandbox.remove(run.job.id)
        async with self._installed(sandbox, plan) as dbt:
            variables = run.connection.variables
            if not needs_deps(plan.project, variables):
                return plan, sandbox
            # For each connection: packages may be private, and another connection has another token.
            kept = self._cache("packages", run.connection)
            # Files of a fork must not see kept packages, which may be private, and must not leave any.
            key = None if run.is_of_fork else packages_key(plan.project, dbt, variables)
            found = find_packages(kept, key, plan.project) if key else None
            if found is None:
                found = await self._install(run, plan, sandbox, dbt, access, kept, key)
            if not await asyncio.to_thread(place_packages, found, plan.project, variables):
                # The job of another branch has removed them. Without a key no other job can.
                found = await self._install(run, plan, sandbox, dbt, access, kept, None)
                await asyncio.to_thread(place_packages, found, plan.project, variables)
            return plan, sandbox

    def caches(self) -> list[Path]:
        """Return the folders with packages; each has the name of its connection's id."""
        return list(self._settings.cache.glob("packages/*"))

    def _cache(self, kind: str, connection: RepositoryConnection) -> Path:
        """Return the folder of a connection, whose time is that of its last use."""
        folder = self._settings.cache / kind / connection.id
        folder.mkdir(parents=True, exist_ok=True)
        os.utime(folder)
        return folder

    async def _refuse_private_packages(
        self, run: JobRun, project: DbtProject, variables: Mapping[str, str]
    ) -> None:
        """Check that packages come from servers that a repository may have, as `dbt deps` runs online.

        Raises ConfigurationError for a private server, and for an address that is not one of HTTPS.
        """
        clone, rules = run.folder / CHECKOUT, AddressRules.read(self._environ)
        if run.is_of_fork:
            # Its author may reach the server of the repository, but no other one of the own network.
            own = parse_address(run.connection.repo_url, rules)
            host = f"[{own.host}]" if ":" in own.host else own.host
            rules = AddressRules(frozenset([f"{host}:{own.port}"]) if own.is_allowed else frozenset())
        for package in await asyncio.to_thread(fetched_packages, clone, project, variables):
            for kind, given in package.urls.items():
                place = ("packages", package.index, kind)
                url = path_text(given, package.file, place, variables)
                try:
                    await check_host(parse_address(url, rules) if kind == "git" else parse_server(url, rules))
                except GitFailure as error:
                    if error.can_retry:
                        raise
                    raise ConfigurationError(
                        f"{where(package.file, place)}: {error.message}", hint=error.hint
                    ) from None

    async def _install(
        self,
        run: JobRun,
        plan: Plan,
        sandbox: ProgramSandbox,
        dbt: InstalledDbt,
        access: PackageAccess,
        kept: Path,
        key: str | None,
    ) -> Path:
        variables, out = run.connection.variables, await _emptied(run.folder / "deps")
        clone = run.folder / CHECKOUT
        # Only for a fetch: kept packages need no network.
        await self._refuse_private_packages(run, plan.project, variables)
        folder = await asyncio.to_thread(prepare_deps, plan.project, clone, out, variables)
        profile = await asyncio.to_thread(
            write_profile, run.folder / "deps-profile", "recce_meta", plan.adapter, merge_targets()
        )
        command = deps_command(dbt, folder, profile, out, variables=variables, access=access)
        await self._run(run, sandbox, command)
        return await asyncio.to_thread(collect_packages, out, folder, kept, key, variables)

    async def parse(self, run: JobRun) -> Parsed:
        """Run `dbt parse` and take its manifest.

        Raises ConfigurationError, DbtFailed or EnvironmentFailed if dbt cannot parse the project.
        """
        plan = await asyncio.to_thread(self.plan, run)
        sandbox = await self.sandbox(run.connection, plan)
        await sandbox.remove(run.job.id)
        async with self._installed(sandbox, plan) as dbt:
            clone, out = run.folder / CHECKOUT, await _emptied(run.folder / "parse")
            variables = run.connection.variables
            command = parse_command(dbt, plan.project, clone, plan.profile, out, variables=variables)
            await self._run(run, sandbox, command)
            manifest = await asyncio.to_thread(take_manifest, command, run.folder / MANIFEST)
        return Parsed(manifest=manifest, isolation=sandbox.kind)

    async def _run(self, run: JobRun, sandbox: ProgramSandbox, command: DbtCommand) -> None:
        # Only `dbt deps` may use the network.
        seconds = self._settings.deps_cpu if command.is_online else self._settings.parse_cpu
        share, niceness = (_SHARE_OF_FORKS, LOW_PRIORITY) if run.is_of_fork else (1, 0)
        limits = replace(command.limits, cpu_seconds=seconds * share, niceness=niceness)
        command = replace(command, limits=limits)
        completed = await sandbox.run(
            Program(
                argv=command.argv,
                env=command.env,
                writable=command.writable,
                read_only=command.read_only,
                cwd=command.cwd,
                secrets=command.secrets,
                job=run.job.id,
                is_online=command.is_online,
                limits=command.limits,
            ),
            pid_file=run.pid_file("dbt"),
        )
        run.count(completed.cpu_seconds, completed.peak_memory)
        check_completed(completed, command)


async def _emptied(folder: Path) -> Path:
    """Return the folder, empty: an earlier attempt may have left files."""
    await asyncio.to_thread(partial(shutil.rmtree, folder, ignore_errors=True))
    folder.mkdir(parents=True)
    return folder
