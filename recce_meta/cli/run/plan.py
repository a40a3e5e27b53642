"""Implementation of `plan`: what dbt must build after a change, and the command that builds it."""

from __future__ import annotations

import shlex
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import msgspec
from msgspec.structs import replace

from recce_meta.api.data.preview import artifacts_of
from recce_meta.api.deferred_build import deferred_build, state_manifest
from recce_meta.api.diff import NOTHING_MORE, diff_of_pair
from recce_meta.api.export import written_whole
from recce_meta.api.run_choice import select_runs, with_builds
from recce_meta.api.runs import load_pair
from recce_meta.cli.connections import Connection
from recce_meta.cli.options import report_size, say, warn, write
from recce_meta.errors import UsageError, plural
from recce_meta.models.node_types import BUILT
from recce_meta.profiles import find_project_dir
from recce_meta.report.plan import NOTHING, plan_text

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
    if style == "table":
        labels = {nodes[one].label: why for one, why in build.planned.items()}
        of = sum(one.resource_type in BUILT and not one.is_ephemeral for one in nodes.values())
        choice = replace(choice, notes=notes)
        write(plan_text(labels, of, len(build.skipped), choice, **report_size(output)), output)
        return
    for text in notes:
        warn(text)
    if not build.terms:
        say(NOTHING)
        return
    words = build.command(str(state_dir))
    if len(" ".join(build.terms)) > LONGEST:
        number = plural(len(build.terms), "node")
        raise UsageError(f"A command with {number} is too long", hint="build state:modified+ instead")
    state_dir.mkdir(parents=True, exist_ok=True)
    with written_whole(state_dir / "manifest.json", overwrite=True) as file:
        file.write_bytes(msgspec.json.encode(state))
    write(shlex.join(words), output)
