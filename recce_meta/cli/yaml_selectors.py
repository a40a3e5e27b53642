"""YAML selectors of the project for `--selector NAME` and `selector:NAME` in selections."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from functools import cache
from pathlib import Path

import click

from recce_meta.api.record import target_folder
from recce_meta.cli.console import say
from recce_meta.cli.defaults import selection_parameters
from recce_meta.errors import RecceMetaError, UsageError, quoted
from recce_meta.extractors.selector_file import read_selectors
from recce_meta.graph.selector_syntax import SELECTOR
from recce_meta.graph.yaml_selectors import YamlSelectors, yaml_selectors
from recce_meta.profiles import find_project_dir

_UNWRITABLE = re.compile(r"[\s,]|\+\d*\Z")
"""Characters of names that have a meaning in selections."""


def apply_selector(context: click.Context, name: str | None) -> None:
    """Replace the selection of the command by the YAML selector *name*, and let its words name selectors.

    Raises UsageError if the command line has a selection too.
    """
    params = context.params
    if name is not None:
        names = selection_parameters(str(context.command.name))
        given = [f"--{name.replace('selection', 'select')}" for name in names if params.get(name)]
        if given:
            raise UsageError(
                f"--selector cannot be combined with {' and '.join(given)}",
                hint=f"write --select {SELECTOR}:{name} to add node selectors",
            )
        if not name.strip():
            raise UsageError("--selector needs a name", hint="give the name of a selector of selectors.yml")
        if _UNWRITABLE.search(name):
            raise UsageError(
                f"Selector {quoted(name)} cannot be used: its name contains a blank, a comma or a final +",
                hint="rename it in selectors.yml",
            )
        params["selection"] = (f"{SELECTOR}:{name}",)
    project_dir = params.get("project_dir")
    context.with_resource(yaml_selectors(cache(lambda: _read(project_dir))))


def _read(named: Path | None) -> YamlSelectors:
    selectors = _found(named)
    say(f"Selectors are from {selectors.source}")
    return selectors


def _found(named: Path | None) -> YamlSelectors:
    return read_selectors(find_project_dir(named), target_folder(None, named), os.environ)


def names(project_dir: Path | None) -> list[str]:
    """Return the names of the YAML selectors of a project, for completion; none if they cannot be read."""
    with suppress(RecceMetaError):
        return [str(entry["name"]) for entry in _found(project_dir).entries]
    return []
