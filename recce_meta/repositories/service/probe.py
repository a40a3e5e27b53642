"""Test of a connection: a repository or a database, up to the first check that fails.

Of a repository: address, token, branch, dbt project, adapter and version of dbt. It is fetched into a
temporary folder and read as data: nothing of it is run. Of a database: address, driver, network, login,
server and rights.
"""

from __future__ import annotations

import asyncio
import socket
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.adapter.doctor import check_drivers
from recce_meta.errors import ConfigurationError, RecceMetaError, did_you_mean, first_of, mask_errors, plural
from recce_meta.extractors.database import extract_database
from recce_meta.models.run import Check
from recce_meta.report.terminal import one_line
from recce_meta.repositories.extraction.databases import CORRECT, open_database, said_of, scope_of
from recce_meta.repositories.extraction.dbt.project import DbtProject, read_dbt_project, refuse_escapes
from recce_meta.repositories.extraction.dbt.versions import choose_version
from recce_meta.repositories.forges.github.app import InstallationTokens
from recce_meta.repositories.forges.registry import parse_address
from recce_meta.repositories.git.address import AddressRules, RepositoryAddress
from recce_meta.repositories.git.client import GitClient
from recce_meta.repositories.git.environment import GitLimits
from recce_meta.repositories.git.failures import GitFailure, GitFailureKind
from recce_meta.repositories.service.answers import ConnectionTest
from recce_meta.repositories.state.requests import NewConnection, normal_subdirectory, secrets_in
from recce_meta.repositories.state.secrets import Scrubber
from recce_meta.repositories.state.types import DatabaseOptions
from recce_meta.warehouses import available

MOST_SHOWN = 10
"""Folders of projects in a message."""
_NAMES = {GitFailureKind.TOKEN: "token", GitFailureKind.BRANCH: "branch", GitFailureKind.MISSING: "git"}
"""Name of the check that a failure of git belongs to; others belong to the address."""
NETWORK_SECONDS = 10.0
"""Time in which a server has to accept a connection of a test."""
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


class _Ended(Exception):
    """The last check failed, and hides the rest."""


