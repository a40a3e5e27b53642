"""Options of connections: declared once, and read by the command line without the types."""

from __future__ import annotations

import subprocess
import sys

import pytest

from recce_meta.models.run import IsolationKind
from recce_meta.repositories.options.connections import ConnectionOptions, DatabaseSettings
from recce_meta.repositories.options.declaring import CHANGE, NEW, STORED, options_of
from recce_meta.repositories.state.types import option_types

HELP = """
import sys
from recce_meta.cli.main import run_command_line
run_command_line(["connection", "{command}", "--help"])
print(*sys.modules, file=sys.stderr)
"""


@pytest.mark.parametrize("command", ["add", "set"])
def test_the_help_of_options_loads_no_types(command: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", HELP.format(command=command)], capture_output=True, text=True, check=True
    )
    loaded = ran.stderr.split()

    assert "--pull-requests / --no-pull-requests" in ran.stdout
    assert {"recce_meta.models", "recce_meta.repositories.state.types", "msgspec"}.isdisjoint(loaded)
    assert len([name for name in loaded if name.startswith("recce_meta")]) <= 23


def test_choices_are_the_values_of_their_enum() -> None:
    declared = options_of(ConnectionOptions)

    assert declared["isolation"].choices == tuple(kind.value for kind in IsolationKind)
    assert [name for name, one in declared.items() if one.choices] == ["isolation"]


@pytest.mark.parametrize("declared", [ConnectionOptions, DatabaseSettings])
def test_every_option_has_a_type_and_is_in_a_known_part(declared: type) -> None:
    options = options_of(declared)

    assert list(option_types(declared)) == list(options) == list(declared.__annotations__)
    assert all(set(one.parts) <= {STORED, NEW, CHANGE} for one in options.values())
    assert list(options_of(declared, of="bool")) == [
        name for name, kind in option_types(declared).items() if kind is bool
    ]
