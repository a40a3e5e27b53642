"""The errors that recce_meta raises.

RecceMetaError
├── UsageError                 the command or call cannot be understood          exit 2
│   ├── SelectorError          a run or node selector names nothing, or too much
│   └── UnknownNameError       a name is not one of the known ones
├── ConditionFailed            a condition the user set did not hold             exit 1
├── ConfigurationError         profiles.yml, dbt_project.yml, options            exit 3
│   ├── ProfileError
│   ├── MissingDriverError     a warehouse's extra is not installed
│   └── PluginError            what another package registers cannot be used
├── ArtifactError              manifest, catalog, run results, exports           exit 3
├── TemplateError              a template cannot be rendered                     exit 3
├── SqlNotAnalysed             SQL whose columns cannot be traced                exit 3
├── StoreError                 the metadata schema in the warehouse              exit 3
└── WarehouseError             what the database answered                        exit 3
    ├── ConnectionFailed       unreachable, or refused
    │   ├── AuthenticationFailed
    │   └── ConnectionLost     was there, and broke
    ├── StoreLocked            another process holds the database file; retriable
    ├── PermissionDenied
    ├── MissingRelation
    ├── SyntaxFailed
    ├── TransientFailure       worth trying again; retriable
    ├── QueryTimeout
    └── QueryCancelled

A message says what happened and where, without a final period; `hint` says in one line what to do
next. Neither holds a password or a control character, whatever text it quotes: texts from a driver pass
`redact` first, and every message passes `presentable`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches

from recce_meta.masking import presentable, redact

MESSAGE_LENGTH = 2_000
"""Characters of a message, of a hint and of a warning."""
_ESCAPED = re.compile(r"\\\\|(?:\\r)?\\n")
"""A backslash and a line break as `repr` writes them."""
IN_BASE_INSTALL = ("duckdb", "postgres")
"""Warehouses whose drivers need no extra."""


def did_you_mean(name: str, known: Sequence[str]) -> str | None:
    """The hint that names what of *known* is nearest to *name*; None where nothing is near.

    >>> did_you_mean("snowflke", ["bigquery", "snowflake"])
    "did you mean 'snowflake'?"
    """
    near = get_close_matches(name, known, n=3)
    return "did you mean " + " or ".join(f"'{match}'" for match in near) + "?" if near else None


def first_of(names: Sequence[str], most: int) -> str:
    """The first *most* of *names* for a message, with an ellipsis where there are more.

    >>> first_of(["a", "b", "c"], 2)
    'a, b, …'
    """
    return ", ".join(names[:most]) + (", …" if len(names) > most else "")


def shortened(text: str, most: int) -> str:
    """Return *text* in at most *most* characters, the last of them an ellipsis if it is longer.

    >>> shortened("abcd", 3)
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
    """Anything that recce_meta can tell a user in one message and one hint."""

    exit_code = 3

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        message = shortened(presentable(message), MESSAGE_LENGTH)
        super().__init__(message)
        self.message = message
        self.hint = None if hint is None else shortened(presentable(hint), MESSAGE_LENGTH)

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message}\nhint: {self.hint}"


class UsageError(RecceMetaError):
    """The command or call cannot be understood."""

    exit_code = 2


class SelectorError(UsageError):
    """A run or node selector names nothing, or names more than one thing."""


class UnknownNameError(UsageError):
    """A name that is not one of the known ones; lists the nearest."""

    def __init__(self, kind: str, name: str, known: Sequence[str], *, where: str = "") -> None:
        self.kind, self.name, self.known = kind, name, tuple(dict.fromkeys(known))
        hint = did_you_mean(name, self.known)
        if hint is None and self.known:
            hint = f"one of: {', '.join(self.known)}"
        super().__init__(f"Unknown {kind} '{name}'{where and f' {where}'}", hint=hint)


class ConditionFailed(RecceMetaError):
    """A condition that the user set (`--fail-on`, a check) did not hold."""

    exit_code = 1


class ConfigurationError(RecceMetaError):
    """profiles.yml, dbt_project.yml or an option cannot be used as it stands."""


