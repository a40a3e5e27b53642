"""Checks of the machine of a worker: git, uv, isolation, work folder and disk."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from recce_meta.errors import RecceMetaError
from recce_meta.models.run import Check
from recce_meta.repositories.extraction.dbt.environments import find_uv
from recce_meta.repositories.extraction.isolation import bubblewrap, docker
from recce_meta.repositories.extraction.isolation.base import Settings
from recce_meta.repositories.git.environment import find_git

_GIGABYTE = 10**9
FULL, SCARCE = 1.0, 10.0
"""Free gigabytes below which jobs fail soon, and below which a large repository or adapter may not fit."""


def check_machine(work: Path, isolation: Settings, environ: Mapping[str, str]) -> list[Check]:
    """Return the checks of this machine, for a worker with the work folder *work*."""
    kinds = asyncio.run(_isolation(isolation))
    return [_git(environ), _uv(environ), *kinds, _folder(work), _disk(work)]


def _git(environ: Mapping[str, str]) -> Check:
    try:
        return Check("git", True, find_git(environ))
    except RecceMetaError as error:
        return Check("git", False, error.message, error.hint)


def _uv(environ: Mapping[str, str]) -> Check:
    try:
        return Check("uv", True, find_uv(environ))
    except RecceMetaError as error:
        return Check("uv", False, error.message, error.hint)


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
