"""The stubs of the commands: each names a function that accepts the command's options."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click
import pytest

from recce_meta.cli.main import cli
from recce_meta.lazy import load


def commands(group: click.Group, *names: str) -> Iterator[tuple[str, click.Command]]:
    """All commands of *group* that are no groups themselves."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, *names, name)
        elif command is not None:
            yield " ".join([*names, name]), command


COMMANDS = dict(commands(cli))


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_a_stub_of_a_function_with_its_options(name: str) -> None:
    stub = COMMANDS[name].callback
    given = {str(param.name): param for param in COMMANDS[name].params if param.expose_value}
    for argument, target in vars(stub)["packs"]:
        fields = set(load(target).__struct_fields__)
        assert fields & given.keys(), f"{target} takes no option of {name}"
        given = {option: param for option, param in given.items() if option not in fields} | {argument: None}

    assert set(inspect.signature(load(vars(stub)["target"])).parameters) == {*given, *vars(stub)["fixed"]}
