"""One way through a template: what its names are there, and what it has written so far.

Where a template may go one way or another, both are followed, each in a world of its own, so that names
that are set together stay together. Worlds that come to the same are one again; too many are joined, and
what they differ in is unknown from there on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from recce_meta.extractors.jinja.values import (
    MOST_CHARACTERS,
    UNKNOWN,
    Namespace,
    Scope,
    copied,
    copied_scope,
    frozen,
)

MOST_WORLDS = 24
NOTHING: Any = object()


class Text:
    """What is being written to a variable, or by a macro."""

    __slots__ = ("is_known", "pieces", "size")

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.size = 0
        self.is_known = True

    def write(self, piece: str | None) -> None:
        """Add *piece*; None is one that is not known."""
        self.size += len(piece or "")
        if piece is None or self.size > MOST_CHARACTERS:
            self.is_known, self.pieces = False, []
        elif self.is_known:
            self.pieces.append(piece)

    @property
    def value(self) -> Any:
        """The text, where it is known."""
        return "".join(self.pieces) if self.is_known else UNKNOWN

    @property
    def key(self) -> Any:
        """Equal where the texts are."""
        return tuple(self.pieces) if self.is_known else UNKNOWN

    def copy(self) -> Text:
        """The same, to be continued otherwise."""
        made = Text()
        made.pieces, made.size, made.is_known = [*self.pieces], self.size, self.is_known
        return made


class World:
    """The state of one way."""

    __slots__ = ("config", "out", "returned", "scope", "stack")

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.stack: list[tuple[Scope, Text | None]] = []
        """Scopes and texts to go back to."""
        self.out: Text | None = None
        """Where output goes; None where nobody reads it."""
        self.returned: Any = NOTHING
        """What `return()` gave, until the macro ends."""
        self.config: dict[str, Any] = {}

    def fork(self) -> World:
        """The same state, to be changed independently."""
        memo: dict[int, Any] = {}
        made = World(copied_scope(self.scope, memo))
        made.stack = [(copied_scope(scope, memo), out.copy() if out else None) for scope, out in self.stack]
        made.out = self.out.copy() if self.out is not None else None
        made.returned = self.returned if self.returned is NOTHING else copied(self.returned, memo)
        made.config = {name: copied(value, memo) for name, value in self.config.items()}
        return made

    def push(self, scope: Scope, *, capture: bool) -> None:
        """Enter *scope*, writing to a text of its own where *capture*."""
        self.stack.append((self.scope, self.out))
        self.scope = scope
        if capture:
            self.out = Text()

    def pop(self) -> Text | None:
        """Leave the scope that was entered last; what was written in it, where that was captured."""
        written = self.out
        self.scope, self.out = self.stack.pop()
        return written

    def write(self, piece: str | None) -> None:
        """Write *piece*, None being an unknown one."""
        if self.out is not None:
            self.out.write(piece)

    def key(self) -> Any:
        """Equal where two worlds are the same from here on."""
        seen: set[int] = set()
        return (
            *_names(self.scope, seen),
            *((*_names(scope, seen), out and out.key) for scope, out in self.stack),
            self.out and self.out.key,
            self.returned if self.returned is NOTHING else frozen(self.returned),
            frozen(self.config),
        )


def _names(scope: Scope | None, seen: set[int]) -> Iterable[Any]:
    """What is in *scope* and around it, as far as that was not told before."""
    while scope is not None and id(scope) not in seen:
        seen.add(id(scope))
        yield from ((name, frozen(scope.names[name])) for name in sorted(scope.names))
        yield None
        scope = scope.parent


def distinct(worlds: Sequence[World]) -> list[World]:
    """*worlds* without repetition, and joined where they are too many."""
    if len(worlds) < 2:
        return list(worlds)
    found = list({world.key(): world for world in worlds}.values())
    if len(found) <= MOST_WORLDS:
        return found
    going = [world for world in found if world.returned is NOTHING]
    ended = [world for world in found if world.returned is not NOTHING]
    return [joined(group) for group in (going, ended) if group]


def joined(worlds: Sequence[World]) -> World:
    """One world for *worlds*, in which unknown is what they differ in."""
    first, *others = worlds
    for other in others:
        _join_scopes(first.scope, other.scope)
        _join_texts(first.out, other.out)
        for (scope, out), (other_scope, other_out) in zip(first.stack, other.stack, strict=True):
            _join_scopes(scope, other_scope)
            _join_texts(out, other_out)
        _join_names(first.config, other.config)
        if first.returned is not NOTHING and frozen(first.returned) != frozen(other.returned):
            first.returned = UNKNOWN
    return first


def _join_scopes(first: Scope | None, other: Scope | None) -> None:
    while first is not None and other is not None:
        _join_names(first.names, other.names)
        first, other = first.parent, other.parent


def _join_names(first: dict[str, Any], other: dict[str, Any]) -> None:
    for name in {**first, **other}:
        mine, theirs = first.get(name, NOTHING), other.get(name, NOTHING)
        if mine is NOTHING or theirs is NOTHING:
            first[name] = UNKNOWN
        elif isinstance(mine, Namespace) and isinstance(theirs, Namespace):
            _join_names(mine.names, theirs.names)
        elif frozen(mine) != frozen(theirs):
            first[name] = UNKNOWN


def _join_texts(first: Text | None, other: Text | None) -> None:
    if first is not None and (other is None or first.value != other.value):
        first.write(None)
