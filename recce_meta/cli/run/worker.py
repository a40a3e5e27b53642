"""Implementation of the commands `worker` and `runner build`, and the worker in the process of `serve`."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import click
from msgspec import Struct

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.cli.connections import Connection
from recce_meta.cli.ending import stop_in_time
from recce_meta.cli.options import say
from recce_meta.cli.run.serve import stores_of
from recce_meta.errors import ConfigurationError, RecceMetaError, install_hint
from recce_meta.lazy import load
from recce_meta.models.run import Check
from recce_meta.repositories.state.database import State, open_state, require_state
from recce_meta.repositories.state.secrets import KEY_FILE
from recce_meta.temporary import temporary_folder

PACKAGES = ("dbos", "cryptography", "uv")
"""Packages of the extra `server` that a worker needs."""
GIGABYTE = 10**9


class WorkerOptions(Struct, frozen=True, kw_only=True):
    """Options of a worker."""

    worker_name: str | None
    concurrent_jobs: int
    work_dir: Path | None
    repository_size: float
    mirrors_size: float
    environments_size: float
    parse_cpu: float
    deps_cpu: float
    container_engine: str
    runner_image: str
    package_hub: str | None
    metrics_address: str | None


class MachineOptions(Struct, frozen=True, kw_only=True):
    """Options of the machine of a worker."""

    work_dir: Path | None
    container_engine: str
    runner_image: str


class RecordingStore(NamedTuple):
    """Store that a worker records runs in."""

    connect: Callable[[], UnifiedSqlAdapter]
    """Returns the adapter of the store, which may create a database file."""


def worker(connection: Connection, state: str | None, extraction: WorkerOptions) -> None:
    """Run extractions until Ctrl-C or SIGTERM, and end in time."""
    stores = stores_of(connection, click.get_current_context())
    require_state(state, os.environ)
    opened = open_state(state, os.environ)
    try:
        with (
            _metrics(opened, extraction.metrics_address),
            running(opened, stores, extraction, lock_timeout=connection.lock_timeout),
        ):
            try:
                # Only a signal ends this wait. One that another thread receives does not wake this thread.
                while True:
                    time.sleep(0.5)
            finally:
                stop_in_time()
    except KeyboardInterrupt:  # the worker has stopped
        pass
    finally:
        opened.close()


@contextmanager
def _metrics(state: State, address: str | None) -> Iterator[None]:
    """Show the metrics of a worker at *address* within the block."""
    if address is None:
        yield
        return
    metrics = load("recce_meta.server.metrics")
    with metrics.listening(metrics.address_of(address), metrics.Metrics(state)):
        yield


@contextmanager
def running(
    state: State, stores: Mapping[str, Connection], options: WorkerOptions, *, lock_timeout: float
) -> Iterator[None]:
    """Run a worker with a scheduler within the block; *stores* are those that runs are recorded in by name.

    Raises ConfigurationError if a package is missing, UsageError if the name of the worker is used.
    """
    _require_packages()
    extraction = load("recce_meta.repositories.extraction.stages")
    polling, workers = load("recce_meta.repositories.polling"), load("recce_meta.repositories.worker")
    isolation = load("recce_meta.repositories.extraction.isolation.base")
    work = work_folder(options, os.environ)
    limits = git_limits(options)
    with ExitStack() as stack:
        targets, files = {}, []
        for name, store in stores.items():
            adapter = stack.enter_context(store.open())
            files += [file for file in [adapter.place.file_path()] if file is not None]
            # A plain closure would return the last adapter for every store.
            targets[name] = RecordingStore(lambda opened=adapter: opened)  # type: ignore[misc]
        extractor = extraction.Extractor(
            state,
            targets,
            extraction.ExtractionSettings(
                work=work,
                isolation=isolation.Settings(
                    engine=options.container_engine,
                    image=options.runner_image,
                    private=private_files(state, files, os.environ),
                ),
                git=limits,
                mirrors_size=int(options.mirrors_size * GIGABYTE),
                environments_size=int(options.environments_size * GIGABYTE),
                hub=options.package_hub,
                parse_cpu=options.parse_cpu,
                deps_cpu=options.deps_cpu,
                lock_timeout=lock_timeout,
            ),
            os.environ,
        )
        extractor.remove_unused()
        logins = load("recce_meta.repositories.forges.login").ConnectionLogins(state, os.environ, limits)
        watch = polling.PullRequestWatch(state, logins, os.environ)
        poller = polling.Poller(state, logins, polling.PollSettings(), watch=watch)
        handlers = load("recce_meta.repositories.follow_ups.handlers").task_handlers(
            state, extractor.stores, logins, os.environ
        )
        settings = workers.WorkerSettings(work=work, name=options.worker_name, jobs=options.concurrent_jobs)
        databases = load("recce_meta.repositories.extraction.database_jobs").DatabaseJobs(
            state, extractor.stores, os.environ
        )
        stages = databases.stages(extractor.stages)
        found = workers.Worker(state, stages, settings, poll=poller, handlers=handlers)
        # Registered first, because the start may fail halfway.
        stack.callback(found.stop)
        found.start()
        say(f"Worker {found.name} runs the jobs of {state.url} (Ctrl-C stops)")
        yield


def git_limits(options: WorkerOptions) -> Any:
    """Return the limits of repositories that *options* set."""
    git = load("recce_meta.repositories.git.environment")
    return git.GitLimits(mirror_size=int(options.repository_size * GIGABYTE))


def _require_packages() -> None:
    for name in PACKAGES:
        if find_spec(name) is None:
            raise ConfigurationError(
                f"The worker needs the package {name}, which is not installed",
                hint=f"{install_hint('server')}, or start the server with --web-only",
            )


def work_folder(options: WorkerOptions | MachineOptions, environ: Mapping[str, str]) -> Path:
    """Return the work folder that *options* set, or the default one."""
    return (options.work_dir or default_work_folder(environ)).absolute()


def default_work_folder(environ: Mapping[str, str]) -> Path:
    """Return the work folder of workers in the folder for caches of the user that *environ* describes."""
    cache = environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME") or "~", ".cache")
    return Path(cache).expanduser() / "recce_meta" / "work"


def private_files(state: State, stores: Sequence[Path], environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the files that no program of a repository may read; *stores* are files of DuckDB."""
    named = environ.get(KEY_FILE)
    files = [*stores, *([Path(named).expanduser()] if named else [])]
    if state.file is not None:
        # The key of a SQLite state is a file next to it.
        neighbours = [state.neighbour(name) for name in ("jobs", "owners", "metrics")]
        files += [state.file, *neighbours, state.file.with_name(f"{state.file.name}.key")]
    return tuple(files)


