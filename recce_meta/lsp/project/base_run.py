"""Run to compare the edited project with: that of a configured store, or that of git's merge base.

The run is copied into the cached store once. A configured store is asked at most every few minutes, because
an editor saves often and a warehouse answers slowly. Of a DuckDB file, a copy is read: the file itself is
only locked while it is copied, and a file that is being written is left alone.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack, suppress
from datetime import datetime, timezone
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from recce_meta._version import __version__
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.commit_files import files_at, files_folder
from recce_meta.api.record import record_run
from recce_meta.api.record_sql import Known, SqlOptions, extract_sql_project
from recce_meta.api.run_choice import ENVIRONMENT, LATEST, RunDefaults, select_base, short_sha
from recce_meta.api.run_reader import folder_of, read_run
from recce_meta.config.discovery import find_config_files
from recce_meta.config.file import NO_CONFIG, Config, StoreSettings, read_config
from recce_meta.errors import RecceMetaError, StoreError
from recce_meta.extractors.git import GitState, git_output
from recce_meta.extractors.history import CheckoutHistory
from recce_meta.extractors.sql_project.inputs import INSTALLED
from recce_meta.lsp.project.index_process import BaseOptions
from recce_meta.models import Project
from recce_meta.models.run import BASE, MERGE_BASE_OF
from recce_meta.store.read import run_by_id
from recce_meta.store.session import open_store
from recce_meta.sync.exchange import PULL, exchange
from recce_meta.sync.operations import store_replica
from recce_meta.temporary import temporary_folder

CHECK_SECONDS = 300.0
"""Time within which a configured store is not asked again."""
GIT = "git-"
"""Start of the ids of runs that were read from a commit."""
_COMMAND = "RECCE_META_LSP_"
_SHARED = "RECCE_META_"
_T = TypeVar("_T")


class ChosenBase(Struct, frozen=True, kw_only=True):
    """Run to compare with, as kept next to the cached store."""

    run_id: str | None = None
    label: str | None = None
    previous_id: str | None = None
    """Run that was compared with before, which the server may still read."""
    checked_at: float = 0.0
    """Time at which the configured store was asked."""
    key: str = ""
    """Digest of the configuration of the store; another store is asked at once."""
    head: str | None = None
    """Commit that was checked out then."""
    notes: tuple[str, ...] = ()
    """Sentences about the choice."""


class BaseFinder:
    """Choice of the run to compare the project *name* in *root* with, which is copied to *cached*."""

    def __init__(
        self,
        root: Path,
        name: str,
        cached: UnifiedSqlAdapter,
        given: BaseOptions,
        environ: Mapping[str, str],
        notes: list[str],
    ) -> None:
        self._root, self._name, self._cached, self._environ, self._notes = root, name, cached, environ, notes
        config = self._config()
        self._options = configured(given, config, environ)
        self._history = CheckoutHistory(root, environ, config.base_branch)

    def find(
        self, last: ChosenBase, known: Known, dialect: str | None, *, is_fresh: bool = False
    ) -> ChosenBase:
        """Return the run; *last* is the previous choice, which is kept if a store cannot be read.

        *known* returns the nodes of the edited project, and *dialect* is its dialect. With *is_fresh*, a
        configured store is asked even if it was a short time ago.
        """
        if not self._options.is_store and not folder_of(self._options.base):
            return self._of_git(known, dialect)
        key = sha256(repr(self._options).encode()).hexdigest()[:16]
        head, now = self._history.head, time.time()
        is_known = last.key == key and self._has(last.run_id)
        is_recent = is_known and last.head == head and 0 <= now - last.checked_at < CHECK_SECONDS
        if is_recent and not is_fresh:
            self._notes += last.notes
            return last
        try:
            found = self._of_store()
        except RecceMetaError as error:
            # A failure counts as an answer, too: a server that is down is not asked with every save.
            if is_known:
                found = replace(last, notes=(f"{_sentence(error)}; base is still {last.label}",))
            else:
                found = self._of_git(known, dialect)
                found = replace(found, notes=(f"{_sentence(error)}; the configured store was not used",))
        self._notes += found.notes
        return replace(found, key=key, head=head, checked_at=now)

    def _config(self) -> Config:
        files = find_config_files(None, {}, self._root)
        try:
            return read_config(files) if files.paths else NO_CONFIG
        except RecceMetaError as error:
            self._notes.append(f"{error.message}; the configuration was not used")
            return NO_CONFIG

    def _has(self, run_id: str | None) -> bool:
        if run_id is None:
            return False
        with open_store(self._cached) as store:
            return run_by_id(store, run_id) is not None

    def _of_store(self) -> ChosenBase:
        """Return the run of the configured store. Raises the error of a store that cannot be read."""
        options = self._options
        if (folder := folder_of(options.base)) is not None:
            return self._of_folder(self._root / folder)
        with ExitStack() as stack:
            source = stack.enter_context(self._opened(stack))
            defaults = RunDefaults(self._history, self._environ.get(ENVIRONMENT) or None)
            found = select_base(lambda: source, options.base, defaults=defaults, project=self._name)
            run = found.run
            if run is None:
                raise StoreError("The selector of base names no run of the store", hint="name a run")
            if not self._has(run.run_id):
                exchange(
                    store_replica(self._cached, creates=True),
                    store_replica(source),
                    PULL,
                    runs={run.run_id},
                )
        if not self._has(run.run_id):
            raise StoreError(f"Run {run.run_id} cannot be copied from the store", hint="recce-meta sync")
        reason = found.chosen.reason
        moment = f"{run.run_at:%Y-%m-%d %H:%M} UTC"
        label = f"{reason}, {moment}" if reason.startswith(LATEST) else f"{reason}, run of {moment}"
        return ChosenBase(run_id=run.run_id, label=label, notes=found.notes)

    def _opened(self, stack: ExitStack) -> UnifiedSqlAdapter:
        """Return the configured store; of a DuckDB file, a copy, so that no recorder ever waits for it."""
        options = self._options
        if options.url is not None:
            source = UnifiedSqlAdapter.from_url(options.url, lock_timeout=0, may_create=False)
        else:
            source = UnifiedSqlAdapter.from_dbt_profile(
                options.profiles_dir,
                options.profile,
                options.target,
                project_dir=self._root,
                lock_timeout=0,
                may_create=False,
            )
        source = source.at(options.schema)
        if not _is_duckdb_file(source):
            return source
        with source:
            return source.snapshot(stack.enter_context(temporary_folder()))

    def _of_folder(self, folder: Path) -> ChosenBase:
        """Return the run of dbt's artifacts in *folder*, which is recorded."""
        project = read_run(folder, hash_seed_files=False)
        run = project.run
        run_id = f"path-{sha256(f'{folder} {run.run_id} {run.run_at}'.encode()).hexdigest()[:32]}"
        if not self._has(run_id):
            record_run(self._cached, replace(project, run=replace(run, run_id=run_id, environment=BASE)))
        return ChosenBase(run_id=run_id, label=f"{folder}, run of {run.run_at:%Y-%m-%d %H:%M} UTC")

    def _of_git(self, known: Known, dialect: str | None) -> ChosenBase:
        """Return the run of the merge base, whose files are read if it is not cached; none without git."""
        start = self._history.merge_base
        if start.sha is None:
            # Outside of a repository, the reason would only repeat this.
            if self._history.head is not None and start.problem is not None:
                hint = f" ({start.hint})" if start.hint else ""
                self._notes.append(f"No merge base: {start.problem}{hint}")
            return ChosenBase()
        installed = sorted(path.name for folder in INSTALLED for path in (self._root / folder).glob("*"))
        reading = sha256(repr((__version__, dialect, installed)).encode()).hexdigest()[:8]
        run_id = f"{GIT}{start.sha[:40]}-{reading}"
        label = f"git merge base {short_sha(start.sha)}" + (f" with {start.branch}" if start.branch else "")
        if not self._has(run_id):
            try:
                project = self._read_commit(start.sha, known, dialect)
            except RecceMetaError as error:
                self._notes.append(f"Commit {short_sha(start.sha)} cannot be read: {error.message}")
                return ChosenBase()
            run = replace(
                project.run,
                run_id=run_id,
                run_at=self._time_of(start.sha),
                environment=BASE,
                git_sha=start.sha,
                branch=f"{MERGE_BASE_OF}{start.branch}" if start.branch else None,
                git_dirty=False,
                git_proven=None,
                pull_request=None,
            )
            record_run(self._cached, replace(project, run=run))
        return ChosenBase(run_id=run_id, label=label)

    def _time_of(self, sha: str) -> datetime:
        text = git_output(self._root, self._environ, ("log", "-1", "--no-walk", "--format=%ct", sha)).strip()
        seconds = int(text) if text.isdecimal() else 0
        return datetime.fromtimestamp(seconds, timezone.utc)

    def _read_commit(self, sha: str, known: Known, dialect: str | None) -> Project:
        files, _ = files_at(self._history, sha)
        with files_folder(files, self._root) as folder:
            has_profiles = (folder / "profiles.yml").exists() or not (self._root / "profiles.yml").exists()
            options = SqlOptions(
                environment=BASE,
                dialect=dialect,
                profiles_dir=None if has_profiles else self._root,
                git=GitState(sha=sha, dirty=False),
                environ=self._environ,
            )
            return extract_sql_project(folder, options, known=known)


