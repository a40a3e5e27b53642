"""State of one path through a template: the values of its names, its output so far, and the limit on steps.

If a condition is unknown, both branches are followed, each with a separate state, so that names that are set
together stay together. Equal states are merged. If there are too many states, they are joined, and values
that differ become unknown. Values are constants, and markers for unknown values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias

from jinja2 import nodes

MOST_ITEMS = 10_000
"""Maximum size of a container, including nested elements."""
MOST_CHARACTERS = 100_000
"""Maximum length of a string."""


class Beyond(Exception):
    """Template that is too large, too deep or too slow to follow to its end."""


class Marker:
    """A named value that is not a constant."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


UNKNOWN = Marker("unknown")
"""A value that is known only at rendering."""
UNDEFINED = Marker("undefined")
"""A name that this template sets, but not in the current world."""
HIDDEN = Marker("hidden")
"""An unknown value that may be `ref` or `source` itself."""


class Builtin(Marker):
    """A function or object of dbt, by name."""

    __slots__ = ()


class Package(Marker):
    """The macros of one package, such as `dbt_utils`."""

    __slots__ = ()


class NamespaceState:
    """A `namespace(…)`, with names that inner scopes can set."""

    __slots__ = ("names",)

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = names


class BlockScope:
    """Names of one block; *is_decided* if they are loop variables or macro arguments."""

    __slots__ = ("is_decided", "names", "parent")

    def __init__(self, parent: BlockScope | None, *, is_decided: bool = False) -> None:
        self.names: dict[str, Any] = {}
        self.parent = parent
        self.is_decided = is_decided

    def find(self, name: str) -> BlockScope | None:
        """Return the innermost scope that has *name*, else None."""
        scope: BlockScope | None = self
        while scope is not None and name not in scope.names:
            scope = scope.parent
        return scope


class Closure:
    """A macro, or the body of a call block, with the scope that defines it."""

    __slots__ = ("node", "package", "scope", "title")

    def __init__(
        self,
        node: nodes.Macro | nodes.CallBlock,
        scope: BlockScope,
        *,
        package: str | None = None,
        title: str | None = None,
    ) -> None:
        self.node, self.scope = node, scope
        self.package, self.title = package, title


class BoundMethod(NamedTuple):
    """Method of a constant, or of a loop, before it is called."""

    owner: Value
    name: str


class Loop:
    """The `loop` variable of one iteration."""

    __slots__ = ("index0", "items", "node")

    def __init__(self, node: nodes.For, items: Sequence[Any], index0: int) -> None:
        self.node, self.items, self.index0 = node, items, index0

    def get(self, name: str) -> Any:
        """Return `loop.name`."""
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
    """Return True if *value* is a constant, including all nested values."""
    kind = type(value)
    if kind in (list, tuple, set):
        return all(map(is_known, value))
    if kind is dict:
        return all(is_known(key) and is_known(entry) for key, entry in value.items())
    return kind in _ATOMS


def weigh(value: Value) -> int:
    """Return the number of elements of *value*, including nested ones. Raises Beyond if it is too large."""
    count, characters, pending = 0, 0, [value]
    while pending:
        found = pending.pop()
        if isinstance(found, str):
            require_room(len(found))
            characters += len(found)
        elif isinstance(found, (list, tuple, set)):
            pending.extend(found)
            count += len(found)
        elif isinstance(found, dict):
            pending.extend(found)
            pending.extend(found.values())
            count += len(found)
        elif isinstance(found, NamespaceState):
            pending.extend(found.names.values())
            count += len(found.names)
        elif isinstance(found, int) and found.bit_length() > 256:
            raise Beyond("a number that is too large to be followed")
        # The text of a container holds each string as often as the container does.
        if count > MOST_ITEMS or characters > MOST_ITEMS * 100:
            raise Beyond("a value that is too large to be followed")
    return count


