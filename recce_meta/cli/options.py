"""Options that several commands share, and what they resolve to."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Callable
from functools import reduce, wraps
from pathlib import Path
from typing import Any, TextIO, TypeVar

import click
from msgspec import Struct
from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.adapter.adapter import DEFAULT_LOCK_SECONDS
from recce_meta.adapter.temporary import remove_leftovers
from recce_meta.api.on_disk import folder_of
from recce_meta.errors import MESSAGE_LENGTH, shortened
from recce_meta.masking import presentable
from recce_meta.profiles import find_project_dir, read_project_name
from recce_meta.store.files import DEFAULT_SCHEMA

F = TypeVar("F", bound=Callable[..., Any])
DIRECTORY = click.Path(file_okay=False, path_type=Path)
EXISTING_DIRECTORY = click.Path(file_okay=False, exists=True, path_type=Path)


class _OutputFile(click.Path):
    """A file to write: that it cannot be is told before the work whose result it takes, not after."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """*value* as a path. Raises OSError where nothing can be written there."""
        file = Path(os.fsdecode(super().convert(value, param, ctx)))
        if not file.exists() and not file.parent.is_dir():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(file))
        if not os.access(file if file.exists() else file.parent, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(file))
        return file


OUTPUT = _OutputFile(dir_okay=False, path_type=Path)
MOST = 2**31 - 1
"""The largest number that an option takes: every warehouse has integers of this size."""
NARROWEST = 40
"""Columns below which output runs over the edge instead of being cut."""


class Connection(Struct, frozen=True):
    """Where the store is, as the options say it."""

    profiles_dir: Path | None
    profile: str | None
    target: str | None
    url: str | None
    project_dir: Path | None
    schema: str
    lock_timeout: float

    def at(self, place: str) -> Connection:
        """The same options for another place: a target of the profile, or a URL."""
        return replace(self, **({"url": place} if "://" in place else {"url": None, "target": place}))

    def open_existing(self) -> UnifiedSqlAdapter:
        """Like `open`, for commands that read: a DuckDB file that is not there is an error."""
        return self.open(may_create=False)

    def open(self, *, may_create: bool = True) -> UnifiedSqlAdapter:
        """The adapter; it connects when it is first asked."""
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
        return adapter


def together(*options: Callable[[F], F]) -> Callable[[F], F]:
    """*options* as one decorator; the help lists them in this order."""
    return lambda command: reduce(lambda inner, option: option(inner), reversed(options), command)


def connecting(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give *command* the connection options, as one argument `connection`."""

    @wraps(command)
    def wrapped(
        profiles_dir: Path | None,
        profile: str | None,
        target: str | None,
        url: str | None,
        project_dir: Path | None,
        schema: str,
        lock_timeout: float,
        **others: Any,
    ) -> Any:
        connection = Connection(profiles_dir, profile, target, url, project_dir, schema, lock_timeout)
        return command(connection=connection, **others)

    return _CONNECTION(wrapped)


def connection_options(*, target: str, schema: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The options that say where a database is: *target* is the help of --target, *schema* the option that
    names the store's schema."""
    return together(
        click.option(
            "--profiles-dir", type=DIRECTORY, help="Folder of profiles.yml. [env: DBT_PROFILES_DIR]"
        ),
        click.option("--profile", help="Profile in profiles.yml. [env: DBT_PROFILE]"),
        click.option("--target", help=f"{target} [env: DBT_TARGET]"),
        click.option(
            "--url", envvar="RECCE_META_URL", show_envvar=True, help="SQLAlchemy URL, instead of a profile."
        ),
        click.option(
            "--project-dir",
            type=EXISTING_DIRECTORY,
            help="Folder of dbt_project.yml. [env: DBT_PROJECT_DIR]",
        ),
        click.option(
            schema,
            "schema",
            envvar="RECCE_META_SCHEMA",
            default=DEFAULT_SCHEMA,
            show_default=True,
            show_envvar=True,
            help="Schema that holds the store.",
        ),
        click.option(
            "--lock-timeout",
            type=click.FloatRange(min=0),
            default=DEFAULT_LOCK_SECONDS,
            show_default=True,
            help="Seconds to wait for a DuckDB file that another process holds.",
        ),
    )


_CONNECTION = connection_options(target="Target of the profile: where the store is.", schema="--schema")

project_option = click.option(
    "--project", help="Project of the runs; default: dbt_project.yml's, or the only one."
)


def format_option(*formats: str) -> Callable[[F], F]:
    """`--format`, the first of *formats* being the default."""
    return click.option(
        "--format", "style", type=click.Choice(formats), default=formats[0], show_default=True, help="Output."
    )


def project_name(project: str | None, connection: Connection, *selectors: str) -> str | None:
    """The project at hand: the one named, else that of the nearest dbt_project.yml, else None.

    Where every run of *selectors* is on disk, no project is looked for.
    """
    if project is not None or (selectors and all(folder_of(text) for text in selectors)):
        return project
    folder = find_project_dir(connection.project_dir)
    return read_project_name(folder) if folder is not None else None


def say(message: str) -> None:
    """Tell the user something that is not the command's output."""
    click.echo(presentable(message.rstrip("\n")), err=True)


def _once(tell: Callable[[str], None]) -> Callable[[str], None]:
    """*tell*, which is not called with the same message again: several connections wait for one file."""
    told: set[str] = set()

    def tell_news(message: str) -> None:
        if message not in told:
            told.add(message)
            tell(message)

    return tell_news


def warn(message: str) -> None:
    """Tell the user what went less well than it should."""
    click.echo(f"warning: {shortened(presentable(message), MESSAGE_LENGTH)}", err=True)


def screen(stream: TextIO | None = None) -> dict[str, Any]:
    """`width` and `color` of *stream*, which is standard output unless given.

    NO_COLOR wins over FORCE_COLOR, and either counts when it is not empty: https://no-color.org,
    https://force-color.org.
    """
    stream = stream or sys.stdout
    is_terminal = stream is not None and stream.isatty()
    wanted = os.environ.get("FORCE_COLOR") or (is_terminal and os.environ.get("TERM") != "dumb")
    width = shutil.get_terminal_size((120, 40)).columns if is_terminal or "COLUMNS" in os.environ else 120
    return {"width": max(width, NARROWEST), "color": bool(wanted) and not os.environ.get("NO_COLOR")}


def emit(text: str) -> None:
    """Print the command's output; it is UTF-8 whatever the locale, since names may be anything."""
    if sys.stdout is None or not text:
        return  # nothing to say; or closed by the caller (`>&-`): nobody wants it
    try:
        sys.stdout.buffer.write(text.rstrip("\n").encode("utf-8", "replace") + b"\n")
        sys.stdout.flush()
    except OSError as error:
        # What is left in the buffer would fail again when Python exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):  # the reader has gone (`| head`) with what it wanted
            raise


def write(text: str, file: Path | None) -> None:
    """Print *text*, or write it to *file*."""
    if file is None:
        emit(text)
    else:
        file.write_text(text.rstrip("\n") + "\n", encoding="utf-8")
