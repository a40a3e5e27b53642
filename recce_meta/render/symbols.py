"""Symbols: values of a template that depend on the target, on variables or on the branch.

A symbol has no value. Where a template compares it with a constant or tests it, the world has the answer; an
exploration renders the template in one world for each answer. A symbol that is written is a token: equal
tokens are equal texts for every value. Calls, attributes and operators on symbols are symbols themselves, and
have their expression as name. A use that needs the value, such as a loop over a variable, raises Undecidable.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, ItemsView, Iterable, KeysView, Mapping, ValuesView
from dataclasses import dataclass, field
from typing import Any, NoReturn

from recce_meta.errors import shorten
from recce_meta.models.relation_tokens import CLOSING, OPENING
from recce_meta.render.macros import MacroCall
from recce_meta.render.objects import TemplateObject

MARK = f"{OPENING}?"
"""Start of the token of a symbol. No template may contain it."""
TOKEN = re.compile(rf"{re.escape(MARK)}(\d+){CLOSING}")
LONGEST_WORDS = 80
IS_SET = " is set"
HAS_DEFAULT = " has its default"
"""Words for a variable that is not set, if the template gives it a default."""


class Undecidable(Exception):
    """Use of a symbol that needs its value; *words* is the expression."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


class Stopped(Exception):
    """Error that the template itself raises in this world."""


@dataclass
class World:
    """Answers that one rendering of both templates assumes. The first ones are given, others are chosen."""

    given: tuple[int, ...]
    places: dict[str, int] = field(default_factory=dict)
    """Place of each symbol in the expressions of a comparison: a number is safe inside of SQL."""
    taken: list[int] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    others: dict[str, set[Any]] = field(default_factory=dict)
    """Constants from which a symbol differs."""
    truths: dict[str, bool] = field(default_factory=dict)
    with_default: set[str] = field(default_factory=set)
    """Variables that a template reads with a default."""
    derived: dict[str, tuple[str, Callable[[str], Any]]] = field(default_factory=dict)
    """Symbols that follow from the string of another one, with the function that computes them."""
    idempotent: set[str] = field(default_factory=set)
    """Those of them with a function that does not change its own results, such as `lower`."""
    effects: set[str] = field(default_factory=set)
    """Calls that may send a statement to the database, of the template that is rendered."""

    def with_answers(self, given: tuple[int, ...], places: dict[str, int]) -> World:
        """Return a world with what this one assumes, in which *given* answers the next questions."""
        return World(
            given,
            places,
            values=dict(self.values),
            others={key: set(constants) for key, constants in self.others.items()},
            truths=dict(self.truths),
            with_default=set(self.with_default),
            derived=dict(self.derived),
            idempotent=set(self.idempotent),
        )

    @property
    def is_possible(self) -> bool:
        """False if an answer about a symbol contradicts the value of the symbol that it follows from."""
        for key, (origin, compute) in self.derived.items():
            fixed = self.values.get(key)
            if key in self.idempotent and isinstance(fixed, str) and compute(fixed) != fixed:
                return False
            if not isinstance(value := self.values.get(origin), str):
                continue
            found = compute(value)
            if key in self.values and self.values[key] != found:
                return False
            if found in self.others.get(key, ()) or (key in self.truths and self.truths[key] != bool(found)):
                return False
        return True

    def choose(self) -> bool:
        """Return the next answer: the given one, else False."""
        place = len(self.taken)
        answer = self.given[place] if place < len(self.given) else 0
        self.taken.append(answer)
        return bool(answer)

    def token(self, key: str) -> str:
        """Return the token of the symbol *key*."""
        return f"{MARK}{self.places.setdefault(key, len(self.places))}{CLOSING}"

    def equals(self, key: str, constant: Any) -> bool:
        """Return True if the symbol *key* has the value *constant* in this world."""
        if key in self.values:
            return bool(self.values[key] == constant)
        if key in self.truths and self.truths[key] is not bool(constant):
            return False
        if constant in self.others.setdefault(key, set()):
            return False
        if self.choose():
            self.values[key] = constant
            return True
        self.others[key].add(constant)
        return False

    def holds(self, key: str) -> bool:
        """Return True if the symbol *key* is true in this world."""
        if key in self.values:
            return bool(self.values[key])
        if key not in self.truths:
            self.truths[key] = self.choose()
        return self.truths[key]

    def conditions(self) -> tuple[str, ...]:
        """Return what the world assumes, in words; constants that a symbol does not have are left out."""
        found = [f"{key} = {value!r}" for key, value in self.values.items()]
        for key, holds in self.truths.items():
            if key not in self.values:
                found.append(key if holds else self._negated(key))
        return tuple(shorten(one, LONGEST_WORDS) for one in found)

    def _negated(self, key: str) -> str:
        if not key.endswith(IS_SET):
            return f"not {key}"
        variable = key.removesuffix(IS_SET)
        return f"{variable}{HAS_DEFAULT if variable in self.with_default else ' is not set'}"


