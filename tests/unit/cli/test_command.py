"""Global options on every command, and selection options of several words, without a store."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import click
import pytest

from recce_meta.cli.command import GLOBAL, OPEN_OPTION, SELECTING, StoreName, prepared
from recce_meta.cli.connections import Connection
from recce_meta.cli.console import new_console
from recce_meta.cli.main import cli
from recce_meta.errors import UsageError


def commands(group: click.Group, *names: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, *names, name)
        elif command is not None:
            yield " ".join([*names, name]), command


COMMANDS = dict(commands(cli))


def parsed(*arguments: str) -> dict[str, Any]:
    """The selection and arguments that `diff` reads from *arguments*."""
    with new_console(), COMMANDS["diff"].make_context("diff", [*arguments]) as context:
        wanted = ("base_argument", "current_argument", "selection", "exclude", "style")
        return {name: context.params[name] for name in wanted}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_the_global_options_once(name: str) -> None:
    spellings = [spelling for param in COMMANDS[name].params for spelling in param.opts]

    assert {str(param.name) for param in COMMANDS[name].params} >= GLOBAL
    assert len(spellings) == len(set(spellings)), "two options have one spelling"
    assert not any(param.expose_value for param in COMMANDS[name].params if param.name in GLOBAL)


def test_a_command_is_prepared_once() -> None:
    command = COMMANDS["diff"]

    assert prepared(command) is command


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_has_the_commands_own_options_first(name: str) -> None:
    command = COMMANDS[name]
    text = command.get_help(click.Context(command, info_name=name))
    rest, section, shared = text.partition("Global options:")
    own, _, of_connection = rest.partition("Connection options:")

    assert section and "--help" in own
    assert "--quiet" not in rest and all(f"--{name}".replace("_", "-") in shared for name in GLOBAL)
    fields = {*Connection.__struct_fields__}
    options = [param.opts[0] for param in command.params if param.name in fields]
    expected = options if {param.name for param in command.params} >= fields else []
    assert re.findall(r"^  (?:-\w, )?(--[\w-]+)", of_connection, re.MULTILINE) == expected


@pytest.mark.parametrize(
    ("name", "instead"),
    [("run", "check"), ("server", "serve"), ("summary", "diff --format markdown")],
)
def test_a_command_of_recce_is_answered_with_ours(name: str, instead: str) -> None:
    with pytest.raises(UsageError, match=f"Unknown command '{name}'") as caught:
        cli.resolve_command(click.Context(cli), [name])
    assert caught.value.hint == f"`recce {name}` is `recce-meta {instead}` here"


RUNS = {"base_argument": "prod", "current_argument": "pr"}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["-s", "a", "b", "c"], {"selection": ("a", "b", "c")}),
        (["-s", "a b", "c"], {"selection": ("a b", "c")}),
        (["--select=a", "b"], {"selection": ("a", "b")}),
        (["-sa", "b"], {"selection": ("a", "b")}),
        (["-s", "a", "-s", "b", "c"], {"selection": ("a", "b", "c")}),
        (["-s", "a", "b", "--exclude", "c", "d"], {"selection": ("a", "b"), "exclude": ("c", "d")}),
        (["-s", "a", "b", "--format", "json"], {"selection": ("a", "b"), "style": "json"}),
        (["prod", "pr", "-s", "a", "b"], {**RUNS, "selection": ("a", "b")}),
        (["-s", "a", "b", "--", "prod", "pr"], {**RUNS, "selection": ("a", "b")}),
        (["-s", "a", "-q", "prod", "pr"], {**RUNS, "selection": ("a",)}),
        (["prod", "-s", "a", "--like-dbt", "pr"], {**RUNS, "selection": ("a",)}),
        (["-s", "base", "orders"], {"selection": ("base", "orders")}),
    ],
)
def test_words_after_a_selection_option_belong_to_it(
    arguments: list[str], expected: dict[str, object]
) -> None:
    found = parsed(*arguments)

    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize(
    "word", ["base", "current", "latest", "prod~1", "branch:main", "sha:1a2b", "before:2026-11-01"]
)
def test_a_run_among_node_selectors_is_an_error_that_names_the_way_out(word: str) -> None:
    with pytest.raises(UsageError, match=f"'{word}' after --select is a run selector") as caught:
        parsed("-s", "orders", word)

    assert caught.value.hint == "write the runs first: diff BASE CURRENT --select …, or after --"


def test_commands_without_run_arguments_take_any_word() -> None:
    with new_console(), COMMANDS["value"].make_context("value", ["-s", "orders", "latest"]) as context:
        assert context.params["selection"] == ("orders", "latest")


def test_every_selection_option_of_the_commands_takes_several_words() -> None:
    found = {
        (name, spelling)
        for name, command in COMMANDS.items()
        for param in command.params
        for spelling in param.opts
        if spelling in SELECTING and isinstance(param, click.Option) and param.multiple
    }

    assert {
        ("diff", "--select"),
        ("value", "--exclude"),
        ("scan", "--include"),
        ("quality", "--select"),
    } <= found
    for name, spelling in found:
        command = COMMANDS[name]
        context = command.make_context(name, [spelling, "a", "b"], resilient_parsing=True)
        (option,) = (param for param in command.params if spelling in param.opts)
        assert context.params[str(option.name)] == ("a", "b"), (name, spelling)
        assert context.meta[OPEN_OPTION] is option


def test_names_are_completed_and_globs_are_not() -> None:
    completed = {
        (name, param.name)
        for name, command in COMMANDS.items()
        for param in command.params
        if isinstance(param.type, StoreName)
    }

    assert {("diff", "base"), ("diff", "selection"), ("value", "nodes"), ("lineage", "node")} <= completed
    assert not {("scan", "exclude"), ("quality", "exclude")} & completed
