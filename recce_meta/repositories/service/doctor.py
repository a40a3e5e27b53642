"""Checks of what a server and its workers need, for `doctor --server`: machine, state and workers."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sqlalchemy import RowMapping, select
from sqlalchemy.exc import SQLAlchemyError

from recce_meta._version import __version__
from recce_meta.errors import RecceMetaError, first_line, install_hint
from recce_meta.models.run import Check
from recce_meta.redaction import presentable
from recce_meta.repositories.extraction.dbt.environments import find_uv
from recce_meta.repositories.extraction.isolation import bubblewrap, docker
from recce_meta.repositories.extraction.isolation.base import Settings
from recce_meta.repositories.git.environment import find_git
from recce_meta.repositories.state.database import VERSION, State, existing_state, stored_version
from recce_meta.repositories.state.secrets import KEY, KEY_FILE, key_file_of, read_keys, unseal
from recce_meta.repositories.state.tables import connection_secrets
from recce_meta.repositories.state.workers import STALE_SECONDS, list_workers, stale_workers

_GIGABYTE = 10**9
FULL, SCARCE = 1.0, 10.0
"""Free gigabytes below which jobs fail soon, and below which a large repository or adapter may not fit."""


def check_machine(work: Path, isolation: Settings, environ: Mapping[str, str]) -> list[Check]:
    """Return the checks of this machine, for a worker with the work folder *work*."""
    kinds = asyncio.run(_isolation(isolation))
    programs = [_program("git", find_git, environ), _program("uv", find_uv, environ)]
    return [*programs, *kinds, _folder(work), _disk(work)]


def _program(name: str, find: Callable[[Mapping[str, str]], str], environ: Mapping[str, str]) -> Check:
    try:
        return Check(name, True, find(environ))
    except RecceMetaError as error:
        return Check(name, False, error.message, error.hint)


async def _isolation(settings: Settings) -> list[Check]:
    """Return a check of each kind, and one that fails if none works."""
    works, kinds = [], []
    for name, reason in (
        (settings.engine, await docker.engine_missing(settings)),
        ("bubblewrap", await bubblewrap.missing(settings)),
    ):
        if reason is None:
            works.append(name)
        # One kind is enough, so a missing one does not fail.
        kinds.append(
            Check(
                name, reason is None or None, "works" if reason is None else reason[0], reason and reason[1]
            )
        )
    if works[:1] == [settings.engine]:
        tags = await docker.image_tags(settings)
        hint = "recce-meta runner build --dbt MINOR --adapter NAME builds one; bubblewrap is used without it"
        found = ", ".join(tags) if tags else f"no image {settings.image}"
        kinds.append(Check("images of dbt", bool(tags) or None, found, hint))
        works = works if tags else works[1:]
    if works:
        return [*kinds, Check("isolation", True, f"dbt runs in {works[0]}")]
    without = "dbt cannot be run: projects are read without it (SILVER), unless they are trusted"
    hint = "make bubblewrap or a container engine work, as the lines above say"
    return [*kinds, Check("isolation", False, without, hint)]


def _folder(work: Path) -> Check:
    """Check that the worker can write *work*."""
    name, there = "work folder", _existing(work)
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return Check(name, False, f"{work} cannot be written", "choose another with --work-dir")
    return Check(name, True, str(work))


def _disk(work: Path) -> Check:
    free = shutil.disk_usage(_existing(work)).free / _GIGABYTE
    hint = "free space, lower --mirrors-size and --environments-size, or choose another --work-dir"
    is_enough = False if free < FULL else True if free >= SCARCE else None
    return Check("disk", is_enough, f"{free:.1f} GB are free for {work}", hint)


def _existing(folder: Path) -> Path:
    """Return *folder*, or the first folder above it that exists."""
    return next(one for one in (folder, *folder.parents) if one.exists())


def check_state(url: str | None, environ: Mapping[str, str]) -> list[Check]:
    """Return the checks of the state at *url*, which is neither created nor migrated."""
    name = "state"
    try:
        state = existing_state(url, environ)
        if state is None:
            created = "recce-meta connection add URL creates it"
            return [Check(name, None, "no file of a state exists yet", created)]
        try:
            return _checked(state, environ)
        finally:
            state.close()
    except RecceMetaError as error:
        return [Check(name, False, error.message, error.hint)]
    except SQLAlchemyError as error:
        return [Check(name, False, presentable(first_line(error)), "check --state")]


def _checked(state: State, environ: Mapping[str, str]) -> list[Check]:
    version, where = stored_version(state), str(state.url)
    found = Check("state", True, where)
    if version is None:
        hint = "the next server, worker or connection add creates them"
        return [
            found,
            Check("migration", None, "the state has no tables yet", hint),
            *_key(state, environ, 0),
        ]
    if version > VERSION:
        hint = install_hint("server", "--upgrade ")
        return [found, Check("migration", False, f"version {version}; this recce-meta reads {VERSION}", hint)]
    if version < VERSION:
        hint = "back it up and stop older servers and workers; the next start migrates it"
        behind = f"version {version}; this recce-meta migrates it to {VERSION}"
        return [found, Check("migration", None, behind, hint)]
    return [
        found,
        Check("migration", True, f"version {version} is current"),
        *_key(state, environ, version),
        *_workers(state),
    ]


def _key(state: State, environ: Mapping[str, str], version: int) -> list[Check]:
    """Return a check that the key opens all secrets of the state; no key is created."""
    has_key = environ.get(KEY) or environ.get(KEY_FILE) or (state.file and key_file_of(state.file).exists())
    secrets: Sequence[RowMapping] = ()
    if version:
        with state.read() as session:
            secrets = session.execute(select(connection_secrets)).mappings().all()
    # Without this, a key file would be created.
    if not has_key and not secrets:
        hint = f"set {KEY} or {KEY_FILE}, or name variables with --token-env"
        detail = "no key is set, and no secret is stored"
        return [Check("key", None, detail, hint if state.file is None else "the first secret creates one")]
    try:
        keys = read_keys(environ, state)
        for row in secrets:
            unseal(keys, row["connection_id"], row["field"], row["sealed"])
    except RecceMetaError as error:
        return [Check("key", False, error.message, error.hint)]
    return [Check("key", True, f"{keys.source} opens {len(secrets)} of {len(secrets)} secrets")]


def _workers(state: State) -> list[Check]:
    stale = {worker.name for worker in stale_workers(state, STALE_SECONDS)}
    workers = list_workers(state)
    live = [worker for worker in workers if worker.name not in stale]
    if not live:
        return [Check("workers", None, "no worker runs, so jobs wait", "start recce-meta worker")]
    shown = ", ".join(sorted(worker.name for worker in live))
    others = sorted({worker.version for worker in live} - {__version__})
    hint = f"upgrade the workers of version {', '.join(others)}" if others else None
    return [Check("workers", None if others else True, f"{len(live)} live: {shown}", hint)]