class Symbol(TemplateObject):
    """Value that a world does not fix. *key* is its expression, *text* what a template writes for it."""

    __slots__ = ("_text", "key", "world")

    def __init__(self, world: World, key: str, text: str | None = None) -> None:
        self.world, self.key = world, key
        self._text = world.token(key) if text is None else text

    @property
    def value(self) -> str | None:
        """The value, if the world fixes it as a string. Equal numbers may be written differently."""
        found = self.world.values.get(self.key)
        return found if isinstance(found, str) else None

    def __str__(self) -> str:
        return self._text if self.value is None else self.value

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Symbol):
            if other.key == self.key:
                return True
            if other.value is not None:
                return self == other.value
            if self.value is not None:
                return other == self.value
            return self.world.holds(" == ".join(sorted((self.key, other.key))))
        if other is None or isinstance(other, (str, int, float, bool)):
            return self.world.equals(self.key, other)
        return self.world.holds(f"{self.key} == {words(other)}")

    def __ne__(self, other: object) -> bool:
        return not self == other

    def _ordered(self, sign: str, compare: Callable[[Any, Any], Any], other: object) -> bool:
        fixed = settled(other)
        if self.key in self.world.values and not isinstance(fixed, Symbol):
            return bool(compare(self.world.values[self.key], fixed))
        return self.world.holds(f"{self.key} {sign} {words(other)}")

    def __lt__(self, other: object) -> bool:
        return self._ordered("<", operator.lt, other)

    def __le__(self, other: object) -> bool:
        return self._ordered("<=", operator.le, other)

    def __gt__(self, other: object) -> bool:
        return self._ordered(">", operator.gt, other)

    def __ge__(self, other: object) -> bool:
        return self._ordered(">=", operator.ge, other)

    def __bool__(self) -> bool:
        return self.world.holds(self.key)

    def __contains__(self, item: object) -> bool:
        fixed = settled(item)
        if self.value is not None and isinstance(fixed, str):
            return fixed in self.value
        return self.world.holds(f"{words(item)} in {self.key}")

    def _refuse(self, *_: object) -> NoReturn:
        raise Undecidable(self.key)

    __hash__ = __iter__ = __len__ = __index__ = __int__ = __float__ = _refuse

    def __getitem__(self, part: Any) -> Any:
        """Return a part of the string. Jinja writes slices as Python's."""
        if isinstance(part, slice) and self.value is not None:
            return self.value[part]
        if isinstance(part, slice):
            ends = [part.start, part.stop, *([] if part.step is None else [part.step])]
            shown = ":".join("" if one is None else words(one) for one in ends)
            key = f"{self.key}[{shown}]"
            if all(one is None or isinstance(one, int) for one in ends):
                self.world.derived[key] = self.key, lambda value: value[part]
                if part.start is part.step is None and (part.stop or 0) >= 0:
                    self.world.idempotent.add(key)
            return Symbol(self.world, key)
        return self._refuse()


class SymbolTable(dict[Any, Any]):
    """Dictionary of a template, in which a symbol can be looked up."""

    def _known(self, key: object) -> Any:
        if not isinstance(key, Symbol):
            return key
        for known in self.keys():
            if key == known:
                return known
        return _ABSENT

    def __getitem__(self, key: object) -> Any:
        return super().__getitem__(self._known(key))

    def __contains__(self, key: object) -> bool:
        return super().__contains__(self._known(key))

    def get(self, key: object, default: Any = None) -> Any:
        """Return the value of *key*, else *default*."""
        return super().get(self._known(key), default)

    def pop(self, key: object, *default: Any) -> Any:
        """Remove *key* and return its value."""
        return super().pop(self._known(key), *default)


_ABSENT = object()


def words(value: object) -> str:
    """Return *value* as an expression."""
    if isinstance(value, Symbol):
        return value.key if value.value is None else repr(value.value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{words(key)}: {words(one)}" for key, one in value.items()) + "}"
    if isinstance(value, (list, tuple, set)):
        return "[" + ", ".join(map(words, value)) + "]"
    if isinstance(value, (str, int, float, bool, type(None))):
        return repr(value)
    if isinstance(value, MacroCall):
        return value.title
    raise Undecidable(type(value).__name__)


def settled(value: Any) -> Any:
    """Return the string that the world fixes for a symbol; any other value as it is."""
    if isinstance(value, Symbol):
        return value if value.value is None else value.value
    return value


def world_of(*values: object) -> World | None:
    """Return the world of the first symbol in *values*."""
    for value in values:
        if isinstance(value, Symbol):
            return value.world
        found = world_of(*parts_of(value))
        if found is not None:
            return found
    return None


def parts_of(value: object) -> Iterable[Any]:
    """Return the elements of a container."""
    if isinstance(value, dict):
        return [one for pair in value.items() for one in pair]
    return value if isinstance(value, (list, tuple, set, KeysView, ValuesView, ItemsView)) else ()


def arguments_of(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    return ", ".join([*map(words, args), *(f"{name}={words(kwargs[name])}" for name in sorted(kwargs))])