def require_room(characters: int) -> None:
    """Raise Beyond if a string of so many characters is too long: called before it is built."""
    if characters > MOST_CHARACTERS:
        raise Beyond("a text that is too long to be followed")


def holds_function(value: Value) -> bool:
    """Return True if *value* is, or contains, a value that can call `ref`."""
    if isinstance(value, (list, tuple, set)):
        return any(map(holds_function, value))
    if isinstance(value, dict):
        return any(map(holds_function, value.values()))
    if isinstance(value, NamespaceState):
        return any(map(holds_function, value.names.values()))
    return (
        value is HIDDEN
        or isinstance(value, Closure)
        or (isinstance(value, Builtin) and value.name in REFERRING)
    )


REFERRING = frozenset(["ref", "source", "function", "builtins", "context", "render"])
"""Names by which a template can refer to other nodes."""


def frozen(value: Value) -> Any:
    """Return a hashable key of *value*: equal values have equal keys."""
    kind = type(value)
    if kind in _ATOMS:
        # With the type, because True equals 1.
        return kind.__name__, value
    if kind in (list, tuple):
        return kind.__name__, *map(frozen, value)
    if kind is set:
        return "set", frozenset(map(frozen, value))
    if kind is dict:
        return "dict", *((frozen(key), frozen(entry)) for key, entry in value.items())
    if kind is NamespaceState:
        return "namespace", *((name, frozen(entry)) for name, entry in sorted(value.names.items()))
    if kind is Closure:
        return "macro", id(value.node)
    if kind is Loop:
        return "loop", value.index0, id(value.node), len(value.items)
    return kind.__name__, getattr(value, "name", id(value))


def copied(value: Value, memo: dict[int, Any]) -> Value:
    """Return *value* with one copy of each mutable object in it."""
    kind = type(value)
    # These never change, so that all paths can share them.
    if kind in _ATOMS or isinstance(value, (Marker, Loop)):
        return value
    # One copy for each object: two names of the same list must still change it together.
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
    elif kind is NamespaceState:
        made = memo[id(value)] = NamespaceState({})
        made.names.update({name: copied(entry, memo) for name, entry in value.names.items()})
    elif kind is Closure:
        made = memo[id(value)] = Closure(value.node, value.scope, package=value.package, title=value.title)
        made.scope = copied_scope(value.scope, memo)
    else:
        made = value
    return made


def copied_scope(scope: BlockScope, memo: dict[int, Any]) -> BlockScope:
    """Return a copy of *scope* and its enclosing scopes."""
    found: BlockScope | None = memo.get(id(scope))
    if found is None:
        found = memo[id(scope)] = BlockScope(None, is_decided=scope.is_decided)
        found.parent = None if scope.parent is None else copied_scope(scope.parent, memo)
        found.names = {name: copied(value, memo) for name, value in scope.names.items()}
    return found


MOST_WORLDS = 24
NOTHING: Any = object()


class Text:
    """Output that is captured for a variable, or of a macro."""

    __slots__ = ("is_known", "pieces", "size")

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.size = 0
        self.is_known = True

    def write(self, piece: str | None) -> None:
        """Add *piece*; None is an unknown piece."""
        self.size += len(piece or "")
        if piece is None or self.size > MOST_CHARACTERS:
            # A text that is too long, or unknown in part, is of no use.
            self.is_known, self.pieces = False, []
        elif self.is_known:
            self.pieces.append(piece)

    @property
    def value(self) -> Any:
        """Return the text, or UNKNOWN."""
        return "".join(self.pieces) if self.is_known else UNKNOWN

    @property
    def key(self) -> Any:
        """Return a key that is equal for equal texts."""
        return tuple(self.pieces) if self.is_known else UNKNOWN

    def copy(self) -> Text:
        """Return an independent copy."""
        made = Text()
        made.pieces, made.size, made.is_known = [*self.pieces], self.size, self.is_known
        return made