def check_server(state: str | None, machine: MachineOptions) -> list[Check]:
    """Return the checks of the state and of this machine."""
    isolation = load("recce_meta.repositories.extraction.isolation.base").Settings(
        engine=machine.container_engine, image=machine.runner_image
    )
    work = work_folder(machine, os.environ)
    return [
        *load("recce_meta.repositories.service.doctor:check_machine")(work, isolation, os.environ),
        *load("recce_meta.repositories.service.doctor:check_state")(state, os.environ),
    ]


def build(minor: str, adapter: str, container_engine: str, runner_image: str) -> None:
    """Build the image of one version of dbt and one adapter, and show the output of the engine."""
    docker = load("recce_meta.repositories.extraction.isolation.docker")
    settings = docker.Settings(engine=container_engine, image=runner_image)
    with temporary_folder() as draft:
        given = docker.build_input(Path(draft), os.environ)
        command = docker.build_command(settings, docker.Image(minor, adapter), given)
        # Docker's older builder has no secrets.
        environ = {**os.environ, "DOCKER_BUILDKIT": "1"} if given.secrets else None
        try:
            code = subprocess.run(command, env=environ, check=False).returncode
        except OSError as error:
            raise ConfigurationError(
                f"{container_engine} cannot be started: {error.strerror}",
                hint=f"install {container_engine}, or name another engine with --container-engine",
            ) from None
    if code:
        hint = f"{container_engine} info shows its state"
        if given.secrets:
            hint += "; settings of the package index need BuildKit, whose version docker buildx version shows"
        raise RecceMetaError(f"{container_engine} ended with exit code {code}", hint=hint)
