"""Log of one command: --verbose and --debug print it on standard error, --log-file appends it to a file.

With --log-format json, standard error has nothing else: each message is a line with a JSON object.

Every module logs with a logger of its own name below `recce_meta`. Messages are masked: a log contains
statements, but no passwords and no parameters of statements.
"""

from __future__ import annotations

import logging
import os
import platform
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from contextvars import copy_context
from pathlib import Path

import click
import msgspec

from recce_meta._version import __version__
from recce_meta.errors import RecceMetaError
from recce_meta.log_ids import FIELDS, log_ids
from recce_meta.redaction import harmless_json, presentable

ROOT = "recce_meta"
"""Logger above those of all modules."""
CLI = "recce_meta.cli"
NOTED = "noted"
"""Attribute of a record that the command prints itself: standard error must not show it twice."""
SECONDS = "statement_seconds"
"""Attribute of a record about a statement that was run."""
PRIVATE = 0o600
"""Mode of a new log file: statements may contain data."""


class Log:
    """Handlers of the log, from the first global option to the end of the command."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self._logger = logging.getLogger(ROOT)
        # Restored at the end: a program that calls the command may have set it.
        self._level = self._logger.level
        self._totals = _Totals()
        self._terminal: logging.Handler = _Terminal(self._started)
        self._files: list[_File] = []
        self._hook: Callable[[threading.ExceptHookArgs], object] | None = None
        # The totals need every statement; the other handlers choose by their own levels.
        self._logger.setLevel(logging.DEBUG)
        for handler in (self._totals, self._terminal):
            self._logger.addHandler(handler)

    def print_at(self, *, is_debug: bool) -> None:
        """Print messages on standard error; with *is_debug*, statements as well."""
        self._terminal.setLevel(logging.DEBUG if is_debug else logging.INFO)

    def print_nothing(self) -> None:
        """Print no messages on standard error."""
        self._terminal.setLevel(logging.CRITICAL + 1)

    def print_json(self, *, is_debug: bool, is_quiet: bool) -> None:
        """Print messages on standard error as JSON; with *is_quiet*, only errors."""
        if not isinstance(self._terminal, _Json):
            self._logger.removeHandler(self._terminal)
            self._terminal = _Json()
            self._logger.addHandler(self._terminal)
            # Python itself would print these as text.
            self._hook, threading.excepthook = threading.excepthook, _log_defect
        self._terminal.setLevel(logging.DEBUG if is_debug else logging.ERROR if is_quiet else logging.INFO)

    def append_to(self, file: Path) -> None:
        """Append all messages to *file*, which is private if it is new. Raises OSError."""
        # The option may be given before the name of the command and after it.
        if any(other.path == file for other in self._files):
            return
        handler = _File(file)
        self._files.append(handler)
        self._logger.addHandler(handler)
        logging.getLogger(CLI).debug(
            "recce_meta %s on Python %s, %s: %s",
            *(__version__, platform.python_version(), platform.platform(), " ".join(sys.argv[1:])),
            extra={NOTED: True},
        )

    def note(self, message: str, level: str, error: BaseException | None = None) -> None:
        """Log *message*, which the command prints itself, at the *level* of this name, and *error*."""
        cli = logging.getLogger(CLI)
        cli.log(getattr(logging, level), "%s", message, extra={NOTED: True}, exc_info=error)

    def close(self, code: int) -> None:
        """Log the totals with the exit code, and remove the handlers."""
        logging.getLogger(CLI).info(
            "%d statement%s in %.2f s, %.2f s in total, exit code %d",
            *(self._totals.count, "" if self._totals.count == 1 else "s", self._totals.seconds),
            *(time.perf_counter() - self._started, code),
        )
        for handler in (self._totals, self._terminal, *self._files):
            self._logger.removeHandler(handler)
            handler.close()
        if self._hook is not None:
            threading.excepthook = self._hook
        self._logger.setLevel(self._level)


class _Totals(logging.Handler):
    """Number and duration of statements."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.seconds = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        seconds = getattr(record, SECONDS, None)
        if seconds is not None:
            self.count += 1
            self.seconds += seconds


