"""What made the rows of a query others, in short phrases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from recce_meta.diff.semantic.frames import Keyed

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
    "ordered": "order",
    "functions": "function that makes rows",
    "function": "function that makes rows",
    "pivot": "pivot",
    "distinct": "distinct",
    "statement": "statement",
    "columns by place": "columns by place",
    "data-modifying": "statement in WITH",
}
CHANGED = {
    "query": "query changed",
    "set operation": "set operation changed",
    "values": "rows written out changed",
    "words": "words changed",
    "recursion": "columns of a recursive query changed",
}
OF_STATEMENTS = ("statement", "columns by place", "words", "ordered", "data-modifying")
"""Parts that no query has, but what is around it."""
TOLD_BY_INPUTS = frozenset({"tables", "itself"})
Parts = Mapping[str, tuple[str, ...]]
Called = tuple[str, Keyed]


class Side:
    """One of two queries: its keys, and those of all queries in it with sources known by name alone."""

    def __init__(self, keyed: Keyed, named: Mapping[int, Keyed]) -> None:
        self.keyed = keyed
        self._named = named

    def parts(self, keyed: Keyed) -> Parts:
        """The parts of a query's rows key that say nothing of what it reads but the names."""
        named = self._named.get(id(keyed.query))
        if named is None:
            return keyed.parts
        return {**named.parts, **{name: keyed.parts[name] for name in OF_STATEMENTS if name in keyed.parts}}


def reasons_of(old: Side, new: Side) -> tuple[str, ...]:
    """Why the rows of *new* may not be those of *old*; at least one phrase."""
    found: dict[str, None] = {}
    for phrase in _Comparison(old, new).between(old.keyed, new.keyed):
        found.setdefault(phrase)
        if len(found) == MOST:
            break
    return tuple(found) or ("rows changed",)


class _Comparison:
    def __init__(self, old: Side, new: Side) -> None:
        self._old, self._new = old, new
        self._seen: set[tuple[int, int]] = set()

    def between(self, old: Keyed, new: Keyed) -> Iterator[str]:
        """Phrases on two queries and what they read, the innermost first."""
        if old.rows == new.rows or (id(old), id(new)) in self._seen:
            return
        self._seen.add((id(old), id(new)))
        if type(old.core or old.query) is not type(new.core or new.query):
            yield "query changed"
            return
        phrases, pairs = _inputs(old, new)
        for one, other in pairs:
            yield from self.between(one[1], other[1])
        yield from phrases
        is_renamed = any(one[0].lower() != other[0].lower() for one, other in pairs)
        for name in self._edited(old, new):
            before, after = _part(old.parts, name), _part(new.parts, name)
            if name == "filter" and old.core is not None and new.core is not None:
                before, after = _without(before, after), _without(after, before)
            if is_renamed and before and after:
                continue  # perhaps by the name alone
            if name in ("joins", "filter") and (
                phrases or bool(old.parts.get("joins")) != bool(new.parts.get("joins"))
            ):
                if not phrases:
                    yield "join changed"
                continue  # conditions of inner joins are filters, and others are not
            is_join = name == "filter" and len(new.inputs) > 1
            yield "join or filter changed" if is_join else _phrase(name, before, after)

    def _edited(self, old: Keyed, new: Keyed) -> Iterator[str]:
        """The parts that differ by more than by what is read, or by what that is called."""
        named_before, named_after = self._old.parts(old), self._new.parts(new)
        for name in sorted({*old.parts, *new.parts} - TOLD_BY_INPUTS):
            differs = _part(old.parts, name) != _part(new.parts, name)
            if differs and _part(named_before, name) != _part(named_after, name):
                yield name


def _part(parts: Parts, name: str) -> tuple[str, ...]:
    keys = parts.get(name, ())
    return keys[:2] if name == "set operation" else keys  # the operands are told by themselves


def _without(keys: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...]:
    """Return *keys* that are not among *others*: a subquery and what reads it have one filter in common."""
    return tuple(key for key in keys if key not in others)


def _phrase(name: str, before: tuple[str, ...], after: tuple[str, ...]) -> str:
    if name in CHANGED:
        return CHANGED[name]
    if name == "distinct" and before and after:
        return "columns of distinct changed"
    word = "added" if not before else "removed" if not after else "changed"
    if name == "grouping" and "one" in (before or after)[0]:
        return f"aggregate {word}"
    return f"{PHRASES.get(name, name)} {word}"


def _inputs(old: Keyed, new: Keyed) -> tuple[list[str], list[tuple[Called, Called]]]:
    """Phrases on sources that came or went, and the pairs of sources whose own rows changed."""
    before, after = list(old.inputs), list(new.inputs)
    for one in list(before):
        same = next((other for other in after if other[1] == one[1]), None)
        if same is not None:
            before.remove(one)
            after.remove(same)
    pairs: list[tuple[Called, Called]] = []
    for one in list(before):
        called = [other for other in after if other[0].lower() == one[0].lower()]
        candidates = called or (after if len(before) == len(after) == 1 else [])
        partner = next((other for other in candidates if other[2] is not None), None)
        if partner is not None and partner[2] is not None and one[2] is not None:
            pairs.append(((one[0], one[2]), (partner[0], partner[2])))
            before.remove(one)
            after.remove(partner)
    if len(old.inputs) == len(new.inputs) == 1 and before and after:
        now, was = after[0][0] or "a subquery", before[0][0] or "a subquery"
        return [f"reads {now} instead of {was}" if now != was else f"reads another {now}"], pairs
    word = "operand" if "set operation" in new.parts else "join"
    phrases = []
    for name in [one[0] for one in after]:
        partner = next((one for one in before if name and one[0] == name), None)
        if partner is not None:
            before.remove(partner)
        verb = "added" if partner is None else "changed"
        phrases.append(f"{word} {verb}: {name}" if name else f"{word} {verb}")
    phrases += [f"{word} removed: {name}" if name else f"{word} removed" for name, _, _ in before]
    return phrases, pairs