class _Probe:
    """One test, with the checks that were made."""

    def __init__(
        self,
        request: NewConnection,
        rules: AddressRules,
        environ: Mapping[str, str],
        limits: GitLimits | None,
    ) -> None:
        self._request = request
        self._limits = limits
        self._rules = rules
        self._environ = environ
        self.checks: list[Check] = []
        self.branch: str | None = None
        self.sha: str | None = None
        self.projects: Sequence[str] = ()
        self.folder: str | None = None
        self.project: str | None = None
        self.adapter: str | None = None
        self.version: str | None = None

    def _pass(self, name: str, detail: str, *, ok: bool | None = True) -> None:
        self.checks.append(Check(name, ok, detail))

    def _fail(self, name: str, detail: str, hint: str | None) -> _Ended:
        self.checks.append(Check(name, False, detail, hint))
        return _Ended()

    async def run(self) -> None:
        """Make all checks, up to the first that fails."""
        try:
            address = parse_address(self._request.repo_url, self._rules)
            token = await self._token(address)
            scrub = Scrubber([] if token is None else [token]).scrub
            client = GitClient(address, token, limits=self._limits, environ=self._environ, scrub=scrub)
            await self._read_branches(client, has_token=token is not None)
            # Not the worker's mirror: a test must not fill the cache with a repository that is never added.
            with tempfile.TemporaryDirectory(prefix="recce-meta-test-", ignore_cleanup_errors=True) as folder:
                await self._read_project(client, Path(folder))
        except GitFailure as error:
            self._fail(_NAMES.get(error.kind, "address"), error.message, error.hint)
        except _Ended:
            pass

    async def _token(self, address: RepositoryAddress) -> str | None:
        request = self._request
        if request.github_app is not None:
            if request.private_key is None:
                hint = "give the key with --private-key-file"
                raise self._fail("token", "The private key of the GitHub App is missing", hint)
            tokens = InstallationTokens(self._environ)
            return await tokens.installation_token(request.github_app, request.private_key, address)
        if request.token_env is None:
            return request.access_token
        token = self._environ.get(request.token_env)
        if not token:
            raise self._fail(
                "token",
                f"The variable {request.token_env} is not set here",
                "set it here and for every worker, or skip the test with --no-test",
            )
        return token

    async def _read_branches(self, client: GitClient, *, has_token: bool) -> None:
        main = self._request.branch or await client.default_branch()
        for name in (main, *self._request.branches):
            try:
                sha = await client.head(name)
            except GitFailure as error:
                if _NAMES.get(error.kind) == "branch":
                    self._pass_login(client, has_token=has_token)
                raise
            self._pass_login(client, has_token=has_token)
            self._pass("branch", f"{name} at {sha[:8]}")
            if name == main:
                self.branch, self.sha = name, sha

    def _pass_login(self, client: GitClient, *, has_token: bool) -> None:
        """Pass address and token, once the server has answered about a branch."""
        if not self.checks:
            self._pass("address", client.address.url)
            self._pass("token", "accepted" if has_token else "none; the repository is public")

    async def _read_project(self, client: GitClient, folder: Path) -> None:
        assert self.branch is not None and self.sha is not None
        mirror, files = folder / "mirror.git", folder / "files"
        fetched = await client.clone(mirror, self.branch, self.sha, files)
        self.projects = await client.projects(mirror, fetched.sha)
        self.folder = self._chosen_folder()
        try:
            project = await asyncio.to_thread(_read, files, self.folder, self._request.variables)
        except ConfigurationError as error:
            # The temporary folder means nothing to the user.
            raise self._fail("project", error.message.replace(f"{files}/", ""), error.hint) from None
        self.project = project.name
        self._pass("project", f"{project.name} in {self.folder}" if self.folder else project.name)
        self._choose_adapter(project)
        try:
            self.version = choose_version(project.requires, self._request.dbt_version)
        except RecceMetaError as error:
            raise self._fail("dbt", error.message, error.hint) from None
        self._pass("dbt", self.version)

    def _chosen_folder(self) -> str:
        """Return the folder of the project: the given one, else the only one."""
        given, known = normal_subdirectory(self._request.subdirectory), self.projects
        if given in known and (given or len(known) == 1):
            return given
        if not known:
            hint = "name another branch with --branch; --no-test connects a folder of SQL files"
            raise self._fail("project", f"Branch {self.branch} has no dbt_project.yml", hint)
        shown = first_of([folder or "." for folder in known], MOST_SHOWN)
        if given:
            hint = did_you_mean(given, known) or f"folders with a dbt_project.yml: {shown}"
            raise self._fail("project", f"No dbt_project.yml in {given}", hint)
        if len(known) == 1:
            return known[0]
        if self._request.subdirectory:  # the top, by the name `.`
            return given
        raise self._fail(
            "project",
            f"The repository has {plural(len(known), 'dbt project')}: {shown}",
            "add a connection for each that you need, with --subdirectory FOLDER",
        )

    def _choose_adapter(self, project: DbtProject) -> None:
        adapter, source = self._request.adapter, "as given"
        if adapter is None:
            adapter, source = project.guess.adapter, f"from {project.guess.source}"
        if adapter is None:
            raise self._fail(
                "adapter",
                "The repository does not show its adapter: it has no profiles.yml",
                f"name it: --adapter {'|'.join(available())}",
            )
        if adapter not in available():
            raise self._fail(
                "adapter",
                f"The adapter {adapter} is not supported ({source})",
                f"name a similar one: --adapter {'|'.join(available())}",
            )
        self.adapter = adapter
        self._pass("adapter", f"{adapter}, {source}")


def _read(files: Path, folder: str, variables: Mapping[str, str]) -> DbtProject:
    project = read_dbt_project(files / folder, clone=files)
    refuse_escapes(files, project, variables)
    return project


async def test_connection(
    request: NewConnection,
    rules: AddressRules,
    environ: Mapping[str, str],
    limits: GitLimits | None = None,
) -> ConnectionTest:
    """Return the test of *request*; *rules* are those of addresses, *environ* has tokens of variables.

    *limits* are those of the fetched repository. A problem is a failed check with a hint, not an error.
    """
    probe = _Probe(request, rules, environ, limits)
    await probe.run()
    return ConnectionTest(
        ok=all(check.ok is not False for check in probe.checks),
        checks=probe.checks,
        branch=probe.branch,
        commit_sha=probe.sha,
        subdirectory=probe.folder,
        projects=probe.projects,
        project=probe.project,
        adapter=probe.adapter,
        extraction_dbt_version=probe.version,
    )