class _Masked(logging.Handler):
    """Handler whose texts are masked with the secrets of the command, in each of its threads."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        # A new thread has an empty context, and would not have the secrets.
        self._context = copy_context()

    def masked(self, text: str) -> str:
        """Return *text* without secrets and control characters."""
        # A copy, because two threads cannot be in one context.
        return self._context.copy().run(presentable, text)

    def traceback(self, record: logging.LogRecord) -> str | None:
        """Return the masked traceback of the error of *record*; None without one."""
        if not record.exc_info or record.exc_info[1] is None:
            return None
        return self._context.copy().run(traceback_text, record.exc_info[1])


class _Terminal(_Masked):
    """Messages on standard error, each after the seconds since the command started."""

    def __init__(self, started: float) -> None:
        super().__init__(logging.CRITICAL + 1)
        self._started = started

    def emit(self, record: logging.LogRecord) -> None:
        if getattr(record, NOTED, False):
            return
        name = f"{record.name}: " if self.level <= logging.DEBUG else ""
        text = self.masked(f"{name}{record.getMessage()}")
        click.echo(f"[{time.perf_counter() - self._started:6.2f} s] {text}", err=True)


class _Json(_Masked):
    """Messages on standard error as JSON objects, one a line."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)

    def emit(self, record: logging.LogRecord) -> None:
        """Print *record* with its time, level and logger, and with the ids of the current work."""
        line = {
            "time": _time_of(record),
            "level": record.levelname,
            "logger": record.name,
            "message": self.masked(record.getMessage()),
            **log_ids(),
            **getattr(record, FIELDS, {}),
        }
        if (text := self.traceback(record)) is not None:
            line["traceback"] = text
        # Standard error may be closed, or its disk full.
        with suppress(OSError, ValueError):
            click.echo(harmless_json(msgspec.json.encode(line)), err=True)


def _log_defect(raised: threading.ExceptHookArgs) -> None:
    """Log an error that has ended a thread."""
    error, name = raised.exc_value, "" if raised.thread is None else raised.thread.name
    logging.getLogger(CLI).error("Thread %s failed: %s", name, type(error).__name__, exc_info=error)


def _time_of(record: logging.LogRecord) -> str:
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(record.created))}.{int(record.msecs):03}Z"


class _File(_Masked):
    """Messages appended to a file with time, level and logger; further lines of a message are indented."""

    def __init__(self, path: Path) -> None:
        # A descriptor instead of a stream, which would buffer: a crash must not lose the last messages.
        # Opening a pipe without a reader would wait for one.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NONBLOCK", 0)
        self._descriptor = os.open(path, flags, PRIVATE)
        # Python closes every handler at its end, so only one with a descriptor may exist.
        super().__init__(logging.DEBUG)
        self.path = path
        self._is_broken = False

    def emit(self, record: logging.LogRecord) -> None:
        message = [self.masked(record.getMessage()), self.traceback(record)]
        # Indented, so that a message cannot look like further records.
        text = "\n".join(filter(None, message)).replace("\n", "\n    ")
        line = f"{_time_of(record)} {record.levelname:<7} {record.name}: {text}\n"
        try:
            os.write(self._descriptor, line.encode("utf-8", "replace"))  # one call: lines never mix
        except OSError as error:
            # A full disk would otherwise cause a warning for each message.
            if not self._is_broken:
                self._is_broken = True
                click.echo(f"warning: Cannot write {self.path}: {error.strerror}", err=True)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)
        super().close()


def traceback_text(error: BaseException) -> str:
    """Return the traceback of *error* and of its causes, the first cause first.

    A cause that is not an error of recce_meta is named without its message: a driver or a parser may quote
    a password there. The masked message is in the error that it caused.
    """
    parts = [
        "Traceback (most recent call last):\n"
        + "".join(traceback.format_tb(one.__traceback__))
        + (type(one).__name__ if one is not error and not isinstance(one, RecceMetaError) else _named(one))
        for one in _causes(error)
    ]
    return presentable("\n\n".join(reversed(parts)))


def _named(error: BaseException) -> str:
    message = error.message if isinstance(error, RecceMetaError) else str(error)
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    # Causes can form a circle when an error is raised again.
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