class PathState:
    """State of one path through a template."""

    __slots__ = ("config", "out", "returned", "scope", "stack")

    def __init__(self, scope: BlockScope) -> None:
        self.scope = scope
        self.stack: list[tuple[BlockScope, Text | None]] = []
        """Scopes and texts to restore."""
        self.out: Text | None = None
        """Target of output; None if the output is not used."""
        self.returned: Any = NOTHING
        """Value of `return()`, until the macro ends."""
        self.config: dict[str, Any] = {}

    def fork(self) -> PathState:
        """Return an independent copy."""
        # One memo for all parts, so that a macro's scope is still the scope on the stack.
        memo: dict[int, Any] = {}
        made = PathState(copied_scope(self.scope, memo))
        made.stack = [(copied_scope(scope, memo), out.copy() if out else None) for scope, out in self.stack]
        made.out = self.out.copy() if self.out is not None else None
        made.returned = self.returned if self.returned is NOTHING else copied(self.returned, memo)
        made.config = {name: copied(value, memo) for name, value in self.config.items()}
        return made

    def push(self, scope: BlockScope, *, capture: bool) -> None:
        """Enter *scope*; if *capture*, write to a new text."""
        self.stack.append((self.scope, self.out))
        self.scope = scope
        if capture:
            self.out = Text()

    def pop(self) -> Text | None:
        """Leave the innermost scope, and return the output, if captured."""
        written = self.out
        self.scope, self.out = self.stack.pop()
        return written

    def write(self, piece: str | None) -> None:
        """Write *piece*; None is an unknown piece."""
        if self.out is not None:
            self.out.write(piece)

    def key(self) -> Any:
        """Return a key that is equal for worlds that continue equally."""
        seen: set[int] = set()
        return (
            *_names(self.scope, seen),
            *((*_names(scope, seen), out and out.key) for scope, out in self.stack),
            self.out and self.out.key,
            self.returned if self.returned is NOTHING else frozen(self.returned),
            frozen(self.config),
        )


def _names(scope: BlockScope | None, seen: set[int]) -> Iterable[Any]:
    """Yield the names of *scope* and its enclosing scopes that are not in *seen*."""
    while scope is not None and id(scope) not in seen:
        seen.add(id(scope))
        yield from ((name, frozen(scope.names[name])) for name in sorted(scope.names))
        # Separates scopes, because equal names in another scope mean another state.
        yield None
        scope = scope.parent


def distinct(worlds: Sequence[PathState]) -> list[PathState]:
    """Return *worlds* without duplicates; if there are too many, join them."""
    if len(worlds) < 2:
        return list(worlds)
    found = list({world.key(): world for world in worlds}.values())
    if len(found) <= MOST_WORLDS:
        return found
    # A path that has returned must not continue, so it is not joined with one that goes on.
    going = [world for world in found if world.returned is NOTHING]
    ended = [world for world in found if world.returned is not NOTHING]
    return [joined(group) for group in (going, ended) if group]


def joined(worlds: Sequence[PathState]) -> PathState:
    """Join *worlds* into one, in which values that differ are unknown."""
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


def _join_scopes(first: BlockScope | None, other: BlockScope | None) -> None:
    while first is not None and other is not None:
        _join_names(first.names, other.names)
        first, other = first.parent, other.parent


def _join_names(first: dict[str, Any], other: dict[str, Any]) -> None:
    for name in {**first, **other}:
        mine, theirs = first.get(name, NOTHING), other.get(name, NOTHING)
        # Not undefined: one of the paths has set the name.
        if mine is NOTHING or theirs is NOTHING:
            first[name] = UNKNOWN
        elif isinstance(mine, NamespaceState) and isinstance(theirs, NamespaceState):
            _join_names(mine.names, theirs.names)
        elif frozen(mine) != frozen(theirs):
            first[name] = UNKNOWN


def _join_texts(first: Text | None, other: Text | None) -> None:
    if first is not None and (other is None or first.value != other.value):
        first.write(None)


