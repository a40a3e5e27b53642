"""Errors that recce_meta raises.

RecceMetaError
├── UsageError                 invalid command or call                           exit 2
│   ├── SelectorError          a run or node selector matches nothing, or too much
│   │   ├── RunNotFound
│   │   └── AmbiguousProject
│   └── UnknownNameError       a name is not one of the known names
├── ConditionFailed            a condition set by the user was not met           exit 1
├── ConfigurationError         profiles.yml, dbt_project.yml, options            exit 3
│   ├── ProfileError
│   ├── MissingDriverError     a warehouse's extra is not installed
│   └── PluginError            a plugin of another package cannot be used
├── ArtifactError              manifest, catalog, run results, exports           exit 3
├── TemplateError              a template cannot be rendered                     exit 3
├── SqlNotAnalysed             SQL whose columns cannot be traced                exit 3
├── StoreError                 the metadata schema in the warehouse              exit 3
│   ├── RunFailed              the run is stored as failed, without its contents
│   ├── StoreNotFound
│   └── StoreOutdated          an older store, which no reader migrates
└── WarehouseError             an error from the database                        exit 3
    ├── ConnectionFailed       unreachable, or refused
    │   ├── AuthenticationFailed
    │   ├── ConnectionLost     the open connection broke
    │   └── DatabaseNotFound   no such file
    ├── StoreLocked            another process locks the database file; retriable
    ├── PermissionDenied
    ├── MissingRelation
    ├── SyntaxFailed
    ├── TransientFailure       retriable
    ├── QueryTimeout
    └── QueryCancelled

A message says what happened and where, without a final period; `hint` says in one line what to do next.
Neither contains a password or a control character: driver messages pass through `redact`, and every message
passes through `presentable`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches

from recce_meta.redaction import presentable, redact

MESSAGE_LENGTH = 2_000
"""Most characters of a message, a hint or a warning."""
_ESCAPED = re.compile(r"\\\\|(?:\\r)?\\n")
"""An escaped backslash or line break in the output of `repr`."""
IN_BASE_INSTALL = ("duckdb", "postgres")
"""Warehouses whose drivers need no extra."""


def did_you_mean(name: str, known: Sequence[str]) -> str | None:
    """Return a hint with the names in *known* that are closest to *name*; None if there are none.

    >>> did_you_mean("snowflke", ["bigquery", "snowflake"])
    "did you mean 'snowflake'?"
    """
    near = get_close_matches(name, known, n=3)
    return "did you mean " + " or ".join(f"'{match}'" for match in near) + "?" if near else None


def first_of(names: Sequence[str], most: int) -> str:
    """Join the first *most* of *names* for a message, with an ellipsis if there are more.

    >>> first_of(["a", "b", "c"], 2)
    'a, b, …'
    """
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")


def plural(count: int, noun: str) -> str:
    """Return `1 row` or `2 rows`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def agree(count: int, verb: str) -> str:
    """Return *verb*, given in the plural, for *count* things: `1 differs`, `2 differ`."""
    return f"{verb}s" if count == 1 else verb


def install_hint(extra: str = "", options: str = "") -> str:
    """Return how to install recce_meta, with *extra* and *options* of pip that end with a space.

    No package index has it yet, so a name would install nothing.

    >>> install_hint("server")
    "pip install '.[server]' in the checkout of recce_meta"
    """
    what = f"'.[{extra}]'" if extra else "."
    return f"pip install {options}{what} in the checkout of recce_meta"


def first_line(message: object) -> str:
    """Return the first line of an error or a message: drivers append the statement and a caret."""
    text = message.message if isinstance(message, RecceMetaError) else str(message)
    return text.strip().partition("\n")[0].rstrip()


def shorten(text: str, most: int) -> str:
    """Return *text* in at most *most* characters, the last of them an ellipsis if it is longer.

    >>> shorten("abcd", 3)
    'ab…'
    """
    return text if len(text) <= most else f"{text[: most - 1]}…"


