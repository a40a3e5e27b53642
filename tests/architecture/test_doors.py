"""Doors of data diffs: each has the options, defaults and limits of the declaration, or a reason."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any, cast

import click
import pytest
from msgspec import Struct

import recce_meta
from recce_meta.api.data.requests import REQUESTED, DataDiffRequest, refuse_request
from recce_meta.checks.types import TYPES
from recce_meta.cli.main import cli
from recce_meta.errors import UsageError
from recce_meta.mcp.data_tools import AGENT_KINDS, DataTools, compare_data
from recce_meta.models.diff_kinds import (
    KINDS,
    MOST_SERVED,
    REQUESTED_KINDS,
    DiffKind,
    Door,
    Option,
    OptionType,
)
from recce_meta.profiles.lined_yaml import MalformedValue
from recce_meta.server.pages.forms.offers import OFFERS
from recce_meta.server.stores.query_jobs import request_of

OPTIONS = {option.name: option for kind in KINDS.values() for option in kind.options}
NAMES = {name: option.name for option in OPTIONS.values() for name in (option.field_name, *option.checks)}
SHORT = {"approx": "approximate"}
TEXTS = {OptionType.WHOLE: "3", OptionType.PERCENT: "10%", OptionType.NUMBER: "0.5", OptionType.FLAG: "true",
         OptionType.CHOICE: "day", OptionType.CASTS: "id=text"}  # fmt: skip


def options_at(door: Door, kind: DiffKind) -> set[str] | None:
    """Return the names of the options that *kind* has at *door*; None if the door has no such kind."""
    found: Iterable[str]
    if door is Door.COMMAND:
        command = cli.get_command(click.Context(cli), kind.command) if kind.command else None
        if command is None:
            return None
        found = (name.lstrip("-").replace("-", "_") for param in command.params for name in param.opts)
        found = {SHORT.get(name, name) for name in found}
    elif door is Door.CHECK:
        if kind.diff not in TYPES or kind.reason(door):
            return None
        found = TYPES[kind.diff].fields
    elif door is Door.PYTHON:
        function = getattr(recce_meta, kind.function or kind.diff, None)
        if function is None or kind.reason(door):
            return None
        parameters = inspect.signature(function).parameters
        structs = [one.default for one in parameters.values() if isinstance(one.default, Struct)]
        found = [*parameters, *(name for one in structs for name in one.__struct_fields__)]
    elif door is Door.FORM:
        offers = [offer for offer in OFFERS if offer.kind == kind.name]
        if not offers:
            return {one.name for one in kind.form} or None
        found = (field.name for field in offers[0].options)
    elif door is Door.AGENTS:
        if kind.name not in AGENT_KINDS:
            return None
        # Its limit is that of a page of the answer.
        found = inspect.signature(compare_data(DataTools(cast(Any, None)))).parameters.keys() - {"limit"}
    else:
        if kind.reason(door):
            return None
        found = [name for name, option in REQUESTED.items() if is_accepted(kind, option)]
    return {NAMES.get(name, name) for name in found} & OPTIONS.keys()


def fields_of(kind: DiffKind, option: Option) -> dict[str, str]:
    given = {"kind": kind.name, "base": "b", "current": "c", "node": "n", "current_sql": "select 1"}
    return {**given, option.field_name: TEXTS.get(option.type, "id")}


def is_accepted(kind: DiffKind, option: Option) -> bool:
    try:
        refuse_request(request_of(fields_of(kind, option)), None)
    except UsageError as error:
        assert f"A {kind.name} has no" in error.message
        return False
    return True


@pytest.mark.parametrize("door", Door, ids=lambda door: door.value)
@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_each_door_has_the_options_of_the_declaration_or_a_reason(kind: DiffKind, door: Door) -> None:
    found = options_at(door, kind)

    if found is None:
        assert kind.reason(door) or not kind.options
        return
    assert not kind.reason(door)
    # What is declared for another kind is refused by name, where one command or tool serves several kinds.
    own = {option.name for option in kind.options}
    assert found & own == {option.name for option in kind.at(door)}
    if door in (Door.FORM, Door.REQUEST):
        assert found <= own


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_a_declaration_names_its_own_options_once(kind: DiffKind) -> None:
    own = [option.name for option in kind.options]

    assert len(set(own)) == len(own)
    assert {one.name for one in kind.form} <= set(own)
    assert {one.name for lack in kind.lacks for one in lack.options} <= set(own)
    assert all(lack.reason for lack in kind.lacks)


@pytest.mark.parametrize(
    ("kind", "option"),
    [(kind, one) for kind in REQUESTED_KINDS.values() for one in kind.options if one.default],
    ids=lambda one: one.name,
)
def test_defaults_and_limits_are_those_of_the_declaration(kind: DiffKind, option: Option) -> None:
    if kind.command and not kind.reason(Door.COMMAND):
        command = cli.get_command(click.Context(cli), kind.command)
        assert command is not None
        (param,) = [param for param in command.params if f"--{option.name}" in param.opts]
        assert isinstance(param, click.Option)
        assert (param.default, param.help) == (option.default, option.help)
    most = option.most or MOST_SERVED
    with pytest.raises(UsageError, match=f"from 1 to {MOST_SERVED:,}"):
        request_of({**fields_of(kind, option), option.field_name: str(MOST_SERVED + 1)})
    if option.most is None:
        return
    check = option.checks[0] if option.checks else option.name
    with pytest.raises(MalformedValue):
        TYPES[kind.diff].fields[check].read(most + 1)
    given: dict[str, Any] = {option.name: most + 1}
    with pytest.raises(UsageError, match=f"from 1 to {most:,}"):
        refuse_request(DataDiffRequest(kind=kind, base="b", current="c", **given), None)
    assert inspect.signature(getattr(recce_meta, kind.diff)).parameters[check].default == option.default


@pytest.mark.parametrize("kind", REQUESTED_KINDS.values(), ids=lambda kind: kind.name)
@pytest.mark.parametrize("option", OPTIONS.values(), ids=lambda option: option.name)
def test_an_option_that_a_kind_lacks_is_refused(kind: DiffKind, option: Option) -> None:
    if option.name not in REQUESTED:
        return
    assert is_accepted(kind, option) == (option.name in {one.name for one in kind.at(Door.REQUEST)})
