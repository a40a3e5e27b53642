"""Settings of nodes for a command: those of the configuration, and those of options such as `--key`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from recce_meta.api.data.jobs import NodePair
from recce_meta.api.runs import RunPair
from recce_meta.cli.defaults import current_config
from recce_meta.cli.options import warn
from recce_meta.config.nodes import NodeGlobs, NodeSettings, matches_glob, unmatched_globs
from recce_meta.data_diff.names import comma_parts
from recce_meta.data_diff.options import ValueOptions
from recce_meta.errors import SelectorError
from recce_meta.models.node_types import WITH_ROWS

if TYPE_CHECKING:
    from recce_meta.cli.run.diff import DiffDataOptions

EVERY = "*"
"""Glob of options that are about all nodes."""


def configured_globs() -> NodeGlobs:
    """Return the settings of `nodes:` in the configuration."""
    nodes: NodeGlobs = current_config().nodes
    return nodes


def option_globs(options: DiffDataOptions) -> NodeGlobs:
    """Return the settings that *options* give. Raises UsageError for an invalid sample or tolerance.

    A key implies that the node is compared by it, whatever its `compare` is.
    """
    ValueOptions(sample=options.sample, tolerance=options.tolerance)  # raises the error
    common = NodeSettings(
        sample=options.sample, tolerance=options.tolerance, exclude=options.exclude_columns or None
    )
    keys = [
        (node, NodeSettings(key=tuple(name.strip() for name in comma_parts(text)), compare="values"))
        for node, text in options.keys
    ]
    # The last glob wins, so that settings of one node follow those of all.
    return [(EVERY, common), *keys, *((node, NodeSettings(where=sql)) for node, sql in options.conditions)]


def refuse_unknown_nodes(options: DiffDataOptions, runs: RunPair) -> None:
    """Raise SelectorError if `--key` or `--where` names no node with data."""
    for option, given, example in (
        ("--key", options.keys, "orders=order_id"),
        ("--where", options.conditions, "orders=amount > 0"),
    ):
        missing = _unmatched((node for node, _ in given), runs) if given else {}
        for node, hint in missing.items():
            hint = hint or f"name a node before the first '=', as in {option} \"{example}\""
            raise SelectorError(f"{option}: node '{node}' not found", hint=hint)


def warn_unused(options: DiffDataOptions, chosen: Sequence[NodePair]) -> None:
    """Warn of each `--key` and `--where` for a node that is not compared."""
    nodes = [sides.node for sides in chosen if sides.node is not None]
    for option, given in (("--key", options.keys), ("--where", options.conditions)):
        for glob, _ in given:
            if not any(matches_glob(glob, node) for node in nodes):
                warn(f"{option} {glob}: the node is not compared, because it is neither changed nor selected")


def warn_unmatched(globs: NodeGlobs, runs: RunPair) -> None:
    """Warn of each glob of the configuration that matches no node of *runs*."""
    for glob, hint in (_unmatched((glob for glob, _ in globs), runs) if globs else {}).items():
        warn(f"nodes: '{glob}' of the configuration matches no node" + (f"; {hint}" if hint else ""))


def _unmatched(globs: Iterable[str], runs: RunPair) -> dict[str, str | None]:
    return unmatched_globs(globs, (node for node in runs.names.values() if node.resource_type in WITH_ROWS))
