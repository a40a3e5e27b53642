"""Entry point of the `recce-meta` command: table of commands, signals and error reports."""

from __future__ import annotations

import gc
import os
import signal
import sys
from contextlib import suppress
from copy import copy
from pathlib import Path
from types import FrameType

import click

from recce_meta._version import __version__
from recce_meta.cli.command import global_options
from recce_meta.cli.console import Console, alert, new_console
from recce_meta.cli.ending import exit_within
from recce_meta.cli.lazy import CommandLine, LazyGroup
from recce_meta.errors import MESSAGE_LENGTH, RecceMetaError, UsageError, WarehouseError, shorten
from recce_meta.lazy import load
from recce_meta.redaction import hide_secrets, presentable

SECTIONS = {
    "Every day": {
        "record": ("record", "Record dbt artifacts, SQL files, or the project of another tool, as one run."),
        "hook": ("record", "Run a command such as dbt build, then record the artifacts it produced."),
        "runs": ("store", "List recorded runs, newest first."),
        "show": ("store", "Show the contents and results of one run."),
        "diff": ("diff", "Show changes between two runs, what they break, and which nodes are affected."),
        "preview": ("data", "Show what edits of model files do to the data, before a build."),
        "plan": ("diff", "Show what dbt must build after a change, or the command that builds it."),
        "impact": ("store", "Show the nodes and columns affected by a change to a node or column."),
        "lineage": ("store", "Show the upstream and downstream nodes of a node."),
    },
    "Data": {
        "row-count": ("data", "Compare row counts."),
        "schema": ("data", "Compare columns and their types, read from the warehouse."),
        "value": ("data", "Match rows by key and compare the values of every column."),
        "profile": ("data", "Compare column statistics, such as NULLs and distinct values."),
        "top-k": ("data", "Compare the most frequent values of columns."),
        "histogram": ("data", "Compare the distribution of numbers, dates and timestamps."),
        "query-diff": ("data", "Compare the results of a query."),
        "check": ("check", "Run a file of checks, with thresholds, for CI."),
        "quality": ("quality", "Measure and store the quality of tables, and show changes."),
    },
    "Store": {
        "init": ("record", "Create the store or migrate it to the current version."),
        "scan": ("scan", "Record the structure of a live database and show changes since the previous scan."),
        "check-base": ("check", "Check if the recorded run of base is fresh."),
        "query": ("query", "Run a read-only query on the store."),
        "render": ("store", "Turn ref() and source() SQL into warehouse SQL."),
        "export": ("export", "Write runs to files or into another store."),
        "import": ("export", "Import runs from exported JSON, or from a recce_state.json."),
        "prune": ("store", "Remove old runs and the data that only they use."),
        "fsck": ("store", "Check the contents of the store, and repair what can be derived again."),
    },
    "Team": {
        "push": ("sync", "Send runs, annotations and deletions to another store."),
        "pull": ("sync", "Receive runs, annotations and deletions from another store."),
        "sync": ("sync", "Exchange runs, annotations and deletions with another store, in both directions."),
        "note": ("note", "Set or delete the note, tags and owners of a node, column or edge."),
        "notes": ("note", "List the notes, tags and owners of nodes, columns and edges."),
    },
    "Servers": {
        "serve": ("serve", "Show the store as web pages and as a JSON API, until Ctrl-C."),
        "worker": ("worker", "Run extractions of connected repositories, until Ctrl-C."),
        "connection": (
            "connection",
            "Connect repositories once, and extract their dbt projects automatically.",
        ),
        "token": ("connection", "Manage API tokens with scopes, for programs that use the server."),
        "audit": (
            "connection",
            "List who changed connections, tokens and jobs of the server, from where, and how.",
        ),
        "runner": ("worker", "Build the container images in which workers run dbt."),
        "lsp": ("lsp", "Serve an editor: lineage, impact and diagnostics of unsaved SQL."),
        "mcp": ("mcp", "Serve an agent: what changed, what it affects, and what must be built."),
    },
    "Help": {
        "doctor": (
            "doctor",
            "Check profile, connection, permissions and store; with --server, also what a server needs.",
        ),
        "config": ("config", "Show every effective setting and its source."),
        "demo": ("store", "Record and compare two real runs of a jaffle shop."),
        "sql": ("store", "Print the store's SQL: ddl, views, queries, cookbook, migrations or grants."),
    },
}
"""Module in `recce_meta.cli.commands` and help text of each command, by section of the help."""
COMMANDS = {name: found for section in SECTIONS.values() for name, found in section.items()}