class ProfileError(ConfigurationError):
    """profiles.yml, or the chosen profile or target in it, cannot be used."""


class MissingDriverError(ConfigurationError):
    """The driver of a warehouse is not installed; names the extra that brings it."""

    def __init__(self, warehouse: str, module: str, *, hint: str | None = None) -> None:
        self.warehouse, self.module = warehouse, module
        super().__init__(
            f"The {warehouse} driver is not installed (no module '{module}')",
            hint=hint
            if hint is not None
            else "pip install --force-reinstall recce-meta"
            if warehouse in IN_BASE_INSTALL
            else f"pip install 'recce-meta[{warehouse}]'",
        )


class PluginError(ConfigurationError):
    """What another package registers as a warehouse, a dialect or an exporter cannot be used; names both."""


class ArtifactError(RecceMetaError):
    """An artifact is missing, damaged, or not what its name says."""


class TemplateError(RecceMetaError):
    """A template cannot be rendered; says where, and which name is at fault.

    `line` and `column` count from 1 in the text that was given to be rendered, `node` is the unique id
    of the node that was being rendered, `macros` the macros that were being called, outermost first.
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
    ) -> None:
        self.problem, self.name = problem, name
        self.line, self.column = line, column
        self.node, self.macros = node, tuple(macros)
        self.needs_database = needs_database
        parts = [] if line is None else [f"line {line}, column {column or 1}"]
        place = " of ".join(parts + ([node] if node else []))
        chain = f" (in {' > '.join(self.macros)})" if self.macros else ""
        super().__init__(f"{place}: {problem}{chain}" if place else problem + chain, hint=hint)


class SqlNotAnalysed(RecceMetaError):
    """SQL whose columns cannot be traced: it does not parse, is too deep or too large, took too long.

    `reason` is the message: one sentence without a full stop, for whoever says which node it was.
    """

    @property
    def reason(self) -> str:
        """Why, in one sentence."""
        return self.message


class StoreError(RecceMetaError):
    """The metadata schema is missing, newer than this version, or damaged."""


class WarehouseError(RecceMetaError):
    """What the database answered, with its own code and the statement where there is one."""

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
        """The driver's own: a SQLSTATE, a number, or a class."""
        self.sql = sql
        self.line, self.column = line, column
        """Where in `sql` the fault is, both counted from 1, where the warehouse tells."""
        self.excerpt = excerpt
        """That line of `sql`, and below it a caret at the fault."""


class ConnectionFailed(WarehouseError):
    """The database cannot be reached, or refuses the connection."""


class AuthenticationFailed(ConnectionFailed):
    """The database refuses the user or the password."""


class ConnectionLost(ConnectionFailed):
    """The connection broke after it was made: whether the statement has run cannot be known."""


class StoreLocked(WarehouseError):
    """Another process holds the database file."""

    retriable = True


class PermissionDenied(WarehouseError):
    """The role may not do this."""


class MissingRelation(WarehouseError):
    """A table, view, schema or column in the statement does not exist."""


class SyntaxFailed(WarehouseError):
    """The database cannot parse the statement."""


class TransientFailure(WarehouseError):
    """A failure that may pass, and has left nothing behind: a conflict, a lock, too many connections."""

    retriable = True


class QueryTimeout(WarehouseError):
    """The statement took longer than it was given, and was stopped in the warehouse."""


class QueryCancelled(WarehouseError):
    """The statement was stopped at the user's wish."""


def _without_start(text: str, secrets: Iterable[str]) -> str:
    """Return *text* without the beginning of a secret that its limit cut."""
    if len(text) < MESSAGE_LENGTH or not text.endswith("…"):
        return text
    kept = text[:-1]
    for secret in secrets:
        lengths = (n for n in range(len(secret) - 1, 0, -1) if kept.endswith(secret[:n]))
        kept = kept[: len(kept) - next(lengths, 0)]
    return f"{kept}…"


@contextmanager
def masking_errors(secrets: Callable[[], Iterable[str]]) -> Iterator[None]:
    """Remove *secrets*, which are computed at that time, from an error of ours that leaves the block.

    Its cause is dropped: a traceback would print the text of it.
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