MOST_STEPS = 60_000
"""Maximum number of expressions and statements followed in one template, with loops and macros unrolled."""
DEEPEST_CALL = 24

Ref = tuple["str | None", str, "str | None"]
"""Package, name and version; None for each part that the template does not name."""


class Macros(Protocol):
    """Macros that a template can call, in addition to its own."""

    def find(self, name: str, package: str | None) -> Closure | None:
        """Return the macro *name* as visible in a template of *package*, else None."""

    def has_package(self, name: str) -> bool:
        """Return True if *name* is a package with macros."""

    def of_package(self, package: str, name: str) -> Closure | None:
        """Return the macro *name* of *package*, else None."""

    def dispatched(self, name: str, namespace: str | None, package: str | None) -> Sequence[Closure]:
        """Return the macros that `adapter.dispatch` may find."""

    def is_quiet(self, macro: Closure) -> bool:
        """Return True if *macro* and the macros it calls have no references and no configuration."""


class NoMacros:
    """Empty library of macros."""

    def find(self, name: str, package: str | None) -> Closure | None:
        """Return None."""
        return None

    def has_package(self, name: str) -> bool:
        """Return False."""
        return False

    def of_package(self, package: str, name: str) -> Closure | None:
        """Return None."""
        return None

    def dispatched(self, name: str, namespace: str | None, package: str | None) -> Sequence[Closure]:
        """Return no macros."""
        return ()

    def is_quiet(self, macro: Closure) -> bool:
        """Return False."""
        return False


class Findings:
    """References of a template in order of occurrence, and reasons why there may be more."""

    def __init__(
        self,
        *,
        variable: Callable[[str], tuple[bool, Any]] | None = None,
        target: Mapping[str, str] | None = None,
        macros: Macros | None = None,
        package: str | None = None,
        own: frozenset[str] = frozenset(),
    ) -> None:
        self.variable = variable
        """Function that returns whether a variable is set, and its value; None if variables are unknown."""
        self.target: Value = {UNKNOWN: UNKNOWN, **(target or {})}
        """Value of `target`, most of whose members are unknown."""
        self.macros: Macros = macros or NoMacros()
        self.package = package
        self.own = own
        """Names that the template itself sets."""
        self.refs: dict[Ref, None] = {}
        self.sources: dict[tuple[str, str], None] = {}
        self.functions: dict[tuple[str | None, str], None] = {}
        self.called: dict[str, None] = {}
        self.reasons: dict[str, None] = {}
        """Reasons why the references may be incomplete."""
        self._undefined: dict[int, str] = {}
        self._resolved: set[int] = set()
        self._steps = 0

    def spend(self, steps: int = 1) -> None:
        """Count *steps*. Raises Beyond if there are too many."""
        self._steps += steps
        if self._steps > MOST_STEPS:
            raise Beyond("more steps than are followed")

    def doubt(self, reason: str, node: nodes.Node | None = None) -> None:
        """Add *reason* why the references may be incomplete."""
        self.reasons.setdefault(reason if node is None else f"line {node.lineno}: {reason}")

    def undefined(self, node: nodes.Node, reason: str) -> None:
        """Add a reference at *node* with a name that is not set in the current world; another may set it."""
        self._undefined[id(node)] = f"line {node.lineno}: {reason}"

    def resolve(self, node: nodes.Node) -> None:
        """Record that the reference at *node* has a name in at least one world."""
        self._resolved.add(id(node))

    @property
    def doubts(self) -> Iterable[str]:
        """Return every reason why there may be more references."""
        never = (reason for node, reason in self._undefined.items() if node not in self._resolved)
        return dict.fromkeys((*self.reasons, *never))

    def value_of(self, name: str, default: Value) -> Value:
        """Return `var(name, default)`."""
        if self.variable is None:
            return UNKNOWN
        found, value = self.variable(name)
        return value if found else default
