"""Implementation of `plan`: what dbt must build after a change, and the command that builds it."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from recce_meta.api.data.preview import artifacts_of
from recce_meta.api.deferred_build import DeferredBuild, deferred_build, state_manifest
from recce_meta.api.diff import NOTHING_MORE, diff_of_pair
from recce_meta.api.export import written_whole
from recce_meta.api.run_choice import select_runs, with_builds
from recce_meta.api.run_reader import PREFIX
from recce_meta.api.runs import load_pair
from recce_meta.cli.connections import Connection
from recce_meta.cli.options import report_size, say, warn, write
from recce_meta.errors import RecceMetaError, UsageError, plural
from recce_meta.models import NodeMetadata
from recce_meta.models.node_types import BUILT
from recce_meta.models.run import RunChoice
from recce_meta.profiles import find_project_dir, read_target_path
from recce_meta.report.plan import NOTHING, plan_text
from recce_meta.temporary import temporary_folder

LONGEST = 8_000
"""Characters of the terms in a command line that every shell accepts."""


def plan(
    connection: Connection,
    project: str | None,
    base: str | None,
    current: str | None,
    state_dir: Path,
    style: str,
    output: Path | None,
) -> None:
    """Write the nodes to build, or the command, for which the state of base is written to *state_dir*."""
    root = find_project_dir(connection.project_dir)
    current = current or (artifacts_of(root) if root is not None else None)
    build, choice, state, nodes = _planned(connection, project, base, current)
    if style == "table":
        labels = {nodes[one].label: why for one, why in build.planned.items()}
        of = sum(one.resource_type in BUILT and not one.is_ephemeral for one in nodes.values())
        write(plan_text(labels, of, len(build.skipped), choice, **report_size(output)), output)
        return
    for text in choice.notes:
        warn(text)
    if not build.terms:
        say(NOTHING)
        return
    _write_state(build, state, state_dir)
    write(shlex.join(["dbt", "build", *build.arguments(str(state_dir))]), output)


def place_of_build(command: Sequence[str]) -> int:
    """Return the position of `build` in *command*; raise UsageError if it has none, or selects nodes."""
    place = next((i for i, word in enumerate(command) if word == "build"), None)
    start = next((i for i, word in enumerate(command[:place]) if Path(word).stem == "dbt"), None)
    if place is None or start is None:
        raise UsageError("hook --plan plans dbt build", hint="recce-meta hook --plan -- dbt build")
    words = command[start:]
    own = [word for word in words if _OWN.intersection([word.partition("=")[0], *_short_options(word)])]
    if own:
        raise UsageError(f"hook --plan selects the nodes itself, so it refuses {own[0]}", hint="leave it out")
    return place


def _short_options(word: str) -> list[str]:
    """Return the short options that *word* joins, up to one that takes the rest as its value.

    >>> _short_options("-xsorders")
    ['-x', '-s']
    >>> _short_options("-tfast")
    ['-t']
    """
    if not word.startswith("-") or word.startswith("--"):
        return []
    taking = next((i for i, letter in enumerate(word) if letter in _WITH_VALUE), len(word))
    return [f"-{letter}" for letter in word[1 : taking + 1]]


def planned_command(connection: Connection, project: str | None, command: Sequence[str]) -> list[str] | None:
    """Return *command*, a `dbt build`, with the arguments of its plan; None if nothing must be built.

    dbt first compiles the project with the same options into a folder of its own. Raises RecceMetaError if
    dbt cannot compile, or base is not found.
    """
    place = place_of_build(command)
    options = [word for word in command[place + 1 :] if word not in _OF_BUILD]
    root = find_project_dir(connection.project_dir) or Path.cwd()
    with temporary_folder() as folder:
        compiled = [*command[:place], "compile", *options, "--target-path", folder]
        # Standard output belongs to the command.
        code = subprocess.run(compiled, stdout=sys.stderr, check=False).returncode
        if code:
            raise RecceMetaError(f"dbt compile failed with exit code {code}")
        build, choice, state, _ = _planned(connection, project, None, f"{PREFIX}{folder}")
    for text in choice.notes:
        warn(text)
    if not build.terms:
        return None
    state_dir = read_target_path(root) / "recce_state"
    _write_state(build, state, state_dir)
    return [*command, *build.arguments(str(state_dir))]


_OWN = frozenset(
    """
    -s --select -m --models --model --exclude --selector --resource-type --resource-types
    --exclude-resource-type --exclude-resource-types --full-refresh -f --defer --state --favor-state
    --indirect-selection --target-path
    """.split()
)
"""Options that would change which nodes a planned build has, or where it reads them."""
_WITH_VALUE = "mrst"
"""Letters of dbt's short options that take a value, which may follow the letter directly."""
_OF_BUILD = frozenset(["--fail-fast", "-x", "--store-failures", "--export-saved-queries", "--empty"])
"""Flags that `dbt compile` does not have."""


class _Planned(NamedTuple):
    """Plan, the choice of its runs with all notes, the manifest of base, and the nodes of current."""

    build: DeferredBuild
    choice: RunChoice
    state: Mapping[str, Any]
    nodes: Mapping[str, NodeMetadata]


def _planned(connection: Connection, project: str | None, base: str | None, current: str | None) -> _Planned:
    with ExitStack() as stack:
        store = cache(lambda: stack.enter_context(connection.open_existing()))
        name = connection.project_of(project, base, current)
        defaults = connection.run_defaults()
        found = select_runs(store, base, current, defaults=defaults, project=name)
        runs = load_pair(store, found.base.selector, found.current.selector, project=name)
        diff = diff_of_pair(runs.base, runs.current, NOTHING_MORE)
        build = deferred_build(runs.base, runs.current, diff)
        choice = with_builds(store, found.choice, runs.base.run, runs.base.run)
        notes = (*choice.notes, *diff.notes, *build.notes)
        state = state_manifest(runs.base.project)
        nodes = {node.unique_id: node for node in runs.current.project.nodes}
    return _Planned(build, replace(choice, notes=notes), state, nodes)


def _write_state(build: DeferredBuild, state: Mapping[str, Any], folder: Path) -> None:
    """Write the manifest of base into *folder*. Raises UsageError if the terms do not fit in a command."""
    if len(" ".join(build.terms)) > LONGEST:
        number = plural(len(build.terms), "node")
        raise UsageError(f"A command with {number} is too long", hint="build state:modified+ instead")
    folder.mkdir(parents=True, exist_ok=True)
    with written_whole(folder / "manifest.json", overwrite=True) as file:
        file.write_bytes(msgspec.json.encode(state))
