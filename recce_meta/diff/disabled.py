"""Changes of nodes that one side or both have disabled for their target.

dbt writes the code of a disabled node, and neither its SQL nor its edges. So an edit is found, and its effect
on the targets that have the node is unknown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import zip_longest
from typing import TypeAlias

from recce_meta.diff.causes import Causes, template
from recce_meta.diff.code import jinja_names, variable_calls
from recce_meta.models import COSMETIC, Change, ChangeDetail, NodeMetadata, Reason, Status
from recce_meta.models.change import Category, SqlChange
from recce_meta.models.node import DISABLED, TWIN, as_enabled

Pair: TypeAlias = tuple[NodeMetadata | None, NodeMetadata | None]

ENABLED = "enabled"
"""Key of the detail of a node that one side has disabled."""
_HERE, _IN_BASE = "disabled for this target", "disabled for the target of base"
_BY_EITHER = "disabled on one side, by an edit or by the target"


def disabled_pairs(causes: Causes) -> Iterator[tuple[str, Pair]]:
    """Yield the id and both sides of each node that one side or both have disabled.

    Several files may define a node, of which dbt enables one. Each file is compared with itself, and has an
    id with its path.
    """
    sides = [causes.base.nodes, causes.current.nodes]
    twins: dict[str, tuple[list[NodeMetadata], list[NodeMetadata]]] = defaultdict(lambda: ([], []))
    for number, nodes in enumerate(sides):
        for key, node in nodes.items():
            if node.resource_type == DISABLED:
                twins[key.partition(".")[2].partition(TWIN)[0]][number].append(node)
    for unique_id, disabled in sorted(twins.items()):
        enabled = [nodes.get(unique_id) for nodes in sides]
        is_on_both = None not in enabled
        for pair in _by_file(disabled, enabled, is_on_both=is_on_both):
            own = next((one for one in pair if one and one.resource_type != DISABLED), None)
            ids = [one.unique_id.partition(".")[2] for one in pair if one and one.resource_type == DISABLED]
            path = next(one.path for one in reversed(pair) if one)
            key = _last_twin(ids) if own is None else f"{unique_id}{TWIN}{path}" if is_on_both else unique_id
            yield key, pair


def _last_twin(ids: list[str]) -> str:
    return next((one for one in reversed(ids) if TWIN in one), ids[-1])


def _by_file(
    disabled: tuple[list[NodeMetadata], list[NodeMetadata]],
    enabled: list[NodeMetadata | None],
    *,
    is_on_both: bool,
) -> Iterator[Pair]:
    """Yield the entries of one node in pairs of one file, and of files that moved.

    The *enabled* entries are compared with each other if there are two.
    """
    before, after = ([*own, *([on] if on else [])] for own, on in zip(disabled, enabled, strict=True))
    pairs: list[Pair] = []
    for node in list(before):
        same = next((one for one in after if one.path == node.path), None)
        if same is not None:
            pairs.append((node, same))
            before.remove(node)
            after.remove(same)
    if is_on_both:
        before, after = ([one for one in side if one.resource_type == DISABLED] for side in (before, after))
    # An enabled entry is last, and has a counterpart first.
    pairs += zip_longest(reversed(before), reversed(after))
    for pair in pairs:
        if any(node is not None and node.resource_type == DISABLED for node in pair):
            yield pair


def switch_of(before: NodeMetadata, after: NodeMetadata, causes: Causes) -> ChangeDetail | None:
    """Return a detail if one side has the node disabled: `ENVIRONMENT` if it follows from the run.

    It is `CONFIG` if an edit may explain it.
    """
    states = [node.resource_type != DISABLED for node in (before, after)]
    if states[0] is states[1]:
        return None
    old, new = as_enabled(before), as_enabled(after)
    reason = causes.of_config(old, new, ENABLED)
    if old.raw_code is not None and old.raw_code == new.raw_code:
        text = f"{old.raw_code} {template(old, ENABLED)} {template(new, ENABLED)}"
        given = causes.given_variables[1]
        is_given = causes.is_compiled_by_dbt and not given.isdisjoint(variable_calls(text))
        if is_given and ENABLED in jinja_names(old.raw_code):
            reason = Reason.ENVIRONMENT
    return ChangeDetail(reason, ENABLED, *states)


def disabled_effect(change: Change, pair: Pair) -> Iterator[SqlChange]:
    """Yield the effect of the change of a node that one side or both have disabled."""
    after = pair[1]
    is_here = after is None or after.resource_type == DISABLED
    where = _HERE if is_here else _IN_BASE
    match change.status:
        case Status.ADDED:
            yield SqlChange(category=Category.NON_BREAKING, reasons=(_HERE,) if is_here else ())
        case Status.REMOVED if after is not None:
            yield SqlChange(category=Category.BREAKING, reasons=("disabled",))
        case Status.REMOVED:
            yield SqlChange(category=Category.UNKNOWN, reasons=(f"removed, {where}",))
        case Status.MODIFIED if set(change.reasons) <= {*COSMETIC, Reason.DESCRIPTIONS}:
            yield SqlChange(category=Category.NONE)
        case Status.MODIFIED:
            is_switched = any(one.key == ENABLED and one.reason is Reason.CONFIG for one in change.details)
            yield SqlChange(
                category=Category.UNKNOWN, reasons=(_BY_EITHER if is_switched else f"edited, {where}",)
            )
        case _:
            pass
