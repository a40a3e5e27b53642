"""The `recce-meta` command: its subcommands, found without importing them, and its last line of defence."""

from __future__ import annotations

import os
import signal
import sys
import time
from importlib import import_module
from keyword import iskeyword
from threading import Thread
from types import FrameType

import click

from recce_meta._version import __version__
from recce_meta.errors import (
    MESSAGE_LENGTH,
    RecceMetaError,
    UnknownNameError,
    UsageError,
    WarehouseError,
    shortened,
)
from recce_meta.masking import hiding, presentable

COMMANDS = {
    "init": ("record", "Create the store, or bring it up to date."),
    "record": ("record", "Record dbt's artifacts as one run, or files of SQL."),
    "scan": ("scan", "Record what a live database consists of, and tell what differs from the scan before."),
    "hook": ("record", "Run a command such as dbt build, then record what it left behind."),
    "runs": ("inspect", "List recorded runs, newest first."),
    "show": ("inspect", "One run: what it holds and what happened in it."),
    "diff": ("compare", "What changed between two runs, what that breaks, and whom it reaches."),
    "row-count": ("data", "Rows on both sides."),
    "schema": ("data", "Columns and their types on both sides, as the warehouse has them now."),
    "value": ("data_values", "Rows matched by key, and the values of every column compared."),
    "profile": ("data", "Figures of every column on both sides, such as NULLs and distinct values."),
    "top-k": ("data", "The most frequent values of columns on both sides."),
    "histogram": ("data", "How numbers, dates and timestamps are distributed on both sides."),
    "query-diff": ("data_values", "The results of a query on both sides."),
    "check": ("check", "Run a file of checks, with thresholds, for CI."),
    "quality": ("quality", "Measure the quality of tables, keep it, and tell what changed."),
    "lineage": ("inspect", "What a node reads, and what reads it."),
    "impact": ("impact", "What a change of a node, or of one of its columns, reaches."),
    "render": ("render", "Turn ref() and source() SQL into warehouse SQL."),
    "export": ("export", "Write runs to files, or into another store."),
    "import": ("export", "Read runs that export wrote as JSON, or a recce_state.json, into the store."),
    "sql": ("store", "Print the store's SQL: ddl, views or cookbook."),
    "prune": ("store", "Remove old runs, and what only they needed."),
    "doctor": ("store", "Check profile, connection, rights and store."),
    "demo": ("demo", "Two real runs of a jaffle shop, recorded and diffed."),
}
"""Each command's module in `recce_meta.cli`, and its line in the help."""

EXIT_CODES = (
    """Exit codes: 0 fine; 1 a --fail-on condition or a check did not hold; 2 wrong usage; 3 failed."""
)


EXIT_SECONDS = 1.0
"""How long an interrupted command may take to end its threads and remove its files."""


