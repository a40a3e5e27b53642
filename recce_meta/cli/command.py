"""Commands with the global options, and with selection options that take several words.

A command is declared with click's own decorators; `prepared` adds what all commands share.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator, Mapping
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from recce_meta.cli.console import COLORS, console
from recce_meta.errors import UsageError, quoted
from recce_meta.lazy import LazyModule

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from recce_meta.cli import completion, yaml_selectors
else:
    completion = LazyModule("recce_meta.cli.completion")
    yaml_selectors = LazyModule("recce_meta.cli.yaml_selectors")


ONLY_PARSED = "recce_meta.only_parsed"
"""Key in `Context.meta`, set while a command line is parsed to see what it says, and nothing is to happen."""


class _OutputFile(click.Path):
    """Path of an output file, checked before the work starts rather than after."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return *value* as a path. Raises OSError if the file cannot be written."""
        file = Path(os.fsdecode(super().convert(value, param, ctx)))
        # A comparison can take minutes, and its report must not be lost to a misspelt folder.
        if not file.exists() and not file.parent.is_dir():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(file))
        if not os.access(file if file.exists() else file.parent, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(file))
        return file


class ConnectionOption(click.Option):
    """Option of the connection to the store, which help texts list apart."""


OUTPUT = _OutputFile(dir_okay=False, path_type=Path)


def _apply(context: click.Context, option: click.Parameter, value: Any) -> None:
    """Change the output settings as a global option says."""
    # Completion parses the options of a command that does not run.
    if value in (None, False) or context.resilient_parsing:
        return
    # The source decides: an option wins over a variable, whatever the order.
    source = context.get_parameter_source(str(option.name))
    if option.name == "log_file":
        if ONLY_PARSED not in context.meta:
            console().log_to(value)
    elif option.name == "color":
        console().color = value
    else:
        console().set_flag(str(option.name), is_given=source is click.core.ParameterSource.COMMANDLINE)


def global_options(*, has_variables: bool = False) -> list[click.Option]:
    """Return the global options; with *has_variables*, `RECCE_META_…` sets them too."""
    shared: dict[str, Any] = {"expose_value": False, "is_eager": True, "callback": _apply}

    def variable(name: str) -> dict[str, Any]:
        return {"envvar": f"RECCE_META_{name}" if has_variables else None, "show_envvar": has_variables}

    return [
        click.Option(
            ["-q", "--quiet"],
            is_flag=True,
            help="Print no messages except errors.",
            **variable("QUIET"),
            **shared,
        ),
        click.Option(
            ["-v", "--verbose"],
            is_flag=True,
            help="Print what is read, and the number and time of statements, on standard error.",
            **variable("VERBOSE"),
            **shared,
        ),
        click.Option(
            ["--debug"],
            is_flag=True,
            help="Like --verbose, with statements and tracebacks.",
            **variable("DEBUG"),
            **shared,
        ),
        click.Option(
            ["--log-file"],
            type=click.Path(dir_okay=False, path_type=Path),
            help="File to append the messages of --debug to, with times.",
            **variable("LOG_FILE"),
            **shared,
        ),
        click.Option(
            ["--color"],
            type=click.Choice(COLORS),
            help="Color the report. [default: auto, which follows the terminal, NO_COLOR and FORCE_COLOR]",
            **variable("COLOR"),
            **shared,
        ),
    ]


GLOBAL = frozenset(str(option.name) for option in global_options())
"""Names of the global options."""

SELECTING = frozenset(("--select", "--exclude", "--include"))
"""Options that take all words up to the next option, as in dbt."""
RUN_ARGUMENTS = {
    "base_argument": "base",
    "current_argument": "current",
    "run": "run",
    "runs": "runs",
}
"""Arguments that are run selectors, with their names in messages."""
_RUN_SELECTOR = re.compile(r"base|current|latest|.+~\d+|(?:branch|sha|before):.*", re.DOTALL)
"""Words that are run selectors, and not node selectors."""
YAML_SELECTOR = "recce_meta.cli.yaml_selector"
"""Key in `Context.meta`: the name that --selector gives."""
OPEN_OPTION = "recce_meta.cli.open_option"
"""Key in `Context.meta`: the selection option that the last word belongs to, for completion."""


