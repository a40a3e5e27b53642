"""Front doors of the kinds of figures: each has the choices, defaults and limits of the declaration."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click
import pytest

import recce_meta
from recce_meta.api.data.requests import KINDS, DataDiffRequest, DiffKind, refuse_request
from recce_meta.checks.types import TYPES
from recce_meta.cli.main import cli
from recce_meta.errors import UsageError
from recce_meta.mcp.data_tools import DataTools, Kinds
from recce_meta.models.figure_kinds import FIGURE_KINDS, FigureKind, Number
from recce_meta.profiles.lined_yaml import MalformedValue
from recce_meta.server.pages.forms.offers import OFFERS

NAMES = {"columns": "column", "column_name": "column", "num_bins": "bins"}
"""Names of choices in some doors: recce's in checks, a plural elsewhere."""
OF_EACH_DOOR = {"node", "kind", "base", "current", "limit", "cursor", "key", "model", "column_type"}
"""What a door has for every kind: the node and the runs, pages of an answer, a field of recce."""


def doors(kind: FigureKind) -> Iterator[tuple[str, set[str]]]:
    """Yield the name and the choices of each front door of *kind*."""
    command = cli.get_command(click.Context(cli), kind.command)
    assert command is not None
    options = {option.lstrip("-") for param in command.params for option in param.opts}
    yield "command", {NAMES.get(name, name) for name in options}
    yield "check", {NAMES.get(name, name) for name in TYPES[kind.diff].fields}
    yield "agents", {NAMES.get(name, name) for name in inspect.signature(DataTools.compare_data).parameters}
    (offer,) = [offer for offer in OFFERS if offer.kind == kind.name]
    yield "form", {option.name for option in offer.options}
    yield "request", set(KINDS[DiffKind(kind.name)].choices)


@pytest.mark.parametrize("kind", FIGURE_KINDS.values(), ids=lambda kind: kind.name)
def test_each_front_door_has_the_choices_of_the_declaration(kind: FigureKind) -> None:
    missing = {door: lacking for door, names in doors(kind) if (lacking := set(kind.choices) - names)}

    assert missing == {}
    assert kind.name in Kinds.__args__


@pytest.mark.parametrize("kind", FIGURE_KINDS.values(), ids=lambda kind: kind.name)
def test_checks_and_forms_have_no_other_choice(kind: FigureKind) -> None:
    found = dict(doors(kind))

    assert found["form"] == set(kind.choices)
    assert found["check"] - OF_EACH_DOOR == set(kind.choices)


@pytest.mark.parametrize(
    ("kind", "number"),
    [(kind, kind.number) for kind in FIGURE_KINDS.values() if kind.number],
    ids=lambda one: one.name,
)
def test_the_number_of_a_kind_is_one_everywhere(kind: FigureKind, number: Number) -> None:
    (option,) = [
        param
        for param in cli.get_command(click.Context(cli), kind.command).params  # type: ignore[union-attr]
        if f"--{number.name}" in param.opts
    ]
    name = number.check or number.name

    assert option.default == number.default
    assert inspect.signature(getattr(recce_meta, kind.diff)).parameters[name].default == number.default
    if number.most is not None:
        with pytest.raises(MalformedValue):
            TYPES[kind.diff].fields[name].read(number.most + 1)
        with pytest.raises(UsageError, match=f"at most {number.most:,}"):
            refuse_request(request_of(kind, {number.name: number.most + 1}), None)


@pytest.mark.parametrize("kind", DiffKind, ids=lambda kind: kind.value)
@pytest.mark.parametrize("choice", ["k", "bins"])
def test_a_number_that_a_kind_lacks_is_refused(kind: DiffKind, choice: str) -> None:
    request = DataDiffRequest(kind=kind, base="b", current="c", **{choice: 3})
    if choice in KINDS[kind].choices:
        refuse_request(request, None)
        return
    with pytest.raises(UsageError, match=f"{kind.value} has no"):
        refuse_request(request, None)


def request_of(kind: FigureKind, options: dict[str, int]) -> DataDiffRequest:
    return DataDiffRequest(kind=DiffKind(kind.name), base="b", current="c", **options)  # type: ignore[arg-type]