EXIT_CODES = """Exit codes: 0 success; 1 a --fail-on condition or a check failed; 2 wrong usage; 3 failure.
fsck: 0 nothing that changes an answer; 1 problems are left; 2 wrong usage; 3 failure.
check-base: 0 fresh; 1 missing; 2 stale or wrong usage; 3 failure.
push, pull, sync: 0 success or nothing to do; 1 in part; 2 wrong usage; 3 failure."""
HOOK = "hook"
COMPLETION = "_RECCE_META_COMPLETE"
"""Variable that a shell sets to ask for completion."""
EXIT_SECONDS = 1.0
"""Time for an interrupted command to end its threads and remove its files."""
_NEW_OBJECTS = 10_000
"""Number of new objects after which Python searches them for garbage."""


@click.group(
    cls=LazyGroup,
    table=COMMANDS,
    sections=SECTIONS,
    epilog=EXIT_CODES,
    params=global_options(has_variables=True),
    context_settings={"help_option_names": ["-h", "--help"]},
    invoke_without_command=True,
    subcommand_metavar="COMMAND [ARGS]...",
)
@click.version_option(__version__, "-V", "--version", prog_name="recce-meta")
@click.pass_context
def cli(context: click.Context) -> None:
    """Record the state of a dbt project in its warehouse, and compare any two runs."""
    if context.invoked_subcommand is None:
        # The user did not ask for help, so it must not get into a pipe.
        click.echo(context.get_help(), err=True)
        context.exit(UsageError.exit_code)


def main() -> None:
    """Run the command line and exit; report every failure as one message with its exit code."""
    # Imports make many objects and no garbage; Python would search them every few hundred objects.
    gc.set_threshold(_NEW_OBJECTS, *gc.get_threshold()[1:])
    signals = _Signals()
    signal.signal(signal.SIGTERM, signals.handle)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # a background job ignores it
        signal.signal(signal.SIGINT, signals.handle)
    code = run_command_line(sys.argv[1:])
    if signals.first is not None:
        # A driver's threads may still wait for a dead connection.
        exit_within(EXIT_SECONDS, code)
    gc.freeze()  # at its end, Python searches all objects for garbage, which ends with the process anyway
    sys.exit(code)


class Terminated(KeyboardInterrupt):
    """SIGTERM, sent by schedulers to stop jobs. Cancels queries and removes files, as Ctrl-C does."""


class _Signals:
    """Handler of Ctrl-C and SIGTERM: the first signal ends the command cleanly, the second immediately."""

    def __init__(self) -> None:
        self.first: int | None = None

    def handle(self, signum: int, _frame: FrameType | None) -> None:
        """Raise KeyboardInterrupt, or Terminated for SIGTERM; exit the process on a second signal."""
        if self.first is not None:
            # Without cleaning up: the first signal has tried that, and hangs.
            os._exit(128 + signum)
        self.first = signum
        raise Terminated if signum == signal.SIGTERM else KeyboardInterrupt


def run_command_line(arguments: list[str]) -> int:
    """Run one command line and return its exit code."""
    # URLs in arguments and variables may contain passwords, which no message may show.
    given = [value for name, value in os.environ.items() if name.startswith("RECCE_META_")]
    with hide_secrets([*arguments, *given]), new_console() as console:
        code = _run(cli, arguments, console)
        with suppress(OSError):  # the exit code must survive a full disk
            console.close(code)
        return code


def _run(group: LazyGroup, arguments: list[str], console: Console) -> int:
    try:
        _refuse_other_encodings(arguments)
        if COMPLETION in os.environ:
            load("recce_meta.cli.completion:register")()
        return group.main(arguments, prog_name="recce-meta", standalone_mode=False) or 0
    except click.exceptions.Abort as error:
        # click replaces a KeyboardInterrupt by its own Abort.
        terminated = isinstance(error.__cause__, Terminated)
        lines = ["Terminated" if terminated else "Interrupted"]
        if error.__cause__ is not None and error.__cause__.args:
            lines.append(f"hint: {error.__cause__.args[0]}")
        console.fail(error, "\n".join(lines))
        # As a shell reports a command that a signal ended.
        return 128 + (signal.SIGTERM if terminated else signal.SIGINT)
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except Exception as error:  # noqa: BLE001
        lines, code = _report(error)
        if COMPLETION in os.environ:  # a message would appear in the line that the user types
            return code
        if console.may_start_command and (command := _hooked_command(arguments)):
            return _run_anyway(group, arguments, command, error, console)
        shown = presentable("\n".join(lines)).split("\n")
        console.fail(error, "\n".join(shorten(line, MESSAGE_LENGTH) for line in shown))
        return code


_OF_COMMAND_LINES = (click.ClickException, RecceMetaError, OSError)
"""Errors of options and of variables."""


