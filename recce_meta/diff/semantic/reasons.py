"""What made the rows of a query others, in short phrases."""

from __future__ import annotations

from collections.abc import Iterator

from recce_meta.diff.semantic.references import Keyed

READ_BELOW = frozenset(("filter", "joins", "set operation", "distinct", "pivot"))
"""Parts whose keys name the rows that are read: a change of these is told where it is made."""
MOST = 5
"""Phrases; more help nobody."""
PHRASES = {
    "filter": "filter",
    "having": "filter on groups",
    "qualify": "filter on windows",
    "grouping": "grouping",
    "joins": "join",
    "limit": "limit",
    "order": "order",
    "set operation": "set operation",
    "functions": "function that makes rows",
    "function": "function that makes rows",
    "pivot": "pivot",
    "values": "rows written out",
    "recursion": "recursive query",
    "statement": "statement",
    "columns by place": "columns by place",
}


def reasons_of(old: Keyed, new: Keyed) -> tuple[str, ...]:
    """Why the rows of *new* may not be those of *old*; at least one phrase."""
    found: dict[str, None] = {}
    for phrase in _between(old, new, set()):
        found.setdefault(phrase)
        if len(found) == MOST:
            break
    return tuple(found) or ("rows changed",)


def _between(old: Keyed, new: Keyed, seen: set[tuple[int, int]]) -> Iterator[str]:
    if old.rows == new.rows or (id(old), id(new)) in seen:
        return
    seen.add((id(old), id(new)))
    if type(old.query) is not type(new.query):
        yield "query changed"
        return
    inner, pairs = _inputs(old, new)
    yield from inner
    for one, other in pairs:
        yield from _between(one, other, seen)
    changed_below = bool(pairs)
    for name in sorted({*old.parts, *new.parts}):
        before, after = old.parts.get(name, ()), new.parts.get(name, ())
        if before == after or name in ("tables", "itself"):
            continue
        if (
            changed_below
            and before
            and after
            and name in ("filter", "joins", "set operation", "distinct", "pivot")
        ):
            continue
        yield _phrase(name, before, after)


def _phrase(name: str, before: tuple[str, ...], after: tuple[str, ...]) -> str:
    if name == "distinct":
        return (
            "distinct added"
            if not before
            else "distinct removed"
            if not after
            else "columns of distinct changed"
        )
    if name == "query":
        return "query changed"
    word = "added" if not before else "removed" if not after else "changed"
    return f"{PHRASES.get(name, name)} {word}"


def _inputs(old: Keyed, new: Keyed) -> tuple[list[str], list[tuple[Keyed, Keyed]]]:
    """Phrases on sources that came or went, and the pairs of sources whose own rows changed."""
    before = list(old.inputs)
    after = list(new.inputs)
    for one in list(before):
        same = next((other for other in after if other[1] == one[1]), None)
        if same is not None:
            before.remove(one)
            after.remove(same)
    pairs: list[tuple[Keyed, Keyed]] = []
    for one in list(before):
        partner = next((other for other in after if other[0] == one[0] and _pairs(one[2], other[2])), None)
        if partner is None and len(before) == len(after) == 1 and _pairs(one[2], after[0][2]):
            partner = after[0]
        if partner is not None and one[2] is not None and partner[2] is not None:
            pairs.append((one[2], partner[2]))
            before.remove(one)
            after.remove(partner)
    phrases = []
    if len(old.inputs) == len(new.inputs) == 1 and before and after:
        phrases.append(f"reads {_called(after[0][0])} instead of {_called(before[0][0])}")
    else:
        is_set = "set operation" in new.parts or "set operation" in old.parts
        word = "operand" if is_set else "join"
        for verb, inputs in (("added", after), ("removed", before)):
            phrases += [f"{word} {verb}: {name}" if name else f"{word} {verb}" for name, _, _ in inputs]
    return phrases, pairs


def _pairs(one: Keyed | None, other: Keyed | None) -> bool:
    return one is not None and other is not None


def _called(name: str) -> str:
    return name or "a subquery"