async def test_database(
    options: DatabaseOptions, url: str | None, environ: Mapping[str, str]
) -> ConnectionTest:
    """Return the checks of a database, up to the first that fails: address, network, login, rights."""
    checks: list[Check] = []
    try:
        adapter = await open_database(options, url, environ)
    except RecceMetaError as error:
        checks.append(Check("address", False, one_line(error.message), error.hint or CORRECT))
    else:
        with mask_errors(lambda: secrets_in(url)):
            checks = await asyncio.to_thread(lambda: list(_checks(adapter, options)))
    return ConnectionTest(ok=all(check.ok is not False for check in checks), checks=checks)


def _checks(adapter: UnifiedSqlAdapter, options: DatabaseOptions) -> Iterator[Check]:
    steps: tuple[tuple[str, Callable[[], Iterator[Check]]], ...] = (
        ("address", lambda: iter((Check("address", True, adapter.place.address),))),
        ("driver", lambda: check_drivers(adapter)),
        ("network", lambda: _network(adapter)),
        ("login", lambda: _login(adapter)),
        ("server", lambda: _server(adapter)),
        ("rights", lambda: _rights(adapter, options)),
    )
    with closing(adapter):
        for name, look in steps:
            try:
                found = list(look())
            except RecceMetaError as error:
                found = [Check(name, False, *said_of(error, adapter))]
            yield from found
            if any(check.ok is False for check in found):
                return


def _network(adapter: UnifiedSqlAdapter) -> Iterator[Check]:
    host, port = adapter.place.server or ("", None)
    if port is None:
        return
    try:
        socket.create_connection((host, port), NETWORK_SECONDS).close()
    except OSError as error:
        reason = "no answer" if isinstance(error, TimeoutError) else (error.strerror or str(error)).lower()
        hint = "check host and port, and that a firewall lets the worker through"
        yield Check("network", False, f"{host}:{port} cannot be reached: {reason}", hint)
    else:
        yield Check("network", True, f"{host}:{port} accepts connections")


def _login(adapter: UnifiedSqlAdapter) -> Iterator[Check]:
    adapter.connect()
    yield Check("login", True, f"as {adapter.role}" if adapter.role else "accepted")


def _server(adapter: UnifiedSqlAdapter) -> Iterator[Check]:
    _, rows = adapter.execute(adapter.warehouse.version_sql)
    yield Check("server", True, f"{adapter.warehouse.name} {rows[0][0]}")
    if adapter.warehouse.tls_sql is None:
        return
    found = ""
    with suppress(RecceMetaError):  # a view that the role may not read says nothing about the connection
        _, rows = adapter.execute(adapter.warehouse.tls_sql)
        found = str(rows[0][-1] or "") if rows else ""
    if found:
        yield Check("TLS", True, found)
    elif adapter.place.server is not None and adapter.place.server[0] in _THIS_MACHINE:
        yield Check("TLS", True, "not used, nor needed: the server is on this machine")
    else:
        hint = "add sslmode=require to the URL or the target if the network is not your own"
        yield Check("TLS", None, "not used: password and data are not encrypted on their way", hint)


def _rights(adapter: UnifiedSqlAdapter, options: DatabaseOptions) -> Iterator[Check]:
    """Read the catalog as a scan does: what it reads, and what is refused."""
    project = extract_database(adapter, scope=scope_of(options))
    schemas = [node.name for node in project.nodes if node.resource_type == "schema"]
    relations = len(project.nodes) - len(schemas)
    shown = ", ".join(schemas[:5]) + (", …" if len(schemas) > 5 else "")
    detail = f"{plural(relations, 'relation')} in {plural(len(schemas), 'schema')}"
    hint = None if relations else "check the schemas of the connection, and the rights of its user"
    yield Check("rights", True if relations else None, f"{detail}: {shown}" if shown else detail, hint)
    for warning in project.warnings:
        said, _, grant = warning.partition("; ask ")
        yield Check("rights", None, said, f"ask {grant}" if grant else None)