def _hooked_command(arguments: list[str]) -> list[str] | None:
    """Return the command that *arguments* let `hook` run; None if they do not, or if they say --strict.

    The configuration and variables are not read: only an error of the command line itself keeps `hook` from
    running the command.
    """
    if HOOK not in arguments:
        return None
    try:
        given = CommandLine(table=COMMANDS, params=global_options()).main(
            arguments, prog_name="recce-meta", standalone_mode=False
        )
        _refuse_other_encodings(arguments[: len(arguments) - len((given or {}).get("command", ()))])
    except _OF_COMMAND_LINES:
        return None  # the caller reports the first error
    except (ImportError, SyntaxError):  # a dependency is broken, so that not even the options are known
        options, dashes, command = _divided(arguments)
        given = {"strict": "--strict" in options, "command": command} if dashes else {}
    if not given or "strict" not in given or given["strict"] or _is_strict_by_variable():
        return None
    return [*given["command"]]


def _divided(arguments: list[str]) -> tuple[list[str], list[str], list[str]]:
    """Return *arguments* before the first `--`, this one, and those after it."""
    place = arguments.index("--") if "--" in arguments else len(arguments)
    return arguments[:place], arguments[place : place + 1], arguments[place + 1 :]


def _is_strict_by_variable() -> bool:
    """Return True if a variable sets --strict; one that is neither true nor false does not."""
    for name in ("RECCE_META_HOOK_STRICT", "RECCE_META_STRICT"):
        with suppress(click.BadParameter):
            if os.environ.get(name):
                return bool(click.BOOL.convert(os.environ[name], None, None))
    return False


def _run_anyway(
    group: LazyGroup, arguments: list[str], command: list[str], error: Exception, console: Console
) -> int:
    """Run the *command* of `hook` although recce_meta failed with *error*, and return its exit code.

    If the log file or variables of the global options are to blame, the run is recorded without them; else it
    is not recorded.
    """
    text = "; ".join(_report(error)[0]).removeprefix("error: ")
    if error is console.lost_log:
        alert(text)
        return _run(group, arguments, console)
    try:
        group.make_context("recce-meta", [HOOK])
    except _OF_COMMAND_LINES:
        alert(text)
        plain = copy(group)
        plain.params = [*global_options()]
        return _run(plain, arguments, console)

    def record(_code: int) -> None:
        raise RecceMetaError(text)

    return int(load("recce_meta.cli.wrapper:run_and_record")(command, record, False, alert))


def _refuse_other_encodings(arguments: list[str]) -> None:
    """Raise UsageError for an argument that is not UTF-8: stores and reports cannot hold it."""
    # What follows belongs to a command of the user.
    for argument in _divided(arguments)[0] if HOOK in arguments else arguments:
        try:
            os.fsencode(argument).decode()
        except UnicodeDecodeError:
            hint = "rename the file, or set the locale to UTF-8"
            raise UsageError(f"Argument '{argument}' is not valid UTF-8", hint=hint) from None
        except UnicodeEncodeError:
            continue  # text that the locale cannot encode did not come from a shell


_SQL_WIDTH = 200
"""Maximum characters of a line of SQL shown below an error."""


def _report(error: Exception) -> tuple[list[str], int]:
    """Return the lines that report *error*, and its exit code."""
    if isinstance(error, click.ClickException):
        return _usage_lines(error), error.exit_code
    if isinstance(error, RecceMetaError):
        return _lines(error), error.exit_code
    if isinstance(error, OSError):
        is_missing = isinstance(error, FileNotFoundError) and isinstance(error.filename, str)
        folder = Path(error.filename).parent if is_missing else Path()
        next_step = [] if folder.is_dir() else [f"hint: create the folder {folder}"]
        return [f"error: {_named(error)}", *next_step], RecceMetaError.exit_code
    hint = "hint: this is a bug, please report it; --debug shows the traceback"
    return [f"error: {type(error).__name__}: {error}", hint], RecceMetaError.exit_code


def _usage_lines(error: click.ClickException) -> list[str]:
    """Format a click error like every other error."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    hint = [] if context is None else [f"hint: {context.command_path} --help"]
    # Messages of click end with a full stop, and ours do not.
    message = error.format_message().removesuffix(".")
    if context is not None and isinstance(error, click.BadParameter) and error.param is not None:
        origin = load("recce_meta.cli.defaults:origin_of")(context, str(error.param.name))
        message += f" (from {origin})" if origin else ""
    return [f"error: {message}", *hint]


def _named(error: OSError) -> str:
    """Return the system's message, with the name of the file if there is one."""
    what = error.strerror or type(error).__name__
    return f"{error.filename}: {what}" if error.filename is not None else what


def _lines(error: RecceMetaError) -> list[str]:
    lines = [f"error: {error.message}"]
    if isinstance(error, WarehouseError) and error.sql:
        # The comments on top of a statement do not help to find the error in it.
        code = [line for line in error.sql.strip().splitlines() if not line.startswith("--")]
        lines += [f"  | {shorten(line, _SQL_WIDTH)}" for line in code[:12]]
    return lines + ([f"hint: {error.hint}"] if error.hint else [])
