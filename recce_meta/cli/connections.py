"""Connection to the store or another database, opened from the options of a command."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct
from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.cli.console import CONFIG
from recce_meta.cli.options import say, warn
from recce_meta.lazy import LazyModule
from recce_meta.profiles import find_project_dir, read_project_name
from recce_meta.profiles.discovery import working_directory
from recce_meta.temporary import remove_leftovers

if TYPE_CHECKING:
    from recce_meta.api import run_choice, run_reader
    from recce_meta.config.file import StoreSettings
    from recce_meta.extractors import git
    from recce_meta.store import prune
    from recce_meta.store.select import RunSelector
else:
    run_choice = LazyModule("recce_meta.api.run_choice")
    run_reader = LazyModule("recce_meta.api.run_reader")
    git = LazyModule("recce_meta.extractors.git")
    prune = LazyModule("recce_meta.store.prune")


class Connection(Struct, frozen=True, kw_only=True):
    """Connection options, as given on the command line."""

    profiles_dir: Path | None
    profile: str | None
    target: str | None
    url: str | None
    project_dir: Path | None
    schema: str
    lock_timeout: float

    def at(self, place: str) -> Connection:
        """Return these options for another target of the profile, or for a URL."""
        # A URL would otherwise win over the target.
        return replace(self, **({"url": place} if "://" in place else {"url": None, "target": place}))

    def open_existing(self, *, writes: bool = False) -> UnifiedSqlAdapter:
        """Return the adapter for a command that reads, unless it *writes*; a missing file is an error."""
        adapter = self.open(may_create=False)
        return adapter if writes else adapter.read_only()

    def open(self, *, may_create: bool = True) -> UnifiedSqlAdapter:
        """Return the adapter, which connects on first use, and print its warnings."""
        # A process that was killed could not remove its own folders.
        remove_leftovers()
        waiting: dict[str, Any] = {
            "lock_timeout": self.lock_timeout,
            "on_wait": _once(say),
            "may_create": may_create,
        }
        if self.url:
            adapter = UnifiedSqlAdapter.from_url(self.url, **waiting)
        else:
            adapter = UnifiedSqlAdapter.from_dbt_profile(
                self.profiles_dir, self.profile, self.target, project_dir=self.project_dir, **waiting
            )
        for text in adapter.warnings:
            warn(text)
        return adapter.at(self.schema)

    def own_project(self) -> str | None:
        """Return the name in the nearest dbt_project.yml; None if there is no such file."""
        folder = find_project_dir(self.project_dir)
        return read_project_name(folder) if folder is not None else None

    def author(self) -> str:
        """Return the name for changes that this command makes: that of git, else that of the login."""
        folder = self.project_dir or working_directory()
        return git.git_author(folder, os.environ) or prune.login_name()

    def project_of(self, project: str | None, *selectors: str | None) -> str | None:
        """Return *project*, else the name in the nearest dbt_project.yml, else None.

        Does not look for dbt_project.yml if every run of *selectors* is on disk.
        """
        if project is not None or all(run_reader.folder_of(text) for text in selectors):
            return project
        return self.own_project()

    def run_defaults(self) -> run_choice.RunDefaults:
        """Return the facts that default runs depend on; git is read when one of them is used."""
        return run_choice.read_defaults(self.project_dir, os.environ, base_branch=configured_base_branch())

    def only_run(
        self,
        connect: Callable[[], UnifiedSqlAdapter],
        selector: str | None,
        project: str | None,
        *,
        is_shown: bool = False,
    ) -> RunSelector:
        """Return *selector*, or the default run of a command that reads one run.

        Prints which run is the default, unless the output of the command shows it.
        """
        if selector is not None:
            return selector
        found = run_choice.select_run(connect, defaults=self.run_defaults(), project=project)
        # The latest run is what users expect, so it needs no message.
        if found.run is not None and found.chosen.reason != run_choice.LATEST_RUN and not is_shown:
            say(f"Run {found.run.run_id} ({found.chosen.reason})")
        return found.selector


def connection_of(connection: Connection, settings: StoreSettings, schema: str) -> Connection:
    """Return the connection to the store of *settings*; profile and folder may be those of *connection*."""
    is_url = settings.url is not None
    folder = settings.profiles_dir
    return replace(
        connection,
        url=settings.url,
        profile=None if is_url else settings.profile or connection.profile,
        target=settings.target,
        profiles_dir=Path(folder) if folder else connection.profiles_dir,
        schema=settings.schema or schema,
    )


def configured_base_branch() -> str | None:
    """Return `environments.base.branch` of the configuration that the running command has read."""
    context = click.get_current_context(silent=True)
    # From the context, because the file was read and checked when the options were parsed.
    config = None if context is None else context.meta.get(CONFIG)
    return None if config is None else config.base_branch


def _once(tell: Callable[[str], None]) -> Callable[[str], None]:
    """Wrap *tell* to skip repeated messages: several connections may wait for the same file."""
    shown: set[str] = set()

    def tell_news(message: str) -> None:
        if message not in shown:
            shown.add(message)
            tell(message)

    return tell_news