def quoted(value: object) -> str:
    """Return *value* for a message, with quotes around a string and line breaks as `↵`.

    >>> print(quoted("select 1"), quoted(5))
    'select 1' 5
    >>> print(quoted(chr(10).join("ab")))
    'a↵b'
    """
    return _ESCAPED.sub(lambda found: found[0] if found[0] == "\\\\" else "↵", repr(value))


class RecceMetaError(Exception):
    """Base class of all errors.

    *message* says what failed, *hint* what to do next; both are masked and shorten.
    """

    exit_code = 3

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        message = shorten(presentable(message), MESSAGE_LENGTH)
        super().__init__(message)
        self.message = message
        self.hint = None if hint is None else shorten(presentable(hint), MESSAGE_LENGTH)

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message}\nhint: {self.hint}"


class UsageError(RecceMetaError):
    """Invalid command or call."""

    exit_code = 2


class SelectorError(UsageError):
    """A run or node selector that matches nothing, or more than one thing."""


class RunNotFound(SelectorError):
    """A run selector that matches no run."""


class AmbiguousProject(SelectorError):
    """A selector that several projects match; *projects* are their names."""

    def __init__(self, message: str, projects: Sequence[str]) -> None:
        super().__init__(message, hint="choose one with --project")
        self.projects = tuple(projects)


class UnknownNameError(UsageError):
    """A name that is not one of the known names; the hint lists the closest."""

    def __init__(self, kind: str, name: str, known: Sequence[str], *, where: str = "") -> None:
        self.kind, self.name, self.known = kind, name, tuple(dict.fromkeys(known))
        hint = did_you_mean(name, self.known)
        if hint is None and self.known:
            # Options that take several names split them at commas.
            names = (f'"{each}"' if "," in each else each for each in self.known)
            hint = f"one of: {', '.join(names)}"
        super().__init__(f"Unknown {kind} '{name}'{where and f' {where}'}", hint=hint)


class ConditionFailed(RecceMetaError):
    """A condition set by the user (`--fail-on`, a check) that was not met."""

    exit_code = 1


class ConfigurationError(RecceMetaError):
    """Invalid profiles.yml, dbt_project.yml or option."""


class ProfileError(ConfigurationError):
    """Invalid profiles.yml, or an invalid profile or target in it."""


class MissingDriverError(ConfigurationError):
    """The driver of a warehouse is not installed; the hint names the extra to install."""

    def __init__(self, warehouse: str, module: str, *, hint: str | None = None) -> None:
        self.warehouse, self.module = warehouse, module
        super().__init__(
            f"The {warehouse} driver is not installed (no module '{module}')",
            hint=hint
            if hint is not None
            else install_hint(options="--force-reinstall ")
            if warehouse in IN_BASE_INSTALL
            else install_hint(warehouse),
        )


class PluginError(ConfigurationError):
    """A warehouse, dialect or exporter plugin that cannot be used; the message names it and its package."""


class ArtifactError(RecceMetaError):
    """An artifact that is missing, damaged, or of another kind than its name says."""


class TemplateError(RecceMetaError):
    """A template that cannot be rendered.

    `name` is the name at fault. `line` and `column` are its position in the text to render, from 1. `node` is
    the unique id of the rendered node, and `macros` are the macros being called, outermost first. `is_broken`
    is True if dbt fails at it too, whatever the database holds.
    """

    def __init__(
        self,
        problem: str,
        *,
        hint: str | None = None,
        name: str | None = None,
        line: int | None = None,
        column: int | None = None,
        node: str | None = None,
        macros: Sequence[str] = (),
        needs_database: bool = False,
        is_broken: bool = False,
    ) -> None:
        self.problem, self.name = problem, name
        self.line, self.column = line, column
        self.node, self.macros = node, tuple(macros)
        self.needs_database, self.is_broken = needs_database, is_broken
        parts = [] if line is None else [f"line {line}, column {column or 1}"]
        place = " of ".join(parts + ([node] if node else []))
        chain = f" (in {' > '.join(self.macros)})" if self.macros else ""
        super().__init__(f"{place}: {problem}{chain}" if place else problem + chain, hint=hint)

    def of_side(self, side: str) -> TemplateError:
        """Return the error with the *side*, base or current, whose run it is in."""
        return TemplateError(
            f"{self.problem} (in the {side} run)",
            hint=self.hint,
            name=self.name,
            line=self.line,
            column=self.column,
            node=self.node,
            macros=self.macros,
        )


