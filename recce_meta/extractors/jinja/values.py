"""Values of templates that are read without being rendered: constants, and what stands for the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from jinja2 import nodes

MOST_ITEMS = 10_000
"""The largest container that is followed, its elements' elements included."""
MOST_CHARACTERS = 100_000
"""The longest text that is followed."""


class Beyond(Exception):
    """The template is too large, too deep or too long-running to be followed to its end."""


class Marker:
    """A value that is no constant: what it is, is its name."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


UNKNOWN = Marker("unknown")
"""Something that is known when the template is rendered."""
UNDEFINED = Marker("undefined")
"""A name that this template sets, but not on the way at hand."""
HIDDEN = Marker("hidden")
"""Something unknown that may be `ref` or `source` itself."""


class Builtin(Marker):
    """A function or an object of dbt's, by name."""

    __slots__ = ()


class Package(Marker):
    """The macros of one package, as `dbt_utils` names them."""

    __slots__ = ()


class Namespace:
    """`namespace(…)`: names that may be set from inner scopes."""

    __slots__ = ("names",)

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = names


class Scope:
    """Names of one block; *is_decided* where they come from a loop's turn or from a macro's arguments."""

    __slots__ = ("is_decided", "names", "parent")

    def __init__(self, parent: Scope | None, *, is_decided: bool = False) -> None:
        self.names: dict[str, Any] = {}
        self.parent = parent
        self.is_decided = is_decided

    def find(self, name: str) -> Scope | None:
        """The innermost scope that has *name*."""
        scope: Scope | None = self
        while scope is not None and name not in scope.names:
            scope = scope.parent
        return scope


class Closure:
    """A macro, or the body of a call block, with the scope it is written in."""

    __slots__ = ("node", "package", "scope", "title")

    def __init__(
        self,
        node: nodes.Macro | nodes.CallBlock,
        scope: Scope,
        *,
        package: str | None = None,
        title: str | None = None,
    ) -> None:
        self.node, self.scope = node, scope
        self.package, self.title = package, title


class Loop:
    """`loop` in one turn."""

    __slots__ = ("index0", "items", "node")

    def __init__(self, node: nodes.For, items: Sequence[Any], index0: int) -> None:
        self.node, self.items, self.index0 = node, items, index0

    def get(self, name: str) -> Any:
        """`loop.name`."""
        count, index = len(self.items), self.index0
        known: Mapping[str, Any] = {
            "index": index + 1,
            "index0": index,
            "revindex": count - index,
            "revindex0": count - index - 1,
            "first": index == 0,
            "last": index == count - 1,
            "length": count,
            "previtem": self.items[index - 1] if index else UNDEFINED,
            "nextitem": self.items[index + 1] if index + 1 < count else UNDEFINED,
        }
        return known.get(name, UNKNOWN)


Value: TypeAlias = Any
"""None, bool, int, float, str, list, tuple, dict, or one of the classes above."""

_ATOMS = (type(None), bool, int, float, str)


def is_known(value: Value) -> bool:
    """Whether *value* is a constant, all the way down."""
    kind = type(value)
    if kind in (list, tuple, set):
        return all(map(is_known, value))
    if kind is dict:
        return all(is_known(key) and is_known(entry) for key, entry in value.items())
    return kind in _ATOMS


def weigh(value: Value) -> int:
    """How many elements *value* has, all in all. Raises Beyond where they are too many to follow."""
    count, pending = 0, [value]
    while pending:
        found = pending.pop()
        if isinstance(found, str) and len(found) > MOST_CHARACTERS:
            raise Beyond("a text that is too long to be followed")
        if isinstance(found, (list, tuple, set)):
            pending.extend(found)
            count += len(found)
        elif isinstance(found, dict):
            pending.extend(found)
            pending.extend(found.values())
            count += len(found)
        elif isinstance(found, Namespace):
            pending.extend(found.names.values())
            count += len(found.names)
        elif isinstance(found, int) and found.bit_length() > 256:
            raise Beyond("a number that is too large to be followed")
        if count > MOST_ITEMS:
            raise Beyond("a value that is too large to be followed")
    return count


def holds_function(value: Value) -> bool:
    """Whether *value* is, or has in it, something that could call `ref`."""
    if isinstance(value, (list, tuple, set)):
        return any(map(holds_function, value))
    if isinstance(value, dict):
        return any(map(holds_function, value.values()))
    if isinstance(value, Namespace):
        return any(map(holds_function, value.names.values()))
    return (
        value is HIDDEN
        or isinstance(value, Closure)
        or (isinstance(value, Builtin) and value.name in REFERRING)
    )


REFERRING = frozenset(["ref", "source", "builtins", "context", "render"])
"""Names through which a template reads other nodes."""


def frozen(value: Value) -> Any:
    """*value* as something hashable, equal where the values are the same."""
    kind = type(value)
    if kind in _ATOMS:
        return kind.__name__, value
    if kind in (list, tuple):
        return kind.__name__, *map(frozen, value)
    if kind is set:
        return "set", frozenset(map(frozen, value))
    if kind is dict:
        return "dict", *((frozen(key), frozen(entry)) for key, entry in value.items())
    if kind is Namespace:
        return "namespace", *((name, frozen(entry)) for name, entry in sorted(value.names.items()))
    if kind is Closure:
        return "macro", id(value.node)
    if kind is Loop:
        return "loop", value.index0, id(value.node), len(value.items)
    return kind.__name__, getattr(value, "name", id(value))


def copied(value: Value, memo: dict[int, Any]) -> Value:
    """*value* with everything in it that can be changed copied once."""
    kind = type(value)
    if kind in _ATOMS or isinstance(value, (Marker, Loop)):
        return value
    found = memo.get(id(value))
    if found is not None:
        return found
    if kind is tuple:
        return tuple(copied(entry, memo) for entry in value)
    if kind is list:
        made: Any = []
        memo[id(value)] = made
        made.extend(copied(entry, memo) for entry in value)
    elif kind is dict:
        made = {}
        memo[id(value)] = made
        made.update({key: copied(entry, memo) for key, entry in value.items()})
    elif kind is set:
        made = memo[id(value)] = set(value)
    elif kind is Namespace:
        made = memo[id(value)] = Namespace({})
        made.names.update({name: copied(entry, memo) for name, entry in value.names.items()})
    elif kind is Closure:
        made = memo[id(value)] = Closure(value.node, value.scope, package=value.package, title=value.title)
        made.scope = copied_scope(value.scope, memo)
    else:
        made = value
    return made


def copied_scope(scope: Scope, memo: dict[int, Any]) -> Scope:
    """*scope* and those around it, copied."""
    found: Scope | None = memo.get(id(scope))
    if found is None:
        found = memo[id(scope)] = Scope(None, is_decided=scope.is_decided)
        found.parent = None if scope.parent is None else copied_scope(scope.parent, memo)
        found.names = {name: copied(value, memo) for name, value in scope.names.items()}
    return found