def _sentence(error: RecceMetaError) -> str:
    return " ".join(error.message.split())


def _is_duckdb_file(source: UnifiedSqlAdapter) -> bool:
    """Return True for a file that only one process can open for writing, of which a copy is read."""
    return source.warehouse.name == "duckdb" and source.place.file_path() is not None


def configured(given: BaseOptions, config: Config, environ: Mapping[str, str]) -> BaseOptions:
    """Return the options that apply: *given*, else those of *environ*, else those of *config*.

    A URL, profile or target replaces those of weaker sources together.
    """
    levels = [given, _from_environment(_COMMAND, environ), _from_environment(_SHARED, environ), _from(config)]
    common = BaseOptions(
        profiles_dir=_first(level.profiles_dir for level in levels),
        schema=_first(level.schema for level in levels),
        base=_first(level.base for level in levels),
    )
    for number, level in enumerate(levels):
        if level.url is not None:
            return replace(common, url=level.url)
        if level.is_store:
            # A weaker source may name the profile of the target, but not the target of the profile.
            profile = _first(weaker.profile for weaker in levels[number:])
            return replace(common, profile=profile, target=level.target)
    return common


def _first(values: Iterable[_T | None]) -> _T | None:
    return next((value for value in values if value is not None), None)


def _from_environment(prefix: str, environ: Mapping[str, str]) -> BaseOptions:
    names = ("url", "profile", "target", "profiles_dir", "schema", "base")
    found = {name: environ.get(f"{prefix}{name.upper()}") or None for name in names}
    folder = found.pop("profiles_dir")
    return BaseOptions(**found, profiles_dir=Path(folder) if folder else None)


def _from(config: Config) -> BaseOptions:
    """Return the options of *config*: of its store, or of the only one in `stores`."""
    settings = config.store
    if settings == StoreSettings() and len(config.stores) == 1:
        (settings,) = config.stores.values()
    folder = config.files[0].parent if config.files else Path()
    return BaseOptions(
        url=settings.url,
        profile=settings.profile,
        target=settings.target,
        profiles_dir=folder / settings.profiles_dir if settings.profiles_dir else None,
        schema=settings.schema,
        base=config.base,
    )


def read_choice(file: Path) -> ChosenBase:
    """Return the choice in *file*; an empty one if it is missing or damaged."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=ChosenBase)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return ChosenBase()


def write_choice(file: Path, choice: ChosenBase) -> None:
    """Write *choice* to *file*."""
    with suppress(OSError):  # it is only asked for again
        file.write_bytes(msgspec.json.encode(choice))