class SqlNotAnalysed(RecceMetaError):
    """SQL whose columns cannot be traced: it does not parse, is too deep or too large, or took too long."""

    @property
    def reason(self) -> str:
        """The message: one sentence without a period, to be combined with the node's name."""
        return self.message


class StoreError(RecceMetaError):
    """A metadata schema that is missing, damaged, or newer than this version supports."""


class RunFailed(StoreError):
    """A run that is stored as failed, for a reader that needs its contents."""


class StoreNotFound(StoreError):
    """The schema has no store."""


class StoreOutdated(StoreError):
    """The store has an older version, and only `init` and commands that write migrate it."""


class WarehouseError(RecceMetaError):
    """An error from the database, with its code, and the statement if there is one."""

    retriable = False

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        code: str | None = None,
        sql: str | None = None,
        line: int | None = None,
        column: int | None = None,
        excerpt: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.code = code
        """Error code of the driver: a SQLSTATE, a number, or a class name."""
        self.sql = sql
        self.line, self.column = line, column
        """Position of the error in `sql`, counted from 1, if the warehouse reports it."""
        self.excerpt = excerpt
        """That line of `sql`, with a caret below the error."""
        self.url: object = None
        """Address of the database, which hides its password, if an open connection or its driver failed."""


class ConnectionFailed(WarehouseError):
    """The database cannot be reached, or refuses the connection."""


class AuthenticationFailed(ConnectionFailed):
    """The database refuses the user or the password."""


class ConnectionLost(ConnectionFailed):
    """The open connection broke: it is unknown whether the statement has run."""


class DatabaseNotFound(ConnectionFailed):
    """A database file that does not exist."""


DEFAULT_LOCK_SECONDS = 60.0
"""Seconds to wait for a locked database file or another writer before `StoreLocked` is raised."""


class StoreLocked(WarehouseError):
    """Another process locks the database file, or writes to the store for too long."""

    retriable = True


class PermissionDenied(WarehouseError):
    """The role lacks a privilege."""


class MissingRelation(WarehouseError):
    """A table, view, schema or column in the statement does not exist."""

    missing_side: str | None = None
    """`base` or `current` if the relation of that side of a data diff does not exist."""


class SyntaxFailed(WarehouseError):
    """The database cannot parse the statement."""


class TransientFailure(WarehouseError):
    """A temporary failure without side effects: a conflict, a lock, too many connections."""

    retriable = True


class QueryTimeout(WarehouseError):
    """The statement exceeded its time limit, and was stopped in the warehouse."""


class QueryCancelled(WarehouseError):
    """The statement was cancelled by the user."""


def _without_start(text: str, secrets: Iterable[str]) -> str:
    """Return *text* without the beginning of a secret that was cut at the length limit."""
    if len(text) < MESSAGE_LENGTH or not text.endswith("…"):
        return text
    kept = text[:-1]
    for secret in secrets:
        lengths = (n for n in range(len(secret) - 1, 0, -1) if kept.endswith(secret[:n]))
        kept = kept[: len(kept) - next(lengths, 0)]
    return f"{kept}…"


@contextmanager
def mask_errors(secrets: Callable[[], Iterable[str]]) -> Iterator[None]:
    """Remove *secrets* from a RecceMetaError that leaves the block; call *secrets* only then.

    The cause is dropped, because a traceback would print its text.
    """
    try:
        yield
    except RecceMetaError as error:
        known = tuple(secrets())
        error.message = _without_start(redact(error.message, known), known)
        error.hint = None if error.hint is None else _without_start(redact(error.hint, known), known)
        error.args = (error.message,)
        error.__cause__ = None
        error.__suppress_context__ = True
        raise
