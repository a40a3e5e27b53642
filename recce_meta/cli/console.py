"""Settings of one command's output: which messages are printed, colors, and the log.

The global options change them. Without these options nothing is logged, and `logging` is not imported.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

import click

from recce_meta.errors import MESSAGE_LENGTH, UsageError, shorten
from recce_meta.lazy import LazyModule
from recce_meta.redaction import presentable

CONFIG = "recce_meta.config"
"""Key in click's `Context.meta`: the Config that applies."""

if TYPE_CHECKING:
    from recce_meta.cli import logs
else:
    logs = LazyModule("recce_meta.cli.logs")  # imports logging, which most commands do not need

COLORS = ("auto", "always", "never")
"""Values of --color."""
_OPPOSITE = {"quiet": "verbose", "verbose": "quiet"}


class Console:
    """Output settings of one command."""

    def __init__(self) -> None:
        self.color = "auto"
        self.may_start_command = True
        """False once `hook` has started the user's command, which must run once, or refuses to start it."""
        self.lost_log: OSError | None = None
        """Error of a log file that could not be opened; no file is opened after it."""
        self._flags: dict[str, bool] = {}
        """Flags that are set; True for a flag on the command line, False for an environment variable."""
        self._log: logs.Log | None = None
        self.prints_json = False
        """True if standard error has messages as JSON only."""

    @property
    def is_quiet(self) -> bool:
        """True if only errors are printed on standard error."""
        return "quiet" in self._flags

    @property
    def is_debug(self) -> bool:
        """True if statements and tracebacks are printed on standard error."""
        return "debug" in self._flags

    @property
    def has_details(self) -> bool:
        """True if log messages are printed on standard error, where a spinner would break their lines."""
        return not self.is_quiet and not self._flags.keys().isdisjoint(("verbose", "debug"))

    def set_flag(self, name: str, *, is_given: bool) -> None:
        """Set quiet, verbose or debug; *is_given* is True if it is an option of the command line.

        An option wins over the environment. Raises UsageError if --quiet and --verbose are both options.
        """
        opposite = _OPPOSITE.get(name, "")
        if opposite in self._flags:
            if is_given and self._flags[opposite]:
                raise UsageError("--quiet cannot be combined with --verbose", hint="use one of them")
            if not is_given:
                return
            del self._flags[opposite]
        # A flag may be set twice: before the name of the command and after it.
        self._flags[name] = is_given or self._flags.get(name, False)
        self._follow_flags()

    def log_as_json(self) -> None:
        """Print each message on standard error as a JSON object, of level INFO if no flag is set."""
        self.prints_json = True
        self._follow_flags()

    def _follow_flags(self) -> None:
        if self.prints_json:
            self._started().print_json(is_debug=self.is_debug, is_quiet=self.is_quiet)
        elif self.has_details:
            self._started().print_at(is_debug=self.is_debug)
        elif self._log is not None:
            self._log.print_nothing()

    def log_to(self, file: Path) -> None:
        """Append all messages to *file*. Raises OSError the first time that a file cannot be opened."""
        if self.lost_log is not None:
            return
        try:
            self._started().append_to(file)
        except OSError as error:
            self.lost_log = error
            raise

    def _started(self) -> logs.Log:
        if self._log is None:
            # Only now, so that a command without these options does not import logging.
            self._log = logs.Log()
        return self._log

    def note(self, message: str, level: str = "INFO") -> None:
        """Add *message*, which the caller prints itself, to the log file."""
        if self._log is not None:
            self._log.note(message, level)

    def fail(self, error: BaseException, lines: str) -> None:
        """Print *lines*, the report of *error*, after its traceback if debugging, and log both."""
        if self._log is not None:
            self._log.note(lines, "ERROR", error)
            if self.prints_json:
                return
            if self.is_debug:
                click.echo(logs.traceback_text(error), err=True)
        click.echo(lines, err=True)

    def close(self, code: int) -> None:
        """Log the totals and the exit code, and end the log."""
        if self._log is not None:
            self._log.close(code)


_CONSOLE: ContextVar[Console | None] = ContextVar("output settings of the command", default=None)
_DEFAULT = Console()
"""Settings outside a command; they never change."""


def console() -> Console:
    """Return the settings of the running command."""
    return _CONSOLE.get() or _DEFAULT


@contextmanager
def new_console() -> Iterator[Console]:
    """Use new settings within the block."""
    # New settings for each command: tests run many in one process.
    made = Console()
    token = _CONSOLE.set(made)
    try:
        yield made
    finally:
        _CONSOLE.reset(token)


def say(message: str) -> None:
    """Print a message on standard error, unless the command is quiet."""
    text = presentable(message.rstrip("\n"))
    settings = console()
    settings.note(text)
    if not (settings.is_quiet or settings.prints_json):
        print_error(text)


def warn(message: str) -> None:
    """Print a warning on standard error, unless the command is quiet."""
    text = f"warning: {shorten(presentable(message), MESSAGE_LENGTH)}"
    settings = console()
    settings.note(text, "WARNING")
    if not (settings.is_quiet or settings.prints_json):
        print_error(text)


def alert(message: str) -> None:
    """Print a warning on standard error, even if the command is quiet: it stands for an error."""
    text = f"warning: {shorten(presentable(message), MESSAGE_LENGTH)}"
    settings = console()
    settings.note(text, "ERROR")
    if not settings.prints_json:
        print_error(text)


def print_error(text: str) -> None:
    """Print *text* on standard error, unless that is closed or its disk is full: work must not fail by it."""
    with suppress(OSError, ValueError):
        # A name with a line break must not give commands to GitHub Actions.
        click.echo(text.replace("\n::", "\n ::"), err=True)


def is_colored(*, is_terminal: bool) -> bool:
    """Return True if output in color is wanted: by --color, else NO_COLOR, else FORCE_COLOR, else a terminal.

    Each variable applies if it is not empty: https://no-color.org, https://force-color.org.
    """
    choice = console().color
    if choice != "auto":
        return choice == "always"
    wanted = os.environ.get("FORCE_COLOR") or (is_terminal and os.environ.get("TERM") != "dumb")
    return bool(wanted) and not os.environ.get("NO_COLOR")


def shows_progress() -> bool:
    """Return True if a spinner may be drawn on standard error."""
    settings = console()
    return not (settings.is_quiet or settings.has_details) and sys.stderr is not None and sys.stderr.isatty()