class LazyGroup(click.Group):
    """A group that imports a command when it is run: `--help` costs what click costs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name not in COMMANDS:
            return None
        name = cmd_name.replace("-", "_") + "_" * iskeyword(cmd_name)
        command: click.Command = getattr(import_module(f"recce_meta.cli.{COMMANDS[cmd_name][0]}"), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that *args* begin with; for a misspelt one, an error that knows the nearest."""
        if args[0] not in COMMANDS:
            raise UnknownNameError("command", args[0], list(COMMANDS))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table itself, without importing a single command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    epilog=EXIT_CODES,
    context_settings={"help_option_names": ["-h", "--help"]},
    invoke_without_command=True,
    subcommand_metavar="COMMAND [ARGS]...",
)
@click.version_option(__version__, "-V", "--version", prog_name="recce-meta")
@click.pass_context
def cli(context: click.Context) -> None:
    """Record what a dbt project is in the warehouse it builds, and diff any two runs."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help(), err=True)
        context.exit(UsageError.exit_code)


def main() -> None:
    """Run the command line and exit: every failure is one message, with its exit code."""
    signals = _Signals()
    signal.signal(signal.SIGTERM, signals.handle)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # a background job ignores it
        signal.signal(signal.SIGINT, signals.handle)
    code = run(sys.argv[1:])
    if signals.first is not None:
        _exit_soon(code)
    sys.exit(code)


class Terminated(KeyboardInterrupt):
    """SIGTERM, by which schedulers stop jobs: it ends us as Ctrl-C does, statements stopped, files gone."""


class _Signals:
    """Handler of Ctrl-C and SIGTERM: the first one ends the command in order, the second one at once."""

    def __init__(self) -> None:
        self.first: int | None = None

    def handle(self, signum: int, _frame: FrameType | None) -> None:
        """Raise KeyboardInterrupt, or Terminated; exit if that was done before."""
        if self.first is not None:
            os._exit(128 + signum)
        self.first = signum
        raise Terminated if signum == signal.SIGTERM else KeyboardInterrupt


def _exit_soon(code: int) -> None:
    """Exit in a moment, also if threads of a driver still wait for a dead connection."""

    def wait() -> None:
        time.sleep(EXIT_SECONDS)
        os._exit(code)

    Thread(target=wait, name="recce_meta exit", daemon=True).start()


def run(arguments: list[str]) -> int:
    """The exit code of one command line."""
    given = [value for name, value in os.environ.items() if name.startswith("RECCE_META_")]
    with hiding([*arguments, *given]):
        return _run(arguments)


def _run(arguments: list[str]) -> int:
    try:
        _refuse_other_encodings(arguments)
        return cli.main(arguments, prog_name="recce-meta", standalone_mode=False) or 0
    except click.exceptions.Abort as error:
        terminated = isinstance(error.__cause__, Terminated)
        click.echo("Terminated" if terminated else "Interrupted", err=True)
        if error.__cause__ is not None and error.__cause__.args:
            click.echo(f"hint: {error.__cause__.args[0]}", err=True)
        return 128 + (signal.SIGTERM if terminated else signal.SIGINT)
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except Exception as error:
        if os.environ.get("RECCE_META_DEBUG") and not isinstance(error, _EXPECTED):
            raise
        lines, code = _report(error)
        shown = presentable("\n".join(lines)).split("\n")
        click.echo("\n".join(shortened(line, MESSAGE_LENGTH) for line in shown), err=True)
        return code


def _refuse_other_encodings(arguments: list[str]) -> None:
    """Raise UsageError for an argument that is not UTF-8: no store or report could hold it."""
    for argument in arguments:
        try:
            os.fsencode(argument).decode()
        except UnicodeDecodeError:
            hint = "rename the file, or set the locale to UTF-8"
            raise UsageError(f"Argument '{argument}' is not valid UTF-8", hint=hint) from None
        except UnicodeEncodeError:
            continue  # text that the locale cannot write did not come from a command line


_SQL_WIDTH = 200
"""Characters of a line of SQL below an error."""
_EXPECTED = (click.ClickException, RecceMetaError, OSError)


def _report(error: Exception) -> tuple[list[str], int]:
    """Return the lines that report *error*, and its exit code."""
    if isinstance(error, click.ClickException):
        return _usage_lines(error), error.exit_code
    if isinstance(error, RecceMetaError):
        return _lines(error), error.exit_code
    if isinstance(error, OSError):
        return [f"error: {_named(error)}"], RecceMetaError.exit_code
    hint = "hint: this is a bug; RECCE_META_DEBUG=1 shows where, please report it"
    return [f"error: {type(error).__name__}: {error}", hint], RecceMetaError.exit_code


def _usage_lines(error: click.ClickException) -> list[str]:
    """Report a wrong option or argument in the words of every other error."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    hint = [] if context is None else [f"hint: {context.command_path} --help"]
    return [f"error: {error.format_message().removesuffix('.')}", *hint]


def _named(error: OSError) -> str:
    """What the system says, with the file that it says it of."""
    what = error.strerror or type(error).__name__
    return f"{error.filename}: {what}" if error.filename is not None else what


def _lines(error: RecceMetaError) -> list[str]:
    lines = [f"error: {error.message}"]
    if isinstance(error, WarehouseError) and error.sql:
        code = [line for line in error.sql.strip().splitlines() if not line.startswith("--")]
        lines += [f"  | {shortened(line, _SQL_WIDTH)}" for line in code[:12]]
    return lines + ([f"hint: {error.hint}"] if error.hint else [])
