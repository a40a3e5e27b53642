"""The order in which a project's nodes are analysed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def parents_first(
    parents_of: Mapping[str, Sequence[str]],
) -> tuple[list[str], list[tuple[str, ...]]]:
    """Every key of *parents_of*, parents before their children, and the circles that had to be cut.

    Parents that are no keys are passed over. A circle starts at the member that would have had to come
    before itself; the order depends on the ids alone.
    """
    order: list[str] = []
    circles: list[tuple[str, ...]] = []
    done: set[str] = set()
    for start in sorted(parents_of):
        if start in done:
            continue
        path = {start: None}  # a set in order
        waiting = [iter(sorted(parents_of[start]))]
        while waiting:
            parent = next(waiting[-1], None)
            if parent is None:
                waiting.pop()
                unique_id, _ = path.popitem()
                done.add(unique_id)
                order.append(unique_id)
            elif parent in path:
                members = list(path)
                if len(circle := tuple(members[members.index(parent) :])) > 1:
                    circles.append(circle)
            elif parent in parents_of and parent not in done:
                path[parent] = None
                waiting.append(iter(sorted(parents_of[parent])))
    return order, circles