class _Words:
    """Replacement of a selection option's parser: it reads all words up to the next option."""

    def __init__(self, parser_option: Any, command: click.Command, context: click.Context) -> None:
        self._process = parser_option.process
        # The long name, which messages use.
        self._spelling = parser_option.obj.opts[-1]
        self._option = parser_option.obj
        self._context = context
        arguments = [param for param in command.params if isinstance(param, click.Argument)]
        self._runs = [
            RUN_ARGUMENTS[name] for param in arguments if (name := str(param.name)) in RUN_ARGUMENTS
        ]

    def __call__(self, value: Any, state: Any) -> None:
        """Store *value* and the words after it."""
        self._process(value, state)
        while state.rargs and not state.rargs[0].startswith("-"):
            word = state.rargs.pop(0)
            if self._runs and _RUN_SELECTOR.fullmatch(word):
                self._refuse(word)
            self._process(word, state)
        # Only the last word is completed, so that an option before others is closed.
        if not state.rargs:
            self._context.meta[OPEN_OPTION] = self._option

    def _refuse(self, word: str) -> None:
        """Raise UsageError: *word* is a run, but it follows node selectors."""
        if self._context.resilient_parsing:
            return
        usage = f"{self._context.command_path} {' '.join(name.upper() for name in self._runs)}"
        raise UsageError(
            f"{quoted(word)} after {self._spelling} is a run selector, but all words after {self._spelling} "
            "select nodes",
            hint=f"write the runs first: {usage} {self._spelling} …, or after --",
        )


NAMES = {
    "base": "runs",
    "base_argument": "runs",
    "current": "runs",
    "adapter": "adapters",
    "current_argument": "runs",
    "environment": "environments",
    "exclude": "selectors",
    "node": "nodes",
    "nodes": "nodes",
    "parent": "nodes",
    "project": "projects",
    "run": "runs",
    "runs": "runs",
    "selection": "selectors",
    "selector": "runs",
    "selector_name": "yaml_selectors",
}
"""Parameters that are completed, most from the store, with the kind of their names."""
_GLOB = "GLOB"


class StoreName(click.types.StringParamType):
    """String that names something in the store, for completion in a shell."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Return the names that begin with *incomplete*; selectors after an open selection option."""
        option = ctx.meta.get(OPEN_OPTION)
        if isinstance(param, click.Argument) and isinstance(option, click.Option):
            return option.shell_complete(ctx, incomplete)
        return completion.complete(self._kind, ctx, incomplete)


class PreparedCommand(click.Command):
    """Command with the global options."""

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the options that begin with *incomplete*; selectors after an open selection option."""
        option = ctx.meta.get(OPEN_OPTION)
        if isinstance(option, click.Option) and not incomplete.startswith("-"):
            return option.shell_complete(ctx, incomplete)
        return super().shell_complete(ctx, incomplete)

    def make_parser(self, ctx: click.Context) -> Any:
        """Return click's parser; its selection options read several words."""
        parser = super().make_parser(ctx)
        # As in dbt, whose options hook into the parser in the same way:
        # https://github.com/dbt-labs/dbt-core/blob/main/core/dbt/cli/options.py
        known: Mapping[str, Any] = parser._long_opt
        # By identity, because an option with two names must be replaced once.
        for option in {id(one): one for name, one in known.items() if name in SELECTING}.values():
            if option.obj.multiple:
                option.process = _Words(option, self, ctx)
        return parser

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse *args*; a YAML selector becomes the selection."""
        rest = super().parse_args(ctx, args)
        if ctx.resilient_parsing or "selection" not in ctx.params:
            return rest
        name = ctx.meta.get(YAML_SELECTOR)
        words = (ctx.params.get(option) or () for option in ("selection", "exclude"))
        if name is not None or any("selector:" in word for option in words for word in option):
            yaml_selectors.apply_selector(ctx, name)
        return rest

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options of the command, those of its connection, and the global options."""
        sections: dict[str, list[tuple[str, str]]] = {
            title: [] for title in ("Options", "Connection options", "Global options")
        }
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            # The usage line shows the arguments.
            if record is not None and record[1]:
                kind = "Global options" if param.name in GLOBAL else "Options"
                is_shared = isinstance(param, ConnectionOption)
                sections["Connection options" if is_shared else kind].append(record)
        for title, rows in sections.items():
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)


def prepared(command: click.Command) -> click.Command:
    """Return *command* with the global options; a group with all of its commands."""
    if isinstance(command, click.Group):
        # Commands are objects of modules, which tests and other groups use unchanged.
        group = copy(command)
        group.commands = {name: prepared(one) for name, one in command.commands.items()}
        return group
    if isinstance(command, PreparedCommand):
        return command
    for param in command.params:
        kind = NAMES.get(str(param.name))
        # Globs match relations of a database, which are no names in the store.
        if kind is not None and param.type is click.STRING and getattr(param, "metavar", None) != _GLOB:
            param.type = StoreName(kind)
    # A command cannot change its class, so that its attributes are copied.
    made = PreparedCommand(command.name)
    vars(made).update(vars(command), params=[*command.params, *_new_options(command)])
    return made


def _new_options(command: click.Command) -> Iterator[click.Option]:
    names = {param.name for param in command.params}
    return (option for option in global_options() if option.name not in names)
