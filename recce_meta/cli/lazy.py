"""Loader of commands: imports the implementation of a command when the command runs.

The module of a command holds its options and help. `recce-meta COMMAND --help` therefore imports no adapter,
no SQL parser and no report.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from copy import copy
from functools import reduce, wraps
from keyword import iskeyword
from typing import Any

import click

from recce_meta.cli.command import ONLY_PARSED, prepared
from recce_meta.errors import RecceMetaError, UnknownNameError, UsageError
from recce_meta.lazy import load

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def lazy(target: str, **fixed: Any) -> Callable[[Callable[[], None]], Callable[..., None]]:
    """Decorate the stub of a command: the command calls the function *target*, given as `module:name`.

    The stub has the command's name and help. *target* receives the options, and the arguments *fixed*.
    """

    def decorate(stub: Callable[[], None]) -> Callable[..., None]:
        @wraps(stub)
        def command(**given: Any) -> None:
            load(target)(**given, **fixed)

        # Read by tests, which check that each target exists and takes the options.
        vars(command).update(target=target, packs=(), fixed=tuple(fixed))
        return command

    return decorate


def together(*options: Decorator) -> Decorator:
    """Combine *options* into one decorator; the help lists them in this order."""
    return lambda command: reduce(lambda inner, option: option(inner), reversed(options), command)


def packed(argument: str, target: str, *options: Decorator) -> Decorator:
    """Return a decorator that adds *options* and passes them as one argument, named *argument*.

    The argument is an instance of the class *target*, given as `module:name`. Its fields are names of
    options, or of arguments that an outer `packed` made.
    """

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def packing(**given: Any) -> Any:
            made = load(target)
            fields = {name: given.pop(name) for name in made.__struct_fields__ if name in given}
            return command(**{argument: made(**fields)}, **given)

        # Read by a test, which compares the options with the fields.
        vars(packing).update(packs=((argument, target), *vars(command).get("packs", ())))
        return together(*options)(packing)

    return decorate


class _Defaults(click.Option):
    """Invisible parameter that sets the defaults of options before click processes the options."""

    def __init__(self, path: tuple[str, ...]) -> None:
        """Create the parameter of the command *path*, such as `("check", "run")`."""
        super().__init__(["--defaults"], hidden=True, is_eager=True, expose_value=False)
        self._path = path

    def add_to_parser(self, parser: Any, ctx: click.Context) -> None:
        """Add nothing: the command line cannot name this parameter."""

    def handle_parse_result(
        self, ctx: click.Context, opts: Mapping[str, Any], args: list[str]
    ) -> tuple[Any, list[str]]:
        """Set `ctx.default_map` from the environment and the configuration."""
        if ONLY_PARSED in ctx.meta:
            return None, args
        try:
            # Here, and not in a callback, which does not get the parsed options.
            load("recce_meta.cli.defaults:apply_defaults")(ctx, self._path, opts)
        except RecceMetaError:
            # Completion works even if the configuration is invalid.
            if not ctx.resilient_parsing:
                raise
        return None, args


def with_defaults(command: click.Command, path: tuple[str, ...]) -> click.Command:
    """Let the options of *command*, named by *path*, and of its subcommands have defaults from outside."""
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            with_defaults(inner, (*path, name))
    # Commands are objects of modules, so that several groups may prepare one.
    elif not any(isinstance(param, _Defaults) for param in command.params):
        command.params.append(_Defaults(path))
    return command


OF_RECCE = {"run": "check", "server": "serve", "summary": "diff --format markdown"}
"""Commands of recce without a command of the same name, with what does the same."""


class LazyGroup(click.Group):
    """Group that imports the module of a command when it is used: `--help` costs only click's import."""

    def __init__(
        self,
        *args: Any,
        table: Mapping[str, tuple[str, str]],
        sections: Mapping[str, Collection[str]] | None = None,
        **attributes: Any,
    ) -> None:
        """Create the group with the commands of *table*: the module and help text of each name.

        *sections* has the names by section of the help; by default they are one section.
        """
        super().__init__(*args, **attributes)
        self._table, self._sections = table, sections or {"Commands": table}
        self._prepared: dict[str, click.Command] = {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the command names in the order of the table."""
        return list(self._table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return the command, with the global options; None if there is no such command."""
        if cmd_name not in self._table:
            return None
        if cmd_name not in self._prepared:
            # `import` is a keyword, so that its function is named `import_`.
            name = cmd_name.replace("-", "_") + "_" * iskeyword(cmd_name)
            command: click.Command = load(f"recce_meta.cli.commands.{self._table[cmd_name][0]}:{name}")
            self._prepared[cmd_name] = prepared(with_defaults(command, (cmd_name,)))
        return self._prepared[cmd_name]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that *args* start with.

        Raises UnknownNameError, which suggests the nearest name.
        """
        if args[0] in OF_RECCE and OF_RECCE[args[0]].split()[0] in self._table:
            raise UsageError(
                f"Unknown command '{args[0]}'",
                hint=f"`recce {args[0]}` is `recce-meta {OF_RECCE[args[0]]}` here",
            )
        if args[0] not in self._table:
            raise UnknownNameError("command", args[0], list(self._table))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the command list without importing any command."""
        widest = max(map(len, self._table))
        for section, names in self._sections.items():
            with formatter.section(section):
                # All sections have the columns of the widest name.
                formatter.write_dl([(name.ljust(widest), self._table[name][1]) for name in names])


class CommandLine(LazyGroup):
    """Group whose commands have no defaults from outside, and return their options instead of running."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command, which reads the command line alone."""
        found = super().get_command(ctx, cmd_name)
        if found is None:
            return None
        command = copy(found)
        command.callback = dict
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse *args*, and let nothing in this context read the environment, files or the configuration."""
        ctx.meta[ONLY_PARSED] = True
        return super().parse_args(ctx, args)
